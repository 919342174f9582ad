/* Inside the service: records, what is in memory of them, and the way of an event.
 *
 *   PutEvents, a target's delivery, a schedule, a replay
 *      -> events_emit: match against the bus's index -> archives, and a piece of deliver/send.h
 *         for each target of each rule, all in the transaction that the event came in
 *
 * Invariants
 *   EV1  An event that was accepted is archived and has its pieces in one commit: all or nothing.
 *   EV2  The index of a bus is made anew at the first event after a rule or archive of its changed:
 *        an event meets every change that was in memory before it.
 *   EV3  An event that came from another bus is sent to no third one.
 *   EV4  Replayed events are not archived.
 *   EV5  A rule has a due key exactly while it has a schedule and is enabled.
 *   EV6  What a connection holds of secrets is sealed in the store, and no answer or line of the log shows
 *        it. */
#ifndef WEIR_SVC_EVENTS_EVENTS_INT_H
#define WEIR_SVC_EVENTS_EVENTS_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "events_api.h"

#include "base/arn.h"
#include "base/map.h"
#include "base/record.h"
#include "core/catalogue.h"
#include "core/core.h"
#include "core/observe.h"
#include "core/page.h"
#include "deliver/send.h"
#include "lang/pattern.h"
#include "svc/events/events.h"
#include "svc/events/events_keys.h"

#define EVENTS_PRINCIPAL "events.amazonaws.com"
#define EVENTS_DEFAULT "default"

enum {
    EVENTS_ENTRIES_BYTES_MAX = 256 * 1024, /* of all entries of a request */
    EVENTS_EVENT_BYTES_MAX = 1024 * 1024,  /* of one as JSON */
    EVENTS_BUSES_MAX = 100,                /* of an account and region, besides the default one */
    EVENTS_RULES_MAX = 10 * 1000,          /* of a bus */
    EVENTS_TARGETS_MAX = 5,                /* of a rule */
    EVENTS_TARGETS_PUT_MAX = 10,           /* of a request */
    EVENTS_PATHS_MAX = 100,                /* of an input transformer */
    EVENTS_ARCHIVES_MAX = 100,
    EVENTS_REPLAYS_MAX = 10,  /* at once */
    EVENTS_FILTERS_MAX = 100, /* rules that a replay names */
    EVENTS_POLICY_MAX = 10 * 1024,
    EVENTS_LIST_MAX = 100, /* of a page */
    EVENTS_RETRIES = 185,
    EVENTS_AGE_MAX_S = 24 * 60 * 60,
    EVENTS_SWEEP_PAUSE_MS = 60 * 60 * 1000,
    EVENTS_CONNECTIONS_MAX = 3000, /* of an account and region */
    EVENTS_DESTINATIONS_MAX = 3000,
    EVENTS_PARAMETERS_MAX = 100, /* of each list of a connection, and of a target */
    EVENTS_RATE_MAX = 300,       /* of an API destination */
};
#define EVENTS_DAY_MS ((int64_t)24 * 60 * 60 * 1000)

struct job_kind;
struct due_kind;

struct events {
    struct core *core;
    struct catalogue *buses, *rules, *archives;
    pthread_mutex_t lock; /* of `slots` and what hangs on them */
    struct map slots;     /* events_index.c's, by bus */
    struct due_kind *schedules, *tokens;
    struct job_kind *sweep, *replays;
    _Atomic uint64_t emitted, matched, homeless; /* events; pieces; to a bus that is not there */
};

/* --- records (events_record.c) ------------------------------------------------------------------ */

struct events_bus_rec {
    struct catalogue_object object;
    struct key_scope scope;
    struct str name, description, policy;
    int64_t created_ms, modified_ms; /* 0: the default bus, which always was */
};

struct events_path {
    struct str key, path;
};

struct events_target_rec {
    struct str id, arn, role;
    struct str input, input_path, template; /* at most one is set */
    struct events_path *paths;              /* of the template */
    size_t n_paths;
    struct str group_id, dead_letter;
    int64_t retries, age_max_s; /* -1: not given */
    struct target_http http;    /* of an API destination; values may be paths into the event */
};

struct events_rule_rec {
    struct catalogue_object object;
    struct key_scope scope;
    struct str bus, name;
    struct str pattern, schedule, description, role, created_by;
    bool disabled;
    int64_t start_ms; /* from when a rate counts */
    struct events_target_rec targets[EVENTS_TARGETS_MAX];
    size_t n_targets;
    struct pattern *parsed; /* NULL: no pattern */
};

