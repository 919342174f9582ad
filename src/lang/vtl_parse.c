/* Statements of a template: text, comments, escapes, directives. Tokens are those of Velocity 1.7's
 * grammar; what decides is where a token begins, since white space in front of a #set is the
 * directive's only there, and what a closing parenthesis takes with it (to the line's end). */
#include <string.h>

#include "lang/vtl_int.h"

enum stop { STOP_TEXT_END, STOP_END, STOP_ELSE, STOP_ELSEIF };

struct list {
    struct vtl_node *first, **tail;
};

static enum err statements(struct vtl_parser *ps, struct list *list, enum stop *ret_stop);

/* What follows a closing parenthesis, #else or #end to the end of the line, if nothing else does. */
static void skip_line_end(struct vtl_parser *ps)
{
    const char *p = ps->p;
    while (p < ps->end && (*p == ' ' || *p == '\t'))
        p++;
    if (p < ps->end && *p == '\r' && p + 1 < ps->end && p[1] == '\n')
        ps->p = p + 2;
    else if (p < ps->end && (*p == '\n' || *p == '\r'))
        ps->p = p + 1;
}

static bool looking_at(const struct vtl_parser *ps, const char *token)
{
    return str_starts(str_n(ps->p, (size_t)(ps->end - ps->p)), str_c(token));
}

static enum err expect(struct vtl_parser *ps, char c, const char *message)
{
    vtl_skip_space(ps);
    if (ps->p == ps->end || *ps->p != c)
        return vtl_parse_fail(ps, message);
    ps->p++;
    return ERR_OK;
}

/* --- nodes ------------------------------------------------------------------------------------ */

static enum err add(struct vtl_parser *ps, struct list *list, enum vtl_node_kind kind,
                    const char *at, struct vtl_node **ret_node)
{
    struct vtl_node *node = ARENA_NEW(ps->a, struct vtl_node);
    if (!node)
        return ERR_NOMEM;
    node->kind = kind;
    node->at = vtl_parse_at(ps, at);
    *list->tail = node;
    list->tail = &node->next;
    *ret_node = node;
    return ERR_OK;
}

static enum err add_text(struct vtl_parser *ps, struct list *list, const char *p, size_t len)
{
    struct vtl_node *node;
    if (len == 0)
        return ERR_OK;
    TRY(add(ps, list, VTL_N_TEXT, p, &node));
    node->text = str_n(p, len);
    return ERR_OK;
}

/* Statements up to an #end, which is taken. */
static enum err body_to_end(struct vtl_parser *ps, const char *message, struct vtl_node **ret_body)
{
    struct list list = {.tail = &list.first};
    enum stop stop;
    TRY(statements(ps, &list, &stop));
    if (stop != STOP_END)
        return vtl_parse_fail(ps, message);
    *ret_body = list.first;
    return ERR_OK;
}

/* --- directives ------------------------------------------------------------------------------- */

static enum err parenthesised(struct vtl_parser *ps, struct vtl_expr **ret_x)
{
    TRY(expect(ps, '(', "'(' is missing"));
    TRY(vtl_parse_expr(ps, ret_x));
    TRY(expect(ps, ')', "')' is missing"));
    skip_line_end(ps);
    return ERR_OK;
}

/* After "#if": its branches, of which there may be thousands, one after the other. */
static enum err if_rest(struct vtl_parser *ps, struct vtl_node *node)
{
    for (;;) {
        enum stop stop;
        struct list list = {.tail = &list.first}, chain = {.tail = &node->otherwise};
        TRY(parenthesised(ps, &node->expr));
        TRY(statements(ps, &list, &stop));
        node->body = list.first;
        if (stop == STOP_ELSE)
            return body_to_end(ps, "#else has no #end", &node->otherwise);
        if (stop != STOP_ELSEIF)
            return stop == STOP_END ? ERR_OK : vtl_parse_fail(ps, "#if has no #end");
        node->is_chain = true;
        TRY(add(ps, &chain, VTL_N_IF, ps->p, &node));
    }
}

