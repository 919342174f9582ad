/* CreateFunction, UpdateFunctionCode, UpdateFunctionConfiguration, DeleteFunction.
 *
 * Layer: svc. Thread: the call's. */
#include "base/rng.h"
#include "svc/lambda/lambda_int.h"

enum { TIMEOUT_DEFAULT_S = 3, MEMORY_DEFAULT_MB = 128, EPHEMERAL_DEFAULT_MB = 512 };

/* These outputs are one shape of the model, FunctionConfiguration, under several names. */
_Static_assert(sizeof(struct lambda_create_function_output) ==
                       sizeof(struct lambda_function_configuration) &&
                   sizeof(struct lambda_update_function_code_output) ==
                       sizeof(struct lambda_function_configuration) &&
                   sizeof(struct lambda_update_function_configuration_output) ==
                       sizeof(struct lambda_function_configuration),
               "one shape");

enum stage { AS_IT_IS, BEING_MADE, BEING_CHANGED };

/* Whoever makes or changes a function is told how it stood while that was done, under a revision of
 * that moment. When the answer leaves, it is done, so that a waiter's first look finds it Active. */
static enum err answer(struct call *call, const struct lambda_fn *fn, enum stage stage,
                       bool qualified, void *out)
{
    const struct str why = STR("The function is being created."), code = STR("Creating");
    struct lambda_function_configuration conf = {0};
    char id[RNG_UUID_LEN + 1];
    TRY(lambda_configuration_fill(call, fn, qualified, &conf));
    if (stage != AS_IT_IS)
        conf.revision_id = str_dup(call->arena, rng_uuid(id));
    if (stage == BEING_MADE) {
        conf.state = STR("Pending");
        conf.state_reason = why;
        conf.state_reason_code = code;
        conf.last_update_status = STR_NONE;
    } else if (stage == BEING_CHANGED) {
        conf.last_update_status = STR("InProgress");
        conf.last_update_status_reason = why;
        conf.last_update_status_reason_code = code;
    }
    memcpy(out, &conf, sizeof(conf));
    return str_is_set(conf.revision_id) ? ERR_OK : ERR_NOMEM;
}

static enum err check_revision(struct call *call, struct str wanted, struct str have)
{
    if (!str_is_set(wanted) || str_eq(wanted, have))
        return ERR_OK;
    return call_error(call, &lambda_err_precondition_failed_exception,
                      "The Revision Id provided does not match the latest Revision Id. Call the "
                      "GetFunction/GetAlias API to retrieve the latest Revision Id");
}

static enum err refuse_publish_to(struct call *call, struct str publish_to)
{
    if (str_is_set(publish_to))
        return LAMBDA_INVALID(call, "PublishTo is not supported by Weir.");
    return ERR_OK;
}

static enum err check_source(struct call *call, const struct lambda_code_source *s,
                             struct str image_uri, struct str source_kms_key)
{
    if (str_is_set(image_uri) || str_is_set(source_kms_key))
        return LAMBDA_INVALID(call,
                              "Container images and SourceKMSKeyArn are not supported by Weir.");
    return lambda_source_check(call, s);
}

enum err lambda_source_check(struct call *call, const struct lambda_code_source *s)
{
    bool zip = str_is_set(s->zip_file);
    bool s3 = str_is_set(s->s3_bucket) || str_is_set(s->s3_key);

    if (zip && s3)
        return LAMBDA_INVALID(
            call, "Please do not provide other FunctionCode parameters when providing a "
                  "ZipFile.");
    if (!zip && (!str_is_set(s->s3_bucket) || !str_is_set(s->s3_key)))
        return LAMBDA_INVALID(call, "Please provide a source for function code.");
    return ERR_OK;
}

static enum err take_code(struct call *call, const struct lambda_upload *up, struct lambda_fn *fn)
{
    fn->code_sha256 = up->sha256;
    fn->code_size = up->size;
    fn->code_unzipped = up->unzipped;
    return lambda_layers_check_size(call, fn);
}

