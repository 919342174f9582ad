/* What S3 tells the core's authorisation: bucket policies, its condition keys, and the permissions
 * that depend on more than the operation's name. Layer: svc. Thread: the call's loop. */
#include "base/arn.h"
#include "svc/s3/s3_life.h"

#include "codec/json.h"

/* --- bucket policies -------------------------------------------------------------------------- */

enum err s3_resource_policy(void *self, struct txn *txn, struct str arn, struct str *ret_json)
{
    const struct s3_bucket_rec *rec;
    struct arn name;
    *ret_json = STR_NONE;
    if (arn_parse_object(arn, &name) != ERR_OK) /* "*": of no bucket */
        return ERR_OK;
    enum err err = s3_bucket_known(self, txn, arn_segment(&name, 0), &rec);
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(err);
    *ret_json = rec->policy;
    return ERR_OK;
}

/* Statement, or each of its elements. */
static const struct json *first_statement(const struct json *doc)
{
    const struct json *s = json_get(doc, STR("Statement"));
    return s && s->kind == JSON_ARRAY ? s->child : s;
}

static bool names_everyone(const struct json *principal)
{
    if (!principal)
        return false;
    if (principal->kind == JSON_STRING)
        return str_eq_c(principal->text, "*");
    const struct json *aws = json_get(principal, STR("AWS"));
    if (aws && aws->kind == JSON_STRING)
        return str_eq_c(aws->text, "*");
    JSON_EACH (aws, it)
        if (str_eq_c(it->text, "*"))
            return true;
    return false;
}

/* Conditions that pin a request to fixed senders make an open principal not public. */
static bool has_fixed_condition(const struct json *condition)
{
    static const struct str keys[] = {
        STR_INIT("aws:SourceArn"),      STR_INIT("aws:SourceAccount"),
        STR_INIT("aws:SourceVpc"),      STR_INIT("aws:SourceVpce"),
        STR_INIT("aws:PrincipalOrgID"), STR_INIT("aws:PrincipalAccount"),
        STR_INIT("aws:PrincipalArn"),   STR_INIT("aws:userid"),
        STR_INIT("aws:SourceOwner"),    STR_INIT("aws:SourceIp"),
    };
    JSON_EACH (condition, op) {
        if (str_find_str(op->key, STR("Not")) != SIZE_MAX || str_ends(op->key, STR("IfExists")))
            continue;
        JSON_EACH (op, k)
            for (size_t i = 0; i < ARRAY_LEN(keys); i++)
                if (str_eq_nocase(k->key, keys[i]) && !str_eq_c(k->text, "*"))
                    return true;
    }
    return false;
}

enum err s3_policy_public(struct arena *a, struct str json, bool *ret_public)
{
    struct json *doc;
    TRY(json_parse(a, json, &doc, NULL));
    *ret_public = false;
    for (const struct json *s = first_statement(doc); s; s = s->next) {
        if (!str_eq_c(json_get_str(s, STR("Effect")), "Allow"))
            continue;
        bool everyone = names_everyone(json_get(s, STR("Principal"))) ||
                        json_get(s, STR("NotPrincipal")) != NULL;
        if (everyone && !has_fixed_condition(json_get(s, STR("Condition"))))
            *ret_public = true;
    }
    return ERR_OK;
}

/* --- condition keys --------------------------------------------------------------------------- */

static void add_signature(struct call *call, struct policy_context *ctx)
{
    bool form = call->signed_by == CALL_SIGNED_FORM || call->signed_by == CALL_SIGNED_FORM_V2;
    bool v2 = call->signed_by == CALL_SIGNED_QUERY_V2 || call->signed_by == CALL_SIGNED_FORM_V2;
    if (call->signed_by == CALL_NOT_SIGNED)
        return;
    policy_context_add(ctx, STR("s3:authType"),
                       form                                    ? STR("POST")
                       : call->signed_by == CALL_SIGNED_HEADER ? STR("REST-HEADER")
                                                               : STR("REST-QUERY-STRING"));
    policy_context_add(ctx, STR("s3:signatureversion"), v2 ? STR("AWS") : STR("AWS4-HMAC-SHA256"));
    if (call->signed_by == CALL_SIGNED_QUERY) /* version 2 does not say when it was signed */
        policy_context_add_i64(ctx, STR("s3:signatureAge"), call->txn->wall_ms - call->signed_ms);
}

