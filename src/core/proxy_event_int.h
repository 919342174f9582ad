/* What events and answers of both payload formats share. See proxy_event.h.
 *
 * Layer: core, private. Thread: pure. */
#ifndef WEIR_CORE_PROXY_EVENT_INT_H
#define WEIR_CORE_PROXY_EVENT_INT_H

#include "base/map.h"
#include "codec/json.h"
#include "core/proxy_event.h"

enum {
    PROXY_EVENT_BYTES_MAX = 64 * 1024 * 1024, /* a body of the largest that is buffered, escaped */
};

/* Texts by name, each name once, in the order of the first of each. Linear, for a query string may have
 * thousands. */
struct proxy_value {
    struct proxy_value *next;
    struct str text;
};

struct proxy_named {
    struct str name;
    struct proxy_value *first, *last;
};

struct proxy_gathered {
    struct arena *a;
    struct map by_name; /* struct proxy_named; the owner releases it */
    struct proxy_named *v;
    size_t n;
};

/* `max` names at most. ERR_NOMEM. */
enum err proxy_gather_init(struct proxy_gathered *g, struct arena *a, size_t max) WARN_UNUSED;
/* `key` tells whether it is the same name; shown is the first one's `name`. */
enum err proxy_gather(struct proxy_gathered *g, struct str key, struct str name,
                      struct str text) WARN_UNUSED;

/* RFC 9110 section 5.6.2. */
bool proxy_is_token(struct str s);
/* One header of an answer, whose list has room for PROXY_HEADERS_MAX; Content-Type has a place of its own. ERR_INVALID:
 * the name is none, or there are too many. */
enum err proxy_add_header(struct proxy_reply *r, struct str name, struct str value) WARN_UNUSED;
/* Text, or a number or truth value as text. ERR_INVALID. */
enum err proxy_value_text(const struct json *v, struct str *ret_text) WARN_UNUSED;
/* A tree of a text that is too deep for us is as malformed: ERR_INVALID. */
enum err proxy_answer_parse(struct arena *a, struct str text, struct json **ret_doc) WARN_UNUSED;

#endif
