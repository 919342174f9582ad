/* See iam_used.h.
 *
 *   request -> note (memory, dirty) -> timer on the home loop -> one transaction for all -> clean
 *
 * An entry that changes while it is being written stays dirty, by its number.
 *
 * Layer: svc. Thread: as iam_used.h says. */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "base/record.h"
#include "core/observe.h"
#include "svc/iam/iam_used.h"

enum { ID_MAX = 128, SERVICE_MAX = 64, REGION_MAX = 32, WRITE_MAX = 1000 };

/* Lifetime: until it is known to be of nobody. */
struct entry {
    char id[ID_MAX], account[16], service[SERVICE_MAX], region[REGION_MAX];
    int64_t at_ms;
    uint64_t changed, written; /* numbers of changes */
};

struct iam_uses {
    struct iam *iam;
    struct core_observer observer;
    pthread_mutex_t lock; /* the map and its entries */
    struct map by_id;
    struct io_timer timer; /* home loop, as all below */
    struct io_task arm;
    atomic_bool armed;
    bool writing, over;
    void (*drained)(void *arg);
    void *drained_arg;
};

static const struct record_field used_fields[] = {
    REC_INT(struct iam_used, at_ms),
    REC_STR(struct iam_used, service),
    REC_STR(struct iam_used, region),
};
static const struct record_type used_type = RECORD_TYPE(struct iam_used, 1, used_fields);

/* --- noting ----------------------------------------------------------------------------------- */

static void set_text(char *to, size_t cap, struct str text)
{
    size_t n = min_size(text.len, cap - 1);
    if (n)
        memcpy(to, text.p, n);
    to[n] = '\0';
}

/* The entry of an id, made if need be. NULL: no room. Lock held. */
static struct entry *entry_of(struct iam_uses *u, struct str id)
{
    struct entry *e = map_get(&u->by_id, id);
    if (e || u->by_id.n >= USED_MAX || id.len >= ID_MAX)
        return e;
    e = mem_calloc(1, sizeof(*e));
    if (e && map_put(&u->by_id, id, e, NULL) != ERR_OK) {
        mem_free(e);
        return NULL;
    }
    if (e)
        set_text(e->id, sizeof(e->id), id);
    return e;
}

/* Whose use it is: a long-lived key's or a role's; absent: nobody's that is told. */
static struct str user_of(const struct principal *who)
{
    struct str id = who->user_id;
    if (who->kind == PRINCIPAL_ROLE)
        return str_cut(&id, ':');
    return who->kind == PRINCIPAL_USER && who->token_issued_ms == 0 ? who->access_key : STR_NONE;
}

static bool note(struct iam_uses *u, struct str id, const struct call *call)
{
    struct str service = call->service->signing;
    int64_t now_ms = call->txn->wall_ms;
    bool changed = false;
    pthread_mutex_lock(&u->lock);
    struct entry *e = entry_of(u, id);
    if (e && (now_ms - e->at_ms >= USED_STEP_MS || !str_eq_c(service, e->service) ||
              !str_eq_c(call->region, e->region))) {
        set_text(e->account, sizeof(e->account), call->who->account);
        set_text(e->service, sizeof(e->service), service);
        set_text(e->region, sizeof(e->region), call->region);
        e->at_ms = now_ms;
        e->changed++;
        changed = true;
    }
    pthread_mutex_unlock(&u->lock);
    return changed;
}

static void seen(void *arg, const struct core_seen *seen)
{
    struct iam_uses *u = arg;
    const struct call *call = seen->call;
    if (!call->who || !call->service)
        return;
    struct str id = user_of(call->who);
    if (str_is_set(id) && id.len > 0 && note(u, id, call) && !atomic_exchange(&u->armed, true))
        io_post(core_home_loop(u->iam->core), &u->arm);
}

/* --- writing ---------------------------------------------------------------------------------- */

static struct str used_key(struct arena *a, struct str account, struct str id)
{
    return key_make(a, &iam_k_used, iam_scope(account), id);
}

