/* PutLifecyclePolicy, GetLifecyclePolicy, DeleteLifecyclePolicy. A policy is checked and told; there is
 * no image that it could expire. Layer: svc/ecr. Source: Amazon ECR API Reference; User Guide,
 * "Lifecycle policy properties". */
#include "codec/json.h"
#include "svc/ecr/ecr_int.h"

static bool is_one_of(struct str text, const char *const *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_c(text, values[i]))
            return true;
    return false;
}
#define IS_ONE_OF(text, values) is_one_of((text), (values), ARRAY_LEN(values))

static bool is_positive(const struct json *v)
{
    int64_t n;
    return v && v->kind == JSON_NUMBER && json_to_i64(v, &n) == ERR_OK && n > 0;
}

/* What is wrong with a rule; NULL: nothing. */
static const char *fault_of_rule(const struct json *rule)
{
    static const char *const statuses[] = {"tagged", "untagged", "any"};
    static const char *const counts[] = {"imageCountMoreThan", "sinceImagePushed",
                                         "sinceImagePulled", "sinceImageTransitioned"};
    static const char *const actions[] = {"expire", "transition"};
    const struct json *selection = json_get(rule, STR("selection"));
    const struct json *action = json_get(rule, STR("action"));
    if (!is_positive(json_get(rule, STR("rulePriority"))))
        return "a rule needs a rulePriority, a positive number";
    if (!IS_ONE_OF(json_get_str(selection, STR("tagStatus")), statuses))
        return "a selection's tagStatus is tagged, untagged or any";
    if (!IS_ONE_OF(json_get_str(selection, STR("countType")), counts))
        return "a selection's countType is not known";
    if (!is_positive(json_get(selection, STR("countNumber"))))
        return "a selection needs a countNumber, a positive number";
    bool tagged = str_eq_c(json_get_str(selection, STR("tagStatus")), "tagged");
    if (tagged && !json_get(selection, STR("tagPrefixList")) &&
        !json_get(selection, STR("tagPatternList")))
        return "tagStatus tagged needs a tagPrefixList or a tagPatternList";
    if (!IS_ONE_OF(json_get_str(action, STR("type")), actions))
        return "a rule's action is expire or transition";
    return NULL;
}

static const char *fault_of(const struct json *policy)
{
    const struct json *rules = json_get(policy, STR("rules"));
    if (!rules || rules->kind != JSON_ARRAY || rules->n == 0)
        return "rules must be a list with at least one rule";
    JSON_EACH (rules, it) {
        const char *fault = fault_of_rule(it);
        if (fault)
            return fault;
        for (const struct json *other = it->next; other; other = other->next) {
            const struct json *priority = json_get(other, STR("rulePriority"));
            if (priority && str_eq(priority->text, json_get(it, STR("rulePriority"))->text))
                return "each rulePriority may be there once";
        }
    }
    return NULL;
}

static enum err check(struct call *call, struct str text)
{
    struct json *policy;
    enum err err = json_parse(call->arena, text, &policy, NULL);
    if (err == ERR_NOMEM)
        return err;
    const char *fault = err ? "it is not JSON" : fault_of(policy);
    return fault ? ECR_INVALID(call,
                               "Invalid parameter at 'LifecyclePolicyText' failed to satisfy "
                               "constraint: 'Lifecycle policy validation failure: %s'",
                               fault)
                 : ERR_OK;
}

enum err ecr_put_lifecycle_policy(struct call *call,
                                  const struct ecr_put_lifecycle_policy_input *in,
                                  struct ecr_put_lifecycle_policy_output *out)
{
    struct ecr_record r;
    TRY(ecr_need(call, in->registry_id, in->repository_name, &r));
    TRY(check(call, in->lifecycle_policy_text));
    r.lifecycle = in->lifecycle_policy_text;
    r.lifecycle_ms = call->txn->wall_ms;
    out->registry_id = call->account;
    out->repository_name = in->repository_name;
    out->lifecycle_policy_text = r.lifecycle;
    return ecr_write(call, in->repository_name, &r);
}

static enum err need_lifecycle(struct call *call, struct str registry, struct str name,
                               struct ecr_record *ret)
{
    TRY(ecr_need(call, registry, name, ret));
    if (!str_is_set(ret->lifecycle))
        return call_error(call, &ecr_err_lifecycle_policy_not_found_exception,
                          "Lifecycle policy does not exist for the repository with name '" STR_FMT
                          "' in the registry with id '" STR_FMT "'",
                          STR_ARG(name), STR_ARG(call->account));
    return ERR_OK;
}

enum err ecr_get_lifecycle_policy(struct call *call,
                                  const struct ecr_get_lifecycle_policy_input *in,
                                  struct ecr_get_lifecycle_policy_output *out)
{
    struct ecr_record r;
    TRY(need_lifecycle(call, in->registry_id, in->repository_name, &r));
    out->registry_id = call->account;
    out->repository_name = in->repository_name;
    out->lifecycle_policy_text = r.lifecycle;
    WIRE_SET(out, last_evaluated_at, r.lifecycle_ms);
    return ERR_OK;
}

enum err ecr_delete_lifecycle_policy(struct call *call,
                                     const struct ecr_delete_lifecycle_policy_input *in,
                                     struct ecr_delete_lifecycle_policy_output *out)
{
    struct ecr_record r;
    TRY(need_lifecycle(call, in->registry_id, in->repository_name, &r));
    out->registry_id = call->account;
    out->repository_name = in->repository_name;
    out->lifecycle_policy_text = r.lifecycle;
    WIRE_SET(out, last_evaluated_at, r.lifecycle_ms);
    r.lifecycle = STR_NONE;
    r.lifecycle_ms = 0;
    return ecr_write(call, in->repository_name, &r);
}
