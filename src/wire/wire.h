/* The AWS wire protocols, interpreted from generated tables: which operation a request names, its
 * typed input, and the bytes of its typed output or error.
 *
 * The tables are made by gen/gen.py from spec/<service>.json; a handler's structs are described by
 * struct wire_shape and struct wire_member (offsets), so that one interpreter per protocol serves
 * every operation:
 *     awsJson 1.0 and 1.1, query, restJson, restXml, smithy rpc-v2-cbor.
 *
 * Invariants
 *   W1  Tables are constant; only compiled patterns are added to them, once each, atomically.
 *   W2  Input structs live in the request's arena and may borrow from the request's bytes.
 *   W3  wire_decode gives a struct only when every constraint of the spec holds for it.
 *   W4  Nothing here does I/O or logs. Of services it knows only what their tables say, but for S3,
 *       which route.c takes for whatever nobody else claims (enum wire_wording and wire_route say so).
 *
 * Representation of values in C structs: gen/README.md.
 *
 * Layer: wire (includes codec). Thread: pure, but for W1. */
#ifndef WEIR_WIRE_WIRE_H
#define WEIR_WIRE_WIRE_H

#include "base/str.h"
#include "codec/json.h"
#include "codec/percent.h"

struct call;
struct call_sink;
struct wire_service;
struct wire_shape;

enum {
    WIRE_LABELS_MAX = 8, /* path labels of one REST operation; gen.py and core_start refuse more */
    WIRE_QUERY_KEYS_MAX = 128,   /* names in a map of all query parameters */
    WIRE_PARAMS_MAX = 20 * 1000, /* form parameters of a query-protocol request */
    WIRE_DEPTH_MAX = 48,         /* dots in a form parameter's name */
    WIRE_FAULTS_MAX = 20,        /* constraint violations reported at once */
    WIRE_REPLY_HEADERS_MAX = 256,
    WIRE_REPLY_MAX = 256 * 1024 * 1024,   /* bytes of an encoded reply body */
    WIRE_UNPACKED_MAX = 16 * 1024 * 1024, /* bytes of a request body that came compressed */
    WIRE_GZIP_MIN = 1024,                 /* bytes of a reply body that compressing is worth, */
    WIRE_GZIP_MAX = 4 * 1024 * 1024,      /* and that does not hold up its loop too long */
};

enum wire_protocol {
    WIRE_JSON10, /* awsJson1.0: X-Amz-Target, application/x-amz-json-1.0 */
    WIRE_JSON11,
    WIRE_QUERY, /* Action=, form in, XML out, or JSON (Accept) */
    WIRE_REST_JSON,
    WIRE_REST_XML,
    WIRE_RPC_CBOR, /* smithy rpc-v2-cbor: POST /service/NAME/operation/OP, application/cbor */
};

/* --- values ----------------------------------------------------------------------------------- */

enum wire_kind {
    WIRE_STRING, /* struct str, p == NULL absent */
    WIRE_BLOB,   /* struct str of decoded bytes */
    WIRE_INT,    /* int64_t, has_ */
    WIRE_BOOL,   /* bool, has_ */
    WIRE_DOUBLE, /* double, has_ */
    WIRE_TIME,   /* int64_t ms since 1970, has_ */
    WIRE_STRUCT, /* const struct *, NULL absent (by value inside lists and maps) */
    WIRE_LIST,   /* struct { const T *v; size_t n; } */
    WIRE_MAP, /* struct { const struct entry *v; size_t n; }, entry { struct str key; T value; } */
    WIRE_JSON_IN,   /* const struct json *, NULL absent */
    WIRE_JSON_OUT,  /* struct str of JSON text */
    WIRE_JSON_BOTH, /* struct wire_json */
};

/* A value kept as JSON that is read in one direction and written in the other. */
struct wire_json {
    const struct json *in; /* of a request */
    struct str out;        /* JSON text, for a reply */
};

/* Shape of any generated list or map. */
struct wire_list {
    const void *v;
    size_t n;
};

enum wire_time_format { WIRE_TIME_DEFAULT, WIRE_TIME_EPOCH, WIRE_TIME_ISO8601, WIRE_TIME_HTTP };

