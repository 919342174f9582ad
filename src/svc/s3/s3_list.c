/* Walking a bucket. See s3_list.h. Layer: svc. */
#include "svc/s3/s3_list.h"

#include "core/page.h"

static enum err step(struct s3_walk *w, struct s3_cursor *c)
{
    /* The tables differ in what follows the key. */
    const struct key_ref fields[] = {KEY_REF(KEY_SKIP), KEY_REF(&c->key), KEY_REF(KEY_SKIP)};
    enum err err = kv_next(c->it, &c->raw, &c->value);
    if (err == ERR_NOT_FOUND) {
        c->key = STR_NONE;
        return ERR_OK;
    }
    TRY(err);
    TRY(txn_work_row(w->txn, c->raw, c->value));
    return key_read_refs(c->table, c->raw, w->txn->arena, fields, strlen(c->table->fields));
}

/* Behind all entries of a key, or of all keys that begin with it. */
static struct str behind(struct s3_walk *w, struct s3_cursor *c, struct str key, bool group)
{
    struct arena *a = w->txn->arena;
    return group ? key_range(a, c->table, w->bucket, KEY_STARTS(key)).to
                 : key_range(a, c->table, w->bucket, key).to;
}

/* (Re)opens a cursor at `from`, or at the beginning of the prefix when that is later. */
static enum err seek(struct s3_walk *w, struct s3_cursor *c, struct str from)
{
    struct key_range r = key_range(w->txn->arena, c->table, w->bucket, KEY_STARTS(w->prefix));
    kv_iter_close(c->it);
    c->it = NULL;
    if (!str_is_set(r.from))
        return ERR_NOMEM;
    if (str_is_set(from) && str_cmp(from, r.from) > 0)
        r.from = from;
    if (str_cmp(r.from, r.to) >= 0) {
        c->key = STR_NONE;
        return ERR_OK;
    }
    TRY(kv_scan(w->txn->kv, r.from, r.to, false, &c->it));
    return step(w, c);
}

enum err s3_walk_open(struct s3_walk *w, struct txn *txn, const struct key_layout *const *tables,
                      size_t n, uint64_t bucket, struct str prefix, struct str delimiter,
                      struct str after, const struct str *from)
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
            start = behind(w, c, key, group);
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
            TRY(seek(w, c, behind(w, c, group, true)));
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
    struct s3_entry e = {.key = c->key,
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

/* --- continuation tokens ---------------------------------------------------------------------- */

static struct page_bind bind_of(struct call *call, struct str scope)
{
    struct page_bind bind = page_bind_of(call, scope);
    bind.region = STR(""); /* buckets answer whatever region signs */
    return bind;
}

enum err s3_token_make(struct call *call, struct str scope, struct str position,
                       struct str *ret_token)
{
    struct page_bind bind = bind_of(call, scope);
    return page_seal(&bind, position, ret_token);
}

enum err s3_token_open(struct call *call, struct str scope, struct str token,
                       struct str *ret_position)
{
    struct page_bind bind = bind_of(call, scope);
    enum err err = page_open(&bind, token, ret_position);
    if (err == ERR_INVALID)
        return s3_bad_argument(call, "continuation-token", token,
                               "The continuation token provided is incorrect");
    return err;
}

enum err s3_list_size(struct call *call, const char *name, bool has, int64_t max, size_t *ret_max)
{
    if (has && (max < 0 || max > INT32_MAX)) {
        struct str message =
            str_fmt(call->arena, "Argument %s must be an integer between 0 and 2147483647", name);
        struct str given = str_fmt(call->arena, "%lld", (long long)max);
        return str_is_set(message) ? s3_bad_argument(call, name, given, message.p) : ERR_NOMEM;
    }
    *ret_max = has ? min_size((size_t)max, S3_LIST_MAX) : S3_LIST_MAX;
    return ERR_OK;
}
