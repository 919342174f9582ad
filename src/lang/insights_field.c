/* What an event has by a field's name: the fixed fields, those of the lines that Lambda writes, and the
 * members of JSON by their paths.
 *
 * Source: CloudWatch Logs User Guide, "Supported logs and discovered fields". */
#include "lang/insights_int.h"

/* "REPORT RequestId: <uuid>\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\t..." */
static const struct report {
    const char *field, *label;
    double scale; /* sizes are told in bytes, of a million */
} reports[] = {
    {"@duration", "\tDuration: ", 1},
    {"@billedDuration", "\tBilled Duration: ", 1},
    {"@initDuration", "\tInit Duration: ", 1},
    {"@memorySize", "\tMemory Size: ", 1e6},
    {"@maxMemoryUsed", "\tMax Memory Used: ", 1e6},
};

enum { UUID_LEN = 36 };

static struct ins_value report_field(struct str message, const struct report *r)
{
    double n;
    size_t at = str_find_str(message, str_c(r->label));
    if (!str_starts(message, STR("REPORT RequestId: ")) || at == SIZE_MAX)
        return (struct ins_value){0};
    struct str rest = str_sub(message, at + strlen(r->label), SIZE_MAX);
    if (str_to_f64(str_cut(&rest, ' '), &n) != ERR_OK)
        return (struct ins_value){0};
    return ins_number(n * r->scale);
}

static struct ins_value line_type(struct str message)
{
    static const char *const types[] = {"START", "END", "REPORT"};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct str type = str_c(types[i]);
        if (str_starts(message, type) &&
            str_starts(str_sub(message, type.len, SIZE_MAX), STR(" RequestId: ")))
            return ins_text(type);
    }
    return (struct ins_value){0};
}

static bool is_uuid(struct str s)
{
    bool yes = s.len >= UUID_LEN;
    for (size_t i = 0; yes && i < UUID_LEN; i++)
        yes = i == 8 || i == 13 || i == 18 || i == 23 ? s.p[i] == '-'
                                                      : strchr("0123456789abcdef", s.p[i]) != NULL;
    return yes;
}

/* Of Lambda's own lines, and of a runtime's: "<time>\t<uuid>\tINFO\t...". */
static struct ins_value request_id(struct str message)
{
    size_t at = line_type(message).kind == INS_TEXT ? str_find_str(message, STR("RequestId: ")) : 0;
    struct str rest = str_sub(message, at + (at ? strlen("RequestId: ") : 0), SIZE_MAX);
    if (at == 0 && str_find(rest, '\t') != SIZE_MAX)
        rest = str_sub(rest, str_find(rest, '\t') + 1, SIZE_MAX);
    return is_uuid(rest) ? ins_text(str_sub(rest, 0, UUID_LEN)) : (struct ins_value){0};
}

static struct ins_value trace_id(struct str message)
{
    size_t at = str_find_str(message, STR("XRAY TraceId: "));
    struct str rest =
        str_sub(message, at == SIZE_MAX ? SIZE_MAX : at + strlen("XRAY TraceId: "), SIZE_MAX);
    return rest.len ? ins_text(str_cut(&rest, '\t')) : (struct ins_value){0};
}

static enum err fixed_field(const struct ins_parts *p, struct str name, struct ins_value *ret)
{
    const struct insights_event *e = p->event;
    if (str_eq_c(name, "@timestamp"))
        *ret = ins_time((double)e->timestamp_ms);
    else if (str_eq_c(name, "@ingestionTime"))
        *ret = ins_time((double)e->ingested_ms);
    else if (str_eq_c(name, "@message"))
        *ret = ins_text(e->message);
    else if (str_eq_c(name, "@logStream"))
        *ret = ins_text(e->stream);
    else if (str_eq_c(name, "@aws.account"))
        *ret = ins_text(e->account);
    else if (str_eq_c(name, "@aws.region"))
        *ret = ins_text(e->region);
    else if (str_eq_c(name, "@requestId"))
        *ret = request_id(e->message);
    else if (str_eq_c(name, "@type"))
        *ret = line_type(e->message);
    else if (str_eq_c(name, "@xrayTraceId"))
        *ret = trace_id(e->message);
    else if (str_eq_c(name, "@log")) {
        *ret = ins_text(str_fmt(p->a, STR_FMT ":" STR_FMT, STR_ARG(e->account), STR_ARG(e->group)));
        return ret->kind == INS_TEXT ? ERR_OK : ERR_NOMEM;
    }
    for (size_t i = 0; ret->kind == INS_ABSENT && i < ARRAY_LEN(reports); i++)
        if (str_eq_c(name, reports[i].field))
            *ret = report_field(e->message, &reports[i]);
    return ERR_OK;
}

/* --- JSON ------------------------------------------------------------------------------------------- */

/* The first object in a line of text, as far as brackets tell. */
static struct str fragment(struct str s)
{
    size_t from = str_find(s, '{'), depth = 0;
    bool quoted = false;
    for (size_t i = from; i < s.len; i++) {
        char c = s.p[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && c == '{')
            depth++;
        else if (!quoted && c == '}' && --depth == 0)
            return str_sub(s, from, i + 1 - from);
    }
    return STR("");
}

