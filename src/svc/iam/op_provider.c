/* OpenID Connect providers: made, shown, changed, listed, tagged.
 *
 * Layer: svc. Thread: the call's loop. */
#include "base/arn.h"
#include "svc/iam/iam_provider.h"

/* --- lookups ---------------------------------------------------------------------------------- */

/* ERR_NOT_FOUND. */
static enum err look(struct call *call, struct str arn, struct iam_provider *ret)
{
    struct str account, url;
    if (!iam_provider_of_arn(arn, &account, &url))
        return call_error(call, &iam_err_validation, "Invalid ARN: " STR_FMT, STR_ARG(arn));
    return str_eq(account, call->account) ? iam_provider_load(call->txn, account, url, ret)
                                          : ERR_NOT_FOUND;
}

static enum err get_provider(struct call *call, struct str arn, struct iam_provider *ret)
{
    enum err err = look(call, arn, ret);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &iam_err_no_such_entity_exception,
                          "OpenIDConnect Provider not found for arn " STR_FMT, STR_ARG(arn));
    return err;
}

static size_t find(const struct str *v, size_t n, struct str text)
{
    size_t i = 0;
    while (i < n && !str_eq(v[i], text))
        i++;
    return i;
}

/* --- checks ----------------------------------------------------------------------------------- */

/* "https", a host without a port, no query: IAM API Reference, CreateOpenIDConnectProvider. Where Weir may ask this
 * machine itself (--outgoing-loopback), plain HTTP and a port are as good: there nobody has a certificate. */
static bool url_fits(const struct call *call, struct str url)
{
    bool open = call->core->cfg.outgoing_loopback && str_starts(url, STR("http://"));
    struct str rest = iam_provider_url(url);
    if ((!open && !str_starts(url, STR("https://"))) || rest.len == 0)
        return false;
    for (size_t i = 0; i < rest.len; i++) {
        unsigned char c = (unsigned char)rest.p[i];
        if (c <= ' ' || c >= 0x7f || c == '?' || c == '#' || c == '@' || c == '*')
            return false;
    }
    struct str host = str_cut(&rest, '/');
    return host.len > 0 && (open || str_find(host, ':') == SIZE_MAX);
}

static enum err check_thumbprints(struct call *call, const struct iam_thumbprint_list_type *list)
{
    if (list->n > IAM_PROVIDER_THUMBPRINTS_MAX)
        return call_error(call, &iam_err_invalid_input_exception,
                          "Thumbprint list must contain fewer than %d entries.",
                          IAM_PROVIDER_THUMBPRINTS_MAX);
    return ERR_OK;
}

/* The list without what stands in it twice. */
static enum err take_clients(struct call *call, const struct iam_client_id_list_type *list,
                             struct iam_provider *p)
{
    struct str *v = ARENA_ARRAY(call->arena, struct str, IAM_PROVIDER_CLIENTS_MAX);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < list->n; i++) {
        if (find(v, p->n_clients, list->v[i]) < p->n_clients)
            continue;
        if (p->n_clients == IAM_PROVIDER_CLIENTS_MAX)
            return call_error(call, &iam_err_limit_exceeded_exception,
                              "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: %d",
                              IAM_PROVIDER_CLIENTS_MAX);
        v[p->n_clients++] = list->v[i];
    }
    p->clients = v;
    return ERR_OK;
}

/* --- create, show, list, delete --------------------------------------------------------------- */

static enum err check_free(struct call *call, const struct iam_provider *p)
{
    struct iam_provider *all, there;
    size_t n;
    enum err err = iam_provider_load(call->txn, call->account, p->url, &there);
    if (err == ERR_OK)
        return call_error(call, &iam_err_entity_already_exists_exception,
                          "Provider with url " STR_FMT " already exists.", STR_ARG(p->url));
    if (err != ERR_NOT_FOUND)
        return err;
    TRY(iam_provider_list(call->txn, call->account, &all, &n));
    return n < IAM_PROVIDERS_MAX
               ? ERR_OK
               : call_error(call, &iam_err_limit_exceeded_exception,
                            "Cannot exceed quota for OpenIdConnectProvidersPerAccount: %d",
                            IAM_PROVIDERS_MAX);
}

