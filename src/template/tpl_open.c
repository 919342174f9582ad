/* A template is opened: all checks in the order in which AWS makes them, then resources, their order and
 * the outputs; and values are resolved. See template.h. Layer: template. Thread: pure but for the host's
 * answers. */
#include "codec/json_edit.h"
#include "template/tpl_int.h"

/* --- transforms ---------------------------------------------------------------------------------- */

/* Of others there are none; SAM's is done before, or its types are unknown. */
static enum err check_transforms(const struct tpl *t, struct tpl_fault *fault, size_t *ret_n)
{
    const struct str *names;
    TRY(tpl_transforms(t->arena, t->tree, &names, ret_n, fault));
    for (size_t i = 0; i < *ret_n; i++)
        if (!str_eq(names[i], STR(TPL_TRANSFORM_SAM)) &&
            !str_eq(names[i], STR(TPL_TRANSFORM_INCLUDE)) &&
            !str_eq(names[i], STR(TPL_TRANSFORM_EXTENSIONS)))
            return tpl_refuse(t->arena, fault, "No transform named " STR_FMT " found.",
                              STR_ARG(names[i]));
    return ERR_OK;
}

/* --- resources ----------------------------------------------------------------------------------- */

/* Most values have no branches: they are taken as they are, since copying is most of the cost of
 * opening a template. */
static bool has_branches(const struct json *v)
{
    const struct json *arg;
    if (tpl_fn_of(v, &arg) == TPL_IF || tpl_is_no_value(v))
        return true;
    JSON_EACH (v, it)
        if (has_branches(it))
            return true;
    return false;
}

/* A member with Fn::If done; NULL: it has no value. */
static enum err prune(struct tpl_run *r, const struct json *body, const char *member,
                      const struct json **ret_v)
{
    const struct json *v = json_get(body, str_c(member));
    struct json *made = NULL;
    *ret_v = v;
    if (!v || !has_branches(v))
        return ERR_OK;
    TRY(tpl_eval(r, v, &made));
    *ret_v = made;
    return ERR_OK;
}

static enum err policy(struct tpl_run *r, const struct json *body, const char *member,
                       struct str *ret_s)
{
    const struct json *v = json_get(body, str_c(member)), *arg;
    *ret_s = tpl_scalar(v);
    if (tpl_fn_of(v, &arg) == TPL_NONE)
        return ERR_OK;
    struct json *made = NULL;
    bool pruning = r->prune;
    r->prune = false;
    enum err err = tpl_eval(r, v, &made);
    r->prune = pruning;
    TRY(err);
    *ret_s = tpl_scalar(made);
    if (!made || str_eq(*ret_s, STR("Delete")) || str_eq(*ret_s, STR("Retain")) ||
        str_eq(*ret_s, STR("Snapshot")) || str_eq(*ret_s, STR("RetainExceptOnCreate")))
        return ERR_OK;
    return tpl_refuse(r->a, r->fault,
                      "Template format error: Unrecognized %s " STR_FMT " for resource " STR_FMT,
                      member, STR_ARG(*ret_s), STR_ARG(body->key));
}

static enum err make_resource(struct tpl_run *r, const struct tpl_declared *d)
{
    struct tpl_resource *made = d->made;
    made->id = d->id;
    made->type = json_get_str(d->body, STR("Type"));
    made->condition = json_get_str(d->body, STR("Condition"));
    TRY(prune(r, d->body, "Properties", &made->properties));
    TRY(prune(r, d->body, "Metadata", &made->metadata));
    TRY(prune(r, d->body, "CreationPolicy", &made->creation_policy));
    TRY(prune(r, d->body, "UpdatePolicy", &made->update_policy));
    TRY(policy(r, d->body, "DeletionPolicy", &made->deletion_policy));
    return policy(r, d->body, "UpdateReplacePolicy", &made->update_replace_policy);
}

static enum err holds(struct tpl_run *r, const struct json *body, bool *ret_yes)
{
    struct str name = json_get_str(body, STR("Condition"));
    *ret_yes = true;
    return !str_is_set(name) || r->t->world->check_only ? ERR_OK
                                                        : tpl_eval_condition(r, name, ret_yes);
}

