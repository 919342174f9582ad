/* Point-in-time recovery, backups and restores: what their files share. How it works: ddb_undo.c (what
 * writes undid), ddb_copy.c (exact copies of a moment), ddb_backup.c (records of backups).
 *
 * Layer: svc/dynamodb, internal. Thread: the transaction's. */
#ifndef WEIR_SVC_DYNAMODB_DDB_BACKUP_H
#define WEIR_SVC_DYNAMODB_DDB_BACKUP_H

#include "svc/dynamodb/dynamodb_int.h"

enum {
    DDB_PITR_DAYS = 35, /* RecoveryPeriodInDays, where nothing is said; its limits are the spec's */
    DDB_DAY_MS = 24 * 3600 * 1000,
    DDB_COPIES_MAX =
        50, /* of one table's items at a time; restores of an account and region, too */
    DDB_SYSTEM_BACKUP_DAYS = 35,
};
static const int64_t DDB_MOMENT_NOW = INT64_MAX; /* of a copy: when it begins */

/* --- what writes undid (ddb_undo.c) ----------------------------------------------------------- */

enum err ddb_undo_register(struct dynamodb *ddb) WARN_UNUSED;
/* Stages the record of a write whose item becomes `raw` (absent: it goes); ddb_write_read was called. */
enum err ddb_undo_note(struct ddb_write *w, struct str raw) WARN_UNUSED;

struct ddb_undo {
    uint64_t commit;
    uint16_t nth;
    int64_t wall_ms;   /* of the write */
    struct str tail;   /* the item's key behind the table's id */
    struct str before; /* as stored; absent: there was no item */
};
enum err ddb_undo_read(struct str key, struct str value, struct ddb_undo *ret) WARN_UNUSED;
/* The key of an item under the id of another table. STR_NONE on exhaustion. */
struct str ddb_key_under(struct arena *a, uint32_t table, struct str tail);
struct str ddb_key_tail(struct str item_key);
/* Stages the job that drops what is not needed any more; it goes on while the log is kept. */
enum err ddb_undo_trim(struct dynamodb *ddb, struct txn *txn, uint32_t table,
                       struct str table_key) WARN_UNUSED;

/* --- steps that read items and the log (ddb_log.c) -------------------------------------------- */

/* What one step of a job reads of a table. */
struct ddb_walk {
    struct txn *txn;
    struct job_budget *budget;
    uint32_t table; /* whose log it is */
    struct str *
        at; /* the job's place: key to go on at, or before which, where it reads back; absent: all */
    size_t bytes;
    bool more; /* the budget is spent before the range */
};
/* So much was read. ERR_CLOSED when the step has done enough. */
enum err ddb_walk_spend(struct ddb_walk *w, size_t bytes, size_t keys) WARN_UNUSED;
/* The next one is behind this key, or before it. */
enum err ddb_walk_behind(struct ddb_walk *w, struct str key) WARN_UNUSED;
enum err ddb_walk_before(struct ddb_walk *w, struct str key) WARN_UNUSED;
/* The place in the log before all records of a commit. STR_NONE on exhaustion. */
struct str ddb_walk_log(const struct ddb_walk *w, uint64_t commit);
/* The first commit, in the order of commits, of which a record is not earlier. */
struct ddb_mark {
    int64_t from_ms;
    struct str at; /* of the log; absent: there is none, so far */
};
/* Looks for such commits from `until` back, in steps. */
enum err ddb_walk_find(struct ddb_walk *w, uint64_t until, struct ddb_mark *marks, size_t n,
                       bool *ret_done) WARN_UNUSED;

/* --- holds (ddb_undo.c) ------------------------------------------------------------------------- */

/* Copies that are being made of the items under a table's id: while there are, they and what writes undo
 * stay, whatever becomes of the table. `table`, if not NULL, was read, and is staged where it changes. */
enum err ddb_hold_take(struct dynamodb *ddb, struct txn *txn, uint32_t id,
                       struct ddb_table *table) WARN_UNUSED;
/* ddb_hold_take for a call. LimitExceededException. */
enum err ddb_hold_for(struct call *call, uint32_t id, struct ddb_table *table) WARN_UNUSED;
/* `table_key` absent: the items are a backup's. */
enum err ddb_hold_drop(struct dynamodb *ddb, struct txn *txn, uint32_t id,
                       struct str table_key) WARN_UNUSED;
