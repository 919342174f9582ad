/* SetRepositoryPolicy, GetRepositoryPolicy, DeleteRepositoryPolicy. Statements name no resource, the
 * repository being the only one; stored they have "*", so that they are judged like those of others.
 * Layer: svc/ecr. Source: Amazon ECR API Reference; User Guide, "Private repository policies". */
#include "codec/json_edit.h"
#include "svc/ecr/ecr_int.h"

static const struct str element = STR_INIT("Resource");

static enum err invalid(struct call *call, const char *why)
{
    return ECR_INVALID(call,
                       "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid "
                       "repository policy provided: %s'",
                       why);
}

static enum err text_of(struct arena *a, const struct json *v, struct str *ret)
{
    struct buf b;
    buf_init_arena(&b, a, RECORD_BYTES_MAX);
    json_put(&b, v);
    TRY(b.err);
    *ret = buf_str(&b);
    return ERR_OK;
}

/* Each statement, of a list or the only one; `fn` false: it is not as it should be. */
static bool each_statement(struct json *policy, bool (*fn)(struct json *statement, struct arena *a),
                           struct arena *a)
{
    struct json *list = json_at(policy, STR("Statement"));
    if (!list || list->kind != JSON_ARRAY)
        return list && fn(list, a);
    for (struct json *it = list->child; it; it = it->next)
        if (!fn(it, a))
            return false;
    return true;
}

static bool add_resource(struct json *statement, struct arena *a)
{
    return statement->kind == JSON_OBJECT && !json_get(statement, element) &&
           !json_get(statement, STR("NotResource")) &&
           json_set(statement, element, json_new_str(a, STR("*"))) == ERR_OK;
}

static bool drop_resource(struct json *statement, struct arena *a)
{
    json_unset(statement, element);
    return true;
}

static enum err take_policy(struct call *call, struct str text, struct str *ret_stored)
{
    struct json *policy;
    struct str whole;
    const char *why;
    enum err err = json_parse(call->arena, text, &policy, NULL);
    if (err)
        return err == ERR_NOMEM ? err : invalid(call, "it is not JSON");
    if (!each_statement(policy, add_resource, call->arena))
        return invalid(call, "it must have statements, which name no resource");
    TRY(text_of(call->arena, policy, &whole));
    err = core_policy_check(call->core, call->arena, POLICY_RESOURCE, whole, &why);
    if (err == ERR_OK)
        err = core_policy_stored(call->txn, whole, &why, ret_stored);
    return err == ERR_INVALID || err == ERR_LIMIT ? invalid(call, why) : err;
}

static enum err shown(struct call *call, struct str stored, struct str *ret_text)
{
    struct json *policy;
    struct str whole;
    TRY(core_policy_shown(call->core, call->arena, stored, &whole));
    TRY(json_parse(call->arena, whole, &policy, NULL));
    (void)each_statement(policy, drop_resource, call->arena);
    return text_of(call->arena, policy, ret_text);
}

enum err ecr_set_repository_policy(struct call *call,
                                   const struct ecr_set_repository_policy_input *in,
                                   struct ecr_set_repository_policy_output *out)
{
    struct ecr_record r;
    TRY(ecr_need(call, in->registry_id, in->repository_name, &r));
    TRY(take_policy(call, in->policy_text, &r.policy));
    out->registry_id = call->account;
    out->repository_name = in->repository_name;
    TRY(shown(call, r.policy, &out->policy_text));
    return ecr_write(call, in->repository_name, &r);
}

/* The repository and its policy's text. */
static enum err need_policy(struct call *call, struct str registry, struct str name,
                            struct ecr_record *ret, struct str *ret_text)
{
    TRY(ecr_need(call, registry, name, ret));
    if (!str_is_set(ret->policy))
        return call_error(call, &ecr_err_repository_policy_not_found_exception,
                          "Repository policy does not exist for the repository with name '" STR_FMT
                          "' in the registry with id '" STR_FMT "'",
                          STR_ARG(name), STR_ARG(call->account));
    return shown(call, ret->policy, ret_text);
}

enum err ecr_get_repository_policy(struct call *call,
                                   const struct ecr_get_repository_policy_input *in,
                                   struct ecr_get_repository_policy_output *out)
{
    struct ecr_record r;
    out->registry_id = call->account;
    out->repository_name = in->repository_name;
    return need_policy(call, in->registry_id, in->repository_name, &r, &out->policy_text);
}

enum err ecr_delete_repository_policy(struct call *call,
                                      const struct ecr_delete_repository_policy_input *in,
                                      struct ecr_delete_repository_policy_output *out)
{
    struct ecr_record r;
    out->registry_id = call->account;
    out->repository_name = in->repository_name;
    TRY(need_policy(call, in->registry_id, in->repository_name, &r, &out->policy_text));
    r.policy = STR_NONE;
    return ecr_write(call, in->repository_name, &r);
}

enum err ecr_resource_policy(void *self, struct txn *txn, struct str text, struct str *ret_json)
{
    struct ecr_record r;
    struct arn arn;
    *ret_json = STR_NONE;
    if (arn_parse_as(text, "ecr", "repository", &arn) != ERR_OK)
        return ERR_OK;
    enum err err =
        ecr_read(txn, (struct key_scope){arn.account, arn.region}, arn_tail(&arn, 1), &r);
    if (err == ERR_OK)
        *ret_json = r.policy;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}
