/* weir serve: builds the process from its parts, runs it, takes it down.
 *
 * Order up: helper process for functions (before any thread) -> store -> identity -> services read
 * their memory state -> listener -> loops. Order down is the reverse: no new connections, running
 * calls end, background work stops, functions are killed, the store closes.
 *
 * Thread: main is the home loop's thread. */
#include "main/main.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"
#include "core/core.h"
#include "core/web.h"
#include "deliver/deliver.h"
#include "kv/drv_rocksdb/kv_rocksdb.h"
#include "main/accounts.h"
#include "main/format.h"
#include "main/hold.h"
#include "main/local.h"
#include "main/root_key.h"
#include "main/running.h"
#include "main/watch.h"
#include "sandbox/sandbox.h"

enum { RESTART_FAILED = 75 /* EX_TEMPFAIL: try again */ };
enum { DRAIN_MS = 10 * 1000, SKEW_MS = 15 * 60 * 1000, LOOPS_MAX = 64 };

struct server {
    struct core core;
    struct io_loop *loops[LOOPS_MAX];
    char host[64];
    char endpoint[128];
    char url[128];  /* listened at */
    char at[128];   /* ADDR:PORT of it */
    char near[128]; /* URL that leads there from this machine */
    struct root_key root;
    struct http_server *http;
    size_t connections_max;
    uv_signal_t signals[2];
    struct watch watch;
    bool restart;   /* in place, once it is down */
    int running_fd; /* of the file that says so */
};

/* Prints a sentence for the user and gives the error on. */
static enum err complain(enum err err, const char *what)
{
    fprintf(stderr, "weir: %s\n", what);
    return err;
}

/* --- configuration ---------------------------------------------------------------------------- */

static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}

static enum err split_listen(const char *listen, char *host, size_t size, uint16_t *ret_port)
{
    struct str s = str_c(listen);
    size_t colon = str_rfind(s, ':');
    uint64_t port;
    if (colon == SIZE_MAX || colon == 0 ||
        str_to_u64(str_sub(s, colon + 1, s.len), &port) != ERR_OK || port > 65535)
        return ERR_INVALID;
    struct str h = str_sub(s, 0, colon);
    if (h.len > 2 && h.p[0] == '[' && h.p[h.len - 1] == ']')
        h = str_sub(h, 1, h.len - 2);
    if (str_eq(h, STR("localhost")))
        h = STR("127.0.0.1");
    if (h.len >= size)
        return ERR_INVALID;
    memcpy(host, h.p, h.len);
    host[h.len] = '\0';
    *ret_port = (uint16_t)port;
    return ERR_OK;
}

static enum err check_options(const struct serve_options *o, struct server *s, uint16_t *ret_port)
{
    enum log_level level;
    if (log_level_parse(str_c(o->log_level), &level) != ERR_OK)
        return complain(ERR_INVALID, "--log-level is debug, info, warn or error");
    log_set_level(level);
    uint64_t digits;
    if (strlen(o->account) != 12 || str_to_u64(str_c(o->account), &digits) != ERR_OK)
        return complain(ERR_INVALID, "--account takes 12 digits");
    if (split_listen(o->listen, s->host, sizeof(s->host), ret_port) != ERR_OK)
        return complain(ERR_INVALID, "--listen takes ADDR:PORT, for example 127.0.0.1:4566");
    if (!o->tls_cert != !o->tls_key)
        return complain(ERR_INVALID, "--tls-cert and --tls-key go together");
    if (o->url_suffix && !web_is_authority(str_c(o->url_suffix)))
        return complain(ERR_INVALID, "--url-suffix takes NAME or NAME:PORT, for example "
                                     "amazonaws.com or weir.test:4566");
    if (!is_loopback(s->host) && !o->tls_cert && !o->insecure_network)
        return complain(ERR_DENIED,
                        "beyond loopback Weir serves with TLS only: give --tls-cert and "
                        "--tls-key, or listen at 127.0.0.1; --insecure-network is for a container "
                        "network that nobody else can reach");
    return ERR_OK;
}

static const struct {
    const char *name;
    enum sandbox_network network;
} networks[] = {{"world", SANDBOX_NETWORK_WORLD},
                {"none", SANDBOX_NETWORK_NONE},
                {"host", SANDBOX_NETWORK_HOST}};

