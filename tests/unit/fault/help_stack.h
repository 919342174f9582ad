/* Stacks in a world: requests to CloudFormation, and what the store holds. See help_world.h. */
#ifndef WEIR_TESTS_HELP_STACK_H
#define WEIR_TESTS_HELP_STACK_H

#include "help_world.h"

/* One request; names and values in turn, up to a NULL. Values are escaped here. */
void stack_call(struct world *w, struct reply *ret, const char *action, ...)
    __attribute__((sentinel));
/* Asks until the operation on the stack (a name or ARN) has ended; its status, "" when it is not there. */
const char *stack_settled(struct world *w, struct reply *reply, const char *stack);
/* Text between `mark` and the next '<' of the reply; lives until the next call. "" when it is not there. */
const char *reply_text(const struct reply *reply, const char *mark);

/* How many keys a space of kv/key.h has. */
size_t world_keys_of(struct world *w, int space);
/* The keys of the spaces of a list that 0 ends, but those of the tables of another that 0 ends (256 * space + table), as
 * text for eyes, a line each; arena. */
struct str world_keys(struct world *w, struct arena *a, const int *spaces, const int *but);

#endif
