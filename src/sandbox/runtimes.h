/* Interpreters of this machine as Lambda runtimes: python3.X and nodejsX.x run exactly that version.
 *
 * Looked for, first to last: what `weir serve --runtime NAME=PATH` names; what `weir runtime add` put
 * below <data>/runtimes; /usr/local/bin and /usr/bin; pyenv, uv and nvm of Weir's user and of root.
 * What is installed later counts at once.
 *
 * Layer: sandbox. Thread: any. */
#ifndef WEIR_SANDBOX_RUNTIMES_H
#define WEIR_SANDBOX_RUNTIMES_H

#include "base/str.h"
#include "sandbox/box.h"

enum {
    RUNTIME_NAME_MAX = 24,
    RUNTIME_VERSION_MAX = 32,
    RUNTIMES_GIVEN_MAX = 32, /* --runtime options */
};

struct runtime_places {
    struct str data_dir;
    const char *const *given; /* "python3.12=/opt/py/bin/python3.12" */
    size_t n_given;
};

struct runtime_found {
    char name[RUNTIME_NAME_MAX];       /* what it is: "python3.12" */
    char path[BOX_PATH_MAX];           /* the program, links resolved */
    char prefix[BOX_PATH_MAX];         /* folder that it needs beside the system's; "": none */
    char version[RUNTIME_VERSION_MAX]; /* as far as it is known without running it */
    const char *from;                  /* "pyenv"; static */
};

/* Calls fn(arg, found) for each, in the order above. O(folders). */
void sandbox_runtimes_each(const struct runtime_places *places,
                           void (*fn)(void *arg, const struct runtime_found *found), void *arg);
/* The interpreter of a runtime; with `substitutes` else the nearest newer one. ERR_NOT_FOUND. */
enum err sandbox_runtimes_find(const struct runtime_places *places, struct str name,
                               bool substitutes, struct runtime_found *ret_found) WARN_UNUSED;
/* Asks the system's Node.js for its version, which is remembered: for a thread that may wait, before a loop
 * has to. */
void sandbox_runtimes_warm(void);
/* Whether NAME=PATH names a runtime and a program that functions may be shown: below /usr, or
 * PREFIX/bin/PROGRAM whose PREFIX holds no user's home. */
bool sandbox_runtimes_given_valid(const char *given);

#endif
