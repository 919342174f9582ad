/* CreateFunctionUrlConfig, GetFunctionUrlConfig, UpdateFunctionUrlConfig, DeleteFunctionUrlConfig,
 * ListFunctionUrlConfigs.
 *
 * Source: Lambda API Reference; Lambda Developer Guide, "Creating and managing Lambda function URLs".
 * Layer: svc. Thread: the call's. */
#include "base/clock.h"
#include "base/rng.h"
#include "svc/lambda/lambda_url.h"

/* --- settings --------------------------------------------------------------------------------- */

static const struct str methods[] = {STR_INIT("GET"),  STR_INIT("PUT"),   STR_INIT("HEAD"),
                                     STR_INIT("POST"), STR_INIT("PATCH"), STR_INIT("DELETE"),
                                     STR_INIT("*")};

static enum err check_methods(struct call *call, const struct lambda_url_cors *cors)
{
    for (size_t i = 0; i < cors->n_methods; i++) {
        bool known = false;
        for (size_t j = 0; j < ARRAY_LEN(methods); j++)
            known |= str_eq(cors->methods[i], methods[j]);
        if (!known)
            return LAMBDA_INVALID(call, STR_FMT " is not a method that AllowMethods may have",
                                  STR_ARG(cors->methods[i]));
    }
    return ERR_OK;
}

/* An empty one takes the settings away. */
static enum err apply_cors(struct call *call, const struct lambda_cors *in, struct lambda_url *url)
{
    if (!in)
        return ERR_OK;
    url->cors = (struct lambda_url_cors){
        .credentials = in->allow_credentials,
        .max_age_s = in->max_age,
        .headers = (struct str *)in->allow_headers.v,
        .n_headers = in->allow_headers.n,
        .methods = (struct str *)in->allow_methods.v,
        .n_methods = in->allow_methods.n,
        .origins = (struct str *)in->allow_origins.v,
        .n_origins = in->allow_origins.n,
        .expose = (struct str *)in->expose_headers.v,
        .n_expose = in->expose_headers.n,
    };
    struct lambda_url_cors *cors = &url->cors;
    cors->set = cors->credentials || cors->max_age_s || cors->n_headers || cors->n_methods ||
                cors->n_origins || cors->n_expose;
    return check_methods(call, cors);
}

static enum err apply(struct call *call, struct str auth_type, struct str invoke_mode,
                      const struct lambda_cors *cors, struct lambda_url *url)
{
    if (str_is_set(auth_type))
        url->iam = str_eq_c(auth_type, LAMBDA_URL_IAM);
    if (str_is_set(invoke_mode))
        url->stream = str_eq_c(invoke_mode, LAMBDA_URL_STREAM);
    url->modified_ms = call->txn->wall_ms;
    return apply_cors(call, cors, url);
}

/* --- answers ---------------------------------------------------------------------------------- */

static struct str time_text(struct call *call, int64_t ms)
{
    char text[CLOCK_TEXT_MAX];
    return str_dup(call->arena, clock_iso8601_ms(text, ms));
}

static enum err fill_cors(struct call *call, const struct lambda_url_cors *cors,
                          const struct lambda_cors **ret_cors)
{
    if (!cors->set)
        return ERR_OK;
    struct lambda_cors *out = ARENA_NEW(call->arena, struct lambda_cors);
    if (!out)
        return ERR_NOMEM;
    WIRE_SET(out, allow_credentials, cors->credentials);
    if (cors->max_age_s)
        WIRE_SET(out, max_age, cors->max_age_s);
    out->allow_headers.v = cors->n_headers ? cors->headers : NULL;
    out->allow_headers.n = cors->n_headers;
    out->allow_methods.v = cors->n_methods ? cors->methods : NULL;
    out->allow_methods.n = cors->n_methods;
    out->allow_origins.v = cors->n_origins ? cors->origins : NULL;
    out->allow_origins.n = cors->n_origins;
    out->expose_headers.v = cors->n_expose ? cors->expose : NULL;
    out->expose_headers.n = cors->n_expose;
    *ret_cors = out;
    return ERR_OK;
}

