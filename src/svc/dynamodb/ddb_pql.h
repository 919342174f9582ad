/* PartiQL statements, parsed to the trees of expressions (ddb_expr.h), so that one evaluator runs both.
 *
 *   statement = SELECT ( * | path {, path} ) FROM name [. name] [WHERE or] [ORDER BY path [ASC|DESC]]
 *             | INSERT INTO name VALUE literal
 *             | UPDATE name { SET path = value {, path = value} | REMOVE path {, path} } [WHERE or]
 *               [RETURNING ( ALL | MODIFIED ) ( OLD | NEW ) *]
 *             | DELETE FROM name [WHERE or] [RETURNING ALL OLD *]
 *             | EXISTS ( select )
 *   or        = and { OR and }
 *   and       = not { AND not }
 *   not       = NOT not | ( or ) | function | operand test
 *   test      = op operand | [NOT] BETWEEN operand AND operand | [NOT] IN [ operand, ... ]
 *             | IS [NOT] MISSING | IS [NOT] NULL
 *   operand   = path | literal | size ( path ) | ( operand )
 *   value     = operand [(+|-) operand] | list_append | set_add | set_delete | if_not_exists
 *   literal   = 'text' | number | TRUE | FALSE | NULL | ? | [ literal, ... ] | << literal, ... >>
 *             | { 'name' : literal, ... }
 *
 * Literals become DynamoDB's JSON of values and go through its reader (ddb_value.h), which keeps DV1 for all
 * values alike. Recursion is bounded by DDB_PQL_DEPTH_MAX, operators by DDB_EXPR_OPERATORS_MAX, text by the spec.
 *
 * Layer: svc/dynamodb. Thread: pure. Source: developer guide, "PartiQL - a SQL-compatible query language". */
#ifndef WEIR_SVC_DYNAMODB_DDB_PQL_H
#define WEIR_SVC_DYNAMODB_DDB_PQL_H

#include "svc/dynamodb/ddb_expr.h"

enum {
    DDB_PQL_DEPTH_MAX = 100, /* parentheses and NOTs, lists and maps in each other */
    DDB_PQL_LITERAL_BYTES_MAX = 16 * 1024 * 1024, /* of a literal as JSON, parameters included */
};

enum ddb_pql_kind {
    DDB_PQL_SELECT,
    DDB_PQL_INSERT,
    DDB_PQL_UPDATE,
    DDB_PQL_DELETE,
    DDB_PQL_EXISTS, /* with what its SELECT has */
};

enum ddb_pql_returning {
    DDB_PQL_NOTHING,
    DDB_PQL_ALL_OLD,
    DDB_PQL_ALL_NEW,
    DDB_PQL_MODIFIED_OLD,
    DDB_PQL_MODIFIED_NEW,
};

struct ddb_pql {
    enum ddb_pql_kind kind;
    struct str table, index; /* index absent: none */
    struct ddb_paths paths;  /* of SELECT; none: all */
    struct ddb_node *where;  /* NULL: none */
    struct ddb_av *item;     /* of INSERT, of type M */
    struct ddb_update update;
    enum ddb_pql_returning returning;
    const struct ddb_path *order; /* NULL: none */
    bool descending;
};

/* `parameters` NULL: none. What comes out lives in diag's arena and borrows from both. ERR_INVALID in AWS's
 * words, ERR_NOMEM. */
enum err ddb_pql_parse(struct ddb_diag *diag, struct str text, const struct json *parameters,
                       struct ddb_pql *ret) WARN_UNUSED;

#endif
