/* Cross-origin rules of a resource: which pages may ask it for what, and what their browsers are told
 * (Fetch Standard, "CORS protocol"; S3 User Guide, "Elements of a CORS configuration").
 *
 * Layer: core; pure. Lifetime: whatever made the rules; headers borrow from them, the ask and the arena. */
#ifndef WEIR_CORE_CORS_H
#define WEIR_CORE_CORS_H

#include "base/arena.h"
#include "base/str.h"
#include "http/http.h"

struct cors_texts {
    const struct str *v;
    size_t n;
};

/* Origins and headers may have one '*', which stands for any text; headers are of any case. */
struct cors_rule {
    struct str id; /* absent: none */
    struct cors_texts origins, methods, headers, expose;
    bool has_max_age;
    int64_t max_age_s;
};

/* What a page asks. */
struct cors_ask {
    struct str origin;
    struct str method;
    struct str headers; /* names with ',' between; absent: none */
};

/* The first of the rules that allows it; NULL: none does. */
const struct cors_rule *cors_find(const struct cors_rule *rules, size_t n,
                                  const struct cors_ask *ask);

enum { CORS_HEADERS_MAX = 7 };
/* The headers that tell the browser so: all of them for a preflight request, and for the reply to the
 * request itself, as S3 does. Returns how many; 0: no memory, and the browser will refuse. */
size_t cors_headers(struct arena *a, const struct cors_rule *rule, const struct cors_ask *ask,
                    struct http_header out[CORS_HEADERS_MAX]);

#endif
