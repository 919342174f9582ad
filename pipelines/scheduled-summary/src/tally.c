/* See tally.h. Layer: pipeline, pure. */
#include "tally.h"

#include "base/clock.h"
#include "base/mem.h"
#include "item.h"

void tally_init(struct tally *t)
{
    *t = (struct tally){0};
}

void tally_release(struct tally *t)
{
    mem_free(t->days);
    tally_init(t);
}

/* The first day that is not before `date`. */
static size_t place_of(const struct tally *t, struct str date)
{
    size_t low = 0, high = t->n_days;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_cmp(str_c(t->days[middle].date), date) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum err make_room(struct tally *t)
{
    if (t->n_days < t->cap_days)
        return ERR_OK;
    if (t->n_days == TALLY_DAYS_MAX)
        return ERR_LIMIT;
    size_t cap = t->cap_days ? 2 * t->cap_days : 64;
    struct tally_day *days = mem_realloc(t->days, cap * sizeof *days);
    if (!days)
        return ERR_NOMEM;
    t->days = days;
    t->cap_days = cap;
    return ERR_OK;
}

enum err tally_add(struct tally *t, const struct json *item)
{
    int64_t ms;
    struct str at = item_get_s(item, "created_at");
    if (clock_parse_iso8601(at, &ms) != ERR_OK || at.len < TALLY_DATE_LEN) {
        t->items++;
        t->undated++;
        return ERR_OK;
    }
    struct str date = str_sub(at, 0, TALLY_DATE_LEN);
    size_t i = place_of(t, date);
    if (i == t->n_days || !str_eq_c(date, t->days[i].date)) {
        TRY(make_room(t));
        memmove(&t->days[i + 1], &t->days[i], (t->n_days - i) * sizeof *t->days);
        t->days[i] = (struct tally_day){.n = 0};
        memcpy(t->days[i].date, date.p, TALLY_DATE_LEN);
        t->n_days++;
    }
    t->days[i].n++;
    t->items++;
    return ERR_OK;
}

void tally_put(struct json_out *o, const struct tally *t, int64_t at_ms)
{
    char at[CLOCK_TEXT_MAX];
    json_open(o, '{');
    json_kv_str(o, STR("at"), clock_iso8601(at, at_ms));
    json_kv_i64(o, STR("items"), t->items);
    json_key(o, STR("days"));
    json_open(o, '{');
    for (size_t i = 0; i < t->n_days; i++)
        json_kv_i64(o, str_c(t->days[i].date), t->days[i].n);
    json_close(o, '}');
    if (t->undated)
        json_kv_i64(o, STR("undated"), t->undated);
    json_close(o, '}');
}
