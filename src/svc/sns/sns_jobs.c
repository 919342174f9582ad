/* What goes on behind the replies:
 *
 *   sns.fanout   a message to a topic with many subscriptions: one job a message
 *   sns.removal  the subscriptions of a deleted topic: one job a topic
 *   sns.pending  a subscription that nobody confirmed goes when its token expired: due times
 *   sns.clean    deduplication ids that are too old, letters beyond SNS_MAIL_MAX: a singleton
 *
 * Layer: svc/sns. Thread: the home loop; adding in any transaction. */
#include "core/page.h"
#include "deliver/dedup.h"
#include "svc/sns/sns_int.h"

enum { CLEAN_PAUSE_MS = 60 * 1000, JOBS_AT_ONCE = 2 };

/* --- a message to many ------------------------------------------------------------------------ */

/* The cursor is the id of the subscription that had it last. */
static enum err fanout_step(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                            enum job_state *ret_state)
{
    struct sns_message m = {0};
    struct sns_topic_ref t;
    struct str last = STR_NONE;
    struct str key = key_make(txn->arena, &sns_k_message, sns_key_number(job->key));
    *ret_state = JOB_DONE;
    enum err err = txn_read(txn, key, &sns_message_type, &m);
    if (err == ERR_OK)
        err = sns_topic_find(txn, m.topic_arn, &t);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && t.rec.id != m.topic_id))
        return txn_del(txn, key); /* the topic is gone */
    TRY(err);
    if (str_is_set(m.data_key))
        err = sns_message_open(txn, &t, &m);
    if (err == ERR_NOT_FOUND)
        return txn_del(txn, key); /* nobody can read it any more */
    TRY(err);
    TRY(sns_publish_some(self, txn, &t, &m, job->cursor.len ? job->cursor : STR_NONE, &last));
    job_spend(budget, SNS_STEP_MAX);
    if (!str_is_set(last))
        return txn_del(txn, key);
    job->cursor = last;
    *ret_state = JOB_MORE;
    return ERR_OK;
}

/* --- deleted topics --------------------------------------------------------------------------- */

static const struct record_field scope_fields[] = {
    REC_STR(struct key_scope, account),
    REC_STR(struct key_scope, region),
};
static const struct record_type scope_type = RECORD_TYPE(struct key_scope, 1, scope_fields);

enum err sns_removal_add(struct sns *s, struct txn *txn, const struct sns_topic_ref *t)
{
    struct str key = sns_number_key(txn->arena, t->rec.id), scope;
    TRY(record_make(&scope_type, txn->arena, &t->scope, &scope));
    return str_is_set(key) ? job_add(txn, s->removal, key, scope) : ERR_NOMEM;
}

struct removing {
    struct sns *s;
    struct txn *txn;
    struct key_scope scope;
    struct job_budget *budget;
};

static enum err remove_sub(void *arg, struct str key, struct str val)
{
    struct removing *r = arg;
    struct sns_sub_ref sub = {.topic.scope = r->scope};
    sub.key = str_dup(r->txn->arena, key);
    if (!str_is_set(sub.key))
        return ERR_NOMEM;
    TRY(record_unpack_copy(&sns_sub_type, r->txn->arena, val, &sub.rec));
    TRY(sns_sub_remove(r->s, r->txn, &sub));
    job_spend(r->budget, 4);
    return job_spent(r->budget) ? ERR_CLOSED : ERR_OK;
}

static enum err removal_step(void *self, struct txn *txn, struct job *job,
                             struct job_budget *budget, enum job_state *ret_state)
{
    struct removing r = {.s = self, .txn = txn, .budget = budget};
    uint64_t topic_id = sns_key_number(job->key);
    bool more = false;
    TRY(record_unpack(&scope_type, txn->arena, job->argument, &r.scope));
    TRY(txn_each(txn, key_range(txn->arena, &sns_k_sub, r.scope, topic_id), remove_sub, &r));
    *ret_state = JOB_MORE;
    if (job_spent(budget))
        return ERR_OK;
    struct key_range endpoints = key_range(txn->arena, &sns_k_endpoint, topic_id);
    if (!str_is_set(endpoints.from) || !str_is_set(endpoints.to))
        return ERR_NOMEM;
    TRY(job_remove_range(txn, &endpoints.from, endpoints.to, budget, &more));
    *ret_state = more ? JOB_MORE : JOB_DONE;
    return txn_del(txn, key_make(txn->arena, &sns_k_seq, topic_id));
}

