/* Values from JSON, the stored form, sizes, comparison, keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "svc/dynamodb/ddb_item.h"
#include "svc/dynamodb/dynamodb_keys.h"

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 256 * 1024 * 1024);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

/* An item from text with ' for ". */
static enum err item_from(const char *text, struct ddb_diag *diag, struct ddb_av **ret_item)
{
    struct json *v;
    struct str copy = str_dup(&arena, str_c(text));
    for (size_t i = 0; i < copy.len; i++)
        if (copy.p[i] == '\'')
            ((char *)copy.p)[i] = '"';
    assert_int_equal(json_parse(&arena, copy, &v, NULL), ERR_OK);
    *diag = (struct ddb_diag){.arena = &arena};
    return ddb_item_from_json(diag, v, ret_item);
}

static struct str quoted(const char *text)
{
    struct str copy = str_dup(&arena, str_c(text));
    for (size_t i = 0; i < copy.len; i++)
        if (copy.p[i] == '\'')
            ((char *)copy.p)[i] = '"';
    return copy;
}

struct good_row {
    const char *in, *out; /* out NULL: as in */
    size_t size;
};

static const struct good_row GOOD[] = {
    {"{}", NULL, 0},
    {"{'a':{'S':'x'}}", NULL, 2},
    {"{'a':{'S':''}}", NULL, 1},
    {"{'a':{'N':'1.50'}}", "{'a':{'N':'1.5'}}", 4},
    {"{'a':{'N':'-0'}}", "{'a':{'N':'0'}}", 2},
    {"{'a':{'N':'1e3'}}", "{'a':{'N':'1000'}}", 3},
    {"{'a':{'B':'aGk='}}", NULL, 3},
    {"{'a':{'B':''}}", NULL, 1},
    {"{'a':{'BOOL':true}}", NULL, 2},
    {"{'a':{'BOOL':false}}", NULL, 2},
    {"{'a':{'NULL':true}}", NULL, 2},
    {"{'a':{'L':[]}}", NULL, 4},
    {"{'a':{'M':{}}}", NULL, 4},
    {"{'a':{'L':[{'S':'x'},{'N':'1'}]}}", NULL, 1 + 3 + 2 + 1 + 2},
    {"{'a':{'M':{'b':{'S':'x'}}}}", NULL, 1 + 3 + 1 + 1 + 1},
    {"{'a':{'SS':['x','yy']}}", NULL, 4},
    {"{'a':{'NS':['1','2.0']}}", "{'a':{'NS':['1','2']}}", 5},
    {"{'a':{'BS':['aGk=']}}", NULL, 3},
    {"{'a':{'S':'x','N':null}}", "{'a':{'S':'x'}}", 2},
    {"{'a':{'M':{'b':{'L':[{'M':{'c':{'NULL':true}}}]}}}}", NULL, 1 + 4 + 1 + 4 + 4 + 1 + 1},
    {"{'\\u00e9':{'S':'\\u20ac\\n'}}", "{'\xc3\xa9':{'S':'\xe2\x82\xac\\n'}}", 6},
};

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(GOOD); i++) {
        struct ddb_diag diag;
        struct ddb_av *item, *back;
        struct str raw, want = quoted(GOOD[i].out ? GOOD[i].out : GOOD[i].in);
        struct buf b;
        size_t size;
        assert_int_equal(item_from(GOOD[i].in, &diag, &item), ERR_OK);
        if (ddb_item_size(item) != GOOD[i].size)
            fail_msg("%s: size %zu", GOOD[i].in, ddb_item_size(item));
        buf_init_arena(&b, &arena, 4096);
        ddb_item_put_json(&b, item);
        if (!str_eq(buf_str(&b), want))
            fail_msg("%s: got " STR_FMT, GOOD[i].in, STR_ARG(buf_str(&b)));
        assert_int_equal(ddb_item_encode(&arena, item, GOOD[i].size, &raw), ERR_OK);
        buf_clear(&b);
        assert_int_equal(ddb_item_raw_put_json(&b, raw), ERR_OK);
        assert_true(str_eq(buf_str(&b), want));
        assert_int_equal(ddb_item_raw_size(raw, &size), ERR_OK);
        assert_int_equal(size, GOOD[i].size);
        assert_int_equal(ddb_item_decode(&arena, raw, &back), ERR_OK);
        assert_true(ddb_av_equal(item, back));
        if (!item->child)
            continue;
        assert_int_equal(ddb_item_find(&arena, raw, item->child->name, &back), ERR_OK);
        assert_true(ddb_av_equal(item->child, back));
        assert_int_equal(ddb_item_find(&arena, raw, STR("zz"), &back), ERR_NOT_FOUND);
    }
}

