/* Request heads: request line and header fields (RFC 9112 sections 2 to 6, RFC 9110 section 5).
 *
 * Two steps. http_head_scan runs on every arrival and looks at each byte once: it finds the end,
 * enforces the size limits and stops early on what no later byte can mend. http_head_parse runs
 * once on the whole head.
 *
 * Invariant H1 is kept here: a head that two parsers could read differently is refused.
 *
 * Layer: http; pure. */
#include "http/http_int.h"

#include <string.h>

enum { TCHAR = 1, TARGET = 2, VALUE = 4, HOST = 8, UPPER = 16 };

/* clang-format off */
#define U(c) [c] = TCHAR | TARGET | VALUE | HOST | UPPER
#define L(c) [c] = TCHAR | TARGET | VALUE | HOST
/* Classes of RFC 9110 section 5.6.2 (tchar), RFC 3986 (target, host); VALUE adds obs-text below. */
static const unsigned char classes[128] = {
    U('A'), U('B'), U('C'), U('D'), U('E'), U('F'), U('G'), U('H'), U('I'), U('J'), U('K'), U('L'),
    U('M'), U('N'), U('O'), U('P'), U('Q'), U('R'), U('S'), U('T'), U('U'), U('V'), U('W'), U('X'),
    U('Y'), U('Z'),
    L('a'), L('b'), L('c'), L('d'), L('e'), L('f'), L('g'), L('h'), L('i'), L('j'), L('k'), L('l'),
    L('m'), L('n'), L('o'), L('p'), L('q'), L('r'), L('s'), L('t'), L('u'), L('v'), L('w'), L('x'),
    L('y'), L('z'),
    L('0'), L('1'), L('2'), L('3'), L('4'), L('5'), L('6'), L('7'), L('8'), L('9'),
    ['-'] = TCHAR | TARGET | VALUE | HOST | UPPER, ['_'] = TCHAR | TARGET | VALUE | HOST | UPPER,
    ['.'] = TCHAR | TARGET | VALUE | HOST, ['~'] = TCHAR | TARGET | VALUE | HOST,
    ['!'] = TCHAR | TARGET | VALUE | HOST, ['$'] = TCHAR | TARGET | VALUE | HOST,
    ['&'] = TCHAR | TARGET | VALUE | HOST, ['\''] = TCHAR | TARGET | VALUE | HOST,
    ['*'] = TCHAR | TARGET | VALUE | HOST, ['+'] = TCHAR | TARGET | VALUE | HOST,
    ['%'] = TCHAR | TARGET | VALUE | HOST,
    ['^'] = TCHAR | TARGET | VALUE, ['`'] = TCHAR | TARGET | VALUE, ['|'] = TCHAR | TARGET | VALUE,
    ['#'] = TCHAR | VALUE,
    [':'] = TARGET | VALUE | HOST, ['['] = TARGET | VALUE | HOST, [']'] = TARGET | VALUE | HOST,
    ['('] = TARGET | VALUE | HOST, [')'] = TARGET | VALUE | HOST, [';'] = TARGET | VALUE | HOST,
    ['='] = TARGET | VALUE | HOST,
    ['/'] = TARGET | VALUE, ['?'] = TARGET | VALUE, ['@'] = TARGET | VALUE, [','] = TARGET | VALUE,
    ['"'] = TARGET | VALUE, ['<'] = TARGET | VALUE, ['>'] = TARGET | VALUE,
    ['\\'] = TARGET | VALUE, ['{'] = TARGET | VALUE, ['}'] = TARGET | VALUE,
    [' '] = VALUE, ['\t'] = VALUE,
};
#undef U
#undef L
/* clang-format on */

static bool all_of(struct str s, unsigned char class)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 128 ? class != VALUE : !(classes[c] & class))
            return false;
    }
    return true;
}

static bool is_token(struct str s)
{
    return s.len > 0 && all_of(s, TCHAR);
}

/* --- scan ------------------------------------------------------------------------------------- */

