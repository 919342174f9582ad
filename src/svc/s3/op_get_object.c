/* GetObject, HeadObject, GetObjectAttributes. Layer: svc. */
#include "svc/s3/s3_life.h"
#include "svc/s3/s3_lock.h"
#include "svc/s3/s3_read.h"
#include "svc/s3/s3_sse.h"

#include <inttypes.h>

#include "base/clock.h"
#include "codec/mime.h"

/* What part of an object a request wants. */
struct wanted {
    uint64_t from, len;
    bool partial;
    bool whole_part;         /* asked for by part number */
    struct s3_part_rec part; /* then: it */
    uint64_t n_parts;
};

static enum err range_error(struct call *call, struct str range, uint64_t size)
{
    char text[24];
    int n = snprintf(text, sizeof(text), "%" PRIu64, size);
    TRY(call_error_detail(call, "RangeRequested", range));
    TRY(call_error_detail(call, "ActualObjectSize", str_dup(call->arena, str_n(text, (size_t)n))));
    TRY(call_reply_header(call, STR("Content-Range"),
                          str_fmt(call->arena, "bytes */%" PRIu64, size)));
    return call_error(call, &s3_err_invalid_range, "The requested range is not satisfiable");
}

static enum err want_part(struct call *call, const struct s3_object_rec *rec, int64_t number,
                          struct wanted *w)
{
    if (number < 1 || number > S3_PARTS_MAX)
        return s3_bad_argument(call, "partNumber", str_fmt(call->arena, "%" PRId64, number),
                               "Part number must be an integer between 1 and 10000, inclusive");
    if (rec->body.kind != S3_BODY_PARTS) {
        if (number != 1)
            return call_error(call, &s3_err_invalid_part_number,
                              "The requested partnumber is not satisfiable");
        w->part = (struct s3_part_rec){.number = 1, .size = rec->size, .sum = rec->sum};
        w->whole_part = w->partial = true;
        return ERR_OK;
    }
    struct s3_manifest m;
    TRY(s3_body_manifest(call->txn, &rec->body, &m));
    w->n_parts = m.n;
    uint64_t from = 0;
    for (size_t i = 0; i < m.n; from += m.parts[i].size, i++) {
        if (m.parts[i].number != number)
            continue;
        w->from = from;
        w->len = m.parts[i].size;
        w->part = m.parts[i];
        w->whole_part = w->partial = true;
        return ERR_OK;
    }
    return call_error(call, &s3_err_invalid_part_number,
                      "The requested partnumber is not satisfiable");
}

/* Whether If-Range (RFC 9110 section 13.1.5) lets the range stand: it names this object by a strong
 * tag or the second of its change. */
static bool range_holds(struct call *call, const struct s3_object_rec *rec)
{
    struct str given = wire_header_get(call->request, STR("If-Range"));
    int64_t at_ms;
    if (!str_is_set(given))
        return true;
    if (clock_parse_http(given, &at_ms) == ERR_OK)
        return rec->modified_ms / 1000 == at_ms / 1000;
    return !str_starts(given, STR("W/")) && !str_eq_c(given, "*") &&
           s3_etag_listed(given, rec->etag);
}

static enum err want(struct call *call, const struct s3_object_rec *rec, struct str range,
                     bool has_part, int64_t part, struct wanted *w)
{
    *w = (struct wanted){.len = rec->size};
    if (has_part) {
        if (str_is_set(range))
            return call_error(call, &s3_err_invalid_request,
                              "Cannot specify both Range header and partNumber query parameter");
        return want_part(call, rec, part, w);
    }
    if (str_is_set(range) && !range_holds(call, rec))
        return ERR_OK;
    switch (s3_parse_range(range, rec->size, &w->from, &w->len)) {
    case S3_RANGE_NONE:
        w->from = 0;
        w->len = rec->size;
        return ERR_OK;
    case S3_RANGE_OK:
        w->partial = true;
        return ERR_OK;
    case S3_RANGE_UNSATISFIABLE:
        break;
    }
    return range_error(call, range, rec->size);
}

