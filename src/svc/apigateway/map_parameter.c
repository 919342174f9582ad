/* Parameter mappings: targets from sources.
 *
 * Source: API Gateway Developer Guide, "Parameter mapping examples for REST APIs", and API Reference,
 * Integration's requestParameters; that the last of several values is taken, that an empty body reads
 * {}, and that a body is only expected to be JSON when it begins like an object, as AWS answers. */
#include "lang/jsonpath.h"
#include "svc/apigateway/map_int.h"

enum target { TO_HEADER, TO_QUERY, TO_PATH };

enum source {
    FROM_NOWHERE,
    FROM_PATH,
    FROM_QUERY,
    FROM_HEADER,
    FROM_QUERIES,
    FROM_HEADERS,
    FROM_BODY,
    FROM_CONTEXT,
    FROM_STAGE,
    FROM_TEXT,
};

struct map_parameter {
    enum target target;
    struct str target_name;
    enum source source;
    struct str name;             /* or the text */
    const struct jsonpath *path; /* FROM_BODY; NULL: all of it */
};

/* --- words ------------------------------------------------------------------------------------ */

struct target_word {
    const char *prefix;
    enum target target;
};

static const struct target_word REQUEST_TARGETS[] = {{"integration.request.header.", TO_HEADER},
                                                     {"integration.request.querystring.", TO_QUERY},
                                                     {"integration.request.path.", TO_PATH}};
static const struct target_word RESPONSE_TARGETS[] = {{"method.response.header.", TO_HEADER}};
static const struct target_word GATEWAY_TARGETS[] = {{"gatewayresponse.header.", TO_HEADER},
                                                     {"gatewayresponse.querystring.", TO_QUERY},
                                                     {"gatewayresponse.path.", TO_PATH}};

struct source_word {
    const char *prefix;
    enum source source;
    bool reply; /* of an integration's; else of a request */
};

static const struct source_word SOURCES[] = {
    {"method.request.path.", FROM_PATH, false},
    {"method.request.querystring.", FROM_QUERY, false},
    {"method.request.header.", FROM_HEADER, false},
    {"method.request.multivaluequerystring.", FROM_QUERIES, false},
    {"method.request.multivalueheader.", FROM_HEADERS, false},
    {"method.request.body.", FROM_BODY, false},
    {"integration.response.header.", FROM_HEADER, true},
    {"integration.response.multivalueheader.", FROM_HEADERS, true},
    {"integration.response.body.", FROM_BODY, true},
};

static bool cut_prefix(struct str text, const char *prefix, struct str *ret_rest)
{
    struct str p = str_c(prefix);
    if (!str_starts(text, p) || text.len == p.len)
        return false;
    *ret_rest = str_sub(text, p.len, SIZE_MAX);
    return true;
}

static bool target_of(const struct target_word *words, size_t n, struct str text,
                      struct map_parameter *m)
{
    for (size_t i = 0; i < n; i++)
        if (cut_prefix(text, words[i].prefix, &m->target_name)) {
            m->target = words[i].target;
            return true;
        }
    return false;
}

/* What a source is, without looking at a body's path. `reply`: integration.response is meant. */
static bool source_of(struct str text, bool reply, struct map_parameter *m)
{
    m->source = FROM_NOWHERE;
    if (text.len >= 2 && text.p[0] == '\'' && text.p[text.len - 1] == '\'') {
        m->source = FROM_TEXT;
        m->name = str_sub(text, 1, text.len - 2);
    } else if (cut_prefix(text, "context.", &m->name)) {
        m->source = FROM_CONTEXT;
    } else if (cut_prefix(text, "stageVariables.", &m->name)) {
        m->source = FROM_STAGE;
    } else if (str_eq_c(text, reply ? "integration.response.body" : "method.request.body")) {
        m->source = FROM_BODY;
        m->name = STR_NONE;
    }
    for (size_t i = 0; i < ARRAY_LEN(SOURCES) && m->source == FROM_NOWHERE; i++)
        if (SOURCES[i].reply == reply && cut_prefix(text, SOURCES[i].prefix, &m->name))
            m->source = SOURCES[i].source;
    return m->source != FROM_NOWHERE;
}

