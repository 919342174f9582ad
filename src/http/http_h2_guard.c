/* What a peer may cost that does no work. Frames that make the server work, or answer, and lead to no
 * reply cost patience; replies that went out and bytes of bodies earn it back, and so does time. That
 * is one measure against rapid resets, floods of PING, SETTINGS, PRIORITY and empty DATA, windows opened
 * byte by byte, and whatever comes next; no client that does anything useful comes near its end.
 *
 * Layer: http; pure. */
#include "http/http_h2_int.h"

void http_h2_guard_init(struct http_h2_guard *g, int64_t now_ms)
{
    *g = (struct http_h2_guard){.patience = HTTP_H2_PATIENCE_MAX, .last_ms = now_ms};
}

void http_h2_guard_earn(struct http_h2_guard *g, int n)
{
    g->patience = min_i64(g->patience + n, HTTP_H2_PATIENCE_MAX);
}

void http_h2_guard_bytes(struct http_h2_guard *g, size_t n)
{
    g->bytes += n;
    http_h2_guard_earn(g, (int)min_size(g->bytes / HTTP_H2_EARN_BYTES, HTTP_H2_PATIENCE_MAX));
    g->bytes %= HTTP_H2_EARN_BYTES;
}

bool http_h2_guard_spend(struct http_h2_guard *g, int64_t now_ms, int cost)
{
    int64_t earned = min_i64(now_ms - g->last_ms, 60000) * HTTP_H2_PATIENCE_PER_S / 1000;
    if (earned > 0) {
        g->last_ms = now_ms;
        http_h2_guard_earn(g, (int)earned);
    }
    g->patience -= cost;
    return g->patience >= 0;
}
