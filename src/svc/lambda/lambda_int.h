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
struct fn_name {
    struct str account, region, name;
    struct str qualifier; /* absent or "$LATEST" is the only version there is */
};

/* Name, partial ARN or ARN, with or without qualifier. ERR_INVALID. Text borrowed from `s`. */
enum err fn_name_parse(struct str s, struct str account, struct str region,
                       struct fn_name *ret_name) WARN_UNUSED;
/* The same for a call's parameters, with the service's errors (ERR_FAILED): mismatching qualifier,
 * other region, other version. */
enum err fn_name_of_call(struct call *call, struct str function_name, struct str qualifier,
                         struct fn_name *ret_name) WARN_UNUSED;
/* "arn:aws:lambda:...:function:name", qualifier appended when set. STR_NONE on exhaustion. */
struct str fn_arn(struct arena *a, struct str partition, const struct fn_name *name,
                  struct str qualifier);
/* ResourceNotFoundException "Function not found: arn". */
enum err fn_not_found(struct call *call, const struct fn_name *name) WARN_UNUSED;
/* Whether 1..64 (or 140 with ARN) characters of a-zA-Z0-9-_ . */
bool fn_name_valid(struct str name);

/* --- records: lambda_record.c ----------------------------------------------------------------- */

struct fn_pair {
    struct str key, value;
};

/* How asynchronous invocations of a function are retried and where they end. */
struct fn_async_config {
    bool set;
    int retries;                       /* -1: default */
    int64_t age_max_s;                 /* -1: default */
    struct str on_success, on_failure; /* ARNs or absent */
    int64_t modified_ms;
};

/* A function as stored. Text lives in the arena it was read into. */
struct fn_rec {
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
    struct fn_pair *env;
    size_t n_env;
    bool has_env;
    struct str dlq_arn; /* absent: none */
    struct str log_group;
    int64_t reserved; /* -1: none */
    struct fn_async_config async;
};

enum err fn_rec_pack(const struct fn_rec *rec, struct buf *b) WARN_UNUSED;
/* Text is copied into `a`. ERR_CORRUPT, ERR_NOMEM. */
enum err fn_rec_unpack(struct arena *a, struct str bytes, struct fn_rec *ret_rec) WARN_UNUSED;
/* Tracked read. ERR_NOT_FOUND. */
enum err fn_rec_get(struct txn *txn, const struct fn_name *name,
                    struct fn_rec *ret_rec) WARN_UNUSED;
/* The same for a handler: ERR_FAILED with "Function not found" set. */
enum err fn_rec_of_call(struct call *call, const struct fn_name *name,
                        struct fn_rec *ret_rec) WARN_UNUSED;
/* Stages the record with the next generation, and tells memory once durable. */
enum err fn_rec_put(struct txn *txn, struct lambda *l, struct fn_rec *rec) WARN_UNUSED;
/* Gives the record a new RevisionId and LastModified. ERR_NOMEM. */
enum err fn_rec_touch(struct txn *txn, struct fn_rec *rec) WARN_UNUSED;
enum err fn_rec_del(struct txn *txn, struct lambda *l, const struct fn_rec *rec) WARN_UNUSED;

struct fn_name fn_rec_name(const struct fn_rec *rec);

/* A function's resource policy. */
struct fn_policy {
    struct str revision;
    struct str document; /* JSON; absent: none */
};
/* A function without policy gives neither document nor revision. */
enum err fn_policy_get(struct txn *txn, const struct fn_name *name,
                       struct fn_policy *ret_policy) WARN_UNUSED;
enum err fn_policy_put(struct txn *txn, const struct fn_name *name,
                       const struct fn_policy *policy) WARN_UNUSED;

