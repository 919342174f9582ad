/* CreateUsagePlan, GetUsagePlan, GetUsagePlans, UpdateUsagePlan, DeleteUsagePlan. Layer: svc/apigateway.
 * Source: API Gateway API Reference, "UsagePlan". */
#include "deliver/deliver.h"
#include "deliver/job.h"
#include "svc/apigateway/op_key_int.h"

/* --- a plan as a document, and back ------------------------------------------------------------- */

static enum err set_number(struct call *call, struct json *doc, const char *name, double v)
{
    struct buf b;
    struct json *n = json_new(call->arena, JSON_NUMBER);
    buf_init_arena(&b, call->arena, 64);
    json_put_f64(&b, v);
    TRY(buf_err(&b));
    if (n)
        n->text = buf_str(&b);
    return json_set(doc, str_c(name), n);
}

static enum err limit_doc(struct call *call, const struct usage_limit *limit, struct str name,
                          struct json *holder)
{
    struct json *doc = json_new(call->arena, JSON_OBJECT);
    if (!limit->set)
        return ERR_OK;
    TRY(json_set(holder, name, doc));
    TRY(set_number(call, doc, "burstLimit", limit->burst));
    return set_number(call, doc, "rateLimit", limit->rate);
}

static enum err stage_doc(struct call *call, const struct usage_stage *s, struct json **ret)
{
    struct json *doc = json_new(call->arena, JSON_OBJECT);
    if (!doc)
        return ERR_NOMEM;
    TRY(keys_set(call, doc, "apiId", s->api_id));
    TRY(keys_set(call, doc, "stage", s->stage));
    if (s->n_throttles) {
        struct json *map = json_new(call->arena, JSON_OBJECT);
        TRY(json_set(doc, STR("throttle"), map));
        for (size_t i = 0; i < s->n_throttles; i++)
            TRY(limit_doc(call, &s->throttles[i].limit, s->throttles[i].method, map));
    }
    *ret = doc;
    return ERR_OK;
}

static enum err quota_doc(struct call *call, const struct usage_quota *q, struct json *holder)
{
    struct json *doc = json_new(call->arena, JSON_OBJECT);
    if (q->period == USAGE_NO_QUOTA)
        return ERR_OK;
    TRY(json_set(holder, STR("quota"), doc));
    TRY(json_set(doc, STR("limit"), json_new_i64(call->arena, q->limit)));
    TRY(json_set(doc, STR("offset"), json_new_i64(call->arena, q->offset)));
    return keys_set(call, doc, "period", usage_period_name(q->period));
}

static enum err doc_of(struct call *call, const struct usage_plan *p, struct json **ret)
{
    struct json *doc = json_new(call->arena, JSON_OBJECT);
    struct json *stages = json_new(call->arena, JSON_ARRAY), *stage;
    if (!doc)
        return ERR_NOMEM;
    TRY(keys_set(call, doc, "id", p->id));
    TRY(keys_set(call, doc, "name", p->name));
    TRY(keys_set(call, doc, "description", p->description));
    TRY(json_set(doc, STR("apiStages"), stages));
    for (size_t i = 0; i < p->n_stages; i++) {
        TRY(stage_doc(call, &p->stages[i], &stage));
        TRY(json_push(stages, stage));
    }
    TRY(limit_doc(call, &p->limit, STR("throttle"), doc));
    TRY(quota_doc(call, &p->quota, doc));
    TRY(keys_set(call, doc, "productCode", p->product_code));
    *ret = doc;
    return ERR_OK;
}

static enum err number_of(struct call *call, const struct json *doc, const char *name, double *ret)
{
    const struct json *v = json_get(doc, str_c(name));
    *ret = 0;
    if (v && (json_to_f64(v, ret) != ERR_OK || *ret < 0 || *ret > INT32_MAX))
        return APIGATEWAY_BAD(call, "Invalid value for %s", name);
    return ERR_OK;
}

static enum err limit_of(struct call *call, const struct json *doc, struct usage_limit *ret)
{
    ret->set = doc != NULL;
    TRY(number_of(call, doc, "rateLimit", &ret->rate));
    return number_of(call, doc, "burstLimit", &ret->burst);
}

