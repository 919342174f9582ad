/* An operation's input and output as JSON by the names of their members, whatever protocol its
 * service speaks and wherever a member travels there (header, path, query string, body): what calls
 * made inside the process are written in.
 *
 * Names are those of JSON bodies; where two members of an operation share one on the wire, the one in the
 * body is called by the model's name ("integrationHttpMethod" of PutIntegration).
 *
 * Values are those of awsJson: blobs in base64, timestamps in epoch seconds or as text; a member
 * that is the whole body and bytes or text there (Invoke's Payload) travels beside the JSON as it
 * is. Into an operation it may also come in base64 inside of the JSON, unless it is streamed: then
 * it is no part of the input struct.
 *
 * Layer: wire. Thread: pure. */
#ifndef WEIR_WIRE_INNER_H
#define WEIR_WIRE_INNER_H

#include "codec/json.h"
#include "wire/wire.h"

/* Typed input in the arena, its constraints checked (W3); borrows from `json` and `body`. `json`: an
 * object, or empty; members that the operation does not have are ignored, as on the wire. `body`:
 * of the member that is the whole body; absent: what the JSON says. ERR_FAILED with *ret_fault,
 * ERR_NOMEM. */
enum err wire_inner_decode(const struct wire_op *op, struct str json, struct str body,
                           struct arena *arena, void **ret_in,
                           struct wire_fault *ret_fault) WARN_UNUSED;

/* The output as a JSON object, without the member that is the whole body and no structure: that is
 * *ret_body, borrowed from `out`; absent without one. ERR_NOMEM, ERR_LIMIT over WIRE_REPLY_MAX. */
enum err wire_inner_encode(const struct wire_op *op, const void *out, struct arena *arena,
                           struct str *ret_json, struct str *ret_body) WARN_UNUSED;

/* --- documents: for services that keep what they show as JSON of the wire's shape ----------------- */

/* The members of a struct of `shape` that travel in a body, those that are set, as JSON text in the
 * arena: of an input, what the client asked for beside what names the thing. ERR_NOMEM. */
enum err wire_document_of(const struct wire_shape *shape, const void *v, struct arena *arena,
                          struct str *ret_json) WARN_UNUSED;
/* The other way: fills a zeroed struct of `shape` from a document (an object), borrowing from it;
 * members that the shape does not have are passed over. ERR_CORRUPT: a value of another type. ERR_NOMEM. */
enum err wire_document_read(const struct wire_service *service, const struct wire_shape *shape,
                            const struct json *document, struct arena *arena,
                            void *ret_v) WARN_UNUSED;

#endif
