/* DescribeTable, ListTables and the small descriptions that clients ask for beside it. */
#include "svc/dynamodb/dynamodb_int.h"

enum {
    LIST_TABLES_DEFAULT = 100,
    ENDPOINT_CACHE_MINUTES = 1440,
};

enum err ddb_key_schema_text(struct arena *a, const struct ddb_key_schema *k,
                             struct dynamodb_key_schema *ret)
{
    size_t n = ddb_schema_parts(k);
    struct dynamodb_key_schema_element *v = ARENA_ARRAY(a, struct dynamodb_key_schema_element, n);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        v[i] = (struct dynamodb_key_schema_element){
            ddb_schema_part(k, i).name, i < ddb_schema_hashes(k) ? STR("HASH") : STR("RANGE")};
    ret->v = v;
    ret->n = n;
    return ERR_OK;
}

const struct dynamodb_projection *ddb_projection_text(struct arena *a,
                                                      const struct ddb_index *index)
{
    struct dynamodb_projection *p = ARENA_NEW(a, struct dynamodb_projection);
    if (!p)
        return NULL;
    p->projection_type = index->projection == DDB_PROJECT_ALL    ? STR("ALL")
                         : index->projection == DDB_PROJECT_KEYS ? STR("KEYS_ONLY")
                                                                 : STR("INCLUDE");
    if (index->projection == DDB_PROJECT_INCLUDE) {
        p->non_key_attributes.v = index->include;
        p->non_key_attributes.n = index->n_include;
    }
    return p;
}

static const struct dynamodb_provisioned_throughput_description *throughput(struct arena *a,
                                                                            struct ddb_throughput t)
{
    struct dynamodb_provisioned_throughput_description *d =
        ARENA_NEW(a, struct dynamodb_provisioned_throughput_description);
    if (!d)
        return NULL;
    WIRE_SET(d, number_of_decreases_today, 0);
    WIRE_SET(d, read_capacity_units, t.read);
    WIRE_SET(d, write_capacity_units, t.write);
    return d;
}

static struct str index_arn(struct arena *a, const struct ddb_table *t, const struct ddb_index *ix)
{
    return str_fmt(a, STR_FMT "/index/" STR_FMT, STR_ARG(t->arn), STR_ARG(ix->name));
}

static enum err describe_global(struct arena *a, const struct ddb_table *t,
                                const struct ddb_index *ix,
                                struct dynamodb_global_secondary_index_description *d)
{
    struct ddb_sum sum = ddb_index_sum(t, ix->id);
    WIRE_SET(d, item_count, sum.items);
    WIRE_SET(d, index_size_bytes, sum.bytes);
    d->index_name = ix->name;
    d->index_arn = index_arn(a, t, ix);
    d->index_status = ix->backfilling || t->restoring ? STR("CREATING") : STR("ACTIVE");
    if (ix->backfilling)
        WIRE_SET(d, backfilling, true);
    d->projection = ddb_projection_text(a, ix);
    d->provisioned_throughput = throughput(a, ix->throughput);
    if (!str_is_set(d->index_arn) || !d->projection || !d->provisioned_throughput)
        return ERR_NOMEM;
    return ddb_key_schema_text(a, &ix->key, &d->key_schema);
}

static enum err describe_local(struct arena *a, const struct ddb_table *t,
                               const struct ddb_index *ix,
                               struct dynamodb_local_secondary_index_description *d)
{
    struct ddb_sum sum = ddb_index_sum(t, ix->id);
    WIRE_SET(d, item_count, sum.items);
    WIRE_SET(d, index_size_bytes, sum.bytes);
    d->index_name = ix->name;
    d->index_arn = index_arn(a, t, ix);
    d->projection = ddb_projection_text(a, ix);
    if (!str_is_set(d->index_arn) || !d->projection)
        return ERR_NOMEM;
    return ddb_key_schema_text(a, &ix->key, &d->key_schema);
}

