/* Resource types of CloudFormation: what a resource's properties may be, and which operations of its
 * service make, change, remove and read it. Pure: no I/O, no transaction. A type is a row of
 * spec/types/<service>.json, which gen/type_rows.py turns into constant tables; one interpreter runs
 * them all.
 *
 * A piece of work (create this, change it from that to this, delete, read) is a row of inner calls.
 * Whoever drives it asks type_next for the call, makes it as the principal it likes, and gives what
 * came out to type_took, until that says that the work is done or has failed:
 *
 *     type_next -> TYPE_CALL (request) -> call -> type_took -> TYPE_MORE: cursor moved, again
 *        |                                             |-> TYPE_WAIT: cursor moved, again in wait_ms
 *        +------------------> TYPE_DONE <--------------+
 *        +------------------> TYPE_FAILED <------------+
 *
 * All that is remembered between two calls is in what struct type_state gives: cursor, physical id
 * and attributes, which the driver stores and puts into the next struct type_work as they are.
 *
 * Invariants
 *   TY1  type_next is a function of the work alone: asked twice it gives the same call.
 *   TY2  A physical id that was given once is given by every later state of the same work, so that
 *        what was made can be removed, however the work ends.
 *   TY3  A property is sent to the service or refused by type_check, never dropped: gen/type_rows.py
 *        compares every row with the operations' own shapes.
 *
 * Layer: svc. Lifetime: all that is given lives in the arena, the work or static storage. Thread:
 * pure. */
#ifndef WEIR_SVC_CLOUDFORMATION_TYPE_H
#define WEIR_SVC_CLOUDFORMATION_TYPE_H

#include "core/inner.h"

struct type_row;

enum {
    TYPE_TOKEN_LEN = 12,   /* characters of type_work.token */
    TYPE_POLLS_MAX = 2000, /* answers "not yet" to one step before the work fails: NotStabilized */
    TYPE_POLL_MS = 100,    /* between two of them, unless the row says otherwise */
};

/* Row of "AWS::SQS::Queue"; NULL: unknown. O(log types). */
const struct type_row *type_find(struct str name);
/* The rows' names in byte order, for lists. */
size_t type_count(void);
struct str type_name_at(size_t index);
struct str type_name(const struct type_row *type);
/* Whether Fn::GetAtt knows the attribute. */
bool type_has_attribute(const struct type_row *type, struct str attribute);

/* --- properties ------------------------------------------------------------------------------- */

/* Whether `properties` (an object, or NULL: none) may be a resource's: unknown, missing and unsupported
 * ones and wrong shapes are refused, in AWS's words. Intrinsics inside ({"Ref": ...}, {"Fn::...": ...})
 * fit everywhere. ERR_INVALID with *ret_message, which is what follows "Properties validation failed for
 * resource X with message:"; ERR_NOMEM. */
enum err type_check(const struct type_row *type, const struct json *properties, struct arena *a,
                    struct str *ret_message) WARN_UNUSED;
/* What type_check cannot know of a value that a template computes: whether it is one of those there are. */
enum err type_check_values(const struct type_row *type, const struct json *properties,
                           struct arena *a, struct str *ret_message) WARN_UNUSED;

enum type_change {
    TYPE_SAME,
    TYPE_IN_PLACE,
    TYPE_MAYBE, /* hangs on a value that is not known yet, or on what the service says */
    TYPE_REPLACEMENT,
};

/* A property (of the first level) that is another: RequiresRecreation is Never (IN_PLACE), Conditionally
 * (MAYBE), Always (REPLACEMENT). */
struct type_difference {
    struct str property;
    enum type_change change;
    struct type_difference *next;
};

/* Compares properties as the type understands them ("5" is 5). Intrinsics may stand in either; one that is
 * still there in `after` is a value not known yet. *ret_change is the greatest of the differences'. ERR_NOMEM. */
enum err type_compare(const struct type_row *type, struct arena *a, const struct json *before,
                      const struct json *after, enum type_change *ret_change,
                      struct type_difference **ret_differences) WARN_UNUSED;

/* --- work ------------------------------------------------------------------------------------- */

enum type_verb { TYPE_CREATE, TYPE_UPDATE, TYPE_DELETE, TYPE_READ };

/* Borrowed, for the length of a call of type_next or type_took. */
struct type_work {
    enum type_verb verb;
    const struct type_row *type;
    struct str account, region, partition, url_suffix;
    struct str stack_id, stack_name, logical_id;
    struct str token; /* TYPE_TOKEN_LEN letters and digits; the same for all of this work */
    /* The stack's own tags: a list of {"Key", "Value"}, or NULL. Those that begin with aws:cloudformation:
     * are added here. `tags_before`: of UPDATE, those that the resource was last given. */
    const struct json *tags, *tags_before;
    /* Resolved properties. CREATE: after. UPDATE: both. DELETE, READ: before, what the resource was
     * last given. NULL: none. */
    const struct json *before, *after;
    struct str physical_id; /* absent until a state gave it */
    struct str attributes;  /* JSON object, as a state gave it; absent: none yet */
    struct str cursor;      /* as the last state of this work gave it; absent at the beginning */
    bool again;             /* the request of type_next may have been carried out already */
};

enum type_doing { TYPE_CALL, TYPE_MORE, TYPE_WAIT, TYPE_DONE, TYPE_FAILED };

struct type_state {
    enum type_doing doing;
    struct str cursor;      /* MORE, WAIT, and FAILED (for its record) */
    struct str physical_id; /* absent: nothing was made yet */
    /* JSON object; what type_has_attribute names is Fn::GetAtt's, the rest the row's own. */
    struct str attributes;
    int wait_ms;       /* WAIT */
    struct str live;   /* DONE of READ: JSON object of the properties as the service has them */
    bool gone;         /* DONE of READ: there is no such thing any more */
    struct str reason; /* FAILED: ResourceStatusReason, without a request token */
    struct str code;   /* FAILED: HandlerErrorCode: AlreadyExists, NotFound, AccessDenied, ... */
};

/* The next inner call. doing CALL: *ret_request has service, operation, input and body; who, role, via and
 * from are the driver's. DONE or FAILED: there is none. ERR_NOMEM. */
enum err type_next(const struct type_work *work, struct arena *a, struct core_request *ret_request,
                   struct type_state *ret_state) WARN_UNUSED;

/* Whether what reads a resource tells of the property; else it can only be written: code, secrets. */
bool type_is_read(const struct type_row *row, struct str property);

/* What the result of that call means: MORE, WAIT, DONE or FAILED. A result whose `err` is neither ERR_OK
 * nor ERR_FAILED is the environment's and the driver's to deal with. ERR_NOMEM. */
enum err type_took(const struct type_work *work, struct arena *a, const struct core_result *result,
                   struct type_state *ret_state) WARN_UNUSED;

/* "Resource handler returned message: ..." of a FAILED state, with the request token that events show. STR_NONE
 * on exhaustion. */
struct str type_reason(struct arena *a, const struct type_state *state, struct str request_token);

#endif
