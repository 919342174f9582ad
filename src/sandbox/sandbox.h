/* Functions as isolated processes that speak the AWS Lambda Runtime API.
 *
 * One `struct sandbox` a process: it knows what the host allows, owns the helper process that forks
 * functions, and nothing of pools: which instances exist, are warm, or are thrown away is decided
 * above (service lambda). One `struct sandbox_instance` is one execution environment: one process
 * tree with its own Runtime API port, serving one invocation at a time.
 *
 * Invariants
 *   SB1  Every callback runs on the home loop (core_home_loop), never from inside the call that
 *        arranged it, and every function here is called on that thread (but sandbox_new,
 *        sandbox_unpack_zip, sandbox_runtime_available: see there).
 *   SB2  Each accepted sandbox_invoke ends in exactly one on_result; all log lines that the
 * function wrote before answering were handed to on_log before it. SB3  on_exit is the last
 * callback of an instance, and always comes: after it no process of the instance is alive and its
 * cgroups are gone. sandbox_instance_free follows, in or after it. SB4  No output of a function,
 * however much, holds more than SANDBOX_LINE_MAX plus one result body in memory here, or blocks the
 * loop.
 *
 *   starting --first /next--> idle --invoke--> busy --answer and next /next--> idle
 *      |                       |                 |
 *      +--- init error/timeout/crash, kill, timeout, exit ---> dying --> exited (on_exit)
 *
 * sandbox_invoke is allowed in `starting` too: the event is handed over as soon as the function
 * asks. After a result of a kind other than OK and FUNCTION_ERROR the instance is dying.
 *
 * Layer: sandbox (includes core). */
#ifndef WEIR_SANDBOX_SANDBOX_H
#define WEIR_SANDBOX_SANDBOX_H

#include "core/core.h"

enum {
    SANDBOX_EVENT_MAX = 6 * 1024 * 1024 + 100,    /* bytes of an event */
    SANDBOX_RESPONSE_MAX = 6 * 1024 * 1024 + 100, /* 6291556, as Lambda counts */
    SANDBOX_STREAMED_MAX = 200 * 1024 * 1024,     /* bytes of a response that is streamed */
    SANDBOX_LINE_MAX = 256 * 1024,                /* longer log lines are cut in pieces */
    SANDBOX_LOG_BURST = 8 * 1024 * 1024,          /* log bytes an instance may write at once, */
    SANDBOX_LOG_RATE = 4 * 1024 * 1024,           /* and per second after that; more is dropped,
                                                   * and counted in a line that says so */
    SANDBOX_INIT_TIMEOUT_MS = 10 * 1000,
    SANDBOX_PIDS_MAX = 1024,  /* processes and threads, as Lambda */
    SANDBOX_FILES_MAX = 1024, /* descriptors, as Lambda */
    SANDBOX_INSTANCES_MAX = 4096,
    SANDBOX_ENV_BYTES_MAX = 64 * 1024, /* whole environment of a function */
};

struct sandbox;
struct sandbox_instance;

/* What functions reach beside Weir. */
enum sandbox_network {
    SANDBOX_NETWORK_HOST,  /* they share the host's network */
    SANDBOX_NETWORK_WORLD, /* one of their own each: Weir as AWS, and the world through Weir */
    SANDBOX_NETWORK_NONE,  /* one of their own each: Weir as AWS, and nothing else */
};

struct sandbox_options {
    /* WORLD becomes HOST where the host allows nothing better; NONE is refused there
     * (ERR_UNSUPPORTED). */
    enum sandbox_network network;
    bool real_aws; /* AWS's names are the world's: requests for them go to AWS */
    /* Refuse to start (ERR_UNSUPPORTED) unless every kind of isolation works. */
    bool require_isolation;
    /* Run functions where the host allows no namespaces, too. Otherwise they are refused there: they
     * would see what their user on the host sees, which without root is Weir's own. */
    bool allow_unisolated;
    /* Absolute folder that may be written: skeleton of the functions' root. NULL: <data>/sandbox.
     */
    const char *work_dir;
    /* Folder with python/bootstrap.py and node/bootstrap.mjs. NULL: $WEIR_RUNTIME_DIR, else
     * `../runtime`, `../../runtime`, `../share/weir/runtime` beside the binary. */
    const char *runtime_dir;
    /* Interpreters that are elsewhere, as "python3.12=PATH": sandbox_runtimes_given_valid of runtimes.h. They
     * outlive the sandbox. */
    const char *const *runtimes;
    size_t n_runtimes;
    bool runtime_substitutes; /* a runtime that is not here is run by the nearest newer one */
};

