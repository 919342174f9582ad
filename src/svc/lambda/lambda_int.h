/* Shared by the files of the Lambda service. */
#ifndef WEIR_SVC_LAMBDA_INT_H
#define WEIR_SVC_LAMBDA_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "core/catalogue.h"
#include "core/waiter.h"
#include "lambda_api.h"
#include "svc/lambda/lambda.h"

enum {
    LAMBDA_FUNCTIONS_MAX = 10000, /* per account and region */
    LAMBDA_MAPPINGS_MAX = 1000,
    LAMBDA_CODE_ZIPPED_MAX = 50 * 1024 * 1024,
    LAMBDA_CODE_UNZIPPED_MAX = 250 * 1024 * 1024,
    LAMBDA_ENV_MAX = 4096, /* bytes of names and values */
    LAMBDA_PAYLOAD_SYNC_MAX = 6 * 1024 * 1024,
    LAMBDA_PAYLOAD_ASYNC_MAX = 1024 * 1024,
    LAMBDA_POLICY_MAX = 20 * 1024, /* bytes of a function's policy document */
    LAMBDA_CONCURRENCY_MAX = 1000, /* of the account */
    LAMBDA_UNRESERVED_MIN = 100,
    LAMBDA_TIMEOUT_MAX_S = 900,
    LAMBDA_MEMORY_MAX_MB = 10240,
    LAMBDA_RECORD_MAX = 256 * 1024, /* bytes of a stored function record */
    LAMBDA_LIST_MAX = 50,           /* functions of one page */
    LAMBDA_MAPPING_LIST_MAX = 100,
    LAMBDA_REVISION_LEN = 36,
    LAMBDA_ASYNC_RETRIES = 2,
    LAMBDA_ASYNC_AGE_MAX_S = 6 * 3600,
    LAMBDA_ASYNC_RUNNING_MAX = 64,       /* asynchronous invocations at once */
    LAMBDA_BATCH_MAX = 10000,            /* messages of one event source batch */
    LAMBDA_MAPPING_START = 5,            /* batches at once of a mapping, at first */
    LAMBDA_MAPPING_CONCURRENCY_MAX = 64, /* unless ScalingConfig says otherwise */
    LAMBDA_TAIL_MAX = 4096,              /* bytes of X-Amz-Log-Result */
    LAMBDA_KEY_MAX = 1024,
};

#define LAMBDA_LATEST "$LATEST"
#define LAMBDA_PRINCIPAL "lambda.amazonaws.com"

/* --- names: lambda_names.c -------------------------------------------------------------------- */

/* What a FunctionName parameter, with its Qualifier, means. Borrowed from the arena. */
struct lambda_name {
    struct str account, region, name;
    struct str qualifier; /* absent or "$LATEST" is the only version there is */
};

/* Name, partial ARN or ARN, with or without qualifier. ERR_INVALID. Text borrowed from `s`. */
enum err lambda_name_parse(struct str s, struct str account, struct str region,
                           struct lambda_name *ret_name) WARN_UNUSED;
/* The same for a call's parameters, with the service's errors (ERR_FAILED): mismatching qualifier,
 * other region, other version. */
enum err lambda_name_of_call(struct call *call, struct str function_name, struct str qualifier,
                             struct lambda_name *ret_name) WARN_UNUSED;
/* "arn:aws:lambda:...:function:name", qualifier appended when set. STR_NONE on exhaustion. */
struct str lambda_arn(struct arena *a, struct str partition, const struct lambda_name *name,
                      struct str qualifier);
/* ResourceNotFoundException "Function not found: arn". */
enum err lambda_not_found(struct call *call, const struct lambda_name *name) WARN_UNUSED;
/* Whether 1..64 (or 140 with ARN) characters of a-zA-Z0-9-_ . */
bool lambda_name_valid(struct str name);

/* --- records: lambda_record.c ----------------------------------------------------------------- */

struct lambda_pair {
    struct str key, value;
};

/* How asynchronous invocations of a function are retried and where they end. */
struct lambda_async_config {
    bool set;
    int retries;                       /* -1: default */
    int64_t age_max_s;                 /* -1: default */
    struct str on_success, on_failure; /* ARNs or absent */
    int64_t modified_ms;
};

