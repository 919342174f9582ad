/* Interpreters of this machine: see runtimes.h. */
#include "sandbox/runtimes.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MINOR_MIN = 6, /* Python 3 of the system's folders */
    MINOR_MAX = 30,
    HOMES_MAX = 3,
};

struct search {
    void (*fn)(void *arg, const struct runtime_found *found);
    void *arg;
};

/* "python3.12" is 12 of Python, "nodejs20.x" 20 of Node.js. False: it is neither. */
static bool parse_name(struct str name, bool *ret_python, int64_t *ret_number)
{
    bool python = str_starts(name, STR("python3."));
    struct str number = python ? str_sub(name, sizeof("python3.") - 1, SIZE_MAX) : STR_NONE;
    if (!python && str_starts(name, STR("nodejs")) && str_ends(name, STR(".x")))
        number = str_sub(name, 6, name.len - 8);
    if (number.len < 1 || number.len > 3 || str_to_i64(number, ret_number) != ERR_OK)
        return false;
    *ret_python = python;
    return true;
}

/* A program at `path` as runtime `name`, if it is there. */
static void offer(const struct search *s, const char *name, const char *path, const char *version,
                  const char *from)
{
    struct runtime_found found = {.from = from};
    char real[PATH_MAX];
    if (access(path, X_OK) != 0 || !realpath(path, real) || strlen(real) >= sizeof found.path ||
        strlen(name) >= sizeof found.name)
        return;
    (void)snprintf(found.name, sizeof found.name, "%s", name);
    memcpy(found.path, real, strlen(real) + 1);
    (void)snprintf(found.version, sizeof found.version, "%.*s", (int)sizeof found.version - 1,
                   version);
    if (!str_starts(str_c(real), STR("/usr/"))) { /* PREFIX/bin/PROGRAM */
        (void)snprintf(found.prefix, sizeof found.prefix, "%s", found.path);
        for (int up = 0; up < 2; up++) {
            char *slash = strrchr(found.prefix, '/');
            if (!slash || slash == found.prefix)
                return;
            *slash = 0;
        }
    }
    s->fn(s->arg, &found);
}

/* Of the system's node the version stands nowhere but in what it says itself: asked once for each
 * file, as starting it takes some 40 ms. */
static bool node_version(const char *path, char out[RUNTIME_VERSION_MAX])
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct known {
        dev_t dev;
        ino_t ino;
        time_t mtime;
        char version[RUNTIME_VERSION_MAX];
    } known[4];
    static size_t next;
    struct stat st;
    char command[BOX_PATH_MAX];
    if (stat(path, &st) != 0)
        return false;
    (void)snprintf(command, sizeof command, "exec %s --version 2>/dev/null", path);
    pthread_mutex_lock(&lock);
    struct known *k = NULL;
    for (size_t i = 0; i < ARRAY_LEN(known) && !k; i++)
        if (known[i].ino == st.st_ino && known[i].dev == st.st_dev && known[i].mtime == st.st_mtime)
            k = &known[i];
    if (!k) {
        k = &known[next++ % ARRAY_LEN(known)];
        *k = (struct known){.dev = st.st_dev, .ino = st.st_ino, .mtime = st.st_mtime};
        FILE *f = popen(command, "re"); /* of fixed paths only */
        if (f && fgets(k->version, sizeof k->version, f))
            k->version[strcspn(k->version, "\n")] = 0;
        if (f)
            (void)pclose(f);
    }
    (void)snprintf(out, RUNTIME_VERSION_MAX, "%s", k->version[0] == 'v' ? k->version + 1 : "");
    pthread_mutex_unlock(&lock);
    return out[0] != 0;
}

static void in_system(const struct search *s)
{
    static const char *const folders[] = {"/usr/local/bin", "/usr/bin"};
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        char path[64], name[RUNTIME_NAME_MAX], version[RUNTIME_VERSION_MAX];
        for (int minor = MINOR_MIN; minor <= MINOR_MAX; minor++) {
            (void)snprintf(path, sizeof path, "%s/python3.%d", folders[i], minor);
            offer(s, strrchr(path, '/') + 1, path, strrchr(path, 'n') + 1, "system");
        }
        (void)snprintf(path, sizeof path, "%s/node", folders[i]);
        if (access(path, X_OK) == 0 && node_version(path, version)) {
            struct str rest = str_c(version);
            struct str major = str_cut(&rest, '.');
            (void)snprintf(name, sizeof name, "nodejs%.*s.x", (int)min_size(major.len, 3), major.p);
            offer(s, name, path, version, "system");
        }
    }
}

