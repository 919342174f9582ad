/* Insides of the sandbox shared by its files. Layer: sandbox. Thread: the home loop. */
#ifndef WEIR_SANDBOX_SANDBOX_INT_H
#define WEIR_SANDBOX_SANDBOX_INT_H

#include "base/buf.h"
#include "base/list.h"
#include "net/net.h"
#include "sandbox/runtimes.h"
#include "sandbox/sandbox.h"
#include "sandbox/zygote.h"

enum {
    SANDBOX_API_TEXT_MAX = 32, /* "127.0.0.1:65535" */
    SANDBOX_ERROR_TYPE_MAX = 256,
    SANDBOX_ERROR_BODY_MAX = 256 * 1024,     /* error documents that are kept */
    SANDBOX_LOG_READ = 64 * 1024,            /* bytes of one read of a log pipe */
    SANDBOX_FRAME_HEAD = 16,                 /* bytes before a record of several lines */
    SANDBOX_LOG_DRAIN_MAX = 4 * 1024 * 1024, /* read at an answer, so that its lines come before */
    SANDBOX_READY_TIMEOUT_MS = 10 * 1000,
    SANDBOX_RESTART_DELAY_MS = 1000, /* of a helper that ended soon after its start */
};

/* What an instance hears of its process. */
struct sandbox_told {
    /* `fds`: what listens in its network, the instance's from now on. */
    void (*started)(struct sandbox_instance *in, const struct zygote_event *event, const int *fds,
                    size_t n_fds);
    void (*process_gone)(struct sandbox_instance *in, const struct zygote_event *event);
    void (*helper_gone)(struct sandbox_instance *in);
};

struct sandbox {
    struct core *core;
    const struct sandbox_told *told; /* instance.c's */
    char work_dir[BOX_PATH_MAX];
    char runtime_dir[BOX_PATH_MAX]; /* "": not found */
    struct runtime_places places;   /* of interpreters */
    bool substitutes;
    bool require_isolation, allow_unisolated;
    enum sandbox_network network; /* as asked for; ready.host.network says whether they have one */
    bool real_aws;
    bool connected; /* net and tls are set up */
    struct net net, guest_net;
    struct net_guests *guests; /* of weir exec; NULL: none can come */
    struct net_authority *authority;
    struct http_tls_names names;
    struct http_tls_ctx *tls;
    int fd;          /* helper's socket; -1 when it is gone */
    _Atomic int pid; /* the helper's */
    bool peers_told; /* the kernel says whose a connection is: peer.c */
    bool started, stopping;
    _Atomic bool able; /* the helper is there and ready */
    struct zygote_ready ready;
    /* Watches fd. A closed handle is opened anew for the next helper, when libuv has let go of it. */
    uv_poll_t poll;
    bool poll_open, poll_closing, freed;
    struct io_timer restart;
    int64_t
        restarted_ms; /* monotonic; when the present helper was started, if not by sandbox_new */
    struct list instances; /* not exited */
    _Atomic size_t n_instances;
    uint64_t last_id;
    struct io_task stop_task;
    void (*stop_done)(void *arg);
    void *stop_arg;
};

/* Reader of an instance's log pipe: logs.c */
struct log_reader {
    int fd; /* -1 when closed */
    uv_poll_t poll;
    bool polling;
    bool handle_open; /* until libuv has let go of `poll` */
    struct buf line;  /* an unfinished line */
    int64_t tokens;   /* bytes that may still be handed on */
    int64_t refilled_ns;
    uint64_t dropped_bytes, dropped_lines;
    bool dropping;                          /* inside a line that is dropped */
    unsigned char head[SANDBOX_FRAME_HEAD]; /* of a frame, as far as it came */
    size_t head_len;
    uint32_t frame_left; /* bytes of the present frame that did not come yet */
    void (*on_closed)(struct sandbox_instance *in);
};

/* What an instance hears of its Runtime API. */
struct rapi_told {
    /* /next came; instance.api.next is set. */
    void (*wants_event)(struct sandbox_instance *in);
    /* An answer came, whole. */
    void (*answered)(struct sandbox_instance *in, enum sandbox_result_kind kind,
                     struct str error_type, struct str body);
    void (*init_error)(struct sandbox_instance *in, struct str error_type, struct str body);
    /* libuv holds nothing of it any more. */
    void (*closed)(struct sandbox_instance *in);
};

/* Runtime API of an instance: rapi.c */
struct rapi {
    const struct rapi_told *told;
    bool open;                  /* until told->closed */
    struct http_server *server; /* NULL before it listens and once freed */
    struct io_task closed;      /* of one that never listened */
    uint16_t port;
    char address[SANDBOX_API_TEXT_MAX];
    struct http_req *next;   /* a waiting /invocation/next */
    struct http_req *upload; /* whose body is arriving */
    bool streamed;           /* and is handed on as it comes */
    bool stream_begun;       /* of this invocation */
    uint64_t streamed_bytes;
    struct buf body;
    enum rapi_upload { RAPI_RESPONSE, RAPI_ERROR, RAPI_INIT_ERROR } upload_kind;
};

