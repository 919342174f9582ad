/* What a function finds on its network: names, a way to Weir, a way to the world, certificates.
 *
 * Each function has a network namespace in which every address is its own (sandbox/box_net.c), with
 * sockets listening that were handed to Weir. Whatever is connected to there arrives here, with the
 * address that was meant:
 *
 *   connection --to AWS's address, to loopback or to the endpoint--> the HTTP server (http_server_adopt)
 *              --names an AWS host in its first bytes--------------> the same, wherever it was going
 *              --to the world, in mode world-----------------------> forwarded (net_relay.c)
 *              --else---------------------------------------------> reset
 *   question   --about an AWS name--> AWS's address; else --in mode world--> the host's resolver
 *
 * Invariants
 *   NE1  A name of AWS (host_is_aws) is never asked of the host's resolver, and what is meant for one,
 *        by address or by the first bytes at ports 80 and 443, never leaves, unless real_aws.
 *   NE2  Nothing is forwarded to this host: neither loopback, link-local, multicast and reserved addresses
 *        nor any address of an interface of it.
 *   NE3  A function's questions and its connections to the world are bounded in number, bytes and time,
 *        and end with it. What goes to Weir is the HTTP server's, which has half of its room for
 *        functions (http_server_adopt).
 *   NE4  The authority signs for names of AWS, the endpoint's and loopback only, and its own certificate
 *        says so (RFC 5280 section 4.2.1.10).
 *
 * Layer: net (includes fetch, http). Thread: the loop's, but for the authority's leaves. */
#ifndef WEIR_NET_NET_H
#define WEIR_NET_NET_H

#include <netinet/in.h>

#include "http/http.h"

enum {
    NET_TLS_PORT = 443,
    NET_PLAIN_PORT = 80,
    NET_RELAYS_MAX = 2048,         /* forwarded connections at once */
    NET_FUNCTION_RELAYS_MAX = 256, /* of one function */
    NET_PEEKS_MAX = 256,           /* connections of one function that have said nothing yet */
    NET_QUESTIONS_MAX = 64,        /* of one function, waiting for the host's resolver */
    NET_LISTENERS_MAX = 32,        /* of one function */
    NET_HOST_MAX = 255,            /* bytes of a host name */
};

/* RFC 2544's benchmark range: nobody's in the world. Where names of AWS lead, and the resolver. */
#define NET_AWS_ADDRESS "198.18.0.1"
#define NET_RESOLVER_ADDRESS "198.18.0.2"

/* --- the authority (net_authority.c) ------------------------------------------------------------ */

struct net_authority;

/* Reads `<data_dir>/authority.pem`, or makes it where it is missing, near its end, or made for another
 * `endpoint_host`. ERR_IO, ERR_NOMEM. */
enum err net_authority_open(const char *data_dir, struct str endpoint_host,
                            struct net_authority **ret_authority) WARN_UNUSED;
/* NULL is fine. */
void net_authority_free(struct net_authority *a);
/* Writes `<dir>/ca.crt` (the authority) and `<dir>/ca-bundle.crt` (it and the host's), readable to
 * all. ERR_IO, ERR_NOMEM. */
enum err net_authority_publish(const struct net_authority *a, const char *dir) WARN_UNUSED;
/* Where systems keep whom they trust, as Go's crypto/x509 lists them; NULL after the last. */
const char *net_bundle_path(size_t i);
/* Of struct http_tls_names; `arg` is the authority. ERR_DENIED: NE4. Any thread. */
enum err net_authority_find(void *arg, struct str name, struct x509_st **ret_cert,
                            struct evp_pkey_st **ret_key) WARN_UNUSED;

/* --- the network -------------------------------------------------------------------------------- */

struct net_config {
    struct io_loop *loop;
    struct http_server *front;
    struct http_tls_ctx *tls; /* for what is Weir's at port 443 */
    int mark;                 /* http_conn_mark of functions' connections */
    bool world;               /* forward what is not Weir's */
    bool real_aws;            /* AWS's names are the world's */
    bool endpoint_tls;
    uint16_t endpoint_port;
    struct str endpoint_host; /* borrowed; a name or an address */
};

struct net {
    struct net_config cfg;
    struct sockaddr_storage endpoint; /* ss_family AF_UNSPEC: the host is a name */
    size_t n_relays;
    int spare_fd; /* given up for a moment when descriptors run out */
};

