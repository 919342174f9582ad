/* YAML 1.2 as people write API descriptions and templates: one document, read into the tree of
 * json.h, on libyaml. No I/O, no writer of the same tree's JSON; yaml_put writes the tree as YAML.
 *
 * What becomes of it
 *   plain scalars  by the core schema: null, ~ and nothing; true, false; decimal and 0x integers;
 *                  decimal fractions; all in the spellings of the schema. Everything else is text:
 *                  also dates, yes and no, .inf, and numbers with a leading 0 (an account's number)
 *   keys           text as written (200: is "200"); a list or mapping as a key is refused
 *   &a, *a         copied; <<: merged, members of the mapping itself first
 *   !!str 1        the core tags are obeyed; other global tags are refused
 *   !Name value    refused, or {"!Name": value} where the caller reads templates, in which yes, no, on and
 *                  off are true and false, as CloudFormation has it (YAML 1.1)
 *
 * Invariants
 *   YM1 Aliases cannot make a text explode: copies count towards YAML_NODES_MAX. An alias inside of what
 *       it names, or of nothing, is refused.
 *   YM2 Depth, nodes and size are bounded: JSON_DEPTH_MAX, YAML_NODES_MAX, YAML_BYTES_MAX.
 *   YM3 The tree is what json_parse could have given: numbers are JSON's, text is UTF-8, no mapping has a
 *       key twice. `raw` is absent everywhere (but see yaml_parse_places).
 *
 * Source: YAML 1.2.2, section 10.3 (core schema); merge keys: yaml.org/type/merge.html.
 * Layer: codec. Lifetime: the tree lives in the arena and borrows nothing. Thread: pure. */
#ifndef WEIR_CODEC_YAML_H
#define WEIR_CODEC_YAML_H

#include "codec/json.h"

enum {
    YAML_NODES_MAX = 200 * 1000, /* scalars, lists and mappings together, copies included */
    YAML_BYTES_MAX = 16 * 1024 * 1024,
};

/* Where and why a text was refused: for the user. */
struct yaml_fault {
    size_t line, column; /* from 1 */
    const char *why;     /* static: "found a duplicate key" */
};

/* The whole of `text`, UTF-8. `local_tags`: !Name is read as said above. An empty text is null.
 * ERR_INVALID, ERR_LIMIT (YM2), with *ret_fault, when given; ERR_NOMEM. */
enum err yaml_parse(struct arena *a, struct str text, bool local_tags, struct json **ret_v,
                    struct yaml_fault *ret_fault) WARN_UNUSED;

/* The same with local tags, and with the `raw` of every scalar that stands in the text itself as its place
 * there, quotes, tags and anchors included, borrowed from `text`: for who changes a text and keeps the rest of
 * it. What an alias copied has none. */
enum err yaml_parse_places(struct arena *a, struct str text, struct json **ret_v,
                           struct yaml_fault *ret_fault) WARN_UNUSED;

/* Appends the tree as a YAML document in block style; read back it is the same tree. Sticky errors of
 * `b`. */
void yaml_put(struct buf *b, const struct json *v);

#endif
