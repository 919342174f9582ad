/* PublishLayerVersion, GetLayerVersion, GetLayerVersionByArn, ListLayers, ListLayerVersions,
 * DeleteLayerVersion.
 *
 * Layer: svc. Thread: the call's. */
#include "svc/lambda/lambda_int.h"

/* Two outputs are one shape of the model under two names. */
_Static_assert(sizeof(struct lambda_get_layer_version_output) ==
                       sizeof(struct lambda_publish_layer_version_output) &&
                   sizeof(struct lambda_get_layer_version_output) ==
                       sizeof(struct lambda_get_layer_version_by_arn_output),
               "one shape");

static enum err missing(struct call *call)
{
    return call_error(call, &lambda_err_resource_not_found_exception,
                      "The resource you requested does not exist.");
}

/* Of a name or ARN in a request; a version's ARN is not a layer's. */
static enum err name_of_call(struct call *call, struct str layer_name,
                             struct lambda_layer_name *ret_name)
{
    if (lambda_layer_name_parse(layer_name, call_scope(call), ret_name) != ERR_OK ||
        ret_name->number)
        return LAMBDA_INVALID(call, STR_FMT " is not a valid layer name or ARN",
                              STR_ARG(layer_name));
    if (!str_eq(ret_name->scope.region, call->region))
        return call_error(call, &lambda_err_resource_not_found_exception,
                          "Layers from '" STR_FMT "' are not reachable in this region ('" STR_FMT
                          "')",
                          STR_ARG(ret_name->scope.region), STR_ARG(call->region));
    return str_eq(ret_name->scope.account, call->account) ? ERR_OK : missing(call);
}

static enum err version_name(struct call *call, struct str layer_name, int64_t number,
                             struct lambda_layer_name *ret_name)
{
    if (number < 1)
        return LAMBDA_INVALID(call, "Layer Version Cannot be less than 1.");
    TRY(name_of_call(call, layer_name, ret_name));
    ret_name->number = (uint64_t)number;
    return ERR_OK;
}

enum err lambda_layer_of_call(struct call *call, struct str layer_name, int64_t number,
                              struct lambda_layer_version **ret_layer)
{
    struct lambda_layer_name name;
    TRY(version_name(call, layer_name, number, &name));
    enum err err = lambda_layer_get(call->txn, lambda_of(call), &name, ret_layer);
    if (err != ERR_NOT_FOUND)
        return err;
    struct str arn = lambda_layer_arn(call->arena, call->partition, &name);
    return call_error(call, &lambda_err_resource_not_found_exception,
                      "Layer version " STR_FMT " does not exist.", STR_ARG(arn));
}

/* --- PublishLayerVersion ---------------------------------------------------------------------- */

static enum err check_new(struct call *call, struct lambda_layer_name *name)
{
    struct lambda *l = lambda_of(call);
    /* Its versions are named by their ARNs, which may not be longer. */
    struct lambda_layer_name last = *name;
    last.number = LAMBDA_LAYER_VERSIONS_MAX;
    if (lambda_layer_arn(call->arena, call->partition, &last).len > LAMBDA_LAYER_ARN_MAX)
        return LAMBDA_INVALID(call,
                              "The layer name is too long: ARNs of its versions may have %d "
                              "characters at most.",
                              LAMBDA_LAYER_ARN_MAX);
    if (!str_eq(name->scope.account, call_scope(call).account))
        return missing(call);
    if (catalogue_count(l->layers, lambda_layers_prefix(call->arena, name->scope)) >=
        LAMBDA_LAYER_VERSIONS_MAX)
        return call_error(call, &lambda_err_code_storage_exceeded_exception,
                          "At most %d layer versions can exist", LAMBDA_LAYER_VERSIONS_MAX);
    return ERR_OK;
}

static enum err fill_content(struct call *call, const struct lambda_layer_version *layer,
                             struct lambda_get_layer_version_output *out)
{
    struct arena *a = call->arena;
    struct lambda_layer_version_content_output *content =
        ARENA_NEW(a, struct lambda_layer_version_content_output);
    struct lambda_layer_name whole = layer->name;
    if (!content)
        return ERR_NOMEM;
    whole.number = 0;
    content->location = lambda_code_url(lambda_of(call), call->txn, layer->code_id);
    content->code_sha256 = layer->code_sha256;
    WIRE_SET(content, code_size, layer->code_size);
    out->content = content;
    out->layer_arn = lambda_layer_arn(a, call->partition, &whole);
    return str_is_set(content->location) && str_is_set(out->layer_arn) ? ERR_OK : ERR_NOMEM;
}