/* --- CreateFunction --------------------------------------------------------------------------- */

static enum err check_new_name(struct call *call, const struct lambda_name *name)
{
    struct lambda *l = lambda_of(call);
    struct lambda_fn *have;

    if (str_is_set(name->qualifier))
        return LAMBDA_INVALID(call, "A function is created without qualifier");
    enum err err = lambda_fn_get(call->txn, l, name, &have);
    if (err == ERR_OK)
        return call_error(call, &lambda_err_resource_conflict_exception,
                          "Function already exist: " STR_FMT, STR_ARG(name->name));
    if (err != ERR_NOT_FOUND)
        return err;
    if (catalogue_count(l->fns, lambda_fns_prefix(call->arena, name->scope)) >=
        LAMBDA_FUNCTIONS_MAX)
        return call_error(call, &lambda_err_code_storage_exceeded_exception,
                          "At most %d functions can exist", LAMBDA_FUNCTIONS_MAX);
    return ERR_OK;
}

static enum err check_create(struct call *call, const struct lambda_create_function_input *in)
{
    if (str_is_set(in->package_type) && !str_eq_c(in->package_type, "Zip"))
        return LAMBDA_INVALID(call, "PackageType Image is not supported by Weir.");
    if (!str_is_set(in->runtime) || !str_is_set(in->handler))
        return LAMBDA_INVALID(
            call, "Runtime and Handler are mandatory parameters for functions created with "
                  "deployment packages.");
    if (!str_empty(in->code_signing_config_arn))
        return LAMBDA_INVALID(call, "CodeSigningConfigArn is not supported by Weir.");
    return refuse_publish_to(call, in->publish_to);
}

static enum err init_fn(struct call *call, const struct lambda_name *name, struct lambda_fn *fn)
{
    char id[RNG_UUID_LEN + 1];

    *fn = (struct lambda_fn){
        .name = *name,
        .arn = lambda_arn(call->arena, call->partition, name, STR_NONE),
        .version = STR(LAMBDA_LATEST),
        .id = str_dup(call->arena, rng_uuid(id)),
        .description = STR(""),
        .timeout_s = TIMEOUT_DEFAULT_S,
        .memory_mb = MEMORY_DEFAULT_MB,
        .ephemeral_mb = EPHEMERAL_DEFAULT_MB,
        .reserved = -1,
        .async = {.retries = -1, .age_max_s = -1},
    };
    return str_is_set(fn->id) && str_is_set(fn->arn) ? ERR_OK : ERR_NOMEM;
}

/* The members that CreateFunction and UpdateFunctionConfiguration have in common. */
#define SETTINGS(in)                                                                               \
    {                                                                                              \
        .runtime = (in)->runtime, .role = (in)->role, .handler = (in)->handler,                    \
        .description = (in)->description, .timeout = (in)->timeout,                                \
        .has_timeout = (in)->has_timeout, .memory = (in)->memory_size,                             \
        .has_memory = (in)->has_memory_size, .environment = (in)->environment,                     \
        .dead_letter = (in)->dead_letter_config, .tracing = (in)->tracing_config,                  \
        .ephemeral = (in)->ephemeral_storage, .logging = (in)->logging_config,                     \
        .snap_start = (in)->snap_start, .vpc = (in)->vpc_config,                                   \
        .file_systems = (in)->file_system_configs, .image = (in)->image_config,                    \
        .kms_key_arn = (in)->kms_key_arn,                                                          \
        .capacity_provider = (in)->capacity_provider_config != NULL,                               \
        .durable = (in)->durable_config != NULL,                                                   \
    }

/* No policy of another account can allow that one makes functions there. */
static enum err check_account(struct call *call, const struct lambda_name *name)
{
    if (str_eq(name->scope.account, call->account))
        return ERR_OK;
    struct str arn = lambda_arn(call->arena, call->partition, name, STR_NONE);
    return call_error(call, &lambda_err_access_denied,
                      "User: " STR_FMT " is not authorized to perform: lambda:CreateFunction on "
                      "resource: " STR_FMT,
                      STR_ARG(call->who->arn), STR_ARG(arn));
}

