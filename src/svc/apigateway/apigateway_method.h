/* Methods and what hangs on them, inside of their resource's document.
 * Layer: svc/apigateway. Thread: the transaction's. */
#ifndef WEIR_SVC_APIGATEWAY_APIGATEWAY_METHOD_H
#define WEIR_SVC_APIGATEWAY_APIGATEWAY_METHOD_H

#include "svc/apigateway/apigateway_int.h"

/* A method's place; all are nodes of `resource`, to be changed and written with it. */
struct apigateway_method_at {
    struct str api_id;
    struct json *api, *resource;
    struct json *method;      /* NULL where it need not be there */
    struct json *integration; /* NULL: none */
};

/* NotFoundException for the API, the resource, and (`must_be`) the method. */
enum err apigateway_method_find(struct call *call, struct str api_id, struct str resource_id,
                                struct str http_method, bool must_be,
                                struct apigateway_method_at *ret) WARN_UNUSED;
/* The same with its integration; NotFoundException. */
enum err apigateway_integration_find(struct call *call, struct str api_id, struct str resource_id,
                                     struct str http_method,
                                     struct apigateway_method_at *ret) WARN_UNUSED;
/* Writes the resource (AG4, AG5). */
enum err apigateway_method_write(struct call *call,
                                 const struct apigateway_method_at *at) WARN_UNUSED;

/* That a method's document may be as it is: authorisation, validator, models, parameters (AG3). */
enum err apigateway_method_check(struct call *call, struct str api_id,
                                 const struct json *method) WARN_UNUSED;
/* The same of a method response. */
enum err apigateway_response_check(struct call *call, struct str api_id,
                                   const struct json *response) WARN_UNUSED;
/* BadRequestException for what Weir has not. */
enum err apigateway_integration_refuse(struct call *call,
                                       const struct json *integration) WARN_UNUSED;
/* The same of an integration of that method; brings defaults. */
enum err apigateway_integration_check(struct call *call, const struct json *resource,
                                      const struct json *method,
                                      struct json *integration) WARN_UNUSED;
/* The same of an integration's response. */
enum err apigateway_integration_response_check(struct call *call, const struct json *method,
                                               const struct json *response) WARN_UNUSED;

/* Whether `name` is `prefix` (which ends in '.') of one of `places` (words divided by spaces) and a
 * name: "method.request." and "path querystring header". */
bool apigateway_param_is(struct str name, const char *prefix, const char *places);
/* BadRequestException in AWS's words for a parameter that cannot be mapped. */
enum err apigateway_bad_mapping(struct call *call, const char *what,
                                struct str expression) WARN_UNUSED;

#endif
