/* CreateStage and its kin, FlushStageCache, FlushStageAuthorizersCache. Layer: svc/apigateway.
 * Source: API Gateway API Reference, "Stage", "MethodSetting". */
#include "svc/apigateway/account.h"
#include "svc/apigateway/apigateway_stage.h"
#include "svc/apigateway/domain.h"

static enum err shown(struct call *call, struct str api_id, struct json *doc)
{
    return apigateway_show_tags(
        call, doc, apigateway_stage_arn(call, api_id, json_get_str(doc, STR("stageName"))));
}

/* --- creation, lists ------------------------------------------------------------------------------ */

enum err apigateway_create_stage(struct call *call, const struct apigateway_create_stage_input *in,
                                 struct apigateway_create_stage_output *out)
{
    struct apigateway_stage_rec s;
    struct json *api, *doc, *asked;
    if (in->canary_settings)
        return APIGATEWAY_BAD(call, "Canary deployments are not supported by Weir.");
    if (str_is_set(in->documentation_version))
        return APIGATEWAY_BAD(call, "Documentation versions are not supported by Weir.");
    TRY(apigateway_need_api(call, in->rest_api_id, &api));
    enum err err = apigateway_stage_read(call, in->rest_api_id, in->stage_name, &s, &doc);
    if (err == ERR_OK)
        return APIGATEWAY_CONFLICT(call, "Stage already exists");
    if (err != ERR_NOT_FOUND)
        return err;
    TRY(apigateway_stage_begin(call, in->rest_api_id, in->stage_name, &s, &doc));
    TRY(apigateway_doc_asked(call, in, &asked));
    json_unset(asked, STR("tags"));
    TRY(json_set(asked, STR("createdDate"), apigateway_time(call->txn)));
    struct tags_resource resource = {
        .arn = apigateway_stage_arn(call, in->rest_api_id, in->stage_name)};
    TRY(tags_op_create(call, &apigateway_tags, &resource, TAGS_FROM(in->tags)));
    TRY(apigateway_stage_write(call, in->rest_api_id, &s, asked));
    TRY(shown(call, in->rest_api_id, asked));
    return apigateway_show(call, asked, out);
}

enum err apigateway_get_stage(struct call *call, const struct apigateway_get_stage_input *in,
                              struct apigateway_get_stage_output *out)
{
    struct apigateway_stage_rec s;
    struct json *doc;
    TRY(apigateway_stage_need(call, in->rest_api_id, in->stage_name, &s, &doc));
    TRY(shown(call, in->rest_api_id, doc));
    return apigateway_show(call, doc, out);
}

enum err apigateway_get_stages(struct call *call, const struct apigateway_get_stages_input *in,
                               struct apigateway_get_stages_output *out)
{
    struct json *api, *all, *list, *doc = json_new(call->arena, JSON_OBJECT);
    TRY(apigateway_need_api(call, in->rest_api_id, &api));
    TRY(apigateway_stages_of(call, in->rest_api_id, &all));
    list = json_new(call->arena, JSON_ARRAY);
    if (!doc || !list)
        return ERR_NOMEM;
    for (struct json *it = all->child, *next; it; it = next) {
        next = it->next;
        if (str_is_set(in->deployment_id) &&
            !str_eq(json_get_str(it, STR("deploymentId")), in->deployment_id))
            continue;
        TRY(shown(call, in->rest_api_id, it));
        TRY(json_push(list, it));
    }
    TRY(json_set(doc, STR("item"), list));
    return apigateway_show(call, doc, out);
}

/* --- patches -------------------------------------------------------------------------------------- */

/* Settings of methods: what stands in a path behind the method, and the member it is. */
static const struct {
    const char *path, *member;
    enum apigateway_patch_type type;
    const char *among;
} settings[] = {
    {"metrics/enabled", "metricsEnabled", APIGATEWAY_BOOL, NULL},
    {"logging/loglevel", "loggingLevel", APIGATEWAY_TEXT, "OFF ERROR INFO"},
    {"logging/dataTrace", "dataTraceEnabled", APIGATEWAY_BOOL, NULL},
    {"throttling/burstLimit", "throttlingBurstLimit", APIGATEWAY_INT, NULL},
    {"throttling/rateLimit", "throttlingRateLimit", APIGATEWAY_NUMBER, NULL},
    {"caching/enabled", "cachingEnabled", APIGATEWAY_BOOL, NULL},
    {"caching/ttlInSeconds", "cacheTtlInSeconds", APIGATEWAY_INT, NULL},
    {"caching/dataEncrypted", "cacheDataEncrypted", APIGATEWAY_BOOL, NULL},
    {"caching/requireAuthorizationForCacheControl", "requireAuthorizationForCacheControl",
     APIGATEWAY_BOOL, NULL},
    {"caching/unauthorizedCacheControlHeaderStrategy", "unauthorizedCacheControlHeaderStrategy",
     APIGATEWAY_TEXT, "FAIL_WITH_403 SUCCEED_WITH_RESPONSE_HEADER SUCCEED_WITHOUT_RESPONSE_HEADER"},
};

