/* A request body on its way into a sink: verified against the signature, unpacked when it came in
 * aws-chunked form, and written in order.
 *
 * Small bodies go through on the loop. Larger ones fill one block while a worker hashes and writes
 * the other, and reading from the socket pauses while both are taken: constant memory (P5).
 *
 *   reading --block full or last--> a worker writes --> reading
 *      |                                 |last: payload hash, finish
 *      +--malformed, client gone--> abort v
 *                                  dispatch_run
 *
 * Layer: core. Thread: the loop, but for consume and conclude, which run on the worker when the
 * body is large. */
#include <assert.h>

#include "base/mem.h"
#include "core/call_int.h"

enum {
    BLOCK_BYTES = 512 * 1024,
    BLOCK_START = 128 * 1024, /* a free worker takes a block from this fill on */
};

struct body_stream {
    struct io_work work;
    struct call_impl *c;
    struct call_sink sink;
    struct hash payload; /* of what was sent, when the signature declares it */
    bool check_payload;
    bool inline_;   /* no worker */
    bool last;      /* the body is complete, or failed, on the loop's side */
    bool busy;      /* a worker uses block[!filling] */
    bool work_last; /* that block is the last */
    bool closed;    /* the client left meanwhile */
    bool paused;
    enum err err;      /* first failure; worker's while busy */
    enum err body_err; /* http's */
    int filling;
    size_t len[2];
    char *block[2];
};

static void stream_free(struct body_stream *s)
{
    hash_release(&s->payload);
    mem_free(s->block[0]);
    mem_free(s->block[1]);
    s->c->body_stream = NULL;
    mem_free(s);
}

static enum err to_sink(void *arg, const void *p, size_t len)
{
    struct body_stream *s = arg;
    return s->sink.write(s->sink.ctx, p, len);
}

static enum err consume(struct body_stream *s, const void *p, size_t len)
{
    if (s->c->chunk)
        return sigv4_chunk_feed(s->c->chunk, p, len, to_sink, s);
    if (s->check_payload)
        hash_update(&s->payload, p, len);
    return len ? s->sink.write(s->sink.ctx, p, len) : ERR_OK;
}

/* After the last byte: is it what was signed, and is it safe on disk? */
static enum err conclude(struct body_stream *s)
{
    struct call *call = &s->c->call;
    if (s->c->chunk) {
        TRY(sigv4_chunk_finish(s->c->chunk));
        call->trailers = (const struct http_header *)(const void *)sigv4_chunk_trailers(
            s->c->chunk, &call->n_trailers);
    }
    if (s->check_payload) {
        uint8_t digest[HASH_SHA256_LEN];
        hash_final(&s->payload, digest);
        if (!sigv4_payload_matches(&s->c->sig, digest))
            return ERR_DENIED;
    }
    return s->sink.finish(s->sink.ctx);
}

static void stream_end(struct body_stream *s)
{
    struct call_impl *c = s->c;
    enum err err = s->body_err ? s->body_err : s->err;
    bool closed = s->closed;
    if (err || closed)
        s->sink.abort(s->sink.ctx);
    else
        *c->call.sink = s->sink;
    stream_free(s);
    if (closed)
        dispatch_over(c);
    else if (err)
        dispatch_fail(c, err);
    else
        dispatch_run(c);
}

static void worker_write(struct io_work *w)
{
    struct body_stream *s = CONTAINER_OF(w, struct body_stream, work);
    int i = !s->filling;
    if (s->err == ERR_OK)
        s->err = consume(s, s->block[i], s->len[i]);
    if (s->err == ERR_OK && s->work_last)
        s->err = conclude(s);
}

static bool pump(struct body_stream *s);

static void worker_done(struct io_work *w)
{
    struct body_stream *s = CONTAINER_OF(w, struct body_stream, work);
    s->busy = false;
    if (s->closed || s->work_last || s->err || s->body_err) {
        stream_end(s);
        return;
    }
    if (!pump(s))
        return;
    if (s->paused && !s->last && s->len[s->filling] + HTTP_READ_BYTES <= BLOCK_BYTES) {
        s->paused = false;
        s->c->front->body_resume(s->c);
    }
}

/* Gives the filled block to a free worker. False: there is none, and the stream ended. */
static bool pump(struct body_stream *s)
{
    if (s->busy || (!s->last && s->len[s->filling] < BLOCK_START))
        return true;
    s->work_last = s->last;
    s->filling = !s->filling;
    s->len[s->filling] = 0;
    s->busy = true;
    s->work.work = worker_write;
    s->work.done = worker_done;
    enum err err = io_work_start(s->c->call.loop, &s->work);
    if (err) {
        s->busy = false;
        s->err = err;
        stream_end(s);
        return false;
    }
    return true;
}

static void on_body_inline(struct body_stream *s, const void *p, size_t len, bool last)
{
    s->err = consume(s, p, len);
    if (s->err == ERR_OK && last)
        s->err = conclude(s);
    if (s->err || last)
        stream_end(s);
}

void body_stream_data(struct call_impl *c, const void *p, size_t len, bool last, enum err err)
{
    struct body_stream *s = c->body_stream;
    if (!s) /* failed before; what is left of the body is http's to drain */
        return;
    if (err) {
        s->body_err = err;
        if (!s->busy)
            stream_end(s);
        return;
    }
    if (s->inline_) {
        on_body_inline(s, p, len, last);
        return;
    }
    assert(s->len[s->filling] + len <= BLOCK_BYTES);
    if (len)
        memcpy(s->block[s->filling] + s->len[s->filling], p, len);
    s->len[s->filling] += len;
    s->last = last;
    if (!last && s->len[s->filling] + HTTP_READ_BYTES > BLOCK_BYTES) {
        s->paused = true;
        c->front->body_pause(c);
    }
    pump(s);
}

static bool close_stream(struct call_impl *c)
{
    struct body_stream *s = c->body_stream;
    assert(s);
    if (s->busy) {
        s->closed = true;
        return true;
    }
    s->sink.abort(s->sink.ctx);
    stream_free(s);
    return false;
}

void body_stream_start(struct call_impl *c, const struct call_sink *sink)
{
    struct body_stream *s = mem_calloc(1, sizeof(*s));
    enum err err = s ? ERR_OK : ERR_NOMEM;
    if (!err) {
        s->c = c;
        s->sink = *sink;
        s->inline_ = c->body_length >= 0 && c->body_length <= CALL_BODY_INLINE_MAX;
        s->check_payload = !c->chunk && c->sig.payload == SIGV4_PAYLOAD_HEX;
        c->body_stream = s;
        c->close_stream = close_stream;
        c->call.sink = arena_alloc(&c->arena, sizeof(*c->call.sink));
        if (!c->call.sink || (s->check_payload && hash_init(&s->payload, HASH_SHA256) != ERR_OK))
            err = ERR_NOMEM;
        for (int i = 0; i < 2 && !s->inline_ && !err; i++)
            if (!(s->block[i] = mem_alloc(BLOCK_BYTES)))
                err = ERR_NOMEM;
    }
    if (err) {
        c->call.sink = NULL;
        sink->abort(sink->ctx);
        if (s)
            stream_free(s);
        dispatch_fail(c, err);
        return;
    }
    c->phase = CALL_BODY;
    c->front->body_start(c);
}