/* An event source mapping (queues only). */
struct esm_rec {
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
enum err esm_rec_pack(const struct esm_rec *rec, struct buf *b) WARN_UNUSED;
enum err esm_rec_unpack(struct arena *a, struct str bytes, struct esm_rec *ret_rec) WARN_UNUSED;
enum err esm_rec_get(struct txn *txn, struct str account, struct str region, struct str uuid,
                     struct esm_rec *ret_rec) WARN_UNUSED;
enum err esm_rec_put(struct txn *txn, struct lambda *l, struct esm_rec *rec) WARN_UNUSED;
enum err esm_rec_del(struct txn *txn, struct lambda *l, const struct esm_rec *rec) WARN_UNUSED;

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
struct code {
    atomic_int refs;
    atomic_bool retired; /* no function names it any more: removed with the last reference */
    struct core *core;
    char *dir; /* absolute; the zip is dir + ".zip" */
    char *id;
};
struct code *code_new(struct lambda *l, struct str id);
struct code *code_ref(struct code *c);
void code_unref(struct code *c); /* any thread; NULL is fine */

/* An upload, kept in call->state over the suspension of its call. */
struct upload {
    struct str code_id; /* arena of the call */
    struct str sha256;  /* base64 */
    int64_t size;
};
/* Unpacks the package and makes it durable. `zip_file` or the S3 object; suspends the call while it
 * works (ERR_SUSPENDED) and gives the result when rerun. Removed again unless upload_keep. */
struct code_source {
    struct str zip_file, s3_bucket, s3_key, s3_version;
};
enum err upload_run(struct call *call, const struct code_source *source,
                    struct upload *ret_upload) WARN_UNUSED;
/* The call's transaction refers to the package when it commits. */
enum err upload_keep(struct call *call) WARN_UNUSED;
/* sha256 and size alone, for DryRun. */
void upload_measure(struct str zip, struct arena *a, struct upload *ret_upload);

enum err code_dirs_make(struct lambda *l) WARN_UNUSED;
/* Removes every package whose id is not in `keep`. */
enum err code_collect(struct lambda *l, const struct map *keep) WARN_UNUSED;
/* Path of a package's zip, NUL-terminated in the arena; NULL on exhaustion. */
char *code_zip_path(struct lambda *l, struct arena *a, struct str id);
/* URL from which the package can be had for some minutes. */
struct str code_url(struct lambda *l, struct arena *a, struct str code_id);
void code_route(void *arg, struct http_req *req);

/* --- configurations in memory: lambda_conf.c -------------------------------------------------- */

/* A function as the engine sees it: immutable, shared, counted. */
struct fn_conf {
    struct catalogue_object object;
    struct fn_rec rec;
    struct code *code;
    struct str arn; /* without qualifier */
};
static inline struct fn_conf *conf_ref(struct fn_conf *conf)
{
    catalogue_ref(conf);
    return conf;
}
static inline void conf_unref(struct fn_conf *conf) /* any thread; NULL is fine */
{
    catalogue_unref(conf);
}
enum err conf_open(struct lambda *l) WARN_UNUSED;
/* At start. */
enum err conf_load(struct lambda *l, struct txn *txn) WARN_UNUSED;
/* Newest durable configuration; a reference is given. Any thread. ERR_NOT_FOUND; ERR_NOMEM or ERR_IO
 * when it is not known for now. */
enum err conf_find(struct lambda *l, const struct fn_name *name,
                   struct fn_conf **ret_conf) WARN_UNUSED;
/* Sum of reserved concurrency over all functions but `except`; number of functions; code bytes. An
 * absent account: of all accounts and regions. O(functions). */
struct conf_sums {
    int64_t reserved, functions, code_size;
};
struct conf_sums conf_sum(struct lambda *l, struct str account, struct str region,
                          struct str except);

/* --- the engine: lambda_engine.c (home loop) -------------------------------------------------- */

enum invoke_status {
    INVOKE_OK,
    INVOKE_FUNCTION_ERROR, /* body is the error document */
    INVOKE_THROTTLED,
    INVOKE_FAILED, /* could not be started here: `why` */
    INVOKE_STOPPING,
};

struct invoke_result {
    enum invoke_status status;
    struct str body;    /* borrowed for the callback */
    const char *reason; /* of a throttle, as AWS's Reason member */
    struct str tail;    /* last LAMBDA_TAIL_MAX bytes of the log, when asked for */
};

/* One invocation. Owned by the caller until on_done; zeroed and filled by it. */
struct invocation {
    struct fn_conf *conf; /* reference taken by the caller, dropped by the caller */
    struct str event;     /* borrowed until on_done */
    char request_id[LAMBDA_REVISION_LEN + 1];
    struct str client_context; /* absent: none */
    bool want_tail;
    bool may_wait; /* for an invocation of the same function to end, instead of being throttled */
    /* Always later, on the home loop, exactly once. */
    void (*on_done)(struct invocation *inv, const struct invoke_result *result);
    void *user;
    /* the engine's */
    struct sandbox_invoke sb;
    struct instance *instance;
    struct io_task task;
    struct list link; /* pool->waiting */
    struct buf tail;
    enum invoke_status early; /* why it never started */
    const char *reason;
};

struct engine;
enum err engine_new(struct lambda *l, struct engine **ret_engine) WARN_UNUSED;
void engine_start(struct engine *e);
void engine_invoke(struct engine *e, struct invocation *inv);
/* Whether an invocation of the function would start now; a hint. */
bool engine_has_room(struct engine *e, const struct fn_conf *conf);
/* The function changed or went: environments of older revisions end. Any thread. */
void engine_changed(struct engine *e, const struct fn_name *name);
void engine_stop(struct engine *e);
void engine_free(struct engine *e);

/* --- logs: lambda_logs.c (home loop) ---------------------------------------------------------- */

struct logbook;
/* A stream of one environment. Lifetime: the environment's, and that of its lines. */
struct log_stream;
enum err logbook_new(struct lambda *l, struct logbook **ret_book) WARN_UNUSED;
void logbook_start(struct logbook *book);
/* `conf` is referenced. NULL on exhaustion. */
struct log_stream *log_stream_new(struct logbook *book, struct fn_conf *conf);
struct str log_stream_name(const struct log_stream *s);
/* Drops the environment's hold. */
void log_stream_drop(struct log_stream *s);
/* One event; over the book's limit it is dropped and counted. */
void log_line(struct log_stream *s, int64_t now_ms, struct str line);
/* Writes what is there; done(arg) once durable (or failed). */
void logbook_flush(struct logbook *book, void (*done)(void *arg), void *arg);
void logbook_free(struct logbook *book);

struct log_report {
    struct str request_id;
    int64_t duration_us;
    int64_t init_us; /* < 0: not a cold start */
    int64_t memory_mb, max_memory_mb;
    const char *status;    /* "timeout", "error"; NULL: none */
    struct str error_type; /* with status "error" */
};
/* Appends the REPORT line. */
void log_report_put(struct buf *b, const struct log_report *r);

/* --- asynchronous invocations: lambda_async.c ------------------------------------------------- */

struct async_event {
    struct fn_name name;
    struct str fn_id; /* incarnation */
    struct str request_id;
    struct str client_context;
    struct str payload;
};
enum err async_register(struct lambda *l) WARN_UNUSED;
/* Stages an asynchronous invocation. ERR_LIMIT. */
enum err async_add(struct txn *txn, struct lambda *l, const struct fn_rec *rec,
                   struct str request_id, struct str client_context,
                   struct str payload) WARN_UNUSED;
enum err async_event_pack(const struct async_event *ev, struct buf *b) WARN_UNUSED;
enum err async_event_unpack(struct str bytes, struct async_event *ret_ev) WARN_UNUSED;

/* What a destination is sent. */
struct destination_record {
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
void destination_record_put(struct buf *b, const struct destination_record *rec);

/* --- event source mappings: lambda_poller.c (home loop) --------------------------------------- */

struct pollers;
enum err pollers_new(struct lambda *l, struct pollers **ret_pollers) WARN_UNUSED;
/* Takes a durable state of a mapping in. Any thread; ERR_NOMEM. */
enum err pollers_take(struct pollers *p, struct str record) WARN_UNUSED;
void pollers_deleted(struct pollers *p, struct str uuid, uint64_t generation);
void pollers_start(struct pollers *p);
/* A function appeared or changed. Home loop. */
void pollers_kick(struct pollers *p, struct str function);
void pollers_stop(struct pollers *p);
void pollers_free(struct pollers *p);
/* "OK", "No records processed", "PROBLEM: ...": copied into the arena. Any thread. */
struct str pollers_last_result(struct pollers *p, struct str uuid, struct arena *a);
/* Which messages a partial batch response says failed. ERR_INVALID: the whole batch did. */
enum err batch_failures(struct arena *a, struct str response, const struct str *ids, size_t n_ids,
                        bool *ret_failed) WARN_UNUSED;

/* --- validation: lambda_validate.c, lambda_payload.c ------------------------- */

/* Whether `s` is one JSON text; *ret_at is the offset of the fault. No allocation, no recursion. */
bool payload_is_json(struct str s, size_t *ret_at);

/* Whether a function's role may do `action` with a queue or function, by the role's policies and
 * the target's own. ERR_DENIED. */
static inline enum err WARN_UNUSED role_allowed(struct txn *txn, struct str role,
                                                const char *action, struct str arn)
{
    return core_role_allowed(txn, role, STR(LAMBDA_PRINCIPAL), action, arn);
}

/* The settings of CreateFunction and UpdateFunctionConfiguration, as one. Absent members leave the
 * record as it is. */
struct fn_settings {
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
enum err settings_apply(struct call *call, const struct fn_settings *s,
                        struct fn_rec *rec) WARN_UNUSED;
/* Architectures member to the record. */
enum err architecture_apply(struct call *call, struct lambda_architectures_list list,
                            struct fn_rec *rec) WARN_UNUSED;
const char *host_architecture(void);

/* FunctionConfiguration as every operation returns it, in the call's arena. */
enum err configuration_fill(struct call *call, const struct fn_rec *rec, bool qualified,
                            struct lambda_function_configuration *out) WARN_UNUSED;

/* --- the service ------------------------------------------------------------------------------ */

struct lambda {
    struct core *core;
    struct deliver *deliver;
    struct sandbox *sandbox;
    const struct sqs_port *sqs;
    const struct s3_port *s3;
    const struct logs_port *logs;
    struct catalogue *confs; /* struct fn_conf by record key */
    bool loading;            /* at start: the engine is not told */
    struct engine *engine;
    struct logbook *logbook;
    struct pollers *pollers;
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
enum err destination_send(struct txn *txn, const struct fn_rec *rec, struct str arn,
                          const struct target_delivery *delivery) WARN_UNUSED;

/* op_tags.c, lambda_target.c */
extern const struct tags_service lambda_tags_service;
enum err lambda_tags_of(struct call *call, const struct fn_rec *rec,
                        struct tag_list *ret_tags) WARN_UNUSED;
extern const struct target_kind lambda_targets[1];

#endif