enum { BURST_DEFAULT = 5000, RATE_DEFAULT = 10000, TTL_DEFAULT_S = 300, TTL_MAX_S = 3600 };

/* What a method's settings are where only some were set. */
static enum err new_settings(struct call *call, struct json **ret)
{
    struct arena *a = call->arena;
    struct json *v = json_new(a, JSON_OBJECT);
    if (!v)
        return ERR_NOMEM;
    TRY(json_set(v, STR("metricsEnabled"), json_new_bool(a, false)));
    TRY(json_set(v, STR("loggingLevel"), json_new_str(a, STR("OFF"))));
    TRY(json_set(v, STR("dataTraceEnabled"), json_new_bool(a, false)));
    TRY(json_set(v, STR("throttlingBurstLimit"), json_new_i64(a, BURST_DEFAULT)));
    TRY(json_set(v, STR("throttlingRateLimit"), json_new_i64(a, RATE_DEFAULT)));
    TRY(json_set(v, STR("cachingEnabled"), json_new_bool(a, false)));
    TRY(json_set(v, STR("cacheTtlInSeconds"), json_new_i64(a, TTL_DEFAULT_S)));
    TRY(json_set(v, STR("cacheDataEncrypted"), json_new_bool(a, false)));
    TRY(json_set(v, STR("requireAuthorizationForCacheControl"), json_new_bool(a, true)));
    TRY(json_set(v, STR("unauthorizedCacheControlHeaderStrategy"),
                 json_new_str(a, STR("SUCCEED_WITH_RESPONSE_HEADER"))));
    *ret = v;
    return ERR_OK;
}

static enum err check_setting(struct call *call, const char *member, const struct json *value)
{
    double v;
    bool throttles = strncmp(member, "throttling", strlen("throttling")) == 0;
    if (value->kind != JSON_NUMBER || json_to_f64(value, &v) != ERR_OK)
        return ERR_OK;
    if (throttles && v < 0 && v != -1) /* -1: the account's */
        return APIGATEWAY_BAD(call, "Throttling limits must not be negative");
    if (!throttles && (v < 0 || v > TTL_MAX_S))
        return APIGATEWAY_BAD(call, "Cache TTL should be between 0 and %d seconds", TTL_MAX_S);
    return ERR_OK;
}

/* /RESOURCE/METHOD/GROUP/NAME, and, taken away, /RESOURCE/METHOD. Their key in methodSettings is
 * RESOURCE/METHOD as the path has it: "*" and "~1" stay. */
static enum err patch_setting(struct call *call, struct json *doc, const struct apigateway_patch *p,
                              bool *ret_done)
{
    struct json *map = json_at(doc, STR("methodSettings")), *entry, *value;
    if ((p->n != 4 && (p->n != 2 || p->op != APIGATEWAY_REMOVE)) ||
        str_eq_c(p->raw[0], "variables") || str_eq_c(p->raw[0], "accessLogSettings") ||
        str_eq_c(p->raw[0], "canarySettings"))
        return ERR_OK;
    struct str key =
        str_fmt(call->arena, STR_FMT "/" STR_FMT, STR_ARG(p->raw[0]), STR_ARG(p->raw[1]));
    if (!str_is_set(key) || !map)
        return ERR_NOMEM;
    if (p->op == APIGATEWAY_REMOVE) {
        json_unset(map, key);
        *ret_done = true;
        return ERR_OK;
    }
    struct str name =
        str_fmt(call->arena, STR_FMT "/" STR_FMT, STR_ARG(p->raw[2]), STR_ARG(p->raw[3]));
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        if (!str_eq_c(name, settings[i].path))
            continue;
        TRY(apigateway_patch_value(call, p, settings[i].type, settings[i].among, &value));
        TRY(check_setting(call, settings[i].member, value));
        entry = json_at(map, key);
        if (!entry) {
            TRY(new_settings(call, &entry));
            TRY(json_set(map, key, entry));
        }
        *ret_done = true;
        return json_set(entry, str_c(settings[i].member), value);
    }
    return ERR_OK;
}

static enum err refuse_others(struct call *call, const struct apigateway_patch *p)
{
    if (str_eq_c(p->raw[0], "canarySettings"))
        return APIGATEWAY_BAD(call, "Canary deployments are not supported by Weir.");
    if (str_eq_c(p->raw[0], "documentationVersion"))
        return APIGATEWAY_BAD(call, "Documentation versions are not supported by Weir.");
    if (str_eq_c(p->raw[0], "clientCertificateId"))
        return APIGATEWAY_BAD(call, "Client certificates are not supported by Weir.");
    return ERR_OK;
}

static enum err patch_other(struct call *call, struct json *doc, const struct apigateway_patch *p,
                            bool *ret_done)
{
    if (p->op != APIGATEWAY_REMOVE)
        TRY(refuse_others(call, p));
    if (p->op == APIGATEWAY_REMOVE && p->n == 1 && str_eq_c(p->raw[0], "canarySettings")) {
        *ret_done = true; /* there are none */
        return ERR_OK;
    }
    return patch_setting(call, doc, p, ret_done);
}

