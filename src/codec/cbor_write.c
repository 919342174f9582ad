/* CBOR writer. See cbor.h.
 *
 * Layer: codec. Thread: pure. */
#include <assert.h>
#include <math.h>

#include "codec/cbor.h"

enum { MAJOR_SIMPLE = 7 };

static void put_big_endian(struct buf *b, uint64_t v, size_t n)
{
    char bytes[8];
    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)(v >> 8 * (n - 1 - i));
    assert(n <= sizeof(bytes));
    buf_add(b, bytes, n);
}

static void put_head(struct buf *b, int major, uint64_t v)
{
    size_t n = v < 24 ? 0 : v <= UINT8_MAX ? 1 : v <= UINT16_MAX ? 2 : v <= UINT32_MAX ? 4 : 8;
    static const char info[] = {[1] = 24, [2] = 25, [4] = 26, [8] = 27};
    buf_add_byte(b, (char)(major << 5 | (n ? info[n] : (int)v)));
    put_big_endian(b, v, n);
}

void cbor_put_u64(struct buf *b, uint64_t v)
{
    put_head(b, CBOR_UINT, v);
}

void cbor_put_i64(struct buf *b, int64_t v)
{
    if (v < 0)
        put_head(b, CBOR_NINT, ~(uint64_t)v); /* -1 - v without overflow */
    else
        put_head(b, CBOR_UINT, (uint64_t)v);
}

/* Bits of a half float that is exactly `f`; false when there is none. */
static bool half_of(float f, uint16_t *ret_bits)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof(bits));
    uint32_t sign = bits >> 16 & 0x8000, fraction = bits & 0x7fffff;
    int exponent = (int)(bits >> 23 & 0xff) - 127;
    if (f == 0 || isinf(f)) {
        *ret_bits = (uint16_t)(sign | (f == 0 ? 0 : 0x7c00));
        return true;
    }
    if (exponent >= -14 && exponent <= 15) {
        *ret_bits = (uint16_t)(sign | (uint32_t)(exponent + 15) << 10 | fraction >> 13);
        return (fraction & 0x1fff) == 0;
    }
    if (exponent < -24 || exponent > 15)
        return false;
    /* A subnormal half: the hidden bit shows, shifted right. */
    int shift = 13 + (-14 - exponent);
    uint32_t full = fraction | 0x800000;
    assert(shift > 13 && shift <= 24); /* of the 24 bits of `full` at most all go */
    *ret_bits = (uint16_t)(sign | full >> shift);
    return (full & ((1u << shift) - 1)) == 0;
}

void cbor_put_f64(struct buf *b, double v)
{
    uint16_t half;
    uint32_t single;
    uint64_t bits;
    if (isnan(v)) { /* one spelling for all of them */
        buf_add(b, "\xf9\x7e\x00", 3);
        return;
    }
    float f = fabs(v) <= 3.4028234663852886e38 || isinf(v) ? (float)v : 0;
    if (f == v && half_of(f, &half)) {
        buf_add_byte(b, '\xf9');
        put_big_endian(b, half, sizeof(half));
    } else if (f == v) {
        memcpy(&single, &f, sizeof(single));
        buf_add_byte(b, '\xfa');
        put_big_endian(b, single, sizeof(single));
    } else {
        memcpy(&bits, &v, sizeof(bits));
        buf_add_byte(b, '\xfb');
        put_big_endian(b, bits, sizeof(bits));
    }
}

void cbor_put_bool(struct buf *b, bool v)
{
    put_head(b, MAJOR_SIMPLE, v ? CBOR_TRUE : CBOR_FALSE);
}

void cbor_put_null(struct buf *b)
{
    put_head(b, MAJOR_SIMPLE, CBOR_NULL);
}

