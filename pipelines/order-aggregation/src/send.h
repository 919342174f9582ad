/* Messages: to the queue, in batches; to the dead-letter queue, one for a file that is of no use.
 * Layer: pipeline. */
#ifndef ORDERS_SEND_H
#define ORDERS_SEND_H

#include "aws.h"
#include "model.h"

enum {
    SEND_BATCH_MAX = 10,                    /* of SQS */
    SEND_BYTES_MAX = 256 * 1024 - 8 * 1024, /* of a batch; room for attributes */
};

struct send {
    struct aws *aws;
    struct str queue_url, date, revision;
};

/* Sends one message for each customer of [from, to), at most SEND_BATCH_MAX of them and as many as
 * fit; *ret_sent is how many customers are dealt with. One that alone is too large for SQS is
 * skipped and *ret_too_large counts it. ERR_FAILED when messages are still refused after retries.
 */
enum err send_customers(const struct send *s, struct arena *a, const struct model *m, size_t from,
                        size_t to, size_t *ret_sent, size_t *ret_too_large) WARN_UNUSED;

/* Tells the dead-letter queue `dlq_url` why the file of this event record is not used. The body is
 * an event again, {"reason":"..","file":"s3://bucket/key","Records":[record]}, so that redriving it
 * gives the file another try; the reason is also attribute ErrorMessage, as in Lambda's own dead
 * letters. ERR_FAILED etc. as aws_json. */
enum err send_letter(struct aws *aws, struct str dlq_url, struct arena *a,
                     const struct json *record, struct str file, struct str reason) WARN_UNUSED;

#endif
