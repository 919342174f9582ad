/* Calls made inside the process: run operation X of service Y as principal P with this JSON input,
 * and have its JSON output or its error. Any operation, whatever its protocol, by the generated
 * tables: constraints checked, authorised, limited, counted and observed like a call from outside.
 *
 *   core_call          on a loop, in a transaction of its own; may suspend, stream, be cancelled
 *   core_call_in_txn   at once, in the caller's transaction: what it stages commits with that
 *
 * Invariants
 *   N1  done is called exactly once, never from inside core_call, and not after core_call_cancel.
 *   N2  An inner call has the principal's permissions, no more: who asks on behalf of somebody says
 *       so (`via`), and policies see it.
 *   N3  Calls that calls make nest INNER_DEPTH_MAX deep (ERR_LIMIT beyond).
 *   N4  A call that made another keeps its memory, its principal's policies included, until that one is
 *       over. Its asker may leave, and it may cancel: what already runs on a worker runs to its end,
 *       as the principal.
 *
 * Layer: core. Thread: see the functions. */
#ifndef WEIR_CORE_INNER_H
#define WEIR_CORE_INNER_H

#include "core/core.h"

enum {
    INNER_DEPTH_MAX = 8,
    INNER_OUTPUT_MAX = 16 * 1024 * 1024, /* bytes of a streamed output that is collected */
};

/* How a streamed output (an object of S3) is given. */
enum core_output {
    CORE_OUTPUT_COLLECT, /* its bytes; ERR_LIMIT over output_max */
    CORE_OUTPUT_SOURCE,  /* what it is read from, where that is not in memory or still being made */
};

struct core_request {
    /* Or a whole request as the service's own protocol has it, which names the operation itself: what
     * comes out is the reply's bytes then, also of an error. `service` may be the name in signatures,
     * too; input, body and read are not looked at. core_call only. NULL: the members below. */
    const struct wire_request *http;
    struct str service, operation; /* "dynamodb", "PutItem": names of the spec */
    struct str input;              /* JSON object by the names of members; empty: {} */
    struct str body; /* bytes of the member that is the whole body, streamed or not; absent: what
                      * `input` says of one that is not streamed */
    /* Or the bytes of a streamed body piece by piece: at most `max` to `p`, *ret_n 0 at the end;
     * on the call's loop, must not block. NULL: `body`. core_call only. */
    enum err (*read)(void *arg, void *p, size_t max, size_t *ret_n);
    void *read_arg;
    /* As whom: a principal that is constant, or of `from` (its own, or in its arena), or that lives until
     * done is called, of who never cancels; or absent a session `session_name` of this role. */
    const struct principal *who;
    struct str role_arn, session_name;
    struct str region; /* absent: the configured one */
    /* The service that asks on behalf of the principal ("events.amazonaws.com"), and the resource it
     * does so for: aws:ViaAWSService, aws:CalledVia, aws:SourceArn, aws:SourceAccount. Absent: the
     * principal itself asks. */
    struct str via, source_arn, source_account;
    struct str source_ip;    /* absent: none is known */
    const struct call *from; /* the call that makes this one, for N3 and N4; NULL: nobody's */
    bool system_tags; /* CloudFormation's own: the three aws:cloudformation: tags are taken */
    enum core_output output;
    size_t output_max; /* of CORE_OUTPUT_COLLECT; 0: INNER_OUTPUT_MAX */
};

/* What came out. Lifetime: until done returns, or the transaction's arena. */
struct core_result {
    /* ERR_OK; ERR_FAILED: the service's error, below; another: the environment's, for which the
     * error below is what the service would tell its clients. */
    enum err err;
    int status; /* of HTTP, as the service's own protocol has it */
    /* Of a request of `http`, whatever `err`: the reply, whose body is below. */
    const struct wire_header *headers;
    size_t n_headers;
    /* ERR_OK. */
    struct str output;       /* JSON object */
    struct str body;         /* of the member that is the whole body; absent: none */
    struct str content_type; /* of `body`, where the operation says it; absent otherwise */
    /* CORE_OUTPUT_SOURCE: the caller takes it, and calls its release on the loop. `read` is NULL
     * where the output is in `body`. */
    struct call_source source;
    /* Otherwise. */
    struct str code; /* "ResourceNotFoundException" */
    struct str message;
    struct str details; /* JSON object of the error's further members; absent: none */
    struct str request_id;
};

struct core_inner; /* a call on its way */

/* Begins a call on the loop whose thread this is, soon but not inside; done(arg, result) there.
 * `req`'s texts are copied; of `who` see N4; read_arg must live until done or cancel. *ret_inner (may
 * be NULL) is for core_call_cancel. ERR_NOMEM, ERR_UNSUPPORTED (`from` is in another's transaction, and
 * cannot wait): done is not called. Every other failure is a result: ERR_NOT_FOUND no such service or
 * operation; ERR_LIMIT N3. */
enum err core_call(struct core *core, const struct core_request *req,
                   void (*done)(void *arg, const struct core_result *result), void *arg,
                   struct core_inner **ret_inner) WARN_UNUSED;
/* The result is no longer wanted: what is committed stays, what waits is cancelled. Loop's thread,
 * before done. */
void core_call_cancel(struct core_inner *inner);

/* Runs the handler in `txn`, of which it sees and to which it adds what is staged; its hooks attach
 * to `txn`. ERR_OK: *ret_result is the output. ERR_FAILED: it is the service's error; nothing is
 * taken back of what the operation staged before it failed, so the caller fails its transaction
 * unless it knows that the operation checks first. ERR_UNSUPPORTED: the operation streams, or would
 * have to wait. ERR_NOT_FOUND, ERR_LIMIT as above; ERR_CONFLICT and other errors are to be returned.
 * Told to observers when `txn` commits, or at once when it failed. Thread: txn's. */
enum err core_call_in_txn(struct txn *txn, const struct core_request *req,
                          struct core_result *ret_result) WARN_UNUSED;

/* A session of a role as a principal, for `who` above; lives as long as the arena. ERR_NOT_FOUND,
 * ERR_NOMEM. */
enum err core_role_principal(struct core *core, struct str role_arn, struct str session_name,
                             struct arena *arena, struct principal *ret_who) WARN_UNUSED;

#endif
