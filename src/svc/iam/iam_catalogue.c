/* Users, roles and policies as the authentication of every request needs them: parsed, in memory,
 * by access key, id and ARN. Core's catalogue keeps those that are stored up with the store; those
 * that AWS made are parsed once, when they are first asked for.
 *
 * Invariants
 *   IM1  An identity or policy that could not be read after a change is not found: refused, never
 *        judged by an old policy (CATALOGUE_FORGET).
 *   IM2  What a lookup gives is held by the arena: a call goes on with the policies it began with.
 *   IM3  Lookups have no transaction, so every reply waits for a change (everyone_waits).
 *
 * Layer: svc. Thread: any. */
#include <assert.h>

#include "svc/iam/iam_int.h"

enum {
    KNOWN_BYTES_MAX = 16 * 1024 * 1024, /* of one object in memory */
    AWS_BYTES_MAX = 16 * 1024 * 1024,   /* all policies AWS made */
    MANAGED_BY_ARN = 0,
};

/* Documents were checked when they were stored: one that does not parse now is damaged. */
static enum err parse(struct arena *a, enum policy_kind kind, struct str document,
                      struct policy **ret_policy)
{
    enum err err = policy_parse(a, kind, document, NULL, ret_policy);
    return err == ERR_OK || err == ERR_NOMEM ? err : ERR_CORRUPT;
}

static enum err decode_entity(void *self, struct catalogue_object *object, struct str record)
{
    struct iam_entity *e = CONTAINER_OF(object, struct iam_entity, object);
    struct arena *a = &object->arena;
    struct key_scope scope;
    uint8_t kind;
    TRY(key_read(&iam_k_entity, object->key, a, &scope, &kind, KEY_SKIP));
    if (kind >= IAM_KINDS)
        return ERR_CORRUPT;
    TRY(iam_entity_unpack(self, scope.account, a, kind, record, e));
    e->inline_policies = ARENA_ARRAY(a, struct policy *, e->n_inlines);
    if (!e->inline_policies)
        return ERR_NOMEM;
    for (size_t i = 0; i < e->n_inlines; i++)
        TRY(parse(a, POLICY_IDENTITY, e->inlines[i].document, &e->inline_policies[i]));
    if (kind == IAM_ROLE)
        TRY(parse(a, POLICY_TRUST, e->trust, &e->trust_policy));
    for (size_t i = 0; i < e->n_keys; i++)
        TRY(catalogue_index(object, IAM_BY_ACCESS_KEY, e->keys[i].id));
    TRY(catalogue_index(object, IAM_BY_ID, e->id));
    return catalogue_index(object, IAM_BY_ARN, e->arn);
}

static enum err decode_managed(void *self, struct catalogue_object *object, struct str record)
{
    struct iam_managed *m = CONTAINER_OF(object, struct iam_managed, object);
    struct key_scope scope;
    TRY(key_read(&iam_k_managed, object->key, &object->arena, &scope, KEY_SKIP));
    TRY(iam_managed_unpack(self, scope.account, &object->arena, record, m));
    TRY(parse(&object->arena, POLICY_IDENTITY, iam_managed_version(m, m->default_version)->document,
              &m->policy));
    return catalogue_index(object, MANAGED_BY_ARN, m->arn);
}

static const struct catalogue_type entity_type = {
    .name = "iam: user or role",
    .size = sizeof(struct iam_entity),
    .arena_max = KNOWN_BYTES_MAX,
    .n_indexes = IAM_INDEXES,
    .when = CATALOGUE_COMMITTED,
    .lack = CATALOGUE_FORGET,
    .everyone_waits = true,
    .decode = decode_entity,
};

static const struct catalogue_type managed_type = {
    .name = "iam: policy",
    .size = sizeof(struct iam_managed),
    .arena_max = KNOWN_BYTES_MAX,
    .n_indexes = 1,
    .when = CATALOGUE_COMMITTED,
    .lack = CATALOGUE_FORGET,
    .everyone_waits = true,
    .decode = decode_managed,
};

/* --- life ------------------------------------------------------------------------------------- */

static enum err learn_aws(struct iam *iam)
{
    iam->aws = ARENA_ARRAY(&iam->arena, struct iam_aws_known, iam_n_aws_policies);
    if (!iam->aws)
        return ERR_NOMEM;
    for (size_t i = 0; i < iam_n_aws_policies; i++) {
        struct iam_aws_known *k = &iam->aws[i];
        k->arn = iam_aws_arn(iam, &iam->arena, &iam_aws_policies[i]);
        if (!str_is_set(k->arn))
            return ERR_NOMEM;
        TRY(map_put(&iam->aws_by_arn, k->arn, k, NULL));
    }
    return ERR_OK;
}

