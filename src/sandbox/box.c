/* Isolation of one function: see box.h.
 *
 * The skeleton is a folder that is made once:
 *   root/ usr etc dev proc tmp opt var/task var/runtime var/lang node_modules [bin lib lib64 sbin: as on the host]
 * Each environment binds it, and over it: the host's /usr (and /bin, /lib where they are folders),
 * a few files of /etc, six devices, all read-only; its package on /var/task; a tmpfs of its size on
 * /tmp. As every mount point exists already, nothing is created as the function's user. In a user
 * namespace mounting needs no right on the host, so the same steps serve root and everybody else.
 *
 *   helper --clone--> first process (this file) --fork--> function
 * The first process reaps orphans and reports how the function ended. It is pid 1 of its namespace:
 * when it goes, the kernel kills the rest. The function is not pid 1 itself, because the kernel
 * keeps fatal signals from a pid 1 that has no handler: abort() would not end it.
 *
 * Layer: sandbox. Thread: the helper's children, which have one. */
#include "sandbox/box.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/seccomp.h>
#include <linux/securebits.h>

#include "net/net.h"
#include "sandbox/filter.h"
#include "sandbox/sandbox.h"

static const char *const skeleton_dirs[] = {
    "usr", "etc", "etc/ssl", "etc/alternatives", "etc/weir",    "dev",      "proc",
    "tmp", "opt", "var",     "var/task",         "var/runtime", "var/lang", "node_modules",
};
static const char *const top_links[] = {"bin", "sbin", "lib", "lib32", "lib64"};
static const char *const devices[] = {"null", "zero", "full", "random", "urandom", "tty"};
/* Files of the host's /etc that programs need to resolve names and load libraries. */
static const char *const etc_files[] = {"resolv.conf", "hosts", "nsswitch.conf", "ld.so.cache",
                                        "localtime"};
/* Of those, what a network of its own replaces. */
static const char *const net_files[] = {"resolv.conf", "nsswitch.conf"};
static const char resolv_conf[] = "nameserver " NET_RESOLVER_ADDRESS "\n";
static const char nsswitch_conf[] = "passwd: files\ngroup: files\nhosts: files dns\n";
static const char *const etc_dirs[] = {"ssl", "alternatives"};

static const char passwd[] = "root:x:0:0:root:/root:/usr/sbin/nologin\n"
                             "sbx_user1051:x:993:990::/tmp:/usr/sbin/nologin\n";

/* "<dir>/<a><b>"; false when it does not fit. */
static bool join(char out[BOX_PATH_MAX], const char *dir, const char *a, const char *b)
{
    return snprintf(out, BOX_PATH_MAX, "%s/%s%s", dir, a, b) < BOX_PATH_MAX;
}

static bool make_dir(const char *path)
{
    return mkdir(path, 0755) == 0 || errno == EEXIST;
}

static bool make_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (text ? O_TRUNC : 0), 0644);
    if (fd < 0)
        return false;
    bool ok = !text || write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return ok;
}

/* /bin and its like: the host's link copied, or a folder to bind over. */
static bool make_top(const char *root, const char *name)
{
    char path[BOX_PATH_MAX], host[BOX_PATH_MAX], target[BOX_PATH_MAX];
    struct stat st;
    if (!join(path, root, name, "") || !join(host, "", name, ""))
        return false;
    if (lstat(host, &st) != 0)
        return true;
    if (!S_ISLNK(st.st_mode))
        return make_dir(path);
    ssize_t n = readlink(host, target, sizeof target - 1);
    if (n < 0)
        return false;
    target[n] = 0;
    return symlink(target, path) == 0 || errno == EEXIST;
}

static bool make_skeleton(const char *root)
{
    char path[BOX_PATH_MAX];
    if (!make_dir(root))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(skeleton_dirs); i++)
        if (!join(path, root, skeleton_dirs[i], "") || !make_dir(path))
            return false;
    for (size_t i = 0; i < ARRAY_LEN(top_links); i++)
        if (!make_top(root, top_links[i]))
            return false;
    for (size_t i = 0; i < ARRAY_LEN(devices); i++)
        if (!join(path, root, "dev/", devices[i]) || !make_file(path, NULL))
            return false;
    for (size_t i = 0; i < ARRAY_LEN(etc_files); i++)
        if (!join(path, root, "etc/", etc_files[i]) || !make_file(path, NULL))
            return false;
    /* What Node.js imports is looked for by walking up from /var/task: in layers before the SDK. Older
     * skeletons have a folder there. */
    if (join(path, root, "var/node_modules", ""))
        (void)rmdir(path);
    static const char *const links[][2] = {{"/opt/nodejs/node_modules", "var/node_modules"},
                                           {"/proc/self/fd", "dev/fd"},
                                           {"/proc/self/fd/0", "dev/stdin"},
                                           {"/proc/self/fd/1", "dev/stdout"},
                                           {"/proc/self/fd/2", "dev/stderr"}};
    for (size_t i = 0; i < ARRAY_LEN(links); i++)
        if (!join(path, root, links[i][1], "") ||
            (symlink(links[i][0], path) != 0 && errno != EEXIST))
            return false;
    return join(path, root, "etc/passwd", "") && make_file(path, passwd) &&
           join(path, root, "etc/group", "") && make_file(path, "root:x:0:\nsbx:x:990:\n");
}

