/* What a service is to the core: one constant definition with its generated tables, its life, its
 * port for other services, and a few questions that only it can answer. The list of definitions is
 * made by the build from WEIR_SERVICES; nothing else names a service.
 *
 *   make (all) -> start (all) -> serving -> begin_stop (all) -> drain (one by one) -> release (all)
 *
 * Invariants
 *   V1  Services start in the order of the list and are released in the reverse.
 *   V2  Every service of the core was made before the first one starts: ports are looked up in
 *       start, so that the order of making does not matter.
 *
 * Layer: core. Thread: make, start and release before the loops run or after they ended; begin_stop
 * and drain on the home loop. */
#ifndef WEIR_CORE_SVC_H
#define WEIR_CORE_SVC_H

#include "auth/policy.h"
#include "core/call.h"
#include "core/cors.h"
#include "core/tags.h"
#include "core/target.h"

struct core_seen;

/* What a resource grants besides its policies (svc_def.grants). */
enum svc_grant {
    SVC_GRANT_NONE,
    SVC_GRANT_CALLER,  /* he may, whatever his own policies do not say */
    SVC_GRANT_ACCOUNT, /* his account may: he, where policies of his account let him */
};

struct svc_def {
    const struct wire_service *wire; /* generated: operations, routes, errors */
    /* Makes the instance, from `core` alone, which outlives it. Anything. */
    enum err (*make)(struct core *core, void **ret_self);
    /* Reads its state from the store, asks for the ports of others, begins background work. NULL:
     * nothing to do. */
    enum err (*start)(void *self);
    /* The process begins to drain: long polls end, background work begins nothing new. Must not
     * block. NULL: nothing to do. */
    void (*begin_stop)(void *self);
    /* No request comes any more: ends what runs, writes what is left; done(arg) once, on the home
     * loop, also from inside. NULL: nothing to do. */
    void (*drain)(void *self, void (*done)(void *arg), void *arg);
    /* Frees the instance, also one that never started or stopped. NULL: nothing to do. */
    void (*release)(void *self);
    /* Its table for other services (struct x_port of x_port.h), which lives as long as it does.
     * NULL: it has none. */
    const void *(*port)(void *self);
    /* The one service that knows who callers are; called once it is made. NULL: it is not that. */
    void (*identity)(void *self, struct identity_port *ret_port);

