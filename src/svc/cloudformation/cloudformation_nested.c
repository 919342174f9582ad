/* AWS::CloudFormation::Stack: a stack in the stack. It is made, changed and deleted by the operations of the service
 * itself, in the transaction of the engine; when it has ended it pokes its parent.
 *
 * Layer: svc/cloudformation. Thread: the home loop. */
#include "codec/json.h"
#include "svc/cloudformation/cloudformation_own.h"

enum { LOOK_AGAIN_MS = 5000, INPUT_MAX = 8 * 1024 * 1024 };

enum err cfn_parameter_text(struct arena *a, const struct json *v, struct str *ret)
{
    struct buf joined;
    *ret = v->kind == JSON_BOOL ? (v->b ? STR("true") : STR("false")) : v->text;
    if (v->kind == JSON_ARRAY) {
        buf_init_arena(&joined, a, 64 * 1024);
        JSON_EACH (v, it) {
            if (joined.len)
                buf_add_byte(&joined, ',');
            buf_add_str(&joined, it->text);
        }
        TRY(buf_err(&joined));
        *ret = buf_str(&joined);
    }
    if (!ret->p)
        *ret = STR("");
    return ERR_OK;
}

static enum err put_parameters(struct json_out *o, const struct json *given)
{
    json_key(o, STR("Parameters"));
    json_open(o, '[');
    JSON_EACH (given, p) {
        struct str value;
        TRY(cfn_parameter_text(o->b->arena, p, &value));
        json_open(o, '{');
        json_kv_str(o, STR("ParameterKey"), p->key);
        json_kv_str(o, STR("ParameterValue"), value);
        json_close(o, '}');
    }
    json_close(o, ']');
    return ERR_OK;
}

static void put_texts(struct json_out *o, struct str name, const struct str *v, size_t n)
{
    json_key(o, name);
    json_open(o, '[');
    for (size_t i = 0; i < n; i++)
        json_str(o, v[i]);
    json_close(o, ']');
}

/* The tags of the resource's own, then those of the stack. */
static void put_tags(struct json_out *o, const struct cfn_step *step, const struct json *p)
{
    const struct cfn_config *c = &step->stack->config;
    const struct json *own = json_get(p, STR("Tags"));
    json_key(o, STR("Tags"));
    json_open(o, '[');
    JSON_EACH (own, t)
        json_tree(o, t);
    for (size_t i = 0; i < c->n_tags; i++) {
        bool twice = false;
        JSON_EACH (own, t)
            twice |= str_eq(json_get_str(t, STR("Key")), c->tags[i].key);
        if (twice)
            continue;
        json_open(o, '{');
        json_kv_str(o, STR("Key"), c->tags[i].key);
        json_kv_str(o, STR("Value"), c->tags[i].value);
        json_close(o, '}');
    }
    json_close(o, ']');
}

static enum err input_of(struct cfn_step *step, const struct json *p, struct str name,
                         struct str text, struct str *ret)
{
    const struct cfn_config *c = &step->stack->config;
    const struct json *arns = json_get(p, STR("NotificationARNs"));
    bool creates = step->work->verb == TYPE_CREATE;
    struct buf b;
    struct json_out o;
    int64_t minutes;
    buf_init_arena(&b, step->a, INPUT_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("StackName"), name);
    json_kv_str(&o, STR("TemplateBody"), text);
    TRY(put_parameters(&o, json_get(p, STR("Parameters"))));
    put_texts(&o, STR("Capabilities"), c->capabilities, c->n_capabilities);
    if (arns) {
        json_key(&o, STR("NotificationARNs"));
        json_tree(&o, arns);
    }
    put_tags(&o, step, p);
    if (creates) {
        const struct json *t = json_get(p, STR("TimeoutInMinutes"));
        json_kv_str(&o, STR("OnFailure"), STR("DO_NOTHING"));
        if (t && (t->kind == JSON_STRING ? str_to_i64(t->text, &minutes)
                                         : json_to_i64(t, &minutes)) == ERR_OK)
            json_kv_i64(&o, STR("TimeoutInMinutes"), minutes);
    }
    json_close(&o, '}');
    TRY(buf_err(&b));
    *ret = buf_str(&b);
    return ERR_OK;
}

static enum err ask(struct cfn_step *step, const char *operation, struct str input,
                    struct core_result *ret)
{
    const struct core_request req = {
        .service = STR("cloudformation"),
        .operation = str_c(operation),
        .input = input,
        .who = step->who,
        .region = step->stack->region,
        .via = STR(CFN_PRINCIPAL),
        .source_arn = step->stack->id, /* by which the operation knows its parent */
    };
    enum err err = core_call_in_txn(step->txn, &req, ret);
    if (err == ERR_FAILED)
        step->reason = str_dup(step->a, ret->message);
    return err;
}

