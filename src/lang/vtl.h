/* Velocity Template Language as Velocity 1.7 reads it, which is what API Gateway's mapping templates
 * are written in. The language knows nothing of API Gateway: $input and its like are objects of the
 * host.
 *
 *   $x ${x} $!x $!{x}  .property  .method(a, b)  [index]      references
 *   #set #if #elseif #else #end #foreach #break #stop #macro #define, #@call(..) body #end
 *   ## line   #* block *#   #[[ as it is ]]#   \$x \#if
 *   expressions: 'text' "text with $references" 1 -2.5 true [1, 2] [1..5] {"k": v}
 *                + - * / %   == != < <= > >= (eq ne lt le gt ge)   && || ! (and or not)   ( )
 *
 * Invariants
 *   VTL1  A template is parsed once into an arena, never changes and may be shared by threads; a run
 *         owns everything else.
 *   VTL2  A run ends: steps, output, nesting and iterations have the limits below. A #foreach ends
 *         quietly after VTL_ITERATIONS_MAX turns, as Velocity's directive.foreach.maxloops has it.
 *   VTL3  What is null is printed as it is written, or not at all with `quiet` or a '!'. A method or
 *         property that is not there is null; a method that throws in Java ends the run with an error.
 *   VTL4  Lists and maps are shared by all who hold them, as Java's are: a change by one is seen by
 *         the others.
 *   VTL5  Text is UTF-8; lengths and positions are counted in UTF-16 units, as Java does.
 *
 * Source: Velocity 1.7 User Guide and VTL Reference; whitespace, escapes and corners compared with
 * Velocity 1.7 itself (tests/unit/lang/vtl).
 * Layer: lang (includes base, codec; PCRE2). Lifetime: values live in the run's arena. */
#ifndef WEIR_LANG_VTL_H
#define WEIR_LANG_VTL_H

#include "codec/json.h"

enum {
    VTL_TEMPLATE_BYTES_MAX = 300 * 1024, /* AWS's limit of a template */
    VTL_DEPTH_MAX = 60,                  /* nesting of blocks, expressions, calls and strings */
    VTL_ARGUMENTS_MAX = 64,              /* of one call */
    VTL_ITERATIONS_MAX = 1000,           /* of one #foreach; AWS's quota */
    VTL_STEPS_MAX = 1000 * 1000,         /* nodes evaluated, values and 64-byte pieces copied */
    VTL_OUTPUT_MAX = 10 * 1024 * 1024,   /* bytes; AWS's payload limit */
    VTL_TEXT_MAX = VTL_OUTPUT_MAX,       /* of one string */
    VTL_VALUE_DEPTH_MAX = 100, /* of what is written as text or JSON: lists may hold themselves */
    VTL_MACROS_MAX = 500,      /* of one template */
};

/* --- values ----------------------------------------------------------------------------------- */

enum vtl_kind {
    VTL_NULL,
    VTL_BOOL,
    VTL_INT,    /* Integer, Long */
    VTL_DOUBLE, /* Double */
    VTL_BIG,    /* BigInteger, BigDecimal: text */
    VTL_STRING,
    VTL_LIST,
    VTL_MAP,
    VTL_ENTRY,  /* of a map */
    VTL_BLOCK,  /* of #define */
    VTL_OBJECT, /* the host's */
};

struct vtl_list;
struct vtl_map;
struct vtl_entry;
struct vtl_block;
struct vtl_object;
struct vtl_run;

struct vtl_value {
    enum vtl_kind kind;
    union {
        bool b;
        int64_t i;
        double f;
        struct str s; /* VTL_STRING, VTL_BIG */
        struct vtl_list *list;
        struct vtl_map *map;
        struct vtl_entry *entry;
        const struct vtl_block *block;
        const struct vtl_object *object;
    };
};

/* An object of the host: fixed methods. Lifetime: the run's. */
struct vtl_object {
    const char *name; /* in errors, and its text */
    /* Method `name` of n arguments, or property `name` with n SIZE_MAX. *ret_v is VTL_NULL before; it
     * stays so when there is no such method. ERR_INVALID from vtl_fail: the run ends with its error;
     * other errors end it, too. */
    enum err (*call)(struct vtl_run *run, void *self, struct str name, const struct vtl_value *args,
                     size_t n, struct vtl_value *ret_v);
    void *self;
};

static inline struct vtl_value vtl_null(void)
{
    return (struct vtl_value){.kind = VTL_NULL};
}

static inline struct vtl_value vtl_bool(bool b)
{
    return (struct vtl_value){.kind = VTL_BOOL, .b = b};
}

static inline struct vtl_value vtl_int(int64_t i)
{
    return (struct vtl_value){.kind = VTL_INT, .i = i};
}

/* Borrowed by the run. */
static inline struct vtl_value vtl_string(struct str s)
{
    return (struct vtl_value){.kind = VTL_STRING, .s = s};
}

static inline struct vtl_value vtl_host(const struct vtl_object *object)
{
    return (struct vtl_value){.kind = VTL_OBJECT, .object = object};
}

/* --- templates -------------------------------------------------------------------------------- */

struct vtl_template;

