/* How refusals of a signature are worded, by dialect: one table of messages. Codes and
 * statuses are the services' (core/authn.c).
 *
 * Source: AWS General Reference "Troubleshooting AWS Signature Version 4 errors"; S3 API Reference
 * "Error responses"; the common errors of each service.
 * Layer: auth. Thread: pure. */
#include "auth/sigv4.h"

#define QUERY SIGV4_DIALECT_QUERY
#define JSON SIGV4_DIALECT_JSON
#define REST SIGV4_DIALECT_REST
#define S3 SIGV4_DIALECT_S3

#define TOKEN_INVALID_TEXT "The security token included in the request is invalid."
#define MISMATCH_TEXT                                                                              \
    "The request signature we calculated does not match the signature you provided. Check your "   \
    "AWS Secret Access Key and signing method. Consult the service documentation for details."
#define PRESIGN_PARAMS_TEXT                                                                        \
    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "       \
    "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."

static const char *const missing[SIGV4_DIALECTS] = {
    [QUERY] = "Request is missing Authentication Token",
    [JSON] = "Request is missing Authentication Token",
    [REST] = "Missing Authentication Token",
    [S3] = "Access Denied",
};
static const char *const incomplete[SIGV4_DIALECTS] = {
    [QUERY] = "The request signature does not conform to AWS standards.",
    [JSON] = "The request signature does not conform to AWS standards.",
    [REST] = "The request signature does not conform to AWS standards.",
    [S3] = "The authorization header that you provided is not valid.",
};
static const char *const query_incomplete[SIGV4_DIALECTS] = {
    [QUERY] = "The request signature does not conform to AWS standards.",
    [JSON] = "The request signature does not conform to AWS standards.",
    [REST] = "The request signature does not conform to AWS standards.",
    [S3] = PRESIGN_PARAMS_TEXT,
};
static const char *const two_mechanisms[SIGV4_DIALECTS] = {
    [QUERY] = "Only one auth mechanism allowed",
    [JSON] = "Only one auth mechanism allowed",
    [REST] = "Only one auth mechanism allowed",
    [S3] = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature "
           "query string parameter or the Authorization header should be specified",
};
static const char *const mechanism[SIGV4_DIALECTS] = {
    [QUERY] = "Unsupported authorization type",
    [JSON] = "Unsupported authorization type",
    [REST] = "Unsupported authorization type",
    [S3] = "The authorization mechanism you have provided is not supported. Please use "
           "AWS4-HMAC-SHA256.",
};
static const char *const scope[SIGV4_DIALECTS] = {
    [QUERY] = "Credential should be scoped to correct service",
    [JSON] = "Credential should be scoped to correct service",
    [REST] = "Credential should be scoped to correct service",
    [S3] = "The authorization header is malformed",
};
static const char *const unknown_key[SIGV4_DIALECTS] = {
    [QUERY] = TOKEN_INVALID_TEXT,
    [JSON] = TOKEN_INVALID_TEXT,
    [REST] = TOKEN_INVALID_TEXT,
    [S3] = "The AWS Access Key Id you provided does not exist in our records.",
};
static const char *const token_invalid[SIGV4_DIALECTS] = {
    [QUERY] = TOKEN_INVALID_TEXT,
    [JSON] = TOKEN_INVALID_TEXT,
    [REST] = TOKEN_INVALID_TEXT,
    [S3] = "The provided token is malformed or otherwise invalid.",
};
static const char *const token_expired[SIGV4_DIALECTS] = {
    [QUERY] = "The security token included in the request is expired",
    [JSON] = "The security token included in the request is expired",
    [REST] = "The security token included in the request is expired",
    [S3] = "The provided token has expired.",
};
static const char *const skewed[SIGV4_DIALECTS] = {
    [QUERY] = "Signature expired",
    [JSON] = "Signature expired",
    [REST] = "Signature expired",
    [S3] = "The difference between the request time and the current time is too large.",
};
static const char *const expired[SIGV4_DIALECTS] = {
    [QUERY] = "Signature expired",
    [JSON] = "Signature expired",
    [REST] = "Signature expired",
    [S3] = "Request has expired",
};
static const char *const not_yet[SIGV4_DIALECTS] = {
    [QUERY] = "Signature not yet current",
    [JSON] = "Signature not yet current",
    [REST] = "Signature not yet current",
    [S3] = "Request is not yet valid",
};
static const char *const headers_unsigned[SIGV4_DIALECTS] = {
    [QUERY] = "Headers present in the request must be signed",
    [JSON] = "Headers present in the request must be signed",
    [REST] = "Headers present in the request must be signed",
    [S3] = "There were headers present in the request which were not signed",
};
static const char *const mismatch[SIGV4_DIALECTS] = {
    [QUERY] = MISMATCH_TEXT,
    [JSON] = MISMATCH_TEXT,
    [REST] = MISMATCH_TEXT,
    [S3] = "The request signature we calculated does not match the signature you provided. Check "
           "your key and signing method.",
};
/* What only S3 checks has no code elsewhere; the other dialects see a plain mismatch. */
static const char no_content_sha256[] =
    "Missing required header for this request: x-amz-content-sha256";
