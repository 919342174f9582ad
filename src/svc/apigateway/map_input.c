/* $input of mapping templates: the body, looked into by JSONPath, and the parameters.
 *
 * The document is one object: what a template changes in what $input.path gave, $input.json shows.
 *
 * Source: API Gateway Developer Guide, "$input variables". A missing path is null to path() and "" to
 * json(); an empty body of a request reads {}; a body that does not begin like JSON is a text. */
#include "lang/jsonpath.h"
#include "svc/apigateway/map_render.h"

static struct str body_of(const struct map_source *in)
{
    struct str body = in->message->body;
    return body.len || in->is_reply ? body : STR(MAP_EMPTY_BODY);
}

static enum err parse(struct vtl_run *run, struct map_source *in)
{
    struct str body = body_of(in);
    if (in->parsed)
        return ERR_OK;
    TRY(vtl_work(run, body.len / 16));
    enum err err = body.len ? json_parse(run->a, body, &in->doc, NULL) : ERR_INVALID;
    if (err == ERR_NOMEM)
        return err;
    if (err != ERR_OK && map_means_json(body)) {
        in->bad_body = true;
        return vtl_fail(run, in->is_reply ? "Could not parse response body into json"
                                          : "Could not parse request body into json");
    }
    in->parsed = true;
    in->changes = run->changes;
    if (err == ERR_OK)
        return vtl_of_json(run, in->doc, &in->root);
    in->doc = NULL;
    return ERR_OK;
}

/* The document as it is now. */
static enum err refresh(struct vtl_run *run, struct map_source *in)
{
    TRY(parse(run, in));
    if (!in->doc || in->changes == run->changes)
        return ERR_OK;
    in->changes = run->changes;
    return vtl_to_json(run, in->root, &in->doc);
}

static enum err compile(struct vtl_run *run, struct str text, const struct jsonpath **ret_path)
{
    bool rooted = text.len && (text.p[0] == '$' || text.p[0] == '@');
    TRY(vtl_work(run, 10 + text.len / 4));
    if (!rooted) {
        text = str_fmt(run->a, "$." STR_FMT, STR_ARG(text));
        if (!str_is_set(text))
            return ERR_NOMEM;
    }
    enum err err = jsonpath_compile(run->a, text, ret_path, NULL);
    return err == ERR_INVALID || err == ERR_LIMIT
               ? vtl_fail(run, "not a JSONPath: " STR_FMT, STR_ARG(text))
               : err;
}

/* *ret_v NULL: it leads nowhere. */
static enum err look(struct vtl_run *run, struct map_source *in, struct vtl_value arg,
                     const struct json **ret_v)
{
    const struct jsonpath *path;
    struct str text;
    TRY(refresh(run, in));
    TRY(vtl_to_text(run, arg, &text));
    TRY(compile(run, text, &path));
    *ret_v = NULL;
    if (!in->doc)
        return ERR_OK;
    enum err err = jsonpath_eval(path, in->doc, run->a, ret_v);
    if (err == ERR_LIMIT)
        return vtl_exceed(run, "a JSONPath takes too many steps");
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* "$" of a body that is a text. */
static bool is_whole_text(const struct map_source *in, struct vtl_value arg)
{
    return in->parsed && !in->doc && arg.kind == VTL_STRING && str_eq_c(arg.s, "$") &&
           body_of(in).len;
}

static enum err path_of(struct vtl_run *run, struct map_source *in, struct vtl_value arg,
                        struct vtl_value *ret_v)
{
    const struct json *v;
    TRY(look(run, in, arg, &v));
    if (v)
        return vtl_of_json(run, v, ret_v);
    if (is_whole_text(in, arg))
        *ret_v = vtl_string(body_of(in));
    return ERR_OK;
}

static enum err json_of(struct vtl_run *run, struct map_source *in, struct vtl_value arg,
                        struct vtl_value *ret_v)
{
    const struct json *v;
    struct buf b;
    TRY(look(run, in, arg, &v));
    buf_init_arena(&b, run->a, VTL_TEXT_MAX);
    if (v)
        json_put(&b, v);
    else
        json_put_str(&b, is_whole_text(in, arg) ? body_of(in) : STR(""));
    if (buf_err(&b) == ERR_LIMIT)
        return vtl_exceed(run, "a text is too long");
    TRY(buf_err(&b));
    *ret_v = vtl_string(buf_str(&b));
    return vtl_work(run, b.len / 64);
}

/* --- parameters -------------------------------------------------------------------------------- */

/* Names with their last values. */
static enum err put_pairs(struct vtl_run *run, struct vtl_map *params, const char *name,
                          const struct map_pairs *pairs)
{
    struct vtl_value map;
    TRY(vtl_map_new(run, &map));
    for (size_t i = 0; i < pairs->n; i++)
        TRY(vtl_map_put(run, map.map, vtl_string(pairs->v[i].name), vtl_string(pairs->v[i].value)));
    return vtl_map_put(run, params, vtl_string(str_c(name)), map);
}

static enum err params_all(struct vtl_run *run, struct map_source *in, struct vtl_value *ret_v)
{
    if (in->params.kind == VTL_NULL) {
        uint64_t changes = run->changes; /* the document's are none of these */
        TRY(vtl_map_new(run, &in->params));
        TRY(put_pairs(run, in->params.map, "path", &in->message->path));
        TRY(put_pairs(run, in->params.map, "querystring", &in->message->query));
        TRY(put_pairs(run, in->params.map, "header", &in->message->header));
        run->changes = changes;
    }
    *ret_v = in->params;
    return ERR_OK;
}

static enum err params_one(struct vtl_run *run, struct map_source *in, struct vtl_value arg,
                           struct vtl_value *ret_v)
{
    struct vtl_value all;
    struct str name, value;
    TRY(vtl_to_text(run, arg, &name));
    value = map_pairs_last(&in->message->path, name, false);
    if (!str_is_set(value))
        value = map_pairs_last(&in->message->query, name, false);
    if (!str_is_set(value))
        value = map_pairs_last(&in->message->header, name, true);
    *ret_v = vtl_string(str_is_set(value) ? value : STR(""));
    if (str_is_set(value))
        return ERR_OK;
    TRY(params_all(run, in, &all));
    struct vtl_value place;
    TRY(vtl_map_get(run, all.map, name, &place));
    if (place.kind != VTL_NULL)
        *ret_v = place;
    return ERR_OK;
}

enum err map_input_call(struct vtl_run *run, void *self, struct str name,
                        const struct vtl_value *args, size_t n, struct vtl_value *ret_v)
{
    struct map_source *in = self;
    bool property = n == SIZE_MAX;
    if ((property && str_eq_c(name, "body")) || (n == 0 && str_eq_c(name, "getBody"))) {
        *ret_v = vtl_string(body_of(in));
        return ERR_OK;
    }
    if ((n == 0 || property) && str_eq_c(name, "params"))
        return params_all(run, in, ret_v);
    if (n != 1)
        return ERR_OK;
    if (str_eq_c(name, "path"))
        return path_of(run, in, args[0], ret_v);
    if (str_eq_c(name, "json"))
        return json_of(run, in, args[0], ret_v);
    return str_eq_c(name, "params") ? params_one(run, in, args[0], ret_v) : ERR_OK;
}
