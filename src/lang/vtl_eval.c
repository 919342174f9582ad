/* Evaluation: statements, references, variables, macros. */
#include "lang/vtl_int.h"

enum { STEP_BYTES = 64 };

static enum err eval(struct vtl_run *run, const struct vtl_expr *x, struct vtl_value *ret_v);
static enum err eval_ref(struct vtl_run *run, const struct vtl_ref *r, struct vtl_value *ret_v);
static enum err eval_nodes(struct vtl_run *run, const struct vtl_node *node, struct buf *out);

/* --- variables -------------------------------------------------------------------------------- */

/* The value of a macro's parameter: its argument, evaluated where the macro was called. */
static enum err parameter(struct vtl_run *run, struct vtl_scope *scope, size_t i,
                          struct vtl_value *ret_v)
{
    *ret_v = vtl_null();
    if (i >= scope->call->n)
        return ERR_OK;
    run->scope = scope->outer;
    enum err err = eval(run, scope->call->args[i], ret_v);
    run->scope = scope;
    return err;
}

static enum err in_scope(struct vtl_run *run, struct vtl_scope *scope, struct str name,
                         struct vtl_value *ret_v, bool *ret_found)
{
    *ret_found = true;
    TRY(vtl_map_get(run, scope->locals, name, ret_v));
    if (ret_v->kind != VTL_NULL)
        return ERR_OK;
    for (size_t i = 0; i < scope->macro->n; i++)
        if (str_eq(scope->macro->params[i], name))
            return parameter(run, scope, i, ret_v);
    *ret_found = scope->body && str_eq(name, STR("bodyContent"));
    if (*ret_found)
        *ret_v = (struct vtl_value){.kind = VTL_BLOCK, .block = scope->body};
    return ERR_OK;
}

static enum err get_var(struct vtl_run *run, struct str name, struct vtl_value *ret_v)
{
    struct vtl_scope *at = run->scope;
    bool found = false;
    enum err err = ERR_OK;
    for (struct vtl_scope *s = at; s && err == ERR_OK && !found; s = s->outer) {
        run->scope = s;
        err = in_scope(run, s, name, ret_v, &found);
    }
    run->scope = at;
    return err != ERR_OK || found ? err : vtl_map_get(run, run->globals, name, ret_v);
}

/* A macro's assignments are seen by it and by everybody, as Velocity has it without local scope. */
static enum err put_var(struct vtl_run *run, struct str name, struct vtl_value v)
{
    struct vtl_value key = vtl_string(name);
    for (struct vtl_scope *s = run->scope; s; s = s->outer)
        TRY(vtl_map_set(run, s->locals, key, v));
    return vtl_map_set(run, run->globals, key, v);
}

/* --- expressions ------------------------------------------------------------------------------ */

static enum err eval_list(struct vtl_run *run, const struct vtl_expr *x, struct vtl_value *ret_v)
{
    TRY(vtl_list_new(run, false, ret_v));
    for (size_t i = 0; i < x->n; i++) {
        struct vtl_value item;
        TRY(eval(run, x->items[i], &item));
        TRY(vtl_list_add(run, ret_v->list, item));
    }
    return ERR_OK;
}

static enum err eval_map(struct vtl_run *run, const struct vtl_expr *x, struct vtl_value *ret_v)
{
    TRY(vtl_map_new(run, ret_v));
    for (size_t i = 0; i + 1 < x->n; i += 2) {
        struct vtl_value key, v;
        TRY(eval(run, x->items[i], &key));
        TRY(eval(run, x->items[i + 1], &v));
        TRY(vtl_map_put(run, ret_v->map, key, v));
    }
    return ERR_OK;
}

static enum err eval_range(struct vtl_run *run, const struct vtl_expr *x, struct vtl_value *ret_v)
{
    struct vtl_value from, to;
    TRY(eval(run, x->items[0], &from));
    TRY(eval(run, x->items[1], &to));
    if (from.kind != VTL_INT || to.kind != VTL_INT) /* logged by Velocity, and null */
        return ERR_OK;
    struct vtl_value list;
    TRY(vtl_list_new(run, false, &list));
    int64_t step = from.i <= to.i ? 1 : -1;
    for (int64_t i = from.i;; i += step) {
        TRY(vtl_list_add(run, list.list, vtl_int(i)));
        if (i == to.i)
            break;
    }
    *ret_v = list;
    return ERR_OK;
}

