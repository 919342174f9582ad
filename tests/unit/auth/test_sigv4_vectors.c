/* The published signing cases: canonical request, string to sign, and verification of the signed
 * request, both with the signature in a header and in the query. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "auth/sigv4_int.h"
#include "base/clock.h"
#include "codec/json.h"
#include "help_auth.h"

enum { ARENA_BYTES = 64 * 1024 * 1024, VECTORS_MIN = 38 };

static struct str file(struct arena *a, const char *name, const char *form, const char *what)
{
    struct str path = str_fmt(a, "%s/sigv4/%s/%s%s", SHARED_DATA, name, form, what);
    struct str text = help_read_file(a, str_cstr(a, path));
    assert_true(str_is_set(text));
    while (text.len > 0 && text.p[text.len - 1] == '\n' && form[0] != 's')
        text.len--;
    return text;
}

static void assert_text(const char *name, const char *form, struct str got, struct str want)
{
    if (str_eq(got, want))
        return;
    fprintf(stderr, "%s (%s)\n--- got\n" STR_FMT "\n--- want\n" STR_FMT "\n", name, form,
            STR_ARG(got), STR_ARG(want));
    fail();
}

static void run(const char *name, const char *form)
{
    struct arena a;
    arena_init(&a, ARENA_BYTES);
    struct json *ctx;
    assert_int_equal(json_parse(&a, file(&a, name, "", "context.json"), &ctx, NULL), ERR_OK);
    bool normalize = json_get(ctx, STR("normalize"))->b;
    const struct json *cred = json_get(ctx, STR("credentials"));

    struct str raw = str_fmt(&a, "%s/sigv4/%s/%s-signed-request.txt", SHARED_DATA, name, form);
    struct help_request hr;
    help_parse_request(&a, help_read_file(&a, str_cstr(&a, raw)), &hr);
    /* The files end with a line feed that is not the body's; only sized bodies count. */
    struct str length = sigv4_find_header(&hr.http, STR("content-length"), NULL);
    uint64_t body_bytes = 0;
    if (str_is_set(length))
        assert_int_equal(str_to_u64(length, &body_bytes), ERR_OK);
    hr.body = str_sub(hr.body, 0, body_bytes);

    struct sigv4_request req;
    struct sigv4_fault fault;
    enum sigv4_dialect dialect = SIGV4_DIALECT_QUERY;
    if (sigv4_parse(&a, &hr.http, dialect, &req, &fault) != ERR_OK) {
        fprintf(stderr, "%s (%s): " STR_FMT "\n", name, form, STR_ARG(fault.message));
        fail();
    }
    assert_int_equal(req.kind, form[0] == 'h' ? SIGV4_HEADER : SIGV4_PRESIGNED);

    uint8_t hash[SIGV4_HASH_BYTES];
    char hex[SIGV4_HEX_LEN];
    sigv4_sha256(hr.body, hash);
    hex_to(hex, hash, sizeof(hash));
    const struct json *omit = json_get(ctx, STR("omit_session_token"));
    struct sigv4_canon canon = {
        .http = &hr.http,
        .signed_headers = req.signed_headers,
        .payload = str_n(hex, sizeof(hex)),
        .s3 = !normalize, /* S3's rule is the one that leaves the path alone */
        .skip = STR("X-Amz-Signature"),
        .skip2 = omit && omit->b ? STR("X-Amz-Security-Token") : STR_NONE,
    };
    struct str canonical;
    assert_int_equal(sigv4_canonical(&a, &canon, &canonical), ERR_OK);
    assert_text(name, form, canonical, file(&a, name, form, "-canonical-request.txt"));
    assert_text(name, form, sigv4_string_to_sign(&a, req.timestamp, req.scope, canonical),
                file(&a, name, form, "-string-to-sign.txt"));

    if (normalize) {
        struct sigv4_check check = {
            .http = &hr.http,
            .req = &req,
            .dialect = dialect,
            .service = STR("service"),
            .secret = json_get_str(cred, STR("secret_access_key")),
            .session_token = json_get_str(cred, STR("token")),
            .now_ms = req.timestamp_ms,
            .skew_ms = 15 * 60000,
            .body = hr.body,
        };
        enum err e = sigv4_verify(&a, &check, &fault);
        if (e != ERR_OK)
            assert_text(name, form, fault.message, STR("verified"));
    }
    arena_release(&a);
}

static void test_vectors(void **state)
{
    DIR *dir = opendir(SHARED_DATA "/sigv4");
    if (!dir) {
        fprintf(stderr, "SKIPPED: no signing cases at %s/sigv4\n", SHARED_DATA);
        skip();
    }
    size_t n = 0;
    struct dirent *e;
    while ((e = readdir(dir)) != NULL) {
        char path[512];
        snprintf(path, sizeof(path), "%s/sigv4/%s/context.json", SHARED_DATA, e->d_name);
        FILE *f = fopen(path, "rb");
        if (!f)
            continue;
        fclose(f);
        run(e->d_name, "header");
        run(e->d_name, "query");
        n++;
    }
    closedir(dir);
    assert_true(n >= VECTORS_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
