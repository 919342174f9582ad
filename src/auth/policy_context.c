/* The request's condition keys.
 *
 * Layer: auth. Thread: the request's. */
#include <assert.h>

#include "auth/policy.h"
#include "base/clock.h"

enum { VALUES_FIRST = 2, KEYS_FIRST = 32 };

void policy_context_init(struct policy_context *ctx, struct arena *a)
{
    *ctx = (struct policy_context){.arena = a};
}

static struct policy_key *find(const struct policy_context *ctx, struct str name)
{
    for (size_t i = 0; i < ctx->n; i++)
        if (ctx->keys[i].name.len == name.len && str_eq_nocase(ctx->keys[i].name, name))
            return &ctx->keys[i];
    return NULL;
}

static bool has_mark(struct str name, struct str mark)
{
    for (size_t i = 0; i + mark.len <= name.len; i++)
        if (str_eq_nocase(str_sub(name, i, mark.len), mark))
            return true;
    return false;
}

void policy_context_late(struct policy_context *ctx, struct str mark, policy_context_fill *fill,
                         void *arg)
{
    size_t i = 0;
    while (i < ctx->n_lates && !str_eq(ctx->lates[i].mark, mark))
        i++;
    assert(i < POLICY_LATES_MAX);
    ctx->lates[i] = (struct policy_late){mark, fill, arg};
    if (i == ctx->n_lates)
        ctx->n_lates++;
}

const struct policy_key *policy_context_find(const struct policy_context *ctx, struct str name)
{
    for (size_t i = 0; i < ctx->n_lates; i++) {
        struct policy_late late = ctx->lates[i];
        if (!late.fill || !has_mark(name, late.mark))
            continue;
        struct policy_context *own = (struct policy_context *)ctx;
        own->lates[i].fill = NULL;
        enum err err = late.fill(own, late.arg);
        if (own->err == ERR_OK)
            own->err = err;
    }
    return find(ctx, name);
}

static enum err add(struct policy_context *ctx, struct str name, struct str value)
{
    struct policy_key *k = find(ctx, name);
    if (!k) {
        if (ctx->n == POLICY_CONTEXT_KEYS_MAX)
            return ERR_LIMIT;
        TRY(ARENA_GROW(ctx->arena, ctx->keys, ctx->n, ctx->cap, KEYS_FIRST));
        k = &ctx->keys[ctx->n++];
        *k = (struct policy_key){.name = name};
    }
    if (k->n == POLICY_VALUES_MAX)
        return ERR_LIMIT;
    TRY(ARENA_GROW(ctx->arena, k->values, k->n, k->cap, VALUES_FIRST));
    k->values[k->n++] = value;
    return ERR_OK;
}

void policy_context_add(struct policy_context *ctx, struct str key, struct str value)
{
    if (!str_is_set(value) || ctx->err != ERR_OK)
        return;
    ctx->err = add(ctx, key, value);
}

void policy_context_add2(struct policy_context *ctx, struct str prefix, struct str suffix,
                         struct str value)
{
    if (!str_is_set(value) || ctx->err != ERR_OK)
        return;
    struct str name = str_fmt(ctx->arena, STR_FMT STR_FMT, STR_ARG(prefix), STR_ARG(suffix));
    ctx->err = str_is_set(name) ? add(ctx, name, value) : ERR_NOMEM;
}

static void add_copy(struct policy_context *ctx, struct str key, struct str text)
{
    if (ctx->err != ERR_OK)
        return;
    struct str copy = str_dup(ctx->arena, text);
    ctx->err = str_is_set(copy) ? add(ctx, key, copy) : ERR_NOMEM;
}

void policy_context_add_i64(struct policy_context *ctx, struct str key, int64_t value)
{
    if (ctx->err != ERR_OK)
        return;
    struct str text = str_fmt(ctx->arena, "%lld", (long long)value);
    ctx->err = str_is_set(text) ? add(ctx, key, text) : ERR_NOMEM;
}

void policy_context_add_bool(struct policy_context *ctx, struct str key, bool value)
{
    policy_context_add(ctx, key, value ? STR("true") : STR("false"));
}

void policy_context_add_time(struct policy_context *ctx, struct str key, int64_t ms)
{
    char text[CLOCK_TEXT_MAX];
    add_copy(ctx, key, clock_iso8601(text, ms));
}
