/* Pieces of requests and replies that many operations share. */
#include "svc/dynamodb/dynamodb_int.h"

enum err ddb_env_open(struct ddb_env *env, struct ddb_diag *diag,
                      const struct dynamodb_expression_attribute_name_map *names,
                      const struct json *values)
{
    const void *of = values ? (const void *)values : names->v;
    const struct ddb_env *known = ddb_memo_find(diag->memo, DDB_MEMO_ENV, of);
    if (known) {
        *env = *known; /* with what the expressions parsed so far used of it */
        env->diag = diag;
        return ERR_OK;
    }
    *env = (struct ddb_env){.diag = diag};
    if (names->v) {
        if (names->n == 0)
            return ddb_invalid(diag, "ExpressionAttributeNames must not be empty");
        env->names = ARENA_ARRAY(diag->arena, struct ddb_env_name, names->n);
        if (!env->names)
            return ERR_NOMEM;
        for (size_t i = 0; i < names->n; i++)
            TRY(ddb_env_add_name(env, names->v[i].key, names->v[i].value));
    }
    TRY(ddb_env_set_values(env, values));
    return ddb_memo_keep_copy(diag->memo, diag->arena, DDB_MEMO_ENV, of, env, sizeof(*env));
}

enum err ddb_env_check_needed(struct ddb_diag *diag,
                              const struct dynamodb_expression_attribute_name_map *names,
                              const struct json *values, bool any_expression,
                              const char *null_expression)
{
    if (any_expression)
        return ERR_OK;
    if (names->v)
        return ddb_invalid(diag, "ExpressionAttributeNames can only be specified when using "
                                 "expressions");
    if (values)
        return ddb_invalid(diag,
                           "ExpressionAttributeValues can only be specified when using "
                           "expressions: %s is null",
                           null_expression);
    return ERR_OK;
}

enum err ddb_paths_from_names(struct ddb_diag *diag,
                              const struct dynamodb_attribute_name_list *names,
                              struct ddb_paths *ret_paths)
{
    struct ddb_paths paths = {ARENA_ARRAY(diag->arena, struct ddb_path, names->n), names->n};
    struct ddb_step *steps = ARENA_ARRAY(diag->arena, struct ddb_step, names->n);
    if (!paths.v || !steps)
        return ERR_NOMEM;
    for (size_t i = 0; i < names->n; i++) {
        for (size_t j = 0; j < i; j++)
            if (str_eq(names->v[i], names->v[j]))
                return ddb_invalid(diag,
                                   "One or more parameter values were invalid: Duplicate value in "
                                   "attribute name: " STR_FMT,
                                   STR_ARG(names->v[i]));
        steps[i].name = names->v[i];
        paths.v[i] = (struct ddb_path){&steps[i], 1};
    }
    *ret_paths = paths;
    return ERR_OK;
}

enum err ddb_request_condition(struct ddb_diag *diag, struct str condition,
                               const struct dynamodb_expression_attribute_name_map *names,
                               const struct json *values, struct ddb_node **ret_node)
{
    struct ddb_env env;
    *ret_node = NULL;
    TRY(ddb_env_check_needed(diag, names, values, str_is_set(condition), "ConditionExpression"));
    if (!str_is_set(condition))
        return ERR_OK;
    TRY(ddb_env_open(&env, diag, names, values));
    TRY(ddb_parse_condition(&env, "ConditionExpression", condition, ret_node));
    return ddb_env_check_used(&env);
}

enum err ddb_request_projection(struct ddb_env *env, struct str expression,
                                const struct dynamodb_attribute_name_list *names,
                                struct ddb_paths *ret_paths)
{
    *ret_paths = (struct ddb_paths){0};
    if (str_is_set(expression) && names->v)
        return ddb_invalid(env->diag, "Can not use both expression and non-expression parameters "
                                      "in the same request: Non-expression parameters: "
                                      "{AttributesToGet} Expression parameters: "
                                      "{ProjectionExpression}");
    if (str_is_set(expression))
        return ddb_parse_projection(env, expression, ret_paths);
    return names->v ? ddb_paths_from_names(env->diag, names, ret_paths) : ERR_OK;
}

static enum err index_capacity(struct call *call, const struct ddb_table *table, bool global,
                               const struct ddb_units *units,
                               struct dynamodb_secondary_indexes_capacity_map *ret)
{
    struct dynamodb_secondary_indexes_capacity_map_entry *v = ARENA_ARRAY(
        call->arena, struct dynamodb_secondary_indexes_capacity_map_entry, table->n_indexes);
    size_t n = 0;
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < table->n_indexes; i++) {
        if (table->indexes[i].global != global || units->index[i] == 0)
            continue;
        v[n].key = table->indexes[i].name;
        WIRE_SET(&v[n].value, capacity_units, units->index[i]);
        n++;
    }
    if (n) {
        ret->v = v;
        ret->n = n;
    }
    return ERR_OK;
}

