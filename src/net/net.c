/* What the files of a network share. See net.h. Layer: net. Thread: the loop's. */
#include <assert.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/host.h"
#include "base/mem.h"
#include "net/net_int.h"

void net_init(struct net *net, const struct net_config *cfg)
{
    *net = (struct net){.cfg = *cfg, .spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC)};
    if (!net_parse_address(cfg->endpoint_host, cfg->endpoint_port, &net->endpoint))
        net->endpoint.ss_family = AF_UNSPEC;
}

void net_release(struct net *net)
{
    if (net->spare_fd >= 0)
        close(net->spare_fd);
    net->spare_fd = -1;
}

bool net_leads_here(const struct net *net, struct str host)
{
    if (host.len > 0 && host.p[host.len - 1] == '.')
        host.len--;
    if (!net->cfg.real_aws && host_is_aws(host))
        return true;
    /* RFC 6761 section 6.3: no server of the world knows such a name. Of Weir's it is what function URLs
     * have; localhost itself is the function's. */
    if (host_is_below(host, STR("localhost")) && !str_eq_nocase(host, STR("localhost")))
        return true;
    /* Buckets and accounts are below the endpoint's name, too. */
    return net->endpoint.ss_family == AF_UNSPEC && host_is_below(host, net->cfg.endpoint_host);
}

void net_function_handle_gone(struct net_function *f)
{
    assert(f->handles > 0);
    if (--f->handles == 0 && !f->net)
        mem_free(f);
}

void net_reset(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}