static enum err check_conditions(struct call *call, const struct s3_conditions *c,
                                 const struct s3_object_rec *rec, bool versioned)
{
    struct str which = STR_NONE;
    char date[CLOCK_TEXT_MAX];
    switch (s3_check_conditions(c, rec->etag, rec->modified_ms, &which)) {
    case S3_GO:
        return ERR_OK;
    case S3_FAILED:
        TRY(call_error_detail(call, "Condition", which));
        return call_error(call, &s3_err_precondition_failed,
                          "At least one of the pre-conditions you specified did not hold");
    case S3_NOT_MODIFIED:
        break;
    }
    TRY(call_reply_header(call, STR("ETag"), s3_quote(call->arena, rec->etag)));
    TRY(call_reply_header(call, STR("Last-Modified"), clock_http(date, rec->modified_ms)));
    if (versioned)
        TRY(call_reply_header(call, STR("x-amz-version-id"), rec->version_id));
    return call_error(call, &s3_err_not_modified, "Not Modified");
}

static struct s3_metadata give_metadata(struct arena *a, struct s3_pairs pairs)
{
    struct s3_metadata_entry *v = ARENA_ARRAY(a, struct s3_metadata_entry, pairs.n);
    for (size_t i = 0; v && i < pairs.n; i++)
        v[i] = (struct s3_metadata_entry){pairs.v[i].key, mime_words_encode(a, pairs.v[i].value)};
    return (struct s3_metadata){v, v ? pairs.n : 0};
}

/* Members that GetObject and HeadObject have in common, from the record and the overrides. */
#define FILL_HEAD(call, in, rec, w, versioned, out)                                                \
    do {                                                                                           \
        const struct s3_attrs *t_ = &(rec)->attrs;                                                 \
        (out)->accept_ranges = STR("bytes");                                                       \
        (out)->e_tag = s3_quote((call)->arena, (rec)->etag);                                       \
        WIRE_SET(out, last_modified, (rec)->modified_ms);                                          \
        (out)->content_type = override((in)->response_content_type, t_->content_type);             \
        (out)->cache_control = override((in)->response_cache_control, t_->cache_control);          \
        (out)->content_disposition =                                                               \
            override((in)->response_content_disposition, t_->content_disposition);                 \
        (out)->content_encoding = override((in)->response_content_encoding, t_->content_encoding); \
        (out)->content_language = override((in)->response_content_language, t_->content_language); \
        (out)->expires = (in)->has_response_expires                                                \
                             ? http_date((call)->arena, (in)->response_expires)                    \
                             : t_->expires;                                                        \
        (out)->website_redirect_location = t_->website_redirect;                                   \
        (out)->storage_class = s3_class_told(t_->storage_class);                                   \
        S3_TELL_SSE(out, &(rec)->sse);                                                             \
        S3_TELL_CUSTOMER(out, in);                                                                 \
        (out)->metadata = give_metadata((call)->arena, t_->metadata);                              \
        if (versioned)                                                                             \
            (out)->version_id = (rec)->version_id;                                                 \
        if (t_->tags.n > 0)                                                                        \
            WIRE_SET(out, tag_count, (int64_t)t_->tags.n);                                         \
        if ((w)->partial)                                                                          \
            (out)->content_range = content_range((call)->arena, (w), (rec)->size);                 \
        if ((w)->whole_part && (w)->n_parts)                                                       \
            WIRE_SET(out, parts_count, (int64_t)(w)->n_parts);                                     \
        if (str_eq_nocase((in)->checksum_mode, STR("ENABLED")) &&                                  \
            ((w)->len == (rec)->size || (w)->whole_part)) {                                        \
            const struct s3_sum *shown_ = (w)->whole_part ? &(w)->part.sum : &(rec)->sum;          \
            S3_SET_SUM(out, shown_);                                                               \
            (out)->checksum_type = s3_sum_type(&(rec)->sum);                                       \
        }                                                                                          \
    } while (0)

