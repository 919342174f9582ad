/* The section Globals: what it gives is merged into every resource of its type: maps member by member, lists
 * one after the other (the common part first), all else by the resource's own word.
 *
 * Layer: template. Thread: pure. */
#include "template/sam_int.h"

static void merge(struct sam *s, struct json *own, const struct json *common);

static void merge_member(struct sam *s, struct json *own, const struct json *common)
{
    struct json *mine = json_at(own, common->key);
    if (!mine) {
        sam_put(s, own, common->key, sam_copy(s, common));
        return;
    }
    if (sam_map(mine) && sam_map(common) && !sam_intrinsic(mine) && !sam_intrinsic(common)) {
        merge(s, mine, common);
    } else if (sam_list(mine) && sam_list(common)) {
        struct json *list = sam_copy(s, common);
        JSON_EACH (mine, it)
            sam_push(s, list, sam_copy(s, it));
        sam_put(s, own, common->key, list);
    }
}

/* The common members come first, as they do where the published translator merges: names of
 * deployments depend on it. */
static void merge(struct sam *s, struct json *own, const struct json *common)
{
    struct json before = *own;
    own->child = NULL;
    own->n = 0;
    s->pushed_to = NULL;
    JSON_EACH (common, it) {
        struct json *copy = json_get(&before, it->key) ? NULL : sam_copy(s, it);
        if (copy)
            sam_append(s, own, copy);
    }
    struct json **end = s->pushed_to == own ? &s->pushed->next : &own->child;
    *end = before.child;
    own->n += before.n;
    s->pushed_to = NULL;
    JSON_EACH (common, it)
        if (json_get(&before, it->key))
            merge_member(s, own, it);
}

static enum err bad(struct sam *s, struct str what, const char *of, const struct json *allowed)
{
    return sam_bad_plain(s,
                         "'Globals' section is invalid. '" STR_FMT
                         "' is not %s. Must be one of the "
                         "following values - " STR_FMT,
                         STR_ARG(what), of, STR_ARG(sam_repr(s, allowed)));
}

static enum err check_section(struct sam *s, const struct json *section, const struct json *table)
{
    const struct json *allowed = json_get(table, section->key);
    if (!allowed) {
        struct json *names = json_new(s->a, JSON_ARRAY);
        JSON_EACH (table, it)
            sam_push(s, names, sam_new_str(s, it->key));
        return bad(s, section->key, "supported", names);
    }
    if (!sam_map(section) || !section->child)
        return sam_bad_plain(
            s, "'Globals' section is invalid. Value of ${" STR_FMT "} must be a dictionary",
            STR_ARG(section->key));
    JSON_EACH (section, it)
        if (json_index_of(allowed, it->key) == SIZE_MAX)
            return bad(
                s, it->key,
                str_fmt(s->a, "a supported property of '" STR_FMT "'", STR_ARG(section->key)).p,
                allowed);
    return ERR_OK;
}

/* What the resource asks to be left out: IgnoreGlobals. */
static enum err wanted_globals(struct sam *s, const struct json *resource,
                               const struct json *section, struct json **ret_globals)
{
    struct json *globals = sam_copy(s, section);
    const struct json *ignore = SAM_GET(resource, "IgnoreGlobals");
    if (sam_eq(ignore, "*"))
        globals = json_new(s->a, JSON_OBJECT);
    else if (ignore && !sam_list(ignore))
        return sam_bad(s, "Resource " STR_FMT " has invalid resource attribute 'IgnoreGlobals'.",
                       STR_ARG(resource->key));
    else
        JSON_EACH (ignore, it) {
            if (!globals || !json_unset(globals, sam_str(it)))
                return sam_bad(s,
                               "Resource " STR_FMT " has invalid resource attribute "
                               "'IgnoreGlobals' on item '" STR_FMT "'.",
                               STR_ARG(resource->key), STR_ARG(sam_str(it)));
        }
    *ret_globals = globals;
    return ERR_OK;
}

static enum err into_resource(struct sam *s, struct json *resource, const struct json *globals)
{
    struct str type = json_get_str(resource, STR("Type"));
    const struct json *section = str_starts(type, STR("AWS::Serverless::"))
                                     ? json_get(globals, str_sub(type, 17, 64))
                                     : NULL;
    struct json *common = NULL;
    s->id = resource->key;
    if (!section)
        return ERR_OK;
    TRY(wanted_globals(s, resource, section, &common));
    struct json *own = SAM_AT(resource, "Properties");
    if (!own || own->kind == JSON_NULL)
        sam_set(s, resource, "Properties", common);
    else if (sam_map(own) && common)
        merge(s, own, common);
    return ERR_OK;
}

enum err sam_apply_globals(struct sam *s)
{
    struct json *table;
    const struct json *globals = SAM_GET(s->root, "Globals");
    if (!globals)
        return ERR_OK;
    if (!sam_map(globals) || !globals->child)
        return sam_bad_plain(s, "'Globals' section is invalid. It must be a non-empty dictionary");
    TRY(json_parse(s->a, str_c(sam_globals_json), &table, NULL));
    JSON_EACH (globals, it)
        TRY(check_section(s, it, table));
    for (struct json *it = s->resources->child; it; it = it->next)
        TRY(sam_catch(s, into_resource(s, it, globals)));
    json_unset(s->root, STR("Globals"));
    return ERR_OK;
}
