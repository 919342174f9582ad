/* What authorisation parsed is what the handler gets: once, whatever the order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/base.h"
#include "svc/dynamodb/ddb_expr.h"
#include "svc/dynamodb/ddb_memo.h"

enum { MANY = 300 };

static void finds_what_was_kept(void **state)
{
    struct arena a;
    struct ddb_memo memo = {0};
    static int of[MANY], results[MANY];
    arena_init(&a, 1024 * 1024);
    assert_null(ddb_memo_find(&memo, DDB_MEMO_ENV, &of[0]));
    assert_null(ddb_memo_find(NULL, DDB_MEMO_ENV, &of[0]));
    assert_int_equal(ddb_memo_keep(NULL, &a, DDB_MEMO_ENV, &of[0], &results[0]), ERR_OK);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(ddb_memo_keep(&memo, &a, DDB_MEMO_ENV, &of[i], &results[i]), ERR_OK);
    for (int i = 0; i < MANY; i++)
        assert_ptr_equal(ddb_memo_find(&memo, DDB_MEMO_ENV, &of[i]), &results[i]);
    for (int i = MANY - 1; i >= 0; i -= 7)
        assert_ptr_equal(ddb_memo_find(&memo, DDB_MEMO_ENV, &of[i]), &results[i]);
    assert_null(ddb_memo_find(&memo, DDB_MEMO_UPDATE, &of[0]));
    assert_null(ddb_memo_find(&memo, DDB_MEMO_ENV, NULL));
    arena_release(&a);
}

static void a_table_is_taken_once(void **state)
{
    struct arena a;
    struct ddb_memo memo = {0};
    int name, table;
    arena_init(&a, 1024);
    assert_int_equal(ddb_memo_keep(&memo, &a, DDB_MEMO_TABLE, &name, &table), ERR_OK);
    assert_ptr_equal(ddb_memo_take_table(&memo, &name), &table);
    assert_null(ddb_memo_take_table(&memo, &name));
    arena_release(&a);
}

/* The second parse of the same request makes nothing: not a byte of the arena is used. */
static void the_second_parse_is_free(void **state)
{
    struct arena a;
    struct ddb_memo memo = {0};
    arena_init(&a, 1024 * 1024);
    struct ddb_diag diag = {.arena = &a, .memo = &memo};
    struct ddb_env env = {.diag = &diag};
    struct ddb_node *node, *node2;
    struct ddb_update update, update2;
    struct ddb_paths paths, paths2;
    struct str condition = STR("attribute_exists(b) AND a < b"), projection = STR("a, b.c[2]");
    struct str actions = STR("SET a = b REMOVE c");
    for (int round = 0; round < 2; round++) {
        struct ddb_node **n = round ? &node2 : &node;
        struct ddb_update *u = round ? &update2 : &update;
        struct ddb_paths *p = round ? &paths2 : &paths;
        size_t used = a.used;
        assert_int_equal(ddb_parse_condition(&env, "ConditionExpression", condition, n), ERR_OK);
        assert_int_equal(ddb_parse_update(&env, actions, u), ERR_OK);
        assert_int_equal(ddb_parse_projection(&env, projection, p), ERR_OK);
        if (round)
            assert_int_equal(a.used, used);
    }
    assert_ptr_equal(node, node2);
    assert_ptr_equal(update.v, update2.v);
    assert_int_equal(update.n, update2.n);
    assert_ptr_equal(paths.v, paths2.v);
    assert_int_equal(paths.n, paths2.n);
    /* What does not parse is not kept: each time the same refusal. */
    for (int round = 0; round < 2; round++)
        assert_int_equal(ddb_parse_condition(&env, "ConditionExpression", STR("a <"), &node),
                         ERR_INVALID);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_kept),
        cmocka_unit_test(a_table_is_taken_once),
        cmocka_unit_test(the_second_parse_is_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