static enum err stage_of(struct call *call, const struct json *doc, struct usage_stage *ret)
{
    const struct json *map = json_get(doc, STR("throttle"));
    size_t n = map ? map->n : 0;
    if (n > USAGE_STAGE_METHODS_MAX)
        return call_error(call, &apigateway_err_limit_exceeded_exception,
                          "At most %d methods of a stage can be throttled by themselves.",
                          USAGE_STAGE_METHODS_MAX);
    *ret = (struct usage_stage){json_get_str(doc, STR("apiId")), json_get_str(doc, STR("stage")),
                                ARENA_ARRAY(call->arena, struct usage_throttle, n), 0};
    if (!ret->throttles)
        return ERR_NOMEM;
    JSON_EACH (map, it) {
        struct usage_throttle *t = &ret->throttles[ret->n_throttles++];
        t->method = it->key;
        TRY(limit_of(call, it, &t->limit));
    }
    return ERR_OK;
}

static enum err quota_of(struct call *call, const struct json *doc, struct usage_quota *ret)
{
    double limit, offset;
    *ret = (struct usage_quota){0};
    if (!doc)
        return ERR_OK;
    struct str period = json_get_str(doc, STR("period"));
    TRY(number_of(call, doc, "limit", &limit));
    TRY(number_of(call, doc, "offset", &offset));
    ret->period = usage_period_of(period);
    ret->limit = (int64_t)limit;
    ret->offset = (int64_t)offset;
    if (ret->period == USAGE_NO_QUOTA)
        return APIGATEWAY_BAD(call, "Usage Plan quota period must be one of DAY, WEEK, MONTH");
    if (ret->limit < 1)
        return APIGATEWAY_BAD(call, "Usage Plan quota limit must be greater than zero");
    int64_t max = usage_offset_max(ret->period);
    if (ret->offset > max && max == 0)
        return APIGATEWAY_BAD(call, "Usage Plan quota offset must be zero in the DAY period");
    if (ret->offset > max)
        return APIGATEWAY_BAD(call,
                              "Usage Plan quota offset must be between 0 and %d inclusive in "
                              "the " STR_FMT " period",
                              (int)max, STR_ARG(period));
    return ERR_OK;
}

/* Checked; texts are the document's. */
static enum err plan_of(struct call *call, const struct json *doc, struct usage_plan *ret)
{
    const struct json *stages = json_get(doc, STR("apiStages"));
    size_t n = stages ? stages->n : 0;
    if (n > USAGE_PLAN_STAGES_MAX)
        return call_error(call, &apigateway_err_limit_exceeded_exception,
                          "A Usage Plan can have at most %d API Stages.", USAGE_PLAN_STAGES_MAX);
    *ret = (struct usage_plan){
        .id = json_get_str(doc, STR("id")),
        .name = json_get_str(doc, STR("name")),
        .description = json_get_str(doc, STR("description")),
        .product_code = json_get_str(doc, STR("productCode")),
        .stages = ARENA_ARRAY(call->arena, struct usage_stage, n),
    };
    if (!ret->stages)
        return ERR_NOMEM;
    JSON_EACH (stages, it)
        TRY(stage_of(call, it, &ret->stages[ret->n_stages++]));
    TRY(limit_of(call, json_get(doc, STR("throttle")), &ret->limit));
    TRY(quota_of(call, json_get(doc, STR("quota")), &ret->quota));
    return str_empty(ret->name) ? APIGATEWAY_BAD(call, "Usage Plan name must be specified")
                                : ERR_OK;
}

/* --- records ------------------------------------------------------------------------------------ */

/* Every stage is there, once. */
static enum err check_stages(struct call *call, const struct usage_plan *p)
{
    for (size_t i = 0; i < p->n_stages; i++) {
        const struct usage_stage *s = &p->stages[i];
        struct apigateway_stage_now now;
        enum err err =
            apigateway_stage_find(apigateway_of(call), call->txn, s->api_id, s->stage, &now);
        if (err && err != ERR_NOT_FOUND)
            return err;
        if (err || !str_eq(now.scope.account, call->account) ||
            !str_eq(now.scope.region, call->region))
            return APIGATEWAY_ABSENT(call, "API Stage not found: " STR_FMT ":" STR_FMT,
                                     STR_ARG(s->api_id), STR_ARG(s->stage));
        if (usage_plan_stage(p, s->api_id, s->stage) != s)
            return APIGATEWAY_CONFLICT(
                call, "API Stage " STR_FMT ":" STR_FMT " is in the Usage Plan already",
                STR_ARG(s->api_id), STR_ARG(s->stage));
    }
    return ERR_OK;
}

