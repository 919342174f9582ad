#include "codec/seal.h"

#include <openssl/evp.h>
#include <pthread.h>

#include "base/rng.h"

enum {
    VERSION = 1,
    NONCE_BYTES = SEAL_HEAD_BYTES - 1,
    TAG_BYTES = SEAL_MORE_BYTES - SEAL_HEAD_BYTES
};

static pthread_key_t cipher_key;
static pthread_once_t cipher_once = PTHREAD_ONCE_INIT;
static bool cipher_ok;

static void cipher_free(void *ctx)
{
    EVP_CIPHER_CTX_free(ctx);
}

static void cipher_init(void)
{
    cipher_ok = pthread_key_create(&cipher_key, cipher_free) == 0;
}

static EVP_CIPHER_CTX *cipher(void)
{
    pthread_once(&cipher_once, cipher_init);
    if (!cipher_ok)
        return NULL;
    EVP_CIPHER_CTX *ctx = pthread_getspecific(cipher_key);
    if (ctx)
        return ctx;
    ctx = EVP_CIPHER_CTX_new();
    if (ctx && pthread_setspecific(cipher_key, ctx) != 0) {
        EVP_CIPHER_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

static const uint8_t *bytes_of(struct str s)
{
    return (const uint8_t *)(s.p ? s.p : "");
}

/* Encrypts `plain` to `body`, the tag behind it. */
static enum err encrypt(const uint8_t *key, const uint8_t *nonce, struct str bound,
                        struct str plain, uint8_t *body)
{
    EVP_CIPHER_CTX *c = cipher();
    int n = 0;
    bool ok = c && EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
              EVP_EncryptUpdate(c, NULL, &n, bytes_of(bound), (int)bound.len) == 1 &&
              EVP_EncryptUpdate(c, body, &n, bytes_of(plain), (int)plain.len) == 1 &&
              EVP_EncryptFinal_ex(c, body + plain.len, &n) == 1 &&
              EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, body + plain.len) == 1;
    return ok ? ERR_OK : ERR_NOMEM;
}

/* Decrypts `len` bytes of `body`, behind which the tag is. */
static enum err decrypt(const uint8_t *key, const uint8_t *nonce, struct str bound,
                        const uint8_t *body, size_t len, uint8_t *out)
{
    uint8_t tag[TAG_BYTES];
    int n = 0;
    EVP_CIPHER_CTX *c = cipher();
    if (!c)
        return ERR_NOMEM;
    memcpy(tag, body + len, TAG_BYTES);
    bool ok = EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
              EVP_DecryptUpdate(c, NULL, &n, bytes_of(bound), (int)bound.len) == 1 &&
              EVP_DecryptUpdate(c, out, &n, body, (int)len) == 1 &&
              EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1 &&
              EVP_DecryptFinal_ex(c, out + len, &n) == 1;
    return ok ? ERR_OK : ERR_INVALID;
}

enum err seal_close(const uint8_t key[SEAL_KEY_BYTES], struct str bound, struct str plain,
                    uint8_t *out)
{
    out[0] = VERSION;
    rng_bytes(out + 1, NONCE_BYTES);
    return encrypt(key, out + 1, bound, plain, out + SEAL_HEAD_BYTES);
}

enum err seal_open(const uint8_t key[SEAL_KEY_BYTES], struct str bound, struct str sealed,
                   uint8_t *out)
{
    if (sealed.len < SEAL_MORE_BYTES || sealed.p[0] != VERSION)
        return ERR_INVALID;
    const uint8_t *s = bytes_of(sealed);
    return decrypt(key, s + 1, bound, s + SEAL_HEAD_BYTES, sealed.len - SEAL_MORE_BYTES, out);
}

static void nonce_of(struct seal_piece piece, uint8_t nonce[NONCE_BYTES])
{
    memset(nonce, 0, NONCE_BYTES);
    for (int i = 0; i < 8; i++)
        nonce[i] = (uint8_t)(piece.number >> (56 - 8 * i));
    nonce[NONCE_BYTES - 1] = piece.last;
}

enum err seal_piece_close(const uint8_t key[SEAL_KEY_BYTES], struct seal_piece piece,
                          struct str plain, uint8_t *out)
{
    uint8_t nonce[NONCE_BYTES];
    nonce_of(piece, nonce);
    return encrypt(key, nonce, STR(""), plain, out);
}

enum err seal_piece_open(const uint8_t key[SEAL_KEY_BYTES], struct seal_piece piece,
                         struct str sealed, uint8_t *out)
{
    uint8_t nonce[NONCE_BYTES];
    if (sealed.len < SEAL_PIECE_MORE_BYTES)
        return ERR_INVALID;
    nonce_of(piece, nonce);
    return decrypt(key, nonce, STR(""), bytes_of(sealed), sealed.len - SEAL_PIECE_MORE_BYTES, out);
}
