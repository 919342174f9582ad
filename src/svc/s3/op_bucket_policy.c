/* Put-, Get- and DeleteBucketPolicy, GetBucketPolicyStatus. Layer: svc. */
#include "core/account.h"
#include "svc/s3/s3_int.h"

static enum err malformed(struct call *call, const char *why)
{
    return call_error(call, &s3_err_malformed_policy, "%s", why);
}

/* Every resource must be the bucket or something in it: S3 refuses a policy about others. */
static bool resource_fits(struct str resource, struct str bucket_arn)
{
    if (str_eq(resource, bucket_arn))
        return true;
    return str_starts(resource, bucket_arn) && resource.p[bucket_arn.len] == '/';
}

/* What actions are done to, and what resources are. */
enum { ON_BUCKET = 1, ON_OBJECT = 2, ON_BOTH = 3 };

static unsigned kind_of_need(struct str resource)
{
    static const struct str bucket = STR_INIT("{Bucket}"), object = STR_INIT("{Bucket}/");
    if (!str_is_set(resource) || str_find_str(resource, bucket) == SIZE_MAX)
        return 0;
    return str_find_str(resource, object) == SIZE_MAX ? ON_BUCKET : ON_OBJECT;
}

/* Patterns, and actions that no operation here asks for, may be done to either. */
static unsigned kinds_of_action(struct str action)
{
    unsigned kinds = 0;
    for (size_t i = 0; i < s3_service.n_ops; i++) {
        const struct wire_op *op = &s3_service.ops[i];
        if (str_eq_nocase(op->action, action))
            kinds |= kind_of_need(op->resource);
        for (size_t k = 0; k < op->n_also; k++)
            if (str_eq_nocase(op->also[k].action, action))
                kinds |= kind_of_need(op->also[k].resource);
    }
    return kinds ? kinds : ON_BOTH;
}

/* A text, or each of a list's: the first for `it` NULL, NULL after the last. */
static const struct json *next_text(const struct json *v, const struct json *it)
{
    if (!v || v->kind != JSON_ARRAY)
        return it ? NULL : v;
    return it ? it->next : v->child;
}

/* NULL, or what is wrong with one statement. */
static const char *check_statement(const struct json *s, struct str bucket_arn)
{
    const struct json *named = json_get(s, STR("Resource")), *actions = json_get(s, STR("Action"));
    const struct json *r = named ? named : json_get(s, STR("NotResource"));
    unsigned kinds = named ? 0 : ON_BOTH;
    for (const struct json *it = next_text(r, NULL); it; it = next_text(r, it)) {
        if (!resource_fits(it->text, bucket_arn))
            return "Policy has invalid resource";
        kinds |= str_eq(it->text, bucket_arn) ? ON_BUCKET : ON_OBJECT;
    }
    for (const struct json *it = next_text(actions, NULL); it; it = next_text(actions, it)) {
        struct str rest = it->text, service = str_cut(&rest, ':');
        if (str_is_set(rest) && !str_eq_nocase(service, STR("s3")))
            return "Policy has invalid action";
        if (!(kinds_of_action(it->text) & kinds))
            return "Action does not apply to any resource(s) in statement";
    }
    return NULL;
}

static enum err check_statements(struct call *call, struct str json, struct str bucket_arn)
{
    struct json *doc;
    TRY(json_parse(call->arena, json, &doc, NULL));
    const struct json *all = json_get(doc, STR("Statement"));
    for (const struct json *s = next_text(all, NULL); s; s = next_text(all, s)) {
        const char *why = check_statement(s, bucket_arn);
        if (why)
            return malformed(call, why);
    }
    return ERR_OK;
}

/* --- canonical users --------------------------------------------------------------------------- */

/* The JSON with every `from`, quoted, as `to`. */
static enum err reword(struct arena *a, struct str from, struct str to, struct str *json)
{
    struct buf b;
    struct str quoted = str_fmt(a, "\"" STR_FMT "\"", STR_ARG(from));
    size_t at = str_is_set(quoted) ? str_find_str(*json, quoted) : SIZE_MAX;
    if (!str_is_set(quoted))
        return ERR_NOMEM;
    if (at == SIZE_MAX)
        return ERR_OK;
    buf_init_arena(&b, a, 2 * S3_POLICY_MAX);
    for (struct str rest = *json;; at = str_find_str(rest, quoted)) {
        buf_add_str(&b, str_sub(rest, 0, at));
        if (at == SIZE_MAX)
            break;
        buf_add_fmt(&b, "\"" STR_FMT "\"", STR_ARG(to));
        rest = str_sub(rest, at + quoted.len, rest.len);
    }
    *json = buf_str(&b);
    return buf_err(&b);
}

static enum err name_account(struct call *call, struct str account, struct str *json)
{
    const struct s3_owner *owner = s3_owner_named(call->arena, account);
    return owner ? reword(call->arena, owner->id, account, json) : ERR_NOMEM;
}

