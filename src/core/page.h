/* Scans and pages: walking a range of keys, and the one form of token by which lists go on.
 *
 * Invariants
 *   PG1  A page continues at the first key after the position, whatever became of the key that the
 *        position names: nothing that was there all the time is left out or told twice.
 *   PG2  A token fits the operation, account, region and scope that it was made for, and nothing
 *        else; changed, cut or foreign ones are ERR_INVALID, as are expired ones.
 *   PG3  A page costs what it returns plus at most look_max keys passed over: a filter that matches
 *        nothing ends the page with a token, not the call's time.
 *   PG4  The same position gives the same token (where it does not expire): a client that polls may
 *        compare tokens.
 *
 * A token is base64url, without padding, of: version byte, 16 bytes of HMAC-SHA-256 over the binding
 * and the rest, zigzag varint of when it expires (ms; 0: never), the position. The key of the HMAC
 * is drawn at a store's first start and kept in it (KEY_META), so tokens survive a restart and hold
 * in every process that shares the store.
 *
 * Layer: core. Thread: the transaction's. */
#ifndef WEIR_CORE_PAGE_H
#define WEIR_CORE_PAGE_H

#include "core/call.h"
#include "kv/key.h"

enum {
    PAGE_LOOK_MAX = 10 * 1000,        /* keys passed over in one page, unless the page says else */
    PAGE_TOKEN_BYTES_MAX = 24 * 1024, /* longer is no token: 4/3 of KV_KEY_MAX and what is added */
};

/* --- scans ---------------------------------------------------------------------------------------- */

/* Calls fn with each pair, ascending (or descending); both are borrowed until it returns. ERR_OK
 * goes on, ERR_CLOSED ends the scan without an error, any other error ends it. fn may stage writes.
 * An absent range (no memory for its key) is ERR_NOMEM. Not tracked (K4): guard what you decide. */
enum err txn_each(struct txn *txn, struct key_range range,
                  enum err (*fn)(void *arg, struct str key, struct str val), void *arg) WARN_UNUSED;
enum err txn_each_reverse(struct txn *txn, struct key_range range,
                          enum err (*fn)(void *arg, struct str key, struct str val),
                          void *arg) WARN_UNUSED;

/* --- tokens --------------------------------------------------------------------------------------- */

/* What a token is bound to. page_of_call fills it. */
struct page_bind {
    struct core *core;
    struct arena *arena;
    struct str operation, account, region;
    struct str
        scope;      /* the parent resource, and parameters that must stay the same; may be empty */
    int64_t now_ms; /* the transaction's */
    int64_t valid_ms; /* how long tokens hold; 0: for ever */
};

struct page_bind page_bind_of(struct call *call, struct str scope);

/* The token that leads back to `position` (any bytes: a key, a name, a packed record). ERR_NOMEM. */
enum err page_seal(const struct page_bind *bind, struct str position,
                   struct str *ret_token) WARN_UNUSED;
/* ERR_INVALID (PG2), ERR_NOMEM. */
enum err page_open(const struct page_bind *bind, struct str token,
                   struct str *ret_position) WARN_UNUSED;

/* --- pages ---------------------------------------------------------------------------------------- */

/* Lifetime: the call. Positions are keys in scans, and in lists in memory whatever orders them. */
struct page {
    struct page_bind bind;
    /* Asked. */
    struct str token; /* as the client gave it; absent: from the start */
    size_t limit;     /* items, at least 1 */
    size_t look_max;  /* keys passed over, at least 1 */
    bool reverse;
    bool plain; /* the service has markers of its own: `after` instead of token, no next_token */
    struct str after;
    /* Answered. */
    size_t n;              /* items taken */
    bool more;             /* something (that matches) may follow */
    struct str last;       /* position of the last item taken or passed over; absent: none */
    struct str next_token; /* absent: that was all, or `plain` */
};

/* A page of this call: bound to its operation, account and region, and to `scope`. */
struct page page_of_call(struct call *call, struct str scope, struct str token, size_t limit);

/* What to do with the pairs of a page. */
struct page_fns {
    /* Whether the pair belongs to the list. NULL: all do. */
    enum err (*match)(void *arg, struct str key, struct str val, bool *ret_match);
    /* Takes the pair as the next item, borrowed until it returns. ERR_CLOSED: it does not fit any
     * more (a limit in bytes), the page ends before it; not allowed for the first item. */
    enum err (*take)(void *arg, struct str key, struct str val);
};

/* Takes up to page->limit pairs of the range after the token. A token is given exactly when another
 * pair matches, or may: the page ended for look_max. ERR_INVALID is a bad token; the service
 * answers its own error. Others are the store's and fns'. */
enum err page_scan(struct txn *txn, struct page *page, struct key_range range,
                   const struct page_fns *fns, void *arg) WARN_UNUSED;

/* For lists in memory, sorted by what the position names. page_start: *ret_after is what the items
 * must come after, absent at the start; ERR_INVALID. page_end: the page is full, `last` was its last
 * item, and more follows. */
enum err page_start(struct page *page, struct str *ret_after) WARN_UNUSED;
enum err page_end(struct page *page, struct str last) WARN_UNUSED;

/* --- at the start ----------------------------------------------------------------------------- */

/* Reads the store's key for tokens into core->page_key, or draws it. Blocks; before the loops run. */
enum err page_key_load(struct core *core) WARN_UNUSED;

#endif
