/* The key layouts of APIs and their parts; nobody else builds these keys (kv/key.h says the letters).
 * Tables 1 to 31 are those of APIs; 32 and up of keys, plans, domain names and the account. */
#ifndef WEIR_SVC_APIGATEWAY_APIGATEWAY_KEYS_H
#define WEIR_SVC_APIGATEWAY_APIGATEWAY_KEYS_H

#include "kv/key.h"

/* scope, API's id -> RestApi as JSON, its policy as it was given, without tags */
static const struct key_layout apigateway_k_api = {KEY_APIGATEWAY, 1, "St"};
/* API's id, stage's name -> stage record */
static const struct key_layout apigateway_k_stage = {KEY_APIGATEWAY, 2, "tt"};
/* API's id, deployment's id -> what it deployed (apigateway_snapshot.h) */
static const struct key_layout apigateway_k_snapshot = {KEY_APIGATEWAY, 3, "tt"};

/* API's id, id or name -> JSON of the part's shape. */
static const struct key_layout apigateway_k_resource = {KEY_APIGATEWAY, 4, "tt"};
static const struct key_layout apigateway_k_model = {KEY_APIGATEWAY, 5, "tt"}; /* by name */
static const struct key_layout apigateway_k_validator = {KEY_APIGATEWAY, 6, "tt"};
static const struct key_layout apigateway_k_authorizer = {KEY_APIGATEWAY, 7, "tt"};
static const struct key_layout apigateway_k_deployment = {KEY_APIGATEWAY, 8, "tt"};
static const struct key_layout apigateway_k_response = {KEY_APIGATEWAY, 9, "tt"}; /* by its type */

/* API's id -> nothing: written by whatever changes resources, methods, stages or deployments, and
 * read by what depends on all of them, so that the two conflict. */
static const struct key_layout apigateway_k_guard = {KEY_APIGATEWAY, 10, "t"};

#endif
