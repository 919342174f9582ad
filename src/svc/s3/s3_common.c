/* Checks, errors and conversions that several operations share. See s3_int.h. Layer: svc. */
#include <inttypes.h>

#include "base/arn.h"
#include "codec/base64.h"
#include "codec/mime.h"
#include "codec/percent.h"
#include "core/account.h"
#include "svc/s3/s3_sse.h"

/* --- keys and versions ------------------------------------------------------------------------ */

static enum err bad_uri(struct call *call)
{
    return call_error(call, &s3_err_invalid_uri, "Couldn't parse the specified URI.");
}

enum err s3_check_key(struct call *call, struct str key)
{
    TRY(s3_check_key_text(call, key));
    return key.len == 0 || s3_key_leaves(key) ? bad_uri(call) : ERR_OK;
}

enum err s3_check_key_text(struct call *call, struct str key)
{
    if (!str_is_utf8(key))
        return bad_uri(call);
    if (key.len <= S3_KEY_BYTES_MAX)
        return ERR_OK;
    char size[24];
    int n = snprintf(size, sizeof(size), "%zu", key.len);
    TRY(call_error_detail(call, "Size", str_dup(call->arena, str_n(size, (size_t)n))));
    TRY(call_error_detail(call, "MaxSizeAllowed", STR("1024")));
    return call_error(call, &s3_err_key_too_long, "Your key is too long");
}

/* Who may not list the bucket is not told what is absent from it. */
enum err s3_no_such_key(struct call *call, struct str bucket, struct str key)
{
    TRY(call_authorize(call, "s3:ListBucket", s3_arn(call, bucket, STR_NONE)));
    TRY(call_error_detail(call, "Key", key));
    return call_error(call, &s3_err_no_such_key, "The specified key does not exist.");
}

enum err s3_check_list_text(struct call *call, const char *name, struct str text)
{
    if (str_is_set(text) && str_find(text, '\0') != SIZE_MAX)
        return s3_bad_argument(
            call, name, text,
            "Value must be a sequence of Unicode characters and cannot include Null.");
    return s3_check_key_text(call, text);
}

/* --- what Weir does not do -------------------------------------------------------------------- */

enum err s3_refuse_header(struct call *call, const char *header)
{
    TRY(call_error_detail(call, "Header", str_c(header)));
    return call_error(call, &s3_err_not_implemented_header,
                      "A header you provided implies functionality that is not implemented");
}

/* What makes an object, or a part of one, makes a version of its own. */
static enum err refuse_version(struct call *call)
{
    static const struct str name = STR_INIT("versionId");
    struct str rest = call->request->query;
    if (!str_is_set(rest) || str_find_str(rest, name) == SIZE_MAX)
        return ERR_OK;
    while (str_is_set(rest)) {
        struct str value = str_cut(&rest, '&'), key = str_cut(&value, '=');
        if (str_eq(key, name))
            return s3_bad_argument(call, "versionId", str_is_set(value) ? value : STR(""),
                                   "This operation does not accept a version-id.");
    }
    return ERR_OK;
}

enum err s3_refuse_headers(struct call *call)
{
    static const struct str prefix = STR_INIT("x-amz-");
    static const char sse[] = "x-amz-server-side-encryption";
    static const char context[] = "x-amz-server-side-encryption-context";
    unsigned op = call->op->index;
    bool makes =
        op == S3_OP_PUT_OBJECT || op == S3_OP_COPY_OBJECT || op == S3_OP_CREATE_MULTIPART_UPLOAD;
    if (makes || op == S3_OP_UPLOAD_PART || op == S3_OP_UPLOAD_PART_COPY)
        TRY(refuse_version(call));
    for (size_t i = 0; i < call->request->n_headers; i++) {
        const struct wire_header *h = &call->request->headers[i];
        if (h->name.len < sizeof(sse) - 1 || !str_eq_nocase(str_n(h->name.p, prefix.len), prefix))
            continue;
        if (s3_customer_header(op, h->name))
            return s3_refuse_header(call, "x-amz-server-side-encryption-customer-algorithm");
        if (!makes && str_eq_nocase(h->name, str_c(context)))
            return s3_refuse_header(call, context);
        if (!makes && str_eq_nocase(h->name, str_c(sse)))
            return s3_bad_argument(
                call, sse, h->value,
                "x-amz-server-side-encryption header is not supported for this operation.");
    }
    return ERR_OK;
}

