/* See usage.h. Layer: svc/apigateway. */
#include "svc/apigateway/usage.h"

#include <assert.h>

#include "base/mem.h"
#include "core/core.h"
#include "svc/apigateway/usage_bucket.h"
#include "svc/apigateway/usage_counter.h"
#include "svc/apigateway/usage_int.h"
#include "svc/apigateway/usage_store.h"

enum {
    TAKES_MAX = 4,         /* plan's method, plan, stage's method, account */
    NAME_BYTES_MAX = 4096, /* of a bucket: longer paths share one by what fits */
};

/* --- who it is ---------------------------------------------------------------------------------- */

/* What a request's key leads to. */
struct found {
    struct usage_key key;
    const struct usage_plan *plan;
    const struct usage_stage *stage;
};

/* ERR_NOT_FOUND: forbidden. */
static enum err find(const struct usage *u, struct txn *txn, const struct usage_ask *ask,
                     struct found *ret)
{
    if (str_empty(ask->key))
        return ERR_NOT_FOUND;
    TRY(usage_find_key(txn, ask->scope, ask->key, &ret->key));
    if (!ret->key.enabled)
        return ERR_NOT_FOUND;
    return usage_find_plan(u->plans, txn, ask->scope, &ret->key, ask->api_id, ask->stage,
                           &ret->plan, &ret->stage);
}

/* --- how often ---------------------------------------------------------------------------------- */

/* The hash of a bucket's name: parts with their lengths between, so that no two names run together. */
static uint64_t name_of(char kind, const struct str *parts, size_t n)
{
    char bytes[NAME_BYTES_MAX];
    struct buf b;
    buf_init_fixed(&b, bytes, sizeof(bytes));
    buf_add_byte(&b, kind);
    for (size_t i = 0; i < n; i++) {
        buf_add_u64(&b, parts[i].len);
        buf_add_byte(&b, ':');
        buf_add(&b, parts[i].p, min_size(parts[i].len, sizeof(bytes) - b.len));
    }
    return str_hash(buf_str(&b));
}

static void add_take(struct usage_take *takes, size_t *n, uint64_t name,
                     const struct usage_limit *limit)
{
    assert(*n < TAKES_MAX);
    takes[(*n)++] = (struct usage_take){name, limit->rate, limit->burst};
}

/* The key's own buckets. */
static void add_plan(struct usage_take *takes, size_t *n, const struct usage_ask *ask,
                     const struct found *f)
{
    const struct str method[] = {f->plan->id, f->key.id, ask->api_id,
                                 ask->stage,  ask->path, ask->method};
    const struct usage_limit *limit = usage_stage_limit(f->stage, ask->path, ask->method);
    if (limit && limit->set)
        add_take(takes, n, name_of('m', method, ARRAY_LEN(method)), limit);
    if (f->plan->limit.set)
        add_take(takes, n, name_of('p', method, 2), &f->plan->limit);
}

static bool take(struct usage *u, const struct usage_ask *ask, const struct found *f)
{
    static const struct usage_limit account_limit = {true, USAGE_ACCOUNT_RATE, USAGE_ACCOUNT_BURST};
    const struct str stage[] = {ask->api_id, ask->stage, ask->path, ask->method};
    const struct str account[] = {ask->scope.account, ask->scope.region};
    struct usage_take takes[TAKES_MAX];
    size_t n = 0;
    if (f)
        add_plan(takes, &n, ask, f);
    if (ask->method_limit.set)
        add_take(takes, &n, name_of('s', stage, ARRAY_LEN(stage)), &ask->method_limit);
    add_take(takes, &n, name_of('a', account, ARRAY_LEN(account)), &account_limit);
    return usage_buckets_take(u->buckets, takes, n, ask->now_ns);
}

/* With the quota before and after, of which the first only looks: what is throttled is not counted. */
static enum err take_of_plan(struct usage *u, struct txn *txn, const struct usage_ask *ask,
                             const struct found *f, enum usage_verdict *ret)
{
    const struct usage_member member = {ask->scope, f->plan->id, f->key.id};
    const struct usage_quota *quota = &f->plan->quota;
    int64_t day = usage_day_of(ask->wall_ms);
    bool left;
    *ret = USAGE_QUOTA;
    if (quota->period != USAGE_NO_QUOTA) {
        TRY(usage_counters_take(u->counters, txn, &member, quota, day, false, &left));
        if (!left)
            return ERR_OK;
    }
    *ret = USAGE_THROTTLED;
    if (!take(u, ask, f))
        return ERR_OK;
    TRY(usage_counters_take(u->counters, txn, &member, quota, day, true, &left));
    *ret = left ? USAGE_ADMITTED : USAGE_QUOTA;
    return ERR_OK;
}

enum err usage_admit(struct usage *u, struct txn *txn, const struct usage_ask *ask,
                     struct usage_answer *ret)
{
    struct found f = {0};
    struct usage_answer answer = {.verdict = USAGE_FORBIDDEN};
    if (!ask->key_required) {
        answer.verdict = take(u, ask, NULL) ? USAGE_ADMITTED : USAGE_THROTTLED;
        *ret = answer;
        return ERR_OK;
    }
    enum err err = find(u, txn, ask, &f);
    answer.key_id = f.key.id;
    answer.customer_id = f.key.customer_id;
    answer.key = str_is_set(f.key.id) ? ask->key : STR_NONE;
    answer.plan_id = f.plan ? f.plan->id : STR_NONE;
    if (err == ERR_OK)
        err = take_of_plan(u, txn, ask, &f, &answer.verdict);
    if (err == ERR_LIMIT) /* more counters than memory is meant for */
        answer.verdict = USAGE_THROTTLED;
    else if (err && err != ERR_NOT_FOUND)
        return err;
    *ret = answer;
    return ERR_OK;
}

/* --- life --------------------------------------------------------------------------------------- */

enum err usage_new(struct core *core, struct usage **ret_usage)
{
    struct usage *u = mem_calloc(1, sizeof(*u));
    if (!u)
        return ERR_NOMEM;
    u->core = core;
    enum err err = usage_buckets_new(USAGE_BUCKET_SLOTS, &u->buckets);
    if (err == ERR_OK)
        err = usage_counters_new(core, &u->counters);
    if (err == ERR_OK)
        err = catalogue_new(core, &usage_plan_catalogue, u, &u->plans);
    if (err)
        usage_free(u);
    else
        *ret_usage = u;
    return err;
}

static enum err load(struct txn *txn, void *arg)
{
    struct usage *u = arg;
    struct key_range all = key_range_table(txn->arena, &usage_k_plan);
    return str_is_set(all.from) ? catalogue_load(u->plans, txn, all.from) : ERR_NOMEM;
}

enum err usage_start(struct usage *u)
{
    return txn_run_now(u->core, load, u);
}

void usage_drain(struct usage *u, void (*done)(void *arg), void *arg)
{
    usage_counters_drain(u->counters, done, arg);
}

void usage_free(struct usage *u)
{
    if (!u)
        return;
    catalogue_free(u->plans);
    usage_counters_free(u->counters);
    usage_buckets_free(u->buckets);
    mem_free(u);
}
