/* Text of a schedule expression. See cron.h. */
#include <assert.h>

#include "lang/calendar.h"
#include "lang/cron.h"

enum { FIELDS = 6, BITS_MAX = CRON_YEAR_MAX - CRON_YEAR_MIN + 1 };

/* A field's values and their names. */
struct field {
    int min, max;
    const char *names; /* three letters each, the first is `min` */
    bool wraps;
};

static const struct field MINUTES = {0, 59, "", true};
static const struct field HOURS = {0, 23, "", true};
static const struct field DAYS = {1, 31, "", true};
static const struct field MONTHS = {1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC", true};
static const struct field WEEKDAYS = {1, 7, "SUNMONTUEWEDTHUFRISAT", true};
static const struct field YEARS = {CRON_YEAR_MIN, CRON_YEAR_MAX, "", false};

/* Bits from the field's least value. */
struct bits {
    uint64_t v[BITS_MAX / 64 + 1];
};

static enum err value(const struct field *f, struct str s, int *ret_v)
{
    struct str names = str_c(f->names);
    for (size_t i = 0; s.len == 3 && i < names.len; i += 3)
        if (str_eq_nocase(s, str_sub(names, i, 3))) {
            *ret_v = f->min + (int)i / 3;
            return ERR_OK;
        }
    uint64_t v;
    if (s.len > 4 || str_to_u64(s, &v) != ERR_OK || v < (uint64_t)f->min || v > (uint64_t)f->max)
        return ERR_INVALID;
    *ret_v = (int)v;
    return ERR_OK;
}

/* *  a  a-b, each with or without /step */
static enum err element(const struct field *f, struct str s, struct bits *bits)
{
    int first = f->min, last = f->max, span = f->max - f->min + 1;
    uint64_t step = 1;
    struct str step_text = s;
    struct str range = str_cut(&step_text, '/');
    bool stepped = str_is_set(step_text);
    if (stepped && (str_to_u64(step_text, &step) != ERR_OK || step == 0 || step > (uint64_t)span))
        return ERR_INVALID;
    if (!str_eq_c(range, "*")) {
        struct str to = range;
        struct str from = str_cut(&to, '-');
        TRY(value(f, from, &first));
        if (str_is_set(to))
            TRY(value(f, to, &last));
        else if (!stepped)
            last = first;
    }
    if (last < first && !f->wraps)
        return ERR_INVALID;
    int n = last - first + (last < first ? span : 0);
    for (int i = 0; i <= n; i += (int)step) {
        int bit = (first - f->min + i) % span;
        assert(bit >= 0 && bit < BITS_MAX);
        bits->v[bit / 64] |= 1ull << bit % 64;
    }
    return ERR_OK;
}

static enum err list(const struct field *f, struct str s, struct bits *ret_bits)
{
    *ret_bits = (struct bits){0};
    struct str rest = s;
    while (str_is_set(rest)) {
        struct str one = str_cut(&rest, ',');
        TRY(element(f, one, ret_bits));
    }
    return ERR_OK;
}

static enum err days_of_month(struct str s, struct cron *c)
{
    struct bits bits;
    char last = s.len ? s.p[s.len - 1] : '\0';
    if (str_eq_nocase(s, STR("L"))) {
        c->day_kind = CRON_DAY_LAST;
        return ERR_OK;
    }
    if (str_eq_nocase(s, STR("LW"))) {
        c->day_kind = CRON_DAY_LAST_WEEKDAY;
        return ERR_OK;
    }
    if (last == 'W' || last == 'w') {
        c->day_kind = CRON_DAY_NEAREST;
        return value(&DAYS, str_sub(s, 0, s.len - 1), &c->day);
    }
    c->day_kind = CRON_DAY_OF_MONTH;
    TRY(list(&DAYS, s, &bits));
    c->days = (uint32_t)bits.v[0] << 1; /* bit n: day n */
    return ERR_OK;
}

static enum err days_of_week(struct str s, struct cron *c)
{
    struct bits bits;
    struct str nth = s;
    struct str day = str_cut(&nth, '#');
    if (str_is_set(nth)) {
        if (nth.len != 1 || nth.p[0] < '1' || nth.p[0] > '5')
            return ERR_INVALID;
        c->day_kind = CRON_DAY_NTH_OF;
        c->nth = nth.p[0] - '0';
        TRY(value(&WEEKDAYS, day, &c->weekday));
        c->weekday--; /* 0 = Sunday, as the calendar counts */
        return ERR_OK;
    }
    if (s.len > 1 && (s.p[s.len - 1] | 0x20) == 'l') {
        c->day_kind = CRON_DAY_LAST_OF;
        TRY(value(&WEEKDAYS, str_sub(s, 0, s.len - 1), &c->weekday));
        c->weekday--;
        return ERR_OK;
    }
    c->day_kind = CRON_DAY_OF_WEEK;
    TRY(list(&WEEKDAYS, str_eq_nocase(s, STR("L")) ? STR("7") : s, &bits));
    c->weekdays = (uint8_t)bits.v[0];
    return ERR_OK;
}

static enum err split(struct str s, struct str ret_fields[FIELDS])
{
    size_t n = 0;
    struct str rest = str_trim(s);
    while (str_is_set(rest)) {
        struct str one = str_cut(&rest, ' ');
        if (str_empty(one))
            continue;
        if (n == FIELDS)
            return ERR_INVALID;
        ret_fields[n++] = one;
    }
    return n == FIELDS ? ERR_OK : ERR_INVALID;
}

static enum err parse_cron(struct str s, struct cron *c)
{
    struct str f[FIELDS];
    struct bits bits;
    c->kind = CRON_CRON;
    TRY(split(s, f));
    TRY(list(&MINUTES, f[0], &bits));
    c->minutes = bits.v[0];
    TRY(list(&HOURS, f[1], &bits));
    c->hours = (uint32_t)bits.v[0];
    TRY(list(&MONTHS, f[3], &bits));
    c->months = (uint32_t)bits.v[0] << 1; /* bit n: month n */
    TRY(list(&YEARS, f[5], &bits));
    _Static_assert(sizeof(c->years) == sizeof(bits.v), "one bit a year");
    memcpy(c->years, bits.v, sizeof(c->years));
    bool any_day = str_eq_c(f[2], "?"), any_weekday = str_eq_c(f[4], "?");
    if (any_day == any_weekday) /* CR1 */
        return ERR_INVALID;
    return any_day ? days_of_week(f[4], c) : days_of_month(f[2], c);
}

static enum err parse_rate(struct str s, enum cron_dialect dialect, struct cron *c)
{
    static const struct {
        const char *one, *many;
        int64_t seconds;
    } units[] = {{"minute", "minutes", 60}, {"hour", "hours", 3600}, {"day", "days", 86400}};
    uint64_t n;
    struct str unit = s;
    struct str number = str_cut(&unit, ' ');
    if (str_to_u64(number, &n) != ERR_OK || n == 0 || n > CRON_RATE_MAX)
        return ERR_INVALID;
    unit = str_trim(unit);
    c->kind = CRON_RATE;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        bool one = str_eq_c(unit, units[i].one), many = str_eq_c(unit, units[i].many);
        if (dialect == CRON_RULES && (n == 1 ? many : one)) /* CR5 */
            return ERR_INVALID;
        c->period = (int64_t)n * units[i].seconds;
        if (one || many)
            return ERR_OK;
    }
    return ERR_INVALID;
}

