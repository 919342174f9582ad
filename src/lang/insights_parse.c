/* Commands of a query. Where order matters and none was asked for, it is put in (LQ3): the run then has
 * nothing to know of defaults. */
#include "lang/insights_int.h"

static enum err too_many(struct ins_parser *p, const char *what)
{
    return ins_fault(p, p->token.from, p->token.to, "too many %s found", what);
}

/* The command that is read next; p->q->n counts those before it. */
static enum err begin(struct ins_parser *p, enum ins_command_kind kind, struct ins_command **ret)
{
    if (p->q->n >= INSIGHTS_COMMANDS_MAX)
        return too_many(p, "commands");
    *ret = &p->q->commands[p->q->n];
    (*ret)->kind = kind;
    (*ret)->items = ARENA_ARRAY(p->a, struct ins_item, INSIGHTS_ITEMS_MAX);
    return (*ret)->items ? ERR_OK : ERR_NOMEM;
}

static enum err slot_expr(struct ins_parser *p, size_t slot, const struct ins_expr **ret)
{
    struct ins_expr *x = ARENA_NEW(p->a, struct ins_expr);
    if (!x)
        return ERR_NOMEM;
    x->kind = INS_SLOT;
    x->at = slot;
    if (p->q->slots[slot].until < p->q->n)
        p->q->slots[slot].until = p->q->n;
    *ret = x;
    return ERR_OK;
}

static bool is_ordered(const struct insights_query *q)
{
    for (size_t i = 0; i < q->n; i++)
        if (q->commands[i].kind == INS_SORT || q->commands[i].kind == INS_STATS)
            return true;
    return false;
}

/* Newest first, if nothing else was asked for. */
static enum err put_order(struct ins_parser *p)
{
    struct ins_command *c;
    if (is_ordered(p->q))
        return ERR_OK;
    TRY(begin(p, INS_SORT, &c));
    TRY(slot_expr(p, p->q->timestamp, &c->items[0].expr));
    c->items[0].descending = true;
    c->n = 1;
    p->q->n++;
    return ERR_OK;
}

/* --- columns ---------------------------------------------------------------------------------------- */

static enum err add_column(struct ins_parser *p, size_t slot)
{
    struct insights_query *q = p->q;
    for (size_t i = 0; i < q->n_columns; i++)
        if (q->columns[i] == slot)
            return ERR_OK;
    if (q->n_columns == INSIGHTS_SLOTS_MAX)
        return too_many(p, "fields");
    q->columns[q->n_columns++] = slot;
    return ERR_OK;
}

/* What parse or unnest makes is told, too, unless display says what is. */
static enum err made(struct ins_parser *p, size_t slot)
{
    p->q->slots[slot].made = true;
    return p->q->displayed ? ERR_OK : add_column(p, slot);
}

/* "expr as name", or called as it is written. */
static enum err item(struct ins_parser *p, struct ins_item *ret)
{
    size_t from = p->token.from;
    bool named;
    TRY(ins_parse_expr(p, &ret->expr));
    struct str name = str_sub(p->text, from, p->before - from);
    if (ret->expr->kind == INS_SLOT)
        name = p->q->slots[ret->expr->at].name;
    TRY(ins_take(p, "as", &named));
    if (named)
        TRY(ins_take_name(p, &name));
    return ins_slot_of(p, name, &ret->to);
}

static enum err items(struct ins_parser *p, struct ins_item *v, size_t *ret_n)
{
    bool more;
    do {
        if (*ret_n == INSIGHTS_ITEMS_MAX)
            return too_many(p, "fields");
        TRY(item(p, &v[(*ret_n)++]));
        TRY(ins_take(p, ",", &more));
    } while (more);
    return ERR_OK;
}

static enum err parse_fields(struct ins_parser *p)
{
    struct ins_command *c;
    TRY(begin(p, INS_FIELDS, &c));
    TRY(items(p, c->items, &c->n));
    p->q->asked = true;
    for (size_t i = 0; i < c->n; i++) {
        TRY(add_column(p, c->items[i].to));
        p->q->slots[c->items[i].to].made = true;
    }
    p->q->n++;
    return ERR_OK;
}

