/* Python's spellings of values: the published translator is written in it, and both its messages and the
 * names of what it makes hold texts that Python wrote. Names must not differ, or every stack that moves
 * between here and AWS would get new versions and deployments of what did not change.
 *
 * The order of a Python 2.7 dictionary is that of its table: open addressing by a multiplicative hash
 * of the bytes, which grows by four when it is two thirds full. A member that was deleted leaves its place taken
 * until then, so what sam_drop took away is put in and taken out again.
 *
 * Layer: template. Thread: pure. */
#include "codec/hash.h"
#include "codec/hex.h"
#include "template/sam_int.h"

enum { SAM_REPR_MAX = 8 * 1024 * 1024 };

const char *sam_type_name(const struct json *v)
{
    if (!v)
        return "NoneType";
    switch (v->kind) {
    case JSON_BOOL:
        return "bool";
    case JSON_NUMBER:
        for (size_t i = 0; i < v->text.len; i++)
            if (v->text.p[i] == '.' || v->text.p[i] == 'e' || v->text.p[i] == 'E')
                return "float";
        return "int";
    case JSON_STRING:
        return "str";
    case JSON_ARRAY:
        return "list";
    case JSON_OBJECT:
        return "dict";
    default:
        return "NoneType";
    }
}

static uint32_t next_code_point(const char **p, const char *end)
{
    unsigned char c = (unsigned char)*(*p)++;
    int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
    uint32_t code = more == 3 ? c & 7u : more == 2 ? c & 15u : more == 1 ? c & 31u : c;
    for (; more > 0 && *p < end; more--)
        code = code << 6 | ((unsigned char)*(*p)++ & 63u);
    return code;
}

