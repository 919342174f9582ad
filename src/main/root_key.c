#include "main/root_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/rng.h"
#include "base/sys.h"
#include "codec/hex.h"

#define KEY_FILE "root-credentials"
#define TOKEN_FILE "metrics-token"

enum { PATH_BYTES = 4096, FILE_BYTES = 512 };

static void make(struct root_key *k)
{
    memcpy(k->access_key, "AKIA", 4);
    rng_text(k->access_key + 4, 16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
    rng_text(k->secret, 40, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
}

static enum err store(const char *data_dir, const struct root_key *k)
{
    char text[FILE_BYTES];
    int n = snprintf(text, sizeof(text),
                     "# The root key of this Weir: everything is allowed to whoever has it.\n"
                     "[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n",
                     k->access_key, k->secret);
    return sys_replace_file(data_dir, KEY_FILE, text, (size_t)n, 0600, true);
}

/* Made from the root key, so that there is one secret to keep; it does not tell that one. */
static void make_token(const struct root_key *k, const char *purpose,
                       char out[2 * HASH_SHA256_LEN + 1])
{
    uint8_t mac[HASH_SHA256_LEN];
    hmac_sha256(k->secret, strlen(k->secret), purpose, strlen(purpose), mac);
    hex_to(out, mac, sizeof(mac));
    out[2 * sizeof(mac)] = '\0';
}

static enum err store_metrics_token(const char *data_dir, struct root_key *k)
{
    char path[PATH_BYTES];
    make_token(k, "weir: bearer token of metrics", k->metrics_token);
    if (snprintf(path, sizeof(path), "%s/" TOKEN_FILE, data_dir) >= (int)sizeof(path))
        return ERR_LIMIT;
    int fd = sys.open(path, O_RDONLY, 0);
    if (fd >= 0) {
        sys.close(fd);
        return ERR_OK;
    }
    return sys_replace_file(data_dir, TOKEN_FILE, k->metrics_token, strlen(k->metrics_token), 0600,
                            true);
}

static enum err field(struct str text, struct str name, char *out, size_t size)
{
    while (text.p) {
        struct str line = str_cut(&text, '\n');
        struct str key = str_trim(str_cut(&line, '='));
        struct str value = str_trim(line);
        if (!line.p || !str_eq(key, name))
            continue;
        if (value.len == 0 || value.len >= size)
            return ERR_CORRUPT;
        memcpy(out, value.p, value.len);
        out[value.len] = '\0';
        return ERR_OK;
    }
    return ERR_CORRUPT;
}

static enum err read_file(int fd, struct root_key *k)
{
    char text[FILE_BYTES];
    ssize_t n = sys.read(fd, text, sizeof(text));
    if (n < 0)
        return ERR_IO;
    struct str s = str_n(text, (size_t)n);
    TRY(field(s, STR("aws_access_key_id"), k->access_key, sizeof(k->access_key)));
    return field(s, STR("aws_secret_access_key"), k->secret, sizeof(k->secret));
}

enum err root_key_load(const char *data_dir, bool may_make, struct root_key *ret_key)
{
    char path[PATH_BYTES];
    struct root_key k = {0};
    if (snprintf(path, sizeof(path), "%s/" KEY_FILE, data_dir) >= (int)sizeof(path))
        return ERR_LIMIT;
    rng_text(k.host_id, 76, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    int fd = sys.open(path, O_RDONLY, 0);
    enum err err = ERR_OK;
    if (fd >= 0) {
        err = read_file(fd, &k);
        sys.close(fd);
    } else if (errno == ENOENT && !may_make) {
        fprintf(stderr,
                "weir: %s is missing: the secrets in this store are sealed under it; put it back\n",
                path);
        return ERR_IO;
    } else if (errno == ENOENT) {
        make(&k);
        err = store(data_dir, &k);
    } else {
        err = ERR_IO;
    }
    if (!err)
        err = store_metrics_token(data_dir, &k);
    if (err) {
        fprintf(stderr, "weir: cannot read or write the root key in %s: %s\n", path,
                err == ERR_CORRUPT ? "it is not a credentials file" : strerror(errno));
        return err;
    }
    make_token(&k, "weir: bearer token of backups", k.backup_token);
    make_token(&k, "weir: bearer token of accounts", k.accounts_token);
    *ret_key = k;
    return ERR_OK;
}
