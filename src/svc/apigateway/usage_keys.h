/* The key layouts of keys, plans, domains and the account; nobody else builds these keys (kv/key.h says
 * the letters). Table bytes 64 to 95 of the service's space; the rest of the service has the others. */
#ifndef WEIR_SVC_APIGATEWAY_USAGE_KEYS_H
#define WEIR_SVC_APIGATEWAY_USAGE_KEYS_H

#include "kv/key.h"

/* scope, id -> API key (struct usage_key) */
static const struct key_layout usage_k_key = {KEY_APIGATEWAY, 64, "St"};
/* scope, HMAC of its value (32 bytes) -> what a request needs of the key (usage_pass_type) */
static const struct key_layout usage_k_value = {KEY_APIGATEWAY, 65, "Sr"};
/* scope, id -> usage plan (struct usage_plan); mirrored in memory */
static const struct key_layout usage_k_plan = {KEY_APIGATEWAY, 66, "St"};
/* scope, plan id, key id -> nothing: which keys a plan has; which plans a key has is in its record */
static const struct key_layout usage_k_member = {KEY_APIGATEWAY, 67, "Stt"};
/* scope, plan id, key id -> counter (struct usage_count) */
static const struct key_layout usage_k_count = {KEY_APIGATEWAY, 68, "Stt"};
/* scope, plan id, key id, day since 1970 -> what was used on it (struct usage_day) */
static const struct key_layout usage_k_day = {KEY_APIGATEWAY, 69, "Stti"};
/* domain name -> domain and its mappings (struct domain_rec); mirrored in memory */
static const struct key_layout usage_k_domain = {KEY_APIGATEWAY, 70, "t"};
/* scope, domain name -> nothing: the domains of an account */
static const struct key_layout usage_k_domain_of = {KEY_APIGATEWAY, 71, "St"};
/* scope -> ARN of the role that logs are written under */
static const struct key_layout usage_k_account = {KEY_APIGATEWAY, 72, "S"};

#endif
