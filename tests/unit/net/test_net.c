/* URLs, DNS messages, first bytes, the authority. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those */
#include <cmocka.h>

#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/net.h"

static void urls(void **state)
{
    static const struct {
        const char *url, *host;
        unsigned port;
        bool tls;
    } rows[] = {
        {"http://127.0.0.1:4566", "127.0.0.1", 4566, false},
        {"https://weir.corp", "weir.corp", 443, true},
        {"http://weir/", "weir", 80, false},
        {"https://[::1]:1/x:2", "::1", 1, true},
        {"http://[::1]", "::1", 80, false},
        {"ftp://x", NULL, 0, false},
        {"http://", NULL, 0, false},
        {"http://:80", NULL, 0, false},
        {"http://x:0", NULL, 0, false},
        {"http://x:65536", NULL, 0, false},
        {"http://x:y", NULL, 0, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str host;
        uint16_t port = 0;
        bool tls = false;
        enum err err = net_split_url(str_c(rows[i].url), &host, &port, &tls);
        if (!rows[i].host) {
            assert_int_equal(err, ERR_INVALID);
            continue;
        }
        assert_int_equal(err, ERR_OK);
        assert_true(str_eq_c(host, rows[i].host));
        assert_int_equal(port, rows[i].port);
        assert_int_equal(tls, rows[i].tls);
    }
}

/* --- DNS ---------------------------------------------------------------------------------------- */

#define HEAD "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
#define QUERY                                                                                      \
    HEAD "\x02S3\x09"                                                                              \
         "AmazonAWS\x03"                                                                           \
         "com\x00\x00\x01\x00\x01"

static void dns_query(void **state)
{
    const uint8_t *p = (const uint8_t *)QUERY;
    size_t len = sizeof(QUERY) - 1;
    struct net_question q;
    uint8_t out[NET_DNS_MAX];
    struct in_addr a = {.s_addr = htonl(0x01020304)};
    assert_int_equal(net_dns_parse(p, len, &q), ERR_OK);
    assert_string_equal(q.name, "s3.amazonaws.com");
    assert_int_equal(q.type, NET_DNS_A);
    assert_int_equal(q.end, len);
    size_t n = net_dns_answer(p, &q, NET_DNS_OK, &a, out, sizeof out);
    assert_int_equal(n, len + 16);
    assert_memory_equal(out, "\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00", 12);
    assert_memory_equal(out + n - 6, "\x00\x04\x01\x02\x03\x04", 6);
    assert_true(net_dns_answers(p, &q, out, n));
    out[0] ^= 1; /* another question's */
    assert_false(net_dns_answers(p, &q, out, n));
    assert_int_equal(net_dns_answer(p, &q, NET_DNS_OK, &a, out, n - 1), 0);
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(net_dns_parse(p, cut, &q), ERR_INVALID);
}

static void dns_refused(void **state)
{
#define ROW(lit)                                                                                   \
    {                                                                                              \
        (const uint8_t *)lit, sizeof(lit) - 1                                                      \
    }
    static const struct {
        const uint8_t *p;
        size_t len;
    } rows[] = {
        ROW(HEAD "\xc0\x0c\x00\x01\x00\x01"), /* a pointer */
        ROW(HEAD "\x03"
                 "a.b\x00\x00\x01\x00\x01"), /* a dot */
        ROW(HEAD "\x02\x00"
                 "a\x00\x00\x01\x00\x01"), /* a NUL */
        ROW("\x12\x34\x81\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01"
            "a\x00\x00\x01\x00\x01"), /* an answer */
        ROW("\x12\x34\x01\x00\x00\x02\x00\x00\x00\x00\x00\x00\x01"
            "a\x00\x00\x01\x00\x01"), /* two questions */
    };
    struct net_question q;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(net_dns_parse(rows[i].p, rows[i].len, &q), ERR_INVALID);
}

/* At the limit of a name's length and one past it. */
static void dns_longest(void **state)
{
    for (size_t last = 61; last <= 62; last++) {
        uint8_t p[512];
        size_t at = 12;
        struct net_question q;
        memcpy(p, HEAD, 12);
        for (size_t i = 0; i < 4; i++) {
            size_t n = i == 3 ? last : 63;
            p[at++] = (uint8_t)n;
            memset(p + at, 'x', n);
            at += n;
        }
        memcpy(p + at, "\x00\x00\x01\x00\x01", 5);
        assert_int_equal(net_dns_parse(p, at + 5, &q), last == 61 ? ERR_OK : ERR_INVALID);
    }
}

/* --- first bytes -------------------------------------------------------------------------------- */

static void hello_http(void **state)
{
    static const struct {
        const char *text;
        enum net_hello hello;
        const char *name;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: s3.amazonaws.com\r\n", NET_HELLO_NAME, "s3.amazonaws.com"},
        {"GET / HTTP/1.1\r\nA: b\r\nhOST:x:80\r\n", NET_HELLO_NAME, "x"},
        {"GET / HTTP/1.1\r\nHost: s3.amaz", NET_HELLO_MORE, NULL},
        {"GET / HT", NET_HELLO_MORE, NULL},
        {"", NET_HELLO_MORE, NULL},
        {"GET / HTTP/1.0\r\n\r\nHost: late\r\n", NET_HELLO_NONE, NULL},
        {"\x01", NET_HELLO_NONE, NULL},
        {"\x16\x03\x01", NET_HELLO_MORE, NULL},
        {"\x16\x03\x01\xff\xff", NET_HELLO_BAD, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str name = STR_NONE;
        assert_int_equal(net_hello((const uint8_t *)rows[i].text, strlen(rows[i].text), &name),
                         rows[i].hello);
        if (rows[i].name)
            assert_true(str_eq_c(name, rows[i].name));
    }
}

/* --- the authority ------------------------------------------------------------------------------ */

static X509 *leaf(struct net_authority *a, const char *name, enum err want)
{
    X509 *cert = NULL;
    EVP_PKEY *key = NULL;
    assert_int_equal(net_authority_find(a, str_c(name), &cert, &key), want);
    if (want == ERR_OK)
        assert_int_equal(X509_check_private_key(cert, key), 1);
    EVP_PKEY_free(key);
    return cert;
}

static void authority_signs(void **state)
{
    char dir[] = "/tmp/weir-authority-XXXXXX", path[64];
    struct net_authority *a = NULL, *b = NULL;
    struct stat st;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(net_authority_open(dir, STR("weir.corp"), &a), ERR_OK);
    X509 *first = leaf(a, "b.s3.amazonaws.com", ERR_OK);
    assert_int_equal(X509_check_host(first, "b.s3.amazonaws.com", 0, 0, NULL), 1);
    X509 *second = leaf(a, "b.s3.amazonaws.com", ERR_OK);
    assert_ptr_equal(first, second); /* kept */
    X509 *none = leaf(a, "", ERR_OK);
    assert_int_equal(X509_check_ip_asc(none, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(none, "0.0.0.0", 0), 1);
    X509 *own = leaf(a, "bucket.weir.corp", ERR_OK);
    (void)leaf(a, "example.com", ERR_DENIED);
    (void)leaf(a, "xweir.corp", ERR_DENIED);
    (void)leaf(a, "a,DNS:example.com.amazonaws.com", ERR_DENIED);
    /* The same next time; another for another endpoint. */
    assert_int_equal(net_authority_publish(a, dir), ERR_OK);
    assert_int_equal(net_authority_open(dir, STR("weir.corp"), &b), ERR_OK);
    X509 *again = leaf(b, "b.s3.amazonaws.com", ERR_OK);
    assert_int_equal(X509_NAME_cmp(X509_get_issuer_name(first), X509_get_issuer_name(again)), 0);
    assert_int_equal(
        ASN1_STRING_cmp(X509_get0_authority_key_id(first), X509_get0_authority_key_id(again)), 0);
    net_authority_free(b);
    assert_int_equal(net_authority_open(dir, STR("10.0.0.1"), &b), ERR_OK);
    X509 *other = leaf(b, "", ERR_OK);
    assert_int_equal(X509_check_ip_asc(other, "10.0.0.1", 0), 1);
    assert_int_not_equal(
        ASN1_STRING_cmp(X509_get0_authority_key_id(first), X509_get0_authority_key_id(other)), 0);
    (void)snprintf(path, sizeof path, "%s/authority.pem", dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    (void)unlink(path);
    (void)snprintf(path, sizeof path, "%s/ca.crt", dir);
    assert_int_equal(unlink(path), 0);
    (void)snprintf(path, sizeof path, "%s/ca-bundle.crt", dir);
    assert_int_equal(unlink(path), 0);
    (void)rmdir(dir);
    X509 *all[] = {first, second, none, own, again, other};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        X509_free(all[i]);
    net_authority_free(a);
    net_authority_free(b);
}

/* A ClientHello in one record: `name` in its extension, or no extensions at all. */
static size_t make_hello(const char *name, uint8_t *p)
{
    static const uint8_t rest[] = {0, 0, 2, 0x13, 0x01, 1, 0}; /* session, suites, compression */
    size_t at = 9, len = name ? strlen(name) : 0;
    memset(p, 0, 9 + 34);
    p[at] = 3;
    p[at + 1] = 3;
    at += 34;
    memcpy(p + at, rest, sizeof rest);
    at += sizeof rest;
    if (name) {
        const uint8_t extension[] = {0, (uint8_t)(len + 9), 0, 0, 0,           (uint8_t)(len + 5),
                                     0, (uint8_t)(len + 3), 0, 0, (uint8_t)len};
        memcpy(p + at, extension, sizeof extension);
        memcpy(p + at + sizeof extension, name, len);
        at += sizeof extension + len;
    }
    p[0] = 22;
    p[1] = 3;
    p[2] = 1;
    p[4] = (uint8_t)(at - 5);
    p[5] = 1;
    p[8] = (uint8_t)(at - 9);
    return at;
}

static void hello_tls(void **state)
{
    uint8_t p[256];
    struct str name = STR_NONE;
    size_t len = make_hello("s3.amazonaws.com", p);
    assert_int_equal(net_hello(p, len, &name), NET_HELLO_NAME);
    assert_true(str_eq_c(name, "s3.amazonaws.com"));
    for (size_t i = 0; i < len; i++)
        assert_int_equal(net_hello(p, i, &name), NET_HELLO_MORE);
    p[4] -= 20; /* the rest is in another record */
    assert_int_equal(net_hello(p, len, &name), NET_HELLO_BAD);
    p[4] += 20;
    p[len - 17] = 200; /* a name longer than its extension */
    assert_int_equal(net_hello(p, len, &name), NET_HELLO_BAD);
    len = make_hello(NULL, p);
    assert_int_equal(net_hello(p, len, &name), NET_HELLO_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls),
        cmocka_unit_test(dns_query),
        cmocka_unit_test(dns_refused),
        cmocka_unit_test(dns_longest),
        cmocka_unit_test(hello_http),
        cmocka_unit_test(hello_tls),
        cmocka_unit_test(authority_signs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
