/* Paths to resources: a tree of segments. See serve_find in serve.h.
 *
 * A resource without methods is no place to end at, so a broader one behind it may take the request;
 * of the most specific resource that has any the method decides, and no other is tried.
 *
 * Layer: svc. Thread: pure. */
#include <assert.h>

#include "svc/apigateway/serve_int.h"

struct serve_node {
    struct serve_node *next; /* sibling */
    struct serve_node *statics, *param, *greedy;
    struct str text; /* of a static one; the name of a parameter */
    const struct serve_resource *resource;
};

enum err serve_node_new(struct arena *a, struct serve_node **ret_node)
{
    *ret_node = ARENA_NEW(a, struct serve_node);
    return *ret_node ? ERR_OK : ERR_NOMEM;
}

/* --- building --------------------------------------------------------------------------------- */

/* The place below `node` for one segment of a resource's path. */
static enum err child_of(struct arena *a, struct serve_node *node, struct str segment,
                         struct serve_node **ret_child)
{
    bool is_param = segment.len > 2 && segment.p[0] == '{' && segment.p[segment.len - 1] == '}';
    bool is_greedy = is_param && segment.p[segment.len - 2] == '+';
    struct str text = is_param ? str_sub(segment, 1, segment.len - 2 - is_greedy) : segment;
    struct serve_node **at = is_greedy ? &node->greedy : is_param ? &node->param : &node->statics;
    while (*at && !str_eq((*at)->text, text))
        at = &(*at)->next;
    if (!*at) {
        TRY(serve_node_new(a, at));
        (*at)->text = text;
    }
    *ret_child = *at;
    return ERR_OK;
}

enum err serve_node_add(struct arena *a, struct serve_node *root,
                        const struct serve_resource *resource)
{
    struct str rest = str_sub(resource->path, 1, SIZE_MAX);
    struct serve_node *node = root;
    size_t depth = 0, n_params = 0;
    if (rest.len == 0)
        rest = STR_NONE;
    while (str_is_set(rest)) {
        struct str segment = str_cut(&rest, '/');
        n_params += segment.len > 0 && segment.p[0] == '{';
        if (++depth > SERVE_PATH_DEPTH_MAX || n_params > SERVE_PARAMS_MAX)
            return ERR_LIMIT;
        TRY(child_of(a, node, segment, &node));
    }
    node->resource = resource;
    return ERR_OK;
}

/* --- finding ---------------------------------------------------------------------------------- */

static bool find(const struct serve_node *node, struct str rest, struct serve_route *r, int depth);

static bool find_below(const struct serve_node *node, struct str segment, struct str rest,
                       struct serve_route *r, int depth)
{
    for (const struct serve_node *s = node->statics; s; s = s->next)
        if (str_eq(s->text, segment) && find(s, rest, r, depth + 1))
            return true;
    for (const struct serve_node *p = segment.len ? node->param : NULL; p; p = p->next) {
        r->params[r->n_params++] = (struct proxy_pair){p->text, segment};
        if (find(p, rest, r, depth + 1))
            return true;
        r->n_params--;
    }
    return false;
}

/* `rest`: the path behind `node`, without the slash; absent: nothing follows. */
static bool find(const struct serve_node *node, struct str rest, struct serve_route *r, int depth)
{
    struct str all = rest;
    if (!str_is_set(rest)) {
        r->resource = node->resource;
        return node->resource != NULL;
    }
    struct str segment = str_cut(&rest, '/');
    if (depth < SERVE_PATH_DEPTH_MAX && find_below(node, segment, rest, r, depth))
        return true;
    const struct serve_node *g = node->greedy;
    if (!g || !g->resource)
        return false;
    r->params[r->n_params++] = (struct proxy_pair){g->text, all};
    r->resource = g->resource;
    return true;
}

static const struct serve_method *method_of(const struct serve_resource *r, struct str http_method)
{
    const struct serve_method *any = NULL;
    for (size_t i = 0; i < r->n_methods; i++) {
        if (str_eq(r->methods[i].http_method, http_method))
            return &r->methods[i];
        if (str_eq_c(r->methods[i].http_method, "ANY"))
            any = &r->methods[i];
    }
    return any;
}

enum err serve_find(const struct serve_api *api, struct str http_method, struct str path,
                    struct serve_route *ret_route)
{
    struct str rest = str_starts(path, STR("/")) ? str_sub(path, 1, SIZE_MAX) : path;
    ret_route->n_params = 0;
    if (str_ends(rest, STR("/"))) /* "/pets/" is "/pets" */
        rest.len--;
    if (rest.len == 0)
        rest = STR_NONE;
    if (!find(api->root, rest, ret_route, 0))
        return ERR_NOT_FOUND;
    assert(ret_route->n_params <= SERVE_PARAMS_MAX);
    ret_route->method = method_of(ret_route->resource, http_method);
    return ret_route->method ? ERR_OK : ERR_NOT_FOUND;
}
