/* Who may call how often: API keys, usage plans and token buckets, as the data plane asks for them at
 * each request. What the operations store is in usage_store.h; here is what a request costs.
 *
 *   usage_admit:  key value -> key -> usage plan that holds the API's stage    USAGE_FORBIDDEN
 *                 quota of the key in the plan, looked at                      USAGE_QUOTA
 *                 buckets: plan's method, plan, stage's method, account        USAGE_THROTTLED
 *                 quota, counted                                               USAGE_ADMITTED
 *
 * Invariants
 *   US1  A bucket lets through `burst` requests at once and `rate` a second after that, exactly: of n
 *        buckets that a request needs, it takes one token of each or of none.
 *   US2  A bucket that is full again has no state: the table forgets it, so it is bounded by those that
 *        were used within the last burst / rate seconds. When more than USAGE_BUCKET_SLOTS are, the
 *        fullest of a set is forgotten: then more may pass, never less.
 *   US3  The cost does not grow with the number of keys or plans: one point read for the key, at most
 *        USAGE_KEY_PLANS_MAX lookups in memory for the plan, one bucket each.
 *   US4  A quota is counted in memory and written every USAGE_FLUSH_MS and when the server stops. A
 *        crash forgets what was counted since the last write: at most that much more passes. (Counting
 *        in the request's transaction would make every request a write that waits for the disk, and
 *        those of one key conflict. AWS's own quotas are "best effort", too.)
 *   US5  Changes of keys and plans hold from the next request on.
 *
 * Not for handlers to be rerun: usage_admit takes tokens and counts, so a request asks once and
 * remembers the answer.
 *
 * Source: API Gateway developer guide, "Throttle requests to your REST APIs", "Usage plans and API
 * keys"; quotas' offsets: the errors of CreateUsagePlan.
 * Layer: svc/apigateway. Thread: any, but for start and stop. */
#ifndef WEIR_SVC_APIGATEWAY_USAGE_H
#define WEIR_SVC_APIGATEWAY_USAGE_H

#include "core/txn.h"
#include "kv/key.h"

enum {
    USAGE_ACCOUNT_RATE = 10 * 1000, /* requests a second of an account in a region */
    USAGE_ACCOUNT_BURST = 5 * 1000,
    USAGE_KEY_PLANS_MAX = 10, /* usage plans of one key */
    USAGE_BUCKET_SLOTS = 128 * 1024,
    USAGE_FLUSH_MS = 1000,
};

struct usage; /* lifetime: process */

/* Requests a second, and so many at once. A limit with rate or burst 0 lets nothing through. */
struct usage_limit {
    bool set; /* otherwise: no limit of its own */
    double rate;
    double burst;
};

enum usage_verdict {
    USAGE_ADMITTED,
    USAGE_FORBIDDEN, /* 403 INVALID_API_KEY: no key, unknown, disabled, or in no plan of this stage */
    USAGE_THROTTLED, /* 429 THROTTLED */
    USAGE_QUOTA,     /* 429 QUOTA_EXCEEDED */
};

/* A request. Texts are borrowed. */
struct usage_ask {
    struct key_scope scope; /* of the API */
    struct str api_id, stage;
    struct str path,
        method;        /* the resource's path as it is in the API ("/cars/{id}"), and the method
                              * as it came ("GET") */
    bool key_required; /* the method's apiKeyRequired; without it no key is looked at */
    struct str key;    /* value of x-api-key, or usageIdentifierKey; absent: none came */
    struct usage_limit method_limit; /* of the stage's method settings (the most specific one) */
    int64_t now_ns;                  /* clock_mono_ns() */
    int64_t wall_ms;                 /* days of quotas are UTC's */
};

/* Who it was: $context.identity.apiKey* and the access log. Texts are txn->arena's. */
struct usage_answer {
    enum usage_verdict verdict;
    struct str key_id, key; /* absent: none was asked for */
    struct str plan_id;
    struct str customer_id;
};

/* One request: see above. `txn` is any transaction; it is only read. ERR_NOMEM, the store's errors. */
enum err usage_admit(struct usage *u, struct txn *txn, const struct usage_ask *ask,
                     struct usage_answer *ret) WARN_UNUSED;

/* The service's life (core/svc.h). */
enum err usage_new(struct core *core, struct usage **ret_usage) WARN_UNUSED;
enum err usage_start(struct usage *u) WARN_UNUSED; /* before the loops run */
/* Writes what was counted, then done(arg) on the home loop. Also from inside. */
void usage_drain(struct usage *u, void (*done)(void *arg), void *arg);
void usage_free(struct usage *u); /* NULL is fine */

#endif
