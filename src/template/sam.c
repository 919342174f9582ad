/* The transform's course. See sam.h. Layer: template. Thread: pure. */
#include "template/sam_int.h"

static const char transform_name[] = "AWS::Serverless-2016-10-31";

bool sam_wanted(const struct json *tree)
{
    const struct json *v = SAM_GET(tree, "Transform");
    return sam_eq(v, transform_name) ||
           (sam_list(v) && json_index_of(v, str_c(transform_name)) != SIZE_MAX);
}

/* --- the template at large ----------------------------------------------------------------------- */

static enum err check_resources(struct sam *s)
{
    if (!sam_map(s->resources) || !s->resources->child)
        return sam_bad_document(s, "'Resources' section is required");
    if (s->resources->n > SAM_RESOURCES_MAX)
        return sam_bad_document(s, "It has more than %d resources.", SAM_RESOURCES_MAX);
    JSON_EACH (s->resources, it)
        if (!sam_map(it))
            return sam_bad_document(s, "All 'Resources' must be Objects. If you're using YAML, "
                                       "this may be an indentation issue.");
    static const char *const maps[] = {"Mappings", "Parameters"};
    for (size_t i = 0; i < ARRAY_LEN(maps); i++) {
        const struct json *v = json_get(s->root, str_c(maps[i]));
        if (v && !sam_map(v))
            return sam_bad_document(
                s, "'Mappings' or 'Parameters' is either null or not a valid dictionary.");
    }
    JSON_EACH (s->resources, it) {
        const struct json *condition = SAM_GET(it, "Condition");
        if (condition && condition->kind != JSON_STRING &&
            str_starts(json_get_str(it, STR("Type")), STR("AWS::Serverless::")))
            return sam_bad_document(s, "Every Condition member must be a string.");
    }
    return ERR_OK;
}

/* Whether Python would hash the definition of an API: it keeps resources and events in the order of 2.7 then. */
static bool has_api(const struct sam *s)
{
    JSON_EACH (s->resources, it) {
        const struct json *type = SAM_GET(it, "Type");
        const struct json *events = SAM_GET(SAM_GET(it, "Properties"), "Events");
        bool with_events = sam_eq(type, "AWS::Serverless::Function") ||
                           sam_eq(type, "AWS::Serverless::StateMachine");
        if (sam_eq(type, "AWS::Serverless::Api"))
            return true;
        JSON_EACH (with_events &&sam_map(events) ? events : NULL, event)
            if (sam_eq(SAM_GET(event, "Type"), "Api"))
                return true;
    }
    return false;
}

static void fill_values(struct sam *s)
{
    s->values = sam_copy(s, s->world->parameters);
    if (!s->values)
        s->values = json_new(s->a, JSON_OBJECT);
    JSON_EACH (SAM_GET(s->root, "Parameters"), it)
        if (!json_get(s->values, it->key))
            sam_put(s, s->values, it->key, sam_copy(s, SAM_GET(it, "Default")));
    sam_put(s, s->values, STR("AWS::Region"), sam_new_str(s, s->world->region));
    sam_put(s, s->values, STR("AWS::Partition"), sam_new_str(s, s->world->partition));
}

/* --- resource by resource ------------------------------------------------------------------------ */

static const struct {
    const char *type;
    int turn; /* functions add to APIs, connectors look at what was made of all others */
    enum err (*expand)(struct sam *s, const struct json *resource);
} kinds[] = {
    {"AWS::Serverless::Function", 0, sam_function},
    {"AWS::Serverless::SimpleTable", 1, sam_simple_table},
    {"AWS::Serverless::LayerVersion", 1, sam_layer},
    {"AWS::Serverless::Api", 1, sam_api},
    {"AWS::Serverless::Connector", 2, sam_connect},
};

static const char *const refused[] = {
    "AWS::Serverless::Application",  "AWS::Serverless::HttpApi",
    "AWS::Serverless::StateMachine", "AWS::Serverless::GraphQLApi",
    "AWS::Serverless::WebSocketApi", "AWS::Serverless::CapacityProvider",
};

static enum err check_common(struct sam *s, const struct json *resource)
{
    const struct json *properties = SAM_GET(resource, "Properties");
    if (properties && !sam_map(properties))
        return sam_bad(s, "Attribute 'Properties' should be a map.");
    const struct json *tags = SAM_GET(properties, "Tags");
    JSON_EACH (sam_map(tags) ? tags : NULL, it)
        if (str_eq_c(it->key, "lambda:createdBy"))
            return sam_bad(s, "lambda:createdBy is a reserved Tag key name and cannot be set on "
                              "your resource. Please change the tag key in the input.");
    return ERR_OK;
}

