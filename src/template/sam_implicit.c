/* Api events and the APIs that they are for, before resources expand: an API without a definition gets one, events that
 * name no API share one that is made for them, and paths of functions that are there under a condition only are
 * under it too.
 *
 * Layer: template. Thread: pure. */
#include "template/sam_int.h"

static const char implicit_id[] = "ServerlessRestApi";

struct json *sam_empty_definition(struct sam *s)
{
    return sam_make(s, "{'swagger': '2.0', 'info': {'version': '1.0', 'title': {'Ref': "
                       "'AWS::StackName'}}, 'paths': {}}");
}

static bool is_function(const struct json *resource)
{
    return sam_eq(SAM_GET(resource, "Type"), "AWS::Serverless::Function");
}

static bool is_api(const struct json *resource)
{
    return sam_eq(SAM_GET(resource, "Type"), "AWS::Serverless::Api");
}

/* The property of the function, or what Globals give it. */
static const struct json *own_or_global(struct sam *s, const struct json *function,
                                        const char *name)
{
    const struct json *own = json_get(SAM_GET(function, "Properties"), str_c(name));
    const struct json *globals = SAM_GET(SAM_GET(s->root, "Globals"), "Function");
    return sam_true(own) ? own : json_get(globals, str_c(name));
}

/* Tags of functions whose events share an API are its own, where they ask for it. */
static void gather_tags(struct sam *s, const struct json *function, struct json *tags)
{
    const struct json *given = own_or_global(s, function, "Tags");
    if (sam_map(given) && sam_true(own_or_global(s, function, "PropagateTags")))
        JSON_EACH (given, it)
            sam_put(s, tags, it->key, sam_copy(s, it));
}

void sam_add_implicit_api(struct sam *s)
{
    bool wanted = false;
    struct json *tags = json_new(s->a, JSON_OBJECT);
    JSON_EACH (s->resources, resource) {
        const struct json *events = SAM_GET(SAM_GET(resource, "Properties"), "Events");
        bool of_it = false;
        JSON_EACH (is_function(resource) && sam_map(events) ? events : NULL, it) {
            const struct json *p = SAM_GET(it, "Properties");
            if (sam_eq(SAM_GET(it, "Type"), "Api") && sam_map(p) && !SAM_GET(p, "RestApiId"))
                of_it = true;
        }
        if (of_it)
            gather_tags(s, resource, tags);
        wanted = wanted || of_it;
    }
    struct json *api = SAM_AT(s->resources, "ServerlessRestApi");
    if (wanted && (!api || !is_api(api)))
        sam_put(
            s, s->resources, str_c(implicit_id),
            sam_make(s, "{'Type': 'AWS::Serverless::Api', 'Properties': {'StageName': 'Prod'}}"));
    struct json *p = SAM_AT(SAM_AT(s->resources, "ServerlessRestApi"), "Properties");
    if (wanted && sam_true(tags) && sam_map(p)) {
        JSON_EACH (tags, it)
            sam_put(s, sam_map_at(s, p, STR("Tags")), it->key, sam_copy(s, it));
        sam_keep_order(SAM_AT(p, "Tags"));
        sam_set(s, p, "PropagateTags", json_new_bool(s->a, true));
    }
}

/* APIs without a definition get one that events may add to. */
static void default_definitions(struct sam *s)
{
    for (struct json *it = s->resources->child; it; it = it->next) {
        struct json *p = SAM_AT(it, "Properties");
        if (!is_api(it) || !sam_map(p) || SAM_GET(p, "DefinitionBody") ||
            SAM_GET(p, "DefinitionUri"))
            continue;
        sam_set(s, p, "DefinitionBody", sam_empty_definition(s));
        sam_set(s, p, "__MANAGE_SWAGGER", json_new_bool(s->a, true));
    }
}

/* --- events ----------------------------------------------------------------------------------------- */

/* Conditions under which an API, and each of its paths, is there: {api: {"": [c], "/path": [c]}}; null in
 * a list: without any. */
