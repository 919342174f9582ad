/* Expressions of queries, read by descent:
 *   or < and < not < = != < > like =~ in < + - < * / % < ^ < - < primary */
#include <math.h>

#include "lang/insights_int.h"

static enum err make(struct ins_parser *p, enum ins_expr_kind kind, struct ins_expr **ret)
{
    if (++p->nodes > INSIGHTS_NODES_MAX)
        return ins_fault(p, 0, p->text.len, "too many operations found");
    *ret = ARENA_NEW(p->a, struct ins_expr);
    if (!*ret)
        return ERR_NOMEM;
    (*ret)->kind = kind;
    return ERR_OK;
}

static enum err call(struct ins_parser *p, const char *name, const struct ins_expr *const *args,
                     size_t n, const struct ins_expr **ret)
{
    struct ins_expr *x;
    TRY(make(p, INS_CALL, &x));
    x->function = ins_function_of(str_c(name));
    x->args = arena_calloc(p->a, n + 1, sizeof(const struct ins_expr *));
    if (!x->args)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        x->args[i] = args[i];
    x->n = n;
    *ret = x;
    return ERR_OK;
}

static enum err call1(struct ins_parser *p, const char *name, const struct ins_expr **x)
{
    const struct ins_expr *args[] = {*x};
    return call(p, name, args, 1, x);
}

static enum err call2(struct ins_parser *p, const char *name, const struct ins_expr **left,
                      const struct ins_expr *right)
{
    const struct ins_expr *args[] = {*left, right};
    return call(p, name, args, 2, left);
}

/* --- fields ----------------------------------------------------------------------------------------- */

enum err ins_slot_of(struct ins_parser *p, struct str name, size_t *ret_slot)
{
    struct insights_query *q = p->q;
    for (size_t i = 0; i < q->n_slots; i++)
        if (str_eq(q->slots[i].name, name)) {
            *ret_slot = i;
            return ERR_OK;
        }
    if (q->n_slots == INSIGHTS_SLOTS_MAX || name.len > INSIGHTS_FIELD_MAX)
        return ins_fault(p, p->token.from, p->token.to, "too many fields found");
    q->slots[q->n_slots] = (struct ins_slot){.name = name};
    *ret_slot = q->n_slots++;
    return ERR_OK;
}

enum err ins_take_name(struct ins_parser *p, struct str *ret_name)
{
    if ((p->token.kind != INS_NAME && p->token.kind != INS_QUOTED_NAME) || p->token.text.len == 0)
        return ins_unexpected(p);
    *ret_name = p->token.text;
    return ins_next(p);
}

static enum err field(struct ins_parser *p, struct str name, const struct ins_expr **ret)
{
    struct ins_expr *x = NULL;
    TRY(make(p, INS_SLOT, &x));
    TRY(ins_slot_of(p, name, &x->at));
    struct ins_slot *slot = &p->q->slots[x->at];
    size_t now = p->q->n; /* the command that is being read */
    slot->read = slot->read || (!slot->made && !p->q->grouped);
    if (slot->until < now)
        slot->until = now;
    *ret = x;
    return ERR_OK;
}

/* --- paths into structures ------------------------------------------------------------------------ */

/* What was read of a.b[0].`c.d`: steps, and all of it as the name of a field of the event. */
struct path {
    struct ins_step *steps;
    size_t n;
    struct buf name;
    size_t bracket; /* where the first one is; SIZE_MAX: nowhere */
};

static enum err add_step(struct ins_parser *p, struct path *path, struct str name, bool whole)
{
    if (path->n == INSIGHTS_STEPS_MAX)
        return ins_fault(p, p->token.from, p->token.to, "too long a path found");
    path->steps[path->n++] = (struct ins_step){name, whole};
    return ERR_OK;
}

/* "[0]", the token is the bracket. */
static enum err index_step(struct ins_parser *p, struct path *path)
{
    if (path->bracket == SIZE_MAX)
        path->bracket = p->token.from;
    TRY(ins_next(p));
    uint64_t at;
    if (p->token.kind != INS_DIGITS || str_to_u64(p->token.text, &at) != ERR_OK)
        return ins_unexpected(p);
    TRY(add_step(p, path, p->token.text, true));
    TRY(ins_next(p));
    return ins_need(p, "]");
}

