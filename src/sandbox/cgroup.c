/* Control groups: see cgroup.h. Plain system calls on a handful of small files; no allocation, as
 * it runs in the helper process.
 *
 * Layer: sandbox. Thread: the helper's only one. */
#include "sandbox/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_TEXT_MAX = 16 * 1024, /* of the /proc and cgroup files read here */
    CPU_SHARES_FULL = 1024,    /* version 1: shares of one whole processor, by convention */
    CPU_WEIGHT_FULL = 100,     /* version 2: the same */
    CPU_MB = 1769,             /* memory that comes with one vCPU on Lambda */
    KILL_ROUNDS_MAX = 64,
};

static const char *const names[CGROUP_CONTROLLERS] = {"memory", "cpu", "pids"};

static bool read_text(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t len = 0;
    while (len < size - 1) {
        ssize_t n = read(fd, out + len, size - 1 - len);
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    close(fd);
    out[len] = 0;
    return true;
}

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t len = strlen(text);
    bool ok = write(fd, text, len) == (ssize_t)len;
    close(fd);
    return ok;
}

/* Whether `word` is one of the words of `list`, separated by any of `separators`. */
static bool has_word(const char *list, const char *word, const char *separators)
{
    size_t n = strlen(word);
    for (const char *p = list; *p;) {
        size_t len = strcspn(p, separators);
        if (len == n && memcmp(p, word, n) == 0)
            return true;
        p += len;
        p += strspn(p, separators);
    }
    return false;
}

/* Joins with snprintf's truncation seen as failure. */
#define JOIN(out, ...) (snprintf(out, CGROUP_PATH_MAX, __VA_ARGS__) < CGROUP_PATH_MAX)

/* This process's group in the hierarchy of `controller` (NULL: version 2). */
static bool own_group(const char *controller, char out[CGROUP_PATH_MAX])
{
    static char text[FILE_TEXT_MAX];
    if (!read_text("/proc/self/cgroup", text, sizeof text))
        return false;
    char *save = NULL;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *list = strchr(line, ':');
        char *path = list ? strchr(list + 1, ':') : NULL;
        if (!path)
            continue;
        *path++ = 0;
        list++;
        if (controller ? has_word(list, controller, ",") : *list == 0)
            return JOIN(out, "%s", strcmp(path, "/") == 0 ? "" : path);
    }
    return false;
}

/* Where the hierarchy is mounted. */
static bool mount_point(const char *controller, char out[CGROUP_PATH_MAX])
{
    FILE *f = fopen("/proc/self/mounts", "re");
    if (!f)
        return false;
    static char line[4096];
    bool found = false;
    while (!found && fgets(line, sizeof line, f)) {
        char *save = NULL;
        (void)strtok_r(line, " ", &save);
        char *where = strtok_r(NULL, " ", &save), *type = strtok_r(NULL, " ", &save);
        char *options = strtok_r(NULL, " ", &save);
        if (!where || !type || !options)
            continue;
        if (controller ? strcmp(type, "cgroup") == 0 && has_word(options, controller, ",")
                       : strcmp(type, "cgroup2") == 0)
            found = JOIN(out, "%s", where);
    }
    fclose(f);
    return found;
}

/* Base folders of helpers that no longer live, with their slots. */
static void remove_stale(const char *parent)
{
    DIR *d = opendir(parent);
    if (!d)
        return;
    for (struct dirent *e; (e = readdir(d));) {
        char path[CGROUP_PATH_MAX], slot[CGROUP_PATH_MAX];
        char *end = NULL;
        if (strncmp(e->d_name, "weir-", 5) != 0)
            continue;
        long pid = strtol(e->d_name + 5, &end, 10);
        if (pid <= 0 || *end || kill((pid_t)pid, 0) == 0 || errno != ESRCH ||
            !JOIN(path, "%s/%s", parent, e->d_name))
            continue;
        DIR *slots = opendir(path);
        for (struct dirent *s; slots && (s = readdir(slots));)
            if (s->d_name[0] >= '0' && s->d_name[0] <= '9' && JOIN(slot, "%s/%s", path, s->d_name))
                (void)rmdir(slot);
        if (slots)
            closedir(slots);
        (void)rmdir(path);
    }
    closedir(d);
}

/* Makes <parent>/weir-<pid>. */
static bool make_base(const char *parent, char out[CGROUP_PATH_MAX])
{
    remove_stale(parent);
    if (!JOIN(out, "%s/weir-%d", parent, (int)getpid()))
        return false;
    if (mkdir(out, 0755) == 0 || errno == EEXIST)
        return true;
    out[0] = 0;
    return false;
}

