/* Access control lists: what requests give, what they grant, and how they are shown. See s3_acl.h.
 *
 * Source: S3 User Guide, "Access control list (ACL) overview", "Controlling ownership of objects".
 * Layer: svc. */
#include "svc/s3/s3_acl.h"

#include "base/arn.h"
#include "core/account.h"

static const struct str group_uris[S3_GRANTEES] = {
    [S3_EVERYONE] = STR_INIT("http://acs.amazonaws.com/groups/global/AllUsers"),
    [S3_SIGNED_IN] = STR_INIT("http://acs.amazonaws.com/groups/global/AuthenticatedUsers"),
    [S3_LOG_DELIVERY] = STR_INIT("http://acs.amazonaws.com/groups/s3/LogDelivery"),
};

static const struct {
    struct str name;    /* in documents */
    const char *header; /* that grants it */
} permissions[S3_PERMISSIONS] = {
    [S3_FULL_CONTROL] = {STR_INIT("FULL_CONTROL"), "x-amz-grant-full-control"},
    [S3_READ] = {STR_INIT("READ"), "x-amz-grant-read"},
    [S3_WRITE] = {STR_INIT("WRITE"), "x-amz-grant-write"},
    [S3_READ_ACP] = {STR_INIT("READ_ACP"), "x-amz-grant-read-acp"},
    [S3_WRITE_ACP] = {STR_INIT("WRITE_ACP"), "x-amz-grant-write-acp"},
};

/* --- lists ----------------------------------------------------------------------------------- */

static uint64_t all_of(enum s3_acl_who g)
{
    uint64_t bits = 0;
    for (int p = 0; p < S3_PERMISSIONS; p++)
        bits |= s3_acl_bit(g, (enum s3_acl_right)p);
    return bits;
}

static uint64_t to_public(void)
{
    return all_of(S3_EVERYONE) | all_of(S3_SIGNED_IN);
}

bool s3_acl_public(const struct s3_acl *acl)
{
    return (acl->bits & to_public()) != 0;
}

bool s3_is_log_delivery(const struct principal *who)
{
    return who->kind == PRINCIPAL_SERVICE && str_eq(who->service, S3_LOG_SERVICE);
}

bool s3_acl_allows(const struct s3_acl *acl, const struct principal *who, enum s3_acl_right p)
{
    uint64_t want = s3_acl_bit(S3_EVERYONE, p) | s3_acl_bit(S3_EVERYONE, S3_FULL_CONTROL);
    if (s3_is_log_delivery(who))
        want |= s3_acl_bit(S3_LOG_DELIVERY, p) | s3_acl_bit(S3_LOG_DELIVERY, S3_FULL_CONTROL);
    else if (who->kind == PRINCIPAL_SERVICE)
        return false;
    if (who->kind != PRINCIPAL_ANONYMOUS && who->kind != PRINCIPAL_SERVICE)
        want |= s3_acl_bit(S3_SIGNED_IN, p) | s3_acl_bit(S3_SIGNED_IN, S3_FULL_CONTROL);
    return (acl->bits & want) != 0;
}

bool s3_acl_names(const struct s3_acl *acl, struct str account, enum s3_acl_right p)
{
    uint64_t want = (uint64_t)1 << p | (uint64_t)1 << S3_FULL_CONTROL;
    for (size_t i = 0; i < acl->n_others; i++)
        if (str_eq(acl->others[i].account, account))
            return (acl->others[i].rights & want) != 0;
    return false;
}

bool s3_acl_same(const struct s3_acl *a, const struct s3_acl *b)
{
    if (a->bits != b->bits || a->n_others != b->n_others)
        return false;
    for (size_t i = 0; i < a->n_others; i++)
        if (a->others[i].rights != b->others[i].rights ||
            !str_eq(a->others[i].account, b->others[i].account))
            return false;
    return true;
}

