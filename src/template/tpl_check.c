/* Calls and names in all branches of a template, whichever will be taken: what AWS refuses without looking
 * at values. See tpl_int.h. Layer: template. Thread: pure but for the host's answers. */
#include "template/tpl_int.h"

struct check {
    struct tpl *t;
    struct tpl_fault *fault;
    const char *block;
    struct tpl_names missing;
    size_t steps;
};

static enum err walk(struct check *c, const struct json *v);

static enum err PRINTF_LIKE(2, 3) refuse(struct check *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str text = str_vfmt(c->t->arena, fmt, ap);
    va_end(ap);
    return tpl_refuse(c->t->arena, c->fault, "Template error: " STR_FMT, STR_ARG(text));
}

static bool is_block(const struct check *c, const char *block)
{
    return strcmp(c->block, block) == 0;
}

/* --- names --------------------------------------------------------------------------------------- */

static enum err check_name(struct check *c, struct str name)
{
    if (map_get(&c->t->parameter_by, name) || tpl_is_pseudo(name))
        return ERR_OK;
    bool may = !is_block(c, "Conditions") && !is_block(c, "Rules");
    if (may && map_get(&c->t->declared_by, name))
        return ERR_OK;
    return tpl_names_add(c->t->arena, &c->missing, name);
}

static enum err check_attribute(struct check *c, struct str id, struct str attribute,
                                enum tpl_fn fn)
{
    const struct tpl_host *host = c->t->world->host;
    const struct tpl_declared *d = map_get(&c->t->declared_by, id);
    if (!d && fn == TPL_GET_ATT)
        return refuse(c, "instance of Fn::GetAtt references undefined resource " STR_FMT,
                      STR_ARG(id));
    if (!d)
        return tpl_names_add(c->t->arena, &c->missing, id);
    if (is_block(c, "Conditions") || is_block(c, "Rules"))
        return tpl_names_add(c->t->arena, &c->missing, id);
    if (!host || !host->has_attribute ||
        host->has_attribute(c->t->world->host_arg, json_get_str(d->body, STR("Type")), attribute))
        return ERR_OK;
    return fn == TPL_GET_ATT
               ? refuse(c,
                        "resource " STR_FMT " does not support attribute type " STR_FMT
                        " in Fn::GetAtt",
                        STR_ARG(id), STR_ARG(attribute))
               : refuse(c,
                        "instance of Fn::Sub references invalid resource attribute " STR_FMT
                        "." STR_FMT,
                        STR_ARG(id), STR_ARG(attribute));
}

static enum err check_condition(struct check *c, struct str name, const char *where)
{
    return map_get(&c->t->condition_by, name)
               ? ERR_OK
               : refuse(c, "unresolved condition dependency " STR_FMT " in %s", STR_ARG(name),
                        where);
}

/* --- calls --------------------------------------------------------------------------------------- */

static enum err check_get_att(struct check *c, const struct json *arg)
{
    bool list = arg->kind == JSON_ARRAY && arg->n == 2;
    const struct json *id = list ? arg->child : NULL, *attribute = list ? id->next : NULL;
    if (c->t->extensions && list && (!tpl_is_scalar(id) || !tpl_is_scalar(attribute)))
        return walk(c, arg);
    struct str name = tpl_scalar(id), member = tpl_scalar(attribute);
    if (!list || !name.len || (!member.len && attribute->kind != JSON_OBJECT))
        return refuse(c, TPL_SAY_GET_ATT);
    if (attribute->kind == JSON_OBJECT) { /* AWS allows a Ref there */
        TRY(walk(c, attribute));
        return map_get(&c->t->declared_by, name)
                   ? ERR_OK
                   : refuse(c, "instance of Fn::GetAtt references undefined resource " STR_FMT,
                            STR_ARG(name));
    }
    return check_attribute(c, name, member, TPL_GET_ATT);
}

static enum err check_variable(struct check *c, struct str name, const struct json *own)
{
    if (!tpl_sub_name_ok(name))
        return refuse(c, TPL_SAY_SUB_NAME);
    size_t dot = str_find(name, '.');
    if (json_get(own, name))
        return ERR_OK;
    return dot == SIZE_MAX ? check_name(c, name)
                           : check_attribute(c, str_sub(name, 0, dot),
                                             str_sub(name, dot + 1, SIZE_MAX), TPL_SUB);
}

