/* The tables of S3's records. See s3_record.h. Layer: svc. Thread: the transaction's. */
#include "svc/s3/s3_record.h"

/* Lists inside a record are bounded by the request that brought them (headers, a body). */
enum { PAIRS_MAX = 64 * 1024 };

static const struct record_field pair_fields[] = {
    REC_STR(struct s3_pair, key),
    REC_STR(struct s3_pair, value),
};
static const struct record_type pair_type = RECORD_TYPE(struct s3_pair, 1, pair_fields);

static const struct record_field sum_fields[] = {
    REC_ENUM(struct s3_sum, algo, S3_ALGOS),
    REC_BOOL(struct s3_sum, composite),
    REC_STR(struct s3_sum, text),
};
static const struct record_type sum_type = RECORD_TYPE(struct s3_sum, 1, sum_fields);

static const struct record_field body_fields[] = {
    REC_ENUM(struct s3_body, kind, S3_BODY_RECORD + 1),
    REC_BYTES(struct s3_body, id),
    REC_UINT(struct s3_body, n_parts),
    REC_SINCE(2, REC_STR(struct s3_body, bytes)),
};
static const struct record_type body_type = RECORD_TYPE(struct s3_body, 1, body_fields);

static const struct record_field acl_other_fields[] = {
    REC_STR(struct s3_acl_other, account),
    REC_UINT(struct s3_acl_other, rights),
};
static const struct record_type acl_other_type =
    RECORD_TYPE(struct s3_acl_other, 1, acl_other_fields);
#define ACL_OTHERS(T, m) REC_LIST(T, m.others, m.n_others, S3_ACL_GRANTS_MAX, &acl_other_type)

static const struct record_field attrs_fields[] = {
    REC_STR(struct s3_attrs, content_type),
    REC_STR(struct s3_attrs, cache_control),
    REC_STR(struct s3_attrs, content_disposition),
    REC_STR(struct s3_attrs, content_encoding),
    REC_STR(struct s3_attrs, content_language),
    REC_STR(struct s3_attrs, expires),
    REC_STR(struct s3_attrs, website_redirect),
    REC_LIST(struct s3_attrs, metadata.v, metadata.n, PAIRS_MAX, &pair_type),
    REC_LIST(struct s3_attrs, tags.v, tags.n, PAIRS_MAX, &pair_type),
    REC_SINCE(4, REC_ENUM(struct s3_attrs, storage_class, S3_CLASSES)),
    REC_SINCE(5, REC_UINT(struct s3_attrs, acl.bits)),
    REC_SINCE(6, REC_ENUM(struct s3_attrs, lock.mode, S3_LOCK_MODES)),
    REC_SINCE(6, REC_INT(struct s3_attrs, lock.until_ms)),
    REC_SINCE(6, REC_BOOL(struct s3_attrs, lock.legal_hold)),
    REC_SINCE(6, REC_BOOL(struct s3_attrs, lock.hold_given)),
    REC_SINCE(8, REC_STR(struct s3_attrs, owner)),
    REC_SINCE(9, ACL_OTHERS(struct s3_attrs, acl)),
};
static const struct record_type attrs_type = RECORD_TYPE(struct s3_attrs, 1, attrs_fields);

static const struct record_field sse_fields[] = {
    REC_STR(struct s3_sse, key_arn),     REC_STR(struct s3_sse, data_key),
    REC_STR(struct s3_sse, file_key),    REC_STR(struct s3_sse, context),
    REC_BOOL(struct s3_sse, bucket_key), REC_SINCE(7, REC_STR(struct s3_sse, customer)),
};
static const struct record_type sse_type = RECORD_TYPE(struct s3_sse, 1, sse_fields);

static const struct record_field object_fields[] = {
    REC_UINT(struct s3_object_rec, seq),
    REC_STR(struct s3_object_rec, version_id),
    REC_BOOL(struct s3_object_rec, delete_marker),
    REC_INT(struct s3_object_rec, modified_ms),
    REC_UINT(struct s3_object_rec, size),
    REC_STR(struct s3_object_rec, etag),
    REC_STRUCT(struct s3_object_rec, sum, &sum_type),
    REC_STRUCT(struct s3_object_rec, body, &body_type),
    REC_STRUCT(struct s3_object_rec, attrs, &attrs_type),
    REC_SINCE(3, REC_STRUCT(struct s3_object_rec, sse, &sse_type)),
};
const struct record_type s3_object_type = RECORD_TYPE(struct s3_object_rec, 9, object_fields);

