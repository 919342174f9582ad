/* Digests and HMAC: thin incremental wrappers over OpenSSL, whose algorithm objects are fetched
 * once (fetching by name costs more than hashing a small request).
 *
 * Layer: codec. Thread: a struct hash belongs to one thread at a time. */
#ifndef WEIR_CODEC_HASH_H
#define WEIR_CODEC_HASH_H

#include "base/str.h"

enum hash_kind { HASH_MD5, HASH_SHA1, HASH_SHA256 };

enum {
    HASH_MD5_LEN = 16,
    HASH_SHA1_LEN = 20,
    HASH_SHA256_LEN = 32,
    HASH_LEN_MAX = 32,
};

/* Bytes of the digest. */
size_t hash_len(enum hash_kind kind);

/* Incremental. init once, then start/update/final any number of times; release frees. Safe to
 * release when zeroed. */
struct hash {
    void *ctx; /* EVP_MD_CTX */
    enum hash_kind kind;
};
/* ERR_NOMEM. The hash is started. */
enum err hash_init(struct hash *h, enum hash_kind kind) WARN_UNUSED;
/* Begins anew, forgetting what was fed. ERR_NOMEM. */
enum err hash_restart(struct hash *h) WARN_UNUSED;
void hash_update(struct hash *h, const void *p, size_t len);
/* Writes hash_len(kind) bytes; restart before the next use. */
void hash_final(struct hash *h, uint8_t *out);
void hash_release(struct hash *h);

/* One-shot, on a context that the thread keeps. `out` has hash_len(kind) bytes. */
void hash_once(enum hash_kind kind, const void *p, size_t len, uint8_t *out);
/* SHA-256 as 64 lower-case hex characters (no NUL). */
void hash_sha256_hex(const void *p, size_t len, char *out);

/* HMAC-SHA-256 (RFC 2104) in one call; any key length. */
void hmac_sha256(const void *key, size_t key_len, const void *p, size_t len,
                 uint8_t out[HASH_SHA256_LEN]);
/* HMAC-SHA-1, for the legacy SigV2 query signature. */
void hmac_sha1(const void *key, size_t key_len, const void *p, size_t len,
               uint8_t out[HASH_SHA1_LEN]);

#endif
