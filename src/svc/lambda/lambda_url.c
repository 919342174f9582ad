/* Function URLs as they are stored and found. See lambda_url.h.
 *
 * Layer: svc. Thread: the transaction's; lookups in memory any. */
#include "svc/lambda/lambda_url.h"

#include "base/host.h"
#include "svc/lambda/lambda_keys.h"

enum { BY_ID, N_INDEXES, ARENA_MAX = 1024 * 1024 };

static const struct record_field cors_fields[] = {
    REC_BOOL(struct lambda_url_cors, set),
    REC_BOOL(struct lambda_url_cors, credentials),
    REC_INT(struct lambda_url_cors, max_age_s),
    REC_LIST(struct lambda_url_cors, headers, n_headers, LAMBDA_CORS_NAMES_MAX, &record_str),
    REC_LIST(struct lambda_url_cors, methods, n_methods, LAMBDA_CORS_NAMES_MAX, &record_str),
    REC_LIST(struct lambda_url_cors, origins, n_origins, LAMBDA_CORS_NAMES_MAX, &record_str),
    REC_LIST(struct lambda_url_cors, expose, n_expose, LAMBDA_CORS_NAMES_MAX, &record_str),
};
static const struct record_type cors_type = RECORD_TYPE(struct lambda_url_cors, 1, cors_fields);

static const struct record_field url_fields[] = {
    REC_STR(struct lambda_url, function.scope.account),
    REC_STR(struct lambda_url, function.scope.region),
    REC_STR(struct lambda_url, function.name),
    REC_STR(struct lambda_url, function.qualifier),
    REC_STR(struct lambda_url, id),
    REC_BOOL(struct lambda_url, iam),
    REC_BOOL(struct lambda_url, stream),
    REC_INT(struct lambda_url, created_ms),
    REC_INT(struct lambda_url, modified_ms),
    REC_STRUCT(struct lambda_url, cors, &cors_type),
};
const struct record_type lambda_url_type = RECORD_TYPE(struct lambda_url, 1, url_fields);

static enum err decode(void *self, struct catalogue_object *object, struct str record)
{
    struct lambda_url *url = (struct lambda_url *)object;
    TRY(record_unpack_copy(&lambda_url_type, &object->arena, record, url));
    return catalogue_index(object, BY_ID, url->id);
}

static const struct catalogue_type type = {
    .name = "lambda: function URL",
    .size = sizeof(struct lambda_url),
    .arena_max = ARENA_MAX,
    .n_indexes = N_INDEXES,
    .when = CATALOGUE_COMMITTED,
    .decode = decode,
};

enum err lambda_urls_new(struct lambda *l)
{
    return catalogue_new(l->core, &type, l, &l->urls);
}

enum err lambda_urls_load(struct lambda *l, struct txn *txn)
{
    return catalogue_load(l->urls, txn, key_range_table(txn->arena, &lambda_k_url).from);
}

static struct str url_key(struct arena *a, const struct lambda_name *function)
{
    bool latest = !str_is_set(function->qualifier) || str_eq_c(function->qualifier, LAMBDA_LATEST);
    struct str alias = latest ? STR("") : function->qualifier;
    return key_make(a, &lambda_k_url, function->scope, function->name, alias);
}

enum err lambda_url_get(struct txn *txn, struct lambda *l, const struct lambda_name *function,
                        struct lambda_url **ret_url)
{
    void *url;
    TRY(catalogue_read(l->urls, txn, url_key(txn->arena, function), &url));
    *ret_url = url;
    return ERR_OK;
}

enum err lambda_url_find(struct txn *txn, struct arena *a, struct lambda *l, struct str id,
                         const struct lambda_url **ret_url)
{
    void *url;
    TRY(catalogue_take_by(l->urls, txn, BY_ID, id, &url));
    TRY(catalogue_hold(a, url));
    *ret_url = url;
    return ERR_OK;
}

enum err lambda_url_put(struct txn *txn, struct lambda *l, const struct lambda_url *url)
{
    struct str record;
    assert(url->id.len == LAMBDA_URL_ID_LEN);
    TRY(record_make(&lambda_url_type, txn->arena, url, &record));
    return catalogue_put(l->urls, txn, url_key(txn->arena, &url->function), record);
}

enum err lambda_url_del(struct txn *txn, struct lambda *l, const struct lambda_name *function)
{
    return catalogue_del(l->urls, txn, url_key(txn->arena, function));
}

struct key_range lambda_urls_of(struct arena *a, const struct lambda_name *function)
{
    return key_range(a, &lambda_k_url, function->scope, function->name);
}

/* --- where it is ------------------------------------------------------------------------------ */

static bool is_name(struct str host)
{
    bool name = false;
    for (size_t i = 0; i < host.len; i++)
        name |= (host.p[i] | 0x20) >= 'a' && (host.p[i] | 0x20) <= 'z';
    return name && str_find(host, ':') == SIZE_MAX;
}

struct str lambda_url_text(struct arena *a, const struct core *core, const struct lambda_url *url)
{
    struct str endpoint = core->cfg.endpoint;
    size_t scheme = str_find_str(endpoint, STR("://"));
    assert(scheme != SIZE_MAX); /* main's check */
    struct str authority = str_sub(endpoint, scheme + 3, SIZE_MAX);
    authority = str_cut(&authority, '/');
    struct str host = host_bare(authority);
    size_t colon = str_rfind(authority, ':'), bracket = str_rfind(authority, ']');
    bool has_port = colon != SIZE_MAX && (bracket == SIZE_MAX || colon > bracket);
    struct str port = has_port ? str_sub(authority, colon, SIZE_MAX) : STR("");
    /* Nothing is below an address; what is below localhost leads to this machine (RFC 6761). */
    if (!is_name(host))
        host = STR("localhost");
    return str_fmt(a, STR_FMT "://" STR_FMT ".lambda-url." STR_FMT "." STR_FMT STR_FMT "/",
                   STR_ARG(str_n(endpoint.p, scheme)), STR_ARG(url->id),
                   STR_ARG(url->function.scope.region), STR_ARG(host), STR_ARG(port));
}
