/* Who may call an API: authorizers, API keys and resource policies in its definition. See sam_int.h.
 * Layer: template. Thread: pure. */
#include "template/sam_int.h"

/* --- definitions of authorizers ------------------------------------------------------------------- */

static struct str payload_type(const struct json *authorizer)
{
    struct str type = json_get_str(authorizer, STR("FunctionPayloadType"));
    return str_is_set(type) ? type : STR("TOKEN");
}

/* "method.request.header.A, method.request.querystring.b, ..". */
static struct str identity_source(struct sam *s, const struct json *identity)
{
    static const char *const rows[][2] = {{"Headers", "method.request.header."},
                                          {"QueryStrings", "method.request.querystring."},
                                          {"StageVariables", "stageVariables."},
                                          {"Context", "context."}};
    struct buf b;
    buf_init_arena(&b, s->a, 64 * 1024);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        JSON_EACH (json_get(identity, str_c(rows[i][0])), it) {
            if (b.len)
                BUF_ADD_LIT(&b, ", ");
            buf_add_c(&b, rows[i][1]);
            buf_add_str(&b, sam_str(it));
        }
    return buf_str(&b);
}

static const char *const identity_lists[] = {"Headers", "QueryStrings", "StageVariables",
                                             "Context"};

/* Whether a REQUEST authorizer says by what it knows the caller, or how long it is not to be asked. */
static enum err check_request(struct sam *s, const struct json *authorizer)
{
    const struct json *identity = SAM_GET(authorizer, "Identity"),
                      *again = SAM_GET(identity, "ReauthorizeEvery");
    struct str name = authorizer->key;
    bool some = false;
    int64_t seconds = 0;
    if (sam_true(identity))
        TRY(sam_want(s, SAM_RESOURCE, identity, 'm',
                     str_fmt(s->a, "Authorizer." STR_FMT ".Identity", STR_ARG(name))));
    for (size_t i = 0; i < ARRAY_LEN(identity_lists); i++)
        some = some || sam_true(json_get(identity, str_c(identity_lists[i])));
    bool scalar = again && (again->kind == JSON_NUMBER || again->kind == JSON_STRING);
    bool never = scalar && str_to_i64(again->text, &seconds) == ERR_OK && seconds <= 0;
    if (!some && !never)
        return sam_bad(s,
                       STR_FMT " Authorizer must specify Identity with at least one of Headers, "
                               "QueryStrings, StageVariables, or Context.",
                       STR_ARG(name));
    return ERR_OK;
}

static enum err check_authorizer(struct sam *s, const struct json *authorizer)
{
    const struct json *type = SAM_GET(authorizer, "FunctionPayloadType");
    const struct json *scopes = SAM_GET(authorizer, "AuthorizationScopes");
    const struct json *off = SAM_GET(authorizer, "DisableFunctionDefaultPermissions");
    struct str name = authorizer->key;
    TRY(sam_want(s, SAM_RESOURCE, authorizer, 'm',
                 sam_cat3(s, STR("Auth.Authorizers."), name, "")));
    if (type && type->kind != JSON_NULL && !sam_eq(type, "TOKEN") && !sam_eq(type, "REQUEST"))
        return sam_bad(s, STR_FMT " Authorizer has invalid 'FunctionPayloadType': " STR_FMT ".",
                       STR_ARG(name), STR_ARG(sam_text(type) ? type->text : sam_repr(s, type)));
    if (sam_eq(type, "REQUEST"))
        TRY(check_request(s, authorizer));
    if (scopes && scopes->kind != JSON_NULL)
        TRY(sam_want(s, SAM_RESOURCE, scopes, 'l',
                     str_fmt(s->a, "Authorizers." STR_FMT ".AuthorizationScopes", STR_ARG(name))));
    if (off && off->kind != JSON_NULL)
        TRY(sam_want(s, SAM_RESOURCE, off, 'b',
                     str_fmt(s->a, "Authorizers." STR_FMT ".DisableFunctionDefaultPermissions",
                             STR_ARG(name))));
    return ERR_OK;
}

