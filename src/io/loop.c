/* Loops: the thread, cross-thread posting, the worker pool. Timers are in timer.c.
 *
 * Posting: a mutex-guarded FIFO and one uv_async_t. Only the post that finds the FIFO empty
 * signals, and the loop takes the whole FIFO at once, so a burst costs one wake-up.
 *
 * Layer: io. */
#include "io/io_int.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

static _Thread_local struct io_loop *current;

static void process_setup(void)
{
    char size[16];
    snprintf(size, sizeof(size), "%d", IO_POOL_THREADS);
    /* libuv reads it once, when the first work is queued. */
    (void)setenv("UV_THREADPOOL_SIZE", size, 0);
    signal(SIGPIPE, SIG_IGN);
}

static void run_posted(struct io_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    struct io_task *t = loop->first;
    loop->first = loop->last = NULL;
    pthread_mutex_unlock(&loop->lock);
    while (t) {
        struct io_task *next = t->next; /* fn may post t again or free it */
        t->fn(t);
        t = next;
    }
}

static void on_async(uv_async_t *async)
{
    struct io_loop *loop = async->data;
    if (!loop->ended)
        run_posted(loop);
    if (atomic_load(&loop->stop))
        uv_stop(&loop->uv);
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct io_loop *loop = prepare->data;
    if (loop->before_wait)
        loop->before_wait(loop->before_wait_arg);
}

static void prepare_init(struct io_loop *loop)
{
    /* These only fill the handle. */
    int r = uv_prepare_init(&loop->uv, &loop->prepare);
    assert(r == 0);
    loop->prepare.data = loop;
    r = uv_prepare_start(&loop->prepare, on_prepare);
    assert(r == 0);
    (void)r;
    uv_unref((uv_handle_t *)&loop->prepare);
}

enum err io_loop_new(int index, struct io_loop **ret_loop)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, process_setup);

    struct io_loop *loop = mem_calloc(1, sizeof(*loop));
    if (!loop)
        return ERR_NOMEM;
    loop->index = index;
    heap_init(&loop->timers);
    if (uv_loop_init(&loop->uv) != 0)
        goto fail_loop;
    loop->uv.data = loop;
    if (uv_async_init(&loop->uv, &loop->async, on_async) != 0)
        goto fail_async;
    loop->async.data = loop;
    io_timers_init(loop);
    prepare_init(loop);
    if (pthread_mutex_init(&loop->lock, NULL) != 0)
        goto fail_lock;
    *ret_loop = loop;
    return ERR_OK;

fail_lock:
    uv_close((uv_handle_t *)&loop->async, NULL);
    uv_close((uv_handle_t *)&loop->timer, NULL);
    uv_close((uv_handle_t *)&loop->prepare, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
fail_async:
    (void)uv_loop_close(&loop->uv);
fail_loop:
    mem_free(loop);
    return ERR_IO;
}

void io_loop_run(struct io_loop *loop)
{
    struct io_loop *outer = current;
    current = loop;
    /* A stop that came first was signalled through `async`, which this run will see. */
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    atomic_store(&loop->stop, false);
    current = outer;
}

static void thread_main(void *arg)
{
    io_loop_run(arg);
}

enum err io_loop_start(struct io_loop *loop)
{
    assert(!loop->started);
    if (uv_thread_create(&loop->thread, thread_main, loop) != 0)
        return ERR_IO;
    loop->started = true;
    return ERR_OK;
}

void io_loop_stop(struct io_loop *loop)
{
    atomic_store(&loop->stop, true);
    uv_async_send(&loop->async);
}

/* Owners close their own handles; one that was forgotten must not keep us here for ever. */
static void close_handle(uv_handle_t *handle, void *arg)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void io_loop_join(struct io_loop *loop)
{
    if (loop->started)
        uv_thread_join(&loop->thread);
    loop->started = false;
    loop->ended = true;
    struct io_loop *outer = current;
    current = loop;
    while (loop->working > 0)
        uv_run(&loop->uv, UV_RUN_ONCE);
    current = outer;
}

void io_loop_free(struct io_loop *loop)
{
    if (!loop)
        return;
    io_loop_join(loop);
    struct io_loop *outer = current;
    current = loop;
    uv_walk(&loop->uv, close_handle, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    /* What the last callbacks opened. */
    uv_walk(&loop->uv, close_handle, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    current = outer;
    int r = uv_loop_close(&loop->uv);
    assert(r == 0);
    (void)r;
    heap_release(&loop->timers);
    pthread_mutex_destroy(&loop->lock);
    mem_free(loop);
}

uv_loop_t *io_loop_uv(struct io_loop *loop)
{
    return &loop->uv;
}

int io_loop_index(const struct io_loop *loop)
{
    return loop->index;
}

struct io_loop *io_loop_current(void)
{
    return current;
}

void io_loop_before_wait(struct io_loop *loop, void (*fn)(void *arg), void *arg)
{
    loop->before_wait = fn;
    loop->before_wait_arg = arg;
}

void io_post(struct io_loop *loop, struct io_task *task)
{
    task->next = NULL;
    pthread_mutex_lock(&loop->lock);
    bool first = loop->last == NULL;
    if (first)
        loop->first = task;
    else
        loop->last->next = task;
    loop->last = task;
    pthread_mutex_unlock(&loop->lock);
    if (first)
        uv_async_send(&loop->async);
}

static void pool_work(uv_work_t *req)
{
    struct io_work *w = CONTAINER_OF(req, struct io_work, req);
    w->work(w);
}

static void pool_done(uv_work_t *req, int status)
{
    struct io_work *w = CONTAINER_OF(req, struct io_work, req);
    assert(status == 0); /* nobody cancels */
    ((struct io_loop *)req->loop->data)->working--;
    w->done(w);
}

enum err io_work_start(struct io_loop *loop, struct io_work *w)
{
    assert(w->work && w->done);
    if (uv_queue_work(&loop->uv, &w->req, pool_work, pool_done) != 0)
        return ERR_IO;
    loop->working++;
    return ERR_OK;
}
