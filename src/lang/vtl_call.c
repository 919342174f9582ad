/* Methods and properties by the kind of value; lists. What Java's class has and this has not is null, as
 * a method that there is not. */
#include "lang/vtl_int.h"

/* What a method without a result gives. */
static struct vtl_value nothing(void)
{
    return vtl_string(STR(""));
}

static bool is(const struct vtl_call *c, const char *name, size_t n)
{
    return c->n == n && str_eq_c(c->name, name);
}

/* --- lists ------------------------------------------------------------------------------------ */

static enum err out_of_range(const struct vtl_call *c, int64_t i)
{
    return vtl_fail(c->run, "index %lld out of range in " STR_FMT "()", (long long)i,
                    STR_ARG(c->name));
}

static enum err cannot_change(const struct vtl_call *c)
{
    return vtl_fail(c->run, STR_FMT "() on a list of fixed size", STR_ARG(c->name));
}

static enum err position(const struct vtl_call *c, struct vtl_value v, bool last, int64_t *ret_i)
{
    const struct vtl_list *list = c->self.list;
    enum err err = ERR_OK;
    *ret_i = -1;
    for (size_t i = 0; i < list->n && err == ERR_OK; i++)
        if (vtl_same(c->run, list->v[i], v, &err)) {
            *ret_i = (int64_t)i;
            if (!last)
                break;
        }
    return err;
}

static enum err remove_at(const struct vtl_call *c, size_t i)
{
    struct vtl_list *list = c->self.list;
    memmove(list->v + i, list->v + i + 1, (list->n - i - 1) * sizeof(*list->v));
    list->n--;
    c->run->changes++;
    return vtl_work(c->run, 1 + (list->n - i) / 16);
}

/* remove(int) by position, remove(Object) otherwise. */
static enum err list_remove(const struct vtl_call *c, struct vtl_value *ret_v)
{
    struct vtl_list *list = c->self.list;
    int64_t i = c->args[0].i;
    if (list->fixed)
        return cannot_change(c);
    if (c->args[0].kind == VTL_INT) {
        if (i < 0 || i >= (int64_t)list->n)
            return out_of_range(c, i);
        *ret_v = list->v[i];
        return remove_at(c, (size_t)i);
    }
    TRY(position(c, c->args[0], false, &i));
    *ret_v = vtl_bool(i >= 0);
    return i >= 0 ? remove_at(c, (size_t)i) : ERR_OK;
}

static enum err list_insert(const struct vtl_call *c, int64_t at, struct vtl_value v)
{
    struct vtl_list *list = c->self.list;
    if (list->fixed)
        return cannot_change(c);
    if (at < 0 || at > (int64_t)list->n)
        return out_of_range(c, at);
    TRY(vtl_list_add(c->run, list, v));
    size_t i = (size_t)at, n = list->n - 1 - i;
    memmove(list->v + i + 1, list->v + i, n * sizeof(*list->v));
    list->v[i] = v;
    return vtl_work(c->run, n / 16);
}

static enum err list_add_all(const struct vtl_call *c, struct vtl_value *ret_v)
{
    struct vtl_list *list = c->self.list, *other = c->args[0].list;
    if (list->fixed)
        return cannot_change(c);
    TRY(vtl_list_load(c->run, other));
    size_t n = other->n; /* it may be the same */
    for (size_t i = 0; i < n; i++)
        TRY(vtl_list_add(c->run, list, other->v[i]));
    *ret_v = vtl_bool(n > 0);
    return ERR_OK;
}

/* removeAll, retainAll */
static enum err list_keep(const struct vtl_call *c, bool keep, struct vtl_value *ret_v)
{
    struct vtl_list *list = c->self.list;
    struct vtl_call other = {.run = c->run, .self = c->args[0]};
    size_t n = 0, before = list->n;
    if (list->fixed)
        return cannot_change(c);
    TRY(vtl_list_load(c->run, other.self.list));
    for (size_t i = 0; i < before; i++) {
        int64_t at;
        TRY(position(&other, list->v[i], false, &at));
        if ((at >= 0) == keep)
            list->v[n++] = list->v[i];
    }
    list->n = n;
    c->run->changes++;
    *ret_v = vtl_bool(n != before);
    return ERR_OK;
}

