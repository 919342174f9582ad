// link: weir_scheduled_summary
/* Any bytes as the body of a request: a car that comes back from its item as it was, or a sentence. As an
 * item they are counted, as an event they are a request or none. */
#include <assert.h>
#include <stdint.h>

#include "car.h"
#include "rest.h"
#include "tally.h"

enum { ARENA_BYTES = 64 << 20, OUT_MAX = 4 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct arena *a, struct car *car)
{
    struct buf b;
    struct json_out o;
    struct json *item = NULL;
    if (!str_is_set(car->id))
        car->id = STR("given");
    buf_init_arena(&b, a, OUT_MAX);
    json_out_init(&o, &b);
    car_put_item(&o, car, 1764331200000);
    assert(buf_err(&b) == ERR_OK && json_parse(a, buf_str(&b), &item, NULL) == ERR_OK);
    assert(car_is_item(car, item));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct str text = str_n((const char *)data, size), why = STR_NONE;
    struct car car;
    struct tally t;
    struct rest_request request;
    struct json *item = NULL;
    arena_init(&a, ARENA_BYTES);
    enum err err = car_read(&a, text, &car, &why);
    assert(err == ERR_OK || (err == ERR_INVALID && why.len));
    if (err == ERR_OK)
        check(&a, &car);
    tally_init(&t);
    if (json_parse(&a, text, &item, NULL) == ERR_OK)
        assert(tally_add(&t, item) == ERR_OK && t.items == 1);
    tally_release(&t);
    if (rest_read(&a, text, &request) == ERR_OK)
        assert(request.method.len && request.resource.len && request.request_id.len);
    arena_release(&a);
    return 0;
}
