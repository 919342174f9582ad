/* See page.h for the invariants. Layer: core. */
#include "core/page.h"

#include <assert.h>

#include "base/pack.h"
#include "base/rng.h"
#include "codec/base64.h"
#include "codec/hash.h"
#include "core/core.h"

enum { TOKEN_VERSION = 1, MAC_BYTES = 16, BOUND_BYTES_MAX = 64 * 1024 };

static const struct key_layout K_TOKEN_KEY = {KEY_META, KEY_META_TOKENS, ""};

/* --- scans ---------------------------------------------------------------------------------------- */

static enum err each(struct txn *txn, struct key_range range, bool reverse,
                     enum err (*fn)(void *arg, struct str key, struct str val), void *arg)
{
    struct kv_iter *it;
    struct str key, val;
    if (!str_is_set(range.from))
        return ERR_NOMEM;
    TRY(kv_scan(txn->kv, range.from, range.to, reverse, &it));
    enum err err;
    for (;;) {
        err = kv_next(it, &key, &val);
        if (err == ERR_NOT_FOUND) {
            err = ERR_OK;
            break;
        }
        if (err == ERR_OK)
            err = txn_work_row(txn, key, val);
        if (err == ERR_OK)
            err = fn(arg, key, val);
        if (err)
            break;
    }
    kv_iter_close(it);
    return err;
}

/* ERR_CLOSED is how a function says that it has seen enough. */
static enum err unless_closed(enum err err)
{
    return err == ERR_CLOSED ? ERR_OK : err;
}

enum err txn_each(struct txn *txn, struct key_range range,
                  enum err (*fn)(void *arg, struct str key, struct str val), void *arg)
{
    return unless_closed(each(txn, range, false, fn, arg));
}

enum err txn_each_reverse(struct txn *txn, struct key_range range,
                          enum err (*fn)(void *arg, struct str key, struct str val), void *arg)
{
    return unless_closed(each(txn, range, true, fn, arg));
}

/* --- tokens --------------------------------------------------------------------------------------- */

struct page_bind page_bind_of(struct call *call, struct str scope)
{
    return (struct page_bind){.core = call->core,
                              .arena = call->arena,
                              .operation = call->op->name,
                              .account = call->account,
                              .region = call->region,
                              .scope = scope,
                              .now_ms = call->txn->now_ms};
}

/* Lengths are packed with the texts, so that no two bindings give the same bytes. The service is in
 * it by the key of its position; operations of one name in two services hardly share one. */
static enum err mac_of(const struct page_bind *bind, struct str sealed, uint8_t mac[MAC_BYTES])
{
    struct buf b;
    uint8_t full[HASH_SHA256_LEN];
    buf_init_arena(&b, bind->arena, BOUND_BYTES_MAX);
    pack_str(&b, bind->operation);
    pack_str(&b, bind->account);
    pack_str(&b, bind->region);
    pack_str(&b, bind->scope);
    pack_str(&b, sealed);
    TRY(buf_err(&b));
    hmac_sha256(bind->core->page_key, CORE_PAGE_KEY_BYTES, b.p, b.len, full);
    memcpy(mac, full, MAC_BYTES);
    return ERR_OK;
}

enum err page_seal(const struct page_bind *bind, struct str position, struct str *ret_token)
{
    struct buf b;
    uint8_t mac[MAC_BYTES] = {0};
    buf_init_arena(&b, bind->arena, PAGE_TOKEN_BYTES_MAX);
    pack_u8(&b, TOKEN_VERSION);
    buf_add(&b, mac, sizeof(mac)); /* its place */
    pack_int(&b, bind->valid_ms ? bind->now_ms + bind->valid_ms : 0);
    buf_add_str(&b, position);
    TRY(buf_err(&b));
    TRY(mac_of(bind, str_sub(buf_str(&b), 1 + MAC_BYTES, b.len), mac));
    assert(b.len > 1 + MAC_BYTES);
    memcpy(b.p + 1, mac, sizeof(mac));
    struct str token = base64url_encode(bind->arena, b.p, b.len);
    if (!str_is_set(token))
        return ERR_NOMEM;
    *ret_token = token;
    return ERR_OK;
}

enum err page_open(const struct page_bind *bind, struct str token, struct str *ret_position)
{
    struct str raw;
    uint8_t mac[MAC_BYTES];
    if (token.len > PAGE_TOKEN_BYTES_MAX)
        return ERR_INVALID;
    TRY(base64url_decode(bind->arena, token, &raw));
    if (raw.len <= 1 + MAC_BYTES || raw.p[0] != TOKEN_VERSION)
        return ERR_INVALID;
    struct str sealed = str_sub(raw, 1 + MAC_BYTES, raw.len);
    TRY(mac_of(bind, sealed, mac));
    if (!str_eq_consttime(str_sub(raw, 1, MAC_BYTES), str_n((const char *)mac, MAC_BYTES)))
        return ERR_INVALID;
    struct unpack u;
    unpack_init(&u, sealed);
    int64_t expires_ms = unpack_int(&u);
    if (u.bad || (expires_ms && expires_ms <= bind->now_ms))
        return ERR_INVALID;
    *ret_position = u.rest;
    return ERR_OK;
}

