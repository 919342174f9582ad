/* Stages as requests meet them: their records, mirrored in memory.
 * Layer: svc/apigateway. Thread: any. */
#include "base/record.h"
#include "svc/apigateway/apigateway_int.h"

enum { OBJECT_BYTES_MAX = 2 * APIGATEWAY_DOCUMENT_BYTES_MAX };

static const struct record_field stage_fields[] = {
    REC_STR(struct apigateway_stage_rec, account),
    REC_STR(struct apigateway_stage_rec, region),
    REC_STR(struct apigateway_stage_rec, deployment_id),
    REC_STR(struct apigateway_stage_rec, json),
    REC_UINT(struct apigateway_stage_rec, cache_flushes),
    REC_UINT(struct apigateway_stage_rec, authorizer_flushes),
};
static const struct record_type stage_type =
    RECORD_TYPE(struct apigateway_stage_rec, 1, stage_fields);

static enum err decode(void *self, struct catalogue_object *object, struct str record)
{
    struct apigateway_stage_rec *s = CONTAINER_OF(object, struct apigateway_stage_rec, object);
    return record_unpack_copy(&stage_type, &object->arena, record, s);
}

static const struct catalogue_type type = {
    .name = "apigateway: stage",
    .size = sizeof(struct apigateway_stage_rec),
    .arena_max = OBJECT_BYTES_MAX,
    .decode = decode,
};

enum err apigateway_stages_init(struct apigateway *gw)
{
    return catalogue_new(gw->core, &type, gw, &gw->stages);
}

enum err apigateway_stages_load(struct txn *txn, void *arg)
{
    struct apigateway *gw = arg;
    struct key_range all = key_range_table(txn->arena, &apigateway_k_stage);
    return str_is_set(all.from) ? catalogue_load(gw->stages, txn, all.from) : ERR_NOMEM;
}

enum err apigateway_stage_find(struct apigateway *gw, struct txn *txn, struct str api_id,
                               struct str stage, struct apigateway_stage_now *ret)
{
    void *object;
    struct str key = key_make(txn->arena, &apigateway_k_stage, api_id, stage);
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(catalogue_get(gw->stages, txn, key, &object));
    const struct apigateway_stage_rec *s = object;
    *ret = (struct apigateway_stage_now){
        .scope = {s->account, s->region},
        .deployment_id = s->deployment_id,
        .json = s->json,
        .version = s->object.seq,
        .cache_flushes = s->cache_flushes,
        .authorizer_flushes = s->authorizer_flushes,
    };
    return ERR_OK;
}

enum err apigateway_snapshot_read(struct txn *txn, struct str api_id, struct str deployment_id,
                                  struct str *ret_json)
{
    return txn_get(txn, key_make(txn->arena, &apigateway_k_snapshot, api_id, deployment_id),
                   ret_json);
}
