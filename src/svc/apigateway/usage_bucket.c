/* See usage_bucket.h. Layer: svc/apigateway. */
#include "svc/apigateway/usage_bucket.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>

#include "base/mem.h"

enum { WAYS = 8, LOCKS = 64 };

/* The longest that a token may take, what a rate near zero comes to, and the farthest that a moment may
 * lie ahead: far from overflowing. */
#define TOKEN_NS_MAX 1e15 /* eleven days */
#define AHEAD_NS_MAX 4e18
#define NS_PER_S 1e9

struct bucket {
    uint64_t name;
    int64_t full_ns; /* when it is full again; not after now: it is, and the place is free */
};

struct usage_buckets {
    pthread_mutex_t locks[LOCKS]; /* lock i guards the sets whose number ends in i */
    size_t n_sets;
    struct bucket *v; /* n_sets * WAYS */
};

enum err usage_buckets_new(size_t slots, struct usage_buckets **ret_buckets)
{
    struct usage_buckets *b = mem_calloc(1, sizeof(*b));
    if (!b)
        return ERR_NOMEM;
    b->n_sets = slots / WAYS + 1;
    b->v = mem_calloc(b->n_sets * WAYS, sizeof(*b->v)); /* pages never used cost nothing */
    if (!b->v) {
        mem_free(b);
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_init(&b->locks[i], NULL);
    *ret_buckets = b;
    return ERR_OK;
}

void usage_buckets_free(struct usage_buckets *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&b->locks[i]);
    mem_free(b->v);
    mem_free(b);
}

/* Its place in the set; else one that is full, else the one that will be full first. */
static struct bucket *place_of(struct bucket *set, uint64_t name)
{
    struct bucket *place = set;
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].name == name && set[i].full_ns)
            return &set[i];
        if (set[i].full_ns < place->full_ns)
            place = &set[i];
    }
    *place = (struct bucket){.name = name};
    return place;
}

static int64_t token_ns(const struct usage_take *t)
{
    return (int64_t)fmin(NS_PER_S / t->rate, TOKEN_NS_MAX);
}

/* Takes `tokens`, 1 or -1 to give one back. */
static bool take(struct usage_buckets *b, const struct usage_take *t, int tokens, int64_t now_ns)
{
    if (!(t->rate > 0) || !(t->burst >= 1))
        return false;
    size_t set = t->name % b->n_sets;
    double most_ns = fmin((double)token_ns(t) * (t->burst - 1), AHEAD_NS_MAX);
    pthread_mutex_lock(&b->locks[set % LOCKS]);
    struct bucket *p = place_of(&b->v[set * WAYS], t->name);
    int64_t full_ns = p->full_ns > now_ns ? p->full_ns : now_ns;
    bool may = tokens < 0 || (double)(full_ns - now_ns) <= most_ns;
    if (may)
        p->full_ns = full_ns + tokens * token_ns(t);
    pthread_mutex_unlock(&b->locks[set % LOCKS]);
    return may;
}

bool usage_buckets_take(struct usage_buckets *b, const struct usage_take *takes, size_t n,
                        int64_t now_ns)
{
    size_t i = 0;
    while (i < n && take(b, &takes[i], 1, now_ns))
        i++;
    bool all = i == n;
    while (!all && i > 0)
        (void)take(b, &takes[--i], -1, now_ns);
    return all;
}