static enum err describe_indexes(struct arena *a, const struct ddb_table *t,
                                 struct dynamodb_table_description *d)
{
    struct dynamodb_global_secondary_index_description *g =
        ARENA_ARRAY(a, struct dynamodb_global_secondary_index_description, t->n_indexes);
    struct dynamodb_local_secondary_index_description *l =
        ARENA_ARRAY(a, struct dynamodb_local_secondary_index_description, t->n_indexes);
    size_t n_g = 0, n_l = 0;
    if (!g || !l)
        return ERR_NOMEM;
    for (size_t i = 0; i < t->n_indexes; i++) {
        const struct ddb_index *ix = &t->indexes[i];
        if (ix->global)
            TRY(describe_global(a, t, ix, &g[n_g++]));
        else
            TRY(describe_local(a, t, ix, &l[n_l++]));
    }
    if (n_g) {
        d->global_secondary_indexes.v = g;
        d->global_secondary_indexes.n = n_g;
    }
    if (n_l) {
        d->local_secondary_indexes.v = l;
        d->local_secondary_indexes.n = n_l;
    }
    return ERR_OK;
}

static enum err describe_billing(struct arena *a, const struct ddb_table *t,
                                 struct dynamodb_table_description *d)
{
    d->provisioned_throughput = throughput(a, t->throughput);
    if (!d->provisioned_throughput)
        return ERR_NOMEM;
    if (t->billing_told) {
        struct dynamodb_billing_mode_summary *b =
            ARENA_NEW(a, struct dynamodb_billing_mode_summary);
        if (!b)
            return ERR_NOMEM;
        b->billing_mode = t->on_demand ? STR("PAY_PER_REQUEST") : STR("PROVISIONED");
        if (t->on_demand_since_ms)
            WIRE_SET(b, last_update_to_pay_per_request_date_time, t->on_demand_since_ms);
        d->billing_mode_summary = b;
    }
    if (str_is_set(t->table_class)) {
        struct dynamodb_table_class_summary *c = ARENA_NEW(a, struct dynamodb_table_class_summary);
        if (!c)
            return ERR_NOMEM;
        c->table_class = t->table_class;
        d->table_class_summary = c;
    }
    return ERR_OK;
}

static enum err describe_stream(struct arena *a, const struct ddb_table *t,
                                struct dynamodb_table_description *d)
{
    TRY(ddb_stream_arn(a, t, &d->latest_stream_arn));
    d->latest_stream_label = t->label;
    if (!t->stream)
        return ERR_OK;
    struct dynamodb_stream_specification *s = ARENA_NEW(a, struct dynamodb_stream_specification);
    if (!s)
        return ERR_NOMEM;
    WIRE_SET(s, stream_enabled, true);
    s->stream_view_type = ddb_view_name(t->view);
    d->stream_specification = s;
    return ERR_OK;
}

static enum err describe_restore(struct arena *a, const struct ddb_table *t,
                                 struct dynamodb_table_description *d)
{
    if (!t->restored_ms)
        return ERR_OK;
    struct dynamodb_restore_summary *r = ARENA_NEW(a, struct dynamodb_restore_summary);
    if (!r)
        return ERR_NOMEM;
    r->source_backup_arn = t->restored_backup;
    r->source_table_arn = t->restored_table;
    WIRE_SET(r, restore_date_time, t->restored_ms);
    WIRE_SET(r, restore_in_progress, t->restoring);
    d->restore_summary = r;
    return ERR_OK;
}

/* What every description of a table says. */
static enum err describe_base(struct arena *a, const struct ddb_table *t, const char *status,
                              struct dynamodb_table_description *d)
{
    d->table_name = t->name;
    d->table_arn = t->arn;
    d->table_id = t->uuid;
    d->table_status = str_c(status);
    WIRE_SET(d, item_count, t->figures ? atomic_load(&t->figures->items) : 0);
    WIRE_SET(d, table_size_bytes, t->figures ? atomic_load(&t->figures->bytes) : 0);
    WIRE_SET(d, deletion_protection_enabled, t->protect);
    return describe_billing(a, t, d);
}

enum err ddb_describe_deleted(struct call *call, const struct ddb_table *t,
                              const struct dynamodb_table_description **ret_desc)
{
    struct dynamodb_table_description *d =
        ARENA_NEW(call->arena, struct dynamodb_table_description);
    if (!d)
        return ERR_NOMEM;
    TRY(describe_base(call->arena, t, "DELETING", d));
    *ret_desc = d;
    return ERR_OK;
}