/* First in the main of every program that calls sandbox_new: there, a helper process that had to be
 * started again begins, and never returns. */
void sandbox_helper_main(int argc, char **argv);

/* Forks the helper, which begins to probe the host. Call it early in main, while there is one
 * thread and little memory; reads of core only cfg (data_dir, endpoint, region, account). ERR_IO,
 * ERR_NOMEM. */
enum err sandbox_new(struct core *core, const struct sandbox_options *opts,
                     struct sandbox **ret_sandbox) WARN_UNUSED;
/* Once core->loops exist; before the home loop runs, or on its thread. Logs one line for each kind
 * of isolation that the host refuses; with require_isolation ERR_UNSUPPORTED then. ERR_IO. */
enum err sandbox_start(struct sandbox *sb) WARN_UNUSED;
/* After sandbox_start, once core->cfg.endpoint is final and before the loops run: functions' requests
 * for AWS and for the endpoint go to `front`, which outlives all instances. ERR_INVALID (the endpoint is
 * no URL), ERR_IO, ERR_NOMEM. */
enum err sandbox_connect(struct sandbox *sb, struct http_server *front) WARN_UNUSED;
/* What functions have, as far as the host allows what was asked for. After sandbox_start. */
enum sandbox_network sandbox_network(const struct sandbox *sb);
/* Kills every instance; done(arg) on the home loop when all are gone (at once when there are none,
 * then from a posted task). Their on_result and on_exit have run by then. */
void sandbox_stop(struct sandbox *sb, void (*done)(void *arg), void *arg);
/* After stop's done, or when no instance was ever started; before the home loop is freed. NULL is
 * fine. Waits for the helper process to end. */
void sandbox_free(struct sandbox *sb);

/* What works here, for status pages and tests. */
struct sandbox_isolation {
    bool namespaces;        /* user, mount, pid, ipc, uts; own root and /tmp */
    bool network;           /* each has one of its own */
    bool uid;               /* every instance has a user id of its own on the host */
    bool memory, cpu, pids; /* cgroup limits; without them rlimits for memory and processes */
    int cgroup_version;     /* 1, 2, 0 none */
    bool seccomp;
};
struct sandbox_isolation sandbox_isolation(const struct sandbox *sb);

/* Why functions may not run here, as a static sentence that says what to do; NULL: they may. Any
 * thread, after sandbox_start. Of a core without sandbox (NULL) nothing is said. */
const char *sandbox_refusal(const struct sandbox *sb);
/* Whether functions can be started at this moment: not while the helper process, which does so, has
 * ended and is not back yet. Any thread. */
bool sandbox_able(const struct sandbox *sb);

/* Whether functions of `runtime` ("provided.al2023", "python3.12", "nodejs20.x") can run on this
 * host. When false *ret_why is a static sentence. Any thread. Names that are no
 * runtime at all are for the caller's spec to refuse. */
bool sandbox_runtime_available(const struct sandbox *sb, struct str runtime, const char **ret_why);

/* The folder of bootstraps into `out`; "" when it is not found. */
void sandbox_runtime_dir(char *out, size_t size);
/* Appends the runtimes that can run here: "nodejs20.x, provided.al2023, python3.11". Any thread. */
void sandbox_runtimes_put(const struct sandbox *sb, struct buf *b);
/* Where functions of `runtime` are run by a newer one: its name into `out`, and true. Any thread. */
bool sandbox_runtime_other(const struct sandbox *sb, struct str runtime, char *out, size_t size);

/* --- an instance ------------------------------------------------------------------------------ */

struct sandbox_env {
    struct str name, value;
};

