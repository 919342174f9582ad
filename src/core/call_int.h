/* Inside core: a call with all that the dispatcher keeps about it. call.h draws the states.
 *
 * Lifetime: a call owns its memory (arena), apart from the HTTP request's, because a commit may
 * still be on its way to the disk, with hooks to run, when the client has already left. */
#ifndef WEIR_CORE_CALL_INT_H
#define WEIR_CORE_CALL_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "auth/sigv4.h"
#include "auth/sigv4_chunk.h"
#include "base/map.h"
#include "codec/hash.h"
#include "core/call.h"
#include "core/core.h"
#include "core/txn_int.h"
#include "core/web.h"

enum call_phase {
    CALL_HEAD,      /* head seen, nothing decided */
    CALL_BODY,      /* the body is being read */
    CALL_RUNNING,   /* the handler is on the stack, or an attempt is posted */
    CALL_SUSPENDED, /* the handler waits for call_wake or its deadline */
    CALL_COMMITTED, /* waiting for durability */
    CALL_REPLYING,  /* a streamed reply is being sent */
    CALL_OVER,      /* nothing will follow but the release */
};

enum { CALL_MAGIC = 0x57454952 }; /* "WEIR": a live call; zero after release */

struct body_stream;
struct core_claim;
struct core_observer;
struct reply_stream;
struct call_detail {
    struct call_detail *next;
    const char *name;
    struct str value;
};

/* What brings calls in and takes their replies. While `asker` is set the call owes it exactly one
 * answer, by one of answer, refuse or a stream's end, each of which clears it; when the asker leaves
 * before, its front calls dispatch_gone. All on the call's loop. */
struct call_front {
    const char *name; /* told to observers */
    /* The operation succeeded: encodes c->out, or what the handler gave raw, and hands it over; then
     * call_finished and dispatch_over, or reply_stream_start where there is a source. */
    void (*answer)(struct call_impl *c);
    /* The part of that which is pure, on the worker of a long call: sets `encoded`, or leaves it to
     * answer. NULL: there is none. */
    void (*encode)(struct call_impl *c);
    /* c->error (NULL: not even the service is known) is the answer; c->err says whether it is the
     * service's own (ERR_FAILED). Then call_finished and dispatch_over. */
    void (*refuse)(struct call_impl *c);
    /* A streamed request body: from body_start on the front calls body_stream_data with pieces of at
     * most HTTP_READ_BYTES, not between pause and resume. */
    void (*body_start)(struct call_impl *c);
    void (*body_pause)(struct call_impl *c);
    void (*body_resume)(struct call_impl *c);
    /* A reply from a source: head, then pieces, then the end or what went wrong. write returns false
     * to wait; the front then calls reply_stream_more. Either start or end does call_finished. */
    void (*stream_start)(struct call_impl *c, int status, const struct http_header *headers,
                         size_t n_headers, uint64_t length);
    bool (*stream_write)(struct call_impl *c, const void *p, size_t len);
    void (*stream_end)(struct call_impl *c, enum err err);
};

/* On whose behalf, for policies: struct core_request. */
struct call_via {
    struct str service, source_arn, source_account;
};

struct call_impl {
    uint32_t magic;
    enum call_phase phase;
    struct call call;
    struct txn txn;
    struct arena arena;
    const struct call_front *front;
    void *asker; /* the front's; NULL once it left or was answered */
    struct core *core;
    struct call_impl *next_free;

    /* The request, copied out of the connection's memory. */
    struct wire_request request;
    size_t n_sent_headers; /* of the request's headers: those behind them stood in its query */
    struct web_head web;
    const struct cors_rule *cors; /* the resource's rule that lets this page ask; NULL: none */
    struct wire_routed routed;
    bool routed_twice; /* the body was read to name the operation */
    struct sigv4_request sig;
    struct sigv4_fault sig_fault;
    bool sig_bad;       /* sig_fault says why; answered once the protocol is known */
    bool key_refused;   /* the development key, from inside a function */
    bool function_asks; /* of a claim whose body is streamed: the connection is a function's */
    struct str secret;  /* of the signature, for chunk signatures */
    bool signed_head;   /* the signature was checked, before the body was read */
    bool authenticated; /* all of authn_check passed */
    bool authorized;
    bool overloaded;
    bool counted;           /* in core_impl.running */
    bool within;            /* in a transaction that is not its own: it cannot wait */
    bool system_tags;       /* of struct core_request */
    int depth;              /* of calls that calls made */
    struct call_impl *from; /* whose principal this one may have: held until this one is over */
    int holders;            /* calls that hold it: it is over, but its memory stays */
    struct call_via via;
    struct str trace;               /* call_trace_begin's; absent: not asked for */
    const struct core_claim *claim; /* that took the request; NULL: AWS's routing did */
    struct principal who;
    struct buf body;
    int64_t body_length;               /* of the request's body; -1 unknown */
    _Atomic size_t *body_budget;       /* which of core_impl's it counts in; NULL: none yet */
    size_t body_counted;               /* bytes of it, and of what it unpacks to, in there */
    struct sigv4_chunk *chunk;         /* decoder of an aws-chunked body, or NULL */
    uint64_t body_taken;               /* bytes of a streamed body, unpacked, so far */
    struct body_stream *body_stream;   /* while a streamed body is read */
    struct reply_stream *reply_stream; /* while the body comes from a source */
    /* Of either: who asked is gone. True when a worker still uses the call: it ends it later. */
    bool (*close_stream)(struct call_impl *c);
    /* Of a reply whose bytes are still being made: call_wake came. NULL: there is none. */
    void (*stream_woken)(struct call_impl *c);
    const void *in;
    void *out;
    int64_t start_ns;
    int told_status; /* what observers were told of it: how it ended, and when */
    int64_t told_ns;
    int attempts;