static void add_request_tag(struct policy_context *ctx, struct str key, struct str value)
{
    policy_context_add(ctx, STR("s3:RequestObjectTagKeys"), key);
    policy_context_add2(ctx, STR("s3:RequestObjectTag/"), key, value);
}

/* Tags that a request gives to an object: in a header or, of PutObjectTagging, in the body. */
static enum err add_request_tags(struct call *call, const void *in, struct policy_context *ctx)
{
    if (call->op->index == S3_OP_PUT_OBJECT_TAGGING) {
        const struct s3_tagging *body = ((const struct s3_put_object_tagging_input *)in)->tagging;
        for (size_t i = 0; body && i < body->tag_set.n; i++)
            add_request_tag(ctx, body->tag_set.v[i].key, body->tag_set.v[i].value);
        return ctx->err;
    }
    struct str header = wire_input_str(call->op, in, STR("Tagging"));
    struct s3_pairs tags;
    if (!str_is_set(header))
        return ERR_OK;
    enum err err = s3_parse_tags(call->arena, header, &tags);
    if (err == ERR_INVALID || err == ERR_LIMIT) /* the handler refuses them */
        return ERR_OK;
    TRY(err);
    for (size_t i = 0; i < tags.n; i++)
        add_request_tag(ctx, tags.v[i].key, tags.v[i].value);
    return ctx->err;
}

/* Until when an object is to be retained; 0: the request does not say. */
static int64_t retention_asked(const struct call *call, const void *in)
{
    switch (call->op->index) {
    case S3_OP_PUT_OBJECT:
        return ((const struct s3_put_object_input *)in)->object_lock_retain_until_date;
    case S3_OP_COPY_OBJECT:
        return ((const struct s3_copy_object_input *)in)->object_lock_retain_until_date;
    case S3_OP_CREATE_MULTIPART_UPLOAD:
        return ((const struct s3_create_multipart_upload_input *)in)->object_lock_retain_until_date;
    case S3_OP_PUT_OBJECT_RETENTION: {
        const struct s3_object_lock_retention *r =
            ((const struct s3_put_object_retention_input *)in)->retention;
        return r ? r->retain_until_date : 0;
    }
    default:
        return 0;
    }
}

static void add_retention(struct call *call, const void *in, struct policy_context *ctx)
{
    int64_t left_ms = retention_asked(call, in) - call->txn->wall_ms;
    if (left_ms > 0) /* days that have begun */
        policy_context_add_i64(ctx, STR("s3:object-lock-remaining-retention-days"),
                               (left_ms + S3_DAY_MS - 1) / S3_DAY_MS);
}

/* DeleteObjects has a condition for each of its keys, where DeleteObject has a header. */
static void add_listed_condition(struct call *call, struct policy_context *ctx)
{
    const struct s3_deleting *d = call->op->index == S3_OP_DELETE_OBJECTS ? call->state : NULL;
    if (d && d->now && str_is_set(d->now->e_tag))
        policy_context_add(ctx, STR("s3:if-match"), d->now->e_tag);
}

enum err s3_auth_context(struct call *call, const void *in, struct policy_context *ctx)
{
    add_retention(call, in, ctx);
    add_listed_condition(call, ctx);
    policy_context_add(ctx, STR("s3:x-amz-content-sha256"),
                       wire_header_get(call->request, STR("x-amz-content-sha256")));
    policy_context_add(ctx, STR("s3:TlsVersion"), call->tls_version);
    add_signature(call, ctx);
    return add_request_tags(call, in, ctx);
}

/* --- keys of objects -------------------------------------------------------------------------- */

/* Actions that have s3:ExistingObjectTag: none that makes or deletes an object (S3 User Guide,
 * "Tagging and access control policies"). */
static bool asks_tags(struct str action)
{
    static const struct str actions[] = {
        STR_INIT("s3:GetObject"),           STR_INIT("s3:GetObjectVersion"),
        STR_INIT("s3:GetObjectAcl"),        STR_INIT("s3:GetObjectVersionAcl"),
        STR_INIT("s3:GetObjectAttributes"), STR_INIT("s3:GetObjectVersionAttributes"),
        STR_INIT("s3:GetObjectTagging"),    STR_INIT("s3:GetObjectVersionTagging"),
        STR_INIT("s3:PutObjectAcl"),        STR_INIT("s3:PutObjectVersionAcl"),
        STR_INIT("s3:PutObjectTagging"),    STR_INIT("s3:PutObjectVersionTagging"),
        STR_INIT("s3:DeleteObjectTagging"), STR_INIT("s3:DeleteObjectVersionTagging"),
    };
    for (size_t i = 0; i < ARRAY_LEN(actions); i++)
        if (str_eq_nocase(actions[i], action))
            return true;
    return false;
}

