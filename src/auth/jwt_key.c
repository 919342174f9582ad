/* Keys of JSON web tokens: made, stored, read from and written as JWK. See jwt.h.
 *
 * Layer: auth. Thread: a finished key is constant. */
#include <assert.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "auth/jwt_int.h"
#include "base/mem.h"
#include "codec/base64.h"

enum {
    RSA_EXPONENT_BYTES_MAX = 8,
    MEMBERS_MAX = 256, /* of a header or key */
};

static const struct jwt_curve curves[] = {
    {JWT_ES256, "P-256", "prime256v1", 32},
    {JWT_ES384, "P-384", "secp384r1", 48},
    {JWT_ES512, "P-521", "secp521r1", JWT_COORDINATE_MAX},
};

const struct jwt_curve *jwt_curve_of(enum jwt_alg alg)
{
    for (size_t i = 0; i < ARRAY_LEN(curves); i++)
        if (curves[i].alg == alg)
            return &curves[i];
    return NULL;
}

struct str jwt_alg_name(enum jwt_alg alg)
{
    static const struct str names[] = {
        STR_INIT("RS256"), STR_INIT("ES256"), STR_INIT("HS256"), STR_INIT("RS384"),
        STR_INIT("RS512"), STR_INIT("ES384"), STR_INIT("ES512"),
    };
    return names[alg];
}

bool jwt_members_unique(const struct json *obj)
{
    if (!obj || obj->kind != JSON_OBJECT || obj->n > MEMBERS_MAX)
        return false;
    JSON_EACH (obj, a) {
        for (const struct json *b = a->next; b; b = b->next) {
            if (str_eq(a->key, b->key))
                return false;
        }
    }
    return true;
}

/* Takes `pkey`, which may be NULL: then ERR_INVALID. */
static enum err key_new(enum jwt_alg alg, EVP_PKEY *pkey, struct str kid, struct jwt_key **ret_key)
{
    struct jwt_key *key = pkey ? mem_calloc(1, sizeof(*key) + kid.len + 1) : NULL;
    if (!key) {
        EVP_PKEY_free(pkey);
        return pkey ? ERR_NOMEM : ERR_INVALID;
    }
    key->alg = alg;
    key->pkey = pkey;
    if (kid.p) {
        if (kid.len > 0)
            memcpy(key->kid_text, kid.p, kid.len);
        key->kid = str_n(key->kid_text, kid.len);
    }
    *ret_key = key;
    return ERR_OK;
}

void jwt_key_free(struct jwt_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey);
    mem_free(key);
}

struct str jwt_key_kid(const struct jwt_key *key)
{
    return key->kid;
}

enum jwt_alg jwt_key_alg(const struct jwt_key *key)
{
    return key->alg;
}

/* --- making and storing ----------------------------------------------------------------------- */

enum err jwt_key_generate_rsa(unsigned bits, struct str kid, struct jwt_key **ret_key)
{
    if (bits < JWT_RSA_BITS_MIN || bits > JWT_RSA_BITS_MAX)
        return ERR_INVALID;
    EVP_PKEY *pkey = EVP_RSA_gen(bits);
    return pkey ? key_new(JWT_RS256, pkey, kid, ret_key) : ERR_NOMEM;
}

enum err jwt_key_generate_ec(struct str kid, struct jwt_key **ret_key)
{
    EVP_PKEY *pkey = EVP_EC_gen(jwt_curve_of(JWT_ES256)->group);
    return pkey ? key_new(JWT_ES256, pkey, kid, ret_key) : ERR_NOMEM;
}

enum err jwt_key_secret(struct str secret, struct str kid, struct jwt_key **ret_key)
{
    if (secret.len < JWT_SECRET_BYTES_MIN)
        return ERR_INVALID;
    return key_new(JWT_HS256,
                   EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, NULL,
                                                (const unsigned char *)secret.p, secret.len),
                   kid, ret_key);
}