    /* Resource-based policy document (JSON text) attached to `arn`, whose service is this one:
     * bucket policy, queue policy, function policy, topic policy. STR_NONE when there is none or
     * no such resource. The text lives in txn->arena or for the transaction. NULL: the service has
     * none. Runs inside anybody's transaction: a call's, maybe another service's, or a job's. */
    enum err (*resource_policy)(void *self, struct txn *txn, struct str arn, struct str *ret_json);
    /* Its policies rule: nobody may do to a resource what its policy does not allow, be it by naming
     * him, be it by naming the account, which leaves it to identity policies (keys of KMS). */
    bool policy_rules;
    /* Asked where no policy of anybody's allows it and none denies: whether something else that the
     * resource has does (grants on keys, access control lists). `call` NULL: by no call. NULL: nothing
     * does. */
    enum err (*grants)(void *self, struct txn *txn, struct call *call, const struct principal *who,
                       struct str action, struct str arn, enum svc_grant *ret_grant);
    /* Puts the resource's real ARN in place of what the spec's template made of the request, where
     * the request alone does not say it (the path of an IAM role). NULL: the template is right. */
    enum err (*real_resource)(struct call *call, struct str *resource);
    /* The account that owns what a request is about, where neither the request's members (the spec's
     * `owner`) nor the caller's account say it: buckets, whose names are global. The call then acts in
     * that account. Asked before anybody is authorised, and only while there is more than one account.
     * Leaves *ret_account as it is where it does not know. NULL: the spec says it all. */
    enum err (*owner)(struct call *call, const void *in, struct str *ret_account);
    /* The same for an ARN of its own that has no account in it, by whatever asks. */
    enum err (*arn_owner)(void *self, struct txn *txn, struct str arn, struct str *ret_account);
    /* Adds the condition keys that the spec's `keys` and `tag_members` cannot say
     * (dynamodb:LeadingKeys) for this request. NULL: none. */
    enum err (*auth_context)(struct call *call, const void *in, struct policy_context *ctx);
    /* Tags of a resource of its own, where it keeps them itself; STR in the transaction's arena. NULL:
     * they are core's (core/tags.h). ERR_NOT_FOUND. */
    enum err (*resource_tags)(void *self, struct txn *txn, struct str arn,
                              struct tag_list *ret_tags);
    /* Adds the keys with `resource_mark` in their names (":ExistingObjectTag/") of a resource of its
     * own that `action` is to be done to; `call` NULL: by no call. Run when a policy asks for one.
     * NULL: none. */
    const char *resource_mark;
    enum err (*resource_keys)(void *self, struct txn *txn, struct call *call, struct str action,
                              struct str arn, struct policy_context *ctx);
    /* Further (action, resource) pairs that this request needs and the spec's `also` cannot say: as
     * many as a list has elements (tables of a batch). Calls call_authorize for each. NULL: none. */
    enum err (*authorize_more)(struct call *call, const void *in);
    /* Cross-origin rules of what a request names, for web pages (core/web.h), and what a preflight request
     * that they do not grant is told; borrowed for the arena's life. NULL: pages are the operator's
     * business. ERR_NOT_FOUND: it is not there; ERR_NOMEM, the store's errors. */
    enum err (*cors)(void *self, struct arena *a, const struct wire_routed *routed,
                     const struct cors_rule **ret_rules, size_t *ret_n);
    const struct wire_error *cors_refused;
    /* What a preflight request is told that does not say what it asks for; there with `cors`. */
    const struct wire_error *cors_incomplete;
    const struct tags_service *tags; /* how its resources are tagged (core/tags.h); NULL: not */
    /* Kinds of target that are its own (core/target.h). */
    const struct target_kind *targets;
    size_t n_targets;
    /* Sees each finished call of its operations: once, on the call's loop; as an observer (observe.h), for its
     * own metrics (measure.h) and records of requests. NULL: none come of calls. */
    void (*measure)(void *self, const struct core_seen *seen);
    /* The same for a reply whose body was streamed (core_seen.streams), once it is over or broke off:
     * `seen` has the bytes that were handed over, `ns` is the time since the call began. NULL: nobody
     * asks. */
    void (*measure_end)(void *self, const struct core_seen *seen, int64_t ns);
    /* Tells what is at this moment (how many messages wait), where it is or was a while ago more than nothing:
     * each minute while anything is told at all (measure.h, ME5). Home loop. NULL: there is no such figure. */
    void (*gauges)(void *self);
    /* Adds figures of its own to the metrics, as Prometheus text. Any thread. NULL: none. */
    void (*metrics)(void *self, struct buf *b);
};

/* A service of this process. Lifetime: process. */
struct svc {
    const struct svc_def *def;
    void *self; /* what def->make gave */
};

/* Every service of the build, NULL at the end. CMakeLists.txt generates it from its
 * WEIR_SERVICES. */
extern const struct svc_def *const svc_defs[];

/* Checks one more permission for the caller; ERR_FAILED with the service's access-denied error set
 * when it is not granted. */
enum err call_authorize(struct call *call, const char *action, struct str resource_arn) WARN_UNUSED;

/* For a service whose resources' policies core cannot find by their ARNs (execute-api): what the caller's
 * own policies and `policy` (NULL: the resource has none) say together. */
enum err call_decide(struct call *call, const char *action, struct str resource_arn,
                     const struct policy *policy, enum policy_decision *ret_decision) WARN_UNUSED;
/* In the handler of an unsigned operation that knows otherwise who asks (a token of an identity provider): it is
 * `who`, whom the call's memory holds. */
void call_vouch(struct call *call, const struct principal *who);
/* What one policy alone says of this call and its caller. */
enum err call_policy_match(struct call *call, const char *action, struct str resource_arn,
                           const struct policy *policy,
                           enum policy_decision *ret_decision) WARN_UNUSED;

/* For a service that itself decides by a policy about the caller (a role's trust policy). The policy
 * must allow. ERR_DENIED; the environment's errors. */
enum err call_allowed_by(struct call *call, const char *action, struct str resource_arn,
                         const struct policy *policy) WARN_UNUSED;

#endif
