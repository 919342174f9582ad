/* Records of exports and imports, and their calls of S3. */
#include "svc/dynamodb/ddb_transfer.h"

#include <assert.h>

#include "base/arn.h"
#include "base/mem.h"
#include "base/record.h"
#include "base/rng.h"
#include "codec/hash.h"
#include "core/page.h"
#include "deliver/job.h"

enum {
    S3_ARENA_MAX = 32 * 1024 * 1024, /* a call's texts, and what it got */
    S3_GOT_MAX = 16 * 1024 * 1024,   /* of an object */
    DIGESTED_MAX = 32 * 1024 * 1024, /* a request has less */
};

const struct ddb_transfer_type ddb_transfer_types[DDB_TRANSFER_KINDS] = {
    {"export", "Export", DDB_EXPORTS_RUNNING_MAX, &dynamodb_err_export_conflict_exception,
     &dynamodb_err_export_not_found_exception},
    {"import", "Import", DDB_IMPORTS_RUNNING_MAX, &dynamodb_err_import_conflict_exception,
     &dynamodb_err_import_not_found_exception},
};

static const struct record_field transfer_fields[] = {
    REC_ENUM(struct ddb_transfer, status, DDB_TRANSFER_STATES),
    REC_STRUCT(struct ddb_transfer, who, &kept_principal_type),
    REC_STR(struct ddb_transfer, token),
    REC_STR(struct ddb_transfer, digest),
    REC_STR(struct ddb_transfer, table_arn),
    REC_STR(struct ddb_transfer, table_uuid),
    REC_STR(struct ddb_transfer, bucket),
    REC_STR(struct ddb_transfer, owner),
    REC_STR(struct ddb_transfer, prefix),
    REC_STR(struct ddb_transfer, sse),
    REC_STR(struct ddb_transfer, sse_key),
    REC_STR(struct ddb_transfer, kms_arn),
    REC_STR(struct ddb_transfer, data_key),
    REC_UINT(struct ddb_transfer, items),
    REC_INT(struct ddb_transfer, start_ms),
    REC_INT(struct ddb_transfer, end_ms),
    REC_INT(struct ddb_transfer, moment_ms),
    REC_INT(struct ddb_transfer, count),
    REC_INT(struct ddb_transfer, bytes),
    REC_STR(struct ddb_transfer, failure),
    REC_STR(struct ddb_transfer, message),
    REC_SINCE(2, REC_STR(struct ddb_transfer, definition)),
    REC_SINCE(2, REC_STR(struct ddb_transfer, options)),
    REC_SINCE(2, REC_STR(struct ddb_transfer, format)),
    REC_SINCE(2, REC_STR(struct ddb_transfer, compression)),
    REC_SINCE(2, REC_INT(struct ddb_transfer, errors)),
    REC_SINCE(3, REC_BOOL(struct ddb_transfer, incremental)),
    REC_SINCE(3, REC_BOOL(struct ddb_transfer, old_images)),
    REC_SINCE(3, REC_INT(struct ddb_transfer, from_ms)),
    REC_SINCE(3, REC_UINT(struct ddb_transfer, source)),
    REC_SINCE(3, REC_STR(struct ddb_transfer, source_key)),
    REC_SINCE(3, REC_STR(struct ddb_transfer, hash)),
    REC_SINCE(3, REC_STR(struct ddb_transfer, range)),
    REC_SINCE(4, REC_BOOL(struct ddb_transfer, ion)),
};
static const struct record_type transfer_type =
    RECORD_TYPE(struct ddb_transfer, 4, transfer_fields);

/* --- records ------------------------------------------------------------------------------------ */

enum err ddb_transfer_put(struct txn *txn, const struct ddb_transfer *t)
{
    struct str record;
    TRY(record_make(&transfer_type, txn->arena, t, &record));
    return txn_put(txn, t->key, record);
}

enum err ddb_transfer_from(struct arena *a, struct str key, struct str value,
                           struct ddb_transfer *ret)
{
    uint8_t kind;
    TRY(record_unpack_copy(&transfer_type, a, value, ret));
    TRY(key_read(&ddb_k_transfer, key, a, KEY_SKIP, &kind, &ret->id));
    if (kind >= DDB_TRANSFER_KINDS)
        return ERR_CORRUPT;
    ret->kind = (enum ddb_transfer_kind)kind;
    ret->key = str_dup(a, key);
    return str_is_set(ret->key) ? ERR_OK : ERR_NOMEM;
}

