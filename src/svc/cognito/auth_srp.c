/* USER_SRP_AUTH, and the SRP round of CUSTOM_AUTH. The secret block that the client's proof covers is the
 * name of the session.
 * Layer: svc/cognito. Thread: the call's; exponentiations are work (CG2). */
#include "codec/base64.h"
#include "codec/hex.h"
#include "svc/cognito/cognito_int.h"

enum { SRP_WORK = 256 * 1024, SIGNED_MAX = 4096 };

/* What nobody's verifier and salt are: the same each time for one name, so that asking twice tells
 * nothing. */
static enum err of_nobody(struct cognito_auth *at, struct str username, struct str *ret_salt,
                          struct str *ret_verifier)
{
    struct call *call = at->act.call;
    uint8_t mac[HASH_SHA256_LEN];
    struct str said = str_fmt(call->arena, "cognito/srp/" STR_FMT "/" STR_FMT,
                              STR_ARG(at->act.pool->rec.id), STR_ARG(username));
    if (!str_is_set(said))
        return ERR_NOMEM;
    hmac_sha256(call->core->secret_key, sizeof(call->core->secret_key), said.p, said.len, mac);
    *ret_salt = hex_encode(call->arena, mac, SRP_SALT_BYTES);
    if (!str_is_set(*ret_salt))
        return ERR_NOMEM;
    const struct cognito_srp_user who = {cognito_pool_name(at->act.pool->rec.id), username,
                                         *ret_salt};
    at->user = (struct cognito_user){.name = username, .sub = STR("-")};
    return cognito_srp_verifier(call->arena, &who, *ret_salt, ret_verifier);
}

static enum err find(struct cognito_auth *at, struct str username, struct str *ret_salt,
                     struct str *ret_verifier)
{
    struct call *call = at->act.call;
    enum err err = cognito_user_find(call->txn, at->act.pool, username, &at->user);
    if (err == ERR_NOT_FOUND && !cognito_hides_users(at->act.client))
        return call_error(call, &cognito_err_user_not_found_exception, "User does not exist.");
    if (err == ERR_NOT_FOUND)
        return of_nobody(at, username, ret_salt, ret_verifier);
    TRY(err);
    err = cognito_verifier(call->txn, at->act.pool, &at->user, ret_verifier);
    if (err == ERR_NOT_FOUND)
        return COGNITO_REFUSED(call, "Incorrect username or password.");
    *ret_salt = at->user.srp_salt;
    return err;
}

enum err cognito_srp_begin(struct cognito_auth *at)
{
    struct call *call = at->act.call;
    struct str username = cognito_get(at->parameters, STR("USERNAME"));
    struct str a = cognito_get(at->parameters, STR("SRP_A"));
    struct str salt, verifier, name;
    if (!str_is_set(username) || !str_is_set(a))
        return COGNITO_INVALID(call, "Missing required parameter %s",
                               str_is_set(username) ? "SRP_A" : "USERNAME");
    TRY(cognito_secret_hash(call, at->act.client, username,
                            cognito_get(at->parameters, STR("SECRET_HASH"))));
    TRY(txn_work(call->txn, SRP_WORK));
    enum err err = cognito_srp_check(call->arena, a);
    if (err == ERR_INVALID)
        return COGNITO_INVALID(call, "Invalid SRP_A");
    TRY(err);
    TRY(find(at, username, &salt, &verifier));
    at->session.srp_a = a;
    TRY(cognito_srp_challenge(call->arena, verifier, &at->session.srp_b_secret,
                              &at->session.srp_b));
    TRY(cognito_auth_challenge(at, "PASSWORD_VERIFIER", &name));
    TRY(cognito_auth_param(at, "SALT", salt));
    TRY(cognito_auth_param(at, "SECRET_BLOCK", base64_encode(call->arena, name.p, name.len)));
    TRY(cognito_auth_param(at, "SRP_B", at->session.srp_b));
    TRY(cognito_auth_param(at, "USERNAME", at->user.name));
    return cognito_auth_param(at, "USER_ID_FOR_SRP", at->user.name);
}

/* --- the proof ---------------------------------------------------------------------------------- */

static enum err prove(struct cognito_auth *at, struct str block, struct str timestamp,
                      struct str proof)
{
    struct call *call = at->act.call;
    uint8_t key[SRP_KEY_BYTES], mac[HASH_SHA256_LEN], given[HASH_SHA256_LEN];
    size_t n = 0;
    struct buf b;
    struct cognito_srp_exchange x = {
        .a = at->session.srp_a, .b = at->session.srp_b, .secret = at->session.srp_b_secret};
    TRY(cognito_verifier(call->txn, at->act.pool, &at->user, &x.verifier));
    TRY(cognito_srp_key(call->arena, &x, key));
    buf_init_arena(&b, call->arena, SIGNED_MAX);
    buf_add_str(&b, cognito_pool_name(at->act.pool->rec.id));
    buf_add_str(&b, at->user.name);
    buf_add_str(&b, block);
    buf_add_str(&b, timestamp);
    TRY(buf_err(&b));
    hmac_sha256(key, sizeof(key), b.p, b.len, mac);
    if (base64_decode_to(proof, given, sizeof(given), &n) != ERR_OK || n != sizeof(given))
        return ERR_DENIED;
    return str_eq_consttime(str_n((const char *)mac, n), str_n((const char *)given, n))
               ? ERR_OK
               : ERR_DENIED;
}

/* The session, and its user; ERR_DENIED: nobody. */
static enum err open_block(struct cognito_auth *at, struct str block)
{
    struct call *call = at->act.call;
    enum err err = cognito_session_take(call->txn, cognito_of(call), COGNITO_MARK_SESSION,
                                        at->act.pool->rec.id, block, &at->session);
    if (err == ERR_NOT_FOUND ||
        (err == ERR_OK && (!str_eq(at->session.client_id, at->act.client->set.client_id) ||
                           !str_eq_c(at->session.challenge, "PASSWORD_VERIFIER"))))
        return COGNITO_REFUSED(call, "Invalid session for the user, session is expired.");
    TRY(err);
    err = cognito_user_find(call->txn, at->act.pool, at->session.user, &at->user);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && !str_eq(at->user.sub, at->session.sub)))
        return ERR_DENIED;
    return err;
}

enum err cognito_srp_answer(struct cognito_auth *at)
{
    struct call *call = at->act.call;
    struct str coded = cognito_get(at->parameters, STR("PASSWORD_CLAIM_SECRET_BLOCK"));
    struct str proof = cognito_get(at->parameters, STR("PASSWORD_CLAIM_SIGNATURE"));
    struct str timestamp = cognito_get(at->parameters, STR("TIMESTAMP"));
    struct str block;
    if (!str_is_set(coded) || !str_is_set(proof) || !str_is_set(timestamp))
        return COGNITO_INVALID(call, "Missing required parameter of PASSWORD_VERIFIER");
    if (base64_decode(call->arena, coded, &block) != ERR_OK)
        return COGNITO_INVALID(call, "Invalid PASSWORD_CLAIM_SECRET_BLOCK");
    TRY(txn_work(call->txn, SRP_WORK));
    enum err err = open_block(at, block);
    if (err == ERR_DENIED)
        return COGNITO_REFUSED(call, "Incorrect username or password.");
    TRY(err);
    TRY(cognito_auth_locked(at, &at->user));
    err = prove(at, block, timestamp, proof);
    if (err == ERR_DENIED || err == ERR_INVALID || err == ERR_NOT_FOUND)
        return cognito_auth_failed(at, &at->user);
    TRY(err);
    return cognito_auth_state(at);
}
