/* The functions' resolver. Names of AWS and of the endpoint are answered here, with an address that
 * leads to Weir; of the rest, those a mode allows are asked of the host's resolver, each with a socket
 * of its own, so that the kernel picks the port and takes answers from that resolver only.
 *
 * There is no IPv6 in a function's network: questions for such addresses have an empty answer.
 *
 * Layer: net. Thread: the loop's. */
#include "net/net_int.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"

enum {
    BATCH = 32,
    QUESTION_MS = 5 * 1000,
    RESOLV_CONF_MAX = 16 * 1024,
    DNS_PORT = 53,
};

struct question {
    struct list link;
    struct net_function *f;
    uv_udp_t udp;
    struct io_timer timer;
    struct sockaddr_storage from;
    socklen_t from_len;
    struct net_question q;
    size_t len;
    uint8_t query[NET_DNS_MAX];
    uint8_t answer[NET_DNS_MAX];
};

/* What cannot be sent is lost, as datagrams may be: the function asks again. */
static void reply(const struct net_function *f, const void *p, size_t len,
                  const struct sockaddr_storage *to, socklen_t to_len)
{
    if (len > 0)
        (void)sendto(f->doors[0].fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL,
                     (const struct sockaddr *)(const void *)to, to_len);
}

static void on_closed(uv_handle_t *handle)
{
    struct question *q = handle->data;
    struct net_function *f = q->f;
    mem_free(q);
    net_function_handle_gone(f);
}

static void end_question(struct question *q)
{
    if (!list_linked(&q->link))
        return;
    list_remove(&q->link);
    q->f->n_questions--;
    io_timer_stop(&q->timer);
    uv_close((uv_handle_t *)&q->udp, on_closed);
}

static void fail_question(struct question *q)
{
    size_t n = net_dns_answer(q->query, &q->q, NET_DNS_SERVFAIL, NULL, q->answer, sizeof q->answer);
    reply(q->f, q->answer, n, &q->from, q->from_len);
    end_question(q);
}

static void on_timeout(struct io_timer *timer)
{
    fail_question(timer->arg);
}

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *ret_buf)
{
    struct question *q = handle->data;
    *ret_buf = uv_buf_init((char *)q->answer, sizeof q->answer);
}

static void on_answer(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from,
                      unsigned flags)
{
    struct question *q = udp->data;
    if (n < 0) {
        fail_question(q);
        return;
    }
    if (!from || n == 0 || !net_dns_answers(q->query, &q->q, q->answer, (size_t)n))
        return;
    reply(q->f, q->answer, (size_t)n, &q->from, q->from_len);
    end_question(q);
}

/* The first "nameserver" of the host's /etc/resolv.conf, read for each question: machines change their
 * networks. resolv.conf(5): without one, this machine's. */
static bool find_resolver(struct sockaddr_storage *ret_address)
{
    char text[RESOLV_CONF_MAX];
    int fd = open("/etc/resolv.conf", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text) : -1;
    if (fd >= 0)
        close(fd);
    struct str rest = str_n(text, n > 0 ? (size_t)n : 0);
    while (rest.len > 0) {
        struct str line = str_trim(str_cut(&rest, '\n'));
        if (!str_starts(line, STR("nameserver")))
            continue;
        struct str address = str_trim(str_sub(line, 10, SIZE_MAX));
        if (net_parse_address(address, DNS_PORT, ret_address))
            return true;
    }
    return net_parse_address(STR("127.0.0.1"), DNS_PORT, ret_address);
}

static bool ask(struct question *q)
{
    struct sockaddr_storage resolver;
    uv_buf_t b = uv_buf_init((char *)q->query, (unsigned)q->len);
    return find_resolver(&resolver) &&
           uv_udp_connect(&q->udp, (const struct sockaddr *)(const void *)&resolver) == 0 &&
           uv_udp_recv_start(&q->udp, on_alloc, on_answer) == 0 &&
           uv_udp_try_send(&q->udp, &b, 1, NULL) == (int)q->len &&
           io_timer_start(&q->timer, QUESTION_MS) == ERR_OK;
}

/* Takes a copy of all; over the limit the question is lost. */
static void pass_on(struct net_function *f, const uint8_t *p, size_t len,
                    const struct net_question *parsed, const struct sockaddr_storage *from,
                    socklen_t from_len)
{
    struct question *q = f->n_questions < NET_QUESTIONS_MAX ? mem_alloc(sizeof *q) : NULL;
    if (!q)
        return;
    *q = (struct question){.f = f, .from = *from, .from_len = from_len, .q = *parsed, .len = len};
    memcpy(q->query, p, len);
    if (uv_udp_init(io_loop_uv(f->loop), &q->udp) != 0) {
        mem_free(q);
        return;
    }
    q->udp.data = q;
    io_timer_init(&q->timer, f->loop, on_timeout, q);
    list_push_back(&f->questions, &q->link);
    f->n_questions++;
    f->handles++;
    if (!ask(q))
        fail_question(q);
}

static void serve(struct net_function *f, const uint8_t *p, size_t len,
                  const struct sockaddr_storage *from, socklen_t from_len)
{
    struct net_question q;
    uint8_t out[NET_DNS_MAX];
    struct in_addr aws = {.s_addr = inet_addr(NET_AWS_ADDRESS)};
    if (net_dns_parse(p, len, &q) != ERR_OK)
        return;
    bool here = net_leads_here(f->net, str_n(q.name, q.name_len));
    if (!here && q.type != NET_DNS_AAAA && f->net->cfg.world) {
        pass_on(f, p, len, &q, from, from_len);
        return;
    }
    int rcode = here || f->net->cfg.world ? NET_DNS_OK : NET_DNS_NXDOMAIN;
    size_t n =
        net_dns_answer(p, &q, rcode, here && q.type == NET_DNS_A ? &aws : NULL, out, sizeof out);
    reply(f, out, n, from, from_len);
}

void net_resolve_readable(struct net_function *f)
{
    uint8_t p[NET_DNS_MAX];
    for (int i = 0; i < BATCH; i++) {
        struct sockaddr_storage from;
        socklen_t from_len = sizeof from;
        ssize_t n = recvfrom(f->doors[0].fd, p, sizeof p, MSG_DONTWAIT,
                             (struct sockaddr *)(void *)&from, &from_len);
        if (n < 0)
            return;
        serve(f, p, (size_t)n, &from, from_len);
    }
}

void net_questions_close(struct net_function *f)
{
    LIST_EACH_SAFE (&f->questions, it, tmp)
        end_question(CONTAINER_OF(it, struct question, link));
}
