/* Identities from store to memory to principals: records, refresh after commit, tokens, and what
 * happens when the store lies or fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "codec/base64.h"
#include "core/call_int.h"
#include "core/observe.h"
#include "io/io.h"
#include "kv/drv_fault/kv_fault.h"
#include "kv/drv_fault/kv_mem.h"
#include "svc/iam/iam_used.h"

#define ACCOUNT "000000000000"
#define ALLOW "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"}}"
#define TRUST                                                                                      \
    "{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"lambda.amazonaws.com\"},"   \
    "\"Action\":\"sts:AssumeRole\"}}"
#define ROLE_ARN "arn:aws:iam::" ACCOUNT ":role/path/r"

struct fixture {
    struct kv_mem_disk *disk;
    struct core core;
    struct core_impl impl;
    struct io_loop *loop; /* which nothing runs on */
    struct iam *iam;
    struct identity_port id;
    struct iam_port port;
    struct arena a, keep; /* of one process; of the test */
    /* For the bodies of transactions. */
    struct iam_entity entity;
    bool remove;
    size_t bytes_left;
};

static void make(struct fixture *f)
{
    void *self;
    assert_int_equal(iam_def.make(&f->core, &self), ERR_OK);
    f->iam = self;
}

static void start(struct fixture *f)
{
    struct kv *mem;
    assert_int_equal(kv_mem_open(f->disk, false, &mem), ERR_OK);
    assert_int_equal(kv_fault_wrap(mem, &f->core.kv), ERR_OK);
    f->core.loops = &f->loop;
    f->core.n_loops = 1;
    f->impl = (struct core_impl){0};
    f->core.impl = &f->impl;
    f->core.cfg.account = STR(ACCOUNT);
    f->core.cfg.partition = STR("aws");
    f->core.cfg.root_access_key = STR("AKIAROOTROOTROOTROOT");
    f->core.cfg.root_secret = STR("rootsecret");
    make(f);
    assert_int_equal(iam_def.start(f->iam), ERR_OK);
    iam_def.identity(f->iam, &f->id);
    f->port = f->iam->port;
}

static void stop(struct fixture *f)
{
    arena_release(&f->a); /* what it holds is the service's */
    arena_init(&f->a, 16 << 20);
    iam_def.release(f->iam);
    kv_close(f->core.kv);
}

