/* Borrowed text: pointer and length, not NUL-terminated. p == NULL means "absent", which is
 * different from empty. Thread: pure. */
#ifndef WEIR_BASE_STR_H
#define WEIR_BASE_STR_H

#include <stdarg.h>
#include <string.h>

#include "base/arena.h"
#include "base/base.h"

struct str {
    const char *p;
    size_t len;
};

/* From a string literal. */
#define STR(lit) ((struct str){("" lit), sizeof(lit) - 1})
/* As an initialiser of static storage. */
#define STR_INIT(lit)                                                                              \
    {                                                                                              \
        ("" lit), sizeof(lit) - 1                                                                  \
    }
/* For printf's %.*s; absent prints as empty, and length is cut at INT_MAX. */
#define STR_FMT "%.*s"
#define STR_ARG(s) ((s).len > 0x7fffffff ? 0x7fffffff : (int)(s).len), ((s).p ? (s).p : "")

static const struct str STR_NONE = {0};

static inline struct str str_n(const char *p, size_t len)
{
    return (struct str){p, len};
}

/* From a NUL-terminated string; NULL gives STR_NONE. */
static inline struct str str_c(const char *cstr)
{
    return (struct str){cstr, cstr ? strlen(cstr) : 0};
}

static inline bool str_is_set(struct str s)
{
    return s.p != NULL;
}

static inline bool str_empty(struct str s)
{
    return s.len == 0;
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static inline bool str_eq_c(struct str a, const char *b)
{
    return str_eq(a, str_c(b));
}

/* ASCII case folded. */
bool str_eq_nocase(struct str a, struct str b);
/* Byte order, shorter first on a tie: <0, 0, >0. */
int str_cmp(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/* Index of the first `c`, or SIZE_MAX. */
size_t str_find(struct str s, char c);
/* Index of the last `c`, or SIZE_MAX. */
size_t str_rfind(struct str s, char c);
/* Index of the first occurrence of `needle`, or SIZE_MAX. */
size_t str_find_str(struct str s, struct str needle);
/* Part from `from` (clamped) of at most `len` bytes. */
struct str str_sub(struct str s, size_t from, size_t len);
/* Without leading and trailing bytes that are space, tab, CR or LF. */
struct str str_trim(struct str s);
/* Cuts *rest at the first `sep`: returns what stands before, leaves in *rest what stands after.
 * Without a `sep` all is returned and *rest becomes STR_NONE. */
struct str str_cut(struct str *rest, char sep);

/* Decimal, whole string, optional leading '-'. ERR_INVALID, ERR_LIMIT on overflow. */
enum err str_to_i64(struct str s, int64_t *ret_v) WARN_UNUSED;
/* Decimal, whole string, digits only. */
enum err str_to_u64(struct str s, uint64_t *ret_v) WARN_UNUSED;
/* Finite double, whole string, JSON number syntax plus leading '+'. */
enum err str_to_f64(struct str s, double *ret_v) WARN_UNUSED;

/* Valid UTF-8 without surrogates or overlong forms (RFC 3629). */
bool str_is_utf8(struct str s);
/* Writes code point `c` (at most 0x10ffff) as UTF-8, 1 to 4 bytes; gives where it ends. */
char *str_put_utf8(char *d, uint32_t c);
/* Unicode code points in valid UTF-8 (bytes that start one). */
size_t str_utf8_count(struct str s);

/* Copy in the arena (NUL after it); absent stays absent. .p == NULL with .len > 0 never happens;
 * on exhaustion returns STR_NONE for a present input, so callers that copy check str_is_set. */
struct str str_dup(struct arena *a, struct str s);
/* Formatted in the arena; STR_NONE on exhaustion. */
struct str str_fmt(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct str str_vfmt(struct arena *a, const char *fmt, va_list ap);
/* NUL-terminated copy; NULL on exhaustion or when `s` contains a NUL byte. */
char *str_cstr(struct arena *a, struct str s);
/* Lower-cased ASCII copy. */
struct str str_lower(struct arena *a, struct str s);

/* FNV-free keyed hash (SipHash-1-3, key drawn at start) for tables fed by outside bytes. */
uint64_t str_hash(struct str s);

/* Compares in time that depends on lengths only. */
bool str_eq_consttime(struct str a, struct str b);

/* Glob with '*' (any run) and '?' (one byte), linear in |pattern| * |s| at worst, no recursion. */
bool str_glob(struct str pattern, struct str s);
/* The same with '*' alone: '?' is itself. */
bool str_glob_star(struct str pattern, struct str s);

#endif
