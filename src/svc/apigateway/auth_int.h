/* What auth_*.c share: the parts of an authorizer that need no server. See auth.h.
 *
 * Layer: svc, private. Thread: pure. */
#ifndef WEIR_SVC_APIGATEWAY_AUTH_INT_H
#define WEIR_SVC_APIGATEWAY_AUTH_INT_H

#include "svc/apigateway/auth.h"

/* --- identity sources: auth_source.c ----------------------------------------------------------- */

struct auth_identity {
    struct str key;   /* all values, by which answers are cached */
    struct str token; /* the first value */
    size_t n;         /* sources */
};

/* Values of an authorizer's identitySource. ERR_NOT_FOUND: one is missing or empty (AU4); ERR_INVALID: it
 * is no source; ERR_LIMIT, ERR_NOMEM. */
enum err auth_sources(struct arena *a, const struct json *authorizer, const struct map_scope *scope,
                      const struct map_message *message,
                      struct auth_identity *ret_identity) WARN_UNUSED;
/* Whether identityValidationExpression, if there is one, matches the whole token. ERR_INVALID: it is no
 * regular expression; ERR_LIMIT, ERR_NOMEM. */
enum err auth_validates(struct arena *a, const struct json *authorizer, struct str token,
                        bool *ret_yes) WARN_UNUSED;
/* authorizerResultTtlInSeconds. */
int64_t auth_ttl_s(const struct json *authorizer);
/* The function's ARN in an authorizerUri; STR_NONE: it names none. */
struct str auth_function(struct str uri);

/* --- what a function is asked: auth_event.c ----------------------------------------------------- */

enum err auth_token_event(struct arena *a, struct str method_arn, struct str token,
                          struct str *ret_json) WARN_UNUSED;
enum err auth_request_event(const struct auth_request *req, struct str method_arn,
                            struct str *ret_json) WARN_UNUSED;

/* --- what it answers: auth_answer.c ------------------------------------------------------------- */

struct auth_answer {
    struct str principal_id, usage_key; /* absent: none */
    struct str policy;                  /* JSON text */
    const struct json *authorizer;      /* object: $context.authorizer */
};

/* ERR_INVALID: it is not what an authorizer answers, for the reason *ret_why; ERR_NOMEM. */
enum err auth_answer_read(struct arena *a, struct str json, struct auth_answer *ret_answer,
                          const char **ret_why) WARN_UNUSED;
/* {"claims": {..}} with every claim as text, as mapping templates and events show them. ERR_NOMEM. */
enum err auth_claims(struct arena *a, const struct json *claims,
                     const struct json **ret_authorizer) WARN_UNUSED;

/* --- answers kept: auth_cache.c ---------------------------------------------------------------- */

struct auth_cache;

struct auth_cache *auth_cache_new(void);
void auth_cache_free(struct auth_cache *c);
/* The answer kept under the key and not expired at now_ms, in the arena. ERR_NOT_FOUND, ERR_NOMEM. */
enum err auth_cache_get(struct auth_cache *c, struct str key, int64_t now_ms, struct arena *a,
                        struct str *ret_json) WARN_UNUSED;
/* Keeps it until `until_ms`; without memory it does not. The oldest go when there are too many. */
void auth_cache_put(struct auth_cache *c, struct str key, struct str json, int64_t until_ms);
/* Drops those whose key begins so. */
void auth_cache_drop(struct auth_cache *c, struct str prefix);

#endif