/* The certificates are the server's to write. */
static bool make_net_files(const char *dir)
{
    char path[BOX_PATH_MAX];
    return make_dir(dir) && join(path, dir, "resolv.conf", "") && make_file(path, resolv_conf) &&
           join(path, dir, "nsswitch.conf", "") && make_file(path, nsswitch_conf) &&
           join(path, dir, "ca-bundle.crt", "") && make_file(path, NULL);
}

enum err sandbox_box_host_init(struct box_host *host, const char *work_dir)
{
    memset(host, 0, sizeof *host);
    if (!join(host->root, work_dir, "root", ""))
        return ERR_LIMIT;
    if (!join(host->net, work_dir, "net", ""))
        return ERR_LIMIT;
    if (!make_dir(work_dir) || !make_skeleton(host->root) || !make_net_files(host->net))
        return ERR_IO;
    size_t n = 0;
    host->seccomp = sandbox_filter_build(host->filter, BOX_FILTER_MAX, &n) == ERR_OK;
    host->filter_len = (unsigned short)n;
    return ERR_OK;
}

unsigned long sandbox_box_clone_flags(const struct box_host *host)
{
    if (!host->namespaces)
        return 0;
    return CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
           (host->userns ? CLONE_NEWUSER : 0) | (host->network ? CLONE_NEWNET : 0);
}

/* --- in the child ----------------------------------------------------------------------------- */

static bool fail(struct box_report *report, enum box_stage stage)
{
    report->err = errno;
    report->stage = (int)stage;
    return false;
}

/* Binds host path `from` at `to`, with all below it, with the given attributes. */
static bool bind_at(const char *from, const char *to, unsigned long long attributes)
{
    if (mount(from, to, NULL, MS_BIND | MS_REC, NULL) != 0)
        return false;
    struct mount_attr attr = {.attr_set = attributes};
    return mount_setattr(AT_FDCWD, to, AT_RECURSIVE, &attr, sizeof attr) == 0;
}

enum {
    SEALED = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
    DEVICE = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
};

/* Binds "<dir><name>" of the host to the same place below `root`, when the host has it. */
static bool bind_same(const char *root, const char *dir, const char *name,
                      unsigned long long attributes)
{
    char from[BOX_PATH_MAX], to[BOX_PATH_MAX];
    struct stat st;
    if (!join(from, "", dir, name) || !join(to, root, dir, name)) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (stat(from, &st) != 0)
        return true;
    return bind_at(from, to, attributes);
}

static bool mount_system(const char *root)
{
    if (!bind_same(root, "", "usr", SEALED))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(top_links); i++) {
        char host[BOX_PATH_MAX];
        struct stat st;
        if (join(host, "", top_links[i], "") && lstat(host, &st) == 0 && S_ISDIR(st.st_mode) &&
            !bind_same(root, "", top_links[i], SEALED))
            return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(etc_files); i++)
        if (!bind_same(root, "etc/", etc_files[i], SEALED | MOUNT_ATTR_NOEXEC))
            return false;
    for (size_t i = 0; i < ARRAY_LEN(etc_dirs); i++)
        if (!bind_same(root, "etc/", etc_dirs[i], SEALED | MOUNT_ATTR_NOEXEC))
            return false;
    for (size_t i = 0; i < ARRAY_LEN(devices); i++)
        if (!bind_same(root, "dev/", devices[i], DEVICE))
            return false;
    return true;
}

/* The function's resolver and whom it trusts, over the host's. */
static bool mount_net(const struct box_host *host)
{
    char from[BOX_PATH_MAX], to[BOX_PATH_MAX];
    struct stat st;
    enum { FILE_SEALED = SEALED | MOUNT_ATTR_NOEXEC };
    if (!join(to, host->root, "etc/weir", "") || !bind_at(host->net, to, FILE_SEALED))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(net_files); i++)
        if (!join(from, host->net, net_files[i], "") ||
            !join(to, host->root, "etc/", net_files[i]) || !bind_at(from, to, FILE_SEALED))
            return false;
    if (!join(from, host->net, "ca-bundle.crt", "") ||
        !join(to, host->root, "etc/ssl/certs/ca-certificates.crt", ""))
        return false;
    /* Where the host keeps its own elsewhere, SSL_CERT_FILE leads to it. */
    return lstat(to, &st) != 0 || !S_ISREG(st.st_mode) || bind_at(from, to, FILE_SEALED);
}

