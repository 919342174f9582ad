/* Trace headers and loops. See lambda_trace.h.
 * Layer: svc. */
#include "svc/lambda/lambda_trace.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "codec/crc.h"
#include "core/trace.h"

enum {
    PARENT_HEX = 16,
    ID_HEX = 8,
    HOPS_SHOWN_MAX = 9999,
};

struct lineage {
    struct {
        uint32_t id;
        int hops;
    } v[LAMBDA_LINEAGE_MAX];
    size_t n;
};

/* The same for all versions of a function. */
static uint32_t id_of(const struct lambda_name *function)
{
    uint32_t crc = 0;
    const struct str parts[] = {function->scope.account, function->scope.region, function->name};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        crc = crc32_update(crc, parts[i].p, parts[i].len);
        crc = crc32_update(crc, ":", 1);
    }
    return crc;
}

static bool read_hex(struct str s, uint32_t *ret_v)
{
    uint32_t v = 0;
    if (s.len != ID_HEX)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        if (c >= '0' && c <= '9')
            v = v << 4 | (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            v = v << 4 | (uint32_t)(c - 'a' + 10);
        else
            return false;
    }
    *ret_v = v;
    return true;
}

/* What cannot be read is left out. */
static void read_lineage(struct str given, struct lineage *ret)
{
    struct str rest = trace_field(given, "Lineage");
    ret->n = 0;
    while (str_is_set(rest) && ret->n < LAMBDA_LINEAGE_MAX) {
        struct str entry = str_cut(&rest, '|');
        struct str id = str_cut(&entry, ':');
        int64_t hops;
        if (!read_hex(id, &ret->v[ret->n].id) || !str_is_set(entry) ||
            str_to_i64(entry, &hops) != ERR_OK || hops < 0 || hops > HOPS_SHOWN_MAX)
            continue;
        ret->v[ret->n++].hops = (int)hops;
    }
}

int lambda_trace_hops(struct str given, const struct lambda_name *function)
{
    struct lineage lineage;
    if (!str_is_set(given))
        return 0;
    uint32_t id = id_of(function);
    read_lineage(given, &lineage);
    for (size_t i = 0; i < lineage.n; i++)
        if (lineage.v[i].id == id)
            return lineage.v[i].hops;
    return 0;
}

struct str lambda_trace_longer(struct str a, struct str b, const struct lambda_name *function)
{
    if (!str_is_set(a) || !str_is_set(b))
        return str_is_set(a) ? a : b;
    return lambda_trace_hops(b, function) > lambda_trace_hops(a, function) ? b : a;
}

/* This function's entry goes to the end, so that the earliest give way. */
static void add_hop(struct lineage *lineage, uint32_t id)
{
    int hops = 0;
    size_t kept = 0;
    for (size_t i = 0; i < lineage->n; i++) {
        if (lineage->v[i].id == id)
            hops = lineage->v[i].hops;
        else
            lineage->v[kept++] = lineage->v[i];
    }
    if (kept == LAMBDA_LINEAGE_MAX)
        memmove(&lineage->v[0], &lineage->v[1], --kept * sizeof(lineage->v[0]));
    lineage->v[kept].id = id;
    lineage->v[kept].hops = hops < HOPS_SHOWN_MAX ? hops + 1 : hops;
    lineage->n = kept + 1;
}

struct str lambda_trace_next(char out[LAMBDA_TRACE_MAX], struct str given,
                             const struct lambda_name *function)
{
    char hex[PARENT_HEX + 1], made[TRACE_ROOT_LEN + 1];
    struct buf b;
    struct lineage lineage;
    struct str root = trace_root(given);
    if (!root.p)
        root = trace_root_make(made, clock_wall_ms());
    rng_text(hex, PARENT_HEX, "0123456789abcdef");
    buf_init_fixed(&b, out, LAMBDA_TRACE_MAX);
    buf_add_fmt(&b, "Root=" STR_FMT ";Parent=%s;Sampled=0;Lineage=", STR_ARG(root), hex);
    read_lineage(given, &lineage);
    add_hop(&lineage, id_of(function));
    for (size_t i = 0; i < lineage.n; i++)
        buf_add_fmt(&b, "%s%08x:%d", i ? "|" : "", lineage.v[i].id, lineage.v[i].hops);
    assert(buf_err(&b) == ERR_OK); /* LAMBDA_TRACE_MAX holds the longest */
    return buf_str(&b);
}

/* --- loops -------------------------------------------------------------------------------------- */

bool lambda_is_loop(struct lambda *l, const struct lambda_name *function, struct str given)
{
    const struct lambda_name latest = {.scope = function->scope, .name = function->name};
    struct lambda_fn *fn;
    if (!str_is_set(given) || lambda_trace_hops(given, function) < LAMBDA_HOPS_MAX)
        return false;
    if (lambda_fn_find(l, &latest, &fn) != ERR_OK)
        return false; /* who invokes it finds that out */
    bool allowed = fn->recursion_allowed;
    lambda_fn_unref(fn);
    return !allowed;
}

void lambda_loop_stopped(struct lambda *l, const struct lambda_name *function)
{
    atomic_fetch_add(&l->loops_stopped, 1);
    log_warn("lambda",
             "function " STR_FMT " invokes itself in a loop: stopped after %d invocations of one "
             "chain",
             STR_ARG(function->name), LAMBDA_HOPS_MAX);
}
