/* AWS::Serverless::Function. See sam_int.h. Layer: template. Thread: pure. */
#include "template/sam_int.h"

/* --- what the function runs ---------------------------------------------------------------------- */

static enum err check_package(struct sam *s, const struct sam_fn *fn)
{
    const struct json *type = SAM_GET(fn->p, "PackageType");
    bool image = sam_eq(type, "Image");
    if (type && !image && !sam_eq(type, "Zip") && !sam_intrinsic(type))
        return sam_bad(s, "PackageType has invalid value.");
    if (image && SAM_GET(fn->p, "Layers"))
        return sam_bad(s, "Runtime, Handler, Layers cannot be present when PackageType is of type "
                          "`Image`");
    if (!image && (!sam_true(SAM_GET(fn->p, "Runtime")) || !sam_true(SAM_GET(fn->p, "Handler"))) &&
        !sam_intrinsic(type))
        return sam_bad(s,
                       "Runtime and Handler needs to be present when PackageType is of type `Zip`");
    if (image && !SAM_GET(fn->p, "ImageUri"))
        return sam_bad(s, "'ImageUri' must be set.");
    return ERR_OK;
}

static enum err code_of(struct sam *s, const struct sam_fn *fn, struct json **ret_code)
{
    const struct json *inline_code = SAM_GET(fn->p, "InlineCode");
    const struct json *image = SAM_GET(fn->p, "ImageUri"), *uri = SAM_GET(fn->p, "CodeUri");
    if (sam_eq(SAM_GET(fn->p, "PackageType"), "Image"))
        *ret_code = sam_make(s, "{'ImageUri': %v}", image);
    else if (sam_true(inline_code))
        *ret_code = sam_make(s, "{'ZipFile': %v}", inline_code);
    else if (uri)
        TRY(sam_location(s, uri, "CodeUri", sam_code_names, ret_code));
    else
        return sam_bad(s, "Either 'InlineCode' or 'CodeUri' must be set.");
    sam_take(s, *ret_code, "SourceKMSKeyArn", fn->p, "SourceKMSKeyArn");
    return ERR_OK;
}

static enum err check_dead_letters(struct sam *s, const struct json *dlq)
{
    const struct json *type = SAM_GET(dlq, "Type");
    if (!sam_true(dlq) || sam_intrinsic(dlq))
        return ERR_OK;
    if (!SAM_GET(dlq, "TargetArn") || !type)
        return sam_bad(s,
                       "'DeadLetterQueue' requires Type and TargetArn properties to be specified.");
    TRY(sam_want(s, SAM_RESOURCE, type, 's', STR("DeadLetterQueue.Type")));
    if (!sam_eq(type, "SQS") && !sam_eq(type, "SNS"))
        return sam_bad(s, "'DeadLetterQueue' requires Type of ['SNS', 'SQS']");
    return ERR_OK;
}

static enum err check_tenancy(struct sam *s, const struct sam_fn *fn)
{
    if (!sam_true(SAM_GET(fn->p, "TenancyConfig")))
        return ERR_OK;
    if (SAM_GET(fn->p, "ProvisionedConcurrencyConfig"))
        return sam_bad(s, "Provisioned concurrency is not supported for functions enabled with "
                          "tenancy configuration.");
    if (SAM_GET(fn->p, "FunctionUrlConfig"))
        return sam_bad(s, "Function URL is not supported for functions enabled with tenancy "
                          "configuration.");
    if (SAM_GET(fn->p, "SnapStart"))
        return sam_bad(s, "SnapStart is not supported for functions enabled with tenancy "
                          "configuration.");
    JSON_EACH (SAM_GET(fn->p, "Events"), it) {
        const struct json *type = SAM_GET(it, "Type");
        if (sam_text(type) && !sam_eq(type, "Api") && !sam_eq(type, "HttpApi"))
            return sam_bad(
                s,
                "Event source '" STR_FMT "' is not supported for functions enabled with "
                "tenancy configuration. Only Api and HttpApi event sources are supported.",
                STR_ARG(type->text));
    }
    return ERR_OK;
}

