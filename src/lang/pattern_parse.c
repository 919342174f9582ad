/* Text of a pattern to alternatives of fields, with AWS's reasons for what it refuses. The wording
 * and the order of checks are those of AWS's open compiler (event-ruler, JsonRuleCompiler), which
 * the services' messages show. See pattern.h. */
#include <assert.h>
#include <stdlib.h>

#include "lang/pattern_int.h"

enum { PATTERN_FIELDS_MAX = 1000 /* of one alternative; putting one is a search among them */ };

/* Alternatives while they are built: $or multiplies them. */
struct draft {
    const struct pattern_field **fields;
    size_t n, cap;
};

struct drafts {
    struct draft *v;
    size_t n, cap;
};

struct parser {
    struct arena *a;
    enum pattern_dialect dialect;
    size_t slots, wildcards;
    struct str reason;  /* set with ERR_INVALID */
    bool reason_is_all; /* the message has no common beginning */
};

PRINTF_LIKE(2, 3) static enum err bad(struct parser *ps, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    ps->reason = str_vfmt(ps->a, fmt, ap);
    va_end(ap);
    return str_is_set(ps->reason) ? ERR_INVALID : ERR_NOMEM;
}

static enum err too_complex(struct parser *ps)
{
    if (ps->dialect == PATTERN_SNS_ATTRIBUTES || ps->dialect == PATTERN_SNS_BODY)
        return bad(ps, "Filter policy is too complex");
    return bad(ps, "Rule is too complex - try using fewer wildcard characters or fewer repeating "
                   "character sequences after a wildcard character");
}

/* --- values ----------------------------------------------------------------------------------- */

static enum err matcher_new(struct parser *ps, enum matcher_kind kind, struct str text,
                            struct matcher **ret_m)
{
    struct matcher *m = ARENA_NEW(ps->a, struct matcher);
    if (!m)
        return ERR_NOMEM;
    m->kind = kind;
    if (str_is_set(text)) {
        bool fold =
            kind == MATCH_NOCASE || kind == MATCH_PREFIX_NOCASE || kind == MATCH_SUFFIX_NOCASE;
        m->text = fold ? str_lower(ps->a, text) : str_dup(ps->a, text);
        if (!str_is_set(m->text))
            return ERR_NOMEM;
    }
    *ret_m = m;
    return ERR_OK;
}

/* The token a streaming parser would stand on. */
static struct str token_of(const struct json *v, char end)
{
    if (!v)
        return end == ']' ? STR("]") : STR("}");
    switch (v->kind) {
    case JSON_NULL:
        return STR("null");
    case JSON_BOOL:
        return v->b ? STR("true") : STR("false");
    case JSON_ARRAY:
        return STR("[");
    case JSON_OBJECT:
        return STR("{");
    default:
        return v->text;
    }
}

static enum err number(struct parser *ps, const struct json *v, int64_t *ret_millionths)
{
    bool sns = ps->dialect == PATTERN_SNS_ATTRIBUTES || ps->dialect == PATTERN_SNS_BODY;
    enum err err = pattern_number(v->text, ret_millionths);
    if (err == ERR_OK && sns && *ret_millionths % 10 != 0)
        err = ERR_INVALID;
    if (err == ERR_OK && sns && llabs(*ret_millionths) > 1000000000ll * 1000000)
        err = ERR_LIMIT;
    if (err == ERR_LIMIT)
        return bad(ps, "Value must be between %s and %s, inclusive", sns ? "-1.0E9" : "-5.0E9",
                   sns ? "1.0E9" : "5.0E9");
    if (err == ERR_INVALID)
        return bad(ps, "Only values upto %d decimals are supported", sns ? 5 : 6);
    return err;
}

static enum err range_new(struct parser *ps, int64_t low, int64_t high, struct matcher **ret_m)
{
    TRY(matcher_new(ps, MATCH_RANGE, STR_NONE, ret_m));
    (*ret_m)->low = low;
    (*ret_m)->high = high;
    return ERR_OK;
}

