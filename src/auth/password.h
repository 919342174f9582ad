/* Passwords at rest: Argon2id, in the library's text form, which names its parameters, so that they may be raised
 * later.
 *
 * Each costs a tenth of a second or so: not on a loop (txn_work).
 *
 * Source: RFC 9106.
 * Layer: auth. Thread: any. */
#ifndef WEIR_AUTH_PASSWORD_H
#define WEIR_AUTH_PASSWORD_H

#include "base/arena.h"
#include "base/str.h"

/* With a salt of its own. ERR_NOMEM. */
enum err password_hash(struct arena *a, struct str password, struct str *ret_hash) WARN_UNUSED;
/* ERR_DENIED: it is another; ERR_NOMEM. */
enum err password_verify(struct arena *a, struct str hash, struct str password) WARN_UNUSED;

#endif
