/* Stored records of the service, and those of them that are in memory.
 *
 * Layer: svc/events. Thread: the transaction's. */
#include <assert.h>

#include "svc/events/events_int.h"

enum { OBJECT_BYTES_MAX = 2 * 1024 * 1024 };

/* --- tables of fields --------------------------------------------------------------------------- */

static const struct record_field bus_fields[] = {
    REC_STR(struct events_bus_rec, description),
    REC_STR(struct events_bus_rec, policy),
    REC_INT(struct events_bus_rec, created_ms),
    REC_INT(struct events_bus_rec, modified_ms),
};
static const struct record_type bus_type = RECORD_TYPE(struct events_bus_rec, 1, bus_fields);

static const struct record_field path_fields[] = {
    REC_STR(struct events_path, key),
    REC_STR(struct events_path, path),
};
static const struct record_type path_type = RECORD_TYPE(struct events_path, 1, path_fields);

static const struct record_field target_fields[] = {
    REC_STR(struct events_target_rec, id),
    REC_STR(struct events_target_rec, arn),
    REC_STR(struct events_target_rec, role),
    REC_STR(struct events_target_rec, input),
    REC_STR(struct events_target_rec, input_path),
    REC_STR(struct events_target_rec, template),
    REC_LIST(struct events_target_rec, paths, n_paths, EVENTS_PATHS_MAX, &path_type),
    REC_STR(struct events_target_rec, group_id),
    REC_STR(struct events_target_rec, dead_letter),
    REC_INT(struct events_target_rec, retries),
    REC_INT(struct events_target_rec, age_max_s),
    REC_SINCE(2, REC_STRUCT(struct events_target_rec, http, &target_http_type)),
};
static const struct record_type target_type =
    RECORD_TYPE(struct events_target_rec, 1, target_fields);

static const struct record_field rule_fields[] = {
    REC_STR(struct events_rule_rec, pattern),
    REC_STR(struct events_rule_rec, schedule),
    REC_STR(struct events_rule_rec, description),
    REC_STR(struct events_rule_rec, role),
    REC_STR(struct events_rule_rec, created_by),
    REC_BOOL(struct events_rule_rec, disabled),
    REC_INT(struct events_rule_rec, start_ms),
    REC_ARRAY(struct events_rule_rec, targets, n_targets, &target_type),
};
static const struct record_type rule_type = RECORD_TYPE(struct events_rule_rec, 2, rule_fields);

static const struct record_field archive_fields[] = {
    REC_UINT(struct events_archive_rec, id),
    REC_STR(struct events_archive_rec, bus),
    REC_STR(struct events_archive_rec, description),
    REC_STR(struct events_archive_rec, pattern),
    REC_INT(struct events_archive_rec, retention_days),
    REC_INT(struct events_archive_rec, created_ms),
};
static const struct record_type archive_type =
    RECORD_TYPE(struct events_archive_rec, 1, archive_fields);

static const struct record_field replay_fields[] = {
    REC_STR(struct events_replay_rec, description),
    REC_STR(struct events_replay_rec, archive),
    REC_STR(struct events_replay_rec, bus),
    REC_UINT(struct events_replay_rec, archive_id),
    REC_LIST(struct events_replay_rec, filters, n_filters, EVENTS_FILTERS_MAX, &record_str),
    REC_INT(struct events_replay_rec, from_ms),
    REC_INT(struct events_replay_rec, to_ms),
    REC_INT(struct events_replay_rec, last_ms),
    REC_INT(struct events_replay_rec, started_ms),
    REC_INT(struct events_replay_rec, ended_ms),
    REC_ENUM(struct events_replay_rec, state, EVENTS_REPLAY_STATES),
};
const struct record_type events_replay_type =
    RECORD_TYPE(struct events_replay_rec, 1, replay_fields);

static const struct record_field count_fields[] = {
    REC_INT(struct events_count_rec, events),
    REC_INT(struct events_count_rec, bytes),
};
const struct record_type events_count_type = RECORD_TYPE(struct events_count_rec, 1, count_fields);

/* --- in memory ---------------------------------------------------------------------------------- */

/* Patterns were checked when they were stored: one that does not parse now is damaged. */
static enum err parse(struct arena *a, struct str text, struct pattern **ret)
{
    struct str message;
    if (!str_is_set(text))
        return ERR_OK;
    enum err err = pattern_parse(a, text, PATTERN_EVENTS, ret, &message);
    return err == ERR_INVALID ? ERR_CORRUPT : err;
}

static enum err decode_bus(void *self, struct catalogue_object *object, struct str record)
{
    struct events_bus_rec *b = CONTAINER_OF(object, struct events_bus_rec, object);
    TRY(key_read(&events_k_bus, object->key, &object->arena, &b->scope, &b->name));
    return record_unpack_copy(&bus_type, &object->arena, record, b);
}

static enum err decode_rule(void *self, struct catalogue_object *object, struct str record)
{
    struct events_rule_rec *r = CONTAINER_OF(object, struct events_rule_rec, object);
    struct arena *a = &object->arena;
    TRY(key_read(&events_k_rule, object->key, a, &r->scope, &r->bus, &r->name));
    TRY(record_unpack_copy(&rule_type, a, record, r));
    return parse(a, r->pattern, &r->parsed);
}

