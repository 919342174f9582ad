/* Tags of resources, for every service: where they are kept, one set of rules, and what the
 * operations about them have in common. A service gives a const row (struct tags_service) that says
 * how it names its resources and in which of its errors and words it refuses.
 *
 * Invariants
 *   TG1 All tags of a resource are one record under its account, region and ARN: one point read.
 *       It is sorted by key, and it is read (tracked) by whoever changes it, so that two changes
 *       at once conflict (K4) instead of losing one.
 *   TG2 A resource's tags are written and removed in the transaction that makes or removes the
 *       resource: an ARN that is made anew begins without any.
 *   TG3 What is stored keeps the rules below. A record without tags means that the resource had some
 *       once: the Resource Groups Tagging API tells of it.
 *
 * Stored, KEY_TAGS:
 *   01 text account, text region ("" for ARNs without one), ARN as it is
 *      -> u8 version, text home region, varint n, n * (text key, text value)
 * Of an ARN without an account the account is Weir's own.
 *
 * What stays with its thing, and only uses the rules: tags of S3 objects, and of IAM's users, roles
 * and policies (aws:PrincipalTag is read from memory at every request).
 *
 * Nothing here is kept in memory: any number of processes may share the store.
 *
 * Source: AWS General Reference, "Tagging your AWS resources", tag naming limits and requirements.
 * Layer: core. Thread: the transaction's. */
#ifndef WEIR_CORE_TAGS_H
#define WEIR_CORE_TAGS_H

#include "core/call.h"

enum {
    TAGS_MAX = 50,         /* of a resource, unless its service says less */
    TAGS_KEY_MAX = 128,    /* Unicode characters, at least 1 */
    TAGS_VALUE_MAX = 256,  /* Unicode characters */
    TAGS_GIVEN_MAX = 4096, /* tags or keys of one request that are looked at */
};

/* As the generated structs of every service have it; see TAGS_FROM. */
struct tag {
    struct str key, value;
};

/* Borrowed. */
struct tag_list {
    const struct tag *v;
    size_t n;
};

#define TAGS_SAME_LAYOUT(list, k, v_)                                                              \
    (sizeof(*(list).v) == sizeof(struct tag) &&                                                    \
     offsetof(__typeof__(*(list).v), k) == offsetof(struct tag, key) &&                            \
     offsetof(__typeof__(*(list).v), v_) == offsetof(struct tag, value) &&                         \
     sizeof((list).v->k) == sizeof(struct str) && sizeof((list).v->v_) == sizeof(struct str))

/* The tag list of a generated input (a list of structs or the entries of a map) as it is, without a
 * copy: all have one layout, which is checked where it is used. `k` and `v_` are what the struct
 * calls the two. */
#define TAGS_FROM_NAMED(list, k, v_)                                                               \
    ({                                                                                             \
        _Static_assert(TAGS_SAME_LAYOUT(list, k, v_), "a list of tags");                           \
        (struct tag_list){(const struct tag *)(const void *)(list).v, (list).n};                   \
    })
#define TAGS_FROM(list) TAGS_FROM_NAMED(list, key, value)
/* The other way: into the list of a generated output. */
#define TAGS_INTO_NAMED(list, tags, k, v_)                                                         \
    do {                                                                                           \
        _Static_assert(TAGS_SAME_LAYOUT(list, k, v_), "a list of tags");                           \
        (list).v = (const void *)(tags).v;                                                         \
        (list).n = (tags).n;                                                                       \
    } while (0)
#define TAGS_INTO(list, tags) TAGS_INTO_NAMED(list, tags, key, value)

/* --- rules: pure ------------------------------------------------------------------------------ */

enum tags_fault {
    TAGS_OK,
    TAGS_TOO_MANY,
    TAGS_KEY_LENGTH,
    TAGS_VALUE_LENGTH,
    TAGS_KEY_CHARS,
    TAGS_VALUE_CHARS,
    TAGS_RESERVED,  /* a key that begins with "aws:", in any case */
    TAGS_DUPLICATE, /* the same key twice in one request */
    TAGS_FAULTS,
};

/* Which error a broken rule is, in which words. {key}, {value} and {max} in `text` stand for the
 * tag at fault and the number of tags allowed; NULL: Weir's own words. */
struct tags_words {
    const struct wire_error *error;
    const char *text;
};

struct tags_rules {
    size_t max;                           /* tags of one resource; 0: TAGS_MAX */
    bool nocase;                          /* keys that differ in case only are one key (IAM) */
    struct tags_words otherwise;          /* where the row below has no error */
    struct tags_words words[TAGS_FAULTS]; /* by fault */
};

/* The first rule that a request's tags break, and where; TAGS_OK. ERR_NOMEM. O(n log n). */
enum err tags_check(struct arena *a, const struct tags_rules *rules, struct tag_list tags,
                    enum tags_fault *ret_fault, size_t *ret_at) WARN_UNUSED;
/* `have` with `add` over it, sorted by key, in the arena. ERR_LIMIT when that is too many; ERR_NOMEM.
 * `have` is sorted; `add` passed tags_check. */
