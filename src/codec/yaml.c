/* YAML reader on libyaml's events. See yaml.h. Layer: codec. Thread: pure. */
#include "codec/yaml.h"

#include <assert.h>
#include <limits.h>
#include <yaml.h>

#include "base/map.h"
#include "codec/yaml_int.h"

struct anchor {
    struct json *v; /* NULL: it is being read, or its name was taken by another */
};

struct reader {
    yaml_parser_t libyaml;
    yaml_event_t event;
    struct arena *arena;
    struct map anchors; /* name -> struct anchor of the arena */
    size_t nodes;
    bool local_tags;
    struct str text; /* of yaml_parse_places; else absent */
    size_t at_char, at_byte;
    struct yaml_fault fault;
};

static enum err read_node(struct reader *r, size_t depth, struct json **ret_v);

/* --- faults and events -------------------------------------------------------------------------- */

static enum err refuse_at(struct reader *r, enum err err, yaml_mark_t at, const char *why)
{
    r->fault = (struct yaml_fault){at.line + 1, at.column + 1, why};
    return err;
}

static enum err refuse(struct reader *r, enum err err, const char *why)
{
    return refuse_at(r, err, r->event.start_mark, why);
}

/* The next event, in r->event. */
static enum err next(struct reader *r)
{
    yaml_event_delete(&r->event);
    if (yaml_parser_parse(&r->libyaml, &r->event))
        return ERR_OK;
    if (r->libyaml.error == YAML_MEMORY_ERROR)
        return ERR_NOMEM;
    /* libyaml's problems are texts of its own, which it never frees. */
    return refuse_at(r, ERR_INVALID, r->libyaml.problem_mark,
                     r->libyaml.problem ? r->libyaml.problem : "not YAML");
}

static enum err new_node(struct reader *r, enum json_kind kind, struct json **ret_v)
{
    if (++r->nodes > YAML_NODES_MAX)
        return refuse(r, ERR_LIMIT, "too many values, copies of aliases included");
    struct json *v = ARENA_NEW(r->arena, struct json);
    if (!v)
        return ERR_NOMEM;
    v->kind = kind;
    *ret_v = v;
    return ERR_OK;
}

/* --- anchors and aliases ------------------------------------------------------------------------ */

static enum err new_anchor(struct reader *r, const yaml_char_t *name, struct anchor **ret)
{
    *ret = NULL;
    if (!name)
        return ERR_OK;
    struct anchor *a = ARENA_NEW(r->arena, struct anchor);
    if (!a)
        return ERR_NOMEM;
    TRY(map_put(&r->anchors, str_c((const char *)name), a, NULL));
    *ret = a;
    return ERR_OK;
}

/* A copy with the key of nobody. Depth is bounded by that of the original and of where it goes. */
static enum err copy(struct reader *r, const struct json *from, size_t depth, struct json **ret_v)
{
    struct json *v;
    if (depth > JSON_DEPTH_MAX)
        return refuse(r, ERR_LIMIT, "nested too deep");
    TRY(new_node(r, from->kind, &v));
    *v = (struct json){.kind = from->kind, .b = from->b, .n = from->n, .text = from->text};
    struct json **tail = &v->child;
    JSON_EACH (from, it) {
        TRY(copy(r, it, depth + 1, tail));
        (*tail)->key = it->key;
        tail = &(*tail)->next;
    }
    *ret_v = v;
    return ERR_OK;
}

static enum err read_alias(struct reader *r, size_t depth, struct json **ret_v)
{
    const struct anchor *a = map_get(&r->anchors, str_c((const char *)r->event.data.alias.anchor));
    if (!a)
        return refuse(r, ERR_INVALID, "an alias of nothing");
    if (!a->v)
        return refuse(r, ERR_INVALID, "an alias inside of what it names");
    return copy(r, a->v, depth, ret_v);
}

/* --- tags --------------------------------------------------------------------------------------- */

#define CORE "tag:yaml.org,2002:"

/* Of the tag as libyaml resolved it: what of the core schema it names ("str"), NULL without one; or the
 * local tag with its "!". */
