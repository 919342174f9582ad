/* The shapes of a template's sections: which members there are, of what kind, how many, with what names.
 * See tpl_int.h.
 *
 * Source: the CloudFormation user guide, "Template sections" and "CloudFormation quotas".
 * Layer: template. Thread: pure but for the host's answers. */
#include "base/buf.h"
#include "template/tpl_int.h"

struct form {
    struct tpl *t;
    struct arena *a;
    struct tpl_fault *fault;
};

#define FORMAT "Template format error: "

static enum err unsupported(const struct form *f)
{
    return tpl_refuse(f->a, f->fault, FORMAT "unsupported structure.");
}

static bool is_among(struct str s, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_c(s, names[i]))
            return true;
    return false;
}

/* --- null ---------------------------------------------------------------------------------------- */

/* Names on the way to a value, innermost first. */
struct way {
    const struct way *outer;
    struct str key;
    size_t index;
};

static void put_way(struct buf *b, const struct way *way)
{
    if (!way)
        return;
    put_way(b, way->outer);
    buf_add_byte(b, '/');
    if (str_is_set(way->key))
        buf_add_str(b, way->key);
    else
        buf_add_u64(b, way->index);
}

static enum err refuse_null(const struct form *f, const struct way *way)
{
    struct buf b;
    buf_init_arena(&b, f->a, TPL_BYTES_MAX);
    put_way(&b, way);
    TRY(buf_err(&b));
    return tpl_refuse(f->a, f->fault, "[" STR_FMT "] 'null' values are not allowed in templates",
                      STR_ARG(buf_str(&b)));
}

/* As deep as tpl_read and tpl_expand let trees be. */
static enum err check_null(const struct form *f, const struct json *v, const struct way *outer)
{
    struct way way = {.outer = outer};
    JSON_EACH (v, it) {
        way.key = v->kind == JSON_OBJECT ? it->key : STR_NONE;
        if (it->kind == JSON_NULL)
            return refuse_null(f, &way);
        if (it->child)
            TRY(check_null(f, it, &way));
        way.index++;
    }
    return ERR_OK;
}

/* --- the top ------------------------------------------------------------------------------------- */

static enum err check_top(const struct form *f)
{
    static const char *const known[] = {"AWSTemplateFormatVersion",
                                        "Description",
                                        "Metadata",
                                        "Parameters",
                                        "Rules",
                                        "Mappings",
                                        "Conditions",
                                        "Transform",
                                        "Resources",
                                        "Outputs"};
    struct tpl_names wrong = {0};
    JSON_EACH (f->t->tree, it)
        if (!is_among(it->key, known, ARRAY_LEN(known)))
            TRY(tpl_names_add(f->a, &wrong, it->key));
    if (wrong.n)
        return tpl_refuse(f->a, f->fault, "Invalid template property or properties " STR_FMT,
                          STR_ARG(tpl_names_text(f->a, &wrong)));
    const struct json *version = json_get(f->t->tree, STR("AWSTemplateFormatVersion"));
    if (version && !str_eq(tpl_scalar(version), STR("2010-09-09")))
        return tpl_refuse(f->a, f->fault, FORMAT "unsupported value for AWSTemplateFormatVersion.");
    const struct json *description = json_get(f->t->tree, STR("Description"));
    if (description && !tpl_is_scalar(description))
        return tpl_refuse(f->a, f->fault, FORMAT "Description must be a string.");
    if (tpl_scalar(description).len > TPL_DESCRIPTION_BYTES_MAX)
        return tpl_refuse(f->a, f->fault, FORMAT "'Description' length is greater than %d.",
                          TPL_DESCRIPTION_BYTES_MAX);
    return ERR_OK;
}

/* A section of objects by name; *ret_section NULL: there is none. */
static enum err section(const struct form *f, const char *name, const char *what, size_t max,
                        const struct json **ret_section)
{
    const struct json *v = json_get(f->t->tree, str_c(name));
    *ret_section = v;
    if (!v)
        return ERR_OK;
    if (v->kind != JSON_OBJECT)
        return unsupported(f);
    return v->n <= max ? ERR_OK
                       : tpl_refuse(f->a, f->fault,
                                    FORMAT "Number of %s, %u, is greater than maximum allowed, %zu",
                                    what, v->n, max);
}

static bool is_name(struct str name)
{
    return tpl_is_alphanumeric(name) && name.len <= TPL_NAME_BYTES_MAX;
}

/* --- mappings ------------------------------------------------------------------------------------ */

