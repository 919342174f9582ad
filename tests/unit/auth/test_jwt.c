/* jwt.h: others' cases (valid, invalid and tricky), round trips, times, keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "auth/jwt_seen.h"
#include "codec/base64.h"

#ifndef SHARED_DATA
#define SHARED_DATA ""
#endif

enum { ARENA_MAX = 64 * 1024 * 1024 };

static struct str read_data(struct arena *a, const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/wycheproof/%s", SHARED_DATA, name);
    FILE *f = fopen(path, "rb");
    if (!f)
        return STR_NONE;
    struct buf b;
    char *p;
    size_t n;
    buf_init_arena(&b, a, ARENA_MAX);
    while ((p = buf_reserve(&b, 65536)) && (n = fread(p, 1, 65536, f)) > 0)
        buf_grew(&b, n);
    fclose(f);
    return buf_str(&b);
}

/* Whether a case may pass here: RS256 to RS512, ES256 to ES512 and HS256 in the compact form, keys of JWT4. */
static bool verifies(struct arena *a, const struct json *group, struct str jws)
{
    const struct json *jwk = json_get(group, STR("public"));
    struct jwt_keys set = {.n = 0};
    struct jwt_key *key = NULL;
    struct jwt jwt;
    if (!jwk)
        jwk = json_get(group, STR("private"));
    bool ok = false;
    if (json_get(jwk, STR("keys"))) {
        struct buf b;
        buf_init_arena(&b, a, ARENA_MAX);
        json_put(&b, jwk);
        ok = jwt_keys_parse(buf_str(&b), a, &set) == ERR_OK && jws_parse(jws, a, &jwt) == ERR_OK &&
             jwt_verify_set(&jwt, &set) == ERR_OK;
    } else {
        ok = jwt_key_of_jwk(jwk, a, &key) == ERR_OK && jws_parse(jws, a, &jwt) == ERR_OK &&
             jwt_verify(&jwt, key) == ERR_OK;
    }
    jwt_keys_release(&set);
    jwt_key_free(key);
    return ok;
}

/* A valid case that is refused here on purpose: another algorithm, or padded base64. */
static bool is_refused_here(struct arena *a, const struct json *test, struct str jws)
{
    struct jwt jwt;
    if (str_find(jws, '=') != SIZE_MAX || jws_parse(jws, a, &jwt) != ERR_OK)
        return true;
    for (int alg = JWT_RS256; alg <= JWT_ES512; alg++)
        if (str_eq(jwt.alg, jwt_alg_name((enum jwt_alg)alg)))
            return false;
    return true;
}

/* Cases that pass although they are marked invalid. */
static bool is_excused(const char *name, int64_t id)
{
    if (strcmp(name, "json_web_signature_test.json") == 0)
        return id == 367 || id == 370; /* lost their padding: byte for byte the valid case 357 */
    return id == 7; /* a key of a faulty maker (ROCA): its fingerprint is not looked for */
}

static void play(const char *name, size_t *ret_valid, size_t *ret_invalid)
{
    struct arena a;
    struct json *root;
    arena_init(&a, ARENA_MAX);
    struct str text = read_data(&a, name);
    if (!text.p)
        skip();
    assert_int_equal(json_parse(&a, text, &root, NULL), ERR_OK);
    JSON_EACH (json_get(root, STR("testGroups")), group) {
        JSON_EACH (json_get(group, STR("tests")), test) {
            struct str jws = json_get_str(test, STR("jws"));
            bool ok = jws.p && verifies(&a, group, jws);
            bool valid = str_eq(json_get_str(test, STR("result")), STR("valid"));
            int64_t id = 0;
            (void)!json_to_i64(json_get(test, STR("tcId")), &id);
            if (ok && !valid && is_excused(name, id))
                continue;
            if (ok != valid && !(valid && is_refused_here(&a, test, jws)))
                print_error("%s %d %.*s: %s\n", name, (int)id,
                            STR_ARG(json_get_str(test, STR("comment"))), ok ? "passed" : "refused");
            if (ok && !valid)
                fail_msg("an invalid case passed");
            *ret_valid += ok;
            *ret_invalid += !ok;
        }
    }
    arena_release(&a);
}

static void test_signatures_of_others(void **state)
{
    size_t valid = 0, invalid = 0;
    play("json_web_signature_test.json", &valid, &invalid);
    print_message("%zu verified, %zu refused\n", valid, invalid);
    assert_true(valid >= 10 && invalid > 300);
}

static void test_keys_of_others(void **state)
{
    size_t valid = 0, invalid = 0;
    play("json_web_key_test.json", &valid, &invalid);
    print_message("%zu verified, %zu refused\n", valid, invalid);
    assert_true(valid >= 2 && invalid > 5);
}

