/* Where code and documents lie: "s3://bucket/key?versionId=v" or {Bucket, Key, Version}.
 * See sam_int.h. Layer: template. Thread: pure. */
#include "template/sam_int.h"

static enum err from_uri(struct sam *s, struct str uri, const char *property,
                         const char *const *names, struct json **ret_v)
{
    struct str rest = str_sub(uri, 5, SIZE_MAX), query = rest, version = STR_NONE;
    struct str path = str_cut(&query, '?'), key = path;
    struct str bucket = str_cut(&key, '/');
    if (str_is_set(query) && str_starts(query, STR("versionId=")))
        version = str_sub(query, 10, str_find(str_sub(query, 10, SIZE_MAX), '&'));
    if (!str_starts(uri, STR("s3://")) || str_empty(bucket) || !str_is_set(key) || str_empty(key))
        return sam_bad(s,
                       "'%s' is not a valid S3 Uri of the form 's3://bucket/key' with optional "
                       "versionId query parameter.",
                       property);
    struct json *v = json_new(s->a, JSON_OBJECT);
    sam_set(s, v, names[0], sam_new_str(s, bucket));
    sam_set(s, v, names[1], sam_new_str(s, key));
    if (str_is_set(version))
        sam_set(s, v, names[2], sam_new_str(s, version));
    *ret_v = v;
    return ERR_OK;
}

enum err sam_location(struct sam *s, const struct json *v, const char *property,
                      const char *const names[3], struct json **ret_v)
{
    if (sam_text(v) && str_find_str(v->text, STR("{{resolve:")) != SIZE_MAX)
        return sam_bad(s,
                       "Unsupported dynamic reference detected in '%s'. Please consider using "
                       "alternative 'FunctionCode' object format.",
                       property);
    if (!sam_map(v) || sam_intrinsic(v))
        return from_uri(s, sam_text(v) ? v->text : STR(""), property, names, ret_v);
    if (!sam_true(SAM_GET(v, "Bucket")) || !sam_true(SAM_GET(v, "Key")))
        return sam_bad(s, "'%s' requires Bucket and Key properties to be specified.", property);
    *ret_v = json_new(s->a, JSON_OBJECT);
    sam_take(s, *ret_v, names[0], v, "Bucket");
    sam_take(s, *ret_v, names[1], v, "Key");
    if (sam_true(SAM_GET(v, "Version")))
        sam_take(s, *ret_v, names[2], v, "Version");
    return ERR_OK;
}

const char *const sam_code_names[3] = {"S3Bucket", "S3Key", "S3ObjectVersion"};
const char *const sam_body_names[3] = {"Bucket", "Key", "Version"};
