/* JSON Schema draft 4 (https://json-schema.org/specification-links#draft-4), which API Gateway's models
 * are written in.
 *
 *   S4-1  Complete but for remote documents that the resolver does not have: every keyword, "$ref" to
 *         pointers, ids and other documents, scopes changed by "id". "format" says nothing about
 *         validity.
 *   S4-2  Numbers are compared as decimals; "integer" is a number written without point and exponent,
 *         as in draft 4 and as API Gateway's validator has it.
 *   S4-3  Patterns are ECMA 262's as far as PCRE2 reads them, not anchored, within limits; text that
 *         exceeds a limit of matching fails the validation with ERR_LIMIT.
 *   S4-4  Messages are worded as API Gateway's validator (github.com/java-json-tools/json-schema-
 *         validator) words them, since $context.error.validationErrorString shows them.
 *
 * A compiled schema lives in its arena, never changes, and may be shared by threads.
 * Layer: lang (includes base, codec; PCRE2). */
#ifndef WEIR_LANG_SCHEMA_H
#define WEIR_LANG_SCHEMA_H

#include "codec/json.h"

enum {
    SCHEMA_BYTES_MAX = 1024 * 1024, /* of one document */
    SCHEMA_DOCUMENTS_MAX = 100,
    SCHEMA_IDS_MAX = 1000,
    SCHEMA_NODES_MAX = 100 * 1000,
    SCHEMA_DEPTH_MAX = 500, /* of validation: nested values, combinators and references */
    SCHEMA_STEPS_MAX =
        20 * 1000 * 1000,      /* of one validation: values and members (EQUAL_STEPS_MAX) */
    SCHEMA_ERRORS_MAX = 100,   /* reported; the rest is cut */
    SCHEMA_MESSAGE_MAX = 4096, /* bytes of a value or list within a message */
};

struct schema;

/* Where "$ref"s to other documents are looked up. */
struct schema_resolver {
    /* The text of the document at `uri` (absolute, without fragment), borrowed until the compilation
     * ends. ERR_NOT_FOUND; other errors end the compilation. */
    enum err (*document)(void *arg, struct str uri, struct str *ret_text);
    void *arg;
};

/* Compiles `text`, which is at `uri` (may be empty), and all that it refers to; the arena gets a
 * cleanup. `resolver` may be NULL; draft 4's own schema is always known. ERR_INVALID: not a schema,
 * or a reference leads nowhere; *ret_message (in the arena) says what. ERR_LIMIT, ERR_NOMEM. */
enum err schema_compile(struct arena *a, struct str text, struct str uri,
                        const struct schema_resolver *resolver, const struct schema **ret_schema,
                        struct str *ret_message) WARN_UNUSED;

struct schema_error {
    struct str pointer; /* to the value at fault, e.g. "/items/3/price" */
    const char *keyword;
    struct str message;
    const struct schema_error *next;
};

struct schema_result {
    bool valid;
    size_t n; /* errors listed */
    const struct schema_error *errors;
};

/* Checks `v`; errors are allocated in `scratch`. ERR_LIMIT: too deep, too much work, or a pattern's
 * limit. ERR_NOMEM. */
enum err schema_validate(const struct schema *s, const struct json *v, struct arena *scratch,
                         struct schema_result *ret_result) WARN_UNUSED;

/* "[message, message]", as $context.error.validationErrorString has it. In `a`; STR_NONE when it is
 * exhausted. */
struct str schema_errors_text(struct arena *a, const struct schema_result *r);

#endif
