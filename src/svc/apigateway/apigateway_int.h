/* Inside the control plane: records, and what the operations share.
 *
 * What an API consists of are documents: JSON of the wire's own shapes, one record each (a resource
 * with its methods is one), so that showing, patching, cloning and snapshots are each one mechanism
 * for all kinds.
 *
 * Invariants
 *   AG1  An API has a root resource, whose path is "/"; of all others the parent exists, the path is
 *        the parent's and their own part, and no sibling has the same part or is another variable.
 *   AG2  A snapshot never changes, and is there as long as its deployment; a stage's deployment
 *        exists.
 *   AG3  What a method names (models, validator, authorizer) exists in its API when it is named; it
 *        cannot be deleted while a method names it.
 *   AG4  A resource's record holds every method, response and integration that it has: one write
 *        changes one of them, and two at once conflict (K4).
 *   AG5  Whatever changes resources or methods, and whatever looks at all of them to decide, goes
 *        through the API's guard (apigateway_guard). */
#ifndef WEIR_SVC_APIGATEWAY_APIGATEWAY_INT_H
#define WEIR_SVC_APIGATEWAY_APIGATEWAY_INT_H

#include "apigateway_api.h"

#include "base/arn.h"
#include "codec/json_edit.h"
#include "core/catalogue.h"
#include "core/core.h"
#include "core/page.h"
#include "svc/apigateway/apigateway.h"
#include "svc/apigateway/apigateway_keys.h"
#include "svc/apigateway/apigateway_patch.h"
#include "svc/apigateway/apigateway_snapshot.h"

/* Quotas of API Gateway, "Quotas for configuring and running a REST API". */
enum {
    APIGATEWAY_APIS_MAX = 600, /* of an account and region */
    APIGATEWAY_RESOURCES_MAX = 300,
    APIGATEWAY_MODELS_MAX = 200, /* 20 on AWS, to be raised on request */
    APIGATEWAY_VALIDATORS_MAX = 100,
    APIGATEWAY_AUTHORIZERS_MAX = 10,
    APIGATEWAY_DEPLOYMENTS_MAX = 1000, /* AWS names no number */
    APIGATEWAY_STAGES_MAX = 10,
    APIGATEWAY_RESPONSES_MAX = 100, /* gateway responses */
    APIGATEWAY_MODEL_BYTES_MAX = 400 * 1024,
    APIGATEWAY_TEMPLATE_BYTES_MAX = 300 * 1024,
    APIGATEWAY_DOCUMENT_BYTES_MAX = 4 * 1024 * 1024, /* one record */
    APIGATEWAY_NAME_MAX = 1024,
    APIGATEWAY_STAGE_NAME_MAX = 128,
    APIGATEWAY_VARIABLE_NAME_MAX = 64,
    APIGATEWAY_VARIABLE_MAX = 512,
    APIGATEWAY_PATH_MAX = 1600, /* of a resource */
    APIGATEWAY_PAGE = 25,
    APIGATEWAY_PAGE_MAX = 500,
    APIGATEWAY_ID_LEN = 10,  /* of APIs and root resources */
    APIGATEWAY_PART_LEN = 6, /* of everything else */
};

/* Credentials that stand for those of the caller. */
#define APIGATEWAY_CALLER "arn:aws:iam::*:user/*"

struct apigateway {
    struct core *core;
    struct catalogue *stages;
    struct usage *usage;       /* usage.h */
    struct catalogue *domains; /* domain.h */
    struct serve *serve;       /* the data plane: serve_life.h */
    void (*drained)(void *arg);
    void *drained_arg;
};

static inline struct apigateway *apigateway_of(const struct call *call)
{
    return call->svc;
}

#define APIGATEWAY_BAD(call, ...)                                                                  \
    call_error((call), &apigateway_err_bad_request_exception, __VA_ARGS__)
#define APIGATEWAY_CONFLICT(call, ...)                                                             \
    call_error((call), &apigateway_err_conflict_exception, __VA_ARGS__)
#define APIGATEWAY_ABSENT(call, ...)                                                               \
    call_error((call), &apigateway_err_not_found_exception, __VA_ARGS__)

/* --- documents: apigateway_doc.c ---------------------------------------------------------------- */

/* What the call's input says in its body, as a document of the arena. */
enum err apigateway_doc_asked(struct call *call, const void *in, struct json **ret_doc) WARN_UNUSED;
/* ERR_NOT_FOUND. Tracked. */
enum err apigateway_doc_read(struct txn *txn, struct str key, struct json **ret_doc) WARN_UNUSED;
enum err apigateway_doc_write(struct txn *txn, struct str key, const struct json *doc) WARN_UNUSED;
/* Fills the operation's output from a document of its shape. */
enum err apigateway_show(struct call *call, const struct json *doc, void *out) WARN_UNUSED;
/* A new id of `len` characters in the arena; STR_NONE. */
struct str apigateway_id(struct arena *a, size_t len);
/* Epoch seconds, as documents have times. NULL on exhaustion. */
struct json *apigateway_time(struct txn *txn);

/* --- APIs: apigateway_record.c ------------------------------------------------------------------ */

/* Of the call's account and region; NotFoundException. */
enum err apigateway_need_api(struct call *call, struct str api_id,
                             struct json **ret_doc) WARN_UNUSED;
enum err apigateway_api_write(struct call *call, const struct json *doc) WARN_UNUSED;
/* Adds a new API from what was asked for (RestApi's members, without tags): checks it, gives it ids and
 * defaults, its tags, a root resource and the models that every API has. `doc` is then as it is
 * stored. op_rest_api.c. */