static enum err make_resources(struct tpl_run *r)
{
    struct tpl *t = r->t;
    t->resources = ARENA_ARRAY(t->arena, struct tpl_resource, t->declared_n);
    if (!t->resources)
        return ERR_NOMEM;
    for (size_t i = 0; i < t->declared_n; i++) {
        struct tpl_declared *d = &t->declared[i];
        bool yes;
        TRY(holds(r, d->body, &yes));
        if (!yes)
            continue;
        d->index = t->resource_n++;
        d->made = &t->resources[d->index];
        TRY(make_resource(r, d));
    }
    return ERR_OK;
}

/* --- conditions, outputs ------------------------------------------------------------------------- */

static enum err decide_conditions(struct tpl_run *r)
{
    r->block = "Conditions";
    for (size_t i = 0; i < r->t->condition_n && !r->t->world->check_only; i++) {
        bool unused;
        TRY(tpl_eval_condition(r, r->t->conditions[i].name, &unused));
    }
    r->block = "Resources";
    return ERR_OK;
}

static enum err make_output(struct tpl_run *r, const struct json *body, struct tpl_names *missing)
{
    struct tpl *t = r->t;
    struct tpl_output *o = &t->outputs[t->output_n++];
    o->key = body->key;
    o->description = tpl_scalar(json_get(body, STR("Description")));
    TRY(prune(r, body, "Value", &o->value));
    if (!o->value)
        return tpl_refuse(t->arena, r->fault,
                          "Template format error: Output " STR_FMT " is malformed. The Value field "
                          "of every Outputs member must evaluate to a String.",
                          STR_ARG(o->key));
    TRY(prune(r, json_get(body, STR("Export")), "Name", &o->export_name));
    TRY(tpl_graph_walk(t, o->value, missing, NULL, NULL));
    return tpl_graph_walk(t, o->export_name, missing, NULL, NULL);
}

static enum err make_outputs(struct tpl_run *r)
{
    struct tpl *t = r->t;
    const struct json *section = json_get(t->tree, STR("Outputs"));
    struct tpl_names missing = {0};
    r->block = "Outputs";
    t->outputs = ARENA_ARRAY(t->arena, struct tpl_output, section ? section->n : 0);
    if (!t->outputs)
        return ERR_NOMEM;
    JSON_EACH (section, it) {
        bool yes;
        TRY(holds(r, it, &yes));
        if (yes)
            TRY(make_output(r, it, &missing));
    }
    return tpl_refuse_missing(t->arena, r->fault, &missing, r->block);
}

/* --- opening ------------------------------------------------------------------------------------- */

static enum err build(struct tpl *t, struct tpl_fault *fault)
{
    struct tpl_run r = {.t = t, .a = t->arena, .fault = fault, .block = "Resources", .prune = true};
    TRY(tpl_check_all(t, fault));
    TRY(decide_conditions(&r));
    TRY(tpl_rules_check(t, fault));
    TRY(make_resources(&r));
    TRY(tpl_graph_make(t, fault));
    return make_outputs(&r);
}

enum err tpl_open(struct arena *a, const struct json *tree, const struct tpl_world *world,
                  struct tpl **ret_tpl, struct tpl_fault *ret_fault)
{
    struct tpl *t = ARENA_NEW(a, struct tpl);
    struct json *expanded;
    size_t transforms;
    if (!t)
        return ERR_NOMEM;
    t->arena = a;
    t->world = world;
    t->tree = tree;
    t->extensions = world->extensions || tpl_has_transform(tree, STR(TPL_TRANSFORM_EXTENSIONS));
    TRY(tpl_map_init(a, &t->parameter_by));
    TRY(tpl_map_init(a, &t->condition_by));
    TRY(tpl_map_init(a, &t->declared_by));
    TRY(check_transforms(t, ret_fault, &transforms));
    *ret_tpl = t;
    bool expands = tpl_expands(tree, world);
    if (world->check_only && (transforms || expands)) /* what it says is not what will be made */
        return tpl_param_read(t, ret_fault);
    if (expands) {
        TRY(tpl_expand_tree(a, tree, world, &expanded, ret_fault));
        t->tree = expanded;
    }
    TRY(tpl_form_check(t, ret_fault));
    return build(t, ret_fault);
}

const struct tpl_resource *tpl_resources(const struct tpl *tpl, size_t *ret_n)
{
    *ret_n = tpl->resource_n;
    return tpl->resources;
}

const struct tpl_resource *tpl_resource(const struct tpl *tpl, struct str id)
{
    const struct tpl_declared *d = map_get(&tpl->declared_by, id);
    return d ? d->made : NULL;
}