static enum err function_options(const struct serve_options *o, struct sandbox_options *ret_options)
{
    struct sandbox_options options = {.require_isolation = o->require_isolation,
                                      .allow_unisolated = o->allow_unisolated,
                                      .runtimes = o->runtimes.v,
                                      .n_runtimes = o->runtimes.n,
                                      .runtime_substitutes = o->runtime_substitutes};
    size_t i = 0;
    while (i < ARRAY_LEN(networks) && strcmp(o->function_network, networks[i].name) != 0)
        i++;
    if (i == ARRAY_LEN(networks))
        return complain(ERR_INVALID, "--function-network is world, none or host");
    options.network = networks[i].network;
    options.real_aws = strcmp(o->function_aws, "real") == 0;
    if (!options.real_aws && strcmp(o->function_aws, "weir") != 0)
        return complain(ERR_INVALID, "--function-aws is weir or real");
    if (options.real_aws && options.network != SANDBOX_NETWORK_WORLD)
        return complain(ERR_INVALID, "--function-aws=real goes with --function-network=world");
    *ret_options = options;
    return ERR_OK;
}

/* mkdir -p, private. */
static enum err make_dirs(char *path)
{
    for (char *p = path + 1;; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char c = *p;
        *p = '\0';
        int r = mkdir(path, 0700);
        *p = c;
        if (r < 0 && errno != EEXIST)
            return ERR_IO;
        if (c == '\0')
            return ERR_OK;
    }
}

/* Keys, environments and everybody's data lie below: nobody else may look in. */
static enum err tighten(const char *dir)
{
    struct stat st;
    if (stat(dir, &st) < 0)
        return complain(ERR_IO, "cannot look at the data folder");
    if (st.st_uid != geteuid()) {
        fprintf(
            stderr,
            "weir: the data folder %s belongs to user %u, weir runs as %u: run it as its owner, "
            "or chown the folder\n",
            dir, (unsigned)st.st_uid, (unsigned)geteuid());
        return ERR_DENIED;
    }
    if ((st.st_mode & 077) == 0)
        return ERR_OK;
    if (chmod(dir, 0700) < 0)
        return complain(ERR_IO, "cannot take the data folder's access from others");
    log_warn("main", "the data folder %s could be read by others (mode %03o): it is 0700 now", dir,
             (unsigned)st.st_mode & 0777);
    return ERR_OK;
}

static enum err prepare_data_dir(const struct serve_options *o, struct server *s)
{
    char *path = mem_alloc(strlen(o->data) + 1);
    if (!path)
        return ERR_NOMEM;
    memcpy(path, o->data, strlen(o->data) + 1);
    enum err err = *path ? make_dirs(path) : ERR_INVALID;
    mem_free(path);
    char *real = err ? NULL : mem_alloc(PATH_MAX);
    if (!real || !realpath(o->data, real)) {
        mem_free(real);
        fprintf(stderr, "weir: cannot use the data folder %s: %s\n", o->data, strerror(errno));
        return ERR_IO;
    }
    s->core.cfg.data_dir = str_c(real);
    return tighten(real);
}

/* Open files that connections must leave alone: the store's table files and logs, and some for loops
 * and functions. A store that cannot open a file fails writes until it is started again. */
enum { FILES_RESERVE = 384, FILES_A_CONNECTION = 2 /* its socket, and the object it moves */ };
enum { CONNECTIONS_LEAST = 32 };

/* Raises the limit of open files as far as it goes, and lowers the number of connections to what it
 * leaves room for. */
static enum err fit_connections(const struct serve_options *o, struct server *s)
{
    struct rlimit limit;
    s->connections_max = (size_t)o->connections_max;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return complain(ERR_IO, "cannot read the limit of open files");
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0)
            return complain(ERR_IO, "cannot raise the limit of open files");
    }
    uint64_t files = limit.rlim_cur;
    if (files < FILES_RESERVE + CONNECTIONS_LEAST * FILES_A_CONNECTION) {
        fprintf(stderr, "weir: %d open files at least are needed (ulimit -Hn); %llu are allowed\n",
                FILES_RESERVE + CONNECTIONS_LEAST * FILES_A_CONNECTION, (unsigned long long)files);
        return ERR_LIMIT;
    }
    uint64_t room = (files - FILES_RESERVE) / FILES_A_CONNECTION;
    if (room >= s->connections_max)
        return ERR_OK;
    s->connections_max = (size_t)room;
    log_warn("main", "the limit of %llu open files leaves room for %zu connections, not %lld",
             (unsigned long long)files, s->connections_max, (long long)o->connections_max);
    return ERR_OK;
}

