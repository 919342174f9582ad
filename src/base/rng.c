#include "base/rng.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>

static _Atomic uint64_t seeded;

/* Kernel bytes are drawn in blocks: one syscall serves many small requests of a thread. */
static _Thread_local struct {
    unsigned char bytes[512];
    size_t left;
} pool;

static void kernel_bytes(void *p, size_t len)
{
    char *d = p;
    while (len) {
        ssize_t n = getrandom(d, len, 0);
        if (n < 0) {
            if (errno == EINTR)
                continue;
            abort();
        }
        d += n;
        len -= (size_t)n;
    }
}

static uint64_t xorshift(void)
{
    uint64_t old = atomic_load(&seeded);
    uint64_t x;
    do {
        x = old;
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    } while (!atomic_compare_exchange_weak(&seeded, &old, x));
    return x * 0x2545F4914F6CDD1Dull;
}

void rng_bytes(void *p, size_t len)
{
    if (atomic_load_explicit(&seeded, memory_order_relaxed)) {
        for (size_t i = 0; i < len; i++)
            ((unsigned char *)p)[i] = (unsigned char)(xorshift() >> 32);
        return;
    }
    if (len > sizeof(pool.bytes) / 2) {
        kernel_bytes(p, len);
        return;
    }
    if (pool.left < len) {
        kernel_bytes(pool.bytes, sizeof(pool.bytes));
        pool.left = sizeof(pool.bytes);
    }
    assert(pool.left >= len && pool.left <= sizeof(pool.bytes));
    unsigned char *from = pool.bytes + sizeof(pool.bytes) - pool.left;
    memcpy(p, from, len);
    memset(from, 0, len); /* drawn once, kept nowhere */
    pool.left -= len;
}

uint64_t rng_u64(void)
{
    uint64_t v;
    rng_bytes(&v, sizeof(v));
    return v;
}

uint64_t rng_below(uint64_t n)
{
    assert(n > 0);
    uint64_t limit = UINT64_MAX - UINT64_MAX % n;
    uint64_t v;
    do
        v = rng_u64();
    while (v >= limit);
    return v % n;
}

struct str rng_uuid(char out[RNG_UUID_LEN + 1])
{
    static const char hex[] = "0123456789abcdef";
    unsigned char b[16];
    rng_bytes(b, sizeof(b));
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    size_t o = 0;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[o++] = '-';
        out[o++] = hex[b[i] >> 4];
        out[o++] = hex[b[i] & 15];
    }
    out[o] = '\0';
    return str_n(out, RNG_UUID_LEN);
}

/* A byte for each character, but for those that would favour the alphabet's beginning. */
void rng_text(char *out, size_t len, const char *alphabet)
{
    unsigned char b[64];
    size_t n = strlen(alphabet), at = 0;
    assert(n > 0 && n <= 256);
    size_t limit = 256 - 256 % n;
    while (at < len) {
        size_t drawn = len - at < sizeof(b) ? len - at : sizeof(b);
        rng_bytes(b, drawn);
        for (size_t i = 0; i < drawn; i++)
            if (b[i] < limit)
                out[at++] = alphabet[b[i] % n];
    }
    out[len] = '\0';
}

void rng_seed(uint64_t seed)
{
    atomic_store(&seeded, seed);
}
