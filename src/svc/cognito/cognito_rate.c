/* Token buckets of unsigned calls. Layer: svc/cognito. Thread: any. */
#include "svc/cognito/cognito_rate.h"

#include <pthread.h>

#include "base/mem.h"

struct bucket {
    int64_t at_ms;
    uint64_t left_milli; /* thousandths of a call */
};

struct cognito_rates {
    pthread_mutex_t lock;
    uint64_t per_second;
    struct bucket v[COGNITO_RATES];
};

enum err cognito_rates_new(uint64_t per_second, struct cognito_rates **ret)
{
    struct cognito_rates *r = mem_calloc(1, sizeof(*r));
    if (!r)
        return ERR_NOMEM;
    pthread_mutex_init(&r->lock, NULL);
    r->per_second = per_second;
    for (size_t i = 0; i < COGNITO_RATES; i++)
        r->v[i].left_milli = per_second * 1000;
    *ret = r;
    return ERR_OK;
}

void cognito_rates_free(struct cognito_rates *r)
{
    if (!r)
        return;
    pthread_mutex_destroy(&r->lock);
    mem_free(r);
}

bool cognito_rate_take(struct cognito_rates *r, struct str name, int64_t now_ms)
{
    const uint64_t full = r->per_second * 1000;
    struct bucket *b = &r->v[str_hash(name) % COGNITO_RATES];
    pthread_mutex_lock(&r->lock);
    int64_t passed = now_ms - b->at_ms;
    if (passed > 0) {
        /* A second fills it: more need not be multiplied. */
        uint64_t more = passed >= 1000 ? full : (uint64_t)passed * r->per_second;
        b->left_milli = b->left_milli + more > full ? full : b->left_milli + more;
        b->at_ms = now_ms;
    }
    bool may = b->left_milli >= 1000;
    if (may)
        b->left_milli -= 1000;
    pthread_mutex_unlock(&r->lock);
    return may;
}
