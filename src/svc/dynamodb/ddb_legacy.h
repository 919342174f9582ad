/* The parameters that expressions replaced (Expected, AttributeUpdates, KeyConditions, QueryFilter,
 * ScanFilter, ConditionalOperator), translated once into the trees that expressions are parsed to, so that
 * one evaluator serves both.
 *
 * What a translation makes is kept in the diag's memo like a parsed expression (ddb_memo.h).
 *
 * Layer: svc/dynamodb, internal. Thread: pure. Source: developer guide, "Legacy conditional parameters". */
#ifndef WEIR_SVC_DYNAMODB_DDB_LEGACY_H
#define WEIR_SVC_DYNAMODB_DDB_LEGACY_H

#include "svc/dynamodb/dynamodb_int.h"

/* A parameter of a request, and whether it is there. */
struct ddb_param {
    const char *name;
    bool given;
};

/* A request uses expressions or the parameters before them, not both. Lists end with a NULL name.
 * ERR_INVALID. */
enum err ddb_check_mixed(struct ddb_diag *diag, const struct ddb_param *legacy,
                         const struct ddb_param *expressions) WARN_UNUSED;

/* NULL in *ret_node without Expected. ERR_INVALID, ERR_NOMEM; so the others. */
enum err ddb_legacy_expected(struct ddb_diag *diag,
                             const struct dynamodb_expected_attribute_map *in,
                             struct str conditional_operator,
                             struct ddb_node **ret_node) WARN_UNUSED;
/* QueryFilter and ScanFilter. */
enum err ddb_legacy_filter(struct ddb_diag *diag, const struct dynamodb_filter_condition_map *in,
                           struct str conditional_operator, struct ddb_node **ret_node) WARN_UNUSED;
/* KeyConditions, as the tree that a KeyConditionExpression has; they must be given. */
enum err ddb_legacy_key_conditions(struct ddb_diag *diag, const struct dynamodb_key_conditions *in,
                                   struct ddb_node **ret_node) WARN_UNUSED;
/* AttributeUpdates; no actions without. */
enum err ddb_legacy_updates(struct ddb_diag *diag, const struct dynamodb_attribute_updates *in,
                            struct ddb_update *ret_update) WARN_UNUSED;
/* ConditionExpression or Expected of a request, with its names and values: at most one of the two. */
struct ddb_condition_params {
    struct str expression, conditional_operator;
    const struct dynamodb_expression_attribute_name_map *names;
    const struct json *values;
    const struct dynamodb_expected_attribute_map *expected;
};
enum err ddb_condition_of(struct ddb_diag *diag, const struct ddb_condition_params *in,
                          struct ddb_node **ret_node) WARN_UNUSED;

#endif
