/* Event patterns: the first line is a pattern, the rest an event. What parses must match or not
 * without complaint, alone and beside itself. */
// link: weir_lang
#include <assert.h>
#include <stdint.h>

#include "lang/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void match(struct arena *a, struct pattern *p, struct str text)
{
    struct pattern *two[] = {p, p};
    struct pattern_set *set;
    struct json *event;
    const uint32_t *ids;
    size_t n;
    if (json_parse(a, text, &event, NULL) != ERR_OK)
        return;
    if (pattern_set_new(a, two, 2, &set) != ERR_OK)
        return;
    enum err e = pattern_set_match(set, event, a, &ids, &n);
    assert(e == ERR_OK || e == ERR_NOMEM || e == ERR_LIMIT);
    if (e == ERR_OK)
        assert(n == 0 || (n == 2 && ids[0] == 0 && ids[1] == 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct str rest = str_n((const char *)data, size);
    struct str text = str_cut(&rest, '\n');
    for (int d = PATTERN_EVENTS; d <= PATTERN_SNS_BODY; d++) {
        struct arena a;
        struct pattern *p;
        struct str message = STR_NONE;
        arena_init(&a, 16 << 20);
        enum err e = pattern_parse(&a, text, (enum pattern_dialect)d, &p, &message);
        if (e == ERR_OK)
            match(&a, p, rest);
        else
            assert(e == ERR_NOMEM || str_is_set(message));
        arena_release(&a);
    }
    return 0;
}
