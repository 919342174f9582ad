/* Functions as targets: a delivery is an asynchronous invocation, staged with its cause (P2).
 *
 * Layer: svc. Thread: the transaction's. */
#include "base/rng.h"
#include "svc/lambda/lambda_int.h"

/* ERR_NOT_FOUND also for versions and aliases, which are not supported. */
static enum err open_function(struct txn *txn, struct str arn, struct lambda_name *ret_name,
                              struct lambda_fn *ret_rec)
{
    if (lambda_name_parse(arn, STR_NONE, STR_NONE, ret_name) != ERR_OK)
        return ERR_NOT_FOUND;
    if (str_is_set(ret_name->qualifier) && !str_eq_c(ret_name->qualifier, LAMBDA_LATEST))
        return ERR_NOT_FOUND;
    return lambda_fn_get(txn, ret_name, ret_rec);
}

static enum err find(void *self, struct txn *txn, struct str arn, struct target_found *ret_found)
{
    struct lambda_name name;
    struct lambda_fn *rec = ARENA_NEW(txn->arena, struct lambda_fn);

    if (!rec)
        return ERR_NOMEM;
    TRY(open_function(txn, arn, &name, rec));
    *ret_found = (struct target_found){.arn = arn, .opened = rec};
    return ERR_OK;
}

static enum err stage(void *self, struct txn *txn, const struct target *target,
                      const struct target_found *found, const struct target_delivery *d)
{
    char id[RNG_UUID_LEN + 1];
    return lambda_async_add(txn, self, found->opened, rng_uuid(id), STR_NONE, d->payload);
}

const struct target_kind lambda_targets[1] = {{
    .service = "lambda",
    .type = "function",
    .name = "function",
    .action = "lambda:InvokeFunction",
    .find = find,
    .stage = stage,
}};
