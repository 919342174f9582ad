/* What the files of SAM's transform share. A tree is grown with helpers that take NULL for "absent" and
 * for "out of memory" alike: the arena remembers the latter (A4), and sam_transform asks it at the end.
 *
 * Faults: a function that finds one says it with sam_bad and its like and returns what they return;
 * whoever walks resources catches it, so that all are told (SAM3).
 *
 * Layer: template. Thread: pure. */
#ifndef WEIR_TEMPLATE_SAM_INT_H
#define WEIR_TEMPLATE_SAM_INT_H

#include "codec/json_edit.h"
#include "template/sam.h"

enum sam_scope {
    SAM_RESOURCE, /* "Resource with id [..] is invalid. " */
    SAM_EVENT,    /* "Resource with id [..] is invalid. Event with id [..] is invalid. " */
    SAM_DOCUMENT, /* "Structure of the SAM template is invalid. ", alone */
    SAM_PLAIN,    /* says all itself */
};

/* A member that was taken out of a map (sam_drop), after those that were later. */
struct sam_dropped {
    const struct sam_dropped *earlier;
    const struct json *from; /* NULL: forgotten */
    struct json *member;
    uint32_t index; /* of the member */
    uint32_t there; /* members that were left */
};

/* One transform at work. */
struct sam {
    struct arena *a;
    const struct sam_world *world;
    struct json *root;      /* the template, a copy of its own */
    struct json *resources; /* its section, with Globals in it and what plugins add */
    struct json *out;       /* what becomes of it */
    struct json *values;    /* of parameters, and of AWS::Region and AWS::Partition */
    struct json *refs;      /* "Function.Alias" -> logical id of what was made for it */
    struct json *renamed;   /* logical id -> the one that it has now */
    struct json *implicit; /* ids of functions -> true: implicit API's events; see sam_implicit.c */
    struct json *names;   /* API -> FunctionName of all that its events wake, one after the other */
    struct json *usage;   /* shared usage plan: {Apis, Ids, ..}; see sam_usage.c */
    struct json *faults;  /* array of texts, with what they are sorted by as keys */
    struct str id;        /* of the resource at work */
    struct str event;     /* of the event at work */
    struct str fault;     /* the last */
    enum sam_scope scope; /* of it */
    const struct json
        *tags;   /* of the resource at work that all that is made of it gets; NULL: none */
    bool of_api; /* the resource at work is an API: its properties are dictionaries of 2.7 */
    struct json
        *covered;        /* bucket -> its own tags, where those of a function stand; see sam_s3.c */
    bool refused;        /* one of the faults is that something is refused */
    size_t nodes, bytes; /* copied so far; of texts made (SAM4) */
    const char *over;    /* of what it has more than over_max, NULL: of nothing */
    int over_max;
    struct json *pushed_to, *pushed; /* the list that was pushed to last, and its last element */
    bool ordered;             /* the template has an API: Python hashes dictionaries of 2.7 */
    size_t put_in_order;      /* values so far (SAM4) */
    struct json **scratch[2]; /* of sam_order.c */
    size_t scratch_size[2];
    struct sam_dropped *dropped; /* the last; for the order of members in hashes */
    uint32_t n_dropped;
};

