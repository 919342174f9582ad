/* Which function a value calls, and small questions about values. See tpl_int.h. Layer: template.
 * Thread: pure. */
#include "template/tpl_int.h"

static const struct {
    struct str name;
    enum tpl_fn fn;
} FNS[] = {
    {STR_INIT("Ref"), TPL_REF},
    {STR_INIT("Fn::GetAtt"), TPL_GET_ATT},
    {STR_INIT("Fn::Sub"), TPL_SUB},
    {STR_INIT("Fn::Join"), TPL_JOIN},
    {STR_INIT("Fn::If"), TPL_IF},
    {STR_INIT("Fn::Select"), TPL_SELECT},
    {STR_INIT("Fn::Split"), TPL_SPLIT},
    {STR_INIT("Fn::FindInMap"), TPL_FIND_IN_MAP},
    {STR_INIT("Fn::Base64"), TPL_BASE64},
    {STR_INIT("Fn::Cidr"), TPL_CIDR},
    {STR_INIT("Fn::GetAZs"), TPL_GET_AZS},
    {STR_INIT("Fn::ImportValue"), TPL_IMPORT_VALUE},
    {STR_INIT("Fn::Transform"), TPL_TRANSFORM},
    {STR_INIT("Fn::Length"), TPL_LENGTH},
    {STR_INIT("Fn::ToJsonString"), TPL_TO_JSON_STRING},
    {STR_INIT("Fn::And"), TPL_AND},
    {STR_INIT("Fn::Or"), TPL_OR},
    {STR_INIT("Fn::Not"), TPL_NOT},
    {STR_INIT("Fn::Equals"), TPL_EQUALS},
    {STR_INIT("Fn::Contains"), TPL_CONTAINS},
    {STR_INIT("Fn::EachMemberEquals"), TPL_EACH_MEMBER_EQUALS},
    {STR_INIT("Fn::EachMemberIn"), TPL_EACH_MEMBER_IN},
    {STR_INIT("Fn::RefAll"), TPL_REF_ALL},
    {STR_INIT("Fn::ValueOf"), TPL_VALUE_OF},
    {STR_INIT("Fn::ValueOfAll"), TPL_VALUE_OF_ALL},
};

enum tpl_fn tpl_fn_of(const struct json *v, const struct json **ret_arg)
{
    if (!v || v->kind != JSON_OBJECT || v->n != 1)
        return TPL_NONE;
    struct str key = v->child->key;
    bool fn = str_starts(key, STR("Fn::"));
    if (!fn && !str_eq(key, STR("Ref")))
        return TPL_NONE;
    *ret_arg = v->child;
    for (size_t i = 0; i < ARRAY_LEN(FNS); i++)
        if (str_eq(key, FNS[i].name))
            return FNS[i].fn;
    return str_starts(key, STR(TPL_FOR_EACH)) ? TPL_NONE : TPL_UNKNOWN;
}

const char *tpl_fn_name(enum tpl_fn fn)
{
    for (size_t i = 0; i < ARRAY_LEN(FNS); i++)
        if (fn == FNS[i].fn)
            return FNS[i].name.p;
    return "";
}

const struct json *tpl_item(const struct json *list, size_t index)
{
    if (!list || list->kind != JSON_ARRAY)
        return NULL;
    const struct json *v = list->child;
    while (v && index--)
        v = v->next;
    return v;
}

struct str tpl_scalar(const struct json *v)
{
    if (!v)
        return STR_NONE;
    if (v->kind == JSON_STRING || v->kind == JSON_NUMBER)
        return v->text;
    if (v->kind == JSON_BOOL)
        return v->b ? STR("true") : STR("false");
    return STR_NONE;
}

bool tpl_is_scalar(const struct json *v)
{
    return str_is_set(tpl_scalar(v));
}

bool tpl_is_alphanumeric(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
              (s.p[i] >= '0' && s.p[i] <= '9')))
            return false;
    return s.len > 0;
}

bool tpl_is_pseudo(struct str name)
{
    static const char *const names[] = {
        "AWS::Region",    "AWS::AccountId", "AWS::Partition", "AWS::StackName",
        "AWS::URLSuffix", "AWS::StackId",   TPL_NO_VALUE,     "AWS::NotificationARNs",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_c(name, names[i]))
            return true;
    return false;
}

bool tpl_is_no_value(const struct json *v)
{
    const struct json *arg;
    return tpl_fn_of(v, &arg) == TPL_REF && str_eq(tpl_scalar(arg), STR(TPL_NO_VALUE));
}

/* --- transforms ---------------------------------------------------------------------------------- */

/* Of an entry of "Transform" the name: text, or an object's Name. */
static struct str transform_name(const struct json *v)
{
    return v->kind == JSON_OBJECT ? json_get_str(v, STR("Name")) : tpl_scalar(v);
}

enum err tpl_transforms(struct arena *a, const struct json *tree, const struct str **ret_names,
                        size_t *ret_n, struct tpl_fault *ret_fault)
{
    const struct json *v = json_get(tree, STR("Transform"));
    bool list = v && v->kind == JSON_ARRAY;
    size_t n = 0, max = list ? v->n : v != NULL;
    struct str *names = ARENA_ARRAY(a, struct str, max);
    if (!names)
        return ERR_NOMEM;
    for (const struct json *it = list ? v->child : v; it; it = list ? it->next : NULL) {
        names[n] = transform_name(it);
        if (!str_is_set(names[n++]))
            return tpl_refuse(a, ret_fault, "Key Name of transform definition must be a string.");
    }
    *ret_names = names;
    *ret_n = n;
    return ERR_OK;
}

bool tpl_has_transform(const struct json *tree, struct str name)
{
    const struct json *v = json_get(tree, STR("Transform"));
    bool list = v && v->kind == JSON_ARRAY;
    for (const struct json *it = list ? v->child : v; it; it = list ? it->next : NULL)
        if (str_eq(transform_name(it), name))
            return true;
    return false;
}
