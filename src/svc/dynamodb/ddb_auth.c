/* What DynamoDB tells authorisation: permissions of operations that name several tables, and the
 * condition keys dynamodb:LeadingKeys, dynamodb:Attributes and dynamodb:Select, which are read out of
 * expressions and items. The others are in the spec.
 *
 * What is parsed and looked up here is left to the handler (ddb_memo.h). A request whose expressions
 * or keys are malformed adds nothing here; its handler refuses it by the same parsers before it
 * touches an item. Operations without an operand for a key (Scan has no leading keys) leave the key
 * out, as AWS does.
 *
 * Source: developer guide, "Using IAM policy conditions for fine-grained access control". */
#include "svc/dynamodb/ddb_legacy.h"
#include "svc/dynamodb/ddb_pql_plan.h"

static const struct str LEADING = STR_INIT("dynamodb:LeadingKeys");
static const struct str PARTITION_KEYS[DDB_KEY_PART_MAX] = {
    STR_INIT("dynamodb:FirstPartitionKeyValues"), STR_INIT("dynamodb:SecondPartitionKeyValues"),
    STR_INIT("dynamodb:ThirdPartitionKeyValues"), STR_INIT("dynamodb:FourthPartitionKeyValues")};
static const struct str ATTRIBUTES = STR_INIT("dynamodb:Attributes");
static const struct str SELECT = STR_INIT("dynamodb:Select");
static const struct str FULL_SCAN = STR_INIT("dynamodb:FullTableScan");

struct asked {
    struct call *call;
    struct policy_context *ctx;
    struct ddb_diag diag;
};

/* The key of a table or index; NULL when there is no such table. */
static const struct ddb_key_schema *key_of(struct asked *q, struct str table_name,
                                           struct str index_name)
{
    struct str name = ddb_table_name(table_name);
    struct ddb_table *table = ddb_memo_find(q->call->state, DDB_MEMO_TABLE, name.p);
    if (!table &&
        (ddb_find_table_in(q->call, ddb_scope_of(q->call, table_name), name, &table) != ERR_OK ||
         ddb_memo_keep(q->call->state, q->call->arena, DDB_MEMO_TABLE, name.p, table)))
        return NULL;
    const struct ddb_index *index =
        str_is_set(index_name) ? ddb_table_index(table, index_name) : NULL;
    return index ? &index->key : &table->key; /* the call's arena holds the table */
}

/* The first partition key's value: the only one but in some indexes. */
static void add_leading(struct asked *q, struct str value)
{
    policy_context_add(q->ctx, LEADING, value);
    policy_context_add(q->ctx, PARTITION_KEYS[0], value);
}

/* Leading key and attributes of an item or key given as JSON. */
static void add_item(struct asked *q, struct str table_name, const struct json *item)
{
    const struct ddb_key_schema *schema = key_of(q, table_name, STR_NONE);
    const struct json *key = schema ? json_get(item, schema->hash) : NULL;
    struct ddb_diag diag = ddb_diag_of(q->call);
    struct ddb_av *value;
    /* Through the parser of values, so that a policy sees what the handler will act on. */
    if (key && ddb_av_from_json(&diag, key, &value) == ERR_OK)
        add_leading(q, value->s);
    JSON_EACH (item, e)
        policy_context_add(q->ctx, ATTRIBUTES, e->key);
}

static enum err add_path(void *arg, const struct ddb_path *path)
{
    struct asked *q = arg;
    policy_context_add(q->ctx, ATTRIBUTES, path->steps[0].name);
    return q->ctx->err;
}

/* An env for the request's expressions; false when its names or values are malformed. */
static bool open_env(struct asked *q, struct ddb_env *env,
                     const struct dynamodb_expression_attribute_name_map *names,
                     const struct json *values)
{
    q->diag = ddb_diag_of(q->call);
    return ddb_env_open(env, &q->diag, names, values) == ERR_OK;
}

static void add_condition(struct asked *q, struct ddb_env *env, struct str text)
{
    struct ddb_node *node;
    if (str_is_set(text) &&
        ddb_parse_condition(env, "ConditionExpression", text, &node) == ERR_OK &&
        ddb_node_each_path(node, add_path, q) != ERR_OK)
        q->ctx->err = ERR_NOMEM;
}

static void add_tree(struct asked *q, const struct ddb_node *node)
{
    if (node && ddb_node_each_path(node, add_path, q) != ERR_OK)
        q->ctx->err = ERR_NOMEM;
}

