/* What a record of a server access log says of a request. See s3_log.h; the fields, one by one, are those of
 * S3 User Guide, "Amazon S3 server access log format". */
#include "svc/s3/s3_log.h"

#include <inttypes.h>

#include "base/clock.h"
#include "codec/percent.h"
#include "svc/s3/s3_acl.h"
#include "svc/s3/s3_copy.h"

enum { NS_PER_MS = 1000 * 1000 };

/* One record; what is absent is "-". */
struct record {
    struct str owner, bucket;
    int64_t at_ms;
    struct str ip, requester, request_id, operation, key;
    struct str uri; /* "GET /b/k?q"; without its version */
    int status;     /* 0: none */
    struct str error;
    uint64_t sent;
    bool has_size;
    uint64_t size;
    int64_t total_ns, turn_ns; /* -1: none */
    struct str referer, agent, version_id, host_id, signature, auth, host, tls;
    bool by_acl;
    struct str region;
};

/* --- writing it ------------------------------------------------------------------------------- */

static void put_field(struct buf *b, struct str s)
{
    buf_add_byte(b, ' ');
    if (s.len > 0)
        buf_add_str(b, s);
    else
        buf_add_byte(b, '-');
}

/* What clients wrote, so that no quote, space or line of theirs ends a field. */
static void put_raw(struct buf *b, struct str s, bool spaces)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < ' ' || c == 127 || c == '"' || (c == ' ' && !spaces))
            buf_add_fmt(b, "%%%02X", c);
        else
            buf_add_byte(b, (char)c);
    }
}

static void put_quoted(struct buf *b, struct str s)
{
    BUF_ADD_LIT(b, " \"");
    put_raw(b, s.len > 0 ? s : STR("-"), true);
    buf_add_byte(b, '"');
}

static void put_number(struct buf *b, bool has, uint64_t v)
{
    if (has)
        buf_add_fmt(b, " %" PRIu64, v);
    else
        BUF_ADD_LIT(b, " -");
}

static void put_time(struct buf *b, int64_t ms)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct civil t = clock_civil(ms);
    buf_add_fmt(b, " [%02d/%.3s/%04d:%02d:%02d:%02d +0000]", t.day, &months[(t.month - 1) * 3],
                t.year, t.hour, t.minute, t.second);
}

static void put_record(struct buf *b, const struct record *r)
{
    buf_add_str(b, r->owner);
    put_field(b, r->bucket);
    put_time(b, r->at_ms);
    put_field(b, r->ip);
    put_field(b, r->requester);
    put_field(b, r->request_id);
    put_field(b, r->operation);
    buf_add_byte(b, ' ');
    if (str_is_set(r->key))
        percent_put(b, r->key, true);
    else
        buf_add_byte(b, '-');
    put_quoted(b, r->uri);
    put_number(b, r->status > 0, (uint64_t)r->status);
    put_field(b, r->error);
    put_number(b, r->sent > 0, r->sent);
    put_number(b, r->has_size, r->size);
    put_number(b, r->total_ns >= 0, (uint64_t)(r->total_ns / NS_PER_MS));
    put_number(b, r->turn_ns >= 0, (uint64_t)(r->turn_ns / NS_PER_MS));
    put_quoted(b, r->referer);
    put_quoted(b, r->agent);
    buf_add_byte(b, ' ');
    put_raw(b, r->version_id.len > 0 ? r->version_id : STR("-"), false);
    put_field(b, r->host_id);
    put_field(b, r->signature);
    put_field(b, STR_NONE); /* the cipher suite */
    put_field(b, r->auth);
    buf_add_byte(b, ' ');
    put_raw(b, r->host.len > 0 ? r->host : STR("-"), false);
    put_field(b, r->tls);
    put_field(b, STR_NONE); /* the access point */
    put_field(b, r->by_acl ? STR("Yes") : STR_NONE);
    put_field(b, r->region);
}

