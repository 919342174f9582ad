/* ExecuteStatement, BatchExecuteStatement and ExecuteTransaction: statements (ddb_pql.h) carried out by the parts
 * that the other operations have: pages, reads of one item, the one way to write (ddb_transact.h). */
#include <assert.h>

#include "core/page.h"
#include "svc/dynamodb/ddb_page.h"
#include "svc/dynamodb/ddb_pql_plan.h"
#include "svc/dynamodb/ddb_transact.h"

/* A statement of a request, with what its place in the request says. */
struct run {
    struct call *call;
    struct ddb_diag *diag;
    struct ddb_pql s;
    struct ddb_table *table;
    struct str return_values; /* ReturnValuesOnConditionCheckFailure */
    bool strong;
    struct str item;        /* what it gives: JSON; absent: nothing */
    struct ddb_units units; /* what it used */
};

static enum err open_run(struct run *r, struct str text, const struct json *parameters)
{
    TRY(ddb_pql_of(r->diag, text, parameters, &r->s));
    return ddb_use_table(r->call, r->s.table, false, &r->table);
}

static bool reads(const struct run *r)
{
    return r->s.kind == DDB_PQL_SELECT;
}

/* --- writes ----------------------------------------------------------------------------------- */

static enum err as_action(struct run *r, struct ddb_txn_action *a)
{
    static const enum ddb_action_of_item kinds[] = {[DDB_PQL_INSERT] = DDB_ITEM_PUT,
                                                    [DDB_PQL_UPDATE] = DDB_ITEM_UPDATE,
                                                    [DDB_PQL_DELETE] = DDB_ITEM_DELETE,
                                                    [DDB_PQL_EXISTS] = DDB_ITEM_CHECK};
    struct ddb_pql_plan plan;
    assert(r->s.kind > DDB_PQL_SELECT && r->s.kind < ARRAY_LEN(kinds));
    *a = (struct ddb_txn_action){.kind = kinds[r->s.kind],
                                 .table = r->table,
                                 .update = r->s.update,
                                 .return_values = r->return_values,
                                 .item = r->s.item,
                                 .new_only = true};
    if (str_is_set(r->s.index))
        return ddb_invalid(r->diag, "Writes on indices are not supported");
    if (r->s.kind == DDB_PQL_INSERT)
        return ERR_OK;
    TRY(ddb_pql_plan_key(r->diag, &r->table->key, r->s.where, &plan));
    if (!plan.key)
        return ddb_invalid(r->diag, "Where clause does not contain a mandatory equality on all key "
                                    "attributes");
    a->key = plan.key;
    a->condition = plan.rest;
    if (r->s.kind == DDB_PQL_DELETE || (r->s.kind == DDB_PQL_EXISTS && plan.rest))
        return ERR_OK;
    return ddb_pql_must_exist(r->diag->arena, &r->table->key, plan.rest, &a->condition);
}

static enum err returned(struct run *r, struct ddb_txn_action *a)
{
    struct arena *arena = r->call->arena;
    switch (r->s.returning) {
    case DDB_PQL_ALL_OLD:
        return ddb_raw_text(arena, a->w.old_raw, &r->item);
    case DDB_PQL_ALL_NEW:
        return ddb_item_text(arena, a->item, &r->item);
    case DDB_PQL_MODIFIED_OLD:
        TRY(ddb_write_decode(&a->w));
        return ddb_updated_text(arena, &a->update, a->w.old, &r->item);
    case DDB_PQL_MODIFIED_NEW:
        return ddb_updated_text(arena, &a->update, a->item, &r->item);
    case DDB_PQL_NOTHING:
        break;
    }
    return ERR_OK;
}

