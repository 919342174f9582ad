/* Records of users, roles, groups, instance profiles and managed policies: their tables, keys and ARNs.
 *
 * Layer: svc. Thread: the transaction's. */
#include <assert.h>

#include "base/arn.h"
#include "base/record.h"
#include "base/rng.h"
#include "core/secret.h"
#include "svc/iam/iam_int.h"

enum { ID_RANDOM = 17 };

const char *const iam_kind_word[IAM_KINDS] = {"user", "role", "group", "instance-profile"};

/* --- tables ----------------------------------------------------------------------------------- */

static const struct record_field tag_fields[] = {
    REC_STR(struct tag, key),
    REC_STR(struct tag, value),
};
static const struct record_type tag_type = RECORD_TYPE(struct tag, 1, tag_fields);

static const struct record_field tags_fields[] = {REC_ARRAY(struct iam_tags, v, n, &tag_type)};
const struct record_type iam_tags_type = RECORD_TYPE(struct iam_tags, 1, tags_fields);

static const struct record_field inline_fields[] = {
    REC_STR(struct iam_inline, name),
    REC_STR(struct iam_inline, document),
};
static const struct record_type inline_type = RECORD_TYPE(struct iam_inline, 1, inline_fields);

static const struct record_field access_fields[] = {
    REC_STR(struct iam_access, id),
    REC_STR(struct iam_access, secret),
    REC_BOOL(struct iam_access, active),
    REC_INT(struct iam_access, created_ms),
};
static const struct record_type access_type = RECORD_TYPE(struct iam_access, 1, access_fields);

static const struct record_field entity_fields[] = {
    REC_STR(struct iam_entity, name),
    REC_STR(struct iam_entity, path),
    REC_STR(struct iam_entity, id),
    REC_INT(struct iam_entity, created_ms),
    REC_STR(struct iam_entity, description),
    REC_INT(struct iam_entity, max_session_s),
    REC_STR(struct iam_entity, trust),
    REC_STR(struct iam_entity, boundary),
    REC_STRUCT(struct iam_entity, tags, &iam_tags_type),
    REC_ARRAY(struct iam_entity, inlines, n_inlines, &inline_type),
    REC_ARRAY(struct iam_entity, attached, n_attached, &record_str),
    REC_ARRAY(struct iam_entity, keys, n_keys, &access_type),
    REC_SINCE(2, REC_ARRAY(struct iam_entity, groups, n_groups, &record_str)),
    REC_SINCE(2, REC_INT(struct iam_entity, members)),
    REC_SINCE(2, REC_STR(struct iam_entity, role)),
    REC_SINCE(2, REC_INT(struct iam_entity, login_ms)),
    REC_SINCE(2, REC_BOOL(struct iam_entity, login_reset)),
    REC_SINCE(3, REC_STR(struct iam_entity, login_hash)),
    REC_SINCE(3, REC_INT(struct iam_entity, login_set_ms)),
    REC_SINCE(3, REC_ARRAY(struct iam_entity, passwords_before, n_passwords_before, &record_str)),
};
static const struct record_type entity_type = RECORD_TYPE(struct iam_entity, 3, entity_fields);

static const struct record_field version_fields[] = {
    REC_INT(struct iam_version, number),
    REC_INT(struct iam_version, created_ms),
    REC_STR(struct iam_version, document),
};
static const struct record_type version_type = RECORD_TYPE(struct iam_version, 1, version_fields);

static const struct record_field managed_fields[] = {
    REC_STR(struct iam_managed, name),
    REC_STR(struct iam_managed, path),
    REC_STR(struct iam_managed, id),
    REC_STR(struct iam_managed, description),
    REC_INT(struct iam_managed, created_ms),
    REC_INT(struct iam_managed, updated_ms),
    REC_STRUCT(struct iam_managed, tags, &iam_tags_type),
    REC_INT(struct iam_managed, default_version),
    REC_INT(struct iam_managed, next_version),
    REC_INT(struct iam_managed, attachments),
    REC_INT(struct iam_managed, boundaries),
    REC_ARRAY(struct iam_managed, versions, n_versions, &version_type),
};
static const struct record_type managed_type = RECORD_TYPE(struct iam_managed, 1, managed_fields);

