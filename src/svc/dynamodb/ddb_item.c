#include "svc/dynamodb/ddb_item.h"

#include <assert.h>

enum {
    ITEM_VERSION = 1,
    /* Trees made by list_append and nested SET may grow past DDB_DEPTH_MAX only up to the check
     * before the write; what is stored never nests deeper than this. */
    STORED_DEPTH_MAX = DDB_DEPTH_MAX + 2,
};

/* --- writing ---------------------------------------------------------------------------------- */

static size_t uint_len(uint64_t v)
{
    size_t n = 1;
    while (v >= 0x80) {
        v >>= 7;
        n++;
    }
    return n;
}

static uint8_t *put_uint(uint8_t *p, uint64_t v)
{
    while (v >= 0x80) {
        *p++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    return p;
}

static uint8_t *put_bytes(uint8_t *p, struct str s)
{
    p = put_uint(p, s.len);
    if (s.len)
        memcpy(p, s.p, s.len);
    return p + s.len;
}

static size_t value_len(const struct ddb_av *v);

/* Encoded elements of a container, without the counts before them. */
static size_t payload_len(const struct ddb_av *v)
{
    size_t len = 0;
    for (const struct ddb_av *c = v->child; c; c = c->next) {
        if (v->type == DDB_M)
            len += uint_len(c->name.len) + c->name.len;
        len += ddb_type_is_set(v->type) ? uint_len(c->s.len) + c->s.len : value_len(c);
    }
    return len;
}

static size_t value_len(const struct ddb_av *v)
{
    switch (v->type) {
    case DDB_S:
    case DDB_N:
    case DDB_B:
        return 1 + uint_len(v->s.len) + v->s.len;
    case DDB_BOOL:
        return 2;
    case DDB_NULL:
        return 1;
    default:
        break;
    }
    size_t payload = payload_len(v);
    return 1 + uint_len(payload) + uint_len(v->n) + payload;
}

static uint8_t *put_value(uint8_t *p, const struct ddb_av *v);

static uint8_t *put_payload(uint8_t *p, const struct ddb_av *v)
{
    assert(v->type == DDB_M || v->type == DDB_L || ddb_type_is_set(v->type));
    for (const struct ddb_av *c = v->child; c; c = c->next) {
        if (v->type == DDB_M)
            p = put_bytes(p, c->name);
        p = ddb_type_is_set(v->type) ? put_bytes(p, c->s) : put_value(p, c);
    }
    return p;
}

static uint8_t *put_value(uint8_t *p, const struct ddb_av *v)
{
    *p++ = (uint8_t)v->type;
    switch (v->type) {
    case DDB_S:
    case DDB_N:
    case DDB_B:
        return put_bytes(p, v->s);
    case DDB_BOOL:
        *p++ = v->b;
        return p;
    case DDB_NULL:
        return p;
    default:
        break;
    }
    p = put_uint(p, payload_len(v));
    p = put_uint(p, v->n);
    return put_payload(p, v);
}

enum err ddb_item_encode(struct arena *a, const struct ddb_av *item, size_t size,
                         struct str *ret_raw)
{
    assert(item->type == DDB_M);
    size_t len = 1 + uint_len(size) + uint_len(item->n) + payload_len(item);
    uint8_t *start = arena_alloc(a, len);
    if (!start)
        return ERR_NOMEM;
    uint8_t *p = start;
    *p++ = ITEM_VERSION;
    p = put_uint(p, size);
    p = put_uint(p, item->n);
    p = put_payload(p, item);
    assert((size_t)(p - start) == len);
    *ret_raw = str_n((const char *)start, len);
    return ERR_OK;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Sticky: after a bad field everything reads as empty. */
struct cursor {
    const uint8_t *p;
    const uint8_t *end;
    bool bad;
};

static uint8_t take_u8(struct cursor *c)
{
    if (c->p == c->end) {
        c->bad = true;
        return 0;
    }
    return *c->p++;
}

static uint64_t take_uint(struct cursor *c)
{
    if (c->p < c->end && *c->p < 0x80)
        return *c->p++;
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint8_t b = take_u8(c);
        v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80)
            return v;
    }
    c->bad = true;
    return 0;
}