static struct str override(struct str asked, struct str stored)
{
    return str_is_set(asked) ? asked : stored;
}

static struct str http_date(struct arena *a, int64_t ms)
{
    char date[CLOCK_TEXT_MAX];
    return str_dup(a, clock_http(date, ms));
}

static struct str content_range(struct arena *a, const struct wanted *w, uint64_t size)
{
    if (w->len == 0)
        return STR_NONE;
    return str_fmt(a, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, w->from, w->from + w->len - 1,
                   size);
}

/* Everything up to the bytes: the version, the conditions, the range. */
struct lookup {
    struct s3_bucket_ref b;
    struct s3_object_rec rec;
    struct wanted w;
    bool versioned;
    struct s3_lock lock; /* as far as the caller may know */
};
#define LOOK_UP(call, in, ret)                                                                     \
    look_up(                                                                                       \
        (call), (in)->bucket, (in)->expected_bucket_owner, (in)->key, (in)->version_id,            \
        &(struct s3_conditions){                                                                   \
            .if_match = (in)->if_match,                                                            \
            .if_none_match = (in)->if_none_match,                                                  \
            .if_modified_since = (in)->has_if_modified_since ? (in)->if_modified_since : -1,       \
            .if_unmodified_since = (in)->has_if_unmodified_since ? (in)->if_unmodified_since : -1, \
            .now_ms = (call)->txn->wall_ms},                                                       \
        &S3_CUSTOMER(in), (ret))

static enum err look_up(struct call *call, struct str bucket, struct str owner, struct str key,
                        struct str version_id, const struct s3_conditions *conditions,
                        const struct s3_customer *customer, struct lookup *l)
{
    *l = (struct lookup){0};
    struct str own;
    TRY(s3_bucket_peek(call, bucket, owner, &l->b));
    TRY(s3_find_for_read(call, &l->b, key, version_id, &l->rec, NULL));
    TRY(s3_customer_check(call, &l->rec.sse, customer, &own));
    l->versioned = l->b.rec.versioning != S3_UNVERSIONED;
    if (l->b.rec.flags & S3_LOCKS)
        TRY(s3_lock_shown(call, &l->b, key, &l->rec.attrs.lock, &l->lock));
    return check_conditions(call, conditions, &l->rec, l->versioned);
}

#define TELL_LOCK(out, l)                                                                          \
    do {                                                                                           \
        const struct s3_lock *lock_ = &(l)->lock;                                                  \
        (out)->object_lock_mode = s3_lock_mode_name(lock_->mode);                                  \
        if (lock_->mode != S3_LOCK_NONE)                                                           \
            WIRE_SET(out, object_lock_retain_until_date, lock_->until_ms);                         \
        if (lock_->hold_given)                                                                     \
            (out)->object_lock_legal_hold_status = lock_->legal_hold ? STR("ON") : STR("OFF");     \
    } while (0)

/* Of a version that was asked for by its id nothing is said: it may not be the current one. */
static struct str expiration(struct call *call, const struct lookup *l, struct str key,
                             struct str version_id)
{
    if (l->b.rec.life.n == 0 || str_is_set(version_id))
        return STR_NONE;
    return s3_life_header(call->arena, &l->b.rec.life, key, &l->rec);
}

static enum err anonymous_overrides(struct call *call, const struct s3_get_object_input *in)
{
    bool any =
        str_is_set(in->response_cache_control) || str_is_set(in->response_content_disposition) ||
        str_is_set(in->response_content_encoding) || str_is_set(in->response_content_language) ||
        str_is_set(in->response_content_type) || in->has_response_expires;
    if (any && call->who->kind == PRINCIPAL_ANONYMOUS)
        return call_error(call, &s3_err_invalid_request,
                          "Request specific response headers cannot be used for anonymous GET "
                          "requests.");
    return ERR_OK;
}

