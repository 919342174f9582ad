/* Event notifications: which rules an event meets, its document, and its staging with the cause.
 *
 * Source: S3 User Guide, "Event message structure", "Event notification types and destinations".
 * Layer: svc. Thread: the call's loop; the matching and the document are pure. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "codec/hash.h"
#include "codec/json.h"
#include "codec/percent.h"
#include "svc/s3/s3_int.h"

enum { EVENT_MAX = 64 * 1024, OWNER_ID_LEN = 14 };

bool s3_rule_matches(const struct s3_rule *rule, enum s3_event event, struct str key)
{
    return (rule->events & 1u << event) && str_starts(key, rule->prefix) &&
           str_ends(key, rule->suffix);
}

const char *s3_rules_overlap(const struct s3_rule *a, const struct s3_rule *b)
{
    if (!(a->events & b->events))
        return NULL;
    bool prefixes = str_starts(a->prefix, b->prefix) || str_starts(b->prefix, a->prefix);
    bool suffixes = str_ends(a->suffix, b->suffix) || str_ends(b->suffix, a->suffix);
    if (!prefixes || !suffixes)
        return NULL;
    if (a->prefix.len + a->suffix.len + b->prefix.len + b->suffix.len == 0)
        return "Configurations overlap. Configurations on the same bucket cannot share a common "
               "event type.";
    return "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if "
           "the prefixes are overlapping for the same event type.";
}

/* --- the document ----------------------------------------------------------------------------- */

static void put_object(struct json_out *o, const struct s3_happening *h)
{
    struct buf encoded;
    buf_init(&encoded, 3 * S3_KEY_BYTES_MAX);
    percent_put_form(&encoded, h->key, true);
    json_key(o, STR("object"));
    json_open(o, '{');
    json_kv_str(o, STR("key"), buf_str(&encoded));
    if (str_is_set(h->etag)) {
        bool created =
            h->event == S3_EVENT_PUT || h->event == S3_EVENT_COPY || h->event == S3_EVENT_COMPLETE;
        if (created)
            json_kv_i64(o, STR("size"), (int64_t)h->size);
        json_kv_str(o, STR("eTag"), h->etag);
    }
    json_kv_str(o, STR("versionId"), h->version_id);
    char sequencer[20];
    int n = snprintf(sequencer, sizeof(sequencer), "%018" PRIX64, h->seq);
    json_kv_str(o, STR("sequencer"), str_n(sequencer, (size_t)n));
    json_close(o, '}');
    buf_release(&encoded);
}

static void put_principal(struct json_out *o, struct str key, struct str principal)
{
    json_key(o, key);
    json_open(o, '{');
    json_kv_str(o, STR("principalId"), principal);
    json_close(o, '}');
}

static bool by_lifecycle(const struct s3_happening *h)
{
    return h->event == S3_EVENT_EXPIRED || h->event == S3_EVENT_EXPIRED_MARKER;
}

static struct str principal_id(struct call *call)
{
    const struct principal *who = call->who;
    if (who->kind == PRINCIPAL_SERVICE)
        return who->arn;
    if (!str_is_set(who->user_id))
        return STR("Anonymous");
    return str_fmt(call->arena, "AWS:" STR_FMT, STR_ARG(who->user_id));
}

/* The account as events name owners: "A" and 13 characters, apart from its number and its canonical
 * id. */
static struct str owner_id(struct call *call)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint8_t digest[HASH_SHA256_LEN];
    char id[OWNER_ID_LEN] = "A";
    hash_once(HASH_SHA256, call->account.p, call->account.len, digest);
    for (size_t i = 1; i < sizeof(id); i++)
        id[i] = letters[digest[i] % 32];
    return str_dup(call->arena, str_n(id, sizeof(id)));
}

