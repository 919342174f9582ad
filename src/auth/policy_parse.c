/* Policy documents from JSON to their parsed form, refusing what cannot be evaluated (P1).
 *
 * Source: IAM User Guide, "Grammar of the IAM JSON policy language".
 * Layer: auth. Thread: pure. */
#include <assert.h>

#include "auth/policy_int.h"
#include "codec/json.h"

static const char syntax[] = "Syntax errors in policy.";

struct parser {
    struct arena *a;
    enum policy_kind kind;
    bool variables;    /* version 2012-10-17 */
    bool any_resource; /* of the statement at hand */
    const char *why;
};

static enum err bad(struct parser *p, const char *why)
{
    p->why = why;
    return ERR_INVALID;
}

static enum err bad_text(struct parser *p, struct str text)
{
    if (!str_is_set(text))
        return ERR_NOMEM;
    p->why = text.p; /* str_fmt ends it with NUL */
    return ERR_INVALID;
}

/* A string, or a list of them: the next member of either. */
static size_t count_values(const struct json *v)
{
    return v->kind == JSON_ARRAY ? v->n : 1;
}

static const struct json *first_value(const struct json *v)
{
    return v->kind == JSON_ARRAY ? v->child : v;
}

static bool is_action(struct str s)
{
    struct str name = s;
    struct str vendor = str_cut(&name, ':');
    if (vendor.len == 0 || name.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '*' || c == '?' || (c == ':' && i == vendor.len);
        if (!ok)
            return false;
    }
    return true;
}

