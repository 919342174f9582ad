/* DeleteParameter, DeleteParameters. Layer: svc/ssm. Source: Systems Manager API Reference. */
#include "svc/ssm/ssm_int.h"

/* ERR_NOT_FOUND. A version by itself is not deleted. */
static enum err remove_named(struct call *call, struct str name)
{
    struct ssm_ref ref;
    struct ssm_param p;
    TRY(ssm_ref_parse(call_scope(call), name, &ref));
    if (str_is_set(ref.selector))
        return ERR_NOT_FOUND;
    TRY(ssm_read(call->txn, call_scope(call), ref.path, &p));
    return ssm_remove(call, ref.path, &p);
}

enum err ssm_delete_parameter(struct call *call, const struct ssm_delete_parameter_input *in,
                              struct ssm_delete_parameter_output *out)
{
    enum err err = remove_named(call, in->name);
    return err == ERR_NOT_FOUND ? call_error(call, &ssm_err_parameter_not_found,
                                             "Parameter " STR_FMT " not found.", STR_ARG(in->name))
                                : err;
}

enum err ssm_delete_parameters(struct call *call, const struct ssm_delete_parameters_input *in,
                               struct ssm_delete_parameters_output *out)
{
    struct str *deleted = ARENA_ARRAY(call->arena, struct str, in->names.n);
    struct str *invalid = ARENA_ARRAY(call->arena, struct str, in->names.n);
    if (!deleted || !invalid)
        return ERR_NOMEM;
    for (size_t i = 0; i < in->names.n; i++) {
        enum err err = remove_named(call, in->names.v[i]);
        if (err == ERR_NOT_FOUND) {
            invalid[out->invalid_parameters.n++] = in->names.v[i];
            continue;
        }
        TRY(err);
        deleted[out->deleted_parameters.n++] = in->names.v[i];
    }
    out->deleted_parameters.v = deleted;
    out->invalid_parameters.v = invalid;
    return ERR_OK;
}