/* A plain number: a number where it is comparable, else its text (EP4). */
static enum err plain_number(struct parser *ps, const struct json *v, struct matcher **ret_m)
{
    int64_t n;
    if (pattern_number(v->text, &n) == ERR_OK)
        return range_new(ps, n, n, ret_m);
    return matcher_new(ps, MATCH_LITERAL, v->text, ret_m);
}

static enum err plain_string(struct parser *ps, struct str text, struct matcher **ret_m)
{
    unsigned char ip[16];
    size_t len = pattern_ip_parse(text, ip);
    if (len == 0)
        return matcher_new(ps, MATCH_STRING, text, ret_m);
    TRY(matcher_new(ps, MATCH_CIDR, STR_NONE, ret_m));
    (*ret_m)->ip_len = len;
    memcpy((*ret_m)->first, ip, len);
    memcpy((*ret_m)->last, ip, len);
    return ERR_OK;
}

/* Upper bound of a two-sided range: `at` is its operator. */
static enum err range_top(struct parser *ps, const struct json *at, int64_t *ret_high)
{
    if (at->kind != JSON_STRING) {
        struct str t = token_of(at, ']');
        return bad(ps, "Bad value in numeric range: " STR_FMT, STR_ARG(t));
    }
    bool open = str_eq_c(at->text, "<");
    if (!open && !str_eq_c(at->text, "<="))
        return bad(ps, "Bad numeric range operator: " STR_FMT, STR_ARG(at->text));
    const struct json *v = at->next;
    if (!v || v->kind != JSON_NUMBER)
        return bad(ps, "Value of " STR_FMT " must be numeric", STR_ARG(at->text));
    if (v->next)
        return bad(ps, "Too many terms in numeric range expression");
    TRY(number(ps, v, ret_high));
    *ret_high -= open;
    return ERR_OK;
}

static enum err numeric_above(struct parser *ps, const struct json *value, bool open,
                              struct matcher **ret_m)
{
    int64_t low, high = INT64_MAX;
    TRY(number(ps, value, &low));
    if (value->next) {
        TRY(range_top(ps, value->next, &high));
        bool top_open = str_eq_c(value->next->text, "<");
        if (high + top_open <= low)
            return bad(ps, "Bottom must be less than top");
    }
    return range_new(ps, low + open, high, ret_m);
}

/* ["=", 5], [">", 0, "<=", 5] */
static enum err numeric(struct parser *ps, const struct json *list, struct matcher **ret_m)
{
    if (list->kind != JSON_ARRAY)
        return bad(ps, "Value of numeric must be an array.");
    const struct json *op = list->child;
    if (!op || op->kind != JSON_STRING) {
        struct str t = token_of(op, ']');
        return bad(ps, "Invalid member in numeric match: " STR_FMT, STR_ARG(t));
    }
    static const char *const known[] = {"=", ">=", ">", "<=", "<"};
    size_t which = 0;
    while (which < ARRAY_LEN(known) && !str_eq_c(op->text, known[which]))
        which++;
    if (which == ARRAY_LEN(known))
        return bad(ps, "Unrecognized numeric range operator: " STR_FMT, STR_ARG(op->text));
    const struct json *value = op->next;
    if (!value || value->kind != JSON_NUMBER)
        return bad(ps, "Value of %s must be numeric", which == 0 ? "equals" : known[which]);
    if (which == 1 || which == 2)
        return numeric_above(ps, value, which == 2, ret_m);
    if (value->next)
        return bad(ps, "Too many elements in numeric expression");
    int64_t n;
    TRY(number(ps, value, &n));
    return range_new(ps, which == 0 ? n : INT64_MIN, n - (which == 4), ret_m);
}

