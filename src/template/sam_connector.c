/* AWS::Serverless::Connector and the attribute Connectors: what its source may do at its destination, as a
 * managed policy on a role, the policy of a queue or topic, or a function's permission. Which, and what it
 * allows, spec/sam/connectors.json says for each pair of types.
 *
 * Connectors come last: they look at resources as they are in the result.
 * Layer: template. Thread: pure. */
#include "template/sam_int.h"

/* --- the attribute --------------------------------------------------------------------------------- */

static enum err want_map(struct sam *s, const struct json *v, const char *kind, struct str path)
{
    return sam_map(v) ? ERR_OK
                      : sam_bad(s, "%s '" STR_FMT "' should be a map.", kind, STR_ARG(path));
}

/* Properties of the connector as a resource of its own: its source is where it stands. */
static enum err own_properties(struct sam *s, struct str source, const struct json *given,
                               struct json **ret_properties)
{
    struct str path = str_fmt(s->a, "Connectors." STR_FMT ".Properties", STR_ARG(given->key));
    struct json *p = sam_copy(s, SAM_GET(given, "Properties"));
    const struct json *reference = SAM_GET(p, "SourceReference");
    struct json *from = sam_make(s, "{'Id': %s}", source);
    TRY(want_map(s, p, "Attribute", path));
    if (reference) {
        TRY(want_map(s, reference, "Property", sam_cat(s, path, ".SourceReference")));
        if (SAM_GET(reference, "Id")) {
            s->id = given->key;
            return sam_bad(s, "'Id' shouldn't be defined in 'SourceReference'.");
        }
        JSON_EACH (reference, it)
            sam_put(s, from, it->key, sam_copy(s, it));
        json_unset(p, STR("SourceReference"));
    }
    sam_set(s, p, "Source", from);
    *ret_properties = p;
    return ERR_OK;
}

static enum err detach(struct sam *s, struct str source, const struct json *given,
                       struct json *connectors)
{
    struct str id = sam_cat3(s, source, given->key, "");
    struct json *p = NULL;
    s->id = id;
    if (!sam_map(given))
        return sam_bad(s, STR_FMT "." STR_FMT " should be a map.", STR_ARG(source), STR_ARG(id));
    s->id = source;
    TRY(own_properties(s, source, given, &p));
    s->id = id;
    TRY(sam_check(s, "AWS::Serverless::Connector", "AWS::Serverless::Connector", p));
    s->id = source;
    if (json_get(s->resources, id))
        return sam_taken(s, id, "AWS::Serverless::Connector");
    struct json *connector = sam_copy(s, given);
    sam_set(s, connector, "Properties", p);
    sam_set(s, connector, "Type", sam_make(s, "'AWS::Serverless::Connector'"));
    sam_put(s, connectors, id, connector);
    return ERR_OK;
}

enum err sam_embedded_connectors(struct sam *s)
{
    struct json *made = json_new(s->a, JSON_OBJECT);
    for (struct json *it = s->resources->child; it; it = it->next) {
        const struct json *connectors = SAM_GET(it, "Connectors");
        if (!connectors)
            continue;
        s->id = it->key;
        enum err err = want_map(s, connectors, "Attribute", sam_cat(s, it->key, ".Connectors"));
        TRY(sam_catch(s, err));
        JSON_EACH (sam_map(connectors) ? connectors : NULL, one)
            TRY(sam_catch(s, detach(s, it->key, one, made)));
        json_unset(it, STR("Connectors"));
    }
    JSON_EACH (made, it)
        sam_put(s, s->resources, it->key, sam_copy(s, it));
    if (s->resources->n > SAM_RESOURCES_MAX)
        return sam_bad_document(s, "It has more than %d resources.", SAM_RESOURCES_MAX);
    return s->a->failed ? ERR_NOMEM : ERR_OK;
}

/* --- the two ends ------------------------------------------------------------------------------------ */

struct end {
    const char *name;            /* "Source" */
    const struct json *resource; /* of the result; NULL: what is not of this template */
    struct str id, type;         /* of the plain resource */
    struct str shown_type;       /* as the template has it */
    const struct json *arn, *role, *url, *api, *stages;
};