static int setup(void **state)
{
    struct fixture *f = mem_calloc(1, sizeof(*f));
    assert_non_null(f);
    f->disk = kv_mem_disk_new();
    assert_non_null(f->disk);
    assert_int_equal(io_loop_new(0, &f->loop), ERR_OK);
    arena_init(&f->a, 16 << 20);
    arena_init(&f->keep, 16 << 20);
    start(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    stop(f);
    arena_release(&f->keep);
    kv_mem_disk_free(f->disk);
    io_loop_free(f->loop);
    mem_free(f);
    return 0;
}

static enum err change(struct txn *txn, void *arg)
{
    struct fixture *f = arg;
    return f->remove ? iam_entity_remove(f->iam, txn, &f->entity)
                     : iam_entity_store(f->iam, txn, &f->entity);
}

static void commit(struct fixture *f, bool remove)
{
    f->remove = remove;
    assert_int_equal(txn_run_now(&f->core, change, f), ERR_OK);
}

static void make_role(struct fixture *f)
{
    f->entity = (struct iam_entity){.kind = IAM_ROLE,
                                    .account = STR(ACCOUNT),
                                    .name = STR("r"),
                                    .path = STR("/path/"),
                                    .id = STR("AROAEXAMPLE"),
                                    .max_session_s = 3600,
                                    .trust = STR(TRUST)};
    f->entity.inlines[0] = (struct iam_inline){STR("p"), STR(ALLOW)};
    f->entity.n_inlines = 1;
    f->entity.tags.v[0] = (struct tag){STR("team"), STR("red")};
    f->entity.tags.n = 1;
    commit(f, false);
}

static void make_user(struct fixture *f)
{
    f->entity = (struct iam_entity){.kind = IAM_USER,
                                    .account = STR(ACCOUNT),
                                    .name = STR("Bob"),
                                    .path = STR("/"),
                                    .id = STR("AIDAEXAMPLE")};
    f->entity.attached[0] = STR("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess");
    f->entity.attached[1] = STR("arn:aws:iam::" ACCOUNT ":policy/gone");
    f->entity.n_attached = 2;
    f->entity.keys[0] = (struct iam_access){STR("AKIABOBBOBBOBBOBBOBB"), STR("s1"), true, 1};
    f->entity.keys[1] = (struct iam_access){STR("AKIABOBBOBBOBBOBBOB2"), STR("s2"), false, 2};
    f->entity.n_keys = 2;
    commit(f, false);
}

static enum err secret_of(struct fixture *f, const char *key, const char *token, struct str *ret)
{
    struct credential c;
    TRY(f->id.credential(f->id.self, str_c(key), str_c(token), &f->a, &c));
    *ret = c.secret;
    return ERR_OK;
}

static void test_keys(void **state)
{
    struct fixture *f = *state;
    struct str secret;
    make_user(f);
    assert_int_equal(secret_of(f, "AKIAROOTROOTROOTROOT", NULL, &secret), ERR_OK);
    assert_true(str_eq_c(secret, "rootsecret"));
    assert_int_equal(secret_of(f, "AKIABOBBOBBOBBOBBOBB", NULL, &secret), ERR_OK);
    assert_true(str_eq_c(secret, "s1"));
    assert_int_equal(secret_of(f, "AKIABOBBOBBOBBOBBOB2", NULL, &secret), ERR_DENIED);
    assert_int_equal(secret_of(f, "AKIANOBODY", NULL, &secret), ERR_NOT_FOUND);
    assert_int_equal(secret_of(f, "", NULL, &secret), ERR_NOT_FOUND);
    assert_int_equal(secret_of(f, "test", NULL, &secret), ERR_NOT_FOUND);
    f->core.cfg.dev_key = true;
    assert_int_equal(secret_of(f, "test", NULL, &secret), ERR_OK);
    /* A key that is taken away is unknown at once; also after a restart. */
    f->entity.n_keys = 1;
    commit(f, false);
    assert_int_equal(secret_of(f, "AKIABOBBOBBOBBOBBOB2", NULL, &secret), ERR_NOT_FOUND);
    stop(f);
    start(f);
    assert_int_equal(secret_of(f, "AKIABOBBOBBOBBOBBOBB", NULL, &secret), ERR_OK);
    commit(f, true);
    assert_int_equal(secret_of(f, "AKIABOBBOBBOBBOBBOBB", NULL, &secret), ERR_NOT_FOUND);
}

static void test_user_principal(void **state)
{
    struct fixture *f = *state;
    struct principal who;
    make_user(f);
    assert_int_equal(
        f->id.principal(f->id.self, STR("AKIABOBBOBBOBBOBBOBB"), STR_NONE, &f->a, &who), ERR_OK);
    assert_int_equal(who.kind, PRINCIPAL_USER);
    assert_true(str_eq_c(who.arn, "arn:aws:iam::" ACCOUNT ":user/Bob"));
    /* In the place of a policy that is gone stands one that denies everything: it may have denied.
     */
    assert_int_equal(who.n_identity_policies, 2);
    assert_null(who.boundary);
    /* A boundary that is gone allows nothing. */
    f->entity.boundary = STR("arn:aws:iam::" ACCOUNT ":policy/gone");
    commit(f, false);
    /* The old principal keeps what it had. */
    assert_int_equal(who.n_identity_policies, 2);
    assert_int_equal(
        f->id.principal(f->id.self, STR("AKIABOBBOBBOBBOBBOBB"), STR_NONE, &f->a, &who), ERR_OK);
    assert_non_null(who.boundary);
    assert_int_equal(
        f->id.principal(f->id.self, STR("AKIAROOTROOTROOTROOT"), STR_NONE, &f->a, &who), ERR_OK);
    assert_int_equal(who.kind, PRINCIPAL_ROOT);
}

#define ROLE_ID "AROAEXAMPLEEXAMPLE23"

struct naming {
    struct fixture *f;
    struct str text;
    bool taken_away; /* by somebody else, in the meantime */
};

static enum err name_role(struct txn *txn, void *arg)
{
    struct naming *n = arg;
    struct str id;
    enum err err = n->f->id.id_of_arn(n->f->id.self, txn, n->text, &id);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_DENIED : err;
    assert_true(str_eq(id, n->text));
    if (!n->taken_away)
        commit(n->f, n->taken_away = true);
    return txn_put(txn, STR("~named"), id);
}

/* An id is read tracked as an ARN is: whose role goes meanwhile is told that nobody has it. */
static void test_ids_are_tracked(void **state)
{
    struct fixture *f = *state;
    struct naming n = {f, STR(ROLE_ID ":se"), false};
    make_role(f);
    commit(f, true);
    f->entity.id = STR(ROLE_ID);
    commit(f, false);
    assert_int_equal(txn_run_now(&f->core, name_role, &n), ERR_DENIED);
    assert_true(n.taken_away);
}

struct minted {
    struct str key, secret, token;
    int64_t expires_ms;
};

static struct minted assume(struct fixture *f, const char *session_name)
{
    struct minted m;
    assert_int_equal(f->id.assume_for_service(f->id.self, STR(ROLE_ARN),
                                              STR("lambda.amazonaws.com"), str_c(session_name), 900,
                                              &f->a, &m.key, &m.secret, &m.token, &m.expires_ms),
                     ERR_OK);
    return m;
}

static enum err who_is(struct fixture *f, struct str key, struct str token, struct principal *who)
{
    struct credential c;
    TRY(f->id.credential(f->id.self, key, token, &f->a, &c));
    return f->id.principal(f->id.self, key, token, &f->a, who);
}

/* What an account has is its own: the same names are others in each. */
static void test_accounts(void **state)
{
    struct fixture *f = *state;
    struct principal who = {0};
    make_user(f);
    f->entity.account = STR("222222222222");
    f->entity.id = STR("AIDAOTHER");
    f->entity.keys[0].id = STR("AKIAOTHEROTHEROTHERO");
    f->entity.n_keys = 1;
    commit(f, false);
    assert_int_equal(who_is(f, STR("AKIAOTHEROTHEROTHERO"), STR_NONE, &who), ERR_OK);
    assert_true(str_eq_c(who.account, "222222222222"));
    assert_true(str_eq_c(who.arn, "arn:aws:iam::222222222222:user/Bob"));
    assert_int_equal(who_is(f, STR("AKIABOBBOBBOBBOBBOBB"), STR_NONE, &who), ERR_OK);
    assert_true(str_eq_c(who.arn, "arn:aws:iam::" ACCOUNT ":user/Bob"));
}

static void test_service_roles(void **state)
{
    struct fixture *f = *state;
    struct minted m;
    make_role(f);
    struct txn txn = {.arena = &f->a};
    assert_int_equal(
        f->id.role_trusts(f->id.self, &txn, STR(ROLE_ARN), STR("lambda.amazonaws.com")), ERR_OK);
    assert_int_equal(
        f->id.role_trusts(f->id.self, &txn, STR(ROLE_ARN), STR("events.amazonaws.com")),
        ERR_DENIED);
    assert_int_equal(f->id.role_trusts(f->id.self, &txn, STR("arn:aws:iam::" ACCOUNT ":role/r"),
                                       STR("lambda.amazonaws.com")),
                     ERR_NOT_FOUND);
    assert_int_equal(f->id.assume_for_service(f->id.self, STR(ROLE_ARN), STR("s3.amazonaws.com"),
                                              STR("x"), 900, &f->a, &m.key, &m.secret, &m.token,
                                              &m.expires_ms),
                     ERR_DENIED);
    /* The role's tags by both their names, as for whoever takes it himself. */
    static const struct {
        const char *key;
        enum err err;
    } denies[] = {{"aws:ResourceTag/team", ERR_DENIED},
                  {"iam:ResourceTag/team", ERR_DENIED},
                  {"iam:ResourceTag/other", ERR_OK}};
    for (size_t i = 0; i < ARRAY_LEN(denies); i++) {
        f->entity.trust =
            str_fmt(&f->keep,
                    "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":"
                    "\"lambda.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"},"
                    "{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"sts:AssumeRole\","
                    "\"Condition\":{\"StringEquals\":{\"%s\":\"red\"}}}]}",
                    denies[i].key);
        commit(f, false);
        assert_int_equal(
            f->id.role_trusts(f->id.self, &txn, STR(ROLE_ARN), STR("lambda.amazonaws.com")),
            denies[i].err);
    }
    struct principal who;
    assert_int_equal(f->id.role_principal(f->id.self, STR(ROLE_ARN), STR("x"), &f->a, &who),
                     ERR_OK);
    assert_int_equal(who.n_identity_policies, 1);
    assert_true(str_eq_c(who.role_arn, ROLE_ARN));
}

