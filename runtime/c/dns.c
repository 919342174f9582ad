/* Names to addresses: see net.h. RFC 1035 queries for A records, over UDP, to the first two servers
 * of /etc/resolv.conf; links (CNAME) are followed by the server, whose answer carries the
 * addresses.
 *
 * Layer: runtime/c. Thread: any. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rng.h"
#include "net.h"

enum {
    DNS_PORT = 53,
    DNS_PACKET_MAX = 1500,
    DNS_SERVERS_MAX = 2,
    DNS_TRIES = 4,
    DNS_TRY_MS = 1500,
    DNS_HEAD = 12,
    DNS_TYPE_A = 1,
    DNS_CLASS_IN = 1,
    DNS_LABEL_MAX = 63,
    NS_PER_MS = 1000 * 1000,
};

static bool from_hosts(const char *host, uint32_t *ret_address)
{
    FILE *f = fopen("/etc/hosts", "re");
    char line[1024];
    bool found = false;
    while (f && !found && fgets(line, sizeof line, f)) {
        char *save = NULL;
        line[strcspn(line, "#\n")] = 0;
        char *address = strtok_r(line, " \t", &save);
        struct in_addr in;
        if (!address || inet_pton(AF_INET, address, &in) != 1)
            continue;
        for (char *name; !found && (name = strtok_r(NULL, " \t", &save));)
            if (strcasecmp(name, host) == 0) {
                *ret_address = in.s_addr;
                found = true;
            }
    }
    if (f)
        fclose(f);
    return found;
}

static size_t read_servers(struct in_addr servers[DNS_SERVERS_MAX])
{
    FILE *f = fopen("/etc/resolv.conf", "re");
    char line[512], text[64];
    size_t n = 0;
    while (f && n < DNS_SERVERS_MAX && fgets(line, sizeof line, f))
        if (sscanf(line, " nameserver %63s", text) == 1 &&
            inet_pton(AF_INET, text, &servers[n]) == 1)
            n++;
    if (f)
        fclose(f);
    return n;
}

static size_t make_query(const char *host, uint16_t id, uint8_t *out)
{
    size_t at = DNS_HEAD;
    memset(out, 0, DNS_HEAD);
    out[0] = (uint8_t)(id >> 8);
    out[1] = (uint8_t)id;
    out[2] = 1; /* recursion desired */
    out[5] = 1; /* one question */
    for (const char *p = host; *p;) {
        size_t n = strcspn(p, ".");
        if (n == 0 || n > DNS_LABEL_MAX || at + n + 6 > DNS_PACKET_MAX)
            return 0;
        out[at++] = (uint8_t)n;
        memcpy(out + at, p, n);
        at += n;
        p += n;
        if (*p == '.')
            p++;
    }
    const uint8_t tail[] = {0, 0, DNS_TYPE_A, 0, DNS_CLASS_IN};
    memcpy(out + at, tail, sizeof tail);
    return at + sizeof tail;
}

/* Position after the name at `at`; 0 when it runs over the end. */
static size_t skip_name(struct str p, size_t at)
{
    while (at < p.len) {
        uint8_t n = (uint8_t)p.p[at];
        if (n == 0)
            return at + 1;
        if (n >= 0xc0)
            return at + 2;
        at += (size_t)n + 1;
    }
    return 0;
}

static unsigned be16(struct str p, size_t at)
{
    return (unsigned)(uint8_t)p.p[at] << 8 | (uint8_t)p.p[at + 1];
}

enum err net_parse_dns(struct str p, uint16_t id, uint32_t *ret_address)
{
    if (p.len < DNS_HEAD || be16(p, 0) != id || !(p.p[2] & 0x80))
        return ERR_INVALID;
    if ((p.p[3] & 0x0f) != 0)
        return ERR_NOT_FOUND;
    unsigned questions = be16(p, 4), answers = be16(p, 6);
    size_t at = DNS_HEAD;
    for (unsigned i = 0; i < questions; i++) {
        at = skip_name(p, at);
        if (at == 0 || at + 4 > p.len)
            return ERR_INVALID;
        at += 4;
    }
    for (unsigned i = 0; i < answers; i++) {
        at = skip_name(p, at);
        if (at == 0 || at + 10 > p.len)
            return ERR_INVALID;
        unsigned type = be16(p, at), size = be16(p, at + 8);
        at += 10;
        if (at + size > p.len)
            return ERR_INVALID;
        if (type == DNS_TYPE_A && size == sizeof *ret_address) {
            memcpy(ret_address, p.p + at, sizeof *ret_address);
            return ERR_OK;
        }
        at += size;
    }
    return ERR_NOT_FOUND;
}

static enum err ask(struct in_addr server, const char *host, uint32_t *ret_address,
                    int64_t until_ns)
{
    uint8_t packet[DNS_PACKET_MAX];
    uint16_t id = (uint16_t)rng_u64();
    size_t len = make_query(host, id, packet);
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(DNS_PORT), .sin_addr = server};
    enum err err = ERR_TIMEOUT;
    if (len == 0)
        return ERR_NOT_FOUND;
    /* A fresh socket: its random port is the second half of what a forger must guess. */
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return ERR_CLOSED;
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 ||
        send(fd, packet, len, 0) != (ssize_t)len)
        err = ERR_CLOSED;
    while (err == ERR_TIMEOUT) {
        struct pollfd pfd = {.fd = fd, .events = POLLIN};
        int64_t left = (until_ns - clock_mono_ns()) / NS_PER_MS;
        if (left <= 0 || poll(&pfd, 1, (int)left) == 0)
            break;
        ssize_t n = recv(fd, packet, sizeof packet, MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            err = ERR_CLOSED;
        if (n > 0) {
            enum err got = net_parse_dns(str_n((char *)packet, (size_t)n), id, ret_address);
            if (got != ERR_INVALID) /* not an answer to us: keep waiting */
                err = got;
        }
    }
    close(fd);
    return err;
}

enum err net_resolve(const char *host, uint32_t *ret_address, int64_t deadline_ns)
{
    struct in_addr in, servers[DNS_SERVERS_MAX];
    if (inet_pton(AF_INET, host, &in) == 1) {
        *ret_address = in.s_addr;
        return ERR_OK;
    }
    if (from_hosts(host, ret_address))
        return ERR_OK;
    if (strcmp(host, "localhost") == 0) {
        *ret_address = htonl(INADDR_LOOPBACK);
        return ERR_OK;
    }
    size_t n = read_servers(servers);
    enum err err = ERR_NOT_FOUND;
    for (int i = 0; n && i < DNS_TRIES; i++) {
        int64_t until = clock_mono_ns() + (int64_t)DNS_TRY_MS * NS_PER_MS;
        if (deadline_ns)
            until = min_i64(until, deadline_ns);
        err = ask(servers[(size_t)i % n], host, ret_address, until);
        if (err == ERR_OK || err == ERR_NOT_FOUND)
            break;
        if (deadline_ns && clock_mono_ns() >= deadline_ns)
            return ERR_TIMEOUT;
    }
    return err;
}
