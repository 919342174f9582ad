#include "base/buf.h"

#include <assert.h>
#include <stdio.h>

#include "base/mem.h"

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_init_arena(struct buf *b, struct arena *a, size_t max)
{
    *b = (struct buf){.max = max, .arena = a};
}

void buf_init_fixed(struct buf *b, char *p, size_t size)
{
    *b = (struct buf){.p = p, .cap = size, .max = size};
}

void buf_release(struct buf *b)
{
    if (!b->arena)
        mem_free(b->p);
    b->p = NULL;
    b->len = b->cap = 0;
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->err = ERR_OK;
}

static char *grow(struct buf *b, size_t cap)
{
    if (!b->arena)
        return mem_realloc(b->p, cap);
    char *p = arena_alloc(b->arena, cap);
    if (p && b->len)
        memcpy(p, b->p, b->len);
    return p;
}

char *buf_reserve(struct buf *b, size_t len)
{
    if (b->err)
        return NULL;
    if (len <= b->cap - b->len && b->p)
        return b->p + b->len;
    if (len > b->max || b->len > b->max - len) {
        b->err = ERR_LIMIT;
        return NULL;
    }
    size_t want = b->len + len;
    size_t cap = b->cap ? b->cap : 256;
    while (cap < want)
        cap = cap > SIZE_MAX / 2 ? want : cap * 2;
    if (cap > b->max)
        cap = b->max;
    if (cap < 1)
        cap = 1;
    char *p = grow(b, cap);
    if (!p) {
        b->err = ERR_NOMEM;
        return NULL;
    }
    b->p = p;
    b->cap = cap;
    assert(b->cap - b->len >= len); /* doubling was cut at max, which was found to be enough */
    return p + b->len;
}

void buf_grew(struct buf *b, size_t len)
{
    assert(len <= b->cap - b->len); /* it was reserved */
    b->len += len;
}

void buf_add(struct buf *b, const void *p, size_t len)
{
    char *d = buf_reserve(b, len);
    if (!d || len == 0)
        return;
    memcpy(d, p, len);
    b->len += len;
}

void buf_add_str(struct buf *b, struct str s)
{
    buf_add(b, s.p, s.len);
}

void buf_add_c(struct buf *b, const char *cstr)
{
    buf_add(b, cstr, strlen(cstr));
}

void buf_add_byte(struct buf *b, char c)
{
    char *d = buf_reserve(b, 1);
    if (!d)
        return;
    *d = c;
    b->len++;
}

void buf_add_fmt(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    char *d = buf_reserve(b, (size_t)n + 1);
    if (!d)
        return;
    va_start(ap, fmt);
    vsnprintf(d, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
}

void buf_add_u64(struct buf *b, uint64_t v)
{
    char tmp[20];
    size_t i = sizeof(tmp);
    do {
        tmp[--i] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    buf_add(b, tmp + i, sizeof(tmp) - i);
}

void buf_add_i64(struct buf *b, int64_t v)
{
    if (v < 0)
        buf_add_byte(b, '-');
    buf_add_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void buf_drop_front(struct buf *b, size_t len)
{
    if (len >= b->len) {
        b->len = 0;
        return;
    }
    memmove(b->p, b->p + len, b->len - len);
    b->len -= len;
}