static void test_tokens(void **state)
{
    struct fixture *f = *state;
    struct principal who;
    make_role(f);
    struct minted m = assume(f, "fn"), other = assume(f, "fn2");
    assert_int_equal(who_is(f, m.key, m.token, &who), ERR_OK);
    assert_int_equal(who.kind, PRINCIPAL_ROLE);
    assert_true(str_eq_c(who.arn, "arn:aws:sts::" ACCOUNT ":assumed-role/r/fn"));
    assert_true(str_eq_c(who.user_id, "AROAEXAMPLE:fn"));
    assert_int_equal(who.n_tags, 1);
    assert_int_equal(m.secret.len, 40);
    assert_false(str_eq(m.secret, other.secret));
    /* Neither another key's token, nor none, nor a changed one. */
    assert_int_equal(who_is(f, m.key, other.token, &who), ERR_INVALID);
    assert_int_equal(who_is(f, m.key, STR_NONE, &who), ERR_INVALID);
    assert_int_equal(who_is(f, m.key, STR(""), &who), ERR_INVALID);
    assert_int_equal(who_is(f, m.key, STR("AAAA"), &who), ERR_INVALID);
    assert_int_equal(who_is(f, m.key, STR("!"), &who), ERR_INVALID);
    struct str bytes;
    assert_int_equal(base64_decode(&f->a, m.token, &bytes), ERR_OK);
    for (size_t i = 0; i < bytes.len; i++) {
        ((char *)bytes.p)[i] ^= 1;
        struct str changed = base64_encode(&f->a, bytes.p, bytes.len);
        assert_int_equal(who_is(f, m.key, changed, &who), ERR_INVALID);
        struct str cut = base64_encode(&f->a, bytes.p, i);
        assert_int_equal(who_is(f, m.key, cut, &who), ERR_INVALID);
        ((char *)bytes.p)[i] ^= 1;
    }
    /* Survives a restart; not the role's end, nor one of the same name. */
    m.key = str_dup(&f->keep, m.key);
    m.token = str_dup(&f->keep, m.token);
    stop(f);
    start(f);
    assert_int_equal(who_is(f, m.key, m.token, &who), ERR_OK);
    commit(f, true);
    assert_int_equal(who_is(f, m.key, m.token, &who), ERR_NOT_FOUND);
    f->entity.id = STR("AROAANOTHER");
    commit(f, false);
    assert_int_equal(who_is(f, m.key, m.token, &who), ERR_NOT_FOUND);
}

