/* Inside the service: records, and what operations and engine share.
 *
 * Invariants
 *   CF1  Everything that an operation on a stack will still do follows from the stack's record, its templates
 *        and the records of its resources: a start after kill -9 goes on from there.
 *   CF2  A step of a resource is an inner call and the records that tell of it in one commit; where that is not
 *        possible `again` is stored first, and the type looks into what is there.
 *   CF3  Every commit of the engine reads the stack's record, tracked, and goes on only in the phase and
 *        the number of the operation that it was begun for: a stack that is told to do something else stops
 *        what ran for it.
 *   CF4  A resource that was changed keeps what it was (`before`) until the operation has ended.
 *   CF5  Of a physical resource nothing is forgotten before it is gone or its policy says to keep it.
 *
 * Names: cfn_ is this folder's short form. */
#ifndef WEIR_SVC_CLOUDFORMATION_CLOUDFORMATION_INT_H
#define WEIR_SVC_CLOUDFORMATION_CLOUDFORMATION_INT_H

#include "cloudformation_api.h"

#include "base/arn.h"
#include "base/record.h"
#include "core/claim.h"
#include "core/core.h"
#include "core/inner.h"
#include "core/keep.h"
#include "core/page.h"
#include "core/txn_record.h"
#include "deliver/job.h"
#include "svc/cloudformation/cloudformation.h"
#include "svc/cloudformation/cloudformation_keys.h"
#include "svc/cloudformation/type.h"
#include "template/template.h"

#define CFN_PRINCIPAL "cloudformation.amazonaws.com"

enum {
    CFN_UUID_LEN = 36,
    CFN_NAME_MAX = 128, /* of a stack, of a change set */
    CFN_PARAMETERS_MAX = 200,
    CFN_TAGS_MAX = 50,
    CFN_LIST_MAX = 1000,          /* of small lists in records */
    CFN_STACKS_MAX = 2000,        /* of an account and region, those that are there */
    CFN_CHANGE_SETS_MAX = 1000,   /* of a stack */
    CFN_POLICY_BYTES_MAX = 16384, /* of a stack's policy */
    CFN_PAGE = 100,               /* items of a list's page */
    CFN_STACKS_AT_ONCE = 64,      /* operations on stacks in progress; others wait */
    CFN_RESOURCES_AT_ONCE = 16,   /* of one stack */
    CFN_NESTING_MAX = 8,          /* stacks in stacks */
    CFN_HIERARCHY_MAX = 200,      /* nested stacks that a change set looks into */
    CFN_ANSWER_BYTES_MAX = 4096,  /* of a custom resource's answer */
    CFN_SIGNALS_MAX = 100,        /* of a wait condition */
};
/* Events, stacks that were deleted, and drift detections, as AWS: 90 days. */
#define CFN_KEPT_MS (INT64_C(90) * 24 * 60 * 60 * 1000)

/* Of stacks and of resources, in one list; numbers are part of the disk format. */
enum cfn_status {
    CFN_NO_STATUS,
    CFN_REVIEW_IN_PROGRESS,
    CFN_CREATE_IN_PROGRESS,
    CFN_CREATE_FAILED,
    CFN_CREATE_COMPLETE,
    CFN_ROLLBACK_IN_PROGRESS,
    CFN_ROLLBACK_FAILED,
    CFN_ROLLBACK_COMPLETE,
    CFN_DELETE_IN_PROGRESS,
    CFN_DELETE_FAILED,
    CFN_DELETE_COMPLETE,
    CFN_DELETE_SKIPPED,
    CFN_UPDATE_IN_PROGRESS,
    CFN_UPDATE_CLEANUP,
    CFN_UPDATE_COMPLETE,
    CFN_UPDATE_FAILED,
    CFN_UPDATE_ROLLBACK_IN_PROGRESS,
    CFN_UPDATE_ROLLBACK_FAILED,
    CFN_UPDATE_ROLLBACK_CLEANUP,
    CFN_UPDATE_ROLLBACK_COMPLETE,
    CFN_STATUSES,
};

