/* Interpreters of this machine: see runtimes.h. */
#include "sandbox/runtimes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MINOR_MIN = 6, /* Python 3 of the system's folders */
    MINOR_MAX = 30,
    HOMES_MAX = 3,
    VERSION_MS = 3000, /* for a program to say its version */
};

static const char *const system_folders[] = {"/usr/local/bin", "/usr/bin"};

enum { PYTHON = 1, NODE = 2 };

struct search {
    void (*fn)(void *arg, const struct runtime_found *found);
    void *arg;
    struct str data_dir;
    int languages; /* asked for */
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

/* The homes that are looked into: of the environment, of the user, of root. */
struct homes {
    const char *v[HOMES_MAX]; /* NULL: none, or one that was there before */
    char bytes[1024];
};

static void find_homes(struct homes *h)
{
    struct passwd pw, *me = NULL;
    (void)getpwuid_r(getuid(), &pw, h->bytes, sizeof h->bytes, &me);
    h->v[0] = getenv("HOME");
    h->v[1] = me ? me->pw_dir : NULL;
    h->v[2] = "/root";
    for (size_t i = 1; i < HOMES_MAX; i++)
        for (size_t j = 0; j < i; j++)
            if (h->v[i] && h->v[j] && strcmp(h->v[j], h->v[i]) == 0)
                h->v[i] = NULL;
}

/* `path` is in `folder`, or is it. */
static bool lies_in(struct str path, struct str folder)
{
    return str_starts(path, folder) && (path.len == folder.len || path.p[folder.len] == '/');
}

/* PREFIX of PREFIX/bin/PROGRAM, which functions are shown: so it may be neither a home nor a folder
 * that has one, or Weir's data, in it. */
static bool take_prefix(const char *real, struct str data_dir, char out[BOX_PATH_MAX])
{
    struct homes homes;
    struct str rest = str_c(real);
    size_t slash = str_rfind(rest, '/');
    rest.len = slash == SIZE_MAX ? 0 : slash;
    if (!str_ends(rest, STR("/bin")) || rest.len == 4 || rest.len - 4 >= BOX_PATH_MAX)
        return false;
    struct str prefix = str_sub(rest, 0, rest.len - 4);
    find_homes(&homes);
    for (size_t i = 0; i < HOMES_MAX; i++)
        if (homes.v[i] && lies_in(str_c(homes.v[i]), prefix))
            return false;
    if (str_is_set(data_dir) && lies_in(data_dir, prefix))
        return false;
    (void)snprintf(out, BOX_PATH_MAX, STR_FMT, STR_ARG(prefix));
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
    if (!str_starts(str_c(real), STR("/usr/")) && !take_prefix(real, s->data_dir, found.prefix))
        return;
    s->fn(s->arg, &found);
}

/* What `path` --version prints, at most size - 1 bytes, without the line's end. A program that does not
 * answer is ended. */
static bool ask_version(const char *path, char *out, size_t size)
{
    char *argv[] = {(char *)(uintptr_t)path, (char *)(uintptr_t) "--version", NULL};
    posix_spawn_file_actions_t actions;
    int fds[2];
    pid_t pid = -1;
    out[0] = 0;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return false;
    if (pipe2(fds, O_CLOEXEC) == 0) {
        if (posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO) != 0 ||
            posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) ||
            posix_spawn(&pid, path, &actions, NULL, argv, environ) != 0)
            pid = -1;
        close(fds[1]);
        struct pollfd p = {.fd = fds[0], .events = POLLIN};
        ssize_t n = pid > 0 && poll(&p, 1, VERSION_MS) == 1 ? read(fds[0], out, size - 1) : -1;
        out[n > 0 ? n : 0] = 0;
        out[strcspn(out, "\n")] = 0;
        close(fds[0]);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    if (pid > 0) {
        (void)kill(pid, SIGKILL); /* it has said what it was asked, or never will */
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    return out[0] != 0;
}

/* Of the system's node the version stands nowhere but in what it says itself: asked once for each
 * file, as starting it takes some 40 ms (sandbox_runtimes_warm). */
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
    char version[RUNTIME_VERSION_MAX] = "";
    if (stat(path, &st) != 0)
        return false;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (known[i].ino == st.st_ino && known[i].dev == st.st_dev && known[i].mtime == st.st_mtime)
            memcpy(version, known[i].version, sizeof version);
    if (!version[0] && ask_version(path, version, sizeof version)) {
        struct known *k = &known[next++ % ARRAY_LEN(known)];
        *k = (struct known){.dev = st.st_dev, .ino = st.st_ino, .mtime = st.st_mtime};
        memcpy(k->version, version, sizeof version);
    }
    pthread_mutex_unlock(&lock);
    (void)snprintf(out, RUNTIME_VERSION_MAX, "%s", version[0] == 'v' ? version + 1 : "");
    return out[0] != 0;
}

