/* Tumbling windows. See lambda_window.h.
 * Layer: svc. */
#include "svc/lambda/lambda_window.h"

#include "base/clock.h"
#include "codec/json.h"
#include "svc/lambda/lambda_keys.h"

static const struct record_field window_fields[] = {
    REC_INT(struct lambda_window, start_ms),     REC_INT(struct lambda_window, end_ms),
    REC_BOOL(struct lambda_window, early),       REC_UINT(struct lambda_window, lanes),
    REC_UINT(struct lambda_window, from.commit), REC_UINT(struct lambda_window, from.nth),
    REC_STR(struct lambda_window, state),
};
static const struct record_type window_type = RECORD_TYPE(struct lambda_window, 1, window_fields);

/* --- which window ------------------------------------------------------------------------------ */

struct lambda_window lambda_window_of(const struct lambda_window *open, int64_t wall_ms,
                                      int64_t length_s)
{
    int64_t length_ms = length_s * 1000, into_ms = wall_ms % length_ms;
    assert(length_s >= 1 && length_s <= LAMBDA_WINDOW_MAX_S);
    if (lambda_window_is_open(open) && wall_ms < open->end_ms)
        return *open;
    int64_t start_ms = wall_ms - (into_ms < 0 ? into_ms + length_ms : into_ms);
    return (struct lambda_window){
        .start_ms = start_ms, .end_ms = start_ms + length_ms, .state = STR("{}")};
}

/* --- events and responses ----------------------------------------------------------------------- */

void lambda_window_put_event(struct buf *b, const struct lambda_window *w, bool final,
                             struct str shard_id, struct str stream_arn)
{
    char text[CLOCK_TEXT_MAX];
    struct json_out o;
    BUF_ADD_LIT(b, ",\"window\":");
    json_out_init(&o, b);
    json_open(&o, '{');
    json_kv_str(&o, STR("start"), clock_iso8601(text, w->start_ms));
    json_kv_str(&o, STR("end"), clock_iso8601(text, w->end_ms));
    json_close(&o, '}');
    BUF_ADD_LIT(b, ",\"state\":");
    buf_add_str(b, w->state);
    BUF_ADD_LIT(b, ",\"shardId\":");
    json_put_str(b, shard_id);
    BUF_ADD_LIT(b, ",\"eventSourceARN\":");
    json_put_str(b, stream_arn);
    BUF_ADD_LIT(b, ",\"isFinalInvokeForWindow\":");
    json_put_bool(b, final);
    BUF_ADD_LIT(b, ",\"isWindowTerminatedEarly\":");
    json_put_bool(b, w->early);
}

enum err lambda_window_answer(struct arena *a, struct str response, struct str *ret_state)
{
    struct json *doc;
    enum err err = json_parse(a, response, &doc, NULL);
    if (err)
        return err == ERR_NOMEM ? err : ERR_INVALID;
    const struct json *state = json_get(doc, STR("state"));
    if (!state || (state->kind != JSON_OBJECT && state->kind != JSON_NULL))
        return ERR_INVALID;
    *ret_state = state->kind == JSON_OBJECT ? state->raw : STR("{}");
    return ERR_OK;
}

/* --- in the store ------------------------------------------------------------------------------- */

static struct str window_key(struct txn *txn, const struct lambda_mapping *m, uint16_t shard,
                             uint16_t lane)
{
    return key_make(txn->arena, &lambda_k_window, m->function.scope, m->uuid, shard, lane);
}

enum err lambda_window_get(struct txn *txn, const struct lambda_mapping *m, uint16_t shard,
                           uint16_t lane, uint64_t lanes, struct lambda_window *ret_window)
{
    struct str record;
    struct lambda_window w = {0};
    enum err err = txn_get(txn, window_key(txn, m, shard, lane), &record);
    if (err && err != ERR_NOT_FOUND)
        return err;
    if (err == ERR_OK)
        TRY(record_unpack_copy(&window_type, txn->arena, record, &w));
    *ret_window = w.lanes == lanes ? w : (struct lambda_window){0};
    return ERR_OK;
}

enum err lambda_window_put(struct txn *txn, const struct lambda_mapping *m, uint16_t shard,
                           uint16_t lane, const struct lambda_window *w)
{
    struct str record, key = window_key(txn, m, shard, lane);
    if (!lambda_window_is_open(w))
        return txn_del(txn, key);
    TRY(record_make(&window_type, txn->arena, w, &record));
    return txn_put(txn, key, record);
}

struct least {
    struct arena *arena;
    struct ddb_place *place;
};

static enum err take_least(void *arg, struct str key, struct str record)
{
    const struct least *l = arg;
    struct lambda_window w = {0};
    TRY(record_unpack(&window_type, l->arena, record, &w));
    if (ddb_place_before(w.from, *l->place))
        *l->place = w.from;
    return ERR_OK;
}

enum err lambda_windows_least(struct txn *txn, const struct lambda_mapping *m, uint16_t shard,
                              struct ddb_place *least)
{
    struct least l = {txn->arena, least};
    return txn_each(txn, key_range(txn->arena, &lambda_k_window, m->function.scope, m->uuid, shard),
                    take_least, &l);
}

static enum err drop(void *arg, struct str key, struct str record)
{
    return txn_del(arg, key);
}

enum err lambda_windows_drop(struct txn *txn, const struct lambda_mapping *m, uint16_t shard)
{
    return txn_each(txn, key_range(txn->arena, &lambda_k_window, m->function.scope, m->uuid, shard),
                    drop, txn);
}

enum err lambda_windows_drop_all(struct txn *txn, const struct lambda_mapping *m)
{
    return txn_each(txn, key_range(txn->arena, &lambda_k_window, m->function.scope, m->uuid), drop,
                    txn);
}
