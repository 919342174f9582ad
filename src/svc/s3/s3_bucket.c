/* Buckets by name: their records, and the mirror of these in memory that calls look them up in. See
 * s3_int.h (SV3). Layer: svc. Thread: the transaction's loop. */
#include <assert.h>

#include "base/arn.h"
#include "svc/s3/s3_int.h"

/* --- the mirror ------------------------------------------------------------------------------- */

struct mirrored {
    struct catalogue_object object;
    struct s3_bucket_rec rec;
};

static enum err decode(void *self, struct catalogue_object *object, struct str record)
{
    struct mirrored *m = (struct mirrored *)object;
    struct s3 *s3 = self;
    TRY(s3_bucket_unpack(&object->arena, str_dup(&object->arena, record), &m->rec));
    if (m->rec.meters.n > 0)
        atomic_store(&s3->metered, true);
    if (str_is_set(m->rec.logging.bucket))
        atomic_store(&s3->logged, true);
    return ERR_OK;
}

static const struct catalogue_type buckets_type = {
    .name = "s3",
    .size = sizeof(struct mirrored),
    .arena_max = S3_BUCKET_BYTES_MAX,
    .decode = decode,
};

enum err s3_buckets_new(struct s3 *s3)
{
    return catalogue_new(s3->core, &buckets_type, s3, &s3->buckets);
}

static enum err load(struct txn *txn, void *arg)
{
    struct s3 *s3 = arg;
    return catalogue_load(s3->buckets, txn, key_range_table(txn->arena, &s3_k_bucket).from);
}

enum err s3_buckets_load(struct s3 *s3)
{
    return txn_run_now(s3->core, load, s3);
}

/* --- reading ---------------------------------------------------------------------------------- */

enum err s3_bucket_unpack(struct arena *a, struct str bytes, struct s3_bucket_rec *ret_rec)
{
    struct s3_bucket_rec rec;
    if (!str_is_set(bytes))
        return ERR_NOMEM;
    TRY(record_unpack(&s3_bucket_type, a, bytes, &rec));
    s3_rules_bits(&rec.rules);
    *ret_rec = rec;
    return ERR_OK;
}

enum err s3_bucket_glance(struct arena *scratch, struct str bytes, struct s3_bucket_rec *ret_rec)
{
    arena_clear(scratch);
    return record_unpack(&s3_bucket_type, scratch, bytes, ret_rec);
}

/* Longer names are no bucket's, and make no key. */
static bool is_name(struct str name)
{
    return name.len > 0 && name.len <= S3_BUCKET_NAME_MAX;
}

/* `txn` may be NULL (catalogue_take). */
static enum err look_up(struct s3 *s3, struct txn *txn, struct arena *a, struct str name,
                        const struct s3_bucket_rec **ret_rec)
{
    void *object;
    if (!is_name(name))
        return ERR_NOT_FOUND;
    struct str key = key_make(a, &s3_k_bucket, name);
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(catalogue_take(s3->buckets, txn, key, &object));
    TRY(catalogue_hold(a, object));
    *ret_rec = &((const struct mirrored *)object)->rec;
    return ERR_OK;
}

enum err s3_bucket_known(struct s3 *s3, struct txn *txn, struct str name,
                         const struct s3_bucket_rec **ret_rec)
{
    return look_up(s3, txn, txn->arena, name, ret_rec);
}

enum err s3_bucket_seen(struct s3 *s3, struct arena *a, struct str name,
                        const struct s3_bucket_rec **ret_rec)
{
    return look_up(s3, NULL, a, name, ret_rec);
}

enum err s3_bucket_read(struct txn *txn, struct str name, struct s3_bucket_rec *ret_rec)
{
    struct str value;
    if (!is_name(name))
        return ERR_NOT_FOUND;
    TRY(txn_get(txn, key_make(txn->arena, &s3_k_bucket, name), &value));
    return s3_bucket_unpack(txn->arena, value, ret_rec);
}