/* One write by itself. Stages nothing unless it succeeds, so that a batch can go on. */
static enum err write_one(struct run *r)
{
    struct ddb_txn_action a;
    bool holds = true;
    TRY(as_action(r, &a));
    a.w = (struct ddb_write){.txn = r->call->txn, .diag = r->diag, .table = r->table};
    TRY(ddb_txn_check(r->diag, &a));
    TRY(ddb_write_open(&a.w));
    TRY(ddb_write_read(&a.w));
    if (a.kind == DDB_ITEM_PUT && str_is_set(a.w.old_raw))
        return call_error(r->call, &dynamodb_err_duplicate_item_exception,
                          "Duplicate primary key exists in table");
    if (a.condition)
        TRY(ddb_write_check(&a.w, a.condition, &holds));
    if (!holds)
        return ddb_condition_failed(r->call, &a.w, r->return_values);
    if (a.kind == DDB_ITEM_UPDATE) {
        TRY(ddb_updated_item(&a.w, &a.update, &a.item));
        TRY(a.item ? ddb_check_index_keys(r->diag, r->table, a.item) : ERR_OK);
    }
    TRY(ddb_write_commit(&a.w, a.item));
    r->units = a.w.units;
    return returned(r, &a);
}

/* --- reads ------------------------------------------------------------------------------------ */

/* A SELECT of one item by its whole key, as batches and transactions have them. */
static enum err read_one(struct run *r, const struct ddb_pql_plan *plan, size_t *ret_size)
{
    struct call *call = r->call;
    struct ddb_key key;
    struct ddb_cipher cipher;
    struct str raw;
    struct buf b;
    bool holds = true;
    *ret_size = 0;
    TRY(ddb_key_exact(r->diag, &r->table->key, plan->key, &key));
    TRY(ddb_admit_read(r->diag, r->table, NULL, 0, call->txn->now_ms));
    TRY(ddb_cipher_of(r->diag, call->txn, r->table, &cipher));
    struct str record_key = ddb_item_key(call->arena, r->table->id, key);
    if (!str_is_set(record_key))
        return ERR_NOMEM;
    enum err err = txn_peek(call->txn, record_key, &raw);
    if (err == ERR_OK) {
        TRY(txn_work_row(call->txn, record_key, raw));
        TRY(ddb_record_open(&cipher, call->arena, record_key, &raw));
        TRY(ddb_item_raw_size(raw, ret_size));
        struct ddb_source src = {call->arena, NULL, raw};
        if (plan->rest)
            TRY(ddb_eval_condition(r->diag, plan->rest, &src, &holds));
        buf_init_arena(&b, call->arena, DDB_JSON_MAX);
        if (holds)
            TRY(ddb_put_flat(call->arena, &b, raw, &r->s.paths));
        TRY(buf_err(&b));
        r->item = holds ? buf_str(&b) : STR_NONE;
    } else if (err != ERR_NOT_FOUND) {
        return err;
    }
    r->units.table = ddb_read_units(*ret_size, r->strong);
    ddb_charge(r->table, &r->units, false);
    return ERR_OK;
}

/* The plan of a SELECT that must name the whole key of the table. */
static enum err plan_of_one(struct run *r, struct ddb_pql_plan *plan)
{
    *plan = (struct ddb_pql_plan){0};
    if (!str_is_set(r->s.index))
        TRY(ddb_pql_plan_key(r->diag, &r->table->key, r->s.where, plan));
    return ERR_OK;
}

static enum err check_filter_path(void *arg, const struct ddb_path *path)
{
    struct ddb_page *page = arg;
    if (ddb_index_keeps(page->table, page->index, path->steps[0].name))
        return ERR_OK;
    return ddb_invalid(page->diag,
                       "One or more parameter values were invalid: Secondary index " STR_FMT
                       " does not project one or more filter attributes: [" STR_FMT "]",
                       STR_ARG(page->index->name), STR_ARG(path->steps[0].name));
}

/* PartiQL does not read an index with more than one attribute in a part of its key: AWS's rule, whose words name the
 * table. */
static enum err refuse_multi(struct run *r)
{
    const struct ddb_index *index =
        str_is_set(r->s.index) ? ddb_table_index(r->table, r->s.index) : NULL;
    if (!index || !index->key.n_more)
        return ERR_OK;
    return ddb_invalid(r->diag, "PartiQL statements cannot be executed on tables with "
                                "multi-attribute HASH keys or multi-attribute RANGE keys.");
}

