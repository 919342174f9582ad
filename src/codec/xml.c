/* XML reader on expat. See xml.h. Layer: codec. Thread: pure. */
#include "codec/xml.h"

#include <assert.h>
#include <ctype.h>
#include <expat.h>
#include <limits.h>
#include <stdlib.h>

struct reader {
    XML_Parser expat;
    struct arena *arena;
    struct xml *root, *cur;
    struct xml *last[XML_DEPTH_MAX]; /* newest child of the open element at each depth */
    struct buf text[XML_DEPTH_MAX];  /* character data of the open elements */
    size_t depth;                    /* open elements */
    size_t nodes;
    enum err err;
};

static void stop(struct reader *r, enum err err)
{
    if (r->err == ERR_OK)
        r->err = err;
    XML_StopParser(r->expat, XML_FALSE);
}

static struct str local_name(struct arena *a, const char *name)
{
    const char *colon = strrchr(name, ':');
    return str_dup(a, str_c(colon ? colon + 1 : name));
}

static bool is_xmlns(const char *name)
{
    return strncmp(name, "xmlns", 5) == 0 && (name[5] == 0 || name[5] == ':');
}

static enum err add_attrs(struct reader *r, struct xml *e, const char **attrs)
{
    struct xml_attr **tail = &e->attrs;
    for (; attrs[0]; attrs += 2) {
        if (is_xmlns(attrs[0]))
            continue;
        struct xml_attr *at = ARENA_NEW(r->arena, struct xml_attr);
        if (!at)
            return ERR_NOMEM;
        at->name = local_name(r->arena, attrs[0]);
        at->value = str_dup(r->arena, str_c(attrs[1]));
        if (!str_is_set(at->name) || !str_is_set(at->value))
            return ERR_NOMEM;
        if (++r->nodes > XML_NODES_MAX)
            return ERR_LIMIT;
        *tail = at;
        tail = &at->next;
    }
    return ERR_OK;
}

static enum err open_element(struct reader *r, const char *name, const char **attrs)
{
    if (r->depth == XML_DEPTH_MAX || ++r->nodes > XML_NODES_MAX)
        return ERR_LIMIT;
    struct xml *e = ARENA_NEW(r->arena, struct xml);
    if (!e)
        return ERR_NOMEM;
    e->name = local_name(r->arena, name);
    if (!str_is_set(e->name))
        return ERR_NOMEM;
    TRY(add_attrs(r, e, attrs));
    e->parent = r->cur;
    if (!r->cur) {
        r->root = e;
    } else {
        struct xml *last = r->last[r->depth - 1];
        if (last)
            last->next = e;
        else
            r->cur->child = e;
        r->last[r->depth - 1] = e;
        r->cur->n++;
    }
    r->cur = e;
    r->last[r->depth] = NULL;
    assert((r->depth == 0) == !r->cur->parent);
    buf_init_arena(&r->text[r->depth], r->arena, SIZE_MAX);
    r->depth++;
    return ERR_OK;
}

static void on_start(void *arg, const char *name, const char **attrs)
{
    struct reader *r = arg;
    enum err err = open_element(r, name, attrs);
    if (err != ERR_OK)
        stop(r, err);
}

static void on_end(void *arg, const char *name)
{
    struct reader *r = arg;
    assert(r->depth > 0 && r->cur); /* expat pairs ends with starts */
    struct buf *text = &r->text[r->depth - 1];
    if (buf_err(text) != ERR_OK) {
        stop(r, ERR_NOMEM);
        return;
    }
    r->cur->text = buf_str(text);
    r->cur = r->cur->parent;
    r->depth--;
}

static void on_text(void *arg, const char *p, int len)
{
    struct reader *r = arg;
    if (r->depth > 0)
        buf_add(&r->text[r->depth - 1], p, (size_t)len);
}

static void on_doctype(void *arg, const char *name, const char *sysid, const char *pubid,
                       int has_internal)
{
    stop(arg, ERR_INVALID);
}

static enum err run(struct reader *r, struct str text, size_t *ret_at)
{
    XML_SetUserData(r->expat, r);
    XML_SetElementHandler(r->expat, on_start, on_end);
    XML_SetCharacterDataHandler(r->expat, on_text);
    XML_SetStartDoctypeDeclHandler(r->expat, on_doctype);
    enum XML_Status s =
        XML_Parse(r->expat, str_is_set(text) ? text.p : "", (int)text.len, XML_TRUE);
    if (s == XML_STATUS_OK)
        return ERR_OK;
    if (ret_at) {
        XML_Index at = XML_GetCurrentByteIndex(r->expat);
        *ret_at = at < 0 ? 0 : (size_t)at;
    }
    if (r->err != ERR_OK)
        return r->err;
    return XML_GetErrorCode(r->expat) == XML_ERROR_NO_MEMORY ? ERR_NOMEM : ERR_INVALID;
}

/* --- characters that expat does not take (XM4) -------------------------------------------------- */

/* While it reads, each has a place among the 32 noncharacters from U+FDD0 on, which no text has in it by
 * rights: of 1 to 31 their own, of U+FFFE and U+FFFF those of 0 and of the tab, which needs none. */
enum { PLACES = 0xfdd0, PLACES_N = 32, UTF8_3 = 3 };

