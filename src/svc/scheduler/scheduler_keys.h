/* The key layouts of the service; nobody else builds its keys (kv/key.h says the letters). */
#ifndef WEIR_SVC_SCHEDULER_SCHEDULER_KEYS_H
#define WEIR_SVC_SCHEDULER_SCHEDULER_KEYS_H

#include "kv/key.h"

/* scope, group name -> group record. The default group has none. */
static const struct key_layout scheduler_k_group = {KEY_SCHEDULER, 1, "St"};
/* scope, group name, schedule name -> schedule record */
static const struct key_layout scheduler_k_schedule = {KEY_SCHEDULER, 2, "Stt"};
/* scope, client token: key of a due time, whose value is what the token was used for */
static const struct key_layout scheduler_k_token = {KEY_SCHEDULER, 3, "St"};

#endif
