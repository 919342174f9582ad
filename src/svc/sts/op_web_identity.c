/* AssumeRoleWithWebIdentity: a token of an OpenID Connect provider for credentials of a role. The request is not
 * signed: who asks is whom the provider vouches for.
 *
 *   form -> provider of the account -> audience -> times -> signature -> trust policy -> session
 *
 * A user pool of this Weir is asked for its keys here; everybody else over HTTP (sts_idp.h), while the call waits.
 *
 * Source: STS API Reference, AssumeRoleWithWebIdentity; IAM User Guide, "Create a role for OpenID Connect federation",
 * "Available keys for AWS OIDC federation", "Pass session tags using AssumeRoleWithWebIdentity".
 * Layer: svc. Thread: the call's loop. */
#include <assert.h>

#include "base/arn.h"
#include "svc/sts/sts_idp.h"

enum {
    SKEW_MS = 5 * 60 * 1000, /* of "not before" and "issued at" */
    SUBJECT_MAX = 255,
};
#define TAGS_CLAIM "https://aws.amazon.com/tags"
#define SOURCE_CLAIM "https://aws.amazon.com/source_identity"

/* Of a call, through its runs. What the token says is read again with each. */
struct web {
    struct sts_idp_ask *ask; /* first: sts_idp.c */
    struct str account;      /* of the role */
    struct str issuer;
    struct str subject, audience;
    struct jwt jwt;
    struct iam_web_provider provider;
    struct sts_tag_list_type tags;
    const struct str *transitive;
    size_t n_transitive;
    struct str source_identity;
    struct principal_tag claims[IAM_SESSION_CLAIMS_MAX];
    size_t n_claims;
    struct principal who;
};

static enum err bad_token(struct call *call, const char *why)
{
    return call_error(call, &sts_err_invalid_identity_token_exception, "%s", why);
}

static enum err not_authorised(struct call *call)
{
    return call_error(call, &sts_err_access_denied,
                      "Not authorized to perform sts:AssumeRoleWithWebIdentity");
}

/* --- the token's claims ----------------------------------------------------------------------- */

static bool is_client(const struct iam_web_provider *p, struct str text)
{
    for (size_t i = 0; i < p->n_client_ids; i++)
        if (str_eq(p->client_ids[i], text))
            return true;
    return false;
}

/* Who the token is for: one of the provider's clients, by `azp` or `aud`. */
static enum err take_audience(struct call *call, struct web *w)
{
    const struct json *aud = json_get(w->jwt.claims, STR("aud"));
    struct str azp = json_get_str(w->jwt.claims, STR("azp"));
    if (!aud || (aud->kind != JSON_STRING && aud->kind != JSON_ARRAY))
        return bad_token(call, "Missing a required claim: aud");
    if (str_is_set(azp) && is_client(&w->provider, azp))
        w->audience = azp;
    if (aud->kind == JSON_STRING && is_client(&w->provider, aud->text))
        w->audience = aud->text;
    if (aud->kind == JSON_ARRAY)
        JSON_EACH (aud, it)
            if (it->kind == JSON_STRING && is_client(&w->provider, it->text))
                w->audience = it->text;
    return str_is_set(w->audience) ? ERR_OK : bad_token(call, "Incorrect token audience");
}

static enum err check_times(struct call *call, struct web *w)
{
    int64_t now_ms = call->txn->wall_ms, exp = 0;
    enum err err = jwt_check_times(&w->jwt, now_ms, 0, true);
    if (err == ERR_DENIED)
        err = jwt_check_times(&w->jwt, now_ms, SKEW_MS, true);
    if (err == ERR_TIMEOUT && json_to_i64(json_get(w->jwt.claims, STR("exp")), &exp) == ERR_OK)
        return call_error(call, &sts_err_expired_token_exception,
                          "Token expired: current date/time %lld must be before the expiration "
                          "date/time %lld",
                          (long long)(now_ms / 1000), (long long)exp);
    return err ? bad_token(call, "The token's times (exp, nbf, iat) are not valid") : ERR_OK;
}

