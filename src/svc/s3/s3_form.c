/* See s3_form.h.
 *
 * A policy is a JSON object: "expiration", and "conditions", each of which is {"field": "value"},
 * ["eq" or "starts-with", "$field", "value"], or ["content-length-range", min, max]. Every field must be named
 * by one, but for those that carry signature and policy themselves.
 *
 * Source: S3 API Reference, "POST policy", "Creating a POST policy". */
#include "svc/s3/s3_form.h"

#include "base/clock.h"
#include "codec/base64.h"
#include "codec/json.h"

struct str s3_form_get(const struct s3_form_fields *f, const char *name)
{
    for (size_t i = 0; i < f->n; i++)
        if (str_eq_c(f->v[i].name, name))
            return f->v[i].value;
    return STR_NONE;
}

struct str s3_form_key(struct arena *a, struct str key, struct str filename)
{
    static const struct str variable = STR_INIT("${filename}");
    size_t at = str_find_str(key, variable);
    for (size_t i = filename.len; i > 0; i--)
        if (filename.p[i - 1] == '/' || filename.p[i - 1] == '\\') {
            filename = str_sub(filename, i, SIZE_MAX);
            break;
        }
    if (at == SIZE_MAX)
        return key;
    struct str rest = str_sub(key, at + variable.len, SIZE_MAX);
    return str_fmt(a, STR_FMT STR_FMT STR_FMT, STR_ARG(str_n(key.p, at)), STR_ARG(filename),
                   STR_ARG(rest));
}

/* --- policies --------------------------------------------------------------------------------- */

struct judge {
    struct arena *a;
    const struct s3_form_fields *f;
    struct str bucket;
    struct s3_form_verdict *verdict;
    bool named[S3_FORM_FIELDS_MAX]; /* by a condition */
    bool bucket_named;
};

/* ERR_FAILED with the verdict set. */
static enum err say(struct judge *j, enum s3_form_outcome outcome, struct str message)
{
    j->verdict->outcome = outcome;
    j->verdict->message = message;
    return str_is_set(message) ? ERR_FAILED : ERR_NOMEM;
}

static enum err bad(struct judge *j, const char *message)
{
    return say(j, S3_FORM_BAD_POLICY, str_fmt(j->a, "Invalid Policy: %s", message));
}

/* JSON's escapes and one more, "\$". */
static struct str without_dollars(struct arena *a, struct str text)
{
    struct buf b;
    buf_init_arena(&b, a, text.len);
    for (size_t i = 0; i < text.len; i++) {
        bool escape = text.p[i] == '\\' && i + 1 < text.len;
        if (!(escape && text.p[i + 1] == '$'))
            buf_add_byte(&b, text.p[i]);
        if (escape)
            buf_add_byte(&b, text.p[++i]);
    }
    if (buf_err(&b) != ERR_OK)
        return STR_NONE;
    return b.len ? buf_str(&b) : STR("");
}

/* The field that a condition names, and that it does. */
static struct str field_of(struct judge *j, struct str name)
{
    struct str value = STR_NONE;
    if (str_eq_c(name, "bucket")) {
        j->bucket_named = true;
        return j->bucket;
    }
    for (size_t i = 0; i < j->f->n; i++)
        if (str_eq(j->f->v[i].name, name)) {
            j->named[i] = true;
            value = j->f->v[i].value;
        }
    return value;
}

/* Content types may be several, each of which has to fit. */
static bool starts(struct str name, struct str value, struct str prefix)
{
    if (!str_is_set(value))
        return false;
    if (!str_eq_c(name, "content-type"))
        return str_starts(value, prefix);
    while (str_is_set(value))
        if (!str_starts(str_trim(str_cut(&value, ',')), prefix))
            return false;
    return true;
}

static enum err match(struct judge *j, bool prefix, struct str name, struct str wanted)
{
    struct str lower = str_lower(j->a, name);
    if (!str_is_set(lower))
        return ERR_NOMEM;
    struct str value = field_of(j, lower);
    bool fits = prefix ? starts(lower, value, wanted) : str_is_set(value) && str_eq(value, wanted);
    if (fits)
        return ERR_OK;
    return say(j, S3_FORM_DENIED,
               str_fmt(j->a,
                       "Invalid according to Policy: Policy Condition failed: [\"%s\", \"$" STR_FMT
                       "\", \"" STR_FMT "\"]",
                       prefix ? "starts-with" : "eq", STR_ARG(name), STR_ARG(wanted)));
}

/* A number, or its text. */
static bool number_of(const struct json *v, int64_t *ret)
{
    if (v->kind == JSON_STRING)
        return str_to_i64(v->text, ret) == ERR_OK;
    return v->kind == JSON_NUMBER && json_to_i64(v, ret) == ERR_OK;
}