enum wire_location {
    WIRE_IN_BODY,
    WIRE_IN_HEADER,
    WIRE_IN_QUERY,   /* query string; of a map: those that no other member takes */
    WIRE_IN_URI,     /* path label */
    WIRE_IN_PAYLOAD, /* the member is the whole body */
    WIRE_IN_HEADERS, /* map of all headers with a prefix */
    WIRE_IN_STATUS,
};

enum wire_member_flags {
    WIRE_REQUIRED = 1,
    WIRE_FLATTENED = 2,
    WIRE_XML_ATTRIBUTE = 4,
    WIRE_ELEMENT = 8, /* of a list or map: a struct is in place, not behind a pointer */
    WIRE_ALONE = 16,  /* its absence is told by itself, ahead of every other violation */
};

struct wire_member {
    struct str name;  /* in JSON, and in AWS's documentation */
    struct str xml;   /* element or attribute in XML bodies */
    struct str query; /* in form parameters */
    struct str at; /* header (or prefix), query parameter or label; of a member in the body: what an
                       * inner call names it by, where another member has its name outside of the body */
    const struct wire_shape *shape;
    uint32_t offset;     /* in the C struct */
    uint32_t has_offset; /* of bool has_<m>; 0 where the value itself says absent */
    uint8_t location;    /* enum wire_location */
    uint8_t flags;       /* enum wire_member_flags */
    uint8_t time_format; /* enum wire_time_format */
    /* What is said, by itself and ahead of every other violation, of a text that is too long. NULL: as of any. */
    const char *too_long;
};

/* A regular expression of the spec, compiled at first use. */
struct wire_pattern {
    const char *text;
    void *code; /* atomic */
};

enum wire_shape_flags {
    WIRE_HAS_MIN = 1,
    WIRE_HAS_MAX = 2,
    WIRE_CHECKED = 4,       /* it or something inside it has a constraint */
    WIRE_FLAT_LIST = 8,     /* XML and query without the wrapping element */
    WIRE_BODY_MEMBERS = 16, /* STRUCT: some member is in the body */
    WIRE_DOCUMENT = 32,     /* json kinds: any JSON value, not an object or array only */
    WIRE_SENSITIVE = 64,
    WIRE_JSON_LIST = 128,   /* json kinds: an array, otherwise an object */
    WIRE_INT32 = 256,       /* INT: 32 bits on the wire */
    WIRE_BARE_BOUNDS = 512, /* STRUCT: an input whose broken bounds are told without the value */
};

struct wire_shape {
    struct str name;
    uint8_t kind; /* enum wire_kind */
    uint8_t time_format;
    uint16_t flags; /* enum wire_shape_flags */
    uint16_t n_members;
    uint16_t n_enums;
    uint32_t size;         /* STRUCT: of the C struct; LIST: of an element; MAP: of an entry */
    uint32_t value_offset; /* MAP: of `value` in an entry */
    /* STRUCT: members; LIST: the element; MAP: key and value. */
    const struct wire_member *members;
    const struct str *enums; /* permitted values */
    struct wire_pattern *pattern;
    int64_t min, max;                  /* length in characters, elements, or value */
    const struct wire_member *payload; /* STRUCT: the member that is the body */
    struct str xmlns;                  /* of the element */
    /* STRING that is a name or an ARN: what holds for a name. A value that begins with "arn:" is
     * held to this shape's own constraints, any other to these alone. NULL: no such thing. */
    const struct wire_shape *name_shape;
};

/* --- errors ----------------------------------------------------------------------------------- */

struct wire_error {
    struct str name;          /* "ResourceNotFoundException" */
    struct str json_type;     /* of `__type`, with its namespace */
    struct str code;          /* in XML and in query replies; restJson's header */
    struct str query_code;    /* of x-amzn-query-error; absent: none */
    struct str query_message; /* what the query protocol says in any case; absent: as the others */
    int status;
    bool server;          /* the service's fault, not the sender's */
    bool message_capital; /* JSON member "Message" instead of "message" */
    bool has_type;        /* restJson: "Type":"User" member */
};

