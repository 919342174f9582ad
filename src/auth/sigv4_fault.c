/* How refusals of a signature are worded, by dialect: one table of codes and messages.
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

struct row {
    struct sigv4_error error;
    const char *message;
};

static const struct row missing[SIGV4_DIALECTS] = {
    [QUERY] = {{"MissingAuthenticationToken", 403}, "Request is missing Authentication Token"},
    [JSON] = {{"MissingAuthenticationTokenException", 400},
              "Request is missing Authentication Token"},
    [REST] = {{"MissingAuthenticationTokenException", 403}, "Missing Authentication Token"},
    [S3] = {{"AccessDenied", 403}, "Access Denied"},
};
static const struct row incomplete[SIGV4_DIALECTS] = {
    [QUERY] = {{"IncompleteSignature", 400},
               "The request signature does not conform to AWS standards."},
    [JSON] = {{"IncompleteSignatureException", 400},
              "The request signature does not conform to AWS standards."},
    [REST] = {{"IncompleteSignatureException", 403},
              "The request signature does not conform to AWS standards."},
    [S3] = {{"AuthorizationHeaderMalformed", 400},
            "The authorization header that you provided is not valid."},
};
static const struct row query_incomplete[SIGV4_DIALECTS] = {
    [QUERY] = {{"IncompleteSignature", 400},
               "The request signature does not conform to AWS standards."},
    [JSON] = {{"IncompleteSignatureException", 400},
              "The request signature does not conform to AWS standards."},
    [REST] = {{"IncompleteSignatureException", 403},
              "The request signature does not conform to AWS standards."},
    [S3] = {{"AuthorizationQueryParametersError", 400}, PRESIGN_PARAMS_TEXT},
};
static const struct row two_mechanisms[SIGV4_DIALECTS] = {
    [QUERY] = {{"IncompleteSignature", 400}, "Only one auth mechanism allowed"},
    [JSON] = {{"IncompleteSignatureException", 400}, "Only one auth mechanism allowed"},
    [REST] = {{"IncompleteSignatureException", 403}, "Only one auth mechanism allowed"},
    [S3] = {{"InvalidArgument", 400},
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature "
            "query string parameter or the Authorization header should be specified"},
};
static const struct row mechanism[SIGV4_DIALECTS] = {
    [QUERY] = {{"IncompleteSignature", 400}, "Unsupported authorization type"},
    [JSON] = {{"IncompleteSignatureException", 400}, "Unsupported authorization type"},
    [REST] = {{"IncompleteSignatureException", 403}, "Unsupported authorization type"},
    [S3] = {{"InvalidRequest", 400},
            "The authorization mechanism you have provided is not supported. Please use "
            "AWS4-HMAC-SHA256."},
};
static const struct row scope[SIGV4_DIALECTS] = {
    [QUERY] = {{"SignatureDoesNotMatch", 403}, "Credential should be scoped to correct service"},
    [JSON] = {{"InvalidSignatureException", 400}, "Credential should be scoped to correct service"},
    [REST] = {{"InvalidSignatureException", 403}, "Credential should be scoped to correct service"},
    [S3] = {{"AuthorizationHeaderMalformed", 400}, "The authorization header is malformed"},
};
static const struct row unknown_key[SIGV4_DIALECTS] = {
    [QUERY] = {{"InvalidClientTokenId", 403}, TOKEN_INVALID_TEXT},
    [JSON] = {{"UnrecognizedClientException", 400}, TOKEN_INVALID_TEXT},
    [REST] = {{"UnrecognizedClientException", 403}, TOKEN_INVALID_TEXT},
    [S3] = {{"InvalidAccessKeyId", 403},
            "The AWS Access Key Id you provided does not exist in our records."},
};
static const struct row token_invalid[SIGV4_DIALECTS] = {
    [QUERY] = {{"InvalidClientTokenId", 403}, TOKEN_INVALID_TEXT},
    [JSON] = {{"UnrecognizedClientException", 400}, TOKEN_INVALID_TEXT},
    [REST] = {{"UnrecognizedClientException", 403}, TOKEN_INVALID_TEXT},
    [S3] = {{"InvalidToken", 400}, "The provided token is malformed or otherwise invalid."},
};
static const struct row token_expired[SIGV4_DIALECTS] = {
    [QUERY] = {{"ExpiredToken", 403}, "The security token included in the request is expired"},
    [JSON] = {{"ExpiredTokenException", 400},
              "The security token included in the request is expired"},
    [REST] = {{"ExpiredTokenException", 403},
              "The security token included in the request is expired"},
    [S3] = {{"ExpiredToken", 400}, "The provided token has expired."},
};
static const struct row skewed[SIGV4_DIALECTS] = {
    [QUERY] = {{"SignatureDoesNotMatch", 403}, "Signature expired"},
    [JSON] = {{"InvalidSignatureException", 400}, "Signature expired"},
    [REST] = {{"InvalidSignatureException", 403}, "Signature expired"},
    [S3] = {{"RequestTimeTooSkewed", 403},
            "The difference between the request time and the current time is too large."},
};
static const struct row expired[SIGV4_DIALECTS] = {
    [QUERY] = {{"SignatureDoesNotMatch", 403}, "Signature expired"},
    [JSON] = {{"InvalidSignatureException", 400}, "Signature expired"},
    [REST] = {{"InvalidSignatureException", 403}, "Signature expired"},
    [S3] = {{"AccessDenied", 403}, "Request has expired"},
};
static const struct row not_yet[SIGV4_DIALECTS] = {
    [QUERY] = {{"SignatureDoesNotMatch", 403}, "Signature not yet current"},
    [JSON] = {{"InvalidSignatureException", 400}, "Signature not yet current"},
    [REST] = {{"InvalidSignatureException", 403}, "Signature not yet current"},
    [S3] = {{"AccessDenied", 403}, "Request is not yet valid"},
};
static const struct row headers_unsigned[SIGV4_DIALECTS] = {
    [QUERY] = {{"SignatureDoesNotMatch", 403}, "Headers present in the request must be signed"},
    [JSON] = {{"InvalidSignatureException", 400}, "Headers present in the request must be signed"},
    [REST] = {{"InvalidSignatureException", 403}, "Headers present in the request must be signed"},
    [S3] = {{"AccessDenied", 403},
            "There were headers present in the request which were not signed"},
};
static const struct row mismatch[SIGV4_DIALECTS] = {
    [QUERY] = {{"SignatureDoesNotMatch", 403}, MISMATCH_TEXT},
    [JSON] = {{"InvalidSignatureException", 400}, MISMATCH_TEXT},
    [REST] = {{"InvalidSignatureException", 403}, MISMATCH_TEXT},
    [S3] = {{"SignatureDoesNotMatch", 403},
            "The request signature we calculated does not match the signature you provided. Check "
            "your key and signing method."},
};
/* What only S3 checks has no code elsewhere; the other dialects see a plain mismatch. */
static const struct row no_content_sha256 = {
    {"InvalidRequest", 400}, "Missing required header for this request: x-amz-content-sha256"};
