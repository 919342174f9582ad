/* Follows a stack until what is done to it has ended. The server does it whether somebody looks or not: a
 * command that ends before, by Ctrl-C or because the server is away for long, changes nothing of it.
 *
 * Layer: cli. Thread: the command line's only; SIGINT is this module's while it follows. */
#ifndef WEIR_CLI_FOLLOW_H
#define WEIR_CLI_FOLLOW_H

#include "cli/show.h"

enum {
    FOLLOW_LOCAL_MS = 100, /* between two looks */
    FOLLOW_AWS_MS = 2000,
    FOLLOW_AWAY_MAX_MS = 60 * 1000, /* a server that was ended is started again by somebody */
};

enum follow_end {
    FOLLOW_ENDED,
    FOLLOW_INTERRUPTED, /* by Ctrl-C */
    FOLLOW_LOST,        /* aws->why */
};

/* Until the stack has an event with a status that is not of a thing going on, after the event `after`.
 * show->status is it. */
enum follow_end follow_stack(struct aws *aws, struct show *show, struct str after);
/* Waits until it is time to look again; false: Ctrl-C. */
bool follow_pause(const struct aws *aws);

#endif
