/* Whom the first bytes of a connection mean: see net.h. Layer: net. Thread: any; pure. */
#include "base/host.h"
#include "net/net.h"

enum {
    RECORD_HANDSHAKE = 22,
    RECORD_HEAD = 5,
    CLIENT_HELLO = 1,
    EXTENSION_SERVER_NAME = 0,
    NAME_HOST = 0,
    RANDOM = 32,
    RECORD_MAX = 16 * 1024,
};

/* A place in a message whose end is known; short once something reaches past it. */
struct cursor {
    const uint8_t *p;
    size_t left;
    bool cut;
};

static size_t take_number(struct cursor *c, size_t bytes)
{
    size_t v = 0;
    if (c->left < bytes)
        c->cut = true;
    for (size_t i = 0; i < bytes && !c->cut; i++, c->left--)
        v = v << 8 | *c->p++;
    return v;
}

/* The next `n` bytes, as a cursor of their own. */
static struct cursor take(struct cursor *c, size_t n)
{
    struct cursor part = {.p = c->p, .left = n, .cut = false};
    if (c->cut || c->left < n) {
        c->cut = true;
        return (struct cursor){.p = c->p, .left = 0, .cut = true};
    }
    c->p += n;
    c->left -= n;
    return part;
}

static bool server_name(struct cursor extension, struct str *ret_name)
{
    struct cursor list = take(&extension, take_number(&extension, 2));
    while (!list.cut && list.left > 0) {
        size_t type = take_number(&list, 1);
        struct cursor name = take(&list, take_number(&list, 2));
        if (!list.cut && type == NAME_HOST && name.left > 0) {
            *ret_name = str_n((const char *)name.p, name.left);
            return true;
        }
    }
    return false;
}

static enum net_hello tls_hello(const uint8_t *p, size_t len, struct str *ret_name)
{
    if (len < RECORD_HEAD)
        return NET_HELLO_MORE;
    size_t record = (size_t)p[3] << 8 | p[4];
    if (record > RECORD_MAX)
        return NET_HELLO_BAD;
    if (len < RECORD_HEAD + record)
        return NET_HELLO_MORE;
    struct cursor c = {.p = p + RECORD_HEAD, .left = record};
    if (take_number(&c, 1) != CLIENT_HELLO)
        return c.cut ? NET_HELLO_BAD : NET_HELLO_NONE;
    struct cursor hello = take(&c, take_number(&c, 3));
    (void)take(&hello, 2 + RANDOM);             /* version */
    (void)take(&hello, take_number(&hello, 1)); /* session */
    (void)take(&hello, take_number(&hello, 2)); /* suites */
    (void)take(&hello, take_number(&hello, 1)); /* compression */
    if (!hello.cut && hello.left == 0)          /* without extensions, as in old TLS */
        return NET_HELLO_NONE;
    struct cursor extensions = take(&hello, take_number(&hello, 2));
    while (!extensions.cut && extensions.left > 0) {
        size_t type = take_number(&extensions, 2);
        struct cursor e = take(&extensions, take_number(&extensions, 2));
        if (!extensions.cut && type == EXTENSION_SERVER_NAME)
            return server_name(e, ret_name) ? NET_HELLO_NAME : NET_HELLO_BAD;
    }
    return extensions.cut ? NET_HELLO_BAD : NET_HELLO_NONE;
}

static enum net_hello http_host(struct str text, struct str *ret_name)
{
    struct str rest = text;
    if (str_find(text, '\n') == SIZE_MAX && text.len < HTTP_TARGET_MAX)
        return NET_HELLO_MORE;
    (void)str_cut(&rest, '\n'); /* the request line */
    for (;;) {
        if (str_find(rest, '\n') == SIZE_MAX) /* the head is not over, or too long to wait for */
            return text.len < HTTP_HEAD_MAX / 4 ? NET_HELLO_MORE : NET_HELLO_BAD;
        struct str line = str_trim(str_cut(&rest, '\n'));
        if (line.len == 0)
            return NET_HELLO_NONE;
        struct str name = str_cut(&line, ':');
        if (!str_eq_nocase(str_trim(name), STR("host")) || !line.p)
            continue;
        *ret_name = host_bare(str_trim(line));
        return NET_HELLO_NAME;
    }
}

enum net_hello net_hello(const uint8_t *p, size_t len, struct str *ret_name)
{
    if (len == 0)
        return NET_HELLO_MORE;
    if (p[0] == RECORD_HANDSHAKE)
        return tls_hello(p, len, ret_name);
    return p[0] >= 'A' && p[0] <= 'Z' ? http_host(str_n((const char *)p, len), ret_name)
                                      : NET_HELLO_NONE;
}
