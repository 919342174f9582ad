/* DeleteObject and DeleteObjects. Layer: svc. */
#include "svc/s3/s3_lock.h"

enum { DELETE_SLOTS = 2048 };
_Static_assert((int)DELETE_SLOTS > (int)S3_DELETE_MAX, "some slot is free");

/* Removes one key or version and stages its event. */
static enum err delete_one(struct call *call, const struct s3_bucket_ref *b, struct str key,
                           struct str version_id, struct s3_deletion *d)
{
    struct s3 *s3 = call->svc;
    enum err err = str_is_set(version_id) ? s3_delete_version(s3, call->txn, b, key, version_id, d)
                                          : s3_delete_key(s3, call->txn, b, key, d);
    if (err == ERR_INVALID)
        return s3_bad_version(call, version_id);
    TRY(err);
    return s3_notify_deletion(call, b, key, d, S3_EVENT_DELETE, S3_EVENT_MARKER);
}

enum err s3_delete_object(struct call *call, const struct s3_delete_object_input *in,
                          struct s3_delete_object_output *out)
{
    struct s3_bucket_ref b;
    struct s3_deletion d = {0};
    TRY(s3_check_key(call, in->key));
    if (str_is_set(in->mfa))
        return call_error(call, &s3_err_not_implemented,
                          "MFA delete is not supported by Weir. See docs/reference.");
    if (in->has_if_match_last_modified_time || in->has_if_match_size)
        return call_error(call, &s3_err_not_implemented,
                          "This condition is supported for directory buckets only.");
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    S3_TELL_CHARGED(out, in, b.rec.flags);
    TRY(s3_check_write_conditions(call, &b, in->key, in->if_match, STR_NONE));
    TRY(s3_lock_check_bypass(call, &b.rec, in->has_bypass_governance_retention));
    if (str_is_set(in->version_id))
        TRY(s3_lock_check_version(call, &b, in->key, in->version_id,
                                  in->bypass_governance_retention));
    TRY(delete_one(call, &b, in->key, in->version_id, &d));
    if (d.made_marker || d.removed_marker)
        WIRE_SET(out, delete_marker, true);
    out->version_id = d.version_id;
    return ERR_OK;
}

/* --- many ------------------------------------------------------------------------------------- */

static void add_error(struct s3_deleting *r, const struct s3_object_identifier *id,
                      const char *code, const char *message)
{
    r->errors[r->n_errors++] = (struct s3_error){.key = id->key,
                                                 .version_id = id->version_id,
                                                 .code = str_c(code),
                                                 .message = str_c(message)};
}

/* Whether one of the list was there before, of which `slots` has the places, counted from 1. */
static bool is_repeated(const struct s3_object_identifier *list, size_t i,
                        uint16_t slots[DELETE_SLOTS])
{
    const struct s3_object_identifier *id = &list[i];
    for (uint64_t at = str_hash(id->key);; at++) {
        uint16_t *slot = &slots[at % DELETE_SLOTS];
        if (*slot == 0) {
            *slot = (uint16_t)(i + 1);
            return false;
        }
        const struct s3_object_identifier *other = &list[*slot - 1];
        if (str_eq(other->key, id->key) && str_eq(other->version_id, id->version_id) &&
            str_eq(other->e_tag, id->e_tag))
            return true;
    }
}

/* The condition of one of the list, against its current version; *ret_met false: its error was added. */
static enum err check_listed(struct call *call, const struct s3_bucket_ref *b,
                             const struct s3_object_identifier *id, struct s3_deleting *r,
                             bool *ret_met)
{
    struct s3_object_rec rec;
    bool any = str_eq_c(id->e_tag, "*");
    enum err err =
        any ? ERR_OK : call_authorize(call, "s3:GetObject", s3_arn(call, b->name, id->key));
    if (err == ERR_FAILED) {
        call_error_clear(call);
        add_error(r, id, "AccessDenied", "Access Denied");
        return ERR_OK;
    }
    TRY(err);
    err = s3_current(call->txn, b->rec.id, id->key, true, &rec);
    if (err == ERR_NOT_FOUND && !any) {
        add_error(r, id, "NoSuchKey", "The specified key does not exist.");
        return ERR_OK;
    }
    if (err == ERR_OK && (any || s3_etag_listed(id->e_tag, rec.etag))) {
        *ret_met = true;
        return ERR_OK;
    }
    if (err == ERR_OK || err == ERR_NOT_FOUND) {
        add_error(r, id, "PreconditionFailed",
                  "At least one of the pre-conditions you specified did not hold");
        return ERR_OK;
    }
    return err;
}

