/* Shared by the files of the Lambda service. */
#ifndef WEIR_SVC_LAMBDA_INT_H
#define WEIR_SVC_LAMBDA_INT_H

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "base/record.h"
#include "core/catalogue.h"
#include "core/claim.h"
#include "core/page.h"
#include "core/statement.h"
#include "core/waiter.h"
#include "lambda_api.h"
#include "svc/kms/kms_port.h"
#include "svc/lambda/lambda.h"

enum {
    LAMBDA_FUNCTIONS_MAX = 10000, /* per account and region */
    LAMBDA_MAPPINGS_MAX = 1000,
    LAMBDA_VERSIONS_MAX = 1000,        /* published, of a function */
    LAMBDA_ALIASES_MAX = 1000,         /* of a function */
    LAMBDA_LAYERS_MAX = 5,             /* of a function */
    LAMBDA_LAYER_VERSIONS_MAX = 10000, /* of all layers of an account and region */
    LAMBDA_LAYER_ARN_MAX = 140,        /* of a version, by which functions name it */
    LAMBDA_CODE_ZIPPED_MAX = 50 * 1024 * 1024,
    LAMBDA_CODE_UNZIPPED_MAX = 250 * 1024 * 1024,
    LAMBDA_ENV_MAX = 4096, /* bytes, as JSON; variables of a record */
    LAMBDA_PAYLOAD_SYNC_MAX = 6 * 1024 * 1024,
    LAMBDA_PAYLOAD_ASYNC_MAX = 1024 * 1024,
    LAMBDA_POLICY_MAX = 20 * 1024, /* bytes of a function's policy document */
    LAMBDA_CONCURRENCY_MAX = 1000, /* of an account in a region */
    LAMBDA_UNRESERVED_MIN = 100,
    LAMBDA_TIMEOUT_MAX_S = 900,
    LAMBDA_MEMORY_MAX_MB = 10240,
    LAMBDA_LIST_MAX = 50, /* functions of one page */
    LAMBDA_MAPPING_LIST_MAX = 100,
    LAMBDA_REVISION_LEN = 36,
    LAMBDA_ARN_MAX = 320,   /* bytes, with the longest names, qualifier and region */
    LAMBDA_TRACE_MAX = 256, /* of the trace header (lambda_trace.h) */
    LAMBDA_ASYNC_RETRIES = 2,
    LAMBDA_ASYNC_AGE_MAX_S = 6 * 3600,
    LAMBDA_ASYNC_RUNNING_MAX = 128, /* asynchronous invocations at once; half are a function's */
    LAMBDA_BATCH_MAX = 10000,       /* messages of one event source batch */
    LAMBDA_MAPPING_START = 5,       /* batches at once of a mapping, at first */
    LAMBDA_MAPPING_CONCURRENCY_MAX = 64, /* unless ScalingConfig says otherwise */
    LAMBDA_TAIL_MAX = 4096,              /* bytes of X-Amz-Log-Result */
    LAMBDA_CONTEXT_MAX = 3583, /* bytes of X-Amz-Client-Context, and of what it decodes to */
};

#define LAMBDA_LATEST "$LATEST"
#define LAMBDA_PRINCIPAL "lambda.amazonaws.com"

/* The error of what a request asks for that cannot be. */
#define LAMBDA_INVALID(call, ...)                                                                  \
    call_error((call), &lambda_err_invalid_parameter_value_exception, __VA_ARGS__)

struct lambda;
static inline struct lambda *lambda_of(const struct call *call)
{
    return call->svc;
}

/* --- names: lambda_names.c -------------------------------------------------------------------- */

/* What a FunctionName parameter, with its Qualifier, means. Borrowed from the arena. */
struct lambda_name {
    struct key_scope scope;
    struct str name;
    struct str qualifier; /* a version or an alias; absent or "$LATEST": what may be changed */
};

/* Name, partial ARN or ARN, with or without qualifier; `scope` where it says none. ERR_INVALID.
 * Text borrowed from `s`. */
enum err lambda_name_parse(struct str s, struct key_scope scope,
                           struct lambda_name *ret_name) WARN_UNUSED;
/* The same for a call's parameters, with the service's errors (ERR_FAILED): mismatching qualifier,
 * other region; of versions $LATEST alone. */
enum err lambda_name_of_call(struct call *call, struct str function_name, struct str qualifier,
                             struct lambda_name *ret_name) WARN_UNUSED;
/* Of any version, or an alias. */
enum err lambda_name_of_qualifier(struct call *call, struct str function_name, struct str qualifier,
                                  struct lambda_name *ret_name) WARN_UNUSED;
/* "arn:aws:lambda:...:function:name", qualifier appended when set. STR_NONE on exhaustion. */
struct str lambda_arn(struct arena *a, struct str partition, const struct lambda_name *name,
                      struct str qualifier);
/* ResourceNotFoundException "Function not found: arn". */
enum err lambda_not_found(struct call *call, const struct lambda_name *name) WARN_UNUSED;
/* `err` of a look for a function: where that was not found, in the words of the operation instead. */
enum err lambda_not_found_as(struct call *call, enum err err, const char *words) WARN_UNUSED;

/* A layer, or a version of one. Borrowed from the arena. */
struct lambda_layer_name {
    struct key_scope scope;
    struct str name;
    uint64_t number; /* of a version; 0: the layer */
};
/* Name or ARN, of a layer or a version; `scope` where it says none. ERR_INVALID. Text borrowed from `s`. */
enum err lambda_layer_name_parse(struct str s, struct key_scope scope,
                                 struct lambda_layer_name *ret_name) WARN_UNUSED;
