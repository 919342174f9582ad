/* The functions of queries, operators included.
 *
 * Source: CloudWatch Logs User Guide, "Boolean, comparison, numeric, datetime, and other functions". */
#include <arpa/inet.h>
#include <math.h>

#include "lang/calendar.h"
#include "lang/insights_int.h"

#define FN(name)                                                                                   \
    static enum err name(struct ins_eval *e, const struct ins_value *v, size_t n,                  \
                         struct ins_value *ret)

/* The text of a value; absent stays so. */
static enum err text_of(struct ins_eval *e, const struct ins_value *v, struct str *ret)
{
    *ret = v->kind == INS_ABSENT ? STR_NONE : ins_show(e->a, v);
    return v->kind != INS_ABSENT && !str_is_set(*ret) ? ERR_NOMEM : ERR_OK;
}

/* --- arithmetic ------------------------------------------------------------------------------------- */

static bool numbers(const struct ins_value *v, size_t n, double *x)
{
    for (size_t i = 0; i < n; i++)
        if (!ins_to_number(&v[i], &x[i]))
            return false;
    return true;
}

#define ARITHMETIC(name, n_, of)                                                                   \
    FN(name)                                                                                       \
    {                                                                                              \
        double x[n_];                                                                              \
        if (numbers(v, n_, x))                                                                     \
            *ret = ins_number(of);                                                                 \
        return ERR_OK;                                                                             \
    }
ARITHMETIC(fn_add, 2, x[0] + x[1])
ARITHMETIC(fn_mul, 2, x[0] * x[1])
ARITHMETIC(fn_div, 2, x[0] / x[1])
ARITHMETIC(fn_mod, 2, fmod(x[0], x[1]))
ARITHMETIC(fn_pow, 2, pow(x[0], x[1]))
ARITHMETIC(fn_abs, 1, fabs(x[0]))
ARITHMETIC(fn_ceil, 1, ceil(x[0]))
ARITHMETIC(fn_floor, 1, floor(x[0]))
ARITHMETIC(fn_log, 1, log(x[0]))
ARITHMETIC(fn_sqrt, 1, sqrt(x[0]))

FN(fn_sub)
{
    double x[2] = {0, 0};
    if (numbers(v, n, x))
        *ret = ins_number(n == 1 ? -x[0] : x[0] - x[1]);
    return ERR_OK;
}

static enum err extreme(const struct ins_value *v, size_t n, int sign, struct ins_value *ret)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].kind != INS_ABSENT &&
            (ret->kind == INS_ABSENT || sign * ins_compare(&v[i], ret) > 0))
            *ret = v[i];
    return ERR_OK;
}
FN(fn_greatest)
{
    return extreme(v, n, 1, ret);
}
FN(fn_least)
{
    return extreme(v, n, -1, ret);
}

/* --- comparison ------------------------------------------------------------------------------------- */

static bool both(const struct ins_value *v)
{
    return v[0].kind != INS_ABSENT && v[1].kind != INS_ABSENT;
}

#define COMPARISON(name, absent, op)                                                               \
    FN(name)                                                                                       \
    {                                                                                              \
        *ret = ins_bool(both(v) ? ins_compare(&v[0], &v[1]) op 0 : (absent));                      \
        return ERR_OK;                                                                             \
    }
COMPARISON(fn_eq, false, ==)
COMPARISON(fn_lt, false, <)
COMPARISON(fn_le, false, <=)
COMPARISON(fn_gt, false, >)
COMPARISON(fn_ge, false, >=)

/* Of a structure no comparison holds, not even this. */
FN(fn_ne)
{
    struct ins_value a = v[0], b = v[1];
    ins_plain(&a);
    ins_plain(&b);
    bool structures = a.kind != v[0].kind || b.kind != v[1].kind;
    *ret = ins_bool(!structures && (both(v) ? ins_compare(&a, &b) != 0 : a.kind != b.kind));
    return ERR_OK;
}