struct events_archive_rec {
    struct catalogue_object object;
    uint64_t id;
    struct key_scope scope;
    struct str name, bus, description, pattern;
    int64_t retention_days; /* 0: for ever */
    int64_t created_ms;
    struct pattern *parsed; /* NULL: every event */
};

enum events_replay_state {
    EVENTS_STARTING,
    EVENTS_RUNNING,
    EVENTS_CANCELLING,
    EVENTS_COMPLETED,
    EVENTS_CANCELLED,
    EVENTS_FAILED,
    EVENTS_REPLAY_STATES,
};

struct events_replay_rec {
    struct str description, archive, bus;
    uint64_t archive_id;
    struct str *filters; /* ARNs of rules; none: all */
    size_t n_filters;
    int64_t from_ms, to_ms; /* times of events, from <= t < to */
    int64_t last_ms;        /* of the last one replayed; 0: none yet */
    int64_t started_ms, ended_ms;
    enum events_replay_state state;
};

struct events_count_rec {
    int64_t events, bytes;
};

enum events_auth_type { EVENTS_BASIC, EVENTS_API_KEY, EVENTS_OAUTH, EVENTS_AUTH_TYPES };

struct events_parameter {
    struct str key, value;
    bool secret; /* not shown */
};

struct events_parameters {
    struct events_parameter *headers, *query, *body;
    size_t n_headers, n_query, n_body;
};

/* How a connection makes itself known. Sealed as a whole (EV6). */
struct events_auth {
    enum events_auth_type type;
    struct str user,
        secret; /* name and password, name and value of a key, a client's id and secret */
    struct str endpoint, method; /* that gives tokens; OAUTH */
    struct events_parameters oauth, invocation;
    struct str token; /* absent: none yet */
};

enum events_connection_state {
    EVENTS_AUTHORIZED,
    EVENTS_AUTHORIZING,
    EVENTS_DEAUTHORIZED,
    EVENTS_CONNECTION_STATES,
};

struct events_connection_rec {
    struct str id; /* a UUID */
    struct str description, reason;
    enum events_auth_type type;
    enum events_connection_state state;
    uint64_t version; /* drawn anew whenever what authorises changes */
    struct str sealed;
    int64_t created_ms, modified_ms, authorized_ms; /* the last 0: never */
};

struct events_destination_rec {
    struct str id;                      /* a UUID */
    struct str description, connection; /* ARN */
    struct str endpoint, method;
    int64_t per_second;
    int64_t created_ms, modified_ms;
};

extern const struct record_type events_replay_type, events_count_type, events_connection_type,
    events_destination_type;

enum err events_records_init(struct events *ev) WARN_UNUSED;
enum err events_records_load(struct events *ev, struct txn *txn) WARN_UNUSED;
void events_records_release(struct events *ev);

/* The bus as the transaction sees it, read tracked; the default one always is. ERR_NOT_FOUND. */
enum err events_bus_read(struct events *ev, struct txn *txn, struct key_scope scope,
                         struct str name, struct events_bus_rec **ret) WARN_UNUSED;
enum err events_bus_put(struct events *ev, struct txn *txn,
                        const struct events_bus_rec *b) WARN_UNUSED;
enum err events_rule_read(struct events *ev, struct txn *txn, struct key_scope scope,
                          struct str bus, struct str name,
                          struct events_rule_rec **ret) WARN_UNUSED;
enum err events_rule_put(struct events *ev, struct txn *txn,
                         const struct events_rule_rec *r) WARN_UNUSED;
enum err events_archive_put(struct events *ev, struct txn *txn,
                            const struct events_archive_rec *r) WARN_UNUSED;
struct str events_rule_key(struct arena *a, const struct events_rule_rec *r);

/* --- names (events_names.c) --------------------------------------------------------------------- */

/* ARNs, in the arena; STR_NONE on exhaustion. */
struct str events_arn(struct arena *a, const struct core *core, struct key_scope scope,
                      const char *type, struct str name);
struct str events_rule_arn(struct arena *a, const struct core *core,
                           const struct events_rule_rec *r);
/* The name of a bus given by name or ARN of this account and region, or absent. ERR_NOT_FOUND: an
 * ARN of another. */
enum err events_bus_name(struct key_scope scope, struct str given,
                         struct str *ret_name) WARN_UNUSED;
/* The same for what events are put to, which may be another account's: whose it is. */
enum err events_bus_put_to(struct call *call, struct str given, struct key_scope *ret_scope,
                           struct str *ret_name) WARN_UNUSED;
/* Bus and name of a rule's ARN. ERR_INVALID. */
enum err events_rule_arn_parse(struct str arn, struct key_scope *ret_scope, struct str *ret_bus,
                               struct str *ret_name) WARN_UNUSED;