/* A condition key of the provider's: "example.com/path:sub". */
static enum err add_claim(struct call *call, struct web *w, const char *key, const struct json *v)
{
    struct str arn = w->provider.arn;
    struct arn parts;
    if (!v || (v->kind != JSON_STRING && v->kind != JSON_ARRAY))
        return ERR_OK;
    if (arn_parse(arn, &parts) != ERR_OK)
        return ERR_CORRUPT;
    struct str url = arn_tail(&parts, 1),
               name = str_fmt(call->arena, STR_FMT ":%s", STR_ARG(url), key);
    if (!str_is_set(name))
        return ERR_NOMEM;
    for (const struct json *it = v->kind == JSON_ARRAY ? v->child : v; it;
         it = v->kind == JSON_ARRAY ? it->next : NULL)
        if (it->kind == JSON_STRING && w->n_claims < IAM_SESSION_CLAIMS_MAX)
            w->claims[w->n_claims++] = (struct principal_tag){name, it->text};
    return ERR_OK;
}

static enum err take_claims(struct call *call, struct web *w)
{
    const struct json *claims = w->jwt.claims, *azp = json_get(claims, STR("azp"));
    const struct json *aud = json_get(claims, STR("aud"));
    w->n_claims = 0;
    TRY(add_claim(call, w, "sub", json_get(claims, STR("sub"))));
    TRY(add_claim(call, w, "aud", azp ? azp : aud));
    TRY(add_claim(call, w, "oaud", azp ? aud : NULL));
    TRY(add_claim(call, w, "email", json_get(claims, STR("email"))));
    return add_claim(call, w, "amr", json_get(claims, STR("amr")));
}

/* Tags and source identity that the provider gives his user. */
static enum err take_tags(struct call *call, struct web *w)
{
    const struct json *all = json_get(w->jwt.claims, STR(TAGS_CLAIM));
    const struct json *tags = json_get(all, STR("principal_tags"));
    const struct json *keys = json_get(all, STR("transitive_tag_keys"));
    struct sts_tag *v = ARENA_ARRAY(call->arena, struct sts_tag, IAM_SESSION_TAGS_MAX);
    struct str *k = ARENA_ARRAY(call->arena, struct str, IAM_SESSION_TAGS_MAX);
    size_t n = 0, n_keys = 0;
    if (!v || !k)
        return ERR_NOMEM;
    w->source_identity = json_get_str(w->jwt.claims, STR(SOURCE_CLAIM));
    JSON_EACH (tags, tag) {
        const struct json *value = tag->kind == JSON_ARRAY ? tag->child : tag;
        if (!value || value->kind != JSON_STRING ||
            value->next != (tag == value ? tag->next : NULL))
            return bad_token(call, "A principal tag of the token has not one value");
        if (n == IAM_SESSION_TAGS_MAX)
            return bad_token(call, "The token has too many principal tags");
        v[n++] = (struct sts_tag){tag->key, value->text};
    }
    JSON_EACH (keys, key) {
        if (key->kind != JSON_STRING || n_keys == IAM_SESSION_TAGS_MAX)
            return bad_token(call, "The token's transitive tag keys are not valid");
        k[n_keys++] = key->text;
    }
    w->tags = (struct sts_tag_list_type){v, n};
    w->transitive = k;
    w->n_transitive = n_keys;
    return ERR_OK;
}

enum err sts_web_context(struct call *call, struct policy_context *ctx)
{
    const struct web *w = call->state;
    for (size_t i = 0; w && i < w->tags.n; i++) {
        policy_context_add2(ctx, STR("aws:RequestTag/"), w->tags.v[i].key, w->tags.v[i].value);
        policy_context_add(ctx, STR("aws:TagKeys"), w->tags.v[i].key);
    }
    for (size_t i = 0; w && i < w->n_transitive; i++)
        policy_context_add(ctx, STR("sts:TransitiveTagKeys"), w->transitive[i]);
    if (w)
        policy_context_add(ctx, STR("sts:SourceIdentity"), w->source_identity);
    return ctx->err;
}