static void note_condition(struct sam *s, struct json *seen, struct str api, struct str path,
                           const struct json *function)
{
    struct json *lists = sam_map_at(s, seen, api);
    const struct json *condition = SAM_GET(function, "Condition");
    struct str keys[] = {STR(""), path};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (!json_get(lists, keys[i]))
            sam_put(s, lists, keys[i], json_new(s->a, JSON_ARRAY));
        struct json *list = json_at(lists, keys[i]);
        bool there = false;
        JSON_EACH (list, it)
            there =
                there || (condition ? str_eq(it->text, condition->text) : it->kind == JSON_NULL);
        if (!there)
            sam_push(s, list, condition ? sam_copy(s, condition) : json_new(s->a, JSON_NULL));
    }
}

static enum err need_text(struct sam *s, const struct json *p, const char *name)
{
    const struct json *v = json_get(p, str_c(name));
    if (!v)
        return sam_bad_event(s, "Property '%s' is required.", name);
    return sam_want(s, SAM_EVENT, v, 's', str_c(name));
}

/* The id of the API that an event is for, STR_NONE: one outside of the template. */
static enum err api_of(struct sam *s, const struct json *p, struct str *ret_id)
{
    const struct json *id = SAM_GET(p, "RestApiId");
    *ret_id = sam_text(id) ? id->text : sam_ref(id);
    if (!str_is_set(*ret_id))
        return sam_bad_event(s, "Property 'RestApiId' should be a string.");
    const struct json *resource = json_get(s->resources, *ret_id);
    if (!resource || sam_eq(SAM_GET(resource, "Type"), "AWS::ApiGateway::RestApi"))
        return ERR_OK;
    if (!is_api(resource) && !sam_text(id))
        return sam_bad_event(
            s, "RestApiId must be a valid reference to an 'AWS::Serverless::Api' resource "
               "in same template.");
    return ERR_OK;
}

/* Where an API's events go: its definition when it is made here. */
static enum err definition_of(struct sam *s, struct str id, struct json **ret_body)
{
    struct json *api = json_at(s->resources, id), *p = SAM_AT(api, "Properties");
    *ret_body = NULL;
    if (!api || !is_api(api))
        return ERR_OK;
    if (!sam_map(p)) {
        s->id = id;
        return sam_bad(s, "Attribute 'Properties' should be a map.");
    }
    if (sam_bool(SAM_GET(p, "__MANAGE_SWAGGER"), true))
        *ret_body = SAM_AT(p, "DefinitionBody");
    return ERR_OK;
}

static enum err one_event(struct sam *s, const struct json *function, struct json *event,
                          struct json *seen)
{
    struct json *p = SAM_AT(event, "Properties"), *body = NULL;
    struct str api;
    if (!sam_map(p))
        return sam_bad_event(s, "Properties should be a map.");
    if (!SAM_GET(p, "RestApiId"))
        sam_set(s, p, "RestApiId", sam_make(s, "{'Ref': %s}", str_c(implicit_id)));
    TRY(need_text(s, p, "Path"));
    TRY(need_text(s, p, "Method"));
    TRY(api_of(s, p, &api));
    TRY(definition_of(s, api, &body));
    if (!body)
        return ERR_OK;
    struct str path = SAM_GET(p, "Path")->text;
    note_condition(s, seen, api, path, function);
    sam_rebuild(s, body);
    sam_add_path(s, body, path, sam_method_name(s, SAM_GET(p, "Method")->text));
    sam_rebuild(s, body);
    return ERR_OK;
}

/* --- conditions --------------------------------------------------------------------------------------- */

/* Ten at a time, as Fn::Or takes no more. */
enum { OR_MAX = 10 };

static void define_or(struct sam *s, struct str name, const struct json *list)
{
    struct json *terms = json_new(s->a, JSON_ARRAY);
    JSON_EACH (list, it)
        sam_push(s, terms, sam_make(s, "{'Condition': %v}", it));
    sam_put(s, sam_map_at(s, s->root, STR("Conditions")), name,
            sam_make(s, "{'Fn::Or': %v}", terms));
}