/* Every proper prefix of a record, and every byte changed, is refused or read, never overrun. */
static void test_corrupt(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(GOOD); i++) {
        struct ddb_diag diag;
        struct ddb_av *item, *back;
        struct str raw;
        assert_int_equal(item_from(GOOD[i].in, &diag, &item), ERR_OK);
        assert_int_equal(ddb_item_encode(&arena, item, GOOD[i].size, &raw), ERR_OK);
        for (size_t cut = 0; cut < raw.len; cut++) {
            struct str part = str_dup(&arena, str_sub(raw, 0, cut));
            assert_int_equal(ddb_item_decode(&arena, part, &back), ERR_CORRUPT);
        }
        for (size_t at = 0; at < raw.len; at++) {
            struct str other = str_dup(&arena, raw);
            struct buf b;
            ((char *)other.p)[at] ^= 0x55;
            buf_init_arena(&b, &arena, 64 * 1024);
            enum err err = ddb_item_raw_put_json(&b, other);
            assert_true(err == ERR_OK || err == ERR_CORRUPT);
            err = ddb_item_decode(&arena, other, &back);
            assert_true(err == ERR_OK || err == ERR_CORRUPT);
        }
    }
}

struct bad_row {
    const char *in, *message;
    bool serialization;
};

static const struct bad_row BAD[] = {
    {"{'a':{}}",
     "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
     false},
    {"{'a':{'X':'x'}}",
     "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
     false},
    {"{'a':{'S':'x','N':'1'}}",
     "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the "
     "supported datatypes",
     false},
    {"{'a':'x'}", "STRING_VALUE cannot be converted to AttributeValue", true},
    {"{'a':{'S':5}}", "NUMBER_VALUE cannot be converted to String", true},
    {"{'a':{'N':5}}", "NUMBER_VALUE cannot be converted to String", true},
    {"{'a':{'BOOL':'true'}}", "STRING_VALUE cannot be converted to Boolean", true},
    {"{'a':{'L':{}}}", "START_OBJECT cannot be converted to List", true},
    {"{'a':{'M':[]}}", "START_ARRAY cannot be converted to Map", true},
    {"{'a':{'SS':'x'}}", "STRING_VALUE cannot be converted to List", true},
    {"{'a':{'SS':[5]}}", "NUMBER_VALUE cannot be converted to String", true},
    {"{'a':{'B':'!'}}", "Invalid base64 content in a binary attribute value", true},
    {"{'a':{'NULL':'true'}}", "STRING_VALUE cannot be converted to Boolean", true},
    {"{'a':{'N':'x'}}", "The parameter cannot be converted to a numeric value: x", false},
    {"{'a':{'N':''}}", "The parameter cannot be converted to a numeric value", false},
    {"{'a':{'N':'1e126'}}",
     "Number overflow. Attempting to store a number with magnitude larger than supported range",
     false},
    {"{'a':{'N':'1e-131'}}",
     "Number underflow. Attempting to store a number with magnitude smaller than supported range",
     false},
    {"{'a':{'N':'123456789012345678901234567890123456789'}}",
     "Attempting to store more than 38 significant digits in a Number", false},
    {"{'a':{'SS':[]}}",
     "One or more parameter values were invalid: An string set  may not be empty", false},
    {"{'a':{'NS':[]}}",
     "One or more parameter values were invalid: An number set  may not be empty", false},
    {"{'a':{'BS':[]}}",
     "One or more parameter values were invalid: Binary sets should not be empty", false},
    {"{'a':{'SS':['x','y','x']}}",
     "One or more parameter values were invalid: Input collection [x, y, x] contains duplicates.",
     false},
    {"{'a':{'NS':['1','1.0']}}", "Input collection contains duplicates", false},
    {"{'a':{'SS':['1','2','3','4','5','6','7','8','9','1']}}",
     "One or more parameter values were invalid: Input collection [1, 2, 3, 4, 5, 6, 7, 8, 9, 1] "
     "contains duplicates.",
     false},
    {"{'a':{'S':'x'},'a':{'S':'y'}}", "Duplicate attribute name in a map", true},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        struct ddb_diag diag;
        struct ddb_av *item;
        if (item_from(BAD[i].in, &diag, &item) != ERR_INVALID)
            fail_msg("%s: accepted", BAD[i].in);
        if (!str_eq_c(diag.msg, BAD[i].message) || diag.serialization != BAD[i].serialization)
            fail_msg("%s: " STR_FMT, BAD[i].in, STR_ARG(diag.msg));
    }
}

