/* json_edit.h: trees built and changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/json_edit.h"

static struct json *parse(struct arena *a, const char *text)
{
    struct json *v;
    assert_int_equal(json_parse(a, str_c(text), &v, NULL), ERR_OK);
    return v;
}

static void assert_json(struct arena *a, const struct json *v, const char *text)
{
    struct buf b;
    buf_init_arena(&b, a, 4096);
    json_put(&b, v);
    struct str got = buf_str(&b);
    assert_int_equal(got.len, strlen(text));
    assert_memory_equal(got.p, text, got.len);
}

static void test_members(void **state)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    struct json *v = parse(&a, "{\"a\":1,\"b\":[\"x\"],\"c\":null}");
    assert_int_equal(json_set(v, STR("b"), json_new_bool(&a, true)), ERR_OK);
    assert_int_equal(json_set(v, STR("d"), json_new_i64(&a, -7)), ERR_OK);
    assert_json(&a, v, "{\"a\":1,\"b\":true,\"c\":null,\"d\":-7}");
    assert_int_equal(v->n, 4);
    assert_true(json_unset(v, STR("a")));
    assert_false(json_unset(v, STR("a")));
    assert_true(json_unset(v, STR("d")));
    assert_json(&a, v, "{\"b\":true,\"c\":null}");
    assert_int_equal(v->n, 2);
    assert_null(json_at(v, STR("a")));
    assert_null(json_at(NULL, STR("a")));
    assert_null(json_at(json_new(&a, JSON_ARRAY), STR("a")));
    assert_ptr_equal(json_at(v, STR("b")), v->child);
    assert_int_equal(json_set(v, STR("e"), NULL), ERR_NOMEM);
    arena_release(&a);
}

/* The last of several members of one name is the one that is meant, as json_get has it. */
static void test_duplicates(void **state)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    struct json *v = parse(&a, "{\"a\":1,\"a\":2}");
    assert_int_equal(json_set(v, STR("a"), json_new_str(&a, STR("x"))), ERR_OK);
    assert_json(&a, v, "{\"a\":1,\"a\":\"x\"}");
    assert_true(json_unset(v, STR("a")));
    assert_json(&a, v, "{\"a\":1}");
    arena_release(&a);
}

static void test_arrays(void **state)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    struct json *v = json_new(&a, JSON_ARRAY);
    static const char *const texts[] = {"a", "b", "c"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_int_equal(json_push(v, json_new_str(&a, str_c(texts[i]))), ERR_OK);
    assert_int_equal(json_index_of(v, STR("c")), 2);
    assert_int_equal(json_index_of(v, STR("d")), SIZE_MAX);
    assert_int_equal(json_index_of(NULL, STR("d")), SIZE_MAX);
    json_drop(v, 1);
    assert_json(&a, v, "[\"a\",\"c\"]");
    json_drop(v, 0);
    json_drop(v, 0);
    assert_json(&a, v, "[]");
    assert_int_equal(json_push(v, NULL), ERR_NOMEM);
    assert_json(&a, json_new_str(&a, STR_NONE), "\"\"");
    arena_release(&a);
}

static void test_copy(void **state)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    struct json *v = parse(&a, "{\"a\":[1,{\"b\":\"c\"}],\"d\":false}"), *copy = json_copy(&a, v);
    assert_non_null(copy);
    assert_true(json_unset(v, STR("a")));
    assert_json(&a, copy, "{\"a\":[1,{\"b\":\"c\"}],\"d\":false}");
    assert_json(&a, v, "{\"d\":false}");
    arena_release(&a);
}

static void test_exhaustion(void **state)
{
    struct arena a;
    arena_init(&a, 16);
    assert_null(json_new(&a, JSON_OBJECT));
    assert_null(json_new_str(&a, STR("x")));
    assert_null(json_new_i64(&a, 1));
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),    cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_arrays),     cmocka_unit_test(test_copy),
        cmocka_unit_test(test_exhaustion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
