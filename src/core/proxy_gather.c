/* Texts that were gathered by name, and what both forms of events and answers share. See
 * proxy_event_int.h. Layer: core. Thread: pure. */
#include "core/proxy_event_int.h"

#include "base/clock.h"

enum err proxy_gather_init(struct proxy_gathered *g, struct arena *a, size_t max)
{
    *g = (struct proxy_gathered){.a = a, .v = ARENA_ARRAY(a, struct proxy_named, max + 1)};
    map_init(&g->by_name);
    return g->v ? ERR_OK : ERR_NOMEM;
}

enum err proxy_gather(struct proxy_gathered *g, struct str key, struct str name, struct str text)
{
    struct proxy_value *value = ARENA_NEW(g->a, struct proxy_value);
    struct proxy_named *named = map_get(&g->by_name, key);
    if (!value)
        return ERR_NOMEM;
    value->text = text;
    if (named) {
        named->last->next = value;
        named->last = value;
        return ERR_OK;
    }
    named = &g->v[g->n++];
    *named = (struct proxy_named){name, value, value};
    return map_put(&g->by_name, key, named, NULL);
}

struct str proxy_log_time(struct arena *a, int64_t ms)
{
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct civil c = clock_civil(ms);
    return str_fmt(a, "%02d/%s/%04d:%02d:%02d:%02d +0000", c.day, months[c.month - 1], c.year,
                   c.hour, c.minute, c.second);
}

bool proxy_is_token(struct str s)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        bool alnum = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        if (!alnum && (c == '\0' || !strchr(marks, c)))
            return false;
    }
    return s.len > 0;
}

enum err proxy_value_text(const struct json *v, struct str *ret_text)
{
    if (v->kind != JSON_STRING && v->kind != JSON_NUMBER && v->kind != JSON_BOOL)
        return ERR_INVALID;
    *ret_text = v->kind == JSON_BOOL ? v->b ? STR("true") : STR("false") : v->text;
    return ERR_OK;
}

enum err proxy_answer_parse(struct arena *a, struct str text, struct json **ret_doc)
{
    enum err err = json_parse(a, text, ret_doc, NULL);
    return err == ERR_LIMIT ? ERR_INVALID : err;
}

uint16_t proxy_port(const struct wire_request *req)
{
    struct str host = wire_header_get(req, STR("host"));
    size_t colon = str_rfind(host, ':');
    uint64_t port;
    if (colon == SIZE_MAX || str_to_u64(str_sub(host, colon + 1, SIZE_MAX), &port) != ERR_OK ||
        port > UINT16_MAX)
        return req->tls ? 443 : 80;
    return (uint16_t)port;
}
