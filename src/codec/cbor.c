/* CBOR reader: heads, and the tree. See cbor.h.
 *
 * Layer: codec. Thread: pure. */
#include "codec/cbor.h"

#include <assert.h>
#include <math.h>

/* Values of an initial byte's low five bits (RFC 8949 section 3). */
enum { INFO_1 = 24, INFO_2 = 25, INFO_4 = 26, INFO_8 = 27, INFO_INDEFINITE = 31 };

/* Major types of an initial byte's high three bits. */
enum { MAJOR_TAG = 6, MAJOR_SIMPLE = 7 };

/* --- heads ------------------------------------------------------------------------------------ */

static double half_to_f64(uint64_t bits)
{
    int exponent = (int)(bits >> 10 & 0x1f);
    double fraction = (double)(bits & 0x3ff), v;
    if (exponent == 0)
        v = ldexp(fraction, -24);
    else if (exponent == 31)
        v = fraction == 0 ? INFINITY : NAN;
    else
        v = ldexp(fraction + 1024, exponent - 25);
    return bits & 0x8000 ? -v : v;
}

static double float_of(int info, uint64_t bits)
{
    double d;
    float f;
    uint32_t low = (uint32_t)bits;
    if (info == INFO_2)
        return half_to_f64(bits);
    if (info == INFO_4) {
        memcpy(&f, &low, sizeof(f));
        return f;
    }
    memcpy(&d, &bits, sizeof(d));
    return d;
}

/* The argument behind an initial byte, big-endian; `info` itself up to 23. */
static enum err argument(struct str *in, int info, uint64_t *ret_v)
{
    uint64_t v = (uint64_t)info;
    if (info >= INFO_1) {
        size_t n = (size_t)1 << (info - INFO_1);
        if (info > INFO_8 || in->len < n)
            return ERR_INVALID;
        v = 0;
        for (size_t i = 0; i < n; i++)
            v = v << 8 | (unsigned char)in->p[i];
        *in = str_sub(*in, n, SIZE_MAX);
    }
    *ret_v = v;
    return ERR_OK;
}

static enum err simple_head(int info, uint64_t v, struct cbor_head *h)
{
    h->kind = CBOR_SIMPLE;
    if (info == INFO_1 && v < 32)
        return ERR_INVALID;
    if (info > INFO_1) {
        h->kind = CBOR_FLOAT;
        h->f = float_of(info, v);
    }
    return ERR_OK;
}

enum err cbor_next(struct str *in, struct cbor_head *ret_head)
{
    if (in->len == 0)
        return ERR_INVALID;
    struct str rest = str_sub(*in, 1, SIZE_MAX);
    int major = (unsigned char)in->p[0] >> 5, info = in->p[0] & 0x1f;
    struct cbor_head h = {.kind = (enum cbor_kind)major};
    if (info == INFO_INDEFINITE) {
        if (major < CBOR_BYTES || major == MAJOR_TAG)
            return ERR_INVALID;
        h.indefinite = major != MAJOR_SIMPLE;
        if (major == MAJOR_SIMPLE)
            h.kind = CBOR_BREAK;
    } else {
        TRY(argument(&rest, info, &h.v));
        if (major == MAJOR_SIMPLE)
            TRY(simple_head(info, h.v, &h));
        if (major == CBOR_BYTES || major == CBOR_TEXT) {
            if (h.v > rest.len)
                return ERR_INVALID;
            h.bytes = str_n(rest.p, (size_t)h.v);
            rest = str_sub(rest, (size_t)h.v, SIZE_MAX);
        }
    }
    assert(rest.len < in->len); /* so that every loop over heads ends */
    *in = rest;
    *ret_head = h;
    return ERR_OK;
}

/* --- tree ------------------------------------------------------------------------------------- */

struct parser {
    struct arena *arena;
    struct str in;
};

/* A container that is open. */
struct frame {
    struct json *container, *last;
    uint64_t left;   /* items; pairs of a map */
    bool indefinite; /* up to a break */
};

/* Chunks of an indefinite string (section 3.2.3), joined. */
static enum err chunks(struct parser *ps, enum cbor_kind kind, struct str *ret_s)
{
    struct cbor_head h;
    struct buf b;
    buf_init_arena(&b, ps->arena, ps->in.len);
    for (;;) {
        TRY(cbor_next(&ps->in, &h));
        if (h.kind == CBOR_BREAK)
            break;
        if (h.kind != kind || h.indefinite || (kind == CBOR_TEXT && !str_is_utf8(h.bytes)))
            return ERR_INVALID;
        buf_add_str(&b, h.bytes);
    }
    TRY(buf_err(&b));
    *ret_s = buf_str(&b);
    return ERR_OK;
}

static enum err string(struct parser *ps, const struct cbor_head *h, struct str *ret_s)
{
    if (h->indefinite)
        return chunks(ps, h->kind, ret_s);
    if (h->kind == CBOR_TEXT && !str_is_utf8(h->bytes))
        return ERR_INVALID;
    *ret_s = h->bytes;
    return ERR_OK;
}

