/* ImportApiKeys: keys from a CSV file (RFC 4180) with a head line of Name, Key, Description, Enabled and
 * UsageplanIds, in any order and case. Layer: svc/apigateway.
 * Source: API Gateway developer guide, "API Gateway API key file format". */
#include "svc/apigateway/op_key_int.h"

enum { LINES_MAX = 1000, COLUMNS = 5 };

enum column { NAME, VALUE, DESCRIPTION, ENABLED, PLANS, OTHER };
static const char *const columns[COLUMNS] = {"name", "key", "description", "enabled",
                                             "usageplanids"};

struct reading {
    struct call *call;
    struct str rest;
    enum column of[COLUMNS]; /* by place in the line */
    size_t n;
    struct json *ids, *warnings;
};

/* The next field; *ret_last: it ended its line. Quotes are taken off. ERR_INVALID. */
static enum err field(struct reading *r, struct str *ret, bool *ret_last)
{
    struct buf b;
    size_t i = 0;
    buf_init_arena(&b, r->call->arena, r->rest.len + 1);
    bool quoted = r->rest.len && r->rest.p[0] == '"';
    for (i = quoted; i < r->rest.len; i++) {
        char c = r->rest.p[i];
        if (quoted && c == '"') {
            if (i + 1 == r->rest.len || r->rest.p[i + 1] != '"')
                break;
            i++;
        } else if (!quoted && (c == ',' || c == '\n' || c == '\r')) {
            break;
        }
        buf_add_byte(&b, c);
    }
    if (quoted && i++ == r->rest.len)
        return ERR_INVALID;
    *ret = buf_str(&b);
    TRY(buf_err(&b));
    r->rest = str_sub(r->rest, i, SIZE_MAX);
    *ret_last = str_empty(r->rest) || r->rest.p[0] != ',';
    if (str_starts(r->rest, STR("\r\n")))
        r->rest = str_sub(r->rest, 1, SIZE_MAX);
    if (!str_empty(r->rest) && r->rest.p[0] != ',' && r->rest.p[0] != '\n')
        return ERR_INVALID;
    r->rest = str_sub(r->rest, 1, SIZE_MAX);
    return ERR_OK;
}

static enum err bad_line(struct call *call, size_t line)
{
    return APIGATEWAY_BAD(call, "Invalid CSV: line %zu is not well formed", line);
}

static enum err head(struct reading *r)
{
    bool last = false, has_key = false;
    struct str text;
    while (!last) {
        enum err err = r->n < COLUMNS ? field(r, &text, &last) : ERR_INVALID;
        if (err == ERR_INVALID)
            return bad_line(r->call, 1);
        TRY(err);
        enum column c = NAME;
        while (c < OTHER && !str_eq_nocase(str_trim(text), str_c(columns[c])))
            c++;
        if (c == OTHER)
            return APIGATEWAY_BAD(r->call, "Invalid CSV: unknown column '" STR_FMT "'",
                                  STR_ARG(text));
        has_key |= c == VALUE;
        r->of[r->n++] = c;
    }
    return has_key ? ERR_OK : APIGATEWAY_BAD(r->call, "Invalid CSV: column key is missing");
}

static enum err join_plans(struct reading *r, struct usage_key *key, struct str ids)
{
    while (str_is_set(ids)) {
        struct usage_plan plan;
        struct str id = str_trim(str_cut(&ids, ','));
        if (str_empty(id))
            continue;
        TRY(keys_plan_need(r->call, id, &plan));
        TRY(keys_member_add(r->call, &plan, key));
    }
    return ERR_OK;
}

static enum err line(struct reading *r, size_t number)
{
    struct str v[OTHER] = {STR_NONE};
    bool last = false;
    for (size_t i = 0; !last; i++) {
        struct str text;
        enum err err = i < r->n ? field(r, &text, &last) : ERR_INVALID;
        if (err == ERR_INVALID)
            return bad_line(r->call, number);
        TRY(err);
        v[r->of[i]] = text;
    }
    struct usage_key key = {
        .name = v[NAME],
        .description = v[DESCRIPTION],
        .enabled = str_eq_nocase(str_trim(v[ENABLED]), STR("true")),
    };
    TRY(keys_add(r->call, &key, str_is_set(v[VALUE]) ? v[VALUE] : STR("")));
    TRY(join_plans(r, &key, v[PLANS]));
    return json_push(r->ids, json_new_str(r->call->arena, key.id));
}

enum err apigateway_import_api_keys(struct call *call,
                                    const struct apigateway_import_api_keys_input *in,
                                    struct apigateway_import_api_keys_output *out)
{
    struct reading r = {.call = call,
                        .rest = str_trim(in->body),
                        .ids = json_new(call->arena, JSON_ARRAY),
                        .warnings = json_new(call->arena, JSON_ARRAY)};
    struct json *doc = json_new(call->arena, JSON_OBJECT);
    if (!doc || !r.ids)
        return ERR_NOMEM;
    TRY(head(&r));
    for (size_t n = 2; !str_empty(r.rest); n++) {
        if (n > LINES_MAX + 1)
            return call_error(call, &apigateway_err_limit_exceeded_exception,
                              "A file can have at most %d API keys.", LINES_MAX);
        TRY(line(&r, n));
    }
    TRY(json_set(doc, STR("ids"), r.ids));
    TRY(json_set(doc, STR("warnings"), r.warnings));
    return apigateway_show(call, doc, out);
}
