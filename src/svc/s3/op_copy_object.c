/* CopyObject and UploadPartCopy. Layer: svc. */
#include <inttypes.h>

#include "svc/s3/s3_acl.h"
#include "svc/s3/s3_copy.h"
#include "svc/s3/s3_life.h"
#include "svc/s3/s3_lock.h"
#include "svc/s3/s3_sse.h"
#include "svc/s3/s3_upload.h"

/* --- CopyObject ------------------------------------------------------------------------------- */

static bool replaces(struct str directive)
{
    return str_eq_c(directive, "REPLACE");
}

static enum err check_directive(struct call *call, const char *header, struct str value,
                                const char *message)
{
    bool known = !str_is_set(value) || str_eq_c(value, "COPY") || replaces(value);
    return known ? ERR_OK : s3_bad_argument(call, header, value, message);
}

static enum err check_copy(struct call *call, const struct s3_copy_object_input *in,
                           const struct s3_bucket_rec *b)
{
    struct s3_copy_source from;
    TRY(s3_check_key(call, in->key));
    if (str_is_set(wire_header_get(call->request, STR("x-amz-copy-source-range"))))
        return s3_refuse_header(call, "x-amz-copy-source-range"); /* a part has it */
    TRY(s3_check_wishes(call, S3_WISHES(in)));
    TRY(check_directive(call, "x-amz-metadata-directive", in->metadata_directive,
                        "Unknown metadata directive."));
    TRY(check_directive(call, "x-amz-tagging-directive", in->tagging_directive,
                        "Unknown tagging directive."));
    if (s3_parse_copy_source(call->arena, in->copy_source, &from) != ERR_OK)
        return ERR_OK; /* said where the source is looked up */
    bool itself = str_eq(from.bucket, in->bucket) && str_eq(from.key, in->key) &&
                  !str_is_set(from.version_id);
    bool changes = replaces(in->metadata_directive) || str_is_set(in->storage_class) ||
                   str_is_set(in->website_redirect_location) ||
                   str_is_set(in->server_side_encryption) ||
                   str_is_set(in->sse_customer_algorithm) ||
                   str_is_set(in->copy_source_sse_customer_algorithm) ||
                   (b->flags & S3_HAS_SSE); /* it may be encrypted otherwise by now */
    if (itself && !changes)
        return call_error(call, &s3_err_invalid_request,
                          "This copy request is illegal because it is trying to copy an object to "
                          "itself without changing the object's metadata, storage class, website "
                          "redirect location or encryption attributes.");
    return ERR_OK;
}

/* Tags that come along are read there and written here. */
static enum err authorize_tags(struct call *call, const struct s3_copy_object_input *in,
                               const struct s3_copy *copy)
{
    struct s3_copy_source from;
    if (replaces(in->tagging_directive) || copy->source.attrs.tags.n == 0)
        return ERR_OK;
    TRY(s3_parse_copy_source(call->arena, in->copy_source, &from));
    TRY(call_authorize(
        call, str_is_set(from.version_id) ? "s3:GetObjectVersionTagging" : "s3:GetObjectTagging",
        s3_arn(call, from.bucket, from.key)));
    return call_authorize(call, "s3:PutObjectTagging", s3_arn(call, in->bucket, in->key));
}

static enum s3_algo algo_of_copy(const struct s3_copy_object_input *in, const struct s3_copy *copy)
{
    enum s3_algo algo = s3_algo_of(in->checksum_algorithm);
    if (algo == S3_NO_CHECKSUM)
        algo = copy->source.sum.algo;
    return algo == S3_NO_CHECKSUM ? S3_CRC64NVME : algo;
}

