/* Keys of IAM in the store. Only iam_keys.c builds them.
 *
 *   02 01 kind text(name)                  user (kind 0) or role (kind 1); name in lower case
 *   02 02 text(name)                       managed policy of the account; name in lower case
 *   02 03 text(policy arn) kind text(name) attachment, empty value
 *   02 04 text(policy arn) kind text(name) use as permission boundary, empty value
 *   02 05                                  key of session tokens
 *
 * Names are unique without regard to case, and keep the case they were given. */
#ifndef WEIR_SVC_IAM_IAM_KEYS_H
#define WEIR_SVC_IAM_IAM_KEYS_H

#include "base/str.h"

enum iam_kind { IAM_USER, IAM_ROLE };

enum iam_use { IAM_ATTACHED, IAM_BOUNDARY };

/* In the arena; STR_NONE on exhaustion. */
struct str iam_key_entity(struct arena *a, enum iam_kind kind, struct str name);
struct str iam_key_entities(struct arena *a, enum iam_kind kind);
struct str iam_key_managed(struct arena *a, struct str name);
struct str iam_key_all_managed(struct arena *a);
struct str iam_key_use(struct arena *a, enum iam_use use, struct str policy_arn, enum iam_kind kind,
                       struct str name);
struct str iam_key_uses(struct arena *a, enum iam_use use, struct str policy_arn);
/* Prefix of the uses of all policies that AWS made, and the policy of a key made by iam_key_use. */
struct str iam_key_aws_uses(struct arena *a, enum iam_use use, struct str partition);
enum err iam_key_read_policy(struct str key, struct arena *a, struct str *ret_arn) WARN_UNUSED;
struct str iam_key_token_key(struct arena *a);
/* Kind and lower-case name at the end of a key made by iam_key_use. ERR_CORRUPT. */
enum err iam_key_read_use(struct str key, struct arena *a, enum iam_kind *ret_kind,
                          struct str *ret_name) WARN_UNUSED;

#endif
