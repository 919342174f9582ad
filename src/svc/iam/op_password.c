/* Passwords of users: the account's policy for them, login profiles, and users who change their own. There is no
 * console to sign in to: a password is for its user to change, and for reports.
 *
 * A password is kept as its hash, and so are those before it, as many as a policy may ask for. The policy counts when a
 * user changes his own: who resets another's does not know what it was.
 *
 * Layer: svc. Thread: the call's; hashing on the worker pool. */
#include <assert.h>

#include "auth/password.h"
#include "base/record.h"
#include "svc/iam/iam_int.h"

/* --- password policy -------------------------------------------------------------------------- */

struct passwords {
    int64_t min, age_days, reuse; /* 0: none */
    bool symbols, numbers, upper, lower, change, hard_expiry;
};

static const struct record_field passwords_fields[] = {
    REC_INT(struct passwords, min),          REC_INT(struct passwords, age_days),
    REC_INT(struct passwords, reuse),        REC_BOOL(struct passwords, symbols),
    REC_BOOL(struct passwords, numbers),     REC_BOOL(struct passwords, upper),
    REC_BOOL(struct passwords, lower),       REC_BOOL(struct passwords, change),
    REC_BOOL(struct passwords, hard_expiry),
};
static const struct record_type passwords_type = RECORD_TYPE(struct passwords, 1, passwords_fields);

static struct str passwords_key(struct arena *a, struct str account)
{
    return key_make(a, &iam_k_passwords, iam_scope(account));
}

static enum err load_passwords(struct txn *txn, struct str account, struct passwords *ret)
{
    struct str record;
    TRY(txn_get(txn, passwords_key(txn->arena, account), &record));
    return record_unpack_copy(&passwords_type, txn->arena, record, ret);
}

