/* Values and items in the text form of Amazon Ion, as exports write them.
 *
 *   S string · N decimal · B blob · BOOL bool · NULL null · L list · M struct
 *   SS NS BS   list with the annotation $dynamodb_SS, $dynamodb_NS, $dynamodb_BS
 *
 * Layer: svc/dynamodb. Thread: pure. Source: developer guide, "DynamoDB table export output format"; Amazon Ion
 * specification 1.0, "Text encoding". */
#ifndef WEIR_SVC_DYNAMODB_DDB_ION_H
#define WEIR_SVC_DYNAMODB_DDB_ION_H

#include "svc/dynamodb/ddb_value.h"

/* What every line begins with. */
#define DDB_ION_MARK "$ion_1_0 "

/* A field's name: a symbol, quoted where it must be. */
void ddb_ion_put_name(struct buf *b, struct str name);
/* A value, of the depth that items may have. */
void ddb_ion_put(struct buf *b, const struct ddb_av *v);

#endif
