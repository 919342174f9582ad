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

/* The account's root may always read, replace and remove a policy: otherwise one that denies
 * everybody could never be taken back (IAM User Guide, "AWS account root user"). */
static bool root_mends_policy(const struct call *call)
{
    return call->who->kind == PRINCIPAL_ROOT && str_ends(call->op->name, STR("BucketPolicy"));
}

enum err s3_resource_policy(struct call *call, struct str arn, struct str *ret_json)
{
    struct s3_bucket_rec rec;
    *ret_json = STR_NONE;
    if (root_mends_policy(call))
        return ERR_OK;
    struct str name = bucket_of_arn(arn);
    if (name.len == 0)
        return ERR_OK;
    enum err e = s3_bucket_read(call->txn, name, false, &rec);
    if (e == ERR_NOT_FOUND || (e == ERR_OK && !(rec.flags & S3_HAS_POLICY)))
        return ERR_OK;
    TRY(e);
    /* RestrictPublicBuckets: a public policy lets in nobody from outside the account. */
    bool outsider = call->who->kind == PRINCIPAL_ANONYMOUS;
    if (outsider && (rec.flags & S3_RESTRICT) && (rec.flags & S3_POLICY_IS_PUBLIC))
        return ERR_OK;
    e = txn_peek(call->txn, s3_key_conf(call->arena, rec.id, S3_CONF_POLICY), ret_json);
    return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
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
    static const struct {
        const char *member, *key;
    } rows[] = {
        {"Prefix", "s3:prefix"},
        {"Delimiter", "s3:delimiter"},
        {"VersionId", "s3:VersionId"},
        {"ACL", "s3:x-amz-acl"},
        {"CopySource", "s3:x-amz-copy-source"},
        {"MetadataDirective", "s3:x-amz-metadata-directive"},
        {"ServerSideEncryption", "s3:x-amz-server-side-encryption"},
        {"SSEKMSKeyId", "s3:x-amz-server-side-encryption-aws-kms-key-id"},
        {"StorageClass", "s3:x-amz-storage-class"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        policy_context_add(ctx, str_c(rows[i].key),
                           wire_input_str(call->op, in, str_c(rows[i].member)));
    policy_context_add(ctx, STR("s3:x-amz-content-sha256"),
                       wire_header_get(call->request, STR("x-amz-content-sha256")));
    policy_context_add(ctx, STR("s3:ResourceAccount"), call->account);
    if (call->tls) /* the server speaks nothing older */
        policy_context_add(ctx, STR("s3:TlsVersion"), STR("1.2"));
    struct str op = call->op->name;
    if (str_eq_c(op, "CreateBucket")) {
        const struct s3_create_bucket_input *create = in;
        if (create->create_bucket_configuration)
            policy_context_add(ctx, STR("s3:LocationConstraint"),
                               create->create_bucket_configuration->location_constraint);
    }
    int64_t max_keys = -1;
    if (str_eq_c(op, "ListObjects"))
        max_keys = ((const struct s3_list_objects_input *)in)->has_max_keys
                       ? ((const struct s3_list_objects_input *)in)->max_keys
                       : -1;
    else if (str_eq_c(op, "ListObjectsV2"))
        max_keys = ((const struct s3_list_objects_v2_input *)in)->has_max_keys
                       ? ((const struct s3_list_objects_v2_input *)in)->max_keys
                       : -1;
    else if (str_eq_c(op, "ListObjectVersions"))
        max_keys = ((const struct s3_list_object_versions_input *)in)->has_max_keys
                       ? ((const struct s3_list_object_versions_input *)in)->max_keys
                       : -1;
    if (max_keys >= 0)
        policy_context_add_i64(ctx, STR("s3:max-keys"), max_keys);
    return ERR_OK;
}

/* --- further permissions ---------------------------------------------------------------------- */

/* Operations on one object whose action depends on whether a version is named. */
static const struct {
    const char *op, *action, *version_action;
} by_version[] = {
    {"GetObject", "s3:GetObject", "s3:GetObjectVersion"},
    {"HeadObject", "s3:GetObject", "s3:GetObjectVersion"},
    {"DeleteObject", "s3:DeleteObject", "s3:DeleteObjectVersion"},
    {"GetObjectTagging", "s3:GetObjectTagging", "s3:GetObjectVersionTagging"},
    {"PutObjectTagging", "s3:PutObjectTagging", "s3:PutObjectVersionTagging"},
    {"DeleteObjectTagging", "s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging"},
    {"GetObjectAcl", "s3:GetObjectAcl", "s3:GetObjectVersionAcl"},
    {"GetObjectAttributes", "s3:GetObjectAttributes", "s3:GetObjectVersionAttributes"},
};

static enum err authorize_by_version(struct call *call, const void *in, bool *ret_found)
{
    *ret_found = false;
    for (size_t i = 0; i < ARRAY_LEN(by_version); i++) {
        if (!str_eq_c(call->op->name, by_version[i].op))
            continue;
        struct str arn = s3_arn(call, wire_input_str(call->op, in, STR("Bucket")),
                                wire_input_str(call->op, in, STR("Key")));
        bool version = str_is_set(wire_input_str(call->op, in, STR("VersionId")));
        *ret_found = true;
        TRY(call_authorize(call, version ? by_version[i].version_action : by_version[i].action,
                           arn));
        if (str_eq_c(call->op->name, "GetObjectAttributes"))
            return call_authorize(call, version ? "s3:GetObjectVersion" : "s3:GetObject", arn);
        return ERR_OK;
    }
    return ERR_OK;
}

static enum err authorize_source(struct call *call, struct str header)
{
    struct s3_copy_source src;
    enum err e = s3_parse_copy_source(call->arena, header, &src);
    if (e == ERR_INVALID)
        return call_error(call, &s3_err_invalid_argument,
                          "Copy Source must mention the source bucket and key: "
                          "sourcebucket/sourcekey");
    TRY(e);
    return call_authorize(call, str_is_set(src.version_id) ? "s3:GetObjectVersion" : "s3:GetObject",
                          s3_arn(call, src.bucket, src.key));
}

enum err s3_authorize_more(struct call *call, const void *in)
{
    bool found;
    TRY(s3_refuse_headers(call));
    TRY(authorize_by_version(call, in, &found));
    if (found)
        return ERR_OK;
    struct str source = wire_input_str(call->op, in, STR("CopySource"));
    if (str_is_set(source))
        TRY(authorize_source(call, source));
    bool makes_object = str_eq_c(call->op->name, "PutObject") ||
                        str_eq_c(call->op->name, "CopyObject") ||
                        str_eq_c(call->op->name, "CreateMultipartUpload");
    if (makes_object && str_is_set(wire_input_str(call->op, in, STR("Tagging"))))
        return call_authorize(call, "s3:PutObjectTagging",
                              s3_arn(call, wire_input_str(call->op, in, STR("Bucket")),
                                     wire_input_str(call->op, in, STR("Key"))));
    return ERR_OK;
}
