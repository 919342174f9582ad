/* Templates of input transformers: the first line is a template, the second a path, the rest an event.
 * What the check takes must be filled in without complaint, whatever the event. */
// link: weir_svc_events
#include <assert.h>
#include <stdint.h>

#include "svc/events/events_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_n((const char *)data, size);
    if (size == 0)
        return 0;
    struct str template = str_cut(&rest, '\n'), path = str_cut(&rest, '\n');
    struct events_path paths[] = {{STR("a"), path}};
    struct events_target_rec target = {.template = template, .paths = paths, .n_paths = 1};
    const struct events_input_for f = {&target, STR("arn"), STR("name"), 0};
    const char *why = NULL;
    struct json *event;
    struct str payload;
    struct arena a;
    arena_init(&a, 64 << 20);
    enum err err = events_template_check(&a, template, &why);
    assert(err == ERR_OK || err == ERR_NOMEM || (err == ERR_INVALID && why) || err == ERR_LIMIT);
    if (err == ERR_OK && json_parse(&a, rest, &event, NULL) == ERR_OK) {
        err = events_input_make(&a, &f, rest, event, &payload);
        assert(err == ERR_OK || err == ERR_NOMEM || err == ERR_LIMIT);
        assert(err != ERR_OK || str_is_set(payload));
    }
    arena_release(&a);
    return 0;
}