static enum err parse_display(struct ins_parser *p)
{
    p->q->n_columns = 0;
    p->q->displayed = true;
    return parse_fields(p);
}

/* --- filter, parse ---------------------------------------------------------------------------------- */

static enum err parse_filter(struct ins_parser *p)
{
    struct ins_command *c = NULL;
    TRY(begin(p, INS_FILTER, &c));
    TRY(ins_parse_expr(p, &c->expr));
    p->q->n++;
    return ERR_OK;
}

static enum err names(struct ins_parser *p, struct ins_command *c)
{
    bool more;
    do {
        struct str name;
        if (c->n_to == INSIGHTS_ITEMS_MAX)
            return too_many(p, "fields");
        TRY(ins_take_name(p, &name));
        TRY(ins_slot_of(p, name, &c->to[c->n_to++]));
        TRY(ins_take(p, ",", &more));
    } while (more);
    return ERR_OK;
}

static enum err parse_glob(struct ins_parser *p, struct ins_command *c)
{
    struct str rest = p->token.text;
    size_t from = p->token.from, to = p->token.to, n = 0;
    TRY(ins_next(p));
    TRY(ins_need(p, "as"));
    TRY(names(p, c));
    c->literals = ARENA_ARRAY(p->a, struct str, INSIGHTS_ITEMS_MAX + 2);
    if (!c->literals)
        return ERR_NOMEM;
    while (str_is_set(rest) && n < INSIGHTS_ITEMS_MAX + 2)
        c->literals[n++] = str_cut(&rest, '*');
    if (n != c->n_to + 1)
        return ins_fault(p, from, to,
                         "different numbers of wildcards and fields of a glob expression found");
    return ERR_OK;
}

/* Groups with names are fields; or all of them in order, by "as". */
static enum err parse_regex(struct ins_parser *p, struct ins_command *c)
{
    size_t from = p->token.from;
    bool named;
    c->kind = INS_PARSE_REGEX;
    TRY(ins_take_regex(p, &c->regex));
    struct str source = str_sub(p->text, from, p->before - from);
    TRY(ins_take(p, "as", &named));
    if (named) {
        TRY(names(p, c));
        if (c->n_to > regex_groups(c->regex))
            return ins_fault(p, from, p->before, "more fields than groups found");
        for (size_t i = 0; i < c->n_to; i++)
            c->groups[i] = i + 1;
        return ERR_OK;
    }
    for (;;) {
        size_t at = str_find_str(source, STR("(?<"));
        if (at == SIZE_MAX)
            break;
        source = str_sub(source, at + 3, SIZE_MAX);
        struct str name = str_sub(source, 0, min_size(str_find(source, '>'), source.len));
        if (name.len == 0 || regex_group(c->regex, name, &c->groups[c->n_to]) != ERR_OK)
            continue; /* it looks behind */
        if (c->n_to == INSIGHTS_ITEMS_MAX - 1)
            return too_many(p, "fields");
        TRY(ins_slot_of(p, name, &c->to[c->n_to++]));
    }
    return c->n_to > 0 ? ERR_OK : ins_fault(p, from, p->before, "no named groups found");
}

/* Fields that every log group of AWS's standard class has an index of; others have none here. */
static const char *const indexed[] = {
    "@logStream",        "@aws.region",  "@aws.account", "@source.log",  "@data_source_name",
    "@data_source_type", "@data_format", "traceId",      "severityText", "attributes.session.id"};

/* Only what an index can answer: field = value, field in [values]. */
static bool is_index_query(const struct ins_expr *x)
{
    bool yes =
        x->kind == INS_CALL && x->args[0]->kind == INS_SLOT &&
        (str_eq_c(str_c(x->function->name), "=") || str_eq_c(str_c(x->function->name), "in"));
    for (size_t i = 1; yes && i < x->n; i++)
        yes = x->args[i]->kind == INS_CONSTANT;
    return yes;
}

