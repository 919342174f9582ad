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

enum err seal_close(const uint8_t key[SEAL_KEY_BYTES], struct str bound, struct str plain,
                    uint8_t *out)
{
    EVP_CIPHER_CTX *c = cipher();
    int n = 0;
    out[0] = VERSION;
    rng_bytes(out + 1, NONCE_BYTES);
    uint8_t *body = out + SEAL_HEAD_BYTES;
    bool ok = c && EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, out + 1) == 1 &&
              EVP_EncryptUpdate(c, NULL, &n, bytes_of(bound), (int)bound.len) == 1 &&
              EVP_EncryptUpdate(c, body, &n, bytes_of(plain), (int)plain.len) == 1 &&
              EVP_EncryptFinal_ex(c, body + plain.len, &n) == 1 &&
              EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, body + plain.len) == 1;
    return ok ? ERR_OK : ERR_NOMEM;
}

enum err seal_open(const uint8_t key[SEAL_KEY_BYTES], struct str bound, struct str sealed,
                   uint8_t *out)
{
    uint8_t tag[TAG_BYTES];
    int n = 0;
    if (sealed.len < SEAL_MORE_BYTES || sealed.p[0] != VERSION)
        return ERR_INVALID;
    EVP_CIPHER_CTX *c = cipher();
    if (!c)
        return ERR_NOMEM;
    size_t len = sealed.len - SEAL_MORE_BYTES;
    const uint8_t *s = bytes_of(sealed);
    memcpy(tag, s + SEAL_HEAD_BYTES + len, TAG_BYTES);
    bool ok = EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, s + 1) == 1 &&
              EVP_DecryptUpdate(c, NULL, &n, bytes_of(bound), (int)bound.len) == 1 &&
              EVP_DecryptUpdate(c, out, &n, s + SEAL_HEAD_BYTES, (int)len) == 1 &&
              EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1 &&
              EVP_DecryptFinal_ex(c, out + len, &n) == 1;
    return ok ? ERR_OK : ERR_INVALID;
}
