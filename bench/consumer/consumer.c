/* The function of the benchmark's mappings: tells the queue OUT how many records it was given, and how long
 * after the time in the first one's "sent" (nanoseconds since 1970) its first instruction ran. */
#include <stdlib.h>
#include <time.h>

#include "aws.h"
#include "lambda.h"

enum { BODY_MAX = 1024 };

static struct aws *aws;

static int64_t wall_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static size_t count(struct str event, struct str what)
{
    size_t n = 0, at;
    while ((at = str_find_str(event, what)) != SIZE_MAX) {
        n++;
        event = str_sub(event, at + what.len, SIZE_MAX);
    }
    return n;
}

static int64_t sent_ns(struct str event)
{
    static const struct str before = STR_INIT("\"sent\":{\"N\":\"");
    int64_t ns = 0;
    size_t at = str_find_str(event, before);
    if (at == SIZE_MAX)
        return 0;
    struct str rest = str_sub(event, at + before.len, SIZE_MAX);
    return str_to_i64(str_cut(&rest, '"'), &ns) == ERR_OK ? ns : 0;
}

static int consume(struct lambda_context *ctx, struct str event, struct buf *reply)
{
    int64_t now = wall_ns(), sent = sent_ns(event);
    struct arena a;
    struct buf body;
    struct aws_reply answer;
    const struct json *json;
    arena_init(&a, 1 << 20);
    buf_init_arena(&body, &a, BODY_MAX);
    buf_add_fmt(&body, "{\"QueueUrl\":\"%s\",\"MessageBody\":\"n=%zu us=%lld \"}", getenv("OUT"),
                count(event, STR("\"eventID\"")), sent ? (long long)(now - sent) / 1000 : -1);
    enum err err = buf_err(&body);
    if (err == ERR_OK)
        err = aws_json(aws, "sqs", "SendMessage", buf_str(&body), &a, &answer, &json);
    arena_release(&a);
    BUF_ADD_LIT(reply, "{}");
    return err == ERR_OK ? 0 : 1;
}

int main(void)
{
    if (!getenv("OUT") || aws_new(&aws) != ERR_OK)
        return 1;
    return lambda_run(consume);
}
