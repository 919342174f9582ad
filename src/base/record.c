/* One interpreter of record tables for both directions. See record.h. Layer: base. Thread: pure. */
#include "base/record.h"

#include <assert.h>

#include "base/pack.h"

enum { VARINT_BYTES_MAX = 10, F64_BYTES = 8 };

static const struct record_field str_fields[] = {{.kind = RECORD_STR, .size = sizeof(struct str)}};
static const struct record_field i64_fields[] = {{.kind = RECORD_INT, .size = sizeof(int64_t)}};
static const struct record_field u64_fields[] = {{.kind = RECORD_UINT, .size = sizeof(uint64_t)}};
const struct record_type record_str = RECORD_TYPE(struct str, 1, str_fields);
const struct record_type record_i64 = RECORD_TYPE(int64_t, 1, i64_fields);
const struct record_type record_u64 = RECORD_TYPE(uint64_t, 1, u64_fields);

/* What an empty list points to: valid, aligned, never written since it has no elements. */
static _Alignas(ARENA_ALIGN) char no_elements[ARENA_ALIGN];

/* --- members ------------------------------------------------------------------------------------ */

static uint64_t load_uint(const void *p, uint32_t size)
{
    switch (size) {
    case 1:
        return *(const uint8_t *)p;
    case 2:
        return *(const uint16_t *)p;
    case 4:
        return *(const uint32_t *)p;
    default:
        assert(size == 8);
        return *(const uint64_t *)p;
    }
}

static int64_t load_int(const void *p, uint32_t size)
{
    switch (size) {
    case 1:
        return *(const int8_t *)p;
    case 2:
        return *(const int16_t *)p;
    case 4:
        return *(const int32_t *)p;
    default:
        assert(size == 8);
        return *(const int64_t *)p;
    }
}

/* The low bytes of `v`: signed and unsigned alike in two's complement. */
static void store_int(void *p, uint32_t size, uint64_t v)
{
    switch (size) {
    case 1:
        *(uint8_t *)p = (uint8_t)v;
        break;
    case 2:
        *(uint16_t *)p = (uint16_t)v;
        break;
    case 4:
        *(uint32_t *)p = (uint32_t)v;
        break;
    default:
        assert(size == 8);
        *(uint64_t *)p = v;
    }
}

static const void *load_ptr(const void *at)
{
    const void *p;
    memcpy(&p, at, sizeof(p)); /* pointers to any type have one representation here */
    return p;
}

static void store_ptr(void *at, const void *p)
{
    memcpy(at, &p, sizeof(p));
}

/* --- packing ------------------------------------------------------------------------------------ */

struct packer {
    struct buf *b;
    unsigned depth;
    bool over; /* a list is longer than its table says */
};

static void pack_fields(struct packer *p, const struct record_type *t, const char *rec);

static void pack_elements(struct packer *p, const struct record_field *f, const char *elements,
                          size_t n)
{
    assert(f->size == f->of->size);
    if (n > f->max) {
        p->over = true;
        return;
    }
    pack_uint(p->b, n);
    for (size_t i = 0; i < n; i++)
        pack_fields(p, f->of, elements + i * f->size);
}

static void pack_f64(struct buf *b, double v)
{
    uint64_t bits;
    char bytes[F64_BYTES];
    memcpy(&bits, &v, sizeof(bits));
    for (int i = 0; i < F64_BYTES; i++)
        bytes[i] = (char)(bits >> (8 * i));
    buf_add(b, bytes, sizeof(bytes));
}

static void pack_field(struct packer *p, const struct record_field *f, const char *rec)
{
    const char *at = rec + f->offset;
    size_t n;
    switch (f->kind) {
    case RECORD_ENUM:
        assert(load_uint(at, f->size) < f->max); /* of our own making */
        /* fall through */
    case RECORD_UINT:
        pack_uint(p->b, load_uint(at, f->size));
        break;
    case RECORD_INT:
        pack_int(p->b, load_int(at, f->size));
        break;
    case RECORD_BOOL:
        pack_u8(p->b, *(const bool *)at);
        break;
    case RECORD_F64:
        pack_f64(p->b, *(const double *)at);
        break;
    case RECORD_STR:
        pack_str(p->b, *(const struct str *)at);
        break;
    case RECORD_BYTES:
        buf_add(p->b, at, f->size);
        break;
    case RECORD_STRUCT:
        pack_fields(p, f->of, at);
        break;
    case RECORD_PTR:
        pack_u8(p->b, load_ptr(at) != NULL);
        if (load_ptr(at))
            pack_fields(p, f->of, load_ptr(at));
        break;
    case RECORD_LIST:
    case RECORD_ARRAY:
        memcpy(&n, rec + f->count_offset, sizeof(n));
        pack_elements(p, f, f->kind == RECORD_LIST ? load_ptr(at) : at, n);
        break;
    }
}