static enum err check_sub(struct check *c, const struct json *arg)
{
    bool list = arg->kind == JSON_ARRAY && arg->n == 2;
    const struct json *format = list ? arg->child : arg, *own = list ? format->next : NULL;
    struct tpl_piece piece;
    if (!tpl_is_scalar(format) || (own && own->kind != JSON_OBJECT))
        return refuse(c, TPL_SAY_SUB);
    for (struct str rest = tpl_scalar(format); tpl_sub_next(&rest, &piece);) {
        c->steps += own ? own->n / 8 : 0; /* a look at a member is cheaper than a step */
        if (c->steps > TPL_STEPS_MAX)
            break;
        if (str_is_set(piece.name))
            TRY(check_variable(c, piece.name, own));
    }
    return own ? walk(c, own) : ERR_OK;
}

static enum err check_find_in_map(struct check *c, const struct json *arg)
{
    const struct json *name = arg->kind == JSON_ARRAY ? arg->child : NULL;
    size_t max = c->t->extensions ? 4 : 3;
    if (!name || arg->n < 3 || arg->n > max)
        return refuse(c, TPL_SAY_FIND_IN_MAP);
    bool otherwise = json_get(tpl_item(arg, 3), STR("DefaultValue")) != NULL;
    if (name->kind == JSON_STRING && !otherwise &&
        !json_get(json_get(c->t->tree, STR("Mappings")), name->text))
        return refuse(
            c, "Mapping named '" STR_FMT "' is not present in the 'Mappings' section of template.",
            STR_ARG(name->text));
    return walk(c, arg);
}

static enum err check_if(struct check *c, const struct json *arg)
{
    if (arg->kind != JSON_ARRAY || arg->n != 3 || arg->child->kind != JSON_STRING)
        return refuse(c, TPL_SAY_IF);
    TRY(check_condition(c, arg->child->text, "Fn::If"));
    return walk(c, arg);
}

/* A macro, wherever it is; of what it would be given nothing else matters. */
static enum err refuse_macro(struct check *c, const struct json *arg)
{
    struct str name = json_get_str(arg, STR("Name"));
    return tpl_refuse(c->t->arena, c->fault, "No transform named " STR_FMT " found.",
                      STR_ARG(str_is_set(name) ? name : tpl_scalar(arg)));
}

/* Functions whose argument is a list of so many. */
static enum err check_list(struct check *c, enum tpl_fn fn, const struct json *arg)
{
    static const struct {
        enum tpl_fn fn;
        uint32_t min, max;
        const char *otherwise;
    } rows[] = {
        {TPL_JOIN, 2, 2, TPL_SAY_JOIN},     {TPL_SPLIT, 2, 2, TPL_SAY_SPLIT},
        {TPL_SELECT, 2, 2, TPL_SAY_SELECT}, {TPL_CIDR, 3, 3, TPL_SAY_CIDR},
        {TPL_AND, 2, 10, TPL_SAY_AND},      {TPL_OR, 2, 10, TPL_SAY_OR},
        {TPL_NOT, 1, 1, TPL_SAY_NOT},       {TPL_EQUALS, 2, 2, TPL_SAY_EQUALS},
    };
    const struct json *inner;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (fn == rows[i].fn &&
            (arg->kind != JSON_ARRAY || arg->n < rows[i].min || arg->n > rows[i].max) &&
            (fn != TPL_CIDR || tpl_fn_of(arg, &inner) == TPL_NONE))
            return refuse(c, "%s", rows[i].otherwise);
    return ERR_OK;
}

static enum err check_call(struct check *c, enum tpl_fn fn, const struct json *arg)
{
    switch (fn) {
    case TPL_REF:
        if (arg->kind == JSON_OBJECT && c->t->extensions)
            return walk(c, arg);
        if (arg->kind != JSON_STRING || !arg->text.len)
            return refuse(c, TPL_SAY_REF);
        return check_name(c, arg->text);
    case TPL_GET_ATT:
        return check_get_att(c, arg);
    case TPL_SUB:
        return check_sub(c, arg);
    case TPL_FIND_IN_MAP:
        return check_find_in_map(c, arg);
    case TPL_IF:
        return check_if(c, arg);
    default:
        TRY(check_list(c, fn, arg));
        return walk(c, arg);
    }
}

