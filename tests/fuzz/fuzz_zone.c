/* Zone files: what parses has an offset within a day or so of UTC at any time, and local times lead
 * back to moments at which clocks show them. */
// link: weir_lang
#include <assert.h>
#include <stdint.h>

#include "lang/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct zone *z;
    arena_init(&a, 1 << 20);
    if (zone_parse(&a, str_n((const char *)data, size), &z) == ERR_OK)
        for (int64_t t = -1000000000; t < 7300000000; t += 98765432) {
            int64_t utc;
            int32_t offset = zone_offset(z, t);
            assert(offset > -26 * 3600 && offset < 26 * 3600);
            if (zone_utc(z, t, &utc))
                assert(utc + zone_offset(z, utc) == t);
        }
    arena_release(&a);
    return 0;
}
