/* Static website hosting: which key a path is, and where rules send it. Layer: svc. Thread: pure. */
#ifndef WEIR_SVC_S3_S3_SITE_H
#define WEIR_SVC_S3_S3_SITE_H

#include "svc/s3/s3_record.h"

/* Bucket that a website's host name is of ("b.s3-website-eu-west-1.amazonaws.com", "b.s3-website.localhost");
 * STR_NONE: it is no website's. `host` without port. */
struct str s3_site_bucket(struct str host);
/* The key of a decoded path without its first slash: folders have an index document. */
struct str s3_site_key(struct arena *a, const struct s3_site *site, struct str path);

/* Where to go: absolute, or the path alone where the host is the same. */
struct s3_site_move {
    int status;
    struct str location;
};
/* The first rule that fits the key and the error: 0 before anything is known of the object. `origin` is
 * what the request came to ("http://host:port"). ERR_NOT_FOUND: there is none. */
enum err s3_site_rule_for(struct arena *a, const struct s3_site *site, struct str key, int error,
                          struct str origin, struct s3_site_move *ret_move) WARN_UNUSED;
/* Of a site that sends all requests elsewhere. */
enum err s3_site_move_all(struct arena *a, const struct s3_site *site, struct str key,
                          struct str origin, struct s3_site_move *ret_move) WARN_UNUSED;

#endif
