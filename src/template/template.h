/* CloudFormation's template language: a template's text becomes a tree, the tree becomes resources in an
 * order, and a resource's properties become plain JSON once what they refer to is known.
 *
 *   text --tpl_read--> tree --(tpl_expand)--> tree --tpl_open--> struct tpl --tpl_resolve--> values
 *
 * Transforms stand between: tpl_expand does AWS::LanguageExtensions and AWS::Include, SAM's own
 * library AWS::Serverless-2016-10-31; tpl_open expands what is not yet expanded, and takes no other transform.
 *
 * Invariants
 *   TP1 A tree has long forms only ({"Fn::GetAtt":["A","B"]}, {"Ref":"X"}), whatever it was read from.
 *   TP2 Work is bounded by the limits below, whatever a template asks for: a call looks at or makes
 *       TPL_STEPS_MAX values and TPL_MADE_BYTES_MAX of text.
 *   TP3 ERR_INVALID always comes with a fault, in AWS's words as far as they are known; the error's code is
 *       ValidationError in all cases. Other errors are the environment's (ERR_NOMEM), or the host's.
 *   TP4 Nothing is written but to the arena; the same input gives the same result.
 *
 * Source: the CloudFormation user guide, "Template reference" and "CloudFormation quotas".
 * Layer: template (includes base, codec, lang). Lifetime: everything lives in the arena it was made
 * with, and borrows from the tree and the world. Thread: pure but for the host's answers. */
#ifndef WEIR_TEMPLATE_TEMPLATE_H
#define WEIR_TEMPLATE_TEMPLATE_H

#include "codec/json.h"

enum {
    TPL_BODY_BYTES_MAX = 51200,       /* of TemplateBody: the caller's to check */
    TPL_BYTES_MAX = 1000 * 1000,      /* of any template */
    TPL_EXPANDED_BYTES_MAX = 4 << 20, /* text that transforms may make of it */
    TPL_RESOURCES_MAX = 500,
    TPL_PARAMETERS_MAX = 200,
    TPL_OUTPUTS_MAX = 200,
    TPL_MAPPINGS_MAX = 200,
    TPL_MAPPING_ATTRIBUTES_MAX = 200,
    TPL_CONDITIONS_MAX = 500,
    TPL_NAME_BYTES_MAX = 255, /* of a logical id, parameter, output, mapping */
    TPL_DESCRIPTION_BYTES_MAX = 1024,
    TPL_VALUE_BYTES_MAX = 4096,          /* of a parameter */
    TPL_REFERENCES_MAX = 500,            /* that tpl_references lists; the rest is cut */
    TPL_STEPS_MAX = 500 * 1000,          /* TP2, of one call */
    TPL_MADE_BYTES_MAX = 16 << 20,       /* TP2, of one call */
    TPL_DEPTH_MAX = JSON_DEPTH_MAX - 10, /* of values, those of conditions in conditions included */
};

/* Why a template was refused: what AWS says, whole. In the arena of the call. */
struct tpl_fault {
    struct str message;
};

/* --- reading ------------------------------------------------------------------------------------- */

/* JSON (a text whose first visible byte is '{') or YAML with short forms. ERR_INVALID. */
enum err tpl_read(struct arena *a, struct str text, struct json **ret_tree,
                  struct tpl_fault *ret_fault) WARN_UNUSED;

/* The declared transforms by name, in the order in which they run: of "Transform" at the top, text or
 * list. Fn::Transform in the middle of a template is not listed. */
enum err tpl_transforms(struct arena *a, const struct json *tree, const struct str **ret_names,
                        size_t *ret_n, struct tpl_fault *ret_fault) WARN_UNUSED;
bool tpl_has_transform(const struct json *tree, struct str name);
#define TPL_TRANSFORM_SAM "AWS::Serverless-2016-10-31"
#define TPL_TRANSFORM_EXTENSIONS "AWS::LanguageExtensions"
#define TPL_TRANSFORM_INCLUDE "AWS::Include"

/* --- the world ----------------------------------------------------------------------------------- */

struct tpl_given {
    struct str key, value;
    /* The value is not known yet, `value` stands for it in conditions: it is not checked, and what asks for it is not
     * known either. */
    bool is_unknown;
};

/* What the host knows and a template may ask for, while tpl_expand, tpl_open or tpl_resolve runs. Each
 * may be NULL: there is nothing, or nothing is checked. Results are in `a`. ERR_NOT_FOUND: there is no
 * such thing (the fault is worded here); ERR_INVALID: refused, with the fault's message set by the
 * host; other errors pass through as they are. */