/* Everything is copied by sandbox_instance_start; texts hold no NUL. */
struct sandbox_spec {
    struct str function_name;
    struct str version; /* "$LATEST" */
    struct str runtime;
    struct str handler;
    struct str code_dir;     /* unpacked package, absolute; seen read-only as /var/task */
    struct str opt_dir;      /* merged layers, absolute; seen read-only as /opt. May be absent */
    struct str architecture; /* "x86_64" or "arm64"; other than the host's: ERR_UNSUPPORTED */
    struct str log_group, log_stream;
    struct str region;                                /* absent: core->cfg.region */
    struct str access_key, secret_key, session_token; /* the role's; absent: none are set */
    const struct sandbox_env *env;                    /* the function's own Environment.Variables */
    size_t n_env;
    int64_t memory_mb;       /* 128..10240 */
    int64_t ephemeral_mb;    /* 512..10240: size of /tmp */
    int64_t init_timeout_ms; /* 0: SANDBOX_INIT_TIMEOUT_MS */
    bool provisioned;        /* AWS_LAMBDA_INITIALIZATION_TYPE: provisioned-concurrency */
};

/* Why an instance ended. */
enum sandbox_end {
    SANDBOX_END_KILLED,     /* sandbox_instance_kill or sandbox_stop */
    SANDBOX_END_EXITED,     /* the process ended on its own: exit status or signal */
    SANDBOX_END_INIT_ERROR, /* it reported one (error_type, body), and was ended */
    SANDBOX_END_INIT_TIMEOUT,
    SANDBOX_END_TIMEOUT,       /* an invocation passed its deadline */
    SANDBOX_END_OUT_OF_MEMORY, /* the memory limit killed it */
    SANDBOX_END_NOT_STARTED,   /* no process came to be: see error_type */
};

struct sandbox_exit {
    enum sandbox_end end;
    int exit_status;       /* -1 when a signal ended it */
    int signal;            /* 0 when it exited */
    bool was_ready;        /* it had asked for an event at least once */
    struct str error_type; /* "Runtime.InvalidEntrypoint", "Runtime.ExitError"...; for KILLED
                            * absent. Borrowed for the callback */
    struct str error_body; /* Lambda's error document as JSON, without RequestId when there was
                            * no invocation */
    int64_t max_memory_mb;
    int64_t init_ms; /* until ready, or until it ended */
};

struct sandbox_events {
    /* It asked for its first event; init_ms since start. */
    void (*on_ready)(void *arg, struct sandbox_instance *in, int64_t init_ms);
    /* One line of stdout or stderr, without its newline; bytes as they came (maybe not UTF-8). */
    void (*on_log)(void *arg, struct sandbox_instance *in, struct str line);
    /* SB3. */
    void (*on_exit)(void *arg, struct sandbox_instance *in, const struct sandbox_exit *exit);
    void *arg;
};

/* Starts an environment; what fails later (no bootstrap file, init) is told by on_exit.
 * ERR_UNSUPPORTED (sandbox_refusal, runtime or architecture), ERR_CLOSED (not sandbox_able), ERR_LIMIT
 * (environment, instances), ERR_IO, ERR_NOMEM. */
enum err sandbox_instance_start(struct sandbox *sb, const struct sandbox_spec *spec,
                                const struct sandbox_events *events,
                                struct sandbox_instance **ret_instance) WARN_UNUSED;

enum sandbox_state { SANDBOX_STARTING, SANDBOX_IDLE, SANDBOX_BUSY, SANDBOX_DYING, SANDBOX_EXITED };
enum sandbox_state sandbox_instance_state(const struct sandbox_instance *in);
/* Host pid of the function's first process; 0 before it is known and after it ended. */
int sandbox_instance_pid(const struct sandbox_instance *in);
/* "127.0.0.1:40123": where its Runtime API is. */
struct str sandbox_instance_runtime_api(const struct sandbox_instance *in);
/* Bytes it uses now, by its cgroup or /proc; 0 when unknown. */
uint64_t sandbox_instance_memory(const struct sandbox_instance *in);
/* Ends it: kills the whole tree. A running invocation gets CRASHED ("signal: killed"). Harmless
 * when dying already. */
void sandbox_instance_kill(struct sandbox_instance *in);
/* After (or in) on_exit. */
void sandbox_instance_free(struct sandbox_instance *in);

/* --- an invocation ---------------------------------------------------------------------------- */

