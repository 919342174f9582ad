/* Who is at the other end of a Runtime API connection. The API listens on a loopback port, which
 * any process of the host can reach; a function must not be able to take another's events. Where
 * every instance has a host user of its own, the kernel says whose the peer's socket is
 * (sock_diag(7)).
 *
 * Cost: one netlink exchange, some 10 us, once a connection.
 *
 * Layer: sandbox. Thread: the home loop. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "sandbox/sandbox_int.h"

/* User of the TCP socket 127.0.0.1:local -> 127.0.0.1:remote. */
static enum err owner_of(int fd, uint16_t local, uint16_t remote, uint32_t *ret_uid)
{
    struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 req;
    } ask = {
        .head = {.nlmsg_len = sizeof ask,
                 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                 .nlmsg_flags = NLM_F_REQUEST},
        .req = {.sdiag_family = AF_INET,
                .sdiag_protocol = IPPROTO_TCP,
                .idiag_states = ~0u,
                .id = {.idiag_sport = htons(local),
                       .idiag_dport = htons(remote),
                       .idiag_src = {htonl(INADDR_LOOPBACK)},
                       .idiag_dst = {htonl(INADDR_LOOPBACK)},
                       .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}},
    };
    union {
        struct nlmsghdr head;
        char bytes[2048];
    } got;
    if (send(fd, &ask, sizeof ask, 0) != (ssize_t)sizeof ask)
        return ERR_IO;
    /* The kernel answers before send returns. */
    ssize_t n = recv(fd, &got, sizeof got, MSG_DONTWAIT);
    if (n < (ssize_t)NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
        return n < 0 ? ERR_IO : ERR_NOT_FOUND;
    if (got.head.nlmsg_type != SOCK_DIAG_BY_FAMILY)
        return ERR_NOT_FOUND;
    struct inet_diag_msg msg;
    memcpy(&msg, NLMSG_DATA(&got.head), sizeof msg);
    *ret_uid = msg.idiag_uid;
    return ERR_OK;
}

static void open_diag(struct sandbox *sb)
{
    uint32_t uid;
    sb->diag_fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    /* A port pair that cannot exist: the kernel must say "not found", not "unknown request". */
    sb->diag_broken = sb->diag_fd < 0 || owner_of(sb->diag_fd, 1, 1, &uid) == ERR_IO;
    if (sb->diag_broken)
        log_warn("sandbox",
                 "this host does not tell the owner of a connection: functions that know "
                 "each other's port could take each other's events");
}

bool sandbox_peer_is_instance(struct sandbox_instance *in, uint16_t peer_port)
{
    struct sandbox *sb = in->sb;
    uint32_t uid;
    if (!sb->ready.host.own_uid || peer_port == in->api.trusted_port)
        return true;
    if (sb->diag_fd < 0 && !sb->diag_broken)
        open_diag(sb);
    if (sb->diag_broken)
        return true;
    if (in->slot < 0)
        sandbox_read_events(sb);
    if (in->slot < 0 || owner_of(sb->diag_fd, peer_port, in->api.port, &uid) != ERR_OK ||
        uid != sb->ready.host.uid_base + (uint32_t)in->slot)
        return false;
    in->api.trusted_port = peer_port;
    return true;
}
