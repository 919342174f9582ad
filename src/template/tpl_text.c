/* Functions on values that are known: Join, Split, Select, Base64, Cidr, GetAZs. See tpl_int.h.
 * Layer: template. Thread: pure. */
#include <arpa/inet.h>

#include "base/buf.h"
#include "codec/base64.h"
#include "codec/json_edit.h"
#include "template/tpl_int.h"

enum {
    CIDR_COUNT_MAX = 256,
    ZONES = 3,           /* that a region has here: a, b, c */
    LOOKS_OF_A_STEP = 8, /* members that are looked at in the time of a step */
};

enum err tpl_step(struct tpl_run *r)
{
    return ++r->steps > TPL_STEPS_MAX ? tpl_refuse(r->a, r->fault, "Template error: " TPL_SAY_WORK)
                                      : ERR_OK;
}

enum err tpl_look(struct tpl_run *r, size_t n)
{
    r->steps += n / LOOKS_OF_A_STEP;
    return tpl_step(r);
}

enum err tpl_made(struct tpl_run *r, size_t bytes)
{
    r->made += bytes;
    return r->made > TPL_MADE_BYTES_MAX
               ? tpl_refuse(r->a, r->fault, "Template error: the template makes too much text.")
               : ERR_OK;
}

static enum err give_text(struct tpl_run *r, struct str text, struct json **ret_v)
{
    *ret_v = str_is_set(text) ? json_new_str(r->a, text) : NULL;
    return *ret_v ? ERR_OK : ERR_NOMEM;
}

/* --- text ---------------------------------------------------------------------------------------- */

static enum err not_joinable(struct tpl_run *r)
{
    return tpl_refuse(r->a, r->fault, "Template error: " TPL_SAY_JOIN);
}

enum err tpl_text_join(struct tpl_run *r, struct str delimiter, const struct json *list,
                       struct json **ret_v)
{
    struct buf b;
    if (!list || list->kind != JSON_ARRAY)
        return not_joinable(r);
    buf_init_arena(&b, r->a, TPL_MADE_BYTES_MAX);
    JSON_EACH (list, it) {
        struct str s = tpl_scalar(it);
        if (!str_is_set(s))
            return not_joinable(r);
        TRY(tpl_made(r, s.len + delimiter.len));
        if (it != list->child)
            buf_add_str(&b, delimiter);
        buf_add_str(&b, s);
    }
    TRY(buf_err(&b));
    return give_text(r, buf_str(&b), ret_v);
}

enum err tpl_text_split(struct tpl_run *r, struct str delimiter, struct str source,
                        struct json **ret_v)
{
    if (!delimiter.len)
        return tpl_refuse(r->a, r->fault, "Template error: " TPL_SAY_SPLIT);
    struct json *list = json_new(r->a, JSON_ARRAY);
    struct json **tail = list ? &list->child : NULL;
    for (bool more = list != NULL; more;) {
        size_t at = str_find_str(source, delimiter);
        more = at != SIZE_MAX;
        TRY(tpl_step(r));
        *tail = json_new_str(r->a, str_sub(source, 0, at));
        if (!*tail)
            return ERR_NOMEM;
        tail = &(*tail)->next;
        list->n++;
        if (more)
            source = str_sub(source, at + delimiter.len, SIZE_MAX);
    }
    *ret_v = list;
    return list ? ERR_OK : ERR_NOMEM;
}

enum err tpl_text_select(struct tpl_run *r, const struct json *index, const struct json *list,
                         struct json **ret_v)
{
    uint64_t i;
    if (!list || list->kind != JSON_ARRAY || str_to_u64(tpl_scalar(index), &i) != ERR_OK)
        return tpl_refuse(r->a, r->fault, "Template error: " TPL_SAY_SELECT);
    const struct json *v = i < list->n ? tpl_item(list, (size_t)i) : NULL;
    if (!v)
        return tpl_refuse(
            r->a, r->fault,
            "Template error: Fn::Select cannot select nonexistent value at index " STR_FMT,
            STR_ARG(tpl_scalar(index)));
    *ret_v = json_copy(r->a, v);
    return *ret_v ? ERR_OK : ERR_NOMEM;
}

enum err tpl_text_base64(struct tpl_run *r, struct str text, struct json **ret_v)
{
    TRY(tpl_made(r, base64_encoded_len(text.len)));
    return give_text(r, base64_encode(r->a, text.p ? text.p : "", text.len), ret_v);
}