static void pack_fields(struct packer *p, const struct record_type *t, const char *rec)
{
    if (p->depth == RECORD_DEPTH_MAX) {
        p->over = true;
        return;
    }
    p->depth++;
    assert(t->n > 0);
    for (uint32_t i = 0; i < t->n; i++)
        pack_field(p, &t->fields[i], rec);
    p->depth--;
}

enum err record_pack_sized(const struct record_type *t, const void *rec, size_t size, struct buf *b)
{
    assert(size == t->size && t->version > 0);
    struct packer p = {.b = b};
    pack_u8(b, t->version);
    pack_fields(&p, t, rec);
    return p.over ? ERR_LIMIT : buf_err(b);
}

/* About what a record takes, so that its buffer seldom grows: exact enough where long text is a
 * direct member. */
static size_t size_hint(const struct record_type *t, const char *rec)
{
    size_t sum = 1;
    for (uint32_t i = 0; i < t->n; i++) {
        const struct record_field *f = &t->fields[i];
        sum += VARINT_BYTES_MAX;
        if (f->kind == RECORD_STR)
            sum += ((const struct str *)(rec + f->offset))->len;
        else if (f->kind == RECORD_BYTES || f->kind == RECORD_STRUCT)
            sum += f->size;
    }
    return sum;
}

enum err record_make_sized(const struct record_type *t, struct arena *a, const void *rec,
                           size_t size, struct str *ret_bytes)
{
    struct buf b;
    buf_init_arena(&b, a, RECORD_BYTES_MAX);
    (void)buf_reserve(&b, size_hint(t, rec)); /* its failure sticks to the buffer */
    TRY(record_pack_sized(t, rec, size, &b));
    *ret_bytes = buf_str(&b);
    return ERR_OK;
}

/* --- unpacking ---------------------------------------------------------------------------------- */

struct unpacker {
    struct unpack u;
    struct arena *a;
    uint8_t version;
    unsigned depth;
    bool no_memory;
};

static void unpack_fields(struct unpacker *p, const struct record_type *t, char *rec);

static void unpack_uint_into(struct unpacker *p, const struct record_field *f, void *at)
{
    uint64_t v = unpack_uint(&p->u);
    bool fits = f->size == 8 || v >> (8 * f->size) == 0;
    if (!fits || (f->kind == RECORD_ENUM && v >= f->max)) {
        p->u.bad = true;
        v = 0;
    }
    assert(f->kind == RECORD_UINT || f->max > 0); /* an enum without values has no zero either */
    store_int(at, f->size, v);
}

static void unpack_int_into(struct unpacker *p, const struct record_field *f, void *at)
{
    int64_t v = unpack_int(&p->u);
    store_int(at, f->size, (uint64_t)v);
    if (load_int(at, f->size) != v)
        p->u.bad = true;
}

static bool unpack_flag(struct unpacker *p)
{
    uint8_t v = unpack_u8(&p->u);
    if (v > 1)
        p->u.bad = true;
    return v == 1;
}

/* The next n bytes, or NULL. */
static const char *take(struct unpacker *p, size_t n)
{
    if (p->u.bad || p->u.rest.len < n) {
        p->u.bad = true;
        return NULL;
    }
    const char *at = p->u.rest.p;
    p->u.rest = str_sub(p->u.rest, n, p->u.rest.len);
    return at;
}

static double unpack_f64(struct unpacker *p)
{
    const char *bytes = take(p, F64_BYTES);
    uint64_t bits = 0;
    double v;
    for (int i = 0; bytes && i < F64_BYTES; i++)
        bits |= (uint64_t)(uint8_t)bytes[i] << (8 * i);
    memcpy(&v, &bits, sizeof(v));
    return v;
}

static void unpack_bytes(struct unpacker *p, const struct record_field *f, void *at)
{
    const char *bytes = take(p, f->size);
    if (bytes)
        memcpy(at, bytes, f->size);
    else
        memset(at, 0, f->size);
}

