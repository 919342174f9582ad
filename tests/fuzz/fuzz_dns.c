/* DNS queries as a function may send them, and answers as a resolver may: the first two bytes say how
 * much of the input is the query. */
// link: weir_net
#include <assert.h>
#include <stdint.h>

#include "base/host.h"
#include "net/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct in_addr address = {.s_addr = 0x01020304};
    struct net_question q, again;
    uint8_t out[NET_DNS_MAX];
    if (size < 2)
        return 0;
    size_t len = min_size((size_t)(data[0] << 8 | data[1]), size - 2);
    const uint8_t *query = data + 2;
    if (net_dns_parse(query, len, &q) != ERR_OK)
        return 0;
    assert(q.end <= len && q.name_len <= NET_HOST_MAX && strlen(q.name) == q.name_len);
    (void)host_is_aws(str_n(q.name, q.name_len));
    size_t n = net_dns_answer(query, &q, NET_DNS_OK, &address, out, sizeof out);
    assert(n > 0 && net_dns_answers(query, &q, out, n));
    assert(net_dns_parse(out, n, &again) == ERR_INVALID); /* an answer is no question */
    (void)net_dns_answers(query, &q, query + len, size - 2 - len);
    return 0;
}
