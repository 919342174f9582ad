/* The tables of spec/sam at work. See sam_int.h. Layer: template. Thread: pure. */
#include "template/sam_int.h"

static bool fits(const struct json *v, const char *kinds)
{
    if (!kinds[0] || sam_intrinsic(v))
        return !strchr(kinds, 'x');
    switch (v->kind) {
    case JSON_STRING:
        return strchr(kinds, 's');
    case JSON_OBJECT:
        return strchr(kinds, 'm');
    case JSON_ARRAY:
        return strchr(kinds, 'l');
    case JSON_BOOL:
        return strchr(kinds, 'b');
    case JSON_NUMBER:
        return strchr(kinds, 'n');
    default:
        return true;
    }
}

static const struct sam_property *find(const char *owner, struct str name)
{
    for (size_t i = 0; i < sam_n_properties; i++)
        if (!strcmp(sam_properties[i].owner, owner) && str_eq_c(name, sam_properties[i].name))
            return &sam_properties[i];
    return NULL;
}

static enum err bad_kind(struct sam *s, const struct sam_property *p)
{
    char kind = p->kinds[0];
    bool alone = !p->kinds[1] || p->kinds[1] == 'x';
    if (alone && (kind == 's' || kind == 'm'))
        return sam_bad(s, "Property '%s' should be a %s.", p->name, kind == 's' ? "string" : "map");
    return sam_bad(s, "Type of property '%s' is invalid.", p->name);
}

enum err sam_check(struct sam *s, const char *owner, const char *shown_type,
                   const struct json *properties)
{
    JSON_EACH (properties, it) {
        const struct sam_property *p = find(owner, it->key);
        if (!p)
            return sam_bad(s, "property " STR_FMT " not defined for resource of type %s",
                           STR_ARG(it->key), shown_type);
    }
    for (size_t i = 0; i < sam_n_properties; i++) {
        const struct sam_property *p = &sam_properties[i];
        if (strcmp(p->owner, owner))
            continue;
        const struct json *v = json_get(properties, str_c(p->name));
        if (p->required && (!v || v->kind == JSON_NULL))
            return sam_bad(s, "Missing required property '%s'.", p->name);
        if (v && !fits(v, p->kinds))
            return bad_kind(s, p);
    }
    return ERR_OK;
}

void sam_carry(struct sam *s, const char *owner, const struct json *properties, struct json *target)
{
    for (size_t i = 0; i < sam_n_properties; i++) {
        const struct sam_property *p = &sam_properties[i];
        const struct json *v = json_get(properties, str_c(p->name));
        if (p->to && !strcmp(p->owner, owner) && v && v->kind != JSON_NULL)
            sam_set(s, target, p->to, sam_copy(s, v));
    }
}
