/* Stack policies: what an update may do to which resource. Whoever set one means that nothing is allowed but what
 * it allows.
 *
 * Source: CloudFormation user guide, "Prevent updates to stack resources".
 * Layer: svc/cloudformation. Thread: pure. */
#include "codec/json.h"
#include "svc/cloudformation/cloudformation_run.h"

/* A text or one of a list, with wildcards. */
static bool fits(const struct json *v, struct str text)
{
    if (!v)
        return false;
    if (v->kind == JSON_STRING)
        return str_glob(v->text, text);
    JSON_EACH (v, it)
        if (it->kind == JSON_STRING && str_glob(it->text, text))
            return true;
    return false;
}

/* Conditions on ResourceType; what is not known does not hold. */
static bool condition_holds(const struct json *condition, struct str type)
{
    JSON_EACH (condition, op) {
        bool like = str_eq(op->key, STR("StringLike")),
             equals = str_eq(op->key, STR("StringEquals"));
        const struct json *v = json_get(op, STR("ResourceType"));
        if ((!like && !equals) || !v || op->n != 1 || !fits(v, type))
            return false;
    }
    return true;
}

static bool concerns(const struct json *statement, struct str action, struct str resource,
                     struct str type)
{
    const struct json *not_action = json_get(statement, STR("NotAction"));
    const struct json *not_resource = json_get(statement, STR("NotResource"));
    bool act =
        not_action ? !fits(not_action, action) : fits(json_get(statement, STR("Action")), action);
    bool res = not_resource ? !fits(not_resource, resource)
                            : fits(json_get(statement, STR("Resource")), resource);
    return act && res && condition_holds(json_get(statement, STR("Condition")), type);
}

enum err cfn_policy_allows(struct arena *a, const struct cfn_stack *s, const char *action,
                           struct str id, struct str type, struct str *ret_why)
{
    struct str text = str_is_set(s->policy_during) ? s->policy_during : s->policy;
    const struct json *policy;
    bool allowed = false;
    int nth = 0, denies = 0;
    if (s->status != CFN_UPDATE_IN_PROGRESS && s->status != CFN_UPDATE_CLEANUP)
        return ERR_OK;
    if (str_empty(text))
        return ERR_OK;
    TRY(cfn_json(a, text, &policy));
    struct str resource = str_fmt(a, "LogicalResourceId/" STR_FMT, STR_ARG(id));
    const struct json *list = json_get(policy, STR("Statement"));
    JSON_EACH (list, statement) {
        nth++;
        if (!concerns(statement, str_c(action), resource, type))
            continue;
        if (str_eq(json_get_str(statement, STR("Effect")), STR("Allow")))
            allowed = true;
        else if (!denies)
            denies = nth;
    }
    if (allowed && !denies)
        return ERR_OK;
    *ret_why = denies ? str_fmt(a,
                                "Action denied by stack policy: Statement [#%d] does not allow "
                                "[%s] for resource [" STR_FMT "]",
                                denies, action, STR_ARG(resource))
                      : str_fmt(a,
                                "Action not allowed by stack policy: no statement allows [%s] for "
                                "resource [" STR_FMT "]",
                                action, STR_ARG(resource));
    return str_is_set(*ret_why) ? ERR_INVALID : ERR_NOMEM;
}

/* --- checking ----------------------------------------------------------------------------------- */

static bool well_formed(const struct json *statement)
{
    struct str effect = json_get_str(statement, STR("Effect"));
    bool has_action = json_get(statement, STR("Action")) || json_get(statement, STR("NotAction"));
    bool has_resource =
        json_get(statement, STR("Resource")) || json_get(statement, STR("NotResource"));
    return statement->kind == JSON_OBJECT &&
           str_eq(json_get_str(statement, STR("Principal")), STR("*")) && has_action &&
           has_resource && (str_eq(effect, STR("Allow")) || str_eq(effect, STR("Deny")));
}

enum err cfn_policy_read(struct arena *a, struct str text, const struct json **ret)
{
    const struct json *policy;
    enum err err = cfn_json(a, text, &policy);
    if (err)
        return err == ERR_CORRUPT ? ERR_INVALID : err;
    const struct json *list = json_get(policy, STR("Statement"));
    bool right = list && list->kind == JSON_ARRAY && list->n > 0;
    JSON_EACH (list, statement)
        right = right && well_formed(statement);
    if (!right)
        return ERR_INVALID;
    *ret = policy;
    return ERR_OK;
}

enum err cfn_policy_check(struct call *call, struct str text)
{
    const struct json *policy;
    if (str_empty(text))
        return ERR_OK;
    if (text.len > CFN_POLICY_BYTES_MAX)
        return CFN_INVALID(call, "Stack policy may not exceed %d bytes.", CFN_POLICY_BYTES_MAX);
    enum err err = cfn_policy_read(call->arena, text, &policy);
    return err == ERR_INVALID
               ? CFN_INVALID(call, "Error validating stack policy: Invalid stack policy")
               : err;
}
