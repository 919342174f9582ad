/* Events on their way through the commands of a query.
 *
 *   event --> fields, filter, parse --> sort: rows wait      --end--> on, in order --> ... --> rows
 *                                       stats: groups gather --end--> on, one by one --^
 *
 * unnest sends a row on once for each item of a list. What waits is on the heap and counted (LQ2); all else is in an arena that each event and each row begins
 * anew. A sort whose first rows alone can be told keeps no more. */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "lang/insights_int.h"

enum { SCRATCH_BYTES_MAX = 64 * 1024 * 1024 };

/* One block: values of slots, then keys of a sort, then the texts of both and the reference. */
struct row {
    const struct ins_command *sort; /* NULL: in no sort */
    size_t bytes;
    uint64_t order; /* of arrival */
    int64_t at_ms;
    struct str ref; /* STR_NONE: a group */
    size_t n_keys;
    struct ins_value *keys;
    struct ins_value v[];
};

struct group {
    size_t n_by;
    size_t n_aggs;
    struct ins_value *by; /* texts behind the tallies */
    struct ins_tally tallies[];
};

struct stage {
    struct row **rows; /* sort; a heap whose worst is first while `keep` of them are there */
    size_t n, cap, keep;
    struct map map; /* stats: groups by key; dedup: keys */
    struct group **groups;
    size_t n_groups, cap_groups;
    size_t passed;        /* limit */
    struct arena scratch; /* unnest: of what comes of one item */
};

struct insights_run {
    const struct insights_query *q;
    size_t bytes, bytes_max, limit;
    int64_t now_ms;
    struct arena scratch;
    uint64_t arrived;
    struct stage stages[INSIGHTS_COMMANDS_MAX + 2];
    struct row **rows;
    size_t n, cap;
    struct ins_value slots[INSIGHTS_SLOTS_MAX];
};

/* What goes through the commands besides the slots. */
struct passing {
    struct ins_eval eval;
    struct ins_value *slots;
    struct str ref;
    int64_t at_ms;
    bool gathered;   /* it came to where rows wait */
    size_t unnested; /* rows it was made into */
};

static enum err take_bytes(struct insights_run *run, size_t bytes)
{
    run->bytes += bytes;
    return run->bytes > run->bytes_max ? ERR_LIMIT : ERR_OK;
}

/* --- rows ------------------------------------------------------------------------------------------- */

static void row_free(struct insights_run *run, struct row *r)
{
    if (!r)
        return;
    run->bytes -= r->bytes;
    mem_free(r);
}

static char *copy_text(char *to, struct str *s)
{
    if (!str_is_set(*s))
        return to;
    memcpy(to, s->p, s->len);
    s->p = to;
    return to + s->len;
}

/* The slots that command `at` and those behind it need, and the keys. */
static enum err row_new(struct insights_run *run, size_t at, const struct passing *p,
                        const struct ins_value *keys, size_t n_keys, struct row **ret)
{
    const struct insights_query *q = run->q;
    size_t n = q->n_slots, texts = p->ref.len;
    for (size_t i = 0; i < n; i++)
        if (q->slots[i].until >= at)
            texts += p->slots[i].text.len;
    for (size_t i = 0; i < n_keys; i++)
        texts += keys[i].text.len;
    size_t bytes = sizeof(struct row) + (n + n_keys) * sizeof(struct ins_value) + texts + 1;
    TRY(take_bytes(run, bytes));
    struct row *r = mem_calloc(1, bytes);
    if (!r) {
        run->bytes -= bytes;
        return ERR_NOMEM;
    }
    *r = (struct row){.bytes = bytes,
                      .order = run->arrived++,
                      .at_ms = p->at_ms,
                      .ref = p->ref,
                      .n_keys = n_keys,
                      .keys = r->v + n};
    char *to = (char *)(r->keys + n_keys);
    for (size_t i = 0; i < n; i++)
        if (q->slots[i].until >= at) {
            r->v[i] = p->slots[i];
            r->v[i].json = NULL; /* of the scratch arena */
            to = copy_text(to, &r->v[i].text);
        }
    for (size_t i = 0; i < n_keys; i++) {
        r->keys[i] = keys[i];
        to = copy_text(to, &r->keys[i].text);
    }
    to = copy_text(to, &r->ref);
    assert(to <= (char *)r + bytes);
    *ret = r;
    return ERR_OK;
}