struct sandbox_instance {
    struct list link; /* in sandbox.instances */
    struct sandbox *sb;
    struct sandbox_events events;
    enum sandbox_state state;
    uint64_t id;
    int pid, slot; /* slot -1 until told */
    int peak_fd;   /* cgroup's file of the high mark; -1 */
    int64_t memory_mb, init_timeout_ms;
    struct log_reader log;
    struct net_function *net; /* NULL: none of its own, or not yet */
    struct rapi api;
    struct io_timer timer; /* init, or the invocation's deadline */
    struct io_task task;   /* posted ends */
    int64_t start_ns, init_us;
    bool ready; /* asked for an event once */
    bool first_result_done;
    /* Current invocation. */
    struct sandbox_invoke *inv;
    bool handed;
    int64_t handed_ns;
    /* How it ends. */
    bool ended_set;
    enum sandbox_end end;
    int exit_status, signal;
    bool process_gone;
    int64_t peak_mb;
    char error_type[SANDBOX_ERROR_TYPE_MAX];
    struct buf error_body;
};

/* Whether the request id is that of the invocation being served. */
static inline bool sandbox_instance_serves(const struct sandbox_instance *in, struct str request_id)
{
    return in->state == SANDBOX_BUSY && in->inv && in->handed &&
           str_eq(in->inv->request_id, request_id);
}

/* instance.c */
extern const struct sandbox_told sandbox_instance_told;

/* helper.c */
/* Waits for the first helper to say what the host allows, into sb->ready. ERR_IO. */
enum err sandbox_helper_wait(struct sandbox *sb) WARN_UNUSED;
/* Begins to listen to the helper. ERR_IO. */
enum err sandbox_helper_watch(struct sandbox *sb) WARN_UNUSED;
/* Ends the helper and lets go of it; frees sb, when libuv is done with it. */
void sandbox_helper_free(struct sandbox *sb);
/* Reads what the helper has to tell, without blocking. */
void sandbox_read_events(struct sandbox *sb);
/* Hands a function over. ERR_LIMIT too many strings or too busy, ERR_CLOSED helper gone. Closes
 * nothing. */
enum err sandbox_send_start(struct sandbox *sb, const struct zygote_start *start,
                            const struct buf *strings, int log_fd) WARN_UNUSED;
void sandbox_send_kill(struct sandbox *sb, const struct sandbox_instance *in);
/* The instance reached EXITED. */
void sandbox_instance_gone(struct sandbox *sb);
/* While stopping: tells who waits once no instance is left. */
void sandbox_check_stopped(struct sandbox *sb);

/* network.c */
/* Tells the helper where functions' networks lead. */
void sandbox_network_tell(struct sandbox *sb);
/* Commands that run in a network of ours lose it. */
void sandbox_guests_close(struct sandbox *sb);
/* When no instance is left and the front is freed. */
void sandbox_network_free(struct sandbox *sb);

/* rapi.c */
/* On a port of the host's; in a network of its own once sandbox_rapi_listen gave it a socket. */
enum err sandbox_rapi_open(struct sandbox_instance *in) WARN_UNUSED;
/* `fd` listens; taken on success. */
enum err sandbox_rapi_listen(struct sandbox_instance *in, int fd) WARN_UNUSED;
/* Answers the waiting /next with the instance's invocation. */
void sandbox_rapi_hand_over(struct sandbox_instance *in, int64_t deadline_ms);
/* told->closed follows, later. */
void sandbox_rapi_close(struct sandbox_instance *in);

/* logs.c */
enum err sandbox_logs_open(struct sandbox_instance *in, int *ret_write_fd) WARN_UNUSED;
/* Reads what is there now, at most SANDBOX_LOG_DRAIN_MAX; an unfinished line counts as one. */
void sandbox_logs_drain(struct sandbox_instance *in);
/* Drains and closes; log.on_closed follows, later. */
void sandbox_logs_close(struct sandbox_instance *in);

/* What http_conn_mark keeps: of a Runtime API whether the peer is its instance, of Weir's own port
 * whether it is a function. */
enum {
    SANDBOX_MARK_NONE,
    SANDBOX_MARK_INSTANCE,
    SANDBOX_MARK_STRANGER,
    SANDBOX_MARK_OUTSIDE,
    SANDBOX_MARK_FUNCTION,
};

/* peer.c */
/* Whether the kernel says whose a connection is. */
bool sandbox_peers_are_told(void);
/* Whether the process at the other end is this instance's. */
bool sandbox_peer_is_instance(struct sandbox_instance *in, struct http_req *req);
/* Whether a request to Weir comes from inside a function; also when that cannot be told while
 * functions run. Any thread. */
bool sandbox_peer_in_function(struct core *core, struct http_req *req);

/* holder.c: whether a process holds the socket and is `ancestor` or below it (below), or is not
 * (!below). False when there is none, and when that cannot be told. Any thread. */
bool sandbox_socket_held(uint32_t inode, int ancestor, bool below);

/* plan.c */
/* Arguments and environment of a function as the strings of a start packet. On ERR_NOT_FOUND there
 * is no entry point, and *ret_why (SANDBOX_ERROR_TYPE_MAX bytes) says what was looked for.
 * ERR_UNSUPPORTED, ERR_LIMIT, ERR_INVALID, ERR_NOMEM. */
enum err sandbox_plan_build(struct sandbox *sb, const struct sandbox_spec *spec,
                            struct buf *strings, struct zygote_start *ret_start,
                            char *ret_why) WARN_UNUSED;
/* Completes it with the address of the Runtime API. */
void sandbox_plan_add_api(const char *api, struct buf *strings, struct zygote_start *start);
/* The folder of bootstraps into `out` (BOX_PATH_MAX), "" when there is none. */
void sandbox_plan_find_runtime_dir(char *out, const char *option);

#endif
