/* What the files of this folder share: the service's state, lookup of tables, the one way to write
 * an item, and the parts that many operations answer with.
 *
 * Layer: svc/dynamodb, internal. Thread: as each function says; handlers run on any loop. */
#ifndef WEIR_SVC_DYNAMODB_DYNAMODB_INT_H
#define WEIR_SVC_DYNAMODB_DYNAMODB_INT_H

#include "base/list.h"
#include "core/core.h"
#include "core/txn.h"
#include "dynamodb_api.h"
#include "svc/dynamodb/ddb_item.h"
#include "svc/dynamodb/ddb_memo.h"
#include "svc/dynamodb/ddb_table.h"
#include "svc/dynamodb/dynamodb.h"
#include "svc/kms/kms_port.h"

enum {
    DDB_PAGE_BYTES_MAX = 1024 * 1024, /* items that Query and Scan look at for one reply */
    DDB_BATCH_GET_KEYS_MAX = 100,
    DDB_BATCH_GET_BYTES_MAX = 16 * 1024 * 1024,
    DDB_BATCH_WRITE_MAX = 25,
    DDB_BATCH_WRITE_BYTES_MAX = 16 * 1024 * 1024,
    DDB_TRANSACT_ACTIONS_MAX = 100,
    DDB_TRANSACT_BYTES_MAX = 4 * 1024 * 1024,
    DDB_TOKEN_LIFE_MS = 10 * 60 * 1000, /* ClientRequestToken makes a request repeatable */
    DDB_JSON_MAX = 128 * 1024 * 1024,   /* a reply's JSON while it is built */
    DDB_RCU_BYTES = 4096,
    DDB_WCU_BYTES = 1024,
};

/* Who wants to hear of a stream's records (ddb_stream.c). */
enum { DDB_WATCH_BUCKETS = 64 };
struct ddb_watch {
    pthread_mutex_t lock;
    _Atomic size_t n;
    struct list buckets[DDB_WATCH_BUCKETS]; /* struct watcher, by stream */
};

struct dynamodb {
    struct core *core;
    struct ddb_watch watch;
    struct dynamodb_port port;
    struct job_kind *trim; /* ddb_stream.c */
    struct job_kind *ttl;  /* ddb_expiry.c */
    struct due_kind *expiry;
    struct catalogue *tables;                           /* struct ddb_table by record key */
    struct job_kind *sweep, *backfill, *tokens, *count; /* ddb_jobs.c */
    struct job_kind *seal;                              /* ddb_seal.c */
    struct job_kind *undo;                              /* ddb_undo.c */
    struct job_kind *copy;                              /* ddb_copy.c */
    struct job_kind *exports;                           /* ddb_export.c */
    struct job_kind *window;                            /* ddb_window.c */
    struct job_kind *imports;                           /* ddb_import.c */
    struct due_kind *backups;                           /* ddb_backup.c */
};

/* --- tables (ddb_table.c) ---------------------------------------------------------------------- */

/* Table by name or ARN; a reference is held until the call's arena goes. ERR_FAILED with
 * ResourceNotFoundException set. `control`: in the wording of control-plane operations. */
enum err ddb_use_table(struct call *call, struct str name_or_arn, bool control,
                       struct ddb_table **ret_table) WARN_UNUSED;
/* The name in a name or ARN. */
struct str ddb_table_name(struct str name_or_arn);
/* Table by name alone, held likewise. ERR_NOT_FOUND. */
enum err ddb_find_table(struct call *call, struct str name,
                        struct ddb_table **ret_table) WARN_UNUSED;
enum err ddb_find_table_in(struct call *call, struct key_scope scope, struct str name,
                           struct ddb_table **ret_table) WARN_UNUSED;
/* Whose table a name or ARN means: the account's in which the call acts, but of an element of a batch or a
 * transaction, which asks for each table's permission by itself, the ARN's. */
struct key_scope ddb_scope_of(struct call *call, struct str name_or_arn);
/* Stages a new or changed definition: record, guard, and a hook that refreshes the catalogue. */
enum err ddb_stage_table(struct dynamodb *ddb, struct txn *txn,
                         const struct ddb_table *table) WARN_UNUSED;
