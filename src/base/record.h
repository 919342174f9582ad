/* Stored records as tables: one table of a record's fields drives packing and unpacking, so that
 * the two cannot differ. The bytes are base/pack.h's: a version, then the fields in table order.
 *
 *   static const struct record_field tag_fields[] = {
 *       REC_STR(struct x_tag, key),
 *       REC_STR(struct x_tag, value),
 *   };
 *   static const struct record_type tag_type = RECORD_TYPE(struct x_tag, 1, tag_fields);
 *   static const struct record_field x_fields[] = {
 *       REC_UINT(struct x, id),
 *       REC_LIST(struct x, tags, n_tags, X_TAGS_MAX, &tag_type),
 *       REC_SINCE(2, REC_STR(struct x, note)),
 *   };
 *   static const struct record_type x_type = RECORD_TYPE(struct x, 2, x_fields);
 *
 * Invariants
 *   RC1  A record starts with the version it was written in. One of a later version than the
 *        table's is refused (ERR_CORRUPT): the store's own format version says that first.
 *   RC2  A field is never taken out, moved or changed. A new one is appended (to a nested type too)
 *        with REC_SINCE(the new version of the outermost record); in older records it reads as
 *        zero, false, absent, empty.
 *   RC3  Unpacking never reads beyond the bytes, and allocates in proportion to them: a list's
 *        count is checked against its maximum and against the bytes that are left.
 *   RC4  Every byte belongs to a field: what is left over is corrupt.
 *
 * Bytes of the kinds: unsigned integers and enums LEB128, signed ones zigzag LEB128, bool one byte
 * 0 or 1, double 8 bytes little-endian, text length + 1 (0: absent) and bytes, fixed bytes as they
 * are, a nested struct its fields, a pointed-to struct one byte 0 or 1 and its fields, lists a
 * count and the elements.
 *
 * Layer: base. Lifetime: tables are static. Thread: pure. */
#ifndef WEIR_BASE_RECORD_H
#define WEIR_BASE_RECORD_H

#include "base/buf.h"

enum {
    RECORD_BYTES_MAX = 16 * 1024 * 1024, /* what record_make makes: KV_VALUE_MAX */
    RECORD_DEPTH_MAX = 16,               /* types inside one another; types may be recursive */
};

enum record_kind {
    RECORD_UINT, /* unsigned of 1, 2, 4 or 8 bytes */
    RECORD_INT,  /* signed of 1, 2, 4 or 8 bytes */
    RECORD_ENUM, /* an unsigned below `max` */
    RECORD_BOOL,
    RECORD_F64,
    RECORD_STR,    /* struct str */
    RECORD_BYTES,  /* `size` bytes in place */
    RECORD_STRUCT, /* `of`, in place */
    RECORD_PTR,    /* pointer to `of`; NULL: absent */
    RECORD_LIST,   /* pointer to n `of`, n at `count_offset` */
    RECORD_ARRAY,  /* at most `max` `of` in place, n at `count_offset` */
};

struct record_type;

struct record_field {
    struct { /* first and nameless: a row initialises it, REC_SINCE adds what follows */
        enum record_kind kind;
        uint32_t offset;       /* of the member */
        uint32_t size;         /* of the member, or of one element */
        uint32_t count_offset; /* of the size_t that counts */
        uint32_t max;          /* elements of a list; values of an enum */
        const struct record_type *of;
    };
    uint8_t since; /* version of the record that brought it; 0: there from the first */
};

struct record_type {
    const struct record_field *fields;
    uint32_t n;
    uint32_t size;   /* of the struct */
    uint8_t version; /* that packing writes; of the outermost type */
};

#define RECORD_TYPE(T, version_, fields_)                                                          \
    {                                                                                              \
        .fields = (fields_), .n = ARRAY_LEN(fields_), .size = sizeof(T), .version = (version_)     \
    }

/* --- rows: each is checked against the member's type by the compiler ---------------------------- */

#define RECORD_MEMBER(T, m) (((T *)0)->m)
/* 0, or an error of the compiler. */
#define RECORD_CHECK(cond, what)                                                                   \
    (0 * sizeof(struct {                                                                           \
         int unused_;                                                                              \
         _Static_assert(cond, what);                                                               \
     }))
