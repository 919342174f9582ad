/* Signature Version 2 of presigned S3 requests, which old clients still emit.
 *
 * Layer: auth. Thread: pure. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "auth/sigv4_int.h"

enum { AMZ_HEADERS_MAX = 128, TEXT_MAX = 256 * 1024, SHA1_BYTES = 20 };

/* Sub-resources and reply overrides that are part of the canonical resource, in order. */
static const char *const sub_resources[] = {
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "defaultObjectAcl",
    "delete",
    "inventory",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "partNumber",
    "policy",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
};

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

/* "x-amz-name:value1,value2\n", sorted. */
static enum err put_amz_headers(struct buf *b, struct arena *a, const struct sigv4_http *http)
{
    struct amz_header list[AMZ_HEADERS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < http->n_headers; i++) {
        struct str name = str_lower(a, http->headers[i].name);
        if (!str_starts(name, STR("x-amz-")))
            continue;
        if (n == AMZ_HEADERS_MAX)
            return ERR_LIMIT;
        list[n] = (struct amz_header){name, str_trim(http->headers[i].value), n};
        n++;
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

static enum err put_resource(struct buf *b, struct arena *a, const struct sigv4_http *http,
                             struct str vhost_bucket)
{
    if (vhost_bucket.len > 0) {
        buf_add_byte(b, '/');
        buf_add_str(b, vhost_bucket);
    }
    buf_add_str(b, http->path.len ? http->path : STR("/"));
    char mark = '?';
    for (size_t i = 0; i < ARRAY_LEN(sub_resources); i++) {
        struct str rest = http->query;
        while (str_is_set(rest)) {
            struct str v = str_cut(&rest, '&');
            struct str name = str_cut(&v, '=');
            if (!str_eq_c(name, sub_resources[i]))
                continue;
            buf_add_byte(b, mark);
            mark = '&';
            buf_add_str(b, name);
            if (!str_is_set(v))
                continue;
            struct str decoded = sigv4_decode(a, v, true);
            if (!str_is_set(decoded))
                return ERR_NOMEM;
            buf_add_byte(b, '=');
            buf_add_str(b, decoded);
        }
    }
    return ERR_OK;
}

enum err sigv2_signature(struct arena *a, const struct sigv4_http *http, struct str expires,
                         struct str vhost_bucket, struct str secret, struct str *ret_text,
                         struct str *ret_signature)
{
    struct buf b;
    buf_init_arena(&b, a, TEXT_MAX);
    buf_add_str(&b, http->method);
    buf_add_byte(&b, '\n');
    buf_add_str(&b, sigv4_find_header(http, STR("content-md5"), NULL));
    buf_add_byte(&b, '\n');
    buf_add_str(&b, sigv4_find_header(http, STR("content-type"), NULL));
    buf_add_byte(&b, '\n');
    buf_add_str(&b, expires);
    buf_add_byte(&b, '\n');
    TRY(put_amz_headers(&b, a, http));
    TRY(put_resource(&b, a, http, vhost_bucket));
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
