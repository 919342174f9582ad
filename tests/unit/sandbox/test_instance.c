/* The life of instances: real processes in real isolation, driven by fixture.c. Kinds of isolation
 * that this host refuses are skipped aloud. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "sandbox/sandbox.h"

static struct io_loop *loop;
static struct core core;
static struct sandbox *sb;
static char work[] = "/tmp/weir-test-sandbox-XXXXXX";
static char code[256];

/* One instance with what its callbacks told. */
struct probe {
    struct sandbox_instance *in;
    bool ready, exited, done;
    struct sandbox_exit exit;
    char exit_type[128], exit_body[1024];
    struct sandbox_result result;
    char *body;
    char type[128];
    struct sandbox_invoke inv;
    size_t lines, line_bytes, longest;
    char last_line[256], first_line[256];
    bool told_dropped;
    bool (*until)(struct probe *p);
};

static struct probe *waiting;

static void check(struct probe *p)
{
    if (waiting == p && p->until(p))
        io_loop_stop(loop);
}

static void on_ready(void *arg, struct sandbox_instance *in, int64_t init_ms)
{
    struct probe *p = arg;
    p->ready = true;
    check(p);
}

static void on_log(void *arg, struct sandbox_instance *in, struct str line)
{
    struct probe *p = arg;
    size_t n = line.len < sizeof p->last_line - 1 ? line.len : sizeof p->last_line - 1;
    p->longest = line.len > p->longest ? line.len : p->longest;
    p->line_bytes += line.len + 1;
    memcpy(p->last_line, line.p, n);
    p->last_line[n] = 0;
    p->told_dropped |= strstr(p->last_line, "bytes) dropped: ") != NULL;
    if (p->lines++ == 0)
        memcpy(p->first_line, p->last_line, sizeof p->first_line);
}

static void on_exit_(void *arg, struct sandbox_instance *in, const struct sandbox_exit *exit)
{
    struct probe *p = arg;
    p->exited = true;
    p->exit = *exit;
    snprintf(p->exit_type, sizeof p->exit_type, STR_FMT, STR_ARG(exit->error_type));
    snprintf(p->exit_body, sizeof p->exit_body, STR_FMT, STR_ARG(exit->error_body));
    assert_int_equal(sandbox_instance_state(in), SANDBOX_EXITED);
    sandbox_instance_free(in);
    p->in = NULL;
    check(p);
}

static void on_result(struct sandbox_invoke *inv, const struct sandbox_result *r)
{
    struct probe *p = inv->user;
    assert_false(p->done);
    p->done = true;
    p->result = *r;
    free(p->body);
    p->body = strndup(r->body.p ? r->body.p : "", r->body.len);
    p->result.body.len = r->body.len;
    snprintf(p->type, sizeof p->type, STR_FMT, STR_ARG(r->error_type));
    check(p);
}

static bool is_ready(struct probe *p)
{
    return p->ready;
}

static bool is_done(struct probe *p)
{
    return p->done;
}

static bool is_exited(struct probe *p)
{
    return p->exited;
}

static void wait_for(struct probe *p, bool (*until)(struct probe *))
{
    if (until(p))
        return;
    p->until = until;
    waiting = p;
    io_loop_run(loop);
    waiting = NULL;
    assert_true(until(p));
}

static struct sandbox_spec base_spec(void)
{
    return (struct sandbox_spec){
        .function_name = STR("fn"),
        .version = STR("$LATEST"),
        .runtime = STR("provided.al2023"),
        .handler = STR("bootstrap"),
        .code_dir = str_c(code),
        .log_group = STR("/aws/lambda/fn"),
        .log_stream = STR("stream"),
        .access_key = STR("AKIA"),
        .secret_key = STR("secret"),
        .session_token = STR("token"),
        .memory_mb = 128,
        .ephemeral_mb = 512,
    };
}

static void start_spec(struct probe *p, const struct sandbox_spec *spec)
{
    memset(p, 0, sizeof *p);
    struct sandbox_events events = {on_ready, on_log, on_exit_, p};
    assert_int_equal(sandbox_instance_start(sb, spec, &events, &p->in), ERR_OK);
}

static void start(struct probe *p)
{
    struct sandbox_spec spec = base_spec();
    start_spec(p, &spec);
}

