/* Conditions: operators, their values, and how they meet the request's context.
 *
 * Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Conditions with
 * multiple keys or values".
 * Layer: auth. Thread: pure. */
#include <arpa/inet.h>
#include <assert.h>

#include "auth/policy_int.h"
#include "base/clock.h"
#include "codec/base64.h"

static const struct {
    struct str name;
    enum cond_type type;
    enum cond_compare compare;
    bool negated, wild;
} operators[] = {
    {STR_INIT("StringEquals"), COND_STRING, COMPARE_EQ, false, false},
    {STR_INIT("StringNotEquals"), COND_STRING, COMPARE_EQ, true, false},
    {STR_INIT("StringEqualsIgnoreCase"), COND_STRING_NOCASE, COMPARE_EQ, false, false},
    {STR_INIT("StringNotEqualsIgnoreCase"), COND_STRING_NOCASE, COMPARE_EQ, true, false},
    {STR_INIT("StringLike"), COND_STRING, COMPARE_EQ, false, true},
    {STR_INIT("StringNotLike"), COND_STRING, COMPARE_EQ, true, true},
    {STR_INIT("NumericEquals"), COND_NUMERIC, COMPARE_EQ, false, false},
    {STR_INIT("NumericNotEquals"), COND_NUMERIC, COMPARE_EQ, true, false},
    {STR_INIT("NumericLessThan"), COND_NUMERIC, COMPARE_LT, false, false},
    {STR_INIT("NumericLessThanEquals"), COND_NUMERIC, COMPARE_LE, false, false},
    {STR_INIT("NumericGreaterThan"), COND_NUMERIC, COMPARE_GT, false, false},
    {STR_INIT("NumericGreaterThanEquals"), COND_NUMERIC, COMPARE_GE, false, false},
    {STR_INIT("DateEquals"), COND_DATE, COMPARE_EQ, false, false},
    {STR_INIT("DateNotEquals"), COND_DATE, COMPARE_EQ, true, false},
    {STR_INIT("DateLessThan"), COND_DATE, COMPARE_LT, false, false},
    {STR_INIT("DateLessThanEquals"), COND_DATE, COMPARE_LE, false, false},
    {STR_INIT("DateGreaterThan"), COND_DATE, COMPARE_GT, false, false},
    {STR_INIT("DateGreaterThanEquals"), COND_DATE, COMPARE_GE, false, false},
    {STR_INIT("Bool"), COND_BOOL, COMPARE_EQ, false, false},
    {STR_INIT("BinaryEquals"), COND_BINARY, COMPARE_EQ, false, false},
    {STR_INIT("IpAddress"), COND_IP, COMPARE_EQ, false, false},
    {STR_INIT("NotIpAddress"), COND_IP, COMPARE_EQ, true, false},
    {STR_INIT("ArnEquals"), COND_ARN, COMPARE_EQ, false, true},
    {STR_INIT("ArnLike"), COND_ARN, COMPARE_EQ, false, true},
    {STR_INIT("ArnNotEquals"), COND_ARN, COMPARE_EQ, true, true},
    {STR_INIT("ArnNotLike"), COND_ARN, COMPARE_EQ, true, true},
    {STR_INIT("Null"), COND_NULL, COMPARE_EQ, false, false},
};

enum err cond_parse_operator(struct str name, struct cond *c, bool *ret_wild)
{
    static const struct str if_exists = STR_INIT("IfExists");
    struct str rest = name;
    enum cond_over over = OVER_SINGLE;
    if (str_find(name, ':') != SIZE_MAX) {
        struct str prefix = str_cut(&rest, ':');
        if (str_eq_nocase(prefix, STR("ForAllValues")))
            over = OVER_ALL;
        else if (str_eq_nocase(prefix, STR("ForAnyValue")))
            over = OVER_ANY;
        else
            return ERR_INVALID;
    }
    bool exists = rest.len > if_exists.len &&
                  str_eq_nocase(str_sub(rest, rest.len - if_exists.len, if_exists.len), if_exists);
    if (exists)
        rest.len -= if_exists.len;
    for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
        if (!str_eq_nocase(rest, operators[i].name))
            continue;
        if (operators[i].type == COND_NULL && (exists || over != OVER_SINGLE))
            return ERR_INVALID;
        c->type = operators[i].type;
        c->compare = operators[i].compare;
        c->negated = operators[i].negated;
        c->if_exists = exists;
        c->over = over;
        *ret_wild = operators[i].wild;
        return ERR_OK;
    }
    return ERR_INVALID;
}