static enum err contains_all(const struct vtl_call *c, struct vtl_value *ret_v)
{
    struct vtl_list *other = c->args[0].list;
    TRY(vtl_list_load(c->run, other));
    for (size_t i = 0; i < other->n; i++) {
        int64_t at;
        TRY(position(c, other->v[i], false, &at));
        if (at < 0) {
            *ret_v = vtl_bool(false);
            return ERR_OK;
        }
    }
    *ret_v = vtl_bool(true);
    return ERR_OK;
}

static enum err sub_list(const struct vtl_call *c, struct vtl_value *ret_v)
{
    const struct vtl_list *list = c->self.list;
    int64_t from = c->args[0].i, to = c->args[1].i;
    if (from < 0 || to > (int64_t)list->n || from > to)
        return out_of_range(c, from);
    struct vtl_value sub;
    TRY(vtl_list_new(c->run, false, &sub));
    for (int64_t i = from; i < to; i++)
        TRY(vtl_list_add(c->run, sub.list, list->v[i]));
    *ret_v = sub;
    return ERR_OK;
}

static enum err list_plain(const struct vtl_call *c, struct vtl_value *ret_v)
{
    struct vtl_list *list = c->self.list;
    if (is(c, "size", 0)) {
        *ret_v = vtl_int((int64_t)list->n);
    } else if (is(c, "isEmpty", 0)) {
        *ret_v = vtl_bool(list->n == 0);
    } else if (is(c, "iterator", 0) || is(c, "toArray", 0)) {
        *ret_v = c->self;
    } else if (is(c, "clear", 0)) {
        list->n = 0;
        c->run->changes++;
        *ret_v = nothing();
    }
    return ERR_OK;
}

static enum err list_one(const struct vtl_call *c, struct vtl_value *ret_v)
{
    struct vtl_list *list = c->self.list;
    struct vtl_value arg = c->args[0];
    bool last = str_eq_c(c->name, "lastIndexOf");
    int64_t i;
    if (is(c, "get", 1)) {
        if (arg.kind != VTL_INT)
            return ERR_OK;
        if (arg.i < 0 || arg.i >= (int64_t)list->n)
            return out_of_range(c, arg.i);
        *ret_v = list->v[arg.i];
    } else if (is(c, "add", 1)) {
        *ret_v = vtl_bool(true);
        return list->fixed ? cannot_change(c) : vtl_list_add(c->run, list, arg);
    } else if (is(c, "contains", 1)) {
        TRY(position(c, arg, false, &i));
        *ret_v = vtl_bool(i >= 0);
    } else if (is(c, "indexOf", 1) || last) {
        TRY(position(c, arg, last, &i));
        *ret_v = vtl_int(i);
    } else if (is(c, "remove", 1)) {
        return list_remove(c, ret_v);
    }
    return ERR_OK;
}

static enum err list_of_list(const struct vtl_call *c, struct vtl_value *ret_v)
{
    if (is(c, "addAll", 1))
        return list_add_all(c, ret_v);
    if (is(c, "removeAll", 1) || is(c, "retainAll", 1))
        return list_keep(c, is(c, "retainAll", 1), ret_v);
    return is(c, "containsAll", 1) ? contains_all(c, ret_v) : list_one(c, ret_v);
}

