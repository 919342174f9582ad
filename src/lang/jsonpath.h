/* JSONPath as Jayway's library reads it, which is what users of API Gateway's mapping templates
 * ($input.path, $input.json) and of Step Functions write.
 *
 *   $  @                    root; in filters the value looked at
 *   .name  ['name']  ["name"]  ['a','b']        members; several at the end of a path: one
 *                                               object of those that are there
 *   [3]  [-1]  [0,2]        elements, negative from the end
 *   [1:3]  [:2]  [-2:]      slices, end excluded
 *   .*  [*]  ..name  ..*  ..[0]                 all children; at any depth, the value itself included
 *   [?(expr)]               elements of a list for which expr holds, or the object itself:
 *       == != < <= > >=  =~ /regex/i  in nin subsetof anyof noneof  size empty  contains
 *       && || ! ( )  literals: numbers, 'text', "text", true, false, null, [lists]  paths: @.x $.y
 *   .length() .size() .min() .max() .avg() .sum() .stddev() .keys() .first() .last() .concat(path...)
 *
 *   JP1  A path is definite when it can lead to one value at most; the result of an indefinite one is
 *        the list of all it leads to, in document order.
 *   JP2  A definite path that leads nowhere is ERR_NOT_FOUND (Jayway's PathNotFoundException); an
 *        indefinite one gives an empty list.
 *   JP3  Numbers compare as decimals, text by bytes; values of different kinds are unequal and not
 *        ordered. A path alone in a filter holds when it leads somewhere.
 *
 * A path is compiled into an arena, never changes, and may be shared by threads.
 * Layer: lang (includes base, codec; PCRE2). */
#ifndef WEIR_LANG_JSONPATH_H
#define WEIR_LANG_JSONPATH_H

#include "codec/json.h"

enum {
    JSONPATH_BYTES_MAX = 8 * 1024,
    JSONPATH_DEPTH_MAX = 50,              /* nesting of filters and parentheses */
    JSONPATH_STEPS_MAX = 5 * 1000 * 1000, /* values looked at by one evaluation */
    JSONPATH_RESULTS_MAX = 1000 * 1000,   /* of an indefinite path */
};

struct jsonpath;

/* Compiles `text` (not borrowed). ERR_INVALID with *ret_at, when given, the byte at fault; ERR_LIMIT,
 * ERR_NOMEM. The arena gets cleanups for regular expressions. */
enum err jsonpath_compile(struct arena *a, struct str text, const struct jsonpath **ret_path,
                          size_t *ret_at) WARN_UNUSED;
bool jsonpath_is_definite(const struct jsonpath *p);

/* What the path leads to in `root`: a value of the tree (definite) or a new list in `a` whose elements
 * are shallow copies (indefinite). Values found may lack `raw`. ERR_NOT_FOUND (JP2), ERR_LIMIT,
 * ERR_NOMEM. */
enum err jsonpath_eval(const struct jsonpath *p, const struct json *root, struct arena *a,
                       const struct json **ret_v) WARN_UNUSED;

#endif
