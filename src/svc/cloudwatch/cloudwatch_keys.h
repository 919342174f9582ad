/* The key layouts of the service; nobody else builds its keys (kv/key.h says the letters).
 *
 * A metric is named once, by its first record; its points stand under a number drawn for it then, so
 * that a point costs 19 bytes of key however long the metric's names are. */
#ifndef WEIR_SVC_CLOUDWATCH_CLOUDWATCH_KEYS_H
#define WEIR_SVC_CLOUDWATCH_CLOUDWATCH_KEYS_H

#include "kv/key.h"

/* scope, namespace, name, packed dimensions -> cw_metric_rec */
static const struct key_layout cw_k_metric = {KEY_CLOUDWATCH, 1, "Sttt"};
/* metric number, class of period, start (ms), unit -> tally */
static const struct key_layout cw_k_point = {KEY_CLOUDWATCH, 2, "ubib"};
/* class of period, start of a chunk (ms), metric number -> key of the metric: to be swept */
static const struct key_layout cw_k_chunk = {KEY_CLOUDWATCH, 3, "biu"};
/* scope, alarm name -> cw_alarm; also the key of its due time */
static const struct key_layout cw_k_alarm = {KEY_CLOUDWATCH, 4, "St"};
/* scope, alarm name, moment (ms), number -> cw_history */
static const struct key_layout cw_k_history = {KEY_CLOUDWATCH, 5, "Stiu"};
/* scope, moment (ms), number, alarm name -> empty: all alarms' history by time */
static const struct key_layout cw_k_history_time = {KEY_CLOUDWATCH, 6, "Siut"};
/* scope, dashboard name -> cw_dashboard */
static const struct key_layout cw_k_dashboard = {KEY_CLOUDWATCH, 7, "St"};

#endif
