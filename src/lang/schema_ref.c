/* Documents, the ids and base URIs in them, and where references lead. See schema.h. */
#include <assert.h>

#include "codec/percent.h"
#include "lang/schema_int.h"
#include "lang/uri.h"

PRINTF_LIKE(2, 3) enum err schema_bad(struct schema_registry *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    r->message = str_vfmt(r->a, fmt, ap);
    va_end(ap);
    return str_is_set(r->message) ? ERR_INVALID : ERR_NOMEM;
}

/* --- places ------------------------------------------------------------------------------------- */

static struct schema_place *probe(struct schema_place *places, size_t cap, const struct json *at)
{
    size_t i = ((uintptr_t)at >> 4) * 0x9e3779b97f4a7c15ull >> 20;
    while (places[i & (cap - 1)].at && places[i & (cap - 1)].at != at)
        i++;
    return &places[i & (cap - 1)];
}

static enum err places_grow(struct schema_registry *r)
{
    size_t cap = r->places_cap ? r->places_cap * 2 : 64;
    struct schema_place *grown = ARENA_ARRAY(r->a, struct schema_place, cap);
    if (!grown)
        return ERR_NOMEM;
    for (size_t i = 0; i < r->places_cap; i++)
        if (r->places[i].at)
            *probe(grown, cap, r->places[i].at) = r->places[i];
    r->places = grown;
    r->places_cap = cap;
    return ERR_OK;
}

enum err schema_place_of(struct schema_registry *r, const struct json *at, struct str base,
                         struct schema_place **ret_place)
{
    if (r->places_n == SCHEMA_NODES_MAX)
        return ERR_LIMIT;
    if ((r->places_n + 1) * 2 > r->places_cap)
        TRY(places_grow(r));
    struct schema_place *p = probe(r->places, r->places_cap, at);
    if (!p->at) {
        *p = (struct schema_place){at, base, NULL};
        r->places_n++;
    }
    *ret_place = p;
    return ERR_OK;
}

static const struct schema_place *known(const struct schema_registry *r, const struct json *at)
{
    if (!r->places_cap)
        return NULL;
    const struct schema_place *p = probe(r->places, r->places_cap, at);
    return p->at ? p : NULL;
}

/* --- indexing ----------------------------------------------------------------------------------- */

static enum err id_add(struct schema_registry *r, struct str uri, const struct json *at)
{
    if (!r->ids)
        r->ids = ARENA_ARRAY(r->a, struct schema_id, SCHEMA_IDS_MAX);
    if (!r->ids)
        return ERR_NOMEM;
    if (r->ids_n == SCHEMA_IDS_MAX)
        return ERR_LIMIT;
    r->ids[r->ids_n++] = (struct schema_id){uri, at};
    return ERR_OK;
}

static const struct json *id_find(const struct schema_registry *r, struct str uri)
{
    for (size_t i = 0; i < r->ids_n; i++)
        if (str_eq(r->ids[i].uri, uri))
            return r->ids[i].at;
    return NULL;
}

static enum err index_schema(struct schema_registry *r, const struct json *v, struct str base);

/* Keywords whose value holds schemas: itself, its elements, or its members. */
static enum err index_keyword(struct schema_registry *r, const struct json *v, struct str base)
{
    static const char *const one_or_list[] = {
        "items", "additionalItems", "additionalProperties", "not", "allOf", "anyOf", "oneOf"};
    static const char *const maps[] = {"properties", "patternProperties", "definitions",
                                       "dependencies"};
    for (size_t i = 0; i < ARRAY_LEN(one_or_list); i++) {
        if (!str_eq_c(v->key, one_or_list[i]))
            continue;
        TRY(index_schema(r, v, base));
        if (v->kind == JSON_ARRAY)
            JSON_EACH (v, it)
                TRY(index_schema(r, it, base));
        return ERR_OK;
    }
    for (size_t i = 0; i < ARRAY_LEN(maps); i++)
        if (str_eq_c(v->key, maps[i]) && v->kind == JSON_OBJECT)
            JSON_EACH (v, it)
                TRY(index_schema(r, it, base));
    return ERR_OK;
}

/* As deep as the JSON parser lets the document be. */
static enum err index_schema(struct schema_registry *r, const struct json *v, struct str base)
{
    if (v->kind != JSON_OBJECT || known(r, v))
        return ERR_OK;
    struct str id = json_get_str(v, STR("id"));
    if (str_is_set(id) && !str_is_set(json_get_str(v, STR("$ref")))) {
        struct str uri = uri_resolve(r->a, base, id);
        if (!str_is_set(uri))
            return ERR_NOMEM;
        TRY(id_add(r, uri, v));
        base = uri;
        (void)uri_cut_fragment(&base);
    }
    struct schema_place *place;
    TRY(schema_place_of(r, v, base, &place));
    JSON_EACH (v, it)
        TRY(index_keyword(r, it, base));
    return ERR_OK;
}

