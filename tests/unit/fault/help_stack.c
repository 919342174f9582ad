#include "help_stack.h"

#include <assert.h>
#include <errno.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/percent.h"

enum { BODY_MAX = 4 * 1024 * 1024, POLLS_MAX = 200000 };

void stack_call(struct world *w, struct reply *ret, const char *action, ...)
{
    struct arena a;
    struct buf b;
    va_list args;
    arena_init(&a, 4 * BODY_MAX);
    buf_init_arena(&b, &a, BODY_MAX);
    buf_add_fmt(&b, "Version=2010-05-15&Action=%s", action);
    va_start(args, action);
    for (const char *name; (name = va_arg(args, const char *));) {
        buf_add_fmt(&b, "&%s=", name);
        buf_add_str(&b, percent_encode(&a, str_c(va_arg(args, const char *)), false));
    }
    va_end(args);
    buf_add_byte(&b, '\0');
    assert(buf_err(&b) == ERR_OK);
    struct request req = {
        .service = "cloudformation",
        .type = "application/x-www-form-urlencoded",
        .body = buf_str(&b).p,
    };
    world_call(w, &req, ret);
    arena_release(&a);
}

const char *reply_text(const struct reply *reply, const char *mark)
{
    static char text[2048];
    const char *at = strstr(reply->body, mark);
    text[0] = '\0';
    if (at) {
        at += strlen(mark);
        snprintf(text, sizeof(text), "%.*s", (int)strcspn(at, "<"), at);
    }
    return text;
}

const char *stack_settled(struct world *w, struct reply *reply, const char *stack)
{
    for (int i = 0; i < POLLS_MAX; i++) {
        stack_call(w, reply, "DescribeStacks", "StackName", stack, NULL);
        const char *status = reply_text(reply, "<StackStatus>");
        size_t len = strlen(status), end = strlen("_IN_PROGRESS");
        if (len < end || strcmp(status + len - end, "_IN_PROGRESS") != 0)
            return status;
        deliver_wake(w->core.deliver);
    }
    fprintf(stderr, "%s does not end: %s\n", stack, reply->body);
    abort();
}

/* --- the store ---------------------------------------------------------------------------------- */

/* A scan on the loop, whose the store is. */
struct looking {
    struct io_task task;
    struct world *w;
    struct buf *out; /* NULL: only counted */
    uint8_t space;
    const int *but; /* of world_keys; NULL: none */
    size_t n;
    sem_t done;
};

static void put_key(struct buf *out, struct str key)
{
    for (size_t i = 0; i < key.len; i++) {
        unsigned char c = (unsigned char)key.p[i];
        if (c > ' ' && c < 127)
            buf_add_byte(out, (char)c);
        else
            buf_add_fmt(out, "~%02x", c);
    }
    buf_add_byte(out, '\n');
}

static bool is_of(struct str key, const int *tables)
{
    for (; tables && *tables; tables++)
        if (key.len > 1 && *tables == 256 * (uint8_t)key.p[0] + (uint8_t)key.p[1])
            return true;
    return false;
}

static void look(struct io_task *task)
{
    struct looking *l = CONTAINER_OF(task, struct looking, task);
    char from = (char)l->space, to = (char)(l->space + 1);
    struct kv_txn *txn;
    struct kv_iter *it;
    struct str key, value;
    assert(kv_begin(l->w->core.kv, &txn) == ERR_OK);
    assert(kv_scan(txn, str_n(&from, 1), str_n(&to, 1), false, &it) == ERR_OK);
    while (kv_next(it, &key, &value) == ERR_OK) {
        l->n++;
        if (l->out && !is_of(key, l->but))
            put_key(l->out, key);
    }
    kv_iter_close(it);
    kv_rollback(txn);
    sem_post(&l->done);
}

static size_t look_at(struct world *w, int space, struct buf *out, const int *but)
{
    struct looking l = {.w = w, .space = (uint8_t)space, .out = out, .but = but};
    l.task.fn = look;
    sem_init(&l.done, 0, 0);
    io_post(w->loop, &l.task);
    while (sem_wait(&l.done) < 0)
        assert(errno == EINTR);
    sem_destroy(&l.done);
    return l.n;
}

size_t world_keys_of(struct world *w, int space)
{
    return look_at(w, space, NULL, NULL);
}

struct str world_keys(struct world *w, struct arena *a, const int *spaces, const int *but)
{
    struct buf b;
    buf_init_arena(&b, a, BODY_MAX);
    for (; *spaces; spaces++)
        look_at(w, *spaces, &b, but);
    assert(buf_err(&b) == ERR_OK);
    return buf_str(&b);
}
