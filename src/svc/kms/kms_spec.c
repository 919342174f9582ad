/* The table of key specs: what each is and which algorithms go with it.
 *
 * Source: AWS KMS Developer Guide, "Key spec reference", and "Importing key material", for the lengths of
 * secrets. */
#include "svc/kms/kms_crypto.h"

#define NAMES(list)                                                                                \
    {                                                                                              \
        (list), ARRAY_LEN(list)                                                                    \
    }

static const struct str symmetric[] = {STR_INIT("SYMMETRIC_DEFAULT")};
static const struct str oaep[] = {STR_INIT("RSAES_OAEP_SHA_1"), STR_INIT("RSAES_OAEP_SHA_256")};
static const struct str rsa_sign[] = {
    STR_INIT("RSASSA_PKCS1_V1_5_SHA_256"), STR_INIT("RSASSA_PKCS1_V1_5_SHA_384"),
    STR_INIT("RSASSA_PKCS1_V1_5_SHA_512"), STR_INIT("RSASSA_PSS_SHA_256"),
    STR_INIT("RSASSA_PSS_SHA_384"),        STR_INIT("RSASSA_PSS_SHA_512")};
static const struct str ecdsa_256[] = {STR_INIT("ECDSA_SHA_256")};
static const struct str ecdsa_384[] = {STR_INIT("ECDSA_SHA_384")};
static const struct str ecdsa_512[] = {STR_INIT("ECDSA_SHA_512")};
static const struct str ecdh[] = {STR_INIT("ECDH")};
static const struct str mac_224[] = {STR_INIT("HMAC_SHA_224")};
static const struct str mac_256[] = {STR_INIT("HMAC_SHA_256")};
static const struct str mac_384[] = {STR_INIT("HMAC_SHA_384")};
static const struct str mac_512[] = {STR_INIT("HMAC_SHA_512")};

