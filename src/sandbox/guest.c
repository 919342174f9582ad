/* Namespaces of a command, and its network. See guest.h.
 *
 * Root needs no user namespace, and without one everything stays as it is. Others get one in which they
 * are themselves and nobody else is anybody: files belong to whom they belonged, and what they may do
 * with them is what they might before, as the kernel judges by the user outside.
 *
 * Layer: sandbox. Thread: the only one. */
#include "sandbox/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "net/net.h"

static bool refuse(char *why, const char *what)
{
    (void)snprintf(why, GUEST_WHY_MAX, "%s: %s", what, strerror(errno));
    return false;
}

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    int saved = errno;
    close(fd);
    errno = saved;
    return ok;
}

/* The kernel maps groups only for who gave up changing them. */
static bool map_self(uid_t uid, gid_t gid)
{
    char users[64], groups[64];
    (void)snprintf(users, sizeof users, "%u %u 1\n", (unsigned)uid, (unsigned)uid);
    (void)snprintf(groups, sizeof groups, "%u %u 1\n", (unsigned)gid, (unsigned)gid);
    return write_file("/proc/self/setgroups", "deny") && write_file("/proc/self/uid_map", users) &&
           write_file("/proc/self/gid_map", groups);
}

static bool make_namespaces(char *why)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (unshare(CLONE_NEWNET | CLONE_NEWNS) == 0)
        return true;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) == 0 && map_self(uid, gid))
        return true;
    return refuse(
        why, uid == 0 ? "this host (or the container's manager) lets nobody make network and "
                        "mount namespaces, which weir exec is made of"
                      : "this host lets its plain users make no namespaces, which weir exec is "
                        "made of (see user.max_user_namespaces, "
                        "kernel.unprivileged_userns_clone and "
                        "kernel.apparmor_restrict_unprivileged_userns); as root it works");
}

static bool join(const struct guest_place *place, const struct box_sockets *sockets, char *why)
{
    char said[GUEST_WHY_MAX / 2];
    enum err err = net_guest_join(place->data_dir, sockets->fds, sockets->n, said, sizeof said);
    if (err == ERR_DENIED)
        (void)snprintf(why, GUEST_WHY_MAX, "the Weir that serves from %.200s refuses: %s",
                       place->data_dir, said);
    else if (err)
        (void)snprintf(why, GUEST_WHY_MAX, "the Weir that serves from %.200s does not answer (%s)",
                       place->data_dir, err_name(err));
    return err == ERR_OK;
}

bool sandbox_guest_enter(const struct guest_place *place, char *ret_why)
{
    struct box_sockets sockets;
    struct box_net net = place->net;
    net.guest = true;
    if (!make_namespaces(ret_why))
        return false;
    /* Mounts of the host still come in; ours do not go out. */
    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) != 0)
        return refuse(ret_why, "cannot keep mounts to itself");
    if (!sandbox_box_net_open(&net, &sockets))
        return refuse(ret_why, "cannot set up a network");
    bool ok = join(place, &sockets, ret_why);
    sandbox_box_net_close(&sockets);
    return ok && sandbox_guest_show_files(place->data_dir, ret_why);
}
