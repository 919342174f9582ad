/* What a session is made of, whichever operation gives it: how long it lasts, the policies that limit it, its tags and
 * which of them go on, and the identity that it keeps.
 *
 * Source: STS API Reference; IAM User Guide, "Pass session tags in AWS STS", "Monitor and control actions taken with
 * assumed roles" (source identity).
 * Layer: svc. Thread: the call's loop. */
#include <assert.h>

#include "base/arn.h"
#include "svc/sts/sts_int.h"

/* --- policies --------------------------------------------------------------------------------- */

/* AWS's own, or one of the account. */
static bool may_limit(struct str policy_arn, struct str account)
{
    struct arn arn;
    return str_is_set(policy_arn) && arn_parse_as(policy_arn, "iam", NULL, &arn) == ERR_OK &&
           (str_eq_c(arn.account, "aws") || str_eq(arn.account, account));
}

enum err sts_session_policies(struct call *call, struct str account, struct str policy,
                              const struct sts_policy_descriptor_list_type *list,
                              struct iam_session *session)
{
    struct sts *sts = call->svc;
    if (list->n > IAM_SESSION_POLICY_ARNS_MAX)
        return call_error(call, &sts_err_validation,
                          "You can provide up to %d managed policies for a session.",
                          IAM_SESSION_POLICY_ARNS_MAX);
    if (str_is_set(policy)) {
        const char *why = NULL;
        if (policy.len > STS_POLICY_CHARS)
            return call_error(call, &sts_err_packed_policy_too_large_exception,
                              "The session policy is longer than %d characters.", STS_POLICY_CHARS);
        enum err err = core_policy_check(call->core, call->arena, POLICY_IDENTITY, policy, &why);
        if (err == ERR_INVALID || err == ERR_LIMIT)
            return call_error(call, &sts_err_malformed_policy_document_exception, "%s", why);
        TRY(err);
        session->policy_json = policy;
    }
    struct str *arns = ARENA_ARRAY(call->arena, struct str, list->n + 1);
    if (!arns)
        return ERR_NOMEM;
    for (size_t i = 0; i < list->n; i++) {
        arns[i] = list->v[i].arn;
        enum err err = may_limit(arns[i], account)
                           ? sts->iam->managed_policy(sts->iam->self, arns[i], call->arena)
                           : ERR_NOT_FOUND;
        if (err == ERR_NOT_FOUND)
            return call_error(call, &sts_err_validation, "The policy " STR_FMT " does not exist.",
                              STR_ARG(arns[i]));
        TRY(err);
    }
    session->policy_arns = arns;
    session->n_policy_arns = list->n;
    return ERR_OK;
}

/* --- tags ------------------------------------------------------------------------------------- */

static bool has_key(const struct principal_tag *tags, size_t n, struct str key)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(tags[i].key, key))
            return true;
    return false;
}

/* The caller's tags that go on into every session that begins with his, and that they go on. */
static enum err take_inherited(struct call *call, struct iam_session *session,
                               struct principal_tag *tags, struct str *keys)
{
    const struct principal *who = call->who;
    for (size_t i = 0; i < who->n_transitive_keys; i++) {
        for (size_t k = 0; k < who->n_tags; k++) {
            if (!str_eq_nocase(who->tags[k].key, who->transitive_keys[i]))
                continue;
            keys[session->n_transitive_keys++] = who->transitive_keys[i];
            tags[session->n_tags++] = who->tags[k];
        }
    }
    return ERR_OK;
}

static enum err too_many(struct call *call)
{
    return call_error(call, &sts_err_validation, "A session has at most %d tags.",
                      IAM_SESSION_TAGS_MAX);
}

static enum err add_tags(struct call *call, const struct sts_tag_list_type *list, size_t inherited,
                         struct iam_session *session, struct principal_tag *tags)
{
    for (size_t i = 0; i < list->n; i++) {
        struct str key = list->v[i].key;
        if (has_key(tags, inherited, key))
            return call_error(call, &sts_err_invalid_parameter_value,
                              "One of the specified transitive tag keys can't be set because it "
                              "conflicts with a transitive tag key from the calling session.");
        if (has_key(tags, session->n_tags, key))
            return call_error(call, &sts_err_invalid_parameter_value,
                              "Duplicate tag keys found. Please note that Tag keys are case "
                              "insensitive.");
        if (str_starts(str_lower(call->arena, key), STR("aws:")))
            return call_error(call, &sts_err_invalid_parameter_value,
                              "Tag keys that start with aws: are reserved for system use.");
        if (session->n_tags == IAM_SESSION_TAGS_MAX)
            return too_many(call);
        tags[session->n_tags++] = (struct principal_tag){key, list->v[i].value};
    }
    return ERR_OK;
}