/* STR_NONE on exhaustion. */
struct str lambda_layer_arn(struct arena *a, struct str partition,
                            const struct lambda_layer_name *name);

/* --- records: lambda_record.c ----------------------------------------------------------------- */

/* How asynchronous invocations of a function are retried and where they end. */
struct lambda_async_config {
    bool set;
    int retries;                       /* -1: default */
    int64_t age_max_s;                 /* -1: default */
    struct str on_success, on_failure; /* ARNs or absent */
    int64_t modified_ms;
};

/* A layer version that a function uses. */
struct lambda_fn_layer {
    struct str arn;
    int64_t size;     /* of the zip */
    int64_t unzipped; /* of its files */
};

/* A function, or one of its versions. In memory (the newest durable one, which the engine runs): immutable, shared,
 * counted. As lambda_fn_get gives it: the transaction's own, to be changed and put, without
 * package. */
struct lambda_fn {
    struct catalogue_object object;
    struct lambda_name name; /* the qualifier is not stored */
    struct str id;           /* of this incarnation: a function created anew has another */
    struct str revision;     /* RevisionId */
    struct str runtime, role, handler, description;
    int64_t timeout_s, memory_mb, ephemeral_mb;
    struct str code_id;     /* folder and zip below <data>/lambda/code */
    struct str code_sha256; /* base64 */
    int64_t code_size;
    struct str architecture;
    int64_t modified_ms;
    struct lambda_environment_variables_entry *env; /* with data_key: values are sealed under it */
    size_t n_env;
    bool has_env;        /* one was given, be it empty: it is shown */
    struct str kms_key;  /* ARN as it was given; absent: none */
    struct str data_key; /* as KMS sealed it; absent: values are plain */
    struct str dlq_arn;  /* absent: none */
    struct str log_group;
    int64_t reserved; /* -1: none */
    struct lambda_async_config async;
    bool log_json;
    struct str log_level, system_log_level; /* with log_json: "INFO"... */
    uint64_t number;                        /* of a published version; 0: $LATEST */
    uint64_t last_number;      /* of $LATEST: that was published last, be it there or not */
    bool recursion_allowed;    /* of $LATEST: loops of the function are let run */
    struct str runtime_update; /* UpdateRuntimeOn; absent: Auto */
    int64_t code_unzipped;     /* bytes of the unpacked package; 0: not known */
    struct lambda_fn_layer *layers;
    size_t n_layers;
    struct str opt_id; /* folder of their files, as code_id; absent: no layers */
    /* not stored */
    struct str arn;                 /* of $LATEST without qualifier */
    struct str version;             /* "$LATEST", or the number */
    struct lambda_code *code, *opt; /* carried from version to version; opt NULL: no layers */
};

extern const struct record_type lambda_fn_type, lambda_mapping_type, lambda_event_type,
    lambda_alias_type, lambda_policy_type;

/* A name for a version, or for two by weight; as struct lambda_fn. */
struct lambda_alias {
    struct catalogue_object object;
    struct lambda_name function; /* its qualifier, which is not stored, is the alias's name */
    struct str name, description, revision;
    struct str version;       /* "$LATEST" or a number */
    struct str other_version; /* absent: none */
    double other_weight;      /* 0 to 1: its part */
    struct lambda_async_config async;
};
/* Whether a qualifier names neither $LATEST (or nothing) nor a number. */
bool lambda_is_alias(struct str qualifier);
/* Tracked read of the alias that the name's qualifier says. ERR_NOT_FOUND. */
enum err lambda_alias_get(struct txn *txn, struct lambda *l, const struct lambda_name *name,
                          struct lambda_alias **ret_alias) WARN_UNUSED;
/* Stages the record, with a new revision. ERR_NOT_FOUND: there is no such function. */
enum err lambda_alias_put(struct txn *txn, struct lambda *l,
                          struct lambda_alias *alias) WARN_UNUSED;
/* With its policy. */
enum err lambda_alias_del(struct txn *txn, struct lambda *l,
                          const struct lambda_name *name) WARN_UNUSED;
/* Keys of a function's versions, by number, and of its aliases, by name. */
struct key_range lambda_versions_of(struct arena *a, const struct lambda_name *name);
struct key_range lambda_aliases_of(struct arena *a, const struct lambda_name *name);

enum err lambda_fns_new(struct lambda *l) WARN_UNUSED;
/* At start. */
enum err lambda_fns_load(struct lambda *l, struct txn *txn) WARN_UNUSED;
/* Newest durable state of what the name means, for an alias of a version by its weights; a reference is
 * given. Any thread. ERR_NOT_FOUND; ERR_NOMEM or ERR_IO when
 * it is not known for now. */
enum err lambda_fn_find(struct lambda *l, const struct lambda_name *name,
                        struct lambda_fn **ret_fn) WARN_UNUSED;
static inline struct lambda_fn *lambda_fn_ref(struct lambda_fn *fn)
{
    catalogue_ref(fn);
    return fn;
}
static inline void lambda_fn_unref(struct lambda_fn *fn) /* any thread; NULL is fine */
{
    catalogue_unref(fn);
}
/* What the keys of an account's and region's functions begin with; for lambda_fn_sum and pages. */
struct str lambda_fns_prefix(struct arena *a, struct key_scope scope);
struct str lambda_versions_prefix(struct arena *a, struct key_scope scope);
/* Over the durable functions whose keys begin so ("": all). O(functions). */
struct lambda_sums {
    struct str except; /* the function whose `reserved` does not count */
    int64_t reserved, functions, code_size;
};
struct lambda_sums lambda_fn_sum(struct lambda *l, struct str prefix, struct str except);

