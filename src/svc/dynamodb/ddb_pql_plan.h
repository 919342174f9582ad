/* What of a WHERE clause says where to read, and what remains of it.
 * Layer: svc/dynamodb, internal. Thread: pure. */
#ifndef WEIR_SVC_DYNAMODB_DDB_PQL_PLAN_H
#define WEIR_SVC_DYNAMODB_DDB_PQL_PLAN_H

#include "svc/dynamodb/ddb_pql.h"
#include "svc/dynamodb/dynamodb_int.h"

struct ddb_pql_plan {
    struct ddb_key_condition cond; /* hash NULL: the whole table or index is read */
    struct ddb_av *key;            /* the whole key as an item; NULL: the clause does not say it */
    struct ddb_node *rest;         /* NULL: nothing remains */
};

/* A statement, parsed once a request (ddb_memo.h). */
enum err ddb_pql_of(struct ddb_diag *diag, struct str text, const struct json *parameters,
                    struct ddb_pql *ret) WARN_UNUSED;
/* For reading a range. `where` NULL: everything. ERR_INVALID, ERR_NOMEM; so the others. */
enum err ddb_pql_plan_query(struct ddb_diag *diag, const struct ddb_key_schema *schema,
                            const struct ddb_node *where, struct ddb_pql_plan *ret) WARN_UNUSED;
/* For one item: `key` and `rest`. */
enum err ddb_pql_plan_key(struct ddb_diag *diag, const struct ddb_key_schema *schema,
                          const struct ddb_node *where, struct ddb_pql_plan *ret) WARN_UNUSED;
/* The condition that the item is there and `rest` (NULL: nothing more) holds. */
enum err ddb_pql_must_exist(struct arena *a, const struct ddb_key_schema *schema,
                            struct ddb_node *rest, struct ddb_node **ret_node) WARN_UNUSED;
/* What the clause says the hash key is, NULL: nothing. */
const struct ddb_av *ddb_pql_hash_of(const struct ddb_node *where, struct str hash);

/* Whether a clause says which partitions of an index are meant: at its top, by = or IN. */
bool ddb_pql_is_keyed(const struct ddb_node *where, struct str hash);

#endif
