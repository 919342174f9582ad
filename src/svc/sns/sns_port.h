/* What SNS does for other services: their letters are kept and shown where its own are (sns_mail.c).
 *
 * Layer: svc/sns. Thread: the transaction's. */
#ifndef WEIR_SVC_SNS_SNS_PORT_H
#define WEIR_SVC_SNS_SNS_PORT_H

#include "core/core.h"

/* Borrowed. */
struct sns_letter {
    struct str to, subject, body;
    struct str source; /* ARN of what sends it */
};

struct sns_port {
    void *self;
    /* Stages a letter. Its body, which may have a code or password in it, is stored sealed
     * (core/secret.h) and told in no log. ERR_NOMEM, and the store's errors. */
    enum err (*letter)(void *self, struct txn *txn, const struct sns_letter *letter);
};

/* The port of this process's instance; NULL without one. From start on. */
static inline const struct sns_port *sns_port_of(const struct core *core)
{
    return core_port(core, "sns");
}

#endif
