/* What deploy and diff have in common: from the command's words to a change set. See deploy.h. Layer: cli. */
#include "cli/deploy_int.h"
#include "codec/hash.h"

/* A template's author is who deploys it; who does not trust it says --capabilities. */
static const char every_capability[] = "CAPABILITY_IAM,CAPABILITY_NAMED_IAM,CAPABILITY_AUTO_EXPAND";

int deploy_complain(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("weir: ", stderr);
    (void)vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    return DEPLOY_FAILED;
}

int deploy_explain(const struct deployment *d, enum err err)
{
    bool said = err != ERR_NOMEM && err != ERR_LIMIT && d->aws.why[0];
    return deploy_complain("%s", said ? d->aws.why : err_name(err));
}

/* --- the session ------------------------------------------------------------------------------------ */

int deploy_open(struct deployment *d, const struct deploy_options *options)
{
    *d = (struct deployment){.options = options, .out = stderr, .last_event = STR("")};
    arena_init(&d->arena, DEPLOY_ARENA_BYTES);
    enum err err = aws_open(&d->aws, &d->arena, &options->where);
    if (!err)
        err = aws_keys_find(&d->aws, &options->where);
    if (!err)
        return 0;
    (void)deploy_explain(d, err);
    return err == ERR_INVALID ? DEPLOY_USAGE : DEPLOY_FAILED;
}

void deploy_close(struct deployment *d)
{
    arena_release(&d->arena);
}

static int look(struct deployment *d)
{
    d->stack = (struct stack){0};
    /* In this order: whatever ends after the look at the stack is an event after this one. */
    enum err err = stack_last_event(&d->aws, &d->arena, d->name, &d->last_event);
    if (!err)
        err = stack_get(&d->aws, &d->arena, d->name, &d->stack);
    return err && err != ERR_NOT_FOUND ? deploy_explain(d, err) : 0;
}

int deploy_follow(struct deployment *d, struct str stack_id, struct show *ret_show)
{
    if (show_init(ret_show, &d->arena, d->out, stack_id) != ERR_OK)
        return deploy_explain(d, ERR_NOMEM);
    enum follow_end end = follow_stack(&d->aws, ret_show, d->last_event);
    if (end == FOLLOW_ENDED)
        return 0;
    if (end == FOLLOW_LOST)
        (void)deploy_explain(d, ERR_FAILED);
    deploy_complain(
        "%s: the stack goes on without this command. weir stacks says how far it is; this "
        "command, run again, waits for its end",
        end == FOLLOW_INTERRUPTED ? "interrupted" : "given up");
    return end == FOLLOW_INTERRUPTED ? DEPLOY_INTERRUPTED : DEPLOY_FAILED;
}

int deploy_settle(struct deployment *d)
{
    int code = look(d);
    if (code || !stack_is_busy(d->stack.status))
        return code;
    fprintf(d->out, STR_FMT " is " STR_FMT " already: waiting for its end\n", STR_ARG(d->name),
            STR_ARG(d->stack.status));
    struct show show;
    code = deploy_follow(d, d->stack.id, &show);
    return code ? code : look(d);
}

int deploy_remove(struct deployment *d)
{
    enum err err = stack_delete(&d->aws, &d->arena, d->name);
    if (err)
        return deploy_explain(d, err);
    if (str_eq_c(d->stack.status, "REVIEW_IN_PROGRESS"))
        return 0; /* it had nothing, and is gone at once */
    struct show show;
    int code = deploy_follow(d, d->stack.id, &show);
    if (code || str_eq_c(show.status, "DELETE_COMPLETE"))
        return code;
    show_failure(&show, d->name);
    return DEPLOY_FAILED;
}

/* --- the template ----------------------------------------------------------------------------------- */

/* The template and the stack's name, without asking anybody. */
int deploy_choose(struct deployment *d)
{
    const struct deploy_options *o = d->options;
    if (!o->path || deploy_template(&d->arena, o->path, &d->template) != ERR_OK) {
        (void)deploy_complain(
            o->path ? "there is no template at %s: a file, or a folder with template.yaml"
                    : "which template? A file, or a folder with template.yaml%s",
            o->path ? o->path : "");
        return DEPLOY_USAGE;
    }
    d->name = str_c(o->stack);
    if (!o->stack && deploy_name(&d->arena, d->template, &d->name) != ERR_OK) {
        (void)deploy_complain("%s makes no name for a stack: give one with --stack", d->template);
        return DEPLOY_USAGE;
    }
    return 0;
}

static bool is_declared(const struct json *tree, struct str key)
{
    return json_get(json_get(tree, STR("Parameters")), key) != NULL;
}

static int unknown_parameter(const struct deployment *d, struct str key)
{
    const struct json *declared = json_get(d->package.tree, STR("Parameters"));
    (void)deploy_complain("%s has no parameter " STR_FMT "%s", d->template, STR_ARG(key),
                          declared && declared->n ? "; it has:" : "");
    JSON_EACH (declared, it)
        fprintf(stderr, "  " STR_FMT "  " STR_FMT "\n", STR_ARG(it->key),
                STR_ARG(json_get_str(it, STR("Description"))));
    return DEPLOY_USAGE;
}

static int check_parameters(const struct deployment *d)
{
    const struct option_list *given = &d->options->parameters;
    for (size_t i = 0; i < given->n; i++) {
        struct str value = str_c(given->v[i]), key = str_cut(&value, '=');
        if (!str_is_set(value) || str_empty(key)) {
            (void)deploy_complain("-p takes KEY=VALUE, not '%s'", given->v[i]);
            return DEPLOY_USAGE;
        }
        if (!is_declared(d->package.tree, key))
            return unknown_parameter(d, key);
    }
    return 0;
}

