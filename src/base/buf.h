/* Growable byte buffer with a declared maximum and a sticky error: writers append without checking
 * and look once, at the end, with buf_err. After an error appends do nothing.
 *
 * Lifetime: its owner's; release frees. With an arena (buf_init_arena) memory is the arena's. */
#ifndef WEIR_BASE_BUF_H
#define WEIR_BASE_BUF_H

#include <stdarg.h>

#include "base/str.h"

struct buf {
    char *p;
    size_t len;
    size_t cap;
    size_t max;
    enum err err; /* ERR_OK, ERR_NOMEM or ERR_LIMIT */
    struct arena *arena;
};

/* Heap-backed, at most `max` bytes (ERR_LIMIT beyond). Allocates on first append. */
void buf_init(struct buf *b, size_t max);
/* Backed by `a`; never freed piecemeal. */
void buf_init_arena(struct buf *b, struct arena *a, size_t max);
/* Over `size` bytes at `p`, which it never leaves: ERR_LIMIT beyond. Needs no release. */
void buf_init_fixed(struct buf *b, char *p, size_t size);
void buf_release(struct buf *b);
/* Empties it and forgets the error; keeps the memory. */
void buf_clear(struct buf *b);

void buf_add(struct buf *b, const void *p, size_t len);
void buf_add_str(struct buf *b, struct str s);
void buf_add_c(struct buf *b, const char *cstr);
void buf_add_byte(struct buf *b, char c);
void buf_add_fmt(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_add_i64(struct buf *b, int64_t v);
void buf_add_u64(struct buf *b, uint64_t v);
#define BUF_ADD_LIT(b, lit) buf_add((b), ("" lit), sizeof(lit) - 1)

/* Room for `len` more bytes at the end; NULL on error. Follow with buf_grew. */
char *buf_reserve(struct buf *b, size_t len);
void buf_grew(struct buf *b, size_t len);
/* Drops `len` bytes from the front (memmove). */
void buf_drop_front(struct buf *b, size_t len);

static inline struct str buf_str(const struct buf *b)
{
    return str_n(b->p ? b->p : "", b->len);
}

static inline enum err buf_err(const struct buf *b)
{
    return b->err;
}

#endif
