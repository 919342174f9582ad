/* Records, names, and what operations share.
 *
 * Layer: svc/scheduler. Thread: the transaction's. */
#include <assert.h>

#include "codec/hash.h"
#include "svc/scheduler/scheduler_int.h"

static const struct record_field group_fields[] = {
    REC_INT(struct scheduler_group, created_ms),
    REC_INT(struct scheduler_group, modified_ms),
    REC_BOOL(struct scheduler_group, deleting),
};
static const struct record_type group_type = RECORD_TYPE(struct scheduler_group, 1, group_fields);

static const struct record_field target_fields[] = {
    REC_STR(struct scheduler_target_rec, arn),
    REC_STR(struct scheduler_target_rec, role),
    REC_STR(struct scheduler_target_rec, input),
    REC_STR(struct scheduler_target_rec, dead_letter),
    REC_STR(struct scheduler_target_rec, group_id),
    REC_STR(struct scheduler_target_rec, source),
    REC_STR(struct scheduler_target_rec, detail_type),
    REC_INT(struct scheduler_target_rec, retries),
    REC_INT(struct scheduler_target_rec, age_max_s),
};
static const struct record_type target_type =
    RECORD_TYPE(struct scheduler_target_rec, 1, target_fields);

static const struct record_field schedule_fields[] = {
    REC_STR(struct scheduler_schedule, description),
    REC_STR(struct scheduler_schedule, expression),
    REC_STR(struct scheduler_schedule, zone),
    REC_INT(struct scheduler_schedule, start_ms),
    REC_INT(struct scheduler_schedule, end_ms),
    REC_INT(struct scheduler_schedule, window_min),
    REC_BOOL(struct scheduler_schedule, disabled),
    REC_BOOL(struct scheduler_schedule, delete_after),
    REC_INT(struct scheduler_schedule, created_ms),
    REC_INT(struct scheduler_schedule, modified_ms),
    REC_INT(struct scheduler_schedule, base_ms),
    REC_STRUCT(struct scheduler_schedule, target, &target_type),
};
static const struct record_type schedule_type =
    RECORD_TYPE(struct scheduler_schedule, 1, schedule_fields);

/* --- groups ------------------------------------------------------------------------------------- */

enum err scheduler_group_parse(struct arena *a, struct str record, struct scheduler_group *ret)
{
    return record_unpack(&group_type, a, record, ret);
}

enum err scheduler_group_read(struct txn *txn, struct key_scope scope, struct str name,
                              struct scheduler_group *ret)
{
    struct str record;
    *ret = (struct scheduler_group){0};
    if (str_eq_c(name, SCHEDULER_DEFAULT))
        return ERR_OK;
    TRY(txn_get(txn, key_make(txn->arena, &scheduler_k_group, scope, name), &record));
    return scheduler_group_parse(txn->arena, record, ret);
}

enum err scheduler_group_write(struct txn *txn, struct key_scope scope, struct str name,
                               const struct scheduler_group *g)
{
    struct str record;
    assert(!str_eq_c(name, SCHEDULER_DEFAULT));
    TRY(record_make(&group_type, txn->arena, g, &record));
    return txn_put(txn, key_make(txn->arena, &scheduler_k_group, scope, name), record);
}

/* --- schedules ---------------------------------------------------------------------------------- */

struct str scheduler_key(struct arena *a, const struct scheduler_name *n)
{
    return key_make(a, &scheduler_k_schedule, n->scope, n->group, n->name);
}

enum err scheduler_parse(struct arena *a, struct str record, struct scheduler_schedule *ret)
{
    return record_unpack_copy(&schedule_type, a, record, ret);
}

enum err scheduler_read(struct txn *txn, struct str key, struct scheduler_schedule *ret)
{
    struct str record;
    *ret = (struct scheduler_schedule){0};
    TRY(txn_get(txn, key, &record));
    return record_unpack(&schedule_type, txn->arena, record, ret);
}

enum err scheduler_write(struct txn *txn, struct str key, const struct scheduler_schedule *s)
{
    struct str record;
    assert(str_is_set(s->expression) && str_is_set(s->target.arn));
    TRY(record_make(&schedule_type, txn->arena, s, &record));
    return txn_put(txn, key, record);
}

/* --- names -------------------------------------------------------------------------------------- */

static struct arn arn_of(const struct core *core, struct key_scope scope)
{
    return (struct arn){.partition = core->cfg.partition,
                        .service = STR("scheduler"),
                        .region = scope.region,
                        .account = scope.account};
}

struct str scheduler_arn(struct arena *a, const struct core *core, const struct scheduler_name *n)
{
    struct arn arn = arn_of(core, n->scope);
    return arn_make(a, &arn, "schedule/" STR_FMT "/" STR_FMT, STR_ARG(n->group), STR_ARG(n->name));
}

struct str scheduler_group_arn(struct arena *a, const struct core *core, struct key_scope scope,
                               struct str name)
{
    struct arn arn = arn_of(core, scope);
    return arn_make(a, &arn, "schedule-group/" STR_FMT, STR_ARG(name));
}

/* --- for operations ----------------------------------------------------------------------------- */

enum err scheduler_need_group(struct call *call, struct str name, struct scheduler_group *ret)
{
    enum err err = scheduler_group_read(call->txn, call_scope(call), name, ret);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &scheduler_err_resource_not_found_exception,
                          "Schedule group " STR_FMT " does not exist.", STR_ARG(name));
    return err;
}

enum err scheduler_paged(struct call *call, enum err err)
{
    return err == ERR_INVALID ? SCHEDULER_INVALID(call, "Invalid NextToken.") : err;
}

/* What a request says, apart from its signature. */
static enum err digest(struct call *call, struct str *ret)
{
    char hex[2 * 32 + 1];
    struct str said = str_fmt(call->arena, STR_FMT "\n" STR_FMT "\n" STR_FMT "\n" STR_FMT,
                              STR_ARG(call->op->name), STR_ARG(call->request->path),
                              STR_ARG(call->request->query), STR_ARG(call->request->body));
    if (!str_is_set(said))
        return ERR_NOMEM;
    hash_sha256_hex(said.p, said.len, hex);
    *ret = str_dup(call->arena, str_n(hex, 2 * 32));
    return str_is_set(*ret) ? ERR_OK : ERR_NOMEM;
}

enum err scheduler_once(struct call *call, struct str token, bool *ret_again)
{
    struct due_kind *tokens = scheduler_of(call)->tokens;
    struct str now, before;
    int64_t when;
    *ret_again = false;
    if (!str_is_set(token))
        return ERR_OK;
    struct str key = key_make(call->arena, &scheduler_k_token, call_scope(call), token);
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(digest(call, &now));
    enum err err = due_get(call->txn, tokens, key, &when, &before);
    if (err == ERR_NOT_FOUND)
        return due_set(call->txn, tokens, key, call->txn->now_ms + SCHEDULER_TOKEN_MS, now);
    TRY(err);
    *ret_again = str_eq(now, before);
    if (*ret_again)
        return ERR_OK;
    return call_error(call, &scheduler_err_conflict_exception,
                      "The client token was used for another request already.");
}
