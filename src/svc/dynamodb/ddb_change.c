/* Records of streams as texts: names, shard ids, sequence numbers, the event of a function.
 *
 *   shard id         shardId-00000001790000000000-000a0001     creation (ms), stream << 16 | shard
 *   sequence number  1CCCCCCCCCCCCCCCCNNNN                     commit (16 digits), which of it (4)
 *
 * Sequence numbers are of one length, so that they sort as texts and as numbers alike.
 *
 * Source: DynamoDB developer guide, "Change data capture for DynamoDB Streams"; Lambda developer
 * guide, "Using AWS Lambda with Amazon DynamoDB". Layer: svc/dynamodb. Thread: pure. */
#include <assert.h>

#include "codec/json.h"
#include "svc/dynamodb/dynamodb_int.h"

enum {
    NTH_MAX = 9999,
    SHARD_BITS = 16,
    TEXT_MAX = 64,
};
static const uint64_t COMMIT_MAX = 9999999999999999u;

static const struct str VIEWS[DDB_VIEWS] = {
    [DDB_VIEW_NONE] = STR_INIT(""),
    [DDB_VIEW_KEYS] = STR_INIT("KEYS_ONLY"),
    [DDB_VIEW_NEW] = STR_INIT("NEW_IMAGE"),
    [DDB_VIEW_OLD] = STR_INIT("OLD_IMAGE"),
    [DDB_VIEW_BOTH] = STR_INIT("NEW_AND_OLD_IMAGES"),
};

struct str ddb_view_name(enum ddb_view view)
{
    assert(view < DDB_VIEWS);
    return VIEWS[view];
}

enum ddb_view ddb_view_from(struct str name)
{
    for (int i = DDB_VIEW_KEYS; i < DDB_VIEWS; i++)
        if (str_eq(VIEWS[i], name))
            return (enum ddb_view)i;
    return DDB_VIEW_NONE;
}

static struct str change_name(enum ddb_change_kind kind)
{
    static const struct str names[DDB_CHANGE_KINDS] = {
        [DDB_CHANGE_INSERT] = STR_INIT("INSERT"),
        [DDB_CHANGE_MODIFY] = STR_INIT("MODIFY"),
        [DDB_CHANGE_REMOVE] = STR_INIT("REMOVE"),
    };
    assert(kind < DDB_CHANGE_KINDS);
    return names[kind];
}

static struct str shard_id(struct arena *a, const struct ddb_stream *s, uint16_t shard)
{
    assert(shard < s->shards);
    uint32_t tail = s->id << SHARD_BITS | shard;
    return str_fmt(a, "shardId-%020lld-%08x", (long long)s->created_ms, tail);
}

static enum err shard_of(const struct ddb_stream *s, struct str id, uint16_t *ret_shard)
{
    char bytes[TEXT_MAX + 1];
    for (uint16_t i = 0; i < s->shards; i++) {
        uint32_t tail = s->id << SHARD_BITS | i;
        int n =
            snprintf(bytes, sizeof(bytes), "shardId-%020lld-%08x", (long long)s->created_ms, tail);
        if (n > 0 && str_eq(str_n(bytes, (size_t)n), id)) {
            *ret_shard = i;
            return ERR_OK;
        }
    }
    return ERR_NOT_FOUND;
}

static struct str sequence(struct arena *a, struct ddb_place place)
{
    assert(place.commit <= COMMIT_MAX && place.nth <= NTH_MAX); /* a commit changes fewer items */
    return str_fmt(a, "1%016llu%04u", (unsigned long long)place.commit, (unsigned)place.nth);
}

static enum err sequence_parse(struct str text, struct ddb_place *ret_place)
{
    uint64_t commit, nth;
    if (text.len != DDB_SEQUENCE_LEN || text.p[0] != '1' ||
        str_to_u64(str_sub(text, 1, 16), &commit) != ERR_OK ||
        str_to_u64(str_sub(text, 17, 4), &nth) != ERR_OK)
        return ERR_INVALID;
    *ret_place = (struct ddb_place){commit, (uint16_t)nth};
    return ERR_OK;
}

static struct str change_id(struct arena *a, const struct ddb_change *c)
{
    /* Distinct for each record: the stream's id and its place are. */
    uint64_t salt = ((uint64_t)c->stream->id << 16 | c->place.nth) * 0x9e3779b97f4a7c15u;
    return str_fmt(a, "%016llx%016llx", (unsigned long long)salt,
                   (unsigned long long)(c->place.commit * 0xff51afd7ed558ccdu));
}

static enum err change_item(struct arena *a, struct str raw, struct str *ret_json)
{
    struct buf b;
    *ret_json = STR_NONE;
    if (!str_is_set(raw))
        return ERR_OK;
    buf_init_arena(&b, a, DDB_CHANGE_JSON_MAX);
    TRY(ddb_item_raw_put_json(&b, raw));
    TRY(buf_err(&b));
    *ret_json = buf_str(&b);
    return ERR_OK;
}

static enum err put_item(struct json_out *o, struct buf *b, const char *name, struct str raw)
{
    if (!str_is_set(raw))
        return ERR_OK;
    json_key(o, str_c(name));
    json_raw(o, STR(""));
    return ddb_item_raw_put_json(b, raw);
}

static enum err put_change(struct json_out *o, struct buf *b, struct arena *a,
                           const struct ddb_change *c)
{
    json_key(o, STR("dynamodb"));
    json_open(o, '{');
    json_kv_i64(o, STR("ApproximateCreationDateTime"), c->wall_ms / 1000);
    TRY(put_item(o, b, "Keys", c->keys));
    TRY(put_item(o, b, "NewImage", c->neu));
    TRY(put_item(o, b, "OldImage", c->old));
    json_kv_str(o, STR("SequenceNumber"), sequence(a, c->place));
    json_kv_i64(o, STR("SizeBytes"), (int64_t)c->bytes);
    json_kv_str(o, STR("StreamViewType"), ddb_view_name(c->stream->view));
    json_close(o, '}');
    return ERR_OK;
}

static enum err put_event(struct buf *b, struct arena *a, const struct ddb_change *c)
{
    struct json_out o;
    json_out_init(&o, b);
    json_open(&o, '{');
    json_kv_str(&o, STR("eventID"), change_id(a, c));
    json_kv_str(&o, STR("eventName"), change_name(c->kind));
    json_kv_str(&o, STR("eventVersion"), STR("1.1"));
    json_kv_str(&o, STR("eventSource"), STR("aws:dynamodb"));
    json_kv_str(&o, STR("awsRegion"), c->stream->scope.region);
    TRY(put_change(&o, b, a, c));
    if (c->expired) {
        json_key(&o, STR("userIdentity"));
        json_raw(&o, STR("{\"type\":\"Service\",\"principalId\":\"dynamodb.amazonaws.com\"}"));
    }
    json_kv_str(&o, STR("eventSourceARN"), c->stream->arn);
    json_close(&o, '}');
    return buf_err(b);
}

const struct dynamodb_texts ddb_texts = {
    .view = ddb_view_name,
    .kind = change_name,
    .shard_id = shard_id,
    .shard_of = shard_of,
    .sequence = sequence,
    .sequence_parse = sequence_parse,
    .change_id = change_id,
    .event = put_event,
    .item = change_item,
};
