/* Which users on the host functions run as, and the maps that make them BOX_UID inside.
 *
 *   Weir is root                          BOX_HOST_UID_BASE + slot; in a container that has not so
 *                                         many ids, from the middle of its largest range
 *   not root, host gives it a range of    first of the range + slot; newuidmap(1) and newgidmap(1),
 *     subordinate ids (subuid(5))           which may map them, are package uidmap
 *   neither                               all functions are Weir's own user: incomplete isolation
 *
 * Layer: sandbox, internal. Thread: the helper's. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/box.h"

enum { LINE_MAX_BYTES = 512 };

static const char *const new_uid_map[] = {"/usr/bin/newuidmap", "/usr/local/bin/newuidmap",
                                          "/run/wrappers/bin/newuidmap"};
static const char *const new_gid_map[] = {"/usr/bin/newgidmap", "/usr/local/bin/newgidmap",
                                          "/run/wrappers/bin/newgidmap"};

static const char *find_tool(const char *const *paths, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (access(paths[i], X_OK) == 0)
            return paths[i];
    return NULL;
}

/* The first range of at least `need` ids that a line "name:first:count" of `path` gives to `name` or
 * `id`. Source: subuid(5). */
static bool find_range(const char *path, const char *name, const char *id, unsigned long need,
                       unsigned *ret_first)
{
    char line[LINE_MAX_BYTES];
    bool found = false;
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    while (!found && fgets(line, sizeof line, f)) {
        char *save = NULL, *end = NULL;
        const char *who = strtok_r(line, ":", &save), *first = strtok_r(NULL, ":", &save);
        const char *count = strtok_r(NULL, ":\n", &save);
        if (!who || !first || !count || (strcmp(who, name) != 0 && strcmp(who, id) != 0))
            continue;
        errno = 0;
        unsigned long from = strtoul(first, &end, 10), n = strtoul(count, NULL, 10);
        found = errno == 0 && *end == 0 && n >= need && from > 0 && from <= UINT32_MAX - n;
        if (found)
            *ret_first = (unsigned)from;
    }
    fclose(f);
    return found;
}

/* First of `slots` ids that exist for root here: BOX_HOST_UID_BASE, or half-way up the largest range,
 * above which lie nobody and below which lie the system's. */
static bool find_mapped(const char *path, unsigned slots, unsigned *ret_base)
{
    unsigned long first, outside, n, best = 0, base = 0;
    bool standard = false;
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    while (fscanf(f, "%lu %lu %lu", &first, &outside, &n) == 3) {
        standard = standard || (first <= BOX_HOST_UID_BASE &&
                                first + n >= (unsigned long)BOX_HOST_UID_BASE + slots);
        if (n > best) {
            best = n;
            base = first + n / 2;
        }
    }
    fclose(f);
    *ret_base = standard ? BOX_HOST_UID_BASE : (unsigned)base;
    return standard || best / 4 >= slots;
}

void sandbox_ids_find(struct box_host *host, unsigned slots)
{
    char id[16];
    const struct passwd *me = getpwuid(geteuid());
    const char *name = me ? me->pw_name : id;
    (void)snprintf(id, sizeof id, "%u", (unsigned)geteuid());
    host->subordinate = false;
    host->own_uid = geteuid() == 0 && find_mapped("/proc/self/uid_map", slots, &host->uid_base) &&
                    find_mapped("/proc/self/gid_map", slots, &host->gid_base);
    if (geteuid() == 0)
        return;
    host->subordinate = find_tool(new_uid_map, ARRAY_LEN(new_uid_map)) &&
                        find_tool(new_gid_map, ARRAY_LEN(new_gid_map)) &&
                        find_range("/etc/subuid", name, id, slots, &host->uid_base) &&
                        find_range("/etc/subgid", name, id, slots, &host->gid_base);
    host->own_uid = host->subordinate;
}

static bool write_map(pid_t pid, const char *file, const char *text)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    int saved = errno;
    close(fd);
    errno = saved;
    return ok;
}

/* Runs `tool` to map one id; what it complains about is told by the probe, in our words. */
static bool run_tool(const char *tool, pid_t target, unsigned inside, unsigned outside)
{
    char pid_text[16], inside_text[16], outside_text[16];
    (void)snprintf(pid_text, sizeof pid_text, "%d", (int)target);
    (void)snprintf(inside_text, sizeof inside_text, "%u", inside);
    (void)snprintf(outside_text, sizeof outside_text, "%u", outside);
    char *argv[] = {(char *)(uintptr_t)tool, pid_text, inside_text, outside_text, "1", NULL};
    char *envp[] = {NULL};
    pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
            _exit(1);
        (void)close_range(3, ~0u, 0);
        execve(tool, argv, envp);
        _exit(1);
    }
    int status = -1;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (pid > 0)
        errno = EPERM;
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool sandbox_ids_map(const struct box_host *host, pid_t pid, int slot)
{
    char text[64];
    if (!host->userns)
        return true;
    unsigned uid = host->own_uid ? host->uid_base + (unsigned)slot : (unsigned)geteuid();
    unsigned gid = host->own_uid ? host->gid_base + (unsigned)slot : (unsigned)getegid();
    if (host->subordinate) {
        const char *uid_tool = find_tool(new_uid_map, ARRAY_LEN(new_uid_map));
        const char *gid_tool = find_tool(new_gid_map, ARRAY_LEN(new_gid_map));
        return uid_tool && gid_tool && run_tool(gid_tool, pid, BOX_GID, gid) &&
               run_tool(uid_tool, pid, BOX_UID, uid);
    }
    /* Without "deny" an unprivileged parent may not write gid_map; with it nobody inside can change
     * groups, which is what we want anyway. */
    if (!write_map(pid, "setgroups", "deny"))
        return false;
    (void)snprintf(text, sizeof text, "%d %u 1\n", BOX_GID, gid);
    if (!write_map(pid, "gid_map", text))
        return false;
    (void)snprintf(text, sizeof text, "%d %u 1\n", BOX_UID, uid);
    return write_map(pid, "uid_map", text);
}
