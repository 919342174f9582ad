/* PutResourcePolicy, GetResourcePolicy, DeleteResourcePolicy, and what authorisation asks: the policies of tables,
 * which hold for their indexes too, and of streams. A table's is in its definition, so that a request costs no read
 * of the store for it; a stream's is in the stream's.
 *
 * Layer: svc/dynamodb. Source: API Reference; developer guide, "Using resource-based policies for DynamoDB". */
#include "auth/policy.h"
#include "base/arn.h"
#include "svc/dynamodb/dynamodb_int.h"

enum { POLICY_BYTES_MAX = 20480 /* white space included */ };

static const struct str NO_POLICY = STR_INIT("NO_POLICY");

#define INVALID "One or more parameter values were invalid: "

/* --- what a policy is attached to --------------------------------------------------------------- */

struct resource {
    struct str arn;
    struct ddb_table *table; /* to change; NULL: a stream's */
    struct ddb_policy policy;
};

static enum err check_arn(struct call *call, struct str text)
{
    struct arn arn;
    if (!arn_is(text))
        return ddb_refuse(call, INVALID "ARNs must start with 'arn:': " STR_FMT, STR_ARG(text));
    if (arn_parse(text, &arn) != ERR_OK || !str_eq_c(arn.service, "dynamodb"))
        return ddb_refuse(call, INVALID "Provided Arn is not a DynamoDB resource arn: " STR_FMT,
                          STR_ARG(text));
    struct str part = arn_segment(&arn, 2);
    if (!str_eq_c(arn_segment(&arn, 0), "table") || (str_is_set(part) && !str_eq_c(part, "stream")))
        return ddb_refuse(call,
                          INVALID
                          "Invalid resource arn provided, only table or stream is accepted. "
                          "Provided resource arn: " STR_FMT,
                          STR_ARG(text));
    if (!str_eq(arn.account, call->account))
        return ddb_refuse(call, "This action is only supported by accounts that match the resource "
                                "owner\xe2\x80\x99s account.");
    return ERR_OK;
}

static enum err find(struct call *call, struct str text, struct resource *ret)
{
    struct ddb_table *cached;
    struct arn arn;
    TRY(check_arn(call, text));
    TRY(arn_parse(text, &arn));
    *ret = (struct resource){.arn = text};
    if (str_is_set(arn_segment(&arn, 2))) {
        enum err err = ddb_stream_policy(call->txn, text, &ret->policy);
        if (err == ERR_NOT_FOUND)
            return call_error(call, &dynamodb_err_resource_not_found_exception,
                              "Requested resource not found: Stream: " STR_FMT " not found",
                              STR_ARG(text));
        return err;
    }
    TRY(ddb_use_table(call, text, true, &cached));
    TRY(ddb_read_table(call, cached, &ret->table));
    ret->policy = ret->table->policy;
    return ERR_OK;
}

static enum err store(struct call *call, struct resource *r)
{
    if (!r->table)
        return ddb_stream_set_policy(call->txn, r->arn, &r->policy);
    r->table->policy = r->policy;
    return ddb_stage_table(call->svc, call->txn, r->table);
}

/* --- the document --------------------------------------------------------------------------------- */

/* A caller who would lock himself out says that he means it. */
static enum err check_self(struct call *call, struct str arn, struct str stored)
{
    const struct policy *policy;
    enum policy_decision decision;
    TRY(core_policy(call->core, call->arena, POLICY_RESOURCE, stored, &policy));
    TRY(call_policy_match(call, "dynamodb:PutResourcePolicy", arn, policy, &decision));
    if (decision != POLICY_EXPLICIT_DENY)
        return ERR_OK;
    return ddb_refuse(call, INVALID "The policy denies the caller to change it: "
                                    "ConfirmRemoveSelfResourceAccess must be true");
}

