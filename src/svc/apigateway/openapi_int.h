/* Between the files that read a description. Layer: svc/apigateway, pure. */
#ifndef WEIR_SVC_APIGATEWAY_OPENAPI_INT_H
#define WEIR_SVC_APIGATEWAY_OPENAPI_INT_H

#include "codec/json_edit.h"
#include "svc/apigateway/openapi.h"

#define OPENAPI_EXT "x-amazon-apigateway-"

enum { OPENAPI_PART_ID_LEN = 6 };

/* One reading. */
struct openapi {
    struct arena *a;
    const struct openapi_how *how;
    const struct json *root;
    bool v3;
    struct str base; /* put before every path: "" or "/a/b" */
    struct json *api, *resources, *models, *validators, *authorizers, *responses;
    struct json *warnings;
    struct buf faults; /* "\n\t..." each */
    size_t n_faults;
    const struct json *validator; /* of every method that says none itself */
};

/* Notes a fault of the text, or what is left out of the API; reading goes on to find the others. Only
 * ERR_NOMEM. */
enum err openapi_fault(struct openapi *o, const char *fmt, ...) PRINTF_LIKE(2, 3) WARN_UNUSED;
enum err openapi_warn(struct openapi *o, const char *fmt, ...) PRINTF_LIKE(2, 3) WARN_UNUSED;

/* `v`, or what its "$ref" leads to; NULL with a fault noted where that is nothing, or `v` is no object
 * (NULL `v` alone is no fault). */
enum err openapi_follow(struct openapi *o, const struct json *v,
                        const struct json **ret) WARN_UNUSED;
/* The object of that name in `in`; NULL where it is absent, with a fault where it is something else or
 * has more than OPENAPI_MEMBERS_MAX. */
enum err openapi_object(struct openapi *o, const struct json *in, const char *name,
                        const struct json **ret) WARN_UNUSED;
enum err openapi_array(struct openapi *o, const struct json *in, const char *name,
                       const struct json **ret) WARN_UNUSED;
/* A text, number or boolean as text; STR_NONE for all else. */
struct str openapi_text(const struct openapi *o, const struct json *v);
static inline struct str openapi_member(const struct openapi *o, const struct json *in,
                                        const char *name)
{
    return openapi_text(o, json_get(in, str_c(name)));
}
/* Sets a text member where the text is there. */
enum err openapi_set(struct openapi *o, struct json *obj, const char *key,
                     struct str text) WARN_UNUSED;
/* Sets the map of that name, texts by text, where `from` has it; a fault for each member that is an
 * object, a list or null. */
enum err openapi_texts(struct openapi *o, const struct json *from, const char *name,
                       struct json *to) WARN_UNUSED;
struct str openapi_upper(struct openapi *o, struct str text);

/* openapi_schema.c: the name of the model of a schema: what it refers to, or a new one of an inline
 * schema. STR_NONE: no schema, or a fault. */
enum err openapi_models(struct openapi *o) WARN_UNUSED;
enum err openapi_model_of(struct openapi *o, const struct json *schema, struct str content_type,
                          struct str *ret_name) WARN_UNUSED;
/* A copy of the schema, its references as OA3 says. */
enum err openapi_schema(struct openapi *o, const struct json *schema,
                        struct json **ret) WARN_UNUSED;

/* openapi_security.c */
enum err openapi_authorizers(struct openapi *o) WARN_UNUSED;
enum err openapi_security(struct openapi *o, const struct json *op, struct str where,
                          struct json *method) WARN_UNUSED;

/* openapi_integration.c */
enum err openapi_integration(struct openapi *o, const struct json *op, struct str where,
                             struct str resource_id, struct json *method) WARN_UNUSED;

/* openapi_path.c */
enum err openapi_paths(struct openapi *o) WARN_UNUSED;

/* openapi_method.c. `where`: "'GET' for resource at path '/cars'". */
struct openapi_op {
    const struct json *path_item, *op;
    struct str verb, where, resource_id;
};
enum err openapi_method(struct openapi *o, const struct openapi_op *op,
                        struct json **ret_method) WARN_UNUSED;
/* The id of the validator with that name, in `method`. */
enum err openapi_validator(struct openapi *o, const struct json *name, struct str where,
                           struct json *method) WARN_UNUSED;

#endif