/* The table got its first key of KMS: copies that began without will need it, also when the table is gone. */
enum err ddb_hold_tell_key(struct txn *txn, const struct ddb_table *table) WARN_UNUSED;
/* What such a copy needs to read what was sealed since it began; absent: nothing was. */
enum err ddb_hold_key(struct txn *txn, uint32_t id, struct str *ret_kms_arn,
                      struct str *ret_data_key) WARN_UNUSED;
enum err ddb_hold_count(struct txn *txn, uint32_t id, uint64_t *ret_copies) WARN_UNUSED;
/* The table was deleted, and nobody needs its items but copies: the last of them sweeps. Stages a sweep
 * where there is none. */
enum err ddb_hold_orphan(struct dynamodb *ddb, struct txn *txn, uint32_t id) WARN_UNUSED;

/* --- copies (ddb_copy.c) ---------------------------------------------------------------------- */

/* Values are stored: never renumber. */
enum ddb_copy_kind { DDB_COPY_BACKUP, DDB_COPY_RESTORE, DDB_COPY_EXPORT, DDB_COPY_KINDS };

struct ddb_copy {
    enum ddb_copy_kind kind;
    uint32_t source, target; /* ids, under which items lie */
    bool undone;             /* the source is a table, whose writes keep what they undo */
    int64_t moment_ms;       /* wall clock, or DDB_MOMENT_NOW */
    struct str source_key;   /* record of the source's definition; absent: a backup's items */
    struct str source_arn, kms_arn, data_key; /* what the source is sealed with (ddb_table.h) */
    struct str target_key; /* record of the backup, of the new table or of the export */
};
enum err ddb_copy_register(struct dynamodb *ddb) WARN_UNUSED;
/* Holds the source and stages the job; `held` is as ddb_hold_take's. LimitExceededException. */
enum err ddb_begin_copy(struct call *call, const struct ddb_copy *copy,
                        struct ddb_table *held) WARN_UNUSED;

/* --- backups (ddb_backup.c) ------------------------------------------------------------------- */

struct ddb_backup {
    struct str key; /* of the record */
    struct str id, arn;
    struct str name;
    uint32_t items; /* the id under which they lie */
    bool system, ready;
    int64_t created_ms, expires_ms; /* wall clock; 0: never */
    int64_t count, bytes;
    struct str definition;   /* ddb_table_pack's */
    struct ddb_table *table; /* the same, read */
};
enum err ddb_backup_register(struct dynamodb *ddb) WARN_UNUSED;
/* A new backup of the table, not staged: id, arn, key and definition. */
enum err ddb_backup_make(struct txn *txn, const struct ddb_table *table,
                         struct ddb_backup *ret) WARN_UNUSED;
enum err ddb_backup_put(struct txn *txn, const struct ddb_backup *backup) WARN_UNUSED;
/* ERR_NOT_FOUND. `key` read tracked. */
enum err ddb_backup_get(struct txn *txn, struct str key, struct ddb_backup *ret) WARN_UNUSED;
enum err ddb_backup_from(struct arena *a, struct str key, struct str value,
                         struct ddb_backup *ret) WARN_UNUSED;
/* The record's key in an ARN; STR_NONE: it is no backup's of this scope, or exhaustion. */
struct str ddb_backup_key(struct arena *a, struct key_scope scope, struct str arn);
/* Stages its end, and its items'. Nobody copies them. */
enum err ddb_backup_drop(struct dynamodb *ddb, struct txn *txn,
                         const struct ddb_backup *backup) WARN_UNUSED;
/* What becomes of a deleted table's items: a backup of the system's, or nothing. Its definition is
 * staged to go. */
enum err ddb_let_go(struct call *call, struct ddb_table *table) WARN_UNUSED;

/* A table by name or ARN, or TableNotFoundException; of the second also TableInUseException, and it is the
 * stored definition, to change. */
enum err ddb_use_source(struct call *call, struct str name_or_arn,
                        struct ddb_table **ret) WARN_UNUSED;
enum err ddb_read_source(struct call *call, struct str name_or_arn,
                         struct ddb_table **ret) WARN_UNUSED;
/* BackupNotFoundException; of the second also BackupInUseException. `arn` is the client's. */
enum err ddb_use_backup(struct call *call, struct str arn, struct ddb_backup *ret) WARN_UNUSED;
enum err ddb_use_ready_backup(struct call *call, struct str arn,
                              struct ddb_backup *ret) WARN_UNUSED;
/* The earliest moment that the table can be restored to; wall clock, its recovery is on. */
int64_t ddb_pitr_earliest_ms(const struct ddb_table *table, int64_t wall_ms);

#endif
