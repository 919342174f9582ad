/* Lookup of streams, and the tokens of iterators.
 *
 *   iterator  str arn, uint shard, uint commit, uint which of it, u8 horizon, int made_ms
 *
 * Layer: svc. Thread: the call's. */
#include "base/pack.h"
#include "svc/streams/streams_int.h"

enum err streams_find(struct call *call, struct str arn, struct ddb_stream **ret_stream)
{
    const struct dynamodb_port *ddb = dynamodb_port_of(call->core);
    enum err err = ddb->find(ddb->self, call->txn, arn, ret_stream);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &streams_err_resource_not_found_exception,
                          "Requested resource not found: Stream: " STR_FMT " not found",
                          STR_ARG(arn));
    return err;
}

/* One binding for the operation that makes iterators and the one that takes them. */
static struct page_bind bind_of(struct call *call)
{
    struct page_bind bind = page_bind_of(call, STR("iterator"));
    bind.operation = STR("GetShardIterator");
    return bind;
}

enum err streams_iterator_seal(struct call *call, const struct streams_iterator *it,
                               struct str *ret_token)
{
    struct page_bind bind = bind_of(call);
    struct buf b;
    buf_init_arena(&b, call->arena, 4096);
    pack_str(&b, it->arn);
    pack_uint(&b, it->shard);
    pack_uint(&b, it->after.commit);
    pack_uint(&b, it->after.nth);
    pack_u8(&b, it->horizon);
    pack_int(&b, it->made_ms);
    TRY(buf_err(&b));
    return page_seal(&bind, buf_str(&b), ret_token);
}

enum err streams_iterator_open(struct call *call, struct str token, struct streams_iterator *ret_it)
{
    struct page_bind bind = bind_of(call);
    struct str position;
    struct unpack u;
    TRY(page_open(&bind, token, &position));
    unpack_init(&u, position);
    ret_it->arn = unpack_str(&u);
    ret_it->shard = (uint16_t)unpack_uint(&u);
    ret_it->after.commit = unpack_uint(&u);
    ret_it->after.nth = (uint16_t)unpack_uint(&u);
    ret_it->horizon = unpack_u8(&u) != 0;
    ret_it->made_ms = unpack_int(&u);
    return unpack_end(&u) ? ERR_INVALID : ERR_OK;
}
