/* Exports to buckets of S3: their records, and the calls of S3 that their job makes as who asked for them
 * (core/keep.h); the job is ddb_export.c.
 *
 *   transfer   ddb_k_transfer -> record (struct ddb_transfer: what transfer_fields names). Its id begins with the time,
 *              so the records of an account and region lie in the order in which they began.
 *
 * Layer: svc/dynamodb, internal. Thread: the transaction's. */
#ifndef WEIR_SVC_DYNAMODB_DDB_TRANSFER_H
#define WEIR_SVC_DYNAMODB_DDB_TRANSFER_H

#include "core/inner.h"
#include "core/keep.h"
#include "svc/dynamodb/ddb_backup.h"

enum {
    DDB_TRANSFERS_MAX = 1000, /* kept of an account and region, of each kind: the oldest go */
    DDB_TRANSFERS_RUNNING_MAX = 300, /* AWS's quota */
    DDB_TRANSFER_TOKEN_MS = 8 * 3600 * 1000,
};

/* Stored: never renumber. */
enum ddb_transfer_kind { DDB_EXPORT, DDB_TRANSFER_KINDS };
enum ddb_transfer_status {
    DDB_TRANSFER_RUNS,
    DDB_TRANSFER_DONE,
    DDB_TRANSFER_FAILED,
    DDB_TRANSFER_STATES
};

struct ddb_transfer {
    struct str key; /* of the record */
    struct str id;
    enum ddb_transfer_kind kind;
    enum ddb_transfer_status status;
    struct kept_principal who;
    struct str token, digest; /* ClientToken, and of what it was asked for with */
    struct str table_arn, table_uuid;
    struct str bucket, owner, prefix;
    struct str sse, sse_key;             /* S3SseAlgorithm, S3SseKmsKeyId */
    struct str kms_arn, data_key;        /* what the items are sealed with */
    uint32_t items;                      /* the id under which they lie until it is done */
    int64_t start_ms, end_ms, moment_ms; /* wall clock */
    int64_t count, bytes;
    struct str failure, message;
};

extern const char *const ddb_transfer_names[DDB_TRANSFER_KINDS]; /* "export" */

/* A new transfer in this scope, not staged: its id and key. ERR_FAILED: too many run. */
enum err ddb_transfer_make(struct call *call, enum ddb_transfer_kind kind,
                           struct ddb_transfer *ret) WARN_UNUSED;
enum err ddb_transfer_put(struct txn *txn, const struct ddb_transfer *t) WARN_UNUSED;
/* ERR_NOT_FOUND. Read tracked. */
enum err ddb_transfer_get(struct txn *txn, struct str key, struct ddb_transfer *ret) WARN_UNUSED;
enum err ddb_transfer_from(struct arena *a, struct str key, struct str value,
                           struct ddb_transfer *ret) WARN_UNUSED;
/* By the ARN that a client gives. ERR_NOT_FOUND. */
enum err ddb_transfer_by_arn(struct call *call, enum ddb_transfer_kind kind, struct str arn,
                             struct ddb_transfer *ret) WARN_UNUSED;
struct str ddb_transfer_arn(struct arena *a, const struct ddb_transfer *t);
/* The transfer that this token was used for lately. ERR_NOT_FOUND; `conflict` where the request was another. */
enum err ddb_transfer_repeated(struct call *call, enum ddb_transfer_kind kind, struct str token,
                               struct str digest, const struct wire_error *conflict,
                               struct ddb_transfer *ret) WARN_UNUSED;
/* A page of them, newest last; `table_arn` absent: of all tables. */
enum err ddb_transfer_list(struct call *call, enum ddb_transfer_kind kind, struct str table_arn,
                           struct page *page,
                           enum err (*take)(void *arg, const struct ddb_transfer *t),
                           void *arg) WARN_UNUSED;
/* It came to its end: failed where `code` is set. */
enum err ddb_transfer_end(struct txn *txn, struct ddb_transfer *t, struct str code,
                          struct str message) WARN_UNUSED;

/* One call of S3 that a job waits for: job->user of a step that says JOB_RUN. */
struct ddb_s3 {
    struct arena arena;
    struct dynamodb *ddb;
    struct due_fire *run;
    struct principal who;
    struct core_request req;
    struct buf body; /* to be written; heap */
    bool ready;      /* the call is to be made */
    bool done;       /* it was: */
    enum err err;
    struct str code, message;
    struct str output, got; /* JSON, and an object's bytes */
    /* What the job notes about it. */
    struct str next;
    int64_t items;
    int chunks;
};

struct ddb_s3 *ddb_s3_new(struct dynamodb *ddb);
void ddb_s3_free(void *self, void *s3);
/* Prepares the call as who asked for the transfer. ERR_DENIED: he is gone. */
enum err ddb_s3_prepare(struct ddb_s3 *s, const struct ddb_transfer *t, const char *operation,
                        struct str input) WARN_UNUSED;
/* job_def.run */
void ddb_s3_run(void *self, struct due_fire *run);

enum err ddb_export_register(struct dynamodb *ddb) WARN_UNUSED;
/* The copy of the items is there. */
enum err ddb_export_begin(struct dynamodb *ddb, struct txn *txn,
                          struct ddb_transfer *t) WARN_UNUSED;

#endif