static void invoke_timeout(struct probe *p, const char *event, int64_t timeout_ms)
{
    p->done = false;
    p->inv = (struct sandbox_invoke){
        .event = str_c(event),
        .request_id = STR("11111111-2222-4333-8444-555555555555"),
        .function_arn = STR("arn:aws:lambda:us-east-1:000000000000:function:fn"),
        .timeout_ms = timeout_ms,
        .on_result = on_result,
        .user = p,
    };
    assert_int_equal(sandbox_instance_invoke(p->in, &p->inv), ERR_OK);
}

static void invoke(struct probe *p, const char *event)
{
    invoke_timeout(p, event, 20000);
    wait_for(p, is_done);
}

static void end(struct probe *p)
{
    if (p->in)
        sandbox_instance_kill(p->in);
    wait_for(p, is_exited);
    free(p->body);
    p->body = NULL;
}

static void test_echo_and_reuse(void **state)
{
    struct probe p;
    start(&p);
    wait_for(&p, is_ready);
    assert_int_equal(sandbox_instance_state(p.in), SANDBOX_IDLE);
    assert_true(sandbox_instance_pid(p.in) > 0);
    invoke(&p, "{\"do\":\"echo\"}");
    assert_int_equal(p.result.kind, SANDBOX_OK);
    assert_string_equal(p.body, "{\"do\":\"echo\"}");
    assert_true(p.result.init_us >= 0);
    for (int i = 0; i < 20; i++) {
        invoke(&p, "{\"do\":\"echo\"}");
        assert_int_equal(p.result.kind, SANDBOX_OK);
        assert_int_equal(p.result.init_us, -1);
    }
    if (sandbox_isolation(sb).memory) {
        assert_true(p.result.max_memory_mb > 0);
        assert_true(sandbox_instance_memory(p.in) > 0);
    }
    struct sandbox_invoke second = p.inv;
    invoke_timeout(&p, "{\"do\":\"hang\"}", 60000);
    assert_int_equal(sandbox_instance_invoke(p.in, &second), ERR_CONFLICT);
    end(&p);
    assert_true(p.done);
    assert_int_equal(p.result.kind, SANDBOX_CRASHED);
    assert_int_equal(p.exit.end, SANDBOX_END_KILLED);
}

static void test_invoke_while_starting(void **state)
{
    struct probe p;
    start(&p);
    assert_int_equal(sandbox_instance_state(p.in), SANDBOX_STARTING);
    invoke(&p, "{\"do\":\"echo\"}");
    assert_int_equal(p.result.kind, SANDBOX_OK);
    end(&p);
}

