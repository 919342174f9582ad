/* Structures as values of queries: what jsonParse makes, what a path leads to in them, and their items.
 *
 * A structure is its JSON text, which rows keep, and its tree while the event is looked at: of one that comes
 * back from a row the tree is made anew where it is asked for.
 *
 * Source: CloudWatch Logs User Guide, "Structure types", "JSON functions", "unnest". */
#include "lang/insights_int.h"

enum err ins_structure(struct arena *a, const struct json *v, struct ins_value *ret)
{
    struct buf b;
    *ret = (struct ins_value){0};
    if (!v || (v->kind != JSON_ARRAY && v->kind != JSON_OBJECT)) {
        *ret = ins_scalar(v);
        return ERR_OK;
    }
    buf_init_arena(&b, a, INSIGHTS_TEXT_MAX);
    json_put(&b, v);
    if (buf_err(&b) == ERR_LIMIT)
        return ERR_OK;
    TRY(buf_err(&b));
    *ret = (struct ins_value){
        .kind = v->kind == JSON_ARRAY ? INS_LIST : INS_MAP, .text = buf_str(&b), .json = v};
    return ERR_OK;
}

enum err ins_structure_parse(struct arena *a, struct str text, struct ins_value *ret)
{
    struct json *v;
    struct str s = str_trim(text);
    *ret = (struct ins_value){0};
    if (s.len == 0 || (s.p[0] != '{' && s.p[0] != '['))
        return ERR_OK;
    enum err err = json_parse(a, s, &v, NULL);
    if (err)
        return err == ERR_NOMEM ? err : ERR_OK;
    return ins_structure(a, v, ret);
}

enum err ins_structure_tree(struct arena *a, const struct ins_value *v, const struct json **ret)
{
    struct json *tree;
    *ret = v->json;
    if (v->json)
        return ERR_OK;
    enum err err = json_parse(a, v->text, &tree, NULL);
    if (err == ERR_OK)
        *ret = tree;
    return err == ERR_NOMEM ? err : ERR_OK;
}

enum err ins_follow(struct arena *a, const struct ins_value *v, const struct ins_step *steps,
                    size_t n, struct ins_value *ret)
{
    const struct json *at;
    TRY(ins_structure_tree(a, v, &at));
    for (size_t i = 0; i < n && at; i++)
        at = steps[i].whole ? ins_json_child(at, steps[i].name)
                            : ins_json_by_path(at, steps[i].name);
    return ins_structure(a, at, ret);
}
