/* Methods of Java's String that take regular expressions. */
#include "lang/regex.h"
#include "lang/vtl_int.h"

enum {
    COMPILE_STEPS = 100,
    MATCH_STEPS = 20,
    HARD_STEPS = 20 * 1000, /* of a match that is not found quickly */
};

static enum err compile(const struct vtl_call *c, const struct regex **ret_re)
{
    TRY(vtl_work(c->run, COMPILE_STEPS));
    enum err err = regex_compile(c->run->a, c->args[0].s, ret_re);
    return err == ERR_INVALID || err == ERR_LIMIT
               ? vtl_fail(c->run, "not a regular expression: " STR_FMT, STR_ARG(c->args[0].s))
               : err;
}

/* An error of the engine is one of the run. */
static enum err matched(const struct vtl_call *c, enum err err)
{
    if (err == ERR_LIMIT)
        return vtl_exceed(c->run, "a regular expression takes too long");
    return err;
}

static enum err find(const struct vtl_call *c, const struct regex *re, size_t from,
                     struct regex_match *m)
{
    TRY(vtl_work(c->run, MATCH_STEPS));
    enum err err = regex_find(re, c->self.s, from, REGEX_QUICK, m);
    if (err != ERR_LIMIT)
        return err;
    TRY(vtl_work(c->run, HARD_STEPS));
    return matched(c, regex_find(re, c->self.s, from, REGEX_FULL, m));
}

static size_t next_char(struct str s, size_t i)
{
    for (i++; i < s.len && ((unsigned char)s.p[i] & 0xc0) == 0x80; i++)
        ;
    return i;
}

/* --- replacing -------------------------------------------------------------------------------- */

/* $1, $12 as far as there are groups, ${name}. At the dollar's next. */
static enum err put_group(const struct vtl_call *c, const struct regex *re, struct str *with,
                          const struct regex_match *m, struct buf *b)
{
    size_t i;
    if (with->len && with->p[0] == '{') {
        size_t end = str_find(*with, '}');
        if (end == SIZE_MAX || regex_group(re, str_n(with->p + 1, end - 1), &i) != ERR_OK)
            return vtl_fail(c->run, "no such group in a replacement");
        *with = str_sub(*with, end + 1, SIZE_MAX);
    } else {
        if (with->len == 0 || with->p[0] < '0' || with->p[0] > '9')
            return vtl_fail(c->run, "'$' without a group in a replacement");
        i = (size_t)(with->p[0] - '0');
        size_t n = 1;
        while (n < with->len && with->p[n] >= '0' && with->p[n] <= '9' &&
               i * 10 + (size_t)(with->p[n] - '0') < m->n)
            i = i * 10 + (size_t)(with->p[n++] - '0');
        *with = str_sub(*with, n, SIZE_MAX);
    }
    if (i >= REGEX_GROUPS_MAX || (i >= m->n && i > regex_groups(re)))
        return vtl_fail(c->run, "no group %zu in a replacement", i);
    if (i < m->n && m->from[i] != SIZE_MAX)
        buf_add(b, c->self.s.p + m->from[i], m->to[i] - m->from[i]);
    return ERR_OK;
}

static enum err put_replacement(const struct vtl_call *c, const struct regex *re,
                                const struct regex_match *m, struct buf *b)
{
    struct str with = c->args[1].s;
    while (with.len) {
        char ch = with.p[0];
        with = str_sub(with, 1, SIZE_MAX);
        if (ch == '\\') {
            if (with.len == 0)
                return vtl_fail(c->run, "a backslash ends a replacement");
            buf_add_byte(b, with.p[0]);
            with = str_sub(with, 1, SIZE_MAX);
        } else if (ch == '$') {
            TRY(put_group(c, re, &with, m, b));
        } else {
            buf_add_byte(b, ch);
        }
    }
    return ERR_OK;
}