enum err lambda_create_function(struct call *call, const struct lambda_create_function_input *in,
                                struct lambda_create_function_output *out)
{
    struct lambda_name name;
    struct lambda_fn fn;
    struct lambda_layers_used layers;
    struct lambda_upload up;
    const struct lambda_code_source source = {in->code->zip_file, in->code->s3_bucket,
                                              in->code->s3_key, in->code->s3_object_version};
    struct lambda_settings settings = SETTINGS(in);

    TRY(lambda_name_of_call(call, in->function_name, STR_NONE, &name));
    TRY(check_account(call, &name));
    TRY(check_new_name(call, &name));
    TRY(check_create(call, in));
    TRY(check_source(call, &source, in->code->image_uri, in->code->source_kms_key_arn));
    TRY(init_fn(call, &name, &fn));
    settings.tenancy = in->tenancy_config != NULL;
    TRY(lambda_architecture_apply(call, in->architectures, &fn));
    TRY(lambda_settings_apply(call, &settings, &fn));
    TRY(lambda_layers_apply(call, in->layers, &fn, &layers));
    const struct tags_resource resource = {.arn = fn.arn};
    TRY(tags_op_create(call, &lambda_tags_service, &resource, TAGS_FROM(in->tags)));
    TRY(lambda_upload_run(call, &source, &layers, &up));
    fn.code_id = up.code_id;
    fn.opt_id = up.opt_id;
    TRY(take_code(call, &up, &fn));
    struct lambda_fn *shown = &fn;
    TRY(lambda_fn_touch(call->txn, &fn));
    if (in->publish)
        TRY(lambda_publish(call, &fn, STR_NONE, &shown));
    TRY(lambda_fn_put(call->txn, lambda_of(call), &fn));
    TRY(lambda_upload_keep(call));
    return answer(call, shown, BEING_MADE, false, out);
}

/* --- UpdateFunctionCode ----------------------------------------------------------------------- */

enum err lambda_update_function_code(struct call *call,
                                     const struct lambda_update_function_code_input *in,
                                     struct lambda_update_function_code_output *out)
{
    struct lambda_fn *fn;
    struct lambda_upload up;
    const struct lambda_code_source source = {in->zip_file, in->s3_bucket, in->s3_key,
                                              in->s3_object_version};

    TRY(lambda_fn_of_call(call, in->function_name, STR_NONE, &fn));
    TRY(check_revision(call, in->revision_id, fn->revision));
    TRY(refuse_publish_to(call, in->publish_to));
    TRY(check_source(call, &source, in->image_uri, in->source_kms_key_arn));
    TRY(lambda_architecture_apply(call, in->architectures, fn));
    /* A dry run does everything but refer to the package, which then goes with the call. */
    TRY(lambda_upload_run(call, &source, NULL, &up));
    TRY(take_code(call, &up, fn));
    enum stage stage = AS_IT_IS;
    if (!in->dry_run) {
        struct lambda_fn *latest = fn;
        uint64_t published = latest->last_number;
        stage = BEING_CHANGED;
        fn->code_id = up.code_id;
        TRY(lambda_fn_touch(call->txn, latest));
        if (in->publish)
            TRY(lambda_publish(call, latest, STR_NONE, &fn));
        if (fn->number) /* a new version, or the last, from which nothing differs */
            stage = fn->number > published ? BEING_MADE : AS_IT_IS;
        TRY(lambda_fn_put(call->txn, lambda_of(call), latest));
        TRY(lambda_upload_keep(call));
    }
    return answer(call, fn, stage, fn->number != 0, out);
}

/* --- UpdateFunctionConfiguration -------------------------------------------------------------- */

