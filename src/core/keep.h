/* Who asked for long work, kept in its record: a stack is made minutes after the call that asked for it, and
 * each of its inner calls is authorised as that caller.
 *
 * What is kept names the caller and says nothing of his rights: they are read anew each time (policies,
 * boundary, session policies), so work never may more than he may now, and nothing at all once he is gone.
 * A session's token is kept sealed (secret.h); that it expires meanwhile does not end the work, as on AWS,
 * where a service's forward access session outlives the caller's.
 *
 * Layer: core. Lifetime: what is read is the arena's. Thread: any. */
#ifndef WEIR_CORE_KEEP_H
#define WEIR_CORE_KEEP_H

#include "base/record.h"
#include "core/core.h"

struct kept_principal {
    struct str access_key, token; /* of the request's signature; the token sealed */
    struct str role_arn,
        session; /* of a role's session that no key stands behind: an inner call's */
};
extern const struct record_type kept_principal_type;

/* The call's caller; `bound` is a unique and lasting id of the record that keeps him. ERR_DENIED: nobody that
 * could be found again (an anonymous caller, a service); ERR_NOMEM. */
enum err principal_keep(const struct call *call, struct str bound,
                        struct kept_principal *ret_kept) WARN_UNUSED;
/* The caller with his rights as they are now. ERR_DENIED: he is gone, or may not act any more; ERR_CORRUPT,
 * ERR_NOMEM. */
enum err principal_of_kept(struct core *core, struct arena *a, struct str bound,
                           const struct kept_principal *kept,
                           struct principal *ret_who) WARN_UNUSED;

/* Of a call that a service makes for somebody: the resource that it does so for (core/inner.h, source_arn);
 * absent: none. */
struct str call_via_source(const struct call *call);

#endif