static enum err check_class(struct call *call, struct str name)
{
    if (!str_is_set(name) || s3_class_of(name) != S3_CLASSES)
        return ERR_OK;
    if (str_eq_c(name, "GLACIER") || str_eq_c(name, "DEEP_ARCHIVE"))
        return s3_refuse_header(call, "x-amz-storage-class");
    TRY(call_error_detail(call, "StorageClassRequested", name));
    return call_error(call, &s3_err_invalid_storage_class,
                      "The storage class you specified is not valid");
}

enum err s3_check_wishes(struct call *call, const struct s3_wishes *w)
{
    if (str_eq_c(w->sse, "aws:kms:dsse") || str_eq_c(w->sse, "aws:fsx"))
        return s3_refuse_header(call, "x-amz-server-side-encryption");
    TRY(check_class(call, w->storage_class));
    return ERR_OK;
}

/* --- attributes and tags ---------------------------------------------------------------------- */

#define TAGS_HEADER_WORDS                                                                          \
    "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters "   \
    "without tag name duplicates."

static enum err check_tags_header(struct call *call, struct str header, struct s3_pairs tags)
{
    enum tags_fault fault;
    size_t at;
    TRY(tags_check(call->arena, &s3_object_tag_rules, TAGS_FROM(tags), &fault, &at));
    if (fault != TAGS_DUPLICATE) /* of a header that is a fault of its form */
        return tags_check_call(call, &s3_object_tag_rules, TAGS_FROM(tags));
    return s3_bad_argument(call, "x-amz-tagging", header, TAGS_HEADER_WORDS);
}

static enum err make_metadata(struct call *call, const struct s3_metadata *in,
                              struct s3_pairs *ret_pairs)
{
    struct s3_pair *v = ARENA_ARRAY(call->arena, struct s3_pair, in->n);
    size_t bytes = 0;
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < in->n; i++) {
        v[i].key = str_lower(call->arena, in->v[i].key);
        TRY(mime_words_decode(call->arena, in->v[i].value, &v[i].value));
        if (!str_is_set(v[i].key))
            return ERR_NOMEM;
        bytes += in->v[i].key.len + in->v[i].value.len;
    }
    if (bytes > S3_METADATA_MAX) {
        TRY(call_error_detail(call, "Size", str_fmt(call->arena, "%zu", bytes)));
        TRY(call_error_detail(call, "MaxSizeAllowed", STR("2048")));
        return call_error(call, &s3_err_metadata_too_large,
                          "Your metadata headers exceed the maximum allowed metadata size");
    }
    *ret_pairs = (struct s3_pairs){v, in->n};
    return ERR_OK;
}

/* Content-Encoding without aws-chunked, wherever it stands: that says how the request was sent, not
 * what the object is. */
static struct str object_coding(struct arena *a, struct str header)
{
    struct str kept = STR_NONE, rest = header;
    if (str_find_str(header, STR("aws-chunked")) == SIZE_MAX)
        return header;
    while (str_is_set(rest)) {
        struct str one = str_trim(str_cut(&rest, ','));
        if (one.len == 0 || str_eq_nocase(one, STR("aws-chunked")))
            continue;
        kept =
            str_is_set(kept) ? str_fmt(a, STR_FMT "," STR_FMT, STR_ARG(kept), STR_ARG(one)) : one;
    }
    return kept;
}