/* Fills it from its record; text is copied into `a`. ERR_CORRUPT, ERR_NOMEM. */
enum err lambda_fn_unpack(struct arena *a, const struct core *core, struct str record,
                          struct lambda_fn *ret_fn) WARN_UNUSED;
/* Tracked read; for an alias of its first version. ERR_NOT_FOUND. */
enum err lambda_fn_get(struct txn *txn, struct lambda *l, const struct lambda_name *name,
                       struct lambda_fn **ret_fn) WARN_UNUSED;
/* Writes the function's record as it is: what is made beside it then conflicts with its deletion.
 * ERR_NOT_FOUND. */
enum err lambda_fn_guard(struct txn *txn, struct lambda *l,
                         const struct lambda_name *name) WARN_UNUSED;
/* The function that a handler's parameters name: ERR_FAILED with the service's error set. Its
 * name.qualifier is the one that was given. */
enum err lambda_fn_of_call(struct call *call, struct str function_name, struct str qualifier,
                           struct lambda_fn **ret_fn) WARN_UNUSED;
/* The same of any version or alias. */
enum err lambda_fn_of_qualifier(struct call *call, struct str function_name, struct str qualifier,
                                struct lambda_fn **ret_fn) WARN_UNUSED;
/* The same, where AWS tells an alias that is not there from a version. */
enum err lambda_fn_of_alias(struct call *call, struct str function_name, struct str qualifier,
                            struct lambda_fn **ret_fn) WARN_UNUSED;
/* "Cannot find alias arn: ..": ERR_FAILED. */
enum err lambda_no_alias(struct call *call, const struct lambda_name *name) WARN_UNUSED;
/* Gives it a new RevisionId and LastModified. ERR_NOMEM. */
enum err lambda_fn_touch(struct txn *txn, struct lambda_fn *fn) WARN_UNUSED;
/* Stages the record; memory follows once durable. */
enum err lambda_fn_put(struct txn *txn, struct lambda *l, const struct lambda_fn *fn) WARN_UNUSED;
/* With its policy; of $LATEST with tags, versions and aliases, too. O(those). */
enum err lambda_fn_del(struct txn *txn, struct lambda *l, const struct lambda_fn *fn) WARN_UNUSED;

/* Resource policy of a function, a version or an alias. */
struct lambda_policy {
    struct str revision;
    struct str document; /* JSON; absent: none */
};
/* A function without policy gives neither document nor revision. */
enum err lambda_policy_get(struct txn *txn, const struct lambda_name *name,
                           struct lambda_policy *ret_policy) WARN_UNUSED;
/* With a new revision. */
enum err lambda_policy_put(struct txn *txn, const struct lambda_name *name,
                           const struct lambda_policy *policy) WARN_UNUSED;

/* Who may do what, by one statement. */
struct lambda_grant {
    struct str sid, principal, action;
    struct str resource; /* ARN */
    const struct statement_condition *conditions;
    size_t n_conditions;
};
/* What the operations on policies of functions and layers share (op_permission.c); ERR_FAILED with the
 * service's error set. `api` is where the revision is read. */
enum err lambda_policy_check_revision(struct call *call, struct str wanted, struct str have,
                                      const char *api) WARN_UNUSED;
/* There is one. */
enum err lambda_policy_needed(struct call *call, const struct lambda_policy *policy) WARN_UNUSED;
/* *ret_statement is the statement as the caller gave it. */
enum err lambda_policy_grant(struct call *call, const struct lambda_grant *grant,
                             struct lambda_policy *policy, struct str *ret_statement) WARN_UNUSED;
enum err lambda_policy_revoke(struct call *call, struct str sid,
                              struct lambda_policy *policy) WARN_UNUSED;

/* An event source mapping, of a queue or a table's stream, as struct lambda_fn. */
struct lambda_mapping {
    struct catalogue_object object;
    struct str uuid;
    struct lambda_name function; /* in its scope the mapping is, too */
    struct str function_arn;     /* as the mapping shows it */
    struct str source_arn;
    int64_t batch_size; /* 1..LAMBDA_BATCH_MAX */
    int64_t window_s;
    bool enabled;
    bool partial;            /* ReportBatchItemFailures */
    int64_t concurrency_max; /* 0: not set */
    int64_t modified_ms;
    struct str *filters; /* patterns; a record that matches any is taken, without one all are */
    size_t n_filters;
    /* of streams */
    bool stream;
    bool latest;           /* StartingPosition; else TRIM_HORIZON */
    uint64_t start_commit; /* LATEST: what was there when the mapping was made is not read */
    int64_t parallel;      /* batches of a shard at once */
    bool bisect;
    int64_t retries;       /* -1: for ever */
    int64_t age_max_s;     /* -1: for ever */
    int64_t tumbling_s;    /* length of tumbling windows; 0: none */
    struct str on_failure; /* ARN; absent: none */
    /* not stored */
    struct lambda_poller *poller;      /* carried from version to version */
    const struct pattern_set *matcher; /* of the filters; NULL: none */
};
static inline struct lambda_mapping *lambda_mapping_ref(struct lambda_mapping *m)
{
    catalogue_ref(m);
    return m;
}
/* STR_NONE on exhaustion. */
struct str lambda_mapping_arn(struct arena *a, struct str partition,
                              const struct lambda_mapping *m);
