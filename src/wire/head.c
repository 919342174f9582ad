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
    if (reply->n_headers == reply->headers_cap) {
        size_t cap = reply->headers_cap ? reply->headers_cap * 2 : HEADERS_FIRST;
        struct wire_header *more = ARENA_ARRAY(reply->arena, struct wire_header, cap);
        if (!more)
            return ERR_NOMEM;
        if (reply->n_headers > 0)
            memcpy(more, reply->headers, reply->n_headers * sizeof(*more));
        reply->headers = more;
        reply->headers_cap = cap;
    }
    reply->headers[reply->n_headers++] = (struct wire_header){name, value};
    return ERR_OK;
}
