/* The service as a whole, and the permissions that its spec cannot say. Layer: svc/ecr. Thread: see
 * core/svc.h. */
#include "svc/ecr/ecr.h"

#include "svc/ecr/ecr_int.h"

/* It keeps nothing in memory. */
static enum err make(struct core *core, void **ret_self)
{
    *ret_self = core;
    return ERR_OK;
}

/* DescribeRepositories: of each that is named, or of all. */
static enum err authorize_more(struct call *call, const void *in_)
{
    static const struct str all = STR_INIT("*");
    static const struct ecr_describe_repositories_input nothing = {0};
    const struct ecr_describe_repositories_input *in = in_ ? in_ : &nothing;
    if (call->op->index != ECR_OP_DESCRIBE_REPOSITORIES)
        return ERR_OK;
    size_t n = in->repository_names.n;
    for (size_t i = 0; i < n || (n == 0 && i == 0); i++) {
        struct str arn = ecr_arn(call, n > 0 ? in->repository_names.v[i] : all);
        if (!str_is_set(arn))
            return ERR_NOMEM;
        TRY(call_authorize(call, "ecr:DescribeRepositories", arn));
    }
    return ERR_OK;
}

const struct svc_def ecr_def = {
    .wire = &ecr_service,
    .make = make,
    .resource_policy = ecr_resource_policy,
    .authorize_more = authorize_more,
    .tags = &ecr_tags,
};
