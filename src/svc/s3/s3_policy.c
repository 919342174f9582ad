/* What S3 tells the core's authorisation: bucket policies, its condition keys, and the permissions
 * that depend on more than the operation's name. Layer: svc. Thread: the call's loop. */
#include "svc/s3/s3_int.h"

#include "codec/json.h"

/* --- bucket policies -------------------------------------------------------------------------- */

/* Bucket name of "arn:aws:s3:::name/key". */
static struct str bucket_of_arn(struct str arn)
{
    for (int i = 0; i < 5 && str_is_set(arn); i++)
        (void)str_cut(&arn, ':');
    return str_cut(&arn, '/');
}

enum err s3_resource_policy(void *self, struct txn *txn, struct str arn, struct str *ret_json)
{
    const struct s3_bucket_rec *rec;
    *ret_json = STR_NONE;
    enum err err = s3_bucket_known(self, txn, bucket_of_arn(arn), &rec);
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

static bool key_is_known(struct str key)
{
    static const struct str known[] = {
        STR_INIT("s3:prefix"),
        STR_INIT("s3:delimiter"),
        STR_INIT("s3:max-keys"),
        STR_INIT("s3:VersionId"),
        STR_INIT("s3:x-amz-acl"),
        STR_INIT("s3:x-amz-copy-source"),
        STR_INIT("s3:x-amz-metadata-directive"),
        STR_INIT("s3:x-amz-server-side-encryption"),
        STR_INIT("s3:x-amz-server-side-encryption-aws-kms-key-id"),
        STR_INIT("s3:x-amz-storage-class"),
        STR_INIT("s3:x-amz-content-sha256"),
        STR_INIT("s3:LocationConstraint"),
        STR_INIT("s3:ResourceAccount"),
        STR_INIT("s3:TlsVersion"),
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_eq_nocase(known[i], key))
            return true;
    return false;
}

struct str s3_policy_unknown_key(struct arena *a, struct str json)
{
    struct json *doc;
    if (json_parse(a, json, &doc, NULL) != ERR_OK)
        return STR_NONE;
    for (const struct json *s = first_statement(doc); s; s = s->next)
        JSON_EACH (json_get(s, STR("Condition")), op)
            JSON_EACH (op, k)
                if (k->key.len > 3 && str_eq_nocase(str_sub(k->key, 0, 3), STR("s3:")) &&
                    !key_is_known(k->key))
                    return k->key;
    return STR_NONE;
}

/* --- condition keys --------------------------------------------------------------------------- */

enum err s3_auth_context(struct call *call, const void *in, struct policy_context *ctx)
{
    (void)in;
    policy_context_add(ctx, STR("s3:x-amz-content-sha256"),
                       wire_header_get(call->request, STR("x-amz-content-sha256")));
    if (call->tls) /* the server speaks nothing older */
        policy_context_add(ctx, STR("s3:TlsVersion"), STR("1.2"));
    return ERR_OK;
}

/* --- what no policy can allow ----------------------------------------------------------------- */

/* RestrictPublicBuckets: a public policy lets in nobody from outside the account. Whoever did not
 * sign has nothing else that could let him in. */
static enum err refuse_outsider(struct call *call, struct str bucket)
{
    const struct s3_bucket_rec *rec;
    enum err err = s3_bucket_known(call->svc, call->txn, bucket, &rec);
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(err);
    if ((rec->flags & S3_RESTRICT) && (rec->flags & S3_POLICY_IS_PUBLIC))
        return call_error(call, &s3_err_access_denied, "Access Denied");
    return ERR_OK;
}

enum err s3_authorize_more(struct call *call, const void *in)
{
    TRY(s3_refuse_headers(call));
    if (call->who->kind != PRINCIPAL_ANONYMOUS)
        return ERR_OK;
    TRY(refuse_outsider(call, wire_input_str(call->op, in, STR("Bucket"))));
    struct s3_copy_source from;
    struct str source = wire_input_str(call->op, in, STR("CopySource"));
    if (str_is_set(source) && s3_parse_copy_source(call->arena, source, &from) == ERR_OK)
        TRY(refuse_outsider(call, from.bucket));
    return ERR_OK;
}
