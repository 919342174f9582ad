/* Parameters: what is declared, what is given, and whether that is allowed. See template.h.
 *
 * Types of AWS's own things (AWS::EC2::VPC::Id) are taken as text: what they name is not looked up.
 *
 * Source: the CloudFormation user guide, "CloudFormation template Parameters syntax".
 * Layer: template. Thread: pure but for the host's answers. */
#include <math.h>

#include "codec/json_edit.h"
#include "lang/regex.h"
#include "template/tpl_int.h"

#define STORE_VALUE "AWS::SSM::Parameter::Value<"
#define STORE_NAME "AWS::SSM::Parameter::Name"

/* --- types --------------------------------------------------------------------------------------- */

/* Of "Head<Inner>" what is inside; STR_NONE: not of that shape. */
static struct str inner(struct str type, struct str head)
{
    if (!str_starts(type, head) || !str_ends(type, STR(">")))
        return STR_NONE;
    return str_sub(type, head.len, type.len - head.len - 1);
}

/* AWS::EC2::VPC::Id and its kind. */
static bool is_aws_own(struct str type)
{
    static const char *const names[] = {
        "AWS::EC2::AvailabilityZone::Name",
        "AWS::EC2::Image::Id",
        "AWS::EC2::Instance::Id",
        "AWS::EC2::KeyPair::KeyName",
        "AWS::EC2::SecurityGroup::GroupName",
        "AWS::EC2::SecurityGroup::Id",
        "AWS::EC2::Subnet::Id",
        "AWS::EC2::Volume::Id",
        "AWS::EC2::VPC::Id",
        "AWS::Route53::HostedZone::Id",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_c(type, names[i]))
            return true;
    return false;
}

/* A type's own inside, without the store: a list, or one of a kind. */
static bool is_plain_type(struct str type)
{
    struct str list = inner(type, STR("List<"));
    if (str_is_set(list))
        return str_eq(list, STR("Number")) || str_eq(list, STR("String")) || is_aws_own(list);
    return str_eq(type, STR("String")) || str_eq(type, STR("Number")) ||
           str_eq(type, STR("CommaDelimitedList")) || is_aws_own(type);
}

static bool is_type(struct str type)
{
    struct str stored = inner(type, STR(STORE_VALUE));
    return str_is_set(stored) ? is_plain_type(stored)
                              : is_plain_type(type) || str_eq(type, STR(STORE_NAME));
}

static bool is_stored(const struct tpl_parameter *p)
{
    return str_starts(p->type, STR(STORE_VALUE));
}

static bool is_list(struct str type)
{
    struct str stored = inner(type, STR(STORE_VALUE));
    if (str_is_set(stored))
        type = stored;
    return str_eq(type, STR("CommaDelimitedList")) || str_starts(type, STR("List<"));
}

static bool is_number(struct str type)
{
    return str_eq(type, STR("Number")) || str_eq(type, STR("List<Number>"));
}

bool tpl_param_is_list(const struct tpl_parameter *p)
{
    return is_list(p->type);
}

/* --- declarations -------------------------------------------------------------------------------- */

enum {
    PATTERN_CHECKS_MAX = 2000,   /* of values with patterns, members of lists included */
    PATTERN_CHECKS_FULL = 50,    /* that may take their time */
    LOOKS_MAX = 4 * 1000 * 1000, /* at allowed values */
};

struct reader {
    struct tpl *t;
    struct tpl_fault *fault;
    size_t *checks, *looks; /* done so far */
};

static enum err scalar_of(const struct reader *r, const struct json *body, const char *key,
                          struct str *ret_s)
{
    const struct json *v = json_get(body, str_c(key));
    *ret_s = tpl_scalar(v);
    return !v || str_is_set(*ret_s)
               ? ERR_OK
               : tpl_refuse(r->t->arena, r->fault,
                            "Template format error: Every %s member must be a string.", key);
}

static enum err check_allowed(const struct reader *r, const struct json *list)
{
    if (list && list->kind != JSON_ARRAY)
        return tpl_refuse(r->t->arena, r->fault,
                          "Template format error: Every AllowedValues member must be a list.");
    JSON_EACH (list, it)
        if (!tpl_is_scalar(it))
            return tpl_refuse(r->t->arena, r->fault,
                              "Template format error: Every AllowedValues value must be a string.");
    return ERR_OK;
}

static enum err check_members(const struct reader *r, const struct json *body)
{
    static const char *const known[] = {
        "Type",      "Default",  "NoEcho",   "AllowedValues", "AllowedPattern",       "MaxLength",
        "MinLength", "MaxValue", "MinValue", "Description",   "ConstraintDescription"};
    JSON_EACH (body, it) {
        size_t i = 0;
        while (i < ARRAY_LEN(known) && !str_eq_c(it->key, known[i]))
            i++;
        if (i == ARRAY_LEN(known))
            return tpl_refuse(r->t->arena, r->fault,
                              "Invalid template parameter property '" STR_FMT "'",
                              STR_ARG(it->key));
    }
    return ERR_OK;
}

