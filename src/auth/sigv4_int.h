/* Shared by the files of request signing: keyed hashing and canonical forms. Not for other folders
 * (the unit tests excepted).
 *
 * Layer: auth. Thread: pure, but for the per-thread cache behind sigv4_signing_key. */
#ifndef WEIR_AUTH_SIGV4_INT_H
#define WEIR_AUTH_SIGV4_INT_H

/* The one-shot and EVP interfaces of OpenSSL 3 cost a fetch or an allocation per call; the
 * low-level SHA-256 state is a plain struct, so that an HMAC key is two states to copy. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "auth/sigv4.h"
#include "base/buf.h"
#include "codec/hex.h"

/* HMAC-SHA256 with the key's two blocks hashed already (RFC 2104). */
struct sigv4_hmac_key {
    SHA256_CTX inner, outer;
};
void sigv4_hmac_init(struct sigv4_hmac_key *k, const void *key, size_t len);
void sigv4_hmac(const struct sigv4_hmac_key *k, struct str text, uint8_t out[SIGV4_HASH_BYTES]);

void sigv4_sha256(struct str text, uint8_t out[SIGV4_HASH_BYTES]);
/* SHA-256 of nothing, in hex. */
extern const char sigv4_empty_sha256[SIGV4_HEX_LEN + 1];

/* kSigning of the scope, from this thread's cache or computed into it. Valid until the thread's
 * next call. */
const struct sigv4_hmac_key *sigv4_signing_key(struct str access_key, struct str secret,
                                               struct str date, struct str region,
                                               struct str service);

/* Decodes %XX ('+' becomes a space when `plus`); a malformed escape stays as it is. STR_NONE on
 * exhaustion. */
struct str sigv4_decode(struct arena *a, struct str s, bool plus);

/* Canonical path: S3's is the path in normal form of escapes; the others' is normalised (dot
 * segments, doubled slashes) and encoded once more. */
enum err sigv4_put_path(struct buf *b, struct str path, bool s3, struct arena *a) WARN_UNUSED;
/* Canonical query without the parameter named `skip` or `skip2` (absent: none). */
enum err sigv4_put_query(struct buf *b, struct str query, struct str skip, struct str skip2,
                         struct arena *a) WARN_UNUSED;
/* What clients of HTTP/2 sign for "host": the field's name there. No field of a request has this name, so
 * it cannot be mistaken. */
#define SIGV4_AUTHORITY STR(":authority")
/* "name:value\n" for each of the ';'-separated lower-case names. */
void sigv4_put_headers(struct buf *b, const struct sigv4_http *http, struct str signed_headers);

/* Whole canonical request. `payload` is its last line. ERR_NOMEM, ERR_LIMIT. */
struct sigv4_canon {
    const struct sigv4_http *http;
    struct str signed_headers, payload;
    bool s3;
    struct str skip, skip2; /* query parameters left out */
};
enum err sigv4_canonical(struct arena *a, const struct sigv4_canon *canon,
                         struct str *ret_text) WARN_UNUSED;
/* "AWS4-HMAC-SHA256\n<timestamp>\n<scope>\n<hash>". STR_NONE on exhaustion. */
struct str sigv4_string_to_sign(struct arena *a, struct str timestamp, struct str scope,
                                struct str canonical);

/* First header named `name`, without case; *ret_n counts them. */
struct str sigv4_find_header(const struct sigv4_http *http, struct str name, size_t *ret_n);

/* Signature Version 2 of a presigned S3 request. ERR_NOMEM; ERR_LIMIT: too many headers or
 * parameters that are to be signed. */
enum err sigv2_signature(struct arena *a, const struct sigv4_http *http, struct str expires,
                         const struct sigv2_resource *resource, struct str secret,
                         struct str *ret_text, struct str *ret_signature) WARN_UNUSED;

#endif
