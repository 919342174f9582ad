/* Records as tables, and the words for states. Layer: svc/cloudformation. */
#include "svc/cloudformation/cloudformation_int.h"

static const struct record_field tag_fields[] = {
    REC_STR(struct tag, key),
    REC_STR(struct tag, value),
};
static const struct record_type tag_type = RECORD_TYPE(struct tag, 1, tag_fields);

static const struct record_field parameter_fields[] = {
    REC_STR(struct cfn_parameter, key),         REC_STR(struct cfn_parameter, value),
    REC_STR(struct cfn_parameter, resolved),    REC_BOOL(struct cfn_parameter, no_echo),
    REC_BOOL(struct cfn_parameter, is_default),
};
static const struct record_type parameter_type =
    RECORD_TYPE(struct cfn_parameter, 1, parameter_fields);

static const struct record_field output_fields[] = {
    REC_STR(struct cfn_output, key),
    REC_STR(struct cfn_output, value),
    REC_STR(struct cfn_output, description),
    REC_STR(struct cfn_output, export_name),
};
static const struct record_type output_type = RECORD_TYPE(struct cfn_output, 1, output_fields);

#define C struct cfn_config
static const struct record_field config_fields[] = {
    REC_UINT(C, template_no),
    REC_LIST(C, parameters, n_parameters, CFN_PARAMETERS_MAX, &parameter_type),
    REC_LIST(C, tags, n_tags, CFN_TAGS_MAX, &tag_type),
    REC_LIST(C, capabilities, n_capabilities, CFN_LIST_MAX, &record_str),
    REC_LIST(C, notification_arns, n_notification_arns, CFN_LIST_MAX, &record_str),
    REC_STR(C, role_arn),
    REC_STR(C, description),
    REC_LIST(C, imports, n_imports, CFN_LIST_MAX, &record_str),
    REC_BOOL(C, extensions),
};
#undef C
static const struct record_type config_type = RECORD_TYPE(struct cfn_config, 1, config_fields);

#define S struct cfn_stack
static const struct record_field stack_fields[] = {
    REC_STR(S, name),
    REC_STR(S, uuid),
    REC_STR(S, id),
    REC_STR(S, account),
    REC_STR(S, region),
    REC_STR(S, parent_uuid),
    REC_STR(S, parent_resource),
    REC_STR(S, parent_id),
    REC_STR(S, root_id),
    REC_ENUM(S, status, CFN_STATUSES),
    REC_STR(S, reason),
    REC_INT(S, created_ms),
    REC_INT(S, updated_ms),
    REC_INT(S, deleted_ms),
    REC_STRUCT(S, config, &config_type),
    REC_PTR(S, previous, &config_type),
    REC_LIST(S, outputs, n_outputs, TPL_OUTPUTS_MAX, &output_type),
    REC_ENUM(S, on_failure, CFN_ON_FAILURES),
    REC_BOOL(S, disable_rollback),
    REC_INT(S, timeout_min),
    REC_BOOL(S, protected_from_deletion),
    REC_BOOL(S, retain_except_on_create),
    REC_STR(S, token),
    REC_STR(S, token_op),
    REC_STR(S, change_set_id),
    REC_STR(S, policy),
    REC_STR(S, policy_during),
    REC_STRUCT(S, who, &kept_principal_type),
    REC_UINT(S, op_no),
    REC_INT(S, op_ms),
    REC_UINT(S, templates),
    REC_BOOL(S, cancelled),
    REC_BOOL(S, deletion_forced),
    REC_LIST(S, keep, n_keep, CFN_LIST_MAX, &record_str),
    REC_STR(S, failed),
    REC_ENUM(S, drift, CFN_DRIFTS),
    REC_INT(S, drift_ms),
    REC_BOOL(S, done_once),
    REC_INT(S, span_ms),
    REC_BOOL(S, goes_back),
    REC_UINT(S, kept_template_no),
    REC_INT(S, kept_ms),
};
#undef S
const struct record_type cfn_stack_type = RECORD_TYPE(struct cfn_stack, 1, stack_fields);