/* Whether the key or role is still there. */
static enum err is_known(struct iam *iam, struct arena *a, const struct entry *e, bool *ret)
{
    const struct iam_entity *of;
    bool role = str_starts(str_c(e->id), STR("AROA"));
    enum err err = iam_known(iam, a, role ? IAM_BY_ID : IAM_BY_ACCESS_KEY, str_c(e->id), &of);
    *ret = err == ERR_OK;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err write_one(struct iam_uses *u, struct txn *txn, const struct entry *e,
                          bool *ret_known)
{
    struct str record, key = used_key(txn->arena, str_c(e->account), str_c(e->id));
    TRY(is_known(u->iam, txn->arena, e, ret_known));
    if (!*ret_known)
        return txn_del(txn, key);
    const struct iam_used used = {e->at_ms, str_c(e->service), str_c(e->region)};
    TRY(record_make(&used_type, txn->arena, &used, &record));
    return txn_put(txn, key, record);
}

/* A copy of what is dirty, at most WRITE_MAX. */
static enum err copy_dirty(struct iam_uses *u, struct arena *a, struct entry **ret, size_t *ret_n)
{
    size_t it = 0, n = 0;
    struct str id;
    void *value;
    struct entry *v = ARENA_ARRAY(a, struct entry, WRITE_MAX);
    if (!v)
        return ERR_NOMEM;
    pthread_mutex_lock(&u->lock);
    while (n < WRITE_MAX && map_next(&u->by_id, &it, &id, &value)) {
        const struct entry *e = value;
        if (e->changed != e->written)
            v[n++] = *e;
    }
    pthread_mutex_unlock(&u->lock);
    *ret = v;
    *ret_n = n;
    return ERR_OK;
}

static enum err write_all(struct txn *txn, void *arg)
{
    struct iam_uses *u = arg;
    struct entry *v;
    size_t n;
    TRY(copy_dirty(u, txn->arena, &v, &n));
    bool *known = ARENA_ARRAY(txn->arena, bool, n + 1);
    if (!known)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        TRY(write_one(u, txn, &v[i], &known[i]));
    /* Told before it is durable: should the commit fail, the next use writes again. */
    pthread_mutex_lock(&u->lock);
    for (size_t i = 0; i < n; i++) {
        struct entry *e = map_get(&u->by_id, str_c(v[i].id));
        if (e && !known[i])
            mem_free(map_del(&u->by_id, str_c(v[i].id)));
        else if (e)
            e->written = v[i].changed;
    }
    pthread_mutex_unlock(&u->lock);
    return ERR_OK;
}

static void begin_writing(struct iam_uses *u);

static bool any_dirty(struct iam_uses *u)
{
    size_t it = 0;
    struct str id;
    void *value;
    bool any = false;
    pthread_mutex_lock(&u->lock);
    while (!any && map_next(&u->by_id, &it, &id, &value))
        any = ((struct entry *)value)->changed != ((struct entry *)value)->written;
    pthread_mutex_unlock(&u->lock);
    return any;
}

static void written(void *arg, enum err err)
{
    struct iam_uses *u = arg;
    u->writing = false;
    if (u->over && err == ERR_OK && any_dirty(u)) {
        begin_writing(u);
        return;
    }
    if (u->over)
        u->drained(u->drained_arg);
    else if (any_dirty(u) && !atomic_exchange(&u->armed, true))
        io_post(core_home_loop(u->iam->core), &u->arm);
}

static void begin_writing(struct iam_uses *u)
{
    assert(!u->writing);
    u->writing = true;
    if (txn_run(u->iam->core, core_home_loop(u->iam->core), write_all, u, written) != ERR_OK) {
        u->writing = false;
        if (u->over)
            u->drained(u->drained_arg);
    }
}

static void on_timer(struct io_timer *timer)
{
    struct iam_uses *u = timer->arg;
    atomic_store(&u->armed, false);
    if (!u->writing)
        begin_writing(u);
}

static void on_arm(struct io_task *task)
{
    struct iam_uses *u = CONTAINER_OF(task, struct iam_uses, arm);
    if (u->over || io_timer_start(&u->timer, USED_FLUSH_MS) != ERR_OK)
        atomic_store(&u->armed, false); /* out of memory: the next use tries again */
}

/* --- life ------------------------------------------------------------------------------------- */

enum err iam_uses_new(struct iam *iam, struct iam_uses **ret)
{
    struct iam_uses *u = mem_calloc(1, sizeof(*u));
    if (!u)
        return ERR_NOMEM;
    u->iam = iam;
    u->observer = (struct core_observer){.fn = seen, .arg = u};
    u->arm.fn = on_arm;
    pthread_mutex_init(&u->lock, NULL);
    map_init(&u->by_id);
    *ret = u;
    return ERR_OK;
}

struct loading {
    struct iam_uses *u;
    struct arena *a;
    struct str gone[WRITE_MAX]; /* keys of records that nobody needs */
    size_t n_gone;
};

static void set_entry(struct entry *e, struct str account, const struct iam_used *used)
{
    set_text(e->account, sizeof(e->account), account);
    set_text(e->service, sizeof(e->service), used->service);
    set_text(e->region, sizeof(e->region), used->region);
    e->at_ms = used->at_ms;
}

static enum err load_one(void *arg, struct str key, struct str value)
{
    struct loading *l = arg;
    struct key_scope scope;
    struct str id;
    struct iam_used used = {0};
    struct entry read = {0};
    bool known;
    TRY(key_read(&iam_k_used, key, l->a, &scope, &id));
    TRY(record_unpack_copy(&used_type, l->a, value, &used));
    set_text(read.id, sizeof(read.id), id);
    TRY(is_known(l->u->iam, l->a, &read, &known));
    if (!known && l->n_gone < WRITE_MAX) {
        l->gone[l->n_gone] = str_dup(l->a, key);
        return str_is_set(l->gone[l->n_gone++]) ? ERR_OK : ERR_NOMEM;
    }
    struct entry *e = known ? entry_of(l->u, id) : NULL;
    if (e)
        set_entry(e, scope.account, &used);
    return ERR_OK;
}

enum err iam_uses_load(struct iam_uses *u, struct txn *txn)
{
    struct loading *l = ARENA_NEW(txn->arena, struct loading);
    if (!l)
        return ERR_NOMEM;
    l->u = u;
    l->a = txn->arena;
    TRY(txn_each(txn, key_range_table(txn->arena, &iam_k_used), load_one, l));
    for (size_t i = 0; i < l->n_gone; i++)
        TRY(txn_del(txn, l->gone[i]));
    return ERR_OK;
}

void iam_uses_start(struct iam_uses *u)
{
    io_timer_init(&u->timer, core_home_loop(u->iam->core), on_timer, u);
    core_observe(u->iam->core, &u->observer);
}

void iam_uses_drain(struct iam_uses *u, void (*done)(void *arg), void *arg)
{
    u->over = true;
    u->drained = done;
    u->drained_arg = arg;
    io_timer_stop(&u->timer);
    if (!u->writing)
        begin_writing(u);
}

void iam_uses_free(struct iam_uses *u)
{
    size_t it = 0;
    struct str id;
    void *value;
    if (!u)
        return;
    while (map_next(&u->by_id, &it, &id, &value))
        mem_free(value);
    map_release(&u->by_id);
    pthread_mutex_destroy(&u->lock);
    mem_free(u);
}

/* --- what is gone ----------------------------------------------------------------------------- */

struct forgetting {
    struct iam_uses *u;
    struct str id;
};

static void forgotten(void *arg)
{
    const struct forgetting *f = arg;
    pthread_mutex_lock(&f->u->lock);
    mem_free(map_del(&f->u->by_id, f->id));
    pthread_mutex_unlock(&f->u->lock);
}

enum err iam_uses_forget(struct iam_uses *u, struct txn *txn, struct str account, struct str id)
{
    struct forgetting *f = ARENA_NEW(txn->arena, struct forgetting);
    if (!f)
        return ERR_NOMEM;
    *f = (struct forgetting){u, str_dup(txn->arena, id)};
    if (!str_is_set(f->id))
        return ERR_NOMEM;
    TRY(txn_del(txn, used_key(txn->arena, account, id)));
    return txn_on_commit(txn, forgotten, f);
}

/* --- what is known ---------------------------------------------------------------------------- */

enum err iam_uses_of(struct iam_uses *u, struct arena *a, struct str id, struct iam_used *ret)
{
    struct entry copy = {0};
    pthread_mutex_lock(&u->lock);
    const struct entry *e = map_get(&u->by_id, id);
    if (e)
        copy = *e;
    pthread_mutex_unlock(&u->lock);
    *ret = (struct iam_used){copy.at_ms, str_dup(a, str_c(copy.service)),
                             str_dup(a, str_c(copy.region))};
    return str_is_set(ret->service) && str_is_set(ret->region) ? ERR_OK : ERR_NOMEM;
}

size_t iam_uses_count(struct iam_uses *u)
{
    pthread_mutex_lock(&u->lock);
    size_t n = u->by_id.n;
    pthread_mutex_unlock(&u->lock);
    return n;
}