static const struct record_field upload_fields[] = {
    REC_INT(struct s3_upload_rec, initiated_ms),
    REC_ENUM(struct s3_upload_rec, algo, S3_ALGOS),
    REC_BOOL(struct s3_upload_rec, algo_given),
    REC_BOOL(struct s3_upload_rec, composite),
    REC_STRUCT(struct s3_upload_rec, attrs, &attrs_type),
    REC_SINCE(2, REC_STRUCT(struct s3_upload_rec, sse, &sse_type)),
    REC_SINCE(3, REC_UINT(struct s3_upload_rec, began_seq)),
    REC_SINCE(3, REC_BOOL(struct s3_upload_rec, replaces)),
    REC_SINCE(10, REC_STR(struct s3_upload_rec, account)),
    REC_SINCE(10, REC_STR(struct s3_upload_rec, initiator)),
};
const struct record_type s3_upload_type = RECORD_TYPE(struct s3_upload_rec, 10, upload_fields);

static const struct record_field seq_fields[] = {REC_UINT(struct s3_seq_rec, seq)};
const struct record_type s3_seq_type = RECORD_TYPE(struct s3_seq_rec, 1, seq_fields);

static const struct record_field count_fields[] = {REC_UINT(struct s3_count_rec, buckets)};
const struct record_type s3_count_type = RECORD_TYPE(struct s3_count_rec, 1, count_fields);

static const struct record_field part_fields[] = {
    REC_INT(struct s3_part_rec, number),
    REC_UINT(struct s3_part_rec, size),
    REC_INT(struct s3_part_rec, modified_ms),
    REC_STR(struct s3_part_rec, etag),
    REC_STRUCT(struct s3_part_rec, sum, &sum_type),
    REC_BYTES(struct s3_part_rec, file),
};
const struct record_type s3_part_type = RECORD_TYPE(struct s3_part_rec, 1, part_fields);

static const struct record_field manifest_fields[] = {
    REC_LIST(struct s3_manifest, parts, n, S3_PARTS_MAX, &s3_part_type),
};
const struct record_type s3_manifest_type = RECORD_TYPE(struct s3_manifest, 1, manifest_fields);

static const struct record_field file_fields[] = {
    REC_UINT(struct s3_file_rec, size),
    REC_UINT(struct s3_file_rec, bucket),
    REC_STR(struct s3_file_rec, key),
};
const struct record_type s3_file_type = RECORD_TYPE(struct s3_file_rec, 1, file_fields);

static const struct record_field rule_fields[] = {
    REC_ENUM(struct s3_rule, kind, S3_RULE_KINDS), /* one byte: once said whether it is a queue */
    REC_STR(struct s3_rule, id),
    REC_STR(struct s3_rule, arn),
    REC_LIST(struct s3_rule, names.v, names.n, PAIRS_MAX, &record_str),
    REC_STR(struct s3_rule, prefix),
    REC_STR(struct s3_rule, suffix),
};
static const struct record_type rule_type = RECORD_TYPE(struct s3_rule, 1, rule_fields);

static const struct record_field rules_fields[] = {
    REC_LIST(struct s3_rules, v, n, S3_NOTIFICATIONS_MAX, &rule_type),
};
const struct record_type s3_rules_type = RECORD_TYPE(struct s3_rules, 1, rules_fields);

#define CORS_TEXTS(m) REC_LIST(struct cors_rule, m.v, m.n, PAIRS_MAX, &record_str)
static const struct record_field cors_rule_fields[] = {
    REC_STR(struct cors_rule, id),
    CORS_TEXTS(origins),
    CORS_TEXTS(methods),
    CORS_TEXTS(headers),
    CORS_TEXTS(expose),
    REC_BOOL(struct cors_rule, has_max_age),
    REC_INT(struct cors_rule, max_age_s),
};
static const struct record_type cors_rule_type = RECORD_TYPE(struct cors_rule, 1, cors_rule_fields);

static const struct record_field cors_fields[] = {
    REC_LIST(struct s3_cors, v, n, S3_CORS_RULES_MAX, &cors_rule_type),
};
static const struct record_type cors_type = RECORD_TYPE(struct s3_cors, 1, cors_fields);

static const struct record_field life_rule_fields[] = {
    REC_STR(struct s3_life_rule, id),
    REC_BOOL(struct s3_life_rule, enabled),
    REC_ENUM(struct s3_life_rule, form, S3_LIFE_FORMS),
    REC_STR(struct s3_life_rule, prefix),
    REC_LIST(struct s3_life_rule, tags.v, tags.n, PAIRS_MAX, &pair_type),
    REC_INT(struct s3_life_rule, over),
    REC_INT(struct s3_life_rule, under),
    REC_INT(struct s3_life_rule, days),
    REC_INT(struct s3_life_rule, date_ms),
    REC_BOOL(struct s3_life_rule, has_expired_marker),
    REC_BOOL(struct s3_life_rule, expired_marker),
    REC_INT(struct s3_life_rule, noncurrent_days),
    REC_INT(struct s3_life_rule, noncurrent_kept),
    REC_INT(struct s3_life_rule, abort_days),
};
static const struct record_type life_rule_type =
    RECORD_TYPE(struct s3_life_rule, 1, life_rule_fields);

