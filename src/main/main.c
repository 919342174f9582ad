/* weir serve|status|env|check|repair|version|help */
#include "main/main.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/http_get.h"
#include "cli/options.h"
#include "main/check.h"
#include "sandbox/sandbox.h"

static struct serve_options serve_options = {
    .listen = "127.0.0.1:4566",
    .data = ".weir/data",
    .region = "us-east-1",
    .account = "000000000000",
    .log_level = "info",
    .calls_max = 5000,
    .connections_max = 10000,
    .async_retry_base_ms = 60000,
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
    {"--no-dev-key", OPTION_FLAG, &serve_options.no_dev_key, NULL,
     "Do not accept the development key test/test (never accepted beyond loopback).", 0, 0},
    {"--allow-host", OPTION_TEXT, &serve_options.allow_hosts, "NAME,...",
     "Further host names that lead here: the development key is taken under these and what is "
     "below "
     "them.",
     0, 0},
    {"--allow-origin", OPTION_TEXT, &serve_options.allow_origins, "ORIGIN,...",
     "Origins whose web pages may use Weir as if they were its own (http://localhost:3000); *: "
     "all.",
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
};

static const char *status_endpoint;
static const struct option status_table[] = {
    {"--endpoint", OPTION_TEXT, &status_endpoint, "ADDR:PORT", "Weir to ask.", 0, 0},
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
    serve_options.argv = argv - 2;
    return serve(&serve_options);
}

/* Where a Weir is expected: --endpoint, AWS_ENDPOINT_URL, or the default. */
static enum err split_endpoint(char *buf, size_t size, const char **ret_host, const char **ret_port)
{
    const char *from = status_endpoint ? status_endpoint : getenv("AWS_ENDPOINT_URL");
    struct str s = from ? str_c(from) : STR("127.0.0.1:4566");
    if (str_starts(s, STR("http://")))
        s = str_sub(s, 7, s.len);
    while (s.len && s.p[s.len - 1] == '/')
        s.len--;
    size_t colon = str_rfind(s, ':');
    if (colon == SIZE_MAX || s.len >= size || str_find_str(s, STR("://")) != SIZE_MAX)
        return ERR_INVALID;
    memcpy(buf, s.p, s.len);
    buf[s.len] = '\0';
    buf[colon] = '\0';
    *ret_host = buf;
    *ret_port = buf + colon + 1;
    return ERR_OK;
}

static int cmd_status(int argc, char **argv)
{
    status_endpoint = NULL;
    if (options_parse(status_table, ARRAY_LEN(status_table), argc, argv, stderr) != ERR_OK)
        return 2;
    char text[256];
    const char *host, *port;
    if (split_endpoint(text, sizeof(text), &host, &port) != ERR_OK) {
        fprintf(stderr, "weir: the endpoint must look like 127.0.0.1:4566\n");
        return 2;
    }
    struct buf body;
    buf_init(&body, HTTP_GET_MAX);
    int status = 0;
    enum err err = http_get(host, port, "/_weir/health", &body, &status);
    if (!err && status == 503 && body.len > 0) {
        printf("%.*s\n", (int)body.len, body.p);
        buf_release(&body);
        return 1;
    }
    if (err || status != 200) {
        fprintf(stderr, "weir: nothing serves at %s:%s (%s)\n", host, port,
                err ? err_name(err) : "unexpected status");
        buf_release(&body);
        return 1;
    }
    printf("%.*s\n", (int)body.len, body.p);
    buf_release(&body);
    return 0;
}

static int cmd_env(int argc, char **argv)
{
    status_endpoint = NULL;
    if (options_parse(status_table, ARRAY_LEN(status_table), argc, argv, stderr) != ERR_OK)
        return 2;
    char text[256];
    const char *host, *port;
    if (split_endpoint(text, sizeof(text), &host, &port) != ERR_OK) {
        fprintf(stderr, "weir: the endpoint must look like 127.0.0.1:4566\n");
        return 2;
    }
    printf("export AWS_ENDPOINT_URL=http://%s:%s\n"
           "export AWS_ACCESS_KEY_ID=test\n"
           "export AWS_SECRET_ACCESS_KEY=test\n"
           "export AWS_DEFAULT_REGION=us-east-1\n"
           "export AWS_REGION=us-east-1\n"
           "unset AWS_SESSION_TOKEN AWS_PROFILE\n",
           host, port);
    return 0;
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

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
    const struct option *options;
    size_t n_options;
} commands[] = {
    {"serve", cmd_serve, "Serve in the foreground until SIGTERM or SIGINT.", serve_table,
     ARRAY_LEN(serve_table)},
    {"status", cmd_status, "Ask a running Weir how it is.", status_table, ARRAY_LEN(status_table)},
    {"env", cmd_env, "Print what points AWS clients here: eval \"$(weir env)\".", status_table,
     ARRAY_LEN(status_table)},
    {"check", cmd_check,
     "[--objects] DIR: read the store of a stopped Weir's data folder, and say what is damaged.",
     check_table, ARRAY_LEN(check_table)},
    {"repair", cmd_repair,
     "DIR: make a damaged data folder one that starts, keep the old files, and say what is lost.",
     NULL, 0},
    {"version", cmd_version, "Print the version.", NULL, 0},
    {"help", cmd_help, "Print this.", NULL, 0},
};

static int cmd_help(int argc, char **argv)
{
    printf(
        "weir runs serverless pipelines on this machine, speaking the wire protocols of AWS.\n\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        printf("weir %-10s %s\n", commands[i].name, commands[i].help);
        options_help(commands[i].options, commands[i].n_options, stdout);
    }
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
            return commands[i].run(argc - 2, argv + 2);
    fprintf(stderr, "weir: no command '%s'; see weir help\n", name);
    return 2;
}