void s3_event_json(struct buf *b, struct call *call, struct str bucket, const struct s3_rule *rule,
                   const struct s3_happening *h)
{
    char ts[CLOCK_TEXT_MAX];
    struct json_out o;
    json_out_init(&o, b);
    json_open(&o, '{');
    json_key(&o, STR("Records"));
    json_open(&o, '[');
    json_open(&o, '{');
    bool newer = h->event == S3_EVENT_TAGS_PUT || h->event == S3_EVENT_TAGS_DELETE ||
                 h->event == S3_EVENT_ACL_PUT || by_lifecycle(h);
    json_kv_str(&o, STR("eventVersion"), newer ? STR("2.3") : STR("2.1"));
    json_kv_str(&o, STR("eventSource"), STR("aws:s3"));
    json_kv_str(&o, STR("awsRegion"), call->region);
    json_kv_str(&o, STR("eventTime"), clock_iso8601_ms(ts, call->txn->wall_ms));
    json_kv_str(&o, STR("eventName"), s3_event_name(h->event));
    put_principal(&o, STR("userIdentity"), principal_id(call));
    json_key(&o, STR("requestParameters"));
    json_open(&o, '{');
    json_kv_str(&o, STR("sourceIPAddress"), call->source_ip);
    json_close(&o, '}');
    json_key(&o, STR("responseElements"));
    json_open(&o, '{');
    json_kv_str(&o, STR("x-amz-request-id"), call->request_id);
    json_kv_str(&o, STR("x-amz-id-2"), call->core->cfg.host_id);
    json_close(&o, '}');
    json_key(&o, STR("s3"));
    json_open(&o, '{');
    json_kv_str(&o, STR("s3SchemaVersion"), STR("1.0"));
    json_kv_str(&o, STR("configurationId"), rule->id);
    json_key(&o, STR("bucket"));
    json_open(&o, '{');
    json_kv_str(&o, STR("name"), bucket);
    put_principal(&o, STR("ownerIdentity"), owner_id(call));
    json_kv_str(&o, STR("arn"), s3_arn(call, bucket, STR_NONE));
    json_close(&o, '}');
    put_object(&o, h);
    json_close(&o, '}');
    json_close(&o, '}');
    json_close(&o, ']');
    json_close(&o, '}');
}

/* --- the event of the default bus ------------------------------------------------------------- */

static const struct {
    const char *detail_type, *reason, *deletion; /* NULL: none */
} bus_events[S3_EVENTS] = {
    [S3_EVENT_PUT] = {"Object Created", "PutObject", NULL},
    [S3_EVENT_COPY] = {"Object Created", "CopyObject", NULL},
    [S3_EVENT_COMPLETE] = {"Object Created", "CompleteMultipartUpload", NULL},
    [S3_EVENT_DELETE] = {"Object Deleted", "DeleteObject", "Permanently Deleted"},
    [S3_EVENT_MARKER] = {"Object Deleted", "DeleteObject", "Delete Marker Created"},
    [S3_EVENT_TAGS_PUT] = {"Object Tags Added", NULL, NULL},
    [S3_EVENT_TAGS_DELETE] = {"Object Tags Deleted", NULL, NULL},
    [S3_EVENT_EXPIRED] = {"Object Deleted", "Lifecycle Expiration", "Permanently Deleted"},
    [S3_EVENT_EXPIRED_MARKER] = {"Object Deleted", "Lifecycle Expiration", "Delete Marker Created"},
    [S3_EVENT_ACL_PUT] = {"Object ACL Updated", NULL, NULL},
};

/* Source: S3 User Guide, "EventBridge event message structure". */
static void bus_detail(struct buf *b, struct call *call, struct str bucket,
                       const struct s3_happening *h)
{
    char sequencer[20];
    struct json_out o;
    json_out_init(&o, b);
    json_open(&o, '{');
    json_kv_str(&o, STR("version"), STR("0"));
    json_key(&o, STR("bucket"));
    json_open(&o, '{');
    json_kv_str(&o, STR("name"), bucket);
    json_close(&o, '}');
    json_key(&o, STR("object"));
    json_open(&o, '{');
    json_kv_str(&o, STR("key"), h->key);
    if (str_eq_c(str_c(bus_events[h->event].detail_type), "Object Created"))
        json_kv_i64(&o, STR("size"), (int64_t)h->size);
    json_kv_str(&o, STR("etag"), h->etag);
    json_kv_str(&o, STR("version-id"), h->version_id);
    int n = snprintf(sequencer, sizeof(sequencer), "%018" PRIX64, h->seq);
    json_kv_str(&o, STR("sequencer"), str_n(sequencer, (size_t)n));
    json_close(&o, '}');
    json_kv_str(&o, STR("request-id"), call->request_id);
    json_kv_str(&o, STR("requester"),
                by_lifecycle(h)                  ? call->who->arn
                : str_is_set(call->who->account) ? call->who->account
                                                 : call->account);
    if (!by_lifecycle(h))
        json_kv_str(&o, STR("source-ip-address"), call->source_ip);
    json_kv_str(&o, STR("reason"), str_c(bus_events[h->event].reason));
    json_kv_str(&o, STR("deletion-type"), str_c(bus_events[h->event].deletion));
    json_close(&o, '}');
}

