/* The key layouts of the service; nobody else builds its keys (kv/key.h says the letters).
 *
 * Ids are drawn at random once, so that a name used again never meets old events. */
#ifndef WEIR_SVC_LOGS_LOGS_KEYS_H
#define WEIR_SVC_LOGS_LOGS_KEYS_H

#include "kv/key.h"

/* scope, group name -> group record */
static const struct key_layout logs_k_group = {KEY_LOGS, 1, "St"};
/* group id, stream name -> stream record */
static const struct key_layout logs_k_stream = {KEY_LOGS, 2, "ut"};
/* stream id, timestamp, seq -> event record */
static const struct key_layout logs_k_event = {KEY_LOGS, 3, "uiu"};
/* group id, timestamp of the last event, stream name -> empty */
static const struct key_layout logs_k_by_time = {KEY_LOGS, 4, "uit"};
/* stream id -> empty: events of a deleted stream, to be swept */
static const struct key_layout logs_k_dead_stream = {KEY_LOGS, 5, "u"};
/* group id -> empty: a deleted group, to be swept */
static const struct key_layout logs_k_dead_group = {KEY_LOGS, 6, "u"};
/* scope -> policies record */
static const struct key_layout logs_k_policies = {KEY_LOGS, 7, "S"};
/* group id, number -> data key of the group, as KMS sealed it */
static const struct key_layout logs_k_data_key = {KEY_LOGS, 8, "uw"};
/* group id, filter name -> metric filter record */
static const struct key_layout logs_k_metric = {KEY_LOGS, 9, "ut"};
/* group id, filter name -> subscription filter record */
static const struct key_layout logs_k_sub = {KEY_LOGS, 10, "ut"};
/* scope, query id -> query record */
static const struct key_layout logs_k_query = {KEY_LOGS, 11, "St"};
/* query's uid, number -> row of its results */
static const struct key_layout logs_k_query_row = {KEY_LOGS, 12, "uw"};
/* scope, when it was started, query id -> empty */
static const struct key_layout logs_k_query_time = {KEY_LOGS, 13, "Sit"};
/* scope -> how many queries there are */
static const struct key_layout logs_k_queries = {KEY_LOGS, 14, "S"};
/* scope, id -> query definition record */
static const struct key_layout logs_k_definition = {KEY_LOGS, 15, "St"};

#endif
