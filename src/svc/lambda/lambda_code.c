/* Packages of functions and layers: <data>/lambda/code/<id>.zip and <id>/ unpacked, where id is the SHA-256 in
 * hex and eight random characters, so that no two uploads ever share folders and removal needs no locks. What
 * a function sees of several layers is such a folder, too, without a zip: its files are second names
 * of the layers'.
 *
 * Invariants
 *   LC1  A package is complete and synced before the commit that names it.
 *   LC2  A package that no durable function or layer names is removed: when its last user is done
 *        (lambda_code_unref of a retired one), when its upload fails, or at the next start
 *        (lambda_code_collect).
 *   LC3  None is removed during a backup, which may refer to it: what would be waits for its end in
 *        lambda->removals, of the home loop.
 *
 * Layer: svc. Thread: lambda_upload_run on the call's loop with the work on the pool;
 * lambda_code_unref any. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/sys.h"
#include "codec/base64.h"
#include "codec/hash.h"
#include "codec/hex.h"
#include "svc/lambda/lambda_int.h"

enum {
    PATH_BYTES_MAX = 4096,
    ID_RANDOM_LEN = 8,
    ID_LEN = 2 * HASH_SHA256_LEN + 1 + ID_RANDOM_LEN,
    UPLOAD_TIMEOUT_MS = 5 * 60 * 1000,
    URL_VALID_S = 10 * 60,
    URL_CHUNK = 64 * 1024,
};

#define CODE_ROUTE "/_weir/lambda/code/"

/* --- shared use ------------------------------------------------------------------------------- */

static void code_free(struct lambda_code *c)
{
    mem_free(c->dir);
    mem_free(c->id);
    mem_free(c);
}

static struct lambda_code *code_new(struct lambda *l, struct str id)
{
    char path[PATH_BYTES_MAX];
    struct lambda_code *c = mem_calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    int n = snprintf(path, sizeof(path), STR_FMT "/lambda/code/" STR_FMT,
                     STR_ARG(l->core->cfg.data_dir), STR_ARG(id));
    if (n < 0 || (size_t)n >= sizeof(path))
        goto fail;
    c->dir = mem_alloc((size_t)n + 1);
    c->id = mem_alloc(id.len + 1);
    if (!c->dir || !c->id)
        goto fail;
    memcpy(c->dir, path, (size_t)n + 1);
    memcpy(c->id, id.p, id.len);
    c->id[id.len] = 0;
    c->l = l;
    return c;
fail:
    code_free(c);
    return NULL;
}

struct lambda_code *lambda_code_take(struct lambda *l, struct str id)
{
    pthread_mutex_lock(&l->codes_lock);
    struct lambda_code *c = map_get(&l->codes, id);
    if (!c) {
        c = code_new(l, id);
        if (c && map_put(&l->codes, id, c, NULL) != ERR_OK) {
            code_free(c);
            c = NULL;
        }
    }
    if (c)
        c->refs++;
    pthread_mutex_unlock(&l->codes_lock);
    return c;
}

static void name_one(struct lambda_code *c, bool durable)
{
    pthread_mutex_lock(&c->l->codes_lock);
    assert(c->refs > 0);
    c->names++;
    c->known = c->known || durable;
    c->retired = false;
    pthread_mutex_unlock(&c->l->codes_lock);
}

void lambda_code_name(struct lambda_code *c)
{
    name_one(c, true);
}

void lambda_code_unname(struct lambda_code *c)
{
    pthread_mutex_lock(&c->l->codes_lock);
    assert(c->refs > 0 && c->names > 0);
    c->retired = --c->names == 0 && c->known;
    pthread_mutex_unlock(&c->l->codes_lock);
}

static void let_go(void *arg)
{
    lambda_code_unname(arg);
    lambda_code_unref(arg);
}

enum err lambda_code_hold(struct lambda *l, struct arena *a, struct str id)
{
    struct lambda_code *c = lambda_code_take(l, id);
    if (!c)
        return ERR_NOMEM;
    name_one(c, false);
    enum err err = arena_on_release(a, let_go, c);
    if (err != ERR_OK)
        let_go(c);
    return err;
}

/* --- removal ---------------------------------------------------------------------------------- */

enum { REMOVE_AGAIN_MS = 1000 };

struct removal {
    struct io_task task;
    struct io_work work;
    struct list link; /* of lambda->removals while it waits */
    struct lambda *l;
    char dir[PATH_BYTES_MAX];
};

