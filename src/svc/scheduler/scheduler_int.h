/* Inside the service: records, and what the operations share.
 *
 * Invariants
 *   SC1  A schedule has a due key exactly while it is enabled and will fire again.
 *   SC2  What a firing sends is staged in the commit that moves the schedule on: each moment once.
 *   SC3  A group that is being deleted takes no new schedule.
 *   SC4  A client token is a due time, and holds until that: the same request again changes nothing. */
#ifndef WEIR_SVC_SCHEDULER_SCHEDULER_INT_H
#define WEIR_SVC_SCHEDULER_SCHEDULER_INT_H

#include "scheduler_api.h"

#include "base/arn.h"
#include "base/record.h"
#include "core/core.h"
#include "core/page.h"
#include "deliver/due.h"
#include "deliver/job.h"
#include "deliver/send.h"
#include "lang/cron.h"
#include "svc/scheduler/scheduler.h"
#include "svc/scheduler/scheduler_keys.h"

#define SCHEDULER_PRINCIPAL "scheduler.amazonaws.com"
#define SCHEDULER_DEFAULT "default"

enum {
    SCHEDULER_LIST_MAX = 100,
    SCHEDULER_GROUPS_MAX = 500,
    SCHEDULER_INPUT_MAX = 256 * 1024,
    SCHEDULER_RETRIES = 185,
    SCHEDULER_AGE_MAX_S = 24 * 60 * 60,
    SCHEDULER_TOKEN_MS = 8 * 60 * 60 * 1000,
};

struct scheduler {
    struct core *core;
    struct due_kind *schedules, *tokens;
    struct job_kind *groups; /* those being deleted */
};

struct scheduler_group {
    int64_t created_ms, modified_ms;
    bool deleting;
};

struct scheduler_target_rec {
    struct str arn, role, input, dead_letter, group_id, source, detail_type;
    int64_t retries, age_max_s; /* -1: not given */
};

struct scheduler_schedule {
    struct str description, expression, zone;
    int64_t start_ms, end_ms; /* 0: none */
    int64_t window_min;       /* 0: fires at the moment */
    bool disabled, delete_after;
    int64_t created_ms, modified_ms;
    int64_t base_ms; /* when the expression began to count */
    struct scheduler_target_rec target;
};

/* Whose and which. */
struct scheduler_name {
    struct key_scope scope;
    struct str group, name;
};

static inline struct scheduler *scheduler_of(const struct call *call)
{
    return call->svc;
}

/* --- records and names (scheduler_record.c) ----------------------------------------------------- */

/* ERR_NOT_FOUND; the default group always is. */
enum err scheduler_group_read(struct txn *txn, struct key_scope scope, struct str name,
                              struct scheduler_group *ret) WARN_UNUSED;
enum err scheduler_group_write(struct txn *txn, struct key_scope scope, struct str name,
                               const struct scheduler_group *g) WARN_UNUSED;
enum err scheduler_group_parse(struct arena *a, struct str record,
                               struct scheduler_group *ret) WARN_UNUSED;
enum err scheduler_read(struct txn *txn, struct str key,
                        struct scheduler_schedule *ret) WARN_UNUSED;
enum err scheduler_write(struct txn *txn, struct str key,
                         const struct scheduler_schedule *s) WARN_UNUSED;
enum err scheduler_parse(struct arena *a, struct str record,
                         struct scheduler_schedule *ret) WARN_UNUSED;
struct str scheduler_key(struct arena *a, const struct scheduler_name *n);
struct str scheduler_arn(struct arena *a, const struct core *core, const struct scheduler_name *n);
struct str scheduler_group_arn(struct arena *a, const struct core *core, struct key_scope scope,
                               struct str name);

/* For operations: set the service's error. */
#define SCHEDULER_INVALID(call, ...)                                                               \
    call_error((call), &scheduler_err_validation_exception, __VA_ARGS__)
enum err scheduler_need_group(struct call *call, struct str name,
                              struct scheduler_group *ret) WARN_UNUSED;
/* page_start's and page_scan's ERR_INVALID as the service says it. */
enum err scheduler_paged(struct call *call, enum err err) WARN_UNUSED;
/* SC4. *ret_again: this very request was done already; otherwise it is noted. ConflictException: the
 * token was used for another. An absent token is fine. */
enum err scheduler_once(struct call *call, struct str token, bool *ret_again) WARN_UNUSED;

/* --- moments (scheduler_fire.c) ----------------------------------------------------------------- */

/* The next moment after `after_ms`. ERR_NOT_FOUND: none any more; ERR_INVALID expression or zone. */
enum err scheduler_next(struct arena *a, const struct scheduler_schedule *s, int64_t after_ms,
                        int64_t *ret_ms) WARN_UNUSED;
/* Sets or clears the due key (SC1). *ret_fires (may be NULL): whether it is set. */
enum err scheduler_arm(struct scheduler *sc, struct txn *txn, struct str key,
                       const struct scheduler_schedule *s, int64_t after_ms,
                       bool *ret_fires) WARN_UNUSED;
enum err scheduler_fire_register(struct scheduler *sc) WARN_UNUSED;

/* --- targets (scheduler_target.c) --------------------------------------------------------------- */

/* A target as it was given, checked. */
enum err scheduler_target_take(struct call *call, const struct scheduler_target *in,
                               struct scheduler_target_rec *ret) WARN_UNUSED;
/* The operation that a universal target names; NULL: it is none. */
const struct wire_op *scheduler_operation(const struct core *core, struct str arn);
/* Sends what a firing sends. */
struct scheduler_firing {
    const struct scheduler_name *name;
    const struct scheduler_schedule *schedule;
    int64_t when_ms; /* the moment that it was scheduled for */
};
enum err scheduler_send(struct scheduler *sc, struct txn *txn,
                        const struct scheduler_firing *f) WARN_UNUSED;

/* --- the rest ----------------------------------------------------------------------------------- */

extern const struct tags_service scheduler_tags;
/* op_group.c */
enum err scheduler_groups_register(struct scheduler *sc) WARN_UNUSED;

#endif