struct tpl_host {
    /* A parameter of the Parameter Store by name and version (0: the latest). *ret_type, "String",
     * "StringList" or "SecureString", whose value is wanted only with `decrypt`. */
    enum err (*parameter)(void *arg, struct arena *a, struct str name, int64_t version,
                          bool decrypt, struct str *ret_value, struct str *ret_type,
                          struct tpl_fault *ret_fault);
    /* Another stack's export. */
    enum err (*export_value)(void *arg, struct arena *a, struct str name, struct str *ret_value,
                             struct tpl_fault *ret_fault);
    /* The text that AWS::Include asks for by an S3 URI. */
    enum err (*text)(void *arg, struct arena *a, struct str location, struct str *ret_text,
                     struct tpl_fault *ret_fault);
    /* Whether there is such a type of resource, and whether it has that attribute. */
    bool (*has_type)(void *arg, struct str type);
    bool (*has_attribute)(void *arg, struct str type, struct str attribute);
};

struct tpl_world {
    struct str region, account, partition, url_suffix;
    struct str stack_name, stack_id; /* stack_id may be absent while the stack has none */
    const struct str *notification_arns;
    size_t notification_arn_n;
    const struct tpl_given
        *given; /* parameters of the request; a previous value is given as such */
    size_t given_n;
    const struct tpl_host *host;
    void *host_arg;
    /* AWS::LanguageExtensions was declared, though the tree's Transform no longer says so. */
    bool extensions;
    /* ValidateTemplate: parameters need no values, conditions are not decided (all resources are there,
     * both branches of Fn::If count), rules are not checked. */
    bool check_only;
};

/* --- parameters ---------------------------------------------------------------------------------- */

struct tpl_parameter {
    struct str key, type, description, constraint_description;
    struct str default_value;          /* absent: none */
    const struct json *allowed_values; /* array or NULL */
    struct str allowed_pattern;
    struct str min_length, max_length, min_value, max_value; /* as written; absent: none */
    bool no_echo;
    bool is_given;       /* else the default is the value */
    bool is_unknown;     /* as tpl_given */
    struct str value;    /* as given or by default: what DescribeStacks shows as ParameterValue (but
                          * "****" for no_echo); absent in check_only */
    struct str resolved; /* of AWS::SSM::Parameter::Value<>: the store's value; else absent */
    const struct json *use; /* what Ref gives: text, or an array of texts for lists */
};

/* The parameters and their values alone, without anything else being right: what a transform needs
 * before the template is opened. ERR_INVALID. */
enum err tpl_parameters_of(struct arena *a, const struct json *tree, const struct tpl_world *world,
                           const struct tpl_parameter **ret_parameters, size_t *ret_n,
                           struct tpl_fault *ret_fault) WARN_UNUSED;

/* Does AWS::Include, wherever it is, and AWS::LanguageExtensions, if declared: loops and names; the functions
 * that it brings (Fn::Length, Fn::ToJsonString) are called when values are resolved. *ret_tree is `tree`
 * itself where there is nothing to do, else a new one, whose Transform stays as it was but for AWS::Include, since tpl_open
 * asks it for what the template may say; doing it again changes nothing. ERR_INVALID. */
enum err tpl_expand(struct arena *a, struct json *tree, const struct tpl_world *world,
                    struct json **ret_tree, struct tpl_fault *ret_fault) WARN_UNUSED;

/* --- an opened template -------------------------------------------------------------------------- */

struct tpl;

/* Everything that is refused before anything is made. `tree` and `world` stay the caller's and must outlive
 * the result. O(size). ERR_INVALID. */
enum err tpl_open(struct arena *a, const struct json *tree, const struct tpl_world *world,
                  struct tpl **ret_tpl, struct tpl_fault *ret_fault) WARN_UNUSED;

struct tpl_resource {
    struct str id, type;
    struct str condition;          /* its name; absent: none */
    const struct json *properties; /* an object, Fn::If and AWS::NoValue done, the rest as written;
                                     * NULL: none */
    const struct json *metadata;   /* unresolved; NULL: none */
    struct str deletion_policy, update_replace_policy;  /* "Delete", "Retain", "Snapshot",
                                     * "RetainExceptOnCreate"; absent: not told */
    const struct json *creation_policy, *update_policy; /* as written; NULL: none */
    const size_t *after; /* indices of what must be there first, ascending, each once: by Ref,
                                     * Fn::GetAtt, Fn::Sub, DependsOn */
    size_t after_n;
};

/* Those whose condition holds, in the template's order. The indices are `after`'s. */
const struct tpl_resource *tpl_resources(const struct tpl *tpl, size_t *ret_n);
/* O(1). NULL: there is none of that name, or its condition does not hold. */
const struct tpl_resource *tpl_resource(const struct tpl *tpl, struct str id);

