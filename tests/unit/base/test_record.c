/* Record tables: round trips of every kind, bytes on disk, growth, truncation, malformed input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/record.h"

enum colour { RED, GREEN, COLOURS };

struct tag {
    struct str key, value;
};

struct node { /* a recursive type */
    uint8_t v;
    struct node *next;
};

struct whole {
    uint64_t u64;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    int64_t i64;
    int i32;
    int8_t i8;
    enum colour colour;
    bool flag;
    double f64;
    struct str text, absent;
    struct {
        uint8_t b[4];
    } id;
    struct tag pair;
    const struct tag *tags;
    size_t n_tags;
    struct str *names;
    size_t n_names;
    struct tag room[3];
    size_t n_room;
    struct tag *maybe, *never;
    struct node *list;
    void *not_stored;
};

static const struct record_field tag_fields[] = {
    REC_STR(struct tag, key),
    REC_STR(struct tag, value),
};
static const struct record_type tag_type = RECORD_TYPE(struct tag, 1, tag_fields);

extern const struct record_type node_type;
static const struct record_field node_fields[] = {
    REC_UINT(struct node, v),
    REC_PTR(struct node, next, &node_type),
};
const struct record_type node_type = RECORD_TYPE(struct node, 1, node_fields);

enum { TAGS_MAX = 4 };

static const struct record_field whole_fields[] = {
    REC_UINT(struct whole, u64),
    REC_UINT(struct whole, u8),
    REC_UINT(struct whole, u16),
    REC_UINT(struct whole, u32),
    REC_INT(struct whole, i64),
    REC_INT(struct whole, i32),
    REC_INT(struct whole, i8),
    REC_ENUM(struct whole, colour, COLOURS),
    REC_BOOL(struct whole, flag),
    REC_F64(struct whole, f64),
    REC_STR(struct whole, text),
    REC_STR(struct whole, absent),
    REC_BYTES(struct whole, id),
    REC_STRUCT(struct whole, pair, &tag_type),
    REC_LIST(struct whole, tags, n_tags, TAGS_MAX, &tag_type),
    REC_LIST(struct whole, names, n_names, TAGS_MAX, &record_str),
    REC_ARRAY(struct whole, room, n_room, &tag_type),
    REC_PTR(struct whole, maybe, &tag_type),
    REC_PTR(struct whole, never, &tag_type),
    REC_PTR(struct whole, list, &node_type),
};
static const struct record_type whole_type = RECORD_TYPE(struct whole, 1, whole_fields);

static struct arena arena;

static int setup(void **state)
{
    arena_init(&arena, 16 << 20);
    return 0;
}

static int teardown(void **state)
{
    arena_release(&arena);
    return 0;
}

static const struct tag two_tags[] = {{STR_INIT("a"), STR_INIT("1")},
                                      {STR_INIT("b"), STR_INIT("")}};
static struct str three_names[] = {STR_INIT("x"), STR_INIT(""), STR_INIT("z")};
static struct node second = {2, NULL}, first = {1, &second};
static struct tag present = {STR_INIT("p"), {NULL, 0}};

static struct whole sample(void)
{
    return (struct whole){
        .u64 = UINT64_MAX,
        .u8 = 255,
        .u16 = 65535,
        .u32 = UINT32_MAX,
        .i64 = INT64_MIN,
        .i32 = -5,
        .i8 = -128,
        .colour = GREEN,
        .flag = true,
        .f64 = -0.1,
        .text = STR("text"),
        .id = {{1, 0, 255, 7}},
        .pair = {STR("k"), STR("v")},
        .tags = two_tags,
        .n_tags = 2,
        .names = three_names,
        .n_names = 3,
        .room = {{STR("r"), STR("s")}},
        .n_room = 1,
        .maybe = &present,
        .list = &first,
        .not_stored = &second,
    };
}

static struct str packed(void)
{
    struct whole w = sample();
    struct str bytes;
    assert_int_equal(record_make(&whole_type, &arena, &w, &bytes), ERR_OK);
    return bytes;
}

static void test_round_trip(void **state)
{
    struct whole w = sample(), r = {.not_stored = &r};
    assert_int_equal(record_unpack(&whole_type, &arena, packed(), &r), ERR_OK);
    assert_true(r.u64 == w.u64 && r.u8 == w.u8 && r.u16 == w.u16 && r.u32 == w.u32);
    assert_true(r.i64 == w.i64 && r.i32 == w.i32 && r.i8 == w.i8 && r.f64 == w.f64);
    assert_true(r.colour == GREEN && r.flag);
    assert_true(str_eq_c(r.text, "text"));
    assert_false(str_is_set(r.absent));
    assert_memory_equal(&r.id, &w.id, sizeof(w.id));
    assert_true(str_eq_c(r.pair.key, "k") && str_eq_c(r.pair.value, "v"));
    assert_int_equal(r.n_tags, 2);
    assert_true(str_eq_c(r.tags[1].key, "b") && str_is_set(r.tags[1].value));
    assert_int_equal(r.n_names, 3);
    assert_true(str_eq_c(r.names[2], "z"));
    assert_int_equal(r.n_room, 1);
    assert_true(str_eq_c(r.room[0].value, "s"));
    assert_true(str_eq_c(r.maybe->key, "p") && !str_is_set(r.maybe->value));
    assert_null(r.never);
    assert_true(r.list->v == 1 && r.list->next->v == 2 && !r.list->next->next);
    assert_true(r.not_stored == &r); /* what the table does not name is left alone */
}