static void test_session_contents(void **state)
{
    struct fixture *f = *state;
    make_role(f);
    struct str arns[] = {STR("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"),
                         STR("arn:aws:iam::" ACCOUNT ":policy/gone")};
    struct principal_tag tags[] = {{STR("Team"), STR("blue")}, {STR("x"), STR("")}};
    struct iam_session s = {.kind = PRINCIPAL_ROLE,
                            .id = STR("AROAEXAMPLE"),
                            .session_name = STR("me"),
                            .issued_ms = 1000,
                            .expires_ms = 2000,
                            .policy_json = STR(ALLOW),
                            .policy_arns = arns,
                            .n_policy_arns = 2,
                            .tags = tags,
                            .n_tags = 2,
                            .chained = true};
    struct minted m;
    struct iam_session back;
    struct principal who;
    assert_int_equal(f->port.mint(f->port.self, &s, &f->a, &m.key, &m.secret, &m.token), ERR_OK);
    assert_int_equal(f->port.open_token(f->port.self, m.key, m.token, &f->a, &back), ERR_OK);
    assert_true(str_eq(back.session_name, s.session_name) && back.chained);
    assert_int_equal(back.expires_ms, 2000);
    assert_int_equal(back.n_policy_arns, 2);
    assert_int_equal(who_is(f, m.key, m.token, &who), ERR_OK);
    assert_int_equal(who.n_session_policies, 2); /* the document, and the policy that exists */
    assert_int_equal(who.n_tags, 2);             /* the session's "Team" replaces the role's */
    assert_true(str_eq_c(who.tags[0].value, "blue"));
    /* Limited by policies that are all gone: limited to nothing. */
    s.policy_json = STR_NONE;
    s.policy_arns = &arns[1];
    s.n_policy_arns = 1;
    assert_int_equal(f->port.mint(f->port.self, &s, &f->a, &m.key, &m.secret, &m.token), ERR_OK);
    assert_int_equal(who_is(f, m.key, m.token, &who), ERR_OK);
    assert_int_equal(who.n_session_policies, 1);
    /* Too much for a token. */
    char *big = arena_alloc(&f->a, 40000);
    memset(big, ' ', 40000);
    s.policy_json = str_n(big, 40000);
    assert_int_equal(f->port.mint(f->port.self, &s, &f->a, &m.key, &m.secret, &m.token), ERR_LIMIT);
}

