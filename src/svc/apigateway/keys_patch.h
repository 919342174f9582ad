/* Patch operations on documents (RFC 6902 as far as API Gateway goes): which paths there are is a table.
 * Source: API Gateway API Reference, "Patch operations".
 * Layer: svc/apigateway. Thread: the transaction's. */
#ifndef WEIR_SVC_APIGATEWAY_KEYS_PATCH_H
#define WEIR_SVC_APIGATEWAY_KEYS_PATCH_H

#include "svc/apigateway/apigateway_int.h"

enum { PATCH_ADD = 1, PATCH_REPLACE = 2, PATCH_REMOVE = 4 };

enum patch_kind {
    PATCH_TEXT,
    PATCH_BOOL,
    PATCH_NUMBER,
    PATCH_WHOLE, /* an object or list: it can be removed only */
    PATCH_OWN,   /* the table's own function does it */
};

struct patch_rule {
    const char *path; /* "/throttle/rateLimit"; "*" as a part is any member; "**" what is left */
    enum patch_kind kind;
    unsigned ops;
};

struct patch_table {
    const struct patch_rule *rules;
    size_t n;
    /* For PATCH_OWN. NULL: there are none. */
    enum err (*own)(struct call *call, struct json *doc,
                    const struct apigateway_patch_operation *op);
};

/* Applies them in order; the document is changed in place. BadRequestException. */
enum err keys_patch(struct call *call, struct json *doc, const struct patch_table *table,
                    const struct apigateway_list_of_patch_operation *ops) WARN_UNUSED;

#endif