/* A constraint on a type that has none of the kind. */
static enum err check_fit(const struct reader *r, const struct tpl_parameter *p)
{
    bool number = is_number(p->type);
    const struct {
        const char *name;
        struct str value;
        bool of_number;
    } rows[] = {{"MinLength", p->min_length, false},
                {"MaxLength", p->max_length, false},
                {"MinValue", p->min_value, true},
                {"MaxValue", p->max_value, true}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_is_set(rows[i].value)) {
            double unused;
            if (rows[i].of_number != number)
                return tpl_refuse(
                    r->t->arena, r->fault,
                    "Template error: Parameter '" STR_FMT "' %s must be on a parameter of type %s",
                    STR_ARG(p->key), rows[i].name, rows[i].of_number ? "Number" : "String");
            if (str_to_f64(rows[i].value, &unused) != ERR_OK)
                return tpl_refuse(r->t->arena, r->fault,
                                  "Template format error: Every %s member must be a number.",
                                  rows[i].name);
        }
    return ERR_OK;
}

static enum err declare(const struct reader *r, const struct json *body, struct tpl_parameter *p)
{
    struct arena *a = r->t->arena;
    struct str no_echo;
    if (body->kind != JSON_OBJECT)
        return tpl_refuse(a, r->fault,
                          "Template format error: Any Parameters member must be an object.");
    if (!tpl_is_alphanumeric(body->key) || body->key.len > TPL_NAME_BYTES_MAX)
        return tpl_refuse(a, r->fault,
                          "Template format error: Parameter name " STR_FMT " is non alphanumeric.",
                          STR_ARG(body->key));
    TRY(check_members(r, body));
    p->key = body->key;
    TRY(scalar_of(r, body, "Type", &p->type));
    TRY(scalar_of(r, body, "Default", &p->default_value));
    TRY(scalar_of(r, body, "Description", &p->description));
    TRY(scalar_of(r, body, "ConstraintDescription", &p->constraint_description));
    TRY(scalar_of(r, body, "AllowedPattern", &p->allowed_pattern));
    TRY(scalar_of(r, body, "MinLength", &p->min_length));
    TRY(scalar_of(r, body, "MaxLength", &p->max_length));
    TRY(scalar_of(r, body, "MinValue", &p->min_value));
    TRY(scalar_of(r, body, "MaxValue", &p->max_value));
    TRY(scalar_of(r, body, "NoEcho", &no_echo));
    p->no_echo = str_eq_nocase(no_echo, STR("true"));
    p->allowed_values = json_get(body, STR("AllowedValues"));
    TRY(check_allowed(r, p->allowed_values));
    if (!str_is_set(p->type))
        return tpl_refuse(
            a, r->fault,
            "Template format error: Every Parameters object must contain a Type member.");
    if (!is_type(p->type))
        return tpl_refuse(a, r->fault,
                          "Template format error: Unrecognized parameter type: " STR_FMT,
                          STR_ARG(p->type));
    return check_fit(r, p);
}

/* --- values -------------------------------------------------------------------------------------- */

/* "Parameter 'X' must ...", or what the template's author says. */
static enum err PRINTF_LIKE(3, 4)
    forbid(const struct reader *r, const struct tpl_parameter *p, const char *fmt, ...)
{
    va_list ap;
    if (str_is_set(p->constraint_description))
        return tpl_refuse(r->t->arena, r->fault,
                          "Parameter " STR_FMT " failed to satisfy constraint: " STR_FMT,
                          STR_ARG(p->key), STR_ARG(p->constraint_description));
    va_start(ap, fmt);
    struct str must = str_vfmt(r->t->arena, fmt, ap);
    va_end(ap);
    return tpl_refuse(r->t->arena, r->fault, "Parameter '" STR_FMT "' must " STR_FMT,
                      STR_ARG(p->key), STR_ARG(must));
}

static bool is_allowed(const struct reader *r, const struct tpl_parameter *p, struct str value)
{
    JSON_EACH (p->allowed_values, it) {
        if (str_eq(tpl_scalar(it), value))
            return true;
        if (++*r->looks > LOOKS_MAX)
            return false;
    }
    return !p->allowed_values;
}

