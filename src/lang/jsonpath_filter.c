/* Filters and functions of JSONPath. See jsonpath.h. */
#include <math.h>

#include "lang/decimal.h"
#include "lang/equal.h"
#include "lang/jsonpath_int.h"

enum {
    PATTERN_STEPS_MAX = 1000 * 1000,
    PATTERN_DEPTH_MAX = 10 * 1000,
    PATTERN_HEAP_KIB_MAX = 4096
};

enum err jp_operand_value(struct jp_eval *e, const struct jp_operand *o, const struct json *at,
                          const struct json **ret_v)
{
    *ret_v = o->literal;
    return o->path ? e->path_value(e, o->path, at, ret_v) : ERR_OK;
}

/* <0, 0, >0; false when the two have no order. */
static bool order(const struct json *a, const struct json *b, int *ret_order)
{
    struct decimal x, y;
    if (!a || !b || a->kind != b->kind)
        return false;
    if (a->kind == JSON_STRING) {
        *ret_order = str_cmp(a->text, b->text);
        return true;
    }
    if (a->kind != JSON_NUMBER || decimal_parse(a->text, &x) != ERR_OK ||
        decimal_parse(b->text, &y) != ERR_OK)
        return false;
    *ret_order = decimal_cmp(&x, &y);
    return true;
}

static enum err equal(struct jp_eval *e, const struct json *a, const struct json *b, bool *ret_yes)
{
    *ret_yes = a && b && value_equal(a, b, &e->steps);
    return e->steps > JSONPATH_STEPS_MAX ? ERR_LIMIT : ERR_OK;
}

static enum err contains(struct jp_eval *e, const struct json *list, const struct json *v,
                         bool *ret_yes)
{
    *ret_yes = false;
    if (list && v && list->kind == JSON_STRING && v->kind == JSON_STRING)
        *ret_yes = str_find_str(list->text, v->text) != SIZE_MAX;
    if (!list || list->kind != JSON_ARRAY)
        return ERR_OK;
    JSON_EACH (list, it) {
        TRY(equal(e, it, v, ret_yes));
        if (*ret_yes)
            break;
    }
    return ERR_OK;
}

/* How many elements of `a` are in `b`; lists only. */
static enum err overlap(struct jp_eval *e, const struct json *a, const struct json *b,
                        size_t *ret_n)
{
    *ret_n = 0;
    JSON_EACH (a, it) {
        bool in;
        TRY(contains(e, b, it, &in));
        *ret_n += in;
    }
    return ERR_OK;
}

static enum err matches(const struct jp_operand *o, const struct json *v, bool *ret_yes)
{
    *ret_yes = false;
    if (!v || v->kind != JSON_STRING)
        return ERR_OK;
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    pcre2_match_data *data = limits ? pcre2_match_data_create(1, NULL) : NULL;
    int n = PCRE2_ERROR_NOMEMORY;
    if (data) {
        pcre2_set_match_limit(limits, PATTERN_STEPS_MAX);
        pcre2_set_depth_limit(limits, PATTERN_DEPTH_MAX);
        pcre2_set_heap_limit(limits, PATTERN_HEAP_KIB_MAX);
        n = pcre2_match(o->regex, (PCRE2_SPTR)v->text.p, v->text.len, 0, 0, data, limits);
    }
    pcre2_match_data_free(data);
    pcre2_match_context_free(limits);
    *ret_yes = n >= 0;
    return n >= 0 || n == PCRE2_ERROR_NOMATCH ? ERR_OK
           : n == PCRE2_ERROR_NOMEMORY        ? ERR_NOMEM
                                              : ERR_LIMIT;
}

static bool sized(const struct json *v, int64_t *ret_n)
{
    if (!v || v->kind < JSON_STRING)
        return false;
    *ret_n = v->kind == JSON_STRING ? (int64_t)str_utf8_count(v->text) : v->n;
    return true;
}

static bool ordered(enum jp_op op, const struct json *a, const struct json *b)
{
    int o;
    if (!order(a, b, &o))
        return false;
    return op == JP_LT ? o < 0 : op == JP_LE ? o <= 0 : op == JP_GT ? o > 0 : o >= 0;
}

static enum err of_lists(struct jp_eval *e, enum jp_op op, const struct json *a,
                         const struct json *b, bool *ret_holds)
{
    size_t n;
    *ret_holds = false;
    if (!a || !b || a->kind != JSON_ARRAY || b->kind != JSON_ARRAY)
        return ERR_OK;
    TRY(overlap(e, a, b, &n));
    *ret_holds = op == JP_SUBSETOF ? n == a->n : op == JP_ANYOF ? n > 0 : n == 0;
    return ERR_OK;
}

static enum err compare(struct jp_eval *e, const struct jp_expr *x, const struct json *a,
                        const struct json *b, bool *ret_holds)
{
    int64_t n, want;
    bool yes = false;
    switch (x->op) {
    case JP_HOLDS:
        yes = a != NULL && !(x->left.literal && a->kind == JSON_BOOL && !a->b);
        break;
    case JP_EQ:
    case JP_NE:
        TRY(equal(e, a, b, &yes));
        yes ^= x->op == JP_NE;
        break;
    case JP_IN:
    case JP_NIN:
        TRY(contains(e, b && b->kind == JSON_ARRAY ? b : NULL, a, &yes));
        yes ^= x->op == JP_NIN;
        break;
    case JP_CONTAINS:
        TRY(contains(e, a, b, &yes));
        break;
    case JP_SUBSETOF:
    case JP_ANYOF:
    case JP_NONEOF:
        TRY(of_lists(e, x->op, a, b, &yes));
        break;
    case JP_SIZE:
        yes = sized(a, &n) && json_to_i64(b, &want) == ERR_OK && n == want;
        break;
    case JP_EMPTY:
        yes = b && b->kind == JSON_BOOL && sized(a, &n) && (n == 0) == b->b;
        break;
    default:
        yes = ordered(x->op, a, b);
        break;
    }
    *ret_holds = yes;
    return ERR_OK;
}