/* What JWT4 asks of a key pair; says which algorithm it is for. */
static enum err judge(EVP_PKEY *pkey, enum jwt_alg *ret_alg)
{
    if (EVP_PKEY_is_a(pkey, "RSA")) {
        int bits = EVP_PKEY_get_bits(pkey);
        *ret_alg = JWT_RS256;
        return bits >= JWT_RSA_BITS_MIN && bits <= JWT_RSA_BITS_MAX ? ERR_OK : ERR_INVALID;
    }
    char group[32];
    size_t n;
    if (!EVP_PKEY_is_a(pkey, "EC") || !EVP_PKEY_get_group_name(pkey, group, sizeof(group), &n))
        return ERR_UNSUPPORTED;
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        if (!str_eq_c(str_n(group, n), curves[i].group))
            continue;
        *ret_alg = curves[i].alg;
        return ERR_OK;
    }
    return ERR_UNSUPPORTED;
}

enum err jwt_key_of_der(struct str der, struct str kid, struct jwt_key **ret_key)
{
    const unsigned char *p = (const unsigned char *)der.p;
    enum jwt_alg alg = JWT_RS256;
    EVP_PKEY *pkey = der.len <= JWT_BYTES_MAX ? d2i_AutoPrivateKey(NULL, &p, (long)der.len) : NULL;
    if (!pkey)
        return ERR_INVALID;
    enum err e = judge(pkey, &alg);
    if (e == ERR_OK && (const char *)p != der.p + der.len)
        e = ERR_INVALID;
    if (e != ERR_OK) {
        EVP_PKEY_free(pkey);
        return e;
    }
    return key_new(alg, pkey, kid, ret_key);
}

enum err jwt_key_der(const struct jwt_key *key, struct arena *arena, struct str *ret_der)
{
    unsigned char *der = NULL;
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key->pkey);
    int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;
    PKCS8_PRIV_KEY_INFO_free(info);
    if (n <= 0)
        return info ? ERR_NOMEM : ERR_INVALID;
    struct str copy = str_n(arena_memdup(arena, der, (size_t)n), (size_t)n);
    OPENSSL_clear_free(der, (size_t)n);
    if (!copy.p)
        return ERR_NOMEM;
    *ret_der = copy;
    return ERR_OK;
}

/* --- JWK -------------------------------------------------------------------------------------- */

/* A member in strict base64url without padding. */
static enum err member_bytes(const struct json *jwk, struct str name, struct arena *arena,
                             struct str *ret_bytes)
{
    struct str text = json_get_str(jwk, name);
    if (!text.p || text.len == 0 || str_find(text, '=') != SIZE_MAX)
        return ERR_INVALID;
    return base64url_decode(arena, text, ret_bytes);
}

static EVP_PKEY *pkey_of(const char *type, OSSL_PARAM_BLD *build)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return pkey;
}

/* The exponent must be odd and more than one, or anybody can sign. */
static enum err rsa_of_jwk(const struct json *jwk, struct arena *arena, EVP_PKEY **ret_pkey)
{
    struct str n, e;
    TRY(member_bytes(jwk, STR("n"), arena, &n));
    TRY(member_bytes(jwk, STR("e"), arena, &e));
    if (n.len > JWT_RSA_BITS_MAX / 8 || e.len > RSA_EXPONENT_BYTES_MAX || n.p[0] == 0 ||
        e.p[0] == 0 || !(e.p[e.len - 1] & 1) || (e.len == 1 && e.p[0] == 1))
        return ERR_INVALID;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *bn = BN_bin2bn((const unsigned char *)n.p, (int)n.len, NULL);
    BIGNUM *be = BN_bin2bn((const unsigned char *)e.p, (int)e.len, NULL);
    EVP_PKEY *pkey = NULL;
    if (build && bn && be && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, bn) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, be))
        pkey = pkey_of("RSA", build);
    BN_free(be);
    BN_free(bn);
    OSSL_PARAM_BLD_free(build);
    *ret_pkey = pkey;
    return pkey ? ERR_OK : ERR_INVALID;
}

