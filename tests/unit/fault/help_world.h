/* The whole server of src/main/serve.c on one loop of its own thread, over the store in memory
 * behind the fault driver, with a blocking client that signs; and the places where it can be made
 * to fail: the loop's allocations, store calls, system calls.
 *
 * Functions run nowhere here: there is no sandbox, so a test may define functions, not invoke them.
 */
#ifndef WEIR_TESTS_HELP_WORLD_H
#define WEIR_TESTS_HELP_WORLD_H

#include <stdatomic.h>

#include "core/core.h"
#include "deliver/deliver.h"
#include "kv/drv_fault/kv_fault.h"
#include "kv/drv_fault/kv_mem.h"

enum { REPLY_MAX = 512 * 1024 };

struct world {
    struct core core;
    struct kv_mem_disk *disk;
    struct io_loop *loop;
    struct http_server *http;
    char dir[64]; /* data folder, below /tmp */
};

/* A world that is all new. */
void world_make(struct world *w);
/* Removes disk and folder; the world is down. */
void world_remove(struct world *w);
/* Starts it over what is on its disk; stops it as SIGTERM does. */
void world_up(struct world *w);
void world_down(struct world *w);
/* Files under the data folder. */
size_t world_files(const struct world *w);

/* --- client ----------------------------------------------------------------------------------- */

struct request {
    const char *service; /* of the signature: "s3", "sqs", ... */
    const char *method;  /* NULL: POST */
    const char *path;    /* with query; NULL: "/" */
    const char *target;  /* X-Amz-Target; NULL: none */
    const char *type;    /* Content-Type; NULL: none */
    const char *header;  /* one further "name: value"; NULL: none */
    const char *body;    /* text; NULL: none */
    size_t pad;          /* bytes of a header that says nothing */
    size_t repeat;       /* > 0: the body is that many bytes 'x' */
};

struct reply {
    int status; /* 0: the connection ended without a whole reply */
    char *body; /* NUL-terminated */
    size_t len;
    char head[8192];
};

/* One request on a connection of its own. *ret must be zeroed at first; its memory is reused. */
void world_call(struct world *w, const struct request *req, struct reply *ret);
void reply_free(struct reply *r);

/* --- a test by the clock ------------------------------------------------------------------------ */

/* A new world that is up, whose clock stands at now_ms (clock_fake_set_ms). */
void world_begin(struct world *w, int64_t now_ms);
/* Ends it, what was kept of replies with it; the clock goes by itself again. */
void world_end(struct world *w, struct reply *reply);

/* --- faults ----------------------------------------------------------------------------------- */

enum fault_kind {
    FAULT_MEMORY,                               /* the loop's thread */
    FAULT_KV,                                   /* + enum kv_fault_call, ERR_IO */
    FAULT_CONFLICT = FAULT_KV + KV_FAULT_CALLS, /* a commit's ERR_CONFLICT */
    FAULT_OPEN,
    FAULT_READ,
    FAULT_PREAD,
    FAULT_WRITE,
    FAULT_SHORT_WRITE, /* writes half of it, and then there is no space */
    FAULT_FSYNC,       /* fdatasync too */
    FAULT_RENAME,
    FAULT_UNLINK,
    FAULT_FSTAT,
    FAULT_KINDS,
};

const char *fault_name(enum fault_kind kind);
/* The n-th following event of this kind fails, once. */
void fault_arm(struct world *w, enum fault_kind kind, uint64_t n);
/* Turns it off; whether it came to the n-th event. */
bool fault_disarm(struct world *w);

/* The n-th following call that a stack's resource makes is refused by its service, once; 0: none. */
void world_refuse_call(uint64_t n);
/* Such calls since then. */
uint64_t world_calls(void);

#endif
