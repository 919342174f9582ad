/* Calls a template's functions and decides its conditions. See template.h, tpl_int.h.
 *
 * A value that is not known yet (the lookup says ERR_SUSPENDED) makes the outermost call around it stay as
 * it is written; within calls the error simply passes through. Fn::If is no such call: it becomes its
 * branch, of which parts may stay.
 *
 * Recursion is bounded by TPL_DEPTH_MAX: conditions that name conditions count as values in values.
 * Layer: template. Thread: pure but for the host's answers. */
#include "base/buf.h"
#include "codec/json_edit.h"
#include "lang/equal.h"
#include "template/tpl_int.h"

static enum err eval(struct tpl_run *r, const struct json *v, size_t depth, struct json **ret_v);
static enum err eval_bool(struct tpl_run *r, const struct json *v, size_t depth, bool *ret_yes);

/* --- arguments ----------------------------------------------------------------------------------- */

/* An argument of a call: what is not known makes the call unknown. */
static enum err argument(struct tpl_run *r, const struct json *v, size_t depth, struct json **ret_v)
{
    r->in_call++;
    enum err err = eval(r, v, depth + 1, ret_v);
    r->in_call--;
    return err;
}

/* A copy that counts; what it is put into may be as deep again. */
static enum err clone(struct tpl_run *r, const struct json *v, size_t depth, struct json **ret_v)
{
    TRY(tpl_step(r));
    if (depth > TPL_DEPTH_MAX)
        return tpl_refuse(r->a, r->fault, "Template error: values are nested too deep.");
    struct json *made = json_new(r->a, v->kind);
    if (!made)
        return ERR_NOMEM;
    *made = (struct json){.kind = v->kind, .b = v->b, .n = v->n, .text = v->text, .key = v->key};
    struct json **tail = &made->child;
    JSON_EACH (v, it) {
        TRY(clone(r, it, depth + 1, tail));
        tail = &(*tail)->next;
    }
    *ret_v = made;
    return ERR_OK;
}

/* An argument that must be a text. */
static enum err text(struct tpl_run *r, const struct json *v, size_t depth, const char *otherwise,
                     struct str *ret_s)
{
    struct json *made;
    TRY(argument(r, v, depth, &made));
    *ret_s = tpl_scalar(made);
    return str_is_set(*ret_s) ? ERR_OK
                              : tpl_refuse(r->a, r->fault, "Template error: %s", otherwise);
}

/* --- what is named ------------------------------------------------------------------------------- */

static enum err unresolved(struct tpl_run *r, struct str name)
{
    const struct tpl_names names = {&name, 1, 1};
    return tpl_refuse_missing(r->a, r->fault, &names, r->block);
}

static enum err ask(struct tpl_run *r, struct str id, struct str attribute, size_t depth,
                    struct json **ret_v)
{
    const struct tpl_declared *d = map_get(&r->t->declared_by, id);
    const struct json *v = NULL;
    if (!d || !r->lookup || !d->made)
        return unresolved(r, id);
    enum err err = r->lookup(r->arg, r->a, id, attribute, &v);
    if (err == ERR_NOT_FOUND)
        return tpl_refuse(r->a, r->fault,
                          "Template error: resource " STR_FMT
                          " does not support attribute type " STR_FMT " in Fn::GetAtt",
                          STR_ARG(id), STR_ARG(attribute));
    TRY(err);
    return clone(r, v, depth, ret_v);
}

static enum err pseudo(struct tpl_run *r, struct str name, struct json **ret_v)
{
    const struct tpl_world *w = r->t->world;
    const struct {
        const char *name;
        struct str value;
    } rows[] = {{"AWS::Region", w->region},        {"AWS::AccountId", w->account},
                {"AWS::Partition", w->partition},  {"AWS::URLSuffix", w->url_suffix},
                {"AWS::StackName", w->stack_name}, {"AWS::StackId", w->stack_id}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_eq_c(name, rows[i].name)) {
            *ret_v = json_new_str(r->a, rows[i].value);
            return *ret_v ? ERR_OK : ERR_NOMEM;
        }
    struct json *list = json_new(r->a, JSON_ARRAY);
    if (!list)
        return ERR_NOMEM;
    for (size_t i = 0; i < w->notification_arn_n; i++)
        TRY(json_push(list, json_new_str(r->a, w->notification_arns[i])));
    *ret_v = list;
    return ERR_OK;
}

