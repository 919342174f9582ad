/* Environments of functions: which variables may be set, and where they can be read.
 *
 * Values are sealed in the store like every secret. Those of a function with a key of KMS are sealed before that with a data
 * key, which lies beside them as KMS sealed it: in memory they are so, too, and are opened by who shows or runs them.
 *
 *   set    the caller seals the data key (kms:Encrypt), and lets the function's role open it (kms:CreateGrant)
 *   shown  the caller opens it (kms:Decrypt); without that the configuration tells an error in its place
 *   run    the role opens it when an environment starts, as the grant allows; those that run stay
 *
 * with the encryption context aws:lambda:FunctionArn = ARN of the function, without version. A version that is published
 * has the same data key; the grant is found again by its name, so a function has one for each key and role that it had.
 *
 * Source: Lambda developer guide, "Securing environment variables".
 * Layer: svc. Thread: see each function. */
#include "base/rng.h"
#include "codec/json.h"
#include "codec/seal.h"
#include "core/inner.h"
#include "core/secret.h"
#include "svc/lambda/lambda_int.h"

enum { ENV_TEXT_MAX = 8 * 1024 * 1024 }; /* more than a request brings */

struct variables {
    struct lambda_environment_variables_entry *v;
    size_t n;
};

/* --- what may be set -------------------------------------------------------------------------- */

static bool env_name_valid(struct str name)
{
    if (name.len < 1 || !((name.p[0] | 32) >= 'a' && (name.p[0] | 32) <= 'z'))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];
        if (!((c | 32) >= 'a' && (c | 32) <= 'z') && !(c >= '0' && c <= '9') && c != '_')
            return false;
    }
    return true;
}

/* Source: Lambda developer guide, "Defined runtime environment variables", reserved ones. */
static bool env_reserved(struct str name)
{
    static const char *const names[] = {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_c(name, names[i]))
            return true;
    return false;
}

