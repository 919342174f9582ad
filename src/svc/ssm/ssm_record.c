/* Records of parameters and of their versions. Layer: svc/ssm. Thread: the transaction's. */
#include <assert.h>

#include "svc/ssm/ssm_int.h"

static const struct record_field version_fields[] = {
    REC_UINT(struct ssm_version, number),
    REC_ENUM(struct ssm_version, type, SSM_TYPES),
    REC_ENUM(struct ssm_version, tier, SSM_TIERS),
    REC_STR(struct ssm_version, value),
    REC_STR(struct ssm_version, data_key),
    REC_STR(struct ssm_version, key_id),
    REC_STR(struct ssm_version, user),
    REC_STR(struct ssm_version, description),
    REC_STR(struct ssm_version, pattern),
    REC_STR(struct ssm_version, data_type),
    REC_INT(struct ssm_version, modified_ms),
};
static const struct record_type version_type = RECORD_TYPE(struct ssm_version, 1, version_fields);

static const struct record_field label_fields[] = {
    REC_STR(struct ssm_label, name),
    REC_UINT(struct ssm_label, version),
};
static const struct record_type label_type = RECORD_TYPE(struct ssm_label, 1, label_fields);

static const struct record_field param_fields[] = {
    REC_STR(struct ssm_param, name),
    REC_UINT(struct ssm_param, first),
    REC_LIST(struct ssm_param, labels, n_labels, SSM_LABELS_MAX, &label_type),
    REC_STRUCT(struct ssm_param, last, &version_type),
};
static const struct record_type param_type = RECORD_TYPE(struct ssm_param, 1, param_fields);

enum err ssm_parse(struct arena *a, struct str record, struct ssm_param *ret)
{
    return record_unpack_copy(&param_type, a, record, ret);
}

enum err ssm_read(struct txn *txn, struct key_scope scope, struct str path, struct ssm_param *ret)
{
    struct str record;
    *ret = (struct ssm_param){0};
    TRY(txn_get(txn, key_make(txn->arena, &ssm_k_parameter, scope, path), &record));
    return record_unpack(&param_type, txn->arena, record, ret);
}

enum err ssm_write(struct txn *txn, struct key_scope scope, struct str path,
                   const struct ssm_param *p)
{
    struct str record;
    assert(p->first >= 1 && p->first <= p->last.number);
    assert(p->last.number - p->first < SSM_VERSIONS_MAX);
    TRY(record_make(&param_type, txn->arena, p, &record));
    return txn_put(txn, key_make(txn->arena, &ssm_k_parameter, scope, path), record);
}

static struct str version_key(struct txn *txn, struct key_scope scope, struct str path,
                              uint64_t number)
{
    return key_make(txn->arena, &ssm_k_version, scope, path, number);
}

enum err ssm_version_keep(struct txn *txn, struct key_scope scope, struct str path,
                          const struct ssm_version *v)
{
    struct str record;
    TRY(record_make(&version_type, txn->arena, v, &record));
    return txn_put(txn, version_key(txn, scope, path, v->number), record);
}

enum err ssm_version_drop(struct txn *txn, struct key_scope scope, struct str path, uint64_t number)
{
    return txn_del(txn, version_key(txn, scope, path, number));
}

enum err ssm_version_read(struct txn *txn, struct key_scope scope, struct str path,
                          const struct ssm_param *p, uint64_t number, struct ssm_version *ret)
{
    struct str record;
    if (number == p->last.number) {
        *ret = p->last;
        return ERR_OK;
    }
    *ret = (struct ssm_version){0};
    TRY(txn_get(txn, version_key(txn, scope, path, number), &record));
    return record_unpack(&version_type, txn->arena, record, ret);
}

uint64_t ssm_label_version(const struct ssm_param *p, struct str label)
{
    for (size_t i = 0; i < p->n_labels; i++)
        if (str_eq(p->labels[i].name, label))
            return p->labels[i].version;
    return 0;
}

size_t ssm_label_count(const struct ssm_param *p, uint64_t version)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n_labels; i++)
        n += p->labels[i].version == version;
    return n;
}

enum err ssm_remove(struct call *call, struct str path, const struct ssm_param *p)
{
    struct key_scope scope = call_scope(call);
    struct str arn = ssm_arn(call->arena, call->core, scope, path);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    for (uint64_t n = p->first; n < p->last.number; n++)
        TRY(ssm_version_drop(call->txn, scope, path, n));
    TRY(tags_drop(call->txn, arn));
    return txn_del(call->txn, key_make(call->arena, &ssm_k_parameter, scope, path));
}

/* --- for operations ------------------------------------------------------------------------------- */

enum err ssm_need(struct call *call, struct str text, struct ssm_ref *ret_ref,
                  struct ssm_param *ret)
{
    enum err err = ssm_ref_parse(call_scope(call), text, ret_ref);
    if (err == ERR_OK)
        err = ssm_read(call->txn, call_scope(call), ret_ref->path, ret);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &ssm_err_parameter_not_found, "Parameter " STR_FMT " not found.",
                          STR_ARG(text));
    return err;
}

enum err ssm_need_version(struct call *call, const struct ssm_ref *ref, const struct ssm_param *p,
                          struct ssm_version *ret)
{
    uint64_t number;
    if (!str_is_set(ref->selector)) {
        *ret = p->last;
        return ERR_OK;
    }
    bool by_number = str_to_u64(ref->selector, &number) == ERR_OK;
    if (!by_number)
        number = ssm_label_version(p, ref->selector);
    enum err err = ssm_version_read(call->txn, call_scope(call), ref->path, p, number, ret);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &ssm_err_parameter_version_not_found,
                          "Systems Manager could not find %s " STR_FMT " of " STR_FMT
                          ". Verify the %s and try again.",
                          by_number ? "version" : "label", STR_ARG(ref->selector), STR_ARG(p->name),
                          by_number ? "version" : "label");
    return err;
}

enum err ssm_paged(struct call *call, enum err err)
{
    return err == ERR_INVALID
               ? call_error(call, &ssm_err_invalid_next_token, "The specified token isn't valid.")
               : err;
}
