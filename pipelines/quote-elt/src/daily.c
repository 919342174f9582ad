/* See functions.h. Layer: pipeline. */
#include <assert.h>
#include <stdio.h>

#include "codec/hash.h"
#include "duck.h"
#include "functions.h"

enum { SQL_MAX = 64 * 1024, FILE_BYTES_MAX = 512 * 1024 * 1024, LINE_MAX = 256 * 1024 };
#define TAGS_SEPARATOR '\x1f' /* no text of a quote has it (quote.c) */

static const char raw_sql[] =
    "SET threads = 1; SET autoinstall_known_extensions = false;"
    "SET memory_limit = '%lldMB'; SET temp_directory = '/tmp/duckdb';"
    "CREATE TABLE quotes_raw (ingested_at VARCHAR, quote_id VARCHAR, quote VARCHAR, author VARCHAR,"
    " author_slug VARCHAR, tags VARCHAR, quote_length BIGINT, added_on VARCHAR, modified_on "
    "VARCHAR)";

static const char fact_sql[] =
    "CREATE TABLE quotes_fact AS SELECT DATE '%s' AS ingested_date,"
    " CAST(ingested_at AS TIMESTAMP) AS ingested_at, quote_id, quote, author, author_slug,"
    " string_split(tags, chr(31)) AS tags, quote_length,"
    " len(regexp_extract_all(quote, '\\S+')) AS word_count,"
    " coalesce(len(string_split(tags, chr(31))), 0) AS tag_count,"
    " TRY_CAST(left(added_on, 10) AS DATE) AS added_on,"
    " TRY_CAST(left(modified_on, 10) AS DATE) AS modified_on"
    " FROM quotes_raw ORDER BY ingested_at";

static const char agg_sql[] =
    "CREATE TABLE quotes_agg AS SELECT ingested_date, author, count(*) AS quotes,"
    " count(DISTINCT quote_id) AS distinct_quotes, min(quote_length) AS shortest,"
    " max(quote_length) AS longest, round(avg(quote_length), 6) AS mean_length,"
    " CAST(sum(word_count) AS BIGINT) AS words, min(ingested_at) AS first_at,"
    " max(ingested_at) AS last_at FROM quotes_fact GROUP BY ingested_date, author ORDER BY author";

/* One run of the function. Lifetime: the invocation. */
struct day {
    const struct setup *setup;
    struct arena *a;
    struct duck duck;
    struct buf tags; /* of the row at hand */
    char date[QUOTES_DATE_LEN + 1];
    struct stats stats;
    bool failed[LIMITS_MAX];
    struct history history;
    bool changed;
};

/* --- in: the partition, into DuckDB --------------------------------------------------------------- */

static enum err add_row(void *arg, const struct json *item, struct str *ret_why)
{
    struct day *day = arg;
    struct quote q;
    struct str at;
    if (quote_of_item(item, &q, &at) != ERR_OK) {
        *ret_why = STR("an item of the raw table is no quote");
        return ERR_INVALID;
    }
    buf_clear(&day->tags);
    for (size_t i = 0; i < q.n_tags; i++) {
        if (i)
            buf_add_byte(&day->tags, TAGS_SEPARATOR);
        buf_add_str(&day->tags, q.tags[i]);
    }
    TRY(buf_err(&day->tags));
    duck_add_text(&day->duck, at);
    duck_add_text(&day->duck, q.id);
    duck_add_text(&day->duck, q.text);
    duck_add_text(&day->duck, q.author);
    duck_add_text(&day->duck, q.author_slug);
    duck_add_text(&day->duck, q.n_tags ? buf_str(&day->tags) : STR_NONE);
    duck_add_i64(&day->duck, q.length >= 0 ? q.length : DUCK_NULL);
    duck_add_text(&day->duck, q.added_on);
    duck_add_text(&day->duck, q.modified_on);
    day->stats.rows++;
    return duck_end_row(&day->duck, day->a, ret_why);
}

static enum err run(struct day *day, struct str sql, struct str *ret_why)
{
    const char *text = str_cstr(day->a, sql);
    return text ? duck_run(&day->duck, day->a, text, ret_why) : ERR_NOMEM;
}

