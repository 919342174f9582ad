/* What the errors of services mean to resources' handlers, and how events tell them. See type.h.
 *
 * Services have words of their own for the same few things; their ends are alike.
 *
 * Layer: svc. Thread: pure. Source: CloudFormation CLI User Guide, "Handler error codes". */
#include "svc/cloudformation/type_int.h"

static bool has_any(struct str code, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_find_str(code, str_c(words[i])) != SIZE_MAX)
            return true;
    return false;
}

bool type_fault_is_absence(const struct core_result *result)
{
    static const char *const words[] = {"NotFound", "NoSuch", "NonExistent", "DoesNotExist",
                                        "NotExist"};
    return result->status == 404 || has_any(result->code, words, ARRAY_LEN(words));
}

bool type_fault_is_presence(const struct json *codes, const struct core_result *result)
{
    static const char *const words[] = {"AlreadyExist", "EntityExist", "AlreadyOwned",
                                        "ResourceInUse"};
    return json_index_of(codes, result->code) != SIZE_MAX ||
           has_any(result->code, words, ARRAY_LEN(words));
}

struct str type_fault_code(const struct type_row *row, const struct core_result *result)
{
    static const struct {
        const char *word, *code;
    } words[] = {
        {"AccessDenied", "AccessDenied"},
        {"NotAuthorized", "AccessDenied"},
        {"Throttling", "Throttling"},
        {"TooManyRequests", "Throttling"},
        {"LimitExceeded", "ServiceLimitExceeded"},
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_find_str(result->code, str_c(words[i].word)) != SIZE_MAX)
            return str_c(words[i].code);
    if (type_fault_is_presence(row->exists, result))
        return STR("AlreadyExists");
    if (type_fault_is_absence(result))
        return STR("NotFound");
    if (result->status >= 500)
        return STR("ServiceInternalError");
    return result->status == 403 ? STR("AccessDenied") : STR("InvalidRequest");
}

struct str type_fault_reason(struct arena *a, const struct type_row *row,
                             const struct core_result *result)
{
    return str_fmt(a, STR_FMT " (Service: " STR_FMT ", Status Code: %d, Request ID: " STR_FMT ")",
                   STR_ARG(result->message), STR_ARG(row->title), result->status,
                   STR_ARG(result->request_id));
}