/* A user's record with only its first bytes. */
static enum err damage(struct txn *txn, void *arg)
{
    struct fixture *f = arg;
    struct str key = iam_entity_key(STR(ACCOUNT), txn->arena, IAM_USER, f->entity.name), record;
    TRY(txn_get(txn, key, &record));
    return catalogue_put(f->iam->entities, txn, key, str_sub(record, 0, f->bytes_left));
}

/* IM1: an identity whose record cannot be read is refused, until it can be again. */
static void test_refresh_fails_closed(void **state)
{
    struct fixture *f = *state;
    struct str secret;
    static const struct {
        enum kv_fault_call call;
        uint64_t n;
    } faults[] = {{KV_FAULT_BEGIN, 2}, {KV_FAULT_PEEK, 1}};
    make_user(f);
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) { /* one failure is no reason yet */
        kv_fault_fail(f->core.kv, faults[i].call, faults[i].n, ERR_IO);
        commit(f, false);
        assert_int_equal(secret_of(f, "AKIABOBBOBBOBBOBBOBB", NULL, &secret), ERR_OK);
    }
    for (f->bytes_left = 1; f->bytes_left < 60; f->bytes_left += 7) {
        assert_int_equal(txn_run_now(&f->core, damage, f), ERR_OK);
        for (int i = 0; i < 3; i++)
            assert_int_equal(secret_of(f, "AKIABOBBOBBOBBOBBOBB", NULL, &secret), ERR_NOT_FOUND);
        commit(f, false);
        assert_int_equal(secret_of(f, "AKIABOBBOBBOBBOBBOBB", NULL, &secret), ERR_OK);
    }
    /* All tries of the change fail: the next lookup tries again. */
    for (size_t i = 0; i < ARRAY_LEN(faults); i++)
        kv_fault_fail(f->core.kv, faults[i].call, faults[i].n, ERR_IO);
    kv_fault_cut(f->core.kv, 1, 1);
    commit(f, false);
    assert_int_equal(secret_of(f, "AKIABOBBOBBOBBOBBOBB", NULL, &secret), ERR_OK);
}

static void test_failed_start(void **state)
{
    struct fixture *f = *state;
    make_role(f);
    make_user(f);
    iam_def.release(f->iam);
    for (int call = KV_FAULT_BEGIN; call < KV_FAULT_CALLS; call++) {
        if (call == KV_FAULT_PUT || call == KV_FAULT_DEL || call == KV_FAULT_PEEK)
            continue; /* a second start writes nothing and does not peek */
        make(f);
        kv_fault_fail(f->core.kv, call, 1, ERR_IO);
        assert_int_equal(iam_def.start(f->iam), ERR_IO);
        kv_fault_fail(f->core.kv, call, 0, ERR_OK);
        iam_def.release(f->iam);
    }
    make(f);
    assert_int_equal(iam_def.start(f->iam), ERR_OK);
}