static enum err parse_flag(struct str text, bool *ret)
{
    if (str_eq_nocase(text, STR("true")))
        *ret = true;
    else if (str_eq_nocase(text, STR("false")))
        *ret = false;
    else
        return ERR_INVALID;
    return ERR_OK;
}

/* ISO 8601 date or time, or seconds since the epoch. */
static enum err parse_date(struct str text, int64_t *ret_ms)
{
    int64_t s;
    if (str_to_i64(text, &s) == ERR_OK) {
        if (s < 0 || s > INT64_MAX / 1000)
            return ERR_INVALID;
        *ret_ms = s * 1000;
        return ERR_OK;
    }
    char day[] = "0000-00-00T00:00:00Z";
    if (text.len == 10) {
        memcpy(day, text.p, text.len);
        text = str_c(day);
    }
    return clock_parse_iso8601(text, ret_ms);
}

static enum err parse_addr(struct str text, uint8_t addr[16], bool *ret_v4)
{
    char z[INET6_ADDRSTRLEN + 1];
    if (text.len == 0 || text.len >= sizeof(z))
        return ERR_INVALID;
    memcpy(z, text.p, text.len);
    z[text.len] = 0;
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (inet_pton(AF_INET, z, addr + 12) == 1) {
        memcpy(addr, mapped, sizeof(mapped));
        *ret_v4 = true;
        return ERR_OK;
    }
    *ret_v4 = false;
    return inet_pton(AF_INET6, z, addr) == 1 ? ERR_OK : ERR_INVALID;
}

static enum err parse_net(struct str text, struct cond_net *ret)
{
    struct str prefix = text;
    struct str addr = str_cut(&prefix, '/');
    struct cond_net net;
    bool v4;
    TRY(parse_addr(addr, net.addr, &v4));
    uint64_t bits = v4 ? 32 : 128;
    if (str_is_set(prefix)) {
        uint64_t asked;
        TRY(str_to_u64(prefix, &asked));
        if (asked > bits)
            return ERR_INVALID;
        bits = asked;
    }
    net.prefix = (unsigned)bits + (v4 ? 96 : 0);
    *ret = net;
    return ERR_OK;
}

static bool in_net(const struct cond_net *net, const uint8_t addr[16])
{
    assert(net->prefix <= 128);
    unsigned bytes = net->prefix / 8, bits = net->prefix % 8;
    if (memcmp(net->addr, addr, bytes) != 0)
        return false;
    return bits == 0 || ((net->addr[bytes] ^ addr[bytes]) & (0xff << (8 - bits)) & 0xff) == 0;
}

enum err cond_parse_value(struct arena *a, const struct cond *c, bool wild, bool variables,
                          struct str text, struct cond_value *ret)
{
    switch (c->type) {
    case COND_STRING:
    case COND_STRING_NOCASE:
    case COND_ARN:
        return pattern_compile(a, text, wild, variables, &ret->pattern);
    case COND_NUMERIC:
        return str_to_f64(text, &ret->number);
    case COND_DATE:
        return parse_date(text, &ret->ms);
    case COND_BOOL:
    case COND_NULL:
        return parse_flag(text, &ret->flag);
    case COND_BINARY:
        return base64_decode(a, text, &ret->bytes);
    case COND_IP:
        return parse_net(text, &ret->net);
    }
    return ERR_INVALID;
}