enum sandbox_result_kind {
    SANDBOX_OK,             /* body is the function's answer */
    SANDBOX_FUNCTION_ERROR, /* it answered /error: body is its error document (Handled) */
    /* The rest are Unhandled: body is Lambda's document {"errorType":..,"errorMessage":..}. */
    SANDBOX_TIMEOUT,            /* Sandbox.Timedout; the instance is being killed */
    SANDBOX_CRASHED,            /* Runtime.ExitError: the process ended; also during init */
    SANDBOX_OUT_OF_MEMORY,      /* Runtime.OutOfMemory */
    SANDBOX_RESPONSE_TOO_LARGE, /* Function.ResponseSizeTooLarge; the instance lives on */
    SANDBOX_INIT_FAILED,        /* /init/error, init timeout, no valid entry point */
};

struct sandbox_result {
    enum sandbox_result_kind kind;
    struct str body;         /* borrowed for the callback */
    struct str error_type;   /* of any error kind; absent for OK */
    int64_t duration_us;     /* from handing the event over to the answer */
    int64_t init_us;         /* >= 0 on the first invocation of an environment; -1 later */
    int64_t max_memory_mb;   /* high mark of the environment, 0 unknown */
    int exit_status, signal; /* CRASHED, OUT_OF_MEMORY */
};

/* Owned by the caller, with all it points to, until on_result. */
struct sandbox_invoke {
    struct str event; /* JSON text */
    struct str request_id;
    struct str function_arn;   /* as invoked, with qualifier */
    struct str trace_id;       /* absent: none */
    struct str client_context; /* JSON text; absent: none */
    int64_t timeout_ms;        /* > 0; counted from handing over (init has its own) */
    void (*on_result)(struct sandbox_invoke *inv, const struct sandbox_result *result);
    /* Both or none. A response that the function streams (Lambda-Runtime-Function-Response-Mode) is handed
     * on as it comes: on_head once, then pieces, then on_result, whose body is empty when all went well.
     * on_piece false: no more is read until sandbox_instance_resume. Without them, and of a response
     * that is not streamed, on_result has the whole body. */
    void (*on_head)(struct sandbox_invoke *inv, struct str content_type);
    bool (*on_piece)(struct sandbox_invoke *inv, struct str piece);
    void *user; /* the caller's */
};

/* The instance is `starting` or `idle` and has no invocation. ERR_CLOSED when dying or exited,
 * ERR_CONFLICT when it has one, ERR_LIMIT when the event is too large: then no on_result. */
enum err sandbox_instance_invoke(struct sandbox_instance *in,
                                 struct sandbox_invoke *inv) WARN_UNUSED;

/* After on_piece said false. Harmless when nothing waits. */
void sandbox_instance_resume(struct sandbox_instance *in);

/* --- packages --------------------------------------------------------------------------------- */

struct sandbox_unpack_limits {
    uint64_t bytes_max; /* sum of unpacked sizes; 0: 250 MiB */
    uint64_t files_max; /* 0: 65,536 */
};

enum { SANDBOX_UNPACK_WHY_MAX = 256 };

struct sandbox_unpacked {
    uint64_t bytes;                   /* sum of unpacked sizes */
    char why[SANDBOX_UNPACK_WHY_MAX]; /* of a failure: a sentence */
};

/* Unpacks a zip archive into `dir` (existing, empty, absolute path): regular files, folders and
 * symbolic links that stay inside. Owner and mode are ours but for the x bits; times are not kept.
 * Nothing is ever written outside `dir`. On failure the caller removes `dir`, and ret->why is
 * written. ERR_INVALID (not a zip, encrypted, a path or link that escapes, special files),
 * ERR_LIMIT, ERR_IO, ERR_NOMEM. Blocking: run it on a worker thread. */
enum err sandbox_unpack_zip(struct str zip, const char *dir,
                            const struct sandbox_unpack_limits *limits,
                            struct sandbox_unpacked *ret) WARN_UNUSED;

/* Puts what is in `from`, an unpacked package, into the folder `to` of the same file system, over what is
 * there: files by a second name, so they are stored once. A file takes the place of a folder of its name, and
 * the other way round. Both are absolute, and nobody else writes there. On failure the caller
 * removes `to`. ERR_LIMIT (paths), ERR_IO. Blocking. */
enum err sandbox_merge_tree(const char *from, const char *to) WARN_UNUSED;

/* Removes `path` and all below it, not following links. A path that is not there is fine. ERR_IO.
 * Blocking. */
enum err sandbox_remove_tree(const char *path) WARN_UNUSED;

#endif
