/* Inside the service: records, and what the operations share.
 *
 * Invariants
 *   L1  A stream's record exists exactly while its group's does; its events are unreachable once it
 *       is gone, and swept later (tables 5 and 6).
 *   L2  Within a stream events are ordered by (timestamp, seq); seq grows with arrival.
 *   L3  Every stream has one entry in the by-time table, under the last event's timestamp that its
 *       record holds.
 *   L4  What retention has expired is never returned, swept or not.
 *   L5  An event of a group with a KMS key is stored sealed with a data key of the group, whose number it
 *       has; the data key is stored only as KMS sealed it. Both stay as they are when the group gets
 *       another key or none. So without KMS's consent nothing of it can be read. */
#ifndef WEIR_SVC_LOGS_LOGS_INT_H
#define WEIR_SVC_LOGS_LOGS_INT_H

#include <stdatomic.h>

#include "logs_api.h"

#include "base/arn.h"
#include "core/catalogue.h"
#include "core/core.h"
#include "core/page.h"
#include "lang/filter.h"
#include "svc/cloudwatch/cloudwatch_port.h"
#include "svc/kms/kms_port.h"
#include "svc/logs/logs.h"
#include "svc/logs/logs_keys.h"

enum {
    LOGS_PUT_BYTES_MAX = 1024 * 1024, /* messages plus LOGS_EVENT_OVERHEAD each */
    LOGS_EVENT_OVERHEAD = 26,
    LOGS_EVENT_BYTES_MAX = 1024 * 1024 - LOGS_EVENT_OVERHEAD,
    LOGS_PORT_EVENT_MAX = 256 * 1024, /* a function's log line is cut here */
    LOGS_PAGE_BYTES = 1024 * 1024,
    LOGS_PAGE_EVENTS = 10000,
    LOGS_EVENTS_FIRST = 32, /* for which a page has room at first */
    LOGS_DESCRIBE_MAX = 50,
    LOGS_FUTURE_MS = 2 * 60 * 60 * 1000,
    LOGS_SPAN_MS = 24 * 60 * 60 * 1000,
    LOGS_SCAN_EVENTS = 100 * 1000, /* looked at for one FilterLogEvents page */
    LOGS_MERGE_STREAMS = 256,      /* merged at a time by FilterLogEvents */
    LOGS_COUNT_STREAMS = 1000,     /* summed for a group's storedBytes */
    LOGS_SWEEP_PAUSE_MS = 60 * 60 * 1000,
    LOGS_POLICIES_MAX = 10, /* of an account and region */
    LOGS_POLICY_BYTES_MAX = 51200,
    LOGS_METRIC_FILTERS_MAX = 100, /* of a group */
    LOGS_METRIC_DIMS_MAX = 3,      /* of a filter's metric */
    LOGS_SUBSCRIPTIONS_MAX = 2,    /* of a group */
    LOGS_REGEX_FILTERS_MAX = 5, /* of a group: metric and subscription filters with expressions */
};
#define LOGS_PAST_MS ((int64_t)14 * 24 * 60 * 60 * 1000)
#define LOGS_DAY_MS ((int64_t)24 * 60 * 60 * 1000)

struct logs {
    struct core *core;
    struct logs_port port; /* what others use of this */
    const struct kms_port *kms;
    const struct cloudwatch_port *cloudwatch; /* NULL: the build has none */
    struct job_kind *sweep, *queries;
    struct logs_places *places;
    struct catalogue *policies;
};

/* How many queries have memory. Those that the job engine lets go last outlive the service. Home loop. */
struct logs_places {
    size_t running;
    size_t refs;
};

struct logs_policy {
    struct str name, document;
    int64_t updated_ms;
};

struct logs_policies {
    struct catalogue_object object;
    struct logs_policy v[LOGS_POLICIES_MAX];
    size_t n;
    struct str together; /* one document of all their statements */
};

struct logs_group {
    uint64_t id;
    int64_t created_ms;
    int64_t retention_days;  /* 0: for ever */
    bool protected_;         /* against deletion */
    struct str kms_key;      /* ARN; absent: none */
    uint32_t data_key;       /* number of the newest data key; 0: there never was one */
    uint32_t metric_filters; /* how many there are */
    uint32_t subscriptions;
};

/* A subscription filter. */
struct logs_sub {
    struct str pattern, destination;
    struct str distribution; /* said back; it is for streams of Kinesis */
    int64_t created_ms;
};

/* Events as they are put into a stream. */
struct logs_put {
    struct key_scope scope;
    struct str group_name, stream_name;
    uint64_t stream_id;
    const struct logs_event *events;
    size_t n;
    uint64_t first_seq;
};

/* A metric filter: what events matching a pattern are counted as. */
struct logs_metric_dim {
    struct str name, value; /* value: a selector */
};
struct logs_metric_rec {
    struct str pattern, name, space, value, unit;
    bool has_otherwise;
    double otherwise; /* the value of a minute in which events came and none matched */
    /* With it: the newest minute that has a value, and which of the 64 up to it have (bit 0: that one). */
    int64_t told_ms;
    uint64_t told;
    size_t n_dims;
    struct logs_metric_dim *dims;
    int64_t created_ms;
};

