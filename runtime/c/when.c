/* See when.h. Layer: runtime/c. Pure. */
#include "when.h"

#include "base/clock.h"

enum err event_time(const struct json *event, int64_t now_ms, int64_t *ret_at_ms)
{
    const struct json *time = json_get(event, STR("time"));
    if (!time) {
        *ret_at_ms = now_ms;
        return ERR_OK;
    }
    return time->kind == JSON_STRING ? clock_parse_iso8601(time->text, ret_at_ms) : ERR_INVALID;
}
