/* Targets by ARN; see target.h. Layer: core. */
#include "core/target.h"

#include <assert.h>

#include "base/arn.h"
#include "core/core.h"

/* The service whose row matches, and the row. */
static const struct svc *kind_of(const struct core *core, struct str arn,
                                 const struct target_kind **ret_kind)
{
    struct arn parts;
    if (arn_parse(arn, &parts) != ERR_OK)
        return NULL;
    struct str type = str_is_set(arn_segment(&parts, 1)) ? arn_segment(&parts, 0) : STR_NONE;
    for (size_t i = 0; i < core->n_svcs; i++) {
        const struct svc *svc = &core->svcs[i];
        for (size_t k = 0; k < svc->def->n_targets; k++) {
            const struct target_kind *kind = &svc->def->targets[k];
            if (!str_eq_c(parts.service, kind->service) ||
                (kind->type ? !str_eq_c(type, kind->type) : str_is_set(type)))
                continue;
            *ret_kind = kind;
            return svc;
        }
    }
    return NULL;
}

const struct target_kind *target_kind_of(struct core *core, struct str arn)
{
    const struct target_kind *kind = NULL;
    return kind_of(core, arn, &kind) ? kind : NULL;
}

bool target_is(struct core *core, struct str arn, const char *name)
{
    const struct target_kind *kind = target_kind_of(core, arn);
    return kind && strcmp(kind->name, name) == 0;
}

static enum err permitted(struct txn *txn, const struct target *t, const struct target_kind *kind,
                          const struct target_found *found)
{
    assert(str_is_set(found->arn) && kind->action); /* nothing unnamed is permitted */
    if (str_is_set(t->role))
        return core_role_allowed(txn, t->role, t->service, kind->action, found->arn);
    if (!str_is_set(t->service))
        return ERR_OK;
    return core_service_allowed(txn, t->service, kind->action, found->arn, t->source_arn,
                                t->source_account);
}

static enum err find_permitted(struct txn *txn, const struct target *t,
                               const struct target_kind **ret_kind, void **ret_self,
                               struct target_found *found)
{
    const struct svc *svc = kind_of(txn->core, t->arn, ret_kind);
    if (!svc)
        return ERR_UNSUPPORTED;
    TRY((*ret_kind)->find(svc->self, txn, t->arn, found));
    assert(str_is_set(found->arn));
    *ret_self = svc->self;
    return permitted(txn, t, *ret_kind, found);
}

enum err target_check(struct txn *txn, const struct target *t)
{
    const struct target_kind *kind;
    struct target_found found = {0};
    void *self;
    return find_permitted(txn, t, &kind, &self, &found);
}

enum err target_stage(struct txn *txn, const struct target *t, const struct target_delivery *d)
{
    const struct target_kind *kind;
    struct target_found found = {0};
    void *self;
    assert(str_is_set(d->payload));
    TRY(find_permitted(txn, t, &kind, &self, &found));
    assert(txn->kv && kind->stage);
    return kind->stage(self, txn, t, &found, d);
}

bool target_fault(enum err err)
{
    return err == ERR_NOT_FOUND || err == ERR_DENIED || err == ERR_LIMIT || err == ERR_INVALID ||
           err == ERR_UNSUPPORTED;
}
