/* unzip.h: streams in pieces, members and frames in a row, damage, the room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <zstd.h>

#include "base/mem.h"
#include "codec/gzip.h"
#include "codec/unzip.h"

enum { PLAIN = 300 * 1000, BIG = 4 * PLAIN };

static char text[PLAIN];

static int setup(void **state)
{
    for (size_t i = 0; i < PLAIN; i++)
        text[i] = (char)("abcdefgh"[i * i % 7] + i / 999 % 3);
    return 0;
}

static void pack(enum unzip_kind kind, struct str plain, struct buf *out)
{
    if (kind == UNZIP_GZIP) {
        assert_int_equal(gzip_pack(plain, out), ERR_OK);
    } else if (kind == UNZIP_NONE) {
        buf_add_str(out, plain);
    } else {
        size_t room = ZSTD_compressBound(plain.len);
        char *p = buf_reserve(out, room);
        assert_non_null(p);
        buf_grew(out, ZSTD_compress(p, room, plain.p, plain.len, 1));
    }
    assert_int_equal(buf_err(out), ERR_OK);
}

/* All of it, in pieces of `in`, with so much room at a time. */
static enum err unpack(enum unzip_kind kind, struct str in, size_t piece, size_t room,
                       struct buf *out)
{
    struct unzip *z = unzip_new(kind);
    enum err err = ERR_OK;
    assert_non_null(z);
    while (in.len > 0 && !err) {
        struct str part = str_sub(in, 0, piece);
        size_t before;
        in = str_sub(in, part.len, SIZE_MAX);
        do {
            before = out->len;
            err = unzip_step(z, &part, out, room);
            assert_true(out->len - before <= room);
        } while (!err && out->len > before);
        assert_true(err || part.len == 0);
    }
    if (!err && !unzip_may_end(z))
        err = ERR_NOT_FOUND;
    unzip_free(z);
    return err;
}

static void test_pieces(void **state)
{
    static const size_t pieces[] = {1, 7, 4096, SIZE_MAX}, rooms[] = {64 * 1024, 1000, 100, PLAIN};
    for (enum unzip_kind kind = UNZIP_NONE; kind < UNZIP_KINDS; kind++)
        for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
            struct buf packed, out;
            size_t n = pieces[i] == 1 ? 2000 : PLAIN;
            buf_init(&packed, BIG);
            buf_init(&out, 2 * n + rooms[i]);
            pack(kind, str_n(text, n / 2), &packed);
            pack(kind, str_n("", 0), &packed);
            pack(kind, str_n(text + n / 2, n - n / 2), &packed);
            assert_int_equal(unpack(kind, buf_str(&packed), pieces[i], rooms[i], &out), ERR_OK);
            assert_int_equal(out.len, n);
            assert_memory_equal(out.p, text, n);
            buf_release(&packed);
            buf_release(&out);
        }
}

static void test_damage(void **state)
{
    for (enum unzip_kind kind = UNZIP_GZIP; kind < UNZIP_KINDS; kind++) {
        struct buf packed, out;
        buf_init(&packed, BIG);
        buf_init(&out, BIG);
        pack(kind, str_n(text, 5000), &packed);
        struct str whole = buf_str(&packed);
        assert_int_equal(unpack(kind, str_sub(whole, 0, whole.len - 1), 100, 9000, &out),
                         ERR_NOT_FOUND);
        buf_add_c(&packed, "more");
        assert_int_equal(unpack(kind, buf_str(&packed), SIZE_MAX, 9000, &out), ERR_INVALID);
        assert_int_equal(unpack(kind, STR("{\"Item\":{}}\n"), SIZE_MAX, 9000, &out), ERR_INVALID);
        buf_release(&packed);
        buf_release(&out);
    }
}

static void test_room(void **state)
{
    struct buf packed, out;
    struct unzip *z = unzip_new(UNZIP_GZIP);
    buf_init(&packed, BIG);
    buf_init(&out, 1000);
    pack(UNZIP_GZIP, str_n(text, PLAIN), &packed);
    struct str in = buf_str(&packed);
    assert_int_equal(unzip_step(z, &in, &out, 1000), ERR_OK);
    assert_int_equal(out.len, 1000);
    assert_int_equal(unzip_step(z, &in, &out, 0), ERR_OK);
    assert_int_equal(unzip_step(z, &in, &out, 1), ERR_LIMIT); /* the buffer's maximum */
    assert_false(unzip_may_end(z));
    unzip_free(z);
    unzip_free(NULL);
    buf_release(&packed);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_room),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