static enum err load(struct day *day, struct str *ret_why)
{
    /* Half of the memory: the rest is the program's, libduckdb's own and the Parquet files'. */
    TRY(run(day, str_fmt(day->a, raw_sql, (long long)day->setup->memory_mb / 2), ret_why));
    TRY(duck_append(&day->duck, day->a, "quotes_raw", ret_why));
    TRY(store_each(&day->setup->store, day->a, str_c(day->date), add_row, day, ret_why));
    return duck_append_end(&day->duck, day->a, ret_why);
}

/* --- what is made of it --------------------------------------------------------------------------- */

static enum err compute(struct day *day, struct str *ret_why)
{
    struct buf sql;
    struct duck_result r;
    TRY(run(day, str_fmt(day->a, fact_sql, day->date), ret_why));
    TRY(duck_run(&day->duck, day->a, agg_sql, ret_why));
    buf_init_arena(&sql, day->a, SQL_MAX);
    stats_sql(&sql, "quotes_fact");
    buf_add_byte(&sql, 0);
    TRY(buf_err(&sql));
    TRY(duck_query(&day->duck, day->a, sql.p, &r, ret_why));
    assert(r.rows == STATS_COLUMNS && r.columns == STATS_N + 1);
    for (size_t c = 0; c < STATS_COLUMNS; c++)
        for (size_t s = 0; s < STATS_N; s++)
            day->stats.of[c][s] = r.cells[c * r.columns + s];
    for (size_t i = 0; i < day->setup->n_limits; i++) {
        day->failed[i] = !limit_kept(&day->setup->limits[i], &day->stats);
        day->history.failed_limits += day->failed[i];
    }
    return ERR_OK;
}

/* The line for the log, which is kept and answered, too. */
static enum err write_line(struct day *day, struct buf *line)
{
    struct json_out o;
    json_out_init(&o, line);
    json_open(&o, '{');
    json_kv_str(&o, STR("type"), STR("quotes.statistics"));
    json_kv_str(&o, STR("date"), str_c(day->date));
    json_kv_i64(&o, STR("rows"), day->stats.rows);
    json_key(&o, STR("columns"));
    stats_put(&o, &day->stats);
    json_key(&o, STR("failed_limits"));
    json_open(&o, '[');
    for (size_t i = 0; i < day->setup->n_limits; i++) {
        if (!day->failed[i])
            continue;
        json_open(&o, '{');
        limit_put(&o, &day->setup->limits[i], &day->stats);
        json_close(&o, '}');
    }
    json_close(&o, ']');
    json_close(&o, '}');
    return buf_err(line);
}

/* --- out: files, events, history ------------------------------------------------------------------ */

static enum err read_file(const char *path, struct buf *b, struct str *ret_why)
{
    FILE *f = fopen(path, "re");
    char *room;
    size_t n = 1;
    *ret_why = STR("a Parquet file cannot be read");
    if (!f)
        return ERR_IO;
    while (n && (room = buf_reserve(b, 64 * 1024)) != NULL) {
        n = fread(room, 1, 64 * 1024, f);
        buf_grew(b, n);
    }
    bool bad = ferror(f) != 0;
    (void)fclose(f);
    return bad ? ERR_IO : buf_err(b);
}

/* A table as a Parquet object of the day. */
static enum err keep(struct day *day, const char *table, struct str *ret_key,
                     struct str *ret_sha256, struct str *ret_why)
{
    struct buf file;
    char *digest = arena_alloc(day->a, 2 * HASH_SHA256_LEN);
    char path[64];
    struct str key = str_fmt(day->a, "%s/ingested_date=%s/%s.parquet", table, day->date, table);
    if (!digest || !key.len || snprintf(path, sizeof path, "/tmp/%s.parquet", table) < 0)
        return ERR_NOMEM;
    TRY(run(day,
            str_fmt(day->a, "COPY (SELECT * FROM %s) TO '%s' (FORMAT parquet, COMPRESSION zstd)",
                    table, path),
            ret_why));
    buf_init(&file, FILE_BYTES_MAX);
    enum err err = read_file(path, &file, ret_why);
    if (err == ERR_OK)
        err = store_put_object(&day->setup->store, day->a, key, buf_str(&file), ret_why);
    hash_sha256_hex(buf_str(&file).p, file.len, digest);
    buf_release(&file);
    *ret_key = key;
    *ret_sha256 = str_n(digest, 2 * HASH_SHA256_LEN);
    return err;
}