static void keep(struct s3 *s3, struct arena *a, const struct s3_bucket_rec *rec,
                 const struct record *r)
{
    struct buf b;
    buf_init_arena(&b, a, S3_LOG_RECORD_MAX);
    put_record(&b, r);
    s3_logs_add(s3, r->bucket, rec, r->at_ms, buf_err(&b) ? STR_NONE : buf_str(&b));
}

/* --- its operation ---------------------------------------------------------------------------- */

/* The type of resource that an operation is about; NULL: an object or, without a key, a bucket. */
static const char *const resources[] = {
    [S3_OP_LIST_OBJECT_VERSIONS] = "BUCKETVERSIONS",
    [S3_OP_LIST_MULTIPART_UPLOADS] = "UPLOADS",
    [S3_OP_CREATE_MULTIPART_UPLOAD] = "UPLOADS",
    [S3_OP_COMPLETE_MULTIPART_UPLOAD] = "UPLOAD",
    [S3_OP_ABORT_MULTIPART_UPLOAD] = "UPLOAD",
    [S3_OP_LIST_PARTS] = "UPLOAD",
    [S3_OP_UPLOAD_PART] = "PART",
    [S3_OP_UPLOAD_PART_COPY] = "PART",
    [S3_OP_DELETE_OBJECTS] = "MULTI_OBJECT_DELETE",
    [S3_OP_GET_BUCKET_LOCATION] = "LOCATION",
    [S3_OP_GET_BUCKET_ACL] = "ACL",
    [S3_OP_PUT_BUCKET_ACL] = "ACL",
    [S3_OP_GET_OBJECT_ACL] = "ACL",
    [S3_OP_PUT_OBJECT_ACL] = "ACL",
    [S3_OP_GET_BUCKET_POLICY] = "BUCKETPOLICY",
    [S3_OP_PUT_BUCKET_POLICY] = "BUCKETPOLICY",
    [S3_OP_DELETE_BUCKET_POLICY] = "BUCKETPOLICY",
    [S3_OP_GET_BUCKET_POLICY_STATUS] = "POLICY_STATUS",
    [S3_OP_GET_BUCKET_LOGGING] = "LOGGING_STATUS",
    [S3_OP_PUT_BUCKET_LOGGING] = "LOGGING_STATUS",
    [S3_OP_GET_BUCKET_VERSIONING] = "VERSIONING",
    [S3_OP_PUT_BUCKET_VERSIONING] = "VERSIONING",
    [S3_OP_GET_BUCKET_NOTIFICATION_CONFIGURATION] = "NOTIFICATION",
    [S3_OP_PUT_BUCKET_NOTIFICATION_CONFIGURATION] = "NOTIFICATION",
    [S3_OP_GET_BUCKET_CORS] = "CORS",
    [S3_OP_PUT_BUCKET_CORS] = "CORS",
    [S3_OP_DELETE_BUCKET_CORS] = "CORS",
    [S3_OP_GET_BUCKET_LIFECYCLE_CONFIGURATION] = "LIFECYCLE",
    [S3_OP_PUT_BUCKET_LIFECYCLE_CONFIGURATION] = "LIFECYCLE",
    [S3_OP_DELETE_BUCKET_LIFECYCLE] = "LIFECYCLE",
    [S3_OP_GET_BUCKET_TAGGING] = "TAGGING",
    [S3_OP_PUT_BUCKET_TAGGING] = "TAGGING",
    [S3_OP_DELETE_BUCKET_TAGGING] = "TAGGING",
    [S3_OP_GET_OBJECT_TAGGING] = "OBJECT_TAGGING",
    [S3_OP_PUT_OBJECT_TAGGING] = "OBJECT_TAGGING",
    [S3_OP_DELETE_OBJECT_TAGGING] = "OBJECT_TAGGING",
    [S3_OP_GET_BUCKET_WEBSITE] = "WEBSITE",
    [S3_OP_PUT_BUCKET_WEBSITE] = "WEBSITE",
    [S3_OP_DELETE_BUCKET_WEBSITE] = "WEBSITE",
    [S3_OP_GET_BUCKET_ENCRYPTION] = "ENCRYPTION",
    [S3_OP_PUT_BUCKET_ENCRYPTION] = "ENCRYPTION",
    [S3_OP_DELETE_BUCKET_ENCRYPTION] = "ENCRYPTION",
    [S3_OP_GET_BUCKET_REQUEST_PAYMENT] = "REQUEST_PAYMENT",
    [S3_OP_PUT_BUCKET_REQUEST_PAYMENT] = "REQUEST_PAYMENT",
    [S3_OP_GET_BUCKET_ACCELERATE_CONFIGURATION] = "ACCELERATE",
    [S3_OP_PUT_BUCKET_ACCELERATE_CONFIGURATION] = "ACCELERATE",
    [S3_OP_GET_BUCKET_OWNERSHIP_CONTROLS] = "OWNERSHIP_CONTROLS",
    [S3_OP_PUT_BUCKET_OWNERSHIP_CONTROLS] = "OWNERSHIP_CONTROLS",
    [S3_OP_DELETE_BUCKET_OWNERSHIP_CONTROLS] = "OWNERSHIP_CONTROLS",
    [S3_OP_GET_PUBLIC_ACCESS_BLOCK] = "PUBLIC_ACCESS_BLOCK",
    [S3_OP_PUT_PUBLIC_ACCESS_BLOCK] = "PUBLIC_ACCESS_BLOCK",
    [S3_OP_DELETE_PUBLIC_ACCESS_BLOCK] = "PUBLIC_ACCESS_BLOCK",
    [S3_OP_GET_BUCKET_REPLICATION] = "REPLICATION",
    [S3_OP_DELETE_BUCKET_REPLICATION] = "REPLICATION",
    [S3_OP_GET_BUCKET_METRICS_CONFIGURATION] = "METRICS",
    [S3_OP_PUT_BUCKET_METRICS_CONFIGURATION] = "METRICS",
    [S3_OP_DELETE_BUCKET_METRICS_CONFIGURATION] = "METRICS",
    [S3_OP_LIST_BUCKET_METRICS_CONFIGURATIONS] = "METRICS",
    [S3_OP_GET_BUCKET_ANALYTICS_CONFIGURATION] = "ANALYTICS",
    [S3_OP_DELETE_BUCKET_ANALYTICS_CONFIGURATION] = "ANALYTICS",
    [S3_OP_LIST_BUCKET_ANALYTICS_CONFIGURATIONS] = "ANALYTICS",
    [S3_OP_GET_BUCKET_INVENTORY_CONFIGURATION] = "INVENTORY",
    [S3_OP_DELETE_BUCKET_INVENTORY_CONFIGURATION] = "INVENTORY",
    [S3_OP_LIST_BUCKET_INVENTORY_CONFIGURATIONS] = "INVENTORY",
    [S3_OP_GET_BUCKET_INTELLIGENT_TIERING_CONFIGURATION] = "INTELLIGENT_TIERING",
    [S3_OP_DELETE_BUCKET_INTELLIGENT_TIERING_CONFIGURATION] = "INTELLIGENT_TIERING",
    [S3_OP_LIST_BUCKET_INTELLIGENT_TIERING_CONFIGURATIONS] = "INTELLIGENT_TIERING",
    [S3_OP_GET_OBJECT_LOCK_CONFIGURATION] = "OBJECT_LOCK_CONFIGURATION",
    [S3_OP_PUT_OBJECT_LOCK_CONFIGURATION] = "OBJECT_LOCK_CONFIGURATION",
    [S3_OP_GET_OBJECT_RETENTION] = "OBJECT_LOCK_RETENTION",
    [S3_OP_PUT_OBJECT_RETENTION] = "OBJECT_LOCK_RETENTION",
    [S3_OP_GET_OBJECT_LEGAL_HOLD] = "OBJECT_LOCK_LEGALHOLD",
    [S3_OP_PUT_OBJECT_LEGAL_HOLD] = "OBJECT_LOCK_LEGALHOLD",
    [S3_OP_GET_OBJECT_ATTRIBUTES] = "OBJECT_ATTRIBUTES",
};

