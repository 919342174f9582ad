/* GetShardIterator and GetRecords. */
#include "core/measure.h"
#include "svc/streams/streams_int.h"

/* --- GetShardIterator ------------------------------------------------------------------------- */

/* What the iterator of a sequence number stands behind. */
static enum err from_sequence(struct call *call, const struct ddb_stream *s, bool at,
                              struct str sequence, struct streams_iterator *it)
{
    const struct dynamodb_port *ddb = dynamodb_port_of(call->core);
    struct ddb_place place, horizon;
    if (!str_is_set(sequence))
        return call_error(call, &streams_err_validation,
                          "SequenceNumber must be given with this ShardIteratorType");
    if (ddb->text->sequence_parse(sequence, &place) != ERR_OK)
        return call_error(call, &streams_err_validation,
                          "Invalid SequenceNumber: " STR_FMT " is not of this shard",
                          STR_ARG(sequence));
    TRY(ddb->horizon(ddb->self, call->txn, s, it->shard, &horizon));
    if (!ddb_place_before(horizon, place) && place.commit > s->first)
        return call_error(call, &streams_err_trimmed_data_access_exception,
                          "The records of the shard up to and including sequence number " STR_FMT
                          " were trimmed",
                          STR_ARG(sequence));
    if (at) { /* behind the place before it */
        place.commit -= place.nth == 0;
        place.nth = (uint16_t)(place.nth - 1);
    }
    it->after = place;
    return ERR_OK;
}

enum err streams_get_shard_iterator(struct call *call,
                                    const struct streams_get_shard_iterator_input *in,
                                    struct streams_get_shard_iterator_output *out)
{
    struct ddb_stream *s;
    struct streams_iterator it = {.arn = in->stream_arn, .made_ms = call->txn->now_ms};
    struct str type = in->shard_iterator_type;
    TRY(streams_find(call, in->stream_arn, &s));
    if (dynamodb_port_of(call->core)->text->shard_of(s, in->shard_id, &it.shard) != ERR_OK)
        return call_error(call, &streams_err_resource_not_found_exception,
                          "Requested resource not found: Shard: " STR_FMT " in Stream: " STR_FMT
                          " not found",
                          STR_ARG(in->shard_id), STR_ARG(in->stream_arn));
    if (str_eq_c(type, "TRIM_HORIZON")) {
        it.horizon = true;
    } else if (str_eq_c(type, "LATEST")) {
        it.after = ddb_place_latest(call->txn);
    } else {
        TRY(from_sequence(call, s, str_eq_c(type, "AT_SEQUENCE_NUMBER"), in->sequence_number, &it));
    }
    return streams_iterator_seal(call, &it, &out->shard_iterator);
}

/* --- GetRecords ------------------------------------------------------------------------------- */

static enum err bad_iterator(struct call *call)
{
    return call_error(call, &streams_err_validation, "Invalid ShardIterator");
}

static enum err open_iterator(struct call *call, struct str token, struct streams_iterator *it)
{
    enum err err = streams_iterator_open(call, token, it);
    if (err == ERR_INVALID)
        return bad_iterator(call);
    TRY(err);
    if (call->txn->now_ms - it->made_ms > STREAMS_ITERATOR_MS)
        return call_error(call, &streams_err_expired_iterator_exception,
                          "Iterator expired. The iterator was created at time %lld ms; it may be "
                          "used for 15 minutes",
                          (long long)it->made_ms);
    return ERR_OK;
}

enum err streams_authorize_more(struct call *call, const void *in)
{
    struct streams_iterator it;
    struct str token = wire_input_str(call->op, in, STR("ShardIterator"));
    if (!str_is_set(token)) /* the other operations are authorised by their rows */
        return ERR_OK;
    enum err err = streams_iterator_open(call, token, &it);
    /* Without a stream that it is of, the permission must be for any. */
    if (err == ERR_INVALID)
        it.arn = STR("*");
    else if (err)
        return err;
    return call_authorize(call, "dynamodb:GetRecords", it.arn);
}

struct gathering {
    struct call *call;
    struct streams_record *v;
    size_t n, limit, bytes;
    struct ddb_place last;
};