static enum err fill_version(struct call *call, const struct lambda_layer_version *layer,
                             struct lambda_layer_versions_list_item *out)
{
    out->layer_version_arn = lambda_layer_arn(call->arena, call->partition, &layer->name);
    out->created_date = lambda_time(call->arena, layer->created_ms);
    out->description = str_is_set(layer->description) ? layer->description : STR("");
    out->license_info = layer->license;
    WIRE_SET(out, version, (int64_t)layer->name.number);
    out->compatible_runtimes.v = layer->n_runtimes ? layer->runtimes : NULL;
    out->compatible_runtimes.n = layer->n_runtimes;
    out->compatible_architectures.v = layer->n_architectures ? layer->architectures : NULL;
    out->compatible_architectures.n = layer->n_architectures;
    return str_is_set(out->layer_version_arn) && str_is_set(out->created_date) ? ERR_OK : ERR_NOMEM;
}

static enum err answer(struct call *call, const struct lambda_layer_version *layer, void *ret)
{
    struct lambda_get_layer_version_output out = {0};
    struct lambda_layer_versions_list_item item = {0};
    TRY(fill_content(call, layer, &out));
    TRY(fill_version(call, layer, &item));
    out.layer_version_arn = item.layer_version_arn;
    out.created_date = item.created_date;
    out.description = item.description;
    out.license_info = item.license_info;
    WIRE_SET(&out, version, item.version);
    out.compatible_runtimes = item.compatible_runtimes;
    out.compatible_architectures = item.compatible_architectures;
    memcpy(ret, &out, sizeof(out));
    return ERR_OK;
}

enum err lambda_publish_layer_version(struct call *call,
                                      const struct lambda_publish_layer_version_input *in,
                                      struct lambda_publish_layer_version_output *out)
{
    struct lambda_layer_version layer = {.description = in->description,
                                         .license = in->license_info,
                                         .created_ms = call->txn->wall_ms};
    struct lambda_upload up;
    const struct lambda_code_source source = {in->content->zip_file, in->content->s3_bucket,
                                              in->content->s3_key, in->content->s3_object_version};

    TRY(name_of_call(call, in->layer_name, &layer.name));
    TRY(lambda_source_check(call, &source));
    TRY(check_new(call, &layer.name));
    TRY(lambda_upload_run(call, &source, NULL, &up));
    layer.code_id = up.code_id;
    layer.code_sha256 = up.sha256;
    layer.code_size = up.size;
    layer.unzipped = up.unzipped;
    layer.runtimes = in->compatible_runtimes.v;
    layer.n_runtimes = in->compatible_runtimes.n;
    layer.architectures = in->compatible_architectures.v;
    layer.n_architectures = in->compatible_architectures.n;
    TRY(lambda_layer_add(call->txn, lambda_of(call), &layer));
    TRY(lambda_upload_keep(call));
    return answer(call, &layer, out);
}

/* --- reading one ------------------------------------------------------------------------------ */

static enum err get(struct call *call, const struct lambda_layer_name *name, void *out)
{
    struct lambda_layer_version *layer;
    enum err err = lambda_layer_get(call->txn, lambda_of(call), name, &layer);
    if (err == ERR_NOT_FOUND)
        return missing(call);
    TRY(err);
    return answer(call, layer, out);
}

enum err lambda_get_layer_version(struct call *call,
                                  const struct lambda_get_layer_version_input *in,
                                  struct lambda_get_layer_version_output *out)
{
    struct lambda_layer_name name;
    TRY(version_name(call, in->layer_name, in->version_number, &name));
    return get(call, &name, out);
}

enum err lambda_get_layer_version_by_arn(struct call *call,
                                         const struct lambda_get_layer_version_by_arn_input *in,
                                         struct lambda_get_layer_version_by_arn_output *out)
{
    struct lambda_layer_name name;
    if (lambda_layer_name_parse(in->arn, call_scope(call), &name) != ERR_OK || name.number < 1 ||
        !str_eq(name.scope.region, call->region) || !str_eq(name.scope.account, call->account))
        return missing(call);
    return get(call, &name, out);
}

/* --- lists ------------------------------------------------------------------------------------ */

struct listing {
    struct call *call;
    struct key_scope scope;
    struct str runtime, architecture; /* only versions that name it; absent: all */
    struct lambda_layers_list_item *layers;
    struct lambda_layer_versions_list_item *versions;
    struct lambda_layer_versions_list_item *latest; /* of the layer that is looked at */
    size_t n;
};

static bool has(const struct str *v, size_t n, struct str wanted)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(v[i], wanted))
            return true;
    return !str_is_set(wanted);
}

static enum err match_version(void *arg, struct str key, struct str record, bool *ret_match)
{
    const struct listing *l = arg;
    struct lambda_layer_version layer = {0};
    TRY(record_unpack(&lambda_layer_type, l->call->arena, record, &layer));
    *ret_match = has(layer.runtimes, layer.n_runtimes, l->runtime) &&
                 has(layer.architectures, layer.n_architectures, l->architecture);
    return ERR_OK;
}

static enum err fill_item(struct listing *l, struct str record,
                          struct lambda_layer_versions_list_item *item)
{
    struct lambda_layer_version layer = {0};
    TRY(record_unpack_copy(&lambda_layer_type, l->call->arena, record, &layer));
    return fill_version(l->call, &layer, item);
}

