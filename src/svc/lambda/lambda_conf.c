/* Functions in memory: the newest durable configuration of each, shared with whoever runs it.
 *
 * Changes arrive from on_durable hooks of any loop, so not in the order of their commits; the
 * generation decides, and a deleted function leaves its generation behind so that an older change
 * that comes later does not bring it back. Those remains are a few words each and end with the
 * process.
 *
 * Layer: svc. Thread: any; lambda.lock guards the map, counts are atomic. */
#include "base/mem.h"
#include "svc/lambda/lambda_int.h"

enum { CONF_ARENA_MAX = 1024 * 1024 };

struct conf_slot {
    uint64_t generation;
    struct fn_conf *conf; /* NULL: deleted */
};

struct fn_conf *conf_ref(struct fn_conf *conf)
{
    atomic_fetch_add(&conf->refs, 1);
    return conf;
}

void conf_unref(struct fn_conf *conf)
{
    if (!conf || atomic_fetch_sub(&conf->refs, 1) != 1)
        return;
    code_unref(conf->code);
    arena_release(&conf->arena);
    mem_free(conf);
}

/* Key text on the stack: names are short, and a lookup must not allocate. */
struct name_key {
    char bytes[512];
    size_t len;
};

static struct str key_of(struct name_key *k, const struct fn_name *name)
{
    const struct str parts[] = {name->account, name->region, name->name};
    k->len = 0;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (k->len + parts[i].len + 1 > sizeof(k->bytes))
            return STR_NONE;
        memcpy(k->bytes + k->len, parts[i].p, parts[i].len);
        k->len += parts[i].len;
        k->bytes[k->len++] = '/';
    }
    return str_n(k->bytes, k->len);
}

struct fn_conf *conf_find(struct lambda *l, const struct fn_name *name)
{
    struct name_key k;
    struct fn_conf *conf = NULL;
    struct str key = key_of(&k, name);

    if (!str_is_set(key))
        return NULL;
    pthread_mutex_lock(&l->lock);
    struct conf_slot *slot = map_get(&l->confs, key);
    if (slot && slot->conf)
        conf = conf_ref(slot->conf);
    pthread_mutex_unlock(&l->lock);
    return conf;
}

static struct fn_conf *conf_new(struct lambda *l, struct str record)
{
    struct fn_conf *conf = mem_calloc(1, sizeof(*conf));
    if (!conf)
        return NULL;
    atomic_init(&conf->refs, 1);
    arena_init(&conf->arena, CONF_ARENA_MAX);
    if (fn_rec_unpack(&conf->arena, record, &conf->rec) == ERR_OK) {
        struct fn_name name = fn_rec_name(&conf->rec);
        conf->arn = fn_arn(&conf->arena, l->core->cfg.partition, &name, STR_NONE);
        if (str_is_set(conf->arn))
            return conf;
    }
    conf_unref(conf);
    return NULL;
}

/* Slot of a name, made when absent. NULL on exhaustion. Lock held. */
static struct conf_slot *slot_get(struct lambda *l, struct str key)
{
    struct conf_slot *slot = map_get(&l->confs, key);
    if (slot)
        return slot;
    slot = mem_calloc(1, sizeof(*slot));
    if (slot && map_put(&l->confs, key, slot, NULL) != ERR_OK) {
        mem_free(slot);
        slot = NULL;
    }
    return slot;
}

enum err conf_take(struct lambda *l, struct str record)
{
    struct name_key k;
    struct fn_conf *conf = conf_new(l, record);
    if (!conf)
        return ERR_NOMEM;
    struct fn_name name = fn_rec_name(&conf->rec);
    struct fn_conf *old = NULL;
    enum err err = ERR_OK;

    pthread_mutex_lock(&l->lock);
    struct conf_slot *slot = slot_get(l, key_of(&k, &name));
    if (!slot) {
        err = ERR_NOMEM;
    } else if (conf->rec.generation > slot->generation) {
        if (slot->conf && str_eq_c(conf->rec.code_id, slot->conf->code->id))
            conf->code = code_ref(slot->conf->code);
        else
            conf->code = code_new(l, conf->rec.code_id);
        if (conf->code) {
            old = slot->conf;
            slot->conf = conf;
            slot->generation = conf->rec.generation;
            conf = NULL;
        } else {
            err = ERR_NOMEM;
        }
        if (old && old->code != slot->conf->code)
            atomic_store(&old->code->retired, true);
    }
    pthread_mutex_unlock(&l->lock);
    conf_unref(old);
    conf_unref(conf);
    return err;
}

void conf_deleted(struct lambda *l, const struct fn_name *name, uint64_t generation)
{
    struct name_key k;
    struct fn_conf *old = NULL;

    pthread_mutex_lock(&l->lock);
    struct conf_slot *slot = slot_get(l, key_of(&k, name));
    if (slot && generation > slot->generation) {
        old = slot->conf;
        slot->conf = NULL;
        slot->generation = generation;
        if (old)
            atomic_store(&old->code->retired, true);
    }
    pthread_mutex_unlock(&l->lock);
    conf_unref(old);
}

struct conf_sums conf_sum(struct lambda *l, struct str account, struct str region,
                          struct str except)
{
    struct conf_sums sums = {0};
    size_t it = 0;
    struct str key;
    void *value;

    pthread_mutex_lock(&l->lock);
    while (map_next(&l->confs, &it, &key, &value)) {
        const struct fn_conf *conf = ((struct conf_slot *)value)->conf;
        if (!conf || (str_is_set(account) &&
                      (!str_eq(conf->rec.account, account) || !str_eq(conf->rec.region, region))))
            continue;
        sums.functions++;
        sums.code_size += conf->rec.code_size;
        if (conf->rec.reserved >= 0 && !str_eq(conf->rec.name, except))
            sums.reserved += conf->rec.reserved;
    }
    pthread_mutex_unlock(&l->lock);
    return sums;
}

void conf_release_all(struct lambda *l)
{
    size_t it = 0;
    struct str key;
    void *value;

    while (map_next(&l->confs, &it, &key, &value)) {
        struct conf_slot *slot = value;
        conf_unref(slot->conf);
        mem_free(slot);
    }
    map_release(&l->confs);
}
