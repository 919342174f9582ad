/* Signing as a client does: for Weir's own calls, its load generator, functions and tests.
 *
 * Layer: auth. Thread: any. */
#include <stdlib.h>

#include "auth/sigv4_int.h"
#include "base/clock.h"
#include "codec/percent.h"

enum { QUERY_MAX = 64 * 1024 };

struct signer {
    struct arena *a;
    const struct sigv4_sign *in;
    struct str timestamp, scope, payload;
};

static enum err signer_init(struct signer *s, struct arena *a, const struct sigv4_sign *in)
{
    char text[CLOCK_TEXT_MAX];
    *s = (struct signer){.a = a, .in = in};
    s->timestamp = str_dup(a, clock_basic(text, in->now_ms));
    s->scope = str_fmt(a, "%.8s/" STR_FMT "/" STR_FMT "/aws4_request", text, STR_ARG(in->region),
                       STR_ARG(in->service));
    if (!str_is_set(s->timestamp) || !str_is_set(s->scope))
        return ERR_NOMEM;
    if (str_is_set(in->payload_hash)) {
        s->payload = in->payload_hash;
        return ERR_OK;
    }
    uint8_t hash[SIGV4_HASH_BYTES];
    char *hex = arena_alloc(a, SIGV4_HEX_LEN);
    if (!hex)
        return ERR_NOMEM;
    sigv4_sha256(in->body, hash);
    hex_to(hex, hash, sizeof(hash));
    s->payload = str_n(hex, SIGV4_HEX_LEN);
    return ERR_OK;
}

static int name_cmp(const void *x, const void *y)
{
    return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

/* Lower-case names of `headers`, sorted, each once, joined by ';'. */
static enum err signed_names(struct arena *a, const struct sigv4_header *headers, size_t n,
                             struct str *ret)
{
    struct str *names = ARENA_ARRAY(a, struct str, n + 1);
    if (!names)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        names[i] = str_lower(a, headers[i].name);
        if (!str_is_set(names[i]))
            return ERR_NOMEM;
    }
    qsort(names, n, sizeof(*names), name_cmp);
    struct buf b;
    buf_init_arena(&b, a, QUERY_MAX);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && str_eq(names[i], names[i - 1]))
            continue;
        if (i > 0)
            buf_add_byte(&b, ';');
        buf_add_str(&b, names[i]);
    }
    TRY(buf_err(&b));
    *ret = buf_str(&b);
    return ERR_OK;
}

/* Signature in hex of the canonical request. */
static enum err signature(const struct signer *s, const struct sigv4_http *http, struct str names,
                          struct str *ret)
{
    struct sigv4_canon canon = {
        .http = http, .signed_headers = names, .payload = s->payload, .s3 = s->in->s3};
    struct str canonical;
    TRY(sigv4_canonical(s->a, &canon, &canonical));
    struct str text = sigv4_string_to_sign(s->a, s->timestamp, s->scope, canonical);
    char *hex = arena_alloc(s->a, SIGV4_HEX_LEN);
    if (!str_is_set(text) || !hex)
        return ERR_NOMEM;
    uint8_t mac[SIGV4_HASH_BYTES];
    sigv4_hmac(sigv4_signing_key(s->in->access_key, s->in->secret, str_sub(s->scope, 0, 8),
                                 s->in->region, s->in->service),
               text, mac);
    hex_to(hex, mac, sizeof(mac));
    *ret = str_n(hex, SIGV4_HEX_LEN);
    return ERR_OK;
}

enum err sigv4_sign(struct arena *a, const struct sigv4_http *http, const struct sigv4_sign *sign,
                    struct sigv4_header ret_add[SIGV4_SIGN_HEADERS], size_t *ret_n)
{
    struct signer s;
    TRY(signer_init(&s, a, sign));
    struct sigv4_header add[SIGV4_SIGN_HEADERS];
    size_t n = 0;
    add[n++] = (struct sigv4_header){STR("x-amz-date"), s.timestamp};
    if (str_is_set(sign->session_token))
        add[n++] = (struct sigv4_header){STR("x-amz-security-token"), sign->session_token};
    if (sign->s3)
        add[n++] = (struct sigv4_header){STR("x-amz-content-sha256"), s.payload};

    struct sigv4_header *all = ARENA_ARRAY(a, struct sigv4_header, http->n_headers + n);
    if (!all)
        return ERR_NOMEM;
    if (http->n_headers > 0)
        memcpy(all, http->headers, http->n_headers * sizeof(*all));
    memcpy(all + http->n_headers, add, n * sizeof(*add));
    struct sigv4_http whole = *http;
    whole.headers = all;
    whole.n_headers = http->n_headers + n;
    struct str names, hex;
    TRY(signed_names(a, all, whole.n_headers, &names));
    TRY(signature(&s, &whole, names, &hex));
    struct str authorization =
        str_fmt(a,
                "AWS4-HMAC-SHA256 Credential=" STR_FMT "/" STR_FMT ", SignedHeaders=" STR_FMT
                ", Signature=" STR_FMT,
                STR_ARG(sign->access_key), STR_ARG(s.scope), STR_ARG(names), STR_ARG(hex));
    if (!str_is_set(authorization))
        return ERR_NOMEM;
    add[n++] = (struct sigv4_header){STR("authorization"), authorization};
    memcpy(ret_add, add, n * sizeof(*add));
    *ret_n = n;
    return ERR_OK;
}

static void put_param(struct buf *b, const char *name, struct str value)
{
    if (b->len > 0)
        buf_add_byte(b, '&');
    buf_add_c(b, name);
    buf_add_byte(b, '=');
    percent_put(b, value, false);
}

enum err sigv4_presign(struct arena *a, const struct sigv4_http *http,
                       const struct sigv4_sign *sign, struct str *ret_query)
{
    struct signer s;
    struct sigv4_sign in = *sign;
    if (in.s3 && !str_is_set(in.payload_hash))
        in.payload_hash = STR("UNSIGNED-PAYLOAD");
    TRY(signer_init(&s, a, &in));
    struct buf b;
    buf_init_arena(&b, a, QUERY_MAX);
    buf_add_str(&b, http->query);
    put_param(&b, "X-Amz-Algorithm", STR("AWS4-HMAC-SHA256"));
    put_param(&b, "X-Amz-Credential",
              str_fmt(a, STR_FMT "/" STR_FMT, STR_ARG(in.access_key), STR_ARG(s.scope)));
    put_param(&b, "X-Amz-Date", s.timestamp);
    put_param(&b, "X-Amz-Expires", str_fmt(a, "%lld", (long long)in.expires_s));
    if (str_is_set(in.session_token))
        put_param(&b, "X-Amz-Security-Token", in.session_token);
    put_param(&b, "X-Amz-SignedHeaders", STR("host"));
    TRY(buf_err(&b));
    struct sigv4_http whole = *http;
    whole.query = buf_str(&b);
    struct str hex;
    TRY(signature(&s, &whole, STR("host"), &hex));
    put_param(&b, "X-Amz-Signature", hex);
    TRY(buf_err(&b));
    *ret_query = buf_str(&b);
    return ERR_OK;
}
