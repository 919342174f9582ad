/* Keys of identity providers, by which tokens are verified: asked for where OpenID Connect Discovery says, and kept
 * for a while.
 *
 * Invariants
 *   SI1  Only a provider that the caller found registered is asked, over HTTPS (plain HTTP where this machine itself
 *        may be asked: --outgoing-loopback), with the address checks of fetch/fetch.h.
 *   SI2  Sets are STS_SETS_MAX, each no older than STS_SET_MS; a key that is not in one is looked for again at most
 *        once in STS_AGAIN_MS, so that tokens of nobody cannot make Weir ask without end.
 *   SI3  No secret of a set (HS256) verifies anything: whoever reads the set has it.
 *
 * Source: OpenID Connect Discovery 1.0, section 4; RFC 7517.
 * Layer: svc/sts. Thread: the call's loop; the sets have a lock. */
#ifndef WEIR_SVC_STS_STS_IDP_H
#define WEIR_SVC_STS_STS_IDP_H

#include "auth/jwt.h"
#include "svc/sts/sts_int.h"

enum {
    STS_SETS_MAX = 64,
    STS_SET_MS = 60 * 60 * 1000,
    STS_AGAIN_MS = 5 * 1000,
    STS_ANSWER_MAX = 256 * 1024,
    STS_ASK_MS = 5 * 1000, /* for each of the two answers; AWS's is as short */
};

/* A call's questions; in its arena, in what call->state points to. Zeroed at first. */
struct sts_idp_ask;

enum err sts_idps_new(struct core *core, struct sts_idps **ret) WARN_UNUSED;
void sts_idps_free(struct sts_idps *idps);

/* Whether the issuer signed the token. ERR_SUSPENDED: the call runs again when it is known more; ERR_DENIED: he did
 * not; ERR_NOT_FOUND: his keys cannot be had, or none is the token's; ERR_CLOSED: he cannot be reached; ERR_NOMEM.
 * `*ask` is NULL at first, and kept between runs. */
enum err sts_idp_verify(struct sts_idps *idps, struct call *call, struct sts_idp_ask **ask,
                        struct str issuer, const struct jwt *jwt) WARN_UNUSED;

#endif
