/* See cw_rule.h. */
#include "svc/cloudwatch/cw_rule.h"

#include <assert.h>

#include "base/buf.h"

enum { NAME_MAX_BYTES = 2048 };

struct parser {
    struct arena *a;
    struct str text;
    size_t at;
    struct cw_rule *rule;
    size_t nodes;
    int depth;
};

static enum err parse_or(struct parser *p, struct cw_rule_node **ret);

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip(struct parser *p)
{
    while (p->at < p->text.len && is_space(p->text.p[p->at]))
        p->at++;
}

static bool is_word(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* The word that begins here; empty: none. */
static struct str word(const struct parser *p)
{
    size_t end = p->at;
    while (end < p->text.len && is_word(p->text.p[end]))
        end++;
    return str_n(p->text.p + p->at, end - p->at);
}

static bool take_word(struct parser *p, struct str w)
{
    skip(p);
    if (!str_eq(word(p), w))
        return false;
    p->at += w.len;
    return true;
}

static bool take_char(struct parser *p, char c)
{
    skip(p);
    if (p->at >= p->text.len || p->text.p[p->at] != c)
        return false;
    p->at++;
    return true;
}

static enum err node(struct parser *p, enum cw_rule_kind kind, struct cw_rule_node **ret)
{
    if (++p->nodes > CW_RULE_NODES_MAX)
        return ERR_LIMIT;
    *ret = ARENA_NEW(p->a, struct cw_rule_node);
    if (!*ret)
        return ERR_NOMEM;
    (*ret)->kind = kind;
    return ERR_OK;
}

/* In quotation marks, in which \" and \\ stand for what follows. */
static enum err quoted(struct parser *p, struct str *ret)
{
    struct buf b;
    buf_init_arena(&b, p->a, NAME_MAX_BYTES);
    while (p->at < p->text.len && p->text.p[p->at] != '"') {
        if (p->text.p[p->at] == '\\' && p->at + 1 < p->text.len)
            p->at++;
        buf_add_byte(&b, p->text.p[p->at++]);
    }
    if (!take_char(p, '"'))
        return ERR_INVALID;
    *ret = buf_str(&b);
    return buf_err(&b) == ERR_LIMIT ? ERR_INVALID : buf_err(&b);
}

static enum err name(struct parser *p, struct str *ret)
{
    if (take_char(p, '"')) {
        TRY(quoted(p, ret));
    } else {
        size_t from = p->at;
        while (p->at < p->text.len && p->text.p[p->at] != ')' && p->text.p[p->at] != '(' &&
               p->text.p[p->at] != '"')
            p->at++;
        *ret = str_trim(str_n(p->text.p + from, p->at - from));
    }
    return ret->len > 0 ? ERR_OK : ERR_INVALID;
}

static enum err know_name(struct cw_rule *r, struct str n)
{
    for (size_t i = 0; i < r->n_names; i++)
        if (str_eq(r->names[i], n))
            return ERR_OK;
    if (r->n_names == CW_RULE_NAMES_MAX)
        return ERR_LIMIT;
    r->names[r->n_names++] = n;
    return ERR_OK;
}

static enum err parse_state(struct parser *p, enum cw_state state, struct cw_rule_node **ret)
{
    TRY(node(p, CW_RULE_STATE, ret));
    (*ret)->state = state;
    if (!take_char(p, '('))
        return ERR_INVALID;
    TRY(name(p, &(*ret)->name));
    if (!take_char(p, ')'))
        return ERR_INVALID;
    return know_name(p->rule, (*ret)->name);
}

static enum err parse_primary(struct parser *p, struct cw_rule_node **ret)
{
    static const struct str states[CW_STATES] = {
        [CW_OK] = STR_INIT("OK"),
        [CW_ALARM] = STR_INIT("ALARM"),
        [CW_INSUFFICIENT] = STR_INIT("INSUFFICIENT_DATA"),
    };
    for (int s = 0; s < CW_STATES; s++)
        if (take_word(p, states[s]))
            return parse_state(p, (enum cw_state)s, ret);
    bool yes = take_word(p, STR("TRUE"));
    if (yes || take_word(p, STR("FALSE"))) {
        TRY(node(p, CW_RULE_CONSTANT, ret));
        (*ret)->value = yes;
        return ERR_OK;
    }
    if (!take_char(p, '('))
        return ERR_INVALID;
    TRY(parse_or(p, ret));
    return take_char(p, ')') ? ERR_OK : ERR_INVALID;
}

static enum err parse_not(struct parser *p, struct cw_rule_node **ret)
{
    if (++p->depth > CW_RULE_DEPTH_MAX)
        return ERR_LIMIT;
    if (take_word(p, STR("NOT"))) {
        TRY(node(p, CW_RULE_NOT, ret));
        TRY(parse_not(p, &(*ret)->left));
    } else {
        TRY(parse_primary(p, ret));
    }
    p->depth--;
    return ERR_OK;
}

static enum err parse_and(struct parser *p, struct cw_rule_node **ret)
{
    TRY(parse_not(p, ret));
    while (take_word(p, STR("AND"))) {
        struct cw_rule_node *both;
        TRY(node(p, CW_RULE_AND, &both));
        both->left = *ret;
        TRY(parse_not(p, &both->right));
        *ret = both;
    }
    return ERR_OK;
}

static enum err parse_or(struct parser *p, struct cw_rule_node **ret)
{
    if (++p->depth > CW_RULE_DEPTH_MAX)
        return ERR_LIMIT;
    TRY(parse_and(p, ret));
    while (take_word(p, STR("OR"))) {
        struct cw_rule_node *either;
        TRY(node(p, CW_RULE_OR, &either));
        either->left = *ret;
        TRY(parse_and(p, &either->right));
        *ret = either;
    }
    p->depth--;
    return ERR_OK;
}

enum err cw_rule_parse(struct arena *a, struct str text, struct cw_rule *ret, size_t *ret_at)
{
    struct parser p = {.a = a, .text = text, .rule = ret};
    ret->n_names = 0;
    enum err err = parse_or(&p, &ret->root);
    skip(&p);
    if (err == ERR_OK && p.at < text.len)
        err = ERR_INVALID;
    if (ret_at)
        *ret_at = p.at;
    return err;
}

static enum cw_state state_of(const struct cw_rule *rule, const enum cw_state *states, struct str n)
{
    size_t i = 0;
    while (i < rule->n_names && !str_eq(rule->names[i], n))
        i++;
    assert(i < rule->n_names);
    return states[i];
}

/* A chain of ANDs is as deep as it is long: bounded by CW_RULE_NODES_MAX. */
static bool holds(const struct cw_rule *rule, const struct cw_rule_node *n,
                  const enum cw_state *states)
{
    switch (n->kind) {
    case CW_RULE_STATE:
        return state_of(rule, states, n->name) == n->state;
    case CW_RULE_CONSTANT:
        return n->value;
    case CW_RULE_NOT:
        return !holds(rule, n->left, states);
    case CW_RULE_AND:
        return holds(rule, n->left, states) && holds(rule, n->right, states);
    default:
        assert(n->kind == CW_RULE_OR);
        return holds(rule, n->left, states) || holds(rule, n->right, states);
    }
}

bool cw_rule_holds(const struct cw_rule *rule, const enum cw_state *states)
{
    return holds(rule, rule->root, states);
}
