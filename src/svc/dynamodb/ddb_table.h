/* Table definitions: the stored record and the object that core's catalogue keeps of it; a change
 * makes a new one with a higher generation.
 *
 * Invariants
 *   DT1  The guard record of a table holds its generation. Every write reads it tracked, so a write
 *        that was prepared against an older definition, or against a deleted table, conflicts.
 *
 * Layer: svc/dynamodb. Thread: any. */
#ifndef WEIR_SVC_DYNAMODB_DDB_TABLE_H
#define WEIR_SVC_DYNAMODB_DDB_TABLE_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/catalogue.h"
#include "svc/dynamodb/dynamodb_keys.h"
#include "svc/dynamodb/dynamodb_port.h"

enum {
    DDB_TABLE_BYTES_MAX = 8 * 1024 * 1024, /* of a definition in memory */
    DDB_GLOBAL_INDEXES_MAX = 20,
    DDB_LOCAL_INDEXES_MAX = 5,
    DDB_INDEXES_MAX = DDB_GLOBAL_INDEXES_MAX + DDB_LOCAL_INDEXES_MAX,
    DDB_TABLES_MAX = 2500, /* per account and region, AWS's default quota */
};

enum ddb_projection_type { DDB_PROJECT_ALL, DDB_PROJECT_KEYS, DDB_PROJECT_INCLUDE };

struct ddb_throughput {
    int64_t read, write; /* capacity units; 0 when paid per request */
};

struct ddb_index {
    uint16_t id; /* from 1; never used again within a table */
    bool global;
    bool backfilling; /* not readable yet */
    struct str name;
    struct ddb_key_schema key;
    enum ddb_projection_type projection;
    struct str *include;
    size_t n_include;
    struct ddb_throughput throughput;
};

/* Stored: never renumber. */
enum ddb_ttl {
    DDB_TTL_OFF,
    DDB_TTL_ENABLING, /* writes keep the index, what was there before is being added */
    DDB_TTL_ON,
    DDB_TTL_DISABLING, /* the index is being removed */
    DDB_TTLS,
};
/* Whether writes keep the index of expiry times. */
#define ddb_ttl_kept(table) ((table)->ttl == DDB_TTL_ENABLING || (table)->ttl == DDB_TTL_ON)

/* A resource's policy as core_policy_stored made it; absent text: it has none. */
struct ddb_policy {
    struct str text, revision;
};

struct ddb_attribute_def {
    struct str name;
    enum ddb_type type;
};

/* Figures that DescribeTable shows: counted now and then, see ddb_jobs.c. Shared by all versions
 * of a table's definition. */
struct ddb_bucket { /* ddb_throttle.c */
    double level;
    int64_t filled_ms;
};

struct ddb_watch;

struct ddb_sum {
    int64_t items, bytes;
};

struct ddb_index_sum {
    uint16_t id;
    struct ddb_sum sum;
};

/* What a count found. */
struct ddb_sums {
    struct ddb_sum table;
    struct ddb_index_sum index[DDB_INDEXES_MAX];
    size_t n_indexes;
};

struct ddb_figures {
    struct core *core;
    struct ddb_watch *watch; /* the service's */
    struct due_kind *expiry;
    _Atomic uint64_t refs;
    _Atomic uint64_t writes;     /* since start */
    _Atomic uint64_t counted_at; /* `writes` when last counted, plus one; 0: never */
    _Atomic int64_t items, bytes;
    _Atomic uint64_t
        counted_generation; /* of the definition then: a new index changes the figures, too */
    _Atomic bool counting;
    _Atomic int gauged;   /* minutes for which ddb_gauges still tells what is provisioned */
    pthread_mutex_t lock; /* of what follows */
    struct ddb_index_sum sums[DDB_INDEXES_MAX]; /* as last counted */
    size_t n_sums;
    struct ddb_bucket buckets[1 + DDB_INDEXES_MAX][2];
};

struct ddb_figures *ddb_figures_ref(struct ddb_figures *figures);
/* NULL is allowed. */
void ddb_figures_unref(struct ddb_figures *figures);

struct ddb_table {
    struct catalogue_object object;
    struct ddb_figures *figures; /* one reference; NULL in a table that is being made */
    uint32_t id;
    uint64_t generation;
    struct str name, arn, uuid;
    struct str region; /* of those in the catalogue */
    int64_t created_ms;
    struct ddb_attribute_def *defs;
    size_t n_defs;
    struct ddb_key_schema key;
    struct ddb_index *indexes;
    size_t n_indexes;
    uint16_t last_index_id;
    bool on_demand; /* BillingMode PAY_PER_REQUEST */
    int64_t on_demand_since_ms;
    bool billing_told; /* BillingMode was ever given: DescribeTable shows a summary */
    struct ddb_throughput throughput;
    struct str table_class; /* absent: never told */
    bool protect;           /* DeletionProtectionEnabled */
    bool sse;               /* SSESpecification asked for encryption */
    uint32_t stream;        /* the open stream; 0: none */
    enum ddb_view view;     /* of the open stream */
    struct str label;       /* of the newest stream, which may be closed; absent: never one */
    enum ddb_ttl ttl;
    struct str ttl_attribute; /* absent: never told */
    int64_t ttl_changed_ms;
    struct str kms_arn; /* the key that sealed data_key; absent: the root key did (core/secret.h) */
    struct str data_key; /* of all that is sealed; absent: nothing is (ddb_cipher.c) */
    bool sealing;        /* what was there before it is being sealed */
    bool undo; /* writes keep what they undo (ddb_undo.c): recovery is on, or a copy is made */
    bool pitr; /* point-in-time recovery is on, */
    uint32_t pitr_days;    /* of so many days, */
    int64_t pitr_since_ms; /* and no moment before this one is kept; wall clock */
    bool
        restoring; /* its items are being copied or imported: nobody else uses it (ddb_copy.c, ddb_import.c) */
    int64_t restored_ms;        /* the moment of what it was restored from; 0: it was not */
    struct str restored_backup; /* ARNs; absent: from no backup */
    struct str restored_table;
    struct ddb_policy policy;
};

/* What core's catalogue has to know of tables. */
extern const struct catalogue_type ddb_table_type;

extern const struct record_type ddb_policy_record;
/* The record of a definition, and back; its key and name are not in it. ERR_CORRUPT, ERR_NOMEM. */
enum err ddb_table_pack(struct arena *a, const struct ddb_table *table,
                        struct str *ret_record) WARN_UNUSED;
enum err ddb_table_unpack(struct arena *a, struct str record, struct ddb_table *table) WARN_UNUSED;

/* An index's figures as last counted; zeros before. */
struct ddb_sum ddb_index_sum(const struct ddb_table *table, uint16_t index);

const struct ddb_index *ddb_table_index(const struct ddb_table *table, struct str name);

#endif