enum err ddb_transfer_get(struct txn *txn, struct str key, struct ddb_transfer *ret)
{
    struct str value;
    TRY(txn_get(txn, key, &value));
    return ddb_transfer_from(txn->arena, key, value, ret);
}

struct str ddb_transfer_arn(struct arena *a, const struct ddb_transfer *t)
{
    return str_fmt(a, STR_FMT "/%s/" STR_FMT, STR_ARG(t->table_arn),
                   ddb_transfer_types[t->kind].name, STR_ARG(t->id));
}

enum err ddb_transfer_by_arn(struct call *call, enum ddb_transfer_kind kind, struct str text,
                             struct ddb_transfer *ret)
{
    const struct ddb_transfer_type *type = &ddb_transfer_types[kind];
    struct arn arn;
    if (arn_parse_as(text, "dynamodb", "table", &arn) != ERR_OK ||
        !str_eq_c(arn_segment(&arn, 2), type->name) || !str_is_set(arn_segment(&arn, 3)))
        return ddb_refuse(call, "Invalid %s ARN", type->title);
    struct str key =
        key_make(call->arena, &ddb_k_transfer, call_scope(call), (uint8_t)kind, arn_tail(&arn, 3));
    if (!str_is_set(key))
        return ERR_NOMEM;
    enum err err = ddb_transfer_get(call->txn, key, ret);
    struct str own = err ? STR_NONE : ddb_transfer_arn(call->arena, ret);
    if (!err && !str_is_set(own))
        return ERR_NOMEM;
    if (err == ERR_NOT_FOUND || (!err && !str_eq(own, text)))
        return call_error(call, type->not_found, "%s not found: %s" STR_FMT, type->title,
                          kind == DDB_EXPORT ? "Export not found: " : "", STR_ARG(text));
    return err;
}

struct str ddb_transfer_status_text(const struct ddb_transfer *t)
{
    return t->status == DDB_TRANSFER_RUNS   ? STR("IN_PROGRESS")
           : t->status == DDB_TRANSFER_DONE ? STR("COMPLETED")
                                            : STR("FAILED");
}

/* --- what there is ------------------------------------------------------------------------------ */

struct looking {
    struct call *call;
    struct str token;
    struct ddb_transfer found; /* the newest that the token was used for */
    size_t n, running;
    struct str oldest; /* key of the first that is over */
};

static enum err look(void *arg, struct str key, struct str value)
{
    struct looking *l = arg;
    struct ddb_transfer t;
    TRY(ddb_transfer_from(l->call->arena, key, value, &t));
    l->n++;
    l->running += t.status == DDB_TRANSFER_RUNS;
    if (t.status != DDB_TRANSFER_RUNS && !str_is_set(l->oldest))
        l->oldest = t.key;
    if (str_is_set(l->token) && str_eq(l->token, t.token) &&
        l->call->txn->wall_ms - t.start_ms < DDB_TRANSFER_TOKEN_MS)
        l->found = t;
    return ERR_OK;
}

static enum err look_at_all(struct call *call, enum ddb_transfer_kind kind, struct looking *l)
{
    struct key_range range =
        key_range(call->arena, &ddb_k_transfer, call_scope(call), (uint8_t)kind);
    l->call = call;
    return txn_each(call->txn, range, look, l);
}

enum err ddb_transfer_make(struct call *call, enum ddb_transfer_kind kind, struct ddb_transfer *ret)
{
    struct looking l = {.call = call};
    int64_t now = call->txn->wall_ms;
    TRY(look_at_all(call, kind, &l));
    if (l.running >= ddb_transfer_types[kind].running_max)
        return call_error(call, &dynamodb_err_limit_exceeded_exception,
                          "Subscriber limit exceeded: Number of %ss at a time is limited to %zu",
                          ddb_transfer_types[kind].name, ddb_transfer_types[kind].running_max);
    if (l.n >= DDB_TRANSFERS_MAX && str_is_set(l.oldest))
        TRY(txn_del(call->txn, l.oldest));
    ret->kind = kind;
    ret->start_ms = now;
    ret->id = str_fmt(call->arena, "%014lld-%08x", (long long)now, (unsigned)rng_u64());
    ret->key = key_make(call->arena, &ddb_k_transfer, call_scope(call), (uint8_t)kind, ret->id);
    if (!str_is_set(ret->id) || !str_is_set(ret->key))
        return ERR_NOMEM;
    enum err err = principal_keep(call, ret->id, &ret->who);
    if (err == ERR_DENIED)
        return call_error(call, &dynamodb_err_access_denied,
                          "This caller cannot ask for work that goes on after the call");
    return err;
}

