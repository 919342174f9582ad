/* DynamoDB from a function: calls whose failures are sentences for the log, and lists page by page.
 *
 * Layer: runtime/c. Thread: the client's. */
#ifndef WEIR_RUNTIME_DYNAMODB_H
#define WEIR_RUNTIME_DYNAMODB_H

#include "aws.h"

enum { DYNAMODB_PAGE_BYTES_MAX = 128 * 1024 * 1024 }; /* of memory, for one page of a list */

/* Operation "PutItem" with the request that `body` holds (its sticky error is returned). ERR_CONFLICT: the
 * request's condition does not hold. Another error but ERR_NOMEM has a sentence in *ret_why (arena). ret_json
 * as aws_json's, may be NULL. */
enum err dynamodb_call(struct aws *aws, struct arena *a, const char *operation,
                       const struct buf *body, const struct json **ret_json,
                       struct str *ret_why) WARN_UNUSED;

/* Calls `each` with every item that Query or Scan finds, page by page; an item lives until it returns. Its
 * error ends the reading. `request`: the JSON object of the first page. `a` holds only what is left at the
 * end. Errors as above. */
typedef enum err dynamodb_each_fn(void *arg, const struct json *item, struct str *ret_why);
enum err dynamodb_each(struct aws *aws, struct arena *a, const char *operation, struct str request,
                       dynamodb_each_fn *each, void *arg, struct str *ret_why) WARN_UNUSED;

#endif
