/* Bump allocator tied to a lifetime: a request, a connection, a unit of background work.
 *
 * Invariants
 *   A1  Memory from an arena is aligned to 16 bytes and lives until clear/release.
 *   A2  The sum of what was asked for never exceeds `limit` bytes (ERR_NOMEM as NULL beyond it).
 *   A3  Cleanups run in reverse order of registration, exactly once, before memory goes.
 *   A4  Once an allocation failed `failed` says so until clear/release: whoever publishes what was
 *       built in an arena (a commit, a reply) asks it, so that a failure nobody noticed, which left
 *       a text or list absent, cannot pass for a result.
 *
 * Thread: an arena belongs to one thread at a time; handing it over whole is allowed. */
#ifndef WEIR_BASE_ARENA_H
#define WEIR_BASE_ARENA_H

#include "base/base.h"

struct arena_chunk;
struct arena_cleanup;

struct arena {
    struct arena_chunk *chunks; /* newest first */
    char *cur;
    char *end;
    size_t used;  /* bytes handed out since init/clear */
    size_t limit; /* A2 */
    struct arena_cleanup *cleanups;
    bool failed; /* A4 */
};

enum {
    ARENA_CHUNK_BYTES = 8 * 1024,
    ARENA_ALIGN = 16,
};

/* Prepares an empty arena that allocates nothing until first use. */
void arena_init(struct arena *a, size_t limit_bytes);

/* Runs cleanups and frees everything. Safe on a zeroed or already released arena. */
void arena_release(struct arena *a);

/* Runs cleanups and forgets everything, keeping one chunk for reuse. */
void arena_clear(struct arena *a);

/* `size` bytes, not initialised; NULL on exhaustion or at the limit. size 0 gives a valid pointer.
 */
void *arena_alloc(struct arena *a, size_t size) __attribute__((malloc, alloc_size(2)));

/* Zeroed array of `n` elements of `size` bytes; NULL also when n * size overflows. */
void *arena_calloc(struct arena *a, size_t n, size_t size) __attribute__((malloc));

/* Copy of `size` bytes at `p` with a NUL after it (not counted). NULL on exhaustion. */
char *arena_memdup(struct arena *a, const void *p, size_t size);

/* Room for one element behind the `n` of an array of the arena that `*array` (a pointer to elements) points to, whose
 * capacity is `*cap` elements of `size` bytes: nothing while there is room, else a copy twice as wide (at first of
 * `first` elements), zeroed behind what was there. Amortised O(1). ERR_NOMEM leaves all as it was. */
enum err arena_grow(struct arena *a, void *array, size_t n, size_t *cap, size_t first,
                    size_t size) WARN_UNUSED;

/* Registers fn(arg) for clear/release (A3). ERR_NOMEM leaves nothing registered. */
enum err arena_on_release(struct arena *a, void (*fn)(void *arg), void *arg) WARN_UNUSED;

/* Zeroed object of `type`. */
#define ARENA_NEW(arena, type) ((type *)arena_calloc((arena), 1, sizeof(type)))
/* Zeroed array of `n` objects of `type`. */
#define ARENA_ARRAY(arena, type, n) ((type *)arena_calloc((arena), (n), sizeof(type)))
/* arena_grow for the array that the variable or member `v` points to, of capacity `cap`. */
#define ARENA_GROW(arena, v, n, cap, first)                                                        \
    arena_grow((arena), &(v), (n), &(cap), (first), sizeof(*(v)))

#endif