static enum err fill(struct call *call, const struct lambda_url *url,
                     struct lambda_function_url_config *out)
{
    out->function_url = lambda_url_text(call->arena, call->core, url);
    out->function_arn =
        lambda_arn(call->arena, call->partition, &url->function, url->function.qualifier);
    out->creation_time = time_text(call, url->created_ms);
    out->last_modified_time = time_text(call, url->modified_ms);
    out->auth_type = url->iam ? STR(LAMBDA_URL_IAM) : STR("NONE");
    out->invoke_mode = url->stream ? STR(LAMBDA_URL_STREAM) : STR("BUFFERED");
    if (!str_is_set(out->function_url) || !str_is_set(out->function_arn) ||
        !str_is_set(out->creation_time) || !str_is_set(out->last_modified_time))
        return ERR_NOMEM;
    return fill_cors(call, &url->cors, &out->cors);
}

/* --- which ------------------------------------------------------------------------------------ */

#define NO_URL "The resource you requested does not exist."
#define NO_FUNCTION "Function does not exist"

/* The function, or its alias, that a URL may be of; `words` where there is none. */
static enum err owner_of_call(struct call *call, struct str function_name, struct str qualifier,
                              const char *words, struct lambda_name *ret_owner)
{
    struct lambda_fn *fn;
    TRY(lambda_not_found_as(call, lambda_fn_of_qualifier(call, function_name, qualifier, &fn),
                            words));
    if (str_is_set(fn->name.qualifier) && !lambda_is_alias(fn->name.qualifier))
        return LAMBDA_INVALID(call, "A function URL is of a function or of one of its aliases, and "
                                    "not of a version.");
    *ret_owner = fn->name;
    return ERR_OK;
}

static enum err url_of_call(struct call *call, struct str function_name, struct str qualifier,
                            struct lambda_url **ret_url)
{
    struct lambda_name owner;
    TRY(owner_of_call(call, function_name, qualifier, NO_URL, &owner));
    enum err err = lambda_url_get(call->txn, lambda_of(call), &owner, ret_url);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &lambda_err_resource_not_found_exception, NO_URL);
    return err;
}

enum err lambda_auth_url(struct call *call, struct policy_context *ctx)
{
    struct lambda_name name;
    struct lambda_url *url;
    struct str qualifier = call_input_str(call, STR("Qualifier"));
    if (str_is_set(call_input_str(call, STR("AuthType"))) ||
        lambda_name_parse(call_input_str(call, STR("FunctionName")), call_scope(call), &name))
        return ERR_OK;
    if (str_is_set(qualifier))
        name.qualifier = qualifier;
    enum err err = lambda_url_get(call->txn, lambda_of(call), &name, &url);
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(err);
    policy_context_add(ctx, STR("lambda:FunctionUrlAuthType"),
                       url->iam ? STR(LAMBDA_URL_IAM) : STR("NONE"));
    return ctx->err;
}

/* --- operations ------------------------------------------------------------------------------- */

/* The outputs of Get and Update have the members of a list's entries. */
#define SHOW(out, shown)                                                                           \
    do {                                                                                           \
        (out)->function_url = (shown).function_url;                                                \
        (out)->function_arn = (shown).function_arn;                                                \
        (out)->auth_type = (shown).auth_type;                                                      \
        (out)->cors = (shown).cors;                                                                \
        (out)->creation_time = (shown).creation_time;                                              \
        (out)->last_modified_time = (shown).last_modified_time;                                    \
        (out)->invoke_mode = (shown).invoke_mode;                                                  \
    } while (0)

