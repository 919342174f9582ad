/* CreateBasePathMapping, GetBasePathMapping, GetBasePathMappings, UpdateBasePathMapping,
 * DeleteBasePathMapping: parts of a domain's record. Layer: svc/apigateway.
 * Source: API Gateway API Reference, "BasePathMapping". */
#include "svc/apigateway/op_domain_int.h"

enum { BASE_PATH_MAX = 128 };

static struct str shown_path(struct str base)
{
    return base.len ? base : STR(DOMAIN_NO_BASE_PATH);
}

/* As it is stored: "(none)" and nothing are the empty path. */
static struct str stored_path(struct str base)
{
    return str_eq_c(base, DOMAIN_NO_BASE_PATH) || !str_is_set(base) ? STR("") : base;
}

static size_t place_of(const struct domain_rec *rec, struct str base)
{
    for (size_t i = 0; i < rec->n_mappings; i++)
        if (str_eq(rec->mappings[i].base_path, stored_path(base)))
            return i;
    return SIZE_MAX;
}

static enum err need_mapping(struct call *call, struct str name, struct str id, struct str base,
                             struct domain_rec *ret, struct json **ret_doc, size_t *ret_at)
{
    TRY(domain_need(call, name, id, ret, ret_doc));
    *ret_at = place_of(ret, base);
    return *ret_at != SIZE_MAX
               ? ERR_OK
               : APIGATEWAY_ABSENT(call, "Invalid base path mapping identifier specified");
}

static enum err doc_of(struct call *call, const struct domain_mapping *m, struct json **ret)
{
    struct json *doc = json_new(call->arena, JSON_OBJECT);
    if (!doc)
        return ERR_NOMEM;
    TRY(keys_set(call, doc, "basePath", shown_path(m->base_path)));
    TRY(keys_set(call, doc, "restApiId", m->api_id));
    *ret = doc;
    return keys_set(call, doc, "stage", m->stage);
}

static enum err show(struct call *call, const struct domain_mapping *m, void *out)
{
    struct json *doc;
    TRY(doc_of(call, m, &doc));
    return apigateway_show(call, doc, out);
}

static bool is_base_path(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i], low = c | 0x20;
        if (!(low >= 'a' && low <= 'z') && !(c >= '0' && c <= '9') &&
            (!c || !strchr("$-_.+!*'()", c)))
            return false;
    }
    return s.len <= BASE_PATH_MAX;
}

/* What it leads to is there. */
static enum err check(struct call *call, const struct domain_mapping *m)
{
    struct apigateway_stage_now now;
    struct json *api;
    if (!is_base_path(m->base_path))
        return APIGATEWAY_BAD(call, "API Gateway V1 doesn't support the slash character (/) in "
                                    "base path mappings, nor others than letters, numbers and "
                                    "$-_.+!*'()");
    enum err err = apigateway_doc_read(
        call->txn, key_make(call->arena, &apigateway_k_api, call_scope(call), m->api_id), &api);
    if (err == ERR_NOT_FOUND)
        return APIGATEWAY_BAD(call, "Invalid REST API identifier specified");
    TRY(err);
    if (str_empty(m->stage))
        return ERR_OK;
    err = apigateway_stage_find(apigateway_of(call), call->txn, m->api_id, m->stage, &now);
    return err == ERR_NOT_FOUND ? APIGATEWAY_BAD(call, "Invalid stage identifier specified") : err;
}

enum err
apigateway_create_base_path_mapping(struct call *call,
                                    const struct apigateway_create_base_path_mapping_input *in,
                                    struct apigateway_create_base_path_mapping_output *out)
{
    const struct domain_mapping m = {stored_path(in->base_path), in->rest_api_id, in->stage};
    struct domain_rec rec;
    struct json *doc;
    TRY(domain_need(call, in->domain_name, in->domain_name_id, &rec, &doc));
    TRY(check(call, &m));
    if (place_of(&rec, m.base_path) != SIZE_MAX)
        return APIGATEWAY_CONFLICT(call, "Base path already exists for this domain name");
    if (rec.n_mappings == DOMAIN_MAPPINGS_MAX)
        return call_error(call, &apigateway_err_limit_exceeded_exception,
                          "A domain name can have at most %d base path mappings.",
                          DOMAIN_MAPPINGS_MAX);
    struct domain_mapping *all =
        ARENA_ARRAY(call->arena, struct domain_mapping, rec.n_mappings + 1);
    if (!all)
        return ERR_NOMEM;
    for (size_t i = 0; i < rec.n_mappings; i++)
        all[i] = rec.mappings[i];
    all[rec.n_mappings++] = m;
    rec.mappings = all;
    TRY(domain_store(call, &rec, doc));
    return show(call, &m, out);
}

