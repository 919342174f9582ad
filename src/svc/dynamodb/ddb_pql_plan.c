#include "svc/dynamodb/ddb_pql_plan.h"

#include <assert.h>

#include "svc/dynamodb/ddb_lex.h"

enum err ddb_pql_of(struct ddb_diag *diag, struct str text, const struct json *parameters,
                    struct ddb_pql *ret)
{
    const struct ddb_pql *known = ddb_memo_find(diag->memo, DDB_MEMO_STATEMENT, text.p);
    if (known) {
        *ret = *known;
        return ERR_OK;
    }
    TRY(ddb_pql_parse(diag, text, parameters, ret));
    return ddb_memo_keep_copy(diag->memo, diag->arena, DDB_MEMO_STATEMENT, text.p, ret,
                              sizeof(*ret));
}

/* The parts that must all hold. */
static struct ddb_node *const *parts_of(const struct ddb_node *const *where, size_t *ret_n)
{
    const struct ddb_node *node = *where;
    *ret_n = !node ? 0 : node->op == DDB_OP_AND ? node->n : 1;
    return node && node->op == DDB_OP_AND ? node->args : (struct ddb_node *const *)where;
}

static bool is_attribute(const struct ddb_node *node, struct str name)
{
    return node->op == DDB_OP_PATH && node->path->n == 1 && str_eq(node->path->steps[0].name, name);
}

/* The value that the part says the attribute equals. */
static const struct ddb_av *equals(const struct ddb_node *part, struct str name)
{
    if (part->op != DDB_OP_EQ)
        return NULL;
    for (size_t i = 0; i < 2; i++)
        if (is_attribute(part->args[i], name) && part->args[1 - i]->op == DDB_OP_VALUE)
            return part->args[1 - i]->value;
    return NULL;
}

/* Whether the part bounds the sort key as a key condition can. */
static bool bounds(const struct ddb_node *part, struct str name)
{
    bool op = part->op == DDB_OP_EQ || (part->op >= DDB_OP_LT && part->op <= DDB_OP_BETWEEN) ||
              part->op == DDB_FN_BEGINS_WITH;
    if (!op || !is_attribute(part->args[0], name))
        return false;
    for (size_t i = 1; i < part->n; i++)
        if (part->args[i]->op != DDB_OP_VALUE)
            return false;
    return true;
}

static enum err check_type(struct ddb_diag *diag, const struct ddb_av *v, enum ddb_type type)
{
    if (!v || v->type == type)
        return ERR_OK;
    return ddb_invalid(diag, "One or more parameter values were invalid: Condition parameter type "
                             "does not match schema type");
}

static enum err set_rest(struct ddb_diag *diag, struct ddb_node *const *parts, size_t n,
                         const struct ddb_node *hash, const struct ddb_node *range,
                         struct ddb_pql_plan *plan)
{
    struct ddb_node *all = ddb_node_new(diag->arena, DDB_OP_AND, n);
    size_t kept = 0;
    if (!all)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        if (parts[i] != hash && parts[i] != range)
            all->args[kept++] = parts[i];
    all->n = kept;
    plan->rest = kept == 0 ? NULL : kept == 1 ? all->args[0] : all;
    return ERR_OK;
}

enum err ddb_pql_plan_query(struct ddb_diag *diag, const struct ddb_key_schema *schema,
                            const struct ddb_node *where, struct ddb_pql_plan *ret)
{
    size_t n;
    struct ddb_node *const *parts = parts_of(&where, &n);
    const struct ddb_node *hash = NULL, *range = NULL;
    struct ddb_key_condition *cond = &ret->cond;
    *ret = (struct ddb_pql_plan){0};
    for (size_t i = 0; i < n && !hash; i++)
        if (equals(parts[i], schema->hash))
            hash = parts[i];
    for (size_t i = 0; i < n && hash && str_is_set(schema->range) && !range; i++)
        if (bounds(parts[i], schema->range))
            range = parts[i];
    if (hash)
        cond->hash = equals(hash, schema->hash);
    if (range) {
        cond->has_range = true;
        cond->op = range->op;
        cond->lo = range->args[1]->value;
        cond->hi = range->op == DDB_OP_BETWEEN ? range->args[2]->value : NULL;
    }
    TRY(check_type(diag, cond->hash, schema->hash_type));
    TRY(check_type(diag, cond->lo, schema->range_type));
    TRY(check_type(diag, cond->hi, schema->range_type));
    return set_rest(diag, parts, n, hash, range, ret);
}

enum err ddb_pql_plan_key(struct ddb_diag *diag, const struct ddb_key_schema *schema,
                          const struct ddb_node *where, struct ddb_pql_plan *ret)
{
    size_t n;
    struct ddb_node *const *parts = parts_of(&where, &n);
    const struct ddb_node *hash = NULL, *range = NULL;
    *ret = (struct ddb_pql_plan){0};
    for (size_t i = 0; i < n; i++) {
        if (!hash && equals(parts[i], schema->hash))
            hash = parts[i];
        else if (!range && str_is_set(schema->range) && equals(parts[i], schema->range))
            range = parts[i];
    }
    if (hash && (range || !str_is_set(schema->range))) {
        const struct ddb_key key = {.hash = equals(hash, schema->hash),
                                    .range = range ? equals(range, schema->range) : NULL};
        ret->key = ddb_key_item(diag->arena, schema, &key);
        if (!ret->key)
            return ERR_NOMEM;
    }
    return set_rest(diag, parts, n, hash, range, ret);
}

bool ddb_pql_is_keyed(const struct ddb_node *where, struct str hash)
{
    size_t n;
    struct ddb_node *const *parts = parts_of(&where, &n);
    for (size_t i = 0; i < n; i++)
        if (equals(parts[i], hash) ||
            (parts[i]->op == DDB_OP_IN && is_attribute(parts[i]->args[0], hash)))
            return true;
    return false;
}

enum err ddb_pql_must_exist(struct arena *a, const struct ddb_key_schema *schema,
                            struct ddb_node *rest, struct ddb_node **ret_node)
{
    struct ddb_node *there = ddb_node_new(a, DDB_FN_ATTRIBUTE_EXISTS, 1);
    struct ddb_node *name = ddb_node_new(a, DDB_OP_PATH, 0);
    struct ddb_node *both = ddb_node_new(a, DDB_OP_AND, 2);
    struct ddb_path *path = ARENA_NEW(a, struct ddb_path);
    struct ddb_step *step = ARENA_NEW(a, struct ddb_step);
    if (!there || !name || !both || !path || !step)
        return ERR_NOMEM;
    step->name = schema->hash;
    *path = (struct ddb_path){step, 1};
    name->path = path;
    there->args[0] = name;
    both->args[0] = there;
    both->args[1] = rest;
    *ret_node = rest ? both : there;
    return ERR_OK;
}

const struct ddb_av *ddb_pql_hash_of(const struct ddb_node *where, struct str hash)
{
    size_t n;
    struct ddb_node *const *parts = parts_of(&where, &n);
    for (size_t i = 0; i < n; i++) {
        const struct ddb_av *v = equals(parts[i], hash);
        if (v)
            return v;
    }
    return NULL;
}
