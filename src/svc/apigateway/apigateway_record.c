/* APIs as they are stored. Layer: svc/apigateway. Thread: the transaction's. */
#include "svc/apigateway/apigateway_int.h"

enum err apigateway_need_api(struct call *call, struct str api_id, struct json **ret_doc)
{
    enum err err = apigateway_doc_read(
        call->txn, key_make(call->arena, &apigateway_k_api, call_scope(call), api_id), ret_doc);
    if (err == ERR_NOT_FOUND)
        return APIGATEWAY_ABSENT(call, "Invalid API identifier specified " STR_FMT ":" STR_FMT,
                                 STR_ARG(call->account), STR_ARG(api_id));
    return err;
}

enum err apigateway_api_write(struct call *call, const struct json *doc)
{
    struct str id = json_get_str(doc, STR("id"));
    enum err err = apigateway_doc_write(
        call->txn, key_make(call->arena, &apigateway_k_api, call_scope(call), id), doc);
    return err == ERR_LIMIT ? call_error(call, &apigateway_err_limit_exceeded_exception,
                                         "An API's own settings have at most %d bytes.",
                                         APIGATEWAY_DOCUMENT_BYTES_MAX)
                            : err;
}

struct str apigateway_arn(struct call *call, const char *fmt, ...)
{
    const struct arn arn = {call->partition, STR("apigateway"), call->region, STR(""), STR_NONE};
    va_list ap;
    va_start(ap, fmt);
    struct str text = arn_vmake(call->arena, &arn, fmt, ap);
    va_end(ap);
    return text;
}

enum err apigateway_guard(struct txn *txn, struct str api_id)
{
    struct str key = key_make(txn->arena, &apigateway_k_guard, api_id);
    struct str old;
    enum err err = txn_get(txn, key, &old);
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    return txn_put(txn, key, STR(""));
}