static enum err rows_grow(struct insights_run *run, struct row ***v, size_t n, size_t *cap)
{
    if (n < *cap)
        return ERR_OK;
    size_t more = *cap ? 2 * *cap : 64;
    TRY(take_bytes(run, (more - *cap) * sizeof(struct row *)));
    struct row **grown = mem_realloc(*v, more * sizeof(struct row *));
    if (!grown)
        return ERR_NOMEM;
    *v = grown;
    *cap = more;
    return ERR_OK;
}

/* --- sort ------------------------------------------------------------------------------------------- */

/* Below 0: a comes before b. */
static int row_compare(const struct row *a, const struct row *b)
{
    for (size_t i = 0; i < a->n_keys; i++) {
        int c = ins_sort(&a->keys[i], &b->keys[i]);
        if (c != 0)
            return a->sort->items[i].descending ? -c : c;
    }
    return (a->order > b->order) - (a->order < b->order);
}

static int row_order(const void *a, const void *b)
{
    return row_compare(*(struct row *const *)a, *(struct row *const *)b);
}

static void swap(struct row **a, struct row **b)
{
    struct row *t = *a;
    *a = *b;
    *b = t;
}

static void sift_up(struct row **v, size_t i)
{
    for (; i > 0 && row_compare(v[(i - 1) / 2], v[i]) < 0; i = (i - 1) / 2)
        swap(&v[(i - 1) / 2], &v[i]);
}

static void sift_down(struct row **v, size_t n, size_t i)
{
    for (;;) {
        size_t worst = i;
        for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < n; k++)
            if (row_compare(v[worst], v[k]) < 0)
                worst = k;
        if (worst == i)
            return;
        swap(&v[worst], &v[i]);
        i = worst;
    }
}

static enum err sort_row(struct insights_run *run, size_t at, struct passing *p)
{
    const struct ins_command *c = &run->q->commands[at];
    struct stage *s = &run->stages[at];
    struct ins_value keys[INSIGHTS_ITEMS_MAX];
    struct row *r;
    for (size_t i = 0; i < c->n; i++) {
        TRY(ins_eval(&p->eval, c->items[i].expr, &keys[i]));
        ins_plain(&keys[i]);
    }
    TRY(rows_grow(run, &s->rows, s->n, &s->cap));
    TRY(row_new(run, at, p, keys, c->n, &r));
    r->sort = c;
    if (s->n < s->keep) {
        s->rows[s->n] = r;
        sift_up(s->rows, s->n++);
    } else if (row_compare(r, s->rows[0]) < 0) {
        row_free(run, s->rows[0]);
        s->rows[0] = r;
        sift_down(s->rows, s->n, 0);
    } else {
        row_free(run, r);
    }
    return ERR_OK;
}

/* How many rows of a sort can be of use. */
static size_t sort_keep(const struct insights_query *q, size_t at, size_t limit)
{
    for (size_t i = at + 1; i < q->n; i++) {
        if (q->commands[i].kind == INS_LIMIT)
            return q->commands[i].limit;
        if (q->commands[i].kind != INS_FIELDS && q->commands[i].kind != INS_PARSE_GLOB &&
            q->commands[i].kind != INS_PARSE_REGEX)
            return SIZE_MAX;
    }
    return limit;
}

/* --- stats, dedup ----------------------------------------------------------------------------------- */

/* Values as one text that no others have. */
static enum err key_of(struct passing *p, const struct ins_item *items, size_t n,
                       struct ins_value *v, struct str *ret)
{
    struct buf b;
    buf_init_arena(&b, p->eval.a, SCRATCH_BYTES_MAX);
    BUF_ADD_LIT(&b, "k");
    for (size_t i = 0; i < n; i++) {
        TRY(ins_eval(&p->eval, items[i].expr, &v[i]));
        ins_plain(&v[i]);
        struct str s = ins_show(p->eval.a, &v[i]);
        if (!str_is_set(s))
            return ERR_NOMEM;
        buf_add_fmt(&b, "%d:%zu:", v[i].kind != INS_ABSENT, s.len);
        buf_add_str(&b, s);
    }
    *ret = buf_str(&b);
    return buf_err(&b);
}

