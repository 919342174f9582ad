/* Headers of requests and replies. Layer: wire. Thread: pure. */
#include "wire/wire_int.h"

struct str wire_header_get(const struct wire_request *req, struct str name)
{
    for (size_t i = 0; i < req->n_headers; i++) {
        if (req->headers[i].name.len == name.len && str_eq_nocase(req->headers[i].name, name))
            return req->headers[i].value;
    }
    return STR_NONE;
}

enum { HEADERS_FIRST = 8 };

enum err wire_reply_add(struct wire_reply *reply, struct str name, struct str value)
{
    if (reply->n_headers >= WIRE_REPLY_HEADERS_MAX)
        return ERR_LIMIT;
    TRY(ARENA_GROW(reply->arena, reply->headers, reply->n_headers, reply->headers_cap,
                   HEADERS_FIRST));
    reply->headers[reply->n_headers++] = (struct wire_header){name, value};
    return ERR_OK;
}