#define T struct cfn_thing
static const struct record_field thing_fields[] = {
    REC_STR(T, type),
    REC_STR(T, physical_id),
    REC_STR(T, properties),
    REC_STR(T, attributes),
    REC_STR(T, deletion_policy),
    REC_STR(T, update_replace_policy),
    REC_STR(T, metadata),
    REC_LIST(T, after, n_after, CFN_LIST_MAX, &record_str),
    REC_LIST(T, tags, n_tags, CFN_TAGS_MAX, &tag_type),
    REC_BOOL(T, no_echo),
    REC_STR(T, shown),
};
#undef T
static const struct record_type thing_type = RECORD_TYPE(struct cfn_thing, 1, thing_fields);

#define W struct cfn_work
static const struct record_field work_fields[] = {
    REC_UINT(W, op_no),
    REC_ENUM(W, phase, CFN_STATUSES),
    REC_UINT(W, verb),
    REC_BOOL(W, on_before),
    REC_BOOL(W, replaces),
    REC_BOOL(W, again),
    REC_STR(W, token),
    REC_STR(W, cursor),
    REC_STRUCT(W, goal, &thing_type),
    REC_UINT(W, calls),
    REC_INT(W, began_ms),
    REC_INT(W, deadline_ms),
};
#undef W
static const struct record_type work_type = RECORD_TYPE(struct cfn_work, 1, work_fields);

#define R struct cfn_resource
static const struct record_field resource_fields[] = {
    REC_STR(R, id),
    REC_STR(R, type),
    REC_ENUM(R, status, CFN_STATUSES),
    REC_STR(R, reason),
    REC_INT(R, updated_ms),
    REC_UINT(R, op_no),
    REC_ENUM(R, changed, CFN_CHANGES),
    REC_PTR(R, now, &thing_type),
    REC_PTR(R, before, &thing_type),
    REC_PTR(R, work, &work_type),
    REC_ENUM(R, drift, CFN_DRIFTS),
    REC_INT(R, drift_ms),
    REC_STR(R, live),
    REC_STR(R, drift_why),
    REC_STR(R, shown_id),
};
#undef R
const struct record_type cfn_resource_type = RECORD_TYPE(struct cfn_resource, 1, resource_fields);

#define E struct cfn_event
static const struct record_field event_fields[] = {
    REC_STR(E, id),          REC_STR(E, logical_id),
    REC_STR(E, physical_id), REC_STR(E, type),
    REC_STR(E, reason),      REC_STR(E, properties),
    REC_STR(E, token),       REC_ENUM(E, status, CFN_STATUSES),
    REC_INT(E, ms),          REC_STR(E, stack_name),
    REC_STR(E, stack_id),
};
#undef E
const struct record_type cfn_event_type = RECORD_TYPE(struct cfn_event, 1, event_fields);

static const struct record_field nested_set_fields[] = {
    REC_STR(struct cfn_nested_set, resource),
    REC_STR(struct cfn_nested_set, uuid),
    REC_STR(struct cfn_nested_set, name),
};
static const struct record_type nested_set_type =
    RECORD_TYPE(struct cfn_nested_set, 1, nested_set_fields);

#define S struct cfn_change_set
static const struct record_field change_set_fields[] = {
    REC_STR(S, id),
    REC_STR(S, name),
    REC_STR(S, stack_id),
    REC_STR(S, description),
    REC_STR(S, token),
    REC_INT(S, created_ms),
    REC_STR(S, status),
    REC_STR(S, status_reason),
    REC_STR(S, execution_status),
    REC_BOOL(S, creates),
    REC_BOOL(S, nested),
    REC_BOOL(S, import_existing),
    REC_STR(S, on_failure),
    REC_STRUCT(S, config, &config_type),
    REC_STR(S, changes),
    REC_STR(S, deployment_mode),
    REC_STR(S, parent_id),
    REC_STR(S, root_id),
    REC_LIST(S, children, n_children, CFN_HIERARCHY_MAX, &nested_set_type),
    REC_UINT(S, made_no),
    REC_UINT(S, done_no),
};
#undef S
const struct record_type cfn_change_set_type =
    RECORD_TYPE(struct cfn_change_set, 1, change_set_fields);

static const struct record_field export_fields[] = {
    REC_STR(struct cfn_export, value),
    REC_STR(struct cfn_export, stack_id),
    REC_STR(struct cfn_export, uuid),
};
const struct record_type cfn_export_type = RECORD_TYPE(struct cfn_export, 1, export_fields);