/* Where buckets have what it gave up: folders of its shards. STR_NONE on exhaustion. */
struct str lambda_mapping_folder(struct arena *a, const struct lambda_mapping *m);
/* What the ARN of a mapping names. ERR_INVALID: it is no such ARN. */
enum err lambda_mapping_arn_parse(struct str arn, struct key_scope *ret_scope,
                                  struct str *ret_uuid) WARN_UNUSED;
/* Tracked read. ERR_NOT_FOUND. */
enum err lambda_mapping_get(struct txn *txn, struct lambda *l, struct key_scope scope,
                            struct str uuid, struct lambda_mapping **ret_m) WARN_UNUSED;
/* Makes this the one mapping of its source and function. ERR_EXISTS: *ret_other is it. */
enum err lambda_mapping_claim(struct txn *txn, const struct lambda_mapping *m,
                              struct str *ret_other) WARN_UNUSED;
/* Undoes the claim: before source or function change. */
enum err lambda_mapping_leave(struct txn *txn, const struct lambda_mapping *m) WARN_UNUSED;
/* Stages the record, with a new LastModified. */
enum err lambda_mapping_put(struct txn *txn, struct lambda *l,
                            struct lambda_mapping *m) WARN_UNUSED;
/* With its tags. */
enum err lambda_mapping_del(struct txn *txn, struct lambda *l,
                            const struct lambda_mapping *m) WARN_UNUSED;

/* --- settings of mappings: lambda_mapping.c --------------------------------------------------- */

/* The settings of Create and Update as one. */
struct lambda_mapping_settings {
    bool enabled, has_enabled;
    int64_t batch_size, window_s, parallel, retries, age_max_s, tumbling_s;
    bool has_batch_size, has_window, has_parallel, has_retries, has_age_max, has_tumbling;
    bool bisect, has_bisect;
    struct str starting_position;
    bool has_timestamp;
    const struct lambda_scaling_config *scaling;
    const struct lambda_destination_config *destination;
    const struct lambda_filter_criteria *filters;
    struct lambda_function_response_type_list types;
    bool other_source, kms, metrics, logging, provisioned;
};
/* Checks and applies them; the mapping's source and `stream` are set. ERR_FAILED with the service's
 * error. `fn`: the mapping's function. */
enum err lambda_mapping_apply(struct call *call, const struct lambda_mapping_settings *s,
                              const struct lambda_fn *fn, struct lambda_mapping *m) WARN_UNUSED;
/* The source exists, and the function's role may read it. ERR_FAILED likewise. */
enum err lambda_mapping_check_source(struct call *call, const struct lambda_fn *fn,
                                     const struct lambda_mapping *m) WARN_UNUSED;
/* Whether the role of the mapping's function, as it is now, may do `action` with the source. ERR_DENIED,
 * also when there is no such function. */
enum err lambda_mapping_may(struct txn *txn, struct lambda *l, const struct lambda_mapping *m,
                            const char *action, struct str *ret_role) WARN_UNUSED;
/* Makes m->matcher of m->filters in `a`. ERR_INVALID: *ret_message (in `a`) says why. */
enum err lambda_filters_open(struct arena *a, struct lambda_mapping *m,
                             struct str *ret_message) WARN_UNUSED;
/* Whether the mapping wants a record, given as the JSON of its element of Records. Of a message of a
 * queue, `body` is matched as JSON where it is JSON. Works in `scratch`. */
enum err lambda_filters_match(const struct lambda_mapping *m, struct arena *scratch,
                              struct str record, bool *ret_match) WARN_UNUSED;
/* Which messages a partial batch response says failed. ERR_INVALID: the whole batch did. */
enum err lambda_batch_failures(struct arena *a, struct str response, const struct str *ids,
                               size_t n_ids, bool *ret_failed) WARN_UNUSED;
/* A destination as a setting: it exists, and the function's role may send to it; absent text where
 * it was told to be none. ERR_FAILED likewise (op_event_invoke_config.c). */
enum err lambda_destination_take(struct call *call, const struct lambda_fn *fn, struct str arn,
                                 struct str *ret_arn) WARN_UNUSED;
/* The same of what failed, which may go to a bucket: there into `folder` (STR_NONE: ERR_NOMEM). */
enum err lambda_failure_take(struct call *call, const struct lambda_fn *fn, struct str arn,
                             struct str folder, struct str *ret_arn) WARN_UNUSED;
/* Stages a delivery on behalf of a function; what the target is to blame for is logged, counted by the metric
 * `measured`, and dropped (lambda_async.c). */
enum err lambda_send_to(struct txn *txn, const struct lambda_fn *fn, struct str arn,
                        const struct target_delivery *delivery, struct str measured) WARN_UNUSED;

/* --- buckets as destinations: lambda_bucket.c -------------------------------------------------- */

enum {
    LAMBDA_BUCKET_RECORD_MAX = 1024 * 1024 + 32 * 1024
}; /* bytes of a record: it waits in the store */

/* Whether the ARN is a bucket's. */
bool lambda_is_bucket(struct str arn);
/* The function's role may put objects whose keys begin with `folder` ("aws/lambda/async/f") there. ERR_FAILED with
 * the service's error set. */
enum err lambda_bucket_take(struct call *call, const struct lambda_fn *fn, struct str arn,
                            struct str folder) WARN_UNUSED;
struct lambda_bucket_record {
    struct str arn, folder; /* as above */
    struct str document;    /* at most LAMBDA_BUCKET_RECORD_MAX */
};
/* Stages that it is put there, in the function's name; what fails then is logged. ERR_INVALID (no bucket's ARN),
 * ERR_LIMIT, ERR_NOMEM. */
enum err lambda_bucket_send(struct txn *txn, struct lambda *l, const struct lambda_fn *fn,
                            const struct lambda_bucket_record *record) WARN_UNUSED;