static enum err outputs_of(struct cfn_step *step, const struct cfn_stack *child)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, step->a, INPUT_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    for (size_t i = 0; i < child->n_outputs; i++) {
        json_key(&o, str_fmt(step->a, "Outputs." STR_FMT, STR_ARG(child->outputs[i].key)));
        json_str(&o, child->outputs[i].value);
    }
    json_close(&o, '}');
    step->work->goal.attributes = buf_str(&b);
    return buf_err(&b);
}

/* What is to be made of it, and from which text. */
struct wish {
    struct str name, text;
    bool is_set, back; /* a change set says so; it is a way back */
    struct cfn_stack child;
    struct cfn_change_set set;
    uint64_t template_no; /* UPDATE: the template that it has now */
};

/* The way back leads to the template that it had when the span began: what the span did not touch is as it is. */
static enum err text_before(struct cfn_step *step, struct wish *w)
{
    const struct cfn_stack *child = &w->child;
    bool touched = child->kept_template_no && child->kept_ms == step->stack->span_ms;
    return cfn_template_read(step->txn, child->uuid,
                             touched ? child->kept_template_no : child->config.template_no, false,
                             &w->text);
}

/* The text that the operation's change set looked at. ERR_NOT_FOUND: there is none. */
static enum err text_of_set(struct cfn_step *step, struct wish *w)
{
    bool whole;
    TRY(cfn_hierarchy_of(step->txn, step->stack, step->resource->id, &whole, &w->child, &w->set));
    w->is_set = true;
    if (step->work->verb == TYPE_CREATE)
        w->name = w->child.name;
    return cfn_template_read(step->txn, w->child.uuid, w->set.config.template_no, false, &w->text);
}

/* ERR_SUSPENDED: the text must be fetched from its address. */
static enum err wish_of(struct cfn_step *step, const struct json *p, struct wish *w)
{
    bool creates = step->work->verb == TYPE_CREATE;
    *w = (struct wish){
        .name = creates ? cfn_made_name(step) : step->was->physical_id,
        .back = step->stack->status == CFN_UPDATE_ROLLBACK_IN_PROGRESS || step->stack->goes_back,
    };
    if (!creates) {
        TRY(cfn_stack_find(step->txn, cfn_scope(step->stack), w->name, &w->child));
        w->template_no = w->child.config.template_no;
    }
    enum err err = !w->back ? text_of_set(step, w) : creates ? ERR_NOT_FOUND : text_before(step, w);
    if (err != ERR_NOT_FOUND)
        return err;
    w->text = step->text;
    if (str_is_set(w->text))
        return ERR_OK;
    step->wants = json_get_str(p, STR("TemplateURL"));
    return ERR_SUSPENDED;
}

/* What the parent's operation must know of the child's: its change set, and the way back. */
static enum err note(struct cfn_step *step, struct str id, struct wish *w)
{
    struct cfn_stack child;
    TRY(cfn_stack_find(step->txn, cfn_scope(step->stack), id, &child));
    if (w->is_set) {
        child.change_set_id = w->set.id;
        TRY(cfn_hierarchy_begin(step->txn, &child, &w->set));
    }
    child.span_ms = step->stack->span_ms;
    child.goes_back = w->back;
    if (w->template_no && !w->back && child.kept_ms != child.span_ms) {
        uint64_t no = child.kept_template_no;
        child.kept_template_no = w->template_no;
        child.kept_ms = child.span_ms;
        TRY(cfn_template_drop(step->txn, &child, no));
    }
    return cfn_stack_write(step->txn, &child);
}

static enum err make(struct cfn_step *step)
{
    struct cfn_work *w = step->work;
    const struct json *p, *output;
    struct core_result r;
    struct str input;
    struct wish wish;
    TRY(cfn_json(step->a, w->goal.properties, &p));
    TRY(wish_of(step, p, &wish));
    TRY(input_of(step, p, wish.name, wish.text, &input));
    enum err err = ask(step, w->verb == TYPE_CREATE ? "CreateStack" : "UpdateStack", input, &r);
    w->cursor = STR("asked");
    if (err == ERR_FAILED && str_eq(r.message, STR("No updates are to be performed."))) {
        w->cursor = STR("same");
        err = ERR_OK;
    } else if (err == ERR_OK && w->verb == TYPE_CREATE) {
        TRY(cfn_json(step->a, str_dup(step->a, r.output), &output));
        w->goal.physical_id = json_get_str(output, STR("StackId"));
    }
    TRY(err);
    return note(step, w->goal.physical_id, &wish);
}