/* A point that is not on the curve is refused by OpenSSL as it reads it. */
static enum err ec_of_jwk(const struct json *jwk, const struct jwt_curve *curve,
                          struct arena *arena, EVP_PKEY **ret_pkey)
{
    struct str x, y;
    unsigned char point[1 + 2 * JWT_COORDINATE_MAX] = {4}; /* uncompressed */
    const size_t n = (size_t)curve->bytes;
    TRY(member_bytes(jwk, STR("x"), arena, &x));
    TRY(member_bytes(jwk, STR("y"), arena, &y));
    if (x.len != n || y.len != n)
        return ERR_INVALID;
    memcpy(point + 1, x.p, n);
    memcpy(point + 1 + n, y.p, n);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY *pkey = NULL;
    if (build &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, curve->group, 0) &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * n))
        pkey = pkey_of("EC", build);
    OSSL_PARAM_BLD_free(build);
    *ret_pkey = pkey;
    return pkey ? ERR_OK : ERR_INVALID;
}

/* `use`, `key_ops` and `alg` (RFC 7517, 4.2-4.4), where they are there, allow signatures of `alg`. */
static enum err check_purpose(const struct json *jwk, enum jwt_alg alg)
{
    const struct json *ops = json_get(jwk, STR("key_ops"));
    struct str use = json_get_str(jwk, STR("use")), name = json_get_str(jwk, STR("alg"));
    if (json_get(jwk, STR("use")) && !str_eq(use, STR("sig")))
        return ERR_INVALID;
    if (json_get(jwk, STR("alg")) && !str_eq(name, jwt_alg_name(alg)))
        return ERR_UNSUPPORTED;
    if (!ops)
        return ERR_OK;
    bool found = false;
    JSON_EACH (ops, it)
        found |= it->kind == JSON_STRING &&
                 (str_eq(it->text, STR("verify")) || str_eq(it->text, STR("sign")));
    return ops->kind == JSON_ARRAY && found ? ERR_OK : ERR_INVALID;
}

/* Which algorithm a JWK of an RSA key says that it is for; RS256: it says none, or none that is one. */
static enum jwt_alg rsa_alg_of(const struct json *jwk)
{
    struct str name = json_get_str(jwk, STR("alg"));
    return str_is_set(name) && str_eq(name, jwt_alg_name(JWT_RS384))   ? JWT_RS384
           : str_is_set(name) && str_eq(name, jwt_alg_name(JWT_RS512)) ? JWT_RS512
                                                                       : JWT_RS256;
}

/* The curve that a JWK names; NULL: none that is known here. */
static const struct jwt_curve *curve_named(const struct json *jwk)
{
    struct str crv = json_get_str(jwk, STR("crv"));
    for (size_t i = 0; i < ARRAY_LEN(curves); i++)
        if (str_is_set(crv) && str_eq_c(crv, curves[i].crv))
            return &curves[i];
    return NULL;
}

enum err jwt_key_of_jwk(const struct json *jwk, struct arena *arena, struct jwt_key **ret_key)
{
    struct str kty = json_get_str(jwk, STR("kty")), kid = json_get_str(jwk, STR("kid")), secret;
    EVP_PKEY *pkey = NULL;
    enum jwt_alg alg = JWT_RS256;
    if (!kty.p || !jwt_members_unique(jwk))
        return ERR_INVALID;
    if (str_eq(kty, STR("oct"))) {
        TRY(check_purpose(jwk, JWT_HS256));
        TRY(member_bytes(jwk, STR("k"), arena, &secret));
        return jwt_key_secret(secret, kid, ret_key);
    }
    bool rsa = str_eq(kty, STR("RSA"));
    enum jwt_alg rsa_alg = rsa ? rsa_alg_of(jwk) : JWT_RS256;
    if (rsa) {
        TRY(check_purpose(jwk, rsa_alg));
        TRY(rsa_of_jwk(jwk, arena, &pkey));
    } else if (str_eq(kty, STR("EC"))) {
        const struct jwt_curve *curve = curve_named(jwk);
        if (!curve)
            return ERR_UNSUPPORTED;
        TRY(check_purpose(jwk, curve->alg));
        TRY(ec_of_jwk(jwk, curve, arena, &pkey));
    } else {
        return ERR_UNSUPPORTED;
    }
    enum err e = judge(pkey, &alg);
    if (e != ERR_OK) {
        EVP_PKEY_free(pkey);
        return e;
    }
    TRY(key_new(rsa ? rsa_alg : alg, pkey, kid, ret_key));
    (*ret_key)->any_rsa = rsa && !json_get(jwk, STR("alg"));
    return ERR_OK;
}

