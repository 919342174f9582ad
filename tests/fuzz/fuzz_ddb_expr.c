// link: weir_svc_dynamodb
/* DynamoDB expressions: the first byte chooses the kind, the rest is the text. Whatever parses is
 * also evaluated, on a fixed item and on none. */
#include <stdint.h>

#include "svc/dynamodb/ddb_expr.h"
#include "svc/dynamodb/dynamodb_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char ITEM[] =
    "{\"id\":{\"S\":\"1\"},\"n\":{\"N\":\"5\"},\"l\":{\"L\":[{\"N\":\"1\"},{\"M\":"
    "{\"k\":{\"S\":\"v\"}}}]},\"m\":{\"M\":{\"k\":{\"N\":\"2\"}}},\"ss\":{\"SS\":"
    "[\"a\",\"b\"]}}";
static const char VALUES[] =
    "{\":n\":{\"N\":\"1\"},\":s\":{\"S\":\"x\"},\":l\":{\"L\":[]},\":ss\":{"
    "\"SS\":[\"a\",\"c\"]},\":m\":{\"M\":{}},\":t\":{\"S\":\"SS\"}}";

static void condition(struct ddb_env *env, struct str text, const struct ddb_av *item)
{
    static struct ddb_key_part more[] = {{STR_INIT("t"), DDB_S}, {STR_INIT("a"), DDB_S}};
    static const struct ddb_key_schema schemas[] = {
        {.hash = STR_INIT("id"), .range = STR_INIT("n")},
        {.hash = STR_INIT("id"), .range = STR_INIT("n"), .more = more, .n_more = 2, .more_hash = 1},
    };
    struct ddb_node *node;
    struct ddb_key_condition cond;
    struct ddb_source src = {env->diag->arena, item, STR_NONE},
                      none = {env->diag->arena, NULL, STR_NONE};
    bool holds;
    if (ddb_parse_condition(env, "ConditionExpression", text, &node) != ERR_OK)
        return;
    if (ddb_eval_condition(env->diag, node, &src, &holds) != ERR_OK ||
        ddb_eval_condition(env->diag, node, &none, &holds) != ERR_OK)
        return;
    for (size_t i = 0; i < ARRAY_LEN(schemas); i++)
        (void)!ddb_key_condition_from(env->diag, node, &schemas[i], &cond);
}

static void update(struct ddb_env *env, struct str text, const struct ddb_av *item)
{
    struct ddb_update u;
    struct buf b;
    if (ddb_parse_update(env, text, &u) != ERR_OK)
        return;
    struct ddb_av *copy = ddb_av_copy(env->diag->arena, item);
    if (!copy || ddb_update_apply(env->diag, &u, item, copy) != ERR_OK)
        return;
    buf_init_arena(&b, env->diag->arena, 1 << 20);
    ddb_item_put_json(&b, copy);
}

static void projection(struct ddb_env *env, struct str text, const struct ddb_av *item)
{
    struct ddb_paths paths;
    struct ddb_av *part;
    if (ddb_parse_projection(env, text, &paths) != ERR_OK ||
        ddb_project(env->diag->arena, &paths, item, &part) != ERR_OK)
        return;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct json *item_json, *values;
    struct ddb_av *item;
    if (size == 0)
        return 0;
    arena_init(&a, 64 * 1024 * 1024);
    struct ddb_diag diag = {.arena = &a};
    struct ddb_env env = {.diag = &diag};
    struct str text = str_n((const char *)data + 1, size - 1);
    if (json_parse(&a, str_c(ITEM), &item_json, NULL) == ERR_OK &&
        json_parse(&a, str_c(VALUES), &values, NULL) == ERR_OK &&
        ddb_item_from_json(&diag, item_json, &item) == ERR_OK &&
        ddb_env_set_values(&env, values) == ERR_OK) {
        if (data[0] % 3 == 0)
            condition(&env, text, item);
        else if (data[0] % 3 == 1)
            update(&env, text, item);
        else
            projection(&env, text, item);
    }
    arena_release(&a);
    return 0;
}