static enum err check_action(struct parser *p, struct str s)
{
    if (p->kind == POLICY_TRUST)
        return s.len > 4 && str_eq_nocase(str_sub(s, 0, 4), STR("sts:"))
                   ? ERR_OK
                   : bad(p, "AssumeRole policy may only specify STS AssumeRole actions.");
    if (str_eq_c(s, "*") || is_action(s))
        return ERR_OK;
    return bad(p, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
}

/* SQS and CloudWatch Logs take any text in their policies; what is no ARN is nothing of theirs. */
static enum err check_resource(struct parser *p, struct str s)
{
    if (str_eq_c(s, "*") || str_starts(s, STR("arn:")) || (p->any_resource && s.len > 0))
        return ERR_OK;
    return bad_text(
        p, str_fmt(p->a, "Resource " STR_FMT " must be in ARN format or \"*\".", STR_ARG(s)));
}

/* "arn:aws:sqs" is short for "arn:aws:sqs:*:*:*" (IAM User Guide, "IAM ARNs", incomplete ARNs). The
 * colons of variables are none. */
static struct str complete_arn(struct arena *a, struct str s)
{
    static const struct str missing = STR_INIT(":*:*:*:*:*");
    enum { COLONS = 5 };
    size_t n = 0;
    bool variable = false;
    for (size_t i = 0; i < s.len && n < COLONS; i++) {
        variable = s.p[i] == '{' || (variable && s.p[i] != '}');
        n += s.p[i] == ':' && !variable;
    }
    if (n == COLONS || !str_starts(s, STR("arn:")))
        return s;
    return str_fmt(a, STR_FMT STR_FMT, STR_ARG(s), STR_ARG(str_sub(missing, 0, 2 * (COLONS - n))));
}

static enum err parse_list(struct parser *p, const struct json *v, bool variables,
                           enum err (*check)(struct parser *p, struct str s),
                           struct pattern_list *ret)
{
    if (v->kind != JSON_STRING && v->kind != JSON_ARRAY)
        return bad(p, syntax);
    size_t n = count_values(v);
    if (n > POLICY_VALUES_MAX)
        return ERR_LIMIT;
    struct pattern *list = ARENA_ARRAY(p->a, struct pattern, n + 1);
    if (!list)
        return ERR_NOMEM;
    const struct json *it = first_value(v);
    for (size_t i = 0; i < n; i++, it = it->next) {
        if (it->kind != JSON_STRING)
            return bad(p, syntax);
        TRY(check(p, it->text));
        struct str text = check == check_resource ? complete_arn(p->a, it->text) : it->text;
        if (!str_is_set(text))
            return ERR_NOMEM;
        TRY(pattern_compile(p->a, text, true, variables, &list[i]));
    }
    *ret = (struct pattern_list){list, n};
    return ERR_OK;
}

/* --- Principal -------------------------------------------------------------------------------- */

static bool is_account(struct str s)
{
    if (s.len != 12)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

/* "arn:aws:iam::ACCT:root", ":user/...", ":role/...", "arn:aws:sts::ACCT:assumed-role/R/S". */
static bool parse_principal_arn(struct str arn, struct principal_entry *ret)
{
    struct str part[5], rest = arn;
    for (size_t i = 0; i < ARRAY_LEN(part); i++)
        part[i] = str_is_set(rest) ? str_cut(&rest, ':') : STR_NONE;
    if (!str_is_set(rest) || !str_eq_c(part[0], "arn") || part[1].len == 0 || part[3].len != 0 ||
        !is_account(part[4]) || str_find(rest, '*') != SIZE_MAX || str_find(rest, '?') != SIZE_MAX)
        return false;
    if (str_eq_c(part[2], "iam") && str_eq_c(rest, "root")) {
        *ret = (struct principal_entry){ENTRY_ACCOUNT, part[4]};
        return true;
    }
    *ret = (struct principal_entry){ENTRY_ARN, arn};
    if (str_eq_c(part[2], "iam"))
        return (str_starts(rest, STR("user/")) && rest.len > 5) ||
               (str_starts(rest, STR("role/")) && rest.len > 5);
    return str_eq_c(part[2], "sts") &&
           (str_starts(rest, STR("assumed-role/")) || str_starts(rest, STR("federated-user/")));
}

static enum err parse_principal(struct parser *p, struct str type, struct str text,
                                struct principal_entry *ret)
{
    bool ok = false;
    if (str_eq_c(type, "AWS")) {
        if (str_eq_c(text, "*")) {
            *ret = (struct principal_entry){ENTRY_ANYONE, text};
            ok = true;
        } else if (is_account(text)) {
            *ret = (struct principal_entry){ENTRY_ACCOUNT, text};
            ok = true;
        } else if (policy_is_id(text)) {
            *ret = (struct principal_entry){ENTRY_ID, text};
            ok = true;
        } else {
            ok = parse_principal_arn(text, ret);
        }
    } else if (str_eq_c(type, "Service")) {
        ok = str_find(text, '.') != SIZE_MAX && str_find(text, '*') == SIZE_MAX;
        *ret = (struct principal_entry){ENTRY_SERVICE, text};
    } else if (str_eq_c(type, "Federated")) {
        ok = text.len > 0 && str_find(text, '*') == SIZE_MAX;
        *ret = (struct principal_entry){ENTRY_FEDERATED, text};
    }
    if (ok)
        return ERR_OK;
    if (p->kind == POLICY_TRUST && str_eq_c(type, "Federated"))
        return bad(p, "Federated principals must be valid domain names or SAML metadata ARNs");
    /* IAM says this type in capitals. */
    if (p->kind == POLICY_TRUST && str_eq_c(type, "Service"))
        type = STR("SERVICE");
    return bad_text(p, str_fmt(p->a, "Invalid principal in policy: \"" STR_FMT "\":\"" STR_FMT "\"",
                               STR_ARG(type), STR_ARG(text)));
}

static enum err parse_principals(struct parser *p, const struct json *v, struct statement *s)
{
    size_t n = 0;
    if (v->kind == JSON_STRING && str_eq_c(v->text, "*")) {
        struct principal_entry *any = ARENA_NEW(p->a, struct principal_entry);
        if (!any)
            return ERR_NOMEM;
        *any = (struct principal_entry){ENTRY_ANYONE, STR("*")};
        s->principals = any;
        s->n_principals = 1;
        return ERR_OK;
    }
    if (v->kind != JSON_OBJECT || v->n == 0)
        return bad(p, "Invalid principal in policy.");
    JSON_EACH (v, type)
        n += count_values(type);
    if (n > POLICY_VALUES_MAX)
        return ERR_LIMIT;
    struct principal_entry *list = ARENA_ARRAY(p->a, struct principal_entry, n + 1);
    if (!list)
        return ERR_NOMEM;
    size_t at = 0;
    JSON_EACH (v, type) {
        const struct json *it = first_value(type);
        for (size_t i = 0, m = count_values(type); i < m; i++, it = it->next) {
            if (it->kind != JSON_STRING)
                return bad(p, "Invalid principal in policy.");
            TRY(parse_principal(p, type->key, it->text, &list[at++]));
        }
    }
    assert(at == n);
    s->principals = list;
    s->n_principals = at;
    return ERR_OK;
}

/* --- Condition -------------------------------------------------------------------------------- */

static enum err parse_cond_values(struct parser *p, const struct json *v, bool wild,
                                  struct cond *ret)
{
    size_t n = count_values(v);
    if (n > POLICY_VALUES_MAX)
        return ERR_LIMIT;
    struct cond_value *values = ARENA_ARRAY(p->a, struct cond_value, n + 1);
    if (!values)
        return ERR_NOMEM;
    const struct json *it = first_value(v);
    for (size_t i = 0; i < n; i++, it = it->next) {
        struct str text;
        if (it->kind == JSON_STRING || it->kind == JSON_NUMBER)
            text = it->text;
        else if (it->kind == JSON_BOOL)
            text = it->b ? STR("true") : STR("false");
        else
            return bad(p, syntax);
        enum err e = cond_parse_value(p->a, ret, wild, p->variables, text, &values[i]);
        if (e == ERR_INVALID && p->kind == POLICY_IDENTITY && ret->type == COND_DATE)
            return bad(p, "The policy failed legacy parsing");
        if (e == ERR_INVALID)
            return bad_text(
                p, str_fmt(p->a, "Invalid value \"" STR_FMT "\" for condition key " STR_FMT ".",
                           STR_ARG(text), STR_ARG(ret->key)));
        TRY(e);
    }
    ret->values = values;
    ret->n = n;
    return ERR_OK;
}

static enum err parse_conditions(struct parser *p, const struct json *v, struct statement *s)
{
    if (v->kind != JSON_OBJECT)
        return bad(p, syntax);
    size_t n = 0, at = 0;
    JSON_EACH (v, op)
        n += op->n;
    if (n > POLICY_VALUES_MAX)
        return ERR_LIMIT;
    struct cond *conds = ARENA_ARRAY(p->a, struct cond, n + 1);
    if (!conds)
        return ERR_NOMEM;
    JSON_EACH (v, op) {
        struct cond model = {0};
        bool wild;
        bool known = cond_parse_operator(op->key, &model, &wild) == ERR_OK;
        if (!known && p->kind == POLICY_IDENTITY)
            return bad(p, syntax);
        if (!known)
            return bad_text(
                p, str_fmt(p->a, "Invalid Condition type : " STR_FMT ".", STR_ARG(op->key)));
        if (op->kind != JSON_OBJECT)
            return bad(p, syntax);
        JSON_EACH (op, key) {
            if (str_find(key->key, ':') == SIZE_MAX)
                return bad(p, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, "
                              "ec2, etc.");
            conds[at] = model;
            conds[at].key = key->key;
            TRY(parse_cond_values(p, key, wild, &conds[at]));
            at++;
        }
    }
    assert(at <= n);
    s->conds = conds;
    s->n_conds = at;
    return ERR_OK;
}

/* --- Statement -------------------------------------------------------------------------------- */

enum element {
    EL_SID,
    EL_EFFECT,
    EL_PRINCIPAL,
    EL_NOT_PRINCIPAL,
    EL_ACTION,
    EL_NOT_ACTION,
    EL_RESOURCE,
    EL_NOT_RESOURCE,
    EL_CONDITION,
    EL_COUNT,
};

static const char *const element_names[EL_COUNT] = {
    "Sid",       "Effect",   "Principal",   "NotPrincipal", "Action",
    "NotAction", "Resource", "NotResource", "Condition",
};

static enum err check_shape(struct parser *p, const struct json *const el[EL_COUNT])
{
    if (!el[EL_EFFECT])
        return bad(p, p->kind == POLICY_IDENTITY ? syntax : "Missing required field Effect");
    if ((el[EL_PRINCIPAL] && el[EL_NOT_PRINCIPAL]) || (el[EL_ACTION] && el[EL_NOT_ACTION]) ||
        (el[EL_RESOURCE] && el[EL_NOT_RESOURCE]))
        return bad(p, syntax);
    bool principal = el[EL_PRINCIPAL] || el[EL_NOT_PRINCIPAL];
    bool resource = el[EL_RESOURCE] || el[EL_NOT_RESOURCE];
    if (p->kind == POLICY_IDENTITY && principal)
        return bad(p, "Policy document should not specify a principal.");
    if (p->kind != POLICY_IDENTITY && !principal)
        return bad(p, "Missing required field Principal");
    if (p->kind == POLICY_TRUST && resource)
        return bad(p, "Has prohibited field Resource");
    if (!el[EL_ACTION] && !el[EL_NOT_ACTION])
        return bad(p, p->kind == POLICY_TRUST ? "Missing required field Action"
                                              : "Policy statement must contain actions.");
    if (p->kind != POLICY_TRUST && !resource)
        return bad(p, p->kind == POLICY_RESOURCE ? "Missing required field Resource"
                                                 : "Policy statement must contain resources.");
    return ERR_OK;
}

static enum err check_sid(struct parser *p, const struct json *sid)
{
    if (sid->kind != JSON_STRING)
        return bad(p, syntax);
    if (p->kind == POLICY_RESOURCE)
        return ERR_OK;
    for (size_t i = 0; i < sid->text.len; i++) {
        char c = sid->text.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
            return bad(p, "Statement IDs (SID) must be alpha-numeric. Check that your input "
                          "satisfies the regular expression [0-9A-Za-z]*");
    }
    return ERR_OK;
}

/* Whether a resource's policy speaks of a service alone. */
static bool is_of(const struct parser *p, const struct json *actions, struct str prefix)
{
    const struct json *it = first_value(actions);
    if (p->kind != POLICY_RESOURCE)
        return false;
    for (size_t i = 0, n = count_values(actions); i < n; i++, it = it->next)
        if (!str_eq_nocase(str_sub(it->text, 0, prefix.len), prefix))
            return false;
    return true;
}

static enum err parse_statement(struct parser *p, const struct json *v, struct statement *s)
{
    const struct json *el[EL_COUNT] = {0};
    if (v->kind != JSON_OBJECT)
        return bad(p, syntax);
    JSON_EACH (v, it) {
        size_t i = 0;
        while (i < EL_COUNT && !str_eq_c(it->key, element_names[i]))
            i++;
        /* An element said twice could be read in two ways. */
        if (i == EL_COUNT || el[i])
            return bad(p, syntax);
        el[i] = it;
    }
    TRY(check_shape(p, el));
    if (el[EL_SID])
        TRY(check_sid(p, el[EL_SID]));
    s->allow = el[EL_EFFECT]->kind == JSON_STRING && str_eq_c(el[EL_EFFECT]->text, "Allow");
    if (!s->allow && !(el[EL_EFFECT]->kind == JSON_STRING && str_eq_c(el[EL_EFFECT]->text, "Deny")))
        return bad(p, syntax);
    const struct json *principal = el[EL_PRINCIPAL] ? el[EL_PRINCIPAL] : el[EL_NOT_PRINCIPAL];
    const struct json *action = el[EL_ACTION] ? el[EL_ACTION] : el[EL_NOT_ACTION];
    const struct json *resource = el[EL_RESOURCE] ? el[EL_RESOURCE] : el[EL_NOT_RESOURCE];
    assert(action && (p->kind == POLICY_TRUST || resource)); /* check_shape */
    s->has_principal = principal != NULL;
    s->not_principal = el[EL_NOT_PRINCIPAL] != NULL;
    s->not_action = el[EL_NOT_ACTION] != NULL;
    s->has_resource = resource != NULL;
    s->not_resource = el[EL_NOT_RESOURCE] != NULL;
    if (principal)
        TRY(parse_principals(p, principal, s));
    TRY(parse_list(p, action, false, check_action, &s->actions));
    if (s->actions.n == 0)
        return bad(p, "Policy statement must contain actions.");
    if (resource) {
        p->any_resource = is_of(p, action, STR("sqs:")) || is_of(p, action, STR("logs:"));
        TRY(parse_list(p, resource, p->variables, check_resource, &s->resources));
        if (s->resources.n == 0)
            return bad(p, "Policy statement must contain resources.");
    }
    return el[EL_CONDITION] ? parse_conditions(p, el[EL_CONDITION], s) : ERR_OK;
}

static enum err check_sids(struct parser *p, const struct json *statements)
{
    if (p->kind == POLICY_RESOURCE)
        return ERR_OK;
    const struct json *it = first_value(statements);
    for (size_t i = 0, n = count_values(statements); i < n; i++, it = it->next) {
        struct str sid = json_get_str(it, STR("Sid"));
        for (const struct json *other = it->next; sid.len > 0 && i + 1 < n && other;
             other = other->next)
            if (str_eq(sid, json_get_str(other, STR("Sid"))))
                return bad(p, "Statement IDs (SID) in a single policy must be unique.");
    }
    return ERR_OK;
}

static enum err parse_document(struct parser *p, struct str text, struct policy *policy)
{
    struct json *doc;
    enum err e = json_parse(p->a, text, &doc, NULL);
    if (e == ERR_INVALID || e == ERR_LIMIT || (e == ERR_OK && doc->kind != JSON_OBJECT))
        return bad(p, p->kind == POLICY_TRUST ? "This policy contains invalid Json" : syntax);
    TRY(e);
    const struct json *version = NULL, *statements = NULL, *id = NULL;
    JSON_EACH (doc, it) {
        const struct json **slot = str_eq_c(it->key, "Version")     ? &version
                                   : str_eq_c(it->key, "Statement") ? &statements
                                   : str_eq_c(it->key, "Id")        ? &id
                                                                    : NULL;
        if (!slot || *slot)
            return bad(p, syntax);
        *slot = it;
    }
    if (version) {
        if (version->kind != JSON_STRING ||
            (!str_eq_c(version->text, "2012-10-17") && !str_eq_c(version->text, "2008-10-17")))
            return bad(p, p->kind == POLICY_IDENTITY
                              ? syntax
                              : "The policy must contain a valid version string");
        p->variables = str_eq_c(version->text, "2012-10-17");
    }
    if (!statements || (statements->kind != JSON_ARRAY && statements->kind != JSON_OBJECT) ||
        (statements->kind == JSON_ARRAY && statements->n == 0) || (id && id->kind != JSON_STRING))
        return bad(p, syntax);
    size_t n = count_values(statements);
    if (n > POLICY_STATEMENTS_MAX)
        return ERR_LIMIT;
    struct statement *list = ARENA_ARRAY(p->a, struct statement, n);
    if (!list)
        return ERR_NOMEM;
    const struct json *it = first_value(statements);
    for (size_t i = 0; i < n; i++, it = it->next)
        TRY(parse_statement(p, it, &list[i]));
    TRY(check_sids(p, statements));
    assert(n > 0);
    policy->kind = p->kind;
    policy->statements = list;
    policy->n = n;
    return ERR_OK;
}

enum err policy_parse(struct arena *a, enum policy_kind kind, struct str json, const char **ret_why,
                      struct policy **ret_policy)
{
    struct parser p = {.a = a, .kind = kind};
    enum err e = ERR_LIMIT;
    struct policy *policy = ARENA_NEW(a, struct policy);
    if (!policy)
        return ERR_NOMEM;
    if (json.len <= POLICY_TEXT_MAX) {
        struct str copy = str_dup(a, str_is_set(json) ? json : STR(""));
        if (!str_is_set(copy))
            return ERR_NOMEM;
        e = parse_document(&p, copy, policy);
    }
    if (e == ERR_OK)
        *ret_policy = policy;
    else if (ret_why && (e == ERR_INVALID || e == ERR_LIMIT))
        *ret_why = e == ERR_LIMIT ? "The policy exceeds a limit." : p.why ? p.why : syntax;
    return e;
}
