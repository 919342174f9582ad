/* The accounts of this Weir: the configured one, which is always there, and those that `weir account add`
 * made. Each has a root key; everything else of an account is what services keep under its key scope.
 *
 * Invariants
 *   AC1 No secret of an account is stored: it follows from the first root key and the access key, which the
 *       record holds. Whoever has the first root key has them all.
 *   AC2 An account is never removed: its resources, and policies of others that name it, would be whose?
 *   AC3 Which accounts there are is answered from memory (core/catalogue.h), on any thread; each reply waits
 *       for the commit that made one (everyone_waits).
 *
 * Layer: core. Thread: any. */
#ifndef WEIR_CORE_ACCOUNT_H
#define WEIR_CORE_ACCOUNT_H

#include "core/catalogue.h"
#include "core/core.h"

enum {
    ACCOUNTS_MAX = 1000, /* besides the configured one */
    ACCOUNT_SECRET_CHARS = 40,
    ACCOUNT_CANONICAL_CHARS = 64,
};

/* Lifetime: the arena that holds it. */
struct account {
    struct catalogue_object object;
    struct str id, access_key;
    int64_t created_ms;
};

/* The configured one, or one that was added. */
bool account_known(const struct core *core, struct str id);

/* When it came to be: of the configured one, at the first start of its store. 0: it is not known. */
int64_t account_created_ms(const struct core *core, struct str id);

/* The canonical user id, by which S3's lists name an account: hexadecimal, not NUL-terminated. */
void account_canonical(struct str id, char ret_canonical[ACCOUNT_CANONICAL_CHARS]);
/* The account that has it. ERR_NOT_FOUND, ERR_NOMEM. */
enum err account_of_canonical(const struct core *core, struct str canonical, struct arena *a,
                              struct str *ret_id) WARN_UNUSED;

/* Whose root key this is, with its secret: an added account's own, or while the development key is taken
 * an account's id with the secret "test". Not the first root key. ERR_NOT_FOUND, ERR_NOMEM. */
enum err account_of_key(const struct core *core, struct str access_key, struct arena *a,
                        struct str *ret_id, struct str *ret_secret) WARN_UNUSED;
/* Whether a key is one that everybody knows: CORE_DEV_KEY, or an account's id. */
bool account_is_dev_key(const struct core *core, struct str access_key);

/* The secret of an added account's root key (AC1), NUL-terminated. */
void account_secret(struct str root_secret, struct str access_key,
                    char ret_secret[ACCOUNT_SECRET_CHARS + 1]);

/* Stages a new account. ERR_INVALID not an id; ERR_EXISTS; ERR_LIMIT ACCOUNTS_MAX; the store's. */
enum err account_add(struct txn *txn, struct str id, struct str *ret_access_key) WARN_UNUSED;
/* Those that were added, in the order of their ids, held until the transaction's arena goes. */
enum err account_list(struct txn *txn, struct catalogue_page *ret_page) WARN_UNUSED;

/* core_services_start's and core_services_release's. */
enum err account_start(struct core *core) WARN_UNUSED;
void account_stop(struct core *core);

#endif