void sandbox_runtimes_warm(void)
{
    char version[RUNTIME_VERSION_MAX];
    for (size_t i = 0; i < ARRAY_LEN(system_folders); i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "%s/node", system_folders[i]);
        if (access(path, X_OK) == 0)
            (void)node_version(path, version);
    }
}

static void in_system(const struct search *s)
{
    for (size_t i = 0; i < ARRAY_LEN(system_folders); i++) {
        char path[64], name[RUNTIME_NAME_MAX], version[RUNTIME_VERSION_MAX];
        for (int minor = MINOR_MIN; s->languages & PYTHON && minor <= MINOR_MAX; minor++) {
            (void)snprintf(path, sizeof path, "%s/python3.%d", system_folders[i], minor);
            offer(s, strrchr(path, '/') + 1, path, strrchr(path, 'n') + 1, "system");
        }
        (void)snprintf(path, sizeof path, "%s/node", system_folders[i]);
        if (s->languages & NODE && access(path, X_OK) == 0 && node_version(path, version)) {
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
    bool python = s->languages & PYTHON, node = s->languages & NODE;
    if (python && snprintf(path, sizeof path, "%s/.pyenv/versions", home) < (int)sizeof path)
        in_versions(s, path, "", true, "pyenv");
    if (python && snprintf(path, sizeof path, "%s/.local/share/uv/python", home) < (int)sizeof path)
        in_versions(s, path, "cpython-", true, "uv");
    if (node && snprintf(path, sizeof path, "%s/.nvm/versions/node", home) < (int)sizeof path)
        in_versions(s, path, "v", false, "nvm");
}

static void in_homes(const struct search *s)
{
    struct homes homes;
    find_homes(&homes);
    for (size_t i = 0; i < HOMES_MAX; i++)
        if (homes.v[i])
            in_home(s, homes.v[i]);
}

/* <data>/runtimes/NAME is the prefix of one that was added. */
static void in_added(const struct search *s)
{
    char dir[PATH_MAX], path[2 * PATH_MAX], real[PATH_MAX];
    if (snprintf(dir, sizeof dir, STR_FMT "/runtimes", STR_ARG(s->data_dir)) >= (int)sizeof dir)
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
    char real[PATH_MAX], prefix[BOX_PATH_MAX];
    return parse_name(name, &python, &number) && name.len < RUNTIME_NAME_MAX && path.len > 0 &&
           access(path.p, X_OK) == 0 && realpath(path.p, real) &&
           (str_starts(str_c(real), STR("/usr/")) || take_prefix(real, STR_NONE, prefix));
}

static void search(const struct runtime_places *places, const struct search *s)
{
    for (size_t i = 0; i < places->n_given; i++) {
        char name[RUNTIME_NAME_MAX];
        struct str path = str_c(places->given[i]);
        struct str given = str_cut(&path, '=');
        if (!sandbox_runtimes_given_valid(places->given[i]))
            continue;
        (void)snprintf(name, sizeof name, STR_FMT, STR_ARG(given));
        offer(s, name, path.p, strpbrk(name, "0123456789"), "--runtime");
    }
    in_added(s);
    in_system(s);
    in_homes(s);
}

void sandbox_runtimes_each(const struct runtime_places *places,
                           void (*fn)(void *arg, const struct runtime_found *found), void *arg)
{
    const struct search s = {fn, arg, places->data_dir, PYTHON | NODE};
    search(places, &s);
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
    const struct search s = {consider, &w, places->data_dir, w.python ? PYTHON : NODE};
    search(places, &s);
    return w.found ? ERR_OK : ERR_NOT_FOUND;
}
