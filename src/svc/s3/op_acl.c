/* Ownership controls of buckets; access control lists of buckets and objects. Layer: svc. */
#include "svc/s3/s3_acl.h"

/* --- ownership -------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    uint64_t flags;
} ownerships[] = {
    {"BucketOwnerEnforced", 0},
    {"BucketOwnerPreferred", S3_OWNER_PREFERRED},
    {"ObjectWriter", S3_OWNER_WRITER},
};
enum { OWNERSHIP = S3_HAS_OWNERSHIP | S3_OWNER_PREFERRED | S3_OWNER_WRITER };

bool s3_set_ownership(struct s3_bucket_rec *b, struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(ownerships); i++) {
        if (!str_eq_c(name, ownerships[i].name))
            continue;
        b->flags = (b->flags & ~(uint64_t)OWNERSHIP) | S3_HAS_OWNERSHIP | ownerships[i].flags;
        return true;
    }
    return false;
}

enum err s3_get_bucket_ownership_controls(struct call *call,
                                          const struct s3_get_bucket_ownership_controls_input *in,
                                          struct s3_get_bucket_ownership_controls_output *out)
{
    struct s3_bucket_ref b;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    if (!(b.rec.flags & S3_HAS_OWNERSHIP)) {
        TRY(call_error_detail(call, "BucketName", in->bucket));
        return call_error(call, &s3_err_ownership_controls_not_found,
                          "The bucket ownership controls were not found");
    }
    struct s3_ownership_controls_rule *r =
        ARENA_NEW(call->arena, struct s3_ownership_controls_rule);
    struct s3_ownership_controls *c = ARENA_NEW(call->arena, struct s3_ownership_controls);
    if (!r || !c)
        return ERR_NOMEM;
    for (size_t i = 0; i < ARRAY_LEN(ownerships); i++)
        if ((b.rec.flags & (S3_OWNER_PREFERRED | S3_OWNER_WRITER)) == ownerships[i].flags)
            r->object_ownership = str_c(ownerships[i].name);
    c->rules = (struct s3_ownership_controls_rules){r, 1};
    out->ownership_controls = c;
    return ERR_OK;
}

/* Only the owner may have anything in a bucket that enforces its owner. */
static enum err check_enforced(struct call *call, const struct s3_bucket_rec *b)
{
    uint64_t own = S3_ACL_GIVEN | s3_acl_bit(S3_OWNER, S3_FULL_CONTROL);
    bool others = (b->acl.bits & ~own) != 0 || b->acl.n_others > 0;
    if (!s3_owner_enforced(b) || !others)
        return ERR_OK;
    return call_error(call, &s3_err_invalid_bucket_acl_with_object_ownership,
                      "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced "
                      "setting");
}

enum err s3_put_bucket_ownership_controls(struct call *call,
                                          const struct s3_put_bucket_ownership_controls_input *in,
                                          struct s3_put_bucket_ownership_controls_output *out)
{
    struct s3_bucket_ref b;
    const struct s3_ownership_controls *c = in->ownership_controls;
    TRY(s3_verify_body(call, in->content_md5));
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    if (c->rules.n != 1 || !s3_set_ownership(&b.rec, c->rules.v[0].object_ownership))
        return call_error(call, &s3_err_malformed_xml,
                          "The XML you provided was not well-formed or did not validate against "
                          "our published schema");
    TRY(check_enforced(call, &b.rec));
    return s3_bucket_put(call->svc, call->txn, &b);
}

enum err
s3_delete_bucket_ownership_controls(struct call *call,
                                    const struct s3_delete_bucket_ownership_controls_input *in,
                                    struct s3_delete_bucket_ownership_controls_output *out)
{
    struct s3_bucket_ref b;
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    b.rec.flags &= ~(uint64_t)OWNERSHIP;
    return s3_bucket_put(call->svc, call->txn, &b);
}

/* --- of buckets ------------------------------------------------------------------------------- */

