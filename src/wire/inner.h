/* An operation's input and output as JSON by the names of their members, whatever protocol its
 * service speaks and wherever a member travels there (header, path, query string, body): what calls
 * made inside the process are written in.
 *
 * Values are those of awsJson: blobs in base64, timestamps in epoch seconds or as text; a member
 * that is the whole body and bytes or text there (Invoke's Payload) travels beside the JSON as it
 * is. Into an operation it may also come in base64 inside of the JSON, unless it is streamed: then
 * it is no part of the input struct.
 *
 * Layer: wire. Thread: pure. */
#ifndef WEIR_WIRE_INNER_H
#define WEIR_WIRE_INNER_H

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

#endif