/* Where and why parsing or a run failed. */
struct vtl_error {
    unsigned line, column; /* from 1; 0: nowhere */
    struct str message;    /* in the arena, or static */
};

/* Parses `text` (copied). ERR_INVALID, ERR_LIMIT with *ret_error (may be NULL); ERR_NOMEM. */
enum err vtl_parse(struct arena *a, struct str text, const struct vtl_template **ret_template,
                   struct vtl_error *ret_error) WARN_UNUSED;

/* --- runs ------------------------------------------------------------------------------------- */

/* One evaluation and what it knows. Zeroed by vtl_run_init; members are vtl_*.c's but for those named
 * public. */
struct vtl_run {
    struct arena *a; /* public: where values live */
    bool quiet;      /* public: null references print nothing (VTL3), as in API Gateway */
    void *host;      /* public: the host's */
    struct vtl_error error;
    size_t steps;
    unsigned depth, calls;
    uint64_t changes; /* public: grows with every change of a list or map */
    struct vtl_map *globals;
    struct vtl_scope *scope;
    const struct vtl_template *template;
    /* Prints a block: vtl_eval.c's, which stands above the texts of values. */
    enum err (*render)(struct vtl_run *run, const struct vtl_block *block, struct buf *out);
    int stop;    /* #break, #stop under way */
    uint32_t at; /* of what is evaluated, for errors */
    struct vtl_made {
        const void *id;
        void *object;
    } * made; /* lists and maps by the JSON they were made of */
    size_t made_n, made_cap;
};

/* Everything the run makes lives in `a`. ERR_NOMEM. */
enum err vtl_run_init(struct vtl_run *run, struct arena *a) WARN_UNUSED;
/* $name; the name is borrowed. ERR_NOMEM. */
enum err vtl_set(struct vtl_run *run, struct str name, struct vtl_value v) WARN_UNUSED;
/* The template's text, in the run's arena. ERR_INVALID (a method threw), ERR_LIMIT: *ret_error (may be
 * NULL) says where; ERR_NOMEM. A run may evaluate several templates, one after the other. */
enum err vtl_evaluate(struct vtl_run *run, const struct vtl_template *t, struct str *ret_text,
                      struct vtl_error *ret_error) WARN_UNUSED;

/* --- for hosts: values of a run --------------------------------------------------------------- */

/* Ends the run with this message; gives ERR_INVALID, to be returned. */
enum err vtl_fail(struct vtl_run *run, const char *fmt, ...) PRINTF_LIKE(2, 3) WARN_UNUSED;
/* Ends the run, which went over a limit; gives ERR_LIMIT. */
enum err vtl_exceed(struct vtl_run *run, const char *message) WARN_UNUSED;
/* Counts `n` steps of work. ERR_LIMIT. */
enum err vtl_work(struct vtl_run *run, size_t n) WARN_UNUSED;

/* A new empty list or map of the run. `json`: its text is JSON, as that of lists that were read from
 * JSON is. ERR_NOMEM. */
enum err vtl_list_new(struct vtl_run *run, bool json, struct vtl_value *ret_v) WARN_UNUSED;
enum err vtl_map_new(struct vtl_run *run, struct vtl_value *ret_v) WARN_UNUSED;
enum err vtl_list_add(struct vtl_run *run, struct vtl_list *list, struct vtl_value v) WARN_UNUSED;
/* Keys keep their order. Replaces an equal key's value. */
enum err vtl_map_put(struct vtl_run *run, struct vtl_map *map, struct vtl_value key,
                     struct vtl_value v) WARN_UNUSED;
/* VTL_NULL when it is not there. */
enum err vtl_map_get(struct vtl_run *run, struct vtl_map *map, struct str key,
                     struct vtl_value *ret_v) WARN_UNUSED;
/* Lifetime: the run's. */
struct vtl_entry {
    struct vtl_value key, value;
    uint64_t hash; /* of the key */
};
/* The entries of a map in their order, the items of a list: valid until it changes. */
enum err vtl_map_entries(struct vtl_run *run, struct vtl_map *map, struct vtl_entry ***ret_entries,
                         size_t *ret_n) WARN_UNUSED;
enum err vtl_list_items(struct vtl_run *run, struct vtl_list *list, struct vtl_value **ret_items,
                        size_t *ret_n) WARN_UNUSED;

/* The value of a JSON tree, which must outlive the run. Lists and maps are made when they are first
 * looked into, so this costs nothing for what nobody asks for. The text of a list that was read from
 * JSON is JSON, that of a map Java's {k=v}: so Jayway's lists and maps print. */
enum err vtl_of_json(struct vtl_run *run, const struct json *json,
                     struct vtl_value *ret_v) WARN_UNUSED;
/* The other way: a JSON tree in the run's arena, of which vtl_of_json gives the very lists and maps that
 * it was made of. ERR_LIMIT: too deep. */
enum err vtl_to_json(struct vtl_run *run, struct vtl_value v, struct json **ret_json) WARN_UNUSED;
/* Java's toString(); of VTL_NULL "null". */
enum err vtl_to_text(struct vtl_run *run, struct vtl_value v, struct str *ret_s) WARN_UNUSED;

#endif
