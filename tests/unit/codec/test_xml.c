/* xml.h: reader and writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "codec/xml.h"

/* The tree as text: name[@attr=value...](text|children). */
static void show(struct buf *b, const struct xml *e)
{
    buf_add_str(b, e->name);
    for (const struct xml_attr *at = e->attrs; at; at = at->next)
        buf_add_fmt(b, "@" STR_FMT "=" STR_FMT, STR_ARG(at->name), STR_ARG(at->value));
    buf_add_byte(b, '(');
    buf_add_str(b, e->text);
    XML_EACH(e, it)
    show(b, it);
    buf_add_byte(b, ')');
}

static void test_parse(void **state)
{
    static const struct {
        const char *name, *text;
        enum err err;
        const char *want;
    } rows[] = {
        {"one", "<a/>", ERR_OK, "a()"},
        {"declaration", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a>x</a>", ERR_OK, "a(x)"},
        {"children", "<a><b>1</b><c><d/></c><b>2</b></a>", ERR_OK, "a(b(1)c(d())b(2))"},
        {"attributes", "<a x=\"1\" y='2&amp;3'/>", ERR_OK, "a@x=1@y=2&3()"},
        {"namespaces", "<s:a xmlns:s=\"u\" xmlns=\"v\" s:t=\"q\"><b/></s:a>", ERR_OK, "a@t=q(b())"},
        {"predefined entities", "<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x20AC;</a>", ERR_OK,
         "a(<>&\"'A\xe2\x82\xac)"},
        {"cdata", "<a><![CDATA[<x>&]]></a>", ERR_OK, "a(<x>&)"},
        {"comment", "<a>1<!-- c -->2</a>", ERR_OK, "a(12)"},
        {"latin 1", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xe9</a>", ERR_OK,
         "a(\xc3\xa9)"},
        {"white space kept", "<a> x\n</a>", ERR_OK, "a( x\n)"},
        {"empty", "", ERR_INVALID, NULL},
        {"text only", "hello", ERR_INVALID, NULL},
        {"unclosed", "<a><b></a>", ERR_INVALID, NULL},
        {"cut", "<a><b>", ERR_INVALID, NULL},
        {"two roots", "<a/><b/>", ERR_INVALID, NULL},
        {"attribute twice", "<a x='1' x='2'/>", ERR_INVALID, NULL},
        {"unknown entity", "<a>&x;</a>", ERR_INVALID, NULL},
        {"bad utf-8", "<a>\xff</a>", ERR_INVALID, NULL},
        {"a control", "<a x='&#x1;'>b&#x1f;&#11;c<d>&#x1;</d></a>", ERR_OK,
         "a@x=\x01(b\x1f\x0b"
         "c"
         "d(\x01))"},
        {"noncharacters", "<a>&#xFFFE;&#65535;&#9;</a>", ERR_OK, "a(\xef\xbf\xbe\xef\xbf\xbf\t)"},
        {"a control in latin 1", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xe9&#1;</a>",
         ERR_OK, "a(\xc3\xa9\x01)"},
        {"another fault beside a control", "<a>&#1;</b>", ERR_INVALID, NULL},
        {"a control and its place", "<a>&#1;\xef\xb7\x91</a>", ERR_INVALID, NULL},
        {"a control and a reference to its place", "<a>&#1;&#xfdd1;</a>", ERR_INVALID, NULL},
        {"a place alone", "<a>\xef\xb7\x91</a>", ERR_OK, "a(\xef\xb7\x91)"},
        {"surrogate reference", "<a>&#xd800;</a>", ERR_INVALID, NULL},
        {"raw control", "<a>\x01</a>", ERR_INVALID, NULL},
        {"nul reference", "<a>&#0;</a>", ERR_INVALID, NULL},
        {"doctype", "<!DOCTYPE a><a/>", ERR_INVALID, NULL},
        {"external entity", "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
         ERR_INVALID, NULL},
        {"billion laughs", "<!DOCTYPE a [<!ENTITY b \"bb\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>",
         ERR_INVALID, NULL},
        {"json", "{\"a\":1}", ERR_INVALID, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct xml *root;
        struct buf b;
        arena_init(&a, 1 << 20);
        buf_init_arena(&b, &a, 1 << 16);
        enum err e = xml_parse(&a, str_c(rows[i].text), &root, NULL);
        if (e == ERR_OK)
            show(&b, root);
        if (e != rows[i].err || (e == ERR_OK && !str_eq_c(buf_str(&b), rows[i].want)))
            fail_msg("%s: %s " STR_FMT, rows[i].name, err_name(e), STR_ARG(buf_str(&b)));
        arena_release(&a);
    }
}

static void test_limits(void **state)
{
    for (int depth = XML_DEPTH_MAX; depth <= XML_DEPTH_MAX + 1; depth++) {
        struct arena a;
        struct xml *root;
        struct buf b;
        arena_init(&a, 1 << 20);
        buf_init_arena(&b, &a, 1 << 16);
        for (int i = 0; i < depth; i++)
            BUF_ADD_LIT(&b, "<a>");
        for (int i = 0; i < depth; i++)
            BUF_ADD_LIT(&b, "</a>");
        assert_int_equal(xml_parse(&a, buf_str(&b), &root, NULL),
                         depth > XML_DEPTH_MAX ? ERR_LIMIT : ERR_OK);
        arena_release(&a);
    }
    for (int extra = 0; extra <= 1; extra++) {
        struct arena a;
        struct xml *root;
        struct buf b;
        arena_init(&a, 1 << 28);
        buf_init(&b, 1 << 24);
        BUF_ADD_LIT(&b, "<a>");
        for (int i = 0; i < XML_NODES_MAX - 1 + extra; i++)
            BUF_ADD_LIT(&b, "<b/>");
        BUF_ADD_LIT(&b, "</a>");
        assert_int_equal(xml_parse(&a, buf_str(&b), &root, NULL), extra ? ERR_LIMIT : ERR_OK);
        buf_release(&b);
        arena_release(&a);
    }
    struct arena tiny;
    struct xml *root;
    arena_init(&tiny, 64);
    assert_int_equal(xml_parse(&tiny, STR("<a><b>text</b></a>"), &root, NULL), ERR_NOMEM);
    arena_release(&tiny);
}

static void test_access(void **state)
{
    struct arena a;
    struct xml *root;
    arena_init(&a, 1 << 20);
    assert_int_equal(xml_parse(&a, STR("<r k='v'><a>1</a><b></b><a>2</a></r>"), &root, NULL),
                     ERR_OK);
    assert_int_equal(root->n, 3);
    assert_true(str_eq_c(xml_get_str(root, STR("a")), "1"));
    assert_true(str_is_set(xml_get_str(root, STR("b"))));
    assert_false(str_is_set(xml_get_str(root, STR("c"))));
    assert_false(str_is_set(xml_get_str(NULL, STR("c"))));
    assert_true(str_eq_c(xml_attr(root, STR("k")), "v"));
    assert_false(str_is_set(xml_attr(root, STR("x"))));
    size_t n = 0;
    XML_EACH_NAMED(root, STR("a"), it)
    n++;
    assert_int_equal(n, 2);
    arena_release(&a);
}

static void test_write(void **state)
{
    static const struct {
        const char *name, *in, *want;
    } rows[] = {
        {"plain", "abc", "abc"},
        {"markup", "<a href=\"x\">&'</a>", "&lt;a href=&quot;x&quot;&gt;&amp;'&lt;/a&gt;"},
        {"carriage return", "a\r\n\tb", "a&#13;\n\tb"},
        {"control", "a\x01z", "a\xef\xbf\xbdz"},
        {"utf-8", "\xe2\x82\xac\xf0\x9f\x98\x80", "\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"not utf-8", "a\xff\xe2\x82", "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"noncharacter", "\xef\xbf\xbf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b;
        buf_init(&b, 1000);
        xml_put_text(&b, str_c(rows[i].in));
        if (!str_eq_c(buf_str(&b), rows[i].want))
            fail_msg("%s: " STR_FMT, rows[i].name, STR_ARG(buf_str(&b)));
        buf_clear(&b);
        xml_put_references(&b, str_c(rows[i].in));
        if (!str_eq_c(buf_str(&b),
                      str_eq_c(str_c(rows[i].name), "control") ? "a&#x1;z" : rows[i].want))
            fail_msg("%s: " STR_FMT, rows[i].name, STR_ARG(buf_str(&b)));
        buf_release(&b);
    }
    struct buf b;
    buf_init(&b, 1000);
    xml_put_decl(&b);
    xml_put_open(&b, STR("R"), STR("http://x/"));
    xml_put_str(&b, STR("A"), STR("<"));
    xml_put_str(&b, STR("None"), STR_NONE);
    xml_put_i64(&b, STR("N"), -3);
    xml_put_bool(&b, STR("T"), true);
    xml_put_close(&b, STR("R"));
    assert_true(str_eq_c(buf_str(&b),
                         "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                         "<R xmlns=\"http://x/\"><A>&lt;</A><N>-3</N><T>true</T></R>"));
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_access),
        cmocka_unit_test(test_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
