/* The commands for stacks: their options, and which Weir is meant.
 *
 * Layer: main. */
#ifndef WEIR_MAIN_STACKS_H
#define WEIR_MAIN_STACKS_H

#include "cli/options.h"

enum stacks_command { STACKS_DEPLOY, STACKS_DIFF, STACKS_DESTROY, STACKS_LIST, STACKS_COMMANDS };

extern const struct option_table stacks_options[STACKS_COMMANDS];

/* Parses and runs. `data_dir`: of the Weir that is meant, if --data does not say. Exit code. */
int stacks_run(enum stacks_command command, const char *data_dir, int argc, char **argv);

#endif
