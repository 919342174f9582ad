/* One request on its way through the data plane, for the files that take it a step further.
 *
 *   address -> route -> auth -> keys and limits -> validators -> [stage cache] -> request mapping ->
 *   integration -> reply mapping -> out
 *        any step --serve_refuse--> gateway response -> out
 *
 * A handler may be run again (call.h), so what a step found is kept in the request, which is the call's
 * state: a step that is done is not done again.
 *
 * Invariants
 *   SR1  Everything lives in the call's arena; what is under way is in `auth_wait` or `wait` and is
 *        cancelled when the client leaves.
 *   SR2  A step that returned ERR_FAILED set `refused`.
 *
 * Layer: svc, private. Thread: the call's loop. */
#ifndef WEIR_SVC_APIGATEWAY_SERVE_REQUEST_H
#define WEIR_SVC_APIGATEWAY_SERVE_REQUEST_H

#include "core/claim.h"
#include "svc/apigateway/apigateway_snapshot.h"
#include "svc/apigateway/auth.h"
#include "svc/apigateway/integrate.h"
#include "svc/apigateway/serve_life.h"

struct serve_book;
struct serve_cache;
struct serve_store;

/* The data plane. Lifetime: process. */
struct serve {
    struct core *core;
    struct apigateway *gw;
    struct usage *usage;
    struct auth *auth;
    struct integrate_http http;
    struct serve_cache *cache;
    struct serve_book *book;
    struct serve_store *store;
    struct core_claim by_path, by_domain, by_host;
};

enum {
    SERVE_LOG_BYTES_MAX = 256 * 1024, /* of one request's execution log */
    SERVE_LOG_TEXT_MAX = 1024, /* bytes of a body or header that a line shows, as AWS cuts them */
    SERVE_EXTENDED_ID_LEN = 16,
};

/* Headers and body as the client gets them. */
struct serve_out {
    int status;
    struct map_made header; /* without Content-Type */
    struct str content_type, body;
    bool flows; /* the body is the integration's, as it comes */
};

struct serve_req {
    struct call *call;
    struct serve *serve;
    int step;
    int64_t begin_ns;
    /* Where to. */
    struct str api_id, stage_name, path; /* path: after the stage, as sent */
    struct str domain_name, source_ip;
    bool domain; /* a custom one */
    struct apigateway_stage_now now;
    struct serve_stage *stage; /* held by the call's arena */
    const struct serve_settings *settings;
    struct serve_route route;
    struct wire_request http; /* the call's, its body unpacked */
    struct percent_pair *query;
    size_t n_query;
    bool binary; /* the body's type is one of the API's binary ones */
    struct str extended_id, trace;
    /* What mappings see. */
    struct json *context, *identity; /* NULL until serve_context_need */
    struct map_scope scope;
    struct map_message message;
    bool has_message;
    /* Who. */
    struct auth_request asked;
    struct auth_wait *auth_wait;
    bool auth_begun, auth_woken;
    struct auth_result who;
    struct usage_answer usage;
    /* The stage's cache. */
    struct str cache_key; /* absent: nothing is kept of this request */
    bool cache_hit, cache_warned;
    /* The integration. */
    struct integrate_ask ask;
    struct map_rendered rendered; /* by the request template */
    struct integrate_wait wait;
    bool begun;
    bool may_flow; /* the reply may begin before the answer is whole */
    int64_t integration_begin_ns, integration_ns;
    /* The end. */
    const struct serve_type *refused; /* NULL: not */
    struct str message_text;          /* of the refusal */
    struct str validation;            /* $context.error.validationErrorString */
    struct serve_out out;
    enum serve_log_level log_level;
    bool logged; /* handed over: a rerun does not do it again */
    bool log_data;
    struct serve_line *log, **log_end;
    size_t log_bytes;
};

/* --- refusals: serve_refuse.c ----------------------------------------------------------------- */

/* A type of gateway response, as it is unless the API says otherwise. */
struct serve_type {
    const char *name;  /* "ACCESS_DENIED" */
    const char *error; /* of x-amzn-ErrorType */
    int status;
    const char *message; /* NULL: null */
};

/* Sets what the request is answered with; `message` absent: the type's own. Always ERR_FAILED. */
enum err serve_refuse(struct serve_req *r, const char *type, struct str message) WARN_UNUSED;
/* The same with a status of its own, for failures that have no type ("DEFAULT_5XX"). */
enum err serve_refuse_as(struct serve_req *r, int status, const char *error,
                         struct str message) WARN_UNUSED;