/* --- packages: lambda_code.c ------------------------------------------------------------------ */

/* An unpacked package in use. Shared by the configurations that run it. */
struct lambda_code {
    int refs;     /* under lambda->codes_lock, as all that changes */
    int names;    /* durable functions, versions and layers that name it */
    bool known;   /* one did once; what is only held may be about to be named, and stays */
    bool retired; /* none does any more: removed with the last reference */
    struct lambda *l;
    char *dir; /* absolute; the zip is dir + ".zip" */
    char *id;
};
/* A reference to the one of that id. NULL on exhaustion. */
struct lambda_code *lambda_code_take(struct lambda *l, struct str id);
/* One function, version or layer more, or less, names it. */
void lambda_code_name(struct lambda_code *c);
void lambda_code_unname(struct lambda_code *c);
/* Names it until the arena goes, for what is about to: $LATEST may leave it meanwhile. */
enum err lambda_code_hold(struct lambda *l, struct arena *a, struct str id) WARN_UNUSED;
void lambda_code_unref(struct lambda_code *c); /* any thread; NULL is fine */
/* The packages whose removal a backup holds up; forgotten ones are removed at the next start. */
void lambda_removals_init(struct lambda *l);
void lambda_removals_forget(struct lambda *l);

/* Where a package is: `zip_file`, or an object. */
struct lambda_code_source {
    struct str zip_file, s3_bucket, s3_key, s3_version;
};
/* One of the two is given: ERR_FAILED with the service's error. */
enum err lambda_source_check(struct call *call,
                             const struct lambda_code_source *source) WARN_UNUSED;
/* The layers that a function is to use, in order. */
struct lambda_layers_used {
    bool given; /* else it goes on with those it has */
    struct str ids[LAMBDA_LAYERS_MAX];
    size_t n;
};
/* An upload, kept in call->state over the suspension of its call. */
struct lambda_upload {
    struct str code_id; /* arena of the call */
    struct str sha256;  /* base64 */
    int64_t size;
    int64_t unzipped;
    struct str opt_id; /* of the layers; absent: there are none */
};
/* Unpacks the package (`source`, if any), merges the layers (if there are several), and makes both durable.
 * Suspends the call while it works (ERR_SUSPENDED) and gives the result when rerun. Removed again
 * unless lambda_upload_keep. */
enum err lambda_upload_run(struct call *call, const struct lambda_code_source *source,
                           const struct lambda_layers_used *layers,
                           struct lambda_upload *ret_upload) WARN_UNUSED;
/* The call's transaction refers to what was made when it commits. */
enum err lambda_upload_keep(struct call *call) WARN_UNUSED;

enum err lambda_code_dirs_make(struct lambda *l) WARN_UNUSED;
/* Removes every package whose id is not in `keep`. */
enum err lambda_code_collect(struct lambda *l, const struct map *keep) WARN_UNUSED;
/* URL from which the package can be had for some minutes. */
struct str lambda_code_url(struct lambda *l, struct txn *txn, struct str code_id);
void lambda_code_route(void *arg, struct http_req *req);

/* --- layers: lambda_layer.c ------------------------------------------------------------------- */

/* A layer version, as struct lambda_fn. */
struct lambda_layer_version {
    struct catalogue_object object;
    struct lambda_layer_name name;
    struct str code_id; /* as a function's */
    struct str code_sha256;
    int64_t code_size, unzipped;
    struct str description, license;
    const struct str *runtimes, *architectures; /* told, not enforced, as on AWS */
    size_t n_runtimes, n_architectures;
    int64_t created_ms;
    struct lambda_policy policy;
    /* not stored */
    struct lambda_code *code;
};
extern const struct record_type lambda_layer_type;

enum err lambda_layers_new(struct lambda *l) WARN_UNUSED;
/* At start. */
enum err lambda_layers_load(struct lambda *l, struct txn *txn) WARN_UNUSED;
/* Bytes of the zips of an account's and region's durable versions. O(versions). */
int64_t lambda_layers_size(struct lambda *l, struct key_scope scope, struct arena *a);
/* What the keys of an account's and region's versions begin with. */
struct str lambda_layers_prefix(struct arena *a, struct key_scope scope);
/* Keys of a layer's versions, by number; and of all layers that ever were, by name. */
struct key_range lambda_layer_versions_of(struct arena *a, const struct lambda_layer_name *name);
struct key_range lambda_layer_heads(struct arena *a, struct key_scope scope);
/* ERR_CORRUPT, ERR_NOMEM. */
enum err lambda_layer_head_name(struct arena *a, struct str key, struct str *ret_name) WARN_UNUSED;
/* Tracked read. ERR_NOT_FOUND. */
enum err lambda_layer_get(struct txn *txn, struct lambda *l, const struct lambda_layer_name *name,
                          struct lambda_layer_version **ret_layer) WARN_UNUSED;
/* Stages it as the next version: gives it its number. */
enum err lambda_layer_add(struct txn *txn, struct lambda *l,
                          struct lambda_layer_version *layer) WARN_UNUSED;
enum err lambda_layer_put(struct txn *txn, struct lambda *l,
                          const struct lambda_layer_version *layer) WARN_UNUSED;
/* Functions that use it keep its files. */
enum err lambda_layer_del(struct txn *txn, struct lambda *l,
                          const struct lambda_layer_name *name) WARN_UNUSED;
/* The version that a request names. ERR_FAILED with the service's error set. */
enum err lambda_layer_of_call(struct call *call, struct str layer_name, int64_t number,
                              struct lambda_layer_version **ret_layer) WARN_UNUSED;
