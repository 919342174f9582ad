/* multipart/form-data (RFC 7578) as browsers post it: a reader that is fed as bytes come, and keeps no more of
 * them than the head of a part.
 *
 * Invariants
 *   MF1 What a part's body is does not depend on how the bytes were cut on their way.
 *   MF2 A head is at most MULTIPART_HEAD_MAX, a boundary MULTIPART_BOUNDARY_MAX (RFC 2046 section 5.1.1).
 *
 *   preamble --delimiter--> line --CRLF--> head --empty line--> body --delimiter--> line ... --"--"--> end
 *
 * Layer: codec. Thread: one at a time. */
#ifndef WEIR_CODEC_MULTIPART_H
#define WEIR_CODEC_MULTIPART_H

#include "base/buf.h"

enum { MULTIPART_BOUNDARY_MAX = 70, MULTIPART_HEAD_MAX = 4096 };

/* The head of a part; absent what it does not say. Borrowed from the reader. */
struct multipart_head {
    struct str name, filename, content_type;
};

struct multipart_events {
    /* A part begins; its bytes, in pieces; it ends. What these return ends the reading. */
    enum err (*part)(void *arg, const struct multipart_head *head);
    enum err (*data)(void *arg, const void *p, size_t len);
    enum err (*end)(void *arg);
};

struct multipart {
    const struct multipart_events *events;
    void *arg;
    int state;
    char delimiter[MULTIPART_BOUNDARY_MAX + 4]; /* CR LF "--" boundary */
    size_t delimiter_len, matched;              /* of it, at the end of what came so far */
    char head[MULTIPART_HEAD_MAX];
    char name[MULTIPART_HEAD_MAX], filename[MULTIPART_HEAD_MAX]; /* without escapes: no longer */
    size_t head_len;
};

/* The boundary of a Content-Type "multipart/form-data; boundary=..."; STR_NONE: it is none such, or has no
 * boundary that can be one. */
struct str multipart_boundary(struct str content_type);
void multipart_init(struct multipart *m, struct str boundary, const struct multipart_events *events,
                    void *arg);
/* ERR_INVALID: not well-formed; ERR_LIMIT: a head over MF2; whatever an event returned. */
enum err multipart_feed(struct multipart *m, const void *p, size_t len) WARN_UNUSED;
/* After the last byte. ERR_INVALID: it ended within a part. */
enum err multipart_finish(const struct multipart *m) WARN_UNUSED;

#endif