/* Makes r->out of it. ERR_NOMEM. */
enum err serve_refused(struct serve_req *r) WARN_UNUSED;
/* $context.error, of what refused it. */
enum err serve_put_error(struct serve_req *r) WARN_UNUSED;

/* --- what mappings see: serve_context.c ------------------------------------------------------- */

/* Makes r->context with what is known already, and r->scope. ERR_NOMEM. */
enum err serve_context_need(struct serve_req *r) WARN_UNUSED;
/* Adds what the authorizer and the key said of the caller. */
enum err serve_context_caller(struct serve_req *r) WARN_UNUSED;
/* Makes r->message: parameters decoded. ERR_NOMEM. */
enum err serve_message_need(struct serve_req *r) WARN_UNUSED;
/* A member of an object of the context, in place of what it had. An absent text adds nothing. */
enum err serve_put_text(struct serve_req *r, struct json *obj, const char *key,
                        struct str value) WARN_UNUSED;
enum err serve_put_number(struct serve_req *r, struct json *obj, const char *key,
                          int64_t value) WARN_UNUSED;
enum err serve_put_object(struct serve_req *r, struct json *obj, const char *key,
                          struct json **ret_object) WARN_UNUSED;
/* requestContext of proxy events, as far as proxy_event.h makes it. */
enum err serve_event(struct serve_req *r, struct str *ret_event) WARN_UNUSED;
struct str serve_header(const struct serve_req *r, const char *name);

/* --- the stage's cache: serve_cached.c -------------------------------------------------------- */

/* Makes r->out, and sets r->cache_hit, where the stage keeps the answer. ERR_FAILED: refused. */
enum err serve_cached(struct serve_req *r) WARN_UNUSED;
/* Keeps r->out where the stage would. */
enum err serve_keep(struct serve_req *r) WARN_UNUSED;

/* --- mapping: serve_ask.c, serve_answer.c ----------------------------------------------------- */

/* Makes r->ask. ERR_FAILED: refused. */
enum err serve_make_ask(struct serve_req *r) WARN_UNUSED;
/* Makes r->out of r->wait.answer. ERR_FAILED: refused. */
enum err serve_take_answer(struct serve_req *r) WARN_UNUSED;
/* integrate_ask.flows of an HTTP integration's (arg: the request): whether the body goes on as it is, and nothing
 * of the reply's head is made of it: no template for its type, no conversion, no parameter from the body. */
bool serve_answer_flows(void *arg, const struct integrate_answer *head);

/* --- the end: serve_out.c --------------------------------------------------------------------- */

/* Gives r->out to the call: compressed where it may be, with the headers that every reply has. */
enum err serve_send(struct serve_req *r) WARN_UNUSED;

/* --- logs: serve_log.c ------------------------------------------------------------------------ */

/* A line of an execution log. Lifetime: the call's arena. */
struct serve_line {
    struct serve_line *next;
    int64_t at_ms;
    struct str text;
};

/* A line of the request's execution log; nothing when nobody wants it. `_data`: what the client or the
 * integration sent, which is logged with a data trace alone; `_error`: also where only errors are. */
void serve_log(struct serve_req *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
void serve_log_data(struct serve_req *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
void serve_log_error(struct serve_req *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* What is known at the beginning and, once r->out is made, at the end. */
void serve_log_begin(struct serve_req *r);
void serve_log_end(struct serve_req *r);
/* Hands execution and access log over to the book. ERR_NOMEM. */
enum err serve_log_out(struct serve_req *r) WARN_UNUSED;

/* --- compiled stages: serve_cache.c ----------------------------------------------------------- */

enum {
    SERVE_STAGES_MAX = 256, /* compiled stages that are kept */
};

enum err serve_cache_new(struct serve_cache **ret_cache) WARN_UNUSED;
void serve_cache_free(struct serve_cache *cache); /* NULL is allowed */
/* The compiled stage for what is there now, with a reference for the caller: by one comparison, or
 * (*ret_fresh) by reading and compiling the snapshot. ERR_NOT_FOUND, ERR_CORRUPT, ERR_LIMIT, ERR_NOMEM, ERR_IO. */
enum err serve_cache_take(struct serve_cache *cache, struct txn *txn, struct str api_id,
                          struct str stage, const struct apigateway_stage_now *now,
                          struct serve_stage **ret_stage, bool *ret_fresh) WARN_UNUSED;

#endif
