/* What operations share: the group and stream that a request names, and the service's errors. */
#include "base/arn.h"
#include "svc/logs/logs_int.h"

struct str logs_group_name(const struct call *call, struct str name_or_arn)
{
    struct arn arn;
    if (!arn_is(name_or_arn))
        return name_or_arn;
    if (arn_parse_as(name_or_arn, "logs", "log-group", &arn) != ERR_OK)
        return STR_NONE;
    struct str rest = arn_tail(&arn, 2);
    if (!str_eq(arn.account, call->account) || !str_eq(arn.region, call->region) ||
        (str_is_set(rest) && !str_eq_c(rest, "*")))
        return STR_NONE;
    return arn_segment(&arn, 1);
}

enum err logs_need_group(struct call *call, struct str name, struct str identifier,
                         struct str *ret_name, struct logs_group *ret)
{
    if (str_is_set(name) && str_is_set(identifier))
        return call_error(call, &logs_err_invalid_parameter_exception,
                          "LogGroup name and LogGroup ARN are mutually exclusive parameters.");
    if (!str_is_set(name) && !str_is_set(identifier))
        return call_error(call, &logs_err_invalid_parameter_exception,
                          "Either logGroupName or logGroupIdentifier must be given.");
    struct str group = logs_group_name(call, str_is_set(name) ? name : identifier);
    enum err err = str_is_set(group) ? logs_read_group(call->txn, call_scope(call), group, ret)
                                     : ERR_NOT_FOUND;
    if (err == ERR_NOT_FOUND)
        return call_error(call, &logs_err_resource_not_found_exception,
                          "The specified log group does not exist.");
    if (err == ERR_OK && ret_name)
        *ret_name = group;
    return err;
}

enum err logs_need_stream(struct call *call, uint64_t group_id, struct str name,
                          struct logs_stream *ret)
{
    enum err err = logs_read_stream(call->txn, group_id, name, ret);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &logs_err_resource_not_found_exception,
                          "The specified log stream does not exist.");
    return err;
}

enum err logs_kms(struct call *call, enum err err, const struct logs_cipher *cipher)
{
    if (err != ERR_DENIED)
        return err;
    return call_error(call, &logs_err_access_denied,
                      "The KMS key of the log group cannot be used: " STR_FMT ": " STR_FMT,
                      STR_ARG(cipher->why.code), STR_ARG(cipher->why.message));
}

enum err logs_paged(struct call *call, enum err err)
{
    if (err == ERR_INVALID)
        return call_error(call, &logs_err_invalid_parameter_exception,
                          "The specified nextToken is invalid.");
    return err;
}

enum err logs_pattern(struct call *call, enum err err)
{
    if (err == ERR_UNSUPPORTED)
        return call_error(call, &logs_err_invalid_parameter_exception,
                          "Regular expressions in filter patterns are not supported by Weir.");
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return call_error(call, &logs_err_invalid_parameter_exception, "Invalid filter pattern");
    return err;
}
