/* AWS::Serverless::SimpleTable and AWS::Serverless::LayerVersion. See sam_int.h. Layer: template.
 * Thread: pure. */
#include "template/sam_int.h"

/* --- tables ---------------------------------------------------------------------------------------- */

static enum err key_type(struct sam *s, const struct json *type, struct str *ret_letter)
{
    static const char *const rows[][2] = {{"String", "S"}, {"Number", "N"}, {"Binary", "B"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (sam_eq(type, rows[i][0])) {
            *ret_letter = str_c(rows[i][1]);
            return ERR_OK;
        }
    return sam_bad(s, "Invalid value for 'PrimaryKey.Type'.");
}

enum err sam_simple_table(struct sam *s, const struct json *resource)
{
    const struct json *p = SAM_GET(resource, "Properties"), *key = SAM_GET(p, "PrimaryKey");
    const struct json *throughput = SAM_GET(p, "ProvisionedThroughput");
    struct json *name = key ? sam_copy(s, SAM_GET(key, "Name")) : sam_make(s, "'id'");
    struct str letter = STR("S");
    TRY(sam_check(s, "AWS::Serverless::SimpleTable", "AWS::Serverless::SimpleTable", p));
    if (key && !SAM_GET(key, "Name"))
        return sam_bad(s, "Property 'PrimaryKey.Name' is required.");
    if (key && !SAM_GET(key, "Type"))
        return sam_bad(s, "Property 'PrimaryKey.Type' is required.");
    if (key)
        TRY(key_type(s, SAM_GET(key, "Type"), &letter));
    struct json *table =
        sam_make(s,
                 "{'AttributeDefinitions': [{'AttributeName': %v, 'AttributeType': "
                 "%s}], 'KeySchema': [{'AttributeName': %v, 'KeyType': 'HASH'}]}",
                 name, letter, name);
    sam_carry(s, "AWS::Serverless::SimpleTable", p, table);
    if (!sam_true(throughput))
        sam_set(s, table, "BillingMode", sam_make(s, "'PAY_PER_REQUEST'"));
    if (SAM_GET(p, "Tags"))
        sam_set(s, table, "Tags", sam_tags(s, SAM_GET(p, "Tags"), NULL));
    return sam_emit(s, resource->key, "AWS::DynamoDB::Table", table, resource, true);
}

/* --- layers ---------------------------------------------------------------------------------------- */

static enum err retention(struct sam *s, const struct json *p, struct str *ret_policy)
{
    const struct json *given = SAM_GET(p, "RetentionPolicy");
    struct json *v = NULL;
    static const char *const options =
        "please use one of the following options: ['Retain', 'Delete']";
    TRY(sam_resolve(s, given, &v));
    if (!v)
        return ERR_OK;
    if (sam_intrinsic(given) && !str_is_set(sam_ref(given)))
        return sam_bad(s, "'RetentionPolicy' does not accept intrinsic functions, %s", options);
    if (!sam_text(v))
        return sam_bad(s, "Could not resolve parameter for 'RetentionPolicy' or parameter is not a "
                          "String.");
    if (!str_eq_nocase(v->text, STR("Retain")) && !str_eq_nocase(v->text, STR("Delete")))
        return sam_bad(s, "'RetentionPolicy' must be one of the following options: ['Retain', "
                          "'Delete'].");
    *ret_policy = str_eq_nocase(v->text, STR("Retain")) ? STR("Retain") : STR("Delete");
    return ERR_OK;
}

/* A layer's versions never change: whatever differs makes a new one, named by a hash of it all. */
static struct str version_id(struct sam *s, const struct json *resource, const struct json *p)
{
    struct json *all = sam_make(s, "{%s: {'Type': %v, 'Properties': %v}}", resource->key,
                                SAM_GET(resource, "Type"), p);
    return sam_cat3(s, resource->key, sam_hash(s, sam_dump(s, all), 10), "");
}

static enum err check_layer(struct sam *s, const struct json *p)
{
    const struct json *list = SAM_GET(p, "CompatibleArchitectures");
    JSON_EACH (sam_list(list) ? list : NULL, it)
        if (sam_text(it) && !sam_eq(it, "x86_64") && !sam_eq(it, "arm64"))
            return sam_bad(s, "CompatibleArchitectures needs to be a list of 'x86_64' or 'arm64'");
    const struct json *license = SAM_GET(p, "LicenseInfo");
    if (license && !sam_intrinsic(license))
        TRY(sam_want(s, SAM_RESOURCE, license, 's', STR("LicenseInfo")));
    return ERR_OK;
}

enum err sam_layer(struct sam *s, const struct json *resource)
{
    const struct json *p = SAM_GET(resource, "Properties");
    struct json *layer = json_new(s->a, JSON_OBJECT), *content = NULL, *resolved = NULL;
    struct str policy = STR_NONE;
    TRY(sam_check(s, "AWS::Serverless::LayerVersion", "AWS::Serverless::LayerVersion", p));
    TRY(retention(s, p, &policy));
    resolved = sam_copy(s, p);
    TRY(sam_resolve_member(s, resolved, "LayerName"));
    TRY(sam_resolve_member(s, resolved, "LicenseInfo"));
    TRY(sam_resolve_member(s, resolved, "RetentionPolicy"));
    struct str id = version_id(s, resource, resolved);
    struct str was = s->id;
    s->id = id;
    TRY(check_layer(s, resolved));
    s->id = was;
    TRY(sam_location(s, SAM_GET(p, "ContentUri"), "ContentUri", sam_code_names, &content));
    sam_carry(s, "AWS::Serverless::LayerVersion", resolved, layer);
    sam_set(s, layer, "Content", content);
    if (sam_true(SAM_GET(resolved, "LayerName")))
        sam_take(s, layer, "LayerName", resolved, "LayerName");
    else
        sam_set(s, layer, "LayerName", sam_new_str(s, resource->key));
    TRY(sam_emit(s, id, "AWS::Lambda::LayerVersion", layer, resource, true));
    if (str_is_set(policy) || !SAM_GET(resource, "DeletionPolicy"))
        sam_set(s, sam_emitted(s, id), "DeletionPolicy",
                sam_new_str(s, str_is_set(policy) ? policy : STR("Retain")));
    sam_put(s, s->renamed, resource->key, sam_new_str(s, id));
    return ERR_OK;
}
