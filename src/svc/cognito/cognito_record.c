/* The tables of what is stored. Layer: svc/cognito. */
#include "svc/cognito/cognito_record.h"

static const struct record_field pool_fields[] = {
    REC_STR(struct cognito_pool_rec, account),
    REC_STR(struct cognito_pool_rec, region),
    REC_STR(struct cognito_pool_rec, id),
    REC_STR(struct cognito_pool_rec, settings),
    REC_BOOL(struct cognito_pool_rec, software_token),
};
const struct record_type cognito_pool_rec_type =
    RECORD_TYPE(struct cognito_pool_rec, 1, pool_fields);

static const struct record_field client_fields[] = {
    REC_STR(struct cognito_client_rec, pool_id),
    REC_STR(struct cognito_client_rec, secret),
    REC_STR(struct cognito_client_rec, settings),
};
const struct record_type cognito_client_rec_type =
    RECORD_TYPE(struct cognito_client_rec, 1, client_fields);

static const struct record_field pair_fields[] = {
    REC_STR(struct tag, key),
    REC_STR(struct tag, value),
};
static const struct record_type pair_type = RECORD_TYPE(struct tag, 1, pair_fields);

static const struct record_field code_fields[] = {
    REC_STR(struct cognito_code, purpose),    REC_STR(struct cognito_code, digest),
    REC_INT(struct cognito_code, expires_ms), REC_UINT(struct cognito_code, tries),
    REC_STR(struct cognito_code, value),
};
static const struct record_type code_type = RECORD_TYPE(struct cognito_code, 1, code_fields);

static const struct record_field user_fields[] = {
    REC_STR(struct cognito_user, name),
    REC_STR(struct cognito_user, sub),
    REC_ENUM(struct cognito_user, status, COGNITO_STATUSES),
    REC_BOOL(struct cognito_user, disabled),
    REC_INT(struct cognito_user, created_ms),
    REC_INT(struct cognito_user, modified_ms),
    REC_LIST(struct cognito_user, attrs, n_attrs, COGNITO_ATTRS_MAX, &pair_type),
    REC_LIST(struct cognito_user, aliases, n_aliases, COGNITO_ALIASES_MAX, &pair_type),
    REC_STR(struct cognito_user, password),
    REC_STR(struct cognito_user, verifier),
    REC_STR(struct cognito_user, srp_salt),
    REC_INT(struct cognito_user, password_until_ms),
    REC_STR(struct cognito_user, totp),
    REC_STR(struct cognito_user, totp_new),
    REC_UINT(struct cognito_user, totp_step),
    REC_BOOL(struct cognito_user, totp_on),
    REC_BOOL(struct cognito_user, totp_preferred),
    REC_LIST(struct cognito_user, codes, n_codes, COGNITO_CODES_MAX, &code_type),
    REC_UINT(struct cognito_user, failures),
    REC_INT(struct cognito_user, failed_ms),
    REC_UINT(struct cognito_user, epoch),
};
const struct record_type cognito_user_rec_type = RECORD_TYPE(struct cognito_user, 1, user_fields);

static const struct record_field group_fields[] = {
    REC_STR(struct cognito_group, name),       REC_STR(struct cognito_group, description),
    REC_STR(struct cognito_group, role),       REC_INT(struct cognito_group, precedence),
    REC_INT(struct cognito_group, created_ms), REC_INT(struct cognito_group, modified_ms),
};
const struct record_type cognito_group_rec_type =
    RECORD_TYPE(struct cognito_group, 1, group_fields);

static const struct record_field session_fields[] = {
    REC_STR(struct cognito_session, pool_id),
    REC_STR(struct cognito_session, client_id),
    REC_STR(struct cognito_session, user),
    REC_STR(struct cognito_session, sub),
    REC_UINT(struct cognito_session, epoch),
    REC_INT(struct cognito_session, issued_ms),
    REC_INT(struct cognito_session, auth_ms),
    REC_STR(struct cognito_session, challenge),
    REC_BOOL(struct cognito_session, custom),
    REC_STR(struct cognito_session, rounds),
    REC_STR(struct cognito_session, secret_parameters),
    REC_STR(struct cognito_session, metadata),
    REC_STR(struct cognito_session, srp_a),
    REC_STR(struct cognito_session, srp_b_secret),
    REC_STR(struct cognito_session, srp_b),
    REC_STR(struct cognito_session, totp_new),
    REC_STR(struct cognito_session, origin),
    REC_STR(struct cognito_session, scope),
    REC_STR(struct cognito_session, redirect),
    REC_STR(struct cognito_session, nonce),
    REC_STR(struct cognito_session, pkce),
};
const struct record_type cognito_session_rec_type =
    RECORD_TYPE(struct cognito_session, 1, session_fields);
