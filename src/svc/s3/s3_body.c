/* Bodies of objects: the bytes behind a version, and what stages their removal. See s3_int.h (SF1).
 * Layer: svc. Thread: the transaction's loop. */
#include <assert.h>

#include "deliver/job.h"
#include "svc/s3/s3_int.h"

/* --- reading ---------------------------------------------------------------------------------- */

enum err s3_body_bytes(struct txn *txn, const struct s3_body *body, struct str *ret_bytes)
{
    assert(s3_body_is_small(body));
    if (body->kind != S3_BODY_BYTES) {
        *ret_bytes = body->kind == S3_BODY_RECORD ? body->bytes : STR("");
        return ERR_OK;
    }
    enum err err =
        txn_peek(txn, key_make(txn->arena, &s3_k_bytes, s3_id_str(&body->id)), ret_bytes);
    return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
}

enum err s3_body_manifest(struct txn *txn, const struct s3_body *body,
                          struct s3_manifest *ret_manifest)
{
    struct str value;
    assert(body->kind == S3_BODY_PARTS);
    enum err err =
        txn_peek(txn, key_make(txn->arena, &s3_k_manifest, s3_id_str(&body->id)), &value);
    if (err == ERR_NOT_FOUND)
        return ERR_CORRUPT;
    TRY(err);
    return record_unpack(&s3_manifest_type, txn->arena, value, ret_manifest);
}

enum err s3_body_spans(struct txn *txn, const struct s3_object_rec *rec, uint64_t from,
                       uint64_t len, struct arena *a, struct s3_span **ret_spans, size_t *ret_n)
{
    struct s3_part_rec whole = {.size = rec->size, .file = rec->body.id};
    struct s3_manifest m = {&whole, 1};
    assert(from + len <= rec->size);
    assert(rec->body.kind == S3_BODY_FILE || rec->body.kind == S3_BODY_PARTS);
    if (rec->body.kind == S3_BODY_PARTS)
        TRY(s3_body_manifest(txn, &rec->body, &m));
    struct s3_span *spans = ARENA_ARRAY(a, struct s3_span, m.n);
    if (!spans)
        return ERR_NOMEM;
    size_t n = 0;
    uint64_t start = 0; /* of this part in the object */
    for (size_t i = 0; i < m.n && len > 0; start += m.parts[i].size, i++) {
        if (from >= start + m.parts[i].size)
            continue;
        uint64_t offset = from - start;
        uint64_t take = m.parts[i].size - offset;
        if (take > len)
            take = len;
        spans[n++] = (struct s3_span){m.parts[i].file, m.parts[i].size, offset, take};
        from += take;
        len -= take;
    }
    *ret_spans = spans;
    *ret_n = n;
    return len == 0 ? ERR_OK : ERR_CORRUPT;
}

/* --- removal --------------------------------------------------------------------------------- */

enum err s3_clean_later(struct s3 *s3, struct txn *txn)
{
    return txn_on_durable(txn, job_kick_hook, s3->clean);
}

enum err s3_trash_file(struct s3 *s3, struct txn *txn, const struct s3_id *id)
{
    TRY(txn_del(txn, key_make(txn->arena, &s3_k_file, s3_id_str(id))));
    TRY(txn_put(txn, key_make(txn->arena, &s3_k_trash, txn->now_ms, s3_id_str(id)), STR("")));
    return s3_clean_later(s3, txn);
}

enum err s3_trash_body(struct s3 *s3, struct txn *txn, const struct s3_body *body)
{
    switch (body->kind) {
    case S3_BODY_EMPTY:
    case S3_BODY_RECORD:
        return ERR_OK;
    case S3_BODY_BYTES:
        return txn_del(txn, key_make(txn->arena, &s3_k_bytes, s3_id_str(&body->id)));
    case S3_BODY_FILE:
        return s3_trash_file(s3, txn, &body->id);
    case S3_BODY_PARTS:
        break;
    }
    struct s3_manifest m;
    TRY(s3_body_manifest(txn, body, &m));
    for (size_t i = 0; i < m.n; i++)
        TRY(s3_trash_file(s3, txn, &m.parts[i].file));
    return txn_del(txn, key_make(txn->arena, &s3_k_manifest, s3_id_str(&body->id)));
}