static const struct apigateway_patch_row rows[] = {
    {"/accessLogSettings", APIGATEWAY_REMOVE, APIGATEWAY_TEXT, NULL},
    {"/accessLogSettings/destinationArn", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
    {"/accessLogSettings/format", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
    {"/cacheClusterEnabled", APIGATEWAY_REPLACE, APIGATEWAY_BOOL, NULL},
    {"/cacheClusterSize", APIGATEWAY_REPLACE, APIGATEWAY_TEXT,
     "0.5 1.6 6.1 13.5 28.4 58.2 118 237"},
    {"/deploymentId", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
    {"/description", APIGATEWAY_REPLACE | APIGATEWAY_REMOVE, APIGATEWAY_TEXT, NULL},
    {"/tracingEnabled", APIGATEWAY_REPLACE, APIGATEWAY_BOOL, NULL},
    {"/variables/{name}", APIGATEWAY_EDIT, APIGATEWAY_TEXT, NULL},
};
static const struct apigateway_patch_table table = {
    .rows = rows,
    .n = ARRAY_LEN(rows),
    .other = patch_other,
};

/* Whether one of the operations turns a log on. */
static bool turns_log_on(struct apigateway_list_of_patch_operation ops)
{
    for (size_t i = 0; i < ops.n; i++) {
        const struct apigateway_patch_operation *op = &ops.v[i];
        bool level = str_ends(op->path, STR("/logging/loglevel")) && !str_eq_c(op->value, "OFF");
        bool access = str_starts(op->path, STR("/accessLogSettings/"));
        if ((level || access) && !str_eq_c(op->op, "remove") && op->value.len > 0)
            return true;
    }
    return false;
}

/* Logs are written under the account's role: without one there would be none. */
static enum err check_log_role(struct call *call, struct apigateway_list_of_patch_operation ops)
{
    struct str role;
    if (!turns_log_on(ops))
        return ERR_OK;
    TRY(apigateway_account_role(call->txn, call_scope(call), &role));
    return str_is_set(role)
               ? ERR_OK
               : APIGATEWAY_BAD(call, "CloudWatch Logs role ARN must be set in account settings to "
                                      "enable logging");
}

enum err apigateway_update_stage(struct call *call, const struct apigateway_update_stage_input *in,
                                 struct apigateway_update_stage_output *out)
{
    struct apigateway_stage_rec s;
    struct json *doc;
    TRY(apigateway_stage_need(call, in->rest_api_id, in->stage_name, &s, &doc));
    TRY(apigateway_patch(call, &table, in->patch_operations, doc));
    TRY(apigateway_stage_write(call, in->rest_api_id, &s, doc));
    TRY(check_log_role(call, in->patch_operations));
    TRY(shown(call, in->rest_api_id, doc));
    return apigateway_show(call, doc, out);
}

/* --- the rest ------------------------------------------------------------------------------------- */

static enum err check_unmapped(struct call *call, struct str api_id, struct str stage)
{
    struct str domains;
    TRY(domain_names_of(apigateway_of(call), call->txn, api_id, stage, &domains));
    return str_is_set(domains)
               ? APIGATEWAY_BAD(call,
                                "Deleting stage " STR_FMT " failed. Please remove all base path "
                                "mappings related to the stage in your domains: " STR_FMT ".",
                                STR_ARG(stage), STR_ARG(domains))
               : ERR_OK;
}

enum err apigateway_delete_stage(struct call *call, const struct apigateway_delete_stage_input *in,
                                 struct apigateway_delete_stage_output *out)
{
    struct apigateway_stage_rec s;
    struct json *doc;
    TRY(apigateway_stage_need(call, in->rest_api_id, in->stage_name, &s, &doc));
    TRY(apigateway_guard(call->txn, in->rest_api_id));
    TRY(check_unmapped(call, in->rest_api_id, in->stage_name));
    return apigateway_stage_drop(call, in->rest_api_id, in->stage_name);
}

enum err apigateway_flush_stage_cache(struct call *call,
                                      const struct apigateway_flush_stage_cache_input *in,
                                      struct apigateway_flush_stage_cache_output *out)
{
    struct apigateway_stage_rec s;
    struct json *doc;
    TRY(apigateway_stage_need(call, in->rest_api_id, in->stage_name, &s, &doc));
    s.cache_flushes++;
    return apigateway_stage_write(call, in->rest_api_id, &s, doc);
}

enum err apigateway_flush_stage_authorizers_cache(
    struct call *call, const struct apigateway_flush_stage_authorizers_cache_input *in,
    struct apigateway_flush_stage_authorizers_cache_output *out)
{
    struct apigateway_stage_rec s;
    struct json *doc;
    TRY(apigateway_stage_need(call, in->rest_api_id, in->stage_name, &s, &doc));
    s.authorizer_flushes++;
    return apigateway_stage_write(call, in->rest_api_id, &s, doc);
}
