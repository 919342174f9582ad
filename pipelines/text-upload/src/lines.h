/* A text as items, one a line.
 *
 *   upload  S  hash key: the first 32 digits of the SHA-256 of the owner and the text, so that a text sent
 *              again is the same items
 *   line    N  range key, from 1
 *   text    S  the line, without CR and LF
 *   owner   S  who sent it
 *   at      S  "2026-11-29T12:34:56.789Z"
 *
 * Layer: pipeline, pure. Texts borrow from the body. */
#ifndef TEXTS_LINES_H
#define TEXTS_LINES_H

#include "codec/json.h"

enum {
    LINES_MAX = 10 * 1000,  /* of one text */
    LINE_BYTES_MAX = 1024,  /* without its end */
    REJECTS_TOLD_MAX = 100, /* the others are counted */
    UPLOAD_ID_LEN = 32,
};

struct line {
    int64_t number;
    struct str text;
};

struct lines {
    struct line *line; /* those that are to be kept */
    size_t n;
    int64_t total, empty, rejected; /* total: all but what may follow the last line end */
    struct reject {
        int64_t number;
        const char *reason; /* static */
    } rejects[REJECTS_TOLD_MAX];
};

/* Takes a text apart. ERR_LIMIT: more than LINES_MAX lines. ERR_NOMEM. */
enum err lines_read(struct arena *a, struct str body, struct lines *ret_lines) WARN_UNUSED;

void lines_upload_id(struct str owner, struct str body, char ret_id[UPLOAD_ID_LEN + 1]);

/* {"upload":{"S":..},..} */
void line_put_item(struct json_out *o, const struct line *line, const char *upload_id,
                   struct str owner, int64_t at_ms);

/* {"upload":"..","lines":3,"stored":1,"empty":1,"rejected":1,"rejects":[{"line":2,"reason":".."}]} */
void lines_put_report(struct json_out *o, const struct lines *lines, const char *upload_id);

#endif
