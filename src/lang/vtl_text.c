/* Values as text: what Java's toString() gives, and JSON for lists that came from JSON. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang/vtl_int.h"

enum {
    DOUBLE_DIGITS_MAX = 17,
    STEP_BYTES = 64, /* of text that count as one step */
};

/* --- numbers ---------------------------------------------------------------------------------- */

/* The fewest digits that read back as v, without point or trailing zeros; *ret_exp: of d.ddd */
static void shortest(double v, char digits[32], int *ret_exp)
{
    char text[40];
    for (int n = 1; n <= DOUBLE_DIGITS_MAX; n++) {
        snprintf(text, sizeof(text), "%.*e", n - 1, v);
        if (strtod(text, NULL) == v)
            break;
    }
    size_t n = 0;
    for (const char *p = text; *p && *p != 'e'; p++)
        if (*p >= '0' && *p <= '9' && n < 31)
            digits[n++] = *p;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    digits[n] = '\0';
    *ret_exp = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
}

void vtl_put_double(struct buf *b, double v)
{
    char digits[32];
    int exp;
    if (isnan(v) || isinf(v)) {
        buf_add_c(b, isnan(v) ? "NaN" : v < 0 ? "-Infinity" : "Infinity");
        return;
    }
    if (signbit(v))
        buf_add_byte(b, '-');
    if (v == 0) {
        buf_add_c(b, "0.0");
        return;
    }
    shortest(fabs(v), digits, &exp);
    int n = (int)strlen(digits);
    if (exp < -3 || exp >= 7) { /* 1.5E10 */
        buf_add_fmt(b, "%c.%sE%d", digits[0], n > 1 ? digits + 1 : "0", exp);
    } else if (exp < 0) {
        buf_add_fmt(b, "0.%.*s%s", -exp - 1, "000", digits);
    } else {
        for (int i = 0; i <= exp; i++)
            buf_add_byte(b, i < n ? digits[i] : '0');
        buf_add_fmt(b, ".%s", n > exp + 1 ? digits + exp + 1 : "0");
    }
}

/* --- Java ------------------------------------------------------------------------------------- */

static enum err put_list(struct vtl_run *run, struct buf *b, struct vtl_list *list)
{
    TRY(vtl_list_load(run, list));
    buf_add_byte(b, '[');
    for (size_t i = 0; i < list->n; i++) {
        if (i)
            buf_add_c(b, ", ");
        TRY(vtl_put_text(run, b, list->v[i]));
    }
    buf_add_byte(b, ']');
    return ERR_OK;
}

static enum err put_map(struct vtl_run *run, struct buf *b, struct vtl_map *map)
{
    TRY(vtl_map_load(run, map));
    buf_add_byte(b, '{');
    for (size_t i = 0; i < map->n; i++) {
        if (i)
            buf_add_c(b, ", ");
        TRY(vtl_put_text(run, b, map->v[i]->key));
        buf_add_byte(b, '=');
        TRY(vtl_put_text(run, b, map->v[i]->value));
    }
    buf_add_byte(b, '}');
    return ERR_OK;
}

static enum err put_container(struct vtl_run *run, struct buf *b, struct vtl_value v)
{
    switch (v.kind) {
    case VTL_LIST:
        return v.list->json ? vtl_put_json(run, b, v) : put_list(run, b, v.list);
    case VTL_MAP:
        return put_map(run, b, v.map);
    case VTL_ENTRY:
        TRY(vtl_put_text(run, b, v.entry->key));
        buf_add_byte(b, '=');
        return vtl_put_text(run, b, v.entry->value);
    default:
        return run->render(run, v.block, b);
    }
}

static enum err too_deep(struct vtl_run *run)
{
    return vtl_exceed(run, "values are nested too deep");
}

/* What a text that grew means: its limit is the run's fault, its memory is not. */
static enum err grown(struct vtl_run *run, const struct buf *b)
{
    return buf_err(b) == ERR_LIMIT ? vtl_exceed(run, "the output is too large") : buf_err(b);
}

enum err vtl_put_text(struct vtl_run *run, struct buf *b, struct vtl_value v)
{
    enum err err = ERR_OK;
    switch (v.kind) {
    case VTL_NULL:
        buf_add_c(b, "null");
        break;
    case VTL_BOOL:
        json_put_bool(b, v.b);
        break;
    case VTL_INT:
        buf_add_i64(b, v.i);
        break;
    case VTL_DOUBLE:
        vtl_put_double(b, v.f);
        break;
    case VTL_BIG:
    case VTL_STRING:
        TRY(vtl_work(run, v.s.len / STEP_BYTES));
        buf_add_str(b, v.s);
        break;
    case VTL_OBJECT:
        buf_add_c(b, v.object->name);
        break;
    default:
        if (++run->depth > VTL_VALUE_DEPTH_MAX)
            return too_deep(run);
        err = put_container(run, b, v);
        run->depth--;
    }
    TRY(err);
    TRY(vtl_work(run, 1));
    return grown(run, b);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static enum err json_list(struct vtl_run *run, struct buf *b, struct vtl_list *list)
{
    TRY(vtl_list_load(run, list));
    buf_add_byte(b, '[');
    for (size_t i = 0; i < list->n; i++) {
        if (i)
            buf_add_byte(b, ',');
        TRY(vtl_put_json(run, b, list->v[i]));
    }
    buf_add_byte(b, ']');
    return ERR_OK;
}

static enum err json_map(struct vtl_run *run, struct buf *b, struct vtl_map *map)
{
    TRY(vtl_map_load(run, map));
    buf_add_byte(b, '{');
    for (size_t i = 0; i < map->n; i++) {
        struct str key;
        TRY(vtl_to_text(run, map->v[i]->key, &key));
        if (i)
            buf_add_byte(b, ',');
        json_put_str(b, key);
        buf_add_byte(b, ':');
        TRY(vtl_put_json(run, b, map->v[i]->value));
    }
    buf_add_byte(b, '}');
    return ERR_OK;
}

enum err vtl_put_json(struct vtl_run *run, struct buf *b, struct vtl_value v)
{
    struct str text;
    enum err err;
    TRY(vtl_work(run, 1));
    if (v.kind == VTL_LIST || v.kind == VTL_MAP) {
        if (++run->depth > VTL_VALUE_DEPTH_MAX)
            return too_deep(run);
        err = v.kind == VTL_LIST ? json_list(run, b, v.list) : json_map(run, b, v.map);
        run->depth--;
        TRY(err);
        return grown(run, b);
    }
    if (v.kind == VTL_DOUBLE && !isfinite(v.f))
        v = vtl_null();
    TRY(vtl_to_text(run, v, &text));
    if (v.kind == VTL_NULL || v.kind == VTL_BOOL || vtl_is_number(v))
        buf_add_str(b, text);
    else
        json_put_str(b, text);
    return grown(run, b);
}

enum err vtl_to_text(struct vtl_run *run, struct vtl_value v, struct str *ret_s)
{
    struct buf b;
    if (v.kind == VTL_STRING || v.kind == VTL_BIG) {
        *ret_s = v.s;
        return ERR_OK;
    }
    buf_init_arena(&b, run->a, VTL_TEXT_MAX);
    TRY(vtl_put_text(run, &b, v));
    *ret_s = buf_str(&b);
    return buf_err(&b);
}
