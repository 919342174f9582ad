/* Records of users, roles and managed policies.
 *
 * Layer: svc. Thread: the transaction's. */
#include <stdio.h>

#include "base/pack.h"
#include "base/rng.h"
#include "svc/iam/iam_int.h"

enum { RECORD_VERSION = 1, RECORD_MAX = 1024 * 1024, ID_RANDOM = 17 };

/* --- fields ----------------------------------------------------------------------------------- */

static void pack_tags(struct buf *b, const struct iam_tag *tags, size_t n)
{
    pack_uint(b, n);
    for (size_t i = 0; i < n; i++) {
        pack_str(b, tags[i].key);
        pack_str(b, tags[i].value);
    }
}

/* A count beyond its array is a damaged record. */
static size_t unpack_count(struct unpack *u, size_t max)
{
    uint64_t n = unpack_uint(u);
    if (n > max) {
        u->bad = true;
        return 0;
    }
    return (size_t)n;
}

static size_t unpack_tags(struct unpack *u, struct iam_tag *tags)
{
    size_t n = unpack_count(u, IAM_TAGS_MAX);
    for (size_t i = 0; i < n; i++) {
        tags[i].key = unpack_str(u);
        tags[i].value = unpack_str(u);
    }
    return n;
}

/* --- users and roles -------------------------------------------------------------------------- */

static void encode_entity(struct buf *b, const struct iam_entity *e)
{
    pack_u8(b, RECORD_VERSION);
    pack_str(b, e->name);
    pack_str(b, e->path);
    pack_str(b, e->id);
    pack_int(b, e->created_ms);
    pack_str(b, e->description);
    pack_int(b, e->max_session_s);
    pack_str(b, e->trust);
    pack_str(b, e->boundary);
    pack_tags(b, e->tags, e->n_tags);
    pack_uint(b, e->n_inlines);
    for (size_t i = 0; i < e->n_inlines; i++) {
        pack_str(b, e->inlines[i].name);
        pack_str(b, e->inlines[i].document);
    }
    pack_uint(b, e->n_attached);
    for (size_t i = 0; i < e->n_attached; i++)
        pack_str(b, e->attached[i]);
    pack_uint(b, e->n_keys);
    for (size_t i = 0; i < e->n_keys; i++) {
        pack_str(b, e->keys[i].id);
        pack_str(b, e->keys[i].secret);
        pack_u8(b, e->keys[i].active);
        pack_int(b, e->keys[i].created_ms);
    }
}

enum err iam_entity_decode(struct arena *a, enum iam_kind kind, struct str record,
                           struct iam_entity **ret_e)
{
    struct iam_entity *e = ARENA_NEW(a, struct iam_entity);
    struct str copy = str_dup(a, record);
    struct unpack u;
    if (!e || !str_is_set(copy))
        return ERR_NOMEM;
    unpack_init(&u, copy);
    if (unpack_u8(&u) != RECORD_VERSION)
        return ERR_CORRUPT;
    e->kind = kind;
    e->name = unpack_str(&u);
    e->path = unpack_str(&u);
    e->id = unpack_str(&u);
    e->created_ms = unpack_int(&u);
    e->description = unpack_str(&u);
    e->max_session_s = unpack_int(&u);
    e->trust = unpack_str(&u);
    e->boundary = unpack_str(&u);
    e->n_tags = unpack_tags(&u, e->tags);
    e->n_inlines = unpack_count(&u, IAM_INLINE_MAX);
    for (size_t i = 0; i < e->n_inlines; i++) {
        e->inlines[i].name = unpack_str(&u);
        e->inlines[i].document = unpack_str(&u);
    }
    e->n_attached = unpack_count(&u, IAM_ATTACHED_MAX);
    for (size_t i = 0; i < e->n_attached; i++)
        e->attached[i] = unpack_str(&u);
    e->n_keys = unpack_count(&u, IAM_KEYS_MAX);
    for (size_t i = 0; i < e->n_keys; i++) {
        e->keys[i].id = unpack_str(&u);
        e->keys[i].secret = unpack_str(&u);
        e->keys[i].active = unpack_u8(&u) != 0;
        e->keys[i].created_ms = unpack_int(&u);
    }
    TRY(unpack_end(&u));
    *ret_e = e;
    return ERR_OK;
}

