/* The function that the benchmark invokes: answers with its event. */
#include "lambda.h"

static int echo(struct lambda_context *ctx, struct str event, struct buf *reply)
{
    buf_add_str(reply, event);
    return 0;
}

int main(void)
{
    return lambda_run(echo);
}