#define USE(usage) (1u << (usage))
#define RSA_ROW(bits_)                                                                             \
    {                                                                                              \
        .name = STR_INIT("RSA_" #bits_), .family = KMS_RSA, .bits = (bits_),                       \
        .usages = USE(KMS_ENCRYPT_DECRYPT) | USE(KMS_SIGN_VERIFY), .encrypt = NAMES(oaep),         \
        .sign = NAMES(rsa_sign)                                                                    \
    }
#define ECC_ROW(name_, group_, sign_, usages_)                                                     \
    {                                                                                              \
        .name = STR_INIT(name_), .family = KMS_ECC, .group = (group_), .usages = (usages_),        \
        .sign = NAMES(sign_), .agree = NAMES(ecdh)                                                 \
    }
#define HMAC_ROW(bits_, max_)                                                                      \
    {                                                                                              \
        .name = STR_INIT("HMAC_" #bits_), .family = KMS_HMAC, .bits = (bits_),                     \
        .group = "SHA" #bits_, .usages = USE(KMS_GENERATE_VERIFY_MAC), .secret_min = (bits_) / 8,  \
        .secret_max = (max_), .mac = NAMES(mac_##bits_)                                            \
    }
#define SIGN_OR_AGREE (USE(KMS_SIGN_VERIFY) | USE(KMS_KEY_AGREEMENT))

const struct kms_spec_row kms_specs[KMS_SPECS] = {
    [KMS_SYMMETRIC_DEFAULT] = {.name = STR_INIT("SYMMETRIC_DEFAULT"),
                               .family = KMS_SYMMETRIC,
                               .bits = KMS_SYMMETRIC_BYTES * 8,
                               .usages = USE(KMS_ENCRYPT_DECRYPT),
                               .secret_min = KMS_SYMMETRIC_BYTES,
                               .secret_max = KMS_SYMMETRIC_BYTES,
                               .encrypt = NAMES(symmetric)},
    [KMS_RSA_2048] = RSA_ROW(2048),
    [KMS_RSA_3072] = RSA_ROW(3072),
    [KMS_RSA_4096] = RSA_ROW(4096),
    [KMS_ECC_NIST_P256] = ECC_ROW("ECC_NIST_P256", "prime256v1", ecdsa_256, SIGN_OR_AGREE),
    [KMS_ECC_NIST_P384] = ECC_ROW("ECC_NIST_P384", "secp384r1", ecdsa_384, SIGN_OR_AGREE),
    [KMS_ECC_NIST_P521] = ECC_ROW("ECC_NIST_P521", "secp521r1", ecdsa_512, SIGN_OR_AGREE),
    [KMS_ECC_SECG_P256K1] =
        ECC_ROW("ECC_SECG_P256K1", "secp256k1", ecdsa_256, USE(KMS_SIGN_VERIFY)),
    [KMS_HMAC_224] = HMAC_ROW(224, 64),
    [KMS_HMAC_256] = HMAC_ROW(256, 64),
    [KMS_HMAC_384] = HMAC_ROW(384, KMS_HMAC_BYTES_MAX),
    [KMS_HMAC_512] = HMAC_ROW(512, KMS_HMAC_BYTES_MAX),
};

const struct str kms_usage_names[KMS_USAGES] = {
    [KMS_ENCRYPT_DECRYPT] = STR_INIT("ENCRYPT_DECRYPT"),
    [KMS_SIGN_VERIFY] = STR_INIT("SIGN_VERIFY"),
    [KMS_GENERATE_VERIFY_MAC] = STR_INIT("GENERATE_VERIFY_MAC"),
    [KMS_KEY_AGREEMENT] = STR_INIT("KEY_AGREEMENT"),
};

#define SIGNING(name_, family_, padding_, bits_)                                                   \
    {                                                                                              \
        STR_INIT(name_ #bits_), family_, padding_, "SHA" #bits_, (bits_) / 8                       \
    }

static const struct kms_signing signings[] = {
    SIGNING("RSASSA_PKCS1_V1_5_SHA_", KMS_RSA, KMS_PAD_PKCS1, 256),
    SIGNING("RSASSA_PKCS1_V1_5_SHA_", KMS_RSA, KMS_PAD_PKCS1, 384),
    SIGNING("RSASSA_PKCS1_V1_5_SHA_", KMS_RSA, KMS_PAD_PKCS1, 512),
    SIGNING("RSASSA_PSS_SHA_", KMS_RSA, KMS_PAD_PSS, 256),
    SIGNING("RSASSA_PSS_SHA_", KMS_RSA, KMS_PAD_PSS, 384),
    SIGNING("RSASSA_PSS_SHA_", KMS_RSA, KMS_PAD_PSS, 512),
    SIGNING("ECDSA_SHA_", KMS_ECC, KMS_PAD_NONE, 256),
    SIGNING("ECDSA_SHA_", KMS_ECC, KMS_PAD_NONE, 384),
    SIGNING("ECDSA_SHA_", KMS_ECC, KMS_PAD_NONE, 512),
};

enum err kms_spec_of(struct str name, enum kms_spec *ret_spec)
{
    for (int i = 0; i < KMS_SPECS; i++) {
        if (str_eq(kms_specs[i].name, name)) {
            *ret_spec = (enum kms_spec)i;
            return ERR_OK;
        }
    }
    return ERR_NOT_FOUND;
}

enum err kms_usage_of(struct str name, enum kms_usage *ret_usage)
{
    for (int i = 0; i < KMS_USAGES; i++) {
        if (str_eq(kms_usage_names[i], name)) {
            *ret_usage = (enum kms_usage)i;
            return ERR_OK;
        }
    }
    return ERR_NOT_FOUND;
}

const struct kms_signing *kms_signing_of(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(signings); i++)
        if (str_eq(signings[i].name, name))
            return &signings[i];
    return NULL;
}

struct kms_names kms_algorithms(enum kms_spec spec, enum kms_usage usage)
{
    const struct kms_spec_row *row = &kms_specs[spec];
    switch (usage) {
    case KMS_ENCRYPT_DECRYPT:
        return row->encrypt;
    case KMS_SIGN_VERIFY:
        return row->sign;
    case KMS_GENERATE_VERIFY_MAC:
        return row->mac;
    case KMS_KEY_AGREEMENT:
        return row->agree;
    case KMS_USAGES:
        break;
    }
    return (struct kms_names){0};
}

bool kms_names_have(struct kms_names names, struct str name)
{
    for (size_t i = 0; i < names.n; i++)
        if (str_eq(names.v[i], name))
            return true;
    return false;
}
