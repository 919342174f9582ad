/* The file <data>/running (mode 0600): which Weir serves from a data folder, and where, for the command
 * line. The server keeps a lock on it as long as it lives, so that what a killed one left tells nothing.
 *
 * Layer: main. */
#ifndef WEIR_MAIN_RUNNING_H
#define WEIR_MAIN_RUNNING_H

#include "base/str.h"

enum { RUNNING_TEXT_MAX = 256, RUNNING_PATH_MAX = 4096 };

struct running {
    int64_t pid;
    char at[RUNNING_TEXT_MAX];       /* URL that leads there from this machine */
    char endpoint[RUNNING_TEXT_MAX]; /* URL that clients are told */
    char region[RUNNING_TEXT_MAX];
    char network[8];                 /* of functions: world, none or host */
    char tls_cert[RUNNING_PATH_MAX]; /* absolute path; empty without TLS */
    bool dev_key;                    /* test/test is taken */
};

/* Writes it; the lock goes with *ret_fd, which the caller keeps open. ERR_IO (errno), ERR_LIMIT. */
enum err running_write(const char *data_dir, const struct running *r, int *ret_fd) WARN_UNUSED;
/* Removes it and closes `fd`; -1: nothing to do. */
void running_remove(const char *data_dir, int fd);
/* ERR_NOT_FOUND: nobody serves from there; ERR_IO, ERR_CORRUPT. */
enum err running_read(const char *data_dir, struct running *ret_running) WARN_UNUSED;

#endif