/* --- networks ------------------------------------------------------------------------------------ */

struct block {
    int family;
    size_t bits;       /* of an address */
    uint8_t bytes[16]; /* in network order */
    size_t prefix;
};

static bool parse_block(struct arena *a, struct str s, struct block *b)
{
    struct str rest = s;
    const char *address = str_cstr(a, str_cut(&rest, '/'));
    uint64_t prefix;
    if (!address || str_to_u64(rest, &prefix) != ERR_OK)
        return false;
    b->family = str_find(s, ':') != SIZE_MAX ? AF_INET6 : AF_INET;
    b->bits = b->family == AF_INET6 ? 128 : 32;
    b->prefix = (size_t)prefix;
    return prefix <= b->bits && inet_pton(b->family, address, b->bytes) == 1;
}

/* Sets the bits from `from` on to 0, then adds `n` at the bit in front of `to`. */
static void place(struct block *b, size_t from, size_t to, uint32_t n)
{
    for (size_t i = from; i < b->bits; i++)
        b->bytes[i / 8] &= (uint8_t) ~(0x80 >> (i % 8));
    for (size_t i = to; i-- > from && n; n >>= 1)
        if (n & 1)
            b->bytes[i / 8] |= (uint8_t)(0x80 >> (i % 8));
}

static enum err put_blocks(struct tpl_run *r, struct block *b, size_t to, uint32_t count,
                           struct json **ret_v)
{
    struct json *list = json_new(r->a, JSON_ARRAY);
    struct json **tail = list ? &list->child : NULL;
    for (uint32_t i = 0; list && i < count; i++) {
        char text[INET6_ADDRSTRLEN];
        place(b, b->prefix, to, i);
        if (!inet_ntop(b->family, b->bytes, text, sizeof(text)))
            return ERR_NOMEM;
        struct str s = str_fmt(r->a, "%s/%zu", text, to);
        *tail = str_is_set(s) ? json_new_str(r->a, s) : NULL;
        if (!*tail)
            return ERR_NOMEM;
        tail = &(*tail)->next;
        list->n++;
    }
    *ret_v = list;
    return list ? ERR_OK : ERR_NOMEM;
}

enum err tpl_text_cidr(struct tpl_run *r, const struct json *args, struct json **ret_v)
{
    struct block b = {0};
    uint64_t count, bits;
    if (!args || args->kind != JSON_ARRAY || args->n != 3)
        return tpl_refuse(r->a, r->fault, "Template error: " TPL_SAY_CIDR);
    struct str block = tpl_scalar(args->child);
    if (!parse_block(r->a, block, &b))
        return tpl_refuse(r->a, r->fault,
                          "Template error: Fn::Cidr: " STR_FMT " is not a valid CIDR block.",
                          STR_ARG(block));
    if (str_to_u64(tpl_scalar(tpl_item(args, 1)), &count) != ERR_OK || count < 1 ||
        count > CIDR_COUNT_MAX)
        return tpl_refuse(r->a, r->fault,
                          "Template error: Fn::Cidr: the count must be a number from 1 to %d.",
                          CIDR_COUNT_MAX);
    size_t to = 0;
    if (str_to_u64(tpl_scalar(tpl_item(args, 2)), &bits) == ERR_OK && bits >= 1 && bits <= b.bits)
        to = b.bits - (size_t)bits;
    /* 2^(to - prefix) blocks fit. */
    if (to < b.prefix || !to || (to - b.prefix < 9 && count > (1u << (to - b.prefix))))
        return tpl_refuse(
            r->a, r->fault,
            "Template error: Fn::Cidr: " STR_FMT " has not %llu blocks of " STR_FMT " bits.",
            STR_ARG(block), (unsigned long long)count, STR_ARG(tpl_scalar(tpl_item(args, 2))));
    return put_blocks(r, &b, to, (uint32_t)count, ret_v);
}

enum err tpl_text_zones(struct tpl_run *r, struct str region, struct json **ret_v)
{
    struct json *list = json_new(r->a, JSON_ARRAY);
    if (!region.len)
        region = r->t->world->region;
    for (int i = 0; list && i < ZONES; i++) {
        struct str zone = str_fmt(r->a, STR_FMT "%c", STR_ARG(region), 'a' + i);
        if (!str_is_set(zone))
            return ERR_NOMEM;
        TRY(json_push(list, json_new_str(r->a, zone)));
    }
    *ret_v = list;
    return list ? ERR_OK : ERR_NOMEM;
}
