/* The transform AWS::Serverless-2016-10-31: a template's serverless resources become the plain ones
 * that CloudFormation makes. Tree in, tree out; no I/O.
 *
 * Invariants
 *   SAM1  The same tree and world give the same tree, names with hashes included, so that a template
 *         that did not change makes no change.
 *   SAM2  What is not serverless stays as it is, but for references to what was renamed.
 *   SAM3  All that is wrong is said at once: one message that names every resource at fault.
 *   SAM4  Work is bounded: by the limits below and JSON_DEPTH_MAX. No work is more than linear in values but what
 *         looks names up in one map (SAM_MEMBERS_MAX).
 *
 * Source: AWS's SAM specification (docs.aws.amazon.com, serverless-application-model); expansions and
 * messages as the published translator's cases show them.
 * Layer: template. Lifetime: the result lives in the arena and borrows from the tree and the world.
 * Thread: pure. */
#ifndef WEIR_TEMPLATE_SAM_H
#define WEIR_TEMPLATE_SAM_H

#include "codec/json.h"

enum {
    SAM_RESOURCES_MAX = 500,      /* of a template, before and after: CloudFormation's quota */
    SAM_EVENTS_MAX = 500,         /* of one function */
    SAM_MEMBERS_MAX = 4000,       /* of one map */
    SAM_NODES_MAX = 1000 * 1000,  /* values copied while a template expands */
    SAM_ORDERED_MAX = 8 << 20,    /* values put in the order of dictionaries */
    SAM_BYTES_MAX = 16 << 20,     /* of texts that references in texts make */
    SAM_FAULTS_MAX = 1000,        /* that are told; further ones are found when these are mended */
    SAM_MESSAGE_MAX = 256 * 1024, /* bytes of a fault's message */
};

/* Where the template is to be deployed. */
struct sam_world {
    struct str region;    /* "eu-west-1" */
    struct str partition; /* "aws" */
    int64_t now;          /* seconds since 1970: AlwaysDeploy deploys anew whenever it differs */
    /* Object: name of a parameter -> the value that holds for this stack, defaults included. NULL:
     * the defaults that the template declares. */
    const struct json *parameters;
    /* The ARN of the managed policy of AWS that has this name ("AWSLambdaExecute"), in *ret_arn;
     * false: there is none. NULL: nobody knows any. */
    bool (*managed_policy)(void *arg, struct str name, struct str *ret_arn);
    void *arg;
};

struct sam_fault {
    struct str message; /* the translator's whole text; in the arena */
};

/* Whether the template asks for this transform. */
bool sam_wanted(const struct json *tree);

/* What the transform makes of `tree`, a template with its intrinsics in long form ({"Ref": "X"}), in
 * *ret_tree; `tree` itself is not changed. ERR_INVALID, ERR_LIMIT (SAM4): *ret_fault says why, as a
 * ValidationError of CloudFormation would ("Transform AWS::Serverless-2016-10-31 failed with: " stands
 * before it there). ERR_UNSUPPORTED with *ret_fault: the template is right and wants something that
 * is refused here. ERR_NOMEM. */
enum err sam_transform(struct arena *a, const struct json *tree, const struct sam_world *world,
                       struct json **ret_tree, struct sam_fault *ret_fault) WARN_UNUSED;

#endif