FN(fn_in)
{
    bool found = false;
    for (size_t i = 1; i < n && v[0].kind != INS_ABSENT; i++)
        found = found || (v[i].kind != INS_ABSENT && ins_compare(&v[0], &v[i]) == 0);
    *ret = ins_bool(found);
    return ERR_OK;
}

FN(fn_not)
{
    *ret = ins_bool(!ins_is_true(&v[0]));
    return ERR_OK;
}

/* --- what need not be evaluated --------------------------------------------------------------------- */

static enum err junction(struct ins_eval *e, const struct ins_expr *x, bool until,
                         struct ins_value *ret)
{
    struct ins_value v;
    bool yes = !until;
    for (size_t i = 0; i < x->n && yes != until; i++) {
        TRY(ins_eval(e, x->args[i], &v));
        yes = ins_is_true(&v);
    }
    *ret = ins_bool(yes);
    return ERR_OK;
}
static enum err lazy_and(struct ins_eval *e, const struct ins_expr *x, struct ins_value *ret)
{
    return junction(e, x, false, ret);
}
static enum err lazy_or(struct ins_eval *e, const struct ins_expr *x, struct ins_value *ret)
{
    return junction(e, x, true, ret);
}

static enum err lazy_coalesce(struct ins_eval *e, const struct ins_expr *x, struct ins_value *ret)
{
    for (size_t i = 0; i < x->n && ret->kind == INS_ABSENT; i++)
        TRY(ins_eval(e, x->args[i], ret));
    return ERR_OK;
}

/* if(c, yes, no), case(c1, v1, c2, v2, ..., otherwise). */
static enum err lazy_case(struct ins_eval *e, const struct ins_expr *x, struct ins_value *ret)
{
    struct ins_value v;
    size_t i = 0;
    for (; i + 1 < x->n; i += 2) {
        TRY(ins_eval(e, x->args[i], &v));
        if (ins_is_true(&v))
            return ins_eval(e, x->args[i + 1], ret);
    }
    return i < x->n ? ins_eval(e, x->args[i], ret) : ERR_OK;
}

/* --- time ------------------------------------------------------------------------------------------- */

static int64_t month_start(int64_t ms, int64_t months, int64_t more)
{
    int64_t year;
    int month, day;
    calendar_date(floor_div(ms, DAY_SECONDS * 1000), &year, &month, &day);
    int64_t at = floor_div(year * 12 + month - 1, months) * months + more * months;
    return calendar_days(floor_div(at, 12), (int)floor_mod(at, 12) + 1, 1) * DAY_SECONDS * 1000;
}

static void round_time(double at, const struct ins_expr *period, bool up, struct ins_value *ret)
{
    if (fabs(at) > 8.64e15)
        return;
    int64_t ms = (int64_t)floor(at), floored;
    if (period->period_months > 0) {
        floored = month_start(ms, period->period_months, 0);
        if (up && floored != ms)
            floored = month_start(ms, period->period_months, 1);
    } else {
        floored = floor_div(ms, period->period_ms) * period->period_ms;
        if (up && floored != ms)
            floored += period->period_ms;
    }
    *ret = ins_time((double)floored);
}

/* bin(5m) is of @timestamp, which the parser put in front. */
static enum err lazy_floor(struct ins_eval *e, const struct ins_expr *x, struct ins_value *ret)
{
    struct ins_value v;
    double at;
    TRY(ins_eval(e, x->args[0], &v));
    if (ins_to_number(&v, &at))
        round_time(at, x->args[1], false, ret);
    return ERR_OK;
}
static enum err lazy_ceil(struct ins_eval *e, const struct ins_expr *x, struct ins_value *ret)
{
    struct ins_value v;
    double at;
    TRY(ins_eval(e, x->args[0], &v));
    if (ins_to_number(&v, &at))
        round_time(at, x->args[1], true, ret);
    return ERR_OK;
}

FN(fn_from_millis)
{
    double ms;
    if (ins_to_number(&v[0], &ms))
        *ret = ins_time(ms);
    return ERR_OK;
}
FN(fn_to_millis)
{
    double ms;
    if (ins_to_number(&v[0], &ms))
        *ret = ins_number(ms);
    return ERR_OK;
}
FN(fn_now)
{
    *ret = ins_number((double)floor_div(e->now_ms, 1000));
    return ERR_OK;
}

