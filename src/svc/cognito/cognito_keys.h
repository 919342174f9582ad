/* The key layouts of the service; nobody else builds its keys (kv/key.h says the letters). A pool's id
 * is drawn at random, so what belongs to a pool has that in place of the scope (KL1). */
#ifndef WEIR_SVC_COGNITO_COGNITO_KEYS_H
#define WEIR_SVC_COGNITO_COGNITO_KEYS_H

#include "kv/key.h"

/* scope, pool id -> pool record */
static const struct key_layout cognito_k_pool = {KEY_COGNITO, 1, "St"};
/* pool id, client id -> client record */
static const struct key_layout cognito_k_client = {KEY_COGNITO, 2, "tt"};
/* pool id -> the key that signs the pool's ID tokens, and once signed all of them; sealed */
static const struct key_layout cognito_k_id_key = {KEY_COGNITO, 3, "t"};
/* pool id -> the key that signs its access tokens, sealed */
static const struct key_layout cognito_k_access_key = {KEY_COGNITO, 13, "t"};
/* pool id -> nothing: there while the pool is; whoever writes what belongs to one reads it */
static const struct key_layout cognito_k_guard = {KEY_COGNITO, 4, "t"};
/* pool id, user name (folded where the pool folds case) -> user record */
static const struct key_layout cognito_k_user = {KEY_COGNITO, 5, "tt"};
/* pool id, attribute, value (folded) -> user name (folded) */
static const struct key_layout cognito_k_alias = {KEY_COGNITO, 6, "ttt"};
/* pool id, group name -> group record */
static const struct key_layout cognito_k_group = {KEY_COGNITO, 7, "tt"};
/* pool id, user name (folded), group name -> nothing */
static const struct key_layout cognito_k_member = {KEY_COGNITO, 8, "ttt"};
/* pool id, group name, user name (folded) -> nothing */
static const struct key_layout cognito_k_in_group = {KEY_COGNITO, 9, "ttt"};
/* pool id, identifier -> ResourceServerType as JSON */
static const struct key_layout cognito_k_server = {KEY_COGNITO, 10, "tt"};
/* domain prefix -> pool id */
static const struct key_layout cognito_k_domain = {KEY_COGNITO, 11, "t"};
/* pool id, kind of mark (enum cognito_mark), digest or id: key of a due time, see cognito_mark.c */
static const struct key_layout cognito_k_mark = {KEY_COGNITO, 12, "tbt"};

#endif