/* For operations: sets the service's error. */
enum err events_need_bus(struct call *call, struct str given,
                         struct events_bus_rec **ret) WARN_UNUSED;
enum err events_need_rule(struct call *call, struct str bus, struct str name,
                          struct events_rule_rec **ret) WARN_UNUSED;
#define EVENTS_INVALID(call, ...) call_error((call), &events_err_validation, __VA_ARGS__)
/* Absent and empty ones are fine: there is none. */
enum err events_check_pattern(struct call *call, struct str text) WARN_UNUSED;
/* A role that is handed over must be there and trust the service. Absent ones are fine. */
enum err events_check_role(struct call *call, struct str role) WARN_UNUSED;
/* Refuses customer keys: an empty one says AWS's own. */
enum err events_refuse_key(struct call *call, struct str kms_key) WARN_UNUSED;
/* page_start's and page_end's ERR_INVALID as the service says it. */
enum err events_paged(struct call *call, enum err err) WARN_UNUSED;

static inline struct events *events_of(const struct call *call)
{
    return call->svc;
}

/* --- the index of a bus (events_index.c) -------------------------------------------------------- */

struct events_index {
    _Atomic uint64_t refs;
    uint64_t generation, seq;
    struct arena arena;
    struct events_rule_rec **rules; /* those with a pattern, enabled */
    size_t n_rules;
    struct events_archive_rec **archives;
    size_t n_archives;
    struct pattern_set *set; /* rules, then archives with a pattern */
    struct events_archive_rec **set_archives, **all_archives;
    size_t n_set_archives, n_all_archives;
};

enum err events_index_take(struct events *ev, struct txn *txn, struct key_scope scope,
                           struct str bus, struct events_index **ret) WARN_UNUSED;
void events_index_unref(struct events_index *index);
/* Something of that bus changed. Any thread. */
void events_index_stale(struct events *ev, struct key_scope scope, struct str bus);
void events_indexes_free(struct events *ev);

/* --- an event (events_event.c) ------------------------------------------------------------------ */

/* Borrowed. */
struct events_event {
    struct key_scope scope;
    struct str bus;
    struct str text; /* the whole event as JSON */
    struct json *tree;
    int64_t time_ms; /* of the event */
    struct str trace;
    bool from_bus;
    const struct events_replay_rec *replay; /* NULL: it is none */
};

struct events_draft {
    struct str source, detail_type, detail;
    const struct str *resources;
    size_t n_resources;
    int64_t time_ms;
};

/* JSON text of a new event, and its id. ERR_NOMEM, ERR_LIMIT. */
enum err events_event_make(struct txn *txn, struct key_scope scope, const struct events_draft *d,
                           struct str *ret_text, struct str *ret_id) WARN_UNUSED;
/* The same event with a member more: "replay-name". */
enum err events_event_replayed(struct arena *a, struct str text, struct str replay,
                               struct str *ret_text) WARN_UNUSED;
/* Parses e->text into e->tree. ERR_INVALID, ERR_NOMEM. */
enum err events_event_parse(struct arena *a, struct events_event *e) WARN_UNUSED;
/* Matches and stages (EV1). Environment errors. */
enum err events_emit(struct events *ev, struct txn *txn, const struct events_event *e) WARN_UNUSED;
/* Stages what one rule's targets get. */
enum err events_send_targets(struct events *ev, struct txn *txn, const struct events_rule_rec *r,
                             const struct events_event *e) WARN_UNUSED;

/* --- what a target is sent (events_input.c) ----------------------------------------------------- */

/* A template that can give JSON, or lines of JSON texts; *ret_why otherwise. ERR_INVALID. */
enum err events_template_check(struct arena *a, struct str template,
                               const char **ret_why) WARN_UNUSED;
struct events_input_for {
    const struct events_target_rec *target;
    struct str rule_arn, rule_name;
    int64_t now_ms;
};
/* The payload of a target. ERR_NOMEM, ERR_LIMIT. */
enum err events_input_make(struct arena *a, const struct events_input_for *f, struct str text,
                           const struct json *event, struct str *ret_payload) WARN_UNUSED;

/* --- connections and API destinations ----------------------------------------------------------- */

/* A connection that was read, with its name; events_connection.c. */
struct events_connection_ref {
    struct key_scope scope;
    struct str name;
    struct events_connection_rec rec;
};

struct str events_connection_arn(struct arena *a, const struct core *core,
                                 const struct events_connection_ref *c);
