/* The role of a function, and what its Policies may be: names and ARNs of managed policies, statements, policy
 * templates, and Fn::If of any of them.
 *
 * Layer: template. Thread: pure. */
#include "template/sam_int.h"

static const struct sam_policy *find_template(struct str name)
{
    for (size_t i = 0; i < sam_n_policies; i++)
        if (str_eq_c(name, sam_policies[i].name))
            return &sam_policies[i];
    return NULL;
}

/* {"Ref": parameter} of the template's own text becomes the value that is given for it. */
static void fill_in(struct sam *s, struct json *v, const struct json *values)
{
    struct str name = sam_ref(v);
    const struct json *value = str_is_set(name) ? json_get(values, name) : NULL;
    if (value) {
        struct json *copy = sam_copy(s, value);
        if (!copy)
            return;
        copy->key = v->key;
        copy->next = v->next;
        *v = *copy;
        return;
    }
    for (struct json *it = v->child; it; it = it->next)
        fill_in(s, it, values);
}

static enum err from_template(struct sam *s, const struct sam_policy *policy,
                              const struct json *values, struct json **ret_document)
{
    struct json *missing = json_new(s->a, JSON_ARRAY), *document = NULL;
    struct str rest = str_c(policy->parameters);
    if (values && !sam_map(values))
        return sam_bad(s, "Must specify valid parameter values for policy template '%s'",
                       policy->name);
    while (str_is_set(rest) && rest.len) {
        struct str name = str_cut(&rest, ',');
        if (!json_get(values, name))
            sam_push(s, missing, sam_new_str(s, name));
    }
    if (missing && missing->n)
        return sam_bad(s,
                       "Following required parameters of template '%s' don't have values: " STR_FMT,
                       policy->name, STR_ARG(sam_repr(s, missing)));
    TRY(json_parse(s->a, str_c(policy->document), &document, NULL));
    fill_in(s, document, values);
    *ret_document = document;
    return ERR_OK;
}

/* The name of the template that {"Name": {..}} is, else NULL. */
static const struct sam_policy *template_of(const struct json *v)
{
    return sam_map(v) && v->child && !v->child->next ? find_template(v->child->key) : NULL;
}

enum policy_kind { POLICY_NONE, POLICY_MANAGED, POLICY_INLINE };

/* One entry, not Fn::If: a managed policy's ARN, or a document. */
static enum err one_policy(struct sam *s, const struct json *v, struct json **ret_v,
                           enum policy_kind *ret_kind)
{
    const struct sam_policy *policy = template_of(v);
    *ret_kind = policy || (sam_map(v) && SAM_GET(v, "Statement")) ? POLICY_INLINE : POLICY_NONE;
    if (policy)
        return from_template(s, policy, v->child, ret_v);
    *ret_v = sam_copy(s, v);
    if (*ret_kind == POLICY_NONE && (sam_text(v) || sam_intrinsic(v)))
        *ret_kind = POLICY_MANAGED;
    struct str arn = STR_NONE;
    if (sam_text(v) && s->world->managed_policy &&
        s->world->managed_policy(s->world->arg, v->text, &arn))
        *ret_v = sam_new_str(s, arn);
    return ERR_OK;
}

struct role_parts {
    struct json *managed, *inline_;
    struct str prefix; /* of the names of inline policies */
};

static struct json *named(struct sam *s, struct str prefix, size_t index,
                          const struct json *document)
{
    struct str name = str_fmt(s->a, STR_FMT "Policy%zu", STR_ARG(prefix), index);
    return sam_make(s, "{'PolicyName': %s, 'PolicyDocument': %v}", name, document);
}

/* Fn::If of policies: in the one list or in the other, by what the first of them is. */
static enum err conditional(struct sam *s, const struct json *args, size_t index,
                            struct role_parts *parts)
{
    struct json *v[2] = {NULL, NULL};
    enum policy_kind kind[2] = {POLICY_NONE, POLICY_NONE};
    const struct json *branch[2] = {args->child->next, args->child->next->next};
    for (size_t i = 0; i < 2; i++)
        if (sam_no_value(branch[i]))
            v[i] = sam_copy(s, branch[i]);
        else
            TRY(one_policy(s, branch[i], &v[i], &kind[i]));
    enum policy_kind both = kind[0] == POLICY_NONE ? kind[1] : kind[0];
    for (size_t i = 0; i < 2; i++)
        if (both == POLICY_INLINE && kind[i] == POLICY_INLINE)
            v[i] = named(s, parts->prefix, index, v[i]);
    if (both == POLICY_NONE || (kind[0] != kind[1] && kind[0] && kind[1]))
        return sam_bad(s, "Policy at index %zu in the 'Policies' property is not valid", index);
    sam_push(s, both == POLICY_INLINE ? parts->inline_ : parts->managed,
             sam_make(s, "{'Fn::If': [%v, %v, %v]}", args->child, v[0], v[1]));
    return ERR_OK;
}

