/* GetParameter, GetParameters, GetParameterHistory. Layer: svc/ssm. Source: Systems Manager API Reference. */
#include "svc/ssm/ssm_op.h"

enum err ssm_give(struct call *call, struct str path, const struct ssm_param *p,
                  const struct ssm_version *v, bool open, struct ssm_parameter *ret)
{
    ret->name = p->name;
    ret->type = ssm_type_text(v->type);
    ret->arn = ssm_arn(call->arena, call->core, call_scope(call), path);
    ret->data_type = v->data_type;
    WIRE_SET(ret, version, (int64_t)v->number);
    WIRE_SET(ret, last_modified_date, v->modified_ms);
    TRY(ssm_shown(call, path, v, open, &ret->value));
    return str_is_set(ret->arn) ? ERR_OK : ERR_NOMEM;
}

enum err ssm_give_public(struct call *call, struct str path, struct ssm_parameter *ret)
{
    TRY(ssm_public_read(call->arena, call->region, path, &ret->value));
    ret->name = str_fmt(call->arena, "/" STR_FMT, STR_ARG(path));
    ret->arn = ssm_arn(call->arena, call->core, call_scope(call), path);
    ret->type = ssm_type_text(SSM_STRING);
    ret->data_type = STR("text");
    WIRE_SET(ret, version, 1);
    return str_is_set(ret->name) && str_is_set(ret->arn) ? ERR_OK : ERR_NOMEM;
}

/* The call's error, of a parameter or a version that is not there, too. */
static enum err give_by_name(struct call *call, struct str name, bool open,
                             struct ssm_parameter *ret)
{
    struct ssm_ref ref;
    struct ssm_param p;
    struct ssm_version v;
    if (ssm_ref_parse(call_scope(call), name, &ref) == ERR_OK && ref.public &&
        (!str_is_set(ref.selector) || str_eq_c(ref.selector, "1"))) {
        enum err err = ssm_give_public(call, ref.path, ret);
        if (err != ERR_NOT_FOUND)
            return err;
    }
    TRY(ssm_need(call, name, &ref, &p));
    TRY(ssm_need_version(call, &ref, &p, &v));
    TRY(ssm_give(call, ref.path, &p, &v, open, ret));
    if (!str_is_set(ref.selector))
        return ERR_OK;
    ret->selector = str_fmt(call->arena, ":" STR_FMT, STR_ARG(ref.selector));
    return str_is_set(ret->selector) ? ERR_OK : ERR_NOMEM;
}

enum err ssm_get_parameter(struct call *call, const struct ssm_get_parameter_input *in,
                           struct ssm_get_parameter_output *out)
{
    struct ssm_parameter *shown = ARENA_NEW(call->arena, struct ssm_parameter);
    out->parameter = shown;
    return shown ? give_by_name(call, in->name, in->with_decryption, shown) : ERR_NOMEM;
}

/* What is not there, parameter or version, is told apart from what may not be opened. */
static bool is_missing(struct call *call)
{
    struct str code = call_error_code(call);
    return str_eq(code, ssm_err_parameter_not_found.code) ||
           str_eq(code, ssm_err_parameter_version_not_found.code);
}

enum err ssm_get_parameters(struct call *call, const struct ssm_get_parameters_input *in,
                            struct ssm_get_parameters_output *out)
{
    struct ssm_parameter *v = ARENA_ARRAY(call->arena, struct ssm_parameter, in->names.n);
    struct str *invalid = ARENA_ARRAY(call->arena, struct str, in->names.n);
    if (!v || !invalid)
        return ERR_NOMEM;
    for (size_t i = 0; i < in->names.n; i++) {
        enum err err =
            give_by_name(call, in->names.v[i], in->with_decryption, &v[out->parameters.n]);
        if (err == ERR_FAILED && is_missing(call)) {
            call_error_clear(call);
            invalid[out->invalid_parameters.n++] = in->names.v[i];
            continue;
        }
        TRY(err);
        out->parameters.n++;
    }
    out->parameters.v = v;
    out->invalid_parameters.v = invalid;
    return ERR_OK;
}

/* --- history -------------------------------------------------------------------------------------- */

static enum err give_labels(struct call *call, const struct ssm_param *p, uint64_t number,
                            struct ssm_parameter_label_list *ret)
{
    struct str *v = ARENA_ARRAY(call->arena, struct str, ssm_label_count(p, number) + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < p->n_labels; i++)
        if (p->labels[i].version == number)
            v[ret->n++] = p->labels[i].name;
    ret->v = v;
    return ERR_OK;
}

static enum err give_past(struct call *call, const struct ssm_ref *ref, const struct ssm_param *p,
                          uint64_t number, bool open, struct ssm_parameter_history *ret)
{
    struct ssm_version v;
    TRY(ssm_version_read(call->txn, call_scope(call), ref->path, p, number, &v));
    ret->name = p->name;
    ret->type = ssm_type_text(v.type);
    ret->key_id = v.key_id;
    ret->last_modified_user = v.user;
    ret->description = v.description;
    ret->allowed_pattern = v.pattern;
    ret->tier = ssm_tier_text(v.tier);
    ret->data_type = v.data_type;
    WIRE_SET(ret, version, (int64_t)v.number);
    WIRE_SET(ret, last_modified_date, v.modified_ms);
    TRY(give_labels(call, p, number, &ret->labels));
    return ssm_shown(call, ref->path, &v, open, &ret->value);
}

/* A page's position is the number of its last version. */
enum err ssm_get_parameter_history(struct call *call,
                                   const struct ssm_get_parameter_history_input *in,
                                   struct ssm_get_parameter_history_output *out)
{
    struct ssm_ref ref;
    struct ssm_param p;
    struct str after;
    uint64_t number = 0;
    TRY(ssm_need(call, in->name, &ref, &p));
    struct page page = page_of_call(call, ref.path, in->next_token,
                                    in->has_max_results ? (size_t)in->max_results : SSM_PAGE);
    TRY(ssm_paged(call, page_start(&page, &after)));
    if (str_is_set(after) && str_to_u64(after, &number) != ERR_OK)
        return ssm_paged(call, ERR_INVALID);
    struct ssm_parameter_history *v =
        ARENA_ARRAY(call->arena, struct ssm_parameter_history, page.limit);
    if (!v)
        return ERR_NOMEM;
    if (number + 1 < p.first)
        number = p.first - 1;
    for (; number < p.last.number && out->parameters.n < page.limit; out->parameters.n++)
        TRY(give_past(call, &ref, &p, ++number, in->with_decryption, &v[out->parameters.n]));
    out->parameters.v = v;
    if (number < p.last.number) {
        struct str last = str_fmt(call->arena, "%llu", (unsigned long long)number);
        if (!str_is_set(last))
            return ERR_NOMEM;
        TRY(page_end(&page, last));
    }
    out->next_token = page.next_token;
    return ERR_OK;
}
