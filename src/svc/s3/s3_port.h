/* What S3 does for other services. Reached by s3_port_of. */
#ifndef WEIR_SVC_S3_S3_PORT_H
#define WEIR_SVC_S3_S3_PORT_H

#include "core/core.h"

struct s3_open_object;

struct s3_port {
    void *self;
    /* Opens an object of at most `max` bytes, so that it can be read whole after the transaction,
     * whatever becomes of it; version_id absent: the current one. The caller has authorised it, and
     * closes it; `who` is who asks KMS, where the object is under a key. ERR_NOT_FOUND, ERR_DENIED: by
     * KMS, ERR_LIMIT, ERR_NOMEM. */
    enum err (*open_object)(void *self, struct txn *txn, const struct principal *who,
                            struct str bucket, struct str key, struct str version_id, size_t max,
                            struct s3_open_object **ret_obj, size_t *ret_size);
    /* Whether there is such a bucket. ERR_NOT_FOUND, ERR_NOMEM, ERR_IO. */
    enum err (*find_bucket)(void *self, struct txn *txn, struct str bucket);
    /* All its bytes. Blocks: for a worker thread. ERR_IO. */
    enum err (*read_object)(struct s3_open_object *obj, char *out);
    void (*close_object)(struct s3_open_object *obj); /* any thread; NULL is fine */
};

/* The port of this process's instance; NULL without one. From start on. */
static inline const struct s3_port *s3_port_of(const struct core *core)
{
    return core_port(core, "s3");
}

#endif
