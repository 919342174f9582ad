/* Access control lists: what requests give, what they grant, and how they are shown. See s3_acl.h.
 *
 * Source: S3 User Guide, "Access control list (ACL) overview", "Controlling ownership of objects".
 * Layer: svc. */
#include "svc/s3/s3_acl.h"

#include "base/arn.h"

enum { GRANTS_TEXT_MAX = 512 };

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

/* --- the bits --------------------------------------------------------------------------------- */

static uint64_t all_of(enum s3_acl_who g)
{
    uint64_t bits = 0;
    for (int p = 0; p < S3_PERMISSIONS; p++)
        bits |= s3_acl_bit(g, (enum s3_acl_right)p);
    return bits;
}

bool s3_acl_public(uint64_t acl)
{
    return (acl & (all_of(S3_EVERYONE) | all_of(S3_SIGNED_IN))) != 0;
}

bool s3_is_log_delivery(const struct principal *who)
{
    return who->kind == PRINCIPAL_SERVICE && str_eq(who->service, S3_LOG_SERVICE);
}

bool s3_acl_allows(uint64_t acl, const struct principal *who, enum s3_acl_right p)
{
    uint64_t want = s3_acl_bit(S3_EVERYONE, p) | s3_acl_bit(S3_EVERYONE, S3_FULL_CONTROL);
    if (s3_is_log_delivery(who))
        want |= s3_acl_bit(S3_LOG_DELIVERY, p) | s3_acl_bit(S3_LOG_DELIVERY, S3_FULL_CONTROL);
    else if (who->kind == PRINCIPAL_SERVICE)
        return false;
    if (who->kind != PRINCIPAL_ANONYMOUS && who->kind != PRINCIPAL_SERVICE)
        want |= s3_acl_bit(S3_SIGNED_IN, p) | s3_acl_bit(S3_SIGNED_IN, S3_FULL_CONTROL);
    return (acl & want) != 0;
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

/* Grants go to the owner and to groups alone; `of`: the owner's account, absent: the call's. */
static enum err by_id(struct call *call, struct str of, struct str id, const char *name,
                      enum s3_acl_who *ret)
{
    const struct s3_owner *owner = s3_owner_named(call->arena, str_is_set(of) ? of : call->account);
    if (!owner)
        return ERR_NOMEM;
    if (!str_eq(owner->id, id))
        return s3_bad_argument(call, name, id, "Invalid id");
    *ret = S3_OWNER;
    return ERR_OK;
}

static enum err by_uri(struct call *call, struct str uri, const char *name, enum s3_acl_who *ret)
{
    for (int g = S3_EVERYONE; g < S3_GRANTEES; g++) {
        if (str_eq(group_uris[g], uri)) {
            *ret = (enum s3_acl_who)g;
            return ERR_OK;
        }
    }
    return s3_bad_argument(call, name, uri, "Invalid group uri");
}

/* `id="...", uri=...` */
static enum err read_header(struct call *call, struct str of, enum s3_acl_right p,
                            struct str header, uint64_t *acl)
{
    while (str_is_set(header)) {
        struct str value = str_trim(str_cut(&header, ','));
        struct str kind = str_trim(str_cut(&value, '='));
        enum s3_acl_who g = S3_OWNER;
        value = str_trim(value);
        if (value.len >= 2 && value.p[0] == '"' && value.p[value.len - 1] == '"')
            value = str_sub(value, 1, value.len - 2);
        if (str_eq_nocase(kind, STR("id")))
            TRY(by_id(call, of, value, "id", &g));
        else if (str_eq_nocase(kind, STR("uri")))
            TRY(by_uri(call, value, "uri", &g));
        else if (str_eq_nocase(kind, STR("emailAddress")))
            return no_email(call, value);
        else
            return s3_bad_argument(call, permissions[p].header, kind,
                                   "Argument format not recognized");
        *acl |= s3_acl_bit(g, p);
    }
    return ERR_OK;
}

static enum err read_grant(struct call *call, struct str of, const struct s3_grant *grant,
                           uint64_t *acl)
{
    enum s3_acl_who g = S3_OWNER;
    int p = 0;
    if (!grant->grantee)
        return malformed(call);
    while (p < S3_PERMISSIONS && !str_eq(permissions[p].name, grant->permission))
        p++;
    if (p == S3_PERMISSIONS)
        return malformed(call);
    if (str_eq_c(grant->grantee->type, "CanonicalUser"))
        TRY(by_id(call, of, grant->grantee->id, "CanonicalUser/ID", &g));
    else if (str_eq_c(grant->grantee->type, "Group"))
        TRY(by_uri(call, grant->grantee->uri, "Group/URI", &g));
    else if (str_eq_c(grant->grantee->type, "AmazonCustomerByEmail"))
        return no_email(call, grant->grantee->email_address);
    else
        return malformed(call);
    *acl |= s3_acl_bit(g, (enum s3_acl_right)p);
    return ERR_OK;
}

enum err s3_acl_read_grant(struct call *call, const struct s3_grant *grant, uint64_t *acl)
{
    return read_grant(call, STR_NONE, grant, acl);
}

static enum err read_policy(struct call *call, struct str of,
                            const struct s3_access_control_policy *policy, uint64_t *acl)
{
    const struct s3_owner *owner = s3_owner_named(call->arena, str_is_set(of) ? of : call->account);
    if (!owner)
        return ERR_NOMEM;
    if (!policy->owner || !str_is_set(policy->owner->id))
        return malformed(call);
    if (!str_eq(policy->owner->id, owner->id))
        return call_error(call, &s3_err_access_denied, "Access Denied");
    for (size_t i = 0; i < policy->grants.n; i++)
        TRY(read_grant(call, of, &policy->grants.v[i], acl));
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
                     uint64_t *ret_acl)
{
    bool grants = any_grants(ask);
    *ret_acl = 0;
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
        enum err err = s3_acl_canned(ask->canned, bucket, ret_acl);
        return err == ERR_NOT_FOUND ? s3_bad_argument(call, "x-amz-acl", ask->canned, "") : err;
    }
    if (!grants && !ask->policy)
        return ERR_OK;
    uint64_t acl = S3_ACL_GIVEN;
    for (int p = 0; p < S3_PERMISSIONS; p++)
        TRY(read_header(call, ask->owner, (enum s3_acl_right)p, ask->grants[p], &acl));
    if (ask->policy)
        TRY(read_policy(call, ask->owner, ask->policy, &acl));
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
                     bool bucket, uint64_t *ret_acl)
{
    static const uint64_t owners =
        S3_ACL_GIVEN | (uint64_t)1 << (S3_OWNER * S3_PERMISSIONS + S3_FULL_CONTROL);
    bool enforced = s3_owner_enforced(b);
    if (enforced && any_grants(ask))
        return not_supported(call);
    TRY(s3_acl_read(call, ask, bucket, ret_acl));
    if (enforced && (*ret_acl & ~(S3_ACL_BUCKET_FULL | S3_ACL_BUCKET_READ) & ~owners) != 0)
        return not_supported(call);
    if (!enforced && s3_acl_public(*ret_acl) && (b->flags & S3_BLOCK_ACLS))
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
    attrs->acl = 0;
    /* The spec asks it of canned ones; and what logs grant was allowed to who had them written. */
    if (any_grants(ask) && !str_is_set(ask->canned) && !s3_is_log_delivery(call->who))
        TRY(call_authorize(call, "s3:PutObjectAcl", s3_arn(call, b->name, key)));
    of.owner = keeps(call, &b->rec, 0) ? call->who->account : STR_NONE;
    if (str_is_set(ask->canned) || any_grants(ask))
        TRY(s3_acl_take(call, &b->rec, &of, false, &attrs->acl));
    attrs->owner = keeps(call, &b->rec, attrs->acl) ? call->who->account : STR_NONE;
    if (!str_is_set(attrs->owner))
        attrs->acl &= ~(S3_ACL_BUCKET_FULL | S3_ACL_BUCKET_READ);
    return ERR_OK;
}

