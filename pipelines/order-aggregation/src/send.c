/* See send.h. Every message carries attributes by which a consumer can tell repetitions:
 *   set_date, set_revision, message_id (the same whenever this revision is sent for this customer).
 *
 * Layer: pipeline. */
#include "send.h"

#include <poll.h>

#include "codec/hash.h"

enum {
    REFUSED_TRIES_MAX = 6,
    BACKOFF_MS = 50,
    BATCH_BODY_MAX = 2 * 1024 * 1024,
    LETTER_MAX = 64 * 1024
};

struct batch {
    struct str bodies[SEND_BATCH_MAX], ids[SEND_BATCH_MAX];
    bool sent[SEND_BATCH_MAX];
    size_t n;
};

/* Deterministic: a hash of date, revision and customer. */
static struct str message_id(const struct send *s, struct arena *a, struct str customer)
{
    char hex[2 * HASH_SHA256_LEN];
    struct str text = str_fmt(a, STR_FMT "\n" STR_FMT "\n" STR_FMT, STR_ARG(s->date),
                              STR_ARG(s->revision), STR_ARG(customer));
    if (!str_is_set(text))
        return STR_NONE;
    hash_sha256_hex(text.p, text.len, hex);
    return str_dup(a, str_n(hex, 32));
}

static void put_attribute(struct json_out *o, const char *name, struct str value)
{
    json_key(o, str_c(name));
    json_open(o, '{');
    json_kv_str(o, STR("DataType"), STR("String"));
    json_kv_str(o, STR("StringValue"), value);
    json_close(o, '}');
}

static struct str batch_body(const struct send *s, struct arena *a, const struct batch *b)
{
    struct buf out;
    struct json_out o;
    buf_init_arena(&out, a, BATCH_BODY_MAX);
    json_out_init(&o, &out);
    json_open(&o, '{');
    json_kv_str(&o, STR("QueueUrl"), s->queue_url);
    json_key(&o, STR("Entries"));
    json_open(&o, '[');
    for (size_t i = 0; i < b->n; i++) {
        char id[2] = {(char)('0' + i), 0};
        if (b->sent[i])
            continue;
        json_open(&o, '{');
        json_kv_str(&o, STR("Id"), str_c(id));
        json_kv_str(&o, STR("MessageBody"), b->bodies[i]);
        json_key(&o, STR("MessageAttributes"));
        json_open(&o, '{');
        put_attribute(&o, "set_date", s->date);
        put_attribute(&o, "set_revision", s->revision);
        put_attribute(&o, "message_id", b->ids[i]);
        json_close(&o, '}');
        json_close(&o, '}');
    }
    json_close(&o, ']');
    json_close(&o, '}');
    return buf_err(&out) == ERR_OK ? buf_str(&out) : STR_NONE;
}

/* Marks what was accepted; how many were not. */
static size_t read_reply(struct batch *b, const struct json *reply)
{
    JSON_EACH (json_get(reply, STR("Successful")), entry) {
        struct str id = json_get_str(entry, STR("Id"));
        if (id.len == 1 && id.p[0] >= '0' && (size_t)(id.p[0] - '0') < b->n)
            b->sent[id.p[0] - '0'] = true;
    }
    size_t left = 0;
    for (size_t i = 0; i < b->n; i++)
        left += !b->sent[i];
    return left;
}

static enum err send_batch(const struct send *s, struct arena *a, struct batch *b)
{
    for (int tries = 0; tries < REFUSED_TRIES_MAX; tries++) {
        struct aws_reply reply;
        const struct json *json = NULL;
        struct str body = batch_body(s, a, b);
        if (!str_is_set(body))
            return ERR_NOMEM;
        if (tries)
            (void)poll(NULL, 0, BACKOFF_MS << tries);
        TRY(aws_json(s->aws, "sqs", "SendMessageBatch", body, a, &reply, &json));
        if (read_reply(b, json) == 0)
            return ERR_OK;
    }
    return ERR_FAILED;
}

enum err send_customers(const struct send *s, struct arena *a, const struct model *m, size_t from,
                        size_t to, size_t *ret_sent, size_t *ret_too_large)
{
    struct batch b = {.n = 0};
    size_t bytes = 0, at = from, too_large = 0;
    for (; at < to && b.n < SEND_BATCH_MAX; at++) {
        struct buf body;
        buf_init_arena(&body, a, SEND_BYTES_MAX);
        model_put_message(m, at, &body);
        if (buf_err(&body) == ERR_LIMIT) {
            too_large++;
            continue;
        }
        TRY(buf_err(&body));
        if (bytes + body.len > SEND_BYTES_MAX)
            break;
        bytes += body.len;
        b.bodies[b.n] = buf_str(&body);
        b.ids[b.n] = message_id(s, a, m->customers[at].id);
        if (!str_is_set(b.ids[b.n]))
            return ERR_NOMEM;
        b.n++;
    }
    if (b.n)
        TRY(send_batch(s, a, &b));
    *ret_sent = at - from;
    *ret_too_large = too_large;
    return ERR_OK;
}

/* --- dead letters ----------------------------------------------------------------------------- */

static struct str letter_text(struct arena *a, const struct json *record, struct str file,
                              struct str reason)
{
    struct buf out;
    struct json_out o;
    buf_init_arena(&out, a, LETTER_MAX);
    json_out_init(&o, &out);
    json_open(&o, '{');
    json_kv_str(&o, STR("reason"), reason);
    json_kv_str(&o, STR("file"), file);
    json_key(&o, STR("Records"));
    json_open(&o, '[');
    json_tree(&o, record);
    json_close(&o, ']');
    json_close(&o, '}');
    return buf_err(&out) == ERR_OK ? buf_str(&out) : STR_NONE;
}

enum err send_letter(struct aws *aws, struct str dlq_url, struct arena *a,
                     const struct json *record, struct str file, struct str reason)
{
    struct buf body;
    struct json_out o;
    struct aws_reply reply;
    const struct json *json = NULL;
    struct str text = letter_text(a, record, file, reason);
    if (!str_is_set(text))
        return ERR_NOMEM;
    buf_init_arena(&body, a, BATCH_BODY_MAX);
    json_out_init(&o, &body);
    json_open(&o, '{');
    json_kv_str(&o, STR("QueueUrl"), dlq_url);
    json_kv_str(&o, STR("MessageBody"), text);
    json_key(&o, STR("MessageAttributes"));
    json_open(&o, '{');
    put_attribute(&o, "ErrorMessage", reason);
    json_close(&o, '}');
    json_close(&o, '}');
    TRY(buf_err(&body));
    return aws_json(aws, "sqs", "SendMessage", buf_str(&body), a, &reply, &json);
}
