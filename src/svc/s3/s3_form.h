/* Forms that browsers post (S3 User Guide, "Browser-based uploads using POST"): their fields, and whether a
 * policy lets them pass. Layer: svc. Thread: pure. */
#ifndef WEIR_SVC_S3_S3_FORM_H
#define WEIR_SVC_S3_S3_FORM_H

#include "base/arena.h"
#include "base/str.h"

enum { S3_FORM_FIELDS_MAX = 100, S3_FORM_BYTES_MAX = 20 * 1000 }; /* before the file */

struct s3_form_field {
    struct str name, value; /* the name in lower case */
};
struct s3_form_fields {
    struct s3_form_field v[S3_FORM_FIELDS_MAX];
    size_t n;
};
/* STR_NONE: there is no such field. */
struct str s3_form_get(const struct s3_form_fields *f, const char *name);

/* The key with "${filename}" replaced by the last part of the file's path. STR_NONE on exhaustion. */
struct str s3_form_key(struct arena *a, struct str key, struct str filename);

enum s3_form_outcome {
    S3_FORM_FITS,
    S3_FORM_BAD_POLICY, /* InvalidPolicyDocument */
    S3_FORM_DENIED,     /* AccessDenied */
};
struct s3_form_verdict {
    enum s3_form_outcome outcome;
    struct str message; /* unless it fits */
    int64_t min, max;   /* bytes that the file may have */
};
/* Judges the fields, of which "key" is what s3_form_key made, by a policy in base64. `bucket`: that it is posted
 * to. ERR_NOMEM. */
enum err s3_form_judge(struct arena *a, struct str policy, const struct s3_form_fields *f,
                       struct str bucket, int64_t now_ms,
                       struct s3_form_verdict *ret_verdict) WARN_UNUSED;

#endif
