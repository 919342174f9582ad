/* Types that are the service's own: what they are is a step of the engine, not an operation of a service.
 *
 *   AWS::CloudFormation::Stack                         a stack in the stack
 *   AWS::CloudFormation::CustomResource, Custom::*     a function or a topic that answers
 *   AWS::CloudFormation::WaitConditionHandle, WaitCondition   an address, and what waits for it
 *   AWS::CDK::Metadata                                 nothing
 *
 * Layer: svc/cloudformation. */
#ifndef WEIR_SVC_CLOUDFORMATION_CLOUDFORMATION_OWN_H
#define WEIR_SVC_CLOUDFORMATION_CLOUDFORMATION_OWN_H

#include "svc/cloudformation/cloudformation_int.h"

/* One step of a piece of work on a resource, in the transaction of the engine. */
struct cfn_step {
    struct cfn *c;
    struct txn *txn;
    struct arena *a; /* the transaction's */
    const struct cfn_stack *stack;
    struct cfn_resource *resource;
    struct cfn_work *work;       /* its own; what it sets is stored */
    const struct cfn_thing *was; /* UPDATE, DELETE: what is there */
    const struct principal *who;
    struct str text; /* of a template by its address, once it was fetched; absent: not yet */
    /* Set by a step. */
    enum type_doing doing;     /* MORE, WAIT, DONE, FAILED */
    int64_t wake_ms;           /* WAIT: at the latest, Weir's time; 0: only when poked */
    struct str reason;         /* FAILED */
    struct str wants;          /* an address whose text must be fetched first, with ERR_SUSPENDED */
    struct core_request asked; /* what failed, for the reason */
};

static inline bool cfn_is_stack(struct str type)
{
    return str_eq(type, STR("AWS::CloudFormation::Stack"));
}

struct cfn_own {
    const char *type; /* ends in '*': what begins so */
    enum err (*check)(const struct json *properties, struct arena *a, struct str *ret_message);
    enum err (*step)(struct cfn_step *step); /* errors commit nothing; ERR_FAILED: step->reason */
    /* UPDATE is asked for; NULL: any difference is one in place. */
    enum type_change (*change)(const struct json *before, const struct json *after);
};

const struct cfn_own *cfn_own_find(struct str type);
bool cfn_own_has_attribute(struct str type, struct str attribute);
enum err cfn_own_check(struct str type, const struct json *properties, struct arena *a,
                       struct str *ret_message) WARN_UNUSED;
extern const struct cfn_own cfn_own_stack, cfn_own_custom, cfn_own_custom_named, cfn_own_handle,
    cfn_own_condition;

/* type_compare, for our own types too. */
enum err cfn_compare(struct str type, struct arena *a, const struct json *before,
                     const struct json *after, enum type_change *ret_change,
                     struct type_difference **ret_differences) WARN_UNUSED;

/* cloudformation_answer.c: an address's record, for what the step is about. */
enum err cfn_answer_expect(const struct cfn_step *step, struct str token,
                           bool collects) WARN_UNUSED;
/* The token of an address. */
struct str cfn_answer_token(struct str url);
/* Adds a signal, each id once. ERR_LIMIT. */
enum err cfn_answer_signal(struct txn *txn, struct cfn_answer *answer,
                           const struct cfn_signal *signal) WARN_UNUSED;

const struct json *cfn_attribute(const struct json *attributes, struct str name);
struct str cfn_url_suffix(const struct core *core);
bool cfn_managed_policy(struct cfn_open *open, struct str name, struct str *ret_arn);
/* A nested stack's parameter as its value is told: lists as one text. */
enum err cfn_parameter_text(struct arena *a, const struct json *v, struct str *ret) WARN_UNUSED;
/* STACK-LOGICAL-TOKEN. */
struct str cfn_made_name(const struct cfn_step *step);

#endif
