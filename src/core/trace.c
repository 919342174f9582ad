/* Layer: core. */
#include "core/trace.h"

#include <stdio.h>
#include <string.h>

#include "base/rng.h"

enum { TIME_HEX = 8, UNIQUE_HEX = 24 };

struct str trace_field(struct str header, const char *name)
{
    if (header.len > TRACE_GIVEN_MAX)
        return STR_NONE;
    while (str_is_set(header)) {
        struct str value = str_trim(str_cut(&header, ';'));
        struct str key = str_cut(&value, '=');
        if (str_eq_nocase(key, str_c(name)))
            return value;
    }
    return STR_NONE;
}

struct str trace_root(struct str header)
{
    struct str s = trace_field(header, "Root");
    if (s.len != TRACE_ROOT_LEN || !str_starts(s, STR("1-")) || s.p[2 + TIME_HEX] != '-')
        return STR_NONE;
    for (size_t i = 2; i < s.len; i++)
        if (i != 2 + TIME_HEX && !strchr("0123456789abcdefABCDEF", s.p[i]))
            return STR_NONE;
    return s;
}

struct str trace_root_make(char out[TRACE_ROOT_LEN + 1], int64_t wall_ms)
{
    char hex[UNIQUE_HEX + 1];
    rng_text(hex, UNIQUE_HEX, "0123456789abcdef");
    int n = snprintf(out, TRACE_ROOT_LEN + 1, "1-%08x-%.24s", (unsigned)(wall_ms / 1000), hex);
    return str_n(out, (size_t)n);
}