#define RECORD_IS(T, m, type)                                                                      \
    RECORD_CHECK(_Generic(RECORD_MEMBER(T, m), type : 1, default : 0), #m " is no " #type)
#define RECORD_UNSIGNED(T, m)                                                                      \
    RECORD_CHECK(_Generic(RECORD_MEMBER(T, m), uint8_t : 1, uint16_t : 1, uint32_t : 1,            \
                          uint64_t : 1, unsigned long long : 1, default : 0),                      \
                 #m " is no unsigned integer")
#define RECORD_SIGNED(T, m)                                                                        \
    RECORD_CHECK(_Generic(RECORD_MEMBER(T, m), int8_t : 1, int16_t : 1, int32_t : 1, int64_t : 1,  \
                          long long : 1, default : 0),                                             \
                 #m " is no signed integer")
#define RECORD_AT(T, m) .offset = offsetof(T, m), .size = sizeof(RECORD_MEMBER(T, m))

#define REC_UINT(T, m)                                                                             \
    {                                                                                              \
        .kind = RECORD_UINT + RECORD_UNSIGNED(T, m), RECORD_AT(T, m)                               \
    }
#define REC_INT(T, m)                                                                              \
    {                                                                                              \
        .kind = RECORD_INT + RECORD_SIGNED(T, m), RECORD_AT(T, m)                                  \
    }
/* An enum (or unsigned) whose values are below n. */
#define REC_ENUM(T, m, n_)                                                                         \
    {                                                                                              \
        .kind = RECORD_ENUM, RECORD_AT(T, m), .max = (n_)                                          \
    }
#define REC_BOOL(T, m)                                                                             \
    {                                                                                              \
        .kind = RECORD_BOOL + RECORD_IS(T, m, bool), RECORD_AT(T, m)                               \
    }
#define REC_F64(T, m)                                                                              \
    {                                                                                              \
        .kind = RECORD_F64 + RECORD_IS(T, m, double), RECORD_AT(T, m)                              \
    }
#define REC_STR(T, m)                                                                              \
    {                                                                                              \
        .kind = RECORD_STR + RECORD_IS(T, m, struct str), RECORD_AT(T, m)                          \
    }
/* A member of fixed size without pointers in it: uint8_t id[16], struct { uint8_t b[16]; }. */
#define REC_BYTES(T, m)                                                                            \
    {                                                                                              \
        .kind = RECORD_BYTES, RECORD_AT(T, m)                                                      \
    }
#define REC_STRUCT(T, m, of_)                                                                      \
    {                                                                                              \
        .kind = RECORD_STRUCT, RECORD_AT(T, m), .of = (of_)                                        \
    }
#define REC_PTR(T, m, of_)                                                                         \
    {                                                                                              \
        .kind = RECORD_PTR, .offset = offsetof(T, m), .size = sizeof(*RECORD_MEMBER(T, m)),        \
        .of = (of_)                                                                                \
    }
/* Pointer `m` to `n_` elements, at most `max_`. Unpacked into the arena. */
#define REC_LIST(T, m, n_, max_, of_)                                                              \
    {                                                                                              \
        .kind = RECORD_LIST + RECORD_IS(T, n_, size_t), .offset = offsetof(T, m),                  \
        .size = sizeof(*RECORD_MEMBER(T, m)), .count_offset = offsetof(T, n_), .max = (max_),      \
        .of = (of_)                                                                                \
    }
/* Array `m` inside the struct of which `n_` elements are used. */
#define REC_ARRAY(T, m, n_, of_)                                                                   \
    {                                                                                              \
        .kind = RECORD_ARRAY + RECORD_IS(T, n_, size_t), .offset = offsetof(T, m),                 \
        .size = sizeof(RECORD_MEMBER(T, m)[0]), .count_offset = offsetof(T, n_),                   \
        .max = ARRAY_LEN(RECORD_MEMBER(T, m)), .of = (of_)                                         \
    }
/* The row, from a later version on: REC_SINCE(2, REC_STR(struct x, note)). */
#define REC_SINCE(version_, ...)                                                                   \
    {                                                                                              \
        __VA_ARGS__, .since = (version_)                                                           \
    }

/* Elements that are one text or one number: REC_LIST(struct x, names, n, MAX, &record_str). */
extern const struct record_type record_str;
extern const struct record_type record_i64;
extern const struct record_type record_u64;

/* --- both directions ---------------------------------------------------------------------------- */

/* Appends the record. ERR_NOMEM; ERR_LIMIT a list longer than its table says, or `b` is full. */
#define record_pack(type, rec, b) record_pack_sized((type), (rec), sizeof(*(rec)), (b))
/* The same as bytes of the arena. */
#define record_make(type, a, rec, ret_bytes)                                                       \
    record_make_sized((type), (a), (rec), sizeof(*(rec)), (ret_bytes))
/* Fills the members that the table names and leaves the others alone. Text borrows from `bytes`;
 * lists and pointed-to structs are the arena's, an empty list is a valid pointer. ERR_CORRUPT,
 * ERR_NOMEM; then the members named are left undefined (they are large: no second copy is made). */
#define record_unpack(type, a, bytes, rec)                                                         \
    record_unpack_sized((type), (a), (bytes), (rec), sizeof(*(rec)))
/* The same with text that lives in the arena: for bytes lent by an iterator or a cache. */
#define record_unpack_copy(type, a, bytes, rec)                                                    \
    record_unpack_copy_sized((type), (a), (bytes), (rec), sizeof(*(rec)))

/* Behind the macros, which say the struct's size so that a table of another struct is noticed. */
enum err record_pack_sized(const struct record_type *t, const void *rec, size_t size,
                           struct buf *b) WARN_UNUSED;
enum err record_make_sized(const struct record_type *t, struct arena *a, const void *rec,
                           size_t size, struct str *ret_bytes) WARN_UNUSED;
enum err record_unpack_sized(const struct record_type *t, struct arena *a, struct str bytes,
                             void *rec, size_t size) WARN_UNUSED;
enum err record_unpack_copy_sized(const struct record_type *t, struct arena *a, struct str bytes,
                                  void *rec, size_t size) WARN_UNUSED;

#endif