static enum err configure(const struct serve_options *o, struct server *s)
{
    struct core_config *cfg = &s->core.cfg;
    cfg->account = str_c(o->account);
    cfg->region = str_c(o->region);
    cfg->partition = STR("aws");
    cfg->dev_key = (is_loopback(s->host) || o->insecure_network) && !o->no_dev_key;
    cfg->open_network = o->insecure_network;
    cfg->outgoing_loopback = o->outgoing_loopback;
    if (o->url_suffix)
        cfg->url_suffix = str_c(o->url_suffix);
    if (o->allow_hosts)
        cfg->allow_hosts = str_c(o->allow_hosts);
    if (o->allow_origins)
        cfg->allow_origins = str_c(o->allow_origins);
    cfg->skew_ms = SKEW_MS;
    cfg->require_isolation = o->require_isolation;
    cfg->calls_max = (size_t)o->calls_max;
    cfg->async_retry_base_ms = o->async_retry_base_ms;
    cfg->queue_held_ms = o->queue_reuse_wait_s * 1000;
    return ERR_OK;
}

/* After the helper process was forked, whose memory has no need of it. */
static enum err load_root_key(struct server *s)
{
    char store[4096];
    struct core_config *cfg = &s->core.cfg;
    if (snprintf(store, sizeof(store), "%s/db/CURRENT", cfg->data_dir.p) >= (int)sizeof(store))
        return complain(ERR_LIMIT, "the data folder's path is too long");
    TRY(root_key_load(cfg->data_dir.p, access(store, F_OK) != 0, &s->root));
    cfg->host_id = str_c(s->root.host_id);
    cfg->root_access_key = str_c(s->root.access_key);
    cfg->root_secret = str_c(s->root.secret);
    cfg->metrics_token = str_c(s->root.metrics_token);
    return ERR_OK;
}

/* --- up --------------------------------------------------------------------------------------- */

enum { MIB = 1024 * 1024, CACHE_SHARE = 8 /* of the machine's memory */ };

static size_t cache_bytes(const struct serve_options *o)
{
    long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    if (o->cache_mib > 0)
        return (size_t)o->cache_mib * MIB;
    return pages > 0 && page_bytes > 0 ? (size_t)pages / CACHE_SHARE * (size_t)page_bytes : 0;
}

static enum err open_store(struct server *s, const struct serve_options *o)
{
    char dir[4096];
    char why[KV_ROCKSDB_WHY_MAX] = "";
    if (snprintf(dir, sizeof(dir), "%s/db", s->core.cfg.data_dir.p) >= (int)sizeof(dir))
        return complain(ERR_LIMIT, "the data folder's path is too long");
    const struct kv_rocksdb_options options = {.cache_bytes = cache_bytes(o),
                                               .on_failure = watch_store_failed,
                                               .on_failure_arg = &s->watch};
    enum err err = kv_rocksdb_open(dir, &options, &s->core.kv, why, sizeof(why));
    return err ? complain(err, why) : ERR_OK;
}

static enum err make_loops(struct server *s, int64_t threads)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = threads > 0 ? (size_t)threads : cores > 0 ? (size_t)cores : 1;
    if (n > LOOPS_MAX)
        n = LOOPS_MAX;
    s->core.loops = s->loops;
    for (size_t i = 0; i < n; i++) {
        TRY(io_loop_new((int)i, &s->loops[i]));
        s->core.n_loops = i + 1;
    }
    return ERR_OK;
}

static enum err make_services(struct core *core)
{
    TRY(deliver_new(core, &core->deliver));
    TRY(core_services_make(core, svc_defs));
    return core_start(core);
}

/* Memory state from the store, then background work. */
static enum err start_services(struct core *core)
{
    TRY(sandbox_start(core->sandbox));
    TRY(core_services_start(core));
    return deliver_start(core->deliver);
}

/* An address that is every address leads nowhere. */
static const char *reachable(const char *host)
{
    return strcmp(host, "0.0.0.0") == 0 ? "127.0.0.1" : strcmp(host, "::") == 0 ? "::1" : host;
}

