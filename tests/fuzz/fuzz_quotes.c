// link: weir_quote_elt
/* Any bytes as the quotes API's document: it is refused with a sentence, or each of its quotes comes back
 * from its item as it was. As limits and as an event they are refused or taken. */
#include <assert.h>
#include <stdint.h>

#include "quote.h"
#include "stats.h"

enum { ARENA_BYTES = 64 << 20, OUT_MAX = 4 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct arena *a, const struct quote *q, size_t nth)
{
    struct buf b;
    struct json_out o;
    struct json *item = NULL;
    struct quote back;
    struct str at;
    buf_init_arena(&b, a, OUT_MAX);
    json_out_init(&o, &b);
    quote_put_item(&o, q, nth, 1764331200000);
    assert(buf_err(&b) == ERR_OK && json_parse(a, buf_str(&b), &item, NULL) == ERR_OK);
    assert(quote_of_item(item, &back, &at) == ERR_OK &&
           at.len == sizeof "2025-11-28T12:00:00.000Z" - 1);
    assert(str_eq(q->id, back.id) && str_eq(q->text, back.text) && str_eq(q->author, back.author));
    assert(str_eq(q->author_slug, back.author_slug) && str_eq(q->added_on, back.added_on));
    assert(str_eq(q->modified_on, back.modified_on) && q->length == back.length);
    assert(q->n_tags == back.n_tags);
    for (size_t i = 0; i < q->n_tags; i++)
        assert(str_eq(q->tags[i], back.tags[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct str text = str_n((const char *)data, size), why = STR_NONE;
    struct quote *quotes = NULL, odd;
    struct limit limits[LIMITS_MAX];
    struct json *event = NULL;
    char date[QUOTES_DATE_LEN + 1];
    int64_t at;
    size_t n = 0;
    arena_init(&a, ARENA_BYTES);
    enum err err = quotes_read(&a, text, &quotes, &n, &why);
    assert(err == ERR_OK || (err == ERR_INVALID && why.len));
    for (size_t i = 0; err == ERR_OK && i < n; i++)
        check(&a, &quotes[i], i);
    err = limits_read(&a, text, limits, &n, &why);
    assert(err == ERR_OK || (err == ERR_INVALID && why.len));
    if (json_parse(&a, text, &event, NULL) == ERR_OK) {
        (void)!event_time(event, 0, &at);
        if (event_date(event, 0, date) == ERR_OK)
            assert(strlen(date) == QUOTES_DATE_LEN);
        (void)!quote_of_item(event, &odd, &why);
    }
    arena_release(&a);
    return 0;
}