/* '\*' and '\\' are themselves, '*' is any run. Positions in messages count the quote in front. */
static enum err wildcard(struct parser *ps, struct str text, struct matcher **ret_m)
{
    struct matcher *m;
    TRY(matcher_new(ps, MATCH_WILDCARD, STR_NONE, &m));
    size_t stars = 0, n = 0;
    for (size_t i = 0; i < text.len; i++)
        stars += text.p[i] == '*';
    char *bytes = arena_alloc(ps->a, text.len);
    m->pieces = ARENA_ARRAY(ps->a, struct str, stars + 2);
    if (!bytes || !m->pieces)
        return ERR_NOMEM;
    m->pieces[0] = str_n(bytes, 0);
    m->pieces_n = 1;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i], following = i + 1 < text.len ? text.p[i + 1] : '"';
        if (c == '*' && following == '*')
            return bad(ps, "Consecutive wildcard characters at pos %zu", i + 1);
        if (c == '*') {
            if (++ps->wildcards > PATTERN_WILDCARDS_MAX)
                return too_complex(ps);
            m->pieces[m->pieces_n++] = str_n(bytes + n, 0);
            continue;
        }
        if (c == '\\') {
            if (following != '*' && following != '\\')
                return bad(ps, "Invalid escape character at pos %zu", i + 1);
            c = following;
            i++;
        }
        bytes[n++] = c;
        m->pieces[m->pieces_n - 1].len++;
    }
    if (m->pieces_n == 1) {
        m->kind = MATCH_STRING;
        m->text = m->pieces[0];
    }
    *ret_m = m;
    return ERR_OK;
}

static enum err cidr(struct parser *ps, struct str text, struct matcher **ret_m)
{
    struct str bits_text = text;
    struct str ip_text = str_cut(&bits_text, '/');
    if (!str_is_set(bits_text) || str_find(bits_text, '/') != SIZE_MAX || str_empty(bits_text))
        return bad(ps, "Malformed CIDR, one '/' required");
    int64_t bits;
    if (str_to_i64(bits_text, &bits) != ERR_OK)
        return bad(ps, "Malformed CIDR, mask bits must be an integer");
    if (bits < 0)
        return bad(ps, "Malformed CIDR, mask bits must not be negative");
    struct matcher *m;
    TRY(matcher_new(ps, MATCH_CIDR, STR_NONE, &m));
    m->ip_len = pattern_ip_parse(ip_text, m->first);
    if (m->ip_len == 0)
        return bad(ps, "Nonstandard IP address: " STR_FMT, STR_ARG(ip_text));
    if (bits >= (int64_t)m->ip_len * 8)
        return bad(ps,
                   m->ip_len == 4 ? "IPv4 mask bits must be < 32" : "IPv6 mask bits must be < 128");
    for (size_t i = 0; i < m->ip_len; i++) {
        int64_t kept = bits - (int64_t)i * 8; /* bits of this byte that belong to the network */
        unsigned host = kept >= 8 ? 0 : kept <= 0 ? 0xff : 0xffu >> kept;
        m->last[i] = (unsigned char)(m->first[i] | host);
    }
    *ret_m = m;
    return ERR_OK;
}

/* --- {"operator": ...} ------------------------------------------------------------------------ */

/* Values of anything-but that are under an operator of their own: each must be a string. */
static enum err negated_text(struct parser *ps, enum matcher_kind kind, const struct json *v,
                             struct matcher **ret_m)
{
    bool affix = kind == MATCH_PREFIX || kind == MATCH_SUFFIX;
    if (v->kind != JSON_STRING && kind == MATCH_NOCASE)
        return bad(ps, "Inside anything-but/equals-ignore-case list, number|start|null|boolean is "
                       "not supported.");
    if (v->kind != JSON_STRING)
        return bad(ps, affix ? "prefix/suffix match pattern must be a string"
                             : "wildcard match pattern must be a string");
    if (affix && str_empty(v->text))
        return bad(ps, "Null prefix/suffix not allowed");
    if (kind == MATCH_WILDCARD)
        return wildcard(ps, v->text, ret_m);
    return matcher_new(ps, kind, v->text, ret_m);
}

static enum err negated_plain(struct parser *ps, const struct json *v, struct matcher **ret_m)
{
    if (v->kind == JSON_STRING)
        return matcher_new(ps, MATCH_STRING, v->text, ret_m);
    if (v->kind != JSON_NUMBER)
        return bad(ps, "Inside anything but list, start|null|boolean is not supported.");
    int64_t n;
    TRY(number(ps, v, &n));
    return range_new(ps, n, n, ret_m);
}

