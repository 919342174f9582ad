/* CompleteMultipartUpload: the object becomes a list of the parts' files; no byte is copied.
 * Layer: svc. */
#include <inttypes.h>

#include "codec/percent.h"
#include "svc/s3/s3_life.h"
#include "svc/s3/s3_sse.h"
#include "svc/s3/s3_upload.h"

/* Parts the client names, found and checked. */
struct chosen {
    struct s3_part_rec *parts;
    size_t n;
    uint64_t size;
    bool *kept; /* per stored part */
};

static enum err invalid_part(struct call *call, const struct s3_completed_part *p)
{
    struct str etag = p->e_tag;
    if (etag.len >= 2 && etag.p[0] == '"' && etag.p[etag.len - 1] == '"')
        etag = str_sub(etag, 1, etag.len - 2);
    TRY(call_error_detail(call, "UploadId", call_input_str(call, STR("UploadId"))));
    TRY(call_error_detail(call, "PartNumber", str_fmt(call->arena, "%" PRId64, p->part_number)));
    TRY(call_error_detail(call, "ETag", etag));
    return call_error(call, &s3_err_invalid_part,
                      "One or more of the specified parts could not be found.  The part may not "
                      "have been uploaded, or the specified entity tag may not match the part's "
                      "entity tag.");
}

static enum err too_small(struct call *call, const struct s3_part_rec *part)
{
    TRY(call_error_detail(call, "ProposedSize", str_fmt(call->arena, "%" PRIu64, part->size)));
    TRY(call_error_detail(call, "MinSizeAllowed", STR("5242880")));
    TRY(call_error_detail(call, "PartNumber", str_fmt(call->arena, "%" PRId64, part->number)));
    TRY(call_error_detail(call, "ETag", part->etag));
    return call_error(call, &s3_err_entity_too_small,
                      "Your proposed upload is smaller than the minimum allowed size");
}

/* The checksum that the document repeats for a part must be the stored one. */
static enum err check_part_sum(struct call *call, const struct s3_upload_rec *upload,
                               const struct s3_completed_part *p, const struct s3_part_rec *part)
{
    struct s3_claims claims = S3_CLAIMS(p);
    if (upload->algo_given && upload->composite && !str_is_set(claims.text[upload->algo])) {
        enum s3_algo other = s3_claims_algo(&claims);
        if (other != S3_NO_CHECKSUM)
            return call_error(call, &s3_err_content_md5_mismatch,
                              "The " STR_FMT " you specified for part %" PRId64
                              " did not match what we received.",
                              STR_ARG(str_lower(call->arena, s3_algo_name(other))), p->part_number);
        struct str name = str_lower(call->arena, s3_algo_name(upload->algo));
        return call_error(call, &s3_err_invalid_request,
                          "The upload was created using a " STR_FMT " checksum. The complete "
                          "request must include the checksum for each part. It was missing for "
                          "part %" PRId64 " in the request.",
                          STR_ARG(name), p->part_number);
    }
    struct str claimed = claims.text[part->sum.algo];
    if (str_is_set(claimed) && !str_eq(claimed, part->sum.text))
        return invalid_part(call, p);
    return ERR_OK;
}

static enum err malformed(struct call *call)
{
    return call_error(call, &s3_err_malformed_xml,
                      "The XML you provided was not well-formed or did not validate against our "
                      "published schema");
}

/* Parts ascend. Those that have checksums of their own, of which the object's is made, are all there. */
static enum err check_order(struct call *call, const struct s3_completed_part_list *list,
                            const struct s3_upload_rec *upload)
{
    bool all = upload->algo_given && upload->composite;
    for (size_t i = 0; i < list->n; i++)
        if (!list->v[i].has_part_number || !str_is_set(list->v[i].e_tag))
            return malformed(call);
    for (size_t i = 0; i < list->n; i++) {
        if (list->v[i].part_number < 1)
            return s3_bad_argument(call, "PartNumber",
                                   str_fmt(call->arena, "%" PRId64, list->v[i].part_number),
                                   "PartNumber must be >= 1");
        TRY(s3_check_part_number(call, list->v[i].part_number));
        int64_t before = i > 0 ? list->v[i - 1].part_number : 0, number = list->v[i].part_number;
        if (all ? number != before + 1 : number <= before)
            return call_error(call, &s3_err_invalid_part_order,
                              "The list of parts was not in ascending order. Parts must be ordered "
                              "by part number.");
    }
    return ERR_OK;
}

