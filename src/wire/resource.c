/* ARN templates of the specs, filled from an operation's input (wire.h says the language).
 *
 * Layer: wire. Thread: pure. */
#include "wire/wire_int.h"

enum { ARN_MAX = 8 * 1024 };

struct names {
    const struct wire_op *op;
    const void *in;
    struct str account, region, partition;
};

struct str wire_input_str(const struct wire_op *op, const void *in, struct str name)
{
    const struct wire_shape *shape = op->input;
    while (name.p) {
        struct str part = str_cut(&name, '.');
        const struct wire_member *found = NULL;
        for (size_t i = 0; i < shape->n_members && !found; i++) {
            if (str_eq(shape->members[i].name, part))
                found = &shape->members[i];
        }
        if (!found || !wire_is_set(found, in))
            return STR_NONE;
        const void *v = wire_at(found, in);
        if (!name.p)
            return found->shape->kind == WIRE_STRING ? *(const struct str *)v : STR_NONE;
        if (found->shape->kind != WIRE_STRUCT)
            return STR_NONE;
        in = *(const void *const *)v;
        shape = found->shape;
    }
    return STR_NONE;
}

static struct str after_last(struct str s, const char *set)
{
    for (size_t i = s.len; i > 0; i--) {
        if (strchr(set, s.p[i - 1]))
            return str_sub(s, i, SIZE_MAX);
    }
    return s;
}

/* What stands between `mark` and the next `end`, or all of `s` when it has no mark. */
static struct str between(struct str s, struct str mark, char end)
{
    size_t at = str_find_str(s, mark);
    if (at == SIZE_MAX)
        return s;
    s = str_sub(s, at + mark.len, SIZE_MAX);
    return str_cut(&s, end);
}

/* "name", "name:qualifier", "account:function:name", or the ARN. */
static struct str lambda_name(struct str s)
{
    if (str_find_str(s, STR("function:")) != SIZE_MAX)
        return between(s, STR("function:"), ':');
    return str_cut(&s, ':');
}

static struct str apply(struct str form, struct str v)
{
    if (str_eq(form, STR("last")))
        return after_last(v, "/:");
    if (str_eq(form, STR("table")))
        return between(v, STR(":table/"), '/');
    if (str_eq(form, STR("lambda")))
        return lambda_name(v);
    if (str_eq(form, STR("group")))
        return between(v, STR(":log-group:"), ':');
    return v;
}

static struct str look_up(const struct names *n, struct str hole)
{
    struct str form = hole;
    struct str name = str_cut(&form, '|');
    if (str_eq(name, STR("account")))
        return n->account;
    if (str_eq(name, STR("region")))
        return n->region;
    if (str_eq(name, STR("partition")))
        return n->partition;
    struct str v = wire_input_str(n->op, n->in, name);
    return v.p && form.p ? apply(form, v) : v;
}

/* Fills one template. False when a member is absent, unless `last`. */
static bool fill(const struct names *n, struct str template, bool last, struct buf *b)
{
    while (template.len > 0) {
        size_t open = str_find(template, '{');
        if (open == SIZE_MAX)
            open = template.len;
        buf_add(b, template.p, open);
        template = str_sub(template, open + 1, SIZE_MAX);
        if (template.len == 0)
            break;
        struct str v = look_up(n, str_cut(&template, '}'));
        if (!v.p && !last)
            return false;
        /* A policy may not be widened by a name with wildcards: the evaluator takes resources as
         * plain text, so "*" for an absent member only matches patterns that cover all names. */
        buf_add_str(b, v.p ? v : STR("*"));
    }
    return true;
}

enum err wire_resource(const struct wire_op *op, const void *in, struct str account,
                       struct str region, struct str partition, struct arena *arena,
                       struct str *ret_arn)
{
    struct names n = {op, in, account, region, partition};
    struct str rest = op->resource;
    struct buf b;
    if (!rest.p) {
        *ret_arn = STR_NONE;
        return ERR_OK;
    }
    buf_init_arena(&b, arena, ARN_MAX);
    while (rest.p) {
        struct str template = str_cut(&rest, ' ');
        buf_clear(&b);
        if (fill(&n, template, !rest.p, &b))
            break;
    }
    TRY(buf_err(&b));
    *ret_arn = buf_str(&b);
    return ERR_OK;
}
