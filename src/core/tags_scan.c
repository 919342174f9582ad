/* Listing tagged resources: two ranges of keys in ARN order, those of the region and those whose
 * ARN has none, merged. Layer: core. Thread: the transaction's. */
#include <assert.h>

#include "core/core.h"
#include "core/tags_int.h"

/* One of the two ranges, with its next entry read ahead. */
struct range {
    struct kv_iter *it;
    size_t prefix_len; /* of the key before the ARN */
    bool done;
    struct tags_entry next; /* arn absent: to be read */
};

struct tags_scan {
    struct txn *txn;
    struct str region;
    struct range ranges[2];
};

static enum err range_open(struct tags_scan *s, struct str account, struct str region,
                           struct str after, struct range *r)
{
    struct arena *a = s->txn->arena;
    struct str prefix = tags_key(a, account, region, STR("")), from = prefix;
    if (str_is_set(after)) {                 /* the smallest ARN behind it */
        struct str copy = str_dup(a, after); /* which has a NUL after it */
        from =
            str_is_set(copy) ? tags_key(a, account, region, str_n(copy.p, copy.len + 1)) : STR_NONE;
    }
    struct str to = key_after_prefix(a, prefix);
    if (!str_is_set(prefix) || !str_is_set(from) || !str_is_set(to))
        return ERR_NOMEM;
    r->prefix_len = prefix.len;
    return kv_scan(s->txn->kv, from, to, false, &r->it);
}

enum err tags_scan_open(struct txn *txn, struct str account, struct str region, struct str after,
                        struct tags_scan **ret_scan)
{
    struct tags_scan *s = ARENA_NEW(txn->arena, struct tags_scan);
    if (!s)
        return ERR_NOMEM;
    assert(region.len > 0);
    s->txn = txn;
    s->region = region;
    TRY(range_open(s, account, region, after, &s->ranges[0]));
    enum err err = range_open(s, account, STR(""), after, &s->ranges[1]);
    if (err != ERR_OK) {
        tags_scan_close(s);
        return err;
    }
    *ret_scan = s;
    return ERR_OK;
}

/* Reads ahead, past what is at home elsewhere. */
static enum err fill(struct tags_scan *s, struct range *r)
{
    struct str key, bytes;
    struct tags_record rec;
    while (!r->done && !str_is_set(r->next.arn)) {
        enum err err = kv_next(r->it, &key, &bytes);
        if (err == ERR_NOT_FOUND) {
            r->done = true;
            break;
        }
        TRY(err);
        TRY(txn_work_row(s->txn, key, bytes));
        bytes = str_dup(s->txn->arena, bytes); /* lent until the next step only */
        if (!str_is_set(bytes))
            return ERR_NOMEM;
        TRY(tags_unpack(s->txn->arena, bytes, &rec));
        if (str_is_set(rec.home) && !str_eq(rec.home, s->region))
            continue;
        r->next = (struct tags_entry){str_dup(s->txn->arena, str_sub(key, r->prefix_len, key.len)),
                                      rec.tags};
        if (!str_is_set(r->next.arn))
            return ERR_NOMEM;
    }
    return ERR_OK;
}

enum err tags_scan_next(struct tags_scan *s, struct tags_entry *ret_entry)
{
    struct range *best = NULL;
    for (size_t i = 0; i < ARRAY_LEN(s->ranges); i++) {
        struct range *r = &s->ranges[i];
        TRY(fill(s, r));
        if (!r->done && (!best || str_cmp(r->next.arn, best->next.arn) < 0))
            best = r;
    }
    if (!best)
        return ERR_NOT_FOUND;
    *ret_entry = best->next;
    best->next.arn = STR_NONE;
    return ERR_OK;
}

void tags_scan_close(struct tags_scan *s)
{
    for (size_t i = 0; s && i < ARRAY_LEN(s->ranges); i++) {
        kv_iter_close(s->ranges[i].it);
        s->ranges[i].it = NULL;
    }
}