enum err s3_acl_give(struct arena *a, struct s3_acl *acl, struct str account, enum s3_acl_right p)
{
    size_t i = 0;
    while (i < acl->n_others && !str_eq(acl->others[i].account, account))
        i++;
    if (i == S3_ACL_GRANTS_MAX)
        return ERR_LIMIT;
    if (!acl->others)
        acl->others = ARENA_ARRAY(a, struct s3_acl_other, S3_ACL_GRANTS_MAX);
    if (!acl->others)
        return ERR_NOMEM;
    if (i == acl->n_others)
        acl->others[acl->n_others++] = (struct s3_acl_other){.account = account};
    acl->others[i].rights |= (uint64_t)1 << p;
    return ERR_OK;
}

enum err s3_acl_dup(struct arena *a, const struct s3_acl *acl, struct s3_acl *ret_acl)
{
    struct s3_acl dup = {.bits = acl->bits, .n_others = acl->n_others};
    if (dup.n_others > 0)
        dup.others = ARENA_ARRAY(a, struct s3_acl_other, dup.n_others);
    if (a->failed)
        return ERR_NOMEM;
    for (size_t i = 0; i < dup.n_others; i++)
        dup.others[i] =
            (struct s3_acl_other){str_dup(a, acl->others[i].account), acl->others[i].rights};
    *ret_acl = dup;
    return a->failed ? ERR_NOMEM : ERR_OK;
}

enum err s3_acl_canned(struct str name, bool bucket, uint64_t *ret_acl)
{
    static const struct {
        const char *name;
        uint64_t bits; /* besides the owner's full control */
        bool bucket, object;
    } rows[] = {
#define BIT(g, p) ((uint64_t)1 << ((g)*S3_PERMISSIONS + (p)))
        {"private", 0, true, true},
        {"public-read", BIT(S3_EVERYONE, S3_READ), true, true},
        {"public-read-write", BIT(S3_EVERYONE, S3_READ) | BIT(S3_EVERYONE, S3_WRITE), true, true},
        {"authenticated-read", BIT(S3_SIGNED_IN, S3_READ), true, true},
        {"log-delivery-write", BIT(S3_LOG_DELIVERY, S3_WRITE) | BIT(S3_LOG_DELIVERY, S3_READ_ACP),
         true, false},
        {"bucket-owner-read", S3_ACL_BUCKET_READ, false, true},
        {"bucket-owner-full-control", S3_ACL_BUCKET_FULL, false, true},
#undef BIT
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!str_eq_c(name, rows[i].name) || !(bucket ? rows[i].bucket : rows[i].object))
            continue;
        *ret_acl = S3_ACL_GIVEN | s3_acl_bit(S3_OWNER, S3_FULL_CONTROL) | rows[i].bits;
        return ERR_OK;
    }
    return ERR_NOT_FOUND;
}

/* --- reading ---------------------------------------------------------------------------------- */

static enum err malformed(struct call *call)
{
    return call_error(call, &s3_err_malformed_acl,
                      "The XML you provided was not well-formed or did not validate against our "
                      "published schema");
}

static enum err no_email(struct call *call, struct str email)
{
    TRY(call_error_detail(call, "ArgumentName", STR("emailAddress")));
    TRY(call_error_detail(call, "ArgumentValue", email));
    return call_error(call, &s3_err_unresolvable_grant,
                      "The e-mail address you provided does not match any account on record.");
}

/* A list as it is read. */
struct reading {
    struct call *call;
    struct str of; /* account of its owner */
    size_t grants;
    struct s3_acl *acl;
};

static struct reading read_for(struct call *call, struct str owner, struct s3_acl *acl)
{
    return (struct reading){call, str_is_set(owner) ? owner : call->account, 0, acl};
}

/* What is granted on logs was counted when it was put; the owner's comes on top of it. */
static enum err count(struct reading *r)
{
    bool counts = !s3_is_log_delivery(r->call->who);
    return counts && ++r->grants > S3_ACL_GRANTS_MAX ? malformed(r->call) : ERR_OK;
}