static struct json *sorted(struct sam *s, const struct json *list)
{
    struct json *out = json_new(s->a, JSON_ARRAY);
    const struct json *last = NULL;
    for (uint32_t i = 0; i < list->n; i++) {
        const struct json *least = NULL;
        JSON_EACH (list, it)
            if ((!last || str_cmp(it->text, last->text) > 0) &&
                (!least || str_cmp(it->text, least->text) < 0))
                least = it;
        if (!least)
            break;
        sam_push(s, out, sam_copy(s, least));
        last = least;
    }
    return out;
}

struct str sam_any_condition(struct sam *s, const struct json *conditions, struct str name)
{
    struct json *list = sorted(s, conditions);
    if (!list || list->n < 2)
        return list && list->child ? list->child->text : STR_NONE;
    if (list->n <= OR_MAX) {
        define_or(s, name, list);
        return name;
    }
    struct json *top = json_new(s->a, JSON_ARRAY), *chunk = json_new(s->a, JSON_ARRAY);
    struct json *names = json_new(s->a, JSON_ARRAY);
    size_t made = 0;
    JSON_EACH (list, it) {
        sam_push(s, chunk, sam_copy(s, it));
        if (chunk && chunk->n < OR_MAX && it->next)
            continue;
        if (chunk && chunk->n == 1) {
            sam_push(s, top, sam_copy(s, it));
            break;
        }
        struct str part = str_fmt(s->a, STR_FMT "%zu", STR_ARG(name), ++made);
        define_or(s, part, chunk);
        sam_push(s, names, sam_new_str(s, part));
        chunk = json_new(s->a, JSON_ARRAY);
    }
    JSON_EACH (names, it)
        sam_push(s, top, sam_copy(s, it));
    define_or(s, name, top);
    return name;
}

/* "/sub/{id}" as a part of a name. */
static struct str path_name(struct sam *s, struct str path)
{
    static const struct {
        char c;
        const char *word;
    } rows[] = {{'/', "SLASH"}, {'{', "OB"},  {'}', "CB"},        {'+', "PLUS"},
                {'-', "DASH"},  {'.', "DOT"}, {'_', "UNDERSCORE"}};
    struct buf b;
    buf_init_arena(&b, s->a, 64 * 1024);
    for (size_t i = 0; i < path.len; i++) {
        const char *word = NULL;
        for (size_t k = 0; k < ARRAY_LEN(rows); k++)
            if (rows[k].c == path.p[i])
                word = rows[k].word;
        if (word)
            buf_add_c(&b, word);
        else
            buf_add_byte(&b, path.p[i]);
    }
    return buf_str(&b);
}

static bool all_conditional(const struct json *list)
{
    JSON_EACH (list, it)
        if (it->kind == JSON_NULL)
            return false;
    return list && list->child;
}

static void condition_paths(struct sam *s, struct str api, const struct json *lists)
{
    struct json *body = NULL;
    if (definition_of(s, api, &body) != ERR_OK)
        return;
    struct json *paths = SAM_AT(body, "paths");
    JSON_EACH (lists, it) {
        struct json *item = json_at(paths, it->key);
        if (it->key.len == 0 || !item || !all_conditional(it))
            continue;
        struct str name = str_fmt(s->a, STR_FMT STR_FMT "PathCondition", STR_ARG(api),
                                  STR_ARG(path_name(s, it->key)));
        struct str condition = sam_any_condition(s, it, name);
        bool made = str_eq(condition, name);
        sam_put(s, paths, it->key,
                sam_make(s,
                         made ? "{'Fn::If': [%o, %v, {'Ref': 'AWS::NoValue'}]}"
                              : "{'Fn::If': [%s, %v, {'Ref': 'AWS::NoValue'}]}",
                         condition, item));
    }
}