/* Stages the removal of a definition. */
enum err ddb_stage_drop(struct dynamodb *ddb, struct txn *txn,
                        const struct ddb_table *table) WARN_UNUSED;
/* Reads the newest stored definition, tracked, so that two changes conflict. A copy to change. */
enum err ddb_read_table(struct call *call, const struct ddb_table *cached,
                        struct ddb_table **ret_table) WARN_UNUSED;
/* DescribeTable's structure. `status`: "ACTIVE", "DELETING", ... */
enum err ddb_describe(struct call *call, const struct ddb_table *table, const char *status,
                      const struct dynamodb_table_description **ret_desc) WARN_UNUSED;
/* DeleteTable's: less of it, as AWS gives it. */
enum err ddb_describe_deleted(struct call *call, const struct ddb_table *table,
                              const struct dynamodb_table_description **ret_desc) WARN_UNUSED;

/* Parts of descriptions, in the arena. NULL on exhaustion. */
enum err ddb_key_schema_text(struct arena *a, const struct ddb_key_schema *k,
                             struct dynamodb_key_schema *ret) WARN_UNUSED;
const struct dynamodb_projection *ddb_projection_text(struct arena *a,
                                                      const struct ddb_index *index);

/* --- errors ----------------------------------------------------------------------------------- */

/* A diag for the call's request, with what authorisation parsed of it. */
static inline struct ddb_diag ddb_diag_of(const struct call *call)
{
    return (struct ddb_diag){.arena = call->arena, .memo = call->state, .who = call->who};
}
/* Turns ERR_INVALID with diag's message into the service's error; passes everything else on. */
enum err ddb_answer(struct call *call, const struct ddb_diag *diag, enum err err) WARN_UNUSED;
/* ValidationException with this message. */
#define ddb_refuse(call, ...) call_error((call), &dynamodb_err_validation, __VA_ARGS__)

/* --- encryption (ddb_cipher.c) ------------------------------------------------------------------ */

/* What a table's records are sealed with. Lifetime: the transaction's. */
struct ddb_cipher {
    struct str key; /* absent: they are not */
};
/* Opens `data_key` for diag->who. ERR_INVALID: KMS refuses him; ERR_DENIED: the service itself. */
enum err ddb_cipher_load(struct ddb_diag *diag, struct txn *txn, struct str table_arn,
                         struct str kms_arn, struct str data_key,
                         struct ddb_cipher *ret) WARN_UNUSED;
/* The table's. Errors as above. */
static inline enum err WARN_UNUSED ddb_cipher_of(struct ddb_diag *diag, struct txn *txn,
                                                 const struct ddb_table *table,
                                                 struct ddb_cipher *ret)
{
    ret->key = STR_NONE;
    if (!str_is_set(table->data_key))
        return ERR_OK;
    return ddb_cipher_load(diag, txn, table->arn, table->kms_arn, table->data_key, ret);
}
/* Seals an item for the place that `bound` names. */
enum err ddb_cipher_seal(const struct ddb_cipher *c, struct arena *a, struct str bound,
                         struct str *raw) WARN_UNUSED;
enum err ddb_cipher_open(const struct ddb_cipher *c, struct arena *a, struct str bound,
                         struct str *raw) WARN_UNUSED;
/* The same of records that may be either. */
static inline enum err WARN_UNUSED ddb_record_seal(const struct ddb_cipher *c, struct arena *a,
                                                   struct str bound, struct str *raw)
{
    return str_is_set(c->key) ? ddb_cipher_seal(c, a, bound, raw) : ERR_OK;
}
static inline bool ddb_is_sealed(struct str raw)
{
    return raw.len > 0 && raw.p[0] == DDB_SEALED_VERSION;
}
static inline enum err WARN_UNUSED ddb_record_open(const struct ddb_cipher *c, struct arena *a,
                                                   struct str bound, struct str *raw)
{
    return ddb_is_sealed(*raw) ? ddb_cipher_open(c, a, bound, raw) : ERR_OK;
}
/* How KMS is asked about a table; `account` is for the use's context, and lives as long. */
enum err ddb_kms_use(const struct principal *who, struct str table_arn, struct kms_pair *account,
                     struct kms_use *ret) WARN_UNUSED;
/* ddb_sse.c. Does what SSESpecification asks (NULL: nothing) to a definition that is to be staged; it has its id,
 * if it is to have one. */
