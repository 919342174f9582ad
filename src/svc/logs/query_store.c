/* Records of queries. See query.h. */
#include "svc/logs/query.h"

#include "base/record.h"
#include "deliver/job.h"

static const struct record_field query_fields[] = {
    REC_UINT(struct logs_query, uid),
    REC_STR(struct logs_query, text),
    REC_LIST(struct logs_query, groups, n_groups, LOGS_SOURCE_GROUPS_MAX, &record_str),
    REC_INT(struct logs_query, from_ms),
    REC_INT(struct logs_query, to_ms),
    REC_UINT(struct logs_query, limit),
    REC_ENUM(struct logs_query, status, LOGS_QUERY_STATUS_N),
    REC_INT(struct logs_query, created_ms),
    REC_INT(struct logs_query, started_ms),
    REC_INT(struct logs_query, ended_ms),
    REC_UINT(struct logs_query, matched),
    REC_UINT(struct logs_query, scanned),
    REC_UINT(struct logs_query, bytes),
    REC_UINT(struct logs_query, groups_scanned),
    REC_UINT(struct logs_query, n_rows),
    REC_STR(struct logs_query, sealed_for),
    REC_UINT(struct logs_query, sealed_group),
    REC_UINT(struct logs_query, data_key),
    REC_SINCE(2, REC_BOOL(struct logs_query, sourced)),
};
static const struct record_type query_type = RECORD_TYPE(struct logs_query, 2, query_fields);

static const struct record_field counts_fields[] = {
    REC_UINT(struct logs_query_counts, active),
    REC_UINT(struct logs_query_counts, kept),
};
static const struct record_type counts_type =
    RECORD_TYPE(struct logs_query_counts, 1, counts_fields);

static const struct record_field field_fields[] = {
    REC_STR(struct logs_query_field, name),
    REC_STR(struct logs_query_field, value),
};
static const struct record_type field_type = RECORD_TYPE(struct logs_query_field, 1, field_fields);

static const struct record_field row_fields[] = {
    REC_LIST(struct logs_query_row, fields, n, INSIGHTS_SLOTS_MAX, &field_type),
    REC_STR(struct logs_query_row, ptr),
};
const struct record_type logs_query_row_type = RECORD_TYPE(struct logs_query_row, 1, row_fields);

static const struct record_field ptr_fields[] = {
    REC_STR(struct logs_ptr, group),     REC_STR(struct logs_ptr, stream),
    REC_UINT(struct logs_ptr, group_id), REC_UINT(struct logs_ptr, stream_id),
    REC_INT(struct logs_ptr, timestamp), REC_UINT(struct logs_ptr, seq),
};
static const struct record_type ptr_type = RECORD_TYPE(struct logs_ptr, 1, ptr_fields);

struct str logs_query_status_name(enum logs_query_status status)
{
    static const char *const names[] = {"Scheduled", "Running",   "Complete",
                                        "Failed",    "Cancelled", "Timeout"};
    _Static_assert(ARRAY_LEN(names) == LOGS_QUERY_STATUS_N, "one a status");
    return str_c(names[status]);
}

enum err logs_query_parse(struct arena *a, struct str record, struct logs_query *ret)
{
    return record_unpack_copy(&query_type, a, record, ret);
}

enum err logs_query_read(struct txn *txn, struct key_scope scope, struct str id,
                         struct logs_query *ret)
{
    struct str record;
    TRY(txn_get(txn, key_make(txn->arena, &logs_k_query, scope, id), &record));
    return record_unpack(&query_type, txn->arena, record, ret);
}

enum err logs_query_write(struct txn *txn, struct key_scope scope, struct str id,
                          const struct logs_query *q)
{
    struct str record;
    TRY(record_make(&query_type, txn->arena, q, &record));
    return txn_put(txn, key_make(txn->arena, &logs_k_query, scope, id), record);
}

enum err logs_query_counts_read(struct txn *txn, struct key_scope scope,
                                struct logs_query_counts *ret)
{
    struct str record;
    *ret = (struct logs_query_counts){0};
    enum err err = txn_get(txn, key_make(txn->arena, &logs_k_queries, scope), &record);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    return record_unpack(&counts_type, txn->arena, record, ret);
}

enum err logs_query_counts_write(struct txn *txn, struct key_scope scope,
                                 const struct logs_query_counts *c)
{
    struct str record;
    TRY(record_make(&counts_type, txn->arena, c, &record));
    return txn_put(txn, key_make(txn->arena, &logs_k_queries, scope), record);
}

enum err logs_query_over(struct txn *txn, struct key_scope scope, struct logs_query *q,
                         enum logs_query_status status)
{
    struct logs_query_counts c;
    TRY(logs_query_counts_read(txn, scope, &c));
    if (c.active > 0)
        c.active--;
    q->status = status;
    q->ended_ms = txn->wall_ms;
    return logs_query_counts_write(txn, scope, &c);
}

enum err logs_query_job(struct logs *logs, struct txn *txn, struct key_scope scope, struct str id,
                        bool forget)
{
    struct str key = key_make(txn->arena, &logs_k_query, scope, id);
    return str_is_set(key) ? job_add(txn, logs->queries, key, forget ? STR("now") : STR(""))
                           : ERR_NOMEM;
}

enum err logs_query_row_parse(struct arena *a, struct str record, struct logs_query_row *ret)
{
    return record_unpack_copy(&logs_query_row_type, a, record, ret);
}

enum err logs_ptr_make(struct arena *a, const struct logs_ptr *p, struct str *ret)
{
    return record_make(&ptr_type, a, p, ret);
}

enum err logs_ptr_parse(struct arena *a, struct str record, struct logs_ptr *ret)
{
    return record_unpack_copy(&ptr_type, a, record, ret);
}
