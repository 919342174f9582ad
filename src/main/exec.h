/* weir exec: a command for which AWS's names are the running Weir. */
#ifndef WEIR_MAIN_EXEC_H
#define WEIR_MAIN_EXEC_H

/* What env, timeout and nohup exit with: these are not the command's. */
enum { EXEC_FAILED = 125, EXEC_NOT_EXECUTABLE = 126, EXEC_NOT_FOUND = 127 };

/* This process becomes `argv` (NULL after the last), looked up in PATH, in a network like those of
 * functions of the Weir that serves from `data_dir`. Comes back only when it cannot, with an exit code,
 * and has said why. */
int exec_command(const char *data_dir, char **argv);

#endif
