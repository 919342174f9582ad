/* quote-elt: one program of two functions, as they share most of it, and the layer.
 *
 * Layer: pipeline. Thread: one. */
#include <stdlib.h>

#include "functions.h"

static struct setup setup;

static int handle_ingest(struct lambda_context *ctx, struct str event, struct buf *reply)
{
    return ingest(&setup, ctx, event, reply);
}

static int handle_daily(struct lambda_context *ctx, struct str event, struct buf *reply)
{
    return daily(&setup, ctx, event, reply);
}

/* Each with the variables that it needs. */
static const struct {
    const char *name;
    lambda_handler *handler;
    const char *variables[6];
} functions[] = {
    {"ingest", handle_ingest, {"RAW_TABLE", "QUOTES_URL"}},
    {"daily", handle_daily, {"RAW_TABLE", "HISTORY_TABLE", "BUCKET", "BUS", "LIMITS"}},
};

/* A sentence in the arena; NULL: all is well. */
static const char *configure(struct arena *a, const char *const *variables)
{
    struct str why = STR_NONE;
    for (; *variables; variables++) {
        const char *value = getenv(*variables);
        if (!value || !*value)
            return str_cstr(a, str_fmt(a, "the variable %s must be set", *variables));
    }
    setup.store.raw_table = str_c(getenv("RAW_TABLE"));
    setup.store.history_table = str_c(getenv("HISTORY_TABLE"));
    setup.store.bucket = str_c(getenv("BUCKET"));
    setup.store.bus = str_c(getenv("BUS"));
    setup.quotes_url = getenv("QUOTES_URL");
    if (str_to_i64(str_c(getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")), &setup.memory_mb) != ERR_OK)
        return "the function's memory is not known";
    if (getenv("LIMITS") &&
        limits_read(a, str_c(getenv("LIMITS")), setup.limits, &setup.n_limits, &why) != ERR_OK)
        return str_cstr(a, str_fmt(a, "LIMITS: " STR_FMT, STR_ARG(why)));
    if (aws_new(&setup.store.aws) != ERR_OK)
        return "no credentials or region";
    return NULL;
}

int main(void)
{
    struct arena a;
    struct str name = str_c(getenv("_HANDLER"));
    arena_init(&a, 1024 * 1024);
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        if (!str_eq_c(name, functions[i].name))
            continue;
        const char *fault = configure(&a, functions[i].variables);
        if (fault)
            return lambda_init_error("Pipeline.Configuration", fault), 1;
        return lambda_run(functions[i].handler);
    }
    return lambda_init_error("Pipeline.Configuration", "the handler is neither ingest nor daily"),
           1;
}
