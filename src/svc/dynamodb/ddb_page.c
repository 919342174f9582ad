#include "svc/dynamodb/ddb_page.h"

#include <assert.h>

enum { SCRATCH_MAX = 64 * 1024 * 1024 };

static const char MISMATCH[] = "The provided key element does not match the schema";

const struct ddb_key_schema *ddb_page_schema(const struct ddb_page *page)
{
    return page->index ? &page->index->key : &page->table->key;
}

/* --- setup ------------------------------------------------------------------------------------ */

static enum err find_index(struct ddb_page *page, const struct ddb_page_request *req)
{
    if (!str_is_set(req->index_name))
        return ERR_OK;
    page->index = ddb_table_index(page->table, req->index_name);
    if (!page->index)
        return ddb_invalid(page->diag, "The table does not have the specified index: " STR_FMT,
                           STR_ARG(req->index_name));
    if (page->index->backfilling)
        return ddb_invalid(page->diag,
                           "Cannot read from backfilling global secondary index: " STR_FMT,
                           STR_ARG(req->index_name));
    if (page->index->global && req->consistent_read)
        return ddb_invalid(page->diag,
                           "Consistent reads are not supported on global secondary indexes");
    return ERR_OK;
}

enum err ddb_page_check_projected(struct ddb_page *page, bool all_attributes)
{
    if (!page->index || page->index->projection == DDB_PROJECT_ALL)
        return ERR_OK;
    if (all_attributes && page->index->global)
        return ddb_invalid(page->diag,
                           "One or more parameter values were invalid: Select type ALL_ATTRIBUTES "
                           "is not supported for global secondary index " STR_FMT
                           " because its projection type is not ALL",
                           STR_ARG(page->index->name));
    page->fetch = all_attributes;
    for (size_t i = 0; i < page->paths.n; i++) {
        struct str name = page->paths.v[i].steps[0].name;
        if (ddb_index_keeps(page->table, page->index, name))
            continue;
        if (page->index->global)
            return ddb_invalid(
                page->diag,
                "One or more parameter values were invalid: Global secondary index " STR_FMT
                " does not project [" STR_FMT "]",
                STR_ARG(page->index->name), STR_ARG(name));
        page->fetch = true;
    }
    return ERR_OK;
}

enum err ddb_page_setup(struct ddb_page *page, struct ddb_env *env,
                        const struct ddb_page_request *req)
{
    bool expression = str_is_set(req->projection_expression);
    const char *what = expression ? "ProjectionExpression" : "AttributesToGet";
    struct str select = req->select;
    assert(page->call && page->table && !page->index && !page->fetch);
    page->strong = req->consistent_read;
    TRY(find_index(page, req));
    TRY(ddb_request_projection(env, req->projection_expression, req->attributes_to_get,
                               &page->paths));
    bool some = page->paths.v != NULL;
    if (str_eq_c(select, "COUNT")) {
        if (some)
            return ddb_invalid(page->diag,
                               "Cannot specify the %s when choosing to get only the Count", what);
        page->count_only = true;
    } else if (str_eq_c(select, "SPECIFIC_ATTRIBUTES") && !some) {
        return ddb_invalid(page->diag, "Must specify the AttributesToGet or ProjectionExpression "
                                       "when choosing to get SPECIFIC_ATTRIBUTES");
    } else if (some && !str_empty(select) && !str_eq_c(select, "SPECIFIC_ATTRIBUTES")) {
        return ddb_invalid(page->diag, "Cannot specify the %s when choosing to get " STR_FMT, what,
                           STR_ARG(select));
    } else if (str_eq_c(select, "ALL_PROJECTED_ATTRIBUTES") && !page->index) {
        return ddb_invalid(page->diag, "One or more parameter values were invalid: "
                                       "ALL_PROJECTED_ATTRIBUTES can be used only when Querying "
                                       "using an IndexName");
    }
    return ddb_page_check_projected(page, str_eq_c(select, "ALL_ATTRIBUTES"));
}

/* --- positions -------------------------------------------------------------------------------- */

static enum err bad_start(struct ddb_page *page, const char *why)
{
    return ddb_invalid(page->diag, "The provided starting key is invalid%s%s", why ? ": " : "",
                       why ? why : "");
}

