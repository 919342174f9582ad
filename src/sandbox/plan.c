/* What is executed for a function, and with which environment, as AWS Lambda documents it
 * (Developer Guide, "Using Lambda environment variables" and "Building a custom runtime").
 *
 * Layer: sandbox. Thread: the home loop; sandbox_runtime_available any. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/sandbox_int.h"

/* Longest of the path lists made here: a few places, each BOX_PATH_MAX at most. */
enum { ENV_TEXT_MAX = 8 * BOX_PATH_MAX };

#define LANG_DIR "/var/lang" /* an interpreter's prefix inside, as on Lambda */

enum runtime_family { FAMILY_PROVIDED, FAMILY_PYTHON, FAMILY_NODE, FAMILY_NONE };

static enum runtime_family family_of(struct str runtime)
{
    if (str_starts(runtime, STR("provided")))
        return FAMILY_PROVIDED;
    if (str_starts(runtime, STR("python3.")))
        return FAMILY_PYTHON;
    if (str_starts(runtime, STR("nodejs")))
        return FAMILY_NODE;
    return FAMILY_NONE;
}

static enum err find_interpreter(const struct sandbox *sb, struct str runtime,
                                 struct runtime_found *ret_found)
{
    return sandbox_runtimes_find(&sb->places, runtime, sb->substitutes, ret_found);
}

bool sandbox_runtime_other(const struct sandbox *sb, struct str runtime, char *out, size_t size)
{
    struct runtime_found found;
    if (!sb->substitutes || family_of(runtime) == FAMILY_PROVIDED ||
        find_interpreter(sb, runtime, &found) != ERR_OK || str_eq_c(runtime, found.name))
        return false;
    (void)snprintf(out, size, "%s", found.name);
    return true;
}

static void put_name(void *arg, const struct runtime_found *found)
{
    struct buf *b = arg;
    if (str_find_str(buf_str(b), str_c(found->name)) == SIZE_MAX)
        buf_add_fmt(b, "%s, ", found->name);
}

void sandbox_runtimes_put(const struct sandbox *sb, struct buf *b)
{
    sandbox_runtimes_each(&sb->places, put_name, b);
    buf_add_str(b, STR("provided.al2023, provided.al2"));
}

const char *sandbox_refusal(const struct sandbox *sb)
{
    if (!sb || sb->ready.host.namespaces || sb->allow_unisolated)
        return NULL;
    return "functions are refused, as this host allows Weir no namespaces to isolate them in; give "
           "Weir the right to make them, or start it with --allow-unisolated-functions";
}

/* What it runs on, zeroed for a provided one; or why it does not run here. */
static const char *find_runtime(const struct sandbox *sb, struct str runtime,
                                struct runtime_found *ret_found)
{
    enum runtime_family family = family_of(runtime);
    *ret_found = (struct runtime_found){0};
    if (sandbox_refusal(sb))
        return sandbox_refusal(sb);
    if (family == FAMILY_NONE)
        return "Weir runs provided.*, python3.* and nodejs* functions";
    if (family == FAMILY_PROVIDED)
        return NULL;
    if (!sb->runtime_dir[0])
        return "the runtime folder (python/bootstrap.py, node/bootstrap.mjs) was not found beside "
               "the binary; set WEIR_RUNTIME_DIR";
    return find_interpreter(sb, runtime, ret_found) == ERR_OK ? NULL : "it is not installed";
}

bool sandbox_runtime_available(const struct sandbox *sb, struct str runtime, const char **ret_why)
{
    struct runtime_found found;
    const char *why = find_runtime(sb, runtime, &found);
    if (why)
        *ret_why = why;
    return !why;
}

static bool has_bootstraps(const char *dir)
{
    char path[BOX_PATH_MAX];
    return snprintf(path, sizeof path, "%s/python/bootstrap.py", dir) < (int)sizeof path &&
           access(path, R_OK) == 0;
}

