/* Names and ARNs of functions, mappings and layers. Source: Lambda API Reference, parameters FunctionName and
 * LayerName.
 *
 * Layer: svc. Thread: pure. */
#include "base/arn.h"
#include "svc/lambda/lambda_int.h"

enum {
    NAME_MAX_CHARS = 64,
    QUALIFIER_MAX_CHARS = 128,
    UUID_MAX_CHARS = 36,
    LAYER_MAX_CHARS = 140,
};

#define MAPPING_PREFIX "event-source-mapping:"
#define LAYER_PREFIX "layer:"
#define LAMBDA_NOT_FOUND "Function not found: "

/* 1 to `max` characters of a-z A-Z 0-9 - _. */
static bool is_word(struct str s, size_t max)
{
    if (s.len < 1 || s.len > max)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        if (!((c | 32) >= 'a' && (c | 32) <= 'z') && !(c >= '0' && c <= '9') && c != '-' &&
            c != '_')
            return false;
    }
    return true;
}

/* *rest without `prefix`, if it begins so. */
static bool strip(struct str *rest, struct str prefix)
{
    if (!str_starts(*rest, prefix))
        return false;
    *rest = str_sub(*rest, prefix.len, SIZE_MAX);
    return true;
}

/* What stands before "function:NAME[:QUALIFIER]" or the name alone: nothing, an account, or the
 * head of an ARN. */
static enum err take_scope(struct str *rest, struct key_scope *scope)
{
    struct arn arn;
    struct str tail = *rest;

    if (arn_is(*rest)) {
        TRY(arn_parse_as(*rest, "lambda", NULL, &arn));
        *scope = (struct key_scope){arn.account, arn.region};
        *rest = arn.resource;
        return arn_account_valid(arn.account) && !str_empty(arn.region) &&
                       strip(rest, STR("function:"))
                   ? ERR_OK
                   : ERR_INVALID;
    }
    struct str account = str_cut(&tail, ':');
    if (arn_account_valid(account) && !str_empty(tail)) { /* "function:" may follow */
        scope->account = account;
        *rest = tail;
    }
    (void)strip(rest, STR("function:"));
    return ERR_OK;
}

enum err lambda_name_parse(struct str s, struct key_scope scope, struct lambda_name *ret_name)
{
    struct lambda_name n = {.scope = scope};

    TRY(take_scope(&s, &n.scope));
    n.name = str_cut(&s, ':');
    n.qualifier = s;
    if (!is_word(n.name, NAME_MAX_CHARS) ||
        (str_is_set(n.qualifier) && !str_eq_c(n.qualifier, LAMBDA_LATEST) &&
         !is_word(n.qualifier, QUALIFIER_MAX_CHARS)))
        return ERR_INVALID;
    *ret_name = n;
    return ERR_OK;
}

struct str lambda_arn(struct arena *a, struct str partition, const struct lambda_name *name,
                      struct str qualifier)
{
    const struct arn arn = {.partition = partition,
                            .service = STR("lambda"),
                            .region = name->scope.region,
                            .account = name->scope.account};
    return arn_make(a, &arn, "function:" STR_FMT "%s" STR_FMT, STR_ARG(name->name),
                    str_is_set(qualifier) ? ":" : "", STR_ARG(qualifier));
}

enum err lambda_not_found(struct call *call, const struct lambda_name *name)
{
    struct str arn = lambda_arn(call->arena, call->partition, name, name->qualifier);
    return call_error(call, &lambda_err_resource_not_found_exception, LAMBDA_NOT_FOUND STR_FMT,
                      STR_ARG(arn));
}

enum err lambda_not_found_as(struct call *call, enum err err, const char *words)
{
    if (err != ERR_FAILED || !str_starts(call_error_message(call), STR(LAMBDA_NOT_FOUND)))
        return err;
    call_error_clear(call);
    return call_error(call, &lambda_err_resource_not_found_exception, "%s", words);
}

/* Whether nothing but its length is wrong with a name, with or without what stands before and behind it. */
static bool is_long(struct str s)
{
    struct key_scope scope;
    if (take_scope(&s, &scope) != ERR_OK)
        return false;
    struct str name = str_cut(&s, ':');
    return name.len > NAME_MAX_CHARS && is_word(name, SIZE_MAX);
}

enum err lambda_name_of_qualifier(struct call *call, struct str function_name, struct str qualifier,
                                  struct lambda_name *ret_name)
{
    struct lambda_name n;