static enum err expand_one(struct sam *s, const struct json *resource, int turn)
{
    struct str type = json_get_str(resource, STR("Type"));
    const struct json *p = SAM_GET(resource, "Properties");
    s->id = resource->key;
    s->of_api = str_eq_c(type, "AWS::Serverless::Api");
    s->tags = sam_true(SAM_GET(p, "PropagateTags")) && sam_true(SAM_GET(p, "Tags"))
                  ? SAM_GET(p, "Tags")
                  : NULL;
    for (size_t i = 0; turn == 0 && i < ARRAY_LEN(refused); i++)
        if (str_eq_c(type, refused[i])) {
            TRY(check_common(s, resource));
            return sam_refuse(s, "%s is not supported.", refused[i]);
        }
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (kinds[i].turn != turn || !str_eq_c(type, kinds[i].type))
            continue;
        TRY(check_common(s, resource));
        return kinds[i].expand(s, resource);
    }
    return s->a->failed ? ERR_NOMEM : ERR_OK;
}

static bool serverless(struct str type)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_eq_c(type, kinds[i].type))
            return true;
    return false;
}

static enum err expand_all(struct sam *s)
{
    for (const struct json *it = s->resources->child; it; it = it->next)
        if (!serverless(json_get_str(it, STR("Type"))))
            sam_put(s, s->out, it->key, sam_copy(s, it));
    static const char *const added[] = {"ServerlessRestApi", "ServerlessHttpApi"};
    struct sam_members all = sam_resources_in_order(s, added, ARRAY_LEN(added));
    for (int turn = 0; turn < 3; turn++)
        for (size_t i = 0; i < all.n; i++) {
            enum err err = expand_one(s, all.v[i], turn);
            if (err == ERR_INVALID) /* connectors find what was there before */
                json_unset(s->out, all.v[i]->key);
            TRY(sam_catch(s, err));
        }
    TRY(sam_catch(s, sam_finish_usage(s)));
    return s->faults->n ? ERR_INVALID : ERR_OK;
}

/* --- the end ---------------------------------------------------------------------------------------- */

static const char of_document[] = "Structure of the SAM template is invalid. ";

/* All faults, or the one of the document that ended the run. */
static enum err tell(struct sam *s, struct sam_fault *ret_fault)
{
    if (s->scope == SAM_DOCUMENT || !s->faults->n) {
        s->refused = false;
        s->faults = json_new(s->a, JSON_ARRAY);
        if (s->scope == SAM_DOCUMENT)
            s->fault = sam_cat3(s, str_c(of_document), s->fault, "");
        s->scope = SAM_PLAIN;
        TRY(sam_catch(s, ERR_INVALID));
    }
    TRY(sam_tell(s, &ret_fault->message));
    return s->refused ? ERR_UNSUPPORTED : ERR_INVALID;
}

static enum err run(struct sam *s)
{
    TRY(check_resources(s));
    fill_values(s);
    s->ordered = has_api(s);
    sam_add_implicit_api(s);
    TRY(sam_apply_globals(s));
    if (s->faults->n)
        return ERR_INVALID;
    TRY(sam_make_implicit(s));
    TRY(sam_embedded_connectors(s));
    TRY(expand_all(s));
    sam_put(s, s->root, STR("Resources"), s->out);
    json_unset(s->root, STR("Transform"));
    return sam_rename(s, s->root);
}

enum err sam_transform(struct arena *a, const struct json *tree, const struct sam_world *world,
                       struct json **ret_tree, struct sam_fault *ret_fault)
{
    struct sam s = {.a = a, .world = world};
    s.root = sam_copy(&s, tree);
    s.resources = SAM_AT(s.root, "Resources");
    s.out = json_new(a, JSON_OBJECT);
    s.refs = json_new(a, JSON_OBJECT);
    s.renamed = json_new(a, JSON_OBJECT);
    s.implicit = json_new(a, JSON_OBJECT);
    s.covered = json_new(a, JSON_OBJECT);
    s.names = json_new(a, JSON_OBJECT);
    s.usage = json_new(a, JSON_OBJECT);
    s.faults = json_new(a, JSON_ARRAY);
    if (a->failed)
        return ERR_NOMEM;
    enum err err = run(&s);
    if (a->failed)
        return ERR_NOMEM;
    if (s.over)
        err = sam_bad_document(&s, "It expands to more than %d %s.", s.over_max, s.over);
    if (err == ERR_INVALID)
        return tell(&s, ret_fault);
    TRY(err);
    sam_forget_marks(s.root);
    *ret_tree = s.root;
    return ERR_OK;
}