static enum err parse_filter_index(struct ins_parser *p)
{
    struct ins_command *c = NULL;
    size_t from = p->token.from, to = p->token.to;
    struct str name = p->token.text;
    bool known = false;
    TRY(begin(p, INS_FILTER, &c));
    TRY(ins_parse_expr(p, &c->expr));
    if (!is_index_query(c->expr))
        return ins_fault(p, from, p->before, "other expression than of an indexed field found");
    for (size_t i = 0; i < ARRAY_LEN(indexed); i++)
        known = known || str_eq_c(name, indexed[i]);
    if (!known)
        return ins_fault(p, from, to, "field " STR_FMT ", which has no index, found",
                         STR_ARG(name));
    p->q->n++;
    return ERR_OK;
}

static enum err parse_unnest(struct ins_parser *p)
{
    struct ins_command *c;
    struct str name;
    TRY(begin(p, INS_UNNEST, &c));
    c->to = ARENA_ARRAY(p->a, size_t, 1);
    if (!c->to)
        return ERR_NOMEM;
    TRY(ins_take_field(p, &c->expr));
    TRY(ins_need(p, "into"));
    TRY(ins_take_name(p, &name));
    TRY(ins_slot_of(p, name, &c->to[0]));
    c->n_to = 1;
    TRY(made(p, c->to[0]));
    p->q->n++;
    return ERR_OK;
}

static enum err parse_parse(struct ins_parser *p)
{
    struct ins_command *c;
    size_t message;
    TRY(begin(p, INS_PARSE_GLOB, &c));
    c->to = ARENA_ARRAY(p->a, size_t, INSIGHTS_ITEMS_MAX);
    c->groups = ARENA_ARRAY(p->a, size_t, INSIGHTS_ITEMS_MAX);
    if (!c->to || !c->groups)
        return ERR_NOMEM;
    if (p->token.kind == INS_STRING || ins_is_symbol(p, "/")) {
        TRY(ins_slot_of(p, STR("@message"), &message));
        p->q->slots[message].read = true;
        TRY(slot_expr(p, message, &c->expr));
    } else {
        TRY(ins_take_field(p, &c->expr));
    }
    if (p->token.kind == INS_STRING)
        TRY(parse_glob(p, c));
    else if (ins_is_symbol(p, "/"))
        TRY(parse_regex(p, c));
    else
        return ins_unexpected(p);
    for (size_t i = 0; i < c->n_to; i++)
        TRY(made(p, c->to[i]));
    p->q->n++;
    return ERR_OK;
}

/* --- stats ------------------------------------------------------------------------------------------ */

static enum err parse_stats(struct ins_parser *p)
{
    struct insights_query *q = p->q;
    struct ins_command *c;
    bool by;
    size_t before = 0;
    for (size_t i = 0; i < q->n; i++)
        before += q->commands[i].kind == INS_STATS;
    if (before == INSIGHTS_STATS_MAX)
        return too_many(p, "stats commands");
    TRY(begin(p, INS_STATS, &c));
    c->by = ARENA_ARRAY(p->a, struct ins_item, INSIGHTS_ITEMS_MAX);
    c->aggs = ARENA_ARRAY(p->a, struct ins_agg, INSIGHTS_ITEMS_MAX);
    if (!c->by || !c->aggs)
        return ERR_NOMEM;
    p->stats = c;
    TRY(items(p, c->items, &c->n));
    p->stats = NULL;
    if (c->n_aggs == 0)
        return ins_unexpected(p);
    TRY(ins_take(p, "by", &by));
    if (by)
        TRY(items(p, c->by, &c->n_by));
    q->n_columns = 0;
    q->asked = q->grouped = true;
    q->displayed = false;
    for (size_t i = 0; i < q->n_slots; i++)
        q->slots[i].made = false;
    for (size_t i = 0; i < c->n_by + c->n; i++) {
        size_t slot = i < c->n_by ? c->by[i].to : c->items[i - c->n_by].to;
        q->slots[slot].made = true;
        TRY(add_column(p, slot));
    }
    q->n++;
    return ERR_OK;
}

