/* See jobs.h. Layer: pipeline. */
#include "jobs.h"

#include <poll.h>

#include "base/rng.h"
#include "dynamodb.h"
#include "item.h"

enum { BODY_MAX = 1024 * 1024, PAUSE_MS = 10 };

static void begin(struct json_out *o, struct buf *b, struct arena *a, const struct jobs *jobs,
                  struct str id)
{
    buf_init_arena(b, a, BODY_MAX);
    json_out_init(o, b);
    json_open(o, '{');
    json_kv_str(o, STR("TableName"), jobs->table);
    json_key(o, STR("Key"));
    json_open(o, '{');
    item_put_s(o, "id", id);
    json_close(o, '}');
}

static enum err read_job(const struct jobs *jobs, struct arena *a, struct str id,
                         const struct json **ret_item, struct str *ret_why)
{
    struct buf b;
    struct json_out o;
    const struct json *reply = NULL;
    begin(&o, &b, a, jobs, id);
    json_kv_bool(&o, STR("ConsistentRead"), true);
    json_close(&o, '}');
    TRY(dynamodb_call(jobs->aws, a, "GetItem", &b, &reply, ret_why));
    *ret_item = json_get(reply, STR("Item"));
    return ERR_OK;
}

/* The names that expressions use, all of them reserved words or nearly so. */
static void put_names(struct json_out *o, const char *told)
{
    json_key(o, STR("ExpressionAttributeNames"));
    json_open(o, '{');
    json_kv_str(o, STR("#status"), STR("status"));
    json_kv_str(o, STR("#version"), STR("version"));
    json_kv_str(o, STR("#told"), str_c(told));
    json_close(o, '}');
}

static void put_result(struct json_out *o, const struct work_result *result)
{
    json_key(o, STR(":told"));
    json_open(o, '{');
    json_key(o, STR("M"));
    json_open(o, '{');
    for (size_t i = 0; i < ARRAY_LEN(result->values); i++)
        item_put_n(o, result->values[i].name, result->values[i].value);
    json_close(o, '}');
    json_close(o, '}');
}

/* Writes the outcome of the job that was read as `item`. ERR_CONFLICT: it is another one by now. */
static enum err write_outcome(const struct jobs *jobs, struct arena *a, struct str id,
                              const struct json *item, const struct outcome *outcome,
                              struct str *ret_why)
{
    struct buf b;
    struct json_out o;
    bool failed = str_is_set(outcome->reason);
    const struct json *seen = json_get(item, STR("version"));
    begin(&o, &b, a, jobs, id);
    json_kv_str(&o, STR("UpdateExpression"),
                STR("SET #status = :status, #version = :next, #told = :told"));
    json_kv_str(&o, STR("ConditionExpression"),
                seen ? STR("#version = :seen")
                     : STR("attribute_exists(id) AND attribute_not_exists(#version)"));
    put_names(&o, failed ? "reason" : "result");
    json_key(&o, STR("ExpressionAttributeValues"));
    json_open(&o, '{');
    item_put_s(&o, ":status", failed ? STR("FAILED") : STR("DONE"));
    item_put_n(&o, ":next", item_get_n(item, "version") + 1);
    if (seen) {
        json_key(&o, STR(":seen")); /* as it is: it may be no number */
        json_tree(&o, seen);
    }
    if (failed)
        item_put_s(&o, ":told", outcome->reason);
    else
        put_result(&o, &outcome->result);
    json_close(&o, '}');
    json_close(&o, '}');
    return dynamodb_call(jobs->aws, a, "UpdateItem", &b, NULL, ret_why);
}

static enum err settle_once(const struct jobs *jobs, struct arena *a, struct str id,
                            jobs_decide *decide, void *arg, bool *ret_settled, struct str *ret_why)
{
    const struct json *item = NULL;
    struct outcome outcome = {0};
    TRY(read_job(jobs, a, id, &item, ret_why));
    *ret_settled = false;
    if (!item || json_get(item, STR("status")))
        return ERR_OK;
    struct job job = {
        .id = id, .kind = item_get_s(item, "kind"), .input = item_get_s(item, "input")};
    TRY(decide(arg, a, &job, &outcome));
    TRY(write_outcome(jobs, a, id, item, &outcome, ret_why));
    *ret_settled = true;
    return ERR_OK;
}

enum err jobs_settle(const struct jobs *jobs, struct arena *a, struct str id, jobs_decide *decide,
                     void *arg, bool *ret_settled, struct str *ret_why)
{
    enum err err = ERR_CONFLICT;
    for (int tries = 0; tries < JOBS_TRIES_MAX && err == ERR_CONFLICT; tries++) {
        if (tries)
            (void)poll(NULL, 0, 1 + (int)rng_below((uint64_t)PAUSE_MS << tries));
        err = settle_once(jobs, a, id, decide, arg, ret_settled, ret_why);
    }
    if (err == ERR_CONFLICT)
        *ret_why = STR("the job changed under every try to settle it");
    return err;
}
