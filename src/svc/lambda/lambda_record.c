/* Stored records of the Lambda service.
 *
 * Function record, version 1, in base/pack.h's encoding and in this order: generation, id, account,
 * region, name, revision, runtime, role, handler, description, timeout, memory, ephemeral, code id,
 * code sha256, code size, architecture, modified, has_env, env pairs, tag pairs, dlq, log group,
 * reserved, async (set, retries, age, success, failure, modified).
 * Policy record: version 1, revision, count, then (sid, json) each.
 * Mapping record: version 1, then the members of struct lambda_mapping in order.
 *
 * Layer: svc. Thread: the transaction's. */
#include "base/mem.h"
#include "base/pack.h"
#include "base/rng.h"
#include "svc/lambda/lambda_int.h"

enum { VERSION = 1, PAIRS_MAX = 4096 };

/* --- functions -------------------------------------------------------------------------------- */

static void pack_pairs(struct buf *b, const struct lambda_pair *v, size_t n)
{
    pack_uint(b, n);
    for (size_t i = 0; i < n; i++) {
        pack_str(b, v[i].key);
        pack_str(b, v[i].value);
    }
}

enum err lambda_fn_pack(const struct lambda_fn *r, struct buf *b)
{
    pack_u8(b, VERSION);
    pack_uint(b, r->generation);
    const struct str texts[] = {r->id,      r->account, r->region,  r->name,       r->revision,
                                r->runtime, r->role,    r->handler, r->description};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        pack_str(b, texts[i]);
    pack_int(b, r->timeout_s);
    pack_int(b, r->memory_mb);
    pack_int(b, r->ephemeral_mb);
    pack_str(b, r->code_id);
    pack_str(b, r->code_sha256);
    pack_int(b, r->code_size);
    pack_str(b, r->architecture);
    pack_int(b, r->modified_ms);
    pack_u8(b, r->has_env);
    pack_pairs(b, r->env, r->n_env);
    pack_str(b, r->dlq_arn);
    pack_str(b, r->log_group);
    pack_int(b, r->reserved);
    pack_u8(b, r->async.set);
    pack_int(b, r->async.retries);
    pack_int(b, r->async.age_max_s);
    pack_str(b, r->async.on_success);
    pack_str(b, r->async.on_failure);
    pack_int(b, r->async.modified_ms);
    return buf_err(b);
}

static struct lambda_pair *unpack_pairs(struct arena *a, struct unpack *u, size_t *ret_n)
{
    uint64_t n = unpack_uint(u);
    if (n > PAIRS_MAX) {
        u->bad = true;
        n = 0;
    }
    struct lambda_pair *v = ARENA_ARRAY(a, struct lambda_pair, n ? n : 1);
    for (uint64_t i = 0; v && i < n; i++) {
        v[i].key = unpack_str(u);
        v[i].value = unpack_str(u);
    }
    *ret_n = v ? n : 0;
    return v;
}

enum err lambda_fn_unpack(struct arena *a, struct str bytes, struct lambda_fn *ret_rec)
{
    struct unpack u;
    struct lambda_fn r = {0};
    struct str copy = str_dup(a, bytes);

    if (!str_is_set(copy))
        return ERR_NOMEM;
    unpack_init(&u, copy);
    if (unpack_u8(&u) != VERSION)
        return ERR_CORRUPT;
    r.generation = unpack_uint(&u);
    struct str *texts[] = {&r.id,      &r.account, &r.region,  &r.name,       &r.revision,
                           &r.runtime, &r.role,    &r.handler, &r.description};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i] = unpack_str(&u);
    r.timeout_s = unpack_int(&u);
    r.memory_mb = unpack_int(&u);
    r.ephemeral_mb = unpack_int(&u);
    r.code_id = unpack_str(&u);
    r.code_sha256 = unpack_str(&u);
    r.code_size = unpack_int(&u);
    r.architecture = unpack_str(&u);
    r.modified_ms = unpack_int(&u);
    r.has_env = unpack_u8(&u) != 0;
    r.env = unpack_pairs(a, &u, &r.n_env);
    if (!r.env)
        return ERR_NOMEM;
    r.dlq_arn = unpack_str(&u);
    r.log_group = unpack_str(&u);
    r.reserved = unpack_int(&u);
    r.async.set = unpack_u8(&u) != 0;
    r.async.retries = (int)unpack_int(&u);
    r.async.age_max_s = unpack_int(&u);
    r.async.on_success = unpack_str(&u);
    r.async.on_failure = unpack_str(&u);
    r.async.modified_ms = unpack_int(&u);
    TRY(unpack_end(&u));
    *ret_rec = r;
    return ERR_OK;
}

