/* Walking a bucket. See s3_list.h. Layer: svc. */
#include "svc/s3/s3_list.h"

static enum err step(struct s3_walk *w, struct s3_cursor *c)
{
    struct str upload_id;
    uint64_t seq;
    enum err e = kv_next(c->it, &c->raw, &c->value);
    if (e == ERR_NOT_FOUND) {
        c->key = STR_NONE;
        return ERR_OK;
    }
    TRY(e);
    switch (c->table) {
    case S3_TABLE_CURRENT:
        return s3_read_object_key(w->txn->arena, c->raw, &c->key);
    case S3_TABLE_VERSION:
        return s3_read_version_key(w->txn->arena, c->raw, &c->key, &seq);
    case S3_TABLE_UPLOAD:
        return s3_read_upload_key(w->txn->arena, c->raw, &c->key, &upload_id);
    }
    return ERR_CORRUPT;
}

/* (Re)opens a cursor at `from`, or at the beginning of the prefix when that is later. */
static enum err seek(struct s3_walk *w, struct s3_cursor *c, struct str from)
{
    struct s3_range r = s3_range_prefix(w->txn->arena, c->table, w->bucket, w->prefix);
    kv_iter_close(c->it);
    c->it = NULL;
    if (!str_is_set(r.from))
        return ERR_NOMEM;
    if (str_is_set(from) && str_cmp(from, r.from) > 0)
        r.from = from;
    if (str_is_set(r.to) && str_cmp(r.from, r.to) >= 0) {
        c->key = STR_NONE;
        return ERR_OK;
    }
    TRY(kv_scan(w->txn->kv, r.from, r.to, false, &c->it));
    return step(w, c);
}

enum err s3_walk_open(struct s3_walk *w, struct txn *txn, const enum s3_table *tables, size_t n,
                      uint64_t bucket, struct str prefix, struct str delimiter, struct str after,
                      const struct str *from)
{
    *w = (struct s3_walk){.txn = txn,
                          .bucket = bucket,
                          .prefix = str_is_set(prefix) ? prefix : STR(""),
                          .delimiter = delimiter,
                          .n_cursors = n};
    for (size_t i = 0; i < n; i++) {
        struct s3_cursor *c = &w->cursors[i];
        struct str start = from ? from[i] : STR_NONE, key;
        c->table = tables[i];
        if (!from && str_is_set(after) && after.len > 0) {
            bool group = s3_resume_at(after, w->prefix, w->delimiter, &key);
            start = s3_from_after(txn->arena, c->table, bucket, key, group);
        }
        TRY(seek(w, c, start));
    }
    return ERR_OK;
}

/* The cursor with the smallest key; the first wins a tie. */
static struct s3_cursor *lowest(struct s3_walk *w)
{
    struct s3_cursor *best = NULL;
    for (size_t i = 0; i < w->n_cursors; i++) {
        struct s3_cursor *c = &w->cursors[i];
        if (str_is_set(c->key) && (!best || str_cmp(c->key, best->key) < 0))
            best = c;
    }
    return best;
}

static enum err skip_group(struct s3_walk *w, struct str group)
{
    for (size_t i = 0; i < w->n_cursors; i++) {
        struct s3_cursor *c = &w->cursors[i];
        if (str_is_set(c->key) && str_starts(c->key, group))
            TRY(seek(w, c, s3_from_after(w->txn->arena, c->table, w->bucket, group, true)));
    }
    return ERR_OK;
}

enum err s3_walk_next(struct s3_walk *w, struct s3_entry *ret_entry)
{
    struct s3_cursor *c = lowest(w);
    if (!c)
        return ERR_NOT_FOUND;
    struct str group = s3_common_prefix_of(c->key, w->prefix, w->delimiter);
    if (str_is_set(group)) {
        TRY(skip_group(w, group));
        *ret_entry = (struct s3_entry){.common_prefix = group};
        return ERR_OK;
    }
    /* What the store lends goes with the next step, which is made here: copy. */
    struct s3_entry e = {.table = c->table,
                         .key = c->key,
                         .raw = str_dup(w->txn->arena, c->raw),
                         .value = str_dup(w->txn->arena, c->value)};
    if (!str_is_set(e.raw) || !str_is_set(e.value))
        return ERR_NOMEM;
    TRY(step(w, c));
    *ret_entry = e;
    return ERR_OK;
}

void s3_walk_close(struct s3_walk *w)
{
    for (size_t i = 0; i < w->n_cursors; i++) {
        kv_iter_close(w->cursors[i].it);
        w->cursors[i].it = NULL;
    }
}
