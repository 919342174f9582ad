/* What IAM says of an identity policy that is to be stored and that it would refuse: in its order, in its words.
 * What is stored already is judged by policy_parse alone, so that a check that is new here makes no old policy
 * unreadable.
 *
 * Source: IAM User Guide, "IAM JSON policy elements reference" and "IAM ARNs"; AWS's answers.
 * Layer: auth. Thread: pure. */
#include "auth/policy.h"
#include "codec/json.h"

enum { PART_PARTITION = 1, PART_SERVICE, PART_REGION, PART_ACCOUNT, PART_RESOURCE, ARN_PARTS };

struct check {
    struct arena *a;
    const char *why;
};

static enum err refuse(struct check *c, struct str why)
{
    if (!str_is_set(why))
        return ERR_NOMEM;
    c->why = why.p; /* static, or of str_fmt, which ends it with NUL */
    return ERR_INVALID;
}

/* Calls fn for the text of each string in a string or a list. */
static enum err each_text(struct check *c, const struct json *v,
                          enum err (*fn)(struct check *c, struct str text))
{
    if (v->kind == JSON_STRING)
        return fn(c, v->text);
    if (v->kind == JSON_ARRAY)
        JSON_EACH (v, it)
            if (it->kind == JSON_STRING)
                TRY(fn(c, it->text));
    return ERR_OK;
}

static bool has_wild(struct str s)
{
    return str_find(s, '*') != SIZE_MAX || str_find(s, '?') != SIZE_MAX;
}

static bool is_partition(struct str s)
{
    static const char *const known[] = {"aws",       "aws-cn",    "aws-us-gov", "aws-iso",
                                        "aws-iso-b", "aws-iso-e", "aws-iso-f",  "aws-eusc"};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_eq_c(s, known[i]))
            return true;
    return has_wild(s) || str_find(s, '$') != SIZE_MAX;
}

/* --- the oldest checks ------------------------------------------------------------------------ */

static enum err legacy(struct check *c)
{
    return refuse(c, STR("The policy failed legacy parsing"));
}

static size_t count_colons(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += s.p[i] == ':';
    return n;
}

static enum err legacy_resource(struct check *c, struct str s)
{
    struct str rest = s;
    if (!str_eq_c(str_cut(&rest, ':'), "arn") || !is_partition(str_cut(&rest, ':')))
        return ERR_OK;
    if (count_colons(s) < ARN_PARTS - 1 && str_find_str(s, STR("::")) != SIZE_MAX)
        return legacy(c);
    return str_starts(rest, STR(":")) ? legacy(c) : ERR_OK;
}

static bool is_effect(struct str s)
{
    return str_eq_c(s, "Allow") || str_eq_c(s, "Deny");
}

/* --- resources -------------------------------------------------------------------------------- */

static bool is_iam_path(struct str s)
{
    static const char *const starts[] = {"user/",
                                         "federated-user/",
                                         "role/",
                                         "group/",
                                         "instance-profile/",
                                         "mfa/",
                                         "server-certificate/",
                                         "policy/",
                                         "sms-mfa/",
                                         "saml-provider/",
                                         "oidc-provider/",
                                         "report/",
                                         "access-report/"};
    for (size_t i = 0; i < ARRAY_LEN(starts); i++)
        if (str_starts(s, str_c(starts[i])))
            return true;
    return str_eq_c(s, "*");
}

/* What is not there counts as "*". */
static void split(struct str s, struct str part[ARN_PARTS])
{
    struct str rest = s;
    for (int i = 0; i < ARN_PARTS; i++) {
        bool there = i == 0 || str_is_set(rest);
        size_t colon = there ? str_find(rest, ':') : SIZE_MAX;
        part[i] = !there                                    ? STR("*")
                  : i == PART_RESOURCE || colon == SIZE_MAX ? rest
                                                            : str_sub(rest, 0, colon);
        rest = !there || i == PART_RESOURCE || colon == SIZE_MAX
                   ? STR_NONE
                   : str_sub(rest, colon + 1, rest.len);
    }
}

