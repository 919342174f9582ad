/* Cars as requests and as items, judged by the gateway's model too; how they are counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "car.h"
#include "lang/schema.h"
#include "tally.h"

enum { ARENA_BYTES = 16 << 20, TEXT_MAX = 64 * 1024 };
#define NOON 1764331200000 /* 2025-11-28T12:00:00Z */
#define X16 "xxxxxxxxxxxxxxxx"
#define X64 X16 X16 X16 X16

static struct str model(struct arena *a)
{
    char *text = arena_alloc(a, TEXT_MAX);
    FILE *f = fopen(SOURCE_DIR "/pipelines/scheduled-summary/car.schema.json", "re");
    assert_non_null(f);
    size_t n = fread(text, 1, TEXT_MAX, f);
    assert_int_equal(fclose(f), 0);
    assert_true(n > 0 && n < TEXT_MAX);
    return str_n(text, n);
}

static bool model_takes(struct arena *a, struct str body)
{
    const struct schema *schema = NULL;
    struct schema_result result;
    struct str message;
    struct json *doc = NULL;
    if (json_parse(a, body, &doc, NULL) != ERR_OK)
        return false;
    assert_int_equal(schema_compile(a, model(a), STR(""), NULL, &schema, &message), ERR_OK);
    assert_int_equal(schema_validate(schema, doc, a, &result), ERR_OK);
    return result.valid;
}

#define CAR "\"make\":\"Volvo\",\"model\":\"240\",\"year\":1985"
#define ITEM_OF "\"make\":{\"S\":\"Volvo\"},\"model\":{\"S\":\"240\"},\"year\":{\"N\":\"1985\"}"
#define AT ",\"created_at\":{\"S\":\"2025-11-28T12:00:00.000Z\"}}"

