/* Resource policies of APIs as they are stored and shown; what else callers need permission for.
 * Layer: svc/apigateway. Thread: the transaction's.
 * Source: API Gateway Developer Guide, "Controlling access to a REST API with API Gateway resource
 * policies". */
#include "svc/apigateway/apigateway_int.h"

enum { POLICY_BYTES_MAX = 8192 };

/* --- stored --------------------------------------------------------------------------------------- */

/* "execute-api:/STAGE/METHOD/PATH" is short for what is below the API's own ARN. */
static enum err lengthen(struct call *call, struct str api_id, struct json *resource)
{
    static const struct str brief = STR_INIT("execute-api:/");
    if (resource->kind == JSON_ARRAY) {
        for (struct json *it = resource->child; it; it = it->next)
            TRY(lengthen(call, api_id, it));
        return ERR_OK;
    }
    if (resource->kind != JSON_STRING || !str_starts(resource->text, brief))
        return ERR_OK;
    resource->text = call_arn(call, "execute-api", STR_FMT "/" STR_FMT, STR_ARG(api_id),
                              STR_ARG(str_sub(resource->text, brief.len, SIZE_MAX)));
    return str_is_set(resource->text) ? ERR_OK : ERR_NOMEM;
}

static enum err lengthen_all(struct call *call, struct str api_id, struct json *statement)
{
    struct json *resource = json_at(statement, STR("Resource")),
                *other = json_at(statement, STR("NotResource"));
    if (resource)
        TRY(lengthen(call, api_id, resource));
    return other ? lengthen(call, api_id, other) : ERR_OK;
}

static enum err bad_policy(struct call *call, const char *why)
{
    return APIGATEWAY_BAD(call,
                          "Invalid policy document. Please check the policy syntax and ensure that "
                          "Principals are valid.%s%s",
                          why ? " " : "", why ?: "");
}

enum err apigateway_policy_take(struct call *call, struct str api_id, struct str text,
                                struct str *ret_stored)
{
    struct json *doc, *statements;
    const char *why = NULL;
    struct buf b;
    enum err err = json_parse(call->arena, text, &doc, NULL);
    if (err == ERR_NOMEM)
        return err;
    if (err || doc->kind != JSON_OBJECT || text.len > POLICY_BYTES_MAX)
        return bad_policy(call, NULL);
    statements = json_at(doc, STR("Statement"));
    if (statements && statements->kind == JSON_OBJECT)
        TRY(lengthen_all(call, api_id, statements));
    else
        for (struct json *it = statements ? statements->child : NULL; it; it = it->next)
            TRY(lengthen_all(call, api_id, it));
    buf_init_arena(&b, call->arena, APIGATEWAY_DOCUMENT_BYTES_MAX);
    json_put(&b, doc);
    TRY(buf_err(&b));
    err = core_policy_check(call->core, call->arena, POLICY_RESOURCE, buf_str(&b), &why);
    if (err == ERR_OK)
        err = core_policy_stored(call->txn, buf_str(&b), &why, ret_stored);
    return err == ERR_INVALID || err == ERR_LIMIT ? bad_policy(call, why) : err;
}

/* --- shown ---------------------------------------------------------------------------------------- */

/* As the inside of a JSON text, every slash escaped, too, as AWS does: clients unquote it. */
enum err apigateway_policy_show(struct call *call, struct json *api)
{
    struct str stored = json_get_str(api, STR("policy")), text;
    struct buf quoted, out;
    if (!str_is_set(stored))
        return ERR_OK;
    TRY(core_policy_shown(call->core, call->arena, stored, &text));
    buf_init_arena(&quoted, call->arena, APIGATEWAY_DOCUMENT_BYTES_MAX);
    buf_init_arena(&out, call->arena, APIGATEWAY_DOCUMENT_BYTES_MAX);
    json_put_str(&quoted, text);
    TRY(buf_err(&quoted));
    struct str inside = str_sub(buf_str(&quoted), 1, quoted.len - 2);
    for (size_t i = 0; i < inside.len; i++) {
        if (inside.p[i] == '/')
            buf_add_byte(&out, '\\');
        buf_add_byte(&out, inside.p[i]);
    }
    TRY(buf_err(&out));
    return json_set(api, STR("policy"), json_new_str(call->arena, buf_str(&out)));
}

/* --- permissions ---------------------------------------------------------------------------------- */

/* Who lets API Gateway use a role must be allowed to pass it; the caller's own credentials are nobody's
 * to pass. */
static enum err pass(struct call *call, struct str role)
{
    struct arn arn;
    if (!str_is_set(role) || arn_parse_as(role, "iam", "role", &arn) != ERR_OK)
        return ERR_OK;
    return call_authorize(call, "iam:PassRole", role);
}

static enum err pass_patched(struct call *call, struct apigateway_list_of_patch_operation ops,
                             const char *path)
{
    for (size_t i = 0; i < ops.n; i++)
        if (str_eq_c(ops.v[i].path, path))
            TRY(pass(call, ops.v[i].value));
    return ERR_OK;
}

enum err apigateway_authorize_more(struct call *call, const void *in)
{
    switch (call->op->index) {
    case APIGATEWAY_OP_PUT_INTEGRATION:
        return pass(call, ((const struct apigateway_put_integration_input *)in)->credentials);
    case APIGATEWAY_OP_UPDATE_INTEGRATION:
        return pass_patched(
            call, ((const struct apigateway_update_integration_input *)in)->patch_operations,
            "/credentials");
    case APIGATEWAY_OP_CREATE_AUTHORIZER:
        return pass(
            call, ((const struct apigateway_create_authorizer_input *)in)->authorizer_credentials);
    case APIGATEWAY_OP_UPDATE_AUTHORIZER:
        return pass_patched(
            call, ((const struct apigateway_update_authorizer_input *)in)->patch_operations,
            "/authorizerCredentials");
    default:
        return ERR_OK;
    }
}