/* --- pages ---------------------------------------------------------------------------------------- */

struct page page_of_call(struct call *call, struct str scope, struct str token, size_t limit)
{
    return (struct page){.bind = page_bind_of(call, scope),
                         .token = token,
                         .limit = limit,
                         .look_max = PAGE_LOOK_MAX};
}

enum err page_start(struct page *page, struct str *ret_after)
{
    assert(page->limit > 0 && !(page->plain && str_is_set(page->token)));
    if (str_is_set(page->token))
        TRY(page_open(&page->bind, page->token, &page->after));
    *ret_after = page->after;
    return ERR_OK;
}

enum err page_end(struct page *page, struct str last)
{
    assert(str_is_set(last)); /* or the next page would begin at the start again */
    page->more = true;
    page->last = last;
    return page->plain ? ERR_OK : page_seal(&page->bind, last, &page->next_token);
}

/* What is left of the range after the position. */
static enum err narrow(struct page *page, struct key_range *range)
{
    struct str after;
    TRY(page_start(page, &after));
    if (!str_is_set(after))
        return ERR_OK;
    if (page->reverse) {
        if (str_cmp(after, range->to) < 0)
            range->to = after;
        return ERR_OK;
    }
    struct str from = key_successor(page->bind.arena, after);
    if (!str_is_set(from))
        return ERR_NOMEM;
    if (str_cmp(from, range->from) > 0)
        range->from = from;
    return ERR_OK;
}

struct paging {
    struct page *page;
    const struct page_fns *fns;
    void *arg;
    struct buf last; /* key of the last pair taken or passed over */
    size_t passed;
};

static enum err full(struct paging *g)
{
    g->page->more = true;
    return ERR_CLOSED;
}

static enum err one(void *arg, struct str key, struct str val)
{
    struct paging *g = arg;
    struct page *page = g->page;
    bool match = true;
    if (g->fns->match)
        TRY(g->fns->match(g->arg, key, val, &match));
    if (match) {
        if (page->n == page->limit)
            return full(g);
        assert(page->n < page->limit);
        enum err err = g->fns->take(g->arg, key, val);
        if (err == ERR_CLOSED) {
            assert(page->n > 0); /* or the next page would end here again */
            return full(g);
        }
        TRY(err);
        page->n++;
    } else if (page->n == page->limit) {
        /* Only whether a match follows is still asked; the next page looks here again. */
        return ++g->passed >= page->look_max ? full(g) : ERR_OK;
    }
    buf_clear(&g->last);
    buf_add_str(&g->last, key);
    TRY(buf_err(&g->last));
    return !match && ++g->passed >= page->look_max ? full(g) : ERR_OK;
}

enum err page_scan(struct txn *txn, struct page *page, struct key_range range,
                   const struct page_fns *fns, void *arg)
{
    struct paging g = {.page = page, .fns = fns, .arg = arg};
    if (!str_is_set(range.from) || !str_is_set(range.to))
        return ERR_NOMEM;
    TRY(narrow(page, &range));
    buf_init_arena(&g.last, page->bind.arena, KV_KEY_MAX);
    if (str_cmp(range.from, range.to) < 0)
        TRY(unless_closed(each(txn, range, page->reverse, one, &g)));
    if (g.last.len)
        page->last = buf_str(&g.last);
    return page->more ? page_end(page, page->last) : ERR_OK;
}

/* --- the store's key ------------------------------------------------------------------------------ */

static enum err load_key(struct txn *txn, void *arg)
{
    struct core *core = arg;
    struct str value, at = key_prefix_vals(txn->arena, &K_TOKEN_KEY, NULL, 0);
    enum err err = txn_get(txn, at, &value);
    if (err == ERR_NOT_FOUND) {
        rng_bytes(core->page_key, sizeof(core->page_key));
        return txn_put(txn, at, str_n((const char *)core->page_key, sizeof(core->page_key)));
    }
    TRY(err);
    if (value.len != sizeof(core->page_key))
        return ERR_CORRUPT;
    memcpy(core->page_key, value.p, value.len);
    return ERR_OK;
}

enum err page_key_load(struct core *core)
{
    return txn_run_now(core, load_key, core);
}
