/* weir serve|status|env|deploy|diff|destroy|stacks|exec|backup|restore|check|repair|runtime|version|help */
#include "main/main.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/options.h"
#include "main/accounts.h"
#include "main/backup.h"
#include "main/check.h"
#include "main/exec.h"
#include "main/running.h"
#include "main/runtime.h"
#include "main/stacks.h"
#include "sandbox/runtimes.h"
#include "sandbox/sandbox.h"

static struct serve_options serve_options = {
    .listen = "127.0.0.1:4566",
    .data = ".weir/data",
    .region = "us-east-1",
    .account = "000000000000",
    .log_level = "info",
    .function_network = "world",
    .function_aws = "weir",
    .calls_max = 5000,
    .connections_max = 10000,
    .async_retry_base_ms = 60000,
    .queue_reuse_wait_s = 60,
};

static const struct option serve_table[] = {
    {"--listen", OPTION_TEXT, &serve_options.listen, "ADDR:PORT",
     "Address to serve at; port 0 takes a free one.", 0, 0},
    {"--data", OPTION_TEXT, &serve_options.data, "DIR", "Folder of everything that Weir keeps.", 0,
     0},
    {"--endpoint", OPTION_TEXT, &serve_options.endpoint, "URL",
     "Address that functions and queue URLs are told; default: the one listened at.", 0, 0},
    {"--tls-cert", OPTION_TEXT, &serve_options.tls_cert, "FILE", "Certificate chain, PEM.", 0, 0},
    {"--tls-key", OPTION_TEXT, &serve_options.tls_key, "FILE", "Its private key, PEM.", 0, 0},
    {"--region", OPTION_TEXT, &serve_options.region, "NAME", "Region of unsigned requests.", 0, 0},
    {"--account", OPTION_TEXT, &serve_options.account, "ID", "Account id, 12 digits.", 0, 0},
    {"--log-level", OPTION_TEXT, &serve_options.log_level, "LEVEL", "debug, info, warn or error.",
     0, 0},
    {"--require-isolation", OPTION_FLAG, &serve_options.require_isolation, NULL,
     "Do not start when the host refuses a kind of isolation for functions.", 0, 0},
    {"--allow-unisolated-functions", OPTION_FLAG, &serve_options.allow_unisolated, NULL,
     "Run functions even where the host allows no namespaces: they can then read what their user "
     "can.",
     0, 0},
    {"--function-network", OPTION_TEXT, &serve_options.function_network, "WHAT",
     "What functions reach beside Weir: world, none, or host, whose network they then share.", 0,
     0},
    {"--function-aws", OPTION_TEXT, &serve_options.function_aws, "WHERE",
     "Where AWS's names lead in functions: weir, or real, which is AWS itself.", 0, 0},
    {"--runtime", OPTION_LIST, &serve_options.runtimes, "NAME=PATH",
     "An interpreter for functions, python3.12=/opt/py/bin/python3.12; may be given several times.",
     0, 0},
    {"--runtime-substitutes", OPTION_FLAG, &serve_options.runtime_substitutes, NULL,
     "Run functions whose python3.x or nodejsN.x is not here by the nearest newer one; their logs "
     "say so.",
     0, 0},
    {"--no-dev-key", OPTION_FLAG, &serve_options.no_dev_key, NULL,
     "Do not accept the development key test/test (beyond loopback never accepted without "
     "--insecure-network).",
     0, 0},
    {"--insecure-network", OPTION_FLAG, &serve_options.insecure_network, NULL,
     "Serve without TLS, and take test/test, beyond loopback too and under any host name: for a "
     "container network that nobody else can reach.",
     0, 0},
    {"--url-suffix", OPTION_TEXT, &serve_options.url_suffix, "NAME[:PORT]",
     "What templates get for AWS::URLSuffix: a name that leads here, with all names below it (see "
     "docs/stacks.md).",
     0, 0},
    {"--allow-host", OPTION_TEXT, &serve_options.allow_hosts, "NAME,...",
     "Further host names that lead here: the development key is taken under these and what is "
     "below "
     "them.",
     0, 0},
    {"--allow-origin", OPTION_TEXT, &serve_options.allow_origins, "ORIGIN,...",
     "Origins whose web pages may use Weir as if they were its own (http://localhost:3000); *: "
     "all.",
     0, 0},
    {"--allow-outgoing-loopback", OPTION_FLAG, &serve_options.outgoing_loopback, NULL,
     "Let HTTP endpoints that Weir calls (subscriptions of topics, API destinations) be at this "
     "machine's loopback "
     "addresses, which functions cannot reach by themselves.",
     0, 0},
    {"--threads", OPTION_INT, &serve_options.threads, "N", "Event loops; 0: one a core.", 0, 64},
    {"--cache-size", OPTION_INT, &serve_options.cache_mib, "MIB",
     "Memory for what is read from the store, filled by use; 0: an eighth of the machine's.", 0,
     1024 * 1024},
    {"--calls-max", OPTION_INT, &serve_options.calls_max, "N",
     "Running calls over which new ones are throttled.", 1, 1000000},
    {"--connections-max", OPTION_INT, &serve_options.connections_max, "N", "Open connections.", 1,
     1000000},
    {"--async-retry-base-ms", OPTION_INT, &serve_options.async_retry_base_ms, "MS",
     "Pause before the first retry of a failed asynchronous invocation; the second waits twice "
     "that.",
     1, 3600000},
    {"--queue-reuse-wait", OPTION_INT, &serve_options.queue_reuse_wait_s, "SECONDS",
     "How long no queue may be made under the name of one that was deleted, as on AWS; 0: at once.",
     0, 3600},
};

