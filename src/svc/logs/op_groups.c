/* CreateLogGroup, DeleteLogGroup, DescribeLogGroups, ListLogGroups, Put/DeleteRetentionPolicy,
 * Associate/DisassociateKmsKey, PutLogGroupDeletionProtection. */
#include "base/arn.h"
#include "svc/logs/logs_int.h"

/* Source: CloudWatch Logs API Reference, PutRetentionPolicy. */
static const int64_t retentions[] = {1,   3,   5,   7,   14,   30,   60,   90,   120,  150,  180,
                                     365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653};

/* The group's new events are sealed under this KMS key from now on, if KMS lets the service use it. */
static enum err give_key(struct call *call, struct str name, struct str key, struct logs_group *g)
{
    struct logs *logs = call->svc;
    struct logs_cipher cipher;
    struct arn arn;
    enum err err = ERR_DENIED;
    cipher.why = (struct kms_refusal){
        .why = KMS_WHY_NOT_FOUND, .code = STR("InvalidArn"), .message = STR("no ARN of a key")};
    if (arn_parse_as(key, "kms", "key", &arn) == ERR_OK)
        err = logs_cipher_new(logs, call->txn, call_scope(call), name, key, g, &cipher);
    if (err == ERR_DENIED)
        return call_error(call, &logs_err_invalid_parameter_exception,
                          "The specified KMS key does not exist or is not allowed to be used with "
                          "LogGroup '" STR_FMT "' (" STR_FMT ": " STR_FMT ")",
                          STR_ARG(name), STR_ARG(cipher.why.code), STR_ARG(cipher.why.message));
    TRY(err);
    return logs_write_group(call->txn, call_scope(call), name, g);
}

enum err logs_create_log_group(struct call *call, const struct logs_create_log_group_input *in,
                               struct logs_create_log_group_output *out)
{
    if (str_is_set(in->log_group_class) && !str_eq(in->log_group_class, STR("STANDARD")))
        return call_error(call, &logs_err_invalid_parameter_exception,
                          "Only log groups of class STANDARD are supported by Weir.");
    if (str_eq_nocase(str_sub(in->log_group_name, 0, strlen("aws/")), STR("aws/")))
        return call_error(call, &logs_err_invalid_parameter_exception,
                          "Log groups starting with AWS/ are reserved for AWS.");
    struct logs_group g = {.protected_ = in->deletion_protection_enabled};
    struct tags_resource resource = {.arn = logs_group_arn(call, in->log_group_name)};
    if (!str_is_set(resource.arn))
        return ERR_NOMEM;
    TRY(tags_op_create(call, &logs_tags, &resource, TAGS_FROM(in->tags)));
    enum err err = logs_make_group(call->txn, call_scope(call), in->log_group_name, &g);
    if (err == ERR_EXISTS)
        return call_error(call, &logs_err_resource_already_exists_exception,
                          "The specified log group already exists");
    TRY(err);
    return str_is_set(in->kms_key_id) ? give_key(call, in->log_group_name, in->kms_key_id, &g)
                                      : ERR_OK;
}

enum err logs_associate_kms_key(struct call *call, const struct logs_associate_kms_key_input *in,
                                struct logs_associate_kms_key_output *out)
{
    struct logs_group g;
    struct str name;
    TRY(logs_need_group(call, in->log_group_name, in->resource_identifier, &name, &g));
    return give_key(call, name, in->kms_key_id, &g);
}

enum err logs_disassociate_kms_key(struct call *call,
                                   const struct logs_disassociate_kms_key_input *in,
                                   struct logs_disassociate_kms_key_output *out)
{
    struct logs_group g;
    struct str name;
    TRY(logs_need_group(call, in->log_group_name, in->resource_identifier, &name, &g));
    g.kms_key = STR_NONE;
    return logs_write_group(call->txn, call_scope(call), name, &g);
}

