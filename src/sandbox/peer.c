/* Who is at the other end of a connection, where functions share the host's network: any process of the
 * host can reach the port of a Runtime API, and a function can reach Weir's own. The kernel says
 * whose the peer's socket is (sock_diag(7)):
 *   - where every instance has a host user of its own, its user names the instance;
 *   - elsewhere its inode is looked for among the processes (holder.c).
 * A socket that has no inode was closed by whoever had it: nobody's.
 *
 * Answers are kept for the connection and never beyond it: a port may change hands, a socket's
 * creator does not.
 *
 * Cost: one netlink exchange, some 10 us, once a connection; holder.c's where that is needed.
 *
 * Layer: sandbox. Thread: the home loop; sandbox_peer_in_function any. */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "sandbox/sandbox_int.h"

struct peer_socket {
    uint32_t uid, inode;
};

static bool put_end(const struct sockaddr_storage *end, __be32 address[4], __be16 *port)
{
    if (end->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)end;
        address[0] = in->sin_addr.s_addr;
        *port = in->sin_port;
    } else if (end->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)end;
        memcpy(address, &in6->sin6_addr, sizeof in6->sin6_addr);
        *port = in6->sin6_port;
    } else {
        return false;
    }
    return true;
}

/* ERR_NOT_FOUND: no such socket. ERR_IO: the kernel does not answer such questions. */
static enum err ask(const struct sockaddr_storage *local, const struct sockaddr_storage *peer,
                    struct peer_socket *ret)
{
    struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 req;
    } ask = {
        .head = {.nlmsg_len = sizeof ask,
                 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                 .nlmsg_flags = NLM_F_REQUEST},
        .req = {.sdiag_family = (uint8_t)peer->ss_family,
                .sdiag_protocol = IPPROTO_TCP,
                .idiag_states = ~0u,
                .id = {.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}},
    };
    union {
        struct nlmsghdr head;
        char bytes[2048];
    } got;
    struct inet_diag_sockid *id = &ask.req.id;
    if (!put_end(peer, id->idiag_src, &id->idiag_sport) ||
        !put_end(local, id->idiag_dst, &id->idiag_dport))
        return ERR_NOT_FOUND;
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0)
        return ERR_IO;
    /* The kernel answers before send returns. */
    ssize_t n = send(fd, &ask, sizeof ask, 0) == (ssize_t)sizeof ask
                    ? recv(fd, &got, sizeof got, MSG_DONTWAIT)
                    : -1;
    close(fd);
    if (n < 0)
        return ERR_IO;
    if (n < (ssize_t)NLMSG_LENGTH(sizeof(struct inet_diag_msg)) ||
        got.head.nlmsg_type != SOCK_DIAG_BY_FAMILY)
        return ERR_NOT_FOUND;
    struct inet_diag_msg msg;
    memcpy(&msg, NLMSG_DATA(&got.head), sizeof msg);
    *ret = (struct peer_socket){.uid = msg.idiag_uid, .inode = msg.idiag_inode};
    return msg.idiag_inode ? ERR_OK : ERR_NOT_FOUND;
}

static enum err socket_of(const struct http_req *req, struct peer_socket *ret)
{
    struct sockaddr_storage local, peer;
    TRY(http_conn_ends(req, &local, &peer));
    return ask(&local, &peer, ret);
}

bool sandbox_peers_are_told(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(1)};
    struct sockaddr_storage end = {0};
    struct peer_socket s;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memcpy(&end, &in, sizeof in);
    /* A pair that cannot exist: the kernel must say "not found", not "unknown request". */
    return ask(&end, &end, &s) == ERR_NOT_FOUND;
}

static bool is_of(struct sandbox_instance *in, const struct http_req *req)
{
    const struct sandbox *sb = in->sb;
    const struct box_host *host = &sb->ready.host;
    struct peer_socket s;
    if (!sb->peers_told)
        return true; /* said at start, and counted as incomplete isolation */
    if (socket_of(req, &s) != ERR_OK)
        return false;
    if (host->own_uid)
        return s.uid == host->uid_base + (uint32_t)in->slot;
    return s.uid == (uint32_t)geteuid() && sandbox_socket_held(s.inode, in->pid, true);
}

bool sandbox_peer_is_instance(struct sandbox_instance *in, struct http_req *req)
{
    int *mark = http_conn_mark(req);
    if (in->sb->ready.host.network)
        return true; /* nobody else is in its network */
    if (in->slot < 0)
        sandbox_read_events(in->sb);
    if (*mark == SANDBOX_MARK_NONE && in->pid > 0) /* before, it has no process that could ask */
        *mark = is_of(in, req) ? SANDBOX_MARK_INSTANCE : SANDBOX_MARK_STRANGER;
    return *mark == SANDBOX_MARK_INSTANCE;
}

static bool is_outside(const struct sandbox *sb, const struct http_req *req)
{
    const struct box_host *host = &sb->ready.host;
    struct peer_socket s;
    if (!sb->peers_told || socket_of(req, &s) != ERR_OK)
        return false;
    if (host->own_uid)
        return s.uid < host->uid_base || s.uid - host->uid_base >= ZYGOTE_SLOTS;
    return s.uid != (uint32_t)geteuid() || sandbox_socket_held(s.inode, sb->pid, false);
}

bool sandbox_peer_in_function(struct core *core, struct http_req *req)
{
    const struct sandbox *sb = core->sandbox;
    int *mark = http_conn_mark(req);
    if (sb && sb->ready.host.network) /* their connections come marked, and by no other way */
        return *mark == SANDBOX_MARK_FUNCTION;
    if (*mark == SANDBOX_MARK_NONE) {
        if (!sb || sb->n_instances == 0)
            return false; /* not kept: one may start while the connection lives */
        *mark = is_outside(sb, req) ? SANDBOX_MARK_OUTSIDE : SANDBOX_MARK_FUNCTION;
    }
    return *mark == SANDBOX_MARK_FUNCTION;
}
