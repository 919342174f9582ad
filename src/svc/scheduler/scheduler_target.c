/* What a schedule may send to, and the sending.
 *
 *   templated   an ARN that the target registry knows: sent in the commit of the firing
 *   universal   arn:aws:scheduler:::aws-sdk:SERVICE:operation: any operation that writes, as a piece of
 *               deliver/send.h, since it commits by itself
 *
 * Source: EventBridge Scheduler User Guide, "Using templated targets", "Using universal targets",
 * "Context attributes".
 * Layer: svc/scheduler. Thread: the call's, and the transaction's. */
#include <assert.h>

#include "base/clock.h"
#include "base/rng.h"
#include "codec/json.h"
#include "svc/scheduler/scheduler_int.h"

enum { PAYLOAD_MAX = 1024 * 1024, EXECUTION_LEN = 16 };
#define UNIVERSAL ":scheduler:::aws-sdk:"
#define ATTEMPT_MARK "<aws.scheduler.attempt-number>"

/* --- operations --------------------------------------------------------------------------------- */

/* The services whose names in such an ARN are not those that they have here. */
static const struct {
    const char *sdk, *name;
} names[] = {
    {"cloudwatchlogs", "logs"}, {"cognitoidentityprovider", "cognitoidp"},
    {"eventbridge", "events"},  {"resourcegroupstaggingapi", "tagging"},
    {"sfn", "states"},
};

/* Reading is no target. */
static const char *const readers[] = {
    "get",         "describe", "list",   "poll",     "receive",  "search",   "scan",
    "query",       "select",   "read",   "lookup",   "discover", "validate", "batchGet",
    "transactGet", "head",     "filter", "simulate", "wait",
};

static bool reads(struct str operation)
{
    for (size_t i = 0; i < ARRAY_LEN(readers); i++)
        if (str_starts(operation, str_c(readers[i])))
            return true;
    return false;
}

static const struct wire_service *service_of(const struct core *core, struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_c(name, names[i].sdk))
            name = str_c(names[i].name);
    for (size_t i = 0; i < core->n_svcs; i++)
        if (str_eq(core->svcs[i].def->wire->name, name))
            return core->svcs[i].def->wire;
    return NULL;
}

static bool is_universal(struct str arn)
{
    return str_find_str(arn, STR(UNIVERSAL)) != SIZE_MAX;
}

const struct wire_op *scheduler_operation(const struct core *core, struct str arn)
{
    char name[64];
    size_t at = str_find_str(arn, STR(UNIVERSAL));
    if (at == SIZE_MAX)
        return NULL;
    struct str rest = str_sub(arn, at + sizeof(UNIVERSAL) - 1, SIZE_MAX);
    const struct wire_service *service = service_of(core, str_cut(&rest, ':'));
    if (!service || !str_is_set(rest) || rest.len == 0 || rest.len > sizeof(name) || reads(rest))
        return NULL;
    memcpy(name, rest.p, rest.len);
    if (name[0] >= 'a' && name[0] <= 'z') /* camelCase there, the model's PascalCase here */
        name[0] = (char)(name[0] - 'a' + 'A');
    return wire_op_find(service, str_n(name, rest.len));
}

/* --- checking ----------------------------------------------------------------------------------- */

static enum err check_kind(struct call *call, const struct scheduler_target *in)
{
    if (in->ecs_parameters || in->kinesis_parameters || in->sage_maker_pipeline_parameters)
        return SCHEDULER_INVALID(call, "EcsParameters, KinesisParameters and "
                                       "SageMakerPipelineParameters are not supported by Weir.");
    if (is_universal(in->arn))
        return scheduler_operation(call->core, in->arn)
                   ? ERR_OK
                   : SCHEDULER_INVALID(call, STR_FMT " is not a valid or supported operation.",
                                       STR_ARG(in->arn));
    if (target_kind_of(call->core, in->arn))
        return ERR_OK;
    return SCHEDULER_INVALID(call, "Provided Arn is not in correct format, or of a kind that is "
                                   "not supported by Weir.");
}

static enum err check_parameters(struct call *call, const struct scheduler_target *in)
{
    bool bus = target_is(call->core, in->arn, "bus");
    bool fifo = target_is(call->core, in->arn, "queue") && str_ends(in->arn, STR(".fifo"));
    bool group = in->sqs_parameters && str_is_set(in->sqs_parameters->message_group_id);
    if (bus != (in->event_bridge_parameters != NULL))
        return SCHEDULER_INVALID(call, bus ? "EventBridgeParameters must be specified for an event "
                                             "bus."
                                           : "EventBridgeParameters is for event buses only.");
    if (fifo != group)
        return SCHEDULER_INVALID(call, fifo ? "SqsParameters must be specified for a FIFO queue."
                                            : "SqsParameters is for FIFO queues only.");
    if (in->dead_letter_config && str_ends(in->dead_letter_config->arn, STR(".fifo")))
        return SCHEDULER_INVALID(call, "A FIFO queue cannot be a dead letter queue of a schedule.");
    return ERR_OK;
}