void net_init(struct net *net, const struct net_config *cfg);
/* When all of its functions are closed. */
void net_release(struct net *net);

struct net_function;

/* Serves one function: `fds` are its resolver's UDP socket and then up to NET_LISTENERS_MAX listening
 * TCP ones, all non-blocking; taken on success. ERR_LIMIT, ERR_NOMEM, ERR_IO. */
enum err net_function_open(struct net *net, const int *fds, size_t n,
                           struct net_function **ret_function) WARN_UNUSED;
/* Closes what it has open, and frees it when the loop has let go; `net` is not touched any more. NULL
 * is fine. */
void net_function_close(struct net_function *f);

/* --- guests (net_guest.c): commands of this host, each with a network like a function's (weir exec) --- */

#define NET_GUESTS_SOCKET "guests" /* below the data folder, mode 0600 */
enum {
    NET_GUESTS_MAX = 64,       /* at once, */
    NET_FILES_PER_GUEST = 128, /* and one for so many open files that the process may have */
};

struct net_guests;

/* Serves in `net`, until their process ends, those of this user and of root who come by net_guest_join with
 * `dir`. ERR_IO (errno), ERR_NOMEM. */
enum err net_guests_open(struct net *net, const char *dir,
                         struct net_guests **ret_guests) WARN_UNUSED;
/* Closes what is open, removes the socket, and frees it when the loop has let go; `net` is not touched any
 * more. NULL is fine. */
void net_guests_close(struct net_guests *guests);
/* The guest's end: gives Weir what listens in the calling process's network; `fds` as for
 * net_function_open, and still the caller's. Blocks for 10 s at most. ERR_CLOSED no Weir serves there,
 * ERR_DENIED and why into ret_why, ERR_TIMEOUT, ERR_LIMIT, ERR_IO (errno). */
enum err net_guest_join(const char *dir, const int *fds, size_t n, char *ret_why,
                        size_t size) WARN_UNUSED;

/* --- names (net_names.c, pure) ------------------------------------------------------------------- */

/* Host and port of a URL "scheme://host[:port]..."; the scheme's port where it says none. */
enum err net_split_url(struct str url, struct str *ret_host, uint16_t *ret_port,
                       bool *ret_tls) WARN_UNUSED;
/* A numeric address, with brackets or not; false when it is a name. */
bool net_parse_address(struct str host, uint16_t port, struct sockaddr_storage *ret_address);

/* --- DNS messages (net_dns.c, pure; RFC 1035) ------------------------------------------------------ */

enum {
    NET_DNS_MAX = 4096, /* bytes of a message */
    NET_DNS_A = 1,
    NET_DNS_AAAA = 28,
    NET_DNS_OK = 0,
    NET_DNS_FORMERR = 1,
    NET_DNS_SERVFAIL = 2,
    NET_DNS_NXDOMAIN = 3,
};

struct net_question {
    char name[NET_HOST_MAX + 1]; /* lower case, labels with dots between, NUL after it */
    size_t name_len;
    uint16_t type, class;
    size_t end; /* bytes of header and question */
};

/* Reads a query of one question. ERR_INVALID: it is none. */
enum err net_dns_parse(const uint8_t *p, size_t len, struct net_question *ret_q) WARN_UNUSED;
/* Writes the answer to the query at `p` that `q` was read from: `rcode`, and `address` when it is not
 * NULL. Bytes written; 0: over `cap`. */
size_t net_dns_answer(const uint8_t *p, const struct net_question *q, int rcode,
                      const struct in_addr *address, uint8_t *ret_out, size_t cap);
/* Whether `p` answers the query that `q` was read from: its id and question. */
bool net_dns_answers(const uint8_t *query, const struct net_question *q, const uint8_t *p,
                     size_t len);

/* --- first bytes of a connection (net_hello.c, pure) ------------------------------------------------- */

enum net_hello { NET_HELLO_MORE, NET_HELLO_NAME, NET_HELLO_NONE, NET_HELLO_BAD };

/* Whom the client means: the server name of a TLS ClientHello (RFC 6066 section 3), or the Host of an
 * HTTP request. NET_HELLO_MORE: too few bytes to say; NET_HELLO_NONE: it does not say;
 * NET_HELLO_BAD: it may, where we cannot read it, in a hello cut into records, with lengths that
 * disagree, or in a head past 16 KiB. *ret_name borrows from p. */
enum net_hello net_hello(const uint8_t *p, size_t len, struct str *ret_name);

#endif