static struct {
    const char *endpoint, *data, *account;
} where;
static const struct option where_table[] = {
    {"--data", OPTION_TEXT, &where.data, "DIR",
     "Folder of the Weir that is meant; WEIR_DATA, else .weir/data.", 0, 0},
    {"--endpoint", OPTION_TEXT, &where.endpoint, "URL", "Weir at this address instead.", 0, 0},
};
static const struct option env_table[] = {
    {"--data", OPTION_TEXT, &where.data, "DIR",
     "Folder of the Weir that is meant; WEIR_DATA, else .weir/data.", 0, 0},
    {"--endpoint", OPTION_TEXT, &where.endpoint, "URL", "Weir at this address instead.", 0, 0},
    {"--account", OPTION_TEXT, &where.account, "ID",
     "With the root key of this account (see weir account).", 0, 0},
};
static const struct option account_table[] = {
    {"--data", OPTION_TEXT, &where.data, "DIR",
     "Folder of the running Weir that is meant; WEIR_DATA, else .weir/data.", 0, 0},
};
static const struct option data_table[] = {
    {"--data", OPTION_TEXT, &where.data, "DIR",
     "Folder to copy, of a running Weir or a stopped one; WEIR_DATA, else .weir/data.", 0, 0},
};

static int cmd_help(int argc, char **argv);

static int cmd_version(int argc, char **argv)
{
    printf("weir %s\n", WEIR_VERSION);
    return 0;
}

static int cmd_serve(int argc, char **argv)
{
    if (options_parse(serve_table, ARRAY_LEN(serve_table), argc, argv, stderr) != ERR_OK)
        return 2;
    for (size_t i = 0; i < serve_options.runtimes.n; i++)
        if (!sandbox_runtimes_given_valid(serve_options.runtimes.v[i])) {
            fprintf(
                stderr,
                "weir: --runtime takes python3.12=PATH or nodejs20.x=PATH of a program, not '%s'\n",
                serve_options.runtimes.v[i]);
            return 2;
        }
    serve_options.argv = argv - 2;
    return serve(&serve_options);
}

static const char *data_folder(void)
{
    const char *set = getenv("WEIR_DATA");
    return where.data ? where.data : set && *set ? set : serve_options.data;
}

/* The Weir that is meant: --endpoint; the one that serves from the data folder; without --data
 * AWS_ENDPOINT_URL or the default, where one may be that serves from another folder. Exit code. */