static enum err add_policy(struct sam *s, const struct json *policy, size_t index,
                           struct role_parts *parts)
{
    const struct json *args = sam_intrinsic(policy) ? SAM_GET(policy, "Fn::If") : NULL;
    struct json *v = NULL;
    enum policy_kind kind = POLICY_NONE;
    if (sam_list(args) && args->n == 3)
        return conditional(s, args, index, parts);
    if (sam_no_value(policy))
        return ERR_OK;
    TRY(one_policy(s, policy, &v, &kind));
    if (kind == POLICY_NONE)
        return sam_bad(s, "Policy at index %zu in the 'Policies' property is not valid", index);
    if (kind == POLICY_INLINE)
        v = named(s, parts->prefix, index, v);
    else if (json_index_of(parts->managed, sam_str(v)) != SIZE_MAX && sam_text(v))
        return ERR_OK;
    sam_push(s, kind == POLICY_INLINE ? parts->inline_ : parts->managed, v);
    return ERR_OK;
}

static void add_managed(struct sam *s, struct json *list, const char *name)
{
    sam_push(s, list,
             sam_new_str(s, str_fmt(s->a, "arn:" STR_FMT ":iam::aws:policy/%s",
                                    STR_ARG(s->world->partition), name)));
}

static void given_by_properties(struct sam *s, const struct sam_fn *fn, struct role_parts *parts)
{
    add_managed(s, parts->managed,
                SAM_GET(fn->p, "DurableConfig")
                    ? "service-role/AWSLambdaBasicDurableExecutionRolePolicy"
                    : "service-role/AWSLambdaBasicExecutionRole");
    if (fn->traced)
        add_managed(s, parts->managed, "AWSXrayWriteOnlyAccess");
    if (sam_true(SAM_GET(fn->p, "VpcConfig")))
        add_managed(s, parts->managed, "service-role/AWSLambdaVPCAccessExecutionRole");
    const struct json *dlq = SAM_GET(fn->p, "DeadLetterQueue");
    if (sam_true(dlq))
        sam_push(s, parts->inline_,
                 sam_make(s,
                          "{'PolicyName': 'DeadLetterQueuePolicy', 'PolicyDocument': {'Version': "
                          "'2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': %s, "
                          "'Resource': %v}]}}",
                          sam_eq(SAM_GET(dlq, "Type"), "SQS") ? STR("sqs:SendMessage")
                                                              : STR("sns:Publish"),
                          SAM_GET(dlq, "TargetArn")));
    JSON_EACH (fn->policies, it)
        sam_push(s, parts->inline_, sam_copy(s, it));
}

static enum err given_by_user(struct sam *s, const struct sam_fn *fn, struct role_parts *parts)
{
    struct json *policies = NULL;
    size_t index = 0;
    policies = sam_copy(s, SAM_GET(fn->p, "Policies"));
    if (!policies)
        return ERR_OK;
    bool several = sam_map(policies) && policies->n > 1 && !SAM_GET(policies, "Statement");
    struct json *list = several ? json_new(s->a, JSON_ARRAY) : sam_as_list(s, policies);
    if (several) /* a map of templates */
        JSON_EACH (policies, it) {
            struct json *one = json_new(s->a, JSON_OBJECT);
            sam_put(s, one, it->key, sam_copy(s, it));
            sam_push(s, list, one);
        }
    JSON_EACH (list, it)
        TRY(add_policy(s, it, index++, parts));
    return ERR_OK;
}

enum err sam_check_policies(struct sam *s, const struct sam_fn *fn)
{
    struct role_parts parts = {json_new(s->a, JSON_ARRAY), json_new(s->a, JSON_ARRAY), fn->id};
    return given_by_user(s, fn, &parts);
}

enum err sam_role(struct sam *s, const struct sam_fn *fn, struct str role_id,
                  const struct json *attributes)
{
    struct role_parts parts = {json_new(s->a, JSON_ARRAY), json_new(s->a, JSON_ARRAY), role_id};
    struct json *trust = NULL;
    given_by_properties(s, fn, &parts);
    TRY(given_by_user(s, fn, &parts));
    JSON_EACH (fn->managed, it)
        if (json_index_of(parts.managed, sam_str(it)) == SIZE_MAX)
            sam_push(s, parts.managed, sam_copy(s, it));
    TRY(sam_resolve(s, SAM_GET(fn->p, "AssumeRolePolicyDocument"), &trust));
    if (!sam_true(trust))
        trust =
            sam_make(s, "{'Version': '2012-10-17', 'Statement': [{'Action': ['sts:AssumeRole'], "
                        "'Effect': 'Allow', 'Principal': {'Service': ['lambda.amazonaws.com']}}]}");
    struct json *p =
        sam_make(s, "{'AssumeRolePolicyDocument': %v, 'ManagedPolicyArns': %v, 'Policies': %v}",
                 trust, parts.managed, parts.inline_ && parts.inline_->n ? parts.inline_ : NULL);
    sam_take(s, p, "Path", fn->p, "RolePath");
    sam_take(s, p, "PermissionsBoundary", fn->p, "PermissionsBoundary");
    sam_set(s, p, "Tags", sam_fn_tags(s, fn));
    return sam_emit(s, role_id, "AWS::IAM::Role", p, attributes, false);
}
