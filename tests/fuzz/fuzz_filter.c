/* Filter patterns, and messages they are tried on: the pattern up to the first line's end, the message after. */
// link: weir_lang
#include <assert.h>
#include <stdint.h>

#include "lang/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct filter f;
    struct filter_parts parts;
    struct str rest = str_n((const char *)data, size), pattern = str_cut(&rest, '\n');
    bool matches;
    arena_init(&a, 16 << 20);
    if (filter_parse(&a, pattern, &f, NULL) == ERR_OK &&
        filter_matches(&f, &a, str_is_set(rest) ? rest : STR(""), &parts, &matches) == ERR_OK) {
        struct filter_extract x;
        assert(f.n_columns <= FILTER_COLUMNS_MAX && (f.rest == SIZE_MAX || f.rest <= f.n_columns));
        if (filter_extract_parse(&a, &f, STR("$.a[0].b"), &x) == ERR_OK)
            (void)filter_extract_text(&x, &parts);
        for (size_t i = 0; i < f.n_columns && parts.fields; i++)
            assert(!matches || str_is_set(parts.fields[i]));
    }
    arena_release(&a);
    return 0;
}