static int find_weir(struct running *ret_running, struct ask_at *ret_at)
{
    struct running r = {.dev_key = true};
    const char *set = getenv("AWS_ENDPOINT_URL"), *url = where.endpoint;
    enum err err = url ? ERR_NOT_FOUND : running_read(data_folder(), &r);
    if (err && !url && where.data) {
        fprintf(stderr, "weir: nothing serves from %s\n", where.data);
        return 1;
    }
    if (err) {
        url = url ? url : set && *set ? set : serve_options.listen;
        snprintf(r.at, sizeof(r.at), "%s%s", strstr(url, "://") ? "" : "http://", url);
        snprintf(r.endpoint, sizeof(r.endpoint), "%s", r.at);
        snprintf(r.region, sizeof(r.region), "%s", serve_options.region);
    }
    if (ask_at_parse(str_c(r.at), ret_at) != ERR_OK) {
        fprintf(stderr, "weir: the endpoint must look like 127.0.0.1:4566\n");
        return 2;
    }
    *ret_running = r;
    return 0;
}

static int take_options(const struct option *table, size_t n, int argc, char **argv,
                        struct running *ret_running, struct ask_at *ret_at)
{
    where.endpoint = where.data = where.account = NULL;
    if (options_parse(table, n, argc, argv, stderr) != ERR_OK)
        return 2;
    return find_weir(ret_running, ret_at);
}

static int cmd_status(int argc, char **argv)
{
    struct running r;
    struct ask_at at;
    int code = take_options(where_table, ARRAY_LEN(where_table), argc, argv, &r, &at), status = 0;
    if (code)
        return code;
    struct buf body;
    buf_init(&body, ASK_REPLY_MAX);
    enum err err = ask_get(&at, "/_weir/health", &body, &status);
    if (!err && (status == 200 || (status == 503 && body.len > 0))) {
        printf("%.*s\n", (int)body.len, body.p);
        code = status == 200 ? 0 : 1;
    } else {
        fprintf(stderr, "weir: nothing serves at %s (%s)\n", r.at,
                err ? err_name(err) : "unexpected status");
        code = 1;
    }
    buf_release(&body);
    return code;
}

/* A word for a POSIX shell, whatever is in it. */
static void print_quoted(const char *name, const char *value)
{
    printf("export %s=", name);
    if (strspn(value,
               "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/[]@%+,") ==
        strlen(value)) {
        printf("%s\n", value);
        return;
    }
    putchar('\'');
    for (; *value; value++) {
        if (*value == '\'')
            printf("'\\'");
        putchar(*value);
    }
    printf("'\n");
}

/* A root key by its file, so that no secret is printed. */
static void print_credentials(const char *file)
{
    print_quoted("AWS_SHARED_CREDENTIALS_FILE", file);
    printf("unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY\n");
}

static int print_root_key(void)
{
    char folder[PATH_MAX], file[PATH_MAX + 32];
    if (!realpath(data_folder(), folder)) {
        fprintf(stderr, "weir: cannot find %s\n", data_folder());
        return 1;
    }
    snprintf(file, sizeof(file), "%s/root-credentials", folder);
    print_credentials(file);
    return 0;
}

static int cmd_env(int argc, char **argv)
{
    struct running r;
    struct ask_at at;
    int code = take_options(env_table, ARRAY_LEN(env_table), argc, argv, &r, &at);
    if (code)
        return code;
    char credentials[PATH_MAX];
    if (where.account &&
        !accounts_credentials(data_folder(), where.account, credentials, sizeof(credentials)))
        return 1;
    print_quoted("AWS_ENDPOINT_URL", r.endpoint);
    if (where.account)
        print_credentials(credentials);
    else if (r.dev_key)
        printf("export AWS_ACCESS_KEY_ID=test\nexport AWS_SECRET_ACCESS_KEY=test\n");
    else
        code = print_root_key();
    print_quoted("AWS_DEFAULT_REGION", r.region);
    print_quoted("AWS_REGION", r.region);
    printf("unset AWS_SESSION_TOKEN AWS_PROFILE\n");
    if (r.tls_cert[0])
        printf("# Where its authority is not known: export AWS_CA_BUNDLE='%s'\n", r.tls_cert);
    return code;
}

