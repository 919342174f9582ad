/* What lists of S3 grant, and what locks hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "svc/s3/s3_acl.h"
#include "svc/s3/s3_lock.h"

static void test_canned(void **state)
{
    static const struct principal anybody = {.kind = PRINCIPAL_ANONYMOUS},
                                  user = {.kind = PRINCIPAL_USER};
    static const struct {
        const char *name;
        bool bucket, known, is_public, anybody_reads, user_reads, anybody_writes;
    } rows[] = {
        {"private", true, true, false, false, false, false},
        {"public-read", true, true, true, true, true, false},
        {"public-read-write", false, true, true, true, true, true},
        {"authenticated-read", false, true, true, false, true, false},
        {"log-delivery-write", true, true, false, false, false, false},
        {"log-delivery-write", false, false, false, false, false, false},
        {"bucket-owner-full-control", false, true, false, false, false, false},
        {"bucket-owner-read", true, false, false, false, false, false},
        {"", true, false, false, false, false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t acl = 0;
        enum err err = s3_acl_canned(str_c(rows[i].name), rows[i].bucket, &acl);
        if ((err == ERR_OK) != rows[i].known || s3_acl_public(acl) != rows[i].is_public ||
            s3_acl_allows(acl, &anybody, S3_READ) != rows[i].anybody_reads ||
            s3_acl_allows(acl, &user, S3_READ) != rows[i].user_reads ||
            s3_acl_allows(acl, &anybody, S3_WRITE) != rows[i].anybody_writes)
            fail_msg("%s", rows[i].name);
    }
}

static void test_full_control(void **state)
{
    static const struct principal anybody = {.kind = PRINCIPAL_ANONYMOUS},
                                  service = {.kind = PRINCIPAL_SERVICE};
    uint64_t acl = S3_ACL_GIVEN | s3_acl_bit(S3_EVERYONE, S3_FULL_CONTROL);
    for (int p = 0; p < S3_PERMISSIONS; p++) {
        assert_true(s3_acl_allows(acl, &anybody, (enum s3_acl_right)p));
        assert_false(s3_acl_allows(acl, &service, (enum s3_acl_right)p));
        assert_false(s3_acl_allows(0, &anybody, (enum s3_acl_right)p));
    }
}

static void test_locks(void **state)
{
    static const struct {
        struct s3_lock lock;
        enum s3_hold want; /* at 1000 ms */
    } rows[] = {
        {{.mode = S3_LOCK_NONE}, S3_FREE},
        {{.mode = S3_LOCK_GOVERNANCE, .until_ms = 1001}, S3_GOVERNED},
        {{.mode = S3_LOCK_GOVERNANCE, .until_ms = 1000}, S3_FREE},
        {{.mode = S3_LOCK_COMPLIANCE, .until_ms = 1001}, S3_HELD},
        {{.mode = S3_LOCK_COMPLIANCE, .until_ms = 999}, S3_FREE},
        {{.legal_hold = true}, S3_HELD},
        {{.mode = S3_LOCK_GOVERNANCE, .until_ms = 1, .legal_hold = true}, S3_HELD},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(s3_lock_hold(&rows[i].lock, 1000), rows[i].want);
}

static void test_modes(void **state)
{
    for (int m = S3_LOCK_GOVERNANCE; m < S3_LOCK_MODES; m++)
        assert_int_equal(s3_lock_mode_of(s3_lock_mode_name((enum s3_lock_mode)m)), m);
    assert_int_equal(s3_lock_mode_of(STR("governance")), S3_LOCK_MODES);
    assert_int_equal(s3_lock_mode_of(STR_NONE), S3_LOCK_MODES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canned),
        cmocka_unit_test(test_full_control),
        cmocka_unit_test(test_locks),
        cmocka_unit_test(test_modes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
