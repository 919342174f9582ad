/* Temporary credentials that need no storage: the secret follows from the access key under the
 * server's key, and the token is the session itself, encrypted and authenticated.
 *
 *   access key  "ASIA" and 16 random characters
 *   secret      base64 of HMAC-SHA-256(server key, "secret" access key), 40 characters
 *   token       base64 of the session, sealed (codec/seal.h) for its access key, so that a token
 *               fits its own key only
 *
 * The server's key is made at the first start and lives in the store, sealed (core/secret.h): tokens
 * survive a restart, and die with the data directory.
 *
 * Layer: svc. Thread: any. */
#include <assert.h>

#include "base/record.h"
#include "base/rng.h"
#include "codec/base64.h"
#include "codec/hash.h"
#include "codec/seal.h"
#include "svc/iam/iam_int.h"

enum {
    TOKEN_BYTES_MAX = 32 * 1024,
    KEY_RANDOM = 16,
    SECRET_CHARS = 40,
    ACCESS_KEY_CHARS = 20,
};

bool iam_is_temporary(struct str access_key)
{
    return access_key.len == ACCESS_KEY_CHARS && str_starts(access_key, STR("ASIA"));
}

/* Distinct keys for the two uses, from the one that is stored. */
static void derive(const struct iam *iam, const char *use, struct str access_key,
                   uint8_t out[HASH_SHA256_LEN])
{
    char text[64];
    size_t n = strlen(use);
    memcpy(text, use, n);
    size_t k = min_size(access_key.len, sizeof(text) - n);
    if (k > 0)
        memcpy(text + n, access_key.p, k);
    assert(n + k <= sizeof(text));
    hmac_sha256(iam->token_key, sizeof(iam->token_key), text, n + k, out);
}

struct str iam_temporary_secret(const struct iam *iam, struct str access_key, struct arena *arena)
{
    uint8_t mac[HASH_SHA256_LEN];
    derive(iam, "secret", access_key, mac);
    struct str text = base64_encode(arena, mac, sizeof(mac));
    assert(!str_is_set(text) || text.len >= SECRET_CHARS);
    return str_is_set(text) ? str_sub(text, 0, SECRET_CHARS) : STR_NONE;
}

/* --- the session as bytes --------------------------------------------------------------------- */

static const struct record_field tag_fields[] = {
    REC_STR(struct principal_tag, key),
    REC_STR(struct principal_tag, value),
};
static const struct record_type tag_type = RECORD_TYPE(struct principal_tag, 1, tag_fields);

static const struct record_field session_fields[] = {
    REC_ENUM(struct iam_session, kind, PRINCIPALS),
    REC_STR(struct iam_session, id),
    REC_STR(struct iam_session, session_name),
    REC_INT(struct iam_session, issued_ms),
    REC_INT(struct iam_session, expires_ms),
    REC_STR(struct iam_session, policy_json),
    REC_LIST(struct iam_session, policy_arns, n_policy_arns, IAM_SESSION_POLICY_ARNS_MAX,
             &record_str),
    REC_LIST(struct iam_session, tags, n_tags, IAM_SESSION_TAGS_MAX, &tag_type),
    REC_BOOL(struct iam_session, chained),
    REC_SINCE(2, REC_LIST(struct iam_session, transitive_keys, n_transitive_keys,
                          IAM_SESSION_TAGS_MAX, &record_str)),
    REC_SINCE(2, REC_STR(struct iam_session, source_identity)),
    REC_SINCE(2, REC_STR(struct iam_session, provider)),
    REC_SINCE(2, REC_LIST(struct iam_session, claims, n_claims, IAM_SESSION_CLAIMS_MAX, &tag_type)),
};
static const struct record_type session_type = RECORD_TYPE(struct iam_session, 2, session_fields);

/* --- tokens ----------------------------------------------------------------------------------- */

enum err iam_mint(void *self, const struct iam_session *session, struct arena *arena,
                  struct str *ret_access_key, struct str *ret_secret, struct str *ret_token)
{
    struct iam *iam = self;
    char random[KEY_RANDOM + 1];
    assert(session->kind != PRINCIPAL_ANONYMOUS && session->kind != PRINCIPAL_SERVICE &&
           session->kind < PRINCIPAL_WEB);
    rng_text(random, KEY_RANDOM, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
    struct str access_key = str_fmt(arena, "ASIA%s", random);
    if (!str_is_set(access_key))
        return ERR_NOMEM;
    assert(iam_is_temporary(access_key)); /* so that iam_open_token takes it back */
    struct buf plain;
    buf_init_arena(&plain, arena, TOKEN_BYTES_MAX);
    TRY(record_pack(&session_type, session, &plain));
    size_t len = plain.len + SEAL_MORE_BYTES;
    uint8_t key[HASH_SHA256_LEN], *bytes = arena_alloc(arena, len);
    if (!bytes)
        return ERR_NOMEM;
    derive(iam, "token", STR_NONE, key);
    TRY(seal_close(key, access_key, buf_str(&plain), bytes));
    struct str token = base64_encode(arena, bytes, len);
    struct str secret = iam_temporary_secret(iam, access_key, arena);
    if (!str_is_set(token) || !str_is_set(secret))
        return ERR_NOMEM;
    *ret_access_key = access_key;
    *ret_secret = secret;
    *ret_token = token;
    return ERR_OK;
}

enum err iam_open_token(void *self, struct str access_key, struct str token, struct arena *arena,
                        struct iam_session *ret_session)
{
    struct iam *iam = self;
    struct str bytes;
    struct iam_session session = {0};
    if (!iam_is_temporary(access_key) || token.len == 0 || token.len > 2 * TOKEN_BYTES_MAX)
        return ERR_INVALID;
    TRY(base64_decode(arena, token, &bytes));
    if (bytes.len < SEAL_MORE_BYTES)
        return ERR_INVALID;
    size_t len = bytes.len - SEAL_MORE_BYTES;
    uint8_t key[HASH_SHA256_LEN], *plain = arena_alloc(arena, len + 1);
    if (!plain)
        return ERR_NOMEM;
    derive(iam, "token", STR_NONE, key);
    TRY(seal_open(key, access_key, bytes, plain));
    enum err err = record_unpack(&session_type, arena, str_n((const char *)plain, len), &session);
    if (err)
        return err == ERR_CORRUPT ? ERR_INVALID : err; /* of another version */
    *ret_session = session;
    return ERR_OK;
}
