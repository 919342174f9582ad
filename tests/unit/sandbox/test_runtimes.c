/* Python and node handlers through their bootstraps. Skipped aloud where the host has no such
 * interpreter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "sandbox/sandbox.h"

static struct io_loop *loop;
static struct core core;
static struct sandbox *sb;
static struct sandbox_instance *instance;
static struct sandbox_invoke inv;
static char work[] = "/tmp/weir-test-runtimes-XXXXXX";
static char body[8192], type[256], logged[8192];
static enum sandbox_result_kind kind;
static bool exited, done;

/* An event of the log ends by "|" and a newline here. */
static void on_log(void *arg, struct sandbox_instance *in, struct str line)
{
    size_t n = strlen(logged);
    snprintf(logged + n, sizeof logged - n, STR_FMT "|\n", STR_ARG(line));
}

static void on_exit_(void *arg, struct sandbox_instance *in, const struct sandbox_exit *exit)
{
    exited = true;
    sandbox_instance_free(in);
    io_loop_stop(loop);
}

static void on_result(struct sandbox_invoke *i, const struct sandbox_result *r)
{
    kind = r->kind;
    done = true;
    snprintf(body, sizeof body, STR_FMT, STR_ARG(r->body));
    snprintf(type, sizeof type, STR_FMT, STR_ARG(r->error_type));
    io_loop_stop(loop);
}

struct row {
    const char *name, *file, *handler, *source, *event;
    enum sandbox_result_kind kind;
    const char *type, *want, *log;
};

static void run_row(const char *runtime, const struct row *r, size_t index)
{
    char dir[256], path[512];
    print_message("row: %s\n", r->name);
    snprintf(dir, sizeof dir, "%s/%s-%zu", work, runtime, index);
    assert_int_equal(mkdir(dir, 0755), 0);
    snprintf(path, sizeof path, "%s/%s", dir, r->file);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(r->source, f);
    fclose(f);
    struct sandbox_spec spec = {
        .function_name = STR("fn"),
        .version = STR("$LATEST"),
        .runtime = str_c(runtime),
        .handler = str_c(r->handler),
        .code_dir = str_c(dir),
        .memory_mb = 512,
        .ephemeral_mb = 512,
    };
    struct sandbox_events events = {.on_log = on_log, .on_exit = on_exit_};
    exited = done = false;
    logged[0] = 0;
    assert_int_equal(sandbox_instance_start(sb, &spec, &events, &instance), ERR_OK);
    for (int round = 0; round < (r->kind == SANDBOX_OK ? 2 : 1); round++) {
        inv = (struct sandbox_invoke){.event = str_c(r->event),
                                      .request_id = STR("11111111-2222-4333-8444-555555555555"),
                                      .function_arn = STR("arn:aws:lambda:us-east-1:0:function:fn"),
                                      .timeout_ms = 20000,
                                      .on_result = on_result};
        done = false;
        assert_int_equal(sandbox_instance_invoke(instance, &inv), ERR_OK);
        while (!done)
            io_loop_run(loop);
        if (kind != r->kind || !strstr(body, r->want) ||
            strcmp(type, r->type ? r->type : "") != 0 || (r->log && !strstr(logged, r->log)))
            fail_msg("kind %d, type %s, body %s, log %s", kind, type, body, logged);
    }
    if (!exited)
        sandbox_instance_kill(instance);
    while (!exited)
        io_loop_run(loop);
}

static void run_rows(const char *runtime, const struct row *rows, size_t n)
{
    const char *why = "";
    if (!sandbox_runtime_available(sb, str_c(runtime), &why)) {
        print_message("SKIPPED: %s\n", why);
        skip();
    }
    for (size_t i = 0; i < n; i++)
        run_row(runtime, &rows[i], i);
}

