/* What schema_*.c share. See schema.h. */
#ifndef WEIR_LANG_SCHEMA_INT_H
#define WEIR_LANG_SCHEMA_INT_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "lang/decimal.h"
#include "lang/equal.h"
#include "lang/schema.h"

/* In the order in which messages list them. */
enum schema_type {
    TYPE_ARRAY,
    TYPE_BOOLEAN,
    TYPE_INTEGER,
    TYPE_NULL,
    TYPE_NUMBER,
    TYPE_OBJECT,
    TYPE_STRING,
    TYPES_N,
};
extern const char *const schema_type_names[TYPES_N];

struct schema_number {
    bool present;
    struct str text;
    struct decimal d;
};

struct schema_pattern {
    struct str text;
    pcre2_code *code;
};

struct schema_nodes {
    struct schema_node **v;
    size_t n;
};

/* A member of "properties", "patternProperties" or "dependencies". */
struct schema_member {
    struct str name;
    struct schema_pattern pattern; /* patternProperties */
    struct schema_node *node;      /* NULL: `names` */
    const struct json *names;      /* dependencies: an array of strings */
};

struct schema_members {
    struct schema_member *v; /* properties: sorted by name */
    size_t n;
};

/* What comes beyond the items and properties that are named. */
struct schema_rest {
    bool refused;
    struct schema_node *node; /* NULL: anything, or nothing when refused */
};

struct schema_node {
    const struct json *source;
    struct schema_node *next_todo;
    struct schema_node *ref;   /* then nothing else counts */
    unsigned types;            /* bit per schema_type; 0: any */
    const struct json *values; /* enum */
    struct schema_number minimum, maximum, multiple_of;
    bool exclusive_minimum, exclusive_maximum, unique;
    int64_t min_length, max_length, min_items, max_items, min_properties,
        max_properties; /* -1 none */
    struct schema_pattern pattern;
    struct schema_members properties, pattern_properties, dependencies;
    struct schema_rest additional_properties, additional_items;
    struct schema_node *item;  /* one schema for all items */
    struct schema_nodes items; /* or one for each */
    bool has_items_list;
    const struct json *required;
    struct schema_nodes all_of, any_of, one_of;
    struct schema_node * not ;
};

struct schema {
    struct schema_node *root;
    pcre2_match_context *limits;
};

/* --- schema_ref.c: documents and what is where in them ----------------------------------------- */

struct schema_place {
    const struct json *at; /* NULL: free slot */
    struct str base;
    struct schema_node *node; /* NULL until compiled */
};

struct schema_id {
    struct str uri; /* absolute, may have a fragment */
    const struct json *at;
};

struct schema_registry {
    struct arena *a;
    const struct schema_resolver *resolver;
    struct schema_place *places; /* hash by address */
    size_t places_n, places_cap;
    struct schema_id *ids;
    size_t ids_n;
    size_t documents_n;
    struct str message; /* with ERR_INVALID */
};

PRINTF_LIKE(2, 3) enum err schema_bad(struct schema_registry *r, const char *fmt, ...);
/* Parses and indexes a document. */
enum err schema_document_add(struct schema_registry *r, struct str uri, struct str text,
                             const struct json **ret_root) WARN_UNUSED;
/* What `ref` in the schema at `from` leads to. */
enum err schema_ref_find(struct schema_registry *r, const struct json *from, struct str ref,
                         const struct json **ret_at) WARN_UNUSED;
/* The slot of `at`, with what encloses it as base when it is new. */
enum err schema_place_of(struct schema_registry *r, const struct json *at, struct str base,
                         struct schema_place **ret_place) WARN_UNUSED;

extern const char schema_draft4_uri[];
extern const char schema_draft4_text[];

#endif
