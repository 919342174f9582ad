/* A deployment as requests meet it: its snapshot compiled once, and from then on only read.
 *
 *   snapshot (JSON) --serve_compile--> struct serve_api --serve_route--> resource, method, path
 *   parameters --> caller, key, limits --> serve_check_* --> mapping --> integration --> reply
 *
 * Invariants
 *   GV1  A compiled API never changes: loops share it, and it goes with its last reference.
 *   GV2  Nothing of a snapshot is looked at by name on a request's way but what the request names
 *        itself: what refers to something (validator, model, authorizer) holds a pointer.
 *   GV3  What does not compile refuses what needs it, not the API: a method whose model is no schema
 *        answers "configuration error", as a deployment may hold such a thing.
 *
 * Source: API Gateway Developer Guide, "REST APIs".
 * Layer: svc. Thread: any; a compiled API is immutable but for its count of references. */
#ifndef WEIR_SVC_APIGATEWAY_SERVE_H
#define WEIR_SVC_APIGATEWAY_SERVE_H

#include <stdatomic.h>

#include "codec/json.h"
#include "core/proxy_event.h"
#include "lang/schema.h"
#include "svc/apigateway/map.h"
#include "svc/apigateway/usage.h"
#include "wire/wire.h"

enum {
    SERVE_API_BYTES_MAX = 64 * 1024 * 1024, /* of one compiled API */
    SERVE_PATH_DEPTH_MAX = 64,              /* segments of a path that are told apart */
    SERVE_PARAMS_MAX = 32,                  /* path parameters of one resource */
    SERVE_TIMEOUT_MS_MAX = 29 * 1000,       /* of an integration, and its default */
    SERVE_BODY_MAX = 10 * 1024 * 1024,      /* bytes of a request, and of an integration's answer */
};

/* --- what is compiled ------------------------------------------------------------------------- */

/* Where a request parameter of a method is. */
enum serve_place { SERVE_PATH, SERVE_QUERY, SERVE_HEADER };

struct serve_param {
    enum serve_place place;
    struct str name;
};

/* A model for bodies of a content type. */
struct serve_model {
    struct str content_type;     /* or "$default" */
    const struct schema *schema; /* NULL: it does not compile (GV3) */
};

enum serve_kind { SERVE_MOCK, SERVE_HTTP, SERVE_HTTP_PROXY, SERVE_AWS, SERVE_AWS_PROXY };

enum serve_convert { SERVE_AS_IT_IS, SERVE_TO_BINARY, SERVE_TO_TEXT };

struct serve_integration {
    enum serve_kind kind;
    enum map_passthrough passthrough;
    enum serve_convert convert;
    int64_t timeout_ms;
    struct str http_method, uri;
    struct str credentials;     /* role's ARN, or the caller's sign; absent: none */
    struct str cache_namespace; /* absent: the resource's */
    const struct str *cache_keys;
    size_t n_cache_keys;
    struct map_parameters parameters;
    struct map_templates templates;
    struct map_responses responses;
};

/* What an integration response says beside what map.h compiles of it. */
enum serve_convert serve_convert_of(const struct json *json);

struct serve_method {
    size_t index; /* among all of the API */
    const struct serve_resource *resource;
    struct str http_method; /* or "ANY" */
    struct str authorization;
    const struct json *authorizer; /* Authorizer; NULL: none */
    const struct str *scopes;
    size_t n_scopes;
    bool key_required;
    bool check_params, check_body;
    const struct serve_param *required;
    size_t n_required;
    const struct serve_model *models;
    size_t n_models;
    const struct serve_integration *integration; /* NULL: none (GV3) */
};

/* A gateway response that was set. */
struct serve_refusal {
    struct str type; /* "DEFAULT_4XX" */
    int status;      /* 0: the type's own */
    struct map_parameters parameters;
    const struct json *templates; /* object of texts by media type; NULL: the default one */
};

struct serve_resource {
    struct str id, path; /* "/pets/{id}" */
    const struct serve_method *methods;
    size_t n_methods;
};

struct serve_node;

/* Lifetime: its references. */
struct serve_api {
    _Atomic size_t refs;
    struct arena arena; /* everything, itself too */
    struct str id, name;
    struct str endpoint;      /* "EDGE", "REGIONAL" */
    struct str policy;        /* resource policy; absent: none */
    int64_t compress_min;     /* bytes of a reply worth compressing; -1: never */
    bool key_by_authorizer;   /* apiKeySource AUTHORIZER */
    bool host_disabled;       /* disableExecuteApiEndpoint */
    const struct str *binary; /* media types that are bytes */
    size_t n_binary;
    const struct serve_resource *resources;
    size_t n_resources, n_methods;
    const struct serve_node *root;
    const struct serve_refusal *refusals;
    size_t n_refusals;
};

