/* Functions as targets: a delivery is an asynchronous invocation, staged with its cause (P2).
 *
 * Layer: svc. Thread: the transaction's. */
#include "base/rng.h"
#include "svc/lambda/lambda_int.h"

static enum err find(void *self, struct txn *txn, struct str arn, struct target_found *ret_found)
{
    struct lambda_name name;
    struct lambda_fn *fn;

    if (lambda_name_parse(arn, (struct key_scope){0}, &name) != ERR_OK)
        return ERR_NOT_FOUND;
    TRY(lambda_fn_get(txn, self, &name, &fn));
    fn->name.qualifier = name.qualifier;
    *ret_found = (struct target_found){.arn = arn, .opened = fn};
    return ERR_OK;
}

static enum err stage(void *self, struct txn *txn, const struct target *target,
                      const struct target_found *found, const struct target_delivery *d)
{
    char id[RNG_UUID_LEN + 1];
    const struct lambda_fn *fn = found->opened;
    assert(fn);
    struct lambda_event ev = {.name.qualifier = fn->name.qualifier,
                              .request_id = rng_uuid(id),
                              .payload = d->payload,
                              .cause = d->trace};
    return lambda_async_add(txn, self, fn, &ev);
}

const struct target_kind lambda_targets[1] = {{
    .service = "lambda",
    .type = "function",
    .name = "function",
    .action = "lambda:InvokeFunction",
    .find = find,
    .stage = stage,
}};
