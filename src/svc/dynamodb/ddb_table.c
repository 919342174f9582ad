#include "svc/dynamodb/ddb_table.h"

#include "base/mem.h"
#include "base/pack.h"

enum {
    TABLE_VERSION = 1,
    TABLE_RECORD_MAX = 4 * 1024 * 1024,
    COUNT_MAX = 10000, /* of any list in a record */
};

enum table_flags { ON_DEMAND = 1, BILLING_TOLD = 2, PROTECT = 4 };
enum index_flags { GLOBAL = 1, BACKFILLING = 2 };

enum err ddb_figures_new(struct ddb_figures **ret_figures)
{
    struct ddb_figures *f = mem_calloc(1, sizeof(*f));
    if (!f)
        return ERR_NOMEM;
    if (pthread_mutex_init(&f->lock, NULL) != 0) {
        mem_free(f);
        return ERR_NOMEM;
    }
    atomic_init(&f->refs, 1);
    *ret_figures = f;
    return ERR_OK;
}

struct ddb_figures *ddb_figures_ref(struct ddb_figures *f)
{
    atomic_fetch_add(&f->refs, 1);
    return f;
}

void ddb_figures_unref(struct ddb_figures *f)
{
    if (!f || atomic_fetch_sub(&f->refs, 1) > 1)
        return;
    pthread_mutex_destroy(&f->lock);
    mem_free(f);
}

const struct ddb_index *ddb_table_index(const struct ddb_table *table, struct str name)
{
    for (size_t i = 0; i < table->n_indexes; i++)
        if (str_eq(table->indexes[i].name, name))
            return &table->indexes[i];
    return NULL;
}

static void pack_schema(struct buf *b, const struct ddb_key_schema *k)
{
    pack_str(b, k->hash);
    pack_u8(b, (uint8_t)k->hash_type);
    pack_str(b, k->range);
    pack_u8(b, (uint8_t)k->range_type);
}

static void pack_index(struct buf *b, const struct ddb_index *ix)
{
    pack_uint(b, ix->id);
    pack_u8(b, (uint8_t)((ix->global ? GLOBAL : 0) | (ix->backfilling ? BACKFILLING : 0)));
    pack_str(b, ix->name);
    pack_schema(b, &ix->key);
    pack_u8(b, (uint8_t)ix->projection);
    pack_uint(b, ix->n_include);
    for (size_t i = 0; i < ix->n_include; i++)
        pack_str(b, ix->include[i]);
    pack_int(b, ix->throughput.read);
    pack_int(b, ix->throughput.write);
}

enum err ddb_table_encode(struct arena *a, const struct ddb_table *t, struct str *ret_record)
{
    struct buf b;
    buf_init_arena(&b, a, TABLE_RECORD_MAX);
    pack_u8(&b, TABLE_VERSION);
    pack_uint(&b, t->id);
    pack_uint(&b, t->generation);
    pack_str(&b, t->arn);
    pack_str(&b, t->uuid);
    pack_int(&b, t->created_ms);
    pack_u8(&b, (uint8_t)((t->on_demand ? ON_DEMAND : 0) | (t->billing_told ? BILLING_TOLD : 0) |
                          (t->protect ? PROTECT : 0)));
    pack_int(&b, t->on_demand_since_ms);
    pack_int(&b, t->throughput.read);
    pack_int(&b, t->throughput.write);
    pack_str(&b, t->table_class);
    pack_uint(&b, t->n_defs);
    for (size_t i = 0; i < t->n_defs; i++) {
        pack_str(&b, t->defs[i].name);
        pack_u8(&b, (uint8_t)t->defs[i].type);
    }
    pack_schema(&b, &t->key);
    pack_uint(&b, t->last_index_id);
    pack_uint(&b, t->n_indexes);
    for (size_t i = 0; i < t->n_indexes; i++)
        pack_index(&b, &t->indexes[i]);
    if (buf_err(&b))
        return buf_err(&b);
    *ret_record = buf_str(&b);
    return ERR_OK;
}