static enum err check_input(struct call *call, const struct scheduler_target *in)
{
    struct json *v;
    bool text = target_is(call->core, in->arn, "queue") || target_is(call->core, in->arn, "topic");
    if (!str_is_set(in->input)) {
        if (target_is(call->core, in->arn, "bus"))
            return SCHEDULER_INVALID(call, "Input must be specified for an event bus.");
        return ERR_OK;
    }
    if (in->input.len > SCHEDULER_INPUT_MAX)
        return SCHEDULER_INVALID(call, "Input is longer than %d bytes.", SCHEDULER_INPUT_MAX);
    if (text)
        return ERR_OK;
    enum err err = json_parse(call->arena, in->input, &v, NULL);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return SCHEDULER_INVALID(call, "Input must be valid JSON.");
    TRY(err);
    if ((is_universal(in->arn) || target_is(call->core, in->arn, "bus")) && v->kind != JSON_OBJECT)
        return SCHEDULER_INVALID(call, "Input must be a JSON object.");
    return ERR_OK;
}

static enum err check_role(struct call *call, struct str role)
{
    const struct identity_port *id = &call->core->identity;
    enum err err = id->role_trusts(id->self, call->txn, role, STR(SCHEDULER_PRINCIPAL));
    if (err == ERR_NOT_FOUND || err == ERR_DENIED)
        return SCHEDULER_INVALID(call, "The execution role you provide must allow AWS EventBridge "
                                       "Scheduler to assume the role.");
    return err;
}

enum err scheduler_target_take(struct call *call, const struct scheduler_target *in,
                               struct scheduler_target_rec *ret)
{
    TRY(check_kind(call, in));
    TRY(check_parameters(call, in));
    TRY(check_input(call, in));
    TRY(check_role(call, in->role_arn));
    *ret = (struct scheduler_target_rec){
        .arn = in->arn,
        .role = in->role_arn,
        .input = in->input,
        .dead_letter = in->dead_letter_config ? in->dead_letter_config->arn : STR_NONE,
        .group_id = in->sqs_parameters ? in->sqs_parameters->message_group_id : STR_NONE,
        .source = in->event_bridge_parameters ? in->event_bridge_parameters->source : STR_NONE,
        .detail_type =
            in->event_bridge_parameters ? in->event_bridge_parameters->detail_type : STR_NONE,
        .retries = -1,
        .age_max_s = -1,
    };
    const struct scheduler_retry_policy *r = in->retry_policy;
    if (r && r->has_maximum_retry_attempts)
        ret->retries = r->maximum_retry_attempts;
    if (r && r->has_maximum_event_age_in_seconds)
        ret->age_max_s = r->maximum_event_age_in_seconds;
    return ERR_OK;
}

/* --- what is sent ------------------------------------------------------------------------------- */

struct mark {
    struct str mark, value;
};

static enum err replace(struct arena *a, struct str text, const struct mark *marks, size_t n,
                        struct str *ret)
{
    struct buf b;
    *ret = text;
    if (str_find_str(text, STR("<aws.scheduler.")) == SIZE_MAX)
        return ERR_OK;
    buf_init_arena(&b, a, PAYLOAD_MAX);
    for (size_t i = 0; i < text.len;) {
        size_t k = 0;
        while (k < n && !str_starts(str_sub(text, i, SIZE_MAX), marks[k].mark))
            k++;
        if (k < n)
            buf_add_str(&b, marks[k].value);
        else
            buf_add_byte(&b, text.p[i]);
        i += k < n ? marks[k].mark.len : 1;
    }
    *ret = buf_str(&b);
    return buf_err(&b);
}

/* What is sent where no Input was given. */
static enum err default_input(struct scheduler *sc, struct txn *txn,
                              const struct scheduler_firing *f, struct str arn, struct str *ret)
{
    char when[CLOCK_TEXT_MAX], uuid[RNG_UUID_LEN + 1];
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, txn->arena, PAYLOAD_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("version"), STR("0"));
    json_kv_str(&o, STR("id"), rng_uuid(uuid));
    json_kv_str(&o, STR("detail-type"), STR("Scheduled Event"));
    json_kv_str(&o, STR("source"), STR("aws.scheduler"));
    json_kv_str(&o, STR("account"), f->name->scope.account);
    json_kv_str(&o, STR("time"), clock_iso8601(when, f->when_ms));
    json_kv_str(&o, STR("region"), f->name->scope.region);
    json_key(&o, STR("resources"));
    json_open(&o, '[');
    json_str(&o, arn);
    json_close(&o, ']');
    json_kv_str(&o, STR("detail"), STR("{}"));
    json_close(&o, '}');
    *ret = buf_str(&b);
    return buf_err(&b);
}