/* Compiles a snapshot (apigateway_snapshot.h), which is copied. One reference, the caller's.
 * ERR_CORRUPT: it is none; ERR_LIMIT, ERR_NOMEM. O(snapshot). */
enum err serve_compile(struct str id, struct str snapshot, struct serve_api **ret_api) WARN_UNUSED;
void serve_api_ref(struct serve_api *api);
/* NULL is allowed. */
void serve_api_unref(struct serve_api *api);

/* --- what a stage says ------------------------------------------------------------------------ */

enum serve_log_level { SERVE_LOG_OFF, SERVE_LOG_ERROR, SERVE_LOG_INFO };

/* What becomes of Cache-Control: max-age=0 of who may not say so. */
enum serve_stale { SERVE_STALE_REFUSED, SERVE_STALE_TOLD, SERVE_STALE_IGNORED };

/* Of one method; the stage's "*" + "/" + "*" below its own. */
struct serve_settings {
    enum serve_log_level log_level;
    bool log_data;
    bool metrics;
    bool cached;
    int64_t cache_ttl_s;
    bool flush_needs_permission;
    enum serve_stale stale;
    struct usage_limit limit;
};

/* Lifetime: its references. */
struct serve_stage {
    _Atomic size_t refs;
    struct arena arena;    /* everything, itself too */
    struct serve_api *api; /* a reference */
    struct str name, deployment_id;
    uint64_t number;              /* of the stage and deployment it was made of */
    const struct json *variables; /* object of texts; NULL: none */
    struct proxy_pair *pairs;     /* the same */
    size_t n_pairs;
    struct str log_format, log_arn;        /* access log; absent: none */
    bool caches;                           /* cacheClusterEnabled */
    size_t cache_bytes;                    /* of the cluster's size */
    const struct serve_settings *settings; /* by a method's index */
};

/* Compiles GetStage's shape over an API, of which it takes the caller's reference when it succeeds. Errors
 * as serve_compile's. */
enum err serve_stage_compile(struct serve_api *api, struct str name, struct str deployment_id,
                             uint64_t number, struct str json,
                             struct serve_stage **ret_stage) WARN_UNUSED;
void serve_stage_ref(struct serve_stage *stage);
/* NULL is allowed. */
void serve_stage_unref(struct serve_stage *stage);

/* --- which method ----------------------------------------------------------------------------- */

/* Borrowed from the API and the path. */
struct serve_route {
    const struct serve_resource *resource;
    const struct serve_method *method;
    struct proxy_pair params[SERVE_PARAMS_MAX]; /* as sent, not decoded */
    size_t n_params;
};

/* By path (as sent, after the stage) and method: static segments before {param} before {proxy+}, at
 * each segment from the left; of the resource the very method before ANY. ERR_NOT_FOUND: no such
 * resource, or it has no such method. */
enum err serve_find(const struct serve_api *api, struct str http_method, struct str path,
                    struct serve_route *ret_route) WARN_UNUSED;

/* --- validators: serve_validate.c ------------------------------------------------------------- */

/* What there is of a request's parameters. */
struct serve_input {
    const struct wire_request *http;
    const struct serve_route *route;
    const struct percent_pair *query;
    size_t n_query;
};

/* "method.request.querystring.NAME" and its like. False: it is none. */
bool serve_param_of(struct str text, struct serve_param *ret_param);
/* Value of a parameter; the last of several in the query, the first header; STR_NONE. */
struct str serve_param_value(const struct serve_input *in, enum serve_place place, struct str name);

/* ERR_INVALID: some are missing or blank; *ret_message says which. ERR_NOMEM. */
enum err serve_check_params(struct arena *a, const struct serve_method *m,
                            const struct serve_input *in, struct str *ret_message) WARN_UNUSED;
/* The body against the model of its content type; one that has no model is not looked at.
 * ERR_INVALID: *ret_errors is what $context.error.validationErrorString shows. ERR_UNSUPPORTED: the
 * model does not compile. ERR_NOMEM. */
enum err serve_check_body(struct arena *a, const struct serve_method *m, struct str content_type,
                          struct str body, struct str *ret_errors) WARN_UNUSED;

/* --- bytes: serve_binary.c -------------------------------------------------------------------- */

/* Whether a media type (parameters are ignored) is among the API's binary ones, which may have a '*'
 * for type or subtype. */
bool serve_is_binary(const struct serve_api *api, struct str media_type);

#endif
