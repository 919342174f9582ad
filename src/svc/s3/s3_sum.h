/* Digests of object bytes: MD5 for the ETag and the checksums that S3 knows, computed while the
 * bytes pass by; their text forms; and how those of parts make one of the whole.
 *
 * Source: S3 User Guide, "Checking object integrity". Layer: svc. Thread: one at a time. */
#ifndef WEIR_SVC_S3_S3_SUM_H
#define WEIR_SVC_S3_S3_SUM_H

#include "codec/hash.h"
#include "svc/s3/s3_record.h"

enum { S3_SUM_LEN_MAX = 32 };

/* "CRC32" -> S3_CRC32; S3_NO_CHECKSUM when it is none that Weir computes. */
enum s3_algo s3_algo_of(struct str name);
/* "CRC32" */
struct str s3_algo_name(enum s3_algo algo);
/* "x-amz-checksum-crc32" */
struct str s3_algo_header(enum s3_algo algo);
/* Of a header's name, without case; S3_NO_CHECKSUM. */
enum s3_algo s3_algo_of_header(struct str header);
/* Bytes of the digest. */
size_t s3_algo_len(enum s3_algo algo);
/* Whether the value of the whole can be computed from those of the parts. */
bool s3_algo_combines(enum s3_algo algo);

struct s3_summer {
    uint32_t algos; /* bit 1 << algo for each wanted */
    uint32_t crc32, crc32c;
    uint64_t crc64nvme;
    struct hash md5, sha1, sha256;
};
/* ERR_NOMEM. */
enum err s3_summer_init(struct s3_summer *s, uint32_t algos) WARN_UNUSED;
void s3_summer_update(struct s3_summer *s, const void *p, size_t len);
/* The two halves of it, about as long as each other, which two threads may run at once. */
void s3_summer_update_md5(struct s3_summer *s, const void *p, size_t len);
void s3_summer_update_sums(struct s3_summer *s, const void *p, size_t len);
void s3_summer_release(struct s3_summer *s);
void s3_summer_md5(struct s3_summer *s, uint8_t out[HASH_MD5_LEN]);
/* Digest of one of the wanted algorithms, s3_algo_len bytes. Once per algorithm. */
void s3_summer_final(struct s3_summer *s, enum s3_algo algo, uint8_t *out);

/* ETag and checksum of a multipart object from its parts, in order. The checksum is left out when
 * `algo` is none or a part lacks it. ERR_NOMEM, ERR_CORRUPT. */
enum err s3_sum_parts(struct arena *a, const struct s3_part_rec *parts, size_t n, enum s3_algo algo,
                      bool composite, struct str *ret_etag, struct s3_sum *ret_sum) WARN_UNUSED;

/* What a request claims: the value of each x-amz-checksum-* member. */
struct s3_claims {
    struct str text[S3_ALGOS];
    size_t n;         /* set ones */
    bool unsupported; /* one of an algorithm that Weir does not compute */
};
#define S3_CLAIMS(in)                                                                              \
    s3_claims_make((in)->checksum_crc32, (in)->checksum_crc32_c, (in)->checksum_crc64_nvme,        \
                   (in)->checksum_sha1, (in)->checksum_sha256,                                     \
                   str_is_set((in)->checksum_sha512) || str_is_set((in)->checksum_md5) ||          \
                       str_is_set((in)->checksum_xxhash64) ||                                      \
                       str_is_set((in)->checksum_xxhash3) || str_is_set((in)->checksum_xxhash128))
struct s3_claims s3_claims_make(struct str crc32, struct str crc32c, struct str crc64nvme,
                                struct str sha1, struct str sha256, bool unsupported);
/* The algorithm claimed first, or none. */
enum s3_algo s3_claims_algo(const struct s3_claims *claims);

/* Puts a checksum into the members of a generated output struct. */
#define S3_SET_SUM(out, sum)                                                                       \
    do {                                                                                           \
        const struct s3_sum *sum_ = (sum);                                                         \
        (out)->checksum_crc32 = sum_->algo == S3_CRC32 ? sum_->text : STR_NONE;                    \
        (out)->checksum_crc32_c = sum_->algo == S3_CRC32C ? sum_->text : STR_NONE;                 \
        (out)->checksum_crc64_nvme = sum_->algo == S3_CRC64NVME ? sum_->text : STR_NONE;           \
        (out)->checksum_sha1 = sum_->algo == S3_SHA1 ? sum_->text : STR_NONE;                      \
        (out)->checksum_sha256 = sum_->algo == S3_SHA256 ? sum_->text : STR_NONE;                  \
    } while (0)
/* "FULL_OBJECT", "COMPOSITE", or absent. */
struct str s3_sum_type(const struct s3_sum *sum);

#endif