static enum err open_index(struct run *r, struct ddb_page *page)
{
    if (!str_is_set(r->s.index))
        return ERR_OK;
    page->index = ddb_table_index(r->table, r->s.index);
    if (!page->index)
        return ddb_invalid(r->diag, "The table does not have the specified index");
    if (page->index->global && r->strong)
        return ddb_invalid(r->diag, "Strongly consistent read is not supported on Global Secondary "
                                    "Indexes");
    if (page->index->backfilling)
        return ddb_invalid(r->diag, "Cannot read from backfilling global secondary index: " STR_FMT,
                           STR_ARG(page->index->name));
    if (page->filter && ddb_pql_is_keyed(r->s.where, page->index->key.hash))
        TRY(ddb_node_each_path(page->filter, check_filter_path, page));
    return ddb_page_check_projected(page, false);
}

/* ORDER BY goes by the sort key of one partition. */
static enum err check_order(struct run *r, const struct ddb_key_schema *schema,
                            const struct ddb_pql_plan *plan)
{
    if (!r->s.order)
        return ERR_OK;
    if (!plan->cond.hash)
        return ddb_invalid(r->diag, "Must have WHERE clause in the statement when using ORDER BY "
                                    "clause.");
    if (r->s.order->n == 1 && ddb_is_key(schema, r->s.order->steps[0].name))
        return ERR_OK;
    return ddb_invalid(r->diag,
                       "Variable reference " STR_FMT " in ORDER BY clause must be part of the "
                       "primary key",
                       STR_ARG(r->s.order->steps[0].name));
}

static enum err plan_page(struct run *r, struct ddb_page *page)
{
    struct arena *a = r->call->arena;
    struct ddb_pql_plan plan;
    const struct ddb_index *index =
        str_is_set(r->s.index) ? ddb_table_index(r->table, r->s.index) : NULL;
    const struct ddb_key_schema *schema = index ? &index->key : &r->table->key;
    uint16_t id = index ? index->id : 0;
    TRY(refuse_multi(r));
    TRY(ddb_pql_plan_query(r->diag, schema, r->s.where, &plan));
    page->filter = plan.rest;
    TRY(open_index(r, page));
    TRY(check_order(r, schema, &plan));
    page->reverse = r->s.order && r->s.descending;
    page->range = plan.cond.hash ? ddb_query_range(a, r->table->id, id, &plan.cond)
                                 : ddb_scan_range(a, r->table->id, id, 0, 1);
    return str_is_set(page->range.from) && str_is_set(page->range.to) ? ERR_OK : ERR_NOMEM;
}

static enum err start_from(struct run *r, struct ddb_page *page, const struct page_bind *bind,
                           struct str token)
{
    struct str position;
    struct json *key;
    if (!str_is_set(token))
        return ERR_OK;
    enum err err = page_open(bind, token, &position);
    if (err == ERR_INVALID)
        return ddb_invalid(r->diag, "The provided NextToken is invalid");
    TRY(err);
    err = json_parse(r->call->arena, position, &key, NULL);
    if (err)
        return err == ERR_NOMEM ? err : ERR_CORRUPT; /* sealed by us */
    return ddb_page_start_after(page, key);
}

static enum err select_page(struct run *r, const struct dynamodb_execute_statement_input *in,
                            struct dynamodb_execute_statement_output *out)
{
    struct page_bind bind = page_bind_of(r->call, in->statement);
    struct ddb_page page = {.call = r->call,
                            .diag = r->diag,
                            .table = r->table,
                            .strong = r->strong,
                            .limit = in->has_limit ? in->limit : 0,
                            .paths = r->s.paths,
                            .flat = true};
    TRY(plan_page(r, &page));
    TRY(start_from(r, &page, &bind, in->next_token));
    TRY(ddb_page_run(&page));
    out->items = buf_str(&page.items);
    out->last_evaluated_key = page.last_key;
    if (str_is_set(page.last_key))
        TRY(page_seal(&bind, page.last_key, &out->next_token));
    return ddb_page_consumed(&page, in->return_consumed_capacity, &out->consumed_capacity);
}

/* --- ExecuteStatement ------------------------------------------------------------------------- */