/* The property that names the role; of a rule that of its target which is the other end. */
static const struct json *role_of(const struct json *v, const struct json *other)
{
    if (!sam_list(v))
        return v;
    JSON_EACH (v, it) {
        const struct json *arn = SAM_GET(it, "Arn"), *given = SAM_GET(other, "Arn");
        struct str id = sam_named(arn);
        if ((str_is_set(id) && str_eq(id, sam_str(SAM_GET(other, "Id")))) ||
            (sam_true(given) && sam_equal(arn, given)))
            return SAM_GET(it, "RoleArn");
    }
    return NULL;
}

static const struct sam_connector_type *find_type(struct str type)
{
    for (size_t i = 0; i < sam_n_connector_types; i++)
        if (str_eq_c(type, sam_connector_types[i].type))
            return &sam_connector_types[i];
    return NULL;
}

static void of_template(struct sam *s, struct end *e, const struct json *other)
{
    const struct sam_connector_type *t = find_type(e->type);
    const struct json *ref = sam_make(s, "{'Ref': %s}", e->id);
    if (!t || t->refused)
        return;
    e->arn = t->arn ? sam_make(s, "{'Fn::GetAtt': [%s, %s]}", e->id, str_c(t->arn)) : ref;
    e->url = ref;
    e->api = ref;
    if (!e->stages)
        e->stages = sam_make(s, "'*'");
    struct str role =
        t->role ? sam_named(
                      role_of(json_get(SAM_GET(e->resource, "Properties"), str_c(t->role)), other))
                : STR_NONE;
    e->role = str_is_set(role) ? sam_make(s, "{'Ref': %s}", role) : NULL;
}

static enum err no_type(struct sam *s)
{
    return sam_bad(s, "'Type' is missing or not a string.");
}

static struct str plain_type(struct str type)
{
    static const char *const rows[][2] = {
        {"AWS::Serverless::Function", "AWS::Lambda::Function"},
        {"AWS::Serverless::Api", "AWS::ApiGateway::RestApi"},
        {"AWS::Serverless::SimpleTable", "AWS::DynamoDB::Table"},
        {"AWS::Serverless::HttpApi", "AWS::ApiGatewayV2::Api"},
        {"AWS::Serverless::StateMachine", "AWS::StepFunctions::StateMachine"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_eq_c(type, rows[i][0]))
            return str_c(rows[i][1]);
    return type;
}

static enum err outside(struct sam *s, const struct json *given, struct end *e)
{
    const struct json *type = SAM_GET(given, "Type");
    if (!sam_text(type) || !sam_true(type))
        return no_type(s);
    e->type = plain_type(type->text);
    e->shown_type = e->type;
    e->arn = SAM_GET(given, "Arn");
    e->role = SAM_GET(given, "RoleName");
    e->url = SAM_GET(given, "QueueUrl");
    e->api = SAM_GET(given, "ResourceId");
    e->stages = SAM_GET(given, "Qualifier");
    return ERR_OK;
}

static enum err end_of(struct sam *s, const struct json *given, const struct json *other,
                       const char *name, struct end *e)
{
    const struct json *id = SAM_GET(given, "Id");
    bool more = false;
    *e = (struct end){.name = name};
    JSON_EACH (given, it)
        more = more || (!str_eq_c(it->key, "Id") && !str_eq_c(it->key, "Qualifier"));
    if ((id != NULL) == more)
        return sam_bad(s, "Must provide 'Id' (with optional 'Qualifier') or a supported "
                          "combination of other properties.");
    if (!sam_true(id))
        return outside(s, given, e);
    if (!sam_text(id))
        return sam_bad(s, "'Id' is missing or not a string.");
    const struct json *before = json_get(s->resources, id->text);
    e->id = id->text;
    e->resource = sam_emitted(s, id->text);
    if (!e->resource)
        e->resource = str_is_set(json_get_str(s->renamed, id->text)) ? NULL : before;
    if (!e->resource)
        return sam_bad(s, "Unable to find resource with logical ID '" STR_FMT "'.",
                       STR_ARG(id->text));
    e->type = json_get_str(e->resource, STR("Type"));
    if (!str_is_set(e->type) || e->type.len == 0)
        return no_type(s);
    e->shown_type = before ? json_get_str(before, STR("Type")) : e->type;
    e->stages = SAM_GET(given, "Qualifier");
    of_template(s, e, other);
    return ERR_OK;
}

/* --- what it allows ---------------------------------------------------------------------------------- */

struct link {
    const struct json *resource;    /* the connector */
    const struct json *permissions; /* its own */
    const struct json *profile;
    const struct end *source, *destination;
    struct str suffix; /* "Destination1" where there are several */
    struct json *made; /* ids of what it becomes */
};

static enum err find_profile(struct sam *s, struct link *l)
{
    struct str from = l->source->type, to = l->destination->type;
    struct json *profile = NULL;
    const struct end *ends[] = {l->source, l->destination};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        const struct sam_connector_type *t = find_type(ends[i]->type);
        if (t && t->refused)
            return sam_refuse(s, "Connectors of %s are not supported.", t->type);
    }
    for (size_t i = 0; i < sam_n_connectors; i++)
        if (str_eq_c(from, sam_connectors[i].source) && str_eq_c(to, sam_connectors[i].destination))
            TRY(json_parse(s->a, str_c(sam_connectors[i].profile), &profile, NULL));
    l->profile = profile;
    return profile ? ERR_OK
                   : sam_bad(s,
                             "Unable to create connector from " STR_FMT " to " STR_FMT
                             "; it's not supported or the template is invalid.",
                             STR_ARG(from), STR_ARG(to));
}