static void remove_files(const char *dir)
{
    char zip[PATH_BYTES_MAX + 8];
    snprintf(zip, sizeof(zip), "%s.zip", dir);
    /* What fails here is removed at the next start. */
    if (sandbox_remove_tree(dir) != ERR_OK)
        log_warn("lambda", "cannot remove package folder %s", dir);
    sys.unlink(zip);
}

static void removal_work(struct io_work *w)
{
    remove_files(CONTAINER_OF(w, struct removal, work)->dir);
}

static void removal_done(struct io_work *w)
{
    mem_free(CONTAINER_OF(w, struct removal, work));
}

/* Removes it now, or once no backup needs it. */
static void removal_try(struct removal *r)
{
    struct lambda *l = r->l;
    bool held = atomic_load(&l->core->held_since_ms) != CORE_HELD_NEVER;
    if (!held && io_work_start(core_home_loop(l->core), &r->work) == ERR_OK)
        return;
    list_push_back(&l->removals, &r->link);
    (void)!io_timer_start(&l->removal_timer, REMOVE_AGAIN_MS); /* else the next removal does it */
}

static void remove_again(struct io_timer *timer)
{
    struct lambda *l = timer->arg;
    struct list *last = l->removals.prev, *link;
    do {
        link = list_pop_front(&l->removals);
        if (link)
            removal_try(CONTAINER_OF(link, struct removal, link));
    } while (link && link != last);
}

static void removal_post(struct io_task *task)
{
    removal_try(CONTAINER_OF(task, struct removal, task));
}

static void remove_later(struct lambda *l, const char *dir)
{
    if (l->core->stopping)
        return; /* no more loop to do it on: the next start removes it */
    struct removal *r = mem_calloc(1, sizeof(*r));
    if (!r)
        return; /* so it does here */
    r->l = l;
    snprintf(r->dir, sizeof(r->dir), "%s", dir);
    r->work.work = removal_work;
    r->work.done = removal_done;
    r->task.fn = removal_post;
    io_post(core_home_loop(l->core), &r->task);
}

void lambda_removals_init(struct lambda *l)
{
    list_init(&l->removals);
    io_timer_init(&l->removal_timer, core_home_loop(l->core), remove_again, l);
}

void lambda_removals_forget(struct lambda *l)
{
    struct list *link;
    io_timer_stop(&l->removal_timer);
    while ((link = list_pop_front(&l->removals)))
        mem_free(CONTAINER_OF(link, struct removal, link));
}

void lambda_code_unref(struct lambda_code *c)
{
    if (!c)
        return;
    struct lambda *l = c->l;
    pthread_mutex_lock(&l->codes_lock);
    assert(c->refs > 0);
    bool last = --c->refs == 0;
    if (last)
        (void)map_del(&l->codes, str_c(c->id));
    pthread_mutex_unlock(&l->codes_lock);
    if (!last)
        return;
    if (c->retired)
        remove_later(l, c->dir);
    code_free(c);
}

/* --- upload ----------------------------------------------------------------------------------- */

/* A package that an upload makes. */
struct made {
    char id[ID_LEN + 1]; /* "": none yet */
    char dir[PATH_BYTES_MAX];
};

/* Work of one upload; shared by the call and the pool's thread, so on the heap. */
struct upload_job {
    struct waiter waiter; /* the call's */
    struct waiters waiters;
    pthread_mutex_t lock; /* guards waiters, done, alone */
    bool alone;           /* the call ended during the work */
    struct io_work work;
    struct lambda *l;
    struct s3_open_object *object; /* to be read into zip; NULL: it is there */
    char *zip;
    size_t zip_len;
    bool has_code;
    char layers[LAMBDA_LAYERS_MAX][ID_LEN + 1]; /* to be merged, in this order */
    size_t n_layers;
    struct made code, opt;
    uint8_t sha256[HASH_SHA256_LEN];
    bool done;
    bool kept;
    enum err err;
    struct sandbox_unpacked unpacked;
};

static enum err write_synced(const char *path, const char *p, size_t len)
{
    enum err err = ERR_IO;
    int fd = sys.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return ERR_IO;
    if (sys_write_all(fd, p, len) == ERR_OK && sys.fsync(fd) == 0)
        err = ERR_OK;
    if (sys.close(fd) != 0)
        err = ERR_IO;
    return err;
}

/* The unpacked files: one sync of the file system is far cheaper than one per file of a package
 * with thousands, and uploads are rare. */