enum cfn_on_failure { CFN_ROLL_BACK, CFN_DO_NOTHING, CFN_DELETE, CFN_ON_FAILURES };

enum cfn_drift { CFN_NOT_CHECKED, CFN_IN_SYNC, CFN_MODIFIED, CFN_DELETED, CFN_DRIFTS };

/* --- records (cloudformation_record.c) ---------------------------------------------------------- */

struct cfn_parameter {
    struct str key;
    struct str value; /* as given */
    struct str resolved;
    bool no_echo;
    bool is_default; /* not given: the template's default is the value */
};

struct cfn_output {
    struct str key, value, description, export_name;
};

/* What a stack is to be. */
struct cfn_config {
    uint64_t template_no;
    struct cfn_parameter *parameters;
    size_t n_parameters;
    struct tag *tags;
    size_t n_tags;
    struct str *capabilities;
    size_t n_capabilities;
    struct str *notification_arns;
    size_t n_notification_arns;
    struct str role_arn, description;
    bool extensions;     /* AWS::LanguageExtensions was declared */
    struct str *imports; /* names of the exports that the template uses */
    size_t n_imports;
};

struct cfn_stack {
    struct str name, uuid, id; /* id: ARN */
    struct str account, region;
    struct str parent_uuid, parent_resource, parent_id, root_id; /* of a nested one */
    enum cfn_status status;
    struct str reason;
    int64_t created_ms, updated_ms, deleted_ms;
    struct cfn_config config;
    struct cfn_config *previous; /* until the operation has ended well (CF4) */
    struct cfn_output *outputs;
    size_t n_outputs;
    enum cfn_on_failure on_failure;
    bool disable_rollback; /* of this operation */
    int64_t timeout_min;
    bool protected_from_deletion, retain_except_on_create;
    struct str token;    /* ClientRequestToken of the operation */
    struct str token_op; /* whose operation */
    struct str change_set_id;
    struct str policy, policy_during;
    struct kept_principal who; /* of the operation */
    uint64_t op_no;            /* number of the operation, CF3 */
    int64_t op_ms;             /* when it began */
    uint64_t templates;        /* templates stored so far */
    bool cancelled;            /* CancelUpdateStack */
    bool deletion_forced;
    struct str *keep; /* logical ids that a deletion keeps, or a rollback skips */
    size_t n_keep;
    struct str failed; /* "A, B": who failed in this operation */
    enum cfn_drift drift;
    int64_t drift_ms;
    bool done_once; /* it was created: a rollback is that of an update */
    /* Operations of one span are undone together: those of a root since it was last complete, and those that they
     * began in stacks in it. */
    int64_t span_ms;
    bool goes_back; /* of a nested one: this operation undoes what others of its span did */
    uint64_t kept_template_no; /* what it had before that span, of a nested one */
    int64_t kept_ms;           /* which span */
};

/* A physical resource, and what it was told to be. */
struct cfn_thing {
    struct str type, physical_id;
    struct str properties; /* resolved JSON object */
    struct str shown;      /* the same for eyes (tpl_resolve_shown); absent: as they are */
    struct str attributes; /* JSON object */
    struct str deletion_policy, update_replace_policy, metadata;
    struct str *after; /* logical ids */
    size_t n_after;
    struct tag *tags; /* of the stack, as last given */
    size_t n_tags;
    bool no_echo; /* its attributes are not shown */
};

/* CFN_RESTORED: what it was is `now` again, and `before` is what came in its place and must go. */
enum cfn_changed {
    CFN_UNCHANGED,
    CFN_CREATED,
    CFN_CHANGED,
    CFN_REPLACED,
    CFN_RESTORED,
    CFN_CHANGES
};

/* What is being done to a resource. */
struct cfn_work {
    uint64_t op_no;
    enum cfn_status phase; /* of the stack */
    uint64_t verb;         /* enum type_verb */
    bool on_before;        /* to `before`, else to `now` */
    bool replaces;         /* CREATE: in place of `now` */
    bool again;
    struct str token; /* of names, and of the address for answers */
    struct str cursor;
    struct cfn_thing goal;
    uint64_t calls; /* inner calls that went well */
    int64_t began_ms, deadline_ms;
};

