/* The helper process that forks functions: forked from the server while that is small and has one
 * thread, so that starting a function neither copies the server's memory map nor stalls its loops.
 *
 * Protocol, on a SOCK_SEQPACKET pair, one struct a packet:
 *   server -> helper   struct zygote_start (+ strings, + the log pipe's write end), struct zygote_kill
 *                      struct zygote_network
 *   helper -> server   struct zygote_ready first, then struct zygote_event; with STARTED, of an
 *                      environment with a network of its own, the sockets that listen there
 * The server's end closing makes the helper kill everything and exit.
 *
 * Layer: sandbox, internal. */
#ifndef WEIR_SANDBOX_ZYGOTE_H
#define WEIR_SANDBOX_ZYGOTE_H

#include "sandbox/box.h"
#include "sandbox/cgroup.h"

enum {
    ZYGOTE_SLOTS = 4096 + 8, /* SANDBOX_INSTANCES_MAX and spares */
    ZYGOTE_PACKET_MAX = 128 * 1024,
    ZYGOTE_STRINGS_MAX = 4096, /* arguments and variables of one function */
    ZYGOTE_SPARES = 2,         /* first processes kept ready, see zygote.c */
};

enum zygote_op { ZYGOTE_START = 1, ZYGOTE_KILL = 2, ZYGOTE_NETWORK = 3 };

/* Where functions' networks lead. First of all, when they have some: until then none is started. */
struct zygote_network {
    uint32_t op; /* ZYGOTE_NETWORK */
    struct box_net net;
};

struct zygote_kill {
    uint32_t op; /* ZYGOTE_KILL */
    uint32_t reserved;
    uint64_t id;
};

enum { ZYGOTE_FOLDERS = 5 };

/* Followed by NUL-terminated texts: code_dir, opt_dir, runtime_dir, lang_dir, sdk_dir, argv, envp. */
struct zygote_start {
    uint32_t op; /* ZYGOTE_START */
    uint32_t n_argv;
    uint64_t id;
    uint32_t n_envp;
    int32_t memory_mb;
    int32_t ephemeral_mb;
    uint32_t rlimits; /* the helper's: bits of enum box_rlimit */
};

struct zygote_ready {
    struct box_host host;
    struct cgroups cgroups;
    int32_t failed_stage, failed_errno; /* of the namespace probe */
};

enum zygote_event_kind { ZYGOTE_STARTED = 1, ZYGOTE_EXITED = 2 };

struct zygote_event {
    uint32_t kind;
    int32_t pid;
    uint64_t id;
    int32_t slot;
    /* EXITED: */
    int32_t stage; /* enum box_stage reached or failed in */
    int32_t stage_errno;
    int32_t exited; /* wait_status is the function's */
    int32_t wait_status;
    int32_t oom;
    int64_t peak_bytes;
};

/* Forks it. `network`: functions are to have networks of their own. *ret_fd is the server's end (non-blocking after the ready packet is read). ERR_IO. */
enum err sandbox_zygote_fork(const char *work_dir, bool network, int *ret_fd,
                             int *ret_pid) WARN_UNUSED;
/* The same for a process that has threads and secrets: starts this program anew, whose main then
 * calls sandbox_helper_main. */
enum err sandbox_zygote_spawn(const char *work_dir, bool network, int *ret_fd,
                              int *ret_pid) WARN_UNUSED;

#endif