static enum err sync_tree(const char *dir)
{
    int fd = sys.open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return ERR_IO;
    enum err err = syncfs(fd) == 0 ? ERR_OK : ERR_IO;
    sys.close(fd);
    return err;
}

static enum err read_source(struct upload_job *job)
{
    const struct s3_port *s3 = job->l->s3;
    if (!job->object)
        return ERR_OK;
    enum err err = s3->read_object(job->object, job->zip);
    s3->close_object(job->object);
    job->object = NULL;
    return err;
}

static enum err code_path(const struct lambda *l, const char *id, char out[PATH_BYTES_MAX])
{
    int n = snprintf(out, PATH_BYTES_MAX, STR_FMT "/lambda/code/%s", STR_ARG(l->core->cfg.data_dir),
                     id);
    return n < 0 || n >= PATH_BYTES_MAX ? ERR_IO : ERR_OK;
}

/* An empty folder under a name of its own. */
static enum err made_begin(const struct lambda *l, const uint8_t hash[HASH_SHA256_LEN],
                           struct made *made)
{
    struct made m;
    hex_to(m.id, hash, HASH_SHA256_LEN);
    m.id[2 * HASH_SHA256_LEN] = '-';
    rng_text(m.id + ID_LEN - ID_RANDOM_LEN, ID_RANDOM_LEN, "0123456789abcdefghijklmnopqrstuvwxyz");
    m.id[ID_LEN] = 0;
    TRY(code_path(l, m.id, m.dir));
    if (sys.mkdir(m.dir, 0755) != 0)
        return ERR_IO;
    *made = m;
    /* The function's own user reads it; the umask keeps others out of what is around it. */
    return chmod(m.dir, 0755) == 0 ? ERR_OK : ERR_IO;
}

static enum err make_code(struct upload_job *job)
{
    char path[PATH_BYTES_MAX + 8];
    static const struct sandbox_unpack_limits limits = {.bytes_max = LAMBDA_CODE_UNZIPPED_MAX};

    TRY(read_source(job));
    hash_once(HASH_SHA256, job->zip, job->zip_len, job->sha256);
    TRY(made_begin(job->l, job->sha256, &job->code));
    TRY(sandbox_unpack_zip(str_n(job->zip, job->zip_len), job->code.dir, &limits, &job->unpacked));
    snprintf(path, sizeof(path), "%s.zip", job->code.dir);
    TRY(write_synced(path, job->zip, job->zip_len));
    return sync_tree(job->code.dir);
}

static enum err make_opt(struct upload_job *job)
{
    char from[PATH_BYTES_MAX];
    uint8_t hash[HASH_SHA256_LEN];

    hash_once(HASH_SHA256, job->layers, sizeof(job->layers), hash);
    TRY(made_begin(job->l, hash, &job->opt));
    for (size_t i = 0; i < job->n_layers; i++) {
        TRY(code_path(job->l, job->layers[i], from));
        TRY(sandbox_merge_tree(from, job->opt.dir));
    }
    return sync_tree(job->opt.dir);
}

static void upload_work(struct io_work *w)
{
    struct upload_job *job = CONTAINER_OF(w, struct upload_job, work);

    job->err = job->has_code ? make_code(job) : ERR_OK;
    if (job->err == ERR_OK && job->n_layers)
        job->err = make_opt(job);
    if (job->err == ERR_OK)
        return;
    if (job->code.id[0])
        remove_files(job->code.dir);
    if (job->opt.id[0])
        remove_files(job->opt.dir);
}

/* What was made and is not referred to. */
static void upload_drop(const struct upload_job *job)
{
    if (job->err != ERR_OK || job->kept)
        return;
    if (job->code.id[0])
        remove_later(job->l, job->code.dir);
    if (job->opt.id[0])
        remove_later(job->l, job->opt.dir);
}

static void upload_job_free(struct upload_job *job)
{
    pthread_mutex_destroy(&job->lock);
    job->l->s3->close_object(job->object);
    mem_free(job->zip);
    mem_free(job);
}

static void upload_done(struct io_work *w)
{
    struct upload_job *job = CONTAINER_OF(w, struct upload_job, work);

    mem_free(job->zip);
    job->zip = NULL;
    assert(!job->object && !job->kept);
    pthread_mutex_lock(&job->lock);
    assert(!job->done);
    job->done = true;
    bool alone = job->alone;
    (void)waiters_wake(&job->waiters, 1);
    pthread_mutex_unlock(&job->lock);
    if (!alone)
        return;
    upload_drop(job);
    upload_job_free(job);
}