static enum err negated_list(struct parser *ps, bool plain, enum matcher_kind kind,
                             const struct json *from, struct matcher **ret_list)
{
    size_t strings = 0, numbers = 0;
    for (const struct json *it = from; it; it = it->next) {
        struct matcher *m;
        TRY(plain ? negated_plain(ps, it, &m) : negated_text(ps, kind, it, &m));
        strings += it->kind == JSON_STRING;
        numbers += it->kind == JSON_NUMBER;
        m->next = *ret_list;
        *ret_list = m;
    }
    if (plain && (strings > 0) == (numbers > 0))
        return bad(ps, "Inside anything but list, either all values are number or string, mixed "
                       "type is not supported");
    return ERR_OK;
}

static enum err negation_operator(struct parser *ps, const struct json *object,
                                  enum matcher_kind *ret_kind)
{
    static const struct {
        const char *name;
        enum matcher_kind kind;
    } rows[] = {{"equals-ignore-case", MATCH_NOCASE},
                {"prefix", MATCH_PREFIX},
                {"suffix", MATCH_SUFFIX},
                {"wildcard", MATCH_WILDCARD}};
    if (!object->child)
        return bad(ps, "Anything-But expression name not found");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_eq_c(object->child->key, rows[i].name)) {
            *ret_kind = rows[i].kind;
            return ERR_OK;
        }
    return bad(ps, "Unsupported anything-but pattern: " STR_FMT, STR_ARG(object->child->key));
}

static enum err anything_but(struct parser *ps, const struct json *v, struct matcher **ret_m)
{
    enum matcher_kind kind = MATCH_STRING;
    bool plain = v->kind != JSON_OBJECT;
    const struct json *value = v;
    if (!plain) {
        TRY(negation_operator(ps, v, &kind));
        value = v->child;
    }
    if (value->kind != JSON_ARRAY && value->kind != JSON_STRING && value->kind != JSON_NUMBER)
        return bad(ps, "Value of anything-but must be an array or single string/number value.");
    TRY(matcher_new(ps, MATCH_NOT, STR_NONE, ret_m));
    if (value->kind == JSON_ARRAY) {
        TRY(negated_list(ps, plain, kind, value->child, &(*ret_m)->list));
    } else if (plain) {
        TRY(negated_plain(ps, value, &(*ret_m)->list));
    } else {
        TRY(negated_text(ps, kind, value, &(*ret_m)->list));
    }
    return !plain && v->n > 1 ? bad(ps, "Too many elements in numeric expression") : ERR_OK;
}

/* "abc" or {"equals-ignore-case": "abc"} */
static enum err affix(struct parser *ps, const struct json *v, bool prefix, struct matcher **ret_m)
{
    const char *name = prefix ? "prefix" : "suffix";
    if (v->kind == JSON_STRING)
        return matcher_new(ps, prefix ? MATCH_PREFIX : MATCH_SUFFIX, v->text, ret_m);
    if (v->kind != JSON_OBJECT)
        return bad(ps, "%s match pattern must be a string", name);
    const struct json *inner = v->child;
    if (!inner)
        return bad(ps, "%s expression name not found", prefix ? "Prefix" : "Suffix");
    if (!str_eq_c(inner->key, "equals-ignore-case"))
        return bad(ps, "Unsupported %s pattern: " STR_FMT, name, STR_ARG(inner->key));
    if (inner->kind != JSON_STRING)
        return bad(ps, "equals-ignore-case match pattern must be a string");
    if (v->n > 1)
        return bad(ps, "Only one key allowed in match expression");
    return matcher_new(ps, prefix ? MATCH_PREFIX_NOCASE : MATCH_SUFFIX_NOCASE, inner->text, ret_m);
}

static enum err exists(struct parser *ps, const struct json *v, struct pattern_field *f,
                       struct matcher **ret_m)
{
    if (v->kind != JSON_BOOL)
        return bad(ps, "exists match pattern must be either true or false.");
    if (v->b)
        return matcher_new(ps, MATCH_EXISTS, STR_NONE, ret_m);
    f->absent = true;
    return ERR_OK;
}