void sandbox_plan_find_runtime_dir(char *out, const char *option)
{
    const char *given = option ? option : getenv("WEIR_RUNTIME_DIR");
    char binary[PATH_MAX], path[PATH_MAX + 64], real[PATH_MAX];
    static const char *const beside[] = {"../runtime", "../../runtime", "../share/weir/runtime"};
    out[0] = 0;
    if (given) {
        if (realpath(given, real) && strlen(real) < BOX_PATH_MAX && has_bootstraps(real))
            memcpy(out, real, strlen(real) + 1);
        return;
    }
    ssize_t n = readlink("/proc/self/exe", binary, sizeof binary - 1);
    if (n <= 0)
        return;
    binary[n] = 0;
    char *slash = strrchr(binary, '/');
    if (slash)
        *slash = 0;
    for (size_t i = 0; i < ARRAY_LEN(beside); i++)
        if (snprintf(path, sizeof path, "%s/%s", binary, beside[i]) < (int)sizeof path &&
            realpath(path, real) && strlen(real) < BOX_PATH_MAX && has_bootstraps(real)) {
            memcpy(out, real, strlen(real) + 1);
            return;
        }
}

void sandbox_runtime_dir(char *out, size_t size)
{
    char dir[BOX_PATH_MAX];
    sandbox_plan_find_runtime_dir(dir, NULL);
    (void)snprintf(out, size, "%s", dir);
}

/* --- strings of the start packet -------------------------------------------------------------- */

struct builder {
    struct buf *b;
    uint32_t n;
    bool bad; /* a NUL inside a text */
};

static void add(struct builder *w, struct str s)
{
    w->bad = w->bad || (s.len && memchr(s.p, 0, s.len));
    buf_add_str(w->b, s);
    buf_add_byte(w->b, 0);
    w->n++;
}

static void add_env(struct builder *w, const char *name, struct str value)
{
    if (!str_is_set(value))
        return;
    w->bad = w->bad || (value.len && memchr(value.p, 0, value.len));
    buf_add_fmt(w->b, "%s=", name);
    buf_add_str(w->b, value);
    buf_add_byte(w->b, 0);
    w->n++;
}

/* A default that the function's own variables may replace. */
static void add_default(struct builder *w, const struct sandbox_spec *spec, const char *name,
                        struct str value)
{
    for (size_t i = 0; i < spec->n_env; i++)
        if (str_eq_c(spec->env[i].name, name))
            return;
    add_env(w, name, value);
}

/* Paths as the function sees them: fixed inside a root of its own, the host's otherwise. */
struct places {
    char task[BOX_PATH_MAX], opt[BOX_PATH_MAX], runtime[BOX_PATH_MAX];
    char host_runtime[BOX_PATH_MAX];
    struct runtime_found lang; /* python3.*, nodejs*; path and prefix as on the host */
    char sdk[BOX_PATH_MAX];    /* host folder of /node_modules; "": none */
    bool inside;               /* in a root of its own */
};

/* SDKs that Lambda's Node.js runtimes promise: version 2 up to 16, 3 from 18 on. Where they are
 * installed: the data folder or beside the bootstraps. */
static void find_sdk(const struct sandbox *sb, struct places *p)
{
    struct str name = str_c(p->lang.name);
    const char *version =
        str_eq_c(name, "nodejs16.x") || str_eq_c(name, "nodejs14.x") ? "v2" : "v3";
    p->sdk[0] = 0;
    if (!str_starts(name, STR("nodejs")))
        return;
    if (snprintf(p->sdk, sizeof p->sdk, STR_FMT "/runtimes/sdk-%s/node_modules",
                 STR_ARG(sb->places.data_dir), version) < (int)sizeof p->sdk &&
        access(p->sdk, R_OK | X_OK) == 0)
        return;
    if (snprintf(p->sdk, sizeof p->sdk, "%s/sdk-%s/node_modules", sb->runtime_dir, version) >=
            (int)sizeof p->sdk ||
        access(p->sdk, R_OK | X_OK) != 0)
        p->sdk[0] = 0;
}

