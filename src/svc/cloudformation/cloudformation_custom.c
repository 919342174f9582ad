/* Custom resources: a function or a topic is told what to make, and answers to an address (ResponseURL).
 *
 *   no cursor --ask, with a new address--> cursor: its token --answer or deadline--> done, failed
 *
 * The answer's record, the asking and the resource's record are one commit, so that an address exists exactly
 * once for each time that it was asked.
 *
 * Source: CloudFormation user guide, "Custom resource reference".
 * Layer: svc/cloudformation. Thread: the home loop. */
#include "base/rng.h"
#include "codec/json.h"
#include "svc/cloudformation/cloudformation_own.h"

enum { ANSWER_TOKEN_LEN = 40, TIMEOUT_S = 3600, PAYLOAD_MAX = 1024 * 1024 };

/* CloudFormation hands every scalar on as text. */
static void put_as_text(struct json_out *o, const struct json *v, int depth)
{
    switch (v->kind) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        json_open(o, v->kind == JSON_OBJECT ? '{' : '[');
        JSON_EACH (v, it) {
            if (v->kind == JSON_OBJECT)
                json_key(o, it->key);
            if (depth < JSON_DEPTH_MAX / 2)
                put_as_text(o, it, depth + 1);
            else
                json_null(o);
        }
        json_close(o, v->kind == JSON_OBJECT ? '}' : ']');
        break;
    case JSON_BOOL:
        json_str(o, v->b ? STR("true") : STR("false"));
        break;
    case JSON_NUMBER:
    case JSON_STRING:
        json_str(o, v->text);
        break;
    default:
        json_null(o);
    }
}

static void put_properties(struct json_out *o, struct str name, const struct json *v)
{
    json_key(o, name);
    if (v) {
        put_as_text(o, v, 0);
    } else {
        json_open(o, '{');
        json_close(o, '}');
    }
}

static enum err payload(struct cfn_step *step, const struct json *properties, struct str token,
                        struct str *ret)
{
    static const char *const verbs[] = {
        [TYPE_CREATE] = "Create", [TYPE_UPDATE] = "Update", [TYPE_DELETE] = "Delete"};
    const struct cfn_work *w = step->work;
    const struct json *old = NULL;
    struct buf b;
    struct json_out o;
    char id[RNG_UUID_LEN + 1];
    if (step->was)
        TRY(cfn_json(step->a, step->was->properties, &old));
    buf_init_arena(&b, step->a, PAYLOAD_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("RequestType"), str_c(verbs[w->verb]));
    json_kv_str(&o, STR("ServiceToken"), json_get_str(properties, STR("ServiceToken")));
    json_kv_str(&o, STR("ResponseURL"), cfn_answer_url(step->a, step->stack->region, token, false));
    json_kv_str(&o, STR("StackId"), step->stack->id);
    json_kv_str(&o, STR("RequestId"), rng_uuid(id));
    json_kv_str(&o, STR("LogicalResourceId"), step->resource->id);
    if (w->verb != TYPE_CREATE)
        json_kv_str(&o, STR("PhysicalResourceId"), step->was->physical_id);
    json_kv_str(&o, STR("ResourceType"), w->goal.type);
    put_properties(&o, STR("ResourceProperties"), properties);
    if (w->verb == TYPE_UPDATE)
        put_properties(&o, STR("OldResourceProperties"), old);
    json_close(&o, '}');
    TRY(buf_err(&b));
    *ret = buf_str(&b);
    return ERR_OK;
}

