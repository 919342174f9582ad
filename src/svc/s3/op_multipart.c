/* CreateMultipartUpload, UploadPart, AbortMultipartUpload, ListParts, ListMultipartUploads.
 *
 * UploadPart rewrites the upload's record, so that a part that comes while the upload is being
 * completed or aborted is a conflict and not a part without an upload. Layer: svc. */
#include <inttypes.h>

#include "base/arn.h"
#include "base/rng.h"
#include "codec/hex.h"
#include "svc/s3/s3_acl.h"
#include "svc/s3/s3_list.h"
#include "svc/s3/s3_lock.h"
#include "svc/s3/s3_sse.h"
#include "svc/s3/s3_upload.h"

/* --- shared ----------------------------------------------------------------------------------- */

enum err s3_upload_find(struct call *call, const struct s3_bucket_ref *b, struct str key,
                        struct str upload_id, bool tracked, struct s3_upload_rec *ret_rec)
{
    struct str value;
    enum err err = ERR_NOT_FOUND;
    if (upload_id.len == S3_UPLOAD_ID_LEN) {
        struct str k = key_make(call->arena, &s3_k_upload, b->rec.id, key, upload_id);
        err = tracked ? txn_get(call->txn, k, &value) : txn_peek(call->txn, k, &value);
    }
    if (err == ERR_NOT_FOUND) {
        TRY(call_error_detail(call, "UploadId", upload_id));
        return call_error(call, &s3_err_no_such_upload,
                          "The specified upload does not exist. The upload ID may be invalid, or "
                          "the upload may have been aborted or completed.");
    }
    TRY(err);
    return record_unpack(&s3_upload_type, call->arena, value, ret_rec);
}

enum err s3_upload_key_check(struct call *call, const struct s3_upload_rec *upload,
                             const struct s3_customer *c)
{
    struct str key;
    return str_is_set(c->key) ? s3_customer_check(call, &upload->sse, c, &key) : ERR_OK;
}

enum err s3_check_part_number(struct call *call, int64_t number)
{
    if (number >= 1 && number <= S3_PARTS_MAX)
        return ERR_OK;
    return s3_bad_argument(call, "partNumber", str_fmt(call->arena, "%" PRId64, number),
                           "Part number must be an integer between 1 and 10000, inclusive");
}

static enum err put_upload(struct call *call, const struct s3_bucket_ref *b, struct str key,
                           struct str upload_id, const struct s3_upload_rec *rec)
{
    return S3_PUT(call->txn, key_make(call->arena, &s3_k_upload, b->rec.id, key, upload_id),
                  &s3_upload_type, rec);
}

enum err s3_part_commit(struct call *call, struct str bucket, struct str expected_owner,
                        struct str key, struct str upload_id, int64_t number, struct s3_writer *w,
                        struct s3_bucket_ref *ret_b, struct s3_part_rec *ret_part)
{
    struct s3 *s3 = call->svc;
    struct s3_bucket_ref b;
    struct s3_upload_rec upload;
    struct s3_part_rec old;
    struct s3_body body;
    struct str value;
    TRY(s3_bucket_get(call, bucket, expected_owner, &b));
    TRY(s3_upload_find(call, &b, key, upload_id, true, &upload));
    TRY(put_upload(call, &b, key, upload_id, &upload));
    struct str part_key = key_make(call->arena, &s3_k_part, upload_id, number);
    enum err err = txn_get(call->txn, part_key, &value);
    if (err == ERR_OK) {
        TRY(record_unpack(&s3_part_type, call->arena, value, &old));
        TRY(s3_trash_file(s3, call->txn, &old.file));
    } else if (err != ERR_NOT_FOUND) {
        return err;
    }
    TRY(s3_writer_stage(w, call->txn, &(struct s3_made_for){b.rec.id, key}, &body));
    struct s3_part_rec part = {.number = number,
                               .size = w->size,
                               .modified_ms = s3_now(call->txn),
                               .etag = s3_writer_etag(w, call->arena),
                               .file = body.id};
    part.sum =
        (struct s3_sum){.algo = upload.algo, .text = s3_writer_sum(w, call->arena, upload.algo)};
    TRY(S3_PUT(call->txn, part_key, &s3_part_type, &part));
    *ret_b = b;
    *ret_part = part;
    if (!upload.algo_given) /* nobody is told of a checksum that nobody asked for */
        ret_part->sum = (struct s3_sum){.algo = S3_NO_CHECKSUM};
    return ERR_OK;
}

