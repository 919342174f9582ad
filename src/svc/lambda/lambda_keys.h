/* The key layouts of the service; nobody else builds its keys (kv/key.h says the letters). */
#ifndef WEIR_SVC_LAMBDA_KEYS_H
#define WEIR_SVC_LAMBDA_KEYS_H

#include "kv/key.h"

/* scope, function name -> function record */
static const struct key_layout lambda_k_function = {KEY_LAMBDA, 1, "St"};
/* scope, function name, or "name:qualifier" -> policy record */
static const struct key_layout lambda_k_policy = {KEY_LAMBDA, 2, "St"};
/* scope, uuid -> event source mapping record */
static const struct key_layout lambda_k_mapping = {KEY_LAMBDA, 3, "St"};
/* scope, ARN of a source, function name, or "name:qualifier" -> uuid of the mapping of the two */
static const struct key_layout lambda_k_pair = {KEY_LAMBDA, 4, "Stt"};
/* scope, function name, number -> function record of a published version */
static const struct key_layout lambda_k_version = {KEY_LAMBDA, 6, "Stu"};
/* scope, function name, alias name -> alias record */
static const struct key_layout lambda_k_alias = {KEY_LAMBDA, 7, "Stt"};
/* scope, layer name, number -> layer version record */
static const struct key_layout lambda_k_layer = {KEY_LAMBDA, 8, "Stu"};
/* scope, layer name -> number of the version that was published last */
static const struct key_layout lambda_k_layer_head = {KEY_LAMBDA, 9, "St"};

/* scope, uuid, shard -> places up to which the mapping has done the stream (lambda_stream.c) */
static const struct key_layout lambda_k_checkpoint = {KEY_LAMBDA, 5, "Sth"};
/* scope, uuid, shard, lane -> open tumbling window (lambda_window.h) */
static const struct key_layout lambda_k_window = {KEY_LAMBDA, 20, "Sthh"};

/* scope, function name, version or alias -> provisioned concurrency record */
static const struct key_layout lambda_k_provisioned = {KEY_LAMBDA, 17, "Stt"};
/* scope, function name, alias name or nothing -> function URL record */
static const struct key_layout lambda_k_url = {KEY_LAMBDA, 16, "Stt"};

#endif
