/* Users, roles and policies as the authentication of every request needs them: parsed, in memory.
 *
 * Invariants
 *   M1  What the maps point to never changes; a change puts a new object in place. Readers hold a
 *       count, so a request goes on with the policies it began with.
 *   M2  After a commit the record is read again under the write lock: of several hooks, whichever
 *       runs last sees the last commit, so memory cannot stay behind the store.
 *   M3  When that reading fails, the identity is forgotten: refused, never allowed by an old
 * policy. M4  Every access key in `keys` belongs to a user in `entities`.
 *
 * Layer: svc. Thread: any. */
#include "base/log.h"
#include "base/mem.h"
#include "kv/key.h"
#include "svc/iam/iam_int.h"

enum { KNOWN_BYTES_MAX = 16 * 1024 * 1024, REREADS_MAX = 3 };

void iam_doc_unref(struct iam_doc *doc)
{
    if (!doc || atomic_fetch_sub(&doc->refs, 1) != 1)
        return;
    arena_release(&doc->arena);
    mem_free(doc);
}

void iam_known_unref(struct iam_known *known)
{
    if (!known || atomic_fetch_sub(&known->refs, 1) != 1)
        return;
    arena_release(&known->arena);
    mem_free(known);
}

static enum err doc_new(struct str json, struct iam_doc **ret_doc)
{
    struct iam_doc *doc = mem_calloc(1, sizeof(*doc));
    if (!doc)
        return ERR_NOMEM;
    atomic_init(&doc->refs, 1);
    arena_init(&doc->arena, KNOWN_BYTES_MAX);
    enum err e = policy_parse(&doc->arena, POLICY_IDENTITY, json, NULL, &doc->policy);
    if (e == ERR_OK)
        *ret_doc = doc;
    else
        iam_doc_unref(doc);
    return e;
}

/* Documents were checked when they were stored: one that does not parse now is damaged. */
static enum err parse_known(const struct iam *iam, struct iam_known *k, enum iam_kind kind,
                            struct str record)
{
    k->e = ARENA_NEW(&k->arena, struct iam_entity);
    if (!k->e)
        return ERR_NOMEM;
    TRY(iam_entity_unpack(iam, &k->arena, kind, record, k->e));
    k->arn = k->e->arn;
    k->inlines = ARENA_ARRAY(&k->arena, struct policy *, k->e->n_inlines + 1);
    if (!str_is_set(k->arn) || !k->inlines)
        return ERR_NOMEM;
    for (size_t i = 0; i < k->e->n_inlines; i++)
        TRY(policy_parse(&k->arena, POLICY_IDENTITY, k->e->inlines[i].document, NULL,
                         &k->inlines[i]));
    if (kind == IAM_ROLE)
        TRY(policy_parse(&k->arena, POLICY_TRUST, k->e->trust, NULL, &k->trust));
    return ERR_OK;
}

static enum err known_new(const struct iam *iam, enum iam_kind kind, struct str record,
                          struct iam_known **ret_known)
{
    struct iam_known *k = mem_calloc(1, sizeof(*k));
    if (!k)
        return ERR_NOMEM;
    atomic_init(&k->refs, 1);
    arena_init(&k->arena, KNOWN_BYTES_MAX);
    enum err e = parse_known(iam, k, kind, record);
    if (e == ERR_OK)
        *ret_known = k;
    else
        iam_known_unref(k);
    return e;
}

/* --- changing the maps, under the write lock -------------------------------------------------- */

static void forget_entity(struct iam *iam, enum iam_kind kind, struct str lower)
{
    struct iam_known *old = map_del(&iam->entities[kind], lower);
    for (size_t i = 0; old && i < old->e->n_keys; i++)
        (void)map_del(&iam->keys, old->e->keys[i].id);
    iam_known_unref(old);
}

/* Takes `known`'s count. */
static enum err learn_entity(struct iam *iam, enum iam_kind kind, struct str lower,
                             struct iam_known *known)
{
    forget_entity(iam, kind, lower);
    enum err e = map_put(&iam->entities[kind], lower, known, NULL);
    if (e != ERR_OK) {
        iam_known_unref(known);
        return e;
    }
    for (size_t i = 0; i < known->e->n_keys && e == ERR_OK; i++)
        e = map_put(&iam->keys, known->e->keys[i].id, known, NULL);
    if (e != ERR_OK)
        forget_entity(iam, kind, lower);
    return e;
}