static enum err show(struct call *call, const struct usage_plan *p, void *out)
{
    struct json *doc;
    TRY(doc_of(call, p, &doc));
    TRY(apigateway_show_tags(call, doc, keys_plan_arn(call, p->id)));
    return apigateway_show(call, doc, out);
}

/* --- operations --------------------------------------------------------------------------------- */

enum err apigateway_create_usage_plan(struct call *call,
                                      const struct apigateway_create_usage_plan_input *in,
                                      struct apigateway_create_usage_plan_output *out)
{
    struct usage *u = apigateway_of(call)->usage;
    struct json *doc;
    struct usage_plan p;
    struct str prefix = key_prefix(call->arena, &usage_k_plan, call_scope(call));
    if (!str_is_set(prefix))
        return ERR_NOMEM;
    if (catalogue_count(u->plans, prefix) >= USAGE_PLANS_MAX)
        return call_error(call, &apigateway_err_limit_exceeded_exception,
                          "Maximum number of Usage Plans for this account has been reached.");
    TRY(apigateway_doc_asked(call, in, &doc));
    /* Longer than AWS's: an id that comes a second time would open a new plan to keys of an old one (UT3). */
    struct str id = apigateway_id(call->arena, APIGATEWAY_ID_LEN);
    if (!str_is_set(id))
        return ERR_NOMEM;
    TRY(keys_set(call, doc, "id", id));
    TRY(plan_of(call, doc, &p));
    TRY(check_stages(call, &p));
    TRY(keys_plan_write(call, &p));
    struct tags_resource resource = {.arn = keys_plan_arn(call, p.id)};
    TRY(tags_op_create(call, &apigateway_tags, &resource, TAGS_FROM(in->tags)));
    return show(call, &p, out);
}

enum err apigateway_get_usage_plan(struct call *call,
                                   const struct apigateway_get_usage_plan_input *in,
                                   struct apigateway_get_usage_plan_output *out)
{
    struct usage_plan p;
    TRY(keys_plan_need(call, in->usage_plan_id, &p));
    return show(call, &p, out);
}

struct listing {
    struct call *call;
    struct str key_id; /* of the key whose plans are asked for; absent: all */
    struct usage_key key;
    struct json *items;
};

static enum err is_asked(void *arg, struct str key, struct str record, bool *ret_match)
{
    struct listing *l = arg;
    struct str id;
    *ret_match = !str_is_set(l->key_id);
    TRY(key_read(&usage_k_plan, key, l->call->arena, KEY_SKIP, &id));
    for (size_t i = 0; i < l->key.n_plans; i++)
        *ret_match |= str_eq(l->key.plans[i], id);
    return ERR_OK;
}

static enum err take(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct usage_plan p;
    struct json *doc;
    TRY(record_unpack_copy(&usage_plan_type, l->call->arena, record, &p));
    TRY(doc_of(l->call, &p, &doc));
    TRY(apigateway_show_tags(l->call, doc, keys_plan_arn(l->call, p.id)));
    return json_push(l->items, doc);
}

enum err apigateway_get_usage_plans(struct call *call,
                                    const struct apigateway_get_usage_plans_input *in,
                                    struct apigateway_get_usage_plans_output *out)
{
    static const struct page_fns fns = {is_asked, take};
    struct listing l = {
        .call = call, .key_id = in->key_id, .items = json_new(call->arena, JSON_ARRAY)};
    struct page page;
    if (str_is_set(in->key_id))
        TRY(keys_need(call, in->key_id, &l.key));
    TRY(keys_page(call, STR("plans"), in->position, in->has_limit, in->limit, &page));
    TRY(keys_scan(call, &page, key_range(call->arena, &usage_k_plan, call_scope(call)), &fns, &l));
    return keys_show_page(call, l.items, &page, out);
}

/* --- changes ------------------------------------------------------------------------------------ */

static size_t index_of(const struct json *stages, struct str api_id, struct str stage,
                       struct json **ret)
{
    size_t i = 0;
    for (struct json *it = stages->child; it; it = it->next, i++)
        if (str_eq(json_get_str(it, STR("apiId")), api_id) &&
            str_eq(json_get_str(it, STR("stage")), stage)) {
            *ret = it;
            return i;
        }
    *ret = NULL;
    return SIZE_MAX;
}