static void test_policies_of_aws_parse(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < iam_n_aws_policies; i++) {
        struct str arn = iam_aws_arn(f->iam, &f->a, &iam_aws_policies[i]);
        assert_ptr_equal(iam_aws_find(f->iam, arn), &iam_aws_policies[i]);
        assert_int_equal(f->port.managed_policy(f->port.self, arn, &f->a), ERR_OK);
        if (i > 0)
            assert_true(strcmp(iam_aws_policies[i - 1].name, iam_aws_policies[i].name) < 0);
    }
    assert_null(iam_aws_find(f->iam, STR("arn:aws:iam::aws:policy/None")));
}

/* A request of this principal's ended. */
static void use(struct fixture *f, enum principal_kind kind, const char *user_id, const char *key)
{
    struct principal who = {
        .kind = kind, .account = STR(ACCOUNT), .user_id = str_c(user_id), .access_key = str_c(key)};
    struct txn txn = {.wall_ms = 1000};
    struct wire_service service = {.signing = STR("sqs")};
    struct call call = {.who = &who, .service = &service, .txn = &txn, .region = STR("us-east-1")};
    const struct core_seen seen = {.call = &call};
    f->impl.observers->fn(f->impl.observers->arg, &seen);
}

static enum err forget_key(struct txn *txn, void *arg)
{
    struct fixture *f = arg;
    return iam_uses_forget(f->iam->uses, txn, STR(ACCOUNT), STR("AKIABOBBOBBOBBOBBOBB"));
}

static enum err forget_role(struct txn *txn, void *arg)
{
    struct fixture *f = arg;
    return iam_uses_forget(f->iam->uses, txn, STR(ACCOUNT), STR("AROAEXAMPLE"));
}

static int64_t used_at(struct fixture *f, const char *id)
{
    struct iam_used used;
    assert_int_equal(iam_uses_of(f->iam->uses, &f->a, str_c(id), &used), ERR_OK);
    return used.at_ms;
}

static void test_uses_go_with_who_was_used(void **state)
{
    struct fixture *f = *state;
    make_user(f);
    make_role(f);
    use(f, PRINCIPAL_USER, "AIDAEXAMPLE", "AKIABOBBOBBOBBOBBOBB");
    use(f, PRINCIPAL_ROLE, "AROAEXAMPLE:s", "ASIAX");
    assert_int_equal(iam_uses_count(f->iam->uses), 2);
    assert_int_equal(used_at(f, "AROAEXAMPLE"), 1000);
    assert_int_equal(txn_run_now(&f->core, forget_role, f), ERR_OK);
    assert_int_equal(used_at(f, "AROAEXAMPLE"), 0);
    assert_int_equal(used_at(f, "AKIABOBBOBBOBBOBBOBB"), 1000);
    kv_fault_fail(f->core.kv, KV_FAULT_COMMIT, 1, ERR_IO);
    assert_int_equal(txn_run_now(&f->core, forget_key, f), ERR_IO);
    kv_fault_fail(f->core.kv, KV_FAULT_COMMIT, 0, ERR_OK);
    assert_int_equal(iam_uses_count(f->iam->uses), 1); /* nothing was deleted */
    assert_int_equal(txn_run_now(&f->core, forget_key, f), ERR_OK);
    assert_int_equal(iam_uses_count(f->iam->uses), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(test_user_principal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_accounts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_service_roles, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ids_are_tracked, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tokens, setup, teardown),
        cmocka_unit_test_setup_teardown(test_session_contents, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refresh_fails_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failed_start, setup, teardown),
        cmocka_unit_test_setup_teardown(test_policies_of_aws_parse, setup, teardown),
        cmocka_unit_test_setup_teardown(test_uses_go_with_who_was_used, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