/* A function as stored. Text lives in the arena it was read into. */
struct lambda_fn {
    struct str account, region, name;
    struct str id;       /* of this incarnation: a function created anew has another */
    uint64_t generation; /* grows with every write; newest wins in memory */
    struct str revision; /* RevisionId */
    struct str runtime, role, handler, description;
    int64_t timeout_s, memory_mb, ephemeral_mb;
    struct str code_id;     /* folder and zip below <data>/lambda/code */
    struct str code_sha256; /* base64 */
    int64_t code_size;
    struct str architecture;
    int64_t modified_ms;
    struct lambda_pair *env;
    size_t n_env;
    bool has_env;
    struct str dlq_arn; /* absent: none */
    struct str log_group;
    int64_t reserved; /* -1: none */
    struct lambda_async_config async;
};

enum err lambda_fn_pack(const struct lambda_fn *rec, struct buf *b) WARN_UNUSED;
/* Text is copied into `a`. ERR_CORRUPT, ERR_NOMEM. */
enum err lambda_fn_unpack(struct arena *a, struct str bytes, struct lambda_fn *ret_rec) WARN_UNUSED;
/* Tracked read. ERR_NOT_FOUND. */
enum err lambda_fn_get(struct txn *txn, const struct lambda_name *name,
                       struct lambda_fn *ret_rec) WARN_UNUSED;
/* The same for a handler: ERR_FAILED with "Function not found" set. */
enum err lambda_fn_of_call(struct call *call, const struct lambda_name *name,
                           struct lambda_fn *ret_rec) WARN_UNUSED;
/* Stages the record with the next generation, and tells memory once durable. */
enum err lambda_fn_put(struct txn *txn, struct lambda *l, struct lambda_fn *rec) WARN_UNUSED;
/* Gives the record a new RevisionId and LastModified. ERR_NOMEM. */
enum err lambda_fn_touch(struct txn *txn, struct lambda_fn *rec) WARN_UNUSED;
enum err lambda_fn_del(struct txn *txn, struct lambda *l, const struct lambda_fn *rec) WARN_UNUSED;

struct lambda_name lambda_fn_name(const struct lambda_fn *rec);

/* A function's resource policy. */
struct lambda_policy {
    struct str revision;
    struct str document; /* JSON; absent: none */
};
/* A function without policy gives neither document nor revision. */
enum err lambda_policy_get(struct txn *txn, const struct lambda_name *name,
                           struct lambda_policy *ret_policy) WARN_UNUSED;
enum err lambda_policy_put(struct txn *txn, const struct lambda_name *name,
                           const struct lambda_policy *policy) WARN_UNUSED;

/* An event source mapping (queues only). */
struct lambda_mapping {
    struct str account, region, uuid;
    uint64_t generation;
    struct str function;     /* name */
    struct str function_arn; /* as the mapping shows it */
    struct str source_arn;
    int64_t batch_size;
    int64_t window_s;
    bool enabled;
    bool partial;            /* ReportBatchItemFailures */
    int64_t concurrency_max; /* 0: not set */
    int64_t modified_ms;
};
enum err lambda_mapping_pack(const struct lambda_mapping *rec, struct buf *b) WARN_UNUSED;
enum err lambda_mapping_unpack(struct arena *a, struct str bytes,
                               struct lambda_mapping *ret_rec) WARN_UNUSED;
enum err lambda_mapping_get(struct txn *txn, struct str account, struct str region, struct str uuid,
                            struct lambda_mapping *ret_rec) WARN_UNUSED;
enum err lambda_mapping_put(struct txn *txn, struct lambda *l,
                            struct lambda_mapping *rec) WARN_UNUSED;
enum err lambda_mapping_del(struct txn *txn, struct lambda *l,
                            const struct lambda_mapping *rec) WARN_UNUSED;

/* --- keys: lambda_keys.c ---------------------------------------------------------------------- */

enum lambda_table { LAMBDA_T_FUNCTION = 1, LAMBDA_T_POLICY = 2, LAMBDA_T_MAPPING = 3 };

/* Key of (table, account, region, last) in the arena; an absent `last` gives the prefix of all, an
 * absent account that of the table. STR_NONE on exhaustion. */
struct str lambda_key(struct arena *a, enum lambda_table table, struct str account,
                      struct str region, struct str last);
/* The same into `b`. */
void lambda_key_put(struct buf *b, uint8_t table, struct str account, struct str region,
                    struct str last);
/* Written and read (tracked) by whoever adds to or decides on the set of mappings or functions. */
struct str lambda_guard_key(struct arena *a, enum lambda_table table, struct str account,
                            struct str region);