/* "API:STAGE" is added or removed. */
static enum err patch_stages(struct call *call, struct json *stages,
                             const struct apigateway_patch *p)
{
    struct str rest = p->value, api_id = str_cut(&rest, ':');
    struct json *at;
    if (str_empty(api_id) || str_empty(rest))
        return APIGATEWAY_BAD(call,
                              "Invalid API Stage '" STR_FMT "': it must be of the form "
                              "{restApiId}:{stageName}",
                              STR_ARG(p->value));
    size_t i = index_of(stages, api_id, rest, &at);
    if (p->op == APIGATEWAY_ADD) {
        struct json *doc;
        const struct usage_stage s = {.api_id = api_id, .stage = rest};
        TRY(stage_doc(call, &s, &doc));
        return json_push(stages, doc);
    }
    if (!at)
        return APIGATEWAY_ABSENT(call, "API Stage not found: " STR_FMT, STR_ARG(p->value));
    json_drop(stages, i);
    return ERR_OK;
}

/* Of "/cars/GET/rateLimit": which member, and the method without it; as clients write it, with or
 * without a slash more, or that one escaped. */
static enum err split_method(struct call *call, struct str path, struct str *ret_method,
                             struct str *ret_member)
{
    static const struct str members[] = {STR_INIT("/rateLimit"), STR_INIT("/burstLimit")};
    struct buf b;
    *ret_member = STR_NONE;
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (str_ends(path, members[i])) {
            path.len -= members[i].len;
            *ret_member = str_sub(members[i], 1, SIZE_MAX);
        }
    buf_init_arena(&b, call->arena, APIGATEWAY_DOCUMENT_BYTES_MAX);
    for (size_t i = 0; i < path.len; i++) {
        bool slash = path.p[i] == '~' && i + 1 < path.len && path.p[i + 1] == '1';
        if (b.len == 0 && path.p[i] != '/' && !slash)
            buf_add_byte(&b, '/');
        buf_add_byte(&b, slash ? '/' : path.p[i]);
        i += slash;
    }
    *ret_method = buf_str(&b);
    return buf_err(&b);
}

/* "API:STAGE/throttle" and "API:STAGE/throttle/cars/GET[/rateLimit]". */
static enum err patch_throttle(struct call *call, struct json *stages, struct str path,
                               const struct apigateway_patch *p)
{
    struct str rest = path, name = str_cut(&rest, '/'), api_id = str_cut(&name, ':'), word, method,
               member;
    struct json *stage, *map, *limit, *v = json_new(call->arena, JSON_NUMBER);
    double number;
    (void)index_of(stages, api_id, name, &stage);
    word = str_cut(&rest, '/');
    if (!stage || !str_eq_c(word, "throttle"))
        return APIGATEWAY_ABSENT(call, "API Stage not found: " STR_FMT, STR_ARG(path));
    TRY(split_method(call, rest, &method, &member));
    map = json_at(stage, STR("throttle"));
    if (p->op == APIGATEWAY_REMOVE) {
        if (str_empty(method))
            (void)json_unset(stage, STR("throttle"));
        else if (map)
            (void)json_unset(map, method);
        return ERR_OK;
    }
    if (str_empty(method) || !str_is_set(member) || str_to_f64(p->value, &number) != ERR_OK)
        return APIGATEWAY_BAD(call, "Invalid patch path or value: " STR_FMT, STR_ARG(p->path));
    if (!map) {
        map = json_new(call->arena, JSON_OBJECT);
        TRY(json_set(stage, STR("throttle"), map));
    }
    limit = json_at(map, method);
    if (!limit) {
        limit = json_new(call->arena, JSON_OBJECT);
        TRY(json_set(map, method, limit));
    }
    if (v)
        v->text = p->value;
    return json_set(limit, member, v);
}

static enum err patch_own(struct call *call, struct json *doc, const struct apigateway_patch *p,
                          bool *ret_done)
{
    struct json *stages = json_at(doc, STR("apiStages"));
    struct str path = str_sub(p->path, sizeof("/apiStages") - 1, SIZE_MAX);
    if (!str_eq_c(p->segment[0], "apiStages") || (p->n == 1 && p->op == APIGATEWAY_REPLACE))
        return ERR_OK;
    *ret_done = true;
    return str_empty(path) ? patch_stages(call, stages, p)
                           : patch_throttle(call, stages, str_sub(path, 1, SIZE_MAX), p);
}

