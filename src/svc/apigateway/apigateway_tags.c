/* What is tagged, and how it is named: arn:aws:apigateway:REGION::/restapis/ID and the like, without an
 * account. Layer: svc/apigateway. Thread: the transaction's. */
#include "svc/apigateway/apigateway_int.h"
#include "svc/apigateway/usage_keys.h"

/* Whose APIs an ARN without an account speaks of: the account's that asks. */
static struct key_scope scope_of(struct txn *txn, const struct arn *arn)
{
    return (struct key_scope){txn_account(txn), arn->region};
}

/* What is tagged besides APIs and stages. */
static enum err find_other(struct txn *txn, const struct arn *arn)
{
    static const struct {
        const char *kind;
        const struct key_layout *key;
    } kinds[] = {
        {"apikeys", &usage_k_key},
        {"usageplans", &usage_k_plan},
        {"domainnames", &usage_k_domain_of},
    };
    struct str old;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_eq_c(arn_segment(arn, 1), kinds[i].kind) && !str_empty(arn_segment(arn, 2)))
            return txn_get(txn,
                           key_make(txn->arena, kinds[i].key, scope_of(txn, arn), arn_tail(arn, 2)),
                           &old);
    return ERR_NOT_FOUND;
}

static enum err find(void *self, struct txn *txn, struct str text, struct tags_resource *ret)
{
    struct arn arn;
    struct str old;
    ret->arn = text;
    if (arn_parse_as(text, "apigateway", "", &arn) != ERR_OK)
        return ERR_NOT_FOUND;
    if (!str_eq_c(arn_segment(&arn, 1), "restapis"))
        return find_other(txn, &arn);
    struct str id = arn_segment(&arn, 2);
    TRY(txn_get(txn, key_make(txn->arena, &apigateway_k_api, scope_of(txn, &arn), id), &old));
    if (!str_is_set(arn_segment(&arn, 3)))
        return ERR_OK;
    if (!str_eq_c(arn_segment(&arn, 3), "stages") || str_is_set(arn_segment(&arn, 5)))
        return ERR_NOT_FOUND;
    return txn_get(txn, key_make(txn->arena, &apigateway_k_stage, id, arn_tail(&arn, 4)), &old);
}

static enum err resource(struct call *call, struct str arn, struct tags_resource *ret)
{
    return tags_op_by_arn(call, &apigateway_tags, &apigateway_err_not_found_exception, arn, ret);
}

static const struct tags_type types[] = {
    {"", "apigateway:PUT", "apigateway:DELETE"},
};

const struct tags_service apigateway_tags = {
    .rules = {.otherwise = {&apigateway_err_bad_request_exception, NULL}},
    .resource = resource,
    .find = find,
    .types = types,
    .n_types = ARRAY_LEN(types),
};

enum err apigateway_show_tags(struct call *call, struct json *doc, struct str arn)
{
    struct tag_list tags;
    if (!str_is_set(arn))
        return ERR_NOMEM;
    TRY(tags_of(call->txn, arn, &tags));
    if (tags.n == 0)
        return ERR_OK;
    struct json *map = json_new(call->arena, JSON_OBJECT);
    TRY(json_set(doc, STR("tags"), map));
    for (size_t i = 0; i < tags.n; i++)
        TRY(json_set(map, tags.v[i].key, json_new_str(call->arena, tags.v[i].value)));
    return ERR_OK;
}