static void test_python(void **state)
{
    static const struct row rows[] = {
        {"answers", "app.py", "app.main",
         "def main(event, context):\n"
         "    print('hello', event['a'])\n"
         "    return {'got': event['a'], 'arn': context.invoked_function_arn,\n"
         "            'left': context.get_remaining_time_in_millis() > 1000}\n",
         "{\"a\": \"\\u00e9\"}", SANDBOX_OK, NULL,
         "{\"got\": \"\\u00e9\", \"arn\": \"arn:aws:lambda:us-east-1:0:function:fn\", \"left\": "
         "true}",
         "hello \303\251"},
        {"decimals", "app.py", "app.main",
         "from decimal import Decimal as D\n"
         "def main(e, c): return {'n': D('1.5'), 'l': [D('12345678901234567890.25'), D('NaN')]}\n",
         "{}", SANDBOX_OK, NULL, "{\"n\": 1.5, \"l\": [12345678901234567890.25, NaN]}", NULL},
        {"named tuples, bytes and keys", "app.py", "app.main",
         "import collections\n"
         "P = collections.namedtuple('P', 'x y')\n"
         "def main(e, c): return [P(1, b'b'), {1: (2,), True: None, 2.5: 'e'}, P({'a': 1}, [])]\n",
         "{}", SANDBOX_OK, NULL,
         "[{\"x\": 1, \"y\": \"b\"}, {\"1\": null, \"2.5\": \"e\"}, {\"x\": {\"a\": 1}, \"y\": "
         "[]}]",
         NULL},
        {"bytes as they are", "app.py", "app.main", "def main(e, c): return b'{\"raw\":1}'\n", "{}",
         SANDBOX_OK, NULL, "{\"raw\":1}", NULL},
        {"a set", "app.py", "app.main", "def main(e, c): return {'s': {1}}\n", "{}",
         SANDBOX_FUNCTION_ERROR, "Runtime.MarshalError",
         "Unable to marshal response: Object of type set is not JSON serializable", NULL},
        {"a circle", "app.py", "app.main", "def main(e, c):\n  l = []\n  l.append(l)\n  return l\n",
         "{}", SANDBOX_FUNCTION_ERROR, "Runtime.MarshalError",
         "Unable to marshal response: Circular reference detected", NULL},
        {"built-in name", "app.py", "sys.main", "", "{}", SANDBOX_INIT_FAILED,
         "Runtime.BuiltInModuleConflict", "Cannot use built-in module sys as a handler module",
         NULL},
        {"record after half a line", "app.py", "app.main",
         "import logging\n"
         "def main(e, c):\n"
         "  print('half \\xa5', end='')\n"
         "  logging.error('one\\ntwo')\n"
         "  print('whole')\n",
         "{}", SANDBOX_OK, NULL, "null", "half \302\245|\n[ERROR]\t"},
        {"record of lines", "app.py", "app.main",
         "import logging\ndef main(e, c): logging.error('one\\ntwo')\n", "{}", SANDBOX_OK, NULL,
         "null", "\t11111111-2222-4333-8444-555555555555\tone\ntwo|\n"},
        {"ric import", "app.py", "app.main",
         "from awslambdaric.lambda_context import LambdaContext\n"
         "def main(e, c): return isinstance(c, LambdaContext)\n",
         "{}", SANDBOX_OK, NULL, "true", NULL},
        {"raises", "app.py", "app.main", "def main(e, c):\n    raise ValueError('bad thing')\n",
         "{}", SANDBOX_FUNCTION_ERROR, "ValueError",
         "\"errorMessage\": \"bad thing\", \"errorType\": \"ValueError\", \"requestId\": "
         "\"11111111-2222-4333-8444-555555555555\", \"stackTrace\": [\"  File ",
         "[ERROR] ValueError: bad thing\nTraceback (most recent call last):\n"
         "\302\240\302\240File \"/var/task/app.py\", line 2, in main\n"},
        {"cannot encode", "app.py", "app.main", "def main(e, c): return object()\n", "{}",
         SANDBOX_FUNCTION_ERROR, "Runtime.MarshalError", "Unable to marshal response", NULL},
        {"no module", "app.py", "nope.main", "", "{}", SANDBOX_INIT_FAILED,
         "Runtime.ImportModuleError", "Unable to import module 'nope': No module named 'nope'",
         NULL},
        {"no function", "app.py", "app.nope", "", "{}", SANDBOX_INIT_FAILED,
         "Runtime.HandlerNotFound", "Handler 'nope' missing on module 'app'", NULL},
        {"bad name", "app.py", "app", "", "{}", SANDBOX_INIT_FAILED, "Runtime.MalformedHandlerName",
         "Bad handler 'app'", NULL},
        {"syntax", "app.py", "app.main", "def (:\n", "{}", SANDBOX_INIT_FAILED,
         "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'", NULL},
        {"exits", "app.py", "app.main", "import sys\ndef main(e, c): sys.exit(3)\n", "{}",
         SANDBOX_CRASHED, "Runtime.ExitError", "exit status 3", NULL},
    };
    run_rows("python3.11", rows, ARRAY_LEN(rows));
}

