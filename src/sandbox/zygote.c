/* The helper process: see zygote.h.
 *
 * Spares. Putting a process into a control group may wait for every processor to pass a quiet state
 * (18 ms measured on version 1, when no other such move happened just before). So the helper keeps
 * ZYGOTE_SPARES first processes that are cloned, mapped and in their groups already, blocked on a
 * socket; a start sends one its plan. What is left to do then takes about a millisecond.
 *
 *   slot: free --make_spare--> spare --start--> live --first process ends--> ending --groups
 * gone--> free
 *
 * Invariants
 *   Z1  The helper has one thread and allocates nothing after it is ready.
 *   Z2  A slot is free again only when no process and no control group of it is left, so its user
 * id and paths are never shared.
 *   Z3  A process that is about to start a function cannot be looked into by one (dumpable is 0)
 * and holds nothing of another: no packet, no report but its own, no environment, no descriptor.
 *
 * Layer: sandbox. Thread: the helper's. */
#include "sandbox/zygote.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/hide.h"
#include "sandbox/sandbox.h"

enum slot_state { SLOT_FREE, SLOT_SPARE, SLOT_LIVE, SLOT_ENDING };

enum {
    REFILL_DELAY_MS = 20, /* after the last start: spares are made when nothing waits */
    ENDING_POLL_MS = 5,
    ENDING_TRIES_MAX = 400,
};

struct slot {
    enum slot_state state;
    pid_t pid;
    int ctl;   /* a spare's socket */
    int tries; /* ENDING */
    uint64_t id;
    struct zygote_event event; /* ENDING: to be sent when the groups are gone */
};

static struct zygote {
    int fd, signals;
    struct zygote_ready ready;
    struct slot slots[ZYGOTE_SLOTS];
    int spares, ending;
    int next_slot;
    bool wants_network, net_known;
    struct box_net net;
    bool no_groups;    /* attaching failed: the version of things without limits goes on */
    char *reports;     /* shared with the children: a page a slot, of which each keeps its own */
    size_t page_bytes; /* of memory */
    char packet[ZYGOTE_PACKET_MAX];
    size_t packet_len; /* of the packet that is being served */
    char *strings[ZYGOTE_STRINGS_MAX + 8];
} z;

static struct box_host *host(void)
{
    return &z.ready.host;
}

static struct box_report *report(int slot)
{
    return (struct box_report *)(void *)(z.reports + (size_t)slot * z.page_bytes);
}

/* --- children --------------------------------------------------------------------------------- */

/* Splits the texts of a start packet and runs the environment; never returns. */
static void child_run(char *packet, size_t len, int log_fd, int slot)
{
    struct zygote_start start;
    memcpy(&start, packet, sizeof start);
    char *p = packet + sizeof start, *end = packet + len;
    size_t n = ZYGOTE_FOLDERS + (size_t)start.n_argv + start.n_envp, at = 0;
    if (n > ZYGOTE_STRINGS_MAX || start.n_argv == 0)
        _exit(1);
    for (size_t i = 0; i < n; i++) {
        char *nul = p < end ? memchr(p, 0, (size_t)(end - p)) : NULL;
        if (!nul)
            _exit(1);
        z.strings[at++] = p;
        if (i == ZYGOTE_FOLDERS - 1 + start.n_argv)
            z.strings[at++] = NULL; /* ends argv */
        p = nul + 1;
    }
    z.strings[at] = NULL;
    struct box_plan plan = {
        .code_dir = z.strings[0],
        .opt_dir = z.strings[1],
        .runtime_dir = z.strings[2],
        .lang_dir = z.strings[3],
        .sdk_dir = z.strings[4],
        .memory_mb = start.memory_mb,
        .ephemeral_mb = start.ephemeral_mb,
        .rlimits = start.rlimits,
        .slot = slot,
        .log_fd = log_fd,
        .argv = &z.strings[ZYGOTE_FOLDERS],
        .envp = &z.strings[ZYGOTE_FOLDERS + start.n_argv + 1],
        .packet = packet,
        .packet_len = len,
    };
    sandbox_box_run(host(), &plan, report(slot));
}

/* Receives a packet and maybe a descriptor; -1 at the end of the stream. */
static ssize_t receive(int fd, char *p, size_t size, int *ret_passed)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = {.iov_base = p, .iov_len = size};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof control.bytes};
    *ret_passed = -1;
    ssize_t n;
    do
        n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return -1;
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    if (c && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(ret_passed, CMSG_DATA(c), sizeof(int));
    return n;
}