static struct str take_str(struct unpack *u, struct arena *a)
{
    struct str s = unpack_str(u);
    if (!str_is_set(s))
        return s;
    struct str copy = str_dup(a, s);
    if (!str_is_set(copy))
        u->bad = true;
    return copy;
}

/* Count of a list and room for it; NULL with u->bad on nonsense or exhaustion. */
static void *take_list(struct unpack *u, struct arena *a, size_t size, size_t *ret_n)
{
    uint64_t n = unpack_uint(u);
    *ret_n = 0;
    if (n > COUNT_MAX)
        u->bad = true;
    if (u->bad)
        return NULL;
    void *v = arena_calloc(a, (size_t)n, size);
    if (!v)
        u->bad = true;
    else
        *ret_n = (size_t)n;
    return v;
}

static struct ddb_key_schema take_schema(struct unpack *u, struct arena *a)
{
    struct ddb_key_schema k;
    k.hash = take_str(u, a);
    k.hash_type = (enum ddb_type)unpack_u8(u);
    k.range = take_str(u, a);
    k.range_type = (enum ddb_type)unpack_u8(u);
    return k;
}

static void take_index(struct unpack *u, struct arena *a, struct ddb_index *ix)
{
    ix->id = (uint16_t)unpack_uint(u);
    uint8_t flags = unpack_u8(u);
    ix->global = flags & GLOBAL;
    ix->backfilling = flags & BACKFILLING;
    ix->name = take_str(u, a);
    ix->key = take_schema(u, a);
    ix->projection = (enum ddb_projection_type)unpack_u8(u);
    ix->include = take_list(u, a, sizeof(struct str), &ix->n_include);
    for (size_t i = 0; i < ix->n_include; i++)
        ix->include[i] = take_str(u, a);
    ix->throughput.read = unpack_int(u);
    ix->throughput.write = unpack_int(u);
}

static void take_body(struct unpack *u, struct ddb_table *t)
{
    struct arena *a = &t->object.arena;
    t->id = (uint32_t)unpack_uint(u);
    t->generation = unpack_uint(u);
    t->arn = take_str(u, a);
    t->uuid = take_str(u, a);
    t->created_ms = unpack_int(u);
    uint8_t flags = unpack_u8(u);
    t->on_demand = flags & ON_DEMAND;
    t->billing_told = flags & BILLING_TOLD;
    t->protect = flags & PROTECT;
    t->on_demand_since_ms = unpack_int(u);
    t->throughput.read = unpack_int(u);
    t->throughput.write = unpack_int(u);
    t->table_class = take_str(u, a);
    t->defs = take_list(u, a, sizeof(*t->defs), &t->n_defs);
    for (size_t i = 0; i < t->n_defs; i++) {
        t->defs[i].name = take_str(u, a);
        t->defs[i].type = (enum ddb_type)unpack_u8(u);
    }
    t->key = take_schema(u, a);
    t->last_index_id = (uint16_t)unpack_uint(u);
    t->indexes = take_list(u, a, sizeof(*t->indexes), &t->n_indexes);
    for (size_t i = 0; i < t->n_indexes; i++)
        take_index(u, a, &t->indexes[i]);
}

/* Text field of a key as a copy in `a`: key_read_text may borrow from the key. */
static enum err take_key_text(struct str *key, struct arena *a, struct str *ret_s)
{
    struct str s;
    TRY(key_read_text(key, a, &s));
    *ret_s = str_dup(a, s);
    return ret_s->p ? ERR_OK : ERR_NOMEM;
}

enum err ddb_table_decode(struct ddb_table *t, struct str record)
{
    struct arena *a = &t->object.arena;
    struct str key = t->object.key;
    struct unpack u;
    uint8_t space, table;
    TRY(key_read_u8(&key, &space));
    TRY(key_read_u8(&key, &table));
    TRY(take_key_text(&key, a, &t->account));
    TRY(take_key_text(&key, a, &t->region));
    TRY(take_key_text(&key, a, &t->name));
    unpack_init(&u, record);
    if (unpack_u8(&u) != TABLE_VERSION)
        return ERR_CORRUPT;
    take_body(&u, t);
    return unpack_end(&u);
}
