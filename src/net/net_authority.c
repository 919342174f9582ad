/* The authority that functions trust: one key and certificate in the data folder, a certificate for each
 * server name when somebody first asks for it. All leaves share one key, made at start, so that a new
 * name costs one signature.
 *
 * `<data>/authority.pem`, readable to Weir's user only: private key, certificate.
 *
 * Layer: net. Thread: any; the leaves have a lock. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/host.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/sys.h"
#include "net/net.h"

enum {
    LEAVES_MAX = 512,
    DAY_S = 24 * 60 * 60,
    AUTHORITY_DAYS = 3650,
    RENEW_DAYS = 400, /* before its end; leaves live that long at most */
    LEAF_DAYS = 397,
    TEXT_MAX = 2048,
    PEM_MAX = 16 * 1024,
    BUNDLE_MAX = 4 * 1024 * 1024,
    PATH_BYTES = 4096,
};

struct net_authority {
    EVP_PKEY *key, *leaf_key;
    X509 *cert;
    char host[NET_HOST_MAX + 1]; /* the endpoint's */
    bool host_is_address;
    pthread_mutex_t lock;
    struct map leaves; /* server name -> X509; under the lock */
};

/* --- certificates ------------------------------------------------------------------------------- */

static void set_constraints(const struct net_authority *a, char *ret_text, size_t size)
{
    struct buf b;
    buf_init_fixed(&b, ret_text, size - 1);
    buf_add_c(&b, "critical,permitted;DNS:localhost,permitted;IP:127.0.0.0/255.0.0.0,"
                  "permitted;IP:0.0.0.0/255.255.255.255,"
                  "permitted;IP:::1/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    for (size_t i = 0; host_aws_domain(i); i++)
        buf_add_fmt(&b, ",permitted;DNS:%s", host_aws_domain(i));
    if (!a->host_is_address)
        buf_add_fmt(&b, ",permitted;DNS:%s", a->host);
    else if (strchr(a->host, ':'))
        buf_add_fmt(&b, ",permitted;IP:%s/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", a->host);
    else
        buf_add_fmt(&b, ",permitted;IP:%s/255.255.255.255", a->host);
    ret_text[b.len] = '\0';
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = e && X509_add_ext(cert, e, -1) == 1;
    X509_EXTENSION_free(e);
    return ok;
}

/* Without extensions and signature. */
static X509 *begin_certificate(const char *name, EVP_PKEY *key, long days)
{
    unsigned char serial[16];
    X509 *cert = X509_new();
    X509_NAME *subject = cert ? X509_get_subject_name(cert) : NULL;
    BIGNUM *n = NULL;
    if (subject && RAND_bytes(serial, sizeof serial) == 1) {
        serial[0] &= 0x7f;
        n = BN_bin2bn(serial, sizeof serial, NULL);
    }
    bool ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)) &&
              X509_set_version(cert, X509_VERSION_3) == 1 && X509_set_pubkey(cert, key) == 1 &&
              X509_gmtime_adj(X509_getm_notBefore(cert), -DAY_S) &&
              X509_gmtime_adj(X509_getm_notAfter(cert), days * DAY_S) &&
              X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name,
                                         -1, -1, 0) == 1;
    BN_free(n);
    if (ok)
        return cert;
    X509_free(cert);
    return NULL;
}

