/* Regular expressions of the specs: compiled at first use, kept for the process's life.
 *
 * The specs' dialect is Java's: \uXXXX, and a match is of the whole text. A pattern is from the
 * spec but the text is anybody's, so backtracking is cut at named limits; a text that exceeds them
 * counts as not matching.
 *
 * Layer: wire. Thread: any; a pattern that two threads compile at once is kept once (W1). */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <assert.h>
#include <pcre2.h>

#include "wire/wire_int.h"

enum {
    MATCH_STEPS_MAX = 1000 * 1000,
    MATCH_DEPTH_MAX = 10 * 1000,
    MATCH_HEAP_MAX_KIB = 4 * 1024,
};

static pcre2_code *compile(struct wire_pattern *p)
{
    int code = 0;
    PCRE2_SIZE at = 0;
    uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_ALT_BSUX | PCRE2_ANCHORED | PCRE2_ENDANCHORED |
                       PCRE2_DOLLAR_ENDONLY;
    pcre2_code *re =
        pcre2_compile((PCRE2_SPTR)p->text, PCRE2_ZERO_TERMINATED, options, &code, &at, NULL);
    assert(re || code == PCRE2_ERROR_HEAP_FAILED);
    if (re)
        (void)pcre2_jit_compile(re, PCRE2_JIT_COMPLETE); /* without it, interpreted */
    return re;
}

/* The compiled form, or NULL when memory is short. */
static pcre2_code *compiled(struct wire_pattern *p)
{
    pcre2_code *re = __atomic_load_n(&p->code, __ATOMIC_ACQUIRE);
    if (re)
        return re;
    re = compile(p);
    void *was = NULL;
    if (re && !__atomic_compare_exchange_n(&p->code, &was, re, false, __ATOMIC_ACQ_REL,
                                           __ATOMIC_ACQUIRE)) {
        pcre2_code_free(re);
        re = was;
    }
    return re;
}

static pcre2_match_context *limits(void)
{
    static void *shared;
    pcre2_match_context *ctx = __atomic_load_n(&shared, __ATOMIC_ACQUIRE);
    if (ctx)
        return ctx;
    ctx = pcre2_match_context_create(NULL);
    if (!ctx)
        return NULL;
    pcre2_set_match_limit(ctx, MATCH_STEPS_MAX);
    pcre2_set_depth_limit(ctx, MATCH_DEPTH_MAX);
    pcre2_set_heap_limit(ctx, MATCH_HEAP_MAX_KIB);
    void *was = NULL;
    if (!__atomic_compare_exchange_n(&shared, &was, ctx, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        pcre2_match_context_free(ctx);
        ctx = was;
    }
    return ctx;
}

enum err wire_pattern_match(struct wire_pattern *p, struct str s, bool *ret_match)
{
    assert(p->text);
    pcre2_code *re = compiled(p);
    pcre2_match_context *ctx = limits();
    pcre2_match_data *data = re && ctx ? pcre2_match_data_create(1, NULL) : NULL;
    if (!data)
        return ERR_NOMEM;
    int n = pcre2_match(re, (PCRE2_SPTR)(str_is_set(s) ? s.p : ""), s.len, 0, 0, data, ctx);
    pcre2_match_data_free(data);
    if (n == PCRE2_ERROR_NOMEMORY)
        return ERR_NOMEM;
    *ret_match = n >= 0;
    return ERR_OK;
}

void wire_pattern_release(struct wire_pattern *p)
{
    pcre2_code_free(p->code);
    p->code = NULL;
}