static enum err group_new(struct insights_run *run, struct stage *s, const struct ins_command *c,
                          const struct ins_value *by, struct str key, struct group **ret)
{
    enum { SLOT_BYTES = 64 }; /* of the table, about */
    size_t texts = 0;
    for (size_t i = 0; i < c->n_by; i++)
        texts += by[i].text.len;
    size_t bytes = sizeof(struct group) + c->n_aggs * sizeof(struct ins_tally) +
                   c->n_by * sizeof(struct ins_value) + texts + 1;
    TRY(take_bytes(run, bytes + key.len + SLOT_BYTES));
    if (s->n_groups == s->cap_groups) {
        size_t cap = s->cap_groups ? 2 * s->cap_groups : 16;
        struct group **v = mem_realloc(s->groups, cap * sizeof(struct group *));
        if (!v)
            return ERR_NOMEM;
        s->groups = v;
        s->cap_groups = cap;
    }
    struct group *g = mem_calloc(1, bytes);
    if (!g)
        return ERR_NOMEM;
    g->n_aggs = c->n_aggs;
    g->n_by = c->n_by;
    g->by = (struct ins_value *)(void *)(g->tallies + c->n_aggs);
    char *to = (char *)(g->by + c->n_by);
    for (size_t i = 0; i < c->n_by; i++) {
        g->by[i] = by[i];
        to = copy_text(to, &g->by[i].text);
    }
    enum err err = map_put(&s->map, key, g, NULL);
    if (err) {
        mem_free(g);
        return err;
    }
    s->groups[s->n_groups++] = g;
    *ret = g;
    return ERR_OK;
}

static enum err gather(struct insights_run *run, size_t at, struct passing *p)
{
    const struct ins_command *c = &run->q->commands[at];
    struct stage *s = &run->stages[at];
    struct ins_value by[INSIGHTS_ITEMS_MAX];
    struct str key;
    size_t bytes = 0;
    TRY(key_of(p, c->by, c->n_by, by, &key));
    struct group *g = map_get(&s->map, key);
    if (!g)
        TRY(group_new(run, s, c, by, key, &g));
    for (size_t i = 0; i < c->n_aggs; i++) {
        struct ins_value v = ins_bool(true);
        if (c->aggs[i].of)
            TRY(ins_eval(&p->eval, c->aggs[i].of, &v));
        ins_plain(&v);
        TRY(ins_tally_add(&g->tallies[i], &c->aggs[i], p->eval.a, &v, p->at_ms, &bytes));
    }
    return take_bytes(run, bytes);
}

static int group_order(const void *a, const void *b)
{
    const struct group *x = *(struct group *const *)a, *y = *(struct group *const *)b;
    for (size_t i = 0; i < x->n_by; i++) {
        int c = ins_compare(&x->by[i], &y->by[i]);
        if (c != 0)
            return x->by[i].kind == INS_TIME ? -c : c;
    }
    return 0;
}

static enum err is_new(struct insights_run *run, size_t at, struct passing *p, bool *ret_yes)
{
    const struct ins_command *c = &run->q->commands[at];
    struct stage *s = &run->stages[at];
    struct ins_value v[INSIGHTS_ITEMS_MAX];
    struct str key;
    bool all = true;
    TRY(key_of(p, c->items, c->n, v, &key));
    for (size_t i = 0; i < c->n; i++)
        all = all && v[i].kind != INS_ABSENT;
    *ret_yes = !all || map_get(&s->map, key) == NULL;
    if (!*ret_yes || !all) /* what is absent is no duplicate */
        return ERR_OK;
    TRY(take_bytes(run, key.len + 64));
    return map_put(&s->map, key, run, NULL);
}

/* --- through the commands --------------------------------------------------------------------------- */

static enum err tell(struct insights_run *run, const struct passing *p)
{
    if (run->n == run->limit)
        return ERR_OK;
    TRY(rows_grow(run, &run->rows, run->n, &run->cap));
    TRY(row_new(run, run->q->n, p, NULL, 0, &run->rows[run->n]));
    run->n++;
    return ERR_OK;
}

static enum err set_fields(struct passing *p, const struct ins_command *c)
{
    struct ins_value v[INSIGHTS_ITEMS_MAX];
    for (size_t i = 0; i < c->n; i++)
        TRY(ins_eval(&p->eval, c->items[i].expr, &v[i]));
    for (size_t i = 0; i < c->n; i++)
        p->slots[c->items[i].to] = v[i];
    return ERR_OK;
}

static enum err unnest(struct insights_run *run, size_t at, struct passing *p);