enum err sts_session_tags(struct call *call, const struct sts_tag_list_type *list,
                          const struct str *transitive, size_t n_transitive, bool chained,
                          struct iam_session *session)
{
    struct principal_tag *tags =
        ARENA_ARRAY(call->arena, struct principal_tag, 2 * IAM_SESSION_TAGS_MAX);
    struct str *keys = ARENA_ARRAY(call->arena, struct str, 2 * IAM_SESSION_TAGS_MAX);
    if (!tags || !keys)
        return ERR_NOMEM;
    session->tags = tags;
    session->transitive_keys = keys;
    if (chained)
        TRY(take_inherited(call, session, tags, keys));
    const size_t inherited = session->n_tags;
    TRY(add_tags(call, list, inherited, session, tags));
    for (size_t i = 0; i < n_transitive; i++) {
        if (!has_key(tags + inherited, session->n_tags - inherited, transitive[i]))
            return call_error(call, &sts_err_invalid_parameter_value,
                              "The specified transitive tag key must be included in the requested "
                              "tags.");
        if (session->n_transitive_keys == IAM_SESSION_TAGS_MAX)
            return too_many(call);
        keys[session->n_transitive_keys++] = transitive[i];
    }
    return ERR_OK;
}

/* --- the rest --------------------------------------------------------------------------------- */

enum err sts_session_duration(struct call *call, bool has_duration, int64_t duration_s,
                              const struct iam_assumable *role, struct iam_session *session)
{
    if (!has_duration)
        duration_s = STS_DURATION_DEFAULT_S;
    session->chained = call->who->kind == PRINCIPAL_ROLE;
    if (session->chained && duration_s > STS_CHAINED_MAX_S)
        return call_error(
            call, &sts_err_validation,
            "The requested DurationSeconds exceeds the 1 hour session limit for roles "
            "assumed by role chaining.");
    if (duration_s > role->max_session_s)
        return call_error(call, &sts_err_validation,
                          "The requested DurationSeconds exceeds the MaxSessionDuration set for "
                          "this role.");
    session->issued_ms = call->txn->wall_ms;
    session->expires_ms = session->issued_ms + duration_s * 1000;
    return ERR_OK;
}

enum err sts_assumed_role(struct call *call, const struct iam_assumable *role, struct str name,
                          const struct sts_assumed_role_user **ret)
{
    struct sts_assumed_role_user *user = ARENA_NEW(call->arena, struct sts_assumed_role_user);
    struct arn arn;
    if (!user)
        return ERR_NOMEM;
    if (arn_parse(role->arn, &arn) != ERR_OK)
        return ERR_CORRUPT;
    arn.service = STR("sts");
    user->assumed_role_id =
        str_fmt(call->arena, STR_FMT ":" STR_FMT, STR_ARG(role->id), STR_ARG(name));
    user->arn = arn_make(call->arena, &arn, "assumed-role/" STR_FMT "/" STR_FMT,
                         STR_ARG(role->name), STR_ARG(name));
    if (!str_is_set(user->assumed_role_id) || !str_is_set(user->arn))
        return ERR_NOMEM;
    *ret = user;
    return ERR_OK;
}

bool sts_packed_size(const struct iam_session *session, int64_t *ret_percent)
{
    size_t chars = session->policy_json.len;
    for (size_t i = 0; i < session->n_policy_arns; i++)
        chars += session->policy_arns[i].len;
    for (size_t i = 0; i < session->n_tags; i++)
        chars += session->tags[i].key.len + session->tags[i].value.len;
    if (chars == 0)
        return false;
    *ret_percent = min_i64((int64_t)(chars * 100 / STS_PACKED_CHARS) + 1, 100);
    return true;
}