static void test_depth(void **state)
{
    (void)state;
    for (int depth = DDB_DEPTH_MAX - 1; depth <= DDB_DEPTH_MAX + 1; depth++) {
        struct buf b;
        struct json *v;
        struct ddb_av *item;
        struct ddb_diag diag = {.arena = &arena};
        buf_init_arena(&b, &arena, 4096);
        BUF_ADD_LIT(&b, "{\"a\":");
        for (int i = 0; i < depth; i++)
            buf_add_c(&b, i % 2 ? "{\"L\":[" : "{\"M\":{\"x\":");
        BUF_ADD_LIT(&b, "{\"NULL\":true}");
        for (int i = depth - 1; i >= 0; i--)
            buf_add_c(&b, i % 2 ? "]}" : "}}");
        BUF_ADD_LIT(&b, "}");
        assert_int_equal(json_parse(&arena, buf_str(&b), &v, NULL), ERR_OK);
        enum err err = ddb_item_from_json(&diag, v, &item);
        assert_int_equal(err, depth > DDB_DEPTH_MAX ? ERR_INVALID : ERR_OK);
        if (err == ERR_OK) {
            struct str raw;
            assert_int_equal(ddb_item_depth(item), depth);
            assert_int_equal(ddb_item_encode(&arena, item, ddb_item_size(item), &raw), ERR_OK);
            assert_int_equal(ddb_item_decode(&arena, raw, &item), ERR_OK);
        }
    }
}

static struct ddb_av *value(enum ddb_type type, const char *s, size_t len)
{
    struct ddb_av *v = ddb_av_new(&arena, type);
    v->s = str_n(s, len);
    return v;
}

static struct str key_of(enum ddb_type type, const char *s, size_t len)
{
    struct ddb_key key = {.hash = value(DDB_S, "h", 1), .range = value(type, s, len)};
    return ddb_item_key(&arena, 7, key);
}

static void test_key_order(void **state)
{
    (void)state;
    static const struct str texts[] = {STR_INIT("\0"),   STR_INIT("\0\0"),    STR_INIT("\0a"),
                                       STR_INIT("a"),    STR_INIT("a\0"),     STR_INIT("a\0b"),
                                       STR_INIT("aa"),   STR_INIT("ab"),      STR_INIT("b"),
                                       STR_INIT("\xff"), STR_INIT("\xff\xff")};
    static const char *const numbers[] = {"-1000", "-12", "-1.1", "-1", "-0.001", "0",
                                          "0.001", "1",   "1.1",  "12", "1000"};
    for (size_t i = 0; i + 1 < ARRAY_LEN(texts); i++)
        assert_true(str_cmp(key_of(DDB_S, texts[i].p, texts[i].len),
                            key_of(DDB_S, texts[i + 1].p, texts[i + 1].len)) < 0);
    for (size_t i = 0; i + 1 < ARRAY_LEN(numbers); i++)
        assert_true(str_cmp(key_of(DDB_N, numbers[i], strlen(numbers[i])),
                            key_of(DDB_N, numbers[i + 1], strlen(numbers[i + 1]))) < 0);
}