/* After "#set(". */
static enum err set_rest(struct vtl_parser *ps, struct vtl_node *node)
{
    vtl_skip_space(ps);
    if (ps->p < ps->end && *ps->p == '$')
        TRY(vtl_parse_ref(ps, &node->ref));
    if (!node->ref)
        return vtl_parse_fail(ps, "#set needs a reference");
    TRY(expect(ps, '=', "'=' is missing"));
    TRY(vtl_parse_expr(ps, &node->expr));
    TRY(expect(ps, ')', "')' is missing"));
    skip_line_end(ps);
    return ERR_OK;
}

/* A reference without parts, as #foreach and #define name their variable. */
static enum err variable(struct vtl_parser *ps, struct str *ret_name)
{
    struct vtl_ref *ref = NULL;
    vtl_skip_space(ps);
    if (ps->p < ps->end && *ps->p == '$')
        TRY(vtl_parse_ref(ps, &ref));
    if (!ref || ref->parts)
        return vtl_parse_fail(ps, "a variable is missing");
    *ret_name = ref->name;
    return ERR_OK;
}

static enum err foreach_rest(struct vtl_parser *ps, struct vtl_node *node)
{
    TRY(expect(ps, '(', "'(' is missing"));
    TRY(variable(ps, &node->name));
    vtl_skip_space(ps);
    if (!looking_at(ps, "in") || ps->p + 2 == ps->end || vtl_is_word(ps->p[2]))
        return vtl_parse_fail(ps, "'in' is missing");
    ps->p += 2;
    TRY(vtl_parse_primary(ps, &node->expr));
    TRY(expect(ps, ')', "')' is missing"));
    skip_line_end(ps);
    return body_to_end(ps, "#foreach has no #end", &node->body);
}

static enum err define_rest(struct vtl_parser *ps, struct vtl_node *node)
{
    TRY(expect(ps, '(', "'(' is missing"));
    TRY(variable(ps, &node->name));
    TRY(expect(ps, ')', "')' is missing"));
    skip_line_end(ps);
    return body_to_end(ps, "#define has no #end", &node->body);
}

/* A comma or nothing between the arguments of a directive. */
static void skip_comma(struct vtl_parser *ps)
{
    vtl_skip_space(ps);
    if (ps->p < ps->end && *ps->p == ',')
        ps->p++;
    vtl_skip_space(ps);
}

static enum err macro_rest(struct vtl_parser *ps)
{
    struct str params[VTL_ARGUMENTS_MAX];
    struct vtl_macro *m = ARENA_NEW(ps->a, struct vtl_macro);
    if (!m)
        return ERR_NOMEM;
    TRY(expect(ps, '(', "'(' is missing"));
    vtl_skip_space(ps);
    const char *from = ps->p;
    while (ps->p < ps->end && vtl_is_word(*ps->p))
        ps->p++;
    m->name = str_n(from, (size_t)(ps->p - from));
    if (m->name.len == 0)
        return vtl_parse_fail(ps, "#macro needs a name");
    for (skip_comma(ps); ps->p < ps->end && *ps->p != ')'; skip_comma(ps)) {
        if (m->n == VTL_ARGUMENTS_MAX || ps->t->n_macros == VTL_MACROS_MAX)
            return vtl_parse_fail(ps, "too many macros or parameters");
        TRY(variable(ps, &params[m->n++]));
    }
    m->params = ARENA_ARRAY(ps->a, struct str, m->n);
    if (!m->params)
        return ERR_NOMEM;
    memcpy(m->params, params, m->n * sizeof(*params));
    TRY(expect(ps, ')', "')' is missing"));
    skip_line_end(ps);
    TRY(body_to_end(ps, "#macro has no #end", &m->body));
    m->next = ps->t->macros;
    ps->t->macros = m;
    ps->t->n_macros++;
    return ERR_OK;
}

/* Whether a parenthesis follows, after white space. */
static bool parenthesis_follows(const struct vtl_parser *ps)
{
    const char *p = ps->p;
    while (p < ps->end && vtl_is_space(*p))
        p++;
    return p < ps->end && *p == '(';
}