enum err tags_merge(struct arena *a, const struct tags_rules *rules, struct tag_list have,
                    struct tag_list add, struct tag_list *ret) WARN_UNUSED;
/* `have` without these keys, in the arena. ERR_NOMEM. */
enum err tags_without(struct arena *a, const struct tags_rules *rules, struct tag_list have,
                      const struct str *keys, size_t n_keys, struct tag_list *ret) WARN_UNUSED;
/* Value of `key`, byte for byte; STR_NONE. O(log n) in a sorted list. */
struct str tags_get(struct tag_list sorted, struct str key);
/* A key that begins with "aws:", in any case: it is neither set nor removed by callers. */
bool tags_reserved(struct str key);
/* The call's error for a fault. Always ERR_FAILED (or ERR_NOMEM). */
enum err tags_refuse(struct call *call, const struct tags_rules *rules, enum tags_fault fault,
                     struct tag at) WARN_UNUSED;
/* tags_check, and the call's error. */
enum err tags_check_call(struct call *call, const struct tags_rules *rules,
                         struct tag_list tags) WARN_UNUSED;

/* --- the record ------------------------------------------------------------------------------- */

/* A resource to be tagged. */
struct tags_resource {
    struct str arn;
    struct str home; /* region where an ARN without one is at home (S3 buckets); else absent */
};

/* All tags of a resource, sorted; none is ERR_OK and an empty list. Tracked (K4). ERR_NOMEM,
 * ERR_IO, ERR_CORRUPT. */
enum err tags_of(struct txn *txn, struct str arn, struct tag_list *ret_tags) WARN_UNUSED;
/* Replaces all of them by what passed tags_check; an empty list leaves an empty record (TG3). */
enum err tags_set(struct txn *txn, const struct tags_resource *resource,
                  struct tag_list tags) WARN_UNUSED;
/* With the resource (TG2). Fine when there are none. */
enum err tags_drop(struct txn *txn, struct str arn) WARN_UNUSED;

/* --- listing, for the Resource Groups Tagging API --------------------------------------------- */

struct tags_entry {
    struct str arn;
    struct tag_list tags; /* empty: had some once */
};
struct tags_scan;

/* Resources of an account and region (those at home there included) in ARN order, after `after`
 * (absent: from the first). Snapshot reads. Close it before the transaction ends. */
enum err tags_scan_open(struct txn *txn, struct str account, struct str region, struct str after,
                        struct tags_scan **ret_scan) WARN_UNUSED;
/* Next one, in the transaction's arena. ERR_NOT_FOUND at the end. */
enum err tags_scan_next(struct tags_scan *scan, struct tags_entry *ret_entry) WARN_UNUSED;
void tags_scan_close(struct tags_scan *scan); /* NULL is fine */

/* --- operations ------------------------------------------------------------------------------- */

/* Resources of one type, as the Resource Groups Tagging API sees them. */
struct tags_type {
    const char *type; /* in the ARN's last part, up to ':' or '/'; NULL: it has none */
    const char *tag_action, *untag_action; /* "sqs:TagQueue": what the caller needs besides tag:* */
};

/* A service's row; struct svc_def points to it. */
struct tags_service {
    struct tags_rules rules;
    /* The resource that a request of the service names, by ARN, URL or name, as it does: it exists
     * (read tracked) and has tags. Sets the call's error otherwise. */
    enum err (*resource)(struct call *call, struct str ref, struct tags_resource *ret);
    /* The same for another service's call, by ARN. ERR_NOT_FOUND, and what the store says. */
    enum err (*find)(void *self, struct txn *txn, struct str arn, struct tags_resource *ret);
    const struct tags_type *types;
    size_t n_types;
    bool
        own_keys; /* policies ask for its tags as "ecr:ResourceTag/" besides "aws:ResourceTag/", too */
    bool paths; /* names have slashes in them: an ARN names no part of a resource after them */
};

/* For a service's `resource` where requests name resources by ARN alone: one of the caller's region,
 * and of its account where the ARN has one, that `find` finds; `missing` otherwise, "Resource ARN does not exist.". */
enum err tags_op_by_arn(struct call *call, const struct tags_service *service,
                        const struct wire_error *missing, struct str arn,
                        struct tags_resource *ret) WARN_UNUSED;
/* TagResource: adds and replaces. */
enum err tags_op_add(struct call *call, const struct tags_service *service, struct str ref,
                     struct tag_list add) WARN_UNUSED;
/* UntagResource; keys that are not there are fine. */
enum err tags_op_remove(struct call *call, const struct tags_service *service, struct str ref,
                        const struct str *keys, size_t n_keys) WARN_UNUSED;
/* ListTags: all of them, sorted. */
enum err tags_op_list(struct call *call, const struct tags_service *service, struct str ref,
                      struct tag_list *ret_tags) WARN_UNUSED;
/* Tags given while a resource is made (and S3's way, which replaces all): checks and stages. No
 * tags: no record. */
enum err tags_op_create(struct call *call, const struct tags_service *service,
                        const struct tags_resource *resource, struct tag_list tags) WARN_UNUSED;

#endif