/* What its definition takes of Identity. */
static enum err check_identity(struct sam *s, const struct json *authorizer)
{
    const struct json *identity = SAM_GET(authorizer, "Identity");
    if (sam_true(SAM_GET(authorizer, "UserPoolArn")) ||
        str_eq_c(payload_type(authorizer), "TOKEN")) {
        if (sam_true(identity) && !sam_map(identity))
            return sam_bad(s,
                           "Auth.Authorizers.<Authorizer>.Identity must be a dict "
                           "(LambdaTokenAuthorizationIdentity, LambdaRequestAuthorizationIdentity "
                           "or CognitoAuthorizationIdentity).");
        return ERR_OK;
    }
    for (size_t i = 0; i < ARRAY_LEN(identity_lists); i++) {
        const struct json *list = json_get(identity, str_c(identity_lists[i]));
        struct str path = str_fmt(s->a, "Auth.Authorizers." STR_FMT ".Identity.%s",
                                  STR_ARG(authorizer->key), identity_lists[i]);
        size_t index = 0;
        if (sam_true(list))
            TRY(sam_want(s, SAM_RESOURCE, list, 'l', path));
        JSON_EACH (sam_list(list) ? list : NULL, it)
            TRY(sam_want(s, SAM_RESOURCE, it, 's',
                         str_fmt(s->a, STR_FMT "[%zu]", STR_ARG(path), index++)));
    }
    return ERR_OK;
}

static struct json *cognito_definition(struct sam *s, const struct json *authorizer)
{
    const struct json *identity = SAM_GET(authorizer, "Identity"),
                      *header = SAM_GET(identity, "Header");
    struct json *v =
        sam_make(s,
                 "{'type': 'apiKey', 'name': %v, 'in': 'header', 'x-amazon-apigateway-authtype': "
                 "'cognito_user_pools', "
                 "'x-amazon-apigateway-authorizer': {'type': 'cognito_user_pools', "
                 "'providerARNs': %v, 'identityValidationExpression': %v}}",
                 header ? header : sam_make(s, "'Authorization'"),
                 sam_as_list(s, SAM_GET(authorizer, "UserPoolArn")),
                 SAM_GET(identity, "ValidationExpression"));
    return v;
}

static struct json *lambda_definition(struct sam *s, const struct json *authorizer)
{
    const struct json *identity = SAM_GET(authorizer, "Identity"),
                      *header = SAM_GET(identity, "Header");
    const struct json *role = SAM_GET(authorizer, "FunctionInvokeRole");
    bool token = str_eq_c(payload_type(authorizer), "TOKEN");
    struct str source = token ? STR_NONE : identity_source(s, identity);
    struct json *uri = sam_make(
        s, "{'Fn::Sub': [%o, {'__FunctionArn__': %v}]}",
        str_fmt(s->a,
                "arn:" STR_FMT ":apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/"
                "${__FunctionArn__}/invocations",
                STR_ARG(s->world->partition)),
        SAM_GET(authorizer, "FunctionArn"));
    struct json *name = token ? (header ? sam_copy(s, header) : sam_make(s, "'Authorization'"))
                              : sam_make(s, "'Unused'");
    return sam_make(
        s,
        "{'type': 'apiKey', 'name': %v, 'in': 'header', 'x-amazon-apigateway-authtype': 'custom', "
        "'x-amazon-apigateway-authorizer': {'type': %o, 'authorizerUri': %v, "
        "'authorizerResultTtlInSeconds': %v, 'authorizerCredentials': %v, "
        "'identityValidationExpression': %v, 'identitySource': %v}}",
        name, token ? STR("token") : STR("request"), uri, SAM_GET(identity, "ReauthorizeEvery"),
        sam_eq(role, "NONE") ? NULL : role,
        token ? SAM_GET(identity, "ValidationExpression") : NULL,
        str_empty(source) ? NULL : sam_new_str(s, source));
}

static struct json *iam_definition(struct sam *s)
{
    return sam_make(s, "{'type': 'apiKey', 'name': 'Authorization', 'in': 'header', "
                       "'x-amazon-apigateway-authtype': 'awsSigv4'}");
}

