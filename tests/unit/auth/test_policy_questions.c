/* Questions to the evaluator, each with the rule that its answer comes from: tests/data/policy. Some
 * of them are put to the server, too (tests/compat/test_policy.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "auth/policy.h"
#include "codec/json.h"
#include "help_auth.h"

enum { ARENA_BYTES = 16 * 1024 * 1024, QUESTIONS_MIN = 300 };

static const char *const wants[] = {
    [POLICY_IMPLICIT_DENY] = "none", [POLICY_EXPLICIT_DENY] = "deny", [POLICY_ALLOW] = "allow"};

static struct str get(const struct json *v, const char *key)
{
    return json_get_str(v, str_c(key));
}

static struct policy_principal principal_of(const struct json *ids, struct str who)
{
    struct str account = get(ids, "account"), other = get(ids, "other");
    if (str_eq_c(who, "anonymous"))
        return (struct policy_principal){.kind = POLICY_ANONYMOUS};
    if (str_eq_c(who, "service"))
        return (struct policy_principal){.kind = POLICY_SERVICE,
                                         .service = STR("s3.amazonaws.com")};
    if (str_eq_c(who, "root"))
        return (struct policy_principal){.kind = POLICY_ROOT, .account = account};
    if (str_eq_c(who, "stranger-root"))
        return (struct policy_principal){.kind = POLICY_ROOT, .account = other};
    if (str_eq_c(who, "stranger"))
        return (struct policy_principal){.kind = POLICY_USER,
                                         .account = other,
                                         .arn = STR("arn:aws:iam::444455556666:user/eve"),
                                         .id = STR("AIDAEVEEVEEVEEVEEVE2")};
    if (str_eq_c(who, "session"))
        return (struct policy_principal){.kind = POLICY_SESSION,
                                         .account = account,
                                         .arn = get(ids, "session"),
                                         .role_arn = get(ids, "role"),
                                         .id = STR("AROARRRRRRRRRRRRRRR2:se")};
    assert_true(str_eq_c(who, "user"));
    return (struct policy_principal){.kind = POLICY_USER,
                                     .account = account,
                                     .arn = get(ids, "user"),
                                     .id = get(ids, "user_id")};
}

/* The policy that a question has under `key`; *ret_refused when it is none. */
static const struct policy *policy_of(struct arena *a, const struct json *q, const char *key,
                                      enum policy_kind kind, bool *ret_refused)
{
    const struct json *statements = json_get(q, str_c(key));
    struct str version = get(q, "version");
    struct policy *policy;
    if (!statements)
        return NULL;
    struct str doc = str_fmt(a, "{\"Version\":\"" STR_FMT "\",\"Statement\":" STR_FMT "}",
                             STR_ARG(str_is_set(version) ? version : STR("2012-10-17")),
                             STR_ARG(statements->raw));
    enum err err = policy_parse(a, kind, doc, NULL, &policy);
    if (err == ERR_OK)
        return policy;
    assert_int_equal(err, ERR_INVALID);
    *ret_refused = true;
    return NULL;
}

static void add_keys(struct policy_context *ctx, const struct json *keys)
{
    JSON_EACH (keys, k) {
        if (k->kind == JSON_STRING)
            policy_context_add(ctx, k->key, k->text);
        JSON_EACH (k, it)
            policy_context_add(ctx, k->key, it->text);
    }
}

static const char *answer(struct arena *a, const struct json *ids, const struct json *q)
{
    struct policy_context ctx;
    bool refused = false;
    policy_context_init(&ctx, a);
    add_keys(&ctx, json_get(q, STR("keys")));
    const struct policy *identity = policy_of(a, q, "identity", POLICY_IDENTITY, &refused);
    const struct policy *session = policy_of(a, q, "session", POLICY_IDENTITY, &refused);
    const struct policy *trust = policy_of(a, q, "trust", POLICY_TRUST, &refused);
    struct policy_request req = {
        .who = principal_of(ids, get(q, "who")),
        .action = get(q, "action"),
        .resource = get(q, "at"),
        .resource_account = get(ids, "account"),
        .ctx = &ctx,
        .identity = &identity,
        .n_identity = identity != NULL,
        .boundary = policy_of(a, q, "boundary", POLICY_IDENTITY, &refused),
        .session = &session,
        .n_session = session != NULL,
        .resource_policy = trust ? trust : policy_of(a, q, "resource", POLICY_RESOURCE, &refused),
        .resource_must_allow = trust != NULL,
    };
    return refused ? "refused" : wants[policy_decide(&req)];
}

static void test_questions(void **state)
{
    struct arena a, one;
    struct json *all;
    size_t n = 0, wrong = 0;
    (void)state;
    arena_init(&a, ARENA_BYTES);
    struct str text = help_read_file(&a, SOURCE_DIR "/tests/data/policy/questions.json");
    assert_true(str_is_set(text));
    assert_int_equal(json_parse(&a, text, &all, NULL), ERR_OK);
    JSON_EACH (json_get(all, STR("questions")), q) {
        arena_init(&one, ARENA_BYTES);
        const char *got = answer(&one, json_get(all, STR("ids")), q);
        if (!str_eq_c(get(q, "want"), got)) {
            fprintf(stderr, STR_FMT ": " STR_FMT ": want " STR_FMT ", got %s\n",
                    STR_ARG(get(q, "rule")), STR_ARG(get(q, "name")), STR_ARG(get(q, "want")), got);
            wrong++;
        }
        n++;
        arena_release(&one);
    }
    arena_release(&a);
    assert_int_equal(wrong, 0);
    assert_true(n >= QUESTIONS_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_questions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