struct tpl_output {
    struct str key, description;    /* description absent: none */
    const struct json *value;       /* unresolved */
    const struct json *export_name; /* unresolved; NULL: it is not exported */
};

/* Those whose condition holds, in the template's order. */
const struct tpl_output *tpl_outputs(const struct tpl *tpl, size_t *ret_n);
const struct tpl_parameter *tpl_parameters(const struct tpl *tpl, size_t *ret_n);
/* The template's Description; absent: none. */
struct str tpl_description(const struct tpl *tpl);

/* --- resolving ----------------------------------------------------------------------------------- */

/* What a resource says of itself: `attribute` absent for Ref. ERR_OK with *ret_v, text most often;
 * ERR_NOT_FOUND: the type has no such attribute (the fault is worded here); ERR_SUSPENDED: it is not
 * known yet. Others pass through. */
typedef enum err tpl_lookup_fn(void *arg, struct arena *a, struct str id, struct str attribute,
                               const struct json **ret_v);

/* `value` with all functions called. What asks for something that lookup does not know yet stays a
 * function, as written, and *ret_whole is false. AWS::NoValue leaves out; *ret_v is NULL where it is all
 * there is. ERR_INVALID. */
enum err tpl_resolve(struct tpl *tpl, struct arena *a, const struct json *value,
                     tpl_lookup_fn *lookup, void *arg, const struct json **ret_v, bool *ret_whole,
                     struct tpl_fault *ret_fault) WARN_UNUSED;

/* The same for eyes: parameters with NoEcho are TPL_NO_ECHO, dynamic references to secrets stay as they
 * are. For what is kept to be shown; two secrets look the same in it. */
enum err tpl_resolve_shown(struct tpl *tpl, struct arena *a, const struct json *value,
                           tpl_lookup_fn *lookup, void *arg, const struct json **ret_v,
                           bool *ret_whole, struct tpl_fault *ret_fault) WARN_UNUSED;
#define TPL_NO_ECHO "****"

/* The same as tpl_resolve as text, as outputs, exports and imports have it: numbers and booleans as they are written; absent
 * while something is not known yet (*ret_whole is false). ERR_INVALID also for lists and objects. */
enum err tpl_resolve_text(struct tpl *tpl, struct arena *a, const struct json *value,
                          tpl_lookup_fn *lookup, void *arg, struct str *ret_s, bool *ret_whole,
                          struct tpl_fault *ret_fault) WARN_UNUSED;

/* What a value asks for, in the order of the text, each once: who changed it, for a change set. Parameters
 * and resources; AWS's own names do not count. */
struct tpl_reference {
    enum { TPL_TO_PARAMETER, TPL_TO_RESOURCE, TPL_TO_ATTRIBUTE } kind;
    struct str name, attribute; /* attribute absent but for TPL_TO_ATTRIBUTE */
};

enum err tpl_references(const struct tpl *tpl, struct arena *a, const struct json *value,
                        const struct tpl_reference **ret_references, size_t *ret_n) WARN_UNUSED;

/* Names that the template imports (Fn::ImportValue) in what holds, each once: for ListImports. Names that
 * ask for resources do not count, since AWS refuses them. ERR_INVALID. */
enum err tpl_imports(struct tpl *tpl, struct arena *a, const struct str **ret_names, size_t *ret_n,
                     struct tpl_fault *ret_fault) WARN_UNUSED;

/* --- summary ------------------------------------------------------------------------------------- */

/* Of a tree that need not have values for its parameters: GetTemplateSummary, ValidateTemplate, and the
 * check of capabilities. */
struct tpl_summary {
    struct str version, description;
    const struct json *metadata; /* NULL: none */
    const struct tpl_parameter *parameters;
    size_t parameter_n;
    const struct str *types; /* of resources, each once, in the template's order */
    size_t type_n;
    const struct str *transforms;
    size_t transform_n;
    bool needs_iam, needs_named_iam,
        needs_auto_expand; /* CAPABILITY_*; both of IAM's where a name is given */
    struct str
        capabilities_reason; /* "The following resource(s) require capabilities: [AWS::IAM::Role]" */
};

enum err tpl_summarise(struct arena *a, const struct json *tree, struct tpl_summary *ret_summary,
                       struct tpl_fault *ret_fault) WARN_UNUSED;

/* "Requires capabilities : [CAPABILITY_IAM]" of what is needed and not among `given`: the message of
 * InsufficientCapabilitiesException; absent: all are there, or there was no memory (the arena says). */
struct str tpl_capabilities_missing(struct arena *a, const struct tpl_summary *summary,
                                    const struct str *given, size_t given_n);

#endif
