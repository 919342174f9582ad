/* The section Rules: assertions about parameters, which hold before anything is made. See tpl_int.h.
 *
 * Source: the CloudFormation user guide, "CloudFormation template Rules syntax".
 * Layer: template. Thread: pure but for the host's answers. */
#include "template/tpl_int.h"

enum { RULES_MAX = 200, ASSERTIONS_MAX = 100 };

static enum err malformed(struct tpl_run *r, struct str rule)
{
    return tpl_refuse(r->a, r->fault, "Template format error: Rule " STR_FMT " is malformed.",
                      STR_ARG(rule));
}

static enum err check_assertion(struct tpl_run *r, const struct json *rule,
                                const struct json *assertion, bool holds)
{
    const struct json *assert = json_get(assertion, STR("Assert"));
    struct str description = json_get_str(assertion, STR("AssertDescription"));
    bool yes = true;
    if (!assert)
        return malformed(r, rule->key);
    if (holds)
        TRY(tpl_eval_bool(r, assert, &yes));
    if (yes)
        return ERR_OK;
    if (str_is_set(description))
        return tpl_refuse(r->a, r->fault, STR_FMT, STR_ARG(description));
    return tpl_refuse(r->a, r->fault, "Rule " STR_FMT " does not hold.", STR_ARG(rule->key));
}

static enum err check_rule(struct tpl_run *r, const struct json *rule)
{
    const struct json *condition = json_get(rule, STR("RuleCondition"));
    const struct json *assertions = json_get(rule, STR("Assertions"));
    bool holds = true;
    if (!assertions || assertions->kind != JSON_ARRAY || !assertions->n ||
        assertions->n > ASSERTIONS_MAX)
        return malformed(r, rule->key);
    if (condition && !r->t->world->check_only)
        TRY(tpl_eval_bool(r, condition, &holds));
    JSON_EACH (assertions, it)
        TRY(check_assertion(r, rule, it, holds && !r->t->world->check_only));
    return ERR_OK;
}

enum err tpl_rules_check(struct tpl *t, struct tpl_fault *fault)
{
    struct tpl_run r = {.t = t, .a = t->arena, .fault = fault, .block = "Rules"};
    const struct json *rules = json_get(t->tree, STR("Rules"));
    if (rules && (rules->kind != JSON_OBJECT || rules->n > RULES_MAX))
        return tpl_refuse(t->arena, fault, "Template format error: unsupported structure.");
    JSON_EACH (rules, it)
        TRY(check_rule(&r, it));
    return ERR_OK;
}
