/* Letters: of email and email-json subscriptions. Weir sends no mail; it keeps the newest
 * SNS_MAIL_MAX letters, tells of each in the log, and shows them to the operator:
 *
 *   GET /_weir/sns/mail -> {"messages": [{"at", "to", "subject", "body", "subscription"}, ...]}, the
 *                          newest first, at most SHOWN_MAX of them
 *
 * Letters of other services (sns_port.h) have "source", the ARN of what sent them, in place of
 * "subscription".
 *
 * Layer: svc/sns. Thread: the transaction's. */
#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "codec/json.h"
#include "core/page.h"
#include "core/secret.h"
#include "svc/sns/sns_int.h"

enum { SHOWN_MAX = 100, SHOWN_BYTES_MAX = 8 * 1024 * 1024, LOGGED_MAX = 1024 };
#define MAIL_PATH "/_weir/sns/mail"

/* Once it is durable: what is told has been received. */
static void tell(void *arg)
{
    const struct sns_mail *mail = arg;
    if (str_is_set(mail->data_key)) {
        log_info("sns", "mail, not sent, of an encrypted topic: to=" STR_FMT, STR_ARG(mail->to));
        return;
    }
    if (mail->sealed) {
        log_info("sns",
                 "mail, not sent: to=" STR_FMT " subject=\"" STR_FMT "\", to be read at " MAIL_PATH,
                 STR_ARG(mail->to), STR_ARG(mail->subject));
        return;
    }
    struct str shown = str_sub(mail->body, 0, LOGGED_MAX);
    log_info("sns", "mail, not sent: to=" STR_FMT " subject=\"" STR_FMT "\" body=\"" STR_FMT "\"%s",
             STR_ARG(mail->to), STR_ARG(mail->subject), STR_ARG(shown),
             shown.len < mail->body.len ? " (shortened)" : "");
}

enum err sns_mail_add(struct sns *s, struct txn *txn, const struct sns_mail *mail)
{
    struct str key = key_make(txn->arena, &sns_k_mail, txn->now_ms, rng_u64());
    struct sns_mail *told = ARENA_NEW(txn->arena, struct sns_mail);
    if (!told)
        return ERR_NOMEM;
    *told = *mail;
    TRY(txn_on_commit(txn, job_kick_hook, s->clean));
    TRY(txn_on_durable(txn, tell, told));
    return txn_write(txn, key, &sns_mail_type, mail);
}

enum err sns_mail_letter(void *self, struct txn *txn, const struct sns_letter *letter)
{
    struct sns *s = self;
    struct sns_mail mail = {
        .to = letter->to, .subject = letter->subject, .sub_arn = letter->source, .sealed = true};
    TRY(secret_close(s->core, txn->arena, letter->source, letter->body, &mail.body));
    return sns_mail_add(s, txn, &mail);
}

/* --- showing ---------------------------------------------------------------------------------- */

struct showing {
    struct txn *txn;
    struct arena *a;
    struct json_out o;
    size_t n;
};

/* A letter of an encrypted topic is shown without its text while the key cannot be used. */
static enum err open_letter(struct txn *txn, struct sns_mail *m)
{
    struct kms_data_key key;
    size_t colon = str_rfind(m->sub_arn, ':');
    struct str topic = colon == SIZE_MAX ? m->sub_arn : str_sub(m->sub_arn, 0, colon);
    struct str subject = m->subject, body = m->body;
    m->subject = m->body = STR_NONE;
    enum err err = sns_open_key(txn, topic, m->data_key, &key);
    if (err)
        return err == ERR_DENIED || err == ERR_NOT_FOUND ? ERR_OK : err;
    TRY(secret_open_with(key.plain, txn->arena, m->sub_arn, subject, &m->subject));
    return secret_open_with(key.plain, txn->arena, m->sub_arn, body, &m->body);
}

static enum err show(void *arg, struct str key, struct str val)
{
    struct showing *w = arg;
    struct sns_mail m = {0};
    char at[CLOCK_TEXT_MAX];
    int64_t at_ms;
    TRY(key_read(&sns_k_mail, key, w->a, &at_ms, KEY_SKIP));
    TRY(record_unpack(&sns_mail_type, w->a, val, &m));
    if (str_is_set(m.data_key))
        TRY(open_letter(w->txn, &m));
    if (m.sealed)
        TRY(secret_open(w->txn->core, w->a, m.sub_arn, m.body, &m.body));
    json_open(&w->o, '{');
    json_kv_str(&w->o, STR("at"), clock_iso8601_ms(at, at_ms));
    json_kv_str(&w->o, STR("to"), m.to);
    json_kv_str(&w->o, STR("subject"), m.subject);
    json_kv_str(&w->o, STR("body"), m.body);
    json_kv_str(&w->o, m.sealed ? STR("source") : STR("subscription"), m.sub_arn);
    json_close(&w->o, '}');
    return ++w->n == SHOWN_MAX || w->o.b->len > SHOWN_BYTES_MAX ? ERR_CLOSED : ERR_OK;
}

static enum err serve(struct call *call, const void *in, void *out)
{
    struct buf b;
    struct showing w = {.txn = call->txn, .a = call->arena};
    if (!str_eq_c(call->request->path, MAIL_PATH) || !str_eq_c(call->request->method, "GET"))
        return call_error(call, &sns_err_not_found_exception, "There is " MAIL_PATH " to GET");
    if (!call_is_operator(call))
        return call_error(call, &sns_err_access_denied,
                          "Letters are shown on this machine, or to who has the metrics token");
    buf_init_arena(&b, call->arena, 4 * SHOWN_BYTES_MAX);
    json_out_init(&w.o, &b);
    json_open(&w.o, '{');
    json_key(&w.o, STR("messages"));
    json_open(&w.o, '[');
    TRY(txn_each_reverse(call->txn, key_range_table(call->arena, &sns_k_mail), show, &w));
    json_close(&w.o, ']');
    json_close(&w.o, '}');
    TRY(buf_err(&b));
    call_reply_raw(call, STR("application/json"), buf_str(&b));
    return ERR_OK;
}

static const struct wire_op mail_op = {
    .name = STR_INIT("ShowMail"),
    .service = &sns_service,
    .flags = WIRE_OP_UNSIGNED,
    .run = serve,
};

enum err sns_mail_start(struct sns *s)
{
    s->mail_claim = (struct core_claim){
        .path_prefix = STR(MAIL_PATH),
        .op = &mail_op,
        .self = s,
    };
    return core_claim(s->core, &s->mail_claim);
}