/* The key lies before or behind what is read. */
static enum err start_outside(struct ddb_page *page, struct str at)
{
    if (page->segments > 1)
        return ddb_invalid(page->diag,
                           "The provided starting key is invalid: Invalid ExclusiveStartKey. "
                           "Please use ExclusiveStartKey with correct Segment. TotalSegments: %u "
                           "Segment: %u",
                           page->segments, page->segment);
    if (str_is_set(page->partition) && str_starts(at, page->partition))
        return ddb_invalid(page->diag, "The provided starting key does not match the range key "
                                       "predicate");
    return ddb_invalid(page->diag, "The provided starting key is outside query boundaries based on "
                                   "provided conditions");
}

/* The item given as a starting key; what is wrong with its values is told as the key's fault. */
static enum err start_item(struct ddb_page *page, const struct json *v, struct ddb_av **ret_item)
{
    enum err err = ddb_item_from_json(page->diag, v, ret_item);
    if (err != ERR_INVALID || page->diag->serialization)
        return err;
    return ddb_invalid(page->diag, "The provided starting key is invalid: " STR_FMT,
                       STR_ARG(page->diag->msg));
}

/* Key of `schema` in an item whose members have the right types. */
static bool typed_key(const struct ddb_key_schema *schema, const struct ddb_av *item,
                      struct ddb_key *ret_key)
{
    *ret_key = (struct ddb_key){0};
    for (size_t i = 0; i < ddb_schema_parts(schema); i++) {
        struct ddb_key_part part = ddb_schema_part(schema, i);
        const struct ddb_av *v = ddb_av_get(item, part.name);
        if (!v || v->type != part.type)
            return false;
        *ddb_key_part(ret_key, schema, i) = v;
    }
    return true;
}

/* Attributes that a position in this table or index has. */
static uint32_t position_attributes(const struct ddb_page *page)
{
    const struct ddb_key_schema *t = &page->table->key;
    uint32_t n = (uint32_t)ddb_schema_parts(t);
    if (!page->index)
        return n;
    for (size_t i = 0; i < ddb_schema_parts(&page->index->key); i++)
        n += !ddb_is_key(t, ddb_schema_part(&page->index->key, i).name);
    return n;
}

enum err ddb_page_start_after(struct ddb_page *page, const struct json *v)
{
    struct arena *a = page->call->arena;
    struct ddb_av *item;
    struct ddb_key key, own;
    struct str at;
    if (!v)
        return ERR_OK;
    TRY(start_item(page, v, &item));
    if (item->n != position_attributes(page))
        return bad_start(page, page->partition.p ? NULL : MISMATCH);
    if (!typed_key(&page->table->key, item, &key))
        return bad_start(page, MISMATCH);
    if (page->index) {
        if (!typed_key(&page->index->key, item, &own))
            return bad_start(page, MISMATCH);
        at = ddb_index_key(a, page->table->id, page->index->id, &page->index->key, own, key);
    } else {
        at = ddb_item_key(a, page->table->id, key);
    }
    if (!str_is_set(at))
        return ERR_NOMEM;
    if (str_cmp(at, page->range.from) < 0 || str_cmp(at, page->range.to) >= 0)
        return start_outside(page, at);
    return ddb_range_after(a, &page->range, at, page->reverse);
}

/* Adds "name": value of one key attribute of `raw` unless it is there already. */
static enum err put_position_attribute(struct ddb_page *page, struct buf *b, struct str raw,
                                       struct str name)
{
    struct ddb_av *v;
    if (!str_is_set(name))
        return ERR_OK;
    TRY(ddb_item_find(page->call->arena, raw, name, &v));
    if (b->len > 1)
        buf_add_byte(b, ',');
    json_put_str(b, name);
    buf_add_byte(b, ':');
    ddb_av_put_json(b, v);
    return ERR_OK;
}