enum err ddb_set_sse(struct call *call, struct ddb_diag *diag,
                     const struct dynamodb_sse_specification *in,
                     struct ddb_table *table) WARN_UNUSED;
/* SSEDescription, NULL without; *ret_broken: the key cannot be used now. */
enum err ddb_describe_sse(struct call *call, const struct ddb_table *table,
                          const struct dynamodb_sse_description **ret,
                          bool *ret_broken) WARN_UNUSED;
/* The job that seals what was there before (ddb_seal.c). */
enum err ddb_seal_register(struct dynamodb *ddb) WARN_UNUSED;
enum err ddb_stage_seal(struct dynamodb *ddb, struct txn *txn,
                        const struct ddb_table *table) WARN_UNUSED;

/* --- keys of items (ddb_key.c) ---------------------------------------------------------------- */

/* Key of a whole item: present, of the right types, not empty, within the size limits. */
enum err ddb_key_of_item(struct ddb_diag *diag, const struct ddb_key_schema *schema,
                         const struct ddb_av *item, struct ddb_key *ret_key) WARN_UNUSED;
/* Key given as an item: exactly the schema's attributes. */
enum err ddb_key_exact(struct ddb_diag *diag, const struct ddb_key_schema *schema,
                       const struct ddb_av *item, struct ddb_key *ret_key) WARN_UNUSED;
/* The same as {"id": ...}. */
enum err ddb_key_from_json(struct ddb_diag *diag, const struct ddb_key_schema *schema,
                           const struct json *v, struct ddb_key *ret_key) WARN_UNUSED;
/* Key of an item in an index; *ret_in false when the item lacks an attribute of it. ERR_INVALID
 * when an attribute has the wrong type. */
enum err ddb_key_in_index(struct ddb_diag *diag, const struct ddb_index *index,
                          const struct ddb_av *item, struct ddb_key *ret_key,
                          bool *ret_in) WARN_UNUSED;
/* The item's attributes that are keys of indexes may be. ERR_INVALID. */
enum err ddb_check_index_keys(struct ddb_diag *diag, const struct ddb_table *table,
                              const struct ddb_av *item) WARN_UNUSED;
bool ddb_is_key(const struct ddb_key_schema *schema, struct str name);
/* The same names in the same places. */
bool ddb_same_schema(const struct ddb_key_schema *a, const struct ddb_key_schema *b);
/* Whether an index keeps an attribute. */
bool ddb_index_keeps(const struct ddb_table *table, const struct ddb_index *index, struct str name);
/* What an index keeps of an item. */
enum err ddb_index_project(struct arena *a, const struct ddb_table *table,
                           const struct ddb_index *index, const struct ddb_av *item,
                           struct ddb_av **ret_part) WARN_UNUSED;

/* The key's attributes as an item. NULL on exhaustion. */
struct ddb_av *ddb_key_item(struct arena *a, const struct ddb_key_schema *schema,
                            const struct ddb_key *key);

/* --- writing (ddb_write.c) -------------------------------------------------------------------- */

/* Units that a call used, by table and index position. */
struct ddb_units {
    double table;
    double index[DDB_INDEXES_MAX];
};

struct ddb_write {
    struct txn *txn;
    struct ddb_diag *diag;
    const struct ddb_table *table;
    struct ddb_key key;
    struct str record_key;
    struct ddb_cipher cipher;
    struct str old_raw;       /* absent: there was no item (or nobody looked) */
    bool expired;             /* removed by time to live: costs no units */
    bool transact;            /* of a transaction: costs DDB_TRANSACT_TIMES the units */
    bool admitted;            /* throughput was asked for already */
    const struct ddb_av *old; /* decoded when somebody needs it */
    struct ddb_units units;
};

/* Fills the record key and checks the guard (DT1). */
enum err ddb_write_open(struct ddb_write *w) WARN_UNUSED;
/* Reads the stored item, tracked, into old_raw. */
enum err ddb_write_read(struct ddb_write *w) WARN_UNUSED;
/* Whether a write of this table needs the old item for other things than its own reply: indexes, the
 * stream, expiry times, recovery. */