static enum err by_id(struct reading *r, struct str id, const char *name, enum s3_acl_right p)
{
    struct str account;
    enum err err = account_of_canonical(r->call->core, id, r->call->arena, &account);
    if (err == ERR_NOT_FOUND)
        return s3_bad_argument(r->call, name, id, "Invalid id");
    TRY(err);
    if (!str_eq(account, r->of)) {
        err = s3_acl_give(r->call->arena, r->acl, account, p);
        return err == ERR_LIMIT ? malformed(r->call) : err;
    }
    r->acl->bits |= s3_acl_bit(S3_OWNER, p);
    return ERR_OK;
}

static enum err by_uri(struct reading *r, struct str uri, const char *name, enum s3_acl_right p)
{
    for (int g = S3_EVERYONE; g < S3_GRANTEES; g++) {
        if (str_eq(group_uris[g], uri)) {
            r->acl->bits |= s3_acl_bit((enum s3_acl_who)g, p);
            return ERR_OK;
        }
    }
    return s3_bad_argument(r->call, name, uri, "Invalid group uri");
}

/* `id="...", uri=...` */
static enum err read_header(struct reading *r, enum s3_acl_right p, struct str header)
{
    while (str_is_set(header)) {
        struct str value = str_trim(str_cut(&header, ','));
        struct str kind = str_trim(str_cut(&value, '='));
        TRY(count(r));
        value = str_trim(value);
        if (value.len >= 2 && value.p[0] == '"' && value.p[value.len - 1] == '"')
            value = str_sub(value, 1, value.len - 2);
        if (str_eq_nocase(kind, STR("id")))
            TRY(by_id(r, value, "id", p));
        else if (str_eq_nocase(kind, STR("uri")))
            TRY(by_uri(r, value, "uri", p));
        else if (str_eq_nocase(kind, STR("emailAddress")))
            return no_email(r->call, value);
        else
            return s3_bad_argument(r->call, permissions[p].header, kind,
                                   "Argument format not recognized");
    }
    return ERR_OK;
}

static enum err read_grant(struct reading *r, const struct s3_grant *grant)
{
    struct call *call = r->call;
    int p = 0;
    TRY(count(r));
    if (!grant->grantee)
        return malformed(call);
    while (p < S3_PERMISSIONS && !str_eq(permissions[p].name, grant->permission))
        p++;
    if (p == S3_PERMISSIONS)
        return malformed(call);
    if (str_eq_c(grant->grantee->type, "CanonicalUser"))
        return by_id(r, grant->grantee->id, "CanonicalUser/ID", (enum s3_acl_right)p);
    if (str_eq_c(grant->grantee->type, "Group"))
        return by_uri(r, grant->grantee->uri, "Group/URI", (enum s3_acl_right)p);
    if (str_eq_c(grant->grantee->type, "AmazonCustomerByEmail"))
        return no_email(call, grant->grantee->email_address);
    return malformed(call);
}

enum err s3_acl_read_grant(struct call *call, const struct s3_grant *grant, struct s3_acl *acl)
{
    struct reading r = read_for(call, STR_NONE, acl);
    return read_grant(&r, grant);
}

static enum err read_policy(struct reading *r, const struct s3_access_control_policy *policy)
{
    struct call *call = r->call;
    const struct s3_owner *owner = s3_owner_named(call->arena, r->of);
    if (!owner)
        return ERR_NOMEM;
    if (!policy->owner || !str_is_set(policy->owner->id))
        return malformed(call);
    if (!str_eq(policy->owner->id, owner->id))
        return call_error(call, &s3_err_access_denied, "Access Denied");
    for (size_t i = 0; i < policy->grants.n; i++)
        TRY(read_grant(r, &policy->grants.v[i]));
    return ERR_OK;
}

static bool any_grants(const struct s3_acl_ask *ask)
{
    for (int p = 0; p < S3_PERMISSIONS; p++)
        if (str_is_set(ask->grants[p]))
            return true;
    return false;
}

