/* Targets: which row an ARN meets, who may, and what is staged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "auth/policy_cache.h"
#include "core/core.h"
#include "kv/drv_fault/kv_mem.h"

static struct core core;
static struct kv_mem_disk *disk;
static struct {
    const char *kind; /* that staged last */
    char payload[64];
} staged;

/* Every thing but "none" is there. */
static enum err find(void *self, struct txn *txn, struct str arn, struct target_found *ret)
{
    *ret = (struct target_found){.arn = arn, .opened = self};
    if (str_ends(arn, STR("none")))
        return ERR_NOT_FOUND;
    return ERR_OK;
}

/* "open" lets S3 in from bucket b of account 1. */
static enum err resource_policy(void *self, struct txn *txn, struct str arn, struct str *ret_json)
{
    *ret_json = STR_NONE;
    if (str_ends(arn, STR("open")))
        *ret_json = STR(
            "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{"
            "\"Service\":\"s3.amazonaws.com\"},\"Action\":\"q:Send\",\"Resource\":\"*\","
            "\"Condition\":{\"ArnLike\":{\"aws:SourceArn\":\"arn:aws:s3:::b\"},\"StringEquals\":{"
            "\"aws:SourceAccount\":\"000000000001\"}}}]}");
    return ERR_OK;
}

static enum err stage(void *self, struct txn *txn, const struct target *target,
                      const struct target_found *found, const struct target_delivery *d)
{
    assert_ptr_equal(found->opened, self);
    if (d->payload.len >= sizeof(staged.payload))
        return ERR_LIMIT;
    staged.kind = self;
    memcpy(staged.payload, d->payload.p, d->payload.len);
    staged.payload[d->payload.len] = '\0';
    return ERR_OK;
}

/* An outside target: what it is asked, and that it did not know who asked. */
static enum err request(void *self, struct txn *txn, const struct target_found *found,
                        const struct target_delivery *d, struct target_request *ret)
{
    assert_ptr_equal(found->opened, self);
    *ret = (struct target_request){
        .method = STR("POST"), .url = found->arn, .body = d->payload, .per_second = 1};
    return str_eq_c(d->payload, "later") ? ERR_SUSPENDED : ERR_OK;
}

static int unknown_times;

static enum err unknown(void *self, struct txn *txn, const struct target_found *found)
{
    unknown_times++;
    return ERR_OK;
}

#define KIND(service_, type_, name_, action_)                                                      \
    {                                                                                              \
        .service = service_, .type = type_, .name = name_, .action = action_, .find = find,        \
        .stage = stage                                                                             \
    }
static const struct target_kind queues[] = {
    KIND("q", NULL, "queue", "q:Send"),
    {.service = "q",
     .type = "outside",
     .name = "outside",
     .action = "q:Send",
     .find = find,
     .request = request,
     .unknown = unknown},
};
static const struct target_kind groups[] = {KIND("g", "group", "group", "g:Put"),
                                            KIND("g", "bus", "bus", "g:Put")};
static const struct wire_service q_wire = {.arn = STR_INIT("q")}, g_wire = {.arn = STR_INIT("g")};
static const struct svc_def q_def = {
    .wire = &q_wire, .targets = queues, .n_targets = 2, .resource_policy = resource_policy};
static const struct svc_def g_def = {.wire = &g_wire, .targets = groups, .n_targets = 2};
static struct svc svcs[] = {{&q_def, "q"}, {&g_def, "g"}};

static int setup(void **state)
{
    core = (struct core){
        .cfg = {.account = STR("000000000001"), .region = STR("r"), .partition = STR("aws")},
        .svcs = svcs,
        .n_svcs = 2};
    disk = kv_mem_disk_new();
    core.policies = policy_cache_new();
    return core.policies && kv_mem_open(disk, false, &core.kv) == ERR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    kv_close(core.kv);
    kv_mem_disk_free(disk);
    policy_cache_free(core.policies);
    return 0;
}

