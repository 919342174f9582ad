/* SQS's stored records and their bytes (base/pack.h, a version first).
 * Layer: svc/sqs. Lifetime: what is read borrows from the record's bytes. Thread: pure. */
#ifndef WEIR_SVC_SQS_RECORD_H
#define WEIR_SVC_SQS_RECORD_H

#include "base/pack.h"

enum {
    SQS_ATTRIBUTES_MAX = 10, /* message attributes of one message */
    SQS_RECORD_MAX = 4 * 1024 * 1024,
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
    struct str md5;          /* 16 bytes */
    struct str trace;        /* AWSTraceHeader; absent */
    struct str group, dedup; /* FIFO */
    struct str dlq_source;   /* ARN of the queue that it was moved from */
    uint64_t fifo_seq;       /* SequenceNumber; 0 in standard queues */
    struct sqs_attr *attrs;  /* sorted by name */
    size_t n_attrs;
};

struct sqs_state {
    uint32_t receives;
    int64_t due_ms; /* visible from then on */
    int64_t first_receive_ms, last_receive_ms;
    struct str group; /* FIFO: the index needs it at start */
};

struct sqs_dedup {
    int64_t sent_ms;
    struct str id; /* of the message that was sent */
    uint64_t seq;
};

/* Into the arena; STR_NONE on exhaustion. */
struct str sqs_config_pack(struct arena *a, const struct sqs_config *c);
struct str sqs_body_pack(struct arena *a, const struct sqs_body *m);
struct str sqs_state_pack(struct arena *a, const struct sqs_state *st);
struct str sqs_dedup_pack(struct arena *a, const struct sqs_dedup *d);
/* ERR_CORRUPT, ERR_NOMEM. */
enum err sqs_config_unpack(struct arena *a, struct str bytes, struct sqs_config *ret_c) WARN_UNUSED;
enum err sqs_body_unpack(struct arena *a, struct str bytes, struct sqs_body *ret_m) WARN_UNUSED;
enum err sqs_state_unpack(struct str bytes, struct sqs_state *ret_st) WARN_UNUSED;
enum err sqs_dedup_unpack(struct str bytes, struct sqs_dedup *ret_d) WARN_UNUSED;

#endif
