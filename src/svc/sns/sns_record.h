/* SNS's stored records (base/record.h).
 * Layer: svc/sns. Lifetime: what is read is the transaction's, or its catalogue object's. */
#ifndef WEIR_SVC_SNS_SNS_RECORD_H
#define WEIR_SVC_SNS_SNS_RECORD_H

#include "core/txn_record.h"

enum {
    SNS_ATTRIBUTES_MAX = 256 * 1024 / 3, /* of a message: its size is what bounds them */
};

/* A topic: identity, settings, counts of subscriptions. */
struct sns_topic_rec {
    uint64_t id;
    int64_t created_ms;
    bool fifo, content_dedup;
    bool dedup_per_group;      /* FifoThroughputScope MessageGroup */
    int64_t signature_version; /* 1 SHA-1, 2 SHA-256; 0: not set, which is 1 */
    struct str display_name;
    struct str policy;          /* as stored (core_policy_stored); absent: the default one */
    struct str delivery_policy; /* JSON as given; absent: none */
    struct str tracing;         /* "PassThrough"; absent: not set */
    uint64_t confirmed, pending, deleted, filtered;
    struct str kms_key; /* KmsMasterKeyId as given; absent: none */
};

/* Never renumber: part of the disk format. */
enum sns_protocol {
    SNS_SQS,
    SNS_LAMBDA,
    SNS_HTTP,
    SNS_HTTPS,
    SNS_EMAIL,
    SNS_EMAIL_JSON,
    SNS_PROTOCOLS
};

struct sns_sub {
    uint64_t topic_id;
    struct str id; /* UUID */
    struct str topic_arn;
    enum sns_protocol protocol;
    struct str endpoint;
    struct str owner;     /* account */
    struct str principal; /* ARN of who subscribed */
    int64_t created_ms;
    bool pending;          /* not confirmed yet */
    bool authenticated;    /* the confirmation was */
    bool auth_unsubscribe; /* AuthenticateOnUnsubscribe */
    bool raw, filter_body; /* RawMessageDelivery; FilterPolicyScope MessageBody */
    struct str filter;     /* FilterPolicy; absent: none, as the next two */
    struct str redrive;    /* RedrivePolicy */
    struct str dlq;        /* its deadLetterTargetArn */
    struct str delivery_policy;
};

struct sns_attr {
    struct str name, type, value; /* value: text, or the bytes of a Binary */
};

/* What was published. */
struct sns_message {
    struct str id; /* UUID */
    uint64_t topic_id;
    struct str topic_arn;
    int64_t sent_ms; /* wall clock */
    struct str subject;
    struct str body;
    bool structured; /* `body` is an object of bodies by protocol */
    int64_t signature_version;
    struct str group, dedup; /* FIFO */
    uint64_t seq;            /* FIFO */
    struct str trace;        /* X-Amzn-Trace-Id; absent: none */
    struct sns_attr *attrs;
    size_t n_attrs;
    struct str data_key; /* as KMS sealed it: `body` is this record sealed (SN6); absent: plain */
};

/* A retry policy of HTTP endpoints: phases of attempts without delay, at the least delay, backing
 * off, at the greatest. Source: SNS developer guide, "Creating an HTTP delivery policy". */
enum sns_backoff { SNS_LINEAR, SNS_ARITHMETIC, SNS_GEOMETRIC, SNS_EXPONENTIAL, SNS_BACKOFFS };
struct sns_retry {
    int64_t min_delay_s, max_delay_s;
    int64_t retries, no_delay, at_min, at_max;
    enum sns_backoff backoff;
};

/* What an HTTP endpoint is to be sent. */
struct sns_request {
    struct str sub_arn, topic_arn; /* sub_arn: also where the dead letter's settings are */
    struct str url, type, message_id, content_type;
    bool raw;
    struct sns_retry retry;
    struct str body;
    struct str data_key; /* as KMS sealed it: `body` is sealed; absent: plain */
};

struct sns_signing {
    struct str key_der, cert_pem;
};

struct sns_mail {
    struct str to, subject, body, sub_arn;
    bool json;
    struct str data_key; /* as KMS sealed it: subject and body are sealed; absent: plain */
    bool sealed;         /* of another service (sns_port.h): the body is, under the store's key */
};

extern const struct record_type sns_topic_type, sns_sub_type, sns_message_type, sns_request_type,
    sns_signing_type, sns_mail_type;

/* "sqs", "email-json". */
struct str sns_protocol_name(enum sns_protocol p);
/* ERR_NOT_FOUND. */
enum err sns_protocol_of(struct str name, enum sns_protocol *ret) WARN_UNUSED;

/* A number as the key of a job, and back. STR_NONE on exhaustion. */
struct str sns_number_key(struct arena *a, uint64_t n);
uint64_t sns_key_number(struct str key);

#endif
