/* Names of buckets in host names. Layer: wire. Thread: pure. */
#ifndef WEIR_WIRE_HOST_H
#define WEIR_WIRE_HOST_H

#include "base/str.h"

/* The bucket that a host names in virtual-host style: what stands before ".s3." or ".s3-", or, for local names
 * without that word, before ".localhost". STR_NONE: none, the path says which. */
struct str wire_host_bucket(struct str host);

#endif