static enum err check_mapping(const struct form *f, const struct json *map)
{
    if (!is_name(map->key))
        return tpl_refuse(f->a, f->fault, FORMAT "Mappings name '" STR_FMT "' is non alphanumeric.",
                          STR_ARG(map->key));
    if (map->kind != JSON_OBJECT)
        return tpl_refuse(f->a, f->fault, FORMAT "Every Mappings member " STR_FMT " must be a map",
                          STR_ARG(map->key));
    JSON_EACH (map, key) {
        if (key->kind != JSON_OBJECT)
            return tpl_refuse(f->a, f->fault,
                              FORMAT "Every Mappings member " STR_FMT " must be a map",
                              STR_ARG(key->key));
        if (key->n > TPL_MAPPING_ATTRIBUTES_MAX)
            return tpl_refuse(f->a, f->fault,
                              FORMAT "Number of mapping attributes, %u, is greater than maximum "
                                     "allowed, %d",
                              key->n, TPL_MAPPING_ATTRIBUTES_MAX);
        JSON_EACH (key, value)
            if (value->kind != JSON_ARRAY && !tpl_is_scalar(value))
                return tpl_refuse(f->a, f->fault,
                                  FORMAT "Every Mappings attribute must be a String or a List.");
    }
    return ERR_OK;
}

static enum err check_mappings(const struct form *f)
{
    const struct json *maps;
    TRY(section(f, "Mappings", "mappings", TPL_MAPPINGS_MAX, &maps));
    JSON_EACH (maps, it)
        TRY(check_mapping(f, it));
    return ERR_OK;
}

/* --- conditions ---------------------------------------------------------------------------------- */

static enum err check_conditions(const struct form *f)
{
    const struct json *all;
    TRY(section(f, "Conditions", "conditions", TPL_CONDITIONS_MAX, &all));
    f->t->conditions = ARENA_ARRAY(f->a, struct tpl_condition, all ? all->n : 0);
    if (!f->t->conditions)
        return ERR_NOMEM;
    JSON_EACH (all, it) {
        struct tpl_condition *c = &f->t->conditions[f->t->condition_n++];
        *c = (struct tpl_condition){.name = it->key, .rule = it};
        if (it->kind != JSON_OBJECT)
            return tpl_refuse(f->a, f->fault, TPL_SAY_BOOLEAN);
        TRY(map_put(&f->t->condition_by, c->name, c, NULL));
    }
    return ERR_OK;
}

static enum err check_condition_of(const struct form *f, const struct json *body, const char *block)
{
    const struct json *name = json_get(body, STR("Condition"));
    if (!name)
        return ERR_OK;
    if (name->kind != JSON_STRING)
        return tpl_refuse(f->a, f->fault, FORMAT "Every Condition member must be a string.");
    if (!map_get(&f->t->condition_by, name->text))
        return tpl_refuse(f->a, f->fault,
                          FORMAT "Unresolved condition dependency " STR_FMT
                                 " in the %s block of the template",
                          STR_ARG(name->text), block);
    return ERR_OK;
}

/* --- resources ----------------------------------------------------------------------------------- */

static enum err check_depends(const struct form *f, const struct json *depends)
{
    bool ok = !depends || depends->kind == JSON_STRING || depends->kind == JSON_ARRAY;
    if (depends && depends->kind == JSON_ARRAY)
        JSON_EACH (depends, it)
            ok = ok && it->kind == JSON_STRING;
    return ok ? ERR_OK
              : tpl_refuse(f->a, f->fault, FORMAT "DependsOn must be a string or list of strings.");
}

static enum err check_policy(const struct form *f, const struct json *body, const char *which)
{
    static const char *const values[] = {"Delete", "Retain", "Snapshot", "RetainExceptOnCreate"};
    const struct json *v = json_get(body, str_c(which)), *arg;
    if (!v || (f->t->extensions && tpl_fn_of(v, &arg) != TPL_NONE))
        return ERR_OK;
    if (v->kind != JSON_STRING)
        return tpl_refuse(f->a, f->fault, FORMAT "Every %s member must be a string.", which);
    size_t n = ARRAY_LEN(values) - (strcmp(which, "DeletionPolicy") != 0);
    return is_among(v->text, values, n)
               ? ERR_OK
               : tpl_refuse(f->a, f->fault,
                            FORMAT "Unrecognized %s " STR_FMT " for resource " STR_FMT, which,
                            STR_ARG(v->text), STR_ARG(body->key));
}

static enum err malformed(const struct form *f, struct str id)
{
    return tpl_refuse(f->a, f->fault,
                      FORMAT "[/Resources/" STR_FMT "] resource definition is "
                             "malformed",
                      STR_ARG(id));
}

static enum err check_resource(const struct form *f, const struct json *body)
{
    static const char *const known[] = {"Type",         "Properties",     "DependsOn",
                                        "Metadata",     "DeletionPolicy", "UpdateReplacePolicy",
                                        "UpdatePolicy", "CreationPolicy", "Condition",
                                        "Description"};
    const struct json *type = json_get(body, STR("Type"));
    const struct json *properties = json_get(body, STR("Properties"));
    if (body->kind != JSON_OBJECT)
        return malformed(f, body->key);
    if (!is_name(body->key))
        return tpl_refuse(f->a, f->fault, FORMAT "Resource name " STR_FMT " is non alphanumeric.",
                          STR_ARG(body->key));
    JSON_EACH (body, it)
        if (!is_among(it->key, known, ARRAY_LEN(known)))
            return tpl_refuse(f->a, f->fault, "Invalid template resource property '" STR_FMT "'",
                              STR_ARG(it->key));
    if (!type)
        return tpl_refuse(f->a, f->fault,
                          FORMAT "[/Resources/" STR_FMT
                                 "] Every Resources object must contain a Type member.",
                          STR_ARG(body->key));
    if (type->kind != JSON_STRING || (properties && properties->kind != JSON_OBJECT))
        return malformed(f, body->key);
    TRY(check_depends(f, json_get(body, STR("DependsOn"))));
    TRY(check_policy(f, body, "DeletionPolicy"));
    TRY(check_policy(f, body, "UpdateReplacePolicy"));
    return check_condition_of(f, body, "Resources");
}

