/* The S3 service: its life, what it gives the core, and its port. README.md argues the design.
 * Layer: svc. */
#include "svc/s3/s3_int.h"

#include <fcntl.h>

#include "base/mem.h"
#include "base/sys.h"

enum {
    START_ARENA_MAX = 64 * 1024,
    OPEN_ARENA_MAX = 64 * 1024 * 1024, /* paths of 10,000 parts, or a small object */
};

static void release(void *self)
{
    struct s3 *s3 = self;
    pthread_mutex_destroy(&s3->lock);
    catalogue_free(s3->buckets);
    arena_release(&s3->arena);
    mem_free(s3);
}

static void fill_port(struct s3 *s3);

static enum err make(struct core *core, void **ret_self)
{
    struct s3 *s3 = mem_calloc(1, sizeof(*s3));
    if (!s3)
        return ERR_NOMEM;
    s3->core = core;
    arena_init(&s3->arena, START_ARENA_MAX);
    list_init(&s3->pins);
    pthread_mutex_init(&s3->lock, NULL);
    enum err e = s3_buckets_new(s3);
    if (e == ERR_OK)
        e = s3_clean_register(s3);
    if (e == ERR_OK)
        e = s3_files_open(s3);
    if (e != ERR_OK) {
        release(s3);
        return e;
    }
    fill_port(s3);
    *ret_self = s3;
    return ERR_OK;
}

static enum err start(void *self)
{
    TRY(s3_buckets_load(self));
    return s3_files_recover(self);
}

static const void *port(void *self)
{
    struct s3 *s3 = self;
    return &s3->port;
}

const struct svc_def s3_def = {
    .wire = &s3_service,
    .make = make,
    .start = start,
    .release = release,
    .port = port,
    .resource_policy = s3_resource_policy,
    .auth_context = s3_auth_context,
    .authorize_more = s3_authorize_more,
    .tags = &s3_tags,
};

/* --- the port --------------------------------------------------------------------------------- */

static enum err read_part(const struct call_file_part *part, char *out)
{
    int fd = sys.open(part->path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return ERR_IO;
    uint64_t done = 0;
    while (done < part->length) {
        ssize_t n = sys.pread(fd, out + done, part->length - done, (off_t)(part->offset + done));
        if (n <= 0)
            break;
        done += (uint64_t)n;
    }
    sys.close(fd);
    return done == part->length ? ERR_OK : ERR_IO;
}

/* An object held for a reader outside of the transaction that found it. */
struct s3_open_object {
    struct arena arena; /* of what follows */
    struct str bytes;   /* a small object */
    struct call_file_part *parts;
    size_t n_parts;
    bool pinned;
    struct s3_pin pin;
};

static enum err port_read_object(struct s3_open_object *obj, char *out)
{
    if (obj->bytes.len > 0)
        memcpy(out, obj->bytes.p, obj->bytes.len);
    for (size_t i = 0; i < obj->n_parts; i++) {
        TRY(read_part(&obj->parts[i], out));
        out += obj->parts[i].length;
    }
    return ERR_OK;
}

static void port_close_object(struct s3_open_object *obj)
{
    if (!obj)
        return;
    if (obj->pinned)
        s3_unpin(&obj->pin);
    arena_release(&obj->arena);
    mem_free(obj);
}

static enum err hold_files(struct s3 *s3, struct txn *txn, const struct s3_object_rec *rec,
                           struct s3_open_object *obj)
{
    struct call_file_part *parts;
    size_t n;
    TRY(s3_body_files(s3, txn, rec, 0, rec->size, &parts, &n));
    obj->parts = ARENA_ARRAY(&obj->arena, struct call_file_part, n);
    if (!obj->parts)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        obj->parts[i] = parts[i];
        obj->parts[i].path = str_cstr(&obj->arena, str_c(parts[i].path));
        if (!obj->parts[i].path)
            return ERR_NOMEM;
    }
    obj->n_parts = n;
    s3_pin(s3, &obj->pin, txn->now_ms);
    obj->pinned = true;
    return ERR_OK;
}

static enum err hold(struct s3 *s3, struct txn *txn, const struct s3_object_rec *rec,
                     struct s3_open_object *obj)
{
    struct str bytes;
    if (!s3_body_is_small(&rec->body))
        return hold_files(s3, txn, rec, obj);
    TRY(s3_body_bytes(txn, &rec->body, &bytes));
    if (bytes.len == 0)
        return ERR_OK;
    obj->bytes = str_dup(&obj->arena, bytes);
    return str_is_set(obj->bytes) ? ERR_OK : ERR_NOMEM;
}

static enum err port_open_object(void *self, struct txn *txn, struct str bucket, struct str key,
                                 struct str version_id, size_t max, struct s3_open_object **ret_obj,
                                 size_t *ret_size)
{
    struct s3 *s3 = self;
    const struct s3_bucket_rec *b;
    struct s3_object_rec rec;
    bool current;
    TRY(s3_bucket_known(s3, txn, bucket, &b));
    if (key.len > S3_KEY_BYTES_MAX)
        return ERR_NOT_FOUND;
    enum err e = str_is_set(version_id)
                     ? s3_version(txn, b->id, key, version_id, false, &rec, &current)
                     : s3_current(txn, b->id, key, false, &rec);
    if (e == ERR_INVALID || (e == ERR_OK && rec.delete_marker))
        return ERR_NOT_FOUND;
    TRY(e);
    if (rec.size > max)
        return ERR_LIMIT;
    struct s3_open_object *obj = mem_calloc(1, sizeof(*obj));
    if (!obj)
        return ERR_NOMEM;
    arena_init(&obj->arena, OPEN_ARENA_MAX);
    e = hold(s3, txn, &rec, obj);
    if (e != ERR_OK) {
        port_close_object(obj);
        return e;
    }
    *ret_obj = obj;
    *ret_size = rec.size;
    return ERR_OK;
}

static void fill_port(struct s3 *s3)
{
    s3->port = (struct s3_port){
        .self = s3,
        .open_object = port_open_object,
        .read_object = port_read_object,
        .close_object = port_close_object,
    };
}