enum err ddb_transfer_repeated(struct call *call, enum ddb_transfer_kind kind, struct str token,
                               struct str digest, struct ddb_transfer *ret)
{
    const struct ddb_transfer_type *type = &ddb_transfer_types[kind];
    struct looking l = {.token = token};
    if (!str_is_set(token))
        return ERR_NOT_FOUND;
    TRY(look_at_all(call, kind, &l));
    if (!str_is_set(l.found.key))
        return ERR_NOT_FOUND;
    if (!str_eq(l.found.digest, digest))
        return call_error(call, type->conflict,
                          "%s conflict: Duplicate request detected with conflicting parameters",
                          type->title);
    *ret = l.found;
    return ERR_OK;
}

enum err ddb_transfer_digest(struct arena *a, const struct str *texts, size_t n, struct str *ret)
{
    char hex[2 * HASH_SHA256_LEN];
    struct buf b;
    buf_init_arena(&b, a, DIGESTED_MAX);
    for (size_t i = 0; i < n; i++) {
        buf_add_fmt(&b, "%zu ", texts[i].len);
        buf_add_str(&b, str_is_set(texts[i]) ? texts[i] : STR(""));
    }
    TRY(buf_err(&b));
    hash_sha256_hex(b.p, b.len, hex);
    *ret = str_dup(a, str_n(hex, sizeof(hex)));
    return str_is_set(*ret) ? ERR_OK : ERR_NOMEM;
}

struct listing {
    struct arena *arena;
    struct str table_arn;
    struct ddb_transfer last;
    enum err (*take)(void *arg, const struct ddb_transfer *t);
    void *arg;
};

static enum err match(void *arg, struct str key, struct str value, bool *ret_match)
{
    struct listing *l = arg;
    TRY(ddb_transfer_from(l->arena, key, value, &l->last));
    *ret_match = !str_is_set(l->table_arn) || str_eq(l->table_arn, l->last.table_arn);
    return ERR_OK;
}

static enum err take(void *arg, struct str key, struct str value)
{
    struct listing *l = arg;
    return l->take(l->arg, &l->last); /* match read it */
}

enum err ddb_transfer_list(struct call *call, enum ddb_transfer_kind kind, struct str table_arn,
                           struct page *page,
                           enum err (*take_one)(void *arg, const struct ddb_transfer *t), void *arg)
{
    static const struct page_fns fns = {.match = match, .take = take};
    struct listing l = {.arena = call->arena, .table_arn = table_arn, .take = take_one, .arg = arg};
    page->reverse = true;
    return page_scan(call->txn, page,
                     key_range(call->arena, &ddb_k_transfer, call_scope(call), (uint8_t)kind), &fns,
                     &l);
}

enum err ddb_transfer_end(struct txn *txn, struct ddb_transfer *t, struct str code,
                          struct str message)
{
    t->status = str_is_set(code) ? DDB_TRANSFER_FAILED : DDB_TRANSFER_DONE;
    t->failure = code;
    t->message = message;
    t->end_ms = txn->wall_ms;
    return ddb_transfer_put(txn, t);
}

/* --- changes ------------------------------------------------------------------------------------ */

static const struct record_field change_fields[] = {
    REC_ENUM(struct ddb_window_change, state, DDB_CHANGE_STATES),
    REC_INT(struct ddb_window_change, wall_ms),
};
static const struct record_type change_type =
    RECORD_TYPE(struct ddb_window_change, 1, change_fields);

enum err ddb_window_make(struct arena *a, const struct ddb_window_change *change, struct str *ret)
{
    return record_make(&change_type, a, change, ret);
}

enum err ddb_window_read(struct arena *a, struct str value, struct ddb_window_change *ret)
{
    return record_unpack(&change_type, a, value, ret);
}

