/* See domain.h. Layer: svc/apigateway. */
#include "svc/apigateway/domain.h"

#include "svc/apigateway/apigateway_int.h"
#include "svc/apigateway/usage_keys.h"

enum { HOST_MAX = 253 };

static const struct record_field mapping_fields[] = {
    REC_STR(struct domain_mapping, base_path),
    REC_STR(struct domain_mapping, api_id),
    REC_STR(struct domain_mapping, stage),
};
static const struct record_type mapping_type =
    RECORD_TYPE(struct domain_mapping, 1, mapping_fields);

static const struct record_field domain_fields[] = {
    REC_STR(struct domain_rec, name),
    REC_STR(struct domain_rec, account),
    REC_STR(struct domain_rec, region),
    REC_STR(struct domain_rec, json),
    REC_LIST(struct domain_rec, mappings, n_mappings, DOMAIN_MAPPINGS_MAX, &mapping_type),
};
const struct record_type domain_type = RECORD_TYPE(struct domain_rec, 1, domain_fields);

static enum err decode(void *self, struct catalogue_object *object, struct str record)
{
    struct domain_object *d = CONTAINER_OF(object, struct domain_object, object);
    return record_unpack_copy(&domain_type, &object->arena, record, &d->rec);
}

const struct catalogue_type domain_catalogue = {
    .name = "apigateway: domain name",
    .size = sizeof(struct domain_object),
    .arena_max = DOMAIN_ARENA_MAX,
    .when = CATALOGUE_COMMITTED,
    .lack = CATALOGUE_RETRY,
    .decode = decode,
};

enum err domain_load(struct txn *txn, void *arg)
{
    struct apigateway *gw = arg;
    struct key_range all = key_range_table(txn->arena, &usage_k_domain);
    return str_is_set(all.from) ? catalogue_load(gw->domains, txn, all.from) : ERR_NOMEM;
}

/* --- what leads to an API ----------------------------------------------------------------------- */

static bool leads_to(const struct domain_rec *rec, struct str api_id, struct str stage)
{
    for (size_t i = 0; i < rec->n_mappings; i++)
        if (str_eq(rec->mappings[i].api_id, api_id) &&
            (!str_is_set(stage) || str_eq(rec->mappings[i].stage, stage)))
            return true;
    return false;
}

enum err domain_names_of(struct apigateway *gw, struct txn *txn, struct str api_id,
                         struct str stage, struct str *ret_names)
{
    struct catalogue_page page = {.more = true};
    struct str after = STR_NONE;
    struct buf b;
    buf_init_arena(&b, txn->arena, DOMAIN_ARENA_MAX);
    while (page.more) {
        TRY(catalogue_list(gw->domains, txn, STR(""), after, CATALOGUE_PAGE_MAX, &page));
        for (size_t i = 0; i < page.n; i++) {
            const struct domain_object *d = page.objects[i];
            after = d->object.key;
            if (leads_to(&d->rec, api_id, stage))
                buf_add_fmt(&b, "%s" STR_FMT, b.len ? ", " : "", STR_ARG(d->rec.name));
        }
    }
    *ret_names = b.len ? buf_str(&b) : STR_NONE;
    return buf_err(&b);
}

/* --- routing ------------------------------------------------------------------------------------ */

static struct str key_of(struct arena *a, struct str host)
{
    struct str name = str_lower(a, host);
    return str_is_set(name) ? key_make(a, &usage_k_domain, name) : STR_NONE;
}

bool domain_is(struct apigateway *gw, struct str host)
{
    struct arena a;
    void *object = NULL;
    if (str_empty(host) || host.len > HOST_MAX || catalogue_count(gw->domains, STR("")) == 0)
        return false;
    arena_init(&a, ARENA_CHUNK_BYTES);
    struct str key = key_of(&a, host);
    bool found = str_is_set(key) && catalogue_take(gw->domains, NULL, key, &object) == ERR_OK;
    catalogue_unref(object);
    arena_release(&a);
    return found;
}

const struct domain_mapping *domain_mapping_of(const struct domain_rec *rec, struct str path,
                                               struct str *ret_rest)
{
    const struct domain_mapping *best = NULL;
    struct str inside = str_starts(path, STR("/")) ? str_sub(path, 1, SIZE_MAX) : path;
    for (size_t i = 0; i < rec->n_mappings; i++) {
        const struct domain_mapping *m = &rec->mappings[i];
        struct str base = m->base_path;
        bool fits = base.len == 0 || (str_starts(inside, base) &&
                                      (inside.len == base.len || inside.p[base.len] == '/'));
        if (fits && (!best || base.len > best->base_path.len))
            best = m;
    }
    if (best)
        *ret_rest = best->base_path.len ? str_sub(inside, best->base_path.len, SIZE_MAX) : path;
    return best;
}

enum err domain_find(struct apigateway *gw, struct txn *txn, struct str host, struct str path,
                     struct domain_route *ret)
{
    void *object;
    struct str rest = STR_NONE;
    struct str key = host.len <= HOST_MAX ? key_of(txn->arena, host) : STR_NONE;
    if (host.len > HOST_MAX)
        return ERR_NOT_FOUND;
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(catalogue_get(gw->domains, txn, key, &object));
    const struct domain_rec *rec = &((struct domain_object *)object)->rec;
    const struct domain_mapping *m = domain_mapping_of(rec, path, &rest);
    if (!m)
        return ERR_NOT_FOUND;
    *ret =
        (struct domain_route){{rec->account, rec->region}, m->api_id, m->stage, m->base_path, rest};
    if (str_empty(m->stage)) {
        struct str left = str_starts(rest, STR("/")) ? str_sub(rest, 1, SIZE_MAX) : rest;
        ret->stage = str_cut(&left, '/');
        ret->path = str_sub(rest, 1 + ret->stage.len, SIZE_MAX);
    }
    if (str_empty(ret->path))
        ret->path = STR("/");
    return ERR_OK;
}
