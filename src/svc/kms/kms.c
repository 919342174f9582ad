/* The service as a whole. See README.md. */
#include "svc/kms/kms.h"

#include "base/mem.h"
#include "svc/kms/kms_int.h"

static void release(void *self)
{
    struct kms *kms = self;
    if (!kms)
        return;
    kms_cache_release(&kms->cache);
    mem_free(kms);
}

static enum err make(struct core *core, void **ret_self)
{
    struct kms *kms = mem_calloc(1, sizeof(*kms));
    if (!kms)
        return ERR_NOMEM;
    kms->core = core;
    kms_port_fill(kms);
    kms_cache_init(&kms->cache);
    enum err err = kms_due_register(kms);
    if (err) {
        release(kms);
        return err;
    }
    *ret_self = kms;
    return ERR_OK;
}

static const void *port(void *self)
{
    struct kms *kms = self;
    return &kms->port;
}

const struct svc_def kms_def = {
    .wire = &kms_service,
    .make = make,
    .release = release,
    .port = port,
    .resource_policy = kms_resource_policy,
    .policy_rules = true,
    .grants = kms_grants_allow,
    .real_resource = kms_real_resource,
    .auth_context = kms_auth_context,
    .owner = kms_owner,
    .resource_mark = "kms:",
    .resource_keys = kms_resource_keys,
    .authorize_more = kms_authorize_more,
    .tags = &kms_tags,
};
