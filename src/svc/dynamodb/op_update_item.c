#include "svc/dynamodb/ddb_legacy.h"

struct update {
    struct ddb_node *condition; /* NULL: none */
    struct ddb_update actions;  /* none: the item is only made to exist */
};

static enum err check_params(struct ddb_diag *diag, const struct dynamodb_update_item_input *in)
{
    const struct ddb_param legacy[] = {
        {"AttributeUpdates", in->attribute_updates.v != NULL},
        {"Expected", in->expected.v != NULL},
        {"ConditionalOperator", str_is_set(in->conditional_operator)},
        {0}};
    const struct ddb_param expressions[] = {
        {"UpdateExpression", str_is_set(in->update_expression)},
        {"ConditionExpression", str_is_set(in->condition_expression)},
        {0}};
    return ddb_check_mixed(diag, legacy, expressions);
}

static enum err parse(struct ddb_diag *diag, const struct dynamodb_update_item_input *in,
                      struct update *ret_update)
{
    struct ddb_env env;
    struct update u = {0};
    bool any = str_is_set(in->update_expression) || str_is_set(in->condition_expression);
    TRY(check_params(diag, in));
    TRY(ddb_env_check_needed(diag, &in->expression_attribute_names, in->expression_attribute_values,
                             any, "UpdateExpression"));
    TRY(ddb_env_open(&env, diag, &in->expression_attribute_names, in->expression_attribute_values));
    if (str_is_set(in->update_expression))
        TRY(ddb_parse_update(&env, in->update_expression, &u.actions));
    if (str_is_set(in->condition_expression))
        TRY(ddb_parse_condition(&env, "ConditionExpression", in->condition_expression,
                                &u.condition));
    if (!any) {
        TRY(ddb_legacy_updates(diag, &in->attribute_updates, &u.actions));
        TRY(ddb_legacy_expected(diag, &in->expected, in->conditional_operator, &u.condition));
    }
    *ret_update = u;
    return ddb_env_check_used(&env);
}

enum err ddb_check_keys_kept(struct ddb_diag *diag, const struct ddb_table *table,
                             const struct ddb_update *actions)
{
    for (size_t i = 0; i < actions->n; i++) {
        struct str root = actions->v[i].path->steps[0].name;
        if (ddb_is_key(&table->key, root))
            return ddb_invalid(
                diag,
                "One or more parameter values were invalid: Cannot update attribute " STR_FMT
                ". This attribute is part of the key",
                STR_ARG(root));
    }
    return ERR_OK;
}

/* The old item as a copy to change, or a new one of the key alone. */
static enum err start_item(struct ddb_write *w, struct ddb_av **ret_item)
{
    struct arena *a = w->txn->arena;
    if (w->old) {
        *ret_item = ddb_av_copy(a, w->old);
        return *ret_item ? ERR_OK : ERR_NOMEM;
    }
    *ret_item = ddb_key_item(a, &w->table->key, &w->key);
    return *ret_item ? ERR_OK : ERR_NOMEM;
}

/* Whether there are actions, and all of them only take away. */
static bool only_takes(const struct ddb_update *actions)
{
    for (size_t i = 0; i < actions->n; i++)
        if (actions->v[i].kind != DDB_REMOVE && actions->v[i].kind != DDB_DELETE)
            return false;
    return actions->n > 0;
}

enum err ddb_updated_item(struct ddb_write *w, const struct ddb_update *actions,
                          struct ddb_av **ret_item)
{
    const struct ddb_av *old;
    TRY(ddb_write_decode(w));
    *ret_item = NULL;
    if (!w->old && only_takes(actions))
        return ERR_OK;
    TRY(start_item(w, ret_item));
    if (actions->n == 0)
        return ERR_OK;
    /* Operands see the key of a new item, too. */
    old = w->old ? w->old : ddb_av_copy(w->txn->arena, *ret_item);
    if (!old)
        return ERR_NOMEM;
    w->diag->updating = true;
    TRY(ddb_update_apply(w->diag, actions, old, *ret_item));
    if (ddb_item_depth(*ret_item) > DDB_DEPTH_MAX)
        return ddb_invalid(w->diag, "Nesting Levels have exceeded supported limits: Attributes in "
                                    "the item have nested levels beyond supported limit");
    if (ddb_item_size(*ret_item) > DDB_ITEM_BYTES_MAX)
        return ddb_invalid(w->diag, "Item size to update has exceeded the maximum allowed size");
    return ERR_OK;
}

