/* Rules of composite alarms: ALARM("a") AND NOT (OK(b) OR INSUFFICIENT_DATA(c)), TRUE, FALSE. NOT binds
 * closest, then AND, then OR. Pure.
 *
 * Source: CloudWatch API Reference, PutCompositeAlarm, AlarmRule. Lifetime: the arena's; names are the
 * arena's. */
#ifndef WEIR_SVC_CLOUDWATCH_CW_RULE_H
#define WEIR_SVC_CLOUDWATCH_CW_RULE_H

#include "svc/cloudwatch/cw_judge.h"

enum {
    CW_RULE_DEPTH_MAX = 64,
    CW_RULE_NODES_MAX = 500,
    CW_RULE_NAMES_MAX = 100, /* different alarms */
};

enum cw_rule_kind { CW_RULE_STATE, CW_RULE_CONSTANT, CW_RULE_NOT, CW_RULE_AND, CW_RULE_OR };

struct cw_rule_node {
    enum cw_rule_kind kind;
    bool value;          /* CW_RULE_CONSTANT */
    enum cw_state state; /* CW_RULE_STATE: the alarm `name` (or ARN) is in this state */
    struct str name;
    struct cw_rule_node *left, *right; /* NOT has the left one alone */
};

struct cw_rule {
    struct cw_rule_node *root;
    struct str names[CW_RULE_NAMES_MAX]; /* each once */
    size_t n_names;
};

/* ERR_INVALID with the place of the fault; ERR_LIMIT; ERR_NOMEM. */
enum err cw_rule_parse(struct arena *a, struct str text, struct cw_rule *ret,
                       size_t *ret_at) WARN_UNUSED;
/* Whether it holds, when the alarms are in these states (in the order of rule->names). */
bool cw_rule_holds(const struct cw_rule *rule, const enum cw_state *states);

#endif
