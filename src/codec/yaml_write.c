/* YAML: the core schema's plain scalars, and a writer in block style. See yaml.h. Layer: codec. */
#include <assert.h>

#include "codec/yaml.h"
#include "codec/yaml_int.h"

enum {
    WORD_MAX = 64,        /* bytes written without quotes */
    KEY_SIMPLE_MAX = 128, /* escaped it is still far from the 1024 that YAML allows */
};

/* --- plain scalars ------------------------------------------------------------------------------ */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits(struct str s, size_t at)
{
    size_t n = 0;
    while (at + n < s.len && is_digit(s.p[at + n]))
        n++;
    return n;
}

static bool is_one_of(struct str s, const char *const *words)
{
    for (; *words; words++)
        if (str_eq_c(s, *words))
            return true;
    return false;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?, but for leading zeros, as JSON
 * writes it: without +, with a digit on both sides of the point. */
static bool number(struct arena *a, struct str s, struct str *ret)
{
    size_t at = s.len && (s.p[0] == '-' || s.p[0] == '+');
    struct str sign = at && s.p[0] == '-' ? STR("-") : STR("");
    size_t whole = digits(s, at);
    struct str w = str_sub(s, at, whole), fraction = STR("");
    at += whole;
    if (whole > 1 && w.p[0] == '0')
        return false;
    if (at < s.len && s.p[at] == '.') {
        fraction = str_sub(s, at + 1, digits(s, at + 1));
        at += 1 + fraction.len;
    }
    if (whole + fraction.len == 0)
        return false;
    struct str rest = str_sub(s, at, SIZE_MAX);
    if (rest.len) {
        size_t skip = 1 + (rest.len > 1 && (rest.p[1] == '-' || rest.p[1] == '+'));
        size_t n = digits(rest, skip);
        if ((rest.p[0] != 'e' && rest.p[0] != 'E') || n == 0 || skip + n != rest.len)
            return false;
    }
    *ret = str_fmt(a, STR_FMT STR_FMT "%s" STR_FMT STR_FMT, STR_ARG(sign),
                   STR_ARG(whole ? w : STR("0")), fraction.len ? "." : "", STR_ARG(fraction),
                   STR_ARG(rest));
    return str_is_set(*ret);
}

/* 0x1F, up to 60 bits. */
static bool hex_number(struct arena *a, struct str s, struct str *ret)
{
    uint64_t n = 0;
    if (s.len < 3 || s.len > 17 || s.p[0] != '0' || s.p[1] != 'x')
        return false;
    for (size_t i = 2; i < s.len; i++) {
        char c = s.p[i] | 0x20;
        if (!is_digit(s.p[i]) && !(c >= 'a' && c <= 'f'))
            return false;
        n = n * 16 + (uint64_t)(is_digit(s.p[i]) ? s.p[i] - '0' : c - 'a' + 10);
    }
    *ret = str_fmt(a, "%llu", (unsigned long long)n);
    return str_is_set(*ret);
}

bool yaml_resolve(struct arena *a, struct json *v, bool old)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    static const char *const old_trues[] = {"yes", "Yes", "YES", "on", "On", "ON", NULL};
    static const char *const old_falses[] = {"no", "No", "NO", "off", "Off", "OFF", NULL};
    struct str n;
    assert(v->kind == JSON_STRING);
    if (is_one_of(v->text, nulls)) {
        v->kind = JSON_NULL;
        v->text = STR_NONE;
    } else if (is_one_of(v->text, trues) || (old && is_one_of(v->text, old_trues))) {
        *v = (struct json){.kind = JSON_BOOL, .b = true, .key = v->key, .next = v->next};
    } else if (is_one_of(v->text, falses) || (old && is_one_of(v->text, old_falses))) {
        *v = (struct json){.kind = JSON_BOOL, .key = v->key, .next = v->next};
    } else if (number(a, v->text, &n) || hex_number(a, v->text, &n)) {
        v->kind = JSON_NUMBER;
        v->text = n;
    } else {
        return false;
    }
    return true;
}

/* --- writing ------------------------------------------------------------------------------------ */

/* A text that reads back as itself without quotes, under every reader: a word. */
static bool is_word(struct str s)
{
    static const char *const others[] = {"true", "false", "null", "yes", "no",
                                         "on",   "off",   "y",    "n",   NULL};
    if (s.len == 0 || s.len > WORD_MAX || !((s.p[0] | 0x20) >= 'a' && (s.p[0] | 0x20) <= 'z'))
        return s.len > 1 && s.len <= WORD_MAX && s.p[0] == '/' && is_word(str_sub(s, 1, SIZE_MAX));
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        if (!is_digit(c) && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && c != '_' && c != '-' &&
            c != '/' && c != '.' && c != '{' && c != '}' && c != '+')
            return false;
    }
    for (const char *const *w = others; *w; w++)
        if (str_eq_nocase(s, str_c(*w)))
            return false;
    return true;
}

static void put_text(struct buf *b, struct str s)
{
    if (is_word(s))
        buf_add_str(b, s);
    else
        json_put_str(b, s); /* a JSON string is a double-quoted scalar */
}

static void indent(struct buf *b, size_t depth)
{
    buf_add_byte(b, '\n');
    for (size_t i = 0; i < depth; i++)
        BUF_ADD_LIT(b, "  ");
}

static void put(struct buf *b, const struct json *v, size_t depth);

/* A key and its colon. Long ones are told to be keys, as readers look so far for a colon only. */
static void put_key(struct buf *b, struct str key, size_t depth)
{
    bool is_long = key.len > KEY_SIMPLE_MAX;
    if (is_long)
        BUF_ADD_LIT(b, "? ");
    put_text(b, key);
    if (is_long)
        indent(b, depth);
    buf_add_byte(b, ':');
}

/* A member's value: containers begin on the next line, all else behind the colon. */
static void put_value(struct buf *b, const struct json *v, size_t depth)
{
    if ((v->kind == JSON_ARRAY || v->kind == JSON_OBJECT) && v->child) {
        indent(b, depth);
        put(b, v, depth);
    } else {
        buf_add_byte(b, ' ');
        put(b, v, depth);
    }
}

static void put(struct buf *b, const struct json *v, size_t depth)
{
    assert(depth <= JSON_DEPTH_MAX + 1);
    if (v->kind == JSON_STRING) {
        put_text(b, v->text);
    } else if ((v->kind != JSON_ARRAY && v->kind != JSON_OBJECT) || !v->child) {
        json_put(b, v); /* also {} and [] */
    } else {
        JSON_EACH (v, it) {
            if (it != v->child)
                indent(b, depth);
            if (v->kind == JSON_OBJECT) {
                put_key(b, it->key, depth);
                put_value(b, it, depth + 1);
            } else {
                BUF_ADD_LIT(b, "- ");
                put(b, it, depth + 1);
            }
        }
    }
}

void yaml_put(struct buf *b, const struct json *v)
{
    BUF_ADD_LIT(b, "---\n");
    put(b, v, 0);
    buf_add_byte(b, '\n');
}