/* Errors that every service has, under its own codes: index of wire_service.common. */
enum wire_common {
    WIRE_E_ACCESS_DENIED,
    WIRE_E_VALIDATION, /* a constraint of the spec is broken */
    WIRE_E_MISSING_PARAMETER,
    WIRE_E_SERIALIZATION, /* the body does not parse, or a value has the wrong type */
    WIRE_E_UNKNOWN_OPERATION,
    WIRE_E_NOT_IMPLEMENTED, /* an operation of AWS that Weir does not have */
    WIRE_E_INTERNAL,
    WIRE_E_UNAVAILABLE, /* overload, store failure: retry */
    WIRE_E_THROTTLING,
    WIRE_E_CONFLICT,     /* TXN_ATTEMPTS_MAX conflicts in a row */
    WIRE_E_MISSING_AUTH, /* no credentials where they are needed */
    WIRE_E_UNKNOWN_KEY,  /* access key id does not exist */
    WIRE_E_BAD_TOKEN,    /* session token wrong or missing */
    WIRE_E_EXPIRED_TOKEN,
    WIRE_E_BAD_SIGNATURE,
    WIRE_E_BAD_AUTH,   /* authorization header or parameters malformed */
    WIRE_E_SKEW,       /* request time too far from now */
    WIRE_E_TOO_LARGE,  /* body over the limit */
    WIRE_E_TIMEOUT,    /* the body did not come in time or ended early */
    WIRE_E_BAD_DIGEST, /* the body does not have the signed hash */
    /* What a few services alone tell apart; the others have no such row. */
    WIRE_E_INCOMPLETE_BODY,        /* a body in chunks that ended early */
    WIRE_E_INVALID_CHUNK_SIZE,     /* a chunk but the last that is too small */
    WIRE_E_INVALID_URI,            /* path or query do not decode */
    WIRE_E_MISSING_CONTENT_LENGTH, /* of a streamed body */
    WIRE_E_COMMON_N,
};

/* How constraint violations are told. */
enum wire_wording {
    WIRE_WORDING_COUNTED, /* "1 validation error detected: Value ... at ..." */
    WIRE_WORDING_SQS,     /* "The request must contain the parameter X." */
    WIRE_WORDING_S3,      /* one sentence, InvalidArgument */
};

/* --- operations ------------------------------------------------------------------------------- */

enum wire_op_flags {
    WIRE_OP_UNSIGNED = 1,   /* callable without credentials */
    WIRE_OP_STREAM_IN = 2,  /* body goes to the sink that `body` makes */
    WIRE_OP_STREAM_OUT = 4, /* body by call_reply_source or call_reply_raw */
    WIRE_OP_SELF_AUTH = 8,  /* `resource` is absent: the service's authorize_more does all of it
                               (several resources per request), or no permission is needed */
    WIRE_OP_NO_OUTPUT = 16, /* the model has no output: a success has no body */
};

/* A permission that an operation needs. */
struct wire_need {
    struct str action;   /* "iam:PassRole" */
    struct str resource; /* ARN template, see wire_resource */
    struct str when;     /* see wire_when; absent: always */
    struct str instead;  /* an action that will do as well; absent: none */
};

/* A condition key that an operation has, and the template of its value, see wire_keys_each. */
struct wire_key {
    struct str name; /* "s3:prefix" */
    struct str value;
};

struct wire_op {
    struct str name;
    uint16_t index; /* in wire_service.ops; ops are sorted by name */
    uint16_t flags; /* enum wire_op_flags */
    uint16_t n_errors;
    int status; /* of success */
    const struct wire_service *service;
    const struct wire_shape *input, *output;
    const struct wire_error *const *errors; /* that the model declares for it */
    struct str owner;    /* members that may name another account's resource; see wire_owner */
    struct str action;   /* "sqs:SendMessage" */
    struct str resource; /* ARN template, see wire_resource */
    struct str when;     /* of action and resource, see wire_when */
    const struct wire_need *also; /* further permissions */
    const struct wire_key *keys;  /* condition keys, sorted by name */
    const struct str *tags;       /* paths of members that hold tags or tag keys */
    uint8_t n_also, n_keys, n_tags;
    uint32_t body_max;      /* bytes of a buffered request body; 0: what all have */
    struct str method, uri; /* REST */
    struct str result; /* query: element around the output; restXml: root of the output; absent */
    size_t in_size, out_size;
    enum err (*run)(struct call *call, const void *in, void *out);
    enum err (*body)(struct call *call, const void *in, struct call_sink *ret_sink); /* stream_in */
};

enum wire_segment_kind { WIRE_SEG_TEXT, WIRE_SEG_LABEL, WIRE_SEG_GREEDY };

struct wire_segment {
    struct str text; /* literal, or label's name */
    uint8_t kind;
};

struct wire_literal {
    struct str name;
    struct str value; /* absent: present with any value */
};

