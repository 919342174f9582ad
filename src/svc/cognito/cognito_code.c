/* Codes, and the letters that they and invitations travel in: to where letters of SNS are shown, since
 * Weir sends no mail. Nothing goes by SMS.
 *
 * Source: Cognito developer guide, "Customizing user pool messages", "Custom message Lambda trigger".
 * Layer: svc/cognito. Thread: the call's. */
#include "svc/cognito/cognito_int.h"

enum { LETTER_MAX = 64 * 1024 };
#define CODE_MARK "{####}"
#define NAME_MARK "{username}"

/* --- texts -------------------------------------------------------------------------------------- */

/* `text` with `mark` replaced by `by`, everywhere. */
static struct str replace(struct arena *a, struct str text, struct str mark, struct str by)
{
    struct buf b;
    buf_init_arena(&b, a, LETTER_MAX);
    for (;;) {
        size_t at = str_find_str(text, mark);
        if (at == SIZE_MAX)
            break;
        buf_add_str(&b, str_sub(text, 0, at));
        buf_add_str(&b, by);
        text = str_sub(text, at + mark.len, SIZE_MAX);
    }
    buf_add_str(&b, text);
    return buf_err(&b) == ERR_OK ? buf_str(&b) : STR_NONE;
}

struct letter {
    struct str subject, body;
};

static struct letter verification(const struct cognito_pool *pool, bool of_password)
{
    const struct cognito_user_pool_type *s = &pool->set;
    const struct cognito_verification_message_template_type *t = s->verification_message_template;
    struct letter l = {STR("Your verification code"), STR("Your confirmation code is " CODE_MARK)};
    if (of_password)
        l = (struct letter){STR("Your verification code"),
                            STR("Your password reset code is " CODE_MARK)};
    if (str_is_set(s->email_verification_subject))
        l.subject = s->email_verification_subject;
    if (str_is_set(s->email_verification_message))
        l.body = s->email_verification_message;
    if (t && str_is_set(t->email_subject))
        l.subject = t->email_subject;
    if (t && str_is_set(t->email_message))
        l.body = t->email_message;
    return l;
}

static struct letter invitation(const struct cognito_pool *pool)
{
    const struct cognito_admin_create_user_config_type *c = pool->set.admin_create_user_config;
    const struct cognito_message_template_type *t = c ? c->invite_message_template : NULL;
    struct letter l = {
        STR("Your temporary password"),
        STR("Your username is " NAME_MARK " and temporary password is " CODE_MARK ".")};
    if (t && str_is_set(t->email_subject))
        l.subject = t->email_subject;
    if (t && str_is_set(t->email_message))
        l.body = t->email_message;
    return l;
}

/* What the trigger says instead. */
static enum err customize(const struct cognito_act *act, const char *source,
                          const struct cognito_user *user, struct letter *l)
{
    struct buf b;
    struct json_out o;
    const struct json *said;
    struct arena *a = act->call->arena;
    if (!str_is_set(cognito_trigger_arn(act->pool, "CustomMessage")))
        return ERR_OK;
    buf_init_arena(&b, a, LETTER_MAX);
    json_out_init(&o, &b);
    cognito_event_begin(&o, user);
    json_kv_str(&o, STR("codeParameter"), STR(CODE_MARK));
    if (str_eq_c(str_c(source), "CustomMessage_AdminCreateUser"))
        json_kv_str(&o, STR("usernameParameter"), STR(NAME_MARK));
    cognito_event_end(&o, act, "clientMetadata");
    TRY(buf_err(&b));
    TRY(cognito_trigger(
        act,
        &(struct cognito_event){
            .trigger = "CustomMessage",
            .source = source,
            .user = user->name,
            .request = buf_str(&b),
            .response = STR("{\"smsMessage\":null,\"emailMessage\":null,\"emailSubject\":null}"),
        },
        &said));
    struct str subject = json_get_str(said, STR("emailSubject"));
    struct str body = json_get_str(said, STR("emailMessage"));
    if (str_is_set(body) && str_find_str(body, STR(CODE_MARK)) == SIZE_MAX)
        return call_error(act->call, &cognito_err_invalid_lambda_response_exception,
                          "CustomMessage returned an email message without the code parameter");
    if (!str_empty(subject))
        l->subject = subject;
    if (!str_empty(body))
        l->body = body;
    return ERR_OK;
}

