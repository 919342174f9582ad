/* Settings of a function: what is accepted, what is refused because it could not be honoured (P4),
 * and how the configuration is shown.
 *
 * Layer: svc. Thread: the call's. */
#include "base/arn.h"
#include "base/clock.h"
#include "codec/hash.h"
#include "svc/lambda/lambda_int.h"

enum {
    MEMORY_MIN_MB = 128,
    EPHEMERAL_MIN_MB = 512,
    EPHEMERAL_MAX_MB = 10240,
    HANDLER_MAX = 128,
    DESCRIPTION_MAX = 256,
    LOG_GROUP_MAX = 512,
    RUNTIMES_TEXT_MAX = 4096,
};

static const char *host_architecture(void)
{
#if defined(__x86_64__)
    return "x86_64";
#elif defined(__aarch64__)
    return "arm64";
#else
    return "unknown";
#endif
}

enum err lambda_architecture_apply(struct call *call, struct lambda_architectures_list list,
                                   struct lambda_fn *fn)
{
    if (!list.v) {
        if (!str_is_set(fn->architecture))
            fn->architecture = str_c(host_architecture());
        return ERR_OK;
    }
    if (list.n != 1)
        return LAMBDA_INVALID(call,
                              "1 validation error detected: Value at 'architectures' failed to "
                              "satisfy constraint: Member must have length equal to 1");
    if (!str_eq_c(list.v[0], host_architecture()))
        return LAMBDA_INVALID(call,
                              "The architecture " STR_FMT " cannot run on this host, which is %s.",
                              STR_ARG(list.v[0]), host_architecture());
    fn->architecture = str_c(host_architecture());
    return ERR_OK;
}

/* --- settings that would not be honoured ------------------------------------------------------ */

static enum err refuse_unsupported(struct call *call, const struct lambda_settings *s)
{
    const struct {
        bool set;
        const char *name;
    } rows[] = {
        {s->vpc && (s->vpc->subnet_ids.n || s->vpc->security_group_ids.n), "VpcConfig"},
        {s->file_systems.n > 0, "FileSystemConfigs"},
        {s->image != NULL, "ImageConfig"},
        {s->capacity_provider, "CapacityProviderConfig"},
        {s->durable, "DurableConfig"},
        {s->tenancy, "TenancyConfig"},
        {s->tracing && str_eq_c(s->tracing->mode, "Active"), "TracingConfig.Mode Active"},
        {s->snap_start && str_is_set(s->snap_start->apply_on) &&
             !str_eq_c(s->snap_start->apply_on, "None"),
         "SnapStart"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].set)
            return LAMBDA_INVALID(call, "%s is not supported by Weir.", rows[i].name);
    return ERR_OK;
}

/* --- settings one by one ---------------------------------------------------------------------- */

static bool is_runtime_of(struct str runtime, const char *family)
{
    return str_starts(runtime, str_c(family));
}

/* Says which there are and how to get one. */
static enum err refuse_runtime(struct call *call, struct str runtime, bool known, const char *why)
{
    const struct sandbox *sb = lambda_of(call)->sandbox;
    struct buf here;

    if (sandbox_refusal(sb))
        return LAMBDA_INVALID(
            call, "The runtime parameter of " STR_FMT " is not available on this host: %s",
            STR_ARG(runtime), sandbox_refusal(sb));
    buf_init_arena(&here, call->arena, RUNTIMES_TEXT_MAX);
    sandbox_runtimes_put(sb, &here);
    TRY(buf_err(&here));
    if (!known)
        return LAMBDA_INVALID(call,
                              "The runtime parameter of " STR_FMT
                              " is not supported by Weir. Runtimes here: " STR_FMT ".",
                              STR_ARG(runtime), STR_ARG(buf_str(&here)));
    return LAMBDA_INVALID(
        call,
        "The runtime parameter of " STR_FMT
        " is not available on this host: %s. Runtimes here: " STR_FMT
        ". To get it: weir runtime add " STR_FMT
        "; one that is elsewhere: weir serve --runtime " STR_FMT
        "=PATH; to let the nearest newer one run instead: weir serve --runtime-substitutes.",
        STR_ARG(runtime), why, STR_ARG(buf_str(&here)), STR_ARG(runtime), STR_ARG(runtime));
}

/* Those that AWS lets no function be created with, or changed to. Source: Lambda developer guide, "Lambda runtimes",
 * deprecated ones whose updates are blocked. */