/* By name, tracked. ERR_NOT_FOUND. */
enum err events_connection_read(struct txn *txn, struct key_scope scope, struct str name,
                                struct events_connection_ref *ret) WARN_UNUSED;
/* By ARN. ERR_NOT_FOUND: another one's, too. */
enum err events_connection_find(struct txn *txn, struct str arn,
                                struct events_connection_ref *ret) WARN_UNUSED;
enum err events_connection_put(struct txn *txn, const struct events_connection_ref *c) WARN_UNUSED;
/* Opens and seals what it holds. ERR_CORRUPT, ERR_NOMEM. */
enum err events_auth_open(struct txn *txn, const struct events_connection_rec *c,
                          struct events_auth *ret) WARN_UNUSED;
enum err events_auth_seal(struct txn *txn, const struct events_auth *auth,
                          struct events_connection_rec *c) WARN_UNUSED;
const char *events_connection_state_name(enum events_connection_state state);
/* "https://HOST/...", and where this machine itself may be asked "http://", too. */
bool events_endpoint_valid(const struct core *core, struct str url);

/* How many records the range has. O(n), of ranges with a limit. */
enum err events_count(struct txn *txn, struct key_range range, size_t *ret_n) WARN_UNUSED;

/* events_token.c: the exchange of a client's credentials for a token. */
enum err events_token_register(struct events *ev) WARN_UNUSED;
/* The connection's token is fetched now: its state says so. Stages the record. */
enum err events_token_want(struct events *ev, struct txn *txn,
                           struct events_connection_ref *c) WARN_UNUSED;
enum err events_token_forget(struct events *ev, struct txn *txn,
                             const struct events_connection_ref *c) WARN_UNUSED;

/* events_request.c: pure. What asks an API destination. ERR_INVALID: not as many values as its address has
 * wildcards. ERR_LIMIT, ERR_NOMEM. */
enum err events_request_make(struct arena *a, const struct events_destination_rec *d,
                             const struct events_auth *auth, const struct target_delivery *delivery,
                             struct target_request *ret) WARN_UNUSED;
/* What asks for a token. */
enum err events_token_request(struct arena *a, const struct events_auth *auth,
                              struct target_request *ret) WARN_UNUSED;
/* The token and how long it holds (0: not said) of the answer. ERR_INVALID: there is none. */
enum err events_token_read(struct arena *a, struct str answer, struct str *ret_token,
                           int64_t *ret_seconds) WARN_UNUSED;

/* The values of `http` that are paths into the event, followed. */
enum err events_http_fill(struct arena *a, const struct target_http *http, const struct json *event,
                          struct target_http *ret) WARN_UNUSED;

/* --- the rest ----------------------------------------------------------------------------------- */

extern const struct target_kind events_targets[2];
/* op_api_destination.c: the functions of its kind of target. */
enum err events_destination_find(void *self, struct txn *txn, struct str text,
                                 struct target_found *ret_found);
enum err events_destination_request(void *self, struct txn *txn, const struct target_found *found,
                                    const struct target_delivery *delivery,
                                    struct target_request *ret);
enum err events_destination_unknown(void *self, struct txn *txn, const struct target_found *found);
extern const struct tags_service events_tags;

/* events_schedule.c */
enum err events_schedule_register(struct events *ev) WARN_UNUSED;
/* Stores a rule, and sets or clears its due key (EV5). */
enum err events_rule_store(struct events *ev, struct txn *txn,
                           const struct events_rule_rec *r) WARN_UNUSED;
/* Removes it and its due key. */
enum err events_rule_remove(struct events *ev, struct txn *txn,
                            const struct events_rule_rec *r) WARN_UNUSED;

/* events_archive.c */
enum err events_archive_event(struct txn *txn, const struct events_archive_rec *archive,
                              const struct events_event *e) WARN_UNUSED;
enum err events_archive_sum(struct txn *txn, uint64_t id, struct events_count_rec *ret) WARN_UNUSED;
enum err events_sweep_register(struct events *ev) WARN_UNUSED;
void events_sweep_soon(void *ev);

/* events_replay.c */
enum err events_replay_register(struct events *ev) WARN_UNUSED;

/* events_auth.c */
enum err events_auth_context(struct call *call, const void *in, struct policy_context *ctx);
enum err events_authorize_more(struct call *call, const void *in);
enum err events_real_resource(struct call *call, struct str *resource);

/* events_measure.c: tells the rule's own metrics once the transaction commits. */
enum err events_measure_rule(struct events *ev, struct txn *txn,
                             const struct events_rule_rec *r) WARN_UNUSED;
/* svc_def.measure: of PutEvents. */
void events_measure(void *self, const struct core_seen *seen);

#endif
