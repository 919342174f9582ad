/* What pace.h says. Layer: deliver. Thread: pure. */
#include "deliver/pace.h"

#include <assert.h>

#include "base/mem.h"

struct pace *pace_new(size_t n)
{
    assert(n >= 1 && n <= PACE_MAX);
    struct pace *p = mem_calloc(1, sizeof(*p) + n * sizeof(p->taken_ms[0]));
    if (!p)
        return NULL;
    p->n = n;
    for (size_t i = 0; i < n; i++)
        p->taken_ms[i] = INT64_MIN / 2;
    return p;
}

int64_t pace_take(struct pace *p, int64_t now_ms, bool again)
{
    int64_t step_us = PACE_SECOND_MS * INT64_C(1000) / (int64_t)p->n;
    int64_t now_us = now_ms * 1000, free_ms = p->taken_ms[p->oldest] + PACE_SECOND_MS;
    if (free_ms <= now_ms && (again || p->turn_us <= now_us)) {
        p->taken_ms[p->oldest] = now_ms;
        p->oldest = (p->oldest + 1) % p->n;
        return 0;
    }
    /* One whose turn it is keeps it though the one before was late: timers are not exact. */
    if (again && free_ms > now_ms && (free_ms - now_ms) * 4000 <= step_us)
        return free_ms - now_ms;
    int64_t turn_us = max_i64(p->turn_us + step_us, max_i64(free_ms, now_ms) * 1000);
    if (turn_us >= now_us + PACE_TURN_MAX_MS * INT64_C(1000))
        return PACE_TURN_MAX_MS;
    p->turn_us = turn_us;
    return max_i64((turn_us - now_us + 999) / 1000, 1);
}

bool pace_idle(const struct pace *p, int64_t now_ms)
{
    size_t latest = (p->oldest + p->n - 1) % p->n;
    return p->taken_ms[latest] + PACE_SECOND_MS <= now_ms && p->turn_us <= now_ms * 1000;
}

static void forget_idle(struct map *paces, int64_t now_ms)
{
    struct str key, idle[32];
    void *value;
    size_t it = 0, n = 0;
    while (n < ARRAY_LEN(idle) && map_next(paces, &it, &key, &value))
        if (pace_idle(value, now_ms))
            idle[n++] = key;
    for (size_t i = 0; i < n; i++)
        mem_free(map_del(paces, idle[i]));
}

int64_t paces_take(struct map *paces, struct str name, size_t per_second, int64_t now_ms,
                   bool again)
{
    void *old = NULL;
    struct pace *p = map_get(paces, name);
    if (p && p->n == per_second)
        return pace_take(p, now_ms, again);
    if (!p && paces->n >= PACES_MAX)
        forget_idle(paces, now_ms);
    bool full = !p && paces->n >= PACES_MAX;
    p = full ? NULL : pace_new(per_second);
    if (!p || map_put(paces, name, p, &old) != ERR_OK) {
        mem_free(p);
        return PACE_SECOND_MS;
    }
    mem_free(old);
    return pace_take(p, now_ms, again);
}

void paces_release(struct map *paces)
{
    struct str key;
    void *value;
    size_t it = 0;
    while (map_next(paces, &it, &key, &value))
        mem_free(value);
    map_release(paces);
}
