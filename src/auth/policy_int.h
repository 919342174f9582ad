/* The parsed form of a policy, shared by the files that build and evaluate it.
 *
 * Layer: auth. Thread: immutable after parsing. */
#ifndef WEIR_AUTH_POLICY_INT_H
#define WEIR_AUTH_POLICY_INT_H

#include "auth/policy.h"

/* --- patterns: text with wildcards and variables ---------------------------------------------- */

enum {
    PATTERN_STAR = 0x100,      /* any run */
    PATTERN_ANY = 0x101,       /* any one byte */
    PATTERN_VARIABLE = 0x8000, /* | index into variables */
};

struct pattern_variable {
    struct str name;
    struct str fallback; /* absent: none */
};

/* Codes below 0x100 are the byte itself, so that "${*}" and the text of variables stay literal. */
struct pattern {
    const uint16_t *codes;
    size_t n;
    const struct pattern_variable *variables;
    size_t n_variables;
};

/* wild: '*' and '?' are special; variables: "${...}" is (policy version 2012-10-17).
 * ERR_INVALID a broken variable; ERR_LIMIT; ERR_NOMEM. */
enum err pattern_compile(struct arena *a, struct str text, bool wild, bool variables,
                         struct pattern *ret) WARN_UNUSED;
/* Why a pattern could not be compared; added to what is there. */
struct pattern_trouble {
    bool failed;     /* no memory */
    bool unresolved; /* a variable is not in the request, and has no default */
};
/* False also in trouble. */
bool pattern_match(const struct pattern *p, struct str text, bool fold_case,
                   const struct policy_context *ctx, struct pattern_trouble *trouble);
/* The same with the six parts of an ARN matched one by one. */
bool pattern_match_arn(const struct pattern *p, struct str arn, const struct policy_context *ctx,
                       struct pattern_trouble *trouble);

/* --- conditions ------------------------------------------------------------------------------- */

enum cond_type {
    COND_STRING,
    COND_STRING_NOCASE,
    COND_NUMERIC,
    COND_DATE,
    COND_BOOL,
    COND_BINARY,
    COND_IP,
    COND_ARN,
    COND_NULL,
};

enum cond_compare { COMPARE_EQ, COMPARE_LT, COMPARE_LE, COMPARE_GT, COMPARE_GE };

enum cond_over { OVER_SINGLE, OVER_ALL, OVER_ANY };

struct cond_net {
    uint8_t addr[16]; /* IPv4 is mapped (RFC 4291 section 2.5.5.2) */
    unsigned prefix;  /* bits, of 128 */
};

struct cond_value {
    struct pattern pattern; /* string, ARN */
    struct str bytes;       /* binary */
    double number;
    int64_t ms;
    bool flag;
    struct cond_net net;
};

struct cond {
    enum cond_type type;
    enum cond_compare compare;
    bool negated;
    bool if_exists;
    enum cond_over over;
    struct str key;
    const struct cond_value *values;
    size_t n;
};

/* Parses the operator's name into *c (type, compare, negated, if_exists, over) and whether its
 * values are globs. ERR_INVALID unknown. */
enum err cond_parse_operator(struct str name, struct cond *c, bool *ret_wild) WARN_UNUSED;
/* One value of the policy, as text. ERR_INVALID, ERR_LIMIT, ERR_NOMEM. */
enum err cond_parse_value(struct arena *a, const struct cond *c, bool wild, bool variables,
                          struct str text, struct cond_value *ret) WARN_UNUSED;

/* NO and YES are sure; UNKNOWN is a comparison that could not be made (P1). */
enum cond_answer { COND_NO, COND_YES, COND_UNKNOWN };
enum cond_answer cond_eval(const struct cond *c, const struct policy_context *ctx);

/* --- statements ------------------------------------------------------------------------------- */

enum principal_entry_kind {
    ENTRY_ANYONE,
    ENTRY_ACCOUNT,
    ENTRY_ARN,
    ENTRY_ID, /* unique id of a user, a role, or a role and its session */
    ENTRY_SERVICE,
    ENTRY_FEDERATED
};

struct principal_entry {
    enum principal_entry_kind kind;
    struct str text; /* account digits, ARN, id, service or provider */
};

struct pattern_list {
    const struct pattern *v;
    size_t n;
};

struct statement {
    bool allow;
    bool has_principal, not_principal;
    bool not_action;
    bool has_resource, not_resource;
    struct pattern_list actions, resources;
    const struct principal_entry *principals;
    size_t n_principals;
    const struct cond *conds;
    size_t n_conds;
};

struct policy {
    enum policy_kind kind;
    const struct statement *statements;
    size_t n;
};

#endif