/* Which of some keys a condition's range holds. */
static void test_query_range(void **state)
{
    (void)state;
    static const char *const keys[] = {"a", "ab", "abc", "b", "ba", "c"};
    static const struct {
        enum ddb_op op;
        const char *lo, *hi, *in; /* one digit for each key that is in */
    } rows[] = {
        {DDB_OP_EQ, "ab", NULL, "1"},
        {DDB_OP_LT, "b", NULL, "012"},
        {DDB_OP_LE, "b", NULL, "0123"},
        {DDB_OP_GT, "b", NULL, "45"},
        {DDB_OP_GE, "b", NULL, "345"},
        {DDB_OP_BETWEEN, "ab", "b", "123"},
        {DDB_OP_BETWEEN, "a", "a", "0"},
        {DDB_FN_BEGINS_WITH, "ab", NULL, "12"},
        {DDB_FN_BEGINS_WITH, "", NULL, "012345"},
        {DDB_FN_BEGINS_WITH, "z", NULL, ""},
        {DDB_OP_GT, "c", NULL, ""},
        {DDB_OP_LT, "a", NULL, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ddb_key_condition cond = {
            .hash = value(DDB_S, "h", 1),
            .has_range = true,
            .op = rows[i].op,
            .lo = value(DDB_S, rows[i].lo, strlen(rows[i].lo)),
            .hi = rows[i].hi ? value(DDB_S, rows[i].hi, strlen(rows[i].hi)) : NULL};
        struct key_range r = ddb_query_range(&arena, 7, 0, &cond);
        char in[8] = "", *p = in;
        for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
            struct str key = key_of(DDB_S, keys[k], strlen(keys[k]));
            if (str_cmp(key, r.from) >= 0 && str_cmp(key, r.to) < 0)
                *p++ = (char)('0' + k);
        }
        *p = '\0';
        if (strcmp(in, rows[i].in) != 0)
            fail_msg("row %zu: %s", i, in);
    }
}

/* The segments of a scan cover every key exactly once, whatever their number. */
static void test_segments(void **state)
{
    (void)state;
    static const uint32_t totals[] = {1, 2, 3, 7, 100, 65536, 1000000};
    for (size_t t = 0; t < ARRAY_LEN(totals); t++) {
        for (int i = 0; i < 50; i++) {
            char name[8] = {(char)('a' + i % 26), (char)('a' + i / 26)};
            struct ddb_key key = {.hash = value(DDB_S, name, 2)};
            struct str at = ddb_item_key(&arena, 9, key);
            uint32_t hash = (uint8_t)at.p[6] << 8 | (uint8_t)at.p[7];
            uint64_t guess = (uint64_t)hash * totals[t] / DDB_HASH_SPACE;
            int found = 0;
            for (uint64_t s = guess > 2 ? guess - 2 : 0; s < totals[t] && s <= guess + 32; s++) {
                struct key_range r = ddb_scan_range(&arena, 9, 0, (uint32_t)s, totals[t]);
                found += str_cmp(at, r.from) >= 0 && str_cmp(at, r.to) < 0;
            }
            assert_int_equal(found, 1);
        }
    }
}

static void test_equal(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool equal;
    } rows[] = {
        {"{'a':{'SS':['x','y']}}", "{'a':{'SS':['y','x']}}", true},
        {"{'a':{'SS':['x','y']}}", "{'a':{'SS':['x','z']}}", false},
        {"{'a':{'L':[{'N':'1'},{'N':'2'}]}}", "{'a':{'L':[{'N':'2'},{'N':'1'}]}}", false},
        {"{'a':{'M':{'x':{'N':'1'},'y':{'N':'2'}}}}", "{'a':{'M':{'y':{'N':'2'},'x':{'N':'1.0'}}}}",
         true},
        {"{'a':{'N':'1'}}", "{'a':{'S':'1'}}", false},
        {"{'a':{'NULL':true}}", "{'a':{'NULL':true}}", true},
        {"{'a':{'BOOL':true}}", "{'a':{'BOOL':false}}", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ddb_diag diag;
        struct ddb_av *a, *b;
        assert_int_equal(item_from(rows[i].a, &diag, &a), ERR_OK);
        assert_int_equal(item_from(rows[i].b, &diag, &b), ERR_OK);
        assert_int_equal(ddb_av_equal(a, b), rows[i].equal);
    }
}