static enum err start_copy(struct call *call, const struct s3_copy_object_input *in,
                           struct s3_copy **ret_copy)
{
    struct s3_bucket_ref b;
    struct s3_attrs attrs;
    struct s3_lock lock;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    TRY(s3_acl_choose(call, &b, in->key, S3_ACL_ASK_HEADERS(in), &attrs));
    TRY(s3_lock_choose(call, &b, in->key, S3_WISHES(in), &lock));
    TRY(check_copy(call, in, &b.rec));
    TRY(s3_check_algorithm(call, in->checksum_algorithm));
    TRY(s3_copy_find(call, in->copy_source, in->expected_source_bucket_owner,
                     S3_COPY_CONDITIONS(call, in), &S3_SOURCE_CUSTOMER(in), ret_copy));
    struct s3_copy *copy = *ret_copy;
    TRY(authorize_tags(call, in, copy));
    if (copy->source.size > S3_PUT_MAX)
        return call_error(call, &s3_err_invalid_request,
                          "The specified copy source is larger than the maximum allowable size for "
                          "a copy source: 5368709120");
    TRY(s3_sse_choose(call, &b.rec, S3_WISHES(in), &copy->sse));
    struct s3_copy_form form = {.algos = 1u << algo_of_copy(in, copy), .inline_max = S3_INLINE_MAX};
    s3_cipher_draw(&form.cipher, &copy->sse);
    return s3_copy_start(call, copy, 0, copy->source.size, &form);
}

static enum err copied_attrs(struct call *call, const struct s3_copy_object_input *in,
                             const struct s3_bucket_ref *b, const struct s3_copy *copy,
                             struct s3_attrs *ret_attrs)
{
    struct s3_attrs asked;
    TRY(S3_ATTRS(call, in, &asked));
    TRY(s3_acl_choose(call, b, in->key, S3_ACL_ASK_HEADERS(in), &asked));
    TRY(s3_lock_choose(call, b, in->key, S3_WISHES(in), &asked.lock));
    struct s3_attrs attrs = replaces(in->metadata_directive) ? asked : copy->source.attrs;
    attrs.tags = replaces(in->tagging_directive) ? asked.tags : copy->source.attrs.tags;
    attrs.website_redirect = in->website_redirect_location; /* never copied, as the next */
    attrs.storage_class = asked.storage_class;
    attrs.acl = asked.acl;
    attrs.owner = asked.owner;
    attrs.lock = asked.lock;
    *ret_attrs = attrs;
    return ERR_OK;
}

static enum err commit_copy(struct call *call, const struct s3_copy_object_input *in,
                            struct s3_copy *copy, struct s3_copy_object_output *out)
{
    struct s3 *s3 = call->svc;
    struct s3_writer *w = copy->writer;
    struct s3_bucket_ref b;
    struct s3_object_rec rec = {.size = w->size};
    enum s3_algo algo = algo_of_copy(in, copy);
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    TRY(s3_check_write_conditions(call, &b, in->key, in->if_match, in->if_none_match));
    TRY(copied_attrs(call, in, &b, copy, &rec.attrs));
    rec.etag = s3_writer_etag(w, call->arena);
    rec.sum = (struct s3_sum){.algo = algo, .text = s3_writer_sum(w, call->arena, algo)};
    rec.sse = copy->sse;
    TRY(s3_sse_seal(call, &b, in->key, &w->cipher, &rec.sse));
    TRY(s3_writer_stage(w, call->txn, &(struct s3_made_for){b.rec.id, in->key}, &rec.body));
    TRY(s3_put_current(s3, call->txn, &b, in->key, &rec));
    bool versions = b.rec.versioning != S3_UNVERSIONED;
    TRY(s3_notify(call, &b,
                  &(struct s3_happening){.event = S3_EVENT_COPY,
                                         .key = in->key,
                                         .version_id = versions ? rec.version_id : STR_NONE,
                                         .etag = rec.etag,
                                         .size = rec.size,
                                         .seq = rec.seq}));
    struct s3_copy_object_result *result = ARENA_NEW(call->arena, struct s3_copy_object_result);
    if (!result)
        return ERR_NOMEM;
    result->e_tag = s3_quote(call->arena, rec.etag);
    WIRE_SET(result, last_modified, rec.modified_ms);
    S3_SET_SUM(result, &rec.sum);
    result->checksum_type = s3_sum_type(&rec.sum);
    out->copy_object_result = result;
    S3_TELL_CHARGED(out, in, b.rec.flags);
    S3_TELL_CHARGED(out, in, copy->source_flags);
    out->expiration = s3_life_header(call->arena, &b.rec.life, in->key, &rec);
    S3_TELL_SSE(out, &rec.sse);
    S3_TELL_CUSTOMER(out, in);
    out->ssekms_encryption_context = in->ssekms_encryption_context;
    if (b.rec.versioning == S3_VERSIONED)
        out->version_id = rec.version_id;
    if (copy->source_versioned)
        out->copy_source_version_id = copy->source.version_id;
    return ERR_OK;
}

