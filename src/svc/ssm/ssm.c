/* The service as a whole, and the permissions that its spec cannot say. Layer: svc/ssm. Thread: see
 * core/svc.h. */
#include "svc/ssm/ssm.h"

#include "svc/ssm/ssm_int.h"

/* It keeps nothing in memory. */
static enum err make(struct core *core, void **ret_self)
{
    *ret_self = core;
    return ERR_OK;
}

/* The ARN of what a request calls by name or by ARN, with or without a selector. */
static enum err arn_of(struct call *call, struct str text, struct str *ret)
{
    struct ssm_ref ref;
    struct str path = text;
    if (ssm_ref_parse(call_scope(call), text, &ref) == ERR_OK)
        path = ref.path;
    while (str_ends(path, STR("/")))
        path.len--;
    *ret = arn_is(path) ? path : ssm_arn(call->arena, call->core, call_scope(call), path);
    return str_is_set(*ret) ? ERR_OK : ERR_NOMEM;
}

static enum err real_resource(struct call *call, struct str *resource)
{
    static const struct str mark = STR_INIT(":parameter/");
    size_t at = str_find_str(*resource, mark);
    if (at == SIZE_MAX)
        return ERR_OK;
    return arn_of(call, str_sub(*resource, at + mark.len, SIZE_MAX), resource);
}

/* Of each parameter of a list. */
static enum err authorize_each(struct call *call, const char *action,
                               struct ssm_parameter_name_list names)
{
    for (size_t i = 0; i < names.n; i++) {
        struct str arn;
        TRY(arn_of(call, names.v[i], &arn));
        TRY(call_authorize(call, action, arn));
    }
    return ERR_OK;
}

static enum err authorize_more(struct call *call, const void *in)
{
    switch (call->op->index) {
    case SSM_OP_GET_PARAMETERS:
        return authorize_each(call, "ssm:GetParameters",
                              ((const struct ssm_get_parameters_input *)in)->names);
    case SSM_OP_DELETE_PARAMETERS:
        return authorize_each(call, "ssm:DeleteParameters",
                              ((const struct ssm_delete_parameters_input *)in)->names);
    default:
        return ERR_OK;
    }
}

const struct svc_def ssm_def = {
    .wire = &ssm_service,
    .make = make,
    .tags = &ssm_tags,
    .real_resource = real_resource,
    .authorize_more = authorize_more,
};
