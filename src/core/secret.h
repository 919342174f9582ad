/* Secrets at rest: what a record holds of keys, passwords and environments is sealed under a key that
 * follows from the root key, which is a file beside the store and not in it. So the store's files
 * alone, a copy or a log of them, give no secret away.
 *
 * Layer: core. Thread: any. */
#ifndef WEIR_CORE_SECRET_H
#define WEIR_CORE_SECRET_H

#include "base/arena.h"
#include "core/core.h"

/* Derives core->secret_key from cfg.root_secret; core_start calls it. The composition root may put the
 * key of the store in its place, which it opens with this one, before anything else is opened. */
void secret_key_init(struct core *core);
/* Seals for the record that `bound` names: a unique and lasting id. Absent stays absent. ERR_NOMEM. */
enum err secret_close(const struct core *core, struct arena *a, struct str bound, struct str plain,
                      struct str *ret_sealed) WARN_UNUSED;
/* ERR_CORRUPT: not sealed so; ERR_NOMEM. */
enum err secret_open(const struct core *core, struct arena *a, struct str bound, struct str sealed,
                     struct str *ret_plain) WARN_UNUSED;
/* The same under a key of the caller's (a data key of KMS) of SEAL_KEY_BYTES. */
enum err secret_close_with(struct str key, struct arena *a, struct str bound, struct str plain,
                           struct str *ret_sealed) WARN_UNUSED;
enum err secret_open_with(struct str key, struct arena *a, struct str bound, struct str sealed,
                          struct str *ret_plain) WARN_UNUSED;

#endif
