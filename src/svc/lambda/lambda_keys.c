/* Key layouts of the Lambda service; nobody else builds its keys. Space KEY_LAMBDA.
 *
 *   01 text account, text region, text name -> function record (lambda_record.c)
 *   02 text account, text region, text name -> policy record
 *   03 text account, text region, text uuid -> event source mapping record
 *   40+table text account, text region      -> guard of the set: u8 version, varint counter
 *
 * Layer: svc. Thread: pure. */
#include "kv/key.h"
#include "svc/lambda/lambda_int.h"

enum { GUARD_OFFSET = 0x40 };

void lambda_key_put(struct buf *b, uint8_t table, struct str account, struct str region,
                    struct str last)
{
    key_start(b, KEY_LAMBDA, table);
    if (str_is_set(account)) {
        key_text(b, account);
        if (str_is_set(region))
            key_text(b, region);
        if (str_is_set(last))
            key_text(b, last);
    }
}

static struct str build(struct arena *a, uint8_t table, struct str account, struct str region,
                        struct str last)
{
    struct buf b;
    buf_init_arena(&b, a, LAMBDA_KEY_MAX);
    lambda_key_put(&b, table, account, region, last);
    return buf_err(&b) == ERR_OK ? buf_str(&b) : STR_NONE;
}

struct str lambda_key(struct arena *a, enum lambda_table table, struct str account,
                      struct str region, struct str last)
{
    return build(a, (uint8_t)table, account, region, last);
}

struct str lambda_guard_key(struct arena *a, enum lambda_table table, struct str account,
                            struct str region)
{
    return build(a, (uint8_t)(GUARD_OFFSET + table), account, region, STR_NONE);
}