static enum err post(const struct cognito_act *act, const struct letter *l, struct str to,
                     struct str name, struct str code)
{
    struct call *call = act->call;
    const struct sns_port *mail = cognito_of(call)->mail;
    struct str body = replace(call->arena, l->body, STR(CODE_MARK), code);
    if (str_is_set(body))
        body = replace(call->arena, body, STR(NAME_MARK), name);
    if (!str_is_set(body))
        return ERR_NOMEM;
    if (!mail)
        return call_error(call, &cognito_err_code_delivery_failure_exception,
                          "There is nowhere to send mail to.");
    return mail->letter(mail->self, call->txn,
                        &(struct sns_letter){to, l->subject, body, act->pool->arn});
}

struct str cognito_masked(struct arena *a, struct str address)
{
    size_t at = str_find(address, '@');
    if (at == SIZE_MAX)
        return str_fmt(a, "+*******" STR_FMT,
                       STR_ARG(str_sub(address, address.len > 4 ? address.len - 4 : 0, 4)));
    return str_fmt(a, STR_FMT "***@" STR_FMT "***", STR_ARG(str_sub(address, 0, 1)),
                   STR_ARG(str_sub(address, at + 1, 1)));
}

/* --- codes -------------------------------------------------------------------------------------- */

/* Keyed, since a code of six digits is guessed from a plain digest at once. */
static enum err digest_of(struct call *call, const struct cognito_user *user, struct str code,
                          struct str *ret)
{
    const struct core *core = call->core;
    uint8_t mac[HASH_SHA256_LEN];
    struct str said = str_fmt(call->arena, "cognito/code/" STR_FMT ":" STR_FMT, STR_ARG(user->sub),
                              STR_ARG(code));
    if (!str_is_set(said))
        return ERR_NOMEM;
    hmac_sha256(core->secret_key, sizeof(core->secret_key), said.p, said.len, mac);
    *ret = str_dup(call->arena, str_n((const char *)mac, sizeof(mac)));
    return str_is_set(*ret) ? ERR_OK : ERR_NOMEM;
}

static struct cognito_code *find(const struct cognito_user *user, const char *purpose)
{
    for (size_t i = 0; i < user->n_codes; i++)
        if (str_eq_c(user->codes[i].purpose, purpose))
            return &user->codes[i];
    return NULL;
}

void cognito_code_drop(struct cognito_user *user, const char *purpose)
{
    size_t n = 0;
    for (size_t i = 0; i < user->n_codes; i++)
        if (!str_eq_c(user->codes[i].purpose, purpose))
            user->codes[n++] = user->codes[i];
    user->n_codes = n;
}

static enum err put(struct arena *a, struct cognito_user *user, const struct cognito_code *code)
{
    struct cognito_code *grown = ARENA_ARRAY(a, struct cognito_code, user->n_codes + 1);
    if (!grown)
        return ERR_NOMEM;
    if (user->n_codes)
        memcpy(grown, user->codes, user->n_codes * sizeof(*grown));
    grown[user->n_codes++] = *code;
    user->codes = grown;
    return ERR_OK;
}

enum err cognito_code_send(const struct cognito_act *act, struct cognito_user *user,
                           const struct cognito_sending *s,
                           struct cognito_code_delivery_details_type *ret)
{
    struct call *call = act->call;
    const bool of_password = str_eq_c(str_c(s->purpose), "password");
    struct letter letter = verification(act->pool, of_password);
    if (!str_eq_c(s->attribute, "email"))
        return call_error(call, &cognito_err_code_delivery_failure_exception,
                          "Weir sends no SMS: the code for " STR_FMT " cannot be delivered.",
                          STR_ARG(s->attribute));
    TRY(customize(act, s->source, user, &letter));
    struct str text = cognito_random_text(call->arena, COGNITO_CODE_DIGITS, "0123456789");
    struct cognito_code code = {
        .purpose = str_c(s->purpose),
        .expires_ms =
            call->txn->wall_ms + (of_password ? COGNITO_PASSWORD_CODE_MS : COGNITO_CODE_MS),
        .value = s->value,
    };
    if (!str_is_set(text))
        return ERR_NOMEM;
    TRY(digest_of(call, user, text, &code.digest));
    cognito_code_drop(user, s->purpose);
    TRY(put(call->arena, user, &code));
    TRY(post(act, &letter, s->address, user->name, text));
    if (!ret)
        return ERR_OK;
    *ret = (struct cognito_code_delivery_details_type){
        .destination = cognito_masked(call->arena, s->address),
        .delivery_medium = STR("EMAIL"),
        .attribute_name = s->attribute,
    };
    return str_is_set(ret->destination) ? ERR_OK : ERR_NOMEM;
}