/* *ret_v NULL: AWS::NoValue. */
static enum err by_name(struct tpl_run *r, struct str name, size_t depth, struct json **ret_v)
{
    const struct tpl_parameter *p = map_get(&r->t->parameter_by, name);
    *ret_v = NULL;
    if (p && p->no_echo && r->shown) {
        *ret_v = json_new_str(r->a, STR(TPL_NO_ECHO));
        return *ret_v ? ERR_OK : ERR_NOMEM;
    }
    if (p && p->is_unknown && r->lookup) /* conditions are decided all the same */
        return ERR_SUSPENDED;
    if (p)
        return p->use ? clone(r, p->use, depth, ret_v) : ERR_SUSPENDED;
    if (str_eq(name, STR(TPL_NO_VALUE)))
        return ERR_OK;
    if (tpl_is_pseudo(name))
        return pseudo(r, name, ret_v);
    return ask(r, name, STR_NONE, depth, ret_v);
}

static enum err call_ref(struct tpl_run *r, const struct json *arg, size_t depth,
                         struct json **ret_v)
{
    struct str name;
    TRY(text(r, arg, depth, TPL_SAY_REF, &name));
    return by_name(r, name, depth, ret_v);
}

static enum err call_get_att(struct tpl_run *r, const struct json *arg, size_t depth,
                             struct json **ret_v)
{
    struct str id, attribute;
    if (arg->kind != JSON_ARRAY || arg->n != 2)
        return tpl_refuse(r->a, r->fault, "Template error: " TPL_SAY_GET_ATT);
    TRY(text(r, arg->child, depth, TPL_SAY_GET_ATT, &id));
    TRY(text(r, arg->child->next, depth, TPL_SAY_GET_ATT, &attribute));
    return ask(r, id, attribute, depth, ret_v);
}

/* --- Fn::Sub ------------------------------------------------------------------------------------- */

static enum err variable(struct tpl_run *r, struct str name, const struct json *own, size_t depth,
                         struct str *ret_s)
{
    const struct json *given = json_get(own, name);
    struct json *v = NULL;
    if (!tpl_sub_name_ok(name))
        return tpl_refuse(r->a, r->fault, "Template error: " TPL_SAY_SUB_NAME);
    size_t dot = str_find(name, '.');
    if (given)
        TRY(argument(r, given, depth, &v));
    else if (dot != SIZE_MAX)
        TRY(ask(r, str_sub(name, 0, dot), str_sub(name, dot + 1, SIZE_MAX), depth, &v));
    else
        TRY(by_name(r, name, depth, &v));
    *ret_s = tpl_scalar(v);
    if (str_is_set(*ret_s))
        return ERR_OK;
    return given ? tpl_refuse(r->a, r->fault,
                              "Template error: every value of the context object of every Fn::Sub "
                              "object must be a string or a function that returns a string")
                 : tpl_refuse(r->a, r->fault,
                              "Template error: variable " STR_FMT
                              " in Fn::Sub expression does not resolve to a string",
                              STR_ARG(name));
}

static enum err call_sub(struct tpl_run *r, const struct json *arg, size_t depth,
                         struct json **ret_v)
{
    const struct json *own = NULL, *format = arg;
    struct tpl_piece piece;
    struct buf b;
    if (arg->kind == JSON_ARRAY) {
        format = arg->n == 2 ? arg->child : NULL;
        own = arg->n == 2 ? arg->child->next : NULL;
    }
    if (!tpl_is_scalar(format) || (own && own->kind != JSON_OBJECT))
        return tpl_refuse(r->a, r->fault, "Template error: " TPL_SAY_SUB);
    buf_init_arena(&b, r->a, TPL_MADE_BYTES_MAX);
    for (struct str rest = tpl_scalar(format); tpl_sub_next(&rest, &piece);) {
        struct str s = piece.literal;
        TRY(tpl_look(r, own ? own->n : 0));
        if (str_is_set(piece.name))
            TRY(variable(r, piece.name, own, depth, &s));
        TRY(tpl_made(r, s.len));
        buf_add_str(&b, s);
    }
    TRY(buf_err(&b));
    *ret_v = json_new_str(r->a, buf_str(&b));
    return *ret_v ? ERR_OK : ERR_NOMEM;
}