/* --- sort, limit, dedup ----------------------------------------------------------------------------- */

static enum err parse_sort(struct ins_parser *p)
{
    struct ins_command *c;
    bool more, ascending;
    TRY(begin(p, INS_SORT, &c));
    TRY(ins_take(p, "by", &more)); /* may be there */
    do {
        if (c->n == INSIGHTS_ITEMS_MAX)
            return too_many(p, "fields");
        struct ins_item *it = &c->items[c->n++];
        TRY(ins_parse_expr(p, &it->expr));
        TRY(ins_take(p, "asc", &ascending));
        if (!ascending)
            TRY(ins_take(p, "desc", &it->descending));
        TRY(ins_take(p, ",", &more));
    } while (more);
    p->q->n++;
    return ERR_OK;
}

static enum err parse_limit(struct ins_parser *p)
{
    struct ins_command *c;
    uint64_t limit;
    TRY(put_order(p));
    TRY(begin(p, INS_LIMIT, &c));
    if (p->token.kind != INS_DIGITS || str_to_u64(p->token.text, &limit) != ERR_OK || limit == 0 ||
        limit > INSIGHTS_ROWS_MAX)
        return ins_unexpected(p);
    c->limit = (size_t)limit;
    p->q->n++;
    return ins_next(p);
}

static enum err parse_dedup(struct ins_parser *p)
{
    struct ins_command *c;
    TRY(put_order(p));
    TRY(begin(p, INS_DEDUP, &c));
    TRY(items(p, c->items, &c->n));
    for (size_t i = 0; i < c->n; i++)
        if (c->items[i].expr->kind != INS_SLOT && c->items[i].expr->kind != INS_PATH)
            return ins_unexpected(p);
    p->q->n++;
    return ERR_OK;
}

/* --- SOURCE ----------------------------------------------------------------------------------------- */

static enum err texts(struct ins_parser *p, struct str *v, size_t max, size_t *ret_n)
{
    bool more;
    TRY(ins_need(p, "["));
    do {
        if (*ret_n == max)
            return too_many(p, "values");
        if (p->token.kind != INS_STRING)
            return ins_unexpected(p);
        v[(*ret_n)++] = p->token.text;
        TRY(ins_next(p));
        TRY(ins_take(p, ",", &more));
    } while (more);
    return ins_need(p, "]");
}

static enum err source_class(struct ins_parser *p, struct insights_source *s)
{
    struct str v[2] = {{0}};
    size_t n = 0, from = p->token.from;
    TRY(texts(p, v, ARRAY_LEN(v), &n));
    s->standard = false;
    for (size_t i = 0; i < n; i++) {
        if (!str_eq_c(v[i], "STANDARD") && !str_eq_c(v[i], "INFREQUENT_ACCESS"))
            return ins_fault(p, from, p->before, "unknown class " STR_FMT " found", STR_ARG(v[i]));
        s->standard = s->standard || str_eq_c(v[i], "STANDARD");
    }
    return ERR_OK;
}

/* logGroups(namePrefix: ['a', 'b'], class: ['STANDARD']); the token is behind SOURCE. */
static enum err parse_source(struct ins_parser *p)
{
    struct insights_source *s = &p->q->source;
    *s = (struct insights_source){.is_set = true, .standard = true};
    TRY(ins_need(p, "logGroups"));
    TRY(ins_need(p, "("));
    bool more = !ins_is_symbol(p, ")");
    while (more) {
        bool prefix = ins_is_word(p, "namePrefix");
        if (ins_is_word(p, "accountIdentifiers"))
            return ins_fault(p, p->token.from, p->token.to,
                             "accountIdentifiers, which Weir does not support, found");
        if (!prefix && !ins_is_word(p, "class"))
            return ins_unexpected(p);
        TRY(ins_next(p));
        TRY(ins_need(p, ":"));
        TRY(prefix ? texts(p, s->prefixes, INSIGHTS_PREFIXES_MAX, &s->n_prefixes)
                   : source_class(p, s));
        TRY(ins_take(p, ",", &more));
    }
    return ins_need(p, ")");
}

