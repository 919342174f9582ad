/* Shared libraries that are opened when first needed: libcurl, which is in Lambda's provided.al2023 and
 * beside Weir, and libduckdb, which comes in a layer. Opened, not linked: the ingesting function
 * starts without 70 MB that it never uses, and symbols of OpenSSL inside the program and of libcurl's
 * stay apart.
 *
 * Layer: pipeline. Thread: one. */
#ifndef QUOTES_SHARED_H
#define QUOTES_SHARED_H

#include "base/str.h"

struct shared_symbol {
    const char *name;
    void *to; /* where its address goes: a pointer to a function pointer */
};

/* Opens `library` by the dynamic linker's search path, for good, and finds all symbols.
 * ERR_NOT_FOUND: *ret_why (in `a`) is the linker's sentence. */
enum err shared_open(struct arena *a, const char *library, const struct shared_symbol *symbols,
                     size_t n, struct str *ret_why) WARN_UNUSED;

#endif
