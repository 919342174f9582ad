/* See duck.h. Layer: pipeline. */
#include "duck.h"

#include "shared.h"

enum { OK = 0 }; /* of duckdb_state */

/* What a query gives back; its members are not for us. */
struct result {
    uint64_t deprecated_columns_n, deprecated_rows_n, deprecated_changed_n;
    void *deprecated_columns;
    char *deprecated_error;
    void *internal;
};

static struct {
    const char *(*library_version)(void);
    int (*open)(const char *path, void **ret_database);
    int (*connect)(void *database, void **ret_connection);
    int (*query)(void *connection, const char *sql, struct result *ret_result);
    const char *(*result_error)(struct result *result);
    uint64_t (*row_count)(struct result *result);
    uint64_t (*column_count)(struct result *result);
    bool (*value_is_null)(struct result *result, uint64_t column, uint64_t row);
    char *(*value_varchar)(struct result *result, uint64_t column, uint64_t row);
    void (*free)(void *p);
    void (*destroy_result)(struct result *result);
    int (*appender_create)(void *connection, const char *schema, const char *table,
                           void **ret_appender);
    int (*append_text)(void *appender, const char *p, uint64_t len);
    int (*append_int64)(void *appender, int64_t value);
    int (*append_null)(void *appender);
    int (*end_row)(void *appender);
    int (*appender_close)(void *appender);
    const char *(*appender_error)(void *appender);
    int (*appender_destroy)(void **appender);
    void (*disconnect)(void **connection);
    void (*close)(void **database);
} api;

static enum err load(struct arena *a, struct str *ret_why)
{
    const struct shared_symbol symbols[] = {
        {"duckdb_library_version", &api.library_version},
        {"duckdb_open", &api.open},
        {"duckdb_connect", &api.connect},
        {"duckdb_query", &api.query},
        {"duckdb_result_error", &api.result_error},
        {"duckdb_row_count", &api.row_count},
        {"duckdb_column_count", &api.column_count},
        {"duckdb_value_is_null", &api.value_is_null},
        {"duckdb_value_varchar", &api.value_varchar},
        {"duckdb_free", &api.free},
        {"duckdb_destroy_result", &api.destroy_result},
        {"duckdb_appender_create", &api.appender_create},
        {"duckdb_append_varchar_length", &api.append_text},
        {"duckdb_append_int64", &api.append_int64},
        {"duckdb_append_null", &api.append_null},
        {"duckdb_appender_end_row", &api.end_row},
        {"duckdb_appender_close", &api.appender_close},
        {"duckdb_appender_error", &api.appender_error},
        {"duckdb_appender_destroy", &api.appender_destroy},
        {"duckdb_disconnect", &api.disconnect},
        {"duckdb_close", &api.close},
    };
    if (api.close) /* the last: all are there */
        return ERR_OK;
    return shared_open(a, "libduckdb.so", symbols, ARRAY_LEN(symbols), ret_why);
}

/* An error's text, or what was tried where it has none. */
static enum err fail(struct arena *a, const char *text, const char *tried, struct str *ret_why)
{
    *ret_why = str_dup(a, str_c(text && *text ? text : tried));
    return ERR_FAILED;
}

enum err duck_open(struct duck *duck, struct arena *a, struct str *ret_why)
{
    *duck = (struct duck){0};
    TRY(load(a, ret_why));
    if (api.open(NULL, &duck->database) != OK ||
        api.connect(duck->database, &duck->connection) != OK)
        return fail(a, NULL, "the database does not open", ret_why);
    return ERR_OK;
}

void duck_release(struct duck *duck)
{
    if (duck->appender)
        (void)api.appender_destroy(&duck->appender);
    if (duck->connection)
        api.disconnect(&duck->connection);
    if (duck->database)
        api.close(&duck->database);
    *duck = (struct duck){0};
}

struct str duck_version(void)
{
    return str_c(api.library_version ? api.library_version() : NULL);
}

enum err duck_run(struct duck *duck, struct arena *a, const char *sql, struct str *ret_why)
{
    struct result result = {0};
    enum err err = ERR_OK;
    if (api.query(duck->connection, sql, &result) != OK)
        err = fail(a, api.result_error(&result), sql, ret_why);
    api.destroy_result(&result);
    return err;
}

static enum err read_cells(struct result *result, struct arena *a, struct duck_result *ret_result)
{
    struct duck_result r = {.rows = api.row_count(result), .columns = api.column_count(result)};
    r.cells = ARENA_ARRAY(a, struct str, r.rows * r.columns + 1);
    if (!r.cells)
        return ERR_NOMEM;
    for (size_t i = 0; i < r.rows * r.columns; i++) {
        uint64_t row = i / r.columns, column = i % r.columns;
        if (api.value_is_null(result, column, row))
            continue;
        char *text = api.value_varchar(result, column, row);
        r.cells[i] = str_dup(a, str_c(text));
        api.free(text);
        if (!str_is_set(r.cells[i]))
            return ERR_NOMEM;
    }
    *ret_result = r;
    return ERR_OK;
}

enum err duck_query(struct duck *duck, struct arena *a, const char *sql,
                    struct duck_result *ret_result, struct str *ret_why)
{
    struct result result = {0};
    enum err err;
    if (api.query(duck->connection, sql, &result) != OK)
        err = fail(a, api.result_error(&result), sql, ret_why);
    else
        err = read_cells(&result, a, ret_result);
    api.destroy_result(&result);
    return err;
}

/* Also when the appender could not be made, which then holds the reason. */
static enum err append_fail(struct duck *duck, struct arena *a, const char *tried,
                            struct str *ret_why)
{
    return fail(a, duck->appender ? api.appender_error(duck->appender) : NULL, tried, ret_why);
}

enum err duck_append(struct duck *duck, struct arena *a, const char *table, struct str *ret_why)
{
    if (api.appender_create(duck->connection, NULL, table, &duck->appender) != OK)
        return append_fail(duck, a, "rows cannot be appended", ret_why);
    return ERR_OK;
}

void duck_add_text(struct duck *duck, struct str value)
{
    if (str_is_set(value))
        (void)api.append_text(duck->appender, value.p, value.len);
    else
        (void)api.append_null(duck->appender);
}

void duck_add_i64(struct duck *duck, int64_t value)
{
    if (value != DUCK_NULL)
        (void)api.append_int64(duck->appender, value);
    else
        (void)api.append_null(duck->appender);
}

enum err duck_end_row(struct duck *duck, struct arena *a, struct str *ret_why)
{
    /* A row that lacks a refused value is too short. */
    return api.end_row(duck->appender) == OK
               ? ERR_OK
               : append_fail(duck, a, "a row cannot be appended", ret_why);
}

enum err duck_append_end(struct duck *duck, struct arena *a, struct str *ret_why)
{
    enum err err = ERR_OK;
    if (api.appender_close(duck->appender) != OK)
        err = append_fail(duck, a, "rows cannot be appended", ret_why);
    (void)api.appender_destroy(&duck->appender);
    duck->appender = NULL;
    return err;
}