static void add_expected(struct asked *q, const struct dynamodb_expected_attribute_map *in,
                         struct str conditional_operator)
{
    struct ddb_node *node = NULL;
    struct ddb_diag diag = ddb_diag_of(q->call);
    if (in->v && ddb_legacy_expected(&diag, in, conditional_operator, &node) == ERR_OK)
        add_tree(q, node);
}

static void add_filter(struct asked *q, const struct dynamodb_filter_condition_map *in,
                       struct str conditional_operator)
{
    struct ddb_node *node = NULL;
    struct ddb_diag diag = ddb_diag_of(q->call);
    if (in->v && ddb_legacy_filter(&diag, in, conditional_operator, &node) == ERR_OK)
        add_tree(q, node);
}

static void add_actions(struct asked *q, const struct ddb_update *update)
{
    for (size_t i = 0; i < update->n; i++) {
        policy_context_add(q->ctx, ATTRIBUTES, update->v[i].path->steps[0].name);
        add_tree(q, update->v[i].value);
    }
}

static void add_update(struct asked *q, struct ddb_env *env, struct str text)
{
    struct ddb_update update;
    if (!str_is_set(text) || ddb_parse_update(env, text, &update) != ERR_OK)
        return;
    add_actions(q, &update);
}

/* What a read gives back: a list of attributes, or everything. */
static void add_projection(struct asked *q, struct ddb_env *env, struct str expression,
                           const struct dynamodb_attribute_name_list *names, struct str select)
{
    struct ddb_paths paths = {0};
    if (ddb_request_projection(env, expression, names, &paths) != ERR_OK)
        return;
    for (size_t i = 0; i < paths.n; i++)
        policy_context_add(q->ctx, ATTRIBUTES, paths.v[i].steps[0].name);
    if (str_is_set(select))
        policy_context_add(q->ctx, SELECT, select);
    else
        policy_context_add(q->ctx, SELECT,
                           paths.n ? STR("SPECIFIC_ATTRIBUTES") : STR("ALL_ATTRIBUTES"));
}

static void ask_get(struct asked *q, const struct dynamodb_get_item_input *in)
{
    struct ddb_env env;
    add_item(q, in->table_name, in->key);
    if (open_env(q, &env, &in->expression_attribute_names, NULL))
        add_projection(q, &env, in->projection_expression, &in->attributes_to_get, STR_NONE);
}

static void ask_put(struct asked *q, const struct dynamodb_put_item_input *in)
{
    struct ddb_env env;
    add_item(q, in->table_name, in->item);
    add_expected(q, &in->expected, in->conditional_operator);
    if (open_env(q, &env, &in->expression_attribute_names, in->expression_attribute_values))
        add_condition(q, &env, in->condition_expression);
}

static void ask_update(struct asked *q, const struct dynamodb_update_item_input *in)
{
    struct ddb_env env;
    add_item(q, in->table_name, in->key);
    add_expected(q, &in->expected, in->conditional_operator);
    for (size_t i = 0; i < in->attribute_updates.n; i++)
        policy_context_add(q->ctx, ATTRIBUTES, in->attribute_updates.v[i].key);
    if (!open_env(q, &env, &in->expression_attribute_names, in->expression_attribute_values))
        return;
    add_update(q, &env, in->update_expression);
    add_condition(q, &env, in->condition_expression);
}

static void ask_delete(struct asked *q, const struct dynamodb_delete_item_input *in)
{
    struct ddb_env env;
    add_item(q, in->table_name, in->key);
    add_expected(q, &in->expected, in->conditional_operator);
    if (open_env(q, &env, &in->expression_attribute_names, in->expression_attribute_values))
        add_condition(q, &env, in->condition_expression);
}

/* The tree of a query's conditions on keys, in whichever form they came. */
static enum err key_tree(struct asked *q, struct ddb_env *env,
                         const struct dynamodb_query_input *in, struct ddb_node **ret_node)
{
    if (str_is_set(in->key_condition_expression))
        return ddb_parse_condition(env, "KeyConditionExpression", in->key_condition_expression,
                                   ret_node);
    return in->key_conditions.v ? ddb_legacy_key_conditions(&q->diag, &in->key_conditions, ret_node)
                                : ERR_INVALID;
}

