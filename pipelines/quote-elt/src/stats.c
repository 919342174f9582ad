/* See stats.h. Layer: pipeline, pure. */
#include "stats.h"

enum kind { TEXT, DATE, NUMBER };

static const struct column {
    const char *name;
    enum kind kind;
} columns[STATS_COLUMNS] = {
    {"quote_id", TEXT},       {"quote", TEXT},        {"author", TEXT},
    {"author_slug", TEXT},    {"added_on", DATE},     {"modified_on", DATE},
    {"quote_length", NUMBER}, {"word_count", NUMBER}, {"tag_count", NUMBER},
};

/* Each of them in SQL, where $ is the column; and whether its value is a number, by the column's kind. */
static const struct {
    const char *name, *sql;
    bool is_for[NUMBER + 1], is_number[NUMBER + 1];
} statistics[STATS_N] = {
    [STAT_COUNT] = {"count", "count($)", {true, true, true}, {true, true, true}},
    [STAT_DISTINCT] = {"distinct", "count(DISTINCT $)", {true, true, true}, {true, true, true}},
    [STAT_MIN] = {"min", "min($)", {true, true, true}, {false, false, true}},
    [STAT_MAX] = {"max", "max($)", {true, true, true}, {false, false, true}},
    [STAT_RANGE] = {"range", "max($) - min($)", {false, true, true}, {false, true, true}},
    [STAT_MEAN] = {"mean", "round(avg($), 6)", {false, false, true}, {false, false, true}},
    [STAT_VARIANCE] = {"variance",
                       "round(var_samp($), 6)",
                       {false, false, true},
                       {false, false, true}},
    [STAT_STANDARD_DEVIATION] = {"standard_deviation",
                                 "round(stddev_samp($), 6)",
                                 {false, false, true},
                                 {false, false, true}},
    [STAT_NULLS] = {"nulls", "count(*) - count($)", {true, true, true}, {true, true, true}},
};

static void put_expression(struct buf *b, const char *sql, const char *column)
{
    for (; *sql; sql++) {
        if (*sql == '$')
            buf_add_c(b, column);
        else
            buf_add_byte(b, *sql);
    }
}

void stats_sql(struct buf *b, const char *table)
{
    for (size_t c = 0; c < STATS_COLUMNS; c++) {
        buf_add_fmt(b, "%sSELECT ", c ? " UNION ALL " : "");
        for (size_t s = 0; s < STATS_N; s++) {
            if (s)
                BUF_ADD_LIT(b, ", ");
            BUF_ADD_LIT(b, "CAST(");
            put_expression(b, statistics[s].is_for[columns[c].kind] ? statistics[s].sql : "NULL",
                           columns[c].name);
            BUF_ADD_LIT(b, " AS VARCHAR)");
        }
        /* The last column, which nobody reads, keeps the order. */
        buf_add_fmt(b, ", %zu AS place FROM %s", c, table);
    }
    BUF_ADD_LIT(b, " ORDER BY place");
}

static void put_value(struct json_out *o, size_t column, size_t statistic, struct str value)
{
    if (!str_is_set(value))
        json_null(o);
    else if (statistics[statistic].is_number[columns[column].kind])
        json_raw(o, value);
    else
        json_str(o, value);
}

void stats_put(struct json_out *o, const struct stats *stats)
{
    json_open(o, '{');
    for (size_t c = 0; c < STATS_COLUMNS; c++) {
        json_key(o, str_c(columns[c].name));
        json_open(o, '{');
        for (size_t s = 0; s < STATS_N; s++) {
            json_key(o, str_c(statistics[s].name));
            put_value(o, c, s, stats->of[c][s]);
        }
        json_close(o, '}');
    }
    json_close(o, '}');
}

/* --- limits --------------------------------------------------------------------------------------- */

static bool read_bound(const struct json *v, bool *ret_has, double *ret_bound)
{
    *ret_has = v != NULL;
    return !v || (v->kind == JSON_NUMBER && json_to_f64(v, ret_bound) == ERR_OK);
}

/* What is wrong with it; NULL nothing. */
static const char *read_limit(const struct json *v, struct limit *ret_limit)
{
    struct limit l = {.column = STATS_COLUMNS, .statistic = STATS_ROWS};
    struct str column = json_get_str(v, STR("column"));
    struct str statistic = json_get_str(v, STR("statistic"));
    for (size_t c = 0; c < STATS_COLUMNS; c++)
        if (str_eq_c(column, columns[c].name))
            l.column = c;
    for (int s = 0; s < STATS_N; s++)
        if (str_eq_c(statistic, statistics[s].name))
            l.statistic = s;
    if (l.statistic == STATS_ROWS) {
        if (!str_eq_c(statistic, "rows"))
            return "there is no such statistic";
        if (json_get(v, STR("column")))
            return "rows are of no column";
    } else if (l.column == STATS_COLUMNS) {
        return "there is no such column";
    } else if (!statistics[l.statistic].is_number[columns[l.column].kind]) {
        return "the column has no such number";
    }
    if (!read_bound(json_get(v, STR("min")), &l.has_min, &l.min) ||
        !read_bound(json_get(v, STR("max")), &l.has_max, &l.max))
        return "min and max are numbers";
    if (!l.has_min && !l.has_max)
        return "it has neither min nor max";
    *ret_limit = l;
    return NULL;
}

enum err limits_read(struct arena *a, struct str text, struct limit ret_limits[LIMITS_MAX],
                     size_t *ret_n, struct str *ret_why)
{
    struct json *doc = NULL;
    size_t n = 0;
    enum err err = json_parse(a, text, &doc, NULL);
    if (err == ERR_NOMEM)
        return err;
    if (err != ERR_OK || doc->kind != JSON_ARRAY || doc->n > LIMITS_MAX) {
        *ret_why = str_fmt(a, "limits are a JSON list, of at most %d", LIMITS_MAX);
        return ERR_INVALID;
    }
    JSON_EACH (doc, v) {
        const char *fault = read_limit(v, &ret_limits[n++]);
        if (fault) {
            *ret_why = str_fmt(a, "limit %zu: %s", n, fault);
            return ERR_INVALID;
        }
    }
    *ret_n = n;
    return ERR_OK;
}

/* False where there is no such value. */
static bool value_of(const struct limit *l, const struct stats *stats, double *ret_value)
{
    if (l->statistic == STATS_ROWS) {
        *ret_value = (double)stats->rows;
        return true;
    }
    struct str text = stats->of[l->column][l->statistic];
    return str_is_set(text) && str_to_f64(text, ret_value) == ERR_OK;
}

bool limit_kept(const struct limit *limit, const struct stats *stats)
{
    double value = 0;
    return !value_of(limit, stats, &value) ||
           ((!limit->has_min || value >= limit->min) && (!limit->has_max || value <= limit->max));
}

void limit_put(struct json_out *o, const struct limit *limit, const struct stats *stats)
{
    double value = 0;
    bool of_rows = limit->statistic == STATS_ROWS;
    if (!of_rows)
        json_kv_str(o, STR("column"), str_c(columns[limit->column].name));
    json_kv_str(o, STR("statistic"), str_c(of_rows ? "rows" : statistics[limit->statistic].name));
    json_key(o, STR("value"));
    if (value_of(limit, stats, &value))
        json_f64(o, value);
    else
        json_null(o);
    if (limit->has_min) {
        json_key(o, STR("min"));
        json_f64(o, limit->min);
    }
    if (limit->has_max) {
        json_key(o, STR("max"));
        json_f64(o, limit->max);
    }
}
