/* XML bodies of S3. First byte: which operation. */
// link: weir_wire_stubs
#include "fuzz_wire.h"

static const struct fuzz_op ops[] = {
    {&s3_service, "DeleteObjects", WIRE_REST_XML},
    {&s3_service, "PutBucketNotificationConfiguration", WIRE_REST_XML},
    {&s3_service, "CompleteMultipartUpload", WIRE_REST_XML},
    {&s3_service, "PutBucketAcl", WIRE_REST_XML},
    {&s3_service, "PutObjectTagging", WIRE_REST_XML},
    {&s3_service, "CreateBucket", WIRE_REST_XML},
    {&s3_service, "PutBucketEncryption", WIRE_REST_XML},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0)
        fuzz_body(&ops[data[0] % ARRAY_LEN(ops)], str_n((const char *)data + 1, size - 1));
    return 0;
}