/* A data key of a group in use. Lifetime: the transaction's. */
struct logs_cipher {
    uint32_t number;        /* 0: none yet */
    struct str key;         /* KMS_DATA_KEY_BYTES */
    struct kms_refusal why; /* after ERR_DENIED */
    uint8_t *room;          /* for the text of one event */
    size_t room_bytes;
};

struct logs_stream {
    uint64_t id;
    int64_t created_ms;
    int64_t first_ms, last_ms; /* timestamps of events; last_ms 0: none yet */
    int64_t ingested_ms;
    uint64_t next_seq;
    uint64_t stored_bytes;
};

/* --- records (store.c) --- */

/* ERR_NOT_FOUND, and what the store says. */
enum err logs_read_group(struct txn *txn, struct key_scope scope, struct str name,
                         struct logs_group *ret) WARN_UNUSED;
enum err logs_write_group(struct txn *txn, struct key_scope scope, struct str name,
                          const struct logs_group *g) WARN_UNUSED;
enum err logs_parse_group(struct arena *a, struct str record, struct logs_group *ret) WARN_UNUSED;
enum err logs_read_stream(struct txn *txn, uint64_t group_id, struct str name,
                          struct logs_stream *ret) WARN_UNUSED;
enum err logs_parse_stream(struct arena *a, struct str record, struct logs_stream *ret) WARN_UNUSED;
/* Makes group or stream; ERR_EXISTS. */
enum err logs_make_group(struct txn *txn, struct key_scope scope, struct str name,
                         struct logs_group *g) WARN_UNUSED;
enum err logs_make_stream(struct txn *txn, uint64_t group_id, struct str name,
                          struct logs_stream *ret) WARN_UNUSED;
/* Removes the stream's records; its events are left to the sweep. */
enum err logs_drop_stream(struct txn *txn, uint64_t group_id, struct str name,
                          const struct logs_stream *s) WARN_UNUSED;
/* Appends events, in ascending order of time, and updates the stream's record (L2, L3). `cipher` is of
 * logs_cipher_to_write. */
enum err logs_append(struct txn *txn, uint64_t group_id, struct str name, struct logs_stream *s,
                     const struct logs_cipher *cipher, const struct logs_event *events,
                     size_t n) WARN_UNUSED;

struct logs_stored_event {
    int64_t timestamp;
    uint64_t seq;
    int64_t ingested_ms;
    struct str message; /* borrowed from the record */
    uint32_t data_key;  /* with which it is sealed; 0: in the clear */
};
enum err logs_parse_event(struct arena *a, struct str key, struct str record,
                          struct logs_stored_event *ret) WARN_UNUSED;

/* --- encryption (cipher.c) --- */

/* A new data key under the KMS key `key_arn`, which becomes the group's; the group is to be written after
 * it. ERR_DENIED with cipher->why: KMS refuses. */
enum err logs_cipher_new(struct logs *logs, struct txn *txn, struct key_scope scope,
                         struct str name, struct str key_arn, struct logs_group *g,
                         struct logs_cipher *cipher) WARN_UNUSED;
/* The data key that new events of the group are sealed with: none for a group without KMS key. Errors as
 * above. */
enum err logs_cipher_to_write(struct logs *logs, struct txn *txn, struct key_scope scope,
                              struct str name, const struct logs_group *g,
                              struct logs_cipher *cipher) WARN_UNUSED;
/* Puts the text of an event of the group in the place of what was stored: `cipher`'s (zeroed at first, it
 * keeps the data key) until the next one. Errors as above. */
enum err logs_cipher_open(struct logs *logs, struct txn *txn, struct key_scope scope,
                          struct str name, uint64_t group_id, struct str event_key,
                          struct logs_stored_event *e, struct logs_cipher *cipher) WARN_UNUSED;
/* The sealed text of an event; the text itself without a data key. */
enum err logs_cipher_seal(const struct logs_cipher *cipher, struct arena *a, struct str event_key,
                          struct str text, struct str *ret_stored) WARN_UNUSED;

/* What tells an event from all others of its group: decimal, as AWS's. STR_NONE: no memory. */
struct str logs_event_id(struct arena *a, int64_t timestamp, uint64_t stream_id, uint64_t seq);

/* Events older than this are expired (L4); INT64_MIN when they never are. */
int64_t logs_cutoff(const struct logs_group *g, int64_t now_ms);

/* --- for operations (logs_call.c) --- */

/* Name of a group given as name or ARN (with or without ":*"). STR_NONE: an ARN of something else,
 * or of a group in another account or region. */
struct str logs_group_name(const struct call *call, struct str name_or_arn);
/* The group that an operation names in one of two members; sets the service's error. */
enum err logs_need_group(struct call *call, struct str name, struct str identifier,
                         struct str *ret_name, struct logs_group *ret) WARN_UNUSED;
enum err logs_need_stream(struct call *call, uint64_t group_id, struct str name,
                          struct logs_stream *ret) WARN_UNUSED;