enum err
iam_create_open_id_connect_provider(struct call *call,
                                    const struct iam_create_open_id_connect_provider_input *in,
                                    struct iam_create_open_id_connect_provider_output *out)
{
    struct iam_provider *p = ARENA_NEW(call->arena, struct iam_provider);
    if (!p)
        return ERR_NOMEM;
    if (!url_fits(call, in->url))
        return call_error(call, &iam_err_validation, "Invalid Open ID Connect Provider URL");
    p->url = iam_provider_url(in->url);
    p->created_ms = call->txn->wall_ms;
    TRY(check_thumbprints(call, &in->thumbprint_list));
    p->thumbprints = in->thumbprint_list.v;
    p->n_thumbprints = in->thumbprint_list.n;
    TRY(take_clients(call, &in->client_id_list, p));
    TRY(check_free(call, p));
    TRY(iam_merge_tags(call, &p->tags, TAGS_FROM(in->tags)));
    TRY(iam_provider_store(call->txn, call->account, p));
    out->open_id_connect_provider_arn =
        iam_provider_arn(iam_of(call), call->arena, call->account, p->url);
    TAGS_INTO(out->tags, p->tags);
    return str_is_set(out->open_id_connect_provider_arn) ? ERR_OK : ERR_NOMEM;
}

enum err iam_get_open_id_connect_provider(struct call *call,
                                          const struct iam_get_open_id_connect_provider_input *in,
                                          struct iam_get_open_id_connect_provider_output *out)
{
    struct iam_provider *p = ARENA_NEW(call->arena, struct iam_provider);
    if (!p)
        return ERR_NOMEM;
    TRY(get_provider(call, in->open_id_connect_provider_arn, p));
    out->url = p->url;
    out->client_id_list = (struct iam_client_id_list_type){p->clients, p->n_clients};
    out->thumbprint_list = (struct iam_thumbprint_list_type){p->thumbprints, p->n_thumbprints};
    WIRE_SET(out, create_date, p->created_ms);
    TAGS_INTO(out->tags, p->tags);
    return ERR_OK;
}

enum err
iam_list_open_id_connect_providers(struct call *call,
                                   const struct iam_list_open_id_connect_providers_input *in,
                                   struct iam_list_open_id_connect_providers_output *out)
{
    struct iam_provider *all;
    size_t n;
    TRY(iam_provider_list(call->txn, call->account, &all, &n));
    struct iam_open_id_connect_provider_list_entry *v =
        ARENA_ARRAY(call->arena, struct iam_open_id_connect_provider_list_entry, n + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        v[i].arn = iam_provider_arn(iam_of(call), call->arena, call->account, all[i].url);
        if (!str_is_set(v[i].arn))
            return ERR_NOMEM;
    }
    out->open_id_connect_provider_list = (struct iam_open_id_connect_provider_list_type){v, n};
    return ERR_OK;
}

/* Of one that is not there it says nothing, as AWS. Roles that name it are left as they are. */
enum err
iam_delete_open_id_connect_provider(struct call *call,
                                    const struct iam_delete_open_id_connect_provider_input *in,
                                    struct iam_delete_open_id_connect_provider_output *out)
{
    struct iam_provider *p = ARENA_NEW(call->arena, struct iam_provider);
    if (!p)
        return ERR_NOMEM;
    enum err err = look(call, in->open_id_connect_provider_arn, p);
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(err);
    return iam_provider_remove(call->txn, call->account, p->url);
}

/* --- changes ---------------------------------------------------------------------------------- */