/* Tells the command line. */
static enum err say_running(struct server *s, const struct serve_options *o)
{
    struct running r = {.pid = getpid(), .dev_key = s->core.cfg.dev_key};
    snprintf(r.at, sizeof(r.at), "%s", s->near);
    snprintf(r.endpoint, sizeof(r.endpoint), "%s", s->endpoint);
    snprintf(r.region, sizeof(r.region), STR_FMT, STR_ARG(s->core.cfg.region));
    for (size_t i = 0; i < ARRAY_LEN(networks); i++)
        if (networks[i].network == sandbox_network(s->core.sandbox))
            snprintf(r.network, sizeof(r.network), "%s", networks[i].name);
    if (o->tls_cert && !realpath(o->tls_cert, r.tls_cert))
        snprintf(r.tls_cert, sizeof(r.tls_cert), "%s", o->tls_cert);
    if (running_write(s->core.cfg.data_dir.p, &r, &s->running_fd) == ERR_OK)
        return ERR_OK;
    fprintf(stderr, "weir: cannot write %s/running: %s\n", s->core.cfg.data_dir.p, strerror(errno));
    return ERR_IO;
}

enum {
    STRANGERS_SPARE = 4
}; /* the share of connections that nobody unknown takes: one in so many */

static enum err listen_at(struct server *s, const struct serve_options *o, uint16_t port)
{
    struct http_server_config cfg = {
        .host = s->host,
        .port = port,
        .tls_cert = o->tls_cert,
        .tls_key = o->tls_key,
        .loops = s->core.loops,
        .n_loops = s->core.n_loops,
        .handler = core_http_handler(&s->core),
        .connections_max = s->connections_max,
        .strangers_max = s->connections_max - s->connections_max / STRANGERS_SPARE,
    };
    char why[512] = "";
    enum err err = http_server_new(&cfg, &s->http, why, sizeof(why));
    if (err)
        return complain(err, why);
    const char *scheme = o->tls_cert ? "https" : "http";
    const char *near = reachable(s->host);
    bool v6 = strchr(s->host, ':') != NULL;
    snprintf(s->url, sizeof(s->url), "%s://%s%s%s:%u", scheme, v6 ? "[" : "", s->host,
             v6 ? "]" : "", http_server_port(s->http));
    snprintf(s->near, sizeof(s->near), "%s://%s%s%s:%u", scheme, v6 ? "[" : "", near, v6 ? "]" : "",
             http_server_port(s->http));
    snprintf(s->endpoint, sizeof(s->endpoint), "%s", o->endpoint ? o->endpoint : s->near);
    snprintf(s->at, sizeof(s->at), "%s", strchr(s->url, '/') + 2);
    s->core.cfg.endpoint = str_c(s->endpoint);
    if (o->insecure_network)
        log_warn("main",
                 "--insecure-network: whoever can reach %s may do everything with %s, and what is "
                 "sent can be read on the way",
                 s->at, s->core.cfg.dev_key ? "the key test/test" : "a key that was listened to");
    return ERR_OK;
}

/* When whoever reads it finds all that it promises. */
static enum err announce(struct server *s, const struct serve_options *o)
{
    TRY(say_running(s, o)); /* before whoever waits for the next line asks */
    printf("listening on %s\n", s->url);
    fflush(stdout);
    log_info("main", "listening at=%s data=%s version=%s loops=%zu", s->url, s->core.cfg.data_dir.p,
             WEIR_VERSION, s->core.n_loops);
    return ERR_OK;
}

/* --- down ------------------------------------------------------------------------------------- */

static void idle(void *arg)
{
    struct server *s = arg;
    io_loop_stop(core_home_loop(&s->core));
}

static void sandbox_stopped(void *arg)
{
    struct server *s = arg;
    core_when_idle(&s->core, idle, s);
}

static void services_drained(void *arg)
{
    struct server *s = arg;
    sandbox_stop(s->core.sandbox, sandbox_stopped, s);
}

static void drained(void *arg)
{
    struct server *s = arg;
    deliver_stop(s->core.deliver);
    core_services_drain(&s->core, services_drained, s);
}

static void begin_stop(struct server *s)
{
    s->core.stopping = true;
    watch_stop(&s->watch);
    core_services_begin_stop(&s->core); /* long polls would hold up the drain */
    http_server_drain(s->http, DRAIN_MS, drained, s);
    for (size_t i = 0; i < ARRAY_LEN(s->signals); i++)
        uv_unref((uv_handle_t *)&s->signals[i]);
}

static void on_signal(uv_signal_t *handle, int signum)
{
    struct server *s = handle->data;
    if (s->core.stopping && !s->restart) {
        log_warn("main", "second signal: stopping at once");
        _exit(1);
    }
    log_info("main", "stopping on signal %d: calls in progress get %d ms", signum, DRAIN_MS);
    if (s->core.stopping)
        s->restart = false; /* the restart that is on its way ends as a stop */
    else
        begin_stop(s);
}