const struct insights_source *insights_source_of(const struct insights_query *query)
{
    return &query->source;
}

/* --- the query -------------------------------------------------------------------------------------- */

static enum err parse_command(struct ins_parser *p)
{
    static const struct {
        const char *name;
        enum err (*parse)(struct ins_parser *p);
    } commands[] = {
        {"fields", parse_fields},
        {"display", parse_display},
        {"filter", parse_filter},
        {"parse", parse_parse},
        {"stats", parse_stats},
        {"sort", parse_sort},
        {"order", parse_sort},
        {"limit", parse_limit},
        {"dedup", parse_dedup},
        {"unnest", parse_unnest},
        {"filterIndex", parse_filter_index},
    };
    static const char *const refused[] = {"pattern", "diff", "anomaly",  "unmask",
                                          "lookup",  "join", "addtotals"};
    if (p->q->n > 0 && p->q->commands[p->q->n - 1].kind == INS_DEDUP && !ins_is_word(p, "limit"))
        return ins_unexpected(p);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (ins_is_word(p, commands[i].name)) {
            TRY(ins_next(p));
            return commands[i].parse(p);
        }
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        if (ins_is_word(p, refused[i]))
            return ins_fault(p, p->token.from, p->token.to,
                             "command %s, which Weir does not support, found", refused[i]);
    return ins_unexpected(p);
}

/* Without any column that was asked for these two are told first. */
static enum err put_columns(struct ins_parser *p)
{
    static const char *const names_[] = {"@timestamp", "@message"};
    struct insights_query *q = p->q;
    size_t made_[INSIGHTS_SLOTS_MAX], n = q->asked ? 0 : q->n_columns;
    for (size_t i = 0; i < n; i++)
        made_[i] = q->columns[i];
    if (!q->asked)
        q->n_columns = 0;
    for (size_t i = 0; !q->asked && i < ARRAY_LEN(names_); i++) {
        size_t slot;
        TRY(ins_slot_of(p, str_c(names_[i]), &slot));
        q->slots[slot].read = q->slots[slot].read || !q->slots[slot].made;
        TRY(add_column(p, slot));
    }
    for (size_t i = 0; i < n; i++)
        TRY(add_column(p, made_[i]));
    for (size_t i = 0; i < q->n_columns; i++)
        q->slots[q->columns[i]].until = SIZE_MAX;
    return ERR_OK;
}

static enum err parse_query(struct ins_parser *p)
{
    bool more = true, source;
    TRY(ins_slot_of(p, STR("@timestamp"), &p->q->timestamp));
    p->q->slots[p->q->timestamp].read = true;
    TRY(ins_next(p));
    TRY(ins_take(p, "SOURCE", &source));
    if (source)
        TRY(parse_source(p));
    if (ins_is_symbol(p, "|"))
        TRY(ins_next(p));
    else if (source && p->token.kind != INS_END)
        return ins_unexpected(p);
    while (more && p->token.kind != INS_END) {
        TRY(parse_command(p));
        TRY(ins_take(p, "|", &more));
    }
    if (p->token.kind != INS_END || (more && p->q->n > 0))
        return ins_unexpected(p);
    TRY(put_order(p));
    return put_columns(p);
}

enum err insights_parse(struct arena *a, struct str text, const struct insights_query **ret_query,
                        struct insights_fault *ret_fault)
{
    struct ins_parser p = {.a = a, .text = text, .fault = ret_fault};
    p.q = ARENA_NEW(a, struct insights_query);
    if (!p.q)
        return ERR_NOMEM;
    if (text.len > INSIGHTS_BYTES_MAX) {
        *ret_fault = (struct insights_fault){STR("the query is too long"), 0, text.len};
        return ERR_LIMIT;
    }
    TRY(parse_query(&p));
    *ret_query = p.q;
    return ERR_OK;
}
