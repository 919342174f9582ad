/* The S3 service: its life, what it gives the core, and its port. README.md argues the design.
 * Layer: svc. */
#include <assert.h>

#include "base/mem.h"
#include "svc/s3/s3_acl.h"
#include "svc/s3/s3_life.h"
#include "svc/s3/s3_log.h"
#include "svc/s3/s3_meter.h"
#include "svc/s3/s3_read.h"
#include "svc/s3/s3_scrub.h"
#include "svc/s3/s3_sse.h"

enum {
    START_ARENA_MAX = 64 * 1024,
    OPEN_ARENA_MAX = 64 * 1024, /* a small object */
};

static void release(void *self)
{
    struct s3 *s3 = self;
    pthread_mutex_destroy(&s3->lock);
    catalogue_free(s3->buckets);
    s3_logs_free(s3);
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
    enum err err = s3_logs_new(s3);
    if (err == ERR_OK)
        err = s3_buckets_new(s3);
    if (err == ERR_OK)
        err = s3_clean_register(s3);
    if (err == ERR_OK)
        err = s3_scrub_register(s3);
    if (err == ERR_OK)
        err = s3_expire_register(s3);
    if (err == ERR_OK)
        err = s3_sizes_register(s3);
    if (err == ERR_OK)
        err = s3_files_open(s3);
    if (err != ERR_OK) {
        release(s3);
        return err;
    }
    fill_port(s3);
    *ret_self = s3;
    return ERR_OK;
}

static enum err start(void *self)
{
    TRY(s3_buckets_load(self));
    TRY(s3_site_start(self));
    TRY(s3_post_start(self));
    return s3_files_recover(self);
}

/* svc_def.owner: names of buckets are global, over all accounts. */
static enum err owner(struct call *call, const void *in, struct str *ret_account)
{
    const struct s3_bucket_rec *rec;
    struct s3_claimed what;
    struct str bucket = in ? wire_input_str(call->op, in, STR("Bucket")) : STR_NONE;
    if (!in && (s3_site_claimed(call, &what) || s3_post_claimed(call, &what)))
        bucket = what.bucket;
    if (!str_is_set(bucket))
        return ERR_OK;
    enum err err = s3_bucket_known(call->svc, call->txn, bucket, &rec);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    struct str account = s3_bucket_owner(call->core, rec);
    if (call->op->index != S3_OP_CREATE_BUCKET || !in) {
        *ret_account = account;
        return ERR_OK;
    }
    /* Nobody may make it, whatever his policies say; and the bucket's have no say in that. */
    if (str_eq(account, call->account) || call->who->kind == PRINCIPAL_ANONYMOUS)
        return ERR_OK;
    TRY(call_error_detail(call, "BucketName", bucket));
    return call_error(call, &s3_err_bucket_already_exists,
                      "The requested bucket name is not available. The bucket namespace is shared "
                      "by all users of the system. Please select a different name and try again.");
}

static const void *port(void *self)
{
    struct s3 *s3 = self;
    return &s3->port;
}

static void measure(void *self, const struct core_seen *seen)
{
    s3_measure(self, seen);
    s3_log_call(self, seen);
}

static void measure_end(void *self, const struct core_seen *seen, int64_t ns)
{
    s3_measure_end(self, seen, ns);
    s3_log_end(self, seen, ns);
}

const struct svc_def s3_def = {
    .wire = &s3_service,
    .make = make,
    .start = start,
    .drain = s3_logs_drain,
    .release = release,
    .port = port,
    .owner = owner,
    .arn_owner = s3_arn_owner,
    .resource_policy = s3_resource_policy,
    .auth_context = s3_auth_context,
    .resource_mark = ":ExistingObjectTag/",
    .resource_keys = s3_resource_keys,
    .authorize_more = s3_authorize_more,
    .grants = s3_acl_grants,
    .cors = s3_cors_rules,
    .cors_refused = &s3_err_access_forbidden,
    .cors_incomplete = &s3_err_bad_request,
    .tags = &s3_tags,
    .measure = measure,
    .measure_end = measure_end,
    .metrics = s3_metrics,
};