/* The names and brackets that follow without a blank. `open`: the piece before ends with a point. */
static enum err read_path(struct ins_parser *p, struct path *path, bool open)
{
    while (p->token.from == p->before && p->token.kind != INS_END) {
        struct str text = p->token.text;
        if (ins_is_symbol(p, "[") && !open) {
            TRY(index_step(p, path));
            continue;
        }
        bool quoted = p->token.kind == INS_QUOTED_NAME;
        bool goes_on = p->token.kind == INS_NAME && str_starts(text, STR(".")) && !open;
        if (!(quoted && open) && !goes_on)
            break;
        buf_add_str(&path->name, text);
        open = !quoted && str_ends(text, STR("."));
        if (!quoted)
            text = str_sub(text, 1, text.len - 1 - (open && text.len > 1));
        if (text.len > 0)
            TRY(add_step(p, path, text, quoted));
        TRY(ins_next(p));
    }
    return open ? ins_unexpected(p) : buf_err(&path->name);
}

static bool is_made(const struct ins_parser *p, struct str name)
{
    for (size_t i = 0; i < p->q->n_slots; i++)
        if (p->q->slots[i].made && str_eq(p->q->slots[i].name, name))
            return true;
    return false;
}

/* How much of a name by points is a field that a command made, if there is more of it: the longest. */
static size_t base_len(const struct ins_parser *p, struct str name, bool more, bool quoted)
{
    size_t n = name.len;
    if (more && is_made(p, name))
        return n;
    while (n > 0 && !quoted)
        if (name.p[--n] == '.' && is_made(p, str_sub(name, 0, n)))
            return n;
    return 0;
}

/* A field, whose name was read: `first`. Where its beginning was made by a command and is a structure, a path
 * into that. */
static enum err field_or_path(struct ins_parser *p, struct str first, bool quoted,
                              const struct ins_expr **ret)
{
    struct path path = {.bracket = SIZE_MAX};
    bool open = !quoted && str_ends(first, STR("."));
    path.steps = ARENA_ARRAY(p->a, struct ins_step, INSIGHTS_STEPS_MAX);
    if (!path.steps)
        return ERR_NOMEM;
    buf_init_arena(&path.name, p->a, INSIGHTS_BYTES_MAX);
    buf_add_str(&path.name, first);
    path.n = 1; /* for what of the first piece belongs to the path */
    TRY(read_path(p, &path, open));
    struct str all = buf_str(&path.name);
    if (open)
        first = str_sub(first, 0, first.len - 1);
    size_t n = 0;
    if (path.bracket != SIZE_MAX || !is_made(p, all))
        n = base_len(p, first, path.n > 1, quoted);
    if (n == 0) {
        if (path.bracket != SIZE_MAX)
            return ins_fault(p, path.bracket, path.bracket + 1, "unexpected symbol found [");
        return field(p, all, ret);
    }
    struct ins_expr *x;
    const struct ins_expr *whole;
    path.steps[0] = (struct ins_step){str_sub(first, min_size(n + 1, first.len), SIZE_MAX), false};
    bool skip = path.steps[0].name.len == 0;
    TRY(make(p, INS_PATH, &x));
    x->steps = path.steps + skip;
    x->n_steps = path.n - skip;
    x->args = ARENA_ARRAY(p->a, const struct ins_expr *, 1);
    if (!x->args)
        return ERR_NOMEM;
    TRY(field(p, str_sub(first, 0, n), &x->args[0]));
    x->at = SIZE_MAX;
    if (path.bracket == SIZE_MAX) {
        TRY(field(p, all, &whole));
        x->at = whole->at;
    }
    *ret = x;
    return ERR_OK;
}

enum err ins_take_field(struct ins_parser *p, const struct ins_expr **ret)
{
    bool quoted = p->token.kind == INS_QUOTED_NAME;
    struct str name;
    TRY(ins_take_name(p, &name));
    return field_or_path(p, name, quoted, ret);
}

/* --- periods ---------------------------------------------------------------------------------------- */

static const struct unit {
    const char *name;
    int64_t ms, months;
} units[] = {
    {"ms", 1, 0},
    {"msec", 1, 0},
    {"millisecond", 1, 0},
    {"s", 1000, 0},
    {"sec", 1000, 0},
    {"second", 1000, 0},
    {"m", 60 * 1000, 0},
    {"min", 60 * 1000, 0},
    {"minute", 60 * 1000, 0},
    {"h", 60 * 60 * 1000, 0},
    {"hr", 60 * 60 * 1000, 0},
    {"hour", 60 * 60 * 1000, 0},
    {"d", 24 * 60 * 60 * 1000, 0},
    {"day", 24 * 60 * 60 * 1000, 0},
    {"w", 7 * 24 * 60 * 60 * 1000, 0},
    {"week", 7 * 24 * 60 * 60 * 1000, 0},
    {"mo", 0, 1},
    {"mon", 0, 1},
    {"month", 0, 1},
    {"q", 0, 3},
    {"qtr", 0, 3},
    {"quarter", 0, 3},
    {"y", 0, 12},
    {"yr", 0, 12},
    {"year", 0, 12},
};