const struct tpl_output *tpl_outputs(const struct tpl *tpl, size_t *ret_n)
{
    *ret_n = tpl->output_n;
    return tpl->outputs;
}

const struct tpl_parameter *tpl_parameters(const struct tpl *tpl, size_t *ret_n)
{
    *ret_n = tpl->parameter_n;
    return tpl->parameters;
}

struct str tpl_description(const struct tpl *tpl)
{
    return tpl_scalar(json_get(tpl->tree, STR("Description")));
}

/* --- resolving ----------------------------------------------------------------------------------- */

/* Dynamic references in texts; calls that stay are left alone. */
static enum err resolve_store(struct tpl_run *r, struct json *v)
{
    const struct json *arg;
    if (v->kind == JSON_STRING)
        return tpl_store_resolve(r->t->world, r->a, v->text, r->shown, &v->text, r->fault);
    if (tpl_fn_of(v, &arg) != TPL_NONE)
        return ERR_OK;
    for (struct json *it = v->child; it; it = it->next)
        TRY(resolve_store(r, it));
    return ERR_OK;
}

static enum err resolve(struct tpl_run *r, const struct json *value, const struct json **ret_v,
                        bool *ret_whole)
{
    struct json *v;
    TRY(tpl_eval(r, value, &v));
    if (v)
        TRY(resolve_store(r, v));
    *ret_v = v;
    *ret_whole = !r->partial;
    return ERR_OK;
}

enum err tpl_resolve(struct tpl *tpl, struct arena *a, const struct json *value,
                     tpl_lookup_fn *lookup, void *arg, const struct json **ret_v, bool *ret_whole,
                     struct tpl_fault *ret_fault)
{
    struct tpl_run r = {tpl, a, ret_fault, lookup, arg, .block = "Resources"};
    return resolve(&r, value, ret_v, ret_whole);
}

enum err tpl_resolve_shown(struct tpl *tpl, struct arena *a, const struct json *value,
                           tpl_lookup_fn *lookup, void *arg, const struct json **ret_v,
                           bool *ret_whole, struct tpl_fault *ret_fault)
{
    struct tpl_run r = {tpl, a, ret_fault, lookup, arg, .block = "Resources", .shown = true};
    return resolve(&r, value, ret_v, ret_whole);
}

enum err tpl_resolve_text(struct tpl *tpl, struct arena *a, const struct json *value,
                          tpl_lookup_fn *lookup, void *arg, struct str *ret_s, bool *ret_whole,
                          struct tpl_fault *ret_fault)
{
    const struct json *v;
    TRY(tpl_resolve(tpl, a, value, lookup, arg, &v, ret_whole, ret_fault));
    *ret_s = *ret_whole ? tpl_scalar(v) : STR_NONE;
    return str_is_set(*ret_s) || !*ret_whole
               ? ERR_OK
               : tpl_refuse(a, ret_fault,
                            "Template format error: The Value field of every Outputs member must "
                            "evaluate to a String.");
}

/* --- imports ------------------------------------------------------------------------------------- */

static enum err find_imports(struct tpl_run *r, const struct json *v, struct tpl_names *names)
{
    const struct json *arg;
    if (tpl_fn_of(v, &arg) == TPL_IMPORT_VALUE) {
        struct json *name;
        TRY(tpl_eval(r, arg, &name));
        return str_is_set(tpl_scalar(name)) ? tpl_names_add(r->a, names, tpl_scalar(name)) : ERR_OK;
    }
    for (const struct json *it = v->child; it; it = it->next)
        TRY(find_imports(r, it, names));
    return ERR_OK;
}

enum err tpl_imports(struct tpl *tpl, struct arena *a, const struct str **ret_names, size_t *ret_n,
                     struct tpl_fault *ret_fault)
{
    struct tpl_run r = {.t = tpl, .a = a, .fault = ret_fault, .block = "Resources"};
    struct tpl_names names = {0};
    for (size_t i = 0; i < tpl->resource_n; i++)
        if (tpl->resources[i].properties)
            TRY(find_imports(&r, tpl->resources[i].properties, &names));
    for (size_t i = 0; i < tpl->output_n; i++)
        TRY(find_imports(&r, tpl->outputs[i].value, &names));
    *ret_names = names.p;
    *ret_n = names.n;
    return ERR_OK;
}