static enum err decode_archive(void *self, struct catalogue_object *object, struct str record)
{
    struct events_archive_rec *r = CONTAINER_OF(object, struct events_archive_rec, object);
    struct arena *a = &object->arena;
    TRY(key_read(&events_k_archive, object->key, a, &r->scope, &r->name));
    TRY(record_unpack_copy(&archive_type, a, record, r));
    return parse(a, r->pattern, &r->parsed);
}

static void rule_changed(void *self, struct catalogue_object *old, struct catalogue_object *now)
{
    struct catalogue_object *any = now ? now : old;
    const struct events_rule_rec *r =
        any ? CONTAINER_OF(any, struct events_rule_rec, object) : NULL;
    if (r)
        events_index_stale(self, r->scope, r->bus);
}

static void archive_changed(void *self, struct catalogue_object *old, struct catalogue_object *now)
{
    struct catalogue_object *any = now ? now : old;
    const struct events_archive_rec *r =
        any ? CONTAINER_OF(any, struct events_archive_rec, object) : NULL;
    if (r)
        events_index_stale(self, r->scope, r->bus);
}

static const struct catalogue_type buses_type = {
    .name = "events: bus",
    .size = sizeof(struct events_bus_rec),
    .arena_max = OBJECT_BYTES_MAX,
    .decode = decode_bus,
};
static const struct catalogue_type rules_type = {
    .name = "events: rule",
    .size = sizeof(struct events_rule_rec),
    .arena_max = OBJECT_BYTES_MAX,
    .decode = decode_rule,
    .changed = rule_changed,
};
static const struct catalogue_type archives_type = {
    .name = "events: archive",
    .size = sizeof(struct events_archive_rec),
    .arena_max = OBJECT_BYTES_MAX,
    .decode = decode_archive,
    .changed = archive_changed,
};

enum err events_records_init(struct events *ev)
{
    TRY(catalogue_new(ev->core, &buses_type, ev, &ev->buses));
    TRY(catalogue_new(ev->core, &rules_type, ev, &ev->rules));
    return catalogue_new(ev->core, &archives_type, ev, &ev->archives);
}

enum err events_records_load(struct events *ev, struct txn *txn)
{
    struct arena *a = txn->arena;
    TRY(catalogue_load(ev->buses, txn, key_range_table(a, &events_k_bus).from));
    TRY(catalogue_load(ev->rules, txn, key_range_table(a, &events_k_rule).from));
    return catalogue_load(ev->archives, txn, key_range_table(a, &events_k_archive).from);
}

void events_records_release(struct events *ev)
{
    catalogue_free(ev->archives);
    catalogue_free(ev->rules);
    catalogue_free(ev->buses);
}

/* --- reading and writing ------------------------------------------------------------------------ */

enum err events_bus_read(struct events *ev, struct txn *txn, struct key_scope scope,
                         struct str name, struct events_bus_rec **ret)
{
    void *object;
    struct str key = key_make(txn->arena, &events_k_bus, scope, name);
    enum err err = catalogue_read(ev->buses, txn, key, &object);
    if (err == ERR_NOT_FOUND && str_eq_c(name, EVENTS_DEFAULT)) {
        struct events_bus_rec *b = ARENA_NEW(txn->arena, struct events_bus_rec);
        if (!b)
            return ERR_NOMEM;
        b->scope = scope;
        b->name = STR(EVENTS_DEFAULT);
        *ret = b;
        return ERR_OK;
    }
    TRY(err);
    *ret = object;
    return ERR_OK;
}

enum err events_bus_put(struct events *ev, struct txn *txn, const struct events_bus_rec *b)
{
    struct str record;
    assert(str_is_set(b->name));
    TRY(record_make(&bus_type, txn->arena, b, &record));
    return catalogue_put(ev->buses, txn, key_make(txn->arena, &events_k_bus, b->scope, b->name),
                         record);
}

struct str events_rule_key(struct arena *a, const struct events_rule_rec *r)
{
    return key_make(a, &events_k_rule, r->scope, r->bus, r->name);
}

enum err events_rule_read(struct events *ev, struct txn *txn, struct key_scope scope,
                          struct str bus, struct str name, struct events_rule_rec **ret)
{
    void *object;
    TRY(catalogue_read(ev->rules, txn, key_make(txn->arena, &events_k_rule, scope, bus, name),
                       &object));
    *ret = object;
    return ERR_OK;
}

enum err events_rule_put(struct events *ev, struct txn *txn, const struct events_rule_rec *r)
{
    struct str record;
    assert(str_is_set(r->name) && str_is_set(r->bus) && r->n_targets <= EVENTS_TARGETS_MAX);
    TRY(record_make(&rule_type, txn->arena, r, &record));
    return catalogue_put(ev->rules, txn, events_rule_key(txn->arena, r), record);
}

enum err events_archive_put(struct events *ev, struct txn *txn, const struct events_archive_rec *r)
{
    struct str record;
    assert(r->id && str_is_set(r->name) && str_is_set(r->bus));
    TRY(record_make(&archive_type, txn->arena, r, &record));
    return catalogue_put(ev->archives, txn,
                         key_make(txn->arena, &events_k_archive, r->scope, r->name), record);
}
