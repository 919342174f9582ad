/* CSV records: RFC 4180 and everything that is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "csv.h"

/* Records as text: fields joined by '|', records by '/', faults as !fault@line. */
static void render(struct str text, char *out, size_t size)
{
    struct arena a;
    struct csv csv;
    struct csv_record r;
    size_t n = 0;
    arena_init(&a, 1 << 20);
    csv_init(&csv, &a, text);
    out[0] = 0;
    while (csv_next(&csv, &r) && n < size - 1) {
        n += (size_t)snprintf(out + n, size - n, "%s", n ? "/" : "");
        if (r.fault) {
            n += (size_t)snprintf(out + n, size - n, "!%s@%d", r.fault, (int)r.line);
            continue;
        }
        for (size_t i = 0; i < r.n; i++)
            n += (size_t)snprintf(out + n, size - n, "%s" STR_FMT, i ? "|" : "",
                                  STR_ARG(r.fields[i]));
        n += (size_t)snprintf(out + n, size - n, "@%d", (int)r.line);
    }
    arena_release(&a);
}

static void test_records(void **state)
{
    static const struct {
        const char *name, *text, *want;
    } rows[] = {
        {"nothing", "", ""},
        {"only ends", "\n\r\n\n", ""},
        {"plain", "a,b\nc,d\n", "a|b@1/c|d@2"},
        {"no end", "a,b", "a|b@1"},
        {"crlf", "a,b\r\nc,d\r\n", "a|b@1/c|d@2"},
        {"byte order mark",
         "\xef\xbb\xbf"
         "a\n",
         "a@1"},
        {"only a byte order mark", "\xef\xbb\xbf", ""},
        {"empty fields", ",\n,,\n", "|@1/||@2"},
        {"empty lines between", "a\n\n\nb\n", "a@1/b@4"},
        {"quoted", "\"a,b\",c\n", "a,b|c@1"},
        {"doubled", "\"a \"\"b\"\"\",\"\"\n", "a \"b\"|@1"},
        {"line end inside", "\"a\nb\r\nc\",d\ne\n", "a\nb\r\nc|d@1/e@4"},
        {"spaces stay", " a , b \n", " a | b @1"},
        {"quote inside plain", "a\"b,c\nd\n", "!bad quoting@1/d@2"},
        {"text after quote", "\"a\"b,c\nd\n", "!bad quoting@1/d@2"},
        {"quote never ends", "\"a,b\nc,d\n", "!quoted field without an end@1/c|d@2"},
        {"lone quote at the end", "a,\"", "!quoted field without an end@1"},
        {"lone cr", "a\rb\nc\n", "!bad quoting@1/c@2"},
        {"bad utf-8", "\xff\xfe,b\nc\n", "!not UTF-8@1/c@2"},
        {"overlong utf-8", "\xc0\xaf\nc\n", "!not UTF-8@1/c@2"},
        {"utf-8", "\xc3\xa9,\xf0\x9f\x98\x80\n", "\xc3\xa9|\xf0\x9f\x98\x80@1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char got[512];
        render(str_c(rows[i].text), got, sizeof got);
        if (strcmp(got, rows[i].want) != 0)
            fail_msg("%s: %s instead of %s", rows[i].name, got, rows[i].want);
    }
}

static void test_limits(void **state)
{
    static char text[CSV_FIELD_BYTES_MAX + 8];
    char got[CSV_FIELD_BYTES_MAX + 64];
    memset(text, 'x', CSV_FIELD_BYTES_MAX);
    render(str_n(text, CSV_FIELD_BYTES_MAX), got, sizeof got);
    assert_null(strchr(got, '!'));
    memset(text, 'x', CSV_FIELD_BYTES_MAX + 1);
    strcpy(text + CSV_FIELD_BYTES_MAX + 1, "\nb");
    render(str_c(text), got, sizeof got);
    assert_string_equal(got, "!field too long@1/b@2");
    text[0] = text[CSV_FIELD_BYTES_MAX + 2] = '"';
    text[CSV_FIELD_BYTES_MAX + 1] = 'x';
    render(str_n(text, CSV_FIELD_BYTES_MAX + 3), got, sizeof got);
    assert_string_equal(got, "!field too long@1");
    char commas[CSV_FIELDS_MAX + 1];
    memset(commas, ',', sizeof commas);
    render(str_n(commas, CSV_FIELDS_MAX - 1), got, sizeof got);
    assert_null(strchr(got, '!'));
    render(str_n(commas, CSV_FIELDS_MAX), got, sizeof got);
    assert_string_equal(got, "!too many columns@1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
