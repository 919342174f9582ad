/* How an operation on a stack begins. Layer: svc/cloudformation. Thread: the call's. */
#include "base/rng.h"
#include "svc/cloudformation/cloudformation_int.h"

enum err cfn_begin_more(struct cfn *c, struct txn *txn, struct cfn_stack *s, enum cfn_status status,
                        struct str reason)
{
    s->status = status;
    s->reason = reason;
    s->op_no++;
    s->op_ms = txn->now_ms;
    s->failed = STR_NONE;
    s->cancelled = false;
    s->goes_back = false;
    TRY(cfn_tell_stack(txn, s));
    TRY(cfn_stack_write(txn, s));
    TRY(cfn_poke(c, txn, s->uuid)); /* what ran for it stops (CF3) */
    return job_add(txn, c->jobs, s->uuid, cfn_job_argument(txn->arena, s));
}

struct str cfn_job_argument(struct arena *a, const struct cfn_stack *s)
{
    return str_fmt(a, STR_FMT "/" STR_FMT, STR_ARG(s->account), STR_ARG(s->region));
}

struct key_scope cfn_job_scope(struct str argument)
{
    struct str account = str_cut(&argument, '/');
    return (struct key_scope){account, argument};
}

/* Who the operation runs as: the caller, or whom the parent's runs as. */
static enum err keep_caller(struct call *call, struct cfn_stack *s)
{
    struct cfn_stack parent;
    struct str source = call_via_source(call);
    if (str_is_set(source) && str_eq(call_via_service(call), STR(CFN_PRINCIPAL))) {
        TRY(cfn_stack_find(call->txn, call_scope(call), source, &parent));
        s->who = parent.who;
        if (str_empty(s->config.role_arn))
            s->config.role_arn = parent.config.role_arn;
        return ERR_OK;
    }
    enum err err = principal_keep(call, STR("cloudformation/who"), &s->who);
    if (err == ERR_DENIED && str_is_set(s->config.role_arn))
        return ERR_OK; /* it runs as the role */
    return err == ERR_DENIED
               ? call_error(call, &cloudformation_err_access_denied,
                            "The caller cannot be kept for the operation; give a RoleARN.")
               : err;
}

enum err cfn_begin(struct call *call, struct cfn_stack *s, enum cfn_status status,
                   struct str reason)
{
    TRY(keep_caller(call, s));
    return cfn_begin_more(cfn_of(call), call->txn, s, status, reason);
}

enum err cfn_once(struct call *call, struct cfn_stack *s, struct str token, const char *op,
                  bool *ret_again)
{
    *ret_again = false;
    if (!str_is_set(token)) {
        s->token = STR_NONE;
        return ERR_OK;
    }
    if (str_eq(s->token, token)) {
        if (!str_eq_c(s->token_op, op))
            return call_error(call, &cloudformation_err_token_already_exists_exception,
                              "Token " STR_FMT " was already used for another operation",
                              STR_ARG(token));
        *ret_again = true;
        return ERR_OK;
    }
    s->token = token;
    s->token_op = str_c(op);
    return ERR_OK;
}

enum err cfn_stack_depth(struct call *call, const struct cfn_stack *s, int *ret)
{
    struct cfn_stack above = *s;
    int depth = 0;
    for (; str_is_set(above.parent_id) && depth < CFN_NESTING_MAX; depth++)
        TRY(cfn_stack_find(call->txn, call_scope(call), above.parent_id, &above));
    *ret = depth;
    return ERR_OK;
}

/* A stack in a stack knows whose it is. */
static enum err take_parent(struct call *call, const struct cfn_stack *parent, int depth,
                            struct cfn_stack *s)
{
    struct cfn_stack found;
    struct str source = call_via_source(call);
    if (!parent) {
        if (!str_is_set(source) || !str_eq(call_via_service(call), STR(CFN_PRINCIPAL)))
            return ERR_OK;
        TRY(cfn_stack_find(call->txn, call_scope(call), source, &found));
        TRY(cfn_stack_depth(call, &found, &depth));
        parent = &found;
    }
    if (depth >= CFN_NESTING_MAX)
        return CFN_INVALID(call, "Stacks may be nested %d deep.", CFN_NESTING_MAX);
    s->parent_uuid = parent->uuid;
    s->parent_id = parent->id;
    s->root_id = str_is_set(parent->root_id) ? parent->root_id : parent->id;
    return ERR_OK;
}

struct counting {
    size_t n;
};

static enum err count_one(void *arg, struct str key, struct str val)
{
    struct counting *c = arg;
    (void)key;
    (void)val;
    return ++c->n > CFN_STACKS_MAX ? ERR_CLOSED : ERR_OK;
}

enum err cfn_stack_new(struct call *call, struct str name, const struct cfn_stack *parent,
                       int depth, struct cfn_stack *ret)
{
    struct str used, key;
    char uuid[RNG_UUID_LEN + 1];
    struct counting counting = {0};
    key = key_make(call->arena, &cloudformation_k_name, call_scope(call), name);
    enum err err = txn_get(call->txn, key, &used);
    if (err == ERR_OK)
        return ERR_EXISTS;
    if (err != ERR_NOT_FOUND)
        return err;
    TRY(txn_each(call->txn, key_range(call->arena, &cloudformation_k_name, call_scope(call)),
                 count_one, &counting));
    if (counting.n >= CFN_STACKS_MAX)
        return call_error(call, &cloudformation_err_limit_exceeded_exception,
                          "Limit for stack has been exceeded");
    *ret = (struct cfn_stack){
        .name = name,
        .uuid = str_dup(call->arena, rng_uuid(uuid)),
        .account = call->account,
        .region = call->region,
        .created_ms = call->txn->wall_ms,
    };
    ret->id = call_arn(call, "cloudformation", "stack/" STR_FMT "/" STR_FMT, STR_ARG(name),
                       STR_ARG(ret->uuid));
    if (!str_is_set(ret->uuid) || !str_is_set(ret->id))
        return ERR_NOMEM;
    TRY(take_parent(call, parent, depth, ret));
    TRY(cfn_order_put(call->txn, ret));
    return txn_put(call->txn, key, ret->uuid);
}
