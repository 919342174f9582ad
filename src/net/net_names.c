/* What a URL says. Layer: net. Thread: any; pure. */
#include <stdio.h>

#include "net/net.h"

enum err net_split_url(struct str url, struct str *ret_host, uint16_t *ret_port, bool *ret_tls)
{
    uint64_t port;
    bool tls = str_starts(url, STR("https://"));
    if (!tls && !str_starts(url, STR("http://")))
        return ERR_INVALID;
    struct str rest = str_sub(url, tls ? 8 : 7, SIZE_MAX);
    struct str host = str_cut(&rest, '/');
    size_t colon = str_rfind(host, ':'), bracket = str_rfind(host, ']');
    port = tls ? NET_TLS_PORT : NET_PLAIN_PORT;
    if (colon != SIZE_MAX && (bracket == SIZE_MAX || colon > bracket)) {
        if (str_to_u64(str_sub(host, colon + 1, SIZE_MAX), &port) != ERR_OK || port == 0 ||
            port > UINT16_MAX)
            return ERR_INVALID;
        host.len = colon;
    }
    if (host.len > 2 && host.p[0] == '[' && host.p[host.len - 1] == ']')
        host = str_sub(host, 1, host.len - 2);
    if (host.len == 0 || host.len > NET_HOST_MAX)
        return ERR_INVALID;
    *ret_host = host;
    *ret_port = (uint16_t)port;
    *ret_tls = tls;
    return ERR_OK;
}

bool net_parse_address(struct str host, uint16_t port, struct sockaddr_storage *ret_address)
{
    char text[INET6_ADDRSTRLEN];
    memset(ret_address, 0, sizeof *ret_address);
    if (snprintf(text, sizeof text, STR_FMT, STR_ARG(host)) >= (int)sizeof text)
        return false;
    return uv_ip4_addr(text, port, (struct sockaddr_in *)(void *)ret_address) == 0 ||
           uv_ip6_addr(text, port, (struct sockaddr_in6 *)(void *)ret_address) == 0;
}
