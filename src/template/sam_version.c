/* Versions and aliases of a function: a new version wherever what it runs differs, told by a hash in its
 * name.
 *
 * Layer: template. Thread: pure. */
#include "template/sam_int.h"

static bool name_fits(struct str name)
{
    bool digits = true;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];
        bool digit = c >= '0' && c <= '9';
        if (!digit && c != '-' && c != '_' && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z'))
            return false;
        digits = digits && digit;
    }
    return !digits;
}

/* A logical id takes letters and digits alone. */
static struct str name_part(struct sam *s, struct str name)
{
    struct str part = str_dup(s->a, name);
    for (size_t i = 0; i < part.len && str_is_set(part); i++)
        if (part.p[i] == '-' || part.p[i] == '_')
            ((char *)(uintptr_t)part.p)[i] = part.p[i] == '-' ? 'D' : 'U';
    return part;
}

enum err sam_alias_name(struct sam *s, struct sam_fn *fn)
{
    struct json *v = NULL;
    TRY(sam_resolve(s, SAM_GET(fn->p, "AutoPublishAlias"), &v));
    if (!sam_true(v))
        return ERR_OK;
    if (!sam_text(v))
        return sam_bad(s, "'AutoPublishAlias' must be a string or a Ref to a template parameter");
    if (!name_fits(v->text))
        return sam_bad(s,
                       "AutoPublishAlias name ('" STR_FMT
                       "') must contain only alphanumeric characters, hyphens, or underscores "
                       "matching (?!^[0-9]+$)([a-zA-Z0-9-_]+) pattern.",
                       STR_ARG(v->text));
    fn->alias_name = v->text;
    fn->alias = sam_cat3(s, sam_cat(s, fn->id, "Alias"), name_part(s, v->text), "");
    return ERR_OK;
}

/* All of the function's properties, but for a role that was made for it; and those of layers that ask for a
 * new version with each of theirs. */
static struct json *all_properties(struct sam *s, const struct sam_fn *fn,
                                   const struct json *properties)
{
    struct json *all = sam_copy(s, properties);
    if (!sam_true(SAM_GET(fn->p, "Role")))
        json_unset(all, STR("Role"));
    sam_set(s, all, "Tags", sam_fn_tags(s, fn));
    JSON_EACH (sam_list(SAM_GET(properties, "Layers")) ? SAM_GET(properties, "Layers") : NULL, it) {
        struct str id = sam_named(it);
        const struct json *layer = SAM_GET(json_get(s->resources, id), "Properties");
        if (str_is_set(id) && sam_true(SAM_GET(layer, "PublishLambdaVersion")))
            sam_put(s, all, id, sam_copy(s, layer));
    }
    return all;
}

/* The code, and what else it runs with. */
static struct json *what_runs(struct sam *s, struct json *code, const struct json *properties)
{
    JSON_EACH (SAM_GET(properties, "Environment"), it)
        sam_put(s, code, it->key, sam_copy(s, it));
    const struct json *snap = SAM_GET(properties, "SnapStart"), *on = SAM_GET(snap, "ApplyOn");
    if (sam_true(SAM_GET(properties, "MemorySize")))
        sam_take(s, code, "MemorySize", properties, "MemorySize");
    if (sam_true(snap) && on && !sam_eq(on, "None"))
        sam_take(s, code, "SnapStart", properties, "SnapStart");
    return code;
}

static enum err version_id(struct sam *s, const struct sam_fn *fn, const struct json *function,
                           struct str *ret_id)
{
    struct json *code = NULL, *sha = NULL;
    const struct json *properties = SAM_GET(function, "Properties");
    TRY(sam_resolve(s, SAM_GET(SAM_GET(function, "Properties"), "Code"), &code));
    TRY(sam_resolve(s, SAM_GET(fn->p, "AutoPublishCodeSha256"), &sha));
    if (sha && !sam_text(sha))
        return sam_bad(s, "AutoPublishCodeSha256 must be a string");
    bool all = sam_bool(SAM_GET(fn->p, "AutoPublishAliasAllProperties"), true);
    struct json *hashed = all ? all_properties(s, fn, properties) : what_runs(s, code, properties);
    struct str hash =
        sam_true(sha) ? str_sub(sha->text, 0, 10) : sam_hash(s, sam_dump(s, hashed), 10);
    *ret_id = sam_cat3(s, sam_cat(s, fn->id, "Version"), hash, "");
    return ERR_OK;
}

static enum err deletion_policy(struct sam *s, const struct sam_fn *fn, struct json **ret_policy)
{
    struct json *v = NULL;
    TRY(sam_resolve(s, SAM_GET(fn->p, "VersionDeletionPolicy"), &v));
    const struct json *own = SAM_GET(fn->resource, "DeletionPolicy");
    if (!v)
        v = own ? sam_copy(s, own) : sam_make(s, "'Retain'");
    else if (!sam_eq(v, "Delete") && !sam_eq(v, "Retain"))
        return sam_bad(s, "Property 'VersionDeletionPolicy' should be a one of the strings: "
                          "'Delete' or 'Retain'.");
    *ret_policy = v;
    return ERR_OK;
}

enum err sam_version(struct sam *s, const struct sam_fn *fn)
{
    struct str id;
    struct json *policy = NULL, *function = sam_emitted(s, fn->id);
    TRY(deletion_policy(s, fn, &policy));
    if (!str_is_set(fn->alias)) {
        if (SAM_GET(fn->p, "VersionDeletionPolicy"))
            return sam_bad(s, "'VersionDeletionPolicy' requires 'AutoPublishAlias'.");
        if (SAM_GET(fn->p, "ProvisionedConcurrencyConfig"))
            return sam_bad(s, "To set ProvisionedConcurrencyConfig AutoPublishALias must be "
                              "defined on the function");
        return ERR_OK;
    }
    TRY(version_id(s, fn, function, &id));
    struct json *p = sam_make(s, "{'FunctionName': {'Ref': %s}, 'Description': %v}", fn->id,
                              SAM_GET(fn->p, "VersionDescription"));
    TRY(sam_emit(s, id, "AWS::Lambda::Version", p, fn->resource, false));
    sam_set(s, sam_emitted(s, id), "DeletionPolicy", policy);
    p = sam_make(s,
                 "{'Name': %s, 'FunctionName': {'Ref': %s}, 'FunctionVersion': {'Fn::GetAtt': [%s, "
                 "'Version']}, 'ProvisionedConcurrencyConfig': %v}",
                 fn->alias_name, fn->id, id, SAM_GET(fn->p, "ProvisionedConcurrencyConfig"));
    TRY(sam_emit(s, fn->alias, "AWS::Lambda::Alias", p, fn->resource, false));
    sam_put(s, s->refs, sam_cat(s, fn->id, ".Alias"), sam_new_str(s, fn->alias));
    sam_put(s, s->refs, sam_cat(s, fn->id, ".Version"), sam_new_str(s, id));
    return ERR_OK;
}