bool map_parameter_is_request(struct str target, struct str source)
{
    struct map_parameter m;
    return target_of(REQUEST_TARGETS, ARRAY_LEN(REQUEST_TARGETS), target, &m) &&
           source_of(source, false, &m);
}

bool map_parameter_is_response(struct str target, struct str source)
{
    struct map_parameter m;
    return target_of(RESPONSE_TARGETS, ARRAY_LEN(RESPONSE_TARGETS), target, &m) &&
           source_of(source, true, &m);
}

bool map_parameter_is_gateway(struct str target, struct str source)
{
    struct map_parameter m;
    return target_of(GATEWAY_TARGETS, ARRAY_LEN(GATEWAY_TARGETS), target, &m) &&
           source_of(source, false, &m) && m.source != FROM_BODY;
}

/* --- compiling -------------------------------------------------------------------------------- */

/* "pets[0].name" of a body is "$.pets[0].name" of its document. A path that is none leads nowhere. */
static enum err compile_path(struct arena *a, struct map_parameter *m)
{
    struct str text =
        str_fmt(a, "%s" STR_FMT, str_starts(m->name, STR("$")) ? "" : "$.", STR_ARG(m->name));
    if (!str_is_set(text))
        return ERR_NOMEM;
    enum err err = jsonpath_compile(a, text, &m->path, NULL);
    if (err == ERR_NOMEM)
        return err;
    if (err != ERR_OK)
        m->source = FROM_NOWHERE;
    return ERR_OK;
}

static enum err compile(struct arena *a, const struct json *json, struct map_parameter *m)
{
    struct str target = json->key, source = json->kind == JSON_STRING ? json->text : STR("");
    bool reply = target_of(RESPONSE_TARGETS, ARRAY_LEN(RESPONSE_TARGETS), target, m);
    bool known = reply || target_of(REQUEST_TARGETS, ARRAY_LEN(REQUEST_TARGETS), target, m) ||
                 target_of(GATEWAY_TARGETS, ARRAY_LEN(GATEWAY_TARGETS), target, m);
    if (!known || !source_of(source, reply, m))
        m->source = FROM_NOWHERE;
    return m->source == FROM_BODY && str_is_set(m->name) ? compile_path(a, m) : ERR_OK;
}

enum err map_parameters_compile(struct arena *a, const struct json *mappings,
                                struct map_parameters *ret_parameters)
{
    size_t n = mappings && mappings->kind == JSON_OBJECT ? mappings->n : 0, i = 0;
    if (n > MAP_PARAMETERS_MAX)
        return ERR_LIMIT;
    struct map_parameter *v = ARENA_ARRAY(a, struct map_parameter, n);
    if (!v)
        return ERR_NOMEM;
    JSON_EACH (n ? mappings : NULL, it)
        TRY(compile(a, it, &v[i++]));
    *ret_parameters = (struct map_parameters){v, n};
    return ERR_OK;
}

/* --- applying --------------------------------------------------------------------------------- */

struct apply {
    struct arena *a;
    const struct map_scope *scope;
    const struct map_message *message;
    struct map_targets *targets;
    struct map_fault *fault;
    bool parsed;
    const struct json *body; /* NULL: no JSON */
};

static enum err parse_body(struct apply *ap)
{
    struct json *root;
    struct str text = ap->message->body.len ? ap->message->body : STR(MAP_EMPTY_BODY);
    if (ap->parsed)
        return ERR_OK;
    ap->parsed = true;
    enum err err = json_parse(ap->a, text, &root, NULL);
    if (err == ERR_OK)
        ap->body = root;
    if (err == ERR_NOMEM || err == ERR_OK || !map_means_json(text))
        return err == ERR_NOMEM ? err : ERR_OK;
    *ap->fault =
        (struct map_fault){.message = STR("Invalid JSON in request body"), .bad_body = true};
    return ERR_INVALID;
}

