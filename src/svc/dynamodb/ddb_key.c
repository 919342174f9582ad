/* Keys taken from items and requests, with the checks that AWS makes on them. */
#include <assert.h>

#include "svc/dynamodb/dynamodb_int.h"

bool ddb_is_key(const struct ddb_key_schema *schema, struct str name)
{
    for (size_t i = 0; i < ddb_schema_parts(schema); i++)
        if (str_eq(ddb_schema_part(schema, i).name, name))
            return true;
    return false;
}

bool ddb_same_schema(const struct ddb_key_schema *a, const struct ddb_key_schema *b)
{
    size_t n = ddb_schema_parts(a);
    if (n != ddb_schema_parts(b) || ddb_schema_hashes(a) != ddb_schema_hashes(b))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!str_eq(ddb_schema_part(a, i).name, ddb_schema_part(b, i).name))
            return false;
    return true;
}

/* `bytes` of all HASH or all RANGE attributes. */
static enum err check_size(struct ddb_diag *diag, bool hash, size_t bytes)
{
    if (hash && bytes > DDB_HASH_KEY_BYTES_MAX)
        return ddb_invalid(diag,
                           "One or more parameter values were invalid: Size of hashkey has "
                           "exceeded the maximum size limit of%d bytes",
                           DDB_HASH_KEY_BYTES_MAX);
    if (!hash && bytes > DDB_RANGE_KEY_BYTES_MAX)
        return ddb_invalid(diag,
                           "One or more parameter values were invalid: Aggregated size of all "
                           "range keys has exceeded the size limit of %d bytes",
                           DDB_RANGE_KEY_BYTES_MAX);
    return ERR_OK;
}

static enum err check_empty(struct ddb_diag *diag, struct str name, const struct ddb_av *v)
{
    if (v->type == DDB_N || !str_empty(v->s))
        return ERR_OK;
    diag->whole = true;
    return ddb_invalid(diag,
                       "One or more parameter values are not valid. The AttributeValue for a key "
                       "attribute cannot contain an empty %s value. Key: " STR_FMT,
                       v->type == DDB_S ? "string" : "binary", STR_ARG(name));
}

static enum err attribute_of(struct ddb_diag *diag, struct str name, enum ddb_type type, bool hash,
                             const struct ddb_av *item, const struct ddb_av **ret_av)
{
    const struct ddb_av *v = ddb_av_get(item, name);
    if (!v)
        return ddb_invalid(diag,
                           "One or more parameter values were invalid: Missing the key " STR_FMT
                           " in the item",
                           STR_ARG(name));
    if (v->type != type)
        return ddb_invalid(
            diag,
            "One or more parameter values were invalid: Type mismatch for key " STR_FMT
            " expected: " STR_FMT " actual: " STR_FMT,
            STR_ARG(name), STR_ARG(ddb_type_name(type)), STR_ARG(ddb_type_name(v->type)));
    TRY(check_empty(diag, name, v));
    *ret_av = v;
    return check_size(diag, hash, v->s.len);
}

enum err ddb_key_of_item(struct ddb_diag *diag, const struct ddb_key_schema *schema,
                         const struct ddb_av *item, struct ddb_key *ret_key)
{
    struct ddb_key key = {0};
    TRY(attribute_of(diag, schema->hash, schema->hash_type, true, item, &key.hash));
    if (str_is_set(schema->range))
        TRY(attribute_of(diag, schema->range, schema->range_type, false, item, &key.range));
    assert(key.hash && (key.range != NULL) == str_is_set(schema->range));
    *ret_key = key;
    return ERR_OK;
}

enum err ddb_key_from_json(struct ddb_diag *diag, const struct ddb_key_schema *schema,
                           const struct json *v, struct ddb_key *ret_key)
{
    struct ddb_av *item;
    TRY(ddb_item_from_json(diag, v, &item));
    return ddb_key_exact(diag, schema, item, ret_key);
}

enum err ddb_key_exact(struct ddb_diag *diag, const struct ddb_key_schema *schema,
                       const struct ddb_av *item, struct ddb_key *ret_key)
{
    const struct ddb_av *hash = ddb_av_get(item, schema->hash), *range = NULL;
    uint32_t wanted = 1;
    if (str_is_set(schema->range)) {
        range = ddb_av_get(item, schema->range);
        wanted = 2;
    }
    if (item->n != wanted || !hash || hash->type != schema->hash_type ||
        (wanted == 2 && (!range || range->type != schema->range_type)))
        return ddb_invalid(diag, "The provided key element does not match the schema");
    return ddb_key_of_item(diag, schema, item, ret_key);
}