static int place_of(unsigned long c)
{
    if (c == 0xfffe || c == 0xffff)
        return c == 0xfffe ? PLACES : PLACES + '\t';
    bool allowed = c == '\t' || c == '\n' || c == '\r';
    return c > 0 && c < PLACES_N && !allowed ? PLACES + (int)c : 0;
}

/* The number of a reference "&#...;" at the beginning of `s`; *ret_len: its length. 0: it is none. */
static unsigned long reference(struct str s, size_t *ret_len)
{
    char digits[12];
    size_t end = str_find(str_n(s.p, min_size(s.len, sizeof(digits))), ';');
    bool hex = s.len > 2 && s.p[2] == 'x';
    size_t from = hex ? 3 : 2;
    if (!str_starts(s, STR("&#")) || end == SIZE_MAX || end <= from)
        return 0;
    for (size_t i = from; i < end; i++)
        if (!(hex ? isxdigit((unsigned char)s.p[i]) : isdigit((unsigned char)s.p[i])))
            return 0;
    memcpy(digits, s.p + from, end - from);
    digits[end - from] = '\0';
    *ret_len = end + 1;
    return strtoul(digits, NULL, hex ? 16 : 10);
}

static bool has_place(struct str s, size_t i)
{
    return i + UTF8_3 <= s.len && (uint8_t)s.p[i] == 0xef && (uint8_t)s.p[i + 1] == 0xb7 &&
           (uint8_t)s.p[i + 2] >= 0x90 && (uint8_t)s.p[i + 2] < 0x90 + PLACES_N;
}

/* The text with such references replaced. ERR_INVALID: there is none, or it has noncharacters itself. */
static enum err give_places(struct arena *a, struct str text, struct str *ret_text)
{
    struct buf b;
    bool any = false;
    buf_init_arena(&b, a, 2 * text.len);
    for (size_t i = 0; i < text.len; i++) {
        size_t len = 0;
        unsigned long c = text.p[i] == '&' ? reference(str_sub(text, i, SIZE_MAX), &len)
                                           : has_place(text, i) * PLACES;
        int place = place_of(c);
        if (c >= PLACES && c < PLACES + PLACES_N)
            return ERR_INVALID;
        if (!place) {
            buf_add_byte(&b, text.p[i]);
            continue;
        }
        buf_add_fmt(&b, "&#%d;", place); /* whatever the document's encoding is */
        any = true;
        i += len - 1;
    }
    TRY(buf_err(&b));
    *ret_text = buf_str(&b);
    return any ? ERR_OK : ERR_INVALID;
}

/* Puts the characters back, in place: they are no longer than their places. */
static struct str take_places(struct str s)
{
    char *out = (char *)s.p;
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (!has_place(s, i)) {
            out[n++] = s.p[i];
            continue;
        }
        uint8_t at = (uint8_t)s.p[i + 2] - 0x90;
        i += 2;
        if (at != 0 && at != '\t') {
            out[n++] = (char)at;
        } else {
            out[n++] = (char)0xef;
            out[n++] = (char)0xbf;
            out[n++] = (char)(at ? 0xbf : 0xbe);
        }
    }
    return str_n(s.p, n);
}

static void restore(struct xml *root)
{
    for (struct xml *e = root; e;) {
        e->text = take_places(e->text);
        for (struct xml_attr *at = e->attrs; at; at = at->next)
            at->value = take_places(at->value);
        if (e->child) {
            e = e->child;
            continue;
        }
        while (e && !e->next)
            e = e == root ? NULL : e->parent;
        e = e ? e->next : NULL;
    }
}

static enum err parse(struct arena *a, struct str text, struct xml **ret_root, size_t *ret_at,
                      bool *ret_bad_ref)
{
    struct reader r = {.arena = a, .expat = XML_ParserCreate(NULL)};
    if (!r.expat)
        return ERR_NOMEM;
    enum err err = run(&r, text, ret_at);
    *ret_bad_ref = err == ERR_INVALID && XML_GetErrorCode(r.expat) == XML_ERROR_BAD_CHAR_REF;
    XML_ParserFree(r.expat);
    assert(err != ERR_OK || (r.root && r.depth == 0));
    if (err == ERR_OK)
        *ret_root = r.root;
    return err;
}

enum err xml_parse(struct arena *a, struct str text, struct xml **ret_root, size_t *ret_at)
{
    bool bad_ref = false;
    struct str placed;
    if (text.len > INT_MAX)
        return ERR_LIMIT;
    enum err err = parse(a, text, ret_root, ret_at, &bad_ref);
    if (!bad_ref)
        return err;
    err = give_places(a, text, &placed);
    if (err == ERR_OK)
        err = parse(a, placed, ret_root, ret_at, &bad_ref);
    if (err == ERR_OK)
        restore(*ret_root);
    return err;
}

const struct xml *xml_get(const struct xml *e, struct str name)
{
    XML_EACH_NAMED(e, name, it)
    return it;
    return NULL;
}

struct str xml_get_str(const struct xml *e, struct str name)
{
    const struct xml *child = xml_get(e, name);
    return child ? child->text : STR_NONE;
}

struct str xml_attr(const struct xml *e, struct str name)
{
    for (const struct xml_attr *at = e ? e->attrs : NULL; at; at = at->next)
        if (str_eq(at->name, name))
            return at->value;
    return STR_NONE;
}
