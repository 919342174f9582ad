/* The key layouts of the service; nobody else builds its keys (kv/key.h says the letters). */
#ifndef WEIR_SVC_EVENTS_EVENTS_KEYS_H
#define WEIR_SVC_EVENTS_EVENTS_KEYS_H

#include "kv/key.h"

/* scope, bus name -> bus record. The default bus has one only once something was set. */
static const struct key_layout events_k_bus = {KEY_EVENTS, 1, "St"};
/* scope, bus name, rule name -> rule record with its targets */
static const struct key_layout events_k_rule = {KEY_EVENTS, 2, "Stt"};
/* scope, archive name -> archive record */
static const struct key_layout events_k_archive = {KEY_EVENTS, 3, "St"};
/* archive id, time of the event, random -> the event as JSON */
static const struct key_layout events_k_archived = {KEY_EVENTS, 4, "uiu"};
/* archive id, number of the loop -> count record: a loop has its own, so that two never conflict */
static const struct key_layout events_k_count = {KEY_EVENTS, 5, "uu"};
/* archive id -> empty: a deleted archive, to be swept */
static const struct key_layout events_k_dead_archive = {KEY_EVENTS, 6, "u"};
/* scope, replay name -> replay record */
static const struct key_layout events_k_replay = {KEY_EVENTS, 7, "St"};
/* scope, name -> connection record */
static const struct key_layout events_k_connection = {KEY_EVENTS, 8, "St"};
/* scope, name -> record of an API destination */
static const struct key_layout events_k_destination = {KEY_EVENTS, 9, "St"};

#endif