/* --- places -------------------------------------------------------------------------------------- */

static enum err walk(struct check *c, const struct json *v)
{
    const struct json *arg = NULL;
    if (++c->steps > TPL_STEPS_MAX)
        return refuse(c, TPL_SAY_WORK);
    enum tpl_fn fn = tpl_fn_of(v, &arg);
    bool boolean = fn >= TPL_AND && fn < TPL_UNKNOWN;
    bool decides = is_block(c, "Conditions") || is_block(c, "Rules");
    if (fn == TPL_UNKNOWN || (boolean && !decides) ||
        ((fn == TPL_LENGTH || fn == TPL_TO_JSON_STRING) && !c->t->extensions))
        return refuse(c, TPL_SAY_UNSUPPORTED, STR_ARG(v->child->key));
    if (fn != TPL_NONE && fn != TPL_TRANSFORM)
        return check_call(c, fn, arg);
    if (decides && v->kind == JSON_OBJECT && v->n == 1 && str_eq(v->child->key, STR("Condition")) &&
        v->child->kind == JSON_STRING)
        return check_condition(c, v->child->text, "Condition");
    for (const struct json *it = v->child; it; it = it->next) {
        if (v->kind == JSON_OBJECT && str_eq(it->key, STR("Fn::Transform")))
            return refuse_macro(c, it);
        TRY(walk(c, it));
    }
    return ERR_OK;
}

static enum err say_missing(struct check *c)
{
    return tpl_refuse_missing(c->t->arena, c->fault, &c->missing, c->block);
}

/* Secrets are only where AWS takes them, of the types that Weir has. */
static enum err check_secure(struct check *c, const struct json *v, struct str type, bool allowed)
{
    if (!allowed && v->kind == JSON_STRING &&
        str_find_str(v->text, STR("{{resolve:ssm-secure:")) != SIZE_MAX)
        return tpl_refuse(c->t->arena, c->fault,
                          "SSM Secure reference is not supported in: [" STR_FMT "]", STR_ARG(type));
    for (const struct json *it = v->child; it; it = it->next) {
        bool password = str_eq(type, STR("AWS::IAM::User")) && str_eq(it->key, STR("Password"));
        TRY(check_secure(c, it, type, allowed || password));
    }
    return ERR_OK;
}

static enum err check_depends(struct check *c, const struct json *depends)
{
    if (!depends)
        return ERR_OK;
    const struct json *it = depends->kind == JSON_ARRAY ? depends->child : depends;
    for (; it; it = depends->kind == JSON_ARRAY ? it->next : NULL)
        if (!map_get(&c->t->declared_by, it->text))
            TRY(tpl_names_add(c->t->arena, &c->missing, it->text));
    return ERR_OK;
}

static enum err check_resource(struct check *c, const struct tpl_declared *d)
{
    static const char *const places[] = {"Properties",     "Metadata",       "UpdatePolicy",
                                         "CreationPolicy", "DeletionPolicy", "UpdateReplacePolicy"};
    const struct json *properties = json_get(d->body, STR("Properties"));
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        const struct json *v = json_get(d->body, str_c(places[i]));
        if (v)
            TRY(walk(c, v));
    }
    TRY(check_depends(c, json_get(d->body, STR("DependsOn"))));
    return properties ? check_secure(c, properties, json_get_str(d->body, STR("Type")), false)
                      : ERR_OK;
}

static enum err check_section(struct tpl *t, struct tpl_fault *fault, const char *block)
{
    struct check c = {.t = t, .fault = fault, .block = block};
    const struct json *section = json_get(t->tree, str_c(block));
    JSON_EACH (section, it)
        TRY(walk(&c, it));
    return say_missing(&c);
}

enum err tpl_check_all(struct tpl *t, struct tpl_fault *fault)
{
    struct check c = {.t = t, .fault = fault, .block = "Resources"};
    TRY(check_section(t, fault, "Conditions"));
    TRY(check_section(t, fault, "Rules"));
    for (size_t i = 0; i < t->declared_n; i++)
        TRY(check_resource(&c, &t->declared[i]));
    TRY(say_missing(&c));
    return check_section(t, fault, "Outputs");
}