static void ask_query(struct asked *q, const struct dynamodb_query_input *in)
{
    struct ddb_env env;
    struct ddb_node *node;
    struct ddb_key_condition cond;
    const struct ddb_key_schema *schema = key_of(q, in->table_name, in->index_name);
    add_filter(q, &in->query_filter, in->conditional_operator);
    if (!open_env(q, &env, &in->expression_attribute_names, in->expression_attribute_values))
        return;
    add_projection(q, &env, in->projection_expression, &in->attributes_to_get, in->select);
    add_condition(q, &env, in->filter_expression);
    if (!schema || key_tree(q, &env, in, &node) != ERR_OK)
        return;
    add_tree(q, node);
    if (ddb_key_condition_from(&q->diag, node, schema, &cond) != ERR_OK)
        return;
    add_leading(q, cond.hash->s);
    for (size_t i = 0; i < cond.n_more_hash; i++)
        policy_context_add(q->ctx, PARTITION_KEYS[1 + i], cond.more_hash[i]->s);
}

static void ask_scan(struct asked *q, const struct dynamodb_scan_input *in)
{
    struct ddb_env env;
    add_filter(q, &in->scan_filter, in->conditional_operator);
    if (!open_env(q, &env, &in->expression_attribute_names, in->expression_attribute_values))
        return;
    add_projection(q, &env, in->projection_expression, &in->attributes_to_get, in->select);
    add_condition(q, &env, in->filter_expression);
}

static void ask_batch_get(struct asked *q, const struct dynamodb_batch_get_item_input *in)
{
    for (size_t i = 0; i < in->request_items.n; i++) {
        const struct dynamodb_keys_and_attributes *part = &in->request_items.v[i].value;
        struct ddb_env env;
        JSON_EACH (part->keys.in, key)
            add_item(q, in->request_items.v[i].key, key);
        if (open_env(q, &env, &part->expression_attribute_names, NULL))
            add_projection(q, &env, part->projection_expression, &part->attributes_to_get,
                           STR_NONE);
    }
}

static void ask_batch_write(struct asked *q, const struct dynamodb_batch_write_item_input *in)
{
    for (size_t i = 0; i < in->request_items.n; i++) {
        const struct dynamodb_write_requests *list = &in->request_items.v[i].value;
        for (size_t k = 0; k < list->n; k++) {
            if (list->v[k].put_request)
                add_item(q, in->request_items.v[i].key, list->v[k].put_request->item.in);
            if (list->v[k].delete_request)
                add_item(q, in->request_items.v[i].key, list->v[k].delete_request->key.in);
        }
    }
}

static void ask_transact_get(struct asked *q, const struct dynamodb_transact_get_items_input *in)
{
    static const struct dynamodb_attribute_name_list no_names;
    for (size_t i = 0; i < in->transact_items.n; i++) {
        const struct dynamodb_get *get = in->transact_items.v[i].get;
        struct ddb_env env;
        add_item(q, get->table_name, get->key);
        if (open_env(q, &env, &get->expression_attribute_names, NULL))
            add_projection(q, &env, get->projection_expression, &no_names, STR_NONE);
    }
}

static void ask_transact_write(struct asked *q,
                               const struct dynamodb_transact_write_items_input *in)
{
    for (size_t i = 0; i < in->transact_items.n; i++) {
        const struct dynamodb_transact_write_item *a = &in->transact_items.v[i];
        struct ddb_env env;
        if (a->put) {
            add_item(q, a->put->table_name, a->put->item);
            if (open_env(q, &env, &a->put->expression_attribute_names,
                         a->put->expression_attribute_values))
                add_condition(q, &env, a->put->condition_expression);
        }
        if (a->update) {
            add_item(q, a->update->table_name, a->update->key);
            if (open_env(q, &env, &a->update->expression_attribute_names,
                         a->update->expression_attribute_values)) {
                add_update(q, &env, a->update->update_expression);
                add_condition(q, &env, a->update->condition_expression);
            }
        }
        if (a->delete) {
            add_item(q, a->delete->table_name, a->delete->key);
            if (open_env(q, &env, &a->delete->expression_attribute_names,
                         a->delete->expression_attribute_values))
                add_condition(q, &env, a->delete->condition_expression);
        }
        if (a->condition_check) {
            add_item(q, a->condition_check->table_name, a->condition_check->key);
            if (open_env(q, &env, &a->condition_check->expression_attribute_names,
                         a->condition_check->expression_attribute_values))
                add_condition(q, &env, a->condition_check->condition_expression);
        }
    }
}

