/* Leaves of events against single matchers. See pattern.h, EP2 and EP4-EP7. */
#include <arpa/inet.h>
#include <assert.h>

#include "lang/decimal.h"
#include "lang/pattern_int.h"

enum { PLACES = 6 };
static const int64_t MILLIONTHS_MAX = 5000000000ll * 1000000;

enum err pattern_number(struct str text, int64_t *ret_millionths)
{
    struct decimal d;
    int64_t v;
    TRY(decimal_parse(text, &d));
    TRY(decimal_scaled(&d, PLACES, &v));
    if (v > MILLIONTHS_MAX || v < -MILLIONTHS_MAX)
        return ERR_LIMIT;
    *ret_millionths = v;
    return ERR_OK;
}

size_t pattern_ip_parse(struct str text, unsigned char ret_ip[16])
{
    char copy[PATTERN_IP_TEXT_MAX + 1];
    if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.p, '\0', text.len))
        return 0;
    memcpy(copy, text.p, text.len);
    copy[text.len] = '\0';
    bool colon = memchr(copy, ':', text.len), dot = memchr(copy, '.', text.len);
    if (colon == dot) /* a mixed spelling is not an address to AWS's matcher either */
        return 0;
    if (inet_pton(colon ? AF_INET6 : AF_INET, copy, ret_ip) != 1)
        return 0;
    return colon ? 16 : 4;
}

void pattern_value_init(struct pattern_value *ret_value, const struct json *v)
{
    assert(v->kind != JSON_ARRAY && v->kind != JSON_OBJECT);
    *ret_value = (struct pattern_value){.v = v};
    if (v->kind == JSON_NUMBER)
        ret_value->is_number = pattern_number(v->text, &ret_value->number) == ERR_OK;
    else if (v->kind == JSON_STRING)
        ret_value->ip_len = pattern_ip_parse(v->text, ret_value->ip);
}

static bool fits_literal(struct str literal, const struct json *v)
{
    switch (v->kind) {
    case JSON_NULL:
        return str_eq(literal, STR("null"));
    case JSON_BOOL:
        return str_eq(literal, v->b ? STR("true") : STR("false"));
    case JSON_NUMBER:
        return str_eq(literal, v->text);
    default:
        return false;
    }
}

/* The first piece stands at the start, the last at the end, the others in order between them;
 * taking each at its first place leaves the most room for the rest. */
static bool fits_wildcard(const struct matcher *m, struct str s)
{
    assert(m->pieces_n >= 2);
    struct str first = m->pieces[0], last = m->pieces[m->pieces_n - 1];
    if (s.len < first.len + last.len || !str_starts(s, first) || !str_ends(s, last))
        return false;
    struct str rest = str_n(s.p + first.len, s.len - first.len - last.len);
    for (size_t i = 1; i + 1 < m->pieces_n; i++) {
        size_t at = str_find_str(rest, m->pieces[i]);
        if (at == SIZE_MAX)
            return false;
        rest = str_sub(rest, at + m->pieces[i].len, rest.len);
    }
    return true;
}

static bool fits_cidr(const struct matcher *m, const struct pattern_value *v)
{
    return v->ip_len == m->ip_len && v->ip_len > 0 && memcmp(v->ip, m->first, m->ip_len) >= 0 &&
           memcmp(v->ip, m->last, m->ip_len) <= 0;
}

static bool fits_text(const struct matcher *m, struct str s)
{
    size_t n = m->text.len;
    switch (m->kind) {
    case MATCH_STRING:
        return str_eq(s, m->text);
    case MATCH_PREFIX:
        return str_starts(s, m->text);
    case MATCH_PREFIX_NOCASE:
        return s.len >= n && str_eq_nocase(str_sub(s, 0, n), m->text);
    case MATCH_SUFFIX:
        return str_ends(s, m->text);
    case MATCH_SUFFIX_NOCASE:
        return s.len >= n && str_eq_nocase(str_sub(s, s.len - n, n), m->text);
    case MATCH_NOCASE:
        return str_eq_nocase(s, m->text);
    case MATCH_WILDCARD:
        return fits_wildcard(m, s);
    default:
        return false;
    }
}

bool pattern_matcher_fits(const struct matcher *m, const struct pattern_value *v)
{
    switch (m->kind) {
    case MATCH_LITERAL:
        return fits_literal(m->text, v->v);
    case MATCH_RANGE:
        return v->is_number && v->number >= m->low && v->number <= m->high;
    case MATCH_CIDR:
        return fits_cidr(m, v);
    case MATCH_EXISTS:
        return true;
    case MATCH_NOT:
        for (const struct matcher *it = m->list; it; it = it->next)
            if (pattern_matcher_fits(it, v))
                return false;
        return true;
    default:
        return v->v->kind == JSON_STRING && fits_text(m, v->v->text);
    }
}
