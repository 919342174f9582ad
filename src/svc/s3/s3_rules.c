/* Names, ranges, conditions, tags, listings. See s3_rules.h. Layer: svc. Thread: pure. */
#include "svc/s3/s3_rules.h"

#include <assert.h>

#include "base/rng.h"
#include "codec/hex.h"
#include "codec/percent.h"
#include "svc/s3/s3.h"

enum { BUCKET_NAME_MIN = 3, BUCKET_NAME_MAX = S3_BUCKET_NAME_MAX };

static bool is_lower_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Four decimal numbers: not allowed as a bucket's name. */
static bool looks_like_ipv4(struct str s)
{
    int parts = 0;
    while (str_is_set(s)) {
        struct str part = str_cut(&s, '.');
        if (part.len == 0 || part.len > 3)
            return false;
        for (size_t i = 0; i < part.len; i++)
            if (part.p[i] < '0' || part.p[i] > '9')
                return false;
        parts++;
    }
    return parts == 4;
}

bool s3_bucket_name_ok(struct str name)
{
    static const struct str bad_prefixes[] = {STR_INIT("xn--"), STR_INIT("sthree-"),
                                              STR_INIT("amzn-s3-demo-")};
    static const struct str bad_suffixes[] = {STR_INIT("-s3alias"), STR_INIT("--ol-s3"),
                                              STR_INIT(".mrap"), STR_INIT("--x-s3"),
                                              STR_INIT("--table-s3")};
    if (name.len < BUCKET_NAME_MIN || name.len > BUCKET_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];
        bool edge = i == 0 || i == name.len - 1;
        if (!is_lower_digit(c) && (edge || (c != '-' && c != '.')))
            return false;
        if (c == '.' && name.p[i + 1] == '.')
            return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(bad_prefixes); i++)
        if (str_starts(name, bad_prefixes[i]))
            return false;
    for (size_t i = 0; i < ARRAY_LEN(bad_suffixes); i++)
        if (str_ends(name, bad_suffixes[i]))
            return false;
    return !looks_like_ipv4(name);
}

bool s3_region_ok(struct str region)
{
    /* S3 API Reference, "CreateBucketConfiguration". */
    static const char *const regions[] = {
        "EU",
        "af-south-1",
        "ap-east-1",
        "ap-east-2",
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-south-1",
        "ap-south-2",
        "ap-southeast-1",
        "ap-southeast-2",
        "ap-southeast-3",
        "ap-southeast-4",
        "ap-southeast-5",
        "ap-southeast-6",
        "ap-southeast-7",
        "ca-central-1",
        "ca-west-1",
        "cn-north-1",
        "cn-northwest-1",
        "eu-central-1",
        "eu-central-2",
        "eu-north-1",
        "eu-south-1",
        "eu-south-2",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "il-central-1",
        "me-central-1",
        "me-south-1",
        "mx-central-1",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-gov-east-1",
        "us-gov-west-1",
        "us-west-1",
        "us-west-2",
    };
    for (size_t i = 0; i < ARRAY_LEN(regions); i++)
        if (str_eq_c(region, regions[i]))
            return true;
    return false;
}

/* "a-b" with either side maybe empty. */
static enum err split_range(struct str header, struct str *ret_from, struct str *ret_to)
{
    struct str unit = STR("bytes=");
    if (header.len < unit.len || !str_eq_nocase(str_sub(header, 0, unit.len), unit))
        return ERR_INVALID;
    struct str rest = str_trim(str_sub(header, unit.len, header.len));
    if (str_find(rest, '-') == SIZE_MAX || str_find(rest, ',') != SIZE_MAX)
        return ERR_INVALID;
    *ret_from = str_trim(str_cut(&rest, '-'));
    *ret_to = str_trim(rest);
    return ERR_OK;
}

enum s3_range_kind s3_parse_range(struct str header, uint64_t size, uint64_t *ret_from,
                                  uint64_t *ret_len)
{
    struct str a, b;
    uint64_t from, last = UINT64_MAX;
    if (!str_is_set(header) || split_range(header, &a, &b) != ERR_OK)
        return S3_RANGE_NONE;
    if (a.len == 0) {
        uint64_t n;
        if (str_to_u64(b, &n) != ERR_OK)
            return S3_RANGE_NONE;
        if (n == 0)
            return S3_RANGE_UNSATISFIABLE;
        if (size == 0) /* the last n bytes of nothing are nothing: all of it */
            return S3_RANGE_NONE;
        *ret_from = n < size ? size - n : 0;
        *ret_len = size - *ret_from;
        return S3_RANGE_OK;
    }
    if (str_to_u64(a, &from) != ERR_OK || (b.len > 0 && str_to_u64(b, &last) != ERR_OK) ||
        last < from)
        return S3_RANGE_NONE;
    if (from >= size)
        return S3_RANGE_UNSATISFIABLE;
    if (last > size - 1)
        last = size - 1;
    *ret_from = from;
    *ret_len = last - from + 1;
    return S3_RANGE_OK;
}