struct lambda_name lambda_fn_name(const struct lambda_fn *rec)
{
    return (struct lambda_name){rec->account, rec->region, rec->name, STR_NONE};
}

enum err lambda_fn_get(struct txn *txn, const struct lambda_name *name, struct lambda_fn *ret_rec)
{
    struct str bytes;
    struct str key =
        lambda_key(txn->arena, LAMBDA_T_FUNCTION, name->account, name->region, name->name);
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(txn_get(txn, key, &bytes));
    return lambda_fn_unpack(txn->arena, bytes, ret_rec);
}

enum err lambda_fn_of_call(struct call *call, const struct lambda_name *name,
                           struct lambda_fn *ret_rec)
{
    enum err err = lambda_fn_get(call->txn, name, ret_rec);
    return err == ERR_NOT_FOUND ? lambda_not_found(call, name) : err;
}

enum err lambda_fn_touch(struct txn *txn, struct lambda_fn *rec)
{
    char id[RNG_UUID_LEN + 1];
    rec->revision = str_dup(txn->arena, rng_uuid(id));
    rec->modified_ms = txn->now_ms;
    return str_is_set(rec->revision) ? ERR_OK : ERR_NOMEM;
}

static uint64_t next_generation(const struct txn *txn, uint64_t generation)
{
    uint64_t now = (uint64_t)txn->now_ms;
    return generation + 1 > now ? generation + 1 : now;
}

enum err lambda_fn_put(struct txn *txn, struct lambda *l, struct lambda_fn *rec)
{
    struct buf b;
    struct str key =
        lambda_key(txn->arena, LAMBDA_T_FUNCTION, rec->account, rec->region, rec->name);

    if (!str_is_set(key))
        return ERR_NOMEM;
    rec->generation = next_generation(txn, rec->generation);
    buf_init_arena(&b, txn->arena, LAMBDA_RECORD_MAX);
    TRY(lambda_fn_pack(rec, &b));
    return catalogue_put(l->confs, txn, key, buf_str(&b));
}

enum err lambda_fn_del(struct txn *txn, struct lambda *l, const struct lambda_fn *rec)
{
    struct str key =
        lambda_key(txn->arena, LAMBDA_T_FUNCTION, rec->account, rec->region, rec->name);
    struct str policy =
        lambda_key(txn->arena, LAMBDA_T_POLICY, rec->account, rec->region, rec->name);

    struct lambda_name name = lambda_fn_name(rec);
    struct str arn = lambda_arn(txn->arena, l->core->cfg.partition, &name, STR_NONE);

    if (!str_is_set(key) || !str_is_set(policy) || !str_is_set(arn))
        return ERR_NOMEM;
    TRY(txn_del(txn, policy));
    TRY(tags_drop(txn, arn));
    return catalogue_del(l->confs, txn, key);
}

/* --- policies --------------------------------------------------------------------------------- */

enum err lambda_policy_get(struct txn *txn, const struct lambda_name *name,
                           struct lambda_policy *ret_policy)
{
    struct str bytes;
    struct unpack u;
    struct lambda_policy policy = {0};
    struct str key =
        lambda_key(txn->arena, LAMBDA_T_POLICY, name->account, name->region, name->name);

    if (!str_is_set(key))
        return ERR_NOMEM;
    enum err err = txn_get(txn, key, &bytes);
    if (err == ERR_NOT_FOUND) {
        *ret_policy = policy;
        return ERR_OK;
    }
    TRY(err);
    unpack_init(&u, bytes);
    if (unpack_u8(&u) != VERSION)
        return ERR_CORRUPT;
    policy.revision = unpack_str(&u);
    policy.document = unpack_str(&u);
    TRY(unpack_end(&u));
    *ret_policy = policy;
    return ERR_OK;
}

enum err lambda_policy_put(struct txn *txn, const struct lambda_name *name,
                           const struct lambda_policy *policy)
{
    struct buf b;
    char id[RNG_UUID_LEN + 1];
    struct str key =
        lambda_key(txn->arena, LAMBDA_T_POLICY, name->account, name->region, name->name);

    if (!str_is_set(key))
        return ERR_NOMEM;
    if (!str_is_set(policy->document))
        return txn_del(txn, key);
    buf_init_arena(&b, txn->arena, LAMBDA_RECORD_MAX);
    pack_u8(&b, VERSION);
    pack_str(&b, rng_uuid(id));
    pack_str(&b, policy->document);
    TRY(buf_err(&b));
    return txn_put(txn, key, buf_str(&b));
}