/* An account by its canonical id is told by its number from then on: both name it (S3 User Guide,
 * "Principals for bucket policies"). An id of no account that is here stays, and is refused. */
static enum err name_accounts(struct call *call, struct str *json)
{
    struct catalogue_page page = {0};
    if (str_find_str(*json, STR("\"CanonicalUser\"")) == SIZE_MAX)
        return ERR_OK;
    TRY(name_account(call, call->core->cfg.account, json));
    if (call->core->more_accounts)
        TRY(account_list(call->txn, &page));
    for (size_t i = 0; i < page.n; i++)
        TRY(name_account(call, ((const struct account *)page.objects[i])->id, json));
    return reword(call->arena, STR("CanonicalUser"), STR("AWS"), json);
}

/* --- taking ----------------------------------------------------------------------------------- */

static enum err check_policy(struct call *call, const struct s3_bucket_ref *b, struct str json,
                             struct str *ret_stored, bool *ret_public)
{
    const char *why = "Policies must be valid JSON and the first byte must be '{'";
    if (json.len == 0)
        return call_error(call, &s3_err_missing_request_body, "Request Body is empty");
    if (json.len > S3_POLICY_MAX)
        return call_error(call, &s3_err_invalid_argument,
                          "Policies must not be larger than 20480 bytes");
    TRY(name_accounts(call, &json));
    enum err err = core_policy_check(call->core, call->arena, POLICY_RESOURCE, json, &why);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return malformed(call, why);
    TRY(err);
    TRY(check_statements(call, json, s3_arn(call, b->name, STR_NONE)));
    err = core_policy_stored(call->txn, json, &why, ret_stored);
    if (err == ERR_INVALID)
        return malformed(call, why);
    TRY(err);
    return s3_policy_public(call->arena, json, ret_public);
}

enum err s3_put_bucket_policy(struct call *call, const struct s3_put_bucket_policy_input *in,
                              struct s3_put_bucket_policy_output *out)
{
    struct s3_bucket_ref b;
    struct str stored;
    bool open = false;
    TRY(s3_verify_body(call, in->content_md5));
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    TRY(check_policy(call, &b, in->policy, &stored, &open));
    if (open && (b.rec.flags & S3_BLOCK_POLICY))
        return call_error(call, &s3_err_access_denied,
                          "User: " STR_FMT " is not authorized to perform: s3:PutBucketPolicy on "
                          "resource: \"" STR_FMT "\" because public policies are prevented by the "
                          "BlockPublicPolicy setting in S3 Block Public Access.",
                          STR_ARG(call->who->arn), STR_ARG(s3_arn(call, b.name, STR_NONE)));
    b.rec.policy = stored;
    b.rec.flags &= ~(uint64_t)S3_POLICY_IS_PUBLIC;
    b.rec.flags |= S3_HAS_POLICY | (open ? S3_POLICY_IS_PUBLIC : 0);
    call_reply_status(call, 204); /* whatever the API's model says */
    return s3_bucket_put(call->svc, call->txn, &b);
}

static enum err need_policy(struct call *call, const struct s3_bucket_ref *b)
{
    if (b->rec.flags & S3_HAS_POLICY)
        return ERR_OK;
    TRY(call_error_detail(call, "BucketName", b->name));
    return call_error(call, &s3_err_no_such_bucket_policy, "The bucket policy does not exist");
}

enum err s3_get_bucket_policy(struct call *call, const struct s3_get_bucket_policy_input *in,
                              struct s3_get_bucket_policy_output *out)
{
    struct s3_bucket_ref b;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    TRY(need_policy(call, &b));
    TRY(core_policy_shown(call->core, call->arena, b.rec.policy, &out->policy));
    call_reply_raw(call, STR("application/json"), out->policy);
    return ERR_OK;
}

enum err s3_delete_bucket_policy(struct call *call, const struct s3_delete_bucket_policy_input *in,
                                 struct s3_delete_bucket_policy_output *out)
{
    struct s3_bucket_ref b;
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    b.rec.policy = STR_NONE;
    b.rec.flags &= ~((uint64_t)S3_HAS_POLICY | S3_POLICY_IS_PUBLIC);
    return s3_bucket_put(call->svc, call->txn, &b);
}

enum err s3_get_bucket_policy_status(struct call *call,
                                     const struct s3_get_bucket_policy_status_input *in,
                                     struct s3_get_bucket_policy_status_output *out)
{
    struct s3_bucket_ref b;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    TRY(need_policy(call, &b));
    struct s3_policy_status *status = ARENA_NEW(call->arena, struct s3_policy_status);
    if (!status)
        return ERR_NOMEM;
    WIRE_SET(status, is_public, (b.rec.flags & S3_POLICY_IS_PUBLIC) != 0);
    out->policy_status = status;
    return ERR_OK;
}