/* Of what functions of the implicit API say, the safest. */
static void policies_of_implicit(struct sam *s, struct json *api)
{
    static const char *const names[] = {"DeletionPolicy", "UpdateReplacePolicy"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct str policy = STR_NONE;
        JSON_EACH (s->resources, resource) {
            bool uses = json_get(s->implicit, resource->key) != NULL;
            const struct json *v = uses ? json_get(resource, str_c(names[i])) : NULL;
            bool retain = sam_eq(v, "Retain"), snapshot = i == 1 && sam_eq(v, "Snapshot");
            if (retain || (snapshot && !str_eq_c(policy, "Retain")) ||
                (sam_eq(v, "Delete") && !str_is_set(policy)))
                policy = v->text;
        }
        if (str_is_set(policy))
            sam_set(s, api, names[i], sam_new_str(s, policy));
    }
}

static void conditions_of_apis(struct sam *s, const struct json *seen)
{
    JSON_EACH (seen, it) {
        struct json *api = json_at(s->resources, it->key);
        const struct json *list = json_get(it, STR(""));
        if (str_eq_c(it->key, implicit_id)) {
            struct str name = str_fmt(s->a, "%sCondition", implicit_id);
            if (all_conditional(list) && !SAM_GET(api, "Condition"))
                sam_set(s, api, "Condition", sam_new_str(s, sam_any_condition(s, list, name)));
            policies_of_implicit(s, api);
        }
    }
    for (struct json *it = s->resources->child; it; it = it->next) {
        struct json *p = SAM_AT(it, "Properties"), *body = SAM_AT(p, "DefinitionBody");
        if (!is_api(it) || !sam_bool(SAM_GET(p, "__MANAGE_SWAGGER"), true))
            continue;
        sam_rebuild(s, body);
        condition_paths(s, it->key, json_get(seen, it->key));
        sam_rebuild(s, body);
    }
}

/* Definitions that are made here are of the version that is asked for. */
static void version_definitions(struct sam *s)
{
    for (struct json *it = s->resources->child; it; it = it->next) {
        struct json *p = SAM_AT(it, "Properties"), *body = SAM_AT(p, "DefinitionBody");
        const struct json *version = SAM_GET(p, "OpenApiVersion");
        bool scalar = sam_text(version) || sam_is(version, JSON_NUMBER);
        if (!is_api(it) || !SAM_GET(p, "__MANAGE_SWAGGER") || !scalar || !sam_map(body) ||
            !sam_openapi_three(version->text))
            continue;
        sam_set(s, body, "openapi",
                sam_text(version) ? sam_copy(s, version) : sam_make(s, "%o", version->text));
        if (sam_true(SAM_GET(body, "swagger")))
            sam_drop(s, body, "swagger");
    }
}

static enum err events_of(struct sam *s, const struct json *function, struct json *events,
                          struct json *seen)
{
    struct sam_members apis = sam_api_events(s, events);
    s->id = function->key;
    JSON_EACH (events, it) {
        const struct json *given = SAM_GET(it, "Properties");
        s->event = it->key;
        if (sam_eq(SAM_GET(it, "Type"), "HttpApi") && given && !sam_map(given))
            TRY(sam_catch(s, sam_bad_event(s, "Properties should be a map.")));
    }
    for (size_t i = 0; i < apis.n; i++) {
        s->id = function->key;
        s->event = apis.v[i]->key;
        TRY(sam_catch(s, one_event(s, function, apis.v[i], seen)));
        struct str api = sam_ref(SAM_GET(SAM_GET(apis.v[i], "Properties"), "RestApiId"));
        if (str_eq_c(api, implicit_id))
            sam_put(s, s->implicit, function->key, json_new_bool(s->a, true));
    }
    return ERR_OK;
}

enum err sam_make_implicit(struct sam *s)
{
    struct json *seen = json_new(s->a, JSON_OBJECT);
    static const char *const added[] = {"ServerlessRestApi"};
    default_definitions(s);
    struct sam_members resources = sam_resources_in_order(s, added, ARRAY_LEN(added));
    for (size_t i = 0; i < resources.n; i++) {
        struct json *events = SAM_AT(SAM_AT(resources.v[i], "Properties"), "Events");
        if (is_function(resources.v[i]) && sam_map(events))
            TRY(events_of(s, resources.v[i], events, seen));
    }
    conditions_of_apis(s, seen);
    version_definitions(s);
    return s->faults->n ? ERR_INVALID : ERR_OK;
}
