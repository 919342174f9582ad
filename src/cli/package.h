/* Local paths in a template become places in a bucket, as `aws cloudformation package` does it: what a path
 * leads to is zipped where a function's code is meant, handed to whoever stores it, under a name that is the
 * hash of its bytes, and the path in the template's text is replaced. The rest of the text stays as its author
 * wrote it.
 *
 *   PK1 The result depends on the template and the files alone: packaged again, it is the same text.
 *   PK2 Only scalars that stand at their own place are replaced: a path that comes by an alias or a merge
 *       key is refused.
 *
 * Layer: cli (includes codec). Thread: blocking. */
#ifndef WEIR_CLI_PACKAGE_H
#define WEIR_CLI_PACKAGE_H

#include "codec/json.h"

enum {
    PACKAGE_TEMPLATE_BYTES_MAX = 1024 * 1024, /* CloudFormation's limit */
    PACKAGE_NESTING_MAX = 8,                  /* templates in templates */
    PACKAGE_PATHS_MAX = 1000,                 /* in one template */
    PACKAGE_WHY_MAX = 1024,
};

/* Who stores. */
struct package_store {
    /* Keeps `bytes` under `key`; that they are there already is fine. `what`: "Function.CodeUri", for the
     * user. Errors pass through package_template. */
    enum err (*put)(void *arg, struct str what, struct str key, struct str bytes);
    void *arg;
    /* Known from the first put on: */
    struct str bucket;
    struct str url; /* of the bucket, without a slash at the end */
};

struct package {
    struct str text;         /* of the template with places for paths */
    const struct json *tree; /* of the author's text; short forms are {"!Sub": ...}, or long ones */
    size_t n_paths;          /* that were replaced */
};

/* Reads the template at `path`, to whose folder its paths are relative, and stores what they lead to.
 * `store` NULL: nothing is stored or replaced. ERR_INVALID, ERR_NOT_FOUND, ERR_LIMIT, ERR_IO with `ret_why`
 * a sentence for the user; ERR_NOMEM; of the store. */
enum err package_template(struct arena *a, const char *path, const struct package_store *store,
                          struct package *ret_package, char ret_why[PACKAGE_WHY_MAX]) WARN_UNUSED;

#endif