static enum http_parse bad(int *ret_status, int status)
{
    *ret_status = status;
    return HTTP_BAD;
}

/* Limits that hold for an unfinished line too. 0 or a status. */
static int over_limit(const struct http_scan *s, size_t end)
{
    if (s->lines == 0 && end - s->line_start > HTTP_TARGET_MAX + HTTP_METHOD_MAX + 16)
        return 414;
    if (end - s->skip > HTTP_HEAD_MAX)
        return 431;
    return 0;
}

/* A finished line of `len` bytes without CRLF. 0 or a status. */
static int line_status(struct http_scan *s, const char *line, size_t len)
{
    if (memchr(line, '\r', len) || memchr(line, '\0', len))
        return 400;
    s->lines++;
    if (s->lines > HTTP_HEADERS_MAX + 1)
        return 431;
    return 0;
}

enum http_parse http_head_scan(struct http_scan *s, const char *p, size_t len, size_t *ret_len,
                               int *ret_status)
{
    while (s->scanned < len) {
        /* Anything else, such as a TLS hello, is told off without waiting for a line. */
        if (s->scanned == s->skip && s->lines == 0) {
            unsigned char first = (unsigned char)p[s->skip];
            if (!(first < 128 && (classes[first] & UPPER)) && !(first == '\r' && s->skip == 0))
                return bad(ret_status, 400);
        }
        const char *lf = memchr(p + s->scanned, '\n', len - s->scanned);
        size_t end = lf ? (size_t)(lf - p) : len;
        int status = over_limit(s, end);
        if (status)
            return bad(ret_status, status);
        s->scanned = end;
        if (!lf)
            return HTTP_MORE;
        s->scanned = end + 1;
        if (end == s->line_start || p[end - 1] != '\r')
            return bad(ret_status, 400);
        size_t line_len = end - 1 - s->line_start;
        if (line_len == 0) {
            if (s->lines > 0) {
                *ret_len = end + 1;
                return HTTP_DONE;
            }
            s->skip = 2; /* RFC 9112 section 2.2: one empty line before a request is forgiven */
        } else {
            status = line_status(s, p + s->line_start, line_len);
            if (status)
                return bad(ret_status, status);
        }
        s->line_start = end + 1;
    }
    return HTTP_MORE;
}

/* --- parse ------------------------------------------------------------------------------------ */

static int parse_version(struct str v, bool *ret_is_11)
{
    if (v.len != 8 || memcmp(v.p, "HTTP/", 5) != 0 || v.p[6] != '.' || v.p[5] < '0' ||
        v.p[5] > '9' || v.p[7] < '0' || v.p[7] > '9')
        return 400;
    if (v.p[5] != '1' || v.p[7] > '1')
        return 505;
    *ret_is_11 = v.p[7] == '1';
    return 0;
}

/* Reduces an absolute-form target to origin form; *ret_authority is set when it was one. */
static int parse_target(struct http_req *req, struct str t, struct str *ret_authority)
{
    if (t.len == 0 || !all_of(t, TARGET))
        return 400;
    if (t.len > HTTP_TARGET_MAX)
        return 414;
    *ret_authority = STR_NONE;
    if (t.p[0] != '/' && !(t.len == 1 && t.p[0] == '*' && str_eq(req->method, STR("OPTIONS")))) {
        size_t scheme = t.len >= 7 && str_eq_nocase(str_n(t.p, 7), STR("http://"))    ? 7
                        : t.len >= 8 && str_eq_nocase(str_n(t.p, 8), STR("https://")) ? 8
                                                                                      : 0;
        if (scheme == 0)
            return 400;
        struct str rest = str_sub(t, scheme, t.len);
        size_t n = 0;
        while (n < rest.len && rest.p[n] != '/' && rest.p[n] != '?')
            n++;
        *ret_authority = str_n(rest.p, n);
        if (n == 0 || !all_of(*ret_authority, HOST))
            return 400;
        t = str_sub(rest, n, rest.len);
        if (t.len == 0)
            t = STR("/");
        else if (t.p[0] == '?')
            return 400; /* "http://host?x" has no origin form that is a part of it */
    }
    req->target = t;
    size_t q = str_find(t, '?');
    req->path = q == SIZE_MAX ? t : str_n(t.p, q);
    req->query = q == SIZE_MAX ? STR_NONE : str_n(t.p + q + 1, t.len - q - 1);
    return 0;
}

