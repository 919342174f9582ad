/* What a template declares: GetTemplateSummary, ValidateTemplate, and the capabilities that it needs. See
 * template.h.
 *
 * Source: the CloudFormation API reference, CreateStack, "Capabilities".
 * Layer: template. Thread: pure. */
#include "template/tpl_int.h"

/* Types that CAPABILITY_IAM is about, and the property by which they have a name of their own. */
static const struct {
    struct str type, name; /* name absent: none needs CAPABILITY_NAMED_IAM */
} IAM_TYPES[] = {
    {STR_INIT("AWS::IAM::AccessKey"), {0}},
    {STR_INIT("AWS::IAM::Group"), STR_INIT("GroupName")},
    {STR_INIT("AWS::IAM::GroupPolicy"), {0}},
    {STR_INIT("AWS::IAM::InstanceProfile"), STR_INIT("InstanceProfileName")},
    {STR_INIT("AWS::IAM::ManagedPolicy"), STR_INIT("ManagedPolicyName")},
    {STR_INIT("AWS::IAM::Policy"), {0}},
    {STR_INIT("AWS::IAM::Role"), STR_INIT("RoleName")},
    {STR_INIT("AWS::IAM::RolePolicy"), {0}},
    {STR_INIT("AWS::IAM::User"), STR_INIT("UserName")},
    {STR_INIT("AWS::IAM::UserPolicy"), {0}},
    {STR_INIT("AWS::IAM::UserToGroupAddition"), {0}},
};

static enum err look_at(struct arena *a, const struct json *body, struct tpl_summary *s,
                        struct tpl_names *types, struct tpl_names *of_iam)
{
    struct str type = json_get_str(body, STR("Type"));
    if (!str_is_set(type))
        return ERR_OK;
    TRY(tpl_names_add(a, types, type));
    for (size_t i = 0; i < ARRAY_LEN(IAM_TYPES); i++) {
        if (!str_eq(type, IAM_TYPES[i].type))
            continue;
        TRY(tpl_names_add(a, of_iam, type));
        s->needs_iam = true;
        if (str_is_set(IAM_TYPES[i].name) &&
            json_get(json_get(body, STR("Properties")), IAM_TYPES[i].name))
            s->needs_named_iam = true;
    }
    return ERR_OK;
}

static bool calls_transform(const struct json *v)
{
    JSON_EACH (v, it)
        if (str_eq(it->key, STR("Fn::Transform")) || calls_transform(it))
            return true;
    return false;
}

enum err tpl_summarise(struct arena *a, const struct json *tree, struct tpl_summary *ret_summary,
                       struct tpl_fault *ret_fault)
{
    const struct tpl_world world = {.check_only = true};
    const struct json *resources = json_get(tree, STR("Resources"));
    struct tpl_names types = {0}, of_iam = {0};
    struct tpl_summary s = {
        .version = tpl_scalar(json_get(tree, STR("AWSTemplateFormatVersion"))),
        .description = tpl_scalar(json_get(tree, STR("Description"))),
        .metadata = json_get(tree, STR("Metadata")),
    };
    TRY(tpl_parameters_of(a, tree, &world, &s.parameters, &s.parameter_n, ret_fault));
    TRY(tpl_transforms(a, tree, &s.transforms, &s.transform_n, ret_fault));
    JSON_EACH (resources, it)
        TRY(look_at(a, it, &s, &types, &of_iam));
    s.types = types.p;
    s.type_n = types.n;
    s.needs_auto_expand = s.transform_n > 0 || calls_transform(resources);
    if (of_iam.n) {
        s.capabilities_reason =
            str_fmt(a, "The following resource(s) require capabilities: " STR_FMT,
                    STR_ARG(tpl_names_text(a, &of_iam)));
        if (!str_is_set(s.capabilities_reason))
            return ERR_NOMEM;
    }
    *ret_summary = s;
    return ERR_OK;
}

static bool is_given(const struct str *given, size_t n, const char *capability)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_c(given[i], capability))
            return true;
    return false;
}

struct str tpl_capabilities_missing(struct arena *a, const struct tpl_summary *s,
                                    const struct str *given, size_t given_n)
{
    bool named = is_given(given, given_n, "CAPABILITY_NAMED_IAM");
    bool iam = named || is_given(given, given_n, "CAPABILITY_IAM");
    bool expand = is_given(given, given_n, "CAPABILITY_AUTO_EXPAND");
    const char *first = s->needs_named_iam && !named ? "CAPABILITY_NAMED_IAM"
                        : s->needs_iam && !iam       ? "CAPABILITY_IAM"
                                                     : NULL;
    const char *second = s->needs_auto_expand && !expand ? "CAPABILITY_AUTO_EXPAND" : NULL;
    if (!first && !second)
        return STR_NONE;
    return str_fmt(a, "Requires capabilities : [%s%s%s]", first ? first : "",
                   first && second ? ", " : "", second ? second : "");
}