static enum err replace(const struct vtl_call *c, bool all, struct vtl_value *ret_v)
{
    const struct regex *re;
    struct regex_match m;
    struct str s = c->self.s;
    struct buf b;
    size_t at = 0, done = 0;
    enum err err = ERR_OK;
    TRY(compile(c, &re));
    buf_init_arena(&b, c->run->a, VTL_TEXT_MAX);
    while (at <= s.len && (err = find(c, re, at, &m)) == ERR_OK) {
        buf_add(&b, s.p + done, m.from[0] - done);
        TRY(put_replacement(c, re, &m, &b));
        TRY(vtl_work(c->run, c->args[1].s.len / 64));
        done = m.to[0];
        at = m.to[0] > m.from[0] ? m.to[0] : next_char(s, m.to[0]);
        if (!all)
            break;
    }
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    buf_add(&b, s.p + done, s.len - done);
    if (buf_err(&b) == ERR_LIMIT)
        return vtl_exceed(c->run, "a text is too long");
    *ret_v = vtl_string(buf_str(&b));
    TRY(vtl_work(c->run, b.len / 64));
    return buf_err(&b);
}

/* --- splitting -------------------------------------------------------------------------------- */

/* Java: an empty match at the beginning gives no piece; without a limit, empty ones at the end go. */
static enum err split(const struct vtl_call *c, int64_t limit, struct vtl_value *ret_v)
{
    const struct regex *re;
    struct regex_match m;
    struct str s = c->self.s;
    struct vtl_value list;
    size_t at = 0, done = 0;
    enum err err = ERR_OK;
    TRY(compile(c, &re));
    TRY(vtl_list_new(c->run, false, &list));
    while (limit <= 0 || (int64_t)list.list->n + 1 < limit) {
        err = at <= s.len ? find(c, re, at, &m) : ERR_NOT_FOUND;
        if (err != ERR_OK)
            break;
        bool empty = m.to[0] == m.from[0];
        at = empty ? next_char(s, m.to[0]) : m.to[0];
        if (empty && (m.from[0] == 0 || m.from[0] == s.len))
            continue;
        TRY(vtl_list_add(c->run, list.list, vtl_string(str_n(s.p + done, m.from[0] - done))));
        done = m.to[0];
    }
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    TRY(vtl_list_add(c->run, list.list, vtl_string(str_n(s.p + done, s.len - done))));
    bool found = list.list->n > 1;
    while (found && limit == 0 && list.list->n && list.list->v[list.list->n - 1].s.len == 0)
        list.list->n--;
    list.list->fixed = true;
    *ret_v = list;
    return ERR_OK;
}

enum err vtl_call_regex(const struct vtl_call *c, struct vtl_value *ret_v, bool *ret_known)
{
    const struct regex *re;
    bool yes = false;
    *ret_known = true;
    if (c->n == 2 && c->args[1].kind == VTL_STRING && str_eq_c(c->name, "replaceAll"))
        return replace(c, true, ret_v);
    if (c->n == 2 && c->args[1].kind == VTL_STRING && str_eq_c(c->name, "replaceFirst"))
        return replace(c, false, ret_v);
    if (str_eq_c(c->name, "split") && (c->n == 1 || c->args[1].kind == VTL_INT))
        return split(c, c->n == 1 ? 0 : c->args[1].i, ret_v);
    *ret_known = c->n == 1 && str_eq_c(c->name, "matches");
    if (!*ret_known)
        return ERR_OK;
    TRY(compile(c, &re));
    TRY(vtl_work(c->run, MATCH_STEPS));
    enum err err = regex_is_match(re, c->self.s, REGEX_QUICK, &yes);
    if (err == ERR_LIMIT) {
        TRY(vtl_work(c->run, HARD_STEPS));
        err = matched(c, regex_is_match(re, c->self.s, REGEX_FULL, &yes));
    }
    TRY(err);
    *ret_v = vtl_bool(yes);
    return ERR_OK;
}