struct cfn_resource {
    struct str id;
    struct str type;
    enum cfn_status status;
    struct str reason;
    int64_t updated_ms;
    uint64_t op_no; /* the operation that last looked at it */
    enum cfn_changed changed;
    struct cfn_thing *now, *before;
    struct cfn_work *work;
    enum cfn_drift drift;
    int64_t drift_ms;
    struct str live; /* properties as drift detection saw them */
    struct str drift_why;
    struct str shown_id; /* physical id to be shown of one that is gone */
};

struct cfn_event {
    struct str id, logical_id, physical_id, type, reason, properties, token;
    enum cfn_status status;
    int64_t ms;
    struct str stack_name, stack_id;
};

/* A change set of a nested stack, made with that of its parent. */
struct cfn_nested_set {
    struct str resource; /* its logical id in the parent */
    struct str uuid;     /* of the nested stack */
    struct str name;
};

struct cfn_change_set {
    struct str id, name, stack_id, description, token;
    int64_t created_ms;
    struct str status, status_reason, execution_status;
    bool creates; /* type CREATE */
    bool nested, import_existing;
    struct str on_failure;
    struct cfn_config config;
    struct str changes; /* JSON: see cloudformation_diff.c */
    struct str deployment_mode;
    struct str parent_id, root_id;   /* change sets, of one that is nested */
    struct cfn_nested_set *children; /* those of the stacks in its stack that change */
    size_t n_children;
    uint64_t made_no; /* number of the stack's last operation then, and one; 0: not known */
    uint64_t done_no; /* the operation that carries it out */
};

struct cfn_export {
    struct str value, stack_id, uuid;
};

/* What came to an address for answers. */
struct cfn_signal {
    struct str unique_id, status, reason, data;
};
struct cfn_answer {
    struct str account, region, uuid, resource;
    struct str body; /* of a custom resource; absent: none came yet */
    struct cfn_signal *signals;
    size_t n_signals;
    bool collects; /* of a wait condition */
};

extern const struct record_type cfn_stack_type, cfn_resource_type, cfn_event_type,
    cfn_change_set_type, cfn_export_type, cfn_answer_type, cfn_detection_type;

struct cfn_detection {
    struct str stack_id;
    int64_t ms;
    enum cfn_drift drift;
    uint64_t drifted;
};

struct cfn {
    struct core *core;
    struct job_kind *jobs;              /* a job for each stack with an operation in progress */
    struct job_kind *sweeps;            /* a job for each stack: what goes with time */
    struct due_kind *detections;        /* of drift, each until it is forgotten */
    struct cfn_runs *runs;              /* those at work; home loop */
    struct core_claim by_host, by_path; /* addresses for answers */
};

static inline struct cfn *cfn_of(const struct call *call)
{
    return call->svc;
}

/* "CREATE_IN_PROGRESS". */
struct str cfn_status_name(enum cfn_status status);
struct str cfn_drift_name(enum cfn_drift drift);
bool cfn_in_progress(enum cfn_status status);

/* --- the store (cloudformation_store.c) --------------------------------------------------------- */

static inline struct key_scope cfn_scope(const struct cfn_stack *s)
{
    return (struct key_scope){s->account, s->region};
}

/* By UUID. ERR_NOT_FOUND. */
enum err cfn_stack_read(struct txn *txn, struct key_scope scope, struct str uuid,
                        struct cfn_stack *ret) WARN_UNUSED;
enum err cfn_stack_write(struct txn *txn, const struct cfn_stack *s) WARN_UNUSED;
/* Opens what is sealed in a record that a scan gave. */
enum err cfn_stack_unpack(struct txn *txn, struct str bytes, struct cfn_stack *ret) WARN_UNUSED;
/* By the value of its name's key, as a scan gave it. */
enum err cfn_stack_of_name(struct txn *txn, struct key_scope scope, struct str value,
                           struct cfn_stack *ret) WARN_UNUSED;
