/* A request body on its way into a sink: verified against the signature, unpacked when it came in
 * aws-chunked form, and taken in order.
 *
 * Small bodies go through on the loop. Larger ones are cut into blocks that pass two workers: one
 * verifies, unpacks and writes a block while another digests the one before it, and the loop fills
 * the next. Reading from the socket pauses while all blocks are taken: constant memory (P5).
 *
 *   filling --full, last, or the writer is free--> written --> digested --> filling
 *      |                                                          |last: payload hash, finish
 *      +--malformed, client gone--> abort (when no worker runs)   v
 *                                                            dispatch_run
 *
 * The last block is digested by whoever wrote it when the other worker has nothing left, so a body of
 * one block costs one hand-over.
 *
 * Layer: core. Thread: the loop, but for take and conclude, which run on workers when the body is
 * large. A block belongs to one thread at a time, by the three counters, which only the loop moves. */
#include <assert.h>

#include "base/mem.h"
#include "core/call_int.h"

enum {
    BLOCK_BYTES = 512 * 1024,
    BLOCK_START = 128 * 1024, /* a free writer takes a block from this fill on */
    BLOCKS = 3,               /* one filling, one being written, one being digested */
};

struct block {
    char *bytes;
    size_t len; /* as sent; after the writer: unpacked, which is never longer */
};

struct worker {
    struct io_work work;
    struct body_stream *s;
    struct block *block;
    bool write, digest; /* what to do with it */
    bool conclude;      /* the body ends with it */
    bool busy;
    enum err err; /* of the run */
};

struct body_stream {
    struct call_impl *c;
    struct call_sink sink;
    struct hash payload; /* of what was sent, when the signature declares it */
    bool check_payload;
    bool inline_; /* no worker */
    bool last;    /* the body is complete, or failed, on the loop's side */
    bool closed;  /* the client left meanwhile */
    bool paused;
    bool ended;        /* the last block is filled */
    bool concluded;    /* it is digested, and the sink finished */
    enum err err;      /* first failure of a worker */
    enum err body_err; /* http's */
    struct worker writer, digester;
    /* Blocks so far: digested <= written <= filled; the one being filled is blocks[filled % BLOCKS]. */
    uint64_t filled, written, digested;
    struct block blocks[BLOCKS];
};

static void stream_free(struct body_stream *s)
{
    assert(!s->writer.busy && !s->digester.busy);
    hash_release(&s->payload);
    for (size_t i = 0; i < BLOCKS; i++)
        mem_free(s->blocks[i].bytes);
    s->c->body_stream = NULL;
    mem_free(s);
}

static void digest(struct body_stream *s, const void *p, size_t len)
{
    if (s->sink.digest && len > 0)
        s->sink.digest(s->sink.ctx, p, len);
}

/* Where the unpacked bytes of a block go: to its beginning. They come from a place at or behind it,
 * since unpacking leaves out the chunks' heads. */
struct unpacked {
    char *to;
    size_t len;
};

static enum err on_unpacked(void *arg, const void *p, size_t len)
{
    struct unpacked *u = arg;
    assert((const char *)p >= u->to + u->len);
    memmove(u->to + u->len, p, len);
    u->len += len;
    return ERR_OK;
}

/* Verifies a block, unpacks it in place and writes it. */
static enum err take(struct body_stream *s, struct block *b)
{
    if (s->c->chunk) {
        struct unpacked u = {b->bytes, 0};
        TRY(sigv4_chunk_feed(s->c->chunk, b->bytes, b->len, on_unpacked, &u));
        b->len = u.len;
    } else if (s->check_payload) {
        hash_update(&s->payload, b->bytes, b->len);
    }
    s->c->body_taken += b->len;
    return b->len ? s->sink.write(s->sink.ctx, b->bytes, b->len) : ERR_OK;
}

