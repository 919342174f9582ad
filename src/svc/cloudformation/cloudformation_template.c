/* Templates of stacks: what the template language asks its host, and what a request says a stack is to be.
 *
 *   text -> tree -> Include, language extensions, SAM -> open -> types and capabilities checked -> stored
 *
 * Layer: svc/cloudformation. Thread: the transaction's. */
#include "base/clock.h"
#include "codec/json.h"
#include "core/svc.h"
#include "core/target.h"
#include "svc/cloudformation/cloudformation_own.h"
#include "template/sam.h"

/* --- the host ----------------------------------------------------------------------------------- */

static enum err parameter_input(struct arena *a, struct str name, int64_t version, bool decrypt,
                                struct str *ret)
{
    struct buf b;
    struct json_out o;
    struct str full =
        version > 0 ? str_fmt(a, STR_FMT ":%lld", STR_ARG(name), (long long)version) : name;
    buf_init_arena(&b, a, 16 * 1024);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("Name"), full);
    json_kv_bool(&o, STR("WithDecryption"), decrypt);
    json_close(&o, '}');
    *ret = buf_str(&b);
    return buf_err(&b);
}

static enum err parameter(void *arg, struct arena *a, struct str name, int64_t version,
                          bool decrypt, struct str *ret_value, struct str *ret_type,
                          struct tpl_fault *ret_fault)
{
    struct cfn_open *open = arg;
    struct core_result r = {0};
    const struct json *v;
    struct core_request req = {
        .service = STR("ssm"),
        .operation = STR("GetParameter"),
        .who = open->who,
        .via = STR(CFN_PRINCIPAL),
        .region = open->world.region,
        .from = open->call,
    };
    TRY(parameter_input(a, name, version, decrypt, &req.input));
    enum err err = core_call_in_txn(open->txn, &req, &r);
    if (err == ERR_FAILED && !str_eq(r.code, STR("ParameterNotFound")) &&
        !str_eq(r.code, STR("ParameterVersionNotFound"))) {
        ret_fault->message = str_dup(a, r.message);
        return ERR_INVALID;
    }
    if (err == ERR_FAILED || err == ERR_NOT_FOUND)
        return ERR_NOT_FOUND;
    TRY(err);
    TRY(cfn_json(a, str_dup(a, r.output), &v));
    v = json_get(v, STR("Parameter"));
    *ret_value = json_get_str(v, STR("Value"));
    *ret_type = json_get_str(v, STR("Type"));
    return str_is_set(*ret_value) ? ERR_OK : ERR_NOT_FOUND;
}

enum err cfn_export_value(struct txn *txn, struct key_scope scope, struct str name,
                          struct str *ret_value)
{
    struct cfn_export e = {0};
    TRY(txn_read(txn, key_make(txn->arena, &cloudformation_k_export, scope, name), &cfn_export_type,
                 &e));
    *ret_value = e.value;
    return ERR_OK;
}

static enum err export_value(void *arg, struct arena *a, struct str name, struct str *ret_value,
                             struct tpl_fault *ret_fault)
{
    struct cfn_open *open = arg;
    struct str value;
    (void)ret_fault;
    TRY(cfn_export_value(open->txn, cfn_scope(open->stack), name, &value));
    *ret_value = str_dup(a, value);
    return str_is_set(*ret_value) ? ERR_OK : ERR_NOMEM;
}

static enum err included(void *arg, struct arena *a, struct str location, struct str *ret_text,
                         struct tpl_fault *ret_fault)
{
    struct cfn_open *open = arg;
    struct str url = location;
    if (!open->call) {
        ret_fault->message = STR("AWS::Include is done before a stack is made.");
        return ERR_INVALID;
    }
    if (str_starts(location, STR("s3://")))
        url = str_fmt(a, "https://s3.amazonaws.com/" STR_FMT,
                      STR_ARG(str_sub(location, 5, SIZE_MAX)));
    return cfn_fetch(open->call, url, TPL_BYTES_MAX, ret_text);
}

static bool has_type(void *arg, struct str type)
{
    (void)arg;
    return cfn_own_find(type) || type_find(type);
}

