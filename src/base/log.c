#include "base/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

static _Atomic int threshold = LOG_INFO;
static const char *const names[] = {"debug", "info", "warn", "error"};

void log_set_level(enum log_level level)
{
    atomic_store(&threshold, (int)level);
}

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&threshold, memory_order_relaxed);
}

enum err log_level_parse(struct str s, enum log_level *ret_level)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_eq_c(s, names[i])) {
            *ret_level = (enum log_level)i;
            return ERR_OK;
        }
    }
    return ERR_INVALID;
}

void log_write(enum log_level level, const char *area, const char *fmt, ...)
{
    if (!log_enabled(level))
        return;
    char msg[LOG_LINE_MAX / 2];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof(msg), fmt, ap);
    va_end(ap);

    char ts[CLOCK_TEXT_MAX];
    clock_iso8601_ms(ts, clock_wall_ms());
    char line[LOG_LINE_MAX];
    int head =
        snprintf(line, sizeof(line), "ts=%s level=%s area=%s msg=\"", ts, names[level], area);
    size_t n = head > 0 ? (size_t)head : 0;
    /* What came from outside must not forge a second line or break out of the quotes. */
    for (const char *p = msg; *p && n < sizeof(line) - 8; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\')
            line[n++] = '\\';
        if (c == '\n' || c == '\r' || c == '\t')
            line[n++] = ' ';
        else if (c < 0x20 || c == 0x7f)
            line[n++] = '?';
        else
            line[n++] = (char)c;
    }
    line[n++] = '"';
    line[n++] = '\n';
    ssize_t w = write(STDERR_FILENO, line, n);
    (void)w; /* nowhere left to report to */
}