/* --- lists and text ------------------------------------------------------------------------------ */

static enum err pair(struct tpl_run *r, const struct json *arg, const char *otherwise)
{
    return arg->kind == JSON_ARRAY && arg->n == 2
               ? ERR_OK
               : tpl_refuse(r->a, r->fault, "Template error: %s", otherwise);
}

static enum err call_join(struct tpl_run *r, const struct json *arg, size_t depth,
                          struct json **ret_v)
{
    struct json *list;
    TRY(pair(r, arg, TPL_SAY_JOIN));
    if (arg->child->kind != JSON_STRING)
        return tpl_refuse(r->a, r->fault, "Template error: " TPL_SAY_JOIN);
    TRY(argument(r, arg->child->next, depth, &list));
    return tpl_text_join(r, arg->child->text, list, ret_v);
}

static enum err call_split(struct tpl_run *r, const struct json *arg, size_t depth,
                           struct json **ret_v)
{
    struct str delimiter, source;
    TRY(pair(r, arg, TPL_SAY_SPLIT));
    TRY(text(r, arg->child, depth, TPL_SAY_SPLIT, &delimiter));
    TRY(text(r, arg->child->next, depth, TPL_SAY_SPLIT, &source));
    return tpl_text_split(r, delimiter, source, ret_v);
}

static enum err call_select(struct tpl_run *r, const struct json *arg, size_t depth,
                            struct json **ret_v)
{
    struct json *index, *list;
    TRY(pair(r, arg, TPL_SAY_SELECT));
    TRY(argument(r, arg->child, depth, &index));
    TRY(argument(r, arg->child->next, depth, &list));
    return tpl_text_select(r, index, list, ret_v);
}

static enum err call_base64(struct tpl_run *r, const struct json *arg, size_t depth,
                            struct json **ret_v)
{
    struct str s;
    TRY(text(r, arg, depth, "every Fn::Base64 object must have a String-typed value.", &s));
    return tpl_text_base64(r, s, ret_v);
}

static enum err call_cidr(struct tpl_run *r, const struct json *arg, size_t depth,
                          struct json **ret_v)
{
    struct json *args;
    TRY(argument(r, arg, depth, &args));
    return tpl_text_cidr(r, args, ret_v);
}

static enum err call_zones(struct tpl_run *r, const struct json *arg, size_t depth,
                           struct json **ret_v)
{
    struct str region;
    TRY(text(r, arg, depth, "every Fn::GetAZs object must have a String-typed value.", &region));
    return tpl_text_zones(r, region, ret_v);
}

static enum err call_length(struct tpl_run *r, const struct json *arg, size_t depth,
                            struct json **ret_v)
{
    struct json *list;
    TRY(argument(r, arg, depth, &list));
    if (!list || list->kind != JSON_ARRAY)
        return tpl_refuse(r->a, r->fault,
                          "Transform AWS::LanguageExtensions failed with: The Fn::Length value "
                          "could not be resolved for properties");
    *ret_v = json_new_i64(r->a, list->n);
    return *ret_v ? ERR_OK : ERR_NOMEM;
}

static enum err call_to_json(struct tpl_run *r, const struct json *arg, size_t depth,
                             struct json **ret_v)
{
    struct json *v;
    struct buf b;
    TRY(argument(r, arg, depth, &v));
    if (!v || (v->kind != JSON_ARRAY && v->kind != JSON_OBJECT))
        return tpl_refuse(
            r->a, r->fault,
            "Transform AWS::LanguageExtensions failed with: Fn::ToJsonString takes an "
            "object or a list");
    buf_init_arena(&b, r->a, TPL_MADE_BYTES_MAX);
    json_put(&b, v);
    TRY(buf_err(&b));
    TRY(tpl_made(r, b.len));
    *ret_v = json_new_str(r->a, buf_str(&b));
    return *ret_v ? ERR_OK : ERR_NOMEM;
}

/* --- mappings, exports --------------------------------------------------------------------------- */