    if (lambda_name_parse(function_name, call_scope(call), &n) != ERR_OK)
        return is_long(function_name)
                   ? LAMBDA_INVALID(call,
                                    "1 validation error detected: Value '" STR_FMT
                                    "' at 'functionName' failed to satisfy constraint: Member must "
                                    "have length less than or equal to %d",
                                    STR_ARG(function_name), NAME_MAX_CHARS)
                   : LAMBDA_INVALID(call, STR_FMT " is not a valid function name or ARN",
                                    STR_ARG(function_name));
    if (!str_eq(n.scope.region, call->region))
        return call_error(call, &lambda_err_resource_not_found_exception,
                          "Functions from '" STR_FMT "' are not reachable in this region ('" STR_FMT
                          "')",
                          STR_ARG(n.scope.region), STR_ARG(call->region));
    /* Permission was asked for in the account in which the call acts: an operation that is not open to others
     * reaches none of theirs. CreateFunction has words of its own. */
    if (!str_eq(n.scope.account, call->account) && call->op->index != LAMBDA_OP_CREATE_FUNCTION)
        return lambda_not_found(call, &n);
    if (str_is_set(qualifier)) {
        if (str_is_set(n.qualifier) && !str_eq(n.qualifier, qualifier))
            return LAMBDA_INVALID(call,
                                  "The derived qualifier from the function name does not match "
                                  "the specified qualifier.");
        n.qualifier = qualifier;
    }
    *ret_name = n;
    return ERR_OK;
}

enum err lambda_name_of_call(struct call *call, struct str function_name, struct str qualifier,
                             struct lambda_name *ret_name)
{
    struct lambda_name n;
    TRY(lambda_name_of_qualifier(call, function_name, qualifier, &n));
    if (str_is_set(n.qualifier) && !str_eq_c(n.qualifier, LAMBDA_LATEST))
        return lambda_not_found(call, &n);
    *ret_name = n;
    return ERR_OK;
}

struct str lambda_mapping_arn(struct arena *a, struct str partition, const struct lambda_mapping *m)
{
    const struct arn arn = {.partition = partition,
                            .service = STR("lambda"),
                            .region = m->function.scope.region,
                            .account = m->function.scope.account};
    return arn_make(a, &arn, MAPPING_PREFIX STR_FMT, STR_ARG(m->uuid));
}

enum err lambda_mapping_arn_parse(struct str arn, struct key_scope *ret_scope, struct str *ret_uuid)
{
    struct arn parsed;
    struct str uuid;

    if (!arn_is(arn))
        return ERR_INVALID;
    TRY(arn_parse_as(arn, "lambda", NULL, &parsed));
    uuid = parsed.resource;
    if (!strip(&uuid, STR(MAPPING_PREFIX)) || !is_word(uuid, UUID_MAX_CHARS) ||
        !arn_account_valid(parsed.account) || str_empty(parsed.region))
        return ERR_INVALID;
    *ret_scope = (struct key_scope){parsed.account, parsed.region};
    *ret_uuid = uuid;
    return ERR_OK;
}

/* "layer:NAME" with or without ":NUMBER" of an ARN, or NAME alone. */
enum err lambda_layer_name_parse(struct str s, struct key_scope scope,
                                 struct lambda_layer_name *ret_name)
{
    struct lambda_layer_name n = {.scope = scope};
    struct arn arn;
    int64_t number = 0;

    if (arn_is(s)) {
        TRY(arn_parse_as(s, "lambda", NULL, &arn));
        s = arn.resource;
        if (!arn_account_valid(arn.account) || str_empty(arn.region) ||
            !strip(&s, STR(LAYER_PREFIX)))
            return ERR_INVALID;
        n.scope = (struct key_scope){arn.account, arn.region};
    }
    n.name = str_cut(&s, ':');
    if (!is_word(n.name, LAYER_MAX_CHARS) ||
        (str_is_set(s) && (str_to_i64(s, &number) != ERR_OK || number < 1)))
        return ERR_INVALID;
    n.number = (uint64_t)number;
    *ret_name = n;
    return ERR_OK;
}

struct str lambda_layer_arn(struct arena *a, struct str partition,
                            const struct lambda_layer_name *name)
{
    char number[24] = "";
    const struct arn arn = {.partition = partition,
                            .service = STR("lambda"),
                            .region = name->scope.region,
                            .account = name->scope.account};
    if (name->number)
        (void)snprintf(number, sizeof(number), ":%llu", (unsigned long long)name->number);
    return arn_make(a, &arn, LAYER_PREFIX STR_FMT "%s", STR_ARG(name->name), number);
}
