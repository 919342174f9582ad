#include "main/hold.h"

#include <stdatomic.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sys.h"
#include "core/web.h"
#include "kv/drv_rocksdb/kv_rocksdb.h"
#include "sandbox/sandbox.h"

enum { BEAT_MS = 1000, PATH_BYTES = 4096, LINE_BYTES = KV_ROCKSDB_WHY_MAX + 64 };

/* One a process. */
struct hold {
    struct core *core;
    const char *token;
    char dir[PATH_BYTES];
    _Atomic bool busy;
    struct http_req *req; /* NULL: the client went */
    struct io_loop *loop;
    struct io_timer beat;
    struct io_work work;
    bool working; /* on the checkpoint */
    bool over;    /* nobody needs it any more */
    enum err err;
    char why[KV_ROCKSDB_WHY_MAX];
};

static struct hold hold;

static void remove_folder(const char *dir)
{
    if (sandbox_remove_tree(dir) != ERR_OK)
        log_warn("main", "cannot remove %s", dir);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void removing(struct io_work *w)
{
    remove_folder(CONTAINER_OF(w, struct hold, work)->dir);
}

static void let_go(struct hold *h)
{
    atomic_store(&h->core->held_since_ms, CORE_HELD_NEVER);
    atomic_store(&h->busy, false);
}

static void removed(struct io_work *w)
{
    let_go(CONTAINER_OF(w, struct hold, work));
}

static void finish(struct hold *h)
{
    h->work.work = removing;
    h->work.done = removed;
    if (io_work_start(h->loop, &h->work) != ERR_OK)
        let_go(h); /* the next one removes it */
}

/* The request's arena goes: the reply ended, or the connection did. */
static void gone(void *arg)
{
    struct hold *h = arg;
    h->req = NULL;
    h->over = true;
    io_timer_stop(&h->beat);
    if (!h->working)
        finish(h);
}

/* --- the checkpoint --------------------------------------------------------------------------- */

static void making(struct io_work *w)
{
    struct hold *h = CONTAINER_OF(w, struct hold, work);
    char db[PATH_BYTES + 8];
    snprintf(db, sizeof(db), "%s/db", h->dir);
    remove_folder(h->dir);
    h->err = sys.mkdir(h->dir, 0700) == 0 ? ERR_OK : ERR_IO;
    snprintf(h->why, sizeof(h->why), "cannot make %.200s", h->dir);
    if (!h->err)
        h->err = kv_rocksdb_checkpoint(h->core->kv, db, h->why, sizeof(h->why));
}

/* Ends the reply; what follows comes with its arena's end. */
static void end(struct hold *h, const char *line)
{
    struct http_req *req = h->req;
    h->req = NULL;
    io_timer_stop(&h->beat);
    (void)http_reply_write(req, line, strlen(line));
    http_reply_end(req);
}

static void beat(struct io_timer *timer)
{
    struct hold *h = timer->arg;
    if (!h->req)
        return;
    if (h->core->stopping || io_timer_start(&h->beat, BEAT_MS) != ERR_OK)
        end(h, "failed: the server stops\n");
    else
        (void)http_reply_write(h->req, ".\n", 2);
}

static void made(struct io_work *w)
{
    struct hold *h = CONTAINER_OF(w, struct hold, work);
    char line[LINE_BYTES];
    h->working = false;
    snprintf(line, sizeof(line), "failed: %s\n", h->why);
    if (!h->req && h->over)
        finish(h);
    else if (h->req && h->err)
        end(h, line);
    else if (h->req)
        (void)http_reply_write(h->req, "ready\n", 6);
}

/* --- the request ------------------------------------------------------------------------------ */

static void begin(struct hold *h, struct http_req *req)
{
    static const struct http_header text = {STR_INIT("Content-Type"), STR_INIT("text/plain")};
    h->req = req;
    h->loop = req->loop;
    h->working = h->over = false;
    /* Before the checkpoint, so that nothing goes that it refers to. */
    atomic_store(&h->core->held_since_ms, clock_now_ms());
    io_timer_init(&h->beat, req->loop, beat, h);
    if (arena_on_release(req->arena, gone, h) != ERR_OK) {
        let_go(h);
        http_reply(req, 503, NULL, 0, STR_NONE);
        return;
    }
    h->work.work = making;
    h->work.done = made;
    h->working = io_work_start(h->loop, &h->work) == ERR_OK;
    if (!h->working || io_timer_start(&h->beat, BEAT_MS) != ERR_OK) {
        h->req = NULL;
        http_reply(req, 503, NULL, 0, STR_NONE);
        return;
    }
    log_info("main", "a backup begins");
    http_reply_start(req, 200, &text, 1, -1);
}

static void serve(void *arg, struct http_req *req)
{
    struct hold *h = arg;
    req->user = NULL;
    if (!str_eq(req->method, STR("POST")))
        http_reply(req, 405, NULL, 0, STR_NONE);
    else if (!web_has_token(req, str_c(h->token)))
        http_reply(req, 403, NULL, 0, STR_NONE);
    else if (h->core->stopping)
        http_reply(req, 503, NULL, 0, STR_NONE);
    else if (atomic_exchange(&h->busy, true))
        http_reply(req, 409, NULL, 0, STR_NONE);
    else
        begin(h, req);
}

void hold_route(struct core *core, const char *token)
{
    struct hold *h = &hold;
    h->core = core;
    h->token = token;
    if (snprintf(h->dir, sizeof(h->dir), STR_FMT "/" HOLD_FOLDER, STR_ARG(core->cfg.data_dir)) >=
        (int)sizeof(h->dir))
        return; /* a path that the store would not open under either */
    remove_folder(h->dir);
    core_add_route(core, HOLD_PATH, serve, h);
}