static enum err execute(struct run *r, const struct dynamodb_execute_statement_input *in,
                        struct dynamodb_execute_statement_output *out)
{
    TRY(open_run(r, in->statement, in->parameters));
    if (reads(r))
        return select_page(r, in, out);
    if (r->s.kind == DDB_PQL_EXISTS)
        return ddb_invalid(r->diag, "EXISTS is supported in transactions only");
    TRY(write_one(r));
    out->items = STR("[]");
    if (str_is_set(r->item))
        out->items = str_fmt(r->call->arena, "[" STR_FMT "]", STR_ARG(r->item));
    if (!str_is_set(out->items))
        return ERR_NOMEM;
    return ddb_consumed(r->call, in->return_consumed_capacity, r->table, &r->units,
                        &out->consumed_capacity);
}

enum err dynamodb_execute_statement(struct call *call,
                                    const struct dynamodb_execute_statement_input *in,
                                    struct dynamodb_execute_statement_output *out)
{
    struct ddb_diag diag = ddb_diag_of(call);
    struct run r = {.call = call,
                    .diag = &diag,
                    .strong = in->consistent_read,
                    .return_values = in->return_values_on_condition_check_failure};
    return ddb_answer(call, &diag, execute(&r, in, out));
}

/* --- BatchExecuteStatement -------------------------------------------------------------------- */

static enum err batch_member(struct run *r, const struct dynamodb_batch_statement_request *in)
{
    struct ddb_pql_plan plan;
    size_t size;
    TRY(open_run(r, in->statement, in->parameters));
    if (r->s.kind == DDB_PQL_EXISTS)
        return ddb_invalid(r->diag, "EXISTS is supported in transactions only");
    if (!reads(r))
        return write_one(r);
    TRY(plan_of_one(r, &plan));
    if (!plan.key)
        return ddb_invalid(r->diag,
                           "Select statements within BatchExecuteStatement must specify the "
                           "primary key in the where clause.");
    return read_one(r, &plan, &size);
}

/* The error that is set, as a member's; codes go without what the SDKs' names end in. */
static enum err member_error(struct run *r, struct dynamodb_batch_statement_response *ret)
{
    struct dynamodb_batch_statement_error *e =
        ARENA_NEW(r->call->arena, struct dynamodb_batch_statement_error);
    if (!e)
        return ERR_NOMEM;
    struct str code = call_error_code(r->call), suffix = STR("Exception");
    if (str_ends(code, suffix))
        code = str_sub(code, 0, code.len - suffix.len);
    e->code = str_eq_c(code, "Validation") ? STR("ValidationError") : code;
    e->message = call_error_message(r->call);
    if (str_eq_c(code, "ConditionalCheckFailed") && str_eq_c(r->return_values, "ALL_OLD"))
        e->item = r->item;
    call_error_clear(r->call);
    ret->error = e;
    return ERR_OK;
}

static enum err run_member(struct run *r, const struct dynamodb_batch_statement_request *in,
                           struct dynamodb_batch_statement_response *ret)
{
    enum err err = ddb_answer(r->call, r->diag, batch_member(r, in));
    if (r->table)
        ret->table_name = r->table->name;
    if (err == ERR_FAILED)
        return member_error(r, ret);
    ret->item = r->item;
    return err;
}

static enum err batch(struct call *call, const struct dynamodb_batch_execute_statement_input *in,
                      struct dynamodb_batch_execute_statement_output *out)
{
    size_t n = in->statements.n;
    struct dynamodb_batch_statement_response *v =
        ARENA_ARRAY(call->arena, struct dynamodb_batch_statement_response, n);
    struct dynamodb_consumed_capacity *used =
        ARENA_ARRAY(call->arena, struct dynamodb_consumed_capacity, n);
    if (!v || !used)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        const struct dynamodb_batch_statement_request *one = &in->statements.v[i];
        const struct dynamodb_consumed_capacity *c = NULL;
        struct ddb_diag diag = ddb_diag_of(call);
        struct run r = {.call = call,
                        .diag = &diag,
                        .strong = one->consistent_read,
                        .return_values = one->return_values_on_condition_check_failure};
        TRY(run_member(&r, one, &v[i]));
        if (r.table && !v[i].error)
            TRY(ddb_consumed(call, in->return_consumed_capacity, r.table, &r.units, &c));
        if (c)
            used[out->consumed_capacity.n++] = *c;
    }
    out->responses.v = v;
    out->responses.n = n;
    out->consumed_capacity.v = out->consumed_capacity.n ? used : NULL;
    return ERR_OK;
}

