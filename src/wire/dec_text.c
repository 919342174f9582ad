/* Values written as text (heads, forms, XML), and what all decoders say of a wrong one.
 *
 * Layer: wire. Thread: pure. */
#include <assert.h>
#include <math.h>

#include "base/clock.h"
#include "codec/base64.h"
#include "wire/wire_int.h"

enum err wire_dec_fault(struct wire_dec *d, struct str message)
{
    assert(!d->fault->error); /* the first wrong value ends the decoding */
    d->fault->error = d->service->common[WIRE_E_SERIALIZATION];
    d->fault->message = message;
    return ERR_FAILED;
}

bool wire_is_set(const struct wire_member *m, const void *base)
{
    const void *v = wire_at(m, base);
    switch ((enum wire_kind)m->shape->kind) {
    case WIRE_STRING:
    case WIRE_BLOB:
    case WIRE_JSON_OUT:
        return ((const struct str *)v)->p != NULL;
    case WIRE_INT:
    case WIRE_BOOL:
    case WIRE_DOUBLE:
    case WIRE_TIME:
        assert(m->has_offset); /* a zero says nothing about presence */
        return *wire_has_at(m, base);
    case WIRE_STRUCT:
    case WIRE_JSON_IN:
        return *(const void *const *)v != NULL;
    case WIRE_LIST:
    case WIRE_MAP:
        return ((const struct wire_list *)v)->v != NULL;
    case WIRE_JSON_BOTH:
        return ((const struct wire_json *)v)->in || ((const struct wire_json *)v)->out.p;
    }
    return false;
}

/* --- scalars as text -------------------------------------------------------------------------- */

enum err wire_dec_bad_text(struct wire_dec *d, const struct wire_member *m, struct str text,
                           const char *what)
{
    /* S3 tells a wrong argument in the head from a document that does not fit its schema. */
    if (d->service->wording == WIRE_WORDING_S3 && str_is_set(m->at)) {
        struct str message = str_fmt(
            d->arena, "Provided " STR_FMT " not %s %s", STR_ARG(m->at), what[0] == 'i' ? "an" : "a",
            m->shape->kind == WIRE_INT ? "integer or within integer range" : what);
        enum err err = wire_dec_fault(d, message);
        d->fault->error = d->service->common[WIRE_E_VALIDATION];
        d->fault->name = m->at;
        d->fault->value = text;
        return err;
    }
    struct str cut = str_sub(text, 0, 100);
    return wire_dec_fault(d, str_fmt(d->arena, STR_FMT ": '" STR_FMT "' is not a valid %s.",
                                     STR_ARG(m->name), STR_ARG(cut), what));
}

enum err wire_dec_not_utf8(struct wire_dec *d, const struct wire_member *m)
{
    return wire_dec_fault(d, str_fmt(d->arena, STR_FMT " is not valid UTF-8.", STR_ARG(m->name)));
}

static enum err time_of_text(enum wire_time_format format, struct str text, int64_t *ret_ms)
{
    double seconds;
    switch (format) {
    case WIRE_TIME_HTTP:
        return clock_parse_http(text, ret_ms);
    case WIRE_TIME_EPOCH:
        TRY(str_to_f64(text, &seconds));
        if (!(seconds > -9e12 && seconds < 9e12))
            return ERR_INVALID;
        *ret_ms = (int64_t)(seconds * 1000 + (seconds < 0 ? -0.5 : 0.5));
        return ERR_OK;
    default:
        if (clock_parse_iso8601(text, ret_ms) == ERR_OK)
            return ERR_OK;
        return clock_parse_basic(text, ret_ms);
    }
}

static enum err int_of_text(const struct wire_shape *shape, struct str text, int64_t *ret_v)
{
    int64_t v;
    TRY(str_to_i64(str_trim(text), &v));
    if ((shape->flags & WIRE_INT32) && (v < INT32_MIN || v > INT32_MAX))
        return ERR_LIMIT;
    *ret_v = v;
    return ERR_OK;
}

bool wire_f64_of_word(struct str text, double *ret_v)
{
    bool infinite = str_ends(text, STR("Infinity"));
    if (str_eq(text, STR("NaN")))
        *ret_v = NAN;
    else if (infinite && text.len == 8)
        *ret_v = INFINITY;
    else if (infinite && text.len == 9 && text.p[0] == '-')
        *ret_v = -INFINITY;
    else
        return false;
    return true;
}

static enum err f64_of_text(struct str text, double *ret_v)
{
    return wire_f64_of_word(text, ret_v) ? ERR_OK : str_to_f64(text, ret_v);
}

static enum err bool_of_text(struct str text, bool *ret_v)
{
    text = str_trim(text);
    *ret_v = str_eq_nocase(text, STR("true"));
    return *ret_v || str_eq_nocase(text, STR("false")) ? ERR_OK : ERR_INVALID;
}

/* A condition whose date is none is as good as absent (RFC 9110 sections 13.1.3 and 13.1.4). */
static bool is_date_condition(const struct wire_member *m)
{
    static const struct str since = STR_INIT("odified-since");
    return m->shape->kind == WIRE_TIME && m->at.len > since.len &&
           str_eq_nocase(str_sub(m->at, m->at.len - since.len, since.len), since);
}

enum err wire_dec_text(struct wire_dec *d, const struct wire_member *m, struct str text,
                       enum wire_time_format time_default, void *dst, bool *has)
{
    enum wire_time_format format =
        m->time_format ? (enum wire_time_format)m->time_format : time_default;
    const char *what = NULL;
    enum err err = ERR_OK;
    switch ((enum wire_kind)m->shape->kind) {
    case WIRE_STRING:
        if (!str_is_utf8(text))
            return wire_dec_not_utf8(d, m);
        *(struct str *)dst = str_is_set(text) ? text : STR("");
        break;
    case WIRE_BLOB:
        what = "base64 text";
        err = base64_decode(d->arena, str_trim(text), dst);
        break;
    case WIRE_INT:
        what = "integer";
        err = int_of_text(m->shape, text, dst);
        break;
    case WIRE_BOOL:
        what = "boolean";
        err = bool_of_text(text, dst);
        break;
    case WIRE_DOUBLE:
        what = "number";
        err = f64_of_text(str_trim(text), dst);
        break;
    case WIRE_TIME:
        what = "timestamp";
        err = time_of_text(format, str_trim(text), dst);
        break;
    default:
        return wire_dec_bad_text(d, m, text, "structure");
    }
    if (err == ERR_NOMEM)
        return err;
    if (err != ERR_OK)
        return is_date_condition(m) ? ERR_OK : wire_dec_bad_text(d, m, text, what);
    if (has)
        *has = true;
    return ERR_OK;
}