static bool compares(enum cond_compare compare, int order)
{
    switch (compare) {
    case COMPARE_EQ:
        return order == 0;
    case COMPARE_LT:
        return order < 0;
    case COMPARE_LE:
        return order <= 0;
    case COMPARE_GT:
        return order > 0;
    case COMPARE_GE:
        return order >= 0;
    }
    return false;
}

/* A value of the request in the operator's type. */
struct operand {
    struct str text;
    double number;
    int64_t ms;
    bool flag;
    uint8_t addr[16];
};

static enum err parse_operand(enum cond_type type, struct str text, struct operand *ret)
{
    bool v4;
    ret->text = text;
    switch (type) {
    case COND_NUMERIC:
        return str_to_f64(text, &ret->number);
    case COND_DATE:
        return parse_date(text, &ret->ms);
    case COND_BOOL:
        return parse_flag(text, &ret->flag);
    case COND_IP:
        return parse_addr(text, ret->addr, &v4);
    default:
        return ERR_OK;
    }
}

static bool value_matches(const struct cond *c, const struct cond_value *v, const struct operand *x,
                          const struct policy_context *ctx, struct pattern_trouble *trouble)
{
    switch (c->type) {
    case COND_STRING:
    case COND_STRING_NOCASE:
        return pattern_match(&v->pattern, x->text, c->type == COND_STRING_NOCASE, ctx, trouble);
    case COND_ARN:
        return pattern_match_arn(&v->pattern, x->text, ctx, trouble);
    case COND_NUMERIC:
        return compares(c->compare, (x->number > v->number) - (x->number < v->number));
    case COND_DATE:
        return compares(c->compare, (x->ms > v->ms) - (x->ms < v->ms));
    case COND_BOOL:
        return x->flag == v->flag;
    case COND_BINARY:
        return str_eq(x->text, v->bytes);
    case COND_IP:
        return in_net(&v->net, x->addr);
    case COND_NULL:
        break;
    }
    return false;
}

/* One value of the request against all of the policy's: they are alternatives; a negated operator
 * asks that none of them holds. */
static enum cond_answer eval_one(const struct cond *c, struct str text,
                                 const struct policy_context *ctx)
{
    struct operand x;
    if (parse_operand(c->type, text, &x) != ERR_OK)
        return COND_UNKNOWN;
    struct pattern_trouble trouble = {0};
    bool any = false;
    for (size_t i = 0; i < c->n && !any; i++)
        any = value_matches(c, &c->values[i], &x, ctx, &trouble);
    /* That a value is not one which cannot be told is not known either. */
    if (trouble.failed || (trouble.unresolved && c->negated && !any))
        return COND_UNKNOWN;
    return any != c->negated ? COND_YES : COND_NO;
}

enum cond_answer cond_eval(const struct cond *c, const struct policy_context *ctx)
{
    assert(c->type != COND_NULL || (!c->if_exists && c->over == OVER_SINGLE)); /* of the parser */
    const struct policy_key *key = policy_context_find(ctx, c->key);
    bool missing = !key || key->n == 0;
    if (c->type == COND_NULL) {
        for (size_t i = 0; i < c->n; i++)
            if (c->values[i].flag == missing)
                return COND_YES;
        return COND_NO;
    }
    if (missing) {
        if (c->if_exists || c->over == OVER_ALL)
            return COND_YES;
        return c->negated && c->over == OVER_SINGLE ? COND_YES : COND_NO;
    }
    /* Several values without a set operator: a match is any, a negated match is all. */
    bool all = c->over == OVER_ALL || (c->over == OVER_SINGLE && c->negated);
    bool unknown = false;
    for (size_t i = 0; i < key->n; i++) {
        enum cond_answer one = eval_one(c, key->values[i], ctx);
        unknown |= one == COND_UNKNOWN;
        if (all && one == COND_NO)
            return COND_NO;
        if (!all && one == COND_YES)
            return COND_YES;
    }
    return unknown ? COND_UNKNOWN : all ? COND_YES : COND_NO;
}
