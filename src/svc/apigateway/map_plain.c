/* Texts with variables that are no templates: gateway responses, access log lines, URIs. */
#include "svc/apigateway/map_int.h"

/* a.b.c at p: how long it is. A dot or a hyphen belongs to it only between parts. */
static size_t path_len(struct str s)
{
    size_t i = 0;
    while (i < s.len) {
        bool joins =
            (s.p[i] == '.' || s.p[i] == '-') && i > 0 && i + 1 < s.len && map_is_name(s.p[i + 1]);
        if (!map_is_name(s.p[i]) && !joins)
            break;
        i++;
    }
    return i;
}

/* $name.path and ${name.path} at the dollar: what stands behind the name. 0: it is not that. */
static size_t variable(struct str s, const char *name, struct str *ret_path)
{
    size_t curly = s.len > 1 && s.p[1] == '{', at = 1 + curly;
    struct str prefix = str_c(name), rest = str_sub(s, at, SIZE_MAX);
    if (!str_starts(rest, prefix))
        return 0;
    struct str path = str_sub(rest, prefix.len, SIZE_MAX);
    path.len = path_len(path);
    size_t end = at + prefix.len + path.len;
    if (path.len == 0 || (curly && (end == s.len || s.p[end] != '}')))
        return 0;
    *ret_path = path;
    return end + curly;
}

static enum err finish(struct buf *b, struct str *ret_text)
{
    *ret_text = buf_str(b);
    return buf_err(b);
}

/* --- stage variables --------------------------------------------------------------------------- */

enum err map_stage_variables(struct arena *a, struct str text, const struct json *stage_variables,
                             struct str *ret_text)
{
    static const struct str open = STR_INIT("${stageVariables.");
    struct buf b;
    if (!str_is_set(text) || str_find_str(text, open) == SIZE_MAX) {
        *ret_text = text;
        return ERR_OK;
    }
    buf_init_arena(&b, a, MAP_VALUE_MAX);
    for (struct str rest = text;;) {
        size_t at = str_find_str(rest, open);
        size_t end = at == SIZE_MAX ? at : str_find(str_sub(rest, at, SIZE_MAX), '}');
        if (end == SIZE_MAX) {
            buf_add_str(&b, rest);
            return finish(&b, ret_text);
        }
        struct str name = str_sub(rest, at + open.len, end - open.len);
        buf_add(&b, rest.p, at);
        buf_add_str(&b, json_get_str(stage_variables, name));
        rest = str_sub(rest, at + end + 1, SIZE_MAX);
    }
}

/* --- gateway responses ------------------------------------------------------------------------- */

/* The value of the variable at the dollar; *ret_taken 0: there is none. */
static struct str plain_value(struct arena *a, struct str s, const struct map_scope *scope,
                              const struct map_message *message, size_t *ret_taken)
{
    struct str path;
    if ((*ret_taken = variable(s, "context.", &path)) > 0)
        return map_tree_value(a, scope->context, path);
    if ((*ret_taken = variable(s, "stageVariables.", &path)) > 0)
        return map_tree_value(a, scope->stage_variables, path);
    if ((*ret_taken = variable(s, "method.request.path.", &path)) > 0)
        return map_pairs_last(&message->path, path, false);
    if ((*ret_taken = variable(s, "method.request.querystring.", &path)) > 0)
        return map_pairs_last(&message->query, path, false);
    if ((*ret_taken = variable(s, "method.request.header.", &path)) > 0)
        return map_pairs_last(&message->header, path, true);
    return STR_NONE;
}

enum err map_plain(struct arena *a, struct str template, const struct map_scope *scope,
                   const struct map_message *message, struct str *ret_text)
{
    struct buf b;
    buf_init_arena(&b, a, MAP_PLAIN_MAX);
    for (struct str rest = template; rest.len;) {
        size_t taken, at = str_find(rest, '$');
        if (at == SIZE_MAX)
            at = rest.len;
        buf_add(&b, rest.p, at);
        rest = str_sub(rest, at, SIZE_MAX);
        if (rest.len == 0)
            break;
        struct str value = plain_value(a, rest, scope, message, &taken);
        buf_add_str(&b, taken ? value : STR("$"));
        rest = str_sub(rest, taken ? taken : 1, SIZE_MAX);
    }
    return finish(&b, ret_text);
}

/* --- access logs ------------------------------------------------------------------------------- */

enum err map_log_line(struct arena *a, struct str format, const struct json *context,
                      struct str *ret_line)
{
    struct buf b;
    buf_init_arena(&b, a, MAP_LOG_LINE_MAX);
    for (struct str rest = format; rest.len && buf_err(&b) == ERR_OK;) {
        struct str path, value;
        size_t taken, at = min_size(str_find(rest, '$'), rest.len);
        buf_add(&b, rest.p, at);
        rest = str_sub(rest, at, SIZE_MAX);
        if (rest.len == 0)
            break;
        taken = variable(rest, "context.", &path);
        value = taken ? map_tree_value(a, context, path) : STR("$");
        value = str_is_set(value) && value.len ? value : STR("-");
        buf_add_str(&b, str_sub(value, 0, MAP_LOG_LINE_MAX - b.len));
        rest = str_sub(rest, taken ? taken : 1, SIZE_MAX);
    }
    if (buf_err(&b) == ERR_LIMIT)
        b.err = ERR_OK; /* cut */
    return finish(&b, ret_line);
}