/* By name or ARN. A deleted stack is found by its ARN alone. ERR_NOT_FOUND. */
enum err cfn_stack_find(struct txn *txn, struct key_scope scope, struct str ref,
                        struct cfn_stack *ret) WARN_UNUSED;

enum err cfn_resource_read(struct txn *txn, struct str uuid, struct str id,
                           struct cfn_resource *ret) WARN_UNUSED;
enum err cfn_resource_write(struct txn *txn, struct str uuid,
                            const struct cfn_resource *r) WARN_UNUSED;
enum err cfn_resource_drop(struct txn *txn, struct str uuid, struct str id) WARN_UNUSED;
/* All of a stack, in the order of their ids; arena. */
enum err cfn_resources(struct txn *txn, struct str uuid, struct cfn_resource **ret,
                       size_t *ret_n) WARN_UNUSED;

enum err cfn_template_write(struct txn *txn, struct str uuid, uint64_t no, bool processed,
                            struct str text) WARN_UNUSED;
/* Both forms of it, unless `s` refers to it: told of every number that something let go of. */
enum err cfn_template_drop(struct txn *txn, const struct cfn_stack *s, uint64_t no) WARN_UNUSED;
/* Processed: the original where no transform ran. */
enum err cfn_template_read(struct txn *txn, struct str uuid, uint64_t no, bool processed,
                           struct str *ret_text) WARN_UNUSED;

/* Tells of it: an event of the stack, at its place in the order of commits. */
enum err cfn_tell(struct txn *txn, const struct cfn_stack *s,
                  const struct cfn_event *event) WARN_UNUSED;
/* Of the stack itself. */
enum err cfn_tell_stack(struct txn *txn, const struct cfn_stack *s) WARN_UNUSED;
enum err cfn_event_unpack(struct txn *txn, struct str bytes, struct cfn_event *ret) WARN_UNUSED;

enum err cfn_change_set_read(struct txn *txn, struct str uuid, struct str name,
                             struct cfn_change_set *ret) WARN_UNUSED;
enum err cfn_change_set_write(struct txn *txn, const struct cfn_stack *s,
                              const struct cfn_change_set *cs) WARN_UNUSED;
/* With its template, unless the stack has that. */
enum err cfn_change_set_drop(struct txn *txn, const struct cfn_stack *s,
                             const struct cfn_change_set *cs) WARN_UNUSED;
/* UUID of the stack that a change set is for, by the change set's own. ERR_NOT_FOUND. */
enum err cfn_change_set_stack(struct txn *txn, struct key_scope scope, struct str change_set_uuid,
                              struct str *ret_uuid) WARN_UNUSED;

enum err cfn_change_set_unpack(struct txn *txn, struct str bytes,
                               struct cfn_change_set *ret) WARN_UNUSED;

/* Its properties without what is not to be seen: parameters with NoEcho, secrets. */
static inline struct str cfn_shown(const struct cfn_thing *t)
{
    return str_is_set(t->shown) ? t->shown : t->properties;
}
/* JSON text of the arena -> tree; NULL for an absent text. ERR_CORRUPT: it is none. */
enum err cfn_json(struct arena *a, struct str text, const struct json **ret) WARN_UNUSED;
struct str cfn_json_text(struct arena *a, const struct json *v);

/* --- for operations (cloudformation_call.c) ----------------------------------------------------- */

#define CFN_INVALID(call, ...) call_error((call), &cloudformation_err_validation, __VA_ARGS__)
/* "Stack with id X does not exist". */
enum err cfn_need_stack(struct call *call, struct str ref, struct cfn_stack *ret) WARN_UNUSED;
/* The text of a template by its address, or of a stack's policy: an object of Weir's own S3, read as the caller. Suspends the
 * call, which asks again when it reruns: ask before anything is staged. */
