/* What CloudWatch Logs does for other services. Reached by logs_port_of. */
#ifndef WEIR_SVC_LOGS_LOGS_PORT_H
#define WEIR_SVC_LOGS_LOGS_PORT_H

#include "core/core.h"
#include "kv/key.h"

struct logs_event {
    int64_t timestamp_ms;
    struct str message; /* UTF-8, cut at 256 KiB by the callee */
    struct str trace;   /* trace header of the invocation that wrote it; absent: none */
};

struct logs_port {
    void *self;
    /* Stages events for group/stream of this account and region in `txn`, creating both where
     * absent. ERR_DENIED, nothing staged: the group's KMS key cannot be used. ERR_NOMEM, ERR_IO. */
    enum err (*put)(void *self, struct txn *txn, struct key_scope scope, struct str group,
                    struct str stream, const struct logs_event *events, size_t n_events);
};

/* The port of this process's instance; NULL without one. From start on. */
static inline const struct logs_port *logs_port_of(const struct core *core)
{
    return core_port(core, "logs");
}

#endif
