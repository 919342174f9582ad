/* JSON web tokens: taken apart, verified, signed. See jwt.h.
 *
 * Layer: auth. Thread: pure. */
#include "auth/jwt.h"

#include <assert.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "auth/jwt_int.h"
#include "codec/base64.h"

enum {
    DER_MAX = 144, /* of the two numbers of an ES512 signature */
    SIGNATURE_MAX = JWT_RSA_BITS_MAX / 8,
};

static EVP_MD *sha256, *sha384, *sha512;

__attribute__((constructor)) static void fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    sha384 = EVP_MD_fetch(NULL, "SHA384", NULL);
    sha512 = EVP_MD_fetch(NULL, "SHA512", NULL);
    assert(sha256 && sha384 && sha512);
}

/* --- taking apart ----------------------------------------------------------------------------- */

/* base64url without padding and without bits left over. */
static enum err part(struct str text, struct arena *arena, struct str *ret_bytes)
{
    if (str_find(text, '=') != SIZE_MAX)
        return ERR_INVALID;
    return base64url_decode(arena, text, ret_bytes);
}

static enum err read_header(struct jwt *jwt, struct str text, struct arena *arena)
{
    struct str bytes;
    struct json *header = NULL;
    TRY(part(text, arena, &bytes));
    TRY(json_parse(arena, bytes, &header, NULL));
    if (!jwt_members_unique(header) || json_get(header, STR("crit")) ||
        json_get(header, STR("b64")))
        return ERR_INVALID;
    const struct json *kid = json_get(header, STR("kid"));
    jwt->alg = json_get_str(header, STR("alg"));
    jwt->kid = json_get_str(header, STR("kid"));
    jwt->header = header;
    return jwt->alg.p && (!kid || kid->kind == JSON_STRING) ? ERR_OK : ERR_INVALID;
}

enum err jws_parse(struct str token, struct arena *arena, struct jwt *ret_jwt)
{
    struct jwt jwt = {0};
    if (token.len > JWT_BYTES_MAX)
        return ERR_LIMIT;
    struct str rest = token;
    struct str header = str_cut(&rest, '.');
    if (!rest.p)
        return ERR_INVALID;
    struct str payload = str_cut(&rest, '.');
    if (!rest.p || str_find(rest, '.') != SIZE_MAX)
        return ERR_INVALID;
    TRY(read_header(&jwt, header, arena));
    TRY(part(payload, arena, &jwt.payload));
    TRY(part(rest, arena, &jwt.signature));
    assert(header.len + 1 + payload.len < token.len); /* rest stands behind them */
    jwt.signed_text = str_n(token.p, header.len + 1 + payload.len);
    *ret_jwt = jwt;
    return ERR_OK;
}

enum err jwt_parse(struct str token, struct arena *arena, struct jwt *ret_jwt)
{
    struct jwt jwt;
    struct json *claims = NULL;
    TRY(jws_parse(token, arena, &jwt));
    TRY(json_parse(arena, jwt.payload, &claims, NULL));
    if (claims->kind != JSON_OBJECT)
        return ERR_INVALID;
    jwt.claims = claims;
    *ret_jwt = jwt;
    return ERR_OK;
}

/* --- signatures ------------------------------------------------------------------------------- */

/* A signature's two numbers of `half` bytes side by side as the DER that OpenSSL reads; 0 on failure. */
static size_t der_of_pair(struct str pair, int half, unsigned char der[DER_MAX])
{
    const unsigned char *p = (const unsigned char *)pair.p;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(p, half, NULL), *s = BN_bin2bn(p + half, half, NULL);
    int n = 0;
    if (sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
        r = s = NULL; /* the signature's now */
        if (i2d_ECDSA_SIG(sig, NULL) <= DER_MAX)
            n = i2d_ECDSA_SIG(sig, &der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    return n > 0 ? (size_t)n : 0;
}

static bool pair_of_der(const unsigned char *der, size_t len, int half, unsigned char *pair)
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
    bool ok = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), pair, half) == half &&
              BN_bn2binpad(ECDSA_SIG_get0_s(sig), pair + half, half) == half;
    ECDSA_SIG_free(sig);
    return ok;
}

/* Of an algorithm, by its name. */
static const EVP_MD *digest_of(struct str alg)
{
    struct str bits = str_sub(alg, alg.len - 3, SIZE_MAX);
    return str_eq_c(bits, "384") ? sha384 : str_eq_c(bits, "512") ? sha512 : sha256;
}

/* Signs `text` into `out`, in OpenSSL's form. */
static enum err sign_raw(const struct jwt_key *key, struct str text, unsigned char *out,
                         size_t *ret_len)
{
    size_t len = SIGNATURE_MAX;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok =
        ctx &&
        EVP_DigestSignInit(ctx, NULL, digest_of(jwt_alg_name(key->alg)), NULL, key->pkey) == 1 &&
        EVP_DigestSign(ctx, out, &len, (const unsigned char *)text.p, text.len) == 1;
    EVP_MD_CTX_free(ctx);
    assert(!ok || len <= SIGNATURE_MAX);
    *ret_len = len;
    return ok ? ERR_OK : ERR_NOMEM;
}

static bool key_is_for(const struct jwt_key *key, struct str alg)
{
    return str_eq(alg, jwt_alg_name(key->alg)) ||
           (key->any_rsa &&
            (str_eq(alg, jwt_alg_name(JWT_RS384)) || str_eq(alg, jwt_alg_name(JWT_RS512))));
}

