/* Names, ARNs and labels of parameters. A name without its first '/' is a path, which is what keys and
 * ARNs are made of.
 *
 * Source: Systems Manager User Guide, "Requirements and constraints for parameter names"; PutParameter,
 * LabelParameterVersion in its API Reference. Layer: svc/ssm. Thread: pure. */
#include "svc/ssm/ssm_int.h"

static const struct str types[SSM_TYPES] = {
    [SSM_STRING] = STR_INIT("String"),
    [SSM_STRING_LIST] = STR_INIT("StringList"),
    [SSM_SECURE] = STR_INIT("SecureString"),
};

struct str ssm_type_text(enum ssm_type type)
{
    return types[type];
}

enum err ssm_type_of(struct str text, enum ssm_type *ret)
{
    for (int i = 0; i < SSM_TYPES; i++) {
        if (!str_eq(text, types[i]))
            continue;
        *ret = i;
        return ERR_OK;
    }
    return ERR_NOT_FOUND;
}

struct str ssm_tier_text(enum ssm_tier tier)
{
    return tier == SSM_ADVANCED ? STR("Advanced") : STR("Standard");
}

static struct str without_slash(struct str name)
{
    return str_starts(name, STR("/")) ? str_sub(name, 1, SIZE_MAX) : name;
}

/* --- references ----------------------------------------------------------------------------------- */

enum err ssm_ref_parse(struct key_scope scope, struct str text, struct ssm_ref *ret)
{
    static const struct str type = STR_INIT("parameter/");
    bool public = false;
    struct arn arn;
    if (arn_is(text)) {
        if (arn_parse_as(text, "ssm", NULL, &arn) != ERR_OK || !str_eq(arn.region, scope.region) ||
            !str_starts(arn.resource, type))
            return ERR_NOT_FOUND;
        public = str_empty(arn.account);
        if (!public && !str_eq(arn.account, scope.account))
            return ERR_NOT_FOUND;
        text = str_sub(arn.resource, type.len, SIZE_MAX);
    }
    struct str path = without_slash(text);
    size_t at = str_find(path, ':');
    *ret = (struct ssm_ref){.path = str_sub(path, 0, at)};
    if (at != SIZE_MAX)
        ret->selector = str_sub(path, at + 1, SIZE_MAX);
    ret->public = ssm_path_is_public(ret->path);
    return public && !ret->public ? ERR_NOT_FOUND : ERR_OK;
}

struct str ssm_arn(struct arena *a, const struct core *core, struct key_scope scope,
                   struct str path)
{
    const struct arn arn = {.partition = core->cfg.partition,
                            .service = STR("ssm"),
                            .region = scope.region,
                            .account = ssm_path_is_public(path) ? STR("") : scope.account};
    return arn_make(a, &arn, "parameter/" STR_FMT, STR_ARG(path));
}

/* --- new names ------------------------------------------------------------------------------------ */

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
}

/* Parts of name characters, divided by single slashes. */
static bool is_path(struct str path)
{
    for (size_t i = 0; i < path.len; i++)
        if (!is_name_char(path.p[i]) &&
            (path.p[i] != '/' || i == 0 || i + 1 == path.len || path.p[i - 1] == '/'))
            return false;
    return path.len > 0;
}

/* "aws", "ssm" in any case. */
static bool is_reserved(struct str path)
{
    struct str head = str_sub(path, 0, 3);
    return str_eq_nocase(head, STR("aws")) || str_eq_nocase(head, STR("ssm"));
}

static size_t count(struct str s, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += s.p[i] == c;
    return n;
}

#define FORM                                                                                       \
    " If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path "    \
    "can "                                                                                         \
    "be formed as a mix of letters, numbers and the following 3 symbols .-_"

enum err ssm_name_check(struct call *call, struct str name)
{
    struct str path = without_slash(name);
    size_t slashes = count(path, '/');
    if (is_reserved(path) && slashes > 0 && str_eq_nocase(str_sub(path, 0, 4), STR("aws/")))
        return call_error(call, &ssm_err_access_denied,
                          "No access to reserved parameter name: " STR_FMT ".", STR_ARG(name));
    if (is_reserved(path) || !is_path(path))
        return call_error(call, &ssm_err_validation,
                          "Parameter name: can't be prefixed with \"aws\" or \"ssm\" "
                          "(case-insensitive)." FORM);
    if (slashes > 0 && path.len == name.len)
        return call_error(call, &ssm_err_validation,
                          "Parameter name must be a fully qualified name.");
    if (slashes + 1 > SSM_LEVELS_MAX)
        return call_error(call, &ssm_err_hierarchy_level_limit_exceeded_exception,
                          "Hierarchy level of parameter name exceeds the limit of %d.",
                          SSM_LEVELS_MAX);
    struct str arn = ssm_arn(call->arena, call->core, call_scope(call), path);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    if (arn.len > SSM_NAME_MAX)
        return call_error(
            call, &ssm_err_validation,
            "The maximum length of a fully qualified parameter name is %d characters.",
            SSM_NAME_MAX);
    return ERR_OK;
}

enum err ssm_path_check(struct call *call, struct str path, struct str *ret_head)
{
    struct str inner = without_slash(path);
    if (inner.len > 1 && str_ends(inner, STR("/")))
        inner.len--;
    bool public = ssm_path_is_public(inner);
    if (inner.len == path.len || (inner.len > 0 && !is_path(inner)) ||
        (is_reserved(inner) && !public))
        return call_error(
            call, &ssm_err_validation,
            "The parameter doesn't meet the parameter name requirements. The parameter name must "
            "begin with a forward slash \"/\". It can't be prefixed with \"aws\" or \"ssm\" "
            "(case-insensitive). It must use only letters, numbers, or the following symbols: . "
            "(period), - (hyphen), _ (underscore). Special characters are not allowed. All "
            "sub-paths, if specified, must use the forward slash symbol \"/\". Valid example: "
            "/get/parameters2-/by1./path0_.");
    *ret_head = inner.len > 0 ? str_fmt(call->arena, STR_FMT "/", STR_ARG(inner)) : STR("");
    return str_is_set(*ret_head) ? ERR_OK : ERR_NOMEM;
}

bool ssm_label_valid(struct str label)
{
    if (label.len == 0 || is_reserved(label) || (label.p[0] >= '0' && label.p[0] <= '9'))
        return false;
    for (size_t i = 0; i < label.len; i++)
        if (!is_name_char(label.p[i]))
            return false;
    return true;
}
