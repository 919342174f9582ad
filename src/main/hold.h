/* /_weir/backup: holds the data folder still for `weir backup`, which copies it.
 *
 *   idle --POST with the token of the root key--> making the checkpoint --> holding
 *     ^                                                                       |
 *     +---------------- checkpoint removed <--- the connection ended ---------+
 *
 * The checkpoint of the store is <data>/backup/db. From before it is made until the connection ends no
 * file that it refers to is removed (core->held_since_ms). The reply's lines: "." now and then, so that a
 * client that went is noticed; "ready" once the checkpoint is there; "failed: why".
 *
 * Layer: main. Thread: the connection's loop. */
#ifndef WEIR_MAIN_HOLD_H
#define WEIR_MAIN_HOLD_H

#include "core/core.h"

#define HOLD_PATH "/_weir/backup"
#define HOLD_FOLDER "backup" /* below the data folder */

/* Registers the route, and removes what an earlier process left. `token`: who brings it may; lives as
 * long as the process. */
void hold_route(struct core *core, const char *token);

#endif
