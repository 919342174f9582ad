/* Names and ARNs of buses, rules and archives, and what operations share.
 *
 *   event-bus/BUS   rule/NAME (of the default bus)   rule/BUS/NAME   archive/NAME   replay/NAME
 *
 * Layer: svc/events. Thread: pure, and the call's. */
#include "core/account.h"
#include "svc/events/events_int.h"

struct str events_arn(struct arena *a, const struct core *core, struct key_scope scope,
                      const char *type, struct str name)
{
    const struct arn arn = {.partition = core->cfg.partition,
                            .service = STR("events"),
                            .region = scope.region,
                            .account = scope.account};
    return arn_make(a, &arn, "%s/" STR_FMT, type, STR_ARG(name));
}

struct str events_rule_arn(struct arena *a, const struct core *core,
                           const struct events_rule_rec *r)
{
    if (str_eq_c(r->bus, EVENTS_DEFAULT))
        return events_arn(a, core, r->scope, "rule", r->name);
    struct str both = str_fmt(a, STR_FMT "/" STR_FMT, STR_ARG(r->bus), STR_ARG(r->name));
    return str_is_set(both) ? events_arn(a, core, r->scope, "rule", both) : STR_NONE;
}

enum err events_bus_name(struct key_scope scope, struct str given, struct str *ret_name)
{
    struct arn arn;
    *ret_name = str_is_set(given) ? given : STR(EVENTS_DEFAULT);
    if (!str_is_set(given) || !arn_is(given))
        return ERR_OK;
    if (arn_parse_as(given, "events", "event-bus", &arn) != ERR_OK ||
        !str_eq(arn.account, scope.account) || !str_eq(arn.region, scope.region))
        return ERR_NOT_FOUND;
    *ret_name = arn_tail(&arn, 1);
    return str_is_set(*ret_name) ? ERR_OK : ERR_NOT_FOUND;
}

enum err events_bus_put_to(struct call *call, struct str given, struct key_scope *ret_scope,
                           struct str *ret_name)
{
    struct key_scope scope = call_scope(call);
    struct str account = arn_is(given) ? wire_account_in(given) : STR_NONE;
    if (str_is_set(account) && account_known(call->core, account))
        scope.account = account;
    TRY(events_bus_name(scope, given, ret_name));
    *ret_scope = scope;
    return ERR_OK;
}

enum err events_rule_arn_parse(struct str text, struct key_scope *ret_scope, struct str *ret_bus,
                               struct str *ret_name)
{
    struct arn arn;
    if (arn_parse_as(text, "events", "rule", &arn) != ERR_OK || !str_is_set(arn_segment(&arn, 1)))
        return ERR_INVALID;
    bool custom = str_is_set(arn_segment(&arn, 2));
    *ret_scope = (struct key_scope){arn.account, arn.region};
    *ret_bus = custom ? arn_segment(&arn, 1) : STR(EVENTS_DEFAULT);
    *ret_name = custom ? arn_tail(&arn, 2) : arn_segment(&arn, 1);
    return ERR_OK;
}

enum err events_need_bus(struct call *call, struct str given, struct events_bus_rec **ret)
{
    struct str name;
    enum err err = events_bus_name(call_scope(call), given, &name);
    if (err == ERR_OK)
        err = events_bus_read(events_of(call), call->txn, call_scope(call), name, ret);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &events_err_resource_not_found_exception,
                          "Event bus " STR_FMT " does not exist.", STR_ARG(name));
    return err;
}

enum err events_need_rule(struct call *call, struct str bus, struct str name,
                          struct events_rule_rec **ret)
{
    struct events_bus_rec *b;
    TRY(events_need_bus(call, bus, &b));
    enum err err = events_rule_read(events_of(call), call->txn, b->scope, b->name, name, ret);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &events_err_resource_not_found_exception,
                          "Rule " STR_FMT " does not exist on EventBus " STR_FMT ".", STR_ARG(name),
                          STR_ARG(b->name));
    return err;
}

enum err events_check_pattern(struct call *call, struct str text)
{
    struct pattern *p;
    struct str message;
    if (!str_is_set(text) || text.len == 0)
        return ERR_OK;
    enum err err = pattern_parse(call->arena, text, PATTERN_EVENTS, &p, &message);
    if (err == ERR_INVALID)
        return call_error(call, &events_err_invalid_event_pattern_exception, STR_FMT,
                          STR_ARG(message));
    return err;
}

enum err events_check_role(struct call *call, struct str role)
{
    const struct identity_port *id = &call->core->identity;
    if (!str_is_set(role))
        return ERR_OK;
    enum err err = id->role_trusts(id->self, call->txn, role, STR(EVENTS_PRINCIPAL));
    if (err == ERR_NOT_FOUND || err == ERR_DENIED || err == ERR_INVALID)
        return EVENTS_INVALID(call,
                              "Provided role '" STR_FMT "' cannot be assumed by principal '%s'.",
                              STR_ARG(role), EVENTS_PRINCIPAL);
    return err;
}

enum err events_refuse_key(struct call *call, struct str kms_key)
{
    if (!str_is_set(kms_key) || kms_key.len == 0)
        return ERR_OK;
    return EVENTS_INVALID(call, "Encryption with a KMS key is not supported by Weir; leave "
                                "KmsKeyIdentifier out.");
}

enum err events_paged(struct call *call, enum err err)
{
    return err == ERR_INVALID ? EVENTS_INVALID(call, "Parameter NextToken is not valid.") : err;
}
