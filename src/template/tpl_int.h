/* What the files of the template language share. See template.h for the whole.
 *
 *   tpl_fault.c   refusals and texts of lists          tpl_read.c    text -> tree
 *   tpl_tree.c    which function a value calls         tpl_sub.c     pieces of Fn::Sub's text
 *   tpl_store.c   the Parameter Store's values         tpl_param.c   parameters
 *   tpl_text.c    functions on values (Join, Cidr)     tpl_eval.c    calls functions, decides conditions
 *   tpl_expand.c  AWS::Include, AWS::LanguageExtensions  tpl_form.c  sections and their shapes
 *   tpl_check.c   calls and references of all branches  tpl_rules.c  the section Rules
 *   tpl_graph.c   what comes after what, circles       tpl_open.c    all of these in order
 *   tpl_summary.c GetTemplateSummary, capabilities
 *
 * Each needs only those above it (tidy.py checks it). Layer: template. */
#ifndef WEIR_TEMPLATE_TPL_INT_H
#define WEIR_TEMPLATE_TPL_INT_H

#include "base/map.h"
#include "template/template.h"

/* --- sentences ----------------------------------------------------------------------------------- */

/* What a function must look like, in AWS's words where they are known; behind "Template error: ". */
#define TPL_SAY_REF "every Ref object must have a single String value."
#define TPL_SAY_GET_ATT                                                                            \
    "every Fn::GetAtt object requires two non-empty parameters, the resource name "                \
    "and the resource attribute"
#define TPL_SAY_SUB                                                                                \
    "One or more Fn::Sub intrinsic functions don't specify expected arguments. "                   \
    "Specify a string as first argument, and an optional second argument to "                      \
    "specify a mapping of values to replace in the string"
#define TPL_SAY_SUB_NAME                                                                           \
    "variable names in Fn::Sub syntax must contain only alphanumeric characters, "                 \
    "underscores, periods, and colons"
#define TPL_SAY_JOIN                                                                               \
    "every Fn::Join object requires two parameters, (1) a string delimiter and (2) "               \
    "a list of strings to be joined or a function that returns a list of strings "                 \
    "(such as Fn::GetAZs) to be joined."
#define TPL_SAY_SPLIT                                                                              \
    "every Fn::Split object requires two parameters, (1) a string delimiter and "                  \
    "(2) a string to be split or a function that returns a string to be split."
#define TPL_SAY_SELECT                                                                             \
    "Fn::Select requires a list argument with two elements: an integer index and a "               \
    "list"
#define TPL_SAY_CIDR                                                                               \
    "every Fn::Cidr object requires three parameters, (1) an IP block, (2) a count "               \
    "and (3) a number of bits."
#define TPL_SAY_FIND_IN_MAP                                                                        \
    "every Fn::FindInMap object requires three parameters, the map name, map key "                 \
    "and the attribute for return value"
#define TPL_SAY_IF                                                                                 \
    "Fn::If requires a list argument with three elements: the name of a condition, "               \
    "and the values for true and for false"
#define TPL_SAY_AND                                                                                \
    "every Fn::And object requires a list of at least 2 and at most 10 boolean "                   \
    "parameters."
#define TPL_SAY_OR                                                                                 \
    "every Fn::Or object requires a list of at least 2 and at most 10 boolean "                    \
    "parameters."
#define TPL_SAY_NOT "every Fn::Not object requires one boolean parameter."
#define TPL_SAY_EQUALS "every Fn::Equals object requires a list of 2 string parameters."
#define TPL_SAY_UNSUPPORTED                                                                        \
    "Encountered unsupported function: %.*s Supported functions are: [Fn::Base64, "                \
    "Fn::GetAtt, Fn::GetAZs, Fn::ImportValue, Fn::Join, Fn::Split, Fn::FindInMap, "                \
    "Fn::Select, Ref, Fn::Equals, Fn::If, Fn::Not, Condition, Fn::And, Fn::Or, "                   \
    "Fn::Contains, Fn::EachMemberEquals, Fn::EachMemberIn, Fn::ValueOf, "                          \
    "Fn::ValueOfAll, Fn::RefAll, Fn::Sub, Fn::Cidr]"
#define TPL_SAY_WORK "the template asks for too much work."

#define TPL_SAY_BOOLEAN                                                                            \
    "Template format error: Conditions can only be boolean operations on parameters and other "    \
    "conditions"

/* --- tpl_fault.c ------------------------------------------------------------------------------- */