static enum err verify_pair(const struct jwt *jwt, const struct jwt_key *key)
{
    unsigned char der[DER_MAX];
    struct str signature = jwt->signature;
    assert(key->alg != JWT_HS256 && key->pkey);
    const struct jwt_curve *curve = jwt_curve_of(key->alg);
    if (curve) {
        if (signature.len != 2 * (size_t)curve->bytes)
            return ERR_DENIED;
        signature = str_n((const char *)der, der_of_pair(signature, curve->bytes, der));
        if (signature.len == 0)
            return ERR_NOMEM;
    }
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ready = ctx && EVP_DigestVerifyInit(ctx, NULL, digest_of(jwt->alg), NULL, key->pkey) == 1;
    bool good = ready && EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.len,
                                          (const unsigned char *)jwt->signed_text.p,
                                          jwt->signed_text.len) == 1;
    EVP_MD_CTX_free(ctx);
    return !ready ? ERR_NOMEM : good ? ERR_OK : ERR_DENIED;
}

enum err jwt_verify(const struct jwt *jwt, const struct jwt_key *key)
{
    unsigned char mac[SIGNATURE_MAX];
    size_t len;
    assert(str_is_set(jwt->alg) && str_is_set(jwt->signed_text)); /* of jws_parse */
    if (!key_is_for(key, jwt->alg))
        return ERR_DENIED;
    if (jwt->kid.p && key->kid.p && !str_eq(jwt->kid, key->kid))
        return ERR_DENIED;
    if (key->alg != JWT_HS256)
        return verify_pair(jwt, key);
    TRY(sign_raw(key, jwt->signed_text, mac, &len));
    return str_eq_consttime(str_n((const char *)mac, len), jwt->signature) ? ERR_OK : ERR_DENIED;
}

enum err jwt_verify_set(const struct jwt *jwt, const struct jwt_keys *keys)
{
    if (!jwt->kid.p)
        return keys->n == 1 ? jwt_verify(jwt, keys->key[0]) : ERR_NOT_FOUND;
    for (size_t i = 0; i < keys->n; i++) {
        if (keys->key[i]->kid.p && str_eq(keys->key[i]->kid, jwt->kid))
            return jwt_verify(jwt, keys->key[i]);
    }
    return ERR_NOT_FOUND;
}

/* --- claims ----------------------------------------------------------------------------------- */

/* A claim in milliseconds; *ret_there false when there is none. */
static enum err time_claim(const struct jwt *jwt, struct str name, bool *ret_there, double *ret_ms)
{
    const struct json *v = json_get(jwt->claims, name);
    *ret_there = v != NULL;
    if (!v)
        return ERR_OK;
    if (json_to_f64(v, ret_ms) != ERR_OK)
        return ERR_INVALID;
    *ret_ms *= 1000;
    return ERR_OK;
}

enum err jwt_check_times(const struct jwt *jwt, int64_t now_ms, int64_t skew_ms, bool needs_exp)
{
    double exp = 0, nbf = 0, iat = 0, now = (double)now_ms, skew = (double)skew_ms;
    bool has_exp, has_nbf, has_iat;
    if (!jwt->claims)
        return ERR_INVALID;
    TRY(time_claim(jwt, STR("exp"), &has_exp, &exp));
    TRY(time_claim(jwt, STR("nbf"), &has_nbf, &nbf));
    TRY(time_claim(jwt, STR("iat"), &has_iat, &iat));
    if (!has_exp && needs_exp)
        return ERR_INVALID;
    if (has_exp && now >= exp + skew)
        return ERR_TIMEOUT;
    if ((has_nbf && now < nbf - skew) || (has_iat && now < iat - skew))
        return ERR_DENIED;
    return ERR_OK;
}

bool jwt_claim_has(const struct jwt *jwt, struct str name, struct str value)
{
    const struct json *v = json_get(jwt->claims, name);
    if (v && v->kind == JSON_STRING)
        return str_eq(v->text, value);
    if (!v || v->kind != JSON_ARRAY)
        return false;
    JSON_EACH (v, it) {
        if (it->kind == JSON_STRING && str_eq(it->text, value))
            return true;
    }
    return false;
}

/* --- signing ---------------------------------------------------------------------------------- */

static struct str header_text(const struct jwt_key *key, struct arena *arena)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, arena, JWT_BYTES_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("kid"), key->kid);
    json_kv_str(&o, STR("alg"), jwt_alg_name(key->alg));
    json_close(&o, '}');
    return buf_err(&b) == ERR_OK ? base64url_encode(arena, b.p, b.len) : STR_NONE;
}

enum err jwt_sign(const struct jwt_key *key, struct str claims, struct arena *arena,
                  struct str *ret_token)
{
    unsigned char raw[SIGNATURE_MAX], pair[2 * JWT_COORDINATE_MAX];
    const struct jwt_curve *curve = jwt_curve_of(key->alg);
    struct str signature = str_n((const char *)raw, 0);
    struct str header = header_text(key, arena);
    struct str payload = base64url_encode(arena, claims.p, claims.len);
    struct str text = str_fmt(arena, STR_FMT "." STR_FMT, STR_ARG(header), STR_ARG(payload));
    if (!header.p || !payload.p || !text.p)
        return ERR_NOMEM;
    TRY(sign_raw(key, text, raw, &signature.len));
    if (curve) {
        if (!pair_of_der(raw, signature.len, curve->bytes, pair))
            return ERR_NOMEM;
        signature = str_n((const char *)pair, 2 * (size_t)curve->bytes);
    }
    struct str tail = base64url_encode(arena, signature.p, signature.len);
    struct str token = str_fmt(arena, STR_FMT "." STR_FMT, STR_ARG(text), STR_ARG(tail));
    if (!tail.p || !token.p)
        return ERR_NOMEM;
    if (token.len > JWT_BYTES_MAX)
        return ERR_LIMIT;
    *ret_token = token;
    return ERR_OK;
}
