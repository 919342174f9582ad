/* Accounts: which there are, whose key a key is, and what a restart keeps of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arn.h"
#include "core/account.h"
#include "kv/drv_fault/kv_mem.h"

#define OWN "000000000000"

static struct core core;
static struct kv_mem_disk *disk;
static struct arena a;

static void open_store(void)
{
    core = (struct core){.cfg = {.account = STR(OWN), .root_secret = STR("first root's")}};
    assert_int_equal(kv_mem_open(disk, false, &core.kv), ERR_OK);
    assert_int_equal(account_start(&core), ERR_OK);
}

static void close_store(void)
{
    account_stop(&core);
    kv_close(core.kv);
}

static int setup(void **state)
{
    disk = kv_mem_disk_new();
    assert_non_null(disk);
    arena_init(&a, 1024 * 1024);
    open_store();
    return 0;
}

static int teardown(void **state)
{
    close_store();
    kv_mem_disk_free(disk);
    arena_release(&a);
    return 0;
}

struct adding {
    struct str id, access_key;
};

static enum err add_body(struct txn *txn, void *arg)
{
    struct adding *x = arg;
    struct str access_key;
    TRY(account_add(txn, x->id, &access_key));
    x->access_key = str_dup(&a, access_key);
    return ERR_OK;
}

static enum err add(const char *id, struct str *ret_access_key)
{
    struct adding x = {.id = str_c(id)};
    enum err err = txn_run_now(&core, add_body, &x);
    *ret_access_key = x.access_key;
    return err;
}

static enum err list_body(struct txn *txn, void *arg)
{
    struct catalogue_page page;
    TRY(account_list(txn, &page));
    *(size_t *)arg = page.n;
    return ERR_OK;
}

static size_t count(void)
{
    size_t n = 0;
    assert_int_equal(txn_run_now(&core, list_body, &n), ERR_OK);
    return n;
}

static void ids(void **state)
{
    static const struct {
        const char *id;
        enum err err;
    } rows[] = {
        {"222222222222", ERR_OK},
        {"222222222222", ERR_EXISTS},
        {OWN, ERR_EXISTS},
        {"22222222222", ERR_INVALID},
        {"2222222222222", ERR_INVALID},
        {"22222222222x", ERR_INVALID},
        {"", ERR_INVALID},
        {"000000000001", ERR_OK},
    };
    struct str key;
    assert_false(core.more_accounts);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (add(rows[i].id, &key) != rows[i].err)
            fail_msg("%s", rows[i].id);
    assert_true(core.more_accounts);
    assert_int_equal(count(), 2);
    assert_true(account_known(&core, STR(OWN)));
    assert_true(account_known(&core, STR("000000000001")));
    assert_false(account_known(&core, STR("000000000002")));
    assert_false(account_known(&core, STR_NONE));
}

static void canonical(void **state)
{
    static const char *const ids[] = {OWN, "222222222222"};
    char told[ACCOUNT_CANONICAL_CHARS];
    struct str key, id;
    assert_int_equal(add("222222222222", &key), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        account_canonical(str_c(ids[i]), told);
        assert_int_equal(account_of_canonical(&core, str_n(told, sizeof(told)), &a, &id), ERR_OK);
        assert_true(str_eq_c(id, ids[i]));
        assert_int_equal(account_of_canonical(&core, str_n(told, sizeof(told) - 1), &a, &id),
                         ERR_NOT_FOUND);
    }
    account_canonical(STR("333333333333"), told);
    assert_int_equal(account_of_canonical(&core, str_n(told, sizeof(told)), &a, &id),
                     ERR_NOT_FOUND);
    assert_int_equal(account_of_canonical(&core, STR_NONE, &a, &id), ERR_NOT_FOUND);
}

static void limit(void **state)
{
    char id[ARN_ACCOUNT_LEN + 1];
    struct str key;
    for (int i = 1; i <= ACCOUNTS_MAX; i++) {
        snprintf(id, sizeof(id), "%012d", i);
        assert_int_equal(add(id, &key), ERR_OK);
    }
    assert_int_equal(add("222222222222", &key), ERR_LIMIT);
    assert_int_equal(count(), ACCOUNTS_MAX);
}

static void keys(void **state)
{
    struct str key, other, id, secret, again;
    char told[ACCOUNT_SECRET_CHARS + 1];
    assert_int_equal(add("222222222222", &key), ERR_OK);
    assert_int_equal(add("333333333333", &other), ERR_OK);
    assert_int_equal(account_of_key(&core, key, &a, &id, &secret), ERR_OK);
    assert_true(str_eq_c(id, "222222222222"));
    assert_int_equal(secret.len, ACCOUNT_SECRET_CHARS);
    account_secret(core.cfg.root_secret, key, told);
    assert_true(str_eq_c(secret, told));
    account_secret(core.cfg.root_secret, other, told);
    assert_false(str_eq_c(secret, told));
    account_secret(STR("another root's"), key, told);
    assert_false(str_eq_c(secret, told));
    assert_int_equal(account_of_key(&core, STR("AKIANOBODY"), &a, &id, &again), ERR_NOT_FOUND);
    assert_int_equal(account_of_key(&core, STR("222222222222"), &a, &id, &again), ERR_NOT_FOUND);
    close_store();
    open_store();
    assert_true(core.more_accounts);
    assert_int_equal(account_of_key(&core, key, &a, &id, &again), ERR_OK);
    assert_true(str_eq(secret, again));
}

static void dev_keys(void **state)
{
    struct str key, id, secret;
    assert_int_equal(add("222222222222", &key), ERR_OK);
    assert_false(account_is_dev_key(&core, STR("222222222222")));
    core.cfg.dev_key = true;
    assert_true(account_is_dev_key(&core, STR("test")));
    assert_true(account_is_dev_key(&core, STR("222222222222")));
    assert_false(account_is_dev_key(&core, key));
    assert_int_equal(account_of_key(&core, STR("222222222222"), &a, &id, &secret), ERR_OK);
    assert_true(str_eq_c(secret, "test"));
    assert_int_equal(account_of_key(&core, STR(OWN), &a, &id, &secret), ERR_OK);
    assert_true(str_eq_c(id, OWN));
    assert_int_equal(account_of_key(&core, STR("333333333333"), &a, &id, &secret), ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ids, setup, teardown),
        cmocka_unit_test_setup_teardown(canonical, setup, teardown),
        cmocka_unit_test_setup_teardown(limit, setup, teardown),
        cmocka_unit_test_setup_teardown(keys, setup, teardown),
        cmocka_unit_test_setup_teardown(dev_keys, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