static bool wanted(const struct link *l, struct str category)
{
    return sam_map(l->permissions) ? json_get(l->permissions, category) != NULL
                                   : json_index_of(l->permissions, category) != SIZE_MAX;
}

static enum err bad_permissions(struct sam *s, const struct link *l, const char *what,
                                struct str values)
{
    return sam_bad(s,
                   "Unsupported 'Permissions' provided for connector from " STR_FMT " to " STR_FMT
                   "; valid %s are: " STR_FMT ".",
                   STR_ARG(l->source->type), STR_ARG(l->destination->type), what, STR_ARG(values));
}

static enum err check_permissions(struct sam *s, const struct link *l)
{
    const struct json *allow = SAM_GET(l->profile, "allow");
    struct str all = STR("");
    bool every = true;
    JSON_EACH (allow, it) {
        all = str_fmt(s->a, STR_FMT "%s" STR_FMT, STR_ARG(all), all.len ? ", " : "",
                      STR_ARG(it->key));
        every = every && wanted(l, it->key);
    }
    if (!sam_true(l->permissions))
        return sam_bad(s, "'Permissions' cannot be empty; valid values are: " STR_FMT ".",
                       STR_ARG(all));
    JSON_EACH (l->permissions, it)
        if (!json_get(allow, sam_list(l->permissions) ? sam_str(it) : it->key))
            return bad_permissions(s, l, "values", all);
    if (sam_bool(SAM_GET(l->profile, "together"), true) && !every)
        return bad_permissions(s, l, "combinations", STR("Read + Write"));
    return ERR_OK;
}

static enum err need(struct sam *s, const struct end *e, const struct json *v, const char *what)
{
    return v && v->kind != JSON_NULL ? ERR_OK : sam_bad(s, "%s.%s is missing.", e->name, what);
}

/* Adds the resource `suffix` of the connector, as its attributes say, and which connector it is of. */
static enum err add(struct sam *s, const struct link *l, const char *suffix, const char *type,
                    struct json *properties)
{
    struct str id = sam_cat3(s, sam_cat(s, s->id, suffix), l->suffix, "");
    struct json *metadata =
        sam_make(s, "{%s: {'Source': {'Type': %s}, 'Destination': {'Type': %s}}}", s->id,
                 l->source->shown_type, l->destination->shown_type);
    TRY(sam_emit(s, id, type, properties, l->resource, true));
    struct json *v = sam_emitted(s, id);
    if (!SAM_GET(v, "Metadata"))
        sam_set(s, v, "Metadata", json_new(s->a, JSON_OBJECT));
    sam_set(s, SAM_AT(v, "Metadata"), "aws:sam:connectors", metadata);
    sam_push(s, l->made, sam_new_str(s, id));
    return ERR_OK;
}

static void depend(struct sam *s, struct json *resource, struct str on)
{
    struct json *list = sam_as_list(s, SAM_GET(resource, "DependsOn"));
    if (json_index_of(list, on) == SIZE_MAX)
        sam_push(s, list, sam_new_str(s, on));
    sam_set(s, resource, "DependsOn", list);
}