static enum err eval_text(struct vtl_run *run, const struct vtl_expr *x, struct vtl_value *ret_v)
{
    struct buf b;
    buf_init_arena(&b, run->a, VTL_TEXT_MAX);
    TRY(eval_nodes(run, x->body, &b));
    if (buf_err(&b) == ERR_LIMIT)
        return vtl_exceed(run, "a text is too long");
    *ret_v = vtl_string(buf_str(&b));
    return buf_err(&b);
}

static enum err operate(struct vtl_run *run, const struct vtl_expr *x, struct vtl_value *ret_v)
{
    struct vtl_value a, b;
    TRY(eval(run, x->items[0], &a));
    bool holds = vtl_holds(x->items[0], a);
    if (x->op == VTL_NOT) {
        *ret_v = vtl_bool(!holds);
        return ERR_OK;
    }
    bool is_and = x->op == VTL_AND, is_or = x->op == VTL_OR;
    if ((is_and && !holds) || (is_or && holds)) {
        *ret_v = vtl_bool(is_or);
        return ERR_OK;
    }
    TRY(eval(run, x->items[1], &b));
    if (is_and || is_or) {
        *ret_v = vtl_bool(vtl_holds(x->items[1], b));
        return ERR_OK;
    }
    run->at = x->at;
    *ret_v = vtl_null();
    return vtl_binary(run, x, a, b, ret_v);
}

static enum err eval(struct vtl_run *run, const struct vtl_expr *x, struct vtl_value *ret_v)
{
    *ret_v = vtl_null();
    run->at = x->at;
    TRY(vtl_work(run, 1));
    switch (x->kind) {
    case VTL_E_LITERAL:
        *ret_v = x->value;
        return ERR_OK;
    case VTL_E_TEXT:
        return eval_text(run, x, ret_v);
    case VTL_E_REF:
        return eval_ref(run, x->ref, ret_v);
    case VTL_E_LIST:
        return eval_list(run, x, ret_v);
    case VTL_E_MAP:
        return eval_map(run, x, ret_v);
    case VTL_E_RANGE:
        return eval_range(run, x, ret_v);
    case VTL_E_OP:
        return operate(run, x, ret_v);
    case VTL_E_WORD:
        return ERR_OK;
    }
    return ERR_OK;
}

/* --- references ------------------------------------------------------------------------------- */

static enum err eval_args(struct vtl_run *run, const struct vtl_part *part, struct vtl_value *args)
{
    for (size_t i = 0; i < part->n; i++)
        TRY(eval(run, part->args[i], &args[i]));
    return ERR_OK;
}

/* v[i]: get(i); a negative number counts from the end. */
static enum err get_index(struct vtl_run *run, struct vtl_value self, struct vtl_value arg,
                          struct vtl_value *ret_v)
{
    if (self.kind == VTL_LIST && arg.kind == VTL_INT && arg.i < 0) {
        TRY(vtl_list_load(run, self.list));
        arg.i += (int64_t)self.list->n;
    }
    return vtl_call_method(
        &(struct vtl_call){.run = run, .self = self, .name = STR("get"), .args = &arg, .n = 1},
        ret_v);
}

static enum err eval_part(struct vtl_run *run, const struct vtl_part *part, struct vtl_value self,
                          struct vtl_value *ret_v)
{
    struct vtl_value args[VTL_ARGUMENTS_MAX];
    *ret_v = vtl_null();
    if (part->kind == VTL_P_PROPERTY) {
        run->at = part->at;
        return vtl_property(run, self, part->name, ret_v);
    }
    TRY(eval_args(run, part, args));
    run->at = part->at;
    if (part->kind == VTL_P_INDEX)
        return get_index(run, self, args[0], ret_v);
    return vtl_call_method(
        &(struct vtl_call){
            .run = run, .self = self, .name = part->name, .args = args, .n = part->n},
        ret_v);
}

/* The value that the parts before `last` lead to. */
static enum err eval_until(struct vtl_run *run, const struct vtl_ref *r,
                           const struct vtl_part *last, struct vtl_value *ret_v)
{
    TRY(vtl_work(run, 1));
    TRY(get_var(run, r->name, ret_v));
    for (const struct vtl_part *part = r->parts; part != last && ret_v->kind != VTL_NULL;
         part = part->next) {
        struct vtl_value self = *ret_v;
        TRY(vtl_work(run, 1));
        TRY(eval_part(run, part, self, ret_v));
    }
    return ERR_OK;
}