static enum err send_body(struct call *call, const struct lookup *l,
                          const struct s3_get_object_input *in, struct str content_type)
{
    struct s3 *s3 = call->svc;
    struct s3_cipher cipher;
    TRY(s3_sse_need(call, &l->b, in->key, &l->rec.sse, &S3_CUSTOMER(in), &cipher));
    if (s3_body_is_small(&l->rec.body) || l->w.len == 0) {
        struct str bytes = STR("");
        if (l->w.len > 0)
            TRY(s3_body_bytes(call->txn, &l->rec.body, &bytes));
        TRY(s3_cipher_open(&cipher, &l->rec.body.id, call->arena, &bytes));
        call_reply_raw(call, content_type, str_sub(bytes, l->w.from, l->w.len));
        return ERR_OK;
    }
    struct s3_reader *reader;
    TRY(s3_reader_open(s3, call->txn, &l->rec, l->w.from, l->w.len, &cipher, &reader));
    call_reply_source(call, &(struct call_source){.ctx = reader,
                                                  .length = l->w.len,
                                                  .read = s3_reader_read,
                                                  .release = s3_reader_free});
    return ERR_OK;
}

enum err s3_get_object(struct call *call, const struct s3_get_object_input *in,
                       struct s3_get_object_output *out)
{
    struct lookup l;
    TRY(anonymous_overrides(call, in));
    TRY(LOOK_UP(call, in, &l));
    TRY(want(call, &l.rec, in->range, in->has_part_number, in->part_number, &l.w));
    FILL_HEAD(call, in, &l.rec, &l.w, l.versioned, out);
    S3_TELL_CHARGED(out, in, l.b.rec.flags);
    TELL_LOCK(out, &l);
    out->expiration = expiration(call, &l, in->key, in->version_id);
    if (!str_is_set(out->e_tag))
        return ERR_NOMEM;
    if (l.w.partial)
        call_reply_status(call, 206);
    return send_body(call, &l, in, out->content_type);
}

enum err s3_head_object(struct call *call, const struct s3_head_object_input *in,
                        struct s3_head_object_output *out)
{
    struct lookup l;
    struct s3_cipher cipher;
    TRY(LOOK_UP(call, in, &l));
    TRY(want(call, &l.rec, in->range, in->has_part_number, in->part_number, &l.w));
    FILL_HEAD(call, in, &l.rec, &l.w, l.versioned, out);
    S3_TELL_CHARGED(out, in, l.b.rec.flags);
    TELL_LOCK(out, &l);
    out->expiration = expiration(call, &l, in->key, in->version_id);
    if (!str_is_set(out->e_tag))
        return ERR_NOMEM;
    if (str_eq_nocase(in->checksum_mode, STR("ENABLED"))) /* which says something of the bytes */
        TRY(s3_sse_need(call, &l.b, in->key, &l.rec.sse, &S3_CUSTOMER(in), &cipher));
    WIRE_SET(out, content_length, (int64_t)l.w.len);
    if (l.w.partial)
        call_reply_status(call, 206);
    return ERR_OK;
}

/* --- attributes ------------------------------------------------------------------------------- */

static bool asked(const struct s3_object_attributes_list *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (str_eq_c(list->v[i], name))
            return true;
    return false;
}