/* What a statement is about; nothing where it is malformed. */
static void ask_statement(struct asked *q, struct str text, const struct json *parameters)
{
    struct ddb_pql s;
    const struct ddb_av *leading = NULL;
    q->diag = ddb_diag_of(q->call);
    if (ddb_pql_of(&q->diag, text, parameters, &s) != ERR_OK)
        return;
    const struct ddb_key_schema *schema = key_of(q, s.table, s.index);
    if (schema)
        leading =
            s.item ? ddb_av_get(s.item, schema->hash) : ddb_pql_hash_of(s.where, schema->hash);
    if (leading)
        add_leading(q, leading->s);
    add_tree(q, s.where);
    for (const struct ddb_av *c = s.item ? s.item->child : NULL; c; c = c->next)
        policy_context_add(q->ctx, ATTRIBUTES, c->name);
    for (size_t i = 0; i < s.paths.n; i++)
        policy_context_add(q->ctx, ATTRIBUTES, s.paths.v[i].steps[0].name);
    add_actions(q, &s.update);
    if (s.kind != DDB_PQL_SELECT)
        return;
    policy_context_add(q->ctx, SELECT,
                       s.paths.n ? STR("SPECIFIC_ATTRIBUTES") : STR("ALL_ATTRIBUTES"));
    policy_context_add(q->ctx, FULL_SCAN, leading ? STR("false") : STR("true"));
}

static void ask_statements(struct asked *q, const void *in)
{
    const struct dynamodb_execute_statement_input *one = in;
    const struct dynamodb_batch_execute_statement_input *batch = in;
    const struct dynamodb_execute_transaction_input *all = in;
    if (q->call->op->index == DYNAMODB_OP_EXECUTE_STATEMENT)
        ask_statement(q, one->statement, one->parameters);
    else if (q->call->op->index == DYNAMODB_OP_BATCH_EXECUTE_STATEMENT)
        for (size_t i = 0; i < batch->statements.n; i++)
            ask_statement(q, batch->statements.v[i].statement, batch->statements.v[i].parameters);
    else
        for (size_t i = 0; i < all->transact_statements.n; i++)
            ask_statement(q, all->transact_statements.v[i].statement,
                          all->transact_statements.v[i].parameters);
}

enum err ddb_auth_context(struct call *call, const void *in, struct policy_context *ctx)
{
    struct asked q = {.call = call, .ctx = ctx};
    if (!call->state) /* what is parsed here is the handler's, too */
        call->state = ARENA_NEW(call->arena, struct ddb_memo);
    if (!call->state)
        return ERR_NOMEM;
    switch ((enum dynamodb_op)call->op->index) {
    case DYNAMODB_OP_GET_ITEM:
        ask_get(&q, in);
        break;
    case DYNAMODB_OP_PUT_ITEM:
        ask_put(&q, in);
        break;
    case DYNAMODB_OP_UPDATE_ITEM:
        ask_update(&q, in);
        break;
    case DYNAMODB_OP_DELETE_ITEM:
        ask_delete(&q, in);
        break;
    case DYNAMODB_OP_QUERY:
        ask_query(&q, in);
        break;
    case DYNAMODB_OP_SCAN:
        ask_scan(&q, in);
        break;
    case DYNAMODB_OP_BATCH_GET_ITEM:
        ask_batch_get(&q, in);
        break;
    case DYNAMODB_OP_BATCH_WRITE_ITEM:
        ask_batch_write(&q, in);
        break;
    case DYNAMODB_OP_TRANSACT_GET_ITEMS:
        ask_transact_get(&q, in);
        break;
    case DYNAMODB_OP_TRANSACT_WRITE_ITEMS:
        ask_transact_write(&q, in);
        break;
    case DYNAMODB_OP_EXECUTE_STATEMENT:
    case DYNAMODB_OP_BATCH_EXECUTE_STATEMENT:
    case DYNAMODB_OP_EXECUTE_TRANSACTION:
        ask_statements(&q, in);
        break;
    default:
        break;
    }
    return ctx->err;
}

/* --- several tables --------------------------------------------------------------------------- */

/* Operations that name several tables need a permission for each. */
static enum err authorize_table(struct call *call, const char *action, struct str name_or_arn)
{
    struct str name = ddb_table_name(name_or_arn);
    struct key_scope scope = ddb_scope_of(call, name_or_arn);
    struct str arn = str_fmt(
        call->arena, "arn:" STR_FMT ":dynamodb:" STR_FMT ":" STR_FMT ":table/" STR_FMT,
        STR_ARG(call->partition), STR_ARG(scope.region), STR_ARG(scope.account), STR_ARG(name));
    return str_is_set(arn) ? call_authorize(call, action, arn) : ERR_NOMEM;
}

