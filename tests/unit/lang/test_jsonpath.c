/* jsonpath.h: Jayway's examples and corners, refusals, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "lang/jsonpath.h"

static const char STORE[] =
    "{\"store\":{\"book\":["
    "{\"category\":\"reference\",\"author\":\"Rees\",\"title\":\"Sayings\",\"price\":8.95},"
    "{\"category\":\"fiction\",\"author\":\"Waugh\",\"title\":\"Sword\",\"price\":12.99},"
    "{\"category\":\"fiction\",\"author\":\"Melville\",\"title\":\"Moby\",\"isbn\":\"0-553\","
    "\"price\":"
    "8.99},"
    "{\"category\":\"fiction\",\"author\":\"Tolkien\",\"title\":\"Rings\",\"isbn\":\"0-395\","
    "\"price\":"
    "22.99}],"
    "\"bicycle\":{\"color\":\"red\",\"price\":19.95}},\"expensive\":10,\"n\":[1,2.50,3,-4],"
    "\"a.b\":{\"it's\":1},\"e\":[],\"t\":true,\"z\":null,\"tags\":[[\"x\",\"y\"],[\"z\"]]}";

static const char *run(struct arena *a, const char *path, bool *ret_definite)
{
    const struct jsonpath *p;
    struct json *root;
    const struct json *v;
    struct buf b;
    enum err e = jsonpath_compile(a, str_c(path), &p, NULL);
    if (e != ERR_OK)
        return err_name(e);
    *ret_definite = jsonpath_is_definite(p);
    assert_int_equal(json_parse(a, str_c(STORE), &root, NULL), ERR_OK);
    e = jsonpath_eval(p, root, a, &v);
    if (e != ERR_OK)
        return err_name(e);
    buf_init_arena(&b, a, 1 << 20);
    json_put(&b, v);
    return str_cstr(a, buf_str(&b));
}

static void test_paths(void **state)
{
    static const struct {
        const char *path, *result;
        bool definite;
    } rows[] = {
        {"$.expensive", "10", true},
        {"$['expensive']", "10", true},
        {"$[\"store\"]['bicycle'].color", "\"red\"", true},
        {"$.['expensive']", "10", true},
        {"$['a.b']['it\\'s']", "1", true},
        {"$.t", "true", true},
        {"$.z", "null", true},
        {"$.missing", "not_found", true},
        {"$.expensive.x", "not_found", true},
        {"$.n[0]", "1", true},
        {"$.n[-1]", "-4", true},
        {"$.n[4]", "not_found", true},
        {"$.n[-5]", "not_found", true},
        {"$.n[0,2,9]", "[1,3]", false},
        {"$.n[1:3]", "[2.50,3]", false},
        {"$.n[:2]", "[1,2.50]", false},
        {"$.n[-2:]", "[3,-4]", false},
        {"$.n[:-3]", "[1]", false},
        {"$.n[:]", "[1,2.50,3,-4]", false},
        {"$.n[*]", "[1,2.50,3,-4]", false},
        {"$.e[*]", "[]", false},
        {"$.store.bicycle.*", "[\"red\",19.95]", false},
        {"$.store.bicycle['color','none','price']", "{\"color\":\"red\",\"price\":19.95}", true},
        {"$['a.b','store']['price','it\\'s']", "[{\"it's\":1},{}]", false},
        {"$..author", "[\"Rees\",\"Waugh\",\"Melville\",\"Tolkien\"]", false},
        {"$.store..price", "[8.95,12.99,8.99,22.99,19.95]", false},
        {"$..book[2].title", "[\"Moby\"]", false},
        {"$..['color']", "[\"red\"]", false},
        {"$.tags..[0]", "[[\"x\",\"y\"],\"x\",\"z\"]", false},
        {"$.store.book[*].title", "[\"Sayings\",\"Sword\",\"Moby\",\"Rings\"]", false},
        {"$.store.book[?(@.isbn)].title", "[\"Moby\",\"Rings\"]", false},
        {"$.store.book[?(!@.isbn)].title", "[\"Sayings\",\"Sword\"]", false},
        {"$.store.book[?(@.price < 10)].title", "[\"Sayings\",\"Moby\"]", false},
        {"$.store.book[?(@.price<$.expensive)].title", "[\"Sayings\",\"Moby\"]", false},
        {"$.store.book[?(@.price > 1 && @.category == 'reference')].title", "[\"Sayings\"]", false},
        {"$.store.book[?(@['price'] >= 22.990 || @.author == \"Rees\")].title",
         "[\"Sayings\",\"Rings\"]", false},
        {"$.store.book[?(@.author =~ /.*EES/i)].title", "[\"Sayings\"]", false},
        {"$.store.book[?(@.author =~ /ees/i)].title", "[]", false},
        {"$.store.book[?(@.author in ['Rees','Waugh'])].price", "[8.95,12.99]", false},
        {"$.store.book[?(@.author nin ['Rees','Waugh'])].price", "[8.99,22.99]", false},
        {"$.store.book[?('a' == 'a' && !(@.price != 8.950))].title", "[\"Sayings\"]", false},
        {"$.tags[?(@ contains 'x')]", "[[\"x\",\"y\"]]", false},
        {"$.tags[?(@ size 1)]", "[[\"z\"]]", false},
        {"$.tags[?(@ anyof ['z','q'])]", "[[\"z\"]]", false},
        {"$.tags[?(@ subsetof ['x','y','z'])]", "[[\"x\",\"y\"],[\"z\"]]", false},
        {"$.tags[?(@ noneof ['x'])]", "[[\"z\"]]", false},
        {"$.tags[?(@ empty false)]", "[[\"x\",\"y\"],[\"z\"]]", false},
        {"$.n[?(@ > 1)]", "[2.50,3]", false},
        {"$.n[?(@ == 2.5)]", "[2.50]", false},
        {"$.n[?(@ == '1')]", "[]", false},
        {"$.store.bicycle[?(@.color == 'red')].price", "[19.95]", false},
        {"$.store.book.length()", "4", true},
        {"$.store.bicycle.size()", "2", true},
        {"$.store.bicycle.color.length()", "3", true},
        {"$.expensive.length()", "not_found", true},
        {"$..book.length()", "1", true},
        {"$.n.min()", "-4", true},
        {"$.n.max()", "3", true},
        {"$.n.sum()", "2.5", true},
        {"$.n.avg()", "0.625", true},
        {"$.e.avg()", "not_found", true},
        {"$.store.bicycle.keys()", "[\"color\",\"price\"]", true},
        {"$.n.first()", "1", true},
        {"$.n.last()", "-4", true},
        {"$.concat($.store.bicycle.color, \"-\", $.expensive)", "\"red-10\"", true},
        {"$.store.book[?(@.title.length() == 4)].title", "[\"Moby\"]", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        bool definite = rows[i].definite;
        arena_init(&a, 1 << 20);
        const char *got = run(&a, rows[i].path, &definite);
        if (strcmp(got, rows[i].result) != 0 || definite != rows[i].definite)
            fail_msg("%s: %s, definite %d", rows[i].path, got, definite);
        arena_release(&a);
    }
}

static void test_refusals(void **state)
{
    static const char *const rows[] = {
        "",
        "a",
        ".a",
        "$.",
        "$..",
        "$a",
        "$[",
        "$[]",
        "$['a'",
        "$['a]",
        "$[a]",
        "$[1",
        "$[1,]",
        "$['a',1]",
        "$[?]",
        "$[?()]",
        "$[?(@.a]",
        "$[?(@.a ==)]",
        "$[?(@.a == )]",
        "$[?(@.a =~ 'x')]",
        "$[?(@.a =~ @.b)]",
        "$[?(@.a =~ /(/)]",
        "$[?(@.a =~ /x)]",
        "$[?(/x/ == @.a)]",
        "$[?(@.a && )]",
        "$[?(@.a == 'x)]",
        "$.a b",
        "$.f()",
        "$.length(1)",
        "$.length",
        "$.a[99999999999]",
        "$[?(@.a == [1,])]",
        "$[?(@.a == 1.)]",
        "$.a.length().b",
        "$['a\\",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        bool definite;
        arena_init(&a, 1 << 20);
        const char *got = run(&a, rows[i], &definite);
        if (!strcmp(rows[i], "$.length")) /* a member's name */
            assert_string_equal(got, "not_found");
        else if (strcmp(got, "invalid") != 0)
            fail_msg("%s: %s", rows[i], got);
        arena_release(&a);
    }
}