/* A number, and the unit that makes a period of it. */
static enum err number(struct ins_parser *p, const struct ins_expr **ret)
{
    struct ins_expr *x;
    double n;
    TRY(make(p, INS_CONSTANT, &x));
    if (str_to_f64(p->token.text, &n) != ERR_OK)
        return ins_unexpected(p);
    x->constant = ins_number(n);
    *ret = x;
    size_t end = p->token.to;
    TRY(ins_next(p));
    if (p->token.kind != INS_NAME || p->token.from != end)
        return ERR_OK;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        struct str unit = str_c(units[i].name);
        bool plural = unit.len > 2 && p->token.text.len == unit.len + 1 &&
                      str_starts(p->token.text, unit) && str_ends(p->token.text, STR("s"));
        if (!str_eq(p->token.text, unit) && !plural)
            continue;
        if (n < 1 || n > 1e6 || n != floor(n))
            break;
        x->kind = INS_PERIOD;
        x->period_ms = (int64_t)n * units[i].ms;
        x->period_months = (int64_t)n * units[i].months;
        return ins_next(p);
    }
    return ins_unexpected(p);
}

/* --- calls ------------------------------------------------------------------------------------------ */

static const struct aggregate {
    const char *name;
    enum ins_aggregate kind;
} aggregates[] = {
    {"count", INS_COUNT},
    {"count_distinct", INS_COUNT_DISTINCT},
    {"sum", INS_SUM},
    {"avg", INS_AVG},
    {"min", INS_MIN},
    {"max", INS_MAX},
    {"pct", INS_PCT},
    {"median", INS_PCT},
    {"stddev", INS_STDDEV},
    {"earliest", INS_EARLIEST},
    {"latest", INS_LATEST},
    {"sortsFirst", INS_SORTS_FIRST},
    {"sortsLast", INS_SORTS_LAST},
};

/* The token is what follows the opening bracket. */
static enum err aggregate(struct ins_parser *p, const struct aggregate *what,
                          const struct ins_expr **ret)
{
    struct ins_command *c = p->stats;
    struct ins_expr *x;
    bool all = false, none;
    if (c->n_aggs == INSIGHTS_ITEMS_MAX)
        return ins_fault(p, p->token.from, p->token.to, "too many statistics found");
    struct ins_agg *agg = &c->aggs[c->n_aggs];
    *agg = (struct ins_agg){.kind = what->kind, .percent = 50};
    if (what->kind == INS_COUNT)
        TRY(ins_take(p, "*", &all));
    none = what->kind == INS_COUNT && ins_is_symbol(p, ")");
    if (!all && !none) {
        p->inside = true;
        TRY(ins_parse_expr(p, &agg->of));
        p->inside = false;
    }
    if (what->kind == INS_PCT && str_eq_c(str_c(what->name), "pct")) {
        TRY(ins_need(p, ","));
        if (p->token.kind != INS_DIGITS || str_to_f64(p->token.text, &agg->percent) != ERR_OK ||
            agg->percent > 100)
            return ins_unexpected(p);
        TRY(ins_next(p));
    }
    TRY(ins_need(p, ")"));
    TRY(make(p, INS_AGGREGATE, &x));
    x->at = c->n_aggs++;
    *ret = x;
    return ERR_OK;
}

/* Periods are arguments of functions of time, and nothing else is. */
static enum err check_periods(struct ins_parser *p, const struct ins_function *f,
                              const struct ins_expr *const *args, size_t n, size_t from)
{
    bool of_time = str_eq_c(str_c(f->name), "bin") || str_eq_c(str_c(f->name), "datefloor") ||
                   str_eq_c(str_c(f->name), "dateceil");
    for (size_t i = 0; i < n; i++)
        if ((args[i]->kind == INS_PERIOD) != (of_time && i == n - 1))
            return ins_fault(p, from, p->before, "invalid arguments of function %s found", f->name);
    return ERR_OK;
}