/* KMS's answer; of ERR_DENIED it makes the service's error. */
enum err logs_kms(struct call *call, enum err err, const struct logs_cipher *cipher) WARN_UNUSED;
/* page_scan's and page_open's answer; of ERR_INVALID it makes the service's error. */
enum err logs_paged(struct call *call, enum err err) WARN_UNUSED;

/* filter_parse; of a bad pattern it makes the service's error. */
enum err logs_pattern(struct call *call, struct str pattern, struct filter *ret) WARN_UNUSED;

/* Whether the group may have one more filter with regular expressions, where `f` has some, in the place of
 * the subscription or metric filter of this name; else the service's error. O(filters of the group). */
enum err logs_regex_room(struct call *call, uint64_t group_id, bool subscription, struct str name,
                         const struct filter *f) WARN_UNUSED;

/* What new events of a group cause, staged with them (P2): figures, metrics, deliveries. */
enum err logs_events_put(struct logs *logs, struct txn *txn, const struct logs_group *g,
                         const struct logs_put *put) WARN_UNUSED;

/* --- subscriptions (subscription.c) --- */

enum err logs_sub_read(struct txn *txn, uint64_t group_id, struct str name,
                       struct logs_sub *ret) WARN_UNUSED;
enum err logs_sub_parse(struct arena *a, struct str record, struct logs_sub *ret) WARN_UNUSED;
enum err logs_sub_write(struct txn *txn, uint64_t group_id, struct str name,
                        const struct logs_sub *sub) WARN_UNUSED;
/* Sends new events to who subscribed to the group. What cannot be sent is told of in the log and as a
 * metric, and does not keep the events from being stored. */
enum err logs_subscribers_send(struct logs *logs, struct txn *txn, const struct logs_group *g,
                               const struct logs_put *put) WARN_UNUSED;
/* Sends the function a message that says nothing, as AWS does before it takes a subscription. Errors as
 * target_stage. */
enum err logs_subscriber_try(struct logs *logs, struct txn *txn, struct key_scope scope,
                             struct str group, struct str function) WARN_UNUSED;

/* --- events as metrics (metric_filter.c, embedded.c) --- */

enum err logs_metric_read(struct txn *txn, uint64_t group_id, struct str name,
                          struct logs_metric_rec *ret) WARN_UNUSED;
enum err logs_metric_parse(struct arena *a, struct str record,
                           struct logs_metric_rec *ret) WARN_UNUSED;
enum err logs_metric_write(struct txn *txn, uint64_t group_id, struct str name,
                           const struct logs_metric_rec *rec) WARN_UNUSED;
/* What new events of a group are as metrics, staged with them: by its filters, and by what events in the
 * embedded metric format say of themselves. */
enum err logs_events_as_metrics(struct logs *logs, struct txn *txn, struct key_scope scope,
                                const struct logs_group *g, const struct logs_event *events,
                                size_t n) WARN_UNUSED;
/* One event in the embedded metric format; any other is fine. */
enum err logs_embedded(struct logs *logs, struct txn *txn, struct key_scope scope,
                       const struct logs_event *e) WARN_UNUSED;
/* Puts what was gathered; what cannot be a metric is left out. */
enum err logs_put_metric(struct logs *logs, struct txn *txn, struct key_scope scope,
                         struct cw_datum *datum) WARN_UNUSED;

/* --- policies (logs_policy.c) --- */

enum err logs_policies_init(struct logs *logs) WARN_UNUSED;
enum err logs_policies_load(struct txn *txn, void *logs) WARN_UNUSED;
/* Read tracked; none is an empty one. */
enum err logs_policies_read(struct logs *logs, struct txn *txn, struct key_scope scope,
                            struct logs_policies **ret) WARN_UNUSED;
enum err logs_policies_write(struct logs *logs, struct txn *txn, struct key_scope scope,
                             const struct logs_policies *p) WARN_UNUSED;
/* core's question (core/svc.h). */
enum err logs_resource_policy(void *self, struct txn *txn, struct str arn, struct str *ret_json);

/* logs_target.c */
extern const struct target_kind logs_targets[1];

/* logs_measure.c: what is put into a group is told once it is committed. */
enum err logs_measure_staged(struct txn *txn, struct key_scope scope, struct str group,
                             const struct logs_event *events, size_t n) WARN_UNUSED;

/* op_tags.c */
extern const struct tags_service logs_tags;
/* The group's ARN as its tags are kept; STR_NONE on exhaustion. */
struct str logs_group_arn(struct call *call, struct str name);

/* op_query.c: StartQuery, of each group that it names (core/svc.h). */
enum err logs_authorize_more(struct call *call, const void *in);
/* query_run.c: makes the job that runs queries; before the jobs start. */
enum err logs_queries_register(struct logs *logs) WARN_UNUSED;
/* Accepts NULL. */
void logs_places_unref(struct logs_places *places);

/* Any thread: something was deleted, the sweep should look. For txn_on_commit. */
void logs_sweep_soon(void *logs);
/* Makes the job of it; before the jobs start. ERR_NOMEM. */
enum err logs_sweep_register(struct logs *logs) WARN_UNUSED;

#endif
