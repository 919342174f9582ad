/* First bytes of a connection: what has been said is said, however much follows. */
// link: weir_net
#include <assert.h>
#include <stdint.h>

#include "base/host.h"
#include "net/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str name = STR_NONE, early = STR_NONE;
    enum net_hello all = net_hello(data, size, &name);
    if (all == NET_HELLO_NAME) {
        assert((const uint8_t *)name.p >= data &&
               (const uint8_t *)name.p + name.len <= data + size);
        (void)host_is_aws(name);
    }
    for (size_t n = 0; n < size && n < 512; n++) {
        enum net_hello part = net_hello(data, n, &early);
        assert(part == NET_HELLO_MORE || part == all);
        if (part == NET_HELLO_NAME)
            assert(str_eq(early, name));
    }
    return 0;
}
