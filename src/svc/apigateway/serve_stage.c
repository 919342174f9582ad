/* Stages, compiled over the API of their deployment. See serve.h.
 *
 * Source: API Gateway API Reference, Stage, MethodSetting.
 * Layer: svc. Thread: pure. */
#include <assert.h>

#include "svc/apigateway/serve_int.h"

enum { STAGE_BYTES_MAX = 4 * 1024 * 1024, CACHE_TTL_S = 300, SETTINGS_KEY_MAX = 4096 };

/* --- method settings -------------------------------------------------------------------------- */

/* Keys are "RESOURCE/METHOD", without the first slash and with "~1" for others, or with both as they are;
 * "*" + "/" + "*" is every method's. */
static bool key_is(struct str key, const struct serve_method *m)
{
    char text[SETTINGS_KEY_MAX];
    size_t n = 0;
    struct str path = str_sub(m->resource->path, 1, SIZE_MAX);
    for (size_t i = 0; i < key.len; i++) {
        bool slash = key.p[i] == '~' && i + 1 < key.len && key.p[i + 1] == '1';
        if (n == sizeof(text))
            return false;
        text[n++] = slash ? '/' : key.p[i];
        i += slash;
    }
    struct str rest = str_n(text, n);
    size_t at = str_rfind(rest, '/');
    if (at == SIZE_MAX || !str_eq(str_sub(rest, at + 1, SIZE_MAX), m->http_method))
        return false;
    rest.len = at;
    if (str_starts(rest, STR("/")))
        rest = str_sub(rest, 1, SIZE_MAX);
    return str_eq(rest, path);
}

static double float_of(const struct json *obj, const char *name, bool *ret_set)
{
    double f = 0;
    const struct json *v = json_get(obj, str_c(name));
    *ret_set = v && v->kind == JSON_NUMBER && json_to_f64(v, &f) == ERR_OK;
    return f;
}

/* Puts what a MethodSetting says over what is there. */
static void apply(const struct json *json, struct serve_settings *s)
{
    static const char *const levels[] = {"OFF", "ERROR", "INFO", NULL};
    static const char *const stales[] = {"FAIL_WITH_403", "SUCCEED_WITH_RESPONSE_HEADER",
                                         "SUCCEED_WITHOUT_RESPONSE_HEADER", NULL};
    bool has_rate, has_burst;
    double rate = float_of(json, "throttlingRateLimit", &has_rate);
    double burst = float_of(json, "throttlingBurstLimit", &has_burst);
    if (!json)
        return;
    s->log_level = (enum serve_log_level)serve_word(json_get_str(json, STR("loggingLevel")), levels,
                                                    s->log_level);
    s->stale = (enum serve_stale)serve_word(
        json_get_str(json, STR("unauthorizedCacheControlHeaderStrategy")), stales, s->stale);
    s->log_data = serve_json_true(json, "dataTraceEnabled");
    s->metrics = serve_json_true(json, "metricsEnabled");
    s->cached = serve_json_true(json, "cachingEnabled");
    s->cache_ttl_s = serve_json_number(json, "cacheTtlInSeconds", s->cache_ttl_s);
    if (json_get(json, STR("requireAuthorizationForCacheControl")))
        s->flush_needs_permission = serve_json_true(json, "requireAuthorizationForCacheControl");
    /* Negative: none of its own. */
    if ((has_rate || has_burst) && rate >= 0 && burst >= 0)
        s->limit = (struct usage_limit){.set = true, .rate = rate, .burst = burst};
}

static enum err take_settings(struct serve_stage *stage, const struct json *doc)
{
    const struct json *all = json_get(doc, STR("methodSettings"));
    const struct serve_api *api = stage->api;
    struct serve_settings *v =
        ARENA_ARRAY(&stage->arena, struct serve_settings, api->n_methods + 1);
    if (!v)
        return ERR_NOMEM;
    stage->settings = v;
    for (size_t r = 0; r < api->n_resources; r++)
        for (size_t i = 0; i < api->resources[r].n_methods; i++) {
            const struct serve_method *m = &api->resources[r].methods[i];
            struct serve_settings *s = &v[m->index];
            assert(m->index < api->n_methods);
            s->cache_ttl_s = CACHE_TTL_S;
            s->flush_needs_permission = true;
            s->stale = SERVE_STALE_TOLD;
            apply(json_get(all, STR("*/*")), s);
            s->cached = s->cached && str_eq_c(m->http_method, "GET"); /* others say it themselves */
            JSON_EACH (all, it)
                if (key_is(it->key, m))
                    apply(it, s);
        }
    return ERR_OK;
}

/* --- the stage -------------------------------------------------------------------------------- */

static enum err take_variables(struct serve_stage *stage, const struct json *doc)
{
    const struct json *variables = json_get(doc, STR("variables"));
    struct proxy_pair *v =
        ARENA_ARRAY(&stage->arena, struct proxy_pair, (variables ? variables->n : 0) + 1);
    if (!v)
        return ERR_NOMEM;
    stage->variables = variables;
    stage->pairs = v;
    JSON_EACH (variables, it)
        v[stage->n_pairs++] = (struct proxy_pair){it->key, it->text};
    return ERR_OK;
}

static enum err compile(struct serve_stage *stage, struct str name, struct str deployment_id,
                        struct str text)
{
    struct arena *a = &stage->arena;
    struct json *doc;
    stage->name = str_dup(a, name);
    stage->deployment_id = str_dup(a, deployment_id);
    text = str_dup(a, text);
    if (a->failed)
        return ERR_NOMEM;
    enum err err = json_parse(a, text, &doc, NULL);
    if (err)
        return err == ERR_NOMEM ? err : ERR_CORRUPT;
    const struct json *log = json_get(doc, STR("accessLogSettings"));
    stage->log_format = json_get_str(log, STR("format"));
    stage->log_arn = json_get_str(log, STR("destinationArn"));
    stage->caches = serve_json_true(doc, "cacheClusterEnabled");
    TRY(take_variables(stage, doc));
    return take_settings(stage, doc);
}

enum err serve_stage_compile(struct serve_api *api, struct str name, struct str deployment_id,
                             uint64_t number, struct str json, struct serve_stage **ret_stage)
{
    struct arena arena;
    arena_init(&arena, STAGE_BYTES_MAX);
    struct serve_stage *stage = ARENA_NEW(&arena, struct serve_stage);
    if (!stage) {
        arena_release(&arena);
        return ERR_NOMEM;
    }
    stage->arena = arena;
    stage->api = api;
    stage->number = number;
    atomic_store(&stage->refs, 1);
    enum err err = compile(stage, name, deployment_id, json);
    if (!err && stage->arena.failed)
        err = ERR_NOMEM;
    if (err) {
        stage->api = NULL; /* still the caller's */
        serve_stage_unref(stage);
        return err;
    }
    *ret_stage = stage;
    return ERR_OK;
}

void serve_stage_ref(struct serve_stage *stage)
{
    atomic_fetch_add(&stage->refs, 1);
}

void serve_stage_unref(struct serve_stage *stage)
{
    if (!stage || atomic_fetch_sub(&stage->refs, 1) != 1)
        return;
    struct arena arena = stage->arena;
    serve_api_unref(stage->api);
    arena_release(&arena);
}