static enum err request_of(struct cfn_step *step, struct str to, struct str text,
                           struct core_request *req)
{
    struct arn arn;
    struct buf b;
    struct json_out o;
    bool topic = arn_parse(to, &arn) == ERR_OK && str_eq(arn.service, STR("sns"));
    *req = (struct core_request){
        .service = topic ? STR("sns") : STR("lambda"),
        .operation = topic ? STR("Publish") : STR("Invoke"),
        .who = step->who,
        .region = step->stack->region,
        .via = str_empty(step->stack->config.role_arn) ? STR(CFN_PRINCIPAL) : STR_NONE,
    };
    buf_init_arena(&b, step->a, 2 * PAYLOAD_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    if (topic) {
        json_kv_str(&o, STR("TopicArn"), to);
        json_kv_str(&o, STR("Subject"), STR("AWS CloudFormation custom resource request"));
        json_kv_str(&o, STR("Message"), text);
    } else {
        json_kv_str(&o, STR("FunctionName"), to);
        json_kv_str(&o, STR("InvocationType"), STR("Event"));
        req->body = text;
    }
    json_close(&o, '}');
    req->input = buf_str(&b);
    return buf_err(&b);
}

static int64_t timeout_of(const struct json *properties)
{
    int64_t s = TIMEOUT_S;
    const struct json *v = json_get(properties, STR("ServiceTimeout"));
    if (v && v->kind == JSON_NUMBER && json_to_i64(v, &s) != ERR_OK)
        s = TIMEOUT_S;
    if (v && v->kind == JSON_STRING && str_to_i64(v->text, &s) != ERR_OK)
        s = TIMEOUT_S;
    return (s < 1 || s > TIMEOUT_S ? TIMEOUT_S : s) * 1000;
}

static enum err ask(struct cfn_step *step)
{
    struct cfn_work *w = step->work;
    const struct json *properties;
    struct str text = STR_NONE;
    struct core_request req;
    struct core_result r;
    char token[ANSWER_TOKEN_LEN + 1];
    TRY(cfn_json(step->a, w->goal.properties, &properties));
    rng_text(token, ANSWER_TOKEN_LEN,
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    w->cursor = str_dup(step->a, str_c(token));
    if (w->verb == TYPE_CREATE)
        w->goal.physical_id = cfn_made_name(step);
    w->deadline_ms = step->txn->now_ms + timeout_of(properties);
    TRY(payload(step, properties, w->cursor, &text));
    TRY(request_of(step, json_get_str(properties, STR("ServiceToken")), text, &req));
    TRY(cfn_answer_expect(step, w->cursor, false));
    enum err err = core_call_in_txn(step->txn, &req, &r);
    if (err == ERR_FAILED)
        step->reason = str_fmt(step->a, STR_FMT " (Service: " STR_FMT ", Error Code: " STR_FMT ")",
                               STR_ARG(r.message), STR_ARG(req.service), STR_ARG(r.code));
    TRY(err);
    step->doing = TYPE_WAIT;
    step->wake_ms = w->deadline_ms;
    return ERR_OK;
}

static void refuse(struct cfn_step *step, struct str reason)
{
    step->doing = TYPE_FAILED;
    step->reason = reason;
}

/* "Data" of an answer, by GetAtt's names. */
static enum err take_data(struct cfn_step *step, const struct json *answer)
{
    const struct json *data = json_get(answer, STR("Data")),
                      *no_echo = json_get(answer, STR("NoEcho"));
    step->work->goal.no_echo = no_echo && no_echo->kind == JSON_BOOL && no_echo->b;
    step->work->goal.attributes =
        data && data->kind == JSON_OBJECT ? cfn_json_text(step->a, data) : STR("{}");
    return str_is_set(step->work->goal.attributes) ? ERR_OK : ERR_NOMEM;
}

static enum err take(struct cfn_step *step, struct str body)
{
    struct cfn_work *w = step->work;
    const struct json *answer;
    enum err err = cfn_json(step->a, body, &answer);
    if (err == ERR_CORRUPT || (err == ERR_OK && answer->kind != JSON_OBJECT)) {
        refuse(step, STR("Invalid Response object"));
        return ERR_OK;
    }
    TRY(err);
    struct str status = json_get_str(answer, STR("Status"));
    struct str id = json_get_str(answer, STR("PhysicalResourceId"));
    if (str_eq(status, STR("FAILED"))) {
        refuse(step, str_fmt(step->a,
                             "Received response status [FAILED] from custom resource. Message "
                             "returned: " STR_FMT,
                             STR_ARG(json_get_str(answer, STR("Reason")))));
        if (w->verb == TYPE_CREATE && !str_empty(id))
            w->goal.physical_id = id;
        return ERR_OK;
    }
    if (!str_eq(status, STR("SUCCESS"))) {
        refuse(step,
               STR("Invalid Response object: Value of property Status must be SUCCESS or FAILED"));
        return ERR_OK;
    }
    if (w->verb != TYPE_DELETE && str_empty(id)) {
        refuse(step, STR("Invalid PhysicalResourceId"));
        return ERR_OK;
    }
    if (w->verb != TYPE_DELETE)
        w->goal.physical_id = id;
    step->doing = TYPE_DONE;
    return w->verb == TYPE_DELETE ? ERR_OK : take_data(step, answer);
}

static enum err custom_step(struct cfn_step *step)
{
    struct cfn_work *w = step->work;
    struct cfn_answer answer = {0};
    if (!str_is_set(w->cursor))
        return ask(step);
    struct str key = key_make(step->a, &cloudformation_k_answer, w->cursor);
    enum err err = txn_read(step->txn, key, &cfn_answer_type, &answer);
    if (err != ERR_NOT_FOUND)
        TRY(err);
    if (err == ERR_OK && !str_is_set(answer.body) && step->txn->now_ms < w->deadline_ms) {
        step->doing = TYPE_WAIT;
        step->wake_ms = w->deadline_ms;
        return ERR_OK;
    }
    TRY(txn_del(step->txn, key));
    if (err == ERR_OK && str_is_set(answer.body))
        return take(step, answer.body);
    refuse(step, STR("CloudFormation did not receive a response from your Custom Resource. Please "
                     "check your logs for requests."));
    return ERR_OK;
}

static enum err custom_check(const struct json *properties, struct arena *a,
                             struct str *ret_message)
{
    (void)a;
    if (json_get(properties, STR("ServiceToken")))
        return ERR_OK;
    *ret_message = STR("#: required key [ServiceToken] not found");
    return ERR_INVALID;
}

const struct cfn_own cfn_own_custom = {"AWS::CloudFormation::CustomResource", custom_check,
                                       custom_step, NULL};
const struct cfn_own cfn_own_custom_named = {"Custom::*", custom_check, custom_step, NULL};
