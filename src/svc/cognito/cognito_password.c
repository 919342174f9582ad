/* Passwords: what a pool's policy takes, and how they are kept (CG1): hashed as auth/password.h says.
 *
 * The verifier of SRP follows from the password by two SHA-256 and one exponentiation: whoever has it and
 * a word list is faster than with Argon2id. USER_SRP_AUTH cannot be served without it, and a user cannot
 * be asked for the password again when a client is later allowed that flow; so it is stored for all,
 * sealed under the store's key.
 *
 * Source: Cognito developer guide, "Adding user pool password requirements".
 * Layer: svc/cognito. Thread: the call's; hashing on the worker pool (CG2). */
#include "auth/password.h"
#include "base/rng.h"
#include "svc/cognito/cognito_int.h"

enum {
    PASSWORD_MAX = 256,
    PASSWORD_MADE = 12, /* characters of one that is made, if the policy takes that few */
};
#define SYMBOLS "^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+- "

/* --- the policy --------------------------------------------------------------------------------- */

static const struct cognito_password_policy_type *policy_of(const struct cognito_pool *pool)
{
    static const struct cognito_password_policy_type none = {0};
    const struct cognito_user_pool_policy_type *p = pool->set.policies;
    return p && p->password_policy ? p->password_policy : &none;
}

struct contents {
    bool upper, lower, digit, symbol;
};

static struct contents look_at(struct str password)
{
    struct contents c = {0};
    for (size_t i = 0; i < password.len; i++) {
        char ch = password.p[i];
        c.upper |= ch >= 'A' && ch <= 'Z';
        c.lower |= ch >= 'a' && ch <= 'z';
        c.digit |= ch >= '0' && ch <= '9';
        c.symbol |= str_find(STR(SYMBOLS), ch) != SIZE_MAX;
    }
    return c;
}

static enum err refuse(struct call *call, const char *why)
{
    return call_error(call, &cognito_err_invalid_password_exception,
                      "Password did not conform with policy: %s", why);
}

enum err cognito_password_check(struct call *call, const struct cognito_pool *pool,
                                struct str password)
{
    const struct cognito_password_policy_type *p = policy_of(pool);
    const struct contents c = look_at(password);
    int64_t len = (int64_t)str_utf8_count(password);
    if (len > PASSWORD_MAX)
        return refuse(call, "Password too long");
    if (p->has_minimum_length && len < p->minimum_length)
        return refuse(call, "Password not long enough");
    if (p->require_uppercase && !c.upper)
        return refuse(call, "Password must have uppercase characters");
    if (p->require_lowercase && !c.lower)
        return refuse(call, "Password must have lowercase characters");
    if (p->require_numbers && !c.digit)
        return refuse(call, "Password must have numeric characters");
    if (p->require_symbols && !c.symbol)
        return refuse(call, "Password must have symbol characters");
    return ERR_OK;
}

struct str cognito_password_make(struct arena *a, const struct cognito_pool *pool)
{
    static const char *const kinds[] = {"ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnopqrstuvwxyz",
                                        "23456789", "!@#%*+-_"};
    size_t n = PASSWORD_MADE;
    const struct cognito_password_policy_type *p = policy_of(pool);
    if (p->has_minimum_length && p->minimum_length > (int64_t)n)
        n = (size_t)p->minimum_length;
    char *out = arena_alloc(a, n + 1);
    if (!out)
        return STR_NONE;
    for (size_t i = 0; i < n; i++)
        rng_text(out + i, 1, kinds[i % ARRAY_LEN(kinds)]);
    return str_n(out, n);
}

/* --- work ---------------------------------------------------------------------------------------- */

/* What the work of a name that nobody has is done on: no user's hash. */
static enum err of_nobody(struct call *call, struct str password)
{
    struct str ignored;
    TRY(password_hash(call->arena, password, &ignored));
    return ERR_DENIED;
}

/* --- keeping ------------------------------------------------------------------------------------ */

struct str cognito_pool_name(struct str pool_id)
{
    size_t at = str_find(pool_id, '_');
    return at == SIZE_MAX ? pool_id : str_sub(pool_id, at + 1, SIZE_MAX);
}

/* The verifier belongs to this user and no other. */
static struct str bound_to(struct arena *a, const struct cognito_user *user)
{
    return str_fmt(a, "cognito/verifier/" STR_FMT, STR_ARG(user->sub));
}

static enum err make_verifier(struct call *call, const struct cognito_pool *pool,
                              struct cognito_user *user, struct str password)
{
    const struct cognito_srp_user who = {cognito_pool_name(pool->rec.id), user->name, password};
    struct str verifier, bound = bound_to(call->arena, user);
    user->srp_salt = cognito_random_hex(call->arena, SRP_SALT_BYTES);
    if (!str_is_set(user->srp_salt) || !str_is_set(bound))
        return ERR_NOMEM;
    TRY(cognito_srp_verifier(call->arena, &who, user->srp_salt, &verifier));
    return secret_close(call->core, call->arena, bound, verifier, &user->verifier);
}

enum err cognito_password_set(struct call *call, const struct cognito_pool *pool,
                              struct cognito_user *user, struct str password)
{
    struct str kept;
    /* A user's sub is drawn anew when a call begins anew: the hash does not depend on it, the verifier
     * does, and is the cheap part. */
    enum err err = cognito_kept(call, "hash", &kept);
    if (err == ERR_NOT_FOUND) {
        TRY(txn_work(call->txn, TXN_SLICE_WORK + 1));
        TRY(password_hash(call->arena, password, &kept));
        err = cognito_keep(call, "hash", kept);
    }
    TRY(err);
    user->password = kept;
    user->password_until_ms = 0;
    user->failures = 0;
    return make_verifier(call, pool, user, password);
}

enum err cognito_password_verify(struct call *call, const struct cognito_user *user,
                                 struct str password)
{
    struct str kept;
    enum err err = cognito_kept(call, "verified", &kept);
    if (err == ERR_OK && user && str_eq(kept, user->password))
        return ERR_OK;
    if (err == ERR_OK && str_eq(kept, STR("-")))
        return ERR_DENIED;
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    TRY(txn_work(call->txn, TXN_SLICE_WORK + 1));
    err = user && str_is_set(user->password)
              ? password_verify(call->arena, user->password, password)
              : of_nobody(call, password);
    if (err == ERR_OK || err == ERR_DENIED)
        TRY(cognito_keep(call, "verified", err == ERR_OK ? user->password : STR("-")));
    return err;
}

enum err cognito_verifier(struct txn *txn, const struct cognito_pool *pool,
                          const struct cognito_user *user, struct str *ret)
{
    struct str bound = bound_to(txn->arena, user);
    if (!str_is_set(user->verifier))
        return ERR_NOT_FOUND;
    return str_is_set(bound) ? secret_open(txn->core, txn->arena, bound, user->verifier, ret)
                             : ERR_NOMEM;
}
