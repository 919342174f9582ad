/* The tables of resource types, and what the files of their interpreter share. The tables are made
 * by gen/type_rows.py from spec/types; what rows mean is told in spec/types/README.md.
 *
 *   type.c         the rows, and names
 *   type_check.c   properties: fit, coerced, compared
 *   type_eval.c    templates; type_filter.c: what holes are made into; type_patch.c: patch operations
 *   type_tags.c    the tags of a resource and of its stack, and what an update changes of them
 *   type_step.c    which step is next; type_run.c: a call's request, and what its result means;
 *   type_fault.c   what an error means
 *
 * Layer: svc. Thread: pure. */
#ifndef WEIR_SVC_CLOUDFORMATION_TYPE_INT_H
#define WEIR_SVC_CLOUDFORMATION_TYPE_INT_H

#include "codec/json.h"
#include "codec/json_edit.h"
#include "svc/cloudformation/type.h"

enum type_kind {
    TYPE_STRING,
    TYPE_INTEGER,
    TYPE_NUMBER,
    TYPE_BOOLEAN,
    TYPE_JSON, /* a document: object or list, or its text */
    TYPE_ANY,
    TYPE_OBJECT,
    TYPE_LIST,
    TYPE_MAP,
};

enum type_property_flags {
    TYPE_P_REQUIRED = 1,
    TYPE_P_REPLACES = 2,
    TYPE_P_MAYBE = 4,
    TYPE_P_REFUSED = 8, /* no template of the row sends it */
};

struct type_shape;

struct type_property {
    struct str name;
    int flags;
    const struct type_shape *shape;
};

struct type_shape {
    enum type_kind kind;
    const struct type_property *members; /* OBJECT */
    size_t n_members;
    const struct type_shape *of; /* LIST, MAP */
};

enum type_step_flags {
    TYPE_S_IF_GIVEN = 1,    /* runs where a property that it uses is given */
    TYPE_S_IF_CHANGED = 2,  /* and where one is another than before */
    TYPE_S_TAGS = 4,        /* it uses the tags, too */
    TYPE_S_REMOVES = 8,     /* that there is no such thing is as good */
    TYPE_S_GONE = 16,       /* for each item that is gone */
    TYPE_S_ALWAYS = 32,     /* whatever is changed */
    TYPE_S_UNTIL_GONE = 64, /* asked again until there is no such thing */
    TYPE_S_ABSENT = 128,    /* there must be no such thing yet */
};

struct type_step {
    struct str service, operation;
    const struct json *with;                 /* template of the input */
    const struct json *when, *unless;        /* NULL: always */
    const struct json *take, *live, *append; /* objects of templates */
    const struct json *tags; /* template of the tags, of a step that asks whose it is */
    const struct json *until_is, *until_one, *until_never;
    const struct json *until_past; /* error codes that pass with time */
    const struct json *uses;       /* names of properties */
    const struct json *skip;       /* error codes */
    struct str each;               /* hole without braces; absent: once */
    struct str key, lost;
    int flags, wait_ms;
};

struct type_steps {
    const struct type_step *v;
    size_t n;
};

struct type_row {
    struct str name, title;
    const struct type_shape *shape;
    struct str tags; /* property; absent: has none */
    struct type_steps create, update, delete, read, mine;
    struct {
        struct str property; /* absent: the service names it */
        size_t max;
        const struct json *suffix;
        bool lower, plain;
    } naming;
    const struct json *id;         /* template */
    const struct json *values;     /* object of templates: attributes */
    const struct json *attributes; /* names that Fn::GetAtt knows */
    const struct json *fixed;      /* properties that no update can send */
    const struct json *exists;     /* error codes */
    const struct json *only;       /* object of lists: the values that a property may have */
};

extern const struct type_row type_rows[]; /* by name */
extern const size_t type_n_rows;

/* Hidden member of the attributes: the name that was made for the thing. */
#define TYPE_NAME_MADE ":name"

/* --- one piece of work, prepared ------------------------------------------------------------------ */