static enum err learn_doc(struct iam *iam, struct str arn, struct str json)
{
    struct iam_doc *doc;
    void *old = NULL;
    TRY(doc_new(json, &doc));
    enum err e = map_put(&iam->managed, arn, doc, &old);
    iam_doc_unref(e == ERR_OK ? old : doc);
    return e;
}

/* --- commit hooks (M2) ------------------------------------------------------------------------ */

struct refresh {
    struct iam *iam;
    enum iam_kind kind;
    struct str key;   /* in the store */
    struct str lower; /* name of a user or role */
    struct str arn;   /* of a managed policy; absent otherwise */
};

static enum err reread(struct refresh *r, struct arena *a)
{
    struct kv_txn *txn;
    struct str record;
    TRY(kv_begin(r->iam->core->kv, &txn));
    enum err e = kv_peek(txn, r->key, a, &record);
    kv_rollback(txn);
    TRY(e);
    if (str_is_set(r->arn)) {
        struct iam_managed m;
        TRY(iam_managed_unpack(r->iam, a, record, &m));
        return learn_doc(r->iam, r->arn, iam_managed_version(&m, m.default_version)->document);
    }
    struct iam_known *known;
    TRY(known_new(r->iam, r->kind, record, &known));
    return learn_entity(r->iam, r->kind, r->lower, known);
}

static void refresh(void *arg)
{
    struct refresh *r = arg;
    struct arena a;
    arena_init(&a, KNOWN_BYTES_MAX);
    core_memory_changes(r->iam->core);
    pthread_rwlock_wrlock(&r->iam->lock);
    enum err e = reread(r, &a);
    for (int i = 1; i < REREADS_MAX && e != ERR_OK && e != ERR_NOT_FOUND; i++)
        e = reread(r, &a); /* a failure once is no reason to refuse from here on */
    if (e != ERR_OK && str_is_set(r->arn))
        iam_doc_unref(map_del(&r->iam->managed, r->arn));
    else if (e != ERR_OK)
        forget_entity(r->iam, r->kind, r->lower);
    pthread_rwlock_unlock(&r->iam->lock);
    arena_release(&a);
    if (e != ERR_OK && e != ERR_NOT_FOUND)
        log_error("iam",
                  "an identity is refused until it is changed or loaded again: %s name=" STR_FMT,
                  err_name(e), STR_ARG(str_is_set(r->arn) ? r->arn : r->lower));
}

enum err iam_refresh_entity(struct iam *iam, struct txn *txn, enum iam_kind kind, struct str name)
{
    struct refresh *r = ARENA_NEW(txn->arena, struct refresh);
    if (!r)
        return ERR_NOMEM;
    *r = (struct refresh){.iam = iam,
                          .kind = kind,
                          .key = iam_entity_key(iam, txn->arena, kind, name),
                          .lower = str_lower(txn->arena, name)};
    if (!str_is_set(r->key) || !str_is_set(r->lower))
        return ERR_NOMEM;
    return txn_on_commit(txn, refresh, r);
}

enum err iam_refresh_managed(struct iam *iam, struct txn *txn, struct str name, struct str arn)
{
    struct refresh *r = ARENA_NEW(txn->arena, struct refresh);
    if (!r)
        return ERR_NOMEM;
    *r = (struct refresh){.iam = iam, .key = iam_managed_key(iam, txn->arena, name), .arn = arn};
    if (!str_is_set(r->key))
        return ERR_NOMEM;
    return txn_on_commit(txn, refresh, r);
}

/* --- loading at start ------------------------------------------------------------------------- */