static bool mount_function(const char *root, const struct box_plan *plan)
{
    char to[BOX_PATH_MAX], options[64];
    const char *const binds[][2] = {{plan->code_dir, "var/task"},
                                    {plan->opt_dir, "opt"},
                                    {plan->runtime_dir, "var/runtime"},
                                    {plan->lang_dir, "var/lang"},
                                    {plan->sdk_dir, "node_modules"}};
    for (size_t i = 0; i < ARRAY_LEN(binds); i++)
        if (binds[i][0][0] &&
            (!join(to, root, binds[i][1], "") || !bind_at(binds[i][0], to, SEALED)))
            return false;
    (void)snprintf(options, sizeof options, "size=%dm,mode=1777", plan->ephemeral_mb);
    return join(to, root, "tmp", "") &&
           mount("tmpfs", to, "tmpfs", MS_NOSUID | MS_NODEV, options) == 0;
}

static bool enter_root(const struct box_host *host, const struct box_plan *plan,
                       struct box_report *report)
{
    const char *root = host->root;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return fail(report, BOX_STAGE_MOUNT);
    /* The skeleton becomes a mount of its own: pivot_root asks for one. */
    if (!bind_at(root, root, SEALED) || !mount_system(root) ||
        (host->network && !mount_net(host)) || !mount_function(root, plan))
        return fail(report, BOX_STAGE_MOUNT);
    char to[BOX_PATH_MAX];
    if (!join(to, root, "proc", "") ||
        mount("proc", to, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0) {
        /* Some container managers mask parts of /proc; the kernel then refuses a fresh one. */
        if (host->proc)
            return fail(report, BOX_STAGE_PROC);
    }
    if (chdir(root) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 ||
        umount2(".", MNT_DETACH) != 0 || chdir("/") != 0)
        return fail(report, BOX_STAGE_ROOT);
    (void)!sethostname("localhost", 9);
    return true;
}

/* To the mapped user; without a user namespace, as root, to one of its own on the host. */
static bool become_user(const struct box_host *host, const struct box_plan *plan)
{
    uid_t uid = BOX_UID;
    gid_t gid = BOX_GID;
    if (!host->userns) {
        if (!host->own_uid)
            return geteuid() != 0; /* never as root */
        uid = (uid_t)host->uid_base + (uid_t)plan->slot;
        gid = (gid_t)host->gid_base + (gid_t)plan->slot;
    }
    /* The groups of Weir's user; as root the helper left them at its start. */
    if (host->subordinate && setgroups(0, NULL) != 0)
        return false;
    return setresgid(gid, gid, gid) == 0 && setresuid(uid, uid, uid) == 0;
}

/* What a later execve could give back, while that may still be taken away: before the change of user,
 * with which the right to do so (CAP_SETPCAP) goes. A plain user without a user namespace never has
 * it; no_new_privs holds then. */
static bool bound_capabilities(void)
{
    enum {
        BITS = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED |
               SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
               SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED,
    };
    cap_flag_value_t may = CAP_CLEAR;
    cap_t own = cap_get_proc();
    bool known = own && cap_get_flag(own, CAP_SETPCAP, CAP_EFFECTIVE, &may) == 0;
    if (own)
        (void)cap_free(own);
    if (!known || may != CAP_SET)
        return known;
    (void)cap_reset_ambient();
    /* Up to what the kernel knows, which may be more than this build does. */
    for (int c = 0; prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++)
        if (prctl(PR_CAPBSET_DROP, c, 0, 0, 0) != 0)
            return false;
    return prctl(PR_SET_SECUREBITS, BITS, 0, 0, 0) == 0;
}

static bool drop_capabilities(void)
{
    (void)cap_reset_ambient();
    cap_t none = cap_init();
    bool ok = none && cap_set_proc(none) == 0;
    if (none)
        (void)cap_free(none);
    return ok && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

static bool limit_resources(const struct box_host *host, const struct box_plan *plan)
{
    enum { MIB = 1024 * 1024 };
    /* Processes are counted for a user: one that is Weir's too would stop Weir. A namespace has its
     * own count. */
    bool pids = plan->rlimits & BOX_RLIMIT_PIDS && (host->own_uid || host->userns);
    const struct {
        int what;
        bool set;
        rlim_t max;
    } limits[] = {
        {RLIMIT_NOFILE, true, SANDBOX_FILES_MAX},
        {RLIMIT_CORE, true, 0},
        {RLIMIT_MEMLOCK, true, 64 * 1024},
        {RLIMIT_MSGQUEUE, true, 0},
        {RLIMIT_NPROC, pids, SANDBOX_PIDS_MAX},
        {RLIMIT_DATA, plan->rlimits & BOX_RLIMIT_MEMORY,
         ((rlim_t)plan->memory_mb + BOX_MAPPED_MB) * MIB},
        {RLIMIT_FSIZE, !host->namespaces, (rlim_t)plan->ephemeral_mb * MIB},
    };
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        struct rlimit now, set = {limits[i].max, limits[i].max};
        if (!limits[i].set)
            continue;
        if (getrlimit((__rlimit_resource_t)limits[i].what, &now) != 0)
            return false;
        if (now.rlim_max < set.rlim_max)
            set.rlim_cur = set.rlim_max = now.rlim_max;
        if (setrlimit((__rlimit_resource_t)limits[i].what, &set) != 0)
            return false;
    }
    return true;
}

bool sandbox_box_enter(const struct box_host *host, const struct box_plan *plan,
                       struct box_report *report)
{
    (void)setsid();
    (void)umask(022);
    if (host->namespaces && !enter_root(host, plan, report))
        return false;
    if (!bound_capabilities())
        return fail(report, BOX_STAGE_CAPS);
    if (!become_user(host, plan))
        return fail(report, BOX_STAGE_USER);
    /* A change of user sets this to fs.suid_dumpable, which need not be 0. */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return fail(report, BOX_STAGE_USER);
    /* A change of user clears it, so here: the helper's end is ours. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (!host->namespaces)
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    if (!limit_resources(host, plan))
        return fail(report, BOX_STAGE_LIMITS);
    if (!drop_capabilities())
        return fail(report, BOX_STAGE_CAPS);
    struct sock_fprog program = {.len = host->filter_len,
                                 .filter = (struct sock_filter *)host->filter};
    if (host->seccomp && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
        return fail(report, BOX_STAGE_SECCOMP);
    return true;
}

/* Opens a folder, while that is still permitted, as descriptor `fd` of the function. */
static bool pin_folder(const char *path, int fd)
{
    int opened = path[0] ? open(path, O_PATH | O_DIRECTORY) : -1;
    if (opened < 0)
        return !path[0];
    bool ok = opened == fd || dup2(opened, fd) == fd;
    if (opened >= BOX_FDS_END)
        close(opened);
    return ok;
}

/* The function itself. Returns only when it cannot be executed. */
static void exec_function(const struct box_host *host, const struct box_plan *plan,
                          struct box_report *report)
{
    int null = open("/dev/null", O_RDONLY);
    bool pinned = box_pins_folders(host);
    if ((pinned ? fchdir(BOX_CODE_FD) : chdir(host->namespaces ? "/var/task" : plan->code_dir)) !=
            0 ||
        null < 0 || dup2(null, 0) < 0 || dup2(plan->log_fd, 1) < 0 || dup2(plan->log_fd, 2) < 0) {
        (void)fail(report, BOX_STAGE_EXEC);
        return;
    }
    if (!host->namespaces)
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    (void)close_range(pinned ? BOX_FDS_END : 3, ~0u, 0);
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    for (int s = 1; s < NSIG; s++)
        (void)signal(s, SIG_DFL);
    report->stage = BOX_STAGE_RUNNING;
    execve(plan->argv[0], plan->argv, plan->envp);
    (void)fail(report, BOX_STAGE_EXEC);
}

void sandbox_box_run(const struct box_host *host, const struct box_plan *given,
                     struct box_report *report)
{
    struct box_plan copy = *given, *plan = &copy;
    copy.log_fd = fcntl(given->log_fd, F_DUPFD, BOX_FDS_END);
    if (box_pins_folders(host) &&
        (!pin_folder(plan->code_dir, BOX_CODE_FD) || !pin_folder(plan->opt_dir, BOX_OPT_FD))) {
        (void)fail(report, BOX_STAGE_EXEC);
        _exit(1);
    }
    if (!sandbox_box_enter(host, plan, report))
        _exit(1);
    /* Not fork(): what libraries hang on that (sanitizers close descriptors that they think theirs)
     * is not for a process that is about to become another program. */
    pid_t function = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (function < 0) {
        (void)fail(report, BOX_STAGE_FORK);
        _exit(1);
    }
    if (function == 0) {
        exec_function(host, plan, report);
        _exit(1);
    }
    if (plan->packet)
        explicit_bzero(plan->packet, plan->packet_len);
    /* Keep nothing open: the log's end must mean that the function's processes are gone. */
    (void)close_range(0, ~0u, 0);
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, 0);
        if (pid == function) {
            report->wait_status = status;
            report->exited = 1;
            break;
        }
        if (pid < 0 && errno != EINTR)
            break;
    }
    if (!host->namespaces)
        (void)kill(0, SIGKILL); /* its process group; the helper sees to what left it */
    _exit(0);
}
