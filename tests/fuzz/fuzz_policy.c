// link: weir_auth
/* Policy documents of every kind, evaluated against a fixed request when they parse. */
#include <stdint.h>
#include <stdlib.h>

#include "auth/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 64 * 1024 * 1024 };

static void decide(struct arena *a, const struct policy *policy, enum policy_kind kind)
{
    struct policy_context ctx;
    policy_context_init(&ctx, a);
    policy_context_add(&ctx, STR("aws:username"), STR("bob*"));
    policy_context_add(&ctx, STR("aws:SourceIp"), STR("10.1.2.3"));
    policy_context_add(&ctx, STR("aws:CurrentTime"), STR("2026-01-02T03:04:05Z"));
    policy_context_add(&ctx, STR("aws:SecureTransport"), STR("false"));
    policy_context_add(&ctx, STR("s3:max-keys"), STR("10"));
    policy_context_add(&ctx, STR("aws:SourceArn"), STR("arn:aws:s3:::bucket"));
    policy_context_add(&ctx, STR("aws:TagKeys"), STR("a"));
    policy_context_add(&ctx, STR("aws:TagKeys"), STR("b"));
    struct policy_request req = {
        .who = {.kind = POLICY_USER,
                .account = STR("111122223333"),
                .arn = STR("arn:aws:iam::111122223333:user/bob")},
        .action = STR("s3:GetObject"),
        .resource = STR("arn:aws:s3:::bucket/bob/key"),
        .resource_account = STR("111122223333"),
        .ctx = &ctx,
        .identity = &policy,
        .n_identity = kind == POLICY_IDENTITY,
        .resource_policy = kind == POLICY_IDENTITY ? NULL : policy,
        .resource_must_allow = kind == POLICY_TRUST,
    };
    enum policy_decision first = policy_decide(&req);
    if (policy_decide(&req) != first)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int kind = POLICY_IDENTITY; kind <= POLICY_TRUST; kind++) {
        struct arena a;
        struct policy *policy;
        const char *why = NULL;
        arena_init(&a, ARENA_BYTES);
        enum err e = policy_parse(&a, kind, str_n((const char *)data, size), &why, &policy);
        if (e == ERR_OK)
            decide(&a, policy, kind);
        else if (e != ERR_NOMEM && !why)
            abort();
        why = NULL;
        if (policy_check_identity(&a, str_n((const char *)data, size), &why) == ERR_INVALID && !why)
            abort();
        arena_release(&a);
    }
    return 0;
}
