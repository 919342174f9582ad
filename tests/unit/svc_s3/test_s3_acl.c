/* What lists of S3 grant, and what locks hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/account.h"
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
        struct s3_acl acl = {0};
        enum err err = s3_acl_canned(str_c(rows[i].name), rows[i].bucket, &acl.bits);
        if ((err == ERR_OK) != rows[i].known || s3_acl_public(&acl) != rows[i].is_public ||
            s3_acl_allows(&acl, &anybody, S3_READ) != rows[i].anybody_reads ||
            s3_acl_allows(&acl, &user, S3_READ) != rows[i].user_reads ||
            s3_acl_allows(&acl, &anybody, S3_WRITE) != rows[i].anybody_writes)
            fail_msg("%s", rows[i].name);
    }
}

static void test_full_control(void **state)
{
    static const struct principal anybody = {.kind = PRINCIPAL_ANONYMOUS},
                                  service = {.kind = PRINCIPAL_SERVICE};
    struct s3_acl none = {0},
                  acl = {.bits = S3_ACL_GIVEN | s3_acl_bit(S3_EVERYONE, S3_FULL_CONTROL)};
    for (int p = 0; p < S3_PERMISSIONS; p++) {
        assert_true(s3_acl_allows(&acl, &anybody, (enum s3_acl_right)p));
        assert_false(s3_acl_allows(&acl, &service, (enum s3_acl_right)p));
        assert_false(s3_acl_allows(&none, &anybody, (enum s3_acl_right)p));
    }
}

static void test_accounts(void **state)
{
    static const struct {
        const char *account;
        enum s3_acl_right right;
        bool reads, writes;
    } rows[] = {
        {"222222222222", S3_READ, true, false},        {"222222222222", S3_READ_ACP, true, false},
        {"222222222222", S3_WRITE, true, true},        {"333333333333", S3_WRITE_ACP, false, false},
        {"444444444444", S3_FULL_CONTROL, true, true},
    };
    static const struct principal other = {.kind = PRINCIPAL_USER,
                                           .account = STR_INIT("222222222222")};
    struct s3_acl acl = {0}, dup;
    struct arena a;
    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str account = str_c(rows[i].account);
        assert_int_equal(s3_acl_give(&a, &acl, account, rows[i].right), ERR_OK);
        if (s3_acl_names(&acl, account, S3_READ) != rows[i].reads ||
            s3_acl_names(&acl, account, S3_WRITE) != rows[i].writes)
            fail_msg("row %zu", i);
    }
    assert_int_equal(acl.n_others, 3);
    assert_false(s3_acl_names(&acl, STR("555555555555"), S3_READ));
    assert_false(s3_acl_names(&acl, STR_NONE, S3_READ));
    assert_false(s3_acl_public(&acl));
    assert_false(s3_acl_allows(&acl, &other, S3_READ));
    assert_true(s3_acl_any(&acl));

    assert_int_equal(s3_acl_dup(&a, &acl, &dup), ERR_OK);
    assert_true(s3_acl_same(&acl, &dup) && acl.others != dup.others);
    dup.others[2].rights = 1 << S3_READ;
    assert_false(s3_acl_same(&acl, &dup));
    dup.n_others = 2;
    assert_false(s3_acl_same(&acl, &dup));

    /* As headers name them; and what all of them take. */
    struct call call = {.arena = &a, .account = STR("000000000000")};
    char own[ACCOUNT_CANONICAL_CHARS], id[ACCOUNT_CANONICAL_CHARS];
    account_canonical(call.account, own);
    account_canonical(STR("444444444444"), id);
    acl.bits = s3_acl_bit(S3_OWNER, S3_FULL_CONTROL);
    struct str want =
        str_fmt(&a, "id=\"%.*s\", id=\"%.*s\"", (int)sizeof(own), own, (int)sizeof(id), id);
    assert_true(str_eq(s3_acl_header(&call, &acl, S3_FULL_CONTROL), want));
    for (int i = 3; i < S3_ACL_GRANTS_MAX; i++)
        assert_int_equal(s3_acl_give(&a, &acl, str_fmt(&a, "%012d", i), S3_FULL_CONTROL), ERR_OK);
    assert_int_equal(s3_acl_give(&a, &acl, STR("999999999999"), S3_READ), ERR_LIMIT);
    assert_int_equal(s3_acl_give(&a, &acl, STR("222222222222"), S3_READ), ERR_OK);
    for (int g = S3_OWNER; g < S3_GRANTEES; g++)
        acl.bits |= s3_acl_bit((enum s3_acl_who)g, S3_FULL_CONTROL);
    assert_true(s3_acl_header(&call, &acl, S3_FULL_CONTROL).len >
                S3_ACL_GRANTS_MAX * sizeof(id) - 200);
    arena_release(&a);
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
        cmocka_unit_test(test_canned),   cmocka_unit_test(test_full_control),
        cmocka_unit_test(test_accounts), cmocka_unit_test(test_locks),
        cmocka_unit_test(test_modes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
