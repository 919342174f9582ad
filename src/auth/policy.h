/* IAM policies: parsing a document into an immutable form, and deciding a request by AWS's
 * evaluation logic. No I/O, no clock: whatever a condition may look at is in the context.
 *
 * Invariants
 *   P1  Fails closed: what cannot be interpreted is refused when parsed; what cannot be compared
 *       when evaluated makes an Allow not match and a Deny match.
 *   P2  A parsed policy never changes and borrows nothing but its arena: any number of threads may
 *       evaluate it at once.
 *   P3  Evaluation uses the context's arena only for policy variables; exhaustion is a denial.
 *
 * Source: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements reference".
 * Layer: auth. Thread: pure. */
#ifndef WEIR_AUTH_POLICY_H
#define WEIR_AUTH_POLICY_H

#include "base/str.h"

enum {
    POLICY_TEXT_MAX = 128 * 1024, /* bytes of a document; services have lower limits of their own */
    POLICY_STATEMENTS_MAX = 1024,
    POLICY_VALUES_MAX = 4096,  /* elements of one list */
    POLICY_PATTERN_MAX = 4096, /* bytes of one action, resource or condition value */
    POLICY_CONTEXT_KEYS_MAX = 256,
    POLICY_LATES_MAX = 8,
    POLICY_VARIABLE_MAX = 2048, /* bytes that one variable may expand to */
};

/* What a document is attached to decides which elements it must and must not have. */
enum policy_kind {
    POLICY_IDENTITY, /* user, role, permission boundary, session: Resource, no Principal */
    POLICY_RESOURCE, /* bucket, queue, function, topic: Principal and Resource */
    POLICY_TRUST,    /* of a role: Principal, no Resource, sts actions only */
};

/* Unique ids of users and roles ("AIDA...", "AROA...", "AROA...:session"), by which stored policies
 * name principals: who is made anew under an old name is somebody else. */
bool policy_is_id(struct str text);
/* Names that STS gives to sessions: [\w+=,.@-]{2,64}. None needs an escape in JSON. */
bool policy_is_session(struct str text);

struct policy;

/* Parses a document; `json` is copied. On ERR_INVALID or ERR_LIMIT *ret_why (when given) is the
 * message of AWS's MalformedPolicyDocument error, in the arena or static. ERR_NOMEM. */
enum err policy_parse(struct arena *a, enum policy_kind kind, struct str json, const char **ret_why,
                      struct policy **ret_policy) WARN_UNUSED;

/* Whether IAM would take an identity policy that policy_parse reads: resources and actions are stricter than what
 * can be evaluated. ERR_INVALID with *ret_why, which is in the arena or static; ERR_OK also of what policy_parse
 * refuses. ERR_NOMEM. */
enum err policy_check_identity(struct arena *a, struct str json, const char **ret_why) WARN_UNUSED;

/* Calls fn(arg, key) for every condition key and policy variable that the policy asks for, until it
 * returns an error, which is given on. */
enum err policy_each_key(const struct policy *policy, enum err (*fn)(void *arg, struct str key),
                         void *arg) WARN_UNUSED;

/* The document with each text under Principal and NotPrincipal's "AWS" replaced by what map(arg,
 * text, &other) gives; all else stays byte by byte, but that an escaped text is written anew. The
 * same text when nothing changes. An error of map is given on; ERR_INVALID no JSON; ERR_LIMIT more
 * than `max` bytes; ERR_NOMEM. */
enum err policy_map_principals(struct arena *a, struct str json,
                               enum err (*map)(void *arg, struct str text, struct str *ret_text),
                               void *arg, size_t max, struct str *ret_json) WARN_UNUSED;

/* --- condition context ------------------------------------------------------------------------ */

struct policy_key {
    struct str name; /* compared without case */
    struct str *values;
    size_t n, cap;
};

struct policy_context;

/* Adds the keys whose making costs something: called at most once, when a policy first asks for one
 * of them. An error becomes the context's. */
typedef enum err policy_context_fill(struct policy_context *ctx, void *arg);

/* Keys with `mark` in their names, and who makes them; fill NULL: they are made. */
struct policy_late {
    struct str mark;
    policy_context_fill *fill;
    void *arg;
};

