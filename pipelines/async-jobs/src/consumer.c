/* async-jobs: the consumer behind the table's stream. Does each new job of a batch and settles it.
 *
 * Invariants
 *   C1  Every record of a batch is tried, also behind one that failed: when the mapping gives the
 *       batch up from the first failure on, the jobs behind that one are settled already.
 *   C2  A record that comes again, or at once in two functions, changes nothing more (J1, J2).
 *   C3  A record is answered as done only when its job is settled, or gone.
 *
 * Layer: pipeline. Thread: one. */
#include <stdio.h>
#include <stdlib.h>

#include "event.h"
#include "jobs.h"
#include "lambda.h"

static struct jobs jobs;

struct refusal {
    struct str reason; /* why the work cannot be done; absent: it can */
};

static enum err do_work(void *arg, struct arena *a, const struct job *job,
                        struct outcome *ret_outcome)
{
    struct refusal *refusal = arg;
    refusal->reason = STR_NONE;
    return work_run(a, job->kind, job->input, &ret_outcome->result, &refusal->reason);
}

/* True when the record needs no other try. */
static bool handle_change(struct arena *a, const struct change *change)
{
    struct refusal refusal = {STR_NONE};
    struct str why = STR_NONE;
    bool settled = false;
    if (!change->insert)
        return true;
    enum err err = jobs_settle(&jobs, a, change->id, do_work, &refusal, &settled, &why);
    if (err == ERR_OK) {
        printf("%s " STR_FMT "\n", settled ? "done" : "nothing to do for", STR_ARG(change->id));
        return true;
    }
    if (str_is_set(refusal.reason))
        why = refusal.reason;
    printf("not done " STR_FMT ": %s: " STR_FMT "\n", STR_ARG(change->id), err_name(err),
           STR_ARG(why));
    return false;
}

/* {"batchItemFailures":[{"itemIdentifier":"<sequence number>"}]} */
static int handle(struct lambda_context *ctx, struct str event, struct buf *reply)
{
    struct json *doc = NULL;
    struct json_out o;
    if (json_parse(ctx->arena, event, &doc, NULL) != ERR_OK)
        return lambda_fail(ctx, "Pipeline.BadEvent", "the event is not JSON");
    json_out_init(&o, reply);
    json_open(&o, '{');
    json_key(&o, STR("batchItemFailures"));
    json_open(&o, '[');
    JSON_EACH (json_get(doc, STR("Records")), record) {
        struct change change;
        if (change_read(record, &change) != ERR_OK)
            return lambda_fail(ctx, "Pipeline.BadEvent", "a record that is no change of a job");
        if (handle_change(ctx->arena, &change))
            continue;
        json_open(&o, '{');
        json_kv_str(&o, STR("itemIdentifier"), change.sequence);
        json_close(&o, '}');
    }
    json_close(&o, ']');
    json_close(&o, '}');
    return 0;
}

int main(void)
{
    jobs.table = str_c(getenv("TABLE"));
    if (!jobs.table.len)
        return lambda_init_error("Pipeline.Configuration", "TABLE must be set"), 1;
    if (aws_new(&jobs.aws) != ERR_OK)
        return lambda_init_error("Pipeline.Configuration", "no credentials or region"), 1;
    return lambda_run(handle);
}