/* Parsed when it is first asked for: most of them nobody ever does, and a start has no time for all. */
static enum err aws_policy(struct iam *iam, struct iam_aws_known *k, const struct policy **ret)
{
    struct policy *policy = atomic_load(&k->policy);
    enum err err = ERR_OK;
    if (!policy) {
        pthread_mutex_lock(&iam->aws_lock);
        policy = atomic_load(&k->policy);
        if (!policy) {
            const char *document = iam_aws_policies[k - iam->aws].document;
            err = parse(&iam->arena, POLICY_IDENTITY, str_c(document), &policy);
            if (!err)
                atomic_store(&k->policy, policy);
        }
        pthread_mutex_unlock(&iam->aws_lock);
    }
    *ret = policy;
    return err;
}

enum err iam_catalogue_init(struct iam *iam)
{
    pthread_mutex_init(&iam->aws_lock, NULL);
    arena_init(&iam->arena, AWS_BYTES_MAX);
    map_init(&iam->aws_by_arn);
    TRY(catalogue_new(iam->core, &entity_type, iam, &iam->entities));
    TRY(catalogue_new(iam->core, &managed_type, iam, &iam->managed));
    return learn_aws(iam);
}

enum err iam_catalogue_load(struct iam *iam, struct txn *txn)
{
    TRY(catalogue_load(iam->managed, txn, key_range_table(txn->arena, &iam_k_managed).from));
    return catalogue_load(iam->entities, txn, key_range_table(txn->arena, &iam_k_entity).from);
}

void iam_catalogue_release(struct iam *iam)
{
    catalogue_free(iam->entities);
    catalogue_free(iam->managed);
    map_release(&iam->aws_by_arn);
    arena_release(&iam->arena);
    pthread_mutex_destroy(&iam->aws_lock);
}

/* --- lookups ---------------------------------------------------------------------------------- */

enum err iam_known(struct iam *iam, struct arena *a, enum iam_index by, struct str key,
                   const struct iam_entity **ret_e)
{
    void *e;
    TRY(catalogue_take_by(iam->entities, NULL, by, key, &e));
    TRY(catalogue_hold(a, e));
    *ret_e = e;
    return ERR_OK;
}

enum err iam_known_role(struct iam *iam, struct arena *a, struct str arn,
                        const struct iam_entity **ret_role)
{
    const struct iam_entity *e;
    TRY(iam_known(iam, a, IAM_BY_ARN, arn, &e));
    if (e->kind != IAM_ROLE)
        return ERR_NOT_FOUND;
    assert(e->trust_policy);
    *ret_role = e;
    return ERR_OK;
}

enum err iam_known_named(struct iam *iam, struct str account, struct arena *a, enum iam_kind kind,
                         struct str name, const struct iam_entity **ret_e)
{
    void *object;
    TRY(catalogue_take(iam->entities, NULL, iam_entity_key(account, a, kind, name), &object));
    TRY(catalogue_hold(a, object));
    const struct iam_entity *e = object;
    if (!str_eq(e->name, name)) /* in case */
        return ERR_NOT_FOUND;
    *ret_e = e;
    return ERR_OK;
}

enum err iam_known_policy(struct iam *iam, struct arena *a, struct str arn,
                          const struct policy **ret_policy)
{
    struct iam_aws_known *aws = map_get(&iam->aws_by_arn, arn);
    void *object;
    if (aws)
        return aws_policy(iam, aws, ret_policy);
    TRY(catalogue_take_by(iam->managed, NULL, MANAGED_BY_ARN, arn, &object));
    TRY(catalogue_hold(a, object));
    *ret_policy = ((const struct iam_managed *)object)->policy;
    assert(*ret_policy); /* parsed when it was taken in: IM1 */
    return ERR_OK;
}

enum err iam_known_tags(struct iam *iam, struct arena *a, struct str arn, struct tag_list *ret_tags)
{
    const struct iam_entity *e;
    void *object;
    enum err err = iam_known(iam, a, IAM_BY_ARN, arn, &e);
    if (err == ERR_OK)
        *ret_tags = TAGS_FROM(e->tags);
    if (err != ERR_NOT_FOUND)
        return err;
    TRY(catalogue_take_by(iam->managed, NULL, MANAGED_BY_ARN, arn, &object));
    TRY(catalogue_hold(a, object));
    *ret_tags = TAGS_FROM(((const struct iam_managed *)object)->tags);
    return ERR_OK;
}

const struct iam_aws_policy *iam_aws_find(const struct iam *iam, struct str arn)
{
    const struct iam_aws_known *aws = map_get(&iam->aws_by_arn, arn);
    assert(!aws || (aws >= iam->aws && aws < iam->aws + iam_n_aws_policies));
    return aws ? &iam_aws_policies[aws - iam->aws] : NULL;
}