enum err apigateway_update_usage_plan(struct call *call,
                                      const struct apigateway_update_usage_plan_input *in,
                                      struct apigateway_update_usage_plan_output *out)
{
    static const struct apigateway_patch_row rules[] = {
        {"/name", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
        {"/description", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
        {"/productCode", APIGATEWAY_EDIT, APIGATEWAY_TEXT, NULL},
        {"/throttle", APIGATEWAY_REMOVE, APIGATEWAY_TEXT, NULL},
        {"/throttle/rateLimit", APIGATEWAY_ADD | APIGATEWAY_REPLACE, APIGATEWAY_NUMBER, NULL},
        {"/throttle/burstLimit", APIGATEWAY_ADD | APIGATEWAY_REPLACE, APIGATEWAY_NUMBER, NULL},
        {"/quota", APIGATEWAY_REMOVE, APIGATEWAY_TEXT, NULL},
        {"/quota/limit", APIGATEWAY_ADD | APIGATEWAY_REPLACE, APIGATEWAY_NUMBER, NULL},
        {"/quota/period", APIGATEWAY_ADD | APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
        {"/quota/offset", APIGATEWAY_ADD | APIGATEWAY_REPLACE, APIGATEWAY_NUMBER, NULL},
    };
    static const struct apigateway_patch_table table = {rules, ARRAY_LEN(rules), patch_own};
    struct usage_plan p;
    struct json *doc;
    TRY(keys_plan_need(call, in->usage_plan_id, &p));
    TRY(doc_of(call, &p, &doc));
    TRY(apigateway_patch(call, &table, in->patch_operations, doc));
    TRY(plan_of(call, doc, &p));
    TRY(check_stages(call, &p));
    TRY(keys_stages_check(call, &p));
    TRY(keys_plan_write(call, &p));
    return show(call, &p, out);
}

/* --- the end ------------------------------------------------------------------------------------ */

enum err apigateway_delete_usage_plan(struct call *call,
                                      const struct apigateway_delete_usage_plan_input *in,
                                      struct apigateway_delete_usage_plan_output *out)
{
    struct usage *u = apigateway_of(call)->usage;
    struct usage_plan p;
    TRY(keys_plan_need(call, in->usage_plan_id, &p));
    if (p.n_stages)
        return APIGATEWAY_BAD(call,
                              "Cannot delete Usage Plan " STR_FMT
                              " because there are API Stages associated with it",
                              STR_ARG(p.id));
    struct str key = keys_plan_key(call, p.id);
    TRY(tags_drop(call->txn, keys_plan_arn(call, p.id)));
    TRY(job_add(call->txn, u->plans_gone, key, STR("")));
    return catalogue_del(u->plans, call->txn, key);
}

/* What is left of a plan that is gone: which keys it had and what they used. Not before what was
 * counted in memory has been written. */
static enum err step(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                     enum job_state *ret_state)
{
    static const struct key_layout *const layouts[] = {&usage_k_member, &usage_k_count,
                                                       &usage_k_day};
    struct key_scope scope;
    struct str id;
    bool more = false;
    if (str_empty(job->cursor)) {
        job->cursor = STR("w");
        job->wait_until_ms = txn->now_ms + 2 * USAGE_FLUSH_MS;
        *ret_state = JOB_WAIT;
        return ERR_OK;
    }
    TRY(key_read(&usage_k_plan, job->key, txn->arena, &scope, &id));
    for (size_t i = 0; !more && i < ARRAY_LEN(layouts); i++) {
        struct key_range range = key_range(txn->arena, layouts[i], scope, id);
        if (!str_is_set(range.from))
            return ERR_NOMEM;
        TRY(job_remove_range(txn, &range.from, range.to, budget, &more));
    }
    *ret_state = more ? JOB_MORE : JOB_DONE;
    return ERR_OK;
}

enum err usage_plans_register(struct usage *u)
{
    const struct job_def def = {
        .name = "apigateway.plan",
        .self = u,
        .step = step,
        .at_once = 1,
    };
    return job_register(deliver_due(u->core->deliver), &def, &u->plans_gone);
}
