/* Signature Version 2 of presigned S3 requests, which old clients still emit.
 *
 * Layer: auth. Thread: pure. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "auth/sigv4_int.h"

enum { AMZ_HEADERS_MAX = 128, PARAMS_MAX = 64, TEXT_MAX = 256 * 1024, SHA1_BYTES = 20 };

struct amz_header {
    struct str name, value; /* name lower-cased */
    size_t order;
};

static int amz_cmp(const void *x, const void *y)
{
    const struct amz_header *p = x, *q = y;
    int d = str_cmp(p->name, q->name);
    return d ? d : (p->order > q->order) - (p->order < q->order);
}

/* A query parameter as routing will read it: '+' is no space here. An absent value is absent. */
struct param {
    struct str name, value;
    size_t order;
};

static int param_cmp(const void *x, const void *y)
{
    const struct param *p = x, *q = y;
    int d = str_cmp(p->name, q->name);
    return d ? d : (p->order > q->order) - (p->order < q->order);
}

/* The next parameter of *rest, decoded: an escaped name is the same name to who reads the query, and
 * must not get past the signature. ERR_NOMEM also for a malformed escape. */
static enum err next_param(struct arena *a, struct str *rest, struct param *ret)
{
    struct str v = str_cut(rest, '&');
    struct str name = str_cut(&v, '=');
    *ret = (struct param){sigv4_decode(a, name, false), STR_NONE, 0};
    if (str_is_set(v))
        ret->value = sigv4_decode(a, v, false);
    return str_is_set(ret->name) && str_is_set(v) == str_is_set(ret->value) ? ERR_OK : ERR_NOMEM;
}

static enum err add_amz(struct amz_header *list, size_t *n, struct str name, struct str value)
{
    if (!str_starts(name, STR("x-amz-")))
        return ERR_OK;
    if (*n == AMZ_HEADERS_MAX)
        return ERR_LIMIT;
    list[*n] = (struct amz_header){name, str_trim(value), *n};
    (*n)++;
    return ERR_OK;
}

/* "x-amz-name:value1,value2\n", sorted. Clients sign as headers what they then put into the URL. */
static enum err put_amz_headers(struct buf *b, struct arena *a, const struct sigv4_http *http)
{
    struct amz_header list[AMZ_HEADERS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < http->n_headers; i++)
        TRY(add_amz(list, &n, str_lower(a, http->headers[i].name), http->headers[i].value));
    struct str rest = http->query;
    while (str_is_set(rest)) {
        struct param p;
        TRY(next_param(a, &rest, &p));
        struct str name = str_lower(a, p.name);
        if (!str_is_set(name))
            return ERR_NOMEM;
        TRY(add_amz(list, &n, name, p.value));
    }
    if (n > 1)
        qsort(list, n, sizeof(*list), amz_cmp);
    for (size_t i = 0; i < n; i++) {
        bool joined = i > 0 && str_eq(list[i].name, list[i - 1].name);
        if (joined) {
            buf_add_byte(b, ',');
        } else {
            if (i > 0)
                buf_add_byte(b, '\n');
            buf_add_str(b, list[i].name);
            buf_add_byte(b, ':');
        }
        buf_add_str(b, list[i].value);
    }
    if (n > 0)
        buf_add_byte(b, '\n');
    return ERR_OK;
}

static bool is_signed(const struct sigv2_resource *r, struct str name)
{
    for (size_t i = 0; i < r->n_names; i++)
        if (str_eq(r->names[i], name))
            return true;
    return false;
}

/* "/bucket/key?acl&versionId=1": the bucket of the host first; what names another operation or
 * version, or changes the reply, sorted by name. */
static enum err put_resource(struct buf *b, struct arena *a, const struct sigv4_http *http,
                             const struct sigv2_resource *r)
{
    struct param list[PARAMS_MAX];
    size_t n = 0;
    if (r->vhost_bucket.len > 0) {
        buf_add_byte(b, '/');
        buf_add_str(b, r->vhost_bucket);
    }
    buf_add_str(b, http->path.len ? http->path : STR("/"));
    struct str rest = http->query;
    while (str_is_set(rest)) {
        struct param p;
        TRY(next_param(a, &rest, &p));
        if (!is_signed(r, p.name))
            continue;
        if (n == PARAMS_MAX)
            return ERR_LIMIT;
        p.order = n;
        list[n++] = p;
    }
    if (n > 1)
        qsort(list, n, sizeof(*list), param_cmp);
    for (size_t i = 0; i < n; i++) {
        buf_add_byte(b, i == 0 ? '?' : '&');
        buf_add_str(b, list[i].name);
        if (!str_is_set(list[i].value))
            continue;
        buf_add_byte(b, '=');
        buf_add_str(b, list[i].value);
    }
    return ERR_OK;
}

/* A header, or the parameter that stands for it. */
static enum err put_header(struct buf *b, struct arena *a, const struct sigv4_http *http,
                           struct str name)
{
    struct str value = sigv4_find_header(http, name, NULL), rest = http->query;
    while (!str_is_set(value) && str_is_set(rest)) {
        struct param p;
        TRY(next_param(a, &rest, &p));
        if (str_eq_nocase(p.name, name))
            value = p.value;
    }
    buf_add_str(b, value);
    buf_add_byte(b, '\n');
    return ERR_OK;
}

enum err sigv2_signature(struct arena *a, const struct sigv4_http *http, struct str expires,
                         const struct sigv2_resource *resource, struct str secret,
                         struct str *ret_text, struct str *ret_signature)
{
    struct buf b;
    buf_init_arena(&b, a, TEXT_MAX);
    buf_add_str(&b, http->method);
    buf_add_byte(&b, '\n');
    TRY(put_header(&b, a, http, STR("content-md5")));
    TRY(put_header(&b, a, http, STR("content-type")));
    buf_add_str(&b, expires);
    buf_add_byte(&b, '\n');
    TRY(put_amz_headers(&b, a, http));
    TRY(put_resource(&b, a, http, resource));
    TRY(buf_err(&b));

    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned mac_len = 0;
    unsigned char *text = arena_alloc(a, SHA1_BYTES * 2);
    if (!text || secret.len > INT32_MAX ||
        !HMAC(EVP_sha1(), secret.p, (int)secret.len, (const unsigned char *)b.p, b.len, mac,
              &mac_len))
        return ERR_NOMEM;
    int n = EVP_EncodeBlock(text, mac, (int)mac_len);
    *ret_text = buf_str(&b);
    *ret_signature = str_n((const char *)text, (size_t)n);
    return ERR_OK;
}
