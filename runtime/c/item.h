/* DynamoDB's attribute values in JSON: {"S":"text"}, {"N":"7"}.
 *
 * Layer: runtime/c (includes codec). Pure; texts borrow from the tree. */
#ifndef WEIR_RUNTIME_ITEM_H
#define WEIR_RUNTIME_ITEM_H

#include "codec/json.h"

/* "name":{"S":"value"} into the object that is open. */
void item_put_s(struct json_out *o, const char *name, struct str value);
/* "name":{"N":"7"} */
void item_put_n(struct json_out *o, const char *name, int64_t value);

/* The string; absent when the item is NULL, lacks it, or has it as something else. */
struct str item_get_s(const struct json *item, const char *name);
/* The whole number; 0 where there is none. */
int64_t item_get_n(const struct json *item, const char *name);

#endif
