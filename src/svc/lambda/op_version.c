/* PublishVersion and ListVersionsByFunction. A version is a copy of $LATEST's record under its number,
 * which shares the package with it.
 *
 * Source: Lambda developer guide, "Manage Lambda function versions".
 * Layer: svc. Thread: the call's. */
#include "base/rng.h"
#include "svc/lambda/lambda_int.h"

_Static_assert(sizeof(struct lambda_publish_version_output) ==
                   sizeof(struct lambda_function_configuration),
               "one shape");

/* What a version has of the function: neither its own name, time and texts, nor what belongs to $LATEST
 * alone. */
static enum err essence(struct call *call, const struct lambda_fn *fn, struct str *ret_record)
{
    struct lambda_fn copy = *fn;
    copy.id = copy.revision = copy.description = copy.code_id = copy.opt_id = STR("");
    copy.number = copy.last_number = 0;
    copy.modified_ms = copy.reserved = copy.code_unzipped = 0;
    copy.async = (struct lambda_async_config){0};
    copy.runtime_update = STR_NONE;
    return record_make(&lambda_fn_type, call->arena, &copy, ret_record);
}

/* The version that was published last, when nothing changed since; else NULL. */
static enum err find_same(struct call *call, const struct lambda_fn *latest,
                          struct lambda_fn **ret_version)
{
    struct lambda_name name = latest->name;
    struct lambda_fn *last;
    struct str a, b;

    *ret_version = NULL;
    name.qualifier = str_fmt(call->arena, "%llu", (unsigned long long)latest->last_number);
    if (latest->last_number == 0 || !str_is_set(name.qualifier))
        return latest->last_number ? ERR_NOMEM : ERR_OK;
    enum err err = lambda_fn_get(call->txn, lambda_of(call), &name, &last);
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(err);
    TRY(essence(call, latest, &a));
    TRY(essence(call, last, &b));
    if (str_eq(a, b))
        *ret_version = last;
    return ERR_OK;
}

static enum err make_version(struct call *call, const struct lambda_fn *latest,
                             struct str description, struct lambda_fn **ret_version)
{
    struct arena *a = call->arena;
    struct lambda_fn *version = ARENA_NEW(a, struct lambda_fn);
    if (!version)
        return ERR_NOMEM;
    *version = *latest;
    version->object = (struct catalogue_object){0};
    version->code = version->opt = NULL;
    version->number = latest->last_number + 1;
    version->last_number = 0;
    version->reserved = -1;
    version->async = (struct lambda_async_config){.retries = -1, .age_max_s = -1};
    version->version = str_fmt(a, "%llu", (unsigned long long)version->number);
    version->name.qualifier = version->version;
    version->arn = lambda_arn(a, call->partition, &version->name, version->version);
    if (str_is_set(description))
        version->description = description;
    *ret_version = version;
    return str_is_set(version->version) && str_is_set(version->arn) ? ERR_OK : ERR_NOMEM;
}

static enum err count_one(void *arg, struct str key, struct str record)
{
    size_t *n = arg;
    return ++*n < LAMBDA_VERSIONS_MAX ? ERR_OK : ERR_LIMIT;
}

enum err lambda_publish(struct call *call, struct lambda_fn *latest, struct str description,
                        struct lambda_fn **ret_version)
{
    size_t n = 0;
    assert(!latest->number);
    TRY(find_same(call, latest, ret_version));
    if (*ret_version)
        return ERR_OK;
    enum err err =
        txn_each(call->txn, lambda_versions_of(call->arena, &latest->name), count_one, &n);
    if (err == ERR_LIMIT)
        return call_error(call, &lambda_err_code_storage_exceeded_exception,
                          "At most %d versions of a function can exist", LAMBDA_VERSIONS_MAX);
    TRY(err);
    TRY(make_version(call, latest, description, ret_version));
    TRY(lambda_fn_touch(call->txn, *ret_version));
    TRY(lambda_code_hold(lambda_of(call), call->arena, latest->code_id));
    if (str_is_set(latest->opt_id))
        TRY(lambda_code_hold(lambda_of(call), call->arena, latest->opt_id));
    TRY(lambda_fn_put(call->txn, lambda_of(call), *ret_version));
    latest->last_number = (*ret_version)->number;
    return ERR_OK;
}