enum err ddb_describe(struct call *call, const struct ddb_table *t, const char *status,
                      const struct dynamodb_table_description **ret_desc)
{
    struct arena *a = call->arena;
    struct dynamodb_table_description *d = ARENA_NEW(a, struct dynamodb_table_description);
    struct dynamodb_attribute_definition *defs =
        ARENA_ARRAY(a, struct dynamodb_attribute_definition, t->n_defs);
    if (!d || !defs)
        return ERR_NOMEM;
    for (size_t i = 0; i < t->n_defs; i++)
        defs[i] =
            (struct dynamodb_attribute_definition){t->defs[i].name, ddb_type_name(t->defs[i].type)};
    d->attribute_definitions.v = defs;
    d->attribute_definitions.n = t->n_defs;
    TRY(describe_base(a, t, status, d));
    WIRE_SET(d, creation_date_time, t->created_ms);
    bool broken;
    TRY(ddb_describe_sse(call, t, &d->sse_description, &broken));
    if (broken)
        d->table_status = STR("INACCESSIBLE_ENCRYPTION_CREDENTIALS");
    TRY(ddb_key_schema_text(a, &t->key, &d->key_schema));
    TRY(describe_stream(a, t, d));
    TRY(describe_restore(a, t, d));
    *ret_desc = d;
    return describe_indexes(a, t, d);
}

enum err dynamodb_describe_table(struct call *call, const struct dynamodb_describe_table_input *in,
                                 struct dynamodb_describe_table_output *out)
{
    struct ddb_table *table;
    TRY(ddb_use_table(call, in->table_name, true, &table));
    TRY(ddb_count(call->svc, call->txn, table));
    bool updating = false;
    for (size_t i = 0; i < table->n_indexes; i++)
        updating = updating || table->indexes[i].backfilling;
    return ddb_describe(call, table,
                        table->restoring ? "CREATING"
                        : updating       ? "UPDATING"
                                         : "ACTIVE",
                        &out->table);
}

enum err dynamodb_list_tables(struct call *call, const struct dynamodb_list_tables_input *in,
                              struct dynamodb_list_tables_output *out)
{
    const struct dynamodb *ddb = call->svc;
    struct catalogue_page page;
    struct str prefix = key_prefix(call->arena, &ddb_k_table, call_scope(call)), after = prefix;
    if (str_is_set(in->exclusive_start_table_name))
        after =
            key_make(call->arena, &ddb_k_table, call_scope(call), in->exclusive_start_table_name);
    if (!str_is_set(prefix) || !str_is_set(after))
        return ERR_NOMEM;
    TRY(catalogue_list(ddb->tables, call->txn, prefix, after,
                       in->has_limit ? (size_t)in->limit : LIST_TABLES_DEFAULT, &page));
    struct str *names = ARENA_ARRAY(call->arena, struct str, page.n);
    if (!names)
        return ERR_NOMEM;
    for (size_t i = 0; i < page.n; i++)
        names[i] = ((const struct ddb_table *)page.objects[i])->name;
    out->table_names.v = names;
    out->table_names.n = page.n;
    if (page.more)
        out->last_evaluated_table_name = names[page.n - 1];
    return ERR_OK;
}

enum err dynamodb_describe_limits(struct call *call,
                                  const struct dynamodb_describe_limits_input *in,
                                  struct dynamodb_describe_limits_output *out)
{
    WIRE_SET(out, account_max_read_capacity_units, DDB_ACCOUNT_UNITS);
    WIRE_SET(out, account_max_write_capacity_units, DDB_ACCOUNT_UNITS);
    WIRE_SET(out, table_max_read_capacity_units, DDB_TABLE_UNITS);
    WIRE_SET(out, table_max_write_capacity_units, DDB_TABLE_UNITS);
    return ERR_OK;
}

enum err dynamodb_describe_endpoints(struct call *call,
                                     const struct dynamodb_describe_endpoints_input *in,
                                     struct dynamodb_describe_endpoints_output *out)
{
    struct dynamodb_endpoint *e = ARENA_NEW(call->arena, struct dynamodb_endpoint);
    if (!e)
        return ERR_NOMEM;
    struct str url = call->core->cfg.endpoint;
    size_t scheme = str_find_str(url, STR("://"));
    e->address = scheme == SIZE_MAX ? url : str_sub(url, scheme + 3, url.len);
    WIRE_SET(e, cache_period_in_minutes, ENDPOINT_CACHE_MINUTES);
    out->endpoints.v = e;
    out->endpoints.n = 1;
    return ERR_OK;
}
