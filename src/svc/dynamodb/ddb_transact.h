/* Several actions on items in one commit: what TransactWriteItems and ExecuteTransaction share.
 *
 * A transaction reads every item tracked, judges every action, and stages all or nothing; a concurrent
 * change of any of the items makes the store refuse the commit and the handler rerun. What is wrong with
 * one action cancels the transaction and is told in its place of CancellationReasons; what refuses the
 * request as such (diag->whole, malformed values, expressions) stays an error.
 *
 * Layer: svc/dynamodb, internal. Thread: the call's. */
#ifndef WEIR_SVC_DYNAMODB_DDB_TRANSACT_H
#define WEIR_SVC_DYNAMODB_DDB_TRANSACT_H

#include "svc/dynamodb/dynamodb_int.h"

enum ddb_action_of_item { DDB_ITEM_CHECK, DDB_ITEM_PUT, DDB_ITEM_DELETE, DDB_ITEM_UPDATE };

/* One action. The caller fills all down to `item`; names, values and expressions are parsed. */
struct ddb_txn_action {
    enum ddb_action_of_item kind;
    struct ddb_table *table;
    struct ddb_node *condition; /* NULL: none */
    struct ddb_update update;   /* of an update */
    const struct ddb_av *key;   /* of all but puts: the key as an item */
    struct ddb_av *item;        /* of a put: what is put; NULL after judging: deletion or check */
    bool new_only;              /* a put of what is there cancels with DuplicateItem */
    struct str return_values;   /* ALL_OLD: a failed check shows the item */
    struct ddb_write w;         /* from here on the transaction's */
    struct str code, message;   /* why it cancels the transaction; absent: it does not */
};

struct ddb_transaction {
    struct call *call;
    struct ddb_diag *diag;
    struct ddb_txn_action *v;
    size_t n;
    struct str token;    /* ClientRequestToken; absent: none */
    struct str capacity; /* ReturnConsumedCapacity */
    size_t bytes;
    bool cancelled;
};

/* Takes units together by table. */
struct ddb_usage_part {
    struct ddb_table *table;
    struct ddb_units units;
    bool write;
};
struct ddb_usage {
    struct ddb_usage_part *v; /* room for a part an action */
    size_t n;
};
/* Adds what an action used; a transaction costs twice what the actions alone do. */
void ddb_usage_add(struct ddb_usage *u, struct ddb_table *table, const struct ddb_units *units,
                   bool write);
enum err ddb_usage_reply(struct call *call, struct str mode, const struct ddb_usage *u,
                         struct dynamodb_consumed_capacity_multiple *ret) WARN_UNUSED;

/* What is wrong with the action alone is noted, and cancels the transaction; everything else passes. */
enum err ddb_txn_cancelled_by(struct ddb_transaction *t, struct ddb_txn_action *a,
                              enum err err) WARN_UNUSED;
/* TransactionCanceledException with the actions' reasons: ERR_FAILED. */
enum err ddb_txn_cancel(struct ddb_transaction *t) WARN_UNUSED;
/* Key and size of what an action is about; fills its w.key. ERR_INVALID. */
enum err ddb_txn_check(struct ddb_diag *diag, struct ddb_txn_action *a) WARN_UNUSED;
/* Runs it: stages everything and fills *ret_used, or ERR_FAILED with TransactionCanceledException set,
 * ERR_INVALID with diag. A repeated token stages nothing and costs what reading the items does. */
enum err ddb_transact(struct ddb_transaction *t,
                      struct dynamodb_consumed_capacity_multiple *ret_used) WARN_UNUSED;
/* Looks a token up and stages it (DJ4); *ret_done when the same request was carried out before. */
enum err ddb_use_token(struct call *call, struct str token, bool *ret_done) WARN_UNUSED;

#endif
