/* SRP-6a on OpenSSL's numbers. See cognito_srp.h. Layer: svc/cognito. Thread: pure. */
#include "svc/cognito/cognito_srp.h"

#include <openssl/bn.h>

#include "base/rng.h"
#include "codec/hash.h"
#include "codec/hex.h"

enum { NUMBERS = 8, BYTES_MAX = 400, GENERATOR = 2 };

/* Numbers of one computation, freed together. */
struct sums {
    BN_CTX *ctx;
    BIGNUM *n, *g, *k;
    BIGNUM *v[NUMBERS];
    size_t used;
};

static void sums_release(struct sums *s)
{
    for (size_t i = 0; i < s->used; i++)
        BN_clear_free(s->v[i]);
    BN_free(s->n);
    BN_free(s->g);
    BN_free(s->k);
    BN_CTX_free(s->ctx);
}

static BIGNUM *number(struct sums *s)
{
    BIGNUM *n = s->used < NUMBERS ? BN_new() : NULL;
    if (n)
        s->v[s->used++] = n;
    return n;
}

/* As Java's BigInteger.toByteArray writes it. */
static size_t signed_bytes(const BIGNUM *n, uint8_t out[BYTES_MAX])
{
    size_t len = (size_t)BN_num_bytes(n), pad = len == 0 || BN_is_bit_set(n, (int)len * 8 - 1);
    if (len + pad > BYTES_MAX)
        return 0;
    memset(out, 0, pad);
    BN_bn2bin(n, out + pad);
    return len + pad;
}

/* H(a | b) as a number. */
static bool hash_two(struct sums *s, const BIGNUM *a, const BIGNUM *b, BIGNUM *ret)
{
    uint8_t bytes[2 * BYTES_MAX], digest[HASH_SHA256_LEN];
    size_t n = signed_bytes(a, bytes);
    n += signed_bytes(b, bytes + n);
    hash_once(HASH_SHA256, bytes, n, digest);
    return BN_bin2bn(digest, sizeof(digest), ret) != NULL;
}

static enum err sums_init(struct sums *s)
{
    *s = (struct sums){
        .ctx = BN_CTX_new(), .n = BN_get_rfc3526_prime_3072(NULL), .g = BN_new(), .k = BN_new()};
    if (s->ctx && s->n && s->g && s->k && BN_set_word(s->g, GENERATOR) &&
        hash_two(s, s->n, s->g, s->k))
        return ERR_OK;
    sums_release(s);
    return ERR_NOMEM;
}

static enum err of_hex(struct arena *a, struct str hex, BIGNUM *ret)
{
    BIGNUM *n = ret;
    if (hex.len == 0 || hex.len > SRP_NUMBER_MAX)
        return ERR_INVALID;
    for (size_t i = 0; i < hex.len; i++)
        if (hex_digit(hex.p[i]) < 0)
            return ERR_INVALID;
    char *text = str_cstr(a, hex);
    if (!text)
        return ERR_NOMEM;
    return BN_hex2bn(&n, text) == (int)hex.len ? ERR_OK : ERR_NOMEM;
}

static struct str to_hex(struct arena *a, const BIGNUM *n)
{
    uint8_t bytes[BYTES_MAX];
    size_t len = (size_t)BN_num_bytes(n);
    if (len == 0 || len > sizeof(bytes))
        return STR_NONE;
    BN_bn2bin(n, bytes);
    return hex_encode(a, bytes, len);
}

/* --- the verifier ------------------------------------------------------------------------------- */

static enum err private_key(struct arena *a, const struct cognito_srp_user *user,
                            const BIGNUM *salt, BIGNUM *ret_x)
{
    uint8_t bytes[BYTES_MAX + HASH_SHA256_LEN], digest[HASH_SHA256_LEN];
    struct str said = str_fmt(a, STR_FMT STR_FMT ":" STR_FMT, STR_ARG(user->pool),
                              STR_ARG(user->name), STR_ARG(user->password));
    if (!str_is_set(said))
        return ERR_NOMEM;
    size_t n = signed_bytes(salt, bytes);
    hash_once(HASH_SHA256, said.p, said.len, bytes + n);
    hash_once(HASH_SHA256, bytes, n + HASH_SHA256_LEN, digest);
    return BN_bin2bn(digest, sizeof(digest), ret_x) ? ERR_OK : ERR_NOMEM;
}

enum err cognito_srp_verifier(struct arena *a, const struct cognito_srp_user *user, struct str salt,
                              struct str *ret_verifier)
{
    struct sums s;
    TRY(sums_init(&s));
    BIGNUM *n_salt = number(&s), *x = number(&s), *v = number(&s);
    enum err err = n_salt && x && v ? of_hex(a, salt, n_salt) : ERR_NOMEM;
    if (err == ERR_OK)
        err = private_key(a, user, n_salt, x);
    if (err == ERR_OK && !BN_mod_exp(v, s.g, x, s.n, s.ctx))
        err = ERR_NOMEM;
    if (err == ERR_OK) {
        struct str text = to_hex(a, v);
        err = str_is_set(text) ? ERR_OK : ERR_NOMEM;
        if (err == ERR_OK)
            *ret_verifier = text;
    }
    sums_release(&s);
    return err;
}