static enum err call_find_in_map(struct tpl_run *r, const struct json *arg, size_t depth,
                                 struct json **ret_v)
{
    struct str part[3];
    if (arg->kind != JSON_ARRAY || arg->n < 3 || arg->n > 4)
        return tpl_refuse(r->a, r->fault, "Template error: " TPL_SAY_FIND_IN_MAP);
    const struct json *it = arg->child;
    for (size_t i = 0; i < 3; i++, it = it->next)
        TRY(text(r, it, depth, TPL_SAY_FIND_IN_MAP, &part[i]));
    const struct json *keys = json_get(json_get(r->t->tree, STR("Mappings")), part[0]);
    TRY(tpl_look(r, keys ? keys->n : 0));
    const struct json *v = json_get(json_get(keys, part[1]), part[2]);
    if (v)
        return clone(r, v, depth, ret_v);
    const struct json *otherwise = r->t->extensions ? json_get(it, STR("DefaultValue")) : NULL;
    if (otherwise)
        return argument(r, otherwise, depth, ret_v);
    return tpl_refuse(r->a, r->fault,
                      "Template error: Unable to get mapping for " STR_FMT "::" STR_FMT
                      "::" STR_FMT,
                      STR_ARG(part[0]), STR_ARG(part[1]), STR_ARG(part[2]));
}

static enum err call_import(struct tpl_run *r, const struct json *arg, size_t depth,
                            struct json **ret_v)
{
    const struct tpl_world *w = r->t->world;
    struct str name, value = STR_NONE;
    TRY(text(r, arg, depth,
             "the attribute in Fn::ImportValue must not depend on any resources, "
             "imported values, or Fn::GetAZs",
             &name));
    enum err err = ERR_NOT_FOUND;
    if (w->host && w->host->export_value)
        err = w->host->export_value(w->host_arg, r->a, name, &value, r->fault);
    if (err == ERR_NOT_FOUND)
        return tpl_refuse(r->a, r->fault, "No export named " STR_FMT " found.", STR_ARG(name));
    TRY(err);
    *ret_v = json_new_str(r->a, value);
    return *ret_v ? ERR_OK : ERR_NOMEM;
}

/* --- conditions ---------------------------------------------------------------------------------- */

static enum err decide(struct tpl_run *r, struct str name, const char *where, size_t depth,
                       bool *ret_yes)
{
    struct tpl_condition *c = map_get(&r->t->condition_by, name);
    if (!c)
        return tpl_refuse(r->a, r->fault,
                          "Template error: unresolved condition dependency " STR_FMT " in %s",
                          STR_ARG(name), where);
    if (c->state == TPL_DECIDING)
        return tpl_refuse(r->a, r->fault,
                          "Template error: Found circular condition dependency: [" STR_FMT "]",
                          STR_ARG(name));
    if (c->state == TPL_UNDECIDED) {
        const struct tpl_run whole = *r;
        bool yes = false;
        c->state = TPL_DECIDING;
        r->block = "Conditions";
        r->lookup = NULL; /* conditions may not ask for resources */
        r->prune = false;
        enum err err = eval_bool(r, c->rule, depth + 1, &yes);
        r->block = whole.block;
        r->lookup = whole.lookup;
        r->prune = whole.prune;
        c->state = err != ERR_OK ? TPL_UNDECIDED : yes ? TPL_TRUE : TPL_FALSE;
        TRY(err);
    }
    *ret_yes = c->state == TPL_TRUE;
    return ERR_OK;
}

/* The branch that counts. */
static enum err branch(struct tpl_run *r, const struct json *arg, size_t depth,
                       const struct json **ret_branch)
{
    bool yes;
    if (arg->kind != JSON_ARRAY || arg->n != 3 || arg->child->kind != JSON_STRING)
        return tpl_refuse(r->a, r->fault, "Template error: " TPL_SAY_IF);
    TRY(decide(r, arg->child->text, "Fn::If", depth, &yes));
    *ret_branch = yes ? arg->child->next : arg->child->next->next;
    return ERR_OK;
}

static enum err equals(struct tpl_run *r, const struct json *arg, size_t depth, bool *ret_yes)
{
    struct json *a, *b;
    size_t steps = 0;
    TRY(pair(r, arg, TPL_SAY_EQUALS));
    TRY(argument(r, arg->child, depth, &a));
    TRY(argument(r, arg->child->next, depth, &b));
    if (tpl_is_scalar(a) && tpl_is_scalar(b))
        *ret_yes = str_eq(tpl_scalar(a), tpl_scalar(b));
    else
        *ret_yes = a && b && value_equal(a, b, &steps);
    return tpl_look(r, steps);
}