static bool send_with_fds(int fd, const void *p, size_t len, const int *pass, size_t n_pass)
{
    union {
        char bytes[CMSG_SPACE(BOX_SOCKETS_MAX * sizeof(int))];
        struct cmsghdr align;
    } control;
    memset(&control, 0, sizeof control);
    struct iovec iov = {.iov_base = (void *)p, .iov_len = len};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = CMSG_SPACE(n_pass * sizeof(int))};
    assert(n_pass > 0 && n_pass <= BOX_SOCKETS_MAX);
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(n_pass * sizeof(int));
    memcpy(CMSG_DATA(c), pass, n_pass * sizeof(int));
    ssize_t n;
    do
        n = sendmsg(fd, &msg, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)len;
}

/* Unmaps the other slots' reports (Z3). */
static bool keep_own_report(int slot)
{
    size_t at = (size_t)slot * z.page_bytes, end = at + z.page_bytes,
           all = ZYGOTE_SLOTS * z.page_bytes;
    return (at == 0 || munmap(z.reports, at) == 0) &&
           (end == all || munmap(z.reports + end, all - end) == 0);
}

/* Makes the spare's network and gives the helper what listens there. */
static bool open_network(int ctl, int slot)
{
    struct box_sockets sockets;
    if (!sandbox_box_net_open(&z.net, &sockets)) {
        *report(slot) = (struct box_report){.stage = BOX_STAGE_NETWORK, .err = errno};
        return false;
    }
    bool sent = send_with_fds(ctl, "", 1, sockets.fds, sockets.n);
    sandbox_box_net_close(&sockets);
    return sent;
}

/* The helper's part: what a spare listens at. False when the spare is gone or could not. */
static bool receive_sockets(int ctl, struct box_sockets *ret_sockets)
{
    union {
        char bytes[CMSG_SPACE(BOX_SOCKETS_MAX * sizeof(int))];
        struct cmsghdr align;
    } control;
    char byte;
    struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof control.bytes};
    ret_sockets->n = 0;
    ssize_t n;
    do
        n = recvmsg(ctl, &msg, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    struct cmsghdr *c = n == 1 ? CMSG_FIRSTHDR(&msg) : NULL;
    if (c && c->cmsg_type == SCM_RIGHTS) {
        ret_sockets->n = min_size((c->cmsg_len - CMSG_LEN(0)) / sizeof(int), BOX_SOCKETS_MAX);
        memcpy(ret_sockets->fds, CMSG_DATA(c), ret_sockets->n * sizeof(int));
    }
    if (c && !(msg.msg_flags & MSG_CTRUNC))
        return true;
    sandbox_box_net_close(ret_sockets);
    errno = ENETDOWN;
    return false;
}

/* A spare's life until it gets its plan. */
static void spare_main(int ctl, int slot)
{
    int log_fd;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (!keep_own_report(slot))
        _exit(1);
    explicit_bzero(z.packet,
                   z.packet_len); /* of the start that found no spare, maybe not its own */
    close(z.fd);
    close(z.signals);
    for (int i = 0; i < ZYGOTE_SLOTS; i++)
        if (z.slots[i].state == SLOT_SPARE)
            close(z.slots[i].ctl);
    if (host()->network && !open_network(ctl, slot))
        _exit(1);
    ssize_t n = receive(ctl, z.packet, sizeof z.packet, &log_fd);
    if (n < (ssize_t)sizeof(struct zygote_start) || log_fd < 0)
        _exit(0);
    /* Not earlier: while it is set, /proc/<pid>/uid_map belongs to root, and the helper writes that
     * before it sends a plan. */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        _exit(1);
    child_run(z.packet, (size_t)n, log_fd, slot);
}

/* clone and not clone3, which container managers' filters answer with ENOSYS. The child is dumpable,
 * so that its user can be mapped; the helper is not. */