static void test_kinds(void **state)
{
    static const struct {
        const char *arn, *name;
    } rows[] = {
        {"arn:aws:q:r:000000000001:name", "queue"},
        {"arn:aws:q:r:000000000001:other:name", NULL}, /* a type that queues do not have */
        {"arn:aws:g:r:000000000001:group:name", "group"},
        {"arn:aws:g:r:000000000001:bus/name", "bus"},
        {"arn:aws:g:r:000000000001:name", NULL},
        {"arn:aws:x:r:000000000001:name", NULL},
        {"arn:aws:q:r:000000000001:", NULL},
        {"arn:aws:q:r:1", NULL},
        {"arn::q:r:000000000001:name", NULL},
        {"urn:aws:q:r:000000000001:name", NULL},
        {"https://h/1/arn:aws:q:r:000000000001:name", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct target_kind *kind = target_kind_of(&core, str_c(rows[i].arn));
        if (!kind != !rows[i].name || (kind && strcmp(kind->name, rows[i].name) != 0))
            fail_msg("%s: %s", rows[i].arn, kind ? kind->name : "none");
    }
    assert_true(target_is(&core, STR("arn:aws:q:r:000000000001:name"), "queue"));
    assert_false(target_is(&core, STR("arn:aws:q:r:000000000001:name"), "group"));
    assert_false(target_is(&core, STR("name"), "queue"));
}

#define OUTSIDE "arn:aws:q:r:000000000001:outside/"

static enum err outside_body(struct txn *txn, void *arg)
{
    const struct target vouched = {.arn = STR(OUTSIDE "open")};
    const struct target denied = {.arn = STR(OUTSIDE "closed"), .service = STR("s3.amazonaws.com")};
    const struct target queue = {.arn = STR("arn:aws:q:r:000000000001:open")};
    struct target_delivery d = {.payload = STR("what")};
    struct target_request r, copy;
    assert_int_equal(target_stage(txn, &vouched, &d), ERR_UNSUPPORTED);
    assert_int_equal(target_ask(txn, &queue, &d, &r), ERR_UNSUPPORTED);
    assert_int_equal(target_ask(txn, &denied, &d, &r), ERR_DENIED);
    assert_int_equal(target_ask(txn, &vouched, &d, &r), ERR_OK);
    assert_true(str_eq_c(r.url, OUTSIDE "open") && str_eq_c(r.body, "what"));
    assert_int_equal(target_request_dup(txn->arena, &r, &copy), ERR_OK);
    assert_true(str_eq(copy.url, r.url) && copy.url.p != r.url.p && copy.n_headers == 0);
    d.payload = STR("later");
    assert_int_equal(target_ask(txn, &vouched, &d, &r), ERR_SUSPENDED);
    assert_int_equal(target_unknown(txn, vouched.arn), ERR_OK);
    assert_int_equal(unknown_times, 1);
    assert_int_equal(target_unknown(txn, queue.arn), ERR_OK);
    assert_int_equal(target_unknown(txn, STR(OUTSIDE "none")), ERR_OK);
    assert_int_equal(target_unknown(txn, STR("nothing")), ERR_OK);
    assert_int_equal(unknown_times, 1);
    return ERR_OK;
}

/* Those that are asked over HTTP are no targets for who stages. */
static void test_outside(void **state)
{
    assert_null(target_kind_of(&core, STR(OUTSIDE "open")));
    assert_non_null(target_outside(&core, STR(OUTSIDE "open")));
    assert_null(target_outside(&core, STR("arn:aws:q:r:000000000001:open")));
    assert_int_equal(txn_run_now(&core, outside_body, NULL), ERR_OK);
}

struct row {
    const char *name;
    struct target target;
    enum err err;
};

static enum err row_body(struct txn *txn, void *arg)
{
    const struct row *row = arg;
    struct target_delivery d = {.payload = str_c(row->name)};
    staged.kind = NULL;
    enum err err = target_check(txn, &row->target);
    if (err != row->err)
        fail_msg("%s: %s", row->name, err_name(err));
    assert_null(staged.kind);
    assert_int_equal(target_stage(txn, &row->target, &d), row->err);
    assert_int_equal(target_fault(err), err != ERR_OK);
    if (err == ERR_OK)
        assert_string_equal(staged.payload, row->name);
    else
        assert_null(staged.kind);
    return ERR_OK;
}

#define S3 STR_INIT("s3.amazonaws.com")
#define B STR_INIT("arn:aws:s3:::b")

static void test_permissions(void **state)
{
    static const struct row rows[] = {
        {"nobody's errand", {.arn = STR_INIT("arn:aws:q:r:000000000001:closed")}, ERR_OK},
        {"not there", {.arn = STR_INIT("arn:aws:q:r:000000000001:none")}, ERR_NOT_FOUND},
        {"no kind", {.arn = STR_INIT("arn:aws:x:r:000000000001:q")}, ERR_UNSUPPORTED},
        {"no policy",
         {STR_INIT("arn:aws:q:r:000000000001:closed"), S3, B, STR_INIT("000000000001"), {0}, false},
         ERR_DENIED},
        {"allowed",
         {STR_INIT("arn:aws:q:r:000000000001:open"), S3, B, STR_INIT("000000000001"), {0}, false},
         ERR_OK},
        {"other source",
         {STR_INIT("arn:aws:q:r:000000000001:open"),
          S3,
          STR_INIT("arn:aws:s3:::c"),
          STR_INIT("000000000001"),
          {0},
          false},
         ERR_DENIED},
        {"other account",
         {STR_INIT("arn:aws:q:r:000000000001:open"), S3, B, STR_INIT("000000000002"), {0}, false},
         ERR_DENIED},
        {"other service",
         {STR_INIT("arn:aws:q:r:000000000001:open"),
          STR_INIT("sns.amazonaws.com"),
          B,
          STR_INIT("000000000001"),
          {0},
          false},
         ERR_DENIED},
        {"other action",
         {STR_INIT("arn:aws:g:r:000000000001:bus/open"),
          S3,
          B,
          STR_INIT("000000000001"),
          {0},
          false},
         ERR_DENIED},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(txn_run_now(&core, row_body, (void *)(uintptr_t)&rows[i]), ERR_OK);
}

static enum err large_body(struct txn *txn, void *arg)
{
    char text[100] = {0};
    return target_stage(txn, &(struct target){.arn = STR("arn:aws:q:r:000000000001:q")},
                        &(struct target_delivery){.payload = str_n(text, sizeof(text))});
}

static void test_large(void **state)
{
    assert_int_equal(txn_run_now(&core, large_body, NULL), ERR_LIMIT);
    assert_true(target_fault(ERR_LIMIT));
    assert_false(target_fault(ERR_OK) || target_fault(ERR_IO) || target_fault(ERR_CONFLICT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kinds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_outside, setup, teardown),
        cmocka_unit_test_setup_teardown(test_permissions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