enum err s3_acl_read(struct call *call, const struct s3_acl_ask *ask, bool bucket,
                     struct s3_acl *ret_acl)
{
    bool grants = any_grants(ask);
    *ret_acl = (struct s3_acl){0};
    if (str_is_set(ask->canned) && grants)
        return call_error(call, &s3_err_invalid_request,
                          "Specifying both Canned ACLs and Header Grants is not allowed");
    if (ask->policy && (str_is_set(ask->canned) || grants))
        return call_error(call, &s3_err_unexpected_content,
                          "This request does not support content");
    if (str_is_set(ask->canned)) {
        if (str_eq_c(ask->canned, "aws-exec-read"))
            return call_error(call, &s3_err_not_implemented,
                              "Weir does not support the canned ACL aws-exec-read. See "
                              "docs/reference.");
        enum err err = s3_acl_canned(ask->canned, bucket, &ret_acl->bits);
        return err == ERR_NOT_FOUND ? s3_bad_argument(call, "x-amz-acl", ask->canned, "") : err;
    }
    if (!grants && !ask->policy)
        return ERR_OK;
    struct s3_acl acl = {.bits = S3_ACL_GIVEN};
    struct reading r = read_for(call, ask->owner, &acl);
    for (int p = 0; p < S3_PERMISSIONS; p++)
        TRY(read_header(&r, (enum s3_acl_right)p, ask->grants[p]));
    if (ask->policy)
        TRY(read_policy(&r, ask->policy));
    *ret_acl = acl;
    return ERR_OK;
}

/* --- judging ---------------------------------------------------------------------------------- */

static enum err not_supported(struct call *call)
{
    return call_error(call, &s3_err_access_control_list_not_supported,
                      "The bucket does not allow ACLs");
}

enum err s3_acl_take(struct call *call, const struct s3_bucket_rec *b, const struct s3_acl_ask *ask,
                     bool bucket, struct s3_acl *ret_acl)
{
    static const uint64_t owners =
        S3_ACL_GIVEN | (uint64_t)1 << (S3_OWNER * S3_PERMISSIONS + S3_FULL_CONTROL);
    bool enforced = s3_owner_enforced(b);
    if (enforced && any_grants(ask))
        return not_supported(call);
    TRY(s3_acl_read(call, ask, bucket, ret_acl));
    if (enforced && (ret_acl->n_others > 0 ||
                     (ret_acl->bits & ~(S3_ACL_BUCKET_FULL | S3_ACL_BUCKET_READ) & ~owners) != 0))
        return not_supported(call);
    if (!enforced && s3_acl_public(ret_acl) && (b->flags & S3_BLOCK_ACLS))
        return call_error(call, &s3_err_access_denied, "Access Denied");
    return ERR_OK;
}

/* Whether the caller is of another account than the bucket, and what he writes may stay his. */
static bool keeps(struct call *call, const struct s3_bucket_rec *b, uint64_t acl)
{
    const struct principal *who = call->who;
    if (s3_owner_enforced(b) || !str_is_set(who->account) || str_eq(who->account, call->account))
        return false;
    return !(b->flags & S3_OWNER_PREFERRED) || !(acl & S3_ACL_BUCKET_FULL);
}

enum err s3_acl_choose(struct call *call, const struct s3_bucket_ref *b, struct str key,
                       const struct s3_acl_ask *ask, struct s3_attrs *attrs)
{
    struct s3_acl_ask of = *ask;
    attrs->acl = (struct s3_acl){0};
    /* The spec asks it of canned ones; and what logs grant was allowed to who had them written. */
    if (any_grants(ask) && !str_is_set(ask->canned) && !s3_is_log_delivery(call->who))
        TRY(call_authorize(call, "s3:PutObjectAcl", s3_arn(call, b->name, key)));
    of.owner = keeps(call, &b->rec, 0) ? call->who->account : STR_NONE;
    if (str_is_set(ask->canned) || any_grants(ask))
        TRY(s3_acl_take(call, &b->rec, &of, false, &attrs->acl));
    attrs->owner = keeps(call, &b->rec, attrs->acl.bits) ? call->who->account : STR_NONE;
    if (!str_is_set(attrs->owner))
        attrs->acl.bits &= ~(S3_ACL_BUCKET_FULL | S3_ACL_BUCKET_READ);
    return ERR_OK;
}

