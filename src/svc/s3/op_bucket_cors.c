/* Put-, Get- and DeleteBucketCors, and the rules as core asks for them (core/cors.h).
 *
 * Source: S3 API Reference, "PutBucketCors", "CORSRule". Layer: svc. */
#include "svc/s3/s3_int.h"

enum { ID_BYTES_MAX = 255, CORS_BYTES_MAX = 64 * 1024 };

/* --- the rules of a request's bucket ----------------------------------------------------------- */

enum err s3_cors_rules(void *self, struct arena *a, const struct wire_routed *routed,
                       const struct cors_rule **ret_rules, size_t *ret_n)
{
    const struct s3_bucket_rec *rec = NULL;
    enum err err = s3_bucket_seen(self, a, routed->bucket, &rec);
    *ret_rules = rec ? rec->cors.v : NULL;
    *ret_n = rec ? rec->cors.n : 0;
    return err;
}

/* --- reading the request ----------------------------------------------------------------------- */

static enum err invalid(struct call *call, const char *format, struct str value)
{
    struct str text = str_fmt(call->arena, format, STR_ARG(value));
    return str_is_set(text) ? call_error(call, &s3_err_invalid_request, STR_FMT, STR_ARG(text))
                            : ERR_NOMEM;
}

static size_t stars(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += s.p[i] == '*';
    return n;
}

static bool is_method(struct str s)
{
    static const struct str methods[] = {STR_INIT("GET"), STR_INIT("PUT"), STR_INIT("POST"),
                                         STR_INIT("DELETE"), STR_INIT("HEAD")};
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (str_eq(s, methods[i]))
            return true;
    return false;
}

static enum err check_texts(struct call *call, const struct cors_rule *r)
{
    for (size_t i = 0; i < r->methods.n; i++)
        if (!is_method(r->methods.v[i]))
            return invalid(
                call,
                "Found unsupported HTTP method in CORS config. Unsupported method is " STR_FMT,
                r->methods.v[i]);
    for (size_t i = 0; i < r->origins.n; i++)
        if (stars(r->origins.v[i]) > 1)
            return invalid(call,
                           "AllowedOrigin \"" STR_FMT "\" can not have more than one wildcard.",
                           r->origins.v[i]);
    for (size_t i = 0; i < r->headers.n; i++)
        if (stars(r->headers.v[i]) > 1)
            return invalid(call,
                           "AllowedHeader \"" STR_FMT "\" can not have more than one wildcard.",
                           r->headers.v[i]);
    for (size_t i = 0; i < r->expose.n; i++)
        if (stars(r->expose.v[i]) > 0)
            return invalid(call,
                           "ExposeHeader \"" STR_FMT "\" contains wildcard. We currently do not "
                           "support wildcard for ExposeHeader.",
                           r->expose.v[i]);
    return ERR_OK;
}

static enum err take_rule(struct call *call, const struct s3_cors_rule *in, struct cors_rule *r)
{
    *r = (struct cors_rule){
        .id = in->id,
        .origins = {in->allowed_origins.v, in->allowed_origins.n},
        .methods = {in->allowed_methods.v, in->allowed_methods.n},
        .headers = {in->allowed_headers.v, in->allowed_headers.n},
        .expose = {in->expose_headers.v, in->expose_headers.n},
        .has_max_age = in->has_max_age_seconds,
        .max_age_s = in->max_age_seconds,
    };
    if (r->origins.n == 0 || r->methods.n == 0)
        return call_error(
            call, &s3_err_malformed_xml,
            "The XML you provided was not well-formed or did not validate against our "
            "published schema");
    if (in->id.len > ID_BYTES_MAX)
        return call_error(call, &s3_err_invalid_request,
                          "The ID of a CORS rule is at most 255 characters long.");
    return check_texts(call, r);
}

static enum err take_rules(struct call *call, const struct s3_cors_rules *in, struct s3_cors *cors)
{
    if (in->n == 0 || in->n > S3_CORS_RULES_MAX)
        return call_error(
            call, &s3_err_malformed_xml,
            "The XML you provided was not well-formed or did not validate against our "
            "published schema");
    *cors = (struct s3_cors){ARENA_ARRAY(call->arena, struct cors_rule, in->n), in->n};
    if (!cors->v)
        return ERR_NOMEM;
    for (size_t i = 0; i < in->n; i++)
        TRY(take_rule(call, &in->v[i], &cors->v[i]));
    return ERR_OK;
}

enum err s3_put_bucket_cors(struct call *call, const struct s3_put_bucket_cors_input *in,
                            struct s3_put_bucket_cors_output *out)
{
    struct s3_bucket_ref b;
    TRY(s3_verify_body(call, in->content_md5));
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    if (call->request->body.len > CORS_BYTES_MAX)
        return call_error(call, &s3_err_malformed_xml,
                          "The CORS configuration is at most 64 KiB long");
    TRY(take_rules(call, &in->cors_configuration->cors_rules, &b.rec.cors));
    return s3_bucket_put(call->svc, call->txn, &b);
}

/* --- showing and removing ----------------------------------------------------------------------- */

static void show(const struct cors_rule *r, struct s3_cors_rule *out)
{
    out->id = r->id;
    out->allowed_origins = (struct s3_allowed_origins){(struct str *)r->origins.v, r->origins.n};
    out->allowed_methods = (struct s3_allowed_methods){(struct str *)r->methods.v, r->methods.n};
    out->allowed_headers = (struct s3_allowed_headers){(struct str *)r->headers.v, r->headers.n};
    out->expose_headers = (struct s3_expose_headers){(struct str *)r->expose.v, r->expose.n};
    if (r->has_max_age)
        WIRE_SET(out, max_age_seconds, r->max_age_s);
}

enum err s3_get_bucket_cors(struct call *call, const struct s3_get_bucket_cors_input *in,
                            struct s3_get_bucket_cors_output *out)
{
    struct s3_bucket_ref b;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    if (b.rec.cors.n == 0) {
        TRY(call_error_detail(call, "BucketName", in->bucket));
        return call_error(call, &s3_err_no_such_cors_configuration,
                          "The CORS configuration does not exist");
    }
    struct s3_cors_rule *rules = ARENA_ARRAY(call->arena, struct s3_cors_rule, b.rec.cors.n);
    if (!rules)
        return ERR_NOMEM;
    for (size_t i = 0; i < b.rec.cors.n; i++)
        show(&b.rec.cors.v[i], &rules[i]);
    out->cors_rules = (struct s3_cors_rules){rules, b.rec.cors.n};
    return ERR_OK;
}

enum err s3_delete_bucket_cors(struct call *call, const struct s3_delete_bucket_cors_input *in,
                               struct s3_delete_bucket_cors_output *out)
{
    struct s3_bucket_ref b;
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    b.rec.cors = (struct s3_cors){0};
    return s3_bucket_put(call->svc, call->txn, &b);
}
