#include "core/secret.h"

#include <assert.h>

#include "codec/hash.h"

void secret_key_init(struct core *core)
{
    static const char use[] = "weir: secrets at rest";
    struct str root = core->cfg.root_secret;
    hmac_sha256(root.p ? root.p : "", root.len, use, sizeof(use) - 1, core->secret_key);
}

static struct str own_key(const struct core *core)
{
    return str_n((const char *)core->secret_key, sizeof(core->secret_key));
}

enum err secret_close_with(struct str key, struct arena *a, struct str bound, struct str plain,
                           struct str *ret_sealed)
{
    assert(key.len == SEAL_KEY_BYTES);
    if (!str_is_set(plain)) {
        *ret_sealed = STR_NONE;
        return ERR_OK;
    }
    uint8_t *out = arena_alloc(a, plain.len + SEAL_MORE_BYTES);
    if (!out)
        return ERR_NOMEM;
    TRY(seal_close((const uint8_t *)key.p, bound, plain, out));
    *ret_sealed = str_n((const char *)out, plain.len + SEAL_MORE_BYTES);
    return ERR_OK;
}

enum err secret_open_with(struct str key, struct arena *a, struct str bound, struct str sealed,
                          struct str *ret_plain)
{
    assert(key.len == SEAL_KEY_BYTES);
    if (!str_is_set(sealed)) {
        *ret_plain = STR_NONE;
        return ERR_OK;
    }
    if (sealed.len < SEAL_MORE_BYTES)
        return ERR_CORRUPT;
    uint8_t *out = arena_alloc(a, sealed.len - SEAL_MORE_BYTES + 1);
    if (!out)
        return ERR_NOMEM;
    enum err err = seal_open((const uint8_t *)key.p, bound, sealed, out);
    if (err)
        return err == ERR_INVALID ? ERR_CORRUPT : err;
    *ret_plain = str_n((const char *)out, sealed.len - SEAL_MORE_BYTES);
    return ERR_OK;
}

enum err secret_close(const struct core *core, struct arena *a, struct str bound, struct str plain,
                      struct str *ret_sealed)
{
    return secret_close_with(own_key(core), a, bound, plain, ret_sealed);
}

enum err secret_open(const struct core *core, struct arena *a, struct str bound, struct str sealed,
                     struct str *ret_plain)
{
    return secret_open_with(own_key(core), a, bound, sealed, ret_plain);
}