/* --- packages: lambda_code.c ------------------------------------------------------------------ */

/* An unpacked package in use. Shared by the configurations that run it. */
struct lambda_code {
    atomic_int refs;
    atomic_bool retired; /* no function names it any more: removed with the last reference */
    struct core *core;
    char *dir; /* absolute; the zip is dir + ".zip" */
    char *id;
};
struct lambda_code *lambda_code_new(struct lambda *l, struct str id);
struct lambda_code *lambda_code_ref(struct lambda_code *c);
void lambda_code_unref(struct lambda_code *c); /* any thread; NULL is fine */

/* An upload, kept in call->state over the suspension of its call. */
struct lambda_upload {
    struct str code_id; /* arena of the call */
    struct str sha256;  /* base64 */
    int64_t size;
};
/* Unpacks the package and makes it durable. `zip_file` or the S3 object; suspends the call while it
 * works (ERR_SUSPENDED) and gives the result when rerun. Removed again unless lambda_upload_keep. */
struct lambda_code_source {
    struct str zip_file, s3_bucket, s3_key, s3_version;
};
enum err lambda_upload_run(struct call *call, const struct lambda_code_source *source,
                           struct lambda_upload *ret_upload) WARN_UNUSED;
/* The call's transaction refers to the package when it commits. */
enum err lambda_upload_keep(struct call *call) WARN_UNUSED;
/* sha256 and size alone, for DryRun. */
void lambda_upload_measure(struct str zip, struct arena *a, struct lambda_upload *ret_upload);

enum err lambda_code_dirs_make(struct lambda *l) WARN_UNUSED;
/* Removes every package whose id is not in `keep`. */
enum err lambda_code_collect(struct lambda *l, const struct map *keep) WARN_UNUSED;
/* Path of a package's zip, NUL-terminated in the arena; NULL on exhaustion. */
char *lambda_code_zip_path(struct lambda *l, struct arena *a, struct str id);
/* URL from which the package can be had for some minutes. */
struct str lambda_code_url(struct lambda *l, struct arena *a, struct str code_id);
void lambda_code_route(void *arg, struct http_req *req);

/* --- configurations in memory: lambda_conf.c -------------------------------------------------- */

/* A function as the engine sees it: immutable, shared, counted. */
struct lambda_conf {
    struct catalogue_object object;
    struct lambda_fn rec;
    struct lambda_code *code;
    struct str arn; /* without qualifier */
};
static inline struct lambda_conf *lambda_conf_ref(struct lambda_conf *conf)
{
    catalogue_ref(conf);
    return conf;
}
static inline void lambda_conf_unref(struct lambda_conf *conf) /* any thread; NULL is fine */
{
    catalogue_unref(conf);
}
enum err lambda_conf_open(struct lambda *l) WARN_UNUSED;
/* At start. */
enum err lambda_conf_load(struct lambda *l, struct txn *txn) WARN_UNUSED;
/* Newest durable configuration; a reference is given. Any thread. ERR_NOT_FOUND; ERR_NOMEM or ERR_IO
 * when it is not known for now. */
enum err lambda_conf_find(struct lambda *l, const struct lambda_name *name,
                          struct lambda_conf **ret_conf) WARN_UNUSED;
/* Sum of reserved concurrency over all functions but `except`; number of functions; code bytes. An
 * absent account: of all accounts and regions. O(functions). */
struct lambda_conf_sums {
    int64_t reserved, functions, code_size;
};
struct lambda_conf_sums lambda_conf_sum(struct lambda *l, struct str account, struct str region,
                                        struct str except);

/* --- the engine: lambda_engine.c (home loop) -------------------------------------------------- */

enum lambda_status {
    INVOKE_OK,
    INVOKE_FUNCTION_ERROR, /* body is the error document */
    INVOKE_THROTTLED,
    INVOKE_FAILED, /* could not be started here: `why` */
    INVOKE_STOPPING,
};

struct lambda_result {
    enum lambda_status status;
    struct str body;    /* borrowed for the callback */
    const char *reason; /* of a throttle, as AWS's Reason member */
    struct str tail;    /* last LAMBDA_TAIL_MAX bytes of the log, when asked for */
};

