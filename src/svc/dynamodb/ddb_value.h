/* Attribute values as a tree: made from request JSON or from stored bytes, evaluated and changed by
 * expressions, written as JSON.
 *
 * Invariants
 *   DV1  Numbers are normal text (ddb_num DN2), sets hold no duplicates and are not empty, and
 *        lists and maps nest at most DDB_DEPTH_MAX deep: checked where a tree is made from JSON.
 *   DV2  A tree lives in an arena and may borrow from the text or bytes that it was made from.
 *   DV3  Members of a map keep the order in which they came; no name comes twice.
 *
 * Layer: svc/dynamodb. Thread: pure. */
#ifndef WEIR_SVC_DYNAMODB_DDB_VALUE_H
#define WEIR_SVC_DYNAMODB_DDB_VALUE_H

#include "base/buf.h"
#include "codec/json.h"

enum {
    DDB_DEPTH_MAX = 32,              /* of lists and maps in each other */
    DDB_ITEM_BYTES_MAX = 400 * 1024, /* names and values as ddb_item_size counts them */
    DDB_HASH_KEY_BYTES_MAX = 2048,
    DDB_RANGE_KEY_BYTES_MAX = 1024,
    DDB_NAME_BYTES_MAX = 65535,       /* of an attribute's name */
    DDB_CONTAINER_OVERHEAD_BYTES = 3, /* what a list or map counts for besides its elements */
};

/* Part of the disk format (ddb_item): never renumber. */
enum ddb_type {
    DDB_S = 1,
    DDB_N = 2,
    DDB_B = 3,
    DDB_BOOL = 4,
    DDB_NULL = 5,
    DDB_L = 6,
    DDB_M = 7,
    DDB_SS = 8,
    DDB_NS = 9,
    DDB_BS = 10,
};
enum { DDB_TYPES = DDB_BS + 1 };

struct ddb_av {
    enum ddb_type type;
    bool b;               /* DDB_BOOL */
    uint32_t n;           /* children of L, M and sets */
    struct str s;         /* S, N (normal text), B (bytes) */
    struct str name;      /* of a member of a map or item */
    struct ddb_av *child; /* first child; elements of sets are S, N or B */
    struct ddb_av *last;  /* last child */
    struct ddb_av *next;
};

struct ddb_memo;

struct principal;

/* Why a request is refused: the text of a ValidationException (or SerializationException). */
struct ddb_diag {
    struct arena *arena;
    struct str msg;
    bool serialization;    /* wrong JSON shape rather than a wrong value */
    bool throttled;        /* not the request, but the load is refused */
    bool denied;           /* not by the request, but by KMS */
    bool whole;            /* refuses a transaction as such, rather than one action of it */
    bool updating;         /* a value that an update makes is judged */
    struct ddb_memo *memo; /* of the request (ddb_memo.h); NULL: nothing is kept */
    /* Who asks, where KMS must be asked (ddb_cipher.c); NULL: the service itself. */
    const struct principal *who;
};

/* Sets diag->msg; returns ERR_INVALID (ERR_NOMEM on exhaustion). */
enum err ddb_invalid(struct ddb_diag *diag, const char *fmt, ...) PRINTF_LIKE(2, 3) WARN_UNUSED;

/* "S", "BOOL", ... static storage. */
struct str ddb_type_name(enum ddb_type type);
/* DDB_S..DDB_BS, or 0. */
enum ddb_type ddb_type_from_name(struct str name);

/* {"S": "x"} to a value. ERR_INVALID with diag set, ERR_NOMEM. */
enum err ddb_av_from_json(struct ddb_diag *diag, const struct json *v,
                          struct ddb_av **ret_av) WARN_UNUSED;
/* {"name": {"S": "x"}, ...} to a value of type M. */
enum err ddb_item_from_json(struct ddb_diag *diag, const struct json *v,
                            struct ddb_av **ret_item) WARN_UNUSED;
/* {"S": "x"} */
void ddb_av_put_json(struct buf *b, const struct ddb_av *v);
/* {"name": {"S": "x"}, ...} of a value of type M. */
void ddb_item_put_json(struct buf *b, const struct ddb_av *item);
/* The scalar `bytes` of S, N or B as {"S": "x"}. */
void ddb_scalar_put_json(struct buf *b, enum ddb_type type, struct str bytes);

/* The same without the {"S": } around it, as elements of sets are written. */
void ddb_scalar_put_text(struct buf *b, enum ddb_type type, struct str bytes);

/* Bytes that a value counts for; without its name. */
size_t ddb_av_size(const struct ddb_av *v);
/* Names and values of a map's members, without the map's own overhead: the size of an item. */
size_t ddb_item_size(const struct ddb_av *item);

/* Levels of lists and maps in the members of a map: 0 for an item of scalars. */
int ddb_item_depth(const struct ddb_av *item);

/* Same type and value; sets regardless of order. */
bool ddb_av_equal(const struct ddb_av *a, const struct ddb_av *b);
/* Order of two S, two N or two B; false for anything else. */
bool ddb_av_cmp(const struct ddb_av *a, const struct ddb_av *b, int *ret_cmp);
static inline bool ddb_type_is_set(enum ddb_type t)
{
    return t == DDB_SS || t == DDB_NS || t == DDB_BS;
}
static inline enum ddb_type ddb_set_element(enum ddb_type set)
{
    return (enum ddb_type)(set - DDB_SS + DDB_S);
}
/* Whether the set holds `bytes`. O(n). */
bool ddb_set_has(const struct ddb_av *set, struct str bytes);

/* Member of a map by name, or NULL. */
struct ddb_av *ddb_av_get(const struct ddb_av *map, struct str name);
/* Element of a list, or NULL. */
struct ddb_av *ddb_av_at(const struct ddb_av *list, size_t index);

/* Building; NULL on exhaustion. */
struct ddb_av *ddb_av_new(struct arena *a, enum ddb_type type);
/* Shallow copy without siblings and name: children are shared. */
struct ddb_av *ddb_av_clone(struct arena *a, const struct ddb_av *v);
/* Deep copy of containers (texts are shared), so that it can be changed in place. */
struct ddb_av *ddb_av_copy(struct arena *a, const struct ddb_av *v);
void ddb_av_append(struct ddb_av *container, struct ddb_av *child);
/* Unlinks `child`, which is in `container`. O(n). */
void ddb_av_remove(struct ddb_av *container, struct ddb_av *child);
/* Puts `neu` in the place of `old`, keeping the name. O(n). */
void ddb_av_replace(struct ddb_av *container, struct ddb_av *old, struct ddb_av *neu);

#endif