static void put_text(struct buf *b, struct str text, bool py27)
{
    char quote = str_find(text, '\'') != SIZE_MAX && str_find(text, '"') == SIZE_MAX ? '"' : '\'';
    const char *p = text.p, *end = text.p + text.len;
    buf_add_byte(b, quote);
    while (p < end) {
        const char *from = p;
        uint32_t c = next_code_point(&p, end);
        if (c == (uint32_t)quote || c == '\\')
            buf_add_fmt(b, "\\%c", (int)c);
        else if (c == '\n' || c == '\r' || c == '\t')
            buf_add_c(b, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
        else if (c < 32 || c == 127 || (py27 && c > 127 && c < 256))
            buf_add_fmt(b, "\\x%02x", c);
        else if (py27 && c >= 0x10000)
            buf_add_fmt(b, "\\U%08x", c);
        else if (py27 && c >= 256)
            buf_add_fmt(b, "\\u%04x", c);
        else
            buf_add(b, from, (size_t)(p - from));
    }
    buf_add_byte(b, quote);
}

static uint64_t py27_hash(struct str s)
{
    if (s.len == 0)
        return 0;
    uint64_t x = (uint64_t)(unsigned char)s.p[0] << 7;
    for (size_t i = 0; i < s.len; i++)
        x = (1000003u * x) ^ (unsigned char)s.p[i];
    x ^= s.len;
    return x == UINT64_MAX ? UINT64_MAX - 1 : x;
}

/* A dictionary's table. */
struct table27 {
    const struct json **slots; /* NULL: never taken; &deleted: taken once */
    size_t size, fill, used;   /* fill: with those that were deleted */
};

static const struct json deleted;

static void place(struct table27 *t, const struct json *v)
{
    uint64_t hash = py27_hash(v->key), i = hash;
    const struct json **at = NULL;
    for (uint64_t perturb = hash;; perturb >>= 5) {
        const struct json **slot = &t->slots[i & (t->size - 1)];
        if (!at && (!*slot || *slot == &deleted))
            at = slot;
        if (!*slot)
            break;
        i = i * 5 + perturb + 1;
    }
    t->fill += !*at;
    t->used++;
    *at = v;
}

static void take_out(struct table27 *t, struct str key)
{
    for (size_t i = 0; i < t->size; i++)
        if (t->slots[i] && str_eq(t->slots[i]->key, key)) {
            t->slots[i] = &deleted;
            t->used--;
        }
}

static void put_in(struct sam *s, struct table27 *t, const struct json *v)
{
    place(t, v);
    if (t->fill * 3 < t->size * 2)
        return;
    size_t wanted = t->used * (t->used > 50000 ? 2 : 4), grown = 8;
    while (grown <= wanted)
        grown *= 2;
    struct table27 next = {ARENA_ARRAY(s->a, const struct json *, grown), grown, 0, 0};
    for (size_t i = 0; next.slots && i < t->size; i++)
        if (t->slots[i] && t->slots[i] != &deleted)
            place(&next, t->slots[i]);
    *t = next;
}

/* What happened to a dictionary, in its order: members put in, and some taken out again. */
struct step27 {
    const struct json *v;
    bool out;
};

/* The place after `n` members were put in. */
static size_t after_in(const struct step27 *steps, size_t len, uint32_t n)
{
    size_t i = 0;
    for (; i < len && n > 0; i++)
        n -= !steps[i].out;
    return i;
}

static void insert(struct step27 *steps, size_t *len, size_t at, struct step27 step)
{
    for (size_t i = (*len)++; i > at; i--)
        steps[i] = steps[i - 1];
    steps[at] = step;
}

/* Those that were deleted last first: then members that were there at the time are all that have been put back. */
static struct step27 *steps_of(struct sam *s, const struct json *v, size_t *ret_n)
{
    size_t len = 0;
    struct step27 *steps =
        ARENA_ARRAY(s->a, struct step27, (size_t)v->n + 2 * (size_t)s->n_dropped);
    if (!steps)
        return NULL;
    JSON_EACH (v, it)
        steps[len++] = (struct step27){it, false};
    for (const struct sam_dropped *d = s->dropped; d; d = d->earlier) {
        if (d->from != v)
            continue;
        insert(steps, &len, after_in(steps, len, d->there), (struct step27){d->member, true});
        insert(steps, &len, after_in(steps, len, d->index), (struct step27){d->member, false});
    }
    *ret_n = len;
    return steps;
}

static const struct json **members27(struct sam *s, const struct json *v, size_t *ret_size)
{
    size_t n = 0;
    struct table27 t = {ARENA_ARRAY(s->a, const struct json *, 8), 8, 0, 0};
    const struct step27 *steps = steps_of(s, v, &n);
    for (size_t i = 0; steps && i < n && t.slots; i++)
        if (steps[i].out)
            take_out(&t, steps[i].v->key);
        else
            put_in(s, &t, steps[i].v);
    for (size_t i = 0; t.slots && i < t.size; i++)
        if (t.slots[i] == &deleted)
            t.slots[i] = NULL;
    *ret_size = t.size;
    return t.slots;
}

void sam_drop(struct sam *s, struct json *obj, const char *key)
{
    struct json *member = json_at(obj, str_c(key));
    struct sam_dropped *d = member ? ARENA_NEW(s->a, struct sam_dropped) : NULL;
    if (!d)
        return;
    *d = (struct sam_dropped){s->dropped, obj, member, 0, obj->n - 1};
    for (const struct json *it = obj->child; it != member; it = it->next)
        d->index++;
    s->dropped = d;
    s->n_dropped++;
    json_unset(obj, str_c(key));
}

static void put_value(struct sam *s, struct buf *b, const struct json *v, bool py27);

static void put_member(struct sam *s, struct buf *b, const struct json *v, bool py27, bool comma)
{
    if (comma)
        BUF_ADD_LIT(b, ", ");
    if (py27 && !sam_own_key(v))
        buf_add_byte(b, 'u');
    put_text(b, v->key, py27);
    BUF_ADD_LIT(b, ": ");
    put_value(s, b, v, py27);
}

static void put_map(struct sam *s, struct buf *b, const struct json *v, bool py27)
{
    bool comma = false;
    buf_add_byte(b, '{');
    if (py27 && !sam_plain_order(v)) {
        size_t size = 0;
        const struct json **table = members27(s, v, &size);
        for (size_t i = 0; table && i < size; i++) {
            if (!table[i])
                continue;
            put_member(s, b, table[i], true, comma);
            comma = true;
        }
    } else {
        JSON_EACH (v, it) {
            put_member(s, b, it, py27, comma);
            comma = true;
        }
    }
    buf_add_byte(b, '}');
}

static void put_value(struct sam *s, struct buf *b, const struct json *v, bool py27)
{
    switch (v ? v->kind : JSON_NULL) {
    case JSON_BOOL:
        buf_add_c(b, v->b ? "True" : "False");
        return;
    case JSON_NUMBER:
        buf_add_str(b, v->text);
        return;
    case JSON_STRING:
        if (py27 && !sam_own_text(v))
            buf_add_byte(b, 'u');
        put_text(b, v->text, py27);
        return;
    case JSON_ARRAY:
        buf_add_byte(b, '[');
        JSON_EACH (v, it) {
            put_value(s, b, it, py27);
            if (it->next)
                BUF_ADD_LIT(b, ", ");
        }
        buf_add_byte(b, ']');
        return;
    case JSON_OBJECT:
        put_map(s, b, v, py27);
        return;
    default:
        BUF_ADD_LIT(b, "None");
    }
}

static struct str spelled(struct sam *s, const struct json *v, bool py27)
{
    struct buf b;
    buf_init_arena(&b, s->a, SAM_REPR_MAX);
    put_value(s, &b, v, py27);
    return buf_str(&b);
}

struct str sam_repr(struct sam *s, const struct json *v)
{
    return spelled(s, v, false);
}

struct str sam_repr27(struct sam *s, const struct json *v)
{
    return spelled(s, v, true);
}

static void dump_text(struct buf *b, struct str text)
{
    const char *p = text.p, *end = text.p + text.len;
    buf_add_byte(b, '"');
    while (p < end) {
        uint32_t c = next_code_point(&p, end);
        static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
        const char *at = c && c < 128 ? strchr(escaped, (int)c) : NULL;
        if (at)
            buf_add_fmt(b, "\\%c", letters[at - escaped]);
        else if (c >= 0x10000)
            buf_add_fmt(b, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10), 0xdc00 + (c & 0x3ff));
        else if (c < 32 || c > 126)
            buf_add_fmt(b, "\\u%04x", c);
        else
            buf_add_byte(b, (char)c);
    }
    buf_add_byte(b, '"');
}

