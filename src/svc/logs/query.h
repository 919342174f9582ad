/* Queries of Logs Insights: their records, and the job that runs them.
 *
 *   StartQuery --> Scheduled --a place is free--> Running --> Complete, Failed, Timeout --+
 *                      |                             |                                    +--7 days--> gone
 *                      +---------StopQuery-----------+--> Cancelled ----------------------+
 *
 * Invariants
 *   QY1  What a query did so far is in memory only: after a restart it begins anew, with the events that are
 *        there then. What it is, and rows of one that is Complete, are stored; they survive.
 *   QY2  At most LOGS_QUERIES_RUNNING_MAX have memory, each LOGS_QUERY_BYTES_MAX; events are read in steps
 *        (deliver/job.h), rows put in order on the worker pool: no loop waits.
 *   QY3  Rows of a query over groups with KMS keys are stored sealed with a data key of the first of them, and
 *        told only while KMS lets the service use the keys of all of them (L5).
 *
 * Layer: svc/logs. Thread: the home loop; records: the transaction's. */
#ifndef WEIR_SVC_LOGS_QUERY_H
#define WEIR_SVC_LOGS_QUERY_H

#include "lang/insights.h"
#include "svc/logs/logs_int.h"

enum {
    LOGS_QUERIES_ACTIVE_MAX = 100, /* scheduled and running, of an account and region */
    LOGS_QUERIES_KEPT_MAX = 1000,  /* the oldest gives way */
    LOGS_QUERIES_RUNNING_MAX = 4,
    LOGS_QUERY_BYTES_MAX = 32 * 1024 * 1024,
    LOGS_QUERY_GROUPS_MAX = 50,
    LOGS_SOURCE_GROUPS_MAX = 1000, /* that SOURCE finds; 10,000 on AWS */
    LOGS_QUERY_ROWS = 10000,       /* unless it asks for more, or fewer */
    LOGS_QUERY_PAGE_ROWS = 10000,
    LOGS_QUERY_PLACE_MS = 100, /* after so long it looks for a place again */
    LOGS_QUERY_RUN_MS = 60 * 60 * 1000,
};
#define LOGS_QUERY_KEPT_MS (7 * LOGS_DAY_MS)

/* Never renumber: stored. */
enum logs_query_status {
    LOGS_QUERY_SCHEDULED,
    LOGS_QUERY_RUNNING,
    LOGS_QUERY_COMPLETE,
    LOGS_QUERY_FAILED,
    LOGS_QUERY_CANCELLED,
    LOGS_QUERY_TIMEOUT,
    LOGS_QUERY_STATUS_N,
};

struct logs_query {
    uint64_t uid; /* of its rows */
    struct str text;
    struct str *groups;
    size_t n_groups;
    bool sourced;           /* the text names the groups, by SOURCE */
    int64_t from_ms, to_ms; /* from <= timestamp <= to */
    uint32_t limit;
    enum logs_query_status status;
    int64_t created_ms, started_ms, ended_ms;
    uint64_t matched, scanned, bytes, groups_scanned;
    uint32_t n_rows;
    struct str sealed_for; /* group whose data key seals the rows; absent: in the clear */
    uint64_t sealed_group; /* its id */
    uint32_t data_key;
};

/* How many there are of an account and region. */
struct logs_query_counts {
    uint32_t active, kept;
};

/* Leads back to an event: what @ptr says, sealed. */
struct logs_ptr {
    struct str group, stream;
    uint64_t group_id, stream_id;
    int64_t timestamp;
    uint64_t seq;
};

struct logs_query_row {
    struct logs_query_field {
        struct str name, value;
    } * fields;
    size_t n;
    struct str ptr; /* record of a logs_ptr; absent: a row of no event */
};

struct str logs_query_status_name(enum logs_query_status status);
static inline bool logs_query_is_active(const struct logs_query *q)
{
    return q->status == LOGS_QUERY_SCHEDULED || q->status == LOGS_QUERY_RUNNING;
}

/* ERR_NOT_FOUND. */
enum err logs_query_read(struct txn *txn, struct key_scope scope, struct str id,
                         struct logs_query *ret) WARN_UNUSED;
enum err logs_query_parse(struct arena *a, struct str record, struct logs_query *ret) WARN_UNUSED;
enum err logs_query_write(struct txn *txn, struct key_scope scope, struct str id,
                          const struct logs_query *q) WARN_UNUSED;
enum err logs_query_counts_read(struct txn *txn, struct key_scope scope,
                                struct logs_query_counts *ret) WARN_UNUSED;
enum err logs_query_counts_write(struct txn *txn, struct key_scope scope,
                                 const struct logs_query_counts *c) WARN_UNUSED;
/* It is over, as `status` says; the record is to be written after it. */
enum err logs_query_over(struct txn *txn, struct key_scope scope, struct logs_query *q,
                         enum logs_query_status status) WARN_UNUSED;
/* Stages the job that runs it, and forgets it days after; `forget`: at once, one that is over. */
enum err logs_query_job(struct logs *logs, struct txn *txn, struct key_scope scope, struct str id,
                        bool forget) WARN_UNUSED;

enum err logs_query_row_parse(struct arena *a, struct str record,
                              struct logs_query_row *ret) WARN_UNUSED;
enum err logs_ptr_make(struct arena *a, const struct logs_ptr *p, struct str *ret) WARN_UNUSED;
enum err logs_ptr_parse(struct arena *a, struct str record, struct logs_ptr *ret) WARN_UNUSED;

#endif
