/* Host names as they stand in Host headers, URLs and DNS questions.
 *
 * Layer: base. Thread: pure. */
#ifndef WEIR_BASE_HOST_H
#define WEIR_BASE_HOST_H

#include "base/str.h"

/* Without port, brackets of an IPv6 address, and the root's dot; borrowed from `host`. */
struct str host_bare(struct str host);

/* Whether a bare `host` is `domain` or below it, in any case. An empty domain has nothing below it. */
bool host_is_below(struct str host, struct str domain);

/* Whether a bare `host` is below a domain under which AWS has its services' endpoints. */
bool host_is_aws(struct str host);
/* Domain `i` of those, without a dot at its start; NULL after the last. */
const char *host_aws_domain(size_t i);

#endif
