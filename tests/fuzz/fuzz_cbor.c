/* CBOR: what parses must write and parse again to the same bytes, as JSON must be JSON, and its tree
 * must go through the decoder of operations; nothing may crash or leak. */
// link: weir_wire_stubs
#include "codec/cbor.h"
#include "fuzz_wire.h"

static const struct fuzz_op op = {&sqs_service, "SendMessageBatch", WIRE_RPC_CBOR};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct json *v, *again;
    struct buf first, second, text;
    arena_init(&a, 64 << 20);
    buf_init(&first, 16 << 20);
    buf_init(&second, 16 << 20);
    buf_init(&text, 16 << 20);
    if (cbor_parse(&a, str_n((const char *)data, size), &v) == ERR_OK) {
        cbor_put_tree(&first, v);
        if (buf_err(&first) == ERR_OK && cbor_parse(&a, buf_str(&first), &again) == ERR_OK) {
            cbor_put_tree(&second, again);
            assert(str_eq(buf_str(&first), buf_str(&second)));
        } else {
            assert(a.used > a.limit / 2);
        }
        json_put(&text, v);
        if (buf_err(&text) == ERR_OK)
            assert(json_parse(&a, buf_str(&text), &again, NULL) == ERR_OK || a.failed);
    }
    buf_release(&first);
    buf_release(&second);
    buf_release(&text);
    arena_release(&a);
    fuzz_body(&op, str_n((const char *)data, size));
    return 0;
}
