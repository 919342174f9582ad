/* Keyed hashing of request signatures, and the cache of signing keys.
 *
 * A signing key depends on (secret, day, region, service) only, so a busy client costs one HMAC a
 * request instead of five. The cache is per thread: no lock, no sharing, bounded by
 * SIGV4_KEY_CACHE entries of fixed size; a collision just computes again.
 *
 * Layer: auth. Thread: each has its own cache. */
#include <assert.h>

#include "auth/sigv4_int.h"

enum { KEY_ID_MAX = 320, HMAC_BLOCK = 64 };

/* One slot: `id` is the concatenation of everything the key depends on. */
struct cached_key {
    size_t id_len;
    char id[KEY_ID_MAX];
    struct sigv4_hmac_key key;
};

static _Thread_local struct cached_key key_cache[SIGV4_KEY_CACHE];

const char sigv4_empty_sha256[SIGV4_HEX_LEN + 1] =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

void sigv4_hmac_init(struct sigv4_hmac_key *k, const void *key, size_t len)
{
    uint8_t block[HMAC_BLOCK] = {0};
    if (len > HMAC_BLOCK)
        sigv4_sha256(str_n(key, len), block);
    else if (len > 0)
        memcpy(block, key, len);
    for (size_t i = 0; i < HMAC_BLOCK; i++)
        block[i] ^= 0x36;
    SHA256_Init(&k->inner);
    SHA256_Update(&k->inner, block, HMAC_BLOCK);
    for (size_t i = 0; i < HMAC_BLOCK; i++)
        block[i] ^= 0x36 ^ 0x5c;
    SHA256_Init(&k->outer);
    SHA256_Update(&k->outer, block, HMAC_BLOCK);
}

void sigv4_hmac(const struct sigv4_hmac_key *k, struct str text, uint8_t out[SIGV4_HASH_BYTES])
{
    uint8_t inner[SIGV4_HASH_BYTES];
    SHA256_CTX c = k->inner;
    SHA256_Update(&c, text.p, text.len);
    SHA256_Final(inner, &c);
    c = k->outer;
    SHA256_Update(&c, inner, sizeof(inner));
    SHA256_Final(out, &c);
}

void sigv4_sha256(struct str text, uint8_t out[SIGV4_HASH_BYTES])
{
    SHA256_CTX c;
    SHA256_Init(&c);
    SHA256_Update(&c, text.p, text.len);
    SHA256_Final(out, &c);
}

static void derive(struct sigv4_hmac_key *k, struct str secret, const struct str parts[4])
{
    char seed[4 + KEY_ID_MAX];
    uint8_t hash[SIGV4_HASH_BYTES];
    memcpy(seed, "AWS4", 4);
    /* Secrets of Weir are 40 bytes; a longer one cannot verify anything. */
    size_t n = min_size(secret.len, sizeof(seed) - 4);
    if (n > 0)
        memcpy(seed + 4, secret.p, n);
    sigv4_hmac_init(k, seed, 4 + n);
    for (size_t i = 0; i < 4; i++) {
        sigv4_hmac(k, parts[i], hash);
        sigv4_hmac_init(k, hash, sizeof(hash));
    }
}

const struct sigv4_hmac_key *sigv4_signing_key(struct str access_key, struct str secret,
                                               struct str date, struct str region,
                                               struct str service)
{
    const struct str id_parts[] = {access_key, secret, date, region, service};
    const struct str scope[4] = {date, region, service, STR("aws4_request")};
    char id[KEY_ID_MAX];
    size_t len = 0;
    bool fits = true;
    for (size_t i = 0; i < ARRAY_LEN(id_parts) && fits; i++) {
        fits = id_parts[i].len + 1 <= sizeof(id) - len;
        if (fits && id_parts[i].len > 0)
            memcpy(id + len, id_parts[i].p, id_parts[i].len);
        if (fits) {
            len += id_parts[i].len;
            id[len++] = '\n';
        }
    }
    /* Slot 0 doubles as scratch for what is too long to remember. */
    struct cached_key *slot = &key_cache[fits ? str_hash(str_n(id, len)) % SIGV4_KEY_CACHE : 0];
    if (fits && slot->id_len == len && memcmp(slot->id, id, len) == 0)
        return &slot->key;
    derive(&slot->key, secret, scope);
    assert(len <= sizeof(slot->id));
    slot->id_len = fits ? len : 0;
    memcpy(slot->id, id, fits ? len : 0);
    return &slot->key;
}
