/* What a function's process goes through between clone and exec: its own root, user, no
 * capabilities, a system call filter.
 *
 * Layer: sandbox, internal. Thread: the helper process and its children; nothing here allocates
 * after sandbox_box_host_init. */
#ifndef WEIR_SANDBOX_BOX_H
#define WEIR_SANDBOX_BOX_H

#include <linux/filter.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/base.h"

enum {
    BOX_PATH_MAX = 1024,
    BOX_UID = 993, /* inside, as on Lambda */
    BOX_GID = 990,
    BOX_HOST_UID_BASE = 200000, /* + slot: the user of a function on the host, when Weir is root */
    BOX_FILTER_MAX = 1024,      /* instructions */
    /* What a runtime maps and never touches, beside its function's memory: limits of a process count
     * that too. */
    BOX_MAPPED_MB = 256,
    /* Descriptors by which a function with a user of its own but without a root of its own reaches
     * its folders: they lie in Weir's data folder, which is closed to others. */
    BOX_CODE_FD = 3,
    BOX_OPT_FD = 4,
    BOX_FDS_END = 5,
    BOX_API_PORT = 9001, /* of the Runtime API in a network of its own, as on Lambda */
    BOX_SOCKETS_MAX = 32,
};

/* What this host allows, found out by sandbox_box_host_init and the probe of zygote.c. */
struct box_host {
    char root[BOX_PATH_MAX]; /* skeleton of the functions' root folder */
    char net[BOX_PATH_MAX];  /* files of a network of their own: seen as /etc/weir */
    bool namespaces;         /* mount, pid, ipc, uts */
    bool userns;             /* and user */
    bool proc;               /* a /proc of their own */
    bool network;            /* a network of their own */
    bool own_uid;            /* each environment has a user of its own on the host: base + slot */
    bool subordinate;        /* as Weir's user was given a range of ids, not as it is root */
    unsigned uid_base, gid_base;
    bool seccomp;
    struct sock_filter filter[BOX_FILTER_MAX];
    unsigned short filter_len;
};

/* What a network of an environment's own leads to. */
struct box_net {
    bool world; /* every address is taken in; else only Weir's */
    bool guest; /* a command's: without a Runtime API */
    uint16_t endpoint_port;
    struct sockaddr_storage endpoint; /* ss_family AF_UNSPEC: it is a name */
};

/* Listening there, for the server: the Runtime API's unless it is a guest's, the resolver's (UDP), and the rest. */
struct box_sockets {
    int fds[BOX_SOCKETS_MAX];
    size_t n;
};

/* How far a child came, told through shared memory. */
enum box_stage {
    BOX_STAGE_NONE,
    BOX_STAGE_NETWORK,
    BOX_STAGE_MOUNT,
    BOX_STAGE_ROOT,
    BOX_STAGE_PROC,
    BOX_STAGE_USER,
    BOX_STAGE_CAPS,
    BOX_STAGE_SECCOMP,
    BOX_STAGE_LIMITS,
    BOX_STAGE_FORK,
    BOX_STAGE_EXEC,
    BOX_STAGE_RUNNING,
};

struct box_report {
    int stage;  /* enum box_stage that failed, or RUNNING */
    int err;    /* errno of the failure */
    int exited; /* 1: wait_status is the function's */
    int wait_status;
};

/* Limits of a process that stand in for those of a missing control group. */
enum box_rlimit { BOX_RLIMIT_PIDS = 1, BOX_RLIMIT_MEMORY = 2 };

struct box_plan {
    const char *code_dir;    /* host path of /var/task */
    const char *opt_dir;     /* host path of /opt, or "" */
    const char *runtime_dir; /* host path of /var/runtime, or "" */
    const char *lang_dir;    /* host path of /var/lang: an interpreter's prefix; or "" */
    const char *sdk_dir;     /* host path of /node_modules, or "" */
    int memory_mb, ephemeral_mb;
    unsigned rlimits; /* bits of enum box_rlimit */
    int slot;
    int log_fd;
    char *const *argv; /* argv[0] is the path to execute, as seen inside */
    char *const *envp;
    /* Where all these texts lie, credentials among them; the first process wipes it once the function
     * has its copy. NULL: nowhere. */
    char *packet;
    size_t packet_len;
};

/* Builds the skeleton under `work_dir` and the system call filter. ERR_IO. */
enum err sandbox_box_host_init(struct box_host *host, const char *work_dir) WARN_UNUSED;

/* Whether functions see their folders as /proc/self/fd/BOX_*_FD. */
static inline bool box_pins_folders(const struct box_host *host)
{
    return !host->namespaces && host->own_uid;
}

/* box_net.c: in a network namespace that was just made. False with errno, and none is open. */
bool sandbox_box_net_open(const struct box_net *net, struct box_sockets *ret_sockets);
void sandbox_box_net_close(struct box_sockets *sockets);

/* Flags of clone for a new environment. */
unsigned long sandbox_box_clone_flags(const struct box_host *host);

/* ids.c: finds users for `slots` environments: own_uid, subordinate and the bases. */
void sandbox_ids_find(struct box_host *host, unsigned slots);
/* The parent's part after clone: user and group maps. False with errno. */
bool sandbox_ids_map(const struct box_host *host, pid_t pid, int slot);

/* The child's part: becomes the environment's first process, starts the function, waits for it,
 * reports, exits. */
void sandbox_box_run(const struct box_host *host, const struct box_plan *plan,
                     struct box_report *report) __attribute__((noreturn));
/* Everything of sandbox_box_run up to the function itself; for probing. False with report->stage and err.
 */
bool sandbox_box_enter(const struct box_host *host, const struct box_plan *plan,
                       struct box_report *report);

#endif