static bool is_copy(const struct wire_op *op)
{
    return op->index == S3_OP_COPY_OBJECT || op->index == S3_OP_UPLOAD_PART_COPY;
}

static struct str operation_of(const struct call *call, bool of_object)
{
    const struct wire_op *op = call->op;
    if (!call_input(call)) /* a claim's, or refused before it was read */
        return str_fmt(call->arena, "REST." STR_FMT ".%s", STR_ARG(call->request->method),
                       of_object ? "OBJECT" : "BUCKET");
    const char *resource = op->index < ARRAY_LEN(resources) ? resources[op->index] : NULL;
    if (!resource)
        resource = of_object ? "OBJECT" : "BUCKET";
    return str_fmt(call->arena, "REST." STR_FMT ".%s",
                   STR_ARG(is_copy(op) ? STR("COPY") : op->method), resource);
}

/* --- a call's records ------------------------------------------------------------------------- */

static struct str requester_of(struct call *call)
{
    const struct principal *who = call->who;
    const struct s3_owner *owner;
    switch (who->kind) {
    case PRINCIPAL_ANONYMOUS:
        return STR_NONE;
    case PRINCIPAL_SERVICE:
        return str_fmt(call->arena, "svc:" STR_FMT, STR_ARG(who->service));
    case PRINCIPAL_ROOT:
        owner = s3_owner_named(call->arena, who->account);
        return owner ? owner->id : STR_NONE;
    default:
        return who->arn;
    }
}

