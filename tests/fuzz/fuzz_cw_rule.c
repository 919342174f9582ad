/* Rules of composite alarms: what parses can be asked, whatever the states. */
// link: weir_svc_cloudwatch
#include <assert.h>
#include <stdint.h>

#include "svc/cloudwatch/cw_rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct cw_rule rule;
    enum cw_state states[CW_RULE_NAMES_MAX];
    size_t at = SIZE_MAX;
    arena_init(&a, 1 << 22);
    enum err err = cw_rule_parse(&a, str_n((const char *)data, size), &rule, &at);
    assert(at <= size && rule.n_names <= CW_RULE_NAMES_MAX);
    for (int s = 0; err == ERR_OK && s < CW_STATES; s++) {
        for (size_t i = 0; i < rule.n_names; i++)
            states[i] = (enum cw_state)((s + (int)i) % CW_STATES);
        (void)cw_rule_holds(&rule, states);
    }
    arena_release(&a);
    return 0;
}