/* Borrowed text points into the bytes; copied text outlives them. */
static void test_text_is_borrowed_or_copied(void **state)
{
    struct str bytes = packed();
    struct whole r;
    assert_int_equal(record_unpack(&whole_type, &arena, bytes, &r), ERR_OK);
    assert_true(r.text.p > bytes.p && r.text.p < bytes.p + bytes.len);
    assert_int_equal(record_unpack_copy(&whole_type, &arena, bytes, &r), ERR_OK);
    memset((char *)bytes.p, 0xee, bytes.len);
    assert_true(str_eq_c(r.text, "text") && str_eq_c(r.names[0], "x"));
}

static void test_empty_lists(void **state)
{
    struct whole w = {.n_tags = 0}, r;
    struct str bytes;
    assert_int_equal(record_make(&whole_type, &arena, &w, &bytes), ERR_OK);
    assert_int_equal(record_unpack(&whole_type, &arena, bytes, &r), ERR_OK);
    assert_true(r.n_tags == 0 && r.tags && r.n_names == 0 && r.names && !r.maybe);
}

/* The bytes are a promise to stores already written, and those of pack.h. */
static void test_bytes(void **state)
{
    struct tag t = {STR("hi"), STR_NONE};
    struct str bytes;
    assert_int_equal(record_make(&tag_type, &arena, &t, &bytes), ERR_OK);
    assert_true(str_eq(bytes, STR("\x01\x03hi\x00")));
}

/* Every cut is corrupt, and so is a byte too many. */
static void test_truncation(void **state)
{
    struct str bytes = packed();
    struct whole r;
    for (size_t n = 0; n < bytes.len; n++) {
        char *cut = mem_alloc(n ? n : 1); /* of exact size, for the sanitizer */
        memcpy(cut, bytes.p, n);
        assert_int_equal(record_unpack(&whole_type, &arena, str_n(cut, n), &r), ERR_CORRUPT);
        mem_free(cut);
    }
    char *more = arena_alloc(&arena, bytes.len + 1);
    memcpy(more, bytes.p, bytes.len);
    more[bytes.len] = 0;
    assert_int_equal(record_unpack(&whole_type, &arena, str_n(more, bytes.len + 1), &r),
                     ERR_CORRUPT);
}

struct small {
    uint8_t n8;
    int8_t i8;
    enum colour colour;
    bool flag;
    struct tag *tags;
    size_t n_tags;
};
static const struct record_field small_fields[] = {
    REC_UINT(struct small, n8),
    REC_INT(struct small, i8),
    REC_ENUM(struct small, colour, COLOURS),
    REC_BOOL(struct small, flag),
    REC_LIST(struct small, tags, n_tags, TAGS_MAX, &tag_type),
};
static const struct record_type small_type = RECORD_TYPE(struct small, 2, small_fields);