enum err logs_delete_log_group(struct call *call, const struct logs_delete_log_group_input *in,
                               struct logs_delete_log_group_output *out)
{
    struct logs_group g;
    struct str name;
    TRY(logs_need_group(call, in->log_group_name, STR_NONE, &name, &g));
    if (g.protected_)
        return call_error(call, &logs_err_validation_exception,
                          "The log group has deletion protection enabled.");
    struct str arn = logs_group_arn(call, name);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    TRY(txn_del(call->txn, key_make(call->arena, &logs_k_group, call_scope(call), name)));
    TRY(tags_drop(call->txn, arn));
    TRY(txn_put(call->txn, key_make(call->arena, &logs_k_dead_group, g.id), STR("")));
    return txn_on_commit(call->txn, logs_sweep_soon, call->svc);
}

enum err logs_put_retention_policy(struct call *call,
                                   const struct logs_put_retention_policy_input *in,
                                   struct logs_put_retention_policy_output *out)
{
    bool known = false;
    for (size_t i = 0; i < ARRAY_LEN(retentions); i++)
        known |= retentions[i] == in->retention_in_days;
    if (!known)
        return call_error(
            call, &logs_err_invalid_parameter_exception,
            "1 validation error detected: Value '%lld' at 'retentionInDays' failed to "
            "satisfy constraint: Member must satisfy enum value set: [1, 3, 5, 7, 14, "
            "30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, "
            "2922, 3288, 3653]",
            (long long)in->retention_in_days);
    struct logs_group g;
    struct str name;
    TRY(logs_need_group(call, in->log_group_name, STR_NONE, &name, &g));
    g.retention_days = in->retention_in_days;
    TRY(logs_write_group(call->txn, call_scope(call), name, &g));
    return txn_on_commit(call->txn, logs_sweep_soon, call->svc);
}

enum err logs_delete_retention_policy(struct call *call,
                                      const struct logs_delete_retention_policy_input *in,
                                      struct logs_delete_retention_policy_output *out)
{
    struct logs_group g;
    struct str name;
    TRY(logs_need_group(call, in->log_group_name, STR_NONE, &name, &g));
    g.retention_days = 0;
    return logs_write_group(call->txn, call_scope(call), name, &g);
}

enum err logs_put_log_group_deletion_protection(
    struct call *call, const struct logs_put_log_group_deletion_protection_input *in,
    struct logs_put_log_group_deletion_protection_output *out)
{
    struct logs_group g;
    struct str name;
    TRY(logs_need_group(call, STR_NONE, in->log_group_identifier, &name, &g));
    g.protected_ = in->deletion_protection_enabled;
    return logs_write_group(call->txn, call_scope(call), name, &g);
}

/* --- describe --------------------------------------------------------------------------------- */

struct sum {
    struct arena *arena;
    uint64_t bytes;
    size_t streams;
};

static enum err add_stream(void *arg, struct str key, struct str record)
{
    struct sum *sum = arg;
    struct logs_stream s;
    TRY(logs_parse_stream(sum->arena, record, &s));
    sum->bytes += s.stored_bytes;
    return ++sum->streams < LOGS_COUNT_STREAMS ? ERR_OK : ERR_CLOSED;
}

/* Sum over the first LOGS_COUNT_STREAMS streams: a figure for people, bounded in cost. */
static enum err stored_bytes(struct call *call, uint64_t group_id, int64_t *ret_bytes)
{
    struct sum sum = {.arena = call->arena};
    TRY(txn_each(call->txn, key_range(call->arena, &logs_k_stream, group_id), add_stream, &sum));
    *ret_bytes = (int64_t)sum.bytes;
    return ERR_OK;
}

