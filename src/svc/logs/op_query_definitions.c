/* PutQueryDefinition, DescribeQueryDefinitions, DeleteQueryDefinition. A definition is kept as it was told:
 * its query is parsed when somebody runs it, as on AWS. Layer: svc/logs. Source: CloudWatch Logs API Reference. */
#include "base/record.h"
#include "base/rng.h"
#include "svc/logs/query.h"

#define INVALID(call, ...) call_error((call), &logs_err_invalid_parameter_exception, __VA_ARGS__)

enum { DEFINITIONS_MAX = 1000 };

struct definition {
    struct str name, text;
    struct str *groups;
    size_t n_groups;
    int64_t changed_ms;
    struct str token; /* of the client, where one was given */
};

static const struct record_field definition_fields[] = {
    REC_STR(struct definition, name),
    REC_STR(struct definition, text),
    REC_LIST(struct definition, groups, n_groups, LOGS_QUERY_GROUPS_MAX, &record_str),
    REC_INT(struct definition, changed_ms),
    REC_STR(struct definition, token),
};
static const struct record_type definition_type =
    RECORD_TYPE(struct definition, 1, definition_fields);

struct looking {
    struct call *call;
    struct str token; /* absent: none is looked for */
    struct str found; /* id of the one that came with the token */
    size_t n;
};

static enum err look(void *arg, struct str key, struct str record)
{
    struct looking *l = arg;
    struct arena *a = l->call->arena;
    struct key_scope scope;
    struct definition d;
    l->n++;
    if (!str_is_set(l->token) || str_is_set(l->found))
        return ERR_OK;
    TRY(record_unpack_copy(&definition_type, a, record, &d));
    if (str_is_set(d.token) && str_eq(d.token, l->token))
        TRY(key_read(&logs_k_definition, key, a, &scope, &l->found));
    return ERR_OK;
}

static enum err check(struct call *call, const struct logs_put_query_definition_input *in)
{
    if (str_is_set(in->query_language) && !str_eq_c(in->query_language, "CWLI"))
        return INVALID(call, "Only the query language CWLI is supported by Weir.");
    if (in->parameters.n > 0)
        return INVALID(call, "Parameters of query definitions are not supported by Weir.");
    if (in->log_group_names.n > LOGS_QUERY_GROUPS_MAX)
        return INVALID(call, "A query can have at most %d log groups.", LOGS_QUERY_GROUPS_MAX);
    return ERR_OK;
}

/* The id of what is put: the one that is named, was made with the same token, or a new one. */
static enum err choose_id(struct call *call, const struct logs_put_query_definition_input *in,
                          struct str *ret_id)
{
    char uuid[RNG_UUID_LEN + 1];
    struct looking l = {.call = call, .token = in->client_token};
    struct key_scope scope = call_scope(call);
    struct str record;
    if (str_is_set(in->query_definition_id)) {
        *ret_id = in->query_definition_id;
        enum err err =
            txn_get(call->txn, key_make(call->arena, &logs_k_definition, scope, *ret_id), &record);
        if (err == ERR_NOT_FOUND)
            return call_error(call, &logs_err_resource_not_found_exception,
                              "The specified query definition does not exist.");
        return err;
    }
    TRY(txn_each(call->txn, key_range(call->arena, &logs_k_definition, scope), look, &l));
    if (!str_is_set(l.found) && l.n >= DEFINITIONS_MAX)
        return call_error(call, &logs_err_limit_exceeded_exception, "Resource limit exceeded.");
    *ret_id = str_is_set(l.found) ? l.found : str_dup(call->arena, rng_uuid(uuid));
    return str_is_set(*ret_id) ? ERR_OK : ERR_NOMEM;
}

enum err logs_put_query_definition(struct call *call,
                                   const struct logs_put_query_definition_input *in,
                                   struct logs_put_query_definition_output *out)
{
    struct str record;
    const struct definition d = {
        .name = in->name,
        .text = in->query_string,
        .groups = (struct str *)in->log_group_names.v,
        .n_groups = in->log_group_names.n,
        .changed_ms = call->txn->wall_ms,
        .token = in->client_token,
    };
    TRY(check(call, in));
    TRY(choose_id(call, in, &out->query_definition_id));
    TRY(record_make(&definition_type, call->arena, &d, &record));
    return txn_put(
        call->txn,
        key_make(call->arena, &logs_k_definition, call_scope(call), out->query_definition_id),
        record);
}

enum err logs_delete_query_definition(struct call *call,
                                      const struct logs_delete_query_definition_input *in,
                                      struct logs_delete_query_definition_output *out)
{
    struct str record,
        key = key_make(call->arena, &logs_k_definition, call_scope(call), in->query_definition_id);
    enum err err = txn_get(call->txn, key, &record);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &logs_err_resource_not_found_exception,
                          "The specified query definition does not exist.");
    TRY(err);
    WIRE_SET(out, success, true);
    return txn_del(call->txn, key);
}

struct listing {
    struct call *call;
    struct str prefix;
    struct logs_query_definition *v;
    size_t n;
};

static enum err match(void *arg, struct str key, struct str record, bool *ret_match)
{
    struct listing *l = arg;
    struct definition d;
    TRY(record_unpack_copy(&definition_type, l->call->arena, record, &d));
    *ret_match = str_starts(d.name, l->prefix);
    return ERR_OK;
}

static enum err take(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct logs_query_definition *q = &l->v[l->n++];
    struct key_scope scope;
    struct definition d;
    TRY(record_unpack_copy(&definition_type, l->call->arena, record, &d));
    TRY(key_read(&logs_k_definition, key, l->call->arena, &scope, &q->query_definition_id));
    q->query_language = STR("CWLI");
    q->name = d.name;
    q->query_string = d.text;
    q->log_group_names = (struct logs_log_group_names){d.groups, d.n_groups};
    WIRE_SET(q, last_modified, d.changed_ms);
    return ERR_OK;
}

enum err logs_describe_query_definitions(struct call *call,
                                         const struct logs_describe_query_definitions_input *in,
                                         struct logs_describe_query_definitions_output *out)
{
    static const struct page_fns fns = {match, take};
    struct str prefix = in->query_definition_name_prefix;
    struct listing l = {.call = call, .prefix = str_is_set(prefix) ? prefix : STR("")};
    size_t limit = in->has_max_results ? (size_t)in->max_results : DEFINITIONS_MAX;
    l.v = ARENA_ARRAY(call->arena, struct logs_query_definition, limit);
    if (!l.v)
        return ERR_NOMEM;
    out->query_definitions.v = l.v;
    /* Of other languages there are none. */
    if (str_is_set(in->query_language) && !str_eq_c(in->query_language, "CWLI"))
        return ERR_OK;
    struct page page = page_of_call(call, l.prefix, in->next_token, limit);
    struct key_range range = key_range(call->arena, &logs_k_definition, call_scope(call));
    TRY(logs_paged(call, page_scan(call->txn, &page, range, &fns, &l)));
    out->query_definitions.n = l.n;
    out->next_token = page.next_token;
    return ERR_OK;
}
