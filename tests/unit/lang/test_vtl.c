/* vtl.h. The golden cases in vtl/ were compared with Velocity 1.7: what it prints is what stands there, and
 * what it refuses is refused here (the wording is ours). Format: a line `context JSON`, then cases of
 *   === template            (to the next marker; <CR> stands for a carriage return)
 *   --- output | --- error  (what comes out, or line:column message) */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lang/vtl.h"

enum { FILE_MAX = 1 << 20, ARENA_MAX = 64 << 20 };

static struct str read_file(struct arena *a, const char *name)
{
    struct str path = str_fmt(a, "%s/tests/unit/lang/vtl/%s", SOURCE_DIR, name);
    FILE *f = fopen(str_cstr(a, path), "rb");
    assert_non_null(f);
    char *p = arena_alloc(a, FILE_MAX);
    size_t n = fread(p, 1, FILE_MAX, f);
    assert_true(n > 0 && n < FILE_MAX);
    fclose(f);
    return str_n(p, n);
}

/* Cuts *rest at a line that begins with `marker`. */
static struct str cut(struct arena *a, struct str *rest, const char *marker)
{
    struct str line = str_fmt(a, "\n%s", marker), all = *rest;
    size_t at = str_find_str(all, line);
    *rest = at == SIZE_MAX ? STR_NONE : str_sub(all, at + line.len, SIZE_MAX);
    return str_sub(all, 0, at);
}

static struct str with_cr(struct arena *a, struct str s)
{
    struct buf b;
    size_t at;
    buf_init_arena(&b, a, FILE_MAX);
    while ((at = str_find_str(s, STR("<CR>"))) != SIZE_MAX) {
        buf_add(&b, s.p, at);
        buf_add_byte(&b, '\r');
        s = str_sub(s, at + 4, SIZE_MAX);
    }
    buf_add_str(&b, s);
    return buf_str(&b);
}

/* Parses and runs; what came out, or "error_name line:column message". */
static struct str render(struct arena *a, struct str text, struct str context, bool quiet)
{
    const struct vtl_template *t;
    struct vtl_run run;
    struct vtl_error e = {0};
    struct str out;
    struct json *root;
    enum err err = vtl_parse(a, text, &t, &e);
    if (err == ERR_OK) {
        assert_int_equal(json_parse(a, context, &root, NULL), ERR_OK);
        assert_int_equal(vtl_run_init(&run, a), ERR_OK);
        run.quiet = quiet;
        JSON_EACH (root, it) {
            struct vtl_value v;
            assert_int_equal(vtl_of_json(&run, it, &v), ERR_OK);
            assert_int_equal(vtl_set(&run, it->key, v), ERR_OK);
        }
        err = vtl_evaluate(&run, t, &out, &e);
    }
    return err == ERR_OK ? out
                         : str_fmt(a, "%s %u:%u " STR_FMT, err_name(err), e.line, e.column,
                                   STR_ARG(e.message));
}

static size_t check_file(const char *name)
{
    struct arena a;
    size_t n = 0;
    arena_init(&a, ARENA_MAX * 4);
    struct str rest = read_file(&a, name);
    struct str context = str_sub(cut(&a, &rest, "=== "), 8, SIZE_MAX);
    while (str_is_set(rest)) {
        struct str all = cut(&a, &rest, "=== ");
        struct str template = with_cr(&a, cut(&a, &all, "--- "));
        struct str kind = str_cut(&all, '\n'), expected = with_cr(&a, all);
        if (!str_is_set(rest) && str_ends(expected, STR("\n")))
            expected.len--; /* the file's last */
        struct str got = render(&a, template, context, false);
        assert_true(str_eq_c(kind, "output") || str_eq_c(kind, "error"));
        if (!str_eq(got, expected))
            fail_msg("%s: template\n" STR_FMT "\ngave\n" STR_FMT "\nnot\n" STR_FMT, name,
                     STR_ARG(template), STR_ARG(got), STR_ARG(expected));
        n++;
    }
    arena_release(&a);
    return n;
}

static void test_golden(void **state)
{
    size_t n = 0;
    n += check_file("basics.txt");
    n += check_file("corners.txt");
    n += check_file("language.txt");
    n += check_file("lines.txt");
    assert_true(n > 400);
}

