/* The key layouts of IAM; nobody else builds its keys (kv/key.h says the letters).
 *
 * Names are unique without regard to case and keep the case they were given: in keys they are in
 * lower case. */
#ifndef WEIR_SVC_IAM_IAM_KEYS_H
#define WEIR_SVC_IAM_IAM_KEYS_H

#include "kv/key.h"

enum iam_kind { IAM_USER, IAM_ROLE, IAM_GROUP, IAM_PROFILE, IAM_KINDS };

enum iam_use { IAM_ATTACHED, IAM_BOUNDARY, IAM_USES };

/* account, enum iam_kind, name -> user, role, group or instance profile */
static const struct key_layout iam_k_entity = {KEY_IAM, 1, "Abt"};
/* account, name -> managed policy of the account */
static const struct key_layout iam_k_managed = {KEY_IAM, 2, "At"};
/* account, policy ARN, enum iam_kind, name -> nothing: who uses a policy, and as what */
static const struct key_layout iam_k_use[IAM_USES] = {{KEY_IAM, 3, "Atbt"}, {KEY_IAM, 4, "Atbt"}};
/* -> key of session tokens */
static const struct key_layout iam_k_token_key = {KEY_IAM, 5, ""};
/* account, id of a group or role, name -> nothing: users of the group, instance profiles of the role */
static const struct key_layout iam_k_member = {KEY_IAM, 6, "Att"};
/* account -> alias */
static const struct key_layout iam_k_alias = {KEY_IAM, 7, "A"};
/* account, URL without its scheme -> OpenID Connect provider */
static const struct key_layout iam_k_provider = {KEY_IAM, 9, "At"};
/* account, access key or id of a role -> when it was last used */
static const struct key_layout iam_k_used = {KEY_IAM, 10, "At"};
/* account -> credential report */
static const struct key_layout iam_k_report = {KEY_IAM, 11, "A"};
/* account -> password policy */
static const struct key_layout iam_k_passwords = {KEY_IAM, 8, "A"};

#endif
