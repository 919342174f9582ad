/* weir check and weir repair: the files of a Weir that does not run. */
#ifndef WEIR_MAIN_CHECK_H
#define WEIR_MAIN_CHECK_H

#include <stdbool.h>

enum { CHECK_WHOLE = 0, CHECK_DAMAGED = 1, CHECK_IMPOSSIBLE = 2 };

/* Reads everything in the data folder's store, changes nothing, prints what it finds. With `objects`
 * it goes on with all files of S3 objects that a whole store references, which opens the store as a
 * start does. CHECK_*. */
int check(const char *data_dir, bool objects);
/* Makes the store open again after keeping a copy of its files, prints what is lost. CHECK_*. */
int repair(const char *data_dir);

#endif