enum err sam_add_authorizers(struct sam *s, struct json *body, const struct json *auth)
{
    const struct json *authorizers = SAM_GET(auth, "Authorizers");
    bool iam = sam_eq(SAM_GET(auth, "DefaultAuthorizer"), "AWS_IAM");
    if (sam_true(authorizers))
        TRY(sam_want(s, SAM_RESOURCE, authorizers, 'm', STR("Auth.Authorizers")));
    JSON_EACH (authorizers, it)
        TRY(check_authorizer(s, it));
    JSON_EACH (authorizers, it)
        TRY(check_identity(s, it));
    if (!sam_true(authorizers) && !iam)
        return ERR_OK;
    struct json *definitions = SAM_AT(body, "securityDefinitions");
    if (definitions && !sam_map(definitions))
        return sam_bad_document(s, "securityDefinitions must be a dictionary.");
    if (!definitions)
        sam_set(s, body, "securityDefinitions", json_new(s->a, JSON_OBJECT));
    definitions = SAM_AT(body, "securityDefinitions");
    struct json *named = json_new(s->a, JSON_OBJECT);
    if (iam)
        sam_put(s, named, STR("AWS_IAM"), iam_definition(s));
    struct sam_members given = sam_in_order(s, (struct json *)(uintptr_t)authorizers);
    for (size_t i = 0; i < given.n; i++)
        sam_put(s, named, given.v[i]->key,
                SAM_GET(given.v[i], "UserPoolArn") ? cognito_definition(s, given.v[i])
                                                   : lambda_definition(s, given.v[i]));
    struct sam_members in_order = sam_in_order(s, named);
    for (size_t i = 0; i < in_order.n; i++)
        sam_put(s, definitions, in_order.v[i]->key, sam_copy(s, in_order.v[i]));
    return ERR_OK;
}

void sam_define_iam(struct sam *s, struct json *body)
{
    if (!SAM_AT(body, "securityDefinitions"))
        sam_set(s, body, "securityDefinitions", json_new(s->a, JSON_OBJECT));
    if (!SAM_GET(SAM_GET(body, "securityDefinitions"), "AWS_IAM"))
        sam_set(s, SAM_AT(body, "securityDefinitions"), "AWS_IAM",
                sam_make(s,
                         "{'x-amazon-apigateway-authtype': 'awsSigv4', 'type': 'apiKey', 'name': "
                         "'Authorization', 'in': 'header'}"));
}

/* --- security of methods ---------------------------------------------------------------------------- */

static enum err check_security(struct sam *s, const struct sam_part *method, struct str path)
{
    const struct json *security = SAM_GET(method->v, "security");
    if (security && !sam_list(security))
        return sam_bad_document(
            s, "Type of security for path " STR_FMT " method " STR_FMT " must be a list",
            STR_ARG(path), STR_ARG(method->name));
    JSON_EACH (security, it)
        if (!sam_map(it))
            return sam_bad_document(s,
                                    STR_FMT " in Security for path " STR_FMT " method " STR_FMT
                                            " is not a valid dictionary.",
                                    STR_ARG(sam_text(it) ? it->text : sam_repr(s, it)),
                                    STR_ARG(path), STR_ARG(method->name));
    return ERR_OK;
}

static bool has_key(const struct json *security, const char *name)
{
    JSON_EACH (security, it)
        if (json_get(it, str_c(name)))
            return true;
    return false;
}

static void add_security(struct sam *s, struct json *method, struct json *entry, bool front)
{
    struct json *list = json_new(s->a, JSON_ARRAY);
    if (front)
        sam_push(s, list, entry);
    JSON_EACH (SAM_GET(method, "security"), it)
        sam_push(s, list, sam_copy(s, it));
    if (!front)
        sam_push(s, list, entry);
    sam_set(s, method, "security", list);
}

static struct json *named_security(struct sam *s, const struct json *name,
                                   const struct json *scopes)
{
    struct json *v = json_new(s->a, JSON_OBJECT);
    sam_put(s, v, sam_str(name), scopes ? sam_copy(s, scopes) : json_new(s->a, JSON_ARRAY));
    return v;
}

static bool names_authorizer(const struct json *security, const struct json *authorizers)
{
    JSON_EACH (security, it)
        if (str_eq_c(it->key, "AWS_IAM") || json_get(authorizers, it->key))
            return true;
    return false;
}

/* What is no authorizer stays first; NONE keeps the default away, and goes where anything else is left. */
static enum err default_authorizer(struct sam *s, struct json *body, const struct json *auth,
                                   const struct sam_part *method, struct str path)
{
    const struct json *name = SAM_GET(auth, "DefaultAuthorizer"),
                      *authorizers = SAM_GET(auth, "Authorizers");
    struct json *list = json_new(s->a, JSON_ARRAY), *own = json_new(s->a, JSON_ARRAY);
    bool none = false;
    TRY(check_security(s, method, path));
    JSON_EACH (SAM_GET(method->v, "security"), it) {
        bool is_none = !none && json_get(it, STR("NONE"));
        if (names_authorizer(it, authorizers))
            sam_push(s, own, sam_copy(s, it));
        else if (!is_none)
            sam_push(s, list, sam_copy(s, it));
        none = none || is_none;
    }
    if (!none && own && !own->n)
        sam_push(
            s, own,
            named_security(s, name,
                           SAM_GET(json_get(authorizers, sam_str(name)), "AuthorizationScopes")));
    JSON_EACH (none ? NULL : own, it)
        sam_push(s, list, sam_copy(s, it));
    if (!list || !list->n)
        return ERR_OK;
    sam_set(s, method->v, "security", list);
    if (json_get(list->child, STR("AWS_IAM")))
        sam_define_iam(s, body);
    return ERR_OK;
}

