/* TagResource, UntagResource, ListTagsOfResource. */
#include "svc/dynamodb/dynamodb_int.h"

static enum err open_table(struct call *call, struct str arn, struct ddb_table **ret_table)
{
    struct ddb_table *cached;
    if (!str_starts(arn, STR("arn:")) || str_find_str(arn, STR(":table/")) == SIZE_MAX)
        return ddb_refuse(call, "Invalid TableArn: Invalid ResourceArn provided as input " STR_FMT,
                          STR_ARG(arn));
    TRY(ddb_use_table(call, arn, false, &cached));
    TRY(ddb_read_table(call, cached, ret_table));
    (*ret_table)->generation++;
    return ERR_OK;
}

enum err dynamodb_tag_resource(struct call *call, const struct dynamodb_tag_resource_input *in,
                               struct dynamodb_tag_resource_output *out)
{
    struct ddb_table *table;
    if (in->tags.n > DDB_TAGS_MAX)
        return ddb_refuse(call, "Too many tags: the limit is %d", DDB_TAGS_MAX);
    TRY(open_table(call, in->resource_arn, &table));
    struct ddb_tag *tags = ARENA_ARRAY(call->arena, struct ddb_tag, table->n_tags + in->tags.n);
    if (!tags)
        return ERR_NOMEM;
    size_t n = table->n_tags;
    memcpy(tags, table->tags, n * sizeof(*tags));
    for (size_t i = 0; i < in->tags.n; i++) {
        size_t j = 0;
        while (j < n && !str_eq(tags[j].key, in->tags.v[i].key))
            j++;
        tags[j] = (struct ddb_tag){in->tags.v[i].key, in->tags.v[i].value};
        n += j == n;
    }
    if (n > DDB_TAGS_MAX)
        return ddb_refuse(call, "Too many tags: the limit is %d", DDB_TAGS_MAX);
    table->tags = tags;
    table->n_tags = n;
    return ddb_stage_table(call->svc, call->txn, table);
}

enum err dynamodb_untag_resource(struct call *call, const struct dynamodb_untag_resource_input *in,
                                 struct dynamodb_untag_resource_output *out)
{
    struct ddb_table *table;
    TRY(open_table(call, in->resource_arn, &table));
    size_t kept = 0;
    for (size_t i = 0; i < table->n_tags; i++) {
        bool drop = false;
        for (size_t j = 0; j < in->tag_keys.n && !drop; j++)
            drop = str_eq(table->tags[i].key, in->tag_keys.v[j]);
        if (!drop)
            table->tags[kept++] = table->tags[i];
    }
    table->n_tags = kept;
    return ddb_stage_table(call->svc, call->txn, table);
}

enum err dynamodb_list_tags_of_resource(struct call *call,
                                        const struct dynamodb_list_tags_of_resource_input *in,
                                        struct dynamodb_list_tags_of_resource_output *out)
{
    struct ddb_table *table;
    TRY(open_table(call, in->resource_arn, &table));
    struct dynamodb_tag *tags = ARENA_ARRAY(call->arena, struct dynamodb_tag, table->n_tags);
    if (!tags)
        return ERR_NOMEM;
    for (size_t i = 0; i < table->n_tags; i++)
        tags[i] = (struct dynamodb_tag){table->tags[i].key, table->tags[i].value};
    out->tags.v = tags;
    out->tags.n = table->n_tags;
    return ERR_OK;
}