enum err s3_copy_object(struct call *call, const struct s3_copy_object_input *in,
                        struct s3_copy_object_output *out)
{
    struct s3_copy *copy = call->state;
    if (copy)
        TRY(s3_copy_result(call, copy));
    else
        TRY(start_copy(call, in, &copy));
    return commit_copy(call, in, copy, out);
}

/* --- UploadPartCopy --------------------------------------------------------------------------- */

static enum err bad_range(struct call *call, struct str range, uint64_t size)
{
    struct str message = str_fmt(
        call->arena, "Range specified is not valid for source object of size: %" PRIu64, size);
    return str_is_set(message) ? s3_bad_argument(call, "x-amz-copy-source-range", range, message.p)
                               : ERR_NOMEM;
}

static enum err start_part(struct call *call, const struct s3_upload_part_copy_input *in,
                           struct s3_copy **ret_copy)
{
    struct s3_bucket_ref b;
    struct s3_upload_rec upload;
    TRY(s3_check_key(call, in->key));
    TRY(s3_check_part_number(call, in->part_number));
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    TRY(s3_upload_find(call, &b, in->key, in->upload_id, false, &upload));
    TRY(s3_copy_find(call, in->copy_source, in->expected_source_bucket_owner,
                     S3_COPY_CONDITIONS(call, in), &S3_SOURCE_CUSTOMER(in), ret_copy));
    struct s3_copy *copy = *ret_copy;
    uint64_t from = 0, last = copy->source.size - 1;
    if (str_is_set(in->copy_source_range)) {
        if (s3_parse_copy_range(in->copy_source_range, &from, &last) != ERR_OK)
            return s3_bad_argument(call, "x-amz-copy-source-range", in->copy_source_range,
                                   "The x-amz-copy-source-range value must be of the form "
                                   "bytes=first-last where first and last are the zero-based "
                                   "offsets of the first and last bytes to copy");
        if (last >= copy->source.size)
            return bad_range(call, in->copy_source_range, copy->source.size);
    }
    uint64_t len = copy->source.size == 0 ? 0 : last - from + 1;
    if (len > S3_PUT_MAX)
        return call_error(call, &s3_err_invalid_request,
                          "The specified copy source is larger than the maximum allowable size for "
                          "a copy source: 5368709120");
    struct s3_copy_form form = {.algos = 1u << upload.algo};
    TRY(s3_sse_need(call, &b, in->key, &upload.sse, &S3_UPLOAD_CUSTOMER(in), &form.cipher));
    copy->sse = upload.sse;
    return s3_copy_start(call, copy, from, len, &form);
}

enum err s3_upload_part_copy(struct call *call, const struct s3_upload_part_copy_input *in,
                             struct s3_upload_part_copy_output *out)
{
    struct s3_copy *copy = call->state;
    struct s3_bucket_ref b;
    struct s3_part_rec part;
    if (copy)
        TRY(s3_copy_result(call, copy));
    else
        TRY(start_part(call, in, &copy));
    TRY(s3_part_commit(call, in->bucket, in->expected_bucket_owner, in->key, in->upload_id,
                       in->part_number, copy->writer, &b, &part));
    S3_TELL_CHARGED(out, in, b.rec.flags);
    S3_TELL_CHARGED(out, in, copy->source_flags);
    struct s3_copy_part_result *result = ARENA_NEW(call->arena, struct s3_copy_part_result);
    if (!result)
        return ERR_NOMEM;
    result->e_tag = s3_quote(call->arena, part.etag);
    WIRE_SET(result, last_modified, part.modified_ms);
    S3_SET_SUM(result, &part.sum);
    out->copy_part_result = result;
    S3_TELL_SSE(out, &copy->sse);
    S3_TELL_CUSTOMER(out, in);
    if (copy->source_versioned)
        out->copy_source_version_id = copy->source.version_id;
    return ERR_OK;
}
