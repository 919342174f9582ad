/* Content codings: request bodies that come compressed (smithy's requestCompression), replies that
 * go out so.
 *
 * The signature covers a body as it was sent, so a coding is undone where the body is read, not
 * where it arrives: the form of a query request when it is routed, all others when they are decoded.
 *
 * Layer: wire. Thread: pure. */
#include <assert.h>

#include "codec/gzip.h"
#include "wire/wire_int.h"

static const struct wire_error unsupported_media = {
    .name = STR_INIT("UnsupportedMediaTypeException"),
    .json_type = STR_INIT("com.amazon.coral.service#UnsupportedMediaTypeException"),
    .code = STR_INIT("UnsupportedMediaTypeException"),
    .status = 415,
};

static enum err refuse(const struct wire_error *error, struct str message, struct wire_fault *fault)
{
    assert(str_is_set(message));
    *fault = (struct wire_fault){.error = error, .message = message};
    return ERR_FAILED;
}

enum coding { PLAIN, GZIP, DEFLATE };

/* The coding of the request: one at most; aws-chunked is undone below, with the signature, and is no coding. */
static enum err coding_of(struct str codings, enum coding *ret)
{
    int n = 0;
    *ret = PLAIN;
    while (str_is_set(codings)) {
        struct str name = str_trim(str_cut(&codings, ','));
        bool gzip = str_eq_nocase(name, STR("gzip"));
        if (gzip || str_eq_nocase(name, STR("deflate"))) {
            *ret = gzip ? GZIP : DEFLATE;
            n++;
        } else if (name.len > 0 && !str_eq_nocase(name, STR("identity")) &&
                   !str_eq_nocase(name, STR("aws-chunked")))
            return ERR_UNSUPPORTED;
    }
    return n <= 1 ? ERR_OK : ERR_UNSUPPORTED;
}

/* `service` NULL: not known before the form is read. */
enum err wire_content(const struct wire_service *service, const struct wire_request *req,
                      struct arena *arena, struct str *ret_body, struct wire_fault *ret_fault)
{
    struct buf plain;
    enum coding coding;
    struct str codings = wire_header_get(req, STR("content-encoding"));
    if (coding_of(codings, &coding) != ERR_OK)
        return refuse(&unsupported_media, STR("The content encoding is not supported."), ret_fault);
    if (coding == PLAIN || req->body.len == 0) {
        *ret_body = req->body;
        return ERR_OK;
    }
    buf_init_arena(&plain, arena, WIRE_UNPACKED_MAX);
    enum err err = coding == GZIP ? gzip_unpack(req->body, &plain) : zlib_unpack(req->body, &plain);
    if (err == ERR_NOMEM)
        return err;
    if (err == ERR_LIMIT)
        return refuse(service ? service->common[WIRE_E_TOO_LARGE] : NULL,
                      STR("The decompressed request is larger than the service allows."),
                      ret_fault);
    if (err != ERR_OK)
        return refuse(service ? service->common[WIRE_E_SERIALIZATION] : NULL,
                      STR("The request body is not valid in its content encoding."), ret_fault);
    *ret_body = buf_str(&plain);
    return ERR_OK;
}

enum err wire_compress(const struct wire_routed *r, struct arena *arena, struct wire_reply *reply)
{
    struct buf packed;
    if (!r->accepts_gzip || reply->body.len < WIRE_GZIP_MIN || reply->body.len > WIRE_GZIP_MAX)
        return ERR_OK;
    buf_init_arena(&packed, arena, reply->body.len);
    enum err err = gzip_pack(reply->body, &packed);
    if (err == ERR_LIMIT) /* it does not shrink */
        return ERR_OK;
    TRY(err);
    assert(packed.len <= reply->body.len);
    reply->body = buf_str(&packed);
    return wire_reply_add(reply, STR("Content-Encoding"), STR("gzip"));
}