/* `brief`: as AWS tells groups that were found by a pattern. */
static enum err describe(struct call *call, struct str name, const struct logs_group *g, bool brief,
                         struct logs_log_group *ret)
{
    struct logs_log_group d = {.log_group_name = str_dup(call->arena, name)};
    d.log_group_arn = logs_group_arn(call, name);
    d.arn = call_arn(call, "logs", "log-group:" STR_FMT ":*", STR_ARG(name));
    if (!str_is_set(d.log_group_name) || !str_is_set(d.log_group_arn) || !str_is_set(d.arn))
        return ERR_NOMEM;
    d.log_group_class = STR("STANDARD");
    d.kms_key_id = str_dup(call->arena, g->kms_key);
    WIRE_SET(&d, creation_time, g->created_ms);
    WIRE_SET(&d, metric_filter_count, g->metric_filters);
    if (g->retention_days)
        WIRE_SET(&d, retention_in_days, g->retention_days);
    if (!brief) {
        WIRE_SET(&d, deletion_protection_enabled, g->protected_);
        d.has_stored_bytes = true;
        TRY(stored_bytes(call, g->id, &d.stored_bytes));
    }
    *ret = d;
    return ERR_OK;
}

static enum err describe_named(struct call *call, const struct logs_describe_log_groups_input *in,
                               struct logs_log_group *list, size_t *n)
{
    for (size_t i = 0; i < in->log_group_identifiers.n; i++) {
        struct str name = logs_group_name(call, in->log_group_identifiers.v[i]);
        struct logs_group g;
        if (!str_is_set(name))
            continue;
        enum err err = logs_read_group(call->txn, call_scope(call), name, &g);
        if (err == ERR_NOT_FOUND)
            continue;
        TRY(err);
        TRY(describe(call, name, &g, false, &list[(*n)++]));
    }
    return ERR_OK;
}

struct listing {
    struct call *call;
    struct str pattern; /* anywhere in the name; absent: all */
    struct logs_log_group *list;
    size_t n;
};

static enum err match_group(void *arg, struct str key, struct str record, bool *ret_match)
{
    struct listing *l = arg;
    struct str name;
    if (!str_is_set(l->pattern))
        return ERR_OK;
    TRY(key_read(&logs_k_group, key, l->call->arena, KEY_SKIP, &name));
    *ret_match = str_find_str(name, l->pattern) != SIZE_MAX;
    return ERR_OK;
}

static enum err take_group(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct str name;
    struct logs_group g;
    TRY(key_read(&logs_k_group, key, l->call->arena, KEY_SKIP, &name));
    TRY(logs_parse_group(l->call->arena, record, &g));
    return describe(l->call, name, &g, str_is_set(l->pattern), &l->list[l->n++]);
}

static enum err scan_groups(struct call *call, const struct logs_describe_log_groups_input *in,
                            struct logs_log_group *list,
                            struct logs_describe_log_groups_output *out)
{
    static const struct page_fns fns = {match_group, take_group};
    struct listing l = {.call = call, .pattern = in->log_group_name_pattern, .list = list};
    struct str prefix = in->log_group_name_prefix;
    struct page page = page_of_call(call, STR(""), in->next_token,
                                    in->has_limit ? (size_t)in->limit : LOGS_DESCRIBE_MAX);
    struct key_range range = key_range(call->arena, &logs_k_group, call_scope(call),
                                       KEY_STARTS(str_is_set(prefix) ? prefix : STR("")));
    TRY(logs_paged(call, page_scan(call->txn, &page, range, &fns, &l)));
    out->log_groups.n = l.n;
    out->next_token = page.next_token;
    return ERR_OK;
}