/* End of the call, whatever became of it. */
static void upload_release(void *arg)
{
    struct upload_job *job = arg;

    pthread_mutex_lock(&job->lock);
    bool running = !job->done;
    job->alone = running;
    pthread_mutex_unlock(&job->lock);
    if (running)
        return; /* upload_done frees: same loop, so it comes later */
    upload_drop(job);
    upload_job_free(job);
}

static enum err open_source(struct call *call, const struct lambda_code_source *source,
                            struct upload_job *job)
{
    struct lambda *l = lambda_of(call);
    enum err err = l->s3->find_bucket(l->s3->self, call->txn, source->s3_bucket);
    if (err == ERR_NOT_FOUND)
        return LAMBDA_INVALID(call,
                              "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 "
                              "Error Message: The specified bucket does not exist");
    TRY(err);
    err = l->s3->open_object(l->s3->self, call->txn, call->who, source->s3_bucket, source->s3_key,
                             source->s3_version, LAMBDA_CODE_UNZIPPED_MAX, &job->object,
                             &job->zip_len);
    if (err == ERR_DENIED)
        return LAMBDA_INVALID(
            call, "Error occurred while GetObject. S3 Error Code: AccessDenied. S3 Error "
                  "Message: The object's KMS key cannot be used.");
    if (err == ERR_NOT_FOUND)
        return LAMBDA_INVALID(call,
                              "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error "
                              "Message: The specified key does not exist.");
    if (err == ERR_LIMIT)
        return LAMBDA_INVALID(call, "Unzipped size must be smaller than %d bytes",
                              LAMBDA_CODE_UNZIPPED_MAX);
    return err;
}

static enum err take_source(struct call *call, const struct lambda_code_source *source,
                            struct upload_job *job)
{
    struct str zip = source->zip_file;
    if (!str_is_set(zip)) {
        TRY(open_source(call, source, job));
    } else {
        if (zip.len > LAMBDA_CODE_ZIPPED_MAX)
            return call_error(call, &lambda_err_request_too_large_exception,
                              "Request must be smaller than %d bytes for the " STR_FMT " operation",
                              LAMBDA_CODE_ZIPPED_MAX, STR_ARG(call->op->name));
        job->zip_len = zip.len;
    }
    if (job->zip_len == 0)
        return LAMBDA_INVALID(call, "Uploaded file must be a non-empty zip");
    job->has_code = true;
    job->zip = mem_alloc(job->zip_len);
    if (!job->zip)
        return ERR_NOMEM;
    if (str_is_set(zip))
        memcpy(job->zip, zip.p, zip.len);
    return ERR_OK;
}

/* One is seen as it is. */
static bool merges(const struct lambda_layers_used *layers)
{
    return layers && layers->n > 1;
}

static enum err take_layers(const struct lambda_layers_used *layers, struct upload_job *job)
{
    for (size_t i = 0; merges(layers) && i < layers->n; i++, job->n_layers++) {
        if (layers->ids[i].len != ID_LEN)
            return ERR_CORRUPT;
        memcpy(job->layers[i], layers->ids[i].p, ID_LEN);
    }
    return ERR_OK;
}

/* ERR_OK when the work is done, ERR_TIMEOUT when it is not and its time is over, else
 * ERR_SUSPENDED. */
static enum err upload_wait(struct upload_job *job)
{
    enum err err = ERR_OK;
    pthread_mutex_lock(&job->lock);
    if (!job->done)
        err = job->waiter.call->timed_out
                  ? ERR_TIMEOUT
                  : waiter_wait(&job->waiter, &job->waiters, UPLOAD_TIMEOUT_MS);
    pthread_mutex_unlock(&job->lock);
    return err;
}

static enum err upload_start(struct call *call, const struct lambda_code_source *source,
                             const struct lambda_layers_used *layers)
{
    struct upload_job *job = mem_calloc(1, sizeof(*job));
    if (!job)
        return ERR_NOMEM;
    pthread_mutex_init(&job->lock, NULL);
    job->l = lambda_of(call);
    waiters_init(&job->waiters, &job->lock, NULL);
    enum err err = take_layers(layers, job);
    if (err == ERR_OK && source)
        err = take_source(call, source, job);
    if (err != ERR_OK) {
        upload_job_free(job);
        return err;
    }
    job->work.work = upload_work;
    job->work.done = upload_done;
    err = arena_on_release(call->arena, upload_release, job);
    if (err != ERR_OK) {
        upload_job_free(job);
        return err;
    }
    job->err = ERR_IO;
    job->done = true; /* until the work really runs: upload_release frees */
    waiter_init(&job->waiter, call);
    TRY(io_work_start(call->loop, &job->work));
    job->done = false;
    return upload_wait(job);
}

