/* Values of queries: what they are as numbers and as texts, and their order. */
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "lang/insights_int.h"

enum { DECIMALS_SHOWN = 4 };
#define EXACT_MAX 1e15 /* below, a double has digits after the point to show */
#define WHOLE_MAX 1e21

struct ins_value ins_text(struct str s)
{
    return (struct ins_value){.kind = str_is_set(s) ? INS_TEXT : INS_ABSENT, .text = s};
}

struct ins_value ins_number(double n)
{
    return (struct ins_value){.kind = isfinite(n) ? INS_NUMBER : INS_ABSENT, .number = n};
}

struct ins_value ins_bool(bool yes)
{
    return (struct ins_value){.kind = INS_BOOL, .number = yes ? 1 : 0};
}

struct ins_value ins_time(double ms)
{
    return (struct ins_value){.kind = isfinite(ms) ? INS_TIME : INS_ABSENT, .number = ms};
}

static bool is_structure(const struct ins_value *v)
{
    return v->kind == INS_MAP || v->kind == INS_LIST;
}

void ins_plain(struct ins_value *v)
{
    if (is_structure(v))
        *v = (struct ins_value){0};
}

bool ins_to_number(const struct ins_value *v, double *ret_n)
{
    if (v->kind == INS_TEXT)
        return str_to_f64(str_trim(v->text), ret_n) == ERR_OK;
    *ret_n = v->number;
    return v->kind != INS_ABSENT && !is_structure(v);
}

bool ins_is_true(const struct ins_value *v)
{
    double n;
    if (v->kind == INS_TEXT && str_to_f64(v->text, &n) != ERR_OK)
        return str_eq_nocase(v->text, STR("true"));
    return ins_to_number(v, &n) && n != 0;
}

/* At most four digits after the point; large ones exactly. */
static struct str show_number(struct arena *a, double n)
{
    char text[64];
    bool small = fabs(n) < EXACT_MAX;
    int len = small || fabs(n) < WHOLE_MAX
                  ? snprintf(text, sizeof(text), "%.*f", small ? DECIMALS_SHOWN : 0, n)
                  : snprintf(text, sizeof(text), "%.17g", n);
    if (small) {
        while (len > 0 && text[len - 1] == '0')
            len--;
        if (len > 0 && text[len - 1] == '.')
            len--;
    }
    struct str s = str_n(text, (size_t)len);
    return str_dup(a, str_eq_c(s, "-0") ? STR("0") : s);
}

static struct str show_time(struct arena *a, double ms)
{
    if (fabs(ms) > 8.64e15) /* beyond what has a year */
        return show_number(a, ms);
    struct civil c = clock_civil((int64_t)floor(ms));
    return str_fmt(a, "%04d-%02d-%02d %02d:%02d:%02d.%03d", c.year, c.month, c.day, c.hour,
                   c.minute, c.second, c.ms);
}

struct str ins_show(struct arena *a, const struct ins_value *v)
{
    switch (v->kind) {
    case INS_TEXT:
    case INS_MAP:
    case INS_LIST:
        return v->text;
    case INS_NUMBER:
        return show_number(a, v->number);
    case INS_TIME:
        return show_time(a, v->number);
    case INS_BOOL:
        return v->number != 0 ? STR("1") : STR("0");
    case INS_ABSENT:
        break;
    }
    return STR("");
}

int ins_compare(const struct ins_value *a, const struct ins_value *b)
{
    double x, y;
    if (a->kind == INS_ABSENT || b->kind == INS_ABSENT)
        return (a->kind != INS_ABSENT) - (b->kind != INS_ABSENT);
    bool a_is = ins_to_number(a, &x), b_is = ins_to_number(b, &y);
    if (a_is && b_is)
        return (x > y) - (x < y);
    if (a_is != b_is)
        return a_is ? -1 : 1;
    return str_cmp(a->text, b->text);
}

static size_t digits_at(struct str s, size_t at)
{
    size_t n = 0;
    while (at + n < s.len && s.p[at + n] >= '0' && s.p[at + n] <= '9')
        n++;
    return n;
}

static int text_order(struct str a, struct str b)
{
    for (size_t i = 0; i < a.len && i < b.len;) {
        size_t x = digits_at(a, i), y = digits_at(b, i);
        bool runs = x > 0 && y > 0;
        if (runs && x != y)
            return x < y ? -1 : 1;
        size_t n = runs ? x : 1;
        int c = memcmp(a.p + i, b.p + i, n);
        if (c != 0)
            return c;
        i += n;
    }
    return (a.len > b.len) - (a.len < b.len);
}

int ins_sort(const struct ins_value *a, const struct ins_value *b)
{
    double x, y;
    bool a_is = ins_to_number(a, &x), b_is = ins_to_number(b, &y);
    if (a->kind == INS_ABSENT || b->kind == INS_ABSENT)
        return (a->kind != INS_ABSENT) - (b->kind != INS_ABSENT);
    if (a_is && b_is)
        return (x > y) - (x < y);
    return a_is != b_is ? a_is - b_is : text_order(a->text, b->text);
}
