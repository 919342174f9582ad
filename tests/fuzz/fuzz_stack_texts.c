/* What users hand stacks beside templates: addresses of templates, and policies. No crash; an address that is taken has a
 * bucket and a key; a policy that is taken decides, and whatever it is, Deny of everything put before it wins. */
// link: weir_svc_cloudformation
#include <stdint.h>
#include <stdlib.h>

#include "svc/cloudformation/cloudformation_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void address(struct arena *a, struct str text)
{
    static struct core core = {.cfg.endpoint = STR("http://weir.test:4566")};
    struct cfn_url url = {{0}, {0}, {0}};
    enum err err = cfn_url_parse(a, &core, text, &url);
    if (err == ERR_OK && (str_empty(url.bucket) || !str_is_set(url.key)))
        abort();
    if (err != ERR_OK && err != ERR_INVALID && err != ERR_NOMEM)
        abort();
}

static enum err decide(struct arena *a, struct str policy, const char *action)
{
    struct str why = STR_NONE;
    const struct cfn_stack s = {.status = CFN_UPDATE_IN_PROGRESS, .policy = policy};
    enum err err = cfn_policy_allows(a, &s, action, STR("Queue"), STR("AWS::SQS::Queue"), &why);
    if (err == ERR_INVALID && str_empty(why))
        abort();
    if (err != ERR_OK && err != ERR_INVALID && err != ERR_NOMEM)
        abort();
    return err;
}

static void policy(struct arena *a, struct str text)
{
    const struct json *p;
    if (str_empty(text) || cfn_policy_read(a, text, &p) != ERR_OK)
        return;
    (void)!decide(a, text, "Update:Modify");
    (void)!decide(a, text, "Update:Replace");
    struct str list = cfn_json_text(a, json_get(p, STR("Statement")));
    struct str closed = str_fmt(a,
                                "{\"Statement\":[{\"Effect\":\"Deny\",\"Action\":\"Update:*\","
                                "\"Principal\":\"*\",\"Resource\":\"*\"}," STR_FMT "}",
                                STR_ARG(str_sub(list, 1, SIZE_MAX)));
    if (str_is_set(list) && str_is_set(closed) && decide(a, closed, "Update:Delete") == ERR_OK)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size);
    struct arena a;
    arena_init(&a, 16 * 1024 * 1024);
    address(&a, text);
    policy(&a, text);
    arena_release(&a);
    return 0;
}