/* One invocation. Owned by the caller until on_done; zeroed and filled by it. */
struct lambda_invocation {
    struct lambda_conf *conf; /* reference taken by the caller, dropped by the caller */
    struct str event;         /* borrowed until on_done */
    char request_id[LAMBDA_REVISION_LEN + 1];
    struct str client_context; /* absent: none */
    bool want_tail;
    bool may_wait; /* for an invocation of the same function to end, instead of being throttled */
    /* Always later, on the home loop, exactly once. */
    void (*on_done)(struct lambda_invocation *inv, const struct lambda_result *result);
    void *user;
    /* the engine's */
    struct sandbox_invoke sb;
    struct instance *instance;
    struct io_task task;
    struct list link; /* pool->waiting */
    struct buf tail;
    enum lambda_status early; /* why it never started */
    const char *reason;
};

struct lambda_engine;
enum err lambda_engine_new(struct lambda *l, struct lambda_engine **ret_engine) WARN_UNUSED;
void lambda_engine_start(struct lambda_engine *e);
void lambda_engine_invoke(struct lambda_engine *e, struct lambda_invocation *inv);
/* Whether an invocation of the function would start now; a hint. */
bool lambda_engine_has_room(struct lambda_engine *e, const struct lambda_conf *conf);
/* The function changed or went: environments of older revisions end. Any thread. */
void lambda_engine_changed(struct lambda_engine *e, const struct lambda_name *name);
void lambda_engine_stop(struct lambda_engine *e);
void lambda_engine_free(struct lambda_engine *e);

/* --- logs: lambda_logs.c (home loop) ---------------------------------------------------------- */

struct lambda_logbook;
/* A stream of one environment. Lifetime: the environment's, and that of its lines. */
struct lambda_log_stream;
enum err lambda_logbook_new(struct lambda *l, struct lambda_logbook **ret_book) WARN_UNUSED;
void lambda_logbook_start(struct lambda_logbook *book);
/* `conf` is referenced. NULL on exhaustion. */
struct lambda_log_stream *lambda_log_stream_new(struct lambda_logbook *book,
                                                struct lambda_conf *conf);
struct str lambda_log_stream_name(const struct lambda_log_stream *s);
/* Drops the environment's hold. */
void lambda_log_stream_drop(struct lambda_log_stream *s);
/* One event; over the book's limit it is dropped and counted. */
void lambda_log_line(struct lambda_log_stream *s, int64_t now_ms, struct str line);
/* Writes what is there; done(arg) once durable (or failed). */
void lambda_logbook_flush(struct lambda_logbook *book, void (*done)(void *arg), void *arg);
void lambda_logbook_free(struct lambda_logbook *book);

struct lambda_report {
    struct str request_id;
    int64_t duration_us;
    int64_t init_us; /* < 0: not a cold start */
    int64_t memory_mb, max_memory_mb;
    const char *status;    /* "timeout", "error"; NULL: none */
    struct str error_type; /* with status "error" */
};
/* Appends the REPORT line. */
void lambda_report_put(struct buf *b, const struct lambda_report *r);

/* --- asynchronous invocations: lambda_async.c ------------------------------------------------- */

struct lambda_event {
    struct lambda_name name;
    struct str fn_id; /* incarnation */
    struct str request_id;
    struct str client_context;
    struct str payload;
};
enum err lambda_async_register(struct lambda *l) WARN_UNUSED;
/* Stages an asynchronous invocation. ERR_LIMIT. */
enum err lambda_async_add(struct txn *txn, struct lambda *l, const struct lambda_fn *rec,
                          struct str request_id, struct str client_context,
                          struct str payload) WARN_UNUSED;
enum err lambda_event_pack(const struct lambda_event *ev, struct buf *b) WARN_UNUSED;
enum err lambda_event_unpack(struct str bytes, struct lambda_event *ret_ev) WARN_UNUSED;

/* What a destination is sent. */
struct lambda_destination_record {
    int64_t now_ms;
    struct str request_id;
    struct str function_arn; /* with qualifier */
    const char *condition;   /* "Success", "RetriesExhausted", "EventAgeExceeded" */
    int invoke_count;
    struct str request_payload; /* JSON */
    bool has_response;
    bool function_error;
    struct str response_payload; /* JSON; other bytes become null */
};
void lambda_destination_record_put(struct buf *b, const struct lambda_destination_record *rec);

/* --- event source mappings: lambda_poller.c (home loop) --------------------------------------- */

