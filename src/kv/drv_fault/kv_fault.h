/* Wraps a store and makes chosen calls fail or lie, to test what stands on it. Layer: kv. */
#ifndef WEIR_KV_DRV_FAULT_KV_FAULT_H
#define WEIR_KV_DRV_FAULT_KV_FAULT_H

#include "kv/kv.h"

enum kv_fault_call {
    KV_FAULT_BEGIN,
    KV_FAULT_COMMIT,
    KV_FAULT_GET,
    KV_FAULT_PEEK,
    KV_FAULT_PUT,
    KV_FAULT_DEL,
    KV_FAULT_SCAN,
    KV_FAULT_NEXT,
    KV_FAULT_CALLS, /* how many kinds there are */
};

/* Takes `inner`: kv_close of the result closes it too. ERR_NOMEM leaves it to the caller. */
enum err kv_fault_wrap(struct kv *inner, struct kv **ret_kv) WARN_UNUSED;

/* The n-th following call of this kind (1 = the next; 0 = none) answers `err`, once. A commit that
 * fails wrote nothing; a failing begin makes no transaction. */
void kv_fault_fail(struct kv *kv, enum kv_fault_call call, uint64_t n, enum err err);
/* The n-th following value that get, peek or next hand out has only its first `keep` bytes. */
void kv_fault_cut(struct kv *kv, uint64_t n, size_t keep);
/* The n-th following value has its byte at `at` (modulo its length) inverted. */
void kv_fault_flip(struct kv *kv, uint64_t n, size_t at);
/* Calls of this kind so far. */
uint64_t kv_fault_calls(struct kv *kv, enum kv_fault_call call);

#endif