/* The limit is one of the variables as JSON, which the error tells. Source: Lambda developer guide, "Lambda quotas". */
static enum err check_size(struct call *call, const struct variables *env)
{
    struct json_out o;
    struct buf b;
    buf_init_arena(&b, call->arena, ENV_TEXT_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    for (size_t i = 0; i < env->n; i++)
        json_kv_str(&o, env->v[i].key, env->v[i].value);
    json_close(&o, '}');
    TRY(buf_err(&b));
    if (buf_str(&b).len <= LAMBDA_ENV_MAX)
        return ERR_OK;
    return LAMBDA_INVALID(call,
                          "Lambda was unable to configure your environment variables because the "
                          "environment variables you have provided exceeded the 4KB limit. String "
                          "measured: " STR_FMT,
                          STR_ARG(buf_str(&b)));
}

static enum err take(struct call *call, const struct lambda_environment *env, struct variables *ret)
{
    struct lambda_environment_variables_entry *v =
        ARENA_ARRAY(call->arena, struct lambda_environment_variables_entry, env->variables.n + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < env->variables.n; i++) {
        const struct lambda_environment_variables_entry *e = &env->variables.v[i];
        if (env_reserved(e->key))
            return LAMBDA_INVALID(
                call,
                "Lambda was unable to configure your environment variables because "
                "the environment variables you have provided contains reserved "
                "keys that are currently not supported for modification. Reserved "
                "keys used in this request: " STR_FMT,
                STR_ARG(e->key));
        if (!env_name_valid(e->key) || (e->value.len && memchr(e->value.p, 0, e->value.len)))
            return LAMBDA_INVALID(call, "Environment variable " STR_FMT " is not valid",
                                  STR_ARG(e->key));
        v[i] = (struct lambda_environment_variables_entry){e->key, str_is_set(e->value) ? e->value
                                                                                        : STR("")};
    }
    *ret = (struct variables){v, env->variables.n};
    return check_size(call, ret);
}

/* --- the key ---------------------------------------------------------------------------------- */

static struct kms_use use_of(const struct principal *who, const struct lambda_fn *fn,
                             struct str function_arn)
{
    return (struct kms_use){.who = who,
                            .via = STR(LAMBDA_PRINCIPAL),
                            .region = fn->name.scope.region,
                            .context = {STR("aws:lambda:FunctionArn"), function_arn}};
}

static struct str function_arn(struct txn *txn, const struct lambda_fn *fn)
{
    return lambda_arn(txn->arena, txn->core->cfg.partition, &fn->name, STR_NONE);
}

static enum err refuse_key(struct call *call, const struct kms_refusal *why, const char *action)
{
    return LAMBDA_INVALID(call,
                          "Lambda was unable to configure access to your environment variables "
                          "because the KMS key is invalid for %s. Please check your KMS key "
                          "settings. KMS Exception: " STR_FMT " KMS Message: " STR_FMT,
                          action, STR_ARG(why->code), STR_ARG(why->message));
}

/* The role may open what is sealed under the key: its sessions for this function, or all where a function's name is too
 * short for that of a session that somebody could name. */
static enum err grant(struct call *call, const struct lambda_fn *fn)
{
    const struct kms_port *kms = lambda_of(call)->kms;
    struct kms_refusal why;
    struct principal role;
    struct str arn = function_arn(call->txn, fn);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    enum err err = core_role_principal(call->core, fn->role, fn->name.name, call->arena, &role);
    if (err == ERR_NOT_FOUND)
        return LAMBDA_INVALID(call, "The role defined for the function does not exist.");
    TRY(err);
    const struct kms_use use = use_of(call->who, fn, arn);
    const struct kms_grantee grantee = {.arn =
                                            policy_is_session(fn->name.name) ? role.arn : fn->role,
                                        .operation = STR("Decrypt"),
                                        .name = STR("lambda")};
    err = kms->grant(kms->self, call->txn, &use, fn->kms_key, &grantee, &why);
    return err == ERR_DENIED ? refuse_key(call, &why, "CreateGrant") : err;
}

/* Seals the variables with a new data key. */
static enum err seal(struct call *call, struct lambda_fn *fn)
{
    const struct kms_port *kms = lambda_of(call)->kms;
    uint8_t bytes[KMS_DATA_KEY_BYTES];
    struct kms_data_key made;
    struct kms_refusal why;
    struct str arn = function_arn(call->txn, fn);
    rng_bytes(bytes, sizeof(bytes));
    struct str key = str_dup(call->arena, str_n((const char *)bytes, sizeof(bytes)));
    if (!str_is_set(arn) || !str_is_set(key))
        return ERR_NOMEM;
    const struct kms_use use = use_of(call->who, fn, arn);
    enum err err = kms->wrap(kms->self, call->txn, &use, fn->kms_key, key, &made, &why);
    if (err == ERR_DENIED)
        return refuse_key(call, &why, "Encrypt");
    TRY(err);
    fn->data_key = made.sealed;
    for (size_t i = 0; i < fn->n_env; i++)
        TRY(secret_close_with(key, call->arena, fn->id, fn->env[i].value, &fn->env[i].value));
    return ERR_OK;
}

/* ERR_DENIED: KMS refuses. */
static enum err open_as(struct txn *txn, const struct principal *who, const struct lambda_fn *fn,
                        struct variables *ret, struct kms_refusal *ret_why)
{
    const struct kms_port *kms = kms_port_of(txn->core);
    struct kms_data_key key;
    struct str arn = function_arn(txn, fn);
    struct lambda_environment_variables_entry *v =
        ARENA_ARRAY(txn->arena, struct lambda_environment_variables_entry, fn->n_env + 1);
    if (!v || !str_is_set(arn))
        return ERR_NOMEM;
    if (!str_is_set(fn->data_key)) {
        *ret = (struct variables){fn->env, fn->n_env};
        return ERR_OK;
    }
    const struct kms_use use = use_of(who, fn, arn);
    TRY(kms->open(kms->self, txn, &use, fn->data_key, &key, ret_why));
    for (size_t i = 0; i < fn->n_env; i++) {
        v[i].key = fn->env[i].key;
        TRY(secret_open_with(key.plain, txn->arena, fn->id, fn->env[i].value, &v[i].value));
    }
    *ret = (struct variables){v, fn->n_env};
    return ERR_OK;
}

/* What the function has now, to be sealed anew. */
static enum err read_old(struct call *call, const struct lambda_fn *fn, struct variables *ret)
{
    struct kms_refusal why;
    enum err err = open_as(call->txn, call->who, fn, ret, &why);
    return err == ERR_DENIED ? refuse_key(call, &why, "Decrypt") : err;
}

enum err lambda_env_apply(struct call *call, const struct lambda_settings *s, struct str old_role,
                          struct lambda_fn *fn)
{
    struct variables env = {0};
    const struct str old_key = fn->kms_key;
    bool other_key = str_is_set(s->kms_key_arn) && !str_eq(s->kms_key_arn, old_key);
    if (s->environment)
        TRY(take(call, s->environment, &env));
    else if (other_key)
        TRY(read_old(call, fn, &env));
    if (other_key)
        fn->kms_key = str_empty(s->kms_key_arn) ? STR_NONE : s->kms_key_arn;
    if (str_is_set(fn->kms_key) && (other_key || !str_eq(old_role, fn->role)))
        TRY(grant(call, fn));
    if (!s->environment && !other_key)
        return ERR_OK;
    fn->env = env.v;
    fn->n_env = env.n;
    fn->has_env = fn->has_env || s->environment;
    fn->data_key = STR_NONE;
    return str_is_set(fn->kms_key) ? seal(call, fn) : ERR_OK;
}

/* --- showing and running ---------------------------------------------------------------------- */

enum err lambda_env_fill(struct call *call, const struct lambda_fn *fn,
                         struct lambda_function_configuration *out)
{
    static struct lambda_environment_variables_entry none;
    struct variables env;
    struct kms_refusal why;
    if (!fn->n_env && !fn->has_env) /* what is older than has_env has variables, if any */
        return ERR_OK;
    struct lambda_environment_response *shown =
        ARENA_NEW(call->arena, struct lambda_environment_response);
    struct lambda_environment_error *error =
        ARENA_NEW(call->arena, struct lambda_environment_error);
    if (!shown || !error)
        return ERR_NOMEM;
    out->environment = shown;
    enum err err = open_as(call->txn, call->who, fn, &env, &why);
    if (err == ERR_DENIED) {
        error->error_code = why.code;
        error->message = str_fmt(
            call->arena,
            "Lambda was unable to decrypt your environment variables because KMS refused. "
            "Please check your KMS permissions. KMS Exception: " STR_FMT " KMS Message: " STR_FMT,
            STR_ARG(why.code), STR_ARG(why.message));
        shown->error = error;
        return str_is_set(error->message) ? ERR_OK : ERR_NOMEM;
    }
    TRY(err);
    shown->variables.v = env.n ? env.v : &none; /* {} */
    shown->variables.n = env.n;
    return ERR_OK;
}

struct look {
    const struct lambda_fn *fn;
    struct variables env;
    struct kms_refusal why;
};

static enum err look(struct txn *txn, void *arg)
{
    struct look *k = arg;
    struct principal role;
    TRY(core_role_principal(txn->core, k->fn->role, k->fn->name.name, txn->arena, &role));
    return open_as(txn, &role, k->fn, &k->env, &k->why);
}

/* Why an environment cannot start, for whom each reason is an error of its own. */
static struct str explain(struct arena *a, const struct kms_refusal *why)
{
    static const char *const texts[KMS_WHYS] = {
        [KMS_WHY_DENIED] = "KMS access was denied",
        [KMS_WHY_DISABLED] = "the KMS key used is disabled",
        [KMS_WHY_INVALID_STATE] = "the KMS key used is in an invalid state for Decrypt",
        [KMS_WHY_NOT_FOUND] = "the KMS key was not found",
        [KMS_WHY_INVALID_USAGE] = "the KMS key used is not for encryption",
        [KMS_WHY_OTHER] = "KMS refused",
    };
    return str_fmt(
        a,
        "Lambda was unable to decrypt the environment variables because %s. Please check "
        "the function's KMS key settings. KMS Exception: " STR_FMT " KMS Message: " STR_FMT,
        texts[why->why], STR_ARG(why->code), STR_ARG(why->message));
}

enum err lambda_env_open(struct lambda *l, struct arena *a, const struct lambda_fn *fn,
                         struct lambda_environment_variables_entry **ret_env,
                         struct lambda_env_refusal *ret_why)
{
    struct look k = {.fn = fn};
    *ret_env = fn->env;
    if (!str_is_set(fn->data_key))
        return ERR_OK;
    enum err err = txn_look(l->core, a, look, &k);
    if (err == ERR_DENIED) {
        ret_why->text = explain(a, &k.why);
        ret_why->why = k.why.why;
        return str_is_set(ret_why->text) ? ERR_DENIED : ERR_NOMEM;
    }
    TRY(err);
    *ret_env = k.env.v;
    return ERR_OK;
}