static enum err check_pattern(const struct reader *r, const struct tpl_parameter *p,
                              const struct regex *pattern, struct str value)
{
    bool matches = true;
    if (!pattern)
        return ERR_OK;
    if (++*r->checks > PATTERN_CHECKS_MAX)
        return tpl_refuse(r->t->arena, r->fault, "Template error: " TPL_SAY_WORK);
    enum err err = regex_is_match(
        pattern, value, *r->checks > PATTERN_CHECKS_FULL ? REGEX_QUICK : REGEX_FULL, &matches);
    if (err == ERR_NOMEM)
        return err;
    return err == ERR_OK && matches
               ? ERR_OK
               : forbid(r, p, "match pattern " STR_FMT, STR_ARG(p->allowed_pattern));
}

static enum err check_number(const struct reader *r, const struct tpl_parameter *p,
                             struct str value)
{
    double v, bound;
    if (!is_number(p->type))
        return ERR_OK;
    if (str_to_f64(value, &v) != ERR_OK)
        return forbid(r, p, "be a number");
    if (str_to_f64(p->min_value, &bound) == ERR_OK && v < bound)
        return forbid(r, p, "be a number not less than " STR_FMT, STR_ARG(p->min_value));
    if (str_to_f64(p->max_value, &bound) == ERR_OK && v > bound)
        return forbid(r, p, "be a number not greater than " STR_FMT, STR_ARG(p->max_value));
    return ERR_OK;
}

static enum err check_length(const struct reader *r, const struct tpl_parameter *p,
                             struct str value)
{
    double bound, n = (double)str_utf8_count(value);
    if (str_to_f64(p->min_length, &bound) == ERR_OK && n < bound)
        return forbid(r, p, "contain at least " STR_FMT " characters", STR_ARG(p->min_length));
    if (str_to_f64(p->max_length, &bound) == ERR_OK && n > bound)
        return forbid(r, p, "contain at most " STR_FMT " characters", STR_ARG(p->max_length));
    return ERR_OK;
}

/* One value, or one member of a list. */
static enum err check_one(const struct reader *r, const struct tpl_parameter *p,
                          const struct regex *pattern, struct str value)
{
    if (!is_allowed(r, p, value))
        return forbid(r, p, "be one of AllowedValues");
    TRY(check_pattern(r, p, pattern, value));
    TRY(check_length(r, p, value));
    return check_number(r, p, value);
}

static enum err compile(const struct reader *r, const struct tpl_parameter *p,
                        const struct regex **ret_pattern)
{
    *ret_pattern = NULL;
    if (!str_is_set(p->allowed_pattern))
        return ERR_OK;
    enum err err = regex_compile(r->t->arena, p->allowed_pattern, ret_pattern);
    return err == ERR_INVALID || err == ERR_LIMIT
               ? tpl_refuse(r->t->arena, r->fault,
                            "Template format error: Parameter '" STR_FMT
                            "' AllowedPattern must be a valid regular expression.",
                            STR_ARG(p->key))
               : err;
}

/* Text as Ref gives it: lists in members, without the space around them. */
static enum err make_use(struct arena *a, const struct tpl_parameter *p, struct str text,
                         const struct json **ret_v)
{
    struct json *v = is_list(p->type) ? json_new(a, JSON_ARRAY) : json_new_str(a, text);
    struct json **tail = v ? &v->child : NULL;
    struct str rest = text;
    while (v && v->kind == JSON_ARRAY && str_is_set(rest)) {
        *tail = json_new_str(a, str_trim(str_cut(&rest, ',')));
        if (!*tail)
            return ERR_NOMEM;
        tail = &(*tail)->next;
        v->n++;
    }
    *ret_v = v;
    return v ? ERR_OK : ERR_NOMEM;
}

static enum err check_value(const struct reader *r, struct tpl_parameter *p)
{
    const struct regex *pattern;
    if (p->value.len > TPL_VALUE_BYTES_MAX)
        return tpl_refuse(r->t->arena, r->fault,
                          "Parameter '" STR_FMT "' must be no longer than %d bytes",
                          STR_ARG(p->key), TPL_VALUE_BYTES_MAX);
    TRY(compile(r, p, &pattern));
    if (is_stored(p) || !is_list(p->type))
        return check_one(r, p, pattern, p->value);
    for (const struct json *it = p->use->child; it; it = it->next)
        TRY(check_one(r, p, pattern, it->text));
    return ERR_OK;
}

/* --- the store ----------------------------------------------------------------------------------- */

static enum err fetch(const struct reader *r, struct tpl_parameter *p, struct tpl_names *missing)
{
    const struct tpl_world *w = r->t->world;
    struct arena *a = r->t->arena;
    struct str value = STR_NONE, type = STR_NONE;
    enum err err = ERR_NOT_FOUND;
    if (w->host && w->host->parameter)
        err = w->host->parameter(w->host_arg, a, p->value, 0, false, &value, &type, r->fault);
    if (err == ERR_NOT_FOUND)
        return tpl_names_add(a, missing, p->value);
    TRY(err);
    if (!is_stored(p))
        return ERR_OK; /* the name of one that is there */
    if (str_eq(type, STR("SecureString")))
        return tpl_refuse(a, r->fault,
                          "Parameters [" STR_FMT
                          "] referenced by template have types not supported "
                          "by CloudFormation.",
                          STR_ARG(p->value));
    p->resolved = value;
    return make_use(a, p, value, &p->use);
}