static enum err fill(struct call *call, const struct ddb_change *c, struct streams_record *r)
{
    static const struct streams_identity expiry = {
        .principal_id = STR_INIT("dynamodb.amazonaws.com"), .type = STR_INIT("Service")};
    const struct dynamodb_texts *text = dynamodb_port_of(call->core)->text;
    struct arena *a = call->arena;
    struct streams_stream_record *d = ARENA_NEW(a, struct streams_stream_record);
    if (!d)
        return ERR_NOMEM;
    r->event_id = text->change_id(a, c);
    r->event_name = text->kind(c->kind);
    r->event_version = STR("1.1");
    r->event_source = STR("aws:dynamodb");
    r->aws_region = c->stream->scope.region;
    r->dynamodb = d;
    r->user_identity = c->expired ? &expiry : NULL;
    WIRE_SET(d, approximate_creation_date_time, c->wall_ms / 1000 * 1000);
    TRY(text->item(a, c->keys, &d->keys));
    TRY(text->item(a, c->neu, &d->new_image));
    TRY(text->item(a, c->old, &d->old_image));
    d->sequence_number = text->sequence(a, c->place);
    WIRE_SET(d, size_bytes, (int64_t)c->bytes);
    d->stream_view_type = text->view(c->stream->view);
    return str_is_set(r->event_id) && str_is_set(d->sequence_number) ? ERR_OK : ERR_NOMEM;
}

static enum err gather(void *arg, const struct ddb_change *c)
{
    struct gathering *g = arg;
    if (g->n == g->limit || (g->n && g->bytes + c->bytes > STREAMS_RECORDS_BYTES_MAX))
        return ERR_CLOSED;
    TRY(txn_work(g->call->txn, c->bytes + TXN_ROW_WORK));
    TRY(fill(g->call, c, &g->v[g->n]));
    g->n++;
    g->bytes += c->bytes;
    g->last = c->place;
    return ERR_OK;
}

/* The iterator that goes on behind what was read; none at the end of a closed shard. */
static enum err next_iterator(struct call *call, const struct ddb_stream *s,
                              struct streams_iterator *it, const struct gathering *g,
                              struct str *ret_token)
{
    if (g->n) {
        it->after = g->last;
        it->horizon = false;
    } else if (s->closed_ms) {
        return ERR_OK;
    }
    it->made_ms = call->txn->now_ms;
    return streams_iterator_seal(call, it, ret_token);
}

/* For the metrics, where anybody collects. */
static enum err note_found(struct call *call, struct str arn, const struct gathering *g)
{
    static const struct str table = STR_INIT(":table/"), stream = STR_INIT("/stream/");
    if (!measure_wanted(call->core))
        return ERR_OK;
    struct streams_found *f = ARENA_NEW(call->arena, struct streams_found);
    if (!f)
        return ERR_NOMEM;
    struct str name = str_sub(arn, str_find_str(arn, table) + table.len, SIZE_MAX);
    size_t end = str_find_str(name, stream);
    *f = (struct streams_found){.table = str_sub(name, 0, end),
                                .label = str_sub(name, end + stream.len, SIZE_MAX),
                                .n = g->n,
                                .bytes = g->bytes};
    call->state = f;
    return ERR_OK;
}

enum err streams_get_records(struct call *call, const struct streams_get_records_input *in,
                             struct streams_get_records_output *out)
{
    const struct dynamodb_port *ddb = dynamodb_port_of(call->core);
    struct streams_iterator it;
    struct ddb_stream *s;
    struct ddb_place horizon;
    struct str why;
    struct gathering g = {.call = call, .limit = STREAMS_RECORDS_MAX};
    if (in->has_limit && in->limit > STREAMS_RECORDS_MAX)
        return call_error(call, &streams_err_validation,
                          "1 validation error detected: Value '%lld' at 'limit' failed to satisfy "
                          "constraint: Member must have value less than or equal to %d",
                          (long long)in->limit, STREAMS_RECORDS_MAX);
    if (in->has_limit)
        g.limit = (size_t)in->limit;
    TRY(open_iterator(call, in->shard_iterator, &it));
    TRY(streams_find(call, it.arn, &s));
    if (it.shard >= s->shards)
        return bad_iterator(call);
    TRY(ddb->horizon(ddb->self, call->txn, s, it.shard, &horizon));
    if (!it.horizon && it.after.commit > s->first && ddb_place_before(it.after, horizon))
        return call_error(call, &streams_err_trimmed_data_access_exception,
                          "The records that the iterator stands at were trimmed");
    g.v = ARENA_ARRAY(call->arena, struct streams_record, g.limit);
    if (!g.v)
        return ERR_NOMEM;
    enum err err = ddb->unlock(ddb->self, call->txn, s, call->who, &why);
    if (err == ERR_DENIED)
        return call_error(call, &streams_err_access_denied, STR_FMT, STR_ARG(why));
    TRY(err);
    TRY(ddb->read(ddb->self, call->txn, s, it.shard, it.after, gather, &g));
    out->records.v = g.v;
    out->records.n = g.n;
    TRY(note_found(call, it.arn, &g));
    return next_iterator(call, s, &it, &g, &out->next_shard_iterator);
}