static enum err tag_of(struct reader *r, const yaml_char_t *tag, struct str *ret_core,
                       struct str *ret_local)
{
    struct str t = str_c((const char *)tag);
    *ret_core = *ret_local = STR_NONE;
    if (!str_is_set(t))
        return ERR_OK;
    if (str_eq_c(t, "!")) { /* text, whatever it looks like */
        *ret_core = STR("str");
        return ERR_OK;
    }
    if (str_starts(t, STR(CORE))) {
        *ret_core = str_dup(r->arena, str_sub(t, sizeof(CORE) - 1, SIZE_MAX));
        return str_is_set(*ret_core) ? ERR_OK : ERR_NOMEM;
    }
    if (t.p[0] != '!' || !r->local_tags)
        return refuse(r, ERR_INVALID, "a tag that is not known here");
    *ret_local = str_dup(r->arena, t);
    return str_is_set(*ret_local) ? ERR_OK : ERR_NOMEM;
}

/* {"!Name": value} */
static enum err wrap(struct reader *r, struct str local, struct json *v, struct json **ret_v)
{
    struct json *outer;
    *ret_v = v;
    if (!str_is_set(local))
        return ERR_OK;
    TRY(new_node(r, JSON_OBJECT, &outer));
    outer->n = 1;
    outer->child = v;
    v->key = local;
    *ret_v = outer;
    return ERR_OK;
}

/* --- scalars ------------------------------------------------------------------------------------ */

static enum err set_scalar(struct reader *r, struct json *v, struct str core, bool plain)
{
    struct str text = v->text;
    if (str_eq_c(core, "str") || (!str_is_set(core) && !plain))
        return ERR_OK;
    if (!yaml_resolve(r->arena, v, r->local_tags))
        return r->arena->failed ? ERR_NOMEM : ERR_OK;
    if (!str_is_set(core))
        return ERR_OK;
    static const struct {
        const char *tag;
        enum json_kind kind;
    } kinds[] = {
        {"null", JSON_NULL}, {"bool", JSON_BOOL}, {"int", JSON_NUMBER}, {"float", JSON_NUMBER}};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_eq_c(core, kinds[i].tag) && v->kind == kinds[i].kind)
            return ERR_OK;
    v->text = text;
    return refuse(r, ERR_INVALID, "a value that is not what its tag says");
}

/* libyaml counts characters, in the order of the text. */
static size_t byte_of(struct reader *r, size_t index)
{
    for (; r->at_char < index && r->at_byte < r->text.len; r->at_char++)
        do
            r->at_byte++;
        while (r->at_byte < r->text.len && ((unsigned char)r->text.p[r->at_byte] & 0xc0) == 0x80);
    return r->at_byte;
}

static struct str place_of(struct reader *r)
{
    if (!str_is_set(r->text))
        return STR_NONE;
    size_t from = byte_of(r, r->event.start_mark.index);
    return str_n(r->text.p + from, byte_of(r, r->event.end_mark.index) - from);
}

static enum err read_scalar(struct reader *r, size_t depth, struct json **ret_v)
{
    const __typeof__(r->event.data.scalar) *s = &r->event.data.scalar;
    struct str core, local;
    struct anchor *anchor;
    struct json *v;
    if (depth > JSON_DEPTH_MAX)
        return refuse(r, ERR_LIMIT, "nested too deep");
    TRY(new_anchor(r, s->anchor, &anchor));
    TRY(tag_of(r, s->tag, &core, &local));
    TRY(new_node(r, JSON_STRING, &v));
    v->raw = place_of(r);
    v->text = str_dup(r->arena, str_n((const char *)s->value, s->length));
    if (!str_is_set(v->text))
        return ERR_NOMEM;
    TRY(set_scalar(r, v, core, s->style == YAML_PLAIN_SCALAR_STYLE && !str_is_set(local)));
    if (str_is_set(core) && v->kind == JSON_STRING && !str_eq_c(core, "str"))
        return refuse(r, ERR_INVALID, "a value that is not what its tag says");
    TRY(wrap(r, local, v, ret_v));
    if (anchor)
        anchor->v = *ret_v;
    return ERR_OK;
}

