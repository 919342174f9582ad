/* Targets by ARN; see target.h. Layer: core. */
#include "core/target.h"

#include <assert.h>

#include "base/arn.h"
#include "base/record.h"
#include "core/core.h"
#include "core/inner.h"

static const struct record_field pair_fields[] = {
    REC_STR(struct target_pair, name),
    REC_STR(struct target_pair, value),
};
const struct record_type target_pair_type = RECORD_TYPE(struct target_pair, 1, pair_fields);

static const struct record_field http_fields[] = {
    REC_LIST(struct target_http, path, n_path, TARGET_HTTP_MAX, &record_str),
    REC_LIST(struct target_http, headers, n_headers, TARGET_HTTP_MAX, &target_pair_type),
    REC_LIST(struct target_http, query, n_query, TARGET_HTTP_MAX, &target_pair_type),
};
const struct record_type target_http_type = RECORD_TYPE(struct target_http, 1, http_fields);

enum err target_request_dup(struct arena *a, const struct target_request *r,
                            struct target_request *ret)
{
    struct target_pair *v = ARENA_ARRAY(a, struct target_pair, r->n_headers + 1);
    *ret = *r;
    ret->method = str_dup(a, r->method);
    ret->url = str_dup(a, r->url);
    ret->body = str_dup(a, r->body);
    ret->headers = v;
    if (!v || !str_is_set(ret->method) || !str_is_set(ret->url) ||
        str_is_set(ret->body) != str_is_set(r->body))
        return ERR_NOMEM;
    for (size_t i = 0; i < r->n_headers; i++) {
        v[i].name = str_dup(a, r->headers[i].name);
        v[i].value = str_dup(a, r->headers[i].value);
        if (!str_is_set(v[i].name) || !str_is_set(v[i].value))
            return ERR_NOMEM;
    }
    return ERR_OK;
}

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
    return kind_of(core, arn, &kind) && kind->stage ? kind : NULL;
}

const struct target_kind *target_outside(struct core *core, struct str arn)
{
    const struct target_kind *kind = NULL;
    return kind_of(core, arn, &kind) && kind->request ? kind : NULL;
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
    if (!str_is_set(t->service)) { /* what is vouched for is the sender's own account's */
        bool own = !str_is_set(t->source_account) || !txn->core->more_accounts ||
                   str_eq(t->source_account, wire_account_in(found->arn));
        return own ? ERR_OK : ERR_DENIED;
    }
    const struct policy *policy;
    TRY(core_resource_policy(txn, found->arn, &policy));
    if (!policy && kind->open_to_owner && t->tells_owner &&
        str_eq(t->source_account, wire_account_in(found->arn)))
        return ERR_OK; /* what the policy that AWS makes it with says */
    const struct principal who = {.kind = PRINCIPAL_SERVICE, .service = t->service};
    struct core_work work = {.who = &who,
                             .resource = found->arn,
                             .source_arn = t->source_arn,
                             .source_account = t->source_account,
                             .source_owner = t->tells_owner ? t->source_account : STR_NONE};
    return core_service_allowed(txn, &work, kind->action);
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
    assert(txn->kv);
    return kind->stage ? kind->stage(self, txn, t, &found, d) : ERR_UNSUPPORTED;
}

enum err target_ask(struct txn *txn, const struct target *t, const struct target_delivery *d,
                    struct target_request *ret)
{
    const struct target_kind *kind;
    struct target_found found = {0};
    void *self;
    *ret = (struct target_request){0};
    TRY(find_permitted(txn, t, &kind, &self, &found));
    TRY(kind->request ? kind->request(self, txn, &found, d, ret) : ERR_UNSUPPORTED);
    assert(str_is_set(ret->method) && str_is_set(ret->url) && ret->per_second > 0);
    return ERR_OK;
}

enum err target_unknown(struct txn *txn, struct str arn)
{
    const struct target_kind *kind;
    struct target_found found = {0};
    const struct svc *svc = kind_of(txn->core, arn, &kind);
    if (!svc || !kind->unknown)
        return ERR_OK;
    enum err err = kind->find(svc->self, txn, arn, &found);
    if (err == ERR_OK)
        err = kind->unknown(svc->self, txn, &found);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err target_principal(struct txn *txn, const struct target *t, struct str own,
                          struct principal *ret_who)
{
    if (str_is_set(t->role)) {
        enum err err = core_role_principal(txn->core, t->role, STR("weir"), txn->arena, ret_who);
        return err == ERR_NOT_FOUND ? ERR_DENIED : err;
    }
    struct str service = str_is_set(t->service) ? t->service : own;
    *ret_who = (struct principal){.kind = PRINCIPAL_SERVICE, .service = service, .arn = service};
    return ERR_OK;
}

bool target_fault(enum err err)
{
    return err == ERR_NOT_FOUND || err == ERR_DENIED || err == ERR_LIMIT || err == ERR_INVALID ||
           err == ERR_UNSUPPORTED;
}
