/* References to absolute URIs (RFC 3986, section 5.2), as text. Layer: lang. Thread: pure. */
#ifndef WEIR_LANG_URI_H
#define WEIR_LANG_URI_H

#include "base/str.h"

/* `ref` as seen from `base` (which may be empty: then `ref` as it is), dot segments removed, without
 * an empty fragment. In the arena; STR_NONE when it is exhausted. */
struct str uri_resolve(struct arena *a, struct str base, struct str ref);
/* Cuts *uri at its '#': returns the fragment, STR_NONE when there is none. */
struct str uri_cut_fragment(struct str *uri);

#endif