enum err s3_make_attrs(struct call *call, const struct s3_attrs *headers,
                       const struct s3_metadata *metadata, struct str tagging,
                       struct s3_attrs *ret_attrs)
{
    struct s3_attrs attrs = *headers;
    struct str to = attrs.website_redirect;
    if (str_is_set(to) && !str_starts(to, STR("/")) && !str_starts(to, STR("http://")) &&
        !str_starts(to, STR("https://")))
        return call_error(call, &s3_err_invalid_redirect_location,
                          "The website redirect location must have a prefix of 'http://' or "
                          "'https://' or '/'.");
    if (!str_is_set(attrs.content_type) || attrs.content_type.len == 0)
        attrs.content_type = STR("binary/octet-stream");
    if (attrs.storage_class == S3_CLASSES) /* none was asked for: another is refused */
        attrs.storage_class = S3_STANDARD;
    attrs.content_encoding = object_coding(call->arena, attrs.content_encoding);
    TRY(make_metadata(call, metadata, &attrs.metadata));
    if (str_is_set(tagging)) {
        enum err err = s3_parse_tags(call->arena, tagging, &attrs.tags);
        if (err == ERR_INVALID || err == ERR_LIMIT)
            return s3_bad_argument(call, "x-amz-tagging", tagging, TAGS_HEADER_WORDS);
        TRY(err);
        TRY(check_tags_header(call, tagging, attrs.tags));
    }
    *ret_attrs = attrs;
    return ERR_OK;
}

struct s3_tag_set s3_give_tags(struct arena *a, struct s3_pairs tags)
{
    struct s3_tag *v = ARENA_ARRAY(a, struct s3_tag, tags.n);
    for (size_t i = 0; v && i < tags.n; i++)
        v[i] = (struct s3_tag){tags.v[i].key, tags.v[i].value};
    return (struct s3_tag_set){v, v ? tags.n : 0};
}

struct str s3_quote(struct arena *a, struct str etag)
{
    return str_fmt(a, "\"" STR_FMT "\"", STR_ARG(etag));
}

/* --- integrity -------------------------------------------------------------------------------- */

enum err s3_stream_algo(struct call *call, const struct s3_claims *claims, struct str sdk_algorithm,
                        enum s3_algo *ret_algo)
{
    enum s3_algo algo = s3_claims_algo(claims);
    if (claims->unsupported)
        return s3_refuse_header(call, "x-amz-checksum");
    struct str trailer = wire_header_get(call->request, STR("x-amz-trailer"));
    if (claims->n + str_is_set(trailer) > 1)
        return call_error(call, &s3_err_invalid_request,
                          "Expecting a single x-amz-checksum- header. Multiple checksum Types are "
                          "not allowed.");
    if (str_is_set(trailer)) {
        algo = s3_algo_of_header(str_trim(trailer));
        if (algo == S3_NO_CHECKSUM)
            return call_error(call, &s3_err_invalid_request,
                              "The value specified in the x-amz-trailer header is not supported");
    }
    if (str_is_set(sdk_algorithm) && algo == S3_NO_CHECKSUM)
        return call_error(call, &s3_err_invalid_request,
                          "x-amz-sdk-checksum-algorithm specified, but no corresponding "
                          "x-amz-checksum-* or x-amz-trailer headers were found.");
    if (str_is_set(sdk_algorithm) && s3_algo_of(sdk_algorithm) != algo)
        return call_error(call, &s3_err_invalid_request,
                          "Value for x-amz-sdk-checksum-algorithm header is invalid.");
    *ret_algo = algo;
    return ERR_OK;
}