static void unpack_ptr(struct unpacker *p, const struct record_field *f, void *at)
{
    assert(f->size == f->of->size);
    store_ptr(at, NULL);
    if (!unpack_flag(p) || p->u.bad)
        return;
    void *to = arena_calloc(p->a, 1, f->size);
    p->no_memory |= !to;
    store_ptr(at, to);
    if (to)
        unpack_fields(p, f->of, to);
}

static void unpack_elements(struct unpacker *p, const struct record_field *f, char *rec)
{
    assert(f->size == f->of->size && f->of->n > 0);
    uint64_t n = unpack_uint(&p->u);
    /* An element takes a byte at least: no count makes an allocation that its bytes do not pay. */
    if (n > f->max || n > p->u.rest.len) {
        p->u.bad = true;
        n = 0;
    }
    char *elements = rec + f->offset;
    if (f->kind == RECORD_LIST) {
        elements = n ? arena_calloc(p->a, (size_t)n, f->size) : no_elements;
        if (!elements) {
            p->no_memory = true;
            n = 0;
        }
        store_ptr(rec + f->offset, elements);
    }
    size_t count = (size_t)n;
    memcpy(rec + f->count_offset, &count, sizeof(count));
    for (size_t i = 0; i < count && !p->u.bad && !p->no_memory; i++)
        unpack_fields(p, f->of, elements + i * f->size);
}

static void unpack_field(struct unpacker *p, const struct record_field *f, char *rec)
{
    char *at = rec + f->offset;
    switch (f->kind) {
    case RECORD_UINT:
    case RECORD_ENUM:
        unpack_uint_into(p, f, at);
        break;
    case RECORD_INT:
        unpack_int_into(p, f, at);
        break;
    case RECORD_BOOL:
        *(bool *)at = unpack_flag(p);
        break;
    case RECORD_F64:
        *(double *)at = unpack_f64(p);
        break;
    case RECORD_STR:
        *(struct str *)at = unpack_str(&p->u);
        break;
    case RECORD_BYTES:
        unpack_bytes(p, f, at);
        break;
    case RECORD_STRUCT:
        unpack_fields(p, f->of, at);
        break;
    case RECORD_PTR:
        unpack_ptr(p, f, at);
        break;
    case RECORD_LIST:
    case RECORD_ARRAY:
        unpack_elements(p, f, rec);
        break;
    }
}

/* A field that the record's version did not have yet (RC2). */
static void absent_field(const struct record_field *f, char *rec)
{
    if (f->kind == RECORD_LIST)
        store_ptr(rec + f->offset, no_elements);
    else if (f->kind == RECORD_PTR)
        store_ptr(rec + f->offset, NULL);
    else if (f->kind != RECORD_ARRAY)
        memset(rec + f->offset, 0, f->size);
    if (f->kind == RECORD_LIST || f->kind == RECORD_ARRAY)
        memset(rec + f->count_offset, 0, sizeof(size_t));
}

static void unpack_fields(struct unpacker *p, const struct record_type *t, char *rec)
{
    if (p->depth == RECORD_DEPTH_MAX) {
        p->u.bad = true;
        return;
    }
    p->depth++;
    for (uint32_t i = 0; i < t->n; i++) {
        if (t->fields[i].since > p->version)
            absent_field(&t->fields[i], rec);
        else
            unpack_field(p, &t->fields[i], rec);
    }
    p->depth--;
}

enum err record_unpack_sized(const struct record_type *t, struct arena *a, struct str bytes,
                             void *rec, size_t size)
{
    assert(size == t->size && t->version > 0);
    struct unpacker p = {.a = a};
    unpack_init(&p.u, bytes);
    p.version = unpack_u8(&p.u);
    if (p.version == 0 || p.version > t->version)
        return ERR_CORRUPT;
    assert(p.depth == 0);
    unpack_fields(&p, t, rec);
    if (p.no_memory)
        return ERR_NOMEM;
    return unpack_more(&p.u) ? ERR_CORRUPT : unpack_end(&p.u);
}

enum err record_unpack_copy_sized(const struct record_type *t, struct arena *a, struct str bytes,
                                  void *rec, size_t size)
{
    struct str copy = str_dup(a, bytes);
    if (str_is_set(bytes) && !str_is_set(copy))
        return ERR_NOMEM;
    return record_unpack_sized(t, a, copy, rec, size);
}
