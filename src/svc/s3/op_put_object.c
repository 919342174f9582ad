/* PutObject. Layer: svc. */
#include "svc/s3/s3_acl.h"
#include "svc/s3/s3_life.h"
#include "svc/s3/s3_lock.h"
#include "svc/s3/s3_sse.h"

/* Before the body: what can be refused without reading it. */
enum err s3_put_object_body(struct call *call, const struct s3_put_object_input *in,
                            struct call_sink *ret_sink)
{
    struct s3_bucket_ref b;
    struct s3_writer *w;
    struct s3_claims claims = S3_CLAIMS(in);
    enum s3_algo algo;
    struct s3_attrs attrs;
    struct s3_sse sse;
    struct s3_cipher cipher = {0};
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    TRY(s3_check_key(call, in->key));
    TRY(s3_check_wishes(call, S3_WISHES(in)));
    TRY(s3_sse_choose(call, &b.rec, S3_WISHES(in), &sse));
    s3_cipher_draw(&cipher, &sse);
    if (in->has_write_offset_bytes)
        return call_error(call, &s3_err_not_implemented,
                          "Appending to objects is not supported by Weir. See docs/reference.");
    TRY(s3_check_md5_form(call, in->content_md5));
    TRY(S3_ATTRS(call, in, &attrs));
    TRY(s3_acl_choose(call, &b, in->key, S3_ACL_ASK_HEADERS(in), &attrs));
    TRY(s3_lock_choose(call, &b, in->key, S3_WISHES(in), &attrs.lock));
    TRY(s3_stream_algo(call, &claims, in->checksum_algorithm, &algo));
    TRY(s3_check_write_conditions(call, &b, in->key, in->if_match, in->if_none_match));
    if (in->has_content_length && (uint64_t)in->content_length > S3_PUT_MAX)
        return call_error(call, &s3_err_entity_too_large,
                          "Your proposed upload exceeds the maximum allowed size");
    if (algo == S3_NO_CHECKSUM)
        algo = S3_CRC64NVME;
    TRY(s3_writer_new(call->svc, 1u << algo, S3_INLINE_MAX, &cipher, &w));
    w->sse = sse;
    return s3_writer_sink(w, call, ret_sink);
}

static enum s3_algo only_algo(uint32_t algos)
{
    for (int i = 1; i < S3_ALGOS; i++)
        if (algos & 1u << i)
            return (enum s3_algo)i;
    return S3_NO_CHECKSUM;
}

enum err s3_put_object(struct call *call, const struct s3_put_object_input *in,
                       struct s3_put_object_output *out)
{
    struct s3 *s3 = call->svc;
    struct s3_writer *w = call->sink->ctx;
    struct s3_claims claims = S3_CLAIMS(in);
    struct s3_bucket_ref b;
    struct s3_object_rec rec = {.size = w->size};
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    S3_TELL_CHARGED(out, in, b.rec.flags);
    TRY(s3_verify_stream(call, w, in->content_md5, &claims));
    TRY(s3_check_write_conditions(call, &b, in->key, in->if_match, in->if_none_match));
    TRY(S3_ATTRS(call, in, &rec.attrs));
    TRY(s3_acl_choose(call, &b, in->key, S3_ACL_ASK_HEADERS(in), &rec.attrs));
    TRY(s3_lock_choose(call, &b, in->key, S3_WISHES(in), &rec.attrs.lock));
    enum s3_algo algo = only_algo(w->summer.algos);
    rec.etag = s3_writer_etag(w, call->arena);
    rec.sum = (struct s3_sum){.algo = algo, .text = s3_writer_sum(w, call->arena, algo)};
    if (!str_is_set(rec.etag) || !str_is_set(rec.sum.text))
        return ERR_NOMEM;
    rec.sse = w->sse;
    TRY(s3_sse_seal(call, &b, in->key, &w->cipher, &rec.sse));
    TRY(s3_writer_stage(w, call->txn, &(struct s3_made_for){b.rec.id, in->key}, &rec.body));
    TRY(s3_put_current(s3, call->txn, &b, in->key, &rec));
    bool versions = b.rec.versioning != S3_UNVERSIONED;
    TRY(s3_notify(call, &b,
                  &(struct s3_happening){.event = S3_EVENT_PUT,
                                         .key = in->key,
                                         .version_id = versions ? rec.version_id : STR_NONE,
                                         .etag = rec.etag,
                                         .size = rec.size,
                                         .seq = rec.seq}));
    out->e_tag = s3_quote(call->arena, rec.etag);
    S3_TELL_SSE(out, &rec.sse);
    S3_TELL_CUSTOMER(out, in);
    out->ssekms_encryption_context = in->ssekms_encryption_context;
    S3_SET_SUM(out, &rec.sum);
    out->checksum_type = s3_sum_type(&rec.sum);
    out->expiration = s3_life_header(call->arena, &b.rec.life, in->key, &rec);
    if (b.rec.versioning == S3_VERSIONED) /* "null" is not told */
        out->version_id = rec.version_id;
    return str_is_set(out->e_tag) ? ERR_OK : ERR_NOMEM;
}
