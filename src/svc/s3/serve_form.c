/* PostObject: an object that a browser posts as a form, with the caller's signature in its fields. What it stands
 * for is a PutObject with the fields for headers, and that is what becomes of it: the same permissions, the same
 * code, and another reply.
 *
 *   fields --"file" begins--> signature, policy, input, writer --bytes--> writer --end--> post: permission,
 *   s3_put_object
 *
 * The claim takes what is posted to a bucket as multipart/form-data before AWS's routing does. The fields before
 * the file are kept, those behind it say nothing; the file streams to disk. Nobody's bytes are taken whose
 * signature is wrong or whose policy does not let them in; a form without any, which only a bucket open to
 * everybody takes, is held to S3_POST_STRANGER_MAX.
 *
 * Source: S3 API Reference, "POST Object". Layer: svc. Thread: the call's loop, the sink on the worker pool. */
#include <assert.h>
#include <inttypes.h>

#include "auth/sigv4.h"
#include "base/clock.h"
#include "base/host.h"
#include "base/mem.h"
#include "codec/multipart.h"
#include "codec/percent.h"
#include "codec/xml.h"
#include "core/claim.h"
#include "svc/s3/s3_form.h"
#include "svc/s3/s3_sse.h"
#include "wire/host.h"

enum {
    S3_POST_STRANGER_MAX = 16 * 1024 * 1024,
    MATCH_ARENA_MAX = 256 * 1024,
    REPLY_MAX = 16 * 1024,
    SEE_OTHER = 303,
    SCOPE_PARTS = 5,
};

/* One form on its way. Lifetime: the call's. */
struct post {
    struct call *call;
    struct str bucket;
    struct s3_form_fields fields;
    size_t field_bytes;
    struct buf value; /* of the field that comes in */
    struct str name, filename;
    bool in_file, had_file, is_signed;
    struct s3_form_verdict verdict;
    struct s3_put_object_input *in;
    struct s3_writer *writer;
    struct multipart reader;
};

/* --- whose request it is ---------------------------------------------------------------------- */

/* The bucket that the request is posted to; STR_NONE: it names none, or an object. */
static struct str bucket_of(const struct wire_request *head)
{
    struct str host = host_bare(wire_header_get(head, STR("host"))), path = head->path;
    struct str own = wire_host_bucket(host);
    (void)str_cut(&path, '/');
    if (str_is_set(own))
        return !str_is_set(path) || path.len == 0 ? own : STR_NONE;
    struct str name = str_is_set(path) ? str_cut(&path, '/') : STR("");
    return name.len > 0 && (!str_is_set(path) || path.len == 0) ? name : STR_NONE;
}

/* Names under which nothing but AWS's own services is reached. */
static bool is_plain_host(struct str host)
{
    host = host_bare(host);
    return str_eq_c(host, "localhost") || str_starts(host, STR("s3.")) ||
           (host.len > 0 && ((host.p[0] >= '0' && host.p[0] <= '9') || host.p[0] == ':'));
}

static bool is_post(void *self, const struct wire_request *head)
{
    const struct s3_bucket_rec *rec;
    struct arena a;
    if (!str_eq_c(head->method, "POST") ||
        !str_is_set(multipart_boundary(wire_header_get(head, STR("content-type")))) ||
        str_is_set(head->query))
        return false;
    struct str bucket = bucket_of(head), host = wire_header_get(head, STR("host"));
    if (!str_is_set(bucket) || !s3_bucket_name_ok(bucket))
        return false;
    if (is_plain_host(host))
        return true;
    arena_init(&a, MATCH_ARENA_MAX);
    enum err err = s3_bucket_seen(self, &a, bucket, &rec);
    arena_release(&a);
    return err == ERR_OK;
}

/* --- fields ----------------------------------------------------------------------------------- */

static enum err malformed(struct call *call)
{
    return call_error(call, &s3_err_malformed_post_request,
                      "The body of your POST request is not well-formed multipart/form-data.");
}

static struct str field(const struct post *p, const char *name)
{
    return s3_form_get(&p->fields, name);
}

/* A field that there must be, by the name that AWS calls it. */
static enum err need(struct post *p, const char *name, const char *shown, struct str *ret_value)
{
    *ret_value = field(p, name);
    if (str_is_set(*ret_value))
        return ERR_OK;
    TRY(call_error_detail(p->call, "ArgumentName", str_c(shown)));
    TRY(call_error_detail(p->call, "ArgumentValue", STR("")));
    return call_error(
        p->call, &s3_err_invalid_argument,
        "Bucket POST must contain a field named '%s'.  If it is specified, please check the order "
        "of the fields.",
        shown);
}

