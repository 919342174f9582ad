/* Amounts, file names, and sets: what joins and what is rejected, row by row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model.h"
#include "money.h"

static void test_money(void **state)
{
    static const struct {
        const char *text;
        enum err err;
        int64_t value;
        const char *back;
    } rows[] = {
        {"0", ERR_OK, 0, "0.00"},
        {"100", ERR_OK, 10000, "100.00"},
        {"100.5", ERR_OK, 10050, "100.50"},
        {"100.50", ERR_OK, 10050, "100.50"},
        {"0.01", ERR_OK, 1, "0.01"},
        {"-0.05", ERR_OK, -5, "-0.05"},
        {"-12.30", ERR_OK, -1230, "-12.30"},
        {"007.10", ERR_OK, 710, "7.10"},
        {"999999999999999.99", ERR_OK, 99999999999999999, "999999999999999.99"},
        {"1000000000000000", ERR_LIMIT, 0, NULL},
        {"", ERR_INVALID, 0, NULL},
        {"-", ERR_INVALID, 0, NULL},
        {".5", ERR_INVALID, 0, NULL},
        {"5.", ERR_INVALID, 0, NULL},
        {"1.234", ERR_INVALID, 0, NULL},
        {"+1", ERR_INVALID, 0, NULL},
        {" 1", ERR_INVALID, 0, NULL},
        {"1 ", ERR_INVALID, 0, NULL},
        {"1,000.00", ERR_INVALID, 0, NULL},
        {"1e3", ERR_INVALID, 0, NULL},
        {"--1", ERR_INVALID, 0, NULL},
        {"1.-1", ERR_INVALID, 0, NULL},
        {"-0", ERR_OK, 0, "0.00"},
        {"1.000", ERR_INVALID, 0, NULL},
        {"1E3", ERR_INVALID, 0, NULL},
        {"1,5", ERR_INVALID, 0, NULL},
        {"- 1", ERR_INVALID, 0, NULL},
        {"\t1", ERR_INVALID, 0, NULL},
        {"0x10", ERR_INVALID, 0, NULL},
        {"$1", ERR_INVALID, 0, NULL},
        {"NaN", ERR_INVALID, 0, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t v = -1;
        char text[MONEY_TEXT_MAX];
        enum err err = money_parse(str_c(rows[i].text), &v);
        if (err != rows[i].err || (err == ERR_OK && v != rows[i].value))
            fail_msg("%s: %s %lld", rows[i].text, err_name(err), (long long)v);
        if (err == ERR_OK)
            assert_true(str_eq_c(money_text(text, v), rows[i].back));
    }
    int64_t sum = INT64_MAX - 1;
    assert_int_equal(money_add(&sum, 1), ERR_OK);
    assert_int_equal(money_add(&sum, 1), ERR_LIMIT);
    assert_true(sum == INT64_MAX);
    char text[MONEY_TEXT_MAX];
    assert_true(str_eq_c(money_text(text, INT64_MIN), "-92233720368547758.08"));
}

static void test_names(void **state)
{
    static const struct {
        const char *key;
        int kind; /* -1: none */
        const char *date;
    } rows[] = {
        {"customers_20230828.csv", KIND_CUSTOMERS, "20230828"},
        {"a/b/orders_20230828.csv", KIND_ORDERS, "20230828"},
        {"items_19991231.csv", KIND_ITEMS, "19991231"},
        {"items_1999123.csv", -1, NULL},
        {"items_199912311.csv", -1, NULL},
        {"items_1999123x.csv", -1, NULL},
        {"items-19991231.csv", -1, NULL},
        {"item_19991231.csv", -1, NULL},
        {"items_19991231.CSV", -1, NULL},
        {"rejects/items_19991231.csv.jsonl", -1, NULL},
        {"items_19991231.csv/", -1, NULL},
        {"", -1, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum kind kind;
        struct str date;
        enum err err = model_parse_name(str_c(rows[i].key), &kind, &date);
        assert_int_equal(err, rows[i].kind < 0 ? ERR_INVALID : ERR_OK);
        if (err == ERR_OK) {
            assert_int_equal(kind, rows[i].kind);
            assert_true(str_eq_c(date, rows[i].date));
        }
    }
}

struct told {
    char text[1024];
};

static void on_reject(void *arg, enum kind kind, uint64_t line, const char *reason)
{
    struct told *t = arg;
    size_t n = strlen(t->text);
    snprintf(t->text + n, sizeof t->text - n, "%c%d %s;", kind_names[kind][0], (int)line, reason);
}