static pid_t clone_child(unsigned long flags)
{
    (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    pid_t pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
    if (pid != 0)
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return pid;
}

static int free_slot(void)
{
    for (int i = 0; i < ZYGOTE_SLOTS; i++) {
        int slot = (z.next_slot + i) % ZYGOTE_SLOTS;
        if (z.slots[slot].state == SLOT_FREE) {
            z.next_slot = slot + 1;
            return slot;
        }
    }
    return -1;
}

/* The child of `slot` could not be completed: nothing of it stays. */
static void abandon(int slot, pid_t pid)
{
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    (void)sandbox_cgroup_remove(&z.ready.cgroups, slot);
}

/* Clones, maps and attaches a process for a free slot; -1 with errno. */
static int make_spare(void)
{
    int slot = free_slot(), pair[2];
    if (slot < 0) {
        errno = EAGAIN;
        return -1;
    }
    struct cgroups *cg = &z.ready.cgroups;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    *report(slot) = (struct box_report){0};
    bool groups = !z.no_groups && sandbox_cgroup_make(cg, slot) == ERR_OK;
    pid_t pid = clone_child(sandbox_box_clone_flags(host()));
    if (pid == 0) {
        close(pair[0]);
        spare_main(pair[1], slot);
    }
    int saved = errno;
    close(pair[1]);
    bool ok = pid > 0;
    if (ok && !sandbox_ids_map(host(), pid, slot)) {
        saved = errno;
        abandon(slot, pid);
        ok = false;
    }
    if (!ok) {
        close(pair[0]);
        (void)sandbox_cgroup_remove(cg, slot);
        errno = saved;
        return -1;
    }
    if (groups && sandbox_cgroup_attach(cg, slot, pid) != ERR_OK)
        z.no_groups = true;
    assert(z.slots[slot].state == SLOT_FREE && z.spares < ZYGOTE_SLOTS);
    z.slots[slot] = (struct slot){.state = SLOT_SPARE, .pid = pid, .ctl = pair[0]};
    z.spares++;
    return slot;
}

/* --- requests --------------------------------------------------------------------------------- */

static void send_event(const struct zygote_event *event)
{
    ssize_t n;
    do
        n = send(z.fd, event, sizeof *event, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
}

/* With what listens in the environment's network, if it has one. */
static void send_started(const struct zygote_event *event, struct box_sockets *sockets)
{
    if (sockets->n > 0)
        (void)send_with_fds(z.fd, event, sizeof *event, sockets->fds, sockets->n);
    else
        send_event(event);
    sandbox_box_net_close(sockets);
}

static int take_spare(void)
{
    for (int i = 0; z.spares > 0 && i < ZYGOTE_SLOTS; i++)
        if (z.slots[i].state == SLOT_SPARE)
            return i;
    return make_spare();
}

/* What no control group limits. */
static uint32_t rlimits_wanted(void)
{
    const struct cgroups *cg = &z.ready.cgroups;
    return (z.no_groups || !cg->base[CGROUP_PIDS][0] ? BOX_RLIMIT_PIDS : 0) |
           (z.no_groups || !cg->base[CGROUP_MEMORY][0] ? BOX_RLIMIT_MEMORY : 0);
}

static void kill_slot(int slot)
{
    struct slot *s = &z.slots[slot];
    assert(s->pid > 0);
    if (!host()->namespaces) {
        (void)kill(-s->pid, SIGKILL);
        if (z.ready.cgroups.version)
            sandbox_cgroup_kill(&z.ready.cgroups, slot);
    }
    (void)kill(s->pid, SIGKILL);
}

static void start(size_t len, int log_fd)
{
    struct zygote_start req;
    memcpy(&req, z.packet, sizeof req);
    struct zygote_event event = {.id = req.id, .kind = ZYGOTE_STARTED};
    int slot = z.net_known || !host()->network ? take_spare() : -1;
    struct slot *s = slot >= 0 ? &z.slots[slot] : NULL;
    struct box_sockets sockets = {.n = 0};
    if (s && host()->network && !receive_sockets(s->ctl, &sockets)) {
        int saved = errno;
        kill_slot(slot); /* it ends as a spare */
        errno = saved;
        slot = -1;
    }
    if (slot >= 0 && !z.no_groups &&
        sandbox_cgroup_limit(&z.ready.cgroups, slot, req.memory_mb, SANDBOX_PIDS_MAX) != ERR_OK) {
        sandbox_box_net_close(&sockets); /* without its limits it does not start */
        kill_slot(slot);
        errno = EINVAL;
        slot = -1;
    }
    if (slot < 0) {
        event.kind = ZYGOTE_EXITED;
        event.stage = BOX_STAGE_FORK;
        event.stage_errno = errno;
        send_event(&event);
        return;
    }
    assert(s->state == SLOT_SPARE && z.spares > 0 && s->pid > 0);
    z.spares--;
    s->state = SLOT_LIVE;
    s->id = req.id;
    event.pid = s->pid;
    event.slot = slot;
    /* First: the server must know whose the function's first connection is. */
    send_started(&event, &sockets);
    req.rlimits = rlimits_wanted();
    memcpy(z.packet, &req, sizeof req);
    /* A spare that died meanwhile is found by its SIGCHLD, as any live one. */
    (void)send_with_fds(s->ctl, z.packet, len, &log_fd, 1);
    close(s->ctl);
    s->ctl = -1;
}

static void handle_kill(const struct zygote_kill *req)
{
    for (int i = 0; i < ZYGOTE_SLOTS; i++)
        if (z.slots[i].state == SLOT_LIVE && z.slots[i].id == req->id)
            kill_slot(i);
}

/* One packet of the server; false when it is gone. */
static bool handle_packet(void)
{
    int passed;
    ssize_t n = receive(z.fd, z.packet, sizeof z.packet, &passed);
    if (n < 0)
        return false;
    uint32_t op = 0;
    z.packet_len = (size_t)n;
    memcpy(&op, z.packet, min_size(sizeof op, (size_t)n));
    if (op == ZYGOTE_START && (size_t)n >= sizeof(struct zygote_start) && passed >= 0) {
        start((size_t)n, passed);
    } else if (op == ZYGOTE_KILL && (size_t)n >= sizeof(struct zygote_kill)) {
        struct zygote_kill req;
        memcpy(&req, z.packet, sizeof req);
        handle_kill(&req);
    } else if (op == ZYGOTE_NETWORK && (size_t)n >= sizeof(struct zygote_network)) {
        struct zygote_network req;
        memcpy(&req, z.packet, sizeof req);
        z.net = req.net;
        z.net_known = true;
    }
    if (passed >= 0)
        close(passed);
    explicit_bzero(z.packet,
                   z.packet_len); /* the next child's copy of it must hold no credentials */
    z.packet_len = 0;
    return true;
}

/* --- ends ------------------------------------------------------------------------------------- */

static void slot_ended(int slot)
{
    struct slot *s = &z.slots[slot];
    struct box_report *r = report(slot);
    assert(s->state == SLOT_LIVE || s->state == SLOT_SPARE);
    if (s->state == SLOT_SPARE) {
        close(s->ctl);
        z.spares--;
    }
    if (!host()->namespaces && z.ready.cgroups.version)
        sandbox_cgroup_kill(&z.ready.cgroups, slot);
    s->event = (struct zygote_event){
        .kind = ZYGOTE_EXITED,
        .pid = s->pid,
        .id = s->id,
        .slot = slot,
        .stage = r->stage,
        .stage_errno = r->err,
        .exited = r->exited,
        .wait_status = r->wait_status,
        .oom = sandbox_cgroup_oom(&z.ready.cgroups, slot),
        .peak_bytes = sandbox_cgroup_peak(&z.ready.cgroups, slot),
    };
    s->state = SLOT_ENDING;
    s->tries = 0;
    z.ending++;
}

static void reap(void)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        for (int i = 0; i < ZYGOTE_SLOTS; i++)
            if (z.slots[i].pid == pid &&
                (z.slots[i].state == SLOT_LIVE || z.slots[i].state == SLOT_SPARE))
                slot_ended(i);
}

/* Slots whose groups can be removed now become free and are told (Z2). */
static void finish_ending(void)
{
    for (int i = 0; z.ending > 0 && i < ZYGOTE_SLOTS; i++) {
        struct slot *s = &z.slots[i];
        if (s->state != SLOT_ENDING)
            continue;
        if (!sandbox_cgroup_remove(&z.ready.cgroups, i) && ++s->tries < ENDING_TRIES_MAX)
            continue;
        if (s->id)
            send_event(&s->event);
        assert(z.ending > 0);
        *s = (struct slot){0};
        z.ending--;
    }
}

static void shut_down(void)
{
    for (int i = 0; i < ZYGOTE_SLOTS; i++)
        if (z.slots[i].state == SLOT_LIVE || z.slots[i].state == SLOT_SPARE)
            kill_slot(i);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
        ;
    for (int i = 0; i < ZYGOTE_SLOTS; i++)
        if (z.slots[i].state != SLOT_FREE)
            (void)sandbox_cgroup_remove(&z.ready.cgroups, i);
    sandbox_cgroups_remove(&z.ready.cgroups);
    _exit(0);
}

static bool wants_spares(void)
{
    return z.spares < ZYGOTE_SPARES && (z.net_known || !host()->network);
}

static void loop(void)
{
    struct pollfd fds[] = {{.fd = z.fd, .events = POLLIN}, {.fd = z.signals, .events = POLLIN}};
    for (;;) {
        int timeout = z.ending > 0 ? ENDING_POLL_MS : wants_spares() ? REFILL_DELAY_MS : -1;
        int n = poll(fds, ARRAY_LEN(fds), timeout);
        if (n == 0 && z.ending == 0 && wants_spares())
            (void)make_spare(); /* a failure is tried again after the next wait */
        if (n < 0 && errno != EINTR)
            shut_down();
        struct signalfd_siginfo info;
        while (read(z.signals, &info, sizeof info) > 0)
            ;
        reap();
        finish_ending();
        if (n > 0 && fds[0].revents && !handle_packet())
            shut_down();
    }
}

/* --- start ------------------------------------------------------------------------------------ */

static bool probe_network(struct box_report *told)
{
    static const struct box_net world = {.world = true};
    struct box_sockets sockets;
    if (!host()->network)
        return true;
    if (!sandbox_box_net_open(&world, &sockets)) {
        *told = (struct box_report){.stage = BOX_STAGE_NETWORK, .err = errno};
        return false;
    }
    sandbox_box_net_close(&sockets);
    return true;
}

/* Tries everything that an environment goes through, in a child; false when it failed. */
static bool probe_once(void)
{
    struct box_report *told = report(0);
    int go[2];
    *told = (struct box_report){0};
    if (pipe2(go, O_CLOEXEC) != 0)
        return false;
    pid_t pid = clone_child(sandbox_box_clone_flags(host()));
    if (pid == 0) {
        char byte;
        struct box_plan plan = {.code_dir = "/usr",
                                .opt_dir = "",
                                .runtime_dir = "",
                                .lang_dir = "",
                                .sdk_dir = "",
                                .ephemeral_mb = 1,
                                .log_fd = 2};
        close(go[1]);
        if (read(go[0], &byte, 1) != 1 || !probe_network(told) ||
            !sandbox_box_enter(host(), &plan, told))
            _exit(1);
        told->exited = 1;
        _exit(0);
    }
    bool ok = pid > 0 && sandbox_ids_map(host(), pid, 0) && write(go[1], "", 1) == 1;
    if (!ok)
        told->err = errno;
    close(go[0]);
    close(go[1]);
    if (pid > 0)
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    return ok && told->exited;
}

/* With users of their own if there are any, else without. */
static bool probe_users(void)
{
    sandbox_ids_find(host(), ZYGOTE_SLOTS);
    /* Root without other users runs no functions: they would be root. */
    if (geteuid() == 0)
        return host()->own_uid && probe_once();
    /* Subordinate ids can only be mapped, not switched to. */
    if (host()->subordinate && host()->userns && probe_once())
        return true;
    host()->own_uid = host()->subordinate = false;
    return probe_once();
}

/* From the best that a host may allow downwards, until a child comes through. */
static void probe(void)
{
    static const struct {
        bool namespaces, userns, proc, network;
    } levels[] = {
        {true, true, true, true},   {true, true, true, false},   {true, false, true, true},
        {true, false, true, false}, {true, true, false, true},   {true, true, false, false},
        {true, false, false, true}, {true, false, false, false}, {false, false, false, false},
    };
    bool seccomp = host()->seccomp;
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        if (levels[i].network && !z.wants_network)
            continue;
        host()->network = levels[i].network;
        host()->namespaces = levels[i].namespaces;
        host()->userns = levels[i].userns;
        host()->proc = levels[i].proc;
        host()->seccomp = seccomp;
        if (probe_users())
            return;
        if (!z.ready.failed_errno) {
            z.ready.failed_stage = report(0)->stage;
            z.ready.failed_errno = report(0)->err;
        }
        if (report(0)->stage == BOX_STAGE_SECCOMP) {
            host()->seccomp = false;
            if (probe_users())
                return;
        }
    }
    host()->seccomp = false;
}

