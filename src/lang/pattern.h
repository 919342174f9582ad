/* Event patterns: the language in which EventBridge rules, archives and pipes, Lambda's
 * FilterCriteria and SNS filter policies say which events they want.
 *
 *   pattern   := { field... }                    all fields must match
 *   field     := "name": pattern                 nested
 *              | "name": [ value... ]            any value may match
 *              | "$or": [ pattern, pattern... ]  any pattern may match
 *   value     := string | number | true | false | null
 *              | {"prefix": s} | {"prefix": {"equals-ignore-case": s}} | the same for "suffix"
 *              | {"equals-ignore-case": s} | {"wildcard": s} | {"exactly": s}
 *              | {"numeric": [op, n]} | {"numeric": [">" or ">=", n, "<" or "<=", n]}
 *              | {"cidr": "10.0.0.0/24"} | {"exists": true or false}
 *              | {"anything-but": s, n or list of either}
 *              | {"anything-but": {"prefix", "suffix", "equals-ignore-case" or "wildcard": s or list}}
 *
 * What is decided here as AWS's own open matcher (github.com/aws/event-ruler) decides it:
 *   EP1 Fields are named by their path, steps joined by '.': {"a":{"b":..}} and {"a.b":..} are one.
 *       Of a path given twice (by a repeated key, or inside $or) the later one counts.
 *   EP2 Only leaves of an event are values: "exists" does not see objects, nor empty arrays. An array
 *       stands for each of its elements.
 *   EP3 Within an array of objects, all fields of a pattern that lie in that array match in one and
 *       the same element; fields are tried in the order of their names, and {"exists": false} looks
 *       only at the elements that earlier fields have settled on.
 *   EP4 Numbers are compared as decimals: from -5e9 to 5e9 with up to 6 digits after the point (SNS:
 *       1e9 and 5). A plain number outside of that matches by its text only; in "numeric" and
 *       "anything-but" it is refused. Numbers in events outside of that are in no range.
 *   EP5 A plain string that is an IP address matches any spelling of that address.
 *   EP6 "cidr" spans from the address as written, not from its network, to the end of the network.
 *   EP7 Strings are compared as UTF-8 bytes; equals-ignore-case folds ASCII letters.
 * Ours: "anything-but" matches every leaf that is not one of the values, whatever its type.
 *
 * A pattern and a set are made in an arena and never change, so that threads may share them. A set
 * matches many patterns at the cost of those that have a chance: each alternative of a pattern is
 * found by one field of its, by that field's exact values, prefixes or suffixes, and only then
 * verified. Patterns whose every field is a range, wildcard or the like are found by the presence
 * of a field.
 *
 * Layer: lang (includes base, codec). */
#ifndef WEIR_LANG_PATTERN_H
#define WEIR_LANG_PATTERN_H

#include "codec/json.h"

enum {
    PATTERN_BYTES_MAX = 256 * 1024,     /* of a pattern's text (SNS's limit) */
    PATTERN_ALTERNATIVES_MAX = 1000,    /* combinations of $or */
    PATTERN_SLOTS_MAX = 100 * 1000,     /* fields of all alternatives together */
    PATTERN_WILDCARDS_MAX = 64,         /* '*' in one pattern */
    PATTERN_SNS_KEYS_MAX = 5,           /* top-level names of a filter policy */
    PATTERN_SNS_COMBINATIONS_MAX = 150, /* values per name multiplied, nested ones by depth too */
    PATTERN_STEPS_MAX = 1000 * 1000,    /* of one event's verification (arrays of objects, EP3) */
    PATTERN_SET_MAX = 100 * 1000,       /* patterns in a set */
};

enum pattern_dialect {
    PATTERN_EVENTS,         /* EventBridge */
    PATTERN_LAMBDA,         /* FilterCriteria of event source mappings */
    PATTERN_SNS_ATTRIBUTES, /* FilterPolicyScope MessageAttributes: flat */
    PATTERN_SNS_BODY,       /* FilterPolicyScope MessageBody */
};

struct pattern;
struct pattern_set;

/* Parses and checks `text` into the arena (nothing of `text` is borrowed). ERR_INVALID: *ret_message
 * (in the arena) is the service's own error message, e.g. "Event pattern is not valid. Reason: Empty
 * arrays are not allowed". ERR_NOMEM. */
enum err pattern_parse(struct arena *a, struct str text, enum pattern_dialect dialect,
                       struct pattern **ret_pattern, struct str *ret_message) WARN_UNUSED;

/* Index over `patterns[0..n)`, which it borrows along with their arenas. O(size of the patterns).
 * ERR_NOMEM; ERR_LIMIT over PATTERN_SET_MAX. */
enum err pattern_set_new(struct arena *a, struct pattern *const *patterns, size_t n,
                         struct pattern_set **ret_set) WARN_UNUSED;

/* Indices of the patterns that `event` matches, ascending, in *ret_ids[0..*ret_n) in `scratch`. An
 * event that is not an object matches none. ERR_NOMEM; ERR_LIMIT when arrays of objects make
 * verification exceed PATTERN_STEPS_MAX. */
enum err pattern_set_match(const struct pattern_set *set, const struct json *event,
                           struct arena *scratch, const uint32_t **ret_ids,
                           size_t *ret_n) WARN_UNUSED;

/* An attribute of an SNS message. */
struct pattern_attribute {
    struct str name, type, value; /* type: "String", "Number", "String.Array", or "Binary" */
};

/* The event that PATTERN_SNS_ATTRIBUTES patterns are matched against. Binary attributes and values
 * that are not what their type says are left out. Borrows the attributes' text. ERR_NOMEM. */
enum err pattern_attributes(struct arena *a, const struct pattern_attribute *attributes, size_t n,
                            struct json **ret_event) WARN_UNUSED;

#endif