static void test_limits(void **state)
{
    struct arena a;
    struct buf b;
    const struct jsonpath *p;
    for (int n = JSONPATH_DEPTH_MAX - 1; n <= JSONPATH_DEPTH_MAX; n++) {
        arena_init(&a, 1 << 20);
        buf_init_arena(&b, &a, 1 << 16);
        BUF_ADD_LIT(&b, "$[?(");
        for (int i = 0; i < n; i++)
            BUF_ADD_LIT(&b, "!");
        BUF_ADD_LIT(&b, "@.a)]");
        assert_int_equal(jsonpath_compile(&a, buf_str(&b), &p, NULL),
                         n < JSONPATH_DEPTH_MAX ? ERR_OK : ERR_LIMIT);
        arena_release(&a);
    }
    /* Each "..*" multiplies. */
    struct json *root;
    const struct json *v;
    arena_init(&a, 1 << 30);
    buf_init_arena(&b, &a, 1 << 16);
    for (int i = 0; i < 150; i++)
        BUF_ADD_LIT(&b, "[1,");
    BUF_ADD_LIT(&b, "1");
    for (int i = 0; i < 150; i++)
        BUF_ADD_LIT(&b, "]");
    assert_int_equal(json_parse(&a, buf_str(&b), &root, NULL), ERR_OK);
    assert_int_equal(jsonpath_compile(&a, STR("$..*..*..*..*..*"), &p, NULL), ERR_OK);
    assert_int_equal(jsonpath_eval(p, root, &a, &v), ERR_LIMIT);
    arena_release(&a);
}

static void test_memory(void **state)
{
    size_t failures = 0;
    for (size_t limit = 0;; limit += 16) {
        struct arena a, tree;
        const struct jsonpath *p;
        struct json *root;
        const struct json *v;
        arena_init(&a, limit);
        arena_init(&tree, 1 << 20);
        assert_int_equal(json_parse(&tree, str_c(STORE), &root, NULL), ERR_OK);
        enum err e = jsonpath_compile(
            &a, STR("$..book[?(@.author =~ /R.*/ && @.price in [8.95, 'x'])]['title','price']"), &p,
            NULL);
        if (e == ERR_OK)
            e = jsonpath_eval(p, root, &a, &v);
        arena_release(&a);
        arena_release(&tree);
        if (e == ERR_OK)
            break;
        assert_int_equal(e, ERR_NOMEM);
        failures++;
    }
    assert_true(failures > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
