/* What KMS does for other services, as somebody: data keys to encrypt with, whose sealed form they
 * store. Every use is an operation of KMS: authorised by the key's policy and grants, refused when the key
 * is disabled or gone, counted.
 *
 * Layer: svc. Thread: the transaction's. */
#ifndef WEIR_SVC_KMS_KMS_PORT_H
#define WEIR_SVC_KMS_KMS_PORT_H

#include "core/core.h"

enum { KMS_DATA_KEY_BYTES = 32 };

/* Borrowed. */
struct kms_use {
    const struct principal *who; /* the caller, or a service principal */
    struct str via; /* the service that asks on the caller's behalf; absent: he himself */
    struct str source_arn, source_account; /* absent: none */
    struct str region;
    struct str context_key, context_value; /* the encryption context: one pair */
};

/* Why not: KMS's error; the transaction's arena. */
struct kms_refusal {
    struct str code, message;
};

struct kms_port {
    void *self;
    /* A new data key under `key` (id, ARN or alias): its bytes, and its sealed form to be stored, both
     * the transaction's arena. ERR_DENIED with *ret_why: KMS refuses. ERR_CONFLICT, ERR_IO, ERR_NOMEM. */
    enum err (*data_key)(void *self, struct txn *txn, const struct kms_use *use, struct str key,
                         struct str *ret_plain, struct str *ret_sealed,
                         struct kms_refusal *ret_why);
    /* The bytes of a sealed data key again. Errors as above. */
    enum err (*open)(void *self, struct txn *txn, const struct kms_use *use, struct str sealed,
                     struct str *ret_plain, struct kms_refusal *ret_why);
};

/* The port of this process's instance; NULL without one. From start on. */
static inline const struct kms_port *kms_port_of(const struct core *core)
{
    return core_port(core, "kms");
}

#endif
