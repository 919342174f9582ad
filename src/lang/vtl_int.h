/* What vtl_*.c share: the tree of a template, values, scopes. See vtl.h.
 *
 * Layer: lang, private. Thread: pure. */
#ifndef WEIR_LANG_VTL_INT_H
#define WEIR_LANG_VTL_INT_H

#include "lang/vtl.h"

enum {
    VTL_CALLS_MAX = 20, /* macros and blocks within one another: Velocity's velocimacro.max.depth */
};

/* --- the tree --------------------------------------------------------------------------------- */

enum vtl_op {
    VTL_OR,
    VTL_AND,
    VTL_NOT,
    VTL_EQ,
    VTL_NE,
    VTL_LT,
    VTL_LE,
    VTL_GT,
    VTL_GE,
    VTL_ADD,
    VTL_SUB,
    VTL_MUL,
    VTL_DIV,
    VTL_MOD,
};

enum vtl_expr_kind {
    VTL_E_LITERAL,
    VTL_E_TEXT, /* "with $references" */
    VTL_E_REF,
    VTL_E_LIST,
    VTL_E_RANGE,
    VTL_E_MAP, /* keys and values by turns */
    VTL_E_OP,
    VTL_E_WORD, /* a bare word, argument of an unknown directive */
};

struct vtl_expr {
    enum vtl_expr_kind kind;
    enum vtl_op op;
    uint32_t at;
    struct str literal; /* as it is written */
    struct vtl_value value;
    struct vtl_node *body; /* VTL_E_TEXT */
    struct vtl_ref *ref;
    struct vtl_expr **items; /* VTL_E_LIST, VTL_E_MAP; both ends of a range; operands */
    size_t n;
};

enum vtl_part_kind { VTL_P_PROPERTY, VTL_P_METHOD, VTL_P_INDEX };

struct vtl_part {
    struct vtl_part *next;
    enum vtl_part_kind kind;
    uint32_t at;
    struct str name;
    struct vtl_expr **args; /* of an index: one */
    size_t n;
};

/* [\\..] [prefix] $[!][{]name parts[}] */
struct vtl_ref {
    struct str name;
    struct str literal; /* from the dollar on */
    size_t slashes;     /* in front of the dollar */
    bool quiet;
    uint32_t at;
    struct vtl_part *parts;
};

enum vtl_node_kind {
    VTL_N_TEXT,
    VTL_N_REF,
    VTL_N_SET,
    VTL_N_IF,
    VTL_N_FOREACH,
    VTL_N_BREAK,
    VTL_N_STOP,
    VTL_N_DEFINE,
    VTL_N_CALL, /* of a macro, or text when there is none of the name */
};

struct vtl_node {
    struct vtl_node *next;
    enum vtl_node_kind kind;
    uint32_t at;
    struct str text;     /* VTL_N_TEXT; VTL_N_CALL: as it is written */
    struct str name;     /* VTL_N_CALL: macro; VTL_N_FOREACH, VTL_N_DEFINE: variable */
    struct vtl_ref *ref; /* VTL_N_REF, VTL_N_SET */
    struct vtl_expr *expr;
    struct vtl_node *body;
    struct vtl_node *otherwise; /* VTL_N_IF: an #elseif as VTL_N_IF, or what follows #else */
    struct vtl_expr **args;     /* VTL_N_CALL */
    size_t n;
    bool has_body; /* VTL_N_CALL: #@name() body #end */
    bool is_chain; /* VTL_N_IF: `otherwise` is an #elseif */
};

struct vtl_macro {
    struct vtl_macro *next;
    struct str name;
    struct str *params;
    size_t n;
    struct vtl_node *body;
};

struct vtl_template {
    struct str text;
    struct vtl_node *body;
    struct vtl_macro *macros; /* the last of a name counts */
    size_t n_macros;
};

/* --- parsing ---------------------------------------------------------------------------------- */

struct vtl_parser {
    struct arena *a;
    const char *p, *start, *end;
    struct vtl_template *t;
    unsigned depth;
    int64_t outer_at; /* in a string: where that stands; -1 */
    /* All of a text's statements: vtl_parse.c's, which stands above the expressions. */
    enum err (*body)(struct vtl_parser *ps, struct vtl_node **ret_body);
    const char *message;
    const char *fault;
};

/* Notes the fault; gives ERR_INVALID. */
enum err vtl_parse_fail(struct vtl_parser *ps, const char *message) WARN_UNUSED;
uint32_t vtl_parse_at(const struct vtl_parser *ps, const char *p);
bool vtl_is_space(char c);
bool vtl_is_word_start(char c);
bool vtl_is_word(char c);
void vtl_skip_space(struct vtl_parser *ps);
/* One deeper. ERR_LIMIT. */
enum err vtl_parse_enter(struct vtl_parser *ps) WARN_UNUSED;
/* At the dollar; slashes in front of it were counted. *ret_ref NULL and nothing taken: no reference. */
enum err vtl_parse_ref(struct vtl_parser *ps, struct vtl_ref **ret_ref) WARN_UNUSED;
enum err vtl_parse_expr(struct vtl_parser *ps, struct vtl_expr **ret_x) WARN_UNUSED;
/* What stands as an argument: no operators. */
enum err vtl_parse_primary(struct vtl_parser *ps, struct vtl_expr **ret_x) WARN_UNUSED;
enum err vtl_args_add(struct vtl_parser *ps, struct vtl_expr ***args, size_t *n, size_t *cap,
                      struct vtl_expr *x) WARN_UNUSED;