enum err iam_entity_load(struct txn *txn, enum iam_kind kind, struct str name,
                         struct iam_entity **ret_e)
{
    struct str key = iam_key_entity(txn->arena, kind, name), record;
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(txn_get(txn, key, &record));
    struct iam_entity *e;
    TRY(iam_entity_decode(txn->arena, kind, record, &e));
    if (!str_eq(e->name, name))
        return ERR_NOT_FOUND;
    *ret_e = e;
    return ERR_OK;
}

enum err iam_entity_store(struct iam *iam, struct txn *txn, const struct iam_entity *e)
{
    struct str key = iam_key_entity(txn->arena, e->kind, e->name);
    struct buf b;
    buf_init_arena(&b, txn->arena, RECORD_MAX);
    encode_entity(&b, e);
    TRY(buf_err(&b));
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(txn_put(txn, key, buf_str(&b)));
    return iam_refresh_entity(iam, txn, e->kind, e->name);
}

enum err iam_entity_remove(struct iam *iam, struct txn *txn, const struct iam_entity *e)
{
    struct str key = iam_key_entity(txn->arena, e->kind, e->name);
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(txn_del(txn, key));
    return iam_refresh_entity(iam, txn, e->kind, e->name);
}

struct str iam_entity_arn(const struct iam *iam, struct arena *a, const struct iam_entity *e)
{
    return str_fmt(a, "arn:" STR_FMT ":iam::" STR_FMT ":%s" STR_FMT STR_FMT,
                   STR_ARG(iam->core->cfg.partition), STR_ARG(iam->core->cfg.account),
                   e->kind == IAM_USER ? "user" : "role", STR_ARG(e->path), STR_ARG(e->name));
}

/* --- managed policies ------------------------------------------------------------------------- */

static void encode_managed(struct buf *b, const struct iam_managed *m)
{
    pack_u8(b, RECORD_VERSION);
    pack_str(b, m->name);
    pack_str(b, m->path);
    pack_str(b, m->id);
    pack_str(b, m->description);
    pack_int(b, m->created_ms);
    pack_int(b, m->updated_ms);
    pack_tags(b, m->tags, m->n_tags);
    pack_int(b, m->default_version);
    pack_int(b, m->next_version);
    pack_int(b, m->attachments);
    pack_int(b, m->boundaries);
    pack_uint(b, m->n_versions);
    for (size_t i = 0; i < m->n_versions; i++) {
        pack_int(b, m->versions[i].number);
        pack_int(b, m->versions[i].created_ms);
        pack_str(b, m->versions[i].document);
    }
}

enum err iam_managed_decode(struct arena *a, struct str record, struct iam_managed **ret_m)
{
    struct iam_managed *m = ARENA_NEW(a, struct iam_managed);
    struct str copy = str_dup(a, record);
    struct unpack u;
    if (!m || !str_is_set(copy))
        return ERR_NOMEM;
    unpack_init(&u, copy);
    if (unpack_u8(&u) != RECORD_VERSION)
        return ERR_CORRUPT;
    m->name = unpack_str(&u);
    m->path = unpack_str(&u);
    m->id = unpack_str(&u);
    m->description = unpack_str(&u);
    m->created_ms = unpack_int(&u);
    m->updated_ms = unpack_int(&u);
    m->n_tags = unpack_tags(&u, m->tags);
    m->default_version = unpack_int(&u);
    m->next_version = unpack_int(&u);
    m->attachments = unpack_int(&u);
    m->boundaries = unpack_int(&u);
    m->n_versions = unpack_count(&u, IAM_VERSIONS_MAX);
    for (size_t i = 0; i < m->n_versions; i++) {
        m->versions[i].number = unpack_int(&u);
        m->versions[i].created_ms = unpack_int(&u);
        m->versions[i].document = unpack_str(&u);
    }
    TRY(unpack_end(&u));
    if (!iam_managed_version(m, m->default_version))
        return ERR_CORRUPT;
    *ret_m = m;
    return ERR_OK;
}