/* --- lists and mappings ------------------------------------------------------------------------- */

static enum err read_items(struct reader *r, size_t depth, struct json *list)
{
    struct json **tail = &list->child;
    for (;;) {
        TRY(next(r));
        if (r->event.type == YAML_SEQUENCE_END_EVENT)
            return ERR_OK;
        TRY(read_node(r, depth + 1, tail));
        tail = &(*tail)->next;
        list->n++;
    }
}

/* Members that are being read: `own` the mapping's, `merged` what << brought. */
struct members {
    struct json *mapping, **tail;
    struct json *merged;
    struct map seen;
};

static enum err add_member(struct reader *r, struct members *m, struct str key, struct json *v)
{
    if (map_get(&m->seen, key))
        return refuse(r, ERR_INVALID, "a key that was there before");
    TRY(map_put(&m->seen, key, m, NULL));
    v->key = key;
    v->next = NULL;
    *m->tail = v;
    m->tail = &v->next;
    m->mapping->n++;
    return ERR_OK;
}

/* The members of a merged mapping that nobody said before. */
static enum err merge_one(struct reader *r, struct members *m, struct json *from)
{
    if (from->kind != JSON_OBJECT)
        return refuse(r, ERR_INVALID, "<< takes a mapping, or a list of them");
    for (struct json *it = from->child, *after; it; it = after) {
        after = it->next;
        if (!map_get(&m->seen, it->key))
            TRY(add_member(r, m, it->key, it));
    }
    return ERR_OK;
}

static enum err merge(struct reader *r, struct members *m)
{
    if (!m->merged || m->merged->kind != JSON_ARRAY)
        return m->merged ? merge_one(r, m, m->merged) : ERR_OK;
    for (struct json *it = m->merged->child; it; it = it->next)
        TRY(merge_one(r, m, it));
    return ERR_OK;
}

/* The key in r->event; *ret_merge: it is <<. */
static enum err read_key(struct reader *r, struct str *ret_key, bool *ret_merge)
{
    struct json *v;
    if (r->event.type == YAML_ALIAS_EVENT) {
        TRY(read_alias(r, 1, &v));
        *ret_key = v->text;
        *ret_merge = false;
        return v->kind == JSON_STRING ? ERR_OK : refuse(r, ERR_INVALID, "a key that is no text");
    }
    if (r->event.type != YAML_SCALAR_EVENT)
        return refuse(r, ERR_INVALID, "a key that is no text");
    const __typeof__(r->event.data.scalar) *s = &r->event.data.scalar;
    struct str core, local;
    struct anchor *anchor;
    TRY(tag_of(r, s->tag, &core, &local));
    if (str_is_set(local) || (str_is_set(core) && !str_eq_c(core, "str")))
        return refuse(r, ERR_INVALID, "a key that is no text");
    *ret_key = str_dup(r->arena, str_n((const char *)s->value, s->length));
    *ret_merge = s->style == YAML_PLAIN_SCALAR_STYLE && str_eq_c(*ret_key, "<<");
    TRY(new_anchor(r, s->anchor, &anchor));
    if (anchor) {
        TRY(new_node(r, JSON_STRING, &anchor->v));
        anchor->v->text = *ret_key;
    }
    return str_is_set(*ret_key) ? ERR_OK : ERR_NOMEM;
}

static enum err read_pairs(struct reader *r, size_t depth, struct members *m)
{
    for (;;) {
        struct json *v;
        struct str key;
        bool merges;
        TRY(next(r));
        if (r->event.type == YAML_MAPPING_END_EVENT)
            return merge(r, m);
        TRY(read_key(r, &key, &merges));
        TRY(next(r));
        TRY(read_node(r, depth + 1, &v));
        if (!merges)
            TRY(add_member(r, m, key, v));
        else if (m->merged)
            return refuse(r, ERR_INVALID, "a key that was there before");
        else
            m->merged = v;
    }
}