static bool make_authority(struct net_authority *a)
{
    char constraints[TEXT_MAX];
    set_constraints(a, constraints, sizeof constraints);
    a->key = EVP_EC_gen("P-256");
    a->cert = a->key ? begin_certificate("Weir, functions of this machine", a->key, AUTHORITY_DAYS)
                     : NULL;
    return a->cert && X509_set_issuer_name(a->cert, X509_get_subject_name(a->cert)) == 1 &&
           add_extension(a->cert, a->cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
           add_extension(a->cert, a->cert, NID_key_usage, "critical,keyCertSign") &&
           add_extension(a->cert, a->cert, NID_subject_key_identifier, "hash") &&
           add_extension(a->cert, a->cert, NID_name_constraints, constraints) &&
           X509_sign(a->cert, a->key, EVP_sha256()) > 0;
}

/* The alternative names of a leaf: the one asked for; without one, all by which the endpoint is called
 * by clients that say none, which are those that were given an address. */
static void leaf_names(const struct net_authority *a, struct str name, char *ret_text, size_t size)
{
    struct buf b;
    buf_init_fixed(&b, ret_text, size - 1);
    if (name.len > 0)
        buf_add_fmt(&b, "DNS:" STR_FMT, STR_ARG(name));
    else
        buf_add_fmt(&b, "DNS:localhost,IP:127.0.0.1,IP:::1,IP:0.0.0.0,%s:%s",
                    a->host_is_address ? "IP" : "DNS", a->host);
    ret_text[b.len] = '\0';
}

static X509 *make_leaf(const struct net_authority *a, struct str name)
{
    char names[TEXT_MAX];
    leaf_names(a, name, names, sizeof names);
    X509 *cert = begin_certificate("Weir", a->leaf_key, LEAF_DAYS);
    if (cert && X509_set_issuer_name(cert, X509_get_subject_name(a->cert)) == 1 &&
        add_extension(cert, a->cert, NID_subject_alt_name, names) &&
        add_extension(cert, a->cert, NID_basic_constraints, "critical,CA:FALSE") &&
        add_extension(cert, a->cert, NID_key_usage, "critical,digitalSignature") &&
        add_extension(cert, a->cert, NID_ext_key_usage, "serverAuth") &&
        add_extension(cert, a->cert, NID_authority_key_identifier, "keyid") &&
        X509_sign(cert, a->key, EVP_sha256()) > 0)
        return cert;
    X509_free(cert);
    return NULL;
}

/* --- leaves ------------------------------------------------------------------------------------- */

/* What may stand in a certificate's text as it came off the wire. */
static bool is_plain(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i], l = (char)(c | 0x20);
        if (!((l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_'))
            return false;
    }
    return name.len <= NET_HOST_MAX;
}

static bool is_ours(const struct net_authority *a, struct str name)
{
    return name.len == 0 || host_is_aws(name) || str_eq_nocase(name, STR("localhost")) ||
           (!a->host_is_address && host_is_below(name, str_c(a->host)));
}

static void forget_leaves(struct net_authority *a)
{
    size_t it = 0;
    struct str name;
    void *cert;
    while (map_next(&a->leaves, &it, &name, &cert))
        X509_free(cert);
    map_release(&a->leaves);
    map_init(&a->leaves);
}

/* Under the lock. NULL: no memory. */
static X509 *leaf_of(struct net_authority *a, struct str name)
{
    X509 *cert = map_get(&a->leaves, name);
    if (cert)
        return cert;
    if (a->leaves.n >= LEAVES_MAX) /* nobody has that many; whoever asks for them pays */
        forget_leaves(a);
    cert = make_leaf(a, name);
    if (cert && map_put(&a->leaves, name, cert, NULL) == ERR_OK)
        return cert;
    X509_free(cert);
    return NULL;
}

enum err net_authority_find(void *arg, struct str name, struct x509_st **ret_cert,
                            struct evp_pkey_st **ret_key)
{
    struct net_authority *a = arg;
    if (!is_plain(name) || !is_ours(a, name))
        return ERR_DENIED;
    pthread_mutex_lock(&a->lock);
    X509 *cert = leaf_of(a, name);
    if (cert)
        X509_up_ref(cert);
    pthread_mutex_unlock(&a->lock);
    if (!cert)
        return ERR_NOMEM;
    EVP_PKEY_up_ref(a->leaf_key);
    *ret_cert = cert;
    *ret_key = a->leaf_key;
    return ERR_OK;
}

/* --- files -------------------------------------------------------------------------------------- */

static bool constraints_fit(const struct net_authority *a)
{
    char text[TEXT_MAX];
    bool same = false;
    set_constraints(a, text, sizeof text);
    X509_EXTENSION *want = X509V3_EXT_conf_nid(NULL, NULL, NID_name_constraints, text);
    int at = X509_get_ext_by_NID(a->cert, NID_name_constraints, -1);
    X509_EXTENSION *have = at >= 0 ? X509_get_ext(a->cert, at) : NULL;
    if (want && have)
        same = ASN1_STRING_cmp(X509_EXTENSION_get_data(want), X509_EXTENSION_get_data(have)) == 0;
    X509_EXTENSION_free(want);
    return same;
}

static bool lasts(const X509 *cert)
{
    int days = 0, seconds = 0;
    return ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(cert)) == 1 &&
           days >= RENEW_DAYS;
}

static void drop(struct net_authority *a)
{
    EVP_PKEY_free(a->key);
    X509_free(a->cert);
    a->key = NULL;
    a->cert = NULL;
}

/* Whether the file is there and still good. */
static bool load(struct net_authority *a, const char *data_dir)
{
    char path[PATH_BYTES], text[PEM_MAX];
    if (snprintf(path, sizeof path, "%s/authority.pem", data_dir) >= (int)sizeof path)
        return false;
    int fd = sys.open(path, O_RDONLY, 0);
    ssize_t n = fd >= 0 ? sys.read(fd, text, sizeof text) : -1;
    if (fd >= 0)
        sys.close(fd);
    BIO *bio = n > 0 ? BIO_new_mem_buf(text, (int)n) : NULL;
    if (bio) {
        a->key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
        a->cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    }
    BIO_free(bio);
    explicit_bzero(text, sizeof text);
    ERR_clear_error();
    if (a->key && a->cert && X509_check_private_key(a->cert, a->key) == 1 && lasts(a->cert) &&
        constraints_fit(a))
        return true;
    drop(a);
    return false;
}

static enum err save(const struct net_authority *a, const char *data_dir)
{
    char *p = NULL;
    enum err err = ERR_NOMEM;
    BIO *bio = BIO_new(BIO_s_secmem());
    if (bio && PEM_write_bio_PrivateKey(bio, a->key, NULL, NULL, 0, NULL, NULL) == 1 &&
        PEM_write_bio_X509(bio, a->cert) == 1) {
        long n = BIO_get_mem_data(bio, &p);
        err = n > 0 ? sys_replace_file(data_dir, "authority.pem", p, (size_t)n, 0600, true)
                    : ERR_NOMEM;
    }
    BIO_free(bio);
    return err;
}

enum err net_authority_open(const char *data_dir, struct str endpoint_host,
                            struct net_authority **ret_authority)
{
    struct sockaddr_storage address;
    struct net_authority *a = mem_calloc(1, sizeof *a);
    if (!a)
        return ERR_NOMEM;
    pthread_mutex_init(&a->lock, NULL);
    map_init(&a->leaves);
    a->host_is_address = net_parse_address(endpoint_host, 0, &address);
    bool plain = a->host_is_address || is_plain(endpoint_host);
    (void)snprintf(a->host, sizeof a->host, STR_FMT,
                   STR_ARG(plain ? endpoint_host : STR("localhost")));
    enum err err = ERR_OK;
    if (!load(a, data_dir))
        err = make_authority(a) ? save(a, data_dir) : ERR_NOMEM;
    if (!err && !(a->leaf_key = EVP_EC_gen("P-256")))
        err = ERR_NOMEM;
    if (err) {
        net_authority_free(a);
        return err;
    }
    *ret_authority = a;
    return ERR_OK;
}

void net_authority_free(struct net_authority *a)
{
    if (!a)
        return;
    forget_leaves(a);
    map_release(&a->leaves);
    drop(a);
    EVP_PKEY_free(a->leaf_key);
    pthread_mutex_destroy(&a->lock);
    mem_free(a);
}

/* --- what functions are shown ------------------------------------------------------------------- */

const char *net_bundle_path(size_t i)
{
    static const char *const paths[] = {
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/pki/tls/cacert.pem",
        "/etc/ssl/cert.pem",
    };
    return i < ARRAY_LEN(paths) ? paths[i] : NULL;
}

static void add_host_bundle(struct buf *b)
{
    int fd = -1;
    for (size_t i = 0; net_bundle_path(i) && fd < 0; i++)
        fd = sys.open(net_bundle_path(i), O_RDONLY, 0);
    for (ssize_t n = fd < 0 ? 0 : 1; n > 0;) {
        enum { PIECE = 64 * 1024 };
        char *p = buf_reserve(b, PIECE);
        n = p ? sys.read(fd, p, PIECE) : 0;
        if (n > 0)
            buf_grew(b, (size_t)n);
    }
    if (fd >= 0)
        sys.close(fd);
}

enum err net_authority_publish(const struct net_authority *a, const char *dir)
{
    struct buf b;
    char *p = NULL;
    enum err err = ERR_NOMEM;
    BIO *bio = BIO_new(BIO_s_mem());
    buf_init(&b, BUNDLE_MAX);
    if (bio && PEM_write_bio_X509(bio, a->cert) == 1) {
        long n = BIO_get_mem_data(bio, &p);
        buf_add(&b, p, n > 0 ? (size_t)n : 0);
        err = sys_replace_file(dir, "ca.crt", b.p, b.len, 0644, false);
        add_host_bundle(&b);
    }
    if (!err)
        err = buf_err(&b) ? buf_err(&b)
                          : sys_replace_file(dir, "ca-bundle.crt", b.p, b.len, 0644, false);
    BIO_free(bio);
    buf_release(&b);
    return err;
}