enum err iam_password_days(struct call *call, int64_t *ret_days)
{
    struct passwords p = {0};
    enum err err = load_passwords(call->txn, call->account, &p);
    *ret_days = p.age_days;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* A policy of the account may let its users change their own passwords, whatever else they may (IAM User Guide, "Allow users to
 * change their own password"). */
enum err iam_grants(void *self, struct txn *txn, struct call *call, const struct principal *who,
                    struct str action, struct str arn, enum svc_grant *ret_grant)
{
    struct passwords p;
    *ret_grant = SVC_GRANT_NONE;
    if (who->kind != PRINCIPAL_USER || !str_eq_c(action, "iam:ChangePassword") ||
        !str_eq(arn, who->arn))
        return ERR_OK;
    enum err err = load_passwords(txn, who->account, &p);
    if (err == ERR_OK && p.change)
        *ret_grant = SVC_GRANT_CALLER;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err no_passwords(struct call *call)
{
    return call_error(call, &iam_err_no_such_entity_exception,
                      "The Password Policy with domain name " STR_FMT " cannot be found.",
                      STR_ARG(call->account));
}

/* What is not named goes back to its default (IAM API Reference, UpdateAccountPasswordPolicy). */
enum err
iam_update_account_password_policy(struct call *call,
                                   const struct iam_update_account_password_policy_input *in,
                                   struct iam_update_account_password_policy_output *out)
{
    const struct passwords p = {
        .min = in->has_minimum_password_length ? in->minimum_password_length : 6,
        .age_days = in->has_max_password_age ? in->max_password_age : 0,
        .reuse = in->has_password_reuse_prevention ? in->password_reuse_prevention : 0,
        .symbols = in->has_require_symbols && in->require_symbols,
        .numbers = in->has_require_numbers && in->require_numbers,
        .upper = in->has_require_uppercase_characters && in->require_uppercase_characters,
        .lower = in->has_require_lowercase_characters && in->require_lowercase_characters,
        .change = in->has_allow_users_to_change_password && in->allow_users_to_change_password,
        .hard_expiry = in->has_hard_expiry && in->hard_expiry,
    };
    struct str record;
    TRY(record_make(&passwords_type, call->arena, &p, &record));
    return txn_put(call->txn, passwords_key(call->arena, call->account), record);
}

enum err iam_get_account_password_policy(struct call *call,
                                         const struct iam_get_account_password_policy_input *in,
                                         struct iam_get_account_password_policy_output *out)
{
    struct passwords p;
    struct iam_password_policy *shape = ARENA_NEW(call->arena, struct iam_password_policy);
    if (!shape)
        return ERR_NOMEM;
    enum err err = load_passwords(call->txn, call->account, &p);
    if (err == ERR_NOT_FOUND)
        return no_passwords(call);
    TRY(err);
    WIRE_SET(shape, minimum_password_length, p.min);
    WIRE_SET(shape, require_symbols, p.symbols);
    WIRE_SET(shape, require_numbers, p.numbers);
    WIRE_SET(shape, require_uppercase_characters, p.upper);
    WIRE_SET(shape, require_lowercase_characters, p.lower);
    WIRE_SET(shape, allow_users_to_change_password, p.change);
    WIRE_SET(shape, expire_passwords, p.age_days > 0);
    if (p.age_days > 0)
        WIRE_SET(shape, max_password_age, p.age_days);
    if (p.reuse > 0)
        WIRE_SET(shape, password_reuse_prevention, p.reuse);
    WIRE_SET(shape, hard_expiry, p.hard_expiry);
    out->password_policy = shape;
    return ERR_OK;
}

enum err
iam_delete_account_password_policy(struct call *call,
                                   const struct iam_delete_account_password_policy_input *in,
                                   struct iam_delete_account_password_policy_output *out)
{
    struct str record;
    enum err err = txn_get(call->txn, passwords_key(call->arena, call->account), &record);
    if (err == ERR_NOT_FOUND)
        return no_passwords(call);
    TRY(err);
    return txn_del(call->txn, passwords_key(call->arena, call->account));
}

/* --- login profiles --------------------------------------------------------------------------- */

static bool has_any(struct str text, const char *from, const char *to)
{
    for (size_t i = 0; i < text.len; i++)
        for (size_t k = 0; from[k]; k++)
            if (text.p[i] >= from[k] && text.p[i] <= to[k])
                return true;
    return false;
}

/* Without a policy: eight characters of three kinds (IAM User Guide, "Default password policy"). */
static const char *lacks(const struct passwords *p, bool none, struct str password)
{
    bool symbol = has_any(password, "!:[{", "/@`~"), number = has_any(password, "0", "9");
    bool upper = has_any(password, "A", "Z"), lower = has_any(password, "a", "z");
    if (none)
        return symbol + number + upper + lower >= 3
                   ? NULL
                   : "Password should have at least three of uppercase letters, lowercase letters, "
                     "numbers and symbols";
    return p->upper && !upper      ? "Password should have at least one uppercase letter"
           : p->lower && !lower    ? "Password should have at least one lowercase letter"
           : p->numbers && !number ? "Password should have at least one number"
           : p->symbols && !symbol ? "Password should have at least one symbol"
                                   : NULL;
}

static enum err check_password(struct call *call, struct str password)
{
    struct passwords p = {.min = 8};
    enum err err = load_passwords(call->txn, call->account, &p);
    if (err && err != ERR_NOT_FOUND)
        return err;
    if ((int64_t)password.len < p.min)
        return call_error(call, &iam_err_password_policy_violation_exception,
                          "Password should have a minimum length of %lld", (long long)p.min);
    const char *what = lacks(&p, err == ERR_NOT_FOUND, password);
    return what ? call_error(call, &iam_err_password_policy_violation_exception, "%s", what)
                : ERR_OK;
}

/* What was worked out for a call that may begin anew, as a hash takes long. Lifetime: the call's. */
struct worked {
    struct str hash; /* of the new password */
    struct str fits; /* the hash that the old password fits */
};

static struct worked *worked_of(struct call *call)
{
    if (!call->state)
        call->state = ARENA_NEW(call->arena, struct worked);
    return call->state;
}

/* The user's new password, which was checked; the present one becomes one of those before. */
static enum err set_password(struct call *call, struct iam_entity *e, struct str password)
{
    struct worked *w = worked_of(call);
    if (!w)
        return ERR_NOMEM;
    if (!str_is_set(w->hash)) {
        TRY(txn_work(call->txn, TXN_SLICE_WORK + 1));
        TRY(password_hash(call->arena, password, &w->hash));
    }
    if (str_is_set(e->login_hash)) {
        const size_t n = min_size(e->n_passwords_before + 1, ARRAY_LEN(e->passwords_before));
        memmove(e->passwords_before + 1, e->passwords_before, (n - 1) * sizeof(struct str));
        e->passwords_before[0] = e->login_hash;
        e->n_passwords_before = n;
    }
    e->login_hash = w->hash;
    e->login_set_ms = call->txn->wall_ms;
    return ERR_OK;
}

/* ERR_DENIED. One that was set when none was kept is nobody's any more. */
static enum err fits(struct call *call, struct str hash, struct str password)
{
    struct worked *w = worked_of(call);
    if (!w)
        return ERR_NOMEM;
    if (!str_is_set(hash))
        return ERR_DENIED;
    if (str_is_set(w->fits) && str_eq(w->fits, hash))
        return ERR_OK;
    TRY(txn_work(call->txn, TXN_SLICE_WORK + 1));
    TRY(password_verify(call->arena, hash, password));
    w->fits = str_dup(call->arena, hash);
    return str_is_set(w->fits) ? ERR_OK : ERR_NOMEM;
}

/* Whether it is none of the last that the account's policy counts, the present one first. */
static enum err check_fresh(struct call *call, const struct iam_entity *e, struct str password)
{
    struct passwords p = {0};
    enum err err = load_passwords(call->txn, call->account, &p);
    if (err && err != ERR_NOT_FOUND)
        return err;
    if (p.reuse > 0)
        TRY(txn_work(call->txn, TXN_SLICE_WORK + 1));
    err = p.reuse > 0 ? password_verify(call->arena, e->login_hash, password) : ERR_DENIED;
    for (size_t i = 0; err == ERR_DENIED && i < e->n_passwords_before && (int64_t)i + 1 < p.reuse;
         i++)
        err = password_verify(call->arena, e->passwords_before[i], password);
    if (err == ERR_OK)
        return call_error(call, &iam_err_password_policy_violation_exception,
                          "Policy constraint violation with password reuse prevention during "
                          "password change.");
    return err == ERR_DENIED ? ERR_OK : err;
}

static enum err show_login(struct call *call, const struct iam_entity *e,
                           const struct iam_login_profile **ret)
{
    struct iam_login_profile *l = ARENA_NEW(call->arena, struct iam_login_profile);
    if (!l)
        return ERR_NOMEM;
    l->user_name = e->name;
    WIRE_SET(l, create_date, e->login_ms);
    WIRE_SET(l, password_reset_required, e->login_reset);
    *ret = l;
    return ERR_OK;
}

/* The user, who has one. */
static enum err need_login(struct call *call, struct str name, struct iam_entity **ret_e)
{
    TRY(iam_get_user_or_self(call, name, ret_e));
    return (*ret_e)->login_ms ? ERR_OK
                              : call_error(call, &iam_err_no_such_entity_exception,
                                           "Login Profile for User " STR_FMT " cannot be found.",
                                           STR_ARG((*ret_e)->name));
}

enum err iam_create_login_profile(struct call *call,
                                  const struct iam_create_login_profile_input *in,
                                  struct iam_create_login_profile_output *out)
{
    struct iam_entity *e;
    TRY(iam_get_user_or_self(call, in->user_name, &e));
    if (e->login_ms)
        return call_error(call, &iam_err_entity_already_exists_exception,
                          "Login Profile for user " STR_FMT " already exists.", STR_ARG(e->name));
    if (!str_is_set(in->password))
        return call_error(call, &iam_err_validation, "Must specify password");
    TRY(check_password(call, in->password));
    TRY(set_password(call, e, in->password));
    e->login_ms = call->txn->wall_ms;
    e->login_reset = in->has_password_reset_required && in->password_reset_required;
    TRY(iam_entity_store(iam_of(call), call->txn, e));
    return show_login(call, e, &out->login_profile);
}

enum err iam_get_login_profile(struct call *call, const struct iam_get_login_profile_input *in,
                               struct iam_get_login_profile_output *out)
{
    struct iam_entity *e;
    TRY(need_login(call, in->user_name, &e));
    return show_login(call, e, &out->login_profile);
}

enum err iam_update_login_profile(struct call *call,
                                  const struct iam_update_login_profile_input *in,
                                  struct iam_update_login_profile_output *out)
{
    struct iam_entity *e;
    TRY(need_login(call, in->user_name, &e));
    if (str_is_set(in->password)) {
        TRY(check_password(call, in->password));
        TRY(set_password(call, e, in->password));
    }
    if (in->has_password_reset_required)
        e->login_reset = in->password_reset_required;
    return iam_entity_store(iam_of(call), call->txn, e);
}

enum err iam_delete_login_profile(struct call *call,
                                  const struct iam_delete_login_profile_input *in,
                                  struct iam_delete_login_profile_output *out)
{
    struct iam_entity *e;
    TRY(need_login(call, in->user_name, &e));
    e->login_ms = e->login_set_ms = 0;
    e->login_reset = false;
    e->login_hash = STR_NONE;
    e->n_passwords_before = 0;
    return iam_entity_store(iam_of(call), call->txn, e);
}

/* --- by himself ------------------------------------------------------------------------------- */

enum err iam_change_password(struct call *call, const struct iam_change_password_input *in,
                             struct iam_change_password_output *out)
{
    struct iam_entity *e;
    if (call->who->kind != PRINCIPAL_USER)
        return call_error(call, &iam_err_invalid_user_type_exception,
                          "Only IAM Users can change their own password.");
    TRY(need_login(call, STR_NONE, &e));
    enum err err = fits(call, e->login_hash, in->old_password);
    if (err == ERR_DENIED)
        return call_error(call, &iam_err_access_denied, "The old password was incorrect.");
    TRY(err);
    TRY(check_password(call, in->new_password));
    TRY(check_fresh(call, e, in->new_password));
    TRY(set_password(call, e, in->new_password));
    e->login_reset = false;
    return iam_entity_store(iam_of(call), call->txn, e);
}
