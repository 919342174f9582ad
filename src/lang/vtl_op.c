/* Operators. Numbers are whole as long as both are, and grow beyond 64 bits by becoming inexact only
 * where Java's would be exact: BigInteger and BigDecimal take part as doubles. What Velocity cannot
 * compute it logs and takes for null. */
#include <math.h>

#include "lang/vtl_int.h"

/* Of references, null and false are not true and all else is; of literals and what is computed only true
 * is, be it as it may that the text or number is not empty. */
bool vtl_holds(const struct vtl_expr *x, struct vtl_value v)
{
    return v.kind == VTL_BOOL ? v.b : v.kind != VTL_NULL && x->kind == VTL_E_REF;
}

/* --- arithmetic ------------------------------------------------------------------------------- */

/* BigInteger's text of a sum or product that is over 64 bits. */
static enum err wide(struct vtl_run *run, __int128 v, struct vtl_value *ret_v)
{
    char text[48], *p = text + sizeof(text);
    bool negative = v < 0;
    unsigned __int128 u = negative ? -(unsigned __int128)v : (unsigned __int128)v;
    do {
        *--p = (char)('0' + (int)(u % 10));
        u /= 10;
    } while (u);
    if (negative)
        *--p = '-';
    struct str s = str_dup(run->a, str_n(p, (size_t)(text + sizeof(text) - p)));
    if (!str_is_set(s))
        return ERR_NOMEM;
    *ret_v = (struct vtl_value){.kind = VTL_BIG, .s = s};
    return ERR_OK;
}

static enum err whole(struct vtl_run *run, enum vtl_op op, int64_t a, int64_t b,
                      struct vtl_value *ret_v)
{
    __int128 v;
    if ((op == VTL_DIV || op == VTL_MOD) && b == 0)
        return ERR_OK; /* null */
    switch (op) {
    case VTL_ADD:
        v = (__int128)a + b;
        break;
    case VTL_SUB:
        v = (__int128)a - b;
        break;
    case VTL_MUL:
        v = (__int128)a * b;
        break;
    case VTL_DIV:
        v = (__int128)a / b;
        break;
    default:
        v = (__int128)a % b;
    }
    if (v < INT64_MIN || v > INT64_MAX)
        return wide(run, v, ret_v);
    *ret_v = vtl_int((int64_t)v);
    return ERR_OK;
}

static struct vtl_value inexact(enum vtl_op op, double a, double b)
{
    struct vtl_value v = {.kind = VTL_DOUBLE};
    if ((op == VTL_DIV || op == VTL_MOD) && b == 0)
        return vtl_null();
    switch (op) {
    case VTL_ADD:
        v.f = a + b;
        break;
    case VTL_SUB:
        v.f = a - b;
        break;
    case VTL_MUL:
        v.f = a * b;
        break;
    case VTL_DIV:
        v.f = a / b;
        break;
    default:
        v.f = fmod(a, b);
    }
    return v;
}

/* text + anything; what is null stands as it is written. */
static enum err concatenate(struct vtl_run *run, const struct vtl_expr *x, struct vtl_value a,
                            struct vtl_value b, struct vtl_value *ret_v)
{
    struct buf out;
    struct str left = x->items[0]->literal, right = x->items[1]->literal;
    if (a.kind != VTL_NULL)
        TRY(vtl_to_text(run, a, &left));
    if (b.kind != VTL_NULL)
        TRY(vtl_to_text(run, b, &right));
    buf_init_arena(&out, run->a, VTL_TEXT_MAX);
    buf_add_str(&out, left);
    buf_add_str(&out, right);
    if (buf_err(&out) == ERR_LIMIT)
        return vtl_exceed(run, "a text is too long");
    *ret_v = vtl_string(buf_str(&out));
    TRY(vtl_work(run, out.len / 64));
    return buf_err(&out);
}

static enum err arithmetic(struct vtl_run *run, const struct vtl_expr *x, struct vtl_value a,
                           struct vtl_value b, struct vtl_value *ret_v)
{
    if (x->op == VTL_ADD && (a.kind == VTL_STRING || b.kind == VTL_STRING))
        return concatenate(run, x, a, b, ret_v);
    if (!vtl_is_number(a) || !vtl_is_number(b))
        return ERR_OK;
    if (a.kind == VTL_INT && b.kind == VTL_INT)
        return whole(run, x->op, a.i, b.i, ret_v);
    *ret_v = inexact(x->op, vtl_as_double(a), vtl_as_double(b));
    return ERR_OK;
}

/* --- comparison ------------------------------------------------------------------------------- */

static int compare(struct vtl_value a, struct vtl_value b)
{
    if (a.kind == VTL_INT && b.kind == VTL_INT)
        return (a.i > b.i) - (a.i < b.i);
    double x = vtl_as_double(a), y = vtl_as_double(b);
    return (x > y) - (x < y);
}

/* Numbers by value, others by equals() when they are of one class, else by their text. */
static enum err equal(struct vtl_run *run, struct vtl_value a, struct vtl_value b, bool *ret_equal)
{
    enum err err = ERR_OK;
    struct str left, right;
    *ret_equal = false;
    if (a.kind == VTL_NULL || b.kind == VTL_NULL) {
        *ret_equal = a.kind == b.kind;
        return ERR_OK;
    }
    if (vtl_is_number(a) && vtl_is_number(b)) {
        *ret_equal = compare(a, b) == 0;
        return ERR_OK;
    }
    if (a.kind == b.kind) {
        *ret_equal = vtl_same(run, a, b, &err);
        return err;
    }
    TRY(vtl_to_text(run, a, &left));
    TRY(vtl_to_text(run, b, &right));
    *ret_equal = str_eq(left, right);
    return ERR_OK;
}

static bool ordered(enum vtl_op op, int order)
{
    switch (op) {
    case VTL_LT:
        return order < 0;
    case VTL_LE:
        return order <= 0;
    case VTL_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

enum err vtl_binary(struct vtl_run *run, const struct vtl_expr *x, struct vtl_value a,
                    struct vtl_value b, struct vtl_value *ret_v)
{
    bool yes = false;
    switch (x->op) {
    case VTL_EQ:
    case VTL_NE:
        TRY(equal(run, a, b, &yes));
        *ret_v = vtl_bool(yes == (x->op == VTL_EQ));
        return ERR_OK;
    case VTL_LT:
    case VTL_LE:
    case VTL_GT:
    case VTL_GE:
        *ret_v = vtl_bool(vtl_is_number(a) && vtl_is_number(b) && ordered(x->op, compare(a, b)));
        return ERR_OK;
    default:
        return arithmetic(run, x, a, b, ret_v);
    }
}