static bool probe_v1(struct cgroups *cg)
{
    bool any = false;
    for (int c = 0; c < CGROUP_CONTROLLERS; c++) {
        char mount[CGROUP_PATH_MAX], own[CGROUP_PATH_MAX], parent[CGROUP_PATH_MAX];
        if (!mount_point(names[c], mount) || !own_group(names[c], own))
            continue;
        /* Below our own group, so that a limit on Weir as a whole holds for its functions; in a
         * container the path that /proc tells may not exist: then at the top. */
        struct stat st;
        if (!JOIN(parent, "%s%s", mount, own) || stat(parent, &st) != 0)
            memcpy(parent, mount, sizeof parent);
        if (make_base(parent, cg->base[c]))
            any = true;
    }
    if (any)
        cg->version = 1;
    return any;
}

static bool try_v2(struct cgroups *cg, const char *parent)
{
    static char text[FILE_TEXT_MAX];
    char base[CGROUP_PATH_MAX], file[CGROUP_PATH_MAX], word[32];
    if (!make_base(parent, base))
        return false;
    bool any = false;
    for (int c = 0; c < CGROUP_CONTROLLERS; c++) {
        /* Enable above (may be on already, or refused), then for our children. */
        (void)snprintf(word, sizeof word, "+%s", names[c]);
        if (JOIN(file, "%s/cgroup.subtree_control", parent))
            (void)write_text(file, word);
        if (!JOIN(file, "%s/cgroup.controllers", base) || !read_text(file, text, sizeof text) ||
            !has_word(text, names[c], " \n"))
            continue;
        if (JOIN(file, "%s/cgroup.subtree_control", base) && write_text(file, word)) {
            memcpy(cg->base[c], base, sizeof base);
            any = true;
        }
    }
    if (!any)
        (void)rmdir(base);
    return any;
}

static bool probe_v2(struct cgroups *cg)
{
    char mount[CGROUP_PATH_MAX], own[CGROUP_PATH_MAX], parent[CGROUP_PATH_MAX];
    if (!mount_point(NULL, mount) || !own_group(NULL, own))
        return false;
    /* A group with processes may not hand controllers to its children, so beside our own group as
     * a second try, and at the top as the last. */
    bool ok = JOIN(parent, "%s%s", mount, own) && try_v2(cg, parent);
    char *slash = strrchr(own, '/');
    if (!ok && slash) {
        *slash = 0;
        ok = JOIN(parent, "%s%s", mount, own) && try_v2(cg, parent);
    }
    if (!ok)
        ok = try_v2(cg, mount);
    if (ok)
        cg->version = 2;
    return ok;
}

void sandbox_cgroups_probe(struct cgroups *cg)
{
    memset(cg, 0, sizeof *cg);
    if (!probe_v2(cg))
        (void)probe_v1(cg);
}

void sandbox_cgroups_remove(const struct cgroups *cg)
{
    for (int c = 0; c < CGROUP_CONTROLLERS; c++) {
        char parent[CGROUP_PATH_MAX];
        if (!cg->base[c][0] || !JOIN(parent, "%s", cg->base[c]))
            continue;
        (void)rmdir(cg->base[c]);
        /* And what a helper left that was killed: its functions were still dying when this began. */
        *strrchr(parent, '/') = 0;
        remove_stale(parent);
    }
}

enum err sandbox_cgroup_make(const struct cgroups *cg, int slot)
{
    char path[CGROUP_PATH_MAX];
    for (int c = 0; c < CGROUP_CONTROLLERS; c++) {
        if (!cg->base[c][0])
            continue;
        if (!JOIN(path, "%s/%d", cg->base[c], slot) ||
            (mkdir(path, 0755) != 0 && errno != EEXIST)) {
            (void)sandbox_cgroup_remove(cg, slot);
            return ERR_IO;
        }
    }
    return ERR_OK;
}

enum err sandbox_cgroup_attach(const struct cgroups *cg, int slot, int pid)
{
    char path[CGROUP_PATH_MAX], text[32];
    (void)snprintf(text, sizeof text, "%d", pid);
    for (int c = 0; c < CGROUP_CONTROLLERS; c++)
        if (cg->base[c][0] &&
            (!JOIN(path, "%s/%d/cgroup.procs", cg->base[c], slot) || !write_text(path, text)))
            return ERR_IO;
    return ERR_OK;
}

