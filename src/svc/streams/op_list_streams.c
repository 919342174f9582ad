/* ListStreams and DescribeStream. */
#include "svc/streams/streams_int.h"

struct listing {
    struct arena *arena;
    struct streams_stream *v;
    size_t n;
};

static enum err take(void *arg, const struct ddb_stream *s)
{
    struct listing *l = arg;
    l->v[l->n++] = (struct streams_stream){
        .stream_arn = s->arn, .stream_label = s->label, .table_name = s->table};
    return ERR_OK;
}

/* The key behind which the page goes on. A stream that is gone meanwhile is an error, as on AWS. */
static enum err set_after(struct call *call, const struct dynamodb_port *ddb, struct str arn,
                          struct page *page)
{
    struct ddb_stream *s;
    if (!str_is_set(arn))
        return ERR_OK;
    TRY(streams_find(call, arn, &s));
    page->after = ddb->list_after(ddb->self, call->arena, s);
    return str_is_set(page->after) ? ERR_OK : ERR_NOMEM;
}

enum err streams_list_streams(struct call *call, const struct streams_list_streams_input *in,
                              struct streams_list_streams_output *out)
{
    const struct dynamodb_port *ddb = dynamodb_port_of(call->core);
    size_t limit = in->has_limit ? (size_t)min_i64(in->limit, STREAMS_PAGE_MAX) : STREAMS_PAGE_MAX;
    struct listing l = {call->arena, ARENA_ARRAY(call->arena, struct streams_stream, limit), 0};
    struct page page = page_of_call(call, STR(""), STR_NONE, limit);
    if (!l.v)
        return ERR_NOMEM;
    page.plain = true;
    TRY(set_after(call, ddb, in->exclusive_start_stream_arn, &page));
    TRY(ddb->list(ddb->self, call->txn, &page, call_scope(call), in->table_name, take, &l));
    out->streams.v = l.v;
    out->streams.n = l.n;
    if (page.more && l.n)
        out->last_evaluated_stream_arn = l.v[l.n - 1].stream_arn;
    return ERR_OK;
}

/* --- DescribeStream --------------------------------------------------------------------------- */

static enum err describe_shard(struct call *call, const struct ddb_stream *s, uint16_t shard,
                               struct streams_shard *ret_shard)
{
    const struct dynamodb_port *ddb = dynamodb_port_of(call->core);
    struct streams_sequence_number_range *range =
        ARENA_NEW(call->arena, struct streams_sequence_number_range);
    struct ddb_place first = {s->first, 0}, last = first;
    if (!range)
        return ERR_NOMEM;
    range->starting_sequence_number = ddb->text->sequence(call->arena, first);
    if (s->closed_ms) {
        enum err err = ddb->last(ddb->self, call->txn, s, shard, &last);
        if (err && err != ERR_NOT_FOUND)
            return err;
        range->ending_sequence_number = ddb->text->sequence(call->arena, last);
    }
    ret_shard->shard_id = ddb->text->shard_id(call->arena, s, shard);
    ret_shard->sequence_number_range = range;
    return str_is_set(ret_shard->shard_id) && str_is_set(range->starting_sequence_number)
               ? ERR_OK
               : ERR_NOMEM;
}

static enum err key_schema(struct arena *a, const struct ddb_stream *s,
                           struct streams_key_schema *ret)
{
    struct streams_key_schema_element *v = ARENA_ARRAY(a, struct streams_key_schema_element, 2);
    if (!v)
        return ERR_NOMEM;
    v[0] = (struct streams_key_schema_element){s->hash, STR("HASH")};
    v[1] = (struct streams_key_schema_element){s->range, STR("RANGE")};
    ret->v = v;
    ret->n = str_is_set(s->range) && s->range.len ? 2 : 1;
    return ERR_OK;
}

/* The shards behind ExclusiveStartShardId. With a filter for the children of a shard: none, since no
 * shard is ever split. */
static enum err describe_shards(struct call *call, const struct ddb_stream *s,
                                const struct streams_describe_stream_input *in,
                                struct streams_stream_description *d)
{
    size_t limit = in->has_limit ? (size_t)min_i64(in->limit, STREAMS_PAGE_MAX) : STREAMS_PAGE_MAX;
    uint16_t from = 0;
    if (str_is_set(in->exclusive_start_shard_id)) {
        enum err err =
            dynamodb_port_of(call->core)->text->shard_of(s, in->exclusive_start_shard_id, &from);
        if (err == ERR_NOT_FOUND)
            return call_error(call, &streams_err_validation,
                              "Invalid ExclusiveStartShardId: the stream has no such shard");
        from++;
    }
    struct streams_shard *v = ARENA_ARRAY(call->arena, struct streams_shard, s->shards);
    if (!v)
        return ERR_NOMEM;
    d->shards.v = v;
    for (uint16_t i = from; i < s->shards && d->shards.n < limit && !in->shard_filter; i++)
        TRY(describe_shard(call, s, i, &v[d->shards.n++]));
    if (d->shards.n && from + d->shards.n < s->shards)
        d->last_evaluated_shard_id = v[d->shards.n - 1].shard_id;
    return ERR_OK;
}

static enum err check_filter(struct call *call, const struct ddb_stream *s,
                             const struct streams_shard_filter *filter)
{
    uint16_t shard;
    if (!filter)
        return ERR_OK;
    if (!str_is_set(filter->type) || !str_is_set(filter->shard_id))
        return call_error(call, &streams_err_validation, "ShardFilter needs both Type and ShardId");
    if (dynamodb_port_of(call->core)->text->shard_of(s, filter->shard_id, &shard) != ERR_OK)
        return call_error(call, &streams_err_resource_not_found_exception,
                          "Requested resource not found: Shard: " STR_FMT " not found",
                          STR_ARG(filter->shard_id));
    return ERR_OK;
}

enum err streams_describe_stream(struct call *call, const struct streams_describe_stream_input *in,
                                 struct streams_describe_stream_output *out)
{
    struct ddb_stream *s;
    struct streams_stream_description *d =
        ARENA_NEW(call->arena, struct streams_stream_description);
    if (!d)
        return ERR_NOMEM;
    TRY(streams_find(call, in->stream_arn, &s));
    TRY(check_filter(call, s, in->shard_filter));
    d->stream_arn = s->arn;
    d->stream_label = s->label;
    d->stream_status = s->closed_ms ? STR("DISABLED") : STR("ENABLED");
    d->stream_view_type = dynamodb_port_of(call->core)->text->view(s->view);
    WIRE_SET(d, creation_request_date_time, s->created_ms);
    d->table_name = s->table;
    TRY(key_schema(call->arena, s, &d->key_schema));
    out->stream_description = d;
    return describe_shards(call, s, in, d);
}
