/* See bearer.h. Layer: pipeline, pure. */
#include "bearer.h"

struct str bearer_token(struct str authorization)
{
    struct str rest = str_trim(authorization);
    struct str word = str_cut(&rest, ' ');
    rest = str_trim(rest);
    return str_eq_nocase(word, STR("bearer")) && rest.len ? rest : STR_NONE;
}

static const char *fault_of(const struct jwt *jwt, const struct bearer_rules *rules, int64_t now_ms)
{
    if (jwt_check_times(jwt, now_ms, BEARER_SKEW_MS, true) != ERR_OK)
        return "expired, or of another time";
    if (!jwt_claim_has(jwt, STR("iss"), rules->issuer))
        return "of another user pool";
    if (!jwt_claim_has(jwt, STR("token_use"), STR("access")))
        return "not an access token";
    if (!jwt_claim_has(jwt, STR("client_id"), rules->client_id))
        return "of another client";
    return json_get_str(jwt->claims, STR("sub")).len ? NULL : "without a subject";
}

enum err bearer_subject(struct arena *a, struct str token, const struct jwt_keys *keys,
                        const struct bearer_rules *rules, int64_t now_ms, struct str *ret_subject,
                        const char **ret_why)
{
    struct jwt jwt;
    enum err err = jwt_parse(token, a, &jwt);
    *ret_why = "not a token";
    if (err != ERR_OK)
        return err == ERR_NOMEM ? err : ERR_DENIED;
    if (!str_is_set(jwt.kid))
        return ERR_DENIED;
    *ret_why = "not signed by the user pool";
    TRY(jwt_verify_set(&jwt, keys));
    *ret_why = fault_of(&jwt, rules, now_ms);
    if (*ret_why)
        return ERR_DENIED;
    *ret_subject = json_get_str(jwt.claims, STR("sub"));
    return ERR_OK;
}

void bearer_put_allow(struct json_out *o, struct str subject, struct str method_arn)
{
    json_open(o, '{');
    json_kv_str(o, STR("principalId"), subject);
    json_key(o, STR("policyDocument"));
    json_open(o, '{');
    json_kv_str(o, STR("Version"), STR("2012-10-17"));
    json_key(o, STR("Statement"));
    json_open(o, '[');
    json_open(o, '{');
    json_kv_str(o, STR("Effect"), STR("Allow"));
    json_kv_str(o, STR("Action"), STR("execute-api:Invoke"));
    json_kv_str(o, STR("Resource"), method_arn);
    json_close(o, '}');
    json_close(o, ']');
    json_close(o, '}');
    json_key(o, STR("context"));
    json_open(o, '{');
    json_kv_str(o, STR("sub"), subject);
    json_close(o, '}');
    json_close(o, '}');
}
