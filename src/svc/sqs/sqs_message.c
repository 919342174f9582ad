/* Rules of messages, and their digests. Source: SQS API reference, SendMessage and
 * MessageAttributeValue; developer guide, "Amazon SQS message metadata". Layer: svc/sqs.
 * Thread: pure. */
#include <stdio.h>
#include <stdlib.h>

#include "codec/hex.h"
#include "core/message_attr.h"
#include "svc/sqs/sqs_int.h"

enum {
    FIFO_ID_MAX = 128,
    MD5_TYPE_TEXT = 1,
    MD5_TYPE_BINARY = 2,
    TRACE_MAX = 1024, /* of a header that comes with the call */
};

bool sqs_text_ok(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = (uint8_t)s.p[i];
        if (c < 0x20 && c != 9 && c != 10 && c != 13)
            return false;
        /* U+FFFE and U+FFFF */
        if (c == 0xef && i + 2 < s.len && (uint8_t)s.p[i + 1] == 0xbf &&
            (uint8_t)s.p[i + 2] >= 0xbe)
            return false;
    }
    return str_is_utf8(s);
}

bool sqs_attr_is_binary(const struct sqs_attr *attr)
{
    return str_starts(attr->type, STR("Binary"));
}

static void md5_field(struct hash *h, struct str s)
{
    uint8_t be[4] = {(uint8_t)(s.len >> 24), (uint8_t)(s.len >> 16), (uint8_t)(s.len >> 8),
                     (uint8_t)s.len};
    hash_update(h, be, sizeof(be));
    hash_update(h, s.p, s.len);
}

struct str sqs_attrs_md5(struct arena *a, const struct sqs_attr *attrs, size_t n)
{
    struct hash h;
    uint8_t digest[HASH_MD5_LEN];
    if (n == 0 || hash_init(&h, HASH_MD5) != ERR_OK)
        return STR_NONE;
    for (size_t i = 0; i < n; i++) {
        uint8_t kind = sqs_attr_is_binary(&attrs[i]) ? MD5_TYPE_BINARY : MD5_TYPE_TEXT;
        md5_field(&h, attrs[i].name);
        md5_field(&h, attrs[i].type);
        hash_update(&h, &kind, 1);
        md5_field(&h, attrs[i].value);
    }
    hash_final(&h, digest);
    hash_release(&h);
    return hex_encode(a, digest, sizeof(digest));
}

static enum err bad_name(struct arena *a, struct fault *f, const char *why)
{
    return fault_set(a, f, &sqs_err_invalid_parameter_value, "%s", why);
}

/* One rule at a time, in SQS's words. */
static enum err check_attr_name(struct arena *a, struct str name, struct fault *f)
{
    if (message_attr_name_ok(name, true))
        return ERR_OK;
    if (str_empty(name))
        return bad_name(a, f, "The request must contain non-empty message (user) attribute names.");
    if (name.len > MESSAGE_ATTR_NAME_MAX)
        return bad_name(a, f, "Message (user) attribute name must be shorter than 256 bytes.");
    if (name.p[0] == '.')
        return bad_name(a, f, "Message (user) attribute name must not begin with character '.'.");
    if (name.p[name.len - 1] == '.')
        return bad_name(a, f, "Message (user) attribute name must not end with character '.'.");
    if (str_find_str(name, STR("..")) != SIZE_MAX)
        return bad_name(a, f,
                        "Message (user) attribute name must not have successive '.' characters.");
    if (message_attr_name_reserved(name))
        return bad_name(a, f,
                        "You can't use message attribute names beginning with 'AWS.' or 'Amazon'. "
                        "These strings are reserved for internal use.");
    return fault_set(a, f, &sqs_err_invalid_parameter_value,
                     "Message (user) attribute name '" STR_FMT
                     "' is invalid. It can contain letters, digits, underscores, hyphens and "
                     "periods.",
                     STR_ARG(name));
}

static enum err bad_attr(struct arena *a, struct fault *f, struct str name, const char *why)
{
    return fault_set(a, f, &sqs_err_invalid_parameter_value,
                     "The message (user) attribute '" STR_FMT "' %s", STR_ARG(name), why);
}