/* Folders below `dir` that are called `before`VERSION[-REST], each an interpreter's prefix. */
static void in_versions(const struct search *s, const char *dir, const char *before, bool python,
                        const char *from)
{
    DIR *d = opendir(dir);
    struct dirent *entry;
    while (d && (entry = readdir(d))) {
        char path[PATH_MAX], name[RUNTIME_NAME_MAX];
        int major = -1, minor = -1;
        if (strncmp(entry->d_name, before, strlen(before)) != 0)
            continue;
        const char *version = entry->d_name + strlen(before);
        struct str text = str_c(version);
        struct str number = str_cut(&text, '-');
        if (sscanf(version, "%3d.%3d", &major, &minor) != 2 || (python && major != 3) ||
            number.len >= RUNTIME_VERSION_MAX)
            continue;
        if (python)
            (void)snprintf(name, sizeof name, "python3.%d", minor);
        else
            (void)snprintf(name, sizeof name, "nodejs%d.x", major);
        if (snprintf(path, sizeof path, "%s/%s/bin/%s", dir, entry->d_name,
                     python ? name : "node") < (int)sizeof path) {
            char shown[RUNTIME_VERSION_MAX];
            (void)snprintf(shown, sizeof shown, STR_FMT, STR_ARG(number));
            offer(s, name, path, shown, from);
        }
    }
    if (d)
        (void)closedir(d);
}

static void in_home(const struct search *s, const char *home)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/.pyenv/versions", home) < (int)sizeof path)
        in_versions(s, path, "", true, "pyenv");
    if (snprintf(path, sizeof path, "%s/.local/share/uv/python", home) < (int)sizeof path)
        in_versions(s, path, "cpython-", true, "uv");
    if (snprintf(path, sizeof path, "%s/.nvm/versions/node", home) < (int)sizeof path)
        in_versions(s, path, "v", false, "nvm");
}

static void in_homes(const struct search *s)
{
    struct passwd pw, *me = NULL;
    char bytes[1024];
    (void)getpwuid_r(getuid(), &pw, bytes, sizeof bytes, &me);
    const char *homes[HOMES_MAX] = {getenv("HOME"), me ? me->pw_dir : NULL, "/root"};
    for (size_t i = 0; i < HOMES_MAX; i++) {
        bool again = !homes[i];
        for (size_t j = 0; j < i; j++)
            again = again || (homes[j] && strcmp(homes[j], homes[i]) == 0);
        if (!again)
            in_home(s, homes[i]);
    }
}

/* <data>/runtimes/NAME is the prefix of one that was added. */
static void in_added(const struct search *s, struct str data_dir)
{
    char dir[PATH_MAX], path[2 * PATH_MAX], real[PATH_MAX];
    if (snprintf(dir, sizeof dir, STR_FMT "/runtimes", STR_ARG(data_dir)) >= (int)sizeof dir)
        return;
    DIR *d = opendir(dir);
    struct dirent *entry;
    while (d && (entry = readdir(d))) {
        bool python;
        int64_t number;
        if (!parse_name(str_c(entry->d_name), &python, &number))
            continue;
        (void)snprintf(path, sizeof path, "%s/%s/bin/%s", dir, entry->d_name,
                       python ? entry->d_name : "node");
        if (realpath(path, real))
            offer(s, entry->d_name, real, strpbrk(entry->d_name, "0123456789"), "weir runtime add");
    }
    if (d)
        (void)closedir(d);
}

bool sandbox_runtimes_given_valid(const char *given)
{
    bool python;
    int64_t number;
    struct str path = str_c(given);
    struct str name = str_cut(&path, '=');
    return parse_name(name, &python, &number) && name.len < RUNTIME_NAME_MAX && path.len > 0 &&
           access(path.p, X_OK) == 0;
}

void sandbox_runtimes_each(const struct runtime_places *places,
                           void (*fn)(void *arg, const struct runtime_found *found), void *arg)
{
    const struct search s = {fn, arg};
    for (size_t i = 0; i < places->n_given; i++) {
        char name[RUNTIME_NAME_MAX];
        struct str path = str_c(places->given[i]);
        struct str given = str_cut(&path, '=');
        if (!sandbox_runtimes_given_valid(places->given[i]))
            continue;
        (void)snprintf(name, sizeof name, STR_FMT, STR_ARG(given));
        offer(&s, name, path.p, strpbrk(name, "0123456789"), "--runtime");
    }
    in_added(&s, places->data_dir);
    in_system(&s);
    in_homes(&s);
}

struct wanted {
    bool python, substitutes, found;
    int64_t number, best;
    struct runtime_found *into;
};

/* The version asked for before a newer one, a nearer before a farther; of those the place that is
 * looked at first, and in one place the latest. */
static void consider(void *arg, const struct runtime_found *found)
{
    struct wanted *w = arg;
    bool python;
    int64_t number;
    if (!parse_name(str_c(found->name), &python, &number) || python != w->python ||
        number < w->number || (number > w->number && !w->substitutes))
        return;
    bool better = !w->found || number < w->best ||
                  (number == w->best && strcmp(found->from, w->into->from) == 0 &&
                   strverscmp(found->version, w->into->version) > 0);
    if (!better)
        return;
    w->found = true;
    w->best = number;
    *w->into = *found;
}

enum err sandbox_runtimes_find(const struct runtime_places *places, struct str name,
                               bool substitutes, struct runtime_found *ret_found)
{
    struct wanted w = {.substitutes = substitutes, .into = ret_found};
    if (!parse_name(name, &w.python, &w.number))
        return ERR_NOT_FOUND;
    sandbox_runtimes_each(places, consider, &w);
    return w.found ? ERR_OK : ERR_NOT_FOUND;
}
