/* Methods of Java's maps, numbers and booleans. */
#include <math.h>

#include "lang/vtl_int.h"

static bool is(const struct vtl_call *c, const char *name, size_t n)
{
    return c->n == n && str_eq_c(c->name, name);
}

/* --- maps ------------------------------------------------------------------------------------- */

enum what { KEYS, VALUES, ENTRIES };

/* keySet(), values(), entrySet(): lists of what is there now. */
static enum err listed(const struct vtl_call *c, enum what what, struct vtl_value *ret_v)
{
    const struct vtl_map *map = c->self.map;
    struct vtl_value list;
    TRY(vtl_list_new(c->run, false, &list));
    for (size_t i = 0; i < map->n; i++) {
        struct vtl_value v = what == KEYS ? map->v[i]->key
                             : what == VALUES
                                 ? map->v[i]->value
                                 : (struct vtl_value){.kind = VTL_ENTRY, .entry = map->v[i]};
        TRY(vtl_list_add(c->run, list.list, v));
    }
    *ret_v = list;
    return ERR_OK;
}

static enum err map_clear(const struct vtl_call *c, struct vtl_value *ret_v)
{
    struct vtl_map *map = c->self.map;
    *ret_v = vtl_string(STR(""));
    map->n = map->cap = 0;
    map->v = NULL;
    map->index = NULL;
    c->run->changes++;
    return ERR_OK;
}

static enum err contains_value(const struct vtl_call *c, struct vtl_value *ret_v)
{
    const struct vtl_map *map = c->self.map;
    enum err err = ERR_OK;
    bool found = false;
    for (size_t i = 0; i < map->n && !found && err == ERR_OK; i++)
        found = vtl_same(c->run, map->v[i]->value, c->args[0], &err);
    *ret_v = vtl_bool(found);
    return err;
}

static enum err put_all(const struct vtl_call *c)
{
    struct vtl_map *other = c->args[0].map;
    TRY(vtl_map_load(c->run, other));
    for (size_t i = 0; i < other->n; i++)
        TRY(vtl_map_put(c->run, c->self.map, other->v[i]->key, other->v[i]->value));
    return ERR_OK;
}

static enum err map_plain(const struct vtl_call *c, struct vtl_value *ret_v)
{
    if (is(c, "size", 0))
        *ret_v = vtl_int((int64_t)c->self.map->n);
    else if (is(c, "isEmpty", 0))
        *ret_v = vtl_bool(c->self.map->n == 0);
    else if (is(c, "keySet", 0))
        return listed(c, KEYS, ret_v);
    else if (is(c, "values", 0))
        return listed(c, VALUES, ret_v);
    else if (is(c, "entrySet", 0))
        return listed(c, ENTRIES, ret_v);
    else if (is(c, "clear", 0))
        return map_clear(c, ret_v);
    return ERR_OK;
}

static enum err map_one(const struct vtl_call *c, const struct vtl_entry *found,
                        struct vtl_value *ret_v)
{
    if (is(c, "get", 1)) {
        if (found)
            *ret_v = found->value;
    } else if (is(c, "containsKey", 1)) {
        *ret_v = vtl_bool(found);
    } else if (is(c, "containsValue", 1)) {
        return contains_value(c, ret_v);
    } else if (is(c, "remove", 1)) {
        return vtl_map_remove(c->run, c->self.map, c->args[0], ret_v);
    } else if (is(c, "putAll", 1) && c->args[0].kind == VTL_MAP) {
        *ret_v = vtl_string(STR("")); /* no result */
        return put_all(c);
    }
    return ERR_OK;
}

enum err vtl_call_map(const struct vtl_call *c, struct vtl_value *ret_v)
{
    struct vtl_map *map = c->self.map;
    TRY(vtl_map_load(c->run, map));
    if (c->n == 0)
        return map_plain(c, ret_v);
    const struct vtl_entry *found = vtl_map_find(map, c->args[0]);
    if (c->n == 1)
        return map_one(c, found, ret_v);
    if (found)
        *ret_v = found->value;
    if (is(c, "put", 2) || (is(c, "putIfAbsent", 2) && !found))
        return vtl_map_put(c->run, map, c->args[0], c->args[1]);
    if (is(c, "getOrDefault", 2) && !found)
        *ret_v = c->args[1];
    else if (!is(c, "getOrDefault", 2) && !is(c, "putIfAbsent", 2))
        *ret_v = vtl_null();
    return ERR_OK;
}

