/* Between the operations on domains and those on their mappings. Layer: svc/apigateway. */
#ifndef WEIR_SVC_APIGATEWAY_OP_DOMAIN_INT_H
#define WEIR_SVC_APIGATEWAY_OP_DOMAIN_INT_H

#include "svc/apigateway/domain.h"
#include "svc/apigateway/op_key_int.h"

#define DOMAIN_NO_BASE_PATH "(none)"

/* The caller's, tracked, with its document. `id`: domainNameId, which is refused. NotFoundException. */
enum err domain_need(struct call *call, struct str name, struct str id, struct domain_rec *ret,
                     struct json **ret_doc) WARN_UNUSED;
/* Stages the record with its document, and the change of memory. */
enum err domain_store(struct call *call, struct domain_rec *rec,
                      const struct json *doc) WARN_UNUSED;

#endif
