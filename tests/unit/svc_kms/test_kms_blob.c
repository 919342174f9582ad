/* kms_blob.h: what a ciphertext is bound to (KB1), and bytes that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "svc/kms/kms_blob.h"

enum { ARENA_MAX = 16 * 1024 * 1024 };

static const struct str ID = STR_INIT("0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0");
static const struct str SECRET = STR_INIT("0123456789abcdef0123456789abcdef");

static struct kms_pairs pairs(const struct kms_pair *v, size_t n)
{
    return (struct kms_pairs){v, n};
}

static bool opens(struct arena *a, struct str blob_bytes, struct str secret,
                  struct kms_pairs context)
{
    struct kms_blob blob;
    struct str plain;
    return kms_blob_read(blob_bytes, &blob) == ERR_OK &&
           kms_blob_open(a, &blob, secret, context, &plain) == ERR_OK && str_eq(plain, STR("text"));
}

static void it_opens_where_it_belongs(void **state)
{
    const struct kms_pair ab[] = {{STR("a"), STR("1")}, {STR("b"), STR("2")}},
                          ba[] = {{STR("b"), STR("2")}, {STR("a"), STR("1")}},
                          other[] = {{STR("a"), STR("2")}, {STR("b"), STR("1")}},
                          joined[] = {{STR("a"), STR("1b2")}};
    struct arena a;
    struct str bytes;
    struct kms_blob blob;
    arena_init(&a, ARENA_MAX);
    assert_int_equal(kms_blob_seal(&a, ID, 0x01020304, SECRET, pairs(ab, 2), STR("text"), &bytes),
                     ERR_OK);
    assert_int_equal(kms_blob_read(bytes, &blob), ERR_OK);
    assert_string_equal(blob.key_id, ID.p);
    assert_int_equal(blob.material, 0x01020304);
    assert_true(opens(&a, bytes, SECRET, pairs(ab, 2)));
    assert_true(opens(&a, bytes, SECRET, pairs(ba, 2)));
    assert_false(opens(&a, bytes, SECRET, pairs(ab, 1)));
    assert_false(opens(&a, bytes, SECRET, pairs(other, 2)));
    assert_false(opens(&a, bytes, SECRET, pairs(joined, 1)));
    assert_false(opens(&a, bytes, SECRET, pairs(NULL, 0)));
    assert_false(opens(&a, bytes, STR("0123456789abcdef0123456789abcdeX"), pairs(ab, 2)));
    arena_release(&a);
}

static void every_bit_counts(void **state)
{
    struct arena a;
    struct str bytes;
    arena_init(&a, ARENA_MAX);
    assert_int_equal(kms_blob_seal(&a, ID, 1, SECRET, pairs(NULL, 0), STR("text"), &bytes), ERR_OK);
    char *bent = arena_memdup(&a, bytes.p, bytes.len);
    for (size_t i = 0; i < bytes.len * 8; i++) {
        bent[i / 8] ^= (char)(1 << i % 8);
        assert_false(opens(&a, str_n(bent, bytes.len), SECRET, pairs(NULL, 0)));
        bent[i / 8] ^= (char)(1 << i % 8);
    }
    for (size_t n = 0; n < bytes.len; n++)
        assert_false(opens(&a, str_sub(bytes, 0, n), SECRET, pairs(NULL, 0)));
    assert_true(opens(&a, bytes, SECRET, pairs(NULL, 0)));
    arena_release(&a);
}

static void ids_have_one_form(void **state)
{
    static const struct {
        struct str id;
        bool ok;
    } rows[] = {
        {STR_INIT("0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0"), true},
        {STR_INIT("0F1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0"), false},
        {STR_INIT("0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f"), false},
        {STR_INIT("0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f00"), false},
        {STR_INIT("0f1e2d3c04b5a-4978-8695-a4b3c2d1e0f0"), false},
        {STR_INIT("0f1e2d3g-4b5a-4978-8695-a4b3c2d1e0f0"), false},
        {STR_INIT("mrk-1e2d3c4b5a49788695a4b3c2d1e0f000"), false},
        {STR_INIT(""), false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(kms_is_uuid(rows[i].id), rows[i].ok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_opens_where_it_belongs),
        cmocka_unit_test(every_bit_counts),
        cmocka_unit_test(ids_have_one_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