static enum err with_text(struct parser *ps, const struct json *v, struct matcher **ret_m)
{
    struct str name = v->key;
    if (v->kind != JSON_STRING && str_eq_c(name, "exactly"))
        return bad(ps, "exact match pattern must be a string");
    if (v->kind != JSON_STRING && str_eq_c(name, "cidr"))
        return bad(ps, "prefix match pattern must be a string");
    if (v->kind != JSON_STRING)
        return bad(ps, STR_FMT " match pattern must be a string", STR_ARG(name));
    if (str_eq_c(name, "exactly"))
        return matcher_new(ps, MATCH_STRING, v->text, ret_m);
    if (str_eq_c(name, "cidr"))
        return cidr(ps, v->text, ret_m);
    if (str_eq_c(name, "wildcard"))
        return wildcard(ps, v->text, ret_m);
    return matcher_new(ps, MATCH_NOCASE, v->text, ret_m);
}

/* {"operator": value}: a matcher, or f->absent. */
static enum err expression(struct parser *ps, const struct json *object, struct pattern_field *f,
                           struct matcher **ret_m)
{
    const struct json *v = object->child;
    if (!v)
        return bad(ps, "Match expression name not found");
    bool many = object->n > 1;
    if (str_eq_c(v->key, "numeric") || str_eq_c(v->key, "anything-but")) {
        TRY(str_eq_c(v->key, "numeric") ? numeric(ps, v, ret_m) : anything_but(ps, v, ret_m));
        return many ? bad(ps, "Too many elements in numeric expression") : ERR_OK;
    }
    if (str_eq_c(v->key, "prefix") || str_eq_c(v->key, "suffix"))
        TRY(affix(ps, v, str_eq_c(v->key, "prefix"), ret_m));
    else if (str_eq_c(v->key, "exists"))
        TRY(exists(ps, v, f, ret_m));
    else if (str_eq_c(v->key, "exactly") || str_eq_c(v->key, "cidr") ||
             str_eq_c(v->key, "wildcard") || str_eq_c(v->key, "equals-ignore-case"))
        TRY(with_text(ps, v, ret_m));
    else
        return bad(ps, "Unrecognized match type " STR_FMT, STR_ARG(v->key));
    return many ? bad(ps, "Only one key allowed in match expression") : ERR_OK;
}

static enum err value(struct parser *ps, const struct json *v, struct pattern_field *f,
                      struct matcher **ret_m)
{
    switch (v->kind) {
    case JSON_OBJECT:
        return expression(ps, v, f, ret_m);
    case JSON_STRING:
        return plain_string(ps, v->text, ret_m);
    case JSON_NUMBER:
        return plain_number(ps, v, ret_m);
    case JSON_ARRAY:
        return bad(ps, "Match value must be String, number, true, false, or null");
    default:
        return matcher_new(ps, MATCH_LITERAL, token_of(v, ']'), ret_m);
    }
}

/* --- fields and alternatives ------------------------------------------------------------------ */

static enum err draft_add(struct parser *ps, struct draft *d, const struct pattern_field *f)
{
    if (d->n == PATTERN_FIELDS_MAX || ++ps->slots > PATTERN_SLOTS_MAX)
        return too_complex(ps);
    TRY(ARENA_GROW(ps->a, d->fields, d->n, d->cap, 4));
    d->fields[d->n++] = f;
    return ERR_OK;
}

static enum err drafts_add(struct parser *ps, struct drafts *all, const struct draft *like)
{
    if (all->n == PATTERN_ALTERNATIVES_MAX)
        return too_complex(ps);
    TRY(ARENA_GROW(ps->a, all->v, all->n, all->cap, 2));
    struct draft *d = &all->v[all->n];
    *d = (struct draft){0};
    for (size_t i = 0; like && i < like->n; i++)
        TRY(draft_add(ps, d, like->fields[i]));
    all->n++;
    return ERR_OK;
}

/* Into every alternative; a field of the same path gives way (EP1). */
static enum err put_field(struct parser *ps, struct drafts *all, const struct pattern_field *f)
{
    if (all->n == 0)
        TRY(drafts_add(ps, all, NULL));
    for (size_t i = 0; i < all->n; i++) {
        struct draft *d = &all->v[i];
        size_t k = 0;
        while (k < d->n && !str_eq(d->fields[k]->path, f->path))
            k++;
        if (k < d->n)
            d->fields[k] = f;
        else
            TRY(draft_add(ps, d, f));
    }
    return ERR_OK;
}