static struct jwt_key *make(struct arena *a, enum jwt_alg alg)
{
    struct jwt_key *key = NULL;
    enum err e;
    if (alg == JWT_RS256)
        e = jwt_key_generate_rsa(2048, STR("k1"), &key);
    else if (alg == JWT_ES256)
        e = jwt_key_generate_ec(STR("k1"), &key);
    else
        e = jwt_key_secret(STR("0123456789abcdef0123456789abcdef"), STR("k1"), &key);
    assert_int_equal(e, ERR_OK);
    return key;
}

/* The key of a published set: the public half, written and read. */
static void published(struct arena *a, const struct jwt_key *key, struct jwt_keys *ret)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, a, 1 << 16);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_key(&o, STR("keys"));
    json_open(&o, '[');
    jwt_key_put(&o, key);
    json_close(&o, ']');
    json_close(&o, '}');
    assert_int_equal(buf_err(&b), ERR_OK);
    assert_true(str_find_str(buf_str(&b), STR("\"d\"")) == SIZE_MAX);
    assert_int_equal(jwt_keys_parse(buf_str(&b), a, ret), ERR_OK);
}

static void test_round(void **state)
{
    for (int alg = JWT_RS256; alg <= JWT_HS256; alg++) {
        struct arena a;
        struct jwt jwt;
        struct str token, der;
        struct jwt_keys set;
        arena_init(&a, ARENA_MAX);
        struct jwt_key *key = make(&a, (enum jwt_alg)alg);
        assert_int_equal(
            jwt_sign(key, STR("{\"iss\":\"i\",\"aud\":[\"x\",\"y\"],\"exp\":100}"), &a, &token),
            ERR_OK);
        assert_int_equal(jwt_parse(token, &a, &jwt), ERR_OK);
        assert_int_equal(jwt_verify(&jwt, key), ERR_OK);
        assert_true(jwt_claim_has(&jwt, STR("iss"), STR("i")));
        assert_true(jwt_claim_has(&jwt, STR("aud"), STR("y")));
        assert_false(jwt_claim_has(&jwt, STR("aud"), STR("z")));
        assert_false(jwt_claim_has(&jwt, STR("sub"), STR("")));
        published(&a, key, &set);
        assert_int_equal(set.n, alg == JWT_HS256 ? 0 : 1);
        if (set.n > 0)
            assert_int_equal(jwt_verify_set(&jwt, &set), ERR_OK);
        jwt_keys_release(&set);
        /* Any character of the token changed is noticed. */
        for (size_t i = 0; i < token.len; i += alg == JWT_HS256 ? 1 : 7) {
            char *bad = arena_memdup(&a, token.p, token.len);
            bad[i] = bad[i] == 'A' ? 'B' : 'A';
            assert_true(jws_parse(str_n(bad, token.len), &a, &jwt) != ERR_OK ||
                        jwt_verify(&jwt, key) != ERR_OK);
        }
        if (alg != JWT_HS256) {
            struct jwt_key *again;
            assert_int_equal(jwt_key_der(key, &a, &der), ERR_OK);
            assert_int_equal(jwt_key_of_der(der, STR("k1"), &again), ERR_OK);
            assert_int_equal(jwt_parse(token, &a, &jwt), ERR_OK);
            assert_int_equal(jwt_verify(&jwt, again), ERR_OK);
            jwt_key_free(again);
            assert_int_equal(jwt_key_of_der(str_n(der.p, der.len - 1), STR("k"), &again),
                             ERR_INVALID);
        }
        jwt_key_free(key);
        arena_release(&a);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *name, *header, *payload;
        enum err err;
    } rows[] = {
        {"plain", "{\"alg\":\"HS256\"}", "{}", ERR_OK},
        {"none", "{\"alg\":\"none\"}", "{}", ERR_OK}, /* parses; no key verifies it */
        {"no alg", "{\"kid\":\"a\"}", "{}", ERR_INVALID},
        {"alg no text", "{\"alg\":1}", "{}", ERR_INVALID},
        {"kid no text", "{\"alg\":\"HS256\",\"kid\":1}", "{}", ERR_INVALID},
        {"crit", "{\"alg\":\"HS256\",\"crit\":[]}", "{}", ERR_INVALID},
        {"b64", "{\"alg\":\"HS256\",\"b64\":false}", "{}", ERR_INVALID},
        {"twice", "{\"alg\":\"HS256\",\"alg\":\"none\"}", "{}", ERR_INVALID},
        {"header a list", "[]", "{}", ERR_INVALID},
        {"claims a list", "{\"alg\":\"HS256\"}", "[]", ERR_INVALID},
        {"claims no JSON", "{\"alg\":\"HS256\"}", "x", ERR_INVALID},
    };
    struct arena a;
    arena_init(&a, ARENA_MAX);
    struct jwt_key *key = make(&a, JWT_HS256);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct jwt jwt;
        struct str h = base64url_encode(&a, rows[i].header, strlen(rows[i].header));
        struct str p = base64url_encode(&a, rows[i].payload, strlen(rows[i].payload));
        struct str token = str_fmt(&a, STR_FMT "." STR_FMT ".", STR_ARG(h), STR_ARG(p));
        enum err e = jwt_parse(token, &a, &jwt);
        if (e != rows[i].err)
            fail_msg("%s: %s", rows[i].name, err_name(e));
        if (e == ERR_OK)
            assert_int_equal(jwt_verify(&jwt, key), ERR_DENIED);
    }
    static const char *const shapes[] = {
        "", ".", "..", "a.b", "e30.e30.e30.e30", "e30=.e30.e30", "e3 .e30.", "{}.{}.{}"};
    struct jwt jwt;
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
        assert_int_equal(jwt_parse(str_c(shapes[i]), &a, &jwt), ERR_INVALID);
    char *long_one = arena_calloc(&a, 1, JWT_BYTES_MAX + 1);
    assert_int_equal(jwt_parse(str_n(long_one, JWT_BYTES_MAX + 1), &a, &jwt), ERR_LIMIT);
    struct jwt_key *weak;
    assert_int_equal(jwt_key_secret(STR("short"), STR("k"), &weak), ERR_INVALID);
    assert_int_equal(jwt_key_generate_rsa(1024, STR("k"), &weak), ERR_INVALID);
    jwt_key_free(key);
    arena_release(&a);
}

