/* Fields of HTTP/2 to a request as HTTP/1.1's parser makes it, under the same rules: nghttp2 has seen to
 * RFC 9113 section 8 (pseudo fields once, known and first, names in lower case, none that belong to a
 * connection, one Content-Length), the rest is judged by http_head_check, so that no request passes by
 * one protocol that the other refuses.
 *
 * ":authority" becomes "Host", which is then the first field. Cookie fields that were split up become
 * one again (RFC 9113 section 8.2.3).
 *
 * Layer: http; pure. */
#include "http/http_h2_int.h"

enum { FIELDS_FIRST = 24 };

static bool refuse(struct http_h2_head *h, int status)
{
    if (!h->status)
        h->status = status;
    return true;
}

/* Room for one more; the first place is "Host"'s. */
static bool grow(struct http_h2_head *h)
{
    if (h->n < h->cap)
        return true;
    size_t cap = h->cap ? 2 * h->cap : FIELDS_FIRST;
    struct http_header *fields = ARENA_ARRAY(h->arena, struct http_header, cap);
    if (!fields)
        return false;
    if (h->n)
        memcpy(fields, h->fields, h->n * sizeof(*fields));
    h->fields = fields;
    h->cap = cap;
    h->n = h->n ? h->n : 1;
    return true;
}

static void pseudo(struct http_h2_head *h, struct str name, struct str value)
{
    struct str *at = str_eq(name, STR(":method"))      ? &h->method
                     : str_eq(name, STR(":scheme"))    ? &h->scheme
                     : str_eq(name, STR(":authority")) ? &h->authority
                     : str_eq(name, STR(":path"))      ? &h->target
                                                       : NULL;
    if (!at || at->p) {
        (void)refuse(h, 400);
        return;
    }
    *at = str_dup(h->arena, value);
    if (!at->p)
        (void)refuse(h, 503);
}

static void add_cookie(struct http_h2_head *h, struct str value)
{
    if (h->cookie_at) {
        BUF_ADD_LIT(&h->cookies, "; ");
    } else {
        buf_init_arena(&h->cookies, h->arena, h->bytes_max);
        h->cookie_at = h->n;
        h->fields[h->n++] = (struct http_header){STR("cookie"), STR("")};
    }
    buf_add_str(&h->cookies, value);
}

static bool has_upper(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] >= 'A' && s.p[i] <= 'Z')
            return true;
    return false;
}

static void field(struct http_h2_head *h, struct str name, struct str value)
{
    if (!grow(h)) {
        (void)refuse(h, 503);
    } else if (str_eq(name, STR("cookie"))) {
        add_cookie(h, value);
    } else if (h->n > h->fields_max) {
        (void)refuse(h, 431);
    } else {
        struct http_header *f = &h->fields[h->n];
        f->name = str_dup(h->arena, name);
        f->value = str_dup(h->arena, value);
        if (!f->name.p || !f->value.p)
            (void)refuse(h, 503);
        else if (has_upper(name) || !http_field_valid(f))
            (void)refuse(h, 400);
        h->has_length |= str_eq(name, STR("content-length"));
        h->n++;
    }
}

bool http_h2_head_add(struct http_h2_head *h, struct str name, struct str value)
{
    h->bytes += name.len + value.len + HTTP_H2_FIELD_COST;
    if (h->bytes > HTTP_H2_BLOCK_MAX)
        return false;
    if (h->bytes > h->bytes_max)
        return refuse(h, 431);
    if (h->status)
        return true;
    if (name.len > 0 && name.p[0] == ':')
        pseudo(h, name, value);
    else
        field(h, name, value);
    return true;
}

/* Two names for one target are refused rather than chosen from. */
static int unite_host(struct http_h2_head *h)
{
    size_t kept = 1;
    if (!h->authority.p)
        return 0;
    for (size_t i = 1; i < h->n; i++) {
        if (!str_eq(h->fields[i].name, STR("host")))
            h->fields[kept++] = h->fields[i];
        else if (!str_eq_nocase(h->fields[i].value, h->authority))
            return 400;
    }
    h->n = kept;
    h->fields[0] = (struct http_header){STR("Host"), h->authority};
    return 0;
}

int http_h2_head_finish(struct http_h2_head *h, struct http_req *req, bool ended)
{
    if (h->status)
        return h->status;
    if (!grow(h))
        return 503;
    if (h->cookie_at) {
        if (buf_err(&h->cookies) != ERR_OK)
            return buf_err(&h->cookies) == ERR_LIMIT ? 431 : 503;
        h->fields[h->cookie_at].value = buf_str(&h->cookies);
        if (!http_field_valid(&h->fields[h->cookie_at]))
            return 400;
    }
    int status = unite_host(h);
    if (status)
        return status;
    req->headers = h->fields + !h->authority.p;
    req->n_headers = h->n - !h->authority.p;
    if (!str_eq_nocase(h->scheme, STR("https")) && !str_eq_nocase(h->scheme, STR("http")))
        return 400;
    status = http_head_check(req, h->method, h->target);
    if (status)
        return status;
    if (ended && req->content_length > 0)
        return 400;
    req->chunked = !ended && !h->has_length;
    if (req->chunked)
        req->content_length = -1;
    return 0;
}
