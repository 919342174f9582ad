#include "svc/dynamodb/ddb_schema.h"

static struct str def_names(struct arena *a, const struct ddb_table *table)
{
    struct buf b;
    buf_init_arena(&b, a, 1024 * 1024);
    for (size_t i = 0; i < table->n_defs; i++) {
        if (i)
            BUF_ADD_LIT(&b, ", ");
        buf_add_str(&b, table->defs[i].name);
    }
    return buf_str(&b);
}

static void put_elements(struct buf *b, const struct dynamodb_key_schema *in)
{
    for (size_t i = 0; i < in->n; i++) {
        if (i)
            BUF_ADD_LIT(b, ", ");
        BUF_ADD_LIT(b, "KeySchemaElement(attributeName=");
        buf_add_str(b, in->v[i].attribute_name);
        BUF_ADD_LIT(b, ", keyType=");
        buf_add_str(b, in->v[i].key_type);
        buf_add_byte(b, ')');
    }
}

enum err ddb_check_key_length(struct ddb_diag *diag, const struct dynamodb_key_schema *in,
                              const char *at, size_t index)
{
    struct buf b;
    if (in->n <= 2)
        return ERR_OK;
    buf_init_arena(&b, diag->arena, 1024 * 1024);
    BUF_ADD_LIT(&b, "1 validation error detected: Value '[");
    put_elements(&b, in);
    BUF_ADD_LIT(&b, "]' at '");
    if (index)
        buf_add_fmt(&b, "%s.%zu.member.keySchema", at, index);
    else
        buf_add_c(&b, at);
    BUF_ADD_LIT(&b, "' failed to satisfy constraint: Member must have length less than or equal to "
                    "2");
    TRY(buf_err(&b));
    return ddb_invalid(diag, STR_FMT, STR_ARG(buf_str(&b)));
}

enum err ddb_defs_from(struct ddb_diag *diag, struct arena *a,
                       const struct dynamodb_attribute_definitions *in,
                       struct ddb_attribute_def **ret_defs, size_t *ret_n)
{
    struct ddb_attribute_def *defs = ARENA_ARRAY(a, struct ddb_attribute_def, in->n);
    if (!defs)
        return ERR_NOMEM;
    for (size_t i = 0; i < in->n; i++) {
        defs[i].name = in->v[i].attribute_name;
        defs[i].type = ddb_type_from_name(in->v[i].attribute_type);
        for (size_t j = 0; j < i; j++)
            if (str_eq(defs[j].name, defs[i].name))
                return ddb_invalid(diag, "Attribute Name is duplicated: " STR_FMT,
                                   STR_ARG(defs[i].name));
    }
    *ret_defs = defs;
    *ret_n = in->n;
    return ERR_OK;
}

static enum err type_of(struct ddb_diag *diag, const struct ddb_table *table,
                        const struct dynamodb_key_schema *keys, struct str name,
                        enum ddb_type *ret_type)
{
    for (size_t i = 0; i < table->n_defs; i++) {
        if (!str_eq(table->defs[i].name, name))
            continue;
        *ret_type = table->defs[i].type;
        return ERR_OK;
    }
    struct buf names;
    buf_init_arena(&names, diag->arena, 1024 * 1024);
    for (size_t i = 0; i < keys->n; i++) {
        if (i)
            BUF_ADD_LIT(&names, ", ");
        buf_add_str(&names, keys->v[i].attribute_name);
    }
    TRY(buf_err(&names));
    return ddb_invalid(diag,
                       "One or more parameter values were invalid: Some index key attributes are "
                       "not defined in AttributeDefinitions. Keys: [" STR_FMT
                       "], AttributeDefinitions: [" STR_FMT "]",
                       STR_ARG(buf_str(&names)), STR_ARG(def_names(diag->arena, table)));
}