/* One way in REST to name an operation. `op` is NULL for one that AWS has and Weir has not. */
struct wire_route {
    struct str name; /* operation */
    const struct wire_op *op;
    struct str method;
    const struct wire_segment *segments;
    const struct wire_literal *query;  /* must be in the query string */
    const struct wire_literal *header; /* must be among the headers */
    uint8_t n_segments, n_query, n_header;
    bool greedy; /* last segment takes the rest */
};

struct wire_service {
    struct str name;    /* "sqs": prefix of C names, name in metrics */
    struct str title;   /* "Amazon SQS" */
    struct str signing; /* service in SigV4 scopes */
    struct str arn;     /* service in `aws:` ARNs */
    struct str version; /* API version, "2012-11-05" */
    struct str target;  /* X-Amz-Target before the dot; absent: none */
    struct str xmlns;
    struct str type_prefix; /* of `__type`, e.g. "com.amazonaws.sqs#" */
    struct str url_member;  /* query: input member that the request's own URL stands for */
    uint8_t protocol;       /* the first one */
    uint8_t json_protocol;  /* of a request with X-Amz-Target: WIRE_JSON10 or WIRE_JSON11 */
    bool speaks_query;      /* also, or only, the query protocol */
    bool speaks_cbor;       /* also, or first, rpc-v2-cbor; it is called by its `target` */
    bool buckets;           /* restXml: the path is a bucket and a key, the host may be a bucket */
    bool crc32;             /* replies carry x-amz-crc32 */
    bool gzip_replies;      /* replies are compressed for clients that take it */
    uint8_t wording;        /* enum wire_wording */
    const struct wire_op *ops; /* sorted by name */
    size_t n_ops;
    const struct str *unsupported; /* sorted names of AWS's operations that Weir has not */
    size_t n_unsupported;
    const struct wire_route *routes; /* REST, most specific first */
    size_t n_routes;
    const struct wire_error *const *errors; /* all, sorted by name */
    size_t n_errors;
    const struct wire_error *common[WIRE_E_COMMON_N];
    struct wire_pattern *patterns;
    size_t n_patterns;
    /* Condition keys that have the service's prefix, and those of other services that its operations
     * have ("iam:PassedToService"); one that ends in '/' goes on with the key of a tag. */
    const struct str *condition_keys;
    size_t n_condition_keys;
    struct str server;                     /* the Server header of its replies; absent: none */
    bool query_detail;                     /* query errors have an empty <Detail/> */
    const struct wire_literal *query_json; /* members' other names in the query protocol's JSON */
    size_t n_query_json;
    const struct str *signed_query; /* query parameters that Signature Version 2 signs, sorted */
    size_t n_signed_query;
};

/* Whether the whole of `s` matches; a text that needs more than the match limit does not.
 * ERR_NOMEM. A pattern that does not compile is a bug of the spec (unit test), and asserts. */
enum err wire_pattern_match(struct wire_pattern *p, struct str s, bool *ret_match) WARN_UNUSED;
/* Forgets the compiled form: for patterns that do not live as long as the process (tests). */
void wire_pattern_release(struct wire_pattern *p);

/* Whether no route has more labels than WIRE_LABELS_MAX: routing would lose the rest. O(routes). */
bool wire_labels_fit(const struct wire_service *service);
/* Operation by name, or NULL. O(log ops). */
const struct wire_op *wire_op_find(const struct wire_service *service, struct str name);
bool wire_op_known_unsupported(const struct wire_service *service, struct str name);

/* --- services that AWS has -------------------------------------------------------------------- */

/* What names a service in requests: a row of spec/aws_services.tsv, which gen/names.py makes a table
 * of. Texts that it has not are absent. */
struct wire_aws_service {
    struct str title;    /* "Amazon EventBridge Scheduler" */
    struct str signing;  /* in SigV4 scopes */
    struct str endpoint; /* in host names, before the region */
    struct str target;   /* X-Amz-Target before the dot, NAME in the path of rpc-v2-cbor */
    struct str version;  /* of the API; query protocol only */
    uint8_t protocol;    /* enum wire_protocol */
};
extern const struct wire_aws_service wire_aws_services[];
extern const size_t wire_n_aws_services;

/* --- request ---------------------------------------------------------------------------------- */

/* Same layout as struct http_header. */
struct wire_header {
    struct str name;
    struct str value;
};