static enum err delete_listed(struct call *call, const struct s3_bucket_ref *b,
                              const struct s3_object_identifier *id, struct s3_deleting *r)
{
    struct s3_deletion d = {0};
    const char *action = str_is_set(id->version_id) ? "s3:DeleteObjectVersion" : "s3:DeleteObject";
    r->now = id;
    enum err err = call_authorize(call, action, s3_arn(call, b->name, id->key));
    if (err == ERR_FAILED) {
        call_error_clear(call);
        add_error(r, id, "AccessDenied", "Access Denied");
        return ERR_OK;
    }
    TRY(err);
    if (id->key.len > S3_KEY_BYTES_MAX) {
        add_error(r, id, "KeyTooLongError", "Your key is too long");
        return ERR_OK;
    }
    if (str_is_set(id->e_tag)) {
        bool met = false;
        TRY(check_listed(call, b, id, r, &met));
        if (!met)
            return ERR_OK;
    }
    if (str_is_set(id->version_id)) {
        err = s3_lock_check_version(call, b, id->key, id->version_id, r->bypass);
        if (err == ERR_FAILED) {
            call_error_clear(call);
            add_error(r, id, "AccessDenied",
                      "Access Denied because object protected by object lock.");
            return ERR_OK;
        }
        TRY(err);
    }
    err = delete_one(call, b, id->key, id->version_id, &d);
    if (err == ERR_FAILED) {
        call_error_clear(call);
        add_error(r, id, "NoSuchVersion", "The specified version does not exist.");
        return ERR_OK;
    }
    TRY(err);
    struct s3_deleted_object *o = &r->deleted[r->n_deleted++];
    *o = (struct s3_deleted_object){.key = id->key, .version_id = id->version_id};
    if (d.made_marker || d.removed_marker) {
        WIRE_SET(o, delete_marker, true);
        o->delete_marker_version_id = d.version_id;
    }
    return ERR_OK;
}

/* A list that was damaged on its way must not delete: its digest is asked for. */
static enum err need_digest(struct call *call)
{
    static const struct str prefix = STR_INIT("x-amz-checksum-");
    for (size_t i = 0; i < call->request->n_headers; i++) {
        struct str name = call->request->headers[i].name;
        if (str_eq_nocase(name, STR("Content-MD5")) ||
            (name.len > prefix.len && str_eq_nocase(str_n(name.p, prefix.len), prefix)))
            return ERR_OK;
    }
    return call_error(call, &s3_err_invalid_request,
                      "Missing required header for this request: Content-MD5");
}

enum err s3_delete_objects(struct call *call, const struct s3_delete_objects_input *in,
                           struct s3_delete_objects_output *out)
{
    struct s3_bucket_ref b;
    const struct s3_object_identifier *list = in->delete->objects.v;
    size_t n = in->delete->objects.n;
    struct s3_deleting *r = ARENA_NEW(call->arena, struct s3_deleting);
    uint16_t *slots = ARENA_ARRAY(call->arena, uint16_t, DELETE_SLOTS);
    if (!r || !slots)
        return ERR_NOMEM;
    r->deleted = ARENA_ARRAY(call->arena, struct s3_deleted_object, n);
    r->errors = ARENA_ARRAY(call->arena, struct s3_error, n);
    r->bypass = in->bypass_governance_retention;
    if (!r->deleted || !r->errors)
        return ERR_NOMEM;
    bool named = n > 0 && n <= S3_DELETE_MAX;
    for (size_t i = 0; named && i < n; i++)
        named = list[i].key.len > 0;
    if (!named)
        return call_error(call, &s3_err_malformed_xml,
                          "The XML you provided was not well-formed or did not validate against "
                          "our published schema");
    if (str_is_set(in->mfa))
        return call_error(call, &s3_err_not_implemented,
                          "MFA delete is not supported by Weir. See docs/reference.");
    for (size_t i = 0; i < n; i++)
        if (list[i].has_last_modified_time || list[i].has_size)
            return call_error(call, &s3_err_not_implemented,
                              "This condition is supported for directory buckets only.");
    TRY(need_digest(call));
    TRY(s3_verify_body(call, wire_header_get(call->request, STR("Content-MD5"))));
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    S3_TELL_CHARGED(out, in, b.rec.flags);
    TRY(s3_lock_check_bypass(call, &b.rec, in->has_bypass_governance_retention));
    call->state = r;
    for (size_t i = 0; i < n; i++)
        if (!is_repeated(list, i, slots))
            TRY(delete_listed(call, &b, &list[i], r));
    r->now = NULL;
    if (!in->delete->quiet)
        out->deleted = (struct s3_deleted_objects){r->deleted, r->n_deleted};
    out->errors = (struct s3_errors){r->errors, r->n_errors};
    return ERR_OK;
}
