/* What the helper, and with it the first process of every function's namespace, must not show.
 *
 * A function shares a pid namespace with a copy of the helper. Where both have one user id on the
 * host, the kernel shows it /proc/1/environ and /proc/1/cmdline and lets it write /proc/1/mem,
 * unless that process is marked as not dumpable (ptrace(2), "Ptrace access mode checking"). The mark
 * is what holds; that there is nothing to find either is the second line.
 *
 * Layer: sandbox, internal. Thread: the helper's. */
#ifndef WEIR_SANDBOX_HIDE_H
#define WEIR_SANDBOX_HIDE_H

#include "base/base.h"

/* Wipes the arguments and environment that the process was started with, where /proc shows them,
 * and calls it `name` there. The environment is empty afterwards. ERR_IO when the kernel does not say
 * where they are. */
enum err sandbox_hide_arguments(const char *name) WARN_UNUSED;

#endif
