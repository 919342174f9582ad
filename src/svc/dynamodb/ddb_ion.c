/* Amazon Ion text: see ddb_ion.h. */
#include "svc/dynamodb/ddb_ion.h"

#include "codec/base64.h"
#include "svc/dynamodb/ddb_num.h"

enum { ZEROS_MAX = 5 /* between the point and the first digit; beyond, an exponent is shorter */ };

/* Text between quotes; bytes that are not ASCII stand for themselves. */
static void put_quoted(struct buf *b, struct str text, char quote)
{
    buf_add_byte(b, quote);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == (unsigned char)quote || c == '\\') {
            buf_add_byte(b, '\\');
            buf_add_byte(b, (char)c);
        } else if (c == '\n') {
            BUF_ADD_LIT(b, "\\n");
        } else if (c == '\r') {
            BUF_ADD_LIT(b, "\\r");
        } else if (c == '\t') {
            BUF_ADD_LIT(b, "\\t");
        } else if (c < 0x20 || c == 0x7f) {
            buf_add_fmt(b, "\\x%02x", c);
        } else {
            buf_add_byte(b, (char)c);
        }
    }
    buf_add_byte(b, quote);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* An identifier that means nothing else: no keyword, and no number of a symbol ($10). */
static bool is_bare(struct str name)
{
    static const char *const keywords[] = {"null", "true", "false", "nan"};
    if (str_empty(name) || !is_letter(name.p[0]))
        return false;
    bool number = name.p[0] == '$' && name.len > 1;
    for (size_t i = 1; i < name.len; i++) {
        if (!is_letter(name.p[i]) && !is_digit(name.p[i]))
            return false;
        number &= is_digit(name.p[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
        if (str_eq_c(name, keywords[i]))
            return false;
    return !number;
}

void ddb_ion_put_name(struct buf *b, struct str name)
{
    if (is_bare(name))
        buf_add_str(b, name);
    else
        put_quoted(b, name, '\'');
}

/* A decimal always has a point or an exponent: without either it would be an integer. */
static void put_decimal(struct buf *b, struct str text)
{
    struct ddb_num num;
    char digits[DDB_NUM_DIGITS_MAX];
    if (ddb_num_parse(text, &num) != DDB_NUM_OK) { /* stored numbers are normal */
        BUF_ADD_LIT(b, "null.decimal");
        return;
    }
    if (num.neg)
        buf_add_byte(b, '-');
    if (num.n == 0) {
        BUF_ADD_LIT(b, "0.");
        return;
    }
    for (size_t i = 0; i < num.n; i++)
        digits[i] = (char)('0' + num.d[i]);
    int exponent = num.exp - num.n; /* of the digits as an integer */
    if (exponent > 0 || num.exp < -ZEROS_MAX) {
        buf_add(b, digits, num.n);
        buf_add_fmt(b, "d%d", exponent);
    } else if (num.exp > 0) {
        buf_add(b, digits, (size_t)num.exp);
        buf_add_byte(b, '.');
        buf_add(b, digits + num.exp, (size_t)(num.n - num.exp));
    } else {
        BUF_ADD_LIT(b, "0.");
        for (int i = num.exp; i < 0; i++)
            buf_add_byte(b, '0');
        buf_add(b, digits, num.n);
    }
}

static void put_scalar(struct buf *b, enum ddb_type type, struct str bytes)
{
    if (type == DDB_N) {
        put_decimal(b, bytes);
    } else if (type == DDB_B) {
        BUF_ADD_LIT(b, "{{");
        base64_put(b, bytes.p, bytes.len);
        BUF_ADD_LIT(b, "}}");
    } else {
        put_quoted(b, bytes, '"');
    }
}

static void put_members(struct buf *b, const struct ddb_av *v)
{
    bool map = v->type == DDB_M, set = ddb_type_is_set(v->type);
    buf_add_byte(b, map ? '{' : '[');
    for (const struct ddb_av *c = v->child; c; c = c->next) {
        if (c != v->child)
            buf_add_byte(b, ',');
        if (map) {
            ddb_ion_put_name(b, c->name);
            buf_add_byte(b, ':');
        }
        if (set)
            put_scalar(b, ddb_set_element(v->type), c->s);
        else
            ddb_ion_put(b, c);
    }
    buf_add_byte(b, map ? '}' : ']');
}

void ddb_ion_put(struct buf *b, const struct ddb_av *v)
{
    switch (v->type) {
    case DDB_S:
    case DDB_N:
    case DDB_B:
        put_scalar(b, v->type, v->s);
        return;
    case DDB_BOOL:
        buf_add_str(b, v->b ? STR("true") : STR("false"));
        return;
    case DDB_NULL:
        BUF_ADD_LIT(b, "null");
        return;
    case DDB_SS:
    case DDB_NS:
    case DDB_BS:
        buf_add_fmt(b, "$dynamodb_" STR_FMT "::", STR_ARG(ddb_type_name(v->type)));
        put_members(b, v);
        return;
    case DDB_L:
    case DDB_M:
        put_members(b, v);
    }
}