static enum err eval_ref(struct vtl_run *run, const struct vtl_ref *r, struct vtl_value *ret_v)
{
    return eval_until(run, r, NULL, ret_v);
}

static enum err assign_index(struct vtl_run *run, struct vtl_value self, struct vtl_value index,
                             struct vtl_value v)
{
    struct vtl_value args[2] = {index, v}, ignored = vtl_null();
    if (self.kind == VTL_LIST && index.kind == VTL_INT && index.i < 0) {
        TRY(vtl_list_load(run, self.list));
        args[0].i += (int64_t)self.list->n;
    }
    struct vtl_call c = {.run = run,
                         .self = self,
                         .name = self.kind == VTL_LIST ? STR("set") : STR("put"),
                         .args = args,
                         .n = 2};
    return vtl_call_method(&c, &ignored);
}

/* What cannot be assigned to is left as it is, as Velocity does. */
static enum err assign(struct vtl_run *run, const struct vtl_ref *r, struct vtl_value v)
{
    const struct vtl_part *last = r->parts;
    struct vtl_value self, index;
    if (!last)
        return put_var(run, r->name, v);
    while (last->next)
        last = last->next;
    TRY(eval_until(run, r, last, &self));
    run->at = last->at;
    if (last->kind == VTL_P_INDEX) {
        TRY(eval(run, last->args[0], &index));
        return assign_index(run, self, index, v);
    }
    if (last->kind == VTL_P_PROPERTY && self.kind == VTL_MAP)
        return vtl_map_put(run, self.map, vtl_string(last->name), v);
    return ERR_OK;
}

static void put_slashes(struct buf *out, size_t n)
{
    while (n-- > 0)
        buf_add_byte(out, '\\');
}

/* What a null reference is written as: a macro's parameter as its argument. */
static struct str literal_of(const struct vtl_run *run, const struct vtl_ref *r)
{
    struct str literal = r->literal, name = r->parts ? STR_NONE : r->name;
    for (const struct vtl_scope *s = run->scope; s && name.p; s = s->outer) {
        const struct vtl_expr *arg = NULL;
        for (size_t i = 0; i < s->macro->n && i < s->call->n && !arg; i++)
            if (str_eq(s->macro->params[i], name))
                arg = s->call->args[i];
        bool is_ref = arg && arg->kind == VTL_E_REF;
        name = is_ref && !arg->ref->parts ? arg->ref->name : STR_NONE;
        if (is_ref)
            literal = arg->ref->literal;
    }
    return literal;
}

/* As Velocity: what is not null is printed behind half of its backslashes, and an odd one makes it text;
 * what is null is text itself. */
static enum err render_ref(struct vtl_run *run, const struct vtl_ref *r, struct buf *out)
{
    struct vtl_value v;
    TRY(eval_ref(run, r, &v));
    bool escaped = r->slashes % 2 == 1, null = v.kind == VTL_NULL;
    put_slashes(out, r->slashes / 2);
    if (escaped) {
        put_slashes(out, null);
        buf_add_str(out, r->literal);
        return ERR_OK;
    }
    if (!null)
        return vtl_put_text(run, out, v);
    if (run->quiet)
        return ERR_OK;
    put_slashes(out, r->slashes / 2);
    buf_add_str(out, r->quiet ? STR("") : literal_of(run, r));
    return ERR_OK;
}

/* --- directives ------------------------------------------------------------------------------- */

static enum err enter(struct vtl_run *run)
{
    if (++run->calls <= VTL_CALLS_MAX)
        return ERR_OK;
    return vtl_exceed(run, "macros or blocks call one another too deep");
}

/* A #break ends the macro or block that it stands in, not what called it. */
static void leave(struct vtl_run *run)
{
    run->calls--;
    if (run->stop == VTL_BREAK)
        run->stop = VTL_GO_ON;
}

static enum err render_block(struct vtl_run *run, const struct vtl_block *block, struct buf *out)
{
    struct vtl_scope *at = run->scope;
    TRY(enter(run));
    if (block->in_scope)
        run->scope = block->scope;
    enum err err = eval_nodes(run, block->body, out);
    run->scope = at;
    leave(run);
    return err;
}