static const struct option exec_table[] = {
    {"--data", OPTION_TEXT, &where.data, "DIR",
     "Folder of the running Weir that is meant; WEIR_DATA, else .weir/data.", 0, 0},
};

/* What is after "--" is not ours to read. */
static int cmd_exec(int argc, char **argv)
{
    int own = 0;
    while (own < argc && strcmp(argv[own], "--") != 0)
        own++;
    where.data = NULL;
    if (own + 1 >= argc) {
        fprintf(stderr, "weir: weir exec [--data DIR] -- COMMAND [ARGUMENT...]\n");
        return EXEC_FAILED;
    }
    if (options_parse(exec_table, ARRAY_LEN(exec_table), own, argv, stderr) != ERR_OK)
        return EXEC_FAILED;
    return exec_command(data_folder(), argv + own + 1);
}

/* The folder that the command is about stands first. */
static int cmd_backup(int argc, char **argv)
{
    where.data = NULL;
    if (argc < 1 || argv[0][0] == '-') {
        fprintf(stderr, "weir: weir backup DIR [--data DIR]\n");
        return 2;
    }
    if (options_parse(data_table, ARRAY_LEN(data_table), argc - 1, argv + 1, stderr) != ERR_OK)
        return 2;
    return backup(data_folder(), argv[0]);
}

static int cmd_restore(int argc, char **argv)
{
    return argc == 2 ? restore(argv[0], argv[1])
                     : (fprintf(stderr, "weir: weir restore BACKUP DIR\n"), 2);
}

static int cmd_account(int argc, char **argv)
{
    bool add = argc >= 2 && strcmp(argv[0], "add") == 0 && argv[1][0] != '-';
    int words = add ? 2 : 1;
    if (!add && (argc < 1 || strcmp(argv[0], "list") != 0)) {
        fprintf(stderr,
                "weir: weir account list | weir account add ID, of 12 digits; [--data DIR]. "
                "Accounts are never removed\n");
        return 2;
    }
    where.data = NULL;
    if (options_parse(account_table, ARRAY_LEN(account_table), argc - words, argv + words,
                      stderr) != ERR_OK)
        return 2;
    return add ? accounts_add(data_folder(), argv[1]) : accounts_list(data_folder());
}

static bool check_with_objects;
static const struct option check_table[] = {
    {"--objects", OPTION_FLAG, &check_with_objects, NULL,
     "Read all files of S3 objects too; opens the store as a start does.", 0, 0},
};

static int cmd_check(int argc, char **argv)
{
    if (argc < 1 || argv[argc - 1][0] == '-') {
        fprintf(stderr, "weir: weir check [--objects] DIR\n");
        return 2;
    }
    if (options_parse(check_table, ARRAY_LEN(check_table), argc - 1, argv, stderr) != ERR_OK)
        return 2;
    return check(argv[argc - 1], check_with_objects);
}

static int cmd_repair(int argc, char **argv)
{
    return argc == 1 ? repair(argv[0]) : (fprintf(stderr, "weir: weir repair DIR\n"), 2);
}

static const char *runtime_data = ".weir/data";
static const struct option runtime_table[] = {
    {"--data", OPTION_TEXT, &runtime_data, "DIR", "The data folder, where interpreters are added.",
     0, 0},
};

static int cmd_runtime(int argc, char **argv)
{
    bool add = argc >= 2 && strcmp(argv[0], "add") == 0 && argv[1][0] != '-';
    int words = add ? 2 : 1;
    if (!add && (argc < 1 || strcmp(argv[0], "list") != 0)) {
        fprintf(stderr,
                "weir: weir runtime list | weir runtime add NAME, as nodejs18.x; [--data DIR]\n");
        return 2;
    }
    if (options_parse(runtime_table, ARRAY_LEN(runtime_table), argc - words, argv + words,
                      stderr) != ERR_OK)
        return 2;
    return add ? runtime_add(runtime_data, argv[1]) : runtime_list(runtime_data);
}

