/* The store in memory, for tests of whatever stands on kv.h: every promise of the contract, no
 * disk, and a crash at the push of a button. Layer: kv. */
#ifndef WEIR_KV_DRV_FAULT_KV_MEM_H
#define WEIR_KV_DRV_FAULT_KV_MEM_H

#include "kv/kv.h"

/* What outlives an open store: the "disk". */
struct kv_mem_disk;

struct kv_mem_disk *kv_mem_disk_new(void);
/* No store may be open on it. NULL is allowed. */
void kv_mem_disk_free(struct kv_mem_disk *disk);

/* Opens the store; one at a time per disk. With `manual`, commits become durable only by
 * kv_mem_grant (and by kv_close, which syncs as every driver does); otherwise at once. */
enum err kv_mem_open(struct kv_mem_disk *disk, bool manual, struct kv **ret_kv) WARN_UNUSED;

/* Makes every commit up to `seq` durable and answers who waited, on the calling thread. */
void kv_mem_grant(struct kv *kv, uint64_t seq);
/* The next grant, and all after it, fails as a failed sync does. */
void kv_mem_fail_sync(struct kv *kv);
/* Ends the open store as a crash would: what was not durable is gone, waits are never answered.
 * Transactions must have ended. The disk can be opened again. */
void kv_mem_crash(struct kv *kv);
/* Sequence of the newest commit. */
uint64_t kv_mem_committed(struct kv *kv);

#endif
