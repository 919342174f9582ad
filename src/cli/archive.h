/* A folder as a zip archive that depends on nothing but names, contents and which files may be run:
 *
 *   AR1 The same files give the same bytes, wherever and whenever: entries are sorted by bytes, all times are
 *       1980-01-01, owners are left out.
 *   AR2 Every file may be read by all, and run by all where its owner may: who runs a function is another
 *       user than who made it, and a strict umask must not decide whether it starts.
 *   AR3 Links are followed; a folder that is inside of itself is refused by its depth.
 *
 * Layer: cli. Thread: blocking. */
#ifndef WEIR_CLI_ARCHIVE_H
#define WEIR_CLI_ARCHIVE_H

#include "base/str.h"

enum {
    ARCHIVE_FILES_MAX = 60 * 1000, /* what an archive without extensions can list */
    ARCHIVE_DEPTH_MAX = 40,
    ARCHIVE_PATH_MAX = 4096,
    ARCHIVE_BYTES_MAX = 512 * 1024 * 1024, /* of the files together */
};

/* Zips what is below the folder, or the one file. *ret_zip lives in the arena. On failure *ret_at is the
 * path that was at fault. ERR_IO (errno), ERR_LIMIT, ERR_NOMEM, ERR_NOT_FOUND: nothing is in it. */
enum err archive_make(struct arena *a, const char *path, struct str *ret_zip,
                      struct str *ret_at) WARN_UNUSED;

#endif