/* The one mapping from the source to the function waits until the function may read. */
static void hold_mapping(struct sam *s, const struct link *l, struct str policy)
{
    struct json *found = NULL;
    size_t n = 0;
    if (!str_is_set(l->source->id) || !str_is_set(l->destination->id))
        return;
    for (struct json *it = s->out->child; it; it = it->next) {
        const struct json *p = SAM_GET(it, "Properties");
        struct str function = sam_named(SAM_GET(p, "FunctionName"));
        struct str source = sam_named(SAM_GET(p, "EventSourceArn"));
        if (!sam_eq(SAM_GET(it, "Type"), "AWS::Lambda::EventSourceMapping") ||
            !str_eq(function, l->destination->id) || !str_eq(source, l->source->id))
            continue;
        found = it;
        n++;
    }
    if (n == 1)
        depend(s, found, policy);
}

static enum err role_policy(struct sam *s, const struct link *l)
{
    bool of_source = sam_eq(SAM_GET(l->profile, "role"), "Source");
    const struct end *who = of_source ? l->source : l->destination;
    const struct end *what = of_source ? l->destination : l->source;
    const struct json *parts = SAM_GET(l->profile, "parts");
    struct json *statements = json_new(s->a, JSON_ARRAY), *resources = json_new(s->a, JSON_ARRAY);
    TRY(need(s, what, what->arn, "Arn"));
    if (!sam_true(who->role))
        return sam_bad(s, "Unable to get IAM role name from '%s' resource.", who->name);
    if (!parts)
        sam_push(s, resources, sam_copy(s, what->arn));
    JSON_EACH (parts, it) {
        struct str name = str_fmt(s->a, "%sArn", what->name);
        struct str text = str_fmt(s->a, "${" STR_FMT "}" STR_FMT, STR_ARG(name), STR_ARG(it->text));
        sam_push(s, resources,
                 it->text.len ? sam_make(s, "{'Fn::Sub': [%s, {%s: %v}]}", text, name, what->arn)
                              : sam_copy(s, what->arn));
    }
    JSON_EACH (SAM_GET(l->profile, "allow"), it)
        if (wanted(l, it->key))
            sam_push(
                s, statements,
                sam_make(s, "{'Effect': 'Allow', 'Action': %v, 'Resource': %v}", it, resources));
    struct json *p =
        sam_make(s, "{'PolicyDocument': {'Version': '2012-10-17', 'Statement': %v}, 'Roles': [%v]}",
                 statements, who->role);
    TRY(add(s, l, "Policy", "AWS::IAM::ManagedPolicy", p));
    if (sam_bool(SAM_GET(l->profile, "mapping"), true))
        hold_mapping(s, l, sam_cat3(s, sam_cat(s, s->id, "Policy"), l->suffix, ""));
    return ERR_OK;
}

/* Of a queue or a topic: what `service` may do for the source. */
static enum err resource_policy(struct sam *s, const struct link *l, struct str service)
{
    const struct end *d = l->destination;
    bool queue = str_eq_c(d->type, "AWS::SQS::Queue");
    TRY(need(s, d, d->arn, "Arn"));
    TRY(need(s, l->source, l->source->arn, "Arn"));
    if (queue && !sam_true(d->url))
        return sam_bad(s, "Unable to get SQS queue URL from 'Destination' resource.");
    if (!queue && !sam_true(d->arn))
        return sam_bad(s, "Unable to get SNS topic ARN from 'Destination' resource.");
    struct json *document = sam_make(
        s,
        "{'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'Service': %s}, "
        "'Resource': %v, 'Action': %v, 'Condition': {'ArnEquals': {'aws:SourceArn': %v}}}]}",
        service, d->arn, SAM_GET(SAM_GET(l->profile, "allow"), "Write"), l->source->arn);
    struct json *p = queue
                         ? sam_make(s, "{'PolicyDocument': %v, 'Queues': [%v]}", document, d->url)
                         : sam_make(s, "{'PolicyDocument': %v, 'Topics': [%v]}", document, d->arn);
    return add(s, l, queue ? "QueuePolicy" : "TopicPolicy",
               queue ? "AWS::SQS::QueuePolicy" : "AWS::SNS::TopicPolicy", p);
}