static enum err arguments(struct ins_parser *p, const struct ins_function *f, size_t from,
                          const struct ins_expr **ret)
{
    const struct ins_expr **args = arena_calloc(p->a, INSIGHTS_ARGS_MAX, sizeof(*args));
    size_t n = 0;
    bool more = !ins_is_symbol(p, ")");
    if (!args)
        return ERR_NOMEM;
    while (more) {
        if (n == INSIGHTS_ARGS_MAX)
            return ins_fault(p, p->token.from, p->token.to, "too many arguments found");
        TRY(ins_parse_expr(p, &args[n++]));
        TRY(ins_take(p, ",", &more));
    }
    TRY(ins_need(p, ")"));
    if (n < f->min || n > f->max)
        return ins_fault(p, from, p->before, "wrong number of arguments of function %s found",
                         f->name);
    TRY(check_periods(p, f, args, n, from));
    if (n == 1 && str_eq_c(str_c(f->name), "bin")) {
        args[1] = args[0];
        TRY(field(p, STR("@timestamp"), &args[0]));
        n = 2;
    }
    return call(p, f->name, args, n, ret);
}

/* A column that was made without a name is called as it was written. */
static bool column_of(struct ins_parser *p, struct str text, size_t *ret_slot)
{
    for (size_t i = 0; i < p->q->n_slots; i++)
        if (p->q->slots[i].made && str_eq(p->q->slots[i].name, text)) {
            *ret_slot = i;
            return true;
        }
    return false;
}

static enum err named(struct ins_parser *p, const struct ins_expr **ret)
{
    struct str name = p->token.text;
    size_t from = p->token.from, slot;
    bool quoted = p->token.kind == INS_QUOTED_NAME, open = false;
    TRY(ins_next(p));
    if (!quoted)
        TRY(ins_take(p, "(", &open));
    if (!open)
        return field_or_path(p, name, quoted, ret);
    for (size_t i = 0; i < ARRAY_LEN(aggregates); i++) {
        if (!str_eq_nocase(name, str_c(aggregates[i].name)))
            continue;
        if (p->stats && !p->inside)
            return aggregate(p, &aggregates[i], ret);
        struct str text = str_sub(p->text, from, SIZE_MAX);
        size_t end = str_find(text, ')');
        if (end == SIZE_MAX || !column_of(p, str_sub(text, 0, end + 1), &slot))
            return ins_fault(p, from, p->token.from, "unexpected symbol found " STR_FMT,
                             STR_ARG(name));
        p->at = from + end + 1;
        TRY(ins_next(p));
        return field(p, p->q->slots[slot].name, ret);
    }
    const struct ins_function *f = ins_function_of(name);
    if (!f)
        return ins_fault(p, from, from + name.len, "unknown function " STR_FMT " found",
                         STR_ARG(name));
    TRY(arguments(p, f, from, ret));
    return !p->stats && column_of(p, str_sub(p->text, from, p->before - from), &slot)
               ? field(p, p->q->slots[slot].name, ret)
               : ERR_OK;
}

static enum err primary(struct ins_parser *p, const struct ins_expr **ret)
{
    bool taken;
    TRY(ins_take(p, "(", &taken));
    if (taken) {
        TRY(ins_parse_expr(p, ret));
        return ins_need(p, ")");
    }
    TRY(ins_take(p, "-", &taken));
    if (taken) {
        if (++p->depth > INSIGHTS_DEPTH_MAX)
            return ins_fault(p, p->token.from, p->token.to, "too deep an expression found");
        TRY(primary(p, ret));
        p->depth--;
        return call1(p, "-", ret);
    }
    if (p->token.kind == INS_DIGITS)
        return number(p, ret);
    if (p->token.kind == INS_STRING) {
        struct ins_expr *x;
        TRY(make(p, INS_CONSTANT, &x));
        x->constant = ins_text(p->token.text);
        *ret = x;
        return ins_next(p);
    }
    if (p->token.kind != INS_NAME && p->token.kind != INS_QUOTED_NAME)
        return ins_unexpected(p);
    static const char *const reserved[] = {"and", "or", "not", "in", "like", "as", "by"};
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (ins_is_word(p, reserved[i]))
            return ins_unexpected(p);
    return named(p, ret);
}

/* --- operators -------------------------------------------------------------------------------------- */

static enum err power(struct ins_parser *p, const struct ins_expr **ret)
{
    const struct ins_expr *right;
    bool taken;
    TRY(primary(p, ret));
    TRY(ins_take(p, "^", &taken));
    if (!taken)
        return ERR_OK;
    if (++p->depth > INSIGHTS_DEPTH_MAX)
        return ins_fault(p, p->token.from, p->token.to, "too deep an expression found");
    TRY(power(p, &right));
    p->depth--;
    return call2(p, "^", ret, right);
}