enum err logs_describe_log_groups(struct call *call,
                                  const struct logs_describe_log_groups_input *in,
                                  struct logs_describe_log_groups_output *out)
{
    if (str_is_set(in->log_group_name_prefix) && str_is_set(in->log_group_name_pattern))
        return call_error(call, &logs_err_invalid_parameter_exception,
                          "LogGroup name prefix and LogGroup name pattern are mutually exclusive "
                          "parameters.");
    if (in->include_linked_accounts || in->account_identifiers.v)
        return call_error(call, &logs_err_invalid_parameter_exception,
                          "Weir links no accounts; leave includeLinkedAccounts and "
                          "accountIdentifiers out.");
    if (in->log_group_identifiers.v &&
        (str_is_set(in->log_group_name_prefix) || str_is_set(in->log_group_name_pattern) ||
         str_is_set(in->log_group_class)))
        return call_error(call, &logs_err_invalid_parameter_exception,
                          "logGroupIdentifiers cannot be combined with logGroupNamePrefix, "
                          "logGroupNamePattern or logGroupClass.");
    struct logs_log_group *list =
        ARENA_ARRAY(call->arena, struct logs_log_group, LOGS_DESCRIBE_MAX);
    if (!list)
        return ERR_NOMEM;
    out->log_groups.v = list;
    /* Other accounts and other classes have no groups here. */
    if (str_is_set(in->log_group_class) && !str_eq(in->log_group_class, STR("STANDARD")))
        return ERR_OK;
    if (in->log_group_identifiers.v)
        return describe_named(call, in, list, &out->log_groups.n);
    return scan_groups(call, in, list, out);
}

/* --- list -------------------------------------------------------------------------------------- */

/* One of several texts, of which '^' begins those that begin the name. */
static bool is_listed(struct str pattern, struct str name)
{
    bool yes = !str_is_set(pattern);
    while (!yes && str_is_set(pattern)) {
        struct str one = str_cut(&pattern, '|');
        yes = str_starts(one, STR("^")) ? str_starts(name, str_sub(one, 1, SIZE_MAX))
                                        : str_find_str(name, one) != SIZE_MAX;
    }
    return yes;
}

struct summary {
    struct call *call;
    struct str pattern;
    struct logs_log_group_summary *list;
    size_t n;
};

static enum err match_summary(void *arg, struct str key, struct str record, bool *ret_match)
{
    struct summary *l = arg;
    struct str name;
    TRY(key_read(&logs_k_group, key, l->call->arena, KEY_SKIP, &name));
    *ret_match = is_listed(l->pattern, name);
    return ERR_OK;
}

static enum err take_summary(void *arg, struct str key, struct str record)
{
    struct summary *l = arg;
    struct logs_log_group_summary *s = &l->list[l->n++];
    struct str name;
    TRY(key_read(&logs_k_group, key, l->call->arena, KEY_SKIP, &name));
    s->log_group_name = name;
    s->log_group_arn = logs_group_arn(l->call, name);
    s->log_group_class = STR("STANDARD");
    return str_is_set(s->log_group_arn) ? ERR_OK : ERR_NOMEM;
}

enum err logs_list_log_groups(struct call *call, const struct logs_list_log_groups_input *in,
                              struct logs_list_log_groups_output *out)
{
    static const struct page_fns fns = {match_summary, take_summary};
    struct summary l = {.call = call, .pattern = in->log_group_name_pattern};
    if (in->include_linked_accounts || in->account_identifiers.v)
        return call_error(call, &logs_err_invalid_parameter_exception,
                          "Weir links no accounts; leave includeLinkedAccounts and "
                          "accountIdentifiers out.");
    if (in->data_sources.n > 0 || in->field_index_names.n > 0 || in->log_group_tags.n > 0)
        return call_error(call, &logs_err_invalid_parameter_exception,
                          "dataSources, fieldIndexNames and logGroupTags are not supported by "
                          "Weir.");
    size_t limit = in->has_limit ? (size_t)in->limit : LOGS_DESCRIBE_MAX;
    l.list = ARENA_ARRAY(call->arena, struct logs_log_group_summary, limit);
    if (!l.list)
        return ERR_NOMEM;
    out->log_groups.v = l.list;
    if (str_is_set(in->log_group_class) && !str_eq_c(in->log_group_class, "STANDARD"))
        return ERR_OK;
    struct str scope = str_is_set(l.pattern) ? l.pattern : STR("");
    struct page page = page_of_call(call, scope, in->next_token, limit);
    struct key_range range = key_range(call->arena, &logs_k_group, call_scope(call));
    TRY(logs_paged(call, page_scan(call->txn, &page, range, &fns, &l)));
    out->log_groups.n = l.n;
    out->next_token = page.next_token;
    return ERR_OK;
}
