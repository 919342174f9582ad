/* Stages: their records, mirrored in memory for the requests that name them.
 * Layer: svc/apigateway. Thread: the transaction's; lookups: any. */
#include "svc/apigateway/apigateway_stage.h"

#include "base/record.h"
#include "svc/apigateway/op_key_int.h"

/* --- records -------------------------------------------------------------------------------------- */

enum { OBJECT_BYTES_MAX = 2 * APIGATEWAY_DOCUMENT_BYTES_MAX };

static const struct record_field stage_fields[] = {
    REC_STR(struct apigateway_stage_rec, account),
    REC_STR(struct apigateway_stage_rec, region),
    REC_STR(struct apigateway_stage_rec, deployment_id),
    REC_STR(struct apigateway_stage_rec, json),
    REC_UINT(struct apigateway_stage_rec, cache_flushes),
    REC_UINT(struct apigateway_stage_rec, authorizer_flushes),
};
static const struct record_type stage_type =
    RECORD_TYPE(struct apigateway_stage_rec, 1, stage_fields);

static enum err decode(void *self, struct catalogue_object *object, struct str record)
{
    struct apigateway_stage_rec *s = CONTAINER_OF(object, struct apigateway_stage_rec, object);
    return record_unpack_copy(&stage_type, &object->arena, record, s);
}

static const struct catalogue_type type = {
    .name = "apigateway: stage",
    .size = sizeof(struct apigateway_stage_rec),
    .arena_max = OBJECT_BYTES_MAX,
    .decode = decode,
};

enum err apigateway_stages_init(struct apigateway *gw)
{
    return catalogue_new(gw->core, &type, gw, &gw->stages);
}

enum err apigateway_stages_load(struct txn *txn, void *arg)
{
    struct apigateway *gw = arg;
    struct key_range all = key_range_table(txn->arena, &apigateway_k_stage);
    return str_is_set(all.from) ? catalogue_load(gw->stages, txn, all.from) : ERR_NOMEM;
}

/* --- the data plane's view ------------------------------------------------------------------------ */

enum err apigateway_stage_find(struct apigateway *gw, struct txn *txn, struct str api_id,
                               struct str stage, struct apigateway_stage_now *ret)
{
    void *object;
    struct str key = key_make(txn->arena, &apigateway_k_stage, api_id, stage);
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(catalogue_get(gw->stages, txn, key, &object));
    const struct apigateway_stage_rec *s = object;
    *ret = (struct apigateway_stage_now){
        .scope = {s->account, s->region},
        .deployment_id = s->deployment_id,
        .json = s->json,
        .version = s->object.seq,
        .cache_flushes = s->cache_flushes,
        .authorizer_flushes = s->authorizer_flushes,
    };
    return ERR_OK;
}

enum err apigateway_snapshot_read(struct txn *txn, struct str api_id, struct str deployment_id,
                                  struct str *ret_json)
{
    return txn_get(txn, key_make(txn->arena, &apigateway_k_snapshot, api_id, deployment_id),
                   ret_json);
}

/* --- reading -------------------------------------------------------------------------------------- */

enum err apigateway_stage_read(struct call *call, struct str api_id, struct str name,
                               struct apigateway_stage_rec *ret, struct json **ret_doc)
{
    struct str record;
    *ret = (struct apigateway_stage_rec){0};
    TRY(txn_get(call->txn, key_make(call->arena, &apigateway_k_stage, api_id, name), &record));
    TRY(record_unpack(&stage_type, call->arena, record, ret));
    enum err err = json_parse(call->arena, ret->json, ret_doc, NULL);
    return err == ERR_OK || err == ERR_NOMEM ? err : ERR_CORRUPT;
}

enum err apigateway_stage_need(struct call *call, struct str api_id, struct str name,
                               struct apigateway_stage_rec *ret, struct json **ret_doc)
{
    struct json *api;
    TRY(apigateway_need_api(call, api_id, &api));
    enum err err = apigateway_stage_read(call, api_id, name, ret, ret_doc);
    return err == ERR_NOT_FOUND ? APIGATEWAY_ABSENT(call, "Invalid stage identifier specified")
                                : err;
}

