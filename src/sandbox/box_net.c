/* The network of one environment: loopback, a route by which every address is its own, and sockets
 * that listen there for Weir. See box.h and net/net.h.
 *
 * The route is what a firewall's redirect would be elsewhere, without the right to have one: an address
 * that a route of type local covers is taken for the machine's own, so a connection to it arrives at
 * whoever listens at its port here, and the socket says which address was meant.
 *
 * Layer: sandbox. Thread: the helper's children, which have one. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/net.h"
#include "sandbox/box.h"

enum { BACKLOG = 128, LOOPBACK_INDEX = 1 };

/* Where the world's services listen, beside 80 and 443. A function's own servers cannot have these ports,
 * so of those above 1023, which it could bind, only databases' and brokers'; and each is an open file
 * of the server's for each function. */
static const uint16_t world_ports[] = {22, 465, 587, 1433, 3306, 5432, 6379, 8883, 9092, 27017};

static bool lo_up(void)
{
    struct ifreq r = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool ok = ioctl(fd, SIOCGIFFLAGS, &r) == 0;
    r.ifr_flags |= IFF_UP;
    ok = ok && ioctl(fd, SIOCSIFFLAGS, &r) == 0;
    close(fd);
    return ok;
}

/* `message` begins with its header and has room behind what is in it. */
static void add_attribute(void *message, unsigned short type, const void *p, size_t len)
{
    struct nlmsghdr *head = message;
    struct rtattr *a = (struct rtattr *)(void *)((char *)message + NLMSG_ALIGN(head->nlmsg_len));
    a->rta_type = type;
    a->rta_len = (unsigned short)RTA_LENGTH(len);
    memcpy(RTA_DATA(a), p, len);
    head->nlmsg_len = (uint32_t)(NLMSG_ALIGN(head->nlmsg_len) + RTA_ALIGN(a->rta_len));
}

/* "local <address>/<bits> dev lo", and waits for the kernel's word. */
static bool add_local(int fd, unsigned char family, const void *address, unsigned char bits)
{
    struct {
        struct nlmsghdr head;
        struct rtmsg route;
        char attributes[64];
    } ask = {
        .head = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
                 .nlmsg_type = RTM_NEWROUTE,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK},
        .route = {.rtm_family = family,
                  .rtm_dst_len = bits,
                  .rtm_table = RT_TABLE_LOCAL,
                  .rtm_protocol = RTPROT_STATIC,
                  .rtm_scope = RT_SCOPE_HOST,
                  .rtm_type = RTN_LOCAL},
    };
    union {
        struct nlmsghdr head;
        char bytes[512];
    } got;
    int index = LOOPBACK_INDEX;
    if (bits > 0)
        add_attribute(&ask, RTA_DST, address, family == AF_INET ? 4 : 16);
    add_attribute(&ask, RTA_OIF, &index, sizeof index);
    if (send(fd, &ask, ask.head.nlmsg_len, 0) != (ssize_t)ask.head.nlmsg_len ||
        recv(fd, &got, sizeof got, 0) < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)) ||
        got.head.nlmsg_type != NLMSG_ERROR) {
        errno = EPROTO;
        return false;
    }
    struct nlmsgerr told;
    memcpy(&told, NLMSG_DATA(&got.head), sizeof told);
    errno = -told.error;
    return told.error == 0 || told.error == -EEXIST;
}

static bool add_routes(const struct box_net *net)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return false;
    struct in_addr range = {.s_addr = inet_addr(NET_AWS_ADDRESS) & htonl(0xffffff00)};
    bool ok = net->world ? add_local(fd, AF_INET, NULL, 0) : add_local(fd, AF_INET, &range, 24);
    const struct sockaddr_storage *e = &net->endpoint;
    if (ok && e->ss_family == AF_INET)
        ok = add_local(fd, AF_INET, &((const struct sockaddr_in *)(const void *)e)->sin_addr, 32);
    if (ok && e->ss_family == AF_INET6)
        ok = add_local(fd, AF_INET6, &((const struct sockaddr_in6 *)(const void *)e)->sin6_addr,
                       128);
    int saved = errno;
    close(fd);
    errno = saved;
    return ok;
}

static int bound(int type, const struct sockaddr *address, socklen_t len)
{
    int no = 0;
    int fd = socket(address->sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (address->sa_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    if (bind(fd, address, len) == 0 && (type != SOCK_STREAM || listen(fd, BACKLOG) == 0))
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static int bound4(int type, const char *address, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    in.sin_addr.s_addr = inet_addr(address);
    return bound(type, (const struct sockaddr *)(const void *)&in, sizeof in);
}

/* At every address, of IPv6 too where there is such a thing. */
static int listening(uint16_t port)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    int fd = bound(SOCK_STREAM, (const struct sockaddr *)(const void *)&in6, sizeof in6);
    return fd >= 0 ? fd : bound4(SOCK_STREAM, "0.0.0.0", port);
}

static bool add(struct box_sockets *s, int fd)
{
    if (fd >= 0)
        s->fds[s->n++] = fd;
    return fd >= 0;
}

static bool add_sockets(const struct box_net *net, struct box_sockets *s)
{
    static_assert(ARRAY_LEN(world_ports) + 5 <= BOX_SOCKETS_MAX, "they go in one message");
    if (!net->guest && !add(s, bound4(SOCK_STREAM, "127.0.0.1", BOX_API_PORT)))
        return false;
    if (!add(s, bound4(SOCK_DGRAM, NET_RESOLVER_ADDRESS, 53)) || !add(s, listening(NET_TLS_PORT)) ||
        !add(s, listening(NET_PLAIN_PORT)))
        return false;
    uint16_t own = net->endpoint_port;
    bool other = own != 0 && own != NET_TLS_PORT && own != NET_PLAIN_PORT &&
                 (net->guest || own != BOX_API_PORT);
    if (other && !add(s, listening(own)))
        return false;
    for (size_t i = 0; net->world && i < ARRAY_LEN(world_ports); i++)
        if (world_ports[i] != own && !add(s, listening(world_ports[i])))
            return false;
    return true;
}

bool sandbox_box_net_open(const struct box_net *net, struct box_sockets *ret_sockets)
{
    ret_sockets->n = 0;
    if (lo_up() && add_routes(net) && add_sockets(net, ret_sockets))
        return true;
    int saved = errno;
    sandbox_box_net_close(ret_sockets);
    errno = saved;
    return false;
}

void sandbox_box_net_close(struct box_sockets *sockets)
{
    for (size_t i = 0; i < sockets->n; i++)
        close(sockets->fds[i]);
    sockets->n = 0;
}