static enum err check_attr(struct arena *a, struct str name,
                           const struct sqs_message_attribute_value *in, struct sqs_attr *ret_attr,
                           struct fault *f)
{
    TRY(check_attr_name(a, name, f));
    if (in->string_list_values.n || in->binary_list_values.n)
        return fault_set(a, f, &sqs_err_unsupported_operation,
                         "Message attribute list values in SendMessage operation are not "
                         "supported.");
    bool has_text = str_is_set(in->string_value), has_bytes = str_is_set(in->binary_value);
    if (!str_is_set(in->data_type) && !has_text && !has_bytes)
        return bad_attr(a, f, name, "must contain a non-empty message attribute value.");
    if (str_empty(in->data_type))
        return bad_attr(a, f, name, "must contain a non-empty message attribute type.");
    if (in->data_type.len > MESSAGE_ATTR_TYPE_MAX)
        return bad_name(a, f, "Message (user) attribute type must be shorter than 256 bytes.");
    struct str base = message_attr_base(in->data_type);
    if (!str_is_set(base))
        return fault_set(a, f, &sqs_err_invalid_parameter_value,
                         "The type of message (user) attribute '" STR_FMT
                         "' is invalid. You must use only the following supported type prefixes: "
                         "Binary, Number, String.",
                         STR_ARG(name));
    bool binary = str_eq_c(base, "Binary");
    struct str value = binary ? in->binary_value : in->string_value;
    if (!str_is_set(value) && (has_text || has_bytes))
        return fault_set(a, f, &sqs_err_invalid_parameter_value,
                         "Message (user) attribute '" STR_FMT "' with type '" STR_FMT
                         "' must use field '%s'.",
                         STR_ARG(name), STR_ARG(in->data_type), binary ? "Binary" : "String");
    if (str_empty(value))
        return fault_set(a, f, &sqs_err_invalid_parameter_value,
                         "Message (user) attribute '" STR_FMT
                         "' must contain a non-empty value of type '" STR_FMT "'.",
                         STR_ARG(name), STR_ARG(in->data_type));
    if (has_text && has_bytes)
        return fault_set(a, f, &sqs_err_invalid_parameter_value,
                         "Message (user) attribute '" STR_FMT "' must have a single value.",
                         STR_ARG(name));
    if (!binary && !sqs_text_ok(value))
        return bad_attr(a, f, name, "has an invalid character in its value.");
    if (str_eq_c(base, "Number") && !message_attr_number_ok(value))
        return fault_set(a, f, &sqs_err_invalid_parameter_value,
                         "Can't cast the value of message (user) attribute '" STR_FMT
                         "' to a number.",
                         STR_ARG(name));
    *ret_attr = (struct sqs_attr){.name = name, .type = in->data_type, .value = value};
    return ERR_OK;
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct sqs_attr *)a)->name, ((const struct sqs_attr *)b)->name);
}

static enum err check_attrs(struct arena *a, const struct sqs_message_body_attribute_map *in,
                            struct sqs_checked *c, struct fault *f)
{
    size_t n = in ? in->n : 0;
    if (n > SQS_ATTRIBUTES_MAX)
        return fault_set(a, f, &sqs_err_invalid_parameter_value,
                         "Number of message attributes [%zu] exceeds the allowed maximum [10].", n);
    struct sqs_attr *attrs = ARENA_ARRAY(a, struct sqs_attr, n + 1);
    if (!attrs)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        TRY(check_attr(a, in->v[i].key, &in->v[i].value, &attrs[i], f));
    qsort(attrs, n, sizeof(*attrs), by_name);
    for (size_t i = 1; i < n; i++)
        if (str_eq(attrs[i].name, attrs[i - 1].name))
            return fault_set(a, f, &sqs_err_invalid_parameter_value,
                             "Message (user) attribute name '" STR_FMT "' already exists.",
                             STR_ARG(attrs[i].name));
    c->body.attrs = attrs;
    c->body.n_attrs = n;
    c->md5_attrs_hex = sqs_attrs_md5(a, attrs, n);
    return n && !str_is_set(c->md5_attrs_hex) ? ERR_NOMEM : ERR_OK;
}

/* The only system attribute that a sender may give is AWSTraceHeader. */
static enum err check_system(struct arena *a,
                             const struct sqs_message_body_system_attribute_map *in,
                             struct sqs_checked *c, struct fault *f)
{
    for (size_t i = 0; in && i < in->n; i++) {
        const struct sqs_message_system_attribute_value *v = &in->v[i].value;
        if (!str_eq_c(in->v[i].key, "AWSTraceHeader"))
            return fault_set(a, f, &sqs_err_invalid_parameter_value,
                             "Message system attribute name '" STR_FMT "' is invalid.",
                             STR_ARG(in->v[i].key));
        if (!str_eq_c(v->data_type, "String") || str_empty(v->string_value) ||
            !sqs_text_ok(v->string_value))
            return fault_set(a, f, &sqs_err_invalid_parameter_value,
                             "Message system attribute 'AWSTraceHeader' must be a non-empty "
                             "String.");
        struct sqs_attr attr = {
            .name = in->v[i].key, .type = v->data_type, .value = v->string_value};
        c->body.trace = v->string_value;
        c->md5_system_hex = sqs_attrs_md5(a, &attr, 1);
        if (!str_is_set(c->md5_system_hex))
            return ERR_NOMEM;
    }
    return ERR_OK;
}

static bool fifo_id_ok(struct str id)
{
    for (size_t i = 0; i < id.len; i++)
        if (id.p[i] <= ' ' || id.p[i] > '~')
            return false;
    return id.len >= 1 && id.len <= FIFO_ID_MAX;
}

