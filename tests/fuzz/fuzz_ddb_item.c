// link: weir_svc_dynamodb
/* DynamoDB items: the input as JSON (an item that is accepted must survive encoding and decoding),
 * as a stored record, and as a number. */
#include <assert.h>
#include <stdint.h>

#include "svc/dynamodb/ddb_item.h"
#include "svc/dynamodb/ddb_num.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void as_json(struct arena *a, struct str text)
{
    struct json *v;
    struct ddb_av *item, *back;
    struct str raw;
    struct buf x, y;
    struct ddb_diag diag = {.arena = a};
    if (json_parse(a, text, &v, NULL) != ERR_OK || ddb_item_from_json(&diag, v, &item) != ERR_OK)
        return;
    if (ddb_item_encode(a, item, ddb_item_size(item), &raw) != ERR_OK)
        return;
    buf_init_arena(&x, a, 1 << 24);
    buf_init_arena(&y, a, 1 << 24);
    assert(ddb_item_decode(a, raw, &back) == ERR_OK);
    assert(ddb_av_equal(item, back));
    ddb_item_put_json(&x, item);
    assert(ddb_item_raw_put_json(&y, raw) == ERR_OK);
    assert(str_eq(buf_str(&x), buf_str(&y)));
}

static void as_record(struct arena *a, struct str raw)
{
    struct ddb_av *item;
    struct buf b;
    size_t size;
    buf_init_arena(&b, a, 1 << 24);
    if (ddb_item_raw_put_json(&b, raw) != ERR_OK || ddb_item_raw_size(raw, &size) != ERR_OK ||
        ddb_item_find(a, raw, STR("a"), &item) != ERR_OK ||
        ddb_item_decode(a, raw, &item) != ERR_OK)
        return;
}

static void as_number(struct str text)
{
    struct ddb_num num, again;
    char out[DDB_NUM_TEXT_MAX];
    uint8_t key[DDB_NUM_KEY_MAX];
    if (ddb_num_parse(text, &num) != DDB_NUM_OK)
        return;
    assert(ddb_num_parse(ddb_num_text(&num, out), &again) == DDB_NUM_OK);
    assert(ddb_num_cmp(&num, &again) == 0);
    assert(ddb_num_key(&num, key) <= sizeof(key));
    if (ddb_num_is_plain(text))
        assert(str_eq(ddb_num_text(&num, out), text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct str text = str_n((const char *)data, size);
    arena_init(&a, 64 * 1024 * 1024);
    as_json(&a, text);
    as_record(&a, text);
    as_number(text);
    arena_release(&a);
    return 0;
}
