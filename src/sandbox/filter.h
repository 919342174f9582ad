/* The system call filter of functions, as a BPF program.
 * Layer: sandbox, internal. Thread: any. */
#ifndef WEIR_SANDBOX_FILTER_H
#define WEIR_SANDBOX_FILTER_H

#include <linux/filter.h>

#include "base/base.h"

/* Writes at most `max` instructions. ERR_UNSUPPORTED when the library cannot make it. */
enum err sandbox_filter_build(struct sock_filter *ret_filter, size_t max,
                              size_t *ret_n) WARN_UNUSED;

#endif