enum err schema_document_add(struct schema_registry *r, struct str uri, struct str text,
                             const struct json **ret_root)
{
    struct json *root;
    if (r->documents_n++ == SCHEMA_DOCUMENTS_MAX || text.len > SCHEMA_BYTES_MAX)
        return ERR_LIMIT;
    struct str own = str_dup(r->a, text), name = str_dup(r->a, uri);
    if (!str_is_set(own) || !str_is_set(name))
        return ERR_NOMEM;
    enum err err = json_parse(r->a, own, &root, NULL);
    if (err == ERR_INVALID)
        return schema_bad(r, "not valid JSON");
    TRY(err);
    if (root->kind != JSON_OBJECT)
        return schema_bad(r, "a schema must be an object");
    TRY(id_add(r, name, root));
    TRY(index_schema(r, root, name));
    *ret_root = root;
    return ERR_OK;
}

/* --- references ---------------------------------------------------------------------------------- */

/* A token of a JSON pointer (RFC 6901): ~1 is '/', ~0 is '~'. */
static enum err unescape(struct arena *a, struct str token, struct str *ret_s)
{
    char *out = arena_alloc(a, token.len);
    size_t n = 0;
    if (!out)
        return ERR_NOMEM;
    for (size_t i = 0; i < token.len; i++) {
        if (token.p[i] == '~' && i + 1 < token.len && (token.p[i + 1] | 1) == '1')
            out[n++] = token.p[++i] == '1' ? '/' : '~';
        else
            out[n++] = token.p[i];
    }
    *ret_s = str_n(out, n);
    return ERR_OK;
}

static const struct json *step(const struct json *at, struct str token)
{
    uint64_t index;
    if (at->kind == JSON_OBJECT)
        return json_get(at, token);
    if (at->kind != JSON_ARRAY || str_to_u64(token, &index) != ERR_OK || index >= at->n)
        return NULL;
    const struct json *it = at->child;
    while (index-- > 0)
        it = it->next;
    return it;
}

/* From `at` along `pointer` ("" or "/a/b"). What lies where no keyword leads is indexed now, in the
 * scope of what encloses it. */
static enum err follow(struct schema_registry *r, const struct json *at, struct str pointer,
                       const struct json **ret_at)
{
    struct str base = STR("");
    struct str rest = pointer;
    (void)str_cut(&rest, '/');
    for (;;) {
        const struct schema_place *p = known(r, at);
        if (p)
            base = p->base;
        if (!str_is_set(rest))
            break;
        struct str token;
        TRY(unescape(r->a, str_cut(&rest, '/'), &token));
        at = step(at, token);
        if (!at) {
            *ret_at = NULL;
            return ERR_OK;
        }
    }
    TRY(index_schema(r, at, base));
    *ret_at = at;
    return ERR_OK;
}

/* The document at `uri`, from the resolver or built in; *ret_at NULL when nobody has it. */
static enum err fetch(struct schema_registry *r, struct str uri, const struct json **ret_at)
{
    struct str text = STR_NONE;
    enum err err = ERR_NOT_FOUND;
    if (str_eq_c(uri, schema_draft4_uri)) {
        text = str_c(schema_draft4_text);
        err = ERR_OK;
    } else if (r->resolver) {
        err = r->resolver->document(r->resolver->arg, uri, &text);
    }
    if (err == ERR_NOT_FOUND) {
        *ret_at = NULL;
        return ERR_OK;
    }
    TRY(err);
    return schema_document_add(r, uri, text, ret_at);
}

enum err schema_ref_find(struct schema_registry *r, const struct json *from, struct str ref,
                         const struct json **ret_at)
{
    const struct schema_place *place = known(r, from);
    assert(place);
    struct str whole = uri_resolve(r->a, place->base, ref), document = whole;
    if (!str_is_set(whole))
        return ERR_NOMEM;
    struct str fragment = uri_cut_fragment(&document), pointer = STR_NONE;
    if (str_is_set(fragment)) {
        enum err err = percent_decode(r->a, fragment, false, &pointer);
        if (err == ERR_NOMEM)
            return err;
        if (err != ERR_OK)
            pointer = fragment;
    }
    *ret_at = id_find(r, whole);
    const struct json *root = *ret_at ? NULL : id_find(r, document);
    if (!*ret_at && !root)
        TRY(fetch(r, document, &root));
    if (!*ret_at && root && (str_empty(pointer) || pointer.p[0] == '/'))
        TRY(follow(r, root, pointer, ret_at));
    else if (!*ret_at && root)
        *ret_at = id_find(r, whole); /* the document just fetched may have it */
    if (!*ret_at)
        return schema_bad(r, "reference \"" STR_FMT "\" leads nowhere", STR_ARG(ref));
    return ERR_OK;
}
