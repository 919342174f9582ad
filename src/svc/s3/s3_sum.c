/* Digests of object bytes. See s3_sum.h. Layer: svc. */
#include "svc/s3/s3_sum.h"

#include <assert.h>
#include <endian.h>
#include <inttypes.h>

#include "codec/base64.h"
#include "codec/crc.h"
#include "codec/hex.h"

static const struct {
    struct str name, header;
    size_t len;
} algos[S3_ALGOS] = {
    [S3_NO_CHECKSUM] = {STR_INIT(""), STR_INIT(""), 0},
    [S3_CRC32] = {STR_INIT("CRC32"), STR_INIT("x-amz-checksum-crc32"), 4},
    [S3_CRC32C] = {STR_INIT("CRC32C"), STR_INIT("x-amz-checksum-crc32c"), 4},
    [S3_CRC64NVME] = {STR_INIT("CRC64NVME"), STR_INIT("x-amz-checksum-crc64nvme"), 8},
    [S3_SHA1] = {STR_INIT("SHA1"), STR_INIT("x-amz-checksum-sha1"), HASH_SHA1_LEN},
    [S3_SHA256] = {STR_INIT("SHA256"), STR_INIT("x-amz-checksum-sha256"), HASH_SHA256_LEN},
};

enum s3_algo s3_algo_of(struct str name)
{
    for (int i = 1; i < S3_ALGOS; i++)
        if (str_eq_nocase(algos[i].name, name))
            return (enum s3_algo)i;
    return S3_NO_CHECKSUM;
}

struct str s3_algo_name(enum s3_algo algo)
{
    assert(algo < S3_ALGOS);
    return algos[algo].name;
}

struct str s3_algo_header(enum s3_algo algo)
{
    return algos[algo].header;
}

enum s3_algo s3_algo_of_header(struct str header)
{
    for (int i = 1; i < S3_ALGOS; i++)
        if (str_eq_nocase(algos[i].header, header))
            return (enum s3_algo)i;
    return S3_NO_CHECKSUM;
}

size_t s3_algo_len(enum s3_algo algo)
{
    assert(algo < S3_ALGOS);
    return algos[algo].len;
}

bool s3_algo_combines(enum s3_algo algo)
{
    return algo == S3_CRC32 || algo == S3_CRC32C || algo == S3_CRC64NVME;
}

enum err s3_summer_init(struct s3_summer *s, uint32_t wanted)
{
    *s = (struct s3_summer){.algos = wanted};
    TRY(hash_init(&s->md5, HASH_MD5));
    if (wanted & 1u << S3_SHA1)
        TRY(hash_init(&s->sha1, HASH_SHA1));
    if (wanted & 1u << S3_SHA256)
        TRY(hash_init(&s->sha256, HASH_SHA256));
    return ERR_OK;
}

void s3_summer_update_md5(struct s3_summer *s, const void *p, size_t len)
{
    hash_update(&s->md5, p, len);
}

void s3_summer_update_sums(struct s3_summer *s, const void *p, size_t len)
{
    if (s->algos & 1u << S3_CRC32)
        s->crc32 = crc32_update(s->crc32, p, len);
    if (s->algos & 1u << S3_CRC32C)
        s->crc32c = crc32c_update(s->crc32c, p, len);
    if (s->algos & 1u << S3_CRC64NVME)
        s->crc64nvme = crc64nvme_update(s->crc64nvme, p, len);
    if (s->algos & 1u << S3_SHA1)
        hash_update(&s->sha1, p, len);
    if (s->algos & 1u << S3_SHA256)
        hash_update(&s->sha256, p, len);
}

void s3_summer_update(struct s3_summer *s, const void *p, size_t len)
{
    s3_summer_update_md5(s, p, len);
    s3_summer_update_sums(s, p, len);
}

void s3_summer_release(struct s3_summer *s)
{
    hash_release(&s->md5);
    hash_release(&s->sha1);
    hash_release(&s->sha256);
}

void s3_summer_md5(struct s3_summer *s, uint8_t out[HASH_MD5_LEN])
{
    hash_final(&s->md5, out);
}

static void put_crc(enum s3_algo algo, uint64_t crc, uint8_t *out)
{
    assert(s3_algo_combines(algo) && (algo == S3_CRC64NVME || crc <= UINT32_MAX));
    uint64_t be64 = htobe64(crc);
    uint32_t be32 = htobe32((uint32_t)crc);
    if (algo == S3_CRC64NVME)
        memcpy(out, &be64, sizeof(be64));
    else
        memcpy(out, &be32, sizeof(be32));
}

void s3_summer_final(struct s3_summer *s, enum s3_algo algo, uint8_t *out)
{
    assert(s->algos & 1u << algo);
    switch (algo) {
    case S3_CRC32:
        put_crc(algo, s->crc32, out);
        break;
    case S3_CRC32C:
        put_crc(algo, s->crc32c, out);
        break;
    case S3_CRC64NVME:
        put_crc(algo, s->crc64nvme, out);
        break;
    case S3_SHA1:
        hash_final(&s->sha1, out);
        break;
    case S3_SHA256:
        hash_final(&s->sha256, out);
        break;
    case S3_NO_CHECKSUM:
    case S3_ALGOS:
        break;
    }
}

/* --- parts ------------------------------------------------------------------------------------ */

