/* Function names and ARNs. Source: Lambda API Reference, parameter FunctionName.
 *
 * Layer: svc. Thread: pure. */
#include "svc/lambda/lambda_int.h"

enum { FN_NAME_MAX = 64, ACCOUNT_LEN = 12 };

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

bool lambda_name_valid(struct str name)
{
    if (name.len < 1 || name.len > FN_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!is_word(name.p[i]))
            return false;
    return true;
}

static bool is_account(struct str s)
{
    if (s.len != ACCOUNT_LEN)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

static bool qualifier_valid(struct str q)
{
    if (str_eq_c(q, LAMBDA_LATEST))
        return true;
    if (q.len < 1 || q.len > 128)
        return false;
    for (size_t i = 0; i < q.len; i++)
        if (!is_word(q.p[i]))
            return false;
    return true;
}

enum err lambda_name_parse(struct str s, struct str account, struct str region,
                           struct lambda_name *ret_name)
{
    struct lambda_name n = {.account = account, .region = region};
    struct str rest = s;

    if (str_starts(s, STR("arn:"))) {
        (void)str_cut(&rest, ':');
        (void)str_cut(&rest, ':');
        struct str service = str_cut(&rest, ':');
        n.region = str_cut(&rest, ':');
        if (!str_eq_c(service, "lambda") || str_empty(n.region) || !str_is_set(rest))
            return ERR_INVALID;
    }
    struct str head = str_cut(&rest, ':');
    if (is_account(head) && str_is_set(rest)) {
        n.account = head;
        head = str_cut(&rest, ':');
        if (!str_eq_c(head, "function"))
            return ERR_INVALID;
        head = str_cut(&rest, ':');
    } else if (str_starts(s, STR("arn:"))) {
        return ERR_INVALID;
    } else if (str_eq_c(head, "function") && str_is_set(rest)) {
        head = str_cut(&rest, ':');
    }
    n.name = head;
    if (str_is_set(rest)) {
        n.qualifier = rest;
        if (!qualifier_valid(rest))
            return ERR_INVALID;
    }
    if (!lambda_name_valid(n.name))
        return ERR_INVALID;
    *ret_name = n;
    return ERR_OK;
}

struct str lambda_arn(struct arena *a, struct str partition, const struct lambda_name *name,
                      struct str qualifier)
{
    bool q = str_is_set(qualifier);
    return str_fmt(a,
                   "arn:" STR_FMT ":lambda:" STR_FMT ":" STR_FMT ":function:" STR_FMT "%s" STR_FMT,
                   STR_ARG(partition), STR_ARG(name->region), STR_ARG(name->account),
                   STR_ARG(name->name), q ? ":" : "", STR_ARG(qualifier));
}

enum err lambda_not_found(struct call *call, const struct lambda_name *name)
{
    struct str arn = lambda_arn(call->arena, call->partition, name, name->qualifier);
    return call_error(call, &lambda_err_resource_not_found_exception,
                      "Function not found: " STR_FMT, STR_ARG(arn));
}

enum err lambda_name_of_call(struct call *call, struct str function_name, struct str qualifier,
                             struct lambda_name *ret_name)
{
    struct lambda_name n;

    if (lambda_name_parse(function_name, call->account, call->region, &n) != ERR_OK)
        return call_error(call, &lambda_err_invalid_parameter_value_exception,
                          STR_FMT " is not a valid function name or ARN", STR_ARG(function_name));
    if (!str_eq(n.region, call->region))
        return call_error(call, &lambda_err_resource_not_found_exception,
                          "Functions from '" STR_FMT "' are not reachable in this region ('" STR_FMT
                          "')",
                          STR_ARG(n.region), STR_ARG(call->region));
    if (str_is_set(qualifier)) {
        if (str_is_set(n.qualifier) && !str_eq(n.qualifier, qualifier))
            return call_error(call, &lambda_err_invalid_parameter_value_exception,
                              "The derived qualifier from the function name does not match the "
                              "specified qualifier.");
        n.qualifier = qualifier;
    }
    if (str_is_set(n.qualifier) && !str_eq_c(n.qualifier, LAMBDA_LATEST))
        return lambda_not_found(call, &n);
    *ret_name = n;
    return ERR_OK;
}