enum err ddb_take_policy(struct call *call, struct str arn, struct str text, bool confirmed,
                         struct ddb_policy *ret)
{
    const char *why;
    struct json *parsed;
    if (text.len > POLICY_BYTES_MAX)
        return ddb_refuse(call, INVALID "Maximum policy size of %d bytes exceeded",
                          POLICY_BYTES_MAX);
    enum err err = json_parse(call->arena, text, &parsed, NULL);
    if (err)
        return err == ERR_NOMEM ? err
                                : ddb_refuse(call, INVALID "Invalid policy document: This policy "
                                                           "contains invalid Json");
    err = core_policy_check(call->core, call->arena, POLICY_RESOURCE, text, &why);
    if (err == ERR_OK)
        err = core_policy_stored(call->txn, text, &why, &ret->text);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return ddb_refuse(call, INVALID "Invalid policy document: %s", why);
    TRY(err);
    if (!confirmed)
        TRY(check_self(call, arn, ret->text));
    int64_t now = call->txn->wall_ms;
    int64_t last = 0;
    if (str_is_set(ret->revision) && str_to_i64(ret->revision, &last) == ERR_OK && last >= now)
        now = last + 1;
    ret->revision = str_fmt(call->arena, "%lld", (long long)now);
    return str_is_set(ret->revision) ? ERR_OK : ERR_NOMEM;
}

static enum err not_found(struct call *call, struct str arn)
{
    return call_error(call, &dynamodb_err_policy_not_found_exception,
                      "Resource-based policy not found for the provided ResourceArn: " STR_FMT,
                      STR_ARG(arn));
}

/* What the caller expects to be there is. */
static enum err check_expected(struct call *call, const struct resource *r, struct str expected)
{
    if (!str_is_set(expected))
        return ERR_OK;
    bool there = str_is_set(r->policy.text);
    if (str_eq(expected, NO_POLICY) ? !there : there && str_eq(expected, r->policy.revision))
        return ERR_OK;
    return call_error(call, &dynamodb_err_policy_not_found_exception,
                      "The expected revision of the resource-based policy was not found for the "
                      "provided ResourceArn: " STR_FMT,
                      STR_ARG(r->arn));
}

/* --- operations ----------------------------------------------------------------------------------- */

enum err dynamodb_put_resource_policy(struct call *call,
                                      const struct dynamodb_put_resource_policy_input *in,
                                      struct dynamodb_put_resource_policy_output *out)
{
    struct resource r;
    TRY(find(call, in->resource_arn, &r));
    TRY(check_expected(call, &r, in->expected_revision_id));
    struct ddb_policy before = r.policy;
    TRY(ddb_take_policy(call, r.arn, in->policy, in->confirm_remove_self_resource_access,
                        &r.policy));
    if (str_is_set(before.text) && str_eq(before.text, r.policy.text)) {
        out->revision_id = before.revision; /* the same again is no new revision */
        return ERR_OK;
    }
    out->revision_id = r.policy.revision;
    return store(call, &r);
}

enum err dynamodb_get_resource_policy(struct call *call,
                                      const struct dynamodb_get_resource_policy_input *in,
                                      struct dynamodb_get_resource_policy_output *out)
{
    struct resource r;
    TRY(find(call, in->resource_arn, &r));
    if (!str_is_set(r.policy.text))
        return not_found(call, r.arn);
    out->revision_id = r.policy.revision;
    return core_policy_shown(call->core, call->arena, r.policy.text, &out->policy);
}

enum err dynamodb_delete_resource_policy(struct call *call,
                                         const struct dynamodb_delete_resource_policy_input *in,
                                         struct dynamodb_delete_resource_policy_output *out)
{
    struct resource r;
    TRY(find(call, in->resource_arn, &r));
    TRY(check_expected(call, &r, in->expected_revision_id));
    if (!str_is_set(r.policy.text))
        return ERR_OK;
    out->revision_id = r.policy.revision;
    r.policy = (struct ddb_policy){0};
    return store(call, &r);
}

/* --- authorisation -------------------------------------------------------------------------------- */

enum err ddb_resource_policy(void *self, struct txn *txn, struct str text, struct str *ret_json)
{
    const struct dynamodb *ddb = self;
    struct ddb_policy policy;
    struct arn arn;
    void *table;
    *ret_json = STR_NONE;
    if (arn_parse_as(text, "dynamodb", "table", &arn) != ERR_OK)
        return ERR_OK;
    if (str_eq_c(arn_segment(&arn, 2), "stream")) {
        enum err err = ddb_stream_policy(txn, text, &policy);
        *ret_json = err ? STR_NONE : policy.text;
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    const struct key_scope scope = {arn.account, arn.region};
    struct str key = key_make(txn->arena, &ddb_k_table, scope, arn_segment(&arn, 1));
    if (!str_is_set(key))
        return ERR_NOMEM;
    enum err err = catalogue_get(ddb->tables, txn, key, &table);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    *ret_json = ((const struct ddb_table *)table)->policy.text;
    return ERR_OK;
}