enum err ddb_updated_text(struct arena *a, const struct ddb_update *actions,
                          const struct ddb_av *item, struct str *ret_text)
{
    struct ddb_paths paths = {ARENA_ARRAY(a, struct ddb_path, actions->n), actions->n};
    struct ddb_av *part;
    if (!item || !actions->n)
        return ERR_OK;
    if (!paths.v)
        return ERR_NOMEM;
    for (size_t i = 0; i < actions->n; i++)
        paths.v[i] = *actions->v[i].path;
    TRY(ddb_project(a, &paths, item, &part));
    return part->n ? ddb_item_text(a, part, ret_text) : ERR_OK;
}

enum {
    /* What UpdateItem counts besides the attributes that it writes, as measured on AWS; updates in transactions
     * and statements do not. */
    UPDATE_BYTES = 3,
    SET_BYTES = 19,  /* a SET or ADD, */
    INDEX_BYTES = 1, /* which goes to an element of a list */
    REMOVE_BYTES = 2,
};

static bool wrote_before(const struct ddb_update *actions, size_t i, struct str name)
{
    for (size_t k = 0; k < i; k++)
        if ((actions->v[k].kind == DDB_SET || actions->v[k].kind == DDB_ADD) &&
            str_eq(actions->v[k].path->steps[0].name, name))
            return true;
    return false;
}

/* The attributes that an update writes, and its own cost. */
static enum err check_written(struct ddb_diag *diag, const struct ddb_update *actions,
                              const struct ddb_av *item)
{
    size_t bytes = UPDATE_BYTES;
    if (!item || ddb_item_size(item) + UPDATE_BYTES + actions->n * (SET_BYTES + INDEX_BYTES) <=
                     DDB_ITEM_BYTES_MAX)
        return ERR_OK;
    for (size_t i = 0; i < actions->n; i++) {
        const struct ddb_action *a = &actions->v[i];
        const struct ddb_path *path = a->path;
        const struct ddb_av *v = ddb_av_get(item, path->steps[0].name);
        if (a->kind == DDB_REMOVE || a->kind == DDB_DELETE) {
            bytes += REMOVE_BYTES;
            continue;
        }
        bytes += SET_BYTES + (str_is_set(path->steps[path->n - 1].name) ? 0 : INDEX_BYTES);
        if (v && !wrote_before(actions, i, path->steps[0].name))
            bytes += path->steps[0].name.len + ddb_av_size(v);
    }
    if (bytes <= DDB_ITEM_BYTES_MAX)
        return ERR_OK;
    return ddb_invalid(diag, "Item size to update has exceeded the maximum allowed size");
}

static enum err returned_text(struct call *call, struct str mode, const struct ddb_write *w,
                              const struct ddb_update *actions, const struct ddb_av *item,
                              struct str *ret_text)
{
    if (str_eq_c(mode, "ALL_OLD"))
        return ddb_raw_text(call->arena, w->old_raw, ret_text);
    if (str_eq_c(mode, "ALL_NEW"))
        return ddb_item_text(call->arena, item, ret_text);
    if (str_eq_c(mode, "UPDATED_OLD"))
        return ddb_updated_text(call->arena, actions, w->old, ret_text);
    if (str_eq_c(mode, "UPDATED_NEW"))
        return ddb_updated_text(call->arena, actions, item, ret_text);
    return ERR_OK;
}

static enum err update_item(struct call *call, struct ddb_diag *diag,
                            const struct dynamodb_update_item_input *in,
                            struct dynamodb_update_item_output *out)
{
    struct ddb_table *table;
    struct update u;
    struct ddb_write w = {.txn = call->txn, .diag = diag};
    struct ddb_av *item;
    bool holds = true;
    TRY(parse(diag, in, &u));
    TRY(ddb_use_table(call, in->table_name, false, &table));
    w.table = table;
    TRY(ddb_key_from_json(diag, &table->key, in->key, &w.key));
    TRY(ddb_check_keys_kept(diag, table, &u.actions));
    TRY(ddb_write_open(&w));
    TRY(ddb_write_read(&w));
    if (u.condition)
        TRY(ddb_write_check(&w, u.condition, &holds));
    if (!holds)
        return ddb_condition_failed(call, &w, in->return_values_on_condition_check_failure);
    TRY(ddb_updated_item(&w, &u.actions, &item));
    TRY(check_written(diag, &u.actions, item));
    TRY(ddb_write_commit(&w, item));
    TRY(returned_text(call, in->return_values, &w, &u.actions, item, &out->attributes));
    TRY(ddb_collection_metrics(call, in->return_item_collection_metrics, table, &w.key,
                               &out->item_collection_metrics));
    return ddb_consumed(call, in->return_consumed_capacity, table, &w.units,
                        &out->consumed_capacity);
}

enum err dynamodb_update_item(struct call *call, const struct dynamodb_update_item_input *in,
                              struct dynamodb_update_item_output *out)
{
    struct ddb_diag diag = ddb_diag_of(call);
    return ddb_answer(call, &diag, update_item(call, &diag, in, out));
}