static void drop_key_false(struct sam *s, struct json *method)
{
    struct json *list = json_new(s->a, JSON_ARRAY);
    JSON_EACH (SAM_GET(method, "security"), it)
        if (!json_get(it, STR("api_key_false")))
            sam_push(s, list, sam_copy(s, it));
    sam_set(s, method, "security", list);
}

static enum err default_key(struct sam *s, const struct sam_part *method, struct str path)
{
    TRY(check_security(s, method, path));
    const struct json *security = SAM_GET(method->v, "security");
    if (has_key(security, "api_key_false"))
        drop_key_false(s, method->v);
    else if (!has_key(security, "api_key"))
        add_security(s, method->v, sam_make(s, "{'api_key': []}"), false);
    return ERR_OK;
}

static void define_key(struct sam *s, struct json *body)
{
    if (!SAM_AT(body, "securityDefinitions"))
        sam_set(s, body, "securityDefinitions", json_new(s->a, JSON_OBJECT));
    if (!SAM_GET(SAM_GET(body, "securityDefinitions"), "api_key"))
        sam_set(s, SAM_AT(body, "securityDefinitions"), "api_key",
                sam_make(s, "{'type': 'apiKey', 'name': 'x-api-key', 'in': 'header'}"));
}

/* What a path may have beside methods is no map; a word that nobody knows is taken for a method. */
static enum err check_methods(struct sam *s, const struct sam_part *item)
{
    static const char *const others[] = {"$ref", "summary", "description", "servers", "parameters"};
    JSON_EACH (item->v, it) {
        bool other = str_starts(it->key, STR("x-")) && !sam_is_method(it->key);
        for (size_t i = 0; i < ARRAY_LEN(others); i++)
            other = other || str_eq_c(it->key, others[i]);
        if (!other && !sam_map(it) && it->kind != JSON_NULL)
            return sam_bad_document(
                s, "Definition of method '" STR_FMT "' for path '" STR_FMT "' should be a map.",
                STR_ARG(it->key), STR_ARG(item->name));
    }
    return ERR_OK;
}

enum err sam_default_security(struct sam *s, struct json *body, const struct json *auth)
{
    bool some = sam_true(SAM_GET(auth, "Authorizers")) ||
                sam_eq(SAM_GET(auth, "DefaultAuthorizer"), "AWS_IAM");
    const struct json *name = some ? SAM_GET(auth, "DefaultAuthorizer") : NULL,
                      *key = SAM_GET(auth, "ApiKeyRequired");
    bool auth_preflight = !sam_bool(SAM_GET(auth, "AddDefaultAuthorizerToCorsPreflight"), false);
    bool key_preflight = !sam_bool(SAM_GET(auth, "AddApiKeyRequiredToCorsPreflight"), false);
    struct sam_part *items, *methods;
    size_t n, m;
    if (name && !sam_text(name))
        return sam_bad(s, "DefaultAuthorizer is not a string.");
    if (name && !sam_eq(name, "AWS_IAM") && !json_get(SAM_GET(auth, "Authorizers"), sam_str(name)))
        return sam_bad(s,
                       "Unable to set DefaultAuthorizer because '" STR_FMT
                       "' was not defined in 'Authorizers'.",
                       STR_ARG(sam_str(name)));
    const struct json *definitions = SAM_GET(body, "securityDefinitions");
    if (sam_true(key) && definitions && !sam_map(definitions))
        return sam_bad_document(s, "securityDefinitions must be a dictionary.");
    TRY(sam_path_items(s, body, &items, &n));
    for (size_t i = 0; i < n; i++) {
        TRY(check_methods(s, &items[i]));
        TRY(sam_methods(s, &items[i], &methods, &m));
        for (size_t k = 0; k < m; k++) {
            bool options = str_eq_c(methods[k].name, "options");
            if (!sam_map(methods[k].v) ||
                !sam_true(SAM_GET(methods[k].v, "x-amazon-apigateway-integration")))
                continue;
            if (name && (!options || auth_preflight))
                TRY(default_authorizer(s, body, auth, &methods[k], items[i].name));
            if (sam_true(key) && (!options || key_preflight))
                TRY(default_key(s, &methods[k], items[i].name));
        }
    }
    if (sam_true(key))
        define_key(s, body);
    return ERR_OK;
}