    enum err err; /* how it ended, once it is being answered */
    /* The service's error. */
    const struct wire_error *error;
    struct str error_message;
    struct call_detail *details;

    /* The reply. */
    struct http_header *reply_headers;
    size_t n_reply_headers, cap_reply_headers;
    int reply_status;
    bool reply_is_raw;
    struct str raw_type, raw_body;
    uint64_t reply_bytes;      /* of the body, once it is known or as far as it was handed over */
    struct call_source source; /* of the body; zeroed: it is in memory */

    /* Long (long.c). */
    bool is_long; /* its handler runs on the pool */
    bool is_busy; /* a worker has it, or will */
    enum err long_err;
    struct wire_reply encoded; /* made on the pool, too, when is_encoded */
    bool is_encoded;
    struct io_work long_work;
    void (*long_fn)(struct call_impl *c);
    void (*long_done)(struct call_impl *c);
    struct call_impl *next_long;

    /* Waiting. */
    struct io_task task;      /* durability */
    struct io_task wake_task; /* rerun; apart, since a late wake may cross a commit */
    struct kv_wait wait;
    enum err wait_err;
    _Atomic bool wake_posted;
    struct io_timer timer;
    void (*on_cancel)(struct call *call);
};

/* dispatch.c: the request is authenticated and its body, if it has one, is where it belongs. */
void dispatch_run(struct call_impl *c);
/* dispatch.c: answers with the error that was set, or with the one for `err`. */
void dispatch_fail(struct call_impl *c, enum err err);
/* dispatch.c: the reply was handed over, or the asker is gone. */
void dispatch_over(struct call_impl *c);
/* dispatch.c: `from` keeps its memory, whatever becomes of it, until `c`, which it makes, is over. Both are
 * of one loop. */
void dispatch_hold(struct call_impl *c, struct call_impl *from);
/* dispatch.c: reads the clock; sees whether as many calls run as may. */
void dispatch_begin(struct call_impl *c);
/* dispatch.c: counts the call among the running ones, or finds it one too many: once the request is
 * whole, so that who withholds a part of it takes no place; for a body that is streamed, whose sender
 * was authenticated by the head, before the body. */
void dispatch_count(struct call_impl *c);
/* dispatch.c: the asker left before it was answered. */
void dispatch_gone(struct call_impl *c);
/* dispatch.c: for an operation whose body is streamed: may the caller, and where to? */
enum err dispatch_open_sink(struct call_impl *c, struct call_sink *ret_sink) WARN_UNUSED;
/* observe.c: the call ends with this status: before whoever asked can ask for the figures. */
void call_finished(struct call_impl *c, int status);
/* observe.c: a streamed reply, of which call_finished told, is over or broke off. */
void call_streamed(struct call_impl *c);

/* long.c: runs fn(c) on a worker, in turn, then done_fn(c) on the loop. Nothing else touches the call
 * meanwhile, but for who asked, who may leave. */
void long_run(struct call_impl *c, void (*fn)(struct call_impl *c),
              void (*done_fn)(struct call_impl *c));

/* body_stream.c: reads the body into call->sink, then dispatch_run or dispatch_fail. */
void body_stream_start(struct call_impl *c, const struct call_sink *sink);
/* The front has more of the body, or it failed. May end the call. */
void body_stream_data(struct call_impl *c, const void *p, size_t len, bool last, enum err err);

/* call.c: the source goes, if there is one. */
void call_source_release(struct call_impl *c);
/* reply_stream.c: reads the first block, then sends head and body, then dispatch_over; or
 * dispatch_fail when not even the first block is there. `headers` are the call's. */
void reply_stream_start(struct call_impl *c, int status, const struct http_header *headers,
                        size_t n_headers);
/* The front takes more after stream_write said to wait. */
void reply_stream_more(struct call_impl *c);

/* authn.c: whether the head alone proves who sent the body, too: its signature covers a hash of it, or
 * begins the chain of those of its chunks. Leaves no error. ERR_NOMEM. */
enum err authn_head(struct call_impl *c, bool *ret_proven) WARN_UNUSED;
/* authn.c: reads what the head says of its signature into c->sig, or c->sig_bad. ERR_NOMEM. */
enum err authn_parse(struct call_impl *c) WARN_UNUSED;
/* authn.c: who signed this? Fills c->who or sets the service's error. Without `streamed`, the
 * buffered body is checked too, and unpacked when it came aws-chunked. */