/* Messages of a set, one a line. */
static void run(const char *const files[KINDS], char *out, size_t size, struct told *told,
                struct model *ret_counts)
{
    struct arena a;
    struct model m;
    struct buf b;
    arena_init(&a, 1 << 24);
    buf_init(&b, 1 << 20);
    told->text[0] = 0;
    model_init(&m, &a, on_reject, told);
    for (int k = 0; k < KINDS; k++) {
        enum err err = model_add(&m, (enum kind)k, str_c(files[k]));
        assert_true(err == ERR_OK || err == ERR_INVALID);
    }
    for (size_t i = 0; i < m.n[KIND_CUSTOMERS]; i++) {
        model_put_message(&m, i, &b);
        buf_add_byte(&b, '\n');
    }
    assert_int_equal(buf_err(&b), ERR_OK);
    snprintf(out, size, STR_FMT, STR_ARG(buf_str(&b)));
    *ret_counts = m;
    buf_release(&b);
    model_release(&m);
    arena_release(&a);
}

static void test_sets(void **state)
{
    static const struct {
        const char *name, *files[KINDS], *messages, *rejects;
    } rows[] = {
        {"one of each",
         {"customer_id,customer_name\n1,Ann\n", "order_id,customer_id,amount\n10,1,1.1\n11,1,2\n",
          "item_id,order_id\n5,10\n6,10\n7,11\n"},
         "{\"id\":\"1\",\"name\":\"Ann\",\"total_amount_spent\":3.10,\"orders\":[{\"id\":"
         "\"10\",\"amount\":1.10,\"item_ids\":[\"5\",\"6\"]},{\"id\":\"11\",\"amount\":2.00,"
         "\"item_ids\":[\"7\"]}]}\n",
         ""},
        {"columns elsewhere, further ones ignored",
         {"customer_name,x,customer_id\nAnn,?,1\n", "amount,customer_id,order_id\n-1.00,1,10\n",
          "amount,order_id,item_id\nwhat,10,5\n"},
         "{\"id\":\"1\",\"name\":\"Ann\",\"total_amount_spent\":-1.00,\"orders\":[{\"id\":"
         "\"10\",\"amount\":-1.00,\"item_ids\":[\"5\"]}]}\n",
         ""},
        {"spaces in the header row, empty lines, CRLF",
         {" customer_id , customer_name\r\n\r\n1,Ann\r\n\r\n\r\n",
          "\norder_id,customer_id,amount\n10,1,1\n\n", "item_id,order_id\n5,10\n\n\n"},
         "{\"id\":\"1\",\"name\":\"Ann\",\"total_amount_spent\":1.00,\"orders\":[{\"id\":"
         "\"10\",\"amount\":1.00,\"item_ids\":[\"5\"]}]}\n",
         ""},
        {"customers without orders, orders without items",
         {"customer_id,customer_name\n1,Ann\n2,Bob\n", "order_id,customer_id,amount\n10,2,0\n",
          "item_id,order_id\n"},
         "{\"id\":\"1\",\"name\":\"Ann\",\"total_amount_spent\":0.00,\"orders\":[]}\n"
         "{\"id\":\"2\",\"name\":\"Bob\",\"total_amount_spent\":0.00,\"orders\":[{\"id\":"
         "\"10\",\"amount\":0.00,\"item_ids\":[]}]}\n",
         ""},
        {"refunds",
         {"customer_id,customer_name\n1,Ann\n",
          "order_id,customer_id,amount\n10,1,0.10\n11,1,-0.15\n12,1,-0\n", "item_id,order_id\n"},
         "{\"id\":\"1\",\"name\":\"Ann\",\"total_amount_spent\":-0.05,\"orders\":["
         "{\"id\":\"10\",\"amount\":0.10,\"item_ids\":[]},"
         "{\"id\":\"11\",\"amount\":-0.15,\"item_ids\":[]},"
         "{\"id\":\"12\",\"amount\":0.00,\"item_ids\":[]}]}\n",
         ""},
        {"ids are text",
         {"customer_id,customer_name\n1,Ann\n01,Bob\n 1,Cid\n",
          "order_id,customer_id,amount\n1,01,5\n", "item_id,order_id\n"},
         "{\"id\":\"1\",\"name\":\"Ann\",\"total_amount_spent\":0.00,\"orders\":[]}\n"
         "{\"id\":\"01\",\"name\":\"Bob\",\"total_amount_spent\":5.00,\"orders\":[{\"id\":\"1\","
         "\"amount\":5.00,\"item_ids\":[]}]}\n"
         "{\"id\":\" 1\",\"name\":\"Cid\",\"total_amount_spent\":0.00,\"orders\":[]}\n",
         ""},
        {"every reject",
         {"customer_id,customer_name\n1,Ann\n1,Twin\n,No\n3,\nx\n4,a,b\n",
          "order_id,customer_id,amount\n10,1,1.00\n10,1,1.00\n11,9,1\n,1,1\n12,1\n13,1,1.234\n"
          "14,1,1e3\n15,1,+1\n16,1, 1\n17,1,\n",
          "item_id,order_id\n5,10\n5,10\n7,99\n8\n,10\n9,\n"},
         "{\"id\":\"1\",\"name\":\"Ann\",\"total_amount_spent\":1.00,\"orders\":[{\"id\":"
         "\"10\",\"amount\":1.00,\"item_ids\":[\"5\"]}]}\n",
         "c3 duplicate customer_id;c4 empty customer_id;c5 empty customer_name;c6 wrong number of "
         "columns;c7 wrong number of columns;o3 duplicate order_id;o4 unknown customer_id;o5 empty "
         "order_id;o6 wrong number of columns;o7 bad amount;o8 bad amount;o9 bad amount;o10 bad "
         "amount;o11 bad amount;i3 duplicate item_id;i4 unknown order_id;i5 wrong number of "
         "columns;i6 empty item_id;i7 unknown order_id;"},
        {"no header",
         {"1,Ann\n", "", "item_id\n"},
         "",
         "c1 the header row lacks the column customer_id and the column customer_name;o1 the file "
         "is empty: a header row is needed;i1 the header row lacks the column order_id;"},
        {"another shape",
         {"customer_id,name\n1,Ann\n", "order_id,customer_id\n10,1\n",
          "Item_Id,order_id,amount\n5,10,1.00\n"},
         "",
         "c1 the header row lacks the column customer_name;o1 the header row lacks the column "
         "amount;i1 the header row lacks the column item_id;"},
        {"column twice",
         {"customer_name,customer_name,customer_id\n", "order_id,customer_id,amount,amount\n",
          "item_id,order_id\n"},
         "",
         "c1 the header row has a column twice;o1 the header row has a column twice;"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        static char out[4096];
        struct told told;
        struct model m;
        run(rows[i].files, out, sizeof out, &told, &m);
        if (strcmp(out, rows[i].messages) != 0 || strcmp(told.text, rows[i].rejects) != 0)
            fail_msg("%s: %s and %s", rows[i].name, out, told.text);
        for (int k = 0; k < KINDS; k++)
            if (m.cap[k])
                assert_int_equal(m.rows[k], m.n[k] + m.rejects[k]);
    }
}

static void test_overflow(void **state)
{
    static char orders[64 * 1024], out[256 * 1024];
    struct told told;
    struct model m;
    size_t n = (size_t)snprintf(orders, sizeof orders, "order_id,customer_id,amount\n");
    /* 93 times nearly 10^17 hundredths is more than 2^63. */
    for (int i = 0; i < 93; i++)
        n += (size_t)snprintf(orders + n, sizeof orders - n, "%d,1,999999999999999.99\n", i);
    const char *const files[KINDS] = {"customer_id,customer_name\n1,Ann\n", orders,
                                      "item_id,order_id\n1,91\n2,92\n"};
    run(files, out, sizeof out, &told, &m);
    assert_string_equal(told.text, "o94 amount out of range;i3 unknown order_id;");
    assert_non_null(strstr(out, "\"total_amount_spent\":91999999999999999.08,"));
    assert_null(strstr(out, "\"92\""));
}

static void test_check_alone(void **state)
{
    struct arena a;
    struct told told = {""};
    uint64_t rows = 0, bad = 0;
    arena_init(&a, 1 << 20);
    assert_int_equal(model_check(&a, KIND_ORDERS,
                                 STR("order_id,customer_id,amount\n1,no-customer-here,1\n"
                                     "2,x,abc\n"),
                                 on_reject, &told, &rows, &bad),
                     ERR_OK);
    assert_string_equal(told.text, "o3 bad amount;");
    assert_int_equal(rows, 2);
    assert_int_equal(bad, 1);
    told.text[0] = 0;
    assert_int_equal(
        model_check(&a, KIND_ORDERS, STR("order_id\n1\n"), on_reject, &told, &rows, &bad),
        ERR_INVALID);
    assert_string_equal(told.text,
                        "o1 the header row lacks the column customer_id and the column amount;");
    assert_int_equal(rows, 0);
    assert_int_equal(bad, 1);
    arena_release(&a);
}

static void test_many(void **state)
{
    enum { N = 5000 };
    struct buf files[KINDS];
    struct told told;
    struct model m;
    static char out[4 << 20];
    for (int k = 0; k < KINDS; k++)
        buf_init(&files[k], 1 << 20);
    buf_add_c(&files[0], "customer_id,customer_name\n");
    buf_add_c(&files[1], "order_id,customer_id,amount\n");
    buf_add_c(&files[2], "item_id,order_id\n");
    for (int i = 0; i < N; i++) {
        buf_add_fmt(&files[0], "%d,c%d\n", i, i);
        buf_add_fmt(&files[1], "%d,%d,0.01\n", i, i);
        buf_add_fmt(&files[2], "%d,%d\n", i, i);
    }
    for (int k = 0; k < KINDS; k++)
        buf_add_byte(&files[k], 0);
    const char *const texts[KINDS] = {files[0].p, files[1].p, files[2].p};
    run(texts, out, sizeof out, &told, &m);
    assert_string_equal(told.text, "");
    for (int k = 0; k < KINDS; k++) {
        assert_int_equal(m.n[k], N);
        buf_release(&files[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_money),       cmocka_unit_test(test_names),
        cmocka_unit_test(test_sets),        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_check_alone), cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
