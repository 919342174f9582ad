/* Tokens of statements, and what the parts of their parser share.
 * Layer: svc/dynamodb, internal to ddb_pql*.c. Thread: pure. */
#ifndef WEIR_SVC_DYNAMODB_DDB_PQL_INT_H
#define WEIR_SVC_DYNAMODB_DDB_PQL_INT_H

#include "svc/dynamodb/ddb_lex.h"
#include "svc/dynamodb/ddb_pql.h"

enum pql_token_kind {
    PQL_END,
    PQL_WORD,   /* abc1 */
    PQL_QUOTED, /* "abc" */
    PQL_STRING, /* 'abc' */
    PQL_NUMBER, /* 1.5e3 */
    PQL_PARAM,  /* ? */
    PQL_SIGN,   /* ( ) [ ] { } , . : * = <> != < <= > >= << >> + - */
};

struct pql {
    struct ddb_diag *diag;
    struct arena *arena;
    struct str text;
    size_t at; /* behind the token */
    enum pql_token_kind kind;
    struct str token;         /* decoded */
    const struct json *param; /* the next parameter; NULL: no more */
    size_t depth, operators, parens;
};

/* "Statement wasn't well formed, can't be processed: <message>" */
enum err ddb_pql_error(struct pql *p, const char *message) WARN_UNUSED;
enum err ddb_pql_next(struct pql *p) WARN_UNUSED;
/* The token is this sign or, in any case, this word. */
bool ddb_pql_is(const struct pql *p, const char *text);
/* Moves past it where it is; *ret_was says whether. */
enum err ddb_pql_accept(struct pql *p, const char *text, bool *ret_was) WARN_UNUSED;
enum err ddb_pql_expect(struct pql *p, const char *text) WARN_UNUSED;
/* One level deeper; the caller takes it back. */
enum err ddb_pql_deeper(struct pql *p) WARN_UNUSED;
/* Whether a literal begins here. */
bool ddb_pql_at_literal(const struct pql *p);
enum err ddb_pql_literal(struct pql *p, struct ddb_av **ret_av) WARN_UNUSED;
/* A name that is no keyword, or is quoted. */
enum err ddb_pql_name(struct pql *p, struct str *ret_name) WARN_UNUSED;
enum err ddb_pql_path(struct pql *p, const struct ddb_path **ret_path) WARN_UNUSED;
/* A condition (WHERE), and a value of SET. */
enum err ddb_pql_condition(struct pql *p, struct ddb_node **ret_node) WARN_UNUSED;
enum err ddb_pql_operand(struct pql *p, struct ddb_node **ret_node) WARN_UNUSED;
/* A word that a parenthesis follows. */
bool ddb_pql_at_function(const struct pql *p);
struct ddb_node *ddb_pql_value_node(struct pql *p, const struct ddb_av *av);
struct ddb_node *ddb_pql_path_node(struct pql *p, const struct ddb_path *path);

#endif