/* --- the exchange ------------------------------------------------------------------------------- */

/* B = (k v + g^b) mod N */
static bool make_b(struct sums *s, const BIGNUM *v, const BIGNUM *secret, BIGNUM *ret)
{
    BIGNUM *kv = number(s), *gb = number(s);
    return kv && gb && BN_mod_mul(kv, s->k, v, s->n, s->ctx) &&
           BN_mod_exp(gb, s->g, secret, s->n, s->ctx) && BN_mod_add(ret, kv, gb, s->n, s->ctx);
}

enum err cognito_srp_challenge(struct arena *a, struct str verifier, struct str *ret_secret,
                               struct str *ret_b)
{
    struct sums s;
    uint8_t random[SRP_SECRET_BYTES];
    TRY(sums_init(&s));
    rng_bytes(random, sizeof(random));
    BIGNUM *v = number(&s), *secret = number(&s), *b = number(&s);
    enum err err = v && secret && b ? of_hex(a, verifier, v) : ERR_NOMEM;
    if (err == ERR_OK && (!BN_bin2bn(random, sizeof(random), secret) || !make_b(&s, v, secret, b)))
        err = ERR_NOMEM;
    if (err == ERR_OK) {
        struct str secret_text = hex_encode(a, random, sizeof(random)), text = to_hex(a, b);
        err = str_is_set(secret_text) && str_is_set(text) ? ERR_OK : ERR_NOMEM;
        if (err == ERR_OK) {
            *ret_secret = secret_text;
            *ret_b = text;
        }
    }
    sums_release(&s);
    return err;
}

/* RFC 5869, one block: what the vendor's clients derive. */
static void derive(const BIGNUM *shared, const BIGNUM *u, uint8_t ret_key[SRP_KEY_BYTES])
{
    static const char info[] = "Caldera Derived Key\1";
    uint8_t ikm[BYTES_MAX], salt[BYTES_MAX], prk[HASH_SHA256_LEN], okm[HASH_SHA256_LEN];
    size_t n_ikm = signed_bytes(shared, ikm), n_salt = signed_bytes(u, salt);
    hmac_sha256(salt, n_salt, ikm, n_ikm, prk);
    hmac_sha256(prk, sizeof(prk), info, sizeof(info) - 1, okm);
    memcpy(ret_key, okm, SRP_KEY_BYTES);
}

/* A that is 0 modulo N would make S zero, whatever the password. */
static enum err read_a(struct sums *s, struct arena *arena, struct str text, BIGNUM *ret)
{
    BIGNUM *rest = number(s);
    TRY(rest ? of_hex(arena, text, ret) : ERR_NOMEM);
    if (!BN_nnmod(rest, ret, s->n, s->ctx))
        return ERR_NOMEM;
    return BN_is_zero(rest) ? ERR_INVALID : ERR_OK;
}

enum err cognito_srp_check(struct arena *a, struct str text)
{
    struct sums s;
    TRY(sums_init(&s));
    BIGNUM *n = number(&s);
    enum err err = n ? read_a(&s, a, text, n) : ERR_NOMEM;
    sums_release(&s);
    return err;
}

enum err cognito_srp_key(struct arena *a, const struct cognito_srp_exchange *x,
                         uint8_t ret_key[SRP_KEY_BYTES])
{
    struct sums s;
    TRY(sums_init(&s));
    BIGNUM *na = number(&s), *nb = number(&s), *secret = number(&s), *v = number(&s),
           *u = number(&s), *sum = number(&s);
    enum err err = na && nb && secret && v && u && sum ? read_a(&s, a, x->a, na) : ERR_NOMEM;
    if (err == ERR_OK)
        err = of_hex(a, x->b, nb);
    if (err == ERR_OK)
        err = of_hex(a, x->secret, secret);
    if (err == ERR_OK)
        err = of_hex(a, x->verifier, v);
    if (err == ERR_OK &&
        (!hash_two(&s, na, nb, u) || !BN_mod_exp(sum, v, u, s.n, s.ctx) ||
         !BN_mod_mul(sum, na, sum, s.n, s.ctx) || !BN_mod_exp(sum, sum, secret, s.n, s.ctx)))
        err = ERR_NOMEM;
    if (err == ERR_OK)
        err = BN_is_zero(u) ? ERR_INVALID : ERR_OK;
    if (err == ERR_OK)
        derive(sum, u, ret_key);
    sums_release(&s);
    return err;
}
