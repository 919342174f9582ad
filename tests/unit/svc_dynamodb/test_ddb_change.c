/* Records of streams as texts: shard ids, sequence numbers, the event of a function. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "svc/dynamodb/dynamodb_int.h"

static struct arena arena;
static const struct ddb_stream stream = {
    .id = 7,
    .view = DDB_VIEW_BOTH,
    .scope = {STR_INIT("000000000000"), STR_INIT("eu-west-1")},
    .arn = STR_INIT("arn:aws:dynamodb:eu-west-1:000000000000:table/t/stream/l"),
    .created_ms = 1790000000123,
    .shards = 4,
};

static int setup(void **state)
{
    arena_init(&arena, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    arena_release(&arena);
    return 0;
}

static void sequences_sort_as_places_do(void **state)
{
    static const struct ddb_place places[] = {
        {0, 0}, {0, 1}, {1, 0}, {1, 9999}, {9, 3}, {10, 0}, {123456789012345, 42},
    };
    struct str last = STR("");
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct ddb_place back;
        struct str text = ddb_texts.sequence(&arena, places[i]);
        assert_int_equal(text.len, DDB_SEQUENCE_LEN);
        assert_true(str_cmp(text, last) > 0);
        assert_int_equal(ddb_texts.sequence_parse(text, &back), ERR_OK);
        assert_int_equal(back.commit, places[i].commit);
        assert_int_equal(back.nth, places[i].nth);
        assert_false(i > 0 && ddb_place_before(places[i], places[i - 1]));
        last = text;
    }
}

static void other_texts_are_no_sequences(void **state)
{
    static const char *const bad[] = {
        "",
        "1",
        "10000000000000000000",   /* one digit less */
        "1000000000000000000000", /* one more */
        "200000000000000000000",
        "1-0000000000000000000",
        "1000000000000000x0000",
        "10000000000000000 000",
        "1000000000000000000+1",
    };
    struct ddb_place place;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (ddb_texts.sequence_parse(str_c(bad[i]), &place) != ERR_INVALID)
            fail_msg("%s", bad[i]);
}

static void shards_have_ids(void **state)
{
    uint16_t found;
    for (uint16_t i = 0; i < stream.shards; i++) {
        struct str id = ddb_texts.shard_id(&arena, &stream, i);
        assert_int_equal(id.len, DDB_SHARD_ID_LEN);
        assert_int_equal(ddb_texts.shard_of(&stream, id, &found), ERR_OK);
        assert_int_equal(found, i);
        id.len--;
        assert_int_equal(ddb_texts.shard_of(&stream, id, &found), ERR_NOT_FOUND);
    }
    struct ddb_stream other = stream;
    other.id = 8;
    struct str id = ddb_texts.shard_id(&arena, &other, 0);
    assert_int_equal(ddb_texts.shard_of(&stream, id, &found), ERR_NOT_FOUND);
    assert_int_equal(ddb_texts.shard_of(&stream, STR(""), &found), ERR_NOT_FOUND);
}

/* {"id": {"S": key}} as stored. */
static struct str stored(const char *key)
{
    struct ddb_av *item = ddb_av_new(&arena, DDB_M), *id = ddb_av_new(&arena, DDB_S);
    struct str raw;
    id->name = STR("id");
    id->s = str_c(key);
    ddb_av_append(item, id);
    assert_int_equal(ddb_item_encode(&arena, item, ddb_item_size(item), &raw), ERR_OK);
    return raw;
}

static void events_are_those_of_aws(void **state)
{
    struct buf b;
    struct ddb_change c = {
        .stream = &stream,
        .place = {12, 1},
        .kind = DDB_CHANGE_REMOVE,
        .expired = true,
        .wall_ms = 1790000001999,
        .keys = stored("a"),
        .old = stored("a\""),
        .bytes = 7,
    };
    buf_init_arena(&b, &arena, 4096);
    assert_int_equal(ddb_texts.event(&b, &arena, &c), ERR_OK);
    struct str text = buf_str(&b);
    struct str id = ddb_texts.change_id(&arena, &c);
    assert_int_equal(id.len, DDB_CHANGE_ID_LEN);
    struct str want = str_fmt(
        &arena,
        "{\"eventID\":\"%.*s\",\"eventName\":\"REMOVE\",\"eventVersion\":\"1.1\",\"eventSource\":"
        "\"aws:dynamodb\",\"awsRegion\":\"eu-west-1\",\"dynamodb\":{"
        "\"ApproximateCreationDateTime\":1790000001,\"Keys\":{\"id\":{\"S\":\"a\"}},\"OldImage\":{"
        "\"id\":{\"S\":\"a\\\"\"}},\"SequenceNumber\":\"100000000000000120001\",\"SizeBytes\":7,"
        "\"StreamViewType\":\"NEW_AND_OLD_IMAGES\"},\"userIdentity\":{\"type\":\"Service\","
        "\"principalId\":\"dynamodb.amazonaws.com\"},\"eventSourceARN\":\"arn:aws:dynamodb:eu-west-"
        "1:000000000000:table/t/stream/l\"}",
        STR_ARG(id));
    if (!str_eq(text, want))
        fail_msg("%.*s", STR_ARG(text));
    c.keys = STR("\xff\xff");
    buf_clear(&b);
    assert_int_equal(ddb_texts.event(&b, &arena, &c), ERR_CORRUPT);
}

static void views_have_names(void **state)
{
    for (int v = DDB_VIEW_KEYS; v < DDB_VIEWS; v++)
        assert_int_equal(ddb_view_from(ddb_view_name((enum ddb_view)v)), v);
    assert_int_equal(ddb_view_from(STR("")), DDB_VIEW_NONE);
    assert_int_equal(ddb_view_from(STR("keys_only")), DDB_VIEW_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_sort_as_places_do),
        cmocka_unit_test(other_texts_are_no_sequences),
        cmocka_unit_test(shards_have_ids),
        cmocka_unit_test(events_are_those_of_aws),
        cmocka_unit_test(views_have_names),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