enum err dynamodb_batch_execute_statement(struct call *call,
                                          const struct dynamodb_batch_execute_statement_input *in,
                                          struct dynamodb_batch_execute_statement_output *out)
{
    return batch(call, in, out);
}

/* --- ExecuteTransaction ----------------------------------------------------------------------- */

static enum err refuse_member(struct ddb_diag *diag, size_t i, const char *why)
{
    return ddb_invalid(diag, "Validation failed in TransactStatements[%zu]: %s", i, why);
}

/* Parses all; *ret_reads whether they are all SELECTs. */
static enum err open_members(struct run *v, const struct dynamodb_execute_transaction_input *in,
                             bool *ret_reads)
{
    for (size_t i = 0; i < in->transact_statements.n; i++) {
        const struct dynamodb_parameterized_statement *one = &in->transact_statements.v[i];
        v[i].strong = true;
        v[i].return_values = one->return_values_on_condition_check_failure;
        TRY(open_run(&v[i], one->statement, one->parameters));
        if (v[i].s.returning != DDB_PQL_NOTHING)
            return refuse_member(v[i].diag, i,
                                 "RETURNING clause is not supported in ExecuteTransaction.");
        if (str_is_set(v[i].s.index))
            return refuse_member(v[i].diag, i,
                                 "Reads on indices are not supported within transactions.");
        if (i && reads(&v[i]) != reads(&v[0]))
            return refuse_member(v[i].diag, i,
                                 "A transaction holds either reads or writes, not both.");
    }
    *ret_reads = reads(&v[0]);
    return ERR_OK;
}

static enum err read_members(struct run *v, size_t n,
                             const struct dynamodb_execute_transaction_input *in,
                             struct dynamodb_item_response *responses,
                             struct dynamodb_execute_transaction_output *out)
{
    struct ddb_usage usage = {ARENA_ARRAY(v->call->arena, struct ddb_usage_part, n), 0};
    size_t size, bytes = 0;
    if (!usage.v)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        struct ddb_pql_plan plan;
        TRY(plan_of_one(&v[i], &plan));
        if (!plan.key)
            return refuse_member(v[i].diag, i,
                                 "Select statements must specify the primary key in the where "
                                 "clause.");
        TRY(read_one(&v[i], &plan, &size));
        bytes += size;
        if (bytes > DDB_TRANSACT_BYTES_MAX)
            return ddb_invalid(v[i].diag, "Transaction size has exceeded the maximum allowed size "
                                          "of 4 MB");
        responses[i].item = v[i].item;
        ddb_usage_add(&usage, v[i].table, &v[i].units, false);
    }
    return ddb_usage_reply(v->call, in->return_consumed_capacity, &usage, &out->consumed_capacity);
}

static enum err transaction(struct call *call, struct ddb_diag *diag,
                            const struct dynamodb_execute_transaction_input *in,
                            struct dynamodb_execute_transaction_output *out)
{
    size_t n = in->transact_statements.n;
    struct run *v = ARENA_ARRAY(call->arena, struct run, n);
    struct dynamodb_item_response *responses =
        ARENA_ARRAY(call->arena, struct dynamodb_item_response, n);
    struct ddb_transaction t = {.call = call,
                                .diag = diag,
                                .v = ARENA_ARRAY(call->arena, struct ddb_txn_action, n),
                                .n = n,
                                .token = in->client_request_token,
                                .capacity = in->return_consumed_capacity};
    bool all_read = false;
    if (!v || !responses || !t.v)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        v[i] = (struct run){.call = call, .diag = diag};
    TRY(open_members(v, in, &all_read));
    out->responses.v = responses;
    out->responses.n = n;
    if (all_read)
        return read_members(v, n, in, responses, out);
    for (size_t i = 0; i < n; i++)
        TRY(as_action(&v[i], &t.v[i]));
    return ddb_transact(&t, &out->consumed_capacity);
}

enum err dynamodb_execute_transaction(struct call *call,
                                      const struct dynamodb_execute_transaction_input *in,
                                      struct dynamodb_execute_transaction_output *out)
{
    struct ddb_diag diag = ddb_diag_of(call);
    return ddb_answer(call, &diag, transaction(call, &diag, in, out));
}
