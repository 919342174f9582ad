/* What the files of src/wire share.
 *
 * Layer: wire, private. Thread: pure. */
#ifndef WEIR_WIRE_WIRE_INT_H
#define WEIR_WIRE_WIRE_INT_H

#include "base/buf.h"
#include "codec/xml.h"
#include "wire/wire.h"

/* --- decoding --------------------------------------------------------------------------------- */

/* One decoding. Faults are put once, at the first wrong value. */
struct wire_dec {
    const struct wire_service *service;
    struct arena *arena;
    struct wire_fault *fault;
};

/* Sets the service's serialization fault. Returns ERR_FAILED. */
enum err wire_dec_fault(struct wire_dec *d, struct str message) WARN_UNUSED;

/* Where a member lives in its struct. */
static inline void *wire_at(const struct wire_member *m, const void *base)
{
    return (char *)base + m->offset;
}

static inline bool *wire_has_at(const struct wire_member *m, const void *base)
{
    return m->has_offset ? (bool *)((char *)base + m->has_offset) : NULL;
}

/* Whether a member has a value. */
bool wire_is_set(const struct wire_member *m, const void *base);

/* Says that text is not a valid `what` ("integer", "timestamp"). Returns ERR_FAILED. */
enum err wire_dec_bad_text(struct wire_dec *d, const struct wire_member *m, struct str text,
                           const char *what) WARN_UNUSED;
enum err wire_dec_not_utf8(struct wire_dec *d, const struct wire_member *m) WARN_UNUSED;

/* Reads a scalar of `m` from text (form, XML, header, label) to `dst`. */
enum err wire_dec_text(struct wire_dec *d, const struct wire_member *m, struct str text,
                       enum wire_time_format time_default, void *dst, bool *has) WARN_UNUSED;

/* The request's body without its content coding (gzip, or none). ERR_FAILED with *ret_fault: a coding
 * not known here (415), not gzip, over WIRE_UNPACKED_MAX or GZIP_RATIO_MAX. ERR_NOMEM. */
enum err wire_content(const struct wire_service *service, const struct wire_request *req,
                      struct arena *arena, struct str *ret_body,
                      struct wire_fault *ret_fault) WARN_UNUSED;
/* Compresses the reply's body where client and service agree on it and it is worth it. */
enum err wire_compress(const struct wire_routed *routed, struct arena *arena,
                       struct wire_reply *reply) WARN_UNUSED;

/* "NaN", "Infinity", "-Infinity": what no number says in JSON, XML and headers. */
bool wire_f64_of_word(struct str text, double *ret_v);
/* The word for a double that needs one, else STR_NONE. */
struct str wire_word_of_f64(double v);

/* Fill the struct at `dst` from a parsed body; CBOR gives the tree that JSON does. */
enum err wire_dec_json(struct wire_dec *d, const struct wire_shape *shape, const struct json *v,
                       void *dst) WARN_UNUSED;
/* One member's value, wherever it travels; *has is set where there is one. */
enum err wire_dec_json_value(struct wire_dec *d, const struct wire_member *m, const struct json *v,
                             void *dst, bool *has) WARN_UNUSED;
/* Reads one member, wherever its value was found. */
enum err wire_dec_json_member(struct wire_dec *d, const struct wire_member *m, const struct json *v,
                              void *base) WARN_UNUSED;
enum err wire_dec_xml(struct wire_dec *d, const struct wire_shape *shape, const struct xml *e,
                      void *dst) WARN_UNUSED;
/* From form parameters in any order. */
enum err wire_dec_form(struct wire_dec *d, const struct wire_shape *shape,
                       const struct percent_pair *pairs, size_t n, void *dst) WARN_UNUSED;

/* Checks W3 over a decoded struct; ERR_FAILED with the fault of the service's wording. */
enum err wire_check(struct wire_dec *d, const struct wire_shape *shape, const void *in) WARN_UNUSED;

/* --- encoding --------------------------------------------------------------------------------- */

/* The struct as a JSON object: body members only. */
void wire_enc_json(struct buf *b, const struct wire_shape *shape, const void *out);
/* One value of a member, which is set. */
void wire_enc_json_value(struct buf *b, const struct wire_member *m, const void *v);
/* As the query protocol's JSON: sorted, with nulls. */
void wire_enc_query_json(struct buf *b, const struct wire_service *service,
                         const struct wire_shape *shape, const void *out);
/* The same as a CBOR map. */
void wire_enc_cbor(struct buf *b, const struct wire_shape *shape, const void *out);
/* Its members as XML elements, without one around them. `ms`: timestamps with milliseconds. */
void wire_enc_xml(struct buf *b, const struct wire_shape *shape, const void *out, bool ms);
/* A struct as element `name`, with the attributes its shape has. */
void wire_enc_xml_struct(struct buf *b, struct str name, struct str ns,
                         const struct wire_shape *shape, const void *v, bool ms);
/* A scalar as text: headers and XML. STR_NONE for kinds that have none. */
struct str wire_enc_text(struct arena *arena, const struct wire_member *m, const void *v,
                         enum wire_time_format time_default, bool ms);

/* --- names.c ---------------------------------------------------------------------------------- */

/* What a request says of the service that it is for; absent what it does not say. */
struct wire_meant {
    struct str target;  /* X-Amz-Target before the dot, or the service in the path of rpc-v2-cbor */
    struct str scope;   /* of the signature */
    struct str version; /* of the form */
    struct str host;
};

/* The service of AWS that is meant; NULL: cannot be told. O(services of AWS). */
const struct wire_aws_service *wire_aws_meant(const struct wire_meant *m);
/* One that is signed for by the same name as `service`, and is none of ours (API Gateway's second
 * version); NULL: there is none. O(services of AWS). */
const struct wire_aws_service *wire_aws_beside(const struct wire_service *const *services,
                                               size_t n_services,
                                               const struct wire_service *service);

#endif