enum err apigateway_api_add(struct call *call, struct json *doc, struct tag_list tags) WARN_UNUSED;
/* Writes an API whose document was changed: checks it. `policy`: what its policy was, which is not taken
 * again while it is that very text. op_rest_api.c. */
enum err apigateway_api_change(struct call *call, struct json *doc, struct str policy) WARN_UNUSED;
/* Makes of a stored API what is shown. `arg` is not used. op_rest_api.c. */
enum err apigateway_api_shown(struct call *call, struct json *doc, void *arg) WARN_UNUSED;
/* "arn:aws:apigateway:REGION::" and what follows. */
struct str apigateway_arn(struct call *call, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Writes the guard of the API (AG5). */
enum err apigateway_guard(struct txn *txn, struct str api_id) WARN_UNUSED;

extern const struct tags_service apigateway_tags;
/* Adds the resource's tags as the document's member, if it has any. */
enum err apigateway_show_tags(struct call *call, struct json *doc, struct str arn) WARN_UNUSED;

/* --- policies, permissions: apigateway_policy.c ------------------------------------------------- */

/* A resource policy as it is stored; BadRequestException. */
enum err apigateway_policy_take(struct call *call, struct str api_id, struct str text,
                                struct str *ret_stored) WARN_UNUSED;
/* Puts the policy of an API's document into the form that is shown. */
enum err apigateway_policy_show(struct call *call, struct json *api) WARN_UNUSED;
/* svc_def's authorize_more. */
enum err apigateway_authorize_more(struct call *call, const void *in) WARN_UNUSED;

/* --- stages in memory: apigateway_stage.c -------------------------------------------------------- */

enum err apigateway_stages_init(struct apigateway *gw) WARN_UNUSED;
enum err apigateway_stages_load(struct txn *txn, void *arg) WARN_UNUSED;

/* --- parts: apigateway_part.c ------------------------------------------------------------------- */

/* A kind of part of an API: where its documents are, what is said of one that is missing or too
 * many. */
struct apigateway_part {
    const struct key_layout *key;
    const char *id;      /* member that names it: "id", "name" */
    const char *missing; /* NotFoundException's message */
    const char *many;    /* word of the member of snapshots: "models" */
    size_t max;
};
extern const struct apigateway_part apigateway_resources, apigateway_models, apigateway_validators,
    apigateway_authorizers, apigateway_deployments, apigateway_responses;

struct str apigateway_part_key(struct arena *a, const struct apigateway_part *part,
                               struct str api_id, struct str id);
/* NotFoundException in the part's words. The API is one of the caller's: apigateway_need_api first. */
enum err apigateway_need_part(struct call *call, const struct apigateway_part *part,
                              struct str api_id, struct str id, struct json **ret_doc) WARN_UNUSED;
enum err apigateway_part_write(struct call *call, const struct apigateway_part *part,
                               struct str api_id, const struct json *doc) WARN_UNUSED;
/* The same for a new one: LimitExceededException when there are too many. */
enum err apigateway_part_add(struct call *call, const struct apigateway_part *part,
                             struct str api_id, const struct json *doc) WARN_UNUSED;
enum err apigateway_part_drop(struct call *call, const struct apigateway_part *part,
                              struct str api_id, struct str id) WARN_UNUSED;
/* All of an API, as an array of the arena. Not tracked: guard what you decide. */
enum err apigateway_parts(struct txn *txn, const struct apigateway_part *part, struct str api_id,
                          struct json **ret_array) WARN_UNUSED;

/* A page of documents: {"item": [...], "position": ...}. `limit` as it was asked, 0: not. */
struct apigateway_list {
    struct key_range range;
    struct str scope, position;
    bool has_limit;
    int64_t limit;
    /* Changes a document to what is shown; NULL: it is shown as it is. */
    enum err (*show)(struct call *call, struct json *doc, void *arg);
    void *arg;
};
enum err apigateway_page(struct call *call, const struct apigateway_list *list,
                         struct json **ret_doc) WARN_UNUSED;

/* The list operation of a part, from its input: APIs' id, position, limit. */
#define APIGATEWAY_LIST(call, part, in, ret_doc)                                                   \
    apigateway_part_list((call), (part), (in)->rest_api_id,                                        \
                         &(struct apigateway_list){                                                \
                             .position = (in)->position,                                           \
                             .has_limit = (in)->has_limit,                                         \
                             .limit = (in)->limit,                                                 \
                         },                                                                        \
                         (ret_doc))
enum err apigateway_part_list(struct call *call, const struct apigateway_part *part,
                              struct str api_id, struct apigateway_list *list,
                              struct json **ret_doc) WARN_UNUSED;

/* AG3: that no method's `member` is `id`; ConflictException. Writes the guard. */
enum err apigateway_check_unnamed(struct call *call, struct str api_id, const char *member,
                                  struct str id, const char *what) WARN_UNUSED;

/* --- what must hold for documents; op_model.c, op_authorizer.c, op_rest_api.c -------------------- */

/* Where models are, for one another's "$ref"; their API's id follows. */
#define APIGATEWAY_MODEL_URI "https://apigateway.amazonaws.com/restapis/"

enum err apigateway_model_check(struct call *call, struct str api_id,
                                const struct json *doc) WARN_UNUSED;
/* A new resource below `parent`; `all` has every resource of the API as its children (AG1). */
enum err apigateway_resource_new(struct call *call, const struct json *all,
                                 const struct json *parent, struct str part,
                                 struct json **ret_doc) WARN_UNUSED;
/* Brings defaults. */
enum err apigateway_authorizer_check(struct call *call, struct json *doc) WARN_UNUSED;

#endif