/* A message that is an object; of functions also the first object in a line of text. */
static enum err parse_message(struct ins_parts *p)
{
    struct str s = str_trim(p->event->message);
    struct json *v;
    p->parsed = true;
    if (s.len > 0 && s.p[0] != '{' && str_starts(p->event->group, STR("/aws/lambda/")))
        s = fragment(s);
    if (s.len == 0 || s.p[0] != '{' || s.p[s.len - 1] != '}')
        return ERR_OK;
    enum err err = json_parse(p->a, s, &v, NULL);
    if (err == ERR_OK)
        p->json = v;
    return err == ERR_NOMEM ? err : ERR_OK;
}

const struct json *ins_json_child(const struct json *v, struct str name)
{
    uint64_t at;
    if (v->kind == JSON_OBJECT)
        return json_get(v, name);
    if (v->kind != JSON_ARRAY || str_to_u64(name, &at) != ERR_OK || at >= v->n)
        return NULL;
    const struct json *it = v->child;
    while (at-- > 0)
        it = it->next;
    return it;
}

/* Names of members may have points: the longest that leads on. A node is reached in one way at most, so the
 * cost is that of the members passed, times the points. */
const struct json *ins_json_by_path(const struct json *v, struct str path)
{
    for (size_t n = path.len; n > 0; n--) {
        if (n < path.len && path.p[n] != '.')
            continue;
        const struct json *at = ins_json_child(v, str_sub(path, 0, n));
        if (at && n < path.len)
            at = ins_json_by_path(at, str_sub(path, n + 1, SIZE_MAX));
        if (at)
            return at;
    }
    return NULL;
}

struct ins_value ins_scalar(const struct json *v)
{
    if (!v || v->kind == JSON_NULL)
        return (struct ins_value){0};
    if (v->kind == JSON_BOOL)
        return ins_bool(v->b);
    return ins_text(v->kind == JSON_ARRAY || v->kind == JSON_OBJECT ? v->raw : v->text);
}

enum err ins_field(struct ins_parts *p, struct str name, struct ins_value *ret)
{
    *ret = (struct ins_value){0};
    if (str_starts(name, STR("@@"))) /* a member whose own name begins so */
        name = str_sub(name, 1, SIZE_MAX);
    else if (str_starts(name, STR("@")))
        return fixed_field(p, name, ret);
    if (!p->parsed)
        TRY(parse_message(p));
    if (p->json)
        *ret = ins_scalar(ins_json_by_path(p->json, name));
    return ERR_OK;
}

/* --- all of them ------------------------------------------------------------------------------------ */

struct finding {
    struct arena *a;
    struct insights_field *v;
    size_t n;
};

static enum err found(struct finding *f, struct str name, const struct ins_value *v)
{
    if (v->kind == INS_ABSENT || f->n == INSIGHTS_DISCOVERED_MAX)
        return ERR_OK;
    f->v[f->n] = (struct insights_field){name, ins_show(f->a, v)};
    return str_is_set(f->v[f->n++].value) ? ERR_OK : ERR_NOMEM;
}

static enum err leaves(struct finding *f, const struct json *v, struct str path)
{
    size_t i = 0;
    if ((v->kind != JSON_OBJECT && v->kind != JSON_ARRAY) || v->n == 0) {
        struct ins_value value = ins_scalar(v);
        return found(f, path, &value);
    }
    JSON_EACH (v, it) {
        struct str name = v->kind == JSON_OBJECT ? it->key : str_fmt(f->a, "%zu", i++);
        if (path.len == 0 && str_starts(name, STR("@")))
            name = str_fmt(f->a, "@" STR_FMT, STR_ARG(name));
        else if (path.len > 0)
            name = str_fmt(f->a, STR_FMT "." STR_FMT, STR_ARG(path), STR_ARG(name));
        if (!str_is_set(name))
            return ERR_NOMEM;
        if (f->n < INSIGHTS_DISCOVERED_MAX)
            TRY(leaves(f, it, name));
    }
    return ERR_OK;
}

enum err insights_discover(struct arena *a, const struct insights_event *e,
                           struct insights_field **ret_fields, size_t *ret_n)
{
    static const char *const fixed[] = {
        "@timestamp",  "@ingestionTime", "@message",     "@logStream",      "@log",
        "@requestId",  "@type",          "@duration",    "@billedDuration", "@initDuration",
        "@memorySize", "@maxMemoryUsed", "@xrayTraceId",
    };
    struct ins_parts p = {.event = e, .a = a};
    struct finding f = {.a = a,
                        .v = ARENA_ARRAY(a, struct insights_field, INSIGHTS_DISCOVERED_MAX)};
    struct ins_value v;
    if (!f.v)
        return ERR_NOMEM;
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        v = (struct ins_value){0};
        TRY(fixed_field(&p, str_c(fixed[i]), &v));
        if (v.kind == INS_TIME)
            v.kind = INS_NUMBER;
        TRY(found(&f, str_c(fixed[i]), &v));
    }
    TRY(parse_message(&p));
    if (p.json)
        TRY(leaves(&f, p.json, STR("")));
    *ret_fields = f.v;
    *ret_n = f.n;
    return ERR_OK;
}
