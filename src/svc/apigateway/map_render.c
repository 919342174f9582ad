/* Running a mapping template, and what it left in $context.requestOverride and responseOverride. */
#include "svc/apigateway/map_render.h"

/* --- before ----------------------------------------------------------------------------------- */

static enum err child_map(struct vtl_run *run, struct vtl_map *map, const char *name,
                          struct vtl_value *ret_map)
{
    TRY(vtl_map_new(run, ret_map));
    return vtl_map_put(run, map, vtl_string(str_c(name)), *ret_map);
}

/* $context.responseOverride, with what the request's template put there. */
static enum err put_response_override(struct vtl_run *run, struct vtl_map *context,
                                      const struct map_rendered *earlier)
{
    struct vtl_value all, header;
    TRY(child_map(run, context, "responseOverride", &all));
    TRY(child_map(run, all.map, "header", &header));
    for (size_t i = 0; earlier && i < earlier->reply_header.n; i++)
        TRY(vtl_map_put(run, header.map, vtl_string(earlier->reply_header.v[i].name),
                        vtl_string(earlier->reply_header.v[i].value)));
    return earlier && earlier->status
               ? vtl_map_put(run, all.map, vtl_string(STR("status")), vtl_int(earlier->status))
               : ERR_OK;
}

static enum err put_request_override(struct vtl_run *run, struct vtl_map *context)
{
    static const char *const places[] = {"header", "path", "querystring"};
    struct vtl_value all, place;
    TRY(child_map(run, context, "requestOverride", &all));
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        TRY(child_map(run, all.map, places[i], &place));
    return ERR_OK;
}

/* The tree as a map; an empty one when there is none. */
static enum err tree_map(struct vtl_run *run, const struct json *tree, struct vtl_value *ret_v)
{
    return tree && tree->kind == JSON_OBJECT ? vtl_of_json(run, tree, ret_v)
                                             : vtl_map_new(run, ret_v);
}

static enum err prepare(struct vtl_run *run, const struct map_scope *scope,
                        const struct map_rendered *earlier, struct vtl_value *ret_context)
{
    struct vtl_value stage;
    TRY(tree_map(run, scope->context, ret_context));
    TRY(tree_map(run, scope->stage_variables, &stage));
    TRY(put_request_override(run, ret_context->map));
    TRY(put_response_override(run, ret_context->map, earlier));
    TRY(vtl_set(run, STR("context"), *ret_context));
    return vtl_set(run, STR("stageVariables"), stage);
}

/* --- after ------------------------------------------------------------------------------------ */

/* A value, or each of a list's. */
static enum err take_value(struct vtl_run *run, struct str name, struct vtl_value v,
                           struct map_made *made)
{
    struct vtl_value *items = &v;
    size_t n = v.kind != VTL_NULL;
    if (v.kind == VTL_LIST)
        TRY(vtl_list_items(run, v.list, &items, &n));
    for (size_t i = 0; i < n; i++) {
        struct str text;
        TRY(vtl_to_text(run, items[i], &text));
        if (text.len > MAP_VALUE_MAX)
            return vtl_exceed(run, "an overridden parameter is too long");
        TRY(map_made_add(run->a, made, name, text));
    }
    return ERR_OK;
}

/* all.place, a map of names and values; anything else is none. */
static enum err take_place(struct vtl_run *run, struct vtl_value all, const char *place,
                           struct map_made *made)
{
    struct vtl_value map = {.kind = VTL_NULL};
    struct vtl_entry **entries;
    size_t n;
    if (all.kind == VTL_MAP)
        TRY(vtl_map_get(run, all.map, str_c(place), &map));
    if (map.kind != VTL_MAP)
        return ERR_OK;
    TRY(vtl_map_entries(run, map.map, &entries, &n));
    if (n > MAP_PARAMETERS_MAX)
        return vtl_exceed(run, "too many overridden parameters");
    for (size_t i = 0; i < n; i++) {
        struct str name;
        TRY(vtl_to_text(run, entries[i]->key, &name));
        TRY(take_value(run, name, entries[i]->value, made));
    }
    return ERR_OK;
}

/* A status is a number, or the text of one. */
static enum err take_status(struct vtl_run *run, struct vtl_value all, int *ret_status)
{
    struct vtl_value v = {.kind = VTL_NULL};
    struct str text;
    int64_t status;
    if (all.kind == VTL_MAP)
        TRY(vtl_map_get(run, all.map, STR("status"), &v));
    if (v.kind == VTL_NULL)
        return ERR_OK;
    TRY(vtl_to_text(run, v, &text));
    if (str_to_i64(str_trim(text), &status) == ERR_OK && status > 0 && status < 1000)
        *ret_status = (int)status;
    return ERR_OK;
}

static enum err take_overrides(struct vtl_run *run, struct vtl_map *context,
                               struct map_rendered *made)
{
    struct vtl_value request, response;
    TRY(vtl_map_get(run, context, STR("requestOverride"), &request));
    TRY(vtl_map_get(run, context, STR("responseOverride"), &response));
    TRY(take_place(run, request, "header", &made->header));
    TRY(take_place(run, request, "path", &made->path));
    TRY(take_place(run, request, "querystring", &made->query));
    TRY(take_place(run, response, "header", &made->reply_header));
    return take_status(run, response, &made->status);
}

/* --- all of it -------------------------------------------------------------------------------- */

static enum err render(struct vtl_run *run, const struct map_template *t,
                       const struct map_scope *scope, const struct map_rendered *earlier,
                       struct map_rendered *made, struct vtl_error *error)
{
    struct vtl_value context;
    TRY(prepare(run, scope, earlier, &context));
    TRY(vtl_evaluate(run, t->vtl, &made->body, error));
    enum err err = take_overrides(run, context.map, made);
    if (err == ERR_LIMIT || err == ERR_INVALID)
        error->message = run->error.message;
    return err;
}

enum err map_render(struct arena *a, const struct map_template *t, const struct map_scope *scope,
                    const struct map_message *message, const struct map_rendered *earlier,
                    struct map_rendered *ret_rendered, struct map_fault *ret_fault)
{
    struct map_rendered made = {0};
    struct map_source source = {.message = message, .is_reply = earlier};
    struct vtl_object input = {.name = "$input", .call = map_input_call, .self = &source};
    struct vtl_object util = {.name = "$util", .call = map_util_call};
    struct vtl_error error = {0};
    struct vtl_run run;
    if (!t->vtl) {
        *ret_fault = t->fault;
        return ERR_INVALID;
    }
    TRY(vtl_run_init(&run, a));
    run.quiet = true;
    TRY(vtl_set(&run, STR("input"), vtl_host(&input)));
    TRY(vtl_set(&run, STR("util"), vtl_host(&util)));
    enum err err = render(&run, t, scope, earlier, &made, &error);
    if (err == ERR_OK)
        *ret_rendered = made;
    else if (err == ERR_INVALID || err == ERR_LIMIT)
        *ret_fault = (struct map_fault){.message = error.message,
                                        .line = error.line,
                                        .column = error.column,
                                        .bad_body = source.bad_body && !source.is_reply};
    return err;
}