/* (arg, arg arg) */
static enum err call_arguments(struct vtl_parser *ps, struct vtl_node *node)
{
    size_t cap = 0;
    TRY(expect(ps, '(', "'(' is missing"));
    for (skip_comma(ps); ps->p < ps->end && *ps->p != ')'; skip_comma(ps)) {
        struct vtl_expr *x;
        TRY(vtl_parse_primary(ps, &x));
        TRY(vtl_args_add(ps, &node->args, &node->n, &cap, x));
    }
    TRY(expect(ps, ')', "')' is missing"));
    skip_line_end(ps);
    return ERR_OK;
}

/* #name(..) of a macro that may be defined anywhere, or plain text. */
static enum err call(struct vtl_parser *ps, struct list *list, const char *from, struct str name)
{
    struct vtl_node *node;
    TRY(add(ps, list, VTL_N_CALL, from, &node));
    node->has_body = name.p[0] == '@';
    node->name = node->has_body ? str_sub(name, 1, SIZE_MAX) : name;
    if (parenthesis_follows(ps))
        TRY(call_arguments(ps, node));
    else if (node->has_body)
        return vtl_parse_fail(ps, "'(' is missing");
    if (node->has_body)
        TRY(body_to_end(ps, "a block has no #end", &node->body));
    node->text = str_n(from, (size_t)(ps->p - from));
    return ERR_OK;
}

/* #break and #break($foreach) */
static enum err break_rest(struct vtl_parser *ps)
{
    struct vtl_node ignored = {0};
    return parenthesis_follows(ps) ? call_arguments(ps, &ignored) : ERR_OK;
}

/* name or {name} at p; *ret_len of all of it. */
static bool directive_name(const char *p, const char *end, struct str *ret_name, size_t *ret_len)
{
    bool curly = p < end && *p == '{';
    const char *from = p + curly, *q = from;
    if (q == end || !(vtl_is_word_start(*q) || (*q == '@' && !curly)))
        return false;
    for (q++; q < end && (vtl_is_word(*q) || *q == '@'); q++)
        ;
    if (curly && (q == end || *q != '}'))
        return false;
    *ret_name = str_n(from, (size_t)(q - from));
    *ret_len = (size_t)(q + curly - p);
    return true;
}

static enum err nested(struct vtl_parser *ps, struct list *list, const char *from, struct str name)
{
    struct vtl_node *node;
    enum err err;
    TRY(vtl_parse_enter(ps));
    if (str_eq_c(name, "if")) {
        TRY(add(ps, list, VTL_N_IF, from, &node));
        err = if_rest(ps, node);
    } else if (str_eq_c(name, "foreach")) {
        TRY(add(ps, list, VTL_N_FOREACH, from, &node));
        err = foreach_rest(ps, node);
    } else if (str_eq_c(name, "define")) {
        TRY(add(ps, list, VTL_N_DEFINE, from, &node));
        err = define_rest(ps, node);
    } else if (str_eq_c(name, "macro")) {
        err = macro_rest(ps);
    } else {
        err = call(ps, list, from, name);
    }
    ps->depth--;
    return err;
}

/* At '#' with a name behind it. */
static enum err directive(struct vtl_parser *ps, struct list *list, struct str name, size_t len,
                          enum stop *ret_stop)
{
    struct vtl_node *node;
    const char *from = ps->p;
    ps->p += 1 + len;
    if (str_eq_c(name, "end") || str_eq_c(name, "else")) {
        skip_line_end(ps);
        *ret_stop = name.len == 3 ? STOP_END : STOP_ELSE;
        return ERR_OK;
    }
    if (str_eq_c(name, "elseif")) {
        *ret_stop = STOP_ELSEIF;
        return ERR_OK;
    }
    if (str_eq_c(name, "stop"))
        return add(ps, list, VTL_N_STOP, from, &node);
    if (str_eq_c(name, "break")) {
        TRY(add(ps, list, VTL_N_BREAK, from, &node));
        return break_rest(ps);
    }
    if (str_eq_c(name, "parse") || str_eq_c(name, "include") || str_eq_c(name, "evaluate"))
        return vtl_parse_fail(ps, "#parse, #include and #evaluate are not available");
    if (str_eq_c(name, "set")) /* with its parenthesis it was taken as one token */
        return add_text(ps, list, from, 1 + len);
    return nested(ps, list, from, name);
}

/* --- tokens of text --------------------------------------------------------------------------- */