static enum err leaf(struct parser *ps, struct drafts *all, struct str path, size_t depth,
                     const struct json *list)
{
    struct pattern_field *f = ARENA_NEW(ps->a, struct pattern_field);
    if (!f)
        return ERR_NOMEM;
    f->path = path;
    f->depth = depth;
    f->values_n = list->n;
    struct matcher **tail = &f->matchers;
    JSON_EACH (list, it) {
        TRY(value(ps, it, f, tail));
        if (*tail)
            tail = &(*tail)->next;
    }
    if (list->n == 0)
        return bad(ps, "Empty arrays are not allowed");
    return put_field(ps, all, f);
}

static bool is_reserved(struct str name)
{
    static const char *const names[] = {"exactly",
                                        "equals-ignore-case",
                                        "prefix",
                                        "suffix",
                                        "anything-but",
                                        "exists",
                                        "wildcard",
                                        "numeric",
                                        "cidr",
                                        "html",
                                        "=",
                                        "<",
                                        "<=",
                                        ">",
                                        ">=",
                                        "regex",
                                        "not-wildcard",
                                        "not-equals-ignore-case",
                                        "date-after",
                                        "date-on-or-after",
                                        "date-before",
                                        "date-on-or-before",
                                        "in-date-range",
                                        "ip-address-in-range",
                                        "ip-address-not-in-range"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_c(name, names[i]))
            return true;
    return false;
}

static enum err object(struct parser *ps, struct drafts *all, struct str path, size_t depth,
                       const struct json *v, bool in_or);

/* Every alternative so far, with each of the list's patterns. */
static enum err either(struct parser *ps, struct drafts *all, struct str path, size_t depth,
                       const struct json *list)
{
    if (list->kind != JSON_ARRAY)
        return bad(ps, "It must be an Array followed with $or.");
    struct drafts before = *all;
    *all = (struct drafts){0};
    JSON_EACH (list, it) {
        if (it->kind != JSON_OBJECT)
            return bad(ps, "Only JSON object is allowed in array of $or relationship.");
        struct drafts branch = {0};
        for (size_t i = 0; i < before.n; i++)
            TRY(drafts_add(ps, &branch, &before.v[i]));
        if (before.n == 0)
            TRY(drafts_add(ps, &branch, NULL));
        TRY(object(ps, &branch, path, depth, it, true));
        for (size_t i = 0; i < branch.n; i++)
            TRY(drafts_add(ps, all, &branch.v[i]));
    }
    if (list->n < 2)
        return bad(ps, "There must have at least 2 Objects in $or relationship.");
    return ERR_OK;
}

static enum err member(struct parser *ps, struct drafts *all, struct str path, size_t depth,
                       const struct json *v, bool in_or)
{
    if (v->kind == JSON_OBJECT && ps->dialect == PATTERN_SNS_ATTRIBUTES) {
        ps->reason_is_all = true;
        return bad(ps, "Invalid parameter: Filter policy scope MessageAttributes does not support "
                       "nested filter policy");
    }
    if (v->kind != JSON_OBJECT && v->kind != JSON_ARRAY)
        return bad(ps, "\"" STR_FMT "\" must be an object or an array", STR_ARG(v->key));
    struct str name = depth ? str_fmt(ps->a, STR_FMT "." STR_FMT, STR_ARG(path), STR_ARG(v->key))
                            : str_dup(ps->a, v->key);
    if (!str_is_set(name))
        return ERR_NOMEM;
    if (v->kind == JSON_OBJECT)
        return object(ps, all, name, depth + 1, v, in_or);
    return leaf(ps, all, name, depth + 1, v);
}

/* As deep as the JSON parser lets the text be. */
static enum err object(struct parser *ps, struct drafts *all, struct str path, size_t depth,
                       const struct json *v, bool in_or)
{
    JSON_EACH (v, it) {
        if (str_eq_c(it->key, "$or")) {
            TRY(either(ps, all, path, depth, it));
            continue;
        }
        if (in_or && is_reserved(it->key))
            return bad(ps, STR_FMT " is Ruler reserved fieldName which cannot be used inside $or.",
                       STR_ARG(it->key));
        TRY(member(ps, all, path, depth, it, in_or));
    }
    return v->n ? ERR_OK : bad(ps, "Empty objects are not allowed");
}

