/* How API Gateway maps requests and replies: templates, parameters, the choice of an integration
 * response, gateway responses, access log lines, stage variables. What a deployment says is compiled
 * once (MP1); applying it reads nothing but what it is given.
 *
 * Invariants
 *   MP1  What was compiled never changes and borrows nothing but its arena and the JSON it was
 *        compiled from: any number of threads may apply it at once.
 *   MP2  A template or mapping that does not parse does not fail the deployment: applying it gives
 *        ERR_INVALID with the parser's words, as the request that needs it is answered 500.
 *   MP3  What is absent maps to nothing: the target parameter is not set.
 *
 * Source: API Gateway Developer Guide, "Data mappings", "Mapping template reference", "Gateway
 * responses"; what those leave open as replies of AWS show it (map_input.c, map_parameter.c).
 * Layer: svc, a pure part (base, codec, lang). Thread: pure. */
#ifndef WEIR_SVC_APIGATEWAY_MAP_H
#define WEIR_SVC_APIGATEWAY_MAP_H

#include "lang/vtl.h"

enum {
    MAP_PARAMETERS_MAX = 300,      /* mappings of one integration or reply */
    MAP_LOG_LINE_MAX = 256 * 1024, /* bytes of one access log line, newline included */
    MAP_VALUE_MAX = 64 * 1024,     /* bytes of one mapped value */
    MAP_PLAIN_MAX = 300 * 1024,    /* bytes that a plain template may make */
};

struct regex;

struct map_pair {
    struct str name, value;
};

struct map_pairs {
    const struct map_pair *v;
    size_t n;
};

/* Pairs being made, in an arena. Zeroed: none. */
struct map_made {
    struct map_pair *v;
    size_t n, cap;
};

/* What is known while one request is served. Borrowed. */
struct map_scope {
    const struct json *context;         /* object: what $context. names, nested; NULL: nothing */
    const struct json *stage_variables; /* object of texts (GetStage's `variables`); NULL: none */
};

/* A method request; names as sent or as the resource's path has them, values decoded, several of one
 * name in order. Of integration replies `header` and `body` alone. */
struct map_message {
    struct map_pairs path, query, header;
    struct str body; /* text; empty or absent: none */
};

/* Why something failed: for the execution log and $context.error. */
struct map_fault {
    struct str message;    /* in the arena, or static */
    unsigned line, column; /* of the template; 0: none */
    bool bad_body;         /* it is the request's body that is at fault: BAD_REQUEST_BODY, 400 */
};

/* The value at a dotted path of a tree ("identity.sourceIp"); STR_NONE when it is absent or null. Texts
 * as they are, numbers and booleans as JSON writes them, others as JSON. */
struct str map_tree_value(struct arena *a, const struct json *tree, struct str path);

/* --- templates -------------------------------------------------------------------------------- */

struct map_template {
    struct str content_type;        /* as the API has it, lower case */
    bool passes;                    /* it is empty: the body passes through */
    const struct vtl_template *vtl; /* NULL: it does not parse (MP2), or `passes` */
    struct map_fault fault;
};

/* Templates by content type. */
struct map_templates {
    const struct map_template *v;
    size_t n;
};

/* `templates`: object of texts by media type (requestTemplates, responseTemplates), or NULL. An empty
 * text passes the body through. ERR_LIMIT, ERR_NOMEM. */
enum err map_templates_compile(struct arena *a, const struct json *templates,
                               struct map_templates *ret_templates) WARN_UNUSED;

enum map_passthrough { MAP_WHEN_NO_MATCH, MAP_WHEN_NO_TEMPLATES, MAP_NEVER };
/* "WHEN_NO_MATCH"...; absent or another: WHEN_NO_MATCH. */
enum map_passthrough map_passthrough_of(struct str text);

/* The template for a request's body. `content_type` with or without parameters; absent or empty:
 * application/json. *ret_template NULL: the body passes through. ERR_UNSUPPORTED: answer 415. */
enum err map_choose_request(const struct map_templates *templates, struct str content_type,
                            enum map_passthrough passthrough,
                            const struct map_template **ret_template) WARN_UNUSED;
/* The template for a reply: by `content_type` (what the client accepts, or the reply has), else that of
 * application/json, else the first. NULL: the body passes through. */
const struct map_template *map_choose_response(const struct map_templates *templates,
                                               struct str content_type);

/* What a template made. Overrides are those of $context.requestOverride and responseOverride; a list as
 * value makes several pairs of one name. */
struct map_rendered {
    struct str body;
    struct map_made header, query, path; /* requestOverride */
    struct map_made reply_header;        /* responseOverride.header */
    int status;                          /* responseOverride.status; 0: none */
};

/* Runs a template. $input is `message`. `earlier` NULL: a request's, whose empty body reads {}; else a
 * reply's, and what the request's template put into responseOverride is there already. A path or
 * parameter that there is not prints nothing, as all that is null in API Gateway. ERR_INVALID (*ret_fault): the template does not parse, a method
 * failed, or the body is to be read as JSON and is none; ERR_LIMIT (*ret_fault); ERR_NOMEM. */