/* A service's events need no permission of the default bus. */
static enum err to_default_bus(struct call *call, const struct s3_bucket_ref *b,
                               const struct s3_happening *h)
{
    struct buf doc;
    struct str bucket = s3_arn(call, b->name, STR_NONE);
    struct target target = {.arn = call_arn(call, "events", "event-bus/default")};
    const struct target_event event = {
        .source = STR("aws.s3"),
        .detail_type = str_c(bus_events[h->event].detail_type),
        .resources = &bucket,
        .n_resources = 1,
    };
    buf_init_arena(&doc, call->arena, EVENT_MAX);
    bus_detail(&doc, call, b->name, h);
    if (!str_is_set(target.arn) || !str_is_set(bucket))
        return ERR_NOMEM;
    TRY(buf_err(&doc));
    return target_stage(call->txn, &target,
                        &(struct target_delivery){.payload = buf_str(&doc), .event = &event});
}

/* --- staging ---------------------------------------------------------------------------------- */

struct target s3_target(struct call *call, const struct s3_rule *rule, struct str bucket_arn)
{
    return (struct target){.arn = rule->arn,
                           .service = STR("s3.amazonaws.com"),
                           .source_arn = bucket_arn,
                           .source_account = call->account};
}

enum err s3_notify(struct call *call, const struct s3_bucket_ref *b, const struct s3_happening *h)
{
    for (size_t i = 0; i < b->rec.rules.n; i++) {
        const struct s3_rule *rule = &b->rec.rules.v[i];
        if (!s3_rule_matches(rule, h->event, h->key))
            continue;
        struct buf doc;
        buf_init_arena(&doc, call->arena, EVENT_MAX);
        s3_event_json(&doc, call, b->name, rule, h);
        TRY(buf_err(&doc));
        struct target target = s3_target(call, rule, s3_arn(call, b->name, STR_NONE));
        enum err err = target_stage(
            call->txn, &target,
            &(struct target_delivery){.payload = buf_str(&doc),
                                      .trace = call->impl ? call_trace(call) : STR_NONE,
                                      .subject = STR("Amazon S3 Notification")});
        /* A target that went away, withdrew its permission or takes no message of this size must
         * not stop writers: S3 drops the event and so does Weir, but says so. */
        if (target_fault(err))
            log_warn("s3", "event dropped: bucket=" STR_FMT " target=" STR_FMT " %s",
                     STR_ARG(b->name), STR_ARG(rule->arn), err_name(err));
        else
            TRY(err);
    }
    return b->rec.flags & S3_TO_EVENT_BUS ? to_default_bus(call, b, h) : ERR_OK;
}

enum err s3_notify_deletion(struct call *call, const struct s3_bucket_ref *b, struct str key,
                            const struct s3_deletion *d, enum s3_event removed,
                            enum s3_event made_marker)
{
    bool versioned = b->rec.versioning != S3_UNVERSIONED;
    if (!d->happened)
        return ERR_OK;
    return s3_notify(call, b,
                     &(struct s3_happening){.event = d->made_marker ? made_marker : removed,
                                            .key = key,
                                            .version_id = versioned ? d->version_id : STR_NONE,
                                            .etag = d->made_marker
                                                        ? STR("d41d8cd98f00b204e9800998ecf8427e")
                                                        : STR_NONE,
                                            .seq = d->seq});
}