/* The request's condition keys. Zeroed by init; borrowed text must outlive it. */
struct policy_context {
    struct arena *arena;
    struct policy_key *keys;
    size_t n, cap;
    enum err err; /* sticky: a context that lost a key decides nothing but denial */
    struct policy_late lates[POLICY_LATES_MAX];
    size_t n_lates;
};

void policy_context_init(struct policy_context *ctx, struct arena *a);
/* Adds a value to the key (several calls make it multi-valued, e.g. aws:TagKeys). Name and value
 * are borrowed; an absent value adds nothing. Errors are sticky in ctx->err. */
void policy_context_add(struct policy_context *ctx, struct str key, struct str value);
/* The same for "prefix" + "suffix" names, e.g. ("aws:RequestTag/", "team", "x"); name is copied. */
void policy_context_add2(struct policy_context *ctx, struct str prefix, struct str suffix,
                         struct str value);
/* The same with the value formatted as a decimal, "true"/"false", or an ISO 8601 time. */
void policy_context_add_i64(struct policy_context *ctx, struct str key, int64_t value);
void policy_context_add_bool(struct policy_context *ctx, struct str key, bool value);
void policy_context_add_time(struct policy_context *ctx, struct str key, int64_t ms);
/* Keys with `mark` in their name (":ResourceTag/"; "": all) are made by fill(ctx, arg), on this
 * thread, when a policy first asks for one, in the order in which marks were first set. The same mark
 * again replaces its fill. At most POLICY_LATES_MAX marks. */
void policy_context_late(struct policy_context *ctx, struct str mark, policy_context_fill *fill,
                         void *arg);
/* NULL when the key is not in the request. May run the late fill: the context belongs to one thread
 * and is no constant, though who evaluates sees it as one. */
const struct policy_key *policy_context_find(const struct policy_context *ctx, struct str name);

/* --- decision --------------------------------------------------------------------------------- */

enum policy_principal_kind {
    POLICY_ANONYMOUS,
    POLICY_ROOT, /* of an account: every identity check allows */
    POLICY_USER,
    POLICY_SESSION, /* of an assumed role, or of a federated user */
    POLICY_SERVICE, /* "s3.amazonaws.com" acting on its own */
    POLICY_WEB,     /* whom an identity provider vouches for, before he has a role */
};

struct policy_principal {
    enum policy_principal_kind kind;
    struct str account;  /* 12 digits; absent for anonymous and service principals */
    struct str arn;      /* user ARN, sts assumed-role ARN, account root ARN */
    struct str role_arn; /* of a session: the ARN of the role, or of the user that federated it */
    struct str id;       /* of a user "AIDA...", of a session "AROA...:name"; absent otherwise */
    struct str owner_id; /* of a federated user: the id of the user that federated him */
    struct str service;  /* of a service principal */
    struct str provider; /* of POLICY_WEB: the identity provider's ARN */
};

struct policy_request {
    struct policy_principal who;
    struct str action;           /* "sqs:SendMessage" */
    struct str resource;         /* ARN, or "*" where the action has no resource type */
    struct str resource_account; /* 12 digits: the owner of the resource */
    const struct policy_context *ctx;
    const struct policy *const *identity;
    size_t n_identity;
    const struct policy *boundary;       /* NULL: none */
    const struct policy *const *session; /* their union limits; n_session 0: not limited */
    size_t n_session;
    const struct policy *resource_policy; /* NULL: none */
    /* The resource policy must allow, whatever identity policies say: role trust policies. */
    bool resource_must_allow;
};

enum policy_decision { POLICY_IMPLICIT_DENY, POLICY_EXPLICIT_DENY, POLICY_ALLOW };

/* Cost: proportional to the statements; no allocation where no statement uses variables. */
enum policy_decision policy_decide(const struct policy_request *req);

/* Matches one policy alone, whoever's it is: for tests and for questions such as "does this
 * boundary allow". */
enum policy_decision policy_match(const struct policy *policy, const struct policy_request *req);

/* Glob of ARN or action text as Resource uses it: '*' any run, '?' one byte. */
bool policy_glob(struct str pattern, struct str text, bool fold_case);
/* As ArnLike and ArnEquals match: the six parts one by one, '*' and '?' within a part (IAM User
 * Guide, "Amazon Resource Name condition operators"). False also on exhaustion of `a`. */
bool policy_arn_like(struct arena *a, struct str pattern, struct str arn);

#endif