static bool has_attribute(void *arg, struct str type, struct str attribute)
{
    const struct type_row *row = type_find(type);
    (void)arg;
    return cfn_own_find(type) ? cfn_own_has_attribute(type, attribute)
                              : row && type_has_attribute(row, attribute);
}

static const struct tpl_host the_host = {
    .parameter = parameter,
    .export_value = export_value,
    .text = included,
    .has_type = has_type,
    .has_attribute = has_attribute,
};

static enum err fill_given(struct arena *a, const struct cfn_parameter *v, size_t n,
                           struct tpl_world *w)
{
    struct tpl_given *given = ARENA_ARRAY(a, struct tpl_given, n + 1);
    size_t k = 0;
    if (!given)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        if (!v[i].is_default)
            given[k++] = (struct tpl_given){.key = v[i].key, .value = v[i].value};
    w->given = given;
    w->given_n = k;
    return ERR_OK;
}

/* The world as a stack's template sees it, but for what was given. */
static void fill_world(struct txn *txn, const struct cfn_stack *s, struct cfn_open *open)
{
    const struct core_config *cfg = &txn->core->cfg;
    open->txn = txn;
    open->stack = s;
    open->world.region = s->region;
    open->world.account = s->account;
    open->world.partition = cfg->partition;
    open->world.url_suffix = cfn_url_suffix(txn->core);
    open->world.stack_name = s->name;
    open->world.stack_id = s->id;
    open->world.host = &the_host;
    open->world.host_arg = open;
}

enum err cfn_open_stored(struct txn *txn, struct arena *a, const struct cfn_stack *s,
                         const struct cfn_config *config, const struct principal *who,
                         struct cfn_open *ret, struct tpl_fault *ret_fault)
{
    struct str text;
    *ret = (struct cfn_open){.who = who};
    fill_world(txn, s, ret);
    ret->world.extensions = config->extensions;
    ret->world.notification_arns = config->notification_arns;
    ret->world.notification_arn_n = config->n_notification_arns;
    TRY(fill_given(a, config->parameters, config->n_parameters, &ret->world));
    TRY(cfn_template_read(txn, s->uuid, config->template_no, true, &text));
    text = str_dup(a, text);
    if (!str_is_set(text))
        return ERR_NOMEM;
    TRY(tpl_read(a, text, &ret->tree, ret_fault));
    return tpl_open(a, ret->tree, &ret->world, &ret->tpl, ret_fault);
}

/* --- parameters --------------------------------------------------------------------------------- */

static const struct cfn_parameter *previous_value(const struct cfn_config *c, struct str key)
{
    for (size_t i = 0; i < c->n_parameters; i++)
        if (str_eq(c->parameters[i].key, key))
            return &c->parameters[i];
    return NULL;
}

static enum err take_parameters(struct call *call, const struct cfn_stack *s,
                                const struct cfn_wish *wish, struct tpl_world *w)
{
    const struct cloudformation_parameters *in = &wish->parameters;
    struct tpl_given *given = ARENA_ARRAY(call->arena, struct tpl_given, in->n + 1);
    size_t n = 0;
    if (!given)
        return ERR_NOMEM;
    if (wish->is_nested) {
        w->given = wish->given;
        w->given_n = wish->n_given;
        return ERR_OK;
    }
    for (size_t i = 0; i < in->n; i++) {
        const struct cloudformation_parameter *p = &in->v[i];
        if (!str_is_set(p->parameter_key))
            continue;
        const struct cfn_parameter *was = previous_value(&s->config, p->parameter_key);
        if (p->use_previous_value && str_is_set(p->parameter_value))
            return CFN_INVALID(call,
                               "Invalid input for parameter key " STR_FMT
                               ". Cannot specify usePreviousValue as true and also a value",
                               STR_ARG(p->parameter_key));
        if (p->use_previous_value && !was)
            return CFN_INVALID(call,
                               "Invalid input for parameter key " STR_FMT
                               ". Cannot specify usePreviousValue as true for a parameter "
                               "key not in the previous template",
                               STR_ARG(p->parameter_key));
        if (p->use_previous_value && was->is_default)
            continue;
        given[n++] = (struct tpl_given){
            .key = p->parameter_key,
            .value = p->use_previous_value            ? was->value
                     : str_is_set(p->parameter_value) ? p->parameter_value
                                                      : STR(""),
        };
    }
    w->given = given;
    w->given_n = n;
    return ERR_OK;
}

