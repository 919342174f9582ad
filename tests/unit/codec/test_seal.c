/* Sealed texts: both directions, and every changed bit, other key, other place, cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "codec/seal.h"

enum { TEXT_MAX = 300 };

static const uint8_t key[SEAL_KEY_BYTES] = "0123456789abcdef0123456789abcde", other[SEAL_KEY_BYTES];

static void test_both_directions(void **state)
{
    char text[TEXT_MAX];
    uint8_t sealed[TEXT_MAX + SEAL_MORE_BYTES], again[sizeof(sealed)], back[TEXT_MAX];
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)i;
    static const size_t lengths[] = {0, 1, 15, 16, 17, TEXT_MAX};
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        struct str plain = str_n(text, lengths[i]);
        assert_int_equal(seal_close(key, STR("place"), plain, sealed), ERR_OK);
        assert_int_equal(seal_close(key, STR("place"), plain, again), ERR_OK);
        size_t len = plain.len + SEAL_MORE_BYTES;
        assert_memory_not_equal(sealed, again, len); /* a nonce each */
        assert_int_equal(seal_open(key, STR("place"), str_n((char *)sealed, len), back), ERR_OK);
        assert_memory_equal(back, text, plain.len);
    }
}

static void test_refused(void **state)
{
    struct str plain = STR("a secret");
    uint8_t sealed[64], back[64];
    size_t len = plain.len + SEAL_MORE_BYTES;
    struct str all = str_n((char *)sealed, len);
    assert_int_equal(seal_close(key, STR("place"), plain, sealed), ERR_OK);
    assert_int_equal(seal_open(other, STR("place"), all, back), ERR_INVALID);
    assert_int_equal(seal_open(key, STR("elsewhere"), all, back), ERR_INVALID);
    assert_int_equal(seal_open(key, STR(""), all, back), ERR_INVALID);
    for (size_t n = 0; n < len; n++)
        assert_int_equal(seal_open(key, STR("place"), str_n((char *)sealed, n), back), ERR_INVALID);
    for (size_t bit = 0; bit < len * 8; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(seal_open(key, STR("place"), all, back), ERR_INVALID);
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(seal_open(key, STR("place"), all, back), ERR_OK);
}

/* A piece opens in its own place, and nowhere else. */
static void test_pieces(void **state)
{
    static const struct seal_piece places[] = {{0, false}, {0, true}, {1, false}, {1u << 20, true}};
    uint8_t sealed[64], back[64];
    struct str plain = STR("a piece");
    size_t len = plain.len + SEAL_PIECE_MORE_BYTES;
    struct str all = str_n((char *)sealed, len);
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        assert_int_equal(seal_piece_close(key, places[i], plain, sealed), ERR_OK);
        assert_int_equal(seal_piece_open(other, places[i], all, back), ERR_INVALID);
        for (size_t k = 0; k < ARRAY_LEN(places); k++)
            assert_int_equal(seal_piece_open(key, places[k], all, back),
                             k == i ? ERR_OK : ERR_INVALID);
        for (size_t n = 0; n < len; n++)
            assert_int_equal(seal_piece_open(key, places[i], str_n((char *)sealed, n), back),
                             ERR_INVALID);
        assert_int_equal(seal_piece_open(key, places[i], all, sealed), ERR_OK); /* where it lies */
        assert_memory_equal(sealed, plain.p, plain.len);
    }
    assert_int_equal(seal_piece_close(key, places[0], STR(""), sealed), ERR_OK);
    assert_int_equal(
        seal_piece_open(key, places[0], str_n((char *)sealed, SEAL_PIECE_MORE_BYTES), back),
        ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_directions),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