static enum err check_types(const struct form *f)
{
    const struct tpl_host *host = f->t->world->host;
    struct tpl_names unknown = {0};
    if (!host || !host->has_type)
        return ERR_OK;
    for (size_t i = 0; i < f->t->declared_n; i++) {
        struct str type = json_get_str(f->t->declared[i].body, STR("Type"));
        if (!host->has_type(f->t->world->host_arg, type))
            TRY(tpl_names_add(f->a, &unknown, type));
    }
    return unknown.n ? tpl_refuse(f->a, f->fault, FORMAT "Unrecognized resource types: " STR_FMT,
                                  STR_ARG(tpl_names_text(f->a, &unknown)))
                     : ERR_OK;
}

static enum err check_resources(const struct form *f)
{
    struct tpl_names common = {0};
    const struct json *all;
    TRY(section(f, "Resources", "resources", TPL_RESOURCES_MAX, &all));
    if (!all || !all->n)
        return tpl_refuse(f->a, f->fault, FORMAT "At least one Resources member must be defined.");
    f->t->declared = ARENA_ARRAY(f->a, struct tpl_declared, all->n);
    if (!f->t->declared)
        return ERR_NOMEM;
    JSON_EACH (all, it) {
        struct tpl_declared *d = &f->t->declared[f->t->declared_n++];
        *d = (struct tpl_declared){.id = it->key, .body = it};
        TRY(check_resource(f, it));
        TRY(map_put(&f->t->declared_by, d->id, d, NULL));
        if (map_get(&f->t->parameter_by, d->id))
            TRY(tpl_names_add(f->a, &common, d->id));
    }
    if (common.n)
        return tpl_refuse(f->a, f->fault,
                          "Template error: all resources and parameters must have unique names. "
                          "Common name(s):" STR_FMT,
                          STR_ARG(tpl_names_text(f->a, &common)));
    return check_types(f);
}

/* --- outputs ------------------------------------------------------------------------------------- */

static enum err check_output(const struct form *f, const struct json *body)
{
    static const char *const known[] = {"Value", "Description", "Export", "Condition"};
    const struct json *given = json_get(body, STR("Export"));
    const struct json *description = json_get(body, STR("Description"));
    if (body->kind != JSON_OBJECT)
        return tpl_refuse(f->a, f->fault, FORMAT "Every Outputs member must be an object");
    if (!is_name(body->key))
        return tpl_refuse(f->a, f->fault, FORMAT "Outputs name '" STR_FMT "' is non alphanumeric.",
                          STR_ARG(body->key));
    JSON_EACH (body, it)
        if (!is_among(it->key, known, ARRAY_LEN(known)))
            return tpl_refuse(f->a, f->fault, "Invalid template output property '" STR_FMT "'",
                              STR_ARG(it->key));
    if (!json_get(body, STR("Value")))
        return tpl_refuse(f->a, f->fault,
                          FORMAT "Every Outputs member must contain a Value object");
    if (description && !tpl_is_scalar(description))
        return tpl_refuse(f->a, f->fault, FORMAT "Every Description member must be a string.");
    if (tpl_scalar(description).len > TPL_DESCRIPTION_BYTES_MAX)
        return tpl_refuse(f->a, f->fault, FORMAT "'Description' length is greater than %d.",
                          TPL_DESCRIPTION_BYTES_MAX);
    if (given && !json_get(given, STR("Name")))
        return tpl_refuse(f->a, f->fault,
                          FORMAT "Output " STR_FMT " is malformed. The Name field of every Export "
                                 "member must be specified.",
                          STR_ARG(body->key));
    return check_condition_of(f, body, "Outputs");
}

static enum err check_outputs(const struct form *f)
{
    const struct json *all;
    TRY(section(f, "Outputs", "outputs", TPL_OUTPUTS_MAX, &all));
    JSON_EACH (all, it)
        TRY(check_output(f, it));
    return ERR_OK;
}

enum err tpl_form_check(struct tpl *t, struct tpl_fault *fault)
{
    const struct form f = {t, t->arena, fault};
    TRY(check_top(&f));
    TRY(check_null(&f, t->tree, NULL));
    TRY(tpl_param_read(t, fault));
    TRY(check_mappings(&f));
    TRY(check_conditions(&f));
    TRY(check_resources(&f));
    return check_outputs(&f);
}