/* Whoever changes it already must be done first: the way back begins while others are under way. */
static enum err is_free(struct cfn_step *step, bool *ret)
{
    struct cfn_stack child;
    struct core_result r;
    enum err err =
        cfn_stack_find(step->txn, cfn_scope(step->stack), step->was->physical_id, &child);
    *ret = err == ERR_NOT_FOUND || !cfn_in_progress(child.status) ||
           (step->work->verb == TYPE_DELETE &&
            (child.status == CFN_CREATE_IN_PROGRESS || child.status == CFN_ROLLBACK_IN_PROGRESS ||
             child.status == CFN_DELETE_IN_PROGRESS));
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(err);
    if (*ret || child.status != CFN_UPDATE_IN_PROGRESS || child.cancelled)
        return ERR_OK;
    return ask(step, "CancelUpdateStack",
               str_fmt(step->a, "{\"StackName\":\"" STR_FMT "\"}", STR_ARG(child.id)), &r);
}

static enum err begin(struct cfn_step *step)
{
    struct cfn_work *w = step->work;
    struct core_result r;
    bool free = true;
    if (w->verb != TYPE_CREATE)
        TRY(is_free(step, &free));
    if (!free) {
        step->doing = TYPE_WAIT;
        step->wake_ms = step->txn->now_ms + LOOK_AGAIN_MS;
        return ERR_OK;
    }
    if (w->verb != TYPE_DELETE)
        return make(step);
    TRY(ask(step, "DeleteStack",
            str_fmt(step->a, "{\"StackName\":\"" STR_FMT "\"}", STR_ARG(step->was->physical_id)),
            &r));
    w->cursor = STR("asked");
    return ERR_OK;
}

static void look(struct cfn_step *step, const struct cfn_stack *child)
{
    enum cfn_status s = child->status;
    bool well = step->work->verb == TYPE_DELETE ? s == CFN_DELETE_COMPLETE
                : step->work->verb == TYPE_CREATE
                    ? s == CFN_CREATE_COMPLETE
                    : s == CFN_UPDATE_COMPLETE || s == CFN_CREATE_COMPLETE;
    if (cfn_in_progress(s)) {
        step->doing = TYPE_WAIT;
        step->wake_ms = step->txn->now_ms + LOOK_AGAIN_MS;
    } else if (well || (step->work->verb == TYPE_UPDATE && s == CFN_UPDATE_ROLLBACK_COMPLETE &&
                        str_eq(step->work->cursor, STR("same")))) {
        step->doing = TYPE_DONE;
    } else {
        step->doing = TYPE_FAILED;
        step->reason =
            str_fmt(step->a, "Embedded stack " STR_FMT " was not successfully %s: " STR_FMT,
                    STR_ARG(child->id),
                    step->work->verb == TYPE_CREATE   ? "created"
                    : step->work->verb == TYPE_UPDATE ? "updated"
                                                      : "deleted",
                    STR_ARG(child->reason));
    }
}

static enum err stack_step(struct cfn_step *step)
{
    struct cfn_work *w = step->work;
    struct cfn_stack child;
    if (!str_is_set(w->cursor))
        TRY(begin(step));
    if (!str_is_set(w->cursor))
        return ERR_OK; /* it waits until it may begin */
    struct str id = w->verb == TYPE_CREATE ? w->goal.physical_id : step->was->physical_id;
    enum err err = cfn_stack_find(step->txn, cfn_scope(step->stack), id, &child);
    if (err == ERR_NOT_FOUND && w->verb == TYPE_DELETE) {
        step->doing = TYPE_DONE;
        return ERR_OK;
    }
    TRY(err);
    look(step, &child);
    if (step->doing == TYPE_DONE && w->verb != TYPE_DELETE)
        return outputs_of(step, &child);
    return ERR_OK;
}

static enum err stack_check(const struct json *properties, struct arena *a, struct str *ret_message)
{
    static const char *const known[] = {"TemplateURL", "Parameters", "TimeoutInMinutes",
                                        "NotificationARNs", "Tags"};
    JSON_EACH (properties, m) {
        bool found = false;
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
            found |= str_eq_c(m->key, known[i]);
        if (!found) {
            *ret_message =
                str_fmt(a, "#: extraneous key [" STR_FMT "] is not permitted", STR_ARG(m->key));
            return ERR_INVALID;
        }
    }
    if (json_get(properties, STR("TemplateURL")))
        return ERR_OK;
    *ret_message = STR("#: required key [TemplateURL] not found");
    return ERR_INVALID;
}

const struct cfn_own cfn_own_stack = {"AWS::CloudFormation::Stack", stack_check, stack_step, NULL};
