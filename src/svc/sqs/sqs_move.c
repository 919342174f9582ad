/* Message move tasks: what a dead-letter queue holds goes back to the queues that it came from, or to
 * one queue. A task is a record beside its source and a job (deliver/job.h) that moves some messages a
 * step; what a step moved and what the record says of it are one commit, so that a crash neither loses
 * a message nor moves it twice, and the task goes on where it was.
 *
 *   RUNNING --as many moved as there were, or none is visible--> COMPLETED
 *      |\--no way to move one: it stays where it is--> FAILED
 *      \--CancelMessageMoveTask--> CANCELLED
 *
 * A moved message is a new one: it has another id, its time is now, its receives are forgotten.
 *
 * Source: SQS API Reference, StartMessageMoveTask; developer guide, "dead-letter queue redrive".
 * Layer: svc/sqs. Thread: steps on the home loop. */
#include "svc/sqs/sqs_move.h"

#include <assert.h>

#include "base/rng.h"
#include "core/page.h"
#include "deliver/deliver.h"
#include "deliver/job.h"

enum {
    MOVE_KEYS = 4,           /* touched for a message */
    MOVE_PERIOD_MS = 100,    /* between the steps of a task that has a rate */
    MOVE_TASKS_AT_ONCE = 16, /* of all queues */
};

static const struct record_field task_fields[] = {
    REC_STR(struct sqs_move_task, id),
    REC_STR(struct sqs_move_task, source_arn),
    REC_STR(struct sqs_move_task, destination_arn),
    REC_INT(struct sqs_move_task, per_second),
    REC_INT(struct sqs_move_task, started_ms),
    REC_UINT(struct sqs_move_task, to_move),
    REC_UINT(struct sqs_move_task, moved),
    REC_ENUM(struct sqs_move_task, status, SQS_MOVE_STATUSES),
    REC_STR(struct sqs_move_task, failure),
};
const struct record_type sqs_move_task_type = RECORD_TYPE(struct sqs_move_task, 1, task_fields);

/* --- one step ---------------------------------------------------------------------------------- */

struct moving {
    struct txn *txn;
    struct sqs *sqs;
    struct sqs_move_task *task;
    struct job_budget *budget;
};

static enum err fail(struct moving *m, struct str why)
{
    m->task->status = SQS_MOVE_FAILED;
    m->task->failure = why;
    return ERR_NOT_FOUND;
}

/* ERR_NOT_FOUND: the message stays where it is, and so do those after it. */
static enum err move_one(void *arg, const struct sqs_open *from, struct sqs_body *body)
{
    struct moving *m = arg;
    struct sqs_open to;
    bool back = !str_is_set(m->task->destination_arn);
    struct str arn = back ? body->dlq_source : m->task->destination_arn;
    if (!str_is_set(arn)) /* it was sent to this queue */
        return fail(m, STR("CouldNotDetermineMessageSource"));
    enum err err = sqs_open_arn(m->sqs, m->txn, arn, &to);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && to.config.fifo != from->config.fifo))
        return fail(m, STR("AWS.SimpleQueueService.NonExistentQueue"));
    TRY(err);
    char *id = arena_alloc(m->txn->arena, RNG_UUID_LEN + 1);
    if (!id)
        return ERR_NOMEM;
    if (str_is_set(body->data_key) && !str_is_set(body->sealed_for)) /* Q5: it opens as it did */
        body->sealed_for = m->task->source_arn;
    if (str_is_set(body->data_key) && !str_is_set(body->sealed_id))
        body->sealed_id = body->id;
    body->id = rng_uuid(id);
    body->sent_ms = m->txn->now_ms;
    body->dlq_source = STR_NONE;
    TRY(sqs_move_stage(m->txn, &to, body, NULL));
    m->task->moved++;
    job_spend(m->budget, MOVE_KEYS);
    return ERR_OK;
}

/* Milliseconds of a step, and the messages that may go in it. */
static int64_t period_of(const struct sqs_move_task *task, uint64_t *ret_n)
{
    *ret_n = UINT64_MAX;
    if (task->per_second == 0)
        return 0;
    int64_t n = task->per_second * MOVE_PERIOD_MS / 1000;
    *ret_n = n > 0 ? (uint64_t)n : 1;
    return n > 0 ? n * 1000 / task->per_second : 1000 / task->per_second;
}

static enum err move_some(struct moving *m, const struct sqs_open *from, uint64_t most)
{
    struct sqs_move_task *task = m->task;
    const struct sqs_away away = {.move = move_one, .arg = m};
    while (task->status == SQS_MOVE_RUNNING) {
        uint64_t left = task->to_move - task->moved;
        size_t n = 0;
        if (left > most)
            left = most;
        if (left == 0)
            break;
        uint64_t before = task->moved;
        TRY(sqs_take_away(m->txn, from, left, &away, &n));
        if (n == 0 && task->status == SQS_MOVE_RUNNING) /* what is left is out, or was taken */
            task->status = SQS_MOVE_COMPLETED;
        most -= task->moved - before;
        if (job_spent(m->budget))
            break;
    }
    if (task->status == SQS_MOVE_RUNNING && task->moved == task->to_move)
        task->status = SQS_MOVE_COMPLETED;
    return ERR_OK;
}

