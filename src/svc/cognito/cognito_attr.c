/* Attributes: a pool's schema, and what of it a request may write.
 *
 * Source: Cognito developer guide, "Working with user attributes"; OpenID Connect Core 1.0 section 5.1;
 * E.164.
 * Layer: svc/cognito. Thread: the call's. */
#include "base/clock.h"
#include "svc/cognito/cognito_int.h"

enum { EMAIL_MAX = 254, PHONE_DIGITS_MAX = 15, CUSTOM_NAME_MAX = 20 };

struct standard {
    const char *name, *type, *min, *max;
};

static const struct standard standards[] = {
    {"sub", "String", "1", "2048"},
    {"name", "String", "0", "2048"},
    {"given_name", "String", "0", "2048"},
    {"family_name", "String", "0", "2048"},
    {"middle_name", "String", "0", "2048"},
    {"nickname", "String", "0", "2048"},
    {"preferred_username", "String", "0", "2048"},
    {"profile", "String", "0", "2048"},
    {"picture", "String", "0", "2048"},
    {"website", "String", "0", "2048"},
    {"email", "String", "0", "2048"},
    {"email_verified", "Boolean", NULL, NULL},
    {"gender", "String", "0", "2048"},
    {"birthdate", "String", "10", "10"},
    {"zoneinfo", "String", "0", "2048"},
    {"locale", "String", "0", "2048"},
    {"phone_number", "String", "0", "2048"},
    {"phone_number_verified", "Boolean", NULL, NULL},
    {"address", "String", "0", "2048"},
    {"updated_at", "Number", "0", NULL},
    {"identities", "String", NULL, NULL},
};

static const struct standard *standard_of(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(standards); i++)
        if (str_eq_c(name, standards[i].name))
            return &standards[i];
    return NULL;
}

/* --- the schema --------------------------------------------------------------------------------- */

static enum err default_of(struct arena *a, const struct standard *s,
                           struct cognito_schema_attribute_type *ret)
{
    const bool is_sub = str_eq_c(str_c(s->name), "sub");
    *ret = (struct cognito_schema_attribute_type){.name = str_c(s->name),
                                                  .attribute_data_type = str_c(s->type)};
    WIRE_SET(ret, developer_only_attribute, false);
    WIRE_SET(ret, mutable, !is_sub);
    WIRE_SET(ret, required, is_sub);
    if (str_eq_c(ret->attribute_data_type, "String")) {
        struct cognito_string_attribute_constraints_type *c =
            ARENA_NEW(a, struct cognito_string_attribute_constraints_type);
        if (!c)
            return ERR_NOMEM;
        *c = (struct cognito_string_attribute_constraints_type){str_c(s->min), str_c(s->max)};
        ret->string_attribute_constraints = c;
    } else if (str_eq_c(ret->attribute_data_type, "Number")) {
        struct cognito_number_attribute_constraints_type *c =
            ARENA_NEW(a, struct cognito_number_attribute_constraints_type);
        if (!c)
            return ERR_NOMEM;
        c->min_value = str_c(s->min);
        ret->number_attribute_constraints = c;
    }
    return ERR_OK;
}

/* What a request says of a standard attribute: its type stays. */
static enum err override(struct call *call, const struct cognito_schema_attribute_type *in,
                         struct cognito_schema_attribute_type *have)
{
    if ((str_is_set(in->attribute_data_type) &&
         !str_eq(in->attribute_data_type, have->attribute_data_type)) ||
        (in->has_developer_only_attribute && in->developer_only_attribute))
        return COGNITO_INVALID(call,
                               "You can not change AttributeDataType or set developerOnlyAttribute "
                               "for standard schema attribute " STR_FMT,
                               STR_ARG(in->name));
    if (str_eq_c(in->name, "sub"))
        return ERR_OK;
    if (in->has_mutable)
        have->mutable = in->mutable;
    if (in->has_required)
        have->required = in->required;
    if (in->string_attribute_constraints)
        have->string_attribute_constraints = in->string_attribute_constraints;
    if (in->number_attribute_constraints)
        have->number_attribute_constraints = in->number_attribute_constraints;
    return ERR_OK;
}

static bool is_number(struct str text, int64_t *ret)
{
    return !str_is_set(text) || str_to_i64(text, ret) == ERR_OK;
}