static bool is_kept(const struct s3_bucket_rec *b, const struct s3_attrs *attrs)
{
    return str_is_set(attrs->owner) && !s3_owner_enforced(b);
}

/* The list as the bucket heeds it: IgnorePublicAcls is about what is granted to the public. */
static struct s3_acl heeded(const struct s3_bucket_rec *b, const struct s3_acl *acl)
{
    struct s3_acl in_force = *acl;
    if (b->flags & S3_IGNORE_ACLS)
        in_force.bits &= ~to_public();
    return in_force;
}

/* What a call that found its object needs of it. */
static enum s3_acl_right needed(const struct call *call)
{
    if (call->op->index == S3_OP_GET_OBJECT_ACL)
        return S3_READ_ACP;
    return call->op->index == S3_OP_PUT_OBJECT_ACL ? S3_WRITE_ACP : S3_READ;
}

enum err s3_acl_lets(struct call *call, const struct s3_bucket_rec *b,
                     const struct s3_object_rec *rec)
{
    const struct principal *who = call->who;
    if (!is_kept(b, &rec->attrs) || who->kind == PRINCIPAL_SERVICE ||
        str_eq(who->account, rec->attrs.owner))
        return ERR_OK;
    enum s3_acl_right right = needed(call);
    struct s3_acl acl = heeded(b, &rec->attrs.acl);
    uint64_t to_bucket = S3_ACL_BUCKET_FULL | (right == S3_READ ? S3_ACL_BUCKET_READ : 0);
    if (s3_acl_allows(&acl, who, right) || s3_acl_names(&acl, who->account, right) ||
        ((acl.bits & to_bucket) && str_eq(who->account, s3_bucket_owner(call->core, b))))
        return ERR_OK;
    return call_error(call, &s3_err_access_denied, "Access Denied");
}

const struct s3_owner *s3_object_owner(struct call *call, const struct s3_bucket_rec *b,
                                       const struct s3_attrs *attrs, const struct s3_owner *owner)
{
    return is_kept(b, attrs) ? s3_owner_named(call->arena, attrs->owner) : owner;
}

/* The permission that a list must have for an action, of a bucket or an object. */
static const struct {
    struct str action;
    enum s3_acl_right needs;
    bool object; /* whose list it is */
} actions[] = {
    {STR_INIT("s3:ListBucket"), S3_READ, false},
    {STR_INIT("s3:ListBucketVersions"), S3_READ, false},
    {STR_INIT("s3:ListBucketMultipartUploads"), S3_READ, false},
    {STR_INIT("s3:PutObject"), S3_WRITE, false},
    {STR_INIT("s3:DeleteObject"), S3_WRITE, false},
    {STR_INIT("s3:GetBucketAcl"), S3_READ_ACP, false},
    {STR_INIT("s3:PutBucketAcl"), S3_WRITE_ACP, false},
    {STR_INIT("s3:GetObject"), S3_READ, true},
    {STR_INIT("s3:GetObjectVersion"), S3_READ, true},
    {STR_INIT("s3:GetObjectAcl"), S3_READ_ACP, true},
    {STR_INIT("s3:GetObjectVersionAcl"), S3_READ_ACP, true},
    {STR_INIT("s3:PutObjectAcl"), S3_WRITE_ACP, true},
    {STR_INIT("s3:PutObjectVersionAcl"), S3_WRITE_ACP, true},
};

/* `owner`: the account whose list it is. What a group is granted needs no policy of a caller of that
 * account; one of another is let in by his own account, too. */
