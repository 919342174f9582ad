/* Delivery policies: how often and when an HTTP endpoint is tried again, and with which content type.
 *
 * A topic has {"http": {"defaultHealthyRetryPolicy", "defaultRequestPolicy",
 * "disableSubscriptionOverrides"}}, a subscription {"healthyRetryPolicy", "requestPolicy"}; what is
 * not said in one holds as the other says, and then as AWS's default. Throttling is refused: nothing
 * here counts deliveries by the second.
 *
 * AWS draws the four functions of backing off without giving formulas. Here the delay goes from the
 * least to the greatest by the square, cube or a mean of the retry's place, or in a straight line.
 *
 * Source: SNS developer guide, "Creating an HTTP delivery policy".
 * Layer: svc/sns. Thread: pure. */
#include "codec/json.h"
#include "svc/sns/sns_int.h"

enum { RETRIES_MAX = 100, DELAY_MAX_S = 3600, TEXT_MAX = 4096 };

static const struct sns_retry default_retry = {
    .min_delay_s = 20, .max_delay_s = 20, .retries = 3, .backoff = SNS_LINEAR};
static const struct str default_type = STR_INIT("text/plain; charset=UTF-8");

static const struct str backoffs[SNS_BACKOFFS] = {
    [SNS_LINEAR] = STR_INIT("linear"),
    [SNS_ARITHMETIC] = STR_INIT("arithmetic"),
    [SNS_GEOMETRIC] = STR_INIT("geometric"),
    [SNS_EXPONENTIAL] = STR_INIT("exponential"),
};
static const struct {
    struct str name;
    size_t offset;
} numbers[] = {
    {STR_INIT("minDelayTarget"), offsetof(struct sns_retry, min_delay_s)},
    {STR_INIT("maxDelayTarget"), offsetof(struct sns_retry, max_delay_s)},
    {STR_INIT("numRetries"), offsetof(struct sns_retry, retries)},
    {STR_INIT("numMaxDelayRetries"), offsetof(struct sns_retry, at_max)},
    {STR_INIT("numNoDelayRetries"), offsetof(struct sns_retry, no_delay)},
    {STR_INIT("numMinDelayRetries"), offsetof(struct sns_retry, at_min)},
};

/* --- reading ---------------------------------------------------------------------------------- */

static enum err bad(const char **ret_why, const char *why)
{
    *ret_why = why;
    return ERR_INVALID;
}

static bool is_null(const struct json *v)
{
    return !v || v->kind == JSON_NULL;
}

static enum err take_retry_member(const struct json *m, struct sns_retry *r, const char **ret_why)
{
    if (str_eq_c(m->key, "backoffFunction")) {
        for (unsigned i = 0; i < SNS_BACKOFFS; i++)
            if (m->kind == JSON_STRING && str_eq(m->text, backoffs[i])) {
                r->backoff = (enum sns_backoff)i;
                return ERR_OK;
            }
        return bad(ret_why, "DeliveryPolicy: backoffFunction must be one of linear, arithmetic, "
                            "geometric, exponential");
    }
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        int64_t *to = (int64_t *)(void *)((char *)r + numbers[i].offset);
        if (!str_eq(m->key, numbers[i].name))
            continue;
        if (m->kind != JSON_NUMBER || json_to_i64(m, to) != ERR_OK || *to < 0)
            return bad(ret_why, "DeliveryPolicy: the values of a retry policy must be whole "
                                "numbers of zero or more");
        return ERR_OK;
    }
    return bad(ret_why, "DeliveryPolicy: unknown member of a retry policy");
}

static enum err take_retry(const struct json *v, struct sns_delivery *d, const char **ret_why)
{
    struct sns_retry r = default_retry;
    if (v->kind != JSON_OBJECT)
        return bad(ret_why, "DeliveryPolicy: a retry policy must be an object");
    JSON_EACH (v, m)
        if (!is_null(m))
            TRY(take_retry_member(m, &r, ret_why));
    if (r.min_delay_s < 1 || r.min_delay_s > r.max_delay_s || r.max_delay_s > DELAY_MAX_S)
        return bad(ret_why, "DeliveryPolicy: minDelayTarget must be 1 or more, maxDelayTarget "
                            "between that and 3600");
    if (r.retries > RETRIES_MAX)
        return bad(ret_why, "DeliveryPolicy: numRetries must be less than or equal to 100");
    if (r.no_delay > RETRIES_MAX || r.at_min > RETRIES_MAX || r.at_max > RETRIES_MAX ||
        r.no_delay + r.at_min + r.at_max > r.retries)
        return bad(ret_why, "DeliveryPolicy: numRetries must be greater than or equal to the sum "
                            "of numMinDelayRetries, numNoDelayRetries and numMaxDelayRetries");
    d->retry = r;
    d->has_retry = true;
    return ERR_OK;
}

static enum err take_request(const struct json *v, struct sns_delivery *d, const char **ret_why)
{
    static const struct str types[] = {
        STR_INIT("application/json"),
        STR_INIT("application/octet-stream"),
        STR_INIT("application/soap+xml"),
        STR_INIT("application/x-www-form-urlencoded"),
        STR_INIT("application/xml"),
        STR_INIT("application/atom+xml"),
        STR_INIT("text/css"),
        STR_INIT("text/csv"),
        STR_INIT("text/html"),
        STR_INIT("text/plain"),
        STR_INIT("text/xml"),
    };
    struct str type = json_get_str(v, STR("headerContentType")), rest = type;
    struct str media = str_trim(str_cut(&rest, ';'));
    JSON_EACH (v, m)
        if (!str_eq_c(m->key, "headerContentType"))
            return bad(ret_why, "DeliveryPolicy: unknown member of a request policy");
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_eq_nocase(media, types[i]) && type.len < 128 && str_is_utf8(type)) {
            d->content_type = type;
            return ERR_OK;
        }
    return bad(ret_why, "DeliveryPolicy: headerContentType is not supported");
}