/* Its policy document; absent when it has none or there is no such version. */
enum err lambda_layer_policy(struct txn *txn, const struct lambda_layer_name *name,
                             struct str *ret_document) WARN_UNUSED;

/* Layers of a request to a function's record; what lambda_upload_run is to do about them. Leaves the function
 * as it is where none are given. ERR_FAILED with the service's error set. */
enum err lambda_layers_apply(struct call *call, struct lambda_layer_list list, struct lambda_fn *fn,
                             struct lambda_layers_used *ret_used) WARN_UNUSED;
/* Package and layers together are not too large. ERR_FAILED likewise. */
enum err lambda_layers_check_size(struct call *call, const struct lambda_fn *fn) WARN_UNUSED;
int64_t lambda_layers_unzipped(const struct lambda_fn *fn);
/* The caller may have each of them. ERR_FAILED likewise. */
enum err lambda_layers_authorize(struct call *call, struct lambda_layer_list list) WARN_UNUSED;

/* --- the engine: lambda_engine.c (home loop) -------------------------------------------------- */

enum lambda_status {
    INVOKE_OK,
    INVOKE_FUNCTION_ERROR, /* body is the error document */
    INVOKE_THROTTLED,
    INVOKE_FAILED, /* could not be started here: `why` */
    INVOKE_STOPPING,
    INVOKE_LOOP, /* not begun: the function invoked itself too often in this chain */
    INVOKE_KMS,  /* not begun: the key of its environment refuses, `kms`; body says why */
};

struct lambda_result {
    enum lambda_status status;
    struct str body;    /* borrowed for the callback */
    const char *reason; /* of a throttle, as AWS's Reason member */
    enum kms_why kms;   /* of INVOKE_KMS */
    struct str tail;    /* last LAMBDA_TAIL_MAX bytes of the log, when asked for */
};

/* One invocation. Owned by the caller until on_done; zeroed and filled by it. */
struct lambda_invocation {
    struct lambda_fn *fn; /* reference taken by the caller, dropped by the caller */
    struct str event;     /* borrowed until on_done */
    char request_id[LAMBDA_REVISION_LEN + 1];
    struct str client_context; /* absent: none */
    struct str cause;          /* trace header of what caused it; absent: none; borrowed likewise */
    char invoked_arn[LAMBDA_ARN_MAX]; /* "": the function's */
    bool want_tail;
    bool may_wait; /* for an invocation of the same function to end, instead of being throttled */
    /* Both or none: a response that the function streams, as struct sandbox_invoke has it. */
    void (*on_head)(struct lambda_invocation *inv, struct str content_type);
    bool (*on_piece)(struct lambda_invocation *inv, struct str piece);
    /* Always later, on the home loop, exactly once. */
    void (*on_done)(struct lambda_invocation *inv, const struct lambda_result *result);
    void *user;
    /* the engine's */
    struct sandbox_invoke sb;
    char trace[LAMBDA_TRACE_MAX];
    struct instance *instance;
    struct io_task task;
    struct list link; /* pool->waiting */
    struct buf tail;
    enum lambda_status early; /* why it never started */
    const char *reason;
    enum kms_why kms; /* of INVOKE_KMS, whose text is in `tail` */
};

/* What a function invoked by this name is told to be, where that is not its own ARN. */
void lambda_invoked_arn(const struct lambda *l, const struct lambda_name *name,
                        char out[LAMBDA_ARN_MAX]);

struct lambda_engine;
enum err lambda_engine_new(struct lambda *l, struct lambda_engine **ret_engine) WARN_UNUSED;
void lambda_engine_start(struct lambda_engine *e);
void lambda_engine_invoke(struct lambda_engine *e, struct lambda_invocation *inv);
/* After on_piece said false. Harmless when nothing waits, and when it is over. */
void lambda_engine_resume(struct lambda_invocation *inv);
/* Makes as many environments of versions warm as their configs say, and keeps them so. O(configs and
 * versions that ran); nothing where there is no config. */
void lambda_engine_provision(struct lambda_engine *e);
/* The warm environments of a version. Any thread. */
struct lambda_warm {
    size_t ready;
    const char *why; /* no more come for now: a static text; NULL: they do */
};
struct lambda_warm lambda_engine_warm(struct lambda_engine *e, struct str version_arn);
/* How many invocations of the function, up to `max`, would start now; a hint. O(result). */
size_t lambda_engine_room(struct lambda_engine *e, const struct lambda_fn *fn, size_t max);
/* The function changed or went, durably: idle environments of older revisions end. */
void lambda_engine_changed(struct lambda_engine *e, const struct lambda_fn *fn);
void lambda_engine_stop(struct lambda_engine *e);
void lambda_engine_free(struct lambda_engine *e);

/* --- logs: lambda_logs.c (home loop) ---------------------------------------------------------- */

struct lambda_logbook;
/* A stream of one environment. Lifetime: the environment's, and that of its lines. */
struct lambda_log_stream;
enum err lambda_logbook_new(struct lambda *l, struct lambda_logbook **ret_book) WARN_UNUSED;
void lambda_logbook_start(struct lambda_logbook *book);
/* `fn` is referenced. NULL on exhaustion. */
struct lambda_log_stream *lambda_log_stream_new(struct lambda_logbook *book, struct lambda_fn *fn);
struct str lambda_log_stream_name(const struct lambda_log_stream *s);
/* Its lines are of the invocation with this trace header from now on, which whoever is sent them is told
 * caused that: so loops by logs are loops of functions (lambda_trace.h). */
