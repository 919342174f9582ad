/* A reply whose body is file ranges: one block at a time is read on the worker pool and handed to
 * the front, so a reply of any length takes two blocks of memory.
 *
 *   start -> reading (worker) -> writing -> [waiting for drain] -> reading ... -> over
 *
 * Layer: core. Thread: the loop, but for read_block. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>

#include "base/mem.h"
#include "base/sys.h"
#include "core/call_int.h"

enum { BLOCK_BYTES = 256 * 1024 };

struct reply_files {
    struct io_work work;
    struct call_impl *c;
    int fd; /* of files[part], or -1 */
    size_t part;
    uint64_t at; /* offset inside the part's range */
    bool busy;   /* a worker uses this */
    bool closed; /* the client left meanwhile */
    enum err err;
    size_t len;
    char block[BLOCK_BYTES];
};

static void read_block(struct io_work *w)
{
    struct reply_files *r = CONTAINER_OF(w, struct reply_files, work);
    const struct call_file_part *part = &r->c->files[r->part];
    if (r->fd < 0)
        r->fd = sys.open(part->path, O_RDONLY | O_CLOEXEC, 0);
    size_t want = (size_t)min_i64(BLOCK_BYTES, (int64_t)(part->length - r->at));
    ssize_t n;
    do
        n = r->fd < 0 ? -1 : sys.pread(r->fd, r->block, want, (off_t)(part->offset + r->at));
    while (n < 0 && r->fd >= 0 && errno == EINTR);
    /* A short file means that stored bytes are gone: the reply must not look complete. */
    r->err = n > 0 || want == 0 ? ERR_OK : ERR_IO;
    r->len = n > 0 ? (size_t)n : 0;
}

static void finish(struct reply_files *r)
{
    struct call_impl *c = r->c;
    if (r->fd >= 0)
        sys.close(r->fd);
    mem_free(r);
    c->reply_files = NULL;
    dispatch_over(c);
}

static void next_block(struct reply_files *r);

void reply_files_more(struct call_impl *c)
{
    next_block(c->reply_files);
}

static void block_done(struct io_work *w)
{
    struct reply_files *r = CONTAINER_OF(w, struct reply_files, work);
    r->busy = false;
    if (r->closed) {
        finish(r);
        return;
    }
    if (r->err) {
        r->c->front->stream_end(r->c, r->err);
        finish(r);
        return;
    }
    r->at += r->len;
    if (r->at == r->c->files[r->part].length) {
        if (r->fd >= 0)
            sys.close(r->fd);
        r->fd = -1;
        r->at = 0;
        r->part++;
    }
    if (r->c->front->stream_write(r->c, r->block, r->len))
        next_block(r);
}

static void next_block(struct reply_files *r)
{
    struct call_impl *c = r->c;
    while (r->part < c->n_files && c->files[r->part].length == 0)
        r->part++;
    if (r->part == c->n_files) {
        c->front->stream_end(c, ERR_OK);
        finish(r);
        return;
    }
    r->busy = true;
    r->work.work = read_block;
    r->work.done = block_done;
    if (io_work_start(c->call.loop, &r->work) != ERR_OK) {
        r->busy = false;
        c->front->stream_end(c, ERR_IO);
        finish(r);
    }
}

static bool close_stream(struct call_impl *c)
{
    struct reply_files *r = c->reply_files;
    assert(r);
    if (r->busy) {
        r->closed = true;
        return true;
    }
    if (r->fd >= 0)
        sys.close(r->fd);
    mem_free(r);
    c->reply_files = NULL;
    return false;
}

void reply_files_start(struct call_impl *c, int status, const struct http_header *headers,
                       size_t n_headers)
{
    uint64_t length = 0;
    for (size_t i = 0; i < c->n_files; i++)
        length += c->files[i].length;
    struct reply_files *r = mem_alloc(sizeof(*r));
    if (!r) {
        dispatch_fail(c, ERR_NOMEM);
        return;
    }
    memset(r, 0, offsetof(struct reply_files, block));
    r->c = c;
    r->fd = -1;
    c->reply_files = r;
    c->close_stream = close_stream;
    c->phase = CALL_REPLYING;
    c->front->stream_start(c, status, headers, n_headers, length);
    next_block(r);
}