/* Length of the valid UTF-8 at the start of `s`. */
static size_t valid_prefix(struct str s)
{
    size_t lo = 0;
    while (lo < s.len) {
        size_t n = 1, max = min_size(4, s.len - lo);
        while (n <= max && !str_is_utf8(str_n(s.p + lo, n)))
            n++;
        if (n > max)
            break;
        lo += n;
    }
    return lo;
}

static void put_repaired(struct buf *b, struct str s)
{
    struct buf fixed;
    if (b->arena)
        buf_init_arena(&fixed, b->arena, b->max);
    else
        buf_init(&fixed, b->max);
    while (s.len > 0) {
        size_t n = valid_prefix(s);
        buf_add(&fixed, s.p, n);
        if (n < s.len)
            BUF_ADD_LIT(&fixed, "\xef\xbf\xbd");
        s = str_sub(s, min_size(n + 1, s.len), SIZE_MAX);
    }
    if (buf_err(&fixed) != ERR_OK && b->err == ERR_OK)
        b->err = buf_err(&fixed);
    put_head(b, CBOR_TEXT, fixed.len);
    buf_add(b, fixed.p, fixed.len);
    buf_release(&fixed);
}

void cbor_put_text(struct buf *b, struct str s)
{
    if (!str_is_utf8(s)) {
        put_repaired(b, s);
        return;
    }
    put_head(b, CBOR_TEXT, s.len);
    buf_add_str(b, s);
}

void cbor_put_bytes(struct buf *b, struct str s)
{
    put_head(b, CBOR_BYTES, s.len);
    buf_add_str(b, s);
}

void cbor_put_array(struct buf *b, size_t n)
{
    put_head(b, CBOR_ARRAY, n);
}

void cbor_put_map(struct buf *b, size_t pairs)
{
    put_head(b, CBOR_MAP, pairs);
}

void cbor_put_tag(struct buf *b, uint64_t tag)
{
    put_head(b, CBOR_TAG, tag);
}

void cbor_put_time(struct buf *b, int64_t ms)
{
    cbor_put_tag(b, CBOR_TAG_EPOCH);
    if (ms % 1000 == 0)
        cbor_put_i64(b, ms / 1000);
    else
        cbor_put_f64(b, (double)ms / 1000);
}

/* --- trees ------------------------------------------------------------------------------------ */

static void put_number(struct buf *b, const struct json *v)
{
    int64_t i;
    double f = 0;
    if (v->b)
        cbor_put_tag(b, CBOR_TAG_EPOCH);
    if (str_eq(v->text, STR("NaN")))
        cbor_put_f64(b, NAN);
    else if (str_ends(v->text, STR("Infinity")))
        cbor_put_f64(b, v->text.p[0] == '-' ? -INFINITY : INFINITY);
    else if (json_to_i64(v, &i) == ERR_OK)
        cbor_put_i64(b, i);
    else if (json_to_f64(v, &f) == ERR_OK)
        cbor_put_f64(b, f);
    else /* no double is that large: JSON has numbers without bounds */
        cbor_put_f64(b, v->text.p[0] == '-' ? -INFINITY : INFINITY);
}

/* Recursion is bounded: no parsed tree is deeper than JSON_DEPTH_MAX. */
void cbor_put_tree(struct buf *b, const struct json *v)
{
    switch (v->kind) {
    case JSON_NULL:
        cbor_put_null(b);
        break;
    case JSON_BOOL:
        cbor_put_bool(b, v->b);
        break;
    case JSON_NUMBER:
        put_number(b, v);
        break;
    case JSON_STRING:
        cbor_put_text(b, v->text);
        break;
    case JSON_BYTES:
        cbor_put_bytes(b, v->text);
        break;
    case JSON_ARRAY:
        cbor_put_array(b, v->n);
        JSON_EACH (v, it)
            cbor_put_tree(b, it);
        break;
    case JSON_OBJECT:
        cbor_put_map(b, v->n);
        JSON_EACH (v, it) {
            cbor_put_text(b, it->key);
            cbor_put_tree(b, it);
        }
        break;
    }
}
