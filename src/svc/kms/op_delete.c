/* ScheduleKeyDeletion, CancelKeyDeletion.
 *
 * Layer: svc. Thread: the call's. */
#include "svc/kms/kms_int.h"

enum err kms_schedule_key_deletion(struct call *call,
                                   const struct kms_schedule_key_deletion_input *in,
                                   struct kms_schedule_key_deletion_output *out)
{
    struct kms_key key;
    int64_t days =
        in->has_pending_window_in_days ? in->pending_window_in_days : KMS_WINDOW_DAYS_MAX;
    if (days < KMS_WINDOW_DAYS_MIN || days > KMS_WINDOW_DAYS_MAX)
        return call_error(call, &kms_err_validation,
                          "PendingWindowInDays must be between %d and %d days (inclusive).",
                          KMS_WINDOW_DAYS_MIN, KMS_WINDOW_DAYS_MAX);
    TRY(kms_need(call, in->key_id, KMS_BY_ID, &key));
    TRY(kms_not_pending_deletion(call, &key));
    key.state = KMS_PENDING_DELETION;
    key.state_ms = call->txn->wall_ms;
    key.window_days = (uint32_t)days;
    key.deletion_ms = call->txn->wall_ms + days * KMS_DAY_MS;
    TRY(kms_key_write(call->txn, &key));
    TRY(kms_due_at(kms_of(call), call->txn, &key, KMS_DUE_DELETION, key.deletion_ms));
    out->key_id = kms_key_arn(call, &key);
    out->key_state = STR("PendingDeletion");
    WIRE_SET(out, deletion_date, key.deletion_ms);
    WIRE_SET(out, pending_window_in_days, days);
    return str_is_set(out->key_id) ? ERR_OK : ERR_NOMEM;
}

enum err kms_cancel_key_deletion(struct call *call, const struct kms_cancel_key_deletion_input *in,
                                 struct kms_cancel_key_deletion_output *out)
{
    struct kms_key key;
    struct kms_material material;
    TRY(kms_need(call, in->key_id, KMS_BY_ID, &key));
    struct str arn = kms_key_arn(call, &key);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    if (key.state != KMS_PENDING_DELETION)
        return call_error(call, &kms_err_kms_invalid_state_exception,
                          STR_FMT " is not pending deletion.", STR_ARG(arn));
    key.state = KMS_DISABLED;
    key.state_ms = call->txn->wall_ms;
    if (key.material == 0) {
        key.state = KMS_PENDING_IMPORT;
    } else {
        TRY(kms_material_read(call->txn, &key, key.material, &material));
        if (!str_is_set(material.sealed))
            key.state = KMS_PENDING_IMPORT;
    }
    key.deletion_ms = 0;
    key.window_days = 0;
    TRY(kms_due_never(kms_of(call), call->txn, &key, KMS_DUE_DELETION));
    out->key_id = arn;
    return kms_key_write(call->txn, &key);
}