enum err cfn_fetch(struct call *call, struct str url, size_t max, struct str *ret_text) WARN_UNUSED;
/* What an address names. */
struct cfn_url {
    struct str bucket, key;
    struct str version; /* ?versionId=; absent: the latest */
};
/* Addresses of S3, as AWS writes them and as Weir does; those of its websites and of access points are none. ERR_INVALID. */
enum err cfn_url_parse(struct arena *a, const struct core *core, struct str url,
                       struct cfn_url *ret) WARN_UNUSED;
/* GetObject's input. */
enum err cfn_url_input(struct arena *a, const struct cfn_url *url, struct str *ret) WARN_UNUSED;
/* page_start's and page_scan's ERR_INVALID as the service says it. */
enum err cfn_paged(struct call *call, enum err err) WARN_UNUSED;

/* --- templates (cloudformation_template.c) ------------------------------------------------------ */

/* A template that is open, and the host that answers it. */
struct cfn_open {
    struct txn *txn; /* of whoever asks now */
    const struct cfn_stack *stack;
    const struct principal *who;
    struct call *call; /* that may wait for texts; NULL: none */
    struct json *tree; /* after transforms */
    bool transformed;
    struct tpl_world world;
    struct tpl_host host;
    struct tpl *tpl;
    enum err err; /* of a host's answer, where the template says only that it failed */
};

/* What a request says a stack is to be. */
struct cfn_wish {
    struct str body, url;
    bool use_previous, of_change_set;
    struct cloudformation_parameters parameters;
    struct cloudformation_capabilities capabilities;
    struct cloudformation_notification_arns notification_arns;
    struct cloudformation_tags tags;
    struct str role_arn;
    const struct cloudformation_rollback_configuration *rollback;
    struct cloudformation_resource_types resource_types;
    /* Of a nested stack that is only looked at: its text came by an address, and in place of `parameters`. */
    bool is_nested;
    const struct tpl_given *given;
    size_t n_given;
};

/* What the inputs of CreateStack, UpdateStack and CreateChangeSet have in common. */
#define CFN_WISH(in)                                                                               \
    {                                                                                              \
        .body = (in)->template_body, .url = (in)->template_url, .parameters = (in)->parameters,    \
        .capabilities = (in)->capabilities, .notification_arns = (in)->notification_arns,          \
        .tags = (in)->tags, .role_arn = (in)->role_arn, .rollback = (in)->rollback_configuration,  \
        .resource_types = (in)->resource_types,                                                    \
    }

/* Everything that is checked before anything is made: the template and what goes with it, as a config of the
 * stack with its template stored under a new number. `s` has name, id and region, and what it was before
 * in `config` (template_no 0: nothing). Sets the call's error. */
enum err cfn_prepare(struct call *call, struct cfn_stack *s, const struct cfn_wish *wish,
                     struct cfn_config *ret_config, struct cfn_open *ret_open) WARN_UNUSED;
/* Opens a text for ValidateTemplate: without values. ERR_INVALID with the fault. */
enum err cfn_open_text(struct call *call, const struct cfn_stack *s, struct str text,
                       struct cfn_open *ret, struct tpl_fault *ret_fault) WARN_UNUSED;
/* The text of a wish, as sent: fetched where it is an address. */
enum err cfn_wish_text(struct call *call, const struct cfn_stack *s, const struct cfn_wish *wish,
                       struct str *ret_text) WARN_UNUSED;
/* Opens a stored template with a stored config, in `a`. ERR_INVALID with the fault. */
enum err cfn_open_stored(struct txn *txn, struct arena *a, const struct cfn_stack *s,
                         const struct cfn_config *config, const struct principal *who,
                         struct cfn_open *ret, struct tpl_fault *ret_fault) WARN_UNUSED;
/* Value of an export of the scope. ERR_NOT_FOUND. */
enum err cfn_export_value(struct txn *txn, struct key_scope scope, struct str name,
                          struct str *ret_value) WARN_UNUSED;
