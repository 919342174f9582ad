/* The number of the disk format, kept in the store: a store written by a later Weir is refused. */
#ifndef WEIR_MAIN_FORMAT_H
#define WEIR_MAIN_FORMAT_H

#include "core/core.h"

enum { FORMAT_VERSION = 3 };

/* Stamps a new store, checks an old one: its format, and that it was sealed under this root key.
 * Prints why it refuses. ERR_UNSUPPORTED, ERR_DENIED (another root key), ERR_CORRUPT, ERR_IO. */
enum err format_check(struct core *core) WARN_UNUSED;

#endif
