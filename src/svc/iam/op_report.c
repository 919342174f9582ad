/* The credential report: all users of the account and what each may sign with, as a table. One is kept; for four hours it
 * stays what it was, whatever changes meanwhile, as on AWS.
 *
 *   none, or older than REPORT_MS --Generate--> made and kept (STARTED) --Generate--> COMPLETE, nothing is made
 *   Get gives what is kept, until it is older than REPORT_MS (ReportExpired)
 *
 * It is made in the call that asks for it, on the worker pool where there are many users: nobody ever sees
 * ReportInProgress. Of the root Weir keeps no last use; N/A stands for that, as for what AWS did not keep.
 *
 * Source: IAM User Guide, "Generate credential reports for your AWS account".
 * Layer: svc. Thread: the call's. */
#include "base/clock.h"
#include "base/record.h"
#include "core/account.h"
#include "svc/iam/iam_used.h"

enum {
    REPORT_MS = 4 * 60 * 60 * 1000,
    REPORT_BYTES_MAX = KV_VALUE_MAX - 1024,
    USER_BYTES_MAX = 1024 * 1024, /* of one user's record, taken apart */
};

struct report {
    int64_t made_ms;
    struct str content;
};

static const struct record_field report_fields[] = {
    REC_INT(struct report, made_ms),
    REC_STR(struct report, content),
};
static const struct record_type report_type = RECORD_TYPE(struct report, 1, report_fields);

static struct str report_key(struct call *call)
{
    return key_make(call->arena, &iam_k_report, iam_scope(call->account));
}

/* ERR_NOT_FOUND. */
static enum err load_report(struct call *call, struct report *ret)
{
    struct str record;
    TRY(txn_get(call->txn, report_key(call), &record));
    return record_unpack_copy(&report_type, call->arena, record, ret);
}

static bool is_old(struct call *call, const struct report *r)
{
    return call->txn->wall_ms - r->made_ms > REPORT_MS;
}

/* --- making ----------------------------------------------------------------------------------- */

#define COLUMNS                                                                                    \
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,"       \
    "password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,"             \
    "access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,"    \
    "access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"                   \
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,"                  \
    "cert_1_last_rotated,cert_2_active,cert_2_last_rotated"
#define NO_KEY "false,N/A,N/A,N/A,N/A"
#define NO_CERTS "false,N/A,false,N/A"

struct making {
    struct call *call;
    struct buf csv;
    int64_t days; /* that a password may be; 0: any number */
    struct arena arena;
    struct iam_entity e; /* the one looked at */
};

/* Names may have commas, and paths quotes. */
static void put_text(struct buf *b, struct str text)
{
    if (str_find(text, ',') == SIZE_MAX && str_find(text, '"') == SIZE_MAX) {
        buf_add_str(b, text);
        return;
    }
    buf_add_byte(b, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] == '"')
            buf_add_byte(b, '"');
        buf_add_byte(b, text.p[i]);
    }
    buf_add_byte(b, '"');
}

static void put_time(struct buf *b, int64_t ms)
{
    char text[CLOCK_TEXT_MAX];
    buf_add_str(b, ms ? clock_iso8601(text, ms) : STR("N/A"));
}

/* Five columns of a key; NULL: there is none. */
static enum err put_key(struct making *m, const struct iam_access *key)
{
    struct iam_used used;
    if (!key) {
        buf_add_c(&m->csv, NO_KEY);
        return ERR_OK;
    }
    TRY(iam_uses_of(iam_of(m->call)->uses, &m->arena, key->id, &used));
    buf_add_fmt(&m->csv, "%s,", key->active ? "true" : "false");
    put_time(&m->csv, key->created_ms);
    buf_add_byte(&m->csv, ',');
    put_time(&m->csv, used.at_ms);
    const bool nowhere = !used.at_ms || str_eq_c(used.service, "s3");
    buf_add_fmt(&m->csv, "," STR_FMT "," STR_FMT, STR_ARG(nowhere ? STR("N/A") : used.region),
                STR_ARG(used.at_ms ? used.service : STR("N/A")));
    return ERR_OK;
}

/* Four columns of the password. */
static void put_password(struct making *m, const struct iam_entity *e)
{
    const int64_t day_ms = 24 * 60 * 60 * 1000;
    const int64_t set_ms = e->login_set_ms ? e->login_set_ms : e->login_ms;
    if (!e->login_ms) {
        buf_add_c(&m->csv, "false,N/A,N/A,N/A");
        return;
    }
    buf_add_c(&m->csv, "true,no_information,");
    put_time(&m->csv, set_ms);
    buf_add_byte(&m->csv, ',');
    put_time(&m->csv, m->days ? set_ms + m->days * day_ms : 0);
}