static inline bool ddb_write_needs_old(const struct ddb_table *table)
{
    return table->n_indexes || table->stream || table->undo || ddb_ttl_kept(table);
}
/* Decodes old_raw into old, once. */
static inline enum err WARN_UNUSED ddb_write_decode(struct ddb_write *w)
{
    struct ddb_av *old;
    if (w->old || !str_is_set(w->old_raw))
        return ERR_OK;
    TRY(ddb_item_decode(w->txn->arena, w->old_raw, &old));
    w->old = old;
    return ERR_OK;
}
/* Stages `item` (NULL: deletion) in place of the old one, indexes, stream and expiry time included;
 * ddb_write_read was called when ddb_write_needs_old. Adds to units. */
enum err ddb_write_commit(struct ddb_write *w, const struct ddb_av *item) WARN_UNUSED;
/* ConditionalCheckFailedException, with the item when `return_values` is ALL_OLD. */
enum err ddb_condition_failed(struct call *call, const struct ddb_write *w,
                              struct str return_values) WARN_UNUSED;
/* Evaluates a condition on the old item. */
enum err ddb_write_check(struct ddb_write *w, const struct ddb_node *condition,
                         bool *ret_holds) WARN_UNUSED;

/* No action of an update may touch a key attribute. */
enum err ddb_check_keys_kept(struct ddb_diag *diag, const struct ddb_table *table,
                             const struct ddb_update *actions) WARN_UNUSED;
/* The old item (or a new one of the key alone) after the actions, within the limits of an item;
 * ddb_write_read was called. NULL: there was none, and an update that only takes away makes none. */
enum err ddb_updated_item(struct ddb_write *w, const struct ddb_update *actions,
                          struct ddb_av **ret_item) WARN_UNUSED;

/* What an update's paths lead to in `item` (NULL: none), as JSON; absent when to nothing. */
enum err ddb_updated_text(struct arena *a, const struct ddb_update *actions,
                          const struct ddb_av *item, struct str *ret_text) WARN_UNUSED;

double ddb_read_units(size_t bytes, bool strong);
double ddb_write_units(size_t bytes);

/* --- provisioned throughput (ddb_throttle.c) -------------------------------------------------- */

/* ERR_INVALID with diag->throttled when the bucket has no more than what the same request uses `ahead` of this
 * (NULL: nothing). */
enum err ddb_admit_read(struct ddb_diag *diag, const struct ddb_table *table,
                        const struct ddb_index *index, double ahead, int64_t now_ms) WARN_UNUSED;
enum err ddb_admit_write(struct ddb_diag *diag, const struct ddb_table *table,
                         const struct ddb_units *ahead, int64_t now_ms) WARN_UNUSED;
/* Takes what was used out of the buckets. */
void ddb_charge_transact(const struct ddb_table *table, const struct ddb_units *units, bool write);
void ddb_charge(const struct ddb_table *table, const struct ddb_units *units, bool write);

/* --- pieces of requests and replies (ddb_reply.c) --------------------------------------------- */

/* An env with the request's names and values. */
enum err ddb_env_open(struct ddb_env *env, struct ddb_diag *diag,
                      const struct dynamodb_expression_attribute_name_map *names,
                      const struct json *values) WARN_UNUSED;
/* AWS refuses names and values without any expression; `null_expression` is the one it names. */
enum err ddb_env_check_needed(struct ddb_diag *diag,
                              const struct dynamodb_expression_attribute_name_map *names,
                              const struct json *values, bool any_expression,
                              const char *null_expression) WARN_UNUSED;
/* Names, values and condition of a request that has no other expression. NULL in *ret_node without
 * a condition. */
enum err ddb_request_condition(struct ddb_diag *diag, struct str condition,
                               const struct dynamodb_expression_attribute_name_map *names,
                               const struct json *values, struct ddb_node **ret_node) WARN_UNUSED;
/* ProjectionExpression or AttributesToGet; no paths: the whole item. */
enum err ddb_request_projection(struct ddb_env *env, struct str expression,
                                const struct dynamodb_attribute_name_list *names,
                                struct ddb_paths *ret_paths) WARN_UNUSED;
/* AttributesToGet as paths. */
enum err ddb_paths_from_names(struct ddb_diag *diag,
                              const struct dynamodb_attribute_name_list *names,
                              struct ddb_paths *ret_paths) WARN_UNUSED;
