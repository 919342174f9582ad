/* XML 1.0 as AWS's REST-XML and query protocols use it: an arena tree reader (on expat) and an
 * escaping writer onto a buf. No I/O.
 *
 * Invariants
 *   XM1 A text with a document type or entity declaration is refused (no entity expansion of any
 *       kind but the five predefined and character references).
 *   XM2 Depth, element count and text size are bounded: XML_DEPTH_MAX, XML_NODES_MAX and the
 *       arena's limit.
 *   XM3 Namespaces are dropped: `s3:Foo` and `Foo` in any default namespace read as "Foo"; xmlns
 *       attributes are not listed.
 *   XM4 References to characters that XML 1.0 cannot carry and XML 1.1 can (&#x1;) are read as those, since
 *       keys of S3 may have them.
 *
 * Layer: codec. Lifetime: the tree lives in the arena and borrows nothing. Thread: pure. */
#ifndef WEIR_CODEC_XML_H
#define WEIR_CODEC_XML_H

#include "base/buf.h"

enum {
    XML_DEPTH_MAX = 64,
    XML_NODES_MAX = 200 * 1000, /* elements and attributes together */
};

struct xml_attr {
    struct str name; /* local name */
    struct str value;
    struct xml_attr *next;
};

struct xml {
    struct str name;        /* local name */
    struct str text;        /* all character data directly inside, joined; never absent */
    uint32_t n;             /* child elements */
    struct xml_attr *attrs; /* in order */
    struct xml *child;      /* first child element */
    struct xml *next;       /* next sibling element */
    struct xml *parent;     /* NULL at the root */
};

/* Parses the whole of `text`, UTF-8 or with a declared encoding that expat knows. *ret_at, when
 * given, is the byte offset of the fault. ERR_INVALID, ERR_LIMIT (XM2), ERR_NOMEM. */
enum err xml_parse(struct arena *a, struct str text, struct xml **ret_root,
                   size_t *ret_at) WARN_UNUSED;

/* First child element named `name`, or NULL; NULL also when `e` is NULL. O(children). */
const struct xml *xml_get(const struct xml *e, struct str name);
/* Text of that child (maybe empty), STR_NONE when there is none. */
struct str xml_get_str(const struct xml *e, struct str name);
/* Value of an attribute by local name, or STR_NONE. */
struct str xml_attr(const struct xml *e, struct str name);

#define XML_EACH(e, it) for (const struct xml *it = (e) ? (e)->child : NULL; it; it = it->next)
/* Only children named `want` (struct str). */
#define XML_EACH_NAMED(e, want, it)                                                                \
    XML_EACH(e, it)                                                                                \
    if (str_eq(it->name, (want)))

/* --- writing: every function appends to `b` (sticky error there) ------------------------------ */

/* <?xml version="1.0" encoding="UTF-8"?> and a line feed, as S3 begins its documents. */
void xml_put_decl(struct buf *b);
/* <name> or, with `ns` set, <name xmlns="ns">. Names are the caller's and not checked. */
void xml_put_open(struct buf *b, struct str name, struct str ns);
/* </name> */
void xml_put_close(struct buf *b, struct str name);
/* Escaped character data: & < > " and CR; characters that XML 1.0 cannot carry, and bytes that are
 * not UTF-8, become U+FFFD. */
void xml_put_text(struct buf *b, struct str s);
/* The same, but that such characters are references (&#x1;), as S3 writes keys: no parser of XML 1.0 takes them,
 * but nothing of the key is lost. */
void xml_put_references(struct buf *b, struct str s);
/* <name>text</name>; an absent `s` writes nothing, an empty one <name></name>. */
void xml_put_str(struct buf *b, struct str name, struct str s);
void xml_put_i64(struct buf *b, struct str name, int64_t v);
void xml_put_bool(struct buf *b, struct str name, bool v);

#endif