/* --- whose token it is ------------------------------------------------------------------------ */

static enum err find_provider(struct call *call, struct web *w)
{
    struct sts *sts = call->svc;
    w->issuer = json_get_str(w->jwt.claims, STR("iss"));
    if (!str_is_set(w->issuer))
        return bad_token(call, "Missing a required claim: iss");
    enum err err =
        sts->iam->web_provider(sts->iam->self, call->txn, w->account, w->issuer, &w->provider);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &sts_err_invalid_identity_token_exception,
                          "No OpenIDConnect provider found in your account for " STR_FMT,
                          STR_ARG(w->issuer));
    return err;
}

static enum err read_token(struct call *call, struct web *w, struct str token)
{
    enum err err = jwt_parse(token, call->arena, &w->jwt);
    if (err)
        return err == ERR_NOMEM
                   ? err
                   : bad_token(call, "The ID Token provided is not a valid JWT. (You may "
                                     "see this error if you sent an Access Token)");
    TRY(find_provider(call, w));
    TRY(take_audience(call, w));
    w->subject = json_get_str(w->jwt.claims, STR("sub"));
    if (!str_is_set(w->subject) || w->subject.len > SUBJECT_MAX)
        return bad_token(call, "Missing a required claim: sub");
    TRY(check_times(call, w));
    TRY(take_claims(call, w));
    return take_tags(call, w);
}

/* The pool of this Weir that the issuer is: absent when it cannot be one. Nobody else is asked by such a name, which
 * would be AWS itself. */
static struct str pool_of(struct call *call, const struct web *w)
{
    struct str rest = w->issuer;
    if (!str_starts(rest, STR("https://cognito-idp.")))
        return STR_NONE;
    rest = str_sub(rest, sizeof("https://cognito-idp.") - 1, SIZE_MAX);
    struct str region = str_cut(&rest, '.'), host = str_cut(&rest, '/');
    if (!str_eq_c(host, "amazonaws.com") || !str_is_set(rest))
        return STR_NONE;
    const struct arn arn = {.partition = call->partition,
                            .service = STR("cognito-idp"),
                            .region = region,
                            .account = w->account};
    return arn_make(call->arena, &arn, "userpool/" STR_FMT, STR_ARG(rest));
}

static enum err verify(struct call *call, struct web *w, struct str token)
{
    struct sts *sts = call->svc;
    struct cognito_identity who;
    struct str pool = pool_of(call, w);
    if (!str_is_set(pool))
        return sts_idp_verify(sts->idps, call, &w->ask, w->issuer, &w->jwt);
    enum err err =
        sts->cognito ? sts->cognito->check(sts->cognito->self, call->txn, pool) : ERR_NOT_FOUND;
    if (err == ERR_NOT_FOUND || err == ERR_INVALID)
        return ERR_NOT_FOUND;
    TRY(err);
    err = sts->cognito->verify(sts->cognito->self, call->txn, &pool, 1, token, &who);
    return err == ERR_INVALID || err == ERR_TIMEOUT ? ERR_DENIED : err;
}

static enum err prove(struct call *call, struct web *w, struct str token)
{
    switch (verify(call, w, token)) {
    case ERR_OK:
        return ERR_OK;
    case ERR_SUSPENDED:
        return ERR_SUSPENDED;
    case ERR_NOMEM:
        return ERR_NOMEM;
    case ERR_DENIED:
        return bad_token(call, "The web identity token that was passed could not be validated by "
                               "AWS. Get a new identity token from the identity provider and then "
                               "retry the request.");
    case ERR_NOT_FOUND:
        return bad_token(call, "Couldn't retrieve verification key from your identity provider,  "
                               "please reference AssumeRoleWithWebIdentity documentation for "
                               "requirements");
    case ERR_CLOSED:
        return call_error(call, &sts_err_idp_communication_error_exception,
                          "The request could not be fulfilled because the identity provider "
                          "(IDP) that was asked to verify the incoming identity token could not be "
                          "reached.");
    default:
        return ERR_IO;
    }
}

