/* Queries of Logs Insights, and events they are tried on: the query up to the first NUL, then a message a line. */
// link: weir_lang
#include <assert.h>
#include <stdint.h>

#include "lang/insights.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EVENTS_MAX = 16, BYTES = 1 << 20 };

static void run_all(struct arena *a, struct insights_run *run, struct str rest)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < EVENTS_MAX && str_is_set(rest) && !err; i++) {
        const struct insights_event e = {.timestamp_ms = (int64_t)i * 7919,
                                         .message = str_cut(&rest, '\n'),
                                         .stream = STR("s"),
                                         .group = STR("/aws/lambda/f"),
                                         .account = STR("000000000000"),
                                         .region = STR("us-east-1"),
                                         .ref = str_n("ref", i % 4)};
        struct insights_field *v;
        size_t n;
        bool matched;
        err = insights_run_event(run, &e, &matched);
        if (insights_discover(a, &e, &v, &n) == ERR_OK)
            assert(n <= INSIGHTS_DISCOVERED_MAX);
    }
    if (err == ERR_OK)
        err = insights_run_end(run);
    for (size_t i = 0; !err && i < insights_run_rows(run); i++) {
        struct insights_field *v;
        struct str ref;
        size_t n;
        if (insights_run_row(run, i, a, &v, &n, &ref) == ERR_OK)
            for (size_t k = 0; k < n; k++)
                assert(str_is_set(v[k].name) && str_is_set(v[k].value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    const struct insights_query *q;
    struct insights_fault f;
    struct insights_run *run;
    struct str rest = str_n((const char *)data, size), text = str_cut(&rest, '\0');
    arena_init(&a, 64 << 20);
    enum err err = insights_parse(&a, text, &q, &f);
    if (err == ERR_OK && insights_run_new(q, BYTES, 1000, 1700000000000, &run) == ERR_OK) {
        run_all(&a, run, rest);
        insights_run_free(run);
    } else if (err == ERR_INVALID) {
        assert(f.message.len > 0 && f.from <= f.to && f.to <= text.len);
    }
    arena_release(&a);
    return 0;
}