enum err sqs_fifo_id_check(struct arena *a, struct fault *f, const char *parameter, struct str id)
{
    if (!str_is_set(id) || fifo_id_ok(id))
        return ERR_OK;
    return fault_set(a, f, &sqs_err_invalid_parameter_value,
                     "Value " STR_FMT " for parameter %s is invalid. Reason: %s can only include "
                     "alphanumeric and punctuation characters. 1 to 128 in length.",
                     STR_ARG(id), parameter, parameter);
}

static enum err check_fifo(struct arena *a, const struct sqs_config *c,
                           const struct sqs_draft *draft, struct sqs_checked *out, struct fault *f)
{
    if (!c->fifo) {
        if (str_is_set(draft->dedup))
            return fault_set(a, f, &sqs_err_invalid_parameter_value,
                             "Value " STR_FMT " for parameter MessageDeduplicationId is invalid. "
                             "Reason: The request include parameter that is not valid for this "
                             "queue type.",
                             STR_ARG(draft->dedup));
        out->body.group = draft->group;
        return sqs_fifo_id_check(a, f, "MessageGroupId", draft->group);
    }
    if (draft->has_delay && draft->delay_s != 0)
        return fault_set(a, f, &sqs_err_invalid_parameter_value,
                         "Value %lld for parameter DelaySeconds is invalid. Reason: The "
                         "request include parameter that is not valid for this queue type.",
                         (long long)draft->delay_s);
    if (!str_is_set(draft->group))
        return fault_set(a, f, &sqs_err_missing_parameter,
                         "The request must contain the parameter MessageGroupId.");
    out->body.group = draft->group;
    out->body.dedup = draft->dedup;
    TRY(sqs_fifo_id_check(a, f, "MessageGroupId", draft->group));
    TRY(sqs_fifo_id_check(a, f, "MessageDeduplicationId", draft->dedup));
    if (!str_is_set(draft->dedup) && !c->content_dedup)
        return fault_set(a, f, &sqs_err_invalid_parameter_value, SQS_NO_DEDUP_ID);
    if (!str_is_set(draft->dedup)) {
        char *hex = arena_alloc(a, HASH_SHA256_LEN * 2 + 1);
        if (!hex)
            return ERR_NOMEM;
        hash_sha256_hex(draft->body.p, draft->body.len, hex);
        out->body.dedup = str_n(hex, HASH_SHA256_LEN * 2);
    }
    return ERR_OK;
}

static enum err check_body(struct arena *a, const struct sqs_config *c, struct str body,
                           struct sqs_checked *out, struct fault *f)
{
    if (str_empty(body))
        return fault_set(a, f, &sqs_err_missing_parameter,
                         "The request must contain the parameter MessageBody.");
    if (!sqs_text_ok(body))
        return fault_set(a, f, &sqs_err_invalid_message_contents,
                         "Invalid characters found. Valid unicode characters are #x9 | #xA | "
                         "#xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF");
    if (out->size > (size_t)c->size_max)
        return fault_set(a, f, &sqs_err_invalid_parameter_value,
                         "One or more parameters are invalid. Reason: Message must be shorter "
                         "than %lld bytes.",
                         (long long)c->size_max);
    hash_once(HASH_MD5, body.p, body.len, out->body.md5);
    out->body.body = body;
    out->md5_hex = hex_encode(a, out->body.md5, HASH_MD5_LEN);
    return str_is_set(out->md5_hex) ? ERR_OK : ERR_NOMEM;
}

size_t sqs_draft_size(const struct sqs_draft *draft)
{
    const struct sqs_message_body_attribute_map *attrs = draft->attributes;
    size_t size = draft->body.len;
    for (size_t i = 0; attrs && i < attrs->n; i++) {
        const struct sqs_message_attribute_value *v = &attrs->v[i].value;
        size += attrs->v[i].key.len + v->data_type.len + v->string_value.len + v->binary_value.len;
    }
    return size;
}

enum err sqs_message_check(struct arena *a, const struct sqs_config *c,
                           const struct sqs_draft *draft, struct sqs_checked *ret_checked,
                           struct fault *f)
{
    struct sqs_checked out = {.delay_s = draft->has_delay && !c->fifo ? draft->delay_s : c->delay_s,
                              .size = sqs_draft_size(draft)};
    if (out.delay_s < 0 || out.delay_s > SQS_DELAY_MAX_S)
        return fault_set(a, f, &sqs_err_invalid_parameter_value,
                         "Value %lld for parameter DelaySeconds is invalid. Reason: "
                         "DelaySeconds must be >= 0 and <= 900.",
                         (long long)out.delay_s);
    TRY(check_attrs(a, draft->attributes, &out, f));
    TRY(check_system(a, draft->system, &out, f));
    TRY(check_body(a, c, draft->body, &out, f));
    TRY(check_fifo(a, c, draft, &out, f));
    out.body.sender = draft->sender;
    if (!str_is_set(out.body.trace) && draft->trace.len <= TRACE_MAX && sqs_text_ok(draft->trace))
        out.body.trace = draft->trace;
    *ret_checked = out;
    return ERR_OK;
}