/* --- the role --------------------------------------------------------------------------------- */

static enum err check_trust(struct call *call, const struct iam_assumable *role, const char *action)
{
    enum err err = call_allowed_by(call, action, role->arn, role->trust);
    return err == ERR_DENIED ? not_authorised(call) : err;
}

static enum err check_role(struct call *call, struct web *w, struct str role_arn,
                           struct iam_assumable *role)
{
    struct sts *sts = call->svc;
    w->who = (struct principal){.kind = PRINCIPAL_WEB,
                                .arn = w->provider.arn,
                                .user_id = w->subject,
                                .provider = w->provider.arn,
                                .claims = w->claims,
                                .n_claims = w->n_claims};
    call_vouch(call, &w->who);
    enum err err = sts->iam->role(sts->iam->self, role_arn, call->arena, role);
    if (err == ERR_NOT_FOUND)
        return not_authorised(call);
    TRY(err);
    TRY(check_trust(call, role, "sts:AssumeRoleWithWebIdentity"));
    if (str_is_set(w->source_identity))
        TRY(check_trust(call, role, "sts:SetSourceIdentity"));
    return w->tags.n > 0 ? check_trust(call, role, "sts:TagSession") : ERR_OK;
}

/* Those of the claims that go on being condition keys: IAM User Guide, "Available keys for AWS OIDC federation". */
static enum err session_claims(struct call *call, const struct web *w, struct iam_session *session)
{
    struct principal_tag *v = ARENA_ARRAY(call->arena, struct principal_tag, w->n_claims + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < w->n_claims; i++) {
        struct str key = w->claims[i].key;
        if (!str_ends(key, STR(":email")) && !str_ends(key, STR(":oaud")))
            v[session->n_claims++] = w->claims[i];
    }
    session->claims = v;
    session->provider = w->provider.arn;
    return ERR_OK;
}

static enum err begin(struct call *call, const struct sts_assume_role_with_web_identity_input *in,
                      struct web **ret)
{
    struct arn arn;
    struct web *w = call->state;
    if (str_is_set(in->provider_id))
        return call_error(call, &sts_err_not_implemented,
                          "ProviderId is not supported: OAuth 2.0 access tokens are not.");
    if (arn_parse_as(in->role_arn, "iam", "role", &arn) != ERR_OK)
        return call_error(call, &sts_err_validation, "Request ARN is invalid");
    if (!w)
        w = ARENA_NEW(call->arena, struct web);
    if (!w)
        return ERR_NOMEM;
    w->account = arn.account;
    call->state = w;
    *ret = w;
    return ERR_OK;
}

enum err sts_assume_role_with_web_identity(struct call *call,
                                           const struct sts_assume_role_with_web_identity_input *in,
                                           struct sts_assume_role_with_web_identity_output *out)
{
    struct web *w = NULL;
    struct iam_assumable role;
    TRY(begin(call, in, &w));
    TRY(read_token(call, w, in->web_identity_token));
    TRY(prove(call, w, in->web_identity_token));
    TRY(check_role(call, w, in->role_arn, &role));
    struct iam_session session = {.kind = PRINCIPAL_ROLE,
                                  .id = role.id,
                                  .session_name = in->role_session_name,
                                  .source_identity = w->source_identity};
    TRY(sts_session_duration(call, in->has_duration_seconds, in->duration_seconds, &role,
                             &session));
    TRY(sts_session_policies(call, w->account, in->policy, &in->policy_arns, &session));
    TRY(sts_session_tags(call, &w->tags, w->transitive, w->n_transitive, false, &session));
    TRY(session_claims(call, w, &session));
    TRY(sts_credentials(call, &session, &out->credentials));
    TRY(sts_assumed_role(call, &role, in->role_session_name, &out->assumed_role_user));
    out->has_packed_policy_size = sts_packed_size(&session, &out->packed_policy_size);
    out->subject_from_web_identity_token = w->subject;
    out->audience = w->audience;
    out->provider = w->provider.arn;
    out->source_identity = session.source_identity;
    return ERR_OK;
}