static const struct row bad_content_sha256 = {
    {"InvalidArgument", 400},
    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid "
    "sha256 value."};
static const struct row content_mismatch = {
    {"XAmzContentSHA256Mismatch", 400},
    "The provided 'x-amz-content-sha256' header does not match what was computed."};

static const struct row *find(enum sigv4_fault_kind kind, enum sigv4_dialect dialect)
{
    switch (kind) {
    case SIGV4_FAULT_MISSING:
        return &missing[dialect];
    case SIGV4_FAULT_INCOMPLETE:
        return &incomplete[dialect];
    case SIGV4_FAULT_QUERY_INCOMPLETE:
    case SIGV4_FAULT_EXPIRES_RANGE:
        return &query_incomplete[dialect];
    case SIGV4_FAULT_TWO_MECHANISMS:
        return &two_mechanisms[dialect];
    case SIGV4_FAULT_MECHANISM:
        return &mechanism[dialect];
    case SIGV4_FAULT_SCOPE:
        return &scope[dialect];
    case SIGV4_FAULT_UNKNOWN_KEY:
        return &unknown_key[dialect];
    case SIGV4_FAULT_TOKEN_INVALID:
        return &token_invalid[dialect];
    case SIGV4_FAULT_TOKEN_EXPIRED:
        return &token_expired[dialect];
    case SIGV4_FAULT_SKEWED:
        return &skewed[dialect];
    case SIGV4_FAULT_EXPIRED:
        return &expired[dialect];
    case SIGV4_FAULT_NOT_YET:
        return &not_yet[dialect];
    case SIGV4_FAULT_HEADERS_UNSIGNED:
        return &headers_unsigned[dialect];
    case SIGV4_FAULT_MISMATCH:
        break;
    case SIGV4_FAULT_NO_CONTENT_SHA256:
        return dialect == S3 ? &no_content_sha256 : &mismatch[dialect];
    case SIGV4_FAULT_BAD_CONTENT_SHA256:
        return dialect == S3 ? &bad_content_sha256 : &mismatch[dialect];
    case SIGV4_FAULT_CONTENT_MISMATCH:
        return dialect == S3 ? &content_mismatch : &mismatch[dialect];
    }
    return &mismatch[dialect];
}

struct sigv4_error sigv4_error(enum sigv4_fault_kind kind, enum sigv4_dialect dialect)
{
    return find(kind, dialect)->error;
}

void sigv4_fault_set(struct sigv4_fault *fault, enum sigv4_fault_kind kind,
                     enum sigv4_dialect dialect)
{
    *fault = (struct sigv4_fault){.kind = kind, .message = str_c(find(kind, dialect)->message)};
}

void sigv4_fault_detail(struct sigv4_fault *fault, struct str name, struct str value)
{
    if (fault->n_details < SIGV4_DETAILS_MAX && str_is_set(value))
        fault->details[fault->n_details++] = (struct sigv4_detail){name, value};
}
