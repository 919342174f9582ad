/* Digests and HMAC over OpenSSL. See hash.h.
 *
 * EVP_MD objects are fetched before main and kept; the one-shot forms use a context per thread. A
 * failure of OpenSSL to hash bytes in memory has no cause but exhaustion or a broken installation,
 * and no answer but to stop: a wrong digest must never be used.
 *
 * Layer: codec. */
#include "codec/hash.h"

#include <assert.h>
#include <openssl/evp.h>
#include <pthread.h>

#include "codec/hex.h"

enum { KINDS = 3, BLOCK = 64 };

static const EVP_MD *mds[KINDS];
static pthread_key_t thread_key;

static void thread_ctx_free(void *ctx)
{
    EVP_MD_CTX_free(ctx);
}

__attribute__((constructor)) static void fetch(void)
{
    static const char *const names[KINDS] = {"MD5", "SHA1", "SHA256"};
    for (int i = 0; i < KINDS; i++) {
        mds[i] = EVP_MD_fetch(NULL, names[i], NULL);
        assert(mds[i]);
    }
    int rc = pthread_key_create(&thread_key, thread_ctx_free);
    assert(rc == 0);
}

/* The thread's context, made on first use. */
static EVP_MD_CTX *thread_ctx(void)
{
    static __thread EVP_MD_CTX *ctx;
    if (!ctx) {
        ctx = EVP_MD_CTX_new();
        assert(ctx);
        int rc = pthread_setspecific(thread_key, ctx);
        assert(rc == 0);
    }
    return ctx;
}

size_t hash_len(enum hash_kind kind)
{
    static const size_t len[KINDS] = {HASH_MD5_LEN, HASH_SHA1_LEN, HASH_SHA256_LEN};
    return len[kind];
}

enum err hash_init(struct hash *h, enum hash_kind kind)
{
    *h = (struct hash){.ctx = EVP_MD_CTX_new(), .kind = kind};
    if (!h->ctx)
        return ERR_NOMEM;
    return hash_restart(h);
}

enum err hash_restart(struct hash *h)
{
    assert(h->ctx && (size_t)h->kind < ARRAY_LEN(mds));
    return EVP_DigestInit_ex2(h->ctx, mds[h->kind], NULL) == 1 ? ERR_OK : ERR_NOMEM;
}

void hash_update(struct hash *h, const void *p, size_t len)
{
    int ok = EVP_DigestUpdate(h->ctx, p, len);
    assert(ok == 1);
}

void hash_final(struct hash *h, uint8_t *out)
{
    assert(h->ctx); /* not released */
    int ok = EVP_DigestFinal_ex(h->ctx, out, NULL);
    assert(ok == 1);
}

void hash_release(struct hash *h)
{
    EVP_MD_CTX_free(h->ctx);
    h->ctx = NULL;
}

/* Digest of two pieces. */
static void digest2(enum hash_kind kind, const void *p, size_t len, const void *q, size_t q_len,
                    uint8_t *out)
{
    EVP_MD_CTX *ctx = thread_ctx();
    int ok = EVP_DigestInit_ex2(ctx, mds[kind], NULL) && EVP_DigestUpdate(ctx, p, len) &&
             EVP_DigestUpdate(ctx, q, q_len) && EVP_DigestFinal_ex(ctx, out, NULL);
    assert(ok);
}

void hash_once(enum hash_kind kind, const void *p, size_t len, uint8_t *out)
{
    digest2(kind, p, len, "", 0, out);
}

void hash_sha256_hex(const void *p, size_t len, char *out)
{
    uint8_t digest[HASH_SHA256_LEN];
    hash_once(HASH_SHA256, p, len, digest);
    hex_to(out, digest, sizeof(digest));
}

static void hmac(enum hash_kind kind, const void *key, size_t key_len, const void *p, size_t len,
                 uint8_t *out)
{
    uint8_t pad[BLOCK] = {0}, inner[HASH_LEN_MAX];
    assert(hash_len(kind) <= sizeof(inner));
    if (key_len > BLOCK)
        hash_once(kind, key, key_len, pad);
    else if (key_len > 0)
        memcpy(pad, key, key_len);
    for (int i = 0; i < BLOCK; i++)
        pad[i] ^= 0x36;
    digest2(kind, pad, BLOCK, p, len, inner);
    for (int i = 0; i < BLOCK; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    digest2(kind, pad, BLOCK, inner, hash_len(kind), out);
}

void hmac_sha256(const void *key, size_t key_len, const void *p, size_t len,
                 uint8_t out[HASH_SHA256_LEN])
{
    hmac(HASH_SHA256, key, key_len, p, len, out);
}

void hmac_sha1(const void *key, size_t key_len, const void *p, size_t len,
               uint8_t out[HASH_SHA1_LEN])
{
    hmac(HASH_SHA1, key, key_len, p, len, out);
}