/* As deep as the parser lets filters nest. */
enum err jp_expr_holds(struct jp_eval *e, const struct jp_expr *x, const struct json *at,
                       bool *ret_holds)
{
    const struct json *a = NULL, *b = NULL;
    if (x->op <= JP_NOT) {
        TRY(jp_expr_holds(e, x->a, at, ret_holds));
        if (x->op == JP_NOT)
            *ret_holds = !*ret_holds;
        else if (*ret_holds == (x->op == JP_AND))
            TRY(jp_expr_holds(e, x->b, at, ret_holds));
        return ERR_OK;
    }
    TRY(jp_operand_value(e, &x->left, at, &a));
    if (x->op == JP_MATCHES)
        return matches(&x->right, a, ret_holds);
    if (x->op != JP_HOLDS)
        TRY(jp_operand_value(e, &x->right, at, &b));
    return compare(e, x, a, b, ret_holds);
}

/* --- functions --------------------------------------------------------------------------------------- */

static enum err number_new(struct jp_eval *e, double d, const struct json **ret_v)
{
    struct buf b;
    struct json *v = ARENA_NEW(e->a, struct json);
    buf_init_arena(&b, e->a, 64);
    json_put_f64(&b, d);
    if (!v || buf_err(&b) != ERR_OK)
        return ERR_NOMEM;
    v->kind = isfinite(d) ? JSON_NUMBER : JSON_NULL;
    v->text = buf_str(&b);
    *ret_v = v;
    return ERR_OK;
}

/* Of the numbers in a list; what is not a number does not count. */
static enum err statistic(struct jp_eval *e, enum jp_function function, const struct json *list,
                          const struct json **ret_v)
{
    double sum = 0, squares = 0, n = 0;
    const struct json *best = NULL;
    JSON_EACH (list, it) {
        double d;
        int o = 0;
        if (json_to_f64(it, &d) != ERR_OK)
            continue;
        sum += d;
        squares += d * d;
        n++;
        if (!best || (order(it, best, &o) && (function == JP_MIN ? o < 0 : o > 0)))
            best = it;
    }
    *ret_v = NULL;
    if (n == 0)
        return ERR_OK;
    if (function == JP_MIN || function == JP_MAX) {
        *ret_v = best;
        return ERR_OK;
    }
    double mean = sum / n, variance = squares / n - mean * mean;
    return number_new(e,
                      function == JP_SUM   ? sum
                      : function == JP_AVG ? mean
                                           : sqrt(variance > 0 ? variance : 0),
                      ret_v);
}

static enum err keys(struct jp_eval *e, const struct json *object, const struct json **ret_v)
{
    struct json *list = ARENA_NEW(e->a, struct json);
    if (!list)
        return ERR_NOMEM;
    list->kind = JSON_ARRAY;
    struct json **tail = &list->child;
    JSON_EACH (object, it) {
        struct json *key = ARENA_NEW(e->a, struct json);
        if (!key)
            return ERR_NOMEM;
        key->kind = JSON_STRING;
        key->text = it->key;
        *tail = key;
        tail = &key->next;
        list->n++;
    }
    *ret_v = list;
    return ERR_OK;
}

/* The list's texts, then the arguments'. */
static enum err concat(struct jp_eval *e, const struct jp_step *s, const struct json *at,
                       const struct json **ret_v)
{
    struct buf b;
    struct json *v = ARENA_NEW(e->a, struct json);
    buf_init_arena(&b, e->a, 1024 * 1024);
    if (at->kind == JSON_ARRAY)
        JSON_EACH (at, it)
            if (it->kind == JSON_STRING)
                buf_add_str(&b, it->text);
    for (const struct jp_operand *o = s->arguments; o; o = o->next) {
        const struct json *value;
        TRY(jp_operand_value(e, o, at, &value));
        if (value && (value->kind == JSON_STRING || value->kind == JSON_NUMBER))
            buf_add_str(&b, value->text);
    }
    TRY(buf_err(&b));
    if (!v)
        return ERR_NOMEM;
    v->kind = JSON_STRING;
    v->text = buf_str(&b);
    *ret_v = v;
    return ERR_OK;
}

enum err jp_function_value(struct jp_eval *e, const struct jp_step *s, const struct json *at,
                           const struct json **ret_v)
{
    int64_t n;
    const struct json *last = at->kind == JSON_ARRAY ? at->child : NULL;
    switch (s->function) {
    case JP_LENGTH:
        *ret_v = NULL;
        return sized(at, &n) ? number_new(e, (double)n, ret_v) : ERR_OK;
    case JP_KEYS:
        *ret_v = NULL;
        return at->kind == JSON_OBJECT ? keys(e, at, ret_v) : ERR_OK;
    case JP_FIRST:
        *ret_v = last;
        return ERR_OK;
    case JP_LAST:
        while (last && last->next)
            last = last->next;
        *ret_v = last;
        return ERR_OK;
    case JP_CONCAT:
        return concat(e, s, at, ret_v);
    default:
        return statistic(e, s->function, at->kind == JSON_ARRAY ? at : NULL, ret_v);
    }
}