static enum err input_of(struct scheduler *sc, struct txn *txn, const struct scheduler_firing *f,
                         struct str arn, struct str *ret)
{
    const struct scheduler_target_rec *t = &f->schedule->target;
    char when[CLOCK_TEXT_MAX], execution[EXECUTION_LEN + 1];
    bool universal = is_universal(t->arn);
    if (!str_is_set(t->input) && universal) {
        *ret = STR("{}");
        return ERR_OK;
    }
    if (!str_is_set(t->input))
        return default_input(sc, txn, f, arn, ret);
    rng_text(execution, EXECUTION_LEN, "0123456789abcdef");
    const struct mark marks[] = {
        {STR("<aws.scheduler.schedule-arn>"), arn},
        {STR("<aws.scheduler.scheduled-time>"), clock_iso8601(when, f->when_ms)},
        {STR("<aws.scheduler.execution-id>"), str_c(execution)},
        {STR(ATTEMPT_MARK), STR("1")},
    };
    /* The number of an operation's attempt is known when it is made. */
    return replace(txn->arena, t->input, marks, ARRAY_LEN(marks) - universal, ret);
}

/* The text of the member that is an operation's whole body stands beside its input. */
static enum err split_body(struct arena *a, const struct wire_op *op, struct send *piece)
{
    const struct wire_member *m = op->input->payload;
    struct json *v;
    if (!m || (m->shape->kind != WIRE_BLOB && m->shape->kind != WIRE_STRING))
        return ERR_OK;
    enum err err = json_parse(a, piece->payload, &v, NULL);
    if (err)
        return err == ERR_NOMEM ? err : ERR_OK; /* the operation refuses it */
    const struct json *body = json_get(v, m->name);
    if (!body)
        return ERR_OK;
    struct buf b, rest;
    struct json_out o;
    buf_init_arena(&b, a, PAYLOAD_MAX);
    buf_init_arena(&rest, a, PAYLOAD_MAX);
    if (body->kind == JSON_STRING)
        buf_add_str(&b, body->text);
    else
        json_put(&b, body);
    json_out_init(&o, &rest);
    json_open(&o, '{');
    JSON_EACH (v, it)
        if (!str_eq(it->key, m->name)) {
            json_key(&o, it->key);
            json_tree(&o, it);
        }
    json_close(&o, '}');
    piece->call_body = buf_str(&b);
    piece->payload = buf_str(&rest);
    TRY(buf_err(&b));
    return buf_err(&rest);
}

static enum err send_operation(struct scheduler *sc, struct txn *txn,
                               const struct scheduler_firing *f, struct send *piece)
{
    const struct scheduler_target_rec *t = &f->schedule->target;
    const struct wire_op *op = scheduler_operation(sc->core, t->arn);
    if (!op) { /* stored by a version that had it */
        piece->fault = STR("ValidationException");
        return send_now(sc->core->deliver, txn, piece);
    }
    piece->call_service = op->service->name;
    piece->call_operation = op->name;
    piece->region = f->name->scope.region;
    piece->attempt_mark = STR(ATTEMPT_MARK);
    TRY(split_body(txn->arena, op, piece));
    const struct deliver_options opt = {
        .attempts_max = (int)(t->retries >= 0 ? t->retries : SCHEDULER_RETRIES) + 1,
        .age_max_ms = (t->age_max_s >= 0 ? t->age_max_s : SCHEDULER_AGE_MAX_S) * 1000,
    };
    return send_add(sc->core->deliver, txn, piece, &opt);
}

enum err scheduler_send(struct scheduler *sc, struct txn *txn, const struct scheduler_firing *f)
{
    const struct scheduler_target_rec *t = &f->schedule->target;
    char when[CLOCK_TEXT_MAX];
    struct str arn = scheduler_arn(txn->arena, sc->core, f->name), payload;
    if (!str_is_set(arn))
        return ERR_NOMEM;
    const struct target_pair attributes[] = {
        {STR("SCHEDULE_ARN"), arn},
        {STR("TARGET_ARN"), t->arn},
        {STR("SCHEDULED_TIME"), clock_iso8601(when, f->when_ms)},
        {STR("IS_PAYLOAD_TRUNCATED"), STR("false")},
    };
    TRY(input_of(sc, txn, f, arn, &payload));
    struct send piece = {
        .arn = t->arn,
        .service = STR(SCHEDULER_PRINCIPAL),
        .source_arn = arn,
        .source_account = f->name->scope.account,
        .role = t->role,
        .payload = payload,
        .group_id = t->group_id,
        .is_event = str_is_set(t->source),
        .source = t->source,
        .detail_type = t->detail_type,
        .resources = &arn,
        .n_resources = 1,
        .dead_letter = t->dead_letter,
        .dead_by_role = true,
        .words = SEND_WORDS_SCHEDULER,
        .attributes = attributes,
        .n_attributes = ARRAY_LEN(attributes),
    };
    if (is_universal(t->arn)) {
        piece.dead_payload = payload;
        return send_operation(sc, txn, f, &piece);
    }
    return send_now(sc->core->deliver, txn, &piece);
}