static enum err load_entities(struct iam *iam, struct txn *txn, enum iam_kind kind)
{
    struct key_range all = key_range(txn->arena, &iam_k_entity, iam_scope(iam), (uint8_t)kind);
    struct str from = all.from, to = all.to, key, record;
    struct kv_iter *it;
    if (!str_is_set(to))
        return ERR_NOMEM;
    TRY(kv_scan(txn->kv, from, to, false, &it));
    enum err e;
    while ((e = kv_next(it, &key, &record)) == ERR_OK) {
        struct iam_known *known;
        e = known_new(iam, kind, record, &known);
        if (e != ERR_OK)
            break;
        struct str lower = str_lower(&known->arena, known->e->name);
        e = str_is_set(lower) ? learn_entity(iam, kind, lower, known) : ERR_NOMEM;
        if (e != ERR_OK)
            break;
    }
    kv_iter_close(it);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err load_managed(struct iam *iam, struct txn *txn)
{
    struct key_range all = key_range(txn->arena, &iam_k_managed, iam_scope(iam));
    struct str from = all.from, to = all.to, key, record;
    struct kv_iter *it;
    if (!str_is_set(to))
        return ERR_NOMEM;
    TRY(kv_scan(txn->kv, from, to, false, &it));
    enum err e;
    while ((e = kv_next(it, &key, &record)) == ERR_OK) {
        struct arena a;
        struct iam_managed m;
        arena_init(&a, KNOWN_BYTES_MAX);
        e = iam_managed_unpack(iam, &a, record, &m);
        if (e == ERR_OK)
            e = learn_doc(iam, m.arn, iam_managed_version(&m, m.default_version)->document);
        arena_release(&a);
        if (e != ERR_OK)
            break;
    }
    kv_iter_close(it);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err iam_memory_load(struct iam *iam, struct txn *txn)
{
    pthread_rwlock_wrlock(&iam->lock);
    enum err e = ERR_OK;
    for (size_t i = 0; i < iam_n_aws_policies && e == ERR_OK; i++) {
        struct str arn = iam_aws_arn(iam, txn->arena, &iam_aws_policies[i]);
        e = str_is_set(arn) ? learn_doc(iam, arn, str_c(iam_aws_policies[i].document)) : ERR_NOMEM;
    }
    if (e == ERR_OK)
        e = load_managed(iam, txn);
    if (e == ERR_OK)
        e = load_entities(iam, txn, IAM_USER);
    if (e == ERR_OK)
        e = load_entities(iam, txn, IAM_ROLE);
    pthread_rwlock_unlock(&iam->lock);
    return e;
}

enum err iam_memory_init(struct iam *iam)
{
    map_init(&iam->entities[IAM_USER]);
    map_init(&iam->entities[IAM_ROLE]);
    map_init(&iam->keys);
    map_init(&iam->managed);
    return pthread_rwlock_init(&iam->lock, NULL) == 0 ? ERR_OK : ERR_NOMEM;
}

void iam_memory_release(struct iam *iam)
{
    struct str key;
    void *value;
    for (int kind = IAM_USER; kind <= IAM_ROLE; kind++) {
        size_t it = 0;
        while (map_next(&iam->entities[kind], &it, &key, &value))
            iam_known_unref(value);
        map_release(&iam->entities[kind]);
    }
    size_t it = 0;
    while (map_next(&iam->managed, &it, &key, &value))
        iam_doc_unref(value);
    map_release(&iam->managed);
    map_release(&iam->keys);
    pthread_rwlock_destroy(&iam->lock);
}

/* --- lookups ---------------------------------------------------------------------------------- */

static struct iam_known *find(struct iam *iam, const struct map *map, struct str key)
{
    pthread_rwlock_rdlock(&iam->lock);
    struct iam_known *k = map_get(map, key);
    if (k)
        atomic_fetch_add(&k->refs, 1);
    pthread_rwlock_unlock(&iam->lock);
    return k;
}

struct iam_known *iam_find(struct iam *iam, enum iam_kind kind, struct str name)
{
    enum { NAME_MAX_BYTES = 128 };
    char lower[NAME_MAX_BYTES];
    if (name.len == 0 || name.len > sizeof(lower))
        return NULL;
    for (size_t i = 0; i < name.len; i++)
        lower[i] = name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] + 32) : name.p[i];
    struct iam_known *k = find(iam, &iam->entities[kind], str_n(lower, name.len));
    if (k && !str_eq(k->e->name, name)) {
        iam_known_unref(k);
        return NULL;
    }
    return k;
}

struct iam_known *iam_find_key(struct iam *iam, struct str access_key)
{
    return find(iam, &iam->keys, access_key);
}

struct iam_known *iam_find_role_arn(struct iam *iam, struct str role_arn)
{
    size_t slash = role_arn.len ? str_rfind(role_arn, '/') : SIZE_MAX;
    if (slash == SIZE_MAX)
        return NULL;
    struct iam_known *k = iam_find(iam, IAM_ROLE, str_sub(role_arn, slash + 1, role_arn.len));
    if (k && !str_eq(k->arn, role_arn)) {
        iam_known_unref(k);
        return NULL;
    }
    return k;
}

struct iam_doc *iam_find_doc(struct iam *iam, struct str policy_arn)
{
    pthread_rwlock_rdlock(&iam->lock);
    struct iam_doc *doc = map_get(&iam->managed, policy_arn);
    if (doc)
        atomic_fetch_add(&doc->refs, 1);
    pthread_rwlock_unlock(&iam->lock);
    return doc;
}
