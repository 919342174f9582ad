/* Inside the service: the record of a repository, and what operations share.
 *
 * A repository never holds an image: nothing here stores, scans, expires or encrypts one, so its
 * settings are facts that are told, and hold of every image there is.
 *
 * Layer: svc/ecr. Thread: the transaction's. */
#ifndef WEIR_SVC_ECR_ECR_INT_H
#define WEIR_SVC_ECR_ECR_INT_H

#include "ecr_api.h"

#include "base/arn.h"
#include "base/record.h"
#include "core/core.h"
#include "core/page.h"
#include "core/tags.h"
#include "svc/ecr/ecr.h"
#include "svc/ecr/ecr_keys.h"

enum { ECR_PAGE = 100, ECR_FILTERS_MAX = 5 };

struct ecr_filter {
    struct str type, filter;
};

struct ecr_record {
    int64_t created_ms;
    struct str mutability;
    struct ecr_filter *filters; /* of tags that the mutability is not about */
    size_t n_filters;
    bool scan_on_push;
    struct str encryption, kms_key; /* kms_key: absent with AES256 */
    struct str policy;              /* as core_policy_stored gave it; absent: none */
    struct str lifecycle;           /* as it was given; absent: none */
    int64_t lifecycle_ms;           /* when */
};

/* ERR_NOT_FOUND. */
enum err ecr_read(struct txn *txn, struct key_scope scope, struct str name,
                  struct ecr_record *ret) WARN_UNUSED;
enum err ecr_parse(struct arena *a, struct str record, struct ecr_record *ret) WARN_UNUSED;
enum err ecr_write(struct call *call, struct str name, const struct ecr_record *r) WARN_UNUSED;
struct str ecr_arn(struct call *call, struct str name);

/* For operations: RepositoryNotFoundException, also where `registry` (absent: the caller's) is another's. */
enum err ecr_need(struct call *call, struct str registry, struct str name,
                  struct ecr_record *ret) WARN_UNUSED;
/* page_start's and page_scan's ERR_INVALID as the service says it. */
enum err ecr_paged(struct call *call, enum err err) WARN_UNUSED;

/* svc_def.resource_policy (op_policy.c). */
enum err ecr_resource_policy(void *self, struct txn *txn, struct str arn,
                             struct str *ret_json) WARN_UNUSED;

extern const struct tags_service ecr_tags;

#define ECR_INVALID(call, ...) call_error((call), &ecr_err_invalid_parameter_exception, __VA_ARGS__)

#endif