/* --- keys and ARNs ---------------------------------------------------------------------------- */

struct key_scope iam_scope(struct str account)
{
    return (struct key_scope){account, STR("")};
}

struct str iam_entity_key(struct str account, struct arena *a, enum iam_kind kind, struct str name)
{
    return key_make(a, &iam_k_entity, iam_scope(account), (uint8_t)kind, str_lower(a, name));
}

struct str iam_managed_key(struct str account, struct arena *a, struct str name)
{
    return key_make(a, &iam_k_managed, iam_scope(account), str_lower(a, name));
}

struct str iam_use_key(struct str account, struct arena *a, enum iam_use use, struct str policy_arn,
                       const struct iam_entity *e)
{
    assert(str_is_set(policy_arn) && e->kind < IAM_KINDS);
    return key_make(a, &iam_k_use[use], iam_scope(account), policy_arn, (uint8_t)e->kind,
                    str_lower(a, e->name));
}

struct str iam_member_key(struct str account, struct arena *a, struct str owner_id,
                          const struct iam_entity *member)
{
    assert(str_is_set(owner_id) && (member->kind == IAM_USER || member->kind == IAM_PROFILE));
    return key_make(a, &iam_k_member, iam_scope(account), owner_id, str_lower(a, member->name));
}

static struct str iam_arn(const struct iam *iam, struct arena *a, struct str account,
                          const char *type, struct str path, struct str name)
{
    const struct arn arn = {
        .partition = iam->core->cfg.partition, .service = STR("iam"), .account = account};
    return arn_make(a, &arn, "%s" STR_FMT STR_FMT, type, STR_ARG(path), STR_ARG(name));
}

struct str iam_entity_arn(const struct iam *iam, struct arena *a, const struct iam_entity *e)
{
    return iam_arn(iam, a, e->account, iam_kind_word[e->kind], e->path, e->name);
}

struct str iam_managed_arn(const struct iam *iam, struct arena *a, const struct iam_managed *m)
{
    return iam_arn(iam, a, m->account, "policy", m->path, m->name);
}

struct str iam_aws_arn(const struct iam *iam, struct arena *a, const struct iam_aws_policy *p)
{
    return iam_arn(iam, a, STR("aws"), "policy", str_c(p->path), str_c(p->name));
}

