/* CRC-32 (ISO-HDLC, zlib's), CRC-32C (Castagnoli) and CRC-64/NVME: S3's checksums.
 *
 * Incremental: start with 0, feed pieces, the value is final after each. Hardware instructions
 * (SSE4.2, PCLMULQDQ) are used when the processor has them, slicing tables otherwise. The combine
 * functions give the value of the concatenation from the values of the parts, in O(log len).
 *
 * Layer: codec. Thread: pure (tables are built once, before main). */
#ifndef WEIR_CODEC_CRC_H
#define WEIR_CODEC_CRC_H

#include "base/base.h"

uint32_t crc32_update(uint32_t crc, const void *p, size_t len);
uint32_t crc32c_update(uint32_t crc, const void *p, size_t len);
uint64_t crc64nvme_update(uint64_t crc, const void *p, size_t len);

/* crc(A || B) from crc(A), crc(B) and the length of B in bytes. */
uint32_t crc32_combine_parts(uint32_t crc_a, uint32_t crc_b, uint64_t len_b);
uint32_t crc32c_combine_parts(uint32_t crc_a, uint32_t crc_b, uint64_t len_b);
uint64_t crc64nvme_combine_parts(uint64_t crc_a, uint64_t crc_b, uint64_t len_b);

/* Test hook: true makes every update use the table code. */
void crc_force_tables(bool on);

#endif