static enum err empty_index_key(struct ddb_diag *diag, const struct ddb_index *index,
                                struct str name, const struct ddb_av *v)
{
    const char *what = v->type == DDB_S ? "string" : "binary";
    diag->whole = true;
    if (diag->updating)
        return ddb_invalid(diag,
                           "One or more parameter values are not valid. The update expression "
                           "attempted to update a secondary index key to a value that is not "
                           "supported. The AttributeValue for a key attribute cannot contain an "
                           "empty %s value.",
                           what);
    return ddb_invalid(diag,
                       "One or more parameter values are not valid. A value specified for a "
                       "secondary index key is not supported. The AttributeValue for a key "
                       "attribute cannot contain an empty %s value. IndexName: " STR_FMT
                       ", IndexKey: " STR_FMT,
                       what, STR_ARG(index->name), STR_ARG(name));
}

static enum err index_attribute(struct ddb_diag *diag, const struct ddb_index *index,
                                struct ddb_key_part part, const struct ddb_av *item,
                                const struct ddb_av **ret_av)
{
    const struct ddb_av *v = ddb_av_get(item, part.name);
    *ret_av = v;
    if (!v)
        return ERR_OK;
    if (v->type != part.type)
        return ddb_invalid(
            diag,
            "One or more parameter values were invalid: Type mismatch for Index Key " STR_FMT
            " Expected: " STR_FMT " Actual: " STR_FMT " IndexName: " STR_FMT,
            STR_ARG(part.name), STR_ARG(ddb_type_name(part.type)), STR_ARG(ddb_type_name(v->type)),
            STR_ARG(index->name));
    return v->type != DDB_N && str_empty(v->s) ? empty_index_key(diag, index, part.name, v)
                                               : ERR_OK;
}

enum err ddb_key_in_index(struct ddb_diag *diag, const struct ddb_index *index,
                          const struct ddb_av *item, struct ddb_key *ret_key, bool *ret_in)
{
    struct ddb_key key = {0};
    const struct ddb_key_schema *k = &index->key;
    size_t hashes = ddb_schema_hashes(k), bytes = 0;
    bool in = true;
    for (size_t i = 0; i < ddb_schema_parts(k); i++) {
        const struct ddb_av **v = ddb_key_part(&key, k, i);
        TRY(index_attribute(diag, index, ddb_schema_part(k, i), item, v));
        in = in && *v;
        bytes = (i == hashes ? 0 : bytes) + (*v ? (*v)->s.len : 0);
        TRY(check_size(diag, i < hashes, bytes));
    }
    *ret_in = in;
    *ret_key = key;
    return ERR_OK;
}

enum err ddb_check_index_keys(struct ddb_diag *diag, const struct ddb_table *table,
                              const struct ddb_av *item)
{
    for (size_t i = 0; i < table->n_indexes; i++) {
        struct ddb_key key;
        bool in;
        TRY(ddb_key_in_index(diag, &table->indexes[i], item, &key, &in));
    }
    return ERR_OK;
}

bool ddb_index_keeps(const struct ddb_table *table, const struct ddb_index *index, struct str name)
{
    if (index->projection == DDB_PROJECT_ALL || ddb_is_key(&table->key, name) ||
        ddb_is_key(&index->key, name))
        return true;
    for (size_t i = 0; i < index->n_include; i++)
        if (str_eq(index->include[i], name))
            return true;
    return false;
}

enum err ddb_index_project(struct arena *a, const struct ddb_table *table,
                           const struct ddb_index *index, const struct ddb_av *item,
                           struct ddb_av **ret_part)
{
    struct ddb_av *part = ddb_av_new(a, DDB_M);
    assert(item->type == DDB_M);
    if (!part)
        return ERR_NOMEM;
    for (const struct ddb_av *c = item->child; c; c = c->next) {
        if (!ddb_index_keeps(table, index, c->name))
            continue;
        struct ddb_av *copy = ddb_av_clone(a, c);
        if (!copy)
            return ERR_NOMEM;
        copy->name = c->name;
        ddb_av_append(part, copy);
    }
    *ret_part = part;
    return ERR_OK;
}

/* A copy of a key's value as a member of an item. */
static bool add_member(struct arena *a, struct ddb_av *item, struct str name,
                       const struct ddb_av *value)
{
    struct ddb_av *member = ddb_av_clone(a, value);
    if (!member)
        return false;
    member->name = name;
    ddb_av_append(item, member);
    return true;
}

struct ddb_av *ddb_key_item(struct arena *a, const struct ddb_key_schema *schema,
                            const struct ddb_key *key)
{
    struct ddb_av *item = ddb_av_new(a, DDB_M);
    if (!item || !add_member(a, item, schema->hash, key->hash) ||
        (key->range && !add_member(a, item, schema->range, key->range)))
        return NULL;
    return item;
}
