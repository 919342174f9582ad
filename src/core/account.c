#include "core/account.h"

#include <assert.h>

#include "base/arn.h"
#include "base/record.h"
#include "base/rng.h"
#include "codec/base64.h"
#include "codec/hash.h"
#include "kv/key.h"

enum { BYTES_MAX = 4096, KEY_RANDOM = 16 };
enum { BY_ACCESS_KEY, BY_ID, BY_CANONICAL, INDEXES };

/* account -> its access key */
static const struct key_layout account_key = {KEY_META, KEY_META_ACCOUNTS, "A"};

static const struct record_field fields[] = {
    REC_STR(struct account, access_key),
    REC_INT(struct account, created_ms),
};
static const struct record_type record_type = RECORD_TYPE(struct account, 1, fields);

/* -> struct born: of the configured account */
static const struct key_layout born_key = {KEY_META, KEY_META_BORN, ""};

struct born {
    int64_t at_ms;
};
static const struct record_field born_fields[] = {REC_INT(struct born, at_ms)};
static const struct record_type born_type = RECORD_TYPE(struct born, 1, born_fields);

static enum err decode(void *self, struct catalogue_object *object, struct str record)
{
    struct account *account = CONTAINER_OF(object, struct account, object);
    char canonical[ACCOUNT_CANONICAL_CHARS];
    struct key_scope scope;
    TRY(key_read(&account_key, object->key, &object->arena, &scope));
    TRY(record_unpack_copy(&record_type, &object->arena, record, account));
    account->id = scope.account;
    account_canonical(account->id, canonical);
    TRY(catalogue_index(object, BY_ID, account->id));
    TRY(catalogue_index(object, BY_CANONICAL, str_n(canonical, sizeof(canonical))));
    return catalogue_index(object, BY_ACCESS_KEY, account->access_key);
}

static void changed(void *self, struct catalogue_object *old, struct catalogue_object *now)
{
    struct core *core = self;
    atomic_store(&core->more_accounts, true); /* AC2 */
}

static const struct catalogue_type catalogue_type = {
    .name = "account",
    .size = sizeof(struct account),
    .arena_max = BYTES_MAX,
    .n_indexes = INDEXES,
    .when = CATALOGUE_COMMITTED,
    .lack = CATALOGUE_FORGET,
    .everyone_waits = true,
    .decode = decode,
    .changed = changed,
};

static struct str key_of(struct arena *a, struct str id)
{
    return key_make(a, &account_key, ((struct key_scope){id, STR("")}));
}

/* --- lookups ---------------------------------------------------------------------------------- */

bool account_known(const struct core *core, struct str id)
{
    void *account;
    if (str_eq(id, core->cfg.account))
        return true;
    if (!core->accounts || !arn_account_valid(id))
        return false;
    if (catalogue_take_by(core->accounts, NULL, BY_ID, id, &account) != ERR_OK)
        return false;
    catalogue_unref(account);
    return true;
}

int64_t account_created_ms(const struct core *core, struct str id)
{
    void *account;
    if (str_eq(id, core->cfg.account))
        return core->born_ms;
    if (!core->accounts || catalogue_take_by(core->accounts, NULL, BY_ID, id, &account) != ERR_OK)
        return 0;
    int64_t created_ms = ((const struct account *)account)->created_ms;
    catalogue_unref(account);
    return created_ms;
}

void account_canonical(struct str id, char ret_canonical[ACCOUNT_CANONICAL_CHARS])
{
    uint8_t digest[HASH_SHA256_LEN];
    _Static_assert(ACCOUNT_CANONICAL_CHARS == 2 * sizeof(digest), "it is a digest");
    hash_once(HASH_SHA256, id.p, id.len, digest);
    hash_sha256_hex(digest, sizeof(digest), ret_canonical);
}

enum err account_of_canonical(const struct core *core, struct str canonical, struct arena *a,
                              struct str *ret_id)
{
    char own[ACCOUNT_CANONICAL_CHARS];
    void *object;
    account_canonical(core->cfg.account, own);
    if (str_eq(canonical, str_n(own, sizeof(own)))) {
        *ret_id = core->cfg.account;
        return ERR_OK;
    }
    if (!core->accounts)
        return ERR_NOT_FOUND;
    TRY(catalogue_take_by(core->accounts, NULL, BY_CANONICAL, canonical, &object));
    *ret_id = str_dup(a, ((const struct account *)object)->id);
    catalogue_unref(object);
    return str_is_set(*ret_id) ? ERR_OK : ERR_NOMEM;
}

bool account_is_dev_key(const struct core *core, struct str access_key)
{
    return core->cfg.dev_key &&
           (str_eq_c(access_key, CORE_DEV_KEY) || arn_account_valid(access_key));
}

