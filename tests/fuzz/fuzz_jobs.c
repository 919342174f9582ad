// link: weir_async_jobs
/* Any bytes as a job of each kind, as a record of a stream, and as a document about a batch that was
 * given up. */
#include <assert.h>
#include <stdint.h>

#include "event.h"
#include "work.h"

enum { ARENA_BYTES = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void work(struct arena *a, struct str kind, struct str input)
{
    struct work_result r;
    struct str reason = STR_NONE;
    enum err err = work_run(a, kind, input, &r, &reason);
    assert(err == ERR_OK || (err == ERR_INVALID && reason.len));
    if (err == ERR_OK)
        assert(r.values[0].value >= 0 && (uint64_t)r.values[0].value <= input.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct json *doc = NULL;
    struct change change;
    struct given_up given_up;
    struct str text = str_n((const char *)data, size);
    arena_init(&a, ARENA_BYTES);
    work(&a, WORK_WORDS, text);
    work(&a, WORK_SUM, text);
    work(&a, text, text);
    if (json_parse(&a, text, &doc, NULL) == ERR_OK && change_read(doc, &change) == ERR_OK)
        assert(change.sequence.len && change.id.len);
    if (given_up_read(&a, text, &given_up) == ERR_OK)
        assert(given_up.first.len && sequence_cmp(given_up.last, given_up.last) == 0);
    arena_release(&a);
    return 0;
}
