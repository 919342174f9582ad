/* Equality of JSON values as JSON Schema means it (draft 4 core, section 3.6). As deep as the JSON
 * parser lets values be. */
#include "lang/equal.h"

#include "lang/decimal.h"

static bool equal_numbers(struct str a, struct str b)
{
    struct decimal x, y;
    if (decimal_parse(a, &x) != ERR_OK || decimal_parse(b, &y) != ERR_OK)
        return str_eq(a, b);
    return decimal_cmp(&x, &y) == 0;
}

static bool equal_objects(const struct json *a, const struct json *b, size_t *steps)
{
    if (a->n != b->n)
        return false;
    JSON_EACH (a, it) {
        *steps += b->n;
        const struct json *other = *steps > EQUAL_STEPS_MAX ? NULL : json_get(b, it->key);
        if (!other || !value_equal(it, other, steps))
            return false;
    }
    return true;
}

bool value_equal(const struct json *a, const struct json *b, size_t *steps)
{
    ++*steps;
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case JSON_NULL:
        return true;
    case JSON_BOOL:
        return a->b == b->b;
    case JSON_NUMBER:
        return equal_numbers(a->text, b->text);
    case JSON_STRING:
        return str_eq(a->text, b->text);
    case JSON_OBJECT:
        return equal_objects(a, b, steps);
    default:
        break;
    }
    const struct json *y = b->child;
    if (a->n != b->n)
        return false;
    JSON_EACH (a, x) {
        if (!value_equal(x, y, steps))
            return false;
        y = y->next;
    }
    return true;
}

static uint64_t mix(uint64_t h)
{
    h = (h ^ h >> 31) * 0x9e3779b97f4a7c15ull;
    return h ^ h >> 29;
}

/* Of the value: sign, magnitude and how many digits there are tell most numbers apart; the rest is
 * the first nine digits. */
static uint64_t hash_number(struct str text)
{
    struct decimal d;
    if (decimal_parse(text, &d) != ERR_OK)
        return str_hash(text);
    struct decimal head = d;
    int64_t digits;
    head.n = min_size(d.n, 9);
    head.mag = 9;
    if (decimal_scaled(&head, 0, &digits) != ERR_OK)
        digits = 0;
    return mix((uint64_t)d.mag * 131 + d.n) ^ mix((uint64_t)digits);
}

uint64_t value_hash(const struct json *v, size_t *steps)
{
    uint64_t h = v->kind + 1;
    ++*steps;
    switch (v->kind) {
    case JSON_BOOL:
        return mix(h * 7 + v->b);
    case JSON_NUMBER:
        return mix(h ^ hash_number(v->text));
    case JSON_STRING:
        return mix(h ^ str_hash(v->text));
    case JSON_ARRAY:
        JSON_EACH (v, it)
            h = mix(h) + value_hash(it, steps);
        return mix(h);
    case JSON_OBJECT: /* a sum: the order of members does not matter */
        JSON_EACH (v, it)
            h += mix(str_hash(it->key) ^ mix(value_hash(it, steps)));
        return mix(h);
    default:
        return mix(h);
    }
}