static void test_failures(void **state)
{
    static const struct {
        const char *name, *event;
        int64_t timeout_ms;
        enum sandbox_result_kind kind;
        const char *type, *text;
        bool survives;
    } rows[] = {
        {"handled error", "{\"do\":\"error\"}", 9000, SANDBOX_FUNCTION_ERROR, "Own.Oops",
         "it broke", true},
        {"exit 0", "{\"do\":\"exit\",\"n\":\"0\"}", 9000, SANDBOX_CRASHED, "Runtime.ExitError",
         "Error: Runtime exited without providing a reason", false},
        {"exit 7", "{\"do\":\"exit\",\"n\":\"7\"}", 9000, SANDBOX_CRASHED, "Runtime.ExitError",
         "RequestId: 11111111-2222-4333-8444-555555555555 Error: Runtime exited with error: exit "
         "status 7",
         false},
        {"abort", "{\"do\":\"abort\"}", 9000, SANDBOX_CRASHED, "Runtime.ExitError",
         "signal: aborted", false},
        {"never answers", "{\"do\":\"hang\"}", 300, SANDBOX_TIMEOUT, "Sandbox.Timedout",
         "Task timed out after 0.30 seconds", false},
        {"response too large", "{\"do\":\"big\",\"n\":\"6291557\"}", 9000,
         SANDBOX_RESPONSE_TOO_LARGE, "Function.ResponseSizeTooLarge", "6291556 bytes", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct probe p;
        print_message("row: %s\n", rows[i].name);
        start(&p);
        invoke_timeout(&p, rows[i].event, rows[i].timeout_ms);
        wait_for(&p, is_done);
        assert_int_equal(p.result.kind, rows[i].kind);
        assert_string_equal(p.type, rows[i].type);
        assert_non_null(strstr(p.body, rows[i].text));
        if (rows[i].survives) {
            invoke(&p, "{\"do\":\"echo\"}");
            assert_int_equal(p.result.kind, SANDBOX_OK);
        } else {
            wait_for(&p, is_exited);
        }
        end(&p);
    }
}

static void test_response_at_limit(void **state)
{
    struct probe p;
    start(&p);
    invoke(&p, "{\"do\":\"big\",\"n\":\"6291556\"}");
    assert_int_equal(p.result.kind, SANDBOX_OK);
    assert_int_equal(p.result.body.len, SANDBOX_RESPONSE_MAX);
    end(&p);
}

static void test_init(void **state)
{
    static const struct {
        const char *init;
        enum sandbox_end end;
        const char *type, *text;
    } rows[] = {
        {"exit0", SANDBOX_END_EXITED, "Runtime.ExitError", "without providing a reason"},
        {"exit3", SANDBOX_END_EXITED, "Runtime.ExitError", "exit status 3"},
        {"error", SANDBOX_END_INIT_ERROR, "Init.Bad", "no way"},
        {"hang", SANDBOX_END_INIT_TIMEOUT, "Sandbox.Timedout", "timed out after 0.40 seconds"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (int with_invocation = 0; with_invocation < 2; with_invocation++) {
            struct probe p;
            struct sandbox_env env = {STR("INIT"), str_c(rows[i].init)};
            struct sandbox_spec spec = base_spec();
            print_message("row: %s\n", rows[i].init);
            spec.env = &env;
            spec.n_env = 1;
            if (rows[i].end == SANDBOX_END_INIT_TIMEOUT) /* the others need not hurry */
                spec.init_timeout_ms = 400;
            start_spec(&p, &spec);
            if (with_invocation)
                invoke_timeout(&p, "{\"do\":\"echo\"}", 9000);
            wait_for(&p, is_exited);
            assert_int_equal(p.exit.end, rows[i].end);
            assert_false(p.exit.was_ready);
            assert_string_equal(p.exit_type, rows[i].type);
            assert_non_null(strstr(p.exit_body, rows[i].text));
            assert_int_equal(p.done, with_invocation);
            if (with_invocation)
                assert_non_null(strstr(p.body, rows[i].text));
            end(&p);
        }
}

static void write_file(const char *dir, const char *name, const char *text, mode_t mode)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
}

static void test_bad_entry(void **state)
{
    static const struct {
        const char *name, *text;
        mode_t mode;
        const char *message;
    } rows[] = {
        {"none", NULL, 0, "Couldn't find valid bootstrap(s): [/var/task/bootstrap"},
        {"not executable", "#!/bin/sh\n", 0644, "permission denied"},
        {"no interpreter", "#!/nowhere\n", 0755, "no such file or directory"},
        {"garbage", "\1\2\3", 0755, "exec format error"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct probe p;
        char dir[256];
        print_message("row: %s\n", rows[i].name);
        snprintf(dir, sizeof dir, "%s/bad%zu", work, i);
        assert_int_equal(mkdir(dir, 0755), 0);
        if (rows[i].text)
            write_file(dir, "bootstrap", rows[i].text, rows[i].mode);
        struct sandbox_spec spec = base_spec();
        spec.code_dir = str_c(dir);
        start_spec(&p, &spec);
        invoke_timeout(&p, "{}", 9000);
        wait_for(&p, is_exited);
        assert_true(p.done);
        assert_int_equal(p.result.kind, SANDBOX_INIT_FAILED);
        assert_string_equal(p.type, "Runtime.InvalidEntrypoint");
        assert_non_null(strstr(p.body, rows[i].message));
        assert_int_equal(p.exit.end, SANDBOX_END_NOT_STARTED);
        end(&p);
    }
}

static void test_environment(void **state)
{
    struct probe p;
    struct sandbox_env env[] = {{STR("MINE"), STR("a=b c")}, {STR("PATH"), STR("/usr/bin")}};
    struct sandbox_spec spec = base_spec();
    spec.env = env;
    spec.n_env = 2;
    start_spec(&p, &spec);
    invoke(&p, "{\"do\":\"env\"}");
    static const char *const wants[] = {
        "MINE=a=b c\n",
        "\nPATH=/usr/bin\n",
        "AWS_REGION=us-east-1\n",
        "AWS_DEFAULT_REGION=us-east-1\n",
        "AWS_LAMBDA_FUNCTION_NAME=fn\n",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128\n",
        "AWS_LAMBDA_FUNCTION_VERSION=$LATEST\n",
        "_HANDLER=bootstrap\n",
        "LAMBDA_TASK_ROOT=",
        "LAMBDA_RUNTIME_DIR=",
        "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/fn\n",
        "AWS_LAMBDA_LOG_STREAM_NAME=stream\n",
        "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand\n",
        "TZ=:UTC\n",
        "LANG=en_US.UTF-8\n",
        "AWS_ACCESS_KEY_ID=AKIA\n",
        "AWS_SECRET_ACCESS_KEY=secret\n",
        "AWS_SESSION_TOKEN=token\n",
        "AWS_ENDPOINT_URL=http://127.0.0.1:4566\n",
        "AWS_LAMBDA_RUNTIME_API=127.0.0.1:",
    };
    for (size_t i = 0; i < ARRAY_LEN(wants); i++)
        if (!strstr(p.body, wants[i]))
            fail_msg("%s is not in %s", wants[i], p.body);
    assert_null(strstr(p.body, "WEIR_TEST_SECRET"));
    end(&p);
}

static void test_root_folder(void **state)
{
    static const struct {
        const char *event, *want;
    } rows[] = {
        {"{\"do\":\"read\",\"path\":\"/var/task/bootstrap\"}", "\"ok\""},
        {"{\"do\":\"write\",\"path\":\"/var/task/x\"}", "\"Read-only file system\""},
        {"{\"do\":\"write\",\"path\":\"/usr/x\"}", "\"Read-only file system\""},
        {"{\"do\":\"write\",\"path\":\"/x\"}", "\"Read-only file system\""},
        {"{\"do\":\"read\",\"path\":\"/root\"}", "\"No such file or directory\""},
        {"{\"do\":\"read\",\"path\":\"/home\"}", "\"No such file or directory\""},
        {"{\"do\":\"read\",\"path\":\"/etc/shadow\"}", "\"No such file or directory\""},
        {"{\"do\":\"read\",\"path\":\"/sys\"}", "\"No such file or directory\""},
        {"{\"do\":\"read\",\"path\":\"/dev/urandom\"}", "\"ok\""},
        {"{\"do\":\"write\",\"path\":\"/dev/null\"}", "\"ok\""},
        {"{\"do\":\"read\",\"path\":\"/proc/self/status\"}", "\"ok\""},
        {"{\"do\":\"write\",\"path\":\"/tmp/mine\"}", "\"ok\""},
        {"{\"do\":\"read\",\"path\":\"/tmp/mine\"}", "\"ok\""},
        {"{\"do\":\"forbidden\"}", "0000"},
    };
    if (!sandbox_isolation(sb).namespaces) {
        print_message("SKIPPED: this host refuses namespaces\n");
        skip();
    }
    struct probe p, other;
    start(&p);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        invoke(&p, rows[i].event);
        if (strcmp(p.body, rows[i].want) != 0)
            fail_msg("%s: %s instead of %s", rows[i].event, p.body, rows[i].want);
    }
    invoke(&p, "{\"do\":\"ids\"}");
    assert_string_equal(p.body, "993 1 2");
    start(&other);
    invoke(&other, "{\"do\":\"read\",\"path\":\"/tmp/mine\"}");
    assert_string_equal(other.body, "\"No such file or directory\"");
    end(&other);
    end(&p);
    char outside[256];
    snprintf(outside, sizeof outside, "/tmp/mine");
    assert_int_equal(access(outside, F_OK), -1);
}

static void test_memory_limit(void **state)
{
    struct probe p;
    start(&p);
    invoke(&p, "{\"do\":\"hog\"}");
    if (!sandbox_isolation(sb).memory) { /* then the process gets no more: it exits with 5 */
        assert_int_equal(p.result.kind, SANDBOX_CRASHED);
        assert_int_equal(p.result.exit_status, 5);
        end(&p);
        return;
    }
    assert_int_equal(p.result.kind, SANDBOX_OUT_OF_MEMORY);
    assert_string_equal(p.type, "Runtime.OutOfMemory");
    assert_non_null(strstr(p.body, "Runtime exited with error: signal: killed"));
    wait_for(&p, is_exited);
    assert_int_equal(p.exit.end, SANDBOX_END_OUT_OF_MEMORY);
    assert_in_range(p.exit.max_memory_mb, 100, 128);
    end(&p);
}

static void test_pids_limit(void **state)
{
    struct probe p;
    if (!sandbox_isolation(sb).pids && !sandbox_isolation(sb).namespaces) {
        print_message("SKIPPED: this host gives neither a pids control group nor namespaces\n");
        skip();
    }
    struct sandbox_spec spec = base_spec();
    spec.memory_mb = 2048;
    start_spec(&p, &spec);
    invoke(&p, "{\"do\":\"forks\"}");
    assert_in_range(atoi(p.body), 900, SANDBOX_PIDS_MAX);
    end(&p); /* and all of them are gone: on_exit comes after the groups are empty */
}

static void test_logs(void **state)
{
    struct probe p;
    start(&p);
    invoke(&p, "{\"do\":\"say\",\"path\":\"one line\"}");
    assert_int_equal(p.lines, 1);
    assert_string_equal(p.last_line, "one line");
    invoke(&p, "{\"do\":\"print\",\"n\":\"1000000\"}");
    assert_int_equal(p.lines, 1001);
    assert_int_equal(p.longest, 999);
    end(&p);
}

static void test_log_flood(void **state)
{
    struct probe p;
    start(&p);
    invoke(&p, "{\"do\":\"print\",\"n\":\"100000000\"}");
    assert_int_equal(p.result.kind, SANDBOX_OK);
    end(&p);
    assert_true(p.line_bytes < 60u * 1000 * 1000);
    assert_true(p.told_dropped);
}

static void test_protocol(void **state)
{
    struct probe p, other;
    char event[128];
    start(&p);
    invoke(&p, "{\"do\":\"badid\"}");
    assert_string_equal(p.body, "400");
    start(&other);
    wait_for(&other, is_ready);
    struct str api = sandbox_instance_runtime_api(other.in);
    snprintf(event, sizeof event, "{\"do\":\"steal\",\"n\":\"%s\"}",
             api.p + str_find(api, ':') + 1);
    invoke(&p, event);
    assert_string_equal(p.body, "403");
    end(&other);
    end(&p);
}

static void test_refused_starts(void **state)
{
    struct probe p;
    struct sandbox_events events = {on_ready, on_log, on_exit_, &p};
    struct sandbox_instance *in = NULL;
    struct sandbox_spec spec = base_spec();
    static char big[SANDBOX_ENV_BYTES_MAX + 1];
    memset(big, 'x', sizeof big);
    struct sandbox_env env = {STR("BIG"), str_n(big, sizeof big)};
    spec.architecture = STR("riscv");
    assert_int_equal(sandbox_instance_start(sb, &spec, &events, &in), ERR_UNSUPPORTED);
    spec = base_spec();
    spec.runtime = STR("ruby3.2");
    assert_int_equal(sandbox_instance_start(sb, &spec, &events, &in), ERR_UNSUPPORTED);
    spec = base_spec();
    spec.env = &env;
    spec.n_env = 1;
    assert_int_equal(sandbox_instance_start(sb, &spec, &events, &in), ERR_LIMIT);
    env.value = str_n("a\0b", 3);
    assert_int_equal(sandbox_instance_start(sb, &spec, &events, &in), ERR_INVALID);
}

static void stopped(void *arg)
{
    io_loop_stop(loop);
}

static int setup(void **state)
{
    char command[1024];
    setenv("WEIR_TEST_SECRET", "1", 1);
    if (!mkdtemp(work) || io_loop_new(0, &loop) != ERR_OK)
        return -1;
    snprintf(code, sizeof code, "%s/code", work);
    snprintf(command, sizeof command, "mkdir -p %s && cp %s %s/bootstrap && chmod 755 %s/bootstrap",
             code, FIXTURE, code, code);
    if (system(command) != 0 || chmod(work, 0700) != 0)
        return -1;
    core.cfg = (struct core_config){.account = STR("000000000000"),
                                    .region = STR("us-east-1"),
                                    .data_dir = str_c(work),
                                    .endpoint = STR("http://127.0.0.1:4566")};
    core.loops = &loop;
    core.n_loops = 1;
    const struct sandbox_options options = {.allow_unisolated = true};
    return sandbox_new(&core, &options, &sb) == ERR_OK && sandbox_start(sb) == ERR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    sandbox_stop(sb, stopped, NULL);
    io_loop_run(loop);
    sandbox_free(sb);
    io_loop_free(loop);
    return sandbox_remove_tree(work) == ERR_OK ? 0 : -1;
}

int main(int argc, char **argv)
{
    sandbox_helper_main(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_echo_and_reuse), cmocka_unit_test(test_invoke_while_starting),
        cmocka_unit_test(test_failures),       cmocka_unit_test(test_response_at_limit),
        cmocka_unit_test(test_init),           cmocka_unit_test(test_bad_entry),
        cmocka_unit_test(test_environment),    cmocka_unit_test(test_root_folder),
        cmocka_unit_test(test_memory_limit),   cmocka_unit_test(test_pids_limit),
        cmocka_unit_test(test_logs),           cmocka_unit_test(test_log_flood),
        cmocka_unit_test(test_protocol),       cmocka_unit_test(test_refused_starts),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