static enum err check_architectures(struct sam *s, struct json *properties)
{
    struct json *list = NULL;
    TRY(sam_resolve(s, SAM_GET(properties, "Architectures"), &list));
    if (!sam_list(list) || list->n == 0)
        return ERR_OK;
    if (list->n > 1 ||
        (sam_text(list->child) && !sam_eq(list->child, "x86_64") && !sam_eq(list->child, "arm64")))
        return sam_bad(s, "Architectures needs to be a list with one string, either `x86_64` or "
                          "`arm64`.");
    return ERR_OK;
}

/* --- the role ---------------------------------------------------------------------------------------- */

/* Role may be Fn::If with one branch absent: the role is made for that one. */
static enum err role_of(struct sam *s, const struct sam_fn *fn, struct json **ret_role,
                        struct json **ret_attributes)
{
    const struct json *given = SAM_GET(fn->p, "Role");
    struct str made = sam_cat(s, fn->id, "Role");
    const struct json *args = sam_intrinsic(given) ? SAM_GET(given, "Fn::If") : NULL;
    struct json *arn = sam_make(s, "{'Fn::GetAtt': [%s, 'Arn']}", made);
    struct json *attributes = sam_copy(s, fn->resource);
    *ret_attributes = sam_true(given) ? NULL : attributes;
    *ret_role = sam_true(given) ? sam_copy(s, given) : arn;
    if (!args)
        return ERR_OK;
    if (!sam_list(args) || args->n != 3)
        return sam_bad(s, "Malformed 'Role' property: Fn::If requires 3 arguments.");
    const struct json *a = args->child->next, *b = a->next;
    struct str condition = sam_str(args->child);
    if (sam_no_value(a) && sam_no_value(b)) {
        *ret_role = arn;
        *ret_attributes = attributes;
    } else if (sam_no_value(a)) {
        *ret_role = sam_make(s, "{'Fn::If': [%s, %v, %v]}", condition, arn, b);
        *ret_attributes = attributes;
        sam_set(s, attributes, "Condition", sam_new_str(s, condition));
    } else if (sam_no_value(b)) {
        *ret_role = sam_make(s, "{'Fn::If': [%s, %v, %v]}", condition, a, arn);
        *ret_attributes = attributes;
        sam_set(s, attributes, "Condition",
                sam_new_str(s, sam_not_condition(s, condition, STR(""))));
    }
    return ERR_OK;
}

/* --- its URL ----------------------------------------------------------------------------------------- */

static enum err check_url(struct sam *s, const struct json *config)
{
    static const char *const lists[] = {"AllowOrigins", "AllowMethods", "AllowHeaders",
                                        "ExposeHeaders"};
    const struct json *cors = SAM_GET(config, "Cors");
    if (!sam_true(SAM_GET(config, "AuthType")))
        return sam_bad(s,
                       "AuthType is required to configure function property `FunctionUrlConfig`. "
                       "Please provide either AWS_IAM or NONE.");
    const struct json *type = SAM_GET(config, "AuthType");
    if (!sam_intrinsic(type) && !sam_eq(type, "AWS_IAM") && !sam_eq(type, "NONE"))
        return sam_bad(s,
                       "AuthType is required to configure function property `FunctionUrlConfig`. "
                       "Please provide either AWS_IAM or NONE.");
    if (!cors || sam_intrinsic(cors))
        return ERR_OK;
    TRY(sam_want(s, SAM_RESOURCE, cors, 'm', STR("FunctionUrlConfig.Cors")));
    JSON_EACH (cors, it) {
        bool list = false;
        for (size_t i = 0; i < ARRAY_LEN(lists); i++)
            list = list || str_eq_c(it->key, lists[i]);
        bool number = str_eq_c(it->key, "MaxAge"), flag = str_eq_c(it->key, "AllowCredentials");
        if (!list && !number && !flag)
            return sam_bad(s, STR_FMT " is not a valid property for configuring Cors.",
                           STR_ARG(it->key));
        if (!sam_intrinsic(it) && !sam_is(it, list ? JSON_ARRAY : number ? JSON_NUMBER : JSON_BOOL))
            return sam_bad(s, STR_FMT " must be of type %s.", STR_ARG(it->key),
                           list     ? "list"
                           : number ? "int"
                                    : "bool");
    }
    return ERR_OK;
}

