/* Steps of jobs that read a table's items and the log of what writes undid (ddb_undo.c): how much one does, where the
 * next goes on, and where in the log a moment lies. Copies (ddb_copy.c) and windows (ddb_window.c) are made of them.
 *
 * Times of records are not quite in the order of commits, since transactions overlap: ddb_walk_find reads LATE_MS
 * beyond the first record that is early enough. A wall clock that is set back makes a time ambiguous; what is found is
 * the border of two commits then, too.
 *
 * Layer: svc/dynamodb. Thread: the transaction's. */
#include "core/page.h"
#include "deliver/job.h"
#include "svc/dynamodb/ddb_backup.h"

enum {
    STEP_BYTES_MAX = 4 * 1024 * 1024, /* read by one step: a commit's worth */
    LATE_MS = 10 * 60 * 1000,         /* longer than any transaction is open */
};

enum err ddb_walk_spend(struct ddb_walk *w, size_t bytes, size_t keys)
{
    w->bytes += bytes;
    job_spend(w->budget, keys);
    w->more = job_spent(w->budget) || w->bytes >= STEP_BYTES_MAX;
    return w->more ? ERR_CLOSED : ERR_OK;
}

enum err ddb_walk_behind(struct ddb_walk *w, struct str key)
{
    *w->at = key_successor(w->txn->arena, key);
    return str_is_set(*w->at) ? ERR_OK : ERR_NOMEM;
}

enum err ddb_walk_before(struct ddb_walk *w, struct str key)
{
    *w->at = str_dup(w->txn->arena, key);
    return str_is_set(*w->at) ? ERR_OK : ERR_NOMEM;
}

struct str ddb_walk_log(const struct ddb_walk *w, uint64_t commit)
{
    return key_make(w->txn->arena, &ddb_k_undo, w->table, commit, (uint16_t)0);
}

struct search {
    struct ddb_walk *walk;
    struct ddb_mark *marks;
    size_t n;
    int64_t early_ms;
    bool done;
};

static enum err find_one(void *arg, struct str key, struct str value)
{
    struct search *s = arg;
    struct ddb_undo undo;
    TRY(ddb_undo_read(key, value, &undo));
    for (size_t i = 0; i < s->n; i++) {
        if (undo.wall_ms < s->marks[i].from_ms)
            continue;
        s->marks[i].at = ddb_walk_log(s->walk, undo.commit); /* the commit is whole */
        if (!str_is_set(s->marks[i].at))
            return ERR_NOMEM;
    }
    TRY(ddb_walk_before(s->walk, key));
    s->done = undo.wall_ms < s->early_ms;
    return s->done ? ERR_CLOSED : ddb_walk_spend(s->walk, value.len, 1);
}

enum err ddb_walk_find(struct ddb_walk *w, uint64_t until, struct ddb_mark *marks, size_t n,
                       bool *ret_done)
{
    struct search s = {w, marks, n, INT64_MAX, false};
    struct key_range range = key_range(w->txn->arena, &ddb_k_undo, w->table);
    for (size_t i = 0; i < n; i++)
        s.early_ms = min_i64(s.early_ms, marks[i].from_ms - LATE_MS);
    range.to = str_is_set(*w->at) ? *w->at : ddb_walk_log(w, until + 1);
    TRY(str_is_set(range.to) ? ERR_OK : ERR_NOMEM);
    TRY(txn_each_reverse(w->txn, range, find_one, &s));
    *ret_done = s.done || !w->more;
    return ERR_OK;
}
