/* The key layouts of the service; nobody else builds its keys (kv/key.h says the letters). Key ids
 * are the UUIDs that users see. */
#ifndef WEIR_SVC_KMS_KMS_KEYS_H
#define WEIR_SVC_KMS_KMS_KEYS_H

#include "kv/key.h"

/* scope, key id -> key record */
static const struct key_layout kms_k_key = {KEY_KMS, 1, "St"};
/* scope, key id, number -> material record */
static const struct key_layout kms_k_material = {KEY_KMS, 2, "Stw"};
/* scope, key id -> the key policy, as stored */
static const struct key_layout kms_k_policy = {KEY_KMS, 3, "St"};
/* scope, alias name ("alias/x") -> alias record */
static const struct key_layout kms_k_alias = {KEY_KMS, 4, "St"};
/* scope, key id, alias name -> empty */
static const struct key_layout kms_k_alias_of = {KEY_KMS, 5, "Stt"};
/* scope, key id, grantee as stored, grant id -> grant record */
static const struct key_layout kms_k_grant = {KEY_KMS, 6, "Sttt"};
/* scope, key id, grant id -> grantee as stored */
static const struct key_layout kms_k_grant_id = {KEY_KMS, 7, "Stt"};
/* scope, retiring principal as stored, key id, grant id -> grantee as stored */
static const struct key_layout kms_k_retirable = {KEY_KMS, 8, "Sttt"};
/* Names of due times, not records: scope, key id, what is due (enum kms_due) */
static const struct key_layout kms_k_due = {KEY_KMS, 9, "Stb"};
/* key id -> the account that owns it: ciphertexts name keys by their ids alone. Absent: it is of a time when
 * there was one account */
static const struct key_layout kms_k_owner = {KEY_KMS, 10, "t"};

#endif
