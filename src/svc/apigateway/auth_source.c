/* Identity sources, and what else an authorizer's settings say. */
#include "lang/regex.h"
#include "svc/apigateway/auth_int.h"
#include "svc/apigateway/map_int.h"

int64_t auth_ttl_s(const struct json *authorizer)
{
    int64_t ttl = AUTH_TTL_S;
    const struct json *v = json_get(authorizer, STR("authorizerResultTtlInSeconds"));
    if (v && json_to_i64(v, &ttl) != ERR_OK)
        ttl = 0;
    return min_i64(max_i64(ttl, 0), AUTH_TTL_S_MAX);
}

struct str auth_function(struct str uri)
{
    static const struct str before = STR_INIT("/functions/"), after = STR_INIT("/invocations");
    size_t from = str_find_str(uri, before);
    if (!str_starts(uri, STR("arn:")) || from == SIZE_MAX || !str_ends(uri, after))
        return STR_NONE;
    from += before.len;
    return uri.len > from + after.len ? str_sub(uri, from, uri.len - from - after.len) : STR_NONE;
}

/* *ret_value absent or empty: it is not there. */
static enum err source_value(struct arena *a, struct str source, const struct map_scope *scope,
                             const struct map_message *message, struct str *ret_value)
{
    static const struct str header = STR_INIT("method.request.header."),
                            query = STR_INIT("method.request.querystring."),
                            stage = STR_INIT("stageVariables."), context = STR_INIT("context.");
    if (str_starts(source, header))
        *ret_value = map_pairs_last(&message->header, str_sub(source, header.len, SIZE_MAX), true);
    else if (str_starts(source, query))
        *ret_value = map_pairs_last(&message->query, str_sub(source, query.len, SIZE_MAX), false);
    else if (str_starts(source, stage))
        *ret_value = json_get_str(scope->stage_variables, str_sub(source, stage.len, SIZE_MAX));
    else if (str_starts(source, context))
        *ret_value = map_tree_value(a, scope->context, str_sub(source, context.len, SIZE_MAX));
    else
        return ERR_INVALID;
    return ERR_OK;
}

enum err auth_sources(struct arena *a, const struct json *authorizer, const struct map_scope *scope,
                      const struct map_message *message, struct auth_identity *ret_identity)
{
    struct auth_identity id = {0};
    struct str rest = json_get_str(authorizer, STR("identitySource"));
    struct buf key;
    buf_init_arena(&key, a, AUTH_IDENTITY_MAX);
    while (str_is_set(rest)) {
        struct str value = STR_NONE, source = str_trim(str_cut(&rest, ','));
        if (source.len == 0)
            continue;
        if (id.n++ == AUTH_SOURCES_MAX)
            return ERR_LIMIT;
        TRY(source_value(a, source, scope, message, &value));
        if (str_trim(value).len == 0)
            return ERR_NOT_FOUND;
        if (id.n == 1)
            id.token = value;
        buf_add_fmt(&key, "%zu:", value.len); /* so that no two lists of values are one text */
        buf_add_str(&key, value);
    }
    id.key = buf_str(&key);
    *ret_identity = id;
    return buf_err(&key);
}

enum err auth_validates(struct arena *a, const struct json *authorizer, struct str token,
                        bool *ret_yes)
{
    const struct regex *re;
    struct str pattern = json_get_str(authorizer, STR("identityValidationExpression"));
    *ret_yes = true;
    if (pattern.len == 0)
        return ERR_OK;
    TRY(regex_compile(a, pattern, &re));
    return regex_is_match(re, token, REGEX_FULL, ret_yes);
}
