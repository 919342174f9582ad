/* Object lock: retention, legal hold, and who may remove a version all the same. See s3_lock.h.
 *
 * Source: S3 User Guide, "Locking objects with Object Lock". Layer: svc. */
#include "svc/s3/s3_lock.h"

#include <assert.h>

#include "svc/s3/s3_life.h"

enum { YEAR_DAYS = 365 };

static const struct str modes[S3_LOCK_MODES] = {
    [S3_LOCK_GOVERNANCE] = STR_INIT("GOVERNANCE"),
    [S3_LOCK_COMPLIANCE] = STR_INIT("COMPLIANCE"),
};

struct str s3_lock_mode_name(enum s3_lock_mode mode)
{
    assert(mode < S3_LOCK_MODES);
    return modes[mode];
}

enum s3_lock_mode s3_lock_mode_of(struct str name)
{
    int m = S3_LOCK_GOVERNANCE;
    while (m < S3_LOCK_MODES && !str_eq(modes[m], name))
        m++;
    return (enum s3_lock_mode)m;
}

enum s3_hold s3_lock_hold(const struct s3_lock *lock, int64_t now_ms)
{
    bool retained = lock->mode != S3_LOCK_NONE && lock->until_ms > now_ms;
    if (lock->legal_hold || (retained && lock->mode == S3_LOCK_COMPLIANCE))
        return S3_HELD;
    return retained ? S3_GOVERNED : S3_FREE;
}

/* --- what an object is made with -------------------------------------------------------------- */

static void take_default(const struct s3_bucket_rec *b, int64_t now_ms, struct s3_lock *lock)
{
    int64_t days = b->lock_days + b->lock_years * YEAR_DAYS;
    if (b->lock_mode == S3_LOCK_NONE)
        return;
    lock->mode = b->lock_mode;
    lock->until_ms = now_ms + days * S3_DAY_MS;
}

static enum err bad_argument(struct call *call, const char *message)
{
    return call_error(call, &s3_err_invalid_argument, "%s", message);
}

static enum err take_retention(struct call *call, const struct s3_wishes *w, struct s3_lock *lock)
{
    if (!w->has_lock_until || !str_is_set(w->lock_mode))
        return bad_argument(call, "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode "
                                  "must both be supplied");
    lock->mode = s3_lock_mode_of(w->lock_mode);
    lock->until_ms = w->lock_until;
    if (lock->mode == S3_LOCK_MODES)
        return s3_bad_argument(call, "x-amz-object-lock-mode", w->lock_mode,
                               "Unknown wormMode directive.");
    if (lock->until_ms <= call->txn->wall_ms)
        return bad_argument(call, "The retain until date must be in the future!");
    return ERR_OK;
}

enum err s3_lock_choose(struct call *call, const struct s3_bucket_ref *b, struct str key,
                        const struct s3_wishes *w, struct s3_lock *ret_lock)
{
    bool retention = str_is_set(w->lock_mode) || w->has_lock_until;
    bool hold = str_is_set(w->legal_hold);
    struct s3_lock lock = {.mode = S3_LOCK_NONE};
    if (!(b->rec.flags & S3_LOCKS)) {
        *ret_lock = lock;
        return retention || hold ? call_error(call, &s3_err_invalid_request,
                                              "Bucket is missing Object Lock Configuration")
                                 : ERR_OK;
    }
    take_default(&b->rec, s3_now(call->txn), &lock);
    if (retention) {
        TRY(call_authorize(call, "s3:PutObjectRetention", s3_arn(call, b->name, key)));
        TRY(take_retention(call, w, &lock));
    }
    if (hold) {
        TRY(call_authorize(call, "s3:PutObjectLegalHold", s3_arn(call, b->name, key)));
        lock.hold_given = true;
        lock.legal_hold = str_eq_c(w->legal_hold, "ON");
        if (!lock.legal_hold && !str_eq_c(w->legal_hold, "OFF"))
            return s3_bad_argument(call, "x-amz-object-lock-legal-hold", w->legal_hold,
                                   "Legal Hold must be either of 'ON' or 'OFF'");
    }
    *ret_lock = lock;
    return ERR_OK;
}

/* --- what may be done to it ------------------------------------------------------------------- */

enum err s3_lock_check(struct call *call, const struct s3_bucket_ref *b, struct str key,
                       const struct s3_lock *lock, bool bypass)
{
    enum s3_hold hold = s3_lock_hold(lock, call->txn->wall_ms);
    if (hold == S3_FREE)
        return ERR_OK;
    if (hold == S3_GOVERNED && bypass)
        return call_authorize(call, "s3:BypassGovernanceRetention", s3_arn(call, b->name, key));
    return call_error(call, &s3_err_access_denied,
                      "Access Denied because object protected by object lock.");
}

enum err s3_lock_check_version(struct call *call, const struct s3_bucket_ref *b, struct str key,
                               struct str version_id, bool bypass)
{
    struct s3_object_rec rec;
    bool current;
    if (!(b->rec.flags & S3_LOCKS))
        return ERR_OK;
    enum err err = s3_version(call->txn, b->rec.id, key, version_id, true, &rec, &current);
    if (err == ERR_NOT_FOUND || err == ERR_INVALID) /* the deletion says so */
        return ERR_OK;
    TRY(err);
    return s3_lock_check(call, b, key, &rec.attrs.lock, bypass);
}

enum err s3_lock_check_bypass(struct call *call, const struct s3_bucket_rec *b, bool has_bypass)
{
    if (!has_bypass || (b->flags & S3_LOCKS))
        return ERR_OK;
    return s3_bad_argument(call, "x-amz-bypass-governance-retention",
                           wire_header_get(call->request, STR("x-amz-bypass-governance-retention")),
                           "x-amz-bypass-governance-retention is only applicable to Object Lock "
                           "enabled buckets.");
}

static enum err may(struct call *call, const char *action, struct str arn, bool *ret_may)
{
    enum err err = call_authorize(call, action, arn);
    *ret_may = err == ERR_OK;
    if (err != ERR_FAILED)
        return err;
    call_error_clear(call);
    return ERR_OK;
}

enum err s3_lock_shown(struct call *call, const struct s3_bucket_ref *b, struct str key,
                       const struct s3_lock *lock, struct s3_lock *ret_shown)
{
    bool retention = false, hold = false;
    struct str arn = s3_arn(call, b->name, key);
    if (lock->mode != S3_LOCK_NONE)
        TRY(may(call, "s3:GetObjectRetention", arn, &retention));
    if (lock->hold_given)
        TRY(may(call, "s3:GetObjectLegalHold", arn, &hold));
    *ret_shown = *lock;
    if (!retention)
        ret_shown->mode = S3_LOCK_NONE;
    ret_shown->hold_given = hold;
    return ERR_OK;
}
