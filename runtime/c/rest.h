/* Requests to a REST API of API Gateway that come as events (Lambda proxy integration, payload format 1.0; a
 * REQUEST authorizer's event has the same members), and answers to them.
 *
 * Source: API Gateway Developer Guide, "Lambda proxy integrations". Layer: runtime/c. Pure; texts live in the
 * event or in the arena. */
#ifndef WEIR_RUNTIME_REST_H
#define WEIR_RUNTIME_REST_H

#include "codec/json.h"

struct rest_request {
    struct str method, resource; /* "POST", "/cars/{id}" */
    struct str path;
    struct str body;       /* as it was sent, also where the event has it in base64; absent: none */
    struct str request_id; /* of the gateway: a new one for each request */
    const struct json *headers, *path_parameters, *query; /* objects of texts, or NULL */
    const struct json *authorizer;                        /* what the authorizer said; or NULL */
};

/* ERR_INVALID: the event is no such request. ERR_NOMEM. */
enum err rest_read(struct arena *a, struct str event, struct rest_request *ret_request) WARN_UNUSED;

/* The header of that name in any case: HTTP/2 sends lower case, HTTP/1.1 whatever it likes. Absent: none. */
struct str rest_header(const struct rest_request *request, struct str name);

/* Appends the answer: `body`, a JSON text, which pages of `allow_origin` (absent: none) may read. */
void rest_reply(struct buf *reply, int status, struct str body, struct str allow_origin);
/* The same with the body {"message":...}. */
void rest_reply_message(struct buf *reply, int status, struct str message, struct str allow_origin);

#endif