enum err s3_parts_load(struct txn *txn, struct str upload_id, int64_t after, size_t max,
                       struct s3_manifest *ret_parts, bool *ret_more)
{
    struct key_range r = key_range(txn->arena, &s3_k_part, upload_id);
    r.from = key_make(txn->arena, &s3_k_part, upload_id, after + 1);
    struct kv_iter *it;
    struct str key, value;
    size_t n = 0, cap = 0;
    struct s3_part_rec *v = NULL;
    TRY(kv_scan(txn->kv, r.from, r.to, false, &it));
    enum err err;
    *ret_more = false;
    while ((err = kv_next(it, &key, &value)) == ERR_OK) {
        if (n == max) {
            *ret_more = true;
            break;
        }
        err = ARENA_GROW(txn->arena, v, n, cap, 64);
        if (err != ERR_OK)
            break;
        err = record_unpack_copy(&s3_part_type, txn->arena, value, &v[n++]);
        if (err != ERR_OK)
            break;
    }
    kv_iter_close(it);
    *ret_parts = (struct s3_manifest){v, n};
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err s3_upload_remove(struct call *call, const struct s3_bucket_ref *b, struct str key,
                          struct str upload_id, const struct s3_manifest *parts, const bool *kept)
{
    struct s3 *s3 = call->svc;
    for (size_t i = 0; i < parts->n; i++) {
        TRY(txn_del(call->txn,
                    key_make(call->arena, &s3_k_part, upload_id, parts->parts[i].number)));
        if (!kept || !kept[i])
            TRY(s3_trash_file(s3, call->txn, &parts->parts[i].file));
    }
    return txn_del(call->txn, key_make(call->arena, &s3_k_upload, b->rec.id, key, upload_id));
}

/* An upload that was begun without an algorithm has one all the same, which nobody is told of. */
#define TELL_ALGO(out, rec)                                                                        \
    do {                                                                                           \
        if ((rec)->algo_given) {                                                                   \
            (out)->checksum_algorithm = s3_algo_name((rec)->algo);                                 \
            (out)->checksum_type = (rec)->composite ? STR("COMPOSITE") : STR("FULL_OBJECT");       \
        }                                                                                          \
    } while (0)

/* --- CreateMultipartUpload -------------------------------------------------------------------- */

static enum err choose_checksum(struct call *call,
                                const struct s3_create_multipart_upload_input *in,
                                struct s3_upload_rec *rec)
{
    bool full = str_eq_c(in->checksum_type, "FULL_OBJECT");
    bool composite = str_eq_c(in->checksum_type, "COMPOSITE");
    rec->algo_given = str_is_set(in->checksum_algorithm);
    rec->algo = rec->algo_given ? s3_algo_of(in->checksum_algorithm) : S3_CRC64NVME;
    TRY(s3_check_algorithm(call, in->checksum_algorithm));
    if (str_is_set(in->checksum_type) && !full && !composite)
        return call_error(call, &s3_err_invalid_request,
                          "Value for x-amz-checksum-type header is invalid.");
    if ((full || composite) && !rec->algo_given)
        return call_error(call, &s3_err_invalid_request,
                          "The x-amz-checksum-type header can only be used with the "
                          "x-amz-checksum-algorithm header.");
    bool allowed =
        !(full && !s3_algo_combines(rec->algo)) && !(composite && rec->algo == S3_CRC64NVME);
    if (!allowed)
        return call_error(
            call, &s3_err_invalid_request,
            "The " STR_FMT " checksum type cannot be used with the " STR_FMT " checksum algorithm.",
            STR_ARG(in->checksum_type), STR_ARG(str_lower(call->arena, s3_algo_name(rec->algo))));
    rec->composite = rec->algo != S3_CRC64NVME && !full;
    return ERR_OK;
}

/* What a condition of the completion will be judged by. The read is not tracked: a change that is under
 * way is one during the upload. */
static enum err note_state(struct call *call, const struct s3_bucket_ref *b, struct str key,
                           struct s3_upload_rec *rec)
{
    struct s3_object_rec current;
    enum err err = s3_current(call->txn, b->rec.id, key, false, &current);
    rec->replaces = err == ERR_OK;
    rec->began_seq = s3_seq_now(call->txn);
    if (err == ERR_OK && current.seq > rec->began_seq)
        rec->began_seq = current.seq;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* Begins with the time, so that uploads of a key list in the order in which they began. */
static struct str upload_id_new(struct arena *a, int64_t now_ms)
{
    uint8_t raw[S3_UPLOAD_ID_LEN / 2];
    for (int i = 0; i < 8; i++)
        raw[i] = (uint8_t)((uint64_t)now_ms >> (56 - 8 * i));
    rng_bytes(raw + 8, sizeof(raw) - 8);
    return hex_encode(a, raw, sizeof(raw));
}

enum err s3_create_multipart_upload(struct call *call,
                                    const struct s3_create_multipart_upload_input *in,
                                    struct s3_create_multipart_upload_output *out)
{
    struct s3_bucket_ref b;
    struct s3_upload_rec rec = {.initiated_ms = s3_now(call->txn),
                                .account = call->who->account,
                                .initiator = call->who->arn};
    TRY(s3_check_key(call, in->key));
    TRY(s3_check_wishes(call, S3_WISHES(in)));
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    S3_TELL_CHARGED(out, in, b.rec.flags);
    TRY(choose_checksum(call, in, &rec));
    TRY(S3_ATTRS(call, in, &rec.attrs));
    TRY(s3_acl_choose(call, &b, in->key, S3_ACL_ASK_HEADERS(in), &rec.attrs));
    TRY(s3_lock_choose(call, &b, in->key, S3_WISHES(in), &rec.attrs.lock));
    TRY(note_state(call, &b, in->key, &rec));
    struct s3_cipher cipher = {0};
    TRY(s3_sse_choose(call, &b.rec, S3_WISHES(in), &rec.sse));
    s3_cipher_draw(&cipher, &rec.sse);
    TRY(s3_sse_seal(call, &b, in->key, &cipher, &rec.sse));
    struct str upload_id = upload_id_new(call->arena, call->txn->now_ms);
    if (!str_is_set(upload_id))
        return ERR_NOMEM;
    TRY(put_upload(call, &b, in->key, upload_id, &rec));
    out->bucket = in->bucket;
    out->key = in->key;
    out->upload_id = upload_id;
    S3_TELL_SSE(out, &rec.sse);
    S3_TELL_CUSTOMER(out, in);
    out->ssekms_encryption_context = in->ssekms_encryption_context;
    TELL_ALGO(out, &rec);
    return ERR_OK;
}

/* --- UploadPart ------------------------------------------------------------------------------- */

/* A part comes with the checksum that its upload was begun for; without one only where that is of the whole
 * object. */
static enum err check_algo(struct call *call, const struct s3_upload_rec *upload, enum s3_algo algo)
{
    bool none = algo == S3_NO_CHECKSUM;
    if (!upload->algo_given || algo == upload->algo || (none && !upload->composite))
        return ERR_OK;
    struct str wanted = str_lower(call->arena, s3_algo_name(upload->algo));
    struct str sent = none ? STR("null") : str_lower(call->arena, s3_algo_name(algo));
    return call_error(call, &s3_err_invalid_request,
                      "Checksum Type mismatch occurred, expected checksum Type: " STR_FMT
                      ", actual checksum Type: " STR_FMT,
                      STR_ARG(wanted), STR_ARG(sent));
}

enum err s3_upload_part_body(struct call *call, const struct s3_upload_part_input *in,
                             struct call_sink *ret_sink)
{
    struct s3_bucket_ref b;
    struct s3_upload_rec upload;
    struct s3_writer *w;
    struct s3_claims claims = S3_CLAIMS(in);
    enum s3_algo algo;
    TRY(s3_check_part_number(call, in->part_number));
    TRY(s3_check_key(call, in->key));
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    TRY(s3_upload_find(call, &b, in->key, in->upload_id, false, &upload));
    TRY(s3_check_md5_form(call, in->content_md5));
    TRY(s3_stream_algo(call, &claims, in->checksum_algorithm, &algo));
    TRY(check_algo(call, &upload, algo));
    if (in->has_content_length && (uint64_t)in->content_length > S3_PUT_MAX)
        return call_error(call, &s3_err_entity_too_large,
                          "Your proposed upload exceeds the maximum allowed size");
    struct s3_cipher cipher;
    TRY(s3_sse_need(call, &b, in->key, &upload.sse, &S3_UPLOAD_CUSTOMER(in), &cipher));
    TRY(s3_writer_new(call->svc, 1u << upload.algo | 1u << algo, 0, &cipher, &w));
    w->sse = upload.sse;
    return s3_writer_sink(w, call, ret_sink);
}

enum err s3_upload_part(struct call *call, const struct s3_upload_part_input *in,
                        struct s3_upload_part_output *out)
{
    struct s3_writer *w = call->sink->ctx;
    struct s3_claims claims = S3_CLAIMS(in);
    struct s3_bucket_ref b;
    struct s3_part_rec part;
    TRY(s3_verify_stream(call, w, in->content_md5, &claims));
    TRY(s3_part_commit(call, in->bucket, in->expected_bucket_owner, in->key, in->upload_id,
                       in->part_number, w, &b, &part));
    S3_TELL_CHARGED(out, in, b.rec.flags);
    out->e_tag = s3_quote(call->arena, part.etag);
    S3_TELL_SSE(out, &w->sse);
    S3_TELL_CUSTOMER(out, in);
    enum s3_algo claimed = s3_claims_algo(&claims);
    struct str trailer = wire_header_get(call->request, STR("x-amz-trailer"));
    if (claimed == S3_NO_CHECKSUM && str_is_set(trailer))
        claimed = s3_algo_of_header(str_trim(trailer));
    /* The reply confirms the checksum that the client sent, or the upload's. */
    struct s3_sum shown = part.sum;
    if (claimed != S3_NO_CHECKSUM)
        shown = (struct s3_sum){.algo = claimed, .text = s3_writer_sum(w, call->arena, claimed)};
    S3_SET_SUM(out, &shown);
    return str_is_set(out->e_tag) ? ERR_OK : ERR_NOMEM;
}

/* --- AbortMultipartUpload --------------------------------------------------------------------- */

enum err s3_abort_multipart_upload(struct call *call,
                                   const struct s3_abort_multipart_upload_input *in,
                                   struct s3_abort_multipart_upload_output *out)
{
    struct s3_bucket_ref b;
    struct s3_upload_rec upload;
    struct s3_manifest parts;
    bool more;
    TRY(s3_check_key(call, in->key));
    if (in->has_if_match_initiated_time)
        return call_error(call, &s3_err_not_implemented,
                          "This condition is supported for directory buckets only.");
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    S3_TELL_CHARGED(out, in, b.rec.flags);
    TRY(s3_upload_find(call, &b, in->key, in->upload_id, true, &upload));
    TRY(s3_parts_load(call->txn, in->upload_id, 0, S3_PARTS_MAX, &parts, &more));
    return s3_upload_remove(call, &b, in->key, in->upload_id, &parts, NULL);
}

/* --- ListParts -------------------------------------------------------------------------------- */

/* Who began it: a user or role by its ARN, an account's root, or nobody who signed, by a canonical id. */
static struct s3_initiator *initiator_of(struct call *call, const struct s3_upload_rec *upload)
{
    struct s3_initiator *i = ARENA_NEW(call->arena, struct s3_initiator);
    const struct s3_owner *owner =
        s3_owner_named(call->arena, str_is_set(upload->account) ? upload->account : call->account);
    struct arn arn;
    if (!i || !owner)
        return NULL;
    i->id = owner->id;
    if (arn_parse(upload->initiator, &arn) != ERR_OK || str_eq_c(arn.resource, "root"))
        return i;
    i->id = upload->initiator;
    i->display_name = str_eq_c(arn_segment(&arn, 0), "user") ? arn_last(&arn) : arn_tail(&arn, 1);
    return i;
}

enum err s3_list_parts(struct call *call, const struct s3_list_parts_input *in,
                       struct s3_list_parts_output *out)
{
    struct s3_bucket_ref b;
    struct s3_upload_rec upload;
    struct s3_manifest m;
    bool more;
    int64_t after = in->has_part_number_marker ? in->part_number_marker : 0;
    size_t max;
    if (after < 0)
        return s3_bad_argument(call, "partNumberMarker", str_fmt(call->arena, "%" PRId64, after),
                               "Argument partNumberMarker must be an integer between 0 and "
                               "2147483647");
    TRY(s3_list_size(call, "maxParts", in->has_max_parts, in->max_parts, &max));
    TRY(s3_check_key(call, in->key));
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    S3_TELL_CHARGED(out, in, b.rec.flags);
    TRY(s3_upload_find(call, &b, in->key, in->upload_id, false, &upload));
    TRY(s3_upload_key_check(call, &upload, &S3_UPLOAD_CUSTOMER(in)));
    TRY(s3_parts_load(call->txn, in->upload_id, after, max, &m, &more));
    struct s3_part *v = ARENA_ARRAY(call->arena, struct s3_part, m.n);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < m.n; i++) {
        WIRE_SET(&v[i], part_number, m.parts[i].number);
        WIRE_SET(&v[i], last_modified, m.parts[i].modified_ms);
        WIRE_SET(&v[i], size, (int64_t)m.parts[i].size);
        v[i].e_tag = s3_quote(call->arena, m.parts[i].etag);
        if (upload.algo_given)
            S3_SET_SUM(&v[i], &m.parts[i].sum);
    }
    out->parts = (struct s3_parts){v, m.n};
    out->bucket = in->bucket;
    out->key = in->key;
    out->upload_id = in->upload_id;
    WIRE_SET(out, part_number_marker, after);
    WIRE_SET(out, next_part_number_marker, m.n ? m.parts[m.n - 1].number : 0);
    WIRE_SET(out, max_parts, (int64_t)max);
    WIRE_SET(out, is_truncated, more);
    out->initiator = initiator_of(call, &upload);
    out->owner = s3_object_owner(call, &b.rec, &upload.attrs, s3_owner_of(call));
    out->storage_class = s3_class_name(upload.attrs.storage_class);
    TELL_ALGO(out, &upload);
    return ERR_OK;
}

/* --- ListMultipartUploads --------------------------------------------------------------------- */

struct uploads_page {
    struct s3_multipart_upload *uploads;
    struct s3_common_prefix *prefixes;
    size_t n_uploads, n_prefixes;
    bool truncated;
    struct str last_key, last_id;
};

static enum err take_upload(struct call *call, const struct s3_bucket_rec *b,
                            const struct s3_entry *e, struct str key, struct str upload_id,
                            bool url, struct uploads_page *p)
{
    struct s3_upload_rec rec;
    TRY(record_unpack(&s3_upload_type, call->arena, e->value, &rec));
    struct s3_multipart_upload *u = &p->uploads[p->n_uploads++];
    *u = (struct s3_multipart_upload){.upload_id = upload_id,
                                      .key = s3_list_text(call->arena, key, url),
                                      .storage_class = s3_class_name(rec.attrs.storage_class),
                                      .owner =
                                          s3_object_owner(call, b, &rec.attrs, s3_owner_of(call)),
                                      .initiator = initiator_of(call, &rec)};
    TELL_ALGO(u, &rec);
    WIRE_SET(u, initiated, rec.initiated_ms);
    p->last_key = key;
    p->last_id = upload_id;
    return ERR_OK;
}

static enum err fill_uploads(struct call *call, const struct s3_bucket_rec *b, struct s3_walk *w,
                             size_t max, bool url, struct uploads_page *p)
{
    for (;;) {
        struct s3_entry e;
        struct str key, id;
        enum err err = s3_walk_next(w, &e);
        if (err == ERR_NOT_FOUND)
            return ERR_OK;
        TRY(err);
        if (p->n_uploads + p->n_prefixes == max) {
            p->truncated = true;
            return ERR_OK;
        }
        if (str_is_set(e.common_prefix)) {
            p->prefixes[p->n_prefixes++].prefix = s3_list_text(call->arena, e.common_prefix, url);
            p->last_key = e.common_prefix;
            p->last_id = STR_NONE;
        } else {
            TRY(key_read(&s3_k_upload, e.raw, call->arena, KEY_SKIP, &key, &id));
            TRY(take_upload(call, b, &e, key, id, url, p));
        }
    }
}

/* One that may have been: where it stood the list goes on. */
static bool is_upload_id(struct str id)
{
    for (size_t i = 0; i < id.len; i++)
        if (!(id.p[i] >= '0' && id.p[i] <= '9') && !(id.p[i] >= 'a' && id.p[i] <= 'f'))
            return false;
    return id.len == S3_UPLOAD_ID_LEN;
}

enum err s3_list_multipart_uploads(struct call *call,
                                   const struct s3_list_multipart_uploads_input *in,
                                   struct s3_list_multipart_uploads_output *out)
{
    static const struct key_layout *const table = &s3_k_upload;
    struct s3_bucket_ref b;
    struct s3_walk w;
    bool url;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    S3_TELL_CHARGED(out, in, b.rec.flags);
    TRY(s3_check_encoding(call, in->encoding_type, &url));
    TRY(s3_check_list_text(call, "prefix", in->prefix));
    TRY(s3_check_list_text(call, "key-marker", in->key_marker));
    TRY(s3_check_key_text(call, in->upload_id_marker));
    size_t max;
    TRY(s3_list_size(call, "maxUploads", in->has_max_uploads, in->max_uploads, &max));
    if (str_is_set(in->key_marker) && in->upload_id_marker.len > 0 &&
        !is_upload_id(in->upload_id_marker))
        return s3_bad_argument(call, "upload-id-marker", in->upload_id_marker,
                               "Invalid uploadId marker");
    struct uploads_page p = {
        .uploads = ARENA_ARRAY(call->arena, struct s3_multipart_upload, max),
        .prefixes = ARENA_ARRAY(call->arena, struct s3_common_prefix, max),
    };
    if (!p.uploads || !p.prefixes)
        return ERR_NOMEM;
    bool within = str_is_set(in->upload_id_marker) && in->upload_id_marker.len > 0 &&
                  str_is_set(in->key_marker);
    struct str from = key_after_prefix(call->arena, key_make(call->arena, &s3_k_upload, b.rec.id,
                                                             in->key_marker, in->upload_id_marker));
    enum err err = s3_walk_open(&w, call->txn, &table, 1, b.rec.id, in->prefix, in->delimiter,
                                in->key_marker, within ? &from : NULL);
    if (err == ERR_OK && max > 0)
        err = fill_uploads(call, &b.rec, &w, max, url, &p);
    s3_walk_close(&w);
    TRY(err);
    struct str none = STR("");
    out->bucket = in->bucket;
    out->key_marker =
        s3_list_text(call->arena, str_is_set(in->key_marker) ? in->key_marker : none, url);
    out->upload_id_marker = str_is_set(in->upload_id_marker) ? in->upload_id_marker : none;
    out->prefix = s3_list_text(call->arena, in->prefix, url);
    out->delimiter = s3_list_delimiter(call->arena, in->delimiter, url);
    out->encoding_type = in->encoding_type;
    out->uploads = (struct s3_multipart_upload_list){p.uploads, p.n_uploads};
    out->common_prefixes = (struct s3_common_prefix_list){p.prefixes, p.n_prefixes};
    WIRE_SET(out, max_uploads, (int64_t)max);
    WIRE_SET(out, is_truncated, p.truncated);
    /* They are there also when nothing is behind them. */
    out->next_key_marker =
        s3_list_text(call->arena, str_is_set(p.last_key) ? p.last_key : none, url);
    out->next_upload_id_marker = str_is_set(p.last_id) ? p.last_id : none;
    return ERR_OK;
}