/* Containers large enough for the sorted comparison. */
static void test_equal_large(void **state)
{
    (void)state;
    struct ddb_av *a = ddb_av_new(&arena, DDB_NS), *b = ddb_av_new(&arena, DDB_NS);
    struct ddb_av *m = ddb_av_new(&arena, DDB_M), *n = ddb_av_new(&arena, DDB_M);
    for (int i = 0; i < 500; i++) {
        struct ddb_av *x = ddb_av_new(&arena, DDB_N), *y = ddb_av_new(&arena, DDB_N);
        x->s = str_fmt(&arena, "%d", i);
        y->s = str_fmt(&arena, "%d", 499 - i);
        ddb_av_append(a, x);
        ddb_av_append(b, y);
        x = ddb_av_clone(&arena, x);
        y = ddb_av_clone(&arena, y);
        x->name = x->s;
        y->name = y->s;
        ddb_av_append(m, x);
        ddb_av_append(n, y);
    }
    assert_true(ddb_av_equal(a, b));
    assert_true(ddb_av_equal(m, n));
    b->child->s = STR("x");
    n->child->s = STR("x");
    assert_false(ddb_av_equal(a, b));
    assert_false(ddb_av_equal(m, n));
}

/* Records of an index with two HASH and three RANGE attributes: in order of the RANGE ones, one behind the other,
 * and which of them conditions select. */
static void test_multi_attribute_keys(void **state)
{
    (void)state;
    static struct ddb_key_part more[] = {
        {STR_INIT("h2"), DDB_N}, {STR_INIT("r2"), DDB_N}, {STR_INIT("r3"), DDB_S}};
    static const struct ddb_key_schema schema = {.hash = STR_INIT("h1"),
                                                 .hash_type = DDB_S,
                                                 .range = STR_INIT("r1"),
                                                 .range_type = DDB_S,
                                                 .more = more,
                                                 .n_more = 3,
                                                 .more_hash = 1};
    static const char *const ranges[][3] = {{"a", "-5", "x"},  {"a", "2", "x"},  {"a", "10", "a"},
                                            {"a", "10", "ab"}, {"ab", "1", "a"}, {"b", "0", "z"}};
    static const struct {
        const char *equal[2]; /* of r1, r2 */
        enum ddb_op op;       /* on the attribute behind; 0: none */
        const char *lo, *hi, *in;
    } rows[] = {
        {{NULL}, 0, NULL, NULL, "012345"},
        {{NULL}, DDB_OP_EQ, "a", NULL, "0123"},
        {{NULL}, DDB_OP_GT, "a", NULL, "45"},
        {{NULL}, DDB_FN_BEGINS_WITH, "a", NULL, "01234"},
        {{"a"}, DDB_OP_EQ, "10", NULL, "23"},
        {{"a"}, DDB_OP_LT, "10", NULL, "01"},
        {{"a"}, DDB_OP_LE, "10", NULL, "0123"},
        {{"a"}, DDB_OP_GE, "2", NULL, "123"},
        {{"a"}, DDB_OP_BETWEEN, "-5", "2", "01"},
        {{"b"}, DDB_OP_GT, "0", NULL, ""},
        {{"a", "10"}, DDB_FN_BEGINS_WITH, "a", NULL, "23"},
        {{"a", "10"}, DDB_OP_EQ, "ab", NULL, "3"},
    };
    struct ddb_av *h1 = value(DDB_S, "h", 1), *h2 = value(DDB_N, "7", 1);
    struct ddb_key identity = {.hash = value(DDB_S, "id", 2)};
    struct str keys[ARRAY_LEN(ranges)];
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        struct ddb_key key = {.hash = h1,
                              .range = value(DDB_S, ranges[i][0], strlen(ranges[i][0]))};
        key.more[0] = h2;
        key.more[1] = value(DDB_N, ranges[i][1], strlen(ranges[i][1]));
        key.more[2] = value(DDB_S, ranges[i][2], strlen(ranges[i][2]));
        keys[i] = ddb_index_key(&arena, 7, 3, &schema, key, identity);
        assert_int_equal(ddb_record_index(keys[i]), 3);
        assert_true(i == 0 || str_cmp(keys[i - 1], keys[i]) < 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ddb_key_condition cond = {.hash = h1,
                                         .more_hash = {h2},
                                         .n_more_hash = 1,
                                         .has_range = rows[i].op != 0,
                                         .op = rows[i].op};
        for (size_t k = 0; k < ARRAY_LEN(rows[i].equal) && rows[i].equal[k]; k++)
            cond.equal[cond.n_equal++] =
                value(k == 0 ? DDB_S : DDB_N, rows[i].equal[k], strlen(rows[i].equal[k]));
        enum ddb_type type = cond.n_equal == 1 ? DDB_N : DDB_S;
        if (rows[i].lo)
            cond.lo = value(type, rows[i].lo, strlen(rows[i].lo));
        if (rows[i].hi)
            cond.hi = value(type, rows[i].hi, strlen(rows[i].hi));
        struct key_range r = ddb_query_range(&arena, 7, 3, &cond);
        char in[8] = "", *p = in;
        for (size_t k = 0; k < ARRAY_LEN(keys); k++)
            if (str_cmp(keys[k], r.from) >= 0 && str_cmp(keys[k], r.to) < 0)
                *p++ = (char)('0' + k);
        if (strcmp(in, rows[i].in) != 0)
            fail_msg("row %zu: %s instead of %s", i, in, rows[i].in);
    }
}

