/* Memory of HTTP/2: what nghttp2 allocates comes through here, so that it is bounded for each
 * connection and tests can make it fail; and the end of a session.
 *
 * Layer: http. Thread: the shard's loop. */
#include "base/mem.h"
#include "http/http_h2_int.h"

/* Before each block: its size. Keeps what follows aligned for anything. */
union block {
    size_t size;
    max_align_t align;
};

static void *resize(struct http_h2_guard *g, union block *b, size_t size)
{
    size_t before = b ? b->size : 0;
    if (size > HTTP_H2_SESSION_MAX || g->memory - before > HTTP_H2_SESSION_MAX - size)
        return NULL;
    union block *now = mem_realloc(b, sizeof(*now) + size);
    if (!now)
        return NULL;
    g->memory += size - before;
    now->size = size;
    return now + 1;
}

static void *h2_malloc(size_t size, void *g)
{
    return resize(g, NULL, size);
}

static void h2_free(void *p, void *user)
{
    struct http_h2_guard *g = user;
    if (!p)
        return;
    union block *b = (union block *)p - 1;
    g->memory -= b->size;
    mem_free(b);
}

static void *h2_calloc(size_t n, size_t size, void *g)
{
    size_t total;
    if (__builtin_mul_overflow(n, size, &total))
        return NULL;
    void *p = resize(g, NULL, total);
    if (p)
        memset(p, 0, total);
    return p;
}

static void *h2_realloc(void *p, size_t size, void *g)
{
    return resize(g, p ? (union block *)p - 1 : NULL, size);
}

nghttp2_mem http_h2_mem(struct http_h2_guard *g)
{
    return (nghttp2_mem){g, h2_malloc, h2_free, h2_calloc, h2_realloc};
}

void http_h2_stream_free(struct http_h2_stream *s)
{
    list_remove(&s->link);
    list_remove(&s->ready);
    http_exchange_release(&s->x);
    buf_release(&s->in);
    buf_release(&s->out);
    mem_free(s);
}

void http_h2_free(struct http_h2 *h2)
{
    if (!h2)
        return;
    struct http_conn *c = h2->conn;
    nghttp2_session_del(h2->session);
    while (!list_empty(&h2->streams)) {
        struct http_h2_stream *s = CONTAINER_OF(h2->streams.next, struct http_h2_stream, link);
        c->shard->kept -= s->in.len;
        http_h2_stream_free(s);
    }
    if (h2->spare)
        http_h2_stream_free(h2->spare);
    if (!c->disowned)
        c->shard->queued -= c->held;
    mem_free(h2);
}
