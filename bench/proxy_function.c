/* The function behind the benchmark's API: as a proxy, and as an authorizer that lets everybody in. */
#include "lambda.h"

static int answer(struct lambda_context *ctx, struct str event, struct buf *reply)
{
    if (str_find_str(event, STR("\"type\":\"REQUEST\"")) == SIZE_MAX)
        BUF_ADD_LIT(
            reply,
            "{\"statusCode\":200,\"headers\":{\"X-A\":\"b\"},\"body\":\"{\\\"ok\\\":true}\"}");
    else
        BUF_ADD_LIT(
            reply,
            "{\"principalId\":\"p\",\"context\":{\"a\":\"b\"},\"policyDocument\":{\"Version\":"
            "\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"execute-api:Invoke\","
            "\"Resource\":\"*\"}]}}");
    return 0;
}

int main(void)
{
    return lambda_run(answer);
}