struct wire_request {
    struct str method;
    struct str path;  /* still percent-encoded */
    struct str query; /* still encoded; absent without '?' */
    const struct wire_header *headers;
    size_t n_headers;
    struct str body;     /* p == NULL: not read (yet) */
    bool body_is_stream; /* the body goes to a sink; it is not decoded */
    bool tls;
};

/* Header by name without case; the first of several; STR_NONE. */
struct str wire_header_get(const struct wire_request *req, struct str name);
/* Whether Accept-Encoding's value has "gzip" among the codings, unless with q=0. Source: RFC 9110 section
 * 12.5.3. */
bool wire_accepts_gzip(struct str codings);

enum wire_outcome {
    WIRE_ROUTED,
    WIRE_NEEDS_BODY, /* the operation is named in the form: read the body, route again */
    WIRE_UNKNOWN_SERVICE,
    WIRE_UNKNOWN_OPERATION, /* of a known service: answer WIRE_E_UNKNOWN_OPERATION */
    WIRE_UNSUPPORTED,       /* an operation AWS has: answer WIRE_E_NOT_IMPLEMENTED */
    WIRE_BAD_REQUEST,       /* malformed path, query or form: answer WIRE_E_SERIALIZATION */
    WIRE_PROTOCOL_REFUSED,  /* a protocol that the service does not speak (rpc-v2-cbor): same */
};

struct wire_fault {
    const struct wire_error *error;
    struct str message;
    struct str name,
        value; /* S3: of the parameter or header that is wrong; absent: it is not told */
};

struct wire_routed {
    enum wire_outcome outcome;
    const struct wire_service *service; /* NULL for WIRE_UNKNOWN_SERVICE */
    const struct wire_op *op;           /* NULL unless WIRE_ROUTED */
    struct str op_name;                 /* as asked for; absent when none was named */
    enum wire_protocol protocol;
    bool query_mode;        /* x-amzn-query-mode: true */
    bool accepts_json;      /* Accept: application/json */
    bool coded;             /* the body has a Content-Encoding */
    bool accepts_gzip;      /* and the service compresses */
    bool head;              /* method HEAD: errors have no body */
    struct str bucket;      /* S3, decoded; absent at the service level */
    struct str host_bucket; /* S3: the bucket as the host names it; absent for path style */
    struct str *labels;     /* REST: WIRE_LABELS_MAX, decoded, in the route's order */
    const struct wire_route *route;
    struct percent_pair *params; /* of the query string, decoded */
    size_t n_params;
    struct percent_pair *form; /* of a query-protocol body, decoded */
    size_t n_form;
    const struct wire_fault *fault; /* WIRE_BAD_REQUEST: why, when more is known than that */
    /* WIRE_UNKNOWN_SERVICE: the one meant, if it can be told; WIRE_UNKNOWN_OPERATION: one that may be
     * meant, being signed for by the same name. */
    const struct wire_aws_service *lacking;
};

/* Names service, operation and protocol. `scope` is the service of the request's SigV4 scope
 * (header or presigned), absent when there is none; it decides over host and path. `services` has
 * S3, if at all, in any place: it is the fallback. Never fails but for ERR_NOMEM. About 0.3 us.
 * Order: rpc-v2-cbor; X-Amz-Target; scope; Action; REST path; S3. */
enum err wire_route(const struct wire_service *const *services, size_t n_services,
                    const struct wire_request *req, struct str scope, struct arena *arena,
                    struct wire_routed *ret_routed) WARN_UNUSED;

/* --- input ------------------------------------------------------------------------------------ */

/* Typed input of a routed request, in the arena. ERR_FAILED with *ret_fault set when it is not
 * valid; ERR_NOMEM. A streamed body is not looked at. */
enum err wire_decode(const struct wire_routed *routed, const struct wire_request *req,
                     struct arena *arena, void **ret_in, struct wire_fault *ret_fault) WARN_UNUSED;

/* Zeroed output struct of the operation. NULL on exhaustion. */
void *wire_output_new(const struct wire_op *op, struct arena *arena);

/* A request as the spec's rows about permissions see it. Everything is borrowed. */
struct wire_ask {
    const struct wire_op *op;
    const void *in; /* NULL: no member is present */
    struct str account, region, partition;
    struct arena *arena;
};

