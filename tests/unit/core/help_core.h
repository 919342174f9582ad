/* A core with one made-up service over the store in memory, served on a loop of its own thread, and
 * a blocking client. Every operation is unsigned JSON: {"key": ...}.
 *
 *   Line  waits for a token; its value is the key. "short" waits 50 ms, others a minute
 *   Get   value of key, or error Missing      Put     key := attempt count as text
 *   Fail  error Missing after a read          Wait    suspends until the key is put or 200 ms
 * passed Clash conflicts with itself n times       Upload  streamed body into a sink that counts */
#ifndef WEIR_TESTS_HELP_CORE_H
#define WEIR_TESTS_HELP_CORE_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/core.h"
#include "core/waiter.h"
#include "kv/drv_fault/kv_fault.h"
#include "kv/drv_fault/kv_mem.h"

struct fixture {
    struct core core;
    struct kv_mem_disk *disk;
    struct kv *mem; /* behind the fault driver */
    struct io_loop *loop;
    struct http_server *http;
    struct svc svc;
    /* What happened, for the tests to wait for. */
    atomic_int ran, committed, aborted, durable, cancelled, suspended;
    atomic_int sink_bytes, sink_finished, sink_aborted;
    atomic_int sink_writes, sink_digests; /* begun */
    atomic_int hold_write, hold_digest;   /* while it is so many'th or a later one; 0: none */
    uint32_t sink_written, sink_digested; /* by fixture_sum */
    atomic_int clashes_left;
    pthread_mutex_t lock; /* of `waiting`: a service's own lock, as call_wake demands */
    struct call *waiting;
    struct waiters line; /* of Line; under `lock` */
    int tokens;
};

/* `manual`: commits become durable by kv_mem_grant only. */
void fixture_start(struct fixture *f, bool manual);
/* Drains, stops, frees; asserts that nothing was left over. */
void fixture_stop(struct fixture *f);

/* Gives `n` tokens to those who wait in Line. */
void fixture_give(struct fixture *f, int n);
/* Goes on with a sum that depends on each byte and on their order. */
uint32_t fixture_sum(uint32_t sum, const void *p, size_t len);
/* Wakes the suspended call, if there is one, `times` times. */
void fixture_wake(struct fixture *f, int times);
/* What operation Nest does: the test's. */
extern enum err (*fixture_nest)(struct call *call, const void *in, void *out);

int client_connect(struct fixture *f);
/* Sends one request; head and body in one write. */
void client_send(int fd, const char *op, const char *key);
void client_send_raw(int fd, const char *bytes, size_t len);
/* Whether a reply (or the end of the connection) has arrived by now. */
bool client_has_reply(int fd);
/* Reads one reply: status and body into `body`. Status 0 when the connection ended. */
int client_read(int fd, char *body, size_t size);
/* Spins (yielding) until *n reaches `want`, for a minute at most. */
void wait_count(atomic_int *n, int want);

#endif
