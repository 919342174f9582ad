/* Structured log to stderr, one line a record in logfmt:
 *   ts=2026-11-21T10:47:52.123Z level=info area=sqs msg="queue created" name=orders
 * Only main, core and deliver log; the layers below return errors (STYLE 14).
 * Thread: any; a record is one write(2). */
#ifndef WEIR_BASE_LOG_H
#define WEIR_BASE_LOG_H

#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Records below `level` are dropped. Default LOG_INFO. */
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);
/* "debug", "info", "warn", "error"; ERR_INVALID otherwise. */
enum err log_level_parse(struct str s, enum log_level *ret_level) WARN_UNUSED;

/* `area` is the folder or service; `fmt` makes the message. Lines are cut at LOG_LINE_MAX. */
void log_write(enum log_level level, const char *area, const char *fmt, ...) PRINTF_LIKE(3, 4);
enum { LOG_LINE_MAX = 4096 };

#define log_debug(area, ...)                                                                       \
    do {                                                                                           \
        if (log_enabled(LOG_DEBUG))                                                                \
            log_write(LOG_DEBUG, area, __VA_ARGS__);                                               \
    } while (0)
#define log_info(area, ...) log_write(LOG_INFO, area, __VA_ARGS__)
#define log_warn(area, ...) log_write(LOG_WARN, area, __VA_ARGS__)
#define log_error(area, ...) log_write(LOG_ERROR, area, __VA_ARGS__)

#endif