static const struct record_field signal_fields[] = {
    REC_STR(struct cfn_signal, unique_id),
    REC_STR(struct cfn_signal, status),
    REC_STR(struct cfn_signal, reason),
    REC_STR(struct cfn_signal, data),
};
static const struct record_type signal_type = RECORD_TYPE(struct cfn_signal, 1, signal_fields);

#define A struct cfn_answer
static const struct record_field answer_fields[] = {
    REC_STR(A, account),   REC_STR(A, region),
    REC_STR(A, uuid),      REC_STR(A, resource),
    REC_STR(A, body),      REC_LIST(A, signals, n_signals, CFN_SIGNALS_MAX, &signal_type),
    REC_BOOL(A, collects),
};
#undef A
const struct record_type cfn_answer_type = RECORD_TYPE(struct cfn_answer, 1, answer_fields);

static const struct record_field detection_fields[] = {
    REC_STR(struct cfn_detection, stack_id),
    REC_INT(struct cfn_detection, ms),
    REC_ENUM(struct cfn_detection, drift, CFN_DRIFTS),
    REC_UINT(struct cfn_detection, drifted),
};
const struct record_type cfn_detection_type =
    RECORD_TYPE(struct cfn_detection, 1, detection_fields);

/* --- words -------------------------------------------------------------------------------------- */

struct str cfn_status_name(enum cfn_status status)
{
    static const char *const names[CFN_STATUSES] = {
        [CFN_NO_STATUS] = "",
        [CFN_REVIEW_IN_PROGRESS] = "REVIEW_IN_PROGRESS",
        [CFN_CREATE_IN_PROGRESS] = "CREATE_IN_PROGRESS",
        [CFN_CREATE_FAILED] = "CREATE_FAILED",
        [CFN_CREATE_COMPLETE] = "CREATE_COMPLETE",
        [CFN_ROLLBACK_IN_PROGRESS] = "ROLLBACK_IN_PROGRESS",
        [CFN_ROLLBACK_FAILED] = "ROLLBACK_FAILED",
        [CFN_ROLLBACK_COMPLETE] = "ROLLBACK_COMPLETE",
        [CFN_DELETE_IN_PROGRESS] = "DELETE_IN_PROGRESS",
        [CFN_DELETE_FAILED] = "DELETE_FAILED",
        [CFN_DELETE_COMPLETE] = "DELETE_COMPLETE",
        [CFN_DELETE_SKIPPED] = "DELETE_SKIPPED",
        [CFN_UPDATE_IN_PROGRESS] = "UPDATE_IN_PROGRESS",
        [CFN_UPDATE_CLEANUP] = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        [CFN_UPDATE_COMPLETE] = "UPDATE_COMPLETE",
        [CFN_UPDATE_FAILED] = "UPDATE_FAILED",
        [CFN_UPDATE_ROLLBACK_IN_PROGRESS] = "UPDATE_ROLLBACK_IN_PROGRESS",
        [CFN_UPDATE_ROLLBACK_FAILED] = "UPDATE_ROLLBACK_FAILED",
        [CFN_UPDATE_ROLLBACK_CLEANUP] = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        [CFN_UPDATE_ROLLBACK_COMPLETE] = "UPDATE_ROLLBACK_COMPLETE",
    };
    return str_c(names[status]);
}

struct str cfn_drift_name(enum cfn_drift drift)
{
    static const char *const names[CFN_DRIFTS] = {"NOT_CHECKED", "IN_SYNC", "MODIFIED", "DELETED"};
    return str_c(names[drift]);
}

bool cfn_in_progress(enum cfn_status status)
{
    switch (status) {
    case CFN_CREATE_IN_PROGRESS:
    case CFN_ROLLBACK_IN_PROGRESS:
    case CFN_DELETE_IN_PROGRESS:
    case CFN_UPDATE_IN_PROGRESS:
    case CFN_UPDATE_CLEANUP:
    case CFN_UPDATE_ROLLBACK_IN_PROGRESS:
    case CFN_UPDATE_ROLLBACK_CLEANUP:
        return true;
    default:
        return false;
    }
}