enum err vtl_call_list(const struct vtl_call *c, struct vtl_value *ret_v)
{
    struct vtl_list *list = c->self.list;
    TRY(vtl_list_load(c->run, list));
    if (c->n == 0)
        return list_plain(c, ret_v);
    if (c->n == 1)
        return c->args[0].kind == VTL_LIST ? list_of_list(c, ret_v) : list_one(c, ret_v);
    if (c->n != 2 || c->args[0].kind != VTL_INT)
        return ERR_OK;
    int64_t i = c->args[0].i;
    if (is(c, "add", 2)) {
        *ret_v = nothing();
        return list_insert(c, i, c->args[1]);
    }
    if (is(c, "subList", 2) && c->args[1].kind == VTL_INT)
        return sub_list(c, ret_v);
    if (!is(c, "set", 2))
        return ERR_OK;
    if (i < 0 || i >= (int64_t)list->n)
        return out_of_range(c, i);
    *ret_v = list->v[i];
    list->v[i] = c->args[1];
    c->run->changes++;
    return ERR_OK;
}

/* --- by kind ---------------------------------------------------------------------------------- */

static enum err call_entry(const struct vtl_call *c, struct vtl_value *ret_v)
{
    if (is(c, "getKey", 0)) {
        *ret_v = c->self.entry->key;
    } else if (is(c, "getValue", 0)) {
        *ret_v = c->self.entry->value;
    } else if (is(c, "setValue", 1)) {
        *ret_v = c->self.entry->value;
        c->self.entry->value = c->args[0];
        c->run->changes++;
    }
    return ERR_OK;
}

/* equals(), toString() and hashCode() of what has none of its own here. */
static enum err call_any(const struct vtl_call *c, struct vtl_value *ret_v, bool *ret_known)
{
    enum err err = ERR_OK;
    struct str text;
    *ret_known = true;
    if (is(c, "toString", 0)) {
        TRY(vtl_to_text(c->run, c->self, &text));
        *ret_v = vtl_string(text);
    } else if (is(c, "equals", 1)) {
        bool same = vtl_same(c->run, c->self, c->args[0], &err);
        *ret_v = vtl_bool(same);
    } else {
        *ret_known = false;
    }
    return err;
}

enum err vtl_call_method(const struct vtl_call *c, struct vtl_value *ret_v)
{
    bool known;
    *ret_v = vtl_null();
    TRY(vtl_work(c->run, 1));
    if (c->self.kind == VTL_OBJECT)
        return c->self.object->call(c->run, c->self.object->self, c->name, c->args, c->n, ret_v);
    if (c->self.kind == VTL_STRING)
        return vtl_call_string(c, ret_v);
    TRY(call_any(c, ret_v, &known));
    if (known)
        return ERR_OK;
    switch (c->self.kind) {
    case VTL_LIST:
        return vtl_call_list(c, ret_v);
    case VTL_MAP:
        return vtl_call_map(c, ret_v);
    case VTL_ENTRY:
        return call_entry(c, ret_v);
    case VTL_BOOL:
    case VTL_INT:
    case VTL_DOUBLE:
    case VTL_BIG:
        return vtl_call_number(c, ret_v);
    default:
        return ERR_OK;
    }
}

/* $x.name: getName(), get("name") of a map, isName(). */
enum err vtl_property(struct vtl_run *run, struct vtl_value self, struct str name,
                      struct vtl_value *ret_v)
{
    struct vtl_call c = {.run = run, .self = self};
    *ret_v = vtl_null();
    if (self.kind == VTL_MAP)
        return vtl_map_get(run, self.map, name, ret_v);
    if (self.kind == VTL_OBJECT)
        return self.object->call(run, self.object->self, name, NULL, SIZE_MAX, ret_v);
    if (self.kind == VTL_ENTRY && str_eq_c(name, "key"))
        c.name = STR("getKey");
    else if (self.kind == VTL_ENTRY && str_eq_c(name, "value"))
        c.name = STR("getValue");
    else if (str_eq_c(name, "empty"))
        c.name = STR("isEmpty");
    else
        return ERR_OK;
    return vtl_call_method(&c, ret_v);
}