/* --- the port --------------------------------------------------------------------------------- */

/* An object held for a reader outside of the transaction that found it. */
struct s3_open_object {
    struct arena arena;       /* of what follows */
    struct str bytes;         /* a small object */
    struct s3_reader *reader; /* a large one */
    uint64_t size;
};

static enum err port_read_object(struct s3_open_object *obj, char *out)
{
    if (!obj->reader) {
        memcpy(out, obj->bytes.p, obj->bytes.len);
        return ERR_OK;
    }
    char *block = mem_alloc(CALL_BLOCK_BYTES);
    enum err err = block ? ERR_OK : ERR_NOMEM;
    for (uint64_t left = obj->size; err == ERR_OK && left > 0;) {
        struct str bytes = STR_NONE;
        err = s3_reader_read(obj->reader, block, CALL_BLOCK_BYTES, &bytes);
        if (err)
            break;
        assert(bytes.len <= left);
        memcpy(out, bytes.p, bytes.len);
        out += bytes.len;
        left -= bytes.len;
    }
    mem_free(block);
    return err;
}

static void port_close_object(struct s3_open_object *obj)
{
    if (!obj)
        return;
    s3_reader_free(obj->reader);
    arena_release(&obj->arena);
    mem_free(obj);
}

static enum err hold(struct s3 *s3, struct txn *txn, const struct s3_object_rec *rec,
                     const struct s3_cipher *cipher, struct s3_open_object *obj)
{
    struct str bytes;
    obj->size = rec->size;
    obj->bytes = STR("");
    if (rec->size == 0)
        return ERR_OK;
    if (!s3_body_is_small(&rec->body))
        return s3_reader_open(s3, txn, rec, 0, rec->size, cipher, &obj->reader);
    TRY(s3_body_bytes(txn, &rec->body, &bytes));
    TRY(s3_cipher_open(cipher, &rec->body.id, txn->arena, &bytes));
    obj->bytes = str_dup(&obj->arena, bytes);
    return str_is_set(obj->bytes) ? ERR_OK : ERR_NOMEM;
}

static enum err port_find_bucket(void *self, struct txn *txn, struct str bucket)
{
    const struct s3_bucket_rec *b;
    return s3_bucket_known(self, txn, bucket, &b);
}

static enum err port_open_object(void *self, struct txn *txn, const struct principal *who,
                                 struct str bucket, struct str key, struct str version_id,
                                 size_t max, struct s3_open_object **ret_obj, size_t *ret_size)
{
    struct s3 *s3 = self;
    const struct s3_bucket_rec *b;
    struct s3_object_rec rec;
    bool current;
    TRY(s3_bucket_known(s3, txn, bucket, &b));
    if (key.len > S3_KEY_BYTES_MAX)
        return ERR_NOT_FOUND;
    enum err err = str_is_set(version_id)
                       ? s3_version(txn, b->id, key, version_id, false, &rec, &current)
                       : s3_current(txn, b->id, key, false, &rec);
    if (err == ERR_INVALID || (err == ERR_OK && rec.delete_marker))
        return ERR_NOT_FOUND;
    TRY(err);
    if (rec.size > max)
        return ERR_LIMIT;
    struct kms_refusal why;
    struct s3_cipher cipher;
    TRY(s3_sse_open(txn, who, b, bucket, key, &rec.sse, &cipher, &why));
    struct s3_open_object *obj = mem_calloc(1, sizeof(*obj));
    if (!obj)
        return ERR_NOMEM;
    arena_init(&obj->arena, OPEN_ARENA_MAX);
    err = hold(s3, txn, &rec, &cipher, obj);
    if (err != ERR_OK) {
        port_close_object(obj);
        return err;
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
        .find_bucket = port_find_bucket,
        .read_object = port_read_object,
        .close_object = port_close_object,
    };
}