/* White space, "#set" and "(" at p, as one token: its length, or 0. */
static size_t set_token(const char *p, const char *end)
{
    const char *q = p;
    while (q < end && (*q == ' ' || *q == '\t'))
        q++;
    struct str rest = str_n(q, (size_t)(end - q));
    if (str_starts(rest, STR("#set")))
        q += 4;
    else if (str_starts(rest, STR("#{set}")))
        q += 6;
    else
        return 0;
    while (q < end && *q == ' ')
        q++;
    return q < end && *q == '(' ? (size_t)(q + 1 - p) : 0;
}

/* ## to the end of the line, #* to *#, #[[ to ]]#. *ret_taken: it was one. */
static enum err comment(struct vtl_parser *ps, struct list *list, bool *ret_taken)
{
    bool block = looking_at(ps, "#*"), text = looking_at(ps, "#[[");
    *ret_taken = true;
    if (looking_at(ps, "##")) {
        while (ps->p < ps->end && *ps->p != '\n' && *ps->p != '\r')
            ps->p++;
        if (ps->p < ps->end)
            ps->p += ps->p[0] == '\r' && ps->p + 1 < ps->end && ps->p[1] == '\n' ? 2 : 1;
        return ERR_OK;
    }
    *ret_taken = block || text;
    if (!*ret_taken)
        return ERR_OK;
    const char *from = ps->p + (block ? 2 : 3);
    size_t n = str_find_str(str_n(from, (size_t)(ps->end - from)), block ? STR("*#") : STR("]]#"));
    if (n == SIZE_MAX && text)
        return vtl_parse_fail(ps, "a text block has no end");
    ps->p = n == SIZE_MAX ? ps->end : from + n + (block ? 2 : 3);
    return block ? ERR_OK : add_text(ps, list, from, n);
}

/* Whether the name is one that escapes are about. */
static bool is_known(const struct vtl_parser *ps, struct str name)
{
    static const char *const names[] = {"if",    "end",     "set",      "else",   "elseif",
                                        "stop",  "foreach", "break",    "macro",  "define",
                                        "parse", "include", "evaluate", "literal"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_c(name, names[i]))
            return true;
    for (const struct vtl_macro *m = ps->t->macros; m; m = m->next)
        if (str_eq(m->name, name))
            return true;
    return false;
}

/* A run of backslashes that a '#' follows. In front of a directive that there is, two print one and an
 * odd one makes it text; others are text. */
static enum err slashes_hash(struct vtl_parser *ps, struct list *list, size_t n)
{
    struct str name = STR_NONE;
    size_t len = 0;
    const char *from = ps->p;
    bool word = directive_name(ps->p + n + 1, ps->end, &name, &len);
    bool known = word && is_known(ps, name);
    ps->p += n;
    if (n % 2 == 0) {
        bool control = known && !str_eq_c(name, "set");
        return add_text(ps, list, from, control ? n / 2 : n);
    }
    if (!word)
        return add_text(ps, list, from, n);
    ps->p += 1 + len;
    TRY(add_text(ps, list, from, known ? n / 2 : n));
    return add_text(ps, list, from + n, 1 + len);
}

/* Behind a reference without braces, braces and names that cannot belong to it are tokens of their own:
 * white space that follows them in front of a #set is the directive's. */
static enum err reference_end(struct vtl_parser *ps, struct list *list)
{
    bool closed = false;
    while (ps->p < ps->end && !closed) {
        const char *from = ps->p;
        closed = *from == '}';
        if (closed || *from == '{')
            ps->p++;
        else
            while (ps->p < ps->end && vtl_is_word(*ps->p))
                ps->p++;
        if (ps->p == from)
            break;
        TRY(add_text(ps, list, from, (size_t)(ps->p - from)));
    }
    return ERR_OK;
}

static enum err reference(struct vtl_parser *ps, struct list *list, const char *from,
                          struct vtl_ref *ref)
{
    struct vtl_node *node;
    TRY(add(ps, list, VTL_N_REF, from, &node));
    node->ref = ref;
    ref->slashes = (size_t)(ref->literal.p - from);
    return ref->literal.p[ref->literal.len - 1] == '}' ? ERR_OK : reference_end(ps, list);
}