static enum err take_member(const struct json *m, bool of_topic, struct sns_delivery *d,
                            const char **ret_why)
{
    struct str name = m->key;
    if (str_eq_c(name, of_topic ? "defaultHealthyRetryPolicy" : "healthyRetryPolicy"))
        return take_retry(m, d, ret_why);
    if (str_eq_c(name, of_topic ? "defaultRequestPolicy" : "requestPolicy"))
        return take_request(m, d, ret_why);
    if (str_eq_c(name, of_topic ? "defaultThrottlePolicy" : "throttlePolicy"))
        return bad(ret_why, "DeliveryPolicy: throttle policies are not supported by Weir");
    if (of_topic && str_eq_c(name, "disableSubscriptionOverrides") && m->kind == JSON_BOOL) {
        d->no_override = m->b;
        return ERR_OK;
    }
    bool told = !of_topic && str_eq_c(name, "guaranteed"); /* as AWS shows it, always false */
    return told && m->kind == JSON_BOOL && !m->b
               ? ERR_OK
               : bad(ret_why, "DeliveryPolicy: unknown or malformed member");
}

enum err sns_delivery_parse(struct arena *a, struct str text, bool of_topic,
                            struct sns_delivery *ret, const char **ret_why)
{
    struct sns_delivery d = {.retry = default_retry};
    struct json *doc;
    if (str_empty(text)) {
        *ret = d;
        return ERR_OK;
    }
    if (text.len > SNS_DELIVERY_POLICY_MAX)
        return bad(ret_why, "DeliveryPolicy: too long");
    enum err err = json_parse(a, text, &doc, NULL);
    if (err == ERR_NOMEM)
        return err;
    if (err || doc->kind != JSON_OBJECT)
        return bad(ret_why, "DeliveryPolicy: failed to parse JSON");
    const struct json *members = doc;
    if (of_topic) {
        members = json_get(doc, STR("http"));
        if (doc->n != 1 || !members || members->kind != JSON_OBJECT)
            return bad(ret_why, "DeliveryPolicy: it must have the one member http");
    }
    JSON_EACH (members, m)
        if (!is_null(m))
            TRY(take_member(m, of_topic, &d, ret_why));
    *ret = d;
    return ERR_OK;
}

/* --- what holds ------------------------------------------------------------------------------- */

struct sns_delivery sns_delivery_effective(const struct sns_delivery *topic,
                                           const struct sns_delivery *sub)
{
    struct sns_delivery d = *topic;
    if (!d.has_retry)
        d.retry = default_retry;
    if (sub && sub->has_retry && !topic->no_override)
        d.retry = sub->retry;
    if (sub && str_is_set(sub->content_type) && !topic->no_override)
        d.content_type = sub->content_type;
    if (!str_is_set(d.content_type))
        d.content_type = default_type;
    return d;
}

static void put_retry(struct json_out *o, const struct sns_retry *r)
{
    json_open(o, '{');
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        json_kv_i64(o, numbers[i].name,
                    *(const int64_t *)(const void *)((const char *)r + numbers[i].offset));
    json_kv_str(o, STR("backoffFunction"), backoffs[r->backoff]);
    json_close(o, '}');
}

static void put_request(struct json_out *o, struct str content_type)
{
    json_open(o, '{');
    json_kv_str(o, STR("headerContentType"), content_type);
    json_close(o, '}');
}

struct str sns_delivery_text(struct arena *a, const struct sns_delivery *d, bool of_topic)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, a, TEXT_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    if (of_topic) {
        json_key(&o, STR("http"));
        json_open(&o, '{');
        json_key(&o, STR("defaultHealthyRetryPolicy"));
        put_retry(&o, &d->retry);
        json_kv_bool(&o, STR("disableSubscriptionOverrides"), d->no_override);
        json_key(&o, STR("defaultRequestPolicy"));
        put_request(&o, d->content_type);
        json_close(&o, '}');
    } else {
        json_key(&o, STR("healthyRetryPolicy"));
        put_retry(&o, &d->retry);
        json_key(&o, STR("sicklyRetryPolicy"));
        json_null(&o);
        json_key(&o, STR("throttlePolicy"));
        json_null(&o);
        json_key(&o, STR("requestPolicy"));
        put_request(&o, d->content_type);
        json_kv_bool(&o, STR("guaranteed"), false);
    }
    json_close(&o, '}');
    return buf_err(&b) ? STR_NONE : buf_str(&b);
}

/* --- when ------------------------------------------------------------------------------------- */

int64_t sns_retry_delay_ms(const struct sns_retry *r, int n)
{
    int64_t backing = r->retries - r->no_delay - r->at_min - r->at_max;
    int64_t place = n - r->no_delay - r->at_min; /* from 1 in the phase of backing off */
    if (n <= r->no_delay)
        return 0;
    if (place <= 0 || backing == 1)
        return r->min_delay_s * 1000;
    if (place > backing)
        return r->max_delay_s * 1000;
    double f = (double)(place - 1) / (double)(backing - 1);
    switch (r->backoff) {
    case SNS_ARITHMETIC:
        f = (f + f * f) / 2;
        break;
    case SNS_GEOMETRIC:
        f = f * f;
        break;
    case SNS_EXPONENTIAL:
        f = f * f * f;
        break;
    case SNS_LINEAR:
    case SNS_BACKOFFS:
        break;
    }
    return r->min_delay_s * 1000 + (int64_t)(f * (double)(r->max_delay_s - r->min_delay_s) * 1000);
}
