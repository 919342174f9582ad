/* What a command in a network like a function's sees in other files than before: the resolver, and whom
 * to trust. See guest.h.
 *
 * All of it is made in a file system in memory that covers the server's folder of such files in this
 * mount namespace, `<data>/sandbox/net`, and bound from there over the host's. So nothing is written to
 * the host, and the last process takes it along.
 *
 * Bundles are the host's with Weir's authority at the end. A file that a variable names already is
 * one of those; the variable then names the copy.
 *
 * Layer: sandbox. Thread: the only one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "net/net.h"
#include "sandbox/guest.h"

enum { FILE_MAX = 4 * 1024 * 1024, AUTHORITY_MAX = 16 * 1024, PIECE = 64 * 1024 };

static const char resolv_conf[] = "nameserver " NET_RESOLVER_ADDRESS "\n";

struct files {
    char dir[BOX_PATH_MAX]; /* of the file system in memory */
    struct buf authority;   /* PEM */
    char *why;
};

static bool refuse(const struct files *f, const char *what, const char *path)
{
    (void)snprintf(f->why, GUEST_WHY_MAX, "cannot %s %.256s: %s", what, path, strerror(errno));
    return false;
}

/* Appends it. */
static bool read_file(const char *path, struct buf *b)
{
    struct stat st;
    ssize_t n = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        n = -1;
    while (n > 0) {
        char *p = buf_reserve(b, PIECE);
        n = p ? read(fd, p, PIECE) : -1;
        if (n > 0)
            buf_grew(b, (size_t)n);
    }
    close(fd);
    return n == 0;
}

/* A file of our folder; its path into `path`. */
static bool make_file(const struct files *f, const char *name, struct str text,
                      char path[BOX_PATH_MAX])
{
    if (snprintf(path, BOX_PATH_MAX, "%s/%s", f->dir, name) >= BOX_PATH_MAX)
        return false;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return false;
    bool ok = write(fd, text.p, text.len) == (ssize_t)text.len && fchmod(fd, 0644) == 0;
    close(fd);
    return ok;
}

/* --- names -------------------------------------------------------------------------------------- */

static bool show(const struct files *f, const char *name, struct str text, const char *at)
{
    char path[BOX_PATH_MAX];
    return (make_file(f, name, text, path) && mount(path, at, NULL, MS_BIND, NULL) == 0) ||
           refuse(f, "show another file at", at);
}

/* The host's, but for who is asked for hosts: what answers by another way than the network (a daemon's
 * socket) would answer for the host's network. */
static bool show_nsswitch(const struct files *f)
{
    static const char path[] = "/etc/nsswitch.conf";
    struct buf was, now;
    buf_init(&was, FILE_MAX);
    buf_init(&now, FILE_MAX);
    bool ok = true;
    if (read_file(path, &was)) {
        struct str all = buf_str(&was);
        while (str_is_set(all)) {
            struct str line = str_cut(&all, '\n');
            if (!str_starts(str_trim(line), STR("hosts:")))
                buf_add_fmt(&now, STR_FMT "\n", STR_ARG(line));
        }
        buf_add_str(&now, STR("hosts: files dns\n"));
        ok = !buf_err(&now) && show(f, "nsswitch.conf", buf_str(&now), path);
    }
    buf_release(&was);
    buf_release(&now);
    return ok;
}

static bool show_resolver(const struct files *f)
{
    static const char nscd[] = "/run/nscd";
    if (!show(f, "resolv.conf", str_c(resolv_conf), "/etc/resolv.conf") || !show_nsswitch(f))
        return false;
    /* Its cache is of the host's names. */
    return access(nscd, F_OK) != 0 ||
           mount("tmpfs", nscd, "tmpfs", MS_NOSUID | MS_NODEV, NULL) == 0 ||
           refuse(f, "hide", nscd);
}

/* --- trust -------------------------------------------------------------------------------------- */

/* Bundle `from` (NULL: none) and the authority. False too when there is no such bundle. */
static bool merge(const struct files *f, const char *from, const char *name,
                  char path[BOX_PATH_MAX])
{
    struct buf b;
    buf_init(&b, FILE_MAX);
    bool ok = !from || read_file(from, &b);
    if (b.len > 0)
        buf_add_byte(&b, '\n');
    buf_add_str(&b, buf_str(&f->authority));
    ok = ok && !buf_err(&b) && make_file(f, name, buf_str(&b), path);
    buf_release(&b);
    return ok;
}

/* Where the host does not let it, the variables lead there. */
static bool show_bundles(const struct files *f, char first[BOX_PATH_MAX])
{
    char name[32], path[BOX_PATH_MAX];
    first[0] = '\0';
    for (size_t i = 0; net_bundle_path(i); i++) {
        (void)snprintf(name, sizeof name, "bundle-%zu.crt", i);
        if (!merge(f, net_bundle_path(i), name, path))
            continue;
        (void)mount(path, net_bundle_path(i), NULL, MS_BIND, NULL);
        if (!first[0])
            memcpy(first, path, sizeof path);
    }
    return first[0] || merge(f, NULL, "bundle.crt", first) || refuse(f, "write below", f->dir);
}

static bool set_variables(const struct files *f, const char *bundle)
{
    static const struct {
        const char *name;
        bool adds; /* to whom its program trusts anyway */
    } variables[] = {{"SSL_CERT_FILE", false},
                     {"AWS_CA_BUNDLE", false},
                     {"REQUESTS_CA_BUNDLE", false},
                     {"CURL_CA_BUNDLE", false},
                     {"NODE_EXTRA_CA_CERTS", true}};
    char name[64], path[BOX_PATH_MAX], authority[BOX_PATH_MAX];
    if (!make_file(f, "ca.crt", buf_str(&f->authority), authority))
        return refuse(f, "write below", f->dir);
    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        const char *had = getenv(variables[i].name);
        const char *to = variables[i].adds ? authority : bundle;
        (void)snprintf(name, sizeof name, "%s.crt", variables[i].name);
        if (had && *had) /* what cannot be read stays, for its program to say so */
            to = merge(f, had, name, path) ? path : had;
        if (setenv(variables[i].name, to, 1) != 0)
            return refuse(f, "set", variables[i].name);
    }
    return true;
}

bool sandbox_guest_show_files(const char *data_dir, char *ret_why)
{
    char path[BOX_PATH_MAX], bundle[BOX_PATH_MAX];
    struct files f = {.why = ret_why};
    buf_init(&f.authority, AUTHORITY_MAX + PIECE);
    bool ok = snprintf(f.dir, sizeof f.dir, "%s/sandbox/net", data_dir) < (int)sizeof f.dir &&
              snprintf(path, sizeof path, "%s/ca.crt", f.dir) < (int)sizeof path;
    if (!ok)
        errno = ENAMETOOLONG;
    ok = (ok && read_file(path, &f.authority)) ||
         refuse(&f, "read Weir's authority below", data_dir);
    ok = ok && (mount("tmpfs", f.dir, "tmpfs", MS_NOSUID | MS_NODEV, "size=64m,mode=0755") == 0 ||
                refuse(&f, "mount a file system in memory at", f.dir));
    ok = ok && show_resolver(&f) && show_bundles(&f, bundle) && set_variables(&f, bundle);
    buf_release(&f.authority);
    return ok;
}
