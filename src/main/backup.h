/* weir backup and weir restore. A backup is a folder in the shape of a data folder, made while the server
 * runs, and the file weir-backup, which is written last: without it the folder is none. */
#ifndef WEIR_MAIN_BACKUP_H
#define WEIR_MAIN_BACKUP_H

#include "base/str.h"

/* Copies what the Weir that serves from `data_dir` (or, when none does, the folder) holds to `to`, where an
 * earlier backup is replaced in one step, and looks whether all is there. Exit code. */
int backup(const char *data_dir, const char *to);
/* Makes `data_dir`, which is not there or empty, from a backup, after a look at it. Exit code. */
int restore(const char *from, const char *data_dir);

#endif
