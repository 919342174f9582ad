/* Wait conditions: an address that whoever likes tells of success, and a resource that waits until it was told
 * often enough.
 *
 * Source: CloudFormation user guide, "AWS::CloudFormation::WaitCondition".
 * Layer: svc/cloudformation. Thread: the home loop. */
#include "base/rng.h"
#include "codec/json.h"
#include "svc/cloudformation/cloudformation_own.h"

enum { HANDLE_TOKEN_LEN = 40, WAIT_MAX_S = 43200 };

static enum err handle_step(struct cfn_step *step)
{
    struct cfn_work *w = step->work;
    char token[HANDLE_TOKEN_LEN + 1];
    step->doing = TYPE_DONE;
    if (w->verb == TYPE_DELETE)
        return txn_del(step->txn, key_make(step->a, &cloudformation_k_answer,
                                           cfn_answer_token(step->was->physical_id)));
    if (w->verb != TYPE_CREATE)
        return ERR_OK;
    rng_text(token, HANDLE_TOKEN_LEN,
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    w->goal.physical_id = cfn_answer_url(step->a, step->stack->region, str_c(token), true);
    return cfn_answer_expect(step, str_c(token), true);
}

/* A whole number, as a number or text. */
static int64_t number_of(const struct json *properties, struct str name, int64_t otherwise)
{
    const struct json *v = json_get(properties, name);
    int64_t n;
    enum err err = !v                       ? ERR_INVALID
                   : v->kind == JSON_STRING ? str_to_i64(v->text, &n)
                                            : json_to_i64(v, &n);
    return err == ERR_OK ? n : otherwise;
}

static enum err data_of(struct cfn_step *step, const struct cfn_answer *answer)
{
    struct buf data, b;
    struct json_out o;
    buf_init_arena(&data, step->a, 256 * 1024);
    json_out_init(&o, &data);
    json_open(&o, '{');
    for (size_t i = 0; i < answer->n_signals; i++) {
        json_key(&o, answer->signals[i].unique_id);
        json_str(&o, answer->signals[i].data.p ? answer->signals[i].data : STR(""));
    }
    json_close(&o, '}');
    buf_init_arena(&b, step->a, 512 * 1024);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("Data"), buf_str(&data));
    json_close(&o, '}');
    step->work->goal.attributes = buf_str(&b);
    return buf_err(&data) ? buf_err(&data) : buf_err(&b);
}

static enum err count(struct cfn_step *step, const struct cfn_answer *answer, int64_t wanted)
{
    int64_t told = 0;
    for (size_t i = 0; i < answer->n_signals; i++) {
        const struct cfn_signal *s = &answer->signals[i];
        if (!str_eq(s->status, STR("SUCCESS"))) {
            step->doing = TYPE_FAILED;
            step->reason = str_fmt(step->a,
                                   "WaitCondition received failed message: '" STR_FMT
                                   "' for uniqueId: " STR_FMT,
                                   STR_ARG(s->reason), STR_ARG(s->unique_id));
            return ERR_OK;
        }
        told++;
    }
    if (told >= wanted) {
        step->doing = TYPE_DONE;
        return data_of(step, answer);
    }
    step->doing = TYPE_WAIT;
    step->wake_ms = step->work->deadline_ms;
    if (step->txn->now_ms >= step->work->deadline_ms) {
        step->doing = TYPE_FAILED;
        step->reason = str_fmt(step->a,
                               "WaitCondition timed out. Received %lld conditions when expecting "
                               "%lld",
                               (long long)told, (long long)wanted);
    }
    return ERR_OK;
}

static enum err condition_step(struct cfn_step *step)
{
    struct cfn_work *w = step->work;
    const struct json *p;
    struct cfn_answer answer = {0};
    if (w->verb != TYPE_CREATE) {
        step->doing = TYPE_DONE;
        return ERR_OK;
    }
    TRY(cfn_json(step->a, w->goal.properties, &p));
    struct str token = cfn_answer_token(json_get_str(p, STR("Handle")));
    enum err err = txn_read(step->txn, key_make(step->a, &cloudformation_k_answer, token),
                            &cfn_answer_type, &answer);
    if (err == ERR_NOT_FOUND || !answer.collects) {
        step->doing = TYPE_FAILED;
        step->reason = STR("Handle is no wait condition handle.");
        return ERR_OK;
    }
    TRY(err);
    if (!str_is_set(w->goal.physical_id)) {
        int64_t s = number_of(p, STR("Timeout"), 0);
        w->goal.physical_id = str_fmt(step->a, STR_FMT "/" STR_FMT, STR_ARG(step->stack->id),
                                      STR_ARG(cfn_made_name(step)));
        w->deadline_ms = step->txn->now_ms + (s < 0 ? 0 : min_i64(s, WAIT_MAX_S)) * 1000;
    }
    return count(step, &answer, number_of(p, STR("Count"), 1));
}

static enum err condition_check(const struct json *properties, struct arena *a,
                                struct str *ret_message)
{
    (void)a;
    if (json_get(properties, STR("Handle")) && json_get(properties, STR("Timeout")))
        return ERR_OK;
    *ret_message = json_get(properties, STR("Handle")) ? STR("#: required key [Timeout] not found")
                                                       : STR("#: required key [Handle] not found");
    return ERR_INVALID;
}

const struct cfn_own cfn_own_handle = {"AWS::CloudFormation::WaitConditionHandle", NULL,
                                       handle_step, NULL};
const struct cfn_own cfn_own_condition = {"AWS::CloudFormation::WaitCondition", condition_check,
                                          condition_step, NULL};
