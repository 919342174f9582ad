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
        return call_error(call, &logs_err_validation_exception,
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

enum err logs_pattern(struct call *call, struct str pattern, struct filter *ret)
{
    struct str why;
    enum err err = filter_parse(call->arena, pattern, ret, &why);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return call_error(call, &logs_err_invalid_parameter_exception, STR_FMT, STR_ARG(why));
    return err;
}

/* Filters with regular expressions, of one table and all but one. */
struct regex_count {
    struct call *call;
    const struct key_layout *table;
    struct str but;
    size_t n;
};

static enum err count_regex(void *arg, struct str key, struct str record)
{
    struct regex_count *c = arg;
    struct arena *a = c->call->arena;
    struct logs_metric_rec metric = {0};
    struct logs_sub sub = {0};
    struct filter f;
    struct str name;
    TRY(key_read(c->table, key, a, KEY_SKIP, &name));
    if (str_is_set(c->but) && str_eq(name, c->but))
        return ERR_OK;
    TRY(c->table == &logs_k_sub ? logs_sub_parse(a, record, &sub)
                                : logs_metric_parse(a, record, &metric));
    enum err err =
        filter_parse(a, c->table == &logs_k_sub ? sub.pattern : metric.pattern, &f, NULL);
    if (err == ERR_NOMEM)
        return err;
    c->n += err == ERR_OK && f.n_regex > 0;
    return ERR_OK;
}

enum err logs_regex_room(struct call *call, uint64_t group_id, bool subscription, struct str name,
                         const struct filter *f)
{
    const struct key_layout *const tables[] = {&logs_k_metric, &logs_k_sub};
    struct regex_count c = {.call = call};
    if (f->n_regex == 0)
        return ERR_OK;
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        c.table = tables[i];
        c.but = subscription == (i == 1) ? name : STR_NONE;
        TRY(txn_each(call->txn, key_range(call->arena, tables[i], group_id), count_regex, &c));
    }
    if (c.n >= LOGS_REGEX_FILTERS_MAX)
        return call_error(call, &logs_err_limit_exceeded_exception, "Resource limit exceeded.");
    return ERR_OK;
}