static bool is_kept(const struct s3_bucket_rec *b, const struct s3_object_rec *rec)
{
    return str_is_set(rec->attrs.owner) && !s3_owner_enforced(b);
}

enum err s3_acl_lets(struct call *call, const struct s3_bucket_rec *b,
                     const struct s3_object_rec *rec, bool all)
{
    const struct principal *who = call->who;
    enum s3_acl_right right = all ? S3_WRITE_ACP : S3_READ;
    uint64_t acl = rec->attrs.acl;
    if (!is_kept(b, rec) || who->kind == PRINCIPAL_SERVICE ||
        str_eq(who->account, rec->attrs.owner) ||
        (!(b->flags & S3_IGNORE_ACLS) && s3_acl_allows(acl, who, right)))
        return ERR_OK;
    bool of_bucket = str_eq(who->account, s3_bucket_owner(call->core, b));
    if (of_bucket && ((acl & S3_ACL_BUCKET_FULL) || (!all && (acl & S3_ACL_BUCKET_READ))))
        return ERR_OK;
    return call_error(call, &s3_err_access_denied, "Access Denied");
}

const struct s3_owner *s3_object_owner(struct call *call, const struct s3_bucket_rec *b,
                                       const struct s3_object_rec *rec,
                                       const struct s3_owner *owner)
{
    return is_kept(b, rec) ? s3_owner_named(call->arena, rec->attrs.owner) : owner;
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

enum err s3_acl_grants(void *self, struct txn *txn, struct call *call, const struct principal *who,
                       struct str action, struct str arn, bool *ret_allowed)
{
    const struct s3_bucket_rec *b;
    struct s3_object_rec rec;
    struct arn name;
    size_t i = 0;
    *ret_allowed = false;
    if (!call || arn_parse_object(arn, &name) != ERR_OK)
        return ERR_OK;
    enum err err = s3_bucket_known(self, txn, arn_segment(&name, 0), &b);
    if (err == ERR_NOT_FOUND)
        return s3_bucket_missing(call, arn_segment(&name, 0));
    TRY(err);
    while (i < ARRAY_LEN(actions) && !str_eq_nocase(actions[i].action, action))
        i++;
    if (i == ARRAY_LEN(actions))
        return ERR_OK;
    if (s3_owner_enforced(b) || (b->flags & S3_IGNORE_ACLS))
        return ERR_OK;
    if (!actions[i].object) {
        *ret_allowed = s3_acl_allows(b->acl, who, actions[i].needs);
        return ERR_OK;
    }
    err = s3_object_asked(txn, call, b, arn, &rec);
    if (err == ERR_NOT_FOUND || err == ERR_INVALID)
        return ERR_OK;
    TRY(err);
    /* The account that keeps it may, by its root: what its users may, policies say. */
    *ret_allowed =
        s3_acl_allows(rec.attrs.acl, who, actions[i].needs) ||
        (is_kept(b, &rec) && who->kind == PRINCIPAL_ROOT && str_eq(who->account, rec.attrs.owner));
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
                             const struct s3_owner *owner, uint64_t acl)
{
    static const size_t max = S3_GRANTEES * S3_PERMISSIONS;
    const struct s3_owner *bucket = s3_owner_of(call);
    struct s3_grant *v = ARENA_ARRAY(call->arena, struct s3_grant, max + 1);
    size_t n = 0;
    if (!owner || !bucket || !v)
        return (struct s3_grants){0};
    if (!(acl & S3_ACL_GIVEN) || s3_owner_enforced(b))
        acl = s3_acl_bit(S3_OWNER, S3_FULL_CONTROL);
    for (size_t i = 0; i < max; i++) {
        size_t g = i / S3_PERMISSIONS;
        if (acl & (uint64_t)1 << i)
            v[n++] = grant_to(call, g == S3_OWNER ? owner : NULL, group_uris[g],
                              (enum s3_acl_right)(i % S3_PERMISSIONS));
    }
    if (acl & (S3_ACL_BUCKET_FULL | S3_ACL_BUCKET_READ))
        v[n++] =
            grant_to(call, bucket, STR_NONE, acl & S3_ACL_BUCKET_FULL ? S3_FULL_CONTROL : S3_READ);
    return call->arena->failed ? (struct s3_grants){0} : (struct s3_grants){v, n};
}

struct str s3_acl_header(struct call *call, uint64_t acl, enum s3_acl_right p)
{
    const struct s3_owner *owner = s3_owner_of(call);
    struct buf b;
    buf_init_arena(&b, call->arena, GRANTS_TEXT_MAX);
    for (int g = 0; owner && g < S3_GRANTEES; g++) {
        if (!(acl & s3_acl_bit((enum s3_acl_who)g, p)))
            continue;
        buf_add_fmt(&b, "%s%s=\"" STR_FMT "\"", b.len > 0 ? ", " : "", g == S3_OWNER ? "id" : "uri",
                    STR_ARG(g == S3_OWNER ? owner->id : group_uris[g]));
    }
    return b.len > 0 && !buf_err(&b) ? buf_str(&b) : STR_NONE;
}
