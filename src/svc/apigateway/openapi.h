/* API descriptions: Swagger 2.0 and OpenAPI 3.0, as JSON or YAML, with API Gateway's extensions, to and
 * from the document that a snapshot is (apigateway_snapshot.h). Pure: nothing is stored or looked up.
 *
 * Invariants
 *   OA1  What is refused is told with all its faults at once, as API Gateway does ("Errors found during
 *        import:"); what is left out of an API by Weir or by API Gateway is a warning, never silence.
 *   OA2  References go within the text only, and no reference is followed for ever (OPENAPI_REFS_MAX).
 *   OA3  Models keep their schemas as they were given; references between them have the form
 *        "#/definitions/NAME", whichever version the text was.
 *   OA4  Every identifier in the document was made by new_id, or is a name.
 *
 * Source: OpenAPI 2.0 and 3.0.3; API Gateway developer guide, "Working with API Gateway extensions to
 * OpenAPI", "Amazon API Gateway important notes". Layer: svc/apigateway. Thread: pure. */
#ifndef WEIR_SVC_APIGATEWAY_OPENAPI_H
#define WEIR_SVC_APIGATEWAY_OPENAPI_H

#include "codec/json.h"

enum {
    OPENAPI_BYTES_MAX = 6 * 1024 * 1024, /* quota "Maximum API definition size" */
    OPENAPI_MEMBERS_MAX = 1000,          /* of any one map or list of the text that is walked */
    OPENAPI_REFS_MAX = 16,               /* in a row */
    OPENAPI_FAULTS_MAX = 50,             /* told at once; warnings likewise */
    OPENAPI_RESOURCES_MAX =
        1000, /* while reading; the API's own quota is asked when it is stored */
};

/* What becomes of basePath, or of the path of the first server: parameter "basepath" of an import. */
enum openapi_base {
    OPENAPI_BASE_IGNORE,
    OPENAPI_BASE_PREPEND, /* before every path */
    OPENAPI_BASE_SPLIT,   /* without its first part, which is a stage's name, before every path */
};

struct openapi_how {
    enum openapi_base base;
    /* A new identifier of `len` characters in the arena; STR_NONE on exhaustion. */
    struct str (*new_id)(struct arena *a, size_t len);
};

struct openapi_read {
    struct json *document;
    struct json *warnings; /* array of texts, may be empty */
    struct str fault;      /* ERR_INVALID, ERR_LIMIT: the message, several lines */
};

/* Reads a description. `ret->document` has restApi (name, description, version, binaryMediaTypes,
 * minimumCompressionSize, apiKeySource, policy as text, disableExecuteApiEndpoint, where the text says
 * them), resources (the root first), models, requestValidators, authorizers, gatewayResponses.
 * ERR_INVALID and ERR_LIMIT with ret->fault; ERR_NOMEM. */
enum err openapi_import(struct arena *a, struct str text, const struct openapi_how *how,
                        struct openapi_read *ret) WARN_UNUSED;

/* Gives the references between the document's models the addresses that an API keeps them by: `place` and
 * the name, in the place of "#/definitions/NAME". The document is changed. ERR_NOMEM. */
enum err openapi_models_at(struct arena *a, struct json *document, struct str place) WARN_UNUSED;

struct openapi_export {
    bool v3;           /* "oas30"; else "swagger" */
    bool integrations; /* extensions=integrations or apigateway */
    bool authorizers;  /* extensions=authorizers or apigateway */
    bool gateway;      /* extensions=apigateway: all the others */
    struct str host;   /* of the stage: "ID.execute-api.REGION.amazonaws.com" */
    struct str stage;
    struct str version; /* of the description: the deployment's time */
};

/* The description of a snapshot. ERR_NOMEM. */
enum err openapi_export(struct arena *a, const struct json *snapshot,
                        const struct openapi_export *how, struct json **ret_doc) WARN_UNUSED;

#endif
