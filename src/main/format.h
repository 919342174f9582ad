/* The number of the disk format and the key of what is sealed at rest, kept in the store: a store
 * written by another Weir, or under another root key, is refused. */
#ifndef WEIR_MAIN_FORMAT_H
#define WEIR_MAIN_FORMAT_H

#include "core/core.h"

enum { FORMAT_VERSION = 3 };

/* Stamps a new store, checks an old one; core->secret_key is the store's own then.
 * Prints why it refuses. ERR_UNSUPPORTED, ERR_DENIED (another root key), ERR_CORRUPT, ERR_IO. */
enum err format_check(struct core *core) WARN_UNUSED;

#endif
