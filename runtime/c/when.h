/* When an event of EventBridge or of the scheduler is of: {"time":"2026-11-28T12:34:00Z"}.
 *
 * Layer: runtime/c (includes codec). Pure. */
#ifndef WEIR_RUNTIME_WHEN_H
#define WEIR_RUNTIME_WHEN_H

#include "codec/json.h"

/* Its moment, in milliseconds since the epoch; an event that says none is of now. ERR_INVALID: its `time` is no
 * time. */
enum err event_time(const struct json *event, int64_t now_ms, int64_t *ret_at_ms) WARN_UNUSED;

#endif
