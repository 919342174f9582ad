/* Files of items. The first byte says the delimiter (0: lines of JSON) and where the text is cut: rows found in pieces are
 * the rows of the whole, each goes on behind the last, and what becomes of one is an item or a reason. */
// link: weir_svc_dynamodb
#include <assert.h>
#include <stdint.h>

#include "svc/dynamodb/ddb_rows.h"

enum { ARENA_BYTES = 64 << 20, ROWS_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ddb_attribute_def DEFS[] = {
    {STR_INIT("id"), DDB_S}, {STR_INIT("n"), DDB_N}, {STR_INIT("b"), DDB_B}};
static const struct ddb_table TABLE = {.defs = DEFS, .n_defs = ARRAY_LEN(DEFS)};

static void check_row(struct str row, char delimiter, struct ddb_columns *names, struct arena *a)
{
    struct arena one;
    struct ddb_columns fields;
    struct ddb_av *item;
    arena_init(&one, ARENA_BYTES);
    struct ddb_diag diag = {.arena = &one};
    enum err err = ERR_OK;
    if (!delimiter) {
        err = ddb_row_json(&diag, row, &item);
    } else if (names->n == 0) {
        assert(ddb_csv_fields(a, row, delimiter, names) == ERR_OK || names->n == 0);
        arena_release(&one);
        return;
    } else {
        assert(ddb_csv_fields(&one, row, delimiter, &fields) !=
               ERR_INVALID); /* it was found as a row */
        err = ddb_row_csv(&diag, &TABLE, names, row, delimiter, &item);
    }
    assert(err == ERR_OK || err == ERR_INVALID || err == ERR_CORRUPT);
    if (err == ERR_OK)
        assert(item->type == DDB_M);
    else
        assert(str_is_set(diag.msg));
    arena_release(&one);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char delimiters[] = {0, ',', ';', ':', '|', '\t', ' '};
    struct arena a;
    struct ddb_columns names = {0};
    struct str row, again;
    size_t len, again_len;
    if (size < 2)
        return 0;
    char delimiter = delimiters[data[0] % sizeof(delimiters)];
    struct str text = str_n((const char *)data + 2, size - 2);
    size_t cut = text.len ? data[1] % (text.len + 1) : 0;
    arena_init(&a, ARENA_BYTES);
    for (int i = 0; i < ROWS_MAX; i++) {
        enum err err = ddb_row_next(text, delimiter, true, &row, &len);
        struct str part = str_sub(text, 0, cut < text.len ? cut : text.len);
        if (ddb_row_next(part, delimiter, false, &again, &again_len) == ERR_OK)
            assert(err == ERR_OK && again_len == len && str_eq(row, again));
        if (err)
            break;
        assert(len > 0 && row.len <= len && row.p == text.p);
        check_row(row, delimiter, &names, &a);
        text = str_sub(text, len, SIZE_MAX);
    }
    arena_release(&a);
    return 0;
}