static enum err put_user(void *arg, struct str key, struct str record)
{
    struct making *m = arg;
    struct iam_entity *e = &m->e;
    arena_clear(&m->arena);
    TRY(iam_entity_unpack(iam_of(m->call), m->call->account, &m->arena, IAM_USER, record, e));
    buf_add_byte(&m->csv, '\n');
    put_text(&m->csv, e->name);
    buf_add_byte(&m->csv, ',');
    put_text(&m->csv, e->arn);
    buf_add_byte(&m->csv, ',');
    put_time(&m->csv, e->created_ms);
    buf_add_byte(&m->csv, ',');
    put_password(m, e);
    buf_add_c(&m->csv, ",false,");
    for (size_t i = 0; i < IAM_KEYS_MAX; i++) {
        TRY(put_key(m, i < e->n_keys ? &e->keys[i] : NULL));
        buf_add_byte(&m->csv, ',');
    }
    buf_add_c(&m->csv, NO_CERTS);
    return buf_err(&m->csv);
}

/* The root cannot sign in, and has the one key that it began with. */
static void put_root(struct making *m)
{
    const struct core *core = m->call->core;
    const int64_t created_ms = account_created_ms(core, m->call->account);
    buf_add_fmt(&m->csv, "\n<root_account>,arn:" STR_FMT ":iam::" STR_FMT ":root,",
                STR_ARG(core->cfg.partition), STR_ARG(m->call->account));
    put_time(&m->csv, created_ms);
    buf_add_c(&m->csv, ",false,no_information,not_supported,not_supported,false,true,");
    put_time(&m->csv, created_ms);
    buf_add_c(&m->csv, ",N/A,N/A,N/A," NO_KEY "," NO_CERTS);
}

/* ERR_LIMIT: the account has more users than a report holds. */
static enum err make_report(struct call *call, struct str *ret_csv)
{
    struct making *m = ARENA_NEW(call->arena, struct making);
    if (!m)
        return ERR_NOMEM;
    m->call = call;
    TRY(iam_password_days(call, &m->days));
    buf_init_arena(&m->csv, call->arena, REPORT_BYTES_MAX);
    buf_add_c(&m->csv, COLUMNS);
    put_root(m);
    arena_init(&m->arena, USER_BYTES_MAX);
    enum err err =
        txn_each(call->txn,
                 key_range(call->arena, &iam_k_entity, iam_scope(call->account), (uint8_t)IAM_USER),
                 put_user, m);
    arena_release(&m->arena);
    *ret_csv = buf_str(&m->csv);
    return err ? err : buf_err(&m->csv);
}

/* --- operations ------------------------------------------------------------------------------- */

enum err iam_generate_credential_report(struct call *call,
                                        const struct iam_generate_credential_report_input *in,
                                        struct iam_generate_credential_report_output *out)
{
    struct report r;
    struct str record;
    enum err err = load_report(call, &r);
    if (err == ERR_OK && !is_old(call, &r)) {
        out->state = STR("COMPLETE");
        return ERR_OK;
    }
    if (err && err != ERR_NOT_FOUND)
        return err;
    out->description = STR("No report exists. Starting a new report generation task");
    out->state = STR("STARTED");
    r.made_ms = call->txn->wall_ms;
    err = make_report(call, &r.content);
    if (err == ERR_LIMIT)
        return call_error(call, &iam_err_limit_exceeded_exception,
                          "Cannot exceed quota for bytes of a credential report: %d",
                          REPORT_BYTES_MAX);
    TRY(err);
    TRY(record_make(&report_type, call->arena, &r, &record));
    return txn_put(call->txn, report_key(call), record);
}

enum err iam_get_credential_report(struct call *call,
                                   const struct iam_get_credential_report_input *in,
                                   struct iam_get_credential_report_output *out)
{
    struct report r;
    enum err err = load_report(call, &r);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &iam_err_credential_report_not_present_exception,
                          "There is no credential report: GenerateCredentialReport makes one.");
    TRY(err);
    if (is_old(call, &r))
        return call_error(call, &iam_err_credential_report_expired_exception,
                          "The credential report is over four hours old: "
                          "GenerateCredentialReport makes a new one.");
    out->content = r.content;
    out->report_format = STR("text/csv");
    WIRE_SET(out, generated_time, r.made_ms);
    return ERR_OK;
}