void account_secret(struct str root_secret, struct str access_key,
                    char ret_secret[ACCOUNT_SECRET_CHARS + 1])
{
    static const char use[] = "weir: root key of an account";
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t key[HASH_SHA256_LEN], mac[HASH_SHA256_LEN];
    hmac_sha256(root_secret.p ? root_secret.p : "", root_secret.len, use, sizeof(use) - 1, key);
    hmac_sha256(key, sizeof(key), access_key.p, access_key.len, mac);
    /* Six bits a character, 240 of the 256. */
    for (size_t i = 0; i < ACCOUNT_SECRET_CHARS; i++) {
        size_t bit = i * 6, at = bit / 8, shift = bit % 8;
        unsigned two = (unsigned)mac[at] << 8 | (at + 1 < sizeof(mac) ? mac[at + 1] : 0);
        ret_secret[i] = alphabet[two >> (10 - shift) & 63];
    }
    ret_secret[ACCOUNT_SECRET_CHARS] = '\0';
}

enum err account_of_key(const struct core *core, struct str access_key, struct arena *a,
                        struct str *ret_id, struct str *ret_secret)
{
    void *object;
    char secret[ACCOUNT_SECRET_CHARS + 1];
    if (core->cfg.dev_key && arn_account_valid(access_key)) {
        *ret_id = access_key;
        *ret_secret = STR(CORE_DEV_KEY);
        return account_known(core, access_key) ? ERR_OK : ERR_NOT_FOUND;
    }
    if (!core->accounts)
        return ERR_NOT_FOUND;
    TRY(catalogue_take_by(core->accounts, NULL, BY_ACCESS_KEY, access_key, &object));
    account_secret(core->cfg.root_secret, access_key, secret);
    *ret_id = str_dup(a, ((const struct account *)object)->id);
    *ret_secret = str_dup(a, str_c(secret));
    catalogue_unref(object);
    return str_is_set(*ret_id) && str_is_set(*ret_secret) ? ERR_OK : ERR_NOMEM;
}

enum err account_list(struct txn *txn, struct catalogue_page *ret_page)
{
    _Static_assert((int)ACCOUNTS_MAX <= (int)CATALOGUE_PAGE_MAX, "all accounts are one page");
    return catalogue_list(txn->core->accounts, txn, STR(""), STR_NONE, ACCOUNTS_MAX, ret_page);
}

/* --- changes ---------------------------------------------------------------------------------- */

enum err account_add(struct txn *txn, struct str id, struct str *ret_access_key)
{
    struct core *core = txn->core;
    char random[KEY_RANDOM + 1];
    struct str there, record, key = key_of(txn->arena, id);
    if (!arn_account_valid(id))
        return ERR_INVALID;
    enum err err = txn_get(txn, key, &there);
    if (!err || str_eq(id, core->cfg.account))
        return ERR_EXISTS;
    if (err != ERR_NOT_FOUND)
        return err;
    if (catalogue_count(core->accounts, STR("")) >= ACCOUNTS_MAX)
        return ERR_LIMIT;
    rng_text(random, KEY_RANDOM, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
    struct account account = {.access_key = str_fmt(txn->arena, "AKIA%s", random),
                              .created_ms = txn->wall_ms};
    if (!str_is_set(account.access_key))
        return ERR_NOMEM;
    TRY(record_make(&record_type, txn->arena, &account, &record));
    TRY(catalogue_put(core->accounts, txn, key, record));
    *ret_access_key = account.access_key;
    return ERR_OK;
}

/* --- life ------------------------------------------------------------------------------------- */

static enum err load_born(struct core *core, struct txn *txn)
{
    struct born born = {.at_ms = txn->wall_ms};
    struct str record, key = key_prefix_vals(txn->arena, &born_key, NULL, 0);
    enum err err = txn_get(txn, key, &record);
    if (err == ERR_NOT_FOUND) {
        TRY(record_make(&born_type, txn->arena, &born, &record));
        TRY(txn_put(txn, key, record));
    } else {
        TRY(err);
        TRY(record_unpack_copy(&born_type, txn->arena, record, &born));
    }
    core->born_ms = born.at_ms;
    return ERR_OK;
}

static enum err load(struct txn *txn, void *arg)
{
    struct core *core = arg;
    TRY(load_born(core, txn));
    return catalogue_load(core->accounts, txn, key_range_table(txn->arena, &account_key).from);
}

enum err account_start(struct core *core)
{
    assert(!core->accounts);
    TRY(catalogue_new(core, &catalogue_type, core, &core->accounts));
    return txn_run_now(core, load, core);
}

void account_stop(struct core *core)
{
    catalogue_free(core->accounts);
    core->accounts = NULL;
}
