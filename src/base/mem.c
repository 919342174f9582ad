#include "base/mem.h"

#include <stdbool.h>
#include <stdlib.h>

static _Thread_local uint64_t fail_at;
static _Thread_local uint64_t count;

static bool must_fail(void)
{
    count++;
    return fail_at && count == fail_at;
}

void *mem_alloc(size_t size)
{
    return must_fail() ? NULL : malloc(size ? size : 1);
}

void *mem_calloc(size_t n, size_t size)
{
    return must_fail() ? NULL : calloc(n ? n : 1, size ? size : 1);
}

void *mem_realloc(void *p, size_t size)
{
    return must_fail() ? NULL : realloc(p, size ? size : 1);
}

void mem_free(void *p)
{
    free(p);
}

void mem_fail_after(uint64_t n)
{
    fail_at = n;
    count = 0;
}

uint64_t mem_allocations(void)
{
    return count;
}
