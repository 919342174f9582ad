/* Buckets as destinations of what failed: the record becomes an object, put by PutObject under the function's
 * role like any other, so that the bucket's policy, encryption, versions and notifications hold.
 *
 * A bucket is no kind of target (core/target.h): what is permitted is a key that each record has anew, and an object's
 * bytes cannot be staged in another's transaction. What is staged, in the commit that gives the invocation up,
 * is that PutObject will be called (deliver/send.h); its key is drawn then, so that a repeated
 * attempt writes the same object.
 *
 * Source: Lambda developer guide, "Adding a destination": aws/lambda/async/<function>/YYYY/MM/DD/
 * YYYY-MM-DDTHH.MM.SS-<UUID> of asynchronous invocations; aws/lambda/<UUID of the mapping>/<shard>/... of streams.
 * Layer: svc. Thread: the transaction's. */
#include "base/arn.h"
#include "base/clock.h"
#include "base/rng.h"
#include "codec/json.h"
#include "deliver/send.h"
#include "svc/lambda/lambda_int.h"

enum {
    ATTEMPTS = 185, /* as many as an event bus makes, in as long */
    AGE_MAX_MS = 24 * 3600 * 1000,
    INPUT_MAX = 4096,
};

static bool bucket_of(struct str arn, struct str *ret_bucket)
{
    struct arn parts;
    if (!arn_is(arn) || arn_parse_as(arn, "s3", NULL, &parts) != ERR_OK ||
        !str_empty(parts.region) || !str_empty(parts.account) || str_empty(parts.resource) ||
        str_find(parts.resource, '/') != SIZE_MAX || str_find(parts.resource, ':') != SIZE_MAX)
        return false;
    *ret_bucket = parts.resource;
    return true;
}

bool lambda_is_bucket(struct str arn)
{
    struct str bucket;
    return bucket_of(arn, &bucket);
}

enum err lambda_bucket_take(struct call *call, const struct lambda_fn *fn, struct str arn,
                            struct str folder)
{
    struct str objects =
        str_fmt(call->arena, STR_FMT "/" STR_FMT "/*", STR_ARG(arn), STR_ARG(folder));
    if (!str_is_set(objects))
        return ERR_NOMEM;
    enum err err = lambda_role_allowed(call->txn, fn->role, "s3:PutObject", objects);
    if (err == ERR_DENIED)
        return LAMBDA_INVALID(
            call,
            "The function's execution role does not have permissions to call PutObject on " STR_FMT,
            STR_ARG(arn));
    return err;
}

/* PutObject's input but for the body. */
static enum err put_input(struct txn *txn, struct str bucket, struct str folder,
                          struct str *ret_input)
{
    char id[RNG_UUID_LEN + 1];
    struct civil c = clock_civil(txn->wall_ms);
    struct json_out o;
    struct buf b;
    struct str key =
        str_fmt(txn->arena, STR_FMT "/%04d/%02d/%02d/%04d-%02d-%02dT%02d.%02d.%02d-" STR_FMT,
                STR_ARG(folder), c.year, c.month, c.day, c.year, c.month, c.day, c.hour, c.minute,
                c.second, STR_ARG(rng_uuid(id)));
    if (!str_is_set(key))
        return ERR_NOMEM;
    buf_init_arena(&b, txn->arena, INPUT_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("Bucket"), bucket);
    json_kv_str(&o, STR("Key"), key);
    json_close(&o, '}');
    *ret_input = buf_str(&b);
    return buf_err(&b);
}

enum err lambda_bucket_send(struct txn *txn, struct lambda *l, const struct lambda_fn *fn,
                            const struct lambda_bucket_record *record)
{
    struct str bucket;
    struct send send = {
        .arn = record->arn,
        .service = STR(LAMBDA_PRINCIPAL),
        .source_arn = fn->arn,
        .source_account = fn->name.scope.account,
        .role = fn->role,
        .call_service = STR("s3"),
        .call_operation = STR("PutObject"),
        .region = fn->name.scope.region,
        .call_body = record->document,
        .words = SEND_WORDS_EVENTS,
    };
    const struct deliver_options opt = {.attempts_max = ATTEMPTS, .age_max_ms = AGE_MAX_MS};
    if (!bucket_of(record->arn, &bucket))
        return ERR_INVALID;
    TRY(put_input(txn, bucket, record->folder, &send.payload));
    return send_add(l->deliver, txn, &send, &opt);
}