static struct str take_bytes(struct cursor *c)
{
    uint64_t len = take_uint(c);
    if (c->bad || len > (size_t)(c->end - c->p)) {
        c->bad = true;
        return STR("");
    }
    struct str s = str_n((const char *)c->p, (size_t)len);
    c->p += len;
    return s;
}

static enum err open_item(struct str raw, struct cursor *ret_c, uint64_t *ret_size,
                          uint64_t *ret_count)
{
    struct cursor c = {(const uint8_t *)raw.p, (const uint8_t *)raw.p + raw.len, false};
    if (take_u8(&c) != ITEM_VERSION)
        return ERR_CORRUPT;
    *ret_size = take_uint(&c);
    *ret_count = take_uint(&c);
    *ret_c = c;
    return c.bad ? ERR_CORRUPT : ERR_OK;
}

enum err ddb_item_raw_size(struct str raw, size_t *ret_size)
{
    struct cursor c = {(const uint8_t *)raw.p, (const uint8_t *)raw.p + raw.len, false};
    uint8_t version = take_u8(&c);
    uint64_t size = take_uint(&c);
    if (c.bad || (version != ITEM_VERSION && version != DDB_SEALED_VERSION))
        return ERR_CORRUPT;
    *ret_size = (size_t)size;
    return ERR_OK;
}

/* Splits a container's payload off the cursor. */
static struct cursor take_payload(struct cursor *c, uint64_t *ret_count)
{
    uint64_t len = take_uint(c);
    *ret_count = take_uint(c);
    if (c->bad || len > (size_t)(c->end - c->p)) {
        c->bad = true;
        *ret_count = 0;
        return (struct cursor){c->end, c->end, true};
    }
    struct cursor in = {c->p, c->p + len, false};
    c->p += len;
    return in;
}

static void skip_value(struct cursor *c)
{
    uint64_t count;
    switch ((enum ddb_type)take_u8(c)) {
    case DDB_S:
    case DDB_N:
    case DDB_B:
        (void)take_bytes(c);
        return;
    case DDB_BOOL:
        (void)take_u8(c);
        return;
    case DDB_NULL:
        return;
    case DDB_L:
    case DDB_M:
    case DDB_SS:
    case DDB_NS:
    case DDB_BS:
        (void)take_payload(c, &count);
        return;
    }
    c->bad = true;
}

static enum err decode_value(struct arena *a, struct cursor *c, int depth, struct ddb_av **ret_av);

static enum err decode_members(struct arena *a, struct cursor *c, struct ddb_av *v, uint64_t count,
                               int depth)
{
    for (uint64_t i = 0; i < count; i++) {
        struct ddb_av *e;
        struct str name = v->type == DDB_M ? take_bytes(c) : STR_NONE;
        if (c->bad)
            return ERR_CORRUPT;
        if (ddb_type_is_set(v->type)) {
            e = ddb_av_new(a, ddb_set_element(v->type));
            if (!e)
                return ERR_NOMEM;
            e->s = take_bytes(c);
        } else {
            TRY(decode_value(a, c, depth, &e));
        }
        if (c->bad)
            return ERR_CORRUPT;
        e->name = name;
        ddb_av_append(v, e);
    }
    assert(v->n == count);
    return ERR_OK;
}

static enum err decode_value(struct arena *a, struct cursor *c, int depth, struct ddb_av **ret_av)
{
    struct ddb_av *v = ddb_av_new(a, (enum ddb_type)take_u8(c));
    uint64_t count;
    if (!v)
        return ERR_NOMEM;
    *ret_av = v;
    switch (v->type) {
    case DDB_S:
    case DDB_N:
    case DDB_B:
        v->s = take_bytes(c);
        return c->bad ? ERR_CORRUPT : ERR_OK;
    case DDB_BOOL:
        v->b = take_u8(c) != 0;
        return c->bad ? ERR_CORRUPT : ERR_OK;
    case DDB_NULL:
        return ERR_OK;
    case DDB_L:
    case DDB_M:
    case DDB_SS:
    case DDB_NS:
    case DDB_BS: {
        struct cursor in = take_payload(c, &count);
        if (in.bad || depth >= STORED_DEPTH_MAX)
            return ERR_CORRUPT;
        return decode_members(a, &in, v, count, depth + 1);
    }
    }
    return ERR_CORRUPT;
}

