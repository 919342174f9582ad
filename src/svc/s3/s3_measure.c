/* Request metrics of buckets. See s3_meter.h.
 *
 * Source: S3 User Guide, "Metrics and dimensions"; "CloudWatch metrics configurations".
 * Layer: svc. Thread: the call's loop. */
#include "core/measure.h"
#include "svc/s3/s3_meter.h"

enum { NS_PER_MS = 1000 * 1000 };

#define SPACE STR("AWS/S3")

bool s3_meter_takes(const struct s3_meter *m, struct str key)
{
    return m->prefix.len == 0 || (str_is_set(key) && str_starts(key, m->prefix));
}

/* What S3 counts a request as; STR_NONE: as one of AllRequests only. Lists of uploads and parts are none of
 * objects. */
static struct str kind_of(const struct wire_op *op, bool of_object)
{
    switch (op->index) {
    case S3_OP_LIST_OBJECTS:
    case S3_OP_LIST_OBJECTS_V2:
    case S3_OP_LIST_OBJECT_VERSIONS:
        return STR("ListRequests");
    case S3_OP_LIST_PARTS:
        return STR_NONE;
    case S3_OP_DELETE_OBJECTS:
        return STR("DeleteRequests");
    default:
        break;
    }
    if (str_eq_c(op->method, "HEAD"))
        return STR("HeadRequests");
    if (str_eq_c(op->method, "POST"))
        return STR("PostRequests");
    if (!of_object)
        return STR_NONE;
    if (str_eq_c(op->method, "GET"))
        return STR("GetRequests");
    return str_eq_c(op->method, "PUT") ? STR("PutRequests") : STR("DeleteRequests");
}

/* The configurations that a request for the key is told to, one after the other. */
struct told {
    const struct s3_bucket_rec *b;
    struct measure_dim dims[2]; /* BucketName, FilterId */
    struct str key;
    size_t at;
};

/* False: nobody is to be told. */
static bool begin(struct s3 *s3, const struct call *call, struct str bucket, struct str key,
                  struct told *t)
{
    *t = (struct told){.dims = {{STR("BucketName"), bucket}, {STR("FilterId"), STR_NONE}},
                       .key = key};
    return str_is_set(bucket) && s3_bucket_seen(s3, call->arena, bucket, &t->b) == ERR_OK;
}

static bool next(struct told *t, struct measure *ret_what)
{
    while (t->at < t->b->meters.n) {
        const struct s3_meter *m = &t->b->meters.v[t->at++];
        if (!s3_meter_takes(m, t->key))
            continue;
        t->dims[1].value = m->id;
        *ret_what = (struct measure){t->b->region, SPACE, t->dims, 2, t->b->account};
        return true;
    }
    return false;
}

static void tell(const struct core_seen *seen, const struct measure *what, struct str kind)
{
    struct core *core = seen->call->core;
    double ms = (double)seen->duration_ns / NS_PER_MS;
    measure_put(core, what, STR("AllRequests"), MEASURE_COUNT, 1);
    if (str_is_set(kind))
        measure_put(core, what, kind, MEASURE_COUNT, 1);
    measure_put(core, what, STR("4xxErrors"), MEASURE_COUNT, seen->status / 100 == 4);
    measure_put(core, what, STR("5xxErrors"), MEASURE_COUNT, seen->status / 100 == 5);
    if (seen->request_bytes > 0)
        measure_put(core, what, STR("BytesUploaded"), MEASURE_BYTES, (double)seen->request_bytes);
    measure_put(core, what, STR("FirstByteLatency"), MEASURE_MILLISECONDS, ms);
    if (seen->streams)
        return;
    if (seen->reply_bytes > 0)
        measure_put(core, what, STR("BytesDownloaded"), MEASURE_BYTES, (double)seen->reply_bytes);
    measure_put(core, what, STR("TotalRequestLatency"), MEASURE_MILLISECONDS, ms);
}

/* A copy reads its source: one of the GetRequests there. */
static void tell_source(struct s3 *s3, const struct call *call)
{
    struct s3_copy_source from;
    struct told t;
    struct measure what;
    struct str header = call_input_str(call, STR("CopySource"));
    if (!str_is_set(header) || s3_parse_copy_source(call->arena, header, &from) != ERR_OK ||
        !begin(s3, call, from.bucket, from.key, &t))
        return;
    while (next(&t, &what))
        measure_put(call->core, &what, STR("GetRequests"), MEASURE_COUNT, 1);
}

void s3_measure(void *self, const struct core_seen *seen)
{
    struct s3 *s3 = self;
    struct told t;
    struct measure what;
    const struct call *call = seen->call;
    if (!atomic_load_explicit(&s3->metered, memory_order_relaxed) || !call->op || !seen->in)
        return;
    struct str key = call_input_str(call, STR("Key"));
    if (!begin(s3, call, call_input_str(call, STR("Bucket")), key, &t))
        return;
    struct str kind = kind_of(call->op, str_is_set(key));
    while (next(&t, &what))
        tell(seen, &what, kind);
    if (call->op->index == S3_OP_COPY_OBJECT || call->op->index == S3_OP_UPLOAD_PART_COPY)
        tell_source(s3, call);
}

void s3_measure_end(void *self, const struct core_seen *seen, int64_t ns)
{
    struct s3 *s3 = self;
    struct told t;
    struct measure what;
    const struct call *call = seen->call;
    if (!call->op || !seen->in)
        return;
    if (!atomic_load_explicit(&s3->metered, memory_order_relaxed) ||
        !begin(s3, call, call_input_str(call, STR("Bucket")), call_input_str(call, STR("Key")), &t))
        return;
    while (next(&t, &what)) {
        measure_put(call->core, &what, STR("BytesDownloaded"), MEASURE_BYTES,
                    (double)seen->reply_bytes);
        measure_put(call->core, &what, STR("TotalRequestLatency"), MEASURE_MILLISECONDS,
                    (double)ns / NS_PER_MS);
    }
}