/* ERR_INVALID with the message, or ERR_NOMEM. */
enum err tpl_refuse(struct arena *a, struct tpl_fault *fault, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* Names of a refusal, in order, each once: "[A, B]". */
struct tpl_names {
    struct str *p;
    size_t n, cap;
};
enum err tpl_names_add(struct arena *a, struct tpl_names *names, struct str name) WARN_UNUSED;
struct str tpl_names_text(struct arena *a, const struct tpl_names *names);
/* Refuses names that are asked for in a block of the template and are not there; ERR_OK: there are none. */
enum err tpl_refuse_missing(struct arena *a, struct tpl_fault *fault,
                            const struct tpl_names *missing, const char *block) WARN_UNUSED;
/* A map that its arena releases. */
enum err tpl_map_init(struct arena *a, struct map *map) WARN_UNUSED;

/* --- tpl_tree.c -------------------------------------------------------------------------------- */

enum tpl_fn {
    TPL_NONE, /* no call: a plain value */
    TPL_REF,
    TPL_GET_ATT,
    TPL_SUB,
    TPL_JOIN,
    TPL_SELECT,
    TPL_SPLIT,
    TPL_FIND_IN_MAP,
    TPL_BASE64,
    TPL_CIDR,
    TPL_GET_AZS,
    TPL_IMPORT_VALUE,
    TPL_TRANSFORM,
    TPL_IF,
    TPL_LENGTH,
    TPL_TO_JSON_STRING,
    TPL_AND, /* from here on boolean */
    TPL_OR,
    TPL_NOT,
    TPL_EQUALS,
    TPL_CONTAINS, /* from here on of Rules */
    TPL_EACH_MEMBER_EQUALS,
    TPL_EACH_MEMBER_IN,
    TPL_REF_ALL,
    TPL_VALUE_OF,
    TPL_VALUE_OF_ALL,
    TPL_UNKNOWN, /* "Fn::" and something else */
};

/* What `v` calls: an object of one member with a function's name. */
enum tpl_fn tpl_fn_of(const struct json *v, const struct json **ret_arg);
const char *tpl_fn_name(enum tpl_fn fn);
/* The child at an index; NULL: there is none. O(index). */
const struct json *tpl_item(const struct json *list, size_t index);
/* A scalar's text: text as it is, numbers as written, true and false; STR_NONE of others. */
struct str tpl_scalar(const struct json *v);
bool tpl_is_scalar(const struct json *v);
bool tpl_is_alphanumeric(struct str s);
/* "AWS::Region" and the like. */
bool tpl_is_pseudo(struct str name);
#define TPL_NO_VALUE "AWS::NoValue"
/* A Ref to AWS::NoValue. */
bool tpl_is_no_value(const struct json *v);
#define TPL_FOR_EACH "Fn::ForEach::"

/* --- tpl_sub.c --------------------------------------------------------------------------------- */

/* The next piece of Fn::Sub's text in *rest: a literal, or a variable's name. false: there is no more.
 * ${!x} is a literal without its '!'. */
struct tpl_piece {
    struct str literal; /* to be copied */
    struct str name;    /* absent: only a literal */
};
bool tpl_sub_next(struct str *rest, struct tpl_piece *ret_piece);
/* Letters, digits, '_', '.', ':' only, as names are. */
bool tpl_sub_name_ok(struct str name);

/* --- the opened template ------------------------------------------------------------------------- */

struct tpl_condition {
    struct str name;
    const struct json *rule;
    enum { TPL_UNDECIDED, TPL_DECIDING, TPL_FALSE, TPL_TRUE } state;
};

/* As written, whether its condition holds or not. */
struct tpl_declared {
    struct str id;
    const struct json *body;
    struct tpl_resource *made; /* NULL: its condition does not hold, or it is not yet known */
    size_t index;              /* of `made` */
};

struct tpl {
    struct arena *arena;
    const struct tpl_world *world;
    const struct json *tree;
    bool extensions;
    struct tpl_parameter *parameters;
    size_t parameter_n;
    struct map parameter_by; /* key -> struct tpl_parameter */
    struct tpl_condition *conditions;
    size_t condition_n;
    struct map condition_by; /* name -> struct tpl_condition */
    struct tpl_declared *declared;
    size_t declared_n;
    struct map declared_by; /* id -> struct tpl_declared */
    bool built;             /* `made` says what is there */
    struct tpl_resource *resources;
    size_t resource_n;
    struct tpl_output *outputs;
    size_t output_n;
};

/* --- tpl_store.c ------------------------------------------------------------------------------- */

/* Text with every {{resolve:...}} replaced by what it names; `s` itself when it has none. `shown`: those to
 * secrets stay. */
enum err tpl_store_resolve(const struct tpl_world *w, struct arena *a, struct str s, bool shown,
                           struct str *ret_s, struct tpl_fault *fault) WARN_UNUSED;

/* --- tpl_param.c ------------------------------------------------------------------------------- */

/* Fills parameters and their map. */
enum err tpl_param_read(struct tpl *t, struct tpl_fault *fault) WARN_UNUSED;
/* CommaDelimitedList and List<>, those of the store included. */
bool tpl_param_is_list(const struct tpl_parameter *p);

/* --- tpl_text.c -------------------------------------------------------------------------------- */

/* One call's work (TP2), and what it is about. */
struct tpl_run {
    struct tpl *t;
    struct arena *a; /* of results */
    struct tpl_fault *fault;
    tpl_lookup_fn *lookup; /* NULL: no resource may be asked for */
    void *arg;
    const char *block; /* "Resources", "Conditions", "Outputs", "Rules": for refusals */
    size_t steps, made;
    size_t in_call; /* calls that wait for their arguments */
    bool prune;     /* only Fn::If and AWS::NoValue are done */
    bool shown;     /* without what is not to be shown */
    bool partial;   /* something was left as written */
};

/* Counts a value, or what looking through `n` members costs. ERR_INVALID: too many. */
enum err tpl_step(struct tpl_run *r) WARN_UNUSED;
enum err tpl_look(struct tpl_run *r, size_t n) WARN_UNUSED;
/* Counts text that is made. */
enum err tpl_made(struct tpl_run *r, size_t bytes) WARN_UNUSED;

enum err tpl_text_join(struct tpl_run *r, struct str delimiter, const struct json *list,
                       struct json **ret_v) WARN_UNUSED;
enum err tpl_text_split(struct tpl_run *r, struct str delimiter, struct str source,
                        struct json **ret_v) WARN_UNUSED;
enum err tpl_text_select(struct tpl_run *r, const struct json *index, const struct json *list,
                         struct json **ret_v) WARN_UNUSED;
enum err tpl_text_base64(struct tpl_run *r, struct str text, struct json **ret_v) WARN_UNUSED;
enum err tpl_text_cidr(struct tpl_run *r, const struct json *args, struct json **ret_v) WARN_UNUSED;
enum err tpl_text_zones(struct tpl_run *r, struct str region, struct json **ret_v) WARN_UNUSED;

/* --- tpl_eval.c -------------------------------------------------------------------------------- */

/* `v` with its functions called. *ret_v NULL: no value. */
enum err tpl_eval(struct tpl_run *r, const struct json *v, struct json **ret_v) WARN_UNUSED;
/* A boolean function's result, of Conditions and Rules. */
enum err tpl_eval_bool(struct tpl_run *r, const struct json *v, bool *ret_yes) WARN_UNUSED;
/* Whether a condition of that name holds; a name that is none is refused. */
enum err tpl_eval_condition(struct tpl_run *r, struct str name, bool *ret_yes) WARN_UNUSED;

/* --- tpl_expand.c ------------------------------------------------------------------------------ */

/* Whether tpl_expand would change anything. */
bool tpl_expands(const struct json *tree, const struct tpl_world *world);
/* What tpl_expand gives of a tree that it changes. */
enum err tpl_expand_tree(struct arena *a, const struct json *tree, const struct tpl_world *world,
                         struct json **ret_tree, struct tpl_fault *ret_fault) WARN_UNUSED;

/* --- tpl_form.c, tpl_check.c, tpl_rules.c, tpl_graph.c ----------------------------------------- */

/* The sections' shapes, names, numbers. */
enum err tpl_form_check(struct tpl *t, struct tpl_fault *fault) WARN_UNUSED;
/* Calls, references and names in all branches. */
enum err tpl_check_all(struct tpl *t, struct tpl_fault *fault) WARN_UNUSED;
enum err tpl_rules_check(struct tpl *t, struct tpl_fault *fault) WARN_UNUSED;
/* Fills `after` of all resources; circles are named. */
enum err tpl_graph_make(struct tpl *t, struct tpl_fault *fault) WARN_UNUSED;
/* Refuses what asks for a resource that is not there. `found`, when given, hears of each resource. */
typedef enum err tpl_found_fn(void *arg, struct tpl_declared *d);
enum err tpl_graph_walk(struct tpl *t, const struct json *v, struct tpl_names *missing,
                        tpl_found_fn *found, void *arg) WARN_UNUSED;

#endif
