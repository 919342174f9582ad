/* Patch operations: what every Update operation of API Gateway takes, by one table for each kind of
 * document.
 *
 *   {"op": "replace", "path": "/requestTemplates/application~1json", "value": "{}"}
 *
 * A path is a JSON pointer (RFC 6901: "~1" is '/', "~0" is '~'). A row of the table is a path whose last
 * segment may be a variable:
 *   /name                     a member
 *   /tlsConfig/insecure       a member of a member, which is made when it is not there
 *   /requestTemplates/{type}  an entry of a map
 *   /binaryMediaTypes/[type]  an element of a list of texts, which the path or the value names
 *
 * Values are text whatever their type. An empty text takes a member away; in a map it is a value.
 *
 * Source: API Gateway API Reference, "PatchOperation"; the paths of each kind, ibid., "Patch
 * Operations". Layer: svc/apigateway. Thread: the transaction's. */
#ifndef WEIR_SVC_APIGATEWAY_APIGATEWAY_PATCH_H
#define WEIR_SVC_APIGATEWAY_APIGATEWAY_PATCH_H

#include "apigateway_api.h"

#include "codec/json_edit.h"

enum {
    APIGATEWAY_PATCH_DEPTH = 32, /* segments of a path; a throttled method's has those of its own */
    APIGATEWAY_PATCHES_MAX = 1000,
};

enum apigateway_patch_op {
    APIGATEWAY_ADD = 1,
    APIGATEWAY_REMOVE = 2,
    APIGATEWAY_REPLACE = 4,
    APIGATEWAY_EDIT = APIGATEWAY_ADD | APIGATEWAY_REMOVE | APIGATEWAY_REPLACE,
};

enum apigateway_patch_type {
    APIGATEWAY_TEXT,
    APIGATEWAY_BOOL,
    APIGATEWAY_INT,
    APIGATEWAY_NUMBER,
};

struct apigateway_patch_row {
    const char *path;
    unsigned ops; /* enum apigateway_patch_op */
    enum apigateway_patch_type type;
    const char *among; /* the values there are, divided by spaces; NULL: any */
};

/* One operation, its path taken apart. */
struct apigateway_patch {
    unsigned op; /* enum apigateway_patch_op */
    struct str path, value;
    struct str raw[APIGATEWAY_PATCH_DEPTH];     /* segments as they stand in the path */
    struct str segment[APIGATEWAY_PATCH_DEPTH]; /* decoded */
    size_t n;
};

struct apigateway_patch_table {
    const struct apigateway_patch_row *rows;
    size_t n;
    /* Asked first: paths that no row can say. *ret_done false: the rows are next. NULL: there are
     * none. */
    enum err (*other)(struct call *call, struct json *doc, const struct apigateway_patch *p,
                      bool *ret_done);
};

#define APIGATEWAY_PATCH_TABLE(rows_)                                                              \
    {                                                                                              \
        .rows = (rows_), .n = ARRAY_LEN(rows_)                                                     \
    }

/* Applies all of them to `doc`, in order; BadRequestException for the first that cannot be. What they
 * lead to is the caller's to check. */
enum err apigateway_patch(struct call *call, const struct apigateway_patch_table *table,
                          struct apigateway_list_of_patch_operation ops,
                          struct json *doc) WARN_UNUSED;
/* Takes p->path apart. ERR_INVALID: it does not begin with '/' and a segment, or is too deep; ERR_NOMEM.
 * Pure. */
enum err apigateway_patch_split(struct arena *a, struct apigateway_patch *p) WARN_UNUSED;
/* A value of a type, from its text; BadRequestException. */
enum err apigateway_patch_value(struct call *call, const struct apigateway_patch *p,
                                enum apigateway_patch_type type, const char *among,
                                struct json **ret_value) WARN_UNUSED;

#endif