/* From command `at` on, to where rows wait or the end. */
static enum err pass(struct insights_run *run, size_t at, struct passing *p)
{
    const struct insights_query *q = run->q;
    for (; at < q->n; at++) {
        const struct ins_command *c = &q->commands[at];
        struct ins_value v;
        bool yes = true;
        switch (c->kind) {
        case INS_FIELDS:
            TRY(set_fields(p, c));
            break;
        case INS_FILTER:
            TRY(ins_eval(&p->eval, c->expr, &v));
            yes = ins_is_true(&v);
            break;
        case INS_PARSE_GLOB:
        case INS_PARSE_REGEX:
            TRY(ins_eval_parse(&p->eval, c, p->slots));
            break;
        case INS_UNNEST:
            return unnest(run, at, p);
        case INS_STATS:
            p->gathered = true;
            return gather(run, at, p);
        case INS_SORT:
            p->gathered = true;
            return sort_row(run, at, p);
        case INS_LIMIT:
            yes = run->stages[at].passed++ < c->limit;
            break;
        case INS_DEDUP:
            TRY(is_new(run, at, p, &yes));
            break;
        }
        if (!yes)
            return ERR_OK;
    }
    return tell(run, p);
}

/* Whatever is no list is one item. Commands behind may change any slot: each item begins with those there were. */
static enum err unnest(struct insights_run *run, size_t at, struct passing *p)
{
    const struct ins_command *c = &run->q->commands[at];
    size_t bytes = run->q->n_slots * sizeof(struct ins_value);
    struct arena *a = p->eval.a;
    const struct json *list;
    struct ins_value of;
    TRY(ins_eval(&p->eval, c->expr, &of));
    if (of.kind != INS_LIST) {
        p->slots[c->to[0]] = of;
        return pass(run, at + 1, p);
    }
    struct ins_value *before = ARENA_ARRAY(a, struct ins_value, run->q->n_slots);
    if (!before)
        return ERR_NOMEM;
    memcpy(before, p->slots, bytes);
    TRY(ins_structure_tree(a, &of, &list));
    enum err err = ERR_OK;
    p->eval.a = &run->stages[at].scratch;
    JSON_EACH (list, it) {
        if (++p->unnested > INSIGHTS_UNNESTED_MAX)
            err = ERR_LIMIT;
        memcpy(p->slots, before, bytes);
        arena_clear(p->eval.a);
        if (!err)
            err = ins_structure(p->eval.a, it, &p->slots[c->to[0]]);
        if (!err)
            err = pass(run, at + 1, p);
        if (err)
            break;
    }
    p->eval.a = a;
    return err;
}

static struct passing passing_of(struct insights_run *run)
{
    return (struct passing){
        .eval = {.a = &run->scratch, .slots = run->slots, .now_ms = run->now_ms},
        .slots = run->slots,
    };
}

enum err insights_run_event(struct insights_run *run, const struct insights_event *e,
                            bool *ret_matched)
{
    struct passing p = passing_of(run);
    struct ins_parts parts = {.event = e, .a = &run->scratch};
    arena_clear(&run->scratch);
    for (size_t i = 0; i < run->q->n_slots; i++) {
        run->slots[i] = (struct ins_value){0};
        if (run->q->slots[i].read)
            TRY(ins_field(&parts, run->q->slots[i].name, &run->slots[i]));
    }
    p.ref = e->ref;
    p.at_ms = e->timestamp_ms;
    TRY(pass(run, 0, &p));
    *ret_matched = p.gathered;
    return ERR_OK;
}

/* --- the end ---------------------------------------------------------------------------------------- */

static enum err end_sort(struct insights_run *run, size_t at)
{
    struct stage *s = &run->stages[at];
    if (s->n > 1)
        qsort(s->rows, s->n, sizeof(struct row *), row_order);
    for (size_t i = 0; i < s->n; i++) {
        struct row *r = s->rows[i];
        struct passing p = passing_of(run);
        arena_clear(&run->scratch);
        memcpy(run->slots, r->v, run->q->n_slots * sizeof(struct ins_value));
        p.ref = r->ref;
        p.at_ms = r->at_ms;
        TRY(pass(run, at + 1, &p));
        row_free(run, r);
        s->rows[i] = NULL;
    }
    return ERR_OK;
}

