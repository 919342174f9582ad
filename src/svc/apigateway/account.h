/* What the data plane asks of an account. Layer: svc/apigateway. */
#ifndef WEIR_SVC_APIGATEWAY_ACCOUNT_H
#define WEIR_SVC_APIGATEWAY_ACCOUNT_H

#include "core/txn.h"
#include "kv/key.h"

/* The role that access and execution logs are written under; absent: none was set, so nothing is. Tracked,
 * in the transaction's arena. */
enum err apigateway_account_role(struct txn *txn, struct key_scope scope,
                                 struct str *ret_arn) WARN_UNUSED;

#endif