static enum err permission(struct sam *s, const struct link *l, struct str service)
{
    const struct end *e = l->source, *d = l->destination;
    const struct json *arn = e->arn;
    if (sam_bool(SAM_GET(l->profile, "stages"), true)) {
        TRY(need(s, e, e->api, "ResourceId"));
        TRY(need(s, e, e->stages, "Qualifier"));
        arn = sam_make(s,
                       "{'Fn::Sub': ['arn:${AWS::Partition}:execute-api:${AWS::Region}:"
                       "${AWS::AccountId}:${SourceResourceId}/${SourceQualifier}', "
                       "{'SourceResourceId': %v, 'SourceQualifier': %v}]}",
                       e->api, e->stages);
    }
    TRY(need(s, e, arn, "Arn"));
    if (!sam_true(d->arn))
        return sam_bad(s, "Unable to get Lambda function ARN from 'Destination' resource.");
    struct json *p =
        sam_make(s, "{'Action': %v, 'FunctionName': %v, 'Principal': %s, 'SourceArn': %v}",
                 SAM_GET(SAM_GET(l->profile, "allow"), "Write"), d->arn, service, arn);
    if (sam_bool(SAM_GET(l->profile, "account"), true))
        sam_set(s, p, "SourceAccount", sam_make(s, "{'Fn::Sub': '${AWS::AccountId}'}"));
    return add(s, l, "WriteLambdaPermission", "AWS::Lambda::Permission", p);
}

/* --- all of it ---------------------------------------------------------------------------------------- */

static enum err connect(struct sam *s, struct link *l, const struct json *from,
                        const struct json *to)
{
    struct end source, destination;
    TRY(end_of(s, to, from, "Destination", &destination));
    TRY(end_of(s, from, to, "Source", &source));
    l->source = &source;
    l->destination = &destination;
    TRY(find_profile(s, l));
    TRY(check_permissions(s, l));
    struct str service = json_get_str(l->profile, STR("policy"));
    if (str_is_set(service))
        return resource_policy(s, l, service);
    service = json_get_str(l->profile, STR("permission"));
    return str_is_set(service) ? permission(s, l, service) : role_policy(s, l);
}

/* Whoever waits for the connector waits for what it became. */
static void replace_dependency(struct sam *s, struct str connector, const struct json *made)
{
    for (struct json *it = s->out->child; it; it = it->next) {
        const struct json *before = SAM_GET(it, "DependsOn");
        if (!str_eq(sam_str(before), connector) && json_index_of(before, connector) == SIZE_MAX)
            continue;
        struct json *list = sam_as_list(s, before);
        json_drop(list, json_index_of(list, connector));
        sam_set(s, it, "DependsOn", list);
        JSON_EACH (made, id)
            depend(s, it, id->text);
    }
}

static enum err each_a(struct sam *s, const struct json *list, enum json_kind kind,
                       const char *property)
{
    JSON_EACH (sam_list(list) ? list : NULL, it)
        if (it->kind != kind)
            return sam_bad(s, "Type of property '%s' is invalid.", property);
    return ERR_OK;
}

enum err sam_connect(struct sam *s, const struct json *resource)
{
    const struct json *p = SAM_GET(resource, "Properties"), *to = SAM_GET(p, "Destination");
    struct link l = {.resource = resource, .permissions = SAM_GET(p, "Permissions")};
    size_t index = 0;
    l.made = json_new(s->a, JSON_ARRAY);
    TRY(sam_check(s, "AWS::Serverless::Connector", "AWS::Serverless::Connector", p));
    TRY(each_a(s, to, JSON_OBJECT, "Destination"));
    TRY(each_a(s, l.permissions, JSON_STRING, "Permissions"));
    if (sam_map(to)) {
        l.suffix = STR("");
        TRY(connect(s, &l, SAM_GET(p, "Source"), to));
    }
    JSON_EACH (sam_list(to) ? to : NULL, it) {
        l.suffix = str_fmt(s->a, "Destination%zu", index++);
        TRY(connect(s, &l, SAM_GET(p, "Source"), it));
    }
    if (sam_list(to) && !to->child)
        return sam_bad(s, "'Destination' is an empty list");
    replace_dependency(s, resource->key, l.made);
    return s->a->failed ? ERR_NOMEM : ERR_OK;
}
