/* Copying on the worker pool. See s3_copy.h. Layer: svc.
 *
 *   started --worker--> finished --call_wake--> handler reruns, takes the writer
 *      |                    ^
 *      +--call is over------+--> the job frees itself
 */
#include "svc/s3/s3_copy.h"

#include <assert.h>

#include "base/mem.h"
#include "svc/s3/s3_read.h"
#include "svc/s3/s3_sse.h"

enum { TIMEOUT_MS = 30 * 60 * 1000 };

struct s3_copy_job {
    struct io_work work;
    struct call *call; /* NULL once nobody waits */
    bool finished, abandoned;
    struct s3_writer *writer;
    struct s3_reader *reader;
    uint64_t left; /* bytes to copy */
    enum err err;
    char *block;
};

/* --- the source ------------------------------------------------------------------------------- */

static enum err check_source(struct call *call, const struct s3_conditions *conditions,
                             const struct s3_object_rec *rec)
{
    struct str which = STR_NONE;
    if (s3_check_conditions(conditions, rec->etag, rec->modified_ms, &which) == S3_GO)
        return ERR_OK;
    TRY(call_error_detail(call, "Condition",
                          str_fmt(call->arena, "x-amz-copy-source-" STR_FMT, STR_ARG(which))));
    return call_error(call, &s3_err_precondition_failed,
                      "At least one of the pre-conditions you specified did not hold");
}

enum err s3_copy_find(struct call *call, struct str header, struct str expected_owner,
                      const struct s3_conditions *conditions, const struct s3_customer *customer,
                      struct s3_copy **ret_copy)
{
    struct s3_copy *copy = ARENA_NEW(call->arena, struct s3_copy);
    struct s3_bucket_ref b;
    if (!copy)
        return ERR_NOMEM;
    enum err err = s3_parse_copy_source(call->arena, header, &copy->from);
    if (err == ERR_INVALID)
        return s3_bad_argument(call, "x-amz-copy-source", header,
                               "Copy Source must mention the source bucket and key: "
                               "sourcebucket/sourcekey");
    TRY(err);
    TRY(s3_bucket_peek(call, copy->from.bucket, expected_owner, &b));
    copy->source_flags = b.rec.flags;
    copy->source_versioned = b.rec.versioning != S3_UNVERSIONED;
    TRY(s3_find_for_read(call, &b, copy->from.key, copy->from.version_id, &copy->source, NULL));
    TRY(check_source(call, conditions, &copy->source));
    TRY(s3_sse_need(call, &b, copy->from.key, &copy->source.sse, customer, &copy->cipher));
    call->state = copy;
    *ret_copy = copy;
    return ERR_OK;
}

/* --- the job ---------------------------------------------------------------------------------- */

static void job_free(struct s3_copy_job *job)
{
    s3_reader_free(job->reader);
    s3_writer_free(job->writer);
    mem_free(job->block);
    mem_free(job);
}

static void job_work(struct io_work *w)
{
    struct s3_copy_job *job = CONTAINER_OF(w, struct s3_copy_job, work);
    while (job->err == ERR_OK && job->left > 0) {
        struct str bytes = STR_NONE;
        job->err = s3_reader_read(job->reader, job->block, CALL_BLOCK_BYTES, &bytes);
        if (job->err == ERR_OK)
            job->err = s3_writer_write(job->writer, bytes.p, bytes.len);
        assert(bytes.len <= job->left && (bytes.len > 0 || job->err != ERR_OK));
        job->left -= bytes.len;
    }
    if (job->err == ERR_OK)
        job->err = s3_writer_finish(job->writer);
}

static void job_done(struct io_work *w)
{
    struct s3_copy_job *job = CONTAINER_OF(w, struct s3_copy_job, work);
    assert(!job->finished && !(job->abandoned && job->call));
    job->finished = true;
    if (job->abandoned)
        job_free(job);
    else if (job->call)
        call_wake(job->call);
}

/* With the call's arena. */
static void job_abandon(void *arg)
{
    struct s3_copy_job *job = arg;
    assert(!job->abandoned);
    job->call = NULL;
    job->abandoned = true;
    if (job->finished)
        job_free(job);
}

static void on_cancel(struct call *call)
{
    struct s3_copy *copy = call->state;
    copy->job->call = NULL;
}

static enum err copy_now(struct call *call, struct s3_copy *copy, uint64_t from, uint64_t len,
                         const struct s3_copy_form *form)
{
    struct str bytes = STR("");
    struct call_sink sink;
    struct s3_writer *w;
    if (len > 0)
        TRY(s3_body_bytes(call->txn, &copy->source.body, &bytes));
    TRY(s3_cipher_open(&copy->cipher, &copy->source.body.id, call->arena, &bytes));
    if (from > bytes.len || len > bytes.len - from)
        return ERR_CORRUPT;
    TRY(s3_writer_new(call->svc, form->algos, form->inline_max, &form->cipher, &w));
    TRY(s3_writer_sink(w, call, &sink));
    TRY(s3_writer_write(w, bytes.p + from, len));
    TRY(s3_writer_finish(w));
    copy->writer = w;
    return ERR_OK;
}

static enum err job_new(struct call *call, struct s3_copy *copy, uint64_t from, uint64_t len,
                        const struct s3_copy_form *form, struct s3_copy_job **ret_job)
{
    struct s3_copy_job *job = mem_calloc(1, sizeof(*job));
    if (!job)
        return ERR_NOMEM;
    job->finished = true; /* until it is started */
    job->call = call;
    job->left = len;
    job->block = mem_alloc(CALL_BLOCK_BYTES);
    enum err err = job->block ? ERR_OK : ERR_NOMEM;
    if (err == ERR_OK)
        err = s3_reader_open(call->svc, call->txn, &copy->source, from, len, &copy->cipher,
                             &job->reader);
    if (err == ERR_OK)
        err = s3_writer_new(call->svc, form->algos, form->inline_max, &form->cipher, &job->writer);
    if (err == ERR_OK)
        err = arena_on_release(call->arena, job_abandon, job);
    if (err != ERR_OK) {
        job_free(job);
        return err;
    }
    *ret_job = job;
    return ERR_OK;
}

enum err s3_copy_start(struct call *call, struct s3_copy *copy, uint64_t from, uint64_t len,
                       const struct s3_copy_form *form)
{
    assert(!copy->job && !copy->writer && from + len <= copy->source.size);
    if (s3_body_is_small(&copy->source.body) || len == 0)
        return copy_now(call, copy, from, len, form);
    struct s3_copy_job *job;
    TRY(job_new(call, copy, from, len, form, &job));
    copy->job = job;
    job->work.work = job_work;
    job->work.done = job_done;
    TRY(io_work_start(call->loop, &job->work));
    job->finished = false;
    return call_suspend(call, TIMEOUT_MS, on_cancel);
}

enum err s3_copy_result(struct call *call, struct s3_copy *copy)
{
    if (!copy->job)
        return copy->writer ? ERR_OK : ERR_IO;
    if (!copy->job->finished)
        return call->timed_out ? ERR_TIMEOUT : call_suspend(call, TIMEOUT_MS, on_cancel);
    TRY(copy->job->err);
    copy->writer = copy->job->writer;
    return ERR_OK;
}