/* --- of one event ------------------------------------------------------------------------------------- */

void sam_method_security(struct sam *s, struct json *body, struct json *method,
                         const struct json *auth, const struct json *api_auth)
{
    const struct json *name = SAM_GET(auth, "Authorizer"),
                      *scopes = SAM_GET(auth, "AuthorizationScopes");
    const struct json *key = SAM_GET(auth, "ApiKeyRequired");
    if (!scopes)
        scopes = SAM_GET(json_get(SAM_GET(api_auth, "Authorizers"), sam_str(name)),
                         "AuthorizationScopes");
    if (sam_text(name))
        add_security(s, method, named_security(s, name, scopes), true);
    if (sam_true(key)) {
        add_security(s, method, sam_make(s, "{'api_key': []}"), false);
        define_key(s, body);
    } else if (key) {
        add_security(s, method, sam_make(s, "{'api_key_false': []}"), false);
    }
}

/* --- resource policies ---------------------------------------------------------------------------------- */

static struct json *resources_of(struct sam *s, const struct sam_part *item,
                                 const struct json *stage)
{
    struct json *list = json_new(s->a, JSON_ARRAY);
    struct sam_part *methods;
    size_t n;
    if (sam_methods(s, item, &methods, &n) != ERR_OK)
        return list;
    for (size_t i = 0; i < n; i++) {
        bool any = methods[i].name.len > 10;
        struct str upper = sam_upper(s, methods[i].name);
        sam_push(s, list,
                 sam_make(s, "{'Fn::Sub': [%s, {'__Stage__': %v}]}",
                          str_fmt(s->a, "execute-api:/${__Stage__}/" STR_FMT STR_FMT,
                                  STR_ARG(any ? STR("*") : upper),
                                  STR_ARG(sam_path_pattern(s, item->name))),
                          stage));
    }
    return list;
}

static void put_statement(struct sam *s, struct json *policy, struct json *statement)
{
    struct json *list = sam_as_list(s, SAM_GET(policy, "Statement"));
    bool first = list && list->n == 0;
    JSON_EACH (list, it)
        if (sam_equal(it, statement))
            return;
    sam_set(s, policy, "Version", sam_make(s, "'2012-10-17'"));
    sam_push(s, list, first ? sam_copy(s, statement) : statement);
    sam_set(s, policy, "Statement", first ? statement : list);
}

static enum err account_statement(struct sam *s, struct json *policy, const struct json *accounts,
                                  const char *effect, const struct json *resources)
{
    struct json *list = NULL;
    if (!sam_true(accounts))
        return ERR_OK;
    TRY(sam_resolve(s, accounts, &list));
    put_statement(s, policy,
                  sam_make(s,
                           "{'Effect': %o, 'Action': 'execute-api:Invoke', 'Resource': %v, "
                           "'Principal': {'AWS': %v}}",
                           str_c(effect), resources, sam_as_list(s, list)));
    return ERR_OK;
}

/* Takes the condition. */
static void deny_statement(struct sam *s, struct json *policy, const char *test,
                           struct json *tested, const struct json *resources)
{
    struct json *condition = json_new(s->a, JSON_OBJECT);
    sam_set(s, condition, test, tested);
    sam_keep_order(condition);
    put_statement(s, policy,
                  sam_make(s,
                           "{'Effect': 'Allow', 'Action': 'execute-api:Invoke', 'Resource': %v, "
                           "'Principal': '*'}",
                           resources));
    put_statement(s, policy,
                  sam_make(s,
                           "{'Effect': 'Deny', 'Action': 'execute-api:Invoke', 'Resource': %v, "
                           "'Principal': '*', 'Condition': %v}",
                           resources, condition));
}

static enum err ip_statements(struct sam *s, struct json *policy, const char *test,
                              const struct json *ranges, const struct json *resources)
{
    struct json *list = NULL, *tested = json_new(s->a, JSON_OBJECT);
    if (!sam_true(ranges))
        return ERR_OK;
    TRY(sam_resolve(s, ranges, &list));
    sam_set(s, tested, "aws:SourceIp", sam_as_list(s, list));
    deny_statement(s, policy, test, sam_keep_order(tested), resources);
    return ERR_OK;
}