struct str ddb_window_key(struct arena *a, uint32_t items, enum ddb_window_part part,
                          struct str tail)
{
    return key_make(a, &ddb_k_window, items, (uint8_t)part, tail);
}

struct key_range ddb_window_range(struct arena *a, uint32_t items)
{
    return key_range(a, &ddb_k_window, items, (uint8_t)DDB_WINDOW_ENTRY);
}

/* --- calls of S3 -------------------------------------------------------------------------------- */

void ddb_s3_init(struct ddb_s3 *s, struct dynamodb *ddb)
{
    *s = (struct ddb_s3){.ddb = ddb};
    arena_init(&s->arena, S3_ARENA_MAX);
    buf_init(&s->body, S3_GOT_MAX);
}

void ddb_s3_release(struct ddb_s3 *s)
{
    buf_release(&s->body);
    arena_release(&s->arena);
}

void ddb_s3_clear(struct ddb_s3 *s)
{
    struct dynamodb *ddb = s->ddb;
    ddb_s3_release(s);
    ddb_s3_init(s, ddb);
}

struct ddb_s3 *ddb_s3_new(struct dynamodb *ddb)
{
    struct ddb_s3 *s = mem_calloc(1, sizeof(*s));
    if (s)
        ddb_s3_init(s, ddb);
    return s;
}

void ddb_s3_free(void *self, void *user)
{
    if (!user)
        return;
    ddb_s3_release(user);
    mem_free(user);
}

enum err ddb_s3_prepare(struct ddb_s3 *s, const struct ddb_transfer *t, const char *operation,
                        struct str input)
{
    TRY(principal_of_kept(s->ddb->core, &s->arena, t->id, &t->who, &s->who));
    struct arn arn;
    TRY(arn_parse(t->table_arn, &arn));
    s->req = (struct core_request){
        .service = STR("s3"),
        .operation = str_c(operation),
        .input = str_dup(&s->arena, input),
        .body = buf_str(&s->body),
        .who = &s->who,
        .region = str_dup(&s->arena, arn.region),
        .via = STR("dynamodb.amazonaws.com"),
        .source_arn = str_dup(&s->arena, t->table_arn),
        .source_account = str_dup(&s->arena, arn.account),
        .output_max = S3_GOT_MAX,
    };
    s->ready = true;
    s->done = false;
    return str_is_set(s->req.input) && str_is_set(s->req.region) ? ERR_OK : ERR_NOMEM;
}

enum err ddb_s3_fault(const struct ddb_s3 *s, struct arena *a, struct str *ret_code,
                      struct str *ret_message)
{
    *ret_code = str_fmt(a, "S3" STR_FMT, STR_ARG(s->code));
    *ret_message =
        str_fmt(a,
                STR_FMT " (Service: Amazon S3; Status Code: %d; Error Code: " STR_FMT
                        "; Request ID: " STR_FMT "; S3 Extended Request ID: null)",
                STR_ARG(s->message), s->status, STR_ARG(s->code), STR_ARG(s->request_id));
    return str_is_set(*ret_code) && str_is_set(*ret_message) ? ERR_OK : ERR_NOMEM;
}

static void answered(void *arg, const struct core_result *r)
{
    struct ddb_s3 *s = arg;
    s->err = r->err;
    if (r->err == ERR_OK) {
        s->output = str_dup(&s->arena, r->output);
        s->got = str_is_set(r->body) ? str_dup(&s->arena, r->body) : STR("");
        if (!str_is_set(s->output) || !str_is_set(s->got))
            s->err = ERR_NOMEM;
    } else {
        s->status = r->status;
        s->request_id = str_dup(&s->arena, r->request_id);
        s->code = str_dup(&s->arena, r->code);
        s->message = str_dup(&s->arena, r->message);
    }
    s->done = true;
    job_continue(s->run);
}

void ddb_s3_run(void *self, struct due_fire *run)
{
    struct dynamodb *ddb = self;
    struct ddb_s3 *s = run->user;
    assert(s && s->ready && !s->done);
    s->run = run;
    s->err = core_call(ddb->core, &s->req, answered, s, NULL);
    if (s->err == ERR_OK)
        return;
    s->done = true;
    job_continue(run);
}