enum err ddb_item_decode(struct arena *a, struct str raw, struct ddb_av **ret_item)
{
    struct cursor c;
    uint64_t size, count;
    TRY(open_item(raw, &c, &size, &count));
    struct ddb_av *item = ddb_av_new(a, DDB_M);
    if (!item)
        return ERR_NOMEM;
    TRY(decode_members(a, &c, item, count, 0));
    *ret_item = item;
    return ERR_OK;
}

enum err ddb_item_find(struct arena *a, struct str raw, struct str name, struct ddb_av **ret_av)
{
    struct cursor c;
    uint64_t size, count;
    TRY(open_item(raw, &c, &size, &count));
    for (uint64_t i = 0; i < count; i++) {
        struct str n = take_bytes(&c);
        if (c.bad)
            return ERR_CORRUPT;
        if (str_eq(n, name)) {
            TRY(decode_value(a, &c, 0, ret_av));
            (*ret_av)->name = n;
            return ERR_OK;
        }
        skip_value(&c);
    }
    return c.bad ? ERR_CORRUPT : ERR_NOT_FOUND;
}

static enum err put_value_json(struct buf *b, struct cursor *c, int depth);

static enum err put_members_json(struct buf *b, struct cursor *c, uint64_t count, int depth)
{
    buf_add_byte(b, '{');
    for (uint64_t i = 0; i < count; i++) {
        if (i)
            buf_add_byte(b, ',');
        json_put_str(b, take_bytes(c));
        buf_add_byte(b, ':');
        TRY(put_value_json(b, c, depth));
    }
    buf_add_byte(b, '}');
    return c->bad ? ERR_CORRUPT : ERR_OK;
}

/* A set's element is written as its scalar without the {"S": } around it, a list's with. */
static enum err put_elements_json(struct buf *b, struct cursor *c, enum ddb_type type,
                                  uint64_t count, int depth)
{
    static const char *const heads[] = {[DDB_L] = "{\"L\":[",
                                        [DDB_SS] = "{\"SS\":[",
                                        [DDB_NS] = "{\"NS\":[",
                                        [DDB_BS] = "{\"BS\":["};
    assert(type == DDB_L || ddb_type_is_set(type));
    buf_add_c(b, heads[type]);
    for (uint64_t i = 0; i < count; i++) {
        if (i)
            buf_add_byte(b, ',');
        if (type == DDB_L)
            TRY(put_value_json(b, c, depth));
        else
            ddb_scalar_put_text(b, ddb_set_element(type), take_bytes(c));
        if (c->bad)
            return ERR_CORRUPT;
    }
    BUF_ADD_LIT(b, "]}");
    return ERR_OK;
}

static enum err put_value_json(struct buf *b, struct cursor *c, int depth)
{
    enum ddb_type type = (enum ddb_type)take_u8(c);
    uint64_t count;
    switch (type) {
    case DDB_S:
    case DDB_N:
    case DDB_B:
        ddb_scalar_put_json(b, type, take_bytes(c));
        return c->bad ? ERR_CORRUPT : ERR_OK;
    case DDB_BOOL:
        buf_add_c(b, take_u8(c) ? "{\"BOOL\":true}" : "{\"BOOL\":false}");
        return c->bad ? ERR_CORRUPT : ERR_OK;
    case DDB_NULL:
        BUF_ADD_LIT(b, "{\"NULL\":true}");
        return ERR_OK;
    case DDB_L:
    case DDB_M:
    case DDB_SS:
    case DDB_NS:
    case DDB_BS: {
        struct cursor in = take_payload(c, &count);
        if (in.bad || depth >= STORED_DEPTH_MAX)
            return ERR_CORRUPT;
        if (type != DDB_M)
            return put_elements_json(b, &in, type, count, depth + 1);
        BUF_ADD_LIT(b, "{\"M\":");
        TRY(put_members_json(b, &in, count, depth + 1));
        buf_add_byte(b, '}');
        return ERR_OK;
    }
    }
    return ERR_CORRUPT;
}

enum err ddb_item_raw_put_json(struct buf *b, struct str raw)
{
    struct cursor c;
    uint64_t size, count;
    TRY(open_item(raw, &c, &size, &count));
    return put_members_json(b, &c, count, 0);
}