enum err iam_update_open_id_connect_provider_thumbprint(
    struct call *call, const struct iam_update_open_id_connect_provider_thumbprint_input *in,
    struct iam_update_open_id_connect_provider_thumbprint_output *out)
{
    struct iam_provider *p = ARENA_NEW(call->arena, struct iam_provider);
    if (!p)
        return ERR_NOMEM;
    TRY(get_provider(call, in->open_id_connect_provider_arn, p));
    TRY(check_thumbprints(call, &in->thumbprint_list));
    p->thumbprints = in->thumbprint_list.v;
    p->n_thumbprints = in->thumbprint_list.n;
    return iam_provider_store(call->txn, call->account, p);
}

enum err iam_add_client_id_to_open_id_connect_provider(
    struct call *call, const struct iam_add_client_id_to_open_id_connect_provider_input *in,
    struct iam_add_client_id_to_open_id_connect_provider_output *out)
{
    struct iam_provider *p = ARENA_NEW(call->arena, struct iam_provider);
    if (!p)
        return ERR_NOMEM;
    TRY(get_provider(call, in->open_id_connect_provider_arn, p));
    struct str *v = ARENA_ARRAY(call->arena, struct str, p->n_clients + 1);
    if (!v)
        return ERR_NOMEM;
    if (p->n_clients)
        memcpy(v, p->clients, p->n_clients * sizeof(*v));
    v[p->n_clients] = in->client_id;
    const struct iam_client_id_list_type all = {v, p->n_clients + 1};
    p->n_clients = 0;
    TRY(take_clients(call, &all, p));
    return iam_provider_store(call->txn, call->account, p);
}

/* Of one that is not in the list it says nothing, as AWS. */
enum err iam_remove_client_id_from_open_id_connect_provider(
    struct call *call, const struct iam_remove_client_id_from_open_id_connect_provider_input *in,
    struct iam_remove_client_id_from_open_id_connect_provider_output *out)
{
    struct iam_provider *p = ARENA_NEW(call->arena, struct iam_provider);
    if (!p)
        return ERR_NOMEM;
    TRY(get_provider(call, in->open_id_connect_provider_arn, p));
    size_t at = find(p->clients, p->n_clients, in->client_id), n = 0;
    struct str *v = ARENA_ARRAY(call->arena, struct str, p->n_clients + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < p->n_clients; i++)
        if (i != at)
            v[n++] = p->clients[i];
    p->clients = v;
    p->n_clients = n;
    return iam_provider_store(call->txn, call->account, p);
}

/* --- tags ------------------------------------------------------------------------------------- */

enum err iam_tag_open_id_connect_provider(struct call *call,
                                          const struct iam_tag_open_id_connect_provider_input *in,
                                          struct iam_tag_open_id_connect_provider_output *out)
{
    struct iam_provider *p = ARENA_NEW(call->arena, struct iam_provider);
    if (!p)
        return ERR_NOMEM;
    TRY(get_provider(call, in->open_id_connect_provider_arn, p));
    TRY(iam_merge_tags(call, &p->tags, TAGS_FROM(in->tags)));
    return iam_provider_store(call->txn, call->account, p);
}

enum err
iam_untag_open_id_connect_provider(struct call *call,
                                   const struct iam_untag_open_id_connect_provider_input *in,
                                   struct iam_untag_open_id_connect_provider_output *out)
{
    struct iam_provider *p = ARENA_NEW(call->arena, struct iam_provider);
    if (!p)
        return ERR_NOMEM;
    TRY(get_provider(call, in->open_id_connect_provider_arn, p));
    TRY(iam_drop_tags(call, &p->tags, &in->tag_keys));
    return iam_provider_store(call->txn, call->account, p);
}

enum err iam_list_open_id_connect_provider_tags(
    struct call *call, const struct iam_list_open_id_connect_provider_tags_input *in,
    struct iam_list_open_id_connect_provider_tags_output *out)
{
    struct iam_provider *p = ARENA_NEW(call->arena, struct iam_provider);
    if (!p)
        return ERR_NOMEM;
    TRY(get_provider(call, in->open_id_connect_provider_arn, p));
    return iam_list_tags(call, IAM_PAGE(call, in, out, in->open_id_connect_provider_arn), &p->tags,
                         &out->tags);
}