static enum err take_version(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    return fill_item(l, record, &l->versions[l->n++]);
}

static size_t limit_of(bool has_max_items, int64_t max_items)
{
    return has_max_items ? (size_t)min_i64(max_items, LAMBDA_LIST_MAX) : LAMBDA_LIST_MAX;
}

/* A token holds for the same filters alone. */
static struct str bound_to(struct call *call, struct str name, struct str runtime,
                           struct str architecture)
{
    return str_fmt(call->arena, STR_FMT " " STR_FMT " " STR_FMT, STR_ARG(name), STR_ARG(runtime),
                   STR_ARG(architecture));
}

/* The newest version comes first. */
enum err lambda_list_layer_versions(struct call *call,
                                    const struct lambda_list_layer_versions_input *in,
                                    struct lambda_list_layer_versions_output *out)
{
    static const struct page_fns fns = {.match = match_version, .take = take_version};
    struct listing l = {.call = call,
                        .runtime = in->compatible_runtime,
                        .architecture = in->compatible_architecture};
    struct lambda_layer_name name;

    TRY(name_of_call(call, in->layer_name, &name));
    struct str scope =
        bound_to(call, name.name, in->compatible_runtime, in->compatible_architecture);
    struct page page =
        page_of_call(call, scope, in->marker, limit_of(in->has_max_items, in->max_items));
    page.reverse = true;
    l.versions = ARENA_ARRAY(call->arena, struct lambda_layer_versions_list_item, page.limit);
    if (!l.versions || !str_is_set(scope))
        return ERR_NOMEM;
    TRY(lambda_paged(
        call, page_scan(call->txn, &page, lambda_layer_versions_of(call->arena, &name), &fns, &l)));
    out->layer_versions.v = l.versions;
    out->layer_versions.n = l.n;
    out->next_marker = page.next_token;
    return ERR_OK;
}

/* Of the newest version that matches. */
static enum err take_latest(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    bool match;
    TRY(match_version(l, key, record, &match));
    if (!match)
        return ERR_OK;
    struct lambda_layer_versions_list_item *item =
        ARENA_NEW(l->call->arena, struct lambda_layer_versions_list_item);
    if (!item)
        return ERR_NOMEM;
    TRY(fill_item(l, record, item));
    l->latest = item;
    return ERR_CLOSED;
}

static enum err name_of_head(struct listing *l, struct str key, struct lambda_layer_name *ret_name)
{
    *ret_name = (struct lambda_layer_name){.scope = l->scope};
    return lambda_layer_head_name(l->call->arena, key, &ret_name->name);
}

static enum err match_layer(void *arg, struct str key, struct str record, bool *ret_match)
{
    struct listing *l = arg;
    struct lambda_layer_name name;
    TRY(name_of_head(l, key, &name));
    l->latest = NULL;
    TRY(txn_each_reverse(l->call->txn, lambda_layer_versions_of(l->call->arena, &name), take_latest,
                         l));
    *ret_match = l->latest != NULL;
    return ERR_OK;
}

static enum err take_layer(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct lambda_layers_list_item *item = &l->layers[l->n++];
    struct lambda_layer_name name;
    TRY(name_of_head(l, key, &name));
    item->layer_name = name.name;
    item->layer_arn = lambda_layer_arn(l->call->arena, l->call->partition, &name);
    item->latest_matching_version = l->latest;
    return str_is_set(item->layer_arn) ? ERR_OK : ERR_NOMEM;
}

enum err lambda_list_layers(struct call *call, const struct lambda_list_layers_input *in,
                            struct lambda_list_layers_output *out)
{
    static const struct page_fns fns = {.match = match_layer, .take = take_layer};
    struct listing l = {.call = call,
                        .scope = call_scope(call),
                        .runtime = in->compatible_runtime,
                        .architecture = in->compatible_architecture};

    struct str scope = bound_to(call, STR(""), in->compatible_runtime, in->compatible_architecture);
    struct page page =
        page_of_call(call, scope, in->marker, limit_of(in->has_max_items, in->max_items));
    l.layers = ARENA_ARRAY(call->arena, struct lambda_layers_list_item, page.limit);
    if (!l.layers || !str_is_set(scope))
        return ERR_NOMEM;
    TRY(lambda_paged(
        call, page_scan(call->txn, &page, lambda_layer_heads(call->arena, l.scope), &fns, &l)));
    out->layers.v = l.layers;
    out->layers.n = l.n;
    out->next_marker = page.next_token;
    return ERR_OK;
}

/* --- DeleteLayerVersion ----------------------------------------------------------------------- */

/* Of what is not there, too. */
enum err lambda_delete_layer_version(struct call *call,
                                     const struct lambda_delete_layer_version_input *in,
                                     struct lambda_delete_layer_version_output *out)
{
    struct lambda_layer_name name;
    TRY(version_name(call, in->layer_name, in->version_number, &name));
    return lambda_layer_del(call->txn, lambda_of(call), &name);
}