static enum err authorize_write(struct call *call, const struct dynamodb_transact_write_item *in)
{
    if (in->put)
        TRY(authorize_table(call, "dynamodb:PutItem", in->put->table_name));
    if (in->update)
        TRY(authorize_table(call, "dynamodb:UpdateItem", in->update->table_name));
    if (in->delete)
        TRY(authorize_table(call, "dynamodb:DeleteItem", in->delete->table_name));
    if (in->condition_check)
        TRY(authorize_table(call, "dynamodb:ConditionCheckItem", in->condition_check->table_name));
    return ERR_OK;
}

/* A statement's permission, by its kind; a malformed one is refused by the handler before it does anything. */
static enum err authorize_statement(struct call *call, struct str text,
                                    const struct json *parameters)
{
    static const char *const actions[] = {[DDB_PQL_SELECT] = "dynamodb:PartiQLSelect",
                                          [DDB_PQL_INSERT] = "dynamodb:PartiQLInsert",
                                          [DDB_PQL_UPDATE] = "dynamodb:PartiQLUpdate",
                                          [DDB_PQL_DELETE] = "dynamodb:PartiQLDelete",
                                          [DDB_PQL_EXISTS] = "dynamodb:PartiQLSelect"};
    struct ddb_diag diag = ddb_diag_of(call);
    struct ddb_pql s;
    enum err err = ddb_pql_of(&diag, text, parameters, &s);
    if (err)
        return err == ERR_INVALID ? ERR_OK : err;
    if (!str_is_set(s.index))
        return authorize_table(call, actions[s.kind], s.table);
    struct str name = ddb_table_name(s.table);
    struct str arn = call_arn(call, "dynamodb", "table/" STR_FMT "/index/" STR_FMT, STR_ARG(name),
                              STR_ARG(s.index));
    return str_is_set(arn) ? call_authorize(call, actions[s.kind], arn) : ERR_NOMEM;
}

enum err ddb_authorize_more(struct call *call, const void *in)
{
    const struct dynamodb_batch_get_item_input *get = in;
    const struct dynamodb_batch_write_item_input *put = in;
    const struct dynamodb_transact_get_items_input *read = in;
    const struct dynamodb_transact_write_items_input *write = in;
    const struct dynamodb_execute_statement_input *one = in;
    const struct dynamodb_batch_execute_statement_input *batch = in;
    const struct dynamodb_execute_transaction_input *all = in;
    switch ((enum dynamodb_op)call->op->index) {
    case DYNAMODB_OP_BATCH_GET_ITEM:
        for (size_t i = 0; i < get->request_items.n; i++)
            TRY(authorize_table(call, "dynamodb:BatchGetItem", get->request_items.v[i].key));
        break;
    case DYNAMODB_OP_BATCH_WRITE_ITEM:
        for (size_t i = 0; i < put->request_items.n; i++)
            TRY(authorize_table(call, "dynamodb:BatchWriteItem", put->request_items.v[i].key));
        break;
    case DYNAMODB_OP_TRANSACT_GET_ITEMS:
        for (size_t i = 0; i < read->transact_items.n; i++)
            TRY(authorize_table(call, "dynamodb:GetItem",
                                read->transact_items.v[i].get->table_name));
        break;
    case DYNAMODB_OP_TRANSACT_WRITE_ITEMS:
        for (size_t i = 0; i < write->transact_items.n; i++)
            TRY(authorize_write(call, &write->transact_items.v[i]));
        break;
    case DYNAMODB_OP_EXECUTE_STATEMENT:
        return authorize_statement(call, one->statement, one->parameters);
    case DYNAMODB_OP_BATCH_EXECUTE_STATEMENT:
        for (size_t i = 0; i < batch->statements.n; i++)
            TRY(authorize_statement(call, batch->statements.v[i].statement,
                                    batch->statements.v[i].parameters));
        break;
    case DYNAMODB_OP_EXECUTE_TRANSACTION:
        for (size_t i = 0; i < all->transact_statements.n; i++)
            TRY(authorize_statement(call, all->transact_statements.v[i].statement,
                                    all->transact_statements.v[i].parameters));
        break;
    default:
        break;
    }
    return ERR_OK;
}