static enum err upload_result(struct call *call, const struct upload_job *job,
                              struct lambda_upload *up)
{
    up->size = (int64_t)job->zip_len;
    up->unzipped = (int64_t)job->unpacked.bytes;
    up->code_id = str_dup(call->arena, str_c(job->code.id));
    up->sha256 = base64_encode(call->arena, job->sha256, sizeof(job->sha256));
    if (job->n_layers)
        up->opt_id = str_dup(call->arena, str_c(job->opt.id));
    return up->code_id.p && up->sha256.p && (up->opt_id.p || !job->n_layers) ? ERR_OK : ERR_NOMEM;
}

enum err lambda_upload_run(struct call *call, const struct lambda_code_source *source,
                           const struct lambda_layers_used *layers,
                           struct lambda_upload *ret_upload)
{
    struct upload_job *job = call->state;
    struct lambda_upload up = {.opt_id = layers && layers->n == 1 ? layers->ids[0] : STR_NONE};

    if (source || merges(layers)) {
        if (!job)
            return upload_start(call, source, layers);
        (void)waiter_resume(&job->waiter);
        TRY(upload_wait(job));
        switch (job->err) {
        case ERR_OK:
            break;
        case ERR_INVALID:
            return LAMBDA_INVALID(call,
                                  "Could not unzip uploaded file. Please check your file, then "
                                  "try to upload again. (%s)",
                                  job->unpacked.why);
        case ERR_LIMIT:
            return LAMBDA_INVALID(call, "Unzipped size must be smaller than %d bytes",
                                  LAMBDA_CODE_UNZIPPED_MAX);
        default:
            return job->err;
        }
        TRY(upload_result(call, job, &up));
    }
    *ret_upload = up;
    return ERR_OK;
}

static void upload_kept(void *arg)
{
    ((struct upload_job *)arg)->kept = true;
}

enum err lambda_upload_keep(struct call *call)
{
    const struct upload_job *job = call->state;
    if (!job)
        return ERR_OK;                       /* there was nothing to make */
    assert(job->done && job->err == ERR_OK); /* LC1 */
    return txn_on_commit(call->txn, upload_kept, call->state);
}

/* --- start ------------------------------------------------------------------------------------ */

static enum err make_dir(struct lambda *l, const char *below)
{
    char path[PATH_BYTES_MAX];
    int n = snprintf(path, sizeof(path), STR_FMT "/%s", STR_ARG(l->core->cfg.data_dir), below);
    if (n < 0 || (size_t)n >= sizeof(path))
        return ERR_LIMIT;
    return sys.mkdir(path, 0755) == 0 || errno == EEXIST ? ERR_OK : ERR_IO;
}

enum err lambda_code_dirs_make(struct lambda *l)
{
    TRY(make_dir(l, "lambda"));
    return make_dir(l, "lambda/code");
}

enum err lambda_code_collect(struct lambda *l, const struct map *keep)
{
    char base[PATH_BYTES_MAX];
    char path[2 * PATH_BYTES_MAX];
    int n = snprintf(base, sizeof(base), STR_FMT "/lambda/code", STR_ARG(l->core->cfg.data_dir));
    if (n < 0 || (size_t)n >= sizeof(base))
        return ERR_LIMIT;
    DIR *dir = opendir(base);
    if (!dir)
        return ERR_IO;
    struct dirent *entry;
    while ((entry = readdir(dir))) {
        struct str name = str_c(entry->d_name);
        if (name.p[0] == '.')
            continue;
        struct str id = str_ends(name, STR(".zip")) ? str_sub(name, 0, name.len - 4) : name;
        if (map_get(keep, id))
            continue;
        snprintf(path, sizeof(path), "%s/" STR_FMT, base, STR_ARG(id));
        remove_files(path);
    }
    closedir(dir);
    return ERR_OK;
}

/* --- downloads -------------------------------------------------------------------------------- */

