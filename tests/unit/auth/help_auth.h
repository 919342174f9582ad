/* Shared by the tests of src/auth: reading raw requests and files. */
#ifndef TESTS_UNIT_AUTH_HELP_AUTH_H
#define TESTS_UNIT_AUTH_HELP_AUTH_H

#include "auth/sigv4.h"

enum { HELP_HEADERS_MAX = 32 };

struct help_request {
    struct sigv4_http http;
    struct sigv4_header headers[HELP_HEADERS_MAX];
    struct str body;
};

/* Whole file in the arena; STR_NONE when it cannot be read. */
struct str help_read_file(struct arena *a, const char *path);
/* Splits "METHOD target HTTP/1.1\nName:value\n...\n\nbody"; folded values are unfolded. */
void help_parse_request(struct arena *a, struct str raw, struct help_request *r);

#endif