/* LastEvaluatedKey from the last record looked at. */
static enum err set_last_key(struct ddb_page *page, struct str raw)
{
    const struct ddb_key_schema *t = &page->table->key;
    struct buf b;
    assert(page->scanned > 0 && page->count <= page->scanned);
    buf_init_arena(&b, page->call->arena, DDB_JSON_MAX);
    buf_add_byte(&b, '{');
    enum err err = put_position_attribute(page, &b, raw, t->hash);
    if (!err)
        err = put_position_attribute(page, &b, raw, t->range);
    if (!err && page->index) {
        const struct ddb_key_schema *k = &page->index->key;
        for (size_t i = 0; i < ddb_schema_parts(k) && !err; i++)
            if (!ddb_is_key(t, ddb_schema_part(k, i).name))
                err = put_position_attribute(page, &b, raw, ddb_schema_part(k, i).name);
    }
    if (err)
        return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
    buf_add_byte(&b, '}');
    page->last_key = buf_str(&b);
    return buf_err(&b);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* The whole item behind a local index's record. */
static enum err fetch_item(struct ddb_page *page, struct arena *scratch, struct str *raw)
{
    struct ddb_key key = {0};
    struct ddb_av *item;
    assert(page->index && !page->index->global);
    TRY(ddb_item_decode(scratch, *raw, &item));
    if (!typed_key(&page->table->key, item, &key))
        return ERR_CORRUPT;
    struct str at = ddb_item_key(scratch, page->table->id, key);
    size_t size;
    if (!str_is_set(at))
        return ERR_NOMEM;
    TRY(kv_peek(page->call->txn->kv, at, scratch, raw));
    TRY(ddb_record_open(&page->cipher, scratch, at, raw));
    TRY(ddb_item_raw_size(*raw, &size));
    page->bytes += size;
    page->fetched_units += ddb_read_units(size, page->strong);
    return ERR_OK;
}

static enum err take_record(struct ddb_page *page, struct arena *scratch, struct str raw)
{
    bool holds = true;
    size_t size;
    TRY(ddb_item_raw_size(raw, &size));
    page->bytes += size;
    page->own_bytes += size;
    page->scanned++;
    if (page->fetch)
        TRY(fetch_item(page, scratch, &raw));
    if (page->filter) {
        struct ddb_source src = {scratch, NULL, raw};
        TRY(txn_work(page->call->txn, ddb_condition_work(page->filter, raw)));
        TRY(ddb_eval_condition(page->diag, page->filter, &src, &holds));
    }
    if (!holds)
        return ERR_OK;
    page->count++;
    assert(page->count <= page->scanned);
    if (page->count_only)
        return ERR_OK;
    if (page->items.len > 1)
        buf_add_byte(&page->items, ',');
    return page->flat ? ddb_put_flat(scratch, &page->items, raw, &page->paths)
                      : ddb_put_part(scratch, &page->items, raw, &page->paths);
}

static enum err read_records(struct ddb_page *page, struct kv_iter *it, struct arena *scratch)
{
    for (;;) {
        struct str key, raw;
        enum err err = kv_next(it, &key, &raw);
        if (err == ERR_NOT_FOUND)
            return ERR_OK;
        TRY(err);
        TRY(txn_work_row(page->call->txn, key, raw));
        arena_clear(scratch);
        TRY(ddb_record_open(&page->cipher, scratch, key, &raw));
        TRY(take_record(page, scratch, raw));
        if ((page->limit && page->scanned >= page->limit) || page->bytes >= DDB_PAGE_BYTES_MAX)
            return set_last_key(page, raw);
    }
}

enum err ddb_page_run(struct ddb_page *page)
{
    struct kv_iter *it;
    struct arena scratch;
    assert(page->table && !(page->index && page->index->backfilling));
    assert(!page->fetch || !page->index->global); /* a global index answers by itself */
    buf_init_arena(&page->items, page->call->arena, DDB_JSON_MAX);
    buf_add_byte(&page->items, '[');
    if (!str_is_set(page->range.from) || !str_is_set(page->range.to))
        return ERR_NOMEM;
    TRY(ddb_admit_read(page->diag, page->table, page->index, 0, page->call->txn->now_ms));
    TRY(ddb_cipher_of(page->diag, page->call->txn, page->table, &page->cipher));
    if (str_cmp(page->range.from, page->range.to) < 0) {
        TRY(kv_scan(page->call->txn->kv, page->range.from, page->range.to, page->reverse, &it));
        arena_init(&scratch, SCRATCH_MAX);
        enum err err = read_records(page, it, &scratch);
        arena_release(&scratch);
        kv_iter_close(it);
        TRY(err);
    }
    buf_add_byte(&page->items, ']');
    return buf_err(&page->items);
}

enum err ddb_page_consumed(struct ddb_page *page, struct str mode,
                           const struct dynamodb_consumed_capacity **ret)
{
    struct ddb_units units = {.table = page->fetched_units};
    double used = ddb_read_units(page->own_bytes, page->strong);
    assert(!page->index || page->index < page->table->indexes + page->table->n_indexes);
    if (page->index)
        units.index[page->index - page->table->indexes] = used;
    else
        units.table += used;
    ddb_charge(page->table, &units, false);
    return ddb_consumed(page->call, mode, page->table, &units, ret);
}