static enum err check_limits(struct call *call, const struct cognito_schema_attribute_type *in)
{
    int64_t min = 0, max = INT64_MAX;
    const struct cognito_string_attribute_constraints_type *s = in->string_attribute_constraints;
    const struct cognito_number_attribute_constraints_type *n = in->number_attribute_constraints;
    if (s && (!is_number(s->min_length, &min) || !is_number(s->max_length, &max) || min > max))
        return COGNITO_INVALID(call, "Invalid string constraints for attribute " STR_FMT,
                               STR_ARG(in->name));
    min = INT64_MIN;
    max = INT64_MAX;
    if (n && (!is_number(n->min_value, &min) || !is_number(n->max_value, &max) || min > max))
        return COGNITO_INVALID(call, "Invalid number constraints for attribute " STR_FMT,
                               STR_ARG(in->name));
    return ERR_OK;
}

enum err cognito_schema_custom(struct call *call, const struct cognito_schema_attribute_type *in,
                               struct cognito_schema_attribute_type *ret)
{
    const bool dev = in->has_developer_only_attribute && in->developer_only_attribute;
    if (!str_is_set(in->name) || str_find(in->name, ':') != SIZE_MAX)
        return COGNITO_INVALID(call, "Attribute name is not valid.");
    if (in->has_required && in->required)
        return COGNITO_INVALID(call, "Required custom attributes are not supported currently.");
    TRY(check_limits(call, in));
    *ret = *in;
    ret->name = str_fmt(call->arena, "%s:" STR_FMT, dev ? "dev" : "custom", STR_ARG(in->name));
    if (!str_is_set(ret->attribute_data_type))
        ret->attribute_data_type = STR("String");
    WIRE_SET(ret, developer_only_attribute, dev);
    WIRE_SET(ret, mutable, !in->has_mutable || in->mutable);
    WIRE_SET(ret, required, false);
    if (str_eq_c(ret->attribute_data_type, "String") && !ret->string_attribute_constraints)
        ret->string_attribute_constraints =
            ARENA_NEW(call->arena, struct cognito_string_attribute_constraints_type);
    if (str_eq_c(ret->attribute_data_type, "Number") && !ret->number_attribute_constraints)
        ret->number_attribute_constraints =
            ARENA_NEW(call->arena, struct cognito_number_attribute_constraints_type);
    return call->arena->failed ? ERR_NOMEM : ERR_OK;
}

enum err cognito_schema(struct call *call, const struct cognito_schema_attributes_list_type *asked,
                        struct cognito_schema_attributes_list_type *ret)
{
    size_t n = ARRAY_LEN(standards);
    struct cognito_schema_attribute_type *v =
        ARENA_ARRAY(call->arena, struct cognito_schema_attribute_type, n + asked->n);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        TRY(default_of(call->arena, &standards[i], &v[i]));
    for (size_t i = 0; i < asked->n; i++) {
        const struct standard *s = standard_of(asked->v[i].name);
        if (s)
            TRY(override(call, &asked->v[i], &v[s - standards]));
        else
            TRY(cognito_schema_custom(call, &asked->v[i], &v[n++]));
    }
    for (size_t i = ARRAY_LEN(standards); i < n; i++)
        for (size_t j = ARRAY_LEN(standards); j < i; j++)
            if (str_eq(v[i].name, v[j].name))
                return COGNITO_INVALID(call, STR_FMT ": Duplicate attribute name.",
                                       STR_ARG(v[i].name));
    ret->v = v;
    ret->n = n;
    return ERR_OK;
}

static const struct cognito_schema_attribute_type *schema_of(const struct cognito_pool *pool,
                                                             struct str name)
{
    const struct cognito_schema_attributes_list_type *s = &pool->set.schema_attributes;
    for (size_t i = 0; i < s->n; i++)
        if (str_eq(s->v[i].name, name))
            return &s->v[i];
    return NULL;
}

/* --- values ------------------------------------------------------------------------------------- */

static bool email_valid(struct str s)
{
    size_t at = str_rfind(s, '@');
    if (at == SIZE_MAX || at == 0 || s.len > EMAIL_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '<' || s.p[i] == '>' || s.p[i] == ',')
            return false;
    struct str host = str_sub(s, at + 1, SIZE_MAX);
    return host.len > 0 && host.p[0] != '.' && host.p[host.len - 1] != '.' &&
           str_find(str_sub(s, 0, at), '@') == SIZE_MAX;
}