static enum err run_if(struct vtl_run *run, const struct vtl_node *node, struct buf *out)
{
    for (;; node = node->otherwise) {
        struct vtl_value v;
        TRY(eval(run, node->expr, &v));
        if (vtl_holds(node->expr, v))
            return eval_nodes(run, node->body, out);
        if (!node->is_chain)
            return eval_nodes(run, node->otherwise, out);
    }
}

static enum err run_define(struct vtl_run *run, const struct vtl_node *node)
{
    struct vtl_block *block = ARENA_NEW(run->a, struct vtl_block);
    if (!block)
        return ERR_NOMEM;
    block->body = node->body;
    return put_var(run, node->name, (struct vtl_value){.kind = VTL_BLOCK, .block = block});
}

static const struct vtl_macro *macro_of(const struct vtl_run *run, struct str name)
{
    for (const struct vtl_macro *m = run->template->macros; m; m = m->next)
        if (str_eq(m->name, name))
            return m;
    return NULL;
}

static enum err run_call(struct vtl_run *run, const struct vtl_node *node, struct buf *out)
{
    const struct vtl_macro *m = macro_of(run, node->name);
    struct vtl_block body = {.body = node->body, .in_scope = true, .scope = run->scope};
    struct vtl_scope scope = {.outer = run->scope, .macro = m, .call = node};
    struct vtl_value locals;
    if (!m) {
        buf_add_str(out, node->text);
        return ERR_OK;
    }
    if (node->has_body)
        scope.body = &body;
    TRY(vtl_map_new(run, &locals));
    scope.locals = locals.map;
    TRY(enter(run));
    run->scope = &scope;
    enum err err = eval_nodes(run, m->body, out);
    run->scope = scope.outer;
    leave(run);
    return err;
}

/* --- #foreach --------------------------------------------------------------------------------- */

/* What a loop goes over: the items of a list, the values of a map; others are gone over not at all. */
static enum err items_of(struct vtl_run *run, struct vtl_value v, struct vtl_value **ret_items,
                         size_t *ret_n)
{
    *ret_n = 0;
    if (v.kind == VTL_LIST) {
        size_t n;
        struct vtl_value *items;
        TRY(vtl_list_items(run, v.list, &items, &n));
        *ret_items = ARENA_ARRAY(run->a, struct vtl_value, n);
        if (!*ret_items)
            return ERR_NOMEM;
        for (size_t i = 0; i < n; i++)
            (*ret_items)[i] = items[i]; /* the body may change the list */
        *ret_n = n;
        return vtl_work(run, n);
    }
    if (v.kind == VTL_MAP) {
        struct vtl_entry **entries;
        TRY(vtl_map_entries(run, v.map, &entries, ret_n));
        *ret_items = ARENA_ARRAY(run->a, struct vtl_value, *ret_n);
        if (!*ret_items)
            return ERR_NOMEM;
        for (size_t i = 0; i < *ret_n; i++)
            (*ret_items)[i] = entries[i]->value;
        return vtl_work(run, *ret_n);
    }
    return ERR_OK;
}

/* $foreach of one turn. */
static enum err put_turn(struct vtl_run *run, struct vtl_map *foreach, size_t i, size_t n)
{
    const struct {
        struct str name;
        struct vtl_value v;
    } rows[] = {
        {STR("index"), vtl_int((int64_t)i)},   {STR("count"), vtl_int((int64_t)i + 1)},
        {STR("hasNext"), vtl_bool(i + 1 < n)}, {STR("first"), vtl_bool(i == 0)},
        {STR("last"), vtl_bool(i + 1 == n)},
    };
    for (size_t k = 0; k < ARRAY_LEN(rows); k++)
        TRY(vtl_map_set(run, foreach, vtl_string(rows[k].name), rows[k].v));
    TRY(put_var(run, STR("velocityCount"), vtl_int((int64_t)i + 1)));
    return put_var(run, STR("velocityHasNext"), vtl_bool(i + 1 < n));
}

static enum err new_turns(struct vtl_run *run, struct vtl_value outer, struct vtl_value *ret_map)
{
    struct vtl_value topmost = vtl_null();
    TRY(vtl_map_new(run, ret_map));
    TRY(vtl_map_put(run, ret_map->map, vtl_string(STR("parent")), outer));
    if (outer.kind == VTL_MAP)
        TRY(vtl_map_get(run, outer.map, STR("topmost"), &topmost));
    return vtl_map_put(run, ret_map->map, vtl_string(STR("topmost")),
                       topmost.kind == VTL_NULL ? *ret_map : topmost);
}