enum err lambda_create_function_url_config(struct call *call,
                                           const struct lambda_create_function_url_config_input *in,
                                           struct lambda_create_function_url_config_output *out)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    char id[LAMBDA_URL_ID_LEN + 1];
    struct lambda_url url = {.created_ms = call->txn->wall_ms}, *have;
    struct lambda_function_url_config shown = {0};

    TRY(owner_of_call(call, in->function_name, in->qualifier, NO_FUNCTION, &url.function));
    enum err err = lambda_url_get(call->txn, lambda_of(call), &url.function, &have);
    if (err == ERR_OK)
        return call_error(call, &lambda_err_resource_conflict_exception,
                          "Failed to create function url config for [functionArn = " STR_FMT
                          "]. Error message:  FunctionUrlConfig exists for this Lambda function",
                          STR_ARG(lambda_arn(call->arena, call->partition, &url.function,
                                             url.function.qualifier)));
    if (err != ERR_NOT_FOUND)
        return err;
    rng_text(id, LAMBDA_URL_ID_LEN, letters);
    url.id = str_n(id, LAMBDA_URL_ID_LEN);
    TRY(apply(call, in->auth_type, in->invoke_mode, in->cors, &url));
    TRY(lambda_fn_guard(call->txn, lambda_of(call), &url.function));
    TRY(lambda_url_put(call->txn, lambda_of(call), &url));
    TRY(fill(call, &url, &shown));
    out->function_url = shown.function_url;
    out->function_arn = shown.function_arn;
    out->auth_type = shown.auth_type;
    out->cors = shown.cors;
    out->creation_time = shown.creation_time;
    out->invoke_mode = shown.invoke_mode;
    return ERR_OK;
}

enum err lambda_get_function_url_config(struct call *call,
                                        const struct lambda_get_function_url_config_input *in,
                                        struct lambda_get_function_url_config_output *out)
{
    struct lambda_url *url;
    struct lambda_function_url_config shown = {0};
    TRY(url_of_call(call, in->function_name, in->qualifier, &url));
    TRY(fill(call, url, &shown));
    SHOW(out, shown);
    return ERR_OK;
}

enum err lambda_update_function_url_config(struct call *call,
                                           const struct lambda_update_function_url_config_input *in,
                                           struct lambda_update_function_url_config_output *out)
{
    struct lambda_url *url;
    struct lambda_function_url_config shown = {0};
    TRY(url_of_call(call, in->function_name, in->qualifier, &url));
    TRY(apply(call, in->auth_type, in->invoke_mode, in->cors, url));
    TRY(lambda_url_put(call->txn, lambda_of(call), url));
    TRY(fill(call, url, &shown));
    SHOW(out, shown);
    return ERR_OK;
}

enum err lambda_delete_function_url_config(struct call *call,
                                           const struct lambda_delete_function_url_config_input *in,
                                           struct lambda_delete_function_url_config_output *out)
{
    struct lambda_url *url;
    TRY(url_of_call(call, in->function_name, in->qualifier, &url));
    return lambda_url_del(call->txn, lambda_of(call), &url->function);
}

/* --- ListFunctionUrlConfigs ------------------------------------------------------------------- */

struct listing {
    struct call *call;
    struct lambda_function_url_config *v;
    size_t n;
};

static enum err take_url(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct lambda_url url = {0};
    TRY(record_unpack_copy(&lambda_url_type, l->call->arena, record, &url));
    return fill(l->call, &url, &l->v[l->n++]);
}

enum err lambda_list_function_url_configs(struct call *call,
                                          const struct lambda_list_function_url_configs_input *in,
                                          struct lambda_list_function_url_configs_output *out)
{
    static const struct page_fns fns = {.take = take_url};
    struct listing l = {.call = call};
    struct lambda_fn *fn;

    TRY(lambda_not_found_as(call, lambda_fn_of_call(call, in->function_name, STR_NONE, &fn),
                            NO_FUNCTION));
    struct page page =
        page_of_call(call, fn->name.name, in->marker,
                     in->has_max_items ? (size_t)in->max_items : LAMBDA_URL_LIST_MAX);
    l.v = ARENA_ARRAY(call->arena, struct lambda_function_url_config, page.limit);
    if (!l.v)
        return ERR_NOMEM;
    TRY(lambda_paged(
        call, page_scan(call->txn, &page, lambda_urls_of(call->arena, &fn->name), &fns, &l)));
    out->function_url_configs.v = l.v;
    out->function_url_configs.n = l.n;
    out->next_marker = page.next_token;
    return ERR_OK;
}