static enum err keep_parameters(struct arena *a, const struct tpl *tpl, struct cfn_config *config)
{
    size_t n;
    const struct tpl_parameter *p = tpl_parameters(tpl, &n);
    config->parameters = ARENA_ARRAY(a, struct cfn_parameter, n + 1);
    if (!config->parameters)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        config->parameters[i] = (struct cfn_parameter){
            .key = p[i].key,
            .value = p[i].value,
            .resolved = p[i].resolved,
            .no_echo = p[i].no_echo,
            .is_default = !p[i].is_given,
        };
    config->n_parameters = n;
    return ERR_OK;
}

/* --- transforms --------------------------------------------------------------------------------- */

static enum err sam_parameters(struct cfn_open *open, struct arena *a, const struct json **ret,
                               struct tpl_fault *f)
{
    const struct tpl_parameter *p;
    size_t n;
    struct buf b;
    struct json_out o;
    TRY(tpl_parameters_of(a, open->tree, &open->world, &p, &n, f));
    buf_init_arena(&b, a, TPL_EXPANDED_BYTES_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    for (size_t i = 0; i < n; i++) {
        json_key(&o, p[i].key);
        if (p[i].use)
            json_tree(&o, p[i].use);
        else
            json_str(&o, p[i].value);
    }
    json_close(&o, '}');
    TRY(buf_err(&b));
    return cfn_json(a, buf_str(&b), ret);
}

static bool managed_policy(void *arg, struct str name, struct str *ret_arn)
{
    return cfn_managed_policy(arg, name, ret_arn);
}

static enum err serverless(struct cfn_open *open, struct arena *a, struct tpl_fault *f)
{
    struct sam_world world = {
        .region = open->world.region,
        .partition = open->world.partition,
        .now = clock_wall_ms() / 1000,
        .managed_policy = managed_policy,
        .arg = open,
    };
    struct sam_fault fault = {{0}};
    TRY(sam_parameters(open, a, &world.parameters, f));
    enum err err = sam_transform(a, open->tree, &world, &open->tree, &fault);
    if (err == ERR_INVALID || err == ERR_LIMIT || err == ERR_UNSUPPORTED) {
        f->message = str_fmt(a, "Transform " TPL_TRANSFORM_SAM " failed with: " STR_FMT,
                             STR_ARG(fault.message));
        return ERR_INVALID;
    }
    return err;
}

/* The tree after all transforms that the template names. */
static enum err transform(struct cfn_open *open, struct arena *a, struct tpl_fault *f)
{
    const struct str *names;
    size_t n;
    TRY(tpl_transforms(a, open->tree, &names, &n, f));
    open->transformed = n > 0;
    open->world.extensions = tpl_has_transform(open->tree, STR(TPL_TRANSFORM_EXTENSIONS));
    bool is_sam = tpl_has_transform(open->tree, STR(TPL_TRANSFORM_SAM));
    struct json *before = open->tree;
    TRY(tpl_expand(a, open->tree, &open->world, &open->tree, f));
    open->transformed |= open->tree != before;
    return is_sam ? serverless(open, a, f) : ERR_OK;
}

/* --- checks ------------------------------------------------------------------------------------- */

static enum err refuse(struct call *call, enum err err, const struct tpl_fault *f)
{
    return err == ERR_INVALID ? CFN_INVALID(call, STR_FMT, STR_ARG(f->message)) : err;
}

static enum err check_capabilities(struct call *call, const struct cfn_wish *wish,
                                   struct json *tree, bool expands)
{
    struct tpl_summary sum;
    struct tpl_fault f = {{0}};
    struct str *given = ARENA_ARRAY(call->arena, struct str, wish->capabilities.n + 1);
    size_t n = wish->capabilities.n;
    if (!given)
        return ERR_NOMEM;
    if (n)
        memcpy(given, wish->capabilities.v, n * sizeof(*given));
    if (expands) /* whoever looks at a change set sees what a transform made */
        given[n++] = STR("CAPABILITY_AUTO_EXPAND");
    TRY(refuse(call, tpl_summarise(call->arena, tree, &sum, &f), &f));
    struct str missing = tpl_capabilities_missing(call->arena, &sum, given, n);
    if (str_is_set(missing))
        return call_error(call, &cloudformation_err_insufficient_capabilities_exception, STR_FMT,
                          STR_ARG(missing));
    return ERR_OK;
}

static bool type_allowed(const struct cloudformation_resource_types *types, struct str type)
{
    for (size_t i = 0; i < types->n; i++)
        if (str_glob_star(types->v[i], type))
            return true;
    return types->n == 0;
}

static enum err check_resource(struct call *call, const struct tpl_resource *r)
{
    struct str message = STR_NONE;
    if (r->creation_policy || r->update_policy)
        return CFN_INVALID(call, "%s of resource " STR_FMT " is not supported by Weir.",
                           r->creation_policy ? "CreationPolicy" : "UpdatePolicy", STR_ARG(r->id));
    if (str_eq(r->deletion_policy, STR("Snapshot")) ||
        str_eq(r->update_replace_policy, STR("Snapshot")))
        return CFN_INVALID(call,
                           "Template error: resource type " STR_FMT
                           " does not support deletion policy Snapshot",
                           STR_ARG(r->type));
    const struct type_row *row = type_find(r->type);
    enum err err = cfn_own_find(r->type)
                       ? cfn_own_check(r->type, r->properties, call->arena, &message)
                       : type_check(row, r->properties, call->arena, &message);
    if (err == ERR_INVALID)
        return CFN_INVALID(
            call, "Properties validation failed for resource " STR_FMT " with message:\n" STR_FMT,
            STR_ARG(r->id), STR_ARG(message));
    return err;
}

static enum err check_resources(struct call *call, const struct cfn_wish *wish,
                                const struct tpl *tpl)
{
    size_t n;
    const struct tpl_resource *r = tpl_resources(tpl, &n);
    for (size_t i = 0; i < n; i++) {
        if (!type_allowed(&wish->resource_types, r[i].type))
            return CFN_INVALID(
                call, "Resource type " STR_FMT " is not among those that the request allows.",
                STR_ARG(r[i].type));
        TRY(check_resource(call, &r[i]));
    }
    return ERR_OK;
}

static enum err check_role(struct call *call, struct str role_arn)
{
    const struct identity_port *id = &call->core->identity;
    if (!str_is_set(role_arn))
        return ERR_OK;
    enum err err = id->role_trusts(id->self, call->txn, role_arn, STR(CFN_PRINCIPAL));
    if (err == ERR_NOT_FOUND || err == ERR_DENIED || err == ERR_INVALID)
        return CFN_INVALID(call, "Role " STR_FMT " is invalid or cannot be assumed",
                           STR_ARG(role_arn));
    return err;
}

/* The stack's events are published as whoever names the topics may. */
static enum err check_topics(struct call *call, const struct cfn_wish *wish)
{
    for (size_t i = 0; i < wish->notification_arns.n; i++) {
        struct str arn = wish->notification_arns.v[i];
        if (!target_is(call->core, arn, "topic"))
            return CFN_INVALID(call, "NotificationARNs must be ARNs of SNS topics: " STR_FMT,
                               STR_ARG(arn));
        TRY(call_authorize(call, "sns:Publish", arn));
    }
    return ERR_OK;
}

static enum err check_wish(struct call *call, const struct cfn_wish *wish)
{
    static const struct tags_rules rules = {.otherwise = {&cloudformation_err_validation, NULL}};
    const struct cloudformation_rollback_configuration *rb = wish->rollback;
    if (rb && (rb->rollback_triggers.n || rb->monitoring_time_in_minutes > 0))
        return CFN_INVALID(call, "RollbackConfiguration with triggers is not supported by Weir.");
    TRY(tags_check_call(call, &rules, TAGS_FROM(wish->tags)));
    TRY(check_topics(call, wish));
    return check_role(call, wish->role_arn);
}

/* --- what a request wishes ---------------------------------------------------------------------- */

enum err cfn_wish_text(struct call *call, const struct cfn_stack *s, const struct cfn_wish *wish,
                       struct str *ret_text)
{
    int given = str_is_set(wish->body) + str_is_set(wish->url) + wish->use_previous;
    if (given == 0)
        return CFN_INVALID(call, "Either Template URL or Template Body must be specified.");
    if (given > 1)
        return CFN_INVALID(call, "Only one of TemplateBody, TemplateURL and UsePreviousTemplate "
                                 "may be specified.");
    bool is_nested = wish->is_nested || str_is_set(call_via_source(call)); /* by an address */
    if (wish->body.len > (is_nested ? TPL_BYTES_MAX : TPL_BODY_BYTES_MAX))
        return CFN_INVALID(call,
                           "1 validation error detected: Value at 'templateBody' failed to satisfy "
                           "constraint: Member must have length less than or equal to %d",
                           TPL_BODY_BYTES_MAX);
    if (str_is_set(wish->url))
        return cfn_fetch(call, wish->url, TPL_BYTES_MAX, ret_text);
    if (str_is_set(wish->body)) {
        *ret_text = wish->body;
        return ERR_OK;
    }
    enum err err = s->config.template_no ? cfn_template_read(call->txn, s->uuid,
                                                             s->config.template_no, false, ret_text)
                                         : ERR_NOT_FOUND;
    return err == ERR_NOT_FOUND
               ? CFN_INVALID(call, "UsePreviousTemplate: the stack has no template yet.")
               : err;
}

static enum err copy_list(struct arena *a, const struct str *v, size_t n, struct str **ret,
                          size_t *ret_n)
{
    *ret = ARENA_ARRAY(a, struct str, n + 1);
    if (!*ret)
        return ERR_NOMEM;
    if (n)
        memcpy(*ret, v, n * sizeof(*v));
    *ret_n = n;
    return ERR_OK;
}

static enum err fill_config(struct call *call, const struct cfn_stack *s,
                            const struct cfn_wish *wish, const struct cfn_open *open,
                            struct cfn_config *c)
{
    const struct cfn_config *was = &s->config;
    struct tpl_fault f = {{0}};
    const struct str *imports;
    size_t n;
    c->extensions = open->world.extensions;
    c->role_arn = str_is_set(wish->role_arn) ? wish->role_arn : was->role_arn;
    c->description = tpl_description(open->tpl);
    if (wish->tags.v) {
        c->tags = (struct tag *)(const void *)wish->tags.v;
        c->n_tags = wish->tags.n;
    } else {
        c->tags = was->tags;
        c->n_tags = was->n_tags;
    }
    TRY(copy_list(call->arena, wish->capabilities.v, wish->capabilities.n, &c->capabilities,
                  &c->n_capabilities));
    if (wish->notification_arns.v)
        TRY(copy_list(call->arena, wish->notification_arns.v, wish->notification_arns.n,
                      &c->notification_arns, &c->n_notification_arns));
    else
        TRY(copy_list(call->arena, was->notification_arns, was->n_notification_arns,
                      &c->notification_arns, &c->n_notification_arns));
    TRY(refuse(call, tpl_imports(open->tpl, call->arena, &imports, &n, &f), &f));
    TRY(copy_list(call->arena, imports, n, &c->imports, &c->n_imports));
    return keep_parameters(call->arena, open->tpl, c);
}

/* Opens what the request brings, in call->arena. */
static enum err open_wish(struct call *call, const struct cfn_stack *s, const struct cfn_wish *wish,
                          struct str text, struct cfn_open *open)
{
    struct arena *a = call->arena;
    struct tpl_fault f = {{0}};
    fill_world(call->txn, s, open);
    open->who = call->who;
    open->call = call;
    open->world.notification_arns = wish->notification_arns.v;
    open->world.notification_arn_n = wish->notification_arns.n;
    TRY(refuse(call, tpl_read(a, text, &open->tree, &f), &f));
    TRY(take_parameters(call, s, wish, &open->world));
    TRY(check_capabilities(call, wish, open->tree, wish->of_change_set));
    TRY(refuse(call, transform(open, a, &f), &f));
    if (open->transformed)
        TRY(check_capabilities(call, wish, open->tree, true));
    TRY(refuse(call, tpl_open(a, open->tree, &open->world, &open->tpl, &f), &f));
    return check_resources(call, wish, open->tpl);
}

enum err cfn_open_text(struct call *call, const struct cfn_stack *s, struct str text,
                       struct cfn_open *ret, struct tpl_fault *ret_fault)
{
    fill_world(call->txn, s, ret);
    ret->who = call->who;
    ret->call = call;
    ret->world.check_only = true;
    TRY(tpl_read(call->arena, text, &ret->tree, ret_fault));
    return tpl_open(call->arena, ret->tree, &ret->world, &ret->tpl, ret_fault);
}

enum err cfn_prepare(struct call *call, struct cfn_stack *s, const struct cfn_wish *wish,
                     struct cfn_config *ret_config, struct cfn_open *ret_open)
{
    struct str text;
    *ret_open = (struct cfn_open){0};
    *ret_config = (struct cfn_config){0};
    TRY(check_wish(call, wish));
    TRY(cfn_wish_text(call, s, wish, &text));
    TRY(open_wish(call, s, wish, text, ret_open));
    TRY(fill_config(call, s, wish, ret_open, ret_config));
    ret_config->template_no = ++s->templates;
    TRY(cfn_template_write(call->txn, s->uuid, ret_config->template_no, false, text));
    if (!ret_open->transformed)
        return ERR_OK;
    struct str made = cfn_json_text(call->arena, ret_open->tree);
    if (!str_is_set(made))
        return ERR_NOMEM;
    return cfn_template_write(call->txn, s->uuid, ret_config->template_no, true, made);
}

/* --- resources as the template sees them -------------------------------------------------------- */

static enum err as_text(struct arena *a, struct str text, const struct json **ret_v)
{
    struct json *v = ARENA_NEW(a, struct json);
    if (!v)
        return ERR_NOMEM;
    v->kind = JSON_STRING;
    v->text = str_dup(a, text);
    *ret_v = v;
    return str_is_set(v->text) ? ERR_OK : ERR_NOMEM;
}

/* "A.B" is the member of that name, or B of A. */
const struct json *cfn_attribute(const struct json *attributes, struct str name)
{
    const struct json *v = json_get(attributes, name);
    while (!v && str_is_set(name) && attributes) {
        attributes = json_get(attributes, str_cut(&name, '.'));
        v = str_is_set(name) ? json_get(attributes, name) : attributes;
    }
    return v;
}

enum err cfn_look_up(void *arg, struct arena *a, struct str id, struct str attribute,
                     const struct json **ret_v)
{
    struct cfn_lookup *look = arg;
    struct cfn_resource r;
    const struct json *attributes;
    enum err err = cfn_resource_read(look->txn, look->uuid, id, &r);
    if (err == ERR_NOT_FOUND)
        return ERR_SUSPENDED;
    TRY(err);
    if (!r.now || (look->op_no && r.op_no != look->op_no))
        return ERR_SUSPENDED;
    if (!str_is_set(attribute))
        return as_text(a, r.now->physical_id, ret_v);
    TRY(cfn_json(a, str_dup(a, r.now->attributes), &attributes));
    *ret_v = cfn_attribute(attributes, attribute);
    return *ret_v ? ERR_OK : ERR_NOT_FOUND;
}

enum err cfn_principal(struct txn *txn, struct arena *a, const struct cfn_stack *s,
                       struct principal *ret_who)
{
    const struct cfn_config *c = &s->config;
    if (str_empty(c->role_arn))
        return principal_of_kept(txn->core, a, STR("cloudformation/who"), &s->who, ret_who);
    enum err err =
        core_role_principal(txn->core, c->role_arn, STR("AWSCloudFormation"), a, ret_who);
    return err == ERR_NOT_FOUND ? ERR_DENIED : err;
}