/* --- the whole -------------------------------------------------------------------------------- */

static int by_path(const void *a, const void *b)
{
    const struct pattern_field *const *x = a, *const *y = b;
    return str_cmp((*x)->path, (*y)->path);
}

/* https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html */
static enum err check_sns(struct parser *ps, const struct json *root, const struct drafts *all)
{
    size_t keys = 0, total = 0;
    JSON_EACH (root, it)
        keys += !str_eq_c(it->key, "$or");
    if (keys > PATTERN_SNS_KEYS_MAX)
        return bad(ps, "Filter policy can not have more than %d keys", PATTERN_SNS_KEYS_MAX);
    for (size_t i = 0; i < all->n; i++) {
        size_t product = 1;
        for (size_t k = 0; k < all->v[i].n; k++)
            product = min_size(product, PATTERN_BYTES_MAX) *
                      min_size(all->v[i].fields[k]->values_n * all->v[i].fields[k]->depth, 1000);
        total += product;
        if (total > PATTERN_SNS_COMBINATIONS_MAX)
            return too_complex(ps);
    }
    return ERR_OK;
}

static enum err parse(struct parser *ps, struct str text, struct pattern **ret_pattern)
{
    struct json *root;
    struct drafts all = {0};
    if (text.len > PATTERN_BYTES_MAX)
        return bad(ps, "Pattern is longer than %d bytes", PATTERN_BYTES_MAX);
    enum err err = json_parse(ps->a, text, &root, NULL);
    bool sns = ps->dialect == PATTERN_SNS_ATTRIBUTES || ps->dialect == PATTERN_SNS_BODY;
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return bad(ps, sns ? "failed to parse JSON." : "Invalid JSON");
    TRY(err);
    if (root->kind != JSON_OBJECT)
        return bad(ps, sns ? "Filter policy must be a JSON object" : "Filter is not an object");
    TRY(object(ps, &all, STR_NONE, 0, root, false));
    if (sns)
        TRY(check_sns(ps, root, &all));
    struct pattern *p = ARENA_NEW(ps->a, struct pattern);
    if (p)
        p->alternatives = ARENA_ARRAY(ps->a, struct pattern_alternative, all.n);
    if (!p || !p->alternatives)
        return ERR_NOMEM;
    p->dialect = ps->dialect;
    p->n = all.n;
    for (size_t i = 0; i < all.n; i++) {
        assert(all.v[i].n > 0);
        qsort(all.v[i].fields, all.v[i].n, sizeof(*all.v[i].fields), by_path);
        p->alternatives[i] = (struct pattern_alternative){all.v[i].fields, all.v[i].n};
    }
    *ret_pattern = p;
    return ERR_OK;
}

enum err pattern_parse(struct arena *a, struct str text, enum pattern_dialect dialect,
                       struct pattern **ret_pattern, struct str *ret_message)
{
    static const char *const beginnings[] = {
        [PATTERN_EVENTS] = "Event pattern is not valid. Reason: ",
        [PATTERN_LAMBDA] = "Invalid filter pattern definition.",
        [PATTERN_SNS_ATTRIBUTES] = "Invalid parameter: FilterPolicy: ",
        [PATTERN_SNS_BODY] = "Invalid parameter: FilterPolicy: ",
    };
    struct parser ps = {.a = a, .dialect = dialect};
    enum err err = parse(&ps, text, ret_pattern);
    if (err != ERR_INVALID)
        return err;
    if (dialect == PATTERN_LAMBDA) /* Lambda does not say why */
        *ret_message = str_c(beginnings[dialect]);
    else if (ps.reason_is_all)
        *ret_message = ps.reason;
    else
        *ret_message = str_fmt(a, "%s" STR_FMT, beginnings[dialect], STR_ARG(ps.reason));
    return str_is_set(*ret_message) ? ERR_INVALID : ERR_NOMEM;
}
