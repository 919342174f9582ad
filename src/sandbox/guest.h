/* The calling process in a network like a function's: weir exec, the command's end. Its files, users and
 * terminal stay; what it finds on the network, and whom it trusts there, is what functions find.
 *
 * Layer: sandbox (includes net). Thread: a process that has one. */
#ifndef WEIR_SANDBOX_GUEST_H
#define WEIR_SANDBOX_GUEST_H

#include "sandbox/box.h"

enum { GUEST_WHY_MAX = 512 };

struct guest_place {
    const char *data_dir; /* absolute; of the running server */
    struct box_net net;   /* `guest` is set by sandbox_guest_enter */
};

/* Makes namespaces (network and mounts; where they need one, a user namespace that maps this user to
 * itself), shows the server's resolver and authority there, has the server serve it until this process
 * ends, and sets the environment's variables that say whom to trust. On false ret_why (GUEST_WHY_MAX)
 * says what was missing, and the process is half on its way: it can only exit. Whatever happens nothing
 * stays behind: the namespaces end with their processes, and the files are in one of them. */
bool sandbox_guest_enter(const struct guest_place *place, char *ret_why);

/* guest_files.c: the part about files and variables, in a mount namespace that was just made. */
bool sandbox_guest_show_files(const char *data_dir, char *ret_why);

#endif
