/* Process-lifetime allocation that tests can make fail.
 *
 * mem_fail_after(n) makes the n-th following allocation (1 = the next) of this thread return NULL,
 * once; 0 turns it off. Everything of Weir that is not in an arena is allocated here. */
#ifndef WEIR_BASE_MEM_H
#define WEIR_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

void *mem_alloc(size_t size) __attribute__((malloc, alloc_size(1)));
void *mem_calloc(size_t n, size_t size) __attribute__((malloc));
/* As realloc(3): on failure `p` is untouched and NULL returned. */
void *mem_realloc(void *p, size_t size);
void mem_free(void *p);

/* Test hook, see above. */
void mem_fail_after(uint64_t n);
/* Allocations of this thread since the last mem_fail_after call. */
uint64_t mem_allocations(void);

#endif
