/* See dynamodb.h. Layer: runtime/c. */
#include "dynamodb.h"

enum { REQUEST_MAX = 1024 * 1024 };

enum err dynamodb_call(struct aws *aws, struct arena *a, const char *operation,
                       const struct buf *body, const struct json **ret_json, struct str *ret_why)
{
    struct aws_reply reply = {0};
    TRY(buf_err(body));
    enum err err = aws_json(aws, "dynamodb", operation, buf_str(body), a, &reply, ret_json);
    if (err == ERR_FAILED && str_eq_c(reply.error_code, "ConditionalCheckFailedException"))
        return ERR_CONFLICT;
    return aws_explain(aws, a, operation, err, &reply, ret_why);
}

/* The request again, from behind the key where the page before ended. */
static void put_request(struct buf *b, struct str request, struct str start_key)
{
    struct json_out o;
    if (!str_is_set(start_key)) {
        buf_add_str(b, request);
        return;
    }
    json_out_init(&o, b);
    json_open(&o, '{');
    json_key(&o, STR("ExclusiveStartKey"));
    json_raw(&o, start_key);
    buf_add_byte(b, ',');
    buf_add_str(b, str_sub(request, 1, SIZE_MAX));
}

/* One page; *start_key (in `a`) moves on, absent behind the last one. */
static enum err each_of_page(struct aws *aws, struct arena *a, struct arena *page,
                             const char *operation, struct str request, struct str *start_key,
                             dynamodb_each_fn *each, void *arg, struct str *ret_why)
{
    struct buf b;
    const struct json *reply = NULL;
    struct str why = STR_NONE;
    buf_init_arena(&b, page, REQUEST_MAX);
    put_request(&b, request, *start_key);
    enum err err = dynamodb_call(aws, page, operation, &b, &reply, &why);
    if (err == ERR_OK)
        JSON_EACH (json_get(reply, STR("Items")), item) {
            err = each(arg, item, &why);
            if (err != ERR_OK)
                break;
        }
    if (err != ERR_OK) {
        *ret_why = str_dup(a, why);
        return err;
    }
    const struct json *last = json_get(reply, STR("LastEvaluatedKey"));
    *start_key = last ? str_dup(a, last->raw) : STR_NONE;
    return last && !start_key->len ? ERR_NOMEM : ERR_OK;
}

enum err dynamodb_each(struct aws *aws, struct arena *a, const char *operation, struct str request,
                       dynamodb_each_fn *each, void *arg, struct str *ret_why)
{
    struct arena page;
    struct str start_key = STR_NONE;
    enum err err;
    arena_init(&page, DYNAMODB_PAGE_BYTES_MAX);
    do {
        arena_clear(&page);
        err = each_of_page(aws, a, &page, operation, request, &start_key, each, arg, ret_why);
    } while (err == ERR_OK && str_is_set(start_key));
    arena_release(&page);
    return err;
}