static enum err number_text(struct parser *ps, const struct cbor_head *h, struct json *v)
{
    struct buf b;
    v->kind = JSON_NUMBER;
    if (h->kind == CBOR_FLOAT && !isfinite(h->f)) {
        v->text = isnan(h->f) ? STR("NaN") : h->f > 0 ? STR("Infinity") : STR("-Infinity");
        return ERR_OK;
    }
    buf_init_arena(&b, ps->arena, 64);
    if (h->kind == CBOR_FLOAT) {
        if (h->f == 0 && signbit(h->f))
            buf_add_byte(&b, '-');
        json_put_f64(&b, h->f);
    } else if (h->kind == CBOR_UINT) {
        buf_add_u64(&b, h->v);
    } else if (h->v == UINT64_MAX) { /* -1 - v has no 64 bits to stand in */
        BUF_ADD_LIT(&b, "-18446744073709551616");
    } else {
        buf_add_byte(&b, '-');
        buf_add_u64(&b, h->v + 1);
    }
    TRY(buf_err(&b));
    v->text = buf_str(&b);
    return ERR_OK;
}

static enum err simple(uint64_t which, struct json *v)
{
    switch (which) {
    case CBOR_FALSE:
    case CBOR_TRUE:
        v->kind = JSON_BOOL;
        v->b = which == CBOR_TRUE;
        return ERR_OK;
    case CBOR_NULL:
    case CBOR_UNDEFINED:
        v->kind = JSON_NULL;
        return ERR_OK;
    default:
        return ERR_UNSUPPORTED;
    }
}

/* Fills *v from a head that is no tag and no break; a container is only begun. */
static enum err item(struct parser *ps, const struct cbor_head *h, struct json *v)
{
    switch (h->kind) {
    case CBOR_UINT:
    case CBOR_NINT:
    case CBOR_FLOAT:
        return number_text(ps, h, v);
    case CBOR_BYTES:
    case CBOR_TEXT:
        v->kind = h->kind == CBOR_BYTES ? JSON_BYTES : JSON_STRING;
        return string(ps, h, &v->text);
    case CBOR_ARRAY:
    case CBOR_MAP:
        v->kind = h->kind == CBOR_ARRAY ? JSON_ARRAY : JSON_OBJECT;
        /* Every item takes a byte, a pair two: a count beyond that is a lie. */
        if (h->v > ps->in.len / (h->kind == CBOR_MAP ? 2 : 1))
            return ERR_INVALID;
        return ERR_OK;
    case CBOR_SIMPLE:
        return simple(h->v, v);
    case CBOR_TAG:
    case CBOR_BREAK:
        break;
    }
    return ERR_INVALID;
}

/* The next item without its tags; *ret_epoch: one of them was that of a time. */
static enum err untagged(struct parser *ps, struct cbor_head *ret_head, bool *ret_epoch)
{
    bool epoch = false;
    size_t n = 0;
    do {
        TRY(cbor_next(&ps->in, ret_head));
        epoch |= ret_head->kind == CBOR_TAG && ret_head->v == CBOR_TAG_EPOCH;
        if (n++ > JSON_DEPTH_MAX)
            return ERR_LIMIT;
    } while (ret_head->kind == CBOR_TAG);
    *ret_epoch = epoch;
    return ret_head->kind == CBOR_BREAK ? ERR_INVALID : ERR_OK;
}

static enum err key(struct parser *ps, struct str *ret_key)
{
    struct cbor_head h;
    TRY(cbor_next(&ps->in, &h));
    return h.kind == CBOR_TEXT ? string(ps, &h, ret_key) : ERR_INVALID;
}

/* Closes the containers that are full. A break ends an indefinite one. */
static void close_full(struct parser *ps, struct frame *stack, size_t *depth)
{
    while (*depth > 0) {
        struct frame *f = &stack[*depth - 1];
        bool at_break = ps->in.len > 0 && (unsigned char)ps->in.p[0] == 0xff;
        if (f->indefinite ? !at_break : f->left > 0)
            return;
        if (f->indefinite)
            ps->in = str_sub(ps->in, 1, SIZE_MAX);
        (*depth)--;
    }
}

/* Hangs a new node into the innermost open container, with its key there. */
static enum err hang(struct parser *ps, struct frame *f, struct json *v)
{
    assert(f->indefinite || f->left > 0); /* close_full leaves open what wants more */
    if (f->last)
        f->last->next = v;
    else
        f->container->child = v;
    f->last = v;
    f->container->n++;
    f->left -= !f->indefinite;
    return f->container->kind == JSON_OBJECT ? key(ps, &v->key) : ERR_OK;
}

enum err cbor_parse(struct arena *a, struct str bytes, struct json **ret_v)
{
    struct parser ps = {a, bytes};
    struct frame stack[JSON_DEPTH_MAX];
    struct json *root = NULL;
    size_t depth = 0;
    do {
        struct cbor_head h;
        bool epoch;
        struct json *v = ARENA_NEW(a, struct json);
        if (!v)
            return ERR_NOMEM;
        if (depth > 0)
            TRY(hang(&ps, &stack[depth - 1], v));
        else
            root = v;
        TRY(untagged(&ps, &h, &epoch));
        TRY(item(&ps, &h, v));
        if (epoch) {
            if (v->kind != JSON_NUMBER)
                return ERR_INVALID;
            v->b = true;
        }
        if (v->kind == JSON_ARRAY || v->kind == JSON_OBJECT) {
            if (depth == JSON_DEPTH_MAX)
                return ERR_LIMIT;
            stack[depth++] = (struct frame){v, NULL, h.v, h.indefinite};
        }
        close_full(&ps, stack, &depth);
    } while (depth > 0);
    assert(root);
    if (ps.in.len > 0)
        return ERR_INVALID;
    *ret_v = root;
    return ERR_OK;
}
