/* Rules of messages. Source: SNS API reference, Publish; developer guide, "Amazon SNS message
 * attributes". Layer: svc/sns. Thread: pure. */
#include <stdlib.h>

#include "codec/hash.h"
#include "codec/json.h"
#include "core/message_attr.h"
#include "svc/sns/sns_int.h"

enum { FIFO_ID_MAX = 128 };

#define INVALID(a, f, ...)                                                                         \
    fault_set((a), (f), &sns_err_invalid_parameter_exception, "Invalid parameter: " __VA_ARGS__)

/* --- attributes ------------------------------------------------------------------------------- */

static enum err bad_attr(struct arena *a, struct fault *f, struct str name, const char *why)
{
    return fault_set(a, f, &sns_err_invalid_parameter_value_exception,
                     "The message attribute '" STR_FMT "' %s", STR_ARG(name), why);
}

/* A list of texts, numbers, booleans and nulls. */
static bool array_ok(struct arena *a, struct str value)
{
    struct json *doc;
    if (json_parse(a, value, &doc, NULL) != ERR_OK || doc->kind != JSON_ARRAY)
        return false;
    JSON_EACH (doc, it)
        if (it->kind == JSON_ARRAY || it->kind == JSON_OBJECT)
            return false;
    return true;
}

static enum err check_attr(struct arena *a, struct str name,
                           const struct sns_message_attribute_value *in, struct sns_attr *ret,
                           struct fault *f)
{
    if (!message_attr_name_ok(name, false))
        return fault_set(a, f, &sns_err_invalid_parameter_value_exception,
                         "The message attribute name '" STR_FMT "' is invalid. It can contain up "
                         "to 256 letters, digits, underscores, hyphens and single periods, and "
                         "must not begin with AWS. or Amazon.",
                         STR_ARG(str_sub(name, 0, MESSAGE_ATTR_NAME_MAX)));
    if (str_empty(in->data_type))
        return bad_attr(a, f, name, "must contain non-empty message attribute type.");
    struct str base = message_attr_base(in->data_type);
    if (!str_is_set(base))
        return bad_attr(a, f, name,
                        "has an invalid message attribute type, the set of supported type "
                        "prefixes is Binary, Number, and String.");
    bool binary = str_eq_c(base, "Binary");
    struct str value = binary ? in->binary_value : in->string_value;
    if (str_empty(value))
        return bad_attr(a, f, name,
                        binary ? "must contain non-empty message attribute value for message "
                                 "attribute type 'Binary'."
                               : "must contain non-empty message attribute value for message "
                                 "attribute type 'String'.");
    if (str_is_set(binary ? in->string_value : in->binary_value))
        return bad_attr(a, f, name, "has multiple values.");
    if (!binary && !str_is_utf8(value))
        return bad_attr(a, f, name, "has an invalid character in its value.");
    if (str_eq_c(base, "Number") && !message_attr_number_ok(value))
        return fault_set(a, f, &sns_err_invalid_parameter_value_exception,
                         "Could not cast message attribute '" STR_FMT "' value to number.",
                         STR_ARG(name));
    if (str_eq_c(in->data_type, "String.Array") && !array_ok(a, value))
        return bad_attr(a, f, name, "is no array of strings, numbers, booleans and nulls.");
    *ret = (struct sns_attr){name, in->data_type, value};
    return ERR_OK;
}

