/* Statements of resource policies, as the AddPermission family makes them: one document of JSON,
 * statements found by their Sid, one added or removed at a time. The document stays the text that
 * the service stores and GetPolicy answers; whoever wrote it (a user's whole policy as well) its
 * other statements and members stay as they were.
 *
 * Source: Lambda, SQS and SNS API References, AddPermission; EventBridge, PutPermission; recorded
 * policies.
 * Layer: core. Thread: pure. */
#ifndef WEIR_CORE_STATEMENT_H
#define WEIR_CORE_STATEMENT_H

#include "base/str.h"

enum {
    STATEMENT_CONDITIONS_MAX = 8,
    STATEMENT_DOCUMENT_MAX = 64 * 1024, /* bytes; services have lower limits of their own */
};

/* One condition of one value; an absent value: the condition is left out. Conditions of the same
 * operator stand together. */
struct statement_condition {
    const char *op;  /* "StringEquals", "ArnLike" */
    const char *key; /* "AWS:SourceAccount" */
    struct str value;
};

struct statement {
    struct str sid;
    /* Each in one of five forms: "*", an account of 12 digits (its root), an ARN, a unique id, or a
     * service ("s3.amazonaws.com"). More than one only of accounts, ARNs and ids. */
    const struct str *principals;
    size_t n_principals;
    const struct str *actions; /* "lambda:InvokeFunction" */
    size_t n_actions;
    bool lists; /* principals and actions are JSON lists even when there is one (SNS) */
    struct str resource;
    const struct statement_condition *conditions;
    size_t n_conditions;
};

/* The statement as JSON text, in the arena. ERR_INVALID: a principal of none of the four forms, or
 * forms that do not go together; ERR_LIMIT; ERR_NOMEM. */
enum err statement_json(struct arena *a, struct str partition, const struct statement *st,
                        struct str *ret_json) WARN_UNUSED;
/* `document` (absent: none yet) with the statement `json` of `sid` at its end; `version` and `id` are the
 * document's when it has none. ERR_EXISTS: the Sid is there; ERR_LIMIT; ERR_NOMEM; ERR_CORRUPT: the document
 * does not parse. */
enum err statement_add(struct arena *a, struct str document, struct str version, struct str id,
                       struct str sid, struct str json, struct str *ret_document) WARN_UNUSED;
/* Whether the statement of `sid` is `json`, to the byte. ERR_NOT_FOUND; ERR_NOMEM; ERR_CORRUPT. */
enum err statement_has(struct arena *a, struct str document, struct str sid,
                       struct str json) WARN_UNUSED;
/* How many statements it has. ERR_NOMEM; ERR_CORRUPT. */
enum err statement_count(struct arena *a, struct str document, size_t *ret_n) WARN_UNUSED;
/* Without the statement `sid`; STR_NONE when it was the last. ERR_NOT_FOUND; as above. */
enum err statement_remove(struct arena *a, struct str document, struct str sid,
                          struct str *ret_document) WARN_UNUSED;

#endif