static enum err slashes(struct vtl_parser *ps, struct list *list)
{
    size_t n = 0;
    while (ps->p + n < ps->end && ps->p[n] == '\\')
        n++;
    if (ps->p + n < ps->end && ps->p[n] == '#')
        return slashes_hash(ps, list, n);
    if (ps->p + n < ps->end && ps->p[n] == '$') {
        const char *from = ps->p;
        struct vtl_ref *ref;
        ps->p += n;
        TRY(vtl_parse_ref(ps, &ref));
        if (ref)
            return reference(ps, list, from, ref);
        ps->p = from;
    }
    TRY(add_text(ps, list, ps->p, n));
    ps->p += n;
    return ERR_OK;
}

static enum err dollar(struct vtl_parser *ps, struct list *list)
{
    const char *from = ps->p;
    struct vtl_ref *ref;
    TRY(vtl_parse_ref(ps, &ref));
    if (ref)
        return reference(ps, list, from, ref);
    ps->p++;
    return add_text(ps, list, from, 1);
}

/* At '#'. */
static enum err hash(struct vtl_parser *ps, struct list *list, enum stop *ret_stop)
{
    bool taken;
    struct str name;
    size_t len;
    TRY(comment(ps, list, &taken));
    if (taken)
        return ERR_OK;
    if (directive_name(ps->p + 1, ps->end, &name, &len))
        return directive(ps, list, name, len, ret_stop);
    return add_text(ps, list, ps->p++, 1);
}

/* One token and what belongs to it. */
static enum err statement(struct vtl_parser *ps, struct list *list, enum stop *ret_stop)
{
    struct vtl_node *node;
    size_t n = set_token(ps->p, ps->end);
    if (n) {
        TRY(add(ps, list, VTL_N_SET, ps->p, &node));
        ps->p += n;
        return set_rest(ps, node);
    }
    switch (*ps->p) {
    case '#':
        return hash(ps, list, ret_stop);
    case '$':
        return dollar(ps, list);
    case '\\':
        return slashes(ps, list);
    }
    const char *from = ps->p;
    while (ps->p < ps->end && *ps->p != '#' && *ps->p != '$' && *ps->p != '\\')
        ps->p++;
    return add_text(ps, list, from, (size_t)(ps->p - from));
}

/* Up to the end, or an #end, #else or #elseif, which is taken. */
static enum err statements(struct vtl_parser *ps, struct list *list, enum stop *ret_stop)
{
    *ret_stop = STOP_TEXT_END;
    while (ps->p < ps->end && *ret_stop == STOP_TEXT_END)
        TRY(statement(ps, list, ret_stop));
    return ERR_OK;
}

static enum err whole_body(struct vtl_parser *ps, struct vtl_node **ret_body)
{
    struct list list = {.tail = &list.first};
    enum stop stop;
    TRY(statements(ps, &list, &stop));
    if (stop != STOP_TEXT_END)
        return vtl_parse_fail(ps, "#end, #else or #elseif belongs to nothing");
    *ret_body = list.first;
    return ERR_OK;
}

/* --- whole templates -------------------------------------------------------------------------- */

enum err vtl_parse(struct arena *a, struct str text, const struct vtl_template **ret_template,
                   struct vtl_error *ret_error)
{
    struct vtl_template *t = ARENA_NEW(a, struct vtl_template);
    if (!t)
        return ERR_NOMEM;
    struct vtl_parser ps = {.a = a, .t = t, .outer_at = -1, .body = whole_body};
    enum err err = ERR_LIMIT;
    if (text.len <= VTL_TEMPLATE_BYTES_MAX) {
        t->text = str_is_set(text) ? str_dup(a, text) : STR("");
        if (!str_is_set(t->text))
            return ERR_NOMEM;
        ps.p = ps.start = t->text.p;
        ps.end = ps.p + t->text.len;
        err = whole_body(&ps, &t->body);
    } else {
        ps.message = "the template is too long";
    }
    if (err == ERR_OK)
        *ret_template = t;
    else if (ret_error) {
        *ret_error = (struct vtl_error){.message = str_c(ps.message ? ps.message : "")};
        if (ps.fault)
            vtl_place(t->text, vtl_parse_at(&ps, ps.fault), ret_error);
    }
    return err;
}