enum err ddb_consumed(struct call *call, struct str mode, const struct ddb_table *table,
                      const struct ddb_units *units, const struct dynamodb_consumed_capacity **ret)
{
    *ret = NULL;
    if (str_empty(mode) || str_eq_c(mode, "NONE"))
        return ERR_OK;
    struct dynamodb_consumed_capacity *c =
        ARENA_NEW(call->arena, struct dynamodb_consumed_capacity);
    if (!c)
        return ERR_NOMEM;
    double total = units->table;
    for (size_t i = 0; i < table->n_indexes; i++)
        total += units->index[i];
    c->table_name = table->name;
    WIRE_SET(c, capacity_units, total);
    if (str_eq_c(mode, "INDEXES")) {
        struct dynamodb_capacity *t = ARENA_NEW(call->arena, struct dynamodb_capacity);
        if (!t)
            return ERR_NOMEM;
        WIRE_SET(t, capacity_units, units->table);
        c->table = t;
        TRY(index_capacity(call, table, true, units, &c->global_secondary_indexes));
        TRY(index_capacity(call, table, false, units, &c->local_secondary_indexes));
    }
    *ret = c;
    return ERR_OK;
}

enum err ddb_collection_metrics(struct call *call, struct str mode, const struct ddb_table *table,
                                const struct ddb_key *key,
                                const struct dynamodb_item_collection_metrics **ret)
{
    static const double lowest_range_gb[] = {0.0, 1.0};
    bool local = false;
    *ret = NULL;
    for (size_t i = 0; i < table->n_indexes; i++)
        local = local || !table->indexes[i].global;
    if (!local || !str_eq_c(mode, "SIZE"))
        return ERR_OK;
    struct dynamodb_item_collection_metrics *m =
        ARENA_NEW(call->arena, struct dynamodb_item_collection_metrics);
    if (!m)
        return ERR_NOMEM;
    struct buf b;
    buf_init_arena(&b, call->arena, DDB_JSON_MAX);
    buf_add_byte(&b, '{');
    json_put_str(&b, table->key.hash);
    buf_add_byte(&b, ':');
    ddb_av_put_json(&b, key->hash);
    buf_add_byte(&b, '}');
    m->item_collection_key = buf_str(&b);
    m->size_estimate_range_gb.v = lowest_range_gb;
    m->size_estimate_range_gb.n = ARRAY_LEN(lowest_range_gb);
    *ret = m;
    return buf_err(&b);
}

enum err ddb_item_text(struct arena *a, const struct ddb_av *item, struct str *ret_text)
{
    *ret_text = STR_NONE;
    if (!item)
        return ERR_OK;
    struct buf b;
    buf_init_arena(&b, a, DDB_JSON_MAX);
    ddb_item_put_json(&b, item);
    *ret_text = buf_str(&b);
    return buf_err(&b);
}

enum err ddb_raw_text(struct arena *a, struct str raw, struct str *ret_text)
{
    *ret_text = STR_NONE;
    if (!str_is_set(raw))
        return ERR_OK;
    struct buf b;
    buf_init_arena(&b, a, DDB_JSON_MAX);
    TRY(ddb_item_raw_put_json(&b, raw));
    *ret_text = buf_str(&b);
    return buf_err(&b);
}

enum err ddb_put_part(struct arena *scratch, struct buf *b, struct str raw,
                      const struct ddb_paths *paths)
{
    if (!paths->v)
        return ddb_item_raw_put_json(b, raw);
    struct ddb_av *item, *part;
    TRY(ddb_item_decode(scratch, raw, &item));
    TRY(ddb_project(scratch, paths, item, &part));
    ddb_item_put_json(b, part);
    return ERR_OK;
}

enum err ddb_put_flat(struct arena *scratch, struct buf *b, struct str raw,
                      const struct ddb_paths *paths)
{
    if (!paths->v)
        return ddb_item_raw_put_json(b, raw);
    struct ddb_av *item, *part = ddb_av_new(scratch, DDB_M);
    if (!part)
        return ERR_NOMEM;
    TRY(ddb_item_decode(scratch, raw, &item));
    for (size_t i = 0; i < paths->n; i++) {
        const struct ddb_path *path = &paths->v[i];
        const struct ddb_av *v = ddb_path_walk(item, path);
        size_t last = path->n - 1;
        if (!v)
            continue;
        while (!str_is_set(path->steps[last].name))
            last--; /* the first step is a name */
        struct ddb_av *copy = ddb_av_clone(scratch, v);
        struct ddb_av *old = ddb_av_get(part, path->steps[last].name);
        if (!copy)
            return ERR_NOMEM;
        copy->name = path->steps[last].name;
        if (old)
            ddb_av_replace(part, old, copy);
        else
            ddb_av_append(part, copy);
    }
    ddb_item_put_json(b, part);
    return ERR_OK;
}