static enum err fetch_all(const struct reader *r)
{
    struct tpl_names missing = {0};
    for (size_t i = 0; i < r->t->parameter_n; i++) {
        struct tpl_parameter *p = &r->t->parameters[i];
        if (str_is_set(p->value) && !p->is_unknown &&
            (is_stored(p) || str_eq(p->type, STR(STORE_NAME))))
            TRY(fetch(r, p, &missing));
    }
    return !missing.n ? ERR_OK
                      : tpl_refuse(r->t->arena, r->fault,
                                   "Unable to fetch parameters " STR_FMT
                                   " from parameter store for this account.",
                                   STR_ARG(tpl_names_text(r->t->arena, &missing)));
}

/* --- all ----------------------------------------------------------------------------------------- */

static enum err declare_all(const struct reader *r, const struct json *section)
{
    struct tpl *t = r->t;
    if (section && section->kind != JSON_OBJECT)
        return tpl_refuse(t->arena, r->fault, "Template format error: unsupported structure.");
    size_t n = section ? section->n : 0;
    if (n > TPL_PARAMETERS_MAX)
        return tpl_refuse(t->arena, r->fault,
                          "Template format error: Number of parameters, %zu, is greater than "
                          "maximum allowed, %d",
                          n, TPL_PARAMETERS_MAX);
    t->parameters = ARENA_ARRAY(t->arena, struct tpl_parameter, n);
    if (!t->parameters)
        return ERR_NOMEM;
    JSON_EACH (section, it) {
        struct tpl_parameter *p = &t->parameters[t->parameter_n++];
        TRY(declare(r, it, p));
        TRY(map_put(&t->parameter_by, p->key, p, NULL));
    }
    return ERR_OK;
}

static enum err give_all(const struct reader *r)
{
    struct tpl *t = r->t;
    struct tpl_names unknown = {0};
    for (size_t i = 0; i < t->world->given_n; i++) {
        const struct tpl_given *g = &t->world->given[i];
        struct tpl_parameter *p = map_get(&t->parameter_by, g->key);
        if (!p) {
            TRY(tpl_names_add(t->arena, &unknown, g->key));
            continue;
        }
        p->value = str_is_set(g->value) ? g->value : STR("");
        p->is_given = true;
        p->is_unknown = g->is_unknown;
    }
    return !unknown.n ? ERR_OK
                      : tpl_refuse(t->arena, r->fault,
                                   "Parameters: " STR_FMT " do not exist in the template",
                                   STR_ARG(tpl_names_text(t->arena, &unknown)));
}

/* Without a value in check_only: Ref gives nothing that is known. */
static enum err decide_all(const struct reader *r)
{
    struct tpl *t = r->t;
    struct tpl_names missing = {0};
    for (size_t i = 0; i < t->parameter_n; i++) {
        struct tpl_parameter *p = &t->parameters[i];
        if (!p->is_given)
            p->value = p->default_value;
        if (!str_is_set(p->value))
            TRY(tpl_names_add(t->arena, &missing, p->key));
        else
            TRY(make_use(t->arena, p, p->value, &p->use));
    }
    if (missing.n && !t->world->check_only)
        return tpl_refuse(t->arena, r->fault, "Parameters: " STR_FMT " must have values",
                          STR_ARG(tpl_names_text(t->arena, &missing)));
    for (size_t i = 0; i < t->parameter_n; i++)
        if (str_is_set(t->parameters[i].value) && !t->parameters[i].is_unknown)
            TRY(check_value(r, &t->parameters[i]));
    return t->world->check_only ? ERR_OK : fetch_all(r);
}

enum err tpl_param_read(struct tpl *t, struct tpl_fault *fault)
{
    size_t checks = 0, looks = 0;
    const struct reader r = {t, fault, &checks, &looks};
    TRY(declare_all(&r, json_get(t->tree, STR("Parameters"))));
    TRY(give_all(&r));
    return decide_all(&r);
}

enum err tpl_parameters_of(struct arena *a, const struct json *tree, const struct tpl_world *world,
                           const struct tpl_parameter **ret_parameters, size_t *ret_n,
                           struct tpl_fault *ret_fault)
{
    struct tpl t = {.arena = a, .world = world, .tree = tree};
    map_init(&t.parameter_by);
    enum err err = tpl_param_read(&t, ret_fault);
    map_release(&t.parameter_by);
    if (err != ERR_OK)
        return err;
    *ret_parameters = t.parameters;
    *ret_n = t.parameter_n;
    return ERR_OK;
}