static enum err chain(struct ins_parser *p, const char *const *ops, size_t n,
                      enum err (*of)(struct ins_parser *p, const struct ins_expr **ret),
                      const struct ins_expr **ret)
{
    TRY(of(p, ret));
    for (size_t i = 0; i < n; i++) {
        const struct ins_expr *right;
        bool taken;
        TRY(ins_take(p, ops[i], &taken));
        if (!taken)
            continue;
        TRY(of(p, &right));
        TRY(call2(p, ops[i], ret, right));
        i = SIZE_MAX; /* any of them may be next */
    }
    return ERR_OK;
}

static enum err product(struct ins_parser *p, const struct ins_expr **ret)
{
    static const char *const ops[] = {"*", "/", "%"};
    return chain(p, ops, ARRAY_LEN(ops), power, ret);
}

static enum err sum(struct ins_parser *p, const struct ins_expr **ret)
{
    static const char *const ops[] = {"+", "-"};
    return chain(p, ops, ARRAY_LEN(ops), product, ret);
}

static enum err in_list(struct ins_parser *p, const struct ins_expr **ret)
{
    const struct ins_expr **args = arena_calloc(p->a, INSIGHTS_ARGS_MAX, sizeof(*args));
    size_t n = 1;
    bool more;
    if (!args)
        return ERR_NOMEM;
    const char *close = ins_is_symbol(p, "(") ? ")" : "]";
    args[0] = *ret;
    TRY(ins_need(p, close[0] == ')' ? "(" : "["));
    do {
        if (n == INSIGHTS_ARGS_MAX)
            return ins_fault(p, p->token.from, p->token.to, "too many values found");
        TRY(sum(p, &args[n++]));
        TRY(ins_take(p, ",", &more));
    } while (more);
    TRY(ins_need(p, close));
    return call(p, "in", args, n, ret);
}

static enum err like(struct ins_parser *p, const struct ins_expr **ret)
{
    struct ins_expr *x;
    const struct ins_expr *right;
    if (!ins_is_symbol(p, "/")) {
        TRY(sum(p, &right));
        return call2(p, "strcontains", ret, right);
    }
    TRY(make(p, INS_MATCH, &x));
    x->args = arena_calloc(p->a, 1, sizeof(const struct ins_expr *));
    if (!x->args)
        return ERR_NOMEM;
    x->args[0] = *ret;
    x->n = 1;
    *ret = x;
    return ins_take_regex(p, &x->regex);
}

static enum err comparison(struct ins_parser *p, const struct ins_expr **ret)
{
    static const struct {
        const char *token, *name;
    } ops[] = {{"=", "="},   {"==", "="}, {"!=", "!="}, {"<=", "<="},
               {">=", ">="}, {"<", "<"},  {">", ">"}};
    const struct ins_expr *right;
    bool taken, not ;
    TRY(sum(p, ret));
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        TRY(ins_take(p, ops[i].token, &taken));
        if (!taken)
            continue;
        TRY(sum(p, &right));
        return call2(p, ops[i].name, ret, right);
    }
    TRY(ins_take(p, "not", &not ));
    if (ins_is_word(p, "like") || ins_is_symbol(p, "=~")) {
        TRY(ins_next(p));
        TRY(like(p, ret));
    } else if (ins_is_word(p, "in")) {
        TRY(ins_next(p));
        TRY(in_list(p, ret));
    } else if (not ) {
        return ins_unexpected(p);
    }
    return not ? call1(p, "not", ret) : ERR_OK;
}

static enum err negation(struct ins_parser *p, const struct ins_expr **ret)
{
    bool taken;
    TRY(ins_take(p, "not", &taken));
    if (!taken)
        return comparison(p, ret);
    if (++p->depth > INSIGHTS_DEPTH_MAX)
        return ins_fault(p, p->token.from, p->token.to, "too deep an expression found");
    TRY(negation(p, ret));
    p->depth--;
    return call1(p, "not", ret);
}

static enum err conjunction(struct ins_parser *p, const struct ins_expr **ret)
{
    static const char *const ops[] = {"and"};
    return chain(p, ops, ARRAY_LEN(ops), negation, ret);
}

enum err ins_parse_expr(struct ins_parser *p, const struct ins_expr **ret)
{
    static const char *const ops[] = {"or"};
    if (++p->depth > INSIGHTS_DEPTH_MAX)
        return ins_fault(p, p->token.from, p->token.to, "too deep an expression found");
    TRY(chain(p, ops, ARRAY_LEN(ops), conjunction, ret));
    p->depth--;
    return ERR_OK;
}