/* After the last byte: is it what was signed, and is it safe on disk? */
static enum err conclude(struct body_stream *s)
{
    struct call *call = &s->c->call;
    uint64_t number, bytes;
    if (s->c->chunk) {
        if (sigv4_chunk_small(s->c->chunk, &number, &bytes))
            return ERR_INVALID;
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

/* --- on workers ------------------------------------------------------------------------------- */

static void worker_run(struct io_work *work)
{
    struct worker *w = CONTAINER_OF(work, struct worker, work);
    struct block *b = w->block;
    w->err = ERR_OK;
    if (w->write)
        w->err = take(w->s, b);
    if (w->err == ERR_OK && w->digest)
        digest(w->s, b->bytes, b->len);
    if (w->err == ERR_OK && w->conclude)
        w->err = conclude(w->s);
}

static bool pump(struct body_stream *s);

static bool has_block(const struct body_stream *s)
{
    return s->filled - s->digested < BLOCKS;
}

/* Whether what is read from the socket next has a place. */
static bool has_room(const struct body_stream *s)
{
    return has_block(s) && s->blocks[s->filled % BLOCKS].len + HTTP_READ_BYTES <= BLOCK_BYTES;
}

static void worker_done(struct io_work *work)
{
    struct worker *w = CONTAINER_OF(work, struct worker, work);
    struct body_stream *s = w->s;
    assert(w->busy);
    w->busy = false;
    if (w->digest)
        w->block->len = 0;
    s->written += w->write;
    s->digested += w->digest;
    s->concluded |= w->conclude;
    if (s->err == ERR_OK)
        s->err = w->err;
    if (!pump(s))
        return;
    if (s->paused && !s->last && !s->closed && has_room(s)) {
        s->paused = false;
        s->c->front->body_resume(s->c);
    }
}

static void worker_start(struct body_stream *s, struct worker *w, uint64_t block)
{
    w->s = s;
    w->block = &s->blocks[block % BLOCKS];
    w->busy = true;
    w->work.work = worker_run;
    w->work.done = worker_done;
    enum err err = io_work_start(s->c->call.loop, &w->work);
    if (err) {
        w->busy = false;
        if (s->err == ERR_OK)
            s->err = err;
    }
}

/* --- on the loop ------------------------------------------------------------------------------ */

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

/* The block being filled is the writer's when it is full, the last, or enough for an idle writer; not
 * the last free one, since more of the body may be on its way already. */
static void close_block(struct body_stream *s)
{
    bool idle = !s->writer.busy && s->written == s->filled;
    bool enough = s->blocks[s->filled % BLOCKS].len >= BLOCK_START;
    bool spare = s->filled + 1 - s->digested < BLOCKS;
    if (!has_block(s) || s->ended)
        return;
    if (!s->last && has_room(s) && !(idle && enough && spare))
        return;
    s->filled++;
    s->ended = s->last;
}

static void start_writer(struct body_stream *s)
{
    struct worker *w = &s->writer;
    if (w->busy || s->written == s->filled)
        return;
    bool last = s->ended && s->written + 1 == s->filled;
    w->write = true;
    w->digest = last && !s->digester.busy && s->digested == s->written;
    w->conclude = w->digest;
    worker_start(s, w, s->written);
}

static void start_digester(struct body_stream *s)
{
    struct worker *w = &s->digester;
    if (w->busy || s->digested == s->written)
        return;
    w->write = false;
    w->digest = true;
    w->conclude = s->ended && s->digested + 1 == s->filled;
    assert(!w->conclude || !s->writer.busy);
    worker_start(s, w, s->digested);
}

/* Gives workers what there is for them. False: the stream ended. */
static bool pump(struct body_stream *s)
{
    assert(s->digested <= s->written && s->written <= s->filled);
    assert(s->filled - s->digested <= BLOCKS);
    if (!s->err && !s->body_err && !s->closed) {
        close_block(s);
        start_writer(s);
        if (!s->err)
            start_digester(s);
    }
    if (s->writer.busy || s->digester.busy)
        return true;
    if (!s->err && !s->body_err && !s->closed && !s->concluded)
        return true;
    stream_end(s);
    return false;
}

static enum err inline_to_sink(void *arg, const void *p, size_t len)
{
    struct body_stream *s = arg;
    digest(s, p, len);
    s->c->body_taken += len;
    return s->sink.write(s->sink.ctx, p, len);
}

static enum err take_inline(struct body_stream *s, const void *p, size_t len)
{
    if (s->c->chunk)
        return sigv4_chunk_feed(s->c->chunk, p, len, inline_to_sink, s);
    if (s->check_payload)
        hash_update(&s->payload, p, len);
    return len ? inline_to_sink(s, p, len) : ERR_OK;
}

static void on_body_inline(struct body_stream *s, const void *p, size_t len, bool last)
{
    s->err = take_inline(s, p, len);
    if (s->err == ERR_OK && last)
        s->err = conclude(s);
    if (s->err || last)
        stream_end(s);
}

static void fill(struct body_stream *s, const void *p, size_t len)
{
    struct block *b = &s->blocks[s->filled % BLOCKS];
    if (len == 0)
        return;
    assert(has_block(s) && b->len + len <= BLOCK_BYTES);
    memcpy(b->bytes + b->len, p, len);
    b->len += len;
}

void body_stream_data(struct call_impl *c, const void *p, size_t len, bool last, enum err err)
{
    struct body_stream *s = c->body_stream;
    if (!s) /* failed before; what is left of the body is http's to drain */
        return;
    if (s->inline_ && !err) {
        on_body_inline(s, p, len, last);
        return;
    }
    if (err) {
        s->body_err = err;
    } else {
        fill(s, p, len);
        s->last = last;
    }
    if (!pump(s) || last || err || has_room(s))
        return;
    s->paused = true;
    c->front->body_pause(c);
}

static bool close_stream(struct call_impl *c)
{
    struct body_stream *s = c->body_stream;
    assert(s);
    if (s->writer.busy || s->digester.busy) {
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
        for (int i = 0; i < BLOCKS && !s->inline_ && !err; i++)
            if (!(s->blocks[i].bytes = mem_alloc(BLOCK_BYTES)))
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