/* The version that a request reads or changes; absent: the current one. */
static struct str version_asked(struct call *call)
{
    struct s3_copy_source from;
    struct str source = call_input_str(call, STR("CopySource"));
    if (str_is_set(source)) /* the one object that such a request reads */
        return s3_parse_copy_source(call->arena, source, &from) == ERR_OK ? from.version_id
                                                                          : STR_NONE;
    return call_input_str(call, STR("VersionId"));
}

/* "arn:aws:s3:::bucket/key" -> "bucket/key" */
static struct str path_of(struct str arn)
{
    for (int i = 0; i < 5 && str_is_set(arn); i++)
        (void)str_cut(&arn, ':');
    return arn;
}

struct str s3_arn_key(struct str arn)
{
    struct str key = path_of(arn);
    (void)str_cut(&key, '/');
    return key;
}

enum err s3_object_asked(struct txn *txn, struct call *call, const struct s3_bucket_rec *b,
                         struct str arn, struct s3_object_rec *ret_rec)
{
    struct str key = s3_arn_key(arn), version = call ? version_asked(call) : STR_NONE;
    bool current;
    if (key.len > S3_KEY_BYTES_MAX)
        return ERR_NOT_FOUND;
    return str_is_set(version) ? s3_version(txn, b->id, key, version, false, ret_rec, &current)
                               : s3_current(txn, b->id, key, false, ret_rec);
}

enum err s3_resource_keys(void *self, struct txn *txn, struct call *call, struct str action,
                          struct str arn, struct policy_context *ctx)
{
    const struct s3_bucket_rec *bucket;
    struct s3_object_rec object;
    struct str path = path_of(arn);
    if (!asks_tags(action))
        return ERR_OK;
    enum err err = s3_bucket_known(self, txn, str_cut(&path, '/'), &bucket);
    if (err == ERR_OK)
        err = s3_object_asked(txn, call, bucket, arn, &object);
    if (err == ERR_NOT_FOUND || err == ERR_INVALID)
        return ERR_OK;
    TRY(err);
    for (size_t i = 0; i < object.attrs.tags.n; i++)
        policy_context_add2(ctx, STR("s3:ExistingObjectTag/"), object.attrs.tags.v[i].key,
                            object.attrs.tags.v[i].value);
    return ctx->err;
}

/* --- what no policy can allow ----------------------------------------------------------------- */

enum err s3_policy_keeps_out(struct call *call, struct str bucket)
{
    const struct s3_bucket_rec *rec;
    enum err err = s3_bucket_known(call->svc, call->txn, bucket, &rec);
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(err);
    bool restricted = (rec->flags & S3_RESTRICT) && (rec->flags & S3_POLICY_IS_PUBLIC);
    bool pays = call->who->kind != PRINCIPAL_ANONYMOUS &&
                str_eq_c(wire_header_get(call->request, STR("x-amz-request-payer")), "requester");
    if (str_eq(call->who->account, s3_bucket_owner(call->core, rec)))
        return ERR_OK;
    if (restricted || ((rec->flags & S3_REQUESTER_PAYS) && !pays)) /* nobody says that he would */
        return call_error(call, &s3_err_access_denied, "Access Denied");
    return ERR_OK;
}

enum err s3_authorize_more(struct call *call, const void *in)
{
    TRY(s3_refuse_headers(call));
    bool strangers = call->who->kind == PRINCIPAL_ANONYMOUS ||
                     (call->core->more_accounts && call->who->kind != PRINCIPAL_SERVICE);
    if (!strangers)
        return ERR_OK;
    TRY(s3_policy_keeps_out(call, wire_input_str(call->op, in, STR("Bucket"))));
    struct s3_copy_source from;
    struct str source = wire_input_str(call->op, in, STR("CopySource"));
    if (str_is_set(source) && s3_parse_copy_source(call->arena, source, &from) == ERR_OK)
        TRY(s3_policy_keeps_out(call, from.bucket));
    return ERR_OK;
}