static enum err url_of(struct sam *s, const struct sam_fn *fn)
{
    const struct json *config = SAM_GET(fn->p, "FunctionUrlConfig");
    if (!sam_true(config))
        return ERR_OK;
    TRY(check_url(s, config));
    struct json *p =
        sam_make(s, "{'TargetFunctionArn': %v, 'AuthType': %v, 'Cors': %v, 'InvokeMode': %v}",
                 sam_fn_ref(s, fn), SAM_GET(config, "AuthType"), SAM_GET(config, "Cors"),
                 SAM_GET(config, "InvokeMode"));
    TRY(sam_emit(s, sam_cat(s, fn->id, "Url"), "AWS::Lambda::Url", p, fn->resource, false));
    if (!sam_eq(SAM_GET(config, "AuthType"), "NONE"))
        return ERR_OK;
    p = sam_make(s,
                 "{'Action': 'lambda:InvokeFunctionUrl', 'FunctionName': %v, 'Principal': '*', "
                 "'FunctionUrlAuthType': 'NONE'}",
                 sam_fn_ref(s, fn));
    TRY(sam_emit(s, sam_cat(s, fn->id, "UrlPublicPermissions"), "AWS::Lambda::Permission", p,
                 fn->resource, false));
    p = sam_make(s,
                 "{'Action': 'lambda:InvokeFunction', 'FunctionName': %v, 'Principal': '*', "
                 "'InvokedViaFunctionUrl': true}",
                 sam_fn_ref(s, fn));
    return sam_emit(s, sam_cat(s, fn->id, "URLInvokeAllowPublicAccess"), "AWS::Lambda::Permission",
                    p, fn->resource, false);
}

/* --- all of it ---------------------------------------------------------------------------------------- */

static enum err deployment_of(struct sam *s, const struct sam_fn *fn)
{
    const struct json *preference = SAM_GET(fn->p, "DeploymentPreference");
    struct json *enabled = NULL;
    if (!sam_true(preference))
        return ERR_OK;
    TRY(sam_resolve(s, SAM_GET(preference, "Enabled"), &enabled));
    if (sam_bool(enabled, false) || sam_eq(enabled, "false") || sam_eq(enabled, "False"))
        return ERR_OK;
    const struct json *hooks = SAM_GET(preference, "Hooks");
    if (!SAM_GET(preference, "Type"))
        return sam_bad(s, "'DeploymentPreference' is missing required Property 'Type'");
    if (hooks && !sam_map(hooks))
        return sam_bad(s, "'Hooks' property of 'DeploymentPreference' must be a dictionary");
    if (!str_is_set(fn->alias))
        return sam_bad(
            s, "'DeploymentPreference' requires AutoPublishAlias property to be specified.");
    return sam_catch(s, sam_refuse(s, "DeploymentPreference is not supported."));
}

static enum err plain_function(struct sam *s, struct sam_fn *fn, struct json *role,
                               struct json **ret_properties)
{
    struct json *p = json_new(s->a, JSON_OBJECT), *code = NULL;
    const struct json *dlq = SAM_GET(fn->p, "DeadLetterQueue");
    TRY(code_of(s, fn, &code));
    TRY(check_dead_letters(s, dlq));
    TRY(check_tenancy(s, fn));
    sam_set(s, p, "Code", code);
    sam_carry(s, "AWS::Serverless::Function", fn->p, p);
    TRY(check_architectures(s, p));
    if (sam_eq(SAM_GET(fn->p, "PackageType"), "Image"))
        sam_take(s, p, "PackageType", fn->p, "PackageType");
    if (sam_true(dlq))
        sam_set(s, p, "DeadLetterConfig",
                sam_make(s, "{'TargetArn': %v}", SAM_GET(dlq, "TargetArn")));
    if (fn->traced)
        sam_set(s, p, "TracingConfig", sam_make(s, "{'Mode': %v}", SAM_GET(fn->p, "Tracing")));
    sam_set(s, p, "Tags", sam_fn_tags(s, fn));
    sam_set(s, p, "Role", role);
    *ret_properties = p;
    return ERR_OK;
}