/* --- pending subscriptions -------------------------------------------------------------------- */

static enum err pending_fire(void *self, struct txn *txn, struct due_fire *f)
{
    struct sns_sub_ref sub;
    enum err err = sns_sub_find(txn, f->value, &sub);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && !sub.rec.pending))
        return ERR_OK;
    return err ? err : sns_sub_drop(self, txn, &sub);
}

/* --- what is too old -------------------------------------------------------------------------- */

static void dedup_committed(void *arg)
{
    struct sns *s = arg;
    s->dedup_done = s->dedup_target;
}

static enum err clean_dedup(struct sns *s, struct txn *txn, struct job_budget *budget,
                            bool *ret_more)
{
    uint64_t target;
    struct key_range old = dedup_old(txn, &sns_k_dedup, s->dedup_done, &target);
    *ret_more = false;
    if (!str_is_set(old.from) || !str_is_set(old.to))
        return ERR_NOMEM;
    if (target == s->dedup_done)
        return ERR_OK;
    TRY(job_remove_range(txn, &old.from, old.to, budget, ret_more));
    s->dedup_target = target;
    return *ret_more ? ERR_OK : txn_on_commit(txn, dedup_committed, s);
}

/* Looks for the letters from the newest on; what is behind the last that stays goes. */
struct letters {
    struct txn *txn;
    size_t n;
    struct str oldest; /* that stays; absent: all do */
};

static enum err count_letter(void *arg, struct str key, struct str val)
{
    struct letters *l = arg;
    if (++l->n < SNS_MAIL_MAX)
        return ERR_OK;
    l->oldest = str_dup(l->txn->arena, key);
    return str_is_set(l->oldest) ? ERR_CLOSED : ERR_NOMEM;
}

static enum err clean_mail(struct txn *txn, struct job_budget *budget, bool *ret_more)
{
    struct letters l = {.txn = txn};
    struct key_range all = key_range_table(txn->arena, &sns_k_mail);
    *ret_more = false;
    TRY(txn_each_reverse(txn, all, count_letter, &l));
    if (!str_is_set(l.oldest))
        return ERR_OK;
    return job_remove_range(txn, &all.from, l.oldest, budget, ret_more);
}

static enum err clean_step(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                           enum job_state *ret_state)
{
    bool more;
    TRY(clean_dedup(self, txn, budget, &more));
    if (!more)
        TRY(clean_mail(txn, budget, &more));
    *ret_state = more ? JOB_MORE : JOB_DONE;
    return ERR_OK;
}

enum err sns_jobs_register(struct sns *s)
{
    struct due *due = deliver_due(s->core->deliver);
    const struct job_def fanout = {
        .name = "sns.fanout", .self = s, .step = fanout_step, .at_once = JOBS_AT_ONCE};
    const struct job_def removal = {
        .name = "sns.removal", .self = s, .step = removal_step, .at_once = JOBS_AT_ONCE};
    const struct job_def clean = {.name = "sns.clean",
                                  .self = s,
                                  .step = clean_step,
                                  .at_once = 1,
                                  .singleton = true,
                                  .every_ms = CLEAN_PAUSE_MS};
    const struct due_def pending = {
        .name = "sns.pending", .self = s, .fire = pending_fire, .running_max = JOBS_AT_ONCE};
    TRY(job_register(due, &fanout, &s->fanout));
    TRY(job_register(due, &removal, &s->removal));
    TRY(job_register(due, &clean, &s->clean));
    return due_register(due, &pending, &s->pending);
}