/* One event a failed limit. */
static enum err send_events(struct day *day, struct str *ret_why)
{
    struct buf b, detail;
    struct json_out o, d;
    buf_init_arena(&b, day->a, LINE_MAX);
    buf_init_arena(&detail, day->a, LINE_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_key(&o, STR("Entries"));
    json_open(&o, '[');
    for (size_t i = 0; i < day->setup->n_limits; i++) {
        if (!day->failed[i])
            continue;
        buf_clear(&detail);
        json_out_init(&d, &detail);
        json_open(&d, '{');
        json_kv_str(&d, STR("date"), str_c(day->date));
        limit_put(&d, &day->setup->limits[i], &day->stats);
        json_close(&d, '}');
        json_open(&o, '{');
        json_kv_str(&o, STR("EventBusName"), day->setup->store.bus);
        json_kv_str(&o, STR("Source"), STR("quote-elt"));
        json_kv_str(&o, STR("DetailType"), STR("Quotes Quality Limit Failed"));
        json_kv_str(&o, STR("Detail"), buf_str(&detail));
        json_close(&o, '}');
    }
    json_close(&o, ']');
    json_close(&o, '}');
    TRY(buf_err(&b));
    return store_put_events(&day->setup->store, day->a, buf_str(&b), ret_why);
}

static enum err put_out(struct day *day, struct str line, struct str *ret_why)
{
    const struct store *s = &day->setup->store;
    struct history *h = &day->history;
    bool same = false;
    h->date = str_c(day->date);
    h->rows = day->stats.rows;
    h->statistics = line;
    h->duckdb = duck_version();
    TRY(keep(day, "quotes_fact", &h->facts_key, &h->facts_sha256, ret_why));
    TRY(keep(day, "quotes_agg", &h->aggregates_key, &h->aggregates_sha256, ret_why));
    TRY(store_has_history(s, day->a, h, &same, ret_why));
    day->changed = !same;
    if (same)
        return ERR_OK;
    if (h->failed_limits)
        TRY(send_events(day, ret_why));
    return store_put_history(s, day->a, h, ret_why);
}

static enum err work(struct day *day, struct buf *line, struct str *ret_why)
{
    TRY(duck_open(&day->duck, day->a, ret_why));
    TRY(load(day, ret_why));
    TRY(compute(day, ret_why));
    TRY(write_line(day, line));
    return put_out(day, buf_str(line), ret_why);
}

int daily(const struct setup *setup, struct lambda_context *ctx, struct str event,
          struct buf *reply)
{
    struct json *doc = NULL;
    struct str why = STR_NONE;
    struct day day = {.setup = setup, .a = ctx->arena};
    if (json_parse(ctx->arena, event, &doc, NULL) != ERR_OK ||
        event_date(doc, clock_wall_ms(), day.date) != ERR_OK)
        return lambda_fail(ctx, "Pipeline.BadEvent", "the event has no time or date that is one");
    buf_init(&day.tags, (QUOTE_TEXT_MAX + 1) * QUOTE_TAGS_MAX);
    enum err err = work(&day, reply, &why);
    duck_release(&day.duck);
    buf_release(&day.tags);
    if (err != ERR_OK)
        return lambda_fail(ctx, "Pipeline.Daily", "%s: %s: " STR_FMT, day.date, err_name(err),
                           STR_ARG(why));
    printf(STR_FMT "\n", STR_ARG(buf_str(reply)));
    printf("{\"type\":\"quotes.kept\",\"date\":\"%s\",\"changed\":%s}\n", day.date,
           day.changed ? "true" : "false");
    return 0;
}