static void add_signature(const struct call *call, struct record *r)
{
    bool v2 = call->signed_by == CALL_SIGNED_QUERY_V2 || call->signed_by == CALL_SIGNED_FORM_V2;
    if (call->signed_by == CALL_NOT_SIGNED)
        return;
    r->signature = v2 ? STR("SigV2") : STR("SigV4");
    if (call->signed_by == CALL_SIGNED_HEADER)
        r->auth = STR("AuthHeader");
    else if (call->signed_by == CALL_SIGNED_QUERY || call->signed_by == CALL_SIGNED_QUERY_V2)
        r->auth = STR("QueryString");
    else
        r->auth = STR("POST");
}

static void add_request(struct call *call, struct record *r)
{
    const struct wire_request *head = call->request;
    if (!head || head->path.len == 0)
        return;
    r->uri =
        str_fmt(call->arena, STR_FMT " " STR_FMT "%s" STR_FMT " HTTP/1.1", STR_ARG(head->method),
                STR_ARG(head->path), str_is_set(head->query) ? "?" : "", STR_ARG(head->query));
    r->referer = wire_header_get(head, STR("referer"));
    r->agent = wire_header_get(head, STR("user-agent"));
    r->host = wire_header_get(head, STR("host"));
}

/* "bytes 0-9/100" -> 100 */
static bool size_of_range(struct str range, uint64_t *ret_size)
{
    (void)str_cut(&range, '/');
    return str_is_set(range) && str_to_u64(range, ret_size) == ERR_OK;
}

