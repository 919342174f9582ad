/* Keys that AWS manages for its services: alias/aws/s3 and the like. They are made when their service
 * first needs one; everybody in the account may use them through that service, and nobody can change
 * them, since their policy allows no more.
 *
 * Source: AWS KMS Developer Guide, "AWS managed keys"; what DescribeKey and GetKeyPolicy tell of them.
 * Layer: svc. Thread: the transaction's. */
#include "base/arn.h"
#include "base/rng.h"
#include "svc/kms/kms_int.h"

static const struct str prefix = STR_INIT("alias/aws/");

static const struct managed {
    struct str name;      /* alias/aws/NAME, and of its service principal */
    const char *called;   /* in its policy's statement */
    const char *protects; /* in its description */
} managed[] = {
    {STR_INIT("dynamodb"), "Amazon DynamoDB", "DynamoDB data"},
    {STR_INIT("lambda"), "AWS Lambda", "Lambda functions"},
    {STR_INIT("s3"), "Amazon S3", "S3 objects"},
    {STR_INIT("sns"), "Amazon SNS", "SNS data"},
    {STR_INIT("sqs"), "Amazon SQS", "SQS messages"},
    {STR_INIT("ssm"), "SSM", "SSM parameters"},
};

/* `alias`: "alias/aws/sqs", or the ARN of that. */
static const struct managed *managed_of(struct key_scope scope, struct str *alias)
{
    struct arn arn;
    if (arn_is(*alias)) {
        if (arn_parse_as(*alias, "kms", NULL, &arn) != ERR_OK ||
            !str_eq(arn.region, scope.region) || !str_eq(arn.account, scope.account))
            return NULL;
        *alias = arn.resource;
    }
    struct str key = *alias;
    if (!str_starts(key, prefix))
        return NULL;
    struct str name = str_sub(key, prefix.len, SIZE_MAX);
    for (size_t i = 0; i < ARRAY_LEN(managed); i++)
        if (str_eq(managed[i].name, name))
            return &managed[i];
    return NULL;
}

static struct str policy_text(const struct txn *txn, struct key_scope scope,
                              const struct managed *m)
{
    return str_fmt(
        txn->arena,
        "{\"Version\":\"2012-10-17\",\"Id\":\"auto-" STR_FMT "-1\",\"Statement\":["
        "{\"Sid\":\"Allow access through %s for all principals in the account that are authorized "
        "to use %s\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"*\"},\"Action\":["
        "\"kms:Encrypt\",\"kms:Decrypt\",\"kms:ReEncrypt*\",\"kms:GenerateDataKey*\","
        "\"kms:CreateGrant\",\"kms:DescribeKey\"],\"Resource\":\"*\",\"Condition\":"
        "{\"StringEquals\":{\"kms:CallerAccount\":\"" STR_FMT "\",\"kms:ViaService\":\"" STR_FMT
        "." STR_FMT ".amazonaws.com\"}}},"
        "{\"Sid\":\"Allow direct access to key metadata to the account\",\"Effect\":\"Allow\","
        "\"Principal\":{\"AWS\":\"arn:" STR_FMT ":iam::" STR_FMT ":root\"},\"Action\":["
        "\"kms:Describe*\",\"kms:Get*\",\"kms:List*\",\"kms:RevokeGrant\"],\"Resource\":\"*\"}]}",
        STR_ARG(m->name), m->called, m->called, STR_ARG(scope.account), STR_ARG(m->name),
        STR_ARG(scope.region), STR_ARG(txn->core->cfg.partition), STR_ARG(scope.account));
}

static enum err make(struct kms *kms, struct txn *txn, struct key_scope scope,
                     const struct managed *m, struct str alias_name)
{
    struct arena *a = txn->arena;
    struct kms_key key = {.spec = KMS_SYMMETRIC_DEFAULT,
                          .usage = KMS_ENCRYPT_DECRYPT,
                          .created_ms = txn->wall_ms,
                          .rotates = true,
                          .period_days = KMS_ROTATION_DAYS,
                          .aliases = 1,
                          .managed = true,
                          .scope = scope};
    struct str text = policy_text(txn, scope, m), stored;
    const char *why;
    char *id = arena_alloc(a, RNG_UUID_LEN + 1);
    if (!id || !str_is_set(text))
        return ERR_NOMEM;
    key.id = rng_uuid(id);
    key.next_rotation_ms = key.created_ms + key.period_days * KMS_DAY_MS;
    key.description =
        str_fmt(a, "Default key that protects my %s when no other key is defined", m->protects);
    if (!str_is_set(key.description))
        return ERR_NOMEM;
    TRY(core_policy_stored(txn, text, &why, &stored));
    TRY(kms_material_make(txn, &key));
    TRY(kms_key_write(txn, &key));
    TRY(txn_put(txn, key_make(a, &kms_k_policy, scope, key.id), stored));
    struct kms_alias alias = {key.id, txn->wall_ms, txn->wall_ms};
    TRY(kms_alias_write(txn, scope, alias_name, &alias));
    return kms_due_at(kms, txn, &key, KMS_DUE_ROTATION, key.next_rotation_ms);
}

enum err kms_managed_need(struct kms *kms, struct txn *txn, struct key_scope scope, struct str key,
                          bool *ret_made)
{
    struct kms_alias alias;
    const struct managed *m = managed_of(scope, &key);
    if (!m)
        return ERR_OK;
    enum err err = kms_alias_read(txn, scope, key, &alias);
    if (err != ERR_NOT_FOUND)
        return err;
    TRY(make(kms, txn, scope, m, key));
    *ret_made = true;
    return ERR_OK;
}