/* Digest of the joined digests, with the number of parts: how S3 makes ETags and composite sums. */
static enum err etag_of_parts(struct arena *a, const struct s3_part_rec *parts, size_t n,
                              struct str *ret_etag)
{
    uint8_t digest[HASH_MD5_LEN];
    char hex[2 * HASH_MD5_LEN];
    struct hash md5;
    enum err err = hash_init(&md5, HASH_MD5);
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        err = hex_decode_to(parts[i].etag, digest, sizeof(digest)) == ERR_OK ? ERR_OK : ERR_CORRUPT;
        if (err == ERR_OK)
            hash_update(&md5, digest, sizeof(digest));
    }
    if (err == ERR_OK) {
        hash_final(&md5, digest);
        hex_to(hex, digest, sizeof(digest));
        *ret_etag = str_fmt(a, "%.*s-%zu", (int)sizeof(hex), hex, n);
        err = str_is_set(*ret_etag) ? ERR_OK : ERR_NOMEM;
    }
    hash_release(&md5);
    return err;
}

static enum err raw_sum(const struct s3_sum *sum, uint8_t out[S3_SUM_LEN_MAX])
{
    size_t len;
    if (base64_decode_to(sum->text, out, S3_SUM_LEN_MAX, &len) != ERR_OK ||
        len != s3_algo_len(sum->algo))
        return ERR_CORRUPT;
    return ERR_OK;
}

static enum err composite_of_parts(struct arena *a, const struct s3_part_rec *parts, size_t n,
                                   enum s3_algo algo, struct str *ret_text)
{
    uint8_t raw[S3_SUM_LEN_MAX];
    struct s3_summer s;
    enum err err = s3_summer_init(&s, 1u << algo);
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        err = raw_sum(&parts[i].sum, raw);
        s3_summer_update(&s, raw, s3_algo_len(algo));
    }
    if (err == ERR_OK) {
        s3_summer_final(&s, algo, raw);
        struct str text = base64_encode(a, raw, s3_algo_len(algo));
        *ret_text = str_fmt(a, STR_FMT "-%zu", STR_ARG(text), n);
        err = str_is_set(*ret_text) ? ERR_OK : ERR_NOMEM;
    }
    s3_summer_release(&s);
    return err;
}

static uint64_t combine(enum s3_algo algo, uint64_t a, uint64_t b, uint64_t len_b)
{
    assert(s3_algo_combines(algo) && a <= (algo == S3_CRC64NVME ? UINT64_MAX : UINT32_MAX));
    if (algo == S3_CRC32)
        return crc32_combine_parts((uint32_t)a, (uint32_t)b, len_b);
    if (algo == S3_CRC32C)
        return crc32c_combine_parts((uint32_t)a, (uint32_t)b, len_b);
    return crc64nvme_combine_parts(a, b, len_b);
}

static enum err full_of_parts(struct arena *a, const struct s3_part_rec *parts, size_t n,
                              enum s3_algo algo, struct str *ret_text)
{
    uint8_t raw[S3_SUM_LEN_MAX];
    uint64_t crc = 0;
    for (size_t i = 0; i < n; i++) {
        TRY(raw_sum(&parts[i].sum, raw));
        uint64_t part = 0;
        for (size_t k = 0; k < s3_algo_len(algo); k++)
            part = part << 8 | raw[k];
        crc = combine(algo, crc, part, parts[i].size);
    }
    put_crc(algo, crc, raw);
    *ret_text = base64_encode(a, raw, s3_algo_len(algo));
    return str_is_set(*ret_text) ? ERR_OK : ERR_NOMEM;
}

enum err s3_sum_parts(struct arena *a, const struct s3_part_rec *parts, size_t n, enum s3_algo algo,
                      bool composite, struct str *ret_etag, struct s3_sum *ret_sum)
{
    assert(n > 0);
    TRY(etag_of_parts(a, parts, n, ret_etag));
    *ret_sum = (struct s3_sum){.algo = S3_NO_CHECKSUM};
    for (size_t i = 0; i < n; i++)
        if (parts[i].sum.algo != algo)
            return ERR_OK;
    if (algo == S3_NO_CHECKSUM)
        return ERR_OK;
    struct s3_sum sum = {.algo = algo, .composite = composite};
    if (composite)
        TRY(composite_of_parts(a, parts, n, algo, &sum.text));
    else
        TRY(full_of_parts(a, parts, n, algo, &sum.text));
    *ret_sum = sum;
    return ERR_OK;
}

/* --- claims ----------------------------------------------------------------------------------- */

struct s3_claims s3_claims_make(struct str crc32, struct str crc32c, struct str crc64nvme,
                                struct str sha1, struct str sha256, bool unsupported)
{
    struct s3_claims c = {.text = {[S3_CRC32] = crc32,
                                   [S3_CRC32C] = crc32c,
                                   [S3_CRC64NVME] = crc64nvme,
                                   [S3_SHA1] = sha1,
                                   [S3_SHA256] = sha256},
                          .unsupported = unsupported};
    for (int i = 1; i < S3_ALGOS; i++)
        c.n += str_is_set(c.text[i]);
    return c;
}

enum s3_algo s3_claims_algo(const struct s3_claims *claims)
{
    for (int i = 1; i < S3_ALGOS; i++)
        if (str_is_set(claims->text[i]))
            return (enum s3_algo)i;
    return S3_NO_CHECKSUM;
}

struct str s3_sum_type(const struct s3_sum *sum)
{
    if (sum->algo == S3_NO_CHECKSUM)
        return STR_NONE;
    return sum->composite ? STR("COMPOSITE") : STR("FULL_OBJECT");
}