static void test_malformed(void **state)
{
    static const struct {
        const char *name;
        struct str bytes;
        enum err want;
    } rows[] = {
        {"well", STR_INIT("\x02\x05\x01\x01\x01\x01\x02k\x00"), ERR_OK},
        {"older version", STR_INIT("\x01\x05\x01\x01\x01\x00"), ERR_OK},
        {"nothing", STR_INIT(""), ERR_CORRUPT},
        {"version 0", STR_INIT("\x00\x05\x01\x01\x01\x00"), ERR_CORRUPT},
        {"later version", STR_INIT("\x03\x05\x01\x01\x01\x00"), ERR_CORRUPT},
        {"uint too wide", STR_INIT("\x02\x80\x02\x01\x01\x01\x00"), ERR_CORRUPT},
        {"int too wide", STR_INIT("\x02\x05\x80\x04\x01\x01\x00"), ERR_CORRUPT},
        {"no such enum", STR_INIT("\x02\x05\x01\x02\x01\x00"), ERR_CORRUPT},
        {"no bool", STR_INIT("\x02\x05\x01\x01\x02\x00"), ERR_CORRUPT},
        {"list over its maximum",
         STR_INIT("\x02\x05\x01\x01\x01\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), ERR_CORRUPT},
        {"count beyond the bytes", STR_INIT("\x02\x05\x01\x01\x01\x04\x00\x00"), ERR_CORRUPT},
        {"count of 2^63", STR_INIT("\x02\x05\x01\x01\x01\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
         ERR_CORRUPT},
        {"text beyond the bytes", STR_INIT("\x02\x05\x01\x01\x01\x01\x09k\x00"), ERR_CORRUPT},
        {"bytes left over", STR_INIT("\x02\x05\x01\x01\x01\x00\x00"), ERR_CORRUPT},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct small r;
        enum err err = record_unpack(&small_type, &arena, rows[i].bytes, &r);
        if (err != rows[i].want)
            fail_msg("%s: %s", rows[i].name, err_name(err));
    }
}

/* --- growth ------------------------------------------------------------------------------------- */

struct old_item {
    uint64_t a;
};
struct old {
    struct old_item *items;
    size_t n;
};
struct new_item {
    uint64_t a;
    struct str b;
};
struct new
{
    struct new_item *items;
    size_t n;
    struct str note;
    int64_t since_ms;
    struct tag *tags;
    size_t n_tags;
};
static const struct record_field old_item_fields[] = {REC_UINT(struct old_item, a)};
static const struct record_type old_item_type = RECORD_TYPE(struct old_item, 1, old_item_fields);
static const struct record_field old_fields[] = {
    REC_LIST(struct old, items, n, TAGS_MAX, &old_item_type)};
static const struct record_type old_type = RECORD_TYPE(struct old, 1, old_fields);
static const struct record_field new_item_fields[] = {
    REC_UINT(struct new_item, a),
    REC_SINCE(2, REC_STR(struct new_item, b)),
};
static const struct record_type new_item_type = RECORD_TYPE(struct new_item, 1, new_item_fields);
static const struct record_field new_fields[] = {
    REC_LIST(struct new, items, n, TAGS_MAX, &new_item_type),
    REC_SINCE(2, REC_STR(struct new, note)),
    REC_SINCE(2, REC_INT(struct new, since_ms)),
    REC_SINCE(3, REC_LIST(struct new, tags, n_tags, TAGS_MAX, &tag_type)),
};
static const struct record_type new_type = RECORD_TYPE(struct new, 3, new_fields);

static void test_growth(void **state)
{
    struct old_item items[] = {{7}, {8}};
    struct old o = {items, 2};
    struct str bytes;
    struct new r = {.note = STR("left over"), .since_ms = 9, .n_tags = 3};
    assert_int_equal(record_make(&old_type, &arena, &o, &bytes), ERR_OK);
    assert_int_equal(record_unpack(&new_type, &arena, bytes, &r), ERR_OK);
    assert_true(r.n == 2 && r.items[1].a == 8 && !str_is_set(r.items[1].b));
    assert_true(!str_is_set(r.note) && r.since_ms == 0 && r.n_tags == 0 && r.tags);

    r.note = STR("n");
    r.items[0].b = STR("b");
    assert_int_equal(record_make(&new_type, &arena, &r, &bytes), ERR_OK);
    struct new again;
    assert_int_equal(record_unpack(&new_type, &arena, bytes, &again), ERR_OK);
    assert_true(str_eq_c(again.note, "n") && str_eq_c(again.items[0].b, "b"));
    /* An older Weir refuses what it does not know. */
    assert_int_equal(record_unpack(&old_type, &arena, bytes, &o), ERR_CORRUPT);
}

/* --- limits ------------------------------------------------------------------------------------- */

static void test_list_limit(void **state)
{
    struct tag five[TAGS_MAX + 1] = {{STR_NONE, STR_NONE}};
    struct small s = {.tags = five, .n_tags = TAGS_MAX};
    struct str bytes;
    assert_int_equal(record_make(&small_type, &arena, &s, &bytes), ERR_OK);
    s.n_tags++;
    assert_int_equal(record_make(&small_type, &arena, &s, &bytes), ERR_LIMIT);
}

static void test_depth_limit(void **state)
{
    struct node v[RECORD_DEPTH_MAX + 1] = {{0, NULL}};
    struct str bytes;
    struct node r;
    for (size_t i = 0; i + 1 < RECORD_DEPTH_MAX; i++)
        v[i].next = &v[i + 1];
    assert_int_equal(record_make(&node_type, &arena, v, &bytes), ERR_OK);
    assert_int_equal(record_unpack(&node_type, &arena, bytes, &r), ERR_OK);
    v[RECORD_DEPTH_MAX - 1].next = &v[RECORD_DEPTH_MAX];
    assert_int_equal(record_make(&node_type, &arena, v, &bytes), ERR_LIMIT);

    char deep[2 * (RECORD_DEPTH_MAX + 2)];
    memset(deep, 1, sizeof(deep)); /* v = 1, next is there, v = 1, ... */
    assert_int_equal(record_unpack(&node_type, &arena, str_n(deep, sizeof(deep)), &r), ERR_CORRUPT);
}

static void test_no_memory(void **state)
{
    struct str bytes = packed();
    struct whole r, w = sample();
    for (size_t limit = 0; limit < 4096; limit += 16) {
        struct arena tight;
        struct str again;
        arena_init(&tight, limit);
        enum err err = record_unpack_copy(&whole_type, &tight, bytes, &r);
        assert_true(err == ERR_OK || err == ERR_NOMEM);
        arena_clear(&tight);
        err = record_make(&whole_type, &tight, &w, &again);
        assert_true(err == ERR_OK ? str_eq(again, bytes) : err == ERR_NOMEM);
        arena_release(&tight);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),  cmocka_unit_test(test_text_is_borrowed_or_copied),
        cmocka_unit_test(test_empty_lists), cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_truncation),  cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_growth),      cmocka_unit_test(test_list_limit),
        cmocka_unit_test(test_depth_limit), cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