static bool is_method(struct str s)
{
    return s.len > 0 && s.len <= HTTP_METHOD_MAX && all_of(s, UPPER);
}

static int parse_request_line(struct http_req *req, struct str line, bool *ret_is_11,
                              struct str *ret_authority)
{
    size_t sp1 = str_find(line, ' ');
    size_t sp2 = str_rfind(line, ' ');
    if (sp1 == SIZE_MAX || sp1 == sp2)
        return 400;
    req->method = str_n(line.p, sp1);
    if (!is_method(req->method))
        return 400;
    int status = parse_version(str_sub(line, sp2 + 1, line.len), ret_is_11);
    if (status)
        return status;
    return parse_target(req, str_n(line.p + sp1 + 1, sp2 - sp1 - 1), ret_authority);
}

static struct str trim_ows(struct str s)
{
    while (s.len && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s.p++;
        s.len--;
    }
    while (s.len && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t'))
        s.len--;
    return s;
}

bool http_field_parse(struct str line, struct http_header *ret_field)
{
    /* A line that begins with white space (obs-fold) fails here too: its name is not a token. */
    size_t n = 0;
    while (n < line.len && (unsigned char)line.p[n] < 128 &&
           (classes[(unsigned char)line.p[n]] & TCHAR))
        n++;
    if (n == 0 || n == line.len || line.p[n] != ':')
        return false;
    struct str value = trim_ows(str_sub(line, n + 1, line.len));
    if (!all_of(value, VALUE))
        return false;
    *ret_field = (struct http_header){str_n(line.p, n), value};
    return true;
}

/* What the head says about the message's framing and the connection. */
struct framing {
    struct str host, te, cl;
    unsigned n_host, n_te, n_cl, n_expect;
    struct str expect;
    bool close;
};

static void connection_options(struct framing *f, struct str value)
{
    while (str_is_set(value)) {
        struct str option = trim_ows(str_cut(&value, ','));
        if (str_eq_nocase(option, STR("close")))
            f->close = true;
    }
}

/* Sorts out by length first: most fields are none of these. Inline in both loops: it runs for each field
 * of each request. */
static inline __attribute__((always_inline)) void note_field(struct framing *f,
                                                             const struct http_header *h)
{
    switch (h->name.len) {
    case 4:
        if (str_eq_nocase(h->name, STR("Host"))) {
            f->host = h->value;
            f->n_host++;
        }
        break;
    case 6:
        if (str_eq_nocase(h->name, STR("Expect"))) {
            f->expect = h->value;
            f->n_expect++;
        }
        break;
    case 10:
        if (str_eq_nocase(h->name, STR("Connection")))
            connection_options(f, h->value);
        break;
    case 14:
        if (str_eq_nocase(h->name, STR("Content-Length"))) {
            f->cl = h->value;
            f->n_cl++;
        }
        break;
    case 17:
        if (str_eq_nocase(h->name, STR("Transfer-Encoding"))) {
            f->te = h->value;
            f->n_te++;
        }
        break;
    default:
        break;
    }
}

/* RFC 9112 section 6.1. A coding we do not know is 501; a list that is no list, or where chunked is
 * not once and last, could hide a second message: 400. */
static int parse_coding(struct str te)
{
    if (str_eq_nocase(te, STR("chunked")))
        return 0;
    unsigned chunked = 0;
    bool last_chunked = false;
    while (str_is_set(te)) {
        struct str coding = trim_ows(str_cut(&te, ','));
        if (!is_token(coding))
            return 400;
        last_chunked = str_eq_nocase(coding, STR("chunked"));
        chunked += last_chunked;
    }
    return chunked == 0 || (chunked == 1 && last_chunked) ? 501 : 400;
}

static int apply_framing(struct http_req *req, const struct framing *f, bool is_11)
{
    if (f->n_cl > 1 || f->n_te > 1 || (f->n_cl && f->n_te))
        return 400;
    req->content_length = 0;
    if (f->n_te) {
        if (!is_11)
            return 400; /* RFC 9112 section 6.1: framing of such a message is faulty */
        int status = parse_coding(f->te);
        if (status)
            return status;
        req->chunked = true;
        req->content_length = -1;
    } else if (f->n_cl) {
        uint64_t v;
        enum err err = str_to_u64(f->cl, &v);
        if (err == ERR_LIMIT || (err == ERR_OK && v > INT64_MAX))
            return 413;
        if (err != ERR_OK)
            return 400;
        req->content_length = (int64_t)v;
    }
    if (f->n_expect) {
        if (f->n_expect > 1 || !str_eq_nocase(f->expect, STR("100-continue")))
            return 417;
        /* RFC 9110 section 10.1.1: ignored from HTTP/1.0. Without a body it would be moot, but a
         * client may wait for its 100 all the same, and take the final reply of a connection that
         * stays open for the end of its sending: botocore does, and sends its next request never. */
        req->expect_continue = is_11;
    }
    req->keep_alive = is_11 && !f->close;
    return 0;
}

static bool host_ok(const struct framing *f, bool is_11, struct str authority)
{
    if (f->n_host > 1 || (is_11 && f->n_host == 0) || !all_of(f->host, HOST))
        return false;
    /* Two names for one target: refuse rather than choose (RFC 9112 section 3.2.2 would let the
     * target win, unseen by whoever checks the Host field). */
    return !str_is_set(authority) || f->n_host == 0 || str_eq_nocase(authority, f->host);
}

/* Once all fields were seen. */
static int conclude(struct http_req *req, const struct framing *f, bool is_11, struct str authority)
{
    if (!host_ok(f, is_11, authority))
        return 400;
    req->minor_version = is_11 ? 1 : 0;
    return apply_framing(req, f, is_11);
}

int http_head_parse(struct http_req *req, struct str head, const struct http_scan *s)
{
    const char *p = head.p + s->skip;
    const char *end = head.p + head.len - 2; /* the empty line's CRLF */
    size_t n_fields = s->lines - 1;
    struct framing f = {0};
    struct str authority;
    bool is_11;

    const char *lf = memchr(p, '\n', (size_t)(end - p));
    int status = parse_request_line(req, str_n(p, (size_t)(lf - p) - 1), &is_11, &authority);
    if (status)
        return status;
    req->headers = ARENA_ARRAY(req->arena, struct http_header, n_fields);
    if (!req->headers)
        return 503;
    size_t n = 0;
    for (p = lf + 1; p < end; p = lf + 1) {
        lf = memchr(p, '\n', (size_t)(end - p));
        if (!http_field_parse(str_n(p, (size_t)(lf - p) - 1), &req->headers[n]))
            return 400;
        note_field(&f, &req->headers[n]);
        n++;
    }
    req->n_headers = n;
    return conclude(req, &f, is_11, authority);
}

bool http_field_valid(const struct http_header *h)
{
    return is_token(h->name) && all_of(h->value, VALUE);
}

int http_head_check(struct http_req *req, struct str method, struct str target)
{
    struct framing f = {0};
    struct str authority;
    req->method = method;
    if (!is_method(method))
        return 400;
    int status = parse_target(req, target, &authority);
    if (status)
        return status;
    for (size_t i = 0; i < req->n_headers; i++)
        note_field(&f, &req->headers[i]);
    return f.n_te ? 400 : conclude(req, &f, true, authority);
}
