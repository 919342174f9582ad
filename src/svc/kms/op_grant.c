/* CreateGrant, ListGrants, ListRetirableGrants, RetireGrant, RevokeGrant.
 *
 * Layer: svc. Thread: the call's. */
#include "base/arn.h"
#include "base/rng.h"
#include "codec/hex.h"
#include "svc/kms/kms_int.h"

/* --- CreateGrant ------------------------------------------------------------------------------ */

/* An ARN, or a service's name; as grants keep it. */
static enum err principal(struct call *call, struct str given, struct str *ret_stored)
{
    const char *why = "";
    enum err err = ERR_INVALID;
    if (str_ends(given, STR(".amazonaws.com")) && !arn_is(given)) {
        *ret_stored = given;
        return ERR_OK;
    }
    struct arn arn;
    if (arn_parse(given, &arn) == ERR_OK && arn.account.len > 0 &&
        (str_eq_c(arn.service, "iam") || str_eq_c(arn.service, "sts")))
        err = core_principal_stored(call->txn, given, &why, ret_stored);
    if (err == ERR_INVALID)
        return call_error(call, &kms_err_invalid_arn_exception,
                          "ARN does not refer to a valid principal: " STR_FMT, STR_ARG(given));
    return err;
}

static enum err operations(struct call *call, const struct kms_key *key,
                           const struct kms_grant_operation_list *list, uint64_t *ret_bits)
{
    uint64_t bits = 0, allowed = kms_grantable(key);
    for (size_t i = 0; i < list->n; i++) {
        for (size_t k = 0; k < KMS_GRANT_OPERATIONS; k++) {
            if (!str_eq(list->v[i], kms_grant_operations[k]))
                continue;
            bits |= (uint64_t)1 << k;
        }
    }
    if (bits == 0 || bits & ~allowed)
        return call_error(call, &kms_err_validation,
                          bits ? "The grant has operations that keys of this spec and usage do not "
                                 "have."
                               : "A grant has at least one operation.");
    *ret_bits = bits;
    return ERR_OK;
}

static enum err constraints(struct call *call, const struct kms_key *key,
                            const struct kms_grant_constraints *c, struct kms_grant *g)
{
    if (!c)
        return ERR_OK;
    struct kms_pairs equals = KMS_PAIRS(c->encryption_context_equals);
    struct kms_pairs subset = KMS_PAIRS(c->encryption_context_subset);
    struct kms_pairs pairs = equals.n > 0 ? equals : subset;
    if (equals.n > 0 && subset.n > 0)
        return call_error(call, &kms_err_validation,
                          "A grant has one constraint: EncryptionContextSubset or "
                          "EncryptionContextEquals.");
    if (pairs.n == 0) /* Terraform sends the one that it has not as an empty map */
        return ERR_OK;
    if (key->spec != KMS_SYMMETRIC_DEFAULT || pairs.n > KMS_CONSTRAINT_PAIRS)
        return call_error(call, &kms_err_validation,
                          "Encryption context constraints are for symmetric encryption keys, with "
                          "no more than %d pairs.",
                          KMS_CONSTRAINT_PAIRS);
    TRY(kms_context_check(call, key, pairs));
    g->constraint = equals.n > 0 ? KMS_CONTEXT_EQUALS : KMS_CONTEXT_SUBSET;
    g->pairs = (struct kms_pair *)(uintptr_t)pairs.v;
    g->n_pairs = pairs.n;
    return ERR_OK;
}

struct same {
    struct call *call;
    const struct kms_grant *wanted;
    struct str context; /* of it, in one form */
    struct str id;      /* of the one that is the same; absent: none */
};

static enum err find_same(void *arg, struct str key, struct str record)
{
    struct same *s = arg;
    struct kms_grant g;
    struct str context;
    TRY(txn_work_row(s->call->txn, key, record));
    TRY(kms_grant_parse(s->call->arena, key, record, &g));
    if (!str_is_set(g.name) || !str_eq(g.name, s->wanted->name) ||
        g.operations != s->wanted->operations || g.constraint != s->wanted->constraint ||
        !str_eq(g.retiring, s->wanted->retiring))
        return ERR_OK;
    TRY(kms_context_text(s->call->arena, (struct kms_pairs){g.pairs, g.n_pairs}, &context));
    if (!str_eq(context, s->context))
        return ERR_OK;
    s->id = g.id;
    return ERR_CLOSED;
}

/* A request with a name may be sent again: the grant that it made is the answer. */
static enum err made_before(struct call *call, const struct kms_grant *g, struct str *ret_id)
{
    struct same s = {.call = call, .wanted = g};
    *ret_id = STR_NONE;
    if (!str_is_set(g->name))
        return ERR_OK;
    TRY(kms_context_text(call->arena, (struct kms_pairs){g->pairs, g->n_pairs}, &s.context));
    TRY(txn_each(call->txn,
                 key_range(call->arena, &kms_k_grant, call_scope(call), g->key_id, g->grantee),
                 find_same, &s));
    *ret_id = s.id;
    return ERR_OK;
}