static enum err resource(struct check *c, struct str s)
{
    struct str part[ARN_PARTS];
    if (str_eq_c(s, "*"))
        return ERR_OK;
    if (str_find(s, ':') == SIZE_MAX)
        return refuse(
            c, str_fmt(c->a, "Resource " STR_FMT " must be in ARN format or \"*\".", STR_ARG(s)));
    split(s, part);
    if (!is_partition(part[PART_PARTITION]))
        return refuse(c,
                      str_fmt(c->a,
                              "Partition \"" STR_FMT "\" is not valid for resource \"arn:" STR_FMT
                              ":" STR_FMT ":" STR_FMT ":" STR_FMT ":" STR_FMT "\".",
                              STR_ARG(part[PART_PARTITION]), STR_ARG(part[PART_PARTITION]),
                              STR_ARG(part[PART_SERVICE]), STR_ARG(part[PART_REGION]),
                              STR_ARG(part[PART_ACCOUNT]), STR_ARG(part[PART_RESOURCE])));
    if (has_wild(part[PART_SERVICE]))
        return refuse(c,
                      STR("Resource vendor must be fully qualified and cannot contain regexes."));
    bool iam = str_eq_c(part[PART_SERVICE], "iam");
    bool region = part[PART_REGION].len > 0 && !has_wild(part[PART_REGION]);
    if (iam && region)
        return refuse(c,
                      str_fmt(c->a, "IAM resource " STR_FMT " cannot contain region information.",
                              STR_ARG(s)));
    /* An access point's has a region and an account. */
    if (str_eq_c(part[PART_SERVICE], "s3") && region && part[PART_ACCOUNT].len == 0)
        return refuse(c, str_fmt(c->a, "Resource " STR_FMT " can not contain region information.",
                                 STR_ARG(s)));
    if (iam && !is_iam_path(part[PART_RESOURCE]))
        return refuse(c, STR("IAM resource path must either be \"*\" or start with user/, "
                             "federated-user/, role/, group/, instance-profile/, mfa/, "
                             "server-certificate/, policy/, sms-mfa/, saml-provider/, "
                             "oidc-provider/, report/, access-report/."));
    return ERR_OK;
}

/* --- actions ---------------------------------------------------------------------------------- */

static enum err action(struct check *c, struct str s)
{
    struct str rest = s;
    if (str_eq_c(s, "*") || str_find(s, ':') == SIZE_MAX)
        return ERR_OK; /* the latter policy_parse refuses */
    struct str vendor = str_cut(&rest, ':');
    if (str_find(rest, ':') != SIZE_MAX)
        return refuse(c, STR("Actions/Condition can contain only one colon."));
    for (size_t i = 0; i < vendor.len; i++)
        if (vendor.p[i] == ' ')
            return refuse(c, str_fmt(c->a, "Vendor " STR_FMT " is not valid", STR_ARG(vendor)));
    return ERR_OK;
}

/* --- the document ----------------------------------------------------------------------------- */

/* What of a statement is checked in turn. */
struct pass {
    const char *elements[2];
    enum err (*fn)(struct check *c, struct str text);
};

static enum err statement(struct check *c, const struct json *s, const struct pass *pass)
{
    for (size_t i = 0; i < ARRAY_LEN(pass->elements); i++) {
        const struct json *v = json_get(s, str_c(pass->elements[i]));
        if (v)
            TRY(each_text(c, v, pass->fn));
    }
    return ERR_OK;
}

static enum err each_statement(struct check *c, const struct json *all, const struct pass *pass)
{
    if (all->kind == JSON_OBJECT)
        return statement(c, all, pass);
    JSON_EACH (all, it)
        TRY(statement(c, it, pass));
    return ERR_OK;
}

static enum err effect(struct check *c, struct str s)
{
    bool known = str_eq_nocase(s, STR("Allow")) || str_eq_nocase(s, STR("Deny"));
    return known && !is_effect(s) ? legacy(c) : ERR_OK;
}

static bool is_list_of_objects(const struct json *v)
{
    JSON_EACH (v, it)
        if (it->kind != JSON_OBJECT)
            return false;
    return true;
}

enum err policy_check_identity(struct arena *a, struct str json, const char **ret_why)
{
    static const struct pass passes[] = {
        {{"Effect", "Effect"}, effect},
        {{"Resource", "NotResource"}, legacy_resource},
        {{"Resource", "NotResource"}, resource},
        {{"Action", "NotAction"}, action},
    };
    struct check c = {a, NULL};
    struct json *doc;
    if (json.len > POLICY_TEXT_MAX)
        return ERR_OK; /* what is no policy at all, policy_parse says */
    enum err err = json_parse(a, json, &doc, NULL);
    if (err || doc->kind != JSON_OBJECT)
        return err == ERR_NOMEM ? err : ERR_OK;
    const struct json *all = json_get(doc, STR("Statement"));
    if (!all || !(all->kind == JSON_OBJECT || (all->kind == JSON_ARRAY && is_list_of_objects(all))))
        return ERR_OK;
    for (size_t i = 0; i < ARRAY_LEN(passes) && !err; i++)
        err = each_statement(&c, all, &passes[i]);
    if (err == ERR_INVALID)
        *ret_why = c.why;
    return err;
}
