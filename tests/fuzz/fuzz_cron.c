/* Schedule expressions: what parses fires strictly later, again and again, or no more. */
// link: weir_lang
#include <assert.h>
#include <stdint.h>

#include "lang/cron.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int d = CRON_RULES; d <= CRON_SCHEDULER; d++) {
        struct cron c;
        int64_t at, after = 1700000000;
        if (cron_parse(str_n((const char *)data, size), (enum cron_dialect)d, &c) != ERR_OK)
            continue;
        for (int i = 0; i < 20 && cron_next(&c, NULL, 1600000000, after, &at) == ERR_OK; i++) {
            assert(at > after);
            assert(c.kind == CRON_RATE || at < 7258118400);
            after = at;
        }
    }
    return 0;
}