/* --- numbers ---------------------------------------------------------------------------------- */

/* Integer.parseInt and its like, which templates call on any number at hand. */
static enum err parse(const struct vtl_call *c, struct vtl_value *ret_v)
{
    struct str s = c->args[0].s;
    struct str digits = str_starts(s, STR("+")) ? str_sub(s, 1, SIZE_MAX) : s;
    bool integer = c->self.kind == VTL_INT;
    if (c->args[0].kind != VTL_STRING)
        return ERR_OK;
    if (integer && str_to_i64(digits, &ret_v->i) == ERR_OK)
        ret_v->kind = VTL_INT;
    else if (!integer && str_to_f64(str_trim(s), &ret_v->f) == ERR_OK)
        ret_v->kind = VTL_DOUBLE;
    else
        return vtl_fail(c->run, "not a number: \"" STR_FMT "\"", STR_ARG(s));
    return ERR_OK;
}

static struct vtl_value truncated(double f)
{
    if (isnan(f))
        return vtl_int(0);
    return vtl_int(f >= 9.2e18 ? INT64_MAX : f <= -9.2e18 ? INT64_MIN : (int64_t)f);
}

static enum err number_plain(const struct vtl_call *c, struct vtl_value *ret_v)
{
    bool number = vtl_is_number(c->self);
    if (is(c, "booleanValue", 0) && c->self.kind == VTL_BOOL)
        *ret_v = c->self;
    else if (number && (is(c, "intValue", 0) || is(c, "longValue", 0)))
        *ret_v = c->self.kind == VTL_INT ? c->self : truncated(vtl_as_double(c->self));
    else if (number && (is(c, "doubleValue", 0) || is(c, "floatValue", 0)))
        *ret_v = (struct vtl_value){.kind = VTL_DOUBLE, .f = vtl_as_double(c->self)};
    else if (is(c, "hashCode", 0) && c->self.kind == VTL_INT)
        *ret_v = vtl_int((int32_t)(c->self.i ^ c->self.i >> 32));
    else if (is(c, "isNaN", 0) && c->self.kind == VTL_DOUBLE)
        *ret_v = vtl_bool(isnan(c->self.f));
    return ERR_OK;
}

enum err vtl_call_number(const struct vtl_call *c, struct vtl_value *ret_v)
{
    if (c->n == 0)
        return number_plain(c, ret_v);
    struct vtl_value a = c->args[0];
    bool both = c->n == 2 && a.kind == c->args[1].kind && vtl_is_number(a);
    if (c->self.kind == VTL_BOOL) {
        if ((is(c, "parseBoolean", 1) || is(c, "valueOf", 1)) && a.kind == VTL_STRING)
            *ret_v = vtl_bool(str_eq_nocase(a.s, STR("true")));
        return ERR_OK;
    }
    if (is(c, "compareTo", 1) && vtl_is_number(a)) {
        double x = vtl_as_double(c->self), y = vtl_as_double(a);
        *ret_v = vtl_int((x > y) - (x < y));
    } else if (is(c, "valueOf", 1) && a.kind == c->self.kind) {
        *ret_v = a;
    } else if (is(c, "parseInt", 1) || is(c, "parseLong", 1) || is(c, "parseDouble", 1) ||
               is(c, "valueOf", 1)) {
        return parse(c, ret_v);
    } else if (is(c, "toString", 1)) {
        struct str text;
        TRY(vtl_to_text(c->run, a, &text));
        *ret_v = vtl_string(text);
    } else if (both && (is(c, "max", 2) || is(c, "min", 2))) {
        bool first = vtl_as_double(a) >= vtl_as_double(c->args[1]);
        *ret_v = first == is(c, "max", 2) ? a : c->args[1];
    }
    return ERR_OK;
}