/* yyyy-mm-ddThh:mm:ss */
static enum err parse_at(struct str s, struct cron *c)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:dd";
    int v[6] = {0}, part = 0;
    if (s.len != sizeof(shape) - 1)
        return ERR_INVALID;
    for (size_t i = 0; i < s.len; i++) {
        bool digit = s.p[i] >= '0' && s.p[i] <= '9';
        if (shape[i] == 'd' ? !digit : s.p[i] != shape[i])
            return ERR_INVALID;
        if (digit)
            v[part] = v[part] * 10 + (s.p[i] - '0');
        else
            part++;
    }
    bool sane = v[0] >= CRON_YEAR_MIN && v[0] <= CRON_YEAR_MAX && v[1] >= 1 && v[1] <= 12 &&
                v[2] >= 1 && v[2] <= calendar_month_days(v[0], v[1]) && v[3] <= 23 && v[4] <= 59 &&
                v[5] <= 59;
    if (!sane)
        return ERR_INVALID;
    c->kind = CRON_AT;
    c->at = calendar_days(v[0], v[1], v[2]) * DAY_SECONDS + v[3] * 3600 + v[4] * 60 + v[5];
    return ERR_OK;
}

static bool inside(struct str text, struct str name, struct str *ret_inner)
{
    if (!str_starts(text, name) || !str_ends(text, STR(")")))
        return false;
    *ret_inner = str_sub(text, name.len, text.len - name.len - 1);
    return true;
}

enum err cron_parse(struct str text, enum cron_dialect dialect, struct cron *ret_cron)
{
    struct cron c = {0};
    struct str inner;
    if (text.len > CRON_TEXT_MAX)
        return ERR_INVALID;
    if (inside(text, STR("rate("), &inner))
        TRY(parse_rate(inner, dialect, &c));
    else if (inside(text, STR("cron("), &inner))
        TRY(parse_cron(inner, &c));
    else if (dialect == CRON_SCHEDULER && inside(text, STR("at("), &inner))
        TRY(parse_at(inner, &c));
    else
        return ERR_INVALID;
    *ret_cron = c;
    return ERR_OK;
}