static enum err choose(struct call *call, const struct s3_completed_part_list *list,
                       const struct s3_upload_rec *upload, const struct s3_manifest *stored,
                       struct chosen *c)
{
    *c = (struct chosen){.parts = ARENA_ARRAY(call->arena, struct s3_part_rec, list->n),
                         .kept = ARENA_ARRAY(call->arena, bool, stored->n)};
    if (!c->parts || !c->kept)
        return ERR_NOMEM;
    TRY(check_order(call, list, upload));
    size_t at = 0;
    for (size_t i = 0; i < list->n; i++) {
        const struct s3_completed_part *p = &list->v[i];
        while (at < stored->n && stored->parts[at].number < p->part_number)
            at++;
        if (at == stored->n || stored->parts[at].number != p->part_number ||
            !s3_etag_listed(p->e_tag, stored->parts[at].etag))
            return invalid_part(call, p);
        TRY(check_part_sum(call, upload, p, &stored->parts[at]));
        c->parts[c->n++] = stored->parts[at];
        c->kept[at] = true;
        c->size += stored->parts[at].size;
    }
    for (size_t i = 0; i + 1 < c->n; i++) /* of parts that are all there */
        if (c->parts[i].size < S3_PART_MIN)
            return too_small(call, &c->parts[i]);
    if (c->size > S3_OBJECT_MAX)
        return call_error(call, &s3_err_entity_too_large,
                          "Your proposed upload exceeds the maximum allowed object size.");
    return ERR_OK;
}

/* What the headers promise about the whole. */
static enum err check_whole(struct call *call, const struct s3_complete_multipart_upload_input *in,
                            const struct s3_upload_rec *upload, const struct chosen *c,
                            const struct s3_sum *sum)
{
    struct s3_claims claims = S3_CLAIMS(in);
    enum s3_algo claimed = s3_claims_algo(&claims);
    if (in->has_mpu_object_size && (uint64_t)in->mpu_object_size != c->size)
        return call_error(call, &s3_err_invalid_request,
                          "The provided 'x-amz-mp-object-size' header value %" PRId64
                          " does not match what was computed: %" PRIu64,
                          in->mpu_object_size, c->size);
    struct str type = upload->composite ? STR("COMPOSITE") : STR("FULL_OBJECT");
    if (str_is_set(in->checksum_type) && !str_eq(in->checksum_type, type))
        return call_error(call, &s3_err_invalid_request,
                          "The upload was created using the " STR_FMT
                          " checksum mode. The complete request must use the same checksum mode.",
                          STR_ARG(type));
    if (claims.unsupported || (claimed != S3_NO_CHECKSUM && claimed != sum->algo))
        return call_error(call, &s3_err_invalid_request,
                          "Checksum Type mismatch occurred, expected checksum Type: " STR_FMT,
                          STR_ARG(str_lower(call->arena, s3_algo_name(upload->algo))));
    if (claimed != S3_NO_CHECKSUM && !str_eq(claims.text[claimed], sum->text))
        return call_error(call, &s3_err_content_md5_mismatch,
                          "The " STR_FMT " you specified did not match the calculated checksum.",
                          STR_ARG(s3_algo_name(claimed)));
    return ERR_OK;
}

static enum err put_manifest(struct call *call, const struct chosen *c, struct s3_body *ret_body)
{
    struct s3_body body = {.kind = S3_BODY_PARTS, .n_parts = c->n};
    /* The first part's file names the list: unique, as a file belongs to one part alone. */
    body.id = c->parts[0].file;
    *ret_body = body;
    return S3_PUT(call->txn, key_make(call->arena, &s3_k_manifest, s3_id_str(&body.id)),
                  &s3_manifest_type, &(struct s3_manifest){c->parts, c->n});
}

static enum err give_result(struct call *call, const struct s3_complete_multipart_upload_input *in,
                            const struct s3_object_rec *rec, bool told,
                            struct s3_complete_multipart_upload_output *out)
{
    struct buf location;
    buf_init_arena(&location, call->arena, SIZE_MAX);
    buf_add_str(&location, call->core->cfg.endpoint);
    buf_add_byte(&location, '/');
    buf_add_str(&location, in->bucket);
    buf_add_byte(&location, '/');
    percent_put(&location, in->key, true);
    TRY(buf_err(&location));
    out->location = buf_str(&location);
    out->bucket = in->bucket;
    out->key = in->key;
    out->e_tag = s3_quote(call->arena, rec->etag);
    S3_TELL_SSE(out, &rec->sse);
    if (str_is_set(rec->sse.customer)) /* of no member of the model */
        TRY(call_reply_header(call, STR("x-amz-server-side-encryption-customer-algorithm"),
                              STR("AES256")));
    S3_SET_SUM(out, &rec->sum);
    out->checksum_type = s3_sum_type(&rec->sum);
    if (told)
        out->version_id = rec->version_id;
    return str_is_set(out->e_tag) ? ERR_OK : ERR_NOMEM;
}

/* --- the same completion again ---------------------------------------------------------------- */

/* A client whose answer was lost asks again: it is told of the version its upload became, for as
 * long as that is current, and for a day. *ret_again says whether that is so. */
