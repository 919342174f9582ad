/* Copying folders for `weir backup` and `weir restore`. Layer: main. Thread: blocking. */
#ifndef WEIR_MAIN_COPY_H
#define WEIR_MAIN_COPY_H

#include "base/str.h"

enum { COPY_PATH_MAX = 4096, COPY_DEPTH_MAX = 64 };

struct copier {
    const char *from, *to;
    const char *old; /* an earlier copy, whose files serve where they are the same; NULL: none */
    /* Asked on every 8 MiB: false ends it with ERR_CLOSED. NULL: nobody to ask. */
    bool (*goes_on)(void *arg);
    void *arg;
    uint64_t files, bytes;         /* all of them */
    uint64_t new_files, new_bytes; /* whose bytes were written */
    char why[COPY_PATH_MAX + 128]; /* of a failure */
};

enum copy_how {
    COPY_BYTES, /* the bytes are copied (or shared until one side changes, where the file system can) */
    COPY_NAME, /* the file never changes: a second name does, on the same file system */
};

/* Copies the regular file `below` both folders, with mode and time of change. ERR_NOT_FOUND: it is not
 * there; ERR_CLOSED, ERR_IO, ERR_LIMIT, ERR_NOMEM. */
enum err copy_file(struct copier *c, const char *below, enum copy_how how) WARN_UNUSED;
/* Makes the folder `below` and everything in it but what `skip` (NULL: nothing) says; files by `how`.
 * Sockets, devices and what is mounted are left out. "" is the whole. */
enum err copy_tree(struct copier *c, const char *below, enum copy_how how,
                   bool (*skip)(const char *below)) WARN_UNUSED;
/* Everything below c->to is on the disk. ERR_IO. */
enum err copy_sync(struct copier *c) WARN_UNUSED;

#endif
