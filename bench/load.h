/* A closed-loop HTTP client: N keep-alive connections on one epoll, each sending its next request
 * when its last reply is whole. Measures rate, latency and the server's CPU time.
 *
 * Thread: one. */
#ifndef WEIR_BENCH_LOAD_H
#define WEIR_BENCH_LOAD_H

#include "base/buf.h"

enum {
    LOAD_CONNECTIONS_MAX = 256,
    LOAD_KEEP_MAX = 1024 * 1024, /* reply bodies up to this are kept for `check` */
};

struct load_target {
    const char *host; /* numeric */
    uint16_t port;
    int pid; /* whose CPU and memory are measured */
};

struct load_conn {
    int index;
    uint64_t number; /* of the request under way, from 0 */
    struct buf out;  /* what `make` writes: head, and small body */
    /* A large body: `body_left` bytes, taken from `block` again and again. */
    const char *block;
    size_t block_len;
    uint64_t body_left;
    int status;      /* of the reply */
    int phase;       /* the plan's */
    struct buf text; /* the plan's */
    /* engine's */
    int fd;
    size_t out_at;
    struct buf in;
    size_t head_len;
    int64_t content_length;
    uint64_t body_got;
    int64_t start_ns;
    bool writing;
};

struct load_plan {
    uint64_t requests; /* measured */
    uint64_t warmup;   /* sent before, not measured */
    int connections;
    int pause_ms; /* before each request; for plans of one connection */
    /* Writes request c->number of this plan to c->out (empty). */
    void (*make)(void *ctx, struct load_conn *c);
    /* Whether the whole reply was right; `body` is empty when it was over LOAD_KEEP_MAX. NULL: any
     * 2xx. */
    bool (*check)(void *ctx, struct load_conn *c, struct str body);
    void *ctx;
};

struct load_result {
    uint64_t requests, failed;
    double seconds;
    double p50_us, p99_us;
    double cpu_us;       /* of the server, a request */
    uint64_t body_bytes; /* both ways */
};

/* Runs the plan to its end. ERR_IO when the server cannot be reached or breaks off; the first wrong
 * reply is printed to stderr. */
enum err load_run(const struct load_target *target, const struct load_plan *plan,
                  struct load_result *ret_result) WARN_UNUSED;

/* CPU time (user and system) of a process so far in seconds, and its resident memory in MiB. 0 when
 * it is gone. */
double load_cpu_s(int pid);
double load_rss_mib(int pid);

/* Waits until the process is idle (its background work would count as the next run's cost), at most
 * 30 s. */
void load_settle(int pid);

#endif
