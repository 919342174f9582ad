/* See item.h. Layer: runtime/c. Pure. */
#include "item.h"

void item_put_s(struct json_out *o, const char *name, struct str value)
{
    json_key(o, str_c(name));
    json_open(o, '{');
    json_kv_str(o, STR("S"), value);
    json_close(o, '}');
}

void item_put_n(struct json_out *o, const char *name, int64_t value)
{
    json_key(o, str_c(name));
    json_open(o, '{');
    json_key(o, STR("N"));
    buf_add_byte(o->b, '"');
    buf_add_i64(o->b, value);
    buf_add_byte(o->b, '"');
    o->comma = true;
    json_close(o, '}');
}

struct str item_get_s(const struct json *item, const char *name)
{
    return json_get_str(json_get(item, str_c(name)), STR("S"));
}

int64_t item_get_n(const struct json *item, const char *name)
{
    struct str text = json_get_str(json_get(item, str_c(name)), STR("N"));
    int64_t v = 0;
    return str_is_set(text) && str_to_i64(text, &v) == ERR_OK ? v : 0;
}
