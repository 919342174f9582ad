/* Custom domain names: which host and path lead to which stage.
 *
 * A domain and its base path mappings are one record, mirrored in memory: a request is routed by one
 * lookup, and a mapping never changes under it.
 *
 * Layer: svc/apigateway. Thread: any. */
#ifndef WEIR_SVC_APIGATEWAY_DOMAIN_H
#define WEIR_SVC_APIGATEWAY_DOMAIN_H

#include "base/record.h"
#include "core/catalogue.h"
#include "kv/key.h"

struct apigateway;

enum {
    DOMAIN_MAPPINGS_MAX = 200, /* of a domain */
    DOMAIN_ARENA_MAX = 1024 * 1024,
};

struct domain_mapping {
    struct str base_path; /* "": everything that no other mapping takes */
    struct str api_id;
    struct str stage; /* absent: the path goes on with it */
};

/* A domain as stored. */
struct domain_rec {
    struct str name, account, region;
    struct str json; /* DomainName, without tags */
    struct domain_mapping *mappings;
    size_t n_mappings;
};
extern const struct record_type domain_type;

struct domain_object {
    struct catalogue_object object;
    struct domain_rec rec;
};
extern const struct catalogue_type domain_catalogue;
enum err domain_load(struct txn *txn, void *gw) WARN_UNUSED;

/* Where a request goes. Texts: the transaction's arena, or the request's path. */
struct domain_route {
    struct key_scope scope;
    struct str api_id, stage; /* stage absent: the path has none either */
    struct str base_path;     /* as mapped, without slashes */
    struct str path;          /* what is left, with its slash at the start: "/cars" */
};

/* Whether the host (without port, any case) is a custom domain: for a claim's match. Costs next to
 * nothing while there is no domain. */
bool domain_is(struct apigateway *gw, struct str host);
/* The mapping with the longest base path that `path` (without query) begins with. ERR_NOT_FOUND: no such
 * domain, or no mapping (403 Forbidden on AWS). ERR_NOMEM. */
enum err domain_find(struct apigateway *gw, struct txn *txn, struct str host, struct str path,
                     struct domain_route *ret) WARN_UNUSED;

/* Names of the domains that have a mapping to the API, of one stage where that is given, ", " between them, in the
 * transaction's arena; absent: none has. O(domains). */
enum err domain_names_of(struct apigateway *gw, struct txn *txn, struct str api_id,
                         struct str stage, struct str *ret_names) WARN_UNUSED;

/* The mapping of a path, pure; NULL: none. */
const struct domain_mapping *domain_mapping_of(const struct domain_rec *rec, struct str path,
                                               struct str *ret_rest);

#endif