static void dump(struct buf *b, const struct json *v);

/* Members by key, the least that is greater than the last first: maps here are small. */
static void dump_map(struct buf *b, const struct json *v)
{
    const struct json *last = NULL;
    for (;;) {
        const struct json *least = NULL;
        JSON_EACH (v, it)
            if ((!last || str_cmp(it->key, last->key) > 0) &&
                (!least || str_cmp(it->key, least->key) < 0))
                least = it;
        if (!least)
            return;
        if (last)
            buf_add_byte(b, ',');
        dump_text(b, least->key);
        buf_add_byte(b, ':');
        dump(b, least);
        last = least;
    }
}

static void dump(struct buf *b, const struct json *v)
{
    switch (v ? v->kind : JSON_NULL) {
    case JSON_STRING:
        dump_text(b, v->text);
        return;
    case JSON_ARRAY:
        buf_add_byte(b, '[');
        JSON_EACH (v, it) {
            dump(b, it);
            if (it->next)
                buf_add_byte(b, ',');
        }
        buf_add_byte(b, ']');
        return;
    case JSON_OBJECT:
        buf_add_byte(b, '{');
        dump_map(b, v);
        buf_add_byte(b, '}');
        return;
    default:
        json_put(b, v);
    }
}

struct str sam_dump(struct sam *s, const struct json *v)
{
    struct buf b;
    buf_init_arena(&b, s->a, SAM_REPR_MAX);
    dump(&b, v);
    return buf_str(&b);
}

static void dump27(struct sam *s, struct buf *b, const struct json *v)
{
    size_t size = 0;
    bool comma = false;
    const struct json **table = v->kind == JSON_OBJECT ? members27(s, v, &size) : NULL;
    if (v->kind != JSON_OBJECT && v->kind != JSON_ARRAY) {
        dump(b, v);
        return;
    }
    buf_add_byte(b, table ? '{' : '[');
    for (size_t i = 0; table && i < size; i++) {
        if (!table[i])
            continue;
        buf_add_c(b, comma ? ", " : "");
        dump_text(b, table[i]->key);
        BUF_ADD_LIT(b, ": ");
        dump27(s, b, table[i]);
        comma = true;
    }
    JSON_EACH (table ? NULL : v, it) {
        dump27(s, b, it);
        buf_add_c(b, it->next ? ", " : "");
    }
    buf_add_byte(b, table ? '}' : ']');
}

struct str sam_dump27(struct sam *s, const struct json *v)
{
    struct buf b;
    buf_init_arena(&b, s->a, SAM_REPR_MAX);
    dump27(s, &b, v);
    return buf_str(&b);
}

struct str sam_hash(struct sam *s, struct str text, size_t n)
{
    uint8_t digest[HASH_SHA1_LEN];
    hash_once(HASH_SHA1, text.p, text.len, digest);
    return str_sub(hex_encode(s->a, digest, sizeof(digest)), 0, n);
}
