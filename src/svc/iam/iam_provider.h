/* OpenID Connect providers: their records. See iam_provider.c.
 *
 * Layer: svc, private. */
#ifndef WEIR_SVC_IAM_IAM_PROVIDER_H
#define WEIR_SVC_IAM_IAM_PROVIDER_H

#include "svc/iam/iam_int.h"

/* IAM User Guide, "IAM and AWS STS quotas". */
enum {
    IAM_PROVIDERS_MAX = 100,
    IAM_PROVIDER_CLIENTS_MAX = 100,
    IAM_PROVIDER_THUMBPRINTS_MAX = 5,
};
#define IAM_PROVIDER "oidc-provider"

/* Lifetime: the transaction's. */
struct iam_provider {
    struct str url; /* without its scheme */
    int64_t created_ms;
    const struct str *clients; /* in the order in which they came */
    size_t n_clients;
    const struct str *thumbprints;
    size_t n_thumbprints;
    struct iam_tags tags;
};

struct str iam_provider_arn(const struct iam *iam, struct arena *a, struct str account,
                            struct str url);
/* Tracked read. ERR_NOT_FOUND. */
enum err iam_provider_load(struct txn *txn, struct str account, struct str url,
                           struct iam_provider *ret) WARN_UNUSED;
enum err iam_provider_store(struct txn *txn, struct str account,
                            const struct iam_provider *p) WARN_UNUSED;
enum err iam_provider_remove(struct txn *txn, struct str account, struct str url) WARN_UNUSED;
/* All of an account, by URL. */
enum err iam_provider_list(struct txn *txn, struct str account, struct iam_provider **ret,
                           size_t *ret_n) WARN_UNUSED;
/* Whether the ARN is a provider's, and which one's. */
bool iam_provider_of_arn(struct str arn, struct str *ret_account, struct str *ret_url);
/* A URL without its scheme. */
struct str iam_provider_url(struct str url);

#endif
