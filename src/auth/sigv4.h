/* AWS request signatures: parsing what a request carries, verifying it, and signing as a client.
 * No I/O, no clock, no knowledge of who exists: the secret and the time are passed in.
 *
 * Flow in the server:
 *   sigv4_parse(head) -> access key -> identity port -> sigv4_verify -> [body: sigv4_chunk or
 *   sigv4_payload_matches]
 *
 * Invariants
 *   S1  Signatures and tokens are compared in constant time.
 *   S2  What a header or parameter could say twice is refused, never "the first one wins".
 *   S3  A fault tells nothing of the secret; the canonical request in it is the caller's own.
 *
 * Source: AWS General Reference "Signature Version 4 signing process"; S3 API Reference
 * "Authenticating Requests (AWS Signature Version 4)" and "Signing and Authenticating REST Requests
 * (Signature Version 2)".
 * Layer: auth. Thread: any; signing keys are cached per thread. */
#ifndef WEIR_AUTH_SIGV4_H
#define WEIR_AUTH_SIGV4_H

#include "base/str.h"

enum {
    SIGV4_HASH_BYTES = 32,
    SIGV4_HEX_LEN = 64,
    SIGV4_SIGNED_HEADERS_MAX = 128, /* count, as the HTTP layer's header limit */
    SIGV4_QUERY_PARAMS_MAX = 1000,
    SIGV4_PRESIGN_MAX_S = 7 * 24 * 60 * 60,
    SIGV4_KEY_CACHE = 32, /* signing keys per thread */
};

/* Layout of struct http_header: the layer above may hand its headers over as they are. */
struct sigv4_header {
    struct str name, value;
};

/* The head of a request, as sent. */
struct sigv4_http {
    struct str method;
    struct str path;  /* still percent-encoded, begins with '/' */
    struct str query; /* after '?', still encoded; absent without '?' */
    const struct sigv4_header *headers;
    size_t n_headers;
};

enum sigv4_kind {
    SIGV4_NONE,      /* no sign of authentication: an anonymous request */
    SIGV4_HEADER,    /* Authorization: AWS4-HMAC-SHA256 ... */
    SIGV4_PRESIGNED, /* X-Amz-Algorithm=... in the query */
    SIGV2_PRESIGNED, /* AWSAccessKeyId, Expires, Signature in the query; S3 only */
    SIGV4_FORM, /* fields of a form that is posted: its policy is signed as it stands; S3 only */
    SIGV2_FORM,
};

enum sigv4_payload {
    SIGV4_PAYLOAD_ABSENT,           /* no x-amz-content-sha256 */
    SIGV4_PAYLOAD_HEX,              /* 64 hex digits: the body must have this SHA-256 */
    SIGV4_PAYLOAD_UNSIGNED,         /* UNSIGNED-PAYLOAD */
    SIGV4_PAYLOAD_STREAM,           /* STREAMING-AWS4-HMAC-SHA256-PAYLOAD */
    SIGV4_PAYLOAD_STREAM_TRAILER,   /* STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER */
    SIGV4_PAYLOAD_UNSIGNED_TRAILER, /* STREAMING-UNSIGNED-PAYLOAD-TRAILER */
};

/* What a request says about its authentication. Borrows from the head and the arena. */
struct sigv4_request {
    enum sigv4_kind kind;
    struct str access_key;
    struct str date; /* "20150830", of the scope */
    struct str region, service;
    struct str scope;          /* "20150830/us-east-1/service/aws4_request" */
    struct str timestamp;      /* "20150830T123600Z" */
    int64_t timestamp_ms;      /* SIGV2: 0 */
    struct str signed_headers; /* "host;x-amz-date", lower case */
    struct str signature;      /* hex; SIGV2: base64 */
    struct str session_token;  /* absent: none came along */
    int64_t expires_s;         /* presigned: lifetime; SIGV2: epoch seconds of the end */
    enum sigv4_payload payload;
    struct str payload_hash; /* the header's value as sent; absent for SIGV4_PAYLOAD_ABSENT */
    int64_t decoded_length;  /* x-amz-decoded-content-length; -1 absent */
};

/* Why a request is refused. Code and status are those of the service (core/authn.c). */
enum sigv4_fault_kind {
    SIGV4_FAULT_MISSING,          /* nothing to authenticate with */
    SIGV4_FAULT_INCOMPLETE,       /* header malformed or parts missing */
    SIGV4_FAULT_QUERY_INCOMPLETE, /* query parameters malformed or missing */
    SIGV4_FAULT_EXPIRES_RANGE,    /* X-Amz-Expires negative or over a week */
    SIGV4_FAULT_TWO_MECHANISMS,   /* header and query both */
    SIGV4_FAULT_MECHANISM,        /* SigV2 header, SigV4A, unknown algorithm */
    SIGV4_FAULT_SCOPE,            /* scope's service or date is not this request's */
    SIGV4_FAULT_UNKNOWN_KEY,      /* access key does not exist (the caller found out) */
    SIGV4_FAULT_TOKEN_INVALID,    /* session token missing, or not this key's */
    SIGV4_FAULT_TOKEN_EXPIRED,
    SIGV4_FAULT_SKEWED,             /* clock difference too big */
    SIGV4_FAULT_EXPIRED,            /* presigned URL past its end */
    SIGV4_FAULT_NOT_YET,            /* presigned URL from the future */
    SIGV4_FAULT_HEADERS_UNSIGNED,   /* host or an x-amz-* header is not signed */
    SIGV4_FAULT_MISMATCH,           /* signature wrong */
    SIGV4_FAULT_NO_CONTENT_SHA256,  /* S3 without x-amz-content-sha256 */
    SIGV4_FAULT_BAD_CONTENT_SHA256, /* S3: neither a hash nor a known word */
    SIGV4_FAULT_CONTENT_MISMATCH,   /* body is not what was signed */
};

