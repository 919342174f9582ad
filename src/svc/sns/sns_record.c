/* Tables of SNS's records; see sns_record.h. Layer: svc/sns. */
#include "svc/sns/sns_record.h"

#include <assert.h>

static const struct record_field topic_fields[] = {
    REC_UINT(struct sns_topic_rec, id),
    REC_INT(struct sns_topic_rec, created_ms),
    REC_BOOL(struct sns_topic_rec, fifo),
    REC_BOOL(struct sns_topic_rec, content_dedup),
    REC_BOOL(struct sns_topic_rec, dedup_per_group),
    REC_INT(struct sns_topic_rec, signature_version),
    REC_STR(struct sns_topic_rec, display_name),
    REC_STR(struct sns_topic_rec, policy),
    REC_STR(struct sns_topic_rec, delivery_policy),
    REC_STR(struct sns_topic_rec, tracing),
    REC_UINT(struct sns_topic_rec, confirmed),
    REC_UINT(struct sns_topic_rec, pending),
    REC_UINT(struct sns_topic_rec, deleted),
    REC_UINT(struct sns_topic_rec, filtered),
    REC_SINCE(2, REC_STR(struct sns_topic_rec, kms_key)),
};
const struct record_type sns_topic_type = RECORD_TYPE(struct sns_topic_rec, 2, topic_fields);

static const struct record_field sub_fields[] = {
    REC_UINT(struct sns_sub, topic_id),         REC_STR(struct sns_sub, id),
    REC_STR(struct sns_sub, topic_arn),         REC_ENUM(struct sns_sub, protocol, SNS_PROTOCOLS),
    REC_STR(struct sns_sub, endpoint),          REC_STR(struct sns_sub, owner),
    REC_STR(struct sns_sub, principal),         REC_INT(struct sns_sub, created_ms),
    REC_BOOL(struct sns_sub, pending),          REC_BOOL(struct sns_sub, authenticated),
    REC_BOOL(struct sns_sub, auth_unsubscribe), REC_BOOL(struct sns_sub, raw),
    REC_BOOL(struct sns_sub, filter_body),      REC_STR(struct sns_sub, filter),
    REC_STR(struct sns_sub, redrive),           REC_STR(struct sns_sub, dlq),
    REC_STR(struct sns_sub, delivery_policy),
};
const struct record_type sns_sub_type = RECORD_TYPE(struct sns_sub, 1, sub_fields);

static const struct record_field attr_fields[] = {
    REC_STR(struct sns_attr, name),
    REC_STR(struct sns_attr, type),
    REC_STR(struct sns_attr, value),
};
static const struct record_type attr_type = RECORD_TYPE(struct sns_attr, 1, attr_fields);

static const struct record_field message_fields[] = {
    REC_STR(struct sns_message, id),
    REC_UINT(struct sns_message, topic_id),
    REC_STR(struct sns_message, topic_arn),
    REC_INT(struct sns_message, sent_ms),
    REC_STR(struct sns_message, subject),
    REC_STR(struct sns_message, body),
    REC_BOOL(struct sns_message, structured),
    REC_INT(struct sns_message, signature_version),
    REC_STR(struct sns_message, group),
    REC_STR(struct sns_message, dedup),
    REC_UINT(struct sns_message, seq),
    REC_STR(struct sns_message, trace),
    REC_LIST(struct sns_message, attrs, n_attrs, SNS_ATTRIBUTES_MAX, &attr_type),
    REC_SINCE(2, REC_STR(struct sns_message, data_key)),
};
const struct record_type sns_message_type = RECORD_TYPE(struct sns_message, 2, message_fields);

static const struct record_field retry_fields[] = {
    REC_INT(struct sns_retry, min_delay_s),
    REC_INT(struct sns_retry, max_delay_s),
    REC_INT(struct sns_retry, retries),
    REC_INT(struct sns_retry, no_delay),
    REC_INT(struct sns_retry, at_min),
    REC_INT(struct sns_retry, at_max),
    REC_ENUM(struct sns_retry, backoff, SNS_BACKOFFS),
};
static const struct record_type retry_type = RECORD_TYPE(struct sns_retry, 1, retry_fields);

static const struct record_field request_fields[] = {
    REC_STR(struct sns_request, sub_arn),    REC_STR(struct sns_request, topic_arn),
    REC_STR(struct sns_request, url),        REC_STR(struct sns_request, type),
    REC_STR(struct sns_request, message_id), REC_STR(struct sns_request, content_type),
    REC_BOOL(struct sns_request, raw),       REC_STRUCT(struct sns_request, retry, &retry_type),
    REC_STR(struct sns_request, body),       REC_SINCE(2, REC_STR(struct sns_request, data_key)),
};
const struct record_type sns_request_type = RECORD_TYPE(struct sns_request, 2, request_fields);

static const struct record_field signing_fields[] = {
    REC_STR(struct sns_signing, key_der),
    REC_STR(struct sns_signing, cert_pem),
};
const struct record_type sns_signing_type = RECORD_TYPE(struct sns_signing, 1, signing_fields);

static const struct record_field mail_fields[] = {
    REC_STR(struct sns_mail, to),
    REC_STR(struct sns_mail, subject),
    REC_STR(struct sns_mail, body),
    REC_STR(struct sns_mail, sub_arn),
    REC_BOOL(struct sns_mail, json),
    REC_SINCE(2, REC_STR(struct sns_mail, data_key)),
    REC_SINCE(3, REC_BOOL(struct sns_mail, sealed)),
};
const struct record_type sns_mail_type = RECORD_TYPE(struct sns_mail, 3, mail_fields);

/* --- protocols -------------------------------------------------------------------------------- */

static const struct str protocols[SNS_PROTOCOLS] = {
    [SNS_SQS] = STR_INIT("sqs"),     [SNS_LAMBDA] = STR_INIT("lambda"),
    [SNS_HTTP] = STR_INIT("http"),   [SNS_HTTPS] = STR_INIT("https"),
    [SNS_EMAIL] = STR_INIT("email"), [SNS_EMAIL_JSON] = STR_INIT("email-json"),
};

struct str sns_protocol_name(enum sns_protocol p)
{
    assert(p < SNS_PROTOCOLS);
    return protocols[p];
}

enum err sns_protocol_of(struct str name, enum sns_protocol *ret)
{
    for (unsigned i = 0; i < SNS_PROTOCOLS; i++)
        if (str_eq(protocols[i], name)) {
            *ret = (enum sns_protocol)i;
            return ERR_OK;
        }
    return ERR_NOT_FOUND;
}

/* --- numbers as keys of jobs ------------------------------------------------------------------ */

struct str sns_number_key(struct arena *a, uint64_t n)
{
    return str_dup(a, str_n((const char *)&n, sizeof(n)));
}

uint64_t sns_key_number(struct str key)
{
    uint64_t n = 0;
    if (key.len == sizeof(n))
        memcpy(&n, key.p, sizeof(n));
    return n;
}
