/* What the files that compile and route share. See serve.h.
 *
 * Layer: svc, private. Thread: pure. */
#ifndef WEIR_SVC_APIGATEWAY_SERVE_INT_H
#define WEIR_SVC_APIGATEWAY_SERVE_INT_H

#include "base/map.h"
#include "svc/apigateway/serve.h"

/* One compilation. Lifetime: serve_compile's. */
struct serve_compiler {
    struct arena *a; /* the API's */
    struct serve_api *api;
    const struct json *doc, *models;
    struct map schemas; /* struct schema by the model's name */
};

bool serve_json_true(const struct json *obj, const char *name);
/* A whole number's value; `otherwise` where there is none. */
int64_t serve_json_number(const struct json *obj, const char *name, int64_t otherwise);
/* Index of a word among a NULL-terminated list; `otherwise` where it is not there. */
int serve_word(struct str word, const char *const *words, int otherwise);

enum err serve_node_new(struct arena *a, struct serve_node **ret_node) WARN_UNUSED;
/* Puts a resource at its path below the root. ERR_LIMIT: too deep, or too many parameters. */
enum err serve_node_add(struct arena *a, struct serve_node *root,
                        const struct serve_resource *resource) WARN_UNUSED;

#endif