enum err s3_parse_copy_range(struct str header, uint64_t *ret_from, uint64_t *ret_last)
{
    struct str a, b;
    uint64_t from, last;
    TRY(split_range(header, &a, &b));
    if (str_to_u64(a, &from) != ERR_OK || str_to_u64(b, &last) != ERR_OK || last < from)
        return ERR_INVALID;
    *ret_from = from;
    *ret_last = last;
    return ERR_OK;
}

bool s3_key_leaves(struct str key)
{
    int depth = 0;
    while (str_is_set(key) && depth >= 0) {
        struct str part = str_cut(&key, '/');
        if (str_eq_c(part, ".."))
            depth--;
        else if (part.len > 0 && !str_eq_c(part, "."))
            depth++;
    }
    return depth < 0;
}

bool s3_etag_listed(struct str header, struct str etag)
{
    while (str_is_set(header)) {
        struct str one = str_trim(str_cut(&header, ','));
        if (str_eq_c(one, "*"))
            return true;
        if (str_starts(one, STR("W/")))
            one = str_sub(one, 2, one.len);
        if (one.len >= 2 && one.p[0] == '"' && one.p[one.len - 1] == '"')
            one = str_sub(one, 1, one.len - 2);
        if (str_eq(one, etag))
            return true;
    }
    return false;
}

enum s3_verdict s3_check_conditions(const struct s3_conditions *c, struct str etag,
                                    int64_t modified_ms, struct str *ret_which)
{
    /* HTTP dates have whole seconds. */
    int64_t modified_s = modified_ms / 1000;
    if (str_is_set(c->if_match)) {
        *ret_which = STR("If-Match");
        if (!s3_etag_listed(c->if_match, etag))
            return S3_FAILED;
    } else if (c->if_unmodified_since >= 0) {
        *ret_which = STR("If-Unmodified-Since");
        if (modified_s > c->if_unmodified_since / 1000)
            return S3_FAILED;
    }
    if (str_is_set(c->if_none_match)) {
        *ret_which = STR("If-None-Match");
        return s3_etag_listed(c->if_none_match, etag) ? S3_NOT_MODIFIED : S3_GO;
    }
    if (c->if_modified_since >= 0 && c->if_modified_since <= c->now_ms) {
        *ret_which = STR("If-Modified-Since");
        return modified_s <= c->if_modified_since / 1000 ? S3_NOT_MODIFIED : S3_GO;
    }
    return S3_GO;
}

static const struct str classes[S3_CLASSES] = {
    [S3_STANDARD] = STR_INIT("STANDARD"),
    [S3_REDUCED_REDUNDANCY] = STR_INIT("REDUCED_REDUNDANCY"),
    [S3_STANDARD_IA] = STR_INIT("STANDARD_IA"),
    [S3_ONEZONE_IA] = STR_INIT("ONEZONE_IA"),
    [S3_INTELLIGENT_TIERING] = STR_INIT("INTELLIGENT_TIERING"),
    [S3_GLACIER_IR] = STR_INIT("GLACIER_IR"),
};

struct str s3_class_name(enum s3_class c)
{
    assert(c < S3_CLASSES);
    return classes[c];
}

struct str s3_class_told(enum s3_class c)
{
    return c == S3_STANDARD ? STR_NONE : s3_class_name(c);
}

enum s3_class s3_class_of(struct str name)
{
    int c = 0;
    while (c < S3_CLASSES && !str_eq(classes[c], name))
        c++;
    return (enum s3_class)c;
}

