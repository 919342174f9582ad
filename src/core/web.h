/* What a web page may ask. A browser sends requests for any page its user looks at, to this machine
 * too, and a key that everybody knows signs for nobody: so where a request comes from decides.
 *
 * Invariants
 *   WP1  The development key is refused to a page of another origin, and under a Host that is not
 *        known to be Weir's: a name that its owner lets lead here makes any page one of "ours" (DNS
 *        rebinding), and old browsers say nothing else of it.
 *   WP2  Whoever signs, a page of another origin changes nothing.
 *   WP3  --allow-origin, --allow-host and a resource's own cross-origin rules (a bucket's, svc.h) are the
 *        exceptions. Under --insecure-network the development
 *        key is taken under any Host, but of a page only under one that is known: names in a container
 *        network are whatever its owner calls a service.
 *
 * Another origin is what the browser says it is: an Origin that does not name the Host, or
 * Sec-Fetch-Site "cross-site" or "same-site" (Fetch Metadata, W3C). Clients that are no browsers send
 * neither. Claims (claim.h) are pages' own business, but for the key.
 *
 * Layer: core. Thread: any; pure, but for what goes to the call. */
#ifndef WEIR_CORE_WEB_H
#define WEIR_CORE_WEB_H

#include "core/core.h"
#include "core/cors.h"

/* What a head says about it; borrowed from the head. Absent: not sent. */
struct web_head {
    struct str host, origin, referer, site;
};

/* Takes the field if it is one of those. */
void web_note(struct web_head *w, struct str name, struct str value);

/* Whether a Host leads here by more than its owner's word: an address, a name of loopback, one that
 * AWS's clients use, the endpoint's, or one of --allow-host; or a name below one of these. */
bool web_host_known(const struct core_config *cfg, struct str host);
/* NAME or NAME:PORT, as it can stand at the end of a URL's authority. */
bool web_is_authority(struct str text);
/* The page's origin, when --allow-origin names it; absent otherwise. */
struct str web_allowed_origin(const struct core_config *cfg, const struct web_head *w);
/* Whether a page of another origin, not allowed, asks. */
bool web_is_foreign(const struct core_config *cfg, const struct web_head *w);

struct call_impl;
/* Keeps WP1 and WP2 for a call whose head is parsed: ERR_FAILED with the service's error. */
enum err web_check(struct call_impl *c) WARN_UNUSED;
/* Answers a preflight request that may be granted, once it is routed; *ret_answered false: it is none, or
 * nobody's to grant. ERR_FAILED with the error of the resource that does not grant it, ERR_NOMEM. */
enum err web_preflight(struct call_impl *c, struct http_req *req, bool *ret_answered) WARN_UNUSED;
/* Appends what lets an allowed page read the reply; at most WEB_HEADERS_MAX. Returns how many. */
enum { WEB_HEADERS_MAX = CORS_HEADERS_MAX };
size_t web_reply_headers(struct call_impl *c, struct http_header *out);

/* Whether the request brings `token`, "Authorization: Bearer TOKEN" (RFC 6750 section 2.1). Nobody brings
 * an empty one. */
bool web_has_token(const struct http_req *req, struct str token);
/* The operator, who may see more than that Weir is here: who brings the metrics token, and this
 * machine, but neither web pages nor functions on it. */
bool web_is_operator(struct core *core, struct http_req *req);

#endif