static int cmd_deploy(int argc, char **argv)
{
    return stacks_run(STACKS_DEPLOY, data_folder(), argc, argv);
}

static int cmd_diff(int argc, char **argv)
{
    return stacks_run(STACKS_DIFF, data_folder(), argc, argv);
}

static int cmd_destroy(int argc, char **argv)
{
    return stacks_run(STACKS_DESTROY, data_folder(), argc, argv);
}

static int cmd_stacks(int argc, char **argv)
{
    return stacks_run(STACKS_LIST, data_folder(), argc, argv);
}

#define TABLE(table)                                                                               \
    &(const struct option_table)                                                                   \
    {                                                                                              \
        table, ARRAY_LEN(table)                                                                    \
    }

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
    const struct option_table *options; /* NULL: none */
} commands[] = {
    {"serve", cmd_serve, "Serve in the foreground until SIGTERM or SIGINT.", TABLE(serve_table)},
    {"status", cmd_status, "Ask a running Weir how it is.", TABLE(where_table)},
    {"env", cmd_env, "Print what points AWS clients here: eval \"$(weir env)\".", TABLE(env_table)},
    {"deploy", cmd_deploy,
     "TEMPLATE: make or update a stack from a template, with local code packaged; print its "
     "outputs.",
     &stacks_options[STACKS_DEPLOY]},
    {"diff", cmd_diff, "TEMPLATE: print what weir deploy would change, by resource and property.",
     &stacks_options[STACKS_DIFF]},
    {"destroy", cmd_destroy, "STACK: remove a stack with all that it made.",
     &stacks_options[STACKS_DESTROY]},
    {"stacks", cmd_stacks, "List the stacks.", &stacks_options[STACKS_LIST]},
    {"exec", cmd_exec,
     "-- COMMAND...: run it where AWS's names are the running Weir, as functions are: no endpoint "
     "need be set.",
     TABLE(exec_table)},
    {"account", cmd_account,
     "add ID: one more account, with a root key of its own; list: those that were added, and where "
     "their keys are.",
     TABLE(account_table)},
    {"backup", cmd_backup,
     "DIR: copy all that a Weir holds, while it runs, and look whether the copy is whole; replace "
     "an earlier backup there.",
     TABLE(data_table)},
    {"restore", cmd_restore,
     "BACKUP DIR: make a data folder from a backup, and look whether it is whole.", NULL},
    {"check", cmd_check,
     "[--objects] DIR: read the store of a stopped Weir's data folder, and say what is damaged.",
     TABLE(check_table)},
    {"repair", cmd_repair,
     "DIR: make a damaged data folder one that starts, keep the old files, and say what is lost.",
     NULL},
    {"runtime", cmd_runtime,
     "list: the interpreters for functions; add NAME: install nodejsN.x and its AWS SDK, or say "
     "how.",
     TABLE(runtime_table)},
    {"version", cmd_version, "Print the version.", NULL},
    {"help", cmd_help, "Print this.", NULL},
};

static void help_of(const struct command *c)
{
    printf("weir %-10s %s\n", c->name, c->help);
    if (c->options)
        options_help(c->options->v, c->options->n, stdout);
}

static int cmd_help(int argc, char **argv)
{
    printf(
        "weir runs serverless pipelines on this machine, speaking the wire protocols of AWS.\n\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        help_of(&commands[i]);
    return 0;
}

/* Wherever it stands among a command's words, unless they are of a command that we are to run. */
static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static int run(const struct command *c, int argc, char **argv)
{
    if (!asks_for_help(argc, argv))
        return c->run(argc, argv);
    help_of(c);
    return 0;
}

int main(int argc, char **argv)
{
    sandbox_helper_main(argc, argv);
    if (argc < 2) {
        cmd_help(0, NULL);
        return 2;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    if (strcmp(name, "--version") == 0)
        name = "version";
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return run(&commands[i], argc - 2, argv + 2);
    fprintf(stderr, "weir: no command '%s'; see weir help\n", name);
    return 2;
}