static enum err new_id(struct call *call, struct str *ret_id)
{
    uint8_t bytes[32];
    rng_bytes(bytes, sizeof(bytes));
    *ret_id = hex_encode(call->arena, bytes, sizeof(bytes));
    return str_is_set(*ret_id) ? ERR_OK : ERR_NOMEM;
}

enum err kms_create_grant(struct call *call, const struct kms_create_grant_input *in,
                          struct kms_create_grant_output *out)
{
    struct kms_key key;
    struct kms_grant g = {.name = in->name, .created_ms = call->txn->wall_ms};
    TRY(kms_need(call, in->key_id, KMS_BY_ID, &key));
    TRY(kms_enabled(call, &key));
    TRY(kms_check_tokens(call, &in->grant_tokens));
    g.key_id = key.id;
    TRY(principal(call, in->grantee_principal, &g.grantee));
    if (str_is_set(in->retiring_principal))
        TRY(principal(call, in->retiring_principal, &g.retiring));
    TRY(operations(call, &key, &in->operations, &g.operations));
    TRY(constraints(call, &key, in->constraints, &g));
    TRY(made_before(call, &g, &g.id));
    TRY(kms_dry_run(call, in->dry_run));
    if (!str_is_set(g.id)) {
        if (key.grants >= KMS_GRANTS_MAX)
            return call_error(call, &kms_err_limit_exceeded_exception,
                              "A key can have no more than %d grants.", KMS_GRANTS_MAX);
        key.grants++;
        TRY(new_id(call, &g.id));
        TRY(kms_grant_write(call->txn, key.scope, &g));
        TRY(kms_key_write(call->txn, &key));
    }
    out->grant_id = g.id;
    out->grant_token = kms_grant_token(call, key.id, g.id);
    return str_is_set(out->grant_token) ? ERR_OK : ERR_NOMEM;
}

/* --- lists ------------------------------------------------------------------------------------ */

struct listing {
    struct call *call;
    struct str grant_id; /* absent: all */
    struct kms_grant_list_entry *v;
    size_t n;
};