enum err iam_managed_load(struct txn *txn, struct str name, struct iam_managed **ret_m)
{
    struct str key = iam_key_managed(txn->arena, name), record;
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(txn_get(txn, key, &record));
    return iam_managed_decode(txn->arena, record, ret_m);
}

enum err iam_managed_store(struct iam *iam, struct txn *txn, const struct iam_managed *m)
{
    struct str key = iam_key_managed(txn->arena, m->name),
               arn = iam_managed_arn(iam, txn->arena, m);
    struct buf b;
    buf_init_arena(&b, txn->arena, RECORD_MAX);
    encode_managed(&b, m);
    TRY(buf_err(&b));
    if (!str_is_set(key) || !str_is_set(arn))
        return ERR_NOMEM;
    TRY(txn_put(txn, key, buf_str(&b)));
    return iam_refresh_managed(iam, txn, m->name, arn);
}

enum err iam_managed_remove(struct iam *iam, struct txn *txn, const struct iam_managed *m)
{
    struct str key = iam_key_managed(txn->arena, m->name),
               arn = iam_managed_arn(iam, txn->arena, m);
    if (!str_is_set(key) || !str_is_set(arn))
        return ERR_NOMEM;
    TRY(txn_del(txn, key));
    return iam_refresh_managed(iam, txn, m->name, arn);
}

const struct iam_version *iam_managed_version(const struct iam_managed *m, int64_t number)
{
    for (size_t i = 0; i < m->n_versions; i++)
        if (m->versions[i].number == number)
            return &m->versions[i];
    return NULL;
}

struct str iam_managed_arn(const struct iam *iam, struct arena *a, const struct iam_managed *m)
{
    return str_fmt(a, "arn:" STR_FMT ":iam::" STR_FMT ":policy" STR_FMT STR_FMT,
                   STR_ARG(iam->core->cfg.partition), STR_ARG(iam->core->cfg.account),
                   STR_ARG(m->path), STR_ARG(m->name));
}

struct str iam_arn_policy_name(const struct iam *iam, struct str arn)
{
    char prefix[64];
    int n = snprintf(prefix, sizeof(prefix), "arn:" STR_FMT ":iam::" STR_FMT ":policy/",
                     STR_ARG(iam->core->cfg.partition), STR_ARG(iam->core->cfg.account));
    if (n < 0 || (size_t)n >= sizeof(prefix) || !str_starts(arn, str_n(prefix, (size_t)n)))
        return STR_NONE;
    return str_sub(arn, str_rfind(arn, '/') + 1, arn.len);
}

/* --- AWS's policies --------------------------------------------------------------------------- */

struct str iam_aws_arn(const struct iam *iam, struct arena *a, const struct iam_aws_policy *p)
{
    return str_fmt(a, "arn:" STR_FMT ":iam::aws:policy%s%s", STR_ARG(iam->core->cfg.partition),
                   p->path, p->name);
}

const struct iam_aws_policy *iam_aws_find(const struct iam *iam, struct str arn)
{
    for (size_t i = 0; i < iam_n_aws_policies; i++) {
        char text[256];
        const struct iam_aws_policy *p = &iam_aws_policies[i];
        int n = snprintf(text, sizeof(text), "arn:" STR_FMT ":iam::aws:policy%s%s",
                         STR_ARG(iam->core->cfg.partition), p->path, p->name);
        if (n > 0 && (size_t)n < sizeof(text) && str_eq(arn, str_n(text, (size_t)n)))
            return p;
    }
    return NULL;
}

struct str iam_new_id(struct arena *a, const char *prefix)
{
    char random[ID_RANDOM + 1];
    rng_text(random, ID_RANDOM, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
    return str_fmt(a, "%s%s", prefix, random);
}
