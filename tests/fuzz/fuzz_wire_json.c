/* JSON bodies of operations that between them have every kind of member; what decodes
 * goes through the resource templates too. First byte: which operation.
 */
// link: weir_wire_stubs
#include "fuzz_wire.h"

static const struct fuzz_op ops[] = {
    {&dynamodb_service, "PutItem", WIRE_JSON10},
    {&dynamodb_service, "CreateTable", WIRE_JSON10},
    {&dynamodb_service, "BatchWriteItem", WIRE_JSON10},
    {&dynamodb_service, "Query", WIRE_JSON10},
    {&sqs_service, "SendMessageBatch", WIRE_JSON10},
    {&sqs_service, "CreateQueue", WIRE_JSON10},
    {&lambda_service, "CreateFunction", WIRE_REST_JSON},
    {&lambda_service, "CreateEventSourceMapping", WIRE_REST_JSON},
    {&logs_service, "PutLogEvents", WIRE_JSON11},
    {&logs_service, "FilterLogEvents", WIRE_JSON11},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0)
        fuzz_body(&ops[data[0] % ARRAY_LEN(ops)], str_n((const char *)data + 1, size - 1));
    return 0;
}
