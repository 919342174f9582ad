/* Documents: JSON of the wire's shapes, stored as it is.
 * Layer: svc/apigateway. Thread: the transaction's. */
#include "base/rng.h"
#include "svc/apigateway/apigateway_int.h"
#include "wire/inner.h"

enum err apigateway_doc_asked(struct call *call, const void *in, struct json **ret_doc)
{
    struct str text;
    TRY(wire_document_of(call->op->input, in, call->arena, &text));
    return json_parse(call->arena, text, ret_doc, NULL);
}

enum err apigateway_doc_read(struct txn *txn, struct str key, struct json **ret_doc)
{
    struct str text;
    TRY(txn_get(txn, key, &text));
    enum err err = json_parse(txn->arena, text, ret_doc, NULL);
    return err == ERR_OK || err == ERR_NOMEM ? err : ERR_CORRUPT;
}

enum err apigateway_doc_write(struct txn *txn, struct str key, const struct json *doc)
{
    struct buf b;
    buf_init_arena(&b, txn->arena, APIGATEWAY_DOCUMENT_BYTES_MAX);
    json_put(&b, doc);
    TRY(buf_err(&b));
    return txn_put(txn, key, buf_str(&b));
}

enum err apigateway_show(struct call *call, const struct json *doc, void *out)
{
    return wire_document_read(call->service, call->op->output, doc, call->arena, out);
}

struct str apigateway_id(struct arena *a, size_t len)
{
    char *p = arena_alloc(a, len + 1);
    if (!p)
        return STR_NONE;
    rng_text(p, len, "abcdefghijklmnopqrstuvwxyz0123456789");
    return str_n(p, len);
}

struct json *apigateway_time(struct txn *txn)
{
    return json_new_i64(txn->arena, txn->wall_ms / 1000);
}