static char *zip_path(struct lambda *l, struct arena *a, struct str id)
{
    struct str path = str_fmt(a, STR_FMT "/lambda/code/" STR_FMT ".zip",
                              STR_ARG(l->core->cfg.data_dir), STR_ARG(id));
    return str_is_set(path) ? str_cstr(a, path) : NULL;
}

/* HMAC over "id expires" with a key of this process start. */
static void url_token(struct lambda *l, struct str id, int64_t expires_s, char out[64])
{
    char text[256];
    uint8_t mac[HASH_SHA256_LEN];
    int n = snprintf(text, sizeof(text), STR_FMT " %lld", STR_ARG(id), (long long)expires_s);
    hmac_sha256(l->url_key, sizeof(l->url_key), text, min_size((size_t)n, sizeof(text) - 1), mac);
    hex_to(out, mac, sizeof(mac));
}

struct str lambda_code_url(struct lambda *l, struct txn *txn, struct str code_id)
{
    char token[64];
    int64_t expires_s = txn->wall_ms / 1000 + URL_VALID_S;
    url_token(l, code_id, expires_s, token);
    return str_fmt(txn->arena, STR_FMT CODE_ROUTE STR_FMT "?expires=%lld&token=%.64s",
                   STR_ARG(l->core->cfg.endpoint), STR_ARG(code_id), (long long)expires_s, token);
}

static struct str query_value(struct str query, struct str name)
{
    while (str_is_set(query)) {
        struct str pair = str_cut(&query, '&');
        struct str key = str_cut(&pair, '=');
        if (str_eq(key, name))
            return pair;
    }
    return STR_NONE;
}

static bool code_id_valid(struct str id)
{
    if (id.len != ID_LEN)
        return false;
    for (size_t i = 0; i < id.len; i++) {
        char c = id.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-'))
            return false;
    }
    return true;
}

static void refuse(struct http_req *req, int status)
{
    http_reply(req, status, NULL, 0, STR(""));
}

/* A package on its way out. Lifetime: the request's arena. */
struct sending {
    int fd;
    int64_t left;
    char piece[URL_CHUNK];
};

static void sending_close(void *arg)
{
    sys.close(((struct sending *)arg)->fd);
}

static void sending_pump(struct http_req *req)
{
    struct sending *s = req->user;

    while (s->left > 0) {
        ssize_t got = sys.read(s->fd, s->piece, (size_t)min_i64(s->left, URL_CHUNK));
        if (got <= 0) {
            http_reply_abort(req);
            return;
        }
        s->left -= got;
        if (!http_reply_write(req, s->piece, (size_t)got) && s->left > 0) {
            http_reply_on_drain(req, sending_pump);
            return;
        }
    }
    http_reply_end(req);
}

static void send_file(struct http_req *req, int fd)
{
    static const struct http_header headers[] = {
        {STR_INIT("Content-Type"), STR_INIT("application/zip")}};
    struct stat st;
    struct sending *s = arena_alloc(req->arena, sizeof(*s));

    if (!s || sys.fstat(fd, &st) != 0) {
        sys.close(fd);
        refuse(req, 500);
        return;
    }
    s->fd = fd;
    s->left = st.st_size;
    if (arena_on_release(req->arena, sending_close, s) != ERR_OK) {
        sys.close(fd);
        refuse(req, 503);
        return;
    }
    req->user = s;
    http_reply_start(req, 200, headers, ARRAY_LEN(headers), st.st_size);
    sending_pump(req);
}

void lambda_code_route(void *arg, struct http_req *req)
{
    struct lambda *l = arg;
    struct str id = str_sub(req->path, sizeof(CODE_ROUTE) - 1, SIZE_MAX);
    struct str token = query_value(req->query, STR("token"));
    int64_t expires_s;
    char expected[64];

    if (!code_id_valid(id) || str_to_i64(query_value(req->query, STR("expires")), &expires_s)) {
        refuse(req, 404);
        return;
    }
    url_token(l, id, expires_s, expected);
    if (expires_s < clock_wall_ms() / 1000 || !str_is_set(token) ||
        !str_eq_consttime(token, str_n(expected, sizeof(expected)))) {
        refuse(req, 403);
        return;
    }
    char *path = zip_path(l, req->arena, id);
    int fd = path ? sys.open(path, O_RDONLY | O_CLOEXEC, 0) : -1;
    if (fd < 0) {
        refuse(req, 404);
        return;
    }
    send_file(req, fd);
}