/* Keys that would be longer than the store takes end in a digest, and still differ. */
static void test_longest_index_key(void **state)
{
    (void)state;
    static const char zeros[DDB_HASH_KEY_BYTES_MAX];
    struct ddb_av *hash = value(DDB_B, zeros, DDB_HASH_KEY_BYTES_MAX);
    struct ddb_av *range = value(DDB_B, zeros, DDB_RANGE_KEY_BYTES_MAX);
    struct ddb_av *shorter = value(DDB_B, zeros, DDB_RANGE_KEY_BYTES_MAX - 1);
    struct ddb_key key = {.hash = hash, .range = range}, other = {.hash = hash, .range = shorter};
    const struct ddb_key_schema schema = {
        .hash = STR("h"), .hash_type = DDB_B, .range = STR("r"), .range_type = DDB_B};
    struct str a = ddb_index_key(&arena, 1, 1, &schema, key, key),
               b = ddb_index_key(&arena, 1, 1, &schema, key, other);
    assert_true(a.len <= KV_KEY_MAX && b.len <= KV_KEY_MAX);
    assert_false(str_eq(a, b));
    assert_true(ddb_item_key(&arena, 1, key).len <= KV_KEY_MAX);
}

/* Whatever allocation is the one that fails, the answer is ERR_NOMEM and nothing is leaked. */
static void test_exhaustion(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":{\"S\":\"x\"},\"n\":{\"N\":\"1.50\"},\"b\":{\"B\":\"aGk=\"},"
                               "\"l\":{\"L\":[{\"M\":{\"k\":{"
                               "\"NULL\":true}}}]},\"s\":{\"SS\":[\"1\",\"2\",\"3\",\"4\",\"5\","
                               "\"6\",\"7\",\"8\",\"9\"]}}";
    enum err err = ERR_NOMEM;
    size_t limit = 0;
    for (; err != ERR_OK; limit += 16) {
        struct arena a;
        struct json *v;
        struct ddb_av *item, *back;
        struct str raw;
        arena_init(&a, limit);
        struct ddb_diag diag = {.arena = &a};
        err = json_parse(&a, str_c(text), &v, NULL);
        if (!err)
            err = ddb_item_from_json(&diag, v, &item);
        if (!err)
            err = ddb_item_encode(&a, item, ddb_item_size(item), &raw);
        if (!err)
            err = ddb_item_decode(&a, raw, &back);
        if (err)
            assert_int_equal(err, ERR_NOMEM);
        arena_release(&a);
    }
    assert_true(limit > 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_good, setup, teardown),
        cmocka_unit_test_setup_teardown(test_corrupt, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad, setup, teardown),
        cmocka_unit_test_setup_teardown(test_depth, setup, teardown),
        cmocka_unit_test_setup_teardown(test_key_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_query_range, setup, teardown),
        cmocka_unit_test_setup_teardown(test_segments, setup, teardown),
        cmocka_unit_test_setup_teardown(test_equal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_equal_large, setup, teardown),
        cmocka_unit_test_setup_teardown(test_longest_index_key, setup, teardown),
        cmocka_unit_test_setup_teardown(test_multi_attribute_keys, setup, teardown),
        cmocka_unit_test(test_exhaustion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