enum err
lambda_update_function_configuration(struct call *call,
                                     const struct lambda_update_function_configuration_input *in,
                                     struct lambda_update_function_configuration_output *out)
{
    struct lambda_fn *fn;
    struct lambda_layers_used layers;
    struct lambda_upload up;
    const struct lambda_settings settings = SETTINGS(in);

    TRY(lambda_fn_of_call(call, in->function_name, STR_NONE, &fn));
    TRY(check_revision(call, in->revision_id, fn->revision));
    TRY(lambda_settings_apply(call, &settings, fn));
    TRY(lambda_layers_apply(call, in->layers, fn, &layers));
    if (layers.given) {
        TRY(lambda_layers_check_size(call, fn));
        TRY(lambda_upload_run(call, NULL, &layers, &up));
        fn->opt_id = up.opt_id;
    }
    TRY(lambda_fn_touch(call->txn, fn));
    TRY(lambda_fn_put(call->txn, lambda_of(call), fn));
    TRY(lambda_upload_keep(call));
    return answer(call, fn, BEING_CHANGED, false, out);
}

/* --- DeleteFunction --------------------------------------------------------------------------- */

static enum err check_unused(void *arg, struct str key, struct str record)
{
    const struct lambda_fn *version = arg;
    struct lambda_alias alias = {0};
    TRY(record_unpack(&lambda_alias_type, NULL, record, &alias)); /* no lists: no arena */
    return str_eq(alias.version, version->version) || str_eq(alias.other_version, version->version)
               ? ERR_EXISTS
               : ERR_OK;
}

/* Who gives an alias to a version writes the function's record, too. */
static enum err delete_version(struct call *call, struct lambda_fn *version)
{
    struct lambda *l = lambda_of(call);
    enum err err =
        txn_each(call->txn, lambda_aliases_of(call->arena, &version->name), check_unused, version);
    if (err == ERR_EXISTS)
        return call_error(call, &lambda_err_resource_conflict_exception,
                          "Version " STR_FMT " is referenced by one or more aliases, and cannot be "
                          "deleted.",
                          STR_ARG(version->version));
    TRY(err);
    TRY(lambda_fn_guard(call->txn, l, &version->name));
    return lambda_fn_del(call->txn, l, version);
}

/* NULL: a version that is not there, or no longer, of a function that is. To delete it succeeds. */
static enum err find_deleted(struct call *call, const struct lambda_delete_function_input *in,
                             struct lambda_fn **ret_fn)
{
    struct lambda_name name;
    struct lambda_fn *latest;

    TRY(lambda_name_of_qualifier(call, in->function_name, in->qualifier, &name));
    enum err err = lambda_fn_get(call->txn, lambda_of(call), &name, ret_fn);
    if (err == ERR_OK)
        (*ret_fn)->name.qualifier = name.qualifier;
    if (err != ERR_NOT_FOUND)
        return err;
    if (!str_is_set(name.qualifier) || lambda_is_alias(name.qualifier))
        return lambda_not_found(call, &name);
    *ret_fn = NULL;
    name.qualifier = STR_NONE;
    err = lambda_fn_get(call->txn, lambda_of(call), &name, &latest);
    return err == ERR_NOT_FOUND ? lambda_not_found(call, &name) : err;
}

enum err lambda_delete_function(struct call *call, const struct lambda_delete_function_input *in,
                                struct lambda_delete_function_output *out)
{
    struct lambda_fn *fn;

    TRY(find_deleted(call, in, &fn));
    WIRE_SET(out, status_code, 204);
    if (!fn)
        return ERR_OK;
    if (lambda_is_alias(fn->name.qualifier))
        return LAMBDA_INVALID(call, "Deletion of aliases is not currently supported.");
    if (str_is_set(fn->name.qualifier) && !fn->number)
        return LAMBDA_INVALID(call,
                              "$LATEST version cannot be deleted without deleting the function.");
    return fn->number ? delete_version(call, fn) : lambda_fn_del(call->txn, lambda_of(call), fn);
}