enum err s3_check_algorithm(struct call *call, struct str name)
{
    static const struct str others[] = {STR_INIT("SHA512"), STR_INIT("MD5"), STR_INIT("XXHASH64"),
                                        STR_INIT("XXHASH3"), STR_INIT("XXHASH128")};
    if (!str_is_set(name) || s3_algo_of(name) != S3_NO_CHECKSUM)
        return ERR_OK;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (str_eq(name, others[i]))
            return s3_refuse_header(call, "x-amz-checksum-algorithm");
    return call_error(call, &s3_err_invalid_request,
                      "Checksum algorithm provided is unsupported. Please try again with any of "
                      "the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
}

enum err s3_check_md5_form(struct call *call, struct str content_md5)
{
    uint8_t digest[HASH_MD5_LEN];
    size_t len;
    if (!str_is_set(content_md5))
        return ERR_OK;
    if (base64_decode_to(content_md5, digest, sizeof(digest), &len) == ERR_OK &&
        len == sizeof(digest))
        return ERR_OK;
    TRY(call_error_detail(call, "Content-MD5", content_md5));
    return call_error(call, &s3_err_invalid_digest, "The Content-MD5 you specified was invalid.");
}

static enum err compare_md5(struct call *call, struct str content_md5, const uint8_t *digest)
{
    struct str computed = base64_encode(call->arena, digest, HASH_MD5_LEN);
    if (!str_is_set(content_md5) || str_eq(content_md5, computed))
        return ERR_OK;
    TRY(call_error_detail(call, "ExpectedDigest", content_md5));
    TRY(call_error_detail(call, "CalculatedDigest", computed));
    return call_error(call, &s3_err_content_md5_mismatch,
                      "The Content-MD5 you specified did not match what we received.");
}

/* `kind`: of header that claims it. */
static enum err compare_sum(struct call *call, enum s3_algo algo, const char *kind,
                            struct str claimed, struct str computed)
{
    uint8_t raw[S3_SUM_LEN_MAX];
    size_t len;
    if (base64_decode_to(claimed, raw, sizeof(raw), &len) != ERR_OK || len != s3_algo_len(algo))
        return call_error(call, &s3_err_invalid_request, "Value for " STR_FMT " %s is invalid.",
                          STR_ARG(s3_algo_header(algo)), kind);
    if (str_eq(claimed, computed))
        return ERR_OK;
    return call_error(call, &s3_err_content_md5_mismatch,
                      "The " STR_FMT " you specified did not match the calculated checksum.",
                      STR_ARG(s3_algo_name(algo)));
}

/* The one trailer that was announced comes, and no other. */
static enum err verify_trailer(struct call *call, const struct s3_writer *w)
{
    struct str announced = wire_header_get(call->request, STR("x-amz-trailer"));
    size_t n = call->n_trailers;
    if (!str_is_set(announced) && n == 0)
        return ERR_OK;
    enum s3_algo algo = s3_algo_of_header(str_trim(announced));
    if (!str_is_set(announced) || n != 1 ||
        !str_eq_nocase(call->trailers[0].name, s3_algo_header(algo)))
        return call_error(call, &s3_err_malformed_trailer,
                          "The request contained trailing data that was not well-formed or did not "
                          "conform to our published schema.");
    return compare_sum(call, algo, "trailing header", call->trailers[0].value,
                       s3_writer_sum(w, call->arena, algo));
}

enum err s3_verify_stream(struct call *call, const struct s3_writer *w, struct str content_md5,
                          const struct s3_claims *claims)
{
    TRY(compare_md5(call, content_md5, w->md5));
    for (int i = 1; i < S3_ALGOS; i++)
        if (str_is_set(claims->text[i]))
            TRY(compare_sum(call, (enum s3_algo)i, "header", claims->text[i],
                            s3_writer_sum(w, call->arena, (enum s3_algo)i)));
    return verify_trailer(call, w);
}

enum err s3_verify_body(struct call *call, struct str content_md5)
{
    struct str body = call->request->body;
    uint8_t digest[HASH_MD5_LEN];
    TRY(s3_check_md5_form(call, content_md5));
    if (str_is_set(content_md5)) {
        hash_once(HASH_MD5, body.p ? body.p : "", body.len, digest);
        TRY(compare_md5(call, content_md5, digest));
    }
    for (int i = 1; i < S3_ALGOS; i++) {
        enum s3_algo algo = (enum s3_algo)i;
        struct str claimed = wire_header_get(call->request, s3_algo_header(algo));
        if (!str_is_set(claimed))
            continue;
        struct s3_summer s;
        uint8_t raw[S3_SUM_LEN_MAX];
        enum err err = s3_summer_init(&s, 1u << i);
        if (err == ERR_OK) {
            s3_summer_update(&s, body.p ? body.p : "", body.len);
            s3_summer_final(&s, algo, raw);
        }
        s3_summer_release(&s);
        TRY(err);
        TRY(compare_sum(call, algo, "header", claimed,
                        base64_encode(call->arena, raw, s3_algo_len(algo))));
    }
    return ERR_OK;
}

/* --- conditions ------------------------------------------------------------------------------- */

static enum err precondition_failed(struct call *call, const char *which)
{
    TRY(call_error_detail(call, "Condition", str_c(which)));
    return call_error(call, &s3_err_precondition_failed,
                      "At least one of the pre-conditions you specified did not hold");
}

/* What a writing request cannot ask for. */
static enum err check_condition_forms(struct call *call, struct str if_match,
                                      struct str if_none_match)
{
    const char *more = NULL, *header = "If-None-Match";
    if (str_is_set(if_match) && str_is_set(if_none_match)) {
        more = "Multiple conditional request headers present in the request";
        header = "If-Match,If-None-Match";
    } else if (str_is_set(if_none_match) && !str_eq_c(if_none_match, "*")) {
        more = "We don't accept the provided value of If-None-Match header for this API";
    } else if (str_eq_c(if_match, "*") && call->op->index != S3_OP_DELETE_OBJECT) {
        more = "We don't accept the provided value of If-Match header for this API";
        header = "If-Match";
    }
    if (!more)
        return ERR_OK;
    TRY(call_error_detail(call, "additionalMessage", str_c(more)));
    return s3_refuse_header(call, header);
}

enum err s3_check_write_conditions(struct call *call, const struct s3_bucket_ref *b, struct str key,
                                   struct str if_match, struct str if_none_match)
{
    struct s3_object_rec rec;
    if (!str_is_set(if_match) && !str_is_set(if_none_match))
        return ERR_OK;
    TRY(check_condition_forms(call, if_match, if_none_match));
    bool any = str_eq_c(if_match, "*");
    /* Who learns of an ETag whether it is the object's may read it (S3 User Guide, "How to perform conditional
     * deletes", "How to prevent object overwrites with conditional writes"). */
    if (str_is_set(if_match) && !any)
        TRY(call_authorize(call, "s3:GetObject", s3_arn(call, b->name, key)));
    enum err err = s3_current(call->txn, b->rec.id, key, true, &rec);
    if (err == ERR_NOT_FOUND) {
        if (any)
            return precondition_failed(call, "If-Match");
        return str_is_set(if_match) ? s3_no_such_key(call, b->name, key) : ERR_OK;
    }
    TRY(err);
    if (str_is_set(if_none_match))
        return precondition_failed(call, "If-None-Match");
    return any || s3_etag_listed(if_match, rec.etag) ? ERR_OK
                                                     : precondition_failed(call, "If-Match");
}

/* --- conversions ------------------------------------------------------------------------------ */

struct s3_owner *s3_owner_named(struct arena *a, struct str account)
{
    struct s3_owner *o = ARENA_NEW(a, struct s3_owner);
    char id[ACCOUNT_CANONICAL_CHARS];
    if (!o)
        return NULL;
    account_canonical(account, id);
    o->id = str_dup(a, str_n(id, sizeof(id)));
    return o;
}

struct s3_owner *s3_owner_of(struct call *call)
{
    return s3_owner_named(call->arena, call->account);
}

struct str s3_arn(struct call *call, struct str bucket, struct str key)
{
    const struct arn arn = {.partition = call->partition, .service = STR("s3")};
    if (!str_is_set(key))
        return arn_make(call->arena, &arn, STR_FMT, STR_ARG(bucket));
    return arn_make(call->arena, &arn, STR_FMT "/" STR_FMT, STR_ARG(bucket), STR_ARG(key));
}

struct str s3_list_text(struct arena *a, struct str s, bool url)
{
    if (!url || !str_is_set(s))
        return s;
    struct buf b;
    buf_init_arena(&b, a, SIZE_MAX);
    percent_put_form(&b, s, true);
    return buf_str(&b);
}

enum err s3_check_encoding(struct call *call, struct str encoding_type, bool *ret_url)
{
    *ret_url = str_is_set(encoding_type);
    if (!*ret_url || str_eq_c(encoding_type, "url"))
        return ERR_OK;
    return s3_bad_argument(call, "encoding-type", encoding_type,
                           "Invalid Encoding Method specified in Request");
}
