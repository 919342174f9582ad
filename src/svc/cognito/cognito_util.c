/* Small things that the service's files share. Layer: svc/cognito. Thread: pure. */
#include "base/rng.h"
#include "codec/hex.h"
#include "svc/cognito/cognito_int.h"

enum { RANDOM_MAX = 256 };

struct str cognito_get(struct tag_list list, struct str key)
{
    for (size_t i = 0; i < list.n; i++)
        if (str_eq(list.v[i].key, key))
            return list.v[i].value;
    return STR_NONE;
}

bool cognito_has(const struct str *v, size_t n, struct str text)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(v[i], text))
            return true;
    return false;
}

struct str cognito_fold(struct arena *a, const struct cognito_pool *pool, struct str text)
{
    const struct cognito_username_configuration_type *c = pool->set.username_configuration;
    return c && c->has_case_sensitive && !c->case_sensitive ? str_lower(a, text) : text;
}

void cognito_put_map(struct json_out *o, struct tag_list list)
{
    json_open(o, '{');
    for (size_t i = 0; i < list.n; i++)
        json_kv_str(o, list.v[i].key, list.v[i].value);
    json_close(o, '}');
}

struct str cognito_json_map(struct arena *a, struct tag_list list)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, a, COGNITO_JSON_MAX);
    json_out_init(&o, &b);
    cognito_put_map(&o, list);
    return buf_err(&b) == ERR_OK ? buf_str(&b) : STR_NONE;
}

bool cognito_has_scope(struct str scopes, const char *scope)
{
    while (str_is_set(scopes))
        if (str_eq_c(str_cut(&scopes, ' '), scope))
            return true;
    return false;
}

enum err cognito_paged(struct call *call, enum err err)
{
    return err == ERR_INVALID ? COGNITO_INVALID(call, "Invalid pagination token given.") : err;
}

struct str cognito_random_hex(struct arena *a, size_t bytes)
{
    uint8_t random[RANDOM_MAX];
    rng_bytes(random, min_size(bytes, RANDOM_MAX));
    return hex_encode(a, random, min_size(bytes, RANDOM_MAX));
}

struct str cognito_random_text(struct arena *a, size_t len, const char *alphabet)
{
    char text[RANDOM_MAX + 1];
    rng_text(text, min_size(len, RANDOM_MAX), alphabet);
    return str_dup(a, str_n(text, min_size(len, RANDOM_MAX)));
}

struct str cognito_status_name(unsigned status)
{
    static const struct str names[COGNITO_STATUSES] = {
        [COGNITO_UNCONFIRMED] = STR_INIT("UNCONFIRMED"),
        [COGNITO_CONFIRMED] = STR_INIT("CONFIRMED"),
        [COGNITO_RESET_REQUIRED] = STR_INIT("RESET_REQUIRED"),
        [COGNITO_FORCE_CHANGE] = STR_INIT("FORCE_CHANGE_PASSWORD"),
    };
    return names[status];
}
