/* What a reading operation is about: the version that is meant, and what is said of one that is not there,
 * is a marker, or is not for who asks. Layer: svc. */
#include "base/clock.h"
#include "svc/s3/s3_acl.h"

static enum err not_allowed_here(struct call *call, const struct s3_object_rec *marker)
{
    char date[CLOCK_TEXT_MAX];
    unsigned op = call->op->index;
    if (op == S3_OP_COPY_OBJECT || op == S3_OP_UPLOAD_PART_COPY)
        return call_error(call, &s3_err_invalid_request,
                          "The source of a copy request may not specifically refer to a delete "
                          "marker by version id.");
    TRY(call_reply_header(call, STR("x-amz-delete-marker"), STR("true")));
    TRY(call_reply_header(call, STR("x-amz-version-id"), marker->version_id));
    TRY(call_reply_header(call, STR("Last-Modified"), clock_http(date, marker->modified_ms)));
    TRY(call_reply_header(call, STR("Allow"), STR("DELETE")));
    TRY(call_error_detail(call, "Method", call->request->method));
    TRY(call_error_detail(call, "ResourceType", STR("DeleteMarker")));
    return call_error(call, &s3_err_method_not_allowed,
                      "The specified method is not allowed against this resource.");
}

/* Operations on something of an object, which a marker does not have. GetObjectAcl finds none, as reading does. */
static bool asks_part_of_object(unsigned op)
{
    static const unsigned ops[] = {
        S3_OP_GET_OBJECT_TAGGING,    S3_OP_PUT_OBJECT_TAGGING,    S3_OP_DELETE_OBJECT_TAGGING,
        S3_OP_PUT_OBJECT_ACL,        S3_OP_GET_OBJECT_RETENTION,  S3_OP_PUT_OBJECT_RETENTION,
        S3_OP_GET_OBJECT_LEGAL_HOLD, S3_OP_PUT_OBJECT_LEGAL_HOLD,
    };
    for (size_t i = 0; i < ARRAY_LEN(ops); i++)
        if (ops[i] == op)
            return true;
    return false;
}

static enum err hidden_by_marker(struct call *call, const struct s3_bucket_ref *b, struct str key)
{
    struct s3_object_rec marker;
    if (b->rec.versioning == S3_UNVERSIONED)
        return s3_no_such_key(call, b->name, key);
    enum err err = s3_newest_old(call->txn, b->rec.id, key, &marker);
    if (err == ERR_OK) {
        if (asks_part_of_object(call->op->index))
            return not_allowed_here(call, &marker);
        TRY(call_reply_header(call, STR("x-amz-delete-marker"), STR("true")));
        TRY(call_reply_header(call, STR("x-amz-version-id"), marker.version_id));
    } else if (err != ERR_NOT_FOUND) {
        return err;
    }
    return s3_no_such_key(call, b->name, key);
}

static enum err no_such_version(struct call *call, struct str key, struct str version_id)
{
    TRY(call_error_detail(call, "Key", key));
    TRY(call_error_detail(call, "VersionId", version_id));
    return call_error(call, &s3_err_no_such_version, "The specified version does not exist.");
}

enum err s3_bad_version(struct call *call, struct str version_id)
{
    return s3_bad_argument(call, "versionId", version_id,
                           version_id.len > 0 ? "Invalid version id specified"
                                              : "Version id cannot be the empty string");
}

enum err s3_find_for_read(struct call *call, const struct s3_bucket_ref *b, struct str key,
                          struct str version_id, struct s3_object_rec *ret_rec, bool *ret_current)
{
    bool current = true;
    enum err err;
    TRY(s3_check_key(call, key));
    if (!str_is_set(version_id)) {
        err = s3_current(call->txn, b->rec.id, key, ret_current != NULL, ret_rec);
        if (err == ERR_NOT_FOUND)
            return hidden_by_marker(call, b, key);
    } else {
        err = s3_version(call->txn, b->rec.id, key, version_id, ret_current != NULL, ret_rec,
                         &current);
        if (err == ERR_INVALID)
            return s3_bad_version(call, version_id);
        if (err == ERR_NOT_FOUND)
            return no_such_version(call, key, version_id);
    }
    TRY(err);
    if (ret_rec->delete_marker)
        return not_allowed_here(call, ret_rec);
    if (ret_current)
        *ret_current = current;
    return s3_acl_lets(call, &b->rec, ret_rec);
}
