/* AWS::CloudFormation::Stack: a stack in the stack. It is made, changed and deleted by the operations of the service
 * itself, in the transaction of the engine; when it has ended it pokes its parent.
 *
 * Layer: svc/cloudformation. Thread: the home loop. */
#include "codec/json.h"
#include "svc/cloudformation/cloudformation_own.h"

enum { LOOK_AGAIN_MS = 5000, INPUT_MAX = 8 * 1024 * 1024 };

static void put_parameters(struct json_out *o, const struct json *given)
{
    json_key(o, STR("Parameters"));
    json_open(o, '[');
    JSON_EACH (given, p) {
        struct str value = p->kind == JSON_BOOL ? (p->b ? STR("true") : STR("false")) : p->text;
        struct buf *b = o->b;
        json_open(o, '{');
        json_kv_str(o, STR("ParameterKey"), p->key);
        json_key(o, STR("ParameterValue"));
        if (p->kind == JSON_ARRAY) { /* a list is told as one text */
            struct buf joined;
            buf_init_arena(&joined, b->arena, 64 * 1024);
            JSON_EACH (p, it) {
                if (joined.len)
                    buf_add_byte(&joined, ',');
                buf_add_str(&joined, it->text);
            }
            value = buf_str(&joined);
        }
        json_str(o, value.p ? value : STR(""));
        json_close(o, '}');
    }
    json_close(o, ']');
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

static enum err input_of(struct cfn_step *step, const struct json *p, struct str *ret)
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
    json_kv_str(&o, STR("StackName"), creates ? cfn_made_name(step) : step->was->physical_id);
    json_kv_str(&o, STR("TemplateBody"), step->text);
    put_parameters(&o, json_get(p, STR("Parameters")));
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

static enum err begin(struct cfn_step *step)
{
    struct cfn_work *w = step->work;
    const struct json *p, *output;
    struct core_result r;
    struct str input;
    if (w->verb == TYPE_DELETE) {
        TRY(ask(
            step, "DeleteStack",
            str_fmt(step->a, "{\"StackName\":\"" STR_FMT "\"}", STR_ARG(step->was->physical_id)),
            &r));
        w->cursor = STR("asked");
        return ERR_OK;
    }
    TRY(cfn_json(step->a, w->goal.properties, &p));
    if (!str_is_set(step->text)) {
        step->wants = json_get_str(p, STR("TemplateURL"));
        return ERR_SUSPENDED;
    }
    TRY(input_of(step, p, &input));
    enum err err = ask(step, w->verb == TYPE_CREATE ? "CreateStack" : "UpdateStack", input, &r);
    if (err == ERR_FAILED && str_eq(r.message, STR("No updates are to be performed.")))
        err = ERR_OK;
    else if (err == ERR_OK && w->verb == TYPE_CREATE) {
        TRY(cfn_json(step->a, str_dup(step->a, r.output), &output));
        w->goal.physical_id = json_get_str(output, STR("StackId"));
    }
    TRY(err);
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
