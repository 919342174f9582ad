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
    s->id = resource->key;
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
    for (int turn = 0; turn < 3; turn++)
        for (const struct json *it = s->resources->child; it; it = it->next)
            TRY(sam_catch(s, expand_one(s, it, turn)));
    TRY(sam_catch(s, sam_finish_usage(s)));
    return s->faults->n ? ERR_INVALID : str_is_set(s->refusal) ? ERR_UNSUPPORTED : ERR_OK;
}

/* --- the end ---------------------------------------------------------------------------------------- */

static const char said_first[] =
    "Invalid Serverless Application Specification document. Number of errors found: ";

/* Order of texts by the ids in them: the end of an id comes before all that could go on. */
static int by_id(struct str a, struct str b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++) {
        int x = a.p[i] == ']' ? 0 : (unsigned char)a.p[i],
            y = b.p[i] == ']' ? 0 : (unsigned char)b.p[i];
        if (x != y)
            return x - y;
    }
    return (a.len > b.len) - (a.len < b.len);
}

/* All texts, in their order. O(n^2) over faults, of which a resource has one. */
static enum err tell(struct sam *s, struct sam_fault *ret_fault)
{
    struct buf b;
    struct str last = STR_NONE;
    buf_init_arena(&b, s->a, SAM_MESSAGE_MAX);
    buf_add_fmt(&b, "%s%u.", said_first, s->faults->n);
    for (uint32_t i = 0; i < s->faults->n; i++) {
        const struct json *least = NULL;
        JSON_EACH (s->faults, it)
            if (it->b == false && (!least || by_id(it->text, least->text) < 0))
                least = it;
        ((struct json *)(uintptr_t)least)->b = true;
        last = least->text;
        buf_add_byte(&b, ' ');
        buf_add_str(&b, last);
    }
    ret_fault->message = buf_str(&b);
    return buf_err(&b) == ERR_NOMEM ? ERR_NOMEM : ERR_INVALID;
}

static enum err tell_one(struct sam *s, enum err err, struct sam_fault *ret_fault)
{
    if (err == ERR_UNSUPPORTED)
        ret_fault->message = s->refusal;
    else
        ret_fault->message =
            str_fmt(s->a, "%s1. %s" STR_FMT, said_first,
                    s->scope == SAM_DOCUMENT ? "Structure of the SAM template is invalid. " : "",
                    STR_ARG(s->fault));
    return str_is_set(ret_fault->message) ? err : ERR_NOMEM;
}

static enum err run(struct sam *s)
{
    TRY(check_resources(s));
    fill_values(s);
    sam_add_implicit_api(s);
    TRY(sam_apply_globals(s));
    if (s->faults->n)
        return ERR_INVALID;
    TRY(sam_embedded_connectors(s));
    TRY(sam_make_implicit(s));
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
    s.usage = json_new(a, JSON_OBJECT);
    s.faults = json_new(a, JSON_ARRAY);
    if (a->failed)
        return ERR_NOMEM;
    enum err err = run(&s);
    if (a->failed)
        return ERR_NOMEM;
    if (s.nodes >= SAM_NODES_MAX)
        err = sam_bad_document(&s, "It expands to more than %d values.", SAM_NODES_MAX);
    else if (err == ERR_INVALID && s.faults->n && s.scope != SAM_DOCUMENT)
        return tell(&s, ret_fault);
    if (err == ERR_INVALID || err == ERR_UNSUPPORTED)
        return tell_one(&s, err, ret_fault);
    TRY(err);
    sam_forget_marks(s.root);
    *ret_tree = s.root;
    return ERR_OK;
}
