/* The functions' networks, the server's end: where they lead. See net/net.h.
 *
 * Layer: sandbox. Thread: the home loop. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "sandbox/sandbox_int.h"

static enum err make_authority(struct sandbox *sb, struct str host)
{
    char dir[BOX_PATH_MAX + 8], data[BOX_PATH_MAX];
    if (snprintf(data, sizeof data, STR_FMT, STR_ARG(sb->core->cfg.data_dir)) >= (int)sizeof data)
        return ERR_LIMIT;
    (void)snprintf(dir, sizeof dir, "%s/net", sb->work_dir);
    TRY(net_authority_open(data, host, &sb->authority));
    TRY(net_authority_publish(sb->authority, dir));
    sb->names = (struct http_tls_names){.arg = sb->authority, .find = net_authority_find};
    return http_tls_ctx_by_name(&sb->names, &sb->tls);
}

/* One a process; touches nothing that goes before it. */
static struct io_work warming;

static void warm(struct io_work *work)
{
    sandbox_runtimes_warm();
}

static void warmed(struct io_work *work)
{
}

/* Commands of this host in a network like functions', but not as functions: the keys of whoever runs them
 * are good there, and AWS's names lead here whatever --function-aws says. */
static void open_guests(struct sandbox *sb, const struct net_config *functions)
{
    char data[BOX_PATH_MAX];
    struct net_config cfg = *functions;
    cfg.mark = SANDBOX_MARK_OUTSIDE;
    cfg.real_aws = false;
    net_init(&sb->guest_net, &cfg);
    if (snprintf(data, sizeof data, STR_FMT, STR_ARG(sb->core->cfg.data_dir)) >= (int)sizeof data ||
        net_guests_open(&sb->guest_net, data, &sb->guests) != ERR_OK)
        log_warn("sandbox",
                 "weir exec will not reach this Weir: cannot listen at " STR_FMT
                 "/" NET_GUESTS_SOCKET ": %s",
                 STR_ARG(sb->core->cfg.data_dir), strerror(errno));
}

enum err sandbox_connect(struct sandbox *sb, struct http_server *front)
{
    struct net_config cfg = {
        .loop = core_home_loop(sb->core),
        .front = front,
        .mark = SANDBOX_MARK_FUNCTION,
        .world = sb->network == SANDBOX_NETWORK_WORLD,
        .real_aws = sb->real_aws,
    };
    assert(sb->started && !sb->connected);
    warming = (struct io_work){.work = warm, .done = warmed};
    if (io_work_start(core_home_loop(sb->core), &warming) != ERR_OK)
        log_warn("sandbox", "the first function for Node.js will wait for its version");
    if (!sb->ready.host.network)
        return ERR_OK;
    TRY(net_split_url(sb->core->cfg.endpoint, &cfg.endpoint_host, &cfg.endpoint_port,
                      &cfg.endpoint_tls));
    TRY(make_authority(sb, cfg.endpoint_host));
    cfg.tls = sb->tls;
    net_init(&sb->net, &cfg);
    sb->connected = true;
    open_guests(sb, &cfg);
    sandbox_network_tell(sb);
    log_info("sandbox", "functions have networks of their own: AWS's names lead %s, all else %s",
             sb->real_aws ? "to AWS" : "here",
             cfg.world ? "to the world, through Weir" : "nowhere");
    return ERR_OK;
}

void sandbox_network_tell(struct sandbox *sb)
{
    struct zygote_network told = {.op = ZYGOTE_NETWORK,
                                  .net = {.world = sb->net.cfg.world,
                                          .endpoint_port = sb->net.cfg.endpoint_port,
                                          .endpoint = sb->net.endpoint}};
    ssize_t n;
    if (!sb->connected)
        return;
    do
        n = send(sb->fd, &told, sizeof told, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        log_error("sandbox", "the helper process does not listen: %s", strerror(errno));
}

enum sandbox_network sandbox_network(const struct sandbox *sb)
{
    return sb->ready.host.network ? sb->network : SANDBOX_NETWORK_HOST;
}

void sandbox_guests_close(struct sandbox *sb)
{
    net_guests_close(sb->guests);
    sb->guests = NULL;
}

void sandbox_network_free(struct sandbox *sb)
{
    sandbox_guests_close(sb);
    http_tls_ctx_free(sb->tls);
    net_authority_free(sb->authority);
    if (sb->connected) {
        net_release(&sb->guest_net);
        net_release(&sb->net);
    }
}
