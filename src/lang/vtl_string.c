/* Methods of Java's String. Positions are those of UTF-16 (VTL5). */
#include <stdlib.h>

#include "lang/vtl_int.h"

enum { REPEAT_MAX = VTL_TEXT_MAX };

/* --- UTF-16 ----------------------------------------------------------------------------------- */

/* Units that a byte stands for: those of a character are counted at its first byte. */
static size_t units_of(unsigned char c)
{
    return (c & 0xc0) == 0x80 ? 0 : c >= 0xf0 ? 2 : 1;
}

static size_t length(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += units_of((unsigned char)s.p[i]);
    return n;
}

/* Byte of the unit `at`, at most s.len; *ret_half: it is the second of a pair, which begins there. */
static size_t byte_of(struct str s, size_t at, bool *ret_half)
{
    size_t i = 0, unit = 0;
    *ret_half = false;
    while (i < s.len) {
        size_t n = units_of((unsigned char)s.p[i]);
        if (n && unit == at)
            break;
        if (n == 2 && unit + 1 == at) {
            *ret_half = true;
            break;
        }
        unit += n;
        i++;
    }
    return i;
}

static size_t next_char(struct str s, size_t i)
{
    for (i++; i < s.len && ((unsigned char)s.p[i] & 0xc0) == 0x80; i++)
        ;
    return i;
}

/* Units from `from` to `to`. Half a pair becomes '?', as Java encodes it. */
static enum err slice(struct vtl_run *run, struct str s, size_t from, size_t to,
                      struct vtl_value *ret_v)
{
    bool first_half, last_half;
    size_t a = byte_of(s, from, &first_half), b = byte_of(s, to, &last_half);
    TRY(vtl_work(run, s.len / 64));
    if (!first_half && !last_half) {
        *ret_v = vtl_string(str_n(s.p + a, b - a));
        return ERR_OK;
    }
    size_t begin = first_half ? next_char(s, a) : a;
    size_t middle = b > begin ? b - begin : 0;
    struct str out = from == to
                         ? STR("")
                         : str_fmt(run->a, "%s" STR_FMT "%s", first_half ? "?" : "",
                                   STR_ARG(str_n(s.p + begin, middle)), last_half ? "?" : "");
    if (!str_is_set(out))
        return ERR_NOMEM;
    *ret_v = vtl_string(out);
    return ERR_OK;
}

/* --- arguments -------------------------------------------------------------------------------- */

static bool is_int(const struct vtl_call *c, size_t i)
{
    return i < c->n && c->args[i].kind == VTL_INT;
}

static bool is_text(const struct vtl_call *c, size_t i)
{
    return i < c->n && c->args[i].kind == VTL_STRING;
}

static bool is(const struct vtl_call *c, const char *name, size_t n)
{
    return c->n == n && str_eq_c(c->name, name);
}

static enum err bad_index(const struct vtl_call *c)
{
    return vtl_fail(c->run, "index out of range in " STR_FMT "()", STR_ARG(c->name));
}

/* --- looking ---------------------------------------------------------------------------------- */

static struct vtl_value unit_index(struct str s, size_t byte)
{
    return vtl_int(byte == SIZE_MAX ? -1 : (int64_t)length(str_sub(s, 0, byte)));
}

static size_t find_last(struct str s, struct str needle, size_t until)
{
    for (size_t i = until < s.len ? until + 1 : s.len + 1; i-- > 0;)
        if (i + needle.len <= s.len && str_eq(str_n(s.p + i, needle.len), needle))
            return i;
    return SIZE_MAX;
}

/* The needle of indexOf: a text, or a character's number. */
static bool needle_of(struct vtl_value v, char space[4], struct str *ret_needle)
{
    if (v.kind == VTL_STRING) {
        *ret_needle = v.s;
        return true;
    }
    if (v.kind != VTL_INT || v.i < 0 || v.i > 0x10ffff)
        return false;
    *ret_needle = str_n(space, (size_t)(str_put_utf8(space, (uint32_t)v.i) - space));
    return true;
}

static enum err index_of(const struct vtl_call *c, bool last, struct vtl_value *ret_v)
{
    char space[4];
    bool half;
    struct str s = c->self.s, needle;
    if (!needle_of(c->args[0], space, &needle) || (c->n == 2 && !is_int(c, 1)))
        return ERR_OK;
    TRY(vtl_work(c->run, s.len / 16));
    int64_t from = c->n == 2 ? c->args[1].i : last ? INT32_MAX : 0;
    if (last) {
        size_t until = from < 0 ? SIZE_MAX : byte_of(s, (size_t)from, &half);
        *ret_v = unit_index(s, from < 0 ? SIZE_MAX : find_last(s, needle, until));
        return ERR_OK;
    }
    size_t begin = from <= 0 ? 0 : byte_of(s, (size_t)from, &half);
    size_t at = str_find_str(str_sub(s, begin, SIZE_MAX), needle);
    *ret_v = unit_index(s, at == SIZE_MAX ? at : at + begin);
    return ERR_OK;
}