enum err s3_parse_copy_source(struct arena *a, struct str header, struct s3_copy_source *ret_src)
{
    static const struct str marker = STR_INIT("?versionId=");
    struct s3_copy_source src = {.version_id = STR_NONE};
    size_t at = str_find_str(header, marker);
    if (at != SIZE_MAX) {
        TRY(percent_decode(a, str_sub(header, at + marker.len, header.len), false,
                           &src.version_id));
        header = str_sub(header, 0, at);
    }
    struct str path;
    TRY(percent_decode(a, header, false, &path));
    if (path.len > 0 && path.p[0] == '/')
        path = str_sub(path, 1, path.len);
    src.bucket = str_cut(&path, '/');
    src.key = path;
    if (src.bucket.len == 0 || src.key.len == 0 || src.key.len > S3_KEY_BYTES_MAX)
        return ERR_INVALID;
    *ret_src = src;
    return ERR_OK;
}

enum err s3_parse_tags(struct arena *a, struct str header, struct s3_pairs *ret_tags)
{
    struct percent_pair *pairs;
    size_t n;
    TRY(percent_parse_query(a, header, true, &pairs, &n));
    struct s3_pair *v = ARENA_ARRAY(a, struct s3_pair, n);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        v[i] =
            (struct s3_pair){pairs[i].key, str_is_set(pairs[i].value) ? pairs[i].value : STR("")};
    *ret_tags = (struct s3_pairs){v, n};
    return ERR_OK;
}

struct str s3_common_prefix_of(struct str key, struct str prefix, struct str delimiter)
{
    if (delimiter.len == 0)
        return STR_NONE;
    size_t at = str_find_str(str_sub(key, prefix.len, key.len), delimiter);
    return at == SIZE_MAX ? STR_NONE : str_sub(key, 0, prefix.len + at + delimiter.len);
}

bool s3_resume_at(struct str after, struct str prefix, struct str delimiter, struct str *ret_at)
{
    struct str group =
        str_starts(after, prefix) ? s3_common_prefix_of(after, prefix, delimiter) : STR_NONE;
    *ret_at = str_is_set(group) ? group : after;
    return str_is_set(group);
}

struct str s3_version_id_new(struct arena *a, uint64_t seq)
{
    uint8_t raw[16];
    for (int i = 0; i < 8; i++)
        raw[i] = (uint8_t)(seq >> (56 - 8 * i));
    rng_bytes(raw + 8, 8);
    return hex_encode(a, raw, sizeof(raw));
}

enum err s3_version_id_seq(struct str version_id, uint64_t *ret_seq)
{
    uint8_t raw[16];
    TRY(hex_decode_to(version_id, raw, sizeof(raw)));
    uint64_t seq = 0;
    for (int i = 0; i < 8; i++)
        seq = seq << 8 | raw[i];
    *ret_seq = seq;
    return ERR_OK;
}

/* --- events ----------------------------------------------------------------------------------- */

static const struct {
    struct str name; /* as in the document, without "s3:" */
} events[S3_EVENTS] = {
    [S3_EVENT_PUT] = {STR_INIT("ObjectCreated:Put")},
    [S3_EVENT_COPY] = {STR_INIT("ObjectCreated:Copy")},
    [S3_EVENT_COMPLETE] = {STR_INIT("ObjectCreated:CompleteMultipartUpload")},
    [S3_EVENT_DELETE] = {STR_INIT("ObjectRemoved:Delete")},
    [S3_EVENT_MARKER] = {STR_INIT("ObjectRemoved:DeleteMarkerCreated")},
    [S3_EVENT_TAGS_PUT] = {STR_INIT("ObjectTagging:Put")},
    [S3_EVENT_TAGS_DELETE] = {STR_INIT("ObjectTagging:Delete")},
    [S3_EVENT_EXPIRED] = {STR_INIT("LifecycleExpiration:Delete")},
    [S3_EVENT_EXPIRED_MARKER] = {STR_INIT("LifecycleExpiration:DeleteMarkerCreated")},
    [S3_EVENT_ACL_PUT] = {STR_INIT("ObjectAcl:Put")},
};

uint32_t s3_event_bits(struct str name)
{
    uint32_t bits = 0;
    if (!str_starts(name, STR("s3:")))
        return 0;
    name = str_sub(name, 3, name.len);
    for (int i = 0; i < S3_EVENTS; i++)
        if (str_glob(name, events[i].name))
            bits |= 1u << i;
    return bits;
}

struct str s3_event_name(enum s3_event event)
{
    assert(event < S3_EVENTS);
    return events[event].name;
}

void s3_rules_bits(struct s3_rules *rules)
{
    for (size_t i = 0; i < rules->n; i++) {
        struct s3_rule *r = &rules->v[i];
        r->events = 0;
        for (size_t k = 0; k < r->names.n; k++)
            r->events |= s3_event_bits(r->names.v[k]);
    }
}
