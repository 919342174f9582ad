/* Versions of keys. See s3_int.h (SV1, SV2).
 *
 *   versioning   PUT                                    DELETE without version
 *   never        replaces the current (null) version    removes it
 *   enabled      moves the current to the old ones      moves it, adds a marker
 *   suspended    replaces the null version              replaces the null version by a null marker
 *
 * A marker is never in s3_k_current: a key whose newest version is a marker has no entry there.
 *
 * Layer: svc. Thread: the transaction's loop. */
#include "svc/s3/s3_int.h"

enum { SEQ_MS_SHIFT = 12 };

/* --- finding versions ------------------------------------------------------------------------- */

static enum err read_object(struct txn *txn, struct str key, bool tracked,
                            struct s3_object_rec *ret_rec)
{
    struct str value;
    if (tracked)
        TRY(txn_get(txn, key, &value));
    else
        TRY(txn_peek(txn, key, &value));
    return record_unpack(&s3_object_type, txn->arena, value, ret_rec);
}

enum err s3_current(struct txn *txn, uint64_t bucket, struct str key, bool tracked,
                    struct s3_object_rec *ret_rec)
{
    return read_object(txn, key_make(txn->arena, &s3_k_current, bucket, key), tracked, ret_rec);
}

/* Seq of the null version among the old ones. */
static enum err null_seq(struct txn *txn, uint64_t bucket, struct str key, uint64_t *ret_seq)
{
    struct s3_seq_rec rec;
    struct str value;
    TRY(txn_get(txn, key_make(txn->arena, &s3_k_null, bucket, key), &value));
    TRY(record_unpack(&s3_seq_type, txn->arena, value, &rec));
    *ret_seq = rec.seq;
    return ERR_OK;
}

enum err s3_version(struct txn *txn, uint64_t bucket, struct str key, struct str version_id,
                    bool tracked, struct s3_object_rec *ret_rec, bool *ret_current)
{
    struct s3_object_rec rec;
    uint64_t seq;
    enum err err = s3_current(txn, bucket, key, tracked, &rec);
    if (err == ERR_OK && str_eq(rec.version_id, version_id)) {
        *ret_rec = rec;
        *ret_current = true;
        return ERR_OK;
    }
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    if (str_eq(version_id, S3_NULL_VERSION))
        TRY(null_seq(txn, bucket, key, &seq));
    else
        TRY(s3_version_id_seq(version_id, &seq));
    TRY(read_object(txn, key_make(txn->arena, &s3_k_version, bucket, key, ~seq), tracked, &rec));
    if (!str_eq(rec.version_id, version_id))
        return ERR_NOT_FOUND;
    *ret_rec = rec;
    *ret_current = false;
    return ERR_OK;
}

enum err s3_newest_old(struct txn *txn, uint64_t bucket, struct str key,
                       struct s3_object_rec *ret_rec)
{
    struct key_range r = key_range(txn->arena, &s3_k_version, bucket, key);
    struct kv_iter *it;
    struct str k, value;
    TRY(kv_scan(txn->kv, r.from, r.to, false, &it));
    enum err err = kv_next(it, &k, &value);
    if (err == ERR_OK)
        err = record_unpack_copy(&s3_object_type, txn->arena, value, ret_rec);
    kv_iter_close(it);
    return err;
}

/* --- changing versions ------------------------------------------------------------------------ */

enum err s3_rewrite(struct txn *txn, uint64_t bucket, struct str key,
                    const struct s3_object_rec *rec, bool current)
{
    if (current)
        return S3_PUT(txn, key_make(txn->arena, &s3_k_current, bucket, key), &s3_object_type, rec);
    return S3_PUT(txn, key_make(txn->arena, &s3_k_version, bucket, key, ~rec->seq), &s3_object_type,
                  rec);
}

static bool is_null(const struct s3_object_rec *rec)
{
    return str_eq(rec->version_id, S3_NULL_VERSION);
}

