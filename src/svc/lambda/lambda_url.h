/* Function URLs: an address of its own for a function or an alias, by which anybody, or who signs for it,
 * invokes it over plain HTTP.
 *
 *   request --claim by host "ID.lambda-url.…"--> URL by its id --preflight--> answered here
 *      --may they?--> event (core/proxy_event.h) --lambda_sync--> function --> reply
 *
 * Invariants
 *   LU1  Nobody is told by an answer whether an id exists: what may not be done is Forbidden.
 *   LU2  A URL goes in the commit that takes its function or alias away.
 *
 * Layer: svc. */
#ifndef WEIR_SVC_LAMBDA_URL_H
#define WEIR_SVC_LAMBDA_URL_H

#include "core/observe.h"
#include "svc/lambda/lambda_int.h"

enum {
    LAMBDA_URL_ID_LEN = 32,
    LAMBDA_URL_LIST_MAX = 50,   /* of one page */
    LAMBDA_CORS_NAMES_MAX = 100 /* of one list */
};

/* What lambda:FunctionUrlAuthType and InvokeMode may be. */
#define LAMBDA_URL_IAM "AWS_IAM"
#define LAMBDA_URL_STREAM "RESPONSE_STREAM"

struct lambda_url_cors {
    bool set, credentials;
    int64_t max_age_s; /* 0: not told */
    struct str *headers, *methods, *origins, *expose;
    size_t n_headers, n_methods, n_origins, n_expose;
};

/* Mirrored in memory, as struct lambda_fn. */
struct lambda_url {
    struct catalogue_object object;
    struct lambda_name function; /* its qualifier is the alias; absent: $LATEST */
    struct str id;
    bool iam;    /* AuthType; else NONE */
    bool stream; /* InvokeMode; else BUFFERED */
    int64_t created_ms, modified_ms;
    struct lambda_url_cors cors;
};

extern const struct record_type lambda_url_type;

enum err lambda_urls_new(struct lambda *l) WARN_UNUSED;
enum err lambda_urls_load(struct lambda *l, struct txn *txn) WARN_UNUSED;
/* Takes the requests for URLs. In start. */
enum err lambda_urls_claim(struct lambda *l) WARN_UNUSED;
/* svc_def.measure: of requests to URLs. */
void lambda_urls_measure(void *self, const struct core_seen *seen);
/* Tracked read of the URL of a function, or the alias of its qualifier. ERR_NOT_FOUND. */
enum err lambda_url_get(struct txn *txn, struct lambda *l, const struct lambda_name *function,
                        struct lambda_url **ret_url) WARN_UNUSED;
enum err lambda_url_put(struct txn *txn, struct lambda *l,
                        const struct lambda_url *url) WARN_UNUSED;
/* Also of one that is not there. */
enum err lambda_url_del(struct txn *txn, struct lambda *l,
                        const struct lambda_name *function) WARN_UNUSED;
/* By the id in its host; lives as long as the transaction. ERR_NOT_FOUND. */
enum err lambda_url_find(struct txn *txn, struct arena *a, struct lambda *l, struct str id,
                         const struct lambda_url **ret_url) WARN_UNUSED;
/* Keys of a function's URLs. */
struct key_range lambda_urls_of(struct arena *a, const struct lambda_name *function);
/* Where it is reached: "http://ID.lambda-url.REGION.localhost:4566/". STR_NONE on exhaustion. */
struct str lambda_url_text(struct arena *a, const struct core *core, const struct lambda_url *url);

/* --- CORS: lambda_cors.c ---------------------------------------------------------------------- */

/* Whether the request is a preflight, which the settings answer. */
bool lambda_cors_is_preflight(const struct lambda_url_cors *cors, const struct wire_request *req);
/* Appends the headers that let a page of the request's origin have the answer (of a preflight: may ask).
 * None where the settings do not allow it. ERR_NOMEM. */
enum err lambda_cors_reply(struct call *call, const struct lambda_url_cors *cors,
                           bool preflight) WARN_UNUSED;
/* Whether a header of the function's is the settings' to give. */
bool lambda_cors_owns(const struct lambda_url_cors *cors, struct str header);

/* Condition keys that are the URL's, of operations that do not name them (op_function_url.c). */
enum err lambda_auth_url(struct call *call, struct policy_context *ctx) WARN_UNUSED;

#endif
