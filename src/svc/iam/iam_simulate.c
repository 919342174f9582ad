/* The simulator's policies and their verdict: the evaluator that judges requests decides, and each
 * statement is asked again as a policy of its own, to tell which ones decided. See iam_simulate.h.
 *
 * Source: IAM API Reference, SimulateCustomPolicy and its published examples (positions). */
#include "svc/iam/iam_simulate.h"

#include <assert.h>

#include "codec/json.h"

void iam_simulate_init(struct simulate *s, struct arena *a)
{
    *s = (struct simulate){.arena = a};
}

/* Behind the byte before `at`. */
static struct simulate_position position(struct str text, size_t at)
{
    struct simulate_position p = {1, 1};
    assert(at <= text.len);
    for (size_t i = 0; i < at; i++) {
        bool newline = text.p[i] == '\n';
        p.line += newline;
        p.column = newline ? 1 : p.column + 1;
    }
    return p;
}

static enum err room(struct simulate *s)
{
    if (s->n_statements == SIMULATE_STATEMENTS_MAX)
        return ERR_LIMIT;
    return ARENA_GROW(s->arena, s->statements, s->n_statements, s->cap, 16);
}

static enum err add_statement(struct simulate *s, enum simulate_role role, struct str source,
                              struct str json, struct str version, const struct json *st)
{
    struct policy *alone;
    TRY(room(s));
    struct str text =
        str_fmt(s->arena, "{\"Version\":\"" STR_FMT "\",\"Statement\":" STR_FMT "}",
                STR_ARG(str_is_set(version) ? version : STR("2008-10-17")), STR_ARG(st->raw));
    if (!str_is_set(text))
        return ERR_NOMEM;
    TRY(policy_parse(s->arena, role == SIMULATE_RESOURCE ? POLICY_RESOURCE : POLICY_IDENTITY, text,
                     NULL, &alone));
    size_t at = (size_t)(st->raw.p - json.p);
    s->statements[s->n_statements++] = (struct simulate_statement){
        .source = source,
        .from = position(json, at + 1),
        .to = position(json, at + st->raw.len),
        .alone = alone,
        .boundary = role == SIMULATE_BOUNDARY,
    };
    return ERR_OK;
}

static enum err place(struct simulate *s, enum simulate_role role, const struct policy *policy)
{
    if (role == SIMULATE_BOUNDARY)
        s->boundary = policy;
    else if (role == SIMULATE_RESOURCE)
        s->resource = policy;
    else if (s->n_identity == SIMULATE_POLICIES_MAX)
        return ERR_LIMIT;
    else
        s->identity[s->n_identity++] = policy;
    return ERR_OK;
}

enum err iam_simulate_add(struct simulate *s, enum simulate_role role, struct str source,
                          struct str json, const char **ret_why)
{
    struct policy *policy;
    struct json *doc;
    TRY(policy_parse(s->arena, role == SIMULATE_RESOURCE ? POLICY_RESOURCE : POLICY_IDENTITY, json,
                     ret_why, &policy));
    TRY(place(s, role, policy));
    TRY(json_parse(s->arena, json, &doc, NULL));
    struct str version = json_get_str(doc, STR("Version"));
    const struct json *all = json_get(doc, STR("Statement"));
    assert(all); /* of policy_parse */
    if (all->kind == JSON_OBJECT)
        return add_statement(s, role, source, json, version, all);
    JSON_EACH (all, st)
        TRY(add_statement(s, role, source, json, version, st));
    return ERR_OK;
}

/* A statement that may have decided: Deny when it is denied, Allow when allowed. */
static bool decides(const struct simulate_statement *st, const struct policy_request *req,
                    enum policy_decision decision)
{
    enum policy_decision own = policy_match(st->alone, req);
    return own == decision && own != POLICY_IMPLICIT_DENY &&
           !(st->boundary && own == POLICY_ALLOW); /* a boundary allows nothing by itself */
}

enum err iam_simulate_decide(const struct simulate *s, struct policy_request *req,
                             struct simulate_result *ret)
{
    req->identity = s->identity;
    req->n_identity = s->n_identity;
    req->boundary = s->boundary;
    req->resource_policy = s->resource;
    struct simulate_result r = {.decision = policy_decide(req)};
    r.matched = ARENA_ARRAY(s->arena, const struct simulate_statement *, s->n_statements);
    if (!r.matched)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->n_statements; i++)
        if (decides(&s->statements[i], req, r.decision))
            r.matched[r.n_matched++] = &s->statements[i];
    r.within_boundary = s->boundary && policy_match(s->boundary, req) == POLICY_ALLOW;
    *ret = r;
    return ERR_OK;
}

/* --- keys ------------------------------------------------------------------------------------- */

enum { KEYS_MAX = 512 };

struct keys {
    const struct policy_context *ctx;
    struct str *v;
    size_t n;
};

static enum err take_key(void *arg, struct str key)
{
    struct keys *k = arg;
    size_t at = 0;
    if (k->ctx && policy_context_find(k->ctx, key))
        return ERR_OK;
    while (at < k->n && str_cmp(k->v[at], key) < 0)
        at++;
    for (size_t i = 0; i < k->n; i++)
        if (str_eq_nocase(k->v[i], key))
            return ERR_OK;
    if (k->n == KEYS_MAX)
        return ERR_LIMIT;
    for (size_t i = k->n++; i > at; i--)
        k->v[i] = k->v[i - 1];
    k->v[at] = key;
    return ERR_OK;
}

enum err iam_simulate_keys(const struct simulate *s, const struct policy_context *ctx,
                           const struct str **ret_keys, size_t *ret_n)
{
    struct keys k = {ctx, ARENA_ARRAY(s->arena, struct str, KEYS_MAX), 0};
    if (!k.v)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->n_statements; i++)
        TRY(policy_each_key(s->statements[i].alone, take_key, &k));
    *ret_keys = k.v;
    *ret_n = k.n;
    return ERR_OK;
}
