/* Exports to buckets of S3 and imports from there: their records, and the calls of S3 that their jobs make as who asked
 * for them (core/keep.h); the jobs are ddb_export.c and ddb_import.c.
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
    DDB_TRANSFERS_MAX = 1000,      /* kept of an account and region, of each kind: the oldest go */
    DDB_EXPORTS_RUNNING_MAX = 300, /* AWS's quotas */
    DDB_IMPORTS_RUNNING_MAX = 50,
    DDB_IMPORT_OBJECTS_MAX = 50 * 1000, /* of one import; AWS's quota, too */
    DDB_LIST_DEFAULT = 10,              /* of a page of ListExports and ListImports */
    DDB_TRANSFER_TOKEN_MS = 8 * 3600 * 1000,
};

/* Stored: never renumber. */
enum ddb_transfer_kind { DDB_EXPORT, DDB_IMPORT, DDB_TRANSFER_KINDS };
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
    struct str sse, sse_key;      /* S3SseAlgorithm, S3SseKmsKeyId */
    struct str kms_arn, data_key; /* what the items are sealed with */
    uint32_t items; /* the id under which they lie until it is done; of an import, the table's */
    int64_t start_ms, end_ms, moment_ms; /* wall clock */
    int64_t count, bytes;                /* of an import what was read so far, and its text's */
    struct str failure, message;
    /* Of imports. */
    struct str definition; /* TableCreationParameters, as wire_keep keeps them */
    struct str options;    /* InputFormatOptions, likewise; absent: none */
    struct str format, compression;
    int64_t errors;
    /* Of incremental exports, whose window ends at moment_ms. */
    bool incremental, old_images;
    int64_t from_ms;
    uint32_t source;        /* the table's id, */
    struct str source_key;  /* key of its record, */
    struct str hash, range; /* and names of its key's attributes */
    bool ion;               /* of an export: Amazon Ion, not JSON */
};

struct ddb_transfer_type {
    const char *name, *title; /* "export", "Export" */
    size_t running_max;
    const struct wire_error *conflict, *not_found;
};
extern const struct ddb_transfer_type ddb_transfer_types[DDB_TRANSFER_KINDS];

/* A new transfer in this scope, not staged: its id and key. ERR_FAILED: too many run. */
enum err ddb_transfer_make(struct call *call, enum ddb_transfer_kind kind,
                           struct ddb_transfer *ret) WARN_UNUSED;
enum err ddb_transfer_put(struct txn *txn, const struct ddb_transfer *t) WARN_UNUSED;
/* ERR_NOT_FOUND. Read tracked. */
enum err ddb_transfer_get(struct txn *txn, struct str key, struct ddb_transfer *ret) WARN_UNUSED;
enum err ddb_transfer_from(struct arena *a, struct str key, struct str value,
                           struct ddb_transfer *ret) WARN_UNUSED;
/* By the ARN that a client gives; ERR_FAILED: it is none, or nothing's. */
enum err ddb_transfer_by_arn(struct call *call, enum ddb_transfer_kind kind, struct str arn,
                             struct ddb_transfer *ret) WARN_UNUSED;
struct str ddb_transfer_arn(struct arena *a, const struct ddb_transfer *t);
/* The transfer that this token was used for lately. ERR_NOT_FOUND; ERR_FAILED: the request was another. */
enum err ddb_transfer_repeated(struct call *call, enum ddb_transfer_kind kind, struct str token,
                               struct str digest, struct ddb_transfer *ret) WARN_UNUSED;
/* Digest of what makes a request the same request. */
enum err ddb_transfer_digest(struct arena *a, const struct str *texts, size_t n,
                             struct str *ret) WARN_UNUSED;
struct str ddb_transfer_status_text(const struct ddb_transfer *t);
/* A page of them, newest first; `table_arn` absent: of all tables. */
enum err ddb_transfer_list(struct call *call, enum ddb_transfer_kind kind, struct str table_arn,
                           struct page *page,
                           enum err (*take)(void *arg, const struct ddb_transfer *t),
                           void *arg) WARN_UNUSED;
/* It came to its end: failed where `code` is set. */
#define DDB_KEY_GONE "The table's key of KMS cannot be used any more" /* KMSKeyInaccessible */
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
    int status;
    struct str code, message, request_id;
    struct str output, got; /* JSON, and an object's bytes */
    /* What the job notes about it. */
    struct str next;
    int64_t items;
    int chunks;
};

void ddb_s3_init(struct ddb_s3 *s, struct dynamodb *ddb);
void ddb_s3_release(struct ddb_s3 *s);
/* As it was at first. */
void ddb_s3_clear(struct ddb_s3 *s);
struct ddb_s3 *ddb_s3_new(struct dynamodb *ddb);
void ddb_s3_free(void *self, void *s3);
/* Prepares the call as who asked for the transfer. ERR_DENIED: he is gone. */
enum err ddb_s3_prepare(struct ddb_s3 *s, const struct ddb_transfer *t, const char *operation,
                        struct str input) WARN_UNUSED;
/* What a call that was refused says as FailureCode and FailureMessage. */
enum err ddb_s3_fault(const struct ddb_s3 *s, struct arena *a, struct str *ret_code,
                      struct str *ret_message) WARN_UNUSED;
/* job_def.run; run->user begins with a struct ddb_s3. */
void ddb_s3_run(void *self, struct due_fire *run);

/* ExportType, ExportViewType and ExportFormat as texts. */
struct str ddb_export_type(const struct ddb_transfer *t);
struct str ddb_export_view(const struct ddb_transfer *t);
struct str ddb_export_format(const struct ddb_transfer *t);
enum err ddb_export_register(struct dynamodb *ddb) WARN_UNUSED;
/* The copy of the items is there. */
enum err ddb_export_begin(struct dynamodb *ddb, struct txn *txn,
                          struct ddb_transfer *t) WARN_UNUSED;

/* What changed in the window of an incremental export (ddb_window.c): under the export's id and the item's key an entry,
 * and what the item was and is, where there was one. The first are in the order of the keys. */
enum ddb_window_part { DDB_WINDOW_ENTRY, DDB_WINDOW_OLD, DDB_WINDOW_NEW }; /* stored */
/* Whether it is known what the item is at the window's end; stored. */
enum ddb_window_state {
    DDB_CHANGE_OPEN,
    DDB_CHANGE_READ, /* as it was some time later */
    DDB_CHANGE_KNOWN,
    DDB_CHANGE_STATES
};
struct ddb_window_change {
    enum ddb_window_state state;
    int64_t wall_ms; /* of the last write in the window */
};
enum err ddb_window_make(struct arena *a, const struct ddb_window_change *change,
                         struct str *ret) WARN_UNUSED;
enum err ddb_window_read(struct arena *a, struct str value,
                         struct ddb_window_change *ret) WARN_UNUSED;
struct str ddb_window_key(struct arena *a, uint32_t items, enum ddb_window_part part,
                          struct str tail);
struct key_range ddb_window_range(struct arena *a, uint32_t items);

enum err ddb_window_register(struct dynamodb *ddb) WARN_UNUSED;
/* Stages the export and the job that gathers its changes; the table was read. LimitExceededException. */
enum err ddb_window_begin(struct call *call, struct ddb_table *table,
                          struct ddb_transfer *t) WARN_UNUSED;

/* ddb_import.c */
enum err ddb_import_register(struct dynamodb *ddb) WARN_UNUSED;
/* Stages the job of a new import; its table is staged. */
enum err ddb_import_begin(struct dynamodb *ddb, struct txn *txn,
                          const struct ddb_transfer *t) WARN_UNUSED;

#endif
