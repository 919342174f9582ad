/* What lifecycle rules say of an object. See s3_life.h. Layer: svc. Thread: pure. */
#include "svc/s3/s3_life.h"

#include <assert.h>

#include "base/clock.h"
#include "codec/percent.h"

int64_t s3_life_midnight(int64_t since_ms, int64_t days)
{
    assert(since_ms >= 0 && days >= 0 && days <= INT32_MAX);
    int64_t end = since_ms + days * S3_DAY_MS;
    return (end + S3_DAY_MS - 1) / S3_DAY_MS * S3_DAY_MS;
}

static bool has_tag(const struct s3_pairs *tags, const struct s3_pair *want)
{
    for (size_t i = 0; i < tags->n; i++)
        if (str_eq(tags->v[i].key, want->key) && str_eq(tags->v[i].value, want->value))
            return true;
    return false;
}

static bool covers_key(const struct s3_life_rule *r, struct str key)
{
    return r->enabled && (!str_is_set(r->prefix) || str_starts(key, r->prefix));
}

bool s3_life_covers(const struct s3_life_rule *r, struct str key, const struct s3_object_rec *rec)
{
    if (!covers_key(r, key))
        return false;
    bool of_objects = r->tags.n > 0 || r->over != S3_LIFE_NONE || r->under != S3_LIFE_NONE;
    if (rec->delete_marker)
        return !of_objects;
    if (r->over != S3_LIFE_NONE && rec->size <= (uint64_t)r->over)
        return false;
    if (r->under != S3_LIFE_NONE && rec->size >= (uint64_t)r->under)
        return false;
    for (size_t i = 0; i < r->tags.n; i++)
        if (!has_tag(&rec->attrs.tags, &r->tags.v[i]))
            return false;
    return true;
}

/* When the rule expires what it covers. */
static int64_t expiry_by(const struct s3_life_rule *r, int64_t modified_ms)
{
    if (r->days > 0)
        return s3_life_midnight(modified_ms, r->days);
    return r->date_ms != S3_LIFE_NONE ? r->date_ms : S3_LIFE_NEVER;
}

int64_t s3_life_expiry(const struct s3_life *life, struct str key, const struct s3_object_rec *rec,
                       const struct s3_life_rule **ret_rule)
{
    int64_t first_ms = S3_LIFE_NEVER;
    for (size_t i = 0; i < life->n; i++) {
        int64_t ms = expiry_by(&life->v[i], rec->modified_ms);
        if (ms >= first_ms || !s3_life_covers(&life->v[i], key, rec))
            continue;
        first_ms = ms;
        *ret_rule = &life->v[i];
    }
    return first_ms;
}

bool s3_life_drops_marker(const struct s3_life *life, struct str key,
                          const struct s3_object_rec *rec, int64_t now_ms)
{
    for (size_t i = 0; i < life->n; i++) {
        const struct s3_life_rule *r = &life->v[i];
        if (!r->expired_marker && expiry_by(r, rec->modified_ms) > now_ms)
            continue;
        if (s3_life_covers(r, key, rec))
            return true;
    }
    return false;
}

bool s3_life_drops_noncurrent(const struct s3_life *life, struct str key,
                              const struct s3_object_rec *rec, int64_t since_ms, uint64_t newer,
                              int64_t now_ms)
{
    for (size_t i = 0; i < life->n; i++) {
        const struct s3_life_rule *r = &life->v[i];
        if (r->noncurrent_days == 0 || newer < (uint64_t)r->noncurrent_kept ||
            s3_life_midnight(since_ms, r->noncurrent_days) > now_ms)
            continue;
        if (s3_life_covers(r, key, rec))
            return true;
    }
    return false;
}

bool s3_life_aborts(const struct s3_life *life, struct str key, int64_t since_ms, int64_t now_ms)
{
    for (size_t i = 0; i < life->n; i++) {
        const struct s3_life_rule *r = &life->v[i];
        if (r->abort_days > 0 && s3_life_midnight(since_ms, r->abort_days) <= now_ms &&
            covers_key(r, key))
            return true;
    }
    return false;
}

struct str s3_life_header(struct arena *a, const struct s3_life *life, struct str key,
                          const struct s3_object_rec *rec)
{
    char date[CLOCK_TEXT_MAX];
    const struct s3_life_rule *rule = NULL;
    int64_t ms = life->n > 0 ? s3_life_expiry(life, key, rec, &rule) : S3_LIFE_NEVER;
    if (ms == S3_LIFE_NEVER)
        return STR_NONE;
    struct str id = percent_encode(a, rule->id, false);
    if (!str_is_set(id))
        return STR_NONE;
    return str_fmt(a, "expiry-date=\"" STR_FMT "\", rule-id=\"" STR_FMT "\"",
                   STR_ARG(clock_http(date, ms)), STR_ARG(id));
}
