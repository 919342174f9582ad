/* CreateRepository, DescribeRepositories, DeleteRepository, PutImageTagMutability,
 * PutImageScanningConfiguration. Layer: svc/ecr. Source: Amazon ECR API Reference. */
#include "svc/ecr/ecr_int.h"

/* --- showing -------------------------------------------------------------------------------------- */

static enum err give_filters(struct arena *a, const struct ecr_record *r,
                             struct ecr_image_tag_mutability_exclusion_filters *ret)
{
    struct ecr_image_tag_mutability_exclusion_filter *v =
        ARENA_ARRAY(a, struct ecr_image_tag_mutability_exclusion_filter, r->n_filters + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < r->n_filters; i++)
        v[i] = (struct ecr_image_tag_mutability_exclusion_filter){r->filters[i].type,
                                                                  r->filters[i].filter};
    *ret = (struct ecr_image_tag_mutability_exclusion_filters){v, r->n_filters};
    return ERR_OK;
}

static enum err give_scanning(struct arena *a, const struct ecr_record *r,
                              const struct ecr_image_scanning_configuration **ret)
{
    struct ecr_image_scanning_configuration *scanning =
        ARENA_NEW(a, struct ecr_image_scanning_configuration);
    if (!scanning)
        return ERR_NOMEM;
    WIRE_SET(scanning, scan_on_push, r->scan_on_push);
    *ret = scanning;
    return ERR_OK;
}

static enum err give(struct call *call, struct str name, const struct ecr_record *r,
                     struct ecr_repository *ret)
{
    struct ecr_encryption_configuration *encryption =
        ARENA_NEW(call->arena, struct ecr_encryption_configuration);
    if (!encryption)
        return ERR_NOMEM;
    *encryption = (struct ecr_encryption_configuration){r->encryption, r->kms_key};
    ret->repository_arn = ecr_arn(call, name);
    ret->registry_id = call->account;
    ret->repository_name = name;
    ret->repository_uri =
        str_fmt(call->arena, STR_FMT ".dkr.ecr." STR_FMT ".amazonaws.com/" STR_FMT,
                STR_ARG(call->account), STR_ARG(call->region), STR_ARG(name));
    ret->image_tag_mutability = r->mutability;
    ret->encryption_configuration = encryption;
    WIRE_SET(ret, created_at, r->created_ms);
    TRY(give_scanning(call->arena, r, &ret->image_scanning_configuration));
    TRY(give_filters(call->arena, r, &ret->image_tag_mutability_exclusion_filters));
    return str_is_set(ret->repository_arn) && str_is_set(ret->repository_uri) ? ERR_OK : ERR_NOMEM;
}

static enum err give_new(struct call *call, struct str name, const struct ecr_record *r,
                         const struct ecr_repository **ret)
{
    struct ecr_repository *v = ARENA_NEW(call->arena, struct ecr_repository);
    if (!v)
        return ERR_NOMEM;
    *ret = v;
    return give(call, name, r, v);
}

/* --- taking --------------------------------------------------------------------------------------- */

static enum err take_mutability(struct call *call, struct str mutability,
                                struct ecr_image_tag_mutability_exclusion_filters filters,
                                struct ecr_record *r)
{
    r->mutability = str_is_set(mutability) ? mutability : STR("MUTABLE");
    if (str_ends(r->mutability, STR("_WITH_EXCLUSION")) != (filters.n > 0))
        return ECR_INVALID(call,
                           "Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to "
                           "satisfy constraint: 'must be given with imageTagMutability "
                           "IMMUTABLE_WITH_EXCLUSION or MUTABLE_WITH_EXCLUSION, and only then'");
    r->filters = ARENA_ARRAY(call->arena, struct ecr_filter, filters.n + 1);
    if (!r->filters)
        return ERR_NOMEM;
    for (size_t i = 0; i < filters.n; i++)
        r->filters[i] = (struct ecr_filter){filters.v[i].filter_type, filters.v[i].filter};
    r->n_filters = filters.n;
    return ERR_OK;
}

static enum err take_encryption(struct call *call, const struct ecr_encryption_configuration *in,
                                struct ecr_record *r)
{
    r->encryption = in ? in->encryption_type : STR("AES256");
    r->kms_key = in ? in->kms_key : STR_NONE;
    if (str_is_set(r->kms_key) && str_eq_c(r->encryption, "AES256"))
        return ECR_INVALID(call, "Invalid parameter at 'encryptionConfiguration' failed to satisfy "
                                 "constraint: 'kmsKey is for the encryption types of KMS'");
    if (str_is_set(r->kms_key) || str_eq_c(r->encryption, "AES256"))
        return ERR_OK;
    r->kms_key = call_arn(call, "kms", "alias/aws/ecr");
    return str_is_set(r->kms_key) ? ERR_OK : ERR_NOMEM;
}