/* --- texts ------------------------------------------------------------------------------------------ */

FN(fn_is_present)
{
    *ret = ins_bool(v[0].kind != INS_ABSENT);
    return ERR_OK;
}

FN(fn_is_empty)
{
    *ret = ins_bool(v[0].kind == INS_ABSENT || (v[0].kind == INS_TEXT && v[0].text.len == 0));
    return ERR_OK;
}

FN(fn_is_blank)
{
    *ret = ins_bool(v[0].kind == INS_ABSENT ||
                    (v[0].kind == INS_TEXT && str_trim(v[0].text).len == 0));
    return ERR_OK;
}

/* Texts that are made have a limit: what is longer is cut nowhere, but absent. */
static enum err made(struct buf *b, struct ins_value *ret)
{
    if (buf_err(b) == ERR_LIMIT)
        return ERR_OK;
    TRY(buf_err(b));
    *ret = ins_text(buf_str(b));
    return ERR_OK;
}

FN(fn_concat)
{
    struct buf b;
    buf_init_arena(&b, e->a, INSIGHTS_TEXT_MAX);
    for (size_t i = 0; i < n; i++) {
        struct str s;
        TRY(text_of(e, &v[i], &s));
        buf_add_str(&b, s);
    }
    return made(&b, ret);
}

static enum err trim(struct ins_eval *e, const struct ins_value *v, size_t n, bool left, bool right,
                     struct ins_value *ret)
{
    struct str s, chars = STR(" \t\r\n");
    TRY(text_of(e, &v[0], &s));
    if (n == 2)
        TRY(text_of(e, &v[1], &chars));
    while (left && s.len > 0 && str_find(chars, s.p[0]) != SIZE_MAX)
        s = str_sub(s, 1, SIZE_MAX);
    while (right && s.len > 0 && str_find(chars, s.p[s.len - 1]) != SIZE_MAX)
        s.len--;
    *ret = ins_text(s);
    return ERR_OK;
}
FN(fn_trim)
{
    return trim(e, v, n, true, true, ret);
}
FN(fn_ltrim)
{
    return trim(e, v, n, true, false, ret);
}
FN(fn_rtrim)
{
    return trim(e, v, n, false, true, ret);
}

FN(fn_strlen)
{
    struct str s;
    TRY(text_of(e, &v[0], &s));
    if (str_is_set(s))
        *ret = ins_number((double)str_utf8_count(s));
    return ERR_OK;
}

static enum err change_case(struct ins_eval *e, const struct ins_value *v, char first, char last,
                            struct ins_value *ret)
{
    struct str s;
    TRY(text_of(e, v, &s));
    if (!str_is_set(s))
        return ERR_OK;
    char *out = arena_memdup(e->a, s.p, s.len);
    if (!out)
        return ERR_NOMEM;
    for (size_t i = 0; i < s.len; i++)
        if (out[i] >= first && out[i] <= last)
            out[i] ^= 'a' ^ 'A';
    *ret = ins_text(str_n(out, s.len));
    return ERR_OK;
}
FN(fn_upper)
{
    return change_case(e, &v[0], 'a', 'z', ret);
}
FN(fn_lower)
{
    return change_case(e, &v[0], 'A', 'Z', ret);
}

/* Bytes that `count` characters take. */
static size_t bytes_of(struct str s, double count)
{
    size_t at = 0;
    for (double i = 0; i < count && at < s.len; i++)
        do
            at++;
        while (at < s.len && ((unsigned char)s.p[at] & 0xC0) == 0x80);
    return at;
}

FN(fn_substr)
{
    struct str s;
    double x[2] = {0, INFINITY};
    TRY(text_of(e, &v[0], &s));
    if (!str_is_set(s) || !numbers(v + 1, n - 1, x))
        return ERR_OK;
    s = str_sub(s, bytes_of(s, x[0]), SIZE_MAX);
    *ret = ins_text(str_sub(s, 0, bytes_of(s, x[1])));
    return ERR_OK;
}