static enum svc_grant granted(const struct s3_bucket_rec *b, const struct s3_acl *list,
                              const struct principal *who, struct str owner, enum s3_acl_right p)
{
    struct s3_acl acl = heeded(b, list);
    bool foreign = str_is_set(who->account) && !str_eq(who->account, owner);
    if (s3_acl_allows(&acl, who, p))
        return foreign && who->kind != PRINCIPAL_SERVICE ? SVC_GRANT_ACCOUNT : SVC_GRANT_CALLER;
    return who->kind != PRINCIPAL_SERVICE && s3_acl_names(&acl, who->account, p) ? SVC_GRANT_ACCOUNT
                                                                                 : SVC_GRANT_NONE;
}

/* All sessions of a role are that role. */
static bool is_initiator(const struct s3_upload_rec *upload, const struct principal *who)
{
    struct arn a, b;
    if (!str_eq(upload->account, who->account) || arn_parse(upload->initiator, &a) != ERR_OK ||
        arn_parse(who->arn, &b) != ERR_OK)
        return false;
    if (who->kind != PRINCIPAL_ROLE)
        return str_eq(upload->initiator, who->arn);
    return str_eq_c(arn_segment(&a, 0), "assumed-role") &&
           str_eq(arn_segment(&a, 1), arn_segment(&b, 1));
}

/* Who began an upload may abort it and list its parts, as his account may (S3 User Guide, "Multipart
 * upload API and permissions"). */
static enum err granted_by_upload(struct txn *txn, struct call *call, const struct s3_bucket_rec *b,
                                  const struct principal *who, struct str arn,
                                  enum svc_grant *ret_grant)
{
    struct str id = call_input_str(call, STR("UploadId")), key = s3_arn_key(arn), value;
    struct s3_upload_rec upload;
    if (id.len != S3_UPLOAD_ID_LEN || key.len > S3_KEY_BYTES_MAX || !str_is_set(who->account))
        return ERR_OK;
    enum err err = txn_peek(txn, key_make(txn->arena, &s3_k_upload, b->id, key, id), &value);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    TRY(record_unpack(&s3_upload_type, txn->arena, value, &upload));
    if (is_initiator(&upload, who))
        *ret_grant = SVC_GRANT_CALLER;
    else if (str_eq(upload.account, who->account))
        *ret_grant = SVC_GRANT_ACCOUNT;
    return ERR_OK;
}

enum err s3_acl_grants(void *self, struct txn *txn, struct call *call, const struct principal *who,
                       struct str action, struct str arn, enum svc_grant *ret_grant)
{
    const struct s3_bucket_rec *b;
    struct s3_object_rec rec;
    struct arn name;
    size_t i = 0;
    *ret_grant = SVC_GRANT_NONE;
    if (!call || arn_parse_object(arn, &name) != ERR_OK)
        return ERR_OK;
    enum err err = s3_bucket_known(self, txn, arn_segment(&name, 0), &b);
    if (err == ERR_NOT_FOUND)
        return s3_bucket_missing(call, arn_segment(&name, 0));
    TRY(err);
    if (str_eq_nocase(action, STR("s3:AbortMultipartUpload")) ||
        str_eq_nocase(action, STR("s3:ListMultipartUploadParts")))
        return granted_by_upload(txn, call, b, who, arn, ret_grant);
    while (i < ARRAY_LEN(actions) && !str_eq_nocase(actions[i].action, action))
        i++;
    if (i == ARRAY_LEN(actions))
        return ERR_OK;
    if (s3_owner_enforced(b))
        return ERR_OK;
    struct str owner = s3_bucket_owner(call->core, b);
    /* Who may write an object may say with it what its list is to be. */
    bool made = actions[i].needs == S3_WRITE_ACP && actions[i].object &&
                call->op->index != S3_OP_PUT_OBJECT_ACL;
    if (made || !actions[i].object) {
        *ret_grant = granted(b, &b->acl, who, owner, made ? S3_WRITE : actions[i].needs);
        return ERR_OK;
    }
    err = s3_object_asked(txn, call, b, arn, &rec);
    if (err == ERR_NOT_FOUND || err == ERR_INVALID)
        return ERR_OK;
    TRY(err);
    /* The account that keeps it may, whatever it grants. */
    bool kept = is_kept(b, &rec.attrs);
    *ret_grant = granted(b, &rec.attrs.acl, who, kept ? rec.attrs.owner : owner, actions[i].needs);
    if (*ret_grant == SVC_GRANT_NONE && kept && str_eq(who->account, rec.attrs.owner))
        *ret_grant = SVC_GRANT_ACCOUNT;
    return ERR_OK;
}