static enum err turns(struct vtl_run *run, const struct vtl_node *node, struct vtl_map *foreach,
                      const struct vtl_value *items, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n && i < VTL_ITERATIONS_MAX && run->stop == VTL_GO_ON; i++) {
        TRY(put_turn(run, foreach, i, n));
        TRY(put_var(run, node->name, items[i]));
        TRY(eval_nodes(run, node->body, out));
    }
    if (run->stop == VTL_BREAK)
        run->stop = VTL_GO_ON;
    return ERR_OK;
}

static enum err run_foreach(struct vtl_run *run, const struct vtl_node *node, struct buf *out)
{
    static const struct str own[] = {STR_INIT("velocityCount"), STR_INIT("velocityHasNext"),
                                     STR_INIT("foreach")};
    struct vtl_value over, saved[ARRAY_LEN(own)], saved_item, foreach, *items = NULL;
    size_t n;
    TRY(eval(run, node->expr, &over));
    TRY(items_of(run, over, &items, &n));
    if (over.kind != VTL_LIST && over.kind != VTL_MAP)
        return ERR_OK;
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        TRY(get_var(run, own[i], &saved[i]));
    TRY(get_var(run, node->name, &saved_item));
    TRY(new_turns(run, saved[2], &foreach));
    TRY(put_var(run, STR("foreach"), foreach));
    TRY(turns(run, node, foreach.map, items, n, out));
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        TRY(put_var(run, own[i], saved[i]));
    return put_var(run, node->name, saved_item);
}

/* --- statements ------------------------------------------------------------------------------- */

static enum err run_set(struct vtl_run *run, const struct vtl_node *node)
{
    struct vtl_value v;
    TRY(eval(run, node->expr, &v));
    return v.kind == VTL_NULL ? ERR_OK : assign(run, node->ref, v);
}

static enum err run_node(struct vtl_run *run, const struct vtl_node *node, struct buf *out)
{
    switch (node->kind) {
    case VTL_N_TEXT:
        buf_add_str(out, node->text);
        return vtl_work(run, node->text.len / STEP_BYTES);
    case VTL_N_REF:
        return render_ref(run, node->ref, out);
    case VTL_N_SET:
        return run_set(run, node);
    case VTL_N_IF:
        return run_if(run, node, out);
    case VTL_N_FOREACH:
        return run_foreach(run, node, out);
    case VTL_N_DEFINE:
        return run_define(run, node);
    case VTL_N_CALL:
        return run_call(run, node, out);
    case VTL_N_BREAK:
        run->stop = VTL_BREAK;
        return ERR_OK;
    case VTL_N_STOP:
        run->stop = VTL_STOP;
        return ERR_OK;
    }
    return ERR_OK;
}

static enum err eval_nodes(struct vtl_run *run, const struct vtl_node *node, struct buf *out)
{
    for (; node && run->stop == VTL_GO_ON; node = node->next) {
        run->at = node->at;
        TRY(vtl_work(run, 1));
        TRY(run_node(run, node, out));
        if (buf_err(out) == ERR_LIMIT)
            return vtl_exceed(run, "the output is too large");
        TRY(buf_err(out));
    }
    return ERR_OK;
}

/* --- runs ------------------------------------------------------------------------------------- */

enum err vtl_run_init(struct vtl_run *run, struct arena *a)
{
    struct vtl_value globals;
    *run = (struct vtl_run){.a = a, .render = render_block};
    TRY(vtl_map_new(run, &globals));
    run->globals = globals.map;
    return ERR_OK;
}

enum err vtl_set(struct vtl_run *run, struct str name, struct vtl_value v)
{
    return vtl_map_set(run, run->globals, vtl_string(name), v);
}

enum err vtl_evaluate(struct vtl_run *run, const struct vtl_template *t, struct str *ret_text,
                      struct vtl_error *ret_error)
{
    struct buf out;
    buf_init_arena(&out, run->a, VTL_OUTPUT_MAX);
    run->template = t;
    run->stop = VTL_GO_ON;
    run->scope = NULL;
    run->depth = run->calls = 0;
    run->error = (struct vtl_error){0};
    enum err err = eval_nodes(run, t->body, &out);
    if (err == ERR_OK) {
        *ret_text = buf_str(&out);
    } else if (ret_error && err != ERR_NOMEM) {
        *ret_error = run->error;
        vtl_place(t->text, run->at, ret_error);
    }
    return err;
}
