/* The process: configuration, loops, store, services. Made by main, borrowed by everything.
 *
 * Layer: core. Thread: immutable after start, but for what the members say. */
#ifndef WEIR_CORE_CORE_H
#define WEIR_CORE_CORE_H

#include "auth/policy_cache.h"
#include "codec/seal.h"
#include "core/identity.h"
#include "core/svc.h"
#include "http/http.h"
#include "kv/kv.h"

enum { CORE_PAGE_KEY_BYTES = 32 };
#define CORE_HELD_NEVER 0

struct core_config {
    struct str account;    /* "000000000000": the first one's id (account.h) */
    struct str region;     /* default region, "us-east-1" */
    struct str partition;  /* "aws" */
    struct str data_dir;   /* absolute path, NUL-terminated */
    struct str url_suffix; /* AWS::URLSuffix of templates, perhaps with a port; absent: AWS's own */
    struct str endpoint;   /* "http://127.0.0.1:4566": what functions and QueueUrls are told */
    struct str host_id;    /* S3's x-amz-id-2 seed */
    struct str root_access_key, root_secret; /* of the data directory */
    bool dev_key;                            /* accept CORE_DEV_KEY as root */
    bool open_network; /* --insecure-network: of it, too, under any Host (web.h) */
    int64_t skew_ms;   /* accepted clock difference of signatures, 15 min */
    bool require_isolation;
    int64_t async_retry_base_ms; /* pause before the first retry of an asynchronous invocation */
    /* Lists with commas, of what web.h says; absent: none. */
    struct str allow_hosts, allow_origins;
    bool outgoing_loopback;   /* what Weir asks over HTTP may be on this machine (fetch.h, FE3) */
    struct str metrics_token; /* who brings it reads metrics from anywhere */
    int64_t queue_held_ms;    /* how long the name of a deleted queue is nobody's; 0: not at all */
    size_t calls_max;         /* running calls over which new ones are answered "slow down" */
};

/* Access key and secret that everybody knows. */
#define CORE_DEV_KEY "test"

struct catalogue;
struct deliver;
struct measures;
struct sandbox;

struct core {
    struct core_config cfg;
    struct kv *kv;
    struct io_loop **loops;
    size_t n_loops;
    struct svc *svcs;
    size_t n_svcs;
    struct deliver *deliver; /* made before the services */
    struct sandbox *sandbox; /* NULL: functions run nowhere here */
    /* Whether a request comes from inside a function. Asked only of those that present the
     * development key; on the connection's loop. NULL: functions run nowhere here. */
    bool (*from_function)(struct core *core, struct http_req *req);
    /* Answers who looks at "/" without a signature and is no SDK; NULL: S3 does. */
    void (*front_page)(struct core *core, struct http_req *req);
    struct identity_port identity;
    struct catalogue *accounts;            /* account.h; NULL: the configured one alone */
    int64_t born_ms;                       /* when the configured account came to be */
    struct policy_cache *policies;         /* core_start's */
    struct measures *measures;             /* who collects figures (measure.h); NULL: nobody */
    uint8_t page_key[CORE_PAGE_KEY_BYTES]; /* of page tokens (page.h) */
    uint8_t secret_key[SEAL_KEY_BYTES];    /* of what is sealed at rest (secret.h) */
    /* Newest commit whose hooks changed what handlers read from memory instead of the store
     * and outside transactions (identities): every reply waits for it too (P1). */
    _Atomic uint64_t memory_seq;
    /* Another account than the configured one is there; while none is, nobody asks whose a thing is. */
    _Atomic bool more_accounts;
    _Atomic bool stopping; /* background work begins nothing new */
    /* Files that a commit since then stopped referring to are left where they are, for a backup
     * reads them: Weir's time in ms; CORE_HELD_NEVER while there is none. */
    _Atomic int64_t held_since_ms;
    struct core_impl *impl;
};

/* Where background state lives: loop 0. */
static inline struct io_loop *core_home_loop(struct core *core)
{
    return core->loops[0];
}

/* For commit hooks, before they change memory that other calls answer from without a transaction; who
 * has one says what it depends on (txn_depends_on), which makes nobody else wait. */
void core_memory_changes(struct core *core);

/* Makes one instance of each definition up to the NULL; fills core->svcs, n_svcs and identity.
 * After an error core_services_release frees what was made. ERR_NOMEM or the service's. */
enum err core_services_make(struct core *core, const struct svc_def *const *defs) WARN_UNUSED;
/* After core_start, before the loops run. Reads the key of page tokens, then starts them in order up
 * to the first error. */
enum err core_services_start(struct core *core) WARN_UNUSED;
/* Once the process begins to drain, before the front does: a long poll would hold that up. */
void core_services_begin_stop(struct core *core);
/* Once the front has drained: the services end what they run, last first; then done(arg), never
 * from inside. Home loop. */