/* --- faults: give ERR_INVALID ------------------------------------------------------------------ */
enum err sam_bad(struct sam *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
enum err sam_bad_event(struct sam *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
enum err sam_bad_document(struct sam *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
enum err sam_bad_plain(struct sam *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Valid, but refused here. ERR_UNSUPPORTED. */
enum err sam_refuse(struct sam *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
enum err sam_refuse_event(struct sam *s, const char *type) WARN_UNUSED;
/* "Property 'X' should be a map." of the resource, or of the event at work. */
enum err sam_want(struct sam *s, enum sam_scope scope, const struct json *v, char kind,
                  struct str property) WARN_UNUSED;
/* The template is over a limit: nothing is copied any more, and sam_transform says so. */
void sam_over(struct sam *s, const char *what, int max);
/* Takes the fault of ERR_INVALID or ERR_UNSUPPORTED into the list (SAM_FAULTS_MAX) and gives ERR_OK; a fault of the
 * document and all other errors as they are. */
enum err sam_catch(struct sam *s, enum err err) WARN_UNUSED;
/* All that is in the list, each once, by ids: the whole message. O(n log n) over faults. */
enum err sam_tell(struct sam *s, struct str *ret_message) WARN_UNUSED;

/* --- trees -------------------------------------------------------------------------------------- */
static inline bool sam_is(const struct json *v, enum json_kind kind)
{
    return v && v->kind == kind;
}
static inline bool sam_map(const struct json *v)
{
    return sam_is(v, JSON_OBJECT);
}
static inline bool sam_list(const struct json *v)
{
    return sam_is(v, JSON_ARRAY);
}
static inline bool sam_text(const struct json *v)
{
    return sam_is(v, JSON_STRING);
}
static inline bool sam_bool(const struct json *v, bool value)
{
    return sam_is(v, JSON_BOOL) && v->b == value;
}
#define SAM_GET(v, name) json_get((v), STR(name))
#define SAM_AT(v, name) json_at((v), STR(name))
/* The text of `v`, or STR_NONE. */
struct str sam_str(const struct json *v);
static inline bool sam_eq(const struct json *v, const char *text)
{
    return sam_text(v) && str_eq_c(v->text, text);
}

/* What Python holds true: not null, false, 0, and nothing that is empty. */
bool sam_true(const struct json *v);
/* {"Ref": ..}, {"Condition": ..} or {"Fn::..": ..} alone. */
bool sam_intrinsic(const struct json *v);
/* {"Ref": "AWS::NoValue"} */
bool sam_no_value(const struct json *v);
/* The logical id that {"Ref": id} names, else STR_NONE. */
struct str sam_ref(const struct json *v);
/* The logical id that {"Ref": id} or {"Fn::GetAtt": [id, ..]} names, else STR_NONE. */
struct str sam_named(const struct json *v);
/* Equal as JSON trees; members in any order. */
bool sam_equal(const struct json *a, const struct json *b);

/* A copy of its own; remembers which texts are the transform's (sam_py.c). NULL of NULL. */
struct json *sam_copy(struct sam *s, const struct json *v);
/* A tree from a text as "{'Ref': %s, 'List': [%v, 1, true], 'Name': 'x'}": JSON with ' for ", and in place of
 * a value or key %s: struct str, %o: one that counts as the transform's, %v: const struct json * (copied; NULL: the member or element is left
 * out). Its own texts count as the transform's. */
struct json *sam_make(struct sam *s, const char *fmt, ...);
/* At the end; for members whose key is not there yet. O(1) where the same container is grown on and on. */
void sam_append(struct sam *s, struct json *container, struct json *v);
/* Sets or pushes; `v` NULL or a NULL container: does nothing. `key` is borrowed, as one of the user's. */
void sam_put(struct sam *s, struct json *obj, struct str key, struct json *v);
/* The same with a key of the transform's own. */
void sam_set(struct sam *s, struct json *obj, const char *key, struct json *v);
void sam_push(struct sam *s, struct json *list, struct json *v);
/* A copy of v's member, when it is there. */
void sam_take(struct sam *s, struct json *to, const char *name, const struct json *from,
              const char *member);
/* The map at `key`, made where there is none. */
struct json *sam_map_at(struct sam *s, struct json *obj, struct str key);
/* `v` as a list of its own: itself, or it alone; of NULL an empty one. */
struct json *sam_as_list(struct sam *s, const struct json *v);
struct json *sam_new_str(struct sam *s, struct str text);
/* Whether a member's key, or a text, is the transform's own and not the user's. */
bool sam_own_key(const struct json *v);
bool sam_own_text(const struct json *v);
/* A map whose members are hashed in the order in which they were added: sam_keep_order. */
bool sam_plain_order(const struct json *v);
struct json *sam_keep_order(struct json *v);
void sam_forget_marks(struct json *v);

/* --- the order of Python 2.7's dictionaries -------------------------------------------------------- */
/* Members; NULL and 0 where memory ran out. */
struct sam_members {
    struct json **v;
    size_t n;
};
/* As Python would go through them: a map that it knows as a dictionary of 2.7, else as they stand. */
struct sam_members sam_in_order(struct sam *s, struct json *v);
/* Of the template, after resources of these names came and went. */
struct sam_members sam_resources_in_order(struct sam *s, const char *const *added, size_t n);
/* A function's Api events as they are added to definitions; all of its events as they are expanded. */
struct sam_members sam_api_events(struct sam *s, struct json *events);
struct sam_members sam_sorted_events(struct sam *s, struct json *events);
/* What a deep copy does to the order of members. O(size); SAM_ORDERED_MAX. */
void sam_rebuild(struct sam *s, struct json *v);
/* What copy() of the map alone does to it. */
void sam_shallow_copy(struct sam *s, struct json *v);
/* Makes the member the last, as one that was put in just now. */
void sam_move_last(struct sam *s, struct json *obj, const char *key);
/* Takes a member out of a map that is hashed; sam_in_order knows that it was there. */
void sam_drop(struct sam *s, struct json *obj, const char *key);
/* Of sam_drop's: whether something was taken out of the map since it was last copied. */
void sam_mark_dropped(struct json *obj, bool dropped);
bool sam_has_dropped(const struct json *obj);

/* --- Python's spellings -------------------------------------------------------------------------- */
/* As repr() of Python 3: for messages. */
struct str sam_repr(struct sam *s, const struct json *v);
/* As str() of Python 2.7 with u'' for the user's texts and its order of members: for hashes. */
struct str sam_repr27(struct sam *s, const struct json *v);
/* Compact JSON with sorted members, ASCII only. */
struct str sam_dump(struct sam *s, const struct json *v);
/* JSON with ", " and ": " and members in the order of Python 2.7: for hashes. */
struct str sam_dump27(struct sam *s, const struct json *v);
/* The first `n` hex digits of the text's SHA-1. */
struct str sam_hash(struct sam *s, struct str text, size_t n);
/* "List", "str": the type of a value in Python's words. */
const char *sam_type_name(const struct json *v);

/* --- intrinsics --------------------------------------------------------------------------------- */
/* A copy with references to parameters replaced by their values, in Ref and Fn::Sub. */
enum err sam_resolve(struct sam *s, const struct json *v, struct json **ret_v) WARN_UNUSED;
/* In place; the same. */
enum err sam_resolve_member(struct sam *s, struct json *obj, const char *name) WARN_UNUSED;
/* {"Fn::FindInMap": ..} of literal keys replaced by what it finds. */
enum err sam_find_in_map(struct sam *s, const struct json *v, struct json **ret_v) WARN_UNUSED;
/* References to what was renamed (refs, renamed), in place over the whole template. */
enum err sam_rename(struct sam *s, struct json *v) WARN_UNUSED;
/* {"Fn::If": [condition, a, b]} when `condition` is set, else a; takes both. */
struct json *sam_if(struct sam *s, struct str condition, struct json *a, struct json *b);
/* The name of a condition that is the opposite of `condition`, made in the template: NOT, it, `suffix`. */
struct str sam_not_condition(struct sam *s, struct str condition, struct str suffix);
/* The name of one that holds where both do, made likewise: `a` AND `b`, `suffix`. Its members are maps where AWS
 * takes texts, as the published translator writes them: AWS refuses such a template, and so does tpl_open. */
struct str sam_and_condition(struct sam *s, struct str a, struct str b, struct str suffix);
/* A condition that holds where any of the list's does: the one there is, or one of that name, made. */
struct str sam_any_condition(struct sam *s, const struct json *conditions, struct str name);

/* --- resources ----------------------------------------------------------------------------------- */
/* Adds a resource to the result. `attributes`: whose resource attributes it gets (or NULL): a resource of
 * the template; `all`: every one of them, else those that parts of a resource share. */
enum err sam_emit(struct sam *s, struct str id, const char *type, struct json *properties,
                  const struct json *attributes, bool all) WARN_UNUSED;
/* The fault that a resource of that name is there already. */
enum err sam_taken(struct sam *s, struct str id, const char *type) WARN_UNUSED;
/* What sam_emit made of that name. */
struct json *sam_emitted(struct sam *s, struct str id);
struct str sam_upper(struct sam *s, struct str text);
struct str sam_cat(struct sam *s, struct str a, const char *b);
struct str sam_cat3(struct sam *s, struct str a, struct str b, const char *c);
/* {"Key": k, "Value": v} of a map, after the transform's own mark when `mark`. */
struct json *sam_tags(struct sam *s, const struct json *tags, const char *mark);

/* --- tables made from spec/sam ------------------------------------------------------------------ */
/* A property of a serverless resource or event. */
struct sam_property {
    const char *owner; /* "AWS::Serverless::Function", "Function.S3" */
    const char *name;
    const char *to;    /* the property of the plain resource that it is, as it is; NULL: code's */
    const char *kinds; /* letters: s m l b n, x: no intrinsic; "" any */
    bool required;
};
extern const struct sam_property sam_properties[];
extern const size_t sam_n_properties;

struct sam_policy {
    const char *name;
    const char *parameters; /* "A,B" */
    const char *document;   /* JSON; {"Ref": parameter} stands for the value */
};
extern const struct sam_policy sam_policies[];
extern const size_t sam_n_policies;

/* A type that connectors may join. */
struct sam_connector_type {
    const char *type;
    const char *arn; /* its attribute; NULL: Ref */
    const char
        *role;    /* the property that names its role, or (of a list) targets that do; NULL: none */
    bool refused; /* AWS joins it, Weir does not have it */
};
extern const struct sam_connector_type sam_connector_types[];
extern const size_t sam_n_connector_types;

struct sam_connector {
    const char *source, *destination; /* types */
    const char *profile;              /* JSON */
};
extern const struct sam_connector sam_connectors[];
extern const size_t sam_n_connectors;

/* The properties that a section of Globals takes, JSON: {"Function": [..], ..}. */
extern const char sam_globals_json[];

/* Members of `properties` against the owner's table: unknown, missing, of a wrong kind. */
enum err sam_check(struct sam *s, const char *owner, const char *shown_type,
                   const struct json *properties) WARN_UNUSED;
/* Copies what the table gives a `to` into `target`. */
void sam_carry(struct sam *s, const char *owner, const struct json *properties,
               struct json *target);

/* --- API definitions ---------------------------------------------------------------------------- */

/* A path with its item, or a method with its operation; both also under Fn::If. */
struct sam_part {
    struct str name;
    struct json *v;
};
/* "GET" -> "get", "any" -> API Gateway's name of it. */
struct str sam_method_name(struct sam *s, struct str method);
bool sam_is_method(struct str name);
bool sam_definition_valid(const struct json *body);
/* ERR_INVALID where a path is no map. */
enum err sam_path_items(struct sam *s, struct json *body, struct sam_part **ret_items,
                        size_t *ret_n) WARN_UNUSED;
enum err sam_methods(struct sam *s, const struct sam_part *item, struct sam_part **ret_methods,
                     size_t *ret_n) WARN_UNUSED;
/* The operation of a method, made where there is none; NULL where the path is no map. */
struct json *sam_add_path(struct sam *s, struct json *body, struct str path, struct str method);
enum err sam_add_cors(struct sam *s, struct json *body, const struct json *given) WARN_UNUSED;
/* "Prod" as a part of a name, or a hash of what may not stand in one; "" of an intrinsic. */
struct str sam_stage_part(struct sam *s, const struct json *stage, bool *ret_hashed);
/* A path with '*' for its variables: as permissions and policies have it. */
struct str sam_path_pattern(struct sam *s, struct str path);
/* Authorizers of the API's Auth as securityDefinitions. */
enum err sam_add_authorizers(struct sam *s, struct json *body, const struct json *auth) WARN_UNUSED;
void sam_define_iam(struct sam *s, struct json *body);
/* DefaultAuthorizer and ApiKeyRequired on every method that has none of its own. */
enum err sam_default_security(struct sam *s, struct json *body,
                              const struct json *auth) WARN_UNUSED;
/* What an event's Auth says of its method. */
void sam_method_security(struct sam *s, struct json *body, struct json *method,
                         const struct json *auth, const struct json *api_auth);
/* Statements of a ResourcePolicy for one path, or (item NULL) its CustomStatements. */
enum err sam_add_resource_policy(struct sam *s, struct json *body, const struct json *given,
                                 const struct sam_part *item, const struct json *stage) WARN_UNUSED;
enum err sam_add_models(struct sam *s, struct json *body, const struct json *models) WARN_UNUSED;
enum err sam_add_gateway_responses(struct sam *s, struct json *body,
                                   const struct json *responses) WARN_UNUSED;
/* What the published translator does to a definition after each change: of OpenAPI 3, as `version` or the definition
 * itself says, what is OpenAPI 2's moves. Headers of OPTIONS get a schema each time. */
enum err sam_openapi(struct sam *s, struct json *body, const struct json *version) WARN_UNUSED;
bool sam_openapi_three(struct str version);
/* With what it is by default, and the name of its resource. */
void sam_complete_domain(struct sam *s, struct json *domain);
enum err sam_domain(struct sam *s, const struct json *resource, struct json *domain,
                    struct str stage_id) WARN_UNUSED;
enum err sam_usage_plan(struct sam *s, const struct json *resource, const struct json *auth,
                        struct str stage_id) WARN_UNUSED;

/* --- parts --------------------------------------------------------------------------------------- */
enum err sam_apply_globals(struct sam *s) WARN_UNUSED;
/* Of an API whose paths are those of events. */
struct json *sam_empty_definition(struct sam *s);
/* ServerlessRestApi, where an event names no API; before Globals. */
void sam_add_implicit_api(struct sam *s);
/* The paths of all events in the APIs that they are for; after Globals. */
enum err sam_make_implicit(struct sam *s) WARN_UNUSED;
enum err sam_embedded_connectors(struct sam *s) WARN_UNUSED;
enum err sam_function(struct sam *s, const struct json *resource) WARN_UNUSED;
enum err sam_simple_table(struct sam *s, const struct json *resource) WARN_UNUSED;
enum err sam_layer(struct sam *s, const struct json *resource) WARN_UNUSED;
enum err sam_api(struct sam *s, const struct json *resource) WARN_UNUSED;
enum err sam_connect(struct sam *s, const struct json *resource) WARN_UNUSED;
enum err sam_finish_usage(struct sam *s) WARN_UNUSED;

/* A function as its parts see it. */
struct sam_fn {
    const struct json *resource; /* of the template */
    const struct json *p;        /* its properties */
    struct str id;
    struct str alias;      /* logical id of the alias, absent without one */
    struct str alias_name; /* its name */
    bool traced;           /* Tracing is asked for */
    struct json *managed;  /* ARNs that events want in the role */
    struct json *policies; /* inline ones that they want */
};
/* {"Ref": the function or its alias}; its ARN as an intrinsic. */
struct json *sam_fn_arn(struct sam *s, const struct sam_fn *fn);
struct json *sam_fn_ref(struct sam *s, const struct sam_fn *fn);
/* Of the function and its role. */
struct json *sam_fn_tags(struct sam *s, const struct sam_fn *fn);
/* `attributes`: of which resource it gets the shared ones. */
enum err sam_role(struct sam *s, const struct sam_fn *fn, struct str role_id,
                  const struct json *attributes) WARN_UNUSED;
/* Alias and its name in `fn`, where the function asks for one. */
enum err sam_alias_name(struct sam *s, struct sam_fn *fn) WARN_UNUSED;
enum err sam_version(struct sam *s, const struct sam_fn *fn) WARN_UNUSED;
enum err sam_event_invoke(struct sam *s, struct sam_fn *fn) WARN_UNUSED;
enum err sam_pull_event(struct sam *s, struct sam_fn *fn, const char *type, const struct json *p,
                        struct str id) WARN_UNUSED;
/* An S3 object by URI or by map, under the names given (bucket, key, version). */
extern const char *const sam_code_names[3], *const sam_body_names[3];
enum err sam_location(struct sam *s, const struct json *v, const char *property,
                      const char *const names[3], struct json **ret_v) WARN_UNUSED;
/* By itself, before anything is made of the function; what is refused is noted. */
enum err sam_check_event(struct sam *s, const struct sam_fn *fn,
                         const struct json *event) WARN_UNUSED;
enum err sam_event(struct sam *s, struct sam_fn *fn, const struct json *event) WARN_UNUSED;
/* What the user's Policies say, by itself. */
enum err sam_check_policies(struct sam *s, const struct sam_fn *fn) WARN_UNUSED;
enum err sam_api_event(struct sam *s, struct sam_fn *fn, const struct json *event,
                       struct str id) WARN_UNUSED;
/* What an event of a rule or schedule does with what it cannot deliver: in *ret_config. */
enum err sam_dead_letters(struct sam *s, const struct sam_fn *fn, const struct json *p,
                          struct str id, struct json **ret_config) WARN_UNUSED;
enum err sam_rule_event(struct sam *s, struct sam_fn *fn, const struct json *p,
                        struct str id) WARN_UNUSED;
enum err sam_schedule_event(struct sam *s, struct sam_fn *fn, const struct json *p,
                            struct str id) WARN_UNUSED;
enum err sam_schedule_v2_event(struct sam *s, struct sam_fn *fn, const struct json *p,
                               struct str id) WARN_UNUSED;
enum err sam_s3_event(struct sam *s, struct sam_fn *fn, const struct json *p,
                      struct str id) WARN_UNUSED;
enum err sam_sns_event(struct sam *s, struct sam_fn *fn, const struct json *p,
                       struct str id) WARN_UNUSED;
/* lambda:InvokeFunction for a service; arguments may be NULL. */
enum err sam_permission(struct sam *s, const struct sam_fn *fn, struct str prefix,
                        const char *suffix, const char *principal, struct json *source_arn,
                        struct json *source_account, struct json *token) WARN_UNUSED;

#endif
