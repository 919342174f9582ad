/* Percent-encoding (RFC 3986) as AWS signs it, and application/x-www-form-urlencoded.
 *
 * Layer: codec. Thread: pure. */
#ifndef WEIR_CODEC_PERCENT_H
#define WEIR_CODEC_PERCENT_H

#include "base/buf.h"

enum {
    PERCENT_PAIRS_MAX = 20 * 1000, /* parameters of one form body or query string */
};

/* Everything but A-Z a-z 0-9 - _ . ~ becomes %XX, upper case: the canonical encoding of SigV4. With
 * `keep_slash`, '/' stays too (paths). */
void percent_put(struct buf *b, struct str s, bool keep_slash);
/* The same in the arena; STR_NONE on exhaustion or absent input. */
struct str percent_encode(struct arena *a, struct str s, bool keep_slash);
/* As Java's URLEncoder, which S3 uses for keys in listings and events: letters, digits, - _ . * and
 * with `keep_slash` '/' stay, a space becomes '+'. */
void percent_put_form(struct buf *b, struct str s, bool keep_slash);

/* Resolves %XX; with `plus_is_space` also '+'. A '%' without two digits is ERR_INVALID. Borrows the
 * input when there is nothing to resolve. ERR_NOMEM. */
enum err percent_decode(struct arena *a, struct str s, bool plus_is_space,
                        struct str *ret_s) WARN_UNUSED;

struct percent_pair {
    struct str key;   /* decoded */
    struct str value; /* decoded; absent when there was no '=' */
};

/* Splits "a=1&b=&c" at '&', decodes both sides ('+' is a space when `form`), skips empty pieces.
 * *ret_pairs is an arena array. ERR_INVALID, ERR_LIMIT (PERCENT_PAIRS_MAX), ERR_NOMEM. */
enum err percent_parse_query(struct arena *a, struct str s, bool form,
                             struct percent_pair **ret_pairs, size_t *ret_n) WARN_UNUSED;
/* First value of `key` (empty when it stands without '='), STR_NONE when absent. */
struct str percent_get(const struct percent_pair *pairs, size_t n, struct str key);
/* Whether `key` is there at all. */
bool percent_has(const struct percent_pair *pairs, size_t n, struct str key);

#endif
