/* A template's text becomes a tree of long forms. See template.h (TP1). Layer: template. Thread: pure. */
#include "codec/json_edit.h"
#include "codec/yaml.h"
#include "template/tpl_int.h"

enum { FEW_MEMBERS = 16 /* of which all pairs are looked at for duplicates */ };

struct reader {
    struct arena *a;
    struct tpl_fault *fault;
};

static enum err normalise(const struct reader *r, struct json *v, size_t depth);

/* --- short forms --------------------------------------------------------------------------------- */

/* Of "!Sub" the key "Fn::Sub"; STR_NONE: no such tag. */
static struct str long_key(struct str tag)
{
    static const struct {
        struct str tag, key;
    } rows[] = {
#define ROW(name) {STR_INIT("!" name), STR_INIT("Fn::" name)}
        {STR_INIT("!Ref"), STR_INIT("Ref")},
        {STR_INIT("!Condition"), STR_INIT("Condition")},
        ROW("GetAtt"),
        ROW("Sub"),
        ROW("Join"),
        ROW("If"),
        ROW("Select"),
        ROW("Split"),
        ROW("FindInMap"),
        ROW("Base64"),
        ROW("Cidr"),
        ROW("GetAZs"),
        ROW("ImportValue"),
        ROW("Transform"),
        ROW("Length"),
        ROW("ToJsonString"),
        ROW("And"),
        ROW("Or"),
        ROW("Not"),
        ROW("Equals"),
        ROW("Contains"),
        ROW("EachMemberEquals"),
        ROW("EachMemberIn"),
        ROW("RefAll"),
        ROW("ValueOf"),
        ROW("ValueOfAll"),
#undef ROW
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_eq(tag, rows[i].tag))
            return rows[i].key;
    return STR_NONE;
}

/* "A.B.C" becomes ["A", "B.C"]; a text without a dot [text], which is refused later. */
static enum err split_get_att(const struct reader *r, struct json *v)
{
    struct str rest = v->text, first = str_cut(&rest, '.');
    *v = (struct json){.kind = JSON_ARRAY, .key = v->key, .next = v->next};
    TRY(json_push(v, json_new_str(r->a, first)));
    return str_is_set(rest) ? json_push(v, json_new_str(r->a, rest)) : ERR_OK;
}

static enum err expand_short(const struct reader *r, struct json *v)
{
    struct json *only = v->child;
    if (only->key.len && only->key.p[0] == '!') {
        struct str key = long_key(only->key);
        if (!str_is_set(key))
            return tpl_refuse(r->a, r->fault,
                              "Template format error: YAML not well-formed. Unknown tag " STR_FMT,
                              STR_ARG(only->key));
        only->key = key;
    }
    if (str_eq(only->key, STR("Fn::GetAtt")) && only->kind == JSON_STRING)
        return split_get_att(r, only);
    return ERR_OK;
}

/* --- members that are there twice ---------------------------------------------------------------- */

/* What was said later counts, in the place of what was said first, as Jackson has it. */
static void supersede(struct json *earlier, struct json *later)
{
    struct json *next = earlier->next;
    *earlier = *later;
    earlier->next = next;
}

static void unique_few(struct json *obj)
{
    for (struct json *it = obj->child; it; it = it->next)
        for (struct json **p = &it->next; *p;) {
            struct json *later = *p;
            if (!str_eq(later->key, it->key)) {
                p = &later->next;
                continue;
            }
            *p = later->next;
            supersede(it, later);
            obj->n--;
        }
}

static enum err unique_many(struct json *obj, struct map *seen)
{
    for (struct json **p = &obj->child; *p;) {
        struct json *it = *p, *earlier = map_get(seen, it->key);
        if (!earlier) {
            TRY(map_put(seen, it->key, it, NULL));
            p = &it->next;
            continue;
        }
        *p = it->next;
        supersede(earlier, it);
        obj->n--;
    }
    return ERR_OK;
}

static enum err unique(struct json *obj)
{
    if (obj->n <= FEW_MEMBERS) {
        unique_few(obj);
        return ERR_OK;
    }
    struct map seen;
    map_init(&seen);
    enum err err = unique_many(obj, &seen);
    map_release(&seen);
    return err;
}

/* --- the whole ----------------------------------------------------------------------------------- */

static enum err normalise(const struct reader *r, struct json *v, size_t depth)
{
    v->raw = STR_NONE;
    if (v->kind != JSON_OBJECT && v->kind != JSON_ARRAY)
        return ERR_OK;
    if (depth > TPL_DEPTH_MAX)
        return tpl_refuse(r->a, r->fault, "Template format error: nested too deep.");
    if (v->kind == JSON_OBJECT)
        TRY(unique(v));
    if (v->kind == JSON_OBJECT && v->n == 1)
        TRY(expand_short(r, v));
    for (struct json *it = v->child; it; it = it->next)
        TRY(normalise(r, it, depth + 1));
    return ERR_OK;
}

static enum err read_json(const struct reader *r, struct str text, struct json **ret_tree)
{
    size_t at = 0, line = 1, column = 1;
    enum err err = json_parse(r->a, text, ret_tree, &at);
    if (err != ERR_INVALID && err != ERR_LIMIT)
        return err;
    for (size_t i = 0; i < at && i < text.len; i++, column++)
        if (text.p[i] == '\n') {
            line++;
            column = 0;
        }
    return tpl_refuse(r->a, r->fault,
                      "Template format error: JSON not well-formed. (line %zu, column %zu)", line,
                      column);
}

static enum err read_yaml(const struct reader *r, struct str text, struct json **ret_tree)
{
    struct yaml_fault fault = {1, 1, ""};
    enum err err = yaml_parse(r->a, text, true, ret_tree, &fault);
    if (err != ERR_INVALID && err != ERR_LIMIT)
        return err;
    return tpl_refuse(r->a, r->fault,
                      "Template format error: YAML not well-formed. (line %zu, column %zu)",
                      fault.line, fault.column);
}

enum err tpl_read(struct arena *a, struct str text, struct json **ret_tree,
                  struct tpl_fault *ret_fault)
{
    const struct reader r = {a, ret_fault};
    struct json *tree;
    if (text.len > TPL_EXPANDED_BYTES_MAX)
        return tpl_refuse(a, ret_fault, "Template may not exceed 1000000 bytes in size.");
    struct str visible = str_trim(text);
    if (str_starts(visible, STR("{")))
        TRY(read_json(&r, text, &tree));
    else
        TRY(read_yaml(&r, text, &tree));
    if (tree->kind != JSON_OBJECT)
        return tpl_refuse(a, ret_fault, "Template format error: unsupported structure.");
    TRY(normalise(&r, tree, 0));
    *ret_tree = tree;
    return ERR_OK;
}