static enum err step(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                     enum job_state *ret_state)
{
    struct sqs *s = self;
    struct sqs_move_task task;
    struct sqs_open from;
    uint64_t most;
    enum err err = txn_read(txn, job->argument, &sqs_move_task_type, &task);
    *ret_state = JOB_DONE;
    if (err == ERR_NOT_FOUND) /* its queue went, and it with it */
        return ERR_OK;
    TRY(err);
    struct moving m = {.txn = txn, .sqs = s, .task = &task, .budget = budget};
    int64_t period_ms = period_of(&task, &most);
    err = sqs_open_arn(s, txn, task.source_arn, &from);
    if (err == ERR_NOT_FOUND)
        return txn_del(txn, job->argument);
    TRY(err);
    if (task.per_second && job->cursor.len == 0) /* the first ones after the first period */
        job->cursor = STR("begun");
    else
        TRY(move_some(&m, &from, most));
    TRY(txn_write(txn, job->argument, &sqs_move_task_type, &task));
    if (task.status != SQS_MOVE_RUNNING)
        return ERR_OK;
    *ret_state = task.per_second ? JOB_WAIT : JOB_MORE;
    job->wait_until_ms = txn->now_ms + period_ms;
    return ERR_OK;
}

/* --- starting and ending ----------------------------------------------------------------------- */

static struct str job_key(struct arena *a, uint64_t queue_id)
{
    return str_fmt(a, "%016llx", (unsigned long long)queue_id);
}

enum err sqs_move_running(struct txn *txn, const struct sqs_open *from, bool *ret_running)
{
    struct str argument, cursor, key = job_key(txn->arena, from->config.id);
    if (!str_is_set(key))
        return ERR_NOMEM;
    enum err err = job_get(txn, from->queue->sqs->move, key, &argument, &cursor);
    *ret_running = err == ERR_OK;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err count_task(void *arg, struct str key, struct str value)
{
    struct sqs_move_list *l = arg;
    struct arena *a = l->txn->arena;
    if (l->n == SQS_MOVE_KEPT)
        return ERR_CLOSED;
    l->keys[l->n] = str_dup(a, key);
    value = str_dup(a, value);
    if (!str_is_set(l->keys[l->n]) || !str_is_set(value))
        return ERR_NOMEM;
    return record_unpack(&sqs_move_task_type, a, value, &l->tasks[l->n++]);
}

enum err sqs_move_list(struct txn *txn, uint64_t queue_id, struct sqs_move_list *ret_list)
{
    ret_list->txn = txn;
    ret_list->n = 0;
    return txn_each(txn, key_range(txn->arena, &sqs_k_task, queue_id), count_task, ret_list);
}

enum err sqs_move_start(struct txn *txn, const struct sqs_open *from, struct sqs_move_task *task)
{
    struct sqs_queue *q = from->queue;
    struct sqs_move_list *l = ARENA_NEW(txn->arena, struct sqs_move_list);
    if (!l)
        return ERR_NOMEM;
    TRY(sqs_move_list(txn, from->config.id, l));
    /* The oldest make room: they are first, since their keys are the times of their starts. */
    for (size_t i = 0; l->n - i >= SQS_MOVE_KEPT; i++)
        TRY(txn_del(txn, l->keys[i]));
    pthread_mutex_lock(&q->lock);
    (void)sqs_index_promote(q->ix, txn->now_ms);
    task->to_move = q->ix->count[SQS_SLOT_VISIBLE];
    uint64_t number = sqs_queue_next_seq(q, txn->now_ms);
    pthread_mutex_unlock(&q->lock);
    struct str key = key_make(txn->arena, &sqs_k_task, from->config.id, number);
    struct str of_job = job_key(txn->arena, from->config.id);
    if (!str_is_set(of_job))
        return ERR_NOMEM;
    TRY(txn_write(txn, key, &sqs_move_task_type, task));
    return job_add(txn, q->sqs->move, of_job, key);
}

enum err sqs_move_cancel(struct txn *txn, const struct sqs_open *from, struct str key,
                         struct sqs_move_task *task)
{
    struct str of_job = job_key(txn->arena, from->config.id);
    if (!str_is_set(of_job))
        return ERR_NOMEM;
    TRY(txn_read(txn, key, &sqs_move_task_type, task)); /* tracked, against a step */
    if (task->status != SQS_MOVE_RUNNING)
        return ERR_INVALID;
    task->status = SQS_MOVE_CANCELLED;
    TRY(job_cancel(txn, from->queue->sqs->move, of_job));
    return txn_write(txn, key, &sqs_move_task_type, task);
}

enum err sqs_move_forget(struct txn *txn, const struct sqs_open *from)
{
    struct str of_job = job_key(txn->arena, from->config.id);
    struct sqs_move_list *l = ARENA_NEW(txn->arena, struct sqs_move_list);
    if (!str_is_set(of_job) || !l)
        return ERR_NOMEM;
    TRY(sqs_move_list(txn, from->config.id, l));
    if (l->n == 0)
        return ERR_OK;
    for (size_t i = 0; i < l->n; i++)
        TRY(txn_del(txn, l->keys[i]));
    return job_cancel(txn, from->queue->sqs->move, of_job);
}

enum err sqs_move_register(struct sqs *s)
{
    const struct job_def def = {
        .name = "sqs.move", .self = s, .step = step, .at_once = MOVE_TASKS_AT_ONCE};
    return job_register(deliver_due(s->core->deliver), &def, &s->move);
}