static void test_times(void **state)
{
    static const struct {
        const char *claims;
        int64_t now_s, skew_s;
        enum err err;
    } rows[] = {
        {"{\"exp\":100}", 99, 0, ERR_OK},
        {"{\"exp\":100}", 100, 0, ERR_TIMEOUT},
        {"{\"exp\":100}", 104, 5, ERR_OK},
        {"{\"exp\":100}", 105, 5, ERR_TIMEOUT},
        {"{}", 100, 0, ERR_INVALID},
        {"{\"exp\":\"100\"}", 1, 0, ERR_INVALID},
        {"{\"exp\":100,\"nbf\":50}", 49, 0, ERR_DENIED},
        {"{\"exp\":100,\"nbf\":50}", 50, 0, ERR_OK},
        {"{\"exp\":100,\"iat\":50}", 49, 1, ERR_OK},
        {"{\"exp\":100,\"iat\":50}", 48, 1, ERR_DENIED},
        {"{\"exp\":100,\"iat\":null}", 48, 1, ERR_INVALID},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct json *v;
        arena_init(&a, ARENA_MAX);
        assert_int_equal(json_parse(&a, str_c(rows[i].claims), &v, NULL), ERR_OK);
        struct jwt jwt = {.claims = v};
        assert_int_equal(jwt_check_times(&jwt, rows[i].now_s * 1000, rows[i].skew_s * 1000, true),
                         rows[i].err);
        arena_release(&a);
    }
}

/* A token is verified once; one that differs in anything is verified, and refused. */
static void test_seen(void **state)
{
    struct arena a;
    struct jwt_seen *seen;
    struct jwt_key *key, *other;
    struct jwt jwt;
    struct str token;
    arena_init(&a, ARENA_MAX);
    assert_int_equal(jwt_seen_new(&seen), ERR_OK);
    assert_int_equal(jwt_key_secret(STR("0123456789abcdef0123456789abcdef"), STR("k"), &key),
                     ERR_OK);
    assert_int_equal(jwt_key_secret(STR("another--bcdef0123456789abcdef---"), STR("k"), &other),
                     ERR_OK);
    assert_int_equal(jwt_sign(key, STR("{\"sub\":\"a\"}"), &a, &token), ERR_OK);
    assert_int_equal(jwt_parse(token, &a, &jwt), ERR_OK);
    assert_int_equal(jwt_seen_verify(seen, token, &jwt, other),
                     ERR_DENIED); /* which is not remembered */
    assert_int_equal(jwt_seen_verify(seen, token, &jwt, other), ERR_DENIED);
    for (int i = 0; i < 2; i++)
        assert_int_equal(jwt_seen_verify(seen, token, &jwt, key), ERR_OK);
    for (size_t i = 0; i < token.len; i++) {
        char *forged = arena_memdup(&a, token.p, token.len);
        forged[i] = forged[i] == 'A' ? 'B' : 'A';
        struct str text = str_n(forged, token.len);
        if (jwt_parse(text, &a, &jwt) == ERR_OK && str_eq(jwt.kid, jwt_key_kid(key)))
            assert_int_equal(jwt_seen_verify(seen, text, &jwt, key), ERR_DENIED);
    }
    jwt_key_free(key);
    jwt_key_free(other);
    jwt_seen_free(seen);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signatures_of_others),
        cmocka_unit_test(test_keys_of_others),
        cmocka_unit_test(test_round),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