struct gathering {
    struct call *call;
    struct json *array;
};

static enum err gather(void *arg, struct str key, struct str val)
{
    struct gathering *g = arg;
    struct apigateway_stage_rec s = {0};
    struct json *doc;
    TRY(record_unpack_copy(&stage_type, g->call->arena, val, &s));
    enum err err = json_parse(g->call->arena, s.json, &doc, NULL);
    if (err)
        return err == ERR_NOMEM ? err : ERR_CORRUPT;
    return json_push(g->array, doc);
}

enum err apigateway_stages_of(struct call *call, struct str api_id, struct json **ret_array)
{
    struct gathering g = {call, json_new(call->arena, JSON_ARRAY)};
    if (!g.array)
        return ERR_NOMEM;
    TRY(txn_each(call->txn, key_range(call->arena, &apigateway_k_stage, api_id), gather, &g));
    *ret_array = g.array;
    return ERR_OK;
}

/* --- writing -------------------------------------------------------------------------------------- */

static bool is_word(struct str s, const char *more)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              strchr(more, c)))
            return false;
    }
    return memchr(s.p ? s.p : "", 0, s.len) == NULL;
}

enum err apigateway_stage_begin(struct call *call, struct str api_id, struct str name,
                                struct apigateway_stage_rec *ret, struct json **ret_doc)
{
    struct arena *a = call->arena;
    struct json *all, *doc = json_new(a, JSON_OBJECT);
    if (str_empty(name) || name.len > APIGATEWAY_STAGE_NAME_MAX || !is_word(name, "_-"))
        return APIGATEWAY_BAD(call, "Stage name only allows a-zA-Z0-9_-");
    if (!doc)
        return ERR_NOMEM;
    TRY(apigateway_guard(call->txn, api_id));
    TRY(apigateway_stages_of(call, api_id, &all));
    if (all->n >= APIGATEWAY_STAGES_MAX)
        return call_error(call, &apigateway_err_limit_exceeded_exception,
                          "Maximum number of stages for this API has been reached. Please contact "
                          "AWS if you need additional stages.");
    TRY(json_set(doc, STR("stageName"), json_new_str(a, name)));
    TRY(json_set(doc, STR("createdDate"), apigateway_time(call->txn)));
    *ret = (struct apigateway_stage_rec){.account = call->account, .region = call->region};
    *ret_doc = doc;
    return ERR_OK;
}

static enum err check_variables(struct call *call, const struct json *variables)
{
    JSON_EACH (variables, it) {
        if (str_empty(it->key) || it->key.len > APIGATEWAY_VARIABLE_NAME_MAX ||
            !is_word(it->key, "_"))
            return APIGATEWAY_BAD(call,
                                  "Stage variable names can only contain alphanumeric "
                                  "characters and underscores: " STR_FMT,
                                  STR_ARG(it->key));
        if (it->text.len > APIGATEWAY_VARIABLE_MAX || !is_word(it->text, "-._~:/?#&=, "))
            return APIGATEWAY_BAD(
                call,
                "Invalid stage variable value: " STR_FMT
                ". Please use values with alphanumeric characters and the symbols ' "
                "', -', '.', '_', ':', '/', '?', '&', '=', and ','.",
                STR_ARG(it->text));
    }
    return ERR_OK;
}