static void test_quiet(void **state)
{
    static const struct {
        const char *template, *result;
    } rows[] = {
        {"[$nope]", "[]"},
        {"[$!nope]", "[]"},
        {"[${nope.a.b()}]", "[]"},
        {"[\\$nope]", "[\\$nope]"},
        {"[\\\\$nope]", "[\\]"},
        {"$m.put(\"a\", 2)$m.put(\"b\", 3)$m", "1{a=2, b=3}"},
        {"#set($s = \"$nope\")[$s]", "[]"},
        {"$5 $ #x", "$5 $ #x"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        arena_init(&a, ARENA_MAX);
        struct str got = render(&a, str_c(rows[i].template), STR("{\"m\":{\"a\":1}}"), true);
        if (!str_eq_c(got, rows[i].result))
            fail_msg("%s: " STR_FMT, rows[i].template, STR_ARG(got));
        arena_release(&a);
    }
}

/* Where Velocity's grammar is a trap, this is not: what it refuses is what its author meant. */
static void test_lenient(void **state)
{
    static const struct {
        const char *template, *result;
    } rows[] = {
        {"#set($a = $x -1)$a", "0"},
        {"#set($a = [1 + 1, 2 * 2])$a", "[2, 4]"},
        {"$s.substring($x + 1)", "r"},
        {"costs 5$", "costs 5$"},
        {"#", "#"},
        {"a $! b", "a $! b"},
        {"$s.length( )", "3"},
        {"#* no end", ""},
        {"$m.a ## x\ny", "1.1 y"},
        {"$m.a## x\ny", "1.1y"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        arena_init(&a, ARENA_MAX);
        struct str got = render(&a, str_c(rows[i].template),
                                STR("{\"x\":1,\"s\":\"str\",\"m\":{\"a\":1.1}}"), false);
        if (!str_eq_c(got, rows[i].result))
            fail_msg("%s: " STR_FMT, rows[i].template, STR_ARG(got));
        arena_release(&a);
    }
}

static struct str repeated(struct arena *a, const char *front, const char *middle, const char *back,
                           size_t n)
{
    struct buf b;
    buf_init_arena(&b, a, 8 << 20);
    for (size_t i = 0; i < n; i++)
        buf_add_c(&b, front);
    buf_add_c(&b, middle);
    for (size_t i = 0; i < n; i++)
        buf_add_c(&b, back);
    return buf_str(&b);
}

static void test_limits(void **state)
{
    static const struct {
        const char *front, *middle, *back;
        size_t n;
        const char *begins; /* of the result */
    } rows[] = {
        {"#if(true)", "x", "#end", VTL_DEPTH_MAX / 3, "x"},
        {"#if(true)", "x", "#end", VTL_DEPTH_MAX + 1, "limit"},
        {"(", "#set($a = 1)", "", 1000, "(((("},
        {"#set($a = ", "1", ")", 3, "invalid"},
        {"", "", "x", VTL_TEMPLATE_BYTES_MAX, "xxxx"},
        {"", "", "x", VTL_TEMPLATE_BYTES_MAX + 1, "limit 0:0 the template is too long"},
        {"#foreach($i in [1..1001])", "x", "#end", 1, "xxx"},
        {"#foreach($i in [1..1000])", "#set($z = $i)", "#end", 3, "limit 1:"},
        {"#macro(m)#m()#end", "#m()", "", 1, "limit 1:"},
        {"#define($d)$d#end", "$d", "", 1, "limit 1:"},
        {"#set($s = \"$!s$!s$!s$!s$!s$!s$!s$!s$!s$!s$!s$!s$!s$!s$!s$!s$!s$!s 1234567890\")", "", "",
         20, "limit 1:"},
        {"#set($l = [1..9999999])", "", "", 1, "limit 1:"},
        {"#set($l = [])#set($x = $l.add($l))", "$l", "", 1, "limit 1:"},
        {"#set($m = {})#set($x = $m.put(\"a\", $m))", "$m", "", 1, "limit 1:"},
        {"#set($m = {})#set($n = {})#set($m.a = $n)#set($n.a = $m)", "#if($m == $n)#end", "", 1,
         "limit 1:"},
        {"#set($s = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\")", "$s.matches(\"(a+)+[bd]\")", "", 1,
         "limit 1:"},
        {"#set($s = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\")#foreach($i in [1..1000])",
         "#set($t = $s.matches(\"(a+)+[bd]|(a|aa){1,15}x|a+\"))", "#end", 1, "limit 1:"},
        {"#set($s = \"a\")", "$s.repeat(999999999)", "", 1, "limit 1:"},
        {"#set($s = \"", "$x", "\")", 2, "invalid"},
        {"#if(false)#elseif(false)", "#end", "", 1, ""},
        {"#else", "", "", 1, "invalid 1:"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        arena_init(&a, (size_t)512 << 20);
        struct str t = repeated(&a, rows[i].front, rows[i].middle, rows[i].back, rows[i].n);
        struct str got = render(&a, t, STR("{}"), false);
        if (!str_starts(got, str_c(rows[i].begins)))
            fail_msg("%s x %zu: " STR_FMT, rows[i].front, rows[i].n, STR_ARG(str_sub(got, 0, 300)));
        arena_release(&a);
    }
}

/* Thousands of branches are no depth. */
static void test_branches(void **state)
{
    struct arena a;
    arena_init(&a, ARENA_MAX);
    struct str t = str_fmt(&a, "#if(false)a" STR_FMT "#else ok#end",
                           STR_ARG(repeated(&a, "#elseif(false)b", "", "", 15000)));
    assert_true(str_eq_c(render(&a, t, STR("{}"), false), " ok"));
    arena_release(&a);
}

static void test_iterations(void **state)
{
    struct arena a;
    arena_init(&a, ARENA_MAX);
    struct str got = render(&a, STR("#foreach($i in [1..1005])x#end"), STR("{}"), false);
    assert_int_equal(got.len, VTL_ITERATIONS_MAX);
    arena_release(&a);
}

/* --- hosts ------------------------------------------------------------------------------------ */

static enum err host_call(struct vtl_run *run, void *self, struct str name,
                          const struct vtl_value *args, size_t n, struct vtl_value *ret_v)
{
    assert_ptr_equal(self, run->host);
    if (n == SIZE_MAX && str_eq_c(name, "body"))
        *ret_v = vtl_string(STR("the body"));
    else if (n == 1 && str_eq_c(name, "twice") && args[0].kind == VTL_INT)
        *ret_v = vtl_int(args[0].i * 2);
    else if (str_eq_c(name, "fail"))
        return vtl_fail(run, "it fails");
    else if (str_eq_c(name, "nomem"))
        return ERR_NOMEM;
    return ERR_OK;
}

static void test_host(void **state)
{
    static const struct {
        const char *template, *result;
    } rows[] = {
        {"$h.body $h.twice(21) $h.nope() $h.nope $h", "the body 42 $h.nope() $h.nope $h"},
        {"a\n  $h.fail()", "invalid 2:5 it fails"},
        {"#set($z = \"$h.fail()\")", "invalid 1:11 it fails"},
        {"$h.nomem()", "nomem 0:0 "},
        {"#set($h.body = 1)$h.body", "the body"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct vtl_run run;
        const struct vtl_template *t;
        struct vtl_error e = {0};
        int self;
        struct vtl_object h = {.name = "$h", .call = host_call, .self = &self};
        struct str out;
        arena_init(&a, ARENA_MAX);
        assert_int_equal(vtl_parse(&a, str_c(rows[i].template), &t, NULL), ERR_OK);
        assert_int_equal(vtl_run_init(&run, &a), ERR_OK);
        run.host = &self;
        assert_int_equal(vtl_set(&run, STR("h"), vtl_host(&h)), ERR_OK);
        enum err err = vtl_evaluate(&run, t, &out, &e);
        if (err != ERR_OK)
            out = str_fmt(&a, "%s %u:%u " STR_FMT, err_name(err), e.line, e.column,
                          STR_ARG(e.message));
        if (!str_eq_c(out, rows[i].result))
            fail_msg("%s: " STR_FMT, rows[i].template, STR_ARG(out));
        arena_release(&a);
    }
}

/* A document is one object to all who look into it, before and after it was made JSON again. */
static void test_json_identity(void **state)
{
    struct arena a;
    struct vtl_run run;
    struct json *root, *back;
    struct vtl_value v, again, inner, inner_again;
    struct buf b;
    arena_init(&a, ARENA_MAX);
    assert_int_equal(vtl_run_init(&run, &a), ERR_OK);
    assert_int_equal(
        json_parse(&a, STR("{\"a\":{\"b\":[1]},\"e\":{},\"a\":{\"b\":[2,1.50]}}"), &root, NULL),
        ERR_OK);
    assert_int_equal(vtl_of_json(&run, root, &v), ERR_OK);
    assert_int_equal(vtl_of_json(&run, root, &again), ERR_OK);
    assert_ptr_equal(v.map, again.map);
    assert_int_equal(vtl_map_get(&run, v.map, STR("a"), &inner), ERR_OK);
    assert_int_equal(vtl_map_put(&run, inner.map, vtl_string(STR("c")), vtl_bool(true)), ERR_OK);
    assert_int_equal(vtl_to_json(&run, v, &back), ERR_OK);
    buf_init_arena(&b, &a, 1000);
    json_put(&b, back);
    assert_string_equal(str_cstr(&a, buf_str(&b)), "{\"a\":{\"b\":[2,1.5],\"c\":true},\"e\":{}}");
    assert_int_equal(vtl_of_json(&run, json_get(back, STR("a")), &inner_again), ERR_OK);
    assert_ptr_equal(inner.map, inner_again.map);
    arena_release(&a);
}

/* Maps of thousands of members keep order and find their keys while some are taken out. */
static void test_large_map(void **state)
{
    struct arena a;
    struct vtl_run run;
    struct vtl_value m, v;
    arena_init(&a, ARENA_MAX);
    assert_int_equal(vtl_run_init(&run, &a), ERR_OK);
    assert_int_equal(vtl_map_new(&run, &m), ERR_OK);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(vtl_map_put(&run, m.map, vtl_string(str_fmt(&a, "k%d", i)), vtl_int(i)),
                         ERR_OK);
    for (int i = 0; i < 5000; i += 7) {
        assert_int_equal(vtl_map_get(&run, m.map, str_fmt(&a, "k%d", i), &v), ERR_OK);
        assert_true(v.kind == VTL_INT && v.i == i);
    }
    assert_int_equal(vtl_map_get(&run, m.map, STR("k5000"), &v), ERR_OK);
    assert_int_equal(v.kind, VTL_NULL);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),    cmocka_unit_test(test_quiet),
        cmocka_unit_test(test_lenient),   cmocka_unit_test(test_limits),
        cmocka_unit_test(test_branches),  cmocka_unit_test(test_iterations),
        cmocka_unit_test(test_host),      cmocka_unit_test(test_json_identity),
        cmocka_unit_test(test_large_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
