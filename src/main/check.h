/* weir check and weir repair: the files of a Weir that does not run. */
#ifndef WEIR_MAIN_CHECK_H
#define WEIR_MAIN_CHECK_H

enum { CHECK_WHOLE = 0, CHECK_DAMAGED = 1, CHECK_IMPOSSIBLE = 2 };

/* Reads everything in the data folder, changes nothing, prints what it finds. CHECK_*. */
int check(const char *data_dir);
/* Makes the store open again after keeping a copy of its files, prints what is lost. CHECK_*. */
int repair(const char *data_dir);

#endif