static void test_node(void **state)
{
    static const struct row rows[] = {
        {"async commonjs", "index.js", "index.handler",
         "exports.handler = async (e, c) => { console.log('hi', e.a);\n"
         "  return {got: e.a, arn: c.invokedFunctionArn}; };\n",
         "{\"a\": 5}", SANDBOX_OK, NULL,
         "{\"got\":5,\"arn\":\"arn:aws:lambda:us-east-1:0:function:fn\"}",
         "\t11111111-2222-4333-8444-555555555555\tINFO\thi 5"},
        {"plain value of a function that is not async", "index.js", "index.handler",
         "exports.handler = (e) => ({ok: 1});\n", "{}", SANDBOX_OK, NULL, "null", NULL},
        {"promise of a function that is not async", "index.js", "index.handler",
         "exports.handler = (e) => Promise.resolve({ok: 1});\n", "{}", SANDBOX_OK, NULL,
         "{\"ok\":1}", NULL},
        {"never settles", "index.js", "index.handler",
         "exports.handler = async () => new Promise(() => {});\n", "{}", SANDBOX_FUNCTION_ERROR,
         "Runtime.NodeJsExit", "never settled", "\tERROR\tInvoke Error \t{\"errorType\""},
        {"record of lines", "index.js", "index.handler",
         "exports.handler = async () => console.warn('one\\ntwo');\n", "{}", SANDBOX_OK, NULL,
         "null", "\tWARN\tone\ntwo|\n"},
        {"throws no error", "index.js", "index.handler",
         "exports.handler = async () => { throw 'text'; };\n", "{}", SANDBOX_FUNCTION_ERROR,
         "string", "{\"errorType\":\"string\",\"errorMessage\":\"text\",\"trace\":[]}", NULL},
        {"uncaught", "index.js", "index.handler",
         "exports.handler = () => { setTimeout(() => { throw new RangeError('late'); }, 1); };\n",
         "{}", SANDBOX_FUNCTION_ERROR, "RangeError", "\"errorMessage\":\"late\"",
         "\tERROR\tUncaught Exception \t{\"errorType\":\"RangeError\""},
        {"streams", "index.mjs", "index.handler",
         "export const handler = awslambda.streamifyResponse(async (e, out) => {\n"
         "  out.write('a'); out.end('b'); await new Promise((r) => out.on('finish', r)); });\n",
         "{}", SANDBOX_OK, NULL, "ab", NULL},
        {"callback", "index.js", "index.handler",
         "exports.handler = (e, c, done) => { setTimeout(() => done(null, 'later'), 5); };\n", "{}",
         SANDBOX_OK, NULL, "\"later\"", NULL},
        {"callback that waits not", "index.js", "index.handler",
         "exports.handler = (e, c, done) => { c.callbackWaitsForEmptyEventLoop = false;\n"
         "  setInterval(() => {}, 1000); done(null, 1); };\n",
         "{}", SANDBOX_OK, NULL, "1", NULL},
        {"es module", "index.mjs", "index.handler",
         "import fs from 'node:fs';\nexport const handler = async () => typeof fs.readFile;\n",
         "{}", SANDBOX_OK, NULL, "\"function\"", NULL},
        {"throws", "index.js", "index.handler",
         "exports.handler = async () => { throw new TypeError('bad thing'); };\n", "{}",
         SANDBOX_FUNCTION_ERROR, "TypeError",
         "{\"errorType\":\"TypeError\",\"errorMessage\":\"bad thing\",\"trace\":[\"TypeError: bad "
         "thing\"",
         "\t11111111-2222-4333-8444-555555555555\tERROR\tInvoke Error "
         "\t{\"errorType\":\"TypeError\",\"errorMessage\":\"bad thing\",\"stack\":[\"TypeError: "
         "bad "
         "thing\",\""},
        {"rejects aside", "index.js", "index.handler",
         "exports.handler = () => { Promise.reject(new Error('aside')); };\n", "{}",
         SANDBOX_FUNCTION_ERROR, "Runtime.UnhandledPromiseRejection", "Error: aside", NULL},
        {"no module", "index.js", "nope.handler", "", "{}", SANDBOX_INIT_FAILED,
         "Runtime.ImportModuleError", "Cannot find module 'nope'", NULL},
        {"no function", "index.js", "index.nope", "", "{}", SANDBOX_INIT_FAILED,
         "Runtime.HandlerNotFound", "index.nope is undefined or not exported", NULL},
        {"syntax", "index.js", "index.handler", "const = 1;\n", "{}", SANDBOX_INIT_FAILED,
         "Runtime.UserCodeSyntaxError", "SyntaxError", NULL},
        {"exits", "index.js", "index.handler", "exports.handler = () => process.exit(4);\n", "{}",
         SANDBOX_CRASHED, "Runtime.ExitError", "exit status 4", NULL},
    };
    run_rows("nodejs20.x", rows, ARRAY_LEN(rows));
}

static void stopped(void *arg)
{
    io_loop_stop(loop);
}

static int setup(void **state)
{
    if (!mkdtemp(work) || chmod(work, 0700) != 0 || io_loop_new(0, &loop) != ERR_OK)
        return -1;
    core.cfg = (struct core_config){.region = STR("us-east-1"),
                                    .data_dir = str_c(work),
                                    .endpoint = STR("http://127.0.0.1:4566")};
    core.loops = &loop;
    core.n_loops = 1;
    struct sandbox_options opts = {.runtime_dir = SOURCE_DIR "/runtime", .allow_unisolated = true};
    return sandbox_new(&core, &opts, &sb) == ERR_OK && sandbox_start(sb) == ERR_OK ? 0 : -1;
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
        cmocka_unit_test(test_python),
        cmocka_unit_test(test_node),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
