/* Table and index definitions from requests, with CreateTable's and UpdateTable's checks.
 * Layer: svc/dynamodb, internal. Thread: the call's. */
#ifndef WEIR_SVC_DYNAMODB_DDB_SCHEMA_H
#define WEIR_SVC_DYNAMODB_DDB_SCHEMA_H

#include "svc/dynamodb/dynamodb_int.h"

/* CreateTable: stages the definition. `filling`: a job puts its items there, and nobody uses the table until it is done
 * (ddb_import.c). */
enum err ddb_create_table(struct call *call, struct ddb_diag *diag,
                          const struct dynamodb_create_table_input *in, bool filling,
                          struct ddb_table **ret_table) WARN_UNUSED;

/* Everything below is made in `a` and borrows from the request. */
enum err ddb_defs_from(struct ddb_diag *diag, struct arena *a,
                       const struct dynamodb_attribute_definitions *in,
                       struct ddb_attribute_def **ret_defs, size_t *ret_n) WARN_UNUSED;
/* At most a HASH and a RANGE attribute: what tables and local indexes have. `at` says where it is. */
enum err ddb_check_key_length(struct ddb_diag *diag, const struct dynamodb_key_schema *in,
                              const char *at, size_t index) WARN_UNUSED;
/* The schema's names in order, with types looked up in the table's definitions. */
enum err ddb_schema_from(struct ddb_diag *diag, const struct ddb_table *table,
                         const struct dynamodb_key_schema *in,
                         struct ddb_key_schema *ret_schema) WARN_UNUSED;
/* The same of a table or local index: no further attributes. */
enum err ddb_simple_schema_from(struct ddb_diag *diag, const struct ddb_table *table,
                                const struct dynamodb_key_schema *in,
                                struct ddb_key_schema *ret_schema) WARN_UNUSED;
enum err ddb_projection_from(struct ddb_diag *diag, struct arena *a,
                             const struct dynamodb_projection *in,
                             struct ddb_index *index) WARN_UNUSED;
/* Throughput that fits the billing mode; `what` names the table or index in messages. */
enum err ddb_throughput_from(struct ddb_diag *diag, bool on_demand,
                             const struct dynamodb_provisioned_throughput *in,
                             struct ddb_throughput *ret_throughput) WARN_UNUSED;
/* Every definition is used by some key, the other way round is ddb_schema_from's. */
enum err ddb_check_defs_used(struct ddb_diag *diag, const struct ddb_table *table) WARN_UNUSED;
/* Whether some key of the table or an index uses the attribute. */
bool ddb_def_used(const struct ddb_table *table, struct str name);
/* Settings that Weir does not have are refused, never stored and ignored. */
enum err ddb_refuse_settings(struct call *call, const struct dynamodb_warm_throughput *warm,
                             const struct dynamodb_on_demand_throughput *on_demand) WARN_UNUSED;

#endif