struct type_run {
    const struct type_work *work;
    const struct type_row *row;
    struct arena *a;
    /* Coerced objects, never NULL. `after` is what templates see: `wanted`, or of a step that removes
     * what an update makes anew, `before`. DELETE and READ: all three are the same. */
    struct json *before, *wanted, *after;
    struct json *state;          /* attributes, to be changed */
    struct str id;               /* physical; absent: none yet */
    const struct json *output;   /* of the call that came back; NULL: none */
    const struct json *item;     /* of each; NULL: none */
    const struct json *was_item; /* the item that was in its place before the update; NULL: none */
    struct json *tags, *tags_set, *tags_unset; /* lists */
    const struct type_steps *steps;
    size_t at, nth, polls; /* cursor: step, item, times asked again */
    size_t mine; /* cursor: step of row->mine + 1, while asking whose the thing is; 0: not */
};

/* --- properties --------------------------------------------------------------------------------- */

/* A copy in which every value has its kind: "5" -> 5, "true" -> true, 5 -> "5", the text of a document
 * -> the document. What cannot be made into it stays as it is. NULL on exhaustion. */
struct json *type_coerce(struct arena *a, const struct type_shape *shape, const struct json *v);
/* Whether two trees are equal; objects in any order. */
bool type_equal(const struct json *a, const struct json *b);
/* {"Ref": ...}, {"Fn::...": ...}, {"Condition": ...}: a value that is not known yet. */
bool type_is_intrinsic(const struct json *v);
const struct type_property *type_property(const struct type_shape *shape, struct str name);

/* --- templates ---------------------------------------------------------------------------------- */

/* What a template gives; *ret_v NULL: nothing. The tree is new or shared with what it was taken from:
 * to be read only. ERR_NOMEM. */
enum err type_eval(struct type_run *run, const struct json *template,
                   const struct json **ret_v) WARN_UNUSED;
/* A hole's text, without its braces. */
enum err type_hole(struct type_run *run, struct str hole, const struct json **ret_v) WARN_UNUSED;
/* Whether a `when` holds: it gives something, and not false. */
enum err type_holds(struct type_run *run, const struct json *template, bool *ret_holds) WARN_UNUSED;
/* One filter over a value (NULL: absent). */
enum err type_filter(struct type_run *run, struct str filter, struct str source,
                     const struct json *v, const struct json **ret_v) WARN_UNUSED;
/* Adds to `out` the patch operations of one path that make `was` into `is` (NULL: absent). */
enum err type_patch_add(struct type_run *run, struct json *out, struct str path,
                        const struct json *was, const struct json *is) WARN_UNUSED;
/* Value at a path of names and indices divided by dots; NULL: none. */
const struct json *type_at(const struct json *v, struct str path);

/* --- names and tags --------------------------------------------------------------------------- */

/* The name that a resource gets which has none: STACK-LOGICAL-TOKEN. STR_NONE on exhaustion. */
struct str type_make_name(struct type_run *run);
/* Fills run->tags, tags_set and tags_unset. ERR_NOMEM. */
enum err type_tags(struct type_run *run) WARN_UNUSED;
/* Takes out of a list of live tags (or NULL) those that are CloudFormation's and the stack's. */
void type_tags_own(const struct type_run *run, struct json *tags);
/* Whether tags (a list of objects or an object) say that the thing was made by this work's resource. */
bool type_tags_are_mine(const struct type_run *run, const struct json *tags);

/* --- steps -------------------------------------------------------------------------------------- */

/* Goes on from the cursor to the next step that has something to do, and sets run->item; *ret_step NULL:
 * there is none. ERR_NOMEM. */
enum err type_seek(struct type_run *run, const struct type_step **ret_step) WARN_UNUSED;

/* --- faults: what a service's error means ------------------------------------------------------- */

/* Whether it says that there is no such thing. */
bool type_fault_is_absence(const struct core_result *result);
/* Whether it says that the thing is there already: one of `codes`, or the end of a common one. */
bool type_fault_is_presence(const struct json *codes, const struct core_result *result);
/* HandlerErrorCode. Static. */
struct str type_fault_code(const struct type_row *row, const struct core_result *result);
/* The service's message, with service, status and request id. STR_NONE on exhaustion. */
struct str type_fault_reason(struct arena *a, const struct type_row *row,
                             const struct core_result *result);

#endif
