/* What may be asked for, and of whom (FE3, FE4). */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "fetch/fetch_int.h"

static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i], l = (char)(c | 0x20);
        if (!((l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') ||
              (c && strchr("!#$%&'*+-.^_`|~", c))))
            return false;
    }
    return s.len > 0;
}

static bool is_printable(struct str s, char least)
{
    for (size_t i = 0; i < s.len; i++)
        if (((unsigned char)s.p[i] < (unsigned char)least && s.p[i] != '\t') || s.p[i] == 0x7f)
            return false;
    return true;
}

enum err fetch_check(const struct fetch_call *call)
{
    size_t bytes = 0;
    bool http = str_starts(call->url, STR("http://")) || str_starts(call->url, STR("https://"));
    if (!is_token(call->method) || !http || !is_printable(call->url, '!') ||
        str_find(call->url, '\t') != SIZE_MAX)
        return ERR_INVALID;
    if (call->url.len > FETCH_URL_BYTES_MAX || call->headers_n > FETCH_HEADERS_MAX)
        return ERR_LIMIT;
    for (size_t i = 0; i < call->headers_n; i++) {
        const struct fetch_header *h = &call->headers[i];
        if (!is_token(h->name) || !is_printable(h->value, ' '))
            return ERR_INVALID;
        bytes += h->name.len + h->value.len + 4;
    }
    return bytes > FETCH_HEADERS_BYTES_MAX ? ERR_LIMIT : ERR_OK;
}

static bool is_denied4(uint32_t ip, bool allow_loopback)
{
    if (ip >> 24 == 127)
        return !allow_loopback;
    return ip >> 24 == 0 || ip >> 16 == 0xa9fe || ip >> 28 >= 0xe; /* 0/8, 169.254/16, 224/3 */
}

static bool is_denied6(const unsigned char *ip, bool allow_loopback)
{
    static const unsigned char zero[15] = {0}, mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const unsigned char nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    static const unsigned char metadata[16] = {0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54};
    if (memcmp(ip, zero, 15) == 0 && ip[15] <= 1)
        return ip[15] == 0 || !allow_loopback;
    if (memcmp(ip, zero, 12) == 0 || memcmp(ip, mapped, 12) == 0 || memcmp(ip, nat64, 12) == 0)
        return is_denied4((uint32_t)ip[12] << 24 | ip[13] << 16 | ip[14] << 8 | ip[15],
                          allow_loopback);
    bool link_local = ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
    return link_local || ip[0] == 0xff || memcmp(ip, metadata, 16) == 0;
}

bool fetch_is_denied(const struct sockaddr *address, bool allow_loopback)
{
    if (address->sa_family == AF_INET)
        return is_denied4(ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr),
                          allow_loopback);
    if (address->sa_family == AF_INET6)
        return is_denied6(((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr,
                          allow_loopback);
    return true;
}