static void add_size(const struct core_seen *seen, struct record *r)
{
    const struct s3_get_object_output *got;
    const struct s3_copy *copy;
    const struct s3_head_object_output *head;
    if (!seen->out || !seen->in)
        return;
    switch (seen->call->op->index) {
    case S3_OP_GET_OBJECT:
        got = seen->out;
        r->size = (uint64_t)got->content_length;
        r->has_size = size_of_range(got->content_range, &r->size) || got->has_content_length;
        return;
    case S3_OP_HEAD_OBJECT:
        head = seen->out;
        r->size = (uint64_t)head->content_length;
        r->has_size = size_of_range(head->content_range, &r->size) || head->has_content_length;
        return;
    case S3_OP_PUT_OBJECT:
    case S3_OP_UPLOAD_PART:
        r->size = seen->request_bytes;
        r->has_size = true;
        return;
    case S3_OP_COPY_OBJECT:
        copy = seen->call->state;
        r->size = copy->source.size;
        r->has_size = true;
        return;
    default:
        return;
    }
}

static struct str error_code(const struct core_seen *seen)
{
    return seen->error ? seen->error->name : STR_NONE;
}

/* A copy reads its source: a record there. */
static void log_source(struct s3 *s3, const struct record *of, struct call *call)
{
    struct s3_copy_source from;
    const struct s3_bucket_rec *rec;
    struct record r = *of;
    struct str header = call_input_str(call, STR("CopySource"));
    if (!str_is_set(header) || s3_parse_copy_source(call->arena, header, &from) != ERR_OK ||
        s3_bucket_seen(s3, call->arena, from.bucket, &rec) != ERR_OK ||
        !str_is_set(rec->logging.bucket))
        return;
    const struct s3_owner *owner = s3_owner_named(call->arena, s3_bucket_owner(call->core, rec));
    if (!owner)
        return;
    r.owner = owner->id;
    r.bucket = from.bucket;
    r.key = from.key;
    r.version_id = from.version_id;
    r.region = rec->region;
    r.operation = call->op->index == S3_OP_COPY_OBJECT ? STR("REST.COPY.OBJECT_GET")
                                                       : STR("REST.COPY.PART_GET");
    keep(s3, call->arena, rec, &r);
}

/* DeleteObjects: a record for each key, beside the request's own. */
static void log_batch(struct s3 *s3, const struct s3_bucket_rec *rec, const struct record *of,
                      struct call *call)
{
    const struct s3_deleting *all = call->state;
    struct record r = *of;
    r.operation = STR("BATCH.DELETE.OBJECT");
    r.uri = STR_NONE;
    r.sent = 0;
    r.total_ns = r.turn_ns = -1;
    for (size_t i = 0; all && i < all->n_deleted; i++) {
        r.status = 204;
        r.key = all->deleted[i].key;
        r.version_id = all->deleted[i].version_id;
        keep(s3, call->arena, rec, &r);
    }
    for (size_t i = 0; all && i < all->n_errors; i++) {
        r.status = str_eq_c(all->errors[i].code, "AccessDenied") ? 403 : 400;
        r.error = all->errors[i].code;
        r.key = all->errors[i].key;
        r.version_id = all->errors[i].version_id;
        keep(s3, call->arena, rec, &r);
    }
}

/* What the request names. */
static bool asked(const struct core_seen *seen, struct call *call, struct s3_claimed *ret_what)
{
    if (!call->op || s3_site_claimed(call, ret_what) || s3_post_claimed(call, ret_what))
        return call->op != NULL;
    const struct wire_routed *routed = seen->routed;
    struct str bucket = call_input_str(call, STR("Bucket")), key = call_input_str(call, STR("Key"));
    if (!seen->in) { /* it was refused before it was read */
        bucket = routed->bucket;
        key = routed->labels ? routed->labels[1] : STR_NONE;
    }
    *ret_what = (struct s3_claimed){.bucket = bucket, .key = key};
    return str_is_set(bucket);
}