static enum err find_places(struct sandbox *sb, const struct sandbox_spec *spec, struct places *p)
{
    enum runtime_family family = family_of(spec->runtime);
    bool inside = sb->ready.host.namespaces;
    int n = 0;
    p->host_runtime[0] = 0;
    p->inside = inside;
    p->sdk[0] = 0;
    if (find_runtime(sb, spec->runtime, &p->lang))
        return ERR_UNSUPPORTED;
    if (family != FAMILY_PROVIDED)
        find_sdk(sb, p);
    if (family == FAMILY_PYTHON || family == FAMILY_NODE)
        n = snprintf(p->host_runtime, sizeof p->host_runtime, "%s/%s", sb->runtime_dir,
                     family == FAMILY_PYTHON ? "python" : "node");
    if (n >= (int)sizeof p->host_runtime || spec->code_dir.len >= sizeof p->task ||
        spec->opt_dir.len >= sizeof p->opt)
        return ERR_LIMIT;
    if (inside) {
        (void)snprintf(p->task, sizeof p->task, "/var/task");
        (void)snprintf(p->opt, sizeof p->opt, "/opt");
    } else if (box_pins_folders(&sb->ready.host)) {
        (void)snprintf(p->task, sizeof p->task, "/proc/self/fd/%d", BOX_CODE_FD);
        (void)snprintf(p->opt, sizeof p->opt, "/proc/self/fd/%d", BOX_OPT_FD);
    } else {
        (void)snprintf(p->task, sizeof p->task, STR_FMT, STR_ARG(spec->code_dir));
        (void)snprintf(p->opt, sizeof p->opt, STR_FMT, STR_ARG(spec->opt_dir));
    }
    (void)snprintf(p->runtime, sizeof p->runtime, "%s", inside ? "/var/runtime" : p->host_runtime);
    return ERR_OK;
}

/* The bootstrap of a provided.* function: in the package, else in a layer. */
static enum err find_bootstrap(const struct sandbox_spec *spec, const struct places *p, char *out,
                               size_t size, char *ret_why)
{
    const struct {
        struct str host;
        const char *seen;
    } tries[] = {{spec->code_dir, p->task}, {spec->opt_dir, p->opt}};
    for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
        char path[PATH_MAX];
        struct stat st;
        if (!tries[i].host.len || snprintf(path, sizeof path, STR_FMT "/bootstrap",
                                           STR_ARG(tries[i].host)) >= (int)sizeof path)
            continue;
        if (lstat(path, &st) != 0 || S_ISDIR(st.st_mode))
            continue;
        if (S_ISREG(st.st_mode) && !(st.st_mode & 0111)) {
            (void)snprintf(ret_why, SANDBOX_ERROR_TYPE_MAX,
                           "fork/exec %s/bootstrap: permission denied", tries[i].seen);
            return ERR_NOT_FOUND;
        }
        return snprintf(out, size, "%s/bootstrap", tries[i].seen) < (int)size ? ERR_OK : ERR_LIMIT;
    }
    (void)snprintf(ret_why, SANDBOX_ERROR_TYPE_MAX, "%s",
                   "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]");
    return ERR_NOT_FOUND;
}

/* AWS_LAMBDA_EXEC_WRAPPER: a script that is run with the runtime's command as its arguments. Source: Lambda developer
 * guide, "Modifying the runtime environment". It lies in a layer or the package, which need not be where it says. */
static void add_wrapper(const struct sandbox_spec *spec, const struct places *p, struct builder *w)
{
    const struct {
        struct str said;
        const char *is;
    } places[] = {{STR("/opt/"), p->opt}, {STR("/var/task/"), p->task}};
    struct str wrapper = STR_NONE;
    for (size_t i = 0; i < spec->n_env; i++)
        if (str_eq_c(spec->env[i].name, "AWS_LAMBDA_EXEC_WRAPPER"))
            wrapper = spec->env[i].value;
    if (str_empty(wrapper))
        return;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        if (!str_starts(wrapper, places[i].said))
            continue;
        buf_add_str(w->b, str_c(places[i].is));
        wrapper = str_sub(wrapper, places[i].said.len - 1, SIZE_MAX);
        break;
    }
    add(w, wrapper);
}

