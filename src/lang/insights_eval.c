/* Evaluation of expressions, and what parse does to a text. */
#include "lang/insights_int.h"

static enum err search(const struct regex *re, struct str s, struct regex_match *m, bool *ret_found)
{
    enum err err = regex_find(re, s, 0, REGEX_FULL, m);
    *ret_found = err == ERR_OK;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err call(struct ins_eval *e, const struct ins_expr *x, struct ins_value *ret)
{
    struct ins_value v[INSIGHTS_ARGS_MAX];
    if (x->function->lazy)
        return x->function->lazy(e, x, ret);
    for (size_t i = 0; i < x->n; i++) {
        TRY(ins_eval(e, x->args[i], &v[i]));
        if (!x->function->structures)
            ins_plain(&v[i]);
    }
    return x->function->fn(e, v, x->n, ret);
}

enum err ins_eval(struct ins_eval *e, const struct ins_expr *x, struct ins_value *ret)
{
    struct regex_match m;
    struct ins_value v;
    bool found = false;
    *ret = (struct ins_value){0};
    switch (x->kind) {
    case INS_CONSTANT:
        *ret = x->constant;
        return ERR_OK;
    case INS_SLOT:
        *ret = e->slots[x->at];
        return ERR_OK;
    case INS_PATH:
        v = e->slots[x->args[0]->at];
        if (v.kind == INS_MAP || v.kind == INS_LIST)
            return ins_follow(e->a, &v, x->steps, x->n_steps, ret);
        if (x->at != SIZE_MAX)
            *ret = e->slots[x->at];
        return ERR_OK;
    case INS_AGGREGATE:
        *ret = e->aggs[x->at];
        return ERR_OK;
    case INS_CALL:
        return call(e, x, ret);
    case INS_MATCH:
        TRY(ins_eval(e, x->args[0], &v));
        ins_plain(&v);
        if (v.kind != INS_ABSENT) {
            struct str s = ins_show(e->a, &v);
            if (!str_is_set(s))
                return ERR_NOMEM;
            TRY(search(x->regex, s, &m, &found));
        }
        *ret = ins_bool(found);
        return ERR_OK;
    case INS_PERIOD:
        break;
    }
    return ERR_OK;
}

/* Each '*' takes as little as lets the next piece follow; a last one takes the rest of the line. */
static bool match_glob(const struct ins_command *c, struct str s, struct ins_value *found)
{
    size_t at = str_find_str(s, c->literals[0]);
    if (at == SIZE_MAX)
        return false;
    s = str_sub(s, at + c->literals[0].len, SIZE_MAX);
    for (size_t i = 0; i < c->n_to; i++) {
        struct str next = c->literals[i + 1];
        bool last = i == c->n_to - 1 && next.len == 0;
        at = last ? min_size(str_find(s, '\n'), s.len) : str_find_str(s, next);
        if (at == SIZE_MAX)
            return false;
        found[i] = ins_text(str_sub(s, 0, at));
        s = str_sub(s, at + next.len, SIZE_MAX);
    }
    return true;
}

enum err ins_eval_parse(struct ins_eval *e, const struct ins_command *c, struct ins_value *slots)
{
    struct ins_value of, found[INSIGHTS_ITEMS_MAX] = {0};
    struct regex_match m;
    bool yes = false;
    TRY(ins_eval(e, c->expr, &of));
    ins_plain(&of);
    if (of.kind != INS_ABSENT) {
        struct str s = ins_show(e->a, &of);
        if (!str_is_set(s))
            return ERR_NOMEM;
        if (c->kind == INS_PARSE_GLOB) {
            yes = match_glob(c, s, found);
        } else {
            TRY(search(c->regex, s, &m, &yes));
            for (size_t i = 0; yes && i < c->n_to; i++)
                if (c->groups[i] < m.n && m.from[c->groups[i]] != SIZE_MAX)
                    found[i] = ins_text(str_sub(s, m.from[c->groups[i]],
                                                m.to[c->groups[i]] - m.from[c->groups[i]]));
        }
    }
    for (size_t i = 0; i < c->n_to; i++)
        slots[c->to[i]] = yes ? found[i] : (struct ins_value){0};
    return ERR_OK;
}