/* "KEY/DATE/REGION/s3/aws4_request" */
static enum err read_scope(struct post *p, struct str credential, struct sigv4_request *sig)
{
    struct str parts[SCOPE_PARTS], rest = credential;
    size_t n = 0;
    for (; n < SCOPE_PARTS && str_is_set(rest); n++)
        parts[n] = str_cut(&rest, '/');
    if (n < SCOPE_PARTS || str_is_set(rest) || !str_eq_c(parts[4], "aws4_request"))
        return s3_bad_argument(
            p->call, "X-Amz-Credential", credential,
            "Error parsing the X-Amz-Credential parameter; the Credential is "
            "mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
    sig->access_key = parts[0];
    sig->date = parts[1];
    sig->region = parts[2];
    sig->service = parts[3];
    return ERR_OK;
}

/* The signature that the fields carry; kind SIGV4_NONE: none. */
static enum err read_signature(struct post *p, struct sigv4_request *sig)
{
    struct str algorithm, credential;
    bool v4 = str_is_set(field(p, "x-amz-signature")) || str_is_set(field(p, "x-amz-credential")) ||
              str_is_set(field(p, "x-amz-algorithm"));
    bool v2 = str_is_set(field(p, "signature")) || str_is_set(field(p, "awsaccesskeyid"));
    *sig = (struct sigv4_request){.kind = SIGV4_NONE, .decoded_length = -1};
    if (!v4 && !v2 && !str_is_set(field(p, "policy")))
        return ERR_OK;
    sig->session_token = field(p, "x-amz-security-token");
    if (!v4) {
        sig->kind = SIGV2_FORM;
        sig->service = STR("s3");
        TRY(need(p, "awsaccesskeyid", "AWSAccessKeyId", &sig->access_key));
        return need(p, "signature", "Signature", &sig->signature);
    }
    sig->kind = SIGV4_FORM;
    TRY(need(p, "x-amz-algorithm", "X-Amz-Algorithm", &algorithm));
    if (!str_eq_c(algorithm, "AWS4-HMAC-SHA256"))
        return s3_bad_argument(p->call, "X-Amz-Algorithm", algorithm,
                               "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
    TRY(need(p, "x-amz-credential", "X-Amz-Credential", &credential));
    TRY(need(p, "x-amz-date", "X-Amz-Date", &sig->timestamp));
    if (clock_parse_basic(sig->timestamp, &sig->timestamp_ms) != ERR_OK)
        return s3_bad_argument(
            p->call, "X-Amz-Date", sig->timestamp,
            "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
    TRY(need(p, "x-amz-signature", "X-Amz-Signature", &sig->signature));
    return read_scope(p, credential, sig);
}

static enum err check_policy(struct post *p)
{
    struct call *call = p->call;
    struct sigv4_request sig;
    struct str policy;
    p->verdict = (struct s3_form_verdict){.max = S3_POST_STRANGER_MAX};
    TRY(read_signature(p, &sig));
    if (sig.kind == SIGV4_NONE)
        return ERR_OK;
    TRY(need(p, "policy", "policy", &policy));
    TRY(call_form_verify(call, &sig, policy));
    p->is_signed = true;
    TRY(s3_form_judge(call->arena, policy, &p->fields, p->bucket, call->txn->wall_ms, &p->verdict));
    switch (p->verdict.outcome) {
    case S3_FORM_FITS:
        return ERR_OK;
    case S3_FORM_BAD_POLICY:
        return call_error(call, &s3_err_invalid_policy_document, STR_FMT,
                          STR_ARG(p->verdict.message));
    case S3_FORM_DENIED:
        break;
    }
    return call_error(call, &s3_err_access_denied, STR_FMT, STR_ARG(p->verdict.message));
}

/* --- the PutObject that it stands for --------------------------------------------------------- */

/* The field "tagging" is a document, where the header is a query. */
static enum err tags_header(struct call *call, struct str doc, struct str *ret_header)
{
    struct xml *root;
    struct buf b;
    enum err err = xml_parse(call->arena, doc, &root, NULL);
    const struct xml *set = err == ERR_OK ? xml_get(root, STR("TagSet")) : NULL;
    if (err == ERR_NOMEM)
        return err;
    if (err != ERR_OK || !str_eq_c(root->name, "Tagging") || !set)
        return call_error(
            call, &s3_err_malformed_xml,
            "The XML you provided was not well-formed or did not validate against our "
            "published schema");
    buf_init_arena(&b, call->arena, 3 * S3_FORM_BYTES_MAX);
    XML_EACH(set, tag)
    {
        struct str key = xml_get_str(tag, STR("Key")), value = xml_get_str(tag, STR("Value"));
        buf_add_c(&b, b.len ? "&" : "");
        percent_put_form(&b, str_is_set(key) ? key : STR(""), false);
        buf_add_byte(&b, '=');
        percent_put_form(&b, str_is_set(value) ? value : STR(""), false);
    }
    TRY(buf_err(&b));
    *ret_header = b.len ? buf_str(&b) : STR("");
    return ERR_OK;
}

/* The header that a field stands for; STR_NONE: none. */
static struct str header_of(struct str name)
{
    static const struct str same[] = {
        STR_INIT("cache-control"),    STR_INIT("content-type"), STR_INIT("content-disposition"),
        STR_INIT("content-encoding"), STR_INIT("expires"),      STR_INIT("content-md5")};
    static const struct str not_these[] = {
        STR_INIT("x-amz-algorithm"),      STR_INIT("x-amz-credential"),
        STR_INIT("x-amz-date"),           STR_INIT("x-amz-signature"),
        STR_INIT("x-amz-security-token"), STR_INIT("x-amz-checksum-algorithm")};
    if (str_eq_c(name, "acl"))
        return STR("x-amz-acl");
    for (size_t i = 0; i < ARRAY_LEN(same); i++)
        if (str_eq(same[i], name))
            return name;
    for (size_t i = 0; i < ARRAY_LEN(not_these); i++)
        if (str_eq(not_these[i], name))
            return STR_NONE;
    return str_starts(name, STR("x-amz-")) ? name : STR_NONE;
}

static const struct wire_route *put_route(const struct wire_op *op)
{
    for (size_t i = 0; i < s3_service.n_routes; i++)
        if (s3_service.routes[i].op == op)
            return &s3_service.routes[i];
    return NULL;
}

static enum err make_input(struct post *p, struct str key)
{
    struct call *call = p->call;
    const struct wire_op *op = wire_op_find(&s3_service, STR("PutObject"));
    struct wire_header *headers = ARENA_ARRAY(call->arena, struct wire_header, p->fields.n + 1);
    struct str *labels = ARENA_ARRAY(call->arena, struct str, WIRE_LABELS_MAX);
    struct wire_fault fault = {0};
    void *in = NULL;
    size_t n = 0;
    if (!headers || !labels)
        return ERR_NOMEM;
    labels[0] = p->bucket;
    labels[1] = key;
    for (size_t i = 0; i < p->fields.n; i++) {
        struct wire_header h = {header_of(p->fields.v[i].name), p->fields.v[i].value};
        if (str_eq_c(p->fields.v[i].name, "tagging")) {
            TRY(tags_header(call, h.value, &h.value));
            h.name = STR("x-amz-tagging");
        }
        if (str_is_set(h.name))
            headers[n++] = h;
    }
    struct wire_request head = {.method = STR("PUT"),
                                .path = STR("/"),
                                .headers = headers,
                                .n_headers = n,
                                .body_is_stream = true};
    struct wire_routed routed = {.outcome = WIRE_ROUTED,
                                 .service = &s3_service,
                                 .op = op,
                                 .route = put_route(op),
                                 .labels = labels,
                                 .protocol = (enum wire_protocol)s3_service.protocol};
    enum err err = wire_decode(&routed, &head, call->arena, &in, &fault);
    if (err == ERR_FAILED)
        return call_error(call, fault.error, STR_FMT, STR_ARG(fault.message));
    p->in = in;
    return err;
}

/* The algorithm may be named without a checksum, or be that of the one that comes. */
static enum err choose_algo(struct post *p, const struct s3_claims *claims, enum s3_algo *ret_algo)
{
    struct str name = field(p, "x-amz-checksum-algorithm");
    enum s3_algo algo;
    TRY(s3_stream_algo(p->call, claims, STR_NONE, &algo));
    TRY(s3_check_algorithm(p->call, name));
    if (str_is_set(name) && algo != S3_NO_CHECKSUM && algo != s3_algo_of(name))
        return call_error(p->call, &s3_err_invalid_request,
                          "Value for x-amz-checksum-algorithm header is invalid.");
    if (algo == S3_NO_CHECKSUM)
        algo = str_is_set(name) ? s3_algo_of(name) : S3_CRC64NVME;
    *ret_algo = algo;
    return ERR_OK;
}

/* As s3_put_object_body does, but that the bucket is looked up outside of a transaction. */
static enum err open_writer(struct post *p)
{
    struct call *call = p->call;
    const struct s3_put_object_input *in = p->in;
    const struct s3_bucket_rec *b = NULL;
    struct s3_claims claims = S3_CLAIMS(in);
    struct s3_cipher cipher = {0};
    struct call_sink unused;
    struct s3_attrs attrs;
    struct s3_sse sse;
    enum s3_algo algo = S3_NO_CHECKSUM;
    enum err err = s3_bucket_seen(call->svc, call->arena, p->bucket, &b);
    if (err == ERR_NOT_FOUND)
        return s3_bucket_missing(call, p->bucket);
    TRY(err);
    TRY(s3_check_key(call, in->key));
    TRY(s3_check_wishes(call, S3_WISHES(in)));
    TRY(s3_sse_choose(call, b, S3_WISHES(in), &sse));
    s3_cipher_draw(&cipher, &sse);
    TRY(S3_ATTRS(call, in, &attrs));
    TRY(s3_check_md5_form(call, in->content_md5));
    TRY(choose_algo(p, &claims, &algo));
    TRY(s3_writer_new(call->svc, 1u << algo, S3_INLINE_MAX, &cipher, &p->writer));
    p->writer->sse = sse;
    return s3_writer_sink(p->writer, call, &unused); /* goes with the call */
}

/* The fields are complete: the file begins. */
static enum err begin_file(struct post *p)
{
    struct str key;
    TRY(need(p, "key", "key", &key));
    key = s3_form_key(p->call->arena, key, p->filename);
    if (!str_is_set(key))
        return ERR_NOMEM;
    for (size_t i = 0; i < p->fields.n; i++)
        if (str_eq_c(p->fields.v[i].name, "key"))
            p->fields.v[i].value = key;
    TRY(check_policy(p));
    TRY(make_input(p, key));
    return open_writer(p);
}

/* --- the body --------------------------------------------------------------------------------- */

static enum err too_long(struct post *p)
{
    return call_error(p->call, &s3_err_max_post_pre_data_length_exceeded,
                      "Your POST request fields preceeding the upload file was too large.");
}

/* One field has one value: the policy must not judge another than becomes the object's. */
static bool is_there(const struct post *p)
{
    bool there = false;
    for (size_t i = 0; i < p->fields.n && !there; i++)
        there = str_eq(p->fields.v[i].name, p->name);
    return there && !str_starts(p->name, STR("x-ignore-"));
}

static enum err on_part(void *arg, const struct multipart_head *head)
{
    struct post *p = arg;
    struct arena *a = p->call->arena;
    p->name = str_lower(a, head->name);
    if (!str_is_set(p->name))
        return ERR_NOMEM;
    buf_clear(&p->value);
    p->in_file = false;
    if (p->had_file)
        return ERR_OK;
    if (!str_eq_c(p->name, "file"))
        return is_there(p) ? malformed(p->call) : ERR_OK;
    p->filename = str_dup(a, str_is_set(head->filename) ? head->filename : STR(""));
    if (!str_is_set(p->filename))
        return ERR_NOMEM;
    p->in_file = p->had_file = true;
    return begin_file(p);
}

static enum err size_error(struct post *p, bool large)
{
    struct call *call = p->call;
    int64_t limit = large ? p->verdict.max : p->verdict.min;
    TRY(call_error_detail(call, "ProposedSize", str_fmt(call->arena, "%" PRIu64, p->writer->size)));
    TRY(call_error_detail(call, large ? "MaxSizeAllowed" : "MinSizeAllowed",
                          str_fmt(call->arena, "%" PRId64, limit)));
    return large ? call_error(call, &s3_err_entity_too_large,
                              "Your proposed upload exceeds the maximum allowed size")
                 : call_error(call, &s3_err_entity_too_small,
                              "Your proposed upload is smaller than the minimum allowed size");
}

static enum err on_data(void *arg, const void *bytes, size_t len)
{
    struct post *p = arg;
    if (p->in_file) {
        TRY(s3_writer_write(p->writer, bytes, len));
        return p->writer->size > (uint64_t)p->verdict.max ? size_error(p, true) : ERR_OK;
    }
    if (p->had_file)
        return ERR_OK;
    p->field_bytes += len;
    if (p->field_bytes > S3_FORM_BYTES_MAX)
        return too_long(p);
    buf_add(&p->value, bytes, len);
    return buf_err(&p->value);
}

static enum err on_end(void *arg)
{
    struct post *p = arg;
    if (p->had_file)
        return ERR_OK;
    p->field_bytes += p->name.len;
    if (p->fields.n == S3_FORM_FIELDS_MAX || p->field_bytes > S3_FORM_BYTES_MAX)
        return too_long(p);
    struct str value = p->value.len ? str_dup(p->call->arena, buf_str(&p->value)) : STR("");
    p->fields.v[p->fields.n++] = (struct s3_form_field){p->name, value};
    return str_is_set(value) ? ERR_OK : ERR_NOMEM;
}

static const struct multipart_events events = {on_part, on_data, on_end};

static enum err sink_write(void *ctx, const void *bytes, size_t len)
{
    struct post *p = ctx;
    enum err err = multipart_feed(&p->reader, bytes, len);
    return err == ERR_INVALID || err == ERR_LIMIT ? malformed(p->call) : err;
}

static enum err sink_finish(void *ctx)
{
    struct post *p = ctx;
    if (multipart_finish(&p->reader) != ERR_OK)
        return malformed(p->call);
    if (!p->had_file)
        return s3_bad_argument(p->call, "file", STR("0"),
                               "POST requires exactly one file upload per request.");
    if (p->writer->size < (uint64_t)p->verdict.min)
        return size_error(p, false);
    return s3_writer_finish(p->writer);
}

static void sink_abort(void *ctx)
{
    (void)ctx;
}

static void post_free(void *arg)
{
    struct post *p = arg;
    buf_release(&p->value);
    mem_free(p);
}

static enum err open_post(struct call *call, const void *in, struct call_sink *ret_sink)
{
    struct str type = wire_header_get(call->request, STR("content-type"));
    struct post *p = mem_calloc(1, sizeof(*p));
    (void)in;
    if (!p)
        return ERR_NOMEM;
    buf_init(&p->value, S3_FORM_BYTES_MAX);
    p->call = call;
    p->bucket = bucket_of(call->request);
    multipart_init(&p->reader, multipart_boundary(type), &events, p);
    enum err err = arena_on_release(call->arena, post_free, p);
    if (err != ERR_OK) {
        post_free(p);
        return err;
    }
    call->state = p;
    TRY(call_claim_cors(call, p->bucket));
    *ret_sink = (struct call_sink){p, sink_write, NULL, sink_finish, sink_abort};
    return ERR_OK;
}

/* --- the reply -------------------------------------------------------------------------------- */

/* "http://host/bucket/key" as the request was sent. */
static struct str location_of(const struct post *p)
{
    struct call *call = p->call;
    struct buf b;
    struct str host = wire_header_get(call->request, STR("host"));
    buf_init_arena(&b, call->arena, REPLY_MAX);
    buf_add_fmt(&b, "%s://" STR_FMT "/", call->request->tls ? "https" : "http", STR_ARG(host));
    if (!str_is_set(wire_host_bucket(host_bare(host))))
        buf_add_fmt(&b, STR_FMT "/", STR_ARG(p->bucket));
    percent_put(&b, p->in->key, true);
    return buf_err(&b) == ERR_OK ? buf_str(&b) : STR_NONE;
}

/* Where the browser is sent; STR_NONE: nowhere. */
static enum err redirect_of(const struct post *p, struct str e_tag, struct str *ret_url)
{
    struct str url = field(p, "success_action_redirect");
    struct buf b;
    if (!str_is_set(url))
        url = field(p, "redirect");
    *ret_url = STR_NONE;
    if (!str_is_set(url) || !(str_starts(url, STR("http://")) || str_starts(url, STR("https://"))))
        return ERR_OK;
    buf_init_arena(&b, p->call->arena, 4 * S3_FORM_BYTES_MAX);
    buf_add_str(&b, url);
    buf_add_c(&b, str_find(url, '?') == SIZE_MAX ? "?" : "&");
    BUF_ADD_LIT(&b, "bucket=");
    percent_put(&b, p->bucket, false);
    BUF_ADD_LIT(&b, "&key=");
    percent_put(&b, p->in->key, false);
    BUF_ADD_LIT(&b, "&etag=");
    percent_put(&b, e_tag, false);
    *ret_url = buf_str(&b);
    return buf_err(&b);
}

static enum err put_document(const struct post *p, struct str location, struct str e_tag)
{
    struct buf b;
    buf_init_arena(&b, p->call->arena, REPLY_MAX);
    xml_put_decl(&b);
    BUF_ADD_LIT(&b, "<PostResponse>");
    xml_put_str(&b, STR("Location"), location);
    xml_put_str(&b, STR("Bucket"), p->bucket);
    xml_put_str(&b, STR("Key"), p->in->key);
    xml_put_str(&b, STR("ETag"), e_tag);
    BUF_ADD_LIT(&b, "</PostResponse>");
    TRY(buf_err(&b));
    call_reply_status(p->call, 201);
    call_reply_raw(p->call, STR("application/xml"), buf_str(&b));
    return ERR_OK;
}

static enum err give_headers(struct call *call, struct str location,
                             const struct s3_put_object_output *out)
{
    const struct {
        const char *name;
        struct str value;
    } headers[] = {
        {"x-amz-request-id", call->request_id},
        {"x-amz-id-2", call->core->cfg.host_id},
        {"Server", s3_service.server},
        {"ETag", out->e_tag},
        {"Location", location},
        {"x-amz-version-id", out->version_id},
        {"x-amz-expiration", out->expiration},
        {"x-amz-server-side-encryption", out->server_side_encryption},
        {"x-amz-server-side-encryption-aws-kms-key-id", out->ssekms_key_id},
        {"x-amz-server-side-encryption-customer-algorithm", out->sse_customer_algorithm},
        {"x-amz-server-side-encryption-customer-key-MD5", out->sse_customer_key_md5},
    };
    for (size_t i = 0; i < ARRAY_LEN(headers); i++)
        if (str_is_set(headers[i].value))
            TRY(call_reply_header(call, str_c(headers[i].name), headers[i].value));
    return ERR_OK;
}

static enum err give_reply(const struct post *p, const struct s3_put_object_output *out)
{
    struct call *call = p->call;
    struct str location = location_of(p), status = field(p, "success_action_status"), url;
    if (!str_is_set(location))
        return ERR_NOMEM;
    TRY(redirect_of(p, out->e_tag, &url));
    TRY(give_headers(call, str_is_set(url) ? url : location, out));
    if (!str_is_set(url) && str_eq_c(status, "201"))
        return put_document(p, location, out->e_tag);
    call_reply_status(call, str_is_set(url) ? SEE_OTHER : str_eq_c(status, "200") ? 200 : 204);
    call_reply_raw(call, STR_NONE, STR(""));
    return ERR_OK;
}

/* --- the claim -------------------------------------------------------------------------------- */

static enum err post(struct call *call, const void *in, void *out)
{
    struct post *p = call->state;
    (void)in;
    assert(p->in && p->writer);
    call->sink->ctx = p->writer; /* where s3_put_object finds it */
    if (p->is_signed)
        TRY(call_form_signer(call));
    TRY(call_claim_authorize(call, p->in));
    TRY(s3_put_object(call, p->in, out));
    return give_reply(p, out);
}

enum err s3_post_start(struct s3 *s3)
{
    /* PutObject in all but how it is asked for. */
    s3->post_op = *wire_op_find(&s3_service, STR("PutObject"));
    s3->post_op.name = STR("PostObject");
    s3->post_op.flags |= WIRE_OP_UNSIGNED;
    s3->post_op.run = post;
    s3->post_op.body = open_post;
    s3->post_claim = (struct core_claim){.match = is_post, .op = &s3->post_op, .self = s3};
    return core_claim(s3->core, &s3->post_claim);
}

bool s3_post_claimed(const struct call *call, struct s3_claimed *ret_what)
{
    const struct s3 *s3 = call->svc;
    const struct post *p = call->state;
    if (call->op != &s3->post_op || !p)
        return false;
    *ret_what = (struct s3_claimed){.bucket = p->bucket,
                                    .key = p->in ? p->in->key : STR_NONE,
                                    .has_size = p->in && p->writer,
                                    .size = p->writer ? p->writer->size : 0};
    return true;
}
