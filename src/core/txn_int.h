/* Inside core: how a transaction's attempts are made and ended. See txn.h for the invariants. */
#ifndef WEIR_CORE_TXN_INT_H
#define WEIR_CORE_TXN_INT_H

#include "core/txn.h"

/* Begins an attempt: snapshot and empty hook lists. `arena`, `loop` and `core` are set before. */
enum err txn_begin(struct txn *txn) WARN_UNUSED;
/* Commits the attempt. ERR_OK: on_commit hooks ran, *ret_seq is what to wait for. Otherwise the
 * on_abort hooks ran. Either way the attempt is over. */
enum err txn_commit(struct txn *txn, uint64_t *ret_seq) WARN_UNUSED;
/* Gives the attempt up; on_abort hooks run. Harmless when none is open. */
void txn_abort(struct txn *txn);
/* Runs the on_durable hooks of the committed attempt. */
void txn_durable(struct txn *txn);

#endif
