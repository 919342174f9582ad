/* XML reader on expat. See xml.h. Layer: codec. Thread: pure. */
#include "codec/xml.h"

#include <assert.h>
#include <expat.h>
#include <limits.h>

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

enum err xml_parse(struct arena *a, struct str text, struct xml **ret_root, size_t *ret_at)
{
    if (text.len > INT_MAX)
        return ERR_LIMIT;
    struct reader r = {.arena = a, .expat = XML_ParserCreate(NULL)};
    if (!r.expat)
        return ERR_NOMEM;
    enum err err = run(&r, text, ret_at);
    XML_ParserFree(r.expat);
    assert(err != ERR_OK || (r.root && r.depth == 0));
    if (err == ERR_OK)
        *ret_root = r.root;
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