void lambda_log_stream_trace(struct lambda_log_stream *s, const char trace[LAMBDA_TRACE_MAX]);
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
    struct str version;    /* START alone tells it */
};
/* Appends the REPORT line. */
void lambda_report_put(struct buf *b, const struct lambda_report *r);

enum lambda_platform {
    LAMBDA_PLATFORM_START,
    LAMBDA_PLATFORM_RUNTIME_DONE,
    LAMBDA_PLATFORM_REPORT
};
/* Appends a record of the platform in the JSON log format; nothing where the function's system log
 * level leaves it out. Of `r`, START looks at request id and version alone. */
void lambda_platform_put(struct buf *b, enum lambda_platform type, struct str level, int64_t now_ms,
                         const struct lambda_report *r);
/* Whether a line of a function with JSON logs is of a level below `level`: JSON that says so. */
bool lambda_line_is_below(struct str line, struct str level);

/* --- asynchronous invocations: lambda_async.c ------------------------------------------------- */

/* As stored: the payload of DELIVER_LAMBDA_ASYNC. */
struct lambda_event {
    struct lambda_name name;
    struct str fn_id; /* incarnation, of all versions */
    struct str request_id;
    struct str client_context;
    struct str payload;
    struct str cause; /* trace header of what sent it; absent: none */
};
enum err lambda_async_register(struct lambda *l) WARN_UNUSED;
/* Attempts that the loops' end left open let their functions go; the engine that keeps them is freed
 * after the service. */
void lambda_async_forget(struct lambda *l);
/* Stages an asynchronous invocation of `fn` by the name with ev->name.qualifier; of the event, scope, name
 * and fn_id are filled in here. ERR_LIMIT. */
enum err lambda_async_add(struct txn *txn, struct lambda *l, const struct lambda_fn *fn,
                          struct lambda_event *ev) WARN_UNUSED;
/* What a destination is sent. */
struct lambda_destination_record {
    int64_t now_ms;
    struct str request_id;
    struct str function_arn; /* with qualifier */
    struct str version;      /* that ran */
    const char *condition;   /* "Success", "RetriesExhausted", "EventAgeExceeded", ... */
    int invoke_count;
    struct str request_payload; /* JSON */
    bool has_response;
    bool function_error;
    struct str response_payload; /* JSON; other bytes become null */
};
/* Where a bucket has the records of a function. STR_NONE on exhaustion. */
struct str lambda_async_folder(struct arena *a, const struct lambda_fn *fn);
void lambda_destination_record_put(struct buf *b, const struct lambda_destination_record *rec);

/* --- condition keys: op_permission.c, op_mapping.c -------------------------------------------- */

/* lambda:Principal of the statement that is to be removed. */
enum err lambda_auth_permission(struct call *call, const struct lambda_remove_permission_input *in,
                                struct policy_context *ctx) WARN_UNUSED;
/* lambda:FunctionArn of the mapping that a request is about. */
enum err lambda_auth_mapping(struct call *call, const void *in,
                             struct policy_context *ctx) WARN_UNUSED;

/* --- event source mappings: lambda_poller.c (home loop) --------------------------------------- */

struct lambda_pollers;
enum err lambda_pollers_new(struct lambda *l, struct lambda_pollers **ret_pollers) WARN_UNUSED;
/* Reads the mappings. At start. */
enum err lambda_pollers_load(struct lambda_pollers *p, struct txn *txn) WARN_UNUSED;
/* A function, or one of its versions or aliases, appeared or changed. */
void lambda_pollers_kick(struct lambda_pollers *p, const struct lambda_name *function);
/* The same from any thread: wakes the home loop where a mapping is of an alias of that name. */
void lambda_pollers_kick_alias(struct lambda *l, const struct lambda_alias *alias);
void lambda_pollers_stop(struct lambda_pollers *p);
/* Before the catalogue of mappings is freed. */
void lambda_pollers_free(struct lambda_pollers *p);
/* "OK", "No records processed", "PROBLEM: ...". Any thread. */
struct str lambda_mapping_last_result(struct lambda *l, const struct lambda_mapping *m);

/* Stream mappings: lambda_stream.c (home loop). */
struct lambda_stream;
/* What it needs of the poller whose it is. */
struct lambda_stream_host {
    void (*wake)(void *poller);                     /* pump it on the home loop; any thread */
    void (*result)(void *poller, const char *text); /* static text */
    bool (*gone)(void *poller);                     /* the mapping was deleted */
};
/* NULL on exhaustion. */
struct lambda_stream *lambda_stream_new(struct lambda *l, const struct lambda_stream_host *host,
                                        void *poller);
/* Goes by this version from now on; borrowed until the next. */
void lambda_stream_use(struct lambda_stream *s, const struct lambda_mapping *m);
/* Does what can be done now, and sees to it that it is called again. */
void lambda_stream_pump(struct lambda_stream *s);
/* Nothing is under way. */
bool lambda_stream_at_rest(const struct lambda_stream *s);
/* No wakes and no timer any more. */
void lambda_stream_halt(struct lambda_stream *s);
void lambda_stream_free(struct lambda_stream *s);

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

/* --- environments: lambda_env.c --------------------------------------------------------------- */

struct lambda_settings;
/* Checks and applies Environment and KMSKeyArn; the role is set. ERR_FAILED with the service's error. */
enum err lambda_env_apply(struct call *call, const struct lambda_settings *s, struct str old_role,
                          struct lambda_fn *fn) WARN_UNUSED;