static enum err add_arguments(struct sandbox *sb, const struct sandbox_spec *spec,
                              const struct places *p, struct builder *w, char *ret_why)
{
    char path[PATH_MAX + 16];
    enum runtime_family family = family_of(spec->runtime);
    if (family == FAMILY_PROVIDED) {
        TRY(find_bootstrap(spec, p, path, sizeof path, ret_why));
        add(w, str_c(path));
        return ERR_OK;
    }
    add_wrapper(spec, p, w);
    /* PREFIX/bin/python3.12 is /var/lang/bin/python3.12 inside. */
    (void)snprintf(path, sizeof path, "%s%s", p->inside && p->lang.prefix[0] ? LANG_DIR : "",
                   p->lang.path + (p->inside ? strlen(p->lang.prefix) : 0));
    add(w, str_c(path));
    /* Paths through a descriptor must not be resolved to where they really are: that is closed. */
    if (family == FAMILY_NODE && box_pins_folders(&sb->ready.host))
        add(w, STR("--preserve-symlinks"));
    (void)snprintf(path, sizeof path, "%s/bootstrap.%s", p->runtime,
                   family == FAMILY_PYTHON ? "py" : "mjs");
    add(w, str_c(path));
    return ERR_OK;
}

static void add_language(const struct sandbox_spec *spec, const struct places *p, struct builder *w)
{
    char text[ENV_TEXT_MAX];
    if (family_of(spec->runtime) != FAMILY_NODE)
        return;
    /* As on Lambda, and then the SDK. Inside, layers' modules and then the SDK are found by walking up from
     * /var/task, by import too, which knows no NODE_PATH: /var/node_modules is a link to the former. */
    struct str major = str_cut(&(struct str){p->lang.name + 6, strlen(p->lang.name + 6)}, '.');
    (void)snprintf(text, sizeof text,
                   "%s/nodejs/node" STR_FMT "/node_modules:%s/nodejs/node_modules:"
                   "%s/node_modules:%s:%s:%s",
                   p->opt, STR_ARG(major), p->opt, p->runtime, p->runtime, p->task,
                   p->inside ? "/node_modules" : p->sdk);
    add_default(w, spec, "NODE_PATH", str_c(text));
}

/* Whom clients trust, where each of them looks: OpenSSL and Go; the AWS SDKs; Python's requests; node,
 * which takes additions only. */