enum err s3_acl_of_new_bucket(struct call *call, const struct s3_create_bucket_input *in,
                              struct s3_bucket_rec *b)
{
    const struct s3_acl_ask ask = {
        .canned = in->acl,
        .grants = {in->grant_full_control, in->grant_read, in->grant_write, in->grant_read_acp,
                   in->grant_write_acp},
    };
    TRY(s3_acl_read(call, &ask, true, &b->acl));
    TRY(check_enforced(call, b));
    if (s3_acl_public(&b->acl) && (b->flags & S3_BLOCK_ACLS))
        return call_error(call, &s3_err_invalid_bucket_acl_with_block_public_access,
                          "Bucket cannot have public ACLs set with BlockPublicAccess enabled");
    return ERR_OK;
}

enum err s3_get_bucket_acl(struct call *call, const struct s3_get_bucket_acl_input *in,
                           struct s3_get_bucket_acl_output *out)
{
    struct s3_bucket_ref b;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    out->owner = s3_owner_of(call);
    out->grants = s3_acl_show(call, &b.rec, out->owner, &b.rec.acl);
    return out->owner && out->grants.v ? ERR_OK : ERR_NOMEM;
}

static enum err missing(struct call *call)
{
    TRY(call_error_detail(call, "MissingHeaderName", STR("x-amz-acl")));
    return call_error(call, &s3_err_missing_security_header,
                      "Your request was missing a required header");
}

enum err s3_put_bucket_acl(struct call *call, const struct s3_put_bucket_acl_input *in,
                           struct s3_put_bucket_acl_output *out)
{
    struct s3_bucket_ref b;
    struct s3_acl acl;
    TRY(s3_verify_body(call, in->content_md5));
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    TRY(s3_acl_take(call, &b.rec, S3_ACL_ASK(in), true, &acl));
    if (!s3_acl_any(&acl))
        return missing(call);
    b.rec.acl = acl;
    return s3_bucket_put(call->svc, call->txn, &b);
}

/* --- of objects ------------------------------------------------------------------------------- */

enum err s3_get_object_acl(struct call *call, const struct s3_get_object_acl_input *in,
                           struct s3_get_object_acl_output *out)
{
    struct s3_bucket_ref b;
    struct s3_object_rec rec;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    S3_TELL_CHARGED(out, in, b.rec.flags);
    TRY(s3_find_for_read(call, &b, in->key, in->version_id, &rec, NULL));
    out->owner = s3_object_owner(call, &b.rec, &rec.attrs, s3_owner_of(call));
    out->grants = s3_acl_show(call, &b.rec, out->owner, &rec.attrs.acl);
    return out->owner && out->grants.v ? ERR_OK : ERR_NOMEM;
}

enum err s3_put_object_acl(struct call *call, const struct s3_put_object_acl_input *in,
                           struct s3_put_object_acl_output *out)
{
    struct s3_bucket_ref b;
    struct s3_object_rec rec;
    struct s3_acl acl;
    bool current;
    TRY(s3_verify_body(call, in->content_md5));
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    S3_TELL_CHARGED(out, in, b.rec.flags);
    TRY(s3_find_for_read(call, &b, in->key, in->version_id, &rec, &current));
    struct s3_acl_ask *ask = S3_ACL_ASK(in);
    ask->owner = rec.attrs.owner;
    TRY(s3_acl_take(call, &b.rec, ask, false, &acl));
    if (!str_is_set(rec.attrs.owner))
        acl.bits &= ~(S3_ACL_BUCKET_FULL | S3_ACL_BUCKET_READ);
    if (!s3_acl_any(&acl))
        return missing(call);
    rec.attrs.acl = acl;
    TRY(s3_rewrite(call->txn, b.rec.id, in->key, &rec, current));
    return s3_notify(call, &b,
                     &(struct s3_happening){.event = S3_EVENT_ACL_PUT,
                                            .key = in->key,
                                            .version_id = b.rec.versioning != S3_UNVERSIONED
                                                              ? rec.version_id
                                                              : STR_NONE,
                                            .etag = rec.etag,
                                            .size = rec.size,
                                            .seq = rec.seq});
}