struct sigv4_detail {
    struct str name, value;
};

enum { SIGV4_DETAILS_MAX = 8 };

/* A refusal: message for the user, and the further members of S3's error document. */
struct sigv4_fault {
    enum sigv4_fault_kind kind;
    struct str message; /* set always */
    struct sigv4_detail details[SIGV4_DETAILS_MAX];
    size_t n_details;
};

/* How a service words its errors: by its protocol. REST is restJson, S3 is restXml. */
enum sigv4_dialect {
    SIGV4_DIALECT_QUERY,
    SIGV4_DIALECT_JSON,
    SIGV4_DIALECT_REST,
    SIGV4_DIALECT_S3,
    SIGV4_DIALECTS,
};

/* Fills *fault for a kind that only the layer above can find out (unknown key, invalid token,
 * missing authentication, content mismatch) with the dialect's message. */
void sigv4_fault_set(struct sigv4_fault *fault, enum sigv4_fault_kind kind,
                     enum sigv4_dialect dialect);
/* Adds a detail; beyond SIGV4_DETAILS_MAX it is dropped. Borrowed. */
void sigv4_fault_detail(struct sigv4_fault *fault, struct str name, struct str value);

/* Reads what the head says. ERR_OK with kind SIGV4_NONE for an unsigned request; ERR_DENIED with
 * *ret_fault filled when it is malformed; ERR_NOMEM. */
enum err sigv4_parse(struct arena *a, const struct sigv4_http *http, enum sigv4_dialect dialect,
                     struct sigv4_request *ret_req, struct sigv4_fault *ret_fault) WARN_UNUSED;

/* What SigV2 signs of a request's URL besides the path. */
struct sigv2_resource {
    struct str vhost_bucket; /* bucket that the host names; absent for path style */
    const struct str *names; /* query parameters that are signed with their values */
    size_t n_names;
};

struct sigv4_check {
    const struct sigv4_http *http;
    const struct sigv4_request *req;
    enum sigv4_dialect dialect; /* SIGV4_DIALECT_S3 also chooses S3's canonical path */
    struct str service;         /* what the scope must name; absent: anything */
    struct str secret;
    struct str session_token;      /* what the credential demands; absent: none */
    int64_t credential_expires_ms; /* 0: never */
    int64_t now_ms;
    int64_t skew_ms; /* accepted difference of clocks */
    struct str body; /* whole body; not looked at for S3, but for a form's policy (base64) */
    struct sigv2_resource v2; /* of SIGV2_PRESIGNED only */
};

/* Verifies everything but, for S3, the body: that follows with sigv4_payload_matches or the chunk
 * decoder. ERR_DENIED with *ret_fault filled; ERR_NOMEM. About 2 us for a small request. */
enum err sigv4_verify(struct arena *a, const struct sigv4_check *check,
                      struct sigv4_fault *ret_fault) WARN_UNUSED;

/* Whether a body whose SHA-256 is `sha256` is what the request's payload hash promised; true for
 * requests that promised nothing. */
bool sigv4_payload_matches(const struct sigv4_request *req, const uint8_t sha256[SIGV4_HASH_BYTES]);

/* --- for clients ------------------------------------------------------------------------------ */

struct sigv4_sign {
    struct str access_key, secret, session_token; /* token absent: none */
    struct str region, service;
    int64_t now_ms;
    bool s3;                 /* canonical path not encoded again, x-amz-content-sha256 added */
    struct str payload_hash; /* hex or a word; absent: computed from body */
    struct str body;
    int64_t expires_s; /* of sigv4_presign */
};

/* Signs `http` (its headers must have Host and not the ones added). Gives the headers to add, in
 * order: x-amz-date, [x-amz-security-token], [x-amz-content-sha256], authorization; all headers
 * given and added are signed. ret_add holds SIGV4_SIGN_HEADERS entries. ERR_NOMEM, ERR_LIMIT. */
enum { SIGV4_SIGN_HEADERS = 4 };
enum err sigv4_sign(struct arena *a, const struct sigv4_http *http, const struct sigv4_sign *sign,
                    struct sigv4_header ret_add[SIGV4_SIGN_HEADERS], size_t *ret_n) WARN_UNUSED;
/* The query string (without '?') of a presigned URL for `http`; only Host is signed. */
enum err sigv4_presign(struct arena *a, const struct sigv4_http *http,
                       const struct sigv4_sign *sign, struct str *ret_query) WARN_UNUSED;

#endif