/* A number of the key as base64url of `len` bytes; 0: as many as it has. */
static void put_number(struct json_out *o, struct str name, const EVP_PKEY *pkey, const char *param,
                       int len)
{
    unsigned char bytes[JWT_RSA_BITS_MAX / 8];
    BIGNUM *bn = NULL;
    struct arena arena;
    if (EVP_PKEY_get_bn_param(pkey, param, &bn) != 1)
        return;
    int n = len ? len : BN_num_bytes(bn);
    arena_init(&arena, 4 * sizeof(bytes));
    if (n <= (int)sizeof(bytes) && BN_bn2binpad(bn, bytes, n) == n)
        json_kv_str(o, name, base64url_encode(&arena, bytes, (size_t)n));
    arena_release(&arena);
    BN_free(bn);
}

void jwt_key_put(struct json_out *o, const struct jwt_key *key)
{
    if (key->alg == JWT_HS256)
        return;
    json_open(o, '{');
    json_kv_str(o, STR("alg"), jwt_alg_name(key->alg));
    const struct jwt_curve *curve = jwt_curve_of(key->alg);
    if (!curve) {
        put_number(o, STR("e"), key->pkey, OSSL_PKEY_PARAM_RSA_E, 0);
        json_kv_str(o, STR("kid"), key->kid);
        json_kv_str(o, STR("kty"), STR("RSA"));
        put_number(o, STR("n"), key->pkey, OSSL_PKEY_PARAM_RSA_N, 0);
    } else {
        json_kv_str(o, STR("crv"), str_c(curve->crv));
        json_kv_str(o, STR("kid"), key->kid);
        json_kv_str(o, STR("kty"), STR("EC"));
        put_number(o, STR("x"), key->pkey, OSSL_PKEY_PARAM_EC_PUB_X, curve->bytes);
        put_number(o, STR("y"), key->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, curve->bytes);
    }
    json_kv_str(o, STR("use"), STR("sig"));
    json_close(o, '}');
}

/* --- sets ------------------------------------------------------------------------------------- */

void jwt_keys_release(struct jwt_keys *keys)
{
    for (size_t i = 0; i < keys->n; i++)
        jwt_key_free(keys->key[i]);
    keys->n = 0;
}

/* Two keys of one name, or a key without one among several, make a token's key a matter of luck; a
 * secret among public keys invites the one to be taken for the other. */
static bool is_ambiguous(const struct jwt_keys *keys)
{
    for (size_t i = 0; i < keys->n; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct jwt_key *a = keys->key[i], *b = keys->key[j];
            if (!a->kid.p || !b->kid.p || str_eq(a->kid, b->kid) ||
                (a->alg == JWT_HS256) != (b->alg == JWT_HS256))
                return true;
        }
    }
    return false;
}

enum err jwt_keys_parse(struct str text, struct arena *arena, struct jwt_keys *ret_keys)
{
    struct json *root = NULL;
    struct jwt_keys keys = {.n = 0};
    TRY(json_parse(arena, text, &root, NULL));
    const struct json *list = json_get(root, STR("keys"));
    if (!list || list->kind != JSON_ARRAY)
        return ERR_INVALID;
    enum err e = list->n > JWT_KEYS_MAX ? ERR_LIMIT : ERR_OK;
    for (const struct json *it = list->child; it && e == ERR_OK; it = it->next) {
        e = jwt_key_of_jwk(it, arena, &keys.key[keys.n]);
        keys.n += e == ERR_OK;
        if (e == ERR_UNSUPPORTED)
            e = ERR_OK;
    }
    if (e == ERR_OK && is_ambiguous(&keys))
        e = ERR_INVALID;
    if (e != ERR_OK) {
        jwt_keys_release(&keys);
        return e;
    }
    *ret_keys = keys;
    return ERR_OK;
}
