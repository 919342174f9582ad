/* Which processes hold a socket, by the process table. For hosts that give functions no user of
 * their own, where a connection's user tells nothing.
 *
 * A process of the same user can be looked into, but for one that asked not to be (dumpable 0); such
 * a one is not found. A descriptor on its way through a local socket is in no process either: so
 * only what was found counts, and both questions are answered "no" when nothing was.
 *
 * Cost: the descriptors of every process of this user, newest process first; some milliseconds.
 *
 * Layer: sandbox. Thread: any. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sandbox/sandbox_int.h"

enum {
    PIDS_BYTES_MAX = 1 << 20,
    LINKS_MAX = 200 * 1000, /* descriptors looked at */
    DEPTH_MAX = 64,         /* ancestors looked at */
    PATH_TEXT_MAX = 64,
    STAT_TEXT_MAX = 512,
};

/* Parent of `pid`; -1 unknown. */
static int parent_of(int pid)
{
    char path[PATH_TEXT_MAX], text[STAT_TEXT_MAX];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return -1;
    text[n] = 0;
    /* "pid (name) state parent ...", where the name may hold anything. */
    const char *p = strrchr(text, ')');
    return p && strlen(p) > 4 ? (int)strtol(p + 4, NULL, 10) : -1;
}

enum relation { BELOW, ELSEWHERE, UNKNOWN };

static enum relation relation_to(int pid, int ancestor)
{
    for (int i = 0; i < DEPTH_MAX; i++) {
        if (pid == ancestor)
            return BELOW;
        if (pid <= 1)
            return pid < 0 ? UNKNOWN : ELSEWHERE;
        pid = parent_of(pid);
    }
    return UNKNOWN;
}

static bool holds(int pid, const char *link, int *links_left)
{
    char path[PATH_TEXT_MAX], target[PATH_TEXT_MAX];
    bool found = false;
    (void)snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *d = opendir(path);
    if (!d)
        return false;
    for (struct dirent *e; !found && (e = readdir(d)) && --*links_left > 0;) {
        ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof target - 1);
        target[max_i64(n, 0)] = 0;
        found = n > 0 && strcmp(target, link) == 0;
    }
    closedir(d);
    return found;
}

static enum err list_processes(struct buf *pids)
{
    DIR *d = opendir("/proc");
    if (!d)
        return ERR_IO;
    for (struct dirent *e; (e = readdir(d));) {
        int pid = (int)strtol(e->d_name, NULL, 10);
        if (pid > 0)
            buf_add(pids, &pid, sizeof pid);
    }
    closedir(d);
    return buf_err(pids);
}

bool sandbox_socket_held(uint32_t inode, int ancestor, bool below)
{
    char link[PATH_TEXT_MAX];
    int links_left = LINKS_MAX;
    bool held = false;
    struct buf pids;
    buf_init(&pids, PIDS_BYTES_MAX);
    (void)snprintf(link, sizeof link, "socket:[%u]", inode);
    size_t n = list_processes(&pids) == ERR_OK ? pids.len / sizeof(int) : 0;
    while (!held && n-- > 0) {
        int pid;
        memcpy(&pid, pids.p + n * sizeof pid, sizeof pid);
        held = holds(pid, link, &links_left) &&
               relation_to(pid, ancestor) == (below ? BELOW : ELSEWHERE);
    }
    buf_release(&pids);
    return held;
}
