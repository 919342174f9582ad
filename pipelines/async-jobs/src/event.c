/* See event.h. Layer: pipeline, pure. */
#include "event.h"

#include "item.h"

enum err change_read(const struct json *record, struct change *ret_change)
{
    const struct json *body = json_get(record, STR("dynamodb"));
    const struct json *image = json_get(body, STR("NewImage"));
    struct change c = {
        .insert = str_eq_c(json_get_str(record, STR("eventName")), "INSERT"),
        .sequence = json_get_str(body, STR("SequenceNumber")),
        .id = item_get_s(json_get(body, STR("Keys")), "id"),
        .kind = item_get_s(image, "kind"),
        .input = item_get_s(image, "input"),
    };
    if (!c.sequence.len || !c.id.len)
        return ERR_INVALID;
    *ret_change = c;
    return ERR_OK;
}

enum err given_up_read(struct arena *a, struct str text, struct given_up *ret_given_up)
{
    struct json *doc = NULL;
    enum err err = json_parse(a, text, &doc, NULL);
    if (err != ERR_OK)
        return err == ERR_NOMEM ? err : ERR_INVALID;
    const struct json *context = json_get(doc, STR("requestContext"));
    const struct json *batch = json_get(doc, STR("DDBStreamBatchInfo"));
    struct given_up g = {
        .function_arn = json_get_str(context, STR("functionArn")),
        .condition = json_get_str(context, STR("condition")),
        .stream_arn = json_get_str(batch, STR("streamArn")),
        .shard_id = json_get_str(batch, STR("shardId")),
        .first = json_get_str(batch, STR("startSequenceNumber")),
        .last = json_get_str(batch, STR("endSequenceNumber")),
    };
    const struct json *invocations = json_get(context, STR("approximateInvokeCount"));
    if (!g.function_arn.len || !g.condition.len || !g.stream_arn.len || !g.shard_id.len ||
        !g.first.len || !g.last.len)
        return ERR_INVALID;
    if (!invocations || json_to_i64(invocations, &g.invocations) != ERR_OK)
        g.invocations = 0; /* told for people only */
    *ret_given_up = g;
    return ERR_OK;
}

static struct str without_zeros(struct str s)
{
    size_t n = 0;
    while (n < s.len && s.p[n] == '0')
        n++;
    return str_sub(s, n, SIZE_MAX);
}

int sequence_cmp(struct str a, struct str b)
{
    a = without_zeros(a);
    b = without_zeros(b);
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return str_cmp(a, b);
}

bool arn_is_function(struct str arn, struct str function_arn)
{
    return function_arn.len && str_starts(arn, function_arn) &&
           (arn.len == function_arn.len || arn.p[function_arn.len] == ':');
}
