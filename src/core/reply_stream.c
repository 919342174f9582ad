/* A reply whose body comes from a source (call.h): one block at a time is read on the worker pool and
 * handed to the front, so a reply of any length takes two blocks of memory.
 *
 *   start -> reading (worker) --first block--> head -> writing -> [waiting for drain] -> reading ...
 *               |                                                                          -> over
 *               +--failed: before the head an error (500), after it the reply breaks off
 *
 * One that is still being made (`ready`) is read on the loop, without a worker:
 *
 *   start -> head -> reading, writing -> [waiting for bytes, or for drain] -> reading ... -> over
 *
 * Layer: core. Thread: the loop, but for read_block. */
#include <assert.h>

#include "base/log.h"
#include "base/mem.h"
#include "core/call_int.h"

struct reply_stream {
    struct io_work work;
    struct call_impl *c;
    bool begun;  /* the head was handed over */
    bool busy;   /* a worker uses this */
    bool dry;    /* there was nothing to read: call_wake goes on */
    bool closed; /* the client left meanwhile */
    int status;
    const struct http_header *headers; /* the call's arena */
    size_t n_headers;
    uint64_t left; /* bytes that were not handed over yet */
    enum err err;
    struct str piece; /* in `block` */
    char block[CALL_BLOCK_BYTES];
};

static void read_block(struct io_work *w)
{
    struct reply_stream *r = CONTAINER_OF(w, struct reply_stream, work);
    const struct call_source *source = &r->c->source;
    r->err = source->read(source->ctx, r->block, sizeof(r->block), &r->piece);
}

static void stream_free(struct reply_stream *r)
{
    if (r->begun)
        call_streamed(r->c);
    r->c->reply_stream = NULL;
    mem_free(r);
}

static void finish(struct reply_stream *r)
{
    struct call_impl *c = r->c;
    stream_free(r);
    dispatch_over(c);
}

/* A block could not be read: an error while that can still be said, else no more of the reply. */
static void fail(struct reply_stream *r, enum err err)
{
    struct call_impl *c = r->c;
    if (!r->begun) {
        stream_free(r);
        dispatch_fail(c, err);
        return;
    }
    if (err != ERR_FAILED)
        log_error("core", "reply broken off: %s in " STR_FMT " request=" STR_FMT, err_name(err),
                  STR_ARG(c->routed.op_name), STR_ARG(c->call.request_id));
    c->front->stream_end(c, err);
    finish(r);
}

/* Bytes that are made meanwhile, as many as there are and are taken. */
static void pump(struct reply_stream *r)
{
    struct call_impl *c = r->c;
    const struct call_source *source = &c->source;
    while (!(r->dry = !source->ready(source->ctx))) {
        enum err err = source->read(source->ctx, r->block, sizeof(r->block), &r->piece);
        if (err) {
            fail(r, err);
            return;
        }
        if (r->piece.len == 0) {
            c->front->stream_end(c, ERR_OK);
            finish(r);
            return;
        }
        c->reply_bytes += r->piece.len;
        if (!c->front->stream_write(c, r->piece.p, r->piece.len))
            return;
    }
}

static void woken(struct call_impl *c)
{
    if (c->reply_stream->dry)
        pump(c->reply_stream);
}

static void next_block(struct reply_stream *r);

void reply_stream_more(struct call_impl *c)
{
    if (c->source.ready)
        pump(c->reply_stream);
    else
        next_block(c->reply_stream);
}

static void block_done(struct io_work *w)
{
    struct reply_stream *r = CONTAINER_OF(w, struct reply_stream, work);
    struct call_impl *c = r->c;
    assert(r->busy);
    r->busy = false;
    if (r->closed) {
        finish(r);
        return;
    }
    if (r->err) {
        fail(r, r->err);
        return;
    }
    assert(r->piece.len > 0 && r->piece.len <= r->left);
    assert(r->piece.p >= r->block && r->piece.p + r->piece.len <= r->block + sizeof(r->block));
    if (!r->begun) {
        r->begun = true;
        c->front->stream_start(c, r->status, r->headers, r->n_headers, r->left);
    }
    r->left -= r->piece.len;
    c->reply_bytes += r->piece.len;
    if (c->front->stream_write(c, r->piece.p, r->piece.len))
        next_block(r);
}

static void next_block(struct reply_stream *r)
{
    struct call_impl *c = r->c;
    assert(!r->busy);
    if (r->left == 0) {
        c->front->stream_end(c, ERR_OK);
        finish(r);
        return;
    }
    r->busy = true;
    r->work.work = read_block;
    r->work.done = block_done;
    enum err err = io_work_start(c->call.loop, &r->work);
    if (err) {
        r->busy = false;
        fail(r, err);
    }
}

static bool close_stream(struct call_impl *c)
{
    struct reply_stream *r = c->reply_stream;
    assert(r);
    if (r->busy) {
        r->closed = true;
        return true;
    }
    stream_free(r);
    return false;
}

void reply_stream_start(struct call_impl *c, int status, const struct http_header *headers,
                        size_t n_headers)
{
    assert(c->source.read && c->source.length > 0);
    assert(!c->source.ready == (c->source.length != CALL_LENGTH_UNKNOWN));
    struct reply_stream *r = mem_alloc(sizeof(*r));
    if (!r) {
        dispatch_fail(c, ERR_NOMEM);
        return;
    }
    memset(r, 0, offsetof(struct reply_stream, block));
    r->c = c;
    r->status = status;
    r->headers = headers;
    r->n_headers = n_headers;
    r->left = c->source.length;
    c->reply_stream = r;
    c->close_stream = close_stream;
    c->phase = CALL_REPLYING;
    if (!c->source.ready) {
        next_block(r);
        return;
    }
    r->begun = true;
    c->stream_woken = woken;
    c->front->stream_start(c, status, headers, n_headers, r->left);
    pump(r);
}