static void zygote_main(const char *work_dir)
{
    (void)prctl(PR_SET_NAME, "weir-sandbox", 0, 0, 0);
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || sandbox_hide_arguments("weir-sandbox") != ERR_OK)
        _exit(1);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    /* A terminal's interrupt is for the server, which drains first. */
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_SETMASK, &set, NULL);
    z.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    z.page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    assert(sizeof(struct box_report) <= z.page_bytes);
    z.reports = mmap(NULL, ZYGOTE_SLOTS * z.page_bytes, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (z.signals < 0 || z.reports == MAP_FAILED ||
        sandbox_box_host_init(host(), work_dir) != ERR_OK)
        _exit(1);
    if (geteuid() == 0)
        (void)setgroups(0, NULL);
    /* After an earlier helper its last functions may still be dying (Z2). */
    z.next_slot = (int)getpid() % ZYGOTE_SLOTS;
    probe();
    sandbox_cgroups_probe(&z.ready.cgroups);
    if (send(z.fd, &z.ready, sizeof z.ready, MSG_NOSIGNAL) != (ssize_t)sizeof z.ready)
        _exit(1);
    loop();
}

static enum err make_pair(int pair[2])
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return ERR_IO;
    for (int i = 0; i < 2; i++) {
        int size = 4 * ZYGOTE_PACKET_MAX;
        (void)setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    }
    return ERR_OK;
}