/* NULL in *ret when `mode` is absent or NONE. `write`: units are write units. */
enum err ddb_consumed(struct call *call, struct str mode, const struct ddb_table *table,
                      const struct ddb_units *units,
                      const struct dynamodb_consumed_capacity **ret) WARN_UNUSED;
enum err ddb_collection_metrics(struct call *call, struct str mode, const struct ddb_table *table,
                                const struct ddb_key *key,
                                const struct dynamodb_item_collection_metrics **ret) WARN_UNUSED;
/* {"name": ...} text of an item or a part of it; an absent item gives absent text. */
enum err ddb_item_text(struct arena *a, const struct ddb_av *item,
                       struct str *ret_text) WARN_UNUSED;
enum err ddb_raw_text(struct arena *a, struct str raw, struct str *ret_text) WARN_UNUSED;
/* The part of a stored item that `paths` select (none: all), appended to `b`. */
enum err ddb_put_part(struct arena *scratch, struct buf *b, struct str raw,
                      const struct ddb_paths *paths) WARN_UNUSED;
/* The same where each path gives a member of its own, named by its last name: what SELECT gives. */
enum err ddb_put_flat(struct arena *scratch, struct buf *b, struct str raw,
                      const struct ddb_paths *paths) WARN_UNUSED;

/* --- authorisation (ddb_auth.c): members of svc_def ------------------------------------------ */

enum err ddb_auth_context(struct call *call, const void *in,
                          struct policy_context *ctx) WARN_UNUSED;
enum err ddb_authorize_more(struct call *call, const void *in) WARN_UNUSED;

/* --- background work (ddb_jobs.c) ------------------------------------------------------------ */

/* Makes the kinds of jobs; before the jobs start. ERR_NOMEM. */
enum err ddb_jobs_register(struct dynamodb *ddb) WARN_UNUSED;
/* Stages a sweep of a deleted table's (index 0) or index's records; it starts once durable. */
enum err ddb_stage_sweep(struct dynamodb *ddb, struct txn *txn, uint32_t table,
                         uint16_t index) WARN_UNUSED;
/* Stages a sweep of what a deleted table has besides its items, which a backup took over. */
enum err ddb_stage_sweep_indexes(struct dynamodb *ddb, struct txn *txn, uint32_t table) WARN_UNUSED;
/* Adds the item under `key`, if it is there, to an index; it is read tracked. Items whose attributes have the
 * wrong type stay out. */
enum err ddb_index_add(struct txn *txn, const struct ddb_table *table,
                       const struct ddb_index *index, const struct ddb_cipher *cipher,
                       struct str key) WARN_UNUSED;
/* Stages the backfill of a new index; the table was looked up or read. */
enum err ddb_stage_backfill(struct dynamodb *ddb, struct txn *txn, const struct ddb_table *table,
                            uint16_t index) WARN_UNUSED;
/* Brings a table's figures up to date: at once when it is small, else in the background. */
enum err ddb_count(struct dynamodb *ddb, struct txn *txn, struct ddb_table *table) WARN_UNUSED;

/* --- records of streams as texts (ddb_change.c) ------------------------------------------------ */

extern const struct dynamodb_texts ddb_texts;
struct str ddb_view_name(enum ddb_view view);
/* DDB_VIEW_NONE: no such name. */
enum ddb_view ddb_view_from(struct str name);

/* Whether a table may be made under table->name: `taken`, or LimitExceededException. */
enum err ddb_check_place(struct call *call, const struct ddb_table *table,
                         const struct wire_error *taken) WARN_UNUSED;

/* --- streams (ddb_stream.c) ------------------------------------------------------------------- */

enum ddb_ids { DDB_ID_TABLE, DDB_ID_STREAM };
/* The next id of a kind; ids are never given out twice. */
enum err ddb_next_id(struct txn *txn, enum ddb_ids kind, uint32_t *ret_id) WARN_UNUSED;

enum err ddb_streams_open(struct dynamodb *ddb) WARN_UNUSED;
void ddb_streams_close(struct dynamodb *ddb);
/* Opens or closes the table's stream as the request says; the table's record is the caller's to
 * stage. `in` NULL: nothing is asked. */