/* Ids of VPCs and of their endpoints, told apart by their prefixes. */
static enum err vpc_statements(struct sam *s, struct json *policy, const struct json *given,
                               const char *const names[3], const char *test,
                               const struct json *resources)
{
    struct json *both[2], *listed[2] = {json_new(s->a, JSON_ARRAY), json_new(s->a, JSON_ARRAY)};
    struct json *plain = NULL;
    TRY(sam_resolve(s, json_get(given, str_c(names[0])), &plain));
    if (plain && !sam_list(plain))
        return sam_bad_document(
            s,
            "%s must be a list of strings. Use Intrinsic%s instead for values that use "
            "Intrinsic Functions",
            names[0], names[0] + 6);
    JSON_EACH (plain, it) {
        if (!sam_text(it))
            return sam_bad_document(
                s,
                "%s must be a list of strings. Use Intrinsic%s instead for values "
                "that use Intrinsic Functions",
                names[0], names[0] + 6);
        bool endpoint = str_starts(it->text, STR("vpce-"));
        if (endpoint || str_starts(it->text, STR("vpc-")))
            sam_push(s, listed[endpoint], sam_copy(s, it));
    }
    struct json *tested = json_new(s->a, JSON_OBJECT);
    for (size_t i = 0; i < ARRAY_LEN(both); i++) { /* VPCs, endpoints */
        struct json *more = sam_as_list(s, json_get(given, str_c(names[1 + i])));
        both[i] = listed[i];
        JSON_EACH (more, it)
            sam_push(s, both[i], sam_copy(s, it));
    }
    for (size_t i = 0; i < ARRAY_LEN(both); i++)
        if (sam_true(both[i])) {
            struct json *list = NULL;
            TRY(sam_resolve(s, both[i], &list));
            sam_set(s, tested, i ? "aws:SourceVpce" : "aws:SourceVpc", list);
        }
    if (sam_true(tested))
        deny_statement(s, policy, test, tested, resources);
    return ERR_OK;
}

static enum err add_statements(struct sam *s, struct json *policy, const struct json *given,
                               const struct json *resources)
{
    static const char *const white[] = {"SourceVpcWhitelist", "IntrinsicVpcWhitelist",
                                        "IntrinsicVpceWhitelist"};
    static const char *const black[] = {"SourceVpcBlacklist", "IntrinsicVpcBlacklist",
                                        "IntrinsicVpceBlacklist"};
    TRY(account_statement(s, policy, SAM_GET(given, "AwsAccountWhitelist"), "Allow", resources));
    TRY(account_statement(s, policy, SAM_GET(given, "AwsAccountBlacklist"), "Deny", resources));
    TRY(ip_statements(s, policy, "NotIpAddress", SAM_GET(given, "IpRangeWhitelist"), resources));
    TRY(ip_statements(s, policy, "IpAddress", SAM_GET(given, "IpRangeBlacklist"), resources));
    TRY(vpc_statements(s, policy, given, black, "StringEquals", resources));
    return vpc_statements(s, policy, given, white, "StringNotEquals", resources);
}

enum err sam_add_resource_policy(struct sam *s, struct json *body, const struct json *given,
                                 const struct sam_part *item, const struct json *stage)
{
    static const char name[] = "x-amazon-apigateway-policy";
    struct json *policy = json_at(body, str_c(name));
    if (given && !sam_map(given))
        return sam_bad_document(s, "ResourcePolicy must be a map (ResourcePolicyStatement).");
    if (!sam_true(given))
        return ERR_OK;
    if (!policy && (item ? given->n > (SAM_GET(given, "CustomStatements") != NULL)
                         : SAM_GET(given, "CustomStatements") != NULL)) {
        sam_set(s, body, name, json_new(s->a, JSON_OBJECT));
        policy = json_at(body, str_c(name));
    }
    const struct json *custom = SAM_GET(given, "CustomStatements");
    if (item)
        return add_statements(s, policy, given, resources_of(s, item, stage));
    if (!custom)
        return ERR_OK;
    if (SAM_GET(policy, "Statement")) {
        struct json *list = sam_as_list(s, custom);
        JSON_EACH (list, it)
            put_statement(s, policy, sam_copy(s, it));
    } else {
        sam_set(s, policy, "Statement", sam_copy(s, custom));
        sam_set(s, policy, "Version", sam_make(s, "'2012-10-17'"));
    }
    return ERR_OK;
}
