/* The words that an expression may not use as attribute names without a '#' placeholder.
 * Layer: svc/dynamodb. Thread: pure. Source: developer guide, "Reserved words in DynamoDB". */
#ifndef WEIR_SVC_DYNAMODB_DDB_WORDS_H
#define WEIR_SVC_DYNAMODB_DDB_WORDS_H

#include "base/str.h"

/* Whether `word`, in any case, is reserved. */
bool ddb_word_reserved(struct str word);

#endif
