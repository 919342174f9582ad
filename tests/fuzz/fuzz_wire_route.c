/* Heads: "METHOD target\nHost: h\nName: value..\n\nbody". First byte: the signature's scope. */
// link: weir_wire_stubs
#include "fuzz_wire.h"

enum { HEADERS_MAX = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const scopes[] = {NULL, "s3", "lambda", "dynamodb", "sqs", "logs"};
    struct wire_header headers[HEADERS_MAX];
    if (size == 0)
        return 0;
    struct str rest = str_n((const char *)data + 1, size - 1);
    struct str line = str_cut(&rest, '\n');
    struct wire_request req = {.headers = headers};
    req.method = str_cut(&line, ' ');
    req.query = line;
    req.path = str_cut(&req.query, '?');
    while (rest.p && req.n_headers < HEADERS_MAX) {
        line = str_cut(&rest, '\n');
        if (line.len == 0) {
            req.body = rest.p ? rest : STR("");
            break;
        }
        struct str name = str_cut(&line, ':');
        headers[req.n_headers++] = (struct wire_header){name, str_trim(line)};
    }
    fuzz_request(&req, scopes[data[0] % ARRAY_LEN(scopes)]);
    return 0;
}