static void test_requests(void **state)
{
    static const struct {
        const char *name, *body, *want; /* the item; or !sentence */
    } rows[] = {
        {"whole", "{\"id\":\"v-1\"," CAR ",\"price\":500}",
         "{\"id\":{\"S\":\"v-1\"}," ITEM_OF ",\"price\":{\"N\":\"500\"}" AT},
        {"what is needed", "{" CAR "}", "{\"id\":{\"S\":\"given\"}," ITEM_OF AT},
        {"price of nothing", "{\"id\":\"a\"," CAR ",\"price\":0}",
         "{\"id\":{\"S\":\"a\"}," ITEM_OF ",\"price\":{\"N\":\"0\"}" AT},
        {"longest id", "{\"id\":\"" X64 "\"," CAR "}", "{\"id\":{\"S\":\"" X64 "\"}," ITEM_OF AT},
        {"characters, not bytes",
         "{\"id\":\"a\",\"make\":\"" X16 X16 X16
         "\u0161koda\xf0\x9f\x9a\x97\",\"model\":\"m\",\"year\":2100}",
         "{\"id\":{\"S\":\"a\"},\"make\":{\"S\":\"" X16 X16 X16
         "\u0161koda\xf0\x9f\x9a\x97\"},\"model\":{\"S\":\"m\"},\"year\":{\"N\":\"2100\"}" AT},
        {"nothing", "", "!the body must be a JSON object"},
        {"not JSON", "{" CAR, "!the body must be a JSON object"},
        {"a list", "[]", "!the body must be a JSON object"},
        {"a member that cars have not", "{" CAR ",\"wheels\":4}", "!a car has no wheels"},
        {"no make", "{\"model\":\"240\",\"year\":1985}",
         "!make must be a text of 1 to 64 characters"},
        {"empty model", "{\"make\":\"a\",\"model\":\"\",\"year\":1985}",
         "!model must be a text of 1 to 64 characters"},
        {"long model", "{\"make\":\"a\",\"model\":\"" X64 "x\",\"year\":1985}",
         "!model must be a text of 1 to 64 characters"},
        {"no year", "{\"make\":\"a\",\"model\":\"b\"}",
         "!year must be a whole number from 1886 to 2100"},
        {"before cars", "{\"make\":\"a\",\"model\":\"b\",\"year\":1885}",
         "!year must be a whole number from 1886 to 2100"},
        {"a number as text", "{\"make\":\"a\",\"model\":\"b\",\"year\":\"1985\"}",
         "!year must be a whole number"},
        {"a part of a year", "{\"make\":\"a\",\"model\":\"b\",\"year\":1985.5}",
         "!year must be a whole number"},
        {"a text as number", "{\"make\":7,\"model\":\"b\",\"year\":1985}", "!make must be a text"},
        {"null", "{" CAR ",\"price\":null}", "!price must be a whole number"},
        {"price below nothing", "{" CAR ",\"price\":-1}",
         "!price must be a whole number from 0 to 1000000000"},
        {"price of everything", "{" CAR ",\"price\":1000000001}",
         "!price must be a whole number from 0 to 1000000000"},
        {"price beyond numbers", "{" CAR ",\"price\":99999999999999999999}",
         "!price must be a whole number"},
        {"empty id", "{\"id\":\"\"," CAR "}", "!id must be 1 to 64 letters, digits and hyphens"},
        {"long id", "{\"id\":\"" X64 "x\"," CAR "}",
         "!id must be 1 to 64 letters, digits and hyphens"},
        {"id of two lines", "{\"id\":\"a\\n\"," CAR "}",
         "!id must be 1 to 64 letters, digits and hyphens"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct buf b;
        struct json_out o;
        struct car car;
        struct json *item = NULL;
        struct str why = STR_NONE, body = str_c(rows[i].body);
        arena_init(&a, ARENA_BYTES);
        buf_init_arena(&b, &a, TEXT_MAX);
        json_out_init(&o, &b);
        enum err err = car_read(&a, body, &car, &why);
        if (err == ERR_OK) {
            car.id = str_is_set(car.id) ? car.id : STR("given");
            car_put_item(&o, &car, NOON);
        } else {
            buf_add_byte(&b, '!');
            buf_add_str(&b, why);
        }
        if (!str_eq_c(buf_str(&b), rows[i].want))
            fail_msg("%s: " STR_FMT, rows[i].name, STR_ARG(buf_str(&b)));
        assert_int_equal(err == ERR_OK, model_takes(&a, body));
        if (err == ERR_OK) {
            assert_int_equal(json_parse(&a, buf_str(&b), &item, NULL), ERR_OK);
            assert_true(car_is_item(&car, item));
            car.year++;
            assert_false(car_is_item(&car, item));
        }
        arena_release(&a);
    }
    (void)state;
}

static void add(struct tally *t, const char *created_at)
{
    struct arena a;
    struct json *item = NULL;
    arena_init(&a, ARENA_BYTES);
    struct str text = str_fmt(&a, "{\"created_at\":{\"S\":\"%s\"}}", created_at);
    assert_int_equal(json_parse(&a, text, &item, NULL), ERR_OK);
    assert_int_equal(tally_add(t, item), ERR_OK);
    arena_release(&a);
}

static void check(const struct tally *t, const char *want)
{
    struct buf b;
    struct json_out o;
    buf_init(&b, TEXT_MAX);
    json_out_init(&o, &b);
    tally_put(&o, t, NOON);
    assert_int_equal(buf_err(&b), ERR_OK);
    if (!str_eq_c(buf_str(&b), want))
        fail_msg(STR_FMT, STR_ARG(buf_str(&b)));
    buf_release(&b);
}

static void test_tally(void **state)
{
    struct tally t;
    tally_init(&t);
    check(&t, "{\"at\":\"2025-11-28T12:00:00Z\",\"items\":0,\"days\":{}}");
    add(&t, "2025-11-28T00:00:00.000Z");
    add(&t, "2025-11-27T23:59:59.999Z");
    add(&t, "2025-11-28T12:00:00Z");
    check(&t, "{\"at\":\"2025-11-28T12:00:00Z\",\"items\":3,\"days\":{\"2025-11-27\":1,\"2025-11-"
              "28\":2}}");
    add(&t, "yesterday");
    check(&t, "{\"at\":\"2025-11-28T12:00:00Z\",\"items\":4,\"days\":{\"2025-11-27\":1,\"2025-11-"
              "28\":2},\"undated\":1}");
    tally_release(&t);
    (void)state;
}

/* Many days, in no order. */
static void test_many_days(void **state)
{
    enum { YEARS = 30, DAYS = 28 };
    struct tally t;
    char at[64];
    tally_init(&t);
    for (int day = DAYS; day >= 1; day--)
        for (int year = 0; year < YEARS; year++) {
            assert_true(snprintf(at, sizeof at, "%d-02-%02dT10:00:00.000Z",
                                 2000 + (year * 7) % YEARS, day) > 0);
            add(&t, at);
        }
    assert_int_equal(t.n_days, YEARS * DAYS);
    for (size_t i = 1; i < t.n_days; i++)
        assert_true(strcmp(t.days[i - 1].date, t.days[i].date) < 0 && t.days[i].n == 1);
    tally_release(&t);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_tally),
        cmocka_unit_test(test_many_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