static enum err substring(const struct vtl_call *c, struct vtl_value *ret_v)
{
    int64_t n = (int64_t)length(c->self.s), from = c->args[0].i, to = c->n == 2 ? c->args[1].i : n;
    if (from < 0 || to > n || from > to)
        return bad_index(c);
    return slice(c->run, c->self.s, (size_t)from, (size_t)to, ret_v);
}

static enum err starts(const struct vtl_call *c, struct vtl_value *ret_v)
{
    bool half = false;
    size_t from =
        c->n == 2 && c->args[1].i >= 0 ? byte_of(c->self.s, (size_t)c->args[1].i, &half) : 0;
    bool inside = c->n == 1 || (c->args[1].i >= 0 && !half);
    *ret_v = vtl_bool(inside && str_starts(str_sub(c->self.s, from, SIZE_MAX), c->args[0].s));
    return ERR_OK;
}

static int compare(struct str a, struct str b, bool fold)
{
    for (size_t i = 0; i < a.len && i < b.len; i++) {
        unsigned char x = (unsigned char)a.p[i], y = (unsigned char)b.p[i];
        if (fold && x >= 'A' && x <= 'Z')
            x += 32;
        if (fold && y >= 'A' && y <= 'Z')
            y += 32;
        if (x != y)
            return x - y;
    }
    return (int)length(a) - (int)length(b);
}

/* --- making ----------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return (unsigned char)c <= ' ';
}

static struct str trimmed(struct str s)
{
    while (s.len && is_blank(s.p[0]))
        s = str_n(s.p + 1, s.len - 1);
    while (s.len && is_blank(s.p[s.len - 1]))
        s.len--;
    return s;
}

/* Upper or lower case of a character of Latin, Greek and Cyrillic scripts. */
static uint32_t fold(uint32_t c, bool upper)
{
    static const struct {
        uint32_t from, to, lower; /* upper case letters, and how far away their lower ones are */
    } runs[] = {{'A', 'Z', 32},     {0xc0, 0xd6, 32},   {0xd8, 0xde, 32},  {0x391, 0x3a1, 32},
                {0x3a3, 0x3ab, 32}, {0x410, 0x42f, 32}, {0x400, 0x40f, 80}};
    for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
        uint32_t from = runs[i].from, to = runs[i].to, d = runs[i].lower;
        if (!upper && c >= from && c <= to)
            return c + d;
        if (upper && c >= from + d && c <= to + d)
            return c - d;
    }
    if ((c >= 0x100 && c <= 0x137) || (c >= 0x14a && c <= 0x177) || (c >= 0x460 && c <= 0x481))
        return upper ? c & ~1u : c | 1u;
    return c;
}

static enum err change_case(const struct vtl_call *c, bool upper, struct vtl_value *ret_v)
{
    struct str s = c->self.s;
    char *out = arena_alloc(c->run->a, s.len * 2 + 1), *d = out;
    if (!out)
        return ERR_NOMEM;
    TRY(vtl_work(c->run, s.len / 16));
    for (size_t i = 0; i < s.len; i++) {
        unsigned char b = (unsigned char)s.p[i];
        if (b < 0x80) {
            *d++ = (char)fold(b, upper);
        } else if ((b & 0xe0) == 0xc0 && i + 1 < s.len) {
            uint32_t code = (uint32_t)(b & 0x1f) << 6 | ((unsigned char)s.p[++i] & 0x3f);
            if (upper && code == 0xdf) { /* sharp s */
                *d++ = 'S';
                *d++ = 'S';
            } else {
                d = str_put_utf8(d, fold(code, upper));
            }
        } else {
            *d++ = s.p[i];
        }
    }
    *ret_v = vtl_string(str_n(out, (size_t)(d - out)));
    return ERR_OK;
}

static enum err too_long(const struct vtl_call *c)
{
    return vtl_exceed(c->run, "a text is too long");
}

static enum err finish(const struct vtl_call *c, struct buf *b, struct vtl_value *ret_v)
{
    if (buf_err(b) == ERR_LIMIT)
        return too_long(c);
    *ret_v = vtl_string(buf_str(b));
    TRY(vtl_work(c->run, b->len / 64));
    return buf_err(b);
}

/* replace(a, b) of texts: an empty one is found in front of each character and at the end. */
static enum err replace(const struct vtl_call *c, struct vtl_value *ret_v)
{
    struct str rest = c->self.s, what = c->args[0].s, with = c->args[1].s;
    struct buf b;
    buf_init_arena(&b, c->run->a, VTL_TEXT_MAX);
    if (what.len == 0)
        buf_add_str(&b, with);
    while (rest.len) {
        size_t at = what.len ? str_find_str(rest, what) : next_char(rest, 0);
        if (at == SIZE_MAX)
            break;
        buf_add(&b, rest.p, at);
        buf_add_str(&b, with);
        TRY(vtl_work(c->run, 1 + at / 64));
        rest = str_sub(rest, at + what.len, SIZE_MAX);
    }
    buf_add_str(&b, rest);
    return finish(c, &b, ret_v);
}

