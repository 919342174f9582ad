/* What a request's expressions were parsed to and which tables it names, so that authorisation, which
 * judges by them, and the handler (and its reruns) do that once.
 *
 * A memo belongs to one call and lives in its arena. An entry is found by where the text it was made
 * of lies in the request, so it is right for as long as the request is: the call's life. Entries are
 * mostly asked for in the order in which they were kept, also by a transaction of a hundred actions,
 * so the search goes on where the last one ended.
 *
 * Layer: svc/dynamodb. Thread: the call's. */
#ifndef WEIR_SVC_DYNAMODB_DDB_MEMO_H
#define WEIR_SVC_DYNAMODB_DDB_MEMO_H

#include "base/arena.h"
#include "base/str.h"

enum ddb_memo_kind {
    DDB_MEMO_ENV,       /* struct ddb_env, by its names or values */
    DDB_MEMO_CONDITION, /* struct ddb_node, by the text */
    DDB_MEMO_UPDATE,    /* struct ddb_update */
    DDB_MEMO_PATHS,     /* struct ddb_paths */
    DDB_MEMO_STATEMENT, /* struct ddb_pql, by the text */
    DDB_MEMO_TABLE,     /* struct ddb_table, by the name; the call's arena holds it */
};

struct ddb_memo_entry {
    struct ddb_memo_entry *next; /* a ring */
    enum ddb_memo_kind kind;
    const void *of;
    void *result; /* NULL: taken */
};

struct ddb_memo {
    struct ddb_memo_entry *at; /* what was kept or found last; NULL: empty */
};

/* NULL when nothing was kept, or `memo` or `of` is NULL. */
void *ddb_memo_find(struct ddb_memo *memo, enum ddb_memo_kind kind, const void *of);
/* Nothing is kept without a memo or `of`. ERR_NOMEM. */
enum err ddb_memo_keep(struct ddb_memo *memo, struct arena *a, enum ddb_memo_kind kind,
                       const void *of, void *result) WARN_UNUSED;
/* Keeps a copy of `size` bytes. */
enum err ddb_memo_keep_copy(struct ddb_memo *memo, struct arena *a, enum ddb_memo_kind kind,
                            const void *of, const void *result, size_t size) WARN_UNUSED;
/* The table that was kept for a name, once: a rerun looks it up anew. */
void *ddb_memo_take_table(struct ddb_memo *memo, const void *name);

#endif
