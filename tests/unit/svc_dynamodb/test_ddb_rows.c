/* Rows of text and items of rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "svc/dynamodb/ddb_rows.h"

static struct arena arena;

static int setup(void **state)
{
    arena_init(&arena, 64 * 1024 * 1024);
    return 0;
}

static int teardown(void **state)
{
    arena_release(&arena);
    return 0;
}

static void test_rows(void **state)
{
    static const struct {
        const char *text;
        char delimiter;
        bool last;
        enum err err;
        const char *row;
        size_t len;
    } rows[] = {
        {"", 0, true, ERR_NOT_FOUND, NULL, 0},
        {"abc", 0, false, ERR_NOT_FOUND, NULL, 0},
        {"abc", 0, true, ERR_OK, "abc", 3},
        {"abc\nd", 0, false, ERR_OK, "abc", 4},
        {"abc\r\nd", 0, false, ERR_OK, "abc", 5},
        {"\n", 0, false, ERR_OK, "", 1},
        {"\"a\nb\"\n", 0, false, ERR_OK, "\"a", 3}, /* lines know no quotes */
        {"a,b\nc", ',', false, ERR_OK, "a,b", 4},
        {"\"a\nb\",c\nd", ',', false, ERR_OK, "\"a\nb\",c", 8},
        {"\"a\"\"\nb\"\r\nd", ',', false, ERR_OK, "\"a\"\"\nb\"", 9},
        {"a,\"b", ',', false, ERR_NOT_FOUND, NULL, 0},
        {"a,\"b\"", ',', false, ERR_NOT_FOUND, NULL, 0},
        {"a,\"b\"\r", ',', false, ERR_NOT_FOUND, NULL, 0},
        {"a,\"b\"", ',', true, ERR_OK, "a,\"b\"", 5},
        {"a,\"b", ',', true, ERR_INVALID, NULL, 0},
        {"a\"b,c\n", ',', false, ERR_INVALID, NULL, 0},
        {"\"a\"b,c\n", ',', false, ERR_INVALID, NULL, 0},
        {"a;\"b\";c\n", ';', false, ERR_OK, "a;\"b\";c", 8},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str row = STR_NONE;
        size_t len = 0;
        assert_int_equal(
            ddb_row_next(str_c(rows[i].text), rows[i].delimiter, rows[i].last, &row, &len),
            rows[i].err);
        assert_int_equal(len, rows[i].len);
        assert_true(!rows[i].row || str_eq_c(row, rows[i].row));
    }
}

static void test_longest(void **state)
{
    char *p = mem_alloc(DDB_ROW_BYTES_MAX + 2);
    struct str row;
    size_t len;
    assert_non_null(p);
    memset(p, 'x', DDB_ROW_BYTES_MAX + 2);
    for (int csv = 0; csv < 2; csv++) {
        char d = csv ? ',' : 0;
        p[DDB_ROW_BYTES_MAX] = '\n';
        assert_int_equal(ddb_row_next(str_n(p, DDB_ROW_BYTES_MAX), d, false, &row, &len),
                         ERR_NOT_FOUND);
        assert_int_equal(ddb_row_next(str_n(p, DDB_ROW_BYTES_MAX + 1), d, false, &row, &len),
                         ERR_OK);
        p[DDB_ROW_BYTES_MAX] = 'x';
        assert_int_equal(ddb_row_next(str_n(p, DDB_ROW_BYTES_MAX + 1), d, false, &row, &len),
                         ERR_LIMIT);
        assert_int_equal(ddb_row_next(str_n(p, DDB_ROW_BYTES_MAX + 1), d, true, &row, &len),
                         ERR_LIMIT);
        p[DDB_ROW_BYTES_MAX + 1] = '\n';
        assert_int_equal(ddb_row_next(str_n(p, DDB_ROW_BYTES_MAX + 2), d, false, &row, &len),
                         ERR_LIMIT);
    }
    mem_free(p);
}

static void test_columns(void **state)
{
    struct ddb_columns c;
    char *p = arena_alloc(&arena, DDB_CSV_COLUMNS_MAX + 1);
    assert_int_equal(ddb_csv_fields(&arena, STR("a,\"b\"\"\",,\"\""), ',', &c), ERR_OK);
    assert_int_equal(c.n, 4);
    assert_true(str_eq_c(c.v[1], "b\"") && str_empty(c.v[2]) && str_empty(c.v[3]));
    assert_int_equal(ddb_csv_fields(&arena, STR("a\nb"), ',', &c), ERR_INVALID);
    memset(p, ',', DDB_CSV_COLUMNS_MAX + 1);
    assert_int_equal(ddb_csv_fields(&arena, str_n(p, DDB_CSV_COLUMNS_MAX - 1), ',', &c), ERR_OK);
    assert_int_equal(c.n, DDB_CSV_COLUMNS_MAX);
    assert_int_equal(ddb_csv_fields(&arena, str_n(p, DDB_CSV_COLUMNS_MAX), ',', &c), ERR_LIMIT);
}

static void test_items(void **state)
{
    static struct ddb_attribute_def defs[] = {{STR_INIT("n"), DDB_N}, {STR_INIT("b"), DDB_B}};
    static const struct ddb_table table = {.defs = defs, .n_defs = 2};
    static struct str names[] = {STR_INIT("n"), STR_INIT("b"), STR_INIT("s")};
    static const struct ddb_columns columns = {names, 3};
    static const struct {
        const char *row;
        bool csv;
        enum err err;
        const char *item;
    } rows[] = {
        {"1.50,AAE=,x", true, ERR_OK,
         "{\"n\":{\"N\":\"1.5\"},\"b\":{\"B\":\"AAE=\"},\"s\":{\"S\":\"x\"}}"},
        {",,", true, ERR_OK, "{}"},
        {"one,,", true, ERR_INVALID, NULL},
        {"1,2", true, ERR_INVALID, NULL},
        {"1,,\xff", true, ERR_CORRUPT, NULL},
        {"{\"Item\":{\"n\":{\"N\":\"1\"}}}", false, ERR_OK, "{\"n\":{\"N\":\"1\"}}"},
        {"{\"Item\":{}}", false, ERR_OK, "{}"},
        {"{\"n\":{\"N\":\"1\"}}", false, ERR_CORRUPT, NULL},
        {"{\"Item\":[]}", false, ERR_CORRUPT, NULL},
        {"{\"Item\":{\"n\":{\"N\":\"x\"}}}", false, ERR_INVALID, NULL},
        {"{", false, ERR_CORRUPT, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ddb_diag diag = {.arena = &arena};
        struct ddb_av *item;
        struct buf b;
        struct str row = str_c(rows[i].row);
        assert_int_equal(rows[i].csv ? ddb_row_csv(&diag, &table, &columns, row, ',', &item)
                                     : ddb_row_json(&diag, row, &item),
                         rows[i].err);
        assert_true(!rows[i].err || str_is_set(diag.msg));
        if (rows[i].err)
            continue;
        buf_init_arena(&b, &arena, 4096);
        ddb_item_put_json(&b, item);
        assert_true(str_eq_c(buf_str(&b), rows[i].item));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_items),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