static enum err check(struct call *call, const struct lambda_publish_version_input *in,
                      const struct lambda_fn *latest)
{
    if (str_is_set(in->publish_to))
        return LAMBDA_INVALID(call, "PublishTo is not supported by Weir.");
    if (str_is_set(in->revision_id) && !str_eq(in->revision_id, latest->revision))
        return call_error(call, &lambda_err_precondition_failed_exception,
                          "The RevisionId provided does not match the latest RevisionId. Call the "
                          "GetFunction/GetAlias API to retrieve the latest RevisionId");
    if (!str_empty(in->code_sha256) && !str_eq(in->code_sha256, latest->code_sha256))
        return LAMBDA_INVALID(call,
                              "CodeSHA256 (" STR_FMT ") is different from current CodeSHA256 in "
                              "$LATEST (" STR_FMT "). Please try again with the CodeSHA256 in "
                              "$LATEST.",
                              STR_ARG(in->code_sha256), STR_ARG(latest->code_sha256));
    return ERR_OK;
}

enum err lambda_publish_version(struct call *call, const struct lambda_publish_version_input *in,
                                struct lambda_publish_version_output *out)
{
    struct lambda_fn *latest, *version;
    struct lambda_function_configuration conf = {0};

    TRY(lambda_fn_of_call(call, in->function_name, STR_NONE, &latest));
    TRY(check(call, in, latest));
    TRY(lambda_publish(call, latest, in->description, &version));
    TRY(lambda_fn_put(call->txn, lambda_of(call), latest));
    TRY(lambda_configuration_fill(call, version, true, &conf));
    memcpy(out, &conf, sizeof(conf));
    return ERR_OK;
}

/* --- ListVersionsByFunction ------------------------------------------------------------------- */

struct listing {
    struct call *call;
    struct lambda_function_configuration *v;
    size_t n;
};

static enum err take_version(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct lambda_fn fn = {0};
    TRY(lambda_fn_unpack(l->call->arena, l->call->core, record, &fn));
    return lambda_configuration_fill(l->call, &fn, true, &l->v[l->n++]);
}

/* $LATEST comes first, and then the numbers. */
enum err lambda_list_versions_by_function(struct call *call,
                                          const struct lambda_list_versions_by_function_input *in,
                                          struct lambda_list_versions_by_function_output *out)
{
    static const struct page_fns fns = {.take = take_version};
    struct listing l = {.call = call};
    struct lambda_fn *fn;

    TRY(lambda_fn_of_call(call, in->function_name, STR_NONE, &fn));
    size_t limit =
        in->has_max_items ? (size_t)min_i64(in->max_items, LAMBDA_LIST_MAX) : LAMBDA_LIST_MAX;
    struct key_range range = lambda_versions_of(call->arena, &fn->name);
    struct page page = page_of_call(call, fn->name.name, in->marker, limit);
    l.v = ARENA_ARRAY(call->arena, struct lambda_function_configuration, limit);
    if (!l.v || !str_is_set(range.from))
        return ERR_NOMEM;
    if (!str_is_set(in->marker)) {
        TRY(lambda_configuration_fill(call, fn, true, &l.v[l.n++]));
        page.limit--;
    }
    if (page.limit)
        TRY(lambda_paged(call, page_scan(call->txn, &page, range, &fns, &l)));
    else
        TRY(page_seal(&page.bind, range.from, &page.next_token));
    out->versions.v = l.v;
    out->versions.n = l.n;
    out->next_marker = page.next_token;
    return ERR_OK;
}