static enum err give_helper(const int pair[2], int pid, int *ret_fd, int *ret_pid)
{
    close(pair[1]);
    if (pid <= 0) {
        close(pair[0]);
        return ERR_IO;
    }
    *ret_fd = pair[0];
    *ret_pid = pid;
    return ERR_OK;
}

/* All that the helper may have open is its socket: neither the server's store nor its connections. */
static void begin(int fd, const char *work_dir, bool network)
{
    z.fd = fd;
    z.wants_network = network;
    if (fd > 3)
        (void)close_range(3, (unsigned)fd - 1, 0);
    (void)close_range((unsigned)fd + 1, ~0u, 0);
    (void)umask(022); /* what it makes is seen by the functions' own users */
    zygote_main(work_dir);
    _exit(0);
}

enum err sandbox_zygote_fork(const char *work_dir, bool network, int *ret_fd, int *ret_pid)
{
    int pair[2];
    TRY(make_pair(pair));
    pid_t pid = fork();
    if (pid == 0)
        begin(pair[1], work_dir, network);
    return give_helper(pair, pid, ret_fd, ret_pid);
}

/* --- a helper that is a program of its own ---------------------------------------------------- */

static const char helper_name[] = "weir-sandbox-helper", own_network[] = "own-network";

enum { HELPER_FD = 3 };

