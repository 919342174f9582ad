/* weir runtime list|add: the interpreters that functions run by. */
#ifndef WEIR_MAIN_RUNTIME_H
#define WEIR_MAIN_RUNTIME_H

/* Prints name, version, path and from where of each. Exit code. */
int runtime_list(const char *data_dir);
/* Becomes the script that installs one below <data_dir>/runtimes; returns, with an exit code, only
 * when there is none. */
int runtime_add(const char *data_dir, const char *name);

#endif
