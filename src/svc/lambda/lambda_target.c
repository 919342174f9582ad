/* Functions as targets: a delivery is an asynchronous invocation, staged with its cause (P2).
 *
 * Layer: svc. Thread: the transaction's. */
#include "base/rng.h"
#include "svc/lambda/lambda_int.h"

/* ERR_NOT_FOUND also for versions and aliases, which are not supported. */
static enum err open_function(struct txn *txn, struct str arn, struct fn_name *ret_name,
                              struct fn_rec *ret_rec)
{
    if (fn_name_parse(arn, STR_NONE, STR_NONE, ret_name) != ERR_OK)
        return ERR_NOT_FOUND;
    if (str_is_set(ret_name->qualifier) && !str_eq_c(ret_name->qualifier, LAMBDA_LATEST))
        return ERR_NOT_FOUND;
    return fn_rec_get(txn, ret_name, ret_rec);
}

static enum err find(void *self, struct txn *txn, struct str arn, struct target_found *ret_found)
{
    struct fn_name name;
    struct fn_rec *rec = ARENA_NEW(txn->arena, struct fn_rec);

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
    return async_add(txn, self, found->opened, rng_uuid(id), STR_NONE, d->payload);
}

const struct target_kind lambda_targets[1] = {{
    .service = "lambda",
    .type = "function",
    .name = "function",
    .action = "lambda:InvokeFunction",
    .find = find,
    .stage = stage,
}};