/* And: all; Or: any. All are evaluated, so that whatever is wrong is found. */
static enum err and_or(struct tpl_run *r, const struct json *arg, size_t depth, bool all,
                       bool *ret_yes)
{
    if (arg->kind != JSON_ARRAY || arg->n < 2 || arg->n > 10)
        return tpl_refuse(r->a, r->fault, "Template error: %s", all ? TPL_SAY_AND : TPL_SAY_OR);
    *ret_yes = all;
    for (const struct json *it = arg->child; it; it = it->next) {
        bool yes;
        TRY(eval_bool(r, it, depth + 1, &yes));
        if (yes != all)
            *ret_yes = !all;
    }
    return ERR_OK;
}

/* --- functions of Rules -------------------------------------------------------------------------- */

static bool is_in(const struct json *list, const struct json *v)
{
    JSON_EACH (list, it)
        if (str_eq(tpl_scalar(it), tpl_scalar(v)))
            return true;
    return false;
}

/* Contains: one text is in the list; EachMemberEquals: all members are the text; EachMemberIn: all members
 * are in the second list. */
static enum err membership(struct tpl_run *r, enum tpl_fn fn, const struct json *arg, size_t depth,
                           bool *ret_yes)
{
    struct json *list, *other;
    if (arg->kind != JSON_ARRAY || arg->n != 2)
        return tpl_refuse(r->a, r->fault,
                          "Template error: every %s object requires a list of 2 parameters.",
                          tpl_fn_name(fn));
    TRY(argument(r, arg->child, depth, &list));
    TRY(argument(r, arg->child->next, depth, &other));
    bool second_is_list = other && other->kind == JSON_ARRAY;
    if (!list || list->kind != JSON_ARRAY || second_is_list != (fn == TPL_EACH_MEMBER_IN) || !other)
        return tpl_refuse(r->a, r->fault,
                          "Template error: every %s object requires a list of 2 parameters.",
                          tpl_fn_name(fn));
    *ret_yes = fn == TPL_CONTAINS ? is_in(list, other) : true;
    for (const struct json *it = list->child; it && fn != TPL_CONTAINS; it = it->next) {
        TRY(tpl_look(r, other->n));
        if (!(second_is_list ? is_in(other, it) : str_eq(tpl_scalar(it), tpl_scalar(other))))
            *ret_yes = false;
    }
    return ERR_OK;
}

/* The values of all parameters of a type. */
static enum err call_ref_all(struct tpl_run *r, const struct json *arg, size_t depth,
                             struct json **ret_v)
{
    struct json *list = json_new(r->a, JSON_ARRAY);
    struct str type;
    if (!list)
        return ERR_NOMEM;
    TRY(text(r, arg, depth, "every Fn::RefAll object must have a single String value.", &type));
    for (size_t i = 0; i < r->t->parameter_n; i++)
        if (str_eq(r->t->parameters[i].type, type) && str_is_set(r->t->parameters[i].value))
            TRY(json_push(list, json_new_str(r->a, r->t->parameters[i].value)));
    *ret_v = list;
    return ERR_OK;
}

static enum err eval_bool(struct tpl_run *r, const struct json *v, size_t depth, bool *ret_yes)
{
    const struct json *arg = NULL;
    TRY(tpl_step(r));
    if (depth > TPL_DEPTH_MAX)
        return tpl_refuse(r->a, r->fault, "Template error: conditions are nested too deep.");
    if (v->kind == JSON_OBJECT && v->n == 1 && str_eq(v->child->key, STR("Condition")) &&
        v->child->kind == JSON_STRING)
        return decide(r, v->child->text, "Condition", depth, ret_yes);
    enum tpl_fn fn = tpl_fn_of(v, &arg);
    switch (fn) {
    case TPL_AND:
    case TPL_OR:
        return and_or(r, arg, depth, fn == TPL_AND, ret_yes);
    case TPL_NOT:
        if (arg->kind != JSON_ARRAY || arg->n != 1)
            return tpl_refuse(r->a, r->fault, "Template error: " TPL_SAY_NOT);
        TRY(eval_bool(r, arg->child, depth + 1, ret_yes));
        *ret_yes = !*ret_yes;
        return ERR_OK;
    case TPL_EQUALS:
        return equals(r, arg, depth, ret_yes);
    case TPL_CONTAINS:
    case TPL_EACH_MEMBER_EQUALS:
    case TPL_EACH_MEMBER_IN:
        return membership(r, fn, arg, depth, ret_yes);
    default:
        return tpl_refuse(r->a, r->fault, TPL_SAY_BOOLEAN);
    }
}

