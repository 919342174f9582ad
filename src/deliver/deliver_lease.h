/* Who does the work of a store: each engine (deliveries, due times) has a lease, a token that a process
 * writes when it starts and every commit of the engine reads tracked. The embedded store is opened by
 * one process, so the leases of an earlier start are void at once; on a shared one the last to start
 * takes over, and whoever had it before learns so from its next commit (D3).
 *
 * Layer: deliver. Thread: the transaction's. */
#ifndef WEIR_DELIVER_DELIVER_LEASE_H
#define WEIR_DELIVER_DELIVER_LEASE_H

#include "core/txn.h"

enum deliver_lease {
    DELIVER_LEASE_WORK,
    DELIVER_LEASE_DUE,
};

enum err deliver_lease_take(struct txn *txn, enum deliver_lease which, uint64_t token) WARN_UNUSED;
/* ERR_CLOSED when another start holds it. */
enum err deliver_lease_check(struct txn *txn, enum deliver_lease which, uint64_t token) WARN_UNUSED;

#endif