static bool set(const struct cgroups *cg, enum cgroup_controller c, int slot, const char *file,
                int64_t value)
{
    char path[CGROUP_PATH_MAX], text[32];
    if (!cg->base[c][0])
        return true;
    (void)snprintf(text, sizeof text, "%lld", (long long)value);
    return JOIN(path, "%s/%d/%s", cg->base[c], slot, file) && write_text(path, text);
}

enum err sandbox_cgroup_limit(const struct cgroups *cg, int slot, int64_t memory_mb, int pids_max)
{
    int64_t bytes = memory_mb * 1024 * 1024;
    bool v2 = cg->version == 2;
    if (!set(cg, CGROUP_MEMORY, slot, v2 ? "memory.max" : "memory.limit_in_bytes", bytes) ||
        !set(cg, CGROUP_PIDS, slot, "pids.max", pids_max))
        return ERR_IO;
    /* Swap would let a function outgrow its memory; not every kernel counts it. */
    (void)set(cg, CGROUP_MEMORY, slot, v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes",
              v2 ? 0 : bytes);
    /* A share, not a cap: functions get what is left idle, and their proportion under load. */
    int64_t full = v2 ? CPU_WEIGHT_FULL : CPU_SHARES_FULL;
    int64_t share = max_i64(v2 ? 1 : 2, full * memory_mb / CPU_MB);
    if (!set(cg, CGROUP_CPU, slot, v2 ? "cpu.weight" : "cpu.shares", share))
        return ERR_IO;
    return ERR_OK;
}

void sandbox_cgroup_kill(const struct cgroups *cg, int slot)
{
    static char text[FILE_TEXT_MAX];
    char path[CGROUP_PATH_MAX];
    if (cg->version == 2 && JOIN(path, "%s/%d/cgroup.kill", cg->base[CGROUP_PIDS], slot) &&
        write_text(path, "1"))
        return;
    for (int c = 0; c < CGROUP_CONTROLLERS; c++) {
        if (!cg->base[c][0])
            continue;
        for (int round = 0; round < KILL_ROUNDS_MAX; round++) {
            if (!JOIN(path, "%s/%d/cgroup.procs", cg->base[c], slot) ||
                !read_text(path, text, sizeof text) || !text[0])
                break;
            char *save = NULL;
            for (char *w = strtok_r(text, "\n", &save); w; w = strtok_r(NULL, "\n", &save)) {
                long pid = strtol(w, NULL, 10);
                if (pid > 1)
                    (void)kill((pid_t)pid, SIGKILL);
            }
        }
        return;
    }
}

enum err sandbox_cgroup_memory_file(const struct cgroups *cg, int slot, bool peak,
                                    char ret_path[CGROUP_PATH_MAX])
{
    const char *file = cg->version == 2 ? (peak ? "memory.peak" : "memory.current")
                       : peak           ? "memory.max_usage_in_bytes"
                                        : "memory.usage_in_bytes";
    if (!cg->base[CGROUP_MEMORY][0] ||
        !JOIN(ret_path, "%s/%d/%s", cg->base[CGROUP_MEMORY], slot, file))
        return ERR_NOT_FOUND;
    return ERR_OK;
}

int64_t sandbox_cgroup_peak(const struct cgroups *cg, int slot)
{
    char path[CGROUP_PATH_MAX], text[64];
    if (sandbox_cgroup_memory_file(cg, slot, true, path) != ERR_OK ||
        !read_text(path, text, sizeof text))
        return 0;
    return strtoll(text, NULL, 10);
}

bool sandbox_cgroup_oom(const struct cgroups *cg, int slot)
{
    static char text[FILE_TEXT_MAX];
    char path[CGROUP_PATH_MAX];
    const char *file = cg->version == 2 ? "memory.events" : "memory.oom_control";
    if (!cg->base[CGROUP_MEMORY][0] ||
        !JOIN(path, "%s/%d/%s", cg->base[CGROUP_MEMORY], slot, file) ||
        !read_text(path, text, sizeof text))
        return false;
    const char *at = strstr(text, "oom_kill ");
    return at && strtoll(at + strlen("oom_kill "), NULL, 10) > 0;
}

bool sandbox_cgroup_remove(const struct cgroups *cg, int slot)
{
    char path[CGROUP_PATH_MAX];
    bool gone = true;
    for (int c = 0; c < CGROUP_CONTROLLERS; c++)
        if (cg->base[c][0] && JOIN(path, "%s/%d", cg->base[c], slot) && rmdir(path) != 0 &&
            errno == EBUSY)
            gone = false;
    return gone;
}
