/* ListImages, DescribeImages: a repository here has none. Layer: svc/ecr. Source: Amazon ECR API
 * Reference. */
#include "svc/ecr/ecr_int.h"

/* No page has a next one, so no token is one of ours. */
static enum err refuse_token(struct call *call, struct str token)
{
    return str_is_set(token) ? ecr_paged(call, ERR_INVALID) : ERR_OK;
}

enum err ecr_list_images(struct call *call, const struct ecr_list_images_input *in,
                         struct ecr_list_images_output *out)
{
    static const struct ecr_image_identifier none[1];
    struct ecr_record r;
    TRY(ecr_need(call, in->registry_id, in->repository_name, &r));
    out->image_ids.v = none;
    return refuse_token(call, in->next_token);
}

enum err ecr_describe_images(struct call *call, const struct ecr_describe_images_input *in,
                             struct ecr_describe_images_output *out)
{
    static const struct ecr_image_detail none[1];
    struct ecr_record r;
    TRY(ecr_need(call, in->registry_id, in->repository_name, &r));
    if (in->image_ids.n > 0) {
        const struct ecr_image_identifier *id = &in->image_ids.v[0];
        return call_error(call, &ecr_err_image_not_found_exception,
                          "The image with imageId {imageDigest:'" STR_FMT "', imageTag:'" STR_FMT
                          "'} does not exist within the repository with name '" STR_FMT
                          "' in the registry with id '" STR_FMT "'",
                          STR_ARG(str_is_set(id->image_digest) ? id->image_digest : STR("null")),
                          STR_ARG(str_is_set(id->image_tag) ? id->image_tag : STR("null")),
                          STR_ARG(in->repository_name), STR_ARG(call->account));
    }
    out->image_details.v = none;
    return refuse_token(call, in->next_token);
}