struct str iam_new_id(struct arena *a, const char *prefix)
{
    char random[ID_RANDOM + 1];
    rng_text(random, ID_RANDOM, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
    return str_fmt(a, "%s%s", prefix, random);
}

/* --- entities ------------------------------------------------------------------------------- */

enum err iam_entity_unpack(const struct iam *iam, struct str account, struct arena *a,
                           enum iam_kind kind, struct str record, struct iam_entity *e)
{
    TRY(record_unpack_copy(&entity_type, a, record, e));
    for (size_t i = 0; i < e->n_keys; i++)
        TRY(secret_open(iam->core, a, e->keys[i].id, e->keys[i].secret, &e->keys[i].secret));
    e->kind = kind;
    e->account = account;
    e->arn = iam_entity_arn(iam, a, e);
    return str_is_set(e->arn) ? ERR_OK : ERR_NOMEM;
}

enum err iam_entity_load(const struct iam *iam, struct str account, struct txn *txn,
                         enum iam_kind kind, struct str name, struct iam_entity **ret_e)
{
    struct iam_entity *e = ARENA_NEW(txn->arena, struct iam_entity);
    struct str record;
    if (!e)
        return ERR_NOMEM;
    TRY(txn_get(txn, iam_entity_key(account, txn->arena, kind, name), &record));
    TRY(iam_entity_unpack(iam, account, txn->arena, kind, record, e));
    if (!str_eq(e->name, name))
        return ERR_NOT_FOUND;
    *ret_e = e;
    return ERR_OK;
}

enum err iam_entity_store(struct iam *iam, struct txn *txn, const struct iam_entity *e)
{
    struct str record;
    assert(e->kind < IAM_KINDS && e->name.len > 0 && e->id.len > 0);
    assert(e->n_keys <= IAM_KEYS_MAX && e->n_attached <= IAM_ATTACHED_MAX);
    assert(e->n_inlines <= IAM_INLINE_MAX && (e->kind == IAM_USER || e->n_keys == 0));
    assert(e->n_groups <= IAM_GROUPS_MAX && e->members >= 0);
    struct iam_entity *stored = ARENA_NEW(txn->arena, struct iam_entity);
    if (!stored)
        return ERR_NOMEM;
    *stored = *e;
    for (size_t i = 0; i < e->n_keys; i++)
        TRY(secret_close(iam->core, txn->arena, e->keys[i].id, e->keys[i].secret,
                         &stored->keys[i].secret));
    TRY(record_make(&entity_type, txn->arena, stored, &record));
    return catalogue_put(iam->entities, txn,
                         iam_entity_key(e->account, txn->arena, e->kind, e->name), record);
}

enum err iam_entity_remove(struct iam *iam, struct txn *txn, const struct iam_entity *e)
{
    return catalogue_del(iam->entities, txn,
                         iam_entity_key(e->account, txn->arena, e->kind, e->name));
}

/* --- managed policies ------------------------------------------------------------------------- */

enum err iam_managed_unpack(const struct iam *iam, struct str account, struct arena *a,
                            struct str record, struct iam_managed *m)
{
    TRY(record_unpack_copy(&managed_type, a, record, m));
    if (!iam_managed_version(m, m->default_version))
        return ERR_CORRUPT;
    m->account = account;
    m->arn = iam_managed_arn(iam, a, m);
    return str_is_set(m->arn) ? ERR_OK : ERR_NOMEM;
}

enum err iam_managed_load(const struct iam *iam, struct str account, struct txn *txn,
                          struct str arn, struct iam_managed **ret_m)
{
    struct iam_managed *m = ARENA_NEW(txn->arena, struct iam_managed);
    struct str record;
    struct arn parts;
    if (!m)
        return ERR_NOMEM;
    if (arn_parse_as(arn, "iam", "policy", &parts) != ERR_OK)
        return ERR_NOT_FOUND;
    TRY(txn_get(txn, iam_managed_key(account, txn->arena, arn_last(&parts)), &record));
    TRY(iam_managed_unpack(iam, account, txn->arena, record, m));
    if (!str_eq(m->arn, arn)) /* another account's or path */
        return ERR_NOT_FOUND;
    *ret_m = m;
    return ERR_OK;
}

enum err iam_managed_store(struct iam *iam, struct txn *txn, const struct iam_managed *m)
{
    struct str record;
    assert(iam_managed_version(m, m->default_version));
    assert(m->attachments >= 0 && m->boundaries >= 0);
    assert(m->n_versions > 0 && m->n_versions <= IAM_VERSIONS_MAX && m->name.len > 0);
    TRY(record_make(&managed_type, txn->arena, m, &record));
    return catalogue_put(iam->managed, txn, iam_managed_key(m->account, txn->arena, m->name),
                         record);
}

enum err iam_managed_remove(struct iam *iam, struct txn *txn, const struct iam_managed *m)
{
    assert(m->attachments == 0 && m->boundaries == 0);
    return catalogue_del(iam->managed, txn, iam_managed_key(m->account, txn->arena, m->name));
}

const struct iam_version *iam_managed_version(const struct iam_managed *m, int64_t number)
{
    for (size_t i = 0; i < m->n_versions; i++)
        if (m->versions[i].number == number)
            return &m->versions[i];
    return NULL;
}