FN(fn_replace)
{
    struct str s, what, by;
    struct buf b;
    TRY(text_of(e, &v[0], &s));
    TRY(text_of(e, &v[1], &what));
    TRY(text_of(e, &v[2], &by));
    if (!str_is_set(s))
        return ERR_OK;
    buf_init_arena(&b, e->a, INSIGHTS_TEXT_MAX);
    while (what.len > 0) {
        size_t at = str_find_str(s, what);
        if (at == SIZE_MAX)
            break;
        buf_add_str(&b, str_sub(s, 0, at));
        buf_add_str(&b, by);
        s = str_sub(s, at + what.len, SIZE_MAX);
    }
    buf_add_str(&b, s);
    return made(&b, ret);
}

FN(fn_contains)
{
    struct str s, what;
    TRY(text_of(e, &v[0], &s));
    TRY(text_of(e, &v[1], &what));
    *ret = ins_bool(str_is_set(s) && str_is_set(what) && str_find_str(s, what) != SIZE_MAX);
    return ERR_OK;
}

/* --- structures ------------------------------------------------------------------------------------- */

FN(fn_json_parse)
{
    struct str s;
    TRY(text_of(e, &v[0], &s));
    return str_is_set(s) ? ins_structure_parse(e->a, s, ret) : ERR_OK;
}

FN(fn_json_stringify)
{
    if (v[0].kind == INS_MAP || v[0].kind == INS_LIST)
        *ret = ins_text(v[0].text);
    return ERR_OK;
}

/* --- addresses -------------------------------------------------------------------------------------- */

enum { IP_BYTES_MAX = 16 };

/* Bytes of the address, 4 or 16; 0: it is none. */
static size_t address(struct str s, uint8_t out[IP_BYTES_MAX])
{
    char text[INET6_ADDRSTRLEN];
    if (!str_is_set(s) || s.len >= sizeof(text))
        return 0;
    memcpy(text, s.p, s.len);
    text[s.len] = '\0';
    return inet_pton(AF_INET, text, out) == 1 ? 4 : inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
}

static enum err is_address(struct ins_eval *e, const struct ins_value *v, size_t four, size_t six,
                           struct ins_value *ret)
{
    uint8_t ip[IP_BYTES_MAX];
    struct str s;
    TRY(text_of(e, &v[0], &s));
    size_t len = address(s, ip);
    *ret = ins_bool(len > 0 && (len == four || len == six));
    return ERR_OK;
}
FN(fn_is_ip)
{
    return is_address(e, v, 4, 16, ret);
}
FN(fn_is_ip4)
{
    return is_address(e, v, 4, 4, ret);
}
FN(fn_is_ip6)
{
    return is_address(e, v, 16, 16, ret);
}

static enum err in_subnet(struct ins_eval *e, const struct ins_value *v, size_t four, size_t six,
                          struct ins_value *ret)
{
    uint8_t ip[IP_BYTES_MAX], net[IP_BYTES_MAX];
    struct str s, subnet;
    uint64_t bits;
    TRY(text_of(e, &v[0], &s));
    TRY(text_of(e, &v[1], &subnet));
    size_t len = address(s, ip);
    struct str base = str_cut(&subnet, '/');
    bool yes = len > 0 && (len == four || len == six) && address(base, net) == len &&
               str_to_u64(subnet, &bits) == ERR_OK && bits <= len * 8;
    for (size_t i = 0; yes && i < bits; i++)
        yes = ((ip[i / 8] ^ net[i / 8]) & (0x80 >> i % 8)) == 0;
    *ret = ins_bool(yes);
    return ERR_OK;
}
FN(fn_in_subnet)
{
    return in_subnet(e, v, 4, 16, ret);
}
FN(fn_in_subnet4)
{
    return in_subnet(e, v, 4, 4, ret);
}
FN(fn_in_subnet6)
{
    return in_subnet(e, v, 16, 16, ret);
}

