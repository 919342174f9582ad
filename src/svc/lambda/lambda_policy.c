/* Statements of function policies, as AddPermission builds them, and what a function's role may do.
 * Source: Lambda API Reference, AddPermission; recorded statements.
 *
 * Layer: svc. Thread: pure, but for role_allowed (the transaction's). */
#include "codec/json.h"
#include "svc/lambda/lambda_int.h"

enum { STATEMENT_MAX = 8 * 1024, ACCOUNT_LEN = 12 };

static bool all_digits(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

static enum err put_principal(struct json_out *o, struct arena *a, struct str principal)
{
    json_key(o, STR("Principal"));
    if (str_eq_c(principal, "*")) {
        json_str(o, principal);
        return ERR_OK;
    }
    struct str kind, value = principal;
    if (principal.len == ACCOUNT_LEN && all_digits(principal)) {
        kind = STR("AWS");
        value = str_fmt(a, "arn:aws:iam::" STR_FMT ":root", STR_ARG(principal));
        if (!str_is_set(value))
            return ERR_NOMEM;
    } else if (str_starts(principal, STR("arn:"))) {
        kind = STR("AWS");
    } else if (str_ends(principal, STR(".amazonaws.com")) ||
               str_ends(principal, STR(".amazon.com")) ||
               str_ends(principal, STR(".amazonaws.com.cn"))) {
        kind = STR("Service");
    } else {
        return ERR_INVALID;
    }
    json_open(o, '{');
    json_kv_str(o, kind, value);
    json_close(o, '}');
    return ERR_OK;
}

static void put_condition(struct json_out *o, const char *op, const char *const *keys,
                          const struct str *values, size_t n)
{
    bool any = false;
    for (size_t i = 0; i < n; i++)
        any = any || str_is_set(values[i]);
    if (!any)
        return;
    json_key(o, str_c(op));
    json_open(o, '{');
    for (size_t i = 0; i < n; i++)
        json_kv_str(o, str_c(keys[i]), values[i]);
    json_close(o, '}');
}

enum err permission_statement(struct arena *a, const struct lambda_add_permission_input *in,
                              struct str resource, struct str *ret_json)
{
    static const char *const equal_keys[] = {"AWS:SourceAccount", "aws:PrincipalOrgID",
                                             "lambda:EventSourceToken"};
    static const char *const like_keys[] = {"AWS:SourceArn"};
    const struct str equal[] = {in->source_account, in->principal_org_id, in->event_source_token};
    const struct str like[] = {in->source_arn};
    struct buf b;
    struct json_out o;

    buf_init_arena(&b, a, STATEMENT_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("Sid"), in->statement_id);
    json_kv_str(&o, STR("Effect"), STR("Allow"));
    TRY(put_principal(&o, a, in->principal));
    json_kv_str(&o, STR("Action"), in->action);
    json_kv_str(&o, STR("Resource"), resource);
    if (str_is_set(in->source_account) || str_is_set(in->principal_org_id) ||
        str_is_set(in->event_source_token) || str_is_set(in->source_arn)) {
        json_key(&o, STR("Condition"));
        json_open(&o, '{');
        put_condition(&o, "StringEquals", equal_keys, equal, ARRAY_LEN(equal));
        put_condition(&o, "ArnLike", like_keys, like, ARRAY_LEN(like));
        json_close(&o, '}');
    }
    json_close(&o, '}');
    TRY(buf_err(&b));
    *ret_json = buf_str(&b);
    return ERR_OK;
}

/* The policy of the queue or function that `arn` names; STR_NONE where there is none, also for what
 * does not exist: what is done with it then says so. */
static enum err policy_of(struct txn *txn, struct lambda *l, struct str arn, struct str *ret_json)
{
    struct fn_name name;
    struct fn_policy policy;
    enum err err;

    *ret_json = STR_NONE;
    if (str_find_str(arn, STR(":sqs:")) != SIZE_MAX) {
        err = l->sqs->policy(l->sqs->self, txn, arn, ret_json);
        return err == ERR_NOT_FOUND || err == ERR_INVALID ? ERR_OK : err;
    }
    if (fn_name_parse(arn, STR(""), STR(""), &name) != ERR_OK)
        return ERR_OK;
    TRY(fn_policy_get(txn, &name, &policy));
    *ret_json = fn_policy_document(txn->arena, &policy);
    return policy.n > 0 && !str_is_set(*ret_json) ? ERR_NOMEM : ERR_OK;
}

enum err role_allowed(struct txn *txn, struct lambda *l, struct str role, const char *action,
                      struct str arn)
{
    struct str policy;
    TRY(policy_of(txn, l, arn, &policy));
    return core_role_allowed(l->core, role, STR(LAMBDA_PRINCIPAL), action, arn, policy);
}