static enum err wrong_code(const struct cognito_act *act, const struct cognito_user *user,
                           const char *purpose)
{
    TRY(cognito_note(act, user, COGNITO_NOTE_CODE, str_c(purpose)));
    return call_error(act->call, &cognito_err_code_mismatch_exception,
                      "Invalid verification code provided, please try again.");
}

enum err cognito_code_take(const struct cognito_act *act, struct cognito_user *user,
                           const char *purpose, struct str code, struct str *ret_value)
{
    struct call *call = act->call;
    struct cognito_code *c = find(user, purpose);
    struct str digest;
    struct str kept;
    TRY(digest_of(call, user, code, &digest));
    /* What this very call added to the count must not take the place of its own answer. */
    enum err err = cognito_kept(call, "wrong code", &kept);
    if (err == ERR_OK)
        return wrong_code(act, user, purpose);
    if (err != ERR_NOT_FOUND)
        return err;
    if (c && c->tries >= COGNITO_CODE_TRIES)
        return call_error(call, &cognito_err_limit_exceeded_exception,
                          "Attempt limit exceeded, please try after some time.");
    if (!c || c->expires_ms <= call->txn->wall_ms)
        return call_error(call, &cognito_err_expired_code_exception,
                          "Invalid code provided, please request a code again.");
    if (!str_eq_consttime(c->digest, digest)) {
        TRY(cognito_keep(call, "wrong code", STR("y")));
        return wrong_code(act, user, purpose);
    }
    if (ret_value)
        *ret_value = c->value;
    cognito_code_drop(user, purpose);
    return ERR_OK;
}

enum err cognito_code_pretend(struct call *call, struct str username,
                              struct cognito_code_delivery_details_type *ret)
{
    *ret = (struct cognito_code_delivery_details_type){
        .destination =
            cognito_masked(call->arena, str_find(username, '@') == SIZE_MAX
                                            ? str_fmt(call->arena, STR_FMT "@e", STR_ARG(username))
                                            : username),
        .delivery_medium = STR("EMAIL"),
        .attribute_name = STR("email"),
    };
    return str_is_set(ret->destination) ? ERR_OK : ERR_NOMEM;
}

enum err cognito_invite(const struct cognito_act *act, const struct cognito_user *user,
                        struct str password)
{
    struct letter letter = invitation(act->pool);
    struct str email = cognito_attr(user, "email");
    TRY(customize(act, "CustomMessage_AdminCreateUser", user, &letter));
    if (str_empty(email))
        return call_error(act->call, &cognito_err_code_delivery_failure_exception,
                          "Weir sends no SMS, and the user has no email address: suppress the "
                          "message, or give one.");
    const bool by_email = COGNITO_HAS(act->pool->set.username_attributes, STR("email"));
    return post(act, &letter, email, by_email ? email : user->name, password);
}

enum err cognito_recovery(const struct cognito_pool *pool, const struct cognito_user *user,
                          struct str *ret_attribute, struct str *ret_address)
{
    const struct cognito_account_recovery_setting_type *r = pool->set.account_recovery_setting;
    bool by_email = !r || r->recovery_mechanisms.n == 0;
    for (size_t i = 0; r && i < r->recovery_mechanisms.n; i++)
        by_email |= str_eq_c(r->recovery_mechanisms.v[i].name, "verified_email");
    struct str email = cognito_attr(user, "email");
    if (!by_email || str_empty(email) || !cognito_verified(user, "email"))
        return ERR_NOT_FOUND;
    *ret_attribute = STR("email");
    *ret_address = email;
    return ERR_OK;
}