enum err apigateway_get_base_path_mapping(struct call *call,
                                          const struct apigateway_get_base_path_mapping_input *in,
                                          struct apigateway_get_base_path_mapping_output *out)
{
    struct domain_rec rec;
    struct json *doc;
    size_t at;
    TRY(need_mapping(call, in->domain_name, in->domain_name_id, in->base_path, &rec, &doc, &at));
    return show(call, &rec.mappings[at], out);
}

/* All fit one page of the greatest size. */
enum err apigateway_get_base_path_mappings(struct call *call,
                                           const struct apigateway_get_base_path_mappings_input *in,
                                           struct apigateway_get_base_path_mappings_output *out)
{
    struct json *items = json_new(call->arena, JSON_ARRAY), *doc, *item;
    struct domain_rec rec;
    struct page page;
    struct str after;
    TRY(domain_need(call, in->domain_name, in->domain_name_id, &rec, &doc));
    TRY(keys_page(call, rec.name, in->position, in->has_limit, in->limit, &page));
    enum err err = page_start(&page, &after);
    if (err == ERR_INVALID)
        return APIGATEWAY_BAD(call, "Invalid position parameter");
    TRY(err);
    size_t from = str_is_set(after) ? place_of(&rec, after) + 1 : 0;
    for (size_t i = from; items && i < rec.n_mappings; i++) {
        if (items->n == page.limit) {
            TRY(page_end(&page, shown_path(rec.mappings[i - 1].base_path)));
            break;
        }
        TRY(doc_of(call, &rec.mappings[i], &item));
        TRY(json_push(items, item));
    }
    return keys_show_page(call, items, &page, out);
}

enum err
apigateway_update_base_path_mapping(struct call *call,
                                    const struct apigateway_update_base_path_mapping_input *in,
                                    struct apigateway_update_base_path_mapping_output *out)
{
    static const struct apigateway_patch_row rules[] = {
        {"/basePath", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
        {"/restapiId", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
        {"/stage", APIGATEWAY_REPLACE, APIGATEWAY_TEXT, NULL},
    };
    static const struct apigateway_patch_table table = APIGATEWAY_PATCH_TABLE(rules);
    struct domain_rec rec;
    struct json *doc, *asked = json_new(call->arena, JSON_OBJECT);
    size_t at;
    TRY(need_mapping(call, in->domain_name, in->domain_name_id, in->base_path, &rec, &doc, &at));
    if (!asked)
        return ERR_NOMEM;
    struct domain_mapping m = rec.mappings[at];
    TRY(keys_set(call, asked, "basePath", m.base_path));
    TRY(keys_set(call, asked, "restapiId", m.api_id));
    TRY(keys_set(call, asked, "stage", m.stage));
    TRY(apigateway_patch(call, &table, in->patch_operations, asked));
    m.base_path = stored_path(json_get_str(asked, STR("basePath")));
    m.api_id = json_get_str(asked, STR("restapiId"));
    m.stage = json_get_str(asked, STR("stage"));
    TRY(check(call, &m));
    size_t other = place_of(&rec, m.base_path);
    if (other != SIZE_MAX && other != at)
        return APIGATEWAY_CONFLICT(call, "Base path already exists for this domain name");
    rec.mappings[at] = m;
    TRY(domain_store(call, &rec, doc));
    return show(call, &m, out);
}

enum err
apigateway_delete_base_path_mapping(struct call *call,
                                    const struct apigateway_delete_base_path_mapping_input *in,
                                    struct apigateway_delete_base_path_mapping_output *out)
{
    struct domain_rec rec;
    struct json *doc;
    size_t at;
    TRY(need_mapping(call, in->domain_name, in->domain_name_id, in->base_path, &rec, &doc, &at));
    rec.n_mappings--;
    for (size_t i = at; i < rec.n_mappings; i++)
        rec.mappings[i] = rec.mappings[i + 1];
    return domain_store(call, &rec, doc);
}