static const struct record_field life_fields[] = {
    REC_LIST(struct s3_life, v, n, S3_LIFE_RULES_MAX, &life_rule_type),
};
static const struct record_type life_type = RECORD_TYPE(struct s3_life, 1, life_fields);

static const struct record_field move_fields[] = {
    REC_STR(struct s3_move, host), REC_STR(struct s3_move, protocol),
    REC_STR(struct s3_move, code), REC_STR(struct s3_move, prefix),
    REC_STR(struct s3_move, key),
};
static const struct record_type move_type = RECORD_TYPE(struct s3_move, 1, move_fields);

static const struct record_field site_rule_fields[] = {
    REC_STR(struct s3_site_rule, prefix),
    REC_STR(struct s3_site_rule, error_code),
    REC_STRUCT(struct s3_site_rule, to, &move_type),
};
static const struct record_type site_rule_type =
    RECORD_TYPE(struct s3_site_rule, 1, site_rule_fields);

static const struct record_field site_fields[] = {
    REC_STR(struct s3_site, index),
    REC_STR(struct s3_site, error),
    REC_STRUCT(struct s3_site, all, &move_type),
    REC_LIST(struct s3_site, rules, n_rules, S3_SITE_RULES_MAX, &site_rule_type),
};
static const struct record_type site_type = RECORD_TYPE(struct s3_site, 1, site_fields);

static const struct record_field meter_fields[] = {
    REC_STR(struct s3_meter, id),
    REC_STR(struct s3_meter, prefix),
};
static const struct record_type meter_type = RECORD_TYPE(struct s3_meter, 1, meter_fields);

static const struct record_field meters_fields[] = {
    REC_LIST(struct s3_meters, v, n, S3_METERS_MAX, &meter_type),
};
static const struct record_type meters_type = RECORD_TYPE(struct s3_meters, 1, meters_fields);

static const struct record_field logging_fields[] = {
    REC_STR(struct s3_logging, bucket),
    REC_STR(struct s3_logging, prefix),
    REC_ENUM(struct s3_logging, form, S3_LOG_FORMS),
    REC_UINT(struct s3_logging, grants.bits),
    REC_SINCE(11, ACL_OTHERS(struct s3_logging, grants)),
};
static const struct record_type logging_type = RECORD_TYPE(struct s3_logging, 1, logging_fields);

static const struct record_field bucket_fields[] = {
    REC_UINT(struct s3_bucket_rec, id),
    REC_STR(struct s3_bucket_rec, region),
    REC_INT(struct s3_bucket_rec, created_ms),
    REC_ENUM(struct s3_bucket_rec, versioning, S3_SUSPENDED + 1),
    REC_UINT(struct s3_bucket_rec, flags),
    REC_SINCE(2, REC_STR(struct s3_bucket_rec, policy)),
    REC_SINCE(2, REC_STRUCT(struct s3_bucket_rec, rules, &s3_rules_type)),
    REC_SINCE(3, REC_STRUCT(struct s3_bucket_rec, cors, &cors_type)),
    REC_SINCE(3, REC_STR(struct s3_bucket_rec, kms_key)),
    REC_SINCE(4, REC_STRUCT(struct s3_bucket_rec, life, &life_type)),
    REC_SINCE(5, REC_UINT(struct s3_bucket_rec, acl.bits)),
    REC_SINCE(6, REC_STRUCT(struct s3_bucket_rec, site, &site_type)),
    REC_SINCE(7, REC_ENUM(struct s3_bucket_rec, lock_mode, S3_LOCK_MODES)),
    REC_SINCE(7, REC_INT(struct s3_bucket_rec, lock_days)),
    REC_SINCE(7, REC_INT(struct s3_bucket_rec, lock_years)),
    REC_SINCE(8, REC_STRUCT(struct s3_bucket_rec, meters, &meters_type)),
    REC_SINCE(9, REC_STRUCT(struct s3_bucket_rec, logging, &logging_type)),
    REC_SINCE(10, REC_STR(struct s3_bucket_rec, account)),
    REC_SINCE(11, ACL_OTHERS(struct s3_bucket_rec, acl)),
};
const struct record_type s3_bucket_type = RECORD_TYPE(struct s3_bucket_rec, 11, bucket_fields);

enum err s3_put_record(struct txn *txn, struct str key, const struct record_type *type,
                       const void *rec, size_t size)
{
    struct str bytes;
    TRY(record_make_sized(type, txn->arena, rec, size, &bytes));
    return txn_put(txn, key, bytes);
}