enum err ddb_set_stream(struct call *call, struct ddb_diag *diag,
                        const struct dynamodb_stream_specification *in,
                        struct ddb_table *table) WARN_UNUSED;
/* Closes it if there is one: it stays readable for a day. */
enum err ddb_close_stream(struct dynamodb *ddb, struct txn *txn,
                          struct ddb_table *table) WARN_UNUSED;
/* Gives an open stream the key that the table has now. */
enum err ddb_stream_rekey(struct txn *txn, const struct ddb_table *table) WARN_UNUSED;
/* ARN of the table's newest stream, in the arena; absent text without one. ERR_NOMEM. */
enum err ddb_stream_arn(struct arena *a, const struct ddb_table *table,
                        struct str *ret_arn) WARN_UNUSED;
/* Stages the record of a change of the item (DS1); `item` NULL, `raw` absent: it was removed. Nothing
 * when nothing changes. ddb_write_read was called. */
enum err ddb_stream_note(struct ddb_write *w, const struct ddb_av *item,
                         struct str raw) WARN_UNUSED;
/* After a commit with records in this shard. */
void ddb_stream_wake(struct ddb_watch *watch, uint32_t stream, uint16_t shard);
static inline uint16_t ddb_stream_shard(uint16_t spread, uint16_t shards)
{
    return (uint16_t)((uint32_t)spread * shards >> 16);
}

/* The policy of the stream with this ARN. ERR_NOT_FOUND: no such stream. */
enum err ddb_stream_policy(struct txn *txn, struct str arn, struct ddb_policy *ret) WARN_UNUSED;
enum err ddb_stream_set_policy(struct txn *txn, struct str arn,
                               const struct ddb_policy *policy) WARN_UNUSED;

/* --- resource policies (op_policy.c) ------------------------------------------------------------ */

/* A policy given for this resource, as it is stored, with a new revision behind that in *ret. ERR_FAILED. */
enum err ddb_take_policy(struct call *call, struct str arn, struct str text, bool confirmed,
                         struct ddb_policy *ret) WARN_UNUSED;
/* svc_def.resource_policy. */
enum err ddb_resource_policy(void *self, struct txn *txn, struct str text,
                             struct str *ret_json) WARN_UNUSED;

/* --- time to live (ddb_ttl.c) ------------------------------------------------------------------ */

/* When an item expires, in seconds; false when it does not: no such attribute, no number. `item` may
 * be NULL. */
bool ddb_ttl_of(const struct ddb_table *table, const struct ddb_av *item, int64_t *ret_s);
/* Stages the entry of an item that expires then, and the moment's due key where it is not set (DE2). */
enum err ddb_ttl_add(struct txn *txn, const struct ddb_table *table, struct due_kind *expiry,
                     int64_t expiry_s, struct str item_key) WARN_UNUSED;
/* Stages what changes in the index of expiry times; the old item was read and decoded. */
enum err ddb_ttl_note(struct ddb_write *w, const struct ddb_av *item) WARN_UNUSED;

/* --- what is due of it (ddb_expiry.c) ---------------------------------------------------------- */

enum err ddb_expiry_register(struct dynamodb *ddb) WARN_UNUSED;
/* Stages the job that brings the index in line with the definition. */
enum err ddb_expiry_rebuild(struct dynamodb *ddb, struct txn *txn,
                            const struct ddb_table *table) WARN_UNUSED;

/* op_tags.c */
extern const struct tags_service dynamodb_tags;

enum {
    DDB_TRANSACT_TIMES = 2, /* what reads and writes of a transaction cost more */
    DDB_ACCOUNT_UNITS =
        80000, /* AWS's default quotas of capacity units, which are only displayed */
    DDB_TABLE_UNITS = 40000,
};

/* ddb_measure.c: core's question (core/svc.h), and what calls do not tell. Units are told as they are charged:
 * those of a read that is rerun for each time that it reads. */
void ddb_measure(void *self, const struct core_seen *seen);
/* The same each minute: what is provisioned in tables that were used lately, and of all such. */
void ddb_gauges(void *self);
void ddb_measure_units(const struct ddb_table *table, const struct ddb_units *units, bool write);
void ddb_measure_throttle(const struct ddb_table *table, const struct ddb_index *index, bool write);
void ddb_measure_expired(const struct ddb_table *table); /* an item, by its time to live */

#endif