/* Adds an old version or a marker, with the index of the null one. */
static enum err add_old(struct txn *txn, uint64_t bucket, struct str key,
                        const struct s3_object_rec *rec)
{
    if (is_null(rec))
        TRY(S3_PUT(txn, key_make(txn->arena, &s3_k_null, bucket, key), &s3_seq_type,
                   &(struct s3_seq_rec){rec->seq}));
    return S3_PUT(txn, key_make(txn->arena, &s3_k_version, bucket, key, ~rec->seq), &s3_object_type,
                  rec);
}

static enum err remove_old(struct txn *txn, uint64_t bucket, struct str key,
                           const struct s3_object_rec *rec)
{
    if (is_null(rec))
        TRY(txn_del(txn, key_make(txn->arena, &s3_k_null, bucket, key)));
    return txn_del(txn, key_make(txn->arena, &s3_k_version, bucket, key, ~rec->seq));
}

/* What is known of a key before a change. */
struct history {
    bool has_current, has_old;
    struct s3_object_rec current, old; /* `old`: newest of s3_k_version */
};

static enum err read_history(struct txn *txn, const struct s3_bucket_ref *b, struct str key,
                             struct history *h)
{
    *h = (struct history){0};
    enum err err = s3_current(txn, b->rec.id, key, true, &h->current);
    h->has_current = err == ERR_OK;
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    if (b->rec.versioning == S3_UNVERSIONED)
        return ERR_OK;
    err = s3_newest_old(txn, b->rec.id, key, &h->old);
    h->has_old = err == ERR_OK;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

uint64_t s3_seq_now(const struct txn *txn)
{
    return (uint64_t)txn->now_ms << SEQ_MS_SHIFT;
}

static uint64_t next_seq(const struct txn *txn, const struct history *h)
{
    uint64_t seq = s3_seq_now(txn);
    if (h->has_current && seq <= h->current.seq)
        seq = h->current.seq + 1;
    if (h->has_old && seq <= h->old.seq)
        seq = h->old.seq + 1;
    return seq;
}

static enum err write_guard(struct txn *txn, uint64_t bucket, struct str key)
{
    int shard = (int)(str_hash(key) % S3_GUARD_SHARDS);
    return txn_put(txn, key_make(txn->arena, &s3_k_guard, bucket, (uint8_t)shard), STR(""));
}

/* Makes room for a new newest version: the current one is kept or removed, and so is an old null
 * version when the new one will be null. */
static enum err displace(struct s3 *s3, struct txn *txn, const struct s3_bucket_ref *b,
                         struct str key, const struct history *h)
{
    bool new_is_null = b->rec.versioning != S3_VERSIONED;
    if (!h->has_current && !h->has_old)
        TRY(write_guard(txn, b->rec.id, key));
    if (h->has_current) {
        if (new_is_null && is_null(&h->current))
            return s3_trash_body(s3, txn, &h->current.body);
        TRY(add_old(txn, b->rec.id, key, &h->current));
    }
    if (!new_is_null || !h->has_old)
        return ERR_OK;
    uint64_t seq;
    struct s3_object_rec null_rec;
    enum err err = null_seq(txn, b->rec.id, key, &seq);
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(err);
    TRY(read_object(txn, key_make(txn->arena, &s3_k_version, b->rec.id, key, ~seq), true,
                    &null_rec));
    TRY(remove_old(txn, b->rec.id, key, &null_rec));
    return s3_trash_body(s3, txn, &null_rec.body);
}

static enum err name_version(struct txn *txn, const struct s3_bucket_ref *b,
                             struct s3_object_rec *rec)
{
    rec->version_id = b->rec.versioning == S3_VERSIONED ? s3_version_id_new(txn->arena, rec->seq)
                                                        : S3_NULL_VERSION;
    return str_is_set(rec->version_id) ? ERR_OK : ERR_NOMEM;
}

enum err s3_put_current(struct s3 *s3, struct txn *txn, const struct s3_bucket_ref *b,
                        struct str key, struct s3_object_rec *rec)
{
    struct history h;
    TRY(read_history(txn, b, key, &h));
    rec->seq = next_seq(txn, &h);
    rec->modified_ms = s3_now(txn);
    TRY(name_version(txn, b, rec));
    TRY(displace(s3, txn, b, key, &h));
    return S3_PUT(txn, key_make(txn->arena, &s3_k_current, b->rec.id, key), &s3_object_type, rec);
}

enum err s3_delete_key(struct s3 *s3, struct txn *txn, const struct s3_bucket_ref *b,
                       struct str key, struct s3_deletion *ret_d)
{
    struct history h;
    struct s3_deletion d = {0};
    TRY(read_history(txn, b, key, &h));
    if (b->rec.versioning == S3_UNVERSIONED) {
        /* S3 tells of a deletion also where there was nothing to delete. */
        d = (struct s3_deletion){.happened = true, .seq = next_seq(txn, &h)};
        if (h.has_current) {
            TRY(s3_trash_body(s3, txn, &h.current.body));
            TRY(txn_del(txn, key_make(txn->arena, &s3_k_current, b->rec.id, key)));
        }
        *ret_d = d;
        return ERR_OK;
    }
    struct s3_object_rec marker = {
        .seq = next_seq(txn, &h), .delete_marker = true, .modified_ms = s3_now(txn)};
    TRY(name_version(txn, b, &marker));
    TRY(displace(s3, txn, b, key, &h));
    TRY(add_old(txn, b->rec.id, key, &marker));
    TRY(txn_del(txn, key_make(txn->arena, &s3_k_current, b->rec.id, key)));
    *ret_d = (struct s3_deletion){
        .happened = true, .made_marker = true, .version_id = marker.version_id, .seq = marker.seq};
    return ERR_OK;
}

/* After the newest version went: the next one becomes current unless it is a marker. `gone` is
 * still in the transaction's view when it was an old one, so it is skipped by its seq. */
static enum err promote(struct txn *txn, uint64_t bucket, struct str key, uint64_t gone)
{
    struct key_range r = key_range(txn->arena, &s3_k_version, bucket, key);
    struct kv_iter *it;
    struct str k, value;
    struct s3_object_rec rec = {0};
    TRY(kv_scan(txn->kv, r.from, r.to, false, &it));
    enum err err;
    while ((err = kv_next(it, &k, &value)) == ERR_OK) {
        err = record_unpack_copy(&s3_object_type, txn->arena, value, &rec);
        if (err != ERR_OK || rec.seq != gone)
            break;
    }
    kv_iter_close(it);
    struct str current = key_make(txn->arena, &s3_k_current, bucket, key);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && rec.delete_marker))
        return txn_del(txn, current);
    TRY(err);
    TRY(remove_old(txn, bucket, key, &rec));
    return S3_PUT(txn, current, &s3_object_type, &rec);
}

