/* Delivery policies of topics and subscriptions: what is taken keeps every limit, and says the same when
 * it is read again. */
// link: weir_svc_sns
#include <assert.h>
#include <stdlib.h>

#include "svc/sns/sns_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct arena *a, struct str text, bool of_topic)
{
    struct sns_delivery d, again;
    const char *why = NULL;
    enum err err = sns_delivery_parse(a, text, of_topic, &d, &why);
    if (err) {
        assert(err == ERR_NOMEM || (err == ERR_INVALID && why));
        return;
    }
    d = sns_delivery_effective(&d, NULL);
    for (int n = 1; n <= d.retry.retries; n++) {
        int64_t ms = sns_retry_delay_ms(&d.retry, n);
        assert(ms == 0 || (ms >= d.retry.min_delay_s * 1000 && ms <= d.retry.max_delay_s * 1000));
    }
    struct str told = sns_delivery_text(a, &d, of_topic);
    if (!str_is_set(told))
        return;
    err = sns_delivery_parse(a, told, of_topic, &again, &why);
    assert(err == ERR_NOMEM || (err == ERR_OK && again.retry.retries == d.retry.retries &&
                                again.retry.backoff == d.retry.backoff));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    if (size < 1)
        return 0;
    arena_init(&a, 16 << 20);
    check(&a, str_n((const char *)data + 1, size - 1), data[0] & 1);
    arena_release(&a);
    return 0;
}
