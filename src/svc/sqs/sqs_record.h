/* SQS's stored records (base/record.h).
 * Layer: svc/sqs. Lifetime: what is read is the transaction's. */
#ifndef WEIR_SVC_SQS_SQS_RECORD_H
#define WEIR_SVC_SQS_SQS_RECORD_H

#include "codec/hash.h"
#include "core/txn_record.h"

enum {
    SQS_ATTRIBUTES_MAX = 10, /* message attributes of one message */
};

/* A queue: identity and settings. */
struct sqs_config {
    uint64_t id;
    int64_t created_ms, modified_ms;
    uint64_t purge_seq; /* messages below it are purged */
    int64_t purged_ms;  /* last PurgeQueue; 0 never */
    bool fifo, content_dedup, sse;
    int64_t delay_s, size_max, retention_s, wait_s, visibility_s;
    struct str policy;                     /* JSON as given; absent: none */
    struct str dlq_arn;                    /* absent: no redrive policy */
    int64_t receives_max;                  /* maxReceiveCount */
    struct str redrive_allow;              /* JSON as given; absent: allowAll */
    bool dedup_per_group, limit_per_group; /* DeduplicationScope, FifoThroughputLimit */
    int64_t dedup_changed_ms;              /* when DeduplicationScope changed last; 0: never */
    struct str kms_key;                    /* KmsMasterKeyId as given; absent: none */
    int64_t kms_reuse_s;
};

struct sqs_attr {
    struct str name, type, value; /* value: text, or the bytes of a Binary */
};

/* What does not change in a message's life. */
struct sqs_body {
    struct str id; /* UUID */
    int64_t sent_ms;
    struct str sender;
    struct str body;
    uint8_t md5[HASH_MD5_LEN];
    struct str trace;        /* AWSTraceHeader; absent */
    struct str group, dedup; /* FIFO; a fair queue's message has a group */
    struct str dlq_source;   /* ARN of the queue that it was moved from */
    uint64_t fifo_seq;       /* SequenceNumber; 0 in standard queues */
    struct sqs_attr *attrs;  /* sorted by name */
    size_t n_attrs;
    /* Q5: then `body` is what seals a record of the body, digest, trace and attributes. */
    struct str data_key;   /* as KMS sealed it; absent: the message is plain */
    struct str sealed_for; /* ARN of the queue that it was sent to; absent: this one */
    struct str sealed_id;  /* the id that it was sent under; absent: `id` */
};

struct sqs_state {
    uint32_t receives;
    int64_t due_ms; /* visible from then on */
    int64_t first_receive_ms, last_receive_ms;
    struct str group;         /* the index needs it at start */
    uint64_t receives_before; /* in queues that it was moved out of; told, but not counted here */
};

extern const struct record_type sqs_config_type, sqs_body_type, sqs_state_type;

/* Stages the end of a message. */
enum err sqs_delete_message_records(struct txn *txn, uint64_t queue_id, uint64_t seq) WARN_UNUSED;
/* Runs one of the two when the transaction ends; on an error `aborted` has run, or will. */
enum err sqs_on_end(struct txn *txn, void (*committed)(void *arg), void (*aborted)(void *arg),
                    void *arg) WARN_UNUSED;

#endif