static enum err read_members(struct reader *r, size_t depth, struct json *mapping)
{
    struct members m = {.mapping = mapping, .tail = &mapping->child};
    map_init(&m.seen);
    enum err err = read_pairs(r, depth, &m);
    map_release(&m.seen);
    return err;
}

static enum err read_collection(struct reader *r, size_t depth, bool list, struct json **ret_v)
{
    const yaml_char_t *tag =
        list ? r->event.data.sequence_start.tag : r->event.data.mapping_start.tag;
    struct str core, local;
    struct anchor *anchor;
    struct json *v;
    if (depth >= JSON_DEPTH_MAX) /* a container more, or a local tag's */
        return refuse(r, ERR_LIMIT, "nested too deep");
    TRY(new_anchor(r,
                   list ? r->event.data.sequence_start.anchor : r->event.data.mapping_start.anchor,
                   &anchor));
    TRY(tag_of(r, tag, &core, &local));
    if (str_is_set(core) && !str_eq_c(core, list ? "seq" : "map"))
        return refuse(r, ERR_INVALID, "a value that is not what its tag says");
    TRY(new_node(r, list ? JSON_ARRAY : JSON_OBJECT, &v));
    depth += str_is_set(local);
    TRY(list ? read_items(r, depth, v) : read_members(r, depth, v));
    TRY(wrap(r, local, v, ret_v));
    if (anchor)
        anchor->v = *ret_v;
    return ERR_OK;
}

/* The node that begins with r->event. */
static enum err read_node(struct reader *r, size_t depth, struct json **ret_v)
{
    switch (r->event.type) {
    case YAML_ALIAS_EVENT:
        return read_alias(r, depth, ret_v);
    case YAML_SCALAR_EVENT:
        return read_scalar(r, depth, ret_v);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return read_collection(r, depth, r->event.type == YAML_SEQUENCE_START_EVENT, ret_v);
    default:
        return refuse(r, ERR_INVALID, "not a value");
    }
}

/* --- the document ------------------------------------------------------------------------------- */

static enum err read_document(struct reader *r, struct json **ret_v)
{
    TRY(next(r)); /* the stream's start */
    TRY(next(r));
    if (r->event.type == YAML_STREAM_END_EVENT)
        return new_node(r, JSON_NULL, ret_v);
    TRY(next(r)); /* behind the document's start */
    TRY(read_node(r, 0, ret_v));
    TRY(next(r)); /* the document's end */
    TRY(next(r));
    return r->event.type == YAML_STREAM_END_EVENT
               ? ERR_OK
               : refuse(r, ERR_INVALID, "more than one document");
}

static enum err parse(struct reader *r, struct str text, struct json **ret_v,
                      struct yaml_fault *ret_fault)
{
    struct json *v = NULL;
    enum err err = text.len > YAML_BYTES_MAX ? ERR_LIMIT : ERR_OK;
    if (err == ERR_OK && !yaml_parser_initialize(&r->libyaml))
        return ERR_NOMEM;
    if (err == ERR_OK) {
        map_init(&r->anchors);
        yaml_parser_set_encoding(&r->libyaml, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&r->libyaml, (const unsigned char *)text.p, text.len);
        err = read_document(r, &v);
        yaml_event_delete(&r->event);
        yaml_parser_delete(&r->libyaml);
        map_release(&r->anchors);
    } else {
        r->fault.why = "too long";
    }
    if ((err == ERR_INVALID || err == ERR_LIMIT) && ret_fault)
        *ret_fault = r->fault;
    if (err == ERR_OK)
        *ret_v = v;
    return err;
}

enum err yaml_parse(struct arena *a, struct str text, bool local_tags, struct json **ret_v,
                    struct yaml_fault *ret_fault)
{
    struct reader r = {.arena = a, .local_tags = local_tags, .fault = {1, 1, "not YAML"}};
    return parse(&r, text, ret_v, ret_fault);
}

enum err yaml_parse_places(struct arena *a, struct str text, struct json **ret_v,
                           struct yaml_fault *ret_fault)
{
    struct reader r = {.arena = a, .local_tags = true, .text = text, .fault = {1, 1, "not YAML"}};
    return parse(&r, text, ret_v, ret_fault);
}
