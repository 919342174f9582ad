/* OpenID Connect providers: whose tokens may be exchanged for a role's credentials. A record each, found by
 * account and URL; STS reads it when a token comes, so none is kept in memory.
 *
 * The URL is kept without "https://", as AWS shows it and as ARNs and condition keys name it. Thumbprints are kept
 * and shown: who a provider's server is, certificates that the machine trusts say, as on AWS for most providers.
 *
 * Source: IAM API Reference; IAM User Guide, "Create an OpenID Connect (OIDC) identity provider in IAM".
 * Layer: svc. Thread: the transaction's. */
#include "svc/iam/iam_provider.h"
#include "base/arn.h"
#include "base/record.h"

static const struct record_field provider_fields[] = {
    REC_STR(struct iam_provider, url),
    REC_INT(struct iam_provider, created_ms),
    REC_LIST(struct iam_provider, clients, n_clients, IAM_PROVIDER_CLIENTS_MAX, &record_str),
    REC_LIST(struct iam_provider, thumbprints, n_thumbprints, IAM_PROVIDER_THUMBPRINTS_MAX,
             &record_str),
    REC_STRUCT(struct iam_provider, tags, &iam_tags_type),
};
static const struct record_type provider_type =
    RECORD_TYPE(struct iam_provider, 1, provider_fields);

static struct str provider_key(struct arena *a, struct str account, struct str url)
{
    const struct key_scope scope = {account, STR("")};
    return key_make(a, &iam_k_provider, scope, url);
}

struct str iam_provider_arn(const struct iam *iam, struct arena *a, struct str account,
                            struct str url)
{
    const struct arn arn = {
        .partition = iam->core->cfg.partition, .service = STR("iam"), .account = account};
    return arn_make(a, &arn, IAM_PROVIDER "/" STR_FMT, STR_ARG(url));
}

enum err iam_provider_load(struct txn *txn, struct str account, struct str url,
                           struct iam_provider *ret)
{
    struct str record;
    *ret = (struct iam_provider){0};
    TRY(txn_get(txn, provider_key(txn->arena, account, url), &record));
    return record_unpack_copy(&provider_type, txn->arena, record, ret);
}

enum err iam_provider_store(struct txn *txn, struct str account, const struct iam_provider *p)
{
    struct str record;
    TRY(record_make(&provider_type, txn->arena, p, &record));
    return txn_put(txn, provider_key(txn->arena, account, p->url), record);
}

enum err iam_provider_remove(struct txn *txn, struct str account, struct str url)
{
    return txn_del(txn, provider_key(txn->arena, account, url));
}

/* --- the list --------------------------------------------------------------------------------- */

struct providers {
    struct iam_provider *v;
    struct arena *a;
    size_t n;
};

static enum err take(void *arg, struct str key, struct str record)
{
    struct providers *l = arg;
    if (l->n == IAM_PROVIDERS_MAX)
        return ERR_LIMIT;
    return record_unpack_copy(&provider_type, l->a, record, &l->v[l->n++]);
}

enum err iam_provider_list(struct txn *txn, struct str account, struct iam_provider **ret,
                           size_t *ret_n)
{
    struct providers l = {.a = txn->arena,
                          .v = ARENA_ARRAY(txn->arena, struct iam_provider, IAM_PROVIDERS_MAX)};
    if (!l.v)
        return ERR_NOMEM;
    const struct key_scope scope = {account, STR("")};
    TRY(txn_each(txn, key_range(txn->arena, &iam_k_provider, scope), take, &l));
    *ret = l.v;
    *ret_n = l.n;
    return ERR_OK;
}

/* --- whom others ask about -------------------------------------------------------------------- */

bool iam_provider_of_arn(struct str text, struct str *ret_account, struct str *ret_url)
{
    struct arn arn;
    if (arn_parse_as(text, "iam", IAM_PROVIDER, &arn) != ERR_OK)
        return false;
    *ret_account = arn.account;
    *ret_url = arn_tail(&arn, 1);
    return str_is_set(*ret_url) && ret_url->len > 0;
}

struct str iam_provider_url(struct str url)
{
    static const struct str schemes[] = {STR_INIT("https://"), STR_INIT("http://")};
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (str_starts(url, schemes[i]))
            return str_sub(url, schemes[i].len, SIZE_MAX);
    return url;
}

enum err iam_web_provider(void *self, struct txn *txn, struct str account, struct str url,
                          struct iam_web_provider *ret)
{
    struct iam_provider p;
    TRY(iam_provider_load(txn, account, iam_provider_url(url), &p));
    *ret = (struct iam_web_provider){.arn = iam_provider_arn(self, txn->arena, account, p.url),
                                     .client_ids = p.clients,
                                     .n_client_ids = p.n_clients};
    return str_is_set(ret->arn) ? ERR_OK : ERR_NOMEM;
}