struct lambda_pollers;
enum err lambda_pollers_new(struct lambda *l, struct lambda_pollers **ret_pollers) WARN_UNUSED;
/* Takes a durable state of a mapping in. Any thread; ERR_NOMEM. */
enum err lambda_pollers_take(struct lambda_pollers *p, struct str record) WARN_UNUSED;
void lambda_pollers_deleted(struct lambda_pollers *p, struct str uuid, uint64_t generation);
void lambda_pollers_start(struct lambda_pollers *p);
/* A function appeared or changed. Home loop. */
void lambda_pollers_kick(struct lambda_pollers *p, struct str function);
void lambda_pollers_stop(struct lambda_pollers *p);
void lambda_pollers_free(struct lambda_pollers *p);
/* "OK", "No records processed", "PROBLEM: ...": copied into the arena. Any thread. */
struct str lambda_pollers_last_result(struct lambda_pollers *p, struct str uuid, struct arena *a);
/* Which messages a partial batch response says failed. ERR_INVALID: the whole batch did. */
enum err lambda_batch_failures(struct arena *a, struct str response, const struct str *ids,
                               size_t n_ids, bool *ret_failed) WARN_UNUSED;

/* --- validation: lambda_validate.c, lambda_payload.c ------------------------- */

/* Whether `s` is one JSON text; *ret_at is the offset of the fault. No allocation, no recursion. */
bool lambda_payload_is_json(struct str s, size_t *ret_at);

/* Whether a function's role may do `action` with a queue or function, by the role's policies and
 * the target's own. ERR_DENIED. */
static inline enum err WARN_UNUSED lambda_role_allowed(struct txn *txn, struct str role,
                                                       const char *action, struct str arn)
{
    return core_role_allowed(txn, role, STR(LAMBDA_PRINCIPAL), action, arn);
}

/* The settings of CreateFunction and UpdateFunctionConfiguration, as one. Absent members leave the
 * record as it is. */
struct lambda_settings {
    struct str runtime, role, handler, description;
    int64_t timeout, memory;
    bool has_timeout, has_memory;
    const struct lambda_environment *environment;
    const struct lambda_dead_letter_config *dead_letter;
    const struct lambda_tracing_config *tracing;
    const struct lambda_ephemeral_storage *ephemeral;
    const struct lambda_logging_config *logging;
    const struct lambda_snap_start *snap_start;
    const struct lambda_vpc_config *vpc;
    struct lambda_layer_list layers;
    struct lambda_file_system_config_list file_systems;
    const struct lambda_image_config *image;
    struct str kms_key_arn;
    bool capacity_provider, durable, tenancy;
};
/* Checks and applies; ERR_FAILED with the service's error set. */
enum err lambda_settings_apply(struct call *call, const struct lambda_settings *s,
                               struct lambda_fn *rec) WARN_UNUSED;
/* Architectures member to the record. */
enum err lambda_architecture_apply(struct call *call, struct lambda_architectures_list list,
                                   struct lambda_fn *rec) WARN_UNUSED;
const char *lambda_host_architecture(void);

/* FunctionConfiguration as every operation returns it, in the call's arena. */
enum err lambda_configuration_fill(struct call *call, const struct lambda_fn *rec, bool qualified,
                                   struct lambda_function_configuration *out) WARN_UNUSED;

/* --- the service ------------------------------------------------------------------------------ */

struct lambda {
    struct core *core;
    struct deliver *deliver;
    struct sandbox *sandbox;
    const struct sqs_port *sqs;
    const struct s3_port *s3;
    const struct logs_port *logs;
    struct catalogue *confs; /* struct lambda_conf by record key */
    bool loading;            /* at start: the engine is not told */
    struct lambda_engine *engine;
    struct lambda_logbook *logbook;
    struct lambda_pollers *pollers;
    uint8_t url_key[32]; /* of package URLs; of this process start */
    bool stopping;       /* home loop */
    void (*stop_done)(void *arg);
    void *stop_arg;
};

static inline struct lambda *lambda_of(struct call *call)
{
    return call->svc;
}

/* Stages a message or invocation for a destination under the function's role. Failures that will
 * not pass (gone, denied, too large) are logged and ERR_OK. */
enum err lambda_destination_send(struct txn *txn, const struct lambda_fn *rec, struct str arn,
                                 const struct target_delivery *delivery) WARN_UNUSED;

/* op_tags.c, lambda_target.c */
extern const struct tags_service lambda_tags_service;
enum err lambda_tags_of(struct call *call, const struct lambda_fn *rec,
                        struct tag_list *ret_tags) WARN_UNUSED;
extern const struct target_kind lambda_targets[1];

#endif
