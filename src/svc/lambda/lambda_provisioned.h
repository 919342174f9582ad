/* Provisioned concurrency: how many environments of a version, or of an alias's, are always there.
 *
 *   record --catalogue, once durable--> lambda_engine_provision (home loop) --> environments --> figures
 *
 * Layer: svc. */
#ifndef WEIR_SVC_LAMBDA_PROVISIONED_H
#define WEIR_SVC_LAMBDA_PROVISIONED_H

#include "svc/lambda/lambda_int.h"

/* Mirrored in memory, as struct lambda_fn. */
struct lambda_provisioned {
    struct catalogue_object object;
    struct lambda_name function; /* with the qualifier, a number or an alias */
    int64_t wanted;
    int64_t modified_ms;
};

extern const struct record_type lambda_provisioned_type;

enum err lambda_provisioned_new(struct lambda *l) WARN_UNUSED;
enum err lambda_provisioned_load(struct lambda *l, struct txn *txn) WARN_UNUSED;
/* Tracked read, by the name's qualifier. ERR_NOT_FOUND. */
enum err lambda_provisioned_get(struct txn *txn, struct lambda *l, const struct lambda_name *name,
                                struct lambda_provisioned **ret_p) WARN_UNUSED;
enum err lambda_provisioned_put(struct txn *txn, struct lambda *l,
                                const struct lambda_provisioned *p) WARN_UNUSED;
/* Also of one that is not there. */
enum err lambda_provisioned_del(struct txn *txn, struct lambda *l,
                                const struct lambda_name *name) WARN_UNUSED;
/* Keys of a function's. */
struct key_range lambda_provisioned_of(struct arena *a, const struct lambda_name *name);

struct lambda_provisions {
    struct lambda_provisioned *v; /* texts and array in the arena; the objects are no catalogue's */
    size_t n;
};
/* Those in memory: a function's, or (its name absent) an account's and region's, or (NULL) all. O(n).
 * ERR_NOMEM. */
enum err lambda_provisioned_list(struct lambda *l, struct arena *a, const struct lambda_name *name,
                                 struct lambda_provisions *ret_list) WARN_UNUSED;
/* Their sum, but for that of `except`. */
int64_t lambda_provisioned_sum(const struct lambda_provisions *list, struct str except);

/* What aliases with provisioned concurrency may not be. ERR_FAILED (op_provisioned.c). */
enum err lambda_check_provisioned_alias(struct call *call,
                                        const struct lambda_alias *alias) WARN_UNUSED;

#endif