static void fill(const struct core_seen *seen, struct call *call, int64_t total_ns,
                 const struct s3_claimed *what, struct record *r)
{
    r->at_ms = clock_wall_ms() - total_ns / NS_PER_MS;
    r->ip = call->source_ip;
    r->requester = requester_of(call);
    r->request_id = call->request_id;
    r->bucket = what->bucket;
    r->key = what->key;
    r->status = seen->status;
    r->error = error_code(seen);
    r->sent = seen->reply_bytes;
    r->has_size = what->has_size;
    r->size = what->size;
    r->total_ns = total_ns;
    r->turn_ns = seen->duration_ns;
    r->version_id = call_input_str(call, STR("VersionId"));
    r->host_id = call->core->cfg.host_id;
    r->by_acl = call->by_grant;
    if (str_is_set(call->tls_version))
        r->tls = str_fmt(call->arena, "TLSv" STR_FMT, STR_ARG(call->tls_version));
    add_signature(call, r);
    add_request(call, r);
    add_size(seen, r);
}

static void log_request(struct s3 *s3, const struct core_seen *seen, int64_t total_ns)
{
    struct call *call = (struct call *)seen->call; /* its arena takes what is made here */
    const struct s3_bucket_rec *rec;
    struct s3_claimed what;
    if (!atomic_load_explicit(&s3->logged, memory_order_relaxed) || s3_is_log_delivery(call->who) ||
        !asked(seen, call, &what) || s3_bucket_seen(s3, call->arena, what.bucket, &rec) != ERR_OK)
        return;
    bool logged = str_is_set(rec->logging.bucket), copies = seen->in && is_copy(call->op);
    const struct s3_owner *owner =
        logged || copies ? s3_owner_named(call->arena, s3_bucket_owner(call->core, rec)) : NULL;
    if (!owner)
        return;
    struct record r = {.owner = owner->id, .region = rec->region};
    fill(seen, call, total_ns, &what, &r);
    r.operation = s3_site_claimed(call, &what) ? str_fmt(call->arena, "WEBSITE." STR_FMT ".OBJECT",
                                                         STR_ARG(call->request->method))
                                               : operation_of(call, str_is_set(what.key));
    if (copies)
        log_source(s3, &r, call);
    if (!logged)
        return;
    keep(s3, call->arena, rec, &r);
    if (seen->in && call->op->index == S3_OP_DELETE_OBJECTS && seen->out)
        log_batch(s3, rec, &r, call);
}

void s3_log_call(void *self, const struct core_seen *seen)
{
    if (!seen->streams) /* the others: at their end */
        log_request(self, seen, seen->duration_ns);
}

void s3_log_end(void *self, const struct core_seen *seen, int64_t ns)
{
    log_request(self, seen, ns);
}

/* --- lifecycle -------------------------------------------------------------------------------- */

struct expiry {
    struct s3 *s3;
    struct arena *arena;
    struct s3_bucket_rec rec;
    struct record record;
};

static void expired(void *arg)
{
    const struct expiry *x = arg;
    keep(x->s3, x->arena, &x->rec, &x->record);
}

enum err s3_log_lifecycle(struct call *call, const struct s3_bucket_ref *b, const char *operation,
                          struct str key, struct str version_id)
{
    const struct s3_owner *owner;
    struct expiry *x;
    if (!str_is_set(b->rec.logging.bucket))
        return ERR_OK;
    owner = s3_owner_of(call);
    x = ARENA_NEW(call->arena, struct expiry);
    if (!owner || !x)
        return ERR_NOMEM;
    *x = (struct expiry){
        .s3 = call->svc,
        .arena = call->arena,
        .rec = b->rec,
        .record = {.owner = owner->id,
                   .bucket = str_dup(call->arena, b->name),
                   .at_ms = call->txn->wall_ms,
                   .requester = STR("AmazonS3"),
                   .request_id = call->request_id,
                   .operation = str_c(operation),
                   .key = str_dup(call->arena, key),
                   .total_ns = -1,
                   .turn_ns = -1,
                   .version_id = str_dup(call->arena, version_id),
                   .host_id = call->core->cfg.host_id,
                   .region = b->rec.region},
    };
    return txn_on_commit(call->txn, expired, x);
}