/* The account in a text that names a resource: an ARN's, also a partial one ("ID:function:NAME"), that of a
 * queue's URL, or the text itself where it is an account's id. STR_NONE: none is in it. */
struct str wire_account_in(struct str text);
/* The account of the first member of op->owner (paths divided by spaces) that is present: in whose
 * account the operation acts, should there be a policy that lets the caller. STR_NONE: the caller's. */
struct str wire_owner(const struct wire_op *op, const void *in);

/* ARN of what a request acts on, from a template of its operation:
 *   {Member}         the input member's text (a path a.b reaches into structures)
 *   {Member|last}    what follows its last '/' or ':' (queue URL, ARN)
 *   {Member|table}   table name of a name or table ARN (…:table/NAME/index/…)
 *   {Member|lambda}  function name of a name, partial ARN or ARN, qualifier dropped
 *   {Member|function}  the same, with its qualifier
 *   {Member|group}   log group name of a name or ARN
 *   {Member|arn}     the member is an ARN and the whole of the template
 *   {Member|copy}    bucket/key of an S3 copy source, decoded as S3 does
 *   {Member|version} its version, absent when it names none
 *   {account} {region} {partition}
 * Several templates divided by spaces: the first whose members are all present is taken. A member
 * that is absent in the last one stands as "*". STR_NONE for an absent template (WIRE_OP_SELF_AUTH).
 * ERR_LIMIT over 8 KiB, ERR_NOMEM. */
enum err wire_resource(const struct wire_ask *ask, struct str template,
                       struct str *ret_arn) WARN_UNUSED;

/* Whether a need's condition holds: members (paths, with forms as above) divided by spaces, all of
 * which must be present, or absent where '!' stands before. An empty list or map is absent.
 * ERR_NOMEM. */
enum err wire_when(const struct wire_ask *ask, struct str when, bool *ret_holds) WARN_UNUSED;

/* Calls fn(arg, name, value) for every condition key of the request: the operation's rows whose
 * members are all present (texts as they are, numbers in decimal, booleans as true and false; a row
 * that is one list of texts gives each of them), then aws:TagKeys and aws:RequestTag/KEY for the
 * tags it brings (a map; a list of structures with Key and Value; a list of keys). Texts are
 * borrowed from the input or in the arena. Stops at fn's first error and gives it. ERR_NOMEM. */
enum err wire_keys_each(const struct wire_ask *ask,
                        enum err (*fn)(void *arg, struct str name, struct str value),
                        void *arg) WARN_UNUSED;

/* Text of the input member called `name` by AWS (or a path to it): how audit records and services
 * read any operation's input. STR_NONE when absent or not text. */
struct str wire_input_str(const struct wire_op *op, const void *in, struct str name);

/* --- reply ------------------------------------------------------------------------------------ */

struct wire_reply {
    int status;
    struct str content_type;     /* absent: none to be sent */
    struct wire_header *headers; /* in the arena */
    size_t n_headers, headers_cap;
    struct str body;
    struct arena *arena;
};

/* Adds a header, borrowed. ERR_LIMIT over WIRE_REPLY_HEADERS_MAX, ERR_NOMEM. */
enum err wire_reply_add(struct wire_reply *reply, struct str name, struct str value) WARN_UNUSED;

/* Encodes a success. `host_id` is S3's x-amz-id-2 (ignored by others). For a WIRE_OP_STREAM_OUT
 * operation the body stays empty and the head alone is made. */
enum err wire_encode(const struct wire_routed *routed, const void *out, struct str request_id,
                     struct str host_id, struct arena *arena,
                     struct wire_reply *ret_reply) WARN_UNUSED;

struct wire_detail {
    struct str name;
    struct str value; /* JSON protocols: JSON text; XML: character data, escaped here */
};

/* Encodes an error in the routed request's protocol. `error` NULL (unknown service): a plain 400
 * UnknownService in the protocol the request seems to speak. */
enum err wire_encode_error(const struct wire_routed *routed, const struct wire_error *error,
                           struct str message, const struct wire_detail *details, size_t n_details,
                           struct str request_id, struct str host_id, struct arena *arena,
                           struct wire_reply *ret_reply) WARN_UNUSED;

/* --- generated code's helpers ----------------------------------------------------------------- */

/* Sets a scalar member of a generated struct and its presence flag. */
#define WIRE_SET(o, member, val) ((o)->member = (val), (o)->has_##member = true)

#endif
