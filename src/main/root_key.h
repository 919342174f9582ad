/* The account's root key: made at the first start, kept in <data>/root-credentials (mode 0600) in
 * the form of an AWS credentials file. */
#ifndef WEIR_MAIN_ROOT_KEY_H
#define WEIR_MAIN_ROOT_KEY_H

#include "codec/hash.h"

struct root_key {
    char access_key[24]; /* AKIA + 16 */
    char secret[48];     /* 40 characters */
    char host_id[80];    /* S3's x-amz-id-2 */
    /* Made from the key: */
    char metrics_token[2 * HASH_SHA256_LEN + 1]; /* in <data>/metrics-token */
    /* Of /_weir/backup and /_weir/accounts: nowhere, who has the key makes them. */
    char backup_token[2 * HASH_SHA256_LEN + 1];
    char accounts_token[2 * HASH_SHA256_LEN + 1];
};

/* Reads it, or makes it where `may_make`: not for a store that is there already, whose secrets are
 * sealed under the key that is missing. Prints why it cannot. ERR_IO, ERR_CORRUPT. */
enum err root_key_load(const char *data_dir, bool may_make, struct root_key *ret_key) WARN_UNUSED;

#endif