enum err s3_delete_version(struct s3 *s3, struct txn *txn, const struct s3_bucket_ref *b,
                           struct str key, struct str version_id, struct s3_deletion *ret_d)
{
    struct s3_object_rec rec, current;
    bool is_current;
    enum err err = s3_version(txn, b->rec.id, key, version_id, true, &rec, &is_current);
    if (err == ERR_NOT_FOUND) {
        *ret_d = (struct s3_deletion){.version_id = version_id};
        return ERR_OK;
    }
    TRY(err);
    TRY(s3_trash_body(s3, txn, &rec.body));
    if (is_current) {
        TRY(promote(txn, b->rec.id, key, rec.seq));
    } else {
        TRY(remove_old(txn, b->rec.id, key, &rec));
        err = s3_current(txn, b->rec.id, key, true, &current);
        if (err == ERR_NOT_FOUND)
            TRY(promote(txn, b->rec.id, key, rec.seq));
        else if (err == ERR_OK) /* SV1: writers of a key meet at its current entry */
            TRY(s3_rewrite(txn, b->rec.id, key, &current, true));
        else
            return err;
    }
    *ret_d = (struct s3_deletion){.happened = true,
                                  .removed_marker = rec.delete_marker,
                                  .version_id = rec.version_id,
                                  .seq = s3_seq_now(txn),
                                  .size = rec.size};
    return ERR_OK;
}
