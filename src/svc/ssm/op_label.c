/* LabelParameterVersion, UnlabelParameterVersion. A label that is of another version moves (SM2).
 * Layer: svc/ssm. Source: Systems Manager API Reference; User Guide, "Working with parameter labels". */
#include "svc/ssm/ssm_int.h"

/* Labels that are none, and those taken away. */
struct outcome {
    struct str *invalid, *removed;
    size_t n_invalid, n_removed;
};

static enum err begin(struct call *call, size_t n, struct outcome *ret)
{
    *ret = (struct outcome){.invalid = ARENA_ARRAY(call->arena, struct str, n + 1),
                            .removed = ARENA_ARRAY(call->arena, struct str, n + 1)};
    return ret->invalid && ret->removed ? ERR_OK : ERR_NOMEM;
}

/* The version is kept. */
static enum err need_number(struct call *call, const struct ssm_param *p, uint64_t number)
{
    if (number >= p->first && number <= p->last.number)
        return ERR_OK;
    return call_error(call, &ssm_err_parameter_version_not_found,
                      "Systems Manager could not find version %llu of " STR_FMT
                      ". Verify the version and try again.",
                      (unsigned long long)number, STR_ARG(p->name));
}

static void put(struct ssm_param *p, struct str label, uint64_t number)
{
    for (size_t i = 0; i < p->n_labels; i++) {
        if (!str_eq(p->labels[i].name, label))
            continue;
        p->labels[i].version = number;
        return;
    }
    p->labels[p->n_labels++] = (struct ssm_label){label, number};
}

/* Room for as many more labels. */
static enum err widen(struct call *call, struct ssm_param *p, size_t more)
{
    struct ssm_label *v = ARENA_ARRAY(call->arena, struct ssm_label, p->n_labels + more);
    if (!v)
        return ERR_NOMEM;
    if (p->n_labels > 0)
        memcpy(v, p->labels, p->n_labels * sizeof(*v));
    p->labels = v;
    return ERR_OK;
}

enum err ssm_label_parameter_version(struct call *call,
                                     const struct ssm_label_parameter_version_input *in,
                                     struct ssm_label_parameter_version_output *out)
{
    struct ssm_ref ref;
    struct ssm_param p;
    struct outcome o;
    TRY(ssm_need(call, in->name, &ref, &p));
    uint64_t number = in->has_parameter_version ? (uint64_t)in->parameter_version : p.last.number;
    TRY(need_number(call, &p, number));
    TRY(begin(call, in->labels.n, &o));
    TRY(widen(call, &p, in->labels.n));
    for (size_t i = 0; i < in->labels.n; i++) {
        if (ssm_label_valid(in->labels.v[i]))
            put(&p, in->labels.v[i], number);
        else
            o.invalid[o.n_invalid++] = in->labels.v[i];
    }
    if (ssm_label_count(&p, number) > SSM_VERSION_LABELS_MAX)
        return call_error(call, &ssm_err_parameter_version_label_limit_exceeded,
                          "A parameter version can have maximum %d labels. Move one or more labels "
                          "to another version and try again.",
                          SSM_VERSION_LABELS_MAX);
    out->invalid_labels.v = o.invalid;
    out->invalid_labels.n = o.n_invalid;
    WIRE_SET(out, parameter_version, (int64_t)number);
    return ssm_write(call->txn, call_scope(call), ref.path, &p);
}

/* Takes the label from the version. False: it is not of that. */
static bool drop(struct ssm_param *p, struct str label, uint64_t number)
{
    for (size_t i = 0; i < p->n_labels; i++) {
        if (!str_eq(p->labels[i].name, label) || p->labels[i].version != number)
            continue;
        p->labels[i] = p->labels[--p->n_labels];
        return true;
    }
    return false;
}

enum err ssm_unlabel_parameter_version(struct call *call,
                                       const struct ssm_unlabel_parameter_version_input *in,
                                       struct ssm_unlabel_parameter_version_output *out)
{
    struct ssm_ref ref;
    struct ssm_param p;
    struct outcome o;
    TRY(ssm_need(call, in->name, &ref, &p));
    TRY(need_number(call, &p, (uint64_t)in->parameter_version));
    TRY(begin(call, in->labels.n, &o));
    for (size_t i = 0; i < in->labels.n; i++) {
        if (drop(&p, in->labels.v[i], (uint64_t)in->parameter_version))
            o.removed[o.n_removed++] = in->labels.v[i];
        else
            o.invalid[o.n_invalid++] = in->labels.v[i];
    }
    out->removed_labels.v = o.removed;
    out->removed_labels.n = o.n_removed;
    out->invalid_labels.v = o.invalid;
    out->invalid_labels.n = o.n_invalid;
    return ssm_write(call->txn, call_scope(call), ref.path, &p);
}