static enum err end_stats(struct insights_run *run, size_t at)
{
    const struct ins_command *c = &run->q->commands[at];
    struct stage *s = &run->stages[at];
    struct ins_value aggs[INSIGHTS_ITEMS_MAX], v;
    if (s->n_groups > 1)
        qsort(s->groups, s->n_groups, sizeof(struct group *), group_order);
    for (size_t i = 0; i < s->n_groups; i++) {
        struct group *g = s->groups[i];
        struct passing p = passing_of(run);
        arena_clear(&run->scratch);
        memset(run->slots, 0, sizeof(run->slots));
        for (size_t k = 0; k < c->n_aggs; k++)
            aggs[k] = ins_tally_value(&g->tallies[k], &c->aggs[k]);
        for (size_t k = 0; k < c->n_by; k++)
            run->slots[c->by[k].to] = g->by[k];
        p.eval.aggs = aggs;
        for (size_t k = 0; k < c->n; k++) { /* a column may use those before it */
            TRY(ins_eval(&p.eval, c->items[k].expr, &v));
            run->slots[c->items[k].to] = v;
        }
        p.eval.aggs = NULL;
        TRY(pass(run, at + 1, &p));
    }
    return ERR_OK;
}

enum err insights_run_end(struct insights_run *run)
{
    for (size_t i = 0; i < run->q->n; i++) {
        if (run->q->commands[i].kind == INS_SORT)
            TRY(end_sort(run, i));
        if (run->q->commands[i].kind == INS_STATS)
            TRY(end_stats(run, i));
    }
    return ERR_OK;
}

/* --- life ------------------------------------------------------------------------------------------- */

enum err insights_run_new(const struct insights_query *q, size_t bytes, size_t limit,
                          int64_t now_ms, struct insights_run **ret_run)
{
    struct insights_run *run = mem_calloc(1, sizeof(*run));
    if (!run)
        return ERR_NOMEM;
    assert(limit > 0 && limit <= INSIGHTS_ROWS_MAX);
    run->q = q;
    run->bytes_max = bytes;
    run->limit = limit;
    run->now_ms = now_ms;
    arena_init(&run->scratch, SCRATCH_BYTES_MAX);
    for (size_t i = 0; i < q->n; i++) {
        map_init(&run->stages[i].map);
        arena_init(&run->stages[i].scratch, SCRATCH_BYTES_MAX);
        run->stages[i].keep = sort_keep(q, i, limit);
    }
    *ret_run = run;
    return ERR_OK;
}

static void stage_release(struct insights_run *run, struct stage *s)
{
    for (size_t i = 0; i < s->n; i++)
        row_free(run, s->rows[i]);
    mem_free(s->rows);
    for (size_t i = 0; i < s->n_groups; i++) {
        for (size_t k = 0; k < s->groups[i]->n_aggs; k++)
            ins_tally_release(&s->groups[i]->tallies[k]);
        mem_free(s->groups[i]);
    }
    mem_free(s->groups);
    map_release(&s->map);
    arena_release(&s->scratch);
}

void insights_run_free(struct insights_run *run)
{
    if (!run)
        return;
    for (size_t i = 0; i < run->q->n; i++)
        stage_release(run, &run->stages[i]);
    for (size_t i = 0; i < run->n; i++)
        row_free(run, run->rows[i]);
    mem_free(run->rows);
    arena_release(&run->scratch);
    mem_free(run);
}

size_t insights_run_rows(const struct insights_run *run)
{
    return run->n;
}

enum err insights_run_row(const struct insights_run *run, size_t i, struct arena *a,
                          struct insights_field **ret_fields, size_t *ret_n, struct str *ret_ref)
{
    const struct insights_query *q = run->q;
    const struct row *r = run->rows[i];
    struct insights_field *v = ARENA_ARRAY(a, struct insights_field, q->n_columns + 1);
    size_t n = 0;
    assert(i < run->n);
    if (!v)
        return ERR_NOMEM;
    for (size_t k = 0; k < q->n_columns; k++) {
        const struct ins_value *value = &r->v[q->columns[k]];
        if (value->kind == INS_ABSENT)
            continue;
        v[n] = (struct insights_field){q->slots[q->columns[k]].name, ins_show(a, value)};
        if (!str_is_set(v[n++].value))
            return ERR_NOMEM;
    }
    *ret_fields = v;
    *ret_n = n;
    *ret_ref = r->ref;
    return ERR_OK;
}