static enum err give_parts(struct call *call, const struct s3_get_object_attributes_input *in,
                           const struct s3_object_rec *rec,
                           struct s3_get_object_attributes_output *out)
{
    struct s3_manifest m;
    int64_t after = in->has_part_number_marker ? in->part_number_marker : 0;
    size_t max;
    TRY(s3_list_size(call, "maxParts", in->has_max_parts, in->max_parts, &max));
    TRY(s3_body_manifest(call->txn, &rec->body, &m));
    struct s3_get_object_attributes_parts *p =
        ARENA_NEW(call->arena, struct s3_get_object_attributes_parts);
    struct s3_object_part *v = ARENA_ARRAY(call->arena, struct s3_object_part, min_size(max, m.n));
    if (!p || !v)
        return ERR_NOMEM;
    size_t n = 0;
    bool truncated = false;
    int64_t last = 0;
    for (size_t i = 0; i < m.n; i++) {
        if (m.parts[i].number <= after)
            continue;
        if (n == max) {
            truncated = true;
            break;
        }
        WIRE_SET(&v[n], part_number, m.parts[i].number);
        WIRE_SET(&v[n], size, (int64_t)m.parts[i].size);
        S3_SET_SUM(&v[n], &m.parts[i].sum);
        last = m.parts[i].number;
        n++;
    }
    WIRE_SET(p, total_parts_count, (int64_t)m.n);
    /* S3 lists the parts themselves only where each has a checksum of its own. */
    if (rec->sum.composite) {
        WIRE_SET(p, part_number_marker, after);
        WIRE_SET(p, next_part_number_marker, last);
        WIRE_SET(p, max_parts, (int64_t)max);
        WIRE_SET(p, is_truncated, truncated);
        p->parts = (struct s3_parts_list){v, n};
    }
    out->object_parts = p;
    return ERR_OK;
}

static enum err check_attributes(struct call *call, const struct s3_object_attributes_list *list)
{
    static const struct str names[] = {STR_INIT("ETag"), STR_INIT("Checksum"),
                                       STR_INIT("ObjectParts"), STR_INIT("StorageClass"),
                                       STR_INIT("ObjectSize")};
    if (list->n == 0)
        return call_error(call, &s3_err_invalid_request,
                          "The x-amz-object-attributes header specifying the attributes to be "
                          "retrieved is either missing or empty");
    for (size_t i = 0; i < list->n; i++) {
        size_t k = 0;
        while (k < ARRAY_LEN(names) && !str_eq(list->v[i], names[k]))
            k++;
        if (k == ARRAY_LEN(names))
            return s3_bad_argument(call, "x-amz-object-attributes", list->v[i],
                                   "Invalid attribute name specified.");
    }
    return ERR_OK;
}

enum err s3_get_object_attributes(struct call *call,
                                  const struct s3_get_object_attributes_input *in,
                                  struct s3_get_object_attributes_output *out)
{
    struct s3_bucket_ref b;
    struct s3_object_rec rec;
    struct str own;
    TRY(check_attributes(call, &in->object_attributes));
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    S3_TELL_CHARGED(out, in, b.rec.flags);
    TRY(s3_find_for_read(call, &b, in->key, in->version_id, &rec, NULL));
    TRY(s3_customer_check(call, &rec.sse, &S3_CUSTOMER(in), &own));
    WIRE_SET(out, last_modified, rec.modified_ms);
    if (b.rec.versioning != S3_UNVERSIONED)
        out->version_id = rec.version_id;
    if (asked(&in->object_attributes, "ETag"))
        out->e_tag = rec.etag;
    if (asked(&in->object_attributes, "StorageClass"))
        out->storage_class = s3_class_name(rec.attrs.storage_class);
    if (asked(&in->object_attributes, "ObjectSize"))
        WIRE_SET(out, object_size, (int64_t)rec.size);
    if (asked(&in->object_attributes, "Checksum") && rec.sum.algo != S3_NO_CHECKSUM) {
        struct s3_checksum *c = ARENA_NEW(call->arena, struct s3_checksum);
        if (!c)
            return ERR_NOMEM;
        struct s3_sum sum = rec.sum; /* here a composite one is told without its number of parts */
        sum.text = str_cut(&sum.text, '-');
        S3_SET_SUM(c, &sum);
        c->checksum_type = s3_sum_type(&rec.sum);
        out->checksum = c;
    }
    if (asked(&in->object_attributes, "ObjectParts") && rec.body.kind == S3_BODY_PARTS)
        return give_parts(call, in, &rec, out);
    return ERR_OK;
}