static int by_text(const void *x, const void *y)
{
    return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

/* No name twice. */
static enum err check_names(struct arena *a, const struct sns_attr *attrs, size_t n,
                            struct fault *f)
{
    struct str *names = ARENA_ARRAY(a, struct str, n + 1);
    if (!names)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        names[i] = attrs[i].name;
    qsort(names, n, sizeof(*names), by_text);
    for (size_t i = 1; i < n; i++)
        if (str_eq(names[i], names[i - 1]))
            return bad_attr(a, f, names[i], "is given twice.");
    return ERR_OK;
}

static enum err check_attrs(struct arena *a, const struct sns_message_attribute_map *in,
                            struct sns_message *m, size_t *bytes, struct fault *f)
{
    size_t n = in ? in->n : 0;
    struct sns_attr *v = ARENA_ARRAY(a, struct sns_attr, n + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        TRY(check_attr(a, in->v[i].key, &in->v[i].value, &v[i], f));
        *bytes += v[i].name.len + v[i].type.len + v[i].value.len;
        if (*bytes > SNS_MESSAGE_MAX)
            return INVALID(a, f, "Message too long");
    }
    TRY(check_names(a, v, n, f));
    m->attrs = v;
    m->n_attrs = n;
    return ERR_OK;
}

/* --- subject and body ------------------------------------------------------------------------- */

static bool subject_ok(struct str s)
{
    if (s.len == 0 || !str_is_utf8(s) || str_utf8_count(s) > SNS_SUBJECT_MAX || s.p[0] == ' ')
        return false;
    for (size_t i = 0; i < s.len; i++)
        if ((uint8_t)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    return true;
}

static enum err check_structure(struct arena *a, struct str body, struct fault *f)
{
    struct json *doc;
    enum err err = json_parse(a, body, &doc, NULL);
    if (err == ERR_NOMEM)
        return err;
    if (err || doc->kind != JSON_OBJECT)
        return INVALID(a, f, "Message Structure - JSON message body failed to parse");
    if (!str_is_set(json_get_str(doc, STR("default"))))
        return INVALID(a, f, "Message Structure - No default entry in JSON message body");
    return ERR_OK;
}

struct str sns_message_body(const struct sns_message *m, const struct json *structure,
                            enum sns_protocol p)
{
    if (!structure)
        return m->body;
    struct str own = json_get_str(structure, sns_protocol_name(p));
    return str_is_set(own) ? own : json_get_str(structure, STR("default"));
}

static enum err check_body(struct arena *a, const struct sns_draft *d, struct sns_message *m,
                           size_t bytes, struct fault *f)
{
    if (str_empty(d->body))
        return INVALID(a, f, "Empty message");
    if (bytes > SNS_MESSAGE_MAX)
        return INVALID(a, f, "Message too long");
    if (!str_is_utf8(d->body))
        return INVALID(a, f, "Message");
    if (str_is_set(d->subject) && !subject_ok(d->subject))
        return INVALID(a, f, "Subject");
    m->structured = str_is_set(d->structure) && d->structure.len > 0;
    if (m->structured && !str_eq_c(d->structure, "json"))
        return INVALID(a, f, "MessageStructure");
    return m->structured ? check_structure(a, d->body, f) : ERR_OK;
}

/* --- FIFO ------------------------------------------------------------------------------------- */

static bool fifo_id_ok(struct str id)
{
    for (size_t i = 0; i < id.len; i++)
        if (id.p[i] <= ' ' || id.p[i] > '~')
            return false;
    return id.len >= 1 && id.len <= FIFO_ID_MAX;
}

static enum err check_fifo(struct arena *a, const struct sns_topic_rec *t,
                           const struct sns_draft *d, struct sns_message *m, struct fault *f)
{
    if (!t->fifo) {
        const char *name = str_is_set(d->dedup) ? "MessageDeduplicationId" : "MessageGroupId";
        if (!str_is_set(d->group) && !str_is_set(d->dedup))
            return ERR_OK;
        return INVALID(a, f,
                       "%s Reason: The request includes %s parameter that is not valid for "
                       "this topic type",
                       name, name);
    }
    if (!str_is_set(d->group))
        return INVALID(a, f, "The MessageGroupId parameter is required for FIFO topics");
    if (!fifo_id_ok(d->group))
        return INVALID(a, f, "MessageGroupId");
    if (str_is_set(d->dedup) && !fifo_id_ok(d->dedup))
        return INVALID(a, f, "MessageDeduplicationId");
    if (!str_is_set(d->dedup) && !t->content_dedup)
        return INVALID(a, f,
                       "The topic should either have ContentBasedDeduplication enabled or "
                       "MessageDeduplicationId provided explicitly");
    m->group = d->group;
    m->dedup = d->dedup;
    if (!str_is_set(d->dedup)) {
        char *hex = arena_alloc(a, HASH_SHA256_LEN * 2 + 1);
        if (!hex)
            return ERR_NOMEM;
        hash_sha256_hex(d->body.p, d->body.len, hex);
        m->dedup = str_n(hex, HASH_SHA256_LEN * 2);
    }
    return ERR_OK;
}

enum err sns_message_check(struct arena *a, const struct sns_topic_rec *topic,
                           const struct sns_draft *draft, struct sns_message *ret,
                           size_t *ret_bytes, struct fault *f)
{
    struct sns_message m = {.topic_id = topic->id,
                            .subject = draft->subject,
                            .body = draft->body,
                            .signature_version =
                                topic->signature_version ? topic->signature_version : 1};
    size_t bytes = draft->body.len + draft->subject.len;
    TRY(check_body(a, draft, &m, bytes, f));
    TRY(check_attrs(a, draft->attrs, &m, &bytes, f));
    TRY(check_fifo(a, topic, draft, &m, f));
    *ret = m;
    *ret_bytes = bytes;
    return ERR_OK;
}