void core_services_drain(struct core *core, void (*done)(void *arg), void *arg);
/* After the loops ended, before they and core_stop free anything. Last made first. */
void core_services_release(struct core *core);

/* The port of a service by its name in the spec ("sqs"): a table of functions that the service's
 * x_port.h declares and wraps type-safely. NULL: no such service, or it has none. From start on. */
const void *core_port(const struct core *core, const char *service);

/* Starts dispatching for `core`, whose public members are filled. ERR_NOMEM. */
enum err core_start(struct core *core) WARN_UNUSED;
/* Calls fn(arg) once on the home loop when no call and no txn_run job is left: the last step before
 * everything is freed. */
void core_when_idle(struct core *core, void (*fn)(void *arg), void *arg);
/* The handler to give the HTTP server. */
struct http_handler core_http_handler(struct core *core);
void core_stop(struct core *core);

/* Serves requests the AWS services do not: `prefix` of the path (e.g. "/_weir/"). Called on the
 * connection's loop; replies with http_reply. At most 16, registered before the server starts. */
void core_add_route(struct core *core, const char *path_prefix,
                    void (*fn)(void *arg, struct http_req *req), void *arg);

/* The counters of every operation as Prometheus text, appended to `b`. */
void core_metrics(struct core *core, struct buf *b);

/* --- authorisation of work that no call does: authz.c ----------------------------------------- */

/* `json` parsed, from the cache of parsed policies, for as long as `a` lives. Errors as
 * policy_parse's. */
enum err core_policy(struct core *core, struct arena *a, enum policy_kind kind, struct str json,
                     const struct policy **ret_policy) WARN_UNUSED;

/* Whether a document may be stored: it parses, and Weir gives values to all condition keys that it
 * asks for (docs/production.md says which). ERR_INVALID and ERR_LIMIT with *ret_why; ERR_NOMEM. */
enum err core_policy_check(struct core *core, struct arena *a, enum policy_kind kind,
                           struct str json, const char **ret_why) WARN_UNUSED;
/* A checked document with principals as they are to be stored: principals.c. Reads the principals
 * tracked. ERR_INVALID, always with *ret_why: one that does not exist. The transaction's arena. */
enum err core_policy_stored(struct txn *txn, struct str json, const char **ret_why,
                            struct str *ret_json) WARN_UNUSED;
/* The same for one principal's text. */
enum err core_principal_stored(struct txn *txn, struct str text, const char **ret_why,
                               struct str *ret_text) WARN_UNUSED;
/* A stored document as its owner sees it, which may be longer by far than POLICY_TEXT_MAX. ERR_NOMEM,
 * ERR_INVALID (damaged). */
enum err core_policy_shown(struct core *core, struct arena *a, struct str json,
                           struct str *ret_json) WARN_UNUSED;
/* Work that no request asked for, which `who` does to `resource`. */
struct core_work {
    const struct core *core;
    int64_t now_ms; /* of the wall clock */
    const struct principal *who;
    struct str resource;
    struct str called_via, source_arn, source_account, source_owner; /* absent: not so */
};
/* Its global condition keys, made when a policy first asks for one: `work` outlives the decision. */
void core_work_keys(struct policy_context *ctx, struct core_work *work);
/* The keys of a resource's tags: "aws:ResourceTag/" and, where the service `own` keeps the tags
 * itself ("iam"; absent: it does not), those with its name. ERR_NOMEM, ERR_LIMIT. */
enum err core_tag_keys(struct policy_context *ctx, struct str own,
                       struct tag_list tags) WARN_UNUSED;

/* The parsed resource policy of what `arn` names, found by the ARN's service, as the transaction
 * sees it; NULL when it has none, or nothing here owns such an ARN. Lives as long as txn->arena. */
enum err core_resource_policy(struct txn *txn, struct str arn,
                              const struct policy **ret_policy) WARN_UNUSED;

/* Whose resource an ARN names: its own word, or its service's where it has none (buckets); else
 * `otherwise`. */
enum err core_owner(struct txn *txn, struct str arn, struct str otherwise,
                    struct str *ret_account) WARN_UNUSED;

/* Whether the resource's own policy lets a service principal ("s3.amazonaws.com", work->who) act on it, with
 * aws:SourceArn and its like. Fills in the rest of `work`. ERR_DENIED. */
enum err core_service_allowed(struct txn *txn, struct core_work *work,
                              const char *action) WARN_UNUSED;

/* Whether a role's policies and that of the resource allow what `service` does under the role (event
 * source mappings, destinations, logs). ERR_DENIED. */
enum err core_role_allowed(struct txn *txn, struct str role_arn, struct str service,
                           const char *action, struct str resource_arn) WARN_UNUSED;

#endif