/* --- values -------------------------------------------------------------------------------------- */

static enum err unsupported(struct tpl_run *r, const struct json *v)
{
    return tpl_refuse(r->a, r->fault, "Template error: " TPL_SAY_UNSUPPORTED,
                      STR_ARG(v->child->key));
}

typedef enum err call_fn(struct tpl_run *r, const struct json *arg, size_t depth,
                         struct json **ret_v);

static enum err call(struct tpl_run *r, enum tpl_fn fn, const struct json *v,
                     const struct json *arg, size_t depth, struct json **ret_v)
{
    static call_fn *const calls[TPL_UNKNOWN + 1] = {
        [TPL_REF] = call_ref,
        [TPL_GET_ATT] = call_get_att,
        [TPL_SUB] = call_sub,
        [TPL_JOIN] = call_join,
        [TPL_SELECT] = call_select,
        [TPL_SPLIT] = call_split,
        [TPL_FIND_IN_MAP] = call_find_in_map,
        [TPL_BASE64] = call_base64,
        [TPL_CIDR] = call_cidr,
        [TPL_GET_AZS] = call_zones,
        [TPL_IMPORT_VALUE] = call_import,
        [TPL_LENGTH] = call_length,
        [TPL_TO_JSON_STRING] = call_to_json,
        [TPL_REF_ALL] = call_ref_all,
    };
    bool extension = fn == TPL_LENGTH || fn == TPL_TO_JSON_STRING;
    if (!calls[fn] || (extension && !r->t->extensions) ||
        (fn == TPL_REF_ALL && strcmp(r->block, "Rules") != 0))
        return unsupported(r, v);
    enum err err = calls[fn](r, arg, depth, ret_v);
    if (err != ERR_SUSPENDED || r->in_call)
        return err;
    r->partial = true;
    return clone(r, v, depth, ret_v);
}

/* Members or elements that have a value. */
static enum err container(struct tpl_run *r, const struct json *v, size_t depth,
                          struct json **ret_v)
{
    struct json *made = json_new(r->a, v->kind);
    struct json **tail = made ? &made->child : NULL;
    if (!made)
        return ERR_NOMEM;
    JSON_EACH (v, it) {
        struct json *one;
        TRY(eval(r, it, depth + 1, &one));
        if (!one)
            continue;
        one->key = it->key;
        one->next = NULL;
        *tail = one;
        tail = &one->next;
        made->n++;
    }
    *ret_v = made;
    return ERR_OK;
}

static enum err eval(struct tpl_run *r, const struct json *v, size_t depth, struct json **ret_v)
{
    const struct json *arg = NULL;
    TRY(tpl_step(r));
    if (depth > TPL_DEPTH_MAX)
        return tpl_refuse(r->a, r->fault, "Template error: values are nested too deep.");
    enum tpl_fn fn = tpl_fn_of(v, &arg);
    *ret_v = NULL;
    if (fn == TPL_IF && !(r->prune && r->t->world->check_only)) {
        const struct json *taken = NULL;
        TRY(branch(r, arg, depth, &taken));
        return eval(r, taken, depth + 1, ret_v);
    }
    if (r->prune && tpl_is_no_value(v))
        return ERR_OK;
    if (fn != TPL_NONE && !r->prune)
        return call(r, fn, v, arg, depth, ret_v);
    if (v->kind == JSON_ARRAY || v->kind == JSON_OBJECT)
        return container(r, v, depth, ret_v);
    return clone(r, v, depth, ret_v);
}

enum err tpl_eval(struct tpl_run *r, const struct json *v, struct json **ret_v)
{
    enum err err = eval(r, v, 0, ret_v);
    if (err != ERR_SUSPENDED) /* a condition that asks for a parameter without a value */
        return err;
    r->partial = true;
    return clone(r, v, 0, ret_v);
}

enum err tpl_eval_bool(struct tpl_run *r, const struct json *v, bool *ret_yes)
{
    return eval_bool(r, v, 0, ret_yes);
}

enum err tpl_eval_condition(struct tpl_run *r, struct str name, bool *ret_yes)
{
    return decide(r, name, "Condition", 0, ret_yes);
}
