// link: weir_svc_dynamodb
/* PartiQL statements. What parses is also planned and evaluated, on a fixed item and on none. */
#include <stdint.h>

#include "svc/dynamodb/ddb_pql_plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char ITEM[] =
    "{\"id\":{\"S\":\"1\"},\"n\":{\"N\":\"5\"},\"l\":{\"L\":[{\"N\":\"1\"},{\"M\":"
    "{\"k\":{\"S\":\"v\"}}}]},\"m\":{\"M\":{\"k\":{\"N\":\"2\"}}},\"ss\":{\"SS\":"
    "[\"a\",\"b\"]}}";
static const char PARAMETERS[] = "[{\"S\":\"1\"},{\"N\":\"2\"},{\"SS\":[\"a\"]},{\"L\":[]}]";

static const struct ddb_key_schema SCHEMA = {
    .hash = STR_INIT("id"), .range = STR_INIT("n"), .hash_type = DDB_S, .range_type = DDB_N};

static void run(struct ddb_diag *diag, const struct ddb_pql *s, const struct ddb_av *item)
{
    struct ddb_source src = {diag->arena, item, STR_NONE}, none = {diag->arena, NULL, STR_NONE};
    struct ddb_pql_plan plan;
    struct ddb_av *part, *copy;
    bool holds;
    if (s->where && (ddb_eval_condition(diag, s->where, &src, &holds) != ERR_OK ||
                     ddb_eval_condition(diag, s->where, &none, &holds) != ERR_OK))
        return;
    if (ddb_pql_plan_query(diag, &SCHEMA, s->where, &plan) != ERR_OK ||
        ddb_pql_plan_key(diag, &SCHEMA, s->where, &plan) != ERR_OK)
        return;
    if (s->paths.n && ddb_project(diag->arena, &s->paths, item, &part) != ERR_OK)
        return;
    copy = s->update.n ? ddb_av_copy(diag->arena, item) : NULL;
    if (copy && ddb_update_apply(diag, &s->update, item, copy) != ERR_OK)
        return;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct json *item_json, *parameters;
    struct ddb_av *item;
    struct ddb_pql s;
    struct str text = str_n((const char *)data, size);
    if (size == 0 || size > 8192) /* the spec's limit */
        return 0;
    arena_init(&a, 64 * 1024 * 1024);
    struct ddb_diag diag = {.arena = &a};
    if (json_parse(&a, str_c(ITEM), &item_json, NULL) == ERR_OK &&
        json_parse(&a, str_c(PARAMETERS), &parameters, NULL) == ERR_OK &&
        ddb_item_from_json(&diag, item_json, &item) == ERR_OK) {
        for (; parameters->n > 0; parameters->n--) {
            if (ddb_pql_parse(&diag, text, parameters, &s) == ERR_OK)
                run(&diag, &s, item);
            parameters->child = parameters->child->next; /* one fewer */
        }
        if (ddb_pql_parse(&diag, text, NULL, &s) == ERR_OK)
            run(&diag, &s, item);
    }
    arena_release(&a);
    return 0;
}