/* --- values ----------------------------------------------------------------------------------- */

struct vtl_list {
    struct vtl_value *v;
    size_t n, cap;
    bool json;                 /* prints as JSON */
    bool fixed;                /* asList, keySet of nothing that changes: cannot grow */
    const struct json *source; /* not read yet */
};

struct vtl_map {
    struct vtl_entry **v;
    size_t n, cap;
    uint32_t *index; /* slots of v, by hash; NULL while there are few */
    size_t index_cap;
    const struct json *source; /* not read yet */
};

struct vtl_block {
    const struct vtl_node *body;
    bool in_scope; /* runs in `scope`, not where it is printed */
    struct vtl_scope *scope;
};

/* A macro's call. */
struct vtl_scope {
    struct vtl_scope *outer;
    const struct vtl_macro *macro; /* params are evaluated where they are asked for, in `outer` */
    const struct vtl_node *call;
    struct vtl_map *locals;
    const struct vtl_block *body; /* $bodyContent */
};

enum { VTL_GO_ON, VTL_BREAK, VTL_STOP };

/* Line and column of a byte of a text. */
void vtl_place(struct str text, size_t at, struct vtl_error *error);

bool vtl_same(struct vtl_run *run, struct vtl_value a, struct vtl_value b, enum err *err);
enum err vtl_list_load(struct vtl_run *run, struct vtl_list *list) WARN_UNUSED;
enum err vtl_map_load(struct vtl_run *run, struct vtl_map *map) WARN_UNUSED;
/* vtl_map_put of what no document holds: not a change. */
enum err vtl_map_set(struct vtl_run *run, struct vtl_map *map, struct vtl_value key,
                     struct vtl_value v) WARN_UNUSED;
/* NULL: not there. */
struct vtl_entry *vtl_map_find(struct vtl_map *map, struct vtl_value key);
enum err vtl_map_remove(struct vtl_run *run, struct vtl_map *map, struct vtl_value key,
                        struct vtl_value *ret_old) WARN_UNUSED;
bool vtl_is_number(struct vtl_value v);
double vtl_as_double(struct vtl_value v);
/* A JSON number as Java reads it. */
struct vtl_value vtl_number_of(struct str text);

/* By what a node of JSON is known in run->made. */
const void *vtl_json_id(const struct json *node);
/* From now on the list or map stands for the node. */
enum err vtl_made_put(struct vtl_run *run, const void *id, void *object) WARN_UNUSED;

/* --- text ------------------------------------------------------------------------------------- */

/* Double.toString() */
void vtl_put_double(struct buf *b, double v);
enum err vtl_put_text(struct vtl_run *run, struct buf *b, struct vtl_value v) WARN_UNUSED;
enum err vtl_put_json(struct vtl_run *run, struct buf *b, struct vtl_value v) WARN_UNUSED;

/* --- evaluation ------------------------------------------------------------------------------- */

/* Whether a condition holds that gave v. */
bool vtl_holds(const struct vtl_expr *x, struct vtl_value v);
/* Binary arithmetic and comparison of values. */
enum err vtl_binary(struct vtl_run *run, const struct vtl_expr *x, struct vtl_value a,
                    struct vtl_value b, struct vtl_value *ret_v) WARN_UNUSED;

/* Methods and properties by kind of value. *ret_v is VTL_NULL before, and stays so when there is no
 * such method. */
struct vtl_call {
    struct vtl_run *run;
    struct vtl_value self;
    struct str name;
    const struct vtl_value *args;
    size_t n;
};
enum err vtl_call_method(const struct vtl_call *c, struct vtl_value *ret_v) WARN_UNUSED;
enum err vtl_call_string(const struct vtl_call *c, struct vtl_value *ret_v) WARN_UNUSED;
enum err vtl_call_list(const struct vtl_call *c, struct vtl_value *ret_v) WARN_UNUSED;
enum err vtl_call_map(const struct vtl_call *c, struct vtl_value *ret_v) WARN_UNUSED;
enum err vtl_call_number(const struct vtl_call *c, struct vtl_value *ret_v) WARN_UNUSED;
/* replaceAll, replaceFirst, matches, split. */
enum err vtl_call_regex(const struct vtl_call *c, struct vtl_value *ret_v,
                        bool *ret_known) WARN_UNUSED;
enum err vtl_property(struct vtl_run *run, struct vtl_value self, struct str name,
                      struct vtl_value *ret_v) WARN_UNUSED;

#endif