/* What resources of a stack say of themselves, from their records: a tpl_lookup_fn whose arg is this. */
struct cfn_lookup {
    struct txn *txn;
    struct str uuid;
    uint64_t
        op_no; /* 0: any; else those that this operation has not made ready are not known yet */
};
enum err cfn_look_up(void *arg, struct arena *a, struct str id, struct str attribute,
                     const struct json **ret_v);
/* Fills `who` with the principal that the stack's operation runs as. ERR_DENIED. */
enum err cfn_principal(struct txn *txn, struct arena *a, const struct cfn_stack *s,
                       struct principal *ret_who) WARN_UNUSED;

/* --- differences (cloudformation_diff.c) -------------------------------------------------------- */

/* What a look into a nested stack says. */
struct cfn_inside {
    bool looked, changes;
    struct str change_set_id;
    const struct json *outputs; /* {"Outputs.X": value} of what is known; NULL: nothing is */
};
/* Asked for each nested stack that is to be there, after what it hangs on: what is there (NULL: nothing yet), and its
 * properties as far as they are known. */
struct cfn_look_inside {
    enum err (*look)(void *arg, struct str id, const struct cfn_thing *now,
                     const struct json *properties, struct cfn_inside *ret);
    void *arg;
};
struct cfn_differences {
    struct str changes; /* a JSON list for change sets */
    size_t n;
    const struct json *outputs; /* as in cfn_inside; with `inside` only */
};
/* What would change. `inside` NULL: nested stacks may change whatever is said of them. ERR_INVALID with the fault. */
enum err cfn_diff(struct txn *txn, struct arena *a, const struct cfn_stack *s,
                  struct cfn_open *open, const struct cfn_config *config,
                  const struct cfn_look_inside *inside, struct cfn_differences *ret,
                  struct tpl_fault *ret_fault) WARN_UNUSED;

/* --- change sets of stacks in stacks (cloudformation_hierarchy.c) -------------------------------- */

/* Fills changes and states of a new change set; makes those of the stacks in it, where the request says so. `creates`:
 * the stack is new. Suspends the call. */
enum err cfn_change_set_compute(struct call *call,
                                const struct cloudformation_create_change_set_input *in,
                                struct cfn_stack *s, struct cfn_open *open,
                                struct cfn_change_set *cs) WARN_UNUSED;

/* cloudformation_children.c. Drops it with those that were made with it, and stacks that are there for these alone. */
enum err cfn_hierarchy_drop(struct cfn *c, struct txn *txn, const struct cfn_stack *s,
                            const struct cfn_change_set *cs) WARN_UNUSED;
/* The stack's operation carries it out, and so will its children's. Writes it. */
enum err cfn_hierarchy_begin(struct txn *txn, const struct cfn_stack *s,
                             struct cfn_change_set *cs) WARN_UNUSED;
/* The way forward has ended: what was made for nested stacks whose turn never came goes. */
enum err cfn_hierarchy_end(struct cfn *c, struct txn *txn, const struct cfn_stack *s) WARN_UNUSED;
/* What the operation in progress carries out for a nested stack. ERR_NOT_FOUND: nothing was made for it;
 * *ret_whole: since it does not change. */
enum err cfn_hierarchy_of(struct txn *txn, const struct cfn_stack *s, struct str resource,
                          bool *ret_whole, struct cfn_stack *ret_child,
                          struct cfn_change_set *ret) WARN_UNUSED;

/* --- operations that begin work (cloudformation_begin.c) ----------------------------------------- */

/* Puts the stack into `status`, numbers a new operation, tells of it, and gives it a job. `call` is whose
 * rights it has. */
enum err cfn_begin(struct call *call, struct cfn_stack *s, enum cfn_status status,
                   struct str reason) WARN_UNUSED;
/* The same without a call: who stays. */
enum err cfn_begin_more(struct cfn *c, struct txn *txn, struct cfn_stack *s, enum cfn_status status,
                        struct str reason) WARN_UNUSED;
/* ClientRequestToken: *ret_again, this very request was done already. */
enum err cfn_once(struct call *call, struct cfn_stack *s, struct str token, const char *op,
                  bool *ret_again) WARN_UNUSED;