static void restart(void *arg)
{
    struct server *s = arg;
    if (s->core.stopping)
        return;
    s->restart = true;
    begin_stop(s);
}

static enum err catch_signals(struct server *s)
{
    static const int numbers[] = {SIGTERM, SIGINT};
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < ARRAY_LEN(s->signals); i++) {
        uv_signal_init(io_loop_uv(core_home_loop(&s->core)), &s->signals[i]);
        s->signals[i].data = s;
        if (uv_signal_start(&s->signals[i], on_signal, numbers[i]) != 0)
            return ERR_IO;
    }
    return ERR_OK;
}

static void close_signals(struct server *s)
{
    for (size_t i = 0; i < ARRAY_LEN(s->signals); i++)
        if (s->signals[i].data)
            uv_close((uv_handle_t *)&s->signals[i], NULL);
}

static void tear_down(struct server *s)
{
    for (size_t i = 1; i < s->core.n_loops; i++)
        io_loop_stop(s->loops[i]);
    close_signals(s);
    /* Services go when nothing runs any more, on the pool neither, and before the loops, whose
     * timers and handles they own. */
    for (size_t i = s->core.n_loops; i > 0; i--)
        io_loop_join(s->loops[i - 1]);
    http_server_free(s->http);
    core_services_release(&s->core);
    deliver_free(s->core.deliver);
    sandbox_free(s->core.sandbox);
    core_stop(&s->core);
    for (size_t i = s->core.n_loops; i > 0; i--)
        io_loop_free(s->loops[i - 1]);
    kv_close(s->core.kv);
    running_remove(s->core.cfg.data_dir.p, s->running_fd);
    mem_free((void *)(uintptr_t)s->core.cfg.data_dir.p);
}

static enum err bring_up(struct server *s, const struct serve_options *o)
{
    uint16_t port = 0;
    struct sandbox_options sandbox;
    TRY(check_options(o, s, &port));
    TRY(function_options(o, &sandbox));
    TRY(fit_connections(o, s));
    TRY(prepare_data_dir(o, s));
    /* Before the root key is in memory, of which the helper gets a copy. */
    TRY(sandbox_new(&s->core, &sandbox, &s->core.sandbox));
    TRY(configure(o, s));
    TRY(load_root_key(s));
    watch_init(&s->watch, &s->core, restart, s);
    TRY(open_store(s, o));
    TRY(make_loops(s, o->threads));
    TRY(make_services(&s->core));
    TRY(format_check(&s->core));
    local_routes(&s->core);
    hold_route(&s->core, s->root.backup_token);
    accounts_route(&s->core, s->root.accounts_token);
    TRY(start_services(&s->core));
    TRY(watch_start(&s->watch));
    TRY(catch_signals(s));
    /* Bound before any loop runs: the first request must find the endpoint's address set. */
    TRY(listen_at(s, o, port));
    TRY(sandbox_connect(s->core.sandbox, s->http));
    TRY(announce(s, o));
    for (size_t n = 1; n < s->core.n_loops; n++)
        TRY(io_loop_start(s->loops[n]));
    return ERR_OK;
}

/* The same program with the same words, at the address that is known by now; the process stays, so
 * whoever supervises it sees nothing. */
static int start_again(const struct serve_options *o, const char *at)
{
    size_t n = 0;
    while (o->argv[n])
        n++;
    char **argv = mem_calloc(n + 3, sizeof(*argv));
    if (argv) {
        memcpy(argv, o->argv, n * sizeof(*argv));
        argv[n] = (char *)(uintptr_t) "--listen";
        argv[n + 1] = (char *)(uintptr_t)at;
        execv("/proc/self/exe", argv);
    }
    mem_free(argv);
    log_error("main", "cannot restart in place: start weir again");
    return RESTART_FAILED;
}

int serve(const struct serve_options *options)
{
    static struct server server; /* one a process; too large for a stack */
    server.running_fd = -1;
    (void)umask(077);
    enum err err = bring_up(&server, options);
    if (err == ERR_OK)
        io_loop_run(core_home_loop(&server.core));
    else
        log_error("main", "did not start: %s", err_name(err));
    tear_down(&server);
    if (err == ERR_OK && server.restart)
        return start_again(options, server.at);
    if (err == ERR_OK)
        log_info("main", "stopped");
    return err == ERR_OK ? 0 : 1;
}
