/* Words shared by every layer: error codes, attributes, small arithmetic helpers.
 *
 * Layer: base (includes nothing of Weir). Thread: everything here is pure. */
#ifndef WEIR_BASE_BASE_H
#define WEIR_BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Outcome of a fallible function. ERR_OK is 0. Results go to `ret_*` parameters and are written
 * only on ERR_OK. Three kinds: the client's fault, the environment's fault; a bug asserts. */
enum err {
    ERR_OK = 0,
    ERR_NOMEM,       /* allocation failed or an arena reached its limit (environment) */
    ERR_IO,          /* a syscall or the store failed (environment) */
    ERR_CORRUPT,     /* stored bytes do not decode (environment) */
    ERR_INVALID,     /* input does not parse or breaks a rule (client) */
    ERR_LIMIT,       /* input exceeds a named limit (client) */
    ERR_NOT_FOUND,   /* no such key, file, name */
    ERR_EXISTS,      /* already there */
    ERR_CONFLICT,    /* a concurrent transaction won; rerun */
    ERR_DENIED,      /* not permitted */
    ERR_TIMEOUT,     /* a deadline passed */
    ERR_CLOSED,      /* peer or component is gone */
    ERR_UNSUPPORTED, /* valid, but not something this build or host can do */
    ERR_FAILED,      /* the service's own error was set on the call (core/call.h) */
    ERR_SUSPENDED,   /* the call waits and will be rerun (core/call.h) */
    ERR_LONG,        /* too much work for a loop; rerun where it holds up nobody (core/txn.h) */
};

/* Stable lower-case name of `err` for logs, e.g. "not_found". Static storage. */
const char *err_name(enum err err);

#define WARN_UNUSED __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* Returns early with the error of `expr` when it is not ERR_OK. For functions without cleanup. */
#define TRY(expr)                                                                                  \
    do {                                                                                           \
        enum err try_err_ = (expr);                                                                \
        if (try_err_ != ERR_OK)                                                                    \
            return try_err_;                                                                       \
    } while (0)

static inline size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline int64_t min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

#endif