static enum err repeat(const struct vtl_call *c, struct vtl_value *ret_v)
{
    struct buf b;
    int64_t n = c->args[0].i;
    if (n < 0)
        return vtl_fail(c->run, "count is negative in repeat()");
    if (n && c->self.s.len > (size_t)REPEAT_MAX / (size_t)n)
        return too_long(c);
    buf_init_arena(&b, c->run->a, VTL_TEXT_MAX);
    for (int64_t i = 0; i < n && c->self.s.len; i++)
        buf_add_str(&b, c->self.s);
    return finish(c, &b, ret_v);
}

static enum err concat(const struct vtl_call *c, struct vtl_value *ret_v)
{
    struct buf b;
    buf_init_arena(&b, c->run->a, VTL_TEXT_MAX);
    buf_add_str(&b, c->self.s);
    buf_add_str(&b, c->args[0].s);
    return finish(c, &b, ret_v);
}

static int64_t hash_code(struct str s)
{
    uint32_t h = 0;
    for (size_t i = 0; i < s.len; i++) /* of UTF-16 units; exact for ASCII */
        h = h * 31 + (unsigned char)s.p[i];
    return (int32_t)h;
}

/* --- by name ---------------------------------------------------------------------------------- */

static enum err no_arguments(const struct vtl_call *c, struct vtl_value *ret_v)
{
    struct str s = c->self.s;
    if (str_eq_c(c->name, "length"))
        *ret_v = vtl_int((int64_t)length(s));
    else if (str_eq_c(c->name, "isEmpty"))
        *ret_v = vtl_bool(s.len == 0);
    else if (str_eq_c(c->name, "isBlank"))
        *ret_v = vtl_bool(trimmed(s).len == 0);
    else if (str_eq_c(c->name, "trim") || str_eq_c(c->name, "strip"))
        *ret_v = vtl_string(trimmed(s));
    else if (str_eq_c(c->name, "toString") || str_eq_c(c->name, "intern"))
        *ret_v = c->self;
    else if (str_eq_c(c->name, "hashCode"))
        *ret_v = vtl_int(hash_code(s));
    else if (str_eq_c(c->name, "toUpperCase"))
        return change_case(c, true, ret_v);
    else if (str_eq_c(c->name, "toLowerCase"))
        return change_case(c, false, ret_v);
    return ERR_OK;
}

static enum err one_text(const struct vtl_call *c, struct vtl_value *ret_v)
{
    struct str s = c->self.s, t = c->args[0].s;
    if (str_eq_c(c->name, "contains"))
        *ret_v = vtl_bool(str_find_str(s, t) != SIZE_MAX);
    else if (str_eq_c(c->name, "endsWith"))
        *ret_v = vtl_bool(str_ends(s, t));
    else if (str_eq_c(c->name, "equalsIgnoreCase"))
        *ret_v = vtl_bool(str_eq_nocase(s, t));
    else if (str_eq_c(c->name, "compareTo"))
        *ret_v = vtl_int(compare(s, t, false));
    else if (str_eq_c(c->name, "compareToIgnoreCase"))
        *ret_v = vtl_int(compare(s, t, true));
    else if (str_eq_c(c->name, "concat"))
        return concat(c, ret_v);
    return vtl_work(c->run, s.len / 64);
}

static enum err by_number(const struct vtl_call *c, struct vtl_value *ret_v, bool *ret_known)
{
    *ret_known = true;
    if (is(c, "charAt", 1) && is_int(c, 0)) {
        if (c->args[0].i < 0 || c->args[0].i >= (int64_t)length(c->self.s))
            return bad_index(c);
        return slice(c->run, c->self.s, (size_t)c->args[0].i, (size_t)c->args[0].i + 1, ret_v);
    }
    bool sub = str_eq_c(c->name, "substring") || is(c, "subSequence", 2);
    if (sub && (c->n == 1 || c->n == 2) && is_int(c, 0) && (c->n == 1 || is_int(c, 1)))
        return substring(c, ret_v);
    if (is(c, "repeat", 1) && is_int(c, 0))
        return repeat(c, ret_v);
    *ret_known = false;
    return ERR_OK;
}

enum err vtl_call_string(const struct vtl_call *c, struct vtl_value *ret_v)
{
    bool known, index = str_eq_c(c->name, "indexOf"), last = str_eq_c(c->name, "lastIndexOf");
    if (c->n == 0)
        return no_arguments(c, ret_v);
    if (c->n > 2)
        return ERR_OK;
    TRY(by_number(c, ret_v, &known));
    if (known)
        return ERR_OK;
    if (index || last)
        return index_of(c, last, ret_v);
    if (is(c, "equals", 1)) {
        *ret_v = vtl_bool(is_text(c, 0) && str_eq(c->self.s, c->args[0].s));
        return ERR_OK;
    }
    if (!is_text(c, 0))
        return ERR_OK;
    if (str_eq_c(c->name, "startsWith") && (c->n == 1 || is_int(c, 1)))
        return starts(c, ret_v);
    if (is(c, "replace", 2) && is_text(c, 1))
        return replace(c, ret_v);
    TRY(vtl_call_regex(c, ret_v, &known));
    return known || c->n != 1 ? ERR_OK : one_text(c, ret_v);
}