static void add_trust(const struct sandbox_spec *spec, struct builder *w)
{
    static const char *const names[] = {"SSL_CERT_FILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        add_default(w, spec, names[i], STR("/etc/weir/ca-bundle.crt"));
    add_default(w, spec, "NODE_EXTRA_CA_CERTS", STR("/etc/weir/ca.crt"));
}

static void add_environment(struct sandbox *sb, const struct sandbox_spec *spec,
                            const struct places *p, struct builder *w)
{
    char text[ENV_TEXT_MAX];
    const struct core_config *cfg = &sb->core->cfg;
    struct str region = str_is_set(spec->region) ? spec->region : cfg->region;
    for (size_t i = 0; i < spec->n_env; i++) {
        w->bad = w->bad ||
                 (spec->env[i].name.len && memchr(spec->env[i].name.p, 0, spec->env[i].name.len));
        buf_add_str(w->b, spec->env[i].name);
        buf_add_byte(w->b, '=');
        add(w, str_is_set(spec->env[i].value) ? spec->env[i].value : STR(""));
    }
    add_default(w, spec, "PATH", STR("/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin"));
    (void)snprintf(text, sizeof text, "%s/lib:/lib64:/usr/lib64:%s%s%s:%s/lib:%s/lib",
                   p->inside || !p->lang.prefix[0] ? LANG_DIR : p->lang.prefix, p->runtime,
                   p->runtime[0] ? ":" : "", p->task, p->task, p->opt);
    add_default(w, spec, "LD_LIBRARY_PATH", str_c(text));
    add_default(w, spec, "LANG", STR("en_US.UTF-8"));
    add_default(w, spec, "TZ", STR(":UTC"));
    add_default(w, spec, "AWS_ENDPOINT_URL", cfg->endpoint);
    add_default(w, spec, "AWS_XRAY_CONTEXT_MISSING", STR("LOG_ERROR"));
    if (sb->ready.host.network)
        add_trust(spec, w);
    add_language(spec, p, w);
    add_env(w, "_HANDLER", spec->handler);
    add_env(w, "AWS_REGION", region);
    add_env(w, "AWS_DEFAULT_REGION", region);
    add_env(w, "AWS_LAMBDA_FUNCTION_NAME", spec->function_name);
    add_env(w, "AWS_LAMBDA_FUNCTION_VERSION", spec->version);
    (void)snprintf(text, sizeof text, "%lld", (long long)spec->memory_mb);
    add_env(w, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", str_c(text));
    add_env(w, "AWS_LAMBDA_INITIALIZATION_TYPE",
            spec->provisioned ? STR("provisioned-concurrency") : STR("on-demand"));
    add_env(w, "AWS_LAMBDA_LOG_GROUP_NAME", spec->log_group);
    add_env(w, "AWS_LAMBDA_LOG_STREAM_NAME", spec->log_stream);
    if (family_of(spec->runtime) != FAMILY_PROVIDED) {
        (void)snprintf(text, sizeof text, "AWS_Lambda_%s", p->lang.name); /* what really runs */
        add_env(w, "AWS_EXECUTION_ENV", str_c(text));
    }
    add_env(w, "AWS_ACCESS_KEY_ID", spec->access_key);
    add_env(w, "AWS_SECRET_ACCESS_KEY", spec->secret_key);
    add_env(w, "AWS_SESSION_TOKEN", spec->session_token);
    add_env(w, "LAMBDA_TASK_ROOT", str_c(p->task));
    add_env(w, "LAMBDA_RUNTIME_DIR", str_c(p->runtime[0] ? p->runtime : "/var/runtime"));
}

void sandbox_plan_add_api(const char *api, struct buf *strings, struct zygote_start *start)
{
    struct builder w = {.b = strings};
    add_env(&w, "AWS_LAMBDA_RUNTIME_API", str_c(api));
    start->n_envp += w.n;
}

enum err sandbox_plan_build(struct sandbox *sb, const struct sandbox_spec *spec,
                            struct buf *strings, struct zygote_start *ret_start, char *ret_why)
{
    struct places places;
    TRY(find_places(sb, spec, &places));
    struct builder w = {.b = strings};
    add(&w, spec->code_dir);
    add(&w, str_is_set(spec->opt_dir) ? spec->opt_dir : STR(""));
    add(&w, str_c(places.host_runtime));
    add(&w, str_c(places.lang.prefix));
    add(&w, str_c(places.sdk));
    w.n = 0;
    TRY(add_arguments(sb, spec, &places, &w, ret_why));
    uint32_t n_argv = w.n;
    size_t before = strings->len;
    w.n = 0;
    add_environment(sb, spec, &places, &w);
    TRY(buf_err(strings));
    if (w.bad)
        return ERR_INVALID;
    if (strings->len - before > SANDBOX_ENV_BYTES_MAX ||
        n_argv + w.n + 1 + ZYGOTE_FOLDERS > ZYGOTE_STRINGS_MAX)
        return ERR_LIMIT;
    *ret_start = (struct zygote_start){
        .op = ZYGOTE_START,
        .n_argv = n_argv,
        .n_envp = w.n,
        .memory_mb = (int32_t)spec->memory_mb,
        .ephemeral_mb = (int32_t)spec->ephemeral_mb,
    };
    return ERR_OK;
}