static bool is_retired(struct str runtime)
{
    static const char *const names[] = {
        "nodejs",        "nodejs4.3",     "nodejs4.3-edge", "nodejs6.10",    "nodejs8.10",
        "nodejs10.x",    "nodejs12.x",    "nodejs14.x",     "python2.7",     "python3.6",
        "python3.7",     "ruby2.5",       "ruby2.7",        "java8",         "go1.x",
        "dotnetcore1.0", "dotnetcore2.0", "dotnetcore2.1",  "dotnetcore3.1", "provided",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_c(runtime, names[i]))
            return true;
    return false;
}

static enum err apply_runtime(struct call *call, struct str runtime, struct lambda_fn *fn)
{
    const struct sandbox *sb = lambda_of(call)->sandbox;
    const char *why = NULL;

    if (!str_is_set(runtime))
        return ERR_OK;
    if (is_retired(runtime))
        return LAMBDA_INVALID(call,
                              "The runtime parameter of " STR_FMT
                              " is no longer supported for creating or updating AWS Lambda "
                              "functions. We recommend you use a supported runtime while creating "
                              "or updating functions.",
                              STR_ARG(runtime));
    bool known = is_runtime_of(runtime, "provided.") || is_runtime_of(runtime, "python3.") ||
                 is_runtime_of(runtime, "nodejs");
    if (!known || !sandbox_runtime_available(sb, runtime, &why))
        return refuse_runtime(call, runtime, known, why);
    if (!str_eq(runtime, fn->runtime))
        fn->runtime_update = STR_NONE; /* a version that was chosen was the other's */
    fn->runtime = runtime;
    return ERR_OK;
}

static bool has_space(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] == ' ' || (s.p[i] >= '\t' && s.p[i] <= '\r') || s.p[i] == 0)
            return true;
    return false;
}

static enum err apply_numbers(struct call *call, const struct lambda_settings *s,
                              struct lambda_fn *fn)
{
    if (s->has_timeout) {
        if (s->timeout < 1 || s->timeout > LAMBDA_TIMEOUT_MAX_S)
            return call_error(call, &lambda_err_validation,
                              "1 validation error detected: Value '%lld' at 'timeout' failed to "
                              "satisfy constraint: Member must have value less than or equal to %d",
                              (long long)s->timeout, LAMBDA_TIMEOUT_MAX_S);
        fn->timeout_s = s->timeout;
    }
    if (s->has_memory) {
        if (s->memory < MEMORY_MIN_MB || s->memory > LAMBDA_MEMORY_MAX_MB)
            return LAMBDA_INVALID(
                call,
                "'MemorySize' value failed to satisfy constraint: Member must have "
                "value less than or equal to %d",
                LAMBDA_MEMORY_MAX_MB);
        fn->memory_mb = s->memory;
    }
    if (s->ephemeral && s->ephemeral->has_size) {
        if (s->ephemeral->size < EPHEMERAL_MIN_MB || s->ephemeral->size > EPHEMERAL_MAX_MB)
            return LAMBDA_INVALID(call, "EphemeralStorage.Size must be between %d and %d",
                                  EPHEMERAL_MIN_MB, EPHEMERAL_MAX_MB);
        fn->ephemeral_mb = s->ephemeral->size;
    }
    return ERR_OK;
}

static enum err apply_dead_letter(struct call *call, const struct lambda_dead_letter_config *dlq,
                                  struct lambda_fn *fn)
{
    if (!dlq)
        return ERR_OK;
    if (str_empty(dlq->target_arn)) {
        fn->dlq_arn = STR_NONE;
        return ERR_OK;
    }
    const struct target_kind *kind = target_kind_of(call->core, dlq->target_arn);
    bool topic = target_is(call->core, dlq->target_arn, "topic");
    if (!kind || (!topic && !target_is(call->core, dlq->target_arn, "queue")))
        return LAMBDA_INVALID(call, "DeadLetterConfig targets other than SQS queues and SNS topics "
                                    "are not supported.");
    enum err err = lambda_role_allowed(call->txn, fn->role, kind->action, dlq->target_arn);
    if (err == ERR_DENIED)
        return LAMBDA_INVALID(call,
                              "The provided execution role does not have permissions to call "
                              "%s",
                              topic ? "Publish on SNS" : "SendMessage on SQS");
    TRY(err);
    fn->dlq_arn = dlq->target_arn;
    return ERR_OK;
}