static bool phone_valid(struct str s)
{
    if (s.len < 3 || s.len > 1 + PHONE_DIGITS_MAX || s.p[0] != '+' || s.p[1] == '0')
        return false;
    for (size_t i = 1; i < s.len; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

static enum err check_text(struct call *call, const struct cognito_schema_attribute_type *schema,
                           struct str value)
{
    int64_t min = 0, max = INT64_MAX;
    const struct cognito_string_attribute_constraints_type *c =
        schema->string_attribute_constraints;
    if (c && (!is_number(c->min_length, &min) || !is_number(c->max_length, &max)))
        return ERR_CORRUPT;
    int64_t len = (int64_t)str_utf8_count(value);
    if (len < min)
        return COGNITO_INVALID(call,
                               "Attributes did not conform to the schema: " STR_FMT
                               ": String must be longer than or equal to %lld characters\n",
                               STR_ARG(schema->name), (long long)min);
    if (len > max)
        return COGNITO_INVALID(call,
                               "Attributes did not conform to the schema: " STR_FMT
                               ": String must be no longer than %lld characters\n",
                               STR_ARG(schema->name), (long long)max);
    return ERR_OK;
}

static enum err check_number(struct call *call, const struct cognito_schema_attribute_type *schema,
                             struct str value)
{
    int64_t v, min = INT64_MIN, max = INT64_MAX;
    const struct cognito_number_attribute_constraints_type *c =
        schema->number_attribute_constraints;
    if (c && (!is_number(c->min_value, &min) || !is_number(c->max_value, &max)))
        return ERR_CORRUPT;
    if (str_to_i64(value, &v) != ERR_OK || v < min || v > max)
        return COGNITO_INVALID(call,
                               "Attributes did not conform to the schema: " STR_FMT
                               ": Number is not valid, or out of range\n",
                               STR_ARG(schema->name));
    return ERR_OK;
}

static enum err check_value(struct call *call, const struct cognito_schema_attribute_type *schema,
                            struct str value)
{
    int64_t ms;
    if (str_eq_c(schema->name, "email") && !str_empty(value) && !email_valid(value))
        return COGNITO_INVALID(call, "Invalid email address format.");
    if (str_eq_c(schema->name, "phone_number") && !str_empty(value) && !phone_valid(value))
        return COGNITO_INVALID(call, "Invalid phone number format.");
    if (str_eq_c(schema->attribute_data_type, "Boolean") && !str_eq_nocase(value, STR("true")) &&
        !str_eq_nocase(value, STR("false")))
        return COGNITO_INVALID(call, "Invalid value for boolean attribute " STR_FMT,
                               STR_ARG(schema->name));
    if (str_eq_c(schema->attribute_data_type, "DateTime") &&
        clock_parse_iso8601(value, &ms) != ERR_OK)
        return COGNITO_INVALID(call, "Invalid value for date attribute " STR_FMT,
                               STR_ARG(schema->name));
    if (str_eq_c(schema->attribute_data_type, "Number"))
        return check_number(call, schema, value);
    return str_eq_c(schema->attribute_data_type, "String") ? check_text(call, schema, value)
                                                           : ERR_OK;
}

/* --- a user's ----------------------------------------------------------------------------------- */

bool cognito_verified(const struct cognito_user *user, const char *attribute)
{
    struct str value = str_eq_c(str_c(attribute), "email")
                           ? cognito_attr(user, "email_verified")
                           : cognito_attr(user, "phone_number_verified");
    return str_eq_nocase(value, STR("true"));
}

enum err cognito_attr_put(struct arena *a, struct cognito_user *user, struct str name,
                          struct str value)
{
    for (size_t i = 0; i < user->n_attrs; i++)
        if (str_eq(user->attrs[i].key, name)) {
            user->attrs[i].value = value;
            return ERR_OK;
        }
    struct tag *grown = ARENA_ARRAY(a, struct tag, user->n_attrs + 1);
    if (!grown)
        return ERR_NOMEM;
    if (user->n_attrs)
        memcpy(grown, user->attrs, user->n_attrs * sizeof(*grown));
    grown[user->n_attrs++] = (struct tag){name, value};
    user->attrs = grown;
    return ERR_OK;
}

void cognito_attr_remove(struct cognito_user *user, struct str name)
{
    size_t n = 0;
    for (size_t i = 0; i < user->n_attrs; i++)
        if (!str_eq(user->attrs[i].key, name))
            user->attrs[n++] = user->attrs[i];
    user->n_attrs = n;
}

/* What says that an address was verified is no user's to write. */
static bool for_admins(struct str name)
{
    return str_eq_c(name, "email_verified") || str_eq_c(name, "phone_number_verified") ||
           str_eq_c(name, "identities") || str_starts(name, STR("dev:"));
}

static enum err check_writer(struct call *call, const struct cognito_change *change,
                             struct str name)
{
    const struct cognito_client *client = change->client;
    if (change->writer == COGNITO_BY_ADMIN)
        return ERR_OK;
    if (!for_admins(name) && (!client || client->set.write_attributes.n == 0 ||
                              COGNITO_HAS(client->set.write_attributes, name)))
        return ERR_OK;
    return COGNITO_REFUSED(call, "A client attempted to write unauthorized attribute");
}

static enum err check_one(struct call *call, const struct cognito_change *change,
                          const struct tag *attr)
{
    const struct cognito_schema_attribute_type *schema = schema_of(change->pool, attr->key);
    if (!schema)
        return COGNITO_INVALID(
            call,
            "Attributes did not conform to the schema: Type for attribute {" STR_FMT
            "} could not be determined",
            STR_ARG(attr->key));
    TRY(check_writer(call, change, attr->key));
    if (str_eq_c(attr->key, "sub"))
        return COGNITO_INVALID(call, "Cannot modify the non-mutable attribute sub");
    if (!change->creates && !schema->mutable)
        return COGNITO_INVALID(call, "user." STR_FMT ": Attribute cannot be updated.\n",
                               STR_ARG(attr->key));
    return check_value(call, schema, str_is_set(attr->value) ? attr->value : STR(""));
}

static enum err check_required(struct call *call, const struct cognito_change *change,
                               const struct cognito_user *user)
{
    const struct cognito_schema_attributes_list_type *s = &change->pool->set.schema_attributes;
    const struct tag_list have = {user->attrs, user->n_attrs};
    if (!change->creates || change->writer == COGNITO_BY_ADMIN)
        return ERR_OK;
    for (size_t i = 0; i < s->n; i++)
        if (s->v[i].required && !str_is_set(cognito_get(have, s->v[i].name)))
            return COGNITO_INVALID(call,
                                   "Attributes did not conform to the schema: " STR_FMT
                                   ": The attribute is required\n",
                                   STR_ARG(s->v[i].name));
    return ERR_OK;
}

/* An address that changes is not verified any more, unless an administrator says so. */
static enum err unverify(struct call *call, struct tag_list given, struct cognito_user *user,
                         const char *attribute, const char *verified)
{
    struct str value = cognito_get(given, str_c(attribute));
    if (!str_is_set(value) || str_is_set(cognito_get(given, str_c(verified))) ||
        str_eq(value, cognito_attr(user, attribute)))
        return ERR_OK;
    return cognito_attr_put(call->arena, user, str_c(verified), STR("false"));
}

enum err cognito_attrs_set(struct call *call, const struct cognito_change *change,
                           struct tag_list attrs, struct cognito_user *user)
{
    if (attrs.n > COGNITO_ATTRS_MAX - ARRAY_LEN(standards))
        return COGNITO_INVALID(call, "Too many attributes.");
    for (size_t i = 0; i < attrs.n; i++)
        TRY(check_one(call, change, &attrs.v[i]));
    TRY(unverify(call, attrs, user, "email", "email_verified"));
    TRY(unverify(call, attrs, user, "phone_number", "phone_number_verified"));
    for (size_t i = 0; i < attrs.n; i++) {
        struct str value = attrs.v[i].value;
        /* An empty value is how an attribute is taken away. */
        if (str_empty(value) && !change->creates)
            cognito_attr_remove(user, attrs.v[i].key);
        else
            TRY(cognito_attr_put(call->arena, user, attrs.v[i].key,
                                 str_is_set(value) ? value : STR("")));
    }
    return check_required(call, change, user);
}

enum err cognito_attrs_drop(struct call *call, const struct cognito_change *change,
                            const struct str *names, size_t n, struct cognito_user *user)
{
    for (size_t i = 0; i < n; i++) {
        const struct cognito_schema_attribute_type *schema = schema_of(change->pool, names[i]);
        const struct tag attr = {names[i], STR_NONE};
        if (!schema)
            TRY(check_one(call, change, &attr));
        TRY(check_writer(call, change, names[i]));
        if (schema->required || !schema->mutable)
            return COGNITO_INVALID(call, "user." STR_FMT ": Attribute cannot be deleted.\n",
                                   STR_ARG(names[i]));
        cognito_attr_remove(user, names[i]);
        if (str_eq_c(names[i], "email"))
            cognito_attr_remove(user, STR("email_verified"));
        if (str_eq_c(names[i], "phone_number"))
            cognito_attr_remove(user, STR("phone_number_verified"));
    }
    return ERR_OK;
}