/* --- table ------------------------------------------------------------------------------------------ */

static const struct ins_function functions[] = {
    {"+", 2, 2, false, fn_add, NULL},
    {"-", 1, 2, false, fn_sub, NULL},
    {"*", 2, 2, false, fn_mul, NULL},
    {"/", 2, 2, false, fn_div, NULL},
    {"%", 2, 2, false, fn_mod, NULL},
    {"^", 2, 2, false, fn_pow, NULL},
    {"=", 2, 2, false, fn_eq, NULL},
    {"!=", 2, 2, true, fn_ne, NULL},
    {"<", 2, 2, false, fn_lt, NULL},
    {"<=", 2, 2, false, fn_le, NULL},
    {">", 2, 2, false, fn_gt, NULL},
    {">=", 2, 2, false, fn_ge, NULL},
    {"in", 2, INSIGHTS_ARGS_MAX, false, fn_in, NULL},
    {"not", 1, 1, false, fn_not, NULL},
    {"and", 2, 2, false, NULL, lazy_and},
    {"or", 2, 2, false, NULL, lazy_or},
    {"abs", 1, 1, false, fn_abs, NULL},
    {"ceil", 1, 1, false, fn_ceil, NULL},
    {"floor", 1, 1, false, fn_floor, NULL},
    {"log", 1, 1, false, fn_log, NULL},
    {"sqrt", 1, 1, false, fn_sqrt, NULL},
    {"greatest", 1, INSIGHTS_ARGS_MAX, false, fn_greatest, NULL},
    {"least", 1, INSIGHTS_ARGS_MAX, false, fn_least, NULL},
    {"bin", 1, 2, false, NULL, lazy_floor},
    {"datefloor", 2, 2, false, NULL, lazy_floor},
    {"dateceil", 2, 2, false, NULL, lazy_ceil},
    {"fromMillis", 1, 1, false, fn_from_millis, NULL},
    {"toMillis", 1, 1, false, fn_to_millis, NULL},
    {"now", 0, 0, false, fn_now, NULL},
    {"ispresent", 1, 1, true, fn_is_present, NULL},
    {"coalesce", 1, INSIGHTS_ARGS_MAX, false, NULL, lazy_coalesce},
    {"if", 3, 3, false, NULL, lazy_case},
    {"case", 2, INSIGHTS_ARGS_MAX, false, NULL, lazy_case},
    {"isempty", 1, 1, false, fn_is_empty, NULL},
    {"isblank", 1, 1, false, fn_is_blank, NULL},
    {"concat", 1, INSIGHTS_ARGS_MAX, false, fn_concat, NULL},
    {"trim", 1, 2, false, fn_trim, NULL},
    {"ltrim", 1, 2, false, fn_ltrim, NULL},
    {"rtrim", 1, 2, false, fn_rtrim, NULL},
    {"strlen", 1, 1, false, fn_strlen, NULL},
    {"toupper", 1, 1, false, fn_upper, NULL},
    {"tolower", 1, 1, false, fn_lower, NULL},
    {"substr", 2, 3, false, fn_substr, NULL},
    {"replace", 3, 3, false, fn_replace, NULL},
    {"strcontains", 2, 2, false, fn_contains, NULL},
    {"jsonParse", 1, 1, false, fn_json_parse, NULL},
    {"jsonStringify", 1, 1, true, fn_json_stringify, NULL},
    {"isValidIp", 1, 1, false, fn_is_ip, NULL},
    {"isValidIpV4", 1, 1, false, fn_is_ip4, NULL},
    {"isValidIpV6", 1, 1, false, fn_is_ip6, NULL},
    {"isIpInSubnet", 2, 2, false, fn_in_subnet, NULL},
    {"isIpv4InSubnet", 2, 2, false, fn_in_subnet4, NULL},
    {"isIpv6InSubnet", 2, 2, false, fn_in_subnet6, NULL},
};

const struct ins_function *ins_function_of(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(functions); i++)
        if (str_eq_nocase(name, str_c(functions[i].name)))
            return &functions[i];
    return NULL;
}