static const char bad_content_sha256[] =
    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid "
    "sha256 value.";
static const char content_mismatch[] =
    "The provided 'x-amz-content-sha256' header does not match what was computed.";

static const char *find(enum sigv4_fault_kind kind, enum sigv4_dialect dialect)
{
    switch (kind) {
    case SIGV4_FAULT_MISSING:
        return missing[dialect];
    case SIGV4_FAULT_INCOMPLETE:
        return incomplete[dialect];
    case SIGV4_FAULT_QUERY_INCOMPLETE:
    case SIGV4_FAULT_EXPIRES_RANGE:
        return query_incomplete[dialect];
    case SIGV4_FAULT_TWO_MECHANISMS:
        return two_mechanisms[dialect];
    case SIGV4_FAULT_MECHANISM:
        return mechanism[dialect];
    case SIGV4_FAULT_SCOPE:
        return scope[dialect];
    case SIGV4_FAULT_UNKNOWN_KEY:
        return unknown_key[dialect];
    case SIGV4_FAULT_TOKEN_INVALID:
        return token_invalid[dialect];
    case SIGV4_FAULT_TOKEN_EXPIRED:
        return token_expired[dialect];
    case SIGV4_FAULT_SKEWED:
        return skewed[dialect];
    case SIGV4_FAULT_EXPIRED:
        return expired[dialect];
    case SIGV4_FAULT_NOT_YET:
        return not_yet[dialect];
    case SIGV4_FAULT_HEADERS_UNSIGNED:
        return headers_unsigned[dialect];
    case SIGV4_FAULT_MISMATCH:
        break;
    case SIGV4_FAULT_NO_CONTENT_SHA256:
        return dialect == S3 ? no_content_sha256 : mismatch[dialect];
    case SIGV4_FAULT_BAD_CONTENT_SHA256:
        return dialect == S3 ? bad_content_sha256 : mismatch[dialect];
    case SIGV4_FAULT_CONTENT_MISMATCH:
        return dialect == S3 ? content_mismatch : mismatch[dialect];
    }
    return mismatch[dialect];
}

void sigv4_fault_set(struct sigv4_fault *fault, enum sigv4_fault_kind kind,
                     enum sigv4_dialect dialect)
{
    *fault = (struct sigv4_fault){.kind = kind, .message = str_c(find(kind, dialect))};
}

void sigv4_fault_detail(struct sigv4_fault *fault, struct str name, struct str value)
{
    if (fault->n_details < SIGV4_DETAILS_MAX && str_is_set(value))
        fault->details[fault->n_details++] = (struct sigv4_detail){name, value};
}