/* Names once each, HASH ones ahead of RANGE ones, and no more of either than a global index has. */
static enum err check_order(struct ddb_diag *diag, const struct dynamodb_key_schema *in,
                            size_t *ret_hashes)
{
    size_t hashes = 0;
    if (in->n == 0 || !str_eq_c(in->v[0].key_type, "HASH"))
        return ddb_invalid(diag,
                           "Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
    for (size_t i = 0; i < in->n; i++) {
        bool hash = str_eq_c(in->v[i].key_type, "HASH");
        if (hash && hashes < i)
            return ddb_invalid(diag, "One or more parameter values were invalid: All HASH key "
                                     "attributes must precede RANGE key attributes in the "
                                     "KeySchema");
        hashes += hash;
    }
    if (hashes > DDB_KEY_PART_MAX || in->n - hashes > DDB_KEY_PART_MAX)
        return ddb_invalid(diag,
                           "One or more parameter values were invalid: The KeySchema exceeds the "
                           "maximum allowed number of %s key attributes",
                           hashes > DDB_KEY_PART_MAX ? "HASH" : "RANGE");
    for (size_t i = 0; i < in->n; i++)
        for (size_t k = 0; k < i; k++)
            if (str_eq(in->v[i].attribute_name, in->v[k].attribute_name))
                return ddb_invalid(diag, "%s",
                                   in->n == 2 && hashes == 1
                                       ? "Both the Hash Key and the Range Key element in the "
                                         "KeySchema have the same name"
                                       : "One or more parameter values were invalid: The KeySchema "
                                         "contains multiple key attributes with the same name. "
                                         "Duplicate attribute");
    *ret_hashes = hashes;
    return ERR_OK;
}

enum err ddb_schema_from(struct ddb_diag *diag, const struct ddb_table *table,
                         const struct dynamodb_key_schema *in, struct ddb_key_schema *ret_schema)
{
    struct ddb_key_schema schema = {0};
    size_t hashes = 0;
    TRY(check_order(diag, in, &hashes));
    schema.more = ARENA_ARRAY(diag->arena, struct ddb_key_part, in->n);
    if (!schema.more)
        return ERR_NOMEM;
    for (size_t i = 0; i < in->n; i++) {
        struct ddb_key_part part = {.name = in->v[i].attribute_name};
        TRY(type_of(diag, table, in, part.name, &part.type));
        if (i == 0) {
            schema.hash = part.name;
            schema.hash_type = part.type;
        } else if (i == hashes) {
            schema.range = part.name;
            schema.range_type = part.type;
        } else {
            schema.more[schema.n_more++] = part;
        }
    }
    schema.more_hash = (uint8_t)(hashes - 1);
    *ret_schema = schema;
    return ERR_OK;
}

enum err ddb_simple_schema_from(struct ddb_diag *diag, const struct ddb_table *table,
                                const struct dynamodb_key_schema *in,
                                struct ddb_key_schema *ret_schema)
{
    if (in->n == 2 && str_eq_c(in->v[0].key_type, "HASH") &&
        str_eq(in->v[0].attribute_name, in->v[1].attribute_name))
        return ddb_invalid(diag,
                           "Both the Hash Key and the Range Key element in the KeySchema have "
                           "the same name");
    if (in->n == 2 && str_eq_c(in->v[0].key_type, "HASH") && str_eq_c(in->v[1].key_type, "HASH"))
        return ddb_invalid(
            diag, "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type");
    return ddb_schema_from(diag, table, in, ret_schema);
}

enum err ddb_projection_from(struct ddb_diag *diag, struct arena *a,
                             const struct dynamodb_projection *in, struct ddb_index *index)
{
    struct str type = in ? in->projection_type : STR_NONE;
    bool attributes = in && in->non_key_attributes.v;
    if (!str_is_set(type))
        return ddb_invalid(diag, "One or more parameter values were invalid: Unknown "
                                 "ProjectionType: null");
    if (!str_eq_c(type, "INCLUDE")) {
        if (attributes)
            return ddb_invalid(
                diag,
                "One or more parameter values were invalid: ProjectionType is " STR_FMT
                ", but NonKeyAttributes is specified",
                STR_ARG(type));
        index->projection = str_eq_c(type, "ALL") ? DDB_PROJECT_ALL : DDB_PROJECT_KEYS;
        return ERR_OK;
    }
    if (!attributes)
        return ddb_invalid(diag, "One or more parameter values were invalid: ProjectionType is "
                                 "INCLUDE, but NonKeyAttributes is not specified");
    index->projection = DDB_PROJECT_INCLUDE;
    index->n_include = in->non_key_attributes.n;
    index->include = ARENA_ARRAY(a, struct str, index->n_include);
    if (!index->include)
        return ERR_NOMEM;
    memcpy(index->include, in->non_key_attributes.v, index->n_include * sizeof(struct str));
    for (size_t i = 0; i < index->n_include; i++)
        for (size_t j = 0; j < i; j++)
            if (str_eq(index->include[i], index->include[j]))
                return ddb_invalid(
                    diag,
                    "One or more parameter values were invalid: Duplicate element in "
                    "NonKeyAttributes: " STR_FMT,
                    STR_ARG(index->include[i]));
    return ERR_OK;
}

enum err ddb_throughput_from(struct ddb_diag *diag, bool on_demand,
                             const struct dynamodb_provisioned_throughput *in,
                             struct ddb_throughput *ret_throughput)
{
    bool some = in && (in->read_capacity_units || in->write_capacity_units);
    if (on_demand && some)
        return ddb_invalid(diag, "One or more parameter values were invalid: Neither "
                                 "ReadCapacityUnits nor WriteCapacityUnits can be specified when "
                                 "BillingMode is PAY_PER_REQUEST");
    if (on_demand) {
        *ret_throughput = (struct ddb_throughput){0};
        return ERR_OK;
    }
    if (!in || !in->has_read_capacity_units || !in->has_write_capacity_units)
        return ddb_invalid(diag, "One or more parameter values were invalid: ReadCapacityUnits and "
                                 "WriteCapacityUnits must both be specified when BillingMode is "
                                 "PROVISIONED");
    *ret_throughput = (struct ddb_throughput){in->read_capacity_units, in->write_capacity_units};
    return ERR_OK;
}

bool ddb_def_used(const struct ddb_table *table, struct str name)
{
    bool used = ddb_is_key(&table->key, name);
    for (size_t i = 0; i < table->n_indexes && !used; i++)
        used = ddb_is_key(&table->indexes[i].key, name);
    return used;
}

enum err ddb_check_defs_used(struct ddb_diag *diag, const struct ddb_table *table)
{
    struct buf used;
    bool all = true;
    buf_init_arena(&used, diag->arena, 1024 * 1024);
    for (size_t i = 0; i < table->n_defs; i++) {
        if (!ddb_def_used(table, table->defs[i].name)) {
            all = false;
            continue;
        }
        if (used.len)
            BUF_ADD_LIT(&used, ", ");
        buf_add_str(&used, table->defs[i].name);
    }
    if (all)
        return ERR_OK;
    if (table->n_indexes == 0)
        return ddb_invalid(diag, "One or more parameter values were invalid: Number of attributes "
                                 "in KeySchema does not exactly match number of attributes defined "
                                 "in AttributeDefinitions");
    return ddb_invalid(diag,
                       "One or more parameter values were invalid: Some AttributeDefinitions are "
                       "not used. AttributeDefinitions: [" STR_FMT "], keys used: [" STR_FMT "]",
                       STR_ARG(def_names(diag->arena, table)), STR_ARG(buf_str(&used)));
}

enum err ddb_refuse_settings(struct call *call, const struct dynamodb_warm_throughput *warm,
                             const struct dynamodb_on_demand_throughput *on_demand)
{
    if (warm)
        return ddb_refuse(call, "WarmThroughput is not supported here");
    if (on_demand &&
        (on_demand->max_read_request_units > 0 || on_demand->max_write_request_units > 0))
        return ddb_refuse(call,
                          "OnDemandThroughput is not supported here: on-demand tables are not "
                          "limited");
    return ERR_OK;
}
