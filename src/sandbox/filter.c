/* System calls that functions do not get: see filter.h. Everything else is allowed, as on Lambda,
 * since runtimes and libraries of every kind run here; what is refused is what reaches for the
 * kernel or for other processes: mounts, namespaces, tracing, keys, BPF, modules, clocks, reboot.
 * Refused calls fail with EPERM; clone3 with ENOSYS, because its flags lie in memory where a filter
 * cannot look: C libraries then fall back to clone, whose flags are checked.
 *
 * Of address families functions get those of IP, local sockets, and of netlink the one protocol that
 * getaddrinfo(3) and interface lists need: others reach the hypervisor (vsock), the kernel's crypto,
 * other processes' connections, or drivers that nobody has looked at.
 *
 * Built once with libseccomp and kept as BPF, as building takes longer than starting a function.
 *
 * Layer: sandbox. Thread: any. */
#include "sandbox/filter.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const refused[] = {
    "mount",
    "umount2",
    "umount",
    "pivot_root",
    "chroot",
    "open_tree",
    "move_mount",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "mount_setattr",
    "unshare",
    "setns",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "kcmp",
    "pidfd_getfd",
    "kexec_load",
    "kexec_file_load",
    "bpf",
    "perf_event_open",
    "keyctl",
    "add_key",
    "request_key",
    "init_module",
    "finit_module",
    "delete_module",
    "reboot",
    "swapon",
    "swapoff",
    "settimeofday",
    "clock_settime",
    "clock_adjtime",
    "adjtimex",
    "acct",
    "quotactl",
    "quotactl_fd",
    "syslog",
    "vhangup",
    "iopl",
    "ioperm",
    "lookup_dcookie",
    "userfaultfd",
    "name_to_handle_at",
    "open_by_handle_at",
    "fanotify_init",
    "personality",
    "nfsservctl",
    "sethostname",
    "setdomainname",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "move_pages",
    "migrate_pages",
    "mbind",
    "set_mempolicy",
    "set_mempolicy_home_node",
    "listmount",
    "statmount",
    "process_madvise",
    "process_mrelease",
    "modify_ldt",
};

/* Refuses `call` (socket or socketpair) for every family but the few. Compared whole: what is set
 * above the 32 bits that the kernel reads is refused as well. */
static bool add_families(scmp_filter_ctx ctx, int call)
{
    static const uint64_t allowed[] = {AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
    const uint32_t refuse = SCMP_ACT_ERRNO(EAFNOSUPPORT);
    for (uint64_t family = 0; family <= AF_NETLINK; family++) {
        bool ok = false;
        for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
            ok = ok || allowed[i] == family;
        if (!ok && seccomp_rule_add(ctx, refuse, call, 1, SCMP_A0(SCMP_CMP_EQ, family)) != 0)
            return false;
    }
    return seccomp_rule_add(ctx, refuse, call, 1, SCMP_A0(SCMP_CMP_GT, AF_NETLINK)) == 0 &&
           seccomp_rule_add(ctx, refuse, call, 2, SCMP_A0(SCMP_CMP_EQ, AF_NETLINK),
                            SCMP_A2(SCMP_CMP_NE, NETLINK_ROUTE)) == 0;
}

/* What types into a terminal that Weir may have been started from. */
static bool add_ioctls(scmp_filter_ctx ctx)
{
    static const uint64_t requests[] = {TIOCSTI, TIOCLINUX};
    for (size_t i = 0; i < ARRAY_LEN(requests); i++)
        if (seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                             SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, requests[i])) != 0)
            return false;
    return true;
}

static bool add_rules(scmp_filter_ctx ctx)
{
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        int nr = seccomp_syscall_resolve_name(refused[i]);
        /* Names that this library or machine does not know cannot be called by them either. */
        if (nr == __NR_SCMP_ERROR || nr < 0)
            continue;
        if (seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), nr, 0) != 0)
            return false;
    }
    static const uint64_t namespaces[] = {CLONE_NEWNS,  CLONE_NEWUTS, CLONE_NEWIPC,   CLONE_NEWUSER,
                                          CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWCGROUP};
    for (size_t i = 0; i < ARRAY_LEN(namespaces); i++)
        if (seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                             SCMP_A0(SCMP_CMP_MASKED_EQ, namespaces[i], namespaces[i])) != 0)
            return false;
    return add_families(ctx, SCMP_SYS(socket)) && add_families(ctx, SCMP_SYS(socketpair)) &&
           add_ioctls(ctx) &&
           seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
}

enum err sandbox_filter_build(struct sock_filter *ret_filter, size_t max, size_t *ret_n)
{
    enum err err = ERR_UNSUPPORTED;
    int fd = -1;
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    /* A tree instead of a list: seven comparisons a call instead of sixty. */
    if (!ctx || seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) != 0 || !add_rules(ctx))
        goto out;
    fd = memfd_create("filter", MFD_CLOEXEC);
    if (fd < 0 || seccomp_export_bpf(ctx, fd) != 0)
        goto out;
    ssize_t n = pread(fd, ret_filter, max * sizeof *ret_filter, 0);
    if (n <= 0 || (size_t)n >= max * sizeof *ret_filter)
        goto out;
    *ret_n = (size_t)n / sizeof *ret_filter;
    err = ERR_OK;
out:
    if (fd >= 0)
        close(fd);
    if (ctx)
        seccomp_release(ctx);
    return err;
}
