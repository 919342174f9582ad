/* One-shot timers: a heap per loop in front of one uv_timer_t.
 *
 * Stopping a timer, or moving it later, leaves the uv_timer_t as it is: it then fires for nothing
 * and is set again. That keeps re-arming, which connections do all the time, free of libuv's heap.
 *
 * Layer: io. Thread: the loop's. */
#include "io/io_int.h"

#include <assert.h>

#include "base/clock.h"

static int64_t now_ms(void)
{
    return clock_mono_ns() / 1000000;
}

static void on_timer(uv_timer_t *handle);

/* Makes the uv_timer_t fire no later than the heap's first entry. */
static void arm(struct io_loop *loop)
{
    const struct heap_node *first = heap_peek(&loop->timers);
    if (!first || first->key >= loop->armed_ms)
        return;
    /* libuv counts from the loop's cached time, which may lag by what this callback took. */
    uv_update_time(&loop->uv);
    int64_t delay = max_i64(first->key - now_ms(), 0);
    loop->armed_ms = first->key;
    int r = uv_timer_start(&loop->timer, on_timer, (uint64_t)delay, 0);
    assert(r == 0);
    (void)r;
}

static void on_timer(uv_timer_t *handle)
{
    struct io_loop *loop = handle->data;
    if (loop->ended)
        return;
    int64_t now = now_ms();
    uint64_t before = loop->timer_seq;
    /* A timer that its own fn starts again with delay 0 waits for the next round. */
    for (;;) {
        struct heap_node *node = heap_peek(&loop->timers);
        if (!node || node->key > now || node->tie >= before)
            break;
        heap_remove(&loop->timers, node);
        struct io_timer *t = CONTAINER_OF(node, struct io_timer, node);
        t->fn(t);
    }
    loop->armed_ms = INT64_MAX;
    arm(loop);
}

void io_timers_init(struct io_loop *loop)
{
    int r = uv_timer_init(&loop->uv, &loop->timer);
    assert(r == 0);
    (void)r;
    loop->timer.data = loop;
    loop->armed_ms = INT64_MAX;
}

void io_timer_init(struct io_timer *t, struct io_loop *loop, void (*fn)(struct io_timer *),
                   void *arg)
{
    *t = (struct io_timer){.fn = fn, .arg = arg, .loop = loop};
}

enum err io_timer_start(struct io_timer *t, int64_t delay_ms)
{
    assert(delay_ms >= 0);
    struct io_loop *loop = t->loop;
    int64_t now = now_ms();
    /* One more, because `now` is rounded down and a timer must not be early. */
    int64_t due =
        delay_ms == 0 ? now : (delay_ms < INT64_MAX - now - 1 ? now + delay_ms + 1 : INT64_MAX - 1);
    heap_remove(&loop->timers, &t->node);
    t->node.key = due;
    t->node.tie = loop->timer_seq++;
    TRY(heap_push(&loop->timers, &t->node));
    arm(loop);
    return ERR_OK;
}

void io_timer_stop(struct io_timer *t)
{
    heap_remove(&t->loop->timers, &t->node);
}