enum err sandbox_zygote_spawn(const char *work_dir, bool network, int *ret_fd, int *ret_pid)
{
    char *argv[] = {(char *)(uintptr_t)helper_name, (char *)(uintptr_t)work_dir,
                    (char *)(uintptr_t)(network ? own_network : ""), NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none;
    int pair[2];
    pid_t pid = -1;
    TRY(make_pair(pair));
    sigemptyset(&none);
    if (posix_spawn_file_actions_init(&actions) != 0)
        return give_helper(pair, -1, ret_fd, ret_pid);
    if (posix_spawnattr_init(&attr) == 0) {
        if (posix_spawn_file_actions_adddup2(&actions, pair[1], HELPER_FD) != 0 ||
            posix_spawnattr_setsigmask(&attr, &none) != 0 ||
            posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK) != 0 ||
            posix_spawn(&pid, "/proc/self/exe", &actions, &attr, argv, environ) != 0)
            pid = -1;
        (void)posix_spawnattr_destroy(&attr);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return give_helper(pair, pid, ret_fd, ret_pid);
}

void sandbox_helper_main(int argc, char **argv)
{
    static char work_dir[BOX_PATH_MAX];
    if (argc != 3 || strcmp(argv[0], helper_name) != 0)
        return;
    /* The arguments are wiped before the folder is needed. */
    size_t len = strlen(argv[1]);
    if (len >= sizeof work_dir)
        _exit(1);
    memcpy(work_dir, argv[1], len);
    begin(HELPER_FD, work_dir, strcmp(argv[2], own_network) == 0);
}
