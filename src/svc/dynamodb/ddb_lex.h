/* Tokens of expressions, and the state that the parsers of ddb_parse.c and ddb_update.c share.
 * Layer: svc/dynamodb, internal to the expression files. Thread: pure. */
#ifndef WEIR_SVC_DYNAMODB_DDB_LEX_H
#define WEIR_SVC_DYNAMODB_DDB_LEX_H

#include "svc/dynamodb/ddb_expr.h"

enum ddb_token_kind {
    TOKEN_END,
    TOKEN_WORD,   /* abc1 */
    TOKEN_NAME,   /* #abc */
    TOKEN_VALUE,  /* :abc */
    TOKEN_NUMBER, /* 12 */
    TOKEN_SIGN,   /* ( ) [ ] . , + - = < > <= >= <> */
    TOKEN_BAD,    /* any other character: no grammar takes it */
};

struct ddb_token {
    enum ddb_token_kind kind;
    struct str text;
};

struct ddb_parser {
    struct ddb_env *env;
    struct ddb_diag *diag;
    struct arena *arena;
    const char *kind; /* "UpdateExpression", for messages */
    struct str text;
    struct ddb_token *tokens; /* the last is TOKEN_END */
    size_t pos;
    size_t operators;
    size_t depth;
    size_t parens; /* open ones around the current token, in conditions */
};

/* Cuts `text` into tokens. ERR_INVALID: too long or empty. */
enum err ddb_parser_init(struct ddb_parser *p, struct ddb_env *env, const char *kind,
                         struct str text) WARN_UNUSED;

static inline const struct ddb_token *ddb_token(const struct ddb_parser *p)
{
    return &p->tokens[p->pos];
}

/* The token is this sign or (case folded) this keyword. */
bool ddb_token_is(const struct ddb_token *t, const char *text);
/* Moves past the token when it is `text`. */
bool ddb_accept(struct ddb_parser *p, const char *text);
/* Moves past it or fails. */
enum err ddb_expect(struct ddb_parser *p, const char *text) WARN_UNUSED;
/* Syntax error at the current token, in AWS's wording. */
enum err ddb_syntax_error(struct ddb_parser *p) WARN_UNUSED;
/* "Invalid <kind>: <message>" */
enum err ddb_parse_error(struct ddb_parser *p, const char *fmt, ...) PRINTF_LIKE(2, 3) WARN_UNUSED;
/* Counts one operator against the limit. */
enum err ddb_count_operator(struct ddb_parser *p) WARN_UNUSED;

/* a.b[0].#c */
enum err ddb_parse_path(struct ddb_parser *p, struct ddb_path *ret_path) WARN_UNUSED;
/* path, :value or function(...), which may stand in parentheses; `update` decides which functions
 * there are. */
enum err ddb_parse_operand(struct ddb_parser *p, bool update,
                           struct ddb_node **ret_node) WARN_UNUSED;
/* After what began at token `inner` behind a parenthesis: its end, and no parentheses around
 * parentheses. */
enum err ddb_close_paren(struct ddb_parser *p, size_t inner) WARN_UNUSED;
/* Goes one level deeper, within DDB_EXPR_DEPTH_MAX; the caller takes it back. */
enum err ddb_deeper(struct ddb_parser *p) WARN_UNUSED;
/* Node with room for `n` arguments; NULL on exhaustion. */
struct ddb_node *ddb_node_new(struct arena *a, enum ddb_op op, size_t n);

#endif