static enum err apply_role(struct call *call, struct str role, struct lambda_fn *fn)
{
    struct arn arn;
    if (!str_is_set(role))
        return ERR_OK;
    if (arn_parse(role, &arn) == ERR_OK && !str_eq(arn.account, call->account))
        return call_error(call, lambda_service.common[WIRE_E_ACCESS_DENIED],
                          "Cross-account pass role is not allowed.");
    const struct identity_port *identity = &call->core->identity;
    enum err err = identity->role_trusts(identity->self, call->txn, role, STR(LAMBDA_PRINCIPAL));
    if (err == ERR_NOT_FOUND || err == ERR_DENIED || err == ERR_INVALID)
        return LAMBDA_INVALID(call,
                              "The role defined for the function cannot be assumed by Lambda.");
    TRY(err);
    fn->role = role;
    return ERR_OK;
}

static bool log_group_valid(struct str s)
{
    if (s.len < 1 || s.len > LOG_GROUP_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        if (!((c | 32) >= 'a' && (c | 32) <= 'z') && !(c >= '0' && c <= '9') && !strchr("._-/#", c))
            return false;
    }
    return true;
}

/* Format and levels: what is not given stays; JSON that is new is told from INFO on. */
static enum err apply_log_format(struct call *call, const struct lambda_logging_config *logging,
                                 struct lambda_fn *fn)
{
    bool json =
        str_is_set(logging->log_format) ? str_eq_c(logging->log_format, "JSON") : fn->log_json;
    if (!json &&
        (str_is_set(logging->application_log_level) || str_is_set(logging->system_log_level)))
        return LAMBDA_INVALID(
            call,
            "LogLevel is not supported when LogFormat is set to \"Text\". Remove LogLevel from "
            "your request or change the LogFormat to \"Json\" and try again.");
    if (!json || !fn->log_json)
        fn->log_level = fn->system_log_level = json ? STR("INFO") : STR_NONE;
    if (str_is_set(logging->application_log_level))
        fn->log_level = logging->application_log_level;
    if (str_is_set(logging->system_log_level))
        fn->system_log_level = logging->system_log_level;
    fn->log_json = json;
    return ERR_OK;
}

static enum err apply_logging(struct call *call, const struct lambda_logging_config *logging,
                              struct lambda_fn *fn)
{
    if (logging)
        TRY(apply_log_format(call, logging, fn));
    if (logging && str_is_set(logging->log_group)) {
        if (!log_group_valid(logging->log_group))
            return LAMBDA_INVALID(call, "LoggingConfig.LogGroup is not a valid log group name");
        fn->log_group = logging->log_group;
    }
    if (!str_is_set(fn->log_group)) {
        fn->log_group = str_fmt(call->arena, "/aws/lambda/" STR_FMT, STR_ARG(fn->name.name));
        if (!str_is_set(fn->log_group))
            return ERR_NOMEM;
    }
    return ERR_OK;
}

enum err lambda_settings_apply(struct call *call, const struct lambda_settings *s,
                               struct lambda_fn *fn)
{
    const struct str old_role = fn->role;
    TRY(refuse_unsupported(call, s));
    TRY(apply_role(call, s->role, fn));
    TRY(apply_runtime(call, s->runtime, fn));
    if (str_is_set(s->handler)) {
        if (s->handler.len > HANDLER_MAX || has_space(s->handler))
            return LAMBDA_INVALID(call, "Handler is not valid");
        fn->handler = s->handler;
    }
    if (str_is_set(s->description)) {
        if (str_utf8_count(s->description) > DESCRIPTION_MAX)
            return LAMBDA_INVALID(call, "Description must be at most %d characters",
                                  DESCRIPTION_MAX);
        fn->description = s->description;
    }
    TRY(apply_numbers(call, s, fn));
    TRY(lambda_env_apply(call, s, old_role, fn));
    TRY(apply_dead_letter(call, s->dead_letter, fn));
    return apply_logging(call, s->logging, fn);
}

/* --- showing ---------------------------------------------------------------------------------- */