/* --- mappings --------------------------------------------------------------------------------- */

enum err lambda_mapping_pack(const struct lambda_mapping *r, struct buf *b)
{
    pack_u8(b, VERSION);
    pack_uint(b, r->generation);
    pack_str(b, r->account);
    pack_str(b, r->region);
    pack_str(b, r->uuid);
    pack_str(b, r->function);
    pack_str(b, r->function_arn);
    pack_str(b, r->source_arn);
    pack_int(b, r->batch_size);
    pack_int(b, r->window_s);
    pack_u8(b, r->enabled);
    pack_u8(b, r->partial);
    pack_int(b, r->concurrency_max);
    pack_int(b, r->modified_ms);
    return buf_err(b);
}

enum err lambda_mapping_unpack(struct arena *a, struct str bytes, struct lambda_mapping *ret_rec)
{
    struct unpack u;
    struct lambda_mapping r = {0};
    struct str copy = str_dup(a, bytes);

    if (!str_is_set(copy))
        return ERR_NOMEM;
    unpack_init(&u, copy);
    if (unpack_u8(&u) != VERSION)
        return ERR_CORRUPT;
    r.generation = unpack_uint(&u);
    r.account = unpack_str(&u);
    r.region = unpack_str(&u);
    r.uuid = unpack_str(&u);
    r.function = unpack_str(&u);
    r.function_arn = unpack_str(&u);
    r.source_arn = unpack_str(&u);
    r.batch_size = unpack_int(&u);
    r.window_s = unpack_int(&u);
    r.enabled = unpack_u8(&u) != 0;
    r.partial = unpack_u8(&u) != 0;
    r.concurrency_max = unpack_int(&u);
    r.modified_ms = unpack_int(&u);
    TRY(unpack_end(&u));
    if (r.batch_size < 1 || r.batch_size > LAMBDA_BATCH_MAX)
        return ERR_CORRUPT;
    *ret_rec = r;
    return ERR_OK;
}

enum err lambda_mapping_get(struct txn *txn, struct str account, struct str region, struct str uuid,
                            struct lambda_mapping *ret_rec)
{
    struct str bytes;
    struct str key = lambda_key(txn->arena, LAMBDA_T_MAPPING, account, region, uuid);
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(txn_get(txn, key, &bytes));
    return lambda_mapping_unpack(txn->arena, bytes, ret_rec);
}

/* Of lambda_mapping_put and lambda_mapping_del, in the arena until durable. */
struct esm_change {
    struct lambda *l;
    struct str uuid;
    struct str record; /* absent: deleted */
    uint64_t generation;
};

static void esm_change_durable(void *arg)
{
    struct esm_change *c = arg;
    if (!str_is_set(c->record))
        lambda_pollers_deleted(c->l->pollers, c->uuid, c->generation);
    else if (lambda_pollers_take(c->l->pollers, c->record) != ERR_OK)
        return; /* without memory the mapping rests until its next change or the next start */
}

static enum err on_esm_change(struct txn *txn, struct lambda *l, const struct lambda_mapping *rec,
                              struct str record)
{
    struct esm_change *c = ARENA_NEW(txn->arena, struct esm_change);
    if (!c)
        return ERR_NOMEM;
    *c = (struct esm_change){l, rec->uuid, record, rec->generation};
    return txn_on_durable(txn, esm_change_durable, c);
}

enum err lambda_mapping_put(struct txn *txn, struct lambda *l, struct lambda_mapping *rec)
{
    struct buf b;
    struct str key = lambda_key(txn->arena, LAMBDA_T_MAPPING, rec->account, rec->region, rec->uuid);

    if (!str_is_set(key))
        return ERR_NOMEM;
    rec->generation = next_generation(txn, rec->generation);
    rec->modified_ms = txn->now_ms;
    buf_init_arena(&b, txn->arena, LAMBDA_RECORD_MAX);
    TRY(lambda_mapping_pack(rec, &b));
    TRY(txn_put(txn, key, buf_str(&b)));
    return on_esm_change(txn, l, rec, buf_str(&b));
}

enum err lambda_mapping_del(struct txn *txn, struct lambda *l, const struct lambda_mapping *rec)
{
    struct lambda_mapping gone = *rec;
    struct str key = lambda_key(txn->arena, LAMBDA_T_MAPPING, rec->account, rec->region, rec->uuid);

    if (!str_is_set(key))
        return ERR_NOMEM;
    gone.generation = next_generation(txn, rec->generation);
    TRY(txn_del(txn, key));
    return on_esm_change(txn, l, &gone, STR_NONE);
}
