/* Files and folders that a command reads. Layer: cli. */
#ifndef WEIR_CLI_FILE_H
#define WEIR_CLI_FILE_H

#include "base/str.h"

/* The whole of a file, of at most `max` bytes. ERR_NOT_FOUND, ERR_IO (errno), ERR_LIMIT, ERR_NOMEM. */
enum err file_read(struct arena *a, const char *path, size_t max, struct str *ret_text) WARN_UNUSED;

enum file_kind { FILE_NONE, FILE_PLAIN, FILE_FOLDER };
/* What is at the path, links followed; FILE_NONE too for what is neither. */
enum file_kind file_kind(const char *path);

#endif