static enum err take_range(struct judge *j, const struct json *c)
{
    int64_t min, max;
    if (c->n != 3 || !number_of(c->child->next, &min) || !number_of(c->child->next->next, &max) ||
        min < 0 || max < 0)
        return bad(j, "Invalid content-length-range condition: it takes two numbers of bytes.");
    if (min > j->verdict->min)
        j->verdict->min = min;
    if (max < j->verdict->max)
        j->verdict->max = max;
    return ERR_OK;
}

static enum err take_condition(struct judge *j, const struct json *c)
{
    if (c->kind == JSON_OBJECT) {
        if (c->n != 1)
            return bad(j, "Invalid Simple-Condition: Simple-Conditions must have exactly one "
                          "property specified.");
        if (c->child->kind != JSON_STRING)
            return bad(j, "Invalid Simple-Condition: value must be a string.");
        return match(j, false, c->child->key, c->child->text);
    }
    if (c->kind != JSON_ARRAY || c->n == 0 || c->child->kind != JSON_STRING)
        return bad(j, "Conditions must be objects or lists that begin with a word.");
    struct str op = c->child->text;
    if (str_eq_nocase(op, STR("content-length-range")))
        return take_range(j, c);
    bool prefix = str_eq_nocase(op, STR("starts-with"));
    if (!prefix && !str_eq_nocase(op, STR("eq")))
        return bad(j, "Unknown Condition: it is none of eq, starts-with, content-length-range.");
    const struct json *name = c->child->next, *value = name ? name->next : NULL;
    if (c->n != 3 || name->kind != JSON_STRING || value->kind != JSON_STRING ||
        !str_starts(name->text, STR("$")))
        return bad(j, "Invalid Condition: it takes the name of a field that begins with $, and a "
                      "value.");
    return match(j, prefix, str_sub(name->text, 1, SIZE_MAX), value->text);
}

static bool needs_no_condition(struct str name)
{
    static const struct str names[] = {STR_INIT("awsaccesskeyid"), STR_INIT("signature"),
                                       STR_INIT("x-amz-signature"), STR_INIT("policy"),
                                       STR_INIT("file")};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(names[i], name))
            return true;
    return str_starts(name, STR("x-ignore-"));
}

static enum err find_extra(struct judge *j)
{
    struct str extra = j->bucket_named ? STR_NONE : STR("bucket");
    for (size_t i = 0; i < j->f->n && !str_is_set(extra); i++)
        if (!j->named[i] && !needs_no_condition(j->f->v[i].name))
            extra = j->f->v[i].name;
    if (!str_is_set(extra))
        return ERR_OK;
    return say(
        j, S3_FORM_DENIED,
        str_fmt(j->a, "Invalid according to Policy: Extra input fields: " STR_FMT, STR_ARG(extra)));
}

static enum err judge(struct judge *j, struct str policy, int64_t now_ms)
{
    struct json *doc = NULL;
    struct str text;
    int64_t until_ms;
    enum err err = base64_decode(j->a, policy, &text);
    if (err == ERR_INVALID)
        return bad(j, "It is not encoded in base64.");
    TRY(err);
    text = without_dollars(j->a, text);
    if (!str_is_set(text))
        return ERR_NOMEM;
    err = json_parse(j->a, text, &doc, NULL);
    if (err == ERR_NOMEM)
        return err;
    if (err != ERR_OK || doc->kind != JSON_OBJECT)
        return bad(j, "Invalid JSON.");
    const struct json *expiration = json_get(doc, STR("expiration"));
    const struct json *conditions = json_get(doc, STR("conditions"));
    if (!expiration)
        return bad(j, "Policy missing expiration.");
    if (expiration->kind != JSON_STRING ||
        clock_parse_iso8601(expiration->text, &until_ms) != ERR_OK)
        return bad(j, "Invalid 'expiration' value.");
    if (!conditions)
        return bad(j, "Policy missing conditions.");
    if (conditions->kind != JSON_ARRAY)
        return bad(j, "Invalid 'conditions' value: must be a List.");
    if (until_ms <= now_ms)
        return say(j, S3_FORM_DENIED, STR("Invalid according to Policy: Policy expired."));
    JSON_EACH (conditions, it)
        TRY(take_condition(j, it));
    return find_extra(j);
}

enum err s3_form_judge(struct arena *a, struct str policy, const struct s3_form_fields *f,
                       struct str bucket, int64_t now_ms, struct s3_form_verdict *ret_verdict)
{
    struct judge j = {.a = a, .f = f, .bucket = bucket, .verdict = ret_verdict};
    *ret_verdict = (struct s3_form_verdict){.outcome = S3_FORM_FITS, .max = INT64_MAX};
    enum err err = judge(&j, policy, now_ms);
    return err == ERR_FAILED ? ERR_OK : err;
}