static enum err fill_layers(struct arena *a, const struct lambda_fn *fn,
                            struct lambda_function_configuration *out)
{
    if (!fn->n_layers)
        return ERR_OK;
    struct lambda_layer *v = ARENA_ARRAY(a, struct lambda_layer, fn->n_layers);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < fn->n_layers; i++) {
        v[i].arn = fn->layers[i].arn;
        WIRE_SET(&v[i], code_size, fn->layers[i].size);
    }
    out->layers.v = v;
    out->layers.n = fn->n_layers;
    return ERR_OK;
}

/* The parts of a configuration that are structures. */
struct parts {
    struct lambda_dead_letter_config dlq;
    struct lambda_tracing_config_response tracing;
    struct lambda_ephemeral_storage ephemeral;
    struct lambda_snap_start_response snap;
    struct lambda_runtime_version_config runtime;
    struct lambda_logging_config logging;
    struct str architecture;
};

struct str lambda_runtime_arn(struct call *call, const struct lambda_fn *fn)
{
    const struct arn arn = {
        .partition = call->partition, .service = STR("lambda"), .region = fn->name.scope.region};
    char hex[2 * HASH_SHA256_LEN];
    hash_sha256_hex(fn->runtime.p, fn->runtime.len, hex);
    return arn_make(call->arena, &arn, "runtime:" STR_FMT, STR_ARG(str_n(hex, sizeof(hex))));
}

static enum err fill_parts(struct call *call, const struct lambda_fn *fn,
                           struct lambda_function_configuration *out)
{
    struct parts *p = ARENA_NEW(call->arena, struct parts);
    if (!p)
        return ERR_NOMEM;
    if (str_is_set(fn->dlq_arn)) {
        p->dlq.target_arn = fn->dlq_arn;
        out->dead_letter_config = &p->dlq;
    }
    p->tracing.mode = STR("PassThrough");
    out->tracing_config = &p->tracing;
    WIRE_SET(&p->ephemeral, size, fn->ephemeral_mb);
    out->ephemeral_storage = &p->ephemeral;
    p->snap.apply_on = STR("None");
    p->snap.optimization_status = STR("Off");
    out->snap_start = &p->snap;
    p->runtime.runtime_version_arn = lambda_runtime_arn(call, fn);
    out->runtime_version_config = &p->runtime;
    p->logging.log_format = fn->log_json ? STR("JSON") : STR("Text");
    p->logging.application_log_level = fn->log_level;
    p->logging.system_log_level = fn->system_log_level;
    p->logging.log_group = fn->log_group;
    out->logging_config = &p->logging;
    p->architecture = fn->architecture;
    out->architectures.v = &p->architecture;
    out->architectures.n = 1;
    return str_is_set(p->runtime.runtime_version_arn) ? ERR_OK : ERR_NOMEM;
}

struct str lambda_time(struct arena *a, int64_t ms)
{
    char text[CLOCK_TEXT_MAX];
    struct str iso = clock_iso8601_ms(text, ms);
    return str_fmt(a, STR_FMT "+0000", STR_ARG(str_sub(iso, 0, iso.len - 1)));
}

enum err lambda_configuration_fill(struct call *call, const struct lambda_fn *fn, bool qualified,
                                   struct lambda_function_configuration *out)
{
    out->function_name = fn->name.name;
    struct str qualifier = str_is_set(fn->name.qualifier) ? fn->name.qualifier : fn->version;
    out->function_arn =
        lambda_arn(call->arena, call->partition, &fn->name, qualified ? qualifier : STR_NONE);
    out->runtime = fn->runtime;
    out->role = fn->role;
    out->handler = fn->handler;
    WIRE_SET(out, code_size, fn->code_size);
    out->description = str_is_set(fn->description) ? fn->description : STR("");
    WIRE_SET(out, timeout, fn->timeout_s);
    WIRE_SET(out, memory_size, fn->memory_mb);
    out->last_modified = lambda_time(call->arena, fn->modified_ms);
    out->code_sha256 = fn->code_sha256;
    out->version = fn->version;
    out->revision_id = fn->revision;
    out->state = STR("Active");
    out->last_update_status = STR("Successful");
    out->package_type = STR("Zip");
    out->kms_key_arn = fn->kms_key;
    TRY(lambda_env_fill(call, fn, out));
    TRY(fill_layers(call->arena, fn, out));
    TRY(fill_parts(call, fn, out));
    return str_is_set(out->function_arn) && str_is_set(out->last_modified) ? ERR_OK : ERR_NOMEM;
}