/* The member of a configuration, as far as the caller may read it. */
enum err lambda_env_fill(struct call *call, const struct lambda_fn *fn,
                         struct lambda_function_configuration *out) WARN_UNUSED;
/* Why KMS does not let the role read it; the arena's. */
struct lambda_env_refusal {
    enum kms_why why;
    struct str text;
};
/* The variables (fn->n_env), in `a`, as the function's role may read them. Home loop; looks into the store where there is
 * a key. ERR_DENIED: *ret_why says who refuses. */
enum err lambda_env_open(struct lambda *l, struct arena *a, const struct lambda_fn *fn,
                         struct lambda_environment_variables_entry **ret_env,
                         struct lambda_env_refusal *ret_why) WARN_UNUSED;

/* --- versions: op_version.c ------------------------------------------------------------------- */

/* Publishes $LATEST, which the caller puts thereafter, unless the version that was published last is the
 * same; an absent description is that of $LATEST. ERR_FAILED with the service's error set. */
enum err lambda_publish(struct call *call, struct lambda_fn *latest, struct str description,
                        struct lambda_fn **ret_version) WARN_UNUSED;

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
    struct lambda_file_system_config_list file_systems;
    const struct lambda_image_config *image;
    struct str kms_key_arn;
    bool capacity_provider, durable, tenancy;
};
/* Checks and applies; ERR_FAILED with the service's error set. */
enum err lambda_settings_apply(struct call *call, const struct lambda_settings *s,
                               struct lambda_fn *fn) WARN_UNUSED;
/* Architectures member to the record. */
enum err lambda_architecture_apply(struct call *call, struct lambda_architectures_list list,
                                   struct lambda_fn *fn) WARN_UNUSED;

/* What the runtime that a function runs on is called: by a hash of its name, as AWS does. STR_NONE on exhaustion. */
struct str lambda_runtime_arn(struct call *call, const struct lambda_fn *fn);
/* "2026-11-21T10:47:52.123+0000". STR_NONE on exhaustion. */
struct str lambda_time(struct arena *a, int64_t ms);
/* FunctionConfiguration as every operation returns it, in the call's arena. `qualified`: its ARN has the
 * qualifier that it was named by, or the version. */
enum err lambda_configuration_fill(struct call *call, const struct lambda_fn *fn, bool qualified,
                                   struct lambda_function_configuration *out) WARN_UNUSED;

/* --- the service ------------------------------------------------------------------------------ */

struct lambda {
    struct core *core;
    struct deliver *deliver;
    struct sandbox *sandbox;
    const struct sqs_port *sqs;
    const struct dynamodb_port *ddb;
    const struct s3_port *s3;
    const struct logs_port *logs;
    const struct kms_port *kms;
    struct catalogue *fns;         /* struct lambda_fn */
    struct catalogue *aliases;     /* struct lambda_alias */
    struct catalogue *layers;      /* struct lambda_layer_version */
    struct catalogue *urls;        /* struct lambda_url */
    struct catalogue *provisioned; /* struct lambda_provisioned */
    /* What is to be warm may have changed, durably: a config or an alias. As fn_changed. */
    void (*warm_changed)(struct lambda *l);
    struct io_task warm_task;
    _Atomic bool warm_posted;
    struct core_claim url_claim;
    pthread_mutex_t codes_lock;
    struct map codes;           /* id -> struct lambda_code */
    struct catalogue *mappings; /* struct lambda_mapping */
    /* A function changed or went, durably: its new version, or the last it had. In the order of
     * changes, from any thread. Set by lambda.c once all is loaded, so that records need not know
     * who acts by them. */
    void (*fn_changed)(struct lambda *l, struct lambda_fn *fn);
    void (*alias_changed)(struct lambda *l, const struct lambda_alias *alias); /* likewise */
    struct lambda_engine *engine;
    struct lambda_logbook *logbook;
    struct lambda_pollers *pollers;
    struct list attempts; /* lambda_async.c's, home loop */
    struct list removals; /* lambda_code.c's, home loop */
    struct io_timer removal_timer;
    uint8_t url_key[32]; /* of package URLs; of this process start */
    atomic_ullong loops_stopped;
};

/* page_scan's answer; of ERR_INVALID it makes the service's error. */
static inline enum err WARN_UNUSED lambda_paged(struct call *call, enum err err)
{
    return err == ERR_INVALID ? LAMBDA_INVALID(call, "Invalid marker") : err;
}

/* op_tags.c, lambda_target.c */
extern const struct tags_service lambda_tags_service;
extern const struct target_kind lambda_targets[1];

/* lambda_measure.c: one invocation ended, of so many of the function at the same time, and of all that share
 * what is not reserved. */
struct lambda_ended {
    bool failed;
    int64_t duration_us;
    size_t concurrent, unreserved;
    bool provisioned;              /* in an environment that is always there */
    size_t warm_wanted, warm_busy; /* of those of this version: wanted (0: none is); at work */
};
void lambda_measure_end(struct core *core, const struct lambda_fn *fn,
                        const struct lambda_ended *ended);
/* A call of a function's URL ended (svc_def.measure), with this status. */
void lambda_measure_url(struct core *core, const struct lambda_name *name, int status,
                        int64_t duration_ns);
/* Something happened; how long something has waited. */
void lambda_measure_one(struct core *core, const struct lambda_fn *fn, struct str name);
void lambda_measure_age(struct core *core, const struct lambda_fn *fn, struct str name,
                        int64_t age_ms);
/* It happens in this transaction, if that is committed. */
enum err lambda_measure_staged(struct txn *txn, const struct lambda_fn *fn,
                               struct str name) WARN_UNUSED;

#endif