/* Logs go to a log group; delivery streams are not there. */
static enum err check_access_log(struct call *call, struct json *doc)
{
    struct json *settings = json_at(doc, STR("accessLogSettings"));
    struct str dest = json_get_str(settings, STR("destinationArn"));
    struct arn arn;
    if (!settings)
        return ERR_OK;
    if (settings->n == 0) {
        json_unset(doc, STR("accessLogSettings"));
        return ERR_OK;
    }
    if (!str_is_set(dest))
        return ERR_OK; /* the format came first */
    if (str_ends(dest, STR(":*")))
        dest = str_sub(dest, 0, dest.len - 2);
    if (arn_parse_as(dest, "logs", "log-group", &arn) != ERR_OK ||
        !str_is_set(arn_segment(&arn, 1)))
        return APIGATEWAY_BAD(call,
                              "Invalid ARN specified in the request. Access logs go to a log "
                              "group: " STR_FMT,
                              STR_ARG(dest));
    return json_set(settings, STR("destinationArn"), json_new_str(call->arena, dest));
}

static enum err set_cache(struct call *call, struct json *doc)
{
    struct arena *a = call->arena;
    const struct json *given = json_get(doc, STR("cacheClusterEnabled"));
    bool enabled = given && given->b;
    if (enabled && !json_get(doc, STR("cacheClusterSize")))
        TRY(json_set(doc, STR("cacheClusterSize"), json_new_str(a, STR("0.5"))));
    TRY(json_set(doc, STR("cacheClusterEnabled"), json_new_bool(a, enabled)));
    return json_set(doc, STR("cacheClusterStatus"),
                    json_new_str(a, enabled ? STR("AVAILABLE") : STR("NOT_AVAILABLE")));
}

static enum err set_defaults(struct call *call, struct json *doc)
{
    TRY(set_cache(call, doc));
    if (!json_get(doc, STR("methodSettings")))
        TRY(json_set(doc, STR("methodSettings"), json_new(call->arena, JSON_OBJECT)));
    if (!json_get(doc, STR("tracingEnabled")))
        TRY(json_set(doc, STR("tracingEnabled"), json_new_bool(call->arena, false)));
    return json_set(doc, STR("lastUpdatedDate"), apigateway_time(call->txn));
}

enum err apigateway_stage_write(struct call *call, struct str api_id,
                                struct apigateway_stage_rec *s, struct json *doc)
{
    struct str name = json_get_str(doc, STR("stageName")), record;
    struct json *deployment;
    struct buf b;
    s->deployment_id = json_get_str(doc, STR("deploymentId"));
    enum err err = apigateway_doc_read(
        call->txn,
        apigateway_part_key(call->arena, &apigateway_deployments, api_id, s->deployment_id),
        &deployment);
    if (err == ERR_NOT_FOUND)
        return APIGATEWAY_BAD(call, "Deployment id does not exist");
    TRY(err);
    TRY(check_variables(call, json_get(doc, STR("variables"))));
    TRY(check_access_log(call, doc));
    TRY(set_defaults(call, doc));
    buf_init_arena(&b, call->arena, APIGATEWAY_DOCUMENT_BYTES_MAX);
    json_put(&b, doc);
    if (buf_err(&b) == ERR_LIMIT)
        return call_error(call, &apigateway_err_limit_exceeded_exception,
                          "A stage has at most %d bytes.", APIGATEWAY_DOCUMENT_BYTES_MAX);
    TRY(buf_err(&b));
    s->json = buf_str(&b);
    TRY(apigateway_guard(call->txn, api_id));
    TRY(record_make(&stage_type, call->arena, s, &record));
    return catalogue_put(apigateway_of(call)->stages, call->txn,
                         key_make(call->arena, &apigateway_k_stage, api_id, name), record);
}

struct str apigateway_stage_arn(struct call *call, struct str api_id, struct str name)
{
    return apigateway_arn(call, "/restapis/" STR_FMT "/stages/" STR_FMT, STR_ARG(api_id),
                          STR_ARG(name));
}

enum err apigateway_stage_drop(struct call *call, struct str api_id, struct str name)
{
    TRY(tags_drop(call->txn, apigateway_stage_arn(call, api_id, name)));
    TRY(keys_stage_gone(call, api_id, name));
    return catalogue_del(apigateway_of(call)->stages, call->txn,
                         key_make(call->arena, &apigateway_k_stage, api_id, name));
}