int deploy_prepare(struct deployment *d)
{
    char why[PACKAGE_WHY_MAX];
    enum err err = package_template(&d->arena, d->template, NULL, &d->package, why);
    if (err)
        return deploy_complain("%s", why[0] ? why : err_name(err));
    int code = check_parameters(d);
    if (code)
        return code;
    upload_init(&d->upload, &d->aws, d->options->bucket, d->out);
    err = package_template(&d->arena, d->template, &d->upload.store, &d->package, why);
    if (err)
        return why[0] ? deploy_complain("%s", why) : deploy_explain(d, err);
    return 0;
}

/* --- the change set ---------------------------------------------------------------------------------- */

static bool had_parameter(const struct deployment *d, struct str key)
{
    XML_EACH(d->stack.parameters, m)
    if (str_eq(xml_get_str(m, STR("ParameterKey")), key))
        return true;
    return false;
}

static struct str given_value(const struct deployment *d, struct str key)
{
    struct str last = STR_NONE;
    for (size_t i = 0; i < d->options->parameters.n; i++) {
        struct str value = str_c(d->options->parameters.v[i]);
        if (str_eq(str_cut(&value, '='), key))
            last = value;
    }
    return last;
}

/* What was given; what a stack that is there was given keeps its value; the rest has its default. */
static enum err parameters(struct deployment *d, struct stack_change *change)
{
    const struct json *declared = json_get(d->package.tree, STR("Parameters"));
    struct stack_value *v = ARENA_ARRAY(&d->arena, struct stack_value, declared ? declared->n : 0);
    if (!v)
        return ERR_NOMEM;
    change->parameters = v;
    JSON_EACH (declared, it) {
        struct str value = given_value(d, it->key);
        if (str_is_set(value) || (!change->creates && had_parameter(d, it->key)))
            v[change->n_parameters++] = (struct stack_value){it->key, value};
    }
    return ERR_OK;
}

static enum err capabilities(struct deployment *d, struct stack_change *change)
{
    const char *told = d->options->capabilities;
    struct str rest = str_c(told ? told : every_capability);
    struct str *v = ARENA_ARRAY(&d->arena, struct str, DEPLOY_CAPABILITIES_MAX);
    if (!v)
        return ERR_NOMEM;
    if (str_eq_c(rest, "none"))
        return ERR_OK;
    change->capabilities = v;
    while (str_is_set(rest) && change->n_capabilities < DEPLOY_CAPABILITIES_MAX)
        v[change->n_capabilities++] = str_trim(str_cut(&rest, ','));
    return ERR_OK;
}

/* In the request where it may be, else by way of the bucket. */
static enum err template_text(struct deployment *d, struct stack_change *change)
{
    struct str text = d->package.text;
    char hash[2 * HASH_SHA256_LEN];
    if (text.len <= STACK_TEMPLATE_BODY_MAX) {
        change->body = text;
        return ERR_OK;
    }
    hash_sha256_hex(text.p, text.len, hash);
    struct str key = str_fmt(&d->arena, "%.32s.template", hash);
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(upload_put(&d->upload, STR("the template"), key, text));
    change->url =
        str_fmt(&d->arena, STR_FMT "/" STR_FMT, STR_ARG(d->upload.store.url), STR_ARG(key));
    return str_is_set(change->url) ? ERR_OK : ERR_NOMEM;
}

bool deploy_is_new(const struct deployment *d)
{
    return !str_is_set(d->stack.id) || str_eq_c(d->stack.status, "REVIEW_IN_PROGRESS");
}

static enum err make_set(struct deployment *d, struct str set, struct stack_change_page *ret_page)
{
    struct stack_change change = {.stack = d->name, .set = set};
    change.creates = deploy_is_new(d);
    TRY(parameters(d, &change));
    TRY(capabilities(d, &change));
    TRY(template_text(d, &change));
    TRY(stack_change_make(&d->aws, &d->arena, &change));
    for (;;) {
        TRY(stack_change_get(&d->aws, &d->arena, d->name, set, STR_NONE, ret_page));
        if (ret_page->state != STACK_CHANGE_COMING)
            return ERR_OK;
        (void)follow_pause(&d->aws);
    }
}

int deploy_make_set(struct deployment *d, struct str set, struct stack_change_page *ret_page)
{
    enum err err = make_set(d, set, ret_page);
    if (err)
        return deploy_explain(d, err);
    if (ret_page->state != STACK_CHANGE_FAILED)
        return 0;
    (void)deploy_complain(STR_FMT ": " STR_FMT, STR_ARG(d->name), STR_ARG(ret_page->reason));
    (void)deploy_drop_set(d, set);
    return DEPLOY_FAILED;
}

int deploy_drop_set(struct deployment *d, struct str set)
{
    struct stack now;
    enum err err = stack_change_drop(&d->aws, &d->arena, d->name, set);
    if (!err && !str_is_set(d->stack.id)) {
        err = stack_get(&d->aws, &d->arena, d->name, &now);
        if (!err && str_eq_c(now.status, "REVIEW_IN_PROGRESS"))
            err = stack_delete(&d->aws, &d->arena, d->name);
        else if (err == ERR_NOT_FOUND)
            err = ERR_OK;
    }
    return err ? deploy_explain(d, err) : 0;
}