enum err ecr_create_repository(struct call *call, const struct ecr_create_repository_input *in,
                               struct ecr_create_repository_output *out)
{
    struct ecr_record r;
    if (str_is_set(in->registry_id) && !str_eq(in->registry_id, call->account))
        return ECR_INVALID(call, "Invalid parameter at 'registryId' failed to satisfy constraint: "
                                 "'must be the caller's account'");
    enum err err = ecr_read(call->txn, call_scope(call), in->repository_name, &r);
    if (err == ERR_OK)
        return call_error(call, &ecr_err_repository_already_exists_exception,
                          "The repository with name '" STR_FMT
                          "' already exists in the registry with id '" STR_FMT "'",
                          STR_ARG(in->repository_name), STR_ARG(call->account));
    if (err != ERR_NOT_FOUND)
        return err;
    r = (struct ecr_record){.created_ms = call->txn->wall_ms};
    TRY(take_mutability(call, in->image_tag_mutability, in->image_tag_mutability_exclusion_filters,
                        &r));
    TRY(take_encryption(call, in->encryption_configuration, &r));
    r.scan_on_push =
        in->image_scanning_configuration && in->image_scanning_configuration->scan_on_push;
    struct tags_resource resource = {.arn = ecr_arn(call, in->repository_name)};
    if (!str_is_set(resource.arn))
        return ERR_NOMEM;
    TRY(tags_op_create(call, &ecr_tags, &resource, TAGS_FROM(in->tags)));
    TRY(give_new(call, in->repository_name, &r, &out->repository));
    return ecr_write(call, in->repository_name, &r);
}

enum err ecr_delete_repository(struct call *call, const struct ecr_delete_repository_input *in,
                               struct ecr_delete_repository_output *out)
{
    struct ecr_record r;
    TRY(ecr_need(call, in->registry_id, in->repository_name, &r));
    TRY(give_new(call, in->repository_name, &r, &out->repository));
    TRY(tags_drop(call->txn, out->repository->repository_arn));
    return txn_del(call->txn,
                   key_make(call->arena, &ecr_k_repository, call_scope(call), in->repository_name));
}

enum err ecr_put_image_tag_mutability(struct call *call,
                                      const struct ecr_put_image_tag_mutability_input *in,
                                      struct ecr_put_image_tag_mutability_output *out)
{
    struct ecr_record r;
    TRY(ecr_need(call, in->registry_id, in->repository_name, &r));
    TRY(take_mutability(call, in->image_tag_mutability, in->image_tag_mutability_exclusion_filters,
                        &r));
    out->registry_id = call->account;
    out->repository_name = in->repository_name;
    out->image_tag_mutability = r.mutability;
    TRY(give_filters(call->arena, &r, &out->image_tag_mutability_exclusion_filters));
    return ecr_write(call, in->repository_name, &r);
}

enum err
ecr_put_image_scanning_configuration(struct call *call,
                                     const struct ecr_put_image_scanning_configuration_input *in,
                                     struct ecr_put_image_scanning_configuration_output *out)
{
    struct ecr_record r;
    TRY(ecr_need(call, in->registry_id, in->repository_name, &r));
    r.scan_on_push = in->image_scanning_configuration->scan_on_push;
    out->registry_id = call->account;
    out->repository_name = in->repository_name;
    TRY(give_scanning(call->arena, &r, &out->image_scanning_configuration));
    return ecr_write(call, in->repository_name, &r);
}

/* --- listing -------------------------------------------------------------------------------------- */

struct listing {
    struct call *call;
    struct ecr_repository *v;
    size_t n;
};

static enum err take(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct ecr_record r = {0};
    struct str name;
    TRY(key_read(&ecr_k_repository, key, l->call->arena, KEY_SKIP, &name));
    TRY(ecr_parse(l->call->arena, record, &r));
    return give(l->call, name, &r, &l->v[l->n++]);
}

static enum err describe_named(struct listing *l, const struct ecr_describe_repositories_input *in)
{
    for (size_t i = 0; i < in->repository_names.n; i++) {
        struct ecr_record r;
        TRY(ecr_need(l->call, in->registry_id, in->repository_names.v[i], &r));
        TRY(give(l->call, in->repository_names.v[i], &r, &l->v[l->n++]));
    }
    return ERR_OK;
}

enum err ecr_describe_repositories(struct call *call,
                                   const struct ecr_describe_repositories_input *in,
                                   struct ecr_describe_repositories_output *out)
{
    static const struct page_fns fns = {NULL, take};
    struct listing l = {.call = call};
    bool named = in->repository_names.n > 0;
    bool own = !str_is_set(in->registry_id) || str_eq(in->registry_id, call->account);
    if (named && (in->has_max_results || str_is_set(in->next_token)))
        return ECR_INVALID(call, "Invalid parameter at 'repositoryNames' failed to satisfy "
                                 "constraint: 'cannot be given with maxResults or nextToken'");
    size_t limit = in->has_max_results ? (size_t)in->max_results : ECR_PAGE;
    l.v = ARENA_ARRAY(call->arena, struct ecr_repository, named ? in->repository_names.n : limit);
    if (!l.v)
        return ERR_NOMEM;
    struct page page = page_of_call(call, STR(""), in->next_token, limit);
    struct key_range range = key_range(call->arena, &ecr_k_repository, call_scope(call));
    if (named)
        TRY(describe_named(&l, in));
    else if (own) /* another account's has none that are shown here */
        TRY(ecr_paged(call, page_scan(call->txn, &page, range, &fns, &l)));
    out->repositories.v = l.v;
    out->repositories.n = l.n;
    out->next_token = page.next_token;
    return ERR_OK;
}