/* The principal as users name it; an id once nobody has it any more. */
static enum err shown(struct call *call, struct str stored, struct str *ret)
{
    const struct identity_port *id = &call->core->identity;
    *ret = stored;
    if (!policy_is_id(stored))
        return ERR_OK;
    enum err err = id->arn_of_id(id->self, stored, call->arena, ret);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err show_constraints(struct call *call, const struct kms_grant *g,
                                 const struct kms_grant_constraints **ret)
{
    struct kms_grant_constraints *c = ARENA_NEW(call->arena, struct kms_grant_constraints);
    if (!c)
        return ERR_NOMEM;
    struct kms_encryption_context_type *map = g->constraint == KMS_CONTEXT_EQUALS
                                                  ? &c->encryption_context_equals
                                                  : &c->encryption_context_subset;
    map->v = (const void *)g->pairs;
    map->n = g->n_pairs;
    *ret = c;
    return ERR_OK;
}

static enum err show(struct call *call, const struct kms_grant *g, struct kms_grant_list_entry *e)
{
    struct str *ops = ARENA_ARRAY(call->arena, struct str, KMS_GRANT_OPERATIONS);
    if (!ops)
        return ERR_NOMEM;
    e->key_id = kms_arn(call->arena, call->core, call_scope(call), g->key_id);
    e->issuing_account = str_fmt(call->arena, "arn:" STR_FMT ":iam::" STR_FMT ":root",
                                 STR_ARG(call->partition), STR_ARG(call->account));
    if (!str_is_set(e->key_id) || !str_is_set(e->issuing_account))
        return ERR_NOMEM;
    e->grant_id = g->id;
    e->name = str_is_set(g->name) ? g->name : STR("");
    WIRE_SET(e, creation_date, g->created_ms);
    TRY(shown(call, g->grantee, &e->grantee_principal));
    TRY(shown(call, g->retiring, &e->retiring_principal));
    for (size_t i = 0; i < KMS_GRANT_OPERATIONS; i++)
        if (g->operations & (uint64_t)1 << i)
            ops[e->operations.n++] = kms_grant_operations[i];
    e->operations.v = ops;
    return g->constraint == KMS_UNCONSTRAINED ? ERR_OK : show_constraints(call, g, &e->constraints);
}

static enum err match(void *arg, struct str key, struct str record, bool *ret_match)
{
    const struct listing *l = arg;
    struct str id;
    if (!str_is_set(l->grant_id))
        return ERR_OK;
    TRY(key_read(&kms_k_grant, key, l->call->arena, KEY_SKIP, KEY_SKIP, KEY_SKIP, &id));
    *ret_match = str_eq(id, l->grant_id);
    return ERR_OK;
}

static enum err take(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct kms_grant g;
    TRY(kms_grant_parse(l->call->arena, key, record, &g));
    return show(l->call, &g, &l->v[l->n++]);
}

static enum err take_retirable(void *arg, struct str key, struct str grantee)
{
    struct listing *l = arg;
    struct kms_grant g;
    struct str key_id, id;
    TRY(key_read(&kms_k_retirable, key, l->call->arena, KEY_SKIP, KEY_SKIP, &key_id, &id));
    TRY(kms_grant_read(l->call->txn, call_scope(l->call), key_id, id, &g));
    return show(l->call, &g, &l->v[l->n++]);
}

static size_t list_limit(bool has, int64_t limit)
{
    return !has ? KMS_LIST : limit < KMS_LIST_MAX ? (size_t)limit : KMS_LIST_MAX;
}

enum err kms_list_grants(struct call *call, const struct kms_list_grants_input *in,
                         struct kms_list_grants_output *out)
{
    static const struct page_fns fns = {match, take};
    struct listing l = {.call = call, .grant_id = in->grant_id};
    struct kms_key key;
    struct str grantee;
    TRY(kms_need(call, in->key_id, KMS_BY_ID, &key));
    struct page page = kms_page(call, key.id, in->marker, list_limit(in->has_limit, in->limit));
    struct key_range range = key_range(call->arena, &kms_k_grant, key.scope, key.id);
    if (str_is_set(in->grantee_principal)) {
        TRY(principal(call, in->grantee_principal, &grantee));
        range = key_range(call->arena, &kms_k_grant, key.scope, key.id, grantee);
    }
    l.v = ARENA_ARRAY(call->arena, struct kms_grant_list_entry, page.limit);
    if (!l.v)
        return ERR_NOMEM;
    TRY(kms_paged(call, page_scan(call->txn, &page, range, &fns, &l)));
    out->grants = (struct kms_grant_list){l.v, l.n};
    KMS_PAGED(out, &page);
    return ERR_OK;
}

enum err kms_list_retirable_grants(struct call *call,
                                   const struct kms_list_retirable_grants_input *in,
                                   struct kms_list_retirable_grants_output *out)
{
    static const struct page_fns fns = {NULL, take_retirable};
    struct listing l = {.call = call};
    struct str retiring;
    TRY(principal(call, in->retiring_principal, &retiring));
    struct page page = kms_page(call, retiring, in->marker, list_limit(in->has_limit, in->limit));
    l.v = ARENA_ARRAY(call->arena, struct kms_grant_list_entry, page.limit);
    if (!l.v)
        return ERR_NOMEM;
    TRY(kms_paged(call,
                  page_scan(call->txn, &page,
                            key_range(call->arena, &kms_k_retirable, call_scope(call), retiring),
                            &fns, &l)));
    out->grants = (struct kms_grant_list){l.v, l.n};
    KMS_PAGED(out, &page);
    return ERR_OK;
}

/* --- ends ------------------------------------------------------------------------------------- */

static enum err end(struct call *call, struct kms_key *key, struct str grant_id, bool dry_run)
{
    struct kms_grant g;
    enum err err = kms_grant_read(call->txn, key->scope, key->id, grant_id, &g);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &kms_err_not_found_exception, "Grant ID " STR_FMT " not found",
                          STR_ARG(grant_id));
    TRY(err);
    TRY(kms_dry_run(call, dry_run));
    key->grants--;
    TRY(kms_key_write(call->txn, key));
    return kms_grant_drop(call->txn, key->scope, &g);
}

enum err kms_revoke_grant(struct call *call, const struct kms_revoke_grant_input *in,
                          struct kms_revoke_grant_output *out)
{
    struct kms_key key;
    TRY(kms_need(call, in->key_id, KMS_BY_ID, &key));
    TRY(kms_not_pending_deletion(call, &key));
    return end(call, &key, in->grant_id, in->dry_run);
}

enum err kms_retiring(struct call *call, const struct kms_retire_grant_input *in,
                      struct str *ret_key_id, struct str *ret_grant_id)
{
    bool by_ids = str_is_set(in->key_id) && str_is_set(in->grant_id);
    if (by_ids == str_is_set(in->grant_token) ||
        (!by_ids && (str_is_set(in->key_id) || str_is_set(in->grant_id))))
        return call_error(call, &kms_err_validation,
                          "Give the grant token, or the key ARN and the grant id.");
    if (by_ids) {
        *ret_grant_id = in->grant_id;
        return kms_resolve(call, in->key_id, KMS_BY_ID, ret_key_id);
    }
    enum err err = kms_grant_of_token(call, in->grant_token, ret_key_id, ret_grant_id);
    if (err == ERR_INVALID)
        return call_error(call, &kms_err_invalid_grant_token_exception,
                          "The grant token is not valid.");
    return err;
}

enum err kms_retire_grant(struct call *call, const struct kms_retire_grant_input *in,
                          struct kms_retire_grant_output *out)
{
    struct kms_key key;
    struct str key_id, grant_id;
    TRY(kms_retiring(call, in, &key_id, &grant_id));
    TRY(kms_need_id(call, key_id, &key));
    TRY(kms_not_pending_deletion(call, &key));
    return end(call, &key, grant_id, in->dry_run);
}