/* The hash in AutoPublishCodeSha256 is shown in the description, so that the function changes with it. */
static enum err mark_description(struct sam *s, const struct sam_fn *fn, struct json *p)
{
    struct json *sha = NULL, *description = SAM_AT(p, "Description");
    TRY(sam_resolve(s, SAM_GET(fn->p, "AutoPublishCodeSha256"), &sha));
    if (!str_is_set(fn->alias) || !sam_true(sha) || !sam_text(sha))
        return ERR_OK;
    if (!description)
        sam_set(s, p, "Description", sha);
    else if (sam_text(description))
        description->text = sam_cat3(s, sam_cat(s, description->text, " "), sha->text, "");
    else
        sam_set(s, p, "Description",
                sam_make(s, "{'Fn::Join': [' ', [%v, %v]]}", description, sha));
    return ERR_OK;
}

static enum err events_of(struct sam *s, struct sam_fn *fn, bool check)
{
    const struct json *events = SAM_GET(fn->p, "Events");
    if (sam_map(events) && events->n > SAM_EVENTS_MAX)
        return sam_bad(s, "It has more than %d events.", SAM_EVENTS_MAX);
    struct json *all = (struct json *)(uintptr_t)(sam_map(events) ? events : NULL);
    struct sam_members m = check ? sam_in_order(s, all) : sam_sorted_events(s, all);
    for (size_t i = 0; i < m.n; i++) {
        s->event = m.v[i]->key;
        TRY(check ? sam_check_event(s, fn, m.v[i]) : sam_event(s, fn, m.v[i]));
    }
    return ERR_OK;
}

/* APIs are deployed anew where a function that they call is another. */
static enum err note_name(struct sam *s, const struct sam_fn *fn)
{
    const struct json *events = SAM_GET(fn->p, "Events");
    struct json *name = NULL;
    TRY(sam_resolve(s, SAM_GET(fn->p, "FunctionName"), &name));
    JSON_EACH (sam_map(events) && sam_true(name) ? events : NULL, it) {
        const struct json *id = SAM_GET(SAM_GET(it, "Properties"), "RestApiId");
        struct str api = sam_text(id) ? id->text : sam_ref(id);
        if (!sam_eq(SAM_GET(it, "Type"), "Api") || !str_is_set(api))
            continue;
        struct str before = json_get_str(s->names, api);
        struct str one = sam_text(name) ? name->text : sam_repr27(s, name);
        sam_put(s, s->names, api,
                sam_new_str(s, str_is_set(before) ? sam_cat3(s, before, one, "") : one));
    }
    return ERR_OK;
}

enum err sam_function(struct sam *s, const struct json *resource)
{
    struct sam_fn fn = {
        .resource = resource, .p = SAM_GET(resource, "Properties"), .id = resource->key};
    struct json *role = NULL, *attributes = NULL, *p = NULL, *tracing = NULL;
    fn.managed = json_new(s->a, JSON_ARRAY);
    fn.policies = json_new(s->a, JSON_ARRAY);
    TRY(sam_check(s, "AWS::Serverless::Function", "AWS::Serverless::Function", fn.p));
    TRY(events_of(s, &fn, true));
    TRY(note_name(s, &fn));
    if (SAM_GET(fn.p, "CapacityProviderConfig") && SAM_GET(fn.p, "ProvisionedConcurrencyConfig"))
        return sam_bad(s, "Cannot specify 'CapacityProviderConfig' and "
                          "'ProvisionedConcurrencyConfig' together.");
    if (SAM_GET(fn.p, "CapacityProviderConfig"))
        TRY(sam_catch(s, sam_refuse(s, "CapacityProviderConfig is not supported.")));
    TRY(check_package(s, &fn));
    TRY(sam_resolve(s, SAM_GET(fn.p, "Tracing"), &tracing));
    fn.traced = sam_true(tracing) && !sam_eq(tracing, "Disabled");
    TRY(role_of(s, &fn, &role, &attributes));
    TRY(plain_function(s, &fn, role, &p));
    TRY(sam_alias_name(s, &fn));
    TRY(mark_description(s, &fn, p));
    TRY(sam_emit(s, fn.id, "AWS::Lambda::Function", p, resource, true));
    TRY(sam_version(s, &fn));
    TRY(url_of(s, &fn));
    TRY(deployment_of(s, &fn));
    TRY(sam_event_invoke(s, &fn));
    TRY(sam_check_policies(s, &fn));
    TRY(events_of(s, &fn, false));
    return attributes ? sam_role(s, &fn, sam_cat(s, fn.id, "Role"), attributes) : ERR_OK;
}