/* A new stack's record, not yet written; name is free. Also for change sets. A nested one's `parent` is that of the
 * operation that calls (NULL), or is given with how deep it lies itself. ERR_EXISTS. */
enum err cfn_stack_new(struct call *call, struct str name, const struct cfn_stack *parent,
                       int depth, struct cfn_stack *ret) WARN_UNUSED;
/* How many stacks lie around it. */
enum err cfn_stack_depth(struct call *call, const struct cfn_stack *s, int *ret) WARN_UNUSED;
/* A name of at most CFN_NAME_MAX characters. */
struct str cfn_name_in(struct arena *a, struct str parent, struct str id, struct str token);
enum err cfn_policy_check(struct call *call, struct str text) WARN_UNUSED;
/* For those that change a stack: "Stack [X] does not exist". */
enum err cfn_need_to_change(struct call *call, struct str name, struct cfn_stack *ret) WARN_UNUSED;
bool cfn_can_update(const struct cfn_stack *s);
enum err cfn_state_refused(struct call *call, const struct cfn_stack *s,
                           const char *what) WARN_UNUSED;
/* Whether what is no resource's is the same: outputs, tags, topics. */
enum err cfn_config_same(struct call *call, const struct cfn_stack *s, const struct cfn_open *open,
                         const struct cfn_config *config, bool *ret_same) WARN_UNUSED;
/* Puts `config` in place of the stack's, and begins. */
enum err cfn_update_begin(struct call *call, struct cfn_stack *s,
                          const struct cfn_config *config) WARN_UNUSED;
/* What the stack was before the operation is what it is to be again; its role stays. */
enum err cfn_go_back(struct txn *txn, struct cfn_stack *s) WARN_UNUSED;
/* Parameters as they may be shown. */
enum err cfn_shown_parameters(struct arena *a, const struct cfn_config *c,
                              struct cloudformation_parameters *ret) WARN_UNUSED;
/* By name and stack, or by ARN: ChangeSetNotFound. */
enum err cfn_change_set_find(struct call *call, struct str ref, struct str stack,
                             struct cfn_stack *ret_s, struct cfn_change_set *ret) WARN_UNUSED;

/* --- the engine (run*.c) ------------------------------------------------------------------------ */

enum err cfn_run_register(struct cfn *c) WARN_UNUSED;
void cfn_run_release(struct cfn *c);
/* Whoever waits for something of this stack looks again; hook form, for txn_on_durable. */
enum err cfn_poke(struct cfn *c, struct txn *txn, struct str uuid) WARN_UNUSED;

/* --- stacks from the newest on (cloudformation_order.c) ------------------------------------------ */

enum err cfn_order_register(struct cfn *c) WARN_UNUSED;
enum err cfn_order_put(struct txn *txn, const struct cfn_stack *s) WARN_UNUSED;
enum err cfn_order_drop(struct txn *txn, const struct cfn_stack *s) WARN_UNUSED;

/* --- what goes with time (cloudformation_sweep.c) ------------------------------------------------ */

enum err cfn_sweep_register(struct cfn *c) WARN_UNUSED;
/* Told whenever an operation on the stack has ended, and of a stack that waits for its first. */
enum err cfn_sweep_later(struct cfn *c, struct txn *txn, const struct cfn_stack *s) WARN_UNUSED;
/* Stores what a detection found, for as long as it may be asked for. */
enum err cfn_detection_keep(struct cfn *c, struct txn *txn, struct str key,
                            const struct cfn_detection *d) WARN_UNUSED;
/* Argument of the jobs of stacks: "account/region"; absent on exhaustion. */
struct str cfn_job_argument(struct arena *a, const struct cfn_stack *s);
struct key_scope cfn_job_scope(struct str argument);

/* --- addresses for answers (cloudformation_answer.c) -------------------------------------------- */

enum err cfn_answers_claim(struct cfn *c) WARN_UNUSED;
/* The address of a token. */
struct str cfn_answer_url(struct arena *a, struct str region, struct str token, bool wait);

#endif
