/* See ddb_memo.h. */
#include "svc/dynamodb/ddb_memo.h"

#include <assert.h>

static struct ddb_memo_entry *find(struct ddb_memo *memo, enum ddb_memo_kind kind, const void *of)
{
    if (!memo || !memo->at || !of)
        return NULL;
    struct ddb_memo_entry *e = memo->at;
    do {
        if (e->kind == kind && e->of == of) {
            memo->at = e;
            return e;
        }
        e = e->next;
    } while (e != memo->at);
    return NULL;
}

void *ddb_memo_find(struct ddb_memo *memo, enum ddb_memo_kind kind, const void *of)
{
    const struct ddb_memo_entry *e = find(memo, kind, of);
    return e ? e->result : NULL;
}

enum err ddb_memo_keep(struct ddb_memo *memo, struct arena *a, enum ddb_memo_kind kind,
                       const void *of, void *result)
{
    if (!memo || !of)
        return ERR_OK;
    assert(result);
    struct ddb_memo_entry *e = ARENA_NEW(a, struct ddb_memo_entry);
    if (!e)
        return ERR_NOMEM;
    *e = (struct ddb_memo_entry){memo->at ? memo->at->next : e, kind, of, result};
    if (memo->at)
        memo->at->next = e;
    memo->at = e;
    assert(e->next); /* a ring */
    return ERR_OK;
}

enum err ddb_memo_keep_copy(struct ddb_memo *memo, struct arena *a, enum ddb_memo_kind kind,
                            const void *of, const void *result, size_t size)
{
    if (!memo || !of)
        return ERR_OK;
    void *copy = arena_memdup(a, result, size);
    return copy ? ddb_memo_keep(memo, a, kind, of, copy) : ERR_NOMEM;
}

void *ddb_memo_take_table(struct ddb_memo *memo, const void *name)
{
    struct ddb_memo_entry *e = find(memo, DDB_MEMO_TABLE, name);
    void *table = e ? e->result : NULL;
    if (e)
        e->result = NULL;
    return table;
}