enum err authn_check(struct call_impl *c, bool streamed) WARN_UNUSED;
/* authz.c: may they? Inside the transaction. */
enum err authz_check(struct call_impl *c, const struct svc *svc) WARN_UNUSED;

/* authz_keys.c: the global condition keys of a call. */
void authz_call_keys(struct policy_context *ctx, const struct call_impl *c);

/* claim.c: whether a claim takes the request whose head was copied; names the operation then. */
bool claim_find(struct call_impl *c);

/* call.c: a fresh call of the loop's free list. NULL: no memory. */
struct call_impl *call_new(struct core *core, struct io_loop *on, const struct call_front *front,
                           void *asker);
/* The account in which the call acts. `account` lives as long as the call. */
static inline void call_act_in(struct call_impl *c, struct str account)
{
    c->call.account = c->txn.account = account;
}
/* call.c: a new request id, in the form of the routed protocol. ERR_NOMEM. */
enum err call_make_id(struct call_impl *c) WARN_UNUSED;
void call_free(struct call_impl *c);
/* call.c: what the path of a request to S3 names, in S3's words. */
const char *call_resource_kind(const struct call_impl *c);
/* call.c: sets one of the errors that some services have; false: this one has none such. */
bool call_error_some(struct call_impl *c, enum wire_common which, const char *why) WARN_UNUSED;
/* call.c: sets what decoding the request found wrong. ERR_FAILED, or ERR_NOMEM. */
enum err call_error_fault(struct call_impl *c, const struct wire_fault *fault) WARN_UNUSED;
/* call.c: sets one of the errors that every service has. Always ERR_FAILED. */
enum err call_error_common(struct call_impl *c, enum wire_common which, const char *fmt, ...)
    PRINTF_LIKE(3, 4) WARN_UNUSED;

/* metrics.c */
struct metrics;
struct metrics *metrics_new(struct core *core);
void metrics_free(struct metrics *m);
/* Counts a finished call: any thread. `claim`: that took it, or NULL. */
void metrics_call(struct metrics *m, const struct wire_op *op, const struct core_claim *claim,
                  int status, int64_t ns);
/* Gives a claim its counters, which metrics_free_claims frees. ERR_NOMEM. */
enum err metrics_claim(struct core_claim *claim) WARN_UNUSED;
void metrics_free_claims(struct core_claim *claims);
/* Prometheus text. */
void metrics_put(const struct metrics *m, struct core *core, struct buf *b);

enum {
    CORE_ROUTES_MAX = 16,
    CORE_LOOPS_MAX = 64,
    CORE_FREE_CALLS_MAX = 256,            /* per loop */
    CORE_LONG_MAX = IO_POOL_THREADS / 2,  /* long calls on the pool; one a loop at least */
    CORE_LOOP_BODY_MAX = 256 * 1024,      /* bodies over it are checked and decoded on the pool */
    CORE_TOLD_MAX = 1024,                 /* warnings about operations that are not there */
    CORE_BODIES_MAX = 1024 * 1024 * 1024, /* bytes of all buffered bodies */
    CORE_STRANGE_BODIES_MAX = 128 * 1024 * 1024, /* of those whose sender is not known yet */
    CORE_SMALL_BODY_MAX =
        CALL_BODY_INLINE_MAX, /* bounded by the number of connections: no stranger's */
};

struct core_route {
    struct str prefix;
    void (*fn)(void *arg, struct http_req *req);
    void *arg;
};

/* core_services_drain on its way. */
struct core_drain {
    struct core *core;
    size_t left; /* services that were not asked yet */
    void (*done)(void *arg);
    void *arg;
    struct io_task task;
};

/* The long calls of a loop. */
struct core_long {
    size_t running;
    struct call_impl *first, *end; /* those that wait for their turn */
};

struct core_impl {
    struct core_drain drain;
    const struct wire_service **wires; /* of all services, for routing */
    struct core_route routes[CORE_ROUTES_MAX];
    size_t n_routes;
    _Atomic size_t running;                 /* calls that dispatch_count counted, until release */
    _Atomic size_t body_bytes;              /* buffered bodies */
    _Atomic size_t strange_bytes;           /* those of strangers */
    struct core_long longs[CORE_LOOPS_MAX]; /* per loop, on its thread only */
    _Atomic uint64_t handed_over;           /* to the pool, since start */
    _Atomic size_t jobs;                    /* txn_run's between start and done */
    _Atomic bool idle_wanted, idle_posted;
    struct io_task idle_task;
    void (*idle_fn)(void *arg);
    void *idle_arg;
    struct metrics *metrics;
    struct core_claim *claims;       /* NULL: none */
    struct core_observer *observers; /* NULL: nobody listens */
    pthread_mutex_t told_lock;
    struct map told; /* what was warned of */
    struct {
        struct call_impl *first;
        size_t n;
    } free_calls[CORE_LOOPS_MAX]; /* per loop, on its thread only */
};

/* core.c: a call or job ended; tells who waits for the last. */
void core_one_less(struct core *core, _Atomic size_t *counter);
/* core.c: the registered service of a generated table. */
const struct svc *core_svc(struct core *core, const struct wire_service *wire);

#endif
