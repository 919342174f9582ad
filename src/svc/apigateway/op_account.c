/* GetAccount, UpdateAccount: the role that logs are written under. TagResource, UntagResource, GetTags.
 * Layer: svc/apigateway. Source: API Gateway API Reference, "Account", "Tags". */
#include "svc/apigateway/account.h"
#include "svc/apigateway/op_key_int.h"

enum err apigateway_account_role(struct txn *txn, struct key_scope scope, struct str *ret_arn)
{
    enum err err = txn_get(txn, key_make(txn->arena, &usage_k_account, scope), ret_arn);
    if (err == ERR_NOT_FOUND)
        *ret_arn = STR_NONE;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err doc_of(struct call *call, struct str role, struct json **ret)
{
    struct arena *a = call->arena;
    struct json *doc = json_new(a, JSON_OBJECT), *throttle = json_new(a, JSON_OBJECT),
                *features = json_new(a, JSON_ARRAY);
    if (!doc || !throttle || !features)
        return ERR_NOMEM;
    TRY(keys_set(call, doc, "cloudwatchRoleArn", role));
    TRY(json_set(doc, STR("throttleSettings"), throttle));
    TRY(json_set(throttle, STR("burstLimit"), json_new_i64(a, USAGE_ACCOUNT_BURST)));
    TRY(json_set(throttle, STR("rateLimit"), json_new_i64(a, USAGE_ACCOUNT_RATE)));
    TRY(json_set(doc, STR("features"), features));
    TRY(json_push(features, json_new_str(a, STR("UsagePlans"))));
    *ret = doc;
    return keys_set(call, doc, "apiKeyVersion", STR("4"));
}

enum err apigateway_get_account(struct call *call, const struct apigateway_get_account_input *in,
                                struct apigateway_get_account_output *out)
{
    struct str role;
    struct json *doc;
    TRY(apigateway_account_role(call->txn, call_scope(call), &role));
    TRY(doc_of(call, role, &doc));
    return apigateway_show(call, doc, out);
}

/* A role that API Gateway may assume. */
static enum err check_role(struct call *call, struct str role)
{
    struct arn arn;
    if (arn_parse_as(role, "iam", "role", &arn) != ERR_OK)
        return APIGATEWAY_BAD(call, "The role ARN is not well formed");
    const struct identity_port *id = &call->core->identity;
    enum err err = id->role_trusts(id->self, call->txn, role, STR("apigateway.amazonaws.com"));
    if (err == ERR_DENIED || err == ERR_NOT_FOUND || err == ERR_INVALID)
        return APIGATEWAY_BAD(call, "The role ARN does not have required permissions configured. "
                                    "Please grant trust permission for API Gateway and add the "
                                    "required role policy.");
    return err;
}

enum err apigateway_update_account(struct call *call,
                                   const struct apigateway_update_account_input *in,
                                   struct apigateway_update_account_output *out)
{
    static const struct apigateway_patch_row rules[] = {
        {"/cloudwatchRoleArn", APIGATEWAY_EDIT, APIGATEWAY_TEXT, NULL},
        {"/features/[feature]", APIGATEWAY_ADD, APIGATEWAY_TEXT, NULL},
    };
    static const struct apigateway_patch_table table = APIGATEWAY_PATCH_TABLE(rules);
    struct str key = key_make(call->arena, &usage_k_account, call_scope(call)), old, role;
    struct json *doc;
    TRY(apigateway_account_role(call->txn, call_scope(call), &old));
    TRY(doc_of(call, old, &doc));
    TRY(apigateway_patch(call, &table, in->patch_operations, doc));
    role = json_get_str(doc, STR("cloudwatchRoleArn"));
    if (str_empty(role))
        role = STR_NONE;
    else if (!str_eq(role, old))
        TRY(check_role(call, role));
    TRY(str_is_set(role) ? txn_put(call->txn, key, role) : txn_del(call->txn, key));
    TRY(doc_of(call, role, &doc));
    return apigateway_show(call, doc, out);
}

/* --- tags --------------------------------------------------------------------------------------- */

enum err apigateway_tag_resource(struct call *call, const struct apigateway_tag_resource_input *in,
                                 struct apigateway_tag_resource_output *out)
{
    return tags_op_add(call, &apigateway_tags, in->resource_arn, TAGS_FROM(in->tags));
}

enum err apigateway_untag_resource(struct call *call,
                                   const struct apigateway_untag_resource_input *in,
                                   struct apigateway_untag_resource_output *out)
{
    return tags_op_remove(call, &apigateway_tags, in->resource_arn, in->tag_keys.v, in->tag_keys.n);
}

enum err apigateway_get_tags(struct call *call, const struct apigateway_get_tags_input *in,
                             struct apigateway_get_tags_output *out)
{
    struct tag_list tags;
    TRY(tags_op_list(call, &apigateway_tags, in->resource_arn, &tags));
    TAGS_INTO(out->tags, tags);
    return ERR_OK;
}