enum err map_render(struct arena *a, const struct map_template *t, const struct map_scope *scope,
                    const struct map_message *message, const struct map_rendered *earlier,
                    struct map_rendered *ret_rendered, struct map_fault *ret_fault) WARN_UNUSED;

/* --- parameters ------------------------------------------------------------------------------- */

struct map_parameter;

/* Mappings of one integration or reply. */
struct map_parameters {
    const struct map_parameter *v;
    size_t n;
};

/* `mappings`: object of sources by target, or NULL.
 *   request    integration.request.{header,querystring,path}.NAME from method.request.{path,querystring,
 *              header,multivaluequerystring,multivalueheader}.NAME, method.request.body[.JSONPATH]
 *   reply      method.response.header.NAME from integration.response.{header,multivalueheader}.NAME,
 *              integration.response.body[.JSONPATH]
 *   gateway    gatewayresponse.{header,querystring,path}.NAME from method.request.* as above
 *   all        context.PATH, stageVariables.NAME, 'static'
 * A mapping that is none of these is kept as one that makes nothing. ERR_LIMIT, ERR_NOMEM. */
enum err map_parameters_compile(struct arena *a, const struct json *mappings,
                                struct map_parameters *ret_parameters) WARN_UNUSED;

/* Whether `target` = `source` can be a mapping of an integration's requestParameters, of an integration
 * response's or of a gateway response's: for the control plane. */
bool map_parameter_is_request(struct str target, struct str source);
bool map_parameter_is_response(struct str target, struct str source);
bool map_parameter_is_gateway(struct str target, struct str source);

/* Pairs made by the mappings. */
struct map_targets {
    struct map_made header, query, path;
};

/* Whether one of them looks into the body. */
bool map_parameters_need_body(const struct map_parameters *parameters);

/* Values are appended, after what is there. ERR_INVALID (*ret_fault): a body is to be read as JSON and
 * begins as an object without being one ("Invalid JSON in request body", 400); ERR_LIMIT: a value over
 * MAP_VALUE_MAX; ERR_NOMEM. */
enum err map_parameters_apply(struct arena *a, const struct map_parameters *parameters,
                              const struct map_scope *scope, const struct map_message *message,
                              struct map_targets *targets, struct map_fault *ret_fault) WARN_UNUSED;

/* Sets a name (compared without case when `nocase`) to one value, in place of all it had. ERR_NOMEM. */
enum err map_made_set(struct arena *a, struct map_made *made, struct str name, struct str value,
                      bool nocase) WARN_UNUSED;
enum err map_made_add(struct arena *a, struct map_made *made, struct str name,
                      struct str value) WARN_UNUSED;

/* --- integration responses -------------------------------------------------------------------- */

struct map_response {
    struct str status; /* "200" */
    int status_code;
    struct map_parameters parameters;
    struct map_templates templates;
    const struct json *json;     /* IntegrationResponse */
    bool is_default;             /* has no selectionPattern */
    const struct regex *pattern; /* NULL: none, or one that is no regular expression (MP2) */
};

struct map_responses {
    const struct map_response *v;
    size_t n;
};

/* `responses`: object of IntegrationResponses by status code (Integration's integrationResponses), or
 * NULL. The arena gets cleanups for regular expressions. ERR_LIMIT, ERR_NOMEM. */
enum err map_responses_compile(struct arena *a, const struct json *responses,
                               struct map_responses *ret_responses) WARN_UNUSED;
/* That whose selectionPattern matches the whole of `text`, by ascending status code: the status of HTTP and
 * AWS integrations, errorMessage of a function (absent: it succeeded). Else the one without a pattern.
 * NULL: there is none, which is answered 500. */
const struct map_response *map_responses_select(const struct map_responses *responses,
                                                struct str text);

/* --- plain texts ------------------------------------------------------------------------------ */

/* `text` with ${stageVariables.NAME} replaced; absent ones by nothing. The same text when there is
 * none. ERR_LIMIT, ERR_NOMEM. */
enum err map_stage_variables(struct arena *a, struct str text, const struct json *stage_variables,
                             struct str *ret_text) WARN_UNUSED;

/* A gateway response's template: $context.PATH and $stageVariables.NAME (also ${..}), and
 * $method.request.{path,querystring,header}.NAME, are replaced; absent ones by nothing. It is not VTL.
 * ERR_LIMIT, ERR_NOMEM. */
enum err map_plain(struct arena *a, struct str template, const struct map_scope *scope,
                   const struct map_message *message, struct str *ret_text) WARN_UNUSED;

/* An access log line: $context.PATH replaced, absent ones by '-'; cut at MAP_LOG_LINE_MAX. ERR_NOMEM. */
enum err map_log_line(struct arena *a, struct str format, const struct json *context,
                      struct str *ret_line) WARN_UNUSED;

#endif
