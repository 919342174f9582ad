/* Events of Lambda authorizers.
 *
 * Source: API Gateway Developer Guide, "Input to an API Gateway Lambda authorizer". */
#include "svc/apigateway/auth_int.h"

static enum err finish(const struct buf *b, struct str *ret_json)
{
    *ret_json = buf_str(b);
    return buf_err(b);
}

enum err auth_token_event(struct arena *a, struct str method_arn, struct str token,
                          struct str *ret_json)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, a, AUTH_EVENT_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("type"), STR("TOKEN"));
    json_kv_str(&o, STR("methodArn"), method_arn);
    json_kv_str(&o, STR("authorizationToken"), token);
    json_close(&o, '}');
    return finish(&b, ret_json);
}

static bool same(struct str a, struct str b, bool nocase)
{
    return nocase ? str_eq_nocase(a, b) : str_eq(a, b);
}

/* Whether the pair `i` is the last (or first) of its name. */
static bool stands_for_name(const struct map_pairs *p, size_t i, bool last, bool nocase)
{
    for (size_t k = last ? i + 1 : 0; k < (last ? p->n : i); k++)
        if (same(p->v[k].name, p->v[i].name, nocase))
            return false;
    return true;
}

/* {"name": the last value} */
static void put_single(struct json_out *o, const char *member, const struct map_pairs *p,
                       bool nocase)
{
    json_key(o, str_c(member));
    json_open(o, '{');
    for (size_t i = 0; i < p->n; i++)
        if (stands_for_name(p, i, true, nocase)) {
            json_key(o, p->v[i].name);
            json_str(o, p->v[i].value);
        }
    json_close(o, '}');
}

/* {"name": [all values]} */
static void put_multi(struct json_out *o, const char *member, const struct map_pairs *p,
                      bool nocase)
{
    json_key(o, str_c(member));
    json_open(o, '{');
    for (size_t i = 0; i < p->n; i++) {
        if (!stands_for_name(p, i, false, nocase))
            continue;
        json_key(o, p->v[i].name);
        json_open(o, '[');
        for (size_t k = i; k < p->n; k++)
            if (same(p->v[k].name, p->v[i].name, nocase))
                json_str(o, p->v[k].value);
        json_close(o, ']');
    }
    json_close(o, '}');
}

static void put_tree(struct json_out *o, const char *member, const struct json *tree)
{
    json_key(o, str_c(member));
    if (tree)
        json_tree(o, tree);
    else
        json_raw(o, STR("{}"));
}

enum err auth_request_event(const struct auth_request *req, struct str method_arn,
                            struct str *ret_json)
{
    const struct map_message *m = req->message;
    struct buf b;
    struct json_out o;
    if (m->header.n > AUTH_PAIRS_MAX || m->query.n > AUTH_PAIRS_MAX)
        return ERR_LIMIT;
    buf_init_arena(&b, req->call->arena, AUTH_EVENT_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("type"), STR("REQUEST"));
    json_kv_str(&o, STR("methodArn"), method_arn);
    json_kv_str(&o, STR("resource"), req->resource_path);
    json_kv_str(&o, STR("path"), req->path);
    json_kv_str(&o, STR("httpMethod"), req->http_method);
    put_single(&o, "headers", &m->header, true);
    put_multi(&o, "multiValueHeaders", &m->header, true);
    put_single(&o, "queryStringParameters", &m->query, false);
    put_multi(&o, "multiValueQueryStringParameters", &m->query, false);
    put_single(&o, "pathParameters", &m->path, false);
    put_tree(&o, "stageVariables", req->scope->stage_variables);
    put_tree(&o, "requestContext", req->request_context);
    json_close(&o, '}');
    return finish(&b, ret_json);
}
