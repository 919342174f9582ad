/* multipart.h: forms, whole and cut at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "codec/multipart.h"

static enum err on_part(void *arg, const struct multipart_head *head)
{
    struct buf *b = arg;
    buf_add_fmt(b, "[" STR_FMT, STR_ARG(head->name));
    if (str_is_set(head->filename))
        buf_add_fmt(b, "|" STR_FMT, STR_ARG(head->filename));
    if (str_is_set(head->content_type))
        buf_add_fmt(b, ";" STR_FMT, STR_ARG(head->content_type));
    buf_add_byte(b, '=');
    return ERR_OK;
}

static enum err on_data(void *arg, const void *p, size_t len)
{
    buf_add(arg, p, len);
    return ERR_OK;
}

static enum err on_end(void *arg)
{
    buf_add_byte(arg, ']');
    return ERR_OK;
}

static const struct multipart_events events = {on_part, on_data, on_end};

#define NAMED(params) "Content-Disposition: form-data; " params "\r\n\r\n"

static void test_forms(void **state)
{
    static const struct {
        const char *text;
        enum err err;
        const char *want;
    } rows[] = {
        {"--b\r\n" NAMED("name=\"a\"") "1\r\n--b--\r\n", ERR_OK, "[a=1]"},
        {"--b\r\n" NAMED("name=a") "1\r\n--b\r\n" NAMED("name=\"b\"") "\r\n--b--", ERR_OK,
         "[a=1][b=]"},
        {"x\r\n--b \t\r\n" NAMED("name=\"a\"") "\r\n--b--epilogue", ERR_OK, "[a=]"},
        {"--b\r\nContent-Type: text/plain\r\ncontent-disposition: form-data; filename=\"C:\\x;y\"; "
         "name=\"file\"\r\n\r\n1\r\n--b--",
         ERR_OK, "[file|C:\\x;y;text/plain=1]"},
        {"--b\r\n" NAMED("name=\"a\\\"b\"; filename*=UTF-8''%C3%84%zz") "1\r\n--b--", ERR_OK,
         "[a\"b|\xc3\x84%zz=1]"},
        {"--b\r\n" NAMED("name=\"a\"; filename*=latin1''x; filename=y") "1\r\n--b--", ERR_OK,
         "[a|y=1]"},
        {"--b\r\n" NAMED("name=\"a\"") "\r\n-\r\r\n--\r\n--c\r\n--b--", ERR_OK,
         "[a=\r\n-\r\r\n--\r\n--c]"},
        /* Malformed. */
        {"", ERR_INVALID, ""},
        {"--b", ERR_INVALID, ""},
        {"--b-", ERR_INVALID, ""},
        {"--bx\r\n", ERR_INVALID, ""},
        {"--b\r\n\r\n1\r\n--b--", ERR_INVALID, ""},
        {"--b\r\nContent-Type: a\r\n\r\n1\r\n--b--", ERR_INVALID, ""},
        {"--b\r\n" NAMED("filename=\"a\"") "1\r\n--b--", ERR_INVALID, ""},
        {"--b\r\n" NAMED("name=\"a") "1\r\n--b--", ERR_INVALID, ""},
        {"--b\r\n" NAMED("name=\"a\"") "1", ERR_INVALID, "[a=1"},
        {"--b\r\n" NAMED("name=\"a\"") "1\r\n--b\r\n", ERR_INVALID, "[a=1]"},
        {"--b\r\n" NAMED("name=\"a\"") "1\r\n--c--", ERR_INVALID, "[a=1\r\n--c--"},
        {"--b--", ERR_OK, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str text = str_c(rows[i].text);
        for (size_t cut = 0; cut <= text.len; cut++) {
            static struct multipart m;
            struct buf b;
            buf_init(&b, 4096);
            multipart_init(&m, STR("b"), &events, &b);
            enum err err = multipart_feed(&m, text.p, cut);
            if (err == ERR_OK)
                err = multipart_feed(&m, text.p + cut, text.len - cut);
            if (err == ERR_OK)
                err = multipart_finish(&m);
            if (err != rows[i].err || !str_eq_c(b.len ? buf_str(&b) : STR(""), rows[i].want))
                fail_msg("row %zu cut at %zu: %s " STR_FMT, i, cut, err_name(err),
                         STR_ARG(buf_str(&b)));
            buf_release(&b);
        }
    }
}

/* A head of as many bytes as it may have, and one more. */
static void test_head_limit(void **state)
{
    static const char fixed[] = NAMED("name=\"a\"; x=\"\"");
    for (int more = 0; more <= 1; more++) {
        static struct multipart m;
        struct buf b, out;
        buf_init(&b, 2 * MULTIPART_HEAD_MAX);
        buf_init(&out, 4096);
        BUF_ADD_LIT(&b, "--b\r\nContent-Disposition: form-data; name=\"a\"; x=\"");
        for (size_t i = 0; i < MULTIPART_HEAD_MAX - (sizeof(fixed) - 1) + (size_t)more; i++)
            buf_add_byte(&b, 'x');
        BUF_ADD_LIT(&b, "\"\r\n\r\n\r\n--b--");
        multipart_init(&m, STR("b"), &events, &out);
        assert_int_equal(multipart_feed(&m, b.p, b.len), more ? ERR_LIMIT : ERR_OK);
        buf_release(&b);
        buf_release(&out);
    }
}

static void test_boundaries(void **state)
{
    static const struct {
        const char *type, *want; /* NULL: none */
    } rows[] = {
        {"multipart/form-data; boundary=abc", "abc"},
        {"Multipart/Form-Data ; charset=utf-8; Boundary=\"a b\"", "a b"},
        {"multipart/form-data; "
         "boundary=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
        {"multipart/form-data; "
         "boundary=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         NULL},
        {"multipart/form-data", NULL},
        {"multipart/form-data; boundary=", NULL},
        {"multipart/form-data; boundary=\"a", NULL},
        {"multipart/mixed; boundary=abc", NULL},
        {"application/x-www-form-urlencoded", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str got = multipart_boundary(str_c(rows[i].type));
        if (rows[i].want ? !str_eq_c(got, rows[i].want) : str_is_set(got))
            fail_msg("%s: " STR_FMT, rows[i].type, STR_ARG(got));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_head_limit),
        cmocka_unit_test(test_boundaries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