/* --- showing ---------------------------------------------------------------------------------- */

static struct s3_grant grant_to(struct call *call, const struct s3_owner *user, struct str group,
                                enum s3_acl_right p)
{
    struct s3_grantee *grantee = ARENA_NEW(call->arena, struct s3_grantee);
    if (grantee) {
        grantee->type = user ? STR("CanonicalUser") : STR("Group");
        grantee->id = user ? user->id : STR_NONE;
        grantee->uri = group;
    }
    return (struct s3_grant){grantee, permissions[p].name};
}

struct s3_grants s3_acl_show(struct call *call, const struct s3_bucket_rec *b,
                             const struct s3_owner *owner, const struct s3_acl *acl)
{
    static const size_t max = S3_GRANTEES * S3_PERMISSIONS;
    uint64_t bits = acl->bits;
    const struct s3_owner *bucket = s3_owner_of(call);
    struct s3_grant *v =
        ARENA_ARRAY(call->arena, struct s3_grant, max + 1 + acl->n_others * S3_PERMISSIONS);
    size_t n = 0;
    if (!owner || !bucket || !v)
        return (struct s3_grants){0};
    if (!(bits & S3_ACL_GIVEN) || s3_owner_enforced(b))
        bits = s3_acl_bit(S3_OWNER, S3_FULL_CONTROL);
    for (size_t i = 0; i < max; i++) {
        size_t g = i / S3_PERMISSIONS;
        if (bits & (uint64_t)1 << i)
            v[n++] = grant_to(call, g == S3_OWNER ? owner : NULL, group_uris[g],
                              (enum s3_acl_right)(i % S3_PERMISSIONS));
    }
    if (bits & (S3_ACL_BUCKET_FULL | S3_ACL_BUCKET_READ))
        v[n++] =
            grant_to(call, bucket, STR_NONE, bits & S3_ACL_BUCKET_FULL ? S3_FULL_CONTROL : S3_READ);
    for (size_t i = 0; i < acl->n_others && !s3_owner_enforced(b); i++) {
        const struct s3_owner *user = s3_owner_named(call->arena, acl->others[i].account);
        for (int p = 0; user && p < S3_PERMISSIONS; p++)
            if (acl->others[i].rights & (uint64_t)1 << p)
                v[n++] = grant_to(call, user, STR_NONE, (enum s3_acl_right)p);
    }
    return call->arena->failed ? (struct s3_grants){0} : (struct s3_grants){v, n};
}

static void add_grantee(struct buf *b, const char *kind, struct str value)
{
    buf_add_fmt(b, "%s%s=\"" STR_FMT "\"", b->len > 0 ? ", " : "", kind, STR_ARG(value));
}

static void add_account(struct buf *b, struct str account)
{
    char id[ACCOUNT_CANONICAL_CHARS];
    account_canonical(account, id);
    add_grantee(b, "id", str_n(id, sizeof(id)));
}

struct str s3_acl_header(struct call *call, const struct s3_acl *acl, enum s3_acl_right p)
{
    struct buf b;
    buf_init_arena(&b, call->arena, S3_ACL_TEXT_MAX);
    if (acl->bits & s3_acl_bit(S3_OWNER, p))
        add_account(&b, call->account);
    for (int g = S3_EVERYONE; g < S3_GRANTEES; g++)
        if (acl->bits & s3_acl_bit((enum s3_acl_who)g, p))
            add_grantee(&b, "uri", group_uris[g]);
    for (size_t i = 0; i < acl->n_others; i++)
        if (acl->others[i].rights & (uint64_t)1 << p)
            add_account(&b, acl->others[i].account);
    return b.len > 0 && !buf_err(&b) ? buf_str(&b) : STR_NONE;
}
