/* Usage plans of APIs that ask for keys: one for each API, or one that all share.
 * See sam_int.h. Layer: template. Thread: pure. */
#include "template/sam_int.h"

struct plan {
    struct str plan, key, plan_key; /* logical ids */
    const struct json *stages, *key_stages, *depends;
    const struct json *given;
    const struct json *resource;
};

static enum err check_plan(struct sam *s, const struct json *given)
{
    static const char *const known[] = {"CreateUsagePlan", "Description",  "Quota", "Tags",
                                        "Throttle",        "UsagePlanName"};
    if (!sam_map(given))
        return sam_bad(s, "'UsagePlan' must be a dictionary");
    JSON_EACH (given, it) {
        bool found = false;
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
            found = found || str_eq_c(it->key, known[i]);
        if (!found)
            return sam_bad(s, "Invalid property for 'UsagePlan'");
    }
    if (!SAM_GET(given, "CreateUsagePlan"))
        return sam_bad(s, "'CreateUsagePlan' is required field for UsagePlan properties");
    const struct json *kind = SAM_GET(given, "CreateUsagePlan");
    if (!sam_eq(kind, "PER_API") && !sam_eq(kind, "SHARED") && !sam_eq(kind, "NONE"))
        return sam_bad(s, "'CreateUsagePlan' accepts one of 'PER_API', 'SHARED' and 'NONE'");
    return ERR_OK;
}

static enum err emit_with(struct sam *s, const struct plan *p, struct str id, const char *type,
                          struct json *properties, struct json *depends)
{
    TRY(sam_emit(s, id, type, properties, p->resource, false));
    sam_set(s, sam_emitted(s, id), "DependsOn", depends);
    return ERR_OK;
}

static enum err emit_plan(struct sam *s, const struct plan *p)
{
    static const char *const carried[] = {"Description", "Quota", "Tags", "Throttle",
                                          "UsagePlanName"};
    struct json *v = sam_make(s, "{'ApiStages': %v}", p->stages);
    for (size_t i = 0; i < ARRAY_LEN(carried); i++)
        sam_take(s, v, carried[i], p->given, carried[i]);
    TRY(emit_with(s, p, p->plan, "AWS::ApiGateway::UsagePlan", v, sam_copy(s, p->depends)));
    v = sam_make(s, "{'Enabled': true, 'StageKeys': %v}", p->key_stages);
    TRY(emit_with(s, p, p->key, "AWS::ApiGateway::ApiKey", v, sam_make(s, "[%s]", p->plan)));
    v = sam_make(s, "{'KeyId': {'Ref': %s}, 'KeyType': 'API_KEY', 'UsagePlanId': {'Ref': %s}}",
                 p->key, p->plan);
    return emit_with(s, p, p->plan_key, "AWS::ApiGateway::UsagePlanKey", v,
                     sam_make(s, "[%s]", p->key));
}

static void refer(struct sam *s, struct str api, const struct plan *p)
{
    sam_put(s, s->refs, sam_cat(s, api, ".UsagePlan"), sam_new_str(s, p->plan));
    sam_put(s, s->refs, sam_cat(s, api, ".UsagePlanKey"), sam_new_str(s, p->plan_key));
    sam_put(s, s->refs, sam_cat(s, api, ".ApiKey"), sam_new_str(s, p->key));
}

/* What the shared plan needs to know is gathered here, and made at the end. */
static void gather(struct sam *s, const struct json *resource, const struct json *given,
                   const struct json *stage, const struct json *key_stage)
{
    static const char *const lists[] = {"Stages", "KeyStages", "Apis", "Conditions"};
    struct json *shared = s->usage, *entries[] = {sam_copy(s, stage), sam_copy(s, key_stage),
                                                  sam_new_str(s, resource->key),
                                                  sam_copy(s, SAM_GET(resource, "Condition"))};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        if (!json_at(shared, str_c(lists[i])))
            sam_set(s, shared, lists[i], json_new(s->a, JSON_ARRAY));
        sam_push(s, json_at(shared, str_c(lists[i])), entries[i]);
    }
    JSON_EACH (given, it)
        if (!json_get(shared, it->key))
            sam_put(s, shared, it->key, sam_copy(s, it));
    static const char *const attributes[] = {"DeletionPolicy", "UpdateReplacePolicy"};
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
        const struct json *v = json_get(resource, str_c(attributes[i]));
        const struct json *before = json_get(shared, str_c(attributes[i]));
        bool safer =
            sam_eq(v, "Retain") || (i == 1 && sam_eq(v, "Snapshot") && sam_eq(before, "Delete"));
        if (v && (!before || safer))
            sam_set(s, shared, attributes[i], sam_copy(s, v));
    }
}

enum err sam_usage_plan(struct sam *s, const struct json *resource, const struct json *auth,
                        struct str stage_id)
{
    struct json *given = NULL;
    TRY(sam_resolve(s, SAM_GET(auth, "UsagePlan"), &given));
    if (!given)
        return ERR_OK;
    TRY(check_plan(s, given));
    struct json *stage =
        sam_make(s, "{'ApiId': {'Ref': %s}, 'Stage': {'Ref': %s}}", resource->key, stage_id);
    struct json *key = sam_make(s, "{'RestApiId': {'Ref': %s}, 'StageName': {'Ref': %s}}",
                                resource->key, stage_id);
    struct plan shared = {.plan = STR("ServerlessUsagePlan"),
                          .key = STR("ServerlessApiKey"),
                          .plan_key = STR("ServerlessUsagePlanKey")};
    if (sam_eq(SAM_GET(given, "CreateUsagePlan"), "SHARED")) {
        gather(s, resource, given, stage, key);
        refer(s, resource->key, &shared);
    }
    if (!sam_eq(SAM_GET(given, "CreateUsagePlan"), "PER_API"))
        return ERR_OK;
    struct plan own = {sam_cat(s, resource->key, "UsagePlan"),
                       sam_cat(s, resource->key, "ApiKey"),
                       sam_cat(s, resource->key, "UsagePlanKey"),
                       sam_make(s, "[%v]", stage),
                       sam_make(s, "[%v]", key),
                       sam_make(s, "[%s]", resource->key),
                       given,
                       resource};
    refer(s, resource->key, &own);
    return emit_plan(s, &own);
}

enum err sam_finish_usage(struct sam *s)
{
    const struct json *apis = SAM_GET(s->usage, "Apis"),
                      *conditions = SAM_GET(s->usage, "Conditions");
    if (!apis)
        return ERR_OK;
    struct json *attributes = sam_copy(s, s->usage);
    if (conditions && conditions->n == apis->n) {
        struct str condition = sam_any_condition(s, conditions, STR("SharedUsagePlanCondition"));
        sam_set(s, attributes, "Condition", sam_new_str(s, condition));
    }
    s->id = STR("ServerlessUsagePlan");
    struct plan shared = {STR("ServerlessUsagePlan"),
                          STR("ServerlessApiKey"),
                          STR("ServerlessUsagePlanKey"),
                          SAM_GET(s->usage, "Stages"),
                          SAM_GET(s->usage, "KeyStages"),
                          apis,
                          s->usage,
                          attributes};
    return emit_plan(s, &shared);
}