static enum err find_done(struct call *call, const struct s3_bucket_ref *b, struct str key,
                          struct str upload_id, struct s3_object_rec *ret_rec, bool *ret_again)
{
    struct s3_seq_rec was;
    struct str value;
    *ret_again = false;
    if (upload_id.len != S3_UPLOAD_ID_LEN)
        return ERR_OK;
    enum err err =
        txn_peek(call->txn, key_make(call->arena, &s3_k_done, b->rec.id, key, upload_id), &value);
    if (err == ERR_OK) {
        TRY(record_unpack(&s3_seq_type, call->arena, value, &was));
        err = s3_current(call->txn, b->rec.id, key, false, ret_rec);
    }
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(err);
    *ret_again = ret_rec->seq == was.seq;
    return ERR_OK;
}

static enum err remember_done(struct call *call, const struct s3_bucket_ref *b, struct str key,
                              struct str upload_id, uint64_t seq)
{
    struct str done = key_make(call->arena, &s3_k_done, b->rec.id, key, upload_id);
    TRY(S3_PUT(call->txn, done, &s3_seq_type, &(struct s3_seq_rec){seq}));
    TRY(txn_put(call->txn, key_make(call->arena, &s3_k_done_since, call->txn->now_ms, upload_id),
                done));
    return s3_clean_later(call->svc, call->txn);
}

/* A condition that holds, but of what changed while the upload was under way. */
static enum err check_conditions(struct call *call,
                                 const struct s3_complete_multipart_upload_input *in,
                                 const struct s3_bucket_ref *b, const struct s3_upload_rec *upload)
{
    struct s3_object_rec current;
    bool none = str_is_set(in->if_none_match), conflict = none && upload->replaces;
    TRY(s3_check_write_conditions(call, b, in->key, in->if_match, in->if_none_match));
    if (str_is_set(in->if_match)) {
        TRY(s3_current(call->txn, b->rec.id, in->key, true, &current));
        conflict = upload->began_seq && current.seq > upload->began_seq; /* 0: an old record */
    }
    if (!conflict)
        return ERR_OK;
    TRY(call_error_detail(call, "Condition", none ? STR("If-None-Match") : STR("If-Match")));
    TRY(call_error_detail(call, "Key", in->key));
    return call_error(call, &s3_err_conditional_request_conflict,
                      "The conditional request cannot succeed due to a conflicting operation "
                      "against this resource.");
}

enum err s3_complete_multipart_upload(struct call *call,
                                      const struct s3_complete_multipart_upload_input *in,
                                      struct s3_complete_multipart_upload_output *out)
{
    struct s3 *s3 = call->svc;
    struct s3_bucket_ref b;
    struct s3_upload_rec upload;
    struct s3_manifest stored;
    struct chosen c;
    struct s3_object_rec rec = {0};
    bool more, again;
    TRY(s3_check_key(call, in->key));
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    S3_TELL_CHARGED(out, in, b.rec.flags);
    bool versions = b.rec.versioning != S3_UNVERSIONED;
    TRY(find_done(call, &b, in->key, in->upload_id, &rec, &again));
    if (again)
        return give_result(call, in, &rec, b.rec.versioning == S3_VERSIONED, out);
    rec = (struct s3_object_rec){0};
    TRY(s3_upload_find(call, &b, in->key, in->upload_id, true, &upload));
    TRY(s3_upload_key_check(call, &upload, &S3_UPLOAD_CUSTOMER(in)));
    if (!in->multipart_upload)
        return call_error(call, &s3_err_invalid_request, "You must specify at least one part");
    if (in->multipart_upload->parts.n == 0)
        return malformed(call);
    TRY(s3_parts_load(call->txn, in->upload_id, 0, S3_PARTS_MAX, &stored, &more));
    TRY(choose(call, &in->multipart_upload->parts, &upload, &stored, &c));
    TRY(s3_sum_parts(call->arena, c.parts, c.n, upload.algo, upload.composite, &rec.etag,
                     &rec.sum));
    TRY(check_whole(call, in, &upload, &c, &rec.sum));
    TRY(check_conditions(call, in, &b, &upload));
    rec.size = c.size;
    rec.attrs = upload.attrs;
    rec.sse = upload.sse;
    TRY(put_manifest(call, &c, &rec.body));
    TRY(s3_upload_remove(call, &b, in->key, in->upload_id, &stored, c.kept));
    TRY(s3_put_current(s3, call->txn, &b, in->key, &rec));
    TRY(remember_done(call, &b, in->key, in->upload_id, rec.seq));
    TRY(s3_notify(call, &b,
                  &(struct s3_happening){.event = S3_EVENT_COMPLETE,
                                         .key = in->key,
                                         .version_id = versions ? rec.version_id : STR_NONE,
                                         .etag = rec.etag,
                                         .size = rec.size,
                                         .seq = rec.seq}));
    out->expiration = s3_life_header(call->arena, &b.rec.life, in->key, &rec);
    return give_result(call, in, &rec, b.rec.versioning == S3_VERSIONED, out);
}