static bool is_account(struct str id)
{
    for (size_t i = 0; i < id.len; i++)
        if (id.p[i] < '0' || id.p[i] > '9')
            return false;
    return id.len == 12;
}

struct str s3_bucket_owner(const struct core *core, const struct s3_bucket_rec *rec)
{
    return str_is_set(rec->account) ? rec->account : core->cfg.account;
}

enum err s3_arn_owner(void *self, struct txn *txn, struct str arn, struct str *ret_account)
{
    const struct s3_bucket_rec *rec;
    struct arn name;
    if (arn_parse_object(arn, &name) != ERR_OK)
        return ERR_OK;
    enum err err = s3_bucket_known(self, txn, arn_segment(&name, 0), &rec);
    if (err == ERR_OK)
        *ret_account = s3_bucket_owner(txn->core, rec);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* What a lookup came to, as S3 says it. `rec`: what was found. */
static enum err found(struct call *call, struct str name, struct str expected_owner,
                      const struct s3_bucket_rec *rec, enum err err)
{
    if (err == ERR_NOT_FOUND) {
        TRY(call_error_detail(call, "BucketName", name));
        return call_error(call, &s3_err_no_such_bucket, "The specified bucket does not exist");
    }
    TRY(err);
    if (!str_is_set(expected_owner))
        return ERR_OK;
    if (!is_account(expected_owner))
        return call_error(
            call, &s3_err_invalid_bucket_owner,
            "The value of the expected bucket owner parameter must be an AWS account ID... "
            "[" STR_FMT "]",
            STR_ARG(expected_owner));
    if (!str_eq(expected_owner, s3_bucket_owner(call->core, rec)))
        return call_error(call, &s3_err_access_denied, "Access Denied");
    return ERR_OK;
}

enum err s3_bucket_missing(struct call *call, struct str name)
{
    /* Another service's call has no such error, and who makes a bucket names one that is not there. */
    if (call->service != &s3_service || call->op->index == S3_OP_CREATE_BUCKET ||
        !s3_bucket_name_ok(name))
        return ERR_OK;
    return found(call, name, STR_NONE, NULL, ERR_NOT_FOUND);
}

enum err s3_bucket_peek(struct call *call, struct str name, struct str expected_owner,
                        struct s3_bucket_ref *ret_b)
{
    const struct s3_bucket_rec *rec = NULL;
    enum err err = s3_bucket_known(call->svc, call->txn, name, &rec);
    TRY(found(call, name, expected_owner, rec, err));
    *ret_b = (struct s3_bucket_ref){name, *rec};
    return ERR_OK;
}

enum err s3_bucket_get(struct call *call, struct str name, struct str expected_owner,
                       struct s3_bucket_ref *ret_b)
{
    struct s3_bucket_rec rec;
    enum err err = s3_bucket_read(call->txn, name, &rec);
    TRY(found(call, name, expected_owner, &rec, err));
    *ret_b = (struct s3_bucket_ref){name, rec};
    return ERR_OK;
}

/* --- changing --------------------------------------------------------------------------------- */

enum err s3_bucket_put(struct s3 *s3, struct txn *txn, const struct s3_bucket_ref *b)
{
    struct str record;
    assert(b->rec.id != 0 && is_name(b->name));
    assert(!(b->rec.flags & S3_HAS_POLICY) == !str_is_set(b->rec.policy));
    assert(!(b->rec.flags & S3_HAS_NOTIFICATION) == (b->rec.rules.n == 0));
    TRY(record_make(&s3_bucket_type, txn->arena, &b->rec, &record));
    struct str key = key_make(txn->arena, &s3_k_bucket, b->name);
    return str_is_set(key) ? catalogue_put(s3->buckets, txn, key, record) : ERR_NOMEM;
}

enum err s3_bucket_del(struct s3 *s3, struct txn *txn, struct str name)
{
    assert(is_name(name));
    struct str key = key_make(txn->arena, &s3_k_bucket, name);
    return str_is_set(key) ? catalogue_del(s3->buckets, txn, key) : ERR_NOMEM;
}
