/* Records of repositories. Layer: svc/ecr. Thread: the transaction's. */
#include <assert.h>

#include "svc/ecr/ecr_int.h"

static const struct record_field filter_fields[] = {
    REC_STR(struct ecr_filter, type),
    REC_STR(struct ecr_filter, filter),
};
static const struct record_type filter_type = RECORD_TYPE(struct ecr_filter, 1, filter_fields);

static const struct record_field fields[] = {
    REC_INT(struct ecr_record, created_ms),
    REC_STR(struct ecr_record, mutability),
    REC_LIST(struct ecr_record, filters, n_filters, ECR_FILTERS_MAX, &filter_type),
    REC_BOOL(struct ecr_record, scan_on_push),
    REC_STR(struct ecr_record, encryption),
    REC_STR(struct ecr_record, kms_key),
    REC_STR(struct ecr_record, policy),
    REC_STR(struct ecr_record, lifecycle),
    REC_INT(struct ecr_record, lifecycle_ms),
};
static const struct record_type type = RECORD_TYPE(struct ecr_record, 1, fields);

enum err ecr_parse(struct arena *a, struct str record, struct ecr_record *ret)
{
    return record_unpack_copy(&type, a, record, ret);
}

enum err ecr_read(struct txn *txn, struct key_scope scope, struct str name, struct ecr_record *ret)
{
    struct str record;
    *ret = (struct ecr_record){0};
    TRY(txn_get(txn, key_make(txn->arena, &ecr_k_repository, scope, name), &record));
    return record_unpack(&type, txn->arena, record, ret);
}

enum err ecr_write(struct call *call, struct str name, const struct ecr_record *r)
{
    struct str record;
    assert(str_is_set(r->mutability) && str_is_set(r->encryption));
    TRY(record_make(&type, call->arena, r, &record));
    return txn_put(call->txn, key_make(call->arena, &ecr_k_repository, call_scope(call), name),
                   record);
}

struct str ecr_arn(struct call *call, struct str name)
{
    return call_arn(call, "ecr", "repository/" STR_FMT, STR_ARG(name));
}

enum err ecr_need(struct call *call, struct str registry, struct str name, struct ecr_record *ret)
{
    bool own = !str_is_set(registry) || str_eq(registry, call->account);
    enum err err = own ? ecr_read(call->txn, call_scope(call), name, ret) : ERR_NOT_FOUND;
    if (err == ERR_NOT_FOUND)
        return call_error(call, &ecr_err_repository_not_found_exception,
                          "The repository with name '" STR_FMT
                          "' does not exist in the registry with id '" STR_FMT "'",
                          STR_ARG(name), STR_ARG(own ? call->account : registry));
    return err;
}

enum err ecr_paged(struct call *call, enum err err)
{
    return err == ERR_INVALID
               ? ECR_INVALID(call, "Invalid parameter at 'nextToken' failed to satisfy constraint: "
                                   "'must be a token of an earlier page'")
               : err;
}
