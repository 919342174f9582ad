/* Targets: whatever can be sent something by its ARN. A service registers its kinds of target with
 * const rows (svc_def.targets); whoever sends names an ARN, on whose behalf, and what. No service
 * looks into another's ARNs, and none checks a permission to send by itself.
 *
 * Invariants
 *   TA1 Nothing is staged that was not permitted in the same transaction: target_stage decides anew,
 *       whatever target_check said once.
 *   TA2 A delivery is staged in the sender's transaction: both happen or neither (P2).
 *
 * A target outside of Weir (an API destination) is not staged: its kind says by which HTTP request it
 * is asked, under the same permission, and deliver/send.h asks it.
 *
 * Permission: with `service` (a service principal, e.g. "s3.amazonaws.com") the target's resource
 * policy decides, with aws:SourceArn and aws:SourceAccount; with `role`, the role's policies and the
 * target's. With neither, the sender vouches for it (a queue's own redrive).
 *
 * Nothing here is kept in memory: any number of processes may share the store.
 * Layer: core. Thread: the transaction's. */
#ifndef WEIR_CORE_TARGET_H
#define WEIR_CORE_TARGET_H

#include "core/identity.h"
#include "core/txn.h"

enum { TARGET_HTTP_MAX = 100 }; /* of each list of a target_http */

/* Where to, and for whom. */
struct target {
    struct str arn;
    struct str service;        /* service principal; absent: see above */
    struct str source_arn;     /* the bucket, rule, topic, ... that sends */
    struct str source_account; /* its owner */
    struct str role;           /* ARN; absent: the service principal's own right decides */
    /* The sender tells aws:SourceOwner too, which a topic's first policy asks for (CloudWatch). */
    bool tells_owner;
};

struct target_attribute { /* message attribute of type String, or Number */
    struct str name, value;
    bool number;
    struct str type; /* of a sender that has types of its own ("Binary.png"); absent: as above */
};

/* What a payload is to an event bus: the detail of a new event. */
struct target_event {
    struct str source, detail_type; /* "lambda", "Lambda Function Invocation Result - Success" */
    const struct str *resources;    /* ARNs */
    size_t n_resources;
};

/* What: a kind ignores the members that it has no use for. */
struct target_delivery {
    struct str payload; /* JSON where the kind takes JSON (functions), else any text */
    const struct target_attribute *attributes;
    size_t n_attributes;
    struct str group_id, dedup_id; /* FIFO; absent: none */
    struct str trace;              /* X-Amzn-Trace-Id; absent: none */
    const struct target_event
        *event;                     /* for buses; NULL: the payload is an event, from another bus */
    struct str subject;             /* of a topic's message; absent: none */
    const struct target_http *http; /* for targets outside; NULL: nothing */
};

struct target_pair {
    struct str name, value;
};

/* What a target outside is asked besides the payload. */
struct target_http {
    const struct str *path; /* one for each '*' of its address, in order */
    size_t n_path;
    const struct target_pair *headers, *query;
    size_t n_headers, n_query;
};

/* For the records of whoever stores them (base/record.h). */
struct record_type;
extern const struct record_type target_pair_type, target_http_type;

/* The request that asks it. */
struct target_request {
    struct str method, url, body; /* body absent: none */
    const struct target_pair *headers;
    size_t n_headers;
    int64_t per_second; /* requests to this target, at most */
};

/* A copy that lives in `a`. ERR_NOMEM. */
enum err target_request_dup(struct arena *a, const struct target_request *r,
                            struct target_request *ret) WARN_UNUSED;

/* What a kind knows of one target after it looked it up. */
struct target_found {
    struct str arn; /* as policies name it */
    void *opened;   /* the kind's own, for its stage; transaction's arena */
};

struct target_kind {
    const char *service; /* ARN's service: "sqs" */
    const char *type;    /* ARN's type: what stands before the first ':' or '/' of its last part
                            ("function"); NULL: it has none */
    const char *name;    /* for people and for target_is: "queue" */
    const char *action;  /* "sqs:SendMessage" */
    bool
        open_to_owner; /* without a policy of its own, to who tells that the owner sends (topics) */
    /* Looks it up, tracked (K4), so that its removal conflicts. ERR_NOT_FOUND; ERR_INVALID: there,
     * but never a target (an unpublished version); environment errors. */
    enum err (*find)(void *self, struct txn *txn, struct str arn, struct target_found *ret_found);
    /* Stages it; `found` is of find, and permission was checked. ERR_LIMIT too large; ERR_INVALID not what
     * this target takes (a FIFO queue without a group); environment errors. */
    enum err (*stage)(void *self, struct txn *txn, const struct target *target,
                      const struct target_found *found, const struct target_delivery *delivery);
    /* Of a target outside, in place of `stage`, which is NULL. ERR_INVALID, ERR_LIMIT: not what it
     * takes; ERR_SUSPENDED: not now, ask again soon; ERR_CLOSED: not as it is set up. The
     * transaction's arena. */
    enum err (*request)(void *self, struct txn *txn, const struct target_found *found,
                        const struct target_delivery *delivery, struct target_request *ret);
    /* It answered that it does not know us (401, 407): stages what may help. NULL: nothing may. */
    enum err (*unknown)(void *self, struct txn *txn, const struct target_found *found);
};

/* The kind of an ARN; NULL: nothing here takes deliveries by it. O(services). */
const struct target_kind *target_kind_of(struct core *core, struct str arn);
/* The same for targets outside. */
const struct target_kind *target_outside(struct core *core, struct str arn);
/* Whether an ARN is of the kind called `name`. */
bool target_is(struct core *core, struct str arn, const char *name);

/* It exists, can be a target, and permits. ERR_NOT_FOUND; ERR_DENIED; ERR_INVALID for this kind;
 * ERR_UNSUPPORTED: the ARN is of no kind of target; environment errors. */
enum err target_check(struct txn *txn, const struct target *target) WARN_UNUSED;
/* Stages the delivery. Errors as target_check; ERR_LIMIT: too large; ERR_INVALID: not what this
 * target takes. */
enum err target_stage(struct txn *txn, const struct target *target,
                      const struct target_delivery *delivery) WARN_UNUSED;
/* The request that asks a target outside, permitted now. Errors as target_stage, and the kind's. */
enum err target_ask(struct txn *txn, const struct target *target,
                    const struct target_delivery *delivery, struct target_request *ret) WARN_UNUSED;
/* See `unknown`. Fine when it is gone. */
enum err target_unknown(struct txn *txn, struct str arn) WARN_UNUSED;
/* As whom a kind that must ask another service (a queue under a key of KMS) asks: a session of the
 * role, or the service principal; of a sender who vouches for it, the service `own` itself. ERR_DENIED:
 * there is no such role; ERR_NOMEM. */
enum err target_principal(struct txn *txn, const struct target *target, struct str own,
                          struct principal *ret_who) WARN_UNUSED;
/* True for the errors that tell of the target and not of Weir's state: a sender that must not fail
 * on its target's account (S3, dead letters) drops the delivery and says so. */
bool target_fault(enum err err);

#endif