/* *ret_value absent: nothing to map. */
static enum err body_value(struct apply *ap, const struct map_parameter *m, struct str *ret_value)
{
    const struct json *v;
    struct buf b;
    TRY(parse_body(ap));
    if (!m->path) {
        *ret_value = ap->message->body.len ? ap->message->body : STR(MAP_EMPTY_BODY);
        return ERR_OK;
    }
    enum err err = ap->body ? jsonpath_eval(m->path, ap->body, ap->a, &v) : ERR_NOT_FOUND;
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(err);
    if (v->kind == JSON_NULL)
        return ERR_OK;
    if (v->kind == JSON_STRING) {
        *ret_value = v->text.p ? v->text : STR("");
        return ERR_OK;
    }
    buf_init_arena(&b, ap->a, MAP_VALUE_MAX);
    json_put(&b, v);
    *ret_value = buf_str(&b);
    return buf_err(&b);
}

static enum err add(struct apply *ap, const struct map_parameter *m, struct str value)
{
    struct map_made *made = m->target == TO_HEADER  ? &ap->targets->header
                            : m->target == TO_QUERY ? &ap->targets->query
                                                    : &ap->targets->path;
    return value.len > MAP_VALUE_MAX ? ERR_LIMIT : map_made_add(ap->a, made, m->target_name, value);
}

/* All values of a name: to a query as many as there are, elsewhere in one, with commas. */
static enum err add_all(struct apply *ap, const struct map_parameter *m)
{
    bool header = m->source == FROM_HEADERS, any = false;
    const struct map_pairs *pairs = header ? &ap->message->header : &ap->message->query;
    struct buf b;
    buf_init_arena(&b, ap->a, MAP_VALUE_MAX);
    for (size_t i = 0; i < pairs->n; i++) {
        struct str name = pairs->v[i].name, value = pairs->v[i].value;
        if (header ? !str_eq_nocase(name, m->name) : !str_eq(name, m->name))
            continue;
        if (m->target == TO_QUERY && !header)
            TRY(add(ap, m, value));
        if (any)
            buf_add_byte(&b, ',');
        buf_add_str(&b, value);
        any = true;
    }
    TRY(buf_err(&b));
    return any && (m->target != TO_QUERY || header) ? add(ap, m, buf_str(&b)) : ERR_OK;
}

static enum err apply_one(struct apply *ap, const struct map_parameter *m)
{
    struct str value = STR_NONE;
    switch (m->source) {
    case FROM_NOWHERE:
        return ERR_OK;
    case FROM_QUERIES:
    case FROM_HEADERS:
        return add_all(ap, m);
    case FROM_PATH:
        value = map_pairs_last(&ap->message->path, m->name, false);
        break;
    case FROM_QUERY:
        value = map_pairs_last(&ap->message->query, m->name, false);
        break;
    case FROM_HEADER:
        value = map_pairs_last(&ap->message->header, m->name, true);
        break;
    case FROM_BODY:
        TRY(body_value(ap, m, &value));
        break;
    case FROM_CONTEXT:
        value = map_tree_value(ap->a, ap->scope->context, m->name);
        break;
    case FROM_STAGE:
        value = json_get_str(ap->scope->stage_variables, m->name);
        break;
    case FROM_TEXT:
        value = m->name;
        break;
    }
    return str_is_set(value) ? add(ap, m, value) : ERR_OK;
}

enum err map_parameters_apply(struct arena *a, const struct map_parameters *parameters,
                              const struct map_scope *scope, const struct map_message *message,
                              struct map_targets *targets, struct map_fault *ret_fault)
{
    struct apply ap = {
        .a = a, .scope = scope, .message = message, .targets = targets, .fault = ret_fault};
    for (size_t i = 0; i < parameters->n; i++)
        TRY(apply_one(&ap, &parameters->v[i]));
    return ERR_OK;
}

bool map_parameters_need_body(const struct map_parameters *parameters)
{
    for (size_t i = 0; i < parameters->n; i++)
        if (parameters->v[i].source == FROM_BODY)
            return true;
    return false;
}
